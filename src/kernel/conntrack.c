/* conntrack.c: connections of published ports that are translated otherwise than the port now says.
 *
 * The whole list is read once, whatever the number of ports: an entry is of interest when a port has its protocol and the
 * original destination's port. Of a port that is published at every address of the host, only what went to such an
 * address: a host that forwards also remembers connections to the same port of other machines, and to forget one of those
 * would break it. Entries are named by what the kernel gave (tuple, zone, id), so that one that took the place of another
 * meanwhile stays. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/map.h"
#include "kernel/conntrack.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/nft.h"
#include "model/traffic.h"

/* One direction of a connection. */
struct tuple {
	struct wr_ip from, to;
	uint16_t from_port, to_port;
	uint8_t protocol;
};

/* An entry that a published port has something to say about. */
struct stale {
	struct wr_ip to;   /* its original destination */
	bool must_be_ours; /* forgotten only if that is an address of this namespace */
	uint8_t family;
	const void *tuple; /* CTA_TUPLE_ORIG's payload */
	size_t tuple_size;
	uint32_t id;   /* as it came; has_id */
	uint16_t zone; /* as it came; has_zone */
	bool has_id, has_zone;
};

struct forgetting {
	struct wr_arena *arena;
	struct wr_nl *nl;		 /* netfilter's */
	struct wr_nl *routes;		 /* rtnetlink */
	const struct wr_publish **ports; /* by protocol and port */
	size_t n_ports;
	struct stale *stale;
	size_t n_stale, capacity_stale;
	struct wr_map local; /* address as text to bool: whether it is this namespace's */
};

/* --- ports --------------------------------------------------------------------------------------------------------- */

static uint32_t port_key(uint8_t protocol, uint16_t port)
{
	return (uint32_t)protocol << 16 | port;
}

static int compare_ports(const void *a, const void *b)
{
	const struct wr_publish *const *left = a, *const *right = b;
	uint32_t first = port_key((*left)->protocol, (*left)->host_port);
	uint32_t second = port_key((*right)->protocol, (*right)->host_port);

	return first < second ? -1 : first > second;
}

static int sort_ports(struct forgetting *f, const struct wr_publish *ports, size_t n)
{
	f->ports = wr_arena_alloc(f->arena, n * sizeof(struct wr_publish *));
	if (f->ports == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		f->ports[i] = &ports[i];
	f->n_ports = n;
	qsort(f->ports, n, sizeof(struct wr_publish *), compare_ports);
	return 0;
}

/* The first port with this key or a later one. */
static size_t first_port(const struct forgetting *f, uint32_t key)
{
	size_t low = 0, high = f->n_ports;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (port_key(f->ports[middle]->protocol, f->ports[middle]->host_port) < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum opinion { NONE, STAYS, GOES, GOES_IF_OURS };

/* What the ports say of a connection; one that it belongs to as it is translated keeps it. */
static enum opinion ask_ports(const struct forgetting *f, const struct tuple *original, const struct tuple *reply)
{
	uint32_t key = port_key(original->protocol, original->to_port);
	enum opinion opinion = NONE;

	for (size_t i = first_port(f, key); i < f->n_ports; i++) {
		const struct wr_publish *port = f->ports[i];
		const struct wr_ip *to = &port->to[original->to.family == AF_INET6];

		if (port_key(port->protocol, port->host_port) != key)
			break;
		if (port->host.family != 0 && !wr_ip_equal(&port->host, &original->to))
			continue;
		if (to->family != 0 && wr_ip_equal(to, &reply->from) && port->port == reply->from_port)
			return STAYS;
		if (port->host.family != 0)
			opinion = GOES;
		else if (opinion == NONE)
			opinion = GOES_IF_OURS;
	}
	return opinion;
}

/* --- reading entries ----------------------------------------------------------------------------------------------- */

static void read_address(const struct nlattr *attr, uint8_t family, struct wr_ip *ret)
{
	if (attr == NULL)
		return;
	ret->family = family;
	memcpy(ret->bytes, mnl_attr_get_payload(attr), family == AF_INET ? 4 : 16);
}

static int read_tuple(const struct nlattr *attr, struct tuple *ret, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[CTA_TUPLE_PROTO + 1] = {
		[CTA_TUPLE_IP] = {.type = MNL_TYPE_NESTED},
		[CTA_TUPLE_PROTO] = {.type = MNL_TYPE_NESTED},
	};
	static const struct wr_attr_policy ip_policy[CTA_IP_V6_DST + 1] = {
		[CTA_IP_V4_SRC] = {.min_size = 4},
		[CTA_IP_V4_DST] = {.min_size = 4},
		[CTA_IP_V6_SRC] = {.min_size = 16},
		[CTA_IP_V6_DST] = {.min_size = 16},
	};
	static const struct wr_attr_policy proto_policy[CTA_PROTO_DST_PORT + 1] = {
		[CTA_PROTO_NUM] = {.type = MNL_TYPE_U8},
		[CTA_PROTO_SRC_PORT] = {.type = MNL_TYPE_U16},
		[CTA_PROTO_DST_PORT] = {.type = MNL_TYPE_U16},
	};
	const struct nlattr *table[CTA_TUPLE_PROTO + 1], *ip[CTA_IP_V6_DST + 1] = {0},
									     *proto[CTA_PROTO_DST_PORT + 1] = {0};
	int r = wr_attr_parse_nested(attr, policy, CTA_TUPLE_PROTO, table, reterr);

	if (r == 0 && table[CTA_TUPLE_IP] != NULL)
		r = wr_attr_parse_nested(table[CTA_TUPLE_IP], ip_policy, CTA_IP_V6_DST, ip, reterr);
	if (r == 0 && table[CTA_TUPLE_PROTO] != NULL)
		r = wr_attr_parse_nested(table[CTA_TUPLE_PROTO], proto_policy, CTA_PROTO_DST_PORT, proto, reterr);
	if (r < 0)
		return r;
	*ret = (struct tuple){0};
	read_address(ip[CTA_IP_V4_SRC], AF_INET, &ret->from);
	read_address(ip[CTA_IP_V4_DST], AF_INET, &ret->to);
	read_address(ip[CTA_IP_V6_SRC], AF_INET6, &ret->from);
	read_address(ip[CTA_IP_V6_DST], AF_INET6, &ret->to);
	if (proto[CTA_PROTO_NUM] != NULL)
		ret->protocol = mnl_attr_get_u8(proto[CTA_PROTO_NUM]);
	if (proto[CTA_PROTO_SRC_PORT] != NULL)
		ret->from_port = ntohs(mnl_attr_get_u16(proto[CTA_PROTO_SRC_PORT]));
	if (proto[CTA_PROTO_DST_PORT] != NULL)
		ret->to_port = ntohs(mnl_attr_get_u16(proto[CTA_PROTO_DST_PORT]));
	return 0;
}

static int note_stale(struct forgetting *f, const struct nlattr *const *table, const struct tuple *original,
		      bool must_be_ours, struct wr_error *reterr)
{
	const struct nlattr *tuple = table[CTA_TUPLE_ORIG];
	struct stale *stale;

	if (wr_arena_grow(f->arena, &f->stale, &f->capacity_stale, f->n_stale, sizeof *f->stale) < 0)
		return wr_fail_memory(reterr);
	stale = &f->stale[f->n_stale];
	*stale = (struct stale){
		.to = original->to,
		.must_be_ours = must_be_ours,
		.family = original->to.family,
		.tuple_size = mnl_attr_get_payload_len(tuple),
		.has_id = table[CTA_ID] != NULL,
		.has_zone = table[CTA_ZONE] != NULL,
	};
	stale->tuple = wr_arena_memdup(f->arena, mnl_attr_get_payload(tuple), stale->tuple_size);
	if (stale->tuple == NULL)
		return wr_fail_memory(reterr);
	if (stale->has_id)
		stale->id = mnl_attr_get_u32(table[CTA_ID]);
	if (stale->has_zone)
		stale->zone = mnl_attr_get_u16(table[CTA_ZONE]);
	f->n_stale++;
	return 0;
}

static int read_entry(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[CTA_ZONE + 1] = {
		[CTA_TUPLE_ORIG] = {.type = MNL_TYPE_NESTED},
		[CTA_TUPLE_REPLY] = {.type = MNL_TYPE_NESTED},
		[CTA_ID] = {.type = MNL_TYPE_U32},
		[CTA_ZONE] = {.type = MNL_TYPE_U16},
	};
	const struct nlattr *table[CTA_ZONE + 1];
	struct forgetting *f = data;
	struct tuple original, reply;
	enum opinion opinion;
	int r = wr_attr_parse(message, sizeof(struct nfgenmsg), policy, CTA_ZONE, table, reterr);

	if (r < 0)
		return r;
	if (table[CTA_TUPLE_ORIG] == NULL || table[CTA_TUPLE_REPLY] == NULL)
		return 0;
	r = read_tuple(table[CTA_TUPLE_ORIG], &original, reterr);
	if (r == 0)
		r = read_tuple(table[CTA_TUPLE_REPLY], &reply, reterr);
	if (r < 0)
		return r;
	opinion = ask_ports(f, &original, &reply);
	if (opinion == NONE || opinion == STAYS)
		return 0;
	return note_stale(f, table, &original, opinion == GOES_IF_OURS, reterr);
}

static void read_again(void *data)
{
	struct forgetting *f = data;

	f->n_stale = 0;
}

/* --- whose address ------------------------------------------------------------------------------------------------- */

static int read_route_type(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	bool *is_local = data;

	if (message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof *route)
		return wr_fail(reterr, WR_ERR_KERNEL, -EBADMSG, "the kernel's answer about a route is too short");
	*is_local = route->rtm_type == RTN_LOCAL;
	return 0;
}

/* Whether the kernel takes what is sent to an address for its own. One that it has no way to is not. */
static int ask_local(struct wr_nl *nl, const struct wr_ip *ip, bool *ret, struct wr_error *reterr)
{
	_Alignas(struct nlmsghdr) char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct wr_nl_query query = {
		.request = request, .reader = read_route_type, .data = ret, .single = true, .accept_errors = true};
	struct rtmsg *route;
	int r;

	*ret = false;
	request->nlmsg_type = RTM_GETROUTE;
	route = mnl_nlmsg_put_extra_header(request, sizeof *route);
	route->rtm_family = ip->family;
	route->rtm_dst_len = (uint8_t)wr_ip_bits(ip);
	mnl_attr_put(request, RTA_DST, wr_ip_size(ip), ip->bytes);
	r = wr_nl_dump_many(nl, &query, 1, WR_NL_SMALL, reterr);
	if (r < 0)
		return r;
	switch (query.code) {
	case 0:
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -EACCES: /* a prohibited one */
	case -EINVAL: /* a black hole */
		return 0;
	}
	return wr_fail(reterr, WR_ERR_KERNEL, query.code, "cannot ask for a route: %s", strerror(-query.code));
}

/* The same, asked once for each address. */
static int is_local(struct forgetting *f, const struct wr_ip *ip, bool *ret, struct wr_error *reterr)
{
	char text[WR_IP_TEXT_MAX];
	bool *known = wr_map_get(&f->local, wr_ip_format(ip, text));
	const char *key;
	int r;

	if (known == NULL) {
		known = wr_arena_new_of(f->arena, bool);
		key = wr_arena_strdup(f->arena, text);
		if (known == NULL || key == NULL)
			return wr_fail_memory(reterr);
		r = ask_local(f->routes, ip, known, reterr);
		if (r < 0)
			return r;
		if (wr_map_put(&f->local, key, known) < 0)
			return wr_fail_memory(reterr);
	}
	*ret = *known;
	return 0;
}

/* --- forgetting ---------------------------------------------------------------------------------------------------- */

static void put_removal(struct wr_batch *batch, const struct stale *stale)
{
	struct nfgenmsg *header;

	wr_batch_begin(batch, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0, 0);
	header = wr_batch_header(batch, sizeof *header);
	header->nfgen_family = stale->family;
	header->version = NFNETLINK_V0;
	wr_put(batch, CTA_TUPLE_ORIG | NLA_F_NESTED, stale->tuple, stale->tuple_size);
	if (stale->has_id)
		wr_put_u32(batch, CTA_ID, stale->id);
	if (stale->has_zone)
		wr_put_u16(batch, CTA_ZONE, stale->zone);
}

/* One that ended by itself meanwhile is as good as forgotten. */
static int send_removals(struct wr_batch *batch, struct wr_error *reterr)
{
	int r = wr_batch_send(batch, -ENOENT, NULL, reterr);

	return r < 0 ? wr_fail_context(reterr, "cannot forget a connection of a published port") : 0;
}

static int forget_all(struct forgetting *f, struct wr_error *reterr)
{
	struct wr_batch batch;
	int r = 0;

	wr_batch_init(&batch, f->nl);
	for (size_t i = 0; r == 0 && i < f->n_stale; i++) {
		bool ours = true;

		if (f->stale[i].must_be_ours)
			r = is_local(f, &f->stale[i].to, &ours, reterr);
		if (r == 0 && ours)
			put_removal(&batch, &f->stale[i]);
		if (r == 0 && wr_batch_is_full(&batch))
			r = send_removals(&batch, reterr);
	}
	if (r == 0)
		r = send_removals(&batch, reterr);
	wr_batch_done(&batch);
	return r;
}

/* Reads the list; *ret_known false where this kernel has none. */
static int read_entries(struct forgetting *f, bool *ret_known, struct wr_error *reterr)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
	} request = {
		.header = {.nlmsg_len = sizeof request, .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET},
		.family = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0},
	};
	struct wr_nl_query query = {
		.request = &request.header,
		.reader = read_entry,
		.restart = read_again,
		.data = f,
		.accept_errors = true,
	};
	int r = wr_nl_dump_many(f->nl, &query, 1, WR_NL_LARGE, reterr);

	/* nfnetlink says EINVAL to a request for a subsystem that it does not have, and did not find a module of. */
	*ret_known = query.code != -EINVAL && query.code != -EOPNOTSUPP;
	if (r == 0 && query.code < 0 && *ret_known)
		return wr_fail(reterr, query.code == -EPERM ? WR_ERR_PRIVILEGE : WR_ERR_KERNEL, query.code,
			       "cannot list the connections that the kernel remembers: %s", strerror(-query.code));
	return r;
}

int wr_conntrack_forget(struct wr_host *host, struct wr_netns *netns, const struct wr_publish *ports, size_t n,
			bool *ret_known, struct wr_error *reterr)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	struct forgetting f = {.arena = arena, .routes = &netns->nl, .local = {.arena = arena}};
	struct wr_error error = {0};
	bool known = true;
	int r;

	if (n == 0) {
		*ret_known = true;
		return 0;
	}
	if (arena == NULL || sort_ports(&f, ports, n) < 0)
		return wr_fail_memory(reterr);
	r = wr_nft_open(host, netns, &f.nl, &error);
	if (r == -EOPNOTSUPP) {
		*ret_known = false;
		return 0;
	}
	if (r < 0 && reterr != NULL)
		*reterr = error;
	if (r == 0)
		r = read_entries(&f, &known, reterr);
	if (r == 0)
		r = forget_all(&f, reterr);
	if (r == 0)
		*ret_known = known;
	return r;
}
