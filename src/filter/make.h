/* make.h: tables written piece by piece, as straight lists.
 *
 * Why:       a rule is a dozen expressions; the compilers read as what nft would print, and out of memory is asked for once.
 * Shape:     a maker knows the last set, chain and rule that was begun, and adds to that one. Registers are counted from 0
 *            (NFT_REG32_00), 4 bytes each.
 * Ownership: everything is in the table's model's arena.
 * Errors:    sticky: after a failure every further call does nothing; wr_make_result tells.
 * Threads:   one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "model/nft.h"

struct wr_maker {
	struct wr_arena *arena;
	struct wr_nft_table *table;
	struct wr_nft_set *set;	    /* the last one begun; NULL: none yet */
	struct wr_nft_chain *chain; /* likewise */
	struct wr_nft_rule *rule;   /* likewise, in chain */
	bool failed;
};

/* A key or data: values one behind the other, each padded to 4 bytes. Zeroed is empty. */
struct wr_key {
	uint8_t bytes[WR_NFT_VALUE_MAX];
	size_t length;
};
void wr_key_add(struct wr_key *key, const void *bytes, size_t length);
void wr_key_name(struct wr_key *key, const char *ifname); /* 16 bytes */
void wr_key_byte(struct wr_key *key, uint8_t value);
void wr_key_port(struct wr_key *key, uint16_t port); /* host order given, network order kept */
void wr_key_ip(struct wr_key *key, const struct wr_ip *ip);
void wr_key_mac(struct wr_key *key, const struct wr_mac *mac);
void wr_key_mark(struct wr_key *key, uint32_t mark); /* host order */

int wr_make_result(const struct wr_maker *maker); /* 0 or -ENOMEM */

/* The network's table of a family in ns, marked as such. */
void wr_make_table(struct wr_maker *maker, struct wr_ns *ns, uint8_t family);
/* types and data end with 0; data NULL: no map. */
void wr_make_set(struct wr_maker *maker, const char *name, uint32_t flags, const uint8_t *types, const uint8_t *data);
/* In the last set. data NULL in a set. */
void wr_make_element(struct wr_maker *maker, const struct wr_key *key, const struct wr_key *data);
/* The first value behind an interval. */
void wr_make_end(struct wr_maker *maker, const struct wr_key *key);
/* A set of interface names or of pairs of them, begun when the first element comes: *begun is the caller's, false at first. */
void wr_make_named(struct wr_maker *maker, bool *begun, const char *set, const char *first, const char *second);
/* Whether the table has it by now. */
bool wr_made_set(const struct wr_maker *maker, const char *name);

void wr_make_chain(struct wr_maker *maker, const char *name); /* reached by jumps */
void wr_make_base(struct wr_maker *maker, const char *name, const char *type, uint32_t hook, int32_t priority,
		  int32_t policy);
void wr_make_rule(struct wr_maker *maker);

/* --- expressions, at the end of the last rule ------------------------------------------------------------------------------ */

void wr_load_meta(struct wr_maker *maker, uint32_t key, unsigned reg);
void wr_load_payload(struct wr_maker *maker, uint32_t base, uint32_t offset, uint32_t length, unsigned reg);
void wr_load_value(struct wr_maker *maker, const void *bytes, size_t length, unsigned reg);
void wr_load_saddr(struct wr_maker *maker, uint8_t nfproto, unsigned reg);
void wr_load_daddr(struct wr_maker *maker, uint8_t nfproto, unsigned reg);
void wr_load_dport(struct wr_maker *maker, unsigned reg);
void wr_compare(struct wr_maker *maker, uint32_t op, unsigned reg, const void *bytes, size_t length);
void wr_mask(struct wr_maker *maker, unsigned reg, const void *mask, size_t length);
void wr_lookup(struct wr_maker *maker, const char *set, unsigned reg, bool inverted);
void wr_lookup_map(struct wr_maker *maker, const char *map, unsigned reg, unsigned to);

/* --- what rules are made of ------------------------------------------------------------------------------------------------- */

void wr_match_family(struct wr_maker *maker, uint8_t nfproto); /* NFPROTO_IPV4, NFPROTO_IPV6 */
void wr_match_protocol(struct wr_maker *maker, uint8_t protocol);
void wr_match_iif(struct wr_maker *maker, const char *set, bool inverted);
void wr_match_oif(struct wr_maker *maker, const char *set, bool inverted);
void wr_match_pair(struct wr_maker *maker, const char *set);	    /* iifname . oifname */
void wr_match_state(struct wr_maker *maker, uint32_t bits);	    /* any of them: NF_CT_STATE_BIT */
void wr_match_direction(struct wr_maker *maker, uint8_t direction); /* IP_CT_DIR_* */
void wr_match_translated(struct wr_maker *maker);		    /* ct status dnat */
void wr_match_not_to_host(struct wr_maker *maker);		    /* fib daddr type != local */
void wr_verdict(struct wr_maker *maker, int32_t verdict, const char *chain);
void wr_masquerade(struct wr_maker *maker);
void wr_comment(struct wr_maker *maker, const char *comment); /* of the rule; borrowed */
/* counter, drop, and why. */
void wr_drop(struct wr_maker *maker, const char *why);
/* counter alone. */
void wr_count(struct wr_maker *maker);
struct wr_nft_expr *wr_make_expr(struct wr_maker *maker, enum wr_nft_expr_kind kind); /* NULL: failed */
