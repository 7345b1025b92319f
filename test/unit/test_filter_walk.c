/* Tests of filter/walk.c: what becomes of a packet in a chain. */
#include "ruleset.h"

#include "filter/walk.h"

static int setup(void **state)
{
	static struct ruleset set;
	struct wr_arena *arena = wr_arena_new();
	struct wr_model *model = arena ? wr_model_new(arena, "shop") : NULL;

	if (!model)
		return -1;
	set = (struct ruleset){.arena = arena};
	set.table = wr_ns_add_table(wr_model_host(model), NFPROTO_INET, "t");
	*state = &set;
	return set.table ? 0 : -1;
}

static int teardown(void **state)
{
	wr_arena_free(((struct ruleset *)*state)->arena);
	return 0;
}

static struct wr_ip ip(const char *text)
{
	struct wr_ip ip = {0};

	assert_int_equal(wr_ip_parse(text, &ip), 0);
	return ip;
}

static struct wr_flow usual_flow(void)
{
	return (struct wr_flow){
		.iif = "shop-lan",
		.oif = "eth0",
		.iifgroup = 7,
		.from = ip("10.2.0.2"),
		.to = {.family = AF_INET},
		.is_new = true,
	};
}

static struct wr_walk_result walk(struct ruleset *set, const struct wr_flow *flow)
{
	struct wr_walk_result result;

	wr_walk(set->table, wr_nft_find_chain(set->table, "forward"), flow, &result);
	return result;
}

/* What one rule does in a chain that otherwise accepts: "yes" it drops, "no", "maybe". */
static const char *drops(const char *rule, const struct wr_flow *flow)
{
	void *state = NULL;
	char words[128];
	struct wr_walk_result result;

	assert_int_equal(setup(&state), 0);
	snprintf(words, sizeof words, "%s drop", rule);
	INTERVALS((struct ruleset *)state, "private", "10.0.0.0", "11.0.0.0", "192.168.0.0", "192.169.0.0");
	NAMES((struct ruleset *)state, "names", "shop-lan", "eth1");
	CHAIN((struct ruleset *)state, "forward", "accept", words);
	result = walk(state, flow);
	teardown(&state);
	if (result.certain)
		return result.possible == WR_WALK_DROP && result.usual == WR_WALK_DROP	     ? "yes"
		       : result.possible == WR_WALK_ACCEPT && result.usual == WR_WALK_ACCEPT ? "no"
											     : "wrong";
	return result.possible == (WR_WALK_DROP | WR_WALK_ACCEPT) && result.usual == WR_WALK_ACCEPT ? "maybe" : "wrong";
}

static void test_matches(void **state)
{
	static const struct {
		const char *rule, *expected;
	} rows[] = {
		{"iif=shop-lan", "yes"},
		{"iif=shop-la", "no"},
		{"iif=shop-*", "yes"},
		{"iif=shop-lan*", "yes"},
		{"iif=shop-lane*", "no"},
		{"iif!=shop-*", "no"},
		{"iif!=eth*", "yes"},
		{"iif=shop-lan oif=eth0", "yes"},
		{"iif=shop-lan oif!=eth0", "no"},
		{"group=7", "yes"},
		{"group=8", "no"},
		{"kind=veth", "maybe"},
		{"kind=veth oif=eth1", "no"},
		{"state=new", "yes"},
		{"state=established,related", "no"},
		{"status=dnat", "no"},
		{"from=10.2.0.2", "yes"},
		{"from=10.2.0.0/16", "yes"},
		{"from=10.3.0.0/16", "no"},
		{"to=10.3.0.0/16", "maybe"},
		{"proto=6", "maybe"},
		{"proto=6 port=80", "maybe"},
		{"toset=private", "maybe"},
		{"in=names", "yes"},
		{"notin=names", "no"},
		{"in=missing", "maybe"},
		{"limit", "maybe"},
		{"counter", "yes"},
		{"xtstate=new", "yes"},
		{"xtstate=established", "no"},
		{"xtbridged", "no"},
		{"xtcomment=hello", "yes"},
		{"xt=addrtype", "maybe"},
		{"target=LOG", "yes"},
	};
	struct wr_flow flow = usual_flow();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *got = drops(rows[i].rule, &flow);

		if (strcmp(got, rows[i].expected) != 0)
			fail_msg("'%s': %s, not %s", rows[i].rule, got, rows[i].expected);
	}
}

/* The same rules, for packets of which something else is known. */
static void test_what_is_known(void **state)
{
	struct wr_flow flow = usual_flow();

	(void)state;
	flow.is_new = false;
	assert_string_equal(drops("state=established,related", &flow), "yes");
	assert_string_equal(drops("xtstate=established", &flow), "yes");
	assert_string_equal(drops("state=new", &flow), "no");
	flow.is_translated = true;
	assert_string_equal(drops("status=dnat", &flow), "yes");
	flow.protocol = IPPROTO_TCP;
	flow.port = 443;
	assert_string_equal(drops("proto=6 port=443", &flow), "yes");
	assert_string_equal(drops("proto=17 port=443", &flow), "no");
	assert_string_equal(drops("proto=6 port=80", &flow), "no");
	assert_string_equal(drops("proto=6 port=400-500", &flow), "yes");
	assert_string_equal(drops("proto=6 port=444-500", &flow), "no");
	flow.to = ip("192.168.255.255");
	assert_string_equal(drops("toset=private", &flow), "yes");
	flow.to = ip("192.169.0.0");
	assert_string_equal(drops("toset=private", &flow), "no");
	flow.to = ip("9.255.255.255");
	assert_string_equal(drops("toset=private", &flow), "no");
	flow.to = ip("10.0.0.0");
	assert_string_equal(drops("toset=private", &flow), "yes");
	flow.bridge = "shop-lan";
	assert_string_equal(drops("xtbridged", &flow), "yes");
	flow.iif = NULL;
	assert_string_equal(drops("iif=shop-lan", &flow), "maybe");
	assert_string_equal(drops("in=names", &flow), "maybe");
}

/* Parts of a key, each in a range of its own: (protocol . port) of 6 . 80-90. */
static void test_concatenated_ranges(void **state)
{
	struct ruleset *set = *state;
	static const uint8_t first[8] = {6, 0, 0, 0, 0, 80}, last[8] = {6, 0, 0, 0, 0, 90};
	static const struct {
		uint8_t protocol;
		uint16_t port;
		enum wr_walk_verdict usual;
		bool certain;
	} rows[] = {
		{6, 80, WR_WALK_DROP, true},   {6, 90, WR_WALK_DROP, true},    {6, 79, WR_WALK_ACCEPT, true},
		{6, 91, WR_WALK_ACCEPT, true}, {17, 80, WR_WALK_ACCEPT, true}, {6, 0, WR_WALK_ACCEPT, false},
		{17, 0, WR_WALK_ACCEPT, true},
	};
	struct wr_nft_set *made = wr_nft_add_set(set->arena, set->table, "ports");
	struct wr_nft_element *element = wr_nft_add_element(set->arena, made);
	struct wr_nft_expr *expr;

	made->flags = NFT_SET_INTERVAL | NFT_SET_CONCAT;
	made->key_length = 8;
	made->n_fields = 2;
	made->fields[0] = 1;
	made->fields[1] = 2;
	made->deep = true;
	element->key = first;
	element->key_end = last;
	CHAIN(set, "forward", "accept", "counter");
	set->rule = wr_nft_add_rule(set->arena, wr_nft_find_chain(set->table, "forward"));
	load_meta_key(set, NFT_META_L4PROTO);
	load_payload_part(set, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	set->rule->exprs[1].dreg = NFT_REG32_01;
	expr = look_up_in(set, "ports");
	assert_non_null(expr);
	add_verdict(set, NF_DROP, NULL);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wr_flow flow = usual_flow();
		struct wr_walk_result result;

		flow.protocol = rows[i].protocol;
		flow.port = rows[i].port;
		result = walk(set, &flow);
		assert_int_equal(result.usual, rows[i].usual);
		assert_int_equal(result.certain, rows[i].certain);
	}
}

static void test_ipv6(void **state)
{
	struct ruleset *set = *state;
	struct wr_flow flow = usual_flow();
	struct wr_ip inside = ip("fd02::2");

	flow.from = inside;
	flow.to = (struct wr_ip){.family = AF_INET6};
	CHAIN(set, "forward", "accept", "counter");
	set->rule = wr_nft_add_rule(set->arena, wr_nft_find_chain(set->table, "forward"));
	load_payload_part(set, NFT_PAYLOAD_NETWORK_HEADER, 8, 16);
	compare_bytes(set, NFT_CMP_EQ, inside.bytes, 16);
	add_verdict(set, NF_DROP, NULL);
	assert_int_equal(walk(set, &flow).possible, WR_WALK_DROP);
	flow.from = ip("fd02::3");
	assert_int_equal(walk(set, &flow).possible, WR_WALK_ACCEPT);
	flow.from = (struct wr_ip){.family = AF_INET6};
	assert_false(walk(set, &flow).certain);
}

static void test_jumps(void **state)
{
	struct ruleset *set = *state;
	struct wr_flow flow = usual_flow();
	struct wr_walk_result result;

	CHAIN(set, "forward", "drop", "jump:user", "jump:isolation", "oif=docker0 accept", "iif=docker0 accept");
	CHAIN(set, "user", NULL, "counter return", "accept");
	CHAIN(set, "isolation", NULL, "iif=docker0 oif!=docker0 jump:stage2", "return");
	CHAIN(set, "stage2", NULL, "oif=docker0 drop", "return");
	result = walk(set, &flow);
	assert_int_equal(result.possible, WR_WALK_DROP);
	assert_int_equal(result.usual, WR_WALK_DROP);
	assert_true(result.certain);
	assert_string_equal(result.chain->name, "forward");
	assert_null(result.rule);
	flow.iif = "docker0";
	assert_int_equal(walk(set, &flow).possible, WR_WALK_ACCEPT);
}

static void test_goto_does_not_come_back(void **state)
{
	struct ruleset *set = *state;
	struct wr_flow flow = usual_flow();
	struct wr_walk_result result;

	CHAIN(set, "forward", "accept", "jump:first", "iif=shop-lan drop");
	CHAIN(set, "first", NULL, "goto:second", "accept");
	CHAIN(set, "second", NULL, "counter");
	result = walk(set, &flow);
	assert_int_equal(result.possible, WR_WALK_DROP);
	assert_int_equal(result.rule->handle, 2);
	assert_string_equal(result.chain->name, "forward");
}

static void test_verdict_map(void **state)
{
	struct ruleset *set = *state;
	struct wr_flow flow = usual_flow();
	struct wr_walk_result result;

	NAMES(set, "zones", "shop-lan:public", "eth0:accept", "*:drop");
	CHAIN(set, "forward", "accept", "vmap=zones", "drop");
	CHAIN(set, "public", NULL, "reject");
	result = walk(set, &flow);
	assert_int_equal(result.usual, WR_WALK_DROP);
	assert_string_equal(result.chain->name, "public");
	flow.iif = "eth0";
	assert_int_equal(walk(set, &flow).possible, WR_WALK_ACCEPT);
	flow.iif = "eth1";
	assert_int_equal(walk(set, &flow).possible, WR_WALK_DROP);
	flow.iif = NULL;
	result = walk(set, &flow);
	assert_int_equal(result.possible, WR_WALK_ACCEPT | WR_WALK_DROP);
	assert_false(result.certain);
}

/* Exceptions do not let a network's traffic pass, and do not keep it. */
static void test_usual(void **state)
{
	struct ruleset *set = *state;
	struct wr_flow flow = usual_flow();
	struct wr_walk_result result;

	CHAIN(set, "forward", "drop", "to=10.9.0.0/16 accept", "proto=6 port=443 accept", "xt=set jump:more");
	CHAIN(set, "more", NULL, "accept");
	result = walk(set, &flow);
	assert_int_equal(result.possible, WR_WALK_ACCEPT | WR_WALK_DROP);
	assert_int_equal(result.usual, WR_WALK_DROP);
	assert_false(result.certain);
	assert_null(result.rule);
}

static void test_usual_behind_exceptions(void **state)
{
	struct ruleset *set = *state;
	struct wr_flow flow = usual_flow();
	struct wr_walk_result result;

	CHAIN(set, "forward", "drop", "to=10.9.0.0/16 drop", "xt=set drop", "limit goto:log", "jump:log",
	      "iif=shop-* accept");
	CHAIN(set, "log", NULL, "target=NFLOG");
	result = walk(set, &flow);
	assert_int_equal(result.usual, WR_WALK_ACCEPT);
	assert_int_equal(result.possible, WR_WALK_ACCEPT | WR_WALK_DROP);
	assert_null(result.chain);
}

static void test_targets(void **state)
{
	struct ruleset *set = *state;
	struct wr_flow flow = usual_flow();
	struct wr_walk_result result;

	CHAIN(set, "forward", "accept", "target=MARK", "target=NFQUEUE", "target=REJECT");
	result = walk(set, &flow);
	assert_int_equal(result.usual, WR_WALK_DROP);
	assert_int_equal(result.possible, WR_WALK_ACCEPT | WR_WALK_DROP);
	assert_int_equal(result.rule->handle, 3);
}

/* Whatever is written in a table that somebody else made, the walk ends. */
static void test_bounds(void **state)
{
	struct ruleset *set = *state;
	struct wr_flow flow = usual_flow();
	struct wr_walk_result result;

	CHAIN(set, "forward", "accept", "jump:around");
	CHAIN(set, "around", NULL, "jump:around", "jump:around");
	result = walk(set, &flow);
	assert_false(result.certain);
	assert_int_equal(result.possible, WR_WALK_ACCEPT | WR_WALK_DROP);
}

/* Registers and lengths that no kernel would take. */
static void test_nonsense(void **state)
{
	struct ruleset *set = *state;
	struct wr_flow flow = usual_flow();
	struct wr_nft_chain *chain;

	CHAIN(set, "forward", "accept", "counter");
	chain = wr_nft_find_chain(set->table, "forward");
	for (int kind = 0; kind < WR_NFT_EXPR_COUNT_; kind++) {
		struct wr_nft_rule *rule = wr_nft_add_rule(set->arena, chain);
		struct wr_nft_expr *expr = wr_nft_add_expr(set->arena, rule, kind);

		expr->dreg = expr->sreg = NFT_REG32_15;
		if (kind == WR_NFT_payload) {
			expr->payload.offset = UINT32_MAX;
			expr->payload.length = UINT32_MAX;
		} else if (kind == WR_NFT_cmp) {
			expr->cmp.value.length = WR_NFT_VALUE_MAX;
		} else if (kind == WR_NFT_bitwise) {
			expr->bitwise.length = UINT32_MAX;
		} else if (kind == WR_NFT_lookup) {
			expr->lookup.set = "none";
		} else if (kind == WR_NFT_exthdr) {
			expr->exthdr.length = UINT32_MAX;
		} else if (kind == WR_NFT_other) {
			expr->other.name = "match";
			expr->other.says = "conntrack";
			expr->other.bytes = (const uint8_t *)"\xff\xff\x03\x00";
			expr->other.length = 4;
		}
	}
	assert_false(walk(set, &flow).possible == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_what_is_known),
		cmocka_unit_test_setup_teardown(test_concatenated_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipv6, setup, teardown),
		cmocka_unit_test_setup_teardown(test_jumps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_goto_does_not_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verdict_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_usual, setup, teardown),
		cmocka_unit_test_setup_teardown(test_usual_behind_exceptions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
