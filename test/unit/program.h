/* program.h: other programs as witnesses: nft(8), ip(8).
 *
 * Ownership: what is returned is overwritten by the next call. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a program prints, on both of its outputs. A test fails, with that, when the program does. The last argument is NULL. */
static const char *program(const char *const *arguments)
{
	static char text[4 << 20];
	size_t length = 0;
	ssize_t more;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		close(ends[0]);
		execvp(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	close(ends[1]);
	while ((more = read(ends[0], text + length, sizeof text - 1 - length)) > 0)
		length += (size_t)more;
	text[length] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status != 0)
		fail_msg("%s %s: %s", arguments[0], arguments[1], text);
	return text;
}
#define PROGRAM(...) program((const char *const[]){__VA_ARGS__, NULL})
