/* handout.c: a free address of each subnet of its bridge for each interface that has none written.
 *
 * Written addresses and this machine's are taken first. Then each interface that is up keeps the marked address it has, if that is
 * still in the subnet and not taken; what is left goes through the subnet from its first address on, in file order, with a
 * place that never goes back: the work is linear in the number of ports. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "file/netfile.h"
#include "file/pending.h"
#include "file/subnets.h"

struct walk {
	struct wr_nf_assigner *a;
	struct wr_nf_taken taken;
	struct wr_ip *next; /* for each subnet of the bridge: the next address to try; family 0: it is used up */
	size_t capacity_next;
	bool said_exhausted; /* once for each bridge */
};

/* Past this many links of a live namespace, a map finds one. */
#define FEW_LINKS 16

/* Finds each interface's counterpart: the same pin, the same interface name. */
static int find_leases(struct wr_nf_assigner *a)
{
	struct wr_map pins = {.arena = a->scratch};

	if (wr_map_reserve(&pins, a->leases->n_ns) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < a->leases->n_ns; i++)
		if (a->leases->ns[i]->pin && wr_map_put(&pins, a->leases->ns[i]->pin, a->leases->ns[i]) < 0)
			return -ENOMEM;
	for (size_t i = 1; i < a->pending->n_ns; i++) {
		const struct wr_nf_ns *ns = a->pending->ns[i];
		const struct wr_ns *live = wr_map_get(&pins, ns->ns->pin);
		struct wr_map links = {.arena = a->scratch};

		if (!live)
			continue;
		for (size_t j = 0; live->n_links > FEW_LINKS && j < live->n_links; j++)
			if (wr_map_put(&links, live->links[j]->ifname, live->links[j]) < 0)
				return -ENOMEM;
		for (struct wr_nf_interface *k = ns->first; k; k = k->next)
			k->lease = links.count ? wr_map_get(&links, k->link->ifname)
					       : wr_ns_find_link(live, k->link->ifname);
	}
	return 0;
}

static bool wants_address(const struct wr_nf_interface *interface)
{
	return !interface->written && !interface->broken;
}

/* The marked address that an interface has in a subnet and may keep. */
static bool keep_lease(struct walk *walk, const struct wr_nf_interface *interface, const struct wr_prefix *subnet,
		       struct wr_address *address)
{
	const struct wr_link *lease = interface->lease;

	for (size_t i = 0; lease && i < lease->n_addresses; i++) {
		const struct wr_ip *ip = &lease->addresses[i].prefix.ip;

		if (!lease->addresses[i].marked || !wr_prefix_contains(subnet, ip) || wr_prefix_is_reserved(subnet, ip))
			continue;
		if (wr_nf_taken_add(&walk->taken, ip, interface->link, address->place))
			continue;
		address->prefix.ip = *ip;
		return true;
	}
	return false;
}

/* The next free address of subnet number s of a bridge. */
static bool take_next(struct walk *walk, const struct wr_nf_bridge *b, size_t s, const struct wr_link *link,
		      struct wr_address *address)
{
	const struct wr_prefix *subnet = &b->bridge->subnets[s];
	struct wr_ip ip = walk->next[s];

	while (ip.family) {
		struct wr_ip following = {0};
		bool is_free = !wr_prefix_is_reserved(subnet, &ip) &&
			       !wr_nf_taken_add(&walk->taken, &ip, link, address->place);

		if (!wr_ip_add(&ip, 1, &following) || !wr_prefix_contains(subnet, &following))
			following.family = 0;
		walk->next[s] = following;
		if (is_free) {
			address->prefix.ip = ip;
			return true;
		}
		ip = following;
	}
	return false;
}

static void say_exhausted(struct walk *walk, const struct wr_nf_bridge *b, const struct wr_prefix *subnet,
			  const struct wr_link *link)
{
	char buffer[WR_PREFIX_TEXT_MAX];

	wr_diagnose(
		walk->a->diagnostics, link->place, "a larger subnet, or another bridge, has room",
		"subnet %s of bridge '%s' has no free address for interface '%s' of namespace '%s': all %llu are taken",
		wr_prefix_format(subnet, buffer), b->bridge->name, link->name, link->ns->name,
		(unsigned long long)wr_prefix_capacity(subnet));
}

/* What has its address already: written ones, and this machine's. */
static int take_written(struct walk *walk, const struct wr_nf_bridge *b)
{
	const struct wr_link *bridge = b->bridge->link;
	size_t count = bridge->n_addresses + b->n_ports * b->bridge->n_subnets;

	for (size_t i = 0; i < b->n_ports; i++)
		count += b->ports[i]->link->n_addresses;
	if (wr_nf_taken_reset(walk->a, &walk->taken, count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < bridge->n_addresses; i++)
		wr_nf_taken_add(&walk->taken, &bridge->addresses[i].prefix.ip, bridge, bridge->addresses[i].place);
	for (size_t i = 0; i < b->n_ports; i++) {
		const struct wr_link *link = b->ports[i]->link;

		for (size_t j = 0; j < link->n_addresses; j++)
			wr_nf_taken_add(&walk->taken, &link->addresses[j].prefix.ip, link, link->addresses[j].place);
	}
	return 0;
}

/* An address for each subnet, those that are kept filled in, the others without a family. */
static int begin_interface(struct walk *walk, const struct wr_nf_bridge *b, const struct wr_nf_interface *interface)
{
	struct wr_link *link = interface->link;
	size_t count = b->bridge->n_subnets;

	link->addresses = wr_arena_alloc(walk->a->arena, count * sizeof *link->addresses);
	if (!link->addresses)
		return -ENOMEM;
	link->n_addresses = link->capacity_addresses = count;
	for (size_t s = 0; s < count; s++) {
		link->addresses[s] = (struct wr_address){.handed_out = true, .marked = true, .place = link->place};
		link->addresses[s].prefix.length = b->bridge->subnets[s].length;
		keep_lease(walk, interface, &b->bridge->subnets[s], &link->addresses[s]);
	}
	return 0;
}

static void end_interface(struct walk *walk, const struct wr_nf_bridge *b, struct wr_nf_interface *interface)
{
	struct wr_link *link = interface->link;
	size_t kept = 0;

	for (size_t s = 0; s < b->bridge->n_subnets; s++) {
		struct wr_address *address = &link->addresses[s];

		if (!address->prefix.ip.family && !take_next(walk, b, s, link, address)) {
			if (!walk->said_exhausted)
				say_exhausted(walk, b, &b->bridge->subnets[s], link);
			walk->said_exhausted = interface->broken = true;
			continue;
		}
		link->addresses[kept++] = *address;
	}
	link->n_addresses = kept;
}

static int hand_out_on(struct walk *walk, const struct wr_nf_bridge *b)
{
	const struct wr_bridge *bridge = b->bridge;

	if (take_written(walk, b) < 0)
		return -ENOMEM;
	while (walk->capacity_next < bridge->n_subnets)
		if (wr_arena_grow(walk->a->scratch, &walk->next, &walk->capacity_next, walk->capacity_next,
				  sizeof *walk->next) < 0)
			return -ENOMEM;
	for (size_t s = 0; s < bridge->n_subnets; s++)
		walk->next[s] = bridge->subnets[s].ip;
	walk->said_exhausted = false;
	for (size_t i = 0; i < b->n_ports; i++)
		if (wants_address(b->ports[i]) && begin_interface(walk, b, b->ports[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < b->n_ports; i++)
		if (wants_address(b->ports[i]))
			end_interface(walk, b, b->ports[i]);
	return 0;
}

void wr_nf_hand_out(struct wr_nf_assigner *a)
{
	struct walk walk = {.a = a};

	if (a->leases && find_leases(a) < 0)
		a->out_of_memory = true;
	for (size_t i = 0; i < a->pending->n_bridges && !a->out_of_memory; i++) {
		const struct wr_nf_bridge *b = a->pending->bridges[i];

		if (!b->broken && b->bridge->n_subnets && hand_out_on(&walk, b) < 0)
			a->out_of_memory = true;
	}
}
