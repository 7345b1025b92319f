/* syntax.c: libyaml's errors with their place.
 *
 * The scanner and the parser give a line and a column; the reader (bytes that are no UTF-8, control bytes) only an offset,
 * from which both are counted here. YAML has its own ideas of flow style: "[::1]", "{to: ::/0}" and "{app[1-3]: x}" are errors
 * far from where a person looks, so the byte at the place decides the hint. */
#include "file/syntax.h"

#include <string.h>

#include "file/netfile.h"

static struct wr_place place_at(const char *text, size_t length, size_t offset)
{
	struct wr_place place = {.line = 1, .column = 1};

	for (size_t i = 0; i < offset && i < length; i++) {
		if (text[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if ((text[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

/* The byte at a place; 0: beyond the end. */
static char byte_at(const char *text, size_t length, struct wr_place place)
{
	size_t i = 0;

	for (uint32_t line = 1; line < place.line && i < length; i++)
		line += text[i] == '\n';
	for (uint32_t column = 1; column < place.column && i < length; column++)
		do
			i++;
		while (i < length && (text[i] & 0xc0) == 0x80);
	return i < length ? text[i] : 0;
}

static bool says(const char *words, const char *part)
{
	return words && strstr(words, part);
}

static const char *hint_for(const yaml_parser_t *parser, char c)
{
	const char *problem = parser->problem;

	if (says(problem, "cannot start any token"))
		return c == '\t' ? "YAML indents with spaces: replace the tab"
				 : "text that begins like this needs quotes";
	if (says(problem, "did not find expected node content") && c == ':')
		return "text that begins with ':' needs quotes inside [] and {}, as in [\"::1\"]";
	if (says(problem, "did not find expected ','") && c == '[')
		return "a name with a range needs quotes inside [] and {}, as in {\"app[1-3]\": ...}";
	if (says(problem, "mapping values are not allowed"))
		return "a text with ': ' in it needs quotes; otherwise look at the indentation";
	if (says(problem, "could not find expected ':'"))
		return "a key ends with ':' and a space";
	if (says(problem, "did not find expected key"))
		return "look at the indentation: keys of one mapping begin in one column";
	return NULL;
}

void wr_nf_syntax_error(const yaml_parser_t *parser, const char *text, size_t length,
			struct wr_diagnostics *diagnostics)
{
	const yaml_mark_t *mark = &parser->problem_mark;
	const char *problem = parser->problem ? parser->problem : "unreadable";
	struct wr_place place;
	char c;

	if (parser->error == YAML_READER_ERROR) {
		place = place_at(text, length, parser->problem_offset);
		if (parser->problem_value >= 0)
			wr_diagnose(diagnostics, place, NULL, "not YAML: %s (0x%02x)", problem,
				    (unsigned)parser->problem_value);
		else
			wr_diagnose(diagnostics, place, NULL, "not YAML: %s", problem);
		return;
	}
	place = (struct wr_place){.line = (uint32_t)mark->line + 1, .column = (uint32_t)mark->column + 1};
	c = byte_at(text, length, place);
	if (parser->context && parser->context_mark.line != mark->line)
		wr_diagnose(diagnostics, place, hint_for(parser, c), "not YAML: %s, %s that begins in line %zu",
			    problem, parser->context, parser->context_mark.line + 1);
	else if (parser->context)
		wr_diagnose(diagnostics, place, hint_for(parser, c), "not YAML: %s, %s", problem, parser->context);
	else
		wr_diagnose(diagnostics, place, hint_for(parser, c), "not YAML: %s", problem);
}
