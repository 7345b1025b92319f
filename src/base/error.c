/* error.c: filling the error value.
 *
 * All text is first printed into a buffer of its own, so that an argument may point into the error that is being filled
 * (a function that wraps what another one said). What does not fit ends in "..." at a whole character. errno is kept. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Ends text, of which only size - 1 bytes were kept, with "..." without cutting a UTF-8 character in two. */
static void mark_cut(char *text, size_t size)
{
	size_t end = size - sizeof "...";

	while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	memcpy(text + end, "...", sizeof "...");
}

/* Prints into text; 0 bytes at its end are the only thing that is sure when the format itself is refused. */
__attribute__((format(printf, 3, 0))) static void print_into(char *text, size_t size, const char *format,
							     va_list arguments)
{
	int length = vsnprintf(text, size, format, arguments);

	if (length < 0)
		text[0] = '\0';
	else if ((size_t)length >= size)
		mark_cut(text, size);
	for (size_t n = strlen(text); n > 0 && text[n - 1] == '\n'; n--)
		text[n - 1] = '\0';
}

int wr_fail(struct wr_error *reterr, enum wr_error_kind kind, int code, const char *format, ...)
{
	char text[WR_ERROR_TEXT_MAX];
	int saved = errno;
	va_list arguments;

	if (code >= 0)
		code = -EINVAL;
	if (!reterr)
		return code;
	va_start(arguments, format);
	print_into(text, sizeof text, format, arguments);
	va_end(arguments);
	reterr->kind = kind;
	reterr->code = code;
	memcpy(reterr->text, text, strlen(text) + 1);
	reterr->mend[0] = '\0';
	errno = saved;
	return code;
}

int wr_fail_mend(struct wr_error *reterr, const char *format, ...)
{
	char mend[WR_ERROR_MEND_MAX];
	int saved = errno;
	va_list arguments;

	if (!reterr)
		return -EINVAL;
	va_start(arguments, format);
	print_into(mend, sizeof mend, format, arguments);
	va_end(arguments);
	memcpy(reterr->mend, mend, strlen(mend) + 1);
	errno = saved;
	return reterr->code;
}

int wr_fail_context(struct wr_error *reterr, const char *format, ...)
{
	char text[WR_ERROR_TEXT_MAX];
	size_t words, rest;
	int saved = errno;
	va_list arguments;

	if (!reterr)
		return -EINVAL;
	va_start(arguments, format);
	print_into(text, sizeof text, format, arguments);
	va_end(arguments);
	/* The words in front give way to nothing: what is cut is the end of the old text. */
	words = strlen(text);
	rest = strlen(reterr->text);
	if (words + 2 < sizeof text) {
		size_t room = sizeof text - words - 2;
		size_t take = rest < room ? rest + 1 : room;

		memcpy(text + words, ": ", 2);
		memcpy(text + words + 2, reterr->text, take);
		text[sizeof text - 1] = '\0';
		if (rest >= room)
			mark_cut(text, sizeof text);
	}
	memcpy(reterr->text, text, strlen(text) + 1);
	errno = saved;
	return reterr->code;
}

int wr_fail_memory(struct wr_error *reterr)
{
	return wr_fail(reterr, WR_ERR_SYSTEM, -ENOMEM, "out of memory");
}

int wr_error_exit_status(enum wr_error_kind kind)
{
	switch (kind) {
	case WR_ERR_NONE:
		return 0;
	case WR_ERR_USAGE:
	case WR_ERR_FILE:
		return 2;
	case WR_ERR_PRIVILEGE:
	case WR_ERR_UNSUPPORTED:
	case WR_ERR_CONFLICT:
	case WR_ERR_BUSY:
	case WR_ERR_NOTFOUND:
	case WR_ERR_KERNEL:
	case WR_ERR_SYSTEM:
	case WR_ERR_INTERRUPTED:
	case WR_ERR_VERIFY:
	case WR_ERR_COMMAND:
	case WR_ERR_KIND_COUNT_:
		break;
	}
	return 1;
}
