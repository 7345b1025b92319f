/* build.c: plan, up, down and status: load, observe, compare, and print or carry out.
 *
 * Theory: all four are one comparison of what is wanted with what is there; they differ in what is done with it. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "apply/apply.h"
#include "apply/state.h"
#include "base/text.h"
#include "lib/internal.h"
#include "live/live.h"
#include "model/model.h"
#include "model/name.h"
#include "plan/plan.h"
#include "show/show.h"

#define PROGRESS_PAUSE_NS (1000000000ll / 20)

/* What the callbacks of a run need: the caller's own, and for whom. */
struct run {
	struct wr_call call;
	struct wr_apply apply;
	const char *network;
	long long told_ns; /* when progress was last told */
};

static int on_interrupted(void *data)
{
	const struct wr_settings *settings = &((struct run *)data)->call.context->settings;

	return settings->is_interrupted(settings->data);
}

static void on_progress(void *data, const char *phase, size_t done, size_t total)
{
	struct run *run = data;
	const struct wr_settings *settings = &run->call.context->settings;
	struct timespec now;
	long long now_ns;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	now_ns = now.tv_sec * 1000000000ll + now.tv_nsec;
	if (run->told_ns && now_ns - run->told_ns < PROGRESS_PAUSE_NS)
		return;
	run->told_ns = now_ns;
	settings->on_progress(settings->data, phase, done, total);
}

static void on_waiting(void *data, const char *holder)
{
	struct run *run = data;
	const struct wr_settings *settings = &run->call.context->settings;

	settings->on_waiting(settings->data, run->network, holder);
}

static void close_run(struct run *run)
{
	wr_call_close(&run->call);
}
#define CLEANUP_RUN __attribute__((cleanup(close_run)))

static int open_run(struct run *run, const struct wr_context *context, const char *network, struct wr_error *reterr)
{
	const struct wr_settings *settings = &context->settings;
	int r = wr_host_check_privilege(reterr);

	if (r == 0)
		r = wr_call_open(&run->call, context, reterr);
	if (r < 0)
		return r;
	run->network = network;
	run->apply = (struct wr_apply){
		.host = &run->call.host,
		.arena = run->call.arena,
		.interrupted = settings->is_interrupted ? on_interrupted : NULL,
		.progress = settings->on_progress ? on_progress : NULL,
		.waiting = settings->on_waiting ? on_waiting : NULL,
		.lock_timeout_ms = settings->lock_timeout_ms,
		.data = run,
	};
	return 0;
}

static void warn(const struct wr_context *context, const struct wr_plan *plan)
{
	const struct wr_settings *settings = &context->settings;

	for (size_t i = 0; plan && settings->on_warning && i < plan->n_warnings; i++)
		settings->on_warning(settings->data, plan->warnings[i]);
}

/* Observes, and compares with the file. */
static int compare(struct wr_call *call, const struct wr_network *network, struct wr_plan **ret,
		   struct wr_error *reterr)
{
	struct wr_live_request request = {
		.network = wr_network_name(network),
		.wanted = network->model,
		.depth = WR_LIVE_FULL,
		.filters = WR_LIVE_FILTERS_ALL,
	};
	struct wr_model *live, *wanted;
	int r = wr_network_forget(call, network, network->model, reterr);

	if (r == 0)
		r = wr_live_observe(&call->host, &request, call->arena, &live, reterr);
	if (r == 0)
		r = wr_network_wanted(network, call->context, live, call->arena, &wanted, reterr);
	if (r == 0 && wanted != network->model)
		r = wr_network_forget(call, network, wanted, reterr);
	if (r == 0)
		r = wr_plan_make(wanted, live, NULL, call->arena, ret, reterr);
	if (r == 0)
		warn(call->context, *ret);
	return r;
}

int wr_plan(struct wr_context *context, const struct wr_network *network, enum wr_format format, char **ret,
	    size_t *ret_steps, struct wr_error *reterr)
{
	WR_CLEANUP_CALL struct wr_call call = {0};
	WR_CLEANUP_TEXT struct wr_text text = {0};
	struct wr_error error;
	struct wr_plan *plan;
	int r;

	if (!reterr)
		reterr = &error;
	r = wr_host_check_privilege(reterr);
	if (r == 0)
		r = wr_call_open(&call, context, reterr);
	if (r == 0)
		r = compare(&call, network, &plan, reterr);
	if (r < 0)
		return r;
	switch (format) {
	case WR_FORMAT_TEXT:
		wr_show_plan_text(plan, &text);
		break;
	case WR_FORMAT_JSON:
		wr_show_plan_json(plan, &text);
		break;
	case WR_FORMAT_COMMANDS:
		wr_show_plan_commands(plan, &text);
		break;
	}
	r = wr_text_give(&text, ret, reterr);
	if (r == 0 && ret_steps)
		*ret_steps = plan->n_steps;
	return r;
}

/* What assign needs to know. */
struct assignment {
	const struct wr_network *network;
	const struct wr_context *context;
};

static int assign(void *data, struct wr_model *wanted, const struct wr_model *live, struct wr_error *reterr)
{
	const struct assignment *assignment = data;

	return wr_network_assign(assignment->network, assignment->context, wanted, live, reterr);
}

/* What a caller hears of a run, and the result that it returns. */
static int conclude(const struct run *run, int r, const struct wr_apply_result *result, struct wr_report *ret_report)
{
	if (run->call.is_open)
		warn(run->call.context, result->plan);
	if (ret_report) {
		*ret_report = (struct wr_report){
			.steps = result->n_steps,
			.interruptions = result->n_interruptions,
			.touched = result->outcome == WR_OUTCOME_ROLLED_BACK || result->outcome == WR_OUTCOME_STUCK,
			.restored = result->outcome == WR_OUTCOME_ROLLED_BACK,
		};
	}
	if (r < 0)
		return r;
	return result->outcome == WR_OUTCOME_NOTHING_TO_DO ? WR_RESULT_NOTHING_TO_DO : WR_RESULT_DONE;
}

int wr_up(struct wr_context *context, const struct wr_network *network, struct wr_report *ret_report,
	  struct wr_error *reterr)
{
	CLEANUP_RUN struct run run = {0};
	struct wr_apply_result result = {.outcome = WR_OUTCOME_UNTOUCHED};
	struct assignment assignment = {.network = network, .context = context};
	struct wr_apply_up up = {.assign = assign, .data = &assignment};
	struct wr_error error;
	int r;

	if (!reterr)
		reterr = &error;
	r = open_run(&run, context, wr_network_name(network), reterr);
	if (r == 0)
		r = wr_network_read(network, run.call.arena, &up.wanted, reterr);
	if (r == 0)
		r = wr_network_forget(&run.call, network, up.wanted, reterr);
	if (r == 0) {
		up.file_text = network->text;
		up.file_length = network->length;
		r = wr_apply_up(&run.apply, &up, &result, reterr);
	}
	return conclude(&run, r, &result, ret_report);
}

int wr_down(struct wr_context *context, const char *name, const struct wr_network *network,
	    struct wr_report *ret_report, struct wr_error *reterr)
{
	CLEANUP_RUN struct run run = {0};
	struct wr_apply_result result = {.outcome = WR_OUTCOME_UNTOUCHED};
	struct wr_error error;
	int r;

	if (!reterr)
		reterr = &error;
	if (!wr_name_is_valid(name))
		r = wr_fail(reterr, WR_ERR_USAGE, -EINVAL, "'%s' is no name of a network", name);
	else
		r = open_run(&run, context, name, reterr);
	if (r == 0)
		r = wr_apply_down(&run.apply, name, network ? network->model : NULL, &result, reterr);
	return conclude(&run, r, &result, ret_report);
}

/* The file that a network was made from, or why there is none. */
static int load_kept(struct wr_call *call, const char *name, struct wr_network **ret, struct wr_error *reterr)
{
	const char *source, *text;
	struct wr_pin_entry *pins;
	size_t length, count;
	int r = wr_state_read_file(&call->host, name, call->arena, &source, &text, &length, reterr);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && text)
		return wr_load_text(source ? source : name, text, length, name, ret, NULL, reterr);
	r = wr_call_list(call, &pins, &count, reterr);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (!pins[i].network || strcmp(pins[i].network, name) != 0)
			continue;
		wr_fail(reterr, WR_ERR_NOTFOUND, -ENODATA,
			"network '%s' is up, but the file it was made from is not kept in %s", name, call->host.state);
		wr_fail_mend(reterr, "name the file: warren status FILE");
		return -ENODATA;
	}
	wr_fail(reterr, WR_ERR_NOTFOUND, -ENOENT, "no network '%s' is up", name);
	wr_fail_mend(reterr, "warren ls shows which are");
	return -ENOENT;
}

int wr_status(struct wr_context *context, const char *name, const struct wr_network *file, enum wr_format format,
	      char **ret, size_t *ret_differences, struct wr_error *reterr)
{
	WR_CLEANUP_CALL struct wr_call call = {0};
	WR_CLEANUP_TEXT struct wr_text text = {0};
	struct wr_network *kept = NULL;
	struct wr_error error;
	struct wr_plan *plan;
	int r;

	if (!reterr)
		reterr = &error;
	r = wr_host_check_privilege(reterr);
	if (r == 0)
		r = wr_call_open(&call, context, reterr);
	if (r == 0 && !file) {
		r = load_kept(&call, name, &kept, reterr);
		file = kept;
	}
	if (r == 0)
		r = compare(&call, file, &plan, reterr);
	if (r < 0)
		goto out;
	switch (format) {
	case WR_FORMAT_TEXT:
		wr_show_status_text(wr_network_name(file), file->source, plan, &text);
		break;
	case WR_FORMAT_JSON:
		wr_show_status_json(wr_network_name(file), file->source, plan, &text);
		break;
	case WR_FORMAT_COMMANDS:
		r = wr_fail(reterr, WR_ERR_USAGE, -EINVAL, "a status is not shown as commands; a plan is");
		goto out;
	}
	r = wr_text_give(&text, ret, reterr);
	if (r == 0 && ret_differences)
		*ret_differences = plan->n_steps;
out:
	wr_network_free(kept);
	return r;
}
