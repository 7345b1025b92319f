/* nft.c: tables of the packet filter, made and compared.
 *
 * Lists of elements hold thousands, so they double as they grow and are compared one by one only by whoever has paired
 * them. */
#include <netinet/in.h> /* before linux/in.h */
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include "base/arena.h"
#include "model/model.h"
#include "model/nft.h"

/* The kernel sets these two by itself, from the registers that a translation names. */
#define NAT_FLAGS_IMPLIED (NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED)

/* --- making -------------------------------------------------------------------------------------------------------- */

struct wr_nft_table *wr_ns_add_table(struct wr_ns *ns, uint8_t family, const char *name)
{
	struct wr_arena *arena = ns->model->arena;
	struct wr_nft_table *table = wr_arena_new_of(arena, struct wr_nft_table);

	if (table == NULL || wr_arena_grow(arena, &ns->tables, &ns->capacity_tables, ns->n_tables, sizeof table) < 0)
		return NULL;
	table->name = wr_arena_strdup(arena, name);
	if (table->name == NULL)
		return NULL;
	table->ns = ns;
	table->family = family;
	ns->tables[ns->n_tables++] = table;
	return table;
}

struct wr_nft_chain *wr_nft_add_chain(struct wr_arena *arena, struct wr_nft_table *table, const char *name)
{
	const char *copy = wr_arena_strdup(arena, name);

	if (copy == NULL ||
	    wr_arena_grow(arena, &table->chains, &table->capacity_chains, table->n_chains, sizeof *table->chains) < 0)
		return NULL;
	table->chains[table->n_chains] = (struct wr_nft_chain){.name = copy, .policy = NF_ACCEPT};
	return &table->chains[table->n_chains++];
}

struct wr_nft_set *wr_nft_add_set(struct wr_arena *arena, struct wr_nft_table *table, const char *name)
{
	const char *copy = wr_arena_strdup(arena, name);

	if (copy == NULL ||
	    wr_arena_grow(arena, &table->sets, &table->capacity_sets, table->n_sets, sizeof *table->sets) < 0)
		return NULL;
	table->sets[table->n_sets] = (struct wr_nft_set){.name = copy};
	return &table->sets[table->n_sets++];
}

struct wr_nft_rule *wr_nft_add_rule(struct wr_arena *arena, struct wr_nft_chain *chain)
{
	if (wr_arena_grow(arena, &chain->rules, &chain->capacity_rules, chain->n_rules, sizeof *chain->rules) < 0)
		return NULL;
	chain->rules[chain->n_rules] = (struct wr_nft_rule){0};
	return &chain->rules[chain->n_rules++];
}

struct wr_nft_element *wr_nft_add_element(struct wr_arena *arena, struct wr_nft_set *set)
{
	if (wr_arena_grow(arena, &set->elements, &set->capacity_elements, set->n_elements, sizeof *set->elements) < 0)
		return NULL;
	set->elements[set->n_elements] = (struct wr_nft_element){0};
	return &set->elements[set->n_elements++];
}

struct wr_nft_expr *wr_nft_add_expr(struct wr_arena *arena, struct wr_nft_rule *rule, enum wr_nft_expr_kind kind)
{
	if (wr_arena_grow(arena, &rule->exprs, &rule->capacity_exprs, rule->n_exprs, sizeof *rule->exprs) < 0)
		return NULL;
	rule->exprs[rule->n_exprs] = (struct wr_nft_expr){.kind = (uint8_t)kind};
	return &rule->exprs[rule->n_exprs++];
}

/* --- asking -------------------------------------------------------------------------------------------------------- */

struct wr_nft_table *wr_ns_find_table(const struct wr_ns *ns, uint8_t family, const char *name)
{
	for (size_t i = 0; i < ns->n_tables; i++)
		if (ns->tables[i]->family == family && strcmp(ns->tables[i]->name, name) == 0)
			return ns->tables[i];
	return NULL;
}

struct wr_nft_chain *wr_nft_find_chain(const struct wr_nft_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_chains; i++)
		if (strcmp(table->chains[i].name, name) == 0)
			return &table->chains[i];
	return NULL;
}

struct wr_nft_set *wr_nft_find_set(const struct wr_nft_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_sets; i++)
		if (strcmp(table->sets[i].name, name) == 0)
			return &table->sets[i];
	return NULL;
}

const char *wr_nft_expr_name(enum wr_nft_expr_kind kind)
{
	static const char *const names[WR_NFT_EXPR_COUNT_] = {
#define X(name, text) [WR_NFT_##name] = text,
		WR_NFT_EXPRS(X)
#undef X
	};

	return kind < WR_NFT_EXPR_COUNT_ ? names[kind] : "";
}

const char *wr_nft_family_name(uint8_t family)
{
	static const char *const names[] = {
		[NFPROTO_INET] = "inet",     [NFPROTO_IPV4] = "ip",	  [NFPROTO_ARP] = "arp",
		[NFPROTO_NETDEV] = "netdev", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_IPV6] = "ip6",
	};

	return family < sizeof names / sizeof names[0] && names[family] != NULL ? names[family] : "";
}

/* --- equality ------------------------------------------------------------------------------------------------------ */

/* NULL equals NULL only. */
static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_value(const struct wr_nft_value *a, const struct wr_nft_value *b)
{
	return a == b ||
	       (a != NULL && b != NULL && a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0);
}

static bool same_bytes(const uint8_t *a, const uint8_t *b, size_t length)
{
	return a == b || (a != NULL && b != NULL && memcmp(a, b, length) == 0);
}

/* A range of registers: one that names no end ends where it begins. */
static bool same_registers(uint8_t a_min, uint8_t a_max, uint8_t b_min, uint8_t b_max)
{
	return a_min == b_min && (a_max != 0 ? a_max : a_min) == (b_max != 0 ? b_max : b_min);
}

static bool same_nat_flags(uint32_t a, uint32_t b)
{
	return (a & ~NAT_FLAGS_IMPLIED) == (b & ~NAT_FLAGS_IMPLIED);
}

static bool same_nat(const struct wr_nft_expr *a, const struct wr_nft_expr *b)
{
	return a->nat.type == b->nat.type && a->nat.family == b->nat.family &&
	       same_nat_flags(a->nat.flags, b->nat.flags) &&
	       same_registers(a->nat.address_min, a->nat.address_max, b->nat.address_min, b->nat.address_max) &&
	       same_registers(a->nat.port_min, a->nat.port_max, b->nat.port_min, b->nat.port_max);
}

/* What a register other than the verdict gets is a value; it has no chain to go to. */
static bool same_immediate(const struct wr_nft_expr *a, const struct wr_nft_expr *b)
{
	if (a->dreg != NFT_REG_VERDICT)
		return same_value(a->immediate.value, b->immediate.value);
	return a->immediate.verdict == b->immediate.verdict && same_text(a->immediate.chain, b->immediate.chain);
}

static bool same_limit(const struct wr_nft_expr *a, const struct wr_nft_expr *b)
{
	return a->limit.rate == b->limit.rate && a->limit.unit == b->limit.unit && a->limit.burst == b->limit.burst &&
	       a->limit.type == b->limit.type && a->limit.flags == b->limit.flags;
}

/* A level says nothing to a group. */
static bool same_log(const struct wr_nft_expr *a, const struct wr_nft_expr *b)
{
	return a->log.group == b->log.group && same_text(a->log.prefix, b->log.prefix) &&
	       (a->log.group >= 0 || (a->log.level == b->log.level && a->log.flags == b->log.flags));
}

static bool same_exthdr(const struct wr_nft_expr *a, const struct wr_nft_expr *b)
{
	return a->exthdr.op == b->exthdr.op && a->exthdr.flags == b->exthdr.flags && a->exthdr.type == b->exthdr.type &&
	       a->exthdr.offset == b->exthdr.offset && a->exthdr.length == b->exthdr.length;
}

static bool same_dynset(const struct wr_nft_expr *a, const struct wr_nft_expr *b)
{
	return same_text(a->dynset.set, b->dynset.set) && a->dynset.op == b->dynset.op &&
	       a->dynset.key == b->dynset.key && a->dynset.data == b->dynset.data &&
	       a->dynset.timeout_ms == b->dynset.timeout_ms && a->dynset.inverted == b->dynset.inverted &&
	       a->dynset.counted == b->dynset.counted;
}

static bool same_other(const struct wr_nft_expr *a, const struct wr_nft_expr *b)
{
	return same_text(a->other.name, b->other.name) && a->other.length == b->other.length &&
	       same_bytes(a->other.bytes, b->other.bytes, a->other.length);
}

/* What is in the union of two expressions of one kind and with the same registers. */
static bool same_inside(const struct wr_nft_expr *a, const struct wr_nft_expr *b)
{
	switch ((enum wr_nft_expr_kind)a->kind) {
	case WR_NFT_meta:
		return a->meta.key == b->meta.key;
	case WR_NFT_payload:
		return a->payload.base == b->payload.base && a->payload.offset == b->payload.offset &&
		       a->payload.length == b->payload.length;
	case WR_NFT_cmp:
		return a->cmp.op == b->cmp.op && same_value(&a->cmp.value, &b->cmp.value);
	case WR_NFT_range:
		return a->range.op == b->range.op && same_value(a->range.from, b->range.from) &&
		       same_value(a->range.to, b->range.to);
	case WR_NFT_bitwise:
		return a->bitwise.length == b->bitwise.length && same_value(a->bitwise.mask, b->bitwise.mask) &&
		       same_value(a->bitwise.xor, b->bitwise.xor);
	case WR_NFT_lookup:
		return same_text(a->lookup.set, b->lookup.set) && a->lookup.inverted == b->lookup.inverted &&
		       a->lookup.has_dreg == b->lookup.has_dreg;
	case WR_NFT_immediate:
		return same_immediate(a, b);
	case WR_NFT_ct:
		return a->ct.key == b->ct.key && a->ct.direction == b->ct.direction;
	case WR_NFT_fib:
		return a->fib.result == b->fib.result && a->fib.flags == b->fib.flags;
	case WR_NFT_exthdr:
		return same_exthdr(a, b);
	case WR_NFT_counter:
		return true;
	case WR_NFT_limit:
		return same_limit(a, b);
	case WR_NFT_log:
		return same_log(a, b);
	case WR_NFT_reject:
		return a->reject.type == b->reject.type && a->reject.code == b->reject.code;
	case WR_NFT_nat:
		return same_nat(a, b);
	case WR_NFT_masq:
	case WR_NFT_redir:
		return same_nat_flags(a->masq.flags, b->masq.flags) &&
		       same_registers(a->masq.port_min, a->masq.port_max, b->masq.port_min, b->masq.port_max);
	case WR_NFT_dynset:
		return same_dynset(a, b);
	case WR_NFT_other:
		return same_other(a, b);
	case WR_NFT_EXPR_COUNT_:
		break;
	}
	return false;
}

bool wr_nft_expr_equal(const struct wr_nft_expr *a, const struct wr_nft_expr *b)
{
	return a->kind == b->kind && a->dreg == b->dreg && a->sreg == b->sreg && same_inside(a, b);
}

bool wr_nft_rule_equal(const struct wr_nft_rule *a, const struct wr_nft_rule *b)
{
	if (a->n_exprs != b->n_exprs || !same_text(a->comment, b->comment))
		return false;
	for (size_t i = 0; i < a->n_exprs; i++)
		if (!wr_nft_expr_equal(&a->exprs[i], &b->exprs[i]))
			return false;
	return true;
}

bool wr_nft_chain_same(const struct wr_nft_chain *a, const struct wr_nft_chain *b)
{
	if (!same_text(a->type, b->type))
		return false;
	return a->type == NULL || (a->hook == b->hook && a->priority == b->priority && same_text(a->device, b->device));
}

bool wr_nft_set_same(const struct wr_nft_set *a, const struct wr_nft_set *b)
{
	if (a->flags != b->flags || a->key_type != b->key_type || a->key_length != b->key_length ||
	    a->timeout_ms != b->timeout_ms)
		return false;
	/* The kernel counts the bytes of a verdict as it keeps it. */
	if ((a->flags & NFT_SET_MAP) != 0 &&
	    (a->data_type != b->data_type || (a->data_type != NFT_DATA_VERDICT && a->data_length != b->data_length)))
		return false;
	return (a->flags & NFT_SET_CONCAT) == 0 ||
	       (a->n_fields == b->n_fields && memcmp(a->fields, b->fields, a->n_fields) == 0);
}

bool wr_nft_element_equal(const struct wr_nft_set *set, const struct wr_nft_element *a, const struct wr_nft_element *b)
{
	if (a->interval_end != b->interval_end || !same_bytes(a->key, b->key, set->key_length) ||
	    !same_bytes(a->key_end, b->key_end, set->key_length))
		return false;
	if ((set->flags & NFT_SET_MAP) == 0 || a->interval_end)
		return true;
	if (set->data_type == NFT_DATA_VERDICT)
		return a->verdict == b->verdict && same_text(a->chain, b->chain);
	return same_bytes(a->data, b->data, set->data_length);
}
