/* walk.h: the way of a packet through the chains of a hook, as far as it is known.
 *
 * Why:       an accept in our table does not override a drop in another. Which of the host's chains would drop a network's
 *            traffic is found by running their rules on what is known of it.
 * Shape:     a packet is a list of known values, a register has known and unknown bits; a rule whose answer depends on what is
 *            not known, or on an expression that is not understood, is undecided. The walk follows both ways: the result is the
 *            set of possible verdicts, and what becomes of traffic that no undecided rule is about. walk_xt.c answers for the
 *            extensions of iptables.
 * Errors:    none; what cannot be decided is said. Pure; bounded (at most 100,000 rules, 64 jumps deep).
 * Source:    net/netfilter/nf_tables_core.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

struct wr_nft_chain;
struct wr_nft_expr;
struct wr_nft_rule;
struct wr_nft_table;

/* What is known of a packet. */
struct wr_flow {
	const char *iif, *oif;	     /* NULL: not known */
	uint32_t iifgroup, oifgroup; /* of a known iif, oif */
	uint32_t iifindex, oifindex; /* 0: not known */
	struct wr_ip from, to;	     /* to.family says which protocol family; an address of zeros: not known */
	uint8_t protocol;	     /* IPPROTO_*; 0: not known */
	uint16_t port;		     /* to which; 0: not known */
	bool is_new;		     /* the first of its connection: ct state new. false: an answer, established */
	bool is_translated;	     /* the destination of its connection was translated: ct status dnat */
	const char *bridge; /* of a frame between two of its ports, which br_netfilter hands over; NULL: routed */
};

enum wr_walk_verdict {
	WR_WALK_ACCEPT = 1, /* may be or-ed: both are possible */
	WR_WALK_DROP = 2,
};

struct wr_walk_result {
	unsigned possible; /* enum wr_walk_verdict, or-ed */
	/* One of them: when no undecided rule matches. A rule for answers, for one address or for a port does not let a
	 * network's traffic pass as a whole, nor does it keep it. */
	enum wr_walk_verdict usual;
	bool certain;			  /* no rule on the way was undecided */
	const struct wr_nft_chain *chain; /* where the usual verdict is a drop: whose rule, or policy, it is */
	const struct wr_nft_rule *rule;	  /* NULL: the policy of chain */
};

/* A base chain of a table, with all chains it jumps to. */
void wr_walk(const struct wr_nft_table *table, const struct wr_nft_chain *base, const struct wr_flow *flow,
	     struct wr_walk_result *ret);

enum wr_walk_answer { WR_WALK_NO, WR_WALK_UNDECIDED, WR_WALK_YES };

/* --- extensions of iptables (walk_xt.c): WR_NFT_other named "match" or "target" -------------------------------------------- */

enum wr_walk_answer wr_walk_xt_match(const struct wr_nft_expr *expr, const struct wr_flow *flow);
/* The verdict of a target, of NF_ACCEPT, NF_DROP, NFT_CONTINUE. False: it is not known. */
bool wr_walk_xt_target(const struct wr_nft_expr *expr, int32_t *ret_verdict);
/* The comment of a rule: nft's, or else that of a match of iptables, which is what iptables-restore makes of nft's. NULL: none.
 * Not always terminated in the rule, so it is copied; buffer of 256 bytes. */
const char *wr_walk_comment(const struct wr_nft_rule *rule, char buffer[256]);
