/* Tests of model/want.c: the settings that namespaces and links are wanted with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "model/model.h"
#include "model/want.h"

#define U WR_CONF_UNSET

static int setup(void **state)
{
	struct wr_arena *arena = wr_arena_new();

	*state = arena ? wr_model_new(arena, "shop") : NULL;
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	wr_arena_free(((struct wr_model *)*state)->arena);
	return 0;
}

static void give(struct wr_link *link, uint8_t family)
{
	wr_link_add_address(link)->prefix.ip.family = family;
}

static struct wr_ns *add_ns(struct wr_model *model, const char *name, bool forward)
{
	struct wr_ns *ns = wr_model_add_ns(model, name);

	ns->forward = forward;
	wr_ns_add_link(ns, WR_LINK_LOOPBACK, "lo");
	return ns;
}

/* The settings in the order of wr_conf_rows, IPv4's that are 0 in every namespace of ours as one. In the host one of these is
 * said as well: v4_localnet. */
struct expected {
	int v4_forwarding, v4_rest, v6_forwarding, v6_disable, v6_accept_ra, v6_force, v4_localnet;
};

static void assert_conf(const struct wr_conf *conf, struct expected expected)
{
	assert_int_equal(conf->value[WR_CONF_V4_FORWARDING], expected.v4_forwarding);
	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		if (wr_conf_rows[id].in_namespace != U)
			assert_int_equal(conf->value[id], id == WR_CONF_V4_ROUTE_LOCALNET && expected.v4_rest == U
								  ? expected.v4_localnet
								  : expected.v4_rest);
	}
	assert_int_equal(conf->value[WR_CONF_V6_FORWARDING], expected.v6_forwarding);
	assert_int_equal(conf->value[WR_CONF_V6_DISABLE], expected.v6_disable);
	assert_int_equal(conf->value[WR_CONF_V6_ACCEPT_RA], expected.v6_accept_ra);
	assert_int_equal(conf->value[WR_CONF_V6_FORCE_FORWARDING], expected.v6_force);
}

static void assert_level(const struct wr_conf *conf, int v4_rest, int v4, int v6, int disable, int accept_ra)
{
	assert_int_equal(conf->value[WR_CONF_V4_FORWARDING], v4);
	assert_int_equal(conf->value[WR_CONF_V4_RP_FILTER], 0);
	assert_int_equal(conf->value[WR_CONF_V4_PROXY_ARP], 0);
	assert_int_equal(conf->value[WR_CONF_V4_ACCEPT_LOCAL], v4_rest);
	assert_int_equal(conf->value[WR_CONF_V4_ARP_IGNORE], v4_rest);
	assert_int_equal(conf->value[WR_CONF_V6_FORWARDING], v6);
	assert_int_equal(conf->value[WR_CONF_V6_DISABLE], disable);
	assert_int_equal(conf->value[WR_CONF_V6_ACCEPT_RA], accept_ra);
	assert_int_equal(conf->value[WR_CONF_V6_ACCEPT_DAD], accept_ra); /* nothing waits for what is known */
	assert_int_equal(conf->value[WR_CONF_V6_FORCE_FORWARDING], U);
}

static void test_namespace(void **state)
{
	struct wr_ns *ns = add_ns(*state, "web", false);
	struct wr_link *v4 = wr_ns_add_link(ns, WR_LINK_VETH, "eth0");

	give(v4, AF_INET);
	wr_model_want_conf(*state);
	assert_level(&ns->conf_all, 0, 0, 0, U, U);
	assert_level(&ns->conf_default, U, 0, 0, 1, U);
	assert_conf(&v4->conf, (struct expected){0, 0, U, 1, U, U, 0});
	assert_conf(&ns->links[0]->conf, (struct expected){U, U, U, U, U, U, U});
}

static void test_router(void **state)
{
	struct wr_ns *ns = add_ns(*state, "edge", true);
	struct wr_link *v4 = wr_ns_add_link(ns, WR_LINK_VETH, "eth0"), *both = wr_ns_add_link(ns, WR_LINK_VETH, "eth1");

	give(v4, AF_INET);
	give(both, AF_INET);
	give(both, AF_INET6);
	wr_model_want_conf(*state);
	assert_level(&ns->conf_all, 0, 1, 1, U, U);
	assert_level(&ns->conf_default, U, 1, 1, 0, 0);
	assert_conf(&v4->conf, (struct expected){1, 0, U, 1, U, U, 0});
	assert_conf(&both->conf, (struct expected){1, 0, U, 0, 0, U, 0});
}

static void test_router_v4(void **state)
{
	struct wr_ns *ns = add_ns(*state, "edge", true);

	give(wr_ns_add_link(ns, WR_LINK_VETH, "eth0"), AF_INET);
	wr_model_want_conf(*state);
	assert_level(&ns->conf_all, 0, 1, 0, U, U);
	assert_level(&ns->conf_default, U, 1, 0, 1, U);
}

/* An address of lo counts, and lo must take it. */
static void test_loopback_v6(void **state)
{
	struct wr_ns *ns = add_ns(*state, "r1", true);

	give(ns->links[0], AF_INET6);
	wr_model_want_conf(*state);
	assert_level(&ns->conf_all, 0, 1, 1, U, U);
	assert_level(&ns->conf_default, U, 1, 1, 0, 0);
	assert_conf(&ns->links[0]->conf, (struct expected){U, U, U, 0, U, U, U});
}

static void test_bridge_namespace(void **state)
{
	struct wr_ns *ns = add_ns(*state, "dmz", false);
	struct wr_link *bridge = wr_ns_add_link(ns, WR_LINK_BRIDGE, "dmz"),
		       *port = wr_ns_add_link(ns, WR_LINK_VETH, "web-eth1");

	ns->is_bridge = true;
	port->master = bridge;
	wr_model_want_conf(*state);
	assert_level(&ns->conf_all, 0, 0, 0, U, U);
	assert_level(&ns->conf_default, U, 0, 0, 1, U);
	assert_conf(&bridge->conf, (struct expected){0, 0, U, 1, U, U, 0});
	assert_conf(&port->conf, (struct expected){0, 0, U, 1, U, U, 0});
}

/* What is written stays. */
static void test_written(void **state)
{
	struct wr_ns *ns = add_ns(*state, "web", false);
	struct wr_link *link = wr_ns_add_link(ns, WR_LINK_VETH, "eth0");
	struct wr_place place = {0};

	give(link, AF_INET6);
	wr_ns_set_sysctl(ns, NULL, "net.ipv4.conf.eth0.rp_filter", "2", place);
	wr_ns_set_sysctl(ns, NULL, "net.ipv4.conf.default.rp_filter", "1", place);
	wr_ns_set_sysctl(ns, NULL, "net.ipv6.conf.eth0.accept_ra", "1", place);
	wr_ns_set_sysctl(ns, NULL, "net.ipv6.conf.default.disable_ipv6", "1", place);
	wr_model_want_conf(*state);
	assert_int_equal(link->conf.value[WR_CONF_V4_RP_FILTER], 2);
	assert_int_equal(ns->conf_default.value[WR_CONF_V4_RP_FILTER], 1);
	assert_int_equal(ns->conf_all.value[WR_CONF_V4_RP_FILTER], 0);
	assert_int_equal(link->conf.value[WR_CONF_V6_ACCEPT_RA], 1);
	assert_int_equal(ns->conf_default.value[WR_CONF_V6_DISABLE], 1);
	assert_int_equal(link->conf.value[WR_CONF_V6_DISABLE], 0);
}

/* A switch of `all` that the kernel carries to every interface is wanted there too, but for what is written of one. */
static void test_written_all(void **state)
{
	struct wr_ns *ns = add_ns(*state, "web", false);
	struct wr_link *a = wr_ns_add_link(ns, WR_LINK_VETH, "eth0"), *b = wr_ns_add_link(ns, WR_LINK_VETH, "eth1");
	struct wr_place place = {0};

	wr_ns_set_sysctl(ns, NULL, "net.ipv4.ip_forward", "1", place);
	wr_ns_set_sysctl(ns, NULL, "net.ipv6.conf.all.forwarding", "1", place);
	wr_ns_set_sysctl(ns, NULL, "net.ipv6.conf.all.disable_ipv6", "0", place);
	wr_ns_set_sysctl(ns, NULL, "net.ipv4.conf.eth1.forwarding", "0", place);
	wr_ns_set_sysctl(ns, NULL, "net.ipv6.conf.eth1.disable_ipv6", "1", place);
	wr_model_want_conf(*state);
	assert_level(&ns->conf_all, 0, 1, 1, 0, U);
	assert_level(&ns->conf_default, U, 1, 1, 0, 0);
	assert_conf(&a->conf, (struct expected){1, 0, U, 0, 0, U, 0});
	assert_conf(&b->conf, (struct expected){0, 0, U, 1, U, U, 0});
}

/* In the host: only the network's own links, and forwarding only where there is something to forward between. */
static void test_host(void **state)
{
	struct wr_model *model = *state;
	struct wr_ns *host = wr_model_host(model);
	struct wr_link *lan = wr_ns_add_link(host, WR_LINK_BRIDGE, "lan"),
		       *port = wr_ns_add_link(host, WR_LINK_VETH, "web.eth0");
	struct wr_link *cable;

	port->master = lan;
	give(lan, AF_INET);
	wr_model_want_conf(model);
	assert_conf(&lan->conf, (struct expected){U, U, U, 1, 0, U, 0});
	assert_conf(&port->conf, (struct expected){U, U, U, 1, U, U, U});
	assert_conf(&host->conf_all, (struct expected){U, U, U, U, U, U, U});
	assert_conf(&host->conf_default, (struct expected){U, U, U, U, U, U, U});
	cable = wr_ns_add_link(host, WR_LINK_VETH, "shop0");
	give(cable, AF_INET);
	give(cable, AF_INET6);
	wr_model_want_conf(model);
	assert_conf(&lan->conf, (struct expected){1, U, U, 1, 0, U, 0});
	assert_conf(&cable->conf, (struct expected){1, U, U, 0, 0, 1, 0});
	assert_conf(&port->conf, (struct expected){U, U, U, 1, U, U, U});
}

/* One bridge has nothing to forward to but the outside. */
static void test_host_to_the_outside(void **state)
{
	struct wr_model *model = *state;
	struct wr_ns *host = wr_model_host(model), *web = add_ns(model, "web", false);
	struct wr_link *lan = wr_ns_add_link(host, WR_LINK_BRIDGE, "lan");
	struct wr_bridge bridge = {.name = "lan", .host = true, .link = lan}, *bridges[] = {&bridge};
	struct wr_publish publish = {.via = {lan, NULL}};
	struct wr_nat nat = {0};

	give(lan, AF_INET);
	give(lan, AF_INET6);
	model->bridges = bridges;
	model->n_bridges = 1;
	wr_model_want_conf(model);
	assert_conf(&lan->conf, (struct expected){U, U, U, 0, 0, U, 0});
	wr_conf_clear(&lan->conf);
	bridge.nat = &nat;
	wr_model_want_conf(model);
	assert_conf(&lan->conf, (struct expected){1, U, U, 0, 0, 1, 0});
	wr_conf_clear(&lan->conf);
	bridge.nat = NULL;
	bridge.routed = true;
	wr_model_want_conf(model);
	assert_conf(&lan->conf, (struct expected){1, U, U, 0, 0, 1, 0});
	wr_conf_clear(&lan->conf);
	bridge.routed = false;
	web->publishes = &publish;
	web->n_publishes = 1;
	wr_model_want_conf(model);
	assert_conf(&lan->conf, (struct expected){1, U, U, 0, 0, 1, 1});
	/* Reached at another address, or from one interface: 127.0.0.1 stays out. */
	wr_conf_clear(&lan->conf);
	publish.host = (struct wr_ip){.family = AF_INET, .bytes = {192, 0, 2, 1}};
	wr_model_want_conf(model);
	assert_conf(&lan->conf, (struct expected){1, U, U, 0, 0, 1, 0});
	wr_conf_clear(&lan->conf);
	publish.host.bytes[0] = 127;
	wr_model_want_conf(model);
	assert_conf(&lan->conf, (struct expected){1, U, U, 0, 0, 1, 1});
	wr_conf_clear(&lan->conf);
	publish.host = (struct wr_ip){0};
	publish.in = "eth0";
	wr_model_want_conf(model);
	assert_conf(&lan->conf, (struct expected){1, U, U, 0, 0, 1, 0});
}

#define WITH_MODEL(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_MODEL(test_namespace),	      WITH_MODEL(test_router),
		WITH_MODEL(test_router_v4),	      WITH_MODEL(test_loopback_v6),
		WITH_MODEL(test_bridge_namespace),    WITH_MODEL(test_written),
		WITH_MODEL(test_written_all),	      WITH_MODEL(test_host),
		WITH_MODEL(test_host_to_the_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
