/* nft_table.h: a table with every kind of set and of expression, and the transaction that makes it.
 *
 * Why:       what writes tables, what reads them and what compares them are held to the same one.
 * Shape:     struct machine is a sandbox with a model; whole_table() the table; make() and committed() put it into the kernel. */
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include "base/arena.h"
#include "base/error.h"
#include "filter/delta.h"
#include "kernel/netns.h"
#include "kernel/nft.h"
#include "model/model.h"
#include "model/nft.h"
#include "program.h"
#include "sandbox.h"

#define R(n) (NFT_REG32_00 + (n))

struct machine {
	struct wr_arena *arena;
	struct wr_host host;
	struct wr_error error;
	struct wr_model *model;
	struct wr_nft_delta delta;
	bool has_nft; /* this kernel has nf_tables */
};

static int set_up(void **state)
{
	struct machine *m = calloc(1, sizeof *m);

	assert_non_null(m);
	m->arena = wr_arena_new();
	assert_int_equal(wr_host_open(&m->host, m->arena, "/run/netns", "/run/warren", "/etc/netns", &m->error), 0);
	assert_int_equal(wr_pins_prepare(&m->host, &m->error), 0);
	m->model = wr_model_new(m->arena, "shop");
	m->delta.arena = m->arena;
	assert_int_equal(wr_nft_is_there(&m->host, &m->host.self, &m->has_nft, &m->error), 0);
	if (m->has_nft)
		PROGRAM("nft", "flush", "ruleset");
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *m = *state;

	wr_host_close(&m->host);
	wr_arena_free(m->arena);
	free(m);
	return 0;
}

#define NEEDS_NFT(m)                                                                                                   \
	do {                                                                                                           \
		if (!(m)->has_nft)                                                                                     \
			skip();                                                                                        \
	} while (0)

/* --- tables -------------------------------------------------------------------------------------------------------- */

static struct wr_nft_change *change(struct machine *m, enum wr_nft_change_kind kind, const struct wr_nft_table *table)
{
	struct wr_nft_delta *delta = &m->delta;

	assert_int_equal(wr_arena_grow(m->arena, &delta->changes, &delta->capacity_changes, delta->n_changes,
				       sizeof *delta->changes),
			 0);
	delta->changes[delta->n_changes] = (struct wr_nft_change){.kind = (uint8_t)kind, .table = table};
	return &delta->changes[delta->n_changes++];
}

static void change_elements(struct machine *m, enum wr_nft_change_kind kind, const struct wr_nft_table *table,
			    const struct wr_nft_set *set)
{
	struct wr_nft_change *made = change(m, kind, table);
	const struct wr_nft_element **list = wr_arena_alloc(m->arena, set->n_elements * sizeof *list);

	made->set = set;
	made->elements = list;
	made->n_elements = set->n_elements;
	for (size_t i = 0; i < set->n_elements; i++)
		list[i] = &set->elements[i];
}

/* Every change that makes a table with all that is in it. */
static void make(struct machine *m, const struct wr_nft_table *table)
{
	change(m, WR_NFT_ADD_TABLE, table);
	for (size_t i = 0; i < table->n_chains; i++)
		change(m, WR_NFT_ADD_CHAIN, table)->chain = &table->chains[i];
	for (size_t i = 0; i < table->n_sets; i++) {
		change(m, WR_NFT_ADD_SET, table)->set = &table->sets[i];
		if (table->sets[i].n_elements > 0)
			change_elements(m, WR_NFT_ADD_ELEMENTS, table, &table->sets[i]);
	}
	for (size_t i = 0; i < table->n_chains; i++)
		for (size_t k = 0; k < table->chains[i].n_rules; k++) {
			struct wr_nft_change *made = change(m, WR_NFT_ADD_RULE, table);

			made->chain = &table->chains[i];
			made->rule = &table->chains[i].rules[k];
		}
}

static int commit(struct machine *m)
{
	int r = wr_nft_commit(&m->host, &m->host.self, &m->delta, &m->error);

	m->delta.n_changes = 0;
	return r;
}

static void committed(struct machine *m)
{
	if (commit(m) != 0)
		fail_msg("%s", m->error.text);
}

static struct wr_nft_table *table_of(struct machine *m, uint8_t family, const char *name)
{
	return wr_ns_add_table(wr_model_host(m->model), family, name);
}

static struct wr_nft_set *set_of(struct machine *m, struct wr_nft_table *table, const char *name, uint32_t flags,
				 uint32_t key_type, uint32_t key_length)
{
	struct wr_nft_set *set = wr_nft_add_set(m->arena, table, name);

	set->flags = flags;
	set->key_type = key_type;
	set->key_length = key_length;
	return set;
}

static struct wr_nft_element *element(struct machine *m, struct wr_nft_set *set, const void *key, const void *data)
{
	struct wr_nft_element *made = wr_nft_add_element(m->arena, set);

	made->key = key == NULL ? NULL : wr_arena_memdup(m->arena, key, set->key_length);
	made->data = data == NULL ? NULL : wr_arena_memdup(m->arena, data, set->data_length);
	return made;
}

static struct wr_nft_value value(const void *bytes, size_t length)
{
	struct wr_nft_value made = {.length = (uint8_t)length};

	memcpy(made.bytes, bytes, length);
	return made;
}

static struct wr_nft_value *value_of(struct machine *m, const void *bytes, size_t length)
{
	struct wr_nft_value made = value(bytes, length);

	return wr_arena_memdup(m->arena, &made, sizeof made);
}

static void add(struct machine *m, struct wr_nft_rule *rule, struct wr_nft_expr expr)
{
	struct wr_nft_expr *made = wr_nft_add_expr(m->arena, rule, expr.kind);

	assert_non_null(made);
	*made = expr;
}

static struct wr_nft_expr verdict(int32_t code, const char *chain)
{
	return (struct wr_nft_expr){.kind = WR_NFT_immediate, .immediate = {.verdict = code, .chain = chain}};
}

static struct wr_nft_expr meta(uint32_t key, uint8_t to)
{
	return (struct wr_nft_expr){.kind = WR_NFT_meta, .dreg = to, .meta = {.key = key}};
}

static struct wr_nft_expr payload(uint32_t base, uint32_t offset, uint32_t length, uint8_t to)
{
	return (struct wr_nft_expr){
		.kind = WR_NFT_payload, .dreg = to, .payload = {.base = base, .offset = offset, .length = length}};
}

static struct wr_nft_expr cmp(uint32_t op, uint8_t from, const void *bytes, size_t length)
{
	return (struct wr_nft_expr){.kind = WR_NFT_cmp, .sreg = from, .cmp = {.op = op, .value = value(bytes, length)}};
}

static struct wr_nft_expr lookup(const char *set, uint8_t from)
{
	return (struct wr_nft_expr){.kind = WR_NFT_lookup, .sreg = from, .lookup = {.set = set}};
}

/* --- sets ---------------------------------------------------------------------------------------------------------- */

static void add_sets(struct machine *m, struct wr_nft_table *table)
{
	static const char eth0[16] = "eth0";
	struct wr_nft_set *set = set_of(m, table, "own", 0, WR_NFT_TYPE_IFNAME, 16);
	struct wr_nft_element *made;

	set->comment = "interfaces of the network";
	element(m, set, eth0, NULL)->comment = "first";
	/* a port that is published */
	set = set_of(m, table, "publish4", NFT_SET_MAP, WR_NFT_CONCAT(WR_NFT_TYPE_PROTOCOL, WR_NFT_TYPE_SERVICE), 8);
	set->data_type = WR_NFT_CONCAT(WR_NFT_TYPE_IP4, WR_NFT_TYPE_SERVICE);
	set->data_length = 8;
	element(m, set, "\x06\0\0\0\x1f\x90\0\0", "\x0a\x02\0\x05\0\x50\0\0");
	/* names with numbers of the machine's own order */
	set = set_of(m, table, "before", NFT_SET_MAP, WR_NFT_CONCAT(WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_MARK), 20);
	set->data_type = WR_NFT_TYPE_MARK;
	set->data_length = 4;
	element(m, set, "eth0\0\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0", "\x01\x80\0\0");
	/* intervals */
	set = set_of(m, table, "nets", NFT_SET_INTERVAL, WR_NFT_TYPE_IP4, 4);
	element(m, set, "\x0a\x01\0\0", NULL);
	element(m, set, "\x0a\x02\0\0", NULL)->interval_end = true;
	set = set_of(m, table, "allowed", NFT_SET_INTERVAL | NFT_SET_CONCAT,
		     WR_NFT_CONCAT(WR_NFT_TYPE_IP4, WR_NFT_TYPE_SERVICE), 8);
	set->n_fields = 2;
	set->fields[0] = 4;
	set->fields[1] = 2;
	made = element(m, set, "\x0a\x01\0\0\0\x50\0\0", NULL);
	made->key_end = wr_arena_memdup(m->arena, "\x0a\x01\xff\xff\0\x5a\0\0", 8);
	/* verdicts */
	set = set_of(m, table, "ways", NFT_SET_MAP, WR_NFT_TYPE_IFNAME, 16);
	set->data_type = NFT_DATA_VERDICT;
	made = element(m, set, eth0, NULL);
	made->verdict = NFT_JUMP;
	made->chain = "side";
	element(m, set, NULL, NULL)->verdict = NF_DROP;
	/* what rules fill */
	set = set_of(m, table, "denied6", NFT_SET_EVAL | NFT_SET_TIMEOUT, WR_NFT_TYPE_IP6, 16);
	set->timeout_ms = 60000;
	set->size = 512;
	/* an answer to a translation */
	set = set_of(m, table, "isolated", NFT_SET_CONSTANT, WR_NFT_TYPE_MAC, 6);
	element(m, set, "\x02\0\0\0\0\x01", NULL);
}

/* --- rules --------------------------------------------------------------------------------------------------------- */

static void add_matches(struct machine *m, struct wr_nft_chain *chain)
{
	static const uint32_t mark = 5, new = NF_CT_STATE_BIT(IP_CT_NEW), zero = 0;
	struct wr_nft_rule *rule = wr_nft_add_rule(m->arena, chain);
	struct wr_nft_expr expr;

	rule->comment = "warren:shop";
	add(m, rule, meta(NFT_META_IIFNAME, R(0)));
	expr = lookup("own", R(0));
	expr.lookup.inverted = true;
	add(m, rule, expr);
	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_counter});
	add(m, rule, verdict(NF_ACCEPT, NULL));

	rule = wr_nft_add_rule(m->arena, chain);
	add(m, rule, meta(NFT_META_L4PROTO, R(0)));
	add(m, rule, cmp(NFT_CMP_EQ, R(0), "\x06", 1));
	add(m, rule, payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, R(0)));
	add(m, rule,
	    (struct wr_nft_expr){
		    .kind = WR_NFT_range,
		    .sreg = R(0),
		    .range = {.op = NFT_RANGE_NEQ, .from = value_of(m, "\0\x50", 2), .to = value_of(m, "\0\x5a", 2)}});
	add(m, rule, verdict(NFT_GOTO, "side"));

	rule = wr_nft_add_rule(m->arena, chain);
	add(m, rule,
	    (struct wr_nft_expr){.kind = WR_NFT_ct, .dreg = R(0), .ct = {.key = NFT_CT_STATE, .direction = -1}});
	add(m, rule,
	    (struct wr_nft_expr){.kind = WR_NFT_bitwise,
				 .dreg = R(0),
				 .sreg = R(0),
				 .bitwise = {.length = 4, .mask = value_of(m, &new, 4), .xor = value_of(m, &zero, 4)}});
	add(m, rule, cmp(NFT_CMP_NEQ, R(0), &zero, 4));
	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_limit, .limit = {.rate = 5, .unit = 1, .burst = 9}});
	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_log, .log = {.prefix = "denied ", .level = 4, .group = -1}});
	add(m, rule,
	    (struct wr_nft_expr){
		    .kind = WR_NFT_reject,
		    .reject = {.type = NFT_REJECT_ICMPX_UNREACH, .code = NFT_REJECT_ICMPX_ADMIN_PROHIBITED}});

	rule = wr_nft_add_rule(m->arena, chain);
	add(m, rule,
	    (struct wr_nft_expr){.kind = WR_NFT_fib,
				 .dreg = R(0),
				 .fib = {.result = NFT_FIB_RESULT_ADDRTYPE, .flags = NFTA_FIB_F_DADDR}});
	add(m, rule, cmp(NFT_CMP_EQ, R(0), "\x02\0\0\0", 4));
	add(m, rule,
	    (struct wr_nft_expr){
		    .kind = WR_NFT_immediate, .dreg = R(0), .immediate = {.value = value_of(m, &mark, 4)}});
	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_meta, .sreg = R(0), .meta = {.key = NFT_META_MARK}});
	add(m, rule,
	    (struct wr_nft_expr){.kind = WR_NFT_ct, .sreg = R(0), .ct = {.key = NFT_CT_MARK, .direction = -1}});

	rule = wr_nft_add_rule(m->arena, chain);
	add(m, rule, meta(NFT_META_NFPROTO, R(0)));
	add(m, rule, cmp(NFT_CMP_EQ, R(0), "\x0a", 1));
	add(m, rule,
	    (struct wr_nft_expr){
		    .kind = WR_NFT_exthdr,
		    .dreg = R(0),
		    .exthdr = {.op = NFT_EXTHDR_OP_IPV6, .flags = NFT_EXTHDR_F_PRESENT, .type = 44, .length = 1}});
	add(m, rule, cmp(NFT_CMP_EQ, R(0), "\x01", 1));
	add(m, rule, payload(NFT_PAYLOAD_NETWORK_HEADER, 8, 16, R(0)));
	add(m, rule,
	    (struct wr_nft_expr){.kind = WR_NFT_dynset,
				 .dynset = {.set = "denied6",
					    .op = NFT_DYNSET_OP_UPDATE,
					    .key = R(0),
					    .timeout_ms = 30000,
					    .counted = true}});

	rule = wr_nft_add_rule(m->arena, chain);
	add(m, rule,
	    (struct wr_nft_expr){
		    .kind = WR_NFT_ct, .dreg = R(0), .ct = {.key = NFT_CT_PROTO_DST, .direction = IP_CT_DIR_ORIGINAL}});
	add(m, rule, cmp(NFT_CMP_EQ, R(0), "\0\x50", 2));
	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_log, .log = {.group = 3}});

	rule = wr_nft_add_rule(m->arena, chain);
	add(m, rule, meta(NFT_META_IIFNAME, R(0)));
	expr = lookup("ways", R(0));
	expr.lookup.has_dreg = true;
	add(m, rule, expr);
}

static void add_translations(struct machine *m, struct wr_nft_chain *to, struct wr_nft_chain *from)
{
	struct wr_nft_rule *rule = wr_nft_add_rule(m->arena, to);
	struct wr_nft_expr expr;

	add(m, rule, meta(NFT_META_NFPROTO, R(0)));
	add(m, rule, cmp(NFT_CMP_EQ, R(0), "\x02", 1));
	add(m, rule, meta(NFT_META_L4PROTO, R(0)));
	add(m, rule, payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, R(1)));
	expr = lookup("publish4", R(0));
	expr.dreg = R(0);
	expr.lookup.has_dreg = true;
	add(m, rule, expr);
	add(m, rule,
	    (struct wr_nft_expr){
		    .kind = WR_NFT_nat,
		    .nat = {.type = NFT_NAT_DNAT, .family = NFPROTO_IPV4, .address_min = R(0), .port_min = R(1)}});

	rule = wr_nft_add_rule(m->arena, to);
	add(m, rule, meta(NFT_META_L4PROTO, R(0)));
	add(m, rule, cmp(NFT_CMP_EQ, R(0), "\x11", 1));
	add(m, rule,
	    (struct wr_nft_expr){
		    .kind = WR_NFT_immediate, .dreg = R(0), .immediate = {.value = value_of(m, "\0\x35", 2)}});
	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_redir, .redir = {.port_min = R(0)}});

	rule = wr_nft_add_rule(m->arena, from);
	add(m, rule, meta(NFT_META_OIFNAME, R(0)));
	add(m, rule, lookup("own", R(0)));
	add(m, rule, (struct wr_nft_expr){.kind = WR_NFT_masq, .masq = {.flags = NF_NAT_RANGE_PROTO_RANDOM_FULLY}});
}

static struct wr_nft_chain *base_chain(struct machine *m, struct wr_nft_table *table, const char *name,
				       const char *type, uint32_t hook, int32_t priority)
{
	struct wr_nft_chain *chain = wr_nft_add_chain(m->arena, table, name);

	chain->type = type;
	chain->hook = hook;
	chain->priority = priority;
	return chain;
}

static struct wr_nft_table *whole_table(struct machine *m)
{
	struct wr_nft_table *table = table_of(m, NFPROTO_INET, "warren-shop");

	table->comment = "warren:shop";
	wr_nft_add_chain(m->arena, table, "side");
	base_chain(m, table, "forward", "filter", NF_INET_FORWARD, 0)->policy = NF_DROP;
	base_chain(m, table, "dstnat", "nat", NF_INET_PRE_ROUTING, -100);
	base_chain(m, table, "srcnat", "nat", NF_INET_POST_ROUTING, 100);
	add_sets(m, table);
	add_matches(m, wr_nft_find_chain(table, "forward"));
	add_translations(m, wr_nft_find_chain(table, "dstnat"), wr_nft_find_chain(table, "srcnat"));
	return table;
}
