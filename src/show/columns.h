/* columns.h: text in columns, counted in characters: "—" and "→" are three bytes each.
 *
 * Errors:    sticky in the wr_text. */
#pragma once

#include <stddef.h>

struct wr_text;

/* Characters in text from byte `from` on: every byte but the continuation bytes of UTF-8. */
size_t wr_show_width(const struct wr_text *text, size_t from);
/* Fills up to column width, counted from byte `from`; at least two spaces. */
void wr_show_pad(struct wr_text *text, size_t from, size_t width);
