/* ruleset.h: packet filter tables from a few words, for the tests of src/filter.
 *
 * A rule is words: "iif=eth0 oif!=lan state=new counter drop". What is understood:
 *   iif= iif!= oif= oif!=     NAME, or a beginning: NAME*
 *   state= status=            new, established, related; dnat: bits of ct state, ct status
 *   from= to=                 an IPv4 address or prefix
 *   proto= port=              a number; of ports also FIRST-LAST
 *   group=                    meta iifgroup
 *   kind=                     meta iifkind, which no packet here knows
 *   in=SET notin=SET          meta iifname in a set; vmap=MAP: a verdict map of it
 *   toset=SET                 ip daddr in a set
 *   xtstate=                  iptables' -m conntrack --ctstate; xtbridged: its -m physdev --physdev-is-bridged
 *   xt=NAME target=NAME       any other match, target
 *   comment=TEXT xtcomment=TEXT
 *   counter limit accept drop return reject jump:CHAIN goto:CHAIN */
#pragma once

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_physdev.h>
#include <linux/netlink.h>

#include "base/arena.h"
#include "base/ip.h"
#include "model/model.h"
#include "model/nft.h"

struct ruleset {
	struct wr_arena *arena;
	struct wr_nft_table *table;
	struct wr_nft_rule *rule; /* being made */
};

static inline struct wr_nft_expr *expr_of(struct ruleset *set, enum wr_nft_expr_kind kind)
{
	struct wr_nft_expr *expr = wr_nft_add_expr(set->arena, set->rule, kind);

	assert_non_null(expr);
	return expr;
}

static inline void load_meta_key(struct ruleset *set, uint32_t key)
{
	struct wr_nft_expr *expr = expr_of(set, WR_NFT_meta);

	expr->dreg = NFT_REG32_00;
	expr->meta.key = key;
}

static inline void compare_bytes(struct ruleset *set, uint32_t op, const void *bytes, size_t length)
{
	struct wr_nft_expr *expr = expr_of(set, WR_NFT_cmp);

	expr->sreg = NFT_REG32_00;
	expr->cmp.op = op;
	expr->cmp.value.length = (uint8_t)length;
	memcpy(expr->cmp.value.bytes, bytes, length);
}

static inline struct wr_nft_value *value_of(struct ruleset *set, const void *bytes, size_t length)
{
	struct wr_nft_value *value = wr_arena_new_of(set->arena, struct wr_nft_value);

	assert_non_null(value);
	value->length = (uint8_t)length;
	memcpy(value->bytes, bytes, length);
	return value;
}

static inline void mask_bytes(struct ruleset *set, const void *mask, size_t length)
{
	static const uint8_t zeros[16];
	struct wr_nft_expr *expr = expr_of(set, WR_NFT_bitwise);

	expr->sreg = expr->dreg = NFT_REG32_00;
	expr->bitwise.length = (uint32_t)length;
	expr->bitwise.mask = value_of(set, mask, length);
	expr->bitwise.xor = value_of(set, zeros, length);
}

static inline void load_payload_part(struct ruleset *set, uint32_t base, uint32_t offset, uint32_t length)
{
	struct wr_nft_expr *expr = expr_of(set, WR_NFT_payload);

	expr->dreg = NFT_REG32_00;
	expr->payload.base = base;
	expr->payload.offset = offset;
	expr->payload.length = length;
}

static inline void match_name(struct ruleset *set, uint32_t key, uint32_t op, const char *name)
{
	char padded[16] = "";
	size_t length = strlen(name);

	load_meta_key(set, key);
	memcpy(padded, name, length < 15 ? length : 15);
	if (name[length - 1] == '*')
		compare_bytes(set, op, padded, length - 1);
	else
		compare_bytes(set, op, padded, sizeof padded);
}

static inline uint32_t state_bits(const char *words)
{
	return (strstr(words, "new") ? NF_CT_STATE_BIT(IP_CT_NEW) : 0u) |
	       (strstr(words, "established") ? NF_CT_STATE_BIT(IP_CT_ESTABLISHED) : 0u) |
	       (strstr(words, "related") ? NF_CT_STATE_BIT(IP_CT_RELATED) : 0u);
}

static inline void match_ct(struct ruleset *set, uint32_t key, uint32_t bits)
{
	struct wr_nft_expr *expr = expr_of(set, WR_NFT_ct);
	uint32_t zero = 0;

	expr->dreg = NFT_REG32_00;
	expr->ct.key = key;
	expr->ct.direction = -1;
	mask_bytes(set, &bits, sizeof bits);
	compare_bytes(set, NFT_CMP_NEQ, &zero, sizeof zero);
}

static inline void match_ip(struct ruleset *set, uint32_t offset, const char *text)
{
	struct wr_prefix prefix, mask = {.length = 0};
	struct wr_ip network, all = {.family = AF_INET, .bytes = {255, 255, 255, 255}};

	assert_int_equal(wr_prefix_parse(text, &prefix, NULL), 0);
	load_payload_part(set, NFT_PAYLOAD_NETWORK_HEADER, offset, 4);
	mask.ip = all;
	mask.length = prefix.length;
	all = wr_prefix_network(&mask);
	if (prefix.length < 32)
		mask_bytes(set, all.bytes, 4);
	network = wr_prefix_network(&prefix);
	compare_bytes(set, NFT_CMP_EQ, network.bytes, 4);
}

static inline void match_port(struct ruleset *set, const char *text)
{
	const char *dash = strchr(text, '-');
	uint16_t first = htons((uint16_t)atoi(text)), last = htons((uint16_t)atoi(dash ? dash + 1 : text));
	struct wr_nft_expr *expr;

	load_payload_part(set, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	if (!dash) {
		compare_bytes(set, NFT_CMP_EQ, &first, sizeof first);
		return;
	}
	expr = expr_of(set, WR_NFT_range);
	expr->sreg = NFT_REG32_00;
	expr->range.op = NFT_RANGE_EQ;
	expr->range.from = value_of(set, &first, sizeof first);
	expr->range.to = value_of(set, &last, sizeof last);
}

static inline struct wr_nft_expr *look_up_in(struct ruleset *set, const char *name)
{
	struct wr_nft_expr *expr = expr_of(set, WR_NFT_lookup);

	expr->sreg = NFT_REG32_00;
	expr->lookup.set = wr_arena_strdup(set->arena, name);
	return expr;
}

/* A match or target of iptables with its attributes as they come: name, revision, struct. */
static inline void add_xt(struct ruleset *set, const char *kind, const char *says, uint8_t revision, const void *info,
			  size_t length)
{
	struct wr_nft_expr *expr = expr_of(set, WR_NFT_other);
	struct nlattr name = {.nla_len = (uint16_t)(NLA_HDRLEN + strlen(says) + 1), .nla_type = NFTA_MATCH_NAME};
	struct nlattr rev = {.nla_len = NLA_HDRLEN + 4, .nla_type = NFTA_MATCH_REV};
	struct nlattr data = {.nla_len = (uint16_t)(NLA_HDRLEN + length), .nla_type = NFTA_MATCH_INFO};
	uint8_t *bytes = wr_arena_alloc(set->arena, 64 + length), *end = bytes;

	assert_non_null(bytes);
	memcpy(end, &name, sizeof name);
	memcpy(end + NLA_HDRLEN, says, strlen(says));
	end += NLA_ALIGN(name.nla_len);
	memcpy(end, &rev, sizeof rev);
	end[NLA_HDRLEN + 3] = revision;
	end += rev.nla_len;
	memcpy(end, &data, sizeof data);
	if (length)
		memcpy(end + NLA_HDRLEN, info, length);
	expr->other.name = kind;
	expr->other.says = wr_arena_strdup(set->arena, says);
	expr->other.bytes = bytes;
	expr->other.length = (uint32_t)(end - bytes) + data.nla_len;
}

static inline void add_verdict(struct ruleset *set, int32_t verdict, const char *chain)
{
	struct wr_nft_expr *expr = expr_of(set, WR_NFT_immediate);

	expr->dreg = NFT_REG_VERDICT;
	expr->immediate.verdict = verdict;
	expr->immediate.chain = chain ? wr_arena_strdup(set->arena, chain) : NULL;
}

static inline const char *after(const char *word, const char *start)
{
	return strncmp(word, start, strlen(start)) == 0 ? word + strlen(start) : NULL;
}

static inline bool add_interface_word(struct ruleset *set, const char *word)
{
	uint32_t number;
	const char *v;

	if ((v = after(word, "iif=")))
		match_name(set, NFT_META_IIFNAME, NFT_CMP_EQ, v);
	else if ((v = after(word, "iif!=")))
		match_name(set, NFT_META_IIFNAME, NFT_CMP_NEQ, v);
	else if ((v = after(word, "oif=")))
		match_name(set, NFT_META_OIFNAME, NFT_CMP_EQ, v);
	else if ((v = after(word, "oif!=")))
		match_name(set, NFT_META_OIFNAME, NFT_CMP_NEQ, v);
	else if ((v = after(word, "group="))) {
		number = (uint32_t)strtoul(v, NULL, 0);
		load_meta_key(set, NFT_META_IIFGROUP);
		compare_bytes(set, NFT_CMP_EQ, &number, sizeof number);
	} else if ((v = after(word, "kind="))) {
		load_meta_key(set, NFT_META_IIFKIND);
		compare_bytes(set, NFT_CMP_EQ, v, strlen(v));
	} else if ((v = after(word, "in="))) {
		load_meta_key(set, NFT_META_IIFNAME);
		look_up_in(set, v);
	} else if ((v = after(word, "notin="))) {
		load_meta_key(set, NFT_META_IIFNAME);
		look_up_in(set, v)->lookup.inverted = true;
	} else if ((v = after(word, "vmap="))) {
		load_meta_key(set, NFT_META_IIFNAME);
		look_up_in(set, v)->lookup.has_dreg = true;
	} else {
		return false;
	}
	return true;
}

static inline bool add_packet_word(struct ruleset *set, const char *word)
{
	const char *v;
	uint8_t byte;

	if ((v = after(word, "state=")))
		match_ct(set, NFT_CT_STATE, state_bits(v));
	else if (after(word, "status="))
		match_ct(set, NFT_CT_STATUS, IPS_DST_NAT);
	else if ((v = after(word, "from=")))
		match_ip(set, 12, v);
	else if ((v = after(word, "to=")))
		match_ip(set, 16, v);
	else if ((v = after(word, "proto="))) {
		byte = (uint8_t)atoi(v);
		load_meta_key(set, NFT_META_L4PROTO);
		compare_bytes(set, NFT_CMP_EQ, &byte, 1);
	} else if ((v = after(word, "port=")))
		match_port(set, v);
	else if ((v = after(word, "toset="))) {
		load_payload_part(set, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
		look_up_in(set, v);
	} else {
		return false;
	}
	return true;
}

static inline bool add_xt_word(struct ruleset *set, const char *word)
{
	struct xt_conntrack_mtinfo3 conntrack = {.match_flags = XT_CONNTRACK_STATE};
	struct xt_physdev_info physdev = {.bitmask = XT_PHYSDEV_OP_BRIDGED};
	char comment[256] = "";
	const char *v;

	if ((v = after(word, "xtstate="))) {
		conntrack.state_mask = (uint16_t)state_bits(v);
		add_xt(set, "match", "conntrack", 3, &conntrack, sizeof conntrack);
	} else if (strcmp(word, "xtbridged") == 0)
		add_xt(set, "match", "physdev", 0, &physdev, sizeof physdev);
	else if ((v = after(word, "xtcomment="))) {
		memcpy(comment, v, strlen(v));
		add_xt(set, "match", "comment", 0, comment, sizeof comment);
	} else if ((v = after(word, "xt=")))
		add_xt(set, "match", v, 0, NULL, 0);
	else if ((v = after(word, "target=")))
		add_xt(set, "target", v, 0, NULL, 0);
	else
		return false;
	return true;
}

static inline void add_word(struct ruleset *set, const char *word)
{
	const char *v;

	if (add_interface_word(set, word) || add_packet_word(set, word) || add_xt_word(set, word))
		return;
	if ((v = after(word, "comment=")))
		set->rule->comment = wr_arena_strdup(set->arena, v);
	else if (strcmp(word, "counter") == 0)
		expr_of(set, WR_NFT_counter);
	else if (strcmp(word, "limit") == 0)
		expr_of(set, WR_NFT_limit);
	else if (strcmp(word, "reject") == 0)
		expr_of(set, WR_NFT_reject);
	else if (strcmp(word, "accept") == 0)
		add_verdict(set, NF_ACCEPT, NULL);
	else if (strcmp(word, "drop") == 0)
		add_verdict(set, NF_DROP, NULL);
	else if (strcmp(word, "return") == 0)
		add_verdict(set, NFT_RETURN, NULL);
	else if ((v = after(word, "jump:")))
		add_verdict(set, NFT_JUMP, v);
	else if ((v = after(word, "goto:")))
		add_verdict(set, NFT_GOTO, v);
	else
		fail_msg("no word of a rule: %s", word);
}

/* A chain with its rules, one in each string; ends with NULL. policy: "accept", "drop", or NULL for no base chain. */
static inline void add_chain(struct ruleset *set, const char *name, const char *policy, const char *const *rules)
{
	struct wr_nft_chain *chain = wr_nft_add_chain(set->arena, set->table, name);

	assert_non_null(chain);
	chain->deep = true;
	if (policy) {
		chain->type = "filter";
		chain->hook = NF_INET_FORWARD;
		chain->policy = strcmp(policy, "drop") == 0 ? NF_DROP : NF_ACCEPT;
	}
	for (size_t i = 0; rules[i]; i++) {
		char *copy = wr_arena_strdup(set->arena, rules[i]), *rest = NULL;

		set->rule = wr_nft_add_rule(set->arena, chain);
		assert_non_null(set->rule);
		set->rule->handle = i + 1;
		for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
			add_word(set, word);
	}
}
#define CHAIN(set, name, policy, ...)                                                                                  \
	add_chain(set, name, policy, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* A set of interface names; an element "NAME:VERDICT" makes it a verdict map, "NAME:CHAIN" one that jumps there; "*" is all
 * other names. */
static inline void add_name_set(struct ruleset *set, const char *name, const char *const *elements)
{
	struct wr_nft_set *made = wr_nft_add_set(set->arena, set->table, name);

	made->key_type = WR_NFT_TYPE_IFNAME;
	made->key_length = 16;
	made->deep = true;
	for (size_t i = 0; elements[i]; i++) {
		struct wr_nft_element *element = wr_nft_add_element(set->arena, made);
		uint8_t *key = wr_arena_alloc(set->arena, 16);
		const char *colon = strchr(elements[i], ':');
		size_t length = colon ? (size_t)(colon - elements[i]) : strlen(elements[i]);

		assert_non_null(element);
		memcpy(key, elements[i], length);
		element->key = length == 1 && *elements[i] == '*' ? NULL : key;
		if (!colon)
			continue;
		made->flags |= NFT_SET_MAP;
		element->verdict = strcmp(colon, ":drop") == 0	   ? NF_DROP
				   : strcmp(colon, ":accept") == 0 ? NF_ACCEPT
								   : NFT_JUMP;
		element->chain = element->verdict == NFT_JUMP ? colon + 1 : NULL;
	}
}
#define NAMES(set, name, ...) add_name_set(set, name, (const char *const[]){__VA_ARGS__, NULL})

/* A set of IPv4 intervals, each "FIRST" and the first address behind: as the kernel lists it. */
static inline void add_ip_set(struct ruleset *set, const char *name, const char *const *borders)
{
	struct wr_nft_set *made = wr_nft_add_set(set->arena, set->table, name);

	made->key_type = WR_NFT_TYPE_IP4;
	made->key_length = 4;
	made->flags = NFT_SET_INTERVAL;
	made->deep = true;
	for (size_t i = 0; borders[i]; i++) {
		struct wr_nft_element *element = wr_nft_add_element(set->arena, made);
		struct wr_ip ip;

		assert_non_null(element);
		assert_int_equal(wr_ip_parse(borders[i], &ip), 0);
		element->key = wr_arena_memdup(set->arena, ip.bytes, 4);
		element->interval_end = i % 2 == 1;
	}
}
#define INTERVALS(set, name, ...) add_ip_set(set, name, (const char *const[]){__VA_ARGS__, NULL})
