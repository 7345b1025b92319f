/* Tests of base/text.c: adding, escaping for terminals and shells, the nearest word. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void test_add(void **state)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};

	assert_string_equal(wr_text_string(&text), "");
	assert_null(text.bytes);
	wr_text_add(&text, "");
	assert_string_equal(wr_text_string(&text), "");
	wr_text_add(&text, "shop");
	wr_text_add_char(&text, '.');
	wr_text_add_bytes(&text, "webbed", 3);
	wr_text_addf(&text, " %d%s", 12, "!");
	assert_string_equal(wr_text_string(&text), "shop.web 12!");
	assert_int_equal(text.length, 12);
	assert_int_equal(wr_text_error(&text), 0);
	wr_text_add_bytes(&text, "a\0b", 3);
	assert_int_equal(text.length, 15);
	wr_text_done(&text);
	assert_string_equal(wr_text_string(&text), "");
	wr_text_add(&text, "again");
	assert_string_equal(wr_text_string(&text), "again");
}

static void test_uint(void **state)
{
	static const uint64_t numbers[] = {0, 1, 9, 10, 99, 100, 65535, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		WR_CLEANUP_TEXT struct wr_text text = {0};
		char wanted[32];

		wr_text_add_uint(&text, numbers[i]);
		snprintf(wanted, sizeof wanted, "%ju", (uintmax_t)numbers[i]);
		assert_string_equal(wr_text_string(&text), wanted);
	}
}

/* Every way of adding passes over the ends of the buffer. */
static void test_long(void **state)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};
	size_t wanted = 0;

	for (int i = 0; i < 2000; i++) {
		wr_text_addf(&text, "%0*d", i % 700, 7);
		wanted += i % 700 ? i % 700 : 1;
		wr_text_add_char(&text, 'c');
		wr_text_add(&text, "string");
		wr_text_add_uint(&text, 12345);
		wanted += 1 + 6 + 5;
		assert_int_equal(text.length, wanted);
		assert_int_equal(text.bytes[text.length], 0);
		assert_memory_equal(text.bytes + text.length - 13, "7cstring12345", 13);
	}
}

static void test_sticky(void **state)
{
	struct wr_text text = {0};

	wr_text_add(&text, "kept");
	text.error = -ENOMEM;
	wr_text_add(&text, "a");
	wr_text_add_char(&text, 'a');
	wr_text_addf(&text, "%s", "a");
	wr_text_add_uint(&text, 1);
	wr_text_add_escaped(&text, "\n");
	wr_text_add_shell(&text, "a b");
	assert_string_equal(wr_text_string(&text), "kept");
	assert_int_equal(wr_text_error(&text), -ENOMEM);
	assert_null(wr_text_steal(&text));
	assert_int_equal(wr_text_error(&text), 0);
	/* More than there can be. */
	wr_text_add(&text, "a");
	wr_text_add_bytes(&text, "b", SIZE_MAX / 2);
	assert_int_equal(wr_text_error(&text), -ENOMEM);
	assert_string_equal(wr_text_string(&text), "a");
	wr_text_done(&text);
}

static void test_steal(void **state)
{
	struct wr_text text = {0};
	char *bytes = wr_text_steal(&text);

	assert_string_equal(bytes, "");
	free(bytes);
	wr_text_add(&text, "mine");
	bytes = wr_text_steal(&text);
	assert_string_equal(bytes, "mine");
	assert_null(text.bytes);
	assert_int_equal(text.length, 0);
	free(bytes);
}

static void test_escaped(void **state)
{
	static const char *const rows[][2] = {
		{"", ""},
		{"plain text, with \\ and 'quotes'", "plain text, with \\ and 'quotes'"},
		{"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
		{"\x1b[31mred", "\\x1b[31mred"},
		{"\x01\x1f\x7f", "\\x01\\x1f\\x7f"},
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"\xc2\xa0", "\xc2\xa0"},
		{"\xe2\x86\x92\xf0\x9f\x90\x87", "\xe2\x86\x92\xf0\x9f\x90\x87"},
		/* C1 controls, alone and as characters */
		{"\x9b", "\\x9b"},
		{"a\xc2\x9bz", "a\\xc2\\x9bz"},
		{"\xc2\x80\xc2\x9f", "\\xc2\\x80\\xc2\\x9f"},
		/* overlong forms */
		{"\xc0\xaf", "\\xc0\\xaf"},
		{"\xc1\xbf", "\\xc1\\xbf"},
		{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
		{"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
		{"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
		{"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
		/* the shortest and the longest of each length */
		{"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
		 "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"},
		{"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
		/* surrogates, and beyond U+10FFFF */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xed\xbf\xbf", "\\xed\\xbf\\xbf"},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
		{"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
		{"\xff\xfe", "\\xff\\xfe"},
		/* cut short, at the end and before something else */
		{"\xc3", "\\xc3"},
		{"\xe2\x86", "\\xe2\\x86"},
		{"\xf0\x9f\x90", "\\xf0\\x9f\\x90"},
		{"\xe2\x86x", "\\xe2\\x86x"},
		{"\xe2\x86\xc3\xa9", "\\xe2\\x86\xc3\xa9"},
		{"\x80\xbf", "\\x80\\xbf"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		WR_CLEANUP_TEXT struct wr_text text = {0};

		wr_text_add_escaped(&text, rows[i][0]);
		assert_string_equal(wr_text_string(&text), rows[i][1]);
	}
}

static void test_shell(void **state)
{
	static const char *const rows[][2] = {
		{"", "''"},
		{"eth0", "eth0"},
		{"10.2.0.1/24", "10.2.0.1/24"},
		{"fd00::1", "fd00::1"},
		{"net.ipv4.ip_forward=1", "net.ipv4.ip_forward=1"},
		{"=ls", "'=ls'"},
		{"a b", "'a b'"},
		{"it's", "'it'\\''s'"},
		{"'", "''\\'''"},
		{"''", "''\\'''\\'''"},
		{"$(reboot)", "'$(reboot)'"},
		{"`x`", "'`x`'"},
		{"a\nb", "'a\nb'"},
		{"~", "'~'"},
		{"*", "'*'"},
		{"a;b", "'a;b'"},
		{"a#b", "'a#b'"},
		{"\\", "'\\'"},
		{"!x", "'!x'"},
		{"caf\xc3\xa9", "'caf\xc3\xa9'"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		WR_CLEANUP_TEXT struct wr_text text = {0};

		wr_text_add_shell(&text, rows[i][0]);
		assert_string_equal(wr_text_string(&text), rows[i][1]);
	}
}

static void test_nearest(void **state)
{
	static const char *const keys[] = {"address", "bridge", "mac", "mtu", "up", "isolated", "sysctl", NULL};
	static const char *const none[] = {NULL};
	static const struct {
		const char *word, *nearest;
	} rows[] = {
		{"address", "address"},
		{"adress", "address"},
		{"addresss", "address"},
		{"adrdess", "address"},
		{"adres", NULL},
		{"brigde", "bridge"},
		{"bidge", "bridge"},
		{"bride", "bridge"},
		{"mut", "mtu"},
		{"mc", "mac"},
		{"ma", "mac"},
		{"pu", "up"},
		{"p", "up"},
		{"xyz", NULL},
		{"", NULL},
		{"isoalted", "isolated"},
		{"isolation", "isolated"},
		{"sysctls", "sysctl"},
		{"zzzzzzz", NULL},
	};
	char longer[200];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *nearest = wr_text_nearest(rows[i].word, keys);

		if (rows[i].nearest)
			assert_non_null(nearest);
		if (nearest)
			assert_string_equal(nearest, rows[i].nearest ? rows[i].nearest : "none");
	}
	assert_null(wr_text_nearest("a", none));
	memset(longer, 'a', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_null(wr_text_nearest(longer, keys));
	/* The nearer one wins wherever it stands; of two equals the first. */
	assert_string_equal(wr_text_nearest("abcdefg", (const char *const[]){"abcdxyg", "abcdefx", NULL}), "abcdefx");
	assert_string_equal(wr_text_nearest("abc", (const char *const[]){"abd", "abe", NULL}), "abd");
	/* No part is edited twice: "ca" to "abc" is three steps. */
	assert_null(wr_text_nearest("caxxxx", (const char *const[]){"abcxxxx", NULL}));
	assert_string_equal(wr_text_nearest("acbxxx", (const char *const[]){"abcxxx", NULL}), "abcxxx");
}

static void test_starts(void **state)
{
	assert_true(wr_text_starts("warren:shop", "warren:"));
	assert_true(wr_text_starts("a", ""));
	assert_false(wr_text_starts("", "a"));
	assert_false(wr_text_starts("warre", "warren"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),    cmocka_unit_test(test_uint),    cmocka_unit_test(test_long),
		cmocka_unit_test(test_sticky), cmocka_unit_test(test_steal),   cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_shell),  cmocka_unit_test(test_nearest), cmocka_unit_test(test_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
