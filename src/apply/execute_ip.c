/* Addresses, routes, rules and neighbours, all with warren's protocol number. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "apply/executor.h"
#include "base/error.h"
#include "kernel/feature.h"

#ifndef IFA_PROTO
#define IFA_PROTO 11 /* Linux 5.18; older headers lack it, older kernels pass over it */
#endif

static void wr_put_ip(struct wr_batch *batch, uint16_t type, const struct wr_ip *ip)
{
	wr_put(batch, type, ip->bytes, wr_ip_size(ip));
}

/* --- addresses --------------------------------------------------------------------------------------------------------- */

static int wr_address_message(struct wr_executor *x, const struct wr_step *step, uint16_t type, uint16_t flags,
			      struct wr_error *reterr)
{
	const struct wr_prefix *prefix = &step->address->prefix;
	struct wr_batch *batch = wr_executor_batch(x, step->ns, reterr);
	struct ifaddrmsg *header;

	if (!batch)
		return -EIO;
	wr_batch_begin(batch, type, flags, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->ifa_family = prefix->ip.family;
	header->ifa_prefixlen = prefix->length;
	header->ifa_scope = wr_ip_is_loopback(&prefix->ip) ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	if (prefix->ip.family == AF_INET6 && wr_ip_is_linklocal(&prefix->ip))
		header->ifa_scope = RT_SCOPE_LINK;
	header->ifa_index = step->link->ifindex;
	wr_put_ip(batch, IFA_LOCAL, &prefix->ip);
	wr_put_ip(batch, IFA_ADDRESS, &prefix->ip);
	if (type == RTM_NEWADDR) {
		if (prefix->ip.family == AF_INET6)
			wr_put_u32(batch, IFA_FLAGS, IFA_F_NODAD | IFA_F_PERMANENT);
		wr_put_u8(batch, IFA_PROTO, WR_PROTOCOL);
	}
	return 0;
}

int wr_execute_add_address(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	return wr_address_message(x, step, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, reterr);
}

int wr_execute_mark_address(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	int r;

	/* Before Linux 6.4 an IPv4 address keeps the mark that it was made with. What goes with it comes back in the next round. */
	if (step->address->prefix.ip.family == AF_INET && wr_feature_kernel_is_before(6, 4)) {
		r = wr_address_message(x, step, RTM_DELADDR, 0, reterr);
		return r < 0 ? r : wr_address_message(x, step, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, reterr);
	}
	return wr_address_message(x, step, RTM_NEWADDR, NLM_F_REPLACE, reterr);
}

int wr_execute_del_address(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	return wr_address_message(x, step, RTM_DELADDR, 0, reterr);
}

/* --- routes ------------------------------------------------------------------------------------------------------------ */

static void wr_put_gateway(struct wr_batch *batch, const struct wr_route *route, const struct wr_ip *via)
{
	struct {
		uint16_t family;
		uint8_t bytes[16];
	} __attribute__((packed)) other;

	if (!via->family)
		return;
	if (via->family == route->to.ip.family) {
		wr_put_ip(batch, RTA_GATEWAY, via);
		return;
	}
	other.family = via->family;
	memcpy(other.bytes, via->bytes, sizeof other.bytes);
	wr_put(batch, RTA_VIA, &other, sizeof other.family + wr_ip_size(via));
}

static int wr_hop_ifindex(const struct wr_ns *ns, const struct wr_nexthop *hop, uint32_t *ret, struct wr_error *reterr)
{
	*ret = hop->dev ? wr_executor_find_ifindex(ns, hop->dev) : 0;
	if (hop->dev && !*ret)
		return wr_fail(reterr, WR_ERR_KERNEL, -ENODEV,
			       "a route of namespace '%s' needs interface '%s', which is not there", ns->name,
			       hop->dev);
	return 0;
}

static int wr_put_multipath(struct wr_batch *batch, const struct wr_ns *ns, const struct wr_route *route,
			    struct wr_error *reterr)
{
	size_t list = wr_put_nest(batch, RTA_MULTIPATH);

	for (size_t i = 0; i < route->n_hops; i++) {
		size_t begin = batch->length;
		struct rtnexthop *hop = wr_batch_header(batch, sizeof *hop);
		uint32_t ifindex;
		int r = wr_hop_ifindex(ns, &route->hops[i], &ifindex, reterr);

		if (r < 0)
			return r;
		hop->rtnh_hops = (uint8_t)(route->hops[i].weight ? route->hops[i].weight - 1 : 0);
		hop->rtnh_ifindex = (int)ifindex;
		wr_put_gateway(batch, route, &route->hops[i].via);
		if (batch->error == 0) {
			hop = (struct rtnexthop *)(void *)(batch->bytes + begin);
			hop->rtnh_len = (unsigned short)(batch->length - begin);
		}
	}
	wr_put_nest_end(batch, list);
	return 0;
}

static unsigned char wr_route_scope(const struct wr_route *route)
{
	if (route->to.ip.family == AF_INET && route->type == RTN_UNICAST && route->n_hops == 1 &&
	    !route->hops[0].via.family)
		return RT_SCOPE_LINK;
	return RT_SCOPE_UNIVERSE;
}

static int wr_route_message(struct wr_executor *x, const struct wr_step *step, uint16_t type, uint16_t flags,
			    struct wr_error *reterr)
{
	const struct wr_route *route = step->route;
	struct wr_batch *batch = wr_executor_batch(x, step->ns, reterr);
	struct wr_ip network = wr_prefix_network(&route->to);
	struct rtmsg *header;
	uint32_t ifindex = 0;
	int r;

	if (!batch)
		return -EIO;
	if (route->n_hops == 1) {
		r = wr_hop_ifindex(step->ns, &route->hops[0], &ifindex, reterr);
		if (r < 0)
			return r;
	}
	wr_batch_begin(batch, type, flags, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->rtm_family = route->to.ip.family;
	header->rtm_dst_len = route->to.length;
	header->rtm_table = route->table < 256 ? (uint8_t)route->table : RT_TABLE_UNSPEC;
	header->rtm_protocol = WR_PROTOCOL;
	header->rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : wr_route_scope(route);
	header->rtm_type = route->type;
	wr_put_u32(batch, RTA_TABLE, route->table);
	if (route->to.length)
		wr_put_ip(batch, RTA_DST, &network);
	if (route->metric)
		wr_put_u32(batch, RTA_PRIORITY, route->metric);
	if (route->src.family)
		wr_put_ip(batch, RTA_PREFSRC, &route->src);
	if (route->n_hops > 1)
		return wr_put_multipath(batch, step->ns, route, reterr);
	if (route->n_hops == 1)
		wr_put_gateway(batch, route, &route->hops[0].via);
	if (ifindex)
		wr_put_u32(batch, RTA_OIF, ifindex);
	return 0;
}

int wr_execute_add_route(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	return wr_route_message(x, step, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, reterr);
}

int wr_execute_change_route(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	return wr_route_message(x, step, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, reterr);
}

int wr_execute_del_route(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	return wr_route_message(x, step, RTM_DELROUTE, 0, reterr);
}

/* --- rules ------------------------------------------------------------------------------------------------------------- */

static int wr_rule_message(struct wr_executor *x, const struct wr_step *step, uint16_t type, uint16_t flags,
			   struct wr_error *reterr)
{
	const struct wr_rule *rule = step->rule;
	struct wr_batch *batch = wr_executor_batch(x, step->ns, reterr);
	struct fib_rule_hdr *header;

	if (!batch)
		return -EIO;
	wr_batch_begin(batch, type, flags, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->family = rule->family;
	header->action = rule->action;
	header->table = rule->table < 256 ? (uint8_t)rule->table : RT_TABLE_UNSPEC;
	header->src_len = rule->from.ip.family ? rule->from.length : 0;
	header->dst_len = rule->to.ip.family ? rule->to.length : 0;
	wr_put_u32(batch, FRA_TABLE, rule->table);
	wr_put_u32(batch, FRA_PRIORITY, rule->priority);
	wr_put_u8(batch, FRA_PROTOCOL, rule->protocol);
	if (header->src_len)
		wr_put_ip(batch, FRA_SRC, &rule->from.ip);
	if (header->dst_len)
		wr_put_ip(batch, FRA_DST, &rule->to.ip);
	if (rule->iif)
		wr_put_string(batch, FRA_IIFNAME, rule->iif);
	if (rule->oif)
		wr_put_string(batch, FRA_OIFNAME, rule->oif);
	if (rule->mark || rule->mask) {
		wr_put_u32(batch, FRA_FWMARK, rule->mark);
		wr_put_u32(batch, FRA_FWMASK, rule->mask);
	}
	return 0;
}

int wr_execute_add_rule(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	return wr_rule_message(x, step, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, reterr);
}

int wr_execute_del_rule(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	return wr_rule_message(x, step, RTM_DELRULE, 0, reterr);
}

/* --- neighbours -------------------------------------------------------------------------------------------------------- */

static int wr_neighbour_message(struct wr_executor *x, const struct wr_step *step, uint16_t type, uint16_t flags,
				struct wr_error *reterr)
{
	const struct wr_neighbour *neighbour = step->neighbour;
	struct wr_batch *batch = wr_executor_batch(x, step->ns, reterr);
	struct ndmsg *header;

	if (!batch)
		return -EIO;
	wr_batch_begin(batch, type, flags, (uint32_t)x->current);
	header = wr_batch_header(batch, sizeof *header);
	header->ndm_family = neighbour->ip.family;
	header->ndm_ifindex = (int)wr_executor_find_ifindex(step->ns, neighbour->dev);
	header->ndm_state = NUD_PERMANENT;
	wr_put_ip(batch, NDA_DST, &neighbour->ip);
	if (type == RTM_NEWNEIGH) {
		wr_put(batch, NDA_LLADDR, neighbour->mac.bytes, sizeof neighbour->mac.bytes);
		wr_put_u8(batch, NDA_PROTOCOL, WR_PROTOCOL);
	}
	return 0;
}

int wr_execute_add_neighbour(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	return wr_neighbour_message(x, step, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, reterr);
}

int wr_execute_del_neighbour(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	return wr_neighbour_message(x, step, RTM_DELNEIGH, 0, reterr);
}
