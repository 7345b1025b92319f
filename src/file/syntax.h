/* syntax.h: what libyaml refuses, in words that help. Private to file/. */
#pragma once

#include <stddef.h>
#include <yaml.h>

struct wr_diagnostics;

/* Reports the error that the parser stopped at, with its place, and a hint for the usual ones. */
void wr_nf_syntax_error(const yaml_parser_t *parser, const char *text, size_t length,
			struct wr_diagnostics *diagnostics);
