/* show.c: `warren show`. */
#include "cmd/invocation.h"

static const struct wr_option options[] = {WR_ROW_JSON, WR_ROW_NAME, WR_ROW_HELP, WR_ROW_END};

static int run(struct wr_invocation *invocation)
{
	struct wr_network *network;
	struct wr_error error;
	const char *path;
	char *text;
	int status = wr_cmd_one_word(invocation, WR_DEFAULT_FILE, &path);

	if (status == 0)
		status = wr_cmd_load(invocation, path, &network);
	if (status)
		return status;
	if (wr_show(network, wr_cmd_format(invocation), &text, &error) < 0)
		status = wr_cmd_error(&error);
	else
		wr_cmd_print(text);
	wr_network_free(network);
	return status;
}

const struct wr_command wr_command_show = {
	.name = "show",
	.arguments = "[FILE]",
	.summary = "print a network file in long form, with everything spelled out",
	.description = "Reads a network file and prints it with every range expanded, every short form written long, "
		       "every default spelled "
		       "out and every address handed out. What is printed is a network file that says the same. "
		       "Without FILE it takes "
		       "warren.yaml in the current directory; - is standard input.\n"
		       "\n"
		       "Only the file is looked at, not the machine: no privilege is needed. Addresses are handed out "
		       "in the order of the "
		       "file; a network that is up keeps those that it has, so that after an edit they may be others.\n"
		       "\n"
		       "Exit status: 0 when the file is right; 2 when the command line or the file is wrong, with all "
		       "that is wrong in it.",
	.examples = "warren show shop.yaml\n"
		    "    Which addresses, names and routes the file means.\n"
		    "warren show shop.yaml > /dev/null\n"
		    "    Check a file.",
	.complete = "files",
	.options = options,
	.run = run,
};
