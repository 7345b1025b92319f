/* yaml.c: libyaml's events to a tree.
 *
 * A stack of open collections, at most 32 deep, receives each node. An alias can only name an anchor that came before it,
 * so when it arrives its target is finished (and its weight known) or still open: then it would contain itself. Mappings are
 * checked when they end: keys are texts, no key twice, `<<` replaced in its place by the pairs it brings.
 * libyaml makes one event for each node, so nothing here depends on the number of anchors but one look-up each. */
#include "file/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/map.h"
#include "file/netfile.h"
#include "file/syntax.h"

/* Mappings of up to this many pairs are searched for duplicates pair by pair. */
#define SMALL_MAPPING 8
#define CACHE_SIZE    512 /* a power of two */

struct frame {
	struct wr_nf_node *node;
	struct wr_nf_node *last; /* its last child so far */
	size_t children;
};

struct builder {
	yaml_parser_t parser;
	struct wr_arena *texts, *nodes;
	struct wr_diagnostics *diagnostics;
	struct wr_map anchors;
	struct frame stack[WR_NETFILE_NESTING_MAX];
	size_t depth;
	struct wr_nf_node *root;
	uint64_t merged;	       /* pairs that merges looked at */
	const char *cache[CACHE_SIZE]; /* texts seen lately: keys repeat, and are kept once */
};

bool wr_nf_is_null(const struct wr_nf_node *node)
{
	node = wr_nf_follow(node);
	if (node->kind != WR_NF_SCALAR || !node->plain)
		return false;
	return !*node->text || !strcmp(node->text, "~") || !strcmp(node->text, "null") || !strcmp(node->text, "Null") ||
	       !strcmp(node->text, "NULL");
}

const char *wr_nf_kind_name(const struct wr_nf_node *node)
{
	node = wr_nf_follow(node);
	switch ((enum wr_nf_kind)node->kind) {
	case WR_NF_SCALAR:
		return wr_nf_is_null(node) ? "nothing" : "text";
	case WR_NF_SEQUENCE:
		return "a list";
	case WR_NF_MAPPING:
		return "a mapping";
	case WR_NF_ALIAS:
	case WR_NF_KIND_COUNT_:
		break;
	}
	return "an alias";
}

static struct wr_place place_of(const yaml_mark_t *mark)
{
	size_t column = mark->column < 0xffffff ? mark->column + 1 : 0xffffff;

	return (struct wr_place){.line = (uint32_t)mark->line + 1, .column = (uint32_t)column};
}

static struct wr_nf_node *new_node(struct builder *b, enum wr_nf_kind kind, const yaml_mark_t *mark)
{
	struct wr_nf_node *node = wr_arena_new_of(b->nodes, struct wr_nf_node);
	struct wr_place place = place_of(mark);

	if (!node)
		return NULL;
	node->kind = kind & 0xf;
	node->line = place.line;
	node->column = place.column & 0xffffff;
	node->weight = 1;
	return node;
}

static uint32_t add_weight(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* Hangs a finished or opening node where the stack says. */
static void attach(struct builder *b, struct wr_nf_node *node)
{
	struct frame *frame;

	if (!b->depth) {
		b->root = node;
		return;
	}
	frame = &b->stack[b->depth - 1];
	if (frame->last)
		frame->last->next = node;
	else
		frame->node->first = node;
	frame->last = node;
	frame->children++;
}

static const char *keep_text(struct builder *b, const char *text, size_t length)
{
	uint32_t hash = 2166136261u;
	const char **slot;
	char *copy;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	slot = &b->cache[(hash ^ hash >> 16) & (CACHE_SIZE - 1)];
	if (*slot && !strcmp(*slot, text))
		return *slot;
	copy = wr_arena_strndup(b->texts, text, length);
	if (copy)
		*slot = copy;
	return copy;
}

static int add_anchor(struct builder *b, const yaml_char_t *name, struct wr_nf_node *node)
{
	const char *anchor = (const char *)name;

	if (!name)
		return 0;
	if (wr_map_get(&b->anchors, anchor)) {
		wr_diagnose(b->diagnostics, wr_nf_place(node), NULL, "anchor '&%s' is defined twice", anchor);
		return 0;
	}
	if (b->anchors.count == WR_NETFILE_ANCHORS_MAX) {
		wr_diagnose(b->diagnostics, wr_nf_place(node), NULL, "more than %d anchors in one file",
			    WR_NETFILE_ANCHORS_MAX);
		return -EINVAL;
	}
	anchor = wr_arena_strdup(b->nodes, anchor);
	if (!anchor || wr_map_put(&b->anchors, anchor, node) < 0)
		return -ENOMEM;
	return 0;
}

/* Tags say nothing in a network file; those that only repeat what a node is anyway are let through. */
static void check_tag(struct builder *b, const yaml_char_t *tag, const char *usual, const yaml_mark_t *mark)
{
	const char *text = (const char *)tag;

	if (!text || !strcmp(text, "!") || !strcmp(text, usual))
		return;
	if (!strncmp(text, "tag:yaml.org,2002:", 18))
		wr_diagnose(b->diagnostics, place_of(mark), "leave it out", "the tag '!!%s' means nothing here",
			    text + 18);
	else
		wr_diagnose(b->diagnostics, place_of(mark), "leave it out", "the tag '%s' means nothing here", text);
}

/* Whether a scalar takes as many columns as its text has characters: every escape and every fold takes more. */
static bool is_verbatim(const yaml_event_t *event, const char *text)
{
	const yaml_mark_t *start = &event->start_mark, *end = &event->end_mark;
	size_t quotes = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? 0 : 2, characters = 0;

	if (start->line != end->line || end->column - start->column > event->data.scalar.length + quotes)
		return false;
	for (; *text; text++)
		characters += (*text & 0xc0) != 0x80;
	return end->column - start->column == characters + quotes;
}

static int on_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	struct wr_nf_node *node = new_node(b, WR_NF_SCALAR, &event->start_mark);

	if (!node)
		return -ENOMEM;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->verbatim = is_verbatim(event, text);
	if (strlen(text) != event->data.scalar.length)
		wr_diagnose(b->diagnostics, wr_nf_place(node), NULL, "a text with a zero byte in it");
	check_tag(b, event->data.scalar.tag, YAML_STR_TAG, &event->start_mark);
	node->text = keep_text(b, text, strlen(text));
	if (!node->text)
		return -ENOMEM;
	attach(b, node);
	return add_anchor(b, event->data.scalar.anchor, node);
}

static int on_alias(struct builder *b, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct wr_nf_node *target = wr_map_get(&b->anchors, name);
	struct wr_nf_node *node = new_node(b, WR_NF_ALIAS, &event->start_mark);

	if (!node)
		return -ENOMEM;
	if (!target) {
		wr_diagnose(b->diagnostics, wr_nf_place(node), NULL, "alias '*%s' has no anchor '&%s' before it", name,
			    name);
		return -EINVAL;
	}
	if (target->open) {
		wr_diagnose(b->diagnostics, wr_nf_place(node), NULL,
			    "alias '*%s' stands inside what it names (line %u): it would contain itself", name,
			    target->line);
		return -EINVAL;
	}
	node->target = target;
	node->weight = target->weight;
	attach(b, node);
	return 0;
}

static int open_collection(struct builder *b, enum wr_nf_kind kind, const yaml_event_t *event,
			   const yaml_char_t *anchor)
{
	struct wr_nf_node *node = new_node(b, kind, &event->start_mark);

	if (!node)
		return -ENOMEM;
	if (b->depth == WR_NETFILE_NESTING_MAX) {
		wr_diagnose(b->diagnostics, wr_nf_place(node), NULL, "nested more than %d deep",
			    WR_NETFILE_NESTING_MAX);
		return -EINVAL;
	}
	attach(b, node);
	node->open = 1;
	b->stack[b->depth++] = (struct frame){.node = node};
	return add_anchor(b, anchor, node);
}

/* --- mappings ------------------------------------------------------------------------------------------------------ */

/* The keys of one mapping, for "is it there already": a list that is searched, or a map when there are many. */
struct keys {
	struct wr_map map;
	const struct wr_nf_node *few[SMALL_MAPPING];
	size_t count;
};

static const struct wr_nf_node *find_key(const struct keys *keys, const char *text)
{
	if (keys->count > SMALL_MAPPING)
		return wr_map_get(&keys->map, text);
	for (size_t i = 0; i < keys->count; i++)
		if (keys->few[i]->text == text || !strcmp(keys->few[i]->text, text))
			return keys->few[i];
	return NULL;
}

static int add_key(struct keys *keys, struct wr_nf_node *key)
{
	if (keys->count < SMALL_MAPPING) {
		keys->few[keys->count++] = key;
		return 0;
	}
	if (keys->count == SMALL_MAPPING)
		for (size_t i = 0; i < SMALL_MAPPING; i++) {
			union {
				const struct wr_nf_node *in;
				void *out;
			} few = {.in = keys->few[i]};

			if (wr_map_put(&keys->map, keys->few[i]->text, few.out) < 0)
				return -ENOMEM;
		}
	keys->count++;
	return wr_map_put(&keys->map, key->text, key) < 0 ? -ENOMEM : 0;
}

static bool is_merge(const struct wr_nf_node *key)
{
	return key->kind == WR_NF_SCALAR && key->plain && !strcmp(key->text, "<<");
}

/* Copies a node of a merged mapping: a value as an alias, so that nothing below is copied. */
static struct wr_nf_node *borrow(struct builder *b, const struct wr_nf_node *node)
{
	struct wr_nf_node *copy = wr_arena_new_of(b->nodes, struct wr_nf_node);

	if (!copy)
		return NULL;
	*copy = *node;
	copy->next = NULL;
	if (node->kind == WR_NF_SEQUENCE || node->kind == WR_NF_MAPPING) {
		copy->kind = WR_NF_ALIAS;
		copy->target = node;
	}
	return copy;
}

/* Adds the pairs of one merged mapping that are not there yet behind *link, which is moved on. */
static int merge_one(struct builder *b, struct wr_nf_node *mapping, struct keys *keys, const struct wr_nf_node *from,
		     struct wr_nf_node ***link)
{
	for (const struct wr_nf_node *key = from->first; key; key = key->next->next) {
		struct wr_nf_node *copy, *value;

		if (++b->merged > WR_NF_VALUES_MAX)
			return 0; /* said when the document ends */
		if (find_key(keys, key->text))
			continue;
		copy = borrow(b, key);
		value = borrow(b, key->next);
		if (!copy || !value || add_key(keys, copy) < 0)
			return -ENOMEM;
		mapping->weight = add_weight(mapping->weight, add_weight(1, value->weight));
		copy->next = value;
		**link = copy;
		*link = &value->next;
	}
	return 0;
}

/* Replaces the pair (key, value) by the pairs it brings. before is the pointer that points to key. */
static int merge(struct builder *b, struct wr_nf_node *mapping, struct keys *keys, struct wr_nf_node **before)
{
	struct wr_nf_node *key = *before, *value = key->next, *behind = value->next, **link = before;
	const struct wr_nf_node *from = wr_nf_follow(value);
	int r = 0;

	*before = NULL;
	if (from->kind == WR_NF_MAPPING) {
		r = merge_one(b, mapping, keys, from, &link);
	} else if (from->kind == WR_NF_SEQUENCE) {
		for (const struct wr_nf_node *item = from->first; item && r == 0; item = item->next) {
			const struct wr_nf_node *one = wr_nf_follow(item);

			if (one->kind == WR_NF_MAPPING)
				r = merge_one(b, mapping, keys, one, &link);
			else
				wr_diagnose(b->diagnostics, wr_nf_place(item), NULL, "'<<' merges mappings, not %s",
					    wr_nf_kind_name(one));
		}
	} else {
		wr_diagnose(b->diagnostics, wr_nf_place(value), NULL,
			    "'<<' merges a mapping or a list of mappings, not %s", wr_nf_kind_name(from));
	}
	*link = behind;
	return r;
}

/* Takes what cannot be a key out, refuses keys that are there twice, and follows merges. */
static int check_mapping(struct builder *b, struct wr_nf_node *mapping)
{
	struct keys keys = {.map = {.arena = b->nodes}};
	bool merges = false;

	if (mapping->count / 2 > SMALL_MAPPING && wr_map_reserve(&keys.map, mapping->count / 2) < 0)
		return -ENOMEM;

	for (struct wr_nf_node **link = &mapping->first; *link;) {
		struct wr_nf_node *key = *link, *value = key->next;
		const struct wr_nf_node *name = wr_nf_follow(key);

		if (name->kind != WR_NF_SCALAR) {
			wr_diagnose(b->diagnostics, wr_nf_place(key), NULL, "a key must be a text, not %s",
				    wr_nf_kind_name(name));
			*link = value->next;
			continue;
		}
		key->kind = WR_NF_SCALAR; /* an alias as a key: the text itself */
		key->plain = name->plain;
		key->text = name->text;
		if (is_merge(key)) {
			merges = true;
		} else {
			const struct wr_nf_node *first = find_key(&keys, key->text);

			if (first) {
				wr_diagnose(b->diagnostics, wr_nf_place(key), NULL,
					    "key '%s' is there twice, first in line %u", key->text, first->line);
				*link = value->next;
				continue;
			}
			if (add_key(&keys, key) < 0)
				return -ENOMEM;
		}
		link = &value->next;
	}
	for (struct wr_nf_node **link = &mapping->first; merges && *link;) {
		if (!is_merge(*link)) {
			link = &(*link)->next->next;
		} else {
			struct wr_nf_node *behind = (*link)->next->next;
			int r = merge(b, mapping, &keys, link);

			if (r < 0)
				return r;
			while (*link != behind)
				link = &(*link)->next->next;
		}
	}
	mapping->count = 0;
	for (const struct wr_nf_node *key = mapping->first; key; key = key->next->next)
		mapping->count++;
	return 0;
}

static int close_collection(struct builder *b)
{
	struct wr_nf_node *node = b->stack[--b->depth].node;

	node->open = 0;
	node->count = (uint32_t)b->stack[b->depth].children;
	for (const struct wr_nf_node *child = node->first; child; child = child->next)
		node->weight = add_weight(node->weight, child->weight);
	return node->kind == WR_NF_MAPPING ? check_mapping(b, node) : 0;
}

/* --- the stream ---------------------------------------------------------------------------------------------------- */

/* One event. Returns 1 at the end of the stream, 0 to go on, or a negative errno. */
static int on_event(struct builder *b, const yaml_event_t *event, size_t *documents)
{
	switch (event->type) {
	case YAML_STREAM_END_EVENT:
		return 1;
	case YAML_DOCUMENT_START_EVENT:
		if ((*documents)++) {
			wr_diagnose(b->diagnostics, place_of(&event->start_mark), NULL,
				    "a second document: a file describes one network");
			return -EINVAL;
		}
		return 0;
	case YAML_ALIAS_EVENT:
		return on_alias(b, event);
	case YAML_SCALAR_EVENT:
		return on_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		check_tag(b, event->data.sequence_start.tag, YAML_SEQ_TAG, &event->start_mark);
		return open_collection(b, WR_NF_SEQUENCE, event, event->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		check_tag(b, event->data.mapping_start.tag, YAML_MAP_TAG, &event->start_mark);
		return open_collection(b, WR_NF_MAPPING, event, event->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_collection(b);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return 0;
}

static int read_events(struct builder *b, const char *text, size_t length)
{
	size_t documents = 0;
	int r = 0;

	while (r == 0) {
		yaml_event_t event;

		if (!yaml_parser_parse(&b->parser, &event)) {
			if (b->parser.error == YAML_MEMORY_ERROR)
				return -ENOMEM;
			wr_nf_syntax_error(&b->parser, text, length, b->diagnostics);
			return -EINVAL;
		}
		r = on_event(b, &event, &documents);
		yaml_event_delete(&event);
	}
	return r < 0 ? r : 0;
}

int wr_nf_yaml_read(const char *text, size_t length, struct wr_arena *texts, struct wr_arena *nodes,
		    struct wr_diagnostics *diagnostics, struct wr_nf_node **ret)
{
	struct builder *b;
	int r;

	if (length > WR_NETFILE_SIZE_MAX) {
		wr_diagnose(diagnostics, (struct wr_place){0}, NULL, "the file is larger than %u MiB",
			    WR_NETFILE_SIZE_MAX >> 20);
		return -EINVAL;
	}
	b = wr_arena_new_of(nodes, struct builder);
	if (!b || !yaml_parser_initialize(&b->parser))
		return -ENOMEM;
	b->texts = texts;
	b->nodes = nodes;
	b->diagnostics = diagnostics;
	b->anchors.arena = nodes;
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)text, length);
	r = read_events(b, text, length);
	yaml_parser_delete(&b->parser);
	if (r < 0)
		return r;
	if (b->root && (b->root->weight > WR_NF_VALUES_MAX || b->merged > WR_NF_VALUES_MAX)) {
		wr_diagnose(diagnostics, (struct wr_place){0}, NULL,
			    "more than %d values once aliases and merges are followed", WR_NF_VALUES_MAX);
		return -EINVAL;
	}
	*ret = b->root;
	return 0;
}
