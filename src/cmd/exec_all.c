/* exec_all.c: a command in every namespace of a network at once, its output line by line with the name in front.
 *
 * Theory: one poll over a signalfd and two pipes for each child. A child that has ended is read to what its pipes hold and
 * no further: a daemon that it left behind may keep them open for ever. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/invocation.h"

#define LINE_MAX_BYTES 65536 /* a longer line is broken */
#define READ_BYTES     16384

/* One of the two streams of a child. */
struct stream {
	int fd; /* -1: at its end */
	FILE *out;
	char *line; /* what of a line has come so far */
	size_t length, capacity;
};

struct job {
	const char *ns;	   /* "shop/web" */
	const char *label; /* "web" */
	pid_t pid;	   /* 0: ended, or never started */
	int status;	   /* exit status as a shell has it */
	struct stream streams[2];
};

struct crowd {
	struct job *jobs;
	size_t count;
	struct pollfd *polls; /* [0]: signals */
	int signal_fd;
};

static void put_line(const struct job *job, struct stream *stream)
{
	fprintf(stream->out, "%s: ", job->label);
	fwrite(stream->line, 1, stream->length, stream->out);
	fputc('\n', stream->out);
	stream->length = 0;
}

static int take_bytes(const struct job *job, struct stream *stream, const char *bytes, size_t count)
{
	while (count) {
		const char *newline = memchr(bytes, '\n', count);
		size_t part = newline ? (size_t)(newline - bytes) : count;
		size_t room = LINE_MAX_BYTES - stream->length;
		bool is_broken = part > room;

		if (is_broken)
			part = room;
		if (stream->length + part > stream->capacity) {
			size_t capacity = stream->length + part < 256 ? 256 : 2 * (stream->length + part);
			char *line = realloc(stream->line, capacity);

			if (!line)
				return -ENOMEM;
			stream->line = line;
			stream->capacity = capacity;
		}
		memcpy(stream->line + stream->length, bytes, part);
		stream->length += part;
		bytes += part;
		count -= part;
		if (is_broken || newline)
			put_line(job, stream);
		if (newline && !is_broken) {
			bytes++;
			count--;
		}
	}
	return 0;
}

static void end_stream(const struct job *job, struct stream *stream)
{
	if (stream->fd < 0)
		return;
	if (stream->length)
		put_line(job, stream);
	close(stream->fd);
	stream->fd = -1;
}

/* Reads what is there; with all, until nothing is. */
static int read_stream(const struct job *job, struct stream *stream, bool all)
{
	char bytes[READ_BYTES];

	while (stream->fd >= 0) {
		ssize_t n = read(stream->fd, bytes, sizeof bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0) {
			end_stream(job, stream);
			return 0;
		}
		if (take_bytes(job, stream, bytes, (size_t)n) < 0)
			return -ENOMEM;
		if (!all)
			return 0;
	}
	return 0;
}

/* The reading end stays here, without blocking; *ret_write is the child's. */
static int open_stream(struct stream *stream, FILE *out, int *ret_write)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	stream->fd = ends[0];
	stream->out = out;
	*ret_write = ends[1];
	return fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static void start_job(struct wr_invocation *invocation, struct job *job, int null_fd, char **argv)
{
	struct wr_exec exec = {
		.user = wr_cmd_value(invocation, "user"),
		.directory = wr_cmd_value(invocation, "directory"),
		.stdin_fd = null_fd,
		.stdout_fd = -1,
		.stderr_fd = -1,
		.on_warning = wr_cmd_on_warning,
	};
	struct wr_error error;
	int r = open_stream(&job->streams[0], stdout, &exec.stdout_fd);

	if (r == 0)
		r = open_stream(&job->streams[1], stderr, &exec.stderr_fd);
	if (r < 0) {
		wr_cmd_say("%s: cannot make a pipe: %s", job->label, strerror(-r));
		job->status = WR_EXIT_FAILED;
	} else {
		pid_t pid = wr_spawn(invocation->context, job->ns, argv, &exec, &error);

		if (pid < 0)
			job->status = wr_cmd_start_status(&error);
		else
			job->pid = pid;
	}
	if (exec.stdout_fd >= 0)
		close(exec.stdout_fd);
	if (exec.stderr_fd >= 0)
		close(exec.stderr_fd);
	for (int k = 0; k < 2 && job->pid == 0; k++) { /* what it said before it failed */
		if (read_stream(job, &job->streams[k], true) < 0)
			wr_cmd_say("out of memory");
		end_stream(job, &job->streams[k]);
	}
}

static int reap(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->count; i++) {
		struct job *job = &crowd->jobs[i];
		int status;

		if (job->pid <= 0 || waitpid(job->pid, &status, WNOHANG) != job->pid)
			continue;
		job->pid = 0;
		job->status = wr_cmd_wait_status(status);
		for (int k = 0; k < 2; k++) {
			if (read_stream(job, &job->streams[k], true) < 0)
				return -ENOMEM;
			end_stream(job, &job->streams[k]);
		}
	}
	return 0;
}

/* Passes a signal on that was sent to this process alone; the terminal's has reached all of its group. */
static int take_signals(struct crowd *crowd)
{
	struct signalfd_siginfo info;
	bool ended = false;

	while (read(crowd->signal_fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGCHLD)
			ended = true;
		else if (info.ssi_code != SI_KERNEL)
			for (size_t i = 0; i < crowd->count; i++)
				if (crowd->jobs[i].pid > 0)
					kill(crowd->jobs[i].pid, (int)info.ssi_signo);
	}
	return ended ? reap(crowd) : 0;
}

static size_t collect_polls(struct crowd *crowd)
{
	size_t running = 0;

	crowd->polls[0] = (struct pollfd){.fd = crowd->signal_fd, .events = POLLIN};
	for (size_t i = 0; i < crowd->count; i++) {
		running += crowd->jobs[i].pid > 0;
		for (size_t k = 0; k < 2; k++) /* poll(2) passes over what is -1 */
			crowd->polls[1 + 2 * i + k] =
				(struct pollfd){.fd = crowd->jobs[i].streams[k].fd, .events = POLLIN};
	}
	return running;
}

static int attend(struct crowd *crowd)
{
	while (collect_polls(crowd)) {
		int r;

		if (poll(crowd->polls, (nfds_t)(1 + 2 * crowd->count), -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		for (size_t i = 0; i < 2 * crowd->count; i++) {
			struct job *job = &crowd->jobs[i / 2];

			if (!crowd->polls[1 + i].revents)
				continue;
			r = read_stream(job, &job->streams[i % 2], false);
			if (r < 0)
				return r;
		}
		r = crowd->polls[0].revents ? take_signals(crowd) : 0;
		if (r < 0)
			return r;
		fflush(stdout);
	}
	return 0;
}

/* Two pipes for each child, and the library's own while it starts one. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit); /* where it stays too low, opening a pipe says so */
}

static int open_signals(struct crowd *crowd)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigaction(SIGCHLD, &usual, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	crowd->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return crowd->signal_fd < 0 ? -errno : 0;
}

static int run_crowd(struct wr_invocation *invocation, struct crowd *crowd, char **argv)
{
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), r, status = 0;

	if (null_fd < 0) {
		wr_cmd_say("cannot open /dev/null: %s", strerror(errno));
		return WR_EXIT_FAILED;
	}
	raise_descriptor_limit();
	r = open_signals(crowd);
	for (size_t i = 0; r == 0 && i < crowd->count; i++)
		start_job(invocation, &crowd->jobs[i], null_fd, argv);
	close(null_fd);
	if (r == 0)
		r = attend(crowd);
	if (r < 0) {
		wr_cmd_say("cannot go on: %s", strerror(-r));
		return WR_EXIT_FAILED;
	}
	for (size_t i = 0; i < crowd->count; i++) {
		if (!crowd->jobs[i].status)
			continue;
		wr_cmd_say("%s: exit status %d", crowd->jobs[i].label, crowd->jobs[i].status);
		status = WR_EXIT_FAILED;
	}
	return status;
}

static void free_crowd(struct crowd *crowd)
{
	for (size_t i = 0; crowd->jobs && i < crowd->count; i++) {
		for (int k = 0; k < 2; k++) {
			if (crowd->jobs[i].streams[k].fd >= 0)
				close(crowd->jobs[i].streams[k].fd);
			free(crowd->jobs[i].streams[k].line);
		}
	}
	if (crowd->signal_fd >= 0)
		close(crowd->signal_fd);
	free(crowd->jobs);
	free(crowd->polls);
}

int wr_cmd_exec_all(struct wr_invocation *invocation, const char *network, char **argv)
{
	struct crowd crowd = {.signal_fd = -1};
	struct wr_error error;
	int status;
	char **names;

	if (wr_namespaces(invocation->context, network, &names, &crowd.count, &error) < 0)
		return wr_cmd_error(&error);
	if (crowd.count == 0) {
		wr_cmd_say("network '%s' has no namespace that is up", network);
		free(names);
		return WR_EXIT_FAILED;
	}
	crowd.jobs = calloc(crowd.count, sizeof *crowd.jobs);
	crowd.polls = calloc(1 + 2 * crowd.count, sizeof *crowd.polls);
	for (size_t i = 0; crowd.jobs && i < crowd.count; i++) {
		const char *slash = strchr(names[i], '/');

		crowd.jobs[i] = (struct job){
			.ns = names[i], .label = slash ? slash + 1 : names[i], .streams = {{.fd = -1}, {.fd = -1}}};
	}
	if (crowd.jobs && crowd.polls) {
		status = run_crowd(invocation, &crowd, argv);
	} else {
		wr_cmd_say("out of memory");
		status = WR_EXIT_FAILED;
	}
	free_crowd(&crowd);
	free(names);
	return status;
}
