/* columns.c: text in columns. See columns.h. */
#include "show/columns.h"

#include "base/text.h"

static void add_spaces(struct wr_text *text, size_t count)
{
	static const char spaces[] = "                                                                ";

	while (count > 0) {
		size_t n = count < sizeof spaces - 1 ? count : sizeof spaces - 1;

		wr_text_add_bytes(text, spaces, n);
		count -= n;
	}
}

size_t wr_show_width(const struct wr_text *text, size_t from)
{
	size_t width = 0;

	for (size_t i = from; i < text->length; i++)
		width += ((unsigned char)text->bytes[i] & 0xc0) != 0x80;
	return width;
}

void wr_show_pad(struct wr_text *text, size_t from, size_t width)
{
	size_t used = wr_show_width(text, from);

	add_spaces(text, used + 2 <= width ? width - used : 2);
}
