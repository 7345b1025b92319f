/* Tests of model/nft.c: lists that grow, and which expressions, chains, sets and elements are equal. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include "base/arena.h"
#include "model/model.h"
#include "model/nft.h"

static struct wr_nft_value one = {.length = 2, .bytes = {1, 2}}, same_one = {.length = 2, .bytes = {1, 2, 9}},
			   two = {.length = 2, .bytes = {1, 3}}, longer = {.length = 3, .bytes = {1, 2}};

/* Two expressions, equal or not; with their places exchanged the same. */
#define E(name, ...)                                                                                                   \
	{                                                                                                              \
		.kind = WR_NFT_##name, __VA_ARGS__                                                                     \
	}
static const struct {
	bool equal;
	struct wr_nft_expr a, b;
} rows[] = {
	{true, E(meta, .dreg = 8, .meta = {.key = 1}), E(meta, .dreg = 8, .meta = {.key = 1})},
	{false, E(meta, .dreg = 8, .meta = {.key = 1}), E(meta, .dreg = 8, .meta = {.key = 2})},
	{false, E(meta, .dreg = 8, .meta = {.key = 1}), E(meta, .dreg = 9, .meta = {.key = 1})},
	{false, E(meta, .dreg = 8, .meta = {.key = 1}), E(meta, .sreg = 8, .meta = {.key = 1})},
	{false, E(meta, .dreg = 8, .meta = {.key = 1}), E(ct, .dreg = 8, .ct = {.key = 1})},
	{true, E(payload, .payload = {1, 2, 3}), E(payload, .payload = {1, 2, 3})},
	{false, E(payload, .payload = {1, 2, 3}), E(payload, .payload = {2, 2, 3})},
	{false, E(payload, .payload = {1, 2, 3}), E(payload, .payload = {1, 3, 3})},
	{false, E(payload, .payload = {1, 2, 3}), E(payload, .payload = {1, 2, 4})},
	{true, E(cmp, .cmp = {.value = {2, {1, 2}}}), E(cmp, .cmp = {.value = {2, {1, 2, 7}}})},
	{false, E(cmp, .cmp = {.value = {2, {1, 2}}}), E(cmp, .cmp = {.value = {2, {1, 3}}})},
	{false, E(cmp, .cmp = {.value = {2, {1, 0}}}), E(cmp, .cmp = {.value = {1, {1}}})},
	{false, E(cmp, .cmp = {.op = 1}), E(cmp, .cmp = {.op = 0})},
	{true, E(range, .range = {.from = &one, .to = &two}), E(range, .range = {.from = &same_one, .to = &two})},
	{false, E(range, .range = {.from = &one, .to = &two}), E(range, .range = {.from = &one, .to = &one})},
	{false, E(range, .range = {.from = &one, .to = &two}), E(range, .range = {.from = &longer, .to = &two})},
	{false, E(range, .range = {.from = &one, .to = &two}), E(range, .range = {1, &one, &two})},
	{true, E(bitwise, .bitwise = {2, &one, &two}), E(bitwise, .bitwise = {2, &same_one, &two})},
	{false, E(bitwise, .bitwise = {2, &one, &two}), E(bitwise, .bitwise = {2, &two, &two})},
	{false, E(bitwise, .bitwise = {2, &one, &two}), E(bitwise, .bitwise = {2, &one, NULL})},
	{false, E(bitwise, .bitwise = {2, &one, &two}), E(bitwise, .bitwise = {4, &one, &two})},
	{true, E(lookup, .lookup = {.set = "a"}), E(lookup, .lookup = {.set = "a"})},
	{false, E(lookup, .lookup = {.set = "a"}), E(lookup, .lookup = {.set = "b"})},
	{false, E(lookup, .lookup = {.set = "a"}), E(lookup, .lookup = {.set = "a", .inverted = true})},
	{false, E(lookup, .lookup = {.set = "a"}), E(lookup, .lookup = {.set = "a", .has_dreg = true})},
	{true, E(immediate, .immediate = {.verdict = NF_DROP}), E(immediate, .immediate = {.verdict = NF_DROP})},
	{false, E(immediate, .immediate = {.verdict = NF_DROP}), E(immediate, .immediate = {.verdict = NF_ACCEPT})},
	{false, E(immediate, .immediate = {NFT_JUMP, "a", NULL}), E(immediate, .immediate = {NFT_JUMP, "b", NULL})},
	{false, E(immediate, .immediate = {NFT_JUMP, "a", NULL}), E(immediate, .immediate = {NFT_JUMP, NULL, NULL})},
	{true, E(immediate, .dreg = 8, .immediate = {0, NULL, &one}),
	 E(immediate, .dreg = 8, .immediate = {0, NULL, &same_one})},
	{false, E(immediate, .dreg = 8, .immediate = {0, NULL, &one}),
	 E(immediate, .dreg = 8, .immediate = {0, NULL, &two})},
	{true, E(ct, .ct = {.key = 1, .direction = -1}), E(ct, .ct = {.key = 1, .direction = -1})},
	{false, E(ct, .ct = {.key = 1, .direction = -1}), E(ct, .ct = {.key = 1, .direction = 0})},
	{false, E(ct, .ct = {.key = 1}), E(ct, .ct = {.key = 2})},
	{true, E(fib, .fib = {1, 2}), E(fib, .fib = {1, 2})},
	{false, E(fib, .fib = {1, 2}), E(fib, .fib = {2, 2})},
	{false, E(fib, .fib = {1, 2}), E(fib, .fib = {1, 3})},
	{true, E(exthdr, .exthdr = {1, 2, 3, 4, 5}), E(exthdr, .exthdr = {1, 2, 3, 4, 5})},
	{false, E(exthdr, .exthdr = {1, 2, 3, 4, 5}), E(exthdr, .exthdr = {0, 2, 3, 4, 5})},
	{false, E(exthdr, .exthdr = {1, 2, 3, 4, 5}), E(exthdr, .exthdr = {1, 0, 3, 4, 5})},
	{false, E(exthdr, .exthdr = {1, 2, 3, 4, 5}), E(exthdr, .exthdr = {1, 2, 0, 4, 5})},
	{false, E(exthdr, .exthdr = {1, 2, 3, 4, 5}), E(exthdr, .exthdr = {1, 2, 3, 0, 5})},
	{false, E(exthdr, .exthdr = {1, 2, 3, 4, 5}), E(exthdr, .exthdr = {1, 2, 3, 4, 0})},
	{true, E(counter, .counter = {1, 2}), E(counter, .counter = {3, 4})},
	{true, E(limit, .limit = {1, 2, 3, 4, 5}), E(limit, .limit = {1, 2, 3, 4, 5})},
	{false, E(limit, .limit = {1, 2, 3, 4, 5}), E(limit, .limit = {0, 2, 3, 4, 5})},
	{false, E(limit, .limit = {1, 2, 3, 4, 5}), E(limit, .limit = {1, 0, 3, 4, 5})},
	{false, E(limit, .limit = {1, 2, 3, 4, 5}), E(limit, .limit = {1, 2, 0, 4, 5})},
	{false, E(limit, .limit = {1, 2, 3, 4, 5}), E(limit, .limit = {1, 2, 3, 0, 5})},
	{false, E(limit, .limit = {1, 2, 3, 4, 5}), E(limit, .limit = {1, 2, 3, 4, 0})},
	{true, E(log, .log = {"a", 4, 0, -1}), E(log, .log = {"a", 4, 0, -1})},
	{false, E(log, .log = {"a", 4, 0, -1}), E(log, .log = {NULL, 4, 0, -1})},
	{false, E(log, .log = {"a", 4, 0, -1}), E(log, .log = {"a", 5, 0, -1})},
	{false, E(log, .log = {"a", 4, 0, -1}), E(log, .log = {"a", 4, 1, -1})},
	{false, E(log, .log = {"a", 4, 0, -1}), E(log, .log = {"a", 4, 0, 0})},
	{true, E(log, .log = {"a", 4, 0, 1}), E(log, .log = {"a", 0, 0, 1})}, /* a group has no level */
	{true, E(reject, .reject = {1, 2}), E(reject, .reject = {1, 2})},
	{false, E(reject, .reject = {1, 2}), E(reject, .reject = {2, 2})},
	{false, E(reject, .reject = {1, 2}), E(reject, .reject = {1, 3})},
	{true, E(nat, .nat = {1, 2, 0, 8, 0, 9, 0}), E(nat, .nat = {1, 2, 0, 8, 0, 9, 0})},
	/* what the kernel adds by itself */
	{true, E(nat, .nat = {1, 2, 0, 8, 0, 9, 0}),
	 E(nat, .nat = {1, 2, NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED, 8, 8, 9, 9})},
	{false, E(nat, .nat = {1, 2, 0, 8, 0, 9, 0}), E(nat, .nat = {0, 2, 0, 8, 0, 9, 0})},
	{false, E(nat, .nat = {1, 2, 0, 8, 0, 9, 0}), E(nat, .nat = {1, 10, 0, 8, 0, 9, 0})},
	{false, E(nat, .nat = {1, 2, 0, 8, 0, 9, 0}), E(nat, .nat = {1, 2, NF_NAT_RANGE_PERSISTENT, 8, 0, 9, 0})},
	{false, E(nat, .nat = {1, 2, 0, 8, 0, 9, 0}), E(nat, .nat = {1, 2, 0, 8, 9, 9, 0})},
	{false, E(nat, .nat = {1, 2, 0, 8, 0, 9, 0}), E(nat, .nat = {1, 2, 0, 8, 0, 0, 0})},
	{true, E(masq, .masq = {0, 8, 8}), E(masq, .masq = {NF_NAT_RANGE_PROTO_SPECIFIED, 8, 0})},
	{false, E(masq, .masq = {NF_NAT_RANGE_PROTO_RANDOM, 0, 0}), E(masq, .masq = {0, 0, 0})},
	{true, E(redir, .redir = {0, 8, 8}), E(redir, .redir = {NF_NAT_RANGE_PROTO_SPECIFIED, 8, 0})},
	{false, E(redir, .redir = {0, 8, 0}), E(redir, .redir = {0, 9, 0})},
	{true, E(dynset, .dynset = {"a", 1, 2, 3, 4, false, true}),
	 E(dynset, .dynset = {"a", 1, 2, 3, 4, false, true})},
	{false, E(dynset, .dynset = {"a", 1, 2, 3, 4, false, true}),
	 E(dynset, .dynset = {"b", 1, 2, 3, 4, false, true})},
	{false, E(dynset, .dynset = {"a", 1, 2, 3, 4, false, true}),
	 E(dynset, .dynset = {"a", 0, 2, 3, 4, false, true})},
	{false, E(dynset, .dynset = {"a", 1, 2, 3, 4, false, true}),
	 E(dynset, .dynset = {"a", 1, 0, 3, 4, false, true})},
	{false, E(dynset, .dynset = {"a", 1, 2, 3, 4, false, true}),
	 E(dynset, .dynset = {"a", 1, 2, 0, 4, false, true})},
	{false, E(dynset, .dynset = {"a", 1, 2, 3, 4, false, true}),
	 E(dynset, .dynset = {"a", 1, 2, 3, 0, false, true})},
	{false, E(dynset, .dynset = {"a", 1, 2, 3, 4, false, true}),
	 E(dynset, .dynset = {"a", 1, 2, 3, 4, true, true})},
	{false, E(dynset, .dynset = {"a", 1, 2, 3, 4, false, true}),
	 E(dynset, .dynset = {"a", 1, 2, 3, 4, false, false})},
	{true, E(other, .other = {"a", one.bytes, 2, "x"}), E(other, .other = {"a", same_one.bytes, 2, NULL})},
	{false, E(other, .other = {"a", one.bytes, 2, NULL}), E(other, .other = {"b", one.bytes, 2, NULL})},
	{false, E(other, .other = {"a", one.bytes, 2, NULL}), E(other, .other = {"a", two.bytes, 2, NULL})},
	{false, E(other, .other = {"a", one.bytes, 2, NULL}), E(other, .other = {"a", one.bytes, 1, NULL})},
};

static void test_exprs(void **state)
{
	bool met[WR_NFT_EXPR_COUNT_] = {false};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (wr_nft_expr_equal(&rows[i].a, &rows[i].b) != rows[i].equal ||
		    wr_nft_expr_equal(&rows[i].b, &rows[i].a) != rows[i].equal)
			fail_msg("row %zu, %s", i, wr_nft_expr_name(rows[i].a.kind));
		met[rows[i].a.kind] = true;
	}
	for (size_t i = 0; i < WR_NFT_EXPR_COUNT_; i++)
		if (!met[i])
			fail_msg("no row of %s", wr_nft_expr_name((enum wr_nft_expr_kind)i));
}

static void test_names(void **state)
{
	assert_string_equal(wr_nft_expr_name(WR_NFT_meta), "meta");
	assert_string_equal(wr_nft_expr_name(WR_NFT_dynset), "dynset");
	assert_string_equal(wr_nft_expr_name(WR_NFT_other), "");
	assert_string_equal(wr_nft_family_name(NFPROTO_INET), "inet");
	assert_string_equal(wr_nft_family_name(NFPROTO_IPV4), "ip");
	assert_string_equal(wr_nft_family_name(NFPROTO_IPV6), "ip6");
	assert_string_equal(wr_nft_family_name(NFPROTO_BRIDGE), "bridge");
	assert_string_equal(wr_nft_family_name(NFPROTO_UNSPEC), "");
	assert_string_equal(wr_nft_family_name(255), "");
}

static void test_lists(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	struct wr_model *model = wr_model_new(arena, "shop");
	struct wr_ns *host = wr_model_host(model);
	struct wr_nft_table *first = wr_ns_add_table(host, NFPROTO_INET, "t"), *table;
	struct wr_nft_rule *rule;

	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof name, "n%d", i);
		table = wr_ns_add_table(host, NFPROTO_BRIDGE, name);
		assert_non_null(wr_nft_add_chain(arena, first, name));
		assert_non_null(wr_nft_add_set(arena, first, name));
		assert_non_null(wr_nft_add_element(arena, &first->sets[0]));
	}
	assert_ptr_equal(wr_ns_find_table(host, NFPROTO_INET, "t"), first); /* it did not move */
	assert_ptr_equal(wr_ns_find_table(host, NFPROTO_BRIDGE, "n99"), table);
	assert_null(wr_ns_find_table(host, NFPROTO_INET, "n99"));
	assert_ptr_equal(wr_nft_find_chain(first, "n42"), &first->chains[42]);
	assert_null(wr_nft_find_chain(first, "n100"));
	assert_ptr_equal(wr_nft_find_set(first, "n42"), &first->sets[42]);
	assert_null(wr_nft_find_set(first, "n100"));
	assert_int_equal(first->sets[0].n_elements, 100);
	rule = wr_nft_add_rule(arena, &first->chains[0]);
	for (int i = 0; i < 100; i++)
		assert_int_equal(wr_nft_add_expr(arena, rule, WR_NFT_counter)->kind, WR_NFT_counter);
	assert_int_equal(rule->n_exprs, 100);
}

static void test_rules(void **state)
{
	struct wr_nft_expr exprs[2] = {E(counter), E(meta, .dreg = 8)};
	struct wr_nft_rule a = {.exprs = exprs, .n_exprs = 2, .handle = 1}, b = a;

	b.handle = 2;
	assert_true(wr_nft_rule_equal(&a, &b));
	b.comment = "x";
	assert_false(wr_nft_rule_equal(&a, &b));
	b.comment = NULL;
	b.n_exprs = 1;
	assert_false(wr_nft_rule_equal(&a, &b));
	b.exprs = &exprs[1];
	a.n_exprs = 1;
	assert_false(wr_nft_rule_equal(&a, &b));
}

static void test_chains(void **state)
{
	struct wr_nft_chain a = {.type = "filter", .hook = 1, .priority = 2, .policy = NF_DROP}, b = a;

	b.policy = NF_ACCEPT;
	assert_true(wr_nft_chain_same(&a, &b));
	b.hook = 2;
	assert_false(wr_nft_chain_same(&a, &b));
	b = a;
	b.priority = -2;
	assert_false(wr_nft_chain_same(&a, &b));
	b = a;
	b.type = "nat";
	assert_false(wr_nft_chain_same(&a, &b));
	b = a;
	b.device = "eth0";
	assert_false(wr_nft_chain_same(&a, &b));
	b = a;
	b.type = NULL;
	assert_false(wr_nft_chain_same(&a, &b));
	a.type = NULL;
	b.hook = 2; /* means nothing to a chain that is not hooked in */
	assert_true(wr_nft_chain_same(&a, &b));
}

static void test_sets(void **state)
{
	struct wr_nft_set a = {.flags = NFT_SET_MAP | NFT_SET_INTERVAL | NFT_SET_CONCAT,
			       .key_type = 1,
			       .key_length = 8,
			       .data_type = 2,
			       .data_length = 4,
			       .fields = {4, 2},
			       .n_fields = 2},
			  b = a;

	b.size = 7; /* can stay as it is */
	assert_true(wr_nft_set_same(&a, &b));
#define DIFFERS(field, value)                                                                                          \
	b = a, b.field = value;                                                                                        \
	assert_false(wr_nft_set_same(&a, &b))
	DIFFERS(flags, NFT_SET_MAP);
	DIFFERS(key_type, 2);
	DIFFERS(key_length, 4);
	DIFFERS(data_type, 3);
	DIFFERS(data_length, 8);
	DIFFERS(timeout_ms, 1);
	DIFFERS(n_fields, 1);
	DIFFERS(fields[1], 4);
	a.data_type = NFT_DATA_VERDICT;
	b = a;
	b.data_length = 16;
	assert_true(wr_nft_set_same(&a, &b));
	a.flags = b.flags = 0;
	b.data_type = 0; /* a set has none */
	assert_true(wr_nft_set_same(&a, &b));
}

static void test_elements(void **state)
{
	const uint8_t key[4] = "abc", same[4] = "abc", other[4] = "abd";
	struct wr_nft_set set = {.flags = NFT_SET_MAP, .key_length = 4, .data_length = 4};
	struct wr_nft_element a = {.key = key, .data = key}, b = {.key = same, .data = same, .comment = "x"};

	assert_true(wr_nft_element_equal(&set, &a, &b));
	b.key = other;
	assert_false(wr_nft_element_equal(&set, &a, &b));
	b.key = NULL;
	assert_false(wr_nft_element_equal(&set, &a, &b));
	b.key = same;
	b.key_end = other;
	assert_false(wr_nft_element_equal(&set, &a, &b));
	b.key_end = NULL;
	b.data = other;
	assert_false(wr_nft_element_equal(&set, &a, &b));
	set.flags = 0;
	assert_true(wr_nft_element_equal(&set, &a, &b));
	b.interval_end = true;
	assert_false(wr_nft_element_equal(&set, &a, &b));
	b.interval_end = false;
	set.flags = NFT_SET_MAP;
	set.data_type = NFT_DATA_VERDICT;
	assert_true(wr_nft_element_equal(&set, &a, &b));
	b.verdict = NFT_JUMP;
	assert_false(wr_nft_element_equal(&set, &a, &b));
	a.verdict = NFT_JUMP;
	a.chain = "x";
	assert_false(wr_nft_element_equal(&set, &a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exprs),	 cmocka_unit_test(test_names),	cmocka_unit_test(test_lists),
		cmocka_unit_test(test_rules),	 cmocka_unit_test(test_chains), cmocka_unit_test(test_sets),
		cmocka_unit_test(test_elements),
	};

	return cmocka_run_group_tests_name("model_nft", tests, NULL, NULL);
}
