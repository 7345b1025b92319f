/* The loop over steps, and what their functions share: batches, tags, the place where the thread is. */
#include "apply/executor.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "model/name.h"

static const wr_execute wr_executes[WR_STEP_COUNT_] = {
#define X(name, text, about) [WR_STEP_##name] = wr_execute_##name,
	WR_STEPS(X)
#undef X
};

/* Says which step failed, with the kernel's words. */
static int wr_step_failed(struct wr_executor *x, const struct wr_batch_failure *failure, struct wr_error *reterr)
{
	struct wr_text WR_CLEANUP_TEXT words = {0};
	const struct wr_step *step = &x->plan->steps[failure->tag < x->plan->n_steps ? failure->tag : x->current];
	const char *name = strerrorname_np(-failure->code);

	wr_step_words(step, &words);
	return wr_fail(reterr, WR_ERR_KERNEL, failure->code, "cannot %s %s: %s (%s)",
		       wr_step_sign_name((enum wr_step_sign)step->sign), wr_text_string(&words),
		       failure->words[0] ? failure->words : strerror(-failure->code), name ? name : "unknown error");
}

/* Something that was to go may have gone by itself, with a namespace that is being destroyed. Whether it has, the next
 * observation shows. */
static bool wr_is_gone_already(const struct wr_executor *x, const struct wr_batch_failure *failure)
{
	const struct wr_step *step = &x->plan->steps[failure->tag < x->plan->n_steps ? failure->tag : x->current];

	if (step->sign != WR_STEP_REMOVE)
		return false;
	return failure->code == -ENODEV || failure->code == -ENOENT || failure->code == -ESRCH ||
	       failure->code == -EADDRNOTAVAIL;
}

int wr_executor_flush(struct wr_executor *x, struct wr_error *reterr)
{
	struct wr_batch_failure failure = {.tag = UINT32_MAX};
	int r;

	if (!x->target)
		return 0;
	x->target = NULL;
	r = wr_batch_send(&x->batch, 0, &failure, reterr);
	if (r < 0 && failure.tag != UINT32_MAX && wr_is_gone_already(x, &failure))
		return 0;
	if (r < 0 && failure.tag != UINT32_MAX)
		r = wr_step_failed(x, &failure, reterr);
	return r;
}

struct wr_netns *wr_executor_netns(struct wr_executor *x, const struct wr_ns *ns, struct wr_error *reterr)
{
	if (ns->is_host)
		return &x->host->self;
	if (ns->netns)
		return ns->netns;
	if (ns->match && ns->match->netns)
		return ns->match->netns;
	wr_fail(reterr, WR_ERR_KERNEL, -ENOENT, "namespace '%s' is not open", ns->name);
	return NULL;
}

struct wr_batch *wr_executor_batch(struct wr_executor *x, struct wr_ns *ns, struct wr_error *reterr)
{
	struct wr_netns *netns = wr_executor_netns(x, ns, reterr);

	if (!netns)
		return NULL;
	if (x->target && (x->target != netns || wr_batch_is_full(&x->batch)) && wr_executor_flush(x, reterr) < 0)
		return NULL;
	x->batch.nl = &netns->nl;
	x->target = netns;
	return &x->batch;
}

int wr_executor_go(struct wr_executor *x, const struct wr_netns *netns, struct wr_error *reterr)
{
	int r;

	if (x->inside == netns)
		return 0;
	wr_executor_leave(x);
	if (netns == &x->host->self)
		return 0;
	r = wr_netns_enter(netns, reterr);
	if (r == 0)
		x->inside = netns;
	return r;
}

uint32_t wr_executor_find_ifindex(const struct wr_ns *ns, const char *ifname)
{
	const struct wr_link *link = wr_ns_find_link(ns, ifname);

	if (!link && ns->match)
		link = wr_ns_find_link(ns->match, ifname);
	return link ? link->ifindex : 0;
}

void wr_executor_leave(struct wr_executor *x)
{
	if (!x->inside)
		return;
	wr_netns_leave(x->host);
	x->inside = NULL;
}

static uint32_t wr_highest_ifindex(const struct wr_ns *ns)
{
	uint32_t highest = 1;

	for (size_t i = 0; ns && i < ns->n_links; i++)
		if (ns->links[i]->ifindex > highest)
			highest = ns->links[i]->ifindex;
	return highest;
}

/* In the host, numbers from a far range that is this network's: the kernel itself counts up from 1 and never comes near,
 * so a message that names a number can never hit somebody else's link. */
static uint32_t wr_first_free_ifindex(const struct wr_executor *x)
{
	const struct wr_ns *host = wr_model_host(x->plan->live);
	uint32_t first = wr_name_first_ifindex(x->plan->live->name), highest = first - 1;

	for (size_t i = 0; i < host->n_links; i++)
		if (host->links[i]->ifindex > highest && host->links[i]->ifindex - first < (1u << 21))
			highest = host->links[i]->ifindex;
	return highest + 1;
}

uint32_t wr_executor_ifindex(struct wr_executor *x, struct wr_ns *ns)
{
	uint32_t highest;

	if (ns->is_host) {
		if (!x->next_ifindex)
			x->next_ifindex = wr_first_free_ifindex(x);
		return x->next_ifindex++;
	}
	highest = wr_highest_ifindex(ns);
	if (ns->match && wr_highest_ifindex(ns->match) > highest)
		highest = wr_highest_ifindex(ns->match);
	return highest + 1;
}

/* What was matched keeps its number and its open namespace. */
static void wr_executor_adopt(struct wr_executor *x)
{
	const struct wr_model *wanted = x->plan->wanted;

	for (size_t i = 0; i < wanted->n_ns; i++) {
		struct wr_ns *ns = wanted->ns[i];

		if (ns->match)
			ns->netns = ns->match->netns;
		for (size_t k = 0; k < ns->n_links; k++)
			if (ns->links[k]->match)
				ns->links[k]->ifindex = ns->links[k]->match->ifindex;
	}
}

static int wr_executor_pause(struct wr_executor *x, struct wr_error *reterr)
{
	struct wr_apply *apply = x->apply;
	int signal = apply->interrupted ? apply->interrupted(apply->data) : 0;

	if (signal)
		return wr_fail(reterr, WR_ERR_INTERRUPTED, -EINTR, "interrupted by %s",
			       sigabbrev_np(signal) ? sigabbrev_np(signal) : "a signal");
	return 0;
}

/* Progress counts steps, and names what the present one is about. */
static void wr_executor_tell(struct wr_executor *x)
{
	if (x->apply->progress)
		x->apply->progress(x->apply->data,
				   wr_step_kind_name((enum wr_step_kind)x->plan->steps[x->current].kind),
				   x->current - x->first, x->last - x->first);
}

int wr_apply_steps(struct wr_apply *apply, struct wr_plan *plan, size_t from, size_t to, struct wr_error *reterr)
{
	struct wr_executor x = {.apply = apply, .host = apply->host, .plan = plan, .first = from, .last = to};
	int r = 0;

	wr_batch_init(&x.batch, &apply->host->self.nl);
	wr_executor_adopt(&x);
	for (x.current = from; r == 0 && x.current < to; x.current++) {
		if (x.current % 64 == 0) {
			r = wr_executor_pause(&x, reterr);
			wr_executor_tell(&x);
		}
		if (r == 0)
			r = wr_executes[plan->steps[x.current].kind](&x, &plan->steps[x.current], reterr);
	}
	if (r == 0)
		r = wr_executor_flush(&x, reterr);
	if (r == 0)
		r = wr_executor_pause(&x, reterr);
	wr_executor_leave(&x);
	wr_batch_done(&x.batch);
	return r < 0 ? r : 0;
}
