/* conntrack.h: connections that the kernel remembers.
 *
 * Why:       a connection keeps the translation that it began with. Where a port is published, or no longer, what was
 *            remembered of it is wrong: a client that keeps sending UDP from one port would never come anew.
 * Errors:    -errno; a kernel without ctnetlink is 0 and *ret_known false.
 * Source:    include/uapi/linux/netfilter/nfnetlink_conntrack.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct wr_error;
struct wr_host;
struct wr_netns;
struct wr_publish;

/* Forgets the connections whose original destination is one of these published ports (protocol, host_port, and host if it is
 * set) and whose translation is not what the port now has: all of them where `to` is unset. */
int wr_conntrack_forget(struct wr_host *host, struct wr_netns *netns, const struct wr_publish *ports, size_t n,
			bool *ret_known, struct wr_error *reterr);
