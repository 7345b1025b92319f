/* json_write.c: JSON text.
 *
 * Theory: most strings are short and plain ASCII. Such a one is put together with its comma and quotes in a small piece on the
 * stack and added at once; the rest goes character by character. */
#include "show/json_write.h"

#include <string.h>

#include "base/text.h"

#define PIECE_MAX 192

/* A member's value follows its key; an element follows the one before it after a comma. */
static void separate(struct wr_json *json)
{
	if (json->comma)
		wr_text_add_char(json->text, ',');
	json->comma = true;
}

void wr_json_begin(struct wr_json *json, char bracket)
{
	separate(json);
	wr_text_add_char(json->text, bracket);
	json->comma = false;
}

void wr_json_end(struct wr_json *json, char bracket)
{
	wr_text_add_char(json->text, bracket);
	json->comma = true;
}

void wr_json_line(struct wr_json *json)
{
	if (json->comma)
		wr_text_add_char(json->text, ',');
	wr_text_add_char(json->text, '\n');
	json->comma = false;
}

void wr_json_key(struct wr_json *json, const char *key)
{
	char piece[PIECE_MAX];
	size_t length = strlen(key), at = 0;

	if (length > sizeof piece - 4) {
		wr_json_string(json, key);
		wr_text_add_char(json->text, ':');
	} else {
		if (json->comma)
			piece[at++] = ',';
		piece[at++] = '"';
		memcpy(piece + at, key, length);
		at += length;
		piece[at++] = '"';
		piece[at++] = ':';
		wr_text_add_bytes(json->text, piece, at);
	}
	json->comma = false;
}

/* Bytes of the valid UTF-8 character that text begins with, or 0: neither overlong, nor a surrogate, nor beyond U+10FFFF. */
static size_t character_length(const unsigned char *text, size_t length)
{
	unsigned char first = text[0], low = 0x80, high = 0xbf;
	size_t size;

	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		size = 2;
	else if (first >= 0xe0 && first <= 0xef)
		size = 3;
	else if (first >= 0xf0 && first <= 0xf4)
		size = 4;
	else
		return 0;
	if (size > length)
		return 0;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void add_escape(struct wr_text *text, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char hex[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};

	switch (c) {
	case '"':
		wr_text_add_bytes(text, "\\\"", 2);
		break;
	case '\\':
		wr_text_add_bytes(text, "\\\\", 2);
		break;
	case '\n':
		wr_text_add_bytes(text, "\\n", 2);
		break;
	case '\t':
		wr_text_add_bytes(text, "\\t", 2);
		break;
	default:
		wr_text_add_bytes(text, hex, sizeof hex);
		break;
	}
}

/* The part of a string that is not plain throughout, character by character. */
static void add_characters(struct wr_text *text, const char *value, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)value;
	size_t i = 0;

	while (i < length) {
		size_t run = i, size;

		while (run < length && is_plain(bytes[run]))
			run++;
		wr_text_add_bytes(text, value + i, run - i);
		i = run;
		if (i == length)
			break;
		size = character_length(bytes + i, length - i);
		if (size == 0)
			wr_text_add(text, "\xef\xbf\xbd"); /* U+FFFD */
		else if (size == 1)
			add_escape(text, bytes[i]);
		else
			wr_text_add_bytes(text, value + i, size);
		i += size != 0 ? size : 1;
	}
}

void wr_json_bytes(struct wr_json *json, const char *value, size_t length)
{
	char piece[PIECE_MAX];
	size_t at = 0, i = 0;

	if (json->comma)
		piece[at++] = ',';
	json->comma = true;
	piece[at++] = '"';
	while (i < length && at < sizeof piece - 1 && is_plain((unsigned char)value[i]))
		piece[at++] = value[i++];
	if (i == length)
		piece[at++] = '"';
	wr_text_add_bytes(json->text, piece, at);
	if (i < length) {
		add_characters(json->text, value + i, length - i);
		wr_text_add_char(json->text, '"');
	}
}

void wr_json_string(struct wr_json *json, const char *value)
{
	if (value == NULL)
		wr_json_null(json);
	else
		wr_json_bytes(json, value, strlen(value));
}

void wr_json_uint(struct wr_json *json, uint64_t value)
{
	separate(json);
	wr_text_add_uint(json->text, value);
}

void wr_json_int(struct wr_json *json, int64_t value)
{
	separate(json);
	if (value < 0)
		wr_text_add_char(json->text, '-');
	wr_text_add_uint(json->text, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void wr_json_bool(struct wr_json *json, bool value)
{
	separate(json);
	wr_text_add(json->text, value ? "true" : "false");
}

void wr_json_null(struct wr_json *json)
{
	separate(json);
	wr_text_add(json->text, "null");
}

void wr_json_member_string(struct wr_json *json, const char *key, const char *value)
{
	wr_json_key(json, key);
	wr_json_string(json, value);
}

void wr_json_member_uint(struct wr_json *json, const char *key, uint64_t value)
{
	wr_json_key(json, key);
	wr_json_uint(json, value);
}

void wr_json_member_bool(struct wr_json *json, const char *key, bool value)
{
	wr_json_key(json, key);
	wr_json_bool(json, value);
}
