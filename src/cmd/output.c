/* output.c: what is said to the person: errors on standard error, results on standard output, and whether they arrived. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/invocation.h"

int wr_cmd_error(const struct wr_error *error)
{
	fflush(stdout);
	if (error->kind == WR_ERR_FILE)
		fprintf(stderr, "%s\n", error->text); /* FILE:LINE:COLUMN: as an editor reads it */
	else
		fprintf(stderr, "warren: %s\n", error->text);
	if (error->mend[0])
		fprintf(stderr, "  try: %s\n", error->mend);
	return wr_error_exit_status(error->kind);
}

int wr_cmd_usage(const struct wr_invocation *invocation, const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fputs("warren: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n  try: warren help%s%s\n", invocation && invocation->command ? " " : "",
		invocation && invocation->command ? invocation->command->name : "");
	return WR_EXIT_USAGE;
}

void wr_cmd_say(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fputs("warren: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void wr_cmd_print(char *text)
{
	fputs(text, stdout);
	free(text);
}

int wr_cmd_flush(int status)
{
	bool failed = ferror(stdout) != 0;

	errno = 0;
	if (fflush(stdout) != 0)
		failed = true;
	if (!failed)
		return status;
	wr_cmd_say("cannot write to standard output%s%s", errno ? ": " : "", errno ? strerror(errno) : "");
	return WR_EXIT_FAILED;
}
