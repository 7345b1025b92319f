/* version.c: `warren version`. */
#include <stdio.h>

#include "cmd/invocation.h"

static const struct wr_option options[] = {WR_ROW_JSON, WR_ROW_HELP, WR_ROW_END};

static int run(struct wr_invocation *invocation)
{
	if (invocation->n_words)
		return wr_cmd_usage(invocation, "version takes no arguments, and '%s' is one", invocation->words[0]);
	if (wr_cmd_has(invocation, "json"))
		printf("{\"version\": \"%s\"}\n", WR_VERSION);
	else
		printf("warren %s\n", WR_VERSION);
	return WR_EXIT_DONE;
}

const struct wr_command wr_command_version = {
	.name = "version",
	.arguments = "",
	.summary = "print the version",
	.description = "Prints the version of this program.\n"
		       "\n"
		       "Exit status: 0.",
	.examples = "warren version\n"
		    "    Prints: warren " WR_VERSION,
	.options = options,
	.run = run,
};
