/* exec_mounts.c: what a program inside a network namespace sees of /sys and /etc.
 *
 * Theory: sysfs shows the interfaces of the namespace that mounted it, so a new one is mounted over /sys. It would hide
 * what is mounted below the old one (the cgroup tree, bpf, debugfs); each of these is cloned before and put back after.
 * sysfs has directories made for that and no others, so a table of them is complete, and costs the same on a machine
 * with thousands of mounts, where reading the mount table does not.
 *
 * A file of /etc/netns/PIN is mounted over its counterpart in /etc. move_mount(2) without MOVE_MOUNT_T_SYMLINKS mounts
 * upon a symbolic link itself, so that neither a link that leads nowhere nor one into a directory of the host is in the way.
 * A cache of the host's names that answers over a socket would not see any of this: it is hidden, and the C library asks
 * the files itself.
 * Source: ip-netns(8), mount_namespaces(7), open_tree(2), move_mount(2); fs/sysfs/mount.c and its users. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <warren.h>

#include "base/error.h"
#include "base/file.h"
#include "kernel/exec_parts.h"
#include "kernel/netns.h"

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}
#define CLEANUP_DIRECTORY __attribute__((cleanup(close_directory)))

static void warn(const struct wr_exec *options, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void warn(const struct wr_exec *options, const char *format, ...)
{
	char text[WR_ERROR_TEXT_MAX];
	va_list arguments;

	if (!options || !options->on_warning)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	options->on_warning(options->data, text);
}

/* Where the kernel lets something be mounted inside sysfs. */
static const char *const sys_mount_points[] = {
	"/sys/fs/cgroup",      "/sys/fs/bpf",	       "/sys/fs/fuse/connections", "/sys/fs/pstore",
	"/sys/fs/selinux",     "/sys/fs/smackfs",      "/sys/fs/resctrl",	   "/sys/kernel/config",
	"/sys/kernel/debug",   "/sys/kernel/tracing",  "/sys/kernel/security",	   "/sys/firmware/efi/efivars",
	"/sys/fs/nfs/exports", "/sys/hypervisor/s390",
};
#define SYS_MOUNT_POINTS (sizeof sys_mount_points / sizeof *sys_mount_points)

/* A copy of what is mounted at path, with all below it; -1 when nothing is. */
static int clone_mount(const char *path)
{
	struct statx status;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &status) < 0)
		return -1;
	if (!(status.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return -1;
	return open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_NO_AUTOMOUNT);
}

/* A sysfs of the namespace this process is in, mounted nowhere yet. Returns a descriptor or -errno. */
static int make_sysfs(const char *pin)
{
	WR_CLEANUP_CLOSE int context = fsopen("sysfs", FSOPEN_CLOEXEC);
	unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	struct statvfs status;
	int fd;

	/* A machine that shows its /sys read-only (a container) means it. */
	if (statvfs("/sys", &status) == 0 && (status.f_flag & ST_RDONLY))
		attributes |= MOUNT_ATTR_RDONLY;
	if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "source", pin, 0) < 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(context, FSMOUNT_CLOEXEC, attributes);
	return fd < 0 ? -errno : fd;
}

/* Puts the new sysfs in the old one's place, and back what was mounted below that. */
static int replace_sys(int sysfs, const char *pin, const struct wr_exec *options, struct wr_error *reterr)
{
	int kept[SYS_MOUNT_POINTS], r = 0;

	for (size_t i = 0; i < SYS_MOUNT_POINTS; i++)
		kept[i] = clone_mount(sys_mount_points[i]);
	umount2("/sys", MNT_DETACH); /* where a user namespace may not, the new one covers it */
	if (move_mount(sysfs, "", AT_FDCWD, "/sys", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		r = wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot mount the /sys of namespace '%s': %s", pin,
			    strerror(errno));
	for (size_t i = 0; i < SYS_MOUNT_POINTS; i++) {
		if (kept[i] < 0)
			continue;
		if (r == 0 && move_mount(kept[i], "", AT_FDCWD, sys_mount_points[i], MOVE_MOUNT_F_EMPTY_PATH) < 0)
			warn(options, "%s is not there inside: %s", sys_mount_points[i], strerror(errno));
		close(kept[i]);
	}
	return r;
}

static int mount_sys(const char *pin, const struct wr_exec *options, struct wr_error *reterr)
{
	WR_CLEANUP_CLOSE int sysfs = -1;

	if (access("/sys", F_OK) < 0) /* a machine without one: there is nothing to be right or wrong */
		return 0;
	sysfs = make_sysfs(pin);
	if (sysfs >= 0)
		return replace_sys(sysfs, pin, options, reterr);
	if (sysfs != -EPERM)
		return wr_fail(reterr, WR_ERR_SYSTEM, sysfs, "cannot make the /sys of namespace '%s': %s", pin,
			       strerror(-sysfs));
	/* A user namespace in a container that masks parts of /sys: the kernel refuses to show them anew. */
	warn(options, "/sys still shows the host's interfaces: this container may not mount one of its own");
	return 0;
}

/* No program gets privileges from its file. Emptying the bounding set alone would make the kernel refuse to run those that
 * ask for some, and ping is one; on a mount without set-user-id they run without. */
static int forbid_privileged_files(struct wr_error *reterr)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NOSUID};

	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof attributes) < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot forbid set-user-id programs: %s",
			       strerror(errno));
	return 0;
}

/* Mounts what source (below directory_fd) is over target. Returns 0 or -errno; *ret_source_missing tells whose fault it was. */
static int bind_over(int directory_fd, const char *source, const char *target, bool *ret_source_missing)
{
	WR_CLEANUP_CLOSE int tree = open_tree(directory_fd, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	*ret_source_missing = tree < 0;
	if (tree < 0)
		return -errno;
	if (move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) == 0)
		return 0;
	/* A directory cannot be mounted upon a symbolic link, but upon the directory it leads to. */
	if ((errno == EINVAL || errno == ENOTDIR) &&
	    move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) == 0)
		return 0;
	return -errno;
}

/* Sockets over which the host would answer for names, unless the namespace has files of its own. A socket path with a
 * device mounted over it refuses connections, and the next source of nsswitch.conf is asked. */
static void hide_name_services(bool hosts, bool resolv)
{
	static const struct {
		const char *path;
		bool is_about_hosts; /* it answers from /etc/hosts too, not only from name servers */
	} rows[] = {
		{"/run/nscd/socket", true},
		{"/var/run/nscd/socket", true},
		{"/run/systemd/resolve/io.systemd.Resolve", false},
	};
	bool ignored;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if ((resolv || (hosts && rows[i].is_about_hosts)) && access(rows[i].path, F_OK) == 0)
			(void)bind_over(AT_FDCWD, "/dev/null", rows[i].path, &ignored);
}

static int bind_etc(const char *etc_netns, const char *pin, const struct wr_exec *options, struct wr_error *reterr)
{
	CLEANUP_DIRECTORY DIR *directory = NULL;
	char path[PATH_MAX], target[PATH_MAX];
	bool hosts = false, resolv = false;
	struct dirent *entry;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", etc_netns, pin) >= sizeof path)
		return wr_fail(reterr, WR_ERR_SYSTEM, -ENAMETOOLONG, "the path %s/%s is too long", etc_netns, pin);
	directory = opendir(path);
	if (!directory && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!directory)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot read %s: %s", path, strerror(errno));
	for (errno = 0; (entry = readdir(directory)); errno = 0) {
		bool source_missing;
		int r;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(target, sizeof target, "/etc/%s", entry->d_name);
		r = bind_over(dirfd(directory), entry->d_name, target, &source_missing);
		if (r == -ENOENT && source_missing)
			warn(options, "%s/%s leads nowhere, so that %s is the host's", path, entry->d_name, target);
		else if (r == -ENOENT)
			warn(options, "%s/%s is not shown: there is no %s to mount it upon", path, entry->d_name,
			     target);
		else if (r < 0)
			return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot mount %s/%s over %s: %s", path, entry->d_name,
				       target, strerror(-r));
		else if (strcmp(entry->d_name, "hosts") == 0)
			hosts = true;
		else if (strcmp(entry->d_name, "resolv.conf") == 0)
			resolv = true;
	}
	if (errno)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot read %s: %s", path, strerror(errno));
	hide_name_services(hosts, resolv);
	return 0;
}

int wr_exec_mounts(const char *etc_netns, const char *pin, const struct wr_exec *options, struct wr_error *reterr)
{
	int r = wr_mounts_unshare(reterr);

	if (r < 0)
		return r;
	r = mount_sys(pin, options, reterr);
	if (r == 0)
		r = bind_etc(etc_netns, pin, options, reterr);
	if (r == 0 && options && options->user)
		r = forbid_privileged_files(reterr);
	return r;
}
