/* routes.c: the routes of a namespace, once addresses are known.
 *
 * A gateway must be in a subnet that the namespace is in, or behind a route of its own that names a device: the kernel would
 * refuse it otherwise, half-way through. The device is always filled in. `default` stands for the families that its gateway has.
 * Routes without a gateway come first: others may need them. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "file/netfile.h"
#include "file/pending.h"
#include "file/subnets.h"

#define METRIC_USUAL_V6 1024 /* IP6_RT_PRIO_USER: what the kernel makes of 0 */

struct routes {
	struct wr_nf_assigner *a;
	struct wr_nf_ns *ns;
	const struct wr_nf_subnets *subnets;
};

static const char *family_name(uint8_t family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

static bool has_address(const struct wr_link *link, const struct wr_ip *ip)
{
	for (size_t i = 0; i < link->n_addresses; i++)
		if (wr_ip_equal(&link->addresses[i].prefix.ip, ip))
			return true;
	return false;
}

static struct wr_link *find_device(struct routes *routes, const char *name, struct wr_place place)
{
	struct wr_nf_interface *interface = wr_nf_find_interface(routes->ns, name);

	if (interface)
		return interface->link;
	if (!strcmp(name, "lo"))
		return wr_ns_loopback(routes->ns->ns);
	if (!routes->ns->broken && !routes->a->pending->incomplete)
		wr_diagnose(routes->a->diagnostics, place, NULL, "namespace '%s' has no interface '%s'",
			    routes->ns->ns->name, name);
	return NULL;
}

/* The kernel takes no route through an interface that is down. */
static bool is_up(struct routes *routes, const struct wr_link *link, struct wr_place place)
{
	if (!link->up)
		wr_diagnose(routes->a->diagnostics, place, NULL,
			    "a route through interface '%s' of namespace '%s', which is not up", link->name,
			    routes->ns->ns->name);
	return link->up;
}

/* A device route of the namespace that reaches a gateway outside of its subnets: already in the model, being first. */
static const char *device_route_to(const struct wr_ns *ns, const struct wr_ip *ip)
{
	for (size_t i = 0; i < ns->n_routes; i++) {
		const struct wr_route *route = &ns->routes[i];

		if (route->n_hops == 1 && !route->hops[0].via.family && wr_prefix_contains(&route->to, ip))
			return route->hops[0].dev;
	}
	return NULL;
}

/* Finds the device of a gateway. False after a message, and without one where the namespace has other errors. */
static bool find_hop_device(struct routes *routes, const struct wr_nf_hop *hop, const char *written,
			    const struct wr_ip *via, const char **ret_dev)
{
	const struct wr_nf_subnet *subnet = wr_nf_subnets_find(routes->subnets, via);
	const char *dev = hop->dev ? hop->dev : written, *ns = routes->ns->ns->name;
	struct wr_link *link = dev ? find_device(routes, dev, hop->via.place) : NULL;
	char buffer[WR_IP_TEXT_MAX];

	if (dev && !link)
		return false;
	if (wr_ip_is_linklocal(via) && via->family == AF_INET6) {
		if (!link)
			wr_diagnose(routes->a->diagnostics, hop->via.place, "write its interface: dev: eth0",
				    "gateway %s is a link-local address and needs 'dev'", wr_ip_format(via, buffer));
		*ret_dev = dev;
		return link;
	}
	if (subnet && (!link || subnet->link == link)) {
		*ret_dev = subnet->link->ifname;
		if (has_address(subnet->link, via))
			wr_diagnose(routes->a->diagnostics, hop->via.place, NULL,
				    "gateway %s is an address of namespace '%s' itself", wr_ip_format(via, buffer), ns);
		else if (!subnet->link->up)
			wr_diagnose(routes->a->diagnostics, hop->via.place, NULL,
				    "gateway %s is not reachable: interface '%s' of namespace '%s' is not up",
				    wr_ip_format(via, buffer), subnet->link->name, ns);
		else
			return true;
		return false;
	}
	*ret_dev = device_route_to(routes->ns->ns, via);
	if (*ret_dev && (!dev || !strcmp(*ret_dev, dev)))
		return true;
	if (routes->ns->broken)
		return false;
	if (subnet)
		wr_diagnose(routes->a->diagnostics, hop->via.place, NULL,
			    "gateway %s is not reachable through '%s' but through '%s'", wr_ip_format(via, buffer), dev,
			    subnet->link->name);
	else
		wr_diagnose(routes->a->diagnostics, hop->via.place, NULL,
			    "gateway %s is in no subnet of an interface of namespace '%s'", wr_ip_format(via, buffer),
			    ns);
	return false;
}

static bool add_hops(struct routes *routes, const struct wr_nf_route *from, struct wr_route *route)
{
	size_t count = from->n_hops ? from->n_hops : from->type == RTN_UNICAST ? 1 : 0;

	route->hops = wr_arena_alloc(routes->a->arena, count * sizeof *route->hops);
	if (!route->hops) {
		routes->a->out_of_memory = true;
		return false;
	}
	route->n_hops = count;
	if (count && !from->n_hops) {
		struct wr_link *link = find_device(routes, from->dev, from->place);

		route->hops[0] = (struct wr_nexthop){.dev = from->dev, .weight = 1};
		return link && is_up(routes, link, from->place);
	}
	for (size_t i = 0; i < count; i++) {
		const struct wr_nf_hop *hop = &from->hops[i];
		struct wr_prefix via;

		route->hops[i].weight = hop->weight;
		if (!hop->via.place.line) {
			struct wr_link *link = find_device(routes, hop->dev, from->place);

			route->hops[i].dev = hop->dev;
			if (!link || !is_up(routes, link, from->place))
				return false;
			continue;
		}
		if (!wr_nf_resolve(routes->a, &hop->via, route->to.ip.family, &via))
			return false;
		if (via.ip.family != route->to.ip.family) {
			wr_diagnose(routes->a->diagnostics, hop->via.place, NULL,
				    "an %s route cannot go through an %s gateway", family_name(route->to.ip.family),
				    family_name(via.ip.family));
			return false;
		}
		route->hops[i].via = via.ip;
		if (!find_hop_device(routes, hop, from->dev, &via.ip, &route->hops[i].dev))
			return false;
	}
	return true;
}

static bool set_source(struct routes *routes, const struct wr_nf_route *from, struct wr_route *route)
{
	const struct wr_ns *ns = routes->ns->ns;
	char buffer[WR_IP_TEXT_MAX];
	struct wr_prefix src;

	if (!from->src.place.line)
		return true;
	if (!wr_nf_resolve(routes->a, &from->src, route->to.ip.family, &src))
		return false;
	for (size_t i = 0; i < ns->n_links; i++)
		if (has_address(ns->links[i], &src.ip)) {
			route->src = src.ip;
			return true;
		}
	if (!routes->ns->broken)
		wr_diagnose(routes->a->diagnostics, from->src.place, NULL, "source %s is no address of namespace '%s'",
			    wr_ip_format(&src.ip, buffer), ns->name);
	return false;
}

/* The same destination, table and metric is one place in the kernel. */
static bool is_double(struct routes *routes, const struct wr_route *route, struct wr_map *known)
{
	char prefix[WR_PREFIX_TEXT_MAX], key[WR_PREFIX_TEXT_MAX + 30];
	const struct wr_place *other;
	struct wr_place *place;
	char *copy;

	snprintf(key, sizeof key, "%s %u %u", wr_prefix_format(&route->to, prefix), route->table, route->metric);
	other = wr_map_get(known, key);
	if (other) {
		wr_diagnose(routes->a->diagnostics, route->place,
			    "several gateways are written as one route with a list: via: [A, B]",
			    "a second route to %s in namespace '%s', first in line %u", prefix, routes->ns->ns->name,
			    other->line);
		return true;
	}
	copy = wr_arena_strdup(routes->a->scratch, key);
	place = wr_arena_memdup(routes->a->scratch, &route->place, sizeof route->place);
	if (!copy || !place || wr_map_put(known, copy, place) < 0)
		routes->a->out_of_memory = true;
	return false;
}

/* The kernel keeps a route to each subnet of an interface by itself; IPv4's has metric 0, and another under its key would take
 * its place, and take it away again. */
static bool is_the_kernels(struct routes *routes, const struct wr_route *route)
{
	char text[WR_PREFIX_TEXT_MAX];

	if (route->to.ip.family != AF_INET || route->metric || route->table != RT_TABLE_MAIN || route->to.length == 32)
		return false;
	for (size_t i = 0; i < routes->ns->ns->n_links; i++) {
		const struct wr_link *link = routes->ns->ns->links[i];

		for (size_t k = 0; k < link->n_addresses; k++) {
			const struct wr_prefix *prefix = &link->addresses[k].prefix;
			struct wr_ip network = wr_prefix_network(prefix);

			if (prefix->length != route->to.length || !wr_ip_equal(&network, &route->to.ip))
				continue;
			wr_diagnose(routes->a->diagnostics, route->place, "it needs no line, or a metric of its own",
				    "the route to %s over '%s' is there by itself", wr_prefix_format(&route->to, text),
				    link->ifname);
			return true;
		}
	}
	return false;
}

static void add_route(struct routes *routes, const struct wr_nf_route *from, const struct wr_prefix *to,
		      struct wr_map *known)
{
	struct wr_route route = {.to = *to,
				 .type = from->type,
				 .protocol = WR_PROTOCOL,
				 .table = from->table,
				 .metric = from->metric,
				 .place = from->place};
	struct wr_route *added;

	route.to.ip = wr_prefix_network(&route.to);
	if (route.to.ip.family == AF_INET6 && !route.metric)
		route.metric = METRIC_USUAL_V6;
	if (!add_hops(routes, from, &route) || !set_source(routes, from, &route) || is_double(routes, &route, known) ||
	    is_the_kernels(routes, &route))
		return;
	added = wr_ns_add_route(routes->ns->ns);
	if (added)
		*added = route;
	else
		routes->a->out_of_memory = true;
}

/* Whether what a `default` goes through has a family. */
static bool goes_through(struct routes *routes, const struct wr_nf_route *from, uint8_t family)
{
	for (size_t i = 0; i < from->n_hops; i++) {
		const struct wr_nf_value *via = &from->hops[i].via;
		struct wr_prefix prefix;

		if (!via->place.line)
			continue;
		if (!wr_nf_has_family(routes->a, via, family))
			return false;
		/* A gateway in both families is used for those that this namespace shares with it. */
		if (via->reference && wr_nf_resolve(routes->a, via, family, &prefix) &&
		    !wr_nf_subnets_find(routes->subnets, &prefix.ip))
			return false;
	}
	if (!from->n_hops && from->dev) {
		const struct wr_nf_interface *interface = wr_nf_find_interface(routes->ns, from->dev);

		return interface && wr_link_has_family(interface->link, family);
	}
	if (from->type != RTN_UNICAST && family == AF_INET6) {
		for (size_t i = 0; i < routes->ns->ns->n_links; i++)
			if (wr_link_has_family(routes->ns->ns->links[i], family))
				return true;
		return false;
	}
	return true;
}

static void add_default(struct routes *routes, const struct wr_nf_route *from, struct wr_map *known)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	bool any = false;

	for (size_t i = 0; i < 2; i++) {
		struct wr_prefix to = {.ip.family = families[i]};

		if (!goes_through(routes, from, families[i]))
			continue;
		any = true;
		add_route(routes, from, &to, known);
	}
	if (!any) { /* let the message of a single family say why */
		struct wr_prefix to = {.ip.family = AF_INET};

		for (size_t i = 0; i < from->n_hops; i++)
			if (!from->hops[i].via.reference && from->hops[i].via.prefix.ip.family)
				to.ip.family = from->hops[i].via.prefix.ip.family;
		add_route(routes, from, &to, known);
	}
}

static bool has_gateway(const struct wr_nf_route *route)
{
	for (size_t i = 0; i < route->n_hops; i++)
		if (route->hops[i].via.place.line)
			return true;
	return false;
}

void wr_nf_assign_routes(struct wr_nf_assigner *a, struct wr_nf_ns *ns, const struct wr_nf_subnets *subnets)
{
	struct routes routes = {a, ns, subnets};
	struct wr_map known = {.arena = a->scratch};

	for (int with_gateway = 0; with_gateway < 2; with_gateway++) {
		for (const struct wr_nf_route *route = ns->extra ? ns->extra->routes : NULL; route && !a->out_of_memory;
		     route = route->next) {
			struct wr_prefix to;

			if (has_gateway(route) != (bool)with_gateway)
				continue;
			if (route->to.is_default)
				add_default(&routes, route, &known);
			else if (wr_nf_resolve(a, &route->to, 0, &to))
				add_route(&routes, route, &to, &known);
		}
	}
}

/* --- the gateways of bridges --------------------------------------------------------------------------------------- */

/* The gateway's address in a subnet; family 0: none. */
static struct wr_ip gateway_in(const struct wr_nf_bridge *b, const struct wr_prefix *subnet)
{
	const struct wr_link *link = b->gateway_interface ? b->gateway_interface->link
				     : b->bridge->host	  ? b->bridge->link
							  : NULL;

	for (size_t i = 0; link && i < link->n_addresses; i++)
		if (wr_prefix_contains(subnet, &link->addresses[i].prefix.ip))
			return link->addresses[i].prefix.ip;
	return (struct wr_ip){0};
}

static bool is_in(const struct wr_link *link, const struct wr_prefix *subnet)
{
	for (size_t i = 0; i < link->n_addresses; i++)
		if (wr_prefix_contains(subnet, &link->addresses[i].prefix.ip) && link->addresses[i].prefix.length &&
		    wr_prefix_contains(&link->addresses[i].prefix, &subnet->ip))
			return true;
	return false;
}

static bool add_default_route(struct wr_nf_assigner *a, struct wr_ns *ns, const struct wr_link *link,
			      const struct wr_ip *via)
{
	struct wr_nexthop *hop = wr_arena_new_of(a->arena, struct wr_nexthop);
	struct wr_route *route = hop ? wr_ns_add_route(ns) : NULL;

	if (!route) {
		a->out_of_memory = true;
		return false;
	}
	*hop = (struct wr_nexthop){.via = *via, .dev = link->ifname, .weight = 1};
	route->to.ip.family = via->family;
	route->metric = via->family == AF_INET6 ? METRIC_USUAL_V6 : 0;
	route->hops = hop;
	route->n_hops = 1;
	route->is_default_route = true;
	route->place = link->place;
	return true;
}

void wr_nf_assign_default_routes(struct wr_nf_assigner *a, struct wr_nf_ns *ns)
{
	if (ns->no_default_route || ns->ns->is_host)
		return;
	for (const struct wr_nf_interface *i = ns->first; i; i = i->next) {
		const struct wr_bridge *bridge = i->link->segment;
		const struct wr_nf_bridge *b;
		uint8_t done = 0; /* the family that has one; no bridge needs more than one of each */

		if (!bridge || !i->link->up || (!bridge->host && !bridge->gateway) || bridge->gateway == ns->ns)
			continue;
		b = wr_map_get(&a->pending->bridge_by_name, bridge->name);
		for (size_t s = 0; s < bridge->n_subnets; s++) {
			struct wr_ip via = gateway_in(b, &bridge->subnets[s]);
			uint8_t bit = via.family == AF_INET6 ? 2 : 1;

			if (!via.family || (done & bit) || !is_in(i->link, &bridge->subnets[s]))
				continue;
			if (!add_default_route(a, ns->ns, i->link, &via))
				return;
			done |= bit;
		}
		if (done)
			return;
	}
}
