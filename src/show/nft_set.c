/* nft_set.c: sets and their elements in nft's words.
 *
 * The kernel keeps an interval of a plain set as two elements, its first value and the first one behind it; nft says both as
 * one. Of a concatenation with intervals each element has both ends. */
#include <netinet/in.h> /* before linux/in.h */

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "show/nft_parts.h"

#define LINE_ELEMENTS_MAX 4 /* more stand in lines of their own */

/* How a key, or data, is made. */
struct layout {
	uint32_t types[WR_NFT_PARTS_MAX], lengths[WR_NFT_PARTS_MAX];
	size_t count;
	uint32_t total; /* bytes */
};

struct printer {
	const struct wr_nft_set *set;
	struct layout key, data;
	struct wr_text *text;
	bool failed;
};

/* Lengths as far as types have one; the one that has none takes what is left. */
static void lay_out(struct layout *layout, uint32_t type, uint32_t total)
{
	uint32_t rest = total;
	size_t open = WR_NFT_PARTS_MAX;

	layout->count = wr_nft_type_split(type, layout->types);
	layout->total = total;
	for (size_t i = 0; i < layout->count; i++) {
		uint32_t length = wr_nft_type_length(layout->types[i]), taken = length;

		layout->lengths[i] = length;
		if (length == 0)
			open = i;
		if (layout->count > 1)
			taken = wr_nft_padded(length);
		rest -= taken < rest ? taken : rest;
	}
	if (open < WR_NFT_PARTS_MAX)
		layout->lengths[open] = rest;
}

static void lay_out_key(struct layout *layout, const struct wr_nft_table *table, const struct wr_nft_set *set)
{
	struct wr_text unused WR_CLEANUP_TEXT = {0};
	uint32_t lengths[WR_NFT_PARTS_MAX];
	bool is_open = false;

	lay_out(layout, set->key_type, set->key_length);
	for (size_t i = 0; i < layout->count; i++)
		is_open = is_open || layout->types[i] == WR_NFT_TYPE_INTEGER;
	if (is_open && layout->count > 1 && wr_show_nft_typeof(table, set, &unused, lengths))
		memcpy(layout->lengths, lengths, layout->count * sizeof *lengths);
}

/* last NULL: one value. */
static void add_values(struct printer *printer, const struct layout *layout, const uint8_t *first, const uint8_t *last)
{
	uint32_t at = 0;

	for (size_t i = 0; i < layout->count; i++) {
		uint32_t length = layout->lengths[i];

		if (at > layout->total || length > layout->total - at) {
			printer->failed = true;
			return;
		}
		if (i > 0)
			wr_text_add(printer->text, " . ");
		if (!wr_show_nft_range(printer->text, layout->types[i], first + at, (last != NULL ? last : first) + at,
				       length))
			printer->failed = true;
		at += wr_nft_padded(length);
	}
}

/* --- elements ------------------------------------------------------------------------------------------------------------- */

static void add_options(struct printer *printer, const struct wr_nft_element *element)
{
	struct wr_text *text = printer->text;

	if (element->counted)
		wr_text_addf(text, " counter packets %llu bytes %llu", (unsigned long long)element->packets,
			     (unsigned long long)element->bytes);
	if (element->timeout_ms != 0)
		wr_text_addf(text, " timeout %llums", (unsigned long long)element->timeout_ms);
	if (element->expires_ms != 0)
		wr_text_addf(text, " expires %llums", (unsigned long long)element->expires_ms);
	if (element->comment != NULL) {
		wr_text_add(text, " comment ");
		if (!wr_show_nft_quoted(text, element->comment))
			printer->failed = true;
	}
}

static void add_data(struct printer *printer, const struct wr_nft_element *element)
{
	if ((printer->set->flags & NFT_SET_MAP) == 0)
		return;
	wr_text_add(printer->text, " : ");
	if (element->data != NULL)
		add_values(printer, &printer->data, element->data, NULL);
	else if (!wr_show_nft_verdict(printer->text, element->verdict, element->chain))
		printer->failed = true;
}

/* The value before. */
static void step_back(uint8_t *bytes, uint32_t length)
{
	for (uint32_t i = length; i-- > 0;)
		if (bytes[i]-- != 0)
			return;
}

/* end: the first value behind the interval; NULL: it goes on to the last one. */
static void add_interval(struct printer *printer, const struct wr_nft_element *element, const uint8_t *end)
{
	uint8_t last[WR_NFT_VALUE_MAX];
	uint32_t length = printer->key.total;

	if (length > sizeof last || printer->key.count != 1) {
		printer->failed = true;
		return;
	}
	if (end != NULL) {
		memcpy(last, end, length);
		step_back(last, length);
	} else {
		memset(last, 0xff, length);
	}
	add_values(printer, &printer->key, element->key, last);
}

static void add_element(struct printer *printer, const struct wr_nft_element *element,
			const struct wr_nft_element *next)
{
	bool is_interval = (printer->set->flags & NFT_SET_INTERVAL) != 0;

	if (element->key == NULL)
		wr_text_add_char(printer->text, '*');
	else if (!is_interval || printer->key.count > 1)
		add_values(printer, &printer->key, element->key, element->key_end);
	else
		add_interval(printer, element, next != NULL ? next->key : NULL);
	add_options(printer, element);
	add_data(printer, element);
}

static int compare_elements(const void *a, const void *b, void *data)
{
	const struct wr_nft_element *one = *(const struct wr_nft_element *const *)a;
	const struct wr_nft_element *other = *(const struct wr_nft_element *const *)b;
	int order;

	if (one->key == NULL || other->key == NULL)
		return (one->key != NULL) - (other->key != NULL);
	order = memcmp(one->key, other->key, *(const uint32_t *)data);
	return order != 0 ? order : (int)other->interval_end - (int)one->interval_end;
}

static void add_list(struct printer *printer, const struct wr_nft_element *const *elements, size_t count,
		     const char *indent)
{
	bool lines = indent != NULL && count > LINE_ELEMENTS_MAX, first = true;

	wr_text_add_char(printer->text, '{');
	for (size_t i = 0; i < count; i++) {
		if (elements[i]->interval_end)
			continue;
		if (!first)
			wr_text_add_char(printer->text, ',');
		wr_text_add_char(printer->text, lines ? '\n' : ' ');
		if (lines)
			wr_text_add(printer->text, indent);
		add_element(printer, elements[i], i + 1 < count ? elements[i + 1] : NULL);
		first = false;
	}
	wr_text_add_char(printer->text, ' ');
	wr_text_add_char(printer->text, '}');
}

bool wr_show_nft_elements(const struct wr_nft_table *table, const struct wr_nft_set *set,
			  const struct wr_nft_element *const *elements, size_t count, const char *indent,
			  struct wr_text *text)
{
	struct printer printer = {.set = set, .text = text};
	const struct wr_nft_element **sorted = NULL;
	uint32_t length = set->key_length;

	lay_out_key(&printer.key, table, set);
	lay_out(&printer.data, set->data_type, set->data_length);
	if ((set->flags & NFT_SET_INTERVAL) != 0 && printer.key.count == 1 && count > 0) {
		sorted = malloc(count * sizeof *sorted);
		if (sorted == NULL) {
			text->error = -ENOMEM;
			return false;
		}
		memcpy(sorted, elements, count * sizeof *sorted);
		qsort_r(sorted, count, sizeof *sorted, compare_elements, &length);
		elements = sorted;
	}
	add_list(&printer, elements, count, indent);
	free(sorted);
	return !printer.failed;
}

bool wr_show_nft_set_elements(const struct wr_nft_table *table, const struct wr_nft_set *set, const char *indent,
			      struct wr_text *text)
{
	const struct wr_nft_element **list = malloc((set->n_elements + 1) * sizeof *list);
	bool said;

	if (list == NULL) {
		text->error = -ENOMEM;
		return false;
	}
	for (size_t i = 0; i < set->n_elements; i++)
		list[i] = &set->elements[i];
	said = wr_show_nft_elements(table, set, list, set->n_elements, indent, text);
	free(list);
	return said;
}

/* --- heads ---------------------------------------------------------------------------------------------------------------- */

static bool has_part(uint32_t type, uint32_t part)
{
	uint32_t parts[WR_NFT_PARTS_MAX];
	size_t count = wr_nft_type_split(type, parts);

	for (size_t i = 0; i < count; i++)
		if (parts[i] == part)
			return true;
	return false;
}

/* "type ifname . mark : mark"; a key with a part that has no type of its own by what is looked up: "typeof iifname . @th,64,128" */
static bool add_type(const struct wr_nft_table *table, const struct wr_nft_set *set, struct wr_text *text)
{
	bool is_map = (set->flags & NFT_SET_MAP) != 0, is_open = has_part(set->key_type, WR_NFT_TYPE_INTEGER), said;
	uint32_t lengths[WR_NFT_PARTS_MAX];

	wr_text_add(text, is_open ? "typeof " : "type ");
	said = is_open ? wr_show_nft_typeof(table, set, text, lengths) : wr_show_nft_type(text, set->key_type);
	if (!is_map)
		return said;
	wr_text_add(text, " : ");
	if (is_open && set->data_type != NFT_DATA_VERDICT)
		said = false; /* nft wants a typeof on both sides */
	if (set->data_type == NFT_DATA_VERDICT)
		wr_text_add(text, "verdict");
	else if (!wr_show_nft_type(text, set->data_type))
		said = false;
	return said;
}

static void add_flags(uint32_t flags, const char *before, const char *after, struct wr_text *text)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} rows[] = {{NFT_SET_CONSTANT, "constant"},
		    {NFT_SET_EVAL, "dynamic"},
		    {NFT_SET_INTERVAL, "interval"},
		    {NFT_SET_TIMEOUT, "timeout"}};
	const char *separator = "flags ";

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if ((flags & rows[i].flag) == 0)
			continue;
		if (separator[0] == 'f')
			wr_text_add(text, before);
		wr_text_add(text, separator);
		wr_text_add(text, rows[i].word);
		separator = ",";
	}
	if (separator[0] == ',')
		wr_text_add(text, after);
}

bool wr_show_nft_set_head(const struct wr_nft_table *table, const struct wr_nft_set *set, const char *before,
			  const char *after, struct wr_text *text)
{
	bool said;

	wr_text_add(text, before);
	said = add_type(table, set, text) && (set->flags & NFT_SET_OBJECT) == 0;
	wr_text_add(text, after);
	if (set->size != 0 && !set->anonymous)
		wr_text_addf(text, "%ssize %u%s", before, set->size, after);
	add_flags(set->flags, before, after, text);
	if (set->timeout_ms != 0)
		wr_text_addf(text, "%stimeout %llums%s", before, (unsigned long long)set->timeout_ms, after);
	if (set->comment != NULL) {
		wr_text_add(text, before);
		wr_text_add(text, "comment ");
		said = wr_show_nft_quoted(text, set->comment) && said;
		wr_text_add(text, after);
	}
	return said;
}
