/* What stands in the way of a network's traffic, said before anything is touched: a port of the host that is in use, a filter
 * that is not ours, a kernel without packet filter. And what a person should know all the same: a chain of somebody else's
 * that drops, a setting of the host that stays changed. */
#include "plan/internal.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "filter/filter.h"
#include "model/nft.h"
#include "plan/words.h"

/* --- ports ----------------------------------------------------------------------------------------------------------------- */

/* Who has which port of the host: one list for each number, so that a thousand ports cost a thousand looks. */
struct wr_taken {
	struct wr_publish publish;
	const struct wr_listener *listener; /* of a process; NULL: published */
	const char *network;		    /* by another network of warren's; NULL: by this one */
	struct wr_taken *next;
};

struct wr_taken_ports {
	struct wr_arena *arena;
	struct wr_taken **by_port; /* 65536 of them; NULL: nothing of the network is published */
	bool failed;
};

static void wr_take(struct wr_taken_ports *ports, const struct wr_taken *taken)
{
	struct wr_taken *copy = wr_arena_memdup(ports->arena, taken, sizeof *taken);

	if (!copy) {
		ports->failed = true;
		return;
	}
	copy->next = ports->by_port[taken->publish.host_port];
	ports->by_port[taken->publish.host_port] = copy;
}

static void wr_take_table(struct wr_taken_ports *ports, const struct wr_nft_table *table)
{
	for (size_t i = 0; i < table->n_sets; i++) {
		const struct wr_nft_set *set = &table->sets[i];

		for (size_t k = 0; k < set->n_elements; k++) {
			struct wr_taken taken = {.network = table->ours ? NULL : table->network};
			char in[16];

			if (!wr_filter_read_publish(set, &set->elements[k], &taken.publish, in))
				break; /* no set of ports */
			if (taken.publish.in)
				taken.publish.in = wr_arena_strdup(ports->arena, in);
			wr_take(ports, &taken);
		}
	}
}

static void wr_take_all(struct wr_taken_ports *ports, const struct wr_model *live)
{
	const struct wr_ns *host = wr_model_host(live);

	ports->by_port = wr_arena_alloc(ports->arena, 65536 * sizeof *ports->by_port);
	if (!ports->by_port) {
		ports->failed = true;
		return;
	}
	memset(ports->by_port, 0, 65536 * sizeof *ports->by_port);
	for (size_t i = 0; i < host->n_tables; i++)
		if (host->tables[i]->ours || host->tables[i]->network)
			wr_take_table(ports, host->tables[i]);
	for (size_t i = 0; i < live->n_listeners; i++) {
		const struct wr_listener *listener = &live->listeners[i];
		struct wr_taken taken = {
			.listener = listener,
			.publish = {.protocol = listener->protocol, .host = listener->ip, .host_port = listener->port}};

		wr_take(ports, &taken);
	}
}

/* A socket may be bound to every address of its family, or of both. */
static bool wr_listens_at(const struct wr_taken *taken, const struct wr_publish *publish)
{
	const struct wr_listener *listener = taken->listener;

	if (listener->protocol != publish->protocol)
		return false;
	if (!wr_ip_is_unspecified(&listener->ip))
		return wr_publish_collides(publish, &taken->publish);
	return !publish->host.family || publish->host.family == listener->ip.family || listener->both;
}

static int wr_port_is_taken(const struct wr_ns *ns, const struct wr_publish *publish, const struct wr_taken *taken,
			    struct wr_error *reterr)
{
	struct wr_text WR_CLEANUP_TEXT port = {0}, holder = {0};

	wr_words_publish(&port, publish);
	if (taken->listener) {
		wr_text_add(&holder, "in use by ");
		wr_words_name(&holder,
			      taken->listener->owner ? taken->listener->owner : "a process that could not be found");
	} else {
		wr_text_add(&holder, "published by warren's network '");
		wr_words_name(&holder, taken->network);
		wr_text_add_char(&holder, '\'');
	}
	wr_fail(reterr, WR_ERR_CONFLICT, -EADDRINUSE, "port %s of this machine, which namespace '%s' publishes, is %s",
		wr_text_string(&port), ns->name, wr_text_string(&holder));
	return wr_fail_mend(reterr, "publish another port, or stop what has this one");
}

/* What the network's own table has already, nobody took since. */
static bool wr_is_published(const struct wr_taken *taken, const struct wr_publish *publish)
{
	for (; taken; taken = taken->next)
		if (!taken->listener && !taken->network && wr_publish_collides(&taken->publish, publish))
			return true;
	return false;
}

static int wr_check_publish(const struct wr_taken_ports *ports, const struct wr_ns *ns,
			    const struct wr_publish *publish, struct wr_error *reterr)
{
	const struct wr_taken *taken = ports->by_port[publish->host_port];

	if (wr_is_published(taken, publish))
		return 0;
	for (; taken; taken = taken->next) {
		bool collides =
			taken->listener ? wr_listens_at(taken, publish) : wr_publish_collides(&taken->publish, publish);

		if (collides)
			return wr_port_is_taken(ns, publish, taken, reterr);
	}
	return 0;
}

static int wr_check_ports(const struct wr_model *wanted, const struct wr_model *live, struct wr_error *reterr)
{
	struct wr_taken_ports ports = {.arena = live->arena};
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->n_ns; i++) {
		if (wanted->ns[i]->n_publishes && !ports.by_port)
			wr_take_all(&ports, live);
		if (ports.failed)
			return wr_fail_memory(reterr);
		for (size_t k = 0; r == 0 && k < wanted->ns[i]->n_publishes; k++)
			r = wr_check_publish(&ports, wanted->ns[i], &wanted->ns[i]->publishes[k], reterr);
	}
	return r;
}

/* --- filters ------------------------------------------------------------------------------------------------------------------ */

static int wr_check_tables(const struct wr_ns *wanted, const struct wr_ns *live, struct wr_error *reterr)
{
	for (size_t i = 0; live && i < wanted->n_tables; i++) {
		const struct wr_nft_table *table = wanted->tables[i];
		const struct wr_nft_table *found = wr_ns_find_table(live, table->family, table->name);

		if (!found || found->ours)
			continue;
		wr_fail(reterr, WR_ERR_CONFLICT, -EEXIST, "table '%s %s' exists in %s and has no mark of network '%s'",
			wr_nft_family_name(table->family), table->name, wanted->is_host ? "this machine" : wanted->pin,
			wanted->model->name);
		return wr_fail_mend(reterr, "remove it if nobody needs it: %s%s%snft delete table %s %s",
				    wanted->is_host ? "" : "ip netns exec ", wanted->is_host ? "" : wanted->pin,
				    wanted->is_host ? "" : " ", wr_nft_family_name(table->family), table->name);
	}
	return 0;
}

int wr_planner_check_traffic(const struct wr_model *wanted, const struct wr_model *live, struct wr_error *reterr)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->n_ns; i++) {
		const struct wr_ns *ns = wanted->ns[i];

		if (!ns->n_tables)
			continue;
		if (live->inherited.no_nftables) {
			wr_fail(reterr, WR_ERR_UNSUPPORTED, -EOPNOTSUPP,
				"this kernel has no packet filter (nf_tables), which network '%s' needs", wanted->name);
			return wr_fail_mend(reterr, "use a kernel with CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET and "
						    "CONFIG_NFT_NAT");
		}
		r = wr_check_tables(ns, ns->is_host ? wr_model_host(live) : wr_model_find_ns(live, ns->name), reterr);
	}
	return r < 0 ? r : wr_check_ports(wanted, live, reterr);
}

/* --- what to know all the same ---------------------------------------------------------------------------------------------------- */

static void wr_warn(struct wr_planner *planner, const struct wr_text *text)
{
	struct wr_plan *plan = planner->plan;
	const char *copy = wr_arena_strdup(plan->arena, wr_text_string(text));

	if (!copy || wr_text_error(text) < 0 ||
	    wr_arena_grow(plan->arena, &plan->warnings, &plan->capacity_warnings, plan->n_warnings,
			  sizeof *plan->warnings) < 0) {
		planner->error = -ENOMEM;
		return;
	}
	plan->warnings[plan->n_warnings++] = copy;
}

static void wr_warn_obstacle(struct wr_planner *planner, const struct wr_obstacle *obstacle)
{
	struct wr_text WR_CLEANUP_TEXT text = {0};

	wr_text_add(&text, "chain ");
	wr_words_name(&text, obstacle->chain);
	wr_text_add(&text, " of table ");
	wr_text_add(&text, wr_nft_family_name(obstacle->family));
	wr_text_add_char(&text, ' ');
	wr_words_name(&text, obstacle->table);
	/* What cannot be read can only be looked at by its own programs. */
	wr_text_add(&text, obstacle->mend ? " drops what goes " : " may drop what goes ");
	wr_words_name(&text, obstacle->what);
	wr_text_add(&text, " (");
	wr_words_name(&text, obstacle->why);
	wr_text_add(&text, ")");
	if (obstacle->mend) {
		wr_text_add(&text, "; to open it: ");
		wr_words_name(&text, obstacle->mend);
	}
	wr_warn(planner, &text);
}

/* A setting that somebody changed after warren did, or that another network needs, is left as it is. */
static void wr_warn_left(struct wr_planner *planner, const struct wr_step *step)
{
	struct wr_text WR_CLEANUP_TEXT text = {0};
	const struct wr_borrow *borrow = step->borrow;
	char key[80];

	/* An interface that is gone took its setting along. */
	if (borrow->value == WR_CONF_UNSET || borrow->value == borrow->before || wr_borrow_is_returnable(borrow))
		return;
	wr_text_add_escaped(&text, wr_conf_key((enum wr_conf_id)borrow->conf, borrow->scope, key));
	if (borrow->general)
		wr_text_addf(&text, " stays %d: it was switched on for all interfaces meanwhile", borrow->value);
	else if (borrow->shared)
		wr_text_addf(&text, " stays %d: another network of warren's needs it", borrow->value);
	else
		wr_text_addf(&text, " stays %d: it was %d before network '%s', and was changed since", borrow->value,
			     borrow->before, planner->live->name);
	wr_warn(planner, &text);
}

/* The kernel drops ::1 on any interface but lo, and br_netfilter translates an answer back while it is on the bridge. */
static void wr_warn_loopback(struct wr_planner *planner)
{
	const struct wr_model *wanted = planner->wanted;

	for (size_t i = 0; planner->live->bridged_frames6 && i < wanted->n_ns; i++)
		for (size_t k = 0; k < wanted->ns[i]->n_publishes; k++) {
			const struct wr_publish *publish = &wanted->ns[i]->publishes[k];
			struct wr_text WR_CLEANUP_TEXT text = {0};

			if (publish->host.family != AF_INET6 || !wr_ip_is_loopback(&publish->host) ||
			    !publish->via[1] || publish->via[1]->kind != WR_LINK_BRIDGE)
				continue;
			wr_text_add(&text, "port ");
			wr_words_publish(&text, publish);
			wr_text_add(&text,
				    " does not answer while br_netfilter filters bridged frames of IPv6; to have it "
				    "answer: sysctl -w net.bridge.bridge-nf-call-ip6tables=0");
			wr_warn(planner, &text);
			return;
		}
}

static bool wr_host_has_link(const struct wr_planner *planner, const char *ifname)
{
	return wr_ns_find_link(wr_model_host(planner->live), ifname) ||
	       wr_ns_find_link(wr_model_host(planner->wanted), ifname);
}

static bool wr_ns_has_ip(const struct wr_ns *ns, const struct wr_ip *ip)
{
	for (size_t i = 0; i < ns->n_links; i++)
		for (size_t k = 0; k < ns->links[i]->n_addresses; k++)
			if (wr_ip_equal(&ns->links[i]->addresses[k].prefix.ip, ip))
				return true;
	return false;
}

/* An interface or an address of the host that the file names, and that is not there: it may come, and may be a slip. */
static void wr_warn_missing(struct wr_planner *planner, const char *ifname, const struct wr_ip *ip, const char *key,
			    const char *name)
{
	struct wr_text WR_CLEANUP_TEXT text = {0};

	if (ifname && wr_host_has_link(planner, ifname))
		return;
	if (!ifname && (!ip->family || wr_ip_is_loopback(ip) || wr_ns_has_ip(wr_model_host(planner->live), ip) ||
			wr_ns_has_ip(wr_model_host(planner->wanted), ip)))
		return;
	wr_text_add(&text, "this machine has no ");
	wr_text_add(&text, ifname ? "interface '" : "address ");
	if (ifname)
		wr_words_name(&text, ifname);
	else
		wr_words_ip(&text, ip);
	wr_text_add(&text, ifname ? "', which " : ", which ");
	wr_text_add(&text, key);
	wr_text_add(&text, " of '");
	wr_words_name(&text, name);
	wr_text_add(&text, "' names; nothing is translated there until it has");
	wr_warn(planner, &text);
}

static void wr_warn_slips(struct wr_planner *planner)
{
	static const struct wr_ip none;
	const struct wr_model *wanted = planner->wanted;

	for (size_t i = 0; i < wanted->n_bridges; i++) {
		const struct wr_nat *nat = wanted->bridges[i]->host ? wanted->bridges[i]->nat : NULL;

		if (nat && nat->out)
			wr_warn_missing(planner, nat->out, &none, "`nat`", wanted->bridges[i]->name);
		for (size_t family = 0; nat && family < 2; family++)
			wr_warn_missing(planner, NULL, &nat->address[family], "`nat`", wanted->bridges[i]->name);
	}
	for (size_t i = 0; i < wanted->n_ns; i++)
		for (size_t k = 0; k < wanted->ns[i]->n_publishes; k++) {
			const struct wr_publish *publish = &wanted->ns[i]->publishes[k];

			wr_warn_missing(planner, publish->in, &publish->host, "`publish`", wanted->ns[i]->name);
		}
}

void wr_planner_warn(struct wr_planner *planner)
{
	const struct wr_plan *plan = planner->plan;

	wr_warn_loopback(planner);
	if (!planner->options->ignore_conflicts)
		wr_warn_slips(planner);

	if (!planner->options->ignore_conflicts) {
		for (size_t i = 0; i < planner->live->n_obstacles; i++)
			wr_warn_obstacle(planner, &planner->live->obstacles[i]);
		for (size_t i = 0; i < planner->wanted->n_obstacles; i++)
			wr_warn_obstacle(planner, &planner->wanted->obstacles[i]);
	}
	for (size_t i = plan->first_removal; i < plan->n_steps; i++)
		if (plan->steps[i].kind == WR_STEP_return_conf)
			wr_warn_left(planner, &plan->steps[i]);
}
