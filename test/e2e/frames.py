"""Frames of any kind, as bytes: Ethernet, ARP, IPv4, IPv6, and what is in them."""

import ipaddress
import socket
import struct

EVERYONE = "ff:ff:ff:ff:ff:ff"


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def ip_bytes(text):
    return ipaddress.ip_address(text).packed


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(to, source, kind, payload, tags=()):
    """tags: (0x8100 or 0x88a8, number) of VLANs, the outer one first."""
    middle = b"".join(struct.pack("!HH", *tag) for tag in tags)
    return mac_bytes(to) + mac_bytes(source) + middle + struct.pack("!H", kind) + payload


def arp(operation, sender, sender_ip, target, target_ip):
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac_bytes(sender) + ip_bytes(sender_ip) + mac_bytes(target) + ip_bytes(target_ip)


def ipv4(source, to, protocol, payload, ttl=64):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, ttl, protocol, 0) + ip_bytes(source) + ip_bytes(to)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(source, to, protocol, payload, extensions=(), hops=255):
    """extensions: numbers of extension headers of 8 bytes, in order: 0 hop by hop, 60 destination options, 44 a fragment that is whole."""
    chain = [*extensions, protocol]
    middle = b""
    for index, kind in enumerate(extensions):
        middle += bytes([chain[index + 1], 0]) + (bytes([0, 0, 0, 0, 0, 1]) if kind == 44 else bytes([1, 4, 0, 0, 0, 0]))
    return struct.pack("!IHBB", 6 << 28, len(middle) + len(payload), chain[0], hops) + ip_bytes(source) + ip_bytes(to) + middle + payload


def _pseudo(source, to, protocol, length):
    if ":" in source:
        return ip_bytes(source) + ip_bytes(to) + struct.pack("!II", length, protocol)
    return ip_bytes(source) + ip_bytes(to) + struct.pack("!BBH", 0, protocol, length)


def udp(source, to, source_port, port, data):
    head = struct.pack("!HHHH", source_port, port, 8 + len(data), 0)
    total = checksum(_pseudo(source, to, 17, len(head) + len(data)) + head + data) or 0xffff
    return head[:6] + struct.pack("!H", total) + data


def tcp(source, to, source_port, port, flags=0x02):
    """A segment out of the blue; 0x02: SYN, 0x12: SYN and ACK, 0x10: ACK."""
    head = struct.pack("!HHIIBBHHH", source_port, port, 1000, 1 if flags & 0x10 else 0, 5 << 4, flags, 64240, 0, 0)
    return head[:16] + struct.pack("!H", checksum(_pseudo(source, to, 6, len(head)) + head)) + head[18:]


def sctp_init(source_port, port):
    """The first packet of an association, with SCTP's own checksum (CRC-32C)."""
    packet = struct.pack("!HHII", source_port, port, 0, 0) + struct.pack("!BBHIIHHI", 1, 0, 20, 1, 0xffff, 1, 1, 1)
    rest = 0xffffffff
    for byte in packet:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (0x82f63b78 if rest & 1 else 0)
    return packet[:8] + struct.pack("<I", rest ^ 0xffffffff) + packet[12:]


def icmp6(source, to, kind, body, code=0):
    head = struct.pack("!BBH", kind, code, 0) + body
    return head[:2] + struct.pack("!H", checksum(_pseudo(source, to, 58, len(head)) + head)) + head[4:]


def icmp4(kind, code, body):
    head = struct.pack("!BBH", kind, code, 0) + body
    return head[:2] + struct.pack("!H", checksum(head)) + head[4:]


def ip_frame(to_mac, source_mac, source, to, protocol, payload, **options):
    if ":" in source:
        return ethernet(to_mac, source_mac, 0x86dd, ipv6(source, to, protocol, payload, options.pop("extensions", ())), **options)
    return ethernet(to_mac, source_mac, 0x0800, ipv4(source, to, protocol, payload), **options)


def router_advertisement(source, mac, prefix="2001:db8:bad::"):
    """ICMPv6 with a default route and a prefix to make an address of."""
    body = struct.pack("!BBHII", 64, 0, 1800, 0, 0)
    body += struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 3600, 3600, 0) + ip_bytes(prefix) + b"\x01\x01" + mac_bytes(mac)
    return icmp6(source, "ff02::1", 134, body)


def untagged(frame):
    """A frame without its VLAN tags: the outermost is not among the bytes that a packet socket hands over."""
    while frame[12:14] in (b"\x81\x00", b"\x88\xa8"):
        frame = frame[:12] + frame[16:]
    return frame


def link_local(mac):
    """The EUI-64 address that a MAC gives."""
    raw = mac_bytes(mac)
    return str(ipaddress.ip_address(b"\xfe\x80" + bytes(6) + bytes([raw[0] ^ 2]) + raw[1:3] + b"\xff\xfe" + raw[3:]))


# --- inside a namespace ----------------------------------------------------------------------------------------------------------
