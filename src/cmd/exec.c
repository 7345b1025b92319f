/* exec.c: `warren exec`. */
#include <stdlib.h>
#include <string.h>

#include "cmd/invocation.h"

static const struct wr_option options[] = {
	{'a', "all", NULL, "Run the command in every namespace of a network at once.", NULL},
	{'u', "user", "NAME", "Become this user, without capabilities and with no_new_privs.", "users"},
	{'d', "directory", "DIRECTORY", "Run the command in this directory.", "files"},
	WR_ROW_HELP,
	WR_ROW_END,
};

/* The network that --all means: the one named, or the only one that is up. *ret is to free. */
static int choose_network(struct wr_invocation *invocation, char **ret)
{
	struct wr_error error;
	size_t count;
	char **names;

	if (wr_networks(invocation->context, &names, &count, &error) < 0)
		return wr_cmd_error(&error);
	if (count == 1)
		*ret = strdup(names[0]);
	free(names);
	if (count == 0) {
		wr_cmd_say("no network is up");
		return WR_EXIT_FAILED;
	}
	if (count > 1)
		return wr_cmd_usage(invocation, "%zu networks are up: say which, exec --all NETWORK -- COMMAND", count);
	if (!*ret) {
		wr_cmd_say("out of memory");
		return WR_EXIT_FAILED;
	}
	return 0;
}

static int run_all(struct wr_invocation *invocation)
{
	char *network = NULL;
	int status = 0;

	if (!invocation->has_separator || !invocation->rest[0])
		return wr_cmd_usage(invocation,
				    "with --all the command stands behind --: exec --all [NETWORK] -- COMMAND");
	if (invocation->n_words == 0)
		status = choose_network(invocation, &network);
	if (status == 0)
		status = wr_cmd_exec_all(invocation, network ? network : invocation->words[0], invocation->rest);
	free(network);
	return status;
}

static int run(struct wr_invocation *invocation)
{
	struct wr_exec exec = {.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .on_warning = wr_cmd_on_warning};
	struct wr_error error;
	const char *ns;
	int status = wr_cmd_open(invocation, false);

	if (status)
		return status;
	if (wr_cmd_has(invocation, "all"))
		return run_all(invocation);
	if (invocation->n_words == 0 && invocation->rest[0]) /* exec -- web COMMAND */
		invocation->words[invocation->n_words++] = *invocation->rest++;
	if (invocation->n_words == 0)
		return wr_cmd_usage(invocation, "which namespace, and which command?");
	ns = invocation->words[0];
	if (!invocation->rest[0])
		return wr_cmd_usage(invocation, "which command in '%s'? (warren shell %s starts a shell)", ns, ns);
	exec.user = wr_cmd_value(invocation, "user");
	exec.directory = wr_cmd_value(invocation, "directory");
	wr_exec(invocation->context, ns, invocation->rest, &exec, &error);
	return wr_cmd_start_status(&error);
}

const struct wr_command wr_command_exec = {
	.name = "exec",
	.arguments = "NAMESPACE [--] COMMAND [ARGUMENT]...",
	.summary = "run a command inside a namespace",
	.description =
		"Runs a command inside a network namespace. The process becomes the command: it keeps the terminal, "
		"the signals, open "
		"descriptors and the exit status.\n"
		"\n"
		"NAMESPACE is a name as the file has it (web) when only one network that is up has it, else with its "
		"network "
		"(shop/web or shop.web); or any name in /run/netns, also one that warren did not make, or its whole "
		"path. A name that may "
		"mean more than one is an error that lists them.\n"
		"\n"
		"The command has a mount namespace of its own, with the /sys of the network namespace (what is mounted "
		"below /sys, "
		"such as /sys/fs/cgroup, stays), and each file of /etc/netns/PIN over the file of that name in /etc, "
		"where PIN is "
		"the name in /run/netns (shop.web): that is how names of the network resolve inside. This works also "
		"where "
		"/etc/resolv.conf is a symbolic link. A file without a counterpart in /etc is not shown, and that is "
		"said. Where "
		"nscd or systemd-resolved would answer for the host, it is hidden, so that the files are asked.\n"
		"\n"
		"With --user the command runs as that user (a name, or the number of one), with its groups, HOME, USER "
		"and "
		"LOGNAME, without any "
		"capability and with no_new_privs, so that no set-user-id program gives it any. So that it can ping "
		"and listen on "
		"any port, net.ipv4.ping_group_range and net.ipv4.ip_unprivileged_port_start are opened in that "
		"namespace the first "
		"time, unless someone has set them.\n"
		"\n"
		"With --all the command runs in every namespace of the network at once (those that only hold a bridge "
		"left out); "
		"NETWORK may be left out when only one is up. Standard input is empty, and each line of output has the "
		"name of its "
		"namespace in front:\n"
		"\n"
		"  warren exec --all [NETWORK] -- COMMAND [ARGUMENT]...\n"
		"\n"
		"Needs CAP_NET_ADMIN and CAP_SYS_ADMIN, as root has them.\n"
		"\n"
		"Exit status: the command's; 126 when it could not be run, 127 when there is no such command; 1 when "
		"there is no such "
		"namespace; 2 when the command line is wrong. With --all: 0 when all ended with 0, else 1.",
	.examples = "warren exec web ping -c1 app2\n"
		    "    Does web reach app2?\n"
		    "warren exec shop/web -- ss -tlnp\n"
		    "    What stands behind -- is the command with its own options; ss shows web's listening sockets.\n"
		    "warren exec --user nobody web -- python3 -m http.server 80\n"
		    "    A server without privilege, on port 80.\n"
		    "warren exec --all shop -- ip -brief address\n"
		    "    All addresses.",
	.complete = "namespaces",
	.options = options,
	.stop_at_word = true,
	.run = run,
};
