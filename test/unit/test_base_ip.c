/* Tests of base/ip.c: text to value and back, and the arithmetic of prefixes. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/ip.h"

static struct wr_ip ip_of(const char *text)
{
	struct wr_ip ip = {0};

	if (wr_ip_parse(text, &ip) < 0)
		fail_msg("no address: %s", text);
	return ip;
}

static struct wr_prefix prefix_of(const char *text)
{
	struct wr_prefix prefix = {0};

	if (wr_prefix_parse(text, &prefix, NULL) < 0)
		fail_msg("no prefix: %s", text);
	return prefix;
}

static void test_ip_text(void **state)
{
	static const char *const same[] = {"0.0.0.0",
					   "10.2.0.1",
					   "255.255.255.255",
					   "1.20.100.9",
					   "::",
					   "::1",
					   "fd00:2::1",
					   "2001:db8::8:800:200c:417a",
					   "::ffff:10.0.0.1",
					   "fe80::1",
					   "1:2:3:4:5:6:7:8"};
	static const char *const other[][2] = {
		{"FD00::A", "fd00::a"},
		{"fd00:0:0:0:0:0:0:1", "fd00::1"},
		{"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
		{"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
		{"::ffff:a00:1", "::ffff:10.0.0.1"},
	};
	static const char *const wrong[] = {
		"",
		"1",
		"1.2.3",
		"1.2.3.4.5",
		"256.0.0.1",
		"1.2.3.04",
		"01.2.3.4",
		" 1.2.3.4",
		"1.2.3.4 ",
		"1.2.3.4/24",
		"0x1.2.3.4",
		"1..2.3",
		"-1.2.3.4",
		":",
		":::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"fe80::1%eth0",
		"12345::",
		"g::",
		"[::1]",
		"1::2::3",
		"host",
		"::1.2.3",
		"1.2.3.4:",
	};
	char buffer[WR_IP_TEXT_MAX];

	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		struct wr_ip ip = ip_of(same[i]);

		assert_ptr_equal(wr_ip_format(&ip, buffer), buffer);
		assert_string_equal(buffer, same[i]);
	}
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
		struct wr_ip ip = ip_of(other[i][0]);

		assert_string_equal(wr_ip_format(&ip, buffer), other[i][1]);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct wr_ip ip = {.family = 77};

		if (wr_ip_parse(wrong[i], &ip) != -EINVAL)
			fail_msg("taken: '%s'", wrong[i]);
		assert_int_equal(ip.family, 77);
	}
	assert_string_equal(wr_ip_format(&(struct wr_ip){0}, buffer), "none");
}

/* The hand-written printer agrees with the C library. */
static void test_ip_format_all(void **state)
{
	char buffer[WR_IP_TEXT_MAX], wanted[INET_ADDRSTRLEN];

	for (unsigned i = 0; i < 256; i++) {
		struct wr_ip ip = {AF_INET, {(uint8_t)i, (uint8_t)(255 - i), (uint8_t)(i * 7), (uint8_t)(i * 31 + 5)}};

		assert_non_null(inet_ntop(AF_INET, ip.bytes, wanted, sizeof wanted));
		assert_string_equal(wr_ip_format(&ip, buffer), wanted);
	}
}

static void test_prefix_text(void **state)
{
	static const char *const same[] = {"10.2.0.1/24",
					   "0.0.0.0/0",
					   "1.2.3.4/32",
					   "255.255.255.255/9",
					   "::/0",
					   "fd00::1/64",
					   "1:2:3:4:5:6:7:8/128",
					   "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/100"};
	static const char *const wrong[] = {"",
					    "/",
					    "/24",
					    "10.0.0.0/",
					    "10.0.0.0/33",
					    "10.0.0.0/024",
					    "10.0.0.0/-1",
					    "10.0.0.0/ 8",
					    "10.0.0.0/8x",
					    "10.0.0.0/8/8",
					    "fd00::/129",
					    "fd00::/999999999999",
					    "10.0.0.0/4294967304",
					    "10.0.0/8",
					    "x/8",
					    "10.0.0.0/+8",
					    "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/64"};
	char buffer[WR_PREFIX_TEXT_MAX];
	struct wr_prefix prefix;
	bool has_length;

	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		assert_int_equal(wr_prefix_parse(same[i], &prefix, &has_length), 0);
		assert_true(has_length);
		if (i < 7)
			assert_string_equal(wr_prefix_format(&prefix, buffer), same[i]);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		prefix.length = 77;
		has_length = true;
		if (wr_prefix_parse(wrong[i], &prefix, &has_length) != -EINVAL)
			fail_msg("taken: '%s'", wrong[i]);
		assert_int_equal(prefix.length, 77);
		assert_true(has_length);
	}
	assert_int_equal(wr_prefix_parse("10.0.0.1", &prefix, &has_length), 0);
	assert_false(has_length);
	assert_int_equal(prefix.length, 32);
	assert_int_equal(wr_prefix_parse("fd00::1", &prefix, NULL), 0);
	assert_int_equal(prefix.length, 128);
}

static void test_mac(void **state)
{
	static const char *const wrong[] = {"",
					    "02:00:00:00:03",
					    "02:00:00:00:03:0a:01",
					    "02:00:00:00:03:0",
					    "02:00:00:00:03:0g",
					    "02:00-00:00:03:0a",
					    "020000000000aaaaa",
					    "02.00.00.00.03.0a",
					    "2:0:0:0:3:a",
					    " 2:00:00:00:03:0a",
					    "02:00:00:00:03:0a "};
	char buffer[WR_MAC_TEXT_MAX];
	struct wr_mac mac = {{0}};

	assert_int_equal(wr_mac_parse("02:00:fF:00:03:0a", &mac), 0);
	assert_memory_equal(mac.bytes, "\x02\x00\xff\x00\x03\x0a", 6);
	assert_string_equal(wr_mac_format(&mac, buffer), "02:00:ff:00:03:0a");
	assert_int_equal(wr_mac_parse("06-1B-2c-3D-4e-5F", &mac), 0);
	assert_string_equal(wr_mac_format(&mac, buffer), "06:1b:2c:3d:4e:5f");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (wr_mac_parse(wrong[i], &mac) != -EINVAL)
			fail_msg("taken: '%s'", wrong[i]);
	}
	assert_string_equal(wr_mac_format(&mac, buffer), "06:1b:2c:3d:4e:5f");
}

static void test_compare(void **state)
{
	/* In rising order. */
	static const char *const sorted[] = {"0.0.0.0", "9.255.255.255", "10.0.0.0", "10.0.0.1", "255.255.255.255",
					     "::",	"::1",		 "fd00::1",  "fd00::2"};
	size_t n = sizeof sorted / sizeof sorted[0];

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			struct wr_ip a = ip_of(sorted[i]), b = ip_of(sorted[j]);
			int order = wr_ip_compare(&a, &b);

			assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
			assert_int_equal(wr_ip_equal(&a, &b), i == j);
		}
	}
	assert_true(wr_ip_equal(&(struct wr_ip){0}, &(struct wr_ip){0}));
	assert_int_equal(wr_ip_bits(&(struct wr_ip){.family = AF_INET}), 32);
	assert_int_equal(wr_ip_bits(&(struct wr_ip){.family = AF_INET6}), 128);
	assert_int_equal(wr_ip_bits(&(struct wr_ip){0}), 0);
	assert_int_equal(wr_ip_size(&(struct wr_ip){.family = AF_INET6}), 16);
}

static void test_add(void **state)
{
	static const struct {
		const char *ip;
		uint64_t number;
		const char *sum; /* NULL: too large */
	} rows[] = {
		{"10.0.0.0", 0, "10.0.0.0"},
		{"10.0.0.255", 1, "10.0.1.0"},
		{"10.255.255.255", 1, "11.0.0.0"},
		{"0.0.0.0", 0xffffffff, "255.255.255.255"},
		{"0.0.0.1", 0xffffffff, NULL},
		{"0.0.0.0", UINT64_C(0x100000000), NULL},
		{"255.255.255.255", 1, NULL},
		{"fd00::ffff", 1, "fd00::1:0"},
		{"::ffff:ffff:ffff:ffff", 1, "0:0:0:1::"},
		{"::1", UINT64_MAX, "0:0:0:1::"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, NULL},
		{"ffff:ffff:ffff:ffff::", UINT64_MAX, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"ffff:ffff:ffff:ffff::1", UINT64_MAX, NULL},
	};
	char buffer[WR_IP_TEXT_MAX];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wr_ip ip = ip_of(rows[i].ip), sum = {.family = 77};

		assert_int_equal(wr_ip_add(&ip, rows[i].number, &sum), rows[i].sum != NULL);
		if (rows[i].sum)
			assert_string_equal(wr_ip_format(&sum, buffer), rows[i].sum);
		else
			assert_int_equal(sum.family, 77);
		/* The result may be the operand. */
		assert_int_equal(wr_ip_add(&ip, rows[i].number, &ip), rows[i].sum != NULL);
		assert_string_equal(wr_ip_format(&ip, buffer), rows[i].sum ? rows[i].sum : rows[i].ip);
	}
}

static void test_kinds(void **state)
{
	static const struct {
		const char *ip;
		bool unspecified, multicast, loopback, linklocal;
	} rows[] = {
		{"0.0.0.0", 1, 0, 0, 0},     {"::", 1, 0, 0, 0},	  {"10.0.0.1", 0, 0, 0, 0},
		{"fd00::1", 0, 0, 0, 0},     {"224.0.0.1", 0, 1, 0, 0},	  {"239.9.9.9", 0, 1, 0, 0},
		{"240.0.0.1", 0, 0, 0, 0},   {"223.255.0.1", 0, 0, 0, 0}, {"ff02::1", 0, 1, 0, 0},
		{"fe80::1", 0, 0, 0, 1},     {"febf::1", 0, 0, 0, 1},	  {"fec0::1", 0, 0, 0, 0},
		{"127.0.0.1", 0, 0, 1, 0},   {"127.255.0.1", 0, 0, 1, 0}, {"128.0.0.1", 0, 0, 0, 0},
		{"::1", 0, 0, 1, 0},	     {"::2", 0, 0, 0, 0},	  {"169.254.1.1", 0, 0, 0, 1},
		{"169.253.1.1", 0, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wr_ip ip = ip_of(rows[i].ip);

		assert_int_equal(wr_ip_is_unspecified(&ip), rows[i].unspecified);
		assert_int_equal(wr_ip_is_multicast(&ip), rows[i].multicast);
		assert_int_equal(wr_ip_is_loopback(&ip), rows[i].loopback);
		assert_int_equal(wr_ip_is_linklocal(&ip), rows[i].linklocal);
	}
	assert_false(wr_ip_is_unspecified(&(struct wr_ip){0}));
}

static void test_contains(void **state)
{
	static const struct {
		const char *prefix, *ip;
		bool contains;
	} rows[] = {
		{"10.2.0.0/24", "10.2.0.255", true},
		{"10.2.0.77/24", "10.2.0.1", true},
		{"10.2.0.0/24", "10.2.1.0", false},
		{"0.0.0.0/0", "255.1.2.3", true},
		{"0.0.0.0/0", "::1", false},
		{"::/0", "1.2.3.4", false},
		{"10.2.0.0/23", "10.2.1.9", true},
		{"10.2.0.0/31", "10.2.0.1", true},
		{"10.2.0.0/31", "10.2.0.2", false},
		{"10.2.0.1/32", "10.2.0.1", true},
		{"10.2.0.1/32", "10.2.0.0", false},
		{"fd00::/64", "fd00::ffff:0:0:1", true},
		{"fd00::/65", "fd00::8000:0:0:1", false},
		{"fd00::/127", "fd00::1", true},
		{"fd00::/127", "fd00::2", false},
		{"128.0.0.0/1", "127.0.0.1", false},
	};
	static const struct {
		const char *a, *b;
		bool overlap;
	} pairs[] = {
		{"10.2.0.0/24", "10.2.0.128/25", true},
		{"10.2.0.0/24", "10.2.1.0/24", false},
		{"10.0.0.0/8", "10.2.1.0/24", true},
		{"10.2.0.1/32", "10.2.0.1/32", true},
		{"::/0", "0.0.0.0/0", false},
		{"fd00::/16", "fd00:1::/64", true},
		{"fd00::/64", "fd00:0:0:1::/64", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wr_prefix prefix = prefix_of(rows[i].prefix);
		struct wr_ip ip = ip_of(rows[i].ip);

		assert_int_equal(wr_prefix_contains(&prefix, &ip), rows[i].contains);
	}
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct wr_prefix a = prefix_of(pairs[i].a), b = prefix_of(pairs[i].b);

		assert_int_equal(wr_prefix_overlaps(&a, &b), pairs[i].overlap);
		assert_int_equal(wr_prefix_overlaps(&b, &a), pairs[i].overlap);
	}
	assert_false(wr_prefix_contains(&(struct wr_prefix){0}, &(struct wr_ip){0}));
}

static void test_ends(void **state)
{
	static const struct {
		const char *prefix, *network, *last;
		uint64_t capacity;
	} rows[] = {
		{"10.2.3.4/24", "10.2.3.0", "10.2.3.255", 254},
		{"10.2.3.4/22", "10.2.0.0", "10.2.3.255", 1022},
		{"10.2.3.4/30", "10.2.3.4", "10.2.3.7", 2},
		{"10.2.3.5/31", "10.2.3.4", "10.2.3.5", 2},
		{"10.2.3.5/32", "10.2.3.5", "10.2.3.5", 1},
		{"10.2.3.5/0", "0.0.0.0", "255.255.255.255", UINT64_C(4294967294)},
		{"10.2.3.5/1", "0.0.0.0", "127.255.255.255", UINT64_C(2147483646)},
		{"fd00::5/128", "fd00::5", "fd00::5", 1},
		{"fd00::5/127", "fd00::4", "fd00::5", 2},
		{"fd00::5/126", "fd00::4", "fd00::7", 3},
		{"fd00::5/65", "fd00::", "fd00::7fff:ffff:ffff:ffff", UINT64_C(0x7fffffffffffffff)},
		{"fd00::5/64", "fd00::", "fd00::ffff:ffff:ffff:ffff", UINT64_MAX},
		{"fd00::5/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", UINT64_MAX},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wr_prefix prefix = prefix_of(rows[i].prefix);
		struct wr_ip network = wr_prefix_network(&prefix), last = wr_prefix_last(&prefix);
		char buffer[WR_IP_TEXT_MAX];

		assert_string_equal(wr_ip_format(&network, buffer), rows[i].network);
		assert_string_equal(wr_ip_format(&last, buffer), rows[i].last);
		assert_true(wr_prefix_capacity(&prefix) == rows[i].capacity);
	}
	assert_true(wr_prefix_capacity(&(struct wr_prefix){0}) == 0);
}

static void test_reserved(void **state)
{
	static const struct {
		const char *prefix, *ip;
		bool reserved;
	} rows[] = {
		{"10.2.0.0/24", "10.2.0.0", true},    {"10.2.0.0/24", "10.2.0.255", true},
		{"10.2.0.9/24", "10.2.0.0", true},    {"10.2.0.0/24", "10.2.0.1", false},
		{"10.2.0.0/24", "10.2.1.255", false}, {"10.2.0.0/31", "10.2.0.0", false},
		{"10.2.0.0/31", "10.2.0.1", false},   {"10.2.0.0/32", "10.2.0.0", false},
		{"10.2.0.0/30", "10.2.0.3", true},    {"fd00::/64", "fd00::", true},
		{"fd00::/64", "fd00::1", false},      {"fd00::/64", "fd00::ffff:ffff:ffff:ffff", false},
		{"fd00::/127", "fd00::", false},      {"fd00::/128", "fd00::", false},
		{"fd00::/126", "fd00::", true},	      {"0.0.0.0/0", "::", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wr_prefix prefix = prefix_of(rows[i].prefix);
		struct wr_ip ip = ip_of(rows[i].ip);

		assert_int_equal(wr_prefix_is_reserved(&prefix, &ip), rows[i].reserved);
	}
	assert_false(wr_prefix_is_reserved(&(struct wr_prefix){0}, &(struct wr_ip){0}));
}

/* For random prefixes: the ends lie within, what is before and behind them does not, and the text reads back. */
static void test_properties(void **state)
{
	uint64_t random = 88172645463325252;

	for (int round = 0; round < 20000; round++) {
		struct wr_prefix prefix = {.ip.family = round % 2 ? AF_INET : AF_INET6}, again;
		struct wr_ip network, last, behind;
		char buffer[WR_PREFIX_TEXT_MAX];

		for (size_t i = 0; i < wr_ip_size(&prefix.ip); i++) {
			random ^= random << 13, random ^= random >> 7, random ^= random << 17;
			prefix.ip.bytes[i] = (uint8_t)(random % 5 ? random >> 32 : 0);
		}
		prefix.length = (uint8_t)((random >> 20) % (wr_ip_bits(&prefix.ip) + 1));
		assert_int_equal(wr_prefix_parse(wr_prefix_format(&prefix, buffer), &again, NULL), 0);
		assert_true(wr_prefix_equal(&prefix, &again));
		network = wr_prefix_network(&prefix);
		last = wr_prefix_last(&prefix);
		assert_true(wr_prefix_contains(&prefix, &network) && wr_prefix_contains(&prefix, &last));
		assert_true(wr_ip_compare(&network, &prefix.ip) <= 0 && wr_ip_compare(&prefix.ip, &last) <= 0);
		if (wr_ip_add(&last, 1, &behind))
			assert_false(wr_prefix_contains(&prefix, &behind));
		assert_int_equal(wr_prefix_is_reserved(&prefix, &network),
				 prefix.length < (prefix.ip.family == AF_INET ? 31 : 127));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip_text),	    cmocka_unit_test(test_ip_format_all),
		cmocka_unit_test(test_prefix_text), cmocka_unit_test(test_mac),
		cmocka_unit_test(test_compare),	    cmocka_unit_test(test_add),
		cmocka_unit_test(test_kinds),	    cmocka_unit_test(test_contains),
		cmocka_unit_test(test_ends),	    cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_properties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
