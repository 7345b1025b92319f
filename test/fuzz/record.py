#!/usr/bin/python3
"""Records dumps of rtnetlink as seeds for fuzz_decode. Run in a sandbox: test/sandbox.py test/fuzz/record.py test/fuzz/corpus/decode"""

import socket
import struct
import subprocess
import sys
from pathlib import Path

SETUP = """
ip netns add a; ip link add br0 type bridge; ip link set br0 alias warren:shop.lan; ip link property add dev br0 altname shop.lan
ip link add v0 type veth peer name eth0 netns a; ip link set v0 master br0 alias warren:shop.web.eth0; ip link set br0 up; ip link set v0 up
bridge link set dev v0 isolated on; ip addr add 10.0.0.1/24 dev br0; ip addr add fd00::1/64 dev br0 nodad
ip route add 192.0.2.0/24 via 10.0.0.2 proto 173 metric 50 src 10.0.0.1; ip route add 198.51.100.0/24 nexthop via 10.0.0.2 weight 2 nexthop via 10.0.0.3
ip route add blackhole 203.0.113.0/24; ip -6 route add 2001:db8::/32 via fd00::2; ip rule add from 10.0.0.0/8 to 192.0.2.0/24 iif br0 fwmark 1/3 table 100
ip -6 rule add from fd00::/8 table 200 priority 7; ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev br0; ip link add vx0 type vxlan id 7 dstport 4789 dev br0
"""
RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH, RTM_GETRULE, RTM_GETNSID, RTM_GETNETCONF = 18, 22, 26, 30, 34, 90, 82
BODIES = {
    "link": (RTM_GETLINK, struct.pack("=BxHiII", 0, 0, 0, 0, 0)),
    "address": (RTM_GETADDR, struct.pack("=BBBBi", 0, 0, 0, 0, 0)),
    "route4": (RTM_GETROUTE, struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)),
    "route6": (RTM_GETROUTE, struct.pack("=BBBBBBBBI", socket.AF_INET6, 0, 0, 0, 0, 0, 0, 0, 0)),
    "neighbour": (RTM_GETNEIGH, struct.pack("=BxxxiHBB", 0, 0, 0, 0, 0)),
    "rule4": (RTM_GETRULE, struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)),
    "rule6": (RTM_GETRULE, struct.pack("=BBBBBBBBI", socket.AF_INET6, 0, 0, 0, 0, 0, 0, 0, 0)),
    "nsid": (RTM_GETNSID, struct.pack("=Bxxx", 0)),
    "netconf4": (RTM_GETNETCONF, struct.pack("=Bxxx", socket.AF_INET)),
    "netconf6": (RTM_GETNETCONF, struct.pack("=Bxxx", socket.AF_INET6)),
}


def dump(kind, body):
    """Each message of a dump by itself."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as handle:
        handle.send(struct.pack("=IHHII", 16 + len(body), kind, 0x301, 1, 0) + body)
        messages = []
        while True:
            data = handle.recv(1 << 20)
            while data:
                length, number = struct.unpack_from("=IH", data)
                if number in (2, 3):
                    return messages
                messages.append(data[:length])
                data = data[(length + 3) & ~3:]


def main():
    subprocess.run(["sh", "-ec", SETUP], check=False)
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for name, (kind, body) in BODIES.items():
        messages = dump(kind, body)
        # Whole, for what refers to what; and the first few by themselves, which mutate better.
        whole = b"".join(message + bytes(-len(message) % 4) for message in messages)
        for number, data in enumerate([whole, *messages[:4]]):
            if data and len(data) < 16384:
                (target / f"{name}-{number}").write_bytes(data)


if __name__ == "__main__":
    main()
