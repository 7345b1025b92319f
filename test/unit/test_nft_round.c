/* Tests of kernel/nft*.c and live/decode_nft*.c together: what is written into the kernel is read back as it was wanted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "nft_table.h"

#include <linux/netfilter/nfnetlink.h>

#include "live/decode_nft.h"

typedef int (*decoder)(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);

struct reader {
	struct wr_nft_reading reading;
	decoder decode;
};

static int read_one(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	struct reader *reader = data;

	return reader->decode(&reader->reading, message, reterr);
}

/* One list of the kernel's; of a set, its elements. */
static void read_list(struct machine *m, struct reader *reader, uint16_t type, const char *table, const char *set)
{
	_Alignas(struct nlmsghdr) char buffer[1024];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header;
	struct wr_nl *nl;

	request->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	header = mnl_nlmsg_put_extra_header(request, sizeof *header);
	header->nfgen_family = NFPROTO_INET;
	if (set != NULL) {
		mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_TABLE, table);
		mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_SET, set);
	}
	assert_int_equal(wr_nft_open(&m->host, &m->host.self, &nl, &m->error), 0);
	if (wr_nl_dump(nl, request, read_one, NULL, reader, &m->error) < 0)
		fail_msg("%s", m->error.text);
}

/* The table of that name, as it is there. */
static const struct wr_nft_table *read_table(struct machine *m, const char *name)
{
	struct wr_model *live = wr_model_new(m->arena, "shop");
	struct reader reader = {.reading = {.ns = wr_model_host(live)}, .decode = wr_decode_nft_table};
	const struct wr_nft_table *table;

	read_list(m, &reader, NFT_MSG_GETTABLE, NULL, NULL);
	reader.decode = wr_decode_nft_chain;
	read_list(m, &reader, NFT_MSG_GETCHAIN, NULL, NULL);
	reader.decode = wr_decode_nft_rule;
	read_list(m, &reader, NFT_MSG_GETRULE, NULL, NULL);
	reader.decode = wr_decode_nft_set;
	read_list(m, &reader, NFT_MSG_GETSET, NULL, NULL);
	table = wr_ns_find_table(wr_model_host(live), NFPROTO_INET, name);
	assert_non_null(table);
	reader.decode = wr_decode_nft_elements;
	for (size_t i = 0; i < table->n_sets; i++)
		read_list(m, &reader, NFT_MSG_GETSETELEM, name, table->sets[i].name);
	return table;
}

/* The kernel lists elements in an order of its own. */
static const struct wr_nft_element *find_element(const struct wr_nft_set *set, const struct wr_nft_element *wanted)
{
	for (size_t i = 0; i < set->n_elements; i++)
		if (wr_nft_element_equal(set, &set->elements[i], wanted))
			return &set->elements[i];
	return NULL;
}

static void same_words(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_true(a == b);
	else
		assert_string_equal(a, b);
}

static void same_set(const struct wr_nft_set *wanted, const struct wr_nft_set *live)
{
	if (!wr_nft_set_same(wanted, live))
		fail_msg("set %s: flags %x %x, types %x %x to %x %x, lengths %u %u to %u %u", wanted->name,
			 wanted->flags, live->flags, wanted->key_type, live->key_type, wanted->data_type,
			 live->data_type, wanted->key_length, live->key_length, wanted->data_length, live->data_length);
	same_words(wanted->comment, live->comment);
	assert_int_equal(wanted->size, live->size);
	assert_int_equal(wanted->n_elements, live->n_elements);
	for (size_t i = 0; i < wanted->n_elements; i++) {
		const struct wr_nft_element *found = find_element(live, &wanted->elements[i]);

		if (found == NULL)
			fail_msg("element %zu of set %s is not there", i, wanted->name);
		else
			same_words(wanted->elements[i].comment, found->comment);
	}
}

static void same_chain(const struct wr_nft_chain *wanted, const struct wr_nft_chain *live)
{
	assert_true(wr_nft_chain_same(wanted, live));
	assert_int_equal(wanted->policy, live->policy);
	assert_int_equal(wanted->n_rules, live->n_rules);
	for (size_t i = 0; i < wanted->n_rules; i++) {
		const struct wr_nft_rule *a = &wanted->rules[i], *b = &live->rules[i];

		same_words(a->comment, b->comment);
		assert_int_equal(a->n_exprs, b->n_exprs);
		for (size_t k = 0; k < a->n_exprs; k++)
			if (!wr_nft_expr_equal(&a->exprs[k], &b->exprs[k]))
				fail_msg("rule %zu of chain %s, expression %zu (%s, read as %s)", i, wanted->name, k,
					 wr_nft_expr_name(a->exprs[k].kind), wr_nft_expr_name(b->exprs[k].kind));
		assert_true(wr_nft_rule_equal(a, b));
		assert_int_not_equal(b->handle, 0);
	}
}

static void test_round(void **state)
{
	struct machine *m = *state;
	const struct wr_nft_table *wanted = whole_table(m), *live;

	NEEDS_NFT(m);
	make(m, wanted);
	committed(m);
	live = read_table(m, wanted->name);
	same_words(wanted->comment, live->comment);
	assert_int_equal(wanted->flags, live->flags);
	assert_int_equal(wanted->n_chains, live->n_chains);
	assert_int_equal(wanted->n_sets, live->n_sets);
	for (size_t i = 0; i < wanted->n_chains; i++) {
		const struct wr_nft_chain *found = wr_nft_find_chain(live, wanted->chains[i].name);

		assert_non_null(found);
		same_chain(&wanted->chains[i], found);
	}
	for (size_t i = 0; i < wanted->n_sets; i++) {
		const struct wr_nft_set *found = wr_nft_find_set(live, wanted->sets[i].name);

		assert_non_null(found);
		same_set(&wanted->sets[i], found);
	}
}

/* What was read can be written again, and says the same to nft(8). */
static void test_again(void **state)
{
	struct machine *m = *state;
	const struct wr_nft_table *live;
	char *before;

	NEEDS_NFT(m);
	make(m, whole_table(m));
	committed(m);
	before = wr_arena_strdup(m->arena, PROGRAM("nft", "-y", "list", "ruleset"));
	live = read_table(m, "warren-shop");
	change(m, WR_NFT_DEL_TABLE, live);
	make(m, live);
	committed(m);
	assert_string_equal(PROGRAM("nft", "-y", "list", "ruleset"), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_again, set_up, tear_down),
	};

	if (!sandbox_enter())
		return 0;
	return cmocka_run_group_tests_name("nft_round", tests, NULL, NULL);
}
