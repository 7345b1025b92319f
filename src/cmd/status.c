/* status.c: `warren status`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/invocation.h"

static const struct wr_option options[] = {WR_ROW_JSON, WR_ROW_NAME, WR_ROW_HELP, WR_ROW_END};

/* One network; *text is the caller's to print. */
static int ask(struct wr_invocation *invocation, const char *name, const struct wr_network *network, char **ret)
{
	struct wr_error error;
	size_t differences;

	if (wr_status(invocation->context, name, network, wr_cmd_format(invocation), ret, &differences, &error) < 0)
		return wr_cmd_error(&error);
	return differences ? WR_EXIT_DIFFERENT : WR_EXIT_DONE;
}

/* A failure outweighs a difference, a difference outweighs none. */
static int worse(int a, int b)
{
	if (a == WR_EXIT_DONE || (a == WR_EXIT_DIFFERENT && b != WR_EXIT_DONE))
		return b;
	return a;
}

/* Every network that is up; as JSON a list of them, also when there is one or none. */
static int ask_all(struct wr_invocation *invocation)
{
	bool json = wr_cmd_has(invocation, "json");
	struct wr_error error;
	int status = 0;
	char **names;
	bool first = true;

	if (wr_networks(invocation->context, &names, NULL, &error) < 0)
		return wr_cmd_error(&error);
	if (json)
		putchar('[');
	for (size_t i = 0; names[i]; i++) {
		char *text = NULL;
		int one = ask(invocation, names[i], NULL, &text);

		if (text) {
			size_t length = strlen(text);

			if (json && length && text[length - 1] == '\n')
				text[length - 1] = '\0';
			if (!first)
				putchar(json ? ',' : '\n');
			first = false;
			wr_cmd_print(text);
		}
		status = worse(status, one);
	}
	if (json)
		puts("]");
	else if (!names[0])
		puts("no network is up");
	free(names);
	return status;
}

static int run(struct wr_invocation *invocation)
{
	struct wr_network *network = NULL;
	const char *word, *name;
	char *text = NULL;
	int status = wr_cmd_one_word(invocation, NULL, &word);

	if (status == 0)
		status = wr_cmd_open(invocation, false);
	if (status)
		return status;
	if (word && wr_cmd_is_file(word)) {
		status = wr_cmd_load(invocation, word, &network);
		if (status)
			return status;
		name = wr_network_name(network);
	} else if (wr_cmd_has(invocation, "name")) {
		return wr_cmd_usage(invocation, "--name goes with a file");
	} else if (word) {
		name = word;
	} else {
		return ask_all(invocation);
	}
	status = ask(invocation, name, network, &text);
	if (text)
		wr_cmd_print(text);
	wr_network_free(network);
	return status;
}

const struct wr_command wr_command_status = {
	.name = "status",
	.arguments = "[NAME|FILE]",
	.summary = "tell whether a network is as its file says",
	.description = "Observes a network that is up, compares it with the file that it was made from, as it was kept "
		       "when it was brought up, "
		       "and prints each difference: what was removed, changed or added by hand since. `warren up` with "
		       "the same file mends "
		       "them. Nothing is changed.\n"
		       "\n"
		       "An argument that is an existing file, or ends in .yaml or .yml, is a network file, which is "
		       "then compared instead of "
		       "the kept one. Without an argument every network that is up is looked at; with --json the "
		       "answer is then a list.\n"
		       "\n"
		       "Exit status: 0 when everything is as it should be; 3 when something differs; 1 when there is "
		       "no such network or "
		       "it could not be read; 2 when the command line or the file is wrong.",
	.examples = "warren status\n"
		    "    All networks.\n"
		    "warren status shop || warren up shop.yaml\n"
		    "    Mend it when it has changed.",
	.complete = "networks+files",
	.options = options,
	.run = run,
};
