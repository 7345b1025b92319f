/* netfile.h: a network file from a string, for the tests of src/file. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "file/netfile.h"

/* Reads and completes a file. NULL: refused, with what is printed in messages. */
static inline struct wr_model *read_file_into(struct wr_diagnostics *diagnostics, const char *text, size_t length,
					      const struct wr_model *leases, struct wr_text *messages)
{
	struct wr_netfile_input input = {.source = diagnostics->source, .text = text, .length = length};
	struct wr_model *model = NULL;
	int r;

	diagnostics->text = text;
	diagnostics->length = length;
	r = wr_netfile_load(&input, diagnostics->arena, &model, diagnostics);
	if (r == 0)
		r = wr_netfile_assign(model, leases, "burrow", diagnostics);
	wr_diagnostics_print(diagnostics, messages);
	assert_int_equal(r == 0, diagnostics->total == 0);
	return r == 0 ? model : NULL;
}

static inline struct wr_model *read_file(struct wr_arena *arena, const char *text, size_t length,
					 const struct wr_model *leases, struct wr_text *messages)
{
	struct wr_diagnostics diagnostics = {.arena = arena, .source = "net.yaml"};

	return read_file_into(&diagnostics, text, length, leases, messages);
}

/* What was said without the quoted lines: "LINE:COLUMN: MESSAGE (HINT)", in the order of the file. */
static inline void describe(const struct wr_diagnostics *diagnostics, struct wr_text *text)
{
	bool done[WR_NETFILE_DIAGNOSTICS_MAX] = {false};

	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct wr_diagnostic *first = NULL;

		for (size_t j = 0; j < diagnostics->count; j++) {
			const struct wr_diagnostic *item = &diagnostics->items[j];

			if (!done[j] &&
			    (!first || item->place.line < first->place.line ||
			     (item->place.line == first->place.line && item->place.column < first->place.column)))
				first = item;
		}
		done[first - diagnostics->items] = true;
		wr_text_addf(text, "%u:%u: %s", first->place.line, first->place.column, first->message);
		if (first->hint)
			wr_text_addf(text, " (%s)", first->hint);
		wr_text_add_char(text, '\n');
	}
}

/* A file that is right. */
static inline struct wr_model *read_good(struct wr_arena *arena, const char *text)
{
	WR_CLEANUP_TEXT struct wr_text messages = {0};
	struct wr_model *model = read_file(arena, text, strlen(text), NULL, &messages);

	if (!model)
		fail_msg("refused:\n%s", wr_text_string(&messages));
	return model;
}

static inline struct wr_ns *get_ns(const struct wr_model *model, const char *name)
{
	struct wr_ns *ns = wr_model_find_ns(model, name);

	if (!ns)
		fail_msg("no namespace '%s'", name);
	return ns;
}

static inline struct wr_link *get_link(const struct wr_model *model, const char *ns, const char *name)
{
	struct wr_ns *where = get_ns(model, ns);

	for (size_t i = 0; i < where->n_links; i++)
		if (!strcmp(where->links[i]->name, name))
			return where->links[i];
	fail_msg("no link '%s' in '%s'", name, ns);
	return NULL;
}

/* The addresses of a link, with spaces between. */
static inline void assert_addresses(const struct wr_model *model, const char *ns, const char *name, const char *wanted)
{
	const struct wr_link *link = get_link(model, ns, name);
	WR_CLEANUP_TEXT struct wr_text text = {0};
	char buffer[WR_PREFIX_TEXT_MAX];

	for (size_t i = 0; i < link->n_addresses; i++) {
		wr_text_add(&text, i ? " " : "");
		wr_text_add(&text, wr_prefix_format(&link->addresses[i].prefix, buffer));
	}
	assert_string_equal(wr_text_string(&text), wanted);
}
