/* executor.h: how each kind of step is carried out.
 *
 * Why:       what the planner wrote down becomes netlink messages, many in one send, and a few system calls.
 * Shape:     one function wr_execute_KIND for each row of WR_STEPS. Functions add messages to the pending batch of one
 *            namespace; changing to another namespace sends the pending one first, so the order of steps is kept.
 *            Inside a namespace that was just made, the thread stays there until a step needs it elsewhere.
 * Errors:    a message that the kernel refuses is traced to its step, and said with the step's words.
 * Threads:   one. */
#pragma once

#include "apply/apply.h"
#include "kernel/netns.h"

struct wr_executor {
	struct wr_apply *apply;
	struct wr_host *host;
	const struct wr_plan *plan;
	struct wr_batch batch;	       /* messages not sent yet, all for `target` */
	const struct wr_netns *target; /* NULL: nothing is pending */
	const struct wr_netns *inside; /* where the thread is; NULL: at home */
	size_t first, current, last;   /* steps [first, last), and the one being carried out */
	size_t group_up;	       /* steps before this one were brought up by one request for their group */
	uint32_t next_ifindex;	       /* of new links in the host; 0: not looked for yet */
};

/* Carries out the step; its tag is x->current. */
typedef int (*wr_execute)(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr);

/* --- executor.c */
/* The batch of a namespace: what was pending for another one is sent first. NULL: that failed, *reterr is filled. */
struct wr_batch *wr_executor_batch(struct wr_executor *x, struct wr_ns *ns, struct wr_error *reterr);
/* Sends what is pending. */
int wr_executor_flush(struct wr_executor *x, struct wr_error *reterr);
/* Brings the thread into a namespace, where it stays until a step needs it elsewhere; or home. */
int wr_executor_go(struct wr_executor *x, const struct wr_netns *netns, struct wr_error *reterr);
void wr_executor_leave(struct wr_executor *x);
/* The open namespace of one of either model. NULL: it is not open, and *reterr is filled: whoever went on would act in the host. */
struct wr_netns *wr_executor_netns(struct wr_executor *x, const struct wr_ns *ns, struct wr_error *reterr);
/* The number of an interface of a namespace by name, in either model; 0: none. */
uint32_t wr_executor_find_ifindex(const struct wr_ns *ns, const char *ifname);
/* A free interface number for a new link of ns: explicit ones need no looking up, and collide with nobody's. */
uint32_t wr_executor_ifindex(struct wr_executor *x, struct wr_ns *ns);

/* --- settle.c */
/* Has the kernel finish with the carriers of what just came up. After wr_apply_steps, in the same run. */
int wr_settle(struct wr_apply *apply, const struct wr_model *wanted, struct wr_error *reterr);

/* --- execute_*.c */
/* Removes /etc/netns/PIN when nothing is in it: a kill can leave it so. */
int wr_executor_remove_etc(const struct wr_executor *x, const char *pin, struct wr_error *reterr);
#define X(name, text, about)                                                                                           \
	int wr_execute_##name(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr);
WR_STEPS(X)
#undef X
