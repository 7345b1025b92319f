/* decode_nft_expr.c: expressions of rules, one row for each kind.
 *
 * A row knows every attribute that it reads. An expression that brings another one, or a value that the struct has no place for,
 * does something that the struct would not say: it is kept as `other`, whole. */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h> /* before linux/in.h */
#include <string.h>

#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netlink.h"
#include "live/decode_nft.h"

#define BEYOND	  1 /* what a reader returns for an expression that its struct cannot say */
#define ATTRS_MAX 16

#define NEED(attr) (1u << (attr))

/* Newer than the headers of Debian 12. */
#define BITWISE_MASK_XOR 0

/* An expression while it is read. Readers return 0, BEYOND or -ENOMEM. */
struct parsing {
	struct wr_arena *arena;
	const struct nlattr *attrs[ATTRS_MAX];
	struct wr_nft_expr *expr;
};

static uint32_t get_u32(const struct parsing *p, unsigned attr)
{
	return p->attrs[attr] != NULL ? wr_decode_nft_u32(p->attrs[attr]) : 0;
}

/* 0 where there is none. BEYOND: no number of a register. */
static int get_register(const struct parsing *p, unsigned attr, uint8_t *ret)
{
	uint32_t number = get_u32(p, attr);

	/* The wide ones of older programs lie over four narrow ones each. */
	if (number >= NFT_REG_1 && number <= NFT_REG_4)
		number = NFT_REG32_00 + (number - NFT_REG_1) * 4;
	if (number != NFT_REG_VERDICT && (number < NFT_REG32_00 || number > NFT_REG32_15))
		return BEYOND;
	*ret = (uint8_t)number;
	return 0;
}

/* A range of registers, whose end is only said where it is another than its beginning. */
static int get_registers(const struct parsing *p, unsigned min, unsigned max, uint8_t *ret_min, uint8_t *ret_max)
{
	int r = get_register(p, min, ret_min);

	if (r == 0)
		r = get_register(p, max, ret_max);
	if (r == 0 && *ret_max == *ret_min)
		*ret_max = 0;
	return r;
}

static int get_string(const struct parsing *p, unsigned attr, const char **ret)
{
	if (p->attrs[attr] == NULL)
		return 0;
	*ret = wr_arena_strdup(p->arena, mnl_attr_get_str(p->attrs[attr]));
	return *ret != NULL ? 0 : -ENOMEM;
}

static const struct nlattr *find_data(const struct parsing *p, unsigned attr, uint16_t type)
{
	static const struct wr_attr_policy policy[NFTA_DATA_VERDICT + 1] = {
		[NFTA_DATA_VALUE] = {.type = MNL_TYPE_BINARY, .min_size = 1},
		[NFTA_DATA_VERDICT] = {.type = MNL_TYPE_NESTED},
	};
	const struct nlattr *attrs[NFTA_DATA_VERDICT + 1];

	if (p->attrs[attr] == NULL || wr_attr_parse_nested(p->attrs[attr], policy, NFTA_DATA_VERDICT, attrs, NULL) < 0)
		return NULL;
	return attrs[type];
}

static int get_value(const struct parsing *p, unsigned attr, struct wr_nft_value *ret)
{
	const struct nlattr *data = find_data(p, attr, NFTA_DATA_VALUE);

	if (data == NULL || mnl_attr_get_payload_len(data) > WR_NFT_VALUE_MAX)
		return BEYOND;
	ret->length = (uint8_t)mnl_attr_get_payload_len(data);
	memcpy(ret->bytes, mnl_attr_get_payload(data), ret->length);
	return 0;
}

static int new_value(const struct parsing *p, unsigned attr, struct wr_nft_value **ret)
{
	*ret = wr_arena_new_of(p->arena, struct wr_nft_value);
	return *ret != NULL ? get_value(p, attr, *ret) : -ENOMEM;
}

/* --- what is loaded and compared -------------------------------------------------------------------------------------- */

static const struct wr_attr_policy meta_policy[NFTA_META_SREG + 1] = {
	[NFTA_META_DREG] = {.type = MNL_TYPE_U32},
	[NFTA_META_KEY] = {.type = MNL_TYPE_U32},
	[NFTA_META_SREG] = {.type = MNL_TYPE_U32},
};

static int read_meta(const struct parsing *p)
{
	int r = get_register(p, NFTA_META_DREG, &p->expr->dreg);

	if (r == 0)
		r = get_register(p, NFTA_META_SREG, &p->expr->sreg);
	p->expr->meta.key = get_u32(p, NFTA_META_KEY);
	return r == 0 && (p->expr->dreg == 0) == (p->expr->sreg == 0) ? BEYOND : r;
}

static const struct wr_attr_policy payload_policy[NFTA_PAYLOAD_LEN + 1] = {
	[NFTA_PAYLOAD_DREG] = {.type = MNL_TYPE_U32},
	[NFTA_PAYLOAD_BASE] = {.type = MNL_TYPE_U32},
	[NFTA_PAYLOAD_OFFSET] = {.type = MNL_TYPE_U32},
	[NFTA_PAYLOAD_LEN] = {.type = MNL_TYPE_U32},
};

static int read_payload(const struct parsing *p)
{
	p->expr->payload.base = get_u32(p, NFTA_PAYLOAD_BASE);
	p->expr->payload.offset = get_u32(p, NFTA_PAYLOAD_OFFSET);
	p->expr->payload.length = get_u32(p, NFTA_PAYLOAD_LEN);
	return get_register(p, NFTA_PAYLOAD_DREG, &p->expr->dreg);
}

static const struct wr_attr_policy cmp_policy[NFTA_CMP_DATA + 1] = {
	[NFTA_CMP_SREG] = {.type = MNL_TYPE_U32},
	[NFTA_CMP_OP] = {.type = MNL_TYPE_U32},
	[NFTA_CMP_DATA] = {.type = MNL_TYPE_NESTED},
};

static int read_cmp(const struct parsing *p)
{
	int r = get_register(p, NFTA_CMP_SREG, &p->expr->sreg);

	p->expr->cmp.op = get_u32(p, NFTA_CMP_OP);
	return r == 0 ? get_value(p, NFTA_CMP_DATA, &p->expr->cmp.value) : r;
}

static const struct wr_attr_policy range_policy[NFTA_RANGE_TO_DATA + 1] = {
	[NFTA_RANGE_SREG] = {.type = MNL_TYPE_U32},
	[NFTA_RANGE_OP] = {.type = MNL_TYPE_U32},
	[NFTA_RANGE_FROM_DATA] = {.type = MNL_TYPE_NESTED},
	[NFTA_RANGE_TO_DATA] = {.type = MNL_TYPE_NESTED},
};

static int read_range(const struct parsing *p)
{
	int r = get_register(p, NFTA_RANGE_SREG, &p->expr->sreg);

	p->expr->range.op = get_u32(p, NFTA_RANGE_OP);
	if (r == 0)
		r = new_value(p, NFTA_RANGE_FROM_DATA, &p->expr->range.from);
	if (r == 0)
		r = new_value(p, NFTA_RANGE_TO_DATA, &p->expr->range.to);
	return r == 0 && p->expr->range.from->length != p->expr->range.to->length ? BEYOND : r;
}

static const struct wr_attr_policy bitwise_policy[NFTA_BITWISE_OP + 1] = {
	[NFTA_BITWISE_SREG] = {.type = MNL_TYPE_U32},	[NFTA_BITWISE_DREG] = {.type = MNL_TYPE_U32},
	[NFTA_BITWISE_LEN] = {.type = MNL_TYPE_U32},	[NFTA_BITWISE_MASK] = {.type = MNL_TYPE_NESTED},
	[NFTA_BITWISE_XOR] = {.type = MNL_TYPE_NESTED}, [NFTA_BITWISE_OP] = {.type = MNL_TYPE_U32},
};

static int read_bitwise(const struct parsing *p)
{
	int r = get_register(p, NFTA_BITWISE_SREG, &p->expr->sreg);

	p->expr->bitwise.length = get_u32(p, NFTA_BITWISE_LEN);
	if (get_u32(p, NFTA_BITWISE_OP) != BITWISE_MASK_XOR)
		return BEYOND;
	if (r == 0)
		r = get_register(p, NFTA_BITWISE_DREG, &p->expr->dreg);
	if (r == 0)
		r = new_value(p, NFTA_BITWISE_MASK, &p->expr->bitwise.mask);
	if (r == 0)
		r = new_value(p, NFTA_BITWISE_XOR, &p->expr->bitwise.xor);
	if (r == 0 && (p->expr->bitwise.mask->length != p->expr->bitwise.length ||
		       p->expr->bitwise.xor->length != p->expr->bitwise.length))
		return BEYOND;
	return r;
}

static const struct wr_attr_policy lookup_policy[NFTA_LOOKUP_FLAGS + 1] = {
	[NFTA_LOOKUP_SET] = {.type = MNL_TYPE_NUL_STRING}, [NFTA_LOOKUP_SREG] = {.type = MNL_TYPE_U32},
	[NFTA_LOOKUP_DREG] = {.type = MNL_TYPE_U32},	   [NFTA_LOOKUP_SET_ID] = {.type = MNL_TYPE_U32},
	[NFTA_LOOKUP_FLAGS] = {.type = MNL_TYPE_U32},
};

static int read_lookup(const struct parsing *p)
{
	uint32_t flags = get_u32(p, NFTA_LOOKUP_FLAGS);
	int r = get_register(p, NFTA_LOOKUP_SREG, &p->expr->sreg);

	if ((flags & ~(uint32_t)NFT_LOOKUP_F_INV) != 0)
		return BEYOND;
	p->expr->lookup.inverted = flags != 0;
	p->expr->lookup.has_dreg = p->attrs[NFTA_LOOKUP_DREG] != NULL;
	if (r == 0)
		r = get_register(p, NFTA_LOOKUP_DREG, &p->expr->dreg);
	return r == 0 ? get_string(p, NFTA_LOOKUP_SET, &p->expr->lookup.set) : r;
}

static const struct wr_attr_policy immediate_policy[NFTA_IMMEDIATE_DATA + 1] = {
	[NFTA_IMMEDIATE_DREG] = {.type = MNL_TYPE_U32},
	[NFTA_IMMEDIATE_DATA] = {.type = MNL_TYPE_NESTED},
};

static int read_immediate(const struct parsing *p)
{
	struct wr_nft_expr *expr = p->expr;
	const struct nlattr *verdict = find_data(p, NFTA_IMMEDIATE_DATA, NFTA_DATA_VERDICT);
	int r = get_register(p, NFTA_IMMEDIATE_DREG, &expr->dreg);

	if (r != 0)
		return r;
	if (expr->dreg != NFT_REG_VERDICT)
		return new_value(p, NFTA_IMMEDIATE_DATA, &expr->immediate.value);
	if (verdict == NULL)
		return BEYOND;
	r = wr_decode_nft_verdict(verdict, p->arena, &expr->immediate.verdict, &expr->immediate.chain);
	return r == -ENOMEM || r == 0 ? r : BEYOND;
}

static const struct wr_attr_policy ct_policy[NFTA_CT_SREG + 1] = {
	[NFTA_CT_DREG] = {.type = MNL_TYPE_U32},
	[NFTA_CT_KEY] = {.type = MNL_TYPE_U32},
	[NFTA_CT_DIRECTION] = {.type = MNL_TYPE_U8},
	[NFTA_CT_SREG] = {.type = MNL_TYPE_U32},
};

static int read_ct(const struct parsing *p)
{
	const struct nlattr *direction = p->attrs[NFTA_CT_DIRECTION];
	int r = get_register(p, NFTA_CT_DREG, &p->expr->dreg);

	if (r == 0)
		r = get_register(p, NFTA_CT_SREG, &p->expr->sreg);
	p->expr->ct.key = get_u32(p, NFTA_CT_KEY);
	p->expr->ct.direction = -1;
	if (direction != NULL && mnl_attr_get_u8(direction) < IP_CT_DIR_MAX)
		p->expr->ct.direction = (int8_t)mnl_attr_get_u8(direction);
	return r == 0 && (p->expr->dreg == 0) == (p->expr->sreg == 0) ? BEYOND : r;
}

static const struct wr_attr_policy fib_policy[NFTA_FIB_FLAGS + 1] = {
	[NFTA_FIB_DREG] = {.type = MNL_TYPE_U32},
	[NFTA_FIB_RESULT] = {.type = MNL_TYPE_U32},
	[NFTA_FIB_FLAGS] = {.type = MNL_TYPE_U32},
};

static int read_fib(const struct parsing *p)
{
	p->expr->fib.result = get_u32(p, NFTA_FIB_RESULT);
	p->expr->fib.flags = get_u32(p, NFTA_FIB_FLAGS);
	return get_register(p, NFTA_FIB_DREG, &p->expr->dreg);
}

static const struct wr_attr_policy exthdr_policy[NFTA_EXTHDR_OP + 1] = {
	[NFTA_EXTHDR_DREG] = {.type = MNL_TYPE_U32},   [NFTA_EXTHDR_TYPE] = {.type = MNL_TYPE_U8},
	[NFTA_EXTHDR_OFFSET] = {.type = MNL_TYPE_U32}, [NFTA_EXTHDR_LEN] = {.type = MNL_TYPE_U32},
	[NFTA_EXTHDR_FLAGS] = {.type = MNL_TYPE_U32},  [NFTA_EXTHDR_OP] = {.type = MNL_TYPE_U32},
};

static int read_exthdr(const struct parsing *p)
{
	p->expr->exthdr.op = get_u32(p, NFTA_EXTHDR_OP);
	p->expr->exthdr.flags = get_u32(p, NFTA_EXTHDR_FLAGS);
	p->expr->exthdr.type = mnl_attr_get_u8(p->attrs[NFTA_EXTHDR_TYPE]);
	p->expr->exthdr.offset = get_u32(p, NFTA_EXTHDR_OFFSET);
	p->expr->exthdr.length = get_u32(p, NFTA_EXTHDR_LEN);
	return get_register(p, NFTA_EXTHDR_DREG, &p->expr->dreg);
}

/* --- what is done ----------------------------------------------------------------------------------------------------- */

static const struct wr_attr_policy counter_policy[NFTA_COUNTER_PAD + 1] = {
	[NFTA_COUNTER_BYTES] = {.type = MNL_TYPE_U64},
	[NFTA_COUNTER_PACKETS] = {.type = MNL_TYPE_U64},
	[NFTA_COUNTER_PAD] = {.type = MNL_TYPE_FLAG},
};

static int read_counter(const struct parsing *p)
{
	p->expr->counter.packets = wr_decode_nft_u64(p->attrs[NFTA_COUNTER_PACKETS]);
	p->expr->counter.bytes = wr_decode_nft_u64(p->attrs[NFTA_COUNTER_BYTES]);
	return 0;
}

static const struct wr_attr_policy limit_policy[NFTA_LIMIT_PAD + 1] = {
	[NFTA_LIMIT_RATE] = {.type = MNL_TYPE_U64},  [NFTA_LIMIT_UNIT] = {.type = MNL_TYPE_U64},
	[NFTA_LIMIT_BURST] = {.type = MNL_TYPE_U32}, [NFTA_LIMIT_TYPE] = {.type = MNL_TYPE_U32},
	[NFTA_LIMIT_FLAGS] = {.type = MNL_TYPE_U32}, [NFTA_LIMIT_PAD] = {.type = MNL_TYPE_FLAG},
};

static int read_limit(const struct parsing *p)
{
	p->expr->limit.rate = wr_decode_nft_u64(p->attrs[NFTA_LIMIT_RATE]);
	p->expr->limit.unit = wr_decode_nft_u64(p->attrs[NFTA_LIMIT_UNIT]);
	p->expr->limit.burst = get_u32(p, NFTA_LIMIT_BURST);
	p->expr->limit.type = get_u32(p, NFTA_LIMIT_TYPE);
	p->expr->limit.flags = get_u32(p, NFTA_LIMIT_FLAGS);
	return 0;
}

static const struct wr_attr_policy log_policy[NFTA_LOG_FLAGS + 1] = {
	[NFTA_LOG_GROUP] = {.type = MNL_TYPE_U16},
	[NFTA_LOG_PREFIX] = {.type = MNL_TYPE_NUL_STRING},
	[NFTA_LOG_LEVEL] = {.type = MNL_TYPE_U32},
	[NFTA_LOG_FLAGS] = {.type = MNL_TYPE_U32},
};

static int read_log(const struct parsing *p)
{
	const struct nlattr *group = p->attrs[NFTA_LOG_GROUP];

	p->expr->log.group = group != NULL ? be16toh(mnl_attr_get_u16(group)) : -1;
	p->expr->log.level = get_u32(p, NFTA_LOG_LEVEL);
	p->expr->log.flags = get_u32(p, NFTA_LOG_FLAGS);
	return get_string(p, NFTA_LOG_PREFIX, &p->expr->log.prefix);
}

static const struct wr_attr_policy reject_policy[NFTA_REJECT_ICMP_CODE + 1] = {
	[NFTA_REJECT_TYPE] = {.type = MNL_TYPE_U32},
	[NFTA_REJECT_ICMP_CODE] = {.type = MNL_TYPE_U8},
};

static int read_reject(const struct parsing *p)
{
	const struct nlattr *code = p->attrs[NFTA_REJECT_ICMP_CODE];

	p->expr->reject.type = get_u32(p, NFTA_REJECT_TYPE);
	p->expr->reject.code = code != NULL ? mnl_attr_get_u8(code) : 0;
	return 0;
}

/* What the kernel adds to the flags of a translation: that its registers are there. */
static uint32_t get_nat_flags(const struct parsing *p, unsigned attr)
{
	return get_u32(p, attr) & ~(uint32_t)(NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED);
}

static const struct wr_attr_policy nat_policy[NFTA_NAT_FLAGS + 1] = {
	[NFTA_NAT_TYPE] = {.type = MNL_TYPE_U32},	   [NFTA_NAT_FAMILY] = {.type = MNL_TYPE_U32},
	[NFTA_NAT_REG_ADDR_MIN] = {.type = MNL_TYPE_U32},  [NFTA_NAT_REG_ADDR_MAX] = {.type = MNL_TYPE_U32},
	[NFTA_NAT_REG_PROTO_MIN] = {.type = MNL_TYPE_U32}, [NFTA_NAT_REG_PROTO_MAX] = {.type = MNL_TYPE_U32},
	[NFTA_NAT_FLAGS] = {.type = MNL_TYPE_U32},
};

static int read_nat(const struct parsing *p)
{
	struct wr_nft_expr *expr = p->expr;
	int r = get_registers(p, NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_ADDR_MAX, &expr->nat.address_min,
			      &expr->nat.address_max);

	expr->nat.type = get_u32(p, NFTA_NAT_TYPE);
	expr->nat.family = get_u32(p, NFTA_NAT_FAMILY);
	expr->nat.flags = get_nat_flags(p, NFTA_NAT_FLAGS);
	if (r == 0)
		r = get_registers(p, NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_REG_PROTO_MAX, &expr->nat.port_min,
				  &expr->nat.port_max);
	return r;
}

static const struct wr_attr_policy masq_policy[NFTA_MASQ_REG_PROTO_MAX + 1] = {
	[NFTA_MASQ_FLAGS] = {.type = MNL_TYPE_U32},
	[NFTA_MASQ_REG_PROTO_MIN] = {.type = MNL_TYPE_U32},
	[NFTA_MASQ_REG_PROTO_MAX] = {.type = MNL_TYPE_U32},
};

static int read_masq(const struct parsing *p)
{
	p->expr->masq.flags = get_nat_flags(p, NFTA_MASQ_FLAGS);
	return get_registers(p, NFTA_MASQ_REG_PROTO_MIN, NFTA_MASQ_REG_PROTO_MAX, &p->expr->masq.port_min,
			     &p->expr->masq.port_max);
}

static const struct wr_attr_policy redir_policy[NFTA_REDIR_FLAGS + 1] = {
	[NFTA_REDIR_REG_PROTO_MIN] = {.type = MNL_TYPE_U32},
	[NFTA_REDIR_REG_PROTO_MAX] = {.type = MNL_TYPE_U32},
	[NFTA_REDIR_FLAGS] = {.type = MNL_TYPE_U32},
};

static int read_redir(const struct parsing *p)
{
	p->expr->redir.flags = get_nat_flags(p, NFTA_REDIR_FLAGS);
	return get_registers(p, NFTA_REDIR_REG_PROTO_MIN, NFTA_REDIR_REG_PROTO_MAX, &p->expr->redir.port_min,
			     &p->expr->redir.port_max);
}

static const struct wr_attr_policy dynset_policy[NFTA_DYNSET_FLAGS + 1] = {
	[NFTA_DYNSET_SET_NAME] = {.type = MNL_TYPE_NUL_STRING},
	[NFTA_DYNSET_SET_ID] = {.type = MNL_TYPE_U32},
	[NFTA_DYNSET_OP] = {.type = MNL_TYPE_U32},
	[NFTA_DYNSET_SREG_KEY] = {.type = MNL_TYPE_U32},
	[NFTA_DYNSET_SREG_DATA] = {.type = MNL_TYPE_U32},
	[NFTA_DYNSET_TIMEOUT] = {.type = MNL_TYPE_U64},
	[NFTA_DYNSET_EXPR] = {.type = MNL_TYPE_NESTED},
	[NFTA_DYNSET_PAD] = {.type = MNL_TYPE_FLAG},
	[NFTA_DYNSET_FLAGS] = {.type = MNL_TYPE_U32},
};

static int read_dynset(const struct parsing *p)
{
	struct wr_nft_expr *expr = p->expr;
	const struct nlattr *inner = p->attrs[NFTA_DYNSET_EXPR], *timeout = p->attrs[NFTA_DYNSET_TIMEOUT];
	uint32_t flags = get_u32(p, NFTA_DYNSET_FLAGS);
	uint64_t packets, bytes;
	int r = get_register(p, NFTA_DYNSET_SREG_KEY, &expr->dynset.key);

	if ((flags & ~(uint32_t)(NFT_DYNSET_F_INV | NFT_DYNSET_F_EXPR)) != 0 ||
	    (inner != NULL && !wr_decode_nft_counter(inner, &packets, &bytes)))
		return BEYOND;
	expr->dynset.op = get_u32(p, NFTA_DYNSET_OP);
	expr->dynset.inverted = (flags & NFT_DYNSET_F_INV) != 0;
	expr->dynset.counted = inner != NULL;
	expr->dynset.timeout_ms = timeout != NULL ? wr_decode_nft_u64(timeout) : 0;
	if (r == 0)
		r = get_register(p, NFTA_DYNSET_SREG_DATA, &expr->dynset.data);
	return r == 0 ? get_string(p, NFTA_DYNSET_SET_NAME, &expr->dynset.set) : r;
}

/* --- the rows --------------------------------------------------------------------------------------------------------- */

static const struct wr_attr_policy other_policy[1];

static int read_other(const struct parsing *p)
{
	return BEYOND;
}

/* What the kernel always says of one: readers take it for granted. */
enum {
	meta_needs = NEED(NFTA_META_KEY),
	payload_needs =
		NEED(NFTA_PAYLOAD_DREG) | NEED(NFTA_PAYLOAD_BASE) | NEED(NFTA_PAYLOAD_OFFSET) | NEED(NFTA_PAYLOAD_LEN),
	cmp_needs = NEED(NFTA_CMP_SREG) | NEED(NFTA_CMP_OP) | NEED(NFTA_CMP_DATA),
	range_needs =
		NEED(NFTA_RANGE_SREG) | NEED(NFTA_RANGE_OP) | NEED(NFTA_RANGE_FROM_DATA) | NEED(NFTA_RANGE_TO_DATA),
	bitwise_needs = NEED(NFTA_BITWISE_SREG) | NEED(NFTA_BITWISE_DREG) | NEED(NFTA_BITWISE_LEN) |
			NEED(NFTA_BITWISE_MASK) | NEED(NFTA_BITWISE_XOR),
	lookup_needs = NEED(NFTA_LOOKUP_SET) | NEED(NFTA_LOOKUP_SREG),
	immediate_needs = NEED(NFTA_IMMEDIATE_DREG) | NEED(NFTA_IMMEDIATE_DATA),
	ct_needs = NEED(NFTA_CT_KEY),
	fib_needs = NEED(NFTA_FIB_DREG) | NEED(NFTA_FIB_RESULT) | NEED(NFTA_FIB_FLAGS),
	exthdr_needs =
		NEED(NFTA_EXTHDR_DREG) | NEED(NFTA_EXTHDR_TYPE) | NEED(NFTA_EXTHDR_OFFSET) | NEED(NFTA_EXTHDR_LEN),
	counter_needs = NEED(NFTA_COUNTER_BYTES) | NEED(NFTA_COUNTER_PACKETS),
	limit_needs = NEED(NFTA_LIMIT_RATE) | NEED(NFTA_LIMIT_UNIT),
	log_needs = 0,
	reject_needs = NEED(NFTA_REJECT_TYPE),
	nat_needs = NEED(NFTA_NAT_TYPE) | NEED(NFTA_NAT_FAMILY),
	masq_needs = 0,
	redir_needs = 0,
	dynset_needs = NEED(NFTA_DYNSET_SET_NAME) | NEED(NFTA_DYNSET_OP) | NEED(NFTA_DYNSET_SREG_KEY),
	other_needs = 0,
};

struct row {
	const char *name;
	const struct wr_attr_policy *policy;
	uint16_t n_policy;
	uint32_t needs;
	int (*read)(const struct parsing *p);
};

static const struct row rows[WR_NFT_EXPR_COUNT_] = {
#define X(name, text)                                                                                                  \
	[WR_NFT_##name] = {text, name##_policy, sizeof name##_policy / sizeof name##_policy[0], name##_needs,          \
			   read_##name},
	WR_NFT_EXPRS(X)
#undef X
};

#define ROW_FITS(name, text)                                                                                           \
	_Static_assert(sizeof name##_policy / sizeof name##_policy[0] <= ATTRS_MAX, "room for " text);
WR_NFT_EXPRS(ROW_FITS)

static enum wr_nft_expr_kind find_kind(const char *name)
{
	for (int kind = 0; kind < WR_NFT_other; kind++)
		if (strcmp(rows[kind].name, name) == 0)
			return (enum wr_nft_expr_kind)kind;
	return WR_NFT_other;
}

/* Whether a row knows each attribute that is there. */
static bool knows_all(const struct row *row, const struct nlattr *data)
{
	struct wr_nft_list list = wr_decode_nft_list(data);
	const struct nlattr *attr;

	while ((attr = wr_decode_nft_next(&list)) != NULL) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type >= row->n_policy ||
		    (row->policy[type].type == MNL_TYPE_UNSPEC && row->policy[type].min_size == 0))
			return false;
	}
	return list.left == 0;
}

/* Returns 0, BEYOND or -ENOMEM. */
static int read_by_row(const struct row *row, const struct nlattr *data, struct wr_arena *arena,
		       struct wr_nft_expr *expr)
{
	struct parsing p = {.arena = arena, .expr = expr};

	if (!knows_all(row, data) ||
	    wr_attr_parse_nested(data, row->policy, (uint16_t)(row->n_policy - 1), p.attrs, NULL) < 0)
		return BEYOND;
	for (unsigned i = 0; i < row->n_policy; i++)
		if ((row->needs & NEED(i)) != 0 && p.attrs[i] == NULL)
			return BEYOND;
	return row->read(&p);
}

/* Its name and bytes; of an extension of iptables also what that is called. */
static int keep_other(const char *name, const struct nlattr *data, struct wr_arena *arena, struct wr_nft_expr *expr)
{
	static const struct wr_attr_policy policy[NFTA_MATCH_NAME + 1] = {
		[NFTA_MATCH_NAME] = {.type = MNL_TYPE_NUL_STRING},
	};
	const struct nlattr *attrs[NFTA_MATCH_NAME + 1];
	bool is_extension = strcmp(name, "match") == 0 || strcmp(name, "target") == 0;

	_Static_assert((int)NFTA_MATCH_NAME == (int)NFTA_TARGET_NAME, "one policy for both");
	*expr = (struct wr_nft_expr){.kind = WR_NFT_other};
	expr->other.name = wr_arena_strdup(arena, name);
	if (expr->other.name == NULL)
		return -ENOMEM;
	if (data == NULL)
		return 0;
	expr->other.length = mnl_attr_get_payload_len(data);
	expr->other.bytes = wr_arena_memdup(arena, mnl_attr_get_payload(data), expr->other.length);
	if (expr->other.bytes == NULL)
		return -ENOMEM;
	if (is_extension && wr_attr_parse_nested(data, policy, NFTA_MATCH_NAME, attrs, NULL) == 0 &&
	    attrs[NFTA_MATCH_NAME] != NULL) {
		expr->other.says = wr_arena_strdup(arena, mnl_attr_get_str(attrs[NFTA_MATCH_NAME]));
		if (expr->other.says == NULL)
			return -ENOMEM;
	}
	return 0;
}

static const struct wr_attr_policy expr_policy[NFTA_EXPR_DATA + 1] = {
	[NFTA_EXPR_NAME] = {.type = MNL_TYPE_NUL_STRING},
	[NFTA_EXPR_DATA] = {.type = MNL_TYPE_NESTED},
};

int wr_decode_nft_expr(const struct nlattr *attr, struct wr_arena *arena, struct wr_nft_expr *ret,
		       struct wr_error *reterr)
{
	const struct nlattr *attrs[NFTA_EXPR_DATA + 1];
	const char *name;
	enum wr_nft_expr_kind kind;
	int r = wr_attr_parse_nested(attr, expr_policy, NFTA_EXPR_DATA, attrs, reterr);

	if (r < 0)
		return r;
	if (attrs[NFTA_EXPR_NAME] == NULL)
		return wr_fail(reterr, WR_ERR_KERNEL, -EBADMSG, "the kernel lists an expression without a name");
	name = mnl_attr_get_str(attrs[NFTA_EXPR_NAME]);
	kind = attrs[NFTA_EXPR_DATA] != NULL ? find_kind(name) : WR_NFT_other;
	*ret = (struct wr_nft_expr){.kind = (uint8_t)kind};
	r = kind == WR_NFT_other ? BEYOND : read_by_row(&rows[kind], attrs[NFTA_EXPR_DATA], arena, ret);
	if (r == BEYOND)
		r = keep_other(name, attrs[NFTA_EXPR_DATA], arena, ret);
	return r == -ENOMEM ? wr_fail_memory(reterr) : r;
}

bool wr_decode_nft_counter(const struct nlattr *attr, uint64_t *ret_packets, uint64_t *ret_bytes)
{
	const struct nlattr *attrs[NFTA_EXPR_DATA + 1];
	struct wr_nft_expr expr = {.kind = WR_NFT_counter};

	if (wr_attr_parse_nested(attr, expr_policy, NFTA_EXPR_DATA, attrs, NULL) < 0 || attrs[NFTA_EXPR_NAME] == NULL ||
	    attrs[NFTA_EXPR_DATA] == NULL ||
	    strcmp(mnl_attr_get_str(attrs[NFTA_EXPR_NAME]), rows[WR_NFT_counter].name) != 0 ||
	    read_by_row(&rows[WR_NFT_counter], attrs[NFTA_EXPR_DATA], NULL, &expr) != 0)
		return false;
	*ret_packets = expr.counter.packets;
	*ret_bytes = expr.counter.bytes;
	return true;
}
