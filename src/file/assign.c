/* assign.c: wr_netfile_assign: from what is pending to a finished model.
 *
 * Written addresses first, then references to them, the hand-out, and references to what was handed out; routes and the rest of
 * each namespace need them all. Settings and names depend on the finished whole and come last. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "file/netfile.h"
#include "file/pending.h"
#include "file/subnets.h"
#include "model/resolver.h"
#include "model/want.h"

/* What the regular hosts files of all namespaces with `hosts:` may come to: each repeats the whole network. */
#define HOSTS_TOTAL_MAX ((size_t)64 << 20)

static int assign_namespaces(struct wr_nf_assigner *a)
{
	struct wr_nf_subnets subnets = {0};

	for (size_t i = 0; i < a->pending->n_ns && !a->out_of_memory; i++) {
		struct wr_nf_ns *ns = a->pending->ns[i];

		if (wr_nf_subnets_of(a, &subnets, ns->ns) < 0)
			return -ENOMEM;
		wr_nf_check_overlaps(a, ns, &subnets);
		wr_nf_assign_routes(a, ns, &subnets);
		wr_nf_assign_default_routes(a, ns);
		wr_nf_assign_extras(a, ns, &subnets);
	}
	return a->out_of_memory ? -ENOMEM : 0;
}

/* A copy in the arena, which frees the text. */
static const char *keep(struct wr_nf_assigner *a, struct wr_text *text)
{
	const char *copy = wr_text_error(text) ? NULL : wr_arena_strdup(a->arena, wr_text_string(text));

	wr_text_done(text);
	if (!copy)
		a->out_of_memory = true;
	return copy;
}

/* The contents of hosts and resolv.conf. A namespace without `hosts:` shares the network's file by a symbolic link, whose
 * target depends on the state directory: hosts_file stays NULL then, and is for who knows that directory. */
static void assign_names(struct wr_nf_assigner *a, const char *machine)
{
	struct wr_text text = {0};
	size_t shared, total = 0;

	wr_resolver_hosts(a->model, machine, &text);
	shared = text.length;
	a->model->hosts_text = keep(a, &text);
	for (size_t i = 0; i < a->model->n_ns && !a->out_of_memory; i++) {
		struct wr_ns *ns = a->model->ns[i];

		if (ns->is_host)
			continue;
		ns->hosts_is_link = !ns->n_hosts;
		if (ns->n_hosts) {
			total += shared;
			if (total > HOSTS_TOTAL_MAX) {
				wr_diagnose(a->diagnostics, ns->hosts[0].place,
					    "put the names into a DNS server of the network",
					    "too many namespaces with 'hosts': their files repeat the network's and "
					    "pass %zu MiB",
					    HOSTS_TOTAL_MAX >> 20);
				return;
			}
			wr_text_add(&text, a->model->hosts_text);
			wr_resolver_add_names(ns, &text);
			ns->hosts_file = keep(a, &text);
		}
		if (ns->has_dns) {
			wr_resolver_conf_of(ns, &text);
			ns->resolv_file = keep(a, &text);
		}
	}
}

int wr_nf_assign(struct wr_nf_assigner *a, const char *machine)
{
	wr_nf_resolve_addresses(a, false);
	wr_nf_hand_out(a);
	wr_nf_resolve_addresses(a, true);
	if (a->out_of_memory)
		return -ENOMEM;
	wr_nf_fill_lengths(a);
	wr_nf_check_segments(a);
	if (assign_namespaces(a) < 0)
		return -ENOMEM;
	wr_nf_assign_traffic(a);
	if (a->out_of_memory)
		return -ENOMEM;
	if (a->diagnostics->total)
		return -EINVAL;
	wr_model_want_conf(a->model);
	assign_names(a, machine);
	if (a->out_of_memory)
		return -ENOMEM;
	return a->diagnostics->total ? -EINVAL : 0;
}

int wr_netfile_assign(struct wr_model *model, const struct wr_model *leases, const char *machine,
		      struct wr_diagnostics *diagnostics)
{
	WR_CLEANUP_ARENA struct wr_arena *scratch = wr_arena_new();
	struct wr_nf_assigner a = {.arena = model->arena,
				   .scratch = scratch,
				   .model = model,
				   .leases = leases,
				   .pending = model->pending,
				   .diagnostics = diagnostics};
	int r;

	if (!scratch)
		return -ENOMEM;
	if (!model->pending) /* made by something else than a file: it is complete */
		return 0;
	r = wr_nf_assign(&a, machine);
	model->pending = NULL;
	return r;
}
