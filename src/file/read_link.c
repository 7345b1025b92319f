/* read_link.c: the entries of `links:`, virtual cables between two interfaces.
 *
 * An end is NAMESPACE:INTERFACE; either part may be a range, and all ranges of one cable count the same numbers side by side.
 * Namespaces and interfaces that are named only here are made here. */
#include <string.h>

#include "base/arena.h"
#include "file/reader.h"

#define ENDS_HINT "an end is written NAMESPACE:INTERFACE, for example [r1:eth0, r2:eth0]"

/* One entry as written. */
struct cable {
	const struct wr_nf_node *node;
	const struct wr_nf_node *ends, *addresses; /* addresses NULL: none said */
	const struct wr_nf_node *end[2];
	struct wr_nf_range ns[2], interface[2];
	const struct wr_nf_context *context;
	const struct wr_nf_node *addresses_key;
	uint32_t mtu; /* 0: not said */
};

static void read_ends(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	((struct cable *)object)->ends = entry->value;
}

static void read_mtu(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	uint64_t mtu;

	if (wr_nf_number(r, entry, NULL, 68, 65535, &mtu))
		((struct cable *)object)->mtu = (uint32_t)mtu;
}

static void read_addresses(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct cable *cable = object;

	if (wr_nf_is_null(entry->value))
		return;
	if (entry->value->kind != WR_NF_SEQUENCE || entry->value->count != 2) {
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), "as in [10.9.0.1/30, none]",
			    "%s must be a list of two, one for each end", wr_nf_subject(r, entry));
		return;
	}
	cable->addresses = entry->value;
	cable->addresses_key = entry->key;
}

static const struct wr_nf_key link_keys[] = {
	{"ends", read_ends},
	{"mtu", read_mtu},
	{"addresses", read_addresses},
	{0},
};

/* "r1:p[1-3]" to its parts. */
static bool split_end(struct wr_nf_reader *r, struct cable *cable, int side, const struct wr_nf_node *item)
{
	const struct wr_nf_node *node = wr_nf_follow(item);
	const char *colon = node->kind == WR_NF_SCALAR ? strchr(node->text, ':') : NULL;
	const char *ns;

	cable->end[side] = node;
	if (node->kind != WR_NF_SCALAR || !colon || colon == node->text || !colon[1]) {
		wr_diagnose(r->diagnostics, wr_nf_place(item), ENDS_HINT, "%s%s%s is no end of a link",
			    node->kind == WR_NF_SCALAR ? "'" : "",
			    node->kind == WR_NF_SCALAR ? node->text : wr_nf_kind_name(node),
			    node->kind == WR_NF_SCALAR ? "'" : "");
		return false;
	}
	ns = wr_arena_strndup(r->arena, node->text, (size_t)(colon - node->text));
	if (!ns) {
		r->out_of_memory = true;
		return false;
	}
	return wr_nf_range_read(r, item, ns, &cable->ns[side]) &&
	       wr_nf_range_read(r, item, colon + 1, &cable->interface[side]);
}

/* The range that all ranges of the cable share; is_range false: there is none. */
static bool common_range(struct wr_nf_reader *r, const struct cable *cable, struct wr_nf_range *ret)
{
	const struct wr_nf_range *all[] = {&cable->ns[0], &cable->interface[0], &cable->ns[1], &cable->interface[1]};
	struct wr_nf_range common = {0};

	for (size_t i = 0; i < 4; i++) {
		if (!all[i]->is_range)
			continue;
		if (common.is_range && (common.first != all[i]->first || common.last != all[i]->last)) {
			wr_diagnose(
				r->diagnostics, wr_nf_place(cable->end[i / 2]), NULL,
				"the ranges of one link must count the same numbers, not [%llu-%llu] and [%llu-%llu]",
				(unsigned long long)common.first, (unsigned long long)common.last,
				(unsigned long long)all[i]->first, (unsigned long long)all[i]->last);
			return false;
		}
		common = *all[i];
	}
	*ret = common;
	return true;
}

static struct wr_nf_ns *find_or_add_ns(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *name)
{
	struct wr_nf_ns *ns = wr_nf_find_ns(r->pending, name);

	if (ns)
		return ns;
	if (wr_map_get(&r->pending->bridge_by_name, name)) {
		wr_diagnose(r->diagnostics, wr_nf_place(node),
			    "plug an interface in with {eth0: BRIDGE} under 'interfaces'",
			    "'%s' is a bridge; a link joins interfaces of namespaces", name);
		return NULL;
	}
	if (!wr_nf_name(r, node, "namespace", name) || !wr_nf_count(r, node, 1))
		return NULL;
	return wr_nf_new_ns(r, name, wr_nf_place(node));
}

/* The interface at one end, made if it is not there. */
static struct wr_nf_interface *take_end(struct wr_nf_reader *r, const struct cable *cable, int side, uint64_t n)
{
	const struct wr_nf_node *node = cable->end[side];
	const char *ns_name = wr_nf_range_name(r, &cable->ns[side], n);
	const char *name = wr_nf_range_name(r, &cable->interface[side], n);
	struct wr_nf_interface *interface;
	struct wr_nf_ns *ns;

	if (!ns_name || !name || !(ns_name = wr_nf_expand(r, node, ns_name)) || !(name = wr_nf_expand(r, node, name)))
		return NULL;
	ns = find_or_add_ns(r, node, ns_name);
	if (!ns)
		return NULL;
	interface = wr_nf_find_interface(ns, name);
	if (!interface || interface == ns->lo)
		return wr_nf_new_interface(r, ns, name, node);
	if (interface->cabled) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL,
			    "%s:%s is the end of another link already (line %u)", ns_name, name,
			    interface->cable_place.line);
		return NULL;
	}
	if (interface->link->segment) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL,
			    "%s:%s is plugged into bridge '%s' (line %u) and cannot be the end of a link too", ns_name,
			    name, interface->link->segment->name, interface->link->place.line);
		return NULL;
	}
	return interface;
}

static void set_addresses(struct wr_nf_reader *r, const struct cable *cable, struct wr_nf_interface *ends[2])
{
	const struct wr_nf_node *item = cable->addresses->first;

	for (int side = 0; side < 2; side++, item = item->next) {
		struct wr_nf_entry entry = {cable->addresses_key, item, cable->context};
		const struct wr_nf_node *node = wr_nf_follow(item);

		if (wr_nf_is_null(node) || (node->kind == WR_NF_SCALAR && !strcmp(node->text, "none")))
			continue;
		if (ends[side]->written)
			wr_diagnose(r->diagnostics, wr_nf_place(item), NULL,
				    "%s:%s has its addresses under 'interfaces' already (line %u)",
				    ends[side]->link->ns->name, ends[side]->link->name, ends[side]->link->place.line);
		else
			wr_nf_read_addresses(r, ends[side], item, &entry);
	}
}

static void add_cable(struct wr_nf_reader *r, const struct cable *cable, uint64_t n)
{
	struct wr_nf_pending *pending = r->pending;
	struct wr_nf_interface *ends[2];

	for (int side = 0; side < 2; side++) {
		ends[side] = take_end(r, cable, side, n);
		if (side == 1 && ends[0] && (!ends[1] || ends[0] == ends[1]))
			ends[0]->broken = true; /* it has no cable, but not by its own fault */
		if (!ends[side])
			return;
		if (side == 1 && ends[0] == ends[1]) {
			wr_diagnose(r->diagnostics, wr_nf_place(cable->end[1]), NULL, "a link from %s:%s to itself",
				    ends[0]->link->ns->name, ends[0]->link->name);
			return;
		}
	}
	if (wr_arena_grow(r->arena, &pending->cables, &pending->capacity_cables, pending->n_cables,
			  sizeof *pending->cables) < 0) {
		r->out_of_memory = true;
		return;
	}
	pending->cables[pending->n_cables++] =
		(struct wr_nf_cable){.ends = {ends[0], ends[1]}, .place = wr_nf_place(cable->node)};
	for (int side = 0; side < 2; side++) {
		ends[side]->cabled = true;
		ends[side]->cable_place = wr_nf_place(cable->end[side]);
		if (cable->mtu && !ends[side]->link->mtu)
			ends[side]->link->mtu = cable->mtu;
	}
	wr_nf_build_cable(r, ends);
	if (cable->addresses)
		set_addresses(r, cable, ends);
}

static void read_link(struct wr_nf_reader *r, const struct wr_nf_node *item)
{
	static const struct wr_nf_context context = {"a link", NULL, NULL};
	struct cable cable = {.node = wr_nf_follow(item), .context = &context};
	size_t total = r->diagnostics->total;
	struct wr_nf_range range;

	if (cable.node->kind == WR_NF_SEQUENCE)
		cable.ends = cable.node;
	else if (!wr_nf_read_mapping(r, item, link_keys, &cable, &context))
		return;
	if (!cable.ends) {
		wr_diagnose(r->diagnostics, wr_nf_place(item), ENDS_HINT, "a link without 'ends'");
		return;
	}
	if (cable.ends->kind != WR_NF_SEQUENCE || cable.ends->count != 2) {
		wr_diagnose(r->diagnostics, wr_nf_place(cable.ends), ENDS_HINT, "a link has two ends, not %s%u",
			    cable.ends->kind == WR_NF_SEQUENCE ? "" : "this: ",
			    cable.ends->kind == WR_NF_SEQUENCE ? cable.ends->count : 1);
		return;
	}
	if (!split_end(r, &cable, 0, cable.ends->first) || !split_end(r, &cable, 1, cable.ends->first->next) ||
	    !common_range(r, &cable, &range) || !wr_nf_count(r, item, range.last - range.first + 1))
		return;
	r->in_range = range.is_range;
	for (r->n = range.first; r->n <= range.last && !r->stop && !r->out_of_memory; r->n++) {
		add_cable(r, &cable, r->n);
		if (r->diagnostics->total != total && range.is_range) {
			r->pending->incomplete = true;
			break;
		}
	}
	r->in_range = false;
}

void wr_nf_read_links(struct wr_nf_reader *r, const struct wr_nf_node *node)
{
	node = wr_nf_follow(node);
	if (wr_nf_is_null(node))
		return;
	if (node->kind != WR_NF_SEQUENCE) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), ENDS_HINT, "'links' must be a list, not %s",
			    wr_nf_kind_name(node));
		return;
	}
	/* "links: [a:eth0, b:eth0]" is one link without the brackets of its list. */
	if (node->count == 2 && wr_nf_follow(node->first)->kind == WR_NF_SCALAR) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), "write [[A:eth0, B:eth0]]",
			    "'links' is a list of links, and this is one");
		return;
	}
	for (const struct wr_nf_node *item = node->first; item && !r->stop && !r->out_of_memory; item = item->next)
		read_link(r, item);
}
