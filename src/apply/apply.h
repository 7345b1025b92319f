/* apply.h: steps to the kernel, all or nothing.
 *
 * Why:       `up` either ends with the wanted network, verified by observing it anew, or puts back what was there.
 * Shape:     lock, observe, plan, journal, execute, verify, remove, verify; on a failure, plan(what was before, what is there
 *            now) is carried out by the same code. There is no hand-written undo of any step.
 * Ownership: see kernel/netns.h; the models belong to the caller's arena.
 * Errors:    WR_ERR_*; *ret_outcome tells whether what was there is back.
 * Threads:   one. Signals are looked at between batches (wr_apply.interrupted). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/model.h"
#include "plan/plan.h"

struct wr_host;

struct wr_apply {
	struct wr_host *host;
	struct wr_arena *arena;
	int (*interrupted)(void *data); /* the signal's number, or 0; NULL: never */
	void (*progress)(void *data, const char *phase, size_t done, size_t total); /* NULL: none */
	void *data;								    /* of the three */
	int lock_timeout_ms; /* how long to wait for another run on this network; < 0: not at all */
	void (*waiting)(void *data,
			const char *holder); /* called once before waiting for another run; NULL: not told */
};

enum wr_outcome {
	WR_OUTCOME_UNTOUCHED, /* failed before anything was changed */
	WR_OUTCOME_DONE,
	WR_OUTCOME_NOTHING_TO_DO,
	WR_OUTCOME_ROLLED_BACK, /* failed, and what was there is back, verified */
	WR_OUTCOME_STUCK,	/* failed, and putting back failed too: the error says what is left */
};

/* Makes the machine what wanted says. wanted is loaded, not yet assigned by force: assign completes it with the leases. */
struct wr_apply_up {
	struct wr_model *wanted;
	int (*assign)(void *data, struct wr_model *wanted, const struct wr_model *live, struct wr_error *reterr);
	void *data;
	const char *file_text; /* kept in the state directory for `status NAME`; may be NULL */
	size_t file_length;
};
struct wr_apply_result {
	enum wr_outcome outcome;
	size_t n_steps; /* carried out */
	size_t n_interruptions;
	struct wr_plan *plan;  /* what was wanted to be done; NULL when it failed before */
	struct wr_error first; /* ROLLED_BACK, STUCK: the failure that began it */
};
int wr_apply_up(struct wr_apply *apply, const struct wr_apply_up *up, struct wr_apply_result *ret,
		struct wr_error *reterr);
/* Takes a network down to nothing, by its marks; no file is needed. WR_ERR_NOTFOUND never: nothing there is NOTHING_TO_DO.
 * wanted (may be NULL) only helps to find empty leftovers under its names. */
int wr_apply_down(struct wr_apply *apply, const char *network, const struct wr_model *wanted,
		  struct wr_apply_result *ret, struct wr_error *reterr);
/* Carries out steps [from, to) of a plan. Nothing is put back on failure: that is the caller's next plan. */
int wr_apply_steps(struct wr_apply *apply, struct wr_plan *plan, size_t from, size_t to, struct wr_error *reterr);
