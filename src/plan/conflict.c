/* What is there and not ours, and in the way: said with its owner, before anything is touched. */
#include "plan/internal.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/name.h"

#define WR_OWNER_MAX 160

/* Words for whom a foreign link belongs to, as far as the link itself says. */
static const char *wr_owner_of(const struct wr_link *link, char buffer[WR_OWNER_MAX])
{
	struct wr_text WR_CLEANUP_TEXT text = {0};
	char network[64], a[64], b[64];

	if (link->alias && wr_name_read_mark(link->alias, network, a, b)) {
		wr_text_add(&text, "it belongs to warren's network '");
		wr_text_add(&text, network);
		wr_text_add(&text, "'");
	} else {
		wr_text_add(&text, "a ");
		wr_text_add_escaped(&text, link->kernel_kind ? link->kernel_kind : "physical or unknown");
		wr_text_add(&text, " interface that warren did not make");
		if (link->alias) {
			wr_text_add(&text, ", alias '");
			wr_text_add_escaped(&text, link->alias);
			wr_text_add(&text, "'");
		}
	}
	snprintf(buffer, WR_OWNER_MAX, "%s", wr_text_string(&text));
	return buffer;
}

static int wr_check_pins(const struct wr_model *wanted, const struct wr_model *live, struct wr_error *reterr)
{
	for (size_t i = 1; i < live->n_ns; i++) {
		const struct wr_ns *ns = live->ns[i];
		char network[64], a[64], b[64];

		if (ns->ours)
			continue;
		if (ns->alias && wr_name_read_mark(ns->alias, network, a, b)) {
			wr_fail(reterr, WR_ERR_CONFLICT, -EEXIST,
				"namespace '%s' exists and belongs to warren's network '%s'", ns->pin, network);
			return wr_fail_mend(reterr,
					    "warren down %s, or give this network another name (--name) or prefix",
					    network);
		}
		if (!ns->netns) {
			wr_fail(reterr, WR_ERR_CONFLICT, -EEXIST,
				"/run/netns/%s exists, is no network namespace, and was not made by warren", ns->pin);
			return wr_fail_mend(reterr, "remove it if nobody needs it");
		}
		wr_fail(reterr, WR_ERR_CONFLICT, -EEXIST, "namespace '%s' exists and was not made by warren", ns->pin);
		return wr_fail_mend(reterr,
				    "remove it with 'ip netns del %s' if nobody needs it, or give this network another "
				    "name (--name) or prefix",
				    ns->pin);
	}
	for (size_t i = 1; i < wanted->n_ns; i++) {
		const struct wr_ns *found = wr_model_find_ns(live, wanted->ns[i]->name);
		bool hosts = found && found->hosts_foreign && wanted->ns[i]->hosts_file;

		if (!found || found->is_host || strcmp(found->pin, wanted->ns[i]->pin) != 0)
			continue;
		if (!hosts && !(found->resolv_foreign && wanted->ns[i]->resolv_file))
			continue;
		wr_fail(reterr, WR_ERR_CONFLICT, -EEXIST, "/etc/netns/%s/%s exists and was not made by warren",
			found->pin, hosts ? "hosts" : "resolv.conf");
		return wr_fail_mend(reterr, "move it away; its lines can stand under `hosts:` and `dns:` of the file");
	}
	return 0;
}

/* Alternative names and names of links share one space. */
static int wr_check_link_names(const struct wr_model *wanted, const struct wr_model *live, struct wr_map *names,
			       struct wr_error *reterr)
{
	for (size_t i = 0; i < wanted->n_ns; i++) {
		const struct wr_ns *ns = wanted->ns[i], *there = ns->is_host ? wr_model_host(live) : NULL;

		if (!there && !ns->is_host) {
			there = wr_model_find_ns(live, ns->name);
			if (there &&
			    (!there->ours || there->stale || there->absent || strcmp(there->pin, ns->pin) != 0))
				there = NULL;
		}
		for (size_t k = 0; there && k < ns->n_links; k++) {
			const struct wr_link *link = ns->links[k], *found;
			char owner[WR_OWNER_MAX];

			found = ns->is_host ? wr_map_get(names, link->ifname) : wr_ns_find_link(there, link->ifname);
			if (!found && ns->is_host && link->altname)
				found = wr_map_get(names, link->altname);
			if (!found || found->ours || found->kind == WR_LINK_LOOPBACK)
				continue;
			wr_fail(reterr, WR_ERR_CONFLICT, -EEXIST, "interface '%s' exists in %s%s: %s", found->ifname,
				ns->is_host ? "this machine" : "namespace ", ns->is_host ? "" : ns->pin,
				wr_owner_of(found, owner));
			return wr_fail_mend(reterr,
					    ns->is_host ? "remove it, or give the network another name (--name), "
							  "prefix, or the bridge an ifname"
							: "remove it, or give the interface of the file another name");
		}
	}
	return 0;
}

/* Does anything of the host, not ours, have an address or a route inside this subnet? Wider routes are no quarrel: the
 * narrower one wins, as routing means it. */
static int wr_check_subnet(const struct wr_model *live, const struct wr_link *link, const struct wr_address *address,
			   struct wr_error *reterr)
{
	const struct wr_ns *host = wr_model_host(live);
	char ours[WR_PREFIX_TEXT_MAX], theirs[WR_PREFIX_TEXT_MAX], owner[WR_OWNER_MAX];

	for (size_t i = 0; i < host->n_links; i++) {
		const struct wr_link *other = host->links[i];

		for (size_t k = 0; !other->ours && k < other->n_addresses; k++) {
			if (!wr_prefix_overlaps(&other->addresses[k].prefix, &address->prefix) ||
			    wr_ip_is_linklocal(&address->prefix.ip))
				continue;
			wr_fail(reterr, WR_ERR_CONFLICT, -EADDRINUSE, "%s of %s overlaps %s of interface '%s': %s",
				wr_prefix_format(&address->prefix, ours), link->name,
				wr_prefix_format(&other->addresses[k].prefix, theirs), other->ifname,
				wr_owner_of(other, owner));
			return wr_fail_mend(reterr, "choose another subnet for %s", link->name);
		}
	}
	for (size_t i = 0; i < host->n_routes; i++) {
		const struct wr_route *route = &host->routes[i];
		const struct wr_link *dev;

		if (route->protocol == WR_PROTOCOL || route->table != RT_TABLE_MAIN || !route->to.length ||
		    route->to.length < address->prefix.length || !wr_prefix_contains(&address->prefix, &route->to.ip))
			continue;
		dev = route->n_hops && route->hops[0].dev ? wr_ns_find_link(host, route->hops[0].dev) : NULL;
		if (dev && dev->ours)
			continue;
		wr_fail(reterr, WR_ERR_CONFLICT, -EADDRINUSE, "%s of %s covers this machine's route to %s%s%s",
			wr_prefix_format(&address->prefix, ours), link->name, wr_prefix_format(&route->to, theirs),
			dev ? " over " : "", dev ? dev->ifname : "");
		return wr_fail_mend(reterr, "choose another subnet for %s", link->name);
	}
	return 0;
}

static int wr_lacks(const char *what, const char *option, const struct wr_model *wanted, struct wr_error *reterr)
{
	wr_fail(reterr, WR_ERR_UNSUPPORTED, -EOPNOTSUPP, "this kernel has no %s, which network '%s' needs", what,
		wanted->name);
	return wr_fail_mend(reterr, "use a kernel with %s", option);
}

static int wr_check_link_kernel(const struct wr_link *link, const struct wr_inherited *inherited,
				const struct wr_model *wanted, struct wr_error *reterr)
{
	if (link->kind == WR_LINK_VETH && inherited->no_veth)
		return wr_lacks("virtual cables (veth)", "CONFIG_VETH", wanted, reterr);
	if (link->kind == WR_LINK_BRIDGE && inherited->no_bridge)
		return wr_lacks("bridges", "CONFIG_BRIDGE", wanted, reterr);
	if (inherited->no_ipv6 && wr_link_has_family(link, AF_INET6))
		return wr_lacks("IPv6", "CONFIG_IPV6, and without ipv6.disable=1 on its command line", wanted, reterr);
	return 0;
}

/* What the kernel of this machine cannot do, before anything is touched. */
static int wr_check_kernel(const struct wr_model *wanted, const struct wr_inherited *inherited, struct wr_error *reterr)
{
	int r = 0;

	for (size_t i = 0; inherited->known && r == 0 && i < wanted->n_ns; i++)
		for (size_t k = 0; r == 0 && k < wanted->ns[i]->n_links; k++)
			r = wr_check_link_kernel(wanted->ns[i]->links[k], inherited, wanted, reterr);
	return r;
}

int wr_plan_check_conflicts(const struct wr_model *wanted, const struct wr_model *live, struct wr_error *reterr)
{
	const struct wr_ns *host = wr_model_host(wanted), *there = wr_model_host(live);
	struct wr_map names = {.arena = live->arena};
	int r;

	for (size_t i = 0; i < there->n_links; i++) {
		struct wr_link *link = there->links[i];

		if (wr_map_put(&names, link->ifname, link) < 0 ||
		    (link->altname && wr_map_put(&names, link->altname, link) < 0))
			return wr_fail_memory(reterr);
	}
	r = wr_check_kernel(wanted, &live->inherited, reterr);
	if (r == 0)
		r = wr_check_pins(wanted, live, reterr);
	if (r == 0)
		r = wr_check_link_names(wanted, live, &names, reterr);
	for (size_t i = 0; r == 0 && i < host->n_links; i++) {
		for (size_t k = 0; r == 0 && k < host->links[i]->n_addresses; k++)
			r = wr_check_subnet(live, host->links[i], &host->links[i]->addresses[k], reterr);
	}
	return r;
}
