/* observe.c: what the kernel has, as a model of one network.
 *
 * The host is read first, then the namespaces that the wanted model names, then every other pin of the machine whose lo
 * carries a mark of the network. Whose a thing is, is read from its mark; two gaps that a kill or a hand can make are
 * closed by a second witness: a link without alias is ours when it has the name and the derived MAC of a wanted one, a
 * namespace without alias is ours when it has the name of a wanted one and a link with our mark inside. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/feature.h"
#include "base/text.h"
#include "kernel/netns.h"
#include "live/inside.h"
#include "live/observe.h"
#include "model/name.h"

/* --- whose it is ----------------------------------------------------------------------------------------------------- */

/* "eth0" in its own namespace, "web.eth0" elsewhere, a bridge's "lan": what the mark says. */
static int name_link(struct wr_link *link, struct wr_error *reterr)
{
	struct wr_arena *arena = link->ns->model->arena;
	char network[64], a[64], b[64];

	if (link->kind == WR_LINK_LOOPBACK || !wr_name_read_mark(link->alias, network, a, b))
		return 0;
	if (b[0] == '\0')
		link->name = wr_arena_strdup(arena, a);
	else if (strcmp(a, link->ns->name) == 0)
		link->name = wr_arena_strdup(arena, b);
	else
		link->name = wr_arena_printf(arena, "%s.%s", a, b);
	return link->name != NULL ? 0 : wr_fail_memory(reterr);
}

/* The wanted link of that interface name; by_name (may be empty) is an index of a namespace with many. */
static const struct wr_link *find_wanted(const struct wr_ns *wanted, const struct wr_map *by_name, const char *ifname)
{
	if (wanted == NULL)
		return NULL;
	return by_name->count > 0 ? wr_map_get(by_name, ifname) : wr_ns_find_link(wanted, ifname);
}

/* Sets `ours` and the names of a namespace's links. wanted: the same namespace in the wanted model, or NULL. */
static int claim_links(const struct wr_observing *o, struct wr_ns *ns, const struct wr_ns *wanted,
		       struct wr_error *reterr)
{
	struct wr_map by_name = {.arena = o->model->arena};

	for (size_t i = 0; wanted != NULL && wanted->n_links > 16 && i < wanted->n_links; i++)
		if (wr_map_put(&by_name, wanted->links[i]->ifname, wanted->links[i]) < 0)
			return wr_fail_memory(reterr);
	for (size_t i = 0; i < ns->n_links; i++) {
		struct wr_link *link = ns->links[i];
		const struct wr_link *named;

		/* lo is the namespace's own, whatever became of its mark. */
		if (link->kind == WR_LINK_LOOPBACK && !ns->is_host) {
			link->ours = true;
			continue;
		}
		if (link->alias != NULL) {
			link->ours = wr_name_is_mark_of(link->alias, o->request->network);
			if (link->ours && name_link(link, reterr) < 0)
				return -ENOMEM;
			continue;
		}
		named = find_wanted(wanted, &by_name, link->ifname);
		if (named == NULL || named->kind != link->kind)
			continue;
		link->ours = named->mac_set && !named->mac_written && link->mac_set &&
			     memcmp(&named->mac, &link->mac, sizeof link->mac) == 0;
		if (link->ours) {
			link->name = wr_arena_strdup(o->model->arena, named->name);
			if (link->name == NULL)
				return wr_fail_memory(reterr);
		}
	}
	return 0;
}

/* --- namespaces ------------------------------------------------------------------------------------------------------ */

static struct wr_reading *new_reading(struct wr_observing *o, struct wr_ns *ns)
{
	struct wr_arena *arena = o->model->arena;
	struct wr_reading *reading = wr_arena_new_of(arena, struct wr_reading);

	while (reading != NULL && o->n_readings < o->model->n_ns) {
		if (wr_arena_grow(arena, &o->readings, &o->capacity_readings, o->n_readings,
				  sizeof(struct wr_reading *)) < 0)
			return NULL;
		o->readings[o->n_readings++] = NULL;
	}
	if (reading == NULL)
		return NULL;
	/* Each namespace is read as soon as it is added. */
	o->readings[o->n_readings - 1] = reading;
	reading->ns = ns;
	return reading;
}

struct wr_ns *wr_observe_add_ns(struct wr_observing *o, const char *name, const char *pin)
{
	struct wr_ns *ns = wr_model_add_ns(o->model, name);

	if (ns == NULL)
		return NULL;
	ns->ours = false;
	ns->pin = wr_arena_strdup(o->model->arena, pin);
	return ns->pin != NULL ? ns : NULL;
}

/* Takes everything back that was read from a namespace that proved not to be ours. */
static void forget_inside(struct wr_ns *ns)
{
	ns->n_links = ns->n_routes = ns->n_rules = ns->n_neighbours = 0;
	wr_conf_clear(&ns->conf_all);
	wr_conf_clear(&ns->conf_default);
	ns->deep = false;
}

/* Whether a link inside carries a mark of the network: the second witness of a namespace whose lo has lost its own. */
static bool holds_marked_link(const struct wr_ns *ns, const char *network)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i]->kind != WR_LINK_LOOPBACK && wr_name_is_mark_of(ns->links[i]->alias, network))
			return true;
	return false;
}

/* Reads the mark, and at full depth all else, of an open namespace. wanted may be NULL. */
static int look_inside(struct wr_observing *o, struct wr_ns *ns, const struct wr_ns *wanted, struct wr_error *reterr)
{
	const char *network = o->request->network;
	struct wr_reading *reading = new_reading(o, ns);
	unsigned what = WR_INSIDE_LINKS;
	struct wr_link *lo;
	int r;

	if (reading == NULL)
		return wr_fail_memory(reterr);
	if (o->request->depth == WR_LIVE_FULL) {
		what |= WR_INSIDE_ADDRESSES | WR_INSIDE_ROUTES | WR_INSIDE_CONF | WR_INSIDE_HOST_NSID | WR_INSIDE_RULES;
		if (!o->request->only_wanted || o->request->neighbours || wanted == NULL || wanted->n_neighbours > 0)
			what |= WR_INSIDE_NEIGHBOURS;
		if (wanted != NULL && wanted->n_links > 32)
			what |= WR_INSIDE_MANY;
	} else {
		r = wr_inside_alias(ns->netns, o->model->arena, &ns->alias, reterr);
		if (r < 0)
			return r;
		ns->ours = wr_name_is_mark_of(ns->alias, network);
		if (ns->ours || ns->alias != NULL)
			return 0;
	}
	r = wr_inside_read(o->host, ns->netns, reading, what, reterr);
	if (r < 0)
		return r;
	o->saw_proto |= reading->saw_proto;
	lo = wr_ns_loopback(ns);
	ns->alias = lo != NULL ? lo->alias : NULL;
	ns->ours = wr_name_is_mark_of(ns->alias, network) || (ns->alias == NULL && holds_marked_link(ns, network));
	ns->deep = o->request->depth == WR_LIVE_FULL;
	if (!ns->ours || !ns->deep) {
		forget_inside(ns);
		return 0;
	}
	r = claim_links(o, ns, wanted, reterr);
	return r < 0 || wanted == NULL ? r : wr_inside_files(o->host, ns->netns, ns, wanted, reterr);
}

static int remember_mark(struct wr_observing *o, struct wr_ns *ns, struct wr_error *reterr)
{
	struct wr_reading *reading = o->readings[o->n_readings - 1]; /* it is the last that was read */

	if (ns->ours && ns->alias != NULL && wr_map_put(&o->by_mark, ns->alias, reading) < 0)
		return wr_fail_memory(reterr);
	return 0;
}

static int remember_name(const char *pin, void *data)
{
	struct wr_observing *o = data;
	char *name = wr_arena_strdup(o->model->arena, pin);

	return name != NULL && wr_map_put(&o->names, name, name) >= 0 ? 0 : -ENOMEM;
}

/* What is there under the pin of a wanted namespace. */
static int observe_wanted(struct wr_observing *o, const struct wr_ns *wanted, struct wr_error *reterr)
{
	struct wr_error error = {0};
	struct wr_netns *netns;
	struct wr_ns *ns;
	int state = WR_PIN_NAMESPACE, r;

	if (wr_map_get(&o->names, wanted->pin) == NULL)
		return 0;
	r = wr_netns_look(o->host, wanted->pin, &netns, &error);

	if (r == -ENOENT)
		return 0;
	if (r == -ESTALE || r == -EINVAL || r == -ENXIO || r == -EISDIR || r == -ELOOP || r == -EACCES)
		state = wr_pin_state(o->host, wanted->pin, reterr);
	if (state < 0)
		return state;
	if (state == WR_PIN_ABSENT)
		return 0;
	if (r < 0 && state == WR_PIN_NAMESPACE && r != -EINVAL)
		return wr_fail(reterr, error.kind, r, "%s", error.text);
	ns = wr_observe_add_ns(o, wanted->name, wanted->pin);
	if (ns == NULL)
		return wr_fail_memory(reterr);
	if (r < 0) { /* an empty file that a kill left, or something that is no network namespace */
		ns->stale = ns->ours = state == WR_PIN_STALE;
		return 0;
	}
	ns->netns = netns;
	ns->cookie = netns->cookie;
	r = look_inside(o, ns, wanted, reterr);
	if (r < 0)
		return wr_fail_context(reterr, "cannot read namespace '%s'", wanted->pin);
	return remember_mark(o, ns, reterr);
}

/* --- the rest of the machine ------------------------------------------------------------------------------------------ */

struct straying {
	struct wr_observing *observing;
	struct wr_error *reterr;
};

/* "NETWORK.NAME": the name that the network gives a namespace where its file does not say otherwise. */
static bool is_own_name(const char *network, const char *pin)
{
	size_t length = strlen(network);

	return strncmp(pin, network, length) == 0 && pin[length] == '.' && wr_name_is_valid(pin + length + 1);
}

/* An empty file under a name of the network: what a kill between making a pin's file and binding the namespace over it, or
 * between the reverse, leaves. It holds nothing that could be anybody's. */
static int add_stale(struct wr_observing *o, const char *pin, struct wr_error *reterr)
{
	struct wr_ns *ns = wr_observe_add_ns(o, pin, pin);

	if (ns == NULL)
		return wr_fail_memory(reterr);
	ns->stale = ns->ours = true;
	return 0;
}

/* A pin that nobody asked for: ours when its lo says so. */
static int visit_stray(const char *pin, enum wr_pin_state state, void *data)
{
	struct straying *s = data;
	struct wr_observing *o = s->observing;
	char network[64], name[64], b[64];
	bool was_open = wr_map_get(&o->host->open, pin) != NULL;
	struct wr_error error = {0};
	const char *alias = NULL;
	struct wr_netns *netns;
	struct wr_ns *ns;
	int r;

	if (wr_map_get(&o->wanted_by_pin, pin) != NULL)
		return 0;
	if (state == WR_PIN_STALE && is_own_name(o->request->network, pin))
		return add_stale(o, pin, s->reterr);
	if (state != WR_PIN_NAMESPACE)
		return 0;
	r = wr_netns_look(o->host, pin, &netns, &error);
	if (r == -ENOENT || r == -ESTALE || r == -EINVAL) /* gone by now, or no network namespace */
		return 0;
	if (r == 0)
		r = wr_inside_alias(netns, o->model->arena, &alias, &error);
	if (r < 0) {
		if (s->reterr != NULL)
			*s->reterr = error;
		return wr_fail_context(s->reterr, "cannot look into namespace '%s', which may belong to network '%s'",
				       pin, o->request->network);
	}
	if (alias == NULL && is_own_name(o->request->network, pin)) {
		/* Under a name of the network, with its mark taken off: what is inside may still tell. */
		snprintf(name, sizeof name, "%s", pin + strlen(o->request->network) + 1);
	} else if (!wr_name_is_mark_of(alias, o->request->network) || !wr_name_read_mark(alias, network, name, b)) {
		if (!was_open)
			wr_netns_close(o->host, netns);
		return 0;
	}
	ns = wr_observe_add_ns(o, name, pin);
	if (ns == NULL)
		return wr_fail_memory(s->reterr);
	ns->netns = netns;
	ns->cookie = netns->cookie;
	r = look_inside(o, ns, NULL, s->reterr);
	if (r < 0)
		return wr_fail_context(s->reterr, "cannot read namespace '%s'", pin);
	if (!ns->ours) { /* it does not: then it is nobody's that we know, as before */
		o->model->n_ns--;
		o->n_readings--;
		return 0;
	}
	return remember_mark(o, ns, s->reterr);
}

/* Leaves out the host's local routes that lead to another network's links. */
static void disclaim_routes(struct wr_ns *host)
{
	size_t kept = 0;

	for (size_t i = 0; i < host->n_routes; i++) {
		const struct wr_route *route = &host->routes[i];
		const struct wr_link *link =
			route->n_hops > 0 && route->hops->dev != NULL ? wr_ns_find_link(host, route->hops->dev) : NULL;

		if (route->table != RT_TABLE_LOCAL || (link != NULL && link->ours))
			host->routes[kept++] = *route;
	}
	host->n_routes = kept;
}

static int observe_host(struct wr_observing *o, struct wr_error *reterr)
{
	const struct wr_model *wanted = o->request->wanted;
	struct wr_ns *host = o->model->ns[0];
	struct wr_reading *reading = new_reading(o, host);
	/* Settings at any depth: some of them may be noted as changed. */
	unsigned what = WR_INSIDE_LINKS | WR_INSIDE_MANY | WR_INSIDE_CONF;
	int r;

	if (reading == NULL)
		return wr_fail_memory(reterr);
	host->netns = &o->host->self;
	host->cookie = o->host->self.cookie;
	host->deep = o->request->depth == WR_LIVE_FULL;
	if (host->deep)
		what |= WR_INSIDE_ADDRESSES | WR_INSIDE_MAIN_ROUTES | WR_INSIDE_LOCAL_ROUTES;
	r = wr_inside_read(o->host, host->netns, reading, what, reterr);
	if (r < 0)
		return wr_fail_context(reterr, "cannot read this machine's network");
	o->saw_proto |= reading->saw_proto;
	r = claim_links(o, host, wanted != NULL ? wanted->ns[0] : NULL, reterr);
	if (r == 0)
		disclaim_routes(host);
	if (r == 0 && host->deep && wanted != NULL)
		r = wr_inside_files(o->host, host->netns, host, wanted->ns[0], reterr);
	return r;
}

/* --- the whole ------------------------------------------------------------------------------------------------------- */

/* A kernel older than 5.18, where no address says who made it: then none is told apart, and those that the kernel makes by
 * itself are known by what they are. */
static void forgive_addresses(struct wr_model *model)
{
	for (size_t i = 0; i < model->n_ns; i++)
		for (size_t j = 0; j < model->ns[i]->n_links; j++) {
			struct wr_link *link = model->ns[i]->links[j];
			size_t kept = 0;

			for (size_t k = 0; k < link->n_addresses; k++) {
				struct wr_address address = link->addresses[k];
				const struct wr_ip *ip = &address.prefix.ip;

				address.marked = true;
				if ((link->kind == WR_LINK_LOOPBACK && wr_ip_is_loopback(ip)) ||
				    (ip->family == AF_INET6 && wr_ip_is_linklocal(ip)))
					continue;
				link->addresses[kept++] = address;
			}
			link->n_addresses = kept;
		}
}

static int begin(struct wr_observing *o, struct wr_arena *arena, struct wr_error *reterr)
{
	const struct wr_model *wanted = o->request->wanted;

	o->model = wr_model_new(arena, o->request->network);
	if (o->model == NULL)
		return wr_fail_memory(reterr);
	o->model->live = true;
	o->wanted_by_pin.arena = o->by_mark.arena = o->names.arena = arena;
	if (wanted == NULL)
		return 0;
	o->model->ns_prefix = wr_arena_strdup(arena, wanted->ns_prefix);
	o->model->link_prefix = wr_arena_strdup(arena, wanted->link_prefix);
	if (o->model->ns_prefix == NULL || o->model->link_prefix == NULL)
		return wr_fail_memory(reterr);
	for (size_t i = 1; i < wanted->n_ns; i++)
		if (wr_map_put(&o->wanted_by_pin, wanted->ns[i]->pin, wanted->ns[i]) < 0)
			return wr_fail_memory(reterr);
	return 0;
}

/* Whether something wanted is not there: only then does it matter what a new namespace is born with. */
static bool makes_namespaces(const struct wr_observing *o)
{
	const struct wr_model *wanted = o->request->wanted;

	for (size_t i = 1; wanted != NULL && i < wanted->n_ns; i++) {
		const struct wr_ns *found = wr_model_find_ns(o->model, wanted->ns[i]->name);

		if (found == NULL || !found->ours || found->stale || strcmp(found->pin, wanted->ns[i]->pin) != 0)
			return true;
	}
	return wanted == NULL;
}

int wr_live_observe(struct wr_host *host, const struct wr_live_request *request, struct wr_arena *arena,
		    struct wr_model **ret, struct wr_error *reterr)
{
	struct wr_observing o = {.host = host, .request = request};
	struct straying straying = {.observing = &o, .reterr = reterr};
	int r = begin(&o, arena, reterr);

	if (r == 0)
		r = observe_host(&o, reterr);
	/* Names first: most of a large file's may not be there, and asking for each would take longer than all the rest. */
	if (r == 0 && request->wanted != NULL)
		r = wr_pins_names(host, remember_name, &o, reterr);
	if (r == -ENOMEM)
		return wr_fail_memory(reterr);
	for (size_t i = 1; r == 0 && request->wanted != NULL && i < request->wanted->n_ns; i++)
		r = observe_wanted(&o, request->wanted->ns[i], reterr);
	if (r == 0 && !request->only_wanted)
		r = wr_pins_each(host, visit_stray, &straying, reterr);
	if (r == 0 && request->depth == WR_LIVE_FULL)
		r = wr_observe_peers(&o, reterr);
	if (r == 0)
		r = wr_observe_filters(&o, reterr);
	if (r == 0)
		r = wr_observe_files(&o, reterr);
	if (r == 0 && !request->skip_inherited)
		r = wr_inside_inherited(host, arena, makes_namespaces(&o), &o.model->inherited, reterr);
	if (r < 0)
		return r;
	if (!o.saw_proto && wr_feature_kernel_is_before(5, 18))
		forgive_addresses(o.model);
	*ret = o.model;
	return 0;
}
