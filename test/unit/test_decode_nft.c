/* Tests of live/decode_nft*.c with what a kernel once answered (recorded_nft.h), and with messages put together by hand for
 * what no kernel says yet, or none should. */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h> /* before linux/in.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netlink.h"
#include "live/decode_nft.h"
#include "recorded_nft.h"

#define R(n) (NFT_REG32_00 + (n))

struct fixture {
	struct wr_arena *arena;
	struct wr_nft_reading reading;
	struct wr_ns *ns;
	struct wr_error error;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct wr_model *model;

	assert_non_null(f);
	f->arena = wr_arena_new();
	model = wr_model_new(f->arena, "shop");
	assert_non_null(model);
	f->ns = wr_model_host(model);
	f->reading.ns = f->ns;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	wr_arena_free(f->arena);
	free(f);
	return 0;
}

static int decode(struct fixture *f, const struct nlmsghdr *message)
{
	switch (message->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE:
		return wr_decode_nft_table(&f->reading, message, &f->error);
	case NFT_MSG_NEWCHAIN:
		return wr_decode_nft_chain(&f->reading, message, &f->error);
	case NFT_MSG_NEWRULE:
		return wr_decode_nft_rule(&f->reading, message, &f->error);
	case NFT_MSG_NEWSET:
		return wr_decode_nft_set(&f->reading, message, &f->error);
	case NFT_MSG_NEWSETELEM:
		return wr_decode_nft_elements(&f->reading, message, &f->error);
	}
	return -EINVAL;
}

static unsigned digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

/* The bytes of a recorded message, on the heap at their exact size. */
static struct nlmsghdr *unpack(const char *text)
{
	size_t length = strlen(text) / 2;
	unsigned char *bytes = malloc(length);

	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (unsigned char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	assert_int_equal(((struct nlmsghdr *)(void *)bytes)->nlmsg_len, length);
	return (struct nlmsghdr *)(void *)bytes;
}

static void decode_recorded(struct fixture *f)
{
	for (size_t i = 0; i < sizeof recorded_nft / sizeof recorded_nft[0]; i++) {
		struct nlmsghdr *message = unpack(recorded_nft[i]);

		if (decode(f, message) < 0)
			fail_msg("message %zu: %s", i, f->error.text);
		free(message);
	}
}

static const struct wr_nft_table *shop(const struct fixture *f)
{
	const struct wr_nft_table *table = wr_ns_find_table(f->ns, NFPROTO_INET, "warren-shop");

	assert_non_null(table);
	return table;
}

static const struct wr_nft_set *find_set(const struct fixture *f, const char *name)
{
	const struct wr_nft_set *set = wr_nft_find_set(shop(f), name);

	assert_non_null(set);
	return set;
}

/* Rule `number` of a chain of the network's table. */
static const struct wr_nft_rule *find_rule(const struct fixture *f, const char *chain, size_t number)
{
	const struct wr_nft_chain *found = wr_nft_find_chain(shop(f), chain);

	assert_non_null(found);
	assert_true(number < found->n_rules);
	return &found->rules[number];
}

/* The first expression of a kind in a rule. */
static const struct wr_nft_expr *find_expr(const struct wr_nft_rule *rule, enum wr_nft_expr_kind kind)
{
	for (size_t i = 0; i < rule->n_exprs; i++)
		if (rule->exprs[i].kind == kind)
			return &rule->exprs[i];
	fail_msg("no %s", wr_nft_expr_name(kind));
	return NULL;
}

static void test_tables_and_chains(void **state)
{
	struct fixture *f = *state;
	const struct wr_nft_chain *sub, *raw, *forward;
	const struct wr_nft_table *other;

	decode_recorded(f);
	assert_int_equal(f->ns->n_tables, 3);
	assert_string_equal(shop(f)->comment, "warren:shop");
	assert_false(shop(f)->ours);
	assert_null(shop(f)->network);
	assert_ptr_equal(shop(f)->ns, f->ns);
	other = wr_ns_find_table(f->ns, NFPROTO_NETDEV, "other");
	assert_non_null(other);
	assert_null(other->comment);
	assert_non_null(wr_ns_find_table(f->ns, NFPROTO_IPV4, "filter"));
	assert_int_equal(other->n_chains, 1);
	assert_string_equal(other->chains[0].device, "br0, lo");
	assert_int_equal(shop(f)->n_chains, 5);
	sub = wr_nft_find_chain(shop(f), "sub");
	raw = wr_nft_find_chain(shop(f), "raw");
	forward = wr_nft_find_chain(shop(f), "forward");
	assert_true(sub && raw && forward);
	assert_null(sub->type);
	assert_string_equal(raw->type, "filter");
	assert_int_equal(raw->hook, NF_INET_PRE_ROUTING);
	assert_int_equal(raw->priority, -300);
	assert_int_equal(raw->policy, NF_ACCEPT);
	assert_string_equal(wr_nft_find_chain(shop(f), "srcnat")->type, "nat");
	assert_int_equal(forward->policy, NF_DROP);
	assert_int_equal(forward->hook, NF_INET_FORWARD);
	assert_false(forward->deep);
	assert_null(forward->device);
	assert_int_equal(sub->n_rules, 1);
	assert_int_equal(raw->n_rules, 2);
	assert_int_equal(forward->n_rules, 21);
	assert_true(forward->rules[0].handle != 0);
}

static void test_sets(void **state)
{
	struct fixture *f = *state;
	const struct wr_nft_set *set;

	decode_recorded(f);
	set = find_set(f, "own");
	assert_int_equal(set->flags, 0);
	assert_int_equal(set->key_type, WR_NFT_TYPE_IFNAME);
	assert_int_equal(set->key_length, 16);
	assert_false(set->anonymous || set->deep);
	set = find_set(f, "nets");
	assert_int_equal(set->flags, NFT_SET_INTERVAL | NFT_SET_CONCAT);
	assert_int_equal(set->key_type, WR_NFT_CONCAT(WR_NFT_TYPE_IP4, WR_NFT_TYPE_SERVICE));
	assert_int_equal(set->key_length, 8);
	assert_int_equal(set->n_fields, 2);
	assert_true(set->fields[0] == 4 && set->fields[1] == 2);
	set = find_set(f, "denied4");
	assert_int_equal(set->flags, NFT_SET_TIMEOUT | NFT_SET_EVAL);
	assert_int_equal(set->timeout_ms, 3600000);
	assert_int_equal(set->size, 4096);
	set = find_set(f, "publish4");
	assert_int_equal(set->flags, NFT_SET_MAP);
	assert_int_equal(set->data_type, WR_NFT_CONCAT(WR_NFT_TYPE_IP4, WR_NFT_TYPE_SERVICE));
	assert_int_equal(set->data_length, 8);
	assert_int_equal(set->n_fields, 0);
	set = find_set(f, "verdicts");
	assert_int_equal(set->data_type, NFT_DATA_VERDICT);
	assert_int_equal(set->data_length, 0);
	assert_string_equal(find_set(f, "said")->comment, "words");
	assert_true(find_set(f, "__set0")->anonymous && find_set(f, "__set0")->flags == NFT_SET_CONSTANT);
}

static const struct wr_nft_element *find_element(const struct wr_nft_set *set, const void *key)
{
	for (size_t i = 0; i < set->n_elements; i++)
		if (set->elements[i].key == NULL
			    ? key == NULL
			    : key != NULL && memcmp(set->elements[i].key, key, set->key_length) == 0)
			return &set->elements[i];
	fail_msg("no such element of %s", set->name);
	return NULL;
}

static void test_elements(void **state)
{
	struct fixture *f = *state;
	const struct wr_nft_element *element;
	const struct wr_nft_set *set;

	decode_recorded(f);
	assert_int_equal(find_set(f, "own")->n_elements, 2);
	find_element(find_set(f, "own"), "lan\0\0\0\0\0\0\0\0\0\0\0\0\0");
	/* intervals of one part: where they begin, and the first behind them */
	set = find_set(f, "ports");
	assert_int_equal(set->n_elements, 5);
	assert_false(find_element(set, "\x1f\x40")->interval_end);
	assert_true(find_element(set, "\x1f\x4b")->interval_end);
	/* of several: both ends in one */
	element = find_element(find_set(f, "nets"), "\x0a\0\0\0\0\x50\0\0");
	assert_non_null(element->key_end);
	assert_memory_equal(element->key_end, "\x0a\0\0\xff\0\x5a\0\0", 8);
	element = find_element(find_set(f, "publish4"), "\6\0\0\0\x1f\x90\0\0");
	assert_memory_equal(element->data, "\x0a\2\0\2\0\x50\0\0", 8);
	element = find_element(find_set(f, "said"), "\x0a\x09\x09\x09");
	assert_string_equal(element->comment, "an element");
	assert_false(element->dynamic || element->counted);
	element = find_element(find_set(f, "denied4"), "\x0a\0\0\x09\0\x16\0\0");
	assert_true(element->dynamic && element->timeout_ms == 3600000);
	assert_true(element->expires_ms > 0 && element->expires_ms <= 3600000);
	element = find_element(find_set(f, "every"), "\x0a\x09\x09\x09");
	assert_true(element->counted && element->packets == 3 && element->bytes == 9);
	element = find_element(find_set(f, "every"), NULL);
	assert_true(element->counted && element->packets == 1 && element->bytes == 2);
	set = find_set(f, "verdicts");
	assert_int_equal(find_element(set, "\0\x16")->verdict, NF_ACCEPT);
	assert_int_equal(find_element(set, "\0\x17")->verdict, NF_DROP);
	assert_null(find_element(set, "\0\x17")->chain);
	assert_int_equal(find_element(set, "\0\x18")->verdict, NFT_JUMP);
	assert_int_equal(find_element(set, "\0\x19")->verdict, NFT_GOTO);
	assert_string_equal(find_element(set, "\0\x19")->chain, "sub");
	assert_null(find_element(set, "\0\x19")->data);
}

/* iifname @own ip saddr 127.0.0.0/8 counter drop comment "loopback" */
static void test_rule(void **state)
{
	struct fixture *f = *state;
	const struct wr_nft_rule *rule;
	const struct wr_nft_expr *e;

	decode_recorded(f);
	rule = find_rule(f, "raw", 0);
	assert_string_equal(rule->comment, "loopback");
	assert_int_equal(rule->n_exprs, 8);
	e = rule->exprs;
	assert_true(e[0].kind == WR_NFT_meta && e[0].meta.key == NFT_META_IIFNAME && e[0].dreg == R(0));
	assert_true(e[1].kind == WR_NFT_lookup && !e[1].lookup.inverted && !e[1].lookup.has_dreg && e[1].sreg == R(0));
	assert_string_equal(e[1].lookup.set, "own");
	assert_true(e[3].kind == WR_NFT_cmp && e[3].cmp.op == NFT_CMP_EQ && e[3].cmp.value.length == 1);
	assert_int_equal(e[3].cmp.value.bytes[0], NFPROTO_IPV4);
	assert_true(e[4].kind == WR_NFT_payload && e[4].payload.base == NFT_PAYLOAD_NETWORK_HEADER &&
		    e[4].payload.offset == 12 && e[4].payload.length == 1 && e[4].dreg == R(0));
	assert_int_equal(e[6].kind, WR_NFT_counter);
	assert_true(e[7].kind == WR_NFT_immediate && e[7].dreg == NFT_REG_VERDICT && e[7].immediate.verdict == NF_DROP);
	assert_null(e[7].immediate.chain);
	e = find_expr(find_rule(f, "raw", 1), WR_NFT_range);
	assert_true(e->range.op == NFT_RANGE_NEQ && e->range.from->bytes[0] == 5 && e->range.to->bytes[0] == 10);
}

static void test_translations(void **state)
{
	struct fixture *f = *state;
	const struct wr_nft_expr *e;

	decode_recorded(f);
	e = find_expr(find_rule(f, "dstnat", 0), WR_NFT_fib);
	assert_true(e->fib.result == NFT_FIB_RESULT_ADDRTYPE && e->fib.flags == NFTA_FIB_F_DADDR);
	/* a port and an address from one lookup, in narrow registers */
	e = find_expr(find_rule(f, "dstnat", 1), WR_NFT_nat);
	assert_true(e->nat.type == NFT_NAT_DNAT && e->nat.family == NFPROTO_IPV4 && e->nat.flags == 0);
	assert_true(e->nat.address_min == R(0) && e->nat.address_max == 0);
	assert_true(e->nat.port_min == R(1) && e->nat.port_max == 0);
	e = find_expr(find_rule(f, "dstnat", 2), WR_NFT_nat);
	assert_true(e->nat.flags == NF_NAT_RANGE_PERSISTENT);
	assert_true(e->nat.address_min == R(0) && e->nat.address_max == R(4));
	assert_true(e->nat.port_min == R(8) && e->nat.port_max == R(12));
	e = find_expr(find_rule(f, "dstnat", 3), WR_NFT_redir);
	assert_true(e->redir.port_min == R(0) && e->redir.port_max == 0 && e->redir.flags == 0);
	e = find_expr(find_rule(f, "srcnat", 0), WR_NFT_bitwise);
	assert_true(e->bitwise.length == 4 && e->sreg == R(0) && e->dreg == R(0));
	assert_memory_equal(e->bitwise.mask->bytes, &(uint32_t){IPS_DST_NAT}, 4);
	e = find_expr(find_rule(f, "srcnat", 1), WR_NFT_masq);
	assert_int_equal(e->masq.flags, NF_NAT_RANGE_PROTO_RANDOM | NF_NAT_RANGE_PERSISTENT);
	assert_true(e->masq.port_min == 0 && e->masq.port_max == 0);
	e = find_expr(find_rule(f, "srcnat", 1), WR_NFT_cmp); /* "eth*": a beginning, without a 0 byte */
	assert_true(e->cmp.value.length == 3 && memcmp(e->cmp.value.bytes, "eth", 3) == 0);
	e = find_expr(find_rule(f, "srcnat", 3), WR_NFT_masq);
	assert_true(e->masq.port_min == R(0) && e->masq.port_max == R(4));
}

static void test_actions(void **state)
{
	struct fixture *f = *state;
	const struct wr_nft_expr *e;

	decode_recorded(f);
	e = find_expr(find_rule(f, "forward", 1), WR_NFT_ct);
	assert_int_equal(e->ct.direction, 0);
	e = find_expr(find_rule(f, "forward", 0), WR_NFT_ct);
	assert_true(e->ct.key == NFT_CT_STATE && e->ct.direction == -1 && e->dreg == R(0) && e->sreg == 0);
	e = find_expr(find_rule(f, "forward", 2), WR_NFT_ct);
	assert_true(e->ct.key == NFT_CT_MARK && e->dreg == 0 && e->sreg == R(0));
	e = find_expr(find_rule(f, "forward", 3), WR_NFT_meta);
	assert_true(e->meta.key == NFT_META_MARK && e->dreg == 0 && e->sreg == R(0));
	e = find_expr(find_rule(f, "forward", 3), WR_NFT_immediate);
	assert_true(e->immediate.value->length == 4 && e->immediate.value->bytes[0] == 0x10);
	e = find_expr(find_rule(f, "forward", 4), WR_NFT_lookup);
	assert_true(e->lookup.has_dreg && e->dreg == NFT_REG_VERDICT);
	e = find_expr(find_rule(f, "forward", 6), WR_NFT_limit);
	assert_true(e->limit.rate == 10 && e->limit.unit == 1 && e->limit.burst == 20);
	assert_true(e->limit.type == NFT_LIMIT_PKTS && e->limit.flags == 0);
	e = find_expr(find_rule(f, "forward", 7), WR_NFT_limit);
	assert_true(e->limit.type == NFT_LIMIT_PKT_BYTES && e->limit.flags == NFT_LIMIT_F_INV && e->limit.unit == 60);
	e = find_expr(find_rule(f, "forward", 8), WR_NFT_log);
	assert_string_equal(e->log.prefix, "hello");
	assert_true(e->log.level == NFT_LOGLEVEL_INFO && e->log.group == -1 && e->log.flags == NF_LOG_MASK);
	e = find_expr(find_rule(f, "forward", 9), WR_NFT_log);
	assert_true(e->log.group == 3 && e->log.prefix == NULL);
	e = find_expr(find_rule(f, "forward", 10), WR_NFT_reject);
	assert_int_equal(e->reject.type, NFT_REJECT_TCP_RST);
	e = find_expr(find_rule(f, "forward", 11), WR_NFT_reject);
	assert_true(e->reject.type == NFT_REJECT_ICMP_UNREACH && e->reject.code == 1);
	e = find_expr(find_rule(f, "forward", 12), WR_NFT_dynset);
	assert_string_equal(e->dynset.set, "denied4");
	assert_true(e->dynset.op == NFT_DYNSET_OP_UPDATE && e->dynset.key == R(0) && e->dynset.counted);
	e = find_expr(find_rule(f, "forward", 13), WR_NFT_dynset);
	assert_true(e->dynset.op == NFT_DYNSET_OP_ADD && e->dynset.timeout_ms == 10000 && !e->dynset.counted);
	e = find_expr(find_rule(f, "forward", 14), WR_NFT_exthdr);
	assert_true(e->exthdr.op == NFT_EXTHDR_OP_TCPOPT && e->exthdr.type == 2 && e->exthdr.offset == 2 &&
		    e->exthdr.length == 2);
}

/* What no row can say is there all the same, by name and bytes. */
static void test_others(void **state)
{
	static const char *const names[] = {"quota", "numgen", "exthdr", "payload", "notrack"};
	struct fixture *f = *state;
	const struct wr_nft_table *filter;
	const struct wr_nft_expr *e;

	decode_recorded(f);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		e = find_expr(find_rule(f, "forward", 16 + i), WR_NFT_other);
		assert_string_equal(e->other.name, names[i]);
		assert_true((e->other.length > 0) == (i < 4));
		assert_null(e->other.says);
	}
	filter = wr_ns_find_table(f->ns, NFPROTO_IPV4, "filter");
	assert_non_null(filter);
	assert_int_equal(filter->chains[0].n_rules, 3);
	e = find_expr(&filter->chains[0].rules[0], WR_NFT_other);
	assert_string_equal(e->other.name, "match");
	assert_string_equal(e->other.says, "conntrack");
	assert_string_equal(e[1].other.says, "comment");
	e = find_expr(&filter->chains[0].rules[1], WR_NFT_other);
	assert_string_equal(e->other.name, "target");
	assert_string_equal(e->other.says, "REJECT");
}

/* Every row has been seen at work. */
static void test_each_kind(void **state)
{
	struct fixture *f = *state;
	bool seen[WR_NFT_EXPR_COUNT_] = {false};

	decode_recorded(f);
	for (size_t i = 0; i < f->ns->n_tables; i++)
		for (size_t k = 0; k < f->ns->tables[i]->n_chains; k++)
			for (size_t m = 0; m < f->ns->tables[i]->chains[k].n_rules; m++) {
				const struct wr_nft_rule *rule = &f->ns->tables[i]->chains[k].rules[m];

				for (size_t n = 0; n < rule->n_exprs; n++)
					seen[rule->exprs[n].kind] = true;
			}
	for (int kind = 0; kind < WR_NFT_EXPR_COUNT_; kind++)
		if (!seen[kind])
			fail_msg("no %s among the recorded", wr_nft_expr_name((enum wr_nft_expr_kind)kind));
}

/* Every message, cut at every length and told so: an error or a smaller thing, never a read beyond its end (the sanitizer
 * watches the heap). */
static void test_cut(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof recorded_nft / sizeof recorded_nft[0]; i++) {
		struct nlmsghdr *whole = unpack(recorded_nft[i]);

		for (uint32_t length = sizeof *whole; length < whole->nlmsg_len; length += length < 200 ? 1 : 13) {
			struct nlmsghdr *cut = malloc(length);

			assert_non_null(cut);
			memcpy(cut, whole, length);
			cut->nlmsg_len = length;
			decode(f, cut);
			free(cut);
		}
		decode(f, whole);
		free(whole);
	}
}

/* --- by hand ---------------------------------------------------------------------------------------------------------- */

static void begin(struct wr_batch *batch, uint16_t type)
{
	struct nfgenmsg *header;

	wr_batch_begin(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0, 0);
	header = wr_batch_header(batch, sizeof *header);
	header->nfgen_family = NFPROTO_INET;
}

/* Decodes the message that was just written. */
static int decode_last(struct fixture *f, struct wr_batch *batch)
{
	return decode(f, (struct nlmsghdr *)(void *)(batch->bytes + batch->message));
}

static void make_table(struct fixture *f, struct wr_batch *batch)
{
	static struct wr_nl nl = {.fd = -1};

	wr_batch_init(batch, &nl);
	begin(batch, NFT_MSG_NEWTABLE);
	wr_put_string(batch, NFTA_TABLE_NAME, "t");
	assert_int_equal(decode_last(f, batch), 0);
	begin(batch, NFT_MSG_NEWCHAIN);
	wr_put_string(batch, NFTA_CHAIN_TABLE, "t");
	wr_put_string(batch, NFTA_CHAIN_NAME, "c");
	assert_int_equal(decode_last(f, batch), 0);
}

/* A cmp with one attribute more than is known: what that changes nobody can tell. */
static void test_unknown_attribute(void **state)
{
	struct fixture *f = *state;
	const struct wr_nft_rule *rule;
	struct wr_batch batch;

	make_table(f, &batch);
	for (int more = 0; more < 2; more++) {
		size_t list, element, data, value;

		begin(&batch, NFT_MSG_NEWRULE);
		wr_put_string(&batch, NFTA_RULE_TABLE, "t");
		wr_put_string(&batch, NFTA_RULE_CHAIN, "c");
		list = wr_put_nest(&batch, NFTA_RULE_EXPRESSIONS);
		element = wr_put_nest(&batch, NFTA_LIST_ELEM);
		wr_put_string(&batch, NFTA_EXPR_NAME, "cmp");
		data = wr_put_nest(&batch, NFTA_EXPR_DATA);
		wr_put_u32(&batch, NFTA_CMP_SREG, htobe32(NFT_REG_1));
		wr_put_u32(&batch, NFTA_CMP_OP, htobe32(NFT_CMP_EQ));
		value = wr_put_nest(&batch, NFTA_CMP_DATA);
		wr_put(&batch, NFTA_DATA_VALUE, "\1", 1);
		wr_put_nest_end(&batch, value);
		if (more)
			wr_put_u32(&batch, 77, htobe32(1));
		wr_put_nest_end(&batch, data);
		wr_put_nest_end(&batch, element);
		wr_put_nest_end(&batch, list);
		assert_int_equal(decode_last(f, &batch), 0);
	}
	rule = f->ns->tables[0]->chains[0].rules;
	assert_int_equal(f->ns->tables[0]->chains[0].n_rules, 2);
	assert_int_equal(rule[0].exprs[0].kind, WR_NFT_cmp);
	assert_int_equal(rule[1].exprs[0].kind, WR_NFT_other);
	assert_string_equal(rule[1].exprs[0].other.name, "cmp");
	assert_int_equal(rule[1].exprs[0].other.length, 16 + 12 + 8);
	wr_batch_done(&batch);
}

/* Elements are as long as their set says, or the message is refused. */
static void test_wrong_length(void **state)
{
	struct fixture *f = *state;
	struct wr_batch batch;

	make_table(f, &batch);
	begin(&batch, NFT_MSG_NEWSET);
	wr_put_string(&batch, NFTA_SET_TABLE, "t");
	wr_put_string(&batch, NFTA_SET_NAME, "s");
	wr_put_u32(&batch, NFTA_SET_KEY_LEN, htobe32(4));
	assert_int_equal(decode_last(f, &batch), 0);
	for (size_t length = 3; length <= 5; length++) {
		size_t list, element, key;

		begin(&batch, NFT_MSG_NEWSETELEM);
		wr_put_string(&batch, NFTA_SET_ELEM_LIST_TABLE, "t");
		wr_put_string(&batch, NFTA_SET_ELEM_LIST_SET, "s");
		list = wr_put_nest(&batch, NFTA_SET_ELEM_LIST_ELEMENTS);
		element = wr_put_nest(&batch, NFTA_LIST_ELEM);
		key = wr_put_nest(&batch, NFTA_SET_ELEM_KEY);
		wr_put(&batch, NFTA_DATA_VALUE, "\1\2\3\4\5", length);
		wr_put_nest_end(&batch, key);
		wr_put_nest_end(&batch, element);
		wr_put_nest_end(&batch, list);
		assert_int_equal(decode_last(f, &batch), length == 4 ? 0 : -EBADMSG);
	}
	/* a key that no register holds */
	begin(&batch, NFT_MSG_NEWSET);
	wr_put_string(&batch, NFTA_SET_TABLE, "t");
	wr_put_string(&batch, NFTA_SET_NAME, "long");
	wr_put_u32(&batch, NFTA_SET_KEY_LEN, htobe32(65));
	assert_int_equal(decode_last(f, &batch), -EBADMSG);
	/* what is about a table that was not chosen is passed over */
	begin(&batch, NFT_MSG_NEWSET);
	wr_put_string(&batch, NFTA_SET_TABLE, "elsewhere");
	wr_put_string(&batch, NFTA_SET_NAME, "s");
	wr_put_u32(&batch, NFTA_SET_KEY_LEN, htobe32(4));
	assert_int_equal(decode_last(f, &batch), 0);
	assert_int_equal(f->ns->tables[0]->sets[0].n_elements, 1);
	wr_batch_done(&batch);
}

/* A comment is a text that ends; anything else in user data is none. */
static void test_comments(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *comment;
	} rows[] = {
		{"\0\3hi\0", 5, "hi"}, {"\1\2xx\0\3hi\0", 9, "hi"}, {"\0\2hi", 4, NULL}, /* without its 0 byte */
		{"\0\4hi\0", 5, NULL},							 /* longer than what is there */
		{"\0", 1, NULL},       {"\0\0", 2, NULL},	    {"\5\1\0", 3, NULL},
	};
	struct fixture *f = *state;
	struct wr_batch batch;

	make_table(f, &batch);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct wr_nft_chain *chain = &f->ns->tables[0]->chains[0];

		begin(&batch, NFT_MSG_NEWRULE);
		wr_put_string(&batch, NFTA_RULE_TABLE, "t");
		wr_put_string(&batch, NFTA_RULE_CHAIN, "c");
		wr_put(&batch, NFTA_RULE_USERDATA, rows[i].bytes, rows[i].length);
		assert_int_equal(decode_last(f, &batch), 0);
		assert_int_equal(chain->n_rules, i + 1);
		if (rows[i].comment != NULL)
			assert_string_equal(chain->rules[i].comment, rows[i].comment);
		else
			assert_null(chain->rules[i].comment);
	}
	wr_batch_done(&batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tables_and_chains, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_elements, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rule, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_translations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_actions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each_kind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown_attribute, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_length, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_comments, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
