/* Tests of base/map.c: what was put is found, and the hash never changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/map.h"

static void test_put_get(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	struct wr_map map = {.arena = arena};
	int a, b;

	assert_null(wr_map_get(&map, "a"));
	assert_int_equal(wr_map_put(&map, "a", &a), 1);
	assert_ptr_equal(wr_map_get(&map, "a"), &a);
	assert_null(wr_map_get(&map, "b"));
	assert_null(wr_map_get(&map, ""));
	assert_int_equal(wr_map_put(&map, "a", &b), 0);
	assert_ptr_equal(wr_map_get(&map, "a"), &b);
	assert_int_equal(map.count, 1);
	assert_int_equal(wr_map_put(&map, "", &a), 1);
	assert_ptr_equal(wr_map_get(&map, ""), &a);
	assert_int_equal(map.count, 2);
}

static void test_many(void **state)
{
	enum { COUNT = 50000 };
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	struct wr_map map = {.arena = arena};
	char *keys[COUNT];

	for (size_t i = 0; i < COUNT; i++) {
		keys[i] = wr_arena_printf(arena, "app%zu", i);
		assert_int_equal(wr_map_put(&map, keys[i], keys[i]), 1);
		assert_true(map.count * 4 <= map.capacity * 3);
	}
	assert_int_equal(map.count, COUNT);
	assert_int_equal(map.capacity & (map.capacity - 1), 0);
	for (size_t i = 0; i < COUNT; i++) {
		char other[32];

		snprintf(other, sizeof other, "app%zu", i);
		assert_ptr_equal(wr_map_get(&map, other), keys[i]);
		other[2] = 'q';
		assert_null(wr_map_get(&map, other));
	}
}

static void test_reserve(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	struct wr_map map = {.arena = arena};
	const struct wr_map_slot *slots;

	assert_int_equal(wr_map_put(&map, "first", arena), 1);
	assert_int_equal(wr_map_reserve(&map, 1000), 0);
	slots = map.slots;
	for (int i = 1; i < 1000; i++)
		assert_int_equal(wr_map_put(&map, wr_arena_printf(arena, "%d", i), arena), 1);
	assert_ptr_equal(map.slots, slots);
	assert_ptr_equal(wr_map_get(&map, "first"), arena);
	assert_int_equal(wr_map_reserve(&map, 5), 0);
	assert_ptr_equal(map.slots, slots);
	assert_true(wr_map_reserve(&map, SIZE_MAX) < 0);
	assert_ptr_equal(wr_map_get(&map, "999"), arena);
}

/* What one version made must be found by the next: these values are for good. */
static void test_hash(void **state)
{
	static const struct {
		const char *text;
		uint64_t seed, hash;
	} rows[] = {
		{"", 0, UINT64_C(0xefd01f60ba992926)},
		{"a", 0, UINT64_C(0x82a2a958a9bece5b)},
		{"shop", 0, UINT64_C(0xbd4ab54586fbfbcb)},
		{"web", 0, UINT64_C(0x8b8f9c357cbd25a9)},
		{"shop", 1, UINT64_C(0xadb336e2ed6892bd)},
		{"shop", UINT64_MAX, UINT64_C(0xe881b57ee5a28595)},
		{"caf\xc3\xa9", 0, UINT64_C(0xf50b1f8e2c0682e6)},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t hash = wr_hash(rows[i].text, strlen(rows[i].text), rows[i].seed);

		if (hash != rows[i].hash)
			fail_msg("'%s': 0x%016jx", rows[i].text, (uintmax_t)hash);
	}
	assert_true(wr_hash_string("shop") == wr_hash("shop", 4, 0));
	assert_true(wr_hash("a\0b", 3, 0) != wr_hash("a\0c", 3, 0));
	assert_true(wr_hash("a", 1, 0) != wr_hash("a", 2, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_get),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
