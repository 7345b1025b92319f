/* netlink_parts.h: what netlink.c and batch.c share: single datagrams, and the kernel's verdict in one. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct iovec;
struct nlmsghdr;
struct wr_error;
struct wr_nl;

/* Receives one datagram of the kernel. Returns its whole length, which is more than size when it was cut; -EAGAIN when the
 * queue is empty. What a process sent is passed over: only the kernel answers. */
ssize_t wr_nl_receive(struct wr_nl *nl, void *buffer, size_t size);
int wr_nl_transmit(const struct wr_nl *nl, struct iovec *iov, size_t n);
/* Makes room for a single send of so many bytes, as far as this process may: a send that is too long says -EMSGSIZE. */
void wr_nl_make_room(const struct wr_nl *nl, size_t bytes);
/* The kernel's verdict in an NLMSG_ERROR or NLMSG_DONE message: its code, and its own words (at most size - 1 bytes of them,
 * or ""). -EBADMSG for a message that is too short to have one. */
int wr_nl_verdict(const struct nlmsghdr *message, char *words, size_t size);
/* Fills *reterr with a refusal, and returns code. */
int wr_nl_refused(struct wr_error *reterr, int code, const char *words);
