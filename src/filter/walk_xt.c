/* walk_xt.c: what the extensions of iptables say, for those that decide over forwarded traffic.
 *
 * iptables-nft writes most of a rule as expressions, and the rest as the old structs in an attribute: NFTA_MATCH_INFO. Those of
 * conntrack, state, physdev and comment are read; any other match is undecided. */
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_physdev.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netlink.h>

#include "filter/walk.h"
#include "model/nft.h"

struct info {
	const uint8_t *bytes;
	size_t length;
	uint32_t revision;
};

/* The attributes of a match: its revision and its struct. */
static bool read_info(const struct wr_nft_expr *expr, struct info *ret)
{
	const uint8_t *bytes = expr->other.bytes;
	size_t left = expr->other.length;

	*ret = (struct info){0};
	while (left >= NLA_HDRLEN) {
		struct nlattr attr;
		size_t step;

		memcpy(&attr, bytes, sizeof attr);
		if (attr.nla_len < NLA_HDRLEN || attr.nla_len > left)
			return false;
		if ((attr.nla_type & NLA_TYPE_MASK) == NFTA_MATCH_INFO) {
			ret->bytes = bytes + NLA_HDRLEN;
			ret->length = attr.nla_len - (size_t)NLA_HDRLEN;
		} else if ((attr.nla_type & NLA_TYPE_MASK) == NFTA_MATCH_REV && attr.nla_len == NLA_HDRLEN + 4) {
			const uint8_t *revision = bytes + NLA_HDRLEN;

			ret->revision = (uint32_t)revision[0] << 24 | (uint32_t)revision[1] << 16 |
					(uint32_t)revision[2] << 8 | revision[3];
		}
		step = NLA_ALIGN((size_t)attr.nla_len);
		if (step >= left)
			break;
		bytes += step;
		left -= step;
	}
	return ret->bytes != NULL;
}

static enum wr_walk_answer answer(bool yes)
{
	return yes ? WR_WALK_YES : WR_WALK_NO;
}

static unsigned state_bit(const struct wr_flow *flow)
{
	return flow->is_new ? NF_CT_STATE_BIT(IP_CT_NEW) : NF_CT_STATE_BIT(IP_CT_ESTABLISHED);
}

static enum wr_walk_answer match_conntrack(const struct info *info, const struct wr_flow *flow)
{
	struct xt_conntrack_mtinfo3 says = {.match_flags = 0};
	bool hit;

	/* Revision 2 lacks the ends of port ranges, behind everything that is looked at. */
	if ((info->revision != 2 && info->revision != 3) ||
	    info->length < offsetof(struct xt_conntrack_mtinfo3, origsrc_port_high))
		return WR_WALK_UNDECIDED;
	memcpy(&says, info->bytes, info->length < sizeof says ? info->length : sizeof says);
	says.match_flags &= (uint16_t)~XT_CONNTRACK_STATE_ALIAS; /* it was written as -m state */
	if (!(says.match_flags & XT_CONNTRACK_STATE))
		return says.match_flags ? WR_WALK_UNDECIDED : WR_WALK_YES;
	hit = says.state_mask & state_bit(flow) || (says.state_mask & XT_CONNTRACK_STATE_DNAT && flow->is_translated);
	if (!hit && says.state_mask & XT_CONNTRACK_STATE_SNAT)
		return WR_WALK_UNDECIDED;
	if (hit == !!(says.invert_flags & XT_CONNTRACK_STATE))
		return WR_WALK_NO;
	return says.match_flags == XT_CONNTRACK_STATE ? WR_WALK_YES : WR_WALK_UNDECIDED;
}

static enum wr_walk_answer match_state(const struct info *info, const struct wr_flow *flow)
{
	struct xt_state_info says;

	if (info->length < sizeof says)
		return WR_WALK_UNDECIDED;
	memcpy(&says, info->bytes, sizeof says);
	return answer(says.statemask & state_bit(flow));
}

static enum wr_walk_answer match_physdev(const struct info *info, const struct wr_flow *flow)
{
	struct xt_physdev_info says;

	if (info->length < sizeof says)
		return WR_WALK_UNDECIDED;
	memcpy(&says, info->bytes, sizeof says);
	if (says.bitmask != XT_PHYSDEV_OP_BRIDGED)
		return WR_WALK_UNDECIDED;
	return answer((flow->bridge != NULL) == !(says.invert & XT_PHYSDEV_OP_BRIDGED));
}

static bool is_named(const struct wr_nft_expr *expr, const char *kind, const char *says)
{
	return expr->kind == WR_NFT_other && expr->other.says && strcmp(expr->other.name, kind) == 0 &&
	       strcmp(expr->other.says, says) == 0;
}

enum wr_walk_answer wr_walk_xt_match(const struct wr_nft_expr *expr, const struct wr_flow *flow)
{
	struct info info;

	if (is_named(expr, "match", "comment"))
		return WR_WALK_YES;
	if (!read_info(expr, &info))
		return WR_WALK_UNDECIDED;
	if (is_named(expr, "match", "conntrack"))
		return match_conntrack(&info, flow);
	if (is_named(expr, "match", "state"))
		return match_state(&info, flow);
	if (is_named(expr, "match", "physdev"))
		return match_physdev(&info, flow);
	return WR_WALK_UNDECIDED;
}

bool wr_walk_xt_target(const struct wr_nft_expr *expr, int32_t *ret_verdict)
{
	static const struct {
		const char *name;
		int32_t verdict;
	} targets[] = {
		{"ACCEPT", NF_ACCEPT},	    {"DROP", NF_DROP},		{"REJECT", NF_DROP},
		{"AUDIT", NFT_CONTINUE},    {"CHECKSUM", NFT_CONTINUE}, {"CLASSIFY", NFT_CONTINUE},
		{"CONNMARK", NFT_CONTINUE}, {"CT", NFT_CONTINUE},	{"DSCP", NFT_CONTINUE},
		{"ECN", NFT_CONTINUE},	    {"HL", NFT_CONTINUE},	{"LOG", NFT_CONTINUE},
		{"MARK", NFT_CONTINUE},	    {"NFLOG", NFT_CONTINUE},	{"RETURN", NFT_RETURN},
		{"SET", NFT_CONTINUE},	    {"TCPMSS", NFT_CONTINUE},	{"TOS", NFT_CONTINUE},
		{"TRACE", NFT_CONTINUE},    {"TTL", NFT_CONTINUE},
	};

	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		if (is_named(expr, "target", targets[i].name)) {
			*ret_verdict = targets[i].verdict;
			return true;
		}
	}
	return false;
}

const char *wr_walk_comment(const struct wr_nft_rule *rule, char buffer[256])
{
	if (rule->comment)
		return rule->comment;
	for (size_t i = 0; i < rule->n_exprs; i++) {
		struct info info;

		if (!is_named(&rule->exprs[i], "match", "comment") || !read_info(&rule->exprs[i], &info))
			continue;
		memset(buffer, 0, XT_MAX_COMMENT_LEN);
		memcpy(buffer, info.bytes, info.length < XT_MAX_COMMENT_LEN ? info.length : XT_MAX_COMMENT_LEN - 1);
		return buffer;
	}
	return NULL;
}
