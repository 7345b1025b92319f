/* Tests of model/conf.c: the table is whole, and names of sysctls go both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "model/conf.h"

static void test_rows(void **state)
{
	for (int i = 0; i < WR_CONF_COUNT_; i++) {
		const struct wr_conf_row *row = &wr_conf_rows[i];

		assert_non_null(row->name);
		assert_non_null(row->meaning);
		assert_true(row->family == AF_INET || row->family == AF_INET6);
		for (int j = 0; j < i; j++) {
			if (wr_conf_rows[j].family == row->family) {
				assert_int_not_equal(wr_conf_rows[j].devconf, row->devconf);
				assert_string_not_equal(wr_conf_rows[j].name, row->name);
			}
		}
	}
}

/* The kernel's numbers, as seen in the link dumps of a 6.18: each was set through its file and looked up in the dump. */
static void test_numbers(void **state)
{
	static const struct {
		enum wr_conf_id id;
		uint8_t devconf;
	} rows[] = {
		{WR_CONF_V4_FORWARDING, 0},    {WR_CONF_V4_RP_FILTER, 7},	  {WR_CONF_V4_PROXY_ARP, 2},
		{WR_CONF_V4_ACCEPT_LOCAL, 22}, {WR_CONF_V4_ROUTE_LOCALNET, 25},	  {WR_CONF_V4_ARP_FILTER, 12},
		{WR_CONF_V4_ARP_ANNOUNCE, 17}, {WR_CONF_V4_ARP_IGNORE, 18},	  {WR_CONF_V4_PROMOTE_SECONDARIES, 19},
		{WR_CONF_V6_FORWARDING, 0},    {WR_CONF_V6_DISABLE, 26},	  {WR_CONF_V6_ACCEPT_RA, 3},
		{WR_CONF_V6_ACCEPT_DAD, 27},   {WR_CONF_V6_FORCE_FORWARDING, 59},
	};

	assert_int_equal(sizeof rows / sizeof rows[0], WR_CONF_COUNT_);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(wr_conf_rows[rows[i].id].devconf, rows[i].devconf);
}

static void test_parse_key(void **state)
{
	static const struct {
		const char *key;
		int id;
		const char *scope;
	} rows[] = {
		{"net.ipv4.conf.all.forwarding", WR_CONF_V4_FORWARDING, "all"},
		{"net.ipv4.ip_forward", WR_CONF_V4_FORWARDING, "all"},
		{"net.ipv4.conf.default.rp_filter", WR_CONF_V4_RP_FILTER, "default"},
		{"net.ipv4.conf.eth0.arp_ignore", WR_CONF_V4_ARP_IGNORE, "eth0"},
		{"net.ipv4.conf.eth0/100.arp_filter", WR_CONF_V4_ARP_FILTER, "eth0.100"},
		{"net.ipv4.conf.a/b/c.proxy_arp", WR_CONF_V4_PROXY_ARP, "a.b.c"},
		{"net.ipv6.conf.eth0.forwarding", WR_CONF_V6_FORWARDING, "eth0"},
		{"net.ipv6.conf.abcdefghijklmno.disable_ipv6", WR_CONF_V6_DISABLE, "abcdefghijklmno"},
		{"net.ipv6.conf.all.force_forwarding", WR_CONF_V6_FORCE_FORWARDING, "all"},
		{"net.ipv6.conf.abcdefghijklmnop.disable_ipv6", -1, NULL},
		{"net.ipv4.conf..forwarding", -1, NULL},
		{"net.ipv4.conf.eth0.", -1, NULL},
		{"net.ipv4.conf.eth0", -1, NULL},
		{"net.ipv4.conf.", -1, NULL},
		{"net.ipv4.conf", -1, NULL},
		{"net.ipv4.conf.eth0.100.forwarding", -1, NULL},
		{"net.ipv4.conf.eth0.log_martians", -1, NULL},
		{"net.ipv4.conf.eth0.disable_ipv6", -1, NULL},
		{"net.ipv6.conf.eth0.rp_filter", -1, NULL},
		{"net.ipv4.ip_forward2", -1, NULL},
		{"net.ipv4.tcp_syn_retries", -1, NULL},
		{"net.ipv5.conf.eth0.forwarding", -1, NULL},
		{"forwarding", -1, NULL},
		{"", -1, NULL},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char scope[16] = "untouched";

		assert_int_equal(wr_conf_parse_key(rows[i].key, scope), rows[i].id);
		assert_string_equal(scope, rows[i].scope ? rows[i].scope : "untouched");
	}
}

static void test_key(void **state)
{
	static const char *const scopes[] = {"all",	 "default",	    "eth0",
					     "eth0.100", "abcdefghijklmno", "a.b.c.d.e.f.g.h"};
	char buffer[80], scope[16];

	assert_string_equal(wr_conf_key(WR_CONF_V4_RP_FILTER, "eth0.1", buffer), "net.ipv4.conf.eth0/1.rp_filter");
	assert_string_equal(wr_conf_key(WR_CONF_V6_DISABLE, "default", buffer), "net.ipv6.conf.default.disable_ipv6");
	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
			assert_ptr_equal(wr_conf_key((enum wr_conf_id)id, scopes[i], buffer), buffer);
			assert_int_equal(wr_conf_parse_key(buffer, scope), id);
			assert_string_equal(scope, scopes[i]);
		}
	}
}

static void test_differs(void **state)
{
	struct wr_conf wanted, live;

	wr_conf_clear(&wanted);
	wr_conf_clear(&live);
	for (int i = 0; i < WR_CONF_COUNT_; i++) {
		enum wr_conf_id id = (enum wr_conf_id)i;

		assert_int_equal(wanted.value[id], WR_CONF_UNSET);
		assert_false(wr_conf_differs(&wanted, &live, id));
		live.value[id] = 1;
		assert_false(wr_conf_differs(&wanted, &live, id));
		wanted.value[id] = 1;
		assert_false(wr_conf_differs(&wanted, &live, id));
		wanted.value[id] = 0;
		assert_true(wr_conf_differs(&wanted, &live, id));
		live.value[id] = WR_CONF_UNSET;
		assert_true(wr_conf_differs(&wanted, &live, id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_numbers), cmocka_unit_test(test_parse_key),
		cmocka_unit_test(test_key),  cmocka_unit_test(test_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
