/* decode.c: addresses, routes, rules, neighbours, settings and namespace numbers from their messages.
 *
 * Only what a network file can say, or what stands in its way, becomes part of the model. */
#include <errno.h>
#include <string.h>

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netlink.h"
#include "live/decode.h"

/* Newer than the headers of Debian 12; parts of the kernel's interface all the same. */
#define WR_IFA_PROTO		     11
#define WR_IFAPROT_KERNEL_LO	     1
#define WR_IFAPROT_KERNEL_LL	     3
#define WR_NETCONFA_FORCE_FORWARDING 9

/* Fills an address from an attribute of its family's size. False: the attribute has another size. */
static bool get_ip(struct wr_ip *ip, uint8_t family, const struct nlattr *attr)
{
	struct wr_ip got = {.family = family};

	if (mnl_attr_get_payload_len(attr) != wr_ip_size(&got))
		return false;
	memcpy(got.bytes, mnl_attr_get_payload(attr), wr_ip_size(&got));
	*ip = got;
	return true;
}

static bool get_prefix(struct wr_prefix *prefix, uint8_t family, const struct nlattr *attr, uint8_t length)
{
	struct wr_prefix got = {.ip = {.family = family}, .length = length};

	if (length > wr_ip_bits(&got.ip) || (attr != NULL && !get_ip(&got.ip, family, attr)))
		return false;
	*prefix = got;
	return true;
}

static int contradicts(const char *what, struct wr_error *reterr)
{
	return wr_fail(reterr, WR_ERR_KERNEL, -EBADMSG, "the kernel lists %s whose parts do not fit together", what);
}

static bool is_ip(uint8_t family)
{
	return family == AF_INET || family == AF_INET6;
}

/* --- addresses ------------------------------------------------------------------------------------------------------- */

int wr_decode_address(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[WR_IFA_PROTO + 1] = {
		[IFA_ADDRESS] = {.type = MNL_TYPE_BINARY},
		[IFA_LOCAL] = {.type = MNL_TYPE_BINARY},
		[IFA_FLAGS] = {.type = MNL_TYPE_U32},
		[WR_IFA_PROTO] = {.type = MNL_TYPE_U8},
	};
	const struct nlattr *table[WR_IFA_PROTO + 1], *own;
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct wr_address *address;
	struct wr_prefix prefix;
	struct wr_seen *seen;
	uint32_t flags;
	uint8_t protocol;
	int r;

	if (message->nlmsg_type != RTM_NEWADDR)
		return 0;
	r = wr_attr_parse(message, sizeof *header, policy, WR_IFA_PROTO, table, reterr);
	if (r < 0 || !is_ip(header->ifa_family))
		return r;
	/* On a point-to-point link IFA_ADDRESS is the other end's. */
	own = table[IFA_LOCAL] != NULL ? table[IFA_LOCAL] : table[IFA_ADDRESS];
	if (own == NULL || !get_prefix(&prefix, header->ifa_family, own, header->ifa_prefixlen))
		return contradicts("an address", reterr);
	protocol = table[WR_IFA_PROTO] != NULL ? mnl_attr_get_u8(table[WR_IFA_PROTO]) : 0;
	reading->saw_proto |= protocol != 0;
	if (protocol == WR_IFAPROT_KERNEL_LO || protocol == WR_IFAPROT_KERNEL_LL)
		return 0;
	seen = wr_reading_find(reading, header->ifa_index);
	if (seen == NULL) {
		reading->torn = true;
		return 0;
	}
	/* IPv4's does not say who made it. */
	if (seen->link->kind == WR_LINK_LOOPBACK && protocol == 0 && prefix.length == 8 && prefix.ip.bytes[0] == 127)
		return 0;
	address = wr_link_add_address(seen->link);
	if (address == NULL)
		return wr_fail_memory(reterr);
	flags = table[IFA_FLAGS] != NULL ? mnl_attr_get_u32(table[IFA_FLAGS]) : header->ifa_flags;
	address->prefix = prefix;
	address->marked = protocol == WR_PROTOCOL;
	address->tentative = (flags & IFA_F_TENTATIVE) != 0;
	address->dadfailed = (flags & IFA_F_DADFAILED) != 0;
	return 0;
}

/* --- routes ---------------------------------------------------------------------------------------------------------- */

static const struct wr_attr_policy route_policy[RTA_VIA + 1] = {
	[RTA_DST] = {.type = MNL_TYPE_BINARY},
	[RTA_OIF] = {.type = MNL_TYPE_U32},
	[RTA_GATEWAY] = {.type = MNL_TYPE_BINARY},
	[RTA_PRIORITY] = {.type = MNL_TYPE_U32},
	[RTA_PREFSRC] = {.type = MNL_TYPE_BINARY},
	[RTA_MULTIPATH] = {.type = MNL_TYPE_BINARY},
	[RTA_TABLE] = {.type = MNL_TYPE_U32},
	[RTA_VIA] = {.type = MNL_TYPE_BINARY, .min_size = sizeof(struct rtvia)},
};

/* The gateway, which may be of the other family. False: a wrong size. */
static bool get_gateway(struct wr_nexthop *hop, uint8_t family, const struct nlattr *gateway, const struct nlattr *via)
{
	struct wr_ip ip;
	uint16_t other;

	if (gateway != NULL)
		return get_ip(&hop->via, family, gateway);
	if (via == NULL)
		return true;
	memcpy(&other, mnl_attr_get_payload(via), sizeof other);
	ip = (struct wr_ip){.family = (uint8_t)other};
	if ((other != AF_INET && other != AF_INET6) || mnl_attr_get_payload_len(via) < sizeof other + wr_ip_size(&ip))
		return false;
	memcpy(ip.bytes, (const unsigned char *)mnl_attr_get_payload(via) + sizeof other, wr_ip_size(&ip));
	hop->via = ip;
	return true;
}

static void set_device(struct wr_reading *reading, const char **dev, uint32_t ifindex)
{
	struct wr_seen *seen = ifindex != 0 ? wr_reading_find(reading, ifindex) : NULL;

	*dev = seen != NULL ? seen->link->ifname : NULL;
	reading->torn |= ifindex != 0 && seen == NULL;
}

/* The hop at bytes, of which left are there. Returns its length, or -EBADMSG. */
static int decode_hop(struct wr_reading *reading, struct wr_nexthop *hop, uint8_t family, const unsigned char *bytes,
		      size_t left)
{
	const struct rtnexthop *header = (const struct rtnexthop *)(const void *)bytes;
	const struct nlattr *gateway = NULL, *via = NULL;
	size_t offset = RTNH_ALIGN(sizeof *header);

	if (left < sizeof *header || header->rtnh_len < sizeof *header || header->rtnh_len > left)
		return -EBADMSG;
	while (offset + sizeof(struct nlattr) <= header->rtnh_len) {
		const struct nlattr *attr = (const struct nlattr *)(const void *)(bytes + offset);

		if (attr->nla_len < sizeof *attr || attr->nla_len > header->rtnh_len - offset)
			return -EBADMSG;
		if (mnl_attr_get_type(attr) == RTA_GATEWAY)
			gateway = attr;
		if (mnl_attr_get_type(attr) == RTA_VIA && mnl_attr_get_payload_len(attr) >= sizeof(struct rtvia))
			via = attr;
		offset += MNL_ALIGN(attr->nla_len);
	}
	*hop = (struct wr_nexthop){.weight = header->rtnh_hops + 1u};
	if (!get_gateway(hop, family, gateway, via))
		return -EBADMSG;
	set_device(reading, &hop->dev, (uint32_t)header->rtnh_ifindex);
	return (int)RTNH_ALIGN(header->rtnh_len);
}

static int decode_multipath(struct wr_reading *reading, struct wr_route *route, const struct nlattr *attr,
			    struct wr_error *reterr)
{
	const unsigned char *bytes = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr), room = left / sizeof(struct rtnexthop);

	route->hops = wr_arena_alloc(reading->ns->model->arena, (room + 1) * sizeof *route->hops);
	if (route->hops == NULL)
		return wr_fail_memory(reterr);
	while (left > 0) {
		int length = decode_hop(reading, &route->hops[route->n_hops], route->to.ip.family, bytes, left);

		if (length < 0)
			return contradicts("a route", reterr);
		route->n_hops++;
		if ((size_t)length >= left)
			break;
		bytes += length;
		left -= (size_t)length;
	}
	return 0;
}

static int decode_single_hop(struct wr_reading *reading, struct wr_route *route, const struct nlattr *const *table,
			     struct wr_error *reterr)
{
	if (table[RTA_OIF] == NULL && table[RTA_GATEWAY] == NULL && table[RTA_VIA] == NULL)
		return 0;
	route->hops = wr_arena_alloc(reading->ns->model->arena, sizeof *route->hops);
	if (route->hops == NULL)
		return wr_fail_memory(reterr);
	route->n_hops = 1;
	route->hops->weight = 1;
	if (!get_gateway(route->hops, route->to.ip.family, table[RTA_GATEWAY], table[RTA_VIA]))
		return contradicts("a route", reterr);
	if (table[RTA_OIF] != NULL)
		set_device(reading, &route->hops->dev, mnl_attr_get_u32(table[RTA_OIF]));
	return 0;
}

int wr_decode_route(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr)
{
	const struct nlattr *table[RTA_VIA + 1];
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct wr_route *kept, route = {0};
	int r;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return 0;
	r = wr_attr_parse(message, sizeof *header, route_policy, RTA_VIA, table, reterr);
	if (r < 0 || !is_ip(header->rtm_family) || (header->rtm_flags & RTM_F_CLONED) != 0)
		return r;
	route.table = table[RTA_TABLE] != NULL ? mnl_attr_get_u32(table[RTA_TABLE]) : header->rtm_table;
	route.type = header->rtm_type;
	route.protocol = header->rtm_protocol;
	if (route.table == RT_TABLE_LOCAL && route.protocol != WR_PROTOCOL)
		return 0;
	if (!get_prefix(&route.to, header->rtm_family, table[RTA_DST], header->rtm_dst_len) ||
	    (table[RTA_PREFSRC] != NULL && !get_ip(&route.src, header->rtm_family, table[RTA_PREFSRC])))
		return contradicts("a route", reterr);
	if (table[RTA_PRIORITY] != NULL)
		route.metric = mnl_attr_get_u32(table[RTA_PRIORITY]);
	if (table[RTA_MULTIPATH] != NULL)
		r = decode_multipath(reading, &route, table[RTA_MULTIPATH], reterr);
	else if (route.type == RTN_UNICAST || route.type == RTN_LOCAL)
		r = decode_single_hop(reading, &route, table, reterr);
	if (r < 0)
		return r;
	kept = wr_ns_add_route(reading->ns);
	if (kept == NULL)
		return wr_fail_memory(reterr);
	*kept = route;
	return 0;
}

/* --- rules ----------------------------------------------------------------------------------------------------------- */

static const struct wr_attr_policy rule_policy[FRA_DPORT_RANGE + 1] = {
	[FRA_DST] = {.type = MNL_TYPE_BINARY},
	[FRA_SRC] = {.type = MNL_TYPE_BINARY},
	[FRA_IIFNAME] = {.type = MNL_TYPE_NUL_STRING},
	[FRA_PRIORITY] = {.type = MNL_TYPE_U32},
	[FRA_FWMARK] = {.type = MNL_TYPE_U32},
	[FRA_FLOW] = {.type = MNL_TYPE_BINARY},
	[FRA_TUN_ID] = {.type = MNL_TYPE_BINARY},
	[FRA_SUPPRESS_IFGROUP] = {.type = MNL_TYPE_U32},
	[FRA_SUPPRESS_PREFIXLEN] = {.type = MNL_TYPE_U32},
	[FRA_TABLE] = {.type = MNL_TYPE_U32},
	[FRA_FWMASK] = {.type = MNL_TYPE_U32},
	[FRA_OIFNAME] = {.type = MNL_TYPE_NUL_STRING},
	[FRA_L3MDEV] = {.type = MNL_TYPE_U8},
	[FRA_UID_RANGE] = {.type = MNL_TYPE_BINARY},
	[FRA_PROTOCOL] = {.type = MNL_TYPE_U8},
	[FRA_IP_PROTO] = {.type = MNL_TYPE_U8},
	[FRA_SPORT_RANGE] = {.type = MNL_TYPE_BINARY},
	[FRA_DPORT_RANGE] = {.type = MNL_TYPE_BINARY},
};

static uint32_t get_u32(const struct nlattr *attr, uint32_t otherwise)
{
	return attr != NULL ? mnl_attr_get_u32(attr) : otherwise;
}

/* Whether a rule chooses by something that struct wr_rule has no place for. */
static bool is_beyond_model(const struct fib_rule_hdr *header, const struct nlattr *const *table)
{
	return header->tos != 0 || (header->flags & FIB_RULE_INVERT) != 0 || table[FRA_FLOW] != NULL ||
	       table[FRA_TUN_ID] != NULL || get_u32(table[FRA_SUPPRESS_IFGROUP], UINT32_MAX) != UINT32_MAX ||
	       get_u32(table[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX) != UINT32_MAX || table[FRA_UID_RANGE] != NULL ||
	       (table[FRA_L3MDEV] != NULL && mnl_attr_get_u8(table[FRA_L3MDEV]) != 0) || table[FRA_IP_PROTO] != NULL ||
	       table[FRA_SPORT_RANGE] != NULL || table[FRA_DPORT_RANGE] != NULL;
}

static int copy_name(struct wr_reading *reading, const char **name, const struct nlattr *attr, struct wr_error *reterr)
{
	if (attr == NULL)
		return 0;
	*name = wr_arena_strdup(reading->ns->model->arena, mnl_attr_get_str(attr));
	return *name != NULL ? 0 : wr_fail_memory(reterr);
}

int wr_decode_rule(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr)
{
	const struct nlattr *table[FRA_DPORT_RANGE + 1];
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(message);
	struct wr_rule *kept, rule = {0};
	int r;

	if (message->nlmsg_type != RTM_NEWRULE)
		return 0;
	r = wr_attr_parse(message, sizeof *header, rule_policy, FRA_DPORT_RANGE, table, reterr);
	if (r < 0 || !is_ip(header->family))
		return r;
	rule.family = header->family;
	rule.action = is_beyond_model(header, table) ? FR_ACT_UNSPEC : header->action;
	rule.table = get_u32(table[FRA_TABLE], header->table);
	rule.priority = get_u32(table[FRA_PRIORITY], 0);
	rule.mark = get_u32(table[FRA_FWMARK], 0);
	rule.mask = get_u32(table[FRA_FWMASK], 0);
	rule.protocol = table[FRA_PROTOCOL] != NULL ? mnl_attr_get_u8(table[FRA_PROTOCOL]) : 0;
	if ((header->src_len != 0 && !get_prefix(&rule.from, header->family, table[FRA_SRC], header->src_len)) ||
	    (header->dst_len != 0 && !get_prefix(&rule.to, header->family, table[FRA_DST], header->dst_len)))
		return contradicts("a rule", reterr);
	r = copy_name(reading, &rule.iif, table[FRA_IIFNAME], reterr);
	if (r == 0)
		r = copy_name(reading, &rule.oif, table[FRA_OIFNAME], reterr);
	if (r < 0)
		return r;
	kept = wr_ns_add_rule(reading->ns);
	if (kept == NULL)
		return wr_fail_memory(reterr);
	*kept = rule;
	return 0;
}

/* --- neighbours ------------------------------------------------------------------------------------------------------ */

int wr_decode_neighbour(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[NDA_PROTOCOL + 1] = {
		[NDA_DST] = {.type = MNL_TYPE_BINARY},
		[NDA_LLADDR] = {.type = MNL_TYPE_BINARY},
		[NDA_PROTOCOL] = {.type = MNL_TYPE_U8},
	};
	const struct nlattr *table[NDA_PROTOCOL + 1];
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	struct wr_neighbour *kept, neighbour = {0};
	int r;

	if (message->nlmsg_type != RTM_NEWNEIGH)
		return 0;
	r = wr_attr_parse(message, sizeof *header, policy, NDA_PROTOCOL, table, reterr);
	if (r < 0 || !is_ip(header->ndm_family) || (header->ndm_state & NUD_PERMANENT) == 0 ||
	    (header->ndm_flags & NTF_PROXY) != 0)
		return r;
	if (table[NDA_DST] == NULL || !get_ip(&neighbour.ip, header->ndm_family, table[NDA_DST]))
		return contradicts("a neighbour", reterr);
	if (table[NDA_LLADDR] == NULL || mnl_attr_get_payload_len(table[NDA_LLADDR]) != sizeof neighbour.mac)
		return 0; /* on a link without Ethernet addresses */
	memcpy(neighbour.mac.bytes, mnl_attr_get_payload(table[NDA_LLADDR]), sizeof neighbour.mac);
	neighbour.protocol = table[NDA_PROTOCOL] != NULL ? mnl_attr_get_u8(table[NDA_PROTOCOL]) : 0;
	set_device(reading, &neighbour.dev, (uint32_t)header->ndm_ifindex);
	if (neighbour.dev == NULL)
		return 0; /* all is read again */
	kept = wr_ns_add_neighbour(reading->ns);
	if (kept == NULL)
		return wr_fail_memory(reterr);
	*kept = neighbour;
	return 0;
}

/* --- settings of `all` and `default`; namespace numbers --------------------------------------------------------------- */

static void set_conf(struct wr_conf *conf, enum wr_conf_id id, const struct nlattr *attr)
{
	int32_t value;

	if (attr == NULL)
		return;
	value = (int32_t)mnl_attr_get_u32(attr);
	if (value > WR_CONF_UNSET && value <= INT16_MAX)
		conf->value[id] = (int16_t)value;
}

int wr_decode_netconf(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[WR_NETCONFA_FORCE_FORWARDING + 1] = {
		[NETCONFA_IFINDEX] = {.type = MNL_TYPE_U32},
		[NETCONFA_FORWARDING] = {.type = MNL_TYPE_U32},
		[NETCONFA_RP_FILTER] = {.type = MNL_TYPE_U32},
		[NETCONFA_PROXY_NEIGH] = {.type = MNL_TYPE_U32},
		[WR_NETCONFA_FORCE_FORWARDING] = {.type = MNL_TYPE_U32},
	};
	const struct nlattr *table[WR_NETCONFA_FORCE_FORWARDING + 1];
	const struct netconfmsg *header = mnl_nlmsg_get_payload(message);
	struct wr_conf *conf;
	int32_t scope;
	int r;

	if (message->nlmsg_type != RTM_NEWNETCONF)
		return 0;
	r = wr_attr_parse(message, sizeof *header, policy, WR_NETCONFA_FORCE_FORWARDING, table, reterr);
	if (r < 0 || table[NETCONFA_IFINDEX] == NULL)
		return r;
	scope = (int32_t)mnl_attr_get_u32(table[NETCONFA_IFINDEX]);
	if (scope != NETCONFA_IFINDEX_ALL && scope != NETCONFA_IFINDEX_DEFAULT)
		return 0;
	conf = scope == NETCONFA_IFINDEX_ALL ? &reading->ns->conf_all : &reading->ns->conf_default;
	if (header->ncm_family == AF_INET) {
		set_conf(conf, WR_CONF_V4_FORWARDING, table[NETCONFA_FORWARDING]);
		set_conf(conf, WR_CONF_V4_RP_FILTER, table[NETCONFA_RP_FILTER]);
		set_conf(conf, WR_CONF_V4_PROXY_ARP, table[NETCONFA_PROXY_NEIGH]);
	} else if (header->ncm_family == AF_INET6) {
		set_conf(conf, WR_CONF_V6_FORWARDING, table[NETCONFA_FORWARDING]);
		set_conf(conf, WR_CONF_V6_FORCE_FORWARDING, table[WR_NETCONFA_FORCE_FORWARDING]);
	}
	return 0;
}

int wr_decode_nsid(const struct nlmsghdr *message, int32_t *ret, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[NETNSA_NSID + 1] = {
		[NETNSA_NSID] = {.type = MNL_TYPE_U32},
	};
	const struct nlattr *table[NETNSA_NSID + 1];
	int r;

	if (message->nlmsg_type != RTM_NEWNSID)
		return 0;
	r = wr_attr_parse(message, sizeof(struct rtgenmsg), policy, NETNSA_NSID, table, reterr);
	if (r < 0)
		return r;
	*ret = table[NETNSA_NSID] != NULL ? (int32_t)mnl_attr_get_u32(table[NETNSA_NSID]) : -1;
	return 0;
}
