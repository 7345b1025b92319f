/* netlink.c: the socket: one request, many dumps, or a whole batch, and what the kernel said to it.
 *
 * rtnetlink is synchronous: a request is carried out, and its answer lies in the socket's queue, before sendmsg(2) returns;
 * a dump's next piece is made while the one before is received. So nothing here ever waits: an empty queue where
 * an answer must be is an error, not a reason to block.
 *
 * Several dumps in one send: netlink starts a dump while it handles the request and makes its first piece at once. Where
 * that is also the last one (Linux 6.9 and later put the end mark into it, but for the lists that old programs read), the
 * next request of the same send can start its own; else it is refused with EBUSY, and asked for again afterwards. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "base/error.h"
#include "base/file.h"
#include "kernel/netlink.h"
#include "kernel/netlink_parts.h"

#define SEND_BYTES	(1 << 20)
#define RECEIVE_BYTES	(4 << 20)
#define ANSWER_TRUESIZE 2048 /* what a refusal costs of the receive buffer, amply */
#define DUMP_TRIES	16

/* --- the socket ---------------------------------------------------------------------------------------------------- */

/* Large buffers; without CAP_NET_ADMIN only as large as the machine allows everyone. */
static int enlarge(int fd, int forced, int plain, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) == 0)
		return 1;
	return setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes) == 0 ? 0 : -errno;
}

int wr_nl_open_protocol(struct wr_nl *nl, int protocol, struct wr_error *reterr)
{
	static const int options[] = {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK};
	WR_CLEANUP_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	uint32_t burst = RECEIVE_BYTES / ANSWER_TRUESIZE;
	int one = 1, r;

	if (fd < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot open a netlink socket: %s", strerror(errno));
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (setsockopt(fd, SOL_NETLINK, options[i], &one, sizeof one) < 0)
			return wr_fail(reterr, WR_ERR_UNSUPPORTED, -errno,
				       "cannot set option %d of a netlink socket: %s", options[i], strerror(errno));
	r = enlarge(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BYTES);
	if (r >= 0)
		r = enlarge(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BYTES);
	if (r == 0) {
		int bytes = 0;
		socklen_t size = sizeof bytes;

		r = getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &size) < 0 ? -errno : 0;
		burst = bytes / ANSWER_TRUESIZE > 1 ? (uint32_t)(bytes / ANSWER_TRUESIZE) : 1;
	}
	if (r < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, r, "cannot size the buffers of a netlink socket: %s",
			       strerror(-r));
	*nl = (struct wr_nl){.fd = fd, .burst = burst};
	fd = -1;
	return 0;
}

int wr_nl_open(struct wr_nl *nl, struct wr_error *reterr)
{
	return wr_nl_open_protocol(nl, NETLINK_ROUTE, reterr);
}

/* The kernel takes twice the number for what it adds to each send. */
void wr_nl_make_room(const struct wr_nl *nl, size_t bytes)
{
	if (bytes > SEND_BYTES && bytes <= INT_MAX / 2)
		enlarge(nl->fd, SO_SNDBUFFORCE, SO_SNDBUF, (int)bytes);
}

void wr_nl_close(struct wr_nl *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nl->fd = -1;
}

/* Receives one datagram of the kernel. Returns its whole length, which is more than size when it was cut; -EAGAIN when the
 * queue is empty. What a process sent is passed over: only the kernel answers. */
ssize_t wr_nl_receive(struct wr_nl *nl, void *buffer, size_t size)
{
	if (size > nl->largest)
		nl->largest = size;
	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec iov = {.iov_base = buffer, .iov_len = size};
		struct msghdr header = {
			.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1};
		ssize_t length = recvmsg(nl->fd, &header, MSG_DONTWAIT | MSG_TRUNC);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -errno;
		if (from.nl_pid == 0)
			return length;
	}
}

int wr_nl_transmit(const struct wr_nl *nl, struct iovec *iov, size_t n)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	struct msghdr header = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = iov, .msg_iovlen = n};
	ssize_t length;

	do
		length = sendmsg(nl->fd, &header, 0);
	while (length < 0 && errno == EINTR);
	return length < 0 ? -errno : 0;
}

/* The kernel's verdict in an NLMSG_ERROR or NLMSG_DONE message: its code, and its own words (at most size - 1 bytes of them,
 * or ""). -EBADMSG for a message that is too short to have one. */
int wr_nl_verdict(const struct nlmsghdr *message, char *words, size_t size)
{
	static const struct wr_attr_policy policy[NLMSGERR_ATTR_MSG + 1] = {
		[NLMSGERR_ATTR_MSG] = {.type = MNL_TYPE_NUL_STRING},
	};
	const struct nlattr *table[NLMSGERR_ATTR_MSG + 1];
	size_t header = message->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(int);
	int code;

	words[0] = '\0';
	if (message->nlmsg_len < MNL_NLMSG_HDRLEN + header)
		return -EBADMSG;
	memcpy(&code, mnl_nlmsg_get_payload(message), sizeof code);
	if (message->nlmsg_type == NLMSG_ERROR && (message->nlmsg_flags & NLM_F_CAPPED) == 0) {
		const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

		if (error->msg.nlmsg_len > sizeof error->msg)
			header += error->msg.nlmsg_len - sizeof error->msg;
	}
	if ((message->nlmsg_flags & NLM_F_ACK_TLVS) != 0 &&
	    wr_attr_parse(message, header, policy, NLMSGERR_ATTR_MSG, table, NULL) == 0 &&
	    table[NLMSGERR_ATTR_MSG] != NULL) {
		const char *text = mnl_attr_get_str(table[NLMSGERR_ATTR_MSG]);
		size_t length = strnlen(text, size - 1);

		memcpy(words, text, length);
		words[length] = '\0';
	}
	return code > 0 || code < -4095 ? -EBADMSG : code;
}

int wr_nl_refused(struct wr_error *reterr, int code, const char *words)
{
	enum wr_error_kind kind = code == -EPERM ? WR_ERR_PRIVILEGE : WR_ERR_KERNEL;

	if (words[0] != '\0')
		return wr_fail(reterr, kind, code, "%s (%s)", words, strerror(-code));
	return wr_fail(reterr, kind, code, "%s", strerror(-code));
}

/* --- dumps --------------------------------------------------------------------------------------------------------- */

enum { QUERY_WAITING, QUERY_RUNNING, QUERY_DONE };

struct dumping {
	struct wr_nl *nl;
	struct wr_nl_query *queries;
	size_t n, running;
	unsigned char *buffer;
	size_t size;
	unsigned char *heap; /* the buffer when it had to grow, ours to free */
	int error;	     /* the first failure, already in *reterr; what still comes is only drained */
	struct wr_error *reterr;
};

static void fail_with(struct dumping *d, int code)
{
	if (d->error == 0)
		d->error = code;
}

/* Sends what is waiting, as much of it as the kernel can start at once. */
static int dump_send(struct dumping *d)
{
	struct iovec iov[WR_NL_QUERIES_MAX];
	bool occupied = false; /* by a dump that will still be running when the next request is looked at */
	size_t n = 0;
	int r;

	for (size_t i = 0; i < d->n; i++) {
		struct wr_nl_query *query = &d->queries[i];

		if (query->state != QUERY_WAITING || (occupied && !query->single))
			continue;
		occupied |= !query->single && (query->ends_apart || d->nl->one_dump);
		query->request->nlmsg_flags |= (uint16_t)(NLM_F_REQUEST | (query->single ? 0 : NLM_F_DUMP));
		query->request->nlmsg_seq = query->seq = ++d->nl->seq;
		query->state = QUERY_RUNNING;
		query->spoiled = false;
		iov[n++] = (struct iovec){.iov_base = query->request, .iov_len = MNL_ALIGN(query->request->nlmsg_len)};
	}
	d->running = n;
	if (n == 0)
		return 0;
	r = wr_nl_transmit(d->nl, iov, n);
	if (r < 0)
		return wr_fail(d->reterr, WR_ERR_KERNEL, r, "cannot send a netlink request: %s", strerror(-r));
	return 0;
}

/* A query's dump has ended: done, or to be repeated. */
static void dump_end(struct dumping *d, struct wr_nl_query *query)
{
	d->running--;
	query->state = QUERY_DONE;
	if (!query->spoiled || d->error != 0)
		return;
	if (++query->tries >= DUMP_TRIES) {
		fail_with(d,
			  wr_fail(d->reterr, WR_ERR_KERNEL, -EINTR,
				  "the kernel's objects changed during each of %d attempts to list them", DUMP_TRIES));
		return;
	}
	query->state = QUERY_WAITING;
	if (query->restart != NULL)
		query->restart(query->data);
}

static void dump_verdict(struct dumping *d, struct wr_nl_query *query, const struct nlmsghdr *message)
{
	char words[256] = "";
	int code = message->nlmsg_type == NLMSG_DONE && message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(int)
			   ? 0 /* an end mark without a code, as some dumps write it */
			   : wr_nl_verdict(message, words, sizeof words);

	if (message->nlmsg_type == NLMSG_ERROR && code == 0)
		return; /* an acknowledgement that nobody asked for */
	if (code == -EBUSY && message->nlmsg_type == NLMSG_ERROR && !d->nl->one_dump) {
		/* Another dump of this send was still running. */
		d->nl->one_dump = true;
		query->state = QUERY_WAITING;
		d->running--;
		return;
	}
	if (code == -EBUSY && message->nlmsg_type == NLMSG_ERROR && d->running > 1) {
		query->state = QUERY_WAITING;
		d->running--;
		return;
	}
	if (code == -EINTR || (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		query->spoiled = true;
	else if (code < 0) {
		query->code = code;
		if (!query->accept_errors)
			fail_with(d, wr_nl_refused(d->reterr, code, words));
	}
	dump_end(d, query);
}

static void dump_message(struct dumping *d, const struct nlmsghdr *message)
{
	struct wr_nl_query *query = NULL;

	for (size_t i = 0; i < d->n; i++)
		if (d->queries[i].state == QUERY_RUNNING && d->queries[i].seq == message->nlmsg_seq)
			query = &d->queries[i];
	if (query == NULL)
		return; /* left over from a request that was given up */
	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
		dump_verdict(d, query, message);
		return;
	}
	if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		query->spoiled = true;
	if (message->nlmsg_type >= NLMSG_MIN_TYPE && d->error == 0 && !query->spoiled) {
		int r = query->reader(message, query->data, d->reterr);

		if (r < 0)
			fail_with(d, r);
	}
	if (query->single)
		dump_end(d, query);
}

/* A datagram was cut: everything under way is asked for again, with room for it. */
static int dump_grow(struct dumping *d, size_t needed)
{
	unsigned char *larger;

	for (size_t i = 0; i < d->n; i++)
		if (d->queries[i].state == QUERY_RUNNING)
			d->queries[i].spoiled = true;
	needed = (needed + 4095) & ~(size_t)4095;
	if (needed > (16u << 20))
		return wr_fail(d->reterr, WR_ERR_KERNEL, -EMSGSIZE, "the kernel sent a message of %zu bytes", needed);
	larger = malloc(needed);
	if (larger == NULL)
		return wr_fail_memory(d->reterr);
	free(d->heap);
	d->heap = d->buffer = larger;
	d->size = needed;
	return 0;
}

static int dump_receive(struct dumping *d)
{
	while (d->running > 0) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(void *)d->buffer;
		ssize_t length = wr_nl_receive(d->nl, d->buffer, d->size);
		int left;

		if (length == -EAGAIN) {
			bool repeated = false;

			/* The end mark was in a datagram that was cut. */
			for (size_t i = 0; i < d->n; i++)
				if (d->queries[i].state == QUERY_RUNNING && d->queries[i].spoiled) {
					dump_end(d, &d->queries[i]);
					repeated = true;
				}
			if (!repeated)
				return wr_fail(d->reterr, WR_ERR_KERNEL, -EPROTO, "the kernel did not end its list");
			continue;
		}
		if (length < 0)
			return wr_fail(d->reterr, WR_ERR_KERNEL, (int)length, "cannot receive from netlink: %s",
				       strerror((int)-length));
		left = (int)(length > (ssize_t)d->size ? (ssize_t)d->size : length);
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			dump_message(d, message);
		if (length > (ssize_t)d->size) {
			int r = dump_grow(d, (size_t)length);

			if (r < 0)
				return r;
		}
	}
	return d->error;
}

int wr_nl_dump_many(struct wr_nl *nl, struct wr_nl_query *queries, size_t n, size_t buffer_size,
		    struct wr_error *reterr)
{
	_Alignas(struct nlmsghdr) unsigned char buffer[WR_NL_LARGE];
	struct dumping d = {.nl = nl, .queries = queries, .n = n, .buffer = buffer, .reterr = reterr};
	int r;

	if (n > WR_NL_QUERIES_MAX)
		return wr_fail(reterr, WR_ERR_SYSTEM, -E2BIG, "%zu lists asked for in one request", n);
	/* Pieces of a list are made as large as the socket was seen to take: a smaller buffer now would cut them. */
	d.size = buffer_size < nl->largest ? nl->largest : buffer_size;
	if (d.size > sizeof buffer)
		d.size = sizeof buffer;
	for (size_t i = 0; i < n; i++) {
		queries[i].state = QUERY_WAITING;
		queries[i].tries = 0;
		queries[i].code = 0;
	}
	do {
		r = dump_send(&d);
		if (r == 0 && d.running > 0)
			r = dump_receive(&d);
		else if (r == 0)
			break;
	} while (r == 0);
	free(d.heap);
	return r;
}

int wr_nl_dump(struct wr_nl *nl, struct nlmsghdr *request, wr_nl_reader reader, void (*restart)(void *data), void *data,
	       struct wr_error *reterr)
{
	struct wr_nl_query query = {.request = request, .reader = reader, .restart = restart, .data = data};

	return wr_nl_dump_many(nl, &query, 1, WR_NL_LARGE, reterr);
}

/* --- one request --------------------------------------------------------------------------------------------------- */

int wr_nl_call(struct wr_nl *nl, struct nlmsghdr *request, wr_nl_reader reader, void *data, struct wr_error *reterr)
{
	_Alignas(struct nlmsghdr) unsigned char buffer[WR_NL_LARGE];
	struct iovec iov = {.iov_base = request, .iov_len = MNL_ALIGN(request->nlmsg_len)};
	int r;

	request->nlmsg_flags |= (uint16_t)(NLM_F_REQUEST | (reader == NULL ? NLM_F_ACK : 0));
	request->nlmsg_seq = ++nl->seq;
	r = wr_nl_transmit(nl, &iov, 1);
	if (r < 0)
		return wr_fail(reterr, WR_ERR_KERNEL, r, "cannot send a netlink request: %s", strerror(-r));
	for (;;) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(void *)buffer;
		ssize_t length = wr_nl_receive(nl, buffer, sizeof buffer);
		char words[256];

		if (length == -EAGAIN)
			return wr_fail(reterr, WR_ERR_KERNEL, -EPROTO, "the kernel did not answer");
		if (length < 0)
			return wr_fail(reterr, WR_ERR_KERNEL, (int)length, "cannot receive from netlink: %s",
				       strerror((int)-length));
		if (length > (ssize_t)sizeof buffer)
			return wr_fail(reterr, WR_ERR_KERNEL, -EMSGSIZE, "the kernel sent a message of %zd bytes",
				       length);
		if (!mnl_nlmsg_ok(message, (int)length) || message->nlmsg_seq != request->nlmsg_seq)
			continue; /* left over from a request that was given up */
		if (message->nlmsg_type == NLMSG_ERROR) {
			r = wr_nl_verdict(message, words, sizeof words);
			if (r < 0)
				return wr_nl_refused(reterr, r, words);
			if (reader == NULL)
				return 0;
		} else if (reader != NULL) {
			return reader(message, data, reterr);
		}
	}
}
