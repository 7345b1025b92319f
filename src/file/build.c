/* build.c: the kernel's side of what was read: names, marks, MACs, MTUs, bridges' links and their ports.
 *
 * A mark and an altname differ by the mark's "warren:", and a port's name is the end of both: one text serves for all three. A
 * bridge that the host does not join gets a namespace of its own, behind those of the file. */
#include <string.h>

#include "base/arena.h"
#include "file/reader.h"
#include "model/name.h"

#define MTU_USUAL 1500

static const char *keep(struct wr_nf_reader *r, const char *text)
{
	const char *copy = wr_arena_strdup(r->arena, text);

	if (!copy)
		r->out_of_memory = true;
	return copy;
}

static const char *mark(struct wr_nf_reader *r, const char *a, const char *b)
{
	char buffer[WR_MARK_MAX];

	wr_name_mark(r->model->name, a, b, buffer);
	return keep(r, buffer);
}

/* The altname of what has a mark: the mark's own text where it is short enough. */
static const char *altname(struct wr_nf_reader *r, const char *alias, const char *a, const char *b)
{
	char buffer[128];

	wr_name_altname(r->model->name, a, b, buffer);
	if (alias && !strcmp(alias + strlen(WR_MARK), buffer))
		return alias + strlen(WR_MARK);
	return keep(r, buffer);
}

/* What every link in the host has beyond those in namespaces. */
static void set_host_side(struct wr_nf_reader *r, struct wr_link *link, const char *a, const char *b)
{
	link->altname = altname(r, link->alias, a, b);
	link->group = wr_name_group(r->model->name);
	r->model->has_host_links = true;
}

void wr_nf_build_ns(struct wr_nf_reader *r, struct wr_ns *ns)
{
	struct wr_link *lo = wr_ns_loopback(ns);

	ns->alias = mark(r, ns->name, NULL);
	if (!strcmp(r->model->ns_prefix, ""))
		ns->pin = ns->name;
	else if (ns->alias && !strcmp(r->model->link_prefix, r->model->ns_prefix))
		ns->pin = wr_arena_printf(r->arena, "%s%s", r->model->ns_prefix, ns->name);
	else if (ns->alias)
		ns->pin = ns->alias + strlen(WR_MARK); /* "shop.web", the usual prefix */
	if (!ns->pin)
		r->out_of_memory = true;
	if (lo)
		lo->alias = ns->alias;
}

static void build_interface(struct wr_nf_reader *r, struct wr_nf_interface *interface)
{
	struct wr_link *link = interface->link;
	const struct wr_ns *ns = link->ns;

	link->alias = mark(r, ns->name, link->name);
	link->mac_set = true;
	if (link->mac_written) {
		struct wr_mac usual = wr_name_mac(r->model->name, ns->name, link->name, "");

		/* As good as not written: so a file that was printed in long form says the same. */
		link->mac_written = memcmp(usual.bytes, link->mac.bytes, sizeof usual.bytes) != 0;
	} else {
		link->mac = wr_name_mac(r->model->name, ns->name, link->name, "");
	}
	if (!link->mtu && link->segment)
		link->mtu = link->segment->mtu;
	if (!link->mtu)
		link->mtu = MTU_USUAL;
	if (ns->is_host && link->alias)
		set_host_side(r, link, ns->name, link->name);
}

/* --- bridges ------------------------------------------------------------------------------------------------------- */

/* This machine's address in a subnet: what `host:` says, else the first. */
static struct wr_address *add_host_address(struct wr_nf_reader *r, const struct wr_nf_bridge *b,
					   const struct wr_prefix *subnet)
{
	struct wr_address *address = wr_link_add_address(b->bridge->link);

	if (!address) {
		r->out_of_memory = true;
		return NULL;
	}
	address->place = b->bridge->place;
	address->prefix = *subnet;
	if (wr_prefix_is_reserved(subnet, &subnet->ip))
		wr_ip_add(&subnet->ip, 1, &address->prefix.ip);
	address->handed_out = true;
	return address;
}

static void add_host_addresses(struct wr_nf_reader *r, const struct wr_nf_bridge *b)
{
	for (size_t i = 0; i < b->bridge->n_subnets; i++) {
		const struct wr_prefix *subnet = &b->bridge->subnets[i];
		bool found = false;

		for (size_t j = 0; j < b->n_host_addresses; j++) {
			struct wr_address *address;

			if (!wr_prefix_contains(subnet, &b->host_addresses[j].ip))
				continue;
			found = true;
			address = add_host_address(r, b, subnet);
			if (!address)
				return;
			address->prefix = b->host_addresses[j];
			address->handed_out = false;
			address->place = b->host_place;
		}
		if (!found)
			add_host_address(r, b, subnet);
	}
}

static struct wr_ns *bridge_ns(struct wr_nf_reader *r, const struct wr_bridge *bridge)
{
	struct wr_ns *ns;
	struct wr_link *lo;

	if (bridge->host)
		return wr_model_host(r->model);
	ns = wr_model_add_ns(r->model, bridge->name);
	lo = ns ? wr_ns_add_link(ns, WR_LINK_LOOPBACK, "lo") : NULL;
	if (!lo)
		return NULL;
	ns->is_bridge = true;
	ns->place = lo->place = bridge->place;
	lo->up = true;
	wr_nf_build_ns(r, ns);
	return ns;
}

static const char *bridge_ifname(struct wr_nf_reader *r, const struct wr_nf_bridge *b)
{
	char buffer[16];

	if (b->ifname)
		return b->ifname;
	wr_name_host_link(r->model->name, b->bridge->host ? r->model->link_prefix : "", b->bridge->name, NULL, buffer);
	return keep(r, buffer);
}

void wr_nf_build_port(struct wr_nf_reader *r, struct wr_nf_interface *interface)
{
	struct wr_link *link = interface->link, *bridge = link->segment->link, *port;
	const char *prefix = link->segment->host ? r->model->link_prefix : "";
	size_t skip = strlen(WR_MARK) + strlen(r->model->name) + 1;
	char buffer[16];

	build_interface(r, interface);
	if (!bridge) /* out of memory */
		return;
	wr_name_host_link(r->model->name, prefix, link->ns->name, link->name, buffer);
	port = wr_ns_add_link(bridge->ns, WR_LINK_VETH, buffer);
	if (!port || !link->alias) {
		r->out_of_memory = true;
		return;
	}
	port->name = link->alias + skip; /* "web.eth0" */
	port->alias = link->alias;
	port->mac = wr_name_mac(r->model->name, link->ns->name, link->name, "port");
	port->mac_set = true;
	port->mtu = link->mtu;
	port->up = true;
	port->isolated = link->isolated;
	port->master = bridge;
	port->peer = link;
	port->place = link->place;
	link->peer = port;
	if (link->segment->host)
		set_host_side(r, port, link->ns->name, link->name);
}

void wr_nf_build_bridge(struct wr_nf_reader *r, struct wr_nf_bridge *b)
{
	struct wr_ns *ns = bridge_ns(r, b->bridge);
	struct wr_link *link = ns ? wr_ns_add_link(ns, WR_LINK_BRIDGE, b->bridge->name) : NULL;
	struct wr_mac usual = wr_name_mac(r->model->name, b->bridge->name, NULL, "bridge");

	if (!link) {
		r->out_of_memory = true;
		return;
	}
	b->bridge->link = link;
	link->ifname = bridge_ifname(r, b);
	link->alias = mark(r, b->bridge->name, NULL);
	*link->bridge = b->options;
	link->mac = b->mac_written ? b->mac : usual;
	link->mac_written = b->mac_written && memcmp(usual.bytes, b->mac.bytes, sizeof usual.bytes) != 0;
	link->mac_set = true;
	link->mtu = b->bridge->mtu;
	link->up = true;
	link->place = b->bridge->place;
	if (!link->ifname || !link->alias)
		return;
	if (b->bridge->host) {
		set_host_side(r, link, b->bridge->name, NULL);
		if (!b->broken)
			add_host_addresses(r, b);
	}
}

void wr_nf_build_cable(struct wr_nf_reader *r, struct wr_nf_interface *ends[2])
{
	build_interface(r, ends[0]);
	build_interface(r, ends[1]);
	ends[0]->link->peer = ends[1]->link;
	ends[1]->link->peer = ends[0]->link;
}

/* --- names that only one thing can have ---------------------------------------------------------------------------- */

/* "bridge 'lan'", "web:eth0's end at its bridge": what got a name. */
static const char *what(struct wr_nf_reader *r, const struct wr_link *link)
{
	const char *words;

	if (link->kind == WR_LINK_BRIDGE)
		words = wr_arena_printf(r->scratch, "bridge '%s'", link->name);
	else if (link->master)
		words = wr_arena_printf(r->scratch, "the port of %s:%s", link->peer->ns->name, link->peer->name);
	else
		words = wr_arena_printf(r->scratch, "%s:%s", link->ns->name, link->name);
	return words ? words : "";
}

static const struct wr_link *owner_of(const struct wr_ns *ns, const char *name)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (!strcmp(ns->links[i]->ifname, name) ||
		    (ns->links[i]->altname && !strcmp(ns->links[i]->altname, name)))
			return ns->links[i];
	return NULL;
}

static void claim(struct wr_nf_reader *r, struct wr_map *names, const char *name, struct wr_link *link)
{
	const struct wr_link *other;
	int is_new = wr_map_put(names, name, link);

	if (is_new < 0)
		r->out_of_memory = true;
	if (is_new)
		return;
	other = owner_of(link->ns, name);
	if (other == link)
		wr_diagnose(r->diagnostics, link->place, "'ifname' or 'prefix' gives another name",
			    "%s gets one name twice in the kernel, '%s'", what(r, link), name);
	else
		wr_diagnose(r->diagnostics, link->place, "'ifname' or 'prefix' gives another name",
			    "%s and %s (line %u) get one name in the kernel, '%s'", what(r, link), what(r, other),
			    other->place.line, name);
}

/* Within one namespace of the kernel. Those of the file's namespaces are keys of their mapping, and so different. The kernel has
 * one set for names and altnames; an altname begins with "NETWORK.", so that they matter only to a name that does. */
static void check_names(struct wr_nf_reader *r, const struct wr_ns *ns)
{
	struct wr_map names = {.arena = r->scratch};
	size_t length = strlen(r->model->name);
	bool like_altname = false;

	if (wr_map_reserve(&names, ns->n_links) < 0)
		r->out_of_memory = true;
	for (size_t i = 0; i < ns->n_links && !r->out_of_memory; i++) {
		const char *name = ns->links[i]->ifname;

		like_altname |= !strncmp(name, r->model->name, length) && name[length] == '.';
		claim(r, &names, name, ns->links[i]);
	}
	for (size_t i = 0; like_altname && i < ns->n_links && !r->out_of_memory; i++)
		if (ns->links[i]->altname)
			claim(r, &names, ns->links[i]->altname, ns->links[i]);
}

void wr_nf_check_names(struct wr_nf_reader *r)
{
	check_names(r, wr_model_host(r->model));
	for (size_t i = 0; i < r->model->n_ns && !r->out_of_memory; i++)
		if (r->model->ns[i]->is_bridge)
			check_names(r, r->model->ns[i]);
}
