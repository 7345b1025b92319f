/* file.h: whole files, read and written at once.
 *
 * Errors:    -errno with the path in *reterr.
 * Ownership: what is read is the caller's to free. Descriptors are close-on-exec. */
#pragma once

#include <stddef.h>

struct wr_error;

/* Reads a whole file of at most limit bytes; *ret_bytes gets a 0 byte beyond its length. -EFBIG beyond the limit.
 * path "-" is standard input. */
int wr_file_read(const char *path, size_t limit, char **ret_bytes, size_t *ret_length, struct wr_error *reterr);
/* What a file being replaced is called until it is complete: its path and this. A killed run may leave one behind; the next
 * replacement takes it away, and whoever removes the file removes it too. */
#define WR_FILE_NEW_SUFFIX ".warren-new"
/* Replaces a file: writes a temporary one beside it and renames. A reader sees the old or the new one, never half. Two writers
 * of one path must exclude each other (the network's lock). */
int wr_file_replace(const char *path, const char *bytes, size_t length, unsigned mode, struct wr_error *reterr);
/* mkdir -p, mode for what is made. 0 also when it exists. */
int wr_file_make_directories(const char *path, unsigned mode, struct wr_error *reterr);

#define WR_CLEANUP_CLOSE __attribute__((cleanup(wr_close_cleanup_)))
#define WR_CLEANUP_FREE	 __attribute__((cleanup(wr_free_cleanup_)))
void wr_close_cleanup_(int *fd); /* closes what is >= 0 and keeps errno */
void wr_free_cleanup_(void *pointer);
