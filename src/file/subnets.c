/* subnets.c: a sorted table of subnets, and a hash set of addresses.
 *
 * Two prefixes are either apart or one holds the other. Sorted by first address and length, whatever holds a subnet comes before
 * it, so that one walk with the chain of what is open finds each one's surroundings; a look-up is a binary search for the
 * last one that begins at or before the address, and then the chain outwards. */
#include "file/subnets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "file/pending.h"

static int by_network(const void *one, const void *two)
{
	const struct wr_nf_subnet *a = one, *b = two;
	int order = wr_ip_compare(&a->network.ip, &b->network.ip);

	if (order)
		return order;
	if (a->network.length != b->network.length)
		return a->network.length < b->network.length ? -1 : 1;
	if (a->place.line != b->place.line) /* in file order, so that the later one is the one that is wrong */
		return a->place.line < b->place.line ? -1 : 1;
	return a->place.column < b->place.column ? -1 : a->place.column > b->place.column;
}

/* An address with its full length is in no subnet, and one whose length is not known was reported. */
static bool has_subnet(const struct wr_prefix *prefix)
{
	return prefix->length && prefix->length < wr_ip_bits(&prefix->ip);
}

int wr_nf_subnets_of(struct wr_nf_assigner *a, struct wr_nf_subnets *subnets, const struct wr_ns *ns)
{
	subnets->count = 0;
	for (size_t i = 0; i < ns->n_links; i++) {
		struct wr_link *link = ns->links[i];

		for (size_t j = 0; j < link->n_addresses; j++) {
			struct wr_prefix network = link->addresses[j].prefix;

			if (!has_subnet(&network))
				continue;
			if (wr_arena_grow(a->scratch, &subnets->items, &subnets->capacity, subnets->count,
					  sizeof *subnets->items) < 0)
				return -ENOMEM;
			network.ip = wr_prefix_network(&network);
			subnets->items[subnets->count++] = (struct wr_nf_subnet){
				.network = network, .link = link, .place = link->addresses[j].place};
		}
	}
	if (subnets->count > 1)
		qsort(subnets->items, subnets->count, sizeof *subnets->items, by_network);
	for (size_t i = 0; i < subnets->count; i++) {
		int32_t around = (int32_t)i - 1;

		while (around >= 0 &&
		       !wr_prefix_contains(&subnets->items[around].network, &subnets->items[i].network.ip))
			around = subnets->items[around].around;
		subnets->items[i].around = around;
	}
	return 0;
}

const struct wr_nf_subnet *wr_nf_subnets_find(const struct wr_nf_subnets *subnets, const struct wr_ip *ip)
{
	size_t low = 0, high = subnets->count;
	int32_t i;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (wr_ip_compare(&subnets->items[middle].network.ip, ip) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	i = (int32_t)low - 1;
	while (i >= 0 && !wr_prefix_contains(&subnets->items[i].network, ip))
		i = subnets->items[i].around;
	return i >= 0 ? &subnets->items[i] : NULL;
}

int wr_nf_taken_reset(struct wr_nf_assigner *a, struct wr_nf_taken *taken, size_t count)
{
	size_t capacity = 16;

	while (capacity < count * 2)
		capacity *= 2;
	if (capacity > taken->size) {
		taken->slots = wr_arena_alloc(a->scratch, capacity * sizeof *taken->slots);
		taken->size = taken->slots ? capacity : 0;
		if (!taken->slots)
			return -ENOMEM;
	} else {
		memset(taken->slots, 0, capacity * sizeof *taken->slots);
	}
	taken->capacity = capacity;
	return 0;
}

static struct wr_nf_taken_slot *find_slot(const struct wr_nf_taken *taken, const struct wr_ip *ip)
{
	size_t at = wr_hash(ip->bytes, wr_ip_size(ip), ip->family);

	for (;; at++) {
		struct wr_nf_taken_slot *slot = &taken->slots[at & (taken->capacity - 1)];

		if (!slot->ip.family || wr_ip_equal(&slot->ip, ip))
			return slot;
	}
}

const struct wr_nf_taken_slot *wr_nf_taken_add(struct wr_nf_taken *taken, const struct wr_ip *ip,
					       const struct wr_link *link, struct wr_place place)
{
	struct wr_nf_taken_slot *slot = find_slot(taken, ip);

	if (slot->ip.family)
		return slot;
	*slot = (struct wr_nf_taken_slot){*ip, link, place};
	return NULL;
}

bool wr_nf_taken_has(const struct wr_nf_taken *taken, const struct wr_ip *ip)
{
	return find_slot(taken, ip)->ip.family;
}
