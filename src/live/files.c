/* files.c: the files that make names resolve: the network's own in the state directory, and each namespace's in /etc/netns.
 *
 * A file in /etc/netns is ours when it is a symbolic link to the network's file, or when its first line says so. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "kernel/netns.h"
#include "live/observe.h"
#include "model/resolver.h"

#define SHARED_BYTES_MAX (256u << 20)
#define OWN_BYTES_MAX	 (1u << 20)

struct found {
	const char *text;
	bool is_link, foreign;
};

/* The content of a regular file, in arena. *ret stays NULL when there is none. */
static int read_content(const char *path, size_t limit, struct wr_arena *arena, const char **ret,
			struct wr_error *reterr)
{
	WR_CLEANUP_FREE char *bytes = NULL;
	size_t length = 0;
	int r = wr_file_read(path, limit, &bytes, &length, reterr);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return r;
	*ret = wr_arena_strndup(arena, bytes, length);
	return *ret != NULL ? 0 : wr_fail_memory(reterr);
}

/* A file of the network in the state directory. */
static int read_shared(const struct wr_observing *o, const char *name, const char **ret, struct wr_error *reterr)
{
	char path[PATH_MAX];
	struct stat status;

	if (snprintf(path, sizeof path, "%s/%s/%s", o->host->state, o->request->network, name) >= (int)sizeof path)
		return wr_fail(reterr, WR_ERR_SYSTEM, -ENAMETOOLONG, "the path %s… is too long", o->host->state);
	if (lstat(path, &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	return read_content(path, SHARED_BYTES_MAX, o->model->arena, ret, reterr);
}

/* Whether the first line is the mark of the network. */
static bool is_marked(const char *text, const char *network)
{
	size_t length = strlen(network);

	if (!wr_text_starts(text, WR_RESOLVER_MARK))
		return false;
	text += strlen(WR_RESOLVER_MARK);
	return strncmp(text, network, length) == 0 && (text[length] == '\n' || text[length] == '\0');
}

/* Whether a link leads to the network's own file of that name. */
static bool is_own_target(const struct wr_observing *o, const char *target, const char *name)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof path, "%s/%s/%s", o->host->state, o->request->network, name);

	return length > 0 && length < (int)sizeof path && strcmp(path, target) == 0;
}

/* The file name of a namespace's directory, which is relative to the open /etc/netns. */
static int find(const struct wr_observing *o, int etc, const char *pin, const char *name, struct found *ret,
		struct wr_error *reterr)
{
	char path[PATH_MAX], target[PATH_MAX];
	struct stat status;
	ssize_t length;
	int r;

	if (snprintf(path, sizeof path, "%s/%s", pin, name) >= (int)sizeof path)
		return 0; /* no file can have that name */
	length = readlinkat(etc, path, target, sizeof target - 1);
	if (length >= 0) {
		target[length] = '\0';
		*ret = (struct found){.text = wr_arena_strdup(o->model->arena, target),
				      .is_link = true,
				      .foreign = !is_own_target(o, target, name)};
		return ret->text != NULL ? 0 : wr_fail_memory(reterr);
	}
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	if (errno != EINVAL || fstatat(etc, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot look at %s/%s: %s",
						 o->host->etc_netns, path, strerror(errno));
	*ret = (struct found){.text = "", .foreign = true};
	if (!S_ISREG(status.st_mode) || status.st_size > (off_t)OWN_BYTES_MAX)
		return 0;
	if (snprintf(path, sizeof path, "%s/%s/%s", o->host->etc_netns, pin, name) >= (int)sizeof path)
		return 0;
	ret->text = NULL;
	r = read_content(path, 2 * OWN_BYTES_MAX, o->model->arena, &ret->text, reterr);
	ret->foreign = ret->text != NULL && !is_marked(ret->text, o->request->network);
	return r;
}

static int find_both(const struct wr_observing *o, int etc, struct wr_ns *ns, struct wr_error *reterr)
{
	struct found hosts = {NULL, false, false}, resolv = {NULL, false, false};
	int r = find(o, etc, ns->pin, "hosts", &hosts, reterr);

	if (r == 0)
		r = find(o, etc, ns->pin, "resolv.conf", &resolv, reterr);
	if (r < 0)
		return r;
	ns->hosts_file = hosts.text;
	ns->hosts_is_link = hosts.is_link;
	ns->hosts_foreign = hosts.foreign;
	ns->resolv_file = resolv.text;
	ns->resolv_is_link = resolv.is_link;
	ns->resolv_foreign = resolv.foreign;
	return 0;
}

/* The files under a pin's name, for its namespace in the model; one that is not there is put into it when it has any. */
static int visit_directory(struct wr_observing *o, int etc, const struct wr_map *by_pin, const char *pin,
			   struct wr_error *reterr)
{
	const struct wr_ns *wanted = wr_map_get(&o->wanted_by_pin, pin);
	struct wr_ns *there = wr_map_get(by_pin, pin);
	struct wr_ns probe = {.pin = pin};
	int r;

	if (there)
		return find_both(o, etc, there, reterr);
	if (!wanted && o->request->only_wanted)
		return 0;
	r = find_both(o, etc, &probe, reterr);
	if (r < 0)
		return r;
	probe.ours = (probe.hosts_file && !probe.hosts_foreign) || (probe.resolv_file && !probe.resolv_foreign);
	if (!probe.ours && !(wanted && (probe.hosts_file || probe.resolv_file)))
		return 0;
	there = wr_observe_add_ns(o, wanted ? wanted->name : pin, pin);
	if (!there)
		return wr_fail_memory(reterr);
	there->absent = true;
	there->ours = true;
	there->hosts_file = probe.hosts_file;
	there->hosts_is_link = probe.hosts_is_link;
	there->hosts_foreign = probe.hosts_foreign;
	there->resolv_file = probe.resolv_file;
	there->resolv_is_link = probe.resolv_is_link;
	there->resolv_foreign = probe.resolv_foreign;
	return 0;
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

int wr_observe_files(struct wr_observing *o, struct wr_error *reterr)
{
	__attribute__((cleanup(close_directory))) DIR *directory = NULL;
	struct wr_map by_pin = {.arena = o->model->arena};
	struct dirent *entry;
	int r = read_shared(o, "hosts", &o->model->hosts_text, reterr);

	if (r == 0)
		r = read_shared(o, "resolv.conf", &o->model->resolv_text, reterr);
	if (r < 0)
		return r;
	for (size_t i = 1; i < o->model->n_ns; i++)
		if (wr_map_put(&by_pin, o->model->ns[i]->pin, o->model->ns[i]) < 0)
			return wr_fail_memory(reterr);
	directory = opendir(o->host->etc_netns);
	if (!directory)
		return errno == ENOENT ? 0
				       : wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot open %s: %s",
						 o->host->etc_netns, strerror(errno));
	while (r == 0) {
		errno = 0;
		entry = readdir(directory);
		if (!entry)
			return errno ? wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot list %s: %s", o->host->etc_netns,
					       strerror(errno))
				     : 0;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = visit_directory(o, dirfd(directory), &by_pin, entry->d_name, reterr);
	}
	return r;
}
