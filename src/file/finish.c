/* finish.c: what the reading of single objects could not know: gateways, sysctls, interfaces that nothing is plugged into. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "file/reader.h"

static struct wr_nf_interface *interface_of(const struct wr_nf_bridge *bridge, const struct wr_ns *ns)
{
	for (size_t i = 0; i < bridge->n_ports; i++)
		if (bridge->ports[i]->link->ns == ns)
			return bridge->ports[i];
	return NULL;
}

static const char *suggest_ns(struct wr_nf_reader *r, const struct wr_nf_bridge *bridge)
{
	const char **names = wr_arena_alloc(r->scratch, (bridge->n_ports + 1) * sizeof *names);

	if (!names)
		return NULL;
	for (size_t i = 0; i < bridge->n_ports; i++)
		names[i] = bridge->ports[i]->link->ns->name;
	return wr_nf_suggest(r, bridge->gateway, names);
}

static void set_gateway(struct wr_nf_reader *r, struct wr_nf_bridge *bridge)
{
	const char *name = bridge->gateway;
	struct wr_nf_ns *ns = wr_nf_find_ns(r->pending, name);

	if (!strcmp(name, WR_HOST_NAME)) {
		wr_diagnose(r->diagnostics, bridge->gateway_place, "write host: true",
			    "this machine is the gateway of bridge '%s' when it joins it", bridge->bridge->name);
		return;
	}
	if (!ns) {
		if (!r->pending->incomplete)
			wr_diagnose(r->diagnostics, bridge->gateway_place, suggest_ns(r, bridge),
				    "no namespace '%s', the gateway of bridge '%s'", name, bridge->bridge->name);
		return;
	}
	bridge->gateway_interface = interface_of(bridge, ns->ns);
	if (!bridge->gateway_interface) {
		if (!ns->broken)
			wr_diagnose(r->diagnostics, bridge->gateway_place, NULL,
				    "namespace '%s', the gateway of bridge '%s', has no interface on it", name,
				    bridge->bridge->name);
		return;
	}
	if (ns->extra && ns->extra->forward_place.line && !ns->ns->forward) {
		wr_diagnose(r->diagnostics, ns->extra->forward_place, NULL,
			    "namespace '%s' is the gateway of bridge '%s' (line %u) and must forward", name,
			    bridge->bridge->name, bridge->gateway_place.line);
		return;
	}
	ns->ns->forward = true;
	bridge->bridge->gateway = ns->ns;
}

/* The keys that conf.h does not know, on lists that are searched for doubles: bounded, so that the search is. */
#define SYSCTLS_MAX 1000

static void set_sysctl(struct wr_nf_reader *r, const struct wr_nf_sysctl *sysctl)
{
	struct wr_link *link = sysctl->interface ? sysctl->interface->link : NULL;
	const struct wr_ns *ns = sysctl->ns->ns;
	char scope[16];
	int result;

	if ((link ? link->n_sysctls : ns->n_sysctls) >= SYSCTLS_MAX) {
		wr_diagnose(r->diagnostics, sysctl->place, NULL, "more than %d sysctls of namespace '%s'", SYSCTLS_MAX,
			    ns->name);
		return;
	}
	result = wr_ns_set_sysctl(sysctl->ns->ns, link, sysctl->key, sysctl->value, sysctl->place);
	if (result == -ENOMEM) {
		r->out_of_memory = true;
	} else if (result == -ENOENT) {
		wr_conf_parse_key(sysctl->key, scope);
		if (!sysctl->ns->broken)
			wr_diagnose(r->diagnostics, sysctl->place, NULL,
				    "sysctl '%s': namespace '%s' has no interface '%s'", sysctl->key, ns->name, scope);
	} else if (result < 0) {
		wr_diagnose(r->diagnostics, sysctl->place, NULL, "sysctl '%s' must be a number, not '%s'", sysctl->key,
			    sysctl->value);
	}
}

static void check_plugged(struct wr_nf_reader *r, const struct wr_nf_ns *ns)
{
	for (struct wr_nf_interface *i = ns->first; i; i = i->next) {
		if (i->link->segment || i->cabled || i->broken || r->pending->incomplete)
			continue;
		wr_diagnose(r->diagnostics, i->link->place, "write {bridge: NAME}, or name it as an end under 'links'",
			    "interface '%s' of namespace '%s' has no bridge and no link", i->link->name, ns->ns->name);
		i->broken = true;
	}
}

void wr_nf_finish(struct wr_nf_reader *r)
{
	struct wr_nf_pending *pending = r->pending;

	for (size_t i = 0; i < pending->n_bridges; i++)
		if (pending->bridges[i]->gateway && !pending->bridges[i]->broken)
			set_gateway(r, pending->bridges[i]);
	for (size_t i = 0; i < pending->n_ns; i++)
		check_plugged(r, pending->ns[i]);
	for (const struct wr_nf_sysctl *sysctl = pending->sysctls; sysctl && !r->out_of_memory; sysctl = sysctl->next)
		set_sysctl(r, sysctl);
}
