/* filter.c: what an observation wants of packet filters, and what a network has to do with the rest of the host.
 *
 * The network's own tables are read first: what they note, and whether it has anything in the host at all, says what is worth
 * asking of others'. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h> /* before linux/in.h */
#include <stdio.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "filter/filter.h"
#include "filter/others.h"
#include "filter/remember.h"
#include "kernel/netns.h"
#include "kernel/nft.h"
#include "kernel/sockets.h"
#include "kernel/sysctl.h"
#include "live/filter.h"
#include "live/observe.h"
#include "model/nft.h"

#define NAMES_MAX      4096 /* of a list of legacy tables, of which there are five */
#define REMEMBERED_MAX (1u << 20)

/* --- which tables ----------------------------------------------------------------------------------------------------- */

struct choosing {
	const struct wr_ns *wanted; /* only its tables; NULL: whatever is the network's */
	const char *network;
	bool all;	 /* others' filters too */
	bool has_notes;	 /* the network changed settings of the host */
	bool has_others; /* result: there are tables that are not the network's */
};

static bool is_offering(const struct wr_nft_table *table)
{
	for (size_t i = 0; i < wr_n_offers; i++)
		if (wr_offers[i].family == table->family && strcmp(wr_offers[i].table, table->name) == 0)
			return true;
	return false;
}

/* The network's tables; one that only has the name of one is seen, and not looked into. */
static unsigned choose_own(const struct wr_nft_table *table, void *data)
{
	struct choosing *c = data;
	char name[80];

	c->has_others |= !table->ours;
	if (c->wanted != NULL && wr_ns_find_table(c->wanted, table->family, table->name) == NULL)
		return 0;
	if (table->ours)
		return WR_TABLES_WHOLE;
	if (table->family != NFPROTO_INET && table->family != NFPROTO_BRIDGE)
		return 0;
	return strcmp(table->name, wr_filter_table_name(c->network, name)) == 0 ? WR_TABLES_HEAD : 0;
}

static unsigned choose_others(const struct wr_nft_table *table, void *data)
{
	const struct choosing *c = data;
	char name[80];

	if (table->ours || strcmp(table->name, wr_filter_table_name(c->network, name)) == 0)
		return 0; /* read before */
	if (table->network != NULL)
		return c->all ? WR_TABLES_SETS : c->has_notes ? WR_TABLES_BEFORE : 0;
	if (!c->all)
		return is_offering(table) ? WR_TABLES_OFFERS : 0;
	if (is_offering(table))
		return WR_TABLES_RULES | WR_TABLES_USED_SETS;
	switch (table->family) {
	case NFPROTO_INET:
	case NFPROTO_IPV4:
	case NFPROTO_IPV6:
	case NFPROTO_BRIDGE:
		return WR_TABLES_RULES | WR_TABLES_USED_SETS | WR_TABLES_FORWARD;
	}
	return 0;
}

/* --- settings of the host that were noted ------------------------------------------------------------------------------ */

static int16_t value_of(const struct wr_ns *host, const char *scope, uint8_t conf)
{
	const struct wr_link *link;

	if (strcmp(scope, "all") == 0)
		return host->conf_all.value[conf];
	link = wr_ns_find_link(host, scope);
	return link != NULL ? link->conf.value[conf] : WR_CONF_UNSET;
}

static const struct wr_nft_set *find_notes(const struct wr_nft_table *table)
{
	return table->family == NFPROTO_INET ? wr_nft_find_set(table, WR_FILTER_BEFORE) : NULL;
}

static int read_notes(struct wr_observing *o, const struct wr_nft_set *set, struct wr_error *reterr)
{
	struct wr_model *model = o->model;

	model->borrows = wr_arena_alloc(model->arena, (set->n_elements + 1) * sizeof *model->borrows);
	if (model->borrows == NULL)
		return wr_fail_memory(reterr);
	for (size_t i = 0; i < set->n_elements; i++) {
		struct wr_borrow *borrow = &model->borrows[model->n_borrows];
		char scope[16];

		if (!wr_filter_read_before(set, &set->elements[i], scope, &borrow->conf, &borrow->before) ||
		    borrow->conf >= WR_CONF_COUNT_)
			continue;
		borrow->scope = wr_arena_strdup(model->arena, scope);
		if (borrow->scope == NULL)
			return wr_fail_memory(reterr);
		borrow->value = value_of(wr_model_host(model), scope, borrow->conf);
		borrow->noted = true;
		model->n_borrows++;
	}
	return 0;
}

/* What another network has noted of the same settings. */
static void share_notes(struct wr_model *model, const struct wr_nft_set *set)
{
	for (size_t i = 0; i < set->n_elements; i++) {
		char scope[16];
		uint8_t conf;
		int16_t before;

		if (!wr_filter_read_before(set, &set->elements[i], scope, &conf, &before))
			continue;
		for (size_t k = 0; k < model->n_borrows; k++)
			if (model->borrows[k].conf == conf && strcmp(model->borrows[k].scope, scope) == 0)
				model->borrows[k].shared = true;
	}
}

static int read_own_notes(struct wr_observing *o, struct wr_error *reterr)
{
	const struct wr_ns *host = wr_model_host(o->model);
	int r = 0;

	for (size_t i = 0; i < host->n_tables && r == 0; i++) {
		const struct wr_nft_set *notes = host->tables[i]->ours ? find_notes(host->tables[i]) : NULL;

		if (notes != NULL)
			r = read_notes(o, notes, reterr);
	}
	return r;
}

/* --- rules in others' chains ------------------------------------------------------------------------------------------- */

/* The interface that a rule compares with, by meta's key. NULL: none. */
static int read_interface(struct wr_arena *arena, const struct wr_nft_rule *rule, uint32_t key, const char **ret)
{
	for (size_t i = 0; i + 1 < rule->n_exprs; i++) {
		const struct wr_nft_expr *load = &rule->exprs[i], *compare = load + 1;

		if (load->kind != WR_NFT_meta || load->meta.key != key || load->dreg == 0 ||
		    compare->kind != WR_NFT_cmp || compare->sreg != load->dreg || compare->cmp.op != NFT_CMP_EQ)
			continue;
		/* Without a 0 byte it is the beginning of a name. */
		if (memchr(compare->cmp.value.bytes, '\0', compare->cmp.value.length) == NULL)
			continue;
		*ret = wr_arena_strdup(arena, (const char *)compare->cmp.value.bytes);
		return *ret != NULL ? 0 : -ENOMEM;
	}
	return 0;
}

static int add_opening(struct wr_model *model, size_t *capacity, const struct wr_nft_table *table,
		       const struct wr_nft_chain *chain, const struct wr_nft_rule *rule, struct wr_error *reterr)
{
	struct wr_opening *opening;

	if (wr_arena_grow(model->arena, &model->openings, capacity, model->n_openings, sizeof *opening) < 0)
		return wr_fail_memory(reterr);
	opening = &model->openings[model->n_openings++];
	*opening = (struct wr_opening){
		.family = table->family, .table = table->name, .chain = chain->name, .handle = rule->handle};
	if (read_interface(model->arena, rule, NFT_META_IIFNAME, &opening->iif) < 0 ||
	    read_interface(model->arena, rule, NFT_META_OIFNAME, &opening->oif) < 0)
		return wr_fail_memory(reterr);
	return 0;
}

/* Our rules in a table of somebody else's. */
static int read_openings(struct wr_observing *o, size_t *capacity, const struct wr_nft_table *table,
			 struct wr_error *reterr)
{
	int r = 0;

	for (size_t i = 0; i < wr_n_offers && r == 0; i++) {
		const struct wr_nft_chain *chain =
			wr_offers[i].family == table->family && strcmp(wr_offers[i].table, table->name) == 0
				? wr_nft_find_chain(table, wr_offers[i].chain)
				: NULL;

		for (size_t k = 0; chain != NULL && k < chain->n_rules && r == 0; k++) {
			if (wr_others_is_marked(&chain->rules[k], o->request->network))
				r = add_opening(o->model, capacity, table, chain, &chain->rules[k], reterr);
		}
	}
	return r;
}

/* --- what else drops, and who listens ---------------------------------------------------------------------------------- */

static int read_switch(struct wr_observing *o, const char *key, bool *ret, struct wr_error *reterr)
{
	struct wr_error error = {0};
	char value[16];
	int r = wr_sysctl_read(o->host, &o->host->self, true, key, value, sizeof value, &error);

	if (r < 0 && r != -ENOENT) {
		if (reterr != NULL)
			*reterr = error;
		return r;
	}
	*ret = r == 0 && strcmp(value, "1") == 0;
	return 0;
}

static int read_bridged(struct wr_observing *o, struct wr_error *reterr)
{
	int r = read_switch(o, "net.bridge.bridge-nf-call-iptables", &o->model->bridged_frames, reterr);

	return r < 0 ? r : read_switch(o, "net.bridge.bridge-nf-call-ip6tables", &o->model->bridged_frames6, reterr);
}

/* Whether a line of text is word. */
static bool has_line(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, word, length) == 0 && (line[length] == '\n' || line[length] == '\0'))
			return true;
	}
	return false;
}

/* The older iptables, whose rules only its own programs can read. Its list of tables says whether it is in use. */
static int read_legacy(struct wr_observing *o, struct wr_error *reterr)
{
	static const struct {
		uint8_t family;
		const char *path, *why;
	} rows[] = {
		{NFPROTO_IPV4, "/proc/thread-self/net/ip_tables_names",
		 "legacy iptables is in use, whose rules cannot be read here: iptables-legacy -S FORWARD shows them"},
		{NFPROTO_IPV6, "/proc/thread-self/net/ip6_tables_names",
		 "legacy iptables is in use, whose rules cannot be read here: ip6tables-legacy -S FORWARD shows them"},
	};
	struct wr_model *model = o->model;

	model->obstacles = wr_arena_alloc(model->arena, sizeof rows / sizeof rows[0] * sizeof *model->obstacles);
	if (model->obstacles == NULL)
		return wr_fail_memory(reterr);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		WR_CLEANUP_FREE char *names = NULL;
		size_t length;
		int r = wr_file_read(rows[i].path, NAMES_MAX, &names, &length, NULL);

		if (r == -ENOMEM)
			return wr_fail_memory(reterr);
		/* No such file: it was never loaded. Not to be read: this process may not change a filter either. */
		if (r < 0 || !has_line(names, "filter"))
			continue;
		model->obstacles[model->n_obstacles++] = (struct wr_obstacle){
			.family = rows[i].family,
			.table = "filter",
			.chain = "FORWARD",
			.why = rows[i].why,
			.what = "through this machine",
		};
	}
	return 0;
}

/* Whether the file publishes a port: who listens there is then worth a walk over all processes. */
static bool is_published(const struct wr_model *wanted, const struct wr_listener *listener)
{
	for (size_t i = 0; i < wanted->n_ns; i++)
		for (size_t k = 0; k < wanted->ns[i]->n_publishes; k++)
			if (wanted->ns[i]->publishes[k].host_port == listener->port &&
			    wanted->ns[i]->publishes[k].protocol == listener->protocol)
				return true;
	return false;
}

static int read_listeners(struct wr_observing *o, struct wr_error *reterr)
{
	const struct wr_model *wanted = o->request->wanted;
	struct wr_model *model = o->model;
	bool publishes = false;
	int r;

	for (size_t i = 0; wanted != NULL && i < wanted->n_ns; i++)
		publishes |= wanted->ns[i]->n_publishes > 0;
	if (!publishes)
		return 0;
	r = wr_sockets_list(o->host, &o->host->self, model->arena, &model->listeners, &model->n_listeners, reterr);
	for (size_t i = 0; r == 0 && i < model->n_listeners; i++)
		if (is_published(wanted, &model->listeners[i]))
			r = wr_sockets_find_owner(model->arena, model->listeners[i].inode, &model->listeners[i].owner,
						  reterr);
	return r;
}

/* --- the host ---------------------------------------------------------------------------------------------------------- */

/* Whether the network has anything to do with the host: else others' filters are none of its business. */
static bool is_in_host(const struct wr_observing *o)
{
	const struct wr_ns *host = wr_model_host(o->model);

	if (o->request->wanted == NULL || o->request->wanted->has_host_links || o->model->n_borrows > 0)
		return true;
	for (size_t i = 0; i < host->n_tables; i++)
		if (host->tables[i]->ours)
			return true;
	for (size_t i = 0; i < host->n_links; i++)
		if (host->links[i]->ours)
			return true;
	return false;
}

/* What a flush of the ruleset took along: the state directory knows it too, in the boot that it was written in. */
static int read_remembered(struct wr_observing *o, struct wr_error *reterr)
{
	WR_CLEANUP_FREE char *text = NULL, *boot = NULL;
	size_t length;
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s/%s", o->host->state, o->request->network, WR_REMEMBER_FILE);
	/* Nothing is remembered, or nothing can be read: then the table's notes are all there is. */
	if (wr_file_read(path, REMEMBERED_MAX, &text, &length, NULL) < 0 ||
	    wr_file_read("/proc/sys/kernel/random/boot_id", NAMES_MAX, &boot, &length, NULL) < 0)
		return 0;
	boot[strcspn(boot, "\n")] = '\0';
	return wr_remember_read(o->model, boot, text) < 0 ? wr_fail_memory(reterr) : 0;
}

static int observe_others(struct wr_observing *o, struct choosing *c, struct wr_error *reterr)
{
	struct wr_ns *host = wr_model_host(o->model), apart = {.model = o->model};
	size_t capacity = 0;
	int r;

	/* What is only looked through for rules and notes of ours does not become part of the model. */
	struct wr_ns *into = c->all ? host : &apart;

	c->has_notes = o->model->n_borrows > 0;
	r = wr_tables_read(o->host, host->netns, into, c->network, choose_others, c, reterr);
	for (size_t i = 0; i < into->n_tables && r == 0; i++) {
		const struct wr_nft_table *table = into->tables[i];
		const struct wr_nft_set *notes = table->network != NULL && !table->ours ? find_notes(table) : NULL;

		if (notes != NULL)
			share_notes(o->model, notes);
		if (table->network == NULL)
			r = read_openings(o, &capacity, table, reterr);
	}
	return r;
}

/* A switch for all interfaces that is on was somebody else's doing (an engine of containers that came later): it stays what
 * they need. */
static void mark_general(struct wr_model *model)
{
	const struct wr_conf *all = &wr_model_host(model)->conf_all;

	for (size_t i = 0; i < model->n_borrows; i++) {
		struct wr_borrow *borrow = &model->borrows[i];

		borrow->general =
			strcmp(borrow->scope, "all") != 0 &&
			(borrow->conf == WR_CONF_V4_FORWARDING || borrow->conf == WR_CONF_V6_FORCE_FORWARDING) &&
			all->value[borrow->conf] == 1;
	}
}

static int observe_host(struct wr_observing *o, struct wr_error *reterr)
{
	struct wr_ns *host = wr_model_host(o->model);
	struct choosing c = {
		.network = o->request->network,
		.all = o->request->filters == WR_LIVE_FILTERS_ALL && o->request->depth == WR_LIVE_FULL,
	};
	int r = wr_tables_read(o->host, host->netns, host, c.network, choose_own, &c, reterr);

	if (r == 0)
		r = read_own_notes(o, reterr);
	if (r == 0)
		r = read_remembered(o, reterr);
	mark_general(o->model);
	if (r < 0 || !is_in_host(o))
		return r;
	if (c.has_others)
		r = observe_others(o, &c, reterr);
	if (r < 0 || !c.all)
		return r;
	r = read_bridged(o, reterr);
	if (r == 0)
		r = read_legacy(o, reterr);
	return r == 0 ? read_listeners(o, reterr) : r;
}

/* --- the whole --------------------------------------------------------------------------------------------------------- */

static int observe_namespace(struct wr_observing *o, struct wr_ns *ns, struct wr_error *reterr)
{
	struct choosing c = {.network = o->request->network};
	int r;

	if (!ns->ours || ns->netns == NULL)
		return 0;
	if (o->request->filters == WR_LIVE_FILTERS_WANTED) {
		c.wanted = wr_map_get(&o->wanted_by_pin, ns->pin);
		if (c.wanted == NULL || c.wanted->n_tables == 0)
			return 0;
	}
	r = wr_tables_read(o->host, ns->netns, ns, c.network, choose_own, &c, reterr);
	return r < 0 ? wr_fail_context(reterr, "cannot read the packet filter of namespace '%s'", ns->pin) : 0;
}

int wr_observe_filters(struct wr_observing *o, struct wr_error *reterr)
{
	struct wr_error error = {0};
	bool there = false;
	int r = wr_nft_is_there(o->host, &o->host->self, &there, &error);

	if (r == 0) {
		o->model->inherited.no_nftables = !there;
		r = there ? observe_host(o, &error) : 0;
	}
	if (r < 0) {
		if (reterr != NULL)
			*reterr = error;
		return wr_fail_context(reterr, "cannot read this machine's packet filter");
	}
	for (size_t i = 1; there && o->request->depth == WR_LIVE_FULL && r == 0 && i < o->model->n_ns; i++)
		r = observe_namespace(o, o->model->ns[i], reterr);
	return r;
}
