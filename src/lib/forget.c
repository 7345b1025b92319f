/* forget.c: settings that left the file.
 *
 * Theory: what carries a mark tells when it is not wanted any more; a sysctl carries none. The file that the network was made
 * from, kept in the state directory, tells which were set: those that the new file does not name are wanted as a namespace
 * that nobody has touched has them. Without the kept file they stay as they are. */
#include <string.h>

#include "base/arena.h"
#include "file/netfile.h"
#include "apply/state.h"
#include "lib/internal.h"
#include "live/live.h"
#include "model/model.h"

/* Settings that left, each with the place in the new model where its plain value is wanted. */
struct leaving {
	struct wr_arena *arena;
	const char **keys;
	struct place {
		struct wr_ns *ns;
		struct wr_link *link; /* NULL: the namespace's own */
	} * places;
	size_t n, capacity_keys, capacity_places;
};

static bool names(const struct wr_sysctl *sysctls, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(sysctls[i].key, key))
			return true;
	return false;
}

static int collect(struct leaving *leaving, struct wr_ns *ns, struct wr_link *link, const struct wr_sysctl *before,
		   size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (link ? names(link->sysctls, link->n_sysctls, before[i].key)
			 : names(ns->sysctls, ns->n_sysctls, before[i].key))
			continue;
		if (wr_arena_grow(leaving->arena, &leaving->keys, &leaving->capacity_keys, leaving->n,
				  sizeof *leaving->keys) < 0 ||
		    wr_arena_grow(leaving->arena, &leaving->places, &leaving->capacity_places, leaving->n,
				  sizeof *leaving->places) < 0)
			return -1;
		leaving->keys[leaving->n] = before[i].key;
		leaving->places[leaving->n++] = (struct place){.ns = ns, .link = link};
	}
	return 0;
}

/* Whether a file that does not name it leaves a setting of a link to chance: model/want.h decides all others. */
static bool is_free(const struct wr_link *link, enum wr_conf_id id)
{
	if (link->kind == WR_LINK_LOOPBACK)
		return id != WR_CONF_V6_DISABLE;
	return id == WR_CONF_V4_PROMOTE_SECONDARIES || id == WR_CONF_V6_FORWARDING || id == WR_CONF_V6_FORCE_FORWARDING;
}

/* The same for what conf.h knows by number: set before, and not named now. Both models are as their files say. */
static int collect_conf(struct leaving *leaving, struct wr_ns *ns, const struct wr_link *before,
			const struct wr_link *now)
{
	char key[80];

	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		struct wr_sysctl sysctl = {.key = key};

		if (before->conf.value[id] == WR_CONF_UNSET || now->conf.value[id] != WR_CONF_UNSET ||
		    !is_free(now, (enum wr_conf_id)id))
			continue;
		sysctl.key = wr_arena_strdup(leaving->arena, wr_conf_key((enum wr_conf_id)id, now->ifname, key));
		if (!sysctl.key || collect(leaving, ns, NULL, &sysctl, 1) < 0)
			return -1;
	}
	return 0;
}

static int collect_all(struct leaving *leaving, const struct wr_model *wanted, const struct wr_model *before)
{
	for (size_t i = 1; i < before->n_ns; i++) {
		const struct wr_ns *old = before->ns[i];
		struct wr_ns *ns = wr_model_find_ns(wanted, old->name);

		if (!ns || ns->is_host)
			continue;
		if (collect(leaving, ns, NULL, old->sysctls, old->n_sysctls) < 0)
			return -1;
		for (size_t k = 0; k < old->n_links; k++) {
			const struct wr_link *was = old->links[k];
			struct wr_link *link = wr_ns_find_link(ns, was->ifname);

			if (link && (collect(leaving, ns, link, was->sysctls, was->n_sysctls) < 0 ||
				     collect_conf(leaving, ns, was, link) < 0))
				return -1;
		}
	}
	return 0;
}

/* The model of the kept file, not assigned; *ret stays NULL when there is none that can be read. */
static int read_kept(struct wr_call *call, const struct wr_network *network, struct wr_model **ret,
		     struct wr_error *reterr)
{
	const char *name = wr_network_name(network), *source = NULL, *text = NULL;
	struct wr_diagnostics diagnostics = {.arena = call->arena};
	struct wr_netfile_input input;
	size_t length = 0;
	int r = wr_state_read_file(&call->host, name, call->arena, &source, &text, &length, reterr);

	if (r < 0 || !text || (length == network->length && !memcmp(text, network->text, length)))
		return r;
	input = (struct wr_netfile_input){.source = source, .text = text, .length = length, .name = name};
	/* One that another version wrote, and this one refuses, tells nothing. */
	if (wr_netfile_load(&input, call->arena, ret, &diagnostics) < 0)
		*ret = NULL;
	return 0;
}

int wr_network_forget(struct wr_call *call, const struct wr_network *network, struct wr_model *wanted,
		      struct wr_error *reterr)
{
	struct leaving leaving = {.arena = call->arena};
	struct wr_model *before = NULL;
	const char **values;
	int r = read_kept(call, network, &before, reterr);

	if (r < 0 || !before)
		return r;
	if (collect_all(&leaving, wanted, before) < 0)
		return wr_fail_memory(reterr);
	if (!leaving.n)
		return 0;
	values = wr_arena_alloc(call->arena, leaving.n * sizeof *values);
	if (!values)
		return wr_fail_memory(reterr);
	r = wr_live_fresh_sysctls(&call->host, leaving.keys, leaving.n, call->arena, values, reterr);
	for (size_t i = 0; r == 0 && i < leaving.n; i++) {
		const char *key = wr_arena_strdup(wanted->arena, leaving.keys[i]);

		if (!key || (values[i] && wr_ns_set_sysctl(leaving.places[i].ns, leaving.places[i].link, key, values[i],
							   (struct wr_place){0}) < 0))
			r = wr_fail_memory(reterr);
	}
	return r;
}
