/* walk.c: runs the rules of a chain on what is known of a packet.
 *
 * Theory: a register is its bits and which of them are known. An expression answers yes, no or undecided; a rule matches when all
 * do. What a chain does with a packet is two things: every verdict that is possible, and the usual one, with undecided rules
 * left out. Both are found in one pass: the same packet in the same chain always ends the same, so no path is followed twice
 * for another's sake, and "may have matched" only adds to what is possible. */
#include "filter/walk.h"

#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "filter/walk_parts.h"
#include "model/nft.h"

#define RULES_MAX 100000
#define JUMPS_MAX 64

/* What a rule or chain does with the packet, or-ed: a verdict, or on it goes. */
enum way {
	ACCEPT = WR_WALK_ACCEPT,
	DROP = WR_WALK_DROP,
	NEXT = 4, /* with the next rule */
	BACK = 8, /* with the rule behind the jump */
};

struct outcome {
	unsigned possible; /* enum way, or-ed */
	unsigned usual;	   /* one of them */
};

/* Where the walk is. */
struct spot {
	const struct wr_nft_chain *chain;
	const struct wr_nft_rule *rule;
	bool usual; /* traffic that no undecided rule is about comes here */
};

static struct outcome run_chain(struct wr_walk *walk, const struct wr_nft_chain *chain, bool usual);

/* --- what answers ---------------------------------------------------------------------------------------------------- */

static enum wr_walk_answer compare(const struct wr_walk *walk, const struct wr_nft_expr *expr)
{
	const uint8_t *bytes = expr->cmp.value.bytes;
	enum wr_walk_answer equal;
	struct wr_span span;

	if (!wr_walk_get(walk, expr->sreg, expr->cmp.value.length, &span))
		return WR_WALK_UNDECIDED;
	equal = wr_span_equals(&span, bytes);
	switch (expr->cmp.op) {
	case NFT_CMP_EQ:
		return equal;
	case NFT_CMP_NEQ:
		return wr_walk_not(equal);
	case NFT_CMP_LTE:
		return wr_span_within(&span, NULL, bytes);
	case NFT_CMP_GTE:
		return wr_span_within(&span, bytes, NULL);
	case NFT_CMP_GT:
		return wr_walk_not(wr_span_within(&span, NULL, bytes));
	case NFT_CMP_LT:
		return wr_walk_not(wr_span_within(&span, bytes, NULL));
	default:
		return WR_WALK_UNDECIDED;
	}
}

static enum wr_walk_answer in_range(const struct wr_walk *walk, const struct wr_nft_expr *expr)
{
	enum wr_walk_answer within;
	struct wr_span span;

	if (!expr->range.from || !expr->range.to || expr->range.from->length != expr->range.to->length ||
	    !wr_walk_get(walk, expr->sreg, expr->range.from->length, &span))
		return WR_WALK_UNDECIDED;
	within = wr_span_within(&span, expr->range.from->bytes, expr->range.to->bytes);
	return expr->range.op == NFT_RANGE_NEQ ? wr_walk_not(within) : within;
}

static enum wr_walk_answer look_up_value(struct wr_walk *walk, const struct wr_nft_expr *expr)
{
	const struct wr_nft_element *element = NULL;
	enum wr_walk_answer found = WR_WALK_UNDECIDED;
	struct wr_span key;
	const struct wr_nft_set *set = wr_walk_open_lookup(walk, expr, &key);

	if (set)
		found = wr_walk_look_up(set, &key, &element);
	if (!expr->lookup.has_dreg)
		return expr->lookup.inverted ? wr_walk_not(found) : found;
	if (set && element && element->data && set->data_length <= WR_NFT_VALUE_MAX)
		wr_walk_load_known(walk, expr->dreg, element->data, set->data_length);
	else
		wr_walk_load(walk, expr->dreg, NULL, NULL, set ? set->data_length : 16);
	return found;
}

/* --- verdicts -------------------------------------------------------------------------------------------------------- */

static struct outcome drop(struct wr_walk *walk, const struct spot *spot)
{
	if (spot->usual) {
		walk->result->chain = spot->chain;
		walk->result->rule = spot->rule;
	}
	return (struct outcome){DROP, DROP};
}

static struct outcome unknown(struct wr_walk *walk, unsigned usual)
{
	walk->result->certain = false;
	return (struct outcome){ACCEPT | DROP | NEXT | BACK, usual};
}

static struct outcome jump(struct wr_walk *walk, const struct spot *spot, int32_t verdict, const char *name)
{
	const struct wr_nft_chain *chain = name ? wr_nft_find_chain(walk->table, name) : NULL;
	struct outcome outcome;

	if (!chain || !chain->deep || walk->depth >= JUMPS_MAX)
		return unknown(walk, verdict == NFT_GOTO ? BACK : NEXT);
	walk->depth++;
	outcome = run_chain(walk, chain, spot->usual);
	walk->depth--;
	if (verdict == NFT_GOTO)
		return outcome;
	/* Back from there is on with the next rule here. */
	if (outcome.possible & BACK)
		outcome.possible = (outcome.possible & ~(unsigned)BACK) | NEXT;
	if (outcome.usual == BACK)
		outcome.usual = NEXT;
	return outcome;
}

static struct outcome decide(struct wr_walk *walk, const struct spot *spot, int32_t verdict, const char *chain)
{
	switch (verdict) {
	case NFT_CONTINUE:
	case NFT_BREAK:
		return (struct outcome){NEXT, NEXT};
	case NFT_RETURN:
		return (struct outcome){BACK, BACK};
	case NFT_JUMP:
	case NFT_GOTO:
		return jump(walk, spot, verdict, chain);
	case NF_ACCEPT:
	case NF_STOP:
		return (struct outcome){ACCEPT, ACCEPT};
	case NF_DROP:
	case NF_STOLEN:
		return drop(walk, spot);
	default: /* a queue: some program decides */
		walk->result->certain = false;
		return (struct outcome){ACCEPT | DROP, ACCEPT};
	}
}

/* A verdict behind matches that may have matched: or else the next rule. */
static struct outcome decide_if(struct wr_walk *walk, const struct spot *spot, enum wr_walk_answer matched,
				int32_t verdict, const char *chain)
{
	struct spot maybe = {spot->chain, spot->rule, spot->usual && matched == WR_WALK_YES};
	struct outcome outcome = decide(walk, &maybe, verdict, chain);

	if (matched == WR_WALK_YES || outcome.possible == NEXT)
		return outcome;
	walk->result->certain = false;
	return (struct outcome){outcome.possible | NEXT, NEXT};
}

/* A verdict map: one element's verdict when it is certain which, else each that may be. */
static struct outcome decide_by_map(struct wr_walk *walk, const struct spot *spot, enum wr_walk_answer matched,
				    const struct wr_nft_expr *expr)
{
	const struct wr_nft_element *element = NULL;
	struct outcome all = {NEXT, NEXT};
	struct wr_span key;
	const struct wr_nft_set *set = wr_walk_open_lookup(walk, expr, &key);

	if (!set)
		return unknown(walk, NEXT);
	if (wr_walk_look_up(set, &key, &element) == WR_WALK_NO)
		return all;
	if (element)
		return decide_if(walk, spot, matched, element->verdict, element->chain);
	for (size_t i = 0; i < set->n_elements; i++) {
		element = &set->elements[i];
		if (wr_walk_may_be(set, element, &key))
			all.possible |=
				decide_if(walk, spot, WR_WALK_UNDECIDED, element->verdict, element->chain).possible;
	}
	return all;
}

/* --- rules ----------------------------------------------------------------------------------------------------------- */

/* An expression that has no row: of iptables, or one that may have put anything into any register. */
static enum wr_walk_answer match_other(struct wr_walk *walk, const struct wr_nft_expr *expr)
{
	static const char *const harmless[] = {"dup", "flow_offload", "last", "notrack"};

	if (strcmp(expr->other.name, "match") == 0)
		return wr_walk_xt_match(expr, walk->flow);
	for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
		if (strcmp(expr->other.name, harmless[i]) == 0)
			return WR_WALK_YES;
	}
	memset(&walk->registers, 0, sizeof walk->registers);
	return WR_WALK_UNDECIDED;
}

static enum wr_walk_answer match_one(struct wr_walk *walk, const struct wr_nft_expr *expr)
{
	switch ((enum wr_nft_expr_kind)expr->kind) {
	case WR_NFT_meta:
		if (expr->dreg)
			wr_walk_load_meta(walk, expr);
		return WR_WALK_YES;
	case WR_NFT_payload:
		wr_walk_load_payload(walk, expr);
		return WR_WALK_YES;
	case WR_NFT_ct:
		if (expr->dreg)
			wr_walk_load_ct(walk, expr);
		return WR_WALK_YES;
	case WR_NFT_bitwise:
		wr_walk_load_bitwise(walk, expr);
		return WR_WALK_YES;
	case WR_NFT_immediate:
		if (expr->immediate.value)
			wr_walk_load_known(walk, expr->dreg, expr->immediate.value->bytes,
					   expr->immediate.value->length);
		return WR_WALK_YES;
	case WR_NFT_fib:
		wr_walk_load(walk, expr->dreg, NULL, NULL, 16);
		return WR_WALK_YES;
	case WR_NFT_exthdr:
		if (expr->dreg && expr->exthdr.length <= WR_WALK_BYTES)
			wr_walk_load(walk, expr->dreg, NULL, NULL, expr->exthdr.length ? expr->exthdr.length : 1);
		return expr->exthdr.flags & NFT_EXTHDR_F_PRESENT ? WR_WALK_YES : WR_WALK_UNDECIDED;
	case WR_NFT_cmp:
		return compare(walk, expr);
	case WR_NFT_range:
		return in_range(walk, expr);
	case WR_NFT_lookup:
		return look_up_value(walk, expr);
	case WR_NFT_limit:
		return WR_WALK_UNDECIDED;
	case WR_NFT_dynset:
		return expr->dynset.inverted ? WR_WALK_UNDECIDED : WR_WALK_YES;
	case WR_NFT_counter:
	case WR_NFT_log:
		return WR_WALK_YES;
	case WR_NFT_other:
		return match_other(walk, expr);
	case WR_NFT_reject: /* these end a rule: see run_rule */
	case WR_NFT_nat:
	case WR_NFT_masq:
	case WR_NFT_redir:
	case WR_NFT_EXPR_COUNT_:
		break;
	}
	return WR_WALK_UNDECIDED;
}

/* Whether an expression ends the rule with a verdict; a verdict map does, too, and is not asked for here. */
static bool read_verdict(const struct wr_nft_expr *expr, int32_t *ret, const char **ret_chain)
{
	*ret_chain = NULL;
	if (expr->kind == WR_NFT_immediate && expr->dreg == NFT_REG_VERDICT) {
		*ret = expr->immediate.verdict;
		*ret_chain = expr->immediate.chain;
		return true;
	}
	if (expr->kind == WR_NFT_reject)
		*ret = NF_DROP;
	else if (expr->kind == WR_NFT_nat || expr->kind == WR_NFT_masq || expr->kind == WR_NFT_redir)
		*ret = NF_ACCEPT;
	else
		return false;
	return true;
}

static struct outcome run_rule(struct wr_walk *walk, const struct spot *spot)
{
	enum wr_walk_answer matched = WR_WALK_YES;

	memset(&walk->registers, 0, sizeof walk->registers);
	for (size_t i = 0; i < spot->rule->n_exprs; i++) {
		const struct wr_nft_expr *expr = &spot->rule->exprs[i];
		enum wr_walk_answer one;
		const char *chain;
		int32_t verdict;

		if (read_verdict(expr, &verdict, &chain))
			return decide_if(walk, spot, matched, verdict, chain);
		if (expr->kind == WR_NFT_lookup && expr->lookup.has_dreg && expr->dreg == NFT_REG_VERDICT)
			return decide_by_map(walk, spot, matched, expr);
		if (expr->kind == WR_NFT_other && strcmp(expr->other.name, "target") == 0) {
			if (!wr_walk_xt_target(expr, &verdict))
				return unknown(walk, NEXT);
			if (verdict != NFT_CONTINUE)
				return decide_if(walk, spot, matched, verdict, NULL);
			continue;
		}
		one = match_one(walk, expr);
		if (one == WR_WALK_NO)
			return (struct outcome){NEXT, NEXT};
		if (one < matched)
			matched = one;
	}
	return (struct outcome){NEXT, NEXT};
}

static struct outcome run_chain(struct wr_walk *walk, const struct wr_nft_chain *chain, bool usual)
{
	struct outcome outcome = {0, NEXT};

	for (size_t i = 0; i < chain->n_rules; i++) {
		struct spot spot = {chain, &chain->rules[i], usual && outcome.usual == NEXT};
		struct outcome one;

		if (++walk->rules > RULES_MAX) {
			one = unknown(walk, BACK);
			outcome.possible |= one.possible & ~(unsigned)NEXT;
			return outcome.usual == NEXT ? (struct outcome){outcome.possible, BACK} : outcome;
		}
		one = run_rule(walk, &spot);
		outcome.possible |= one.possible & ~(unsigned)NEXT;
		if (outcome.usual == NEXT)
			outcome.usual = one.usual;
		if (!(one.possible & NEXT))
			return outcome;
	}
	outcome.possible |= BACK;
	if (outcome.usual == NEXT)
		outcome.usual = BACK;
	return outcome;
}

void wr_walk(const struct wr_nft_table *table, const struct wr_nft_chain *base, const struct wr_flow *flow,
	     struct wr_walk_result *ret)
{
	struct wr_walk walk = {.table = table, .flow = flow, .result = ret};
	bool drops = base->policy == NF_DROP;
	struct outcome outcome;

	*ret = (struct wr_walk_result){.certain = true};
	outcome = run_chain(&walk, base, true);
	if (outcome.possible & BACK)
		outcome.possible |= drops ? DROP : ACCEPT;
	if (outcome.usual == BACK) {
		outcome.usual = drops ? DROP : ACCEPT;
		if (drops)
			ret->chain = base;
	}
	ret->possible = outcome.possible & (ACCEPT | DROP);
	ret->usual = outcome.usual == DROP ? WR_WALK_DROP : WR_WALK_ACCEPT;
}
