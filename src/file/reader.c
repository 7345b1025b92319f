/* reader.c: the readers of values, and of mappings by their tables.
 *
 * Words of where something stands are made only for a message: reading a good file formats nothing. */
#include "file/reader.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "model/name.h"

#define NAMES_LOOKED_AT 10000 /* how many names a suggestion is sought among */

const char *wr_nf_where(struct wr_nf_reader *r, const struct wr_nf_context *context)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};
	const char *words;

	if (!context || !context->kind)
		return "the file";
	for (; context && context->kind; context = context->parent) {
		wr_text_add(&text, context->kind);
		if (context->name) {
			wr_text_add(&text, " '");
			wr_text_add(&text, context->name);
			wr_text_add_char(&text, '\'');
		}
		if (context->parent && context->parent->kind)
			wr_text_add(&text, " of ");
	}
	words = wr_arena_strdup(r->scratch, wr_text_string(&text));
	return words ? words : "";
}

const char *wr_nf_subject(struct wr_nf_reader *r, const struct wr_nf_entry *entry)
{
	const char *words = wr_arena_printf(r->scratch, "'%s' of %s", entry->key->text, wr_nf_where(r, entry->context));

	return words ? words : "";
}

const char *wr_nf_suggest(struct wr_nf_reader *r, const char *word, const char *const *names)
{
	const char *nearest;

	if (r->diagnostics->count >= WR_NETFILE_DIAGNOSTICS_MAX || strlen(word) > 100)
		return NULL;
	nearest = wr_text_nearest(word, names);
	return nearest ? wr_arena_printf(r->arena, "did you mean '%s'?", nearest) : NULL;
}

const char *wr_nf_suggest_bridge(struct wr_nf_reader *r, const char *word)
{
	size_t count = r->pending->n_bridges < NAMES_LOOKED_AT ? r->pending->n_bridges : NAMES_LOOKED_AT;
	const char **names;

	if (r->diagnostics->count >= WR_NETFILE_DIAGNOSTICS_MAX)
		return NULL;
	names = wr_arena_alloc(r->scratch, (count + 1) * sizeof *names);
	if (!names)
		return NULL;
	for (size_t i = 0; i < count; i++)
		names[i] = r->pending->bridges[i]->bridge->name;
	return wr_nf_suggest(r, word, names);
}

/* The nearest known key of a table. */
static const char *suggest_key(struct wr_nf_reader *r, const char *word, const struct wr_nf_key *table)
{
	const char *names[32];
	size_t count = 0;

	for (; table->name && count < sizeof names / sizeof names[0] - 1; table++)
		if (table->read != wr_nf_refuse)
			names[count++] = table->name;
	names[count] = NULL;
	return wr_nf_suggest(r, word, names);
}

void wr_nf_refuse(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	wr_diagnose(r->diagnostics, wr_nf_place(entry->key), NULL,
		    "'%s' is not supported yet by this version of warren", entry->key->text);
}

static const struct wr_nf_key *find_row(const struct wr_nf_key *table, const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

bool wr_nf_read_mapping(struct wr_nf_reader *r, const struct wr_nf_node *node, const struct wr_nf_key *table,
			void *object, const struct wr_nf_context *context)
{
	node = wr_nf_follow(node);
	if (wr_nf_is_null(node))
		return true;
	if (node->kind != WR_NF_MAPPING) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "%s must be a mapping of keys to values, not %s",
			    wr_nf_where(r, context), wr_nf_kind_name(node));
		return false;
	}
	for (const struct wr_nf_node *key = node->first; key; key = key->next->next) {
		const struct wr_nf_key *row = find_row(table, key->text);

		if (row)
			row->read(r, object, &(struct wr_nf_entry){key, wr_nf_follow(key->next), context});
		else
			wr_diagnose(r->diagnostics, wr_nf_place(key), suggest_key(r, key->text, table),
				    "unknown key '%s' in %s", key->text, wr_nf_where(r, context));
	}
	return true;
}

bool wr_nf_count(struct wr_nf_reader *r, const struct wr_nf_node *node, size_t number)
{
	if (r->stop)
		return false;
	if (number <= WR_NETFILE_THINGS_MAX - r->things) {
		r->things += number;
		return true;
	}
	r->stop = true;
	wr_diagnose(r->diagnostics, wr_nf_place(node), NULL,
		    "more than %d things in one file, with its ranges written out", WR_NETFILE_THINGS_MAX);
	return false;
}

void *wr_nf_alloc(struct wr_nf_reader *r, size_t size)
{
	void *memory = wr_arena_alloc(r->arena, size);

	if (!memory)
		r->out_of_memory = true;
	return memory;
}

const char *wr_nf_text(struct wr_nf_reader *r, const struct wr_nf_node *node, const struct wr_nf_entry *entry)
{
	node = wr_nf_follow(node);
	if (node->kind != WR_NF_SCALAR || wr_nf_is_null(node)) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "%s must be a text, not %s",
			    wr_nf_subject(r, entry), wr_nf_kind_name(node));
		return NULL;
	}
	return wr_nf_expand(r, node, node->text);
}

/* What people write for true and false elsewhere. */
static const char *boolean_hint(const char *text)
{
	static const char *const yes[] = {"yes", "on", "y", "1", "true"}, *const no[] = {"no", "off", "n", "0",
											 "false"};

	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		if (!strcasecmp(text, yes[i]))
			return "did you mean 'true'?";
		if (!strcasecmp(text, no[i]))
			return "did you mean 'false'?";
	}
	return NULL;
}

bool wr_nf_boolean(struct wr_nf_reader *r, const struct wr_nf_entry *entry, bool *ret)
{
	const struct wr_nf_node *node = entry->value;
	bool is_text = node->kind == WR_NF_SCALAR;

	if (is_text && node->plain && (!strcmp(node->text, "true") || !strcmp(node->text, "false"))) {
		*ret = node->text[0] == 't';
		return true;
	}
	if (is_text)
		wr_diagnose(r->diagnostics, wr_nf_place(node), boolean_hint(node->text),
			    "%s must be true or false, not '%s'", wr_nf_subject(r, entry), node->text);
	else
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "%s must be true or false, not %s",
			    wr_nf_subject(r, entry), wr_nf_kind_name(node));
	return false;
}

/* Decimal, or hexadecimal with 0x. */
static bool parse_number(const char *text, uint64_t *ret)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	uint64_t number = 0;

	if (!*digits || (!hex && text[0] == '0' && text[1]))
		return false;
	for (; *digits; digits++) {
		unsigned digit;

		if (hex ? !isxdigit((unsigned char)*digits) : !isdigit((unsigned char)*digits))
			return false;
		digit = isdigit((unsigned char)*digits) ? (unsigned)(*digits - '0')
							: (unsigned)((*digits | 0x20) - 'a') + 10;
		if (number > (UINT64_MAX - digit) / (hex ? 16 : 10))
			return false;
		number = number * (hex ? 16 : 10) + digit;
	}
	*ret = number;
	return true;
}

bool wr_nf_number(struct wr_nf_reader *r, const struct wr_nf_entry *entry, const char *what, uint64_t least,
		  uint64_t most, uint64_t *ret)
{
	const char *text = wr_nf_text(r, entry->value, entry);
	uint64_t number;

	if (!text)
		return false;
	if (parse_number(text, &number) && number >= least && number <= most) {
		*ret = number;
		return true;
	}
	wr_diagnose(r->diagnostics, wr_nf_place(entry->value), NULL,
		    "%s must be %s from %" PRIu64 " to %" PRIu64 ", not '%s'", wr_nf_subject(r, entry),
		    what ? what : "a number", least, most, text);
	return false;
}

bool wr_nf_mac(struct wr_nf_reader *r, const struct wr_nf_entry *entry, struct wr_mac *ret)
{
	const char *text = wr_nf_text(r, entry->value, entry);
	struct wr_mac mac;

	if (!text)
		return false;
	if (wr_mac_parse(text, &mac) < 0) {
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), "a MAC address is written \"02:00:00:00:03:0a\"",
			    "%s is no MAC address: '%s'", wr_nf_subject(r, entry), text);
		return false;
	}
	if (mac.bytes[0] & 1 || !memcmp(mac.bytes, (const uint8_t[6]){0}, 6)) {
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), NULL, "%s cannot be an interface's: '%s' is %s",
			    wr_nf_subject(r, entry), text, mac.bytes[0] & 1 ? "a multicast address" : "all zero");
		return false;
	}
	*ret = mac;
	return true;
}

bool wr_nf_ifname(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *name)
{
	if (strlen(name) > WR_IFNAME_MAX)
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL,
			    "interface name '%s' has %zu bytes; the kernel allows %d", name, strlen(name),
			    WR_IFNAME_MAX);
	else if (!wr_ifname_is_valid(name))
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL,
			    "'%s' is no interface name: none may be empty, '.', '..', 'all' or 'default', or hold '/', "
			    "':', '%%' or "
			    "white space",
			    name);
	else if (strpbrk(name, "[]$"))
		wr_diagnose(r->diagnostics, wr_nf_place(node),
			    "ranges are for the keys of bridges and namespaces, and for links",
			    "interface name '%s' must not hold '[', ']' or '$'", name);
	else if (!strcmp(name, "lo"))
		wr_diagnose(r->diagnostics, wr_nf_place(node), "its addresses stand under the namespace's key 'lo'",
			    "every namespace has its 'lo' already");
	else
		return true;
	return false;
}

static bool parse_reference(const char *text, const char **ret_end)
{
	const char *close = strchr(text, ')');

	if (strncmp(text, "$(", 2) != 0 || !close)
		return false;
	*ret_end = close + 1;
	return true;
}

/* "$(edge.eth1)" or "$(edge.eth1)/24". */
static bool read_reference(struct wr_nf_reader *r, const struct wr_nf_node *item, const char *text,
			   struct wr_nf_value *ret)
{
	const char *end, *dot;
	uint64_t length = 0;

	if (!parse_reference(text, &end) ||
	    (*end && (*end != '/' || !parse_number(end + 1, &length) || length > 128))) {
		wr_diagnose(r->diagnostics, wr_nf_place(item), "a reference is written $(namespace.interface)",
			    "'%s' is no address and no reference", text);
		return false;
	}
	ret->reference = wr_arena_strndup(r->arena, text + 2, (size_t)(end - text - 3));
	if (!ret->reference) {
		r->out_of_memory = true;
		return false;
	}
	dot = strchr(ret->reference, '.');
	if (!dot || dot == ret->reference || !dot[1]) {
		wr_diagnose(r->diagnostics, wr_nf_place(item), "a reference is written $(namespace.interface)",
			    "'%s' names no interface", text);
		return false;
	}
	ret->has_length = *end == '/';
	ret->prefix.length = (uint8_t)length;
	return true;
}

bool wr_nf_value(struct wr_nf_reader *r, const struct wr_nf_node *item, const struct wr_nf_entry *entry,
		 struct wr_nf_value *ret)
{
	const char *text = wr_nf_text(r, item, entry);
	struct wr_nf_value value = {.place = wr_nf_place(item)};

	if (!text)
		return false;
	if (strchr(text, '$')) {
		if (!read_reference(r, item, text, &value))
			return false;
	} else if (wr_prefix_parse(text, &value.prefix, &value.has_length) < 0) {
		const char *hint = NULL;

		if (strchr(text, '.') && isalpha((unsigned char)text[0]))
			hint = wr_arena_printf(r->arena, "the address of another interface is written $(%s)", text);
		wr_diagnose(r->diagnostics, wr_nf_place(item), hint, "%s is no IP address: '%s'",
			    wr_nf_subject(r, entry), text);
		return false;
	}
	*ret = value;
	return true;
}

bool wr_nf_ip(struct wr_nf_reader *r, const struct wr_nf_node *item, const struct wr_nf_entry *entry, struct wr_ip *ret)
{
	struct wr_nf_value value;

	if (!wr_nf_value(r, item, entry, &value))
		return false;
	if (value.reference || value.has_length) {
		wr_diagnose(r->diagnostics, wr_nf_place(item), NULL, "%s must be an address without a length",
			    wr_nf_subject(r, entry));
		return false;
	}
	*ret = value.prefix.ip;
	return true;
}

const struct wr_nf_node *wr_nf_first_item(const struct wr_nf_node *list)
{
	list = wr_nf_follow(list);
	if (list->kind == WR_NF_SEQUENCE)
		return list->first;
	return wr_nf_is_null(list) ? NULL : list;
}

const struct wr_nf_node *wr_nf_next_item(const struct wr_nf_node *list, const struct wr_nf_node *item)
{
	return wr_nf_follow(list)->kind == WR_NF_SEQUENCE ? item->next : NULL;
}

size_t wr_nf_item_count(const struct wr_nf_node *list)
{
	list = wr_nf_follow(list);
	if (list->kind == WR_NF_SEQUENCE)
		return list->count;
	return wr_nf_is_null(list) ? 0 : 1;
}
