/* Every rule of the network file, each with the exact message, place and hint.
 *
 * A row is what is read and what is said: "LINE:COLUMN: MESSAGE (HINT)", in the order of the file. */
#include "netfile.h"

struct row {
	const char *what, *text, *said;
};

static const struct row structure_rows[] = {
	{"empty", "", "0:0: no network in this file: it is empty\n"},
	{"comment only", "# nothing\n", "0:0: no network in this file: it is empty\n"},
	{"null", "~\n", "0:0: no network in this file: it is empty\n"},
	{"a list", "[1, 2]\n", "1:1: the file must be a mapping of keys to values, not a list\n"},
	{"a text", "hello\n", "1:1: the file must be a mapping of keys to values, not text\n"},
	{"unknown key", "namex: x\n", "1:1: unknown key 'namex' in the file (did you mean 'name'?)\n"},
	{"unknown key of an interface",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, adress: 10.0.0.1/24}}}}\n",
	 "2:46: unknown key 'adress' in interface 'e' of namespace 'a' (did you mean 'address'?)\n"},
	{"unknown key of a namespace", "namespaces: {a: {interface: {}}}\n",
	 "1:18: unknown key 'interface' in namespace 'a' (did you mean 'interfaces'?)\n"},
	{"unknown key of a bridge", "bridges: {l: {subnets: 10.0.0.0/24}}\n",
	 "1:15: unknown key 'subnets' in bridge 'l' (did you mean 'subnet'?)\n"},
	{"unknown key of options", "bridges: {l: {options: {ageing_time: 3}}}\n",
	 "1:25: unknown key 'ageing_time' in options of bridge 'l'\n"},
	{"unknown key of a route",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: default, vai: 10.0.0.9}]}}\n",
	 "2:61: unknown key 'vai' in a route of namespace 'a' (did you mean 'via'?)\n"},
	{"unknown key of a link", "links: [{ends: [a:e, b:e], mtus: 3}]\n",
	 "1:28: unknown key 'mtus' in a link (did you mean 'mtu'?)\n"},
	{"no mapping of bridges", "bridges: [l]\n", "1:10: 'bridges' must be a mapping from names, not a list\n"},
	{"no mapping of namespaces", "namespaces: a\n", "1:13: 'namespaces' must be a mapping from names, not text\n"},
	{"no mapping of a namespace", "namespaces: {a: 5}\n",
	 "1:17: namespace 'a' must be a mapping of keys to values, not text\n"},
	{"no mapping of interfaces", "namespaces: {a: {interfaces: [eth0]}}\n",
	 "1:30: 'interfaces' of namespace 'a' must be a mapping from interface names, not a list (for example {eth0: "
	 "lan})\n"},
	{"an interface that is a list", "namespaces: {a: {interfaces: {e: [x]}}}\n",
	 "1:34: interface 'e' of namespace 'a' must be a mapping of keys to values, not a list\n"},
	{"no list of links", "links: a\n",
	 "1:8: 'links' must be a list, not text (an end is written NAMESPACE:INTERFACE, for example [r1:eth0, "
	 "r2:eth0])\n"},
	{"one link for the list", "links: [a:e, b:e]\n",
	 "1:8: 'links' is a list of links, and this is one (write [[A:eth0, B:eth0]])\n"},
	{"all that is not there yet", "namespaces: {a: {attach: x}}\n",
	 "1:18: 'attach' is not supported yet by this version of warren\n"},
	{"once in a range", "namespaces: {\"a[1-3]\": {attach: x}}\n",
	 "1:25: 'attach' is not supported yet by this version of warren\n"},
	{"a name that is none", "name: \"a.b\"\n",
	 "1:7: 'a.b' is no name for a network (a name has letters, digits, '-' and '_', begins with a letter or digit, "
	 "at most 63 bytes)\n"},
	{"a name that is a list", "name: [x]\n", "1:7: 'name' must be a text, not a list\n"},
	{"a bad prefix", "prefix: \"a/b\"\n",
	 "1:9: 'prefix' must be letters, digits, '-', '_' and '.', at most 63 bytes (prefix: \"\" gives bare names)\n"},
};

static const struct row names_rows[] = {
	{"a key twice",
	 "namespaces:\n"
	 "  a: {}\n"
	 "  a: {}\n",
	 "3:3: key 'a' is there twice, first in line 2\n"},
	{"host as a name",
	 "namespaces: {host: {}}\n"
	 "bridges: {host: {}}\n",
	 "1:14: 'host' means this machine and cannot name a namespace\n"
	 "2:11: 'host' means this machine and cannot name a bridge\n"},
	{"bad names", "namespaces: {-x: {}, \"ü\": {}, \"a b\": {}, \"\": {}}\n",
	 "1:14: '-x' is no namespace name (a name has letters, digits, '-' and '_', and begins with a letter or "
	 "digit)\n"
	 "1:22: 'ü' is no namespace name (a name has letters, digits, '-' and '_', and begins with a letter or digit)\n"
	 "1:31: 'a b' is no namespace name (a name has letters, digits, '-' and '_', and begins with a letter or "
	 "digit)\n"
	 "1:42: '' is no namespace name (a name has letters, digits, '-' and '_', and begins with a letter or "
	 "digit)\n"},
	{"a long name", "namespaces: {aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg: {}}\n",
	 "1:14: namespace name 'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg' has 64 bytes; at "
	 "most 63 are allowed\n"},
	{"one set of names",
	 "bridges: {x: {}}\n"
	 "namespaces: {x: {}}\n",
	 "2:14: the name 'x' is a bridge's already (line 1) (bridges and namespaces share one set of names)\n"},
	{"range over a name", "namespaces: {a2: {}, \"a[1-3]\": {}}\n",
	 "1:22: the name 'a2' is a namespace's already (line 1) (bridges and namespaces share one set of names)\n"},
	{"long interface name",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {abcdefghijklmnop: l}}}\n",
	 "2:31: interface name 'abcdefghijklmnop' has 16 bytes; the kernel allows 15\n"},
	{"kernel's pattern",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {\"a%d\": l}}}\n",
	 "2:31: 'a%d' is no interface name: none may be empty, '.', '..', 'all' or 'default', or hold '/', ':', '%' or "
	 "white space\n"},
	{"slash and colon",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {\"a/b\": l, \"a:b\": l, \"a b\": l, \"..\": l}}}\n",
	 "2:31: 'a/b' is no interface name: none may be empty, '.', '..', 'all' or 'default', or hold '/', ':', '%' or "
	 "white space\n"
	 "2:41: 'a:b' is no interface name: none may be empty, '.', '..', 'all' or 'default', or hold '/', ':', '%' or "
	 "white space\n"
	 "2:51: 'a b' is no interface name: none may be empty, '.', '..', 'all' or 'default', or hold '/', ':', '%' or "
	 "white space\n"
	 "2:61: '..' is no interface name: none may be empty, '.', '..', 'all' or 'default', or hold '/', ':', '%' or "
	 "white space\n"},
	{"lo as an interface",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {lo: l}}}\n",
	 "2:31: every namespace has its 'lo' already (its addresses stand under the namespace's key 'lo')\n"},
	{"a range of interfaces",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {\"e[1-2]\": l}}}\n",
	 "2:31: interface name 'e[1-2]' must not hold '[', ']' or '$' (ranges are for the keys of bridges and "
	 "namespaces, and for links)\n"},
	{"no such bridge",
	 "bridges: {lan: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: lam}}}\n",
	 "2:34: no bridge 'lam' for interface 'e' of namespace 'a' (did you mean 'lan'?)\n"},
	{"no bridge, no link", "namespaces: {a: {interfaces: {e: {}}}}\n",
	 "1:31: interface 'e' of namespace 'a' has no bridge and no link (write {bridge: NAME}, or name it as an end "
	 "under 'links')\n"},
	{"a route that the kernel keeps",
	 "links: [[a:x, b:x]]\nnamespaces:\n  a: {interfaces: {x: {address: 10.0.0.1/24}}, routes: [{to: 10.0.0.0/24, "
	 "dev: x}]}\n",
	 "3:57: the route to 10.0.0.0/24 over 'x' is there by itself (it needs no line, or a metric of its own)\n"},
	{"one ifname twice", "bridges: {l: {ifname: br0, host: true}, m: {ifname: br0, host: true}}\n",
	 "1:41: bridge 'm' and bridge 'l' (line 1) get one name in the kernel, 'br0' ('ifname' or 'prefix' gives "
	 "another name)\n"},
	{"ifname of another", "bridges: {l: {ifname: net-m, host: true}, m: {host: true}}\n",
	 "1:43: bridge 'm' and bridge 'l' (line 1) get one name in the kernel, 'net-m' ('ifname' or 'prefix' gives "
	 "another name)\n"},
	{"ifname of a port",
	 "bridges: {l: {ifname: net-a-e, host: true}}\n"
	 "namespaces: {a: {interfaces: {e: l}}}\n",
	 "2:31: the port of a:e and bridge 'l' (line 1) get one name in the kernel, 'net-a-e' ('ifname' or 'prefix' "
	 "gives another name)\n"},
	{"ifname and altname", "bridges: {l: {ifname: net.l, host: true}}\n",
	 "1:11: bridge 'l' gets one name twice in the kernel, 'net.l' ('ifname' or 'prefix' gives another name)\n"},
	{"host end and bridge",
	 "bridges: {l: {ifname: br0, host: true}}\n"
	 "links: [[host:br0, a:e]]\n",
	 "2:10: host:br0 and bridge 'l' (line 1) get one name in the kernel, 'br0' ('ifname' or 'prefix' gives another "
	 "name)\n"},
	{"port and its private bridge",
	 "bridges: {l: {ifname: a-e}}\n"
	 "namespaces: {a: {interfaces: {e: l}}}\n",
	 "2:31: the port of a:e and bridge 'l' (line 1) get one name in the kernel, 'a-e' ('ifname' or 'prefix' gives "
	 "another name)\n"},
};

static const struct row ranges_rows[] = {
	{"incomplete ranges",
	 "namespaces:\n"
	 "  a[1-: {}\n"
	 "  b[1]: {}\n"
	 "  c]: {}\n"
	 "  d[01-2]: {}\n"
	 "  e[a-b]: {}\n",
	 "2:3: 'a[1-' is no complete range (write a range as NAME[FIRST-LAST], for example app[1-3])\n"
	 "3:3: 'b[1]' is no complete range (write a range as NAME[FIRST-LAST], for example app[1-3])\n"
	 "4:3: 'c]' is no complete range (write a range as NAME[FIRST-LAST], for example app[1-3])\n"
	 "5:3: 'd[01-2]' is no complete range (write a range as NAME[FIRST-LAST], for example app[1-3])\n"
	 "6:3: 'e[a-b]' is no complete range (write a range as NAME[FIRST-LAST], for example app[1-3])\n"},
	{"backwards", "namespaces: {\"a[3-1]\": {}}\n", "1:14: the range in 'a[3-1]' ends before it begins\n"},
	{"two ranges", "namespaces: {\"a[1-2][1-2]\": {}}\n", "1:14: 'a[1-2][1-2]' has more than one range\n"},
	{"too many", "namespaces: {\"a[1-1000001]\": {}}\n",
	 "1:14: more than 1000000 things in one file, with its ranges written out\n"},
	{"too many addresses", "namespaces: {\"a[1-999999]\": {lo: {address: [10.0.0.1, 10.0.0.2]}}}\n",
	 "1:44: more than 1000000 things in one file, with its ranges written out\n"},
	{"different numbers", "links: [[\"a[1-3]:e\", \"b[1-4]:e\"]]\n",
	 "1:22: the ranges of one link must count the same numbers, not [1-3] and [1-4]\n"},
	{"n outside",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: 10.0.0.$n}}}}\n",
	 "2:55: $n in '10.0.0.$n' is not within a range such as app[1-3], and has no value\n"},
	{"a sum outside",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: 10.0.0.$(n+1)}}}}\n",
	 "2:55: $n in '10.0.0.$(n+1)' is not within a range such as app[1-3], and has no value\n"},
	{"less than 0",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {\"a[1-2]\": {interfaces: {e: {bridge: l, address: 10.0.0.$(n-2)}}}}\n",
	 "2:62: '$(n-2)' is less than 0 where n is 1\n"},
	{"no meaning",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: $x}}}}\n",
	 "2:55: '$' without a meaning in '$x' (known are $n, $(n+20) and $(namespace.interface))\n"},
	{"not closed",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: $(a.b}}}}\n",
	 "2:55: '$(' without its ')' in '$(a.b'\n"},
	{"neither sum nor reference",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: $(foo)}}}}\n",
	 "2:55: '$(foo)' is neither a sum with n nor a reference (a sum is written $(n+20), a reference "
	 "$(namespace.interface))\n"},
	{"a name made by n twice", "namespaces: {\"a[1-2]\": {interfaces: {e1: {}, e$n: {}}}}\n",
	 "1:46: interface 'e1' of namespace 'a1' is there twice\n"},
};

static const struct row addresses_rows[] = {
	{"no address",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: 10.0.0.300}}}}\n",
	 "2:55: 'address' of interface 'e' of namespace 'a' is no IP address: '10.0.0.300'\n"},
	{"a reference without its dollar",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: b.e}}}}\n",
	 "2:55: 'address' of interface 'e' of namespace 'a' is no IP address: 'b.e' (the address of another interface "
	 "is written $(b.e))\n"},
	{"outside its subnet",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: 10.0.1.1}}}}\n",
	 "2:55: address 10.0.1.1 of a:e is in no subnet of bridge 'l'\n"},
	{"network address",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: 10.0.0.0}}}}\n",
	 "2:55: address 10.0.0.0 of a:e is the network address of bridge 'l'\n"},
	{"broadcast address",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: 10.0.0.255}}}}\n",
	 "2:55: address 10.0.0.255 of a:e is the broadcast address of bridge 'l'\n"},
	{"broadcast by its own length",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: 10.0.0.127/25}}}}\n",
	 "2:55: 10.0.0.127/25 is the broadcast address, which no interface can have\n"},
	{"multicast, loopback, unspecified",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: [224.0.0.1/24, 127.0.0.1/8, 0.0.0.0/24, "
	 "10.0.0.1/0]}}}}\n",
	 "2:56: 224.0.0.1/24 is a multicast address, which no interface can have\n"
	 "2:70: 127.0.0.1/8 is a loopback address, which no interface can have\n"
	 "2:83: 0.0.0.0/24 is the unspecified address, which no interface can have\n"
	 "2:95: 10.0.0.1/0 is an address with length 0, which no interface can have\n"},
	{"anycast",
	 "bridges: {l: {subnet: \"fd00::/64\"}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: \"fd00::\"}}}}\n",
	 "2:55: address fd00:: of a:e is the subnet-router anycast address of bridge 'l'\n"},
	{"no length on a cable", "links: [{ends: [a:e, b:e], addresses: [10.0.0.1, none]}]\n",
	 "1:40: address 10.0.0.1 of a:e needs a length: no subnet of a bridge gives it one (as in 10.0.0.1/24)\n"},
	{"twice on one interface",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: [10.0.0.5, 10.0.0.5/24]}}}}\n",
	 "2:66: 10.0.0.5 is there twice\n"},
	{"twice on a segment",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces:\n"
	 "  a: {interfaces: {e: {bridge: l, address: 10.0.0.5}}}\n"
	 "  b: {interfaces: {e: {bridge: l, address: 10.0.0.5/24}}}\n",
	 "4:44: address 10.0.0.5 of b:e is that of a:e too (line 3), on one segment\n"},
	{"the host's",
	 "bridges: {l: {subnet: 10.0.0.0/24, host: true}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: 10.0.0.1}}}}\n",
	 "2:55: address 10.0.0.1 of a:e is that of this machine too (line 1), on one segment\n"},
	{"twice on a cable", "links: [{ends: [a:e, b:e], addresses: [10.0.0.1/24, 10.0.0.1/24]}]\n",
	 "1:53: address 10.0.0.1 of b:e is that of a:e too (line 1), on one segment\n"},
	{"exhausted",
	 "bridges: {l: {subnet: 10.0.0.0/30, host: true}}\n"
	 "namespaces: {\"a[1-4]\": {interfaces: {e: l}}}\n",
	 "2:38: subnet 10.0.0.0/30 of bridge 'l' has no free address for interface 'e' of namespace 'a2': all 2 are "
	 "taken (a larger subnet, or another bridge, has room)\n"},
	{"overlap in a namespace",
	 "bridges: {l: {subnet: 10.0.0.0/24}, m: {subnet: 10.0.0.0/25}}\n"
	 "namespaces: {a: {interfaces: {e: l, f: m}}}\n",
	 "2:37: namespace 'a' joins overlapping subnets: 10.0.0.0/25 on 'f' and 10.0.0.0/24 on 'e' (line 2)\n"},
	{"overlap of the host's",
	 "bridges: {l: {subnet: 10.0.0.0/24, host: true}}\n"
	 "links: [{ends: [host:h, a:e], addresses: [10.0.0.129/25, none]}]\n",
	 "2:43: this machine joins overlapping subnets: 10.0.0.128/25 on 'h' and 10.0.0.0/24 on 'l' (line 1)\n"},
	{"overlap in a bridge", "bridges: {l: {subnet: [10.0.0.0/24, 10.0.0.0/16]}}\n",
	 "1:11: subnets 10.0.0.0/24 and 10.0.0.0/16 of bridge 'l' overlap\n"},
	{"subnets that are none",
	 "bridges: {l: {subnet: 10.0.0.5/24}, m: {subnet: 10.0.0.0}, n: {subnet: 224.0.0.0/8}, o: {subnet: 0.0.0.0/0}, "
	 "p: {subnet: x}, q: {subnet: $(a.b)}}\n",
	 "1:23: subnet of bridge 'l' is an address within one (did you mean 10.0.0.0/24?)\n"
	 "1:49: subnet '10.0.0.0' needs a length (as in 10.2.0.0/24 or fd00:2::/64)\n"
	 "1:72: no addresses can be handed out from 224.0.0.0/8\n"
	 "1:98: no addresses can be handed out from 0.0.0.0/0\n"
	 "1:122: 'subnet' of bridge 'p' is no IP address: 'x'\n"
	 "1:138: 'subnet' of bridge 'q' must be written out\n"},
	{"mtu",
	 "bridges: {l: {mtu: 67}, m: {subnet: \"fd00::/64\", mtu: 1279}, n: {subnet: \"fd01::/64\"}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: n, mtu: 1279}, f: {bridge: l, mtu: 67}, g: {bridge: l, mtu: "
	 "big}}}}\n",
	 "1:20: 'mtu' of bridge 'l' must be a number from 68 to 65535, not '67'\n"
	 "1:25: mtu 1279 of bridge 'm' is too small: IPv6 needs 1280\n"
	 "2:31: mtu 1279 of a:e is too small: IPv6 needs 1280\n"
	 "2:78: 'mtu' of interface 'f' of namespace 'a' must be a number from 68 to 65535, not '67'\n"
	 "2:103: 'mtu' of interface 'g' of namespace 'a' must be a number from 68 to 65535, not 'big'\n"},
	{"addresses of host", "bridges: {l: {subnet: 10.0.0.0/24, host: 10.1.0.1}}\n",
	 "1:36: 10.1.0.1, this machine's address, is in no subnet of bridge 'l'\n"},
	{"reserved address of host", "bridges: {l: {subnet: 10.0.0.0/24, host: 10.0.0.255}}\n",
	 "1:36: 10.0.0.255, this machine's address on bridge 'l', is the subnet's broadcast address\n"},
	{"host that is no address", "bridges: {l: {subnet: 10.0.0.0/24, host: maybe}}\n",
	 "1:42: 'host' of bridge 'l' is no IP address: 'maybe'\n"},
	{"host: yes", "bridges: {l: {subnet: 10.0.0.0/24, host: yes}}\n",
	 "1:42: 'host' of bridge 'l' must be true, false, or this machine's address, not 'yes' (did you mean "
	 "'true'?)\n"},
};

static const struct row references_rows[] = {
	{"circle",
	 "namespaces:\n"
	 "  a: {interfaces: {e: {address: $(b.e)}}}\n"
	 "  b: {interfaces: {e: {address: $(a.e)}}}\n"
	 "links: [[a:e, b:e]]\n",
	 "3:33: $(a.e) leads back to itself: a circle of references\n"},
	{"to itself",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: $(a.e)}}}}\n",
	 "2:55: $(a.e) leads back to itself: a circle of references\n"},
	{"no namespace",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: $(b.e)}}}}\n",
	 "2:55: $(b.e): there is no namespace 'b'\n"},
	{"no interface",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, address: $(a.eth)}}}}\n",
	 "2:55: $(a.eth): namespace 'a' has no interface 'eth'\n"},
	{"no address",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: default, via: $(b.e)}]}, b: {interfaces: {e: {bridge: l, "
	 "address: none}}}}\n",
	 "2:66: $(b.e) has no IPv4 address\n"},
	{"lo without",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, dns: {servers: $(a.lo)}}}\n",
	 "2:53: $(a.lo): 'lo' of namespace 'a' has no address of its own\n"},
};

static const struct row gateways_rows[] = {
	{"host and gateway",
	 "bridges: {l: {subnet: 10.0.0.0/24, host: true, gateway: a}}\n"
	 "namespaces: {a: {interfaces: {e: l}}}\n",
	 "1:57: bridge 'l' has both a host and a gateway; only one can be the gateway (leave out 'host' or "
	 "'gateway')\n"},
	{"no such namespace",
	 "bridges: {l: {subnet: 10.0.0.0/24, gateway: edgy}}\n"
	 "namespaces: {edge: {interfaces: {e: l}}}\n",
	 "1:45: no namespace 'edgy', the gateway of bridge 'l' (did you mean 'edge'?)\n"},
	{"not on the bridge",
	 "bridges: {l: {subnet: 10.0.0.0/24, gateway: a}}\n"
	 "namespaces: {a: {}}\n",
	 "1:45: namespace 'a', the gateway of bridge 'l', has no interface on it\n"},
	{"the host", "bridges: {l: {subnet: 10.0.0.0/24, gateway: host}}\n",
	 "1:45: this machine is the gateway of bridge 'l' when it joins it (write host: true)\n"},
	{"forward false",
	 "bridges: {l: {subnet: 10.0.0.0/24, gateway: a}}\n"
	 "namespaces: {a: {forward: false, interfaces: {e: l}}}\n",
	 "2:18: namespace 'a' is the gateway of bridge 'l' (line 1) and must forward\n"},
	{"not reachable",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: default, via: 10.1.0.1}]}}\n",
	 "2:66: gateway 10.1.0.1 is in no subnet of an interface of namespace 'a'\n"},
	{"its own address",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: 192.0.2.0/24, via: 10.0.0.1}]}}\n",
	 "2:71: gateway 10.0.0.1 is an address of namespace 'a' itself\n"},
	{"through another interface",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l, f: {}}, routes: [{to: default, via: 10.0.0.9, dev: f}]}}\n"
	 "links: [[a:f, b:f]]\n",
	 "2:73: gateway 10.0.0.9 is not reachable through 'f' but through 'e'\n"},
	{"no such device",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: 192.0.2.0/24, dev: f}]}}\n",
	 "2:47: namespace 'a' has no interface 'f'\n"},
	{"down",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, up: false}}, routes: [{to: default, via: 10.0.0.9}]}}\n",
	 "2:87: gateway 10.0.0.9 is not reachable: interface 'e' of namespace 'a' is not up\n"},
	{"link-local",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: \"::/0\", via: \"fe80::1\"}]}}\n",
	 "2:65: gateway fe80::1 is a link-local address and needs 'dev' (write its interface: dev: eth0)\n"},
	{"families",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: 10.9.0.0/16, via: \"fd00::1\"}]}}\n",
	 "2:70: an IPv4 route cannot go through an IPv6 gateway\n"},
	{"no to",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{via: 10.0.0.9}]}}\n",
	 "2:47: a route of namespace 'a' has no 'to'\n"},
	{"no via, no dev",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: default}]}}\n",
	 "2:47: a route of namespace 'a' has neither 'via' nor 'dev'\n"},
	{"blackhole",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: 10.9.0.0/16, type: blackhole, dev: e}]}}\n",
	 "2:47: a route of namespace 'a' goes nowhere and takes no 'via', 'dev' or 'src'\n"},
	{"type",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: default, type: blackhol}]}}\n",
	 "2:67: 'type' of a route of namespace 'a' must be unicast, blackhole, unreachable or prohibit, not 'blackhol' "
	 "(did you mean 'blackhole'?)\n"},
	{"bits",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: 10.9.0.1/16, via: 10.0.0.9}]}}\n",
	 "2:52: 'to' of a route of namespace 'a' has bits set beyond its length (did you mean 10.9.0.0/16?)\n"},
	{"twice",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: 10.9.0.0/16, via: 10.0.0.9}, {to: 10.9.0.0/16, via: "
	 "10.0.0.8}]}}\n",
	 "2:81: a second route to 10.9.0.0/16 in namespace 'a', first in line 2 (several gateways are written as one "
	 "route with a list: via: [A, B])\n"},
	{"source",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: 10.9.0.0/16, via: 10.0.0.9, src: 10.0.0.7}]}}\n",
	 "2:85: source 10.0.0.7 is no address of namespace 'a'\n"},
	{"one dev, several via",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: 10.9.0.0/16, via: [10.0.0.9, 10.0.0.8], dev: e}]}}\n",
	 "2:47: a route of namespace 'a' has one 'dev' for several 'via' (write {via: ADDRESS, dev: INTERFACE} for "
	 "each)\n"},
	{"metric and table",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [{to: 10.9.0.0/16, via: 10.0.0.9, metric: x, table: 0}]}}\n",
	 "2:88: 'metric' of a route of namespace 'a' must be a number from 0 to 4294967295, not 'x'\n"
	 "2:98: 'table' of a route of namespace 'a' must be main, local, default, or a number from 1 to 4294967295, "
	 "not '0'\n"},
};

static const struct row links_rows[] = {
	{"itself", "links: [[a:e, a:e]]\n", "1:15: a link from a:e to itself\n"},
	{"no end", "links: [[a:e, b]]\n",
	 "1:15: 'b' is no end of a link (an end is written NAMESPACE:INTERFACE, for example [r1:eth0, r2:eth0])\n"},
	{"one end", "links: [[a:e]]\n",
	 "1:9: a link has two ends, not 1 (an end is written NAMESPACE:INTERFACE, for example [r1:eth0, r2:eth0])\n"},
	{"no ends", "links: [{mtu: 1400}]\n",
	 "1:9: a link without 'ends' (an end is written NAMESPACE:INTERFACE, for example [r1:eth0, r2:eth0])\n"},
	{"two on one", "links: [[a:e, b:e], [c:e, b:e]]\n", "1:27: b:e is the end of another link already (line 1)\n"},
	{"an interface on a bridge",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}}}\n"
	 "links: [[a:e, b:e]]\n",
	 "3:10: a:e is plugged into bridge 'l' (line 2) and cannot be the end of a link too\n"},
	{"a bridge",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "links: [[l:e, b:e]]\n",
	 "2:10: 'l' is a bridge; a link joins interfaces of namespaces (plug an interface in with {eth0: BRIDGE} under "
	 "'interfaces')\n"},
	{"one address", "links: [{ends: [a:e, b:e], addresses: [10.0.0.1/24]}]\n",
	 "1:39: 'addresses' of a link must be a list of two, one for each end (as in [10.9.0.1/30, none])\n"},
	{"addresses twice",
	 "namespaces: {a: {interfaces: {e: {address: 10.0.0.1/24}}}}\n"
	 "links: [{ends: [a:e, b:e], addresses: [10.0.0.2/24, none]}]\n",
	 "2:40: a:e has its addresses under 'interfaces' already (line 1)\n"},
	{"lo", "links: [[a:lo, b:e]]\n",
	 "1:10: every namespace has its 'lo' already (its addresses stand under the namespace's key 'lo')\n"},
};

static const struct row values_rows[] = {
	{"bool",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, forward: yes}}\n",
	 "2:47: 'forward' of namespace 'a' must be true or false, not 'yes' (did you mean 'true'?)\n"},
	{"bool of a list",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, forward: []}}\n",
	 "2:47: 'forward' of namespace 'a' must be true or false, not a list\n"},
	{"mac",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, mac: xx}}}}\n",
	 "2:51: 'mac' of interface 'e' of namespace 'a' is no MAC address: 'xx' (a MAC address is written "
	 "\"02:00:00:00:03:0a\")\n"},
	{"multicast mac",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, mac: \"01:00:00:00:00:00\"}}}}\n",
	 "2:51: 'mac' of interface 'e' of namespace 'a' cannot be an interface's: '01:00:00:00:00:00' is a multicast "
	 "address\n"},
	{"no mac",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, mac: \"00:00:00:00:00:00\"}}}}\n",
	 "2:51: 'mac' of interface 'e' of namespace 'a' cannot be an interface's: '00:00:00:00:00:00' is all zero\n"},
	{"options",
	 "bridges: {l: {options: {stp: 1, forward_delay: 1, ageing: -1, group_fwd_mask: 7, mcast_snooping: maybe}}}\n",
	 "1:30: 'stp' of options of bridge 'l' must be true or false, not '1' (did you mean 'true'?)\n"
	 "1:48: 'forward_delay' of options of bridge 'l' must be 0, or from 2 to 30 seconds\n"
	 "1:59: 'ageing' of options of bridge 'l' must be a number of seconds from 0 to 86400, not '-1'\n"
	 "1:79: 'group_fwd_mask' of options of bridge 'l' cannot have bits 0, 1 or 2: the kernel never forwards these "
	 "groups\n"
	 "1:98: 'mcast_snooping' of options of bridge 'l' must be true or false, not 'maybe'\n"},
	{"stp without delay", "bridges: {l: {options: {stp: true, forward_delay: 0}}}\n",
	 "1:15: forward_delay 0 of bridge 'l' is possible only without stp\n"},
	{"sysctls",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, sysctl: {kernel.x: 1, net.ipv4.ip_forward: x, "
	 "net.ipv4.conf.f.rp_filter: 1}}}\n",
	 "2:47: 'kernel.x' is no sysctl of namespace 'a': only those that begin with 'net.' are its own\n"
	 "2:60: sysctl 'net.ipv4.ip_forward' must be a number, not 'x'\n"
	 "2:84: sysctl 'net.ipv4.conf.f.rp_filter': namespace 'a' has no interface 'f'\n"},
	{"sysctl of an interface",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: {bridge: l, sysctl: {rp_filter: 1, ipv4.: 1, ipv4.a.b: 2}}}}}\n",
	 "2:55: 'rp_filter' is no sysctl of interface 'e' of namespace 'a': those of an interface begin with 'net.', "
	 "'ipv4.' or 'ipv6.'\n"
	 "2:69: 'ipv4.' is no sysctl of interface 'e' of namespace 'a'\n"
	 "2:79: 'ipv4.a.b' is no sysctl of interface 'e' of namespace 'a'\n"},
	{"rules",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, rules: [{from: 10.0.0.0/8}, {from: 10.0.0.1/8, table: 5}, {from: "
	 "10.0.0.0/8, to: \"fd00::/8\", table: 5}, {mark: x, table: 5}]}}\n",
	 "2:46: a rule of namespace 'a' has no 'table'\n"
	 "2:73: 'from' of a rule of namespace 'a' has bits set beyond its length (did you mean 10.0.0.0/8?)\n"
	 "2:119: 'from' and 'to' of one rule are of different families\n"
	 "2:149: 'mark' of a rule of namespace 'a' must be a number from 0 to 4294967295, not 'x'\n"},
	{"neighbours",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, neighbours: [{address: 10.0.0.9}, {address: 10.1.0.9, mac: "
	 "\"02:00:00:00:00:01\"}, {address: 10.0.0.9, mac: \"02:00:00:00:00:01\", dev: f}]}}\n",
	 "2:51: a neighbour of namespace 'a' needs 'address' and 'mac' (as in {address: 10.2.0.9, mac: "
	 "\"02:00:00:00:00:09\"})\n"
	 "2:72: neighbour 10.1.0.9 is in no subnet of an interface of namespace 'a' (write its interface: dev: eth0)\n"
	 "2:119: namespace 'a' has no interface 'f'\n"},
	{"dns and hosts",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, dns: {servers: [x, 9.9.9.9/32], search: [\"a b\"]}, hosts: {x: y, \"a "
	 "b\": 1.1.1.1}}}\n",
	 "2:54: 'servers' of dns of namespace 'a' is no IP address: 'x'\n"
	 "2:57: 'servers' of dns of namespace 'a' must be addresses without a length\n"
	 "2:79: 'a b' is no host name\n"
	 "2:99: 'x' of namespace 'a' is no IP address: 'y'\n"
	 "2:102: 'a b' is no host name\n"},
	{"a list of texts",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces: {a: {interfaces: {e: l}, routes: [x]}}\n",
	 "2:47: 'routes' of namespace 'a' must be a list of mappings, not of text\n"},
	{"ports",
	 "bridges: {l: {subnet: 10.0.0.0/8}}\n"
	 "namespaces: {\"a[1-1025]\": {interfaces: {e: l}}}\n",
	 "2:44: bridge 'l' has more than 1023 ports, which is all that the kernel allows (spread the interfaces over "
	 "several bridges)\n"},
};

static void run_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
		WR_CLEANUP_TEXT struct wr_text said = {0}, printed = {0};
		struct wr_diagnostics diagnostics = {.arena = arena, .source = "net.yaml"};

		assert_null(read_file_into(&diagnostics, rows[i].text, strlen(rows[i].text), NULL, &printed));
		describe(&diagnostics, &said);
		if (strcmp(wr_text_string(&said), rows[i].said) != 0)
			fail_msg("%s:\n%s\nsaid:\n%sand not:\n%s", rows[i].what, rows[i].text, wr_text_string(&said),
				 rows[i].said);
	}
}

#define TEST_OF(name)                                                                                                  \
	static void test_##name(void **state)                                                                          \
	{                                                                                                              \
		(void)state;                                                                                           \
		run_rows(name##_rows, sizeof name##_rows / sizeof name##_rows[0]);                                     \
	}

TEST_OF(structure)
TEST_OF(names)
TEST_OF(ranges)
TEST_OF(addresses)
TEST_OF(references)
TEST_OF(gateways)
TEST_OF(links)
TEST_OF(values)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structure), cmocka_unit_test(test_names),	     cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_references), cmocka_unit_test(test_gateways),
		cmocka_unit_test(test_links),	  cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
