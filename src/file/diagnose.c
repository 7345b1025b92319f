/* diagnose.c: messages with their place.
 *
 * The first twenty are kept as they come and printed in the order of the file. The line that is quoted comes from the text itself;
 * control bytes in it are made visible, and the caret counts what is printed. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "file/netfile.h"

#define QUOTE_WIDTH 150 /* characters of a long line that are shown */

void wr_diagnose(struct wr_diagnostics *diagnostics, struct wr_place place, const char *hint, const char *format, ...)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};
	struct wr_diagnostic *item;
	const char *message;
	va_list arguments;

	if (diagnostics->count == WR_NETFILE_DIAGNOSTICS_MAX) {
		diagnostics->total++;
		return;
	}
	va_start(arguments, format);
	wr_text_addv(&text, format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < diagnostics->count; i++) {
		item = &diagnostics->items[i];
		/* Reached by two ways, through an alias for example: one mistake, one message. */
		if (item->place.line == place.line && item->place.column == place.column &&
		    !strcmp(item->message, wr_text_string(&text)))
			return;
	}
	message = wr_arena_strdup(diagnostics->arena, wr_text_string(&text));
	if (hint)
		hint = wr_arena_strdup(diagnostics->arena, hint);
	diagnostics->total++;
	if (message)
		diagnostics->items[diagnostics->count++] = (struct wr_diagnostic){place, message, hint};
}

/* Line number `line` of the text, without its end; *ret_length 0: there is none. */
static const char *find_line(const struct wr_diagnostics *diagnostics, uint32_t line, size_t *ret_length)
{
	const char *p = diagnostics->text, *end = p + diagnostics->length, *stop;

	*ret_length = 0;
	for (; line > 1 && p < end; line--) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			return NULL;
		p++;
	}
	if (p >= end)
		return NULL;
	stop = memchr(p, '\n', (size_t)(end - p));
	if (!stop)
		stop = end;
	if (stop > p && stop[-1] == '\r')
		stop--;
	*ret_length = (size_t)(stop - p);
	return p;
}

static const char *next_character(const char *p, const char *end)
{
	do
		p++;
	while (p < end && (*p & 0xc0) == 0x80);
	return p;
}

/* Adds one character, escaped; returns how many columns it takes. */
static size_t add_character(struct wr_text *text, const char *p, const char *next)
{
	char one[8] = {0};
	size_t before = text->length, width = 0;

	if (*p == '\t') {
		wr_text_add_char(text, ' ');
		return 1;
	}
	memcpy(one, p, (size_t)(next - p) < sizeof one ? (size_t)(next - p) : sizeof one - 1);
	wr_text_add_escaped(text, one);
	for (size_t i = before; i < text->length; i++)
		width += (text->bytes[i] & 0xc0) != 0x80;
	return width;
}

/* The line and under it the caret. Of a long line, what is around the place. */
static void quote(const struct wr_diagnostics *diagnostics, struct wr_place place, struct wr_text *text)
{
	size_t length, indent = 0;
	uint32_t first = place.column > QUOTE_WIDTH ? place.column - QUOTE_WIDTH / 2 : 1, column = 1;
	const char *p = find_line(diagnostics, place.line, &length), *end = p + length;

	if (!p || !length)
		return;
	wr_text_addf(text, "%5u | %s", place.line, first > 1 ? "..." : "");
	for (; p < end && column < first + QUOTE_WIDTH; column++) {
		const char *next = next_character(p, end);

		if (column >= first) {
			size_t width = add_character(text, p, next);

			if (column < place.column)
				indent += width;
		}
		p = next;
	}
	wr_text_addf(text, "%s\n      | %*s^\n", p < end ? "..." : "", (int)indent + (first > 1 ? 3 : 0), "");
}

static int by_place(const void *one, const void *two)
{
	const struct wr_diagnostic *const *pa = one, *const *pb = two;
	const struct wr_diagnostic *a = *pa, *b = *pb;

	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	if (a->place.column != b->place.column)
		return a->place.column < b->place.column ? -1 : 1;
	return a < b ? -1 : 1;
}

void wr_diagnostics_print(const struct wr_diagnostics *diagnostics, struct wr_text *text)
{
	const struct wr_diagnostic *sorted[WR_NETFILE_DIAGNOSTICS_MAX];
	const char *source =
		diagnostics->source && strcmp(diagnostics->source, "-") != 0 ? diagnostics->source : "<stdin>";

	for (size_t i = 0; i < diagnostics->count; i++)
		sorted[i] = &diagnostics->items[i];
	qsort(sorted, diagnostics->count, sizeof sorted[0], by_place);
	for (size_t i = 0; i < diagnostics->count; i++) {
		wr_text_add_escaped(text, source);
		if (sorted[i]->place.line)
			wr_text_addf(text, ":%u:%u", sorted[i]->place.line, sorted[i]->place.column);
		wr_text_add(text, ": ");
		wr_text_add_escaped(text, sorted[i]->message);
		wr_text_add_char(text, '\n');
		if (diagnostics->text && sorted[i]->place.line)
			quote(diagnostics, sorted[i]->place, text);
		if (sorted[i]->hint) {
			wr_text_add(text, "        ");
			wr_text_add_escaped(text, sorted[i]->hint);
			wr_text_add_char(text, '\n');
		}
	}
	if (diagnostics->total > diagnostics->count) {
		wr_text_add_escaped(text, source);
		wr_text_addf(text, ": and %zu more\n", diagnostics->total - diagnostics->count);
	}
}
