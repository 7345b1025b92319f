/* others.c: who else drops forwarded packets, and what opens the way.
 *
 * A network's packets are followed through each base chain of the forward hook that is not warren's. Where one would usually be
 * dropped, and its table has a chain that is offered for such rules and would let the packet pass with one of ours in it, that is
 * what is wanted. Where there is none, or where a rule of the machine's owner in that very chain drops the packet, nothing is
 * changed: the chain is named, with a command. */
#include "filter/others.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter/nf_tables.h>

#include "base/arena.h"
#include "base/text.h"
#include "filter/filter.h"
#include "filter/sample.h"
#include "filter/walk.h"
#include "model/model.h"
#include "model/nft.h"

/* Docker jumps there before anything else, and leaves it alone. */
const struct wr_offer wr_offers[] = {
	{NFPROTO_IPV4, "filter", "DOCKER-USER"},
	{NFPROTO_IPV6, "filter", "DOCKER-USER"},
};
const size_t wr_n_offers = sizeof wr_offers / sizeof wr_offers[0];

/* The whole search. What it finds is in the arena of the wanted model. */
struct search {
	struct wr_model *wanted;
	const struct wr_model *live;
	struct wr_arena *arena; /* for itself */
	struct wr_opening *openings;
	size_t n_openings, capacity_openings;
	struct wr_obstacle *obstacles;
	size_t n_obstacles, capacity_obstacles;
};

/* A base chain of somebody else's. */
struct other {
	struct search *search;
	struct wr_nft_table *table; /* as it is without rules of ours */
	const struct wr_nft_chain *base;
	struct wr_nft_table *opened; /* with a rule of ours in the chain that is offered; NULL: none is */
	const struct wr_offer *offer;
	uint64_t before;		      /* the rule in that chain which ours belongs before; 0: at its end */
	size_t first_obstacle, first_opening; /* those found in this chain */
	/* What opens it for the last packet that was dropped: the next is mostly of the same kind. */
	const char *last_iif, *last_oif;
};

/* --- managers -------------------------------------------------------------------------------------------------------- */

struct manager {
	bool by_source; /* what opens it depends on where a packet comes from, not only on where it goes */
	bool (*is_it)(const struct other *other);
	void (*mend)(const struct other *other, const struct wr_sample *sample, struct wr_text *text);
};

static void add_option(struct wr_text *text, const char *option, const char *name)
{
	if (!name)
		return;
	wr_text_add(text, option);
	wr_text_add_shell(text, name);
}

static bool is_firewalld(const struct other *other)
{
	return strcmp(other->table->name, "firewalld") == 0;
}

/* Its zone `trusted` lets everything pass that comes from its interfaces; what comes from elsewhere needs a policy. */
static void mend_firewalld(const struct other *other, const struct wr_sample *sample, struct wr_text *text)
{
	(void)other;
	if (sample->from_own) {
		add_option(text, "firewall-cmd --zone=trusted --add-interface=",
			   sample->flow.bridge ? sample->flow.bridge : sample->flow.iif);
		return;
	}
	add_option(text, "firewall-cmd --permanent --zone=trusted --add-interface=", sample->oif);
	wr_text_add(text, " && firewall-cmd --permanent --new-policy=to-trusted"
			  " && firewall-cmd --permanent --policy=to-trusted --add-ingress-zone=ANY"
			  " && firewall-cmd --permanent --policy=to-trusted --add-egress-zone=trusted"
			  " && firewall-cmd --permanent --policy=to-trusted --set-target=ACCEPT"
			  " && firewall-cmd --reload");
}

static bool is_ufw(const struct other *other)
{
	return wr_nft_find_chain(other->table, "ufw-user-forward") ||
	       wr_nft_find_chain(other->table, "ufw6-user-forward");
}

static void mend_ufw(const struct other *other, const struct wr_sample *sample, struct wr_text *text)
{
	(void)other;
	wr_text_add(text, "ufw route allow");
	add_option(text, " in on ", sample->iif);
	add_option(text, " out on ", sample->oif);
}

static bool is_iptables(const struct other *other)
{
	return (other->table->family == NFPROTO_IPV4 || other->table->family == NFPROTO_IPV6) &&
	       strcmp(other->table->name, "filter") == 0 && strcmp(other->base->name, "FORWARD") == 0;
}

/* An offered chain is of use while the base chain jumps to it: somebody may have flushed that. */
static bool is_offer_reached(const struct other *other)
{
	for (size_t i = 0; other->offer && i < other->base->n_rules; i++) {
		const struct wr_nft_rule *rule = &other->base->rules[i];

		for (size_t k = 0; k < rule->n_exprs; k++)
			if (rule->exprs[k].kind == WR_NFT_immediate && rule->exprs[k].immediate.chain &&
			    strcmp(rule->exprs[k].immediate.chain, other->offer->chain) == 0)
				return true;
	}
	return false;
}

static void mend_iptables(const struct other *other, const struct wr_sample *sample, struct wr_text *text)
{
	wr_text_add(text, other->table->family == NFPROTO_IPV4 ? "iptables -I " : "ip6tables -I ");
	wr_text_add_shell(text, is_offer_reached(other) ? other->offer->chain : other->base->name);
	add_option(text, " -i ", sample->iif);
	add_option(text, " -o ", sample->oif);
	wr_text_add(text, " -j ACCEPT");
}

static bool is_any(const struct other *other)
{
	return other->table != NULL;
}

static void mend_nft(const struct other *other, const struct wr_sample *sample, struct wr_text *text)
{
	wr_text_addf(text, "nft insert rule %s ", wr_nft_family_name(other->table->family));
	wr_text_add_shell(text, other->table->name);
	wr_text_add_char(text, ' ');
	wr_text_add_shell(text, other->base->name);
	if (other->table->family == NFPROTO_BRIDGE) {
		wr_text_addf(text, " 'meta ibrname \"%s\" accept'", sample->flow.bridge);
		return;
	}
	wr_text_add(text, " '");
	if (sample->iif)
		wr_text_addf(text, "iifname \"%s\" ", sample->iif);
	wr_text_addf(text, "oifname \"%s\" accept'", sample->oif);
}

/* The first that it is. */
static const struct manager managers[] = {
	{true, is_firewalld, mend_firewalld},
	{false, is_ufw, mend_ufw},
	{false, is_iptables, mend_iptables},
	{false, is_any, mend_nft},
};

static const struct manager *find_manager(const struct other *other)
{
	const struct manager *manager = managers;

	while (!manager->is_it(other))
		manager++;
	return manager;
}

/* --- without rules of ours, and with one ----------------------------------------------------------------------------- */

bool wr_others_is_marked(const struct wr_nft_rule *rule, const char *network)
{
	char buffer[256];
	const char *comment = wr_walk_comment(rule, buffer);

	return comment && wr_text_starts(comment, WR_FILTER_COMMENT) &&
	       strcmp(comment + strlen(WR_FILTER_COMMENT), network) == 0;
}

static bool is_forward(const struct wr_nft_chain *chain)
{
	_Static_assert((int)NF_INET_FORWARD == NF_BR_FORWARD, "one number for both");
	return chain->type && strcmp(chain->type, "filter") == 0 && chain->hook == NF_INET_FORWARD && chain->deep;
}

static struct wr_nft_table *copy_table(struct wr_arena *arena, const struct wr_nft_table *table)
{
	struct wr_nft_table *copy = wr_arena_memdup(arena, table, sizeof *table);

	if (copy && table->n_chains) {
		copy->chains = wr_arena_memdup(arena, table->chains, table->n_chains * sizeof *table->chains);
		copy->capacity_chains = copy->n_chains;
	}
	return copy && (copy->chains || !table->n_chains) ? copy : NULL;
}

static int remove_ours(struct wr_arena *arena, struct wr_nft_chain *chain, const char *network)
{
	struct wr_nft_rule *rules;
	size_t n = 0;

	if (!chain->n_rules)
		return 0;
	rules = wr_arena_alloc(arena, chain->n_rules * sizeof *rules);
	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < chain->n_rules; i++) {
		if (!wr_others_is_marked(&chain->rules[i], network))
			rules[n++] = chain->rules[i];
	}
	chain->rules = rules;
	chain->capacity_rules = chain->n_rules;
	chain->n_rules = n;
	return 0;
}

/* A rule that only counts, and returns: what some chains end with. */
static bool returns(const struct wr_nft_rule *rule)
{
	for (size_t i = 0; i < rule->n_exprs; i++) {
		const struct wr_nft_expr *expr = &rule->exprs[i];

		if (expr->kind == WR_NFT_counter)
			continue;
		return expr->kind == WR_NFT_immediate && expr->dreg == NFT_REG_VERDICT &&
		       expr->immediate.verdict == NFT_RETURN;
	}
	return false;
}

/* A rule that lets everything pass, behind those that are in the offered chain: what the machine's owner dropped there stays
 * dropped. */
static int add_ours(struct wr_arena *arena, struct wr_nft_chain *chain, uint64_t *ret_before)
{
	struct wr_nft_rule *rule;
	struct wr_nft_expr *expr;

	chain->rules = wr_arena_memdup(arena, chain->rules, chain->n_rules * sizeof *chain->rules);
	chain->capacity_rules = chain->n_rules;
	if (!chain->rules)
		return -ENOMEM;
	if (chain->n_rules && returns(&chain->rules[chain->n_rules - 1]))
		*ret_before = chain->rules[--chain->n_rules].handle;
	rule = wr_nft_add_rule(arena, chain);
	expr = rule ? wr_nft_add_expr(arena, rule, WR_NFT_immediate) : NULL;
	if (!expr)
		return -ENOMEM;
	expr->dreg = NFT_REG_VERDICT;
	expr->immediate.verdict = NF_ACCEPT;
	return 0;
}

/* Finds the chain that a table offers, and what the table would be with a rule of ours in it. */
static int open_offer(struct other *other)
{
	struct wr_arena *arena = other->search->arena;

	for (size_t i = 0; i < wr_n_offers; i++) {
		const struct wr_offer *offer = &wr_offers[i];
		const struct wr_nft_chain *chain = wr_nft_find_chain(other->table, offer->chain);

		if (offer->family != other->table->family || strcmp(offer->table, other->table->name) != 0 || !chain ||
		    chain->type || !chain->deep)
			continue;
		other->offer = offer;
		other->opened = copy_table(arena, other->table);
		return other->opened ? add_ours(arena, wr_nft_find_chain(other->opened, offer->chain), &other->before)
				     : -ENOMEM;
	}
	return 0;
}

/* --- what was found -------------------------------------------------------------------------------------------------- */

static bool same_name(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_opened(const struct other *other, const struct wr_sample *sample)
{
	const struct search *search = other->search;

	for (size_t i = other->first_opening; i < search->n_openings; i++) {
		if (same_name(search->openings[i].iif, sample->iif) && same_name(search->openings[i].oif, sample->oif))
			return true;
	}
	return false;
}

/* NULL stays NULL. */
static int copy_name(struct wr_arena *arena, const char *name, const char **ret)
{
	*ret = name ? wr_arena_strdup(arena, name) : NULL;
	return name && !*ret ? -ENOMEM : 0;
}

static int add_opening(const struct other *other, const struct wr_sample *sample)
{
	struct search *search = other->search;
	struct wr_opening opening = {
		.family = other->offer->family,
		.table = other->offer->table,
		.chain = other->offer->chain,
		.handle = other->before,
	};

	if (wr_arena_grow(search->wanted->arena, &search->openings, &search->capacity_openings, search->n_openings,
			  sizeof opening) < 0 ||
	    copy_name(search->wanted->arena, sample->iif, &opening.iif) < 0 ||
	    copy_name(search->wanted->arena, sample->oif, &opening.oif) < 0)
		return -ENOMEM;
	search->openings[search->n_openings++] = opening;
	return 0;
}

static void describe_cause(const struct wr_walk_result *result, struct wr_text *text)
{
	if (!result->rule)
		wr_text_add(text, "policy drop");
	else
		wr_text_addf(text, "rule with handle %llu in chain %s", (unsigned long long)result->rule->handle,
			     result->chain->name);
}

static void describe_traffic(const struct wr_sample *sample, struct wr_text *text)
{
	if (sample->flow.bridge)
		wr_text_addf(text, "between ports of %s", sample->flow.bridge);
	else
		wr_text_addf(text, "from %s to %s", sample->flow.iif, sample->flow.oif);
}

static int add_obstacle(const struct other *other, const struct wr_sample *sample, const struct wr_walk_result *result)
{
	struct search *search = other->search;
	struct wr_arena *arena = search->wanted->arena;
	struct wr_text WR_CLEANUP_TEXT why = {0}, what = {0}, mend = {0};
	struct wr_obstacle obstacle = {.family = other->table->family};

	find_manager(other)->mend(other, sample, &mend);
	for (size_t i = other->first_obstacle; i < search->n_obstacles; i++) {
		if (strcmp(search->obstacles[i].mend, wr_text_string(&mend)) == 0)
			return 0;
	}
	describe_cause(result, &why);
	describe_traffic(sample, &what);
	if (wr_text_error(&why) < 0 || wr_text_error(&what) < 0 || wr_text_error(&mend) < 0 ||
	    copy_name(arena, other->table->name, &obstacle.table) < 0 ||
	    copy_name(arena, other->base->name, &obstacle.chain) < 0 ||
	    copy_name(arena, wr_text_string(&why), &obstacle.why) < 0 ||
	    copy_name(arena, wr_text_string(&what), &obstacle.what) < 0 ||
	    copy_name(arena, wr_text_string(&mend), &obstacle.mend) < 0 ||
	    wr_arena_grow(arena, &search->obstacles, &search->capacity_obstacles, search->n_obstacles,
			  sizeof obstacle) < 0)
		return -ENOMEM;
	search->obstacles[search->n_obstacles++] = obstacle;
	return 0;
}

/* --- the search ------------------------------------------------------------------------------------------------------ */

static int follow(void *context, const struct wr_sample *sample)
{
	struct other *other = context;
	struct wr_walk_result result, opened = {.usual = WR_WALK_DROP};

	if (other->last_oif == sample->oif && other->last_iif == sample->iif)
		return 0;
	if (is_opened(other, sample))
		return 0;
	wr_walk(other->table, other->base, &sample->flow, &result);
	if (result.usual == WR_WALK_ACCEPT)
		return 0;
	if (other->opened)
		wr_walk(other->opened, wr_nft_find_chain(other->opened, other->base->name), &sample->flow, &opened);
	if (opened.usual == WR_WALK_ACCEPT || (!other->opened && !find_manager(other)->by_source)) {
		other->last_iif = sample->iif;
		other->last_oif = sample->oif;
	}
	return opened.usual == WR_WALK_ACCEPT ? add_opening(other, sample) : add_obstacle(other, sample, &result);
}

static bool may_drop(const struct wr_nft_chain *chain)
{
	for (size_t i = 0; i < chain->n_rules; i++) {
		const struct wr_nft_rule *rule = &chain->rules[i];

		for (size_t k = 0; k < rule->n_exprs; k++) {
			const struct wr_nft_expr *expr = &rule->exprs[k];
			int32_t verdict = NF_DROP;

			if (expr->kind == WR_NFT_reject || (expr->kind == WR_NFT_lookup && expr->lookup.has_dreg) ||
			    (expr->kind == WR_NFT_immediate && expr->dreg == NFT_REG_VERDICT &&
			     expr->immediate.verdict == NF_DROP))
				return true;
			if (expr->kind == WR_NFT_other && strcmp(expr->other.name, "match") != 0 &&
			    (!wr_walk_xt_target(expr, &verdict) || verdict == NF_DROP))
				return true;
		}
	}
	return false;
}

/* Whether any packet can be dropped at all. A machine that only translates or counts need not be searched further. */
static bool can_drop(const struct wr_nft_table *table, const struct wr_nft_chain *base)
{
	if (base->policy == NF_DROP || may_drop(base))
		return true;
	for (size_t i = 0; i < table->n_chains; i++) {
		if (!table->chains[i].type && may_drop(&table->chains[i]))
			return true;
	}
	return false;
}

static int search_chain(struct search *search, struct wr_nft_table *table, const struct wr_nft_chain *base)
{
	static const uint8_t of_inet[] = {NFPROTO_IPV4, NFPROTO_IPV6};
	struct other other = {
		.search = search,
		.table = table,
		.base = base,
		.first_obstacle = search->n_obstacles,
		.first_opening = search->n_openings,
	};
	int r = open_offer(&other);

	if (table->family != NFPROTO_INET)
		return r < 0 ? r : wr_sample_each(search->wanted, search->live, table->family, follow, &other);
	for (size_t i = 0; r == 0 && i < sizeof of_inet; i++)
		r = wr_sample_each(search->wanted, search->live, of_inet[i], follow, &other);
	return r;
}

static int search_table(struct search *search, const struct wr_nft_table *there)
{
	struct wr_nft_table *table = copy_table(search->arena, there);

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_chains; i++) {
		if (remove_ours(search->arena, &table->chains[i], search->wanted->name) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < table->n_chains; i++) {
		const struct wr_nft_chain *chain = &table->chains[i];
		int r = 0;

		if (is_forward(chain) && can_drop(table, chain))
			r = search_chain(search, table, chain);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Tables of other networks let pass what does not go to links of theirs. */
static bool is_others(const struct wr_nft_table *table)
{
	if (table->ours || table->network ||
	    (table->family != NFPROTO_INET && table->family != NFPROTO_IPV4 && table->family != NFPROTO_IPV6 &&
	     table->family != NFPROTO_BRIDGE))
		return false;
	for (size_t i = 0; i < table->n_chains; i++) {
		if (is_forward(&table->chains[i]))
			return true;
	}
	return false;
}

int wr_others_want(struct wr_model *wanted, const struct wr_model *live)
{
	struct wr_arena WR_CLEANUP_ARENA *arena = wr_arena_new();
	const struct wr_ns *host = wr_model_host(live);
	struct search search = {
		.wanted = wanted,
		.live = live,
		.arena = arena,
	};
	int r = arena ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < host->n_tables; i++) {
		if (is_others(host->tables[i]))
			r = search_table(&search, host->tables[i]);
	}
	if (r < 0)
		return r;
	wanted->openings = search.openings;
	wanted->n_openings = search.n_openings;
	wanted->obstacles = search.obstacles;
	wanted->n_obstacles = search.n_obstacles;
	return 0;
}
