/* Tests of show/nft*.c: what is printed is what nft(8) makes the same rules of. Where nft is there, it is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "nft_table.h"

#include "base/text.h"
#include "netfile.h"
#include "filter/filter.h"
#include "live/filter.h"
#include "show/firewall.h"
#include "show/nft.h"

#define SCRIPT "/run/script"

static bool has_program(void)
{
	return access("/usr/sbin/nft", X_OK) == 0;
}

static void run_script(const struct wr_text *text)
{
	FILE *file = fopen(SCRIPT, "we");

	assert_non_null(file);
	assert_int_equal(wr_text_error(text), 0);
	assert_true(fputs(wr_text_string(text), file) >= 0);
	assert_int_equal(fclose(file), 0);
	PROGRAM("nft", "-f", SCRIPT);
}

static unsigned choose_all(const struct wr_nft_table *table, void *data)
{
	return WR_TABLES_WHOLE;
}

/* The table as the kernel has it. */
static struct wr_nft_table *read_back(struct machine *m, const struct wr_nft_table *like)
{
	struct wr_model *live = wr_model_new(m->arena, "shop");
	struct wr_nft_table *table;

	if (wr_tables_read(&m->host, &m->host.self, wr_model_host(live), "shop", choose_all, NULL, &m->error) < 0)
		fail_msg("%s", m->error.text);
	table = wr_ns_find_table(wr_model_host(live), like->family, like->name);
	assert_non_null(table);
	return table;
}

static void assert_same_table(struct machine *m, const struct wr_nft_table *wanted)
{
	struct wr_text text = {0};
	struct wr_nft_delta *delta;

	assert_int_equal(wr_nft_compare(wanted, read_back(m, wanted), m->arena, &delta), 0);
	wr_show_nft_delta(delta, &text);
	if (delta->n_changes > 0)
		fail_msg("nft made something else:\n%s", wr_text_string(&text));
	wr_text_done(&text);
}

static const char whole[] =
	"table inet warren-shop {\n"
	"\tcomment \"warren:shop\"\n"
	"\tset own {\n"
	"\t\ttype ifname\n"
	"\t\tcomment \"interfaces of the network\"\n"
	"\t\telements = { \"eth0\" comment \"first\" }\n"
	"\t}\n"
	"\tmap publish4 {\n"
	"\t\ttype inet_proto . inet_service : ipv4_addr . inet_service\n"
	"\t\telements = { tcp . 8080 : 10.2.0.5 . 80 }\n"
	"\t}\n"
	"\tmap before {\n"
	"\t\ttype ifname . mark : mark\n"
	"\t\telements = { \"eth0\" . 0x7 : 0x8001 }\n"
	"\t}\n"
	"\tset nets {\n"
	"\t\ttype ipv4_addr\n"
	"\t\tflags interval\n"
	"\t\telements = { 10.1.0.0/16 }\n"
	"\t}\n"
	"\tset allowed {\n"
	"\t\ttype ipv4_addr . inet_service\n"
	"\t\tflags interval\n"
	"\t\telements = { 10.1.0.0/16 . 80-90 }\n"
	"\t}\n"
	"\tmap ways {\n"
	"\t\ttype ifname : verdict\n"
	"\t\telements = { \"eth0\" : jump side, * : drop }\n"
	"\t}\n"
	"\tset denied6 {\n"
	"\t\ttype ipv6_addr\n"
	"\t\tsize 512\n"
	"\t\tflags dynamic,timeout\n"
	"\t\ttimeout 60000ms\n"
	"\t}\n"
	"\tset isolated {\n"
	"\t\ttype ether_addr\n"
	"\t\tflags constant\n"
	"\t\telements = { 02:00:00:00:00:01 }\n"
	"\t}\n"
	"\tchain side {\n"
	"\t}\n"
	"\tchain forward {\n"
	"\t\ttype filter hook forward priority 0; policy drop;\n"
	"\t\tiifname != @own counter accept comment \"warren:shop\"\n"
	"\t\tmeta l4proto tcp th dport != 80-90 goto side\n"
	"\t\tct state new limit rate 5/second burst 9 packets log prefix \"denied \" level warn reject with icmpx type "
	"admin-prohibited\n"
	"\t\tfib daddr type local meta mark set 0x5 ct mark set 0x5\n"
	"\t\tmeta nfproto ipv6 exthdr frag exists update @denied6 { ip6 saddr timeout 30000ms counter }\n"
	"\t\t# nft has no words for the following:\n"
	"\t\t# ct original proto-dst 80 log group 3\n"
	"\t\tiifname vmap @ways\n"
	"\t}\n"
	"\tchain dstnat {\n"
	"\t\ttype nat hook prerouting priority -100; policy accept;\n"
	"\t\tmeta nfproto ipv4 dnat ip to meta l4proto . th dport map @publish4\n"
	"\t\tmeta l4proto udp redirect to :53\n"
	"\t}\n"
	"\tchain srcnat {\n"
	"\t\ttype nat hook postrouting priority 100; policy accept;\n"
	"\t\toifname @own masquerade fully-random\n"
	"\t}\n"
	"}\n";

/* Every kind of expression and of set. */
static void test_whole_table(void **state)
{
	struct wr_nft_table *table = whole_table(*state);
	struct wr_text text = {0};

	wr_show_nft_table(table, &text);
	assert_string_equal(wr_text_string(&text), whole);
	wr_text_done(&text);
}

/* The same without the one rule that nft has no words for; and a constant that serves two statements, which nft loads twice,
 * serves one. */
static struct wr_nft_table *sayable_table(struct machine *m)
{
	struct wr_nft_table *table = whole_table(m);
	struct wr_nft_chain *chain = wr_nft_find_chain(table, "forward");
	struct wr_text text = {0};
	size_t kept = 0;

	for (size_t i = 0; i < chain->n_rules; i++) {
		struct wr_nft_rule *rule = &chain->rules[i];

		if (rule->exprs[rule->n_exprs - 1].kind == WR_NFT_ct)
			rule->n_exprs--;
		if (wr_show_nft_rule(table, rule, &text))
			chain->rules[kept++] = *rule;
	}
	assert_int_equal(kept, chain->n_rules - 1);
	chain->n_rules = kept;
	wr_text_done(&text);
	return table;
}

/* What warren's own transaction made, read, printed, and made again by nft. */
static void test_nft_makes_the_same(void **state)
{
	struct machine *m = *state;
	struct wr_nft_table *table = sayable_table(m);
	struct wr_text text = {0};

	NEEDS_NFT(m);
	if (!has_program())
		skip();
	make(m, table);
	committed(m);
	assert_same_table(m, table);
	wr_show_nft_table(read_back(m, table), &text);
	PROGRAM("nft", "flush", "ruleset");
	run_script(&text);
	assert_same_table(m, table);
	PROGRAM("nft", "flush", "ruleset");
	text.length = 0;
	make(m, table);
	wr_show_nft_delta(&m->delta, &text);
	run_script(&text);
	assert_same_table(m, table);
	wr_text_done(&text);
}

/* --- statements -------------------------------------------------------------------------------------------------------- */

static void said(struct machine *m, uint8_t family, const char *expected, bool sayable, const struct wr_nft_expr *exprs,
		 size_t count)
{
	struct wr_nft_table *table = table_of(m, family, "t");
	struct wr_nft_rule *rule = wr_nft_add_rule(m->arena, wr_nft_add_chain(m->arena, table, "c"));
	struct wr_text text = {0};

	set_of(m, table, "names", 0, WR_NFT_TYPE_IFNAME, 16);
	set_of(m, table, "macs", 0, WR_NFT_CONCAT(WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_MAC), 24);
	set_of(m, table, "targets", 0, WR_NFT_CONCAT(WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_INTEGER), 32);
	for (size_t i = 0; i < count; i++)
		add(m, rule, exprs[i]);
	assert_int_equal(wr_show_nft_rule(table, rule, &text), sayable);
	assert_int_equal(wr_text_error(&text), 0);
	assert_string_equal(wr_text_string(&text), expected);
	wr_text_done(&text);
}
#define SAID(m, family, expected, sayable, ...)                                                                        \
	said(m, family, expected, sayable, (const struct wr_nft_expr[]){__VA_ARGS__},                                  \
	     sizeof((const struct wr_nft_expr[]){__VA_ARGS__}) / sizeof(struct wr_nft_expr))

#define IS_IP4	      meta(NFT_META_NFPROTO, R(0)), cmp(NFT_CMP_EQ, R(0), "\x02", 1)
#define SADDR(length) payload(NFT_PAYLOAD_NETWORK_HEADER, 12, length, R(0))
#define TEN	      cmp(NFT_CMP_EQ, R(0), "\x0a\0\0\x01", 4)

/* A field has its name only behind a test of its protocol: nft would put one there. */
static void test_fields(void **state)
{
	struct machine *m = *state;
	struct wr_nft_expr type = payload(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, R(0));

	SAID(m, NFPROTO_INET, "@nh,96,32 0xa000001", true, SADDR(4), TEN);
	SAID(m, NFPROTO_INET, "meta nfproto ipv4 ip saddr 10.0.0.1", true, IS_IP4, SADDR(4), TEN);
	SAID(m, NFPROTO_IPV4, "ip saddr 10.0.0.1", true, SADDR(4), TEN);
	SAID(m, NFPROTO_IPV6, "@nh,96,32 0xa000001", true, SADDR(4), TEN);
	SAID(m, NFPROTO_IPV4, "ip saddr 10.0.0.0/16", true, SADDR(2), cmp(NFT_CMP_EQ, R(0), "\x0a\0", 2));
	SAID(m, NFPROTO_IPV4, "ip saddr != 10.0.0.0/8", true, SADDR(1), cmp(NFT_CMP_NEQ, R(0), "\x0a", 1));
	SAID(m, NFPROTO_INET, "@th,0,8 135", true, type, cmp(NFT_CMP_EQ, R(0), "\x87", 1));
	SAID(m, NFPROTO_INET, "meta l4proto icmpv6 icmpv6 type 135", true, meta(NFT_META_L4PROTO, R(0)),
	     cmp(NFT_CMP_EQ, R(0), "\x3a", 1), type, cmp(NFT_CMP_EQ, R(0), "\x87", 1));
	/* not equal says nothing of what it is */
	SAID(m, NFPROTO_INET, "meta l4proto != icmpv6 @th,0,8 135", true, meta(NFT_META_L4PROTO, R(0)),
	     cmp(NFT_CMP_NEQ, R(0), "\x3a", 1), type, cmp(NFT_CMP_EQ, R(0), "\x87", 1));
	SAID(m, NFPROTO_INET, "th dport 80-90", true, payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, R(0)),
	     cmp(NFT_CMP_GTE, R(0), "\0\x50", 2), cmp(NFT_CMP_LTE, R(0), "\0\x5a", 2));
	/* the machine's own order is no order of numbers */
	SAID(m, NFPROTO_INET, "meta mark > 0x1", false, meta(NFT_META_MARK, R(0)),
	     cmp(NFT_CMP_GT, R(0), "\x01\0\0\0", 4));
	SAID(m, NFPROTO_BRIDGE, "ether type arp arp saddr ip 10.0.0.1", true,
	     payload(NFT_PAYLOAD_LL_HEADER, 12, 2, R(0)), cmp(NFT_CMP_EQ, R(0), "\x08\x06", 2),
	     payload(NFT_PAYLOAD_NETWORK_HEADER, 14, 4, R(0)), TEN);
}

/* nft compares the types of what is looked up. */
static void test_keys(void **state)
{
	struct machine *m = *state;
	struct wr_nft_expr iif = meta(NFT_META_IIFNAME, R(0)), mac = payload(NFT_PAYLOAD_LL_HEADER, 6, 6, R(4));
	struct wr_nft_expr target = payload(NFT_PAYLOAD_TRANSPORT_HEADER, 8, 16, R(4));

	SAID(m, NFPROTO_BRIDGE, "iifname . ether saddr @macs", true, iif, mac, lookup("macs", R(0)));
	SAID(m, NFPROTO_INET, "iifname . @ll,48,48 @macs", false, iif, mac, lookup("macs", R(0)));
	SAID(m, NFPROTO_INET, "iiftype ether iifname . ether saddr @macs", true, meta(NFT_META_IIFTYPE, R(0)),
	     cmp(NFT_CMP_EQ, R(0), "\x01\0", 2), iif, mac, lookup("macs", R(0)));
	SAID(m, NFPROTO_INET, "iifname . @th,64,128 @targets", true, iif, target, lookup("targets", R(0)));
	SAID(m, NFPROTO_INET, "iifname . [register] @macs", false, iif, lookup("macs", R(0)));
	SAID(m, NFPROTO_INET, "iifname @nowhere", false, iif, lookup("nowhere", R(0)));
}

/* Interfaces may be called anything; nothing of it ends the string, or reaches a terminal. */
static void test_names(void **state)
{
	struct machine *m = *state;
	struct wr_nft_expr iif = meta(NFT_META_IIFNAME, R(0));

	SAID(m, NFPROTO_INET, "iifname \"eth0\"", true, iif, cmp(NFT_CMP_EQ, R(0), "eth0\0\0\0\0\0\0\0\0\0\0\0", 16));
	SAID(m, NFPROTO_INET, "iifname \"eth*\"", true, iif, cmp(NFT_CMP_EQ, R(0), "eth", 3));
	SAID(m, NFPROTO_INET, "iifname \"eth\\*\"", true, iif, cmp(NFT_CMP_EQ, R(0), "eth*\0\0\0\0\0\0\0\0\0\0\0", 16));
	SAID(m, NFPROTO_INET, "iifname \"a$`;b\"", true, iif, cmp(NFT_CMP_EQ, R(0), "a$`;b\0\0\0\0\0\0\0\0\0\0", 16));
	SAID(m, NFPROTO_INET, "iifname \"a'b\"", false, iif, cmp(NFT_CMP_EQ, R(0), "a\"b\0\0\0\0\0\0\0\0\0\0\0\0", 16));
	SAID(m, NFPROTO_INET, "iifname \"a\\x1b[0m\"", false, iif,
	     cmp(NFT_CMP_EQ, R(0), "a\x1b[0m\0\0\0\0\0\0\0\0\0\0", 16));
	SAID(m, NFPROTO_INET, "jump a\\x0a", false, verdict(NFT_JUMP, "a\n"));
	SAID(m, NFPROTO_INET, "jump ip", false, verdict(NFT_JUMP, "ip"));
	SAID(m, NFPROTO_INET, "[match \\x1b]", false,
	     (struct wr_nft_expr){.kind = WR_NFT_other, .other = {.name = "match", .says = "\x1b"}});
}

/* A rule that nft has no words for is a comment, whatever is in it. */
static void test_comment(void **state)
{
	struct machine *m = *state;
	struct wr_nft_table *table = table_of(m, NFPROTO_IPV4, "filter");
	struct wr_nft_chain *chain = wr_nft_add_chain(m->arena, table, "FORWARD");
	struct wr_nft_rule *rule = wr_nft_add_rule(m->arena, chain);
	struct wr_text text = {0};

	rule->comment = "a\"\ndelete table ip filter";
	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_other, .other = {.name = "match", .says = "conntrack"}});
	add(m, rule, verdict(NF_DROP, NULL));
	wr_show_nft_table(table, &text);
	assert_string_equal(wr_text_string(&text),
			    "table ip filter {\n\tchain FORWARD {\n\t\t# nft has no words for the following:\n"
			    "\t\t# [match conntrack] drop comment \"a'\\x0adelete table ip filter\"\n\t}\n}\n");
	wr_text_done(&text);
}

/* --- changes ----------------------------------------------------------------------------------------------------------- */

static void test_changes(void **state)
{
	struct machine *m = *state;
	struct wr_nft_table *table = table_of(m, NFPROTO_INET, "warren-shop");
	struct wr_nft_chain *chain = base_chain(m, table, "input", "filter", NF_INET_LOCAL_IN, 0);
	struct wr_nft_rule *rule = wr_nft_add_rule(m->arena, chain);
	struct wr_nft_set *ports = set_of(m, table, "ports", NFT_SET_INTERVAL, WR_NFT_TYPE_SERVICE, 2);
	struct wr_text text = {0};

	chain->policy = NF_DROP;
	rule->handle = 7;
	add(m, rule, verdict(NF_ACCEPT, NULL));
	element(m, ports, "\0\x50", NULL);
	element(m, ports, "\xff\0", NULL); /* up to the last */
	element(m, ports, "\0\x5b", NULL)->interval_end = true;
	change(m, WR_NFT_FLUSH_CHAIN, table)->chain = chain;
	change_elements(m, WR_NFT_DEL_ELEMENTS, table, ports);
	change(m, WR_NFT_DEL_SET, table)->set = ports;
	change(m, WR_NFT_SET_POLICY, table)->chain = chain;
	change(m, WR_NFT_INSERT_RULE, table)->chain = chain;
	m->delta.changes[m->delta.n_changes - 1].rule = rule;
	change(m, WR_NFT_DEL_RULE, table)->chain = chain;
	m->delta.changes[m->delta.n_changes - 1].rule = rule;
	change(m, WR_NFT_DEL_CHAIN, table)->chain = chain;
	change(m, WR_NFT_DEL_TABLE, table);
	wr_show_nft_delta(&m->delta, &text);
	assert_string_equal(wr_text_string(&text), "flush chain inet warren-shop input\n"
						   "delete element inet warren-shop ports { 80-90, 65280-65535 }\n"
						   "delete set inet warren-shop ports\n"
						   "add chain inet warren-shop input { policy drop; }\n"
						   "insert rule inet warren-shop input handle 7 accept\n"
						   "delete rule inet warren-shop input handle 7\n"
						   "delete chain inet warren-shop input\n"
						   "delete table inet warren-shop\n");
	wr_text_done(&text);
}

/* --- what networks have ------------------------------------------------------------------------------------------------ */

static const char shop[] =
	"name: shop\n"
	"bridges:\n"
	"  lan: {subnet: [10.2.0.0/24, \"fd00:2::/64\"], host: true, nat: true, guard: true}\n"
	"  lab: {subnet: 10.4.0.0/24, host: true, nat: {out: eth9, address: 192.0.2.9}, isolated: true}\n"
	"  far: {subnet: [10.6.0.0/24, \"fd00:6::/64\"], host: true, nat: {out: eth8}}\n"
	"  own: {subnet: 10.7.0.0/24, host: true, nat: {address: 192.0.2.8}}\n"
	"  open: {subnet: 10.5.0.0/24, host: true, routed: true}\n"
	"namespaces:\n"
	"  web:\n"
	"    interfaces: {eth0: lan}\n"
	"    publish: [\"8080:80\", \"127.0.0.1:53:53/udp\", \"81:81@eth9\"]\n"
	"    firewall:\n"
	"      input: {policy: drop, accept: [tcp 80 8000-8100, udp 53, icmp, tcp 22 from lab],\n"
	"              deny: [any from 10.2.0.7], log: true}\n"
	"      output: {policy: accept, deny: [sctp 9 to fd00:2::/64]}\n"
	"  app[1-2]: {interfaces: {eth0: {bridge: lan, isolated: true}}}\n"
	"  edge:\n"
	"    forward: true\n"
	"    interfaces: {eth0: lan, eth1: {bridge: lab}}\n"
	"    nat: {out: eth0, address: 10.2.0.99}\n"
	"    firewall: {forward: {policy: drop, log: true}}\n";

/* Whatever a file can say, nft can say; and `warren firewall` knows each rule for what it is. */
static void test_networks(void **state)
{
	struct machine *m = *state;
	struct wr_model *model = read_good(m->arena, shop);
	struct wr_text nft = {0}, text = {0}, json = {0};

	if (wr_model_host(model)->n_tables == 0)
		assert_int_equal(wr_filter_want(model), 0);
	for (size_t i = 0; i < model->n_ns; i++) {
		struct wr_ns *ns = model->ns[i];

		for (size_t k = 0; k < ns->n_tables; k++) {
			struct wr_firewall_view view = {.table = ns->tables[k], .network = "shop"};

			ns->tables[k]->network = "shop";
			view.name = view.pin = ns->is_host ? NULL : ns->name;
			view.hosts = "127.0.0.1 localhost\n10.2.0.2 web web.shop\n";
			wr_show_nft_table(ns->tables[k], &nft);
			wr_show_firewall_text(&view, 1, &text);
			wr_show_firewall_json(&view, 1, &json);
		}
	}
	if (strstr(wr_text_string(&nft), "no words") != NULL)
		fail_msg("%s", wr_text_string(&nft));
	if (strstr(wr_text_string(&text), "not from the file") != NULL)
		fail_msg("%s", wr_text_string(&text));
	assert_null(strstr(wr_text_string(&json), "\"foreign\""));
	assert_non_null(strstr(wr_text_string(&text), "    tcp 8080 → web:80 (10.2.0.2)\n"));
	assert_non_null(strstr(wr_text_string(&text), "    udp 127.0.0.1:53 → web:53 (10.2.0.2)\n"));
	assert_non_null(strstr(wr_text_string(&text), "    from shop-lab by eth9, IPv4: 192.0.2.9\n"));
	assert_non_null(strstr(wr_text_string(&text), "    from shop-lan, IPv6: masqueraded\n"));
	assert_non_null(strstr(wr_text_string(&text), "  isolated: shop-lab\n"));
	assert_non_null(strstr(wr_text_string(&text), "    deny any from 10.2.0.7 "));
	assert_non_null(strstr(wr_text_string(&text), "    by eth0, IPv4: 10.2.0.99\n"));
	wr_text_done(&nft);
	wr_text_done(&text);
	wr_text_done(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nft_makes_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fields, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_comment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_networks, set_up, tear_down),
	};

	if (!sandbox_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
