/* json_write.h: JSON, written piece by piece.
 *
 * Why:       a plan of 800,000 steps is written straight into its text; a tree of values would cost more than the plan.
 * Shape:     begin and end objects and arrays, key before each member's value. The writer puts the commas.
 * Errors:    sticky in the wr_text. Strings may hold any bytes: what is no valid UTF-8 becomes U+FFFD, so that the result
 *            is always valid. NULL strings are null.
 * Threads:   one thread at a time.
 * Source:    RFC 8259; RFC 3629 for UTF-8. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wr_text;

struct wr_json {
	struct wr_text *text;
	bool comma; /* something stands before in this object or array */
};

void wr_json_begin(struct wr_json *json, char bracket);	 /* '{' or '[' */
void wr_json_end(struct wr_json *json, char bracket);	 /* '}' or ']' */
void wr_json_line(struct wr_json *json);		 /* the next element stands on a line of its own */
void wr_json_key(struct wr_json *json, const char *key); /* plain ASCII that needs no escaping */
void wr_json_string(struct wr_json *json, const char *value);
void wr_json_bytes(struct wr_json *json, const char *value, size_t length);
void wr_json_uint(struct wr_json *json, uint64_t value);
void wr_json_int(struct wr_json *json, int64_t value);
void wr_json_bool(struct wr_json *json, bool value);
void wr_json_null(struct wr_json *json);

/* A member: key and value. */
void wr_json_member_string(struct wr_json *json, const char *key, const char *value);
void wr_json_member_uint(struct wr_json *json, const char *key, uint64_t value);
void wr_json_member_bool(struct wr_json *json, const char *key, bool value);
