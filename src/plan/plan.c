/* The comparison of two models, and the list of steps that it makes. See plan.h for the order. */
#include "plan/internal.h"

#include "base/arena.h"
#include "base/error.h"

/* Reasons depend on the whole step, so they are looked up when all are filled. */
static void wr_planner_close(struct wr_planner *planner)
{
	struct wr_plan *plan = planner->plan;

	for (size_t i = 0; i < plan->n_steps; i++) {
		plan->steps[i].reason = wr_planner_reason(&plan->steps[i], planner);
		plan->n_interruptions += plan->steps[i].interrupts;
	}
}

int wr_plan_make(const struct wr_model *wanted, const struct wr_model *live, const struct wr_plan_options *options,
		 struct wr_arena *arena, struct wr_plan **ret, struct wr_error *reterr)
{
	static const struct wr_plan_options usual;
	struct wr_inherited unknown = {.known = false};
	struct wr_planner planner = {.wanted = wanted, .live = live, .options = options ? options : &usual};
	int r;

	wr_conf_clear(&unknown.ns_all);
	wr_conf_clear(&unknown.ns_default);
	wr_conf_clear(&unknown.ns_lo);
	wr_conf_clear(&unknown.host_default);
	planner.plan = wr_arena_new_of(arena, struct wr_plan);
	if (!planner.plan)
		return wr_fail_memory(reterr);
	planner.plan->arena = arena;
	planner.plan->wanted = wanted;
	planner.plan->live = live;
	planner.new_addresses.arena = planner.leftovers.arena = arena;
	planner.inherited = live->inherited.known ? &live->inherited : &unknown;

	if (!planner.options->ignore_conflicts) {
		r = wr_plan_check_conflicts(wanted, live, reterr);
		if (r == 0)
			r = wr_planner_check_traffic(wanted, live, reterr);
		if (r < 0)
			return r;
	}
	if (wr_planner_match(&planner) < 0)
		return wr_fail_memory(reterr);
	if (wr_planner_reserve(&planner) < 0)
		return wr_fail_memory(reterr);
	wr_planner_remove_early(&planner);
	wr_planner_build(&planner);
	planner.plan->first_removal = planner.plan->n_steps;
	wr_planner_remove(&planner);
	wr_planner_warn(&planner);
	if (planner.error < 0)
		return wr_fail_memory(reterr);
	wr_planner_close(&planner);
	*ret = planner.plan;
	return 0;
}
