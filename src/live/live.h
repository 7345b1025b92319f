/* live.h: what the kernel has, as a model.
 *
 * Why:       plan, status, verification, roll-back and `down` all start from the same observation.
 * Shape:     wr_live_observe asks host and namespaces over sockets opened once, and decodes the answers with policy tables;
 *            decoders take (buffer, length) so that recorded dumps and fuzzers drive them (decode.h).
 * Ownership: the model lives in the arena given; its wr_netns handles belong to the host.
 * Errors:    -errno; an interrupted dump is repeated, then an error; a namespace that vanishes while it is read is left out,
 *            one that cannot be read is an error that names it.
 * Threads:   one. */
#pragma once

#include <stdbool.h>

#include "model/model.h"

struct wr_error;
struct wr_host;

enum wr_live_depth {
	WR_LIVE_MARKS, /* who owns what: pins with our mark, links of the host. Enough to take down */
	WR_LIVE_FULL,  /* and the inside of each namespace of the network */
};

/* How much of packet filters is read. In the host a network's own tables, its rules in others' chains and the host's settings that
 * it noted are always read: `down` needs them. */
enum wr_live_filters {
	WR_LIVE_FILTERS_WANTED, /* and of the namespaces those tables that wanted has */
	WR_LIVE_FILTERS_OWN,	/* and tables of the network in every namespace of it */
	WR_LIVE_FILTERS_ALL, /* and in the host: other networks' tables (sets), others' chains of the forward hook, listeners */
};

struct wr_live_request {
	const char *network; /* whose things count as ours */
	const struct wr_model
		*wanted; /* its pins are looked at first, its sysctls are read; NULL: find by mark alone */
	enum wr_live_depth depth;
	bool only_wanted; /* look at wanted's pins only, not at every other pin of the machine (verification of what
	                                * this run made; stray ones were seen before) */
	bool neighbours;  /* permanent neighbours are read even where wanted declares none */
	enum wr_live_filters filters;
	bool skip_inherited; /* do not probe what a fresh namespace has */
};

int wr_live_observe(struct wr_host *host, const struct wr_live_request *request, struct wr_arena *arena,
		    struct wr_model **ret, struct wr_error *reterr);

/* The values that sysctls have in a namespace that nobody has touched (for a key that names an interface: what a new one
 * takes). ret_values[i] is in arena; NULL: this kernel has no such sysctl. */
int wr_live_fresh_sysctls(struct wr_host *host, const char *const *keys, size_t n, struct wr_arena *arena,
			  const char **ret_values, struct wr_error *reterr);

/* One pinned namespace, for `ls`. */
struct wr_pin_entry {
	const char *pin;
	const char *network;	/* from the mark on its lo; NULL: not ours */
	const char *name;	/* likewise */
	bool stale;		/* a file that is no namespace */
	const char *unreadable; /* why it could not be looked into, or NULL */
	uint64_t cookie;
};
/* Every pin of the machine, sorted by name. */
int wr_live_list(struct wr_host *host, struct wr_arena *arena, struct wr_pin_entry **ret, size_t *ret_count,
		 struct wr_error *reterr);
