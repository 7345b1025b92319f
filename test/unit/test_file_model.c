/* A network file to a model: names, marks, defaults, addresses, leases, routes. */
#include <linux/rtnetlink.h>

#include "model/name.h"
#include "netfile.h"

#define SHOP                                                                                                           \
	"name: shop\n"                                                                                                 \
	"bridges:\n"                                                                                                   \
	"  lan: {subnet: [10.2.0.0/24, \"fd00:2::/64\"], host: true}\n"                                                \
	"  dmz: {subnet: 10.3.0.0/24, gateway: edge, mtu: 1400}\n"                                                     \
	"namespaces:\n"                                                                                                \
	"  web:\n"                                                                                                     \
	"    interfaces:\n"                                                                                            \
	"      eth0: lan\n"                                                                                            \
	"      eth1: {bridge: dmz, address: 10.3.0.10, mtu: 1300, mac: \"02:00:00:00:03:0a\"}\n"                       \
	"    sysctl: {net.ipv4.tcp_syn_retries: 2, net.ipv4.conf.eth1.rp_filter: 1}\n"                                 \
	"  edge: {interfaces: {eth0: lan, eth1: {bridge: dmz, address: 10.3.0.1/24}}}\n"                               \
	"  app[1-3]:\n"                                                                                                \
	"    interfaces: {eth0: {bridge: dmz, address: 10.3.0.$(n+20)/24}}\n"                                          \
	"    routes: [{to: 192.0.2.0/24, via: $(edge.eth1)}]\n"                                                        \
	"links:\n"                                                                                                     \
	"  - {ends: [host:shop0, web:eth2], addresses: [10.9.0.1/30, 10.9.0.2/30]}\n"                                  \
	"  - {ends: [far:a, farther:b], mtu: 9000}\n"

static int setup(void **state)
{
	*state = wr_arena_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	wr_arena_free(*state);
	return 0;
}

static void test_names_and_marks(void **state)
{
	struct wr_model *model = read_good(*state, SHOP);
	struct wr_link *eth0 = get_link(model, "web", "eth0"), *port = eth0->peer, *bridge = port->master, *end;

	assert_string_equal(get_ns(model, "web")->pin, "shop.web");
	assert_string_equal(get_ns(model, "web")->alias, "warren:shop.web");
	assert_string_equal(get_ns(model, "web")->links[0]->name, "lo");
	assert_true(get_ns(model, "web")->links[0]->up);
	assert_string_equal(eth0->alias, "warren:shop.web.eth0");
	assert_null(eth0->altname);
	assert_int_equal(eth0->group, 0);
	assert_string_equal(port->name, "web.eth0");
	assert_string_equal(port->ifname, "shop-web-eth0");
	assert_string_equal(port->altname, "shop.web.eth0");
	assert_string_equal(port->alias, "warren:shop.web.eth0");
	assert_int_equal(port->group, wr_name_group("shop"));
	assert_ptr_equal(port->ns, wr_model_host(model));
	assert_ptr_equal(port->peer, eth0);
	assert_string_equal(bridge->ifname, "shop-lan");
	assert_string_equal(bridge->altname, "shop.lan");
	assert_string_equal(bridge->alias, "warren:shop.lan");
	assert_true(model->has_host_links);

	end = get_link(model, "host", "shop0");
	assert_string_equal(end->ifname, "shop0");
	assert_string_equal(end->altname, "shop.host.shop0");
	assert_string_equal(end->alias, "warren:shop.host.shop0");
	assert_ptr_equal(end->peer, get_link(model, "web", "eth2"));
	assert_addresses(model, "host", "shop0", "10.9.0.1/30");
	assert_addresses(model, "web", "eth2", "10.9.0.2/30");
}

static void test_private_bridge(void **state)
{
	struct wr_model *model = read_good(*state, SHOP);
	struct wr_ns *dmz = get_ns(model, "dmz");
	struct wr_link *port = get_link(model, "app2", "eth0")->peer;

	assert_true(dmz->is_bridge);
	assert_string_equal(dmz->pin, "shop.dmz");
	assert_string_equal(get_link(model, "dmz", "dmz")->ifname, "dmz");
	assert_null(get_link(model, "dmz", "dmz")->altname);
	assert_ptr_equal(port->ns, dmz);
	assert_ptr_equal(port->master, get_link(model, "dmz", "dmz"));
	assert_string_equal(port->ifname, "app2-eth0");
	assert_null(port->altname);
	assert_int_equal(port->group, 0);
	assert_int_equal(get_link(model, "dmz", "dmz")->n_addresses, 0);
}

static void test_macs(void **state)
{
	struct wr_model *model = read_good(*state, SHOP);
	struct wr_mac derived = wr_name_mac("shop", "web", "eth0", ""),
		      port = wr_name_mac("shop", "web", "eth0", "port");
	struct wr_mac bridge = wr_name_mac("shop", "lan", NULL, "bridge");
	struct wr_link *eth0 = get_link(model, "web", "eth0");
	char text[WR_MAC_TEXT_MAX];

	assert_memory_equal(eth0->mac.bytes, derived.bytes, 6);
	assert_memory_equal(eth0->peer->mac.bytes, port.bytes, 6);
	assert_memory_equal(eth0->peer->master->mac.bytes, bridge.bytes, 6);
	assert_true(eth0->mac_set && !eth0->mac_written);
	assert_true(get_link(model, "web", "eth1")->mac_written);
	assert_string_equal(wr_mac_format(&get_link(model, "web", "eth1")->mac, text), "02:00:00:00:03:0a");
	assert_false(get_link(model, "web", "lo")->mac_set);
}

static void test_mtus(void **state)
{
	struct wr_model *model = read_good(*state, SHOP);

	assert_int_equal(get_link(model, "web", "eth0")->mtu, 1500);
	assert_int_equal(model->bridges[0]->mtu, 0);
	assert_true(get_link(model, "web", "eth0")->peer->master->mtu_follows);
	assert_int_equal(get_link(model, "web", "eth1")->mtu, 1300);
	assert_int_equal(get_link(model, "web", "eth1")->peer->mtu, 1300);
	assert_int_equal(get_link(model, "edge", "eth1")->mtu, 1400);
	assert_int_equal(get_link(model, "far", "a")->mtu, 9000);
	assert_int_equal(get_link(model, "farther", "b")->mtu, 9000);
	assert_int_equal(get_link(model, "web", "lo")->mtu, 0);
}

static void test_addresses(void **state)
{
	struct wr_model *model = read_good(*state, SHOP);

	assert_addresses(model, "host", "lan", "10.2.0.1/24 fd00:2::1/64");
	assert_addresses(model, "web", "eth0", "10.2.0.2/24 fd00:2::2/64");
	assert_addresses(model, "edge", "eth0", "10.2.0.3/24 fd00:2::3/64");
	assert_addresses(model, "web", "eth1", "10.3.0.10/24");
	assert_addresses(model, "app3", "eth0", "10.3.0.23/24");
	assert_addresses(model, "far", "a", "");
	assert_true(get_link(model, "web", "eth0")->addresses[0].handed_out);
	assert_false(get_link(model, "web", "eth1")->addresses[0].handed_out);
	assert_true(get_link(model, "web", "eth1")->addresses[0].marked);
	assert_null(model->pending);
}

static void assert_route(const struct wr_ns *ns, size_t i, const char *to, const char *via, const char *dev,
			 uint32_t metric)
{
	char buffer[WR_PREFIX_TEXT_MAX];

	assert_true(i < ns->n_routes);
	assert_string_equal(wr_prefix_format(&ns->routes[i].to, buffer), to);
	assert_int_equal(ns->routes[i].n_hops, 1);
	if (via)
		assert_string_equal(wr_ip_format(&ns->routes[i].hops[0].via, buffer), via);
	else
		assert_int_equal(ns->routes[i].hops[0].via.family, 0);
	assert_string_equal(ns->routes[i].hops[0].dev, dev);
	assert_int_equal(ns->routes[i].metric, metric);
	assert_int_equal(ns->routes[i].protocol, WR_PROTOCOL);
}

static void test_default_routes(void **state)
{
	struct wr_model *model = read_good(*state, SHOP);
	struct wr_ns *web = get_ns(model, "web"), *edge = get_ns(model, "edge"), *app = get_ns(model, "app1");

	assert_int_equal(web->n_routes, 2);
	assert_route(web, 0, "0.0.0.0/0", "10.2.0.1", "eth0", 0);
	assert_route(web, 1, "::/0", "fd00:2::1", "eth0", 1024);
	assert_true(web->routes[0].is_default_route);
	assert_int_equal(edge->n_routes, 2); /* not through dmz, whose gateway it is */
	assert_route(edge, 0, "0.0.0.0/0", "10.2.0.1", "eth0", 0);
	assert_true(edge->forward);
	assert_int_equal(app->n_routes, 2);
	assert_route(app, 0, "192.0.2.0/24", "10.3.0.1", "eth0", 0);
	assert_route(app, 1, "0.0.0.0/0", "10.3.0.1", "eth0", 0);
	assert_int_equal(get_ns(model, "far")->n_routes, 0);
}

static void test_no_default_route(void **state)
{
	struct wr_model *model = read_good(
		*state, "bridges: {l: {subnet: 10.0.0.0/24, host: true}, m: {subnet: 10.1.0.0/24, host: true}}\n"
			"namespaces:\n"
			"  a: {interfaces: {e: l}, routes: []}\n"
			"  b: {interfaces: {e: l}, routes: {to: 0.0.0.0/0, via: 10.0.0.77}}\n"
			"  c: {interfaces: {e: {bridge: l, address: none}, f: m}}\n"
			"  d: {interfaces: {e: {bridge: l, up: false}, f: m}}\n"
			"  g: {interfaces: {e: l}, routes: [{to: default, via: 10.0.0.77, table: 7}]}\n");

	assert_int_equal(get_ns(model, "a")->n_routes, 0);
	assert_int_equal(get_ns(model, "b")->n_routes, 1);
	assert_route(get_ns(model, "b"), 0, "0.0.0.0/0", "10.0.0.77", "e", 0);
	assert_route(get_ns(model, "c"), 0, "0.0.0.0/0", "10.1.0.1", "f", 0);
	assert_route(get_ns(model, "d"), 0, "0.0.0.0/0", "10.1.0.1", "f", 0);
	assert_int_equal(get_ns(model, "g")->n_routes, 2); /* a default of another table is another thing */
}

static void test_written_routes(void **state)
{
	struct wr_model *model = read_good(
		*state, "namespaces:\n"
			"  r: {interfaces: {a: {address: [10.1.0.1/24, \"fd01::1/64\"]}, b: {address: 10.2.0.1/32}}}\n"
			"  s:\n"
			"    interfaces: {e: {address: [10.1.0.2/24, \"fd01::2/64\"]}, f: {address: 10.2.0.2/32}}\n"
			"    routes:\n"
			"      - {to: default, via: $(r.a)}\n"
			"      - {to: 10.3.0.0/16, via: 10.2.0.1}\n" /* behind the next one */
			"      - {to: 10.2.0.1, dev: f, src: 10.2.0.2}\n"
			"      - {to: 10.4.0.0/16, via: [10.1.0.7, {via: 10.1.0.8, weight: 3}]}\n"
			"      - {to: 10.5.0.0/16, type: blackhole, table: 9, metric: 5}\n"
			"      - {to: \"fd09::/16\", via: \"fe80::1\", dev: e}\n"
			"links: [[r:a, s:e], [r:b, s:f]]\n");
	struct wr_ns *s = get_ns(model, "s");

	assert_int_equal(s->n_routes, 7);
	assert_route(s, 0, "10.2.0.1/32", NULL, "f", 0);
	assert_int_equal(s->routes[0].src.family, AF_INET);
	assert_int_equal(s->routes[1].type, RTN_BLACKHOLE);
	assert_int_equal(s->routes[1].n_hops, 0);
	assert_int_equal(s->routes[1].table, 9);
	assert_int_equal(s->routes[1].metric, 5);
	assert_route(s, 2, "0.0.0.0/0", "10.1.0.1", "e", 0);
	assert_route(s, 3, "::/0", "fd01::1", "e", 1024);
	assert_route(s, 4, "10.3.0.0/16", "10.2.0.1", "f", 0);
	assert_int_equal(s->routes[5].n_hops, 2);
	assert_int_equal(s->routes[5].hops[1].weight, 3);
	assert_string_equal(s->routes[5].hops[1].dev, "e");
	assert_route(s, 6, "fd09::/16", "fe80::1", "e", 1024);
}

static void test_extras(void **state)
{
	struct wr_model *model = read_good(
		*state, "bridges: {l: {subnet: [10.0.0.0/24, \"fd00::/64\"]}}\n"
			"namespaces:\n"
			"  a:\n"
			"    interfaces: {e: l}\n"
			"    rules: [{from: 10.0.0.0/24, table: 7}, {mark: 0x10/0xf0, table: main, priority: 9}]\n"
			"    neighbours: {address: $(b.e), mac: \"02:00:00:00:00:09\"}\n"
			"    dns: {servers: [9.9.9.9, $(b.e)], search: a.test}\n"
			"    hosts: {db: $(b.e), \"x.test\": [192.0.2.1, 192.0.2.2]}\n"
			"  b: {interfaces: {e: l}}\n");
	struct wr_ns *a = get_ns(model, "a");

	assert_int_equal(a->n_rules, 3); /* by mark alone: of both families */
	assert_int_equal(a->rules[0].priority, 1000);
	assert_int_equal(a->rules[0].table, 7);
	assert_int_equal(a->rules[1].priority, 9);
	assert_int_equal(a->rules[1].family, AF_INET);
	assert_int_equal(a->rules[2].family, AF_INET6);
	assert_int_equal(a->rules[2].mark, 0x10);
	assert_int_equal(a->rules[2].mask, 0xf0);
	assert_int_equal(a->n_neighbours, 1);
	assert_string_equal(a->neighbours[0].dev, "e");
	assert_int_equal(a->n_dns_servers, 2);
	assert_int_equal(a->n_hosts, 4);
	assert_non_null(strstr(a->hosts_file, "10.0.0.2\tdb\nfd00::2\tdb\n192.0.2.1\tx.test\n192.0.2.2\tx.test\n"));
	assert_false(a->hosts_is_link);
	assert_non_null(strstr(a->resolv_file, "nameserver 9.9.9.9\nnameserver 10.0.0.2\n"));
	assert_true(get_ns(model, "b")->hosts_is_link);
	assert_non_null(strstr(model->hosts_text, "10.0.0.2\tb b.net\n"));
}

static void test_settings(void **state)
{
	struct wr_model *model = read_good(*state, SHOP);
	struct wr_ns *web = get_ns(model, "web");

	assert_int_equal(get_link(model, "web", "eth1")->conf.value[WR_CONF_V4_RP_FILTER], 1);
	assert_int_equal(get_link(model, "web", "eth0")->conf.value[WR_CONF_V4_RP_FILTER], 0);
	assert_int_equal(web->n_sysctls, 1);
	assert_string_equal(web->sysctls[0].key, "net.ipv4.tcp_syn_retries");
	assert_int_equal(get_ns(model, "edge")->conf_all.value[WR_CONF_V4_FORWARDING], 1);
	assert_int_equal(web->conf_all.value[WR_CONF_V4_FORWARDING], 0);
}

static void test_hand_out_skips(void **state)
{
	struct wr_model *model =
		read_good(*state, "bridges: {l: {subnet: [10.0.0.0/29, 10.1.0.0/31, \"fd00::/127\"], host: 10.0.0.2}}\n"
				  "namespaces:\n"
				  "  a: {interfaces: {e: l}}\n"
				  "  b: {interfaces: {e: {bridge: l, address: 10.0.0.3}}}\n");

	/* Of a /31 and a /127 both addresses are usable; this machine takes the first. */
	assert_addresses(model, "host", "l", "10.0.0.2/29 10.1.0.0/31 fd00::/127");
	assert_addresses(model, "a", "e", "10.0.0.1/29 10.1.0.1/31 fd00::1/127");
	assert_addresses(model, "b", "e", "10.0.0.3/29");
}

/* What is up and marked keeps its address, whatever is added before it; unmarked or taken by a written one, it does not. */
static void test_leases(void **state)
{
	static const char first[] =
		"bridges: {l: {subnet: 10.0.0.0/24}}\nnamespaces: {b: {interfaces: {e: l}}, c: {interfaces: {e: l}}, "
		"d: {interfaces: {e: l}}, u: {interfaces: {e: l}}}\n";
	static const char second[] =
		"bridges: {l: {subnet: 10.0.0.0/24}}\nnamespaces: {a: {interfaces: {e: l}}, b: {interfaces: {e: l}}, "
		"x: {interfaces: {e: {bridge: l, address: 10.0.0.3}}}, c: {interfaces: {e: l}}, d: {interfaces: {e: "
		"l}}, "
		"u: {interfaces: {e: l}}}\n";
	struct wr_model *leases = read_good(*state, first), *model;
	WR_CLEANUP_TEXT struct wr_text messages = {0};

	get_link(leases, "u", "e")->addresses[0].marked = false;
	model = read_file(*state, second, sizeof second - 1, leases, &messages);
	assert_non_null(model);
	assert_addresses(model, "b", "e", "10.0.0.1/24");
	assert_addresses(model, "c", "e", "10.0.0.2/24");
	assert_addresses(model, "x", "e", "10.0.0.3/24");
	assert_addresses(model, "a", "e", "10.0.0.4/24"); /* the first free one: d's was taken by x */
	assert_addresses(model, "d", "e", "10.0.0.5/24");
	assert_addresses(model, "u", "e", "10.0.0.6/24");
}

static void test_references(void **state)
{
	struct wr_model *model = read_good(
		*state, "bridges: {l: {subnet: [10.0.0.0/24, \"fd00::/64\"], host: true}}\n"
			"namespaces:\n"
			"  a: {lo: {address: $(b.e)}, interfaces: {e: l}}\n" /* of one that is handed out */
			"  b: {interfaces: {e: l}}\n"
			"  c: {lo: {address: $(d.lo)}}\n"
			"  d: {lo: {address: 192.0.2.4}}\n"
			"  e[1-2]: {lo: {address: 192.0.2.1$n}, interfaces: {x: l}, dns: {servers: $(e$(3-n).lo)}}\n"
			"  f: {interfaces: {e: {bridge: l, address: none}}, dns: {servers: $(host.l)}}\n");
	char buffer[WR_IP_TEXT_MAX];

	assert_addresses(model, "a", "lo", "10.0.0.3/32 fd00::3/128");
	assert_addresses(model, "c", "lo", "192.0.2.4/32");
	assert_string_equal(wr_ip_format(&get_ns(model, "e1")->dns_servers[0], buffer), "192.0.2.12");
	assert_string_equal(wr_ip_format(&get_ns(model, "e2")->dns_servers[0], buffer), "192.0.2.11");
	assert_string_equal(wr_ip_format(&get_ns(model, "f")->dns_servers[0], buffer), "10.0.0.1");
}

static void test_cable_ranges(void **state)
{
	struct wr_model *model = read_good(
		*state, "links: [{ends: [\"r1:p[1-3]\", \"s[1-3]:eth0\"], addresses: [10.0.$n.1/24, 10.0.$n.2/24]}]\n");

	assert_int_equal(model->n_ns, 5);
	assert_int_equal(get_ns(model, "r1")->n_links, 4);
	assert_ptr_equal(get_link(model, "r1", "p3")->peer, get_link(model, "s3", "eth0"));
	assert_addresses(model, "r1", "p3", "10.0.3.1/24");
	assert_addresses(model, "s3", "eth0", "10.0.3.2/24");
}

static void test_prefix(void **state)
{
	struct wr_model *model = read_good(
		*state, "prefix: \"\"\nbridges: {br0: {host: true}}\nnamespaces: {red: {interfaces: {e: br0}}}\n");

	assert_string_equal(get_ns(model, "red")->pin, "red");
	assert_string_equal(get_ns(model, "red")->alias, "warren:net.red");
	assert_string_equal(get_link(model, "host", "br0")->ifname, "br0");
	assert_string_equal(get_link(model, "red", "e")->peer->ifname, "red-e");
	model = read_good(*state, "prefix: t-\nnamespaces: {red: {}}\n");
	assert_string_equal(get_ns(model, "red")->pin, "t-red");
}

/* Legal: two homes with one subnet, each behind a router of its own. */
static void test_equal_subnets_apart(void **state)
{
	read_good(*state, "bridges: {\"home[1-2]\": {subnet: 192.168.1.0/24}}\n"
			  "namespaces: {\"pc[1-2]\": {interfaces: {e: home$n}}}\n");
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(test_names_and_marks),
		WITH_ARENA(test_private_bridge),
		WITH_ARENA(test_macs),
		WITH_ARENA(test_mtus),
		WITH_ARENA(test_addresses),
		WITH_ARENA(test_default_routes),
		WITH_ARENA(test_no_default_route),
		WITH_ARENA(test_written_routes),
		WITH_ARENA(test_extras),
		WITH_ARENA(test_settings),
		WITH_ARENA(test_hand_out_skips),
		WITH_ARENA(test_leases),
		WITH_ARENA(test_references),
		WITH_ARENA(test_cable_ranges),
		WITH_ARENA(test_prefix),
		WITH_ARENA(test_equal_subnets_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
