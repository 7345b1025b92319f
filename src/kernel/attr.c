/* attr.c: netlink attributes: put into a message, and read by a policy table.
 *
 * What a message says of its own lengths is not believed: every attribute is checked against the bytes that are there and
 * against its policy before anyone gets a pointer to it. An attribute without a policy is passed over, since kernels only
 * ever add some. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "kernel/netlink.h"

/* Whether an attribute's payload is what its policy says. Integers must have their exact size, as the kernel sends them. */
static bool fits(const struct nlattr *attr, const struct wr_attr_policy *policy)
{
	const unsigned char *payload = mnl_attr_get_payload(attr);
	size_t length = mnl_attr_get_payload_len(attr);

	if (length < policy->min_size)
		return false;
	switch (policy->type) {
	case MNL_TYPE_FLAG:
		return length == 0;
	case MNL_TYPE_U8:
		return length == 1;
	case MNL_TYPE_U16:
		return length == 2;
	case MNL_TYPE_U32:
		return length == 4;
	case MNL_TYPE_U64:
	case MNL_TYPE_MSECS:
		return length == 8;
	case MNL_TYPE_NUL_STRING:
		return length > 0 && payload[length - 1] == '\0';
	case MNL_TYPE_NESTED:
	case MNL_TYPE_NESTED_COMPAT:
		return length == 0 || length >= sizeof(struct nlattr);
	case MNL_TYPE_UNSPEC:
	case MNL_TYPE_STRING:
	case MNL_TYPE_BINARY:
	case MNL_TYPE_MAX:
		break;
	}
	return true;
}

static int parse(const unsigned char *bytes, size_t length, const struct wr_attr_policy *policy, uint16_t max,
		 const struct nlattr **table, struct wr_error *reterr)
{
	memset(table, 0, (max + 1u) * sizeof *table);
	while (length >= sizeof(struct nlattr)) {
		const struct nlattr *attr = (const struct nlattr *)(const void *)bytes;
		size_t size = MNL_ALIGN(attr->nla_len);
		uint16_t type = attr->nla_type & NLA_TYPE_MASK;

		if (attr->nla_len < sizeof *attr || attr->nla_len > length)
			return wr_fail(reterr, WR_ERR_KERNEL, -EBADMSG,
				       "attribute %u of a netlink message says it has %u bytes, where %zu are left",
				       type, attr->nla_len, length);
		if (type <= max && (policy[type].type != MNL_TYPE_UNSPEC || policy[type].min_size != 0)) {
			if (!fits(attr, &policy[type]))
				return wr_fail(reterr, WR_ERR_KERNEL, -EBADMSG,
					       "attribute %u of a netlink message has a wrong size (%u bytes) or form",
					       type, attr->nla_len);
			table[type] = attr;
		}
		if (size >= length)
			break;
		bytes += size;
		length -= size;
	}
	return 0;
}

int wr_attr_parse(const struct nlmsghdr *message, size_t header_size, const struct wr_attr_policy *policy, uint16_t max,
		  const struct nlattr **table, struct wr_error *reterr)
{
	size_t begin = MNL_NLMSG_HDRLEN + MNL_ALIGN(header_size);

	memset(table, 0, (max + 1u) * sizeof *table);
	if (message->nlmsg_len < MNL_NLMSG_HDRLEN + header_size)
		return wr_fail(reterr, WR_ERR_KERNEL, -EBADMSG, "netlink message of type %u is too short (%u bytes)",
			       message->nlmsg_type, message->nlmsg_len);
	if (message->nlmsg_len <= begin)
		return 0;
	return parse((const unsigned char *)message + begin, message->nlmsg_len - begin, policy, max, table, reterr);
}

int wr_attr_parse_nested(const struct nlattr *nest, const struct wr_attr_policy *policy, uint16_t max,
			 const struct nlattr **table, struct wr_error *reterr)
{
	return parse(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), policy, max, table, reterr);
}

/* Room for an attribute at the end of the message being built, or NULL with the batch's error set. Its padding is zero. */
static struct nlattr *put(struct wr_batch *batch, uint16_t type, size_t length)
{
	size_t size = MNL_ALIGN(sizeof(struct nlattr) + length);
	struct nlattr *attr;

	if (batch->error != 0)
		return NULL;
	if (length > UINT16_MAX - sizeof *attr || batch->length - batch->message + size > WR_MESSAGE_BYTES) {
		batch->error = -EMSGSIZE;
		return NULL;
	}
	attr = (struct nlattr *)(void *)(batch->bytes + batch->length);
	if (size > sizeof *attr + length)
		memset((unsigned char *)attr + size - sizeof *attr, 0, sizeof *attr);
	attr->nla_type = type;
	attr->nla_len = (uint16_t)(sizeof *attr + length);
	batch->length += size;
	((struct nlmsghdr *)(void *)(batch->bytes + batch->message))->nlmsg_len += (uint32_t)size;
	return attr;
}

void wr_put(struct wr_batch *batch, uint16_t type, const void *bytes, size_t length)
{
	struct nlattr *attr = put(batch, type, length);

	if (attr != NULL && length > 0)
		memcpy(attr + 1, bytes, length);
}

void wr_put_u8(struct wr_batch *batch, uint16_t type, uint8_t value)
{
	wr_put(batch, type, &value, sizeof value);
}

void wr_put_u16(struct wr_batch *batch, uint16_t type, uint16_t value)
{
	wr_put(batch, type, &value, sizeof value);
}

void wr_put_u32(struct wr_batch *batch, uint16_t type, uint32_t value)
{
	wr_put(batch, type, &value, sizeof value);
}

void wr_put_string(struct wr_batch *batch, uint16_t type, const char *value)
{
	wr_put(batch, type, value, strlen(value) + 1);
}

size_t wr_put_nest(struct wr_batch *batch, uint16_t type)
{
	size_t nest = batch->length;

	put(batch, type | NLA_F_NESTED, 0);
	return nest;
}

void wr_put_nest_end(struct wr_batch *batch, size_t nest)
{
	size_t length = batch->length - nest;

	if (batch->error != 0)
		return;
	if (length > UINT16_MAX) {
		batch->error = -EMSGSIZE;
		return;
	}
	((struct nlattr *)(void *)(batch->bytes + nest))->nla_len = (uint16_t)length;
}
