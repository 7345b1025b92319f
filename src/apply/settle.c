/* The kernel tells a new cable's ends that they have a carrier in portions, with up to a second between them; until an end has
 * been told, what it is given to send is dropped without a word. Asking for a link by its number makes the kernel settle
 * that link first (Linux 6.8 and later). So traffic flows when `up` returns. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "apply/executor.h"
#include "base/error.h"

#define WR_SETTLE_AT_ONCE 256 /* answers of a kilobyte each that the socket must hold */

static bool wr_is_new_carrier(const struct wr_link *link, enum wr_link_kind kind)
{
	return link->kind == kind && link->up && link->ifindex && (!link->match || !link->match->up || link->moved);
}

static int wr_settle_ns(struct wr_netns *netns, struct wr_ns *ns, enum wr_link_kind kind, struct wr_batch *batch,
			struct wr_error *reterr)
{
	int r = 0;

	batch->nl = &netns->nl;
	for (size_t i = 0; r == 0 && i < ns->n_links; i++) {
		struct ifinfomsg *header;

		if (!wr_is_new_carrier(ns->links[i], kind))
			continue;
		wr_batch_begin(batch, RTM_GETLINK, 0, (uint32_t)i);
		header = wr_batch_header(batch, sizeof *header);
		header->ifi_index = (int)ns->links[i]->ifindex;
		wr_put_u32(batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
		if (batch->count == WR_SETTLE_AT_ONCE)
			r = wr_batch_send(batch, -ENODEV, NULL, reterr);
	}
	return r == 0 && batch->count ? wr_batch_send(batch, -ENODEV, NULL, reterr) : r;
}

/* Cables first: a bridge has a carrier when one of its ports has. */
int wr_settle(struct wr_apply *apply, const struct wr_model *wanted, struct wr_error *reterr)
{
	static const enum wr_link_kind kinds[] = {WR_LINK_VETH, WR_LINK_BRIDGE};
	struct wr_batch batch;
	int r = 0;

	wr_batch_init(&batch, &apply->host->self.nl);
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		for (size_t i = 0; r == 0 && i < wanted->n_ns; i++) {
			struct wr_ns *ns = wanted->ns[i];
			struct wr_netns *netns = ns->is_host ? &apply->host->self : ns->netns;

			if (netns)
				r = wr_settle_ns(netns, ns, kinds[k], &batch, reterr);
		}
	wr_batch_done(&batch);
	return r;
}
