/* Tests of model/compare.c: each property that matters makes a difference, and each that is left open does not. */
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"

static struct wr_prefix prefix_of(const char *text)
{
	struct wr_prefix prefix = {0};

	if (wr_prefix_parse(text, &prefix, NULL) < 0)
		fail_msg("no prefix: %s", text);
	return prefix;
}

static struct wr_ip ip_of(const char *text)
{
	return prefix_of(text).ip;
}

static void test_address(void **state)
{
	struct wr_address a = {.prefix = prefix_of("10.2.0.1/24"), .marked = true},
			  b = {.prefix = prefix_of("10.2.0.1/24")};

	assert_true(wr_address_same(&a, &b));
	b.prefix = prefix_of("10.2.0.1/25");
	assert_false(wr_address_same(&a, &b));
	b.prefix = prefix_of("10.2.0.2/24");
	assert_false(wr_address_same(&a, &b));
}

static struct wr_route a_route(struct wr_nexthop *hops, size_t n_hops)
{
	return (struct wr_route){.to = prefix_of("192.0.2.0/24"),
				 .type = RTN_UNICAST,
				 .protocol = WR_PROTOCOL,
				 .table = RT_TABLE_MAIN,
				 .hops = hops,
				 .n_hops = n_hops};
}

static void test_route_key(void **state)
{
	struct wr_nexthop hop = {.via = ip_of("10.3.0.1"), .dev = "eth0", .weight = 1};
	struct wr_route a = a_route(&hop, 1), b = a;

	assert_true(wr_route_same_key(&a, &b));
	b.type = RTN_BLACKHOLE;
	b.n_hops = 0;
	b.protocol = RTPROT_BOOT;
	assert_true(wr_route_same_key(&a, &b));
	assert_false(wr_route_equal(&a, &b));
	b = a;
	b.metric = 5;
	assert_false(wr_route_same_key(&a, &b));
	b = a;
	b.table = 100;
	assert_false(wr_route_same_key(&a, &b));
	b = a;
	b.to = prefix_of("192.0.2.0/25");
	assert_false(wr_route_same_key(&a, &b));
	a.to = prefix_of("0.0.0.0/0");
	b.to = prefix_of("::/0");
	assert_false(wr_route_same_key(&a, &b));
	/* The kernel has no host bits in a destination. */
	a.to = prefix_of("192.0.2.77/24");
	b.to = prefix_of("192.0.2.0/24");
	assert_true(wr_route_same_key(&a, &b));
}

static void test_route_equal(void **state)
{
	struct wr_nexthop hop = {.via = ip_of("10.3.0.1"), .dev = NULL, .weight = 1};
	struct wr_nexthop live_hop = {.via = ip_of("10.3.0.1"), .dev = "eth0", .weight = 1};
	struct wr_route a = a_route(&hop, 1), b = a_route(&live_hop, 1);

	assert_true(wr_route_equal(&a, &b)); /* the kernel found the interface */
	hop.dev = "eth0";
	assert_true(wr_route_equal(&a, &b));
	hop.dev = "eth1";
	assert_false(wr_route_equal(&a, &b));
	hop.dev = "eth0";
	live_hop.dev = NULL;
	assert_false(wr_route_equal(&a, &b));
	live_hop.dev = "eth0";
	live_hop.via = ip_of("10.3.0.2");
	assert_false(wr_route_equal(&a, &b));
	live_hop.via = (struct wr_ip){0};
	assert_false(wr_route_equal(&a, &b));
	live_hop.via = hop.via;
	live_hop.weight = 7; /* of one hop it says nothing */
	assert_true(wr_route_equal(&a, &b));
	b.protocol = RTPROT_STATIC;
	assert_false(wr_route_equal(&a, &b));
	b.protocol = WR_PROTOCOL;
	b.src = ip_of("10.3.0.9");
	assert_false(wr_route_equal(&a, &b));
	a.src = b.src;
	assert_true(wr_route_equal(&a, &b));
	b.n_hops = 0;
	assert_false(wr_route_equal(&a, &b));
}

static void test_multipath(void **state)
{
	struct wr_nexthop hops[] = {{ip_of("10.3.0.1"), NULL, 1}, {ip_of("10.3.0.2"), NULL, 5}};
	struct wr_nexthop live[] = {
		{ip_of("10.3.0.2"), "eth0", 5}, {ip_of("10.3.0.1"), "eth0", 1}, {ip_of("10.3.0.3"), "eth0", 1}};
	struct wr_route a = a_route(hops, 2), b = a_route(live, 2);

	assert_true(wr_route_equal(&a, &b)); /* in any order */
	live[0].weight = 4;
	assert_false(wr_route_equal(&a, &b));
	live[0].weight = 5;
	b.n_hops = 3;
	assert_false(wr_route_equal(&a, &b));
	b.n_hops = 2;
	live[0] = live[1]; /* one of them twice is not both */
	assert_false(wr_route_equal(&a, &b));
	hops[1] = hops[0];
	assert_true(wr_route_equal(&a, &b));
	live[0].via = ip_of("10.3.0.2");
	assert_false(wr_route_equal(&a, &b));
}

static void test_blackhole(void **state)
{
	struct wr_nexthop lo = {.dev = "lo", .weight = 1};
	struct wr_route a = a_route(NULL, 0), b = a_route(&lo, 1);

	a.type = b.type = RTN_BLACKHOLE;
	assert_true(wr_route_equal(&a, &b));
	b.type = RTN_UNREACHABLE;
	assert_false(wr_route_equal(&a, &b));
}

static void test_rule(void **state)
{
	const struct wr_rule first = {.family = AF_INET,
				      .protocol = WR_PROTOCOL,
				      .action = 1,
				      .priority = 1000,
				      .table = 100,
				      .from = prefix_of("10.2.0.0/24"),
				      .iif = "eth0",
				      .mark = 5};
	struct wr_rule a = first, b = first;

	assert_true(wr_rule_equal(&a, &b));
	b.mask = UINT32_MAX;
	assert_true(wr_rule_equal(&a, &b));
	b.mask = 0xff;
	assert_false(wr_rule_equal(&a, &b));
#define DIFFERS(change) b = first, change, assert_false(wr_rule_equal(&a, &b)), assert_false(wr_rule_equal(&b, &a))
	DIFFERS(b.family = AF_INET6);
	DIFFERS(b.protocol = 0);
	DIFFERS(b.action = 6);
	DIFFERS(b.priority = 1001);
	DIFFERS(b.table = 101);
	DIFFERS(b.from.length = 25);
	DIFFERS(b.from = prefix_of("10.3.0.0/24"));
	DIFFERS(b.from = (struct wr_prefix){0});
	DIFFERS(b.to = prefix_of("10.3.0.0/24"));
	DIFFERS(b.iif = NULL);
	DIFFERS(b.iif = "eth1");
	DIFFERS(b.oif = "eth1");
	DIFFERS(b.mark = 6);
	DIFFERS(b.mark = 0);
#undef DIFFERS
	b = first;
	b.iif = (char[]){"eth0"};
	b.from = prefix_of("10.2.0.9/24");
	assert_true(wr_rule_equal(&a, &b));
	b = first;
	b.to = prefix_of("0.0.0.0/0"); /* from anywhere is from anywhere */
	assert_true(wr_rule_equal(&a, &b));
}

static void test_sysctl_value(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{"1", "1", true},	  {"1", "2", false},
		{"1", "1\n", true},	  {"4096 131072 6291456", "4096\t131072\t6291456", true},
		{" 1  2 ", "1 2", true},  {"12", "1 2", false},
		{"1 2", "12", false},	  {"1 2", "1 2 3", false},
		{"", "", true},		  {" ", "", true},
		{"", "0", false},	  {"cubic", "cubic", true},
		{"cubic", "reno", false}, {"1", "10", false},
		{"1 ", "1 0", false},	  {NULL, NULL, true},
		{NULL, "1", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(wr_sysctl_value_equal(rows[i].a, rows[i].b), rows[i].equal);
		assert_int_equal(wr_sysctl_value_equal(rows[i].b, rows[i].a), rows[i].equal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),	     cmocka_unit_test(test_route_key),
		cmocka_unit_test(test_route_equal),  cmocka_unit_test(test_multipath),
		cmocka_unit_test(test_blackhole),    cmocka_unit_test(test_rule),
		cmocka_unit_test(test_sysctl_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
