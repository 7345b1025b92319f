/* read_bridge.c: the entries of `bridges:`.
 *
 * What the kernel's side of a bridge needs (its link, its addresses) is kept beside it until build.c makes it: whether the
 * host joins, and so where the link is, is known only when all keys are read. */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "file/reader.h"

static void read_subnet(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_bridge *b = object;
	size_t count = wr_nf_item_count(entry->value);
	struct wr_prefix *subnets = wr_nf_alloc(r, count * sizeof *subnets);
	char buffer[WR_PREFIX_TEXT_MAX];

	if (!subnets || !wr_nf_count(r, entry->key, count))
		return;
	b->bridge->subnets = subnets;
	for (const struct wr_nf_node *item = wr_nf_first_item(entry->value); item;
	     item = wr_nf_next_item(entry->value, item)) {
		struct wr_prefix network;
		struct wr_nf_value value;

		if (!wr_nf_value(r, item, entry, &value))
			continue;
		network = value.prefix;
		network.ip = wr_prefix_network(&network);
		if (value.reference)
			wr_diagnose(r->diagnostics, value.place, NULL, "%s must be written out",
				    wr_nf_subject(r, entry));
		else if (!value.has_length)
			wr_diagnose(r->diagnostics, value.place, "as in 10.2.0.0/24 or fd00:2::/64",
				    "subnet '%s' needs a length", wr_ip_format(&network.ip, buffer));
		else if (!wr_prefix_equal(&network, &value.prefix))
			wr_diagnose(r->diagnostics, value.place,
				    wr_arena_printf(r->arena, "did you mean %s?", wr_prefix_format(&network, buffer)),
				    "subnet of bridge '%s' is an address within one", b->bridge->name);
		else if (network.length == 0 || wr_ip_is_multicast(&network.ip) || wr_ip_is_loopback(&network.ip))
			wr_diagnose(r->diagnostics, value.place, NULL, "no addresses can be handed out from %s",
				    wr_prefix_format(&network, buffer));
		else
			subnets[b->bridge->n_subnets++] = network;
	}
}

static void read_host(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_bridge *b = object;
	const struct wr_nf_node *value = entry->value;
	size_t count = wr_nf_item_count(value);

	b->host_place = wr_nf_place(entry->key);
	if (value->kind == WR_NF_SCALAR && value->plain &&
	    (!strcmp(value->text, "true") || !strcmp(value->text, "false"))) {
		b->bridge->host = value->text[0] == 't';
		return;
	}
	if (!count || value->kind == WR_NF_MAPPING) {
		wr_diagnose(r->diagnostics, wr_nf_place(value), NULL,
			    "%s must be true, false, or this machine's address, not %s", wr_nf_subject(r, entry),
			    wr_nf_kind_name(value));
		return;
	}
	b->bridge->host = true;
	b->host_addresses = wr_nf_alloc(r, count * sizeof *b->host_addresses);
	if (!b->host_addresses || !wr_nf_count(r, entry->key, count))
		return;
	for (const struct wr_nf_node *item = wr_nf_first_item(value); item; item = wr_nf_next_item(value, item)) {
		const struct wr_nf_node *node = wr_nf_follow(item);
		struct wr_nf_value address;

		if (node->kind == WR_NF_SCALAR && node->plain &&
		    (!strcmp(node->text, "yes") || !strcmp(node->text, "no"))) {
			wr_diagnose(r->diagnostics, wr_nf_place(node),
				    node->text[0] == 'y' ? "did you mean 'true'?" : "did you mean 'false'?",
				    "%s must be true, false, or this machine's address, not '%s'",
				    wr_nf_subject(r, entry), node->text);
			continue;
		}
		if (!wr_nf_value(r, item, entry, &address))
			continue;
		if (address.reference)
			wr_diagnose(r->diagnostics, address.place, NULL, "%s must be written out",
				    wr_nf_subject(r, entry));
		else
			b->host_addresses[b->n_host_addresses++] = address.prefix;
	}
}

static void read_gateway(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_bridge *b = object;

	b->gateway_place = wr_nf_place(entry->value);
	b->gateway = wr_nf_text(r, entry->value, entry);
}

static void read_mtu(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_bridge *b = object;
	uint64_t mtu;

	if (wr_nf_number(r, entry, NULL, 68, 65535, &mtu))
		b->bridge->mtu = (uint32_t)mtu;
}

static void read_mac(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_bridge *b = object;

	b->mac_written = wr_nf_mac(r, entry, &b->mac);
}

static void read_ifname(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_bridge *b = object;
	const char *name = wr_nf_text(r, entry->value, entry);

	b->ifname_place = wr_nf_place(entry->value);
	if (name && wr_nf_ifname(r, entry->value, name))
		b->ifname = name;
}

static void read_flag(struct wr_nf_reader *r, const struct wr_nf_entry *entry, int *option)
{
	bool value;

	if (wr_nf_boolean(r, entry, &value))
		*option = value;
}

static void read_stp(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	read_flag(r, entry, &((struct wr_bridge_options *)object)->stp);
}

static void read_mcast_snooping(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	read_flag(r, entry, &((struct wr_bridge_options *)object)->mcast_snooping);
}

static void read_forward_delay(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	uint64_t seconds;

	if (!wr_nf_number(r, entry, "a number of seconds", 0, 30, &seconds))
		return;
	if (seconds == 1)
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), NULL, "%s must be 0, or from 2 to 30 seconds",
			    wr_nf_subject(r, entry));
	else
		((struct wr_bridge_options *)object)->forward_delay = (int)seconds;
}

static void read_ageing(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	uint64_t seconds;

	if (wr_nf_number(r, entry, "a number of seconds", 0, 86400, &seconds))
		((struct wr_bridge_options *)object)->ageing = (int)seconds;
}

static void read_group_fwd_mask(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	uint64_t mask;

	if (!wr_nf_number(r, entry, NULL, 0, 0xffff, &mask))
		return;
	if (mask & 7)
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), NULL,
			    "%s cannot have bits 0, 1 or 2: the kernel never forwards these groups",
			    wr_nf_subject(r, entry));
	else
		((struct wr_bridge_options *)object)->group_fwd_mask = (int)mask;
}

static const struct wr_nf_key option_keys[] = {
	{"stp", read_stp},
	{"forward_delay", read_forward_delay},
	{"ageing", read_ageing},
	{"group_fwd_mask", read_group_fwd_mask},
	{"mcast_snooping", read_mcast_snooping},
	{0},
};

static void read_options(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_context context = {"options", NULL, entry->context};
	struct wr_nf_bridge *b = object;

	wr_nf_read_mapping(r, entry->value, option_keys, &b->options, &context);
	if (b->options.stp == 1 && b->options.forward_delay == 0)
		wr_diagnose(r->diagnostics, wr_nf_place(entry->key), NULL,
			    "forward_delay 0 of bridge '%s' is possible only without stp", b->bridge->name);
}

static void read_nat(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	wr_nf_read_bridge_nat(r, entry, &((struct wr_nf_bridge *)object)->bridge->nat);
}

static void read_isolated(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_bridge *b = object;

	b->isolated_place = wr_nf_place(entry->key);
	wr_nf_boolean(r, entry, &b->bridge->isolated);
}

static void read_routed(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_bridge *b = object;

	b->routed_place = wr_nf_place(entry->key);
	wr_nf_boolean(r, entry, &b->bridge->routed);
}

static void read_guard(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	wr_nf_boolean(r, entry, &((struct wr_nf_bridge *)object)->bridge->guard);
}

static const struct wr_nf_key bridge_keys[] = {
	{"subnet", read_subnet},     {"host", read_host},     {"gateway", read_gateway}, {"mtu", read_mtu},
	{"mac", read_mac},	     {"ifname", read_ifname}, {"options", read_options}, {"nat", read_nat},
	{"isolated", read_isolated}, {"routed", read_routed}, {"guard", read_guard},	 {0},
};

/* The subnet of a bridge that holds an address. */
static const struct wr_prefix *subnet_of(const struct wr_bridge *bridge, const struct wr_ip *ip)
{
	for (size_t i = 0; i < bridge->n_subnets; i++)
		if (wr_prefix_contains(&bridge->subnets[i], ip))
			return &bridge->subnets[i];
	return NULL;
}

static void check_host_addresses(struct wr_nf_reader *r, struct wr_nf_bridge *b)
{
	struct wr_bridge *bridge = b->bridge;
	char buffer[WR_IP_TEXT_MAX];

	bridge->host_addresses = wr_nf_alloc(r, b->n_host_addresses * sizeof *bridge->host_addresses);
	if (!bridge->host_addresses)
		return;
	for (size_t i = 0; i < b->n_host_addresses; i++) {
		struct wr_prefix *address = &b->host_addresses[i];
		const struct wr_prefix *subnet = subnet_of(bridge, &address->ip);

		wr_ip_format(&address->ip, buffer);
		if (!subnet)
			wr_diagnose(r->diagnostics, b->host_place, NULL,
				    "%s, this machine's address, is in no subnet of bridge '%s'", buffer, bridge->name);
		else if (wr_prefix_is_reserved(subnet, &address->ip))
			wr_diagnose(r->diagnostics, b->host_place, NULL,
				    "%s, this machine's address on bridge '%s', is the subnet's %s", buffer,
				    bridge->name, wr_nf_reserved_name(subnet, &address->ip));
		else
			address->length = subnet->length;
		bridge->host_addresses[bridge->n_host_addresses++] = address->ip;
	}
}

/* What means something only where the host joins. */
static void check_host_keys(struct wr_nf_reader *r, const struct wr_nf_bridge *b)
{
	const struct wr_bridge *bridge = b->bridge;

	if (bridge->host)
		return;
	if (bridge->nat)
		wr_diagnose(r->diagnostics, bridge->nat->place,
			    "write host: true, or nat: {out: INTERFACE} at the namespace that is its gateway",
			    "'nat' of bridge '%s': the host does not join it", bridge->name);
	if (bridge->isolated)
		wr_diagnose(r->diagnostics, b->isolated_place,
			    "what is on it reaches others only through a namespace that forwards",
			    "'isolated' of bridge '%s': the host does not join it", bridge->name);
	if (bridge->routed)
		wr_diagnose(r->diagnostics, b->routed_place, "write host: true",
			    "'routed' of bridge '%s': the host does not join it", bridge->name);
}

static void check_bridge(struct wr_nf_reader *r, struct wr_nf_bridge *b)
{
	struct wr_bridge *bridge = b->bridge;
	char one[WR_PREFIX_TEXT_MAX], two[WR_PREFIX_TEXT_MAX];
	bool has_ipv6 = false;

	for (size_t i = 0; i < bridge->n_subnets; i++) {
		has_ipv6 |= bridge->subnets[i].ip.family == AF_INET6;
		for (size_t j = 0; j < i && bridge->n_subnets <= 64; j++)
			if (wr_prefix_overlaps(&bridge->subnets[i], &bridge->subnets[j]))
				wr_diagnose(r->diagnostics, bridge->place, NULL,
					    "subnets %s and %s of bridge '%s' overlap",
					    wr_prefix_format(&bridge->subnets[j], one),
					    wr_prefix_format(&bridge->subnets[i], two), bridge->name);
	}
	if (bridge->n_subnets > 64)
		wr_diagnose(r->diagnostics, bridge->place, NULL, "bridge '%s' has more than 64 subnets", bridge->name);
	if (has_ipv6 && bridge->mtu && bridge->mtu < 1280)
		wr_diagnose(r->diagnostics, bridge->place, NULL, "mtu %u of bridge '%s' is too small: IPv6 needs 1280",
			    bridge->mtu, bridge->name);
	if (bridge->host && b->gateway)
		wr_diagnose(r->diagnostics, b->gateway_place, "leave out 'host' or 'gateway'",
			    "bridge '%s' has both a host and a gateway; only one can be the gateway", bridge->name);
	check_host_addresses(r, b);
	check_host_keys(r, b);
	/* Messages of the spanning tree come to a bridge past every filter. */
	if (bridge->guard && b->options.stp == 1)
		wr_diagnose(r->diagnostics, bridge->place, "leave one of them out",
			    "bridge '%s' has both guard and stp: a guarded port could steer the spanning tree",
			    bridge->name);
}

static struct wr_nf_bridge *new_bridge(struct wr_nf_reader *r, const char *name, struct wr_place place)
{
	struct wr_model *model = r->model;
	struct wr_nf_pending *pending = r->pending;
	struct wr_nf_bridge *b = wr_nf_alloc(r, sizeof *b);

	if (!b)
		return NULL;
	b->bridge = wr_nf_alloc(r, sizeof *b->bridge);
	if (!b->bridge ||
	    wr_arena_grow(r->arena, &model->bridges, &model->capacity_bridges, model->n_bridges,
			  sizeof *model->bridges) < 0 ||
	    wr_arena_grow(r->arena, &pending->bridges, &pending->capacity_bridges, pending->n_bridges,
			  sizeof *pending->bridges) < 0 ||
	    wr_map_put(&model->bridge_by_name, name, b->bridge) < 0 ||
	    wr_map_put(&pending->bridge_by_name, name, b) < 0) {
		r->out_of_memory = true;
		return NULL;
	}
	b->options = (struct wr_bridge_options){-1, -1, -1, -1, -1, -1};
	b->bridge->name = name;
	b->bridge->place = place;
	model->bridges[model->n_bridges++] = b->bridge;
	pending->bridges[pending->n_bridges++] = b;
	return b;
}

static void read_bridge(struct wr_nf_reader *r, const char *name, const struct wr_nf_node *key,
			const struct wr_nf_node *value)
{
	struct wr_nf_context context = {"bridge", name, NULL};
	size_t total = r->diagnostics->total;
	struct wr_nf_bridge *b;

	if (!wr_nf_name(r, key, "bridge", name) || !(b = new_bridge(r, name, wr_nf_place(key))))
		return;
	wr_nf_read_mapping(r, value, bridge_keys, b, &context);
	if (r->diagnostics->total == total)
		check_bridge(r, b);
	b->broken = r->diagnostics->total != total;
	wr_nf_build_bridge(r, b);
}

void wr_nf_read_bridges(struct wr_nf_reader *r, const struct wr_nf_node *node)
{
	wr_nf_read_named(r, node, "bridges", &r->model->bridge_by_name, read_bridge);
}
