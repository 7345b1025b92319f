/* See converge.h. What the kernel does by itself between two steps (routes that go with an address, ports that go with
 * their other end) shows in the next observation, and is mended by the next round. */
#include "apply/converge.h"

#include <errno.h>

#include "apply/executor.h"
#include "base/error.h"
#include "base/text.h"
#include "live/live.h"

int wr_converge_observe(const struct wr_convergence *c, bool inherited, struct wr_model **ret, struct wr_error *reterr)
{
	struct wr_live_request request = {
		.network = c->network,
		.wanted = c->names,
		.depth = c->marks_only ? WR_LIVE_MARKS : WR_LIVE_FULL,
		.only_wanted = c->only_names,
		.neighbours = c->neighbours,
		.filters = inherited ? WR_LIVE_FILTERS_ALL : c->filters,
		.skip_inherited = !inherited,
	};

	return wr_live_observe(c->apply->host, &request, c->apply->arena, ret, reterr);
}

static int wr_not_converged(const struct wr_plan *plan, struct wr_error *reterr)
{
	struct wr_text WR_CLEANUP_TEXT words = {0};

	wr_text_add_char(&words, (char)plan->steps[0].sign);
	wr_text_add_char(&words, ' ');
	wr_step_words(&plan->steps[0], &words);
	return wr_fail(reterr, WR_ERR_VERIFY, -EPROTO,
		       "the kernel took every request, but still is not as wanted: %s%s", wr_text_string(&words),
		       plan->n_steps > 1 ? ", and more" : "");
}

static int wr_converge_round(struct wr_convergence *c, struct wr_plan *plan, struct wr_error *reterr)
{
	/* With nothing to make, what is there is proved: now what is not wanted goes. */
	size_t end = plan->first_removal ? plan->first_removal : plan->n_steps;
	int r;

	c->touched = true;
	c->n_steps += end;
	r = wr_apply_steps(c->apply, plan, 0, end, reterr);
	return r < 0 ? r : wr_settle(c->apply, plan->wanted, reterr);
}

int wr_converge(struct wr_convergence *c, struct wr_plan *plan, unsigned rounds, struct wr_error *reterr)
{
	const struct wr_plan_options options = {.ignore_conflicts = true};
	const struct wr_inherited inherited = plan->live->inherited;

	for (unsigned round = 0; plan->n_steps; round++) {
		struct wr_model *live = NULL;
		int r;

		if (round == rounds)
			return wr_not_converged(plan, reterr);
		r = wr_converge_round(c, plan, reterr);
		if (r < 0)
			return r;
		/* What new things start with, and what the kernel lacks, was seen in the first look. */
		r = wr_converge_observe(c, false, &live, reterr);
		if (r == 0) {
			live->inherited = inherited;
			r = wr_plan_make(c->wanted, live, &options, c->apply->arena, &plan, reterr);
		}
		if (r < 0)
			return wr_fail_context(reterr, "checking what was done");
	}
	return 0;
}
