/* Namespaces: made, marked, then named, so that no name stands for a namespace without a mark. */
#include <errno.h>
#include <net/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "apply/executor.h"
#include "base/error.h"

#define WR_LOOPBACK_IFINDEX 1 /* in every namespace */

/* lo up, with the namespace's mark: one message. */
static void wr_add_loopback_message(struct wr_batch *batch, const struct wr_ns *ns, uint32_t tag)
{
	struct ifinfomsg *header;

	wr_batch_begin(batch, RTM_NEWLINK, 0, tag);
	header = wr_batch_header(batch, sizeof *header);
	header->ifi_index = WR_LOOPBACK_IFINDEX;
	header->ifi_flags = IFF_UP;
	header->ifi_change = IFF_UP;
	wr_put_string(batch, IFLA_IFALIAS, ns->alias ? ns->alias : "");
}

int wr_execute_mend_pin(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	return wr_pin_remove_stale(x->host, step->ns->pin, reterr);
}

int wr_execute_add_ns(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_ns *ns = step->ns;
	struct wr_netns *netns = NULL;
	struct wr_batch *batch;
	int r;

	r = wr_executor_flush(x, reterr);
	if (r < 0)
		return r;
	/* From home, so that what a namespace copies from where it is made is this machine's. */
	wr_executor_leave(x);
	r = wr_netns_create(x->host, ns->pin, &netns, reterr);
	if (r < 0)
		return r;
	x->inside = netns;
	ns->netns = netns;
	if (wr_ns_loopback(ns))
		wr_ns_loopback(ns)->ifindex = WR_LOOPBACK_IFINDEX;
	batch = wr_executor_batch(x, ns, reterr);
	r = batch ? 0 : -EIO;
	if (batch) {
		wr_add_loopback_message(batch, ns, (uint32_t)x->current);
		r = wr_executor_flush(x, reterr);
	}
	if (r == 0)
		r = wr_netns_pin(x->host, netns, reterr);
	if (r < 0) {
		wr_executor_leave(x);
		ns->netns = NULL;
		wr_netns_close(x->host, netns);
	}
	return r;
}

int wr_execute_adopt_ns(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_batch *batch = wr_executor_batch(x, step->ns, reterr);

	if (!batch)
		return -EIO;
	wr_add_loopback_message(batch, step->ns, (uint32_t)x->current);
	return 0;
}

int wr_execute_del_ns(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_netns *netns = wr_executor_netns(x, step->ns, NULL);
	int r = wr_executor_flush(x, reterr);

	if (r < 0)
		return r;
	if (!netns)
		r = wr_netns_get(x->host, step->ns->pin, &netns, reterr);
	if (r == 0)
		r = wr_executor_remove_etc(x, step->ns->pin, reterr);
	return r < 0 ? r : wr_netns_unpin(x->host, netns, reterr);
}
