/* sysctl.c: settings through a private instance of proc.
 *
 * The entries of every network namespace's /proc/sys/net live in one directory of one file system, told apart only by a
 * hook that compares each with the asker's namespace; the hash chain of a name grows with every namespace in which it was
 * looked up. A detached instance of proc starts with an empty chain, is seen by nobody, and is thrown away before the
 * chain gets long. Where making one is not permitted, /proc does the same, only slower. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "kernel/netns.h"
#include "kernel/sysctl.h"

#define USES_PER_INSTANCE 50
#define KEY_PATH_MAX	  512

/* A detached proc, or -1. */
static int private_proc(void)
{
	WR_CLEANUP_CLOSE int context = fsopen("proc", FSOPEN_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* host->proc_fd open, and not used in too many namespaces. */
static int prepare(struct wr_host *host, const struct wr_netns *ns, struct wr_error *reterr)
{
	if (host->proc_fd >= 0 && host->proc_last == ns)
		return 0;
	host->proc_last = ns;
	if (host->proc_fd >= 0 && ++host->proc_uses <= USES_PER_INSTANCE)
		return 0;
	if (host->proc_fd >= 0)
		close(host->proc_fd);
	host->proc_uses = 1;
	host->proc_fd = private_proc();
	if (host->proc_fd < 0)
		host->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (host->proc_fd < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot open /proc: %s", strerror(errno));
	return 0;
}

/* "net.ipv4.conf.eth0/100.forwarding" to "sys/net/ipv4/conf/eth0.100/forwarding". Each part must be a plain name. */
static int key_path(const char *key, char path[KEY_PATH_MAX], struct wr_error *reterr)
{
	size_t length = strlen(key), part = 0;

	if (length == 0 || length + sizeof "sys/" > KEY_PATH_MAX)
		return wr_fail(reterr, WR_ERR_USAGE, -EINVAL, "'%s' is no name of a sysctl", key);
	memcpy(path, "sys/", 4);
	for (size_t i = 0; i <= length; i++) {
		char c = key[i] == '.' ? '/' : key[i] == '/' ? '.' : key[i];

		path[4 + i] = c;
		if (c != '/' && c != '\0')
			continue;
		path[4 + i] = '\0';
		if (i == part || strcmp(path + 4 + part, ".") == 0 || strcmp(path + 4 + part, "..") == 0)
			return wr_fail(reterr, WR_ERR_USAGE, -EINVAL, "'%s' is no name of a sysctl", key);
		path[4 + i] = c;
		part = i + 1;
	}
	return 0;
}

static const char *name_of(const struct wr_host *host, const struct wr_netns *ns)
{
	return ns == &host->self ? "host" : ns->pin != NULL ? ns->pin : "(unnamed)";
}

/* Opens, and reads or writes. Inside the namespace. Returns the bytes moved or -errno. */
static ssize_t transfer(struct wr_host *host, const char *path, const char *value, char *buffer, size_t size)
{
	WR_CLEANUP_CLOSE int fd = openat(host->proc_fd, path,
					 (value != NULL ? O_WRONLY : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = value != NULL ? write(fd, value, size) : read(fd, buffer, size);
	return length < 0 ? -errno : length;
}

static ssize_t run(struct wr_host *host, const struct wr_netns *ns, bool inside, const char *key, const char *value,
		   char *buffer, size_t size, struct wr_error *reterr)
{
	char path[KEY_PATH_MAX];
	ssize_t length;
	int r = key_path(key, path, reterr);

	if (r == 0)
		r = prepare(host, ns, reterr);
	if (r == 0 && !inside && ns != &host->self)
		r = wr_netns_enter(ns, reterr);
	if (r < 0)
		return r;
	length = transfer(host, path, value, buffer, size);
	if (!inside && ns != &host->self)
		wr_netns_leave(host);
	if (length >= 0 && value != NULL && (size_t)length != size)
		length = -EIO;
	if (length >= 0)
		return length;
	r = (int)length;
	if (r == -ENOENT)
		return wr_fail(reterr, WR_ERR_UNSUPPORTED, r, "this kernel has no sysctl '%s' in namespace '%s'", key,
			       name_of(host, ns));
	if (value != NULL)
		return wr_fail(reterr, r == -EPERM || r == -EACCES ? WR_ERR_PRIVILEGE : WR_ERR_KERNEL, r,
			       "cannot set sysctl '%s' to '%s' in namespace '%s': %s", key, value, name_of(host, ns),
			       strerror(-r));
	return wr_fail(reterr, r == -EPERM || r == -EACCES ? WR_ERR_PRIVILEGE : WR_ERR_KERNEL, r,
		       "cannot read sysctl '%s' in namespace '%s': %s", key, name_of(host, ns), strerror(-r));
}

int wr_sysctl_write(struct wr_host *host, const struct wr_netns *ns, bool inside, const char *key, const char *value,
		    struct wr_error *reterr)
{
	ssize_t length = run(host, ns, inside, key, value, NULL, strlen(value), reterr);

	return length < 0 ? (int)length : 0;
}

int wr_sysctl_read(struct wr_host *host, const struct wr_netns *ns, bool inside, const char *key, char *buffer,
		   size_t size, struct wr_error *reterr)
{
	ssize_t length;

	if (size == 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -EINVAL, "no room to read sysctl '%s'", key);
	length = run(host, ns, inside, key, NULL, buffer, size - 1, reterr);
	if (length < 0)
		return (int)length;
	while (length > 0 && buffer[length - 1] == '\n')
		length--;
	buffer[length] = '\0';
	return 0;
}
