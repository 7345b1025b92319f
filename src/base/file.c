/* file.c: whole files at once. The one part of this folder that makes system calls.
 *
 * A file is replaced through a temporary one with a fixed name (WR_FILE_NEW_SUFFIX), so that what a killed run leaves behind
 * is known by its name and taken away by the next run; it needs no search. Nothing is synced: these files describe the
 * running kernel, and do not outlive it. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define READ_FIRST ((size_t)16 << 10)

void wr_close_cleanup_(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

void wr_free_cleanup_(void *pointer)
{
	void *block;

	memcpy(&block, pointer, sizeof block);
	free(block);
}

static ssize_t read_some(int fd, char *bytes, size_t size)
{
	ssize_t n;

	do
		n = read(fd, bytes, size);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Reads to the end. One byte more than limit is asked for, so that being too long is seen. */
static int read_all(int fd, size_t first, size_t limit, char **ret_bytes, size_t *ret_length)
{
	WR_CLEANUP_FREE char *bytes = NULL;
	size_t length = 0, capacity = 0;

	for (;;) {
		ssize_t n;

		if (capacity - length < 2) {
			size_t more = capacity ? capacity * 2 : first;
			char *longer;

			if (more > limit + 2)
				more = limit + 2;
			longer = realloc(bytes, more);
			if (!longer)
				return -ENOMEM;
			bytes = longer;
			capacity = more;
		}
		n = read_some(fd, bytes + length, capacity - length - 1);
		if (n < 0)
			return -errno;
		length += (size_t)n;
		if (length > limit)
			return -EFBIG;
		if (n == 0)
			break;
	}
	bytes[length] = '\0';
	*ret_bytes = bytes;
	*ret_length = length;
	bytes = NULL;
	return 0;
}

int wr_file_read(const char *path, size_t limit, char **ret_bytes, size_t *ret_length, struct wr_error *reterr)
{
	WR_CLEANUP_CLOSE int opened = -1;
	bool is_stdin = strcmp(path, "-") == 0;
	size_t first = READ_FIRST;
	struct stat st;
	int fd, r;

	if (limit > SIZE_MAX / 4)
		limit = SIZE_MAX / 4;
	if (!is_stdin) {
		opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (opened < 0)
			return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot open '%s': %s", path, strerror(errno));
	}
	fd = is_stdin ? STDIN_FILENO : opened;
	/* Its size is only a hint: files of proc say 0, and others may grow. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (size_t)st.st_size <= limit)
		first = (size_t)st.st_size + 2;
	r = read_all(fd, first, limit, ret_bytes, ret_length);
	if (r == -ENOMEM)
		return wr_fail_memory(reterr);
	if (r == -EFBIG)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "'%s' is too large: at most %zu bytes are read",
			       is_stdin ? "<stdin>" : path, limit);
	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot read '%s': %s", is_stdin ? "<stdin>" : path,
			       strerror(-r));
	return 0;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Makes the file new_path with the content. */
static int write_new(const char *new_path, const char *bytes, size_t length, unsigned mode)
{
	int fd, r;

	fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0 && errno == EEXIST) {
		/* Left by a run that was killed. */
		if (unlink(new_path) < 0 && errno != ENOENT)
			return -errno;
		fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	}
	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes, length);
	if (r == 0 && fchmod(fd, mode) < 0) /* whatever the umask says */
		r = -errno;
	if (close(fd) < 0 && r == 0) /* some file systems say only here that there is no room */
		r = -errno;
	return r;
}

int wr_file_replace(const char *path, const char *bytes, size_t length, unsigned mode, struct wr_error *reterr)
{
	char new_path[PATH_MAX];
	int n = snprintf(new_path, sizeof new_path, "%s" WR_FILE_NEW_SUFFIX, path), r;

	if (n < 0 || (size_t)n >= sizeof new_path)
		return wr_fail(reterr, WR_ERR_SYSTEM, -ENAMETOOLONG, "cannot write '%s': %s", path,
			       strerror(ENAMETOOLONG));
	r = write_new(new_path, bytes, length, mode);
	if (r == 0 && rename(new_path, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(new_path);
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot write '%s': %s", path, strerror(-r));
	}
	return 0;
}

/* 0 when path is a directory now. */
static int make_one(const char *path, unsigned mode)
{
	struct stat st;
	int r;

	if (mkdir(path, mode) == 0)
		return 0;
	r = -errno;
	/* EROFS and EACCES too may be said of one that exists. */
	if (stat(path, &st) < 0)
		return r;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int wr_file_make_directories(const char *path, unsigned mode, struct wr_error *reterr)
{
	char part[PATH_MAX];
	size_t length = strlen(path);
	int r;

	if (length == 0 || length >= sizeof part)
		return wr_fail(reterr, WR_ERR_SYSTEM, length ? -ENAMETOOLONG : -ENOENT,
			       "cannot make the directory '%s': %s", path, strerror(length ? ENAMETOOLONG : ENOENT));
	r = make_one(path, mode);
	if (r != -ENOENT)
		goto end;
	memcpy(part, path, length + 1);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = make_one(part, mode);
		*slash = '/';
		if (r < 0)
			goto end;
	}
	r = make_one(path, mode);
end:
	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot make the directory '%s': %s", path, strerror(-r));
	return 0;
}
