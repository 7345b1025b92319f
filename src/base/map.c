/* map.c: open addressing with linear probing, at most three quarters full.
 *
 * Nothing is ever taken out, so a free slot ends every search. The hash is kept in the slot: growing asks no key again, and
 * a comparison of strings happens practically only on a hit. */
#include "base/map.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"

#define CAPACITY_FIRST 8

/* Murmur3's 64-bit finaliser: every bit of the input reaches every bit of the result; 0 stays 0. */
static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 33;
	return h;
}

uint64_t wr_hash(const void *bytes, size_t length, uint64_t seed)
{
	const unsigned char *p = bytes;
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ mix(seed);

	for (size_t i = 0; i < length; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return mix(h);
}

uint64_t wr_hash_string(const char *string)
{
	return wr_hash(string, strlen(string), 0);
}

/* The slot that has key, or the free one where it belongs. */
static struct wr_map_slot *find_slot(struct wr_map_slot *slots, size_t capacity, uint64_t hash, const char *key)
{
	for (size_t i = hash & (capacity - 1);; i = (i + 1) & (capacity - 1)) {
		if (!slots[i].key || (slots[i].hash == hash && strcmp(slots[i].key, key) == 0))
			return &slots[i];
	}
}

static int resize(struct wr_map *map, size_t capacity)
{
	struct wr_map_slot *slots;

	if (capacity > SIZE_MAX / 2 / sizeof *slots)
		return -ENOMEM;
	slots = wr_arena_alloc(map->arena, capacity * sizeof *slots);
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->capacity; i++) {
		const struct wr_map_slot *old = &map->slots[i];

		if (old->key) {
			size_t at = old->hash & (capacity - 1);

			while (slots[at].key)
				at = (at + 1) & (capacity - 1);
			slots[at] = *old;
		}
	}
	map->slots = slots;
	map->capacity = capacity;
	return 0;
}

int wr_map_reserve(struct wr_map *map, size_t count)
{
	size_t capacity = map->capacity ? map->capacity : CAPACITY_FIRST;

	while (count > capacity / 4 * 3) {
		if (capacity > SIZE_MAX / 2)
			return -ENOMEM;
		capacity *= 2;
	}
	return capacity == map->capacity ? 0 : resize(map, capacity);
}

int wr_map_put(struct wr_map *map, const char *key, void *value)
{
	uint64_t hash = wr_hash_string(key);
	struct wr_map_slot *slot;
	int is_new;

	if (map->capacity) {
		slot = find_slot(map->slots, map->capacity, hash, key);
		if (slot->key) {
			slot->value = value;
			return 0;
		}
	}
	is_new = wr_map_reserve(map, map->count + 1);
	if (is_new < 0)
		return is_new;
	slot = find_slot(map->slots, map->capacity, hash, key);
	*slot = (struct wr_map_slot){key, hash, value};
	map->count++;
	return 1;
}

void *wr_map_get(const struct wr_map *map, const char *key)
{
	if (!map->count)
		return NULL;
	return find_slot(map->slots, map->capacity, wr_hash_string(key), key)->value;
}
