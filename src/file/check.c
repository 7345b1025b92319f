/* check.c: what can be judged only when every address is known: lengths, subnets, doubles, overlaps. */
#include <string.h>

#include "base/arena.h"
#include "file/netfile.h"
#include "file/pending.h"
#include "file/reader.h"
#include "file/subnets.h"

#define MTU_LEAST_IPV6 1280

static const struct wr_prefix *subnet_of(const struct wr_bridge *bridge, const struct wr_ip *ip, bool *has_family)
{
	*has_family = false;
	for (size_t i = 0; bridge && i < bridge->n_subnets; i++) {
		*has_family |= bridge->subnets[i].ip.family == ip->family;
		if (wr_prefix_contains(&bridge->subnets[i], ip))
			return &bridge->subnets[i];
	}
	return NULL;
}

/* One address against the segment that its interface is on. */
static bool check_address(struct wr_nf_assigner *a, const struct wr_link *link, struct wr_address *address)
{
	const struct wr_bridge *bridge = link->segment;
	const struct wr_prefix *subnet;
	char ip[WR_IP_TEXT_MAX];
	bool has_family;

	subnet = subnet_of(bridge, &address->prefix.ip, &has_family);
	wr_ip_format(&address->prefix.ip, ip);
	if (has_family && !subnet &&
	    !(wr_ip_is_linklocal(&address->prefix.ip) && address->prefix.ip.family == AF_INET6)) {
		wr_diagnose(a->diagnostics, address->place, NULL, "address %s of %s:%s is in no subnet of bridge '%s'",
			    ip, link->ns->name, link->name, bridge->name);
		return false;
	}
	if (subnet && wr_prefix_is_reserved(subnet, &address->prefix.ip)) {
		wr_diagnose(a->diagnostics, address->place, NULL, "address %s of %s:%s is the %s of bridge '%s'", ip,
			    link->ns->name, link->name, wr_nf_reserved_name(subnet, &address->prefix.ip), bridge->name);
		return false;
	}
	if (!address->prefix.length && subnet)
		address->prefix.length = subnet->length;
	if (!address->prefix.length) {
		wr_diagnose(
			a->diagnostics, address->place,
			wr_arena_printf(a->arena, "as in %s/%d", ip, address->prefix.ip.family == AF_INET6 ? 64 : 24),
			"address %s of %s:%s needs a length: no subnet of a bridge gives it one", ip, link->ns->name,
			link->name);
		return false;
	}
	return true;
}

static void check_interface(struct wr_nf_assigner *a, struct wr_nf_interface *interface)
{
	struct wr_link *link = interface->link;

	if (interface->broken)
		return;
	for (size_t i = 0; i < link->n_addresses; i++) {
		if (link->addresses[i].handed_out)
			continue;
		if (link->kind == WR_LINK_LOOPBACK) {
			if (!link->addresses[i].prefix.length)
				link->addresses[i].prefix.length = (uint8_t)wr_ip_bits(&link->addresses[i].prefix.ip);
		} else if (!check_address(a, link, &link->addresses[i])) {
			interface->broken = true;
		}
	}
	if (link->mtu && link->mtu < MTU_LEAST_IPV6 && link->kind != WR_LINK_LOOPBACK &&
	    wr_link_has_family(link, AF_INET6)) {
		wr_diagnose(a->diagnostics, link->place, NULL, "mtu %u of %s:%s is too small: IPv6 needs %d", link->mtu,
			    link->ns->name, link->name, MTU_LEAST_IPV6);
		interface->broken = true;
	}
}

void wr_nf_fill_lengths(struct wr_nf_assigner *a)
{
	for (size_t i = 0; i < a->pending->n_ns; i++) {
		struct wr_nf_ns *ns = a->pending->ns[i];

		if (ns->lo)
			check_interface(a, ns->lo);
		for (struct wr_nf_interface *j = ns->first; j; j = j->next) {
			check_interface(a, j);
			ns->broken |= j->broken;
		}
	}
}

/* --- one address, one owner on each segment ------------------------------------------------------------------------ */

/* "the host" or "web:eth0". */
static const char *owner(struct wr_nf_assigner *a, const struct wr_link *link)
{
	const char *words = link->kind == WR_LINK_BRIDGE
				    ? "this machine"
				    : wr_arena_printf(a->scratch, "%s:%s", link->ns->name, link->name);

	return words ? words : "";
}

static void take(struct wr_nf_assigner *a, struct wr_nf_taken *taken, const struct wr_link *link)
{
	char ip[WR_IP_TEXT_MAX];

	for (size_t i = 0; i < link->n_addresses; i++) {
		const struct wr_address *address = &link->addresses[i];
		const struct wr_nf_taken_slot *other =
			wr_nf_taken_add(taken, &address->prefix.ip, link, address->place);

		if (!other)
			continue;
		if (other->link == link)
			wr_diagnose(a->diagnostics, address->place, NULL, "%s is there twice on %s",
				    wr_ip_format(&address->prefix.ip, ip), owner(a, link));
		else
			wr_diagnose(a->diagnostics, address->place, NULL,
				    "address %s of %s is that of %s too (line %u), on one segment",
				    wr_ip_format(&address->prefix.ip, ip), owner(a, link), owner(a, other->link),
				    other->place.line);
	}
}

void wr_nf_check_segments(struct wr_nf_assigner *a)
{
	struct wr_nf_pending *pending = a->pending;
	struct wr_nf_taken taken = {0};

	for (size_t i = 0; i < pending->n_bridges; i++) {
		const struct wr_nf_bridge *b = pending->bridges[i];
		size_t count = b->bridge->link->n_addresses;
		bool written = false;

		/* What was handed out is in nobody else's hands: without written addresses there is nothing to look for. */
		for (size_t j = 0; j < b->n_ports; j++)
			written |= b->ports[j]->written;
		for (size_t j = 0; written && j < b->n_ports; j++)
			count += b->ports[j]->link->n_addresses;
		if (!written)
			continue;
		if (wr_nf_taken_reset(a, &taken, count) < 0) {
			a->out_of_memory = true;
			return;
		}
		take(a, &taken, b->bridge->link);
		for (size_t j = 0; j < b->n_ports; j++)
			if (!b->ports[j]->broken)
				take(a, &taken, b->ports[j]->link);
	}
	for (size_t i = 0; i < pending->n_cables; i++) {
		struct wr_nf_interface *const *ends = pending->cables[i].ends;

		if (wr_nf_taken_reset(a, &taken, ends[0]->link->n_addresses + ends[1]->link->n_addresses) < 0) {
			a->out_of_memory = true;
			return;
		}
		take(a, &taken, ends[0]->link);
		take(a, &taken, ends[1]->link);
	}
}

/* --- one way to each subnet ---------------------------------------------------------------------------------------- */

void wr_nf_check_overlaps(struct wr_nf_assigner *a, const struct wr_nf_ns *ns, const struct wr_nf_subnets *subnets)
{
	char one[WR_PREFIX_TEXT_MAX], two[WR_PREFIX_TEXT_MAX];

	for (size_t i = 0; i < subnets->count; i++) {
		const struct wr_nf_subnet *inner = &subnets->items[i], *outer;

		if (inner->around < 0)
			continue;
		outer = &subnets->items[inner->around];
		if (outer->link == inner->link)
			continue;
		wr_diagnose(a->diagnostics, inner->place, NULL,
			    "%s joins overlapping subnets: %s on '%s' and %s on '%s' (line %u)",
			    ns->ns->is_host ? "this machine"
					    : wr_arena_printf(a->scratch, "namespace '%s'", ns->ns->name),
			    wr_prefix_format(&inner->network, one), inner->link->name,
			    wr_prefix_format(&outer->network, two), outer->link->name, outer->place.line);
	}
}
