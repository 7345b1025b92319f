/* walk_parts.h: what walk.c, walk_load.c and walk_set.c share: registers with known and unknown bits.
 *
 * Threads: values; nothing here makes a system call. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/netfilter/nf_tables.h>

#include "filter/walk.h"
#include "model/nft.h"

#define WR_WALK_BYTES (NFT_REG32_COUNT * NFT_REG32_SIZE) /* all registers */

/* Bytes, and which of their bits are known; those that are not are 0. */
struct wr_walk_bits {
	uint8_t value[WR_WALK_BYTES], known[WR_WALK_BYTES];
};

struct wr_walk {
	const struct wr_nft_table *table;
	const struct wr_flow *flow;
	struct wr_walk_result *result;
	struct wr_walk_bits registers;
	size_t rules;	/* looked at so far */
	unsigned depth; /* of jumps */
};

/* Between these two, as numbers in network order, a value is. */
struct wr_span {
	uint8_t low[WR_NFT_VALUE_MAX], high[WR_NFT_VALUE_MAX];
	size_t length;
};

static inline enum wr_walk_answer wr_walk_answer_of(bool yes)
{
	return yes ? WR_WALK_YES : WR_WALK_NO;
}

static inline enum wr_walk_answer wr_walk_not(enum wr_walk_answer given)
{
	return given == WR_WALK_UNDECIDED ? given : wr_walk_answer_of(given == WR_WALK_NO);
}

/* --- registers (walk_load.c) ----------------------------------------------------------------------------------------- */

/* Loads length bytes; as in the kernel the rest of the last register becomes 0. known NULL: none of it is. */
void wr_walk_load(struct wr_walk *walk, uint8_t reg, const uint8_t *value, const uint8_t *known, size_t length);
void wr_walk_load_known(struct wr_walk *walk, uint8_t reg, const void *value, size_t length);
/* What these expressions load. */
void wr_walk_load_meta(struct wr_walk *walk, const struct wr_nft_expr *expr);
void wr_walk_load_payload(struct wr_walk *walk, const struct wr_nft_expr *expr);
void wr_walk_load_ct(struct wr_walk *walk, const struct wr_nft_expr *expr);
void wr_walk_load_bitwise(struct wr_walk *walk, const struct wr_nft_expr *expr);
/* False: no such register, or it does not hold that much. */
bool wr_walk_get(const struct wr_walk *walk, uint8_t reg, size_t length, struct wr_span *ret);

enum wr_walk_answer wr_span_equals(const struct wr_span *span, const uint8_t *bytes);
/* Whether first <= value <= last; NULL: no end on that side. */
enum wr_walk_answer wr_span_within(const struct wr_span *span, const uint8_t *first, const uint8_t *last);

/* --- sets (walk_set.c) ----------------------------------------------------------------------------------------------- */

/* The set of a lookup and its key; NULL: one of them cannot be looked at. */
const struct wr_nft_set *wr_walk_open_lookup(const struct wr_walk *walk, const struct wr_nft_expr *expr,
					     struct wr_span *ret_key);
/* Whether the key is in the set. *ret_element: which element it is, when that is certain; else NULL. */
enum wr_walk_answer wr_walk_look_up(const struct wr_nft_set *set, const struct wr_span *key,
				    const struct wr_nft_element **ret_element);
/* Whether it may be this element. */
bool wr_walk_may_be(const struct wr_nft_set *set, const struct wr_nft_element *element, const struct wr_span *key);
