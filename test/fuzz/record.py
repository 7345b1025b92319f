#!/usr/bin/python3
"""Records dumps of rtnetlink and nf_tables as seeds for fuzz_decode.

Run in a sandbox: test/sandbox.py test/fuzz/record.py test/fuzz/corpus/decode
"""

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
RULES = """
table inet warren-shop {
	comment "warren:shop"
	set own { type ifname; elements = { "lan", "dmz" } }
	set ports { type inet_service; flags interval; elements = { 80, 8000-8010 } }
	set nets { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/24 . 80-90, 10.1.0.1 . 443 } }
	set denied4 { type ipv4_addr . inet_service; size 4096; flags dynamic,timeout; timeout 1h; elements = { 10.0.0.9 . 22 } }
	set said { type ipv4_addr; comment "words"; elements = { 10.9.9.9 comment "an element" } }
	set every { type ipv4_addr; counter; elements = { 10.9.9.9 counter packets 3 bytes 9, * counter packets 1 bytes 2 } }
	map publish4 { type inet_proto . inet_service : ipv4_addr . inet_service; elements = { tcp . 8080 : 10.2.0.2 . 80 } }
	map before { type ifname . mark : mark; elements = { "eth0" . 0x0 : 0x8000, "all" . 0x9 : 0x8001 } }
	map verdicts { type inet_service : verdict; elements = { 22 : accept, 23 : drop, 24 : jump sub, 25 : goto sub } }
	chain sub { counter; }
	chain raw { type filter hook prerouting priority raw; policy accept;
		iifname @own ip saddr 127.0.0.0/8 counter drop comment "loopback"
		ip ttl != 5-10 accept
	}
	chain dstnat { type nat hook prerouting priority dstnat;
		fib daddr type != local return
		meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @publish4
		tcp dport 98 dnat ip to 10.0.0.1-10.0.0.5:80-90 persistent
		tcp dport 97 redirect to :80
	}
	chain srcnat { type nat hook postrouting priority srcnat;
		ct status dnat masquerade
		oifname "eth*" masquerade random,persistent
		ip saddr 10.0.0.0/8 snat to 192.0.2.1
		udp dport 1 masquerade to :1024-2048
	}
	chain forward { type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct original ip daddr 1.2.3.4 accept
		ct mark set 5
		meta mark set 0x10
		tcp dport vmap @verdicts
		ip saddr . tcp dport @nets accept
		tcp flags syn / syn,ack limit rate 10/second burst 20 packets accept
		limit rate over 1 mbytes/minute drop
		log prefix "hello" level info flags all
		log group 3
		tcp dport 5 reject with tcp reset
		ip saddr 1.1.1.1 reject with icmp type host-unreachable
		update @denied4 { ip saddr . tcp dport counter }
		add @denied4 { ip saddr . tcp dport timeout 10s }
		tcp option maxseg size 1-500 drop
		frag id 5 drop
		quota over 10 mbytes drop
		numgen inc mod 2 0 accept
		tcp option maxseg size set 1400
		ip dscp set cs1
		notrack
	}
}
table netdev other { chain in { type filter hook ingress devices = { lo, br0 } priority 0; policy accept; }; }
"""
EXTENSIONS = """
iptables-nft -A FORWARD -i lan -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment words -j ACCEPT
iptables-nft -A FORWARD -i eth+ -p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset
iptables-nft -A FORWARD -m limit --limit 5/min -j LOG --log-prefix "x "
"""
NETFILTER, NF_TABLES = 12, 10
GETTABLE, GETCHAIN, GETRULE, GETSET, GETSETELEM = 1, 4, 7, 10, 13
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


def dump(kind, body, protocol=socket.NETLINK_ROUTE):
    """Each message of a dump by itself."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as handle:
        handle.send(struct.pack("=IHHII", 16 + len(body), kind, 0x301, 1, 0) + body)
        messages = []
        while True:
            data = handle.recv(1 << 20)
            while data:
                length, number = struct.unpack_from("=IH", data)
                if number == 2:
                    raise OSError(-struct.unpack_from("=i", data, 16)[0], "refused")
                if number == 3:
                    return messages
                messages.append(data[:length])
                data = data[(length + 3) & ~3:]


def text(attribute, value):
    """A string of nf_tables' messages."""
    data = struct.pack("=HH", 5 + len(value), attribute) + value + b"\0"
    return data + bytes(-len(data) % 4)


def strings(message, count):
    """The first strings of a message of nf_tables: which table, and which chain or set of it."""
    place, found = 20, []
    while len(found) < count:
        length, _ = struct.unpack_from("=HH", message, place)
        found.append(message[place + 4 : place + length - 1])
        place += (length + 3) & ~3
    return found


def rulesets():
    """Messages of nf_tables, each lot with all that it is about."""

    def ask(kind, family, *names):
        attributes = b"".join(text(number, name) for number, name in enumerate(names, 1))
        return dump(NF_TABLES << 8 | kind, struct.pack("=BxH", family, 0) + attributes, NETFILTER)

    for number, table in enumerate(ask(GETTABLE, 0)):
        family = table[16]
        (name,) = strings(table, 1)
        chains = [chain for chain in ask(GETCHAIN, family) if strings(chain, 1) == [name]]
        yield f"nft-chains-{number}", [table, *chains]
        for place, chain in enumerate(chains):
            # A chain's message begins with its table and its handle, which is no string.
            rules = [rule for rule in ask(GETRULE, family, name) if b"\0" + strings(rule, 2)[1] + b"\0" in chain]
            for start in range(0, len(rules), 5):
                yield f"nft-rules-{number}-{place}-{start}", [table, chain, *rules[start : start + 5]]
        for place, head in enumerate(ask(GETSET, family, name)):
            yield f"nft-set-{number}-{place}", [table, head, *ask(GETSETELEM, family, name, strings(head, 2)[1])]


def main():
    subprocess.run(["sh", "-ec", SETUP], check=False)
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["nft", "-f", "-"], input=RULES, text=True, check=True)
    subprocess.run(["sh", "-ec", EXTENSIONS], check=True)
    for name, messages in rulesets():
        (target / name).write_bytes(b"".join(message + bytes(-len(message) % 4) for message in messages))
    for name, (kind, body) in BODIES.items():
        messages = dump(kind, body)
        # Whole, for what refers to what; and the first few by themselves, which mutate better.
        whole = b"".join(message + bytes(-len(message) % 4) for message in messages)
        for number, data in enumerate([whole, *messages[:4]]):
            if data and len(data) < 16384:
                (target / f"{name}-{number}").write_bytes(data)


if __name__ == "__main__":
    main()
