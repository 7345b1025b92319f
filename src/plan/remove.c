/* The steps that take away.
 *
 * Removals come last, after what is new was verified. Only what stands in the way of something new goes first: a cable
 * whose ends do not belong together, a name that is wanted for another kind of thing, an address that moves. */
#include "plan/internal.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"

/* A cable goes once, by the end whose namespace stays; its other end is then marked as gone. */
static void wr_remove_link(struct wr_planner *planner, struct wr_link *link, bool early)
{
	struct wr_step *step;

	if (link->gone)
		return;
	link->gone = true;
	if (link->peer)
		link->peer->gone = true;
	step = wr_planner_step(planner, WR_STEP_del_link, WR_STEP_REMOVE, link->ns, link);
	if (step) {
		step->early = early;
		step->interrupts = true;
	}
}

/* Something new wants the name of what is there, or its other end's. */
static bool wr_name_is_wanted(const struct wr_link *live)
{
	const struct wr_ns *ns = live->ns->match;

	for (size_t i = 0; ns && i < ns->n_links; i++) {
		const struct wr_link *wanted = ns->links[i];

		if (wanted->match || wanted->kind == WR_LINK_LOOPBACK || !wr_planner_counts_link(wanted))
			continue;
		if (!strcmp(wanted->ifname, live->ifname) ||
		    (wanted->altname && live->altname && !strcmp(wanted->altname, live->altname)))
			return true;
	}
	return false;
}

static void wr_remove_links_early(struct wr_planner *planner)
{
	const struct wr_model *live = planner->live;

	for (size_t i = 0; i < live->n_ns; i++) {
		if (!wr_planner_counts_ns(live->ns[i]))
			continue;
		for (size_t k = 0; k < live->ns[i]->n_links; k++) {
			struct wr_link *link = live->ns[i]->links[k];

			if (!wr_planner_counts_link(link) || link->match || link->kind == WR_LINK_LOOPBACK)
				continue;
			if (wr_name_is_wanted(link) ||
			    (link->peer && !link->peer->match && wr_name_is_wanted(link->peer)))
				wr_remove_link(planner, link, true);
		}
	}
}

static bool wr_link_wants_address(const struct wr_link *link, const struct wr_address *address)
{
	for (size_t i = 0; link && i < link->n_addresses; i++)
		if (wr_address_same(&link->addresses[i], address))
			return true;
	return false;
}

/* Addresses (without length) that are about to be added anywhere. Made only when something is to be removed. */
static bool wr_is_new_address(struct wr_planner *planner, const struct wr_ip *ip)
{
	const struct wr_model *wanted = planner->wanted;
	char text[WR_IP_TEXT_MAX];

	for (size_t i = 0; !planner->new_addresses_known && i < wanted->n_ns; i++)
		for (size_t k = 0; k < wanted->ns[i]->n_links; k++) {
			struct wr_link *link = wanted->ns[i]->links[k];

			for (size_t n = 0; n < link->n_addresses; n++) {
				char *key;

				if (wr_link_wants_address(link->match, &link->addresses[n]))
					continue;
				key = wr_arena_strdup(planner->plan->arena,
						      wr_ip_format(&link->addresses[n].prefix.ip, text));
				if (!key || wr_map_put(&planner->new_addresses, key, link) < 0)
					planner->error = -ENOMEM;
			}
		}
	planner->new_addresses_known = true;
	return wr_map_get(&planner->new_addresses, wr_ip_format(ip, text)) != NULL;
}

static void wr_remove_addresses(struct wr_planner *planner, struct wr_link *link, bool early)
{
	struct wr_link *holder = link->match ? link->match : link;

	/* A link that goes takes its addresses along. */
	for (size_t i = 0; i < link->n_addresses && !link->gone; i++) {
		struct wr_address *address = &link->addresses[i];
		struct wr_step *step;

		if (!address->marked || wr_link_wants_address(link->match, address) ||
		    wr_is_new_address(planner, &address->prefix.ip) != early)
			continue;
		if (early && link->match)
			wr_planner_promotion(planner, link->match);
		step = wr_planner_step(planner, WR_STEP_del_address, WR_STEP_REMOVE, holder->ns, holder);
		if (step) {
			step->address = address;
			step->early = early;
			step->interrupts = true;
		}
	}
}

/* Calls for each live link of ours; without early, only for those that stay. */
static void wr_each_link(struct wr_planner *planner,
			 void (*visit)(struct wr_planner *planner, struct wr_link *link, bool early), bool early)
{
	for (size_t i = 0; i < planner->live->n_ns; i++) {
		const struct wr_ns *ns = planner->live->ns[i];

		if (!wr_planner_counts_ns(ns))
			continue;
		for (size_t k = 0; k < ns->n_links; k++)
			if (ns->links[k]->match || (early && wr_planner_counts_link(ns->links[k])))
				visit(planner, ns->links[k], early);
	}
}

void wr_planner_remove_early(struct wr_planner *planner)
{
	wr_remove_links_early(planner);
	wr_each_link(planner, wr_remove_addresses, true);
}

/* --- what comes last --------------------------------------------------------------------------------------------------- */

/* In the host only routes over the network's own links are its own: others may use the number too. */
static bool wr_is_own_route(const struct wr_ns *live, const struct wr_route *route)
{
	const struct wr_link *dev;

	if (route->protocol != WR_PROTOCOL)
		return false;
	if (!live->is_host)
		return true;
	dev = route->n_hops && route->hops[0].dev ? wr_ns_find_link(live, route->hops[0].dev) : NULL;
	return dev && dev->ours && !dev->gone;
}

static void wr_remove_routing(struct wr_planner *planner, struct wr_ns *live)
{
	struct wr_ns *wanted = live->match;
	struct wr_step *step;

	for (size_t i = 0; i < live->n_rules; i++) {
		bool kept = live->rules[i].protocol != WR_PROTOCOL;

		for (size_t k = 0; k < wanted->n_rules && !kept; k++)
			kept = wr_rule_equal(&wanted->rules[k], &live->rules[i]);
		if (!kept && (step = wr_planner_step(planner, WR_STEP_del_rule, WR_STEP_REMOVE, wanted, NULL)))
			step->rule = &live->rules[i];
	}
	for (size_t i = 0; i < live->n_routes; i++) {
		bool kept = !wr_is_own_route(live, &live->routes[i]);

		for (size_t k = 0; k < wanted->n_routes && !kept; k++)
			kept = wr_route_same_key(&wanted->routes[k], &live->routes[i]);
		if (!kept && (step = wr_planner_step(planner, WR_STEP_del_route, WR_STEP_REMOVE, wanted, NULL))) {
			step->route = &live->routes[i];
			step->interrupts = true;
		}
	}
	for (size_t i = 0; i < live->n_neighbours; i++) {
		bool kept = live->neighbours[i].protocol != WR_PROTOCOL;

		for (size_t k = 0; k < wanted->n_neighbours && !kept; k++)
			kept = wr_ip_equal(&wanted->neighbours[k].ip, &live->neighbours[i].ip) &&
			       !strcmp(wanted->neighbours[k].dev, live->neighbours[i].dev);
		if (!kept && (step = wr_planner_step(planner, WR_STEP_del_neighbour, WR_STEP_REMOVE, wanted, NULL)))
			step->neighbour = &live->neighbours[i];
	}
}

/* Links of namespaces that go die with them, unless their cable reaches into one that stays. */
static void wr_remove_links(struct wr_planner *planner, struct wr_ns *ns)
{
	for (size_t k = 0; k < ns->n_links; k++) {
		struct wr_link *link = ns->links[k];

		if (wr_planner_counts_link(link) && !link->match && link->kind != WR_LINK_LOOPBACK)
			wr_remove_link(planner, link, false);
	}
}

static void wr_remove_files(struct wr_planner *planner, struct wr_ns *live)
{
	const struct wr_ns *wanted = live->match;
	struct wr_step *step;

	if (live->hosts_file && !live->hosts_foreign && !(wanted && wanted->hosts_file) &&
	    (step = wr_planner_step(planner, WR_STEP_unlink_file, WR_STEP_REMOVE, live, NULL)))
		step->scope = WR_FILE_HOSTS;
	if (live->resolv_file && !live->resolv_foreign && !(wanted && wanted->resolv_file) &&
	    (step = wr_planner_step(planner, WR_STEP_unlink_file, WR_STEP_REMOVE, live, NULL)))
		step->scope = WR_FILE_RESOLV;
}

/* A namespace whose pin is wanted but that was not matched is about to be made anew: its files are build.c's. */
static bool wr_pin_is_wanted(const struct wr_planner *planner, const struct wr_ns *live)
{
	const struct wr_ns *wanted = wr_model_find_ns(planner->wanted, live->name);

	return wanted && !wanted->is_host && wanted->ours && !strcmp(wanted->pin, live->pin);
}

void wr_planner_remove(struct wr_planner *planner)
{
	const struct wr_model *live = planner->live;

	for (size_t i = 0; i < live->n_ns; i++)
		if (wr_planner_counts_ns(live->ns[i]) && live->ns[i]->match)
			wr_remove_routing(planner, live->ns[i]);
	wr_each_link(planner, wr_remove_addresses, false);
	for (size_t i = 0; i < live->n_ns; i++)
		if (wr_planner_counts_ns(live->ns[i]) && live->ns[i]->match)
			wr_remove_links(planner, live->ns[i]);
	/* Files before their namespace: while it is there, its mark says whose they are. */
	for (size_t i = 1; i < live->n_ns; i++)
		if (live->ns[i]->ours && (live->ns[i]->match || !wr_pin_is_wanted(planner, live->ns[i])))
			wr_remove_files(planner, live->ns[i]);
	for (size_t i = 1; i < live->n_ns; i++) {
		struct wr_ns *ns = live->ns[i];
		struct wr_step *step;

		if (!ns->ours || ns->match || (!ns->absent && wr_pin_is_wanted(planner, ns)))
			continue;
		if (ns->stale) {
			wr_planner_step(planner, WR_STEP_mend_pin, WR_STEP_REMOVE, ns, NULL);
		} else if (!ns->absent) {
			step = wr_planner_step(planner, WR_STEP_del_ns, WR_STEP_REMOVE, ns, NULL);
			if (step)
				step->interrupts = true;
		}
	}
	wr_planner_return_host(planner);
	/* Filters last: what they protect is gone by then. */
	for (size_t i = 0; i < live->n_ns; i++)
		if (live->ns[i]->n_tables && wr_planner_counts_ns(live->ns[i]) && live->ns[i]->match)
			wr_planner_remove_filters(planner, live->ns[i]);
	if (live->hosts_text && !planner->wanted->hosts_text)
		wr_planner_step(planner, WR_STEP_remove_hosts, WR_STEP_REMOVE, wr_model_host(live), NULL);
}
