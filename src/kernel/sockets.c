/* sockets.c: listeners by sock_diag, and the processes that hold them by /proc.
 *
 * A UDP socket that takes from everyone is in the state that TCP calls closed; one that is connected, and so takes from one
 * peer only, is not listed. A socket of ::, unless told otherwise, takes IPv4 as well; one of ::ffff:A.B.C.D takes nothing
 * else, and is told as the IPv4 socket that it is. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/sockets.h"
#include "model/traffic.h"

#define OWNER_MAX 64 /* a process's name is at most 15 bytes */

/* --- who listens --------------------------------------------------------------------------------------------------- */

struct listing {
	struct wr_arena *arena;
	struct wr_listener *listeners;
	size_t n, capacity;
};

/* One of the four lists. */
struct question {
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request;
	struct listing *listing;
	struct wr_listener *listeners; /* what it found; given to the listing at the end, so that it can begin anew */
	size_t n, capacity;
};

static void read_ip(const struct inet_diag_msg *socket, bool only_ip6, struct wr_listener *ret)
{
	struct in6_addr address;

	memcpy(&address, socket->id.idiag_src, sizeof address);
	ret->ip.family = socket->idiag_family;
	if (socket->idiag_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address)) {
		ret->ip.family = AF_INET;
		memcpy(ret->ip.bytes, address.s6_addr + 12, 4);
		return;
	}
	memcpy(ret->ip.bytes, &address, wr_ip_size(&ret->ip));
	ret->both = socket->idiag_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address) && !only_ip6;
}

static int read_socket(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[INET_DIAG_SKV6ONLY + 1] = {
		[INET_DIAG_SKV6ONLY] = {.type = MNL_TYPE_U8},
	};
	const struct nlattr *table[INET_DIAG_SKV6ONLY + 1];
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
	struct question *question = data;
	struct wr_listener *made;
	int r;

	if (message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof *socket)
		return wr_fail(reterr, WR_ERR_KERNEL, -EBADMSG, "the kernel's message about a socket is too short");
	r = wr_attr_parse(message, sizeof *socket, policy, INET_DIAG_SKV6ONLY, table, reterr);
	if (r < 0)
		return r;
	if (wr_arena_grow(question->listing->arena, &question->listeners, &question->capacity, question->n,
			  sizeof *made) < 0)
		return wr_fail_memory(reterr);
	made = &question->listeners[question->n++];
	*made = (struct wr_listener){
		.protocol = question->request.body.sdiag_protocol,
		.port = ntohs(socket->id.idiag_sport),
		.inode = socket->idiag_inode,
	};
	read_ip(socket, table[INET_DIAG_SKV6ONLY] != NULL && mnl_attr_get_u8(table[INET_DIAG_SKV6ONLY]) != 0, made);
	return 0;
}

static void read_again(void *data)
{
	struct question *question = data;

	question->n = 0;
}

static void ask(struct question *question, uint8_t family, uint8_t protocol)
{
	question->request.header =
		(struct nlmsghdr){.nlmsg_len = sizeof question->request, .nlmsg_type = SOCK_DIAG_BY_FAMILY};
	question->request.body = (struct inet_diag_req_v2){
		.sdiag_family = family,
		.sdiag_protocol = protocol,
		.idiag_states = 1u << (protocol == IPPROTO_TCP ? TCP_LISTEN : TCP_CLOSE),
	};
}

static int collect(struct listing *listing, const struct question *question)
{
	for (size_t i = 0; i < question->n; i++) {
		if (wr_arena_grow(listing->arena, &listing->listeners, &listing->capacity, listing->n,
				  sizeof *listing->listeners) < 0)
			return -ENOMEM;
		listing->listeners[listing->n++] = question->listeners[i];
	}
	return 0;
}

/* What a kernel says that has no list of this kind: no IPv6, no module for the protocol's sockets. */
static bool is_lacking(int code)
{
	return code == -ENOENT || code == -EINVAL || code == -EOPNOTSUPP || code == -EAFNOSUPPORT;
}

static int list_all(struct wr_nl *nl, struct listing *listing, struct wr_error *reterr)
{
	static const struct {
		uint8_t family, protocol;
	} kinds[] = {{AF_INET, IPPROTO_TCP}, {AF_INET6, IPPROTO_TCP}, {AF_INET, IPPROTO_UDP}, {AF_INET6, IPPROTO_UDP}};
	enum { KINDS = sizeof kinds / sizeof kinds[0] };
	struct question questions[KINDS] = {0};
	struct wr_nl_query queries[KINDS];
	int r;

	for (size_t i = 0; i < KINDS; i++) {
		ask(&questions[i], kinds[i].family, kinds[i].protocol);
		questions[i].listing = listing;
		queries[i] = (struct wr_nl_query){
			.request = &questions[i].request.header,
			.reader = read_socket,
			.restart = read_again,
			.data = &questions[i],
			.ends_apart = true,
			.accept_errors = true,
		};
	}
	r = wr_nl_dump_many(nl, queries, KINDS, WR_NL_LARGE, reterr);
	for (size_t i = 0; r == 0 && i < KINDS; i++) {
		if (queries[i].code < 0 && !is_lacking(queries[i].code))
			return wr_fail(reterr, WR_ERR_KERNEL, queries[i].code, "cannot list the sockets: %s",
				       strerror(-queries[i].code));
		if (collect(listing, &questions[i]) < 0)
			return wr_fail_memory(reterr);
	}
	return r;
}

int wr_sockets_list(struct wr_host *host, struct wr_netns *netns, struct wr_arena *arena, struct wr_listener **ret,
		    size_t *ret_count, struct wr_error *reterr)
{
	struct listing listing = {.arena = arena};
	struct wr_nl nl = {.fd = -1};
	int r = wr_netns_open_netlink(netns, NETLINK_SOCK_DIAG, &nl, reterr);

	if (r == 0) {
		r = list_all(&nl, &listing, reterr);
		wr_nl_close(&nl);
	}
	if (r < 0)
		return r;
	*ret = listing.listeners;
	*ret_count = listing.n;
	return 0;
}

/* --- whose it is --------------------------------------------------------------------------------------------------- */

/* "nginx (pid 123)"; what a process calls itself is held to what may be printed. */
static const char *name_owner(struct wr_arena *arena, const char *pid)
{
	char path[OWNER_MAX], name[OWNER_MAX] = "";
	WR_CLEANUP_CLOSE int fd = -1;
	ssize_t length;

	snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, name, sizeof name - 1);
	if (length <= 0)
		return wr_arena_printf(arena, "pid %s", pid); /* it ended just now */
	for (ssize_t i = 0; i < length; i++)
		if (!isprint((unsigned char)name[i]))
			name[i] = i == length - 1 ? '\0' : '?';
	return wr_arena_printf(arena, "%s (pid %s)", name, pid);
}

/* Whether one of a process's descriptors is the link. One whose descriptors may not be read, or that ended, has none. */
static bool holds(int proc, const char *pid, const char *link)
{
	char path[OWNER_MAX], target[64];
	const struct dirent *entry;
	bool found = false;
	DIR *descriptors;
	int fd;

	snprintf(path, sizeof path, "%.20s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	descriptors = fd < 0 ? NULL : fdopendir(fd);
	if (descriptors == NULL) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && (entry = readdir(descriptors)) != NULL) {
		ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof target - 1);

		if (length > 0) {
			target[length] = '\0';
			found = strcmp(target, link) == 0;
		}
	}
	closedir(descriptors);
	return found;
}

int wr_sockets_find_owner(struct wr_arena *arena, unsigned long inode, const char **ret, struct wr_error *reterr)
{
	const struct dirent *entry;
	const char *owner = NULL;
	DIR *processes = opendir("/proc");
	char link[64];
	int r = 0;

	if (processes == NULL)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot read /proc: %s", strerror(errno));
	snprintf(link, sizeof link, "socket:[%lu]", inode);
	while (owner == NULL && r == 0 && (entry = readdir(processes)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !holds(dirfd(processes), entry->d_name, link))
			continue;
		owner = name_owner(arena, entry->d_name);
		if (owner == NULL)
			r = wr_fail_memory(reterr);
	}
	closedir(processes);
	if (r == 0)
		*ret = owner;
	return r;
}
