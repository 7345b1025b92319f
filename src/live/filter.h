/* filter.h: the packet filters that the kernel has, read.
 *
 * Why:       plans compare tables, `warren firewall` shows them, others' chains are followed. Somebody else's filter may be
 *            huge, so that nothing is read of a table that nobody asked for.
 * Shape:     the list of tables first; a choice by the caller for each of them; then chains, rules, sets and elements, all
 *            of them between two equal numbers of the kernel's generation.
 * Ownership: in the arena of the namespace's model.
 * Errors:    -errno with the kernel's words; -EINTR where the filter changed during each of 16 attempts. A kernel without
 *            nf_tables has no tables, which is no error.
 * Threads:   one. */
#pragma once

#include <stdbool.h>

#include "model/model.h"

struct wr_error;
struct wr_host;
struct wr_netns;
struct wr_nft_table;

/* What is read of a table, or-ed. The list alone tells its head: family, name, comment, flags. */
enum wr_tables_what {
	WR_TABLES_HEAD = 1,
	WR_TABLES_RULES = 2,	 /* chains and their rules */
	WR_TABLES_SETS = 4,	 /* sets and their elements */
	WR_TABLES_USED_SETS = 8, /* with rules: only those sets that a rule looks up */
	WR_TABLES_BEFORE = 16,	 /* only the map of what the host had before (filter/filter.h) */
	WR_TABLES_OFFERS =
		32, /* only the chains that are offered for rules of ours (filter/others.h), where they are */
	WR_TABLES_FORWARD = 64, /* only if one of its chains is hooked into forwarding; else it is left out */
	WR_TABLES_WHOLE = WR_TABLES_RULES | WR_TABLES_SETS,
};

/* 0: the table is left out. Its head is filled, network and ours too. */
typedef unsigned (*wr_tables_choice)(const struct wr_nft_table *table, void *data);

/* Adds the chosen tables of an open namespace to ns->tables. network: whose tables are `ours`; NULL: nobody's. */
int wr_tables_read(struct wr_host *host, struct wr_netns *netns, struct wr_ns *ns, const char *network,
		   wr_tables_choice choose, void *data, struct wr_error *reterr);
/* The tables of one network, whole; network NULL: of every network of warren's. */
int wr_tables_read_network(struct wr_host *host, struct wr_netns *netns, struct wr_ns *ns, const char *network,
			   struct wr_error *reterr);
