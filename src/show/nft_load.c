/* nft_load.c: what an expression loads into a register, in nft's words.
 *
 * A field of a packet has a name where the rule has tested its protocol before: nft puts that test in front of the name if it
 * is missing, and the rule would be another one. Without the test the field is said by its place: "@nh,96,32" is the 32 bits
 * from bit 96 of the network header on. */
#include <netinet/in.h> /* before linux/in.h */

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>

#include "show/nft_parts.h"

struct named_row {
	uint32_t key;
	const char *name;
	uint32_t type;
	uint32_t length; /* 0: the type's */
};

static const struct named_row metas[] = {
	{NFT_META_LEN, "meta length", WR_NFT_TYPE_HOST_INTEGER, 4},
	{NFT_META_PROTOCOL, "meta protocol", WR_NFT_TYPE_ETHERTYPE, 0},
	{NFT_META_PRIORITY, "meta priority", WR_NFT_TYPE_HOST_INTEGER, 4},
	{NFT_META_MARK, "meta mark", WR_NFT_TYPE_MARK, 0},
	{NFT_META_IIF, "iif", WR_NFT_TYPE_IFINDEX, 0},
	{NFT_META_OIF, "oif", WR_NFT_TYPE_IFINDEX, 0},
	{NFT_META_IIFNAME, "iifname", WR_NFT_TYPE_IFNAME, 0},
	{NFT_META_OIFNAME, "oifname", WR_NFT_TYPE_IFNAME, 0},
	{NFT_META_IIFTYPE, "iiftype", WR_NFT_TYPE_ARPHRD, 0},
	{NFT_META_OIFTYPE, "oiftype", WR_NFT_TYPE_ARPHRD, 0},
	{NFT_META_SKUID, "meta skuid", WR_NFT_TYPE_UID, 0},
	{NFT_META_SKGID, "meta skgid", WR_NFT_TYPE_GID, 0},
	{NFT_META_NFTRACE, "meta nftrace", WR_NFT_TYPE_HOST_INTEGER, 1},
	{NFT_META_RTCLASSID, "rtclassid", WR_NFT_TYPE_REALM, 0},
	{NFT_META_NFPROTO, "meta nfproto", WR_NFT_TYPE_NFPROTO, 0},
	{NFT_META_L4PROTO, "meta l4proto", WR_NFT_TYPE_PROTOCOL, 0},
	{NFT_META_BRI_IIFNAME, "meta ibrname", WR_NFT_TYPE_IFNAME, 0},
	{NFT_META_BRI_OIFNAME, "meta obrname", WR_NFT_TYPE_IFNAME, 0},
	{NFT_META_PKTTYPE, "pkttype", WR_NFT_TYPE_PKTTYPE, 0},
	{NFT_META_CPU, "meta cpu", WR_NFT_TYPE_HOST_INTEGER, 4},
	{NFT_META_IIFGROUP, "iifgroup", WR_NFT_TYPE_DEVGROUP, 0},
	{NFT_META_OIFGROUP, "oifgroup", WR_NFT_TYPE_DEVGROUP, 0},
	{NFT_META_CGROUP, "meta cgroup", WR_NFT_TYPE_HOST_INTEGER, 4},
	{NFT_META_IIFKIND, "meta iifkind", WR_NFT_TYPE_IFNAME, 0},
	{NFT_META_OIFKIND, "meta oifkind", WR_NFT_TYPE_IFNAME, 0},
	{NFT_META_SDIF, "meta sdif", WR_NFT_TYPE_IFINDEX, 0},
	{NFT_META_SDIFNAME, "meta sdifname", WR_NFT_TYPE_IFNAME, 0},
};

static const struct named_row cts[] = {
	{NFT_CT_STATE, "state", WR_NFT_TYPE_CTSTATE, 0},
	{NFT_CT_DIRECTION, "direction", WR_NFT_TYPE_CTDIR, 0},
	{NFT_CT_STATUS, "status", WR_NFT_TYPE_CTSTATUS, 0},
	{NFT_CT_MARK, "mark", WR_NFT_TYPE_MARK, 0},
	{NFT_CT_EXPIRATION, "expiration", WR_NFT_TYPE_TIME, 0},
	{NFT_CT_L3PROTOCOL, "l3proto", WR_NFT_TYPE_NFPROTO, 0},
	{NFT_CT_PROTOCOL, "protocol", WR_NFT_TYPE_PROTOCOL, 0},
	{NFT_CT_PROTO_SRC, "proto-src", WR_NFT_TYPE_SERVICE, 0},
	{NFT_CT_PROTO_DST, "proto-dst", WR_NFT_TYPE_SERVICE, 0},
	{NFT_CT_ZONE, "zone", WR_NFT_TYPE_HOST_INTEGER, 2},
	{NFT_CT_SRC_IP, "ip saddr", WR_NFT_TYPE_IP4, 0},
	{NFT_CT_DST_IP, "ip daddr", WR_NFT_TYPE_IP4, 0},
	{NFT_CT_SRC_IP6, "ip6 saddr", WR_NFT_TYPE_IP6, 0},
	{NFT_CT_DST_IP6, "ip6 daddr", WR_NFT_TYPE_IP6, 0},
};

static const struct named_row *find_row(const struct named_row *rows, size_t count, uint32_t key)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].key == key)
			return &rows[i];
	return NULL;
}

static uint32_t row_length(const struct named_row *row)
{
	return row->length != 0 ? row->length : wr_nft_type_length(row->type);
}

const char *wr_nft_meta_name(uint32_t key, uint32_t *ret_type)
{
	const struct named_row *row = find_row(metas, sizeof metas / sizeof *metas, key);

	*ret_type = row != NULL ? row->type : WR_NFT_TYPE_INTEGER;
	return row != NULL ? row->name : NULL;
}

const char *wr_nft_ct_name(uint32_t key, uint32_t *ret_type)
{
	const struct named_row *row = find_row(cts, sizeof cts / sizeof *cts, key);

	*ret_type = row != NULL ? row->type : WR_NFT_TYPE_INTEGER;
	return row != NULL ? row->name : NULL;
}

/* --- registers --------------------------------------------------------------------------------------------------------- */

struct wr_nft_slot *wr_nft_slot(struct wr_nft_reader *reader, uint8_t reg)
{
	size_t n = sizeof reader->slots / sizeof *reader->slots;

	return reg >= NFT_REG32_00 && reg < NFT_REG32_00 + n ? &reader->slots[reg - NFT_REG32_00] : NULL;
}

void wr_nft_fill(struct wr_nft_reader *reader, uint8_t reg, uint32_t type, uint32_t length, size_t from)
{
	for (uint32_t at = 0; at < length; at += 4) {
		struct wr_nft_slot *slot = wr_nft_slot(reader, (uint8_t)(reg + at / 4));

		if (slot == NULL) {
			reader->failed = true;
			return;
		}
		*slot = (struct wr_nft_slot){
			.filled = true,
			.first = at == 0,
			.text = from,
			.text_length = reader->loads.length - from,
			.type = type,
			.length = length,
		};
	}
}

/* --- packets ----------------------------------------------------------------------------------------------------------- */

enum needs { NEEDS_NOTHING, NEEDS_ETHER, NEEDS_NETWORK, NEEDS_TRANSPORT };

struct field {
	uint32_t base, offset, length;
	enum needs needs;
	uint16_t protocol; /* of what it needs: ETH_P_*, IPPROTO_* */
	const char *name;
	uint32_t type;
};

#define LL NFT_PAYLOAD_LL_HEADER
#define NH NFT_PAYLOAD_NETWORK_HEADER
#define TH NFT_PAYLOAD_TRANSPORT_HEADER

static const struct field fields[] = {
	{LL, 0, 6, NEEDS_ETHER, 0, "ether daddr", WR_NFT_TYPE_MAC},
	{LL, 6, 6, NEEDS_ETHER, 0, "ether saddr", WR_NFT_TYPE_MAC},
	{LL, 12, 2, NEEDS_ETHER, 0, "ether type", WR_NFT_TYPE_ETHERTYPE},
	{NH, 2, 2, NEEDS_NETWORK, ETH_P_IP, "ip length", WR_NFT_TYPE_INTEGER},
	{NH, 6, 2, NEEDS_NETWORK, ETH_P_IP, "ip frag-off", WR_NFT_TYPE_INTEGER},
	{NH, 8, 1, NEEDS_NETWORK, ETH_P_IP, "ip ttl", WR_NFT_TYPE_INTEGER},
	{NH, 9, 1, NEEDS_NETWORK, ETH_P_IP, "ip protocol", WR_NFT_TYPE_PROTOCOL},
	{NH, 12, 4, NEEDS_NETWORK, ETH_P_IP, "ip saddr", WR_NFT_TYPE_IP4},
	{NH, 16, 4, NEEDS_NETWORK, ETH_P_IP, "ip daddr", WR_NFT_TYPE_IP4},
	{NH, 4, 2, NEEDS_NETWORK, ETH_P_IPV6, "ip6 length", WR_NFT_TYPE_INTEGER},
	{NH, 6, 1, NEEDS_NETWORK, ETH_P_IPV6, "ip6 nexthdr", WR_NFT_TYPE_PROTOCOL},
	{NH, 7, 1, NEEDS_NETWORK, ETH_P_IPV6, "ip6 hoplimit", WR_NFT_TYPE_INTEGER},
	{NH, 8, 16, NEEDS_NETWORK, ETH_P_IPV6, "ip6 saddr", WR_NFT_TYPE_IP6},
	{NH, 24, 16, NEEDS_NETWORK, ETH_P_IPV6, "ip6 daddr", WR_NFT_TYPE_IP6},
	{NH, 0, 2, NEEDS_NETWORK, ETH_P_ARP, "arp htype", WR_NFT_TYPE_INTEGER},
	{NH, 2, 2, NEEDS_NETWORK, ETH_P_ARP, "arp ptype", WR_NFT_TYPE_ETHERTYPE},
	{NH, 6, 2, NEEDS_NETWORK, ETH_P_ARP, "arp operation", WR_NFT_TYPE_ARPOP},
	{NH, 8, 6, NEEDS_NETWORK, ETH_P_ARP, "arp saddr ether", WR_NFT_TYPE_MAC},
	{NH, 14, 4, NEEDS_NETWORK, ETH_P_ARP, "arp saddr ip", WR_NFT_TYPE_IP4},
	{NH, 18, 6, NEEDS_NETWORK, ETH_P_ARP, "arp daddr ether", WR_NFT_TYPE_MAC},
	{NH, 24, 4, NEEDS_NETWORK, ETH_P_ARP, "arp daddr ip", WR_NFT_TYPE_IP4},
	{TH, 0, 1, NEEDS_TRANSPORT, IPPROTO_ICMP, "icmp type", WR_NFT_TYPE_ICMP},
	{TH, 1, 1, NEEDS_TRANSPORT, IPPROTO_ICMP, "icmp code", WR_NFT_TYPE_ICMPCODE},
	{TH, 0, 1, NEEDS_TRANSPORT, IPPROTO_ICMPV6, "icmpv6 type", WR_NFT_TYPE_ICMP6},
	{TH, 1, 1, NEEDS_TRANSPORT, IPPROTO_ICMPV6, "icmpv6 code", WR_NFT_TYPE_ICMP6CODE},
	{TH, 13, 1, NEEDS_TRANSPORT, IPPROTO_TCP, "tcp flags", WR_NFT_TYPE_TCPFLAG},
	{TH, 0, 2, NEEDS_NOTHING, 0, "th sport", WR_NFT_TYPE_SERVICE},
	{TH, 2, 2, NEEDS_NOTHING, 0, "th dport", WR_NFT_TYPE_SERVICE},
};

static bool has_what_it_needs(const struct wr_nft_reader *reader, const struct field *field)
{
	switch (field->needs) {
	case NEEDS_NOTHING:
		return true;
	case NEEDS_ETHER:
		return reader->ether;
	case NEEDS_NETWORK:
		return reader->network == field->protocol;
	case NEEDS_TRANSPORT:
		return reader->transport == field->protocol;
	}
	return false;
}

/* A named field; or an address of which only the first bytes are loaded, which nft does for a prefix of whole bytes. */
static const struct field *find_field(const struct wr_nft_reader *reader, const struct wr_nft_expr *expr,
				      bool *ret_partial)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const struct field *field = &fields[i];
		bool is_address = field->type == WR_NFT_TYPE_IP4 || field->type == WR_NFT_TYPE_IP6;
		bool is_shorter = expr->payload.length < field->length;

		if (field->base != expr->payload.base || field->offset != expr->payload.offset ||
		    !has_what_it_needs(reader, field))
			continue;
		if (expr->payload.length != field->length && !(is_address && is_shorter))
			continue;
		*ret_partial = is_shorter;
		return field;
	}
	*ret_partial = false;
	return NULL;
}

static const char *base_name(uint32_t base)
{
	switch (base) {
	case NFT_PAYLOAD_LL_HEADER:
		return "@ll";
	case NFT_PAYLOAD_NETWORK_HEADER:
		return "@nh";
	case NFT_PAYLOAD_TRANSPORT_HEADER:
		return "@th";
	case NFT_PAYLOAD_INNER_HEADER:
		return "@ih";
	}
	return NULL;
}

static void load_payload(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	bool partial = false;
	const struct field *field = find_field(reader, expr, &partial);
	const char *base = base_name(expr->payload.base);
	size_t from = reader->loads.length;
	struct wr_nft_slot *slot;

	if (field != NULL)
		wr_text_add(&reader->loads, field->name);
	else
		wr_text_addf(&reader->loads, "%s,%u,%u", base != NULL ? base : "@?", expr->payload.offset * 8,
			     expr->payload.length * 8);
	/* Integers of nft have at most 128 bits here. */
	if (field == NULL && (base == NULL || expr->payload.length > 16))
		reader->failed = true;
	wr_nft_fill(reader, expr->dreg, field != NULL ? field->type : WR_NFT_TYPE_INTEGER, expr->payload.length, from);
	slot = wr_nft_slot(reader, expr->dreg);
	if (slot != NULL)
		slot->partial = partial;
}

/* --- the rest ---------------------------------------------------------------------------------------------------------- */

static void load_row(struct wr_nft_reader *reader, const struct named_row *row, const char *before, uint8_t reg)
{
	size_t from = reader->loads.length;

	wr_text_add(&reader->loads, before);
	wr_text_add(&reader->loads, row->name);
	wr_nft_fill(reader, reg, row->type, row_length(row), from);
}

static void load_unknown(struct wr_nft_reader *reader, const char *what, uint32_t key, uint8_t reg)
{
	size_t from = reader->loads.length;

	reader->failed = true;
	wr_text_addf(&reader->loads, "[%s %u]", what, key);
	wr_nft_fill(reader, reg, WR_NFT_TYPE_INTEGER, 4, from);
}

static void load_ct(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	static const char *const before[] = {"ct original ", "ct reply "};
	const struct named_row *row = find_row(cts, sizeof cts / sizeof *cts, expr->ct.key);
	bool directed = expr->ct.direction == 0 || expr->ct.direction == 1;

	/* nft wants to know whose ports they are. */
	if ((expr->ct.key == NFT_CT_PROTO_SRC || expr->ct.key == NFT_CT_PROTO_DST) && !reader->some_transport)
		reader->failed = true;
	if (row == NULL)
		load_unknown(reader, "ct", expr->ct.key, expr->dreg);
	else
		load_row(reader, row, directed ? before[expr->ct.direction] : "ct ", expr->dreg);
}

static void load_fib(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} keys[] = {{NFTA_FIB_F_SADDR, "saddr"},
		    {NFTA_FIB_F_DADDR, "daddr"},
		    {NFTA_FIB_F_MARK, "mark"},
		    {NFTA_FIB_F_IIF, "iif"},
		    {NFTA_FIB_F_OIF, "oif"}};
	static const struct named_row results[] = {
		{NFT_FIB_RESULT_OIF, "oif", WR_NFT_TYPE_IFINDEX, 0},
		{NFT_FIB_RESULT_OIFNAME, "oifname", WR_NFT_TYPE_IFNAME, 0},
		{NFT_FIB_RESULT_ADDRTYPE, "type", WR_NFT_TYPE_FIBADDR, 0},
	};
	const struct named_row *row = find_row(results, sizeof results / sizeof *results, expr->fib.result);
	bool asks = (expr->fib.flags & NFTA_FIB_F_PRESENT) != 0;
	size_t from = reader->loads.length;
	const char *separator = "fib ";

	if (row == NULL) {
		load_unknown(reader, "fib", expr->fib.result, expr->dreg);
		return;
	}
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if ((expr->fib.flags & keys[i].flag) == 0)
			continue;
		wr_text_add(&reader->loads, separator);
		wr_text_add(&reader->loads, keys[i].name);
		separator = " . ";
	}
	wr_text_add_char(&reader->loads, ' ');
	wr_text_add(&reader->loads, row->name);
	wr_nft_fill(reader, expr->dreg, asks ? WR_NFT_TYPE_BOOLEAN : row->type, asks ? 1 : row_length(row), from);
}

/* Whether a header is there; what is in it has no words here. */
static void load_exthdr(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	static const struct named_row headers[] = {
		{IPPROTO_HOPOPTS, "hbh", 0, 0}, {IPPROTO_ROUTING, "rt", 0, 0}, {IPPROTO_FRAGMENT, "frag", 0, 0},
		{IPPROTO_DSTOPTS, "dst", 0, 0}, {IPPROTO_MH, "mh", 0, 0},
	};
	const struct named_row *row = find_row(headers, sizeof headers / sizeof *headers, expr->exthdr.type);
	size_t from = reader->loads.length;

	if (row == NULL || expr->exthdr.op != NFT_EXTHDR_OP_IPV6 || (expr->exthdr.flags & NFT_EXTHDR_F_PRESENT) == 0 ||
	    expr->exthdr.offset != 0) {
		load_unknown(reader, "exthdr", expr->exthdr.type, expr->dreg);
		return;
	}
	if (reader->network != ETH_P_IPV6) /* nft would test it */
		reader->failed = true;
	wr_text_add(&reader->loads, "exthdr ");
	wr_text_add(&reader->loads, row->name);
	wr_nft_fill(reader, expr->dreg, WR_NFT_TYPE_BOOLEAN, 1, from);
}

bool wr_nft_load(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	const struct named_row *row;
	struct wr_nft_slot *slot;

	if (expr->dreg == NFT_REG_VERDICT)
		return false; /* it sets */
	if (expr->kind == WR_NFT_meta) {
		row = find_row(metas, sizeof metas / sizeof *metas, expr->meta.key);
		if (row != NULL)
			load_row(reader, row, "", expr->dreg);
		else
			load_unknown(reader, "meta", expr->meta.key, expr->dreg);
	} else if (expr->kind == WR_NFT_payload) {
		load_payload(reader, expr);
	} else if (expr->kind == WR_NFT_ct) {
		load_ct(reader, expr);
	} else if (expr->kind == WR_NFT_fib) {
		load_fib(reader, expr);
	} else if (expr->kind == WR_NFT_exthdr) {
		load_exthdr(reader, expr);
	} else {
		return false;
	}
	slot = wr_nft_slot(reader, expr->dreg);
	if (slot != NULL)
		slot->load = expr;
	return true;
}
