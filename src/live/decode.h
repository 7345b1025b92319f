/* decode.h: single messages of rtnetlink to what the model holds.
 *
 * Why:       the kernel's answers and recorded ones are read by the same code, and fuzzers drive it: no system call here.
 * Shape:     each decoder takes one message and the namespace that it is about, and adds at most one thing to it. What the
 *            message says by number (another link, a namespace) is kept beside it until everything has been read.
 * Ownership: everything added is in the model's arena; nothing borrows from the message.
 * Errors:    -EBADMSG for a message that contradicts itself, -ENOMEM. 0 also for what a model does not hold.
 * Threads:   one.
 * Source:    include/uapi/linux/{rtnetlink,if_link,if_addr,fib_rules,neighbour,netconf,net_namespace}.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

struct nlmsghdr;
struct wr_error;

#define WR_NSID_HERE INT32_MIN

/* What a link's message says by number. */
struct wr_seen {
	struct wr_link *link;
	uint32_t master;   /* ifindex, 0: none */
	uint32_t peer;	   /* IFLA_LINK of a veth, 0: none */
	int32_t peer_nsid; /* where that is, by this namespace's numbering; WR_NSID_HERE; -1: in one that has no number,
			    * being on its way out */
};

/* One namespace while it is being read. */
struct wr_reading {
	struct wr_ns *ns;
	struct wr_seen *seen; /* of ns->links, in order of ifindex once wr_reading_sort was called */
	size_t n_seen, capacity_seen;
	bool sorted;	   /* seen is in order of ifindex */
	bool saw_proto;	   /* some address carried IFA_PROTO: this kernel has it */
	bool torn;	   /* something was on a link that is not in the list: read all again */
	int32_t host_nsid; /* what this namespace calls the host's; -1: nothing */
};

void wr_reading_begin(struct wr_reading *reading, struct wr_ns *ns); /* also to begin anew: forgets what was read */
void wr_reading_sort(struct wr_reading *reading);
struct wr_seen *wr_reading_find(struct wr_reading *reading, uint32_t ifindex); /* NULL: no such link */
/* Sets every link's master; and its peer where that is in the same namespace. */
void wr_reading_join(struct wr_reading *reading);

/* RTM_NEWLINK. ours stays false: whose it is, is decided with the whole model at hand. */
int wr_decode_link(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);
/* RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH: after the links. What the kernel makes by itself is left out: addresses of loopback
 * and link-local ones, what is not ours in the local table, neighbours that are not permanent. */
int wr_decode_address(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);
int wr_decode_route(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);
int wr_decode_neighbour(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);
/* RTM_NEWRULE. One with a selector that the model cannot say has action FR_ACT_UNSPEC, so that it equals none. */
int wr_decode_rule(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);
/* RTM_NEWNETCONF for `all` and `default`. */
int wr_decode_netconf(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);
/* RTM_NEWNSID: the number of a namespace, or -1. */
int wr_decode_nsid(const struct nlmsghdr *message, int32_t *ret, struct wr_error *reterr);
/* RTM_NEWLINK: only the alias, in arena; NULL when it has none. */
int wr_decode_alias(const struct nlmsghdr *message, struct wr_arena *arena, const char **ret, struct wr_error *reterr);
