/* error.h: what went wrong, as a value.
 *
 * Why:       a failure is made and returned in one statement, and crosses a pipe or a fork in one write.
 * Shape:     wr_fail fills a plain struct and returns the negative errno; wr_fail_context puts words in front on the way up.
 * Ownership: the struct is the caller's; nothing in it points anywhere.
 * Errors:    functions of the library return 0 or a count, else -errno; *reterr is untouched on success.
 * Threads:   no shared state. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* What kind of failure it is; one table (wr_error_exit_status) maps it to the program's exit status. */
enum wr_error_kind {
	WR_ERR_NONE,
	WR_ERR_USAGE,	    /* the call or command line is wrong: exit 2 */
	WR_ERR_FILE,	    /* the network file is wrong: exit 2 */
	WR_ERR_PRIVILEGE,   /* a capability is missing; nothing was touched */
	WR_ERR_UNSUPPORTED, /* the kernel lacks a feature; nothing was touched */
	WR_ERR_CONFLICT,    /* something with this name or address exists and is not ours; nothing was touched */
	WR_ERR_BUSY,	    /* another run holds the lock */
	WR_ERR_NOTFOUND,    /* no network, namespace or interface of that name */
	WR_ERR_KERNEL,	    /* a request to the kernel failed */
	WR_ERR_SYSTEM,	    /* a file, memory or process failed */
	WR_ERR_INTERRUPTED, /* SIGINT, SIGTERM or SIGHUP arrived */
	WR_ERR_VERIFY,	    /* what was observed afterwards is not what was wanted */
	WR_ERR_COMMAND, /* wr_exec, wr_spawn: the program itself could not be started (code -ENOENT: there is none) */
	WR_ERR_KIND_COUNT_,
};

#define WR_ERROR_TEXT_MAX 1024
#define WR_ERROR_MEND_MAX 512

struct wr_error {
	enum wr_error_kind kind;
	int code;		      /* negative errno, what the failing function returned */
	char text[WR_ERROR_TEXT_MAX]; /* one sentence without a newline at its end; holds the kernel's own words */
	char mend[WR_ERROR_MEND_MAX]; /* what to do about it, or empty */
};

/* Fills *reterr (NULL is allowed and ignored) and returns code. code is a negative errno; 0 or more becomes -EINVAL. */
int wr_fail(struct wr_error *reterr, enum wr_error_kind kind, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5), cold));
/* Adds what to do about it to a filled error, and returns its code. */
int wr_fail_mend(struct wr_error *reterr, const char *format, ...) __attribute__((format(printf, 2, 3), cold));
/* Puts "WORDS: " in front of a filled error's text, and returns its code. */
int wr_fail_context(struct wr_error *reterr, const char *format, ...) __attribute__((format(printf, 2, 3), cold));
/* Out of memory, said uniformly. Returns -ENOMEM. */
int wr_fail_memory(struct wr_error *reterr) __attribute__((cold));
/* 0, 1 or 2: the exit status that an error of this kind ends the program with. */
int wr_error_exit_status(enum wr_error_kind kind);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
