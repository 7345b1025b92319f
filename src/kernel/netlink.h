/* netlink.h: requests to one namespace's netlink (rtnetlink, and the others) and their answers, over libmnl.
 *
 * Why:       the rest of the program says "do this, tell me what the kernel said" and sees no sequence numbers or buffers.
 * Shape:     wr_nl is an open socket. A wr_batch collects messages and sends many in one call; errors come back with the
 *            tag (a step's number) of the message that caused them. wr_nl_dump hands over each message of a dump.
 * Ownership: a wr_nl owns its descriptor; a wr_batch its buffer. Messages borrow from the batch and are complete when the
 *            next one begins.
 * Errors:    < 0 is -errno, and *reterr holds the kernel's text (extack). An interrupted dump (NLM_F_DUMP_INTR) is repeated,
 *            then -EINTR: never partial truth.
 * Threads:   one handle for one namespace, bound to the one it was opened in; not thread-safe.
 * Source:    include/uapi/linux/netlink.h; kernel docs userspace-api/netlink/intro. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

struct wr_error;

struct wr_nl {
	int fd; /* -1: closed */
	uint32_t seq;
	uint32_t portid; /* 0: the kernel's choice at the first send, never needed */
	uint32_t burst;	 /* so many messages of one send may all fail without losing an answer */
	size_t largest;	 /* the largest buffer that was received into: the kernel fills up to that from then on */
	bool one_dump;	 /* this kernel does not take a second dump in the same send; see wr_nl_dump_many */
};

/* Opens a NETLINK_ROUTE socket in the namespace that this thread is in: extended acks, strict checking, close-on-exec. */
int wr_nl_open(struct wr_nl *nl, struct wr_error *reterr);
/* The same for another protocol, NETLINK_NETFILTER or NETLINK_SOCK_DIAG. -EPROTONOSUPPORT: this kernel does not have it. */
int wr_nl_open_protocol(struct wr_nl *nl, int protocol, struct wr_error *reterr);
void wr_nl_close(struct wr_nl *nl); /* also when closed already */

/* Hands one message of a dump to its reader. Returns 0, or < 0 to stop with that. */
typedef int (*wr_nl_reader)(const struct nlmsghdr *message, void *data, struct wr_error *reterr);

/* Sends one dump request (built with nlmsg_flags without NLM_F_DUMP; this adds it) and reads it to its end. On
 * NLM_F_DUMP_INTR the whole dump is repeated, up to 16 times: restart (may be NULL) is called before each repetition. */
int wr_nl_dump(struct wr_nl *nl, struct nlmsghdr *request, wr_nl_reader reader, void (*restart)(void *data), void *data,
	       struct wr_error *reterr);
/* One question of several that are asked in one send: a dump, or a request with a single answer. */
struct wr_nl_query {
	struct nlmsghdr *request; /* built as for wr_nl_dump */
	wr_nl_reader reader;
	void (*restart)(void *data); /* may be NULL */
	void *data;
	bool single; /* no dump: one answer */
	bool ends_apart; /* a dump whose end mark comes in a piece of its own (links, addresses, routes: the kernel does so on
	                     * purpose), so that no other dump can start in the same send */
	bool accept_errors; /* the kernel's refusal of this one does not end the call */
	int code;	    /* result: 0, or the kernel's -errno */
	uint32_t seq;	    /* scratch */
	uint8_t state;	    /* scratch */
	uint8_t tries;	    /* scratch */
	bool spoiled;	    /* scratch */
};
#define WR_NL_QUERIES_MAX 16
/* Carries out up to WR_NL_QUERIES_MAX questions with as few calls as the kernel allows; each reader sees its own messages only.
 * They are asked in their order; a dump that ends apart, or takes more than one piece, makes those behind it wait for
 * another send.
 * buffer_size: bytes to receive into (WR_NL_SMALL inside a namespace, WR_NL_LARGE where thousands of objects are): the kernel
 * makes its pieces as large as that, and large pieces cost time to allocate. Returns 0, or the first failure; a query
 * with accept_errors leaves its failure in code instead. */
#define WR_NL_SMALL (8u << 10)
#define WR_NL_LARGE (32u << 10)
int wr_nl_dump_many(struct wr_nl *nl, struct wr_nl_query *queries, size_t n, size_t buffer_size,
		    struct wr_error *reterr);
/* Sends one request and hands its single answer to reader (NULL: an acknowledgement is awaited). */
int wr_nl_call(struct wr_nl *nl, struct nlmsghdr *request, wr_nl_reader reader, void *data, struct wr_error *reterr);

/* --- many requests in one send ------------------------------------------------------------------------------------- */

struct wr_batch {
	struct wr_nl *nl;
	unsigned char *bytes; /* aligned for struct nlmsghdr */
	size_t length, capacity;
	uint32_t *tags; /* tag of each message, by its number in the batch */
	size_t count, capacity_tags;
	uint32_t first_seq;
	int error;		     /* sticky: -ENOMEM, -EMSGSIZE */
	size_t message;		     /* where the message being built begins */
	struct nlmsghdr scratch[16]; /* what is written after an error */
};

#define WR_MESSAGE_BYTES                                                                                               \
	(16u << 10) /* the longest message: -EMSGSIZE beyond. Pointers into one stay valid until the next */

#define WR_BATCH_BYTES (64u << 10) /* a batch is worth sending from here on */

void wr_batch_init(struct wr_batch *batch, struct wr_nl *nl);
void wr_batch_done(struct wr_batch *batch);
/* Begins a message; NLM_F_REQUEST is added to flags. Attributes follow with wr_put_*. Never NULL: after an error, writes go
 * to a scratch place and the error is reported at sending. */
struct nlmsghdr *wr_batch_begin(struct wr_batch *batch, uint16_t type, uint16_t flags, uint32_t tag);
/* The fixed header that follows (struct ifinfomsg, …; at most 128 bytes), zeroed. */
void *wr_batch_header(struct wr_batch *batch, size_t size);
void wr_put(struct wr_batch *batch, uint16_t type, const void *bytes, size_t length);
void wr_put_u8(struct wr_batch *batch, uint16_t type, uint8_t value);
void wr_put_u16(struct wr_batch *batch, uint16_t type, uint16_t value);
void wr_put_u32(struct wr_batch *batch, uint16_t type, uint32_t value);
void wr_put_string(struct wr_batch *batch, uint16_t type, const char *value);
size_t wr_put_nest(struct wr_batch *batch, uint16_t type); /* returns a handle for wr_put_nest_end */
void wr_put_nest_end(struct wr_batch *batch, size_t nest);
bool wr_batch_is_full(const struct wr_batch *batch); /* WR_BATCH_BYTES reached: send now */

/* One message of a batch that the kernel refused. */
struct wr_batch_failure {
	uint32_t tag;
	int code;	 /* negative errno */
	char words[256]; /* extack, or "" */
};

/* Sends what is collected in one call, without acknowledgements: rtnetlink carries out and reports errors before the call
 * returns. The batch is empty afterwards. Returns 0, or the first failure's code with *ret_failure filled (the messages
 * behind it were carried out as far as they could be: the kernel does not stop). A failure with code == tolerate (0: none)
 * is not counted. When the sending itself fails, *ret_failure has the tag of the first message that was not sent, without
 * words. ret_failure may be NULL. */
int wr_batch_send(struct wr_batch *batch, int tolerate, struct wr_batch_failure *ret_failure, struct wr_error *reterr);

/* --- attributes by policy ------------------------------------------------------------------------------------------ */

/* What an attribute must be; the rest is ignored. */
struct wr_attr_policy {
	enum mnl_attr_data_type type; /* MNL_TYPE_UNSPEC: only min_size counts */
	uint16_t min_size;
};

/* Fills table[0..max] with pointers into the message, NULL where absent. Unknown types (> max, or a policy row of zeros)
 * are passed over; a known one of wrong size is -EBADMSG, and the attribute's number is in *reterr. */
int wr_attr_parse(const struct nlmsghdr *message, size_t header_size, const struct wr_attr_policy *policy, uint16_t max,
		  const struct nlattr **table, struct wr_error *reterr);
int wr_attr_parse_nested(const struct nlattr *nest, const struct wr_attr_policy *policy, uint16_t max,
			 const struct nlattr **table, struct wr_error *reterr);
