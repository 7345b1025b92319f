/* Tests of base/file.c in a directory of their own. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/file.h"

static int setup(void **state)
{
	char template[] = "/tmp/warren-test-XXXXXX";

	return mkdtemp(template) && chdir(template) == 0 && (*state = strdup(template)) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"f", "f.warren-new", "d/e/g", "d/e", "d", "file", "link", "dir"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		remove(names[i]);
	if (chdir("/") < 0 || rmdir(*state) < 0)
		return -1;
	free(*state);
	return 0;
}

static void put(const char *path, const char *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
}

static void assert_file(const char *path, const char *content)
{
	WR_CLEANUP_FREE char *bytes = NULL;
	struct wr_error error = {0};
	size_t length = 0;

	assert_int_equal(wr_file_read(path, 1 << 20, &bytes, &length, &error), 0);
	assert_string_equal(bytes, content);
	assert_int_equal(length, strlen(content));
}

static void test_read(void **state)
{
	WR_CLEANUP_FREE char *bytes = NULL;
	struct wr_error error = {0};
	size_t length;

	put("f", "a\0b\n", 4);
	assert_int_equal(wr_file_read("f", 100, &bytes, &length, &error), 0);
	assert_int_equal(length, 4);
	assert_memory_equal(bytes, "a\0b\n", 5);
	assert_int_equal(error.kind, WR_ERR_NONE);
	put("f", "", 0);
	assert_file("f", "");
}

static void test_read_limit(void **state)
{
	enum { SIZE = 100000 };
	WR_CLEANUP_FREE char *content = calloc(1, SIZE);
	struct wr_error error = {0};
	size_t length = 77;

	assert_non_null(content);
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (char)('a' + i % 26);
	put("f", content, SIZE);
	for (size_t limit = SIZE - 2; limit < SIZE + 3; limit++) {
		WR_CLEANUP_FREE char *bytes = NULL;
		int r = wr_file_read("f", limit, &bytes, &length, &error);

		assert_int_equal(r, limit < SIZE ? -EFBIG : 0);
		if (r == 0) {
			assert_int_equal(length, SIZE);
			assert_memory_equal(bytes, content, SIZE);
		} else {
			assert_null(bytes);
			assert_int_equal(length, 77);
			assert_non_null(strstr(error.text, "'f' is too large"));
		}
	}
}

static void test_read_failures(void **state)
{
	struct wr_error error = {0};
	char *bytes = NULL;
	size_t length;

	assert_int_equal(wr_file_read("missing", 10, &bytes, &length, &error), -ENOENT);
	assert_string_equal(error.text, "cannot open 'missing': No such file or directory");
	assert_int_equal(error.kind, WR_ERR_SYSTEM);
	assert_int_equal(wr_file_read("/", 10, &bytes, &length, &error), -EISDIR);
	assert_string_equal(error.text, "cannot read '/': Is a directory");
	assert_null(bytes);
}

/* Files whose size is no size. */
static void test_read_special(void **state)
{
	WR_CLEANUP_FREE char *bytes = NULL, *more = NULL;
	struct wr_error error = {0};
	size_t length;

	assert_int_equal(wr_file_read("/proc/self/stat", 1 << 16, &bytes, &length, &error), 0);
	assert_true(length > 10 && strlen(bytes) == length);
	assert_int_equal(wr_file_read("/proc/self/stat", 5, &more, &length, &error), -EFBIG);
	assert_int_equal(wr_file_read("/dev/zero", 1000, &more, &length, &error), -EFBIG);
	assert_int_equal(wr_file_read("/dev/null", 0, &more, &length, &error), 0);
	assert_int_equal(length, 0);
}

static void test_read_stdin(void **state)
{
	int ends[2], saved = dup(STDIN_FILENO);
	WR_CLEANUP_FREE char *bytes = NULL;
	struct wr_error error = {0};
	size_t length;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "piped", 5), 5);
	close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	assert_int_equal(wr_file_read("-", 10, &bytes, &length, &error), 0);
	assert_string_equal(bytes, "piped");
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), 0);
	if (saved >= 0) {
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
}

static void test_replace(void **state)
{
	struct wr_error error = {0};
	mode_t before = umask(077);
	struct stat st;

	assert_int_equal(wr_file_replace("f", "one", 3, 0644, &error), 0);
	umask(before);
	assert_file("f", "one");
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(wr_file_replace("f", "", 0, 0600, &error), 0);
	assert_file("f", "");
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(access("f" WR_FILE_NEW_SUFFIX, F_OK), -1);
}

/* What a killed run left is in nobody's way, even a link to something else, which stays as it was. */
static void test_replace_leftover(void **state)
{
	struct wr_error error = {0};

	put("f" WR_FILE_NEW_SUFFIX, "half", 4);
	assert_int_equal(wr_file_replace("f", "whole", 5, 0644, &error), 0);
	assert_file("f", "whole");
	put("file", "precious", 8);
	assert_int_equal(symlink("file", "f" WR_FILE_NEW_SUFFIX), 0);
	assert_int_equal(wr_file_replace("f", "again", 5, 0644, &error), 0);
	assert_file("f", "again");
	assert_file("file", "precious");
	/* A link at the path itself is replaced, not followed. */
	assert_int_equal(symlink("file", "link"), 0);
	assert_int_equal(wr_file_replace("link", "new", 3, 0644, &error), 0);
	assert_file("link", "new");
	assert_file("file", "precious");
}

static void test_replace_failures(void **state)
{
	struct wr_error error = {0};
	char longer[5000];

	assert_int_equal(wr_file_replace("missing/f", "x", 1, 0644, &error), -ENOENT);
	assert_string_equal(error.text, "cannot write 'missing/f': No such file or directory");
	assert_int_equal(mkdir("dir", 0700), 0);
	assert_int_equal(wr_file_replace("dir", "x", 1, 0644, &error), -EISDIR);
	assert_int_equal(access("dir" WR_FILE_NEW_SUFFIX, F_OK), -1);
	memset(longer, 'a', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_int_equal(wr_file_replace(longer, "x", 1, 0644, &error), -ENAMETOOLONG);
}

/* No room, here by a limit on the size of files: the old content stays and nothing is left behind. */
static void test_replace_no_room(void **state)
{
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
	struct rlimit unlimited, limit;
	struct wr_error error = {0};
	int r;

	assert_int_equal(wr_file_replace("f", "old", 3, 0644, &error), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
	limit = (struct rlimit){4, unlimited.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	r = wr_file_replace("f", "new content", 11, 0644, &error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
	signal(SIGXFSZ, before);
	assert_int_equal(r, -EFBIG);
	assert_string_equal(error.text, "cannot write 'f': File too large");
	assert_file("f", "old");
	assert_int_equal(access("f" WR_FILE_NEW_SUFFIX, F_OK), -1);
}

static void test_directories(void **state)
{
	struct wr_error error = {0};
	struct stat st;

	assert_int_equal(wr_file_make_directories("d/e/g", 0755, &error), 0);
	assert_int_equal(wr_file_make_directories("d/e/g", 0755, &error), 0);
	assert_int_equal(wr_file_make_directories("d/e//g/", 0755, &error), 0);
	assert_int_equal(wr_file_make_directories(".", 0755, &error), 0);
	assert_int_equal(wr_file_make_directories("/", 0755, &error), 0);
	assert_int_equal(stat("d/e/g", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	put("file", "", 0);
	assert_int_equal(wr_file_make_directories("file", 0755, &error), -ENOTDIR);
	assert_string_equal(error.text, "cannot make the directory 'file': Not a directory");
	assert_int_equal(wr_file_make_directories("file/below", 0755, &error), -ENOTDIR);
	assert_int_equal(wr_file_make_directories("", 0755, &error), -ENOENT);
	assert_int_equal(wr_file_make_directories("/proc/warren/x", 0755, &error), -ENOENT);
}

static void test_cleanup(void **state)
{
	int fd = dup(STDERR_FILENO), kept = fd;
	char *block = malloc(10);

	assert_true(fd >= 0);
	errno = EAGAIN;
	wr_close_cleanup_(&fd);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(kept, F_GETFD), -1);
	fd = -1;
	errno = EAGAIN;
	wr_close_cleanup_(&fd);
	assert_int_equal(errno, EAGAIN);
	wr_free_cleanup_(&block);
	block = NULL;
	wr_free_cleanup_(&block);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(test_read),
		IN_DIRECTORY(test_read_limit),
		IN_DIRECTORY(test_read_failures),
		IN_DIRECTORY(test_read_special),
		IN_DIRECTORY(test_read_stdin),
		IN_DIRECTORY(test_replace),
		IN_DIRECTORY(test_replace_leftover),
		IN_DIRECTORY(test_replace_failures),
		IN_DIRECTORY(test_replace_no_room),
		IN_DIRECTORY(test_directories),
		cmocka_unit_test(test_cleanup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
