/* Tests of kernel/nft*.c in a sandbox: what is written, as nft(8) reads it back from the kernel; and what the kernel refuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "nft_table.h"

static void has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("not in what nft lists: %s", part);
}

/* --- sets ---------------------------------------------------------------------------------------------------------- */

static void test_sets(void **state)
{
	struct machine *m = *state;
	struct wr_nft_table *table = table_of(m, NFPROTO_INET, "warren-shop");
	const char *text;

	NEEDS_NFT(m);
	table->comment = "warren:shop";
	wr_nft_add_chain(m->arena, table, "side");
	add_sets(m, table);
	make(m, table);
	committed(m);
	text = PROGRAM("nft", "-y", "list", "ruleset");
	has(text, "table inet warren-shop {\n\tcomment \"warren:shop\"");
	has(text, "comment \"interfaces of the network\"");
	has(text, "elements = { \"eth0\" comment \"first\" }");
	has(text, "type inet_proto . inet_service : ipv4_addr . inet_service");
	has(text, "elements = { tcp . 8080 : 10.2.0.5 . 80 }");
	has(text, "type ifname . mark : mark");
	has(text, "elements = { \"eth0\" . 0x00000007 : 0x00008001 }");
	has(text, "flags interval\n\t\telements = { 10.1.0.0/16 }");
	has(text, "elements = { 10.1.0.0/16 . 80-90 }");
	has(text, "type ifname : verdict\n\t\telements = { \"eth0\" : jump side,\n\t\t\t     * : drop }");
	has(text, "size 512\n\t\tflags dynamic,timeout\n\t\ttimeout 1m");
	has(text, "type ether_addr\n\t\tflags constant\n\t\telements = { 02:00:00:00:00:01 }");
	change(m, WR_NFT_DEL_TABLE, table);
	committed(m);
	assert_string_equal(PROGRAM("nft", "-y", "list", "ruleset"), "");
}

/* --- rules --------------------------------------------------------------------------------------------------------- */

static void test_rules(void **state)
{
	struct machine *m = *state;
	struct wr_nft_table *table = whole_table(m);
	const char *text;

	NEEDS_NFT(m);
	make(m, table);
	committed(m);
	text = PROGRAM("nft", "-y", "list", "ruleset");
	has(text, "type filter hook forward priority 0; policy drop;");
	has(text, "iifname != @own counter packets 0 bytes 0 accept comment \"warren:shop\"");
	has(text, "tcp dport != 80-90 goto side");
	has(text, "ct state new limit rate 5/second burst 9 packets log prefix \"denied \" reject with icmpx "
		  "admin-prohibited");
	has(text, "fib daddr type local meta mark set 0x00000005 ct mark set 0x00000005");
	has(text, "exthdr frag exists update @denied6 { ip6 saddr timeout 30s counter }");
	has(text, "ct original proto-dst 0x50 [invalid type] log group 3"); /* of no protocol that is said */
	has(text, "iifname vmap @ways");
	has(text, "dnat ip to meta l4proto . th dport map @publish4");
	has(text, "redirect to :53");
	has(text, "oifname @own masquerade fully-random");
	has(PROGRAM("nft", "-j", "list", "ruleset"), "\"denied6\"");
	change(m, WR_NFT_DEL_TABLE, table);
	committed(m);
}

/* A family with less than inet has: what guards a bridge. */
static void test_bridge(void **state)
{
	struct machine *m = *state;
	struct wr_nft_table *table = table_of(m, NFPROTO_BRIDGE, "warren-shop");
	struct wr_nft_chain *chain = base_chain(m, table, "guard", "filter", NF_BR_PRE_ROUTING, -300);
	struct wr_nft_rule *rule = wr_nft_add_rule(m->arena, chain);
	const char *text;

	NEEDS_NFT(m);
	set_of(m, table, "pairs", 0, WR_NFT_CONCAT(WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_MAC), 24);
	element(m, &table->sets[0], "eth0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\x01\0\0", NULL);
	add(m, rule, meta(NFT_META_IIFNAME, R(0)));
	add(m, rule, payload(NFT_PAYLOAD_LL_HEADER, 6, 6, R(4)));
	add(m, rule, lookup("pairs", R(0)));
	rule->exprs[2].lookup.inverted = true;
	add(m, rule, verdict(NF_DROP, NULL));
	make(m, table);
	committed(m);
	text = PROGRAM("nft", "-y", "list", "ruleset");
	has(text, "type filter hook prerouting priority -300; policy accept;");
	has(text, "elements = { \"eth0\" . 02:00:00:00:00:01 }");
	has(text, "iifname . ether saddr != @pairs drop");
	change(m, WR_NFT_DEL_TABLE, table);
	committed(m);
}

/* --- changes of what is there -------------------------------------------------------------------------------------- */

static uint64_t first_handle(const char *text, const char *rule)
{
	const char *at = strstr(text, rule);

	assert_non_null(at);
	at = strstr(at, "# handle ");
	assert_non_null(at);
	return strtoull(at + 9, NULL, 10);
}

static struct wr_nft_rule *counting(struct machine *m, struct wr_nft_chain *chain, const char *comment)
{
	struct wr_nft_rule *rule = wr_nft_add_rule(m->arena, chain);

	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_counter});
	rule->comment = comment;
	return rule;
}

static void test_changes(void **state)
{
	struct machine *m = *state;
	struct wr_nft_table *table = table_of(m, NFPROTO_INET, "t");
	struct wr_nft_chain *chain = base_chain(m, table, "in", "filter", NF_INET_LOCAL_IN, 0);
	struct wr_nft_set *set = set_of(m, table, "s", 0, WR_NFT_TYPE_SERVICE, 2);
	struct wr_nft_change *made;
	const char *text;

	NEEDS_NFT(m);
	counting(m, chain, "one");
	counting(m, chain, "two");
	element(m, set, "\0\x50", NULL);
	element(m, set, "\0\x51", NULL);
	make(m, table);
	committed(m);
	/* one more at each end, one gone from the middle, another policy, one element fewer: at once */
	made = change(m, WR_NFT_DEL_RULE, table);
	made->chain = chain;
	made->rule = &chain->rules[0];
	chain->rules[0].handle = first_handle(PROGRAM("nft", "-a", "list", "ruleset"), "\"one\"");
	made = change(m, WR_NFT_INSERT_RULE, table);
	made->chain = chain;
	made->rule = counting(m, wr_nft_add_chain(m->arena, table, "scratch"), "first");
	chain = &table->chains[0];
	m->delta.changes[0].chain = m->delta.changes[1].chain = chain;
	made = change(m, WR_NFT_SET_POLICY, table);
	made->chain = chain;
	chain->policy = NF_DROP;
	change_elements(m, WR_NFT_DEL_ELEMENTS, table, set);
	m->delta.changes[3].n_elements = 1;
	committed(m);
	text = PROGRAM("nft", "-y", "list", "ruleset");
	has(text,
	    "policy drop;\n\t\tcounter packets 0 bytes 0 comment \"first\"\n\t\tcounter packets 0 bytes 0 comment "
	    "\"two\"\n\t}");
	has(text, "elements = { 81 }");
	change(m, WR_NFT_FLUSH_CHAIN, table)->chain = chain;
	change(m, WR_NFT_DEL_CHAIN, table)->chain = chain;
	change(m, WR_NFT_DEL_SET, table)->set = set;
	committed(m);
	assert_string_equal(PROGRAM("nft", "-y", "list", "ruleset"), "table inet t {\n}\n");
	change(m, WR_NFT_DEL_TABLE, table);
	committed(m);
}

/* A transaction is as long as it needs to be, and of one send: every element of it, or none. */
static void test_many(void **state)
{
	enum { MANY = 50000 };
	struct machine *m = *state;
	struct wr_nft_table *table = table_of(m, NFPROTO_INET, "t");
	struct wr_nft_set *set = set_of(m, table, "s", NFT_SET_MAP, WR_NFT_TYPE_IP4, 4);
	uint32_t generation, again;
	struct wr_nl *nl;
	size_t count = 0;

	NEEDS_NFT(m);
	set->data_type = WR_NFT_TYPE_MARK;
	set->data_length = 4;
	for (uint32_t i = 0; i < MANY; i++)
		element(m, set, &(uint32_t){htonl(0x0a000000 + i)}, &i);
	make(m, table);
	assert_int_equal(wr_nft_open(&m->host, &m->host.self, &nl, &m->error), 0);
	assert_int_equal(wr_nft_generation(nl, &generation, &m->error), 0);
	if (commit(m) == -EMSGSIZE) {
		assert_string_not_equal(m->error.mend, ""); /* an ordinary user's machine allows less */
		return;
	}
	assert_int_equal(wr_nft_generation(nl, &again, &m->error), 0);
	assert_int_equal(again, generation + 1);
	for (const char *at = PROGRAM("nft", "list", "ruleset"); *at != '\0'; at++)
		count += at[0] == ':' && at[1] == ' ' && at[2] == '0' && at[3] == 'x';
	assert_int_equal(count, MANY);
	change(m, WR_NFT_DEL_TABLE, table);
	committed(m);
}

/* --- refusals ------------------------------------------------------------------------------------------------------ */

static void refused(struct machine *m, int code, const char *words)
{
	memset(&m->error, 0, sizeof m->error);
	assert_int_equal(commit(m), code);
	assert_int_equal(m->error.code, code);
	if (strstr(m->error.text, words) == NULL)
		fail_msg("'%s' is not in '%s'", words, m->error.text);
}

static void test_refusals(void **state)
{
	struct machine *m = *state;
	struct wr_nft_table *table = table_of(m, NFPROTO_INET, "t");
	struct wr_nft_chain *chain = base_chain(m, table, "in", "filter", NF_INET_LOCAL_IN, 0);
	struct wr_nft_set *set = set_of(m, table, "publish4", NFT_SET_MAP, WR_NFT_TYPE_IP4, 4);
	struct wr_nft_rule *rule;

	NEEDS_NFT(m);
	set->data_type = WR_NFT_TYPE_MARK;
	set->data_length = 4;
	/* far into a list, in its second message: the element is named, and nothing is made */
	for (uint32_t i = 0; i < 5000; i++)
		element(m, set, &(uint32_t){htonl(i == 4000 ? 7 : i)}, &i);
	make(m, table);
	refused(m, -EEXIST, "cannot add element 4001 to map publish4 of table inet t: ");
	assert_string_equal(PROGRAM("nft", "-y", "list", "ruleset"), "");
	set->n_elements = 0;
	/* a set that is not there: the expression is named */
	rule = wr_nft_add_rule(m->arena, chain);
	add(m, rule, meta(NFT_META_IIFNAME, R(0)));
	add(m, rule, lookup("missing", R(0)));
	make(m, table);
	refused(m, -ENOENT, "cannot add a rule to chain in of table inet t: expression 'lookup': No such file");
	/* what cannot be said is not tried */
	rule->n_exprs = 0;
	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_other, .other = {.name = "tproxy"}});
	make(m, table);
	refused(m, -EOPNOTSUPP,
		"cannot add a rule to chain in of table inet t: the expression 'tproxy' can be read but not");
	assert_int_equal(m->error.kind, WR_ERR_UNSUPPORTED);
	rule->n_exprs = 0;
	for (int i = 0; i < 200; i++)
		add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_counter});
	make(m, table);
	refused(m, -E2BIG, "200 expressions");
	chain->n_rules = 0;
	table->comment =
		"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
		"789012345678901234567890123456789012345678901234567890";
	make(m, table);
	refused(m, -ENAMETOOLONG, "comment");
	table->comment = NULL;
	/* twice, and not there */
	make(m, table);
	committed(m);
	make(m, table);
	refused(m, -EEXIST, "cannot make table inet t: File exists");
	change(m, WR_NFT_DEL_TABLE, table);
	committed(m);
	change(m, WR_NFT_DEL_TABLE, table);
	refused(m, -ENOENT, "cannot remove table inet t: No such file");
	committed(m); /* nothing to do is nothing wrong */
}

/* A kernel has fewer expressions for some families: which one, and that it is the kernel's. */
static void test_lacking(void **state)
{
	struct machine *m = *state;
	struct wr_nft_table *table = table_of(m, NFPROTO_ARP, "t");
	struct wr_nft_chain *chain = base_chain(m, table, "in", "filter", 0, 0);
	struct wr_nft_rule *rule = wr_nft_add_rule(m->arena, chain);

	NEEDS_NFT(m);
	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_counter});
	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_masq});
	make(m, table);
	refused(m, -ENOENT, "expression 'masq' for the family arp");
	assert_int_equal(m->error.kind, WR_ERR_UNSUPPORTED);
}

/* --- namespaces ---------------------------------------------------------------------------------------------------- */

/* Each namespace has tables of its own, whichever the thread is in. */
static void test_namespaces(void **state)
{
	struct machine *m = *state;
	struct wr_nft_table *table = table_of(m, NFPROTO_INET, "t");
	struct wr_netns *ns;
	bool there = false;

	NEEDS_NFT(m);
	assert_int_equal(wr_netns_create(&m->host, "t.a", &ns, &m->error), 0);
	/* the thread is inside, and stays there */
	change(m, WR_NFT_ADD_TABLE, table);
	committed(m);
	assert_string_equal(PROGRAM("nft", "-y", "list", "ruleset"), "");
	assert_int_equal(wr_nft_is_there(&m->host, ns, &there, &m->error), 0);
	assert_true(there);
	wr_netns_leave(&m->host);
	assert_string_equal(PROGRAM("nft", "-y", "list", "ruleset"), "table inet t {\n}\n");
	change(m, WR_NFT_ADD_TABLE, table);
	assert_int_equal(wr_nft_commit(&m->host, ns, &m->delta, &m->error), 0);
	m->delta.n_changes = 0;
	change(m, WR_NFT_DEL_TABLE, table);
	committed(m);
	assert_string_equal(PROGRAM("nft", "-y", "list", "ruleset"), "");
	assert_int_equal(wr_netns_enter(ns, &m->error), 0);
	assert_string_equal(PROGRAM("nft", "-y", "list", "ruleset"), "table inet t {\n}\n");
	wr_netns_leave(&m->host);
	wr_netns_close(&m->host, ns);
	assert_int_equal(ns->nft.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bridge, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lacking, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_namespaces, set_up, tear_down),
	};

	if (!sandbox_enter())
		return 0;
	return cmocka_run_group_tests_name("nft_write", tests, NULL, NULL);
}
