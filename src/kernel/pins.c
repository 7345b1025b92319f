/* pins.c: the names of namespaces: files in /run/netns that namespaces are bound over, as ip-netns(8) keeps them.
 *
 * The directory is a shared mount, so that a name given in one mount namespace is seen, and can be taken away, in the
 * others. Both tools make it so, under one lock, and each accepts what the other made. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/error.h"
#include "base/file.h"
#include "kernel/netns.h"
#include "kernel/pins.h"

int wr_pin_path(const struct wr_host *host, const char *pin, char ret[WR_PIN_PATH_MAX], struct wr_error *reterr)
{
	int length;

	if (pin == NULL || pin[0] == '\0' || strchr(pin, '/') != NULL || strcmp(pin, ".") == 0 ||
	    strcmp(pin, "..") == 0)
		return wr_fail(reterr, WR_ERR_USAGE, -EINVAL, "'%s' is no name for a namespace",
			       pin != NULL ? pin : "");
	length = snprintf(ret, WR_PIN_PATH_MAX, "%s/%s", host->pins, pin);
	if (length < 0 || length >= WR_PIN_PATH_MAX)
		return wr_fail(reterr, WR_ERR_USAGE, -ENAMETOOLONG, "the name '%s' of a namespace is too long", pin);
	return 0;
}

/* --- the directory ------------------------------------------------------------------------------------------------- */

/* The directory shared; it is bound over itself when it is no mount of its own yet. */
static int share(const char *path)
{
	if (mount("none", path, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return -errno;
	if (mount(path, path, "none", MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	return mount("none", path, "none", MS_SHARED | MS_REC, NULL) == 0 ? 0 : -errno;
}

int wr_pins_prepare(struct wr_host *host, struct wr_error *reterr)
{
	WR_CLEANUP_CLOSE int lock = -1;
	int r;

	if (host->pins_ready)
		return 0;
	r = wr_file_make_directories(host->pins, 0755, reterr);
	if (r < 0)
		return r;
	lock = open(host->pins, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot open %s: %s", host->pins, strerror(errno));
	do
		r = flock(lock, LOCK_EX);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot lock %s: %s", host->pins, strerror(errno));
	r = share(host->pins);
	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot make %s a shared mount: %s", host->pins, strerror(-r));
	host->pins_ready = true;
	return 0;
}

/* --- what is there under a name ------------------------------------------------------------------------------------ */

static int state_of(const char *path)
{
	struct stat status;
	struct statfs filesystem;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? WR_PIN_ABSENT : -errno;
	if (!S_ISREG(status.st_mode))
		return WR_PIN_OTHER;
	if (statfs(path, &filesystem) < 0)
		return errno == ENOENT ? WR_PIN_ABSENT : -errno;
	if (filesystem.f_type == NSFS_MAGIC)
		return WR_PIN_NAMESPACE;
	return status.st_size == 0 ? WR_PIN_STALE : WR_PIN_OTHER;
}

int wr_pin_state(struct wr_host *host, const char *pin, struct wr_error *reterr)
{
	char path[WR_PIN_PATH_MAX];
	int r = wr_pin_path(host, pin, path, reterr);

	if (r < 0)
		return r;
	r = state_of(path);
	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot look at %s: %s", path, strerror(-r));
	return r;
}

int wr_pins_names(struct wr_host *host, int (*visit)(const char *pin, void *data), void *data, struct wr_error *reterr)
{
	DIR *directory = opendir(host->pins);
	struct dirent *entry;
	int r = 0;

	if (directory == NULL) {
		if (errno == ENOENT)
			return 0;
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot list %s: %s", host->pins, strerror(errno));
	}
	while (r >= 0) {
		errno = 0;
		entry = readdir(directory);
		if (entry == NULL) {
			if (errno != 0)
				r = wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot list %s: %s", host->pins,
					    strerror(errno));
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = visit(entry->d_name, data);
	}
	closedir(directory);
	return r < 0 ? r : 0;
}

/* A name on its way to a visitor that wants to know what it stands for. */
struct looking {
	struct wr_host *host;
	int (*visit)(const char *pin, enum wr_pin_state state, void *data);
	void *data;
	struct wr_error *reterr;
};

static int look(const char *pin, void *data)
{
	struct looking *looking = data;
	int state = wr_pin_state(looking->host, pin, looking->reterr);

	if (state < 0 || state == WR_PIN_ABSENT) /* gone since it was listed */
		return state < 0 ? state : 0;
	return looking->visit(pin, (enum wr_pin_state)state, looking->data);
}

int wr_pins_each(struct wr_host *host, int (*visit)(const char *pin, enum wr_pin_state state, void *data), void *data,
		 struct wr_error *reterr)
{
	struct looking looking = {.host = host, .visit = visit, .data = data, .reterr = reterr};

	return wr_pins_names(host, look, &looking, reterr);
}

/* --- names given and taken ----------------------------------------------------------------------------------------- */

/* Binds a namespace over a file. A detached mount that is moved there costs two thirds of a bind by path; mount(2) where the
 * newer calls are not permitted. */
static int bind_over(const struct wr_netns *ns, const char *path)
{
	WR_CLEANUP_CLOSE int tree = open_tree(ns->fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	char self[32];

	if (tree >= 0 && move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0)
		return 0;
	snprintf(self, sizeof self, "/proc/self/fd/%d", ns->fd);
	return mount(self, path, "none", MS_BIND, NULL) == 0 ? 0 : -errno;
}

int wr_netns_pin(struct wr_host *host, struct wr_netns *ns, struct wr_error *reterr)
{
	char path[WR_PIN_PATH_MAX];
	bool made;
	int fd, state, r = wr_pin_path(host, ns->pin, path, reterr);

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	made = fd >= 0;
	if (made) {
		close(fd);
	} else if (errno != EEXIST) {
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot make %s: %s", path, strerror(errno));
	} else {
		state = wr_pin_state(host, ns->pin, reterr);
		if (state < 0)
			return state;
		if (state != WR_PIN_STALE)
			return wr_fail(reterr, WR_ERR_CONFLICT, -EEXIST, "%s exists", path);
	}
	r = bind_over(ns, path);
	if (r < 0) {
		wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot bind a namespace to %s: %s", path, strerror(-r));
		if (made)
			unlink(path);
		return r;
	}
	ns->unpinned = false;
	return 0;
}

int wr_netns_unpin(struct wr_host *host, struct wr_netns *ns, struct wr_error *reterr)
{
	char path[WR_PIN_PATH_MAX];
	struct stat mine, there;
	int r = wr_pin_path(host, ns->pin, path, reterr);

	if (r < 0)
		return r;
	if (fstat(ns->fd, &mine) < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot look at namespace '%s': %s", ns->pin,
			       strerror(errno));
	/* Only this namespace loses its name: another one may have taken it meanwhile. */
	for (;;) {
		if (lstat(path, &there) < 0) {
			if (errno != ENOENT)
				return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot look at %s: %s", path,
					       strerror(errno));
			ns->unpinned = true;
			return 0;
		}
		if (there.st_dev != mine.st_dev || there.st_ino != mine.st_ino)
			break;
		if (umount2(path, MNT_DETACH) == 0)
			ns->unpinned = true;
		else if (errno != EINVAL && errno != ENOENT)
			return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot unmount %s: %s", path, strerror(errno));
	}
	if (!S_ISREG(there.st_mode) || there.st_size != 0)
		return wr_fail(reterr, WR_ERR_CONFLICT, -EEXIST, "%s is something else now", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return wr_fail(reterr, errno == EBUSY ? WR_ERR_CONFLICT : WR_ERR_SYSTEM, -errno, "cannot remove %s: %s",
			       path, strerror(errno));
	ns->unpinned = true;
	return 0;
}

int wr_pin_remove_stale(struct wr_host *host, const char *pin, struct wr_error *reterr)
{
	char path[WR_PIN_PATH_MAX];
	int state = wr_pin_state(host, pin, reterr);
	int r = wr_pin_path(host, pin, path, reterr);

	if (state < 0 || r < 0)
		return state < 0 ? state : r;
	if (state == WR_PIN_ABSENT)
		return 0;
	if (state != WR_PIN_STALE)
		return wr_fail(reterr, WR_ERR_CONFLICT, -EEXIST, "%s is no empty file", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}
