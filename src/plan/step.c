/* The list of steps while it grows, and the names that are not of one kind. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "plan/internal.h"

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

/* Room for the steps of a network that is all new, at once: growing would copy them, and keep each copy. What is not used
 * is never touched. */
int wr_planner_reserve(struct wr_planner *planner)
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
