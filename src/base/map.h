/* map.h: a hash map from strings to pointers, in an arena.
 *
 * Ownership: keys and values are borrowed and must live as long as the map; its own memory is the arena's.
 * Errors:    wr_map_put returns -ENOMEM; nothing else fails. A zeroed wr_map with .arena set is an empty map.
 * Threads:   one thread at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct wr_arena;

struct wr_map_slot {
	const char *key; /* NULL: free */
	uint64_t hash;
	void *value;
};

struct wr_map {
	struct wr_arena *arena;
	struct wr_map_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

/* Sets key to value. Returns 1 if the key was new, 0 if its value was replaced, -ENOMEM. */
int wr_map_put(struct wr_map *map, const char *key, void *value);
/* Makes room for count keys in all, so that putting them does not fail and moves nothing. Returns 0 or -ENOMEM. */
int wr_map_reserve(struct wr_map *map, size_t count);
void *wr_map_get(const struct wr_map *map, const char *key); /* NULL: not there */
/* 64-bit FNV-1a, finished with a mixer; seed 0 for the plain hash. Stable: MACs and hash names derive from it. */
uint64_t wr_hash(const void *bytes, size_t length, uint64_t seed);
uint64_t wr_hash_string(const char *string);
