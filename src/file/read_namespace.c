/* read_namespace.c: the entries of `namespaces:`, and what belongs to a namespace as a whole.
 *
 * A namespace that is only named in `links:` is made by the same function. The host is the first namespace of the list: its
 * interfaces are the `host:` ends of cables. */
#include <string.h>

#include "base/arena.h"
#include "file/reader.h"

struct wr_nf_extra *wr_nf_extra_of(struct wr_arena *arena, struct wr_nf_ns *ns)
{
	struct wr_nf_extra *extra = ns->extra;

	if (extra)
		return extra;
	extra = wr_arena_new_of(arena, struct wr_nf_extra);
	if (!extra)
		return NULL;
	extra->routes_end = &extra->routes;
	extra->rules_end = &extra->rules;
	extra->neighbours_end = &extra->neighbours;
	extra->hosts_end = &extra->hosts;
	extra->servers_end = &extra->servers;
	ns->extra = extra;
	return extra;
}

struct wr_nf_ns *wr_nf_find_ns(struct wr_nf_pending *pending, const char *name)
{
	wr_map_reserve(&pending->ns_by_name, pending->n_ns);
	for (; pending->n_named < pending->n_ns; pending->n_named++) {
		struct wr_nf_ns *ns = pending->ns[pending->n_named];

		if (wr_map_put(&pending->ns_by_name, ns->ns->name, ns) < 0)
			return NULL;
	}
	return wr_map_get(&pending->ns_by_name, name);
}

static void read_forward(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_ns *ns = object;
	struct wr_nf_extra *extra;

	if (!wr_nf_boolean(r, entry, &ns->ns->forward) || ns->ns->forward)
		return;
	extra = wr_nf_extra_of(r->arena, ns);
	if (extra)
		extra->forward_place = wr_nf_place(entry->key);
	else
		r->out_of_memory = true;
}

/* "ipv4.rp_filter" of an interface is net.ipv4.conf.INTERFACE.rp_filter. */
static const char *sysctl_key(struct wr_nf_reader *r, const struct wr_nf_interface *interface,
			      const struct wr_nf_node *node, const char *key, const struct wr_nf_context *context)
{
	bool short_form = interface && (!strncmp(key, "ipv4.", 5) || !strncmp(key, "ipv6.", 5));
	bool neighbour = short_form && !strncmp(key + 5, "neigh.", 6);
	const char *last = neighbour ? key + 11 : key + 5;
	char scope[WR_IFNAME_MAX + 1] = "";
	const char *full;

	if (!short_form) {
		if (!strncmp(key, "net.", 4) && key[4] && key[strlen(key) - 1] != '.' && !strchr(key, ' '))
			return key;
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "'%s' is no sysctl of %s: %s", key,
			    wr_nf_where(r, context),
			    interface ? "those of an interface begin with 'net.', 'ipv4.' or 'ipv6.'"
				      : "only those that begin with 'net.' are its own");
		return NULL;
	}
	if (!*last || strchr(last, '.') || strchr(last, '/')) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "'%s' is no sysctl of %s", key,
			    wr_nf_where(r, context));
		return NULL;
	}
	for (size_t i = 0; i < WR_IFNAME_MAX && interface->link->ifname[i]; i++)
		scope[i] = interface->link->ifname[i] == '.' ? '/' : interface->link->ifname[i];
	full = wr_arena_printf(r->arena, "net.%.4s.%s.%s.%s", key, neighbour ? "neigh" : "conf", scope, last);
	if (!full)
		r->out_of_memory = true;
	return full;
}

void wr_nf_read_sysctls(struct wr_nf_reader *r, struct wr_nf_ns *ns, struct wr_nf_interface *interface,
			const struct wr_nf_entry *entry)
{
	if (wr_nf_is_null(entry->value))
		return;
	if (entry->value->kind != WR_NF_MAPPING) {
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), NULL,
			    "%s must be a mapping from names to values, not %s", wr_nf_subject(r, entry),
			    wr_nf_kind_name(entry->value));
		return;
	}
	for (const struct wr_nf_node *key = entry->value->first; key && wr_nf_count(r, key, 1); key = key->next->next) {
		const char *name = wr_nf_expand(r, key, key->text);
		const char *value = wr_nf_text(r, key->next, &(struct wr_nf_entry){key, key->next, entry->context});
		struct wr_nf_sysctl *sysctl;

		if (name)
			name = sysctl_key(r, interface, key, name, entry->context);
		if (!name || !value)
			continue;
		sysctl = wr_nf_alloc(r, sizeof *sysctl);
		if (!sysctl)
			return;
		*sysctl =
			(struct wr_nf_sysctl){.ns = ns, .interface = interface, .key = name, .place = wr_nf_place(key)};
		/* true and false are what people write for the kernel's 1 and 0. */
		sysctl->value = strcmp(value, "true") ? strcmp(value, "false") ? value : "0" : "1";
		*r->pending->sysctls_end = sysctl;
		r->pending->sysctls_end = &sysctl->next;
	}
}

static void read_sysctl(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	wr_nf_read_sysctls(r, object, NULL, entry);
}

static const struct wr_nf_key namespace_keys[] = {
	{"interfaces", wr_nf_read_interfaces},
	{"lo", wr_nf_read_lo},
	{"routes", wr_nf_read_routes},
	{"rules", wr_nf_read_rules},
	{"neighbours", wr_nf_read_neighbours},
	{"forward", read_forward},
	{"dns", wr_nf_read_dns},
	{"hosts", wr_nf_read_hosts},
	{"sysctl", read_sysctl},
	{"nat", wr_nf_read_nat},
	{"publish", wr_nf_read_publish},
	{"firewall", wr_nf_read_firewall},
	{"attach", wr_nf_refuse},
	{0},
};

/* Puts a namespace of the model into the lists of what is pending. */
static struct wr_nf_ns *remember(struct wr_nf_reader *r, struct wr_ns *ns)
{
	struct wr_nf_pending *pending = r->pending;
	struct wr_nf_ns *n = wr_nf_alloc(r, sizeof *n);

	if (!n)
		return NULL;
	if (wr_arena_grow(r->arena, &pending->ns, &pending->capacity_ns, pending->n_ns, sizeof *pending->ns) < 0) {
		r->out_of_memory = true;
		return NULL;
	}
	n->ns = ns;
	n->end = &n->first;
	pending->ns[pending->n_ns++] = n;
	return n;
}

struct wr_nf_ns *wr_nf_new_ns(struct wr_nf_reader *r, const char *name, struct wr_place place)
{
	struct wr_ns *ns;
	struct wr_link *lo;

	if (!strcmp(name, WR_HOST_NAME))
		return remember(r, wr_model_host(r->model));
	ns = wr_model_add_ns(r->model, name);
	lo = ns ? wr_ns_add_link(ns, WR_LINK_LOOPBACK, "lo") : NULL;
	if (!lo) {
		r->out_of_memory = true;
		return NULL;
	}
	ns->place = lo->place = place;
	lo->up = true;
	wr_nf_build_ns(r, ns);
	return remember(r, ns);
}

static void read_namespace(struct wr_nf_reader *r, const char *name, const struct wr_nf_node *key,
			   const struct wr_nf_node *value)
{
	struct wr_nf_context context = {"namespace", name, NULL};
	struct wr_nf_ns *ns;

	if (!wr_nf_name(r, key, "namespace", name) || !(ns = wr_nf_new_ns(r, name, wr_nf_place(key))))
		return;
	wr_nf_read_mapping(r, value, namespace_keys, ns, &context);
}

void wr_nf_read_namespaces(struct wr_nf_reader *r, const struct wr_nf_node *node)
{
	wr_nf_read_named(r, node, "namespaces", &r->model->ns_by_name, read_namespace);
}
