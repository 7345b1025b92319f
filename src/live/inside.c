/* inside.c: the questions to one namespace, and the order in which they are asked.
 *
 * They go out in as few sends as the kernel allows: settings, rules and links; then what names links by number. Three of
 * the lists (links, addresses, routes) end with a piece of their own, so that each needs a send. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netns.h"
#include "kernel/sysctl.h"
#include "live/inside.h"

#define TRIES	      16
#define QUESTIONS_MAX 10

/* A request with its fixed header and at most a few small attributes. */
struct question {
	struct nlmsghdr header;
	unsigned char rest[48];
};

struct questions {
	struct question question[QUESTIONS_MAX];
	struct wr_nl_query query[QUESTIONS_MAX];
	size_t n;
};

static void begin(struct question *question, uint16_t type, size_t header_size, uint8_t family)
{
	*question = (struct question){.header = {.nlmsg_type = type}};
	question->header.nlmsg_len = (uint32_t)(MNL_NLMSG_HDRLEN + MNL_ALIGN(header_size));
	question->rest[0] = family; /* the first byte of each of these headers */
}

static void add_u32(struct question *question, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(&question->header, type, value);
}

/* --- readers and restarts -------------------------------------------------------------------------------------------- */

static int read_link(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	return wr_decode_link(data, message, reterr);
}

static int read_address(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	return wr_decode_address(data, message, reterr);
}

static int read_route(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	return wr_decode_route(data, message, reterr);
}

static int read_rule(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	return wr_decode_rule(data, message, reterr);
}

static int read_neighbour(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	return wr_decode_neighbour(data, message, reterr);
}

static int read_netconf(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	return wr_decode_netconf(data, message, reterr);
}

static int read_host_nsid(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	return wr_decode_nsid(message, &((struct wr_reading *)data)->host_nsid, reterr);
}

/* The others may have been read against the half list already. */
static void restart_links(void *data)
{
	wr_reading_begin(data, ((struct wr_reading *)data)->ns);
	((struct wr_reading *)data)->torn = true;
}

static void restart_addresses(void *data)
{
	struct wr_ns *ns = ((struct wr_reading *)data)->ns;

	for (size_t i = 0; i < ns->n_links; i++)
		ns->links[i]->n_addresses = 0;
}

/* Takes back what one list of routes brought: those of the local table, or all others. */
static void drop_routes(struct wr_ns *ns, bool local)
{
	size_t kept = 0;

	for (size_t i = 0; i < ns->n_routes; i++)
		if ((ns->routes[i].table == RT_TABLE_LOCAL) != local)
			ns->routes[kept++] = ns->routes[i];
	ns->n_routes = kept;
}

static void restart_routes(void *data)
{
	((struct wr_reading *)data)->ns->n_routes = 0;
}

static void restart_main_routes(void *data)
{
	drop_routes(((struct wr_reading *)data)->ns, false);
}

static void restart_local_routes(void *data)
{
	drop_routes(((struct wr_reading *)data)->ns, true);
}

static void restart_rules(void *data)
{
	((struct wr_reading *)data)->ns->n_rules = 0;
}

static void restart_neighbours(void *data)
{
	((struct wr_reading *)data)->ns->n_neighbours = 0;
}

/* --- the questions --------------------------------------------------------------------------------------------------- */

static struct question *ask(struct questions *questions, wr_nl_reader reader, void (*restart)(void *data),
			    struct wr_reading *reading)
{
	struct question *question = &questions->question[questions->n];

	questions->query[questions->n++] = (struct wr_nl_query){
		.request = &question->header, .reader = reader, .restart = restart, .data = reading};
	return question;
}

static void ask_links(struct questions *questions, struct wr_reading *reading)
{
	struct question *question = ask(questions, read_link, restart_links, reading);

	begin(question, RTM_GETLINK, sizeof(struct ifinfomsg), AF_UNSPEC);
	add_u32(question, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	questions->query[questions->n - 1].ends_apart = true;
}

/* One of the four answers of `all` and `default`. A kernel without IPv6 has no answer for it. */
static void ask_netconf(struct questions *questions, struct wr_reading *reading, uint8_t family, int scope)
{
	struct question *question = ask(questions, read_netconf, NULL, reading);

	begin(question, RTM_GETNETCONF, sizeof(struct netconfmsg), family);
	add_u32(question, NETCONFA_IFINDEX, (uint32_t)scope);
	questions->query[questions->n - 1].single = true;
	questions->query[questions->n - 1].accept_errors = family == AF_INET6;
}

/* What names no link by its number. */
static void ask_settings(struct questions *questions, struct wr_reading *reading, unsigned what)
{
	if (what & WR_INSIDE_CONF) {
		ask_netconf(questions, reading, AF_INET, NETCONFA_IFINDEX_ALL);
		ask_netconf(questions, reading, AF_INET, NETCONFA_IFINDEX_DEFAULT);
		ask_netconf(questions, reading, AF_INET6, NETCONFA_IFINDEX_ALL);
		ask_netconf(questions, reading, AF_INET6, NETCONFA_IFINDEX_DEFAULT);
	}
	if (what & WR_INSIDE_RULES)
		begin(ask(questions, read_rule, restart_rules, reading), RTM_GETRULE, sizeof(struct fib_rule_hdr),
		      AF_UNSPEC);
	if (what & WR_INSIDE_RULES) /* a kernel without policy routing has none */
		questions->query[questions->n - 1].accept_errors = true;
}

/* IPv6's local table, in which the kernel has hundreds of its own: ours alone. A kernel without IPv6 has none. */
static void ask_local_routes(struct questions *questions, struct wr_reading *reading)
{
	struct rtmsg header = {.rtm_family = AF_INET6, .rtm_protocol = WR_PROTOCOL};
	struct question *question = ask(questions, read_route, restart_local_routes, reading);

	begin(question, RTM_GETROUTE, sizeof header, AF_INET6);
	memcpy(question->rest, &header, sizeof header);
	add_u32(question, RTA_TABLE, RT_TABLE_LOCAL);
	questions->query[questions->n - 1].ends_apart = true;
	questions->query[questions->n - 1].accept_errors = true;
}

/* Its links have been read by then: only now the kernel has numbered the namespaces that they lead to. */
static void ask_rest(struct questions *questions, struct wr_reading *reading, unsigned what, int host_fd)
{
	if (what & WR_INSIDE_HOST_NSID) {
		struct question *question = ask(questions, read_host_nsid, NULL, reading);

		begin(question, RTM_GETNSID, sizeof(struct rtgenmsg), AF_UNSPEC);
		add_u32(question, NETNSA_FD, (uint32_t)host_fd);
		questions->query[questions->n - 1].single = true;
	}
	if (what & WR_INSIDE_NEIGHBOURS)
		begin(ask(questions, read_neighbour, restart_neighbours, reading), RTM_GETNEIGH, sizeof(struct ndmsg),
		      AF_UNSPEC);
	if (what & WR_INSIDE_ADDRESSES) {
		begin(ask(questions, read_address, restart_addresses, reading), RTM_GETADDR, sizeof(struct ifaddrmsg),
		      AF_UNSPEC);
		questions->query[questions->n - 1].ends_apart = true;
	}
	if (what & (WR_INSIDE_ROUTES | WR_INSIDE_MAIN_ROUTES)) {
		struct question *question =
			ask(questions, read_route, what & WR_INSIDE_MAIN_ROUTES ? restart_main_routes : restart_routes,
			    reading);

		begin(question, RTM_GETROUTE, sizeof(struct rtmsg), AF_UNSPEC);
		if (what & WR_INSIDE_MAIN_ROUTES)
			add_u32(question, RTA_TABLE, RT_TABLE_MAIN);
		questions->query[questions->n - 1].ends_apart = true;
	}
	if (what & WR_INSIDE_LOCAL_ROUTES)
		ask_local_routes(questions, reading);
}

/* Asks everything once. Where thousands of links are expected, they come alone: an interrupted list of them is then not read
 * a second time with all the rest. */
static int read_once(struct wr_host *host, struct wr_netns *netns, struct wr_reading *reading, unsigned what,
		     struct wr_error *reterr)
{
	size_t size = what & WR_INSIDE_MANY ? WR_NL_LARGE : WR_NL_SMALL;
	struct questions questions = {.n = 0};
	int r = 0;

	ask_settings(&questions, reading, what);
	ask_links(&questions, reading);
	if (what & WR_INSIDE_MANY) {
		r = wr_nl_dump_many(&netns->nl, questions.query, questions.n, size, reterr);
		reading->torn = false;
		questions.n = 0;
	}
	ask_rest(&questions, reading, what, host->self.fd);
	if (r == 0)
		r = wr_nl_dump_many(&netns->nl, questions.query, questions.n, size, reterr);
	if (r == 0)
		wr_reading_join(reading);
	return r;
}

int wr_inside_read(struct wr_host *host, struct wr_netns *netns, struct wr_reading *reading, unsigned what,
		   struct wr_error *reterr)
{
	/* What one socket has learnt of this kernel, the others need not learn again. */
	netns->nl.one_dump |= host->self.nl.one_dump;
	for (int i = 0; i < TRIES; i++) {
		int r;

		wr_reading_begin(reading, reading->ns);
		r = read_once(host, netns, reading, what, reterr);
		host->self.nl.one_dump |= netns->nl.one_dump;
		if (r < 0)
			return r;
		if (!reading->torn)
			return 0;
	}
	return wr_fail(reterr, WR_ERR_KERNEL, -EINTR, "its links changed during each of %d attempts to read them",
		       TRIES);
}

/* --- single answers -------------------------------------------------------------------------------------------------- */

struct alias_wanted {
	struct wr_arena *arena;
	const char *alias;
};

static int read_alias(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	struct alias_wanted *wanted = data;

	return wr_decode_alias(message, wanted->arena, &wanted->alias, reterr);
}

int wr_inside_alias_of(struct wr_netns *netns, int32_t nsid, struct wr_arena *arena, const char **ret,
		       struct wr_error *reterr)
{
	struct alias_wanted wanted = {.arena = arena};
	struct ifinfomsg header = {.ifi_index = 1}; /* lo has this number in every namespace */
	struct question question;
	int r;

	begin(&question, RTM_GETLINK, sizeof header, AF_UNSPEC);
	memcpy(question.rest, &header, sizeof header);
	add_u32(&question, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (nsid >= 0)
		add_u32(&question, IFLA_TARGET_NETNSID, (uint32_t)nsid);
	r = wr_nl_call(&netns->nl, &question.header, read_alias, &wanted, reterr);
	if (r == 0)
		*ret = wanted.alias;
	return r;
}

int wr_inside_alias(struct wr_netns *netns, struct wr_arena *arena, const char **ret, struct wr_error *reterr)
{
	return wr_inside_alias_of(netns, -1, arena, ret, reterr);
}

static int read_nsid(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	return wr_decode_nsid(message, data, reterr);
}

int wr_inside_nsid(struct wr_netns *netns, const struct wr_netns *other, int32_t *ret, struct wr_error *reterr)
{
	struct question question;

	begin(&question, RTM_GETNSID, sizeof(struct rtgenmsg), AF_UNSPEC);
	add_u32(&question, NETNSA_FD, (uint32_t)other->fd);
	return wr_nl_call(&netns->nl, &question.header, read_nsid, ret, reterr);
}
