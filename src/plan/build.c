/* The steps that make and change, in the order that costs least: all namespaces, all bridges, all cables, the inside of
 * each namespace, then ports up, bridges last. A port that is up while others are still being plugged in makes the bridge
 * look at every port again, and IPv6 talk to all of them. */
#include "plan/internal.h"

#include <string.h>

#include "base/arena.h"

static bool wr_text_differs(const char *a, const char *b)
{
	if (!a || !b)
		return a != b;
	return a != b && strcmp(a, b) != 0;
}

static void wr_build_file(struct wr_planner *planner, struct wr_ns *ns, enum wr_step_file which)
{
	const struct wr_ns *live = ns->match ? ns->match : wr_map_get(&planner->leftovers, ns->pin);
	bool hosts = which == WR_FILE_HOSTS;
	const char *wanted_file = hosts ? ns->hosts_file : ns->resolv_file;
	struct wr_step *step;

	if (!wanted_file)
		return;
	if (live && (hosts ? live->hosts_foreign : live->resolv_foreign))
		return;
	if (live && !wr_text_differs(wanted_file, hosts ? live->hosts_file : live->resolv_file) &&
	    (hosts ? ns->hosts_is_link == live->hosts_is_link : ns->resolv_is_link == live->resolv_is_link))
		return;
	step = wr_planner_step(planner, WR_STEP_link_file,
			       live && (hosts ? live->hosts_file : live->resolv_file) ? WR_STEP_CHANGE : WR_STEP_ADD,
			       ns, NULL);
	if (step)
		step->scope = (uint8_t)which;
}

static void wr_build_namespaces(struct wr_planner *planner)
{
	const struct wr_model *wanted = planner->wanted, *live = planner->live;

	if (wanted->hosts_text && (wr_text_differs(wanted->hosts_text, live->hosts_text) ||
				   wr_text_differs(wanted->resolv_text, live->resolv_text)))
		wr_planner_step(planner, WR_STEP_write_hosts, live->hosts_text ? WR_STEP_CHANGE : WR_STEP_ADD,
				wr_model_host(wanted), NULL);
	for (size_t i = 1; i < wanted->n_ns; i++) {
		struct wr_ns *ns = wanted->ns[i];
		const struct wr_link *lo = wr_ns_loopback(ns);

		if (!wr_planner_counts_ns(ns))
			continue;
		if (!ns->match) {
			const struct wr_ns *leftover = wr_map_get(&planner->leftovers, ns->pin);

			if (leftover && leftover->stale)
				wr_planner_step(planner, WR_STEP_mend_pin, WR_STEP_REMOVE, ns, NULL);
			wr_planner_step(planner, WR_STEP_add_ns, WR_STEP_ADD, ns, NULL);
		} else if ((ns->alias && wr_text_differs(ns->alias, ns->match->alias)) ||
			   (lo && lo->match && !lo->match->up)) {
			wr_planner_step(planner, WR_STEP_adopt_ns, WR_STEP_CHANGE, ns, NULL);
		}
		wr_planner_ns_settings(planner, ns);
		wr_planner_filters(planner, ns);
		wr_build_file(planner, ns, WR_FILE_HOSTS);
		wr_build_file(planner, ns, WR_FILE_RESOLV);
	}
}

/* Which end of a cable asks for it: the bridge's port, else the host's end, else the one that comes first. */
static bool wr_link_leads(const struct wr_link *link)
{
	const struct wr_link *peer = link->peer;

	if (!peer)
		return false;
	if (!link->master != !peer->master)
		return link->master;
	if (link->ns->is_host != peer->ns->is_host)
		return link->ns->is_host;
	if (link->place.line != peer->place.line)
		return link->place.line < peer->place.line;
	if (link->ns != peer->ns)
		return strcmp(link->ns->name, peer->ns->name) < 0;
	return strcmp(link->ifname, peer->ifname) < 0;
}

static void wr_build_links(struct wr_planner *planner, enum wr_link_kind kind)
{
	const struct wr_model *wanted = planner->wanted;

	for (size_t i = 0; i < wanted->n_ns; i++)
		for (size_t k = 0; k < wanted->ns[i]->n_links; k++) {
			struct wr_link *link = wanted->ns[i]->links[k];

			if (link->kind != kind || link->match || !wr_planner_counts_link(link))
				continue;
			if (kind == WR_LINK_VETH && !wr_link_leads(link))
				continue;
			wr_planner_step(planner, kind == WR_LINK_BRIDGE ? WR_STEP_add_bridge : WR_STEP_add_cable,
					WR_STEP_ADD, wanted->ns[i], link);
		}
}

static void wr_build_moves(struct wr_planner *planner)
{
	const struct wr_model *wanted = planner->wanted;

	for (size_t i = 0; i < wanted->n_ns; i++)
		for (size_t k = 0; k < wanted->ns[i]->n_links; k++) {
			struct wr_link *link = wanted->ns[i]->links[k];
			struct wr_step *step;

			if (!link->moved)
				continue;
			step = wr_planner_step(planner, WR_STEP_move_port, WR_STEP_CHANGE, link->ns, link);
			if (step) {
				step->old_link = link->match;
				step->interrupts = true;
			}
		}
}

static void wr_build_up(struct wr_planner *planner, struct wr_link *link)
{
	bool was_up = link->match && link->match->up && !link->moved;
	struct wr_step *step;

	if (link->up && !was_up) {
		wr_planner_step(planner, WR_STEP_set_up, link->match ? WR_STEP_CHANGE : WR_STEP_ADD, link->ns, link);
	} else if (!link->up && !link->match && !link->ns->is_host) {
		wr_planner_step(planner, WR_STEP_mark_link, WR_STEP_ADD, link->ns, link);
	} else if (!link->up && was_up) {
		step = wr_planner_step(planner, WR_STEP_set_down, WR_STEP_CHANGE, link->ns, link);
		if (step)
			step->interrupts = true;
	}
}

static bool wr_is_plain(const struct wr_link *link)
{
	return link->kind == WR_LINK_VETH && !link->master;
}

/* Half a cable, whose other end is in a namespace that is being destroyed, cannot be wanted back. */
static bool wr_can_be(const struct wr_link *link)
{
	return wr_planner_counts_link(link) && (link->match || link->kind != WR_LINK_VETH || link->peer);
}

/* Interfaces of a namespace, with what hangs on them. Ports and bridges come later. */
static void wr_build_inside(struct wr_planner *planner, struct wr_ns *ns)
{
	for (size_t k = 0; k < ns->n_links; k++) {
		struct wr_link *link = ns->links[k];

		if (!wr_can_be(link))
			continue;
		/* An MTU below IPv6's least takes its settings away: they come back with the MTU. */
		wr_planner_link_changes(planner, link);
		wr_planner_link_settings(planner, link);
		if (wr_is_plain(link))
			wr_build_up(planner, link);
		if (link->kind != WR_LINK_BRIDGE)
			wr_planner_addresses(planner, link);
	}
}

/* A namespace's ports, then its bridges. */
static void wr_build_bridge_ends(struct wr_planner *planner, struct wr_ns *ns)
{
	for (size_t k = 0; k < ns->n_links; k++) {
		struct wr_link *link = ns->links[k];

		if (link->kind != WR_LINK_VETH || !link->master || !wr_can_be(link))
			continue;
		/* The message that makes a port cannot say it; a port that is there was compared. */
		if (link->isolated && !link->match)
			wr_planner_step(planner, WR_STEP_set_isolated, WR_STEP_CHANGE, ns, link);
		wr_build_up(planner, link);
	}
	for (size_t k = 0; k < ns->n_links; k++)
		if (ns->links[k]->kind == WR_LINK_BRIDGE && wr_planner_counts_link(ns->links[k]))
			wr_build_up(planner, ns->links[k]);
	for (size_t k = 0; k < ns->n_links; k++)
		if (ns->links[k]->kind == WR_LINK_BRIDGE && wr_planner_counts_link(ns->links[k]))
			wr_planner_addresses(planner, ns->links[k]);
}

static bool wr_has_bridge(const struct wr_ns *ns)
{
	for (size_t k = 0; k < ns->n_links; k++)
		if (ns->links[k]->kind == WR_LINK_BRIDGE && ns->links[k]->ours)
			return true;
	return false;
}

void wr_planner_build(struct wr_planner *planner)
{
	const struct wr_model *wanted = planner->wanted;

	/* Filters first: nothing of the network is ever up without them. */
	wr_planner_filters(planner, wr_model_host(wanted));
	wr_planner_host_traffic(planner);
	wr_build_namespaces(planner);
	wr_build_links(planner, WR_LINK_BRIDGE);
	wr_build_links(planner, WR_LINK_VETH);
	wr_build_moves(planner);
	for (size_t i = 0; i < wanted->n_ns; i++) {
		struct wr_ns *ns = wanted->ns[i];

		if (!wr_planner_counts_ns(ns))
			continue;
		wr_build_inside(planner, ns);
		if (!ns->is_host && !wr_has_bridge(ns))
			wr_planner_routing(planner, ns);
	}
	for (size_t i = 0; i < wanted->n_ns; i++) {
		struct wr_ns *ns = wanted->ns[i];

		if (!wr_planner_counts_ns(ns) || !(ns->is_host || wr_has_bridge(ns)))
			continue;
		wr_build_bridge_ends(planner, ns);
		wr_planner_routing(planner, ns);
	}
}
