/* Tests of kernel/: attributes with lying lengths, messages built, batches that fail in parts, dumps, namespaces, their names,
 * and sysctls, against the kernel in a sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/sysctl.h"
#include "sandbox.h"

/* --- attributes ------------------------------------------------------------------------------------------------------ */

enum { A_U32 = 1, A_STRING = 2, A_NEST = 3, A_BINARY = 4, A_U8 = 5, A_UNKNOWN = 6, A_MAX = 6 };

static const struct wr_attr_policy policy[A_MAX + 1] = {
	[A_U32] = {.type = MNL_TYPE_U32},     [A_STRING] = {.type = MNL_TYPE_NUL_STRING},
	[A_NEST] = {.type = MNL_TYPE_NESTED}, [A_BINARY] = {.type = MNL_TYPE_BINARY, .min_size = 6},
	[A_U8] = {.type = MNL_TYPE_U8},
};

/* A message on the heap at its exact size, so that a read beyond it is seen: header, 4 bytes of fixed header, attributes. */
static struct nlmsghdr *make_message(const unsigned char *attributes, size_t length)
{
	struct nlmsghdr *message = malloc(sizeof *message + 4 + length);

	assert_non_null(message);
	memset(message, 0, sizeof *message + 4);
	message->nlmsg_len = (uint32_t)(sizeof *message + 4 + length);
	if (length > 0)
		memcpy((unsigned char *)message + sizeof *message + 4, attributes, length);
	return message;
}

static int parse_bytes(const char *attributes, size_t length, bool present[A_MAX + 1])
{
	struct nlmsghdr *message = make_message((const unsigned char *)attributes, length);
	const struct nlattr *table[A_MAX + 1];
	struct wr_error error = {0};
	int r = wr_attr_parse(message, 4, policy, A_MAX, table, &error);

	for (size_t i = 0; i <= A_MAX; i++)
		present[i] = table[i] != NULL;
	assert_int_equal(r, error.code);
	free(message);
	return r;
}

#define PARSE(bytes, present) parse_bytes((bytes), sizeof(bytes) - 1, (present))

static void test_attributes(void **state)
{
	bool present[A_MAX + 1];

	assert_int_equal(PARSE("", present), 0);
	assert_int_equal(PARSE("\x08\0\x01\0\x01\x02\x03\x04\x06\0\x02\0a\0\0\0", present), 0);
	assert_true(present[A_U32] && present[A_STRING] && !present[A_NEST]);
	/* the last one without its padding; unknown ones; flags in the type */
	assert_int_equal(PARSE("\x06\0\x02\0a\0", present), 0);
	assert_true(present[A_STRING]);
	assert_int_equal(PARSE("\x05\0\x06\0x\0\0\0\x05\0\x99\x00x\0\0\0\x08\0\x01\x80\0\0\0\0", present), 0);
	assert_true(present[A_U32] && !present[A_UNKNOWN]);
	/* trailing bytes too few for an attribute */
	assert_int_equal(PARSE("\x08\0\x01\0\x01\x02\x03\x04\x08\0\x01", present), 0);
	assert_true(present[A_U32]);
}

static void test_attributes_that_lie(void **state)
{
	bool present[A_MAX + 1];

	assert_int_equal(PARSE("\x00\0\x01\0\0\0\0\0", present), -EBADMSG); /* shorter than its own header */
	assert_int_equal(PARSE("\x03\0\x01\0\0\0\0\0", present), -EBADMSG);
	assert_int_equal(PARSE("\x09\0\x01\0\0\0\0\0", present), -EBADMSG);	    /* longer than what is there */
	assert_int_equal(PARSE("\xff\xff\x63\0\0\0\0\0", present), -EBADMSG);	    /* also one that nobody knows */
	assert_int_equal(PARSE("\x07\0\x01\0\0\0\0", present), -EBADMSG);	    /* a number of 3 bytes */
	assert_int_equal(PARSE("\x0c\0\x01\0\0\0\0\0\0\0\0\0", present), -EBADMSG); /* and one of 8 */
	assert_int_equal(PARSE("\x04\0\x02\0", present), -EBADMSG);		    /* a string without its end */
	assert_int_equal(PARSE("\x06\0\x02\0ab\0\0", present), -EBADMSG);
	assert_int_equal(PARSE("\x06\0\x03\0ab\0\0", present), -EBADMSG);      /* a nest that can hold nothing */
	assert_int_equal(PARSE("\x09\0\x04\0abcde\0\0\0", present), -EBADMSG); /* less than its least size */
	assert_int_equal(PARSE("\x04\0\x05\0", present), -EBADMSG);
}

static void test_short_message(void **state)
{
	const struct nlattr *table[A_MAX + 1];
	struct nlmsghdr *message = make_message(NULL, 0);

	assert_int_equal(wr_attr_parse(message, 4, policy, A_MAX, table, NULL), 0);
	assert_int_equal(wr_attr_parse(message, 16, policy, A_MAX, table, NULL), -EBADMSG);
	message->nlmsg_len = 0;
	assert_int_equal(wr_attr_parse(message, 4, policy, A_MAX, table, NULL), -EBADMSG);
	free(message);
}

static void test_build(void **state)
{
	struct wr_nl nl = {.fd = -1};
	const struct nlattr *table[A_MAX + 1], *inner[A_MAX + 1];
	struct wr_batch batch;
	struct nlmsghdr *message;
	uint32_t *header;
	size_t nest;

	wr_batch_init(&batch, &nl);
	wr_batch_begin(&batch, 1000, 0, 1);
	message = wr_batch_begin(&batch, 1001, NLM_F_CREATE, 2);
	header = wr_batch_header(&batch, 4);
	assert_int_equal(*header, 0);
	wr_put_string(&batch, A_STRING, "abc d");
	nest = wr_put_nest(&batch, A_NEST);
	wr_put_u8(&batch, A_U8, 7);
	wr_put_u32(&batch, A_U32, 0x01020304);
	wr_put_nest_end(&batch, nest);
	wr_put(&batch, A_BINARY, "123456", 6);
	assert_int_equal(batch.error, 0);
	assert_int_equal(message->nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE);
	assert_int_equal(batch.count, 2);
	assert_int_equal(batch.length, MNL_NLMSG_HDRLEN + message->nlmsg_len);
	assert_int_equal(wr_attr_parse(message, 4, policy, A_MAX, table, NULL), 0);
	assert_string_equal(mnl_attr_get_str(table[A_STRING]), "abc d");
	assert_int_equal(wr_attr_parse_nested(table[A_NEST], policy, A_MAX, inner, NULL), 0);
	assert_int_equal(mnl_attr_get_u8(inner[A_U8]), 7);
	assert_int_equal(mnl_attr_get_u32(inner[A_U32]), 0x01020304);
	assert_memory_equal(mnl_attr_get_payload(table[A_BINARY]), "123456", 6);
	wr_batch_done(&batch);
}

static void test_build_too_long(void **state)
{
	static const unsigned char zeros[9000];
	struct wr_batch_failure failure = {0};
	struct wr_nl nl = {.fd = -1};
	struct wr_batch batch;

	wr_batch_init(&batch, &nl);
	wr_batch_begin(&batch, 1000, 0, 41);
	wr_put(&batch, A_BINARY, zeros, sizeof zeros);
	wr_put(&batch, A_BINARY, zeros, sizeof zeros);
	assert_int_equal(batch.error, -EMSGSIZE);
	/* whatever follows is written nowhere that matters */
	wr_put_nest_end(&batch, wr_put_nest(&batch, A_NEST));
	memset(wr_batch_header(&batch, 16), 0xff, 16);
	wr_batch_begin(&batch, 1000, 0, 42)->nlmsg_pid = 1;
	memset(wr_batch_header(&batch, 4096), 0xff, 16);
	assert_int_equal(wr_batch_send(&batch, 0, &failure, NULL), -EMSGSIZE);
	assert_int_equal(failure.tag, 41);
	/* and it can be used again */
	assert_int_equal(batch.error, 0);
	assert_int_equal(wr_batch_send(&batch, 0, &failure, NULL), 0);
	wr_batch_done(&batch);
}

/* --- requests -------------------------------------------------------------------------------------------------------- */

static void put_bridge(struct wr_batch *batch, uint32_t tag, const char *name)
{
	size_t nest;

	wr_batch_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, tag);
	wr_batch_header(batch, sizeof(struct ifinfomsg));
	wr_put_string(batch, IFLA_IFNAME, name);
	nest = wr_put_nest(batch, IFLA_LINKINFO);
	wr_put_string(batch, IFLA_INFO_KIND, "bridge");
	wr_put_nest_end(batch, nest);
}

static void put_delete(struct wr_batch *batch, uint32_t tag, const char *name)
{
	wr_batch_begin(batch, RTM_DELLINK, 0, tag);
	wr_batch_header(batch, sizeof(struct ifinfomsg));
	wr_put_string(batch, IFLA_IFNAME, name);
}

static void test_batch(void **state)
{
	struct wr_batch_failure failure = {0};
	struct wr_error error = {0};
	struct wr_batch batch;
	struct wr_nl nl;

	assert_int_equal(wr_nl_open(&nl, &error), 0);
	wr_batch_init(&batch, &nl);
	put_bridge(&batch, 10, "br0");
	put_bridge(&batch, 11, "br0");
	put_bridge(&batch, 12, "br1");
	put_bridge(&batch, 13, "this-name-is-far-too-long");
	assert_int_equal(wr_batch_send(&batch, 0, &failure, &error), -EEXIST);
	assert_int_equal(failure.tag, 11);
	assert_int_equal(failure.code, -EEXIST);
	assert_int_equal(error.code, -EEXIST);
	/* the kernel did not stop there */
	assert_int_not_equal(if_nametoindex("br0"), 0);
	assert_int_not_equal(if_nametoindex("br1"), 0);
	put_bridge(&batch, 20, "br1");
	assert_int_equal(wr_batch_send(&batch, -EEXIST, &failure, &error), 0);
	put_bridge(&batch, 30, "br1");
	put_bridge(&batch, 31, "this-name-is-far-too-long");
	assert_int_not_equal(wr_batch_send(&batch, -EEXIST, &failure, &error), 0);
	assert_int_equal(failure.tag, 31);
	assert_string_not_equal(failure.words, "");
	put_delete(&batch, 40, "br0");
	put_delete(&batch, 41, "br1");
	assert_int_equal(wr_batch_send(&batch, 0, &failure, &error), 0);
	wr_batch_done(&batch);
	wr_nl_close(&nl);
	wr_nl_close(&nl);
}

/* Everything fails, in sends that are limited by both buffers: the first failure is the first message's, none is lost. */
static void test_batch_all_fail(void **state)
{
	struct wr_batch_failure failure = {0};
	struct wr_error error = {0};
	struct wr_batch batch;
	struct wr_nl nl;
	int small = 8192;

	assert_int_equal(wr_nl_open(&nl, &error), 0);
	wr_batch_init(&batch, &nl);
	for (uint32_t i = 0; i < 5000; i++)
		put_delete(&batch, 100 + i, "missing");
	assert_true(wr_batch_is_full(&batch));
	assert_int_equal(wr_batch_send(&batch, 0, &failure, &error), -ENODEV);
	assert_int_equal(failure.tag, 100);
	/* tolerated ones leave the one that is not */
	assert_int_equal(setsockopt(nl.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	for (uint32_t i = 0; i < 5000; i++) {
		if (i == 4321)
			put_bridge(&batch, 7, "lo");
		put_delete(&batch, 100 + i, "missing");
	}
	assert_int_equal(wr_batch_send(&batch, -ENODEV, &failure, &error), -EEXIST);
	assert_int_equal(failure.tag, 7);
	wr_batch_done(&batch);
	wr_nl_close(&nl);
}

/* A queue that overflows is a failure, never a success that nobody saw. */
static void test_batch_lost_answers(void **state)
{
	struct wr_batch_failure failure = {0};
	struct wr_batch batch;
	struct wr_nl nl;
	int small = 2048;

	assert_int_equal(wr_nl_open(&nl, NULL), 0);
	assert_int_equal(setsockopt(nl.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	wr_batch_init(&batch, &nl);
	for (uint32_t i = 0; i < 500; i++)
		put_delete(&batch, i, "missing");
	assert_int_equal(wr_batch_send(&batch, -ENODEV, &failure, NULL), -ENOBUFS);
	/* and the socket is usable afterwards */
	put_delete(&batch, 1, "missing");
	assert_int_equal(wr_batch_send(&batch, 0, &failure, NULL), -ENODEV);
	wr_batch_done(&batch);
	wr_nl_close(&nl);
}

struct request {
	struct nlmsghdr header;
	unsigned char rest[32];
};

static struct request make_request(uint16_t type, size_t header_size, uint8_t family)
{
	struct request request = {.header = {.nlmsg_type = type}};

	request.header.nlmsg_len = (uint32_t)(sizeof request.header + MNL_ALIGN(header_size));
	request.rest[0] = family;
	return request;
}

static int count_message(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	++*(size_t *)data;
	return 0;
}

static int refuse_message(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	return wr_fail(reterr, WR_ERR_SYSTEM, -E2BIG, "enough");
}

static void test_dumps(void **state)
{
	struct request links = make_request(RTM_GETLINK, sizeof(struct ifinfomsg), AF_UNSPEC);
	struct request rules = make_request(RTM_GETRULE, sizeof(struct fib_rule_hdr), AF_UNSPEC);
	struct request addresses = make_request(RTM_GETADDR, 8, AF_UNSPEC);
	struct request all = make_request(RTM_GETNETCONF, sizeof(struct netconfmsg), AF_INET);
	struct request wrong = make_request(RTM_GETNETCONF, sizeof(struct netconfmsg), 77);
	size_t n_links = 0, n_rules = 0, n_all = 0, n_again = 0;
	struct wr_nl_query queries[] = {
		{.request = &rules.header, .reader = count_message, .data = &n_rules},
		{.request = &links.header, .reader = count_message, .data = &n_links},
		/* behind one that does not end at once, and not said to be so: refused at first, asked again */
		{.request = &addresses.header, .reader = count_message, .data = &n_again},
		{.request = &all.header, .reader = count_message, .data = &n_all, .single = true},
		{.request = &wrong.header,
		 .reader = count_message,
		 .data = &n_all,
		 .single = true,
		 .accept_errors = true},
	};
	struct wr_error error = {0};
	struct wr_nl nl;

	assert_int_equal(wr_nl_open(&nl, &error), 0);
	mnl_attr_put_u32(&all.header, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
	mnl_attr_put_u32(&wrong.header, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
	for (int i = 0; i < 3; i++) {
		n_links = n_rules = n_all = n_again = 0;
		assert_int_equal(wr_nl_dump_many(&nl, queries, 5, WR_NL_SMALL, &error), 0);
		assert_true(n_links >= 1);
		assert_true(n_rules >= 3);
		assert_int_equal(n_all, 1);
		assert_true(queries[4].code < 0);
		assert_int_equal(queries[3].code, 0);
	}
	queries[4].accept_errors = false;
	assert_true(wr_nl_dump_many(&nl, queries, 5, WR_NL_SMALL, &error) < 0);
	/* a reader's own failure ends the call and leaves the socket usable */
	assert_int_equal(wr_nl_dump(&nl, &links.header, refuse_message, NULL, NULL, &error), -E2BIG);
	n_links = 0;
	assert_int_equal(wr_nl_dump(&nl, &links.header, count_message, NULL, &n_links, &error), 0);
	assert_true(n_links >= 1);
	wr_nl_close(&nl);
}

/* A buffer too small for one message: it grows, and nothing is told twice. */
static void count_anew(void *data)
{
	*(size_t *)data = 0;
}

static void test_dump_cut(void **state)
{
	struct request links = make_request(RTM_GETLINK, sizeof(struct ifinfomsg), AF_UNSPEC);
	struct request rules = make_request(RTM_GETRULE, sizeof(struct fib_rule_hdr), AF_UNSPEC);
	size_t whole = 0, n_links = 0, n_rules = 0;
	struct wr_nl_query queries[] = {
		{.request = &rules.header, .reader = count_message, .restart = count_anew, .data = &n_rules},
		{.request = &links.header, .reader = count_message, .restart = count_anew, .data = &n_links},
	};
	struct wr_error error = {0};
	struct wr_nl nl;

	assert_int_equal(wr_nl_open(&nl, &error), 0);
	assert_int_equal(wr_nl_dump(&nl, &links.header, count_message, NULL, &whole, &error), 0);
	assert_int_equal(wr_nl_dump_many(&nl, queries, 2, 128, &error), 0);
	assert_int_equal(n_links, whole);
	assert_true(n_rules >= 3);
	wr_nl_close(&nl);
}

static void test_call(void **state)
{
	struct request link = make_request(RTM_GETLINK, sizeof(struct ifinfomsg), AF_UNSPEC);
	struct ifinfomsg header = {.ifi_index = 1};
	struct wr_error error = {0};
	struct wr_nl nl;
	size_t n = 0;

	assert_int_equal(wr_nl_open(&nl, &error), 0);
	memcpy(link.rest, &header, sizeof header);
	assert_int_equal(wr_nl_call(&nl, &link.header, count_message, &n, &error), 0);
	assert_int_equal(n, 1);
	link.header.nlmsg_flags = 0;
	header.ifi_index = 12345;
	memcpy(link.rest, &header, sizeof header);
	assert_int_equal(wr_nl_call(&nl, &link.header, count_message, &n, &error), -ENODEV);
	/* without a reader the acknowledgement is awaited: lo goes up */
	link = make_request(RTM_SETLINK, sizeof(struct ifinfomsg), AF_UNSPEC);
	header = (struct ifinfomsg){.ifi_index = 1, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	memcpy(link.rest, &header, sizeof header);
	assert_int_equal(wr_nl_call(&nl, &link.header, NULL, NULL, &error), 0);
	wr_nl_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attributes),     cmocka_unit_test(test_attributes_that_lie),
		cmocka_unit_test(test_short_message),  cmocka_unit_test(test_build),
		cmocka_unit_test(test_build_too_long), cmocka_unit_test(test_batch),
		cmocka_unit_test(test_batch_all_fail), cmocka_unit_test(test_batch_lost_answers),
		cmocka_unit_test(test_dumps),	       cmocka_unit_test(test_dump_cut),
		cmocka_unit_test(test_call),
	};

	if (!sandbox_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
