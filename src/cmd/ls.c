/* ls.c: `warren ls`. */
#include "cmd/invocation.h"

static const struct wr_option options[] = {WR_ROW_JSON, WR_ROW_HELP, WR_ROW_END};

static int run(struct wr_invocation *invocation)
{
	struct wr_error error;
	char *text;
	int status;

	if (invocation->n_words)
		return wr_cmd_usage(invocation, "ls takes no arguments, and '%s' is one", invocation->words[0]);
	status = wr_cmd_open(invocation, false);
	if (status)
		return status;
	if (wr_list(invocation->context, wr_cmd_format(invocation), &text, &error) < 0)
		return wr_cmd_error(&error);
	wr_cmd_print(text);
	return WR_EXIT_DONE;
}

const struct wr_command wr_command_ls = {
	.name = "ls",
	.arguments = "",
	.summary = "list the network namespaces that have a name, and whose they are",
	.description =
		"Prints every name in /run/netns with the network that made it, read from the mark in the kernel. A "
		"name that "
		"warren did not make is listed without a network; one that stands for no namespace any more is said to "
		"be stale.\n"
		"\n"
		"Without CAP_SYS_ADMIN the names are listed, but whose they are cannot be read, and that is said.\n"
		"\n"
		"Exit status: 0; 1 when the directory could not be read; 2 when the command line is wrong.",
	.examples = "warren ls\n"
		    "    What is there.\n"
		    "warren ls --json\n"
		    "    The same for a program.",
	.options = options,
	.run = run,
};
