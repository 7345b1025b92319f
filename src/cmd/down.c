/* down.c: `warren down`. */
#include <stdlib.h>
#include <string.h>

#include "cmd/invocation.h"

static const struct wr_option options[] = {
	{'a', "all", NULL, "Take down every network that is up.", NULL},
	WR_ROW_NAME,
	WR_ROW_TIMEOUT,
	WR_ROW_HELP,
	WR_ROW_END,
};

/* Every network, one after the other; one that cannot be taken down does not keep the others up. */
static int down_all(struct wr_invocation *invocation)
{
	struct wr_error error;
	char **names;
	int status = 0;

	if (invocation->n_words || wr_cmd_has(invocation, "name"))
		return wr_cmd_usage(invocation, "--all takes everything down, and no FILE or NAME beside it");
	if (wr_networks(invocation->context, &names, NULL, &error) < 0)
		return wr_cmd_error(&error);
	for (size_t i = 0; names[i]; i++) {
		int one = wr_cmd_down(invocation, names[i], NULL, stdout);

		if (status == 0)
			status = one;
	}
	free(names);
	return status;
}

static int down_file(struct wr_invocation *invocation, const char *path)
{
	struct wr_network *network;
	int status = wr_cmd_load(invocation, path, &network);

	if (status) {
		if (strcmp(path, WR_DEFAULT_FILE) != 0)
			wr_cmd_say("a network is also taken down by its name alone: warren down NAME");
		return status;
	}
	status = wr_cmd_down(invocation, wr_network_name(network), network, stdout);
	wr_network_free(network);
	return status;
}

static int run(struct wr_invocation *invocation)
{
	const char *word;
	int status = wr_cmd_open(invocation, true);

	if (status)
		return status;
	if (wr_cmd_has(invocation, "all"))
		return down_all(invocation);
	status = wr_cmd_one_word(invocation, WR_DEFAULT_FILE, &word);
	if (status)
		return status;
	if (wr_cmd_is_file(word) || strcmp(word, WR_DEFAULT_FILE) == 0)
		return down_file(invocation, word);
	if (wr_cmd_has(invocation, "name"))
		return wr_cmd_usage(invocation, "--name goes with a file; '%s' is a name already", word);
	return wr_cmd_down(invocation, word, NULL, stdout);
}

const struct wr_command wr_command_down = {
	.name = "down",
	.arguments = "[FILE|NAME]",
	.summary = "take a network down, without a trace",
	.description = "Removes everything that carries the network's mark: its namespaces, links, routes, files, and "
		       "what was changed on the "
		       "host for it. Neither the file nor the state directory is needed: the marks are in the kernel. "
		       "What has no mark of "
		       "this network is never touched, whatever its name.\n"
		       "\n"
		       "An argument that is an existing file, or ends in .yaml or .yml, is a network file; any other "
		       "is the name of a network. "
		       "Without an argument it is warren.yaml in the current directory.\n"
		       "\n"
		       "Programs that still run in a namespace keep running there, without a network, until they end; "
		       "the namespace "
		       "ends with the last of them.\n"
		       "\n"
		       "Exit status: 0 when it is down (also when it was down before); 1 when something could not be "
		       "removed; 2 when the "
		       "command line or the file is wrong.",
	.examples = "warren down\n"
		    "    Take down the network of ./warren.yaml.\n"
		    "warren down shop\n"
		    "    Take down the network called shop; no file is needed.\n"
		    "warren down --all\n"
		    "    Take down every network that warren made on this machine.",
	.complete = "networks+files",
	.options = options,
	.run = run,
};
