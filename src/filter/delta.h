/* delta.h: what must change so that one table becomes another: one transaction of the kernel's.
 *
 * Why:       one list that is carried out (kernel/nft.h), printed for nft -f (show/nft.h) and put into words.
 * Shape:     changes in the order in which the kernel takes them: what refers to a thing after it, what is removed after its
 *            last reference. A chain whose rules differ is flushed and filled anew; sets change by elements only, unless their
 *            head differs, which removes and makes the set (and every chain that uses it) anew.
 * Ownership: in the arena given; points into both tables.
 * Errors:    -ENOMEM. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct wr_arena;
struct wr_nft_chain;
struct wr_nft_element;
struct wr_nft_rule;
struct wr_nft_set;
struct wr_nft_table;
struct wr_text;

enum wr_nft_change_kind {
	WR_NFT_ADD_TABLE,
	WR_NFT_DEL_TABLE, /* with all that is in it: the only change then */
	WR_NFT_ADD_SET,	  /* without its elements */
	WR_NFT_DEL_SET,
	WR_NFT_ADD_CHAIN,  /* without its rules */
	WR_NFT_SET_POLICY, /* of a base chain that is there */
	WR_NFT_FLUSH_CHAIN,
	WR_NFT_DEL_CHAIN,
	WR_NFT_ADD_RULE,    /* at the end of its chain */
	WR_NFT_INSERT_RULE, /* at its beginning; with a handle: before the rule that has it */
	WR_NFT_DEL_RULE,    /* by handle */
	WR_NFT_ADD_ELEMENTS,
	WR_NFT_DEL_ELEMENTS,
	WR_NFT_CHANGES_,
};

struct wr_nft_change {
	uint8_t kind;			  /* enum wr_nft_change_kind */
	const struct wr_nft_table *table; /* whose family and name count; for additions the wanted one */
	const struct wr_nft_chain *chain; /* NULL where the change is about none */
	const struct wr_nft_set *set;
	const struct wr_nft_rule *rule;
	const struct wr_nft_element **elements;
	size_t n_elements;
};

struct wr_nft_delta {
	struct wr_arena *arena;
	struct wr_nft_change *changes;
	size_t n_changes, capacity_changes;
	size_t n_elements; /* in all changes */
};

/* live NULL: the table is made; wanted NULL: it is removed. Nothing to change: *ret has no changes. Sets that are kept_apart in
 * either are made when missing, and their elements left alone. Elements that are dynamic are left alone. */
int wr_nft_compare(const struct wr_nft_table *wanted, const struct wr_nft_table *live, struct wr_arena *arena,
		   struct wr_nft_delta **ret);
/* An empty one, and one change more (zeroed but for kind and table). NULL: out of memory. */
struct wr_nft_delta *wr_nft_delta_new(struct wr_arena *arena);
struct wr_nft_change *wr_nft_delta_add(struct wr_nft_delta *delta, enum wr_nft_change_kind kind,
				       const struct wr_nft_table *table);
