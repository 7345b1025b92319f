/* filter_lists.c: the lists of nf_tables, asked for table by table.
 *
 * Every list of nf_tables ends with a piece of its own, so that each needs a send; what costs is what others wrote. Hence
 * chains come by family, rules by table, elements by set, and only of tables that were chosen. A list that changed while it was
 * read spoils all that was read before it: everything is then read again. */
#include <errno.h>
#include <netinet/in.h> /* before linux/in.h */
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "filter/filter.h"
#include "filter/others.h"
#include "kernel/netns.h"
#include "kernel/nft.h"
#include "live/decode_nft.h"
#include "live/filter.h"

#define TRIES	       16
#define SET_TRIES      64
#define QUESTION_BYTES 600 /* two names of at most 256 bytes each, and headers */

/* What is known of a namespace's tables while they are read. */
struct listing {
	struct wr_nl *nl;
	struct wr_arena *arena;
	size_t buffer_size;
	struct wr_ns ns; /* where they are gathered: ns.tables alone counts */
	unsigned *what;	 /* of ns.tables[i] */
	struct wr_nft_reading reading;
	bool torn; /* something changed meanwhile */
	const char *network;
	wr_tables_choice choose;
	void *data;
};

/* --- questions -------------------------------------------------------------------------------------------------------- */

typedef int (*decoder)(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);

struct answering {
	struct listing *listing;
	decoder decode;
};

static int read_answer(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	struct answering *a = data;

	return a->listing->torn ? 0 : a->decode(&a->listing->reading, message, reterr);
}

static void spoil(void *data)
{
	((struct answering *)data)->listing->torn = true;
}

/* A name and the number of its attribute, up to two in a question. */
struct named {
	uint16_t attr;
	const char *name; /* NULL: none */
};

/* Asks for a list (single: for one thing, which may not be there) and waits for all of it. */
static int ask(struct listing *l, uint16_t type, uint8_t family, const struct named names[2], decoder decode,
	       bool single, struct wr_error *reterr)
{
	_Alignas(struct nlmsghdr) unsigned char bytes[QUESTION_BYTES] = {0};
	struct answering answering = {.listing = l, .decode = decode};
	struct nlmsghdr *message = mnl_nlmsg_put_header(bytes);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	struct wr_nl_query query = {
		.request = message,
		.reader = read_answer,
		.restart = spoil,
		.data = &answering,
		.single = single,
		.accept_errors = single,
		.ends_apart = true,
	};
	int r;

	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	header->nfgen_family = family;
	for (int i = 0; i < 2 && names[i].name != NULL; i++)
		if (!mnl_attr_put_strz_check(message, sizeof bytes, names[i].attr, names[i].name))
			return wr_fail(reterr, WR_ERR_KERNEL, -ENAMETOOLONG, "the kernel lists a name of %zu bytes",
				       strlen(names[i].name));
	r = wr_nl_dump_many(l->nl, &query, 1, l->buffer_size, reterr);
	return r == 0 && query.code < 0 && query.code != -ENOENT
		       ? wr_fail(reterr, WR_ERR_KERNEL, query.code, "%s", strerror(-query.code))
		       : r;
}

static const struct named nothing_named[2];

/* --- which tables ----------------------------------------------------------------------------------------------------- */

/* Whose a table is: its name alone could be anybody's. */
static int claim(const struct listing *l, struct wr_nft_table *table, struct wr_error *reterr)
{
	char name[80];

	if (table->comment == NULL || !wr_text_starts(table->comment, WR_FILTER_COMMENT) ||
	    (table->family != NFPROTO_INET && table->family != NFPROTO_BRIDGE))
		return 0;
	/* No network's name is longer than this, see model/name.h. */
	if (strlen(table->comment) - strlen(WR_FILTER_COMMENT) > WR_NAME_MAX ||
	    strcmp(table->name, wr_filter_table_name(table->comment + strlen(WR_FILTER_COMMENT), name)) != 0)
		return 0;
	table->network = wr_arena_strdup(l->arena, table->comment + strlen(WR_FILTER_COMMENT));
	if (table->network == NULL)
		return wr_fail_memory(reterr);
	table->ours = l->network != NULL && strcmp(table->network, l->network) == 0;
	return 0;
}

/* Keeps of the list what is chosen. */
static int choose_tables(struct listing *l, struct wr_error *reterr)
{
	size_t kept = 0;

	l->what = wr_arena_alloc(l->arena, (l->ns.n_tables + 1) * sizeof *l->what);
	if (l->what == NULL)
		return wr_fail_memory(reterr);
	for (size_t i = 0; i < l->ns.n_tables; i++) {
		struct wr_nft_table *table = l->ns.tables[i];
		int r = claim(l, table, reterr);

		if (r < 0)
			return r;
		l->what[kept] = l->choose(table, l->data);
		if (l->what[kept] != 0)
			l->ns.tables[kept++] = table;
	}
	l->ns.n_tables = kept;
	l->reading.table = NULL;
	return 0;
}

static bool forwards(const struct wr_nft_table *table)
{
	for (size_t i = 0; i < table->n_chains; i++)
		if (table->chains[i].type != NULL && table->chains[i].device == NULL &&
		    table->chains[i].hook == NF_INET_FORWARD)
			return true;
	return false;
}

/* Leaves out those that were chosen for a chain that they do not have. */
static void drop_others(struct listing *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->ns.n_tables; i++)
		if ((l->what[i] & WR_TABLES_FORWARD) == 0 || forwards(l->ns.tables[i])) {
			l->what[kept] = l->what[i];
			l->ns.tables[kept++] = l->ns.tables[i];
		}
	l->ns.n_tables = kept;
	l->reading.table = NULL;
}

/* --- chains and rules --------------------------------------------------------------------------------------------------- */

/* The chains of others that are offered for rules of ours, and no other of that table. */
static int read_offers(struct listing *l, const struct wr_nft_table *table, struct wr_error *reterr)
{
	int r = 0;

	for (size_t i = 0; i < wr_n_offers && r == 0; i++) {
		const struct wr_offer *offer = &wr_offers[i];
		const struct named chain[2] = {{NFTA_CHAIN_TABLE, offer->table}, {NFTA_CHAIN_NAME, offer->chain}};
		const struct named rules[2] = {{NFTA_RULE_TABLE, offer->table}, {NFTA_RULE_CHAIN, offer->chain}};

		if (offer->family != table->family || strcmp(offer->table, table->name) != 0)
			continue;
		r = ask(l, NFT_MSG_GETCHAIN, table->family, chain, wr_decode_nft_chain, true, reterr);
		if (r == 0 && wr_nft_find_chain(table, offer->chain) != NULL)
			r = ask(l, NFT_MSG_GETRULE, table->family, rules, wr_decode_nft_rule, false, reterr);
	}
	return r;
}

static int read_chains(struct listing *l, struct wr_error *reterr)
{
	bool asked[UINT8_MAX + 1] = {false};
	int r = 0;

	for (size_t i = 0; i < l->ns.n_tables && r == 0; i++) {
		uint8_t family = l->ns.tables[i]->family;

		if ((l->what[i] & WR_TABLES_RULES) == 0 || asked[family])
			continue;
		asked[family] = true;
		r = ask(l, NFT_MSG_GETCHAIN, family, nothing_named, wr_decode_nft_chain, false, reterr);
	}
	/* The list was of the whole family. */
	for (size_t i = 0; i < l->ns.n_tables; i++)
		if ((l->what[i] & WR_TABLES_RULES) == 0)
			l->ns.tables[i]->n_chains = 0;
	return r;
}

static int read_rules(struct listing *l, struct wr_error *reterr)
{
	int r = 0;

	for (size_t i = 0; i < l->ns.n_tables && r == 0; i++) {
		const struct wr_nft_table *table = l->ns.tables[i];
		const struct named names[2] = {{NFTA_RULE_TABLE, table->name}};

		if ((l->what[i] & WR_TABLES_RULES) != 0)
			r = ask(l, NFT_MSG_GETRULE, table->family, names, wr_decode_nft_rule, false, reterr);
		else if ((l->what[i] & WR_TABLES_OFFERS) != 0)
			r = read_offers(l, table, reterr);
		for (size_t k = 0; k < table->n_chains; k++)
			table->chains[k].deep = true;
	}
	return r;
}

/* --- sets --------------------------------------------------------------------------------------------------------------- */

/* Which sets of a table are looked up on the way of a forwarded packet. */
struct using
{
	const struct wr_nft_table *table;
	struct wr_map chains, sets; /* by name */
	bool *used;		    /* of table->sets[i] */
	bool *reached;		    /* of table->chains[i] */
	size_t *next;		    /* numbers of chains that were reached, in that order */
	size_t n_next;
};

static void reach(struct using *u, const struct wr_nft_chain *chain)
{
	size_t number = (size_t)(chain - u->table->chains);

	if (u->reached[number])
		return;
	u->reached[number] = true;
	u->next[u->n_next++] = number;
}

static void use_expr(struct using *u, const struct wr_nft_expr *expr)
{
	const struct wr_nft_chain *chain;
	const struct wr_nft_set *set;

	if (expr->kind == WR_NFT_immediate && expr->immediate.chain != NULL) {
		chain = wr_map_get(&u->chains, expr->immediate.chain);
		if (chain != NULL)
			reach(u, chain);
	}
	set = expr->kind == WR_NFT_lookup ? wr_map_get(&u->sets, expr->lookup.set) : NULL;
	if (set == NULL)
		return;
	u->used[set - u->table->sets] = true;
	/* Where its verdicts lead is not known yet: anywhere. */
	for (size_t i = 0; set->data_type == NFT_DATA_VERDICT && i < u->table->n_chains; i++)
		reach(u, &u->table->chains[i]);
}

static int begin_using(struct using *u, struct wr_arena *arena, struct wr_nft_table *table)
{
	*u = (struct using){.table = table, .chains = {.arena = arena}, .sets = {.arena = arena}};
	u->used = wr_arena_alloc(arena, table->n_sets + 1);
	u->reached = wr_arena_alloc(arena, table->n_chains + 1);
	u->next = wr_arena_alloc(arena, (table->n_chains + 1) * sizeof *u->next);
	if (u->used == NULL || u->reached == NULL || u->next == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_chains; i++)
		if (wr_map_put(&u->chains, table->chains[i].name, &table->chains[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < table->n_sets; i++)
		if (wr_map_put(&u->sets, table->sets[i].name, &table->sets[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* Takes out of a table the sets that no forwarded packet is looked up in. */
static int drop_unused(struct wr_arena *arena, struct wr_nft_table *table, struct wr_error *reterr)
{
	struct using u;
	size_t kept = 0;

	if (begin_using(&u, arena, table) < 0)
		return wr_fail_memory(reterr);
	for (size_t i = 0; i < table->n_chains; i++)
		if (table->chains[i].type != NULL && table->chains[i].hook == NF_INET_FORWARD)
			reach(&u, &table->chains[i]);
	for (size_t i = 0; i < u.n_next; i++) {
		const struct wr_nft_chain *chain = &table->chains[u.next[i]];

		for (size_t k = 0; k < chain->n_rules; k++)
			for (size_t m = 0; m < chain->rules[k].n_exprs; m++)
				use_expr(&u, &chain->rules[k].exprs[m]);
	}
	for (size_t i = 0; i < table->n_sets; i++)
		if (u.used[i])
			table->sets[kept++] = table->sets[i];
	table->n_sets = kept;
	return 0;
}

static void drop_all_but(struct wr_nft_table *table, const char *name)
{
	const struct wr_nft_set *set = wr_nft_find_set(table, name);

	if (set != NULL)
		table->sets[0] = *set;
	table->n_sets = set != NULL;
}

/* Whether a key is among those that slots (a power of two of them, numbers of elements from 1) knows by now; it is afterwards. */
static bool is_known(const struct wr_nft_set *set, uint32_t *slots, size_t n_slots, size_t number)
{
	const uint8_t *key = set->elements[number].key;
	size_t slot = wr_hash(key, set->key_length, 0) & (n_slots - 1);

	for (; slots[slot] != 0; slot = (slot + 1) & (n_slots - 1))
		if (memcmp(set->elements[slots[slot] - 1].key, key, set->key_length) == 0)
			return true;
	slots[slot] = (uint32_t)number + 1;
	return false;
}

/* Takes elements out that were listed before. Returns how many, or -ENOMEM. */
static ssize_t drop_repeated(struct wr_nft_set *set)
{
	size_t n_slots = 16, kept = 0, listed = set->n_elements;
	uint32_t *slots;

	while (n_slots < 2 * listed)
		n_slots *= 2;
	slots = calloc(n_slots, sizeof *slots);
	if (slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < listed; i++) {
		set->elements[kept] = set->elements[i];
		kept += set->elements[kept].key == NULL || !is_known(set, slots, n_slots, kept);
	}
	free(slots);
	set->n_elements = kept;
	return (ssize_t)(listed - kept);
}

/* The kernel keeps a set without intervals in a hash table, which it makes larger and smaller beside everything else, also
 * after a transaction. A list taken meanwhile names elements twice, and then lacks as many others: it is taken again. In a set
 * that packets fill that is no matter. */
static int read_elements(struct listing *l, const struct wr_nft_table *table, struct wr_nft_set *set,
			 struct wr_error *reterr)
{
	const struct named names[2] = {{NFTA_SET_ELEM_LIST_TABLE, table->name}, {NFTA_SET_ELEM_LIST_SET, set->name}};

	for (int i = 0; i < SET_TRIES; i++) {
		ssize_t repeated = 0;
		int r;

		set->n_elements = 0;
		r = ask(l, NFT_MSG_GETSETELEM, table->family, names, wr_decode_nft_elements, false, reterr);
		if (r < 0 || l->torn)
			return r;
		if ((set->flags & NFT_SET_INTERVAL) == 0 && set->n_elements > 1)
			repeated = drop_repeated(set);
		if (repeated < 0)
			return wr_fail_memory(reterr);
		set->deep = true;
		if (repeated == 0 || (set->flags & NFT_SET_EVAL) != 0)
			return 0;
	}
	return wr_fail(reterr, WR_ERR_KERNEL, -EINTR, "set '%s' moved during each of %d attempts to list it", set->name,
		       SET_TRIES);
}

static int read_sets_of(struct listing *l, struct wr_nft_table *table, unsigned what, struct wr_error *reterr)
{
	const struct named names[2] = {{NFTA_SET_TABLE, table->name}};
	int r = ask(l, NFT_MSG_GETSET, table->family, names, wr_decode_nft_set, false, reterr);

	if (r == 0 && !l->torn && (what & (WR_TABLES_USED_SETS | WR_TABLES_SETS)) == WR_TABLES_USED_SETS)
		r = drop_unused(l->arena, table, reterr);
	if ((what & (WR_TABLES_BEFORE | WR_TABLES_SETS)) == WR_TABLES_BEFORE)
		drop_all_but(table, WR_FILTER_BEFORE);
	l->reading.set = NULL; /* they have moved */
	for (size_t i = 0; i < table->n_sets && r == 0 && !l->torn; i++)
		r = read_elements(l, table, &table->sets[i], reterr);
	return r;
}

static int read_sets(struct listing *l, struct wr_error *reterr)
{
	const unsigned any = WR_TABLES_SETS | WR_TABLES_USED_SETS | WR_TABLES_BEFORE;
	int r = 0;

	for (size_t i = 0; i < l->ns.n_tables && r == 0 && !l->torn; i++)
		if ((l->what[i] & any) != 0)
			r = read_sets_of(l, l->ns.tables[i], l->what[i], reterr);
	return r;
}

/* --- the whole ---------------------------------------------------------------------------------------------------------- */

static int read_lists(struct listing *l, struct wr_error *reterr)
{
	int r = ask(l, NFT_MSG_GETTABLE, NFPROTO_UNSPEC, nothing_named, wr_decode_nft_table, false, reterr);

	if (r == 0 && !l->torn)
		r = choose_tables(l, reterr);
	if (r == 0 && !l->torn)
		r = read_chains(l, reterr);
	if (r == 0 && !l->torn)
		drop_others(l);
	if (r == 0 && !l->torn)
		r = read_rules(l, reterr);
	if (r == 0 && !l->torn)
		r = read_sets(l, reterr);
	return r;
}

static void put_end(struct wr_batch *batch, uint16_t type)
{
	struct nfgenmsg *header;

	wr_batch_begin(batch, type, 0, 0);
	header = wr_batch_header(batch, sizeof *header);
	header->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

/* Waits for a transaction that is being made valid: the kernel counts its generation first, and lists may then still show
 * what was before, or of a table made anew neither. One without a change waits its turn, and leaves no trace. */
static int settle(struct listing *l, struct wr_error *reterr)
{
	struct wr_batch batch;
	int r;

	wr_batch_init(&batch, l->nl);
	put_end(&batch, NFNL_MSG_BATCH_BEGIN);
	put_end(&batch, NFNL_MSG_BATCH_END);
	r = wr_batch_send(&batch, 0, NULL, reterr);
	wr_batch_done(&batch);
	return r;
}

/* Everything once. l->torn afterwards: once more. */
static int read_once(struct listing *l, struct wr_ns *ns, struct wr_error *reterr)
{
	struct wr_error error = {0};
	uint32_t before, after;
	int r = wr_nft_generation(l->nl, &before, reterr), failed;

	if (r == 0)
		r = settle(l, reterr);
	if (r < 0)
		return r;
	l->ns = (struct wr_ns){.model = ns->model};
	l->reading = (struct wr_nft_reading){.ns = &l->ns};
	l->torn = false;
	failed = read_lists(l, &error);
	r = wr_nft_generation(l->nl, &after, reterr);
	if (r < 0)
		return r;
	/* What was listed may be gone when it is asked for: that is no failure, but a change. */
	l->torn |= before != after;
	if (failed < 0 && (!l->torn || failed == -ENOMEM)) {
		if (reterr != NULL)
			*reterr = error;
		return failed;
	}
	return 0;
}

static int add_tables(const struct listing *l, struct wr_ns *ns, struct wr_error *reterr)
{
	for (size_t i = 0; i < l->ns.n_tables; i++) {
		struct wr_nft_table *table = l->ns.tables[i];

		if (wr_arena_grow(l->arena, &ns->tables, &ns->capacity_tables, ns->n_tables, sizeof table) < 0)
			return wr_fail_memory(reterr);
		table->ns = ns;
		ns->tables[ns->n_tables++] = table;
	}
	return 0;
}

int wr_tables_read(struct wr_host *host, struct wr_netns *netns, struct wr_ns *ns, const char *network,
		   wr_tables_choice choose, void *data, struct wr_error *reterr)
{
	struct listing l = {
		.arena = ns->model->arena,
		.buffer_size = netns == &host->self ? WR_NL_LARGE : WR_NL_SMALL,
		.network = network,
		.choose = choose,
		.data = data,
	};
	bool there = false;
	int r = wr_nft_is_there(host, netns, &there, reterr);

	if (r < 0 || !there)
		return r;
	r = wr_nft_open(host, netns, &l.nl, reterr);
	for (int i = 0; i < TRIES && r == 0; i++) {
		r = read_once(&l, ns, reterr);
		if (r == 0 && !l.torn)
			return add_tables(&l, ns, reterr);
	}
	return r < 0 ? r
		     : wr_fail(reterr, WR_ERR_KERNEL, -EINTR,
			       "its packet filter changed during each of %d attempts to read it", TRIES);
}

static unsigned choose_network(const struct wr_nft_table *table, void *data)
{
	const char *const *network = data;

	if (table->network == NULL || (*network != NULL && strcmp(table->network, *network) != 0))
		return 0;
	return WR_TABLES_WHOLE;
}

int wr_tables_read_network(struct wr_host *host, struct wr_netns *netns, struct wr_ns *ns, const char *network,
			   struct wr_error *reterr)
{
	return wr_tables_read(host, netns, ns, network, choose_network, &network, reterr);
}
