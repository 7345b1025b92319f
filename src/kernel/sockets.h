/* sockets.h: who listens in a namespace.
 *
 * Errors:    -errno. A process that may not be read leaves the owner NULL. A kernel that has no list of a family's or a protocol's
 *            sockets (CONFIG_INET_UDP_DIAG) tells none of them.
 * Source:    sock_diag(7), proc(5). */
#pragma once

#include <stddef.h>

struct wr_arena;
struct wr_error;
struct wr_host;
struct wr_listener;
struct wr_netns;

/* TCP sockets that listen, and UDP sockets that are bound and not connected, of both families; owners are not looked up.
 * *ret is in arena. */
int wr_sockets_list(struct wr_host *host, struct wr_netns *netns, struct wr_arena *arena, struct wr_listener **ret,
		    size_t *ret_count, struct wr_error *reterr);
/* "nginx (pid 123)" for the socket of a listener, from the processes of this machine; NULL: not found. Walks /proc. */
int wr_sockets_find_owner(struct wr_arena *arena, unsigned long inode, const char **ret, struct wr_error *reterr);
