/* exec.c: a program inside a namespace, in this process or in a child.
 *
 * Theory: everything that can be asked is asked before anything is changed: the namespace is opened, the user looked up.
 * Then the process enters, takes its view of /sys and /etc, becomes the user, and is replaced by the program: there is no
 * parent in between, so terminal, job control, signals and exit status are the program's own.
 *
 * A child tells its failure through a pipe that closes by itself when the program starts: an empty pipe is success. The
 * error is smaller than PIPE_BUF, so one write carries it whole. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <warren.h>

#include "base/error.h"
#include "base/file.h"
#include "kernel/exec.h"
#include "kernel/exec_parts.h"
#include "kernel/netns.h"

/* What is known before anything is changed. */
struct start {
	struct wr_host *host;
	const char *pin;
	struct wr_netns *ns;
	char *const *argv;
	const struct wr_exec *options; /* may be NULL */
	struct wr_exec_user user;
	bool has_user;
};

static int prepare(struct start *start, struct wr_error *reterr)
{
	int r;

	if (!start->argv || !start->argv[0])
		return wr_fail(reterr, WR_ERR_USAGE, -EINVAL, "no program to run in namespace '%s' is given",
			       start->pin);
	start->has_user = start->options && start->options->user;
	if (start->has_user) {
		r = wr_exec_user_find(start->host->arena, start->options->user, &start->user, reterr);
		if (r < 0)
			return r;
	}
	r = wr_netns_get(start->host, start->pin, &start->ns, reterr);
	if (r == 0 && start->has_user)
		r = wr_exec_user_open_doors(start->host, start->ns, &start->user, reterr);
	return r;
}

/* A blocked signal, or a SIGPIPE that the caller ignores for its own sake, is nothing the program asked for. Signals that
 * were ignored on purpose (nohup) stay ignored, as execve(2) has it. */
static void reset_signals(void)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t none;

	sigemptyset(&none);
	sigaction(SIGPIPE, &usual, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Returns only on failure; the process is half-way then. */
static int become_program(const struct start *start, struct wr_error *reterr)
{
	const char *directory = start->options ? start->options->directory : NULL;
	int r = wr_netns_enter(start->ns, reterr);

	if (r < 0)
		return r;
	r = wr_exec_mounts(start->host->etc_netns, start->pin, start->options, reterr);
	if (r == 0 && start->has_user)
		r = wr_exec_user_become(&start->user, reterr);
	if (r < 0)
		return r;
	if (directory && chdir(directory) < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot change to directory '%s': %s", directory,
			       strerror(errno));
	reset_signals();
	execvp(start->argv[0], start->argv);
	return wr_fail(reterr, WR_ERR_COMMAND, -errno, "cannot run '%s' in namespace '%s': %s", start->argv[0],
		       start->pin, strerror(errno));
}

int wr_exec_inside(struct wr_host *host, const char *pin, char *const argv[], const struct wr_exec *options,
		   struct wr_error *reterr)
{
	struct start start = {.host = host, .pin = pin, .argv = argv, .options = options};
	int r = prepare(&start, reterr);

	return r < 0 ? r : become_program(&start, reterr);
}

/* Puts the three descriptors in their places. Each is first moved out of the way of the others: 0 may be wanted as 1. */
static int place_descriptors(const struct wr_exec *options, struct wr_error *reterr)
{
	int wanted[3] = {options->stdin_fd, options->stdout_fd, options->stderr_fd};

	for (int i = 0; i < 3; i++) {
		if (wanted[i] < 0)
			continue;
		wanted[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, 3);
		if (wanted[i] < 0)
			return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot pass descriptor %d to the program: %s", i,
				       strerror(errno));
	}
	for (int i = 0; i < 3; i++)
		if (wanted[i] >= 0 && dup2(wanted[i], i) < 0)
			return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot pass descriptor %d to the program: %s", i,
				       strerror(errno));
	return 0;
}

static void run_child(const struct start *start, int report_fd) __attribute__((noreturn));
static void run_child(const struct start *start, int report_fd)
{
	struct wr_error error = {0};
	int r = start->options ? place_descriptors(start->options, &error) : 0;

	/* What else the caller has open is not the program's business. */
	if (r == 0 && close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		r = wr_fail(&error, WR_ERR_SYSTEM, -errno, "cannot close descriptors: %s", strerror(errno));
	if (r == 0)
		r = become_program(start, &error);
	while (write(report_fd, &error, sizeof error) < 0 && errno == EINTR)
		;
	_exit(r == -ENOENT ? 127 : 126);
}

/* Waits until the program has started (0) or the child has said why not (its -errno). */
static int await_start(int report_fd, pid_t pid, struct wr_error *reterr)
{
	struct wr_error error;
	ssize_t n;

	do {
		n = read(report_fd, &error, sizeof error);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof error)
		return wr_fail(reterr, WR_ERR_SYSTEM, -EIO, "a child ended before it could start its program");
	if (reterr)
		*reterr = error;
	return error.code < 0 ? error.code : -EIO;
}

/* Beyond the three standard places, also when the caller has closed one of them: it would be replaced there. */
static int move_up(int *fd)
{
	int moved = fcntl(*fd, F_DUPFD_CLOEXEC, 3);

	if (moved < 0)
		return -errno;
	close(*fd);
	*fd = moved;
	return 0;
}

pid_t wr_spawn_inside(struct wr_host *host, const char *pin, char *const argv[], const struct wr_exec *options,
		      struct wr_error *reterr)
{
	struct start start = {.host = host, .pin = pin, .argv = argv, .options = options};
	WR_CLEANUP_CLOSE int read_fd = -1;
	WR_CLEANUP_CLOSE int write_fd = -1;
	int ends[2], r;
	pid_t pid;

	r = prepare(&start, reterr);
	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot make a pipe: %s", strerror(errno));
	read_fd = ends[0];
	write_fd = ends[1];
	r = move_up(&write_fd);
	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot make a pipe: %s", strerror(-r));
	pid = fork();
	if (pid < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot start a process: %s", strerror(errno));
	if (pid == 0)
		run_child(&start, write_fd);
	close(write_fd);
	write_fd = -1;
	r = await_start(read_fd, pid, reterr);
	return r < 0 ? r : pid;
}
