/* `down`: everything that carries the network's mark goes. Only marks are read; no file is needed. */
#include <errno.h>
#include <string.h>

#include "apply/converge.h"
#include "apply/state.h"
#include "base/arena.h"
#include "base/error.h"
#include "kernel/netns.h"

#define WR_ROUNDS 4

/* Names under which a killed run may have left an empty file: those of its journal, and those of the file given. */
static struct wr_model *wr_down_names(const struct wr_state *state, struct wr_apply *apply,
				      const struct wr_model *wanted)
{
	struct wr_model *names = wr_model_new(apply->arena, state->network);

	if (!names)
		return NULL;
	for (size_t i = 0; i < state->n_journal_pins; i++) {
		struct wr_ns *ns = wr_model_add_ns(names, state->journal_pins[i]);

		if (!ns)
			return NULL;
		ns->pin = state->journal_pins[i];
	}
	for (size_t i = 1; wanted && i < wanted->n_ns; i++) {
		struct wr_ns *ns;

		if (wr_model_find_ns(names, wanted->ns[i]->pin))
			continue;
		ns = wr_model_add_ns(names, wanted->ns[i]->pin);
		if (!ns)
			return NULL;
		ns->pin = wanted->ns[i]->pin;
	}
	return names;
}

static int wr_down_work(struct wr_state *state, struct wr_apply *apply, const struct wr_model *wanted,
			struct wr_apply_result *ret, struct wr_error *reterr)
{
	const struct wr_plan_options options = {.ignore_conflicts = true};
	struct wr_convergence c = {.apply = apply, .network = state->network, .marks_only = true};
	struct wr_error unwritten = {0};
	struct wr_apply calm = *apply;
	struct wr_model *live = NULL, *nothing = wr_model_new(apply->arena, state->network);
	int r;

	c.names = wr_down_names(state, apply, wanted);
	if (!nothing || !c.names)
		return wr_fail_memory(reterr);
	/* Half taken down is nothing to come back to: a signal waits until the end. */
	calm.interrupted = NULL;
	c.apply = &calm;
	c.wanted = nothing;
	r = wr_converge_observe(&c, false, &live, reterr);
	if (r == 0)
		r = wr_plan_make(nothing, live, &options, apply->arena, &ret->plan, reterr);
	if (r < 0)
		return r;
	if (!ret->plan->n_steps) {
		ret->outcome = WR_OUTCOME_NOTHING_TO_DO;
		return wr_state_remove(state, reterr);
	}
	/* The journal names what a kill might leave behind. Where there is no room for it, down is what makes room. */
	r = wr_state_begin(state, live, NULL, 0, &unwritten);
	if (r < 0 && r != -ENOSPC && r != -EDQUOT)
		return wr_fail(reterr, unwritten.kind, r, "%s", unwritten.text);
	r = wr_converge(&c, ret->plan, WR_ROUNDS, reterr);
	ret->n_steps = c.n_steps;
	ret->n_interruptions = ret->plan->n_interruptions;
	if (r == 0)
		r = wr_state_remove(state, reterr);
	ret->outcome = r == 0 ? WR_OUTCOME_DONE : c.touched ? WR_OUTCOME_STUCK : WR_OUTCOME_UNTOUCHED;
	return r;
}

int wr_apply_down(struct wr_apply *apply, const char *network, const struct wr_model *wanted,
		  struct wr_apply_result *ret, struct wr_error *reterr)
{
	struct wr_state state;
	int r;

	*ret = (struct wr_apply_result){.outcome = WR_OUTCOME_UNTOUCHED};
	r = wr_state_open(&state, apply, network, reterr);
	if (r < 0)
		return r;
	r = wr_state_lock_machine(&state, apply, reterr);
	if (r == 0)
		r = wr_down_work(&state, apply, wanted, ret, reterr);
	if (r < 0 && ret->outcome == WR_OUTCOME_STUCK)
		wr_fail_mend(reterr, "run 'warren down %s' again; it goes on where this stopped", network);
	wr_state_close(&state);
	return r;
}
