/* Which object of one model is which object of the other.
 *
 * A namespace is found by its pin, a link by its name inside its namespace. A cable is one thing with two ends: where the
 * ends that are there do not belong together, neither counts as found, and the cable is laid anew. */
#include "plan/internal.h"

#include <string.h>

bool wr_planner_counts_ns(const struct wr_ns *ns)
{
	return ns->is_host || (ns->ours && !ns->stale && !ns->absent);
}

bool wr_planner_counts_link(const struct wr_link *link)
{
	return link->ours && link->kind != WR_LINK_OTHER;
}

static void wr_clear_matches(const struct wr_model *model)
{
	for (size_t i = 0; i < model->n_ns; i++) {
		model->ns[i]->match = NULL;
		for (size_t k = 0; k < model->ns[i]->n_links; k++) {
			model->ns[i]->links[k]->match = NULL;
			model->ns[i]->links[k]->gone = model->ns[i]->links[k]->moved = false;
		}
	}
}

static int wr_match_namespaces(struct wr_planner *planner)
{
	struct wr_map by_pin = {.arena = planner->plan->arena};
	const struct wr_model *wanted = planner->wanted, *live = planner->live;

	for (size_t i = 1; i < live->n_ns; i++) {
		struct wr_ns *ns = live->ns[i];
		struct wr_map *map = wr_planner_counts_ns(ns) ? &by_pin : &planner->leftovers;

		if ((map == &by_pin || ns->stale || ns->absent) && wr_map_put(map, ns->pin, ns) < 0)
			return -1;
	}
	for (size_t i = 0; i < wanted->n_ns; i++) {
		struct wr_ns *ns = wanted->ns[i];

		if (!wr_planner_counts_ns(ns))
			continue;
		ns->match = ns->is_host ? wr_model_host(live) : wr_map_get(&by_pin, ns->pin);
		if (ns->match)
			ns->match->match = ns;
	}
	return 0;
}

/* Links of one namespace by name: by a map where there are many (the host), else by looking. */
static int wr_match_links(struct wr_planner *planner, struct wr_ns *ns)
{
	struct wr_ns *live = ns->match;
	struct wr_map by_name = {.arena = planner->plan->arena};
	bool many = live->n_links > 8;

	for (size_t i = 0; many && i < live->n_links; i++)
		if (wr_map_put(&by_name, live->links[i]->ifname, live->links[i]) < 0)
			return -1;
	for (size_t i = 0; i < ns->n_links; i++) {
		struct wr_link *link = ns->links[i], *found;

		if (!wr_planner_counts_link(link))
			continue;
		found = many ? wr_map_get(&by_name, link->ifname) : wr_ns_find_link(live, link->ifname);
		if (!found || found->kind != link->kind || !wr_planner_counts_link(found))
			continue;
		/* The name of one, the mark of another: they exchanged names. */
		if (link->kind != WR_LINK_LOOPBACK && link->alias && found->alias &&
		    strcmp(link->alias, found->alias) != 0)
			continue;
		link->match = found;
		found->match = link;
	}
	return 0;
}

static void wr_unmatch(struct wr_link *link)
{
	if (link && link->match) {
		link->match->match = NULL;
		link->match = NULL;
	}
}

/* An interface whose bridge is another one now, in another namespace, keeps its cable: the end that is the port moves. */
static void wr_match_moved(struct wr_link *inner)
{
	struct wr_link *port = inner->peer, *live = inner->match->peer;
	const struct wr_ns *target = port->ns->match;

	if (!port->master || !inner->segment || port->match || !live || live->match || !wr_planner_counts_link(live) ||
	    !wr_planner_counts_ns(live->ns) || (target && wr_ns_find_link(target, port->ifname)))
		return;
	port->match = live;
	live->match = port;
	port->moved = true;
}

static void wr_match_all_moved(const struct wr_model *wanted)
{
	for (size_t i = 0; i < wanted->n_ns; i++)
		for (size_t k = 0; k < wanted->ns[i]->n_links; k++) {
			struct wr_link *link = wanted->ns[i]->links[k];

			if (link->kind == WR_LINK_VETH && link->match && link->peer)
				wr_match_moved(link);
		}
}

/* A cable counts as found only when both of its ends are, and are each other's ends. */
static void wr_match_cables(const struct wr_model *wanted)
{
	for (size_t i = 0; i < wanted->n_ns; i++)
		for (size_t k = 0; k < wanted->ns[i]->n_links; k++) {
			struct wr_link *link = wanted->ns[i]->links[k];

			if (link->kind != WR_LINK_VETH || !link->match)
				continue;
			if (link->peer && link->peer->match && link->match->peer == link->peer->match)
				continue;
			if (!link->peer && !link->match->peer)
				continue;
			wr_unmatch(link->peer);
			wr_unmatch(link);
		}
}

int wr_planner_match(struct wr_planner *planner)
{
	wr_clear_matches(planner->wanted);
	wr_clear_matches(planner->live);
	if (wr_match_namespaces(planner) < 0)
		return -1;
	for (size_t i = 0; i < planner->wanted->n_ns; i++)
		if (planner->wanted->ns[i]->match && wr_match_links(planner, planner->wanted->ns[i]) < 0)
			return -1;
	wr_match_all_moved(planner->wanted);
	wr_match_cables(planner->wanted);
	return 0;
}
