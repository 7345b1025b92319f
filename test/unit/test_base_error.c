/* Tests of base/error.c: filling, wrapping, cutting, and the exit status of each kind. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void test_fill(void **state)
{
	struct wr_error error = {.kind = WR_ERR_NONE, .mend = "an old one"};

	errno = EBADF;
	assert_int_equal(wr_fail(&error, WR_ERR_KERNEL, -EPERM, "cannot add link '%s': %s", "eth0", "no\n"), -EPERM);
	assert_int_equal(errno, EBADF);
	assert_int_equal(error.kind, WR_ERR_KERNEL);
	assert_int_equal(error.code, -EPERM);
	assert_string_equal(error.text, "cannot add link 'eth0': no");
	assert_string_equal(error.mend, "");
	assert_int_equal(wr_fail_mend(&error, "run %s", "it again"), -EPERM);
	assert_string_equal(error.mend, "run it again");
	assert_string_equal(error.text, "cannot add link 'eth0': no");
	assert_int_equal(wr_fail_context(&error, "namespace '%s'", "web"), -EPERM);
	assert_string_equal(error.text, "namespace 'web': cannot add link 'eth0': no");
	assert_string_equal(error.mend, "run it again");
}

static void test_codes(void **state)
{
	struct wr_error error = {0};

	assert_int_equal(wr_fail(&error, WR_ERR_USAGE, 0, "x"), -EINVAL);
	assert_int_equal(error.code, -EINVAL);
	assert_int_equal(wr_fail(&error, WR_ERR_USAGE, EPERM, "x"), -EINVAL);
	assert_int_equal(wr_fail(NULL, WR_ERR_USAGE, -EPERM, "x"), -EPERM);
	assert_int_equal(wr_fail(NULL, WR_ERR_USAGE, 0, "x"), -EINVAL);
	assert_int_equal(wr_fail_mend(NULL, "x"), -EINVAL);
	assert_int_equal(wr_fail_context(NULL, "x"), -EINVAL);
	assert_int_equal(wr_fail_memory(&error), -ENOMEM);
	assert_int_equal(error.kind, WR_ERR_SYSTEM);
	assert_string_equal(error.text, "out of memory");
}

/* A text may be made of the one that it replaces. */
static void test_own_text(void **state)
{
	struct wr_error error = {0};

	wr_fail(&error, WR_ERR_KERNEL, -EPERM, "inner");
	assert_int_equal(wr_fail(&error, WR_ERR_VERIFY, -EIO, "outer (%s)", error.text), -EIO);
	assert_string_equal(error.text, "outer (inner)");
	wr_fail_context(&error, "%s", error.text);
	assert_string_equal(error.text, "outer (inner): outer (inner)");
}

static void test_cut(void **state)
{
	struct wr_error error = {0};
	char *longer = malloc(5000);

	assert_non_null(longer);
	memset(longer, 'a', 4999);
	longer[4999] = '\0';
	wr_fail(&error, WR_ERR_KERNEL, -EPERM, "%s", longer);
	assert_int_equal(strlen(error.text), WR_ERROR_TEXT_MAX - 1);
	assert_string_equal(error.text + WR_ERROR_TEXT_MAX - 5, "a...");
	wr_fail_mend(&error, "%s", longer);
	assert_int_equal(strlen(error.mend), WR_ERROR_MEND_MAX - 1);
	assert_string_equal(error.mend + WR_ERROR_MEND_MAX - 5, "a...");
	/* Exactly full is not cut, whoever comes in front. */
	wr_fail(&error, WR_ERR_KERNEL, -EPERM, "%.*s", WR_ERROR_TEXT_MAX - 1, longer);
	assert_string_equal(error.text + WR_ERROR_TEXT_MAX - 5, "aaaa");
	wr_fail(&error, WR_ERR_KERNEL, -EPERM, "%.*s", WR_ERROR_TEXT_MAX - 6, longer);
	wr_fail_context(&error, "bcd");
	assert_int_equal(strlen(error.text), WR_ERROR_TEXT_MAX - 1);
	assert_memory_equal(error.text, "bcd: aaa", 8);
	assert_string_equal(error.text + WR_ERROR_TEXT_MAX - 5, "aaaa");
	wr_fail(&error, WR_ERR_KERNEL, -EPERM, "%.*s", WR_ERROR_TEXT_MAX - 5, longer); /* one byte too many */
	wr_fail_context(&error, "bcd");
	assert_string_equal(error.text + WR_ERROR_TEXT_MAX - 5, "a...");
	wr_fail_context(&error, "e");
	assert_memory_equal(error.text, "e: bcd: aaa", 11);
	assert_string_equal(error.text + WR_ERROR_TEXT_MAX - 5, "a...");
	wr_fail_context(&error, "%s", longer);
	assert_string_equal(error.text + WR_ERROR_TEXT_MAX - 5, "a...");
	/* No character is cut in two. */
	for (size_t i = 0; i + 2 < 4999; i += 2)
		memcpy(longer + i, "\xc3\xa9", 2);
	for (int shift = 0; shift < 2; shift++) {
		size_t end;

		wr_fail(&error, WR_ERR_KERNEL, -EPERM, "%.*s%s", shift, "x", longer);
		end = strlen(error.text);
		assert_string_equal(error.text + end - 3, "...");
		assert_int_equal((unsigned char)error.text[end - 4], 0xa9);
	}
	free(longer);
}

static void test_exit_status(void **state)
{
	for (int kind = 0; kind < WR_ERR_KIND_COUNT_; kind++) {
		int wanted = kind == WR_ERR_NONE ? 0 : kind == WR_ERR_USAGE || kind == WR_ERR_FILE ? 2 : 1;

		assert_int_equal(wr_error_exit_status((enum wr_error_kind)kind), wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill), cmocka_unit_test(test_codes),	 cmocka_unit_test(test_own_text),
		cmocka_unit_test(test_cut),  cmocka_unit_test(test_exit_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
