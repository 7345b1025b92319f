/* internal.h: what the files of lib/ share: the two public objects, and the frame that a call works in.
 *
 * Why:       a context is only settings; the machine is opened anew by each call, so that nothing a long-lived caller holds
 *            goes stale when namespaces come and go between two calls.
 * Ownership: a wr_call owns its arena and its wr_host; everything made in a call dies with it.
 * Errors:    as warren.h. Public functions replace a NULL reterr by one of their own, so that inner ones may read it.
 * Threads:   as warren.h. */
#pragma once

#include <warren.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netns.h"

struct wr_model;
struct wr_live_request;
struct wr_pin_entry;
struct wr_text;

struct wr_context {
	struct wr_arena *arena;
	struct wr_settings settings; /* its strings are in the arena, and never NULL */
};

struct wr_network {
	struct wr_arena *arena;
	const char *source; /* as the caller named it */
	const char *text;
	size_t length;
	const char *name;	/* `--name OTHER`; NULL: what the file says */
	struct wr_model *model; /* assigned from the file alone */
};

struct wr_call {
	const struct wr_context *context;
	struct wr_arena *arena;
	struct wr_host host;
	bool is_open;
};

/* Opens the machine for one call. wr_call_close may be called whatever this returned, on a zeroed call too. */
int wr_call_open(struct wr_call *call, const struct wr_context *context, struct wr_error *reterr);
void wr_call_close(struct wr_call *call);
#define WR_CLEANUP_CALL __attribute__((cleanup(wr_call_close)))

/* Reads a network's text once more, into arena, not assigned yet. */
int wr_network_read(const struct wr_network *network, struct wr_arena *arena, struct wr_model **ret,
		    struct wr_error *reterr);
/* Completes a model just read beside what is there: addresses in use are kept. Refusals of the file are WR_ERR_FILE with
 * all messages that one error holds. */
int wr_network_assign(const struct wr_network *network, const struct wr_context *context, struct wr_model *model,
		      const struct wr_model *live, struct wr_error *reterr);
/* A complete model of what is wanted beside what is there: one made for it, or the network's own. */
int wr_network_wanted(const struct wr_network *network, const struct wr_context *context, const struct wr_model *live,
		      struct wr_arena *arena, struct wr_model **ret, struct wr_error *reterr);
/* Says in an assigned model where its namespaces find names on this machine (names.c). May be repeated. */
int wr_model_place_names(struct wr_model *model, const char *state, struct wr_error *reterr);

/* Has settings that left the file since the network was last made wanted as a new namespace has them. Before wanted is
 * observed against. */
int wr_network_forget(struct wr_call *call, const struct wr_network *network, struct wr_model *wanted,
		      struct wr_error *reterr);

/* The mark on a namespace's lo, read back; *ret_is_marked false when it has none. */
int wr_pin_read_mark(struct wr_host *host, const char *pin, char ret_network[64], char ret_name[64],
		     bool *ret_is_marked, struct wr_error *reterr);
/* Every pin with its mark, into the call's arena. */
int wr_call_list(struct wr_call *call, struct wr_pin_entry **ret, size_t *ret_count, struct wr_error *reterr);
/* The pin that a name stands for; it lives in the arena of the call. */
int wr_call_resolve(struct wr_call *call, const char *typed, const char **ret, struct wr_error *reterr);
/* Gives a text away, to free. */
int wr_text_give(struct wr_text *text, char **ret, struct wr_error *reterr);
/* Copies names into one block on the heap, NULL-terminated. */
int wr_names_give(const char *const *names, size_t count, char ***ret, size_t *ret_count, struct wr_error *reterr);
