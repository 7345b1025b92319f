/* run.c: `warren run`: up, a command, down.
 *
 * Theory: the signals that end a program are blocked from before the command starts, and fetched one at a time, together
 * with SIGCHLD: none is lost between two looks, and each is passed on while the child lives. A signal that the terminal
 * sent has reached the child already, because it is in the same process group; the kernel says so in si_code. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/invocation.h"

static const struct wr_option options[] = {WR_ROW_NAME, WR_ROW_TIMEOUT, WR_ROW_HELP, WR_ROW_END};

/* A network that is up already belongs to whoever brought it up: taking it down at the end would take it from them. */
static int refuse_existing(struct wr_invocation *invocation, const char *name)
{
	struct wr_error error;
	bool exists = false;
	char **names;

	if (wr_networks(invocation->context, &names, NULL, &error) < 0)
		return wr_cmd_error(&error);
	for (size_t i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			exists = true;
	free(names);
	if (!exists)
		return 0;
	wr_cmd_say("network '%s' is there already, and run would take it down at its end", name);
	fprintf(stderr, "  try: warren run --name OTHER FILE -- COMMAND, or warren down %s first\n", name);
	return WR_EXIT_FAILED;
}

static void become_command(char **argv, const sigset_t *mask) __attribute__((noreturn));
static void become_command(char **argv, const sigset_t *mask)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	int code;

	/* Handlers become the default by execve; SIGPIPE was ignored for this program's own sake. */
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct sigaction action;

		if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			signal(numbers[i], SIG_DFL);
	}
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	code = errno;
	wr_cmd_say("cannot run '%s': %s", argv[0], strerror(code));
	_exit(code == ENOENT ? WR_EXIT_NOT_THERE : WR_EXIT_NOT_RUNNABLE);
}

/* Waits for the child, passing signals on to it. Returns its wait status. */
static int attend(pid_t pid, const sigset_t *set)
{
	int status;

	for (;;) {
		siginfo_t info;
		pid_t ended = waitpid(pid, &status, WNOHANG);

		if (ended == pid)
			return status;
		if (sigwaitinfo(set, &info) < 0)
			continue; /* EINTR: stopped and continued */
		if (info.si_signo != SIGCHLD && info.si_code != SI_KERNEL)
			kill(pid, info.si_signo);
	}
}

/* Runs the command on this machine's side of the network; *ret_status is its exit status. */
static int run_command(const char *network, char **argv, int *ret_status)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t set, before;
	pid_t pid;
	int code;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigaction(SIGCHLD, &usual, NULL); /* an ignored SIGCHLD would take the exit status with it */
	sigprocmask(SIG_BLOCK, &set, &before);
	if (setenv("WARREN_NETWORK", network, 1) < 0) {
		wr_cmd_say("out of memory");
		return WR_EXIT_FAILED;
	}
	if (wr_cmd_signal()) { /* it came when the network was just up; from here on they are fetched */
		wr_cmd_say("stopped by signal %d before the command was started", wr_cmd_signal());
		return WR_EXIT_FAILED;
	}
	fflush(stdout);
	pid = fork();
	code = errno;
	if (pid == 0)
		become_command(argv, &before);
	if (pid < 0) {
		wr_cmd_say("cannot start a process: %s", strerror(code));
		return WR_EXIT_FAILED;
	}
	*ret_status = wr_cmd_wait_status(attend(pid, &set));
	return 0;
}

static int run_between(struct wr_invocation *invocation, const struct wr_network *network)
{
	const char *name = wr_network_name(network);
	int status, command_status = 0, down_status;
	enum wr_result result;

	status = refuse_existing(invocation, name);
	if (status == 0)
		status = wr_cmd_up(invocation, network, stderr, &result);
	if (status)
		return status;
	if (result == WR_RESULT_NOTHING_TO_DO) /* another run was quicker: it is theirs */
		return refuse_existing(invocation, name);
	status = run_command(name, invocation->rest, &command_status);
	wr_cmd_stop_listening();
	down_status = wr_cmd_down(invocation, name, network, stderr);
	if (status || command_status)
		return status ? status : command_status;
	return down_status;
}

static int run(struct wr_invocation *invocation)
{
	struct wr_network *network;
	int status;

	if (invocation->n_words == 0)
		return wr_cmd_usage(invocation, "which file?");
	if (!invocation->rest[0])
		return wr_cmd_usage(invocation, "which command? warren run %s -- COMMAND", invocation->words[0]);
	status = wr_cmd_load(invocation, invocation->words[0], &network);
	if (status)
		return status;
	status = wr_cmd_open(invocation, true);
	if (status == 0)
		status = run_between(invocation, network);
	wr_network_free(network);
	return status;
}

const struct wr_command wr_command_run = {
	.name = "run",
	.arguments = "FILE [--] COMMAND [ARGUMENT]...",
	.summary = "bring a network up, run a command, take the network down",
	.description =
		"Brings up the network of a file, runs a command, and takes the network down whatever happens: also "
		"when the command "
		"fails or is killed, and on SIGINT, SIGTERM and SIGHUP, which are passed on to the command. The verb "
		"for tests and CI.\n"
		"\n"
		"The command runs on this machine's side, not inside a namespace; it goes in with `warren exec`. "
		"WARREN_NETWORK in its "
		"environment has the name of the network.\n"
		"\n"
		"If a network of that name is there already, run refuses: at its end it would take down what somebody "
		"else brought up. "
		"--name gives it another name.\n"
		"\n"
		"What up and down have to say goes to standard error, so that standard output is the command's alone.\n"
		"\n"
		"Only SIGKILL keeps run from cleaning up; `warren down FILE` then does it.\n"
		"\n"
		"Exit status: the command's; 128 and the signal's number when a signal ended it; 126 when it could not "
		"be run, 127 when "
		"there is no such command; 1 when the network could not be brought up (what was there is back) or, "
		"after a command "
		"that ended with 0, not be taken down; 2 when the command line or the file is wrong.",
	.examples =
		"warren run shop.yaml -- pytest tests\n"
		"    Run tests that need the network.\n"
		"warren run --name \"ci$$\" shop.yaml -- sh -c 'warren exec \"$WARREN_NETWORK/web\" ping -c1 app2'\n"
		"    Beside other runs of the same file.",
	.complete = "files",
	.options = options,
	.stop_at_word = true,
	.run = run,
};
