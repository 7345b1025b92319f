/* plan.c: `warren plan`. */
#include "cmd/invocation.h"

static const struct wr_option options[] = {
	{'c', "commands", NULL, "Print the steps as ip, bridge, sysctl and nft commands for a shell.", NULL},
	WR_ROW_JSON,
	WR_ROW_NAME,
	WR_ROW_HELP,
	WR_ROW_END,
};

static int run(struct wr_invocation *invocation)
{
	struct wr_network *network = NULL;
	struct wr_error error;
	const char *path;
	size_t steps;
	char *text;
	int status = wr_cmd_one_word(invocation, WR_DEFAULT_FILE, &path);

	if (status)
		return status;
	if (wr_cmd_has(invocation, "commands") && wr_cmd_has(invocation, "json"))
		return wr_cmd_usage(invocation, "--commands and --json are two forms of output: one at a time");
	status = wr_cmd_load(invocation, path, &network);
	if (status)
		return status;
	status = wr_cmd_open(invocation, false);
	if (status == 0) {
		if (wr_plan(invocation->context, network, wr_cmd_format(invocation), &text, &steps, &error) < 0) {
			status = wr_cmd_error(&error);
		} else {
			wr_cmd_print(text);
			status = steps ? WR_EXIT_DIFFERENT : WR_EXIT_DONE;
		}
	}
	wr_network_free(network);
	return status;
}

const struct wr_command wr_command_plan = {
	.name = "plan",
	.arguments = "[FILE]",
	.summary = "show what up would do, and why",
	.description =
		"Compares a network file with what is there and prints each step that up would carry out, in order, "
		"with its reason. "
		"Nothing is changed. Without FILE it takes warren.yaml in the current directory; - is standard input.\n"
		"\n"
		"A line begins with + (is made), ~ (is changed in place) or - (is removed). A step that interrupts "
		"traffic through what "
		"it touches is marked so; everything else goes on meanwhile.\n"
		"\n"
		"With --commands the same steps are printed as commands, as a person would type them; packet filters "
		"as scripts for nft. "
		"Piped into sh on "
		"a machine where nothing of the network is up, they build the same network. They check nothing and put "
		"nothing back: "
		"they are for reading, and for machines without warren.\n"
		"\n"
		"Reading the inside of namespaces needs the same privilege as up.\n"
		"\n"
		"Exit status: 0 when there is nothing to do; 3 when there is; 1 when the machine could not be read, or "
		"something that is "
		"not warren's stands in the way; 2 when the command line or the file is wrong.",
	.examples = "warren plan shop.yaml\n"
		    "    What would be done.\n"
		    "warren plan --commands shop.yaml | sh -e\n"
		    "    Build the network without warren.\n"
		    "warren plan --json shop.yaml | jq '.steps | length'\n"
		    "    How much it would be.",
	.complete = "files",
	.options = options,
	.run = run,
};
