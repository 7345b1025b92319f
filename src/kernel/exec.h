/* exec.h: a program inside a namespace.
 *
 * Why:       what runs inside must see the namespace's /sys and its /etc/netns files, keep terminal, signals and status.
 * Shape:     setns, a private mount namespace, a fresh sysfs, files bound over /etc (a dangling symbolic link is mounted
 *            upon itself), optionally another user without capabilities; then execvp in the same process.
 * Ownership: nothing; on success the process is another program.
 * Errors:    -errno. After a late failure the process is in the namespace: it must end.
 * Source:    ip-netns(8) for /etc/netns, capabilities(7), mount_namespaces(7), move_mount(2). */
#pragma once

#include <sys/types.h>

struct wr_error;
struct wr_host;
struct wr_exec;

int wr_exec_inside(struct wr_host *host, const char *pin, char *const argv[], const struct wr_exec *options,
		   struct wr_error *reterr);
pid_t wr_spawn_inside(struct wr_host *host, const char *pin, char *const argv[], const struct wr_exec *options,
		      struct wr_error *reterr);
