/* Tests of src/filter/delta.c: a delta, carried out one change after the other, makes one table of another, and nothing in it
 * stands in the way of what follows. */
#include "netfile.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "filter/delta.h"
#include "filter/filter.h"
#include "model/model.h"
#include "model/nft.h"

/* --- a kernel that keeps one table and refuses what the real one refuses ------------------------------------------------- */

static const struct wr_nft_set *referred_set(const struct wr_nft_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_chains; i++)
		for (size_t k = 0; k < table->chains[i].n_rules; k++)
			for (size_t e = 0; e < table->chains[i].rules[k].n_exprs; e++) {
				const struct wr_nft_expr *expr = &table->chains[i].rules[k].exprs[e];

				if ((expr->kind == WR_NFT_lookup && !strcmp(expr->lookup.set, name)) ||
				    (expr->kind == WR_NFT_dynset && !strcmp(expr->dynset.set, name)))
					return wr_nft_find_set(table, name);
			}
	return NULL;
}

static bool referred_chain(const struct wr_nft_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_chains; i++)
		for (size_t k = 0; k < table->chains[i].n_rules; k++)
			for (size_t e = 0; e < table->chains[i].rules[k].n_exprs; e++) {
				const struct wr_nft_expr *expr = &table->chains[i].rules[k].exprs[e];

				if (expr->kind == WR_NFT_immediate && expr->immediate.chain &&
				    !strcmp(expr->immediate.chain, name))
					return true;
			}
	return false;
}

static size_t find_element(const struct wr_nft_set *set, const struct wr_nft_element *like)
{
	for (size_t i = 0; i < set->n_elements; i++)
		if (!memcmp(set->elements[i].key, like->key, set->key_length) &&
		    set->elements[i].interval_end == like->interval_end)
			return i;
	return SIZE_MAX;
}

static void carry_elements(struct wr_arena *arena, struct wr_nft_table *table, const struct wr_nft_change *change)
{
	struct wr_nft_set *set = wr_nft_find_set(table, change->set->name);

	assert_non_null(set);
	for (size_t i = 0; i < change->n_elements; i++) {
		size_t at = find_element(set, change->elements[i]);

		if (change->kind == WR_NFT_ADD_ELEMENTS) {
			assert_int_equal(at, SIZE_MAX);
			*wr_nft_add_element(arena, set) = *change->elements[i];
		} else {
			assert_int_not_equal(at, SIZE_MAX);
			set->elements[at] = set->elements[--set->n_elements];
		}
	}
}

static void carry_rule(struct wr_arena *arena, struct wr_nft_table *table, const struct wr_nft_change *change)
{
	struct wr_nft_chain *chain = wr_nft_find_chain(table, change->chain->name);

	assert_non_null(chain);
	for (size_t e = 0; e < change->rule->n_exprs; e++) {
		const struct wr_nft_expr *expr = &change->rule->exprs[e];

		if (expr->kind == WR_NFT_lookup)
			assert_non_null(wr_nft_find_set(table, expr->lookup.set));
		if (expr->kind == WR_NFT_dynset)
			assert_non_null(wr_nft_find_set(table, expr->dynset.set));
		if (expr->kind == WR_NFT_immediate && expr->immediate.chain)
			assert_non_null(wr_nft_find_chain(table, expr->immediate.chain));
	}
	*wr_nft_add_rule(arena, chain) = *change->rule;
}

static void carry_set(struct wr_arena *arena, struct wr_nft_table *table, const struct wr_nft_change *change)
{
	struct wr_nft_set *set = wr_nft_find_set(table, change->set->name);

	if (change->kind == WR_NFT_ADD_SET) {
		assert_null(set);
		set = wr_nft_add_set(arena, table, change->set->name);
		*set = *change->set;
		set->elements = NULL;
		set->n_elements = set->capacity_elements = 0;
		return;
	}
	assert_non_null(set);
	assert_null(referred_set(table, set->name));
	*set = table->sets[--table->n_sets];
}

static void carry_chain(struct wr_arena *arena, struct wr_nft_table *table, const struct wr_nft_change *change)
{
	struct wr_nft_chain *chain = wr_nft_find_chain(table, change->chain->name);

	if (change->kind == WR_NFT_ADD_CHAIN) {
		assert_null(chain);
		chain = wr_nft_add_chain(arena, table, change->chain->name);
		*chain = *change->chain;
		chain->rules = NULL;
		chain->n_rules = chain->capacity_rules = 0;
		return;
	}
	assert_non_null(chain);
	assert_int_equal(chain->n_rules, 0);
	assert_false(referred_chain(table, chain->name));
	*chain = table->chains[--table->n_chains];
}

static void carry_out(struct wr_arena *arena, struct wr_nft_table *table, const struct wr_nft_change *change)
{
	struct wr_nft_chain *chain = change->chain ? wr_nft_find_chain(table, change->chain->name) : NULL;

	switch ((enum wr_nft_change_kind)change->kind) {
	case WR_NFT_ADD_TABLE:
	case WR_NFT_DEL_TABLE:
		table->n_chains = table->n_sets = 0;
		break;
	case WR_NFT_ADD_SET:
	case WR_NFT_DEL_SET:
		carry_set(arena, table, change);
		break;
	case WR_NFT_ADD_CHAIN:
	case WR_NFT_DEL_CHAIN:
		carry_chain(arena, table, change);
		break;
	case WR_NFT_SET_POLICY:
		assert_non_null(chain);
		chain->policy = change->chain->policy;
		break;
	case WR_NFT_FLUSH_CHAIN:
		assert_non_null(chain);
		chain->n_rules = 0;
		break;
	case WR_NFT_ADD_RULE:
		carry_rule(arena, table, change);
		break;
	case WR_NFT_ADD_ELEMENTS:
	case WR_NFT_DEL_ELEMENTS:
		carry_elements(arena, table, change);
		break;
	case WR_NFT_INSERT_RULE:
	case WR_NFT_DEL_RULE:
	case WR_NFT_CHANGES_:
		fail();
	}
}

/* A table of its own with the same in it. */
static struct wr_nft_table *copy_table(struct wr_arena *arena, const struct wr_nft_table *table)
{
	struct wr_nft_table *copy = wr_arena_memdup(arena, table, sizeof *table);

	copy->chains = wr_arena_memdup(arena, table->chains, table->n_chains * sizeof *table->chains);
	copy->sets = wr_arena_memdup(arena, table->sets, table->n_sets * sizeof *table->sets);
	copy->capacity_chains = copy->n_chains;
	copy->capacity_sets = copy->n_sets;
	for (size_t i = 0; i < copy->n_sets; i++) {
		copy->sets[i].elements = wr_arena_memdup(arena, copy->sets[i].elements,
							 copy->sets[i].n_elements * sizeof *copy->sets[i].elements);
		copy->sets[i].capacity_elements = copy->sets[i].n_elements;
	}
	for (size_t i = 0; i < copy->n_chains; i++) {
		copy->chains[i].rules = wr_arena_memdup(arena, copy->chains[i].rules,
							copy->chains[i].n_rules * sizeof *copy->chains[i].rules);
		copy->chains[i].capacity_rules = copy->chains[i].n_rules;
	}
	return copy;
}

/* --- what is compared ------------------------------------------------------------------------------------------------------- */

static int setup(void **state)
{
	*state = wr_arena_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	wr_arena_free(*state);
	return 0;
}

static struct wr_nft_table *make(struct wr_arena *arena, const char *ns, uint8_t family, const char *text)
{
	struct wr_text messages WR_CLEANUP_TEXT = {0};
	struct wr_model *model = read_file(arena, text, strlen(text), NULL, &messages);

	if (!model)
		fail_msg("%s", wr_text_string(&messages));
	assert_int_equal(wr_filter_want(model), 0);
	return wr_ns_find_table(wr_model_find_ns(model, ns), family, "warren-net");
}

static const struct wr_nft_delta *compare(struct wr_arena *arena, const struct wr_nft_table *wanted,
					  const struct wr_nft_table *live)
{
	struct wr_nft_delta *delta = NULL;

	assert_int_equal(wr_nft_compare(wanted, live, arena, &delta), 0);
	return delta;
}

static size_t count(const struct wr_nft_delta *delta, enum wr_nft_change_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < delta->n_changes; i++)
		n += delta->changes[i].kind == kind ? (delta->changes[i].n_elements ? delta->changes[i].n_elements : 1)
						    : 0;
	return n;
}

/* From live to wanted, and there is nothing left to do. */
static const struct wr_nft_delta *change(struct wr_arena *arena, const struct wr_nft_table *wanted,
					 const struct wr_nft_table *live)
{
	const struct wr_nft_delta *delta = compare(arena, wanted, live);
	struct wr_nft_table *now = copy_table(arena, live ? live : wanted);

	for (size_t i = 0; i < delta->n_changes; i++)
		carry_out(arena, now, &delta->changes[i]);
	now->flags = wanted->flags;
	assert_int_equal(now->n_chains, wanted->n_chains);
	assert_int_equal(now->n_sets, wanted->n_sets);
	assert_int_equal(compare(arena, wanted, now)->n_changes, 0);
	return delta;
}

#define FILE_OF(publishes, lan)                                                                                        \
	"name: net\nbridges: {lan: {subnet: 10.2.0.0/24, host: true, " lan "}}\n"                                      \
	"namespaces: {web: {interfaces: {eth0: lan}, publish: [" publishes "]}}\n"
#define HOST(arena, publishes, lan) make(arena, "host", NFPROTO_INET, FILE_OF(publishes, lan))
#define WALL(arena, hooks)	    make(arena, "web", NFPROTO_INET, "name: net\nnamespaces: {web: {firewall: {" hooks "}}}\n")

static void test_whole(void **state)
{
	struct wr_nft_table *table = HOST(*state, "'8080:80'", "nat: true");
	const struct wr_nft_delta *delta = change(*state, table, NULL);

	assert_int_equal(delta->changes[0].kind, WR_NFT_ADD_TABLE);
	assert_int_equal(count(delta, WR_NFT_ADD_SET), table->n_sets);
	delta = compare(*state, NULL, table);
	assert_int_equal(delta->n_changes, 1);
	assert_int_equal(delta->changes[0].kind, WR_NFT_DEL_TABLE);
	assert_int_equal(compare(*state, table, copy_table(*state, table))->n_changes, 0);
}

static void test_one_port(void **state)
{
	struct wr_nft_table *one = HOST(*state, "'8080:80'", "nat: true");
	struct wr_nft_table *two = HOST(*state, "'8080:80', '8081:80'", "nat: true");
	struct wr_nft_table *other = HOST(*state, "'8080:81'", "nat: true");
	const struct wr_nft_delta *delta = change(*state, two, one);

	assert_int_equal(delta->n_changes, 1);
	assert_int_equal(count(delta, WR_NFT_ADD_ELEMENTS), 1);
	delta = change(*state, one, two);
	assert_int_equal(delta->n_changes, 1);
	assert_int_equal(count(delta, WR_NFT_DEL_ELEMENTS), 1);
	/* The same key with other data: the old one first. */
	delta = change(*state, other, one);
	assert_int_equal(delta->n_changes, 2);
	assert_int_equal(delta->changes[0].kind, WR_NFT_DEL_ELEMENTS);
	assert_int_equal(delta->changes[1].kind, WR_NFT_ADD_ELEMENTS);
	assert_int_equal(delta->n_elements, 2);
}

static void test_kinds(void **state)
{
	struct wr_nft_table *plain = HOST(*state, "", "nat: false");
	struct wr_nft_table *nat = HOST(*state, "", "nat: true");
	struct wr_nft_table *publish = HOST(*state, "'8080:80'", "isolated: true");
	struct wr_nft_table *tables[] = {plain, nat, publish};

	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++)
			change(*state, tables[i], tables[k]);
	/* The rules of forward say nothing of nat. */
	assert_int_equal(count(change(*state, nat, plain), WR_NFT_FLUSH_CHAIN), 0);
}

static void test_sets_remade(void **state)
{
	struct wr_nft_table *hash = WALL(*state, "input: {policy: drop, accept: [tcp 80 443]}");
	struct wr_nft_table *interval = WALL(*state, "input: {policy: drop, accept: [tcp 80-443]}");
	const struct wr_nft_delta *delta = change(*state, interval, hash);

	assert_int_equal(count(delta, WR_NFT_DEL_SET), 1);
	assert_int_equal(count(delta, WR_NFT_ADD_SET), 1);
	assert_int_equal(count(delta, WR_NFT_FLUSH_CHAIN), 1);
	assert_int_equal(count(delta, WR_NFT_DEL_CHAIN), 0);
	change(*state, hash, interval);
	/* Of the same rules, those that look into it are made anew. */
	interval->chains[0].rules[4].comment = hash->chains[0].rules[4].comment;
	assert_int_equal(count(change(*state, interval, hash), WR_NFT_FLUSH_CHAIN), 1);
}

static void test_chains(void **state)
{
	struct wr_nft_table *plain = WALL(*state, "input: {policy: drop, accept: [tcp 80]}");
	struct wr_nft_table *open = WALL(*state, "input: {policy: accept}");
	struct wr_nft_table *log =
		WALL(*state, "input: {policy: drop, log: true, accept: [tcp 80]}, output: {deny: [udp]}");
	struct wr_nft_table *tables[] = {plain, open, log};

	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++)
			change(*state, tables[i], tables[k]);
	assert_int_equal(count(change(*state, open, plain), WR_NFT_SET_POLICY), 1);
	assert_int_equal(count(change(*state, plain, log), WR_NFT_DEL_CHAIN), 2);
}

/* A hook that somebody has made anew with another priority: all that jumps from or to it goes along. */
static void test_chain_remade(void **state)
{
	struct wr_nft_table *wanted = WALL(*state, "input: {policy: drop, log: true}");
	struct wr_nft_table *live = copy_table(*state, wanted);
	const struct wr_nft_delta *delta;

	live->chains[0].type = "filter";
	live->chains[0].hook = NF_INET_LOCAL_IN;
	assert_string_equal(live->chains[0].name, "denied-input");
	delta = change(*state, wanted, live);
	assert_int_equal(count(delta, WR_NFT_DEL_CHAIN), 1);
	assert_int_equal(count(delta, WR_NFT_FLUSH_CHAIN), 2);
}

static void test_intervals(void **state)
{
	static const char *const ports[] = {"80-90",   "80-91 200", "70-80 82-90",
					    "1-65535", "80-65535",  "1-80 82-90 200"};
	size_t n = sizeof ports / sizeof ports[0];
	struct wr_nft_table *tables[sizeof ports / sizeof ports[0]];

	for (size_t i = 0; i < n; i++) {
		const char *text = wr_arena_printf(*state,
						   "name: net\nnamespaces: {web: {firewall: {input: {policy: drop, "
						   "accept: [tcp %s]}}}}\n",
						   ports[i]);

		tables[i] = make(*state, "web", NFPROTO_INET, text);
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			const struct wr_nft_delta *delta = change(*state, tables[i], tables[k]);

			/* Both ends of an interval, or none: here each has two. */
			for (size_t c = 0; c < delta->n_changes && i != 3 && i != 4 && k != 3 && k != 4; c++)
				assert_int_equal(delta->changes[c].n_elements % 2, 0);
		}
	}
	assert_int_equal(count(change(*state, tables[2], tables[5]), WR_NFT_DEL_ELEMENTS), 4);
	assert_int_equal(count(change(*state, tables[2], tables[5]), WR_NFT_ADD_ELEMENTS), 2);
}

/* nft writes an end before the first interval, and the kernel lists in any order. */
static void test_foreign_intervals(void **state)
{
	struct wr_nft_table *wanted = WALL(*state, "input: {policy: drop, accept: [tcp 80-90 200]}");
	struct wr_nft_table *live = copy_table(*state, wanted);
	struct wr_nft_set *set = wr_nft_find_set(live, "input-1-ports");
	struct wr_nft_element *zero = wr_nft_add_element(*state, set), swapped;

	zero->key = (const uint8_t *)"\0";
	zero->interval_end = true;
	swapped = set->elements[0];
	set->elements[0] = set->elements[3];
	set->elements[3] = swapped;
	assert_int_equal(compare(*state, wanted, live)->n_changes, 0);
}

static void test_kept_apart(void **state)
{
	struct wr_nft_table *wanted = HOST(*state, "", "nat: true");
	struct wr_nft_table *live = copy_table(*state, wanted);
	struct wr_nft_set *before = wr_nft_find_set(live, WR_FILTER_BEFORE);
	const struct wr_nft_delta *delta;

	before->kept_apart = false;
	*wr_nft_add_element(*state, before) = *wr_filter_before(*state, "eth0", 0, 0);
	assert_int_equal(compare(*state, wanted, live)->n_changes, 0);
	/* Somebody has put the table to sleep: it is made anew, the notes with it. */
	live->flags = NFT_TABLE_F_DORMANT;
	delta = change(*state, wanted, live);
	assert_int_equal(delta->changes[0].kind, WR_NFT_DEL_TABLE);
	assert_int_equal(delta->changes[1].kind, WR_NFT_ADD_TABLE);
	assert_int_equal(delta->changes[delta->n_changes - 1].kind, WR_NFT_ADD_ELEMENTS);
	assert_string_equal(delta->changes[delta->n_changes - 1].set->name, WR_FILTER_BEFORE);
}

static void test_strangers(void **state)
{
	struct wr_nft_table *wanted = HOST(*state, "'8080:80'", "nat: true");
	struct wr_nft_table *live = copy_table(*state, wanted);
	struct wr_nft_set *set = wr_nft_add_set(*state, live, "theirs");
	struct wr_nft_chain *chain = wr_nft_add_chain(*state, live, "theirs");
	struct wr_nft_element *dynamic;
	const struct wr_nft_delta *delta;

	chain->deep = set->deep = true;
	set->key_length = 4;
	delta = change(*state, wanted, live);
	assert_int_equal(delta->n_changes, 2);
	/* What has a timeout goes by itself. */
	live = copy_table(*state, wanted);
	dynamic = wr_nft_add_element(*state, wr_nft_find_set(live, "own"));
	dynamic->key = (const uint8_t *)"eth7\0\0\0\0\0\0\0\0\0\0\0";
	dynamic->dynamic = true;
	assert_int_equal(compare(*state, wanted, live)->n_changes, 0);
	dynamic->dynamic = false;
	assert_int_equal(count(compare(*state, wanted, live), WR_NFT_DEL_ELEMENTS), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_port, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sets_remade, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chains, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain_remade, setup, teardown),
		cmocka_unit_test_setup_teardown(test_intervals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_intervals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kept_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
