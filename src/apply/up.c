/* `up`: all or nothing. What was observed before anything was touched is what a failure goes back to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apply/converge.h"
#include "apply/state.h"
#include "base/arena.h"
#include "base/error.h"
#include "kernel/netns.h"
#include "live/live.h"
#include "model/nft.h"

#define WR_ROUNDS 4

struct wr_up {
	struct wr_apply *apply;
	const struct wr_apply_up *request;
	struct wr_apply_result *result;
	struct wr_state state;
	struct wr_model *before; /* what was there */
	struct wr_convergence forward;
};

/* Things of this network beyond the wanted pins: then every later look must go over all pins of the machine. */
static bool wr_has_strays(const struct wr_model *live, const struct wr_model *wanted)
{
	for (size_t i = 1; i < live->n_ns; i++) {
		const struct wr_ns *found = wr_model_find_ns(wanted, live->ns[i]->name);

		if (live->ns[i]->ours && (!found || found->is_host || strcmp(found->pin, live->ns[i]->pin) != 0))
			return true;
	}
	return false;
}

static bool wr_has_neighbours(const struct wr_model *live)
{
	for (size_t i = 1; i < live->n_ns; i++)
		for (size_t k = 0; k < live->ns[i]->n_neighbours; k++)
			if (live->ns[i]->neighbours[k].protocol == WR_PROTOCOL)
				return true;
	return false;
}

/* Filters in namespaces, which may have left the file. */
static bool wr_has_filters(const struct wr_model *live)
{
	for (size_t i = 1; i < live->n_ns; i++)
		if (live->ns[i]->n_tables)
			return true;
	return false;
}

static bool wr_is_empty(const struct wr_model *live)
{
	const struct wr_ns *host = wr_model_host(live);

	for (size_t i = 1; i < live->n_ns; i++)
		if (live->ns[i]->ours)
			return false;
	for (size_t i = 0; i < host->n_links; i++)
		if (host->links[i]->ours)
			return false;
	for (size_t i = 0; i < host->n_tables; i++)
		if (host->tables[i]->ours)
			return false;
	return true;
}

static int wr_up_look(struct wr_up *up, struct wr_error *reterr)
{
	struct wr_convergence *forward = &up->forward;
	int r;

	*forward = (struct wr_convergence){.apply = up->apply,
					   .wanted = up->request->wanted,
					   .names = up->request->wanted,
					   .network = up->request->wanted->name};
	r = wr_host_reserve(up->apply->host, up->request->wanted->n_ns, reterr);
	if (r == 0)
		r = wr_converge_observe(forward, true, &up->before, reterr);
	if (r == 0)
		r = up->request->assign(up->request->data, up->request->wanted, up->before, reterr);
	if (r < 0)
		return r;
	forward->only_names = !wr_has_strays(up->before, up->request->wanted);
	forward->neighbours = wr_has_neighbours(up->before);
	forward->filters = wr_has_filters(up->before) ? WR_LIVE_FILTERS_OWN : WR_LIVE_FILTERS_WANTED;
	return wr_plan_make(up->request->wanted, up->before, NULL, up->apply->arena, &up->result->plan, reterr);
}

/* Names that were taken away but whose namespaces are still held open come back as they were. */
static int wr_repin(struct wr_host *host, const struct wr_model *before, struct wr_error *reterr)
{
	for (size_t i = 1; i < before->n_ns; i++) {
		struct wr_netns *netns = before->ns[i]->netns;

		if (netns && netns->unpinned) {
			int r = wr_netns_pin(host, netns, reterr);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Back to what was observed before: the same loop, towards that model. Signals wait. */
static int wr_up_put_back(struct wr_up *up, struct wr_error *reterr)
{
	const struct wr_plan_options options = {.ignore_conflicts = true};
	struct wr_apply quiet = *up->apply;
	struct wr_convergence back = {.apply = &quiet,
				      .wanted = up->before,
				      .names = up->request->wanted,
				      .network = up->request->wanted->name,
				      .filters = WR_LIVE_FILTERS_OWN};
	struct wr_model *now = NULL;
	struct wr_plan *plan = NULL;
	int r;

	quiet.interrupted = NULL;
	r = wr_repin(quiet.host, up->before, reterr);
	if (r == 0)
		r = wr_converge_observe(&back, true, &now, reterr);
	if (r == 0)
		r = wr_plan_make(up->before, now, &options, quiet.arena, &plan, reterr);
	if (r == 0)
		r = wr_converge(&back, plan, WR_ROUNDS, reterr);
	if (r == 0)
		r = wr_state_end(&up->state, false, reterr);
	return r;
}

static int wr_up_failed(struct wr_up *up, struct wr_error *reterr)
{
	struct wr_error second;
	int r;

	up->result->first = *reterr;
	r = wr_up_put_back(up, &second);
	if (r == 0) {
		up->result->outcome = WR_OUTCOME_ROLLED_BACK;
		if (wr_is_empty(up->before))
			r = wr_state_remove(&up->state, &second);
	}
	if (r < 0) {
		up->result->outcome = WR_OUTCOME_STUCK;
		wr_fail_context(&second, "and putting back what was there failed too");
		wr_fail(reterr, up->result->first.kind, up->result->first.code, "%.480s; %.480s",
			up->result->first.text, second.text);
		wr_fail_mend(reterr, "warren down %s removes everything that carries its mark",
			     up->request->wanted->name);
	}
	return up->result->first.code;
}

static int wr_up_work(struct wr_up *up, struct wr_error *reterr)
{
	struct wr_apply_result *result = up->result;
	int r;

	r = wr_up_look(up, reterr);
	if (r < 0)
		return r;
	r = wr_state_begin(&up->state, up->request->wanted, up->request->file_text, up->request->file_length, reterr);
	if (r < 0)
		return r;
	if (!result->plan->n_steps) {
		result->outcome = WR_OUTCOME_NOTHING_TO_DO;
		return wr_state_end(&up->state, true, reterr);
	}
	r = wr_pins_prepare(up->apply->host, reterr);
	if (r == 0)
		r = wr_converge(&up->forward, result->plan, WR_ROUNDS, reterr);
	if (r == 0)
		r = wr_state_end(&up->state, true, reterr);
	result->n_steps = up->forward.n_steps;
	result->n_interruptions = result->plan->n_interruptions;
	if (r < 0)
		return wr_up_failed(up, reterr);
	result->outcome = WR_OUTCOME_DONE;
	return 0;
}

int wr_apply_up(struct wr_apply *apply, const struct wr_apply_up *request, struct wr_apply_result *ret,
		struct wr_error *reterr)
{
	struct wr_up up = {.apply = apply, .request = request, .result = ret};
	struct wr_error ignored;
	int r;

	*ret = (struct wr_apply_result){.outcome = WR_OUTCOME_UNTOUCHED};
	r = wr_state_open(&up.state, apply, request->wanted->name, reterr);
	if (r < 0)
		return r;
	if (request->wanted->has_host_links)
		r = wr_state_lock_machine(&up.state, apply, reterr);
	if (r == 0)
		r = wr_up_work(&up, reterr);
	/* Refused before anything was touched: then the directory that was made for the lock goes too. The refusal is the
	 * error that counts. */
	if (r < 0 && ret->outcome == WR_OUTCOME_UNTOUCHED && up.state.made_directory)
		wr_state_remove(&up.state, &ignored);
	wr_state_close(&up.state);
	return r;
}
