/* main.c: the program's beginning and end: finds the command, reads its line, runs it, sees that the output arrived. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/invocation.h"

/* A closed standard descriptor would be the next file that is opened, and what is printed would land in it. */
static void open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY); /* so that writing to it still fails */
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

const struct wr_command *wr_cmd_find(const char *name)
{
	for (size_t i = 0; wr_commands[i]; i++)
		if (strcmp(wr_commands[i]->name, name) == 0)
			return wr_commands[i];
	return NULL;
}

static const char *command_name(const void *data, size_t i)
{
	return wr_commands[i] ? wr_commands[i]->name : NULL;
}

static int unknown(const char *word)
{
	const char *nearest = wr_cmd_nearest(word, command_name, NULL);

	if (nearest)
		return wr_cmd_usage(NULL, "unknown command '%s': did you mean '%s'?", word, nearest);
	return wr_cmd_usage(NULL, "unknown command '%s'", word);
}

static int run(struct wr_invocation *invocation, char **argv)
{
	int status = wr_cmd_parse(invocation, argv);

	if (status)
		return status;
	if (wr_cmd_has(invocation, "help")) {
		wr_cmd_print_help(invocation->command);
		return WR_EXIT_DONE;
	}
	status = invocation->command->run(invocation);
	wr_close(invocation->context);
	return status;
}

int main(int argc, char **argv)
{
	struct wr_invocation invocation = {0};
	char *none[] = {NULL};

	open_standard_descriptors();
	signal(SIGPIPE,
	       SIG_IGN); /* a reader that went away is an error that is reported, not a death in the middle of `up` */
	if (argc < 2)
		return wr_cmd_usage(NULL, "which command? up, down, plan, status, exec, run, ls, ...");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		wr_cmd_print_help(NULL);
		return wr_cmd_flush(WR_EXIT_DONE);
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		invocation.command = &wr_command_version;
		return wr_cmd_flush(run(&invocation, none));
	}
	if (argv[1][0] == '-')
		return wr_cmd_usage(NULL, "unknown option '%s': a command comes first", argv[1]);
	invocation.command = wr_cmd_find(argv[1]);
	if (!invocation.command)
		return unknown(argv[1]);
	return wr_cmd_flush(run(&invocation, argv + 2));
}
