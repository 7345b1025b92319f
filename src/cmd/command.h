/* command.h: the program's commands, one table.
 *
 * Why:       help, manual pages and completion are made from the same rows that parse the command line.
 * Shape:     each file of cmd/ has one command: its row and its function. A command uses include/warren.h alone.
 * Errors:    a command returns the program's exit status; it prints its own errors by wr_cmd_error. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <warren.h>

struct wr_option {
	char letter;	      /* 'n', or 0 */
	const char *name;     /* "name" */
	const char *argument; /* "OTHER", or NULL: a switch */
	const char *help;     /* one sentence */
	const char *complete; /* what completes its argument: "networks", "namespaces", "files", "users", or NULL */
};

struct wr_invocation; /* options as parsed, context, rest of the arguments: main.c */

struct wr_command {
	const char *name;
	const char *arguments; /* "[FILE]" */
	const char *summary;   /* one line, no full stop */
	const char *
		description; /* paragraphs for --help and the manual page, in plain text; blank line between paragraphs;
	                          * a line that begins with two spaces is kept as it is */
	const char *examples; /* lines "COMMAND" each followed by a line of explanation indented by four; or NULL */
	const char *complete; /* what completes its arguments: "files", "networks+files", "namespaces", or NULL */
	const struct wr_option *options; /* ends with an empty row; the common ones (--help, --json) are named too */
	bool stop_at_word;		 /* options end at the first argument that is none: exec, run */
	int (*run)(struct wr_invocation *invocation);
};

extern const struct wr_command *const wr_commands[]; /* NULL-terminated, in the order of help */
