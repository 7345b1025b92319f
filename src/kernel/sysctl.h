/* sysctl.h: settings that only /proc/sys has.
 *
 * Why:       all networks' entries of /proc/sys share one hash chain of directory entries, so that a write grows from 10 µs
 *            to 350 µs with 4000 namespaces; a private instance of proc that is renewed now and then keeps it short.
 * Errors:    -errno with the key in *reterr; -ENOENT: the kernel has no such key.
 * Source:    proc(5), fsopen(2), Documentation/networking/ip-sysctl. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct wr_error;
struct wr_host;
struct wr_netns;

/* Writes a sysctl (dotted key, '/' for a dot inside an interface's name) in a namespace. When the thread is inside it
 * already (inside true) no entering is done. */
int wr_sysctl_write(struct wr_host *host, const struct wr_netns *ns, bool inside, const char *key, const char *value,
		    struct wr_error *reterr);
/* Reads one into buffer (size bytes with the 0), without the last newline. */
int wr_sysctl_read(struct wr_host *host, const struct wr_netns *ns, bool inside, const char *key, char *buffer,
		   size_t size, struct wr_error *reterr);
