/* nft.c: the netfilter socket of a namespace, and transactions over it.
 *
 * nf_tables takes a batch as a whole: it tries every message, answers those that fail, and if none did, makes all of it valid at
 * once, before sendmsg(2) returns. So an empty queue means that all of it is in force, and anything in it that nothing
 * is. What comes after a refused message is often refused because of it (a rule of a chain that could not be made): the
 * first refusal is the one to tell. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include <netinet/in.h> /* before linux/in.h */

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "base/error.h"
#include "filter/delta.h"
#include "kernel/netlink.h"
#include "kernel/netlink_parts.h"
#include "kernel/netns.h"
#include "kernel/nft.h"
#include "kernel/nft_parts.h"
#include "model/nft.h"

#define TRIES 16

/* --- the socket ---------------------------------------------------------------------------------------------------- */

int wr_nft_open(struct wr_host *host, struct wr_netns *netns, struct wr_nl **ret, struct wr_error *reterr)
{
	int r = netns->nft.fd >= 0 ? 0 : wr_netns_open_netlink(netns, NETLINK_NETFILTER, &netns->nft, reterr);

	if (r == -EPROTONOSUPPORT)
		return wr_fail(reterr, WR_ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "this kernel has no nf_tables (CONFIG_NETFILTER_NETLINK, CONFIG_NF_TABLES)");
	if (r == 0)
		*ret = &netns->nft;
	return r;
}

static int read_generation(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[NFTA_GEN_ID + 1] = {[NFTA_GEN_ID] = {.type = MNL_TYPE_U32}};
	const struct nlattr *table[NFTA_GEN_ID + 1];
	uint32_t *ret = data;
	int r = wr_attr_parse(message, sizeof(struct nfgenmsg), policy, NFTA_GEN_ID, table, reterr);

	if (r < 0)
		return r;
	if (table[NFTA_GEN_ID] == NULL)
		return wr_fail(reterr, WR_ERR_KERNEL, -EBADMSG, "nf_tables did not say its generation");
	*ret = ntohl(mnl_attr_get_u32(table[NFTA_GEN_ID]));
	return 0;
}

int wr_nft_generation(struct wr_nl *nl, uint32_t *ret, struct wr_error *reterr)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
	} request = {
		.header = {.nlmsg_len = sizeof request, .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN},
		.family = {.version = NFNETLINK_V0},
	};

	return wr_nl_call(nl, &request.header, read_generation, ret, reterr);
}

int wr_nft_is_there(struct wr_host *host, struct wr_netns *netns, bool *ret, struct wr_error *reterr)
{
	struct wr_error error = {0};
	struct wr_nl *nl = NULL;
	uint32_t generation;
	int r = wr_nft_open(host, netns, &nl, &error);

	if (r == 0)
		r = wr_nft_generation(nl, &generation, &error);
	/* nfnetlink says EINVAL to a request for a subsystem that it does not have, and did not find a module of. */
	if (r < 0 && r != -EINVAL && r != -EOPNOTSUPP) {
		if (reterr != NULL)
			*reterr = error;
		return r;
	}
	*ret = r == 0;
	return 0;
}

/* --- words --------------------------------------------------------------------------------------------------------- */

const char *wr_nft_change_words(const struct wr_nft_change *change, long detail, char buffer[WR_NFT_WORDS_MAX])
{
	const char *set = change->set != NULL && (change->set->flags & NFT_SET_MAP) != 0 ? "map" : "set";
	const char *name = change->set != NULL ? change->set->name : change->chain != NULL ? change->chain->name : "";
	char what[400] = "";

	switch ((enum wr_nft_change_kind)change->kind) {
	case WR_NFT_ADD_TABLE:
		snprintf(what, sizeof what, "make");
		break;
	case WR_NFT_DEL_TABLE:
		snprintf(what, sizeof what, "remove");
		break;
	case WR_NFT_ADD_SET:
		snprintf(what, sizeof what, "make %s %s of", set, name);
		break;
	case WR_NFT_DEL_SET:
		snprintf(what, sizeof what, "remove %s %s of", set, name);
		break;
	case WR_NFT_ADD_CHAIN:
		snprintf(what, sizeof what, "make chain %s of", name);
		break;
	case WR_NFT_SET_POLICY:
		snprintf(what, sizeof what, "set the policy of chain %s of", name);
		break;
	case WR_NFT_FLUSH_CHAIN:
		snprintf(what, sizeof what, "empty chain %s of", name);
		break;
	case WR_NFT_DEL_CHAIN:
		snprintf(what, sizeof what, "remove chain %s of", name);
		break;
	case WR_NFT_ADD_RULE:
	case WR_NFT_INSERT_RULE:
		snprintf(what, sizeof what, "add a rule to chain %s of", name);
		break;
	case WR_NFT_DEL_RULE:
		snprintf(what, sizeof what, "remove a rule from chain %s of", name);
		break;
	case WR_NFT_ADD_ELEMENTS:
	case WR_NFT_DEL_ELEMENTS: {
		bool added = change->kind == WR_NFT_ADD_ELEMENTS;
		char number[32] = "s";

		if (detail >= 0)
			snprintf(number, sizeof number, " %ld", detail + 1);
		snprintf(what, sizeof what, "%s element%s %s %s %s of", added ? "add" : "remove", number,
			 added ? "to" : "from", set, name);
		break;
	}
	case WR_NFT_CHANGES_:
		break;
	}
	snprintf(buffer, WR_NFT_WORDS_MAX, "%s table %s %s", what, wr_nft_family_name(change->table->family),
		 change->table->name);
	return buffer;
}

/* --- what the kernel answered -------------------------------------------------------------------------------------- */

/* The first refusal of a transaction. */
struct refusal {
	int code;	 /* 0: none */
	bool lost;	 /* answers were lost: the queue overflowed */
	size_t message;	 /* its number */
	uint32_t offset; /* of the attribute that the kernel points at; 0: it does not */
	char words[256];
};

struct committing {
	struct wr_nl *nl;
	const struct wr_nft_delta *delta;
	const struct wr_nft_transaction *transaction;
	uint32_t first_seq;
	struct refusal refusal;
};

/* Where in the message the kernel says the fault is; 0: it does not say. */
static uint32_t read_offset(const struct nlmsghdr *message)
{
	static const struct wr_attr_policy policy[NLMSGERR_ATTR_OFFS + 1] = {
		[NLMSGERR_ATTR_OFFS] = {.type = MNL_TYPE_U32},
	};
	const struct nlattr *table[NLMSGERR_ATTR_OFFS + 1];

	if ((message->nlmsg_flags & NLM_F_ACK_TLVS) == 0 || (message->nlmsg_flags & NLM_F_CAPPED) == 0 ||
	    wr_attr_parse(message, sizeof(struct nlmsgerr), policy, NLMSGERR_ATTR_OFFS, table, NULL) < 0)
		return 0;
	return table[NLMSGERR_ATTR_OFFS] != NULL ? mnl_attr_get_u32(table[NLMSGERR_ATTR_OFFS]) : 0;
}

static void take_answer(struct committing *c, const struct nlmsghdr *message)
{
	size_t number = message->nlmsg_seq - c->first_seq;
	struct refusal *refusal = &c->refusal;
	int code;

	if (message->nlmsg_type != NLMSG_ERROR || number >= c->transaction->count || refusal->code != 0)
		return;
	code = wr_nl_verdict(message, refusal->words, sizeof refusal->words);
	if (code == 0)
		return;
	refusal->code = code;
	refusal->message = number;
	refusal->offset = read_offset(message);
}

static int take_answers(struct committing *c)
{
	_Alignas(struct nlmsghdr) unsigned char buffer[4096];

	for (;;) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(void *)buffer;
		ssize_t length = wr_nl_receive(c->nl, buffer, sizeof buffer);
		int left;

		if (length == -EAGAIN)
			return 0;
		if (length == -ENOBUFS) {
			c->refusal.lost = true; /* what is in the queue came first and is still there */
			continue;
		}
		if (length < 0)
			return (int)length;
		left = (int)(length > (ssize_t)sizeof buffer ? (ssize_t)sizeof buffer : length);
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			take_answer(c, message);
	}
}

/* The attribute among those from first to end that holds at, and its number; NULL: none. */
static const struct nlattr *find_attr(const char *first, const char *end, const char *at, long *ret_number)
{
	const struct nlattr *attr = (const struct nlattr *)(const void *)first;

	for (*ret_number = 0; mnl_attr_ok(attr, (int)(end - (const char *)attr)); attr = mnl_attr_next(attr)) {
		if (at < (const char *)attr + MNL_ALIGN(attr->nla_len))
			return at >= (const char *)attr ? attr : NULL;
		++*ret_number;
	}
	return NULL;
}

/* Which member of a message's list holds the attribute at offset, counted from 0; -1: none. */
static long find_member(const struct nlmsghdr *message, uint16_t list_type, uint32_t offset)
{
	const char *at = (const char *)message + offset;
	const struct nlattr *list;
	const char *first;
	long number;

	if (offset == 0 || offset >= message->nlmsg_len)
		return -1;
	first = mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg));
	list = find_attr(first, mnl_nlmsg_get_payload_tail(message), at, &number);
	if (list == NULL || mnl_attr_get_type(list) != list_type)
		return -1;
	first = mnl_attr_get_payload(list);
	return find_attr(first, first + mnl_attr_get_payload_len(list), at, &number) != NULL ? number : -1;
}

/* Whether a kernel that says ENOENT of an expression means that it has none of that kind: it names no other object. */
static bool names_nothing(const struct wr_nft_expr *expr)
{
	return expr->kind != WR_NFT_lookup && expr->kind != WR_NFT_dynset &&
	       !(expr->kind == WR_NFT_immediate && expr->dreg == NFT_REG_VERDICT);
}

static int refused_expr(const struct wr_nft_change *change, const struct wr_nft_expr *expr, int code,
			const char *reason, struct wr_error *reterr)
{
	char words[WR_NFT_WORDS_MAX];
	const char *name = wr_nft_expr_name(expr->kind);

	wr_nft_change_words(change, -1, words);
	if (code == -ENOENT && names_nothing(expr))
		return wr_fail(reterr, WR_ERR_UNSUPPORTED, code,
			       "cannot %s: this kernel has no expression '%s' for the family %s", words, name,
			       wr_nft_family_name(change->table->family));
	return wr_fail(reterr, code == -EOPNOTSUPP ? WR_ERR_UNSUPPORTED : WR_ERR_KERNEL, code,
		       "cannot %s: expression '%s': %s", words, name, reason);
}

/* A refusal of the whole: not of any message. */
static int refused_whole(int code, const char *reason, struct wr_error *reterr)
{
	if (code == -EPERM)
		return wr_fail(reterr, WR_ERR_PRIVILEGE, code, "cannot change the packet filter: %s", reason);
	if (code == -EOPNOTSUPP)
		return wr_fail(reterr, WR_ERR_UNSUPPORTED, code, "this kernel has no nf_tables (CONFIG_NF_TABLES)");
	return wr_fail(reterr, WR_ERR_KERNEL, code, "cannot change the packet filter: %s", reason);
}

static int refused(const struct committing *c, struct wr_error *reterr)
{
	const struct refusal *refusal = &c->refusal;
	const struct wr_nft_tag *tag = &c->transaction->tags[refusal->message];
	const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)(c->transaction->bytes + tag->offset);
	const struct wr_nft_change *change;
	char reason[512], words[WR_NFT_WORDS_MAX];
	long detail = -1;

	snprintf(reason, sizeof reason, refusal->words[0] != '\0' ? "%s (%s)" : "%s%s", refusal->words,
		 strerror(-refusal->code));
	if (tag->change == WR_NFT_NO_CHANGE)
		return refused_whole(refusal->code, reason, reterr);
	change = &c->delta->changes[tag->change];
	if (change->kind == WR_NFT_ADD_RULE || change->kind == WR_NFT_INSERT_RULE) {
		detail = find_member(message, NFTA_RULE_EXPRESSIONS, refusal->offset);
		if (detail >= 0 && (size_t)detail < change->rule->n_exprs)
			return refused_expr(change, &change->rule->exprs[detail], refusal->code, reason, reterr);
	} else if (change->kind == WR_NFT_ADD_ELEMENTS || change->kind == WR_NFT_DEL_ELEMENTS) {
		detail = find_member(message, NFTA_SET_ELEM_LIST_ELEMENTS, refusal->offset);
		if (detail >= 0)
			detail += tag->element;
	}
	return wr_fail(reterr, refusal->code == -EOPNOTSUPP ? WR_ERR_UNSUPPORTED : WR_ERR_KERNEL, refusal->code,
		       "cannot %s: %s", wr_nft_change_words(change, detail, words), reason);
}

/* --- transactions -------------------------------------------------------------------------------------------------- */

static void number_messages(struct committing *c)
{
	c->first_seq = c->nl->seq + 1;
	for (size_t i = 0; i < c->transaction->count; i++) {
		struct nlmsghdr *message =
			(struct nlmsghdr *)(void *)(c->transaction->bytes + c->transaction->tags[i].offset);

		message->nlmsg_seq = ++c->nl->seq;
	}
}

/* Sends it once. 0: what the kernel said is in c->refusal. */
static int send_once(struct committing *c, struct wr_error *reterr)
{
	struct iovec iov = {.iov_base = c->transaction->bytes, .iov_len = c->transaction->length};
	int r;

	number_messages(c);
	c->refusal = (struct refusal){0};
	r = wr_nl_transmit(c->nl, &iov, 1);
	if (r == -EMSGSIZE) {
		wr_fail(reterr, WR_ERR_KERNEL, r,
			"a change of the packet filter of %zu bytes is more than this user may send at once",
			c->transaction->length);
		return wr_fail_mend(reterr, "raise /proc/sys/net/core/wmem_max");
	}
	if (r == 0)
		r = take_answers(c);
	if (r == 0 && c->refusal.lost && c->refusal.code == 0)
		r = -ENOBUFS;
	if (r < 0)
		return wr_fail(reterr, WR_ERR_KERNEL, r, "cannot change the packet filter: %s", strerror(-r));
	return 0;
}

int wr_nft_commit(struct wr_host *host, struct wr_netns *netns, const struct wr_nft_delta *delta,
		  struct wr_error *reterr)
{
	struct wr_nft_transaction transaction = {0};
	struct committing c = {.delta = delta, .transaction = &transaction};
	int r;

	if (delta->n_changes == 0)
		return 0;
	r = wr_nft_open(host, netns, &c.nl, reterr);
	if (r == 0)
		r = wr_nft_write(&transaction, delta, reterr);
	if (r == 0)
		wr_nl_make_room(c.nl, transaction.length);
	for (int tries = 0; r == 0 && tries < TRIES; tries++) {
		r = send_once(&c, reterr);
		/* Nothing was changed: something else was, or a module was loaded, meanwhile. */
		if (c.refusal.code != -EAGAIN && c.refusal.code != -EINTR && c.refusal.code != -ERESTART)
			break;
	}
	if (r == 0 && c.refusal.code != 0)
		r = refused(&c, reterr);
	wr_nft_transaction_done(&transaction);
	return r;
}
