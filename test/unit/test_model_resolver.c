/* Tests of model/resolver.c: the texts, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "model/model.h"
#include "model/resolver.h"

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

static void give(struct wr_link *link, const char *prefix)
{
	if (wr_prefix_parse(prefix, &wr_link_add_address(link)->prefix, NULL) < 0)
		fail_msg("no prefix: %s", prefix);
}

#define FIRST "# made by warren for network shop\n127.0.0.1\tlocalhost\n"
#define SIX   "::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"

static void assert_hosts(const struct wr_model *model, const char *machine, const char *wanted)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};

	wr_resolver_hosts(model, machine, &text);
	assert_string_equal(wr_text_string(&text), wanted);
}

static void test_machine(void **state)
{
	assert_hosts(*state, "burrow", FIRST "127.0.1.1\tburrow\n" SIX);
	assert_hosts(*state, "burrow.hill.test", FIRST "127.0.1.1\tburrow.hill.test burrow\n" SIX);
	assert_hosts(*state, "", FIRST SIX);
	assert_hosts(*state, NULL, FIRST SIX);
	assert_hosts(*state, "localhost", FIRST SIX);
	assert_hosts(*state, "bad name", FIRST SIX);
	assert_hosts(*state, "bad\nname", FIRST SIX);
	/* A namespace called like the machine is meant. */
	wr_model_add_ns(*state, "burrow");
	assert_hosts(*state, "burrow", FIRST SIX);
}

static void test_namespaces(void **state)
{
	struct wr_model *model = *state;
	struct wr_ns *web = wr_model_add_ns(model, "web"), *bridge, *r1;
	struct wr_link *lo, *eth0;

	give(wr_ns_add_link(wr_model_host(model), WR_LINK_BRIDGE, "lan"), "10.2.0.1/24");
	wr_ns_add_link(web, WR_LINK_LOOPBACK, "lo");
	eth0 = wr_ns_add_link(web, WR_LINK_VETH, "eth0");
	give(eth0, "10.2.0.2/24");
	give(eth0, "fd00:2::2/64");
	give(eth0, "fe80::1/64"); /* means nothing without its interface */
	give(wr_ns_add_link(web, WR_LINK_VETH, "eth1"), "10.3.0.10/24");
	bridge = wr_model_add_ns(model, "dmz");
	bridge->is_bridge = true;
	give(wr_ns_add_link(bridge, WR_LINK_BRIDGE, "dmz"), "10.3.0.254/24");
	r1 = wr_model_add_ns(model, "r1");
	lo = wr_ns_add_link(r1, WR_LINK_LOOPBACK, "lo");
	give(lo, "127.0.0.9/8");
	give(lo, "192.168.255.1/32");
	give(wr_ns_add_link(r1, WR_LINK_VETH, "a"), "10.10.1.1/24");
	wr_model_add_ns(model, "mute");
	assert_hosts(model, "burrow",
		     FIRST "127.0.1.1\tburrow\n" SIX "10.2.0.2\tweb web.shop\n"
			   "fd00:2::2\tweb web.shop\n"
			   "10.3.0.10\tweb web.shop\n"
			   "10.10.1.1\tr1 r1.shop\n"
			   "192.168.255.1\tr1 r1.shop\n");
}

static void test_own_hosts(void **state)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};
	struct wr_ns *web = wr_model_add_ns(*state, "web");
	struct wr_hostname hosts[] = {{.name = "db.test"}, {.name = "db.test"}};

	wr_ip_parse("10.9.9.9", &hosts[0].ip);
	wr_ip_parse("fd00::9", &hosts[1].ip);
	web->hosts = hosts;
	web->n_hosts = 2;
	give(wr_ns_add_link(web, WR_LINK_VETH, "eth0"), "10.2.0.2/24");
	wr_resolver_hosts_of(web, NULL, &text);
	assert_string_equal(wr_text_string(&text),
			    FIRST SIX "10.2.0.2\tweb web.shop\n10.9.9.9\tdb.test\nfd00::9\tdb.test\n");
}

static void test_conf(void **state)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};
	struct wr_ns *web = wr_model_add_ns(*state, "web");
	struct wr_ip servers[2];
	const char *search[] = {"shop.test", "test"};

	wr_resolver_conf_of(web, &text);
	assert_string_equal(wr_text_string(&text), "# made by warren for network shop\n");
	wr_text_done(&text);
	wr_ip_parse("9.9.9.9", &servers[0]);
	wr_ip_parse("2620:fe::fe", &servers[1]);
	web->dns_servers = servers;
	web->n_dns_servers = 2;
	web->dns_search = search;
	web->n_dns_search = 2;
	wr_resolver_conf_of(web, &text);
	assert_string_equal(wr_text_string(&text), "# made by warren for network shop\nsearch shop.test test\n"
						   "nameserver 9.9.9.9\nnameserver 2620:fe::fe\n");
}

#define WITH_MODEL(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_MODEL(test_machine),
		WITH_MODEL(test_namespaces),
		WITH_MODEL(test_own_hosts),
		WITH_MODEL(test_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
