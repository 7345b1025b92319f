/* model.c: making a model and asking it.
 *
 * Everything is allocated from the model's arena, zeroed; the few values whose "unset" is not 0 are set here, in one place
 * for each struct, so that a wanted and a live model start from the same blank. */
#include "model/model.h"

#include <ctype.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

const char *wr_link_kind_name(enum wr_link_kind kind)
{
	switch (kind) {
	case WR_LINK_LOOPBACK:
		return "loopback";
	case WR_LINK_VETH:
		return "veth";
	case WR_LINK_BRIDGE:
		return "bridge";
	case WR_LINK_OTHER:
	case WR_LINK_KIND_COUNT_:
		break;
	}
	return "other";
}

static void clear_inherited(struct wr_inherited *inherited)
{
	wr_conf_clear(&inherited->ns_all);
	wr_conf_clear(&inherited->ns_default);
	wr_conf_clear(&inherited->ns_lo);
	wr_conf_clear(&inherited->host_default);
}

struct wr_model *wr_model_new(struct wr_arena *arena, const char *name)
{
	struct wr_model *model = wr_arena_new_of(arena, struct wr_model);
	struct wr_ns *host;

	if (!model)
		return NULL;
	model->arena = arena;
	model->ns_by_name.arena = arena;
	model->bridge_by_name.arena = arena;
	model->name = wr_arena_strdup(arena, name);
	model->ns_prefix = wr_arena_printf(arena, "%s.", name);
	model->link_prefix = wr_arena_printf(arena, "%s-", name);
	if (!model->name || !model->ns_prefix || !model->link_prefix)
		return NULL;
	clear_inherited(&model->inherited);
	host = wr_model_add_ns(model, WR_HOST_NAME);
	if (!host)
		return NULL;
	host->is_host = true;
	host->ours = false;
	return model;
}

struct wr_ns *wr_model_add_ns(struct wr_model *model, const char *name)
{
	struct wr_ns *ns = wr_arena_new_of(model->arena, struct wr_ns);

	if (!ns ||
	    wr_arena_grow(model->arena, &model->ns, &model->capacity_ns, model->n_ns, sizeof(struct wr_ns *)) < 0)
		return NULL;
	ns->model = model;
	ns->name = wr_arena_strdup(model->arena, name);
	ns->ours = !model->live;
	wr_conf_clear(&ns->conf_all);
	wr_conf_clear(&ns->conf_default);
	if (!ns->name)
		return NULL;
	if (!wr_map_get(&model->ns_by_name, name) && wr_map_put(&model->ns_by_name, ns->name, ns) < 0)
		return NULL;
	model->ns[model->n_ns++] = ns;
	return ns;
}

struct wr_link *wr_ns_add_link(struct wr_ns *ns, enum wr_link_kind kind, const char *name)
{
	struct wr_arena *arena = ns->model->arena;
	struct wr_link *link = wr_arena_new_of(arena, struct wr_link);

	if (!link || wr_arena_grow(arena, &ns->links, &ns->capacity_links, ns->n_links, sizeof(struct wr_link *)) < 0)
		return NULL;
	link->ns = ns;
	link->kind = kind;
	link->name = link->ifname = wr_arena_strdup(arena, name);
	link->ours = !ns->model->live;
	link->addr_gen_mode = -1;
	wr_conf_clear(&link->conf);
	if (!link->name)
		return NULL;
	if (kind == WR_LINK_BRIDGE) {
		link->bridge = wr_arena_new_of(arena, struct wr_bridge_options);
		if (!link->bridge)
			return NULL;
		*link->bridge = (struct wr_bridge_options){-1, -1, -1, -1, -1, -1};
	}
	ns->links[ns->n_links++] = link;
	return link;
}

struct wr_address *wr_link_add_address(struct wr_link *link)
{
	struct wr_model *model = link->ns->model;
	struct wr_address *address;

	if (wr_arena_grow(model->arena, &link->addresses, &link->capacity_addresses, link->n_addresses,
			  sizeof *address) < 0)
		return NULL;
	address = &link->addresses[link->n_addresses++];
	*address = (struct wr_address){.marked = !model->live};
	return address;
}

struct wr_route *wr_ns_add_route(struct wr_ns *ns)
{
	struct wr_route *route;

	if (wr_arena_grow(ns->model->arena, &ns->routes, &ns->capacity_routes, ns->n_routes, sizeof *route) < 0)
		return NULL;
	route = &ns->routes[ns->n_routes++];
	*route = (struct wr_route){
		.type = RTN_UNICAST, .table = RT_TABLE_MAIN, .protocol = ns->model->live ? RTPROT_UNSPEC : WR_PROTOCOL};
	return route;
}

struct wr_rule *wr_ns_add_rule(struct wr_ns *ns)
{
	struct wr_rule *rule;

	if (wr_arena_grow(ns->model->arena, &ns->rules, &ns->capacity_rules, ns->n_rules, sizeof *rule) < 0)
		return NULL;
	rule = &ns->rules[ns->n_rules++];
	*rule = (struct wr_rule){.action = FR_ACT_TO_TBL,
				 .table = RT_TABLE_MAIN,
				 .protocol = ns->model->live ? RTPROT_UNSPEC : WR_PROTOCOL};
	return rule;
}

struct wr_neighbour *wr_ns_add_neighbour(struct wr_ns *ns)
{
	struct wr_neighbour *neighbour;

	if (wr_arena_grow(ns->model->arena, &ns->neighbours, &ns->capacity_neighbours, ns->n_neighbours,
			  sizeof *neighbour) < 0)
		return NULL;
	neighbour = &ns->neighbours[ns->n_neighbours++];
	*neighbour = (struct wr_neighbour){.protocol = ns->model->live ? RTPROT_UNSPEC : WR_PROTOCOL};
	return neighbour;
}

/* A whole number as the kernel reads one from a file of proc: decimal, 0x…, 0…; white space around it. */
static int parse_conf_value(const char *value, int16_t *ret)
{
	char *end;
	long number;

	while (isspace((unsigned char)*value))
		value++;
	if (*value != '-' && !isdigit((unsigned char)*value))
		return -EINVAL;
	errno = 0;
	number = strtol(value, &end, 0);
	if (errno || end == value)
		return -EINVAL;
	while (isspace((unsigned char)*end))
		end++;
	if (*end || number <= WR_CONF_UNSET || number > INT16_MAX)
		return -EINVAL;
	*ret = (int16_t)number;
	return 0;
}

/* The settings that a scope of ns names, or NULL. link is asked first. */
static struct wr_conf *find_scope(struct wr_ns *ns, struct wr_link *link, const char *scope)
{
	if (strcmp(scope, "all") == 0)
		return &ns->conf_all;
	if (strcmp(scope, "default") == 0)
		return &ns->conf_default;
	if (!link || strcmp(link->ifname, scope) != 0)
		link = wr_ns_find_link(ns, scope);
	return link ? &link->conf : NULL;
}

static int set_listed(struct wr_arena *arena, struct wr_sysctl **list, size_t *count, size_t *capacity,
		      struct wr_sysctl sysctl)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp((*list)[i].key, sysctl.key) == 0) {
			sysctl.key = (*list)[i].key;
			(*list)[i] = sysctl;
			return 0;
		}
	}
	sysctl.key = wr_arena_strdup(arena, sysctl.key);
	if (!sysctl.key || wr_arena_grow(arena, list, capacity, *count, sizeof **list) < 0)
		return -ENOMEM;
	(*list)[(*count)++] = sysctl;
	return 0;
}

int wr_ns_set_sysctl(struct wr_ns *ns, struct wr_link *link, const char *key, const char *value, struct wr_place place)
{
	struct wr_arena *arena = ns->model->arena;
	struct wr_sysctl sysctl = {.key = key, .place = place};
	char scope[16];
	int id = wr_conf_parse_key(key, scope);

	if (id >= 0 && !(strcmp(scope, "all") == 0 && !wr_conf_is_told_of_all((enum wr_conf_id)id))) {
		struct wr_conf *conf = find_scope(ns, link, scope);

		if (!conf)
			return -ENOENT;
		return value ? parse_conf_value(value, &conf->value[id]) : 0;
	}
	if (!link && id < 0 && wr_conf_names_interface(key, scope)) {
		link = wr_ns_find_link(ns, scope);
		if (!link)
			return -ENOENT;
	}
	if (value) {
		sysctl.value = wr_arena_strdup(arena, value);
		if (!sysctl.value)
			return -ENOMEM;
	}
	if (link)
		return set_listed(arena, &link->sysctls, &link->n_sysctls, &link->capacity_sysctls, sysctl);
	return set_listed(arena, &ns->sysctls, &ns->n_sysctls, &ns->capacity_sysctls, sysctl);
}

struct wr_ns *wr_model_host(const struct wr_model *model)
{
	return model->ns[0];
}

struct wr_ns *wr_model_find_ns(const struct wr_model *model, const char *name)
{
	return wr_map_get(&model->ns_by_name, name);
}

struct wr_link *wr_ns_find_link(const struct wr_ns *ns, const char *ifname)
{
	for (size_t i = 0; i < ns->n_links; i++) {
		if (strcmp(ns->links[i]->ifname, ifname) == 0)
			return ns->links[i];
	}
	return NULL;
}

struct wr_link *wr_ns_loopback(const struct wr_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++) {
		if (ns->links[i]->kind == WR_LINK_LOOPBACK)
			return ns->links[i];
	}
	return NULL;
}

bool wr_link_has_family(const struct wr_link *link, uint8_t family)
{
	for (size_t i = 0; i < link->n_addresses; i++) {
		if (link->addresses[i].prefix.ip.family == family)
			return true;
	}
	return false;
}

bool wr_model_has_name_prefix(const struct wr_model *model)
{
	return model->ns_prefix[0] != '\0';
}
