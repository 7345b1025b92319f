/* sandbox.h: a machine of its own for a test program: user, network and mount namespaces, an empty /run.
 *
 * Why:       tests of what talks to the kernel need no root, cannot reach the host, and leave nothing behind.
 * Shape:     sandbox_enter() first of all in main; it returns false, with the reason printed, where the kernel does not allow it.
 * Threads:   before any is started. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static bool sandbox_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

static bool sandbox_enter(void)
{
	char users[64], groups[64];
	const char *step = "unshare";

	snprintf(users, sizeof users, "0 %u 1", getuid());
	snprintf(groups, sizeof groups, "0 %u 1", getgid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
		goto refused;
	step = "mapping of users";
	if (!sandbox_write("/proc/self/setgroups", "deny") || !sandbox_write("/proc/self/uid_map", users) ||
	    !sandbox_write("/proc/self/gid_map", groups))
		goto refused;
	step = "mount";
	/* valgrind stops at a NULL type. */
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 || mount("none", "/run", "tmpfs", 0, NULL) < 0)
		goto refused;
	return true;
refused:
	printf("1..0 # SKIP no sandbox: %s: %s\n", step, strerror(errno));
	return false;
}
