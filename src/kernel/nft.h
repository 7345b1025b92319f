/* nft.h: transactions of nf_tables, and its lists.
 *
 * Why:       a filter changes as a whole or not at all: all messages of a change go to the kernel in one send.
 * Shape:     wr_nft_commit writes a delta (filter/delta.h) with libnftnl and sends it as one batch; wr_nft_open gives the
 *            netfilter socket of a namespace, over which lists are read with wr_nl_dump.
 * Ownership: the socket belongs to its wr_netns and is closed with it.
 * Errors:    -errno with the kernel's words and the object they are about; -EOPNOTSUPP (WR_ERR_UNSUPPORTED) where the kernel has
 *            no nf_tables. A transaction that failed has changed nothing.
 * Threads:   one.
 * Source:    include/uapi/linux/netfilter/nfnetlink.h, nf_tables.h; libnftnl. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wr_error;
struct wr_host;
struct wr_netns;
struct wr_nft_delta;
struct wr_publish;
struct nlmsghdr;
struct wr_nl;

/* The netfilter socket of a namespace, opened now if it is not (the thread enters the namespace for that and comes back to
 * where it was). */
int wr_nft_open(struct wr_host *host, struct wr_netns *netns, struct wr_nl **ret, struct wr_error *reterr);
/* Whether this kernel has nf_tables; asking loads its module. */
int wr_nft_is_there(struct wr_host *host, struct wr_netns *netns, bool *ret, struct wr_error *reterr);
/* The number of the last transaction: a list that was read between two equal ones is whole. */
int wr_nft_generation(struct wr_nl *nl, uint32_t *ret, struct wr_error *reterr);
/* Carries a delta out, all or nothing. An empty one is 0. -EBUSY, -EEXIST and -ENOENT come as the kernel gives them. */
int wr_nft_commit(struct wr_host *host, struct wr_netns *netns, const struct wr_nft_delta *delta,
		  struct wr_error *reterr);
