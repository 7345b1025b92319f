/* read_interface.c: `interfaces:` and `lo:` of a namespace, and `address:` wherever it stands. */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "file/reader.h"
#include "model/name.h"

struct wr_nf_interface *wr_nf_find_interface(const struct wr_nf_ns *ns, const char *name)
{
	if (!strcmp(name, "lo"))
		return ns->lo;
	if (ns->by_name)
		return wr_map_get(ns->by_name, name);
	for (struct wr_nf_interface *i = ns->first; i; i = i->next)
		if (!strcmp(i->link->name, name))
			return i;
	return NULL;
}

/* Past a few interfaces, a map finds them. */
static int index_interface(struct wr_nf_reader *r, struct wr_nf_ns *ns, struct wr_nf_interface *interface)
{
	if (ns->n_interfaces <= WR_NF_FEW_INTERFACES)
		return 0;
	if (!ns->by_name) {
		ns->by_name = wr_nf_alloc(r, sizeof *ns->by_name);
		if (!ns->by_name)
			return -1;
		ns->by_name->arena = r->arena;
		for (struct wr_nf_interface *i = ns->first; i; i = i->next)
			if (wr_map_put(ns->by_name, i->link->name, i) < 0)
				return -1;
	}
	return wr_map_put(ns->by_name, interface->link->name, interface);
}

struct wr_nf_interface *wr_nf_new_interface(struct wr_nf_reader *r, struct wr_nf_ns *ns, const char *name,
					    const struct wr_nf_node *node)
{
	struct wr_nf_interface *interface;
	struct wr_link *link;

	if (!wr_nf_ifname(r, node, name) || !wr_nf_count(r, node, 1))
		return NULL;
	interface = wr_nf_alloc(r, sizeof *interface);
	link = wr_ns_add_link(ns->ns, WR_LINK_VETH, name);
	if (!interface || !link) {
		r->out_of_memory = true;
		return NULL;
	}
	interface->link = link;
	link->place = wr_nf_place(node);
	link->up = true;
	*ns->end = interface;
	ns->end = &interface->next;
	ns->n_interfaces++;
	if (index_interface(r, ns, interface) < 0) {
		r->out_of_memory = true;
		return NULL;
	}
	return interface;
}

/* --- addresses ----------------------------------------------------------------------------------------------------- */

static bool check_address(struct wr_nf_reader *r, const struct wr_nf_interface *interface,
			  const struct wr_nf_value *value)
{
	const struct wr_ip *ip = &value->prefix.ip;
	const char *article = "", *reason = NULL;
	char buffer[WR_PREFIX_TEXT_MAX];

	if (wr_ip_is_unspecified(ip))
		reason = "the unspecified address";
	else if (wr_ip_is_multicast(ip))
		reason = "a multicast address";
	else if (interface->link->kind != WR_LINK_LOOPBACK && wr_ip_is_loopback(ip))
		reason = "a loopback address";
	else if (value->has_length && value->prefix.length == 0)
		reason = "an address with length 0";
	else if (value->has_length && interface->link->kind != WR_LINK_LOOPBACK &&
		 wr_prefix_is_reserved(&value->prefix, ip)) {
		article = "the ";
		reason = wr_nf_reserved_name(&value->prefix, ip);
	}
	if (!reason)
		return true;
	wr_diagnose(r->diagnostics, value->place, NULL, "%s is %s%s, which no interface can have",
		    value->has_length ? wr_prefix_format(&value->prefix, buffer) : wr_ip_format(ip, buffer), article,
		    reason);
	return false;
}

static bool has_address(const struct wr_link *link, const struct wr_ip *ip)
{
	for (size_t i = 0; i < link->n_addresses; i++)
		if (wr_ip_equal(&link->addresses[i].prefix.ip, ip))
			return true;
	return false;
}

/* One address. A length that is missing is put in when it is known what the interface is plugged into: until then 0. */
static void add_address(struct wr_nf_reader *r, struct wr_nf_interface *interface, const struct wr_nf_value *value)
{
	struct wr_address *address;
	char buffer[WR_IP_TEXT_MAX];

	if (value->reference) {
		interface->references[interface->n_references++] = *value;
		r->pending->has_references = true;
		return;
	}
	if (!check_address(r, interface, value))
		return;
	if (interface->link->n_addresses <= 64 && has_address(interface->link, &value->prefix.ip)) {
		wr_diagnose(r->diagnostics, value->place, NULL, "%s is there twice",
			    wr_ip_format(&value->prefix.ip, buffer));
		return;
	}
	address = wr_link_add_address(interface->link);
	if (!address) {
		r->out_of_memory = true;
		return;
	}
	address->prefix = value->prefix;
	if (!value->has_length)
		address->prefix.length = 0;
	address->place = value->place;
}

static bool is_none(const struct wr_nf_node *list)
{
	list = wr_nf_follow(list);
	return list->kind == WR_NF_SCALAR && list->plain && !strcmp(list->text, "none");
}

void wr_nf_read_addresses(struct wr_nf_reader *r, struct wr_nf_interface *interface, const struct wr_nf_node *list,
			  const struct wr_nf_entry *entry)
{
	struct wr_link *link = interface->link;
	size_t count = wr_nf_item_count(list);
	size_t total = r->diagnostics->total;

	interface->written = true;
	if (is_none(list))
		return;
	if (wr_nf_follow(list)->kind == WR_NF_MAPPING) {
		wr_diagnose(r->diagnostics, wr_nf_place(list), NULL,
			    "%s must be an address, a list of addresses, or none", wr_nf_subject(r, entry));
		return;
	}
	if (!wr_nf_count(r, list, count))
		return;
	if (count > UINT16_MAX) {
		wr_diagnose(r->diagnostics, wr_nf_place(list), NULL, "%s has more than %d addresses",
			    wr_nf_subject(r, entry), UINT16_MAX);
		return;
	}
	for (const struct wr_nf_node *item = wr_nf_first_item(list); item; item = wr_nf_next_item(list, item)) {
		struct wr_nf_value value;

		if (!wr_nf_value(r, item, entry, &value))
			continue;
		if (value.reference && !interface->references)
			interface->references = wr_nf_alloc(r, count * sizeof *interface->references);
		if (!value.reference && !link->addresses) {
			link->addresses = wr_nf_alloc(r, count * sizeof *link->addresses);
			link->capacity_addresses = link->addresses ? count : 0;
		}
		if (r->out_of_memory)
			return;
		add_address(r, interface, &value);
	}
	interface->broken |= r->diagnostics->total != total;
}

/* --- the keys of an interface -------------------------------------------------------------------------------------- */

/* What the rows of the table read into. */
struct target {
	struct wr_nf_ns *ns;
	struct wr_nf_interface *interface;
	struct wr_place isolated_place;
};

static void plug_in(struct wr_nf_reader *r, struct target *target, const struct wr_nf_node *node, const char *name)
{
	struct wr_nf_interface *interface = target->interface;
	struct wr_nf_bridge *bridge = wr_map_get(&r->pending->bridge_by_name, name);

	if (!bridge) {
		interface->broken = true;
		if (r->pending->incomplete)
			return;
		wr_diagnose(r->diagnostics, wr_nf_place(node), wr_nf_suggest_bridge(r, name),
			    "no bridge '%s' for interface '%s' of namespace '%s'", name, interface->link->name,
			    target->ns->ns->name);
		return;
	}
	if (bridge->n_ports == WR_BRIDGE_PORTS_MAX) {
		if (!bridge->overfull)
			wr_diagnose(r->diagnostics, wr_nf_place(node), "spread the interfaces over several bridges",
				    "bridge '%s' has more than %d ports, which is all that the kernel allows", name,
				    WR_BRIDGE_PORTS_MAX);
		bridge->overfull = true;
		interface->broken = true;
		return;
	}
	if (wr_arena_grow(r->arena, &bridge->ports, &bridge->capacity_ports, bridge->n_ports, sizeof *bridge->ports) <
	    0) {
		r->out_of_memory = true;
		return;
	}
	bridge->ports[bridge->n_ports++] = interface;
	bridge->bridge->n_ports++;
	interface->link->segment = bridge->bridge;
}

static void read_bridge(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	const char *name = wr_nf_text(r, entry->value, entry);

	if (name)
		plug_in(r, object, entry->value, name);
}

static void read_address(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct target *target = object;

	wr_nf_read_addresses(r, target->interface, entry->value, entry);
}

static void read_mac(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_link *link = ((struct target *)object)->interface->link;

	link->mac_written = wr_nf_mac(r, entry, &link->mac);
}

static void read_mtu(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct target *target = object;
	uint64_t mtu;

	if (wr_nf_number(r, entry, NULL, 68, 65535, &mtu))
		target->interface->link->mtu = (uint32_t)mtu;
	else
		target->interface->broken = true;
}

static void read_up(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	wr_nf_boolean(r, entry, &((struct target *)object)->interface->link->up);
}

static void read_sysctl(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct target *target = object;

	wr_nf_read_sysctls(r, target->ns, target->interface, entry);
}

static void read_isolated(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct target *target = object;

	target->isolated_place = wr_nf_place(entry->key);
	wr_nf_boolean(r, entry, &target->interface->link->isolated);
}

static const struct wr_nf_key interface_keys[] = {
	{"bridge", read_bridge}, {"address", read_address}, {"mac", read_mac},		 {"mtu", read_mtu},
	{"up", read_up},	 {"sysctl", read_sysctl},   {"isolated", read_isolated}, {0},
};

static void read_interface(struct wr_nf_reader *r, struct wr_nf_ns *ns, const struct wr_nf_node *key,
			   const struct wr_nf_node *value, const struct wr_nf_context *parent)
{
	const char *name = wr_nf_expand(r, key, key->text);
	struct wr_nf_context context = {"interface", name, parent};
	size_t total = r->diagnostics->total;
	struct target target = {.ns = ns};

	if (!name)
		return;
	if (wr_nf_find_interface(ns, name)) { /* two keys that $n makes one */
		wr_diagnose(r->diagnostics, wr_nf_place(key), NULL, "%s is there twice", wr_nf_where(r, &context));
		return;
	}
	target.interface = wr_nf_new_interface(r, ns, name, key);
	if (!target.interface) {
		ns->broken = true;
		return;
	}
	if (value->kind == WR_NF_SCALAR && !wr_nf_is_null(value)) {
		const char *bridge = wr_nf_expand(r, value, value->text);

		if (bridge)
			plug_in(r, &target, value, bridge);
	} else {
		wr_nf_read_mapping(r, value, interface_keys, &target, &context);
	}
	if (target.interface->link->isolated && !target.interface->link->segment && !target.interface->broken)
		wr_diagnose(r->diagnostics, target.isolated_place, "write its bridge: {bridge: NAME, isolated: true}",
			    "'isolated' of %s: it is not plugged into a bridge", wr_nf_where(r, &context));
	target.interface->broken |= r->diagnostics->total != total;
	ns->broken |= target.interface->broken;
	if (target.interface->link->segment)
		wr_nf_build_port(r, target.interface);
}

void wr_nf_read_interfaces(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_ns *ns = object;

	if (wr_nf_is_null(entry->value))
		return;
	if (entry->value->kind != WR_NF_MAPPING) {
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), "for example {eth0: lan}",
			    "%s must be a mapping from interface names, not %s", wr_nf_subject(r, entry),
			    wr_nf_kind_name(entry->value));
		ns->broken = true;
		return;
	}
	if (!ns->ns->links || ns->ns->n_links + entry->value->count > ns->ns->capacity_links) {
		struct wr_link **links = wr_nf_alloc(r, (ns->ns->n_links + entry->value->count) * sizeof *links);

		if (!links)
			return;
		memcpy(links, ns->ns->links, ns->ns->n_links * sizeof *links);
		ns->ns->links = links;
		ns->ns->capacity_links = ns->ns->n_links + entry->value->count;
	}
	for (const struct wr_nf_node *key = entry->value->first; key && !r->stop && !r->out_of_memory;
	     key = key->next->next)
		read_interface(r, ns, key, wr_nf_follow(key->next), entry->context);
}

/* --- lo ------------------------------------------------------------------------------------------------------------ */

static const struct wr_nf_key lo_keys[] = {
	{"address", read_address},
	{"sysctl", read_sysctl},
	{0},
};

void wr_nf_read_lo(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_ns *ns = object;
	struct wr_nf_context context = {"interface", "lo", entry->context};
	struct target target = {.ns = ns};

	ns->lo = target.interface = wr_nf_alloc(r, sizeof *ns->lo);
	if (!ns->lo)
		return;
	ns->lo->link = wr_ns_loopback(ns->ns);
	ns->lo->written = true;
	wr_nf_read_mapping(r, entry->value, lo_keys, &target, &context);
	ns->broken |= ns->lo->broken;
}
