/* borrow.c: settings of the host's other interfaces that a network's traffic needs.
 *
 * The kernel forwards what comes in by an interface only if that interface is set so; answers come in by the way out. IPv6
 * needs force_forwarding for that (Linux 6.17), or the switch for all interfaces, which also ends the host's own
 * autoconfiguration where accept_ra is 1: there it becomes 2, before the switch. */
#include <netinet/in.h> /* before linux/in.h */

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/arena.h"
#include "filter/filter.h"
#include "filter/parts.h"
#include "model/model.h"
#include "model/nft.h"

/* What traffic of one family needs of the outside. */
struct need {
	bool outside;	 /* anything at all goes out or comes in */
	bool everywhere; /* it comes in by any interface */
};

struct borrowing {
	struct wr_model *wanted;
	const struct wr_model *live;
	struct need needs[WR_FILTER_FAMILIES];
	size_t capacity;
	bool failed;
};

/* --- what was before --------------------------------------------------------------------------------------------------------------- */

static int16_t value_now(const struct wr_model *live, const struct wr_link *link, enum wr_conf_id conf)
{
	return link ? link->conf.value[conf] : wr_model_host(live)->conf_all.value[conf];
}

/* What this network noted, or, first come, another one. WR_CONF_UNSET: nobody. */
static int16_t noted_before(const struct wr_model *live, const char *scope, enum wr_conf_id conf)
{
	const struct wr_ns *host = wr_model_host(live);

	for (size_t i = 0; i < live->n_borrows; i++)
		if (live->borrows[i].conf == conf && !strcmp(live->borrows[i].scope, scope))
			return live->borrows[i].before;
	for (size_t i = 0; i < host->n_tables; i++) {
		const struct wr_nft_set *set = host->tables[i]->network && !host->tables[i]->ours
						       ? wr_nft_find_set(host->tables[i], WR_FILTER_BEFORE)
						       : NULL;

		for (size_t k = 0; set && k < set->n_elements; k++) {
			char noted_scope[16];
			uint8_t noted_conf;
			int16_t value;

			if (wr_filter_read_before(set, &set->elements[k], noted_scope, &noted_conf, &value) &&
			    noted_conf == conf && !strcmp(noted_scope, scope))
				return value;
		}
	}
	return WR_CONF_UNSET;
}

static bool is_of_warren(const struct wr_link *link)
{
	return (link->group & WR_FILTER_GROUPS_MASK) == WR_FILTER_GROUPS;
}

/* link NULL: the setting of all. */
static void borrow(struct borrowing *b, const struct wr_link *link, enum wr_conf_id conf, int16_t value)
{
	const char *scope = link ? link->ifname : "all";
	struct wr_borrow *added;
	int16_t before = noted_before(b->live, scope, conf);

	if (b->failed || wr_arena_grow(b->wanted->arena, &b->wanted->borrows, &b->capacity, b->wanted->n_borrows,
				       sizeof *b->wanted->borrows) < 0) {
		b->failed = true;
		return;
	}
	if (before == WR_CONF_UNSET)
		before = value_now(b->live, link, conf);
	/* Another network's interface goes when that network goes; until then it may come to need the setting itself. */
	if (link && is_of_warren(link))
		before = value;
	added = &b->wanted->borrows[b->wanted->n_borrows];
	*added = (struct wr_borrow){.conf = (uint8_t)conf, .value = value, .before = before};
	added->scope = wr_arena_strdup(b->wanted->arena, scope);
	if (!added->scope)
		b->failed = true;
	else
		b->wanted->n_borrows++;
}

/* --- which interfaces ----------------------------------------------------------------------------------------------------------------- */

static bool holds_default(const struct wr_ns *host, const struct wr_link *link, size_t family)
{
	for (size_t i = 0; i < host->n_routes; i++) {
		const struct wr_route *route = &host->routes[i];

		if (route->to.length || route->to.ip.family != wr_filter_af[family] || route->table != RT_TABLE_MAIN)
			continue;
		for (size_t k = 0; k < route->n_hops; k++)
			if (route->hops[k].dev && !strcmp(route->hops[k].dev, link->ifname))
				return true;
	}
	return false;
}

static bool has_address(const struct wr_link *link, const struct wr_ip *ip)
{
	for (size_t i = 0; i < link->n_addresses; i++)
		if (wr_ip_equal(&link->addresses[i].prefix.ip, ip))
			return true;
	return false;
}

static bool is_global(const struct wr_ip *ip)
{
	return !wr_ip_is_loopback(ip) && !wr_ip_is_linklocal(ip);
}

static bool is_open_to(const struct wr_link *link, size_t family)
{
	for (size_t i = 0; link->up && !link->master && i < link->n_addresses; i++)
		if (link->addresses[i].prefix.ip.family == wr_filter_af[family] &&
		    is_global(&link->addresses[i].prefix.ip))
			return true;
	return false;
}

/* By a name or an address that the file says. */
static bool is_named(const struct wr_model *wanted, const struct wr_link *link, size_t family)
{
	for (size_t i = 0; i < wanted->n_bridges; i++) {
		const struct wr_bridge *bridge = wanted->bridges[i];

		if (bridge->host && bridge->nat && bridge->nat->out && !strcmp(bridge->nat->out, link->ifname) &&
		    wr_link_has_family(bridge->link, wr_filter_af[family]))
			return true;
	}
	for (size_t i = 0; i < wanted->n_ns; i++) {
		for (size_t k = 0; k < wanted->ns[i]->n_publishes; k++) {
			const struct wr_publish *publish = &wanted->ns[i]->publishes[k];

			if (!wr_publish_has(publish, family))
				continue;
			if (publish->in ? !strcmp(publish->in, link->ifname)
					: publish->host.family && has_address(link, &publish->host))
				return true;
		}
	}
	return false;
}

static bool is_foreign(const struct wr_link *link)
{
	return !link->ours && link->kind != WR_LINK_LOOPBACK;
}

static bool is_needed(const struct borrowing *b, const struct wr_link *link, size_t family)
{
	const struct need *need = &b->needs[family];

	if (!need->outside || !is_foreign(link))
		return false;
	return (need->everywhere && is_open_to(link, family)) || holds_default(wr_model_host(b->live), link, family) ||
	       is_named(b->wanted, link, family);
}

/* --- what traffic needs ------------------------------------------------------------------------------------------------------------------ */

static void judge_bridge(struct need *need, const struct wr_bridge *bridge, size_t family)
{
	if (!bridge->host || !wr_link_has_family(bridge->link, wr_filter_af[family]))
		return;
	need->outside |= bridge->nat || bridge->routed;
	need->everywhere |= bridge->routed;
}

static void judge_publish(struct need *need, const struct wr_publish *publish, size_t family)
{
	if (!wr_publish_has(publish, family))
		return;
	/* What is published on the loopback alone comes in nowhere. */
	need->outside |= !(publish->host.family && wr_ip_is_loopback(&publish->host));
	need->everywhere |= !publish->in && (!publish->host.family || wr_ip_is_unspecified(&publish->host));
}

static void judge(struct borrowing *b)
{
	const struct wr_model *wanted = b->wanted;

	for (size_t family = 0; family < WR_FILTER_FAMILIES; family++) {
		for (size_t i = 0; i < wanted->n_bridges; i++)
			judge_bridge(&b->needs[family], wanted->bridges[i], family);
		for (size_t i = 0; i < wanted->n_ns; i++)
			for (size_t k = 0; k < wanted->ns[i]->n_publishes; k++)
				judge_publish(&b->needs[family], &wanted->ns[i]->publishes[k], family);
	}
}

/* --- a kernel that forwards IPv6 for all or for nobody ----------------------------------------------------------------------------- */

static bool lacks_force_forwarding(const struct wr_model *live)
{
	return live->inherited.known && !live->inherited.no_ipv6 &&
	       live->inherited.host_default.value[WR_CONF_V6_FORCE_FORWARDING] == WR_CONF_UNSET;
}

/* Where the host configures itself: now, or before this or another network came. */
static bool takes_advertisements(const struct wr_model *live, const struct wr_link *link)
{
	int16_t value = link->conf.value[WR_CONF_V6_ACCEPT_RA];

	return is_foreign(link) && !is_of_warren(link) && !link->master &&
	       (value == 1 || (value == 2 && noted_before(live, link->ifname, WR_CONF_V6_ACCEPT_RA) == 1));
}

/* The network's own links are wanted with force_forwarding wherever IPv6 passes them: with the switch for all, they need
 * none. */
static bool takes_own_links(struct wr_ns *host)
{
	bool any = false;

	for (size_t i = 0; i < host->n_links; i++) {
		int16_t *value = &host->links[i]->conf.value[WR_CONF_V6_FORCE_FORWARDING];

		any |= *value == 1;
		*value = WR_CONF_UNSET;
	}
	return any;
}

static void borrow_for_all(struct borrowing *b)
{
	const struct wr_ns *host = wr_model_host(b->live);

	if (!takes_own_links(wr_model_host(b->wanted)))
		return;
	for (size_t i = 0; i < host->n_links; i++)
		if (takes_advertisements(b->live, host->links[i]))
			borrow(b, host->links[i], WR_CONF_V6_ACCEPT_RA, 2);
	borrow(b, NULL, WR_CONF_V6_FORWARDING, 1);
}

static void borrow_each(struct borrowing *b, size_t family, enum wr_conf_id conf)
{
	const struct wr_ns *host = wr_model_host(b->live);

	for (size_t i = 0; i < host->n_links; i++)
		if (is_needed(b, host->links[i], family))
			borrow(b, host->links[i], conf, 1);
}

/* --- other networks' ports ------------------------------------------------------------------------------------------------------------ */

static bool others_publish(const struct wr_model *live, size_t family)
{
	const struct wr_ns *host = wr_model_host(live);

	for (size_t i = 0; i < host->n_tables; i++) {
		const struct wr_nft_table *table = host->tables[i];

		for (size_t k = 0; table->network && !table->ours && k < table->n_sets; k++) {
			const struct wr_nft_set *set = &table->sets[k];
			struct wr_publish publish;
			char in[16];

			if (set->n_elements && wr_filter_read_publish(set, &set->elements[0], &publish, in) &&
			    publish.to[family].family)
				return true;
		}
	}
	return false;
}

/* A namespace reaches what other networks publish on this host: by the network's own link, which must forward then, too. The
 * other network sees to that where it comes later. */
static void want_way_to_others(struct borrowing *b, size_t family, enum wr_conf_id conf)
{
	const struct wr_ns *host = wr_model_host(b->wanted);

	if (!others_publish(b->live, family))
		return;
	for (size_t i = 0; i < host->n_links; i++) {
		struct wr_link *link = host->links[i];

		if (!link->master && wr_link_has_family(link, wr_filter_af[family]) &&
		    link->conf.value[conf] == WR_CONF_UNSET)
			link->conf.value[conf] = 1;
	}
}

/* --- the whole ------------------------------------------------------------------------------------------------------------------------- */

int wr_filter_want_host(struct wr_model *wanted, const struct wr_model *live)
{
	struct borrowing b = {.wanted = wanted, .live = live};

	if (!wanted->has_host_links)
		return 0;
	judge(&b);
	want_way_to_others(&b, 0, WR_CONF_V4_FORWARDING);
	borrow_each(&b, 0, WR_CONF_V4_FORWARDING);
	if (lacks_force_forwarding(live)) {
		borrow_for_all(&b);
	} else {
		want_way_to_others(&b, 1, WR_CONF_V6_FORCE_FORWARDING);
		borrow_each(&b, 1, WR_CONF_V6_FORCE_FORWARDING);
	}
	return b.failed ? -ENOMEM : 0;
}
