/* test_show.h: a network made by hand, for the tests of the printers: every kind of thing that a file can say, once.
 *
 * Ownership: all of it lives in the arena that is given. Out of memory ends the test. */
#pragma once

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h> /* before linux/in.h */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "base/arena.h"
#include "base/error.h"
#include "filter/delta.h"
#include "filter/filter.h"
#include "model/model.h"
#include "model/name.h"
#include "model/nft.h"
#include "model/want.h"
#include "plan/plan.h"

static inline void *show_need(void *pointer)
{
	if (pointer == NULL)
		abort();
	return pointer;
}

static inline struct wr_prefix show_prefix(const char *text)
{
	struct wr_prefix prefix;

	if (wr_prefix_parse(text, &prefix, NULL) < 0)
		abort();
	return prefix;
}

static inline struct wr_ip show_ip(const char *text)
{
	struct wr_ip ip;

	if (wr_ip_parse(text, &ip) < 0)
		abort();
	return ip;
}

static inline struct wr_ns *show_add_ns(struct wr_model *model, const char *name)
{
	struct wr_ns *ns = show_need(wr_model_add_ns(model, name));
	char mark[WR_MARK_MAX];
	struct wr_link *lo;

	wr_name_mark(model->name, name, NULL, mark);
	ns->alias = show_need(wr_arena_strdup(model->arena, mark));
	ns->pin = show_need(wr_arena_printf(model->arena, "%s%s", model->ns_prefix, name));
	lo = show_need(wr_ns_add_link(ns, WR_LINK_LOOPBACK, "lo"));
	lo->up = true;
	return ns;
}

/* Marks, MAC and, in the host, altname and group. */
static inline void show_mark(struct wr_link *link, const char *a, const char *b, const char *role)
{
	struct wr_model *model = link->ns->model;
	char mark[WR_MARK_MAX], altname[128];

	wr_name_mark(model->name, a, b, mark);
	link->alias = show_need(wr_arena_strdup(model->arena, mark));
	link->mac = wr_name_mac(model->name, a, b, role);
	link->mac_set = true;
	link->up = true;
	if (link->ns->is_host) {
		wr_name_altname(model->name, a, b, altname);
		link->altname = show_need(wr_arena_strdup(model->arena, altname));
		link->group = wr_name_group(model->name);
	}
}

static inline struct wr_bridge *show_add_bridge(struct wr_model *model, const char *name, bool host, const char *subnet)
{
	struct wr_bridge *bridge = show_need(wr_arena_new_of(model->arena, struct wr_bridge));
	struct wr_ns *ns = host ? wr_model_host(model) : show_add_ns(model, name);
	char ifname[16];

	ns->is_bridge = !host;
	bridge->name = show_need(wr_arena_strdup(model->arena, name));
	bridge->host = host;
	bridge->link = show_need(wr_ns_add_link(ns, WR_LINK_BRIDGE, name));
	if (host) {
		wr_name_host_link(model->name, model->link_prefix, name, NULL, ifname);
		bridge->link->ifname = show_need(wr_arena_strdup(model->arena, ifname));
	}
	show_mark(bridge->link, name, NULL, "bridge");
	bridge->subnets = show_need(wr_arena_new_of(model->arena, struct wr_prefix));
	bridge->subnets[0] = show_prefix(subnet);
	bridge->n_subnets = 1;
	if (wr_arena_grow(model->arena, &model->bridges, &model->capacity_bridges, model->n_bridges,
			  sizeof *model->bridges) < 0 ||
	    wr_map_put(&model->bridge_by_name, bridge->name, bridge) < 0)
		abort();
	model->bridges[model->n_bridges++] = bridge;
	return bridge;
}

static inline void show_add_address(struct wr_link *link, const char *text, bool handed_out)
{
	struct wr_address *address = show_need(wr_link_add_address(link));

	address->prefix = show_prefix(text);
	address->handed_out = handed_out;
}

static inline struct wr_link *show_add_end(struct wr_ns *ns, const char *name, uint32_t mtu)
{
	struct wr_link *link = show_need(wr_ns_add_link(ns, WR_LINK_VETH, name));

	link->mtu = mtu;
	show_mark(link, ns->is_host ? WR_HOST_NAME : ns->name, name, "");
	return link;
}

/* An interface on a bridge, with its port; returns the interface. */
static inline struct wr_link *show_plug(struct wr_ns *ns, const char *name, struct wr_bridge *bridge, uint32_t mtu)
{
	struct wr_link *link = show_add_end(ns, name, mtu), *port;
	struct wr_model *model = ns->model;
	char port_name[80], ifname[16];

	link->segment = bridge;
	snprintf(port_name, sizeof port_name, "%s.%s", ns->name, name);
	port = show_need(wr_ns_add_link(bridge->link->ns, WR_LINK_VETH, port_name));
	wr_name_host_link(model->name, bridge->host ? model->link_prefix : "", ns->name, name, ifname);
	port->ifname = show_need(wr_arena_strdup(model->arena, ifname));
	show_mark(port, ns->name, name, "port");
	port->mtu = mtu;
	port->master = bridge->link;
	port->peer = link;
	link->peer = port;
	bridge->n_ports++;
	return link;
}

static inline void show_join(struct wr_link *a, struct wr_link *b)
{
	a->peer = b;
	b->peer = a;
}

static inline struct wr_route *show_add_route(struct wr_ns *ns, const char *to, const char *via, const char *dev)
{
	struct wr_route *route = show_need(wr_ns_add_route(ns));

	route->to = show_prefix(to);
	route->type = RTN_UNICAST;
	route->protocol = WR_PROTOCOL;
	route->table = RT_TABLE_MAIN;
	route->metric = route->to.ip.family == AF_INET6 ? 1024 : 0;
	route->hops = show_need(wr_arena_alloc(ns->model->arena, 2 * sizeof *route->hops));
	route->n_hops = 1;
	route->hops[0] = (struct wr_nexthop){.dev = dev, .weight = 1};
	if (via != NULL)
		route->hops[0].via = show_ip(via);
	return route;
}

static inline void show_add_rule(struct wr_ns *ns, const char *from, uint32_t table)
{
	struct wr_rule *rule = show_need(wr_ns_add_rule(ns));

	rule->from = show_prefix(from);
	rule->family = rule->from.ip.family;
	rule->protocol = WR_PROTOCOL;
	rule->action = FR_ACT_TO_TBL;
	rule->priority = 1000;
	rule->table = table;
	rule->mark = 0x10;
	rule->mask = 0xff;
}

static inline void show_add_routing(struct wr_ns *web, struct wr_ns *app, struct wr_ns *r1, struct wr_ns *s1)
{
	struct wr_neighbour *neighbour;
	struct wr_route *route;

	show_add_route(web, "0.0.0.0/0", "10.2.0.1", "eth0")->is_default_route = true;
	show_add_route(web, "::/0", "fd00:2::1", "eth0")->is_default_route = true;
	show_add_route(web, "192.0.2.0/24", NULL, "eth1")->metric = 50;
	show_add_route(web, "198.51.100.0/24", "10.3.0.12", "eth1")->table = 100;
	route = show_add_route(web, "203.0.113.0/24", "10.3.0.11", "eth1");
	route->hops[1] = (struct wr_nexthop){.via = show_ip("10.3.0.12"), .dev = "eth1", .weight = 3};
	route->n_hops = 2;
	route = show_add_route(app, "10.66.0.0/16", NULL, NULL);
	route->type = RTN_BLACKHOLE;
	route->n_hops = 0;
	show_add_route(app, "0.0.0.0/0", "10.2.0.1", "eth0")->src = show_ip("10.2.0.3");
	show_add_route(s1, "0.0.0.0/0", "10.10.1.1", "eth0");
	show_add_rule(web, "10.3.0.0/24", 100);
	neighbour = show_need(wr_ns_add_neighbour(r1));
	*neighbour = (struct wr_neighbour){.ip = show_ip("10.10.1.9"), .dev = "a", .protocol = WR_PROTOCOL};
	if (wr_mac_parse("02:00:00:00:00:09", &neighbour->mac) < 0)
		abort();
}

/* Names: app has a file of its own, the others the network's. */
static inline void show_add_names(struct wr_model *model, struct wr_ns *app)
{
	model->hosts_text = "# made by warren for network shop\n127.0.0.1 localhost\n10.2.0.2 web web.shop\n";
	for (size_t i = 1; i < model->n_ns; i++) {
		model->ns[i]->hosts_file = "/run/warren/shop/hosts";
		model->ns[i]->hosts_is_link = true;
	}
	app->hosts_is_link = false;
	app->hosts_file = "# made by warren for network shop\n127.0.0.1 localhost\n10.9.9.9 EOF\nEOF\n";
	app->has_dns = true;
	app->resolv_file = "# made by warren for network shop\nnameserver 9.9.9.9\n";
}

/* The whole network. */
static inline struct wr_model *show_network(struct wr_arena *arena)
{
	static const struct wr_place nowhere = {0};
	struct wr_model *model = show_need(wr_model_new(arena, "shop"));
	struct wr_bridge *lan = show_add_bridge(model, "lan", true, "10.2.0.0/24");
	struct wr_bridge *dmz = show_add_bridge(model, "dmz", false, "10.3.0.0/24");
	struct wr_ns *web = show_add_ns(model, "web"), *app = show_add_ns(model, "app");
	struct wr_ns *r1 = show_add_ns(model, "r1"), *s1 = show_add_ns(model, "s1");
	struct wr_link *link, *other;

	model->source = "shop.yaml";
	*dmz->link->bridge = (struct wr_bridge_options){1, 2, 60, 0x4008, 0, -1};
	dmz->link->mtu = 1500;
	show_add_address(lan->link, "10.2.0.1/24", true);
	show_add_address(lan->link, "fd00:2::1/64", true);
	link = show_plug(web, "eth0", lan, 1500);
	show_add_address(link, "10.2.0.2/24", true);
	show_add_address(link, "fd00:2::2/64", true);
	link = show_plug(web, "eth1", dmz, 1400);
	show_add_address(link, "10.3.0.10/24", false);
	show_add_address(show_plug(app, "eth0", lan, 1500), "10.2.0.3/24", true);
	link = show_plug(app, "eth0.100", dmz, 1400);
	show_add_address(link, "10.3.0.11/24", true);
	link->peer->isolated = true;
	link = show_add_end(wr_model_host(model), "shop0", 1500);
	other = show_add_end(web, "eth2", 1500);
	show_join(link, other);
	show_add_address(link, "10.9.0.1/30", false);
	show_add_address(other, "10.9.0.2/30", false);
	link = show_add_end(r1, "a", 9000);
	other = show_add_end(s1, "eth0", 9000);
	show_join(link, other);
	show_add_address(link, "10.10.1.1/24", false);
	show_add_address(other, "10.10.1.2/24", false);
	r1->forward = true;
	show_add_address(wr_ns_loopback(r1), "192.168.255.1/32", false);
	show_add_routing(web, app, r1, s1);
	show_add_names(model, app);
	if (wr_ns_set_sysctl(web, NULL, "net.ipv4.ip_local_port_range", "20000 30000", nowhere) < 0)
		abort();
	wr_model_want_conf(model);
	return model;
}

/* A machine without the network, whose new namespaces come up with what a kernel has by default. */
static inline struct wr_model *show_empty_machine(struct wr_arena *arena, const char *network)
{
	struct wr_model *live = show_need(wr_model_new(arena, network));
	struct wr_conf *confs[] = {&live->inherited.ns_all, &live->inherited.ns_default, &live->inherited.ns_lo,
				   &live->inherited.host_default};

	live->live = true;
	live->inherited.known = true;
	for (size_t i = 0; i < sizeof confs / sizeof confs[0]; i++) {
		memset(confs[i], 0, sizeof *confs[i]);
		confs[i]->value[WR_CONF_V6_ACCEPT_RA] = 1;
		confs[i]->value[WR_CONF_V6_FORCE_FORWARDING] = WR_CONF_UNSET;
	}
	return live;
}

static inline struct wr_plan *show_plan(struct wr_arena *arena, struct wr_model *wanted, struct wr_model *live)
{
	struct wr_plan_options options = {.ignore_conflicts = true};
	struct wr_plan *plan = NULL;
	struct wr_error error;

	if (wr_plan_make(wanted, live, &options, arena, &plan, &error) < 0)
		abort();
	return plan;
}

/* The network's table in the host: a set of interfaces, and the map of what the host had. */
static inline struct wr_nft_table *show_table(struct wr_model *model)
{
	struct wr_nft_table *table = show_need(wr_ns_add_table(wr_model_host(model), NFPROTO_INET, "warren-shop"));
	struct wr_nft_set *own = show_need(wr_nft_add_set(model->arena, table, "own")), *before;
	static const char ifname[16] = "shop-lan";
	struct wr_nft_element *element;

	table->comment = "warren:shop";
	table->ours = true;
	own->key_type = WR_NFT_TYPE_IFNAME;
	own->key_length = 16;
	element = show_need(wr_nft_add_element(model->arena, own));
	element->key = show_need(wr_arena_memdup(model->arena, ifname, sizeof ifname));
	before = show_need(wr_nft_add_set(model->arena, table, WR_FILTER_BEFORE));
	before->flags = NFT_SET_MAP;
	before->key_type = WR_NFT_CONCAT(WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_MARK);
	before->key_length = 20;
	before->data_type = WR_NFT_TYPE_MARK;
	before->data_length = 4;
	return table;
}

static inline struct wr_nft_delta *show_delta(struct wr_arena *arena, const struct wr_nft_table *wanted,
					      const struct wr_nft_table *live)
{
	struct wr_nft_delta *delta = NULL;

	if (wr_nft_compare(wanted, live, arena, &delta) < 0)
		abort();
	return delta;
}

/* The steps about filters; the others are left alone. */
static inline void show_filter_step(struct wr_arena *arena, struct wr_step *step, struct wr_model *wanted)
{
	static struct wr_borrow borrow = {.scope = "eth0", .conf = WR_CONF_V4_FORWARDING, .value = 1, .noted = true};
	static struct wr_opening opening = {
		.family = NFPROTO_IPV4, .table = "filter", .chain = "DOCKER-USER", .iif = "shop.lan", .oif = "eth0"};
	struct wr_ns *host = wr_model_host(wanted);
	struct wr_nft_table *table = host->n_tables > 0 ? host->tables[0] : show_table(wanted);
	bool adds = step->kind == WR_STEP_set_filter || step->kind == WR_STEP_borrow_conf;

	if (step->kind == WR_STEP_set_filter || step->kind == WR_STEP_del_filter) {
		step->ns = host;
		step->table = table;
		step->delta = show_delta(arena, adds ? table : NULL, adds ? NULL : table);
	} else if (step->kind == WR_STEP_borrow_conf || step->kind == WR_STEP_return_conf) {
		struct wr_nft_delta *delta = show_need(wr_nft_delta_new(arena));
		struct wr_nft_change *change =
			show_need(wr_nft_delta_add(delta, adds ? WR_NFT_ADD_ELEMENTS : WR_NFT_DEL_ELEMENTS, table));

		step->ns = host;
		step->borrow = &borrow;
		step->delta = delta;
		change->set = wr_nft_find_set(table, WR_FILTER_BEFORE);
		change->elements = show_need(wr_arena_alloc(arena, sizeof *change->elements));
		change->elements[0] = show_need(wr_filter_before(arena, borrow.scope, borrow.conf, borrow.before));
		change->n_elements = 1;
	} else if (step->kind == WR_STEP_open_chain || step->kind == WR_STEP_close_chain) {
		step->ns = host;
		step->opening = &opening;
		step->delta = show_need(wr_nft_delta_new(arena));
	}
}

static inline bool show_is_filter_step(int kind)
{
	return kind == WR_STEP_set_filter || kind == WR_STEP_del_filter || kind == WR_STEP_borrow_conf ||
	       kind == WR_STEP_return_conf || kind == WR_STEP_open_chain || kind == WR_STEP_close_chain;
}

/* One step of each kind, in the order of the list, about things of wanted; live has the same things as they were before. */
static inline struct wr_plan *show_every_kind(struct wr_arena *arena, struct wr_model *wanted, struct wr_model *live)
{
	struct wr_plan *plan = show_need(wr_arena_new_of(arena, struct wr_plan));
	struct wr_ns *web = wr_model_find_ns(wanted, "web"), *r1 = wr_model_find_ns(wanted, "r1");
	struct wr_ns *dmz = wr_model_find_ns(wanted, "dmz"), *old_dmz = wr_model_find_ns(live, "dmz");

	plan->wanted = wanted;
	plan->live = live;
	plan->n_steps = WR_STEP_COUNT_;
	plan->steps = show_need(wr_arena_alloc(arena, plan->n_steps * sizeof *plan->steps));
	for (int kind = 0; kind < WR_STEP_COUNT_; kind++) {
		struct wr_step *step = &plan->steps[kind];

		*step = (struct wr_step){.kind = (uint8_t)kind, .sign = WR_STEP_CHANGE, .ns = web, .reason = "because"};
		if (show_is_filter_step(kind)) {
			show_filter_step(arena, step, wanted);
		} else if (kind == WR_STEP_set_conf) {
			step->conf = WR_CONF_V4_RP_FILTER;
			step->link = web->links[1];
			step->old_conf = 2;
		} else if (kind == WR_STEP_set_sysctl) {
			step->sysctl = &web->sysctls[0];
		} else if (kind == WR_STEP_add_address || kind == WR_STEP_mark_address || kind == WR_STEP_del_address) {
			step->link = web->links[1];
			step->address = &web->links[1]->addresses[0];
		} else if (kind == WR_STEP_add_route || kind == WR_STEP_change_route || kind == WR_STEP_del_route) {
			step->route = &web->routes[0];
			step->old_route = &wr_model_find_ns(live, "web")->routes[0];
		} else if (kind == WR_STEP_add_rule || kind == WR_STEP_del_rule) {
			step->rule = &web->rules[0];
		} else if (kind == WR_STEP_add_neighbour || kind == WR_STEP_del_neighbour) {
			step->ns = r1;
			step->neighbour = &r1->neighbours[0];
		} else if (kind == WR_STEP_add_bridge || kind == WR_STEP_set_bridge) {
			step->ns = dmz;
			step->link = dmz->links[1];
			step->old_link = old_dmz->links[1];
		} else if (kind == WR_STEP_write_hosts || kind == WR_STEP_remove_hosts) {
			step->ns = wr_model_host(wanted);
		} else if (kind != WR_STEP_mend_pin && kind != WR_STEP_add_ns && kind != WR_STEP_adopt_ns &&
			   kind != WR_STEP_del_ns && kind != WR_STEP_link_file && kind != WR_STEP_unlink_file) {
			step->ns = dmz;
			step->link = dmz->links[2];
			step->old_link = old_dmz->links[2];
		}
	}
	return plan;
}
