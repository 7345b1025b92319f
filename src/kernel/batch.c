/* batch.c: many requests in one send, and which of them the kernel refused.
 *
 * A request without NLM_F_ACK is answered only when it fails; by the time sendmsg(2) returns, every refusal lies in the
 * socket's queue, in the order of the requests. So an empty queue means that all went well. What could overflow the queue is
 * sent in parts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/error.h"
#include "kernel/netlink.h"
#include "kernel/netlink_parts.h"

void wr_batch_init(struct wr_batch *batch, struct wr_nl *nl)
{
	*batch = (struct wr_batch){.nl = nl};
}

void wr_batch_done(struct wr_batch *batch)
{
	free(batch->bytes);
	free(batch->tags);
	*batch = (struct wr_batch){.nl = batch->nl};
}

/* Room for one more message of any allowed length, so that no pointer into it moves while it is built. */
static int batch_reserve(struct wr_batch *batch)
{
	if (batch->length + WR_MESSAGE_BYTES > batch->capacity) {
		size_t capacity = batch->capacity == 0 ? 2 * WR_MESSAGE_BYTES : 2 * batch->capacity;
		unsigned char *bytes = realloc(batch->bytes, capacity);

		if (bytes == NULL)
			return -ENOMEM;
		batch->bytes = bytes;
		batch->capacity = capacity;
	}
	if (batch->count == batch->capacity_tags) {
		size_t capacity = batch->capacity_tags == 0 ? 256 : 2 * batch->capacity_tags;
		uint32_t *tags = realloc(batch->tags, capacity * sizeof *tags);

		if (tags == NULL)
			return -ENOMEM;
		batch->tags = tags;
		batch->capacity_tags = capacity;
	}
	return 0;
}

struct nlmsghdr *wr_batch_begin(struct wr_batch *batch, uint16_t type, uint16_t flags, uint32_t tag)
{
	struct nlmsghdr *message = batch->scratch;

	if (batch->error == 0)
		batch->error = batch_reserve(batch);
	if (batch->error == 0) {
		batch->message = batch->length;
		batch->length += MNL_NLMSG_HDRLEN;
		batch->tags[batch->count++] = tag;
		message = (struct nlmsghdr *)(void *)(batch->bytes + batch->message);
	}
	*message = (struct nlmsghdr){
		.nlmsg_len = MNL_NLMSG_HDRLEN, .nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST};
	return message;
}

void *wr_batch_header(struct wr_batch *batch, size_t size)
{
	struct nlmsghdr *message;
	void *header;

	size = MNL_ALIGN(size);
	if (size > sizeof batch->scratch)
		batch->error = batch->error != 0 ? batch->error : -EMSGSIZE;
	if (batch->error != 0) {
		memset(batch->scratch, 0, sizeof batch->scratch);
		return batch->scratch;
	}
	message = (struct nlmsghdr *)(void *)(batch->bytes + batch->message);
	header = batch->bytes + batch->length;
	memset(header, 0, size);
	batch->length += size;
	message->nlmsg_len += (uint32_t)size;
	return header;
}

bool wr_batch_is_full(const struct wr_batch *batch)
{
	return batch->length >= WR_BATCH_BYTES;
}

struct sending {
	const struct wr_batch *batch;
	int tolerate;
	struct wr_batch_failure failure; /* the first one; code 0: none yet */
	uint32_t failed_seq;
	bool lost; /* an answer was lost: the queue overflowed */
};

static void batch_answer(struct sending *s, const struct nlmsghdr *message)
{
	const struct wr_batch *batch = s->batch;
	uint32_t number = message->nlmsg_seq - batch->first_seq;
	char words[sizeof s->failure.words];
	int code;

	if (message->nlmsg_type != NLMSG_ERROR || number >= batch->count)
		return;
	code = wr_nl_verdict(message, words, sizeof words);
	if (code == 0 || code == s->tolerate || s->failure.code != 0)
		return;
	s->failure.tag = batch->tags[number];
	s->failure.code = code;
	memcpy(s->failure.words, words, sizeof words);
}

/* Takes all answers that lie there. Returns 0 or -errno. */
static int batch_answers(struct sending *s)
{
	_Alignas(struct nlmsghdr) unsigned char buffer[4096];

	for (;;) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(void *)buffer;
		ssize_t length = wr_nl_receive(s->batch->nl, buffer, sizeof buffer);
		int left;

		if (length == -EAGAIN)
			return 0;
		if (length == -ENOBUFS) {
			s->lost = true; /* what is in the queue came first and is still there */
			continue;
		}
		if (length < 0)
			return (int)length;
		left = (int)(length > (ssize_t)sizeof buffer ? (ssize_t)sizeof buffer : length);
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			batch_answer(s, message);
	}
}

/* The bytes of the messages from offset on that go into one send: at most limit bytes (but one message at least) and
 * as many messages as may fail at once. */
static size_t batch_piece(const struct wr_batch *batch, size_t offset, size_t limit, uint32_t *ret_count)
{
	size_t size = 0;

	*ret_count = 0;
	while (offset + size < batch->length && *ret_count < batch->nl->burst) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)(batch->bytes + offset + size);
		size_t length = MNL_ALIGN(message->nlmsg_len);

		if (size > 0 && size + length > limit)
			break;
		size += length;
		++*ret_count;
	}
	return size;
}

static int batch_transmit(struct sending *s)
{
	const struct wr_batch *batch = s->batch;
	size_t limit = batch->length, sent = 0;
	uint32_t number = 0, count;
	int r = 0;

	while (r == 0 && sent < batch->length) {
		size_t size = batch_piece(batch, sent, limit, &count);
		struct iovec iov = {.iov_base = batch->bytes + sent, .iov_len = size};

		r = wr_nl_transmit(batch->nl, &iov, 1);
		if (r == -EMSGSIZE && count > 1) {
			limit = size / 2;
			r = 0;
			continue;
		}
		if (r == 0) {
			r = batch_answers(s);
			sent += size;
			number += count;
		}
		if (r == 0 && s->lost && s->failure.code == 0)
			r = -ENOBUFS;
		if (r < 0 && s->failure.code == 0)
			s->failure = (struct wr_batch_failure){
				.tag = batch->tags[number < batch->count ? number : batch->count - 1], .code = r};
	}
	return s->failure.code;
}

int wr_batch_send(struct wr_batch *batch, int tolerate, struct wr_batch_failure *ret_failure, struct wr_error *reterr)
{
	struct sending s = {.batch = batch, .tolerate = tolerate};
	int r = batch->error;

	if (r != 0) {
		s.failure.code = r;
		s.failure.tag = batch->count > 0 ? batch->tags[batch->count - 1] : 0;
	} else if (batch->count > 0) {
		batch->first_seq = batch->nl->seq + 1;
		for (size_t offset = 0; offset < batch->length;) {
			struct nlmsghdr *message = (struct nlmsghdr *)(void *)(batch->bytes + offset);

			message->nlmsg_seq = ++batch->nl->seq;
			offset += MNL_ALIGN(message->nlmsg_len);
		}
		r = batch_transmit(&s);
	}
	batch->length = batch->count = batch->message = 0;
	batch->error = 0;
	if (r == 0)
		return 0;
	if (ret_failure != NULL)
		*ret_failure = s.failure;
	return wr_nl_refused(reterr, r, s.failure.words);
}
