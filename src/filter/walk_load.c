/* walk_load.c: registers, and what is loaded into them of a packet that is known in part. */
#include <netinet/in.h>
#include <string.h>

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>

#include "filter/walk_parts.h"
#include "model/nft.h"

#define HEADER_SIZE 40 /* of IPv6; IPv4's is shorter */

/* --- values ---------------------------------------------------------------------------------------------------------- */

/* The place of a register in bytes; false: no such register, or it does not hold that much. */
static bool find_register(uint8_t reg, size_t length, size_t *ret)
{
	if (reg < NFT_REG32_00 || reg > NFT_REG32_15)
		return false;
	*ret = (size_t)(reg - NFT_REG32_00) * NFT_REG32_SIZE;
	return length <= WR_WALK_BYTES - *ret;
}

void wr_walk_load(struct wr_walk *walk, uint8_t reg, const uint8_t *value, const uint8_t *known, size_t length)
{
	size_t at, whole = (length + NFT_REG32_SIZE - 1) / NFT_REG32_SIZE * NFT_REG32_SIZE;

	if (!find_register(reg, whole, &at))
		return;
	memset(walk->registers.value + at, 0, whole);
	memset(walk->registers.known + at, 0xff, whole);
	memset(walk->registers.known + at, 0, length);
	if (!known)
		return;
	memcpy(walk->registers.known + at, known, length);
	for (size_t i = 0; i < length; i++)
		walk->registers.value[at + i] = value[i] & known[i];
}

void wr_walk_load_known(struct wr_walk *walk, uint8_t reg, const void *value, size_t length)
{
	uint8_t known[WR_NFT_VALUE_MAX];

	memset(known, 0xff, sizeof known);
	wr_walk_load(walk, reg, value, known, length < sizeof known ? length : sizeof known);
}

bool wr_walk_get(const struct wr_walk *walk, uint8_t reg, size_t length, struct wr_span *ret)
{
	size_t at;

	if (length > WR_NFT_VALUE_MAX || !find_register(reg, length, &at))
		return false;
	ret->length = length;
	for (size_t i = 0; i < length; i++) {
		ret->low[i] = walk->registers.value[at + i];
		ret->high[i] = (uint8_t)(ret->low[i] | (uint8_t)~walk->registers.known[at + i]);
	}
	return true;
}

enum wr_walk_answer wr_span_equals(const struct wr_span *span, const uint8_t *bytes)
{
	bool known = true;

	for (size_t i = 0; i < span->length; i++) {
		uint8_t certain = (uint8_t) ~(span->low[i] ^ span->high[i]);

		if ((span->low[i] ^ bytes[i]) & certain)
			return WR_WALK_NO;
		known = known && certain == 0xff;
	}
	return known ? WR_WALK_YES : WR_WALK_UNDECIDED;
}

enum wr_walk_answer wr_span_within(const struct wr_span *span, const uint8_t *first, const uint8_t *last)
{
	if ((first && memcmp(span->high, first, span->length) < 0) ||
	    (last && memcmp(span->low, last, span->length) > 0))
		return WR_WALK_NO;
	return (!first || memcmp(span->low, first, span->length) >= 0) &&
			       (!last || memcmp(span->high, last, span->length) <= 0)
		       ? WR_WALK_YES
		       : WR_WALK_UNDECIDED;
}

/* --- what loads registers -------------------------------------------------------------------------------------------- */

static void load_ifname(struct wr_walk *walk, uint8_t reg, const char *name)
{
	char padded[16] = "";

	if (!name) {
		wr_walk_load(walk, reg, NULL, NULL, sizeof padded);
		return;
	}
	memcpy(padded, name, strnlen(name, sizeof padded - 1));
	wr_walk_load_known(walk, reg, padded, sizeof padded);
}

static void load_number(struct wr_walk *walk, uint8_t reg, uint32_t number, bool known)
{
	if (known)
		wr_walk_load_known(walk, reg, &number, sizeof number);
	else
		wr_walk_load(walk, reg, NULL, NULL, sizeof number);
}

static uint16_t ethertype(const struct wr_flow *flow)
{
	return htons(flow->to.family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
}

void wr_walk_load_meta(struct wr_walk *walk, const struct wr_nft_expr *expr)
{
	const struct wr_flow *flow = walk->flow;
	uint8_t byte = flow->to.family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
	uint16_t protocol = ethertype(flow);

	switch (expr->meta.key) {
	case NFT_META_IIFNAME:
		load_ifname(walk, expr->dreg, flow->iif);
		return;
	case NFT_META_OIFNAME:
		load_ifname(walk, expr->dreg, flow->oif);
		return;
	case NFT_META_BRI_IIFNAME:
	case NFT_META_BRI_OIFNAME:
		load_ifname(walk, expr->dreg, flow->bridge);
		return;
	case NFT_META_IIFGROUP:
		load_number(walk, expr->dreg, flow->iifgroup, flow->iif != NULL);
		return;
	case NFT_META_OIFGROUP:
		load_number(walk, expr->dreg, flow->oifgroup, flow->oif != NULL);
		return;
	case NFT_META_IIF:
		load_number(walk, expr->dreg, flow->iifindex, flow->iifindex != 0);
		return;
	case NFT_META_OIF:
		load_number(walk, expr->dreg, flow->oifindex, flow->oifindex != 0);
		return;
	case NFT_META_NFPROTO:
		wr_walk_load_known(walk, expr->dreg, &byte, sizeof byte);
		return;
	case NFT_META_PROTOCOL:
		wr_walk_load_known(walk, expr->dreg, &protocol, sizeof protocol);
		return;
	case NFT_META_L4PROTO:
		wr_walk_load(walk, expr->dreg, NULL, NULL, 1);
		if (flow->protocol)
			wr_walk_load_known(walk, expr->dreg, &flow->protocol, 1);
		return;
	default: /* the longest that there is: all of it unknown */
		wr_walk_load(walk, expr->dreg, NULL, NULL, 16);
		return;
	}
}

static void know(struct wr_walk_bits *bits, size_t offset, const void *value, size_t length)
{
	memcpy(bits->value + offset, value, length);
	memset(bits->known + offset, 0xff, length);
}

static void know_ip(struct wr_walk_bits *bits, size_t offset, const struct wr_ip *ip)
{
	if (ip->family && !wr_ip_is_unspecified(ip))
		know(bits, offset, ip->bytes, wr_ip_size(ip));
}

static void make_network_header(const struct wr_flow *flow, struct wr_walk_bits *bits)
{
	bool is_v4 = flow->to.family == AF_INET;

	know_ip(bits, is_v4 ? 12 : 8, &flow->from);
	know_ip(bits, is_v4 ? 16 : 24, &flow->to);
	if (flow->protocol)
		know(bits, is_v4 ? 9 : 6, &flow->protocol, 1);
}

void wr_walk_load_payload(struct wr_walk *walk, const struct wr_nft_expr *expr)
{
	const struct wr_flow *flow = walk->flow;
	struct wr_walk_bits header = {{0}, {0}};
	uint16_t port = htons(flow->port), type = ethertype(flow);

	_Static_assert(HEADER_SIZE <= WR_WALK_BYTES, "a header fits");
	if (expr->payload.base == NFT_PAYLOAD_NETWORK_HEADER)
		make_network_header(flow, &header);
	else if (expr->payload.base == NFT_PAYLOAD_TRANSPORT_HEADER && flow->protocol && flow->port)
		know(&header, 2, &port, sizeof port);
	else if (expr->payload.base == NFT_PAYLOAD_LL_HEADER)
		know(&header, 12, &type, sizeof type);
	if (expr->payload.length > WR_WALK_BYTES)
		return;
	if (expr->payload.offset > WR_WALK_BYTES - expr->payload.length)
		wr_walk_load(walk, expr->dreg, NULL, NULL, expr->payload.length);
	else
		wr_walk_load(walk, expr->dreg, header.value + expr->payload.offset, header.known + expr->payload.offset,
			     expr->payload.length);
}

void wr_walk_load_ct(struct wr_walk *walk, const struct wr_nft_expr *expr)
{
	const struct wr_flow *flow = walk->flow;
	uint32_t state = flow->is_new ? NF_CT_STATE_BIT(IP_CT_NEW) : NF_CT_STATE_BIT(IP_CT_ESTABLISHED);
	uint32_t status = flow->is_translated ? IPS_DST_NAT : 0, known = IPS_DST_NAT;
	uint8_t direction = flow->is_new ? IP_CT_DIR_ORIGINAL : IP_CT_DIR_REPLY;

	switch (expr->ct.key) {
	case NFT_CT_STATE:
		wr_walk_load_known(walk, expr->dreg, &state, sizeof state);
		return;
	case NFT_CT_STATUS:
		wr_walk_load(walk, expr->dreg, (const uint8_t *)&status, (const uint8_t *)&known, sizeof status);
		return;
	case NFT_CT_DIRECTION:
		wr_walk_load_known(walk, expr->dreg, &direction, sizeof direction);
		return;
	default:
		wr_walk_load(walk, expr->dreg, NULL, NULL, 16);
		return;
	}
}

void wr_walk_load_bitwise(struct wr_walk *walk, const struct wr_nft_expr *expr)
{
	uint8_t value[WR_NFT_VALUE_MAX], known[WR_NFT_VALUE_MAX];
	size_t length = expr->bitwise.length, from;

	if (length > sizeof value)
		return;
	if (!expr->bitwise.mask || !expr->bitwise.xor || !find_register(expr->sreg, length, &from)) {
		wr_walk_load(walk, expr->dreg, NULL, NULL, length);
		return;
	}
	for (size_t i = 0; i < length; i++) {
		uint8_t mask = expr->bitwise.mask->bytes[i];

		value[i] = (uint8_t)((walk->registers.value[from + i] & mask) ^ expr->bitwise.xor->bytes[i]);
		known[i] = (uint8_t)(walk->registers.known[from + i] | (uint8_t)~mask);
	}
	wr_walk_load(walk, expr->dreg, value, known, length);
}
