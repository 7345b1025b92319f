/* nft_expr.c: expressions of rules to libnftnl, one function for each kind.
 *
 * A rule is the kernel's own program, so this is a matter of names: nothing is chosen here. An attribute that says what the
 * kernel takes anyway (no flags, no range of ports) is left out, as nft leaves it out. */
#include <errno.h>
#include <stdio.h> /* libnftnl/expr.h relies on it */
#include <string.h>

#include <netinet/in.h> /* before linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_tables.h>

#include <libnftnl/expr.h>

#include "base/error.h"
#include "kernel/nft_parts.h"
#include "model/nft.h"

/* A name of a set or of a chain must be there, and short enough for WR_NFT_EXPR_BYTES. */
static int put_name(struct nftnl_expr *to, uint16_t attribute, const char *name)
{
	if (name == NULL)
		return -EINVAL;
	if (strlen(name) >= NFT_NAME_MAXLEN)
		return -ENAMETOOLONG;
	return nftnl_expr_set_str(to, attribute, name) < 0 ? -ENOMEM : 0;
}

static int put_value(struct nftnl_expr *to, uint16_t attribute, const struct wr_nft_value *value)
{
	if (value == NULL || value->length == 0 || value->length > sizeof value->bytes)
		return -EINVAL;
	return nftnl_expr_set(to, attribute, value->bytes, value->length) < 0 ? -ENOMEM : 0;
}

static void put_nonzero(struct nftnl_expr *to, uint16_t attribute, uint32_t number)
{
	if (number != 0)
		nftnl_expr_set_u32(to, attribute, number);
}

static int put_meta(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	nftnl_expr_set_u32(to, NFTNL_EXPR_META_KEY, expr->meta.key);
	if (expr->dreg != 0)
		nftnl_expr_set_u32(to, NFTNL_EXPR_META_DREG, expr->dreg);
	else
		nftnl_expr_set_u32(to, NFTNL_EXPR_META_SREG, expr->sreg);
	return 0;
}

static int put_payload(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	nftnl_expr_set_u32(to, NFTNL_EXPR_PAYLOAD_DREG, expr->dreg);
	nftnl_expr_set_u32(to, NFTNL_EXPR_PAYLOAD_BASE, expr->payload.base);
	nftnl_expr_set_u32(to, NFTNL_EXPR_PAYLOAD_OFFSET, expr->payload.offset);
	nftnl_expr_set_u32(to, NFTNL_EXPR_PAYLOAD_LEN, expr->payload.length);
	return 0;
}

static int put_cmp(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	nftnl_expr_set_u32(to, NFTNL_EXPR_CMP_SREG, expr->sreg);
	nftnl_expr_set_u32(to, NFTNL_EXPR_CMP_OP, expr->cmp.op);
	return put_value(to, NFTNL_EXPR_CMP_DATA, &expr->cmp.value);
}

static int put_range(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	int r;

	nftnl_expr_set_u32(to, NFTNL_EXPR_RANGE_SREG, expr->sreg);
	nftnl_expr_set_u32(to, NFTNL_EXPR_RANGE_OP, expr->range.op);
	r = put_value(to, NFTNL_EXPR_RANGE_FROM_DATA, expr->range.from);
	return r < 0 ? r : put_value(to, NFTNL_EXPR_RANGE_TO_DATA, expr->range.to);
}

static int put_bitwise(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	int r;

	nftnl_expr_set_u32(to, NFTNL_EXPR_BITWISE_SREG, expr->sreg);
	nftnl_expr_set_u32(to, NFTNL_EXPR_BITWISE_DREG, expr->dreg);
	nftnl_expr_set_u32(to, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(to, NFTNL_EXPR_BITWISE_LEN, expr->bitwise.length);
	r = put_value(to, NFTNL_EXPR_BITWISE_MASK, expr->bitwise.mask);
	return r < 0 ? r : put_value(to, NFTNL_EXPR_BITWISE_XOR, expr->bitwise.xor);
}

static int put_lookup(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	nftnl_expr_set_u32(to, NFTNL_EXPR_LOOKUP_SREG, expr->sreg);
	if (expr->lookup.has_dreg)
		nftnl_expr_set_u32(to, NFTNL_EXPR_LOOKUP_DREG, expr->dreg);
	put_nonzero(to, NFTNL_EXPR_LOOKUP_FLAGS, expr->lookup.inverted ? NFT_LOOKUP_F_INV : 0);
	return put_name(to, NFTNL_EXPR_LOOKUP_SET, expr->lookup.set);
}

static int put_immediate(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	nftnl_expr_set_u32(to, NFTNL_EXPR_IMM_DREG, expr->dreg);
	if (expr->dreg != NFT_REG_VERDICT)
		return put_value(to, NFTNL_EXPR_IMM_DATA, expr->immediate.value);
	nftnl_expr_set_u32(to, NFTNL_EXPR_IMM_VERDICT, (uint32_t)expr->immediate.verdict);
	return expr->immediate.chain == NULL ? 0 : put_name(to, NFTNL_EXPR_IMM_CHAIN, expr->immediate.chain);
}

static int put_ct(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	nftnl_expr_set_u32(to, NFTNL_EXPR_CT_KEY, expr->ct.key);
	if (expr->dreg != 0)
		nftnl_expr_set_u32(to, NFTNL_EXPR_CT_DREG, expr->dreg);
	else
		nftnl_expr_set_u32(to, NFTNL_EXPR_CT_SREG, expr->sreg);
	if (expr->ct.direction >= 0)
		nftnl_expr_set_u8(to, NFTNL_EXPR_CT_DIR, (uint8_t)expr->ct.direction);
	return 0;
}

static int put_fib(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	nftnl_expr_set_u32(to, NFTNL_EXPR_FIB_DREG, expr->dreg);
	nftnl_expr_set_u32(to, NFTNL_EXPR_FIB_RESULT, expr->fib.result);
	nftnl_expr_set_u32(to, NFTNL_EXPR_FIB_FLAGS, expr->fib.flags);
	return 0;
}

static int put_exthdr(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	nftnl_expr_set_u32(to, NFTNL_EXPR_EXTHDR_DREG, expr->dreg);
	nftnl_expr_set_u8(to, NFTNL_EXPR_EXTHDR_TYPE, expr->exthdr.type);
	nftnl_expr_set_u32(to, NFTNL_EXPR_EXTHDR_OFFSET, expr->exthdr.offset);
	nftnl_expr_set_u32(to, NFTNL_EXPR_EXTHDR_LEN, expr->exthdr.length);
	nftnl_expr_set_u32(to, NFTNL_EXPR_EXTHDR_OP, expr->exthdr.op);
	put_nonzero(to, NFTNL_EXPR_EXTHDR_FLAGS, expr->exthdr.flags);
	return 0;
}

/* One that begins at zero: what was counted is the kernel's to know. */
static int put_counter(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	return 0;
}

static int put_limit(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	nftnl_expr_set_u64(to, NFTNL_EXPR_LIMIT_RATE, expr->limit.rate);
	nftnl_expr_set_u64(to, NFTNL_EXPR_LIMIT_UNIT, expr->limit.unit);
	nftnl_expr_set_u32(to, NFTNL_EXPR_LIMIT_BURST, expr->limit.burst);
	nftnl_expr_set_u32(to, NFTNL_EXPR_LIMIT_TYPE, expr->limit.type);
	put_nonzero(to, NFTNL_EXPR_LIMIT_FLAGS, expr->limit.flags);
	return 0;
}

/* A group and a level exclude each other. */
static int put_log(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	if (expr->log.group >= 0)
		nftnl_expr_set_u16(to, NFTNL_EXPR_LOG_GROUP, (uint16_t)expr->log.group);
	else {
		nftnl_expr_set_u32(to, NFTNL_EXPR_LOG_LEVEL, expr->log.level);
		put_nonzero(to, NFTNL_EXPR_LOG_FLAGS, expr->log.flags);
	}
	if (expr->log.prefix == NULL)
		return 0;
	if (strlen(expr->log.prefix) >= NF_LOG_PREFIXLEN)
		return -ENAMETOOLONG;
	return nftnl_expr_set_str(to, NFTNL_EXPR_LOG_PREFIX, expr->log.prefix) < 0 ? -ENOMEM : 0;
}

static int put_reject(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	nftnl_expr_set_u32(to, NFTNL_EXPR_REJECT_TYPE, expr->reject.type);
	nftnl_expr_set_u8(to, NFTNL_EXPR_REJECT_CODE, expr->reject.code);
	return 0;
}

static int put_nat(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	nftnl_expr_set_u32(to, NFTNL_EXPR_NAT_TYPE, expr->nat.type);
	nftnl_expr_set_u32(to, NFTNL_EXPR_NAT_FAMILY, expr->nat.family);
	put_nonzero(to, NFTNL_EXPR_NAT_FLAGS, expr->nat.flags);
	put_nonzero(to, NFTNL_EXPR_NAT_REG_ADDR_MIN, expr->nat.address_min);
	put_nonzero(to, NFTNL_EXPR_NAT_REG_ADDR_MAX, expr->nat.address_max);
	put_nonzero(to, NFTNL_EXPR_NAT_REG_PROTO_MIN, expr->nat.port_min);
	put_nonzero(to, NFTNL_EXPR_NAT_REG_PROTO_MAX, expr->nat.port_max);
	return 0;
}

static int put_masq(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	put_nonzero(to, NFTNL_EXPR_MASQ_FLAGS, expr->masq.flags);
	put_nonzero(to, NFTNL_EXPR_MASQ_REG_PROTO_MIN, expr->masq.port_min);
	put_nonzero(to, NFTNL_EXPR_MASQ_REG_PROTO_MAX, expr->masq.port_max);
	return 0;
}

static int put_redir(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	put_nonzero(to, NFTNL_EXPR_REDIR_FLAGS, expr->redir.flags);
	put_nonzero(to, NFTNL_EXPR_REDIR_REG_PROTO_MIN, expr->redir.port_min);
	put_nonzero(to, NFTNL_EXPR_REDIR_REG_PROTO_MAX, expr->redir.port_max);
	return 0;
}

static int put_dynset(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	struct nftnl_expr *counter;

	nftnl_expr_set_u32(to, NFTNL_EXPR_DYNSET_OP, expr->dynset.op);
	nftnl_expr_set_u32(to, NFTNL_EXPR_DYNSET_SREG_KEY, expr->dynset.key);
	put_nonzero(to, NFTNL_EXPR_DYNSET_SREG_DATA, expr->dynset.data);
	put_nonzero(to, NFTNL_EXPR_DYNSET_FLAGS, expr->dynset.inverted ? NFT_DYNSET_F_INV : 0);
	if (expr->dynset.timeout_ms != 0)
		nftnl_expr_set_u64(to, NFTNL_EXPR_DYNSET_TIMEOUT, expr->dynset.timeout_ms);
	if (expr->dynset.counted) {
		counter = nftnl_expr_alloc("counter");
		if (counter == NULL)
			return -ENOMEM;
		if (nftnl_expr_set(to, NFTNL_EXPR_DYNSET_EXPR, counter, 0) < 0) {
			nftnl_expr_free(counter);
			return -ENOMEM;
		}
	}
	return put_name(to, NFTNL_EXPR_DYNSET_SET_NAME, expr->dynset.set);
}

/* Read from somebody else's rule, without understanding it. */
static int put_other(struct nftnl_expr *to, const struct wr_nft_expr *expr)
{
	return -EOPNOTSUPP;
}

int wr_nft_expr_make(const struct wr_nft_expr *expr, struct nftnl_expr **ret, struct wr_error *reterr)
{
	static int (*const putters[WR_NFT_EXPR_COUNT_])(struct nftnl_expr * to, const struct wr_nft_expr *expr) = {
#define X(name, text) [WR_NFT_##name] = put_##name,
		WR_NFT_EXPRS(X)
#undef X
	};
	const char *name = wr_nft_expr_name(expr->kind);
	struct nftnl_expr *made;
	int r;

	if (expr->kind >= WR_NFT_EXPR_COUNT_ || expr->kind == WR_NFT_other) {
		name = expr->kind == WR_NFT_other && expr->other.name != NULL ? expr->other.name : "?";
		return wr_fail(reterr, WR_ERR_UNSUPPORTED, -EOPNOTSUPP, "the expression '%s' can be read but not made",
			       name);
	}
	made = nftnl_expr_alloc(name);
	r = made == NULL ? -ENOMEM : putters[expr->kind](made, expr);
	if (r == 0) {
		*ret = made;
		return 0;
	}
	if (made != NULL)
		nftnl_expr_free(made);
	if (r == -ENOMEM)
		return wr_fail_memory(reterr);
	return wr_fail(reterr, WR_ERR_SYSTEM, r, "the expression '%s' %s", name,
		       r == -EINVAL ? "lacks a value" : "has a name that is too long");
}
