/* exec_user.c: becoming a user who can do nothing but be that user.
 *
 * Theory: the order is forced. Groups need CAP_SETGID, the bounding set and securebits need CAP_SETPCAP, so all of these
 * come before the user changes. With SECBIT_NOROOT a user id of 0 gives no capability either, so that `--user root` keeps
 * the promise. no_new_privs is the last lock: no set-user-id program gives back what was dropped.
 * Source: capabilities(7), credentials(7), Documentation/userspace-api/no_new_privs. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/exec_parts.h"
#include "kernel/netns.h"
#include "kernel/sysctl.h"

#define PASSWD_BUFFER_START 1024
#define PASSWD_BUFFER_MAX   (1u << 20) /* a line of the user database longer than this is none */

/* The number that text is, or -1. */
static long long user_number(const char *text)
{
	char *end;
	unsigned long long number;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	number = strtoull(text, &end, 10);
	return *end || errno || number >= UINT32_MAX ? -1 : (long long)number;
}

/* Asks the user database with a buffer that grows until the entry fits. *ret_found is NULL when there is no such user. */
static int ask_database(struct wr_arena *arena, const char *name, struct passwd *entry, struct passwd **ret_found)
{
	long long number = user_number(name);

	for (size_t size = PASSWD_BUFFER_START; size <= PASSWD_BUFFER_MAX; size *= 2) {
		char *buffer = wr_arena_alloc(arena, size);
		int r;

		if (!buffer)
			return -ENOMEM;
		do {
			r = getpwnam_r(name, entry, buffer, size, ret_found);
		} while (r == EINTR);
		if ((r == 0 || r == ENOENT) && !*ret_found && number >= 0) {
			do {
				r = getpwuid_r((uid_t)number, entry, buffer, size, ret_found);
			} while (r == EINTR);
		}
		/* Which errno stands for "no such user" differs from one source to another: getpwnam(3). */
		if (r == ENOENT || r == ESRCH || r == EBADF || r == EPERM)
			*ret_found = NULL;
		else if (r == ERANGE)
			continue;
		else if (r != 0)
			return -r;
		return 0;
	}
	return -ERANGE;
}

int wr_exec_user_find(struct wr_arena *arena, const char *name, struct wr_exec_user *ret, struct wr_error *reterr)
{
	struct passwd entry, *found = NULL;
	struct wr_exec_user user;
	int r = ask_database(arena, name, &entry, &found);

	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot look up user '%s': %s", name, strerror(-r));
	if (!found)
		return wr_fail(reterr, WR_ERR_USAGE, -EINVAL, "there is no user '%s'", name);
	user.name = wr_arena_strdup(arena, found->pw_name);
	user.home = wr_arena_strdup(arena, found->pw_dir);
	if (!user.name || !user.home)
		return wr_fail_memory(reterr);
	user.uid = found->pw_uid;
	user.gid = found->pw_gid;
	*ret = user;
	return 0;
}

/* A key that this kernel does not have opens no door and closes none. */
static int read_door(struct wr_host *host, const struct wr_netns *ns, const char *key, char *value, size_t size,
		     struct wr_error *reterr)
{
	struct wr_error error;
	int r = wr_sysctl_read(host, ns, false, key, value, size, &error);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		if (reterr)
			*reterr = error;
		return r;
	}
	return 1;
}

int wr_exec_user_open_doors(struct wr_host *host, const struct wr_netns *ns, const struct wr_exec_user *user,
			    struct wr_error *reterr)
{
	static const char ping[] = "net.ipv4.ping_group_range", port[] = "net.ipv4.ip_unprivileged_port_start";
	char value[64], range[64];
	unsigned long low, high;
	int r;

	r = read_door(host, ns, ping, value, sizeof value, reterr);
	if (r < 0)
		return r;
	/* "1 0", an empty range, is what a new namespace has; any other was chosen by someone. */
	if (r > 0 && sscanf(value, "%lu %lu", &low, &high) == 2 && low > high) {
		struct wr_error error;

		r = wr_sysctl_write(host, ns, false, ping, "0 2147483647", &error);
		if (r == -EINVAL) { /* a user namespace that does not map every group: this user's own, then */
			snprintf(range, sizeof range, "%u %u", (unsigned)user->gid, (unsigned)user->gid);
			r = wr_sysctl_write(host, ns, false, ping, range, &error);
		}
		if (r < 0) {
			if (reterr)
				*reterr = error;
			return r;
		}
	}
	r = read_door(host, ns, port, value, sizeof value, reterr);
	if (r > 0 && strcmp(value, "1024") == 0)
		r = wr_sysctl_write(host, ns, false, port, "0", reterr);
	return r < 0 ? r : 0;
}

static int drop_bounding_set(void)
{
	for (unsigned long capability = 0;; capability++) {
		int r = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);

		if (r < 0)
			return errno == EINVAL && capability > 0 ? 0
								 : -errno; /* beyond the last that the kernel knows */
		if (r > 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return -errno;
	}
}

static int drop_capability_sets(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
		return -errno;
	return 0;
}

int wr_exec_user_become(const struct wr_exec_user *user, struct wr_error *reterr)
{
	/* SECBIT_KEEP_CAPS is not locked: there is nothing left to keep, and ping ends when it may not set it. */
	static const unsigned long locks =
		SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	const char *what = NULL;
	int r = 0;

	if (initgroups(user->name, user->gid) < 0)
		what = "set the groups of", r = -errno;
	else if (setresgid(user->gid, user->gid, user->gid) < 0)
		what = "take the group of", r = -errno;
	else if (prctl(PR_SET_SECUREBITS, locks, 0, 0, 0) < 0)
		what = "set the secure bits for", r = -errno;
	else if ((r = drop_bounding_set()) < 0)
		what = "empty the bounding set of";
	else if (setresuid(user->uid, user->uid, user->uid) < 0)
		what = "become", r = -errno;
	else if ((r = drop_capability_sets()) < 0)
		what = "drop the capabilities of";
	else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		what = "forbid new privileges to", r = -errno;
	if (what)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot %s user '%s': %s", what, user->name, strerror(-r));
	if (setenv("HOME", user->home, 1) < 0 || setenv("USER", user->name, 1) < 0 ||
	    setenv("LOGNAME", user->name, 1) < 0)
		return wr_fail_memory(reterr);
	return 0;
}
