/* Tests of model/name.c: what is legal, the forms of names, and values that must never change. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/name.h"

#define TEN "abcdefghij"
#define N63 TEN TEN TEN TEN TEN TEN "abc"

static void test_valid(void **state)
{
	static const char *const legal[] = {"a", "Z", "9", "web", "web-1", "web_1", "0a", "a-", "a_", N63};
	static const char *const illegal[] = {"",    "-a",	    "_a", "a.b", "a b",	 "a/b",
					      "a:b", "caf\xc3\xa9", "a%", "a\n", N63 "d"};

	for (size_t i = 0; i < sizeof legal / sizeof legal[0]; i++)
		assert_true(wr_name_is_valid(legal[i]));
	for (size_t i = 0; i < sizeof illegal / sizeof illegal[0]; i++)
		assert_false(wr_name_is_valid(illegal[i]));
}

static void test_ifname_valid(void **state)
{
	static const char *const legal[] = {
		"a",   "eth0", "eth0.100", "...",      ".a",   "-",	   "a-b_c", "abcdefghijklmno",
		"a@b", "\"",   "'",	   "\xc3\xa9", "alls", "default1", "~"};
	static const char *const illegal[] = {
		"",	".",	 "..",	 "abcdefghijklmnop", "a/b", "a:b",     "a%d", "%", "a b", "a\tb", "a\n",
		"\x1b", "a\x7f", "\xa0", "\xc3\xa0",	     "all", "default", "\x01"};

	for (size_t i = 0; i < sizeof legal / sizeof legal[0]; i++)
		assert_true(wr_ifname_is_valid(legal[i]));
	for (size_t i = 0; i < sizeof illegal / sizeof illegal[0]; i++)
		assert_false(wr_ifname_is_valid(illegal[i]));
}

static void test_host_link(void **state)
{
	static const struct {
		const char *network, *prefix, *a, *b, *name;
	} rows[] = {
		{"shop", "shop-", "lan", NULL, "shop-lan"},
		{"shop", "shop-", "web", "eth0", "shop-web-eth0"},
		{"shop", "shop-", "webby", "eth0", "shop-webby-eth0"}, /* 15 bytes */
		{"shop", "", "web", "eth0", "web-eth0"},
		{"shop", "", "lan", NULL, "lan"},
		{"my-net", "my-net-", "lan", NULL, "my-net-lan"}, /* '-' in the prefix is no doubt about the parts */
		{"shop", "shop-", "web", "e.100", "shop-web-e.100"},
		/* too long, a '-' in a part, no legal name: a hash */
		{"shop", "shop-", "webbyy", "eth0", "wr2ialajkoq0uvd"},
		{"shop", "shop-", "web-1", "eth0", "wr1rsm4nvjtin8v"},
		{"shop", "shop-", "web", "eth-0", "wr2j1q0y749oqlm"},
		{"shop", "shop-", "my-lan", NULL, "wr0o22bvj2iuxux"},
		{"shop", "", "web-eth0", NULL, "wr2x8lod01o9bv1"},
		{"shop", "", "all", NULL, "wr3e982scwxi7za"},
		{"a-network-of-many", "a-network-of-many-", "lan", NULL, "wr0z70fnb96kz7b"},
		{"shop", "shop-", "abcdefghijk", NULL, "wr2lnvnqv4fh6em"},
	};
	char name[16];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memset(name, 'x', sizeof name);
		wr_name_host_link(rows[i].network, rows[i].prefix, rows[i].a, rows[i].b, name);
		assert_string_equal(name, rows[i].name);
	}
}

static void test_altname(void **state)
{
	char name[128], longer[128];

	wr_name_altname("shop", "web", "eth0", name);
	assert_string_equal(name, "shop.web.eth0");
	wr_name_altname("shop", "lan", NULL, name);
	assert_string_equal(name, "shop.lan");
	wr_name_altname(N63, N63, NULL, name); /* 127 bytes */
	assert_string_equal(name, N63 "." N63);
	wr_name_altname(N63, TEN TEN TEN TEN TEN TEN "ab", "e", name); /* 128 */
	assert_int_equal(strlen(name), 127);
	wr_name_altname(N63, N63, "e", name);
	assert_int_equal(strlen(name), 127);
	assert_memory_equal(name, N63 "." TEN TEN TEN TEN "abcdefghi.", 114);
	wr_name_altname(N63, N63, "f", longer);
	assert_int_equal(strlen(longer), 127);
	assert_string_not_equal(name, longer);
	/* 113 bytes would end within the second character */
	wr_name_altname(N63, TEN TEN TEN TEN "abcdefgh", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
			name);
	assert_true(strlen(name) <= 127);
}

static void test_mark(void **state)
{
	static const char *const none[] = {
		"",
		"warren",
		"warren:",
		"warren:shop",
		"warren:shop.",
		"warren:.web",
		"warren:shop.web.",
		"warren:shop..eth0",
		"Warren:shop.web",
		" warren:shop.web",
		"warren:sh op.web",
		"warren:shop.we b",
		"warren:shop.web.a/b",
		"warren:shop.web.abcdefghijklmnop",
		"warren:-shop.web",
		"warren:" N63 "d.web",
		"warren:shop." N63 "d",
		"shop.web",
		"warren:shop.web.eth0\n",
	};
	char mark[WR_MARK_MAX], network[64] = "untouched", a[64] = "", b[64] = "";

	wr_name_mark("shop", "web", NULL, mark);
	assert_string_equal(mark, "warren:shop.web");
	assert_true(wr_name_is_mark_of(mark, "shop"));
	assert_false(wr_name_is_mark_of(mark, "sho"));
	assert_false(wr_name_is_mark_of(mark, "shop2"));
	assert_false(wr_name_is_mark_of(NULL, "shop"));
	wr_name_mark("shop", "web", "eth0.100", mark);
	assert_string_equal(mark, "warren:shop.web.eth0.100");
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		if (wr_name_read_mark(none[i], network, a, b))
			fail_msg("read: '%s'", none[i]);
		assert_false(wr_name_is_mark_of(none[i], "shop"));
	}
	assert_false(wr_name_read_mark(NULL, network, a, b));
	assert_string_equal(network, "untouched");
	assert_true(wr_name_read_mark("warren:shop.host.shop0", network, a, b));
	assert_string_equal(network, "shop");
	assert_string_equal(a, "host");
	assert_string_equal(b, "shop0");
	assert_true(wr_name_read_mark("warren:shop.lan", network, a, b));
	assert_string_equal(b, "");
	wr_name_mark(N63, N63, "abcdefghijklmno", mark);
	assert_true(wr_name_read_mark(mark, network, a, b));
	assert_string_equal(a, N63);
	assert_string_equal(b, "abcdefghijklmno");
}

/* What one version made, the next one must find: these values are for good. */
static void test_fixed(void **state)
{
	static const struct {
		const char *network, *a, *b, *role, *mac;
	} macs[] = {
		{"shop", "web", "eth0", "", "6e:e5:a8:d9:aa:22"},
		{"shop", "web", "eth0", "port", "d6:bd:66:dc:d6:6e"},
		{"shop", "lan", NULL, "bridge", "3a:3b:2e:84:90:8d"},
		{"shop", "web", "eth1", "", "02:76:b8:f5:db:64"},
		{"shop2", "web", "eth0", "", "be:85:9f:3c:1c:0e"},
	};
	static const struct {
		const char *network;
		uint32_t group, first;
	} numbers[] = {
		{"shop", 0x57a97c24, 652729465},
		{"a", 0x57babfca, 596386205},
		{"x-y_z", 0x570ea865, 26474685},
	};
	char buffer[WR_MAC_TEXT_MAX];

	for (size_t i = 0; i < sizeof macs / sizeof macs[0]; i++) {
		struct wr_mac mac = wr_name_mac(macs[i].network, macs[i].a, macs[i].b, macs[i].role);

		assert_string_equal(wr_mac_format(&mac, buffer), macs[i].mac);
	}
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		assert_int_equal(wr_name_group(numbers[i].network), numbers[i].group);
		assert_int_equal(wr_name_first_ifindex(numbers[i].network), numbers[i].first);
	}
}

static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random >> 11;
}

/* A random string of 1..most bytes for which is_valid holds. */
static void random_name(uint64_t *random, size_t most, bool (*is_valid)(const char *), char *ret)
{
	static const char letters[] = "abcXYZ019--__..@~\xc3\xa9 /:%\n";

	do {
		size_t length = 1 + next_random(random) % most;

		for (size_t i = 0; i < length; i++)
			ret[i] = letters[next_random(random) % (sizeof letters - 1)];
		ret[length] = '\0';
	} while (!is_valid(ret));
}

/* For random names: every derived one is legal, every mark reads back what was written. */
static void test_properties(void **state)
{
	uint64_t random = 88172645463325252;

	for (int round = 0; round < 20000; round++) {
		char network[64], a[64], b[16], prefix[80], link[16], altname[128], mark[WR_MARK_MAX];
		char read_network[64], read_a[64], read_b[64];
		const char *maybe_b = round % 3 ? b : NULL;
		struct wr_mac mac;
		uint32_t number;

		random_name(&random, round % 2 ? 8 : 63, wr_name_is_valid, network);
		random_name(&random, round % 5 ? 8 : 63, wr_name_is_valid, a);
		random_name(&random, 15, wr_ifname_is_valid, b);
		snprintf(prefix, sizeof prefix, "%s%s", round % 7 ? network : "", round % 7 ? "-" : "");
		wr_name_host_link(network, prefix, a, maybe_b, link);
		assert_true(wr_ifname_is_valid(link));
		wr_name_altname(network, a, maybe_b, altname);
		assert_true(strlen(altname) >= 3 && strlen(altname) <= 127);
		assert_null(strpbrk(altname, "/: %\n"));
		wr_name_mark(network, a, maybe_b, mark);
		assert_true(wr_name_read_mark(mark, read_network, read_a, read_b));
		assert_string_equal(read_network, network);
		assert_string_equal(read_a, a);
		assert_string_equal(read_b, maybe_b ? b : "");
		assert_true(wr_name_is_mark_of(mark, network));
		mac = wr_name_mac(network, a, maybe_b, "port");
		assert_int_equal(mac.bytes[0] & 3, 2);
		assert_int_equal(wr_name_group(network) >> 24, 0x57);
		number = wr_name_first_ifindex(network);
		assert_true(number >= 1u << 20 && number <= 1u << 30);
	}
}

static int compare_names(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* The links of one large network have as many names, in whatever form, and as many MACs. */
static void test_distinct(void **state)
{
	enum { COUNT = 30000 };
	char(*names)[16] = calloc(COUNT, 16), (*macs)[16] = calloc(COUNT, 16);
	size_t n = 0;

	assert_non_null(names);
	assert_non_null(macs);
	for (int i = 0; i < COUNT / 3; i++) {
		static const char *const links[] = {"eth0", "eth1", NULL};

		for (int j = 0; j < 3; j++, n++) {
			struct wr_mac mac;
			char ns[64];

			snprintf(ns, sizeof ns, i % 2 ? "app%d" : "a-%d", i);
			wr_name_host_link("shop", "shop-", ns, links[j], names[n]);
			mac = wr_name_mac("shop", ns, links[j], "");
			memcpy(macs[n], mac.bytes, sizeof mac.bytes);
		}
	}
	qsort(names, COUNT, 16, compare_names);
	qsort(macs, COUNT, 16, compare_names);
	for (size_t i = 1; i < COUNT; i++) {
		assert_string_not_equal(names[i - 1], names[i]);
		assert_memory_not_equal(macs[i - 1], macs[i], 6);
	}
	free(names);
	free(macs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),	   cmocka_unit_test(test_ifname_valid),
		cmocka_unit_test(test_host_link),  cmocka_unit_test(test_altname),
		cmocka_unit_test(test_mark),	   cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_properties), cmocka_unit_test(test_distinct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
