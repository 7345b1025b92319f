/* delta.c: see delta.h.
 *
 * Elements are paired by a hash of their key. Those of an interval set are paired as whole intervals: the kernel takes a
 * beginning and its end together, and refuses one without the other. */
#include "filter/delta.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "model/nft.h"

struct wr_nft_delta *wr_nft_delta_new(struct wr_arena *arena)
{
	struct wr_nft_delta *delta = wr_arena_new_of(arena, struct wr_nft_delta);

	if (delta)
		delta->arena = arena;
	return delta;
}

struct wr_nft_change *wr_nft_delta_add(struct wr_nft_delta *delta, enum wr_nft_change_kind kind,
				       const struct wr_nft_table *table)
{
	if (wr_arena_grow(delta->arena, &delta->changes, &delta->capacity_changes, delta->n_changes,
			  sizeof *delta->changes) < 0)
		return NULL;
	delta->changes[delta->n_changes] = (struct wr_nft_change){.kind = (uint8_t)kind, .table = table};
	return &delta->changes[delta->n_changes++];
}

/* What becomes of each live chain and set. */
struct fate {
	bool removed; /* because it is not wanted, or not as it is */
	bool flushed; /* a chain: its rules go */
};

struct comparison {
	struct wr_nft_delta *delta;
	const struct wr_nft_table *wanted, *live;
	struct fate *chains, *sets; /* by index in live */
	bool failed;
};

static struct wr_nft_change *change(struct comparison *c, enum wr_nft_change_kind kind,
				    const struct wr_nft_table *table)
{
	struct wr_nft_change *added = c->failed ? NULL : wr_nft_delta_add(c->delta, kind, table);

	c->failed |= !added;
	return added;
}

static void change_set(struct comparison *c, enum wr_nft_change_kind kind, const struct wr_nft_table *table,
		       const struct wr_nft_set *set)
{
	struct wr_nft_change *added = change(c, kind, table);

	if (added)
		added->set = set;
}

static void change_chain(struct comparison *c, enum wr_nft_change_kind kind, const struct wr_nft_table *table,
			 const struct wr_nft_chain *chain)
{
	struct wr_nft_change *added = change(c, kind, table);

	if (added)
		added->chain = chain;
}

static void change_elements(struct comparison *c, enum wr_nft_change_kind kind, const struct wr_nft_table *table,
			    const struct wr_nft_set *set, const struct wr_nft_element **elements, size_t n)
{
	struct wr_nft_change *added = n ? change(c, kind, table) : NULL;

	if (!added)
		return;
	added->set = set;
	added->elements = elements;
	added->n_elements = n;
	c->delta->n_elements += n;
}

static void *scratch(struct comparison *c, size_t n, size_t size)
{
	void *memory = wr_arena_alloc(c->delta->arena, n * size);

	c->failed |= !memory;
	return memory;
}

/* --- elements of plain sets -------------------------------------------------------------------------------------------------------- */

/* Elements by key: indices + 1, open addressing. */
struct index {
	const struct wr_nft_set *set;
	uint32_t *slots;
	size_t mask;
};

static uint64_t hash_key(const struct wr_nft_set *set, const struct wr_nft_element *element)
{
	uint64_t hash = element->key ? wr_hash(element->key, set->key_length, 0) : 0;

	return element->key_end ? wr_hash(element->key_end, set->key_length, hash) : hash;
}

static bool same_bytes(const uint8_t *a, const uint8_t *b, size_t length)
{
	return a == b || (a && b && !memcmp(a, b, length));
}

static bool same_key(const struct wr_nft_set *set, const struct wr_nft_element *a, const struct wr_nft_element *b)
{
	return same_bytes(a->key, b->key, set->key_length) && same_bytes(a->key_end, b->key_end, set->key_length);
}

static void build_index(struct comparison *c, struct index *index, const struct wr_nft_set *set)
{
	size_t capacity = 8;

	while (capacity < 2 * set->n_elements)
		capacity *= 2;
	index->set = set;
	index->mask = capacity - 1;
	index->slots = scratch(c, capacity, sizeof *index->slots);
	for (size_t i = 0; i < set->n_elements && !c->failed; i++) {
		size_t slot = hash_key(set, &set->elements[i]) & index->mask;

		while (index->slots[slot])
			slot = (slot + 1) & index->mask;
		index->slots[slot] = (uint32_t)(i + 1);
	}
}

static const struct wr_nft_element *find(const struct index *index, const struct wr_nft_element *like)
{
	for (size_t slot = hash_key(index->set, like) & index->mask; index->slots[slot];
	     slot = (slot + 1) & index->mask) {
		const struct wr_nft_element *element = &index->set->elements[index->slots[slot] - 1];

		if (same_key(index->set, element, like))
			return element;
	}
	return NULL;
}

/* The elements of set that `other` has not, or has with other data. */
static void collect_missing(struct comparison *c, const struct wr_nft_set *set, const struct wr_nft_set *other,
			    const struct wr_nft_element ***ret, size_t *ret_n)
{
	struct index index;
	size_t n = 0;

	build_index(c, &index, other);
	*ret = scratch(c, set->n_elements, sizeof **ret);
	for (size_t i = 0; i < set->n_elements && !c->failed; i++) {
		const struct wr_nft_element *element = &set->elements[i], *twin = find(&index, element);

		if (!element->dynamic && !(twin && wr_nft_element_equal(set, element, twin)))
			(*ret)[n++] = element;
	}
	*ret_n = n;
}

/* --- elements of interval sets -------------------------------------------------------------------------------------------------------- */

struct bound {
	const struct wr_nft_element *element;
	size_t length;
};

struct interval {
	const struct wr_nft_element *first, *end; /* end NULL: open */
};

struct intervals {
	struct interval *list;
	size_t n;
};

static bool is_interval_set(const struct wr_nft_set *set)
{
	return (set->flags & (NFT_SET_INTERVAL | NFT_SET_CONCAT)) == NFT_SET_INTERVAL;
}

/* By value; where one interval ends as the next begins, the end is first. */
static int compare_bounds(const void *a, const void *b)
{
	const struct bound *x = a, *y = b;
	int r = memcmp(x->element->key, y->element->key, x->length);

	return r ? r : y->element->interval_end - x->element->interval_end;
}

/* nft writes an end at 0 before the first interval: it ends nothing. */
static void collect_intervals(struct comparison *c, const struct wr_nft_set *set, struct intervals *ret)
{
	struct bound *bounds = scratch(c, set->n_elements, sizeof *bounds);
	size_t n = 0;

	ret->n = 0;
	ret->list = scratch(c, set->n_elements, sizeof *ret->list);
	if (c->failed)
		return;
	for (size_t i = 0; i < set->n_elements; i++)
		if (set->elements[i].key && !set->elements[i].dynamic)
			bounds[n++] = (struct bound){&set->elements[i], set->key_length};
	qsort(bounds, n, sizeof *bounds, compare_bounds);
	for (size_t i = 0; i < n; i++) {
		if (!bounds[i].element->interval_end)
			ret->list[ret->n++].first = bounds[i].element;
		else if (ret->n && !ret->list[ret->n - 1].end)
			ret->list[ret->n - 1].end = bounds[i].element;
	}
}

static bool same_interval(const struct wr_nft_set *set, const struct interval *a, const struct interval *b)
{
	if (!wr_nft_element_equal(set, a->first, b->first) || !a->end != !b->end)
		return false;
	return !a->end || same_key(set, a->end, b->end);
}

/* The intervals of one that the other has not. Both are in order. */
static void collect_missing_intervals(struct comparison *c, const struct wr_nft_set *set, const struct intervals *mine,
				      const struct intervals *other, const struct wr_nft_element ***ret, size_t *ret_n)
{
	size_t n = 0;

	*ret = scratch(c, 2 * mine->n, sizeof **ret);
	for (size_t i = 0, k = 0; i < mine->n && !c->failed; i++) {
		while (k < other->n && memcmp(other->list[k].first->key, mine->list[i].first->key, set->key_length) < 0)
			k++;
		if (k < other->n && same_interval(set, &mine->list[i], &other->list[k]))
			continue;
		(*ret)[n++] = mine->list[i].first;
		if (mine->list[i].end)
			(*ret)[n++] = mine->list[i].end;
	}
	*ret_n = n;
}

/* --- a set that stays -------------------------------------------------------------------------------------------------------------------- */

struct element_changes {
	const struct wr_nft_element **gone, **added;
	size_t n_gone, n_added;
};

static void compare_elements(struct comparison *c, const struct wr_nft_set *wanted, const struct wr_nft_set *live,
			     struct element_changes *ret)
{
	if (is_interval_set(wanted)) {
		struct intervals after = {0}, before = {0};

		collect_intervals(c, wanted, &after);
		collect_intervals(c, live, &before);
		collect_missing_intervals(c, wanted, &before, &after, &ret->gone, &ret->n_gone);
		collect_missing_intervals(c, wanted, &after, &before, &ret->added, &ret->n_added);
		return;
	}
	collect_missing(c, live, wanted, &ret->gone, &ret->n_gone);
	collect_missing(c, wanted, live, &ret->added, &ret->n_added);
}

static void add_all_elements(struct comparison *c, const struct wr_nft_table *table, const struct wr_nft_set *set,
			     const struct wr_nft_set *of)
{
	const struct wr_nft_element **elements = scratch(c, of->n_elements, sizeof *elements);

	for (size_t i = 0; i < of->n_elements && !c->failed; i++)
		elements[i] = &of->elements[i];
	change_elements(c, WR_NFT_ADD_ELEMENTS, table, set, elements, of->n_elements);
}

/* --- what goes ------------------------------------------------------------------------------------------------------------------------------ */

static bool same_rules(const struct wr_nft_chain *a, const struct wr_nft_chain *b)
{
	if (a->n_rules != b->n_rules || !b->deep)
		return false;
	for (size_t i = 0; i < a->n_rules; i++)
		if (!wr_nft_rule_equal(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}

static bool removed_set(const struct comparison *c, const char *name)
{
	const struct wr_nft_set *set = wr_nft_find_set(c->live, name);

	return set && c->sets[set - c->live->sets].removed;
}

static bool removed_chain(const struct comparison *c, const char *name)
{
	const struct wr_nft_chain *chain = name ? wr_nft_find_chain(c->live, name) : NULL;

	return chain && c->chains[chain - c->live->chains].removed;
}

/* Whether an expression stands in the way of what goes. */
static bool refers_to_removed(const struct comparison *c, const struct wr_nft_expr *expr)
{
	if (expr->kind == WR_NFT_lookup)
		return removed_set(c, expr->lookup.set);
	if (expr->kind == WR_NFT_dynset)
		return removed_set(c, expr->dynset.set);
	return expr->kind == WR_NFT_immediate && removed_chain(c, expr->immediate.chain);
}

static bool chain_refers_to_removed(const struct comparison *c, const struct wr_nft_chain *chain)
{
	for (size_t i = 0; i < chain->n_rules; i++)
		for (size_t k = 0; k < chain->rules[i].n_exprs; k++)
			if (refers_to_removed(c, &chain->rules[i].exprs[k]))
				return true;
	return false;
}

static void judge(struct comparison *c)
{
	for (size_t i = 0; i < c->live->n_sets; i++) {
		const struct wr_nft_set *live = &c->live->sets[i];
		const struct wr_nft_set *wanted = live->anonymous ? NULL : wr_nft_find_set(c->wanted, live->name);

		/* An anonymous set goes with its rule. */
		c->sets[i].removed = !live->anonymous && !(wanted && wr_nft_set_same(wanted, live));
	}
	for (size_t i = 0; i < c->live->n_chains; i++) {
		const struct wr_nft_chain *live = &c->live->chains[i];
		const struct wr_nft_chain *wanted = wr_nft_find_chain(c->wanted, live->name);

		c->chains[i].removed = !(wanted && wr_nft_chain_same(wanted, live));
		c->chains[i].flushed = c->chains[i].removed || !same_rules(wanted, live);
	}
	for (size_t i = 0; i < c->live->n_chains; i++)
		c->chains[i].flushed |= chain_refers_to_removed(c, &c->live->chains[i]);
}

static void take_away(struct comparison *c)
{
	const struct wr_nft_table *live = c->live;

	for (size_t i = 0; i < live->n_chains; i++)
		if (c->chains[i].flushed && (live->chains[i].n_rules || !live->chains[i].deep))
			change_chain(c, WR_NFT_FLUSH_CHAIN, live, &live->chains[i]);
	for (size_t i = 0; i < live->n_sets; i++)
		if (c->sets[i].removed)
			change_set(c, WR_NFT_DEL_SET, live, &live->sets[i]);
	for (size_t i = 0; i < live->n_chains; i++)
		if (c->chains[i].removed)
			change_chain(c, WR_NFT_DEL_CHAIN, live, &live->chains[i]);
}

/* --- what comes -------------------------------------------------------------------------------------------------------------------------------- */

/* The live one that stays; NULL: it is made. */
static const struct wr_nft_set *staying_set(const struct comparison *c, const char *name)
{
	return c->live && !removed_set(c, name) ? wr_nft_find_set(c->live, name) : NULL;
}

static const struct wr_nft_chain *staying_chain(const struct comparison *c, const char *name)
{
	return c->live && !removed_chain(c, name) ? wr_nft_find_chain(c->live, name) : NULL;
}

static void bring_heads(struct comparison *c)
{
	const struct wr_nft_table *wanted = c->wanted;

	for (size_t i = 0; i < wanted->n_sets; i++)
		if (!staying_set(c, wanted->sets[i].name))
			change_set(c, WR_NFT_ADD_SET, wanted, &wanted->sets[i]);
	for (size_t i = 0; i < wanted->n_chains; i++) {
		const struct wr_nft_chain *chain = &wanted->chains[i], *live = staying_chain(c, chain->name);

		if (!live)
			change_chain(c, WR_NFT_ADD_CHAIN, wanted, chain);
		else if (chain->type && chain->policy != live->policy)
			change_chain(c, WR_NFT_SET_POLICY, wanted, chain);
	}
}

static void bring_elements(struct comparison *c)
{
	const struct wr_nft_table *wanted = c->wanted;

	for (size_t i = 0; i < wanted->n_sets; i++) {
		const struct wr_nft_set *set = &wanted->sets[i], *live = staying_set(c, set->name);
		struct element_changes changes = {0};

		if (!live) {
			add_all_elements(c, wanted, set, set);
			continue;
		}
		if (set->kept_apart || live->kept_apart || !live->deep)
			continue;
		compare_elements(c, set, live, &changes);
		change_elements(c, WR_NFT_DEL_ELEMENTS, c->live, live, changes.gone, changes.n_gone);
		change_elements(c, WR_NFT_ADD_ELEMENTS, wanted, set, changes.added, changes.n_added);
	}
}

static void bring_rules(struct comparison *c)
{
	const struct wr_nft_table *wanted = c->wanted;

	for (size_t i = 0; i < wanted->n_chains; i++) {
		const struct wr_nft_chain *chain = &wanted->chains[i], *live = staying_chain(c, chain->name);

		if (live && !c->chains[live - c->live->chains].flushed)
			continue;
		for (size_t k = 0; k < chain->n_rules; k++) {
			struct wr_nft_change *added = change(c, WR_NFT_ADD_RULE, wanted);

			if (!added)
				return;
			added->chain = chain;
			added->rule = &chain->rules[k];
		}
	}
}

/* --- the whole ------------------------------------------------------------------------------------------------------------------------------------ */

static void make_table(struct comparison *c)
{
	change(c, WR_NFT_ADD_TABLE, c->wanted);
	bring_heads(c);
	bring_elements(c);
	bring_rules(c);
}

/* Somebody has put the table to sleep, say: flags come with a new table only. What others keep in its sets goes along. */
static void remake_table(struct comparison *c)
{
	const struct wr_nft_table *wanted = c->wanted, *before = c->live;

	change(c, WR_NFT_DEL_TABLE, before);
	c->live = NULL;
	make_table(c);
	for (size_t i = 0; i < wanted->n_sets; i++) {
		const struct wr_nft_set *set = &wanted->sets[i], *old = wr_nft_find_set(before, set->name);

		if (set->kept_apart && old && wr_nft_set_same(set, old))
			add_all_elements(c, wanted, set, old);
	}
}

static void compare_tables(struct comparison *c)
{
	c->chains = scratch(c, c->live->n_chains, sizeof *c->chains);
	c->sets = scratch(c, c->live->n_sets, sizeof *c->sets);
	if (c->failed)
		return;
	judge(c);
	take_away(c);
	bring_heads(c);
	bring_elements(c);
	bring_rules(c);
}

int wr_nft_compare(const struct wr_nft_table *wanted, const struct wr_nft_table *live, struct wr_arena *arena,
		   struct wr_nft_delta **ret)
{
	struct comparison c = {.delta = wr_nft_delta_new(arena), .wanted = wanted, .live = live};

	if (!c.delta)
		return -ENOMEM;
	if (!live)
		make_table(&c);
	else if (!wanted)
		change(&c, WR_NFT_DEL_TABLE, live);
	else if (wanted->flags != live->flags)
		remake_table(&c);
	else
		compare_tables(&c);
	if (c.failed)
		return -ENOMEM;
	*ret = c.delta;
	return 0;
}
