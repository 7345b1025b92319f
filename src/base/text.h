/* text.h: a text that grows, with a sticky error.
 *
 * Why:       printers write a straight list of pieces; running out of memory is asked for once, at the end.
 * Ownership: wr_text owns its bytes on the heap; wr_text_done frees them.
 * Errors:    after a failure every further call does nothing; wr_text_error tells (0 or -ENOMEM).
 * Threads:   one thread at a time. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wr_text {
	char *bytes;   /* always ends with a 0 byte once something was added; NULL before */
	size_t length; /* without that 0 byte */
	size_t capacity;
	int error; /* 0 or -ENOMEM, sticky */
};

void wr_text_done(struct wr_text *text); /* frees, leaves it empty and usable */
int wr_text_error(const struct wr_text *text);
const char *wr_text_string(const struct wr_text *text); /* "" when empty; borrowed, until the next change */
void wr_text_add(struct wr_text *text, const char *string);
void wr_text_add_bytes(struct wr_text *text, const char *bytes, size_t length);
void wr_text_add_char(struct wr_text *text, char c);
void wr_text_add_uint(struct wr_text *text, uint64_t number); /* decimal, fast */
void wr_text_addf(struct wr_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void wr_text_addv(struct wr_text *text, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
/* Adds string with every control byte, DEL and byte that is no valid UTF-8 as \xNN: safe for a terminal. */
void wr_text_add_escaped(struct wr_text *text, const char *string);
/* Adds string as one word of a POSIX shell: bare where that is safe, else in single quotes. */
void wr_text_add_shell(struct wr_text *text, const char *string);
/* Gives the bytes away (the caller frees them); the text is empty afterwards. NULL: out of memory. */
char *wr_text_steal(struct wr_text *text);

#define WR_CLEANUP_TEXT __attribute__((cleanup(wr_text_done)))

/* The candidate nearest to word by edit distance (transpositions count one), or NULL when none is within a third of
 * word's length (at least 1). Candidates end with NULL. */
const char *wr_text_nearest(const char *word, const char *const *candidates);
bool wr_text_starts(const char *string, const char *prefix);
