/* Tests of base/arena.c: what is handed out is zeroed, aligned, apart from everything else, and grows. */
#include <errno.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

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

/* Fills each piece with its number and looks whether all still hold it at the end. */
static void test_apart(void **state)
{
	enum { COUNT = 3000 };
	struct wr_arena *arena = *state;
	unsigned char *pieces[COUNT];
	size_t sizes[COUNT], sum = 0;
	uint32_t random = 1;

	for (size_t i = 0; i < COUNT; i++) {
		random = random * 1664525 + 1013904223;
		sizes[i] = random >> 8 & (i % 100 == 0 ? 0xffff : 0xff);
		pieces[i] = wr_arena_alloc(arena, sizes[i]);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(pieces[i][j], 0);
		memset(pieces[i], (int)(i & 0xff), sizes[i]);
		if (i % 3 == 0)
			assert_string_equal(wr_arena_strdup(arena, "odd"), "odd");
		sum += sizes[i];
	}
	assert_true(wr_arena_used(arena) >= sum);
	for (size_t i = 0; i < COUNT; i++) {
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(pieces[i][j], i & 0xff);
	}
}

static void test_large(void **state)
{
	struct wr_arena *arena = *state;
	char *small = wr_arena_alloc(arena, 1), *large = wr_arena_alloc(arena, (size_t)5 << 20);
	char *next = wr_arena_alloc(arena, 1);
	volatile size_t most = SIZE_MAX; /* the compiler would warn of what is tested here */

	assert_non_null(large);
	assert_int_equal(large[((size_t)5 << 20) - 1], 0);
	/* The chunk that was begun is gone on with. */
	assert_true(next - small < 64 && next > small);
	assert_null(wr_arena_alloc(arena, most));
	assert_null(wr_arena_alloc(arena, most / 2));
	assert_non_null(wr_arena_alloc(arena, 100));
}

static void test_strings(void **state)
{
	struct wr_arena *arena = *state;
	char longer[1000];

	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_string_equal(wr_arena_strdup(arena, ""), "");
	assert_string_equal(wr_arena_strdup(arena, "web"), "web");
	assert_string_equal(wr_arena_strndup(arena, "website", 3), "web");
	assert_string_equal(wr_arena_strndup(arena, "web", 30), "web");
	assert_string_equal(wr_arena_strndup(arena, "web", 0), "");
	assert_string_equal(wr_arena_printf(arena, "%s.%d", "shop", 7), "shop.7");
	assert_string_equal(wr_arena_printf(arena, "%s", longer), longer);
	for (int length = 250; length < 260; length++)
		assert_int_equal(strlen(wr_arena_printf(arena, "%.*s", length, longer)), length);
	assert_memory_equal(wr_arena_memdup(arena, "a\0b", 3), "a\0b", 3);
	assert_non_null(wr_arena_memdup(arena, NULL, 0));
	assert_string_equal(wr_arena_strdup(arena, longer), longer);
}

static void test_grow(void **state)
{
	struct wr_arena *arena = *state;
	uint64_t *a = NULL, *b = NULL;
	size_t capacity_a = 0, capacity_b = 0;

	/* Two arrays by turns: neither can stay where it is for long. */
	for (size_t i = 0; i < 10000; i++) {
		assert_int_equal(wr_arena_grow(arena, &a, &capacity_a, i, sizeof *a), 0);
		assert_int_equal(wr_arena_grow(arena, &b, &capacity_b, i, sizeof *b), 0);
		assert_int_equal(a[i], 0);
		a[i] = i;
		b[i] = i * 2;
	}
	for (size_t i = 0; i < 10000; i++) {
		assert_int_equal(a[i], i);
		assert_int_equal(b[i], i * 2);
	}
	assert_true(capacity_a < 20001);
}

/* One array alone grows where it lies, and what it grows into is zero. */
static void test_grow_in_place(void **state)
{
	struct wr_arena *arena = *state;
	uint64_t *a = NULL;
	size_t capacity = 0;
	const uint64_t *first;

	assert_int_equal(wr_arena_grow(arena, &a, &capacity, 0, sizeof *a), 0);
	first = a;
	for (size_t i = 0; i < 128; i++) {
		assert_int_equal(wr_arena_grow(arena, &a, &capacity, i, sizeof *a), 0);
		assert_int_equal(a[i], 0);
		a[i] = ~UINT64_C(0);
	}
	assert_ptr_equal(a, first);
	assert_int_equal(*(unsigned char *)wr_arena_alloc(arena, 1), 0);
}

static void test_grow_limits(void **state)
{
	struct wr_arena *arena = *state;
	char *a = NULL, *kept;
	size_t capacity = 0;

	/* Things as large as 100 bytes begin with room for one. */
	assert_int_equal(wr_arena_grow(arena, &a, &capacity, 0, 100), 0);
	assert_int_equal(capacity, 1);
	kept = a;
	capacity = SIZE_MAX / 2;
	assert_int_equal(wr_arena_grow(arena, &a, &capacity, capacity, 100), -ENOMEM);
	assert_ptr_equal(a, kept);
	assert_int_equal(capacity, SIZE_MAX / 2);
	capacity = SIZE_MAX / 2 + 1;
	assert_int_equal(wr_arena_grow(arena, &a, &capacity, capacity, 1), -ENOMEM);
	wr_arena_free(NULL);
}

static void test_cleanup(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();

	assert_non_null(wr_arena_new_of(arena, struct wr_arena *));
	assert_non_null(wr_arena_alloc(arena, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grow_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grow_limits, setup, teardown),
		cmocka_unit_test(test_cleanup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
