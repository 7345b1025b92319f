/* session.c: a command and the machine: opening the library, signals, progress, and the steps that commands share.
 *
 * Theory: a signal sets a number, the library asks for it between two requests, rolls back and says so. The number is the
 * one variable of the program that is not on a stack: a handler can reach nothing else. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/invocation.h"

#define PROGRESS_AFTER_MS 500
#define TIMEOUT_MAX_S	  2000000.0

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
	stop_signal = number;
}

static int is_interrupted(void *data)
{
	return stop_signal;
}

/* What is ignored on purpose (nohup) stays ignored. */
static void listen_for(int number)
{
	struct sigaction action = {.sa_handler = on_signal}, before;

	sigemptyset(&action.sa_mask);
	if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

int wr_cmd_signal(void)
{
	return stop_signal;
}

void wr_cmd_stop_listening(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		sigaction(numbers[i], &ignore, NULL);
	stop_signal = 0;
}

/* --- progress ------------------------------------------------------------------------------------------------------ */

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

void wr_cmd_progress_begin(struct wr_invocation *invocation, const char *title)
{
	invocation->progress =
		(struct wr_progress){.title = title, .began_ms = now_ms(), .is_terminal = isatty(STDERR_FILENO) == 1};
}

void wr_cmd_progress_end(struct wr_invocation *invocation)
{
	if (invocation->progress.is_drawn)
		fputs("\r\033[K", stderr);
	invocation->progress.is_drawn = false;
}

static void on_progress(void *data, const char *phase, size_t done, size_t total)
{
	struct wr_progress *progress = &((struct wr_invocation *)data)->progress;

	if (!progress->title || !progress->is_terminal || now_ms() - progress->began_ms < PROGRESS_AFTER_MS)
		return;
	if (total)
		fprintf(stderr, "\r\033[K%s: %s %zu of %zu", progress->title, phase, done, total);
	else
		fprintf(stderr, "\r\033[K%s: %s", progress->title, phase);
	fflush(stderr);
	progress->is_drawn = true;
}

static void on_waiting(void *data, const char *network, const char *holder)
{
	wr_cmd_progress_end(data);
	wr_cmd_say("network '%s' is being changed by %s: waiting for it", network, holder);
}

void wr_cmd_on_warning(void *data, const char *text)
{
	wr_cmd_say("%s", text);
}

static void on_warning(void *data, const char *text)
{
	wr_cmd_progress_end(data);
	wr_cmd_say("warning: %s", text);
}

/* --- opening ------------------------------------------------------------------------------------------------------- */

/* --timeout as wr_settings wants it. */
static int read_timeout(const struct wr_invocation *invocation, int *ret_ms)
{
	const char *text = wr_cmd_value(invocation, "timeout");
	double seconds;
	char *end;

	*ret_ms = 0;
	if (!text)
		return 0;
	seconds = strtod(text, &end);
	if (end == text || *end || !(seconds >= 0) || seconds > TIMEOUT_MAX_S)
		return wr_cmd_usage(invocation, "'%s' is no number of seconds", text);
	*ret_ms = seconds * 1000 >= 1 ? (int)(seconds * 1000) : -1;
	return 0;
}

int wr_cmd_open(struct wr_invocation *invocation, bool may_stop)
{
	struct wr_settings settings = {
		.on_waiting = on_waiting,
		.on_progress = on_progress,
		.is_interrupted = is_interrupted,
		.on_warning = on_warning,
		.data = invocation,
	};
	struct wr_error error;
	int status = read_timeout(invocation, &settings.lock_timeout_ms);

	if (status)
		return status;
	if (may_stop) {
		listen_for(SIGINT);
		listen_for(SIGTERM);
		listen_for(SIGHUP);
	}
	return wr_open(&settings, &invocation->context, &error) < 0 ? wr_cmd_error(&error) : 0;
}

bool wr_cmd_is_file(const char *word)
{
	size_t length = strlen(word);
	struct stat status;

	if (strcmp(word, "-") == 0 || strchr(word, '/'))
		return true;
	if ((length > 5 && strcmp(word + length - 5, ".yaml") == 0) ||
	    (length > 4 && strcmp(word + length - 4, ".yml") == 0))
		return true;
	return stat(word, &status) == 0 && !S_ISDIR(status.st_mode);
}

int wr_cmd_load(const struct wr_invocation *invocation, const char *path, struct wr_network **ret)
{
	struct wr_error error;
	char *messages = NULL;
	int r = wr_load(path, wr_cmd_value(invocation, "name"), ret, &messages, &error), status;

	if (r >= 0)
		return 0;
	if (messages) {
		fputs(messages, stderr);
		free(messages);
		return wr_error_exit_status(error.kind);
	}
	status = wr_cmd_error(&error);
	if (r == -ENOENT && strcmp(path, WR_DEFAULT_FILE) == 0)
		fprintf(stderr, "  try: warren %s FILE, or a directory with a %s\n", invocation->command->name,
			WR_DEFAULT_FILE);
	return status;
}

enum wr_format wr_cmd_format(const struct wr_invocation *invocation)
{
	if (wr_cmd_has(invocation, "commands"))
		return WR_FORMAT_COMMANDS;
	return wr_cmd_has(invocation, "json") ? WR_FORMAT_JSON : WR_FORMAT_TEXT;
}

/* --- shared steps -------------------------------------------------------------------------------------------------- */

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* What went wrong, and whether what was there is back; where it is not, the error says what is left. */
static int report_failure(const char *name, const struct wr_error *error, const struct wr_report *report)
{
	int status = wr_cmd_error(error);

	if (report->restored)
		wr_cmd_say("%s: what was there before is back", name);
	return status;
}

int wr_cmd_up(struct wr_invocation *invocation, const struct wr_network *network, FILE *out, enum wr_result *ret)
{
	const char *name = wr_network_name(network);
	size_t size = wr_network_size(network);
	struct wr_report report;
	struct wr_error error;
	int r;

	wr_cmd_progress_begin(invocation, name);
	r = wr_up(invocation->context, network, &report, &error);
	wr_cmd_progress_end(invocation);
	if (r < 0)
		return report_failure(name, &error, &report);
	*ret = (enum wr_result)r;
	if (r == WR_RESULT_NOTHING_TO_DO) {
		fprintf(out, "%s: up, nothing to do\n", name);
		return 0;
	}
	fprintf(out, "%s: up, %zu namespace%s, %zu step%s done and verified", name, size, plural(size), report.steps,
		plural(report.steps));
	if (report.interruptions)
		fprintf(out, ", %zu interruption%s", report.interruptions, plural(report.interruptions));
	fputc('\n', out);
	return 0;
}

int wr_cmd_down(struct wr_invocation *invocation, const char *name, const struct wr_network *network, FILE *out)
{
	struct wr_report report;
	struct wr_error error;
	int r;

	wr_cmd_progress_begin(invocation, name);
	r = wr_down(invocation->context, name, network, &report, &error);
	wr_cmd_progress_end(invocation);
	if (r < 0)
		return report_failure(name, &error, &report);
	fprintf(out, r == WR_RESULT_NOTHING_TO_DO ? "%s: nothing to do, it is not up\n" : "%s: down\n", name);
	return 0;
}

int wr_cmd_start_status(const struct wr_error *error)
{
	int status = wr_cmd_error(error);

	if (error->kind != WR_ERR_COMMAND)
		return status;
	return error->code == -ENOENT ? WR_EXIT_NOT_THERE : WR_EXIT_NOT_RUNNABLE;
}

int wr_cmd_wait_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
