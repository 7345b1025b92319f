/* What the network file says of traffic: each mistake with its place inside the phrase, and what a good file comes to. */
#include <linux/rtnetlink.h>

#include "netfile.h"

struct row {
	const char *what, *text, *said;
};

/* A bridge and a namespace on it; what follows stands in column 26 of line 3. */
#define WEB                                                                                                            \
	"bridges: {lan: {subnet: [10.2.0.0/24, \"fd00:2::/64\"], host: true}}\nnamespaces:\n  web: {interfaces: {e: "  \
	"lan}, "
/* What follows stands in column 17 of line 6. */
#define INPUT                                                                                                          \
	"bridges: {lan: {subnet: 10.2.0.0/24}, six: {subnet: \"fd00:6::/64\"}, bare: {}}\n"                            \
	"namespaces:\n  web:\n    interfaces: {e: lan}\n    firewall:\n      input: {"

static const struct row phrase_rows[] = {
	{"empty", INPUT "policy: drop, accept: [\"\"]}\n",
	 "6:38: an empty phrase in 'accept' of input of firewall of namespace 'web' (a phrase is 'tcp|udp|sctp "
	 "PORT...', 'icmp' or 'any', then 'from WHO...' and 'to WHO...')\n"},
	{"blank", INPUT "policy: drop, accept: \"  \"}\n",
	 "6:37: an empty phrase in 'accept' of input of firewall of namespace 'web' (a phrase is 'tcp|udp|sctp "
	 "PORT...', 'icmp' or 'any', then 'from WHO...' and 'to WHO...')\n"},
	{"port 0", INPUT "policy: drop, accept: [tcp 80 0]}\n", "6:45: port 0 is not from 1 to 65535\n"},
	{"port 65536", INPUT "policy: drop, accept: [tcp 80, udp 1-65536]}\n",
	 "6:52: port 65536 is not from 1 to 65535\n"},
	{"in quotes", INPUT "policy: drop, accept: [\"tcp 80 0\"]}\n", "6:46: port 0 is not from 1 to 65535\n"},
	{"in single quotes", INPUT "policy: drop, accept: ['tcp   80 0']}\n", "6:48: port 0 is not from 1 to 65535\n"},
	{"behind an escape", INPUT "policy: drop, accept: [\"tcp\\x2080 0\"]}\n",
	 "6:38: port 0 is not from 1 to 65535\n"},
	{"behind a quote", INPUT "policy: drop, accept: ['any from ''a''']}\n",
	 "6:38: ''a'' is no address, no prefix, and no name of a namespace or bridge\n"},
	{"folded",
	 INPUT "policy: drop, accept: [tcp\n"
	       "        80 0]}\n",
	 "6:38: port 0 is not from 1 to 65535\n"},
	{"behind letters of more bytes", INPUT "policy: drop, accept: [any from ü]}\n",
	 "6:47: 'ü' is no address, no prefix, and no name of a namespace or bridge\n"},
	{"folded block",
	 "namespaces:\n  web:\n    firewall:\n      output:\n        policy: drop\n        accept:\n          - >\n"
	 "            tcp 0\n",
	 "7:13: port 0 is not from 1 to 65535\n"},
	{"block list",
	 "namespaces:\n  web:\n    firewall:\n      output:\n        policy: drop\n        accept:\n"
	 "          - tcp 80 443\n          - udp 53 x\n",
	 "8:20: 'x' is no port, and neither 'from' nor 'to'\n"},
	{"reversed", INPUT "policy: drop, accept: [tcp 90-80]}\n",
	 "6:42: the range of ports '90-80' ends before it begins (did you mean '80-90'?)\n"},
	{"half a range", INPUT "policy: drop, accept: [tcp 90-]}\n", "6:45: the port is missing\n"},
	{"three of a range", INPUT "policy: drop, accept: [tcp 1-2-3]}\n", "6:44: port '2-3' is not a number\n"},
	{"leading zero", INPUT "policy: drop, accept: [tcp 080]}\n", "6:42: port '080' is not a number\n"},
	{"icmp with a port", INPUT "policy: drop, accept: [icmp 80]}\n", "6:43: 'icmp' has no ports\n"},
	{"any with a port", INPUT "policy: drop, accept: [any 80]}\n",
	 "6:42: 'any' is every protocol and has no ports (did you mean 'tcp 80' or 'udp 80'?)\n"},
	{"a comma", INPUT "policy: drop, accept: [\"tcp 80,443\"]}\n",
	 "6:43: '80,443' is no port (leave the comma out: ports stand with spaces between)\n"},
	{"an item for each port", INPUT "policy: drop, accept: [tcp 80, 443]}\n",
	 "6:46: a phrase begins with its protocol, not with '443' (several ports stand in one phrase with spaces "
	 "between: tcp 80 443)\n"},
	{"unknown protocol", INPUT "policy: drop, accept: [tpc 80, icmpv6, all, from lan]}\n",
	 "6:38: a phrase begins with its protocol, not with 'tpc' (did you mean 'tcp'?)\n"
	 "6:46: a phrase begins with its protocol, not with 'icmpv6' ('icmp' is that of IPv4 and of IPv6)\n"
	 "6:54: a phrase begins with its protocol, not with 'all' (did you mean 'any'?)\n"
	 "6:59: a phrase begins with its protocol, not with 'from' (a phrase is 'tcp|udp|sctp PORT...', 'icmp' or "
	 "'any', then 'from WHO...' and 'to WHO...')\n"},
	{"two protocols", INPUT "policy: drop, accept: [tcp 80 udp 53]}\n",
	 "6:45: a second protocol, 'udp' (write a phrase for each)\n"},
	{"a name for a port", INPUT "policy: drop, accept: [tcp http, tcp 80 form lan, icmp form lan]}\n",
	 "6:42: 'http' is no port, and neither 'from' nor 'to'\n"
	 "6:55: 'form' is no port, and neither 'from' nor 'to' (did you mean 'from'?)\n"
	 "6:70: 'form' is neither 'from' nor 'to' (did you mean 'from'?)\n"},
	{"nobody", INPUT "policy: drop, accept: [tcp from, tcp from to lan, any to]}\n",
	 "6:42: nobody stands behind 'from'\n"
	 "6:52: nobody stands behind 'from'\n"
	 "6:69: nobody stands behind 'to'\n"},
	{"twice from", INPUT "policy: drop, accept: [any from lan to web from web]}\n",
	 "6:58: 'from' is there twice (several stand behind one: from 10.0.0.1 10.0.0.2)\n"},
	{"no address", INPUT "policy: drop, accept: [any from 10.0.0.300, \"any from a,b\", any to 10.2.0.7/24]}\n",
	 "6:47: '10.0.0.300' is no address, no prefix, and no name of a namespace or bridge\n"
	 "6:69: 'a,b' is no address, no prefix, and no name of a namespace or bridge (leave the comma out: several "
	 "stand with spaces between)\n"
	 "6:82: '10.2.0.7/24' has bits set beyond its length (did you mean 10.2.0.0/24?)\n"},
	{"unknown names",
	 INPUT "policy: drop, accept: [tcp 22 from lam, tcp 22 from web to lan wep, udp to nowhere]}\n",
	 "6:50: no namespace and no bridge is called 'lam' (did you mean 'lan'?)\n"
	 "6:78: no namespace and no bridge is called 'wep' (did you mean 'web'?)\n"
	 "6:90: no namespace and no bridge is called 'nowhere'\n"},
	{"nobody is there", INPUT "policy: drop, accept: [tcp 22 from host, any to bare]}\n",
	 "6:50: 'host' has no address that a phrase could mean\n"
	 "6:63: 'bare' has no address that a phrase could mean\n"},
	{"mixed families",
	 INPUT "policy: drop, accept: [any from 10.0.0.0/8 to fd00::1, any from 10.0.0.1 to fd00::1, any from lan "
	       "to six, icmp from 10.0.0.1 fd00::1 to web]}\n",
	 "6:47: families are mixed: 10.0.0.0/8 is IPv4, and nothing behind 'to' is\n"
	 "6:79: families are mixed: 10.0.0.1 is IPv4, and nothing behind 'to' is\n"
	 "6:116: families are mixed: nothing behind 'from' and 'to' is of one family\n"
	 "6:140: families are mixed: fd00::1 is IPv6, and nothing behind 'to' is\n"},
	{"policy", INPUT "policy: reject}\n      output: {policy: drip}\n",
	 "6:23: 'policy' of input of firewall of namespace 'web' must be drop or accept, not 'reject' (did you mean "
	 "'drop'?)\n"
	 "7:24: 'policy' of output of firewall of namespace 'web' must be drop or accept, not 'drip' (did you mean "
	 "'drop'?)\n"},
	{"accept without a policy", INPUT "accept: [tcp 80]}\n",
	 "6:15: 'accept' of input of firewall of namespace 'web' needs a policy for all else (write policy: drop, or "
	 "policy: accept)\n"},
	{"forward of who does not", INPUT "}\n      forward: {policy: drop}\n",
	 "7:7: namespace 'web' does not forward: nothing would pass this (write forward: true, or leave it out)\n"},
	{"types", INPUT "policy: [drop], accept: {tcp: 80}, deny: [[tcp 80], {udp: 53}], log: yes}\n",
	 "6:23: 'policy' of input of firewall of namespace 'web' must be a text, not a list\n"
	 "6:39: 'accept' of input of firewall of namespace 'web' must be a list of phrases, not a mapping (for "
	 "example [tcp 80 443, udp 53, icmp])\n"
	 "6:57: 'deny' of input of firewall of namespace 'web' must be a text, not a list\n"
	 "6:67: 'deny' of input of firewall of namespace 'web' must be a text, not a mapping\n"
	 "6:84: 'log' of input of firewall of namespace 'web' must be true or false, not 'yes' (did you mean "
	 "'true'?)\n"},
	{"unknown hook", "namespaces: {a: {firewall: {inputs: {}, input: {polcy: drop}}}}\n",
	 "1:29: unknown key 'inputs' in firewall of namespace 'a' (did you mean 'input'?)\n"
	 "1:49: unknown key 'polcy' in input of firewall of namespace 'a' (did you mean 'policy'?)\n"},
	{"in a range", "namespaces: {\"a[1-3]\": {firewall: {input: {deny: [\"tcp $n 0\"]}}}}\n",
	 "1:51: port 0 is not from 1 to 65535\n"},
	{"before what a range puts in", "namespaces: {\"a[1-3]\": {firewall: {input: {deny: [\"tcp 0 $n\"]}}}}\n",
	 "1:56: port 0 is not from 1 to 65535\n"},
};

static const struct row publish_rows[] = {
	{"port 0", WEB "publish: \"0:80\"}\n", "3:41: host port 0 is not from 1 to 65535\n"},
	{"port 65536", WEB "publish: [\"80:65536\"]}\n", "3:45: port inside 65536 is not from 1 to 65535\n"},
	{"plain", WEB "publish: [80:0]}\n", "3:44: port inside 0 is not from 1 to 65535\n"},
	{"no numbers", WEB "publish: [\"http:80\", \"80:http\", \":80\", \"80:\", \"-1:80\"]}\n",
	 "3:42: host port 'http' is not a number\n"
	 "3:56: port inside 'http' is not a number\n"
	 "3:64: the host port is missing\n"
	 "3:74: the port inside is missing\n"
	 "3:78: a range of ports cannot be published: '-1:80' (publish each by itself)\n"},
	{"one port", WEB "publish: [8080, \"\", \"[::1]\", \"[::1]:80\", {8080: 80}]}\n",
	 "3:41: '8080' does not name a port of the host and a port inside (a port is published as \"8080:80\", "
	 "\"127.0.0.1:5353:53/udp\" or \"8080:80@eth0\")\n"
	 "3:48: '' does not name a port of the host and a port inside (a port is published as \"8080:80\", "
	 "\"127.0.0.1:5353:53/udp\" or \"8080:80@eth0\")\n"
	 "3:52: '[::1]' does not name a port of the host and a port inside (a port is published as \"8080:80\", "
	 "\"127.0.0.1:5353:53/udp\" or \"8080:80@eth0\")\n"
	 "3:61: '[::1]:80' does not name a port of the host and a port inside (a port is published as \"8080:80\", "
	 "\"127.0.0.1:5353:53/udp\" or \"8080:80@eth0\")\n"
	 "3:72: 'publish' of namespace 'web' must be a text, not a mapping (a port is published as \"8080:80\", "
	 "\"127.0.0.1:5353:53/udp\" or \"8080:80@eth0\")\n"},
	{"unknown protocol", WEB "publish: [\"80:80/tpc\", \"80:80/sctp\", \"80:80/\"]}\n",
	 "3:48: 'tpc' cannot be published: only tcp and udp can\n"
	 "3:61: 'sctp' cannot be published: only tcp and udp can\n"
	 "3:75: '' cannot be published: only tcp and udp can\n"},
	{"addresses",
	 WEB "publish: [\"10.0.0.300:80:80\", \"::1:81:80\", \"0.0.0.0:82:80\", \"[::]:83:80\", \"224.0.0.1:84:80\", "
	     "\"10.0.0.1/24:85:80\"]}\n",
	 "3:42: '10.0.0.300' is no address of the host (a port is published as \"8080:80\", \"127.0.0.1:5353:53/udp\" "
	 "or \"8080:80@eth0\")\n"
	 "3:62: '::1' is no address of the host (an IPv6 address stands in brackets: \"[::1]:8080:80\")\n"
	 "3:75: nothing can be published at '0.0.0.0' (leave it out: a port without an address is published at all "
	 "of them)\n"
	 "3:93: nothing can be published at '::' (leave it out: a port without an address is published at all of "
	 "them)\n"
	 "3:106: nothing can be published at '224.0.0.1'\n"
	 "3:134: '24:85:80' cannot be published: only tcp and udp can\n"},
	{"interfaces", WEB "publish: [\"80:80@\", \"81:80@eth0/udp\", \"127.0.0.1:82:80@eth0\"]}\n",
	 "3:48: '' is no interface of the host\n"
	 "3:58: 'eth0/udp' is no interface of the host (the protocol stands before it: 8080:80/udp@eth0)\n"
	 "3:70: '127.0.0.1:82:80@eth0' has an address and an interface of the host: only one of them can be\n"},
	{"ranges", WEB "publish: \"8000-8010:80-90\"}\n",
	 "3:41: a range of ports cannot be published: '8000-8010:80-90' (publish each by itself)\n"},
	{"twice",
	 WEB "publish: [\"80:80\", \"80:81/udp\", \"80:82\", \"127.0.0.1:80:83\", \"80:84@eth0\"]}\n"
	     "  db: {interfaces: {e: lan}, publish: [\"[::1]:80:5\", \"80:6/udp\", \"[::1]:99:1\", \"192.0.2.1:99:2\", "
	     "\"99:3@a\", \"98:1@a\", \"98:2@b\", \"98:3@a\"]}\n",
	 "3:64: tcp port 80 of the host is published already (line 3, column 42)\n"
	 "3:83: tcp port 80 of the host is published already (line 3, column 42)\n"
	 "3:92: tcp port 80 of the host is published already (line 3, column 42)\n"
	 "4:47: tcp port 80 of the host is published already (line 3, column 42)\n"
	 "4:55: udp port 80 of the host is published already (line 3, column 51)\n"
	 "4:99: tcp port 99 of the host is published already (line 4, column 91)\n"
	 "4:129: tcp port 98 of the host is published already (line 4, column 109)\n"},
	{"at loopback and from one interface",
	 WEB "publish: [\"127.0.0.1:80:80\", \"80:80@eth0\", \"80:80@eth0\", \"80:81\"]}\n",
	 "3:75: tcp port 80 of the host is published already (line 3, column 61)\n"
	 "3:89: tcp port 80 of the host is published already (line 3, column 61)\n"},
	{"in a range",
	 "bridges: {lan: {subnet: 10.2.0.0/24, host: true}}\n"
	 "namespaces: {\"w[1-3]\": {interfaces: {e: lan}, publish: \"$(n+79):80\"}, "
	 "\"x[1-3]\": {interfaces: {e: lan}, publish: \"99:80\"}}\n",
	 "2:114: tcp port 99 of the host is published more than once here (in a range each needs its own: "
	 "\"$(n+8000):80\")\n"},
	{"nobody joins",
	 "bridges: {lan: {subnet: 10.2.0.0/24}, far: {host: true}}\n"
	 "namespaces:\n"
	 "  a: {interfaces: {e: lan}, publish: \"80:80\"}\n"
	 "  b: {publish: \"81:80\"}\n"
	 "  c: {interfaces: {e: {bridge: far, address: 10.9.0.1/24}}, publish: [\"82:80\"]}\n",
	 "3:39: namespace 'a' publishes a port, and has no interface on a bridge that the host joins (write host: true "
	 "at a bridge that it is on)\n"
	 "4:17: namespace 'b' publishes a port, and has no interface on a bridge that the host joins (write host: true "
	 "at a bridge that it is on)\n"
	 "5:72: namespace 'c' publishes a port, and has no address that the host reaches\n"},
	{"no such family",
	 "bridges: {lan: {subnet: 10.2.0.0/24, host: true}}\n"
	 "namespaces: {a: {interfaces: {e: lan}, publish: [\"80:80\", \"[::1]:81:80\"]}}\n",
	 "2:61: published at ::1: namespace 'a' has no IPv6 address that the host reaches\n"},
};

static const struct row nat_rows[] = {
	{"without host",
	 "bridges:\n"
	 "  a: {subnet: 10.0.0.0/24, nat: true}\n"
	 "  b: {subnet: 10.1.0.0/24, isolated: true, routed: true, guard: true}\n"
	 "  c: {subnet: 10.2.0.0/24, nat: false, isolated: false, routed: false}\n",
	 "2:28: 'nat' of bridge 'a': the host does not join it (write host: true, or nat: {out: INTERFACE} at the "
	 "namespace that is its gateway)\n"
	 "3:28: 'isolated' of bridge 'b': the host does not join it (what is on it reaches others only through a "
	 "namespace that forwards)\n"
	 "3:44: 'routed' of bridge 'b': the host does not join it (write host: true)\n"},
	{"of a bridge",
	 "bridges:\n"
	 "  a: {host: true, nat: yes}\n"
	 "  b: {host: true, nat: [eth0]}\n"
	 "  c: {host: true, nat: {oot: eth0}}\n"
	 "  d: {host: true, nat: {out: \"a/b\", address: [10.0.0.1, 10.0.0.2, 127.0.0.1, 10.0.0.3/24]}}\n"
	 "  e: {host: true, routed: 1, isolated: x, guard: [y]}\n",
	 "2:24: 'nat' of bridge 'a' must be true or false, not 'yes' (did you mean 'true'?)\n"
	 "3:24: 'nat' of bridge 'b' must be true, false or a mapping, not a list (for example nat: {out: eth0})\n"
	 "4:25: unknown key 'oot' in nat of bridge 'c' (did you mean 'out'?)\n"
	 "5:30: 'out' of nat of bridge 'd' is no interface name: 'a/b'\n"
	 "5:57: 'address' of nat of bridge 'd' has a second IPv4 address: one of each family can be\n"
	 "5:67: nothing can leave with address 127.0.0.1\n"
	 "5:78: 'address' of nat of bridge 'd' must be an address without a length\n"
	 "6:27: 'routed' of bridge 'e' must be true or false, not '1' (did you mean 'true'?)\n"
	 "6:40: 'isolated' of bridge 'e' must be true or false, not 'x'\n"
	 "6:50: 'guard' of bridge 'e' must be true or false, not a list\n"},
	{"of a namespace",
	 "bridges: {l: {subnet: 10.0.0.0/24}}\n"
	 "namespaces:\n"
	 "  a: {forward: true, interfaces: {eth0: l}, nat: true}\n"
	 "  b: {forward: true, interfaces: {eth0: l}, nat: {out: eht0}}\n"
	 "  c: {interfaces: {eth0: l}, nat: {out: eth0}}\n"
	 "  d: {forward: true, interfaces: {eth0: l}, nat: {address: 10.0.0.9}}\n"
	 "  e: {forward: true, interfaces: {eth0: l}, nat: {out: lo}}\n",
	 "3:50: 'nat' of namespace 'a' must name the interface that is the way out (for example nat: {out: eth0})\n"
	 "4:56: namespace 'b' has no interface 'eht0' to be the way out (did you mean 'eth0'?)\n"
	 "5:30: namespace 'c' does not forward: there is nothing to translate (write forward: true)\n"
	 "6:50: 'nat' of namespace 'd' must name the interface that is the way out (for example nat: {out: eth0})\n"
	 "7:56: namespace 'e' has no interface 'lo' to be the way out\n"},
	{"isolated without a bridge",
	 "namespaces: {a: {interfaces: {e: {isolated: true}, f: {isolated: no}}}}\nlinks: [[a:e, b:e], [a:f, b:f]]\n",
	 "1:35: 'isolated' of interface 'e' of namespace 'a': it is not plugged into a bridge (write its bridge: "
	 "{bridge: NAME, isolated: true})\n"
	 "1:66: 'isolated' of interface 'f' of namespace 'a' must be true or false, not 'no' (did you mean "
	 "'false'?)\n"},
	{"one mistake is said once",
	 "bridges: {lan: {subnet: 10.2.0.0/24, host: true}}\n"
	 "namespaces:\n"
	 "  a: {forward: true, interfaces: {e: lam}, publish: \"80:80\", nat: {out: f}, firewall: {input: {policy: "
	 "drop, accept: any from a}}}\n",
	 "3:38: no bridge 'lam' for interface 'e' of namespace 'a' (did you mean 'lan'?)\n"},
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

TEST_OF(phrase)
TEST_OF(publish)
TEST_OF(nat)

/* --- what a good file comes to ------------------------------------------------------------------------------------- */

static void add_prefixes(struct wr_text *text, const struct wr_prefix *prefixes, size_t count)
{
	char buffer[WR_PREFIX_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		wr_text_addf(text, i ? " %s" : "%s", wr_prefix_format(&prefixes[i], buffer));
}

/* "PHRASE [FROM] [TO]" for each. */
static void assert_phrases(const struct wr_firewall *firewall, const char *wanted)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};

	for (size_t i = 0; i < firewall->n_phrases; i++) {
		const struct wr_phrase *phrase = &firewall->phrases[i];

		wr_text_addf(&text, "%s %s [", phrase->deny ? "deny" : "accept", phrase->text);
		add_prefixes(&text, phrase->from_prefixes, phrase->n_from_prefixes);
		wr_text_add(&text, "] [");
		add_prefixes(&text, phrase->to_prefixes, phrase->n_to_prefixes);
		wr_text_add(&text, "]\n");
	}
	assert_string_equal(wr_text_string(&text), wanted);
}

static void test_phrases(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	const struct wr_model *model = read_good(
		arena, "bridges:\n"
		       "  lan: {subnet: [10.2.0.0/24, \"fd00:2::/64\"], host: true}\n"
		       "  bare: {}\n"
		       "namespaces:\n"
		       "  web:\n"
		       "    interfaces: {e: lan}\n"
		       "    firewall:\n"
		       "      input:\n"
		       "        policy: drop\n"
		       "        log: true\n"
		       "        accept:\n"
		       "          - tcp 443 80 8000-8100 8101 8050-8060 80\n"
		       "          - icmp\n"
		       "          - any to web from lan\n"
		       "          - \"  udp   53 from 10.9.0.0/16 10.9.3.0/24 10.8.0.1 fd00:9::1 10.9.0.0/16 db\"\n"
		       "          - sctp from bare host\n"
		       "          - any from 0.0.0.0/0\n"
		       "        deny: tcp 22 from db\n"
		       "  db: {lo: {address: [192.0.2.1, 127.0.0.9]}, interfaces: {a: {bridge: bare, address: "
		       "10.7.0.1/24}, b: lan}}\n"
		       "links: [{ends: [host:h0, web:x], addresses: [10.1.0.1/30, 10.1.0.2/30]}]\n");
	const struct wr_ns *web = get_ns(model, "web");
	const struct wr_firewall *input = &web->firewall[WR_FIREWALL_INPUT];

	assert_true(input->on && input->drop && input->log);
	assert_false(web->firewall[WR_FIREWALL_OUTPUT].on || web->firewall[WR_FIREWALL_FORWARD].on);
	assert_null(get_ns(model, "db")->firewall);
	assert_int_equal(input->phrases[0].place.line, 18);
	assert_int_equal(input->phrases[0].place.column, 15);
	assert_int_equal(input->phrases[0].from[0].place.column, 27);
	assert_int_equal(input->phrases[1].protocol, IPPROTO_TCP);
	assert_int_equal(input->phrases[1].n_ports, 3);
	assert_int_equal(input->phrases[1].ports[2].last, 8101);
	assert_int_equal(input->phrases[2].protocol, IPPROTO_ICMP);
	assert_int_equal(input->phrases[5].protocol, IPPROTO_SCTP);
	assert_int_equal(input->phrases[6].protocol, 0);
	assert_phrases(input,
		       "deny tcp 22 from db [10.2.0.3/32 10.7.0.1/32 192.0.2.1/32 fd00:2::3/128] []\n"
		       "accept tcp 80 443 8000-8101 [] []\n"
		       "accept icmp [] []\n"
		       "accept any from lan to web [10.2.0.0/24 fd00:2::/64] [10.1.0.2/32 10.2.0.2/32 fd00:2::2/128]\n"
		       "accept udp 53 from 10.9.0.0/16 10.9.3.0/24 10.8.0.1 fd00:9::1 10.9.0.0/16 db [10.2.0.3/32 "
		       "10.7.0.1/32 10.8.0.1/32 10.9.0.0/16 192.0.2.1/32 fd00:2::3/128 fd00:9::1/128] []\n"
		       "accept sctp from bare host [10.1.0.1/32 10.2.0.1/32 10.7.0.1/32 fd00:2::1/128] []\n"
		       "accept any from 0.0.0.0/0 [0.0.0.0/0] []\n");
}

/* "PROTOCOL HOST@IN:HOST PORT -> TO4,VIA4 TO6,VIA6:PORT" for each. */
static void assert_publishes(const struct wr_ns *ns, const char *wanted)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};
	char buffer[WR_IP_TEXT_MAX];

	for (size_t i = 0; i < ns->n_publishes; i++) {
		const struct wr_publish *publish = &ns->publishes[i];

		wr_text_addf(&text, "%u %s@%s %u ->", publish->protocol,
			     publish->host.family ? wr_ip_format(&publish->host, buffer) : "",
			     publish->in ? publish->in : "", publish->host_port);
		for (int family = 0; family < 2; family++)
			if (publish->to[family].family)
				wr_text_addf(&text, " %s,%s", wr_ip_format(&publish->to[family], buffer),
					     publish->via[family]->ifname);
		wr_text_addf(&text, " %u\n", publish->port);
	}
	assert_string_equal(wr_text_string(&text), wanted);
}

#define PUBLISHES                                                                                                      \
	"bridges:\n"                                                                                                   \
	"  lan: {subnet: [10.2.0.0/24, \"fd00:2::/64\"], host: true}\n"                                                \
	"  man: {subnet: 10.3.0.0/24, host: true}\n"                                                                   \
	"  dark: {subnet: 10.4.0.0/24}\n"                                                                              \
	"namespaces:\n"                                                                                                \
	"  web:\n"                                                                                                     \
	"    interfaces: {d: dark, e: man, f: lan}\n"                                                                  \
	"    publish:\n"                                                                                               \
	"      - 8080:80\n"                                                                                            \
	"      - \"127.0.0.1:5353:53/udp\"\n"                                                                          \
	"      - \"[::1]:81:82/tcp\"\n"                                                                                \
	"      - 83:84/udp@eth0.100\n"                                                                                 \
	"      - \"192.0.2.9:85:85\"\n"                                                                                \
	"  app[1-2]: {interfaces: {e: man}, publish: \"$(n+9000):80\"}\n"                                              \
	"  six: {interfaces: {e: {bridge: lan, address: [\"fe80::5/64\", \"fd00:2::66\"]}}, publish: \"90:90\"}\n"     \
	"links: [{ends: [host:h0, cab:x], addresses: [10.1.0.1/30, 10.1.0.2/30]}]\n"

static void test_publishes(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	const struct wr_model *model = read_good(arena, PUBLISHES);
	const struct wr_ns *host = wr_model_host(model);

	assert_publishes(get_ns(model, "web"), "6 @ 8080 -> 10.3.0.2,net-man fd00:2::2,net-lan 80\n"
					       "17 127.0.0.1@ 5353 -> 10.3.0.2,net-man 53\n"
					       "6 ::1@ 81 -> fd00:2::2,net-lan 82\n"
					       "17 @eth0.100 83 -> 10.3.0.2,net-man fd00:2::2,net-lan 84\n"
					       "6 192.0.2.9@ 85 -> 10.3.0.2,net-man 85\n");
	assert_publishes(get_ns(model, "app2"), "6 @ 9002 -> 10.3.0.4,net-man 80\n");
	assert_publishes(get_ns(model, "six"), "6 @ 90 -> fd00:2::66,net-lan 90\n");
	/* 127.0.0.1 leaves by man alone, and ::1 comes back by lan alone. */
	assert_int_equal(wr_ns_find_link(host, "net-man")->conf.value[WR_CONF_V4_ROUTE_LOCALNET], 1);
	assert_int_equal(wr_ns_find_link(host, "net-lan")->conf.value[WR_CONF_V4_ROUTE_LOCALNET], 0);
	assert_int_equal(wr_ns_find_link(host, "h0")->conf.value[WR_CONF_V4_ROUTE_LOCALNET], 0);
	assert_int_equal(host->n_routes, 1);
	assert_int_equal(host->routes[0].type, RTN_LOCAL);
	assert_int_equal(host->routes[0].table, RT_TABLE_LOCAL);
	assert_int_equal(host->routes[0].protocol, WR_PROTOCOL);
	assert_int_equal(host->routes[0].to.length, 128);
	assert_true(wr_ip_is_loopback(&host->routes[0].to.ip));
	assert_true(host->routes[0].metric >= 1024);
	assert_int_equal(host->routes[0].n_hops, 1);
	assert_string_equal(host->routes[0].hops[0].dev, "net-lan");
}

/* Several links: a route each, of which the kernel keeps all. */
static void test_loopback_routes(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	const struct wr_model *model = read_good(
		arena,
		"bridges: {\"l[1-2]\": {subnet: \"fd00:$n::/64\", host: true}, l3: {subnet: \"fd00:3::/64\", "
		"host: true}}\n"
		"namespaces: {\"a[1-2]\": {interfaces: {e: \"l$n\"}, publish: [\"$(n+80):80\", \"$(n+90):80\"]}, c: "
		"{interfaces: {e: l3}, publish: [\"[::2]:5:5\", \"6:6@x\"]}}\n"
		"links: [{ends: [host:h0, cab:x], addresses: [\"fd00:9::1/64\", none]}]\n");
	const struct wr_ns *host = wr_model_host(model);

	assert_int_equal(host->n_routes, 2);
	assert_string_equal(host->routes[0].hops[0].dev, "net-l1");
	assert_string_equal(host->routes[1].hops[0].dev, "net-l2");
	assert_false(wr_route_same_key(&host->routes[0], &host->routes[1]));
}

static void test_bridges(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	const struct wr_model *model = read_good(
		arena,
		"bridges:\n"
		"  a: {subnet: 10.0.0.0/24, host: true, nat: true, guard: true}\n"
		"  b: {subnet: 10.1.0.0/24, host: true, nat: {out: eth0, address: [\"2001:db8::9\", 192.0.2.9]}, "
		"isolated: true}\n"
		"  c: {subnet: 10.2.0.0/24, host: true, nat: {}, routed: true}\n"
		"  d: {subnet: 10.3.0.0/24, gateway: r, nat: false}\n"
		"  e: {subnet: 10.4.0.0/24, host: true, nat: null}\n"
		"namespaces:\n"
		"  r: {interfaces: {x: a, y: d}, nat: {out: x, address: 10.0.0.7}, firewall: {forward: {policy: "
		"drop}}}\n"
		"  s: {interfaces: {x: {bridge: d, isolated: true}, y: {bridge: a, isolated: false}}}\n");
	const struct wr_bridge *const *bridges = (const struct wr_bridge *const *)model->bridges;
	const struct wr_nat *nat = get_ns(model, "r")->nat;
	char buffer[WR_IP_TEXT_MAX];

	assert_true(bridges[0]->nat && !bridges[0]->nat->out && bridges[0]->guard);
	assert_false(bridges[0]->isolated || bridges[0]->routed);
	assert_string_equal(bridges[1]->nat->out, "eth0");
	assert_string_equal(wr_ip_format(&bridges[1]->nat->address[0], buffer), "192.0.2.9");
	assert_string_equal(wr_ip_format(&bridges[1]->nat->address[1], buffer), "2001:db8::9");
	assert_true(bridges[1]->isolated && !bridges[1]->guard);
	assert_true(bridges[2]->nat && bridges[2]->routed);
	assert_null(bridges[3]->nat);
	assert_null(bridges[4]->nat);
	assert_string_equal(nat->out, "x");
	assert_string_equal(wr_ip_format(&nat->address[0], buffer), "10.0.0.7");
	assert_int_equal(nat->address[1].family, 0);
	assert_true(get_ns(model, "r")->firewall[WR_FIREWALL_FORWARD].drop);
	assert_true(get_link(model, "s", "x")->isolated && get_link(model, "s", "x")->peer->isolated);
	assert_false(get_link(model, "s", "y")->isolated || get_link(model, "s", "y")->peer->isolated);
}

/* However often a name stands in phrases, its addresses are listed once. */
static void test_shared_names(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	const struct wr_model *model = read_good(
		arena, "bridges: {l: {subnet: 10.0.0.0/16}}\n"
		       "namespaces: {\"a[1-900]\": {interfaces: {e: l}, firewall: {input: {deny: any from l}}}}\n");

	assert_ptr_equal(get_ns(model, "a1")->firewall[0].phrases[0].from_prefixes,
			 get_ns(model, "a900")->firewall[0].phrases[0].from_prefixes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phrase),	  cmocka_unit_test(test_publish),
		cmocka_unit_test(test_nat),	  cmocka_unit_test(test_phrases),
		cmocka_unit_test(test_publishes), cmocka_unit_test(test_loopback_routes),
		cmocka_unit_test(test_bridges),	  cmocka_unit_test(test_shared_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
