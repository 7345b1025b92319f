/* The lock waits for an event, not for time: inotify tells when the holder's descriptor is closed, by itself or by the
 * kernel when it dies. A directory that was removed while we waited is noticed by comparing inodes. */
#include "apply/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "apply/apply.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "file/netfile.h"
#include "filter/remember.h"
#include "kernel/netns.h"
#include "model/name.h"

#define WR_STATE_HOLDER_MAX 256

static char *wr_state_path(const struct wr_state *state, const char *name)
{
	return wr_arena_printf(state->arena, "%s/%s", state->directory, name);
}

static int64_t wr_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the lock ------------------------------------------------------------------------------------------------------------ */

/* "pid 1234 (warren up shop.yaml)" */
static void wr_describe_self(struct wr_text *text)
{
	char *words = NULL;
	size_t length = 0;

	wr_text_addf(text, "pid %d", (int)getpid());
	if (wr_file_read("/proc/self/cmdline", WR_STATE_HOLDER_MAX * 16, &words, &length, NULL) < 0)
		return;
	for (size_t i = 0; i + 1 < length; i++)
		if (!words[i])
			words[i] = ' ';
	if (length > WR_STATE_HOLDER_MAX - 64)
		words[WR_STATE_HOLDER_MAX - 64] = '\0';
	wr_text_add(text, " (");
	wr_text_add_escaped(text, words);
	wr_text_add(text, ")");
	free(words);
}

static void wr_read_holder(int fd, char holder[WR_STATE_HOLDER_MAX])
{
	ssize_t length = pread(fd, holder, WR_STATE_HOLDER_MAX - 1, 0);

	holder[length > 0 ? length : 0] = '\0';
	if (length <= 0)
		snprintf(holder, WR_STATE_HOLDER_MAX, "another run");
}

static bool wr_is_same_file(int fd, const char *path)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino &&
	       here.st_dev == there.st_dev;
}

/* Waits until the holder may have let go. Returns 0, or -ETIMEDOUT, -EINTR. */
static int wr_wait_for_close(const struct wr_apply *apply, int lock_fd, const char *path, int64_t deadline)
{
	int WR_CLEANUP_CLOSE watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd wait = {.fd = watch, .events = POLLIN};

	if (watch < 0 || inotify_add_watch(watch, path, IN_CLOSE | IN_DELETE_SELF) < 0)
		return errno == ENOENT ? 0 : -errno;
	/* It may have been let go before the watch stood. */
	if (flock(lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	for (;;) {
		int64_t left = deadline - wr_now_ms();
		int r;

		if (left <= 0)
			return -ETIMEDOUT;
		r = poll(&wait, 1, left > INT32_MAX ? INT32_MAX : (int)left);
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (apply->interrupted && apply->interrupted(apply->data))
			return -EINTR;
	}
}

static int wr_lock_failed(const struct wr_state *state, int r, const char *holder, struct wr_error *reterr)
{
	if (r == -EINTR)
		return wr_fail(reterr, WR_ERR_INTERRUPTED, r, "interrupted while waiting for %s", holder);
	if (r != -ETIMEDOUT)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot wait for the lock of network '%s': %s", state->network,
			       strerror(-r));
	wr_fail(reterr, WR_ERR_BUSY, r, "network '%s' is being worked on by %s", state->network, holder);
	return wr_fail_mend(reterr, "wait for it, or give it longer with --timeout");
}

static int wr_state_lock(struct wr_state *state, const struct wr_apply *apply, struct wr_error *reterr)
{
	int64_t deadline = wr_now_ms() + (apply->lock_timeout_ms > 0 ? apply->lock_timeout_ms : 0);
	struct wr_text WR_CLEANUP_TEXT self = {0};
	char *path = wr_state_path(state, "lock");
	char holder[WR_STATE_HOLDER_MAX];
	bool told = false;
	int r;

	wr_describe_self(&self);
	if (!path || wr_text_error(&self) < 0)
		return wr_fail_memory(reterr);
	for (;;) {
		wr_close_cleanup_(&state->lock_fd);
		r = wr_file_make_directories(state->directory, 0700, reterr);
		if (r < 0)
			return r;
		state->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (state->lock_fd < 0 && errno == ENOENT)
			continue;
		if (state->lock_fd < 0)
			return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot open %s: %s", path, strerror(errno));
		if (flock(state->lock_fd, LOCK_EX | LOCK_NB) < 0) {
			wr_read_holder(state->lock_fd, holder);
			if (!told && apply->waiting && apply->lock_timeout_ms > 0)
				apply->waiting(apply->data, holder);
			told = true;
			r = wr_wait_for_close(apply, state->lock_fd, path, deadline);
			if (r < 0)
				return wr_lock_failed(state, r, holder, reterr);
			if (flock(state->lock_fd, LOCK_EX | LOCK_NB) < 0)
				continue;
		}
		if (wr_is_same_file(state->lock_fd, path))
			break;
	}
	/* Who holds it is only for others to say; on a full disk it is held all the same. */
	if (ftruncate(state->lock_fd, 0) < 0 ||
	    (pwrite(state->lock_fd, self.bytes, self.length, 0) < 0 && errno != ENOSPC && errno != EDQUOT))
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot write %s: %s", path, strerror(errno));
	return 0;
}

int wr_state_lock_machine(struct wr_state *state, const struct wr_apply *apply, struct wr_error *reterr)
{
	static const char holder[] = "a run for another network";
	int64_t deadline = wr_now_ms() + (apply->lock_timeout_ms > 0 ? apply->lock_timeout_ms : 0);
	const char *path = state->host->state;
	bool told = false;
	int r;

	/* The directory of all networks, which cannot go while this one's is in it. */
	state->machine_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->machine_fd < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot open %s: %s", path, strerror(errno));
	while (flock(state->machine_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot lock %s: %s", path, strerror(errno));
		if (!told && apply->waiting && apply->lock_timeout_ms > 0)
			apply->waiting(apply->data, holder);
		told = true;
		r = wr_wait_for_close(apply, state->machine_fd, path, deadline);
		if (r < 0)
			return wr_lock_failed(state, r, holder, reterr);
	}
	return 0;
}

/* --- what an earlier run left ---------------------------------------------------------------------------------------------- */

static int wr_read_boot_id(char id[64], struct wr_error *reterr)
{
	char *text = NULL;
	size_t length = 0;
	int r = wr_file_read("/proc/sys/kernel/random/boot_id", 4096, &text, &length, reterr);

	if (r < 0)
		return r;
	while (length && text[length - 1] == '\n')
		text[--length] = '\0';
	snprintf(id, 64, "%.63s", text);
	free(text);
	return 0;
}

static int wr_state_check_boot(struct wr_state *state, struct wr_error *reterr)
{
	char *path = wr_state_path(state, "boot"), *journal = wr_state_path(state, "journal"), *there = NULL;
	char id[64];
	size_t length = 0;
	int r = wr_read_boot_id(id, reterr);

	if (!path || !journal)
		return wr_fail_memory(reterr);
	if (r < 0)
		return r;
	if (wr_file_read(path, 4096, &there, &length, NULL) == 0) {
		bool same = !strcmp(there, id);

		free(there);
		if (same)
			return 0;
		state->other_boot = true;
		if (unlink(journal) < 0 && errno != ENOENT)
			return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot remove %s: %s", journal, strerror(errno));
	}
	/* On a full disk the journal, which matters, is what fails; nothing that must be removed waits for this. */
	r = wr_file_replace(path, id, strlen(id), 0600, reterr);
	return r == -ENOSPC || r == -EDQUOT ? 0 : r;
}

/* The journal: a line "pin NAME" for each pin, "end" as its last. A torn one tells as much as its whole lines do. */
static int wr_state_read_journal(struct wr_state *state, struct wr_error *reterr)
{
	char *path = wr_state_path(state, "journal"), *text = NULL, *line, *next;
	size_t length = 0, capacity = 0;

	if (!path)
		return wr_fail_memory(reterr);
	if (access(path, F_OK) < 0)
		return 0;
	state->interrupted_before = true;
	if (wr_file_read(path, WR_NETFILE_SIZE_MAX * 8, &text, &length, reterr) < 0)
		return -EIO;
	for (line = text; (next = strchr(line, '\n')); line = next + 1) {
		*next = '\0';
		if (!wr_text_starts(line, "pin ") || strchr(line, '/'))
			continue;
		if (wr_arena_grow(state->arena, &state->journal_pins, &capacity, state->n_journal_pins,
				  sizeof *state->journal_pins) < 0)
			break;
		state->journal_pins[state->n_journal_pins++] = wr_arena_strdup(state->arena, line + 4);
	}
	free(text);
	return 0;
}

int wr_state_open(struct wr_state *state, const struct wr_apply *apply, const char *network, struct wr_error *reterr)
{
	int r;

	*state = (struct wr_state){.host = apply->host,
				   .network = network,
				   .arena = apply->arena,
				   .directory_fd = -1,
				   .lock_fd = -1,
				   .machine_fd = -1};
	if (!wr_name_is_valid(network))
		return wr_fail(reterr, WR_ERR_USAGE, -EINVAL, "'%s' is no name of a network", network);
	state->directory = wr_arena_printf(state->arena, "%s/%s", apply->host->state, network);
	if (!state->directory)
		return wr_fail_memory(reterr);
	state->made_directory = access(state->directory, F_OK) < 0;
	r = wr_state_lock(state, apply, reterr);
	if (r == 0)
		r = wr_state_check_boot(state, reterr);
	if (r == 0)
		r = wr_state_read_journal(state, reterr);
	if (r < 0) {
		/* What could not be begun leaves nothing: the refusal is the error that counts. */
		if (state->made_directory && state->lock_fd >= 0 && r != -ETIMEDOUT && r != -EINTR)
			wr_state_remove(state, NULL);
		wr_state_close(state);
	}
	return r;
}

void wr_state_close(struct wr_state *state)
{
	wr_close_cleanup_(&state->machine_fd);
	wr_close_cleanup_(&state->lock_fd);
	wr_close_cleanup_(&state->directory_fd);
	state->machine_fd = state->lock_fd = state->directory_fd = -1;
}

/* --- around the work ------------------------------------------------------------------------------------------------------- */

/* What the host had where the network changes it: the second witness beside the notes in its table. */
static int wr_state_remember(struct wr_state *state, const struct wr_model *wanted, struct wr_error *reterr)
{
	char *path = wr_state_path(state, WR_REMEMBER_FILE);
	struct wr_text WR_CLEANUP_TEXT text = {0};
	char id[64];
	int r;

	if (!path)
		return wr_fail_memory(reterr);
	/* `down` begins with what is there, where nothing is wanted: what is remembered stays until it is done. */
	if (wanted->live)
		return 0;
	r = wr_read_boot_id(id, reterr);
	if (r < 0)
		return r;
	wr_remember_write(wanted, id, &text);
	if (wr_text_error(&text) < 0)
		return wr_fail_memory(reterr);
	if (text.length)
		return wr_file_replace(path, text.bytes, text.length, 0600, reterr);
	return unlink(path) < 0 && errno != ENOENT
		       ? wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot remove %s: %s", path, strerror(errno))
		       : 0;
}

int wr_state_begin(struct wr_state *state, const struct wr_model *wanted, const char *text, size_t length,
		   struct wr_error *reterr)
{
	char *journal = wr_state_path(state, "journal"), *next = wr_state_path(state, "network.yaml.next"),
	     *source = wr_state_path(state, "source.next");
	struct wr_text WR_CLEANUP_TEXT lines = {0};
	int r = 0;

	for (size_t i = 1; i < wanted->n_ns; i++) {
		wr_text_add(&lines, "pin ");
		wr_text_add(&lines, wanted->ns[i]->pin);
		wr_text_add_char(&lines, '\n');
	}
	wr_text_add(&lines, "end\n");
	if (!journal || !next || !source || wr_text_error(&lines) < 0)
		return wr_fail_memory(reterr);
	if (text)
		r = wr_file_replace(next, text, length, 0600, reterr);
	if (r == 0 && text)
		r = wr_file_replace(source, wanted->source ? wanted->source : "",
				    strlen(wanted->source ? wanted->source : ""), 0600, reterr);
	if (r == 0)
		r = wr_state_remember(state, wanted, reterr);
	return r < 0 ? r : wr_file_replace(journal, lines.bytes, lines.length, 0600, reterr);
}

static int wr_state_rename(const struct wr_state *state, const char *from, const char *to, struct wr_error *reterr)
{
	char *old = wr_state_path(state, from), *name = wr_state_path(state, to);

	if (!old || !name)
		return wr_fail_memory(reterr);
	if (to[0] ? rename(old, name) < 0 : unlink(old) < 0)
		return errno == ENOENT ? 0
				       : wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot %s %s: %s",
						 to[0] ? "rename" : "remove", old, strerror(errno));
	return 0;
}

int wr_state_end(struct wr_state *state, bool keep, struct wr_error *reterr)
{
	int r = wr_state_rename(state, "source.next", keep ? "source" : "", reterr);

	if (r == 0)
		r = wr_state_rename(state, "network.yaml.next", keep ? "network.yaml" : "", reterr);
	return r < 0 ? r : wr_state_rename(state, "journal", "", reterr);
}

int wr_state_remove(struct wr_state *state, struct wr_error *reterr)
{
	DIR *directory = opendir(state->directory);
	struct dirent *entry;
	int r = 0;

	if (!directory)
		return errno == ENOENT ? 0
				       : wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot read %s: %s", state->directory,
						 strerror(errno));
	/* The lock goes last: whoever waits for it must find it while anything else is here. */
	while (r == 0 && (entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "lock") != 0 && unlinkat(dirfd(directory), entry->d_name, 0) < 0 &&
		    errno != ENOENT)
			r = wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot remove %s/%s: %s", state->directory,
				    entry->d_name, strerror(errno));
	if (r == 0 && unlinkat(dirfd(directory), "lock", 0) < 0 && errno != ENOENT)
		r = wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot remove %s/lock: %s", state->directory,
			    strerror(errno));
	closedir(directory);
	if (r == 0 && rmdir(state->directory) < 0 && errno != ENOENT && errno != ENOTEMPTY)
		r = wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot remove %s: %s", state->directory, strerror(errno));
	/* The last network takes the directory of all with it; another one's keeps it. */
	if (r == 0 && rmdir(state->host->state) < 0 && errno != ENOTEMPTY && errno != ENOENT && errno != EBUSY)
		r = wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot remove %s: %s", state->host->state, strerror(errno));
	return r;
}

/* --- without the lock ------------------------------------------------------------------------------------------------------ */

static int wr_read_into(struct wr_arena *arena, const char *path, const char **ret, size_t *ret_length,
			struct wr_error *reterr)
{
	char *text = NULL;
	size_t length = 0;
	int r = wr_file_read(path, WR_NETFILE_SIZE_MAX, &text, &length, reterr);

	if (r < 0)
		return r;
	*ret = wr_arena_memdup(arena, text, length + 1); /* what a crash left may hold zeros */
	if (ret_length)
		*ret_length = length;
	free(text);
	return *ret ? 0 : wr_fail_memory(reterr);
}

int wr_state_read_file(struct wr_host *host, const char *network, struct wr_arena *arena, const char **ret_source,
		       const char **ret_text, size_t *ret_length, struct wr_error *reterr)
{
	char *path = wr_arena_printf(arena, "%s/%s/network.yaml", host->state, network);
	char *source = wr_arena_printf(arena, "%s/%s/source", host->state, network);
	const char *name = NULL, *text = NULL;
	int r;

	if (!path || !source)
		return wr_fail_memory(reterr);
	*ret_text = NULL;
	r = wr_read_into(arena, path, &text, ret_length, reterr);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = wr_read_into(arena, source, &name, NULL, reterr);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_text = text;
	*ret_source = name && name[0] ? name : path;
	return 0;
}

static int wr_compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int wr_state_networks(struct wr_host *host, struct wr_arena *arena, const char ***ret_names, size_t *ret_count,
		      struct wr_error *reterr)
{
	DIR *directory = opendir(host->state);
	const char **names = NULL;
	size_t count = 0, capacity = 0;
	struct dirent *entry;
	int r = 0;

	if (!directory && errno != ENOENT)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot read %s: %s", host->state, strerror(errno));
	while (directory && r == 0 && (entry = readdir(directory))) {
		char *path = wr_arena_printf(arena, "%s/%s/network.yaml", host->state, entry->d_name);

		if (!path)
			r = wr_fail_memory(reterr);
		else if (!wr_name_is_valid(entry->d_name) || access(path, F_OK) < 0)
			continue;
		else if (wr_arena_grow(arena, &names, &capacity, count, sizeof *names) < 0)
			r = wr_fail_memory(reterr);
		else
			names[count++] = wr_arena_strdup(arena, entry->d_name);
	}
	if (directory)
		closedir(directory);
	if (r < 0)
		return r;
	if (count)
		qsort(names, count, sizeof *names, wr_compare_names);
	*ret_names = names;
	*ret_count = count;
	return 0;
}
