/* inside_files.c: settings that only files under /proc/sys have, read as seldom as possible.
 *
 * A file costs as much as a whole list by netlink, so only what someone declares, and what netlink left unset, is read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "kernel/feature.h"
#include "kernel/netns.h"
#include "kernel/sysctl.h"
#include "live/inside.h"

#define VALUE_MAX 4096

/* What reading through files needs to know. The thread is inside. */
struct filing {
	struct wr_host *host;
	struct wr_netns *netns;
	struct wr_arena *arena;
	struct wr_map by_name; /* the links of a namespace that has many */
};

#define MANY_LINKS 16

static int index_links(struct filing *f, const struct wr_ns *ns)
{
	f->by_name = (struct wr_map){.arena = f->arena};
	for (size_t i = 0; ns->n_links > MANY_LINKS && i < ns->n_links; i++)
		if (wr_map_put(&f->by_name, ns->links[i]->ifname, ns->links[i]) < 0)
			return -ENOMEM;
	return 0;
}

static struct wr_link *find_link(const struct filing *f, const struct wr_ns *ns, const char *ifname)
{
	return ns->n_links > MANY_LINKS ? wr_map_get(&f->by_name, ifname) : wr_ns_find_link(ns, ifname);
}

/* Reads one setting of a scope; it stays unset where the kernel has no such file, or one that cannot be read. */
static int read_conf(const struct filing *f, struct wr_conf *conf, enum wr_conf_id id, const char *scope)
{
	char key[80], value[32], *end;
	long number;
	int r = wr_sysctl_read(f->host, f->netns, true, wr_conf_key(id, scope, key), value, sizeof value, NULL);

	if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
		return r;
	if (r < 0)
		return 0;
	number = strtol(value, &end, 10);
	if (end != value && *end == '\0' && number > WR_CONF_UNSET && number <= INT16_MAX)
		conf->value[id] = (int16_t)number;
	return 0;
}

static int read_confs(const struct filing *f, struct wr_conf *conf, const struct wr_conf *wanted, const char *scope)
{
	int r = 0;

	for (int id = 0; id < WR_CONF_COUNT_ && r == 0; id++)
		if (conf->value[id] == WR_CONF_UNSET && (wanted == NULL || wanted->value[id] != WR_CONF_UNSET))
			r = read_conf(f, conf, (enum wr_conf_id)id, scope);
	return r;
}

static int read_sysctls(const struct filing *f, struct wr_sysctl **list, size_t *count, size_t *capacity,
			const struct wr_sysctl *wanted, size_t n_wanted)
{
	char value[VALUE_MAX];

	for (size_t i = 0; i < n_wanted; i++) {
		struct wr_sysctl *sysctl;
		int r = wr_sysctl_read(f->host, f->netns, true, wanted[i].key, value, sizeof value, NULL);

		if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
			return r;
		if (wr_arena_grow(f->arena, list, capacity, *count, sizeof **list) < 0)
			return -ENOMEM;
		sysctl = &(*list)[*count];
		*sysctl = (struct wr_sysctl){.key = wr_arena_strdup(f->arena, wanted[i].key)};
		if (sysctl->key == NULL)
			return -ENOMEM;
		if (r == 0) {
			sysctl->value = wr_arena_strdup(f->arena, value);
			if (sysctl->value == NULL)
				return -ENOMEM;
		}
		++*count;
	}
	return 0;
}

static bool is_missing(const struct wr_conf *conf, const struct wr_conf *wanted)
{
	for (int id = 0; id < WR_CONF_COUNT_; id++)
		if (conf->value[id] == WR_CONF_UNSET && wanted->value[id] != WR_CONF_UNSET)
			return true;
	return false;
}

/* IPv4's settings of `all` that every namespace of ours has are set at its birth and not read from a file each afterwards;
 * netlink tells the three that matter most. */
static struct wr_conf known_of_all(const struct wr_conf *wanted)
{
	struct wr_conf conf = *wanted;

	for (int id = 0; id < WR_CONF_COUNT_; id++)
		if (wr_conf_rows[id].family == AF_INET)
			conf.value[id] = WR_CONF_UNSET;
	return conf;
}

/* Whether there is anything to read: entering costs something too. */
static bool is_needed(const struct filing *f, const struct wr_ns *ns, const struct wr_ns *wanted)
{
	struct wr_conf all = known_of_all(&wanted->conf_all);

	if (wanted->n_sysctls > 0 || is_missing(&ns->conf_all, &all))
		return true;
	for (size_t i = 0; i < wanted->n_links; i++) {
		const struct wr_link *link = find_link(f, ns, wanted->links[i]->ifname);

		if (link != NULL &&
		    (wanted->links[i]->n_sysctls > 0 || is_missing(&link->conf, &wanted->links[i]->conf)))
			return true;
	}
	return false;
}

static int read_all(const struct filing *f, struct wr_ns *ns, const struct wr_ns *wanted)
{
	struct wr_conf all = known_of_all(&wanted->conf_all);
	int r = read_confs(f, &ns->conf_all, &all, "all");

	/* `default` says nothing about links that are there; what netlink does not tell of it is not asked for. */
	if (r == 0)
		r = read_sysctls(f, &ns->sysctls, &ns->n_sysctls, &ns->capacity_sysctls, wanted->sysctls,
				 wanted->n_sysctls);
	for (size_t i = 0; r == 0 && i < wanted->n_links; i++) {
		const struct wr_link *from = wanted->links[i];
		struct wr_link *link = find_link(f, ns, from->ifname);

		if (link == NULL)
			continue;
		r = read_confs(f, &link->conf, &from->conf, from->ifname);
		if (r == 0)
			r = read_sysctls(f, &link->sysctls, &link->n_sysctls, &link->capacity_sysctls, from->sysctls,
					 from->n_sysctls);
	}
	return r;
}

int wr_inside_files(struct wr_host *host, struct wr_netns *netns, struct wr_ns *ns, const struct wr_ns *wanted,
		    struct wr_error *reterr)
{
	struct filing f = {.host = host, .netns = netns, .arena = ns->model->arena};
	bool elsewhere = netns != &host->self;
	int r = 0;

	if (index_links(&f, ns) < 0)
		return wr_fail_memory(reterr);
	if (!is_needed(&f, ns, wanted))
		return 0;
	if (elsewhere)
		r = wr_netns_enter(netns, reterr);
	if (r < 0)
		return r;
	r = read_all(&f, ns, wanted);
	if (elsewhere)
		wr_netns_leave(host);
	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot read sysctls: %s", strerror(-r));
	return 0;
}

/* --- what is inherited ----------------------------------------------------------------------------------------------- */

/* A model of one namespace to read the fresh one into; it is thrown away with the arena. */
static int probe(const struct filing *f, struct wr_inherited *inherited, struct wr_error *reterr)
{
	struct wr_model *model = wr_model_new(f->arena, "probe");
	struct wr_reading reading = {.ns = model != NULL ? model->ns[0] : NULL};
	struct wr_ns *ns = reading.ns;
	struct wr_link *lo;
	int r;

	if (model == NULL)
		return wr_fail_memory(reterr);
	model->live = true;
	r = wr_inside_read(f->host, f->netns, &reading, WR_INSIDE_LINKS | WR_INSIDE_CONF, reterr);
	lo = r == 0 ? wr_ns_loopback(ns) : NULL;
	if (r < 0 || lo == NULL)
		return r < 0 ? r : wr_fail(reterr, WR_ERR_KERNEL, -ENODEV, "a new namespace has no lo");
	inherited->ns_lo = lo->conf;
	/* IPv4 hands `default` down to every new link, lo being the first. */
	for (int id = 0; id < WR_CONF_COUNT_; id++)
		if (wr_conf_rows[id].family == AF_INET && ns->conf_default.value[id] == WR_CONF_UNSET)
			ns->conf_default.value[id] = lo->conf.value[id];
	r = read_confs(f, &ns->conf_default, NULL, "default");
	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot read sysctls: %s", strerror(-r));
	r = read_confs(f, &ns->conf_all, NULL, "all");
	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot read sysctls: %s", strerror(-r));
	inherited->ns_all = ns->conf_all;
	inherited->ns_default = ns->conf_default;
	return 0;
}

static int lacks_kind(struct wr_host *host, const char *kind, bool *ret, struct wr_error *reterr)
{
	bool has = false;
	int r = wr_feature_has_link_kind(&host->self.nl, kind, &has, reterr);

	if (r == 0)
		*ret = !has;
	return r;
}

/* What a namespace is born with, from one that nobody sees. */
static int probe_namespace(struct filing *f, struct wr_inherited *inherited, struct wr_error *reterr)
{
	struct wr_error error;
	int r = wr_netns_create(f->host, NULL, &f->netns, &error);

	if (r == -EPERM)
		return r;
	if (r == 0) {
		r = probe(f, inherited, &error);
		wr_netns_leave(f->host);
		wr_netns_close(f->host, f->netns);
	}
	if (r < 0) {
		if (reterr != NULL)
			*reterr = error;
		return wr_fail_context(reterr, "cannot look into a new namespace");
	}
	return 0;
}

int wr_inside_inherited(struct wr_host *host, struct wr_arena *arena, bool namespaces, struct wr_inherited *inherited,
			struct wr_error *reterr)
{
	struct filing f = {.host = host, .netns = &host->self, .arena = arena};
	int r;

	wr_conf_clear(&inherited->host_default);
	wr_conf_clear(&inherited->ns_all);
	wr_conf_clear(&inherited->ns_default);
	wr_conf_clear(&inherited->ns_lo);
	r = read_confs(&f, &inherited->host_default, NULL, "default");
	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot read sysctls: %s", strerror(-r));
	if (namespaces)
		r = probe_namespace(&f, inherited, reterr);
	if (r < 0)
		return r == -EPERM ? 0 : r; /* an ordinary user asks for a plan */
	inherited->no_ipv6 = inherited->host_default.value[WR_CONF_V6_DISABLE] == WR_CONF_UNSET;
	r = lacks_kind(host, "veth", &inherited->no_veth, reterr);
	if (r == 0)
		r = lacks_kind(host, "bridge", &inherited->no_bridge, reterr);
	inherited->known = r == 0;
	return r;
}
