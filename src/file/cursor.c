/* cursor.c: places inside a scalar.
 *
 * A text that stands in one line of the file as it is has its characters side by side there; where $n was put in, that holds up to
 * the first '$'. Anything else has one place, that of the scalar. */
#include <ctype.h>
#include <string.h>

#include "file/reader.h"

void wr_nf_cursor_begin(struct wr_nf_cursor *cursor, const struct wr_nf_node *node, const char *text)
{
	node = wr_nf_follow(node);
	*cursor = (struct wr_nf_cursor){.text = text, .at = text, .end = text, .start = wr_nf_place(node)};
	cursor->place = cursor->start;
	if (!node->verbatim)
		return;
	cursor->end = text + (text == node->text ? strlen(text) : strcspn(node->text, "$"));
	cursor->place.column += !node->plain;
}

struct wr_place wr_nf_cursor_place(struct wr_nf_cursor *cursor, const char *at)
{
	if (at > cursor->end)
		return cursor->start;
	for (; cursor->at > at; cursor->at--)
		cursor->place.column -= (cursor->at[-1] & 0xc0) != 0x80;
	for (; cursor->at < at; cursor->at++)
		cursor->place.column += (*cursor->at & 0xc0) != 0x80;
	return cursor->place;
}

bool wr_nf_port(struct wr_nf_reader *r, struct wr_nf_cursor *cursor, const char *digits, size_t length,
		const char *what, uint16_t *ret)
{
	struct wr_place place = wr_nf_cursor_place(cursor, digits);
	int shown = length < 40 ? (int)length : 40;
	bool is_number = length > 0 && (digits[0] != '0' || length == 1);
	uint32_t port = 0;

	if (!what)
		what = "port";
	for (size_t i = 0; i < length; i++) {
		is_number &= isdigit((unsigned char)digits[i]) != 0;
		if (port <= UINT16_MAX)
			port = port * 10 + (uint32_t)(digits[i] - '0');
	}
	if (!length)
		wr_diagnose(r->diagnostics, place, NULL, "the %s is missing", what);
	else if (!is_number)
		wr_diagnose(r->diagnostics, place, NULL, "%s '%.*s' is not a number", what, shown, digits);
	else if (!port || port > UINT16_MAX)
		wr_diagnose(r->diagnostics, place, NULL, "%s %.*s is not from 1 to 65535", what, shown, digits);
	else
		*ret = (uint16_t)port;
	return is_number && port && port <= UINT16_MAX;
}
