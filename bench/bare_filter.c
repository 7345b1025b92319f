/* bare_filter.c: the floor: so many published ports in the kernel, by nothing but the needed requests.
 *
 * Why:       as bare.c, for the packet filter. One transaction in one send: a table, a map, a chain, the two rules that
 *            look into the map, and an element for each port. It reads no file, looks at nothing, compares nothing, and
 *            verifies nothing. It uses no part of warren, and of libraries only libmnl.
 * Shape:     bare_filter COUNT [NAMESPACES]: host port 10000 + i is port 1000 + i of the namespace i % NAMESPACES, whose
 *            address is 10.0.0.(2 + its number): what filter.py writes into its network file, and into its file for nft.
 * Errors:    said, and exit status 1. Requests carry no acknowledgement; the kernel reports failures all the same.
 * Source:    include/uapi/linux/netfilter/nf_tables.h. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define TABLE "bare"
#define MAP   "publish4"
#define CHAIN "dstnat"

#define FIRST_HOST_PORT 10000
#define FIRST_PORT	1000
#define FIRST_ADDRESS	0x0a000002U /* 10.0.0.2 */
#define COUNT_MAX	50000
#define ELEMENTS_MAX	1500 /* of one message: a nested attribute ends at 64 KiB */
#define ELEMENT_BYTES	36
#define REST_BYTES	8192 /* everything that is not an element, and each further message's head */

/* What nft reads a set's types from: inet_proto . inet_service, ipv4_addr . inet_service. */
#define TYPE_KEY  (12U << 6 | 13U)
#define TYPE_DATA (7U << 6 | 13U)

struct batch {
	char *bytes;
	size_t length;
	uint32_t sequence;
};

/* --- messages ------------------------------------------------------------------------------------------------------ */

static struct nlmsghdr *begin(struct batch *batch, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(batch->bytes + batch->length);
	struct nfgenmsg *header;

	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	message->nlmsg_seq = batch->sequence++;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	header->res_id = htons(resource);
	return message;
}

static void end(struct batch *batch, const struct nlmsghdr *message)
{
	batch->length += MNL_ALIGN(message->nlmsg_len);
}

static void put_edge(struct batch *batch, uint16_t type)
{
	end(batch, begin(batch, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

static struct nlmsghdr *begin_object(struct batch *batch, uint16_t type, uint16_t flags)
{
	return begin(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), (uint16_t)(NLM_F_CREATE | flags),
		     NFPROTO_INET, 0);
}

static void put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(message, type, htonl(value));
}

/* --- expressions ----------------------------------------------------------------------------------------------------- */

struct expression {
	struct nlattr *element, *data;
};

static struct expression begin_expression(struct nlmsghdr *message, const char *name)
{
	struct expression e;

	e.element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	mnl_attr_put_strz(message, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
	return e;
}

static void end_expression(struct nlmsghdr *message, struct expression e)
{
	mnl_attr_nest_end(message, e.data);
	mnl_attr_nest_end(message, e.element);
}

static void put_cmp(struct nlmsghdr *message, uint32_t op, const void *value, size_t length)
{
	struct expression e = begin_expression(message, "cmp");
	struct nlattr *data;

	put_u32(message, NFTA_CMP_SREG, NFT_REG_1);
	put_u32(message, NFTA_CMP_OP, op);
	data = mnl_attr_nest_start(message, NFTA_CMP_DATA);
	mnl_attr_put(message, NFTA_DATA_VALUE, length, value);
	mnl_attr_nest_end(message, data);
	end_expression(message, e);
}

static void put_return(struct nlmsghdr *message)
{
	struct expression e = begin_expression(message, "immediate");
	struct nlattr *data, *verdict;

	put_u32(message, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(message, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);
	put_u32(message, NFTA_VERDICT_CODE, (uint32_t)NFT_RETURN);
	mnl_attr_nest_end(message, verdict);
	mnl_attr_nest_end(message, data);
	end_expression(message, e);
}

static void put_fib_type(struct nlmsghdr *message)
{
	struct expression e = begin_expression(message, "fib");

	put_u32(message, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	put_u32(message, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	put_u32(message, NFTA_FIB_DREG, NFT_REG_1);
	end_expression(message, e);
}

static void put_l4proto(struct nlmsghdr *message)
{
	struct expression e = begin_expression(message, "meta");

	put_u32(message, NFTA_META_KEY, NFT_META_L4PROTO);
	put_u32(message, NFTA_META_DREG, NFT_REG_1);
	end_expression(message, e);
}

static void put_port(struct nlmsghdr *message)
{
	struct expression e = begin_expression(message, "payload");

	put_u32(message, NFTA_PAYLOAD_DREG, NFT_REG32_01);
	put_u32(message, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
	put_u32(message, NFTA_PAYLOAD_OFFSET, 2);
	put_u32(message, NFTA_PAYLOAD_LEN, 2);
	end_expression(message, e);
}

static void put_lookup(struct nlmsghdr *message)
{
	struct expression e = begin_expression(message, "lookup");

	put_u32(message, NFTA_LOOKUP_SREG, NFT_REG_1);
	put_u32(message, NFTA_LOOKUP_DREG, NFT_REG_1);
	mnl_attr_put_strz(message, NFTA_LOOKUP_SET, MAP);
	put_u32(message, NFTA_LOOKUP_SET_ID, 1);
	end_expression(message, e);
}

static void put_dnat(struct nlmsghdr *message)
{
	struct expression e = begin_expression(message, "nat");

	put_u32(message, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	put_u32(message, NFTA_NAT_FAMILY, NFPROTO_IPV4);
	put_u32(message, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	put_u32(message, NFTA_NAT_REG_PROTO_MIN, NFT_REG32_01);
	end_expression(message, e);
}

/* --- objects ---------------------------------------------------------------------------------------------------------- */

static void put_table(struct batch *batch)
{
	struct nlmsghdr *message = begin_object(batch, NFT_MSG_NEWTABLE, 0);

	mnl_attr_put_strz(message, NFTA_TABLE_NAME, TABLE);
	end(batch, message);
}

static void put_map(struct batch *batch)
{
	struct nlmsghdr *message = begin_object(batch, NFT_MSG_NEWSET, 0);

	mnl_attr_put_strz(message, NFTA_SET_TABLE, TABLE);
	mnl_attr_put_strz(message, NFTA_SET_NAME, MAP);
	put_u32(message, NFTA_SET_ID, 1);
	put_u32(message, NFTA_SET_FLAGS, NFT_SET_MAP);
	put_u32(message, NFTA_SET_KEY_TYPE, TYPE_KEY);
	put_u32(message, NFTA_SET_KEY_LEN, 8);
	put_u32(message, NFTA_SET_DATA_TYPE, TYPE_DATA);
	put_u32(message, NFTA_SET_DATA_LEN, 8);
	end(batch, message);
}

static void put_elements(struct batch *batch, unsigned first, unsigned count, unsigned namespaces)
{
	struct nlmsghdr *message = begin_object(batch, NFT_MSG_NEWSETELEM, 0);
	struct nlattr *list, *element, *part;
	/* A concatenation's fields are padded to 4 bytes. */
	uint8_t key[8] = {IPPROTO_TCP}, data[8] = {0};

	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, TABLE);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, MAP);
	put_u32(message, NFTA_SET_ELEM_LIST_SET_ID, 1);
	list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (unsigned i = first; i < first + count; i++) {
		const uint16_t host_port = htons((uint16_t)(FIRST_HOST_PORT + i)),
			       port = htons((uint16_t)(FIRST_PORT + i));
		const uint32_t address = htonl(FIRST_ADDRESS + i % namespaces);

		memcpy(key + 4, &host_port, sizeof(host_port));
		memcpy(data, &address, sizeof(address));
		memcpy(data + 4, &port, sizeof(port));
		element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
		part = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
		mnl_attr_put(message, NFTA_DATA_VALUE, sizeof(key), key);
		mnl_attr_nest_end(message, part);
		part = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
		mnl_attr_put(message, NFTA_DATA_VALUE, sizeof(data), data);
		mnl_attr_nest_end(message, part);
		mnl_attr_nest_end(message, element);
	}
	mnl_attr_nest_end(message, list);
	end(batch, message);
}

static void put_chain(struct batch *batch)
{
	struct nlmsghdr *message = begin_object(batch, NFT_MSG_NEWCHAIN, 0);
	struct nlattr *hook;

	mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, TABLE);
	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, CHAIN);
	mnl_attr_put_strz(message, NFTA_CHAIN_TYPE, "nat");
	hook = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
	put_u32(message, NFTA_HOOK_HOOKNUM, NF_INET_PRE_ROUTING);
	put_u32(message, NFTA_HOOK_PRIORITY, (uint32_t)-100);
	mnl_attr_nest_end(message, hook);
	end(batch, message);
}

/* What is not for an address of the host goes on; tcp is looked up, and translated when it is found. */
static void put_rules(struct batch *batch)
{
	static const uint8_t tcp = IPPROTO_TCP;
	static const uint32_t local = 2; /* RTN_LOCAL */
	struct nlmsghdr *message;
	struct nlattr *list;

	for (unsigned i = 0; i < 2; i++) {
		message = begin_object(batch, NFT_MSG_NEWRULE, NLM_F_APPEND);
		mnl_attr_put_strz(message, NFTA_RULE_TABLE, TABLE);
		mnl_attr_put_strz(message, NFTA_RULE_CHAIN, CHAIN);
		list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
		if (i == 0) {
			put_fib_type(message);
			put_cmp(message, NFT_CMP_NEQ, &local, sizeof(local));
			put_return(message);
		} else {
			put_l4proto(message);
			put_cmp(message, NFT_CMP_EQ, &tcp, sizeof(tcp));
			put_port(message);
			put_lookup(message);
			put_dnat(message);
		}
		mnl_attr_nest_end(message, list);
		end(batch, message);
	}
}

/* The kernel has carried out everything when sendto returns; only failures are waiting to be read then. */
static void commit(const struct batch *batch)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	const int size = (int)batch->length + REST_BYTES;
	_Alignas(struct nlmsghdr) char answer[4096];
	const struct nlmsghdr *message = (const struct nlmsghdr *)answer;
	const struct nlmsgerr *failure;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0)
		err(1, "netfilter socket");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		err(1, "SO_SNDBUFFORCE");
	if (sendto(fd, batch->bytes, batch->length, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		err(1, "sendto");
	if (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0 && message->nlmsg_type == NLMSG_ERROR) {
		failure = mnl_nlmsg_get_payload(message);
		errno = -failure->error;
		err(1, "request of type %u", (unsigned)failure->msg.nlmsg_type);
	}
}

static unsigned read_number(const char *text, unsigned long largest)
{
	char *stop;
	const unsigned long number = strtoul(text, &stop, 10);

	if (*stop != '\0' || number == 0 || number > largest)
		errx(2, "not a number from 1 to %lu: %s", largest, text);
	return (unsigned)number;
}

int main(int argc, char **argv)
{
	struct batch batch = {0};
	unsigned count, namespaces;

	if (argc != 2 && argc != 3)
		errx(2, "usage: bare_filter COUNT [NAMESPACES]");
	count = read_number(argv[1], COUNT_MAX);
	namespaces = argc == 3 ? read_number(argv[2], 250) : 1;
	batch.bytes = malloc((size_t)count * ELEMENT_BYTES + REST_BYTES);
	if (!batch.bytes)
		err(1, "malloc");
	put_edge(&batch, NFNL_MSG_BATCH_BEGIN);
	put_table(&batch);
	put_map(&batch);
	for (unsigned first = 0; first < count; first += ELEMENTS_MAX)
		put_elements(&batch, first, count - first < ELEMENTS_MAX ? count - first : ELEMENTS_MAX, namespaces);
	put_chain(&batch);
	put_rules(&batch);
	put_edge(&batch, NFNL_MSG_BATCH_END);
	commit(&batch);
	free(batch.bytes);
	return 0;
}
