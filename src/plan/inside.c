/* What one namespace holds: settings, attributes of its links, addresses, routes, rules, neighbours. */
#include "plan/internal.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "base/arena.h"

/* --- settings ------------------------------------------------------------------------------------------------------- */

static void wr_plan_conf(struct wr_planner *planner, struct wr_ns *ns, struct wr_link *link, enum wr_step_scope scope,
			 enum wr_conf_id id, int old)
{
	struct wr_step *step;

	/* Where the kernel has no IPv6 there is nothing to switch off. */
	if (planner->inherited->no_ipv6 && wr_conf_rows[id].family == AF_INET6)
		return;
	step = wr_planner_step(planner, WR_STEP_set_conf, WR_STEP_CHANGE, ns, link);

	if (step) {
		step->conf = (int8_t)id;
		step->scope = (uint8_t)scope;
		step->old_conf = old;
	}
}

static void wr_plan_sysctls(struct wr_planner *planner, struct wr_ns *ns, struct wr_link *link,
			    struct wr_sysctl *wanted, size_t n_wanted, const struct wr_sysctl *live, size_t n_live)
{
	for (size_t i = 0; i < n_wanted; i++) {
		const char *old = NULL;
		struct wr_step *step;

		for (size_t k = 0; k < n_live && !old; k++)
			if (!strcmp(live[k].key, wanted[i].key))
				old = live[k].value;
		if (!wanted[i].value || (old && wr_sysctl_value_equal(wanted[i].value, old)))
			continue;
		step = wr_planner_step(planner, WR_STEP_set_sysctl, WR_STEP_CHANGE, ns, link);
		if (step) {
			step->sysctl = &wanted[i];
			step->old_value = old;
		}
	}
}

/* The state of a namespace's `default` once `all` is written: the kernel carries forwarding over. */
static struct wr_conf wr_default_after_all(const struct wr_planner *planner, const struct wr_ns *ns)
{
	struct wr_conf conf = ns->match ? ns->match->conf_default : planner->inherited->ns_default;
	const struct wr_conf *all = ns->match ? &ns->match->conf_all : &planner->inherited->ns_all;

	if (wr_conf_differs(&ns->conf_all, all, WR_CONF_V4_FORWARDING))
		conf.value[WR_CONF_V4_FORWARDING] = ns->conf_all.value[WR_CONF_V4_FORWARDING];
	if (wr_conf_differs(&ns->conf_all, all, WR_CONF_V6_FORWARDING))
		conf.value[WR_CONF_V6_FORWARDING] = ns->conf_all.value[WR_CONF_V6_FORWARDING];
	return conf;
}

/* `default` only matters to links that are still to come; IPv6's is not read back, and not compared without them. */
static bool wr_has_new_links(const struct wr_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (!ns->links[i]->match && ns->links[i]->kind != WR_LINK_LOOPBACK)
			return true;
	return false;
}

void wr_planner_ns_settings(struct wr_planner *planner, struct wr_ns *ns)
{
	const struct wr_conf *all = ns->match ? &ns->match->conf_all : &planner->inherited->ns_all;
	struct wr_conf defaults;
	bool fresh = !ns->match || wr_has_new_links(ns);

	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		/* What netlink does not tell of `all` was set when the namespace was made. */
		if (ns->match && all->value[id] == WR_CONF_UNSET && wr_conf_rows[id].family == AF_INET)
			continue;
		if (wr_conf_differs(&ns->conf_all, all, (enum wr_conf_id)id))
			wr_plan_conf(planner, ns, NULL, WR_SCOPE_ALL, (enum wr_conf_id)id, all->value[id]);
	}
	defaults = wr_default_after_all(planner, ns);
	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		if (!fresh && wr_conf_rows[id].family == AF_INET6)
			continue;
		if (wr_conf_differs(&ns->conf_default, &defaults, (enum wr_conf_id)id))
			wr_plan_conf(planner, ns, NULL, WR_SCOPE_DEFAULT, (enum wr_conf_id)id, defaults.value[id]);
	}
	wr_plan_sysctls(planner, ns, NULL, ns->sysctls, ns->n_sysctls, ns->match ? ns->match->sysctls : NULL,
			ns->match ? ns->match->n_sysctls : 0);
}

/* What a link that is not there yet will start with. What netlink does not tell of a namespace's `default` is taken from lo, its
 * first link; should `default` have changed since, the next observation shows it. */
static struct wr_conf wr_link_start(const struct wr_planner *planner, const struct wr_link *link)
{
	const struct wr_link *lo;
	struct wr_conf conf;

	if (link->ns->is_host)
		return planner->inherited->host_default;
	if (link->kind == WR_LINK_LOOPBACK)
		return planner->inherited->ns_lo;
	conf = wr_default_after_all(planner, link->ns);
	lo = link->ns->match ? wr_ns_loopback(link->ns->match) : NULL;
	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		if (link->ns->conf_default.value[id] != WR_CONF_UNSET)
			conf.value[id] = link->ns->conf_default.value[id];
		else if (lo && conf.value[id] == WR_CONF_UNSET && wr_conf_rows[id].family == AF_INET)
			conf.value[id] = lo->conf.value[id];
	}
	return conf;
}

/* Alone, what the host joins forwards as any new link of the host does: also when it was one of two before. */
static void wr_want_host_forwarding(const struct wr_planner *planner, struct wr_link *link)
{
	static const enum wr_conf_id ids[] = {WR_CONF_V4_FORWARDING, WR_CONF_V6_FORCE_FORWARDING};

	if (!link->ns->is_host || link->master || !link->match)
		return;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		if (link->conf.value[ids[i]] == WR_CONF_UNSET && link->match->conf.value[ids[i]] != WR_CONF_UNSET)
			link->conf.value[ids[i]] = planner->inherited->host_default.value[ids[i]];
}

void wr_planner_link_settings(struct wr_planner *planner, struct wr_link *link)
{
	/* One that moved has what its new namespace gives. */
	struct wr_conf start = link->match && !link->moved ? link->match->conf : wr_link_start(planner, link);

	wr_want_host_forwarding(planner, link);
	for (int id = 0; id < WR_CONF_COUNT_; id++)
		if (wr_conf_differs(&link->conf, &start, (enum wr_conf_id)id))
			wr_plan_conf(planner, link->ns, link, WR_SCOPE_LINK, (enum wr_conf_id)id, start.value[id]);
	wr_plan_sysctls(planner, link->ns, link, link->sysctls, link->n_sysctls,
			link->match ? link->match->sysctls : NULL, link->match ? link->match->n_sysctls : 0);
}

/* --- attributes of a link that is there -------------------------------------------------------------------------------- */

static void wr_plan_link_change(struct wr_planner *planner, enum wr_step_kind kind, struct wr_link *link,
				bool interrupts)
{
	struct wr_step *step = wr_planner_step(planner, kind, WR_STEP_CHANGE, link->ns, link);

	if (step) {
		step->old_link = link->match;
		step->interrupts = interrupts;
	}
}

static bool wr_bridge_differs(const struct wr_bridge_options *wanted, const struct wr_bridge_options *live)
{
	if (!wanted)
		return false;
	if (!live)
		return true;
	return (wanted->stp >= 0 && wanted->stp != live->stp) ||
	       (wanted->forward_delay >= 0 && wanted->forward_delay != live->forward_delay) ||
	       (wanted->ageing >= 0 && wanted->ageing != live->ageing) ||
	       (wanted->group_fwd_mask >= 0 && wanted->group_fwd_mask != live->group_fwd_mask) ||
	       (wanted->mcast_snooping >= 0 && wanted->mcast_snooping != live->mcast_snooping) ||
	       (wanted->linklocal_learn >= 0 && wanted->linklocal_learn != live->linklocal_learn);
}

static bool wr_mark_differs(const struct wr_link *wanted, const struct wr_link *live)
{
	if (wanted->alias && (!live->alias || strcmp(wanted->alias, live->alias) != 0))
		return true;
	if (wanted->altname && (!live->altname || strcmp(wanted->altname, live->altname) != 0))
		return true;
	return wanted->group && wanted->group != live->group;
}

static bool wr_master_differs(const struct wr_link *wanted, const struct wr_link *live)
{
	if (wanted->kind != WR_LINK_VETH)
		return false;
	/* What was observed before may have been in somebody else's bridge. */
	if (wanted->master && !wanted->master->ours)
		return !live->master || live->master->ifindex != wanted->master->ifindex;
	if (wanted->master)
		return !wanted->master->match || wanted->master->match != live->master;
	/* Somebody else's bridge may have it: only leaving one of ours is our business. */
	return live->master && live->master->ours;
}

void wr_planner_link_changes(struct wr_planner *planner, struct wr_link *link)
{
	const struct wr_link *live = link->match;

	if (!live || link->kind == WR_LINK_LOOPBACK)
		return;
	if (wr_mark_differs(link, live))
		wr_plan_link_change(planner, WR_STEP_mark_link, link, false);
	if (link->mac_set && memcmp(&link->mac, &live->mac, sizeof link->mac) != 0)
		wr_plan_link_change(planner, WR_STEP_set_mac, link, true);
	if (link->mtu && link->mtu != live->mtu)
		wr_plan_link_change(planner, WR_STEP_set_mtu, link, false);
	if (wr_master_differs(link, live))
		wr_plan_link_change(planner, WR_STEP_set_master, link, live->master != NULL);
	if (link->isolated != live->isolated && link->master)
		wr_plan_link_change(planner, WR_STEP_set_isolated, link, false);
	if (link->kind == WR_LINK_BRIDGE && wr_bridge_differs(link->bridge, live->bridge))
		wr_plan_link_change(planner, WR_STEP_set_bridge, link, false);
}

/* --- addresses ------------------------------------------------------------------------------------------------------- */

static struct wr_address *wr_find_address(const struct wr_link *link, const struct wr_address *like)
{
	for (size_t i = 0; link && i < link->n_addresses; i++)
		if (wr_address_same(&link->addresses[i], like))
			return &link->addresses[i];
	return NULL;
}

/* Whether an address of the subnet of one that goes is wanted, or there and somebody else's. */
static bool wr_subnet_stays(const struct wr_link *link, const struct wr_link *live, const struct wr_address *old)
{
	for (size_t i = 0; i < link->n_addresses; i++)
		if (wr_prefix_contains(&old->prefix, &link->addresses[i].prefix.ip))
			return true;
	for (size_t i = 0; i < live->n_addresses; i++)
		if (!live->addresses[i].marked && wr_prefix_contains(&old->prefix, &live->addresses[i].prefix.ip))
			return true;
	return false;
}

/* The kernel takes all secondary addresses of a subnet away with the first one, unless it is told to promote the next. */
void wr_planner_promotion(struct wr_planner *planner, struct wr_link *link)
{
	struct wr_link *live = link->match;

	if (!live || live->conf.value[WR_CONF_V4_PROMOTE_SECONDARIES] == 1)
		return;
	for (size_t i = 0; i < live->n_addresses; i++) {
		const struct wr_address *old = &live->addresses[i];

		if (old->prefix.ip.family != AF_INET || !old->marked || wr_find_address(link, old))
			continue;
		if (!wr_subnet_stays(link, live, old))
			continue;
		link->conf.value[WR_CONF_V4_PROMOTE_SECONDARIES] = 1;
		wr_plan_conf(planner, link->ns, link, WR_SCOPE_LINK, WR_CONF_V4_PROMOTE_SECONDARIES,
			     live->conf.value[WR_CONF_V4_PROMOTE_SECONDARIES]);
		live->conf.value[WR_CONF_V4_PROMOTE_SECONDARIES] = 1;
		return;
	}
}

void wr_planner_addresses(struct wr_planner *planner, struct wr_link *link)
{
	wr_planner_promotion(planner, link);
	for (size_t i = 0; i < link->n_addresses; i++) {
		struct wr_address *address = &link->addresses[i], *live = wr_find_address(link->match, address);
		struct wr_step *step;

		if (!address->marked)
			continue;
		if (!live)
			step = wr_planner_step(planner, WR_STEP_add_address, WR_STEP_ADD, link->ns, link);
		else if (!live->marked)
			step = wr_planner_step(planner, WR_STEP_mark_address, WR_STEP_CHANGE, link->ns, link);
		else
			continue;
		if (step)
			step->address = address;
	}
}

/* --- routes, rules, neighbours ----------------------------------------------------------------------------------------- */

/* A route over an interface that is to be down cannot be there. */
bool wr_planner_route_is_possible(const struct wr_ns *ns, const struct wr_route *route)
{
	for (size_t i = 0; i < route->n_hops; i++) {
		const struct wr_link *link = route->hops[i].dev ? wr_ns_find_link(ns, route->hops[i].dev) : NULL;

		if (link && !link->up)
			return false;
	}
	return true;
}

/* The route that is there under the same key; ours before others with that key. */
static struct wr_route *wr_find_route(const struct wr_ns *ns, const struct wr_route *like)
{
	struct wr_route *found = NULL;

	for (size_t i = 0; ns && i < ns->n_routes; i++)
		if (wr_route_same_key(&ns->routes[i], like)) {
			if (ns->routes[i].protocol == like->protocol)
				return &ns->routes[i];
			if (!found)
				found = &ns->routes[i];
		}
	return found;
}

static void wr_plan_routes(struct wr_planner *planner, struct wr_ns *ns)
{
	for (size_t i = 0; i < ns->n_routes; i++) {
		struct wr_route *route = &ns->routes[i], *live = wr_find_route(ns->match, route);
		struct wr_step *step;

		if (route->protocol != WR_PROTOCOL || !wr_planner_route_is_possible(ns, route))
			continue;
		if (live && wr_route_equal(route, live))
			continue;
		if (live)
			step = wr_planner_step(planner, WR_STEP_change_route, WR_STEP_CHANGE, ns, NULL);
		else
			step = wr_planner_step(planner, WR_STEP_add_route, WR_STEP_ADD, ns, NULL);
		if (step) {
			step->route = route;
			step->old_route = live;
		}
	}
}

static void wr_plan_rules(struct wr_planner *planner, struct wr_ns *ns)
{
	for (size_t i = 0; i < ns->n_rules; i++) {
		bool there = false;
		struct wr_step *step;

		for (size_t k = 0; ns->match && k < ns->match->n_rules && !there; k++)
			there = wr_rule_equal(&ns->rules[i], &ns->match->rules[k]);
		if (there || ns->rules[i].protocol != WR_PROTOCOL)
			continue;
		step = wr_planner_step(planner, WR_STEP_add_rule, WR_STEP_ADD, ns, NULL);
		if (step)
			step->rule = &ns->rules[i];
	}
}

static void wr_plan_neighbours(struct wr_planner *planner, struct wr_ns *ns)
{
	for (size_t i = 0; i < ns->n_neighbours; i++) {
		struct wr_neighbour *wanted = &ns->neighbours[i];
		const struct wr_neighbour *found = NULL;
		struct wr_step *step;

		for (size_t k = 0; ns->match && k < ns->match->n_neighbours && !found; k++) {
			const struct wr_neighbour *live = &ns->match->neighbours[k];

			if (wr_ip_equal(&wanted->ip, &live->ip) && !strcmp(wanted->dev, live->dev))
				found = live;
		}
		if (wanted->protocol != WR_PROTOCOL ||
		    (found && !memcmp(&found->mac, &wanted->mac, sizeof wanted->mac) && found->protocol == WR_PROTOCOL))
			continue;
		step = wr_planner_step(planner, WR_STEP_add_neighbour, found ? WR_STEP_CHANGE : WR_STEP_ADD, ns, NULL);
		if (step)
			step->neighbour = wanted;
	}
}

void wr_planner_routing(struct wr_planner *planner, struct wr_ns *ns)
{
	wr_plan_routes(planner, ns);
	wr_plan_rules(planner, ns);
	wr_plan_neighbours(planner, ns);
}
