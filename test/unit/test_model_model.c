/* Tests of model/model.c: what a new model, namespace and link are, and where sysctls go. */
#include <errno.h>
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

static bool is_clear(const struct wr_conf *conf)
{
	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		if (conf->value[id] != WR_CONF_UNSET)
			return false;
	}
	return true;
}

static void test_new(void **state)
{
	struct wr_model *model = *state;
	struct wr_ns *host = wr_model_host(model);

	assert_string_equal(model->name, "shop");
	assert_string_equal(model->ns_prefix, "shop.");
	assert_string_equal(model->link_prefix, "shop-");
	assert_true(wr_model_has_name_prefix(model));
	model->ns_prefix = "";
	assert_false(wr_model_has_name_prefix(model));
	assert_int_equal(model->n_ns, 1);
	assert_ptr_equal(model->ns[0], host);
	assert_true(host->is_host);
	assert_false(host->ours);
	assert_null(host->pin);
	assert_string_equal(host->name, WR_HOST_NAME);
	assert_ptr_equal(wr_model_find_ns(model, "host"), host);
	assert_null(wr_model_find_ns(model, "web"));
	assert_true(is_clear(&model->inherited.ns_all) && is_clear(&model->inherited.ns_lo));
	assert_true(is_clear(&model->inherited.ns_default) && is_clear(&model->inherited.host_default));
}

static void test_add(void **state)
{
	struct wr_model *model = *state;
	char name[] = "web";
	struct wr_ns *web = wr_model_add_ns(model, name), *again;
	struct wr_link *lo = wr_ns_add_link(web, WR_LINK_LOOPBACK, "lo"),
		       *eth0 = wr_ns_add_link(web, WR_LINK_VETH, "eth0");
	struct wr_link *lan = wr_ns_add_link(wr_model_host(model), WR_LINK_BRIDGE, "lan");

	memset(name, 'x', 3); /* the model has its own */
	assert_string_equal(web->name, "web");
	assert_ptr_equal(wr_model_find_ns(model, "web"), web);
	assert_ptr_equal(web->model, model);
	assert_true(web->ours && !web->is_host && !web->pin && !web->alias);
	assert_true(is_clear(&web->conf_all) && is_clear(&web->conf_default));
	assert_int_equal(web->n_links, 2);
	assert_ptr_equal(eth0->ns, web);
	assert_string_equal(eth0->ifname, "eth0");
	assert_true(eth0->ours && !eth0->up && !eth0->mac_set && eth0->mtu == 0 && !eth0->alias && !eth0->bridge);
	assert_int_equal(eth0->addr_gen_mode, -1);
	assert_true(is_clear(&eth0->conf));
	assert_int_equal(lan->bridge->stp, -1);
	assert_int_equal(lan->bridge->forward_delay, -1);
	assert_int_equal(lan->bridge->ageing, -1);
	assert_int_equal(lan->bridge->group_fwd_mask, -1);
	assert_int_equal(lan->bridge->mcast_snooping, -1);
	assert_ptr_equal(wr_ns_find_link(web, "eth0"), eth0);
	assert_null(wr_ns_find_link(web, "eth1"));
	assert_ptr_equal(wr_ns_loopback(web), lo);
	assert_null(wr_ns_loopback(wr_model_host(model)));
	/* The first owner of a name keeps it. */
	again = wr_model_add_ns(model, "web");
	assert_ptr_not_equal(again, web);
	assert_ptr_equal(wr_model_find_ns(model, "web"), web);
	assert_int_equal(model->n_ns, 3);
}

/* The parts of a live model are nobody's until they are looked at. */
static void test_live(void **state)
{
	struct wr_model *model = *state;
	struct wr_ns *ns;
	struct wr_link *link;

	model->live = true;
	ns = wr_model_add_ns(model, "web");
	link = wr_ns_add_link(ns, WR_LINK_VETH, "eth0");
	assert_false(ns->ours);
	assert_false(link->ours);
	assert_false(wr_link_add_address(link)->marked);
	assert_int_equal(wr_ns_add_route(ns)->protocol, 0);
	assert_int_equal(wr_ns_add_rule(ns)->protocol, 0);
	assert_int_equal(wr_ns_add_neighbour(ns)->protocol, 0);
}

static void test_lists(void **state)
{
	struct wr_model *model = *state;
	struct wr_ns *ns = wr_model_add_ns(model, "web");
	struct wr_link *link = wr_ns_add_link(ns, WR_LINK_VETH, "eth0");

	for (uint32_t i = 0; i < 1000; i++) {
		struct wr_address *address = wr_link_add_address(link);
		struct wr_route *route = wr_ns_add_route(ns);
		struct wr_rule *rule = wr_ns_add_rule(ns);
		struct wr_neighbour *neighbour = wr_ns_add_neighbour(ns);

		assert_true(address->marked && address->prefix.ip.family == 0);
		assert_true(route->table == 254 && route->type == 1 && route->protocol == WR_PROTOCOL &&
			    route->n_hops == 0);
		assert_true(rule->table == 254 && rule->action == 1 && rule->protocol == WR_PROTOCOL && !rule->iif);
		assert_int_equal(neighbour->protocol, WR_PROTOCOL);
		address->place.line = route->metric = rule->priority = neighbour->place.line = i;
	}
	assert_int_equal(link->n_addresses, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(link->addresses[i].place.line, i);
		assert_int_equal(ns->routes[i].metric, i);
		assert_int_equal(ns->rules[i].priority, i);
		assert_int_equal(ns->neighbours[i].place.line, i);
	}
}

static void test_family(void **state)
{
	struct wr_link *link = wr_ns_add_link(wr_model_host(*state), WR_LINK_VETH, "eth0");

	assert_false(wr_link_has_family(link, AF_INET));
	wr_link_add_address(link)->prefix.ip.family = AF_INET;
	assert_true(wr_link_has_family(link, AF_INET));
	assert_false(wr_link_has_family(link, AF_INET6));
	wr_link_add_address(link)->prefix.ip.family = AF_INET6;
	assert_true(wr_link_has_family(link, AF_INET6));
}

static void test_sysctl_conf(void **state)
{
	struct wr_ns *ns = wr_model_add_ns(*state, "web");
	struct wr_link *eth0 = wr_ns_add_link(ns, WR_LINK_VETH, "eth0"),
		       *dotted = wr_ns_add_link(ns, WR_LINK_VETH, "eth0.1");
	struct wr_place place = {3, 4};
	static const struct {
		const char *value;
		int wanted; /* WR_CONF_UNSET: refused */
	} values[] = {
		{"0", 0},
		{"1", 1},
		{" 2 ", 2},
		{"-1", -1},
		{"0x10", 16},
		{"32767", 32767},
		{"3\n", 3},
		{"010", 8},
		{"32768", WR_CONF_UNSET},
		{"-32768", WR_CONF_UNSET},
		{"", WR_CONF_UNSET},
		{"yes", WR_CONF_UNSET},
		{"1 2", WR_CONF_UNSET},
		{"1x", WR_CONF_UNSET},
		{"99999999999999999999", WR_CONF_UNSET},
		{"+1", WR_CONF_UNSET},
		{"-", WR_CONF_UNSET},
		{" ", WR_CONF_UNSET},
		{"0x", WR_CONF_UNSET},
	};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		int16_t before = ns->conf_all.value[WR_CONF_V4_FORWARDING];
		int r = wr_ns_set_sysctl(ns, NULL, "net.ipv4.ip_forward", values[i].value, place);

		assert_int_equal(r, values[i].wanted == WR_CONF_UNSET ? -EINVAL : 0);
		assert_int_equal(ns->conf_all.value[WR_CONF_V4_FORWARDING], r < 0 ? before : values[i].wanted);
	}
	assert_int_equal(wr_ns_set_sysctl(ns, NULL, "net.ipv6.conf.default.accept_ra", "2", place), 0);
	assert_int_equal(ns->conf_default.value[WR_CONF_V6_ACCEPT_RA], 2);
	assert_int_equal(wr_ns_set_sysctl(ns, NULL, "net.ipv4.conf.eth0.rp_filter", "2", place), 0);
	assert_int_equal(eth0->conf.value[WR_CONF_V4_RP_FILTER], 2);
	assert_int_equal(wr_ns_set_sysctl(ns, dotted, "net.ipv4.conf.eth0/1.rp_filter", "1", place), 0);
	assert_int_equal(dotted->conf.value[WR_CONF_V4_RP_FILTER], 1);
	/* A key that names another interface than the one under which it stands means what it says. */
	assert_int_equal(wr_ns_set_sysctl(ns, dotted, "net.ipv4.conf.eth0.rp_filter", "0", place), 0);
	assert_int_equal(eth0->conf.value[WR_CONF_V4_RP_FILTER], 0);
	assert_int_equal(wr_ns_set_sysctl(ns, NULL, "net.ipv4.conf.eth9.rp_filter", "0", place), -ENOENT);
	/* Not read is not set. */
	assert_int_equal(wr_ns_set_sysctl(ns, NULL, "net.ipv4.conf.eth0.arp_ignore", NULL, place), 0);
	assert_int_equal(eth0->conf.value[WR_CONF_V4_ARP_IGNORE], WR_CONF_UNSET);
	assert_int_equal(ns->n_sysctls + eth0->n_sysctls + dotted->n_sysctls, 0);
}

static void test_sysctl_list(void **state)
{
	struct wr_ns *ns = wr_model_add_ns(*state, "web");
	struct wr_link *eth0 = wr_ns_add_link(ns, WR_LINK_VETH, "eth0");
	struct wr_place place = {3, 4};
	char key[] = "net.ipv4.tcp_syn_retries", value[] = "2";

	assert_int_equal(wr_ns_set_sysctl(ns, NULL, key, value, place), 0);
	memset(key, 'x', 3);
	value[0] = '9';
	assert_int_equal(ns->n_sysctls, 1);
	assert_string_equal(ns->sysctls[0].key, "net.ipv4.tcp_syn_retries");
	assert_string_equal(ns->sysctls[0].value, "2");
	assert_int_equal(ns->sysctls[0].place.line, 3);
	assert_int_equal(wr_ns_set_sysctl(ns, NULL, "net.ipv4.tcp_rmem", "1 2 3", place), 0);
	assert_int_equal(wr_ns_set_sysctl(ns, NULL, "net.ipv4.tcp_syn_retries", "4", place), 0);
	assert_int_equal(ns->n_sysctls, 2);
	assert_string_equal(ns->sysctls[0].value, "4");
	assert_int_equal(wr_ns_set_sysctl(ns, eth0, "net.ipv4.conf.eth0.log_martians", "1", place), 0);
	assert_int_equal(ns->n_sysctls, 2);
	assert_int_equal(eth0->n_sysctls, 1);
	assert_int_equal(wr_ns_set_sysctl(ns, NULL, "net.core.somaxconn", NULL, place), 0);
	assert_null(ns->sysctls[2].value);
}

static void test_kind_names(void **state)
{
	static const char *const names[] = {"loopback", "veth", "bridge", "other"};

	assert_int_equal(sizeof names / sizeof names[0], WR_LINK_KIND_COUNT_);
	for (int kind = 0; kind < WR_LINK_KIND_COUNT_; kind++)
		assert_string_equal(wr_link_kind_name((enum wr_link_kind)kind), names[kind]);
}

#define WITH_MODEL(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_MODEL(test_new),	      WITH_MODEL(test_add),	   WITH_MODEL(test_live),
		WITH_MODEL(test_lists),	      WITH_MODEL(test_family),	   WITH_MODEL(test_sysctl_conf),
		WITH_MODEL(test_sysctl_list), WITH_MODEL(test_kind_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
