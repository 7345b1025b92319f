/* text.c: a growing text.
 *
 * The capacity doubles, so that a text of n bytes costs n steps however small the pieces are. Each function that adds makes
 * room first (reserve), and that is the only place that can fail. */
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 256
/* The longest word that wr_text_nearest compares; keys and names are shorter. */
#define WORD_MAX 64

/* Makes room for more bytes and the 0 byte. False: not possible, now or before. */
static bool reserve(struct wr_text *text, size_t more)
{
	size_t capacity = text->capacity;
	char *bytes;

	if (text->error)
		return false;
	if (capacity - text->length > more)
		return true;
	if (capacity == 0)
		capacity = CAPACITY_FIRST;
	while (capacity - text->length <= more) {
		if (capacity > PTRDIFF_MAX / 2) {
			text->error = -ENOMEM;
			return false;
		}
		capacity *= 2;
	}
	bytes = realloc(text->bytes, capacity);
	if (!bytes) {
		text->error = -ENOMEM;
		return false;
	}
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

void wr_text_done(struct wr_text *text)
{
	free(text->bytes);
	*text = (struct wr_text){0};
}

int wr_text_error(const struct wr_text *text)
{
	return text->error;
}

const char *wr_text_string(const struct wr_text *text)
{
	return text->bytes ? text->bytes : "";
}

void wr_text_add_bytes(struct wr_text *text, const char *bytes, size_t length)
{
	if (!reserve(text, length))
		return;
	if (length)
		memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void wr_text_add(struct wr_text *text, const char *string)
{
	wr_text_add_bytes(text, string, strlen(string));
}

void wr_text_add_char(struct wr_text *text, char c)
{
	if (!reserve(text, 1))
		return;
	text->bytes[text->length++] = c;
	text->bytes[text->length] = '\0';
}

void wr_text_add_uint(struct wr_text *text, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	wr_text_add_bytes(text, digits + at, sizeof digits - at);
}

void wr_text_addv(struct wr_text *text, const char *format, va_list arguments)
{
	va_list again;
	int length;

	/* At least 1 byte to print into; mostly it fits at once. */
	if (!reserve(text, 1))
		return;
	va_copy(again, arguments);
	length = vsnprintf(text->bytes + text->length, text->capacity - text->length, format, arguments);
	if (length >= 0 && (size_t)length >= text->capacity - text->length) {
		text->bytes[text->length] = '\0'; /* half of it is no result, should there be no room */
		if (reserve(text, (size_t)length))
			vsnprintf(text->bytes + text->length, text->capacity - text->length, format, again);
	}
	va_end(again);
	if (text->error)
		return;
	if (length < 0) { /* glibc: out of memory, or a result beyond INT_MAX */
		text->bytes[text->length] = '\0';
		text->error = -ENOMEM;
		return;
	}
	text->length += (size_t)length;
}

void wr_text_addf(struct wr_text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	wr_text_addv(text, format, arguments);
	va_end(arguments);
}

/* How many bytes at p are one valid UTF-8 character that a terminal only shows: 1..4, or 0. Shortest forms only, no
 * surrogates, nothing beyond U+10FFFF, and not the controls U+0080..U+009F, which some terminals obey. Ends at a 0 byte by
 * itself, which continues nothing. */
static size_t printable_length(const unsigned char *p)
{
	size_t length;
	unsigned char least = 0x80, most = 0xbf; /* of the second byte */

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xc2 || p[0] == 0xe0)
		least = 0xa0;
	else if (p[0] == 0xf0)
		least = 0x90;
	else if (p[0] == 0xed)
		most = 0x9f;
	else if (p[0] == 0xf4)
		most = 0x8f;
	if (p[1] < least || p[1] > most)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

void wr_text_add_escaped(struct wr_text *text, const char *string)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)string, *plain = p;

	while (*p) {
		size_t length = printable_length(p);

		if (length) {
			p += length;
			continue;
		}
		wr_text_add_bytes(text, (const char *)plain, (size_t)(p - plain));
		/* A control of two bytes is valid UTF-8: its second byte alone is not, so both come out escaped. */
		wr_text_add_bytes(text, (const char[]){'\\', 'x', hex[*p >> 4], hex[*p & 15]}, 4);
		plain = ++p;
	}
	wr_text_add_bytes(text, (const char *)plain, (size_t)(p - plain));
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Whether the shell leaves the word alone wherever a word may stand. */
static bool is_bare(const char *string)
{
	for (const char *p = string; *p; p++) {
		bool is_plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');

		/* '=' makes an assignment of a command's first word, and zsh expands it at the start of any. */
		if (!is_plain && !is_one_of(*p, "_-./:@%+,") && !(*p == '=' && p > string))
			return false;
	}
	return *string != '\0';
}

void wr_text_add_shell(struct wr_text *text, const char *string)
{
	if (is_bare(string)) {
		wr_text_add(text, string);
		return;
	}
	wr_text_add_char(text, '\'');
	for (const char *p = string; *p;) {
		size_t length = strcspn(p, "'");

		wr_text_add_bytes(text, p, length);
		p += length;
		if (*p) {
			wr_text_add(text, "'\\''");
			p++;
		}
	}
	wr_text_add_char(text, '\'');
}

char *wr_text_steal(struct wr_text *text)
{
	char *bytes;

	/* An empty text gets its 0 byte here. */
	wr_text_add_bytes(text, "", 0);
	if (text->error) {
		wr_text_done(text);
		return NULL;
	}
	bytes = text->bytes;
	*text = (struct wr_text){0};
	return bytes;
}

static size_t least_of(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* The optimal string alignment distance: insertions, deletions, changes and swaps of neighbours, no part edited twice.
 * Three rows of the table are enough: a swap looks two rows back. */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= n_b; j++)
		last[j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t *spare = before;

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			row[j] = least_of(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[n_b];
}

const char *wr_text_nearest(const char *word, const char *const *candidates)
{
	size_t length = strlen(word), limit = length / 3 ? length / 3 : 1, least = limit + 1;
	const char *nearest = NULL;

	if (length > WORD_MAX)
		return NULL;
	for (; *candidates; candidates++) {
		size_t other = strlen(*candidates), d;

		if (other > WORD_MAX || other > length + limit || length > other + limit)
			continue;
		d = distance(word, length, *candidates, other);
		if (d < least) {
			least = d;
			nearest = *candidates;
		}
	}
	return nearest;
}

bool wr_text_starts(const char *string, const char *prefix)
{
	return strncmp(string, prefix, strlen(prefix)) == 0;
}
