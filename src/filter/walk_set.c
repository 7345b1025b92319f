/* walk_set.c: whether a key that is known in part is in a set. */
#include <string.h>

#include <linux/netfilter/nf_tables.h>

#include "filter/walk_parts.h"
#include "model/nft.h"

/* An element with an end of its own: each part of the key is in the range of that part. */
static enum wr_walk_answer matches_parts(const struct wr_nft_set *set, const struct wr_nft_element *element,
					 const struct wr_span *key)
{
	enum wr_walk_answer all = WR_WALK_YES;
	size_t at = 0;

	for (size_t i = 0; i < set->n_fields && i < sizeof set->fields; i++) {
		struct wr_span part = {.length = set->fields[i]};
		enum wr_walk_answer one;

		if (at > key->length || part.length > key->length - at)
			return WR_WALK_UNDECIDED;
		memcpy(part.low, key->low + at, part.length);
		memcpy(part.high, key->high + at, part.length);
		one = wr_span_within(&part, element->key + at, element->key_end + at);
		if (one < all)
			all = one;
		at += (part.length + NFT_REG32_SIZE - 1) / NFT_REG32_SIZE * NFT_REG32_SIZE;
	}
	return set->n_fields ? all : WR_WALK_UNDECIDED;
}

/* Elements of such a set are where an interval begins, and the first value behind one. */
static bool has_ends(const struct wr_nft_set *set)
{
	return set->flags & NFT_SET_INTERVAL && !(set->flags & NFT_SET_CONCAT);
}

static enum wr_walk_answer matches(const struct wr_nft_set *set, const struct wr_nft_element *element,
				   const struct wr_span *key)
{
	if (element->key_end)
		return matches_parts(set, element, key);
	return wr_span_equals(key, element->key);
}

bool wr_walk_may_be(const struct wr_nft_set *set, const struct wr_nft_element *element, const struct wr_span *key)
{
	if (element->interval_end)
		return false;
	if (!element->key)
		return true;
	if (has_ends(set))
		return memcmp(element->key, key->high, key->length) <= 0;
	return matches(set, element, key) != WR_WALK_NO;
}

/* The interval that begins last before the lowest value of the key. NULL: none does. */
static const struct wr_nft_element *nearest_start(const struct wr_nft_set *set, const struct wr_span *key)
{
	const struct wr_nft_element *nearest = NULL;

	for (size_t i = 0; i < set->n_elements; i++) {
		const struct wr_nft_element *element = &set->elements[i];

		if (element->key && !element->interval_end && memcmp(element->key, key->low, key->length) <= 0 &&
		    (!nearest || memcmp(element->key, nearest->key, key->length) > 0))
			nearest = element;
	}
	return nearest;
}

/* Whether an interval begins (is_end: ends) in (from, to]. */
static bool borders_between(const struct wr_nft_set *set, bool is_end, const uint8_t *from, const uint8_t *to)
{
	for (size_t i = 0; i < set->n_elements; i++) {
		const struct wr_nft_element *element = &set->elements[i];

		if (element->key && element->interval_end == is_end &&
		    memcmp(element->key, from, set->key_length) > 0 && memcmp(element->key, to, set->key_length) <= 0)
			return true;
	}
	return false;
}

static enum wr_walk_answer look_up_interval(const struct wr_nft_set *set, const struct wr_span *key,
					    const struct wr_nft_element **ret_element)
{
	const struct wr_nft_element *start = nearest_start(set, key);
	bool inside = start && !borders_between(set, true, start->key, key->low);

	if (inside && !borders_between(set, true, key->low, key->high)) {
		*ret_element = borders_between(set, false, key->low, key->high) ? NULL : start;
		return WR_WALK_YES;
	}
	if (inside || borders_between(set, false, key->low, key->high))
		return WR_WALK_UNDECIDED;
	return WR_WALK_NO;
}

static enum wr_walk_answer look_up_each(const struct wr_nft_set *set, const struct wr_span *key,
					const struct wr_nft_element **ret_element)
{
	enum wr_walk_answer best = WR_WALK_NO;

	for (size_t i = 0; i < set->n_elements; i++) {
		enum wr_walk_answer one = set->elements[i].key ? matches(set, &set->elements[i], key) : WR_WALK_NO;

		if (one > best)
			best = one;
		if (one == WR_WALK_YES) {
			*ret_element = &set->elements[i];
			break;
		}
	}
	return best;
}

const struct wr_nft_set *wr_walk_open_lookup(const struct wr_walk *walk, const struct wr_nft_expr *expr,
					     struct wr_span *ret)
{
	const struct wr_nft_set *set = wr_nft_find_set(walk->table, expr->lookup.set);

	if (!set || !set->deep || !wr_walk_get(walk, expr->sreg, set->key_length, ret))
		return NULL;
	return set;
}

enum wr_walk_answer wr_walk_look_up(const struct wr_nft_set *set, const struct wr_span *key,
				    const struct wr_nft_element **ret_element)
{
	enum wr_walk_answer found;

	*ret_element = NULL;
	found = has_ends(set) ? look_up_interval(set, key, ret_element) : look_up_each(set, key, ret_element);
	if (found != WR_WALK_NO)
		return found;
	for (size_t i = 0; i < set->n_elements; i++) {
		if (!set->elements[i].key) {
			*ret_element = &set->elements[i];
			return WR_WALK_YES;
		}
	}
	return WR_WALK_NO;
}
