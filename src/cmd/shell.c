/* shell.c: `warren shell`. */
#include <stdlib.h>

#include "cmd/invocation.h"

static const struct wr_option options[] = {
	{'u', "user", "NAME", "Become this user, without capabilities and with no_new_privs.", "users"},
	WR_ROW_HELP,
	WR_ROW_END,
};

static int run(struct wr_invocation *invocation)
{
	struct wr_exec exec = {.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .on_warning = wr_cmd_on_warning};
	char *shell = getenv("SHELL");
	char fallback[] = "/bin/sh";
	char *argv[] = {shell && *shell ? shell : fallback, NULL};
	struct wr_error error;
	char *pin;
	int status;

	if (invocation->n_words != 1)
		return wr_cmd_usage(invocation, invocation->n_words ? "one namespace at a time" : "which namespace?");
	status = wr_cmd_open(invocation, false);
	if (status)
		return status;
	if (wr_resolve(invocation->context, invocation->words[0], &pin, &error) < 0)
		return wr_cmd_error(&error);
	/* debian_chroot is what the usual bash prompt of Debian and its kin puts in front, in parentheses. */
	if (setenv("WARREN_NAMESPACE", pin, 1) < 0 || setenv("debian_chroot", pin, 1) < 0) {
		free(pin);
		wr_cmd_say("out of memory");
		return WR_EXIT_FAILED;
	}
	free(pin);
	exec.user = wr_cmd_value(invocation, "user");
	wr_exec(invocation->context, invocation->words[0], argv, &exec, &error);
	return wr_cmd_start_status(&error);
}

const struct wr_command wr_command_shell = {
	.name = "shell",
	.arguments = "NAMESPACE",
	.summary = "start a shell inside a namespace",
	.description =
		"Runs $SHELL (/bin/sh when it is not set) inside a namespace, as `warren exec NAMESPACE $SHELL` "
		"would; see "
		"warren-exec(1) for what a program sees there and how namespaces are named.\n"
		"\n"
		"WARREN_NAMESPACE in its environment is the name in /run/netns (shop.web), for a prompt of your own:\n"
		"\n"
		"  PS1='($WARREN_NAMESPACE) \\w\\$ '\n"
		"\n"
		"The variable debian_chroot has it too: the usual prompt of bash on Debian and Ubuntu shows "
		"that by itself.\n"
		"\n"
		"Exit status: the shell's; 1 when there is no such namespace; 2 when the command line is wrong; "
		"126 when the shell could "
		"not be run, 127 when there is none.",
	.examples = "warren shell web\n"
		    "    Look around in web; leave with exit.",
	.complete = "namespaces",
	.options = options,
	.run = run,
};
