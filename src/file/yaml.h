/* yaml.h: the text of a network file as a tree with places.
 *
 * Why:       readers of keys want a finished tree: places kept, aliases and `<<` merges followed, duplicate keys refused.
 * Shape:     nodes of 32 bytes in lists; a mapping's children are key, value, key, value. Built from libyaml's events in
 *            one pass: its document interface costs twice the time, four times the memory, and is quadratic in anchors.
 * Ownership: nodes live in the scratch arena; their texts in the model's, so that names need no copy.
 * Errors:    all but syntax errors are collected; what is not understood is left out of the tree or kept as written.
 * Source:    YAML 1.1 as libyaml reads it; yaml.org/type/merge.html. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

struct wr_arena;
struct wr_diagnostics;

/* What a file may hold once aliases and merges are followed: a bound on the work that few bytes can make. */
#define WR_NF_VALUES_MAX 8000000

enum wr_nf_kind {
	WR_NF_SCALAR,
	WR_NF_SEQUENCE,
	WR_NF_MAPPING,
	WR_NF_ALIAS, /* stands for its target; readers never see it: wr_nf_follow */
	WR_NF_KIND_COUNT_,
};

struct wr_nf_node {
	union {
		const char *text;		 /* a scalar's */
		struct wr_nf_node *first;	 /* of a sequence's or mapping's children; NULL: none */
		const struct wr_nf_node *target; /* an alias's, no alias itself */
	};
	struct wr_nf_node *next; /* the next child of the same parent */
	uint32_t line;		 /* from 1 */
	uint32_t column : 24;	 /* from 1, in characters; saturated */
	uint32_t kind : 4;	 /* enum wr_nf_kind */
	uint32_t plain : 1;	 /* a scalar without quotes */
	uint32_t open : 1;	 /* while building: its end was not seen yet */
	uint32_t
		verbatim : 1; /* a scalar whose text stands in one line of the file as it is, without escapes or folding */
	uint32_t weight;      /* how many nodes it stands for, aliases followed */
	uint32_t count;	      /* items, or pairs */
};

/* Reads the one document of a text. Returns 0 with *ret set (NULL when the text holds no document) also when something was
 * reported that does not end the reading, -EINVAL after a reported one that does, or -ENOMEM. */
int wr_nf_yaml_read(const char *text, size_t length, struct wr_arena *texts, struct wr_arena *nodes,
		    struct wr_diagnostics *diagnostics, struct wr_nf_node **ret);

static inline const struct wr_nf_node *wr_nf_follow(const struct wr_nf_node *node)
{
	return node && node->kind == WR_NF_ALIAS ? node->target : node;
}

static inline struct wr_place wr_nf_place(const struct wr_nf_node *node)
{
	return (struct wr_place){.line = node->line, .column = node->column};
}

/* Nothing was written: an empty plain scalar, ~ or null. */
bool wr_nf_is_null(const struct wr_nf_node *node);
/* "a mapping", "a list", "text", "nothing": for messages about a wrong type. */
const char *wr_nf_kind_name(const struct wr_nf_node *node);
