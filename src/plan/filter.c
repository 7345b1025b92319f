/* Packet filters, and what a network's traffic needs of the rest of the host: settings, a rule where somebody else's chain drops.
 *
 * A table is the unit: what differs in it is one transaction, a step. What the host had before a setting was borrowed is noted
 * in the network's own table, before the setting is written: so a kill between the two leaves a note too many, never one too
 * few. The note goes when the setting is back. */
#include "plan/internal.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "filter/delta.h"
#include "filter/filter.h"
#include "model/nft.h"

/* --- tables --------------------------------------------------------------------------------------------------------------- */

static const struct wr_nft_table *wr_find_own(const struct wr_ns *ns, const struct wr_nft_table *like)
{
	const struct wr_nft_table *found = ns ? wr_ns_find_table(ns, like->family, like->name) : NULL;

	return found && found->ours ? found : NULL;
}

/* Whether an element begins with the name of an interface of the network that is there and not wanted any more. */
static bool wr_names_going_link(const struct wr_nft_set *set, const struct wr_nft_element *element,
				const struct wr_ns *live)
{
	uint32_t first = set->key_type;
	const struct wr_link *link;
	char name[IFNAMSIZ + 1];

	while (first >> 6)
		first >>= 6;
	if (first != WR_NFT_TYPE_IFNAME || set->key_length < IFNAMSIZ || !element->key)
		return false;
	memcpy(name, element->key, IFNAMSIZ);
	name[IFNAMSIZ] = '\0';
	link = wr_ns_find_link(live, name);
	return link && wr_planner_counts_link(link) && !link->match;
}

/* What is to go is kept apart and guarded until it has gone: its elements are taken away by the round after that. */
static void wr_keep_until_gone(struct wr_nft_delta *delta, const struct wr_ns *live)
{
	size_t kept_changes = 0;

	for (size_t i = 0; i < delta->n_changes; i++) {
		struct wr_nft_change *change = &delta->changes[i];
		size_t kept = 0;

		if (change->kind != WR_NFT_DEL_ELEMENTS) {
			delta->changes[kept_changes++] = *change;
			continue;
		}
		for (size_t k = 0; k < change->n_elements; k++)
			if (!wr_names_going_link(change->set, change->elements[k], live))
				change->elements[kept++] = change->elements[k];
		delta->n_elements -= change->n_elements - kept;
		change->n_elements = kept;
		if (kept)
			delta->changes[kept_changes++] = *change;
	}
	delta->n_changes = kept_changes;
}

void wr_planner_filters(struct wr_planner *planner, struct wr_ns *ns)
{
	for (size_t i = 0; i < ns->n_tables; i++) {
		struct wr_nft_table *table = ns->tables[i];
		const struct wr_nft_table *live;
		struct wr_nft_delta *delta;
		struct wr_step *step;

		/* What was observed before holds others' tables too. */
		if (!table->ours)
			continue;
		live = wr_find_own(ns->match, table);
		if (wr_nft_compare(table, live, planner->plan->arena, &delta) < 0) {
			planner->error = -ENOMEM;
			return;
		}
		if (live)
			wr_keep_until_gone(delta, ns->match);
		if (!delta->n_changes)
			continue;
		step = wr_planner_step(planner, WR_STEP_set_filter, live ? WR_STEP_CHANGE : WR_STEP_ADD, ns, NULL);
		if (step) {
			step->table = table;
			step->delta = delta;
		}
	}
}

void wr_planner_remove_filters(struct wr_planner *planner, struct wr_ns *live)
{
	for (size_t i = 0; i < live->n_tables; i++) {
		struct wr_nft_table *table = live->tables[i];
		struct wr_nft_delta *delta;
		struct wr_step *step;

		if (!table->ours || wr_find_own(live->match, table))
			continue;
		if (wr_nft_compare(NULL, table, planner->plan->arena, &delta) < 0) {
			planner->error = -ENOMEM;
			return;
		}
		step = wr_planner_step(planner, WR_STEP_del_filter, WR_STEP_REMOVE, live->match, NULL);
		if (step) {
			step->table = table;
			step->delta = delta;
		}
	}
}

/* --- settings of the host --------------------------------------------------------------------------------------------------- */

static struct wr_nft_table *wr_host_table(const struct wr_model *model, const char *network)
{
	char name[80];
	struct wr_nft_table *table =
		wr_ns_find_table(wr_model_host(model), NFPROTO_INET, wr_filter_table_name(network, name));

	return table && table->ours ? table : NULL;
}

static struct wr_borrow *wr_find_borrow(const struct wr_model *model, const struct wr_borrow *like)
{
	for (size_t i = 0; i < model->n_borrows; i++)
		if (model->borrows[i].conf == like->conf && !strcmp(model->borrows[i].scope, like->scope))
			return &model->borrows[i];
	return NULL;
}

int wr_planner_host_value(const struct wr_model *live, const struct wr_borrow *borrow)
{
	const struct wr_ns *host = wr_model_host(live);
	const struct wr_link *link;

	if (!strcmp(borrow->scope, "all"))
		return host->conf_all.value[borrow->conf];
	link = wr_ns_find_link(host, borrow->scope);
	return link ? link->conf.value[borrow->conf] : WR_CONF_UNSET;
}

int wr_borrow_given(enum wr_conf_id conf)
{
	return conf == WR_CONF_V6_ACCEPT_RA ? 2 : 1;
}

bool wr_borrow_is_returnable(const struct wr_borrow *borrow)
{
	return borrow->value == wr_borrow_given((enum wr_conf_id)borrow->conf) && borrow->value != borrow->before &&
	       !borrow->shared && !borrow->general;
}

/* One element of the map of notes, come or gone. */
static const struct wr_nft_delta *wr_note(struct wr_planner *planner, enum wr_nft_change_kind kind,
					  const struct wr_nft_table *table, const struct wr_borrow *borrow)
{
	struct wr_arena *arena = planner->plan->arena;
	struct wr_nft_delta *delta = wr_nft_delta_new(arena);
	struct wr_nft_change *change = delta ? wr_nft_delta_add(delta, kind, table) : NULL;
	const struct wr_nft_element **elements = wr_arena_alloc(arena, sizeof *elements);

	if (change && elements)
		elements[0] = wr_filter_before(arena, borrow->scope, borrow->conf, borrow->before);
	if (!change || !elements || !elements[0]) {
		planner->error = -ENOMEM;
		return NULL;
	}
	change->set = wr_nft_find_set(table, WR_FILTER_BEFORE);
	change->elements = elements;
	change->n_elements = delta->n_elements = 1;
	return change->set ? delta : NULL;
}

static void wr_plan_borrow(struct wr_planner *planner, struct wr_borrow *borrow)
{
	const struct wr_model *wanted = planner->wanted, *live = planner->live;
	const struct wr_borrow *noted = wr_find_borrow(live, borrow);
	const struct wr_nft_table *table = wr_host_table(wanted, wanted->name);
	bool needs_note = borrow->before != borrow->value && !(noted && noted->noted);
	int value = wr_planner_host_value(live, borrow);
	struct wr_step *step;

	/* An interface that is gone by now, or a kernel without the setting: nothing to set. */
	if (value == WR_CONF_UNSET || borrow->value == WR_CONF_UNSET || (value == borrow->value && !needs_note))
		return;
	step = wr_planner_step(planner, WR_STEP_borrow_conf, WR_STEP_CHANGE, wr_model_host(wanted), NULL);
	if (!step)
		return;
	step->borrow = borrow;
	step->conf = (int8_t)borrow->conf;
	if (needs_note && table)
		step->delta = wr_note(planner, WR_NFT_ADD_ELEMENTS, table, borrow);
}

/* What is noted and not needed any more. Only a setting that still has the value that it was given is put back, and only
 * when no other network has it noted too. */
static void wr_plan_return(struct wr_planner *planner, struct wr_borrow *borrow)
{
	const struct wr_nft_table *table = wr_host_table(planner->live, planner->live->name);
	struct wr_step *step;

	if (!borrow->noted && !(borrow->remembered && wr_borrow_is_returnable(borrow)))
		return;
	if (wr_find_borrow(planner->wanted, borrow))
		return;
	step = wr_planner_step(planner, WR_STEP_return_conf, WR_STEP_REMOVE, wr_model_host(planner->wanted), NULL);
	if (!step)
		return;
	step->borrow = borrow;
	step->conf = (int8_t)borrow->conf;
	/* With the table, its notes go. */
	if (table && borrow->noted && wr_host_table(planner->wanted, planner->live->name))
		step->delta = wr_note(planner, WR_NFT_DEL_ELEMENTS, table, borrow);
}

/* --- rules in others' chains -------------------------------------------------------------------------------------------------- */

static bool wr_same_name(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool wr_has_opening(const struct wr_model *model, const struct wr_opening *like)
{
	for (size_t i = 0; i < model->n_openings; i++) {
		const struct wr_opening *opening = &model->openings[i];

		if (opening->family == like->family && !strcmp(opening->table, like->table) &&
		    !strcmp(opening->chain, like->chain) && wr_same_name(opening->iif, like->iif) &&
		    wr_same_name(opening->oif, like->oif))
			return true;
	}
	return false;
}

static int wr_match_interface(struct wr_arena *arena, struct wr_nft_rule *rule, uint32_t key, const char *ifname)
{
	struct wr_nft_expr *load, *compare;

	if (!ifname)
		return 0;
	load = wr_nft_add_expr(arena, rule, WR_NFT_meta);
	if (!load)
		return -ENOMEM;
	load->meta.key = key;
	load->dreg = NFT_REG32_00;
	compare = wr_nft_add_expr(arena, rule, WR_NFT_cmp);
	if (!compare)
		return -ENOMEM;
	compare->sreg = NFT_REG32_00;
	compare->cmp.op = NFT_CMP_EQ;
	compare->cmp.value.length = IFNAMSIZ;
	snprintf((char *)compare->cmp.value.bytes, IFNAMSIZ, "%s", ifname);
	return 0;
}

/* The rule as iptables writes it, so that its owner's tools can list it. */
static int wr_fill_opening(struct wr_arena *arena, struct wr_nft_rule *rule, const struct wr_opening *opening,
			   const char *network)
{
	struct wr_nft_expr *verdict;

	if (wr_match_interface(arena, rule, NFT_META_IIFNAME, opening->iif) < 0 ||
	    wr_match_interface(arena, rule, NFT_META_OIFNAME, opening->oif) < 0 ||
	    !wr_nft_add_expr(arena, rule, WR_NFT_counter))
		return -ENOMEM;
	verdict = wr_nft_add_expr(arena, rule, WR_NFT_immediate);
	if (!verdict)
		return -ENOMEM;
	verdict->dreg = NFT_REG_VERDICT;
	verdict->immediate.verdict = NF_ACCEPT;
	rule->comment = wr_arena_printf(arena, "%s%s", WR_FILTER_COMMENT, network);
	return rule->comment ? 0 : -ENOMEM;
}

static const struct wr_nft_delta *wr_opening_delta(struct wr_planner *planner, enum wr_nft_change_kind kind,
						   const struct wr_opening *opening)
{
	struct wr_arena *arena = planner->plan->arena;
	struct wr_nft_table *table = wr_arena_new_of(arena, struct wr_nft_table);
	struct wr_nft_chain *chain = wr_arena_new_of(arena, struct wr_nft_chain);
	struct wr_nft_rule *rule = wr_arena_new_of(arena, struct wr_nft_rule);
	struct wr_nft_delta *delta = wr_nft_delta_new(arena);
	struct wr_nft_change *change = delta && table ? wr_nft_delta_add(delta, kind, table) : NULL;

	if (!table || !chain || !rule || !change ||
	    (kind != WR_NFT_DEL_RULE && wr_fill_opening(arena, rule, opening, planner->wanted->name) < 0)) {
		planner->error = -ENOMEM;
		return NULL;
	}
	table->ns = wr_model_host(planner->wanted);
	table->family = opening->family;
	table->name = opening->table;
	chain->name = opening->chain;
	/* Of an opening that is put back, it is the rule's own, that is no more. */
	if (kind == WR_NFT_DEL_RULE || !planner->wanted->live)
		rule->handle = opening->handle;
	change->chain = chain;
	change->rule = rule;
	return delta;
}

static void wr_plan_opening(struct wr_planner *planner, enum wr_step_kind kind, struct wr_opening *opening)
{
	bool opens = kind == WR_STEP_open_chain;
	enum wr_nft_change_kind kind_of_change = WR_NFT_INSERT_RULE;
	struct wr_step *step = wr_planner_step(planner, kind, opens ? WR_STEP_ADD : WR_STEP_REMOVE,
					       wr_model_host(planner->wanted), NULL);

	if (!step)
		return;
	step->opening = opening;
	if (!opens)
		kind_of_change = WR_NFT_DEL_RULE;
	else if (!opening->handle && !planner->wanted->live)
		kind_of_change = WR_NFT_ADD_RULE;
	step->delta = wr_opening_delta(planner, kind_of_change, opening);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------------ */

void wr_planner_host_traffic(struct wr_planner *planner)
{
	const struct wr_model *wanted = planner->wanted;

	for (size_t i = 0; i < wanted->n_borrows; i++)
		wr_plan_borrow(planner, &wanted->borrows[i]);
	for (size_t i = 0; i < wanted->n_openings; i++)
		if (!wr_has_opening(planner->live, &wanted->openings[i]))
			wr_plan_opening(planner, WR_STEP_open_chain, &wanted->openings[i]);
}

void wr_planner_return_host(struct wr_planner *planner)
{
	const struct wr_model *live = planner->live;

	for (size_t i = 0; i < live->n_openings; i++)
		if (!wr_has_opening(planner->wanted, &live->openings[i]))
			wr_plan_opening(planner, WR_STEP_close_chain, &live->openings[i]);
	/* In the reverse order: what depends on another setting was borrowed after it. */
	for (size_t i = live->n_borrows; i-- > 0;)
		wr_plan_return(planner, &live->borrows[i]);
}
