/* decode_link.c: a link's message to a struct wr_link, with its settings of both families.
 *
 * IFLA_AF_SPEC carries the settings as arrays of numbers, one for each DEVCONF_* that the kernel knows: an older kernel's
 * array is shorter, and what is beyond its end is unset. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netlink.h"
#include "live/decode.h"

#define TICKS_PER_SECOND                                                                                               \
	100 /* USER_HZ, the unit of a bridge's times, is 100 on every architecture of Linux but alpha, ia64 */

/* --- a namespace while it is being read ------------------------------------------------------------------------------ */

void wr_reading_begin(struct wr_reading *reading, struct wr_ns *ns)
{
	bool saw_proto = reading->saw_proto;

	*reading = (struct wr_reading){
		.ns = ns,
		.seen = reading->seen,
		.capacity_seen = reading->capacity_seen,
		.sorted = true,
		.saw_proto = saw_proto,
		.host_nsid = -1,
	};
	ns->n_links = ns->n_routes = ns->n_rules = ns->n_neighbours = 0;
}

static int compare_seen(const void *a, const void *b)
{
	uint32_t x = ((const struct wr_seen *)a)->link->ifindex, y = ((const struct wr_seen *)b)->link->ifindex;

	return (x > y) - (x < y);
}

void wr_reading_sort(struct wr_reading *reading)
{
	if (reading->sorted)
		return;
	qsort(reading->seen, reading->n_seen, sizeof *reading->seen, compare_seen);
	for (size_t i = 0; i < reading->n_seen; i++)
		reading->ns->links[i] = reading->seen[i].link;
	reading->sorted = true;
}

struct wr_seen *wr_reading_find(struct wr_reading *reading, uint32_t ifindex)
{
	size_t low = 0, high = reading->n_seen;

	wr_reading_sort(reading);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (reading->seen[middle].link->ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low < reading->n_seen && reading->seen[low].link->ifindex == ifindex ? &reading->seen[low] : NULL;
}

void wr_reading_join(struct wr_reading *reading)
{
	wr_reading_sort(reading);
	for (size_t i = 0; i < reading->n_seen; i++) {
		struct wr_seen *seen = &reading->seen[i], *other;

		if (seen->master != 0) {
			other = wr_reading_find(reading, seen->master);
			seen->link->master = other != NULL ? other->link : NULL;
			reading->torn |= other == NULL;
		}
		if (seen->peer != 0 && seen->peer_nsid == WR_NSID_HERE) {
			other = wr_reading_find(reading, seen->peer);
			seen->link->peer = other != NULL ? other->link : NULL;
			reading->torn |= other == NULL;
		}
	}
}

/* --- parts of a link's message --------------------------------------------------------------------------------------- */

static const struct wr_attr_policy link_policy[IFLA_PROP_LIST + 1] = {
	[IFLA_IFNAME] = {.type = MNL_TYPE_NUL_STRING},
	[IFLA_ADDRESS] = {.type = MNL_TYPE_BINARY},
	[IFLA_MTU] = {.type = MNL_TYPE_U32},
	[IFLA_LINK] = {.type = MNL_TYPE_U32},
	[IFLA_MASTER] = {.type = MNL_TYPE_U32},
	[IFLA_LINKINFO] = {.type = MNL_TYPE_NESTED},
	[IFLA_IFALIAS] = {.type = MNL_TYPE_NUL_STRING},
	[IFLA_GROUP] = {.type = MNL_TYPE_U32},
	[IFLA_AF_SPEC] = {.type = MNL_TYPE_NESTED},
	[IFLA_LINK_NETNSID] = {.type = MNL_TYPE_U32},
	[IFLA_PROP_LIST] = {.type = MNL_TYPE_NESTED},
};

static const struct wr_attr_policy info_policy[IFLA_INFO_SLAVE_DATA + 1] = {
	[IFLA_INFO_KIND] = {.type = MNL_TYPE_STRING},
	[IFLA_INFO_DATA] = {.type = MNL_TYPE_BINARY},
	[IFLA_INFO_SLAVE_KIND] = {.type = MNL_TYPE_STRING},
	[IFLA_INFO_SLAVE_DATA] = {.type = MNL_TYPE_BINARY},
};

/* A string attribute's text, which may come with or without its 0 byte. NULL: out of memory. */
static char *copy_text(struct wr_arena *arena, const struct nlattr *attr)
{
	const char *text = mnl_attr_get_payload(attr);

	return wr_arena_strndup(arena, text, strnlen(text, mnl_attr_get_payload_len(attr)));
}

static bool text_is(const struct nlattr *attr, const char *text)
{
	size_t length = attr != NULL ? mnl_attr_get_payload_len(attr) : 0;
	const char *payload = attr != NULL ? mnl_attr_get_payload(attr) : "";

	length = strnlen(payload, length);
	return length == strlen(text) && memcmp(payload, text, length) == 0;
}

static int decode_bridge(struct wr_bridge_options *options, const struct nlattr *data, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[IFLA_BR_MULTI_BOOLOPT + 1] = {
		[IFLA_BR_FORWARD_DELAY] = {.type = MNL_TYPE_U32},
		[IFLA_BR_AGEING_TIME] = {.type = MNL_TYPE_U32},
		[IFLA_BR_STP_STATE] = {.type = MNL_TYPE_U32},
		[IFLA_BR_GROUP_FWD_MASK] = {.type = MNL_TYPE_U16},
		[IFLA_BR_MCAST_SNOOPING] = {.type = MNL_TYPE_U8},
		[IFLA_BR_MULTI_BOOLOPT] = {.min_size = sizeof(struct br_boolopt_multi)},
	};
	const struct nlattr *table[IFLA_BR_MULTI_BOOLOPT + 1];
	struct br_boolopt_multi switches;
	int r = wr_attr_parse_nested(data, policy, IFLA_BR_MULTI_BOOLOPT, table, reterr);

	if (r < 0)
		return r;
	if (table[IFLA_BR_STP_STATE] != NULL)
		options->stp = mnl_attr_get_u32(table[IFLA_BR_STP_STATE]) != 0;
	if (table[IFLA_BR_FORWARD_DELAY] != NULL)
		options->forward_delay = (int)(mnl_attr_get_u32(table[IFLA_BR_FORWARD_DELAY]) / TICKS_PER_SECOND);
	if (table[IFLA_BR_AGEING_TIME] != NULL)
		options->ageing = (int)(mnl_attr_get_u32(table[IFLA_BR_AGEING_TIME]) / TICKS_PER_SECOND);
	if (table[IFLA_BR_GROUP_FWD_MASK] != NULL)
		options->group_fwd_mask = mnl_attr_get_u16(table[IFLA_BR_GROUP_FWD_MASK]);
	if (table[IFLA_BR_MCAST_SNOOPING] != NULL)
		options->mcast_snooping = mnl_attr_get_u8(table[IFLA_BR_MCAST_SNOOPING]) != 0;
	if (table[IFLA_BR_MULTI_BOOLOPT] != NULL) {
		memcpy(&switches, mnl_attr_get_payload(table[IFLA_BR_MULTI_BOOLOPT]), sizeof switches);
		options->linklocal_learn = (switches.optval & 1u << BR_BOOLOPT_NO_LL_LEARN) == 0;
	}
	return 0;
}

static int decode_port(struct wr_link *link, const struct nlattr *data, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[IFLA_BRPORT_ISOLATED + 1] = {
		[IFLA_BRPORT_ISOLATED] = {.type = MNL_TYPE_U8},
	};
	const struct nlattr *table[IFLA_BRPORT_ISOLATED + 1];
	int r = wr_attr_parse_nested(data, policy, IFLA_BRPORT_ISOLATED, table, reterr);

	if (r == 0 && table[IFLA_BRPORT_ISOLATED] != NULL)
		link->isolated = mnl_attr_get_u8(table[IFLA_BRPORT_ISOLATED]) != 0;
	return r;
}

static int16_t small(int32_t value)
{
	return (int16_t)(value > INT16_MAX ? INT16_MAX : value <= WR_CONF_UNSET ? WR_CONF_UNSET + 1 : value);
}

/* The settings of one family from its array. */
static void decode_conf(struct wr_conf *conf, uint8_t family, const struct nlattr *array)
{
	const unsigned char *bytes = mnl_attr_get_payload(array);
	size_t n = mnl_attr_get_payload_len(array) / sizeof(int32_t);

	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		int32_t value;

		if (wr_conf_rows[id].family != family || wr_conf_rows[id].devconf >= n)
			continue;
		memcpy(&value, bytes + wr_conf_rows[id].devconf * sizeof value, sizeof value);
		conf->value[id] = small(value);
	}
}

static int decode_af_spec(struct wr_link *link, const struct nlattr *nest, struct wr_error *reterr)
{
	static const struct wr_attr_policy families[AF_INET6 + 1] = {
		[AF_INET] = {.type = MNL_TYPE_NESTED},
		[AF_INET6] = {.type = MNL_TYPE_NESTED},
	};
	static const struct wr_attr_policy v4_policy[IFLA_INET_CONF + 1] = {
		[IFLA_INET_CONF] = {.type = MNL_TYPE_BINARY},
	};
	static const struct wr_attr_policy v6_policy[IFLA_INET6_ADDR_GEN_MODE + 1] = {
		[IFLA_INET6_CONF] = {.type = MNL_TYPE_BINARY},
		[IFLA_INET6_ADDR_GEN_MODE] = {.type = MNL_TYPE_U8},
	};
	const struct nlattr *family[AF_INET6 + 1], *v4[IFLA_INET_CONF + 1], *v6[IFLA_INET6_ADDR_GEN_MODE + 1];
	int r = wr_attr_parse_nested(nest, families, AF_INET6, family, reterr);

	if (r == 0 && family[AF_INET] != NULL) {
		r = wr_attr_parse_nested(family[AF_INET], v4_policy, IFLA_INET_CONF, v4, reterr);
		if (r == 0 && v4[IFLA_INET_CONF] != NULL)
			decode_conf(&link->conf, AF_INET, v4[IFLA_INET_CONF]);
	}
	if (r == 0 && family[AF_INET6] != NULL) {
		r = wr_attr_parse_nested(family[AF_INET6], v6_policy, IFLA_INET6_ADDR_GEN_MODE, v6, reterr);
		if (r == 0 && v6[IFLA_INET6_CONF] != NULL)
			decode_conf(&link->conf, AF_INET6, v6[IFLA_INET6_CONF]);
		if (r == 0 && v6[IFLA_INET6_ADDR_GEN_MODE] != NULL)
			link->addr_gen_mode = (int8_t)mnl_attr_get_u8(v6[IFLA_INET6_ADDR_GEN_MODE]);
	}
	return r;
}

/* The first alternative name; a link of ours has one. */
/* Whether a name begins as those that the network gives: "shop.". */
static bool is_of_network(const char *altname, const char *network)
{
	size_t length = strlen(network);

	return strncmp(altname, network, length) == 0 && altname[length] == '.';
}

/* A link may have several; the network's own is the one that counts, and of others any. */
static int decode_altname(struct wr_link *link, const struct nlattr *list, struct wr_error *reterr)
{
	const char *end = (const char *)list + list->nla_len, *network = link->ns->model->name;

	for (const struct nlattr *attr = mnl_attr_get_payload(list); mnl_attr_ok(attr, (int)(end - (const char *)attr));
	     attr = mnl_attr_next(attr)) {
		const char *name;

		if (mnl_attr_get_type(attr) != IFLA_ALT_IFNAME)
			continue;
		name = copy_text(link->ns->model->arena, attr);
		if (name == NULL)
			return wr_fail_memory(reterr);
		if (link->altname == NULL || is_of_network(name, network))
			link->altname = name;
	}
	return 0;
}

/* --- the message ----------------------------------------------------------------------------------------------------- */

static enum wr_link_kind kind_of(const struct ifinfomsg *header, const struct nlattr *kind)
{
	if ((header->ifi_flags & IFF_LOOPBACK) != 0)
		return WR_LINK_LOOPBACK;
	if (text_is(kind, "veth"))
		return WR_LINK_VETH;
	return text_is(kind, "bridge") ? WR_LINK_BRIDGE : WR_LINK_OTHER;
}

/* What the nested parts say. */
static int decode_nested(struct wr_link *link, const struct nlattr *const *table, const struct nlattr *const *info,
			 struct wr_error *reterr)
{
	int r = 0;

	if (info[IFLA_INFO_KIND] != NULL) {
		link->kernel_kind = copy_text(link->ns->model->arena, info[IFLA_INFO_KIND]);
		if (link->kernel_kind == NULL)
			return wr_fail_memory(reterr);
	}
	if (link->kind == WR_LINK_BRIDGE && info[IFLA_INFO_DATA] != NULL)
		r = decode_bridge(link->bridge, info[IFLA_INFO_DATA], reterr);
	if (r == 0 && text_is(info[IFLA_INFO_SLAVE_KIND], "bridge") && info[IFLA_INFO_SLAVE_DATA] != NULL)
		r = decode_port(link, info[IFLA_INFO_SLAVE_DATA], reterr);
	if (r == 0 && table[IFLA_AF_SPEC] != NULL)
		r = decode_af_spec(link, table[IFLA_AF_SPEC], reterr);
	if (r == 0 && table[IFLA_PROP_LIST] != NULL)
		r = decode_altname(link, table[IFLA_PROP_LIST], reterr);
	if (r == 0 && table[IFLA_IFALIAS] != NULL && mnl_attr_get_str(table[IFLA_IFALIAS])[0] != '\0') {
		link->alias = copy_text(link->ns->model->arena, table[IFLA_IFALIAS]);
		if (link->alias == NULL)
			return wr_fail_memory(reterr);
	}
	return r;
}

static int remember(struct wr_reading *reading, struct wr_link *link, const struct nlattr *const *table,
		    struct wr_error *reterr)
{
	struct wr_seen *seen;

	if (wr_arena_grow(reading->ns->model->arena, &reading->seen, &reading->capacity_seen, reading->n_seen,
			  sizeof *reading->seen) < 0)
		return wr_fail_memory(reterr);
	if (reading->n_seen > 0 && reading->seen[reading->n_seen - 1].link->ifindex > link->ifindex)
		reading->sorted = false;
	seen = &reading->seen[reading->n_seen++];
	*seen = (struct wr_seen){.link = link, .peer_nsid = WR_NSID_HERE};
	if (table[IFLA_MASTER] != NULL)
		seen->master = mnl_attr_get_u32(table[IFLA_MASTER]);
	if (table[IFLA_LINK] != NULL && link->kind == WR_LINK_VETH)
		seen->peer = mnl_attr_get_u32(table[IFLA_LINK]);
	if (table[IFLA_LINK_NETNSID] != NULL)
		seen->peer_nsid = (int32_t)mnl_attr_get_u32(table[IFLA_LINK_NETNSID]);
	return 0;
}

int wr_decode_link(struct wr_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr)
{
	const struct nlattr *table[IFLA_PROP_LIST + 1], *info[IFLA_INFO_SLAVE_DATA + 1] = {NULL};
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct wr_link *link;
	int r;

	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	r = wr_attr_parse(message, sizeof *header, link_policy, IFLA_PROP_LIST, table, reterr);
	if (r == 0 && table[IFLA_LINKINFO] != NULL)
		r = wr_attr_parse_nested(table[IFLA_LINKINFO], info_policy, IFLA_INFO_SLAVE_DATA, info, reterr);
	if (r < 0)
		return r;
	if (table[IFLA_IFNAME] == NULL || header->ifi_index <= 0)
		return wr_fail(reterr, WR_ERR_KERNEL, -EBADMSG, "the kernel lists a link without a name or number");
	link = wr_ns_add_link(reading->ns, kind_of(header, info[IFLA_INFO_KIND]), mnl_attr_get_str(table[IFLA_IFNAME]));
	if (link == NULL)
		return wr_fail_memory(reterr);
	link->ifindex = (uint32_t)header->ifi_index;
	link->up = (header->ifi_flags & IFF_UP) != 0;
	if (table[IFLA_MTU] != NULL)
		link->mtu = mnl_attr_get_u32(table[IFLA_MTU]);
	if (table[IFLA_GROUP] != NULL)
		link->group = mnl_attr_get_u32(table[IFLA_GROUP]);
	if (table[IFLA_ADDRESS] != NULL && mnl_attr_get_payload_len(table[IFLA_ADDRESS]) == sizeof link->mac &&
	    link->kind != WR_LINK_LOOPBACK) {
		link->mac_set = true;
		memcpy(link->mac.bytes, mnl_attr_get_payload(table[IFLA_ADDRESS]), sizeof link->mac);
	}
	r = decode_nested(link, table, info, reterr);
	return r < 0 ? r : remember(reading, link, table, reterr);
}

int wr_decode_alias(const struct nlmsghdr *message, struct wr_arena *arena, const char **ret, struct wr_error *reterr)
{
	const struct nlattr *table[IFLA_PROP_LIST + 1];
	const char *alias = NULL;
	int r = wr_attr_parse(message, sizeof(struct ifinfomsg), link_policy, IFLA_PROP_LIST, table, reterr);

	if (r < 0)
		return r;
	if (table[IFLA_IFALIAS] != NULL && mnl_attr_get_str(table[IFLA_IFALIAS])[0] != '\0') {
		alias = copy_text(arena, table[IFLA_IFALIAS]);
		if (alias == NULL)
			return wr_fail_memory(reterr);
	}
	*ret = alias;
	return 0;
}
