/* The comparison of two models, and the list of steps that it makes. See plan.h for the order. */
#include "plan/internal.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"

const char *wr_step_kind_name(enum wr_step_kind kind)
{
	static const char *const names[WR_STEP_COUNT_] = {
#define X(name, text, about) [WR_STEP_##name] = text,
		WR_STEPS(X)
#undef X
	};

	return kind < WR_STEP_COUNT_ ? names[kind] : "?";
}

const char *wr_step_sign_name(enum wr_step_sign sign)
{
	switch (sign) {
	case WR_STEP_ADD:
		return "add";
	case WR_STEP_CHANGE:
		return "change";
	case WR_STEP_REMOVE:
		return "remove";
	}
	return "?";
}

struct wr_step *wr_planner_step(struct wr_planner *planner, enum wr_step_kind kind, enum wr_step_sign sign,
				struct wr_ns *ns, struct wr_link *link)
{
	struct wr_plan *plan = planner->plan;
	struct wr_step *step;

	if (wr_arena_grow(plan->arena, &plan->steps, &plan->capacity_steps, plan->n_steps, sizeof *plan->steps) < 0) {
		planner->error = -ENOMEM;
		return NULL;
	}
	step = &plan->steps[plan->n_steps++];
	memset(step, 0, sizeof *step);
	step->kind = (uint8_t)kind;
	step->sign = (uint8_t)sign;
	step->ns = ns;
	step->link = link;
	return step;
}

/* Reasons depend on the whole step, so they are looked up when all are filled. */
static void wr_planner_close(struct wr_planner *planner)
{
	struct wr_plan *plan = planner->plan;

	for (size_t i = 0; i < plan->n_steps; i++) {
		plan->steps[i].reason = wr_planner_reason(&plan->steps[i], planner);
		plan->n_interruptions += plan->steps[i].interrupts;
	}
}

/* Room for the steps of a network that is all new, at once: growing would copy them, and keep each copy. What is not used
 * is never touched. */
static int wr_planner_reserve(struct wr_planner *planner)
{
	const struct wr_model *wanted = planner->wanted;
	size_t things = 16;

	for (size_t i = 0; i < wanted->n_ns; i++)
		if (!wanted->ns[i]->match || wanted->ns[i]->is_host)
			things += 4 + 4 * wanted->ns[i]->n_links + wanted->ns[i]->n_routes;
	planner->plan->steps = wr_arena_alloc(planner->plan->arena, things * sizeof *planner->plan->steps);
	planner->plan->capacity_steps = things;
	return planner->plan->steps ? 0 : -ENOMEM;
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
	if (planner.error < 0)
		return wr_fail_memory(reterr);
	wr_planner_close(&planner);
	*ret = planner.plan;
	return 0;
}
