/* make.c: see make.h. */
#include "filter/make.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "filter/filter.h"
#include "model/model.h"

#define NAME_BYTES 16
#define WORD	   4 /* bytes of a register, and what values are padded to */

/* --- keys ------------------------------------------------------------------------------------------------------------------ */

static size_t padded(size_t length)
{
	return (length + WORD - 1) / WORD * WORD;
}

void wr_key_add(struct wr_key *key, const void *bytes, size_t length)
{
	memcpy(key->bytes + key->length, bytes, length);
	key->length += padded(length);
}

void wr_key_name(struct wr_key *key, const char *ifname)
{
	char bytes[NAME_BYTES] = "";

	memcpy(bytes, ifname, strnlen(ifname, NAME_BYTES - 1));
	wr_key_add(key, bytes, sizeof bytes);
}

void wr_key_byte(struct wr_key *key, uint8_t value)
{
	wr_key_add(key, &value, sizeof value);
}

void wr_key_port(struct wr_key *key, uint16_t port)
{
	uint16_t value = htons(port);

	wr_key_add(key, &value, sizeof value);
}

void wr_key_ip(struct wr_key *key, const struct wr_ip *ip)
{
	wr_key_add(key, ip->bytes, wr_ip_size(ip));
}

void wr_key_mac(struct wr_key *key, const struct wr_mac *mac)
{
	wr_key_add(key, mac->bytes, sizeof mac->bytes);
}

void wr_key_mark(struct wr_key *key, uint32_t mark)
{
	wr_key_add(key, &mark, sizeof mark);
}

/* --- tables, sets, chains, rules --------------------------------------------------------------------------------------------- */

int wr_make_result(const struct wr_maker *maker)
{
	return maker->failed ? -ENOMEM : 0;
}

const char *wr_filter_table_name(const char *network, char buffer[80])
{
	snprintf(buffer, 80, "%s%s", WR_FILTER_TABLE, network);
	return buffer;
}

void wr_make_table(struct wr_maker *maker, struct wr_ns *ns, uint8_t family)
{
	char name[80];

	maker->arena = ns->model->arena;
	maker->set = NULL;
	maker->chain = NULL;
	maker->rule = NULL;
	maker->table = wr_ns_add_table(ns, family, wr_filter_table_name(ns->model->name, name));
	if (maker->table) {
		maker->table->comment = wr_arena_printf(maker->arena, "%s%s", WR_FILTER_COMMENT, ns->model->name);
		maker->table->ours = true;
	}
	maker->failed = !maker->table || !maker->table->comment;
}

/* Bytes of a value of a type, unpadded. */
static uint32_t type_length(uint8_t type)
{
	static const uint8_t lengths[] = {
		[WR_NFT_TYPE_INTEGER] = 16, /* of IPv6 addresses, see guard.c */
		[WR_NFT_TYPE_IP4] = 4,	     [WR_NFT_TYPE_IP6] = 16,	 [WR_NFT_TYPE_MAC] = 6,
		[WR_NFT_TYPE_ETHERTYPE] = 2, [WR_NFT_TYPE_PROTOCOL] = 1, [WR_NFT_TYPE_SERVICE] = 2,
		[WR_NFT_TYPE_MARK] = 4,	     [WR_NFT_TYPE_ICMP6] = 1,	 [WR_NFT_TYPE_IFNAME] = NAME_BYTES,
	};

	return lengths[type];
}

/* One type is as long as it is; in a concatenation each is padded. */
static uint32_t concatenate(const uint8_t *types, uint32_t *ret_type)
{
	uint32_t length = 0;

	*ret_type = 0;
	if (types[0] && !types[1]) {
		*ret_type = types[0];
		return type_length(types[0]);
	}
	for (; *types; types++) {
		*ret_type = WR_NFT_CONCAT(*ret_type, *types);
		length += (uint32_t)padded(type_length(*types));
	}
	return length;
}

void wr_make_set(struct wr_maker *maker, const char *name, uint32_t flags, const uint8_t *types, const uint8_t *data)
{
	if (maker->failed)
		return;
	maker->set = wr_nft_add_set(maker->arena, maker->table, name);
	if (!maker->set) {
		maker->failed = true;
		return;
	}
	maker->set->flags = flags | (data ? NFT_SET_MAP : 0);
	maker->set->deep = true;
	maker->set->key_length = concatenate(types, &maker->set->key_type);
	if (data)
		maker->set->data_length = concatenate(data, &maker->set->data_type);
}

static struct wr_nft_element *add_element(struct wr_maker *maker, const struct wr_key *key)
{
	struct wr_nft_element *element;

	if (maker->failed)
		return NULL;
	element = wr_nft_add_element(maker->arena, maker->set);
	if (element)
		element->key = wr_arena_memdup(maker->arena, key->bytes, maker->set->key_length);
	maker->failed = !element || !element->key;
	return maker->failed ? NULL : element;
}

void wr_make_element(struct wr_maker *maker, const struct wr_key *key, const struct wr_key *data)
{
	struct wr_nft_element *element = add_element(maker, key);

	if (!element || !data)
		return;
	element->data = wr_arena_memdup(maker->arena, data->bytes, maker->set->data_length);
	maker->failed = !element->data;
}

void wr_make_end(struct wr_maker *maker, const struct wr_key *key)
{
	struct wr_nft_element *element = add_element(maker, key);

	if (element)
		element->interval_end = true;
}

void wr_make_named(struct wr_maker *maker, bool *begun, const char *set, const char *first, const char *second)
{
	static const uint8_t one[] = {WR_NFT_TYPE_IFNAME, 0};
	static const uint8_t two[] = {WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_IFNAME, 0};
	struct wr_key key = {0};

	if (!*begun)
		wr_make_set(maker, set, 0, second ? two : one, NULL);
	*begun = true;
	wr_key_name(&key, first);
	if (second)
		wr_key_name(&key, second);
	wr_make_element(maker, &key, NULL);
}

bool wr_made_set(const struct wr_maker *maker, const char *name)
{
	return !maker->failed && wr_nft_find_set(maker->table, name);
}

void wr_make_chain(struct wr_maker *maker, const char *name)
{
	if (maker->failed)
		return;
	maker->rule = NULL;
	maker->chain = wr_nft_add_chain(maker->arena, maker->table, name);
	if (maker->chain)
		maker->chain->deep = true;
	maker->failed = !maker->chain;
}

void wr_make_base(struct wr_maker *maker, const char *name, const char *type, uint32_t hook, int32_t priority,
		  int32_t policy)
{
	wr_make_chain(maker, name);
	if (maker->failed)
		return;
	maker->chain->type = type;
	maker->chain->hook = hook;
	maker->chain->priority = priority;
	maker->chain->policy = policy;
}

void wr_make_rule(struct wr_maker *maker)
{
	if (maker->failed)
		return;
	maker->rule = wr_nft_add_rule(maker->arena, maker->chain);
	maker->failed = !maker->rule;
}

/* --- expressions ------------------------------------------------------------------------------------------------------------- */

static uint8_t reg32(unsigned reg)
{
	return (uint8_t)(NFT_REG32_00 + reg);
}

struct wr_nft_expr *wr_make_expr(struct wr_maker *maker, enum wr_nft_expr_kind kind)
{
	struct wr_nft_expr *expr = maker->failed ? NULL : wr_nft_add_expr(maker->arena, maker->rule, kind);

	if (!expr)
		maker->failed = true;
	return expr;
}

static struct wr_nft_value *new_value(struct wr_maker *maker, const void *bytes, size_t length)
{
	struct wr_nft_value *value = maker->failed ? NULL : wr_arena_new_of(maker->arena, struct wr_nft_value);

	if (!value) {
		maker->failed = true;
		return NULL;
	}
	value->length = (uint8_t)length;
	if (bytes)
		memcpy(value->bytes, bytes, length);
	return value;
}

void wr_load_meta(struct wr_maker *maker, uint32_t key, unsigned reg)
{
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_meta);

	if (!expr)
		return;
	expr->meta.key = key;
	expr->dreg = reg32(reg);
}

void wr_load_payload(struct wr_maker *maker, uint32_t base, uint32_t offset, uint32_t length, unsigned reg)
{
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_payload);

	if (!expr)
		return;
	expr->payload.base = base;
	expr->payload.offset = offset;
	expr->payload.length = length;
	expr->dreg = reg32(reg);
}

void wr_load_value(struct wr_maker *maker, const void *bytes, size_t length, unsigned reg)
{
	struct wr_nft_value *copy = new_value(maker, bytes, length);
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_immediate);

	if (!expr)
		return;
	expr->immediate.value = copy;
	expr->dreg = reg32(reg);
}

void wr_load_saddr(struct wr_maker *maker, uint8_t nfproto, unsigned reg)
{
	bool is_ip4 = nfproto == NFPROTO_IPV4;

	wr_load_payload(maker, NFT_PAYLOAD_NETWORK_HEADER, is_ip4 ? 12 : 8, is_ip4 ? 4 : 16, reg);
}

void wr_load_daddr(struct wr_maker *maker, uint8_t nfproto, unsigned reg)
{
	bool is_ip4 = nfproto == NFPROTO_IPV4;

	wr_load_payload(maker, NFT_PAYLOAD_NETWORK_HEADER, is_ip4 ? 16 : 24, is_ip4 ? 4 : 16, reg);
}

void wr_load_dport(struct wr_maker *maker, unsigned reg)
{
	wr_load_payload(maker, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg);
}

void wr_compare(struct wr_maker *maker, uint32_t op, unsigned reg, const void *bytes, size_t length)
{
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_cmp);

	if (!expr)
		return;
	expr->sreg = reg32(reg);
	expr->cmp.op = op;
	expr->cmp.value.length = (uint8_t)length;
	memcpy(expr->cmp.value.bytes, bytes, length);
}

void wr_mask(struct wr_maker *maker, unsigned reg, const void *mask, size_t length)
{
	struct wr_nft_value *and = new_value(maker, mask, length), *xor = new_value(maker, NULL, length);
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_bitwise);

	if (!expr)
		return;
	expr->sreg = expr->dreg = reg32(reg);
	expr->bitwise.length = (uint32_t)length;
	expr->bitwise.mask = and;
	expr->bitwise.xor = xor;
}

void wr_lookup(struct wr_maker *maker, const char *set, unsigned reg, bool inverted)
{
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_lookup);

	if (!expr)
		return;
	expr->lookup.set = set;
	expr->lookup.inverted = inverted;
	expr->sreg = reg32(reg);
}

void wr_lookup_map(struct wr_maker *maker, const char *map, unsigned reg, unsigned to)
{
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_lookup);

	if (!expr)
		return;
	expr->lookup.set = map;
	expr->lookup.has_dreg = true;
	expr->sreg = reg32(reg);
	expr->dreg = reg32(to);
}

/* --- what rules are made of --------------------------------------------------------------------------------------------------- */

void wr_match_family(struct wr_maker *maker, uint8_t nfproto)
{
	wr_load_meta(maker, NFT_META_NFPROTO, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, &nfproto, sizeof nfproto);
}

void wr_match_protocol(struct wr_maker *maker, uint8_t protocol)
{
	wr_load_meta(maker, NFT_META_L4PROTO, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, &protocol, sizeof protocol);
}

void wr_match_iif(struct wr_maker *maker, const char *set, bool inverted)
{
	wr_load_meta(maker, NFT_META_IIFNAME, 0);
	wr_lookup(maker, set, 0, inverted);
}

void wr_match_oif(struct wr_maker *maker, const char *set, bool inverted)
{
	wr_load_meta(maker, NFT_META_OIFNAME, 0);
	wr_lookup(maker, set, 0, inverted);
}

void wr_match_pair(struct wr_maker *maker, const char *set)
{
	wr_load_meta(maker, NFT_META_IIFNAME, 0);
	wr_load_meta(maker, NFT_META_OIFNAME, NAME_BYTES / WORD);
	wr_lookup(maker, set, 0, false);
}

/* ct KEY & bits != 0 */
static void match_ct(struct wr_maker *maker, uint32_t key, uint32_t bits)
{
	static const uint32_t none;
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_ct);

	if (!expr)
		return;
	expr->ct.key = key;
	expr->ct.direction = -1;
	expr->dreg = reg32(0);
	wr_mask(maker, 0, &bits, sizeof bits);
	wr_compare(maker, NFT_CMP_NEQ, 0, &none, sizeof none);
}

void wr_match_state(struct wr_maker *maker, uint32_t bits)
{
	match_ct(maker, NFT_CT_STATE, bits);
}

void wr_match_direction(struct wr_maker *maker, uint8_t direction)
{
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_ct);

	if (!expr)
		return;
	expr->ct.key = NFT_CT_DIRECTION;
	expr->ct.direction = -1;
	expr->dreg = NFT_REG32_00;
	wr_compare(maker, NFT_CMP_EQ, 0, &direction, sizeof direction);
}

void wr_match_translated(struct wr_maker *maker)
{
	match_ct(maker, NFT_CT_STATUS, IPS_DST_NAT);
}

void wr_match_not_to_host(struct wr_maker *maker)
{
	static const uint32_t local = RTN_LOCAL;
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_fib);

	if (!expr)
		return;
	expr->fib.result = NFT_FIB_RESULT_ADDRTYPE;
	expr->fib.flags = NFTA_FIB_F_DADDR;
	expr->dreg = reg32(0);
	wr_compare(maker, NFT_CMP_NEQ, 0, &local, sizeof local);
}

void wr_verdict(struct wr_maker *maker, int32_t verdict, const char *chain)
{
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_immediate);

	if (!expr)
		return;
	expr->dreg = NFT_REG_VERDICT;
	expr->immediate.verdict = verdict;
	expr->immediate.chain = chain;
}

void wr_masquerade(struct wr_maker *maker)
{
	wr_make_expr(maker, WR_NFT_masq);
}

void wr_comment(struct wr_maker *maker, const char *comment)
{
	if (!maker->failed)
		maker->rule->comment = comment;
}

void wr_count(struct wr_maker *maker)
{
	wr_make_expr(maker, WR_NFT_counter);
}

void wr_drop(struct wr_maker *maker, const char *why)
{
	wr_count(maker);
	wr_verdict(maker, NF_DROP, NULL);
	wr_comment(maker, why);
}
