/* extras.c: rules, neighbours, servers and host names of a namespace, once addresses are known. */
#include <string.h>

#include "base/arena.h"
#include "file/netfile.h"
#include "file/pending.h"
#include "file/subnets.h"

#define RULE_PRIORITY_FIRST 1000

/* --- rules --------------------------------------------------------------------------------------------------------- */

static bool has_ipv6(const struct wr_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (wr_link_has_family(ns->links[i], AF_INET6))
			return true;
	return false;
}

/* Resolves from or to for a family. A prefix of length 0 says the family and nothing else. */
static bool set_selector(struct wr_nf_assigner *a, const struct wr_nf_value *value, uint8_t family,
			 struct wr_prefix *ret)
{
	struct wr_prefix prefix;

	if (!value->place.line)
		return true;
	if (!wr_nf_resolve(a, value, family, &prefix))
		return false;
	if (prefix.ip.family != family) {
		wr_diagnose(a->diagnostics, value->place, NULL,
			    "'from' and 'to' of one rule are of different families");
		return false;
	}
	if (prefix.length)
		*ret = prefix;
	return true;
}

static void add_rule(struct wr_nf_assigner *a, struct wr_ns *ns, const struct wr_nf_rule *from, uint8_t family,
		     uint32_t priority)
{
	struct wr_rule rule = from->rule;
	struct wr_rule *added;

	rule.family = family;
	rule.protocol = WR_PROTOCOL;
	if (!from->priority_written)
		rule.priority = priority;
	if (!set_selector(a, &from->from, family, &rule.from) || !set_selector(a, &from->to, family, &rule.to))
		return;
	added = wr_ns_add_rule(ns);
	if (!added) {
		a->out_of_memory = true;
		return;
	}
	rule.action = added->action;
	*added = rule;
}

/* The family that a rule's addresses say; 0: none. */
static uint8_t family_of(struct wr_nf_assigner *a, const struct wr_nf_rule *rule)
{
	const struct wr_nf_value *values[] = {&rule->from, &rule->to};

	for (size_t i = 0; i < 2; i++)
		if (values[i]->place.line && !values[i]->reference)
			return values[i]->prefix.ip.family;
	for (size_t i = 0; i < 2; i++)
		if (values[i]->place.line)
			return wr_nf_has_family(a, values[i], AF_INET) ? AF_INET : AF_INET6;
	return 0;
}

static void add_rules(struct wr_nf_assigner *a, struct wr_ns *ns, const struct wr_nf_rule *rule)
{
	for (uint32_t priority = RULE_PRIORITY_FIRST; rule && !a->out_of_memory; rule = rule->next, priority++) {
		uint8_t family = family_of(a, rule);

		add_rule(a, ns, rule, family ? family : AF_INET, priority);
		if (!family && has_ipv6(ns)) /* by interface or mark alone: of both families */
			add_rule(a, ns, rule, AF_INET6, priority);
	}
}

/* --- neighbours ---------------------------------------------------------------------------------------------------- */

static const char *neighbour_device(struct wr_nf_assigner *a, const struct wr_nf_ns *ns,
				    const struct wr_nf_subnets *subnets, const struct wr_nf_neighbour *from,
				    const struct wr_ip *ip)
{
	const struct wr_nf_subnet *subnet;
	char buffer[WR_IP_TEXT_MAX];

	if (from->dev) {
		if (wr_nf_find_interface(ns, from->dev) && strcmp(from->dev, "lo") != 0)
			return from->dev;
		if (!ns->broken)
			wr_diagnose(a->diagnostics, from->place, NULL, "namespace '%s' has no interface '%s'",
				    ns->ns->name, from->dev);
		return NULL;
	}
	subnet = wr_nf_subnets_find(subnets, ip);
	if (subnet)
		return subnet->link->ifname;
	if (!ns->broken)
		wr_diagnose(a->diagnostics, from->place, "write its interface: dev: eth0",
			    "neighbour %s is in no subnet of an interface of namespace '%s'", wr_ip_format(ip, buffer),
			    ns->ns->name);
	return NULL;
}

static void add_neighbours(struct wr_nf_assigner *a, const struct wr_nf_ns *ns, const struct wr_nf_subnets *subnets)
{
	for (const struct wr_nf_neighbour *from = ns->extra->neighbours; from && !a->out_of_memory; from = from->next) {
		struct wr_neighbour *added;
		struct wr_prefix prefix;
		const char *dev;

		if (!wr_nf_resolve(a, &from->address, 0, &prefix))
			continue;
		dev = neighbour_device(a, ns, subnets, from, &prefix.ip);
		if (!dev)
			continue;
		added = wr_ns_add_neighbour(ns->ns);
		if (!added) {
			a->out_of_memory = true;
			return;
		}
		added->ip = prefix.ip;
		added->mac = from->mac;
		added->dev = dev;
		added->place = from->place;
	}
}

/* --- names --------------------------------------------------------------------------------------------------------- */

static void add_servers(struct wr_nf_assigner *a, struct wr_ns *ns, const struct wr_nf_server *server)
{
	size_t count = 0;

	for (const struct wr_nf_server *s = server; s; s = s->next)
		count++;
	ns->dns_servers = wr_arena_alloc(a->arena, count * sizeof *ns->dns_servers);
	if (!ns->dns_servers) {
		a->out_of_memory = true;
		return;
	}
	for (; server; server = server->next) {
		struct wr_prefix prefix;

		if (wr_nf_resolve(a, &server->address, 0, &prefix))
			ns->dns_servers[ns->n_dns_servers++] = prefix.ip;
	}
}

/* A reference brings an address of each family. */
static void add_hosts(struct wr_nf_assigner *a, struct wr_ns *ns, const struct wr_nf_hostname *host)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	size_t count = 0;

	for (const struct wr_nf_hostname *h = host; h; h = h->next)
		count += 2;
	ns->hosts = wr_arena_alloc(a->arena, count * sizeof *ns->hosts);
	if (!ns->hosts) {
		a->out_of_memory = true;
		return;
	}
	for (; host; host = host->next) {
		struct wr_prefix prefix;
		bool any = false;

		for (size_t i = 0; i < 2; i++) {
			if (!wr_nf_has_family(a, &host->address, families[i]) ||
			    !wr_nf_resolve(a, &host->address, families[i], &prefix))
				continue;
			any = true;
			ns->hosts[ns->n_hosts++] =
				(struct wr_hostname){.name = host->name, .ip = prefix.ip, .place = host->address.place};
		}
		if (!any) /* says what is wrong */
			wr_nf_resolve(a, &host->address, 0, &prefix);
	}
}

void wr_nf_assign_extras(struct wr_nf_assigner *a, struct wr_nf_ns *ns, const struct wr_nf_subnets *subnets)
{
	if (!ns->extra)
		return;
	add_rules(a, ns->ns, ns->extra->rules);
	add_neighbours(a, ns, subnets);
	if (ns->extra->servers)
		add_servers(a, ns->ns, ns->extra->servers);
	if (ns->extra->hosts)
		add_hosts(a, ns->ns, ns->extra->hosts);
}
