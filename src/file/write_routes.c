/* write_routes.c: routes, rules, neighbours and names of a namespace in long form. */
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/text.h"
#include "file/write.h"

static void add_table(struct wr_text *text, uint32_t table)
{
	if (table == RT_TABLE_MAIN)
		wr_text_add(text, "main");
	else if (table == RT_TABLE_LOCAL)
		wr_text_add(text, "local");
	else if (table == RT_TABLE_DEFAULT)
		wr_text_add(text, "default");
	else
		wr_text_add_uint(text, table);
}

static const char *type_name(uint8_t type)
{
	switch (type) {
	case RTN_BLACKHOLE:
		return "blackhole";
	case RTN_UNREACHABLE:
		return "unreachable";
	case RTN_PROHIBIT:
		return "prohibit";
	}
	return "unicast";
}

static void add_hop(struct wr_text *text, const struct wr_nexthop *hop)
{
	const char *comma = "";

	if (hop->via.family) {
		wr_text_add(text, "via: ");
		wr_nf_write_ip(text, &hop->via);
		comma = ", ";
	}
	if (hop->dev) {
		wr_text_add(text, comma);
		wr_text_add(text, "dev: ");
		wr_nf_write_scalar(text, hop->dev);
	}
}

static void add_route(struct wr_text *text, const struct wr_route *route)
{
	wr_text_add(text, "      - {to: ");
	wr_nf_write_prefix(text, &route->to);
	if (route->n_hops == 1) {
		wr_text_add(text, ", ");
		add_hop(text, &route->hops[0]);
	} else if (route->n_hops > 1) {
		wr_text_add(text, ", via: [");
		for (size_t i = 0; i < route->n_hops; i++) {
			wr_text_add(text, i ? ", {" : "{");
			add_hop(text, &route->hops[i]);
			wr_text_addf(text, ", weight: %" PRIu32 "}", route->hops[i].weight);
		}
		wr_text_add_char(text, ']');
	}
	if (route->src.family) {
		wr_text_add(text, ", src: ");
		wr_nf_write_ip(text, &route->src);
	}
	wr_text_addf(text, ", metric: %" PRIu32 ", table: ", route->metric);
	add_table(text, route->table);
	wr_text_addf(text, ", type: %s}\n", type_name(route->type));
}

void wr_nf_write_routes(struct wr_text *text, const struct wr_ns *ns)
{
	if (!ns->n_routes) {
		wr_text_add(text, "    routes: []\n");
		return;
	}
	wr_text_add(text, "    routes:\n");
	for (size_t i = 0; i < ns->n_routes; i++)
		add_route(text, &ns->routes[i]);
}

/* What a rule selects; without anything, a prefix of length 0 says the family. */
static void add_selector(struct wr_text *text, const char *key, const struct wr_prefix *prefix, uint8_t family)
{
	struct wr_prefix any = {.ip.family = family};

	wr_text_add(text, key);
	wr_nf_write_prefix(text, prefix->ip.family ? prefix : &any);
}

static void add_rule(struct wr_text *text, const struct wr_rule *rule)
{
	add_selector(text, "      - {from: ", &rule->from, rule->family);
	add_selector(text, ", to: ", &rule->to, rule->family);
	if (rule->iif) {
		wr_text_add(text, ", iif: ");
		wr_nf_write_scalar(text, rule->iif);
	}
	if (rule->oif) {
		wr_text_add(text, ", oif: ");
		wr_nf_write_scalar(text, rule->oif);
	}
	if (rule->mask)
		wr_text_addf(text, ", mark: 0x%" PRIx32 "/0x%" PRIx32, rule->mark, rule->mask);
	wr_text_add(text, ", table: ");
	add_table(text, rule->table);
	wr_text_addf(text, ", priority: %" PRIu32 "}\n", rule->priority);
}

static void add_neighbour(struct wr_text *text, const struct wr_neighbour *neighbour)
{
	char mac[WR_MAC_TEXT_MAX];

	wr_text_add(text, "      - {address: ");
	wr_nf_write_ip(text, &neighbour->ip);
	wr_text_addf(text, ", mac: \"%s\", dev: ", wr_mac_format(&neighbour->mac, mac));
	wr_nf_write_scalar(text, neighbour->dev);
	wr_text_add(text, "}\n");
}

static void add_hosts(struct wr_text *text, const struct wr_ns *ns)
{
	wr_text_add(text, "    hosts:\n");
	for (size_t i = 0; i < ns->n_hosts; i++) {
		bool same = i && !strcmp(ns->hosts[i].name, ns->hosts[i - 1].name);

		if (!same) {
			wr_text_add(text, i ? "]\n      " : "      ");
			wr_nf_write_scalar(text, ns->hosts[i].name);
		}
		wr_text_add(text, same ? ", " : ": [");
		wr_nf_write_ip(text, &ns->hosts[i].ip);
	}
	wr_text_add(text, "]\n");
}

static void add_dns(struct wr_text *text, const struct wr_ns *ns)
{
	wr_text_add(text, "    dns:\n      servers: [");
	for (size_t i = 0; i < ns->n_dns_servers; i++) {
		wr_text_add(text, i ? ", " : "");
		wr_nf_write_ip(text, &ns->dns_servers[i]);
	}
	wr_text_add(text, "]\n      search: [");
	for (size_t i = 0; i < ns->n_dns_search; i++) {
		wr_text_add(text, i ? ", " : "");
		wr_nf_write_scalar(text, ns->dns_search[i]);
	}
	wr_text_add(text, "]\n");
}

void wr_nf_write_extras(struct wr_text *text, const struct wr_ns *ns)
{
	if (ns->n_rules)
		wr_text_add(text, "    rules:\n");
	for (size_t i = 0; i < ns->n_rules; i++)
		add_rule(text, &ns->rules[i]);
	if (ns->n_neighbours)
		wr_text_add(text, "    neighbours:\n");
	for (size_t i = 0; i < ns->n_neighbours; i++)
		add_neighbour(text, &ns->neighbours[i]);
	if (ns->has_dns)
		add_dns(text, ns);
	if (ns->n_hosts)
		add_hosts(text, ns);
}
