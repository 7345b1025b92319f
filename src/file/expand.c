/* expand.c: ranges in names, and $n in what they repeat.
 *
 * A range repeats its node: for each number the same subtree is read again with n set. $n and $(n+20) are put in wherever a
 * text is read; $(edge.eth1) has a '.' in it and is left to be resolved when addresses are known. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "file/reader.h"

#define RANGE_HINT "write a range as NAME[FIRST-LAST], for example app[1-3]"

/* Digits without a sign or a leading zero; returns what follows them, NULL: none or too large. */
static const char *read_digits(const char *text, uint64_t *ret)
{
	uint64_t number = 0;
	const char *p = text;

	for (; isdigit((unsigned char)*p); p++) {
		if (p - text >= 9)
			return NULL;
		number = number * 10 + (uint64_t)(*p - '0');
	}
	if (p == text || (text[0] == '0' && p - text > 1))
		return NULL;
	*ret = number;
	return p;
}

bool wr_nf_range_read(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *text, struct wr_nf_range *ret)
{
	const char *open = strchr(text, '['), *p;
	struct wr_nf_range range = {.before = text, .after = ""};

	if (!open && !strchr(text, ']')) {
		*ret = range;
		return true;
	}
	range.is_range = true;
	p = open ? read_digits(open + 1, &range.first) : NULL;
	if (p && *p == '-')
		p = read_digits(p + 1, &range.last);
	else
		p = NULL;
	if (!p || *p != ']') {
		wr_diagnose(r->diagnostics, wr_nf_place(node), RANGE_HINT, "'%s' is no complete range", text);
		return false;
	}
	if (strpbrk(p + 1, "[]")) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "'%s' has more than one range", text);
		return false;
	}
	if (range.first > range.last) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "the range in '%s' ends before it begins", text);
		return false;
	}
	range.before = wr_arena_strndup(r->arena, text, (size_t)(open - text));
	range.after = wr_arena_strdup(r->arena, p + 1);
	if (!range.before || !range.after) {
		r->out_of_memory = true;
		return false;
	}
	*ret = range;
	return true;
}

const char *wr_nf_range_name(struct wr_nf_reader *r, const struct wr_nf_range *range, uint64_t n)
{
	const char *name = range->before;

	if (range->is_range)
		name = wr_arena_printf(r->arena, "%s%" PRIu64 "%s", range->before, n, range->after);
	if (!name)
		r->out_of_memory = true;
	return name;
}

/* One operand of a sum: n or a number. */
static const char *read_operand(const struct wr_nf_reader *r, const char *text, int64_t *ret)
{
	uint64_t number;
	const char *p;

	while (*text == ' ')
		text++;
	if (*text == 'n') {
		*ret = (int64_t)r->n;
		p = text + 1;
	} else {
		p = read_digits(text, &number);
		if (!p)
			return NULL;
		*ret = (int64_t)number;
	}
	while (*p == ' ')
		p++;
	return p;
}

/* "n+20", "n - 1": a chain of sums and differences of at most 200 bytes. */
static bool read_sum(const struct wr_nf_reader *r, const char *text, int64_t *ret)
{
	int64_t sum, operand;
	const char *p = read_operand(r, text, &sum);

	while (p && (*p == '+' || *p == '-')) {
		char sign = *p;

		p = read_operand(r, p + 1, &operand);
		if (p)
			sum += sign == '+' ? operand : -operand;
	}
	if (!p || *p)
		return false;
	*ret = sum;
	return true;
}

static bool says_n(const char *text)
{
	for (const char *p = text; (p = strchr(p, 'n')); p++) {
		bool begins = p == text || !(isalnum((unsigned char)p[-1]) || p[-1] == '_');

		if (begins && !(isalnum((unsigned char)p[1]) || p[1] == '_'))
			return true;
	}
	return false;
}

static void outside(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *text)
{
	wr_diagnose(r->diagnostics, wr_nf_place(node), NULL,
		    "$n in '%s' is not within a range such as app[1-3], and has no value", text);
}

/* What stands between "$(" and ")": a sum, or a reference, which is kept (with $n put in). */
static bool expand_inside(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *inside,
			  struct wr_text *text)
{
	int64_t sum;

	if (strchr(inside, '.') && !strchr(inside, '$')) {
		wr_text_add(text, "$(");
		wr_text_add(text, inside);
		wr_text_add_char(text, ')');
		return true;
	}
	if (!r->in_range && says_n(inside)) {
		outside(r, node, node->text);
		return false;
	}
	if (strlen(inside) > 200 || !read_sum(r, inside, &sum)) {
		wr_diagnose(r->diagnostics, wr_nf_place(node),
			    "a sum is written $(n+20), a reference $(namespace.interface)",
			    "'$(%s)' is neither a sum with n nor a reference", inside);
		return false;
	}
	if (sum < 0) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "'$(%s)' is less than 0 where n is %" PRIu64,
			    inside, r->n);
		return false;
	}
	wr_text_add_uint(text, (uint64_t)sum);
	return true;
}

/* The ')' that belongs to the "$(" before text. */
static const char *find_close(const char *text)
{
	int depth = 1;

	for (; *text; text++) {
		if (*text == '(')
			depth++;
		else if (*text == ')' && --depth == 0)
			return text;
	}
	return NULL;
}

static bool expand_to(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *from, struct wr_text *text,
		      int depth);

/* "$(…)" at from; *ret_end is set behind it. */
static bool expand_parentheses(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *from,
			       struct wr_text *text, int depth, const char **ret_end)
{
	WR_CLEANUP_TEXT struct wr_text inside = {0}, raw = {0};
	const char *close = find_close(from + 2);

	if (!close || depth > 3) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "'$(' without its ')' in '%s'", node->text);
		return false;
	}
	wr_text_add_bytes(&raw, from + 2, (size_t)(close - from - 2));
	if (!expand_to(r, node, wr_text_string(&raw), &inside, depth + 1))
		return false;
	*ret_end = close + 1;
	return expand_inside(r, node, wr_text_string(&inside), text);
}

static bool expand_to(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *from, struct wr_text *text,
		      int depth)
{
	while (*from) {
		if (*from != '$') {
			size_t length = strcspn(from, "$");

			wr_text_add_bytes(text, from, length);
			from += length;
		} else if (from[1] == '(') {
			if (!expand_parentheses(r, node, from, text, depth, &from))
				return false;
		} else if (from[1] == 'n' && !isalpha((unsigned char)from[2])) {
			if (!r->in_range) {
				outside(r, node, node->text);
				return false;
			}
			wr_text_add_uint(text, r->n);
			from += 2;
		} else {
			wr_diagnose(r->diagnostics, wr_nf_place(node),
				    "known are $n, $(n+20) and $(namespace.interface)", "'$' without a meaning in '%s'",
				    node->text);
			return false;
		}
	}
	return true;
}

const char *wr_nf_expand(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *text)
{
	WR_CLEANUP_TEXT struct wr_text result = {0};
	const char *copy;

	if (!strchr(text, '$'))
		return text;
	if (!expand_to(r, node, text, &result, 0))
		return NULL;
	copy = wr_text_error(&result) ? NULL : wr_arena_strdup(r->arena, wr_text_string(&result));
	if (!copy)
		r->out_of_memory = true;
	return copy;
}
