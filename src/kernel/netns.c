/* netns.c: network namespaces, made and held open. The only file that calls unshare(2) and setns(2).
 *
 * A namespace is entered once, for the moment in which its netlink socket is opened; a socket stays bound to the namespace
 * that it was opened in. An nsfs descriptor keeps the namespace alive when its name goes. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "kernel/netns.h"
#include "kernel/pins.h"

#define SPARE_DESCRIPTORS 64
#define DESCRIPTORS_EACH  3 /* itself and its two sockets */

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* The socket and the cookie of the namespace that the thread is in. */
static int open_inside(struct wr_netns *ns, struct wr_error *reterr)
{
	socklen_t size = sizeof ns->cookie;
	int r = wr_nl_open(&ns->nl, reterr);

	if (r < 0)
		return r;
	if (getsockopt(ns->nl.fd, SOL_SOCKET, SO_NETNS_COOKIE, &ns->cookie, &size) < 0)
		ns->cookie = 0; /* before Linux 5.14 */
	return 0;
}

static void close_descriptors(struct wr_netns *ns)
{
	wr_nl_close(&ns->nl);
	wr_nl_close(&ns->nft);
	if (ns->fd >= 0)
		close(ns->fd);
	ns->fd = -1;
}

static int open_own(const char *which, struct wr_error *reterr)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/thread-self/ns/%s", which);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		int code = -errno;

		wr_fail(reterr, WR_ERR_SYSTEM, code, "cannot open %s: %s", path, strerror(-code));
		if (code == -ENOENT)
			wr_fail_mend(reterr, "mount -t proc proc /proc");
		return code;
	}
	return fd;
}

/* --- the host ------------------------------------------------------------------------------------------------------ */

int wr_host_open(struct wr_host *host, struct wr_arena *arena, const char *pins, const char *state,
		 const char *etc_netns, struct wr_error *reterr)
{
	struct wr_host made = {
		.arena = arena,
		.pins = pins,
		.state = state,
		.etc_netns = etc_netns,
		.self = {.fd = -1, .nl = {.fd = -1}, .nft = {.fd = -1}},
		.open = {.arena = arena},
		.proc_fd = -1,
	};
	int r;

	made.self.fd = open_own("net", reterr);
	if (made.self.fd < 0)
		return made.self.fd;
	r = open_inside(&made.self, reterr);
	if (r < 0) {
		close_descriptors(&made.self);
		return r;
	}
	*host = made;
	return 0;
}

void wr_host_close(struct wr_host *host)
{
	for (size_t i = 0; i < host->open.capacity; i++)
		if (host->open.slots[i].key != NULL && host->open.slots[i].value != NULL)
			close_descriptors(host->open.slots[i].value);
	host->open = (struct wr_map){.arena = host->arena};
	close_descriptors(&host->self);
	if (host->proc_fd >= 0)
		close(host->proc_fd);
	host->proc_fd = -1;
	host->proc_last = NULL;
}

int wr_host_reserve(struct wr_host *host, size_t count, struct wr_error *reterr)
{
	struct rlimit limit;
	rlim_t needed = (rlim_t)(host->open.count + count) * DESCRIPTORS_EACH + SPARE_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot read the limit of open files: %s",
			       strerror(errno));
	host->reserved = host->open.count + count;
	if (limit.rlim_cur >= needed)
		return 0;
	limit.rlim_cur = needed;
	if (limit.rlim_max < needed)
		limit.rlim_max = needed; /* needs CAP_SYS_RESOURCE, and /proc/sys/fs/nr_open that high */
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return 0;
	host->reserved = 0;
	wr_fail(reterr, WR_ERR_SYSTEM, -EMFILE,
		"%zu namespaces need %llu open files, more than this process may have: %s", count,
		(unsigned long long)needed, strerror(errno));
	return wr_fail_mend(reterr, "ulimit -n %llu", (unsigned long long)needed);
}

/* Room for one more, asked for in lots. */
static int reserve_one(struct wr_host *host, struct wr_error *reterr)
{
	return host->open.count < host->reserved ? 0 : wr_host_reserve(host, host->open.count + 64, reterr);
}

/* Whether this process may change the namespace of a kind that it is in: it must belong to this user namespace or to one
 * below it, which the kernel tells by giving its owner out. */
static bool is_governed(const char *which)
{
	WR_CLEANUP_CLOSE int fd = open_own(which, NULL);
	WR_CLEANUP_CLOSE int owner = fd < 0 ? -1 : ioctl(fd, NS_GET_USERNS);

	return owner >= 0 || errno != EPERM;
}

int wr_host_check_privilege(struct wr_error *reterr)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	bool net, sys;

	if (syscall(SYS_capget, &header, data) < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot read this process's capabilities: %s",
			       strerror(errno));
	net = (data[CAP_NET_ADMIN / 32].effective & 1u << CAP_NET_ADMIN % 32) != 0;
	sys = (data[CAP_SYS_ADMIN / 32].effective & 1u << CAP_SYS_ADMIN % 32) != 0;
	if (!net || !sys) {
		wr_fail(reterr, WR_ERR_PRIVILEGE, -EPERM, "making networks needs the %s %s, which this process lacks",
			net != sys ? "capability" : "capabilities",
			net   ? "CAP_SYS_ADMIN"
			: sys ? "CAP_NET_ADMIN"
			      : "CAP_NET_ADMIN and CAP_SYS_ADMIN");
		return wr_fail_mend(reterr, "run it as root: sudo %s …", program_invocation_short_name);
	}
	if (!is_governed("net") || !is_governed("mnt")) {
		wr_fail(reterr, WR_ERR_PRIVILEGE, -EPERM,
			"the capabilities of this user namespace do not reach the network and mount namespaces that it "
			"is in");
		return wr_fail_mend(reterr, "make all three together: unshare --user --map-root-user --net --mount");
	}
	return 0;
}

/* --- namespaces ---------------------------------------------------------------------------------------------------- */

int wr_netns_enter(const struct wr_netns *ns, struct wr_error *reterr)
{
	if (setns(ns->fd, CLONE_NEWNET) < 0)
		return wr_fail(reterr, errno == EPERM ? WR_ERR_PRIVILEGE : WR_ERR_KERNEL, -errno,
			       "cannot enter network namespace '%s': %s", ns->pin != NULL ? ns->pin : "(unnamed)",
			       strerror(errno));
	return 0;
}

void wr_netns_leave(const struct wr_host *host)
{
	if (setns(host->self.fd, CLONE_NEWNET) < 0)
		abort(); /* whatever came next would happen in the wrong namespace */
}

int wr_netns_open_netlink(const struct wr_netns *ns, int protocol, struct wr_nl *ret, struct wr_error *reterr)
{
	WR_CLEANUP_CLOSE int here = open_own("net", reterr);
	int r;

	if (here < 0)
		return here;
	r = wr_netns_enter(ns, reterr);
	if (r < 0)
		return r;
	r = wr_nl_open_protocol(ret, protocol, reterr);
	if (setns(here, CLONE_NEWNET) < 0)
		abort(); /* as in wr_netns_leave */
	return r;
}

/* A new struct for a pin, known to the host. */
static int remember(struct wr_host *host, const char *pin, const struct wr_netns *made, struct wr_netns **ret,
		    struct wr_error *reterr)
{
	struct wr_netns *ns = wr_arena_new_of(host->arena, struct wr_netns);

	if (ns == NULL)
		return wr_fail_memory(reterr);
	*ns = *made;
	ns->pin = NULL;
	if (pin != NULL) {
		ns->pin = wr_arena_strdup(host->arena, pin);
		if (ns->pin == NULL || wr_map_put(&host->open, ns->pin, ns) < 0)
			return wr_fail_memory(reterr);
	}
	*ret = ns;
	return 0;
}

/* A descriptor of a pin that is a network namespace. */
static int open_pin(const struct wr_host *host, const char *pin, struct wr_error *reterr)
{
	char path[WR_PIN_PATH_MAX];
	struct statfs filesystem;
	int fd, r, type;

	r = wr_pin_path(host, pin, path, reterr);
	if (r < 0)
		return r;
	/* A pin may be anything: a FIFO must not stop us, a terminal not become ours. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return wr_fail(reterr, errno == ENOENT ? WR_ERR_NOTFOUND : WR_ERR_SYSTEM, -errno, "cannot open %s: %s",
			       path, strerror(errno));
	if (fstatfs(fd, &filesystem) < 0)
		r = wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot look at %s: %s", path, strerror(errno));
	else if (filesystem.f_type != NSFS_MAGIC)
		r = wr_fail(reterr, WR_ERR_NOTFOUND, -ESTALE, "%s is no namespace", path);
	else if ((type = ioctl(fd, NS_GET_NSTYPE)) != CLONE_NEWNET)
		r = wr_fail(reterr, WR_ERR_NOTFOUND, -EINVAL, "%s is no network namespace but one of another type",
			    path);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int wr_netns_get(struct wr_host *host, const char *pin, struct wr_netns **ret, struct wr_error *reterr)
{
	struct wr_netns made = {.pin = pin, .fd = -1, .nl = {.fd = -1}, .nft = {.fd = -1}};
	struct wr_netns *known = wr_map_get(&host->open, pin);
	int r;

	if (known != NULL) {
		*ret = known;
		return 0;
	}
	r = reserve_one(host, reterr);
	if (r < 0)
		return r;
	made.fd = open_pin(host, pin, reterr);
	if (made.fd < 0)
		return made.fd;
	r = wr_netns_enter(&made, reterr);
	if (r == 0) {
		r = open_inside(&made, reterr);
		wr_netns_leave(host);
	}
	if (r == 0)
		r = remember(host, pin, &made, ret, reterr);
	if (r < 0)
		close_descriptors(&made);
	return r;
}

int wr_netns_look(struct wr_host *host, const char *pin, struct wr_netns **ret, struct wr_error *reterr)
{
	struct wr_netns *known = wr_map_get(&host->open, pin);
	char path[WR_PIN_PATH_MAX];
	struct stat there, mine;
	int r;

	if (known == NULL)
		return wr_netns_get(host, pin, ret, reterr);
	r = wr_pin_path(host, pin, path, reterr);
	if (r < 0)
		return r;
	if (stat(path, &there) < 0)
		return wr_fail(reterr, errno == ENOENT ? WR_ERR_NOTFOUND : WR_ERR_SYSTEM, -errno,
			       "cannot look at %s: %s", path, strerror(errno));
	if (fstat(known->fd, &mine) < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot look at namespace '%s': %s", pin,
			       strerror(errno));
	if (there.st_dev != mine.st_dev || there.st_ino != mine.st_ino) {
		wr_netns_close(host, known);
		return wr_netns_get(host, pin, ret, reterr);
	}
	*ret = known;
	return 0;
}

int wr_netns_create(struct wr_host *host, const char *pin, struct wr_netns **ret, struct wr_error *reterr)
{
	struct wr_netns made = {.fd = -1, .nl = {.fd = -1}, .nft = {.fd = -1}, .unpinned = true};
	int r = reserve_one(host, reterr);

	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNET) < 0) {
		int code = -errno;

		wr_fail(reterr, code == -EPERM ? WR_ERR_PRIVILEGE : WR_ERR_KERNEL, code,
			"cannot make a network namespace: %s", strerror(-code));
		if (code == -ENOSPC)
			wr_fail_mend(reterr, "raise /proc/sys/user/max_net_namespaces");
		if (code == -EINVAL)
			wr_fail_mend(reterr, "use a kernel with CONFIG_NET_NS");
		return code;
	}
	made.fd = open_own("net", reterr);
	r = made.fd < 0 ? made.fd : open_inside(&made, reterr);
	if (r == 0)
		r = remember(host, pin, &made, ret, reterr);
	if (r < 0) {
		close_descriptors(&made);
		wr_netns_leave(host);
	}
	return r;
}

void wr_netns_close(struct wr_host *host, struct wr_netns *ns)
{
	close_descriptors(ns);
	if (host->proc_last == ns)
		host->proc_last = NULL;
	/* The key is there already, so that this cannot run out of memory. */
	if (ns->pin != NULL && wr_map_get(&host->open, ns->pin) == ns)
		wr_map_put(&host->open, ns->pin, NULL);
}

/* --- mounts -------------------------------------------------------------------------------------------------------- */

int wr_mounts_unshare(struct wr_error *reterr)
{
	if (unshare(CLONE_NEWNS) < 0)
		return wr_fail(reterr, errno == EPERM ? WR_ERR_PRIVILEGE : WR_ERR_SYSTEM, -errno,
			       "cannot make a mount namespace: %s", strerror(errno));
	if (mount("none", "/", "none", MS_SLAVE | MS_REC, "") < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot separate the mounts from the machine's: %s",
			       strerror(errno));
	return 0;
}
