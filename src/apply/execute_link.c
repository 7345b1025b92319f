/* Links: made in one message with everything the kernel takes there, marked in the same send, brought up last. */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#include "apply/executor.h"
#include "base/error.h"
#include "model/name.h"

#define WR_TRASH_GROUP_BIT 0x08000000u /* turns the network's group into the one of links about to go */
#define WR_CLOCK_TICKS	   100	       /* USER_HZ, in which the bridge counts its times */

/* Begins a message about a link that is there, by its number. */
static struct wr_batch *wr_link_message(struct wr_executor *x, const struct wr_link *link,
					struct ifinfomsg **ret_header, struct wr_error *reterr)
{
	struct wr_batch *batch = wr_executor_batch(x, link->ns, reterr);
	struct ifinfomsg *header;

	if (!batch)
		return NULL;
	wr_batch_begin(batch, RTM_NEWLINK, 0, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->ifi_index = (int)link->ifindex;
	if (ret_header)
		*ret_header = header;
	return batch;
}

static void wr_put_bridge_options(struct wr_batch *batch, const struct wr_bridge_options *options, int snooping)
{
	size_t info = wr_put_nest(batch, IFLA_LINKINFO), data;

	wr_put_string(batch, IFLA_INFO_KIND, "bridge");
	data = wr_put_nest(batch, IFLA_INFO_DATA);
	if (options && options->stp >= 0)
		wr_put_u32(batch, IFLA_BR_STP_STATE, (uint32_t)options->stp);
	if (options && options->forward_delay >= 0)
		wr_put_u32(batch, IFLA_BR_FORWARD_DELAY, (uint32_t)options->forward_delay * WR_CLOCK_TICKS);
	if (options && options->ageing >= 0)
		wr_put_u32(batch, IFLA_BR_AGEING_TIME, (uint32_t)options->ageing * WR_CLOCK_TICKS);
	if (options && options->group_fwd_mask >= 0)
		wr_put_u16(batch, IFLA_BR_GROUP_FWD_MASK, (uint16_t)options->group_fwd_mask);
	if (snooping >= 0)
		wr_put_u8(batch, IFLA_BR_MCAST_SNOOPING, (uint8_t)snooping);
	if (options && options->linklocal_learn >= 0) {
		const uint32_t bit = 1u << BR_BOOLOPT_NO_LL_LEARN;
		const struct br_boolopt_multi switches = {.optval = options->linklocal_learn ? 0 : bit, .optmask = bit};

		wr_put(batch, IFLA_BR_MULTI_BOOLOPT, &switches, sizeof switches);
	}
	wr_put_nest_end(batch, data);
	wr_put_nest_end(batch, info);
}

/* type: RTM_NEWLINKPROP, RTM_DELLINKPROP. */
static void wr_put_altname(struct wr_executor *x, struct wr_batch *batch, const struct wr_link *link,
			   const char *altname, uint16_t type)
{
	uint16_t flags = type == RTM_NEWLINKPROP ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0;
	struct ifinfomsg *header;
	size_t list;

	wr_batch_begin(batch, type, flags, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->ifi_index = (int)link->ifindex;
	list = wr_put_nest(batch, IFLA_PROP_LIST);
	wr_put_string(batch, IFLA_ALT_IFNAME, altname);
	wr_put_nest_end(batch, list);
}

/* The marks of a link, behind its creation in the same send: no kill falls between. */
static void wr_put_marks(struct wr_executor *x, struct wr_batch *batch, const struct wr_link *link, bool group)
{
	struct ifinfomsg *header;

	wr_batch_begin(batch, RTM_NEWLINK, 0, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->ifi_index = (int)link->ifindex;
	wr_put_string(batch, IFLA_IFALIAS, link->alias ? link->alias : "");
	if (group && link->group)
		wr_put_u32(batch, IFLA_GROUP, link->group);
	if (!link->altname || (link->match && link->match->altname && !strcmp(link->match->altname, link->altname)))
		return;
	wr_put_altname(x, batch, link, link->altname, RTM_NEWLINKPROP);
}

static void wr_put_new_link(struct wr_batch *batch, const struct wr_link *link, uint32_t mtu)
{
	wr_put_string(batch, IFLA_IFNAME, link->ifname);
	if (link->mac_set)
		wr_put(batch, IFLA_ADDRESS, link->mac.bytes, sizeof link->mac.bytes);
	if (mtu)
		wr_put_u32(batch, IFLA_MTU, mtu);
	if (link->group)
		wr_put_u32(batch, IFLA_GROUP, link->group);
}

/* A bridge follows its smallest port until its MTU has been changed once: what the creating message says is no change. */
static int wr_fix_bridge_mtu(struct wr_executor *x, const struct wr_link *link, struct wr_error *reterr)
{
	static const int away_and_back[] = {1, 0};

	for (size_t i = 0; i < 2; i++) {
		struct wr_batch *batch = wr_link_message(x, link, NULL, reterr);

		if (!batch)
			return -EIO;
		wr_put_u32(batch, IFLA_MTU,
			   link->mtu + (uint32_t)away_and_back[i] * (link->mtu < 1500 ? 1u : UINT32_MAX));
	}
	return 0;
}

int wr_execute_add_bridge(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_link *link = step->link;
	struct wr_batch *batch = wr_executor_batch(x, link->ns, reterr);
	struct ifinfomsg *header;

	if (!batch)
		return -EIO;
	link->ifindex = wr_executor_ifindex(x, link->ns);
	wr_batch_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->ifi_index = (int)link->ifindex;
	wr_put_new_link(batch, link, 0);
	/* Without snooping until it comes up: with it, each port that comes looks at all others. */
	wr_put_bridge_options(batch, link->bridge, 0);
	wr_put_marks(x, batch, link, false);
	return link->mtu ? wr_fix_bridge_mtu(x, link, reterr) : 0;
}

/* One queue each way, said outright: without it the kernel makes one for each processor and then takes them back. */
static void wr_put_queues(struct wr_batch *batch)
{
	wr_put_u32(batch, IFLA_NUM_TX_QUEUES, 1);
	wr_put_u32(batch, IFLA_NUM_RX_QUEUES, 1);
}

int wr_execute_add_cable(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_link *link = step->link, *peer = link->peer;
	const struct wr_netns *far = wr_executor_netns(x, peer->ns, reterr);
	struct wr_batch *batch = wr_executor_batch(x, link->ns, reterr);
	struct ifinfomsg *header;
	size_t info, data, other;

	if (!batch || !far)
		return -EIO;
	link->ifindex = wr_executor_ifindex(x, link->ns);
	peer->ifindex = wr_executor_ifindex(x, peer->ns);
	wr_batch_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->ifi_index = (int)link->ifindex;
	wr_put_new_link(batch, link, link->mtu);
	wr_put_queues(batch);
	if (link->master)
		wr_put_u32(batch, IFLA_MASTER, link->master->ifindex);
	info = wr_put_nest(batch, IFLA_LINKINFO);
	wr_put_string(batch, IFLA_INFO_KIND, "veth");
	data = wr_put_nest(batch, IFLA_INFO_DATA);
	other = wr_put_nest(batch, VETH_INFO_PEER);
	header = wr_batch_header(batch, sizeof *header);
	header->ifi_index = (int)peer->ifindex;
	wr_put_new_link(batch, peer, peer->mtu);
	wr_put_queues(batch);
	wr_put_u32(batch, IFLA_NET_NS_FD, (uint32_t)far->fd);
	wr_put_nest_end(batch, other);
	wr_put_nest_end(batch, data);
	wr_put_nest_end(batch, info);
	wr_put_marks(x, batch, link, false);
	return 0;
}

int wr_execute_mark_link(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_batch *batch = wr_executor_batch(x, step->link->ns, reterr);

	if (!batch)
		return -EIO;
	wr_put_marks(x, batch, step->link, true);
	return 0;
}

/* Into another namespace, with a name and a number that are free there. The kernel takes it out of its bridge, and down. */
int wr_execute_move_port(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_link *link = step->link;
	const struct wr_netns *target = wr_executor_netns(x, link->ns, reterr);
	struct wr_batch *batch = wr_link_message(x, step->old_link, NULL, reterr);

	if (!batch || !target)
		return -EIO;
	link->ifindex = 0;
	link->ifindex = wr_executor_ifindex(x, link->ns);
	wr_put_string(batch, IFLA_IFNAME, link->ifname);
	wr_put_u32(batch, IFLA_NET_NS_FD, (uint32_t)target->fd);
	wr_put_u32(batch, IFLA_NEW_IFINDEX, link->ifindex);
	wr_put_u32(batch, IFLA_GROUP, link->group);
	if (wr_executor_flush(x, reterr) < 0)
		return -EIO;
	if (!step->old_link->altname || link->altname)
		return 0;
	batch = wr_executor_batch(x, link->ns, reterr);
	if (batch)
		wr_put_altname(x, batch, link, step->old_link->altname, RTM_DELLINKPROP);
	return batch ? 0 : -EIO;
}

int wr_execute_set_mac(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_batch *batch = wr_link_message(x, step->link, NULL, reterr);

	if (!batch)
		return -EIO;
	wr_put(batch, IFLA_ADDRESS, step->link->mac.bytes, sizeof step->link->mac.bytes);
	return 0;
}

int wr_execute_set_mtu(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_batch *batch = wr_link_message(x, step->link, NULL, reterr);

	if (!batch)
		return -EIO;
	wr_put_u32(batch, IFLA_MTU, step->link->mtu);
	return 0;
}

int wr_execute_set_master(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_batch *batch = wr_link_message(x, step->link, NULL, reterr);

	if (!batch)
		return -EIO;
	wr_put_u32(batch, IFLA_MASTER, step->link->master ? step->link->master->ifindex : 0);
	return 0;
}

int wr_execute_set_isolated(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_batch *batch = wr_executor_batch(x, step->link->ns, reterr);
	struct ifinfomsg *header;
	size_t port;

	if (!batch)
		return -EIO;
	wr_batch_begin(batch, RTM_SETLINK, 0, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->ifi_family = AF_BRIDGE;
	header->ifi_index = (int)step->link->ifindex;
	port = wr_put_nest(batch, IFLA_PROTINFO);
	wr_put_u8(batch, IFLA_BRPORT_ISOLATED, step->link->isolated);
	wr_put_nest_end(batch, port);
	return 0;
}

int wr_execute_set_bridge(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_batch *batch = wr_link_message(x, step->link, NULL, reterr);

	if (!batch)
		return -EIO;
	wr_put_bridge_options(batch, step->link->bridge, step->link->bridge->mcast_snooping);
	return 0;
}

static bool wr_group_is_free(const struct wr_ns *live, uint32_t group)
{
	for (size_t i = 0; i < live->n_links; i++)
		if (live->links[i]->group == group)
			return false;
	return true;
}

/* Whether the row of steps that begins here brings up every link of the network in the host, all of them new, and nobody
 * else's link is in their group: then one request does it, and the kernel lets go of no lock in between. */
static bool wr_is_group_up(const struct wr_executor *x)
{
	const struct wr_ns *host = wr_model_host(x->plan->wanted), *live = wr_model_host(x->plan->live);
	uint32_t group = x->plan->steps[x->current].link->group;
	size_t row = 0;

	if (!group || x->plan->steps[x->current].ns != host)
		return false;
	while (x->current + row < x->last && x->plan->steps[x->current + row].kind == WR_STEP_set_up &&
	       x->plan->steps[x->current + row].ns == host)
		row++;
	return row > 1 && row == host->n_links && wr_group_is_free(live, group);
}

static bool wr_is_group_up_row(const struct wr_executor *x)
{
	return x->group_up && x->current < x->group_up;
}

/* One message for a link, or for all of a group (ifindex 0). */
static int wr_up_message(struct wr_executor *x, const struct wr_link *link, uint32_t group, struct wr_error *reterr)
{
	struct wr_batch *batch = wr_executor_batch(x, link->ns, reterr);
	struct ifinfomsg *header;

	if (!batch)
		return -EIO;
	wr_batch_begin(batch, RTM_NEWLINK, 0, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->ifi_index = group ? 0 : (int)link->ifindex;
	header->ifi_flags = IFF_UP;
	header->ifi_change = IFF_UP;
	if (group)
		wr_put_u32(batch, IFLA_GROUP, group);
	else if (!link->match && !link->ns->is_host)
		wr_put_string(batch, IFLA_IFALIAS, link->alias ? link->alias : "");
	return 0;
}

int wr_execute_set_up(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	const struct wr_link *link = step->link;
	int r = 0;

	if (!wr_is_group_up_row(x)) {
		bool group = wr_is_group_up(x);

		if (group)
			x->group_up = x->current + wr_model_host(x->plan->wanted)->n_links;
		r = wr_up_message(x, link, group ? link->group : 0, reterr);
	}
	/* Snooping comes back when the bridge is up, in a message of its own: before, it looks at every port. */
	if (r == 0 && !link->match && link->kind == WR_LINK_BRIDGE &&
	    !(link->bridge && link->bridge->mcast_snooping == 0)) {
		struct wr_batch *batch = wr_link_message(x, link, NULL, reterr);

		if (!batch)
			return -EIO;
		wr_put_bridge_options(batch, NULL, 1);
	}
	return r;
}

int wr_execute_set_down(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct ifinfomsg *header;

	if (!wr_link_message(x, step->link, &header, reterr))
		return -EIO;
	header->ifi_change = IFF_UP;
	return 0;
}

/* --- taking away ------------------------------------------------------------------------------------------------------- */

static bool wr_is_removal_of(const struct wr_executor *x, size_t i, const struct wr_ns *ns)
{
	return i >= x->first && i < x->last && x->plan->steps[i].kind == WR_STEP_del_link && x->plan->steps[i].ns == ns;
}

static int wr_delete_message(struct wr_executor *x, struct wr_ns *ns, uint32_t ifindex, uint32_t group,
			     struct wr_error *reterr)
{
	struct wr_batch *batch = wr_executor_batch(x, ns, reterr);
	struct ifinfomsg *header;

	if (!batch)
		return -EIO;
	wr_batch_begin(batch, RTM_DELLINK, 0, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->ifi_index = (int)ifindex;
	if (group)
		wr_put_u32(batch, IFLA_GROUP, group);
	return wr_executor_flush(x, reterr);
}

/* Whether the network's own group in this namespace is just these count links, as the dump showed them. */
static bool wr_group_is_exact(const struct wr_ns *live, uint32_t group, size_t count)
{
	size_t there = 0;

	for (size_t i = 0; i < live->n_links; i++)
		if (live->links[i]->group == group) {
			if (!live->links[i]->ours || !live->links[i]->gone)
				return false;
			there++;
		}
	return there == count;
}

/* Each link on its own costs a grace period of 13 ms; a group of links costs one for all. Bridges stop snooping first, so
 * that they do not follow the leaving of each port; setting them down as well would cost more than it saves. */
static int wr_delete_run(struct wr_executor *x, const struct wr_ns *live, size_t end, struct wr_error *reterr)
{
	uint32_t group = wr_name_group(x->plan->live->name);
	bool exact = wr_group_is_exact(live, group, end - x->current);
	struct wr_batch *batch;

	if (!exact) {
		group ^= WR_TRASH_GROUP_BIT;
		while (!wr_group_is_free(live, group))
			group++;
	}
	for (size_t i = x->current; i < end; i++) {
		const struct wr_link *link = x->plan->steps[i].link;

		if (link->kind != WR_LINK_BRIDGE && exact)
			continue;
		batch = wr_link_message(x, link, NULL, reterr);
		if (!batch)
			return -EIO;
		if (link->kind == WR_LINK_BRIDGE)
			wr_put_bridge_options(batch, NULL, 0);
		if (!exact)
			wr_put_u32(batch, IFLA_GROUP, group);
	}
	return wr_delete_message(x, x->plan->steps[x->current].ns, 0, group, reterr);
}

int wr_execute_del_link(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	size_t end = x->current + 1;

	/* The first of a row of removals does them all. */
	if (x->current > x->first && wr_is_removal_of(x, x->current - 1, step->ns))
		return 0;
	while (wr_is_removal_of(x, end, step->ns))
		end++;
	if (end == x->current + 1)
		return wr_delete_message(x, step->ns, step->link->ifindex, 0, reterr);
	return wr_delete_run(x, step->ns, end, reterr);
}
