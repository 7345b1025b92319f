/* traffic.c: translation, published ports and firewalls of a model whose addresses are known.
 *
 * A name in a phrase becomes the addresses it stands for; those of one name are listed once and shared by all phrases that say
 * no more than it. A published port gets the address it leads to. Which of two published ports take the same packets is
 * found by what each has been published at before: the work is linear, whatever is in the file. */
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "file/netfile.h"
#include "file/pending.h"

#define PREFIXES_MAX	    4000000 /* of all phrases together, each name looked up */
#define NAMES_LOOKED_AT	    10000   /* how many names a suggestion is sought among */
#define ADDRESSES_LOOKED_AT 1000    /* of one interface, for one that the host reaches */

struct prefixes {
	struct wr_prefix *items;
	size_t count, capacity;
	bool failed; /* somebody has none, or is nobody, which was said where it had to be */
};

struct traffic {
	struct wr_nf_assigner *a;
	struct wr_map names; /* struct prefixes: what a name in a phrase stands for */
	struct wr_map
		ports; /* struct slot: what is published at a port; and struct wr_publish, by all that is said of it */
	size_t n_prefixes; /* against PREFIXES_MAX */
	bool too_many;
};

static void *scratch(struct traffic *t, size_t size)
{
	void *memory = wr_arena_alloc(t->a->scratch, size);

	if (!memory)
		t->a->out_of_memory = true;
	return memory;
}

/* --- sets of addresses --------------------------------------------------------------------------------------------- */

static void add_prefix(struct traffic *t, struct prefixes *list, const struct wr_prefix *prefix)
{
	if (wr_arena_grow(t->a->arena, &list->items, &list->capacity, list->count, sizeof *list->items) < 0) {
		t->a->out_of_memory = true;
		return;
	}
	list->items[list->count++] = *prefix;
}

static void add_addresses(struct traffic *t, struct prefixes *list, const struct wr_link *link, uint8_t family)
{
	for (size_t i = 0; i < link->n_addresses && !t->a->out_of_memory; i++) {
		struct wr_prefix prefix = link->addresses[i].prefix;

		if ((family && prefix.ip.family != family) || wr_ip_is_loopback(&prefix.ip))
			continue;
		prefix.length = (uint8_t)wr_ip_bits(&prefix.ip);
		add_prefix(t, list, &prefix);
	}
}

/* Whoever is on a bridge: its subnets, and of a family without one the addresses that are there. */
static void add_bridge(struct traffic *t, struct prefixes *list, const struct wr_nf_bridge *b)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t f = 0; f < 2 && !t->a->out_of_memory; f++) {
		bool any = false;

		for (size_t i = 0; i < b->bridge->n_subnets; i++) {
			if (b->bridge->subnets[i].ip.family != families[f])
				continue;
			any = true;
			add_prefix(t, list, &b->bridge->subnets[i]);
		}
		if (any)
			continue;
		if (b->bridge->link)
			add_addresses(t, list, b->bridge->link, families[f]);
		for (size_t i = 0; i < b->n_ports && !t->a->out_of_memory; i++)
			add_addresses(t, list, b->ports[i]->link, families[f]);
	}
}

static int by_prefix(const void *one, const void *two)
{
	const struct wr_prefix *a = one, *b = two;
	int order = wr_ip_compare(&a->ip, &b->ip);

	return order ? order : (int)a->length - b->length;
}

/* Sorted, IPv4 first, and without what another holds. */
static void merge(struct prefixes *list)
{
	size_t kept = 0;

	if (list->count < 2)
		return;
	qsort(list->items, list->count, sizeof *list->items, by_prefix);
	for (size_t i = 1; i < list->count; i++)
		if (!wr_prefix_contains(&list->items[kept], &list->items[i].ip))
			list->items[++kept] = list->items[i];
	list->count = kept + 1;
}

/* --- names --------------------------------------------------------------------------------------------------------- */

static void say_unknown(struct traffic *t, const struct wr_who *who)
{
	const struct wr_model *model = t->a->model;
	bool shown = t->a->diagnostics->count < WR_NETFILE_DIAGNOSTICS_MAX;
	const char **names, *nearest;
	size_t count = 0;

	/* What is not shown any more needs no suggestion either. */
	names = shown ? scratch(t, (NAMES_LOOKED_AT + 1) * sizeof *names) : NULL;
	if (!names) {
		t->a->diagnostics->total += !shown;
		return;
	}
	/* The host is among them, and so are the namespaces of private bridges. */
	for (size_t i = 0; i < model->n_ns && count < NAMES_LOOKED_AT; i++)
		names[count++] = model->ns[i]->name;
	for (size_t i = 0; i < model->n_bridges && count < NAMES_LOOKED_AT; i++)
		names[count++] = model->bridges[i]->name;
	names[count] = NULL;
	nearest = wr_text_nearest(who->name, names);
	wr_diagnose(t->a->diagnostics, who->place,
		    nearest ? wr_arena_printf(t->a->arena, "did you mean '%s'?", nearest) : NULL,
		    "no namespace and no bridge is called '%s'", who->name);
}

static bool is_broken(const struct wr_nf_ns *ns, const struct wr_nf_bridge *b)
{
	bool broken = (ns && ns->broken) || (b && b->broken);

	for (size_t i = 0; b && i < b->n_ports; i++)
		broken |= b->ports[i]->broken;
	return broken;
}

/* What a name stands for. */
static struct prefixes *look_up(struct traffic *t, const struct wr_who *who)
{
	struct prefixes *found = wr_map_get(&t->names, who->name);
	struct wr_nf_bridge *b;
	struct wr_nf_ns *ns;

	if (found)
		return found;
	found = scratch(t, sizeof *found);
	if (!found)
		return NULL;
	b = wr_map_get(&t->a->pending->bridge_by_name, who->name);
	ns = b ? NULL : wr_nf_find_ns(t->a->pending, who->name);
	if (b)
		add_bridge(t, found, b);
	else if (ns)
		for (size_t i = 0; i < ns->ns->n_links && !t->a->out_of_memory; i++)
			add_addresses(t, found, ns->ns->links[i], 0);
	else if (!t->a->pending->incomplete)
		say_unknown(t, who);
	merge(found);
	found->failed = found->count == 0;
	if (found->failed && (b || ns) && !is_broken(ns, b))
		wr_diagnose(t->a->diagnostics, who->place, NULL, "'%s' has no address that a phrase could mean",
			    who->name);
	if (wr_map_put(&t->names, who->name, found) < 0)
		t->a->out_of_memory = true;
	return found;
}

/* --- phrases ------------------------------------------------------------------------------------------------------- */

static bool copy_all(struct traffic *t, struct prefixes *list, const struct wr_who *who)
{
	const struct prefixes *found;

	if (!who->name) {
		add_prefix(t, list, &who->prefix);
		return true;
	}
	found = look_up(t, who);
	for (size_t i = 0; found && i < found->count && !t->a->out_of_memory; i++)
		add_prefix(t, list, &found->items[i]);
	return found && !found->failed;
}

/* One side of a phrase. False: it cannot be told, which was said. */
static bool resolve_side(struct traffic *t, const struct wr_who *side, size_t count, struct wr_prefix **ret,
			 size_t *ret_count)
{
	struct prefixes list = {0};
	bool good = true;

	if (count == 1 && side->name) {
		const struct prefixes *found = look_up(t, side);

		if (found)
			list = *found;
		good = found && !found->failed;
	} else {
		for (size_t i = 0; i < count && !t->a->out_of_memory; i++)
			good &= copy_all(t, &list, &side[i]);
		t->n_prefixes += list.count;
		merge(&list);
	}
	*ret = list.items;
	*ret_count = list.count;
	return good && !t->a->out_of_memory;
}

static bool has_family(const struct wr_prefix *prefixes, size_t count, uint8_t family)
{
	/* Sorted: IPv4 is at the beginning, IPv6 at the end. */
	return count && prefixes[family == AF_INET6 ? count - 1 : 0].ip.family == family;
}

/* An address that is written on one side has somebody to meet on the other. */
static bool check_side(struct traffic *t, const struct wr_who *side, size_t count, const struct wr_prefix *others,
		       size_t n_others, const char *other)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t family = side[i].prefix.ip.family;
		bool is_whole = side[i].prefix.length == wr_ip_bits(&side[i].prefix.ip);
		char buffer[WR_PREFIX_TEXT_MAX];

		if (side[i].name || has_family(others, n_others, family))
			continue;
		wr_diagnose(t->a->diagnostics, side[i].place, NULL,
			    "families are mixed: %s is IPv%d, and nothing behind '%s' is",
			    is_whole ? wr_ip_format(&side[i].prefix.ip, buffer)
				     : wr_prefix_format(&side[i].prefix, buffer),
			    family == AF_INET6 ? 6 : 4, other);
		return false;
	}
	return true;
}

static void check_families(struct traffic *t, const struct wr_phrase *p)
{
	if (!p->n_from || !p->n_to || !check_side(t, p->from, p->n_from, p->to_prefixes, p->n_to_prefixes, "to") ||
	    !check_side(t, p->to, p->n_to, p->from_prefixes, p->n_from_prefixes, "from"))
		return;
	for (int i = 0; i < 2; i++) {
		uint8_t family = i ? AF_INET6 : AF_INET;

		if (has_family(p->from_prefixes, p->n_from_prefixes, family) &&
		    has_family(p->to_prefixes, p->n_to_prefixes, family))
			return;
	}
	wr_diagnose(t->a->diagnostics, p->to[0].place, NULL,
		    "families are mixed: nothing behind 'from' and 'to' is of one family");
}

static void assign_phrase(struct traffic *t, struct wr_phrase *phrase)
{
	bool from = resolve_side(t, phrase->from, phrase->n_from, &phrase->from_prefixes, &phrase->n_from_prefixes);
	bool to = resolve_side(t, phrase->to, phrase->n_to, &phrase->to_prefixes, &phrase->n_to_prefixes);

	if (from && to)
		check_families(t, phrase);
	if (t->n_prefixes > PREFIXES_MAX) {
		wr_diagnose(t->a->diagnostics, phrase->place, "give who is meant together one bridge, and name that",
			    "more than %d addresses in phrases, with their names looked up", PREFIXES_MAX);
		t->too_many = true;
	}
}

static void assign_firewall(struct traffic *t, const struct wr_ns *ns)
{
	const struct wr_firewall *forward = &ns->firewall[WR_FIREWALL_FORWARD];

	if (forward->on && !ns->forward)
		wr_diagnose(t->a->diagnostics, forward->place, "write forward: true, or leave it out",
			    "namespace '%s' does not forward: nothing would pass this", ns->name);
	for (int id = 0; id < WR_FIREWALL_HOOKS_; id++)
		for (size_t i = 0; i < ns->firewall[id].n_phrases && !t->a->out_of_memory && !t->too_many; i++)
			assign_phrase(t, &ns->firewall[id].phrases[i]);
}

/* --- translation --------------------------------------------------------------------------------------------------- */

static void check_nat(struct traffic *t, const struct wr_nf_ns *ns)
{
	const struct wr_nat *nat = ns->ns->nat;
	const char *names[WR_NF_FEW_INTERFACES + 1] = {NULL}, *nearest;
	size_t count = 0;

	if (!strcmp(nat->out, "lo") || !wr_nf_find_interface(ns, nat->out)) {
		for (const struct wr_nf_interface *i = ns->first; i && count < WR_NF_FEW_INTERFACES; i = i->next)
			names[count++] = i->link->name;
		nearest = wr_text_nearest(nat->out, names);
		if (!ns->broken && !t->a->pending->incomplete)
			wr_diagnose(t->a->diagnostics, ns->extra->nat_out_place,
				    nearest ? wr_arena_printf(t->a->arena, "did you mean '%s'?", nearest) : NULL,
				    "namespace '%s' has no interface '%s' to be the way out", ns->ns->name, nat->out);
	}
	if (!ns->ns->forward && !ns->broken)
		wr_diagnose(t->a->diagnostics, nat->place, "write forward: true",
			    "namespace '%s' does not forward: there is nothing to translate", ns->ns->name);
}

/* --- published ports ----------------------------------------------------------------------------------------------- */

/* The host's link that leads to an interface; NULL: none does. */
static struct wr_link *way_from_host(const struct wr_link *link)
{
	if (link->segment)
		return link->segment->host ? link->segment->link : NULL;
	return link->peer && link->peer->ns->is_host ? link->peer : NULL;
}

/* Whether the host reaches an address of link, which way leads to: on a bridge it has an address in each subnet. */
static bool reaches(const struct wr_link *way, const struct wr_link *link, const struct wr_ip *ip)
{
	const struct wr_bridge *bridge = link->segment;

	if (ip->family == AF_INET6 && wr_ip_is_linklocal(ip)) /* of no use without an interface beside it */
		return false;
	for (size_t i = 0; bridge && i < bridge->n_subnets; i++)
		if (wr_prefix_contains(&bridge->subnets[i], ip))
			return true;
	for (size_t i = 0; !bridge && i < way->n_addresses; i++)
		if (wr_prefix_contains(&way->addresses[i].prefix, ip))
			return true;
	return false;
}

/* Where published ports of a namespace lead to: the first address of each family that the host reaches. */
static void find_target(const struct wr_ns *ns, struct wr_publish *ret, bool *ret_joined)
{
	*ret_joined = false;
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct wr_link *link = ns->links[i];
		struct wr_link *way = link->kind == WR_LINK_LOOPBACK ? NULL : way_from_host(link);

		*ret_joined |= way != NULL;
		for (size_t k = 0; way && k < link->n_addresses && k < ADDRESSES_LOOKED_AT; k++) {
			const struct wr_ip *ip = &link->addresses[k].prefix.ip;
			int family = ip->family == AF_INET6;

			if (ret->to[family].family || !reaches(way, link, ip))
				continue;
			ret->to[family] = *ip;
			ret->via[family] = way;
		}
	}
}

/* What is published at one port in one family. */
struct slot {
	const struct wr_publish *any, *at, *in; /* at every address, at one, from one interface; NULL: none */
	const struct wr_publish *loopback;	/* at one that nothing from an interface is for */
};

/* "t41f90", and for one alone "t41f90/10.0.0.1", "t41f90/@eth0". Not by printf: a file may publish tens of thousands. */
static const char *port_key(struct traffic *t, const struct wr_publish *publish, int family, bool whole)
{
	static const char digits[] = "0123456789abcdef";
	char text[8 + WR_IP_TEXT_MAX + WR_IFNAME_MAX], *end = text;
	const char *key;

	*end++ = publish->protocol == IPPROTO_UDP ? 'u' : 't';
	*end++ = family ? '6' : '4';
	for (int shift = 12; shift >= 0; shift -= 4)
		*end++ = digits[publish->host_port >> shift & 15];
	if (whole)
		*end++ = '/';
	*end = '\0';
	if (whole && publish->host.family) {
		wr_ip_format(&publish->host, end);
	} else if (whole && publish->in) {
		*end++ = '@';
		snprintf(end, WR_IFNAME_MAX + 1, "%s", publish->in);
	}
	key = wr_arena_strdup(t->a->scratch, text);
	if (!key)
		t->a->out_of_memory = true;
	return key;
}

/* Remembers what a port is published at; returns what takes the same packets, or NULL. */
static const struct wr_publish *claim(struct traffic *t, struct wr_publish *publish, int family)
{
	const char *key = port_key(t, publish, family, false), *whole = port_key(t, publish, family, true);
	const struct wr_publish *other;
	struct slot *slot;

	if (t->a->out_of_memory)
		return NULL;
	slot = wr_map_get(&t->ports, key);
	if (!slot) {
		slot = scratch(t, sizeof *slot);
		if (!slot || wr_map_put(&t->ports, key, slot) < 0) {
			t->a->out_of_memory = true;
			return NULL;
		}
	}
	other = slot->any ? slot->any : wr_map_get(&t->ports, whole);
	if (wr_ip_is_loopback(&publish->host)) {
		slot->loopback = publish;
	} else if (publish->host.family) {
		other = other ? other : slot->in;
		slot->at = slot->at ? slot->at : publish;
	} else if (publish->in) {
		other = other ? other : slot->at;
		slot->in = slot->in ? slot->in : publish;
	} else {
		other = other ? other : slot->at ? slot->at : slot->in ? slot->in : slot->loopback;
		slot->any = slot->any ? slot->any : publish;
	}
	if (!other && wr_map_put(&t->ports, whole, publish) < 0)
		t->a->out_of_memory = true;
	return other;
}

static void say_twice(struct traffic *t, const struct wr_publish *publish, const struct wr_publish *other)
{
	const char *protocol = publish->protocol == IPPROTO_UDP ? "udp" : "tcp";

	if (publish->place.line == other->place.line && publish->place.column == other->place.column)
		wr_diagnose(t->a->diagnostics, publish->place, "in a range each needs its own: \"$(n+8000):80\"",
			    "%s port %u of the host is published more than once here", protocol, publish->host_port);
	else
		wr_diagnose(t->a->diagnostics, publish->place, NULL,
			    "%s port %u of the host is published already (line %" PRIu32 ", column %" PRIu32 ")",
			    protocol, publish->host_port, other->place.line, other->place.column);
}

static void check_twice(struct traffic *t, struct wr_publish *publish)
{
	for (int family = 0; family < 2 && !t->a->out_of_memory; family++) {
		const struct wr_publish *other;

		if (publish->host.family && (publish->host.family == AF_INET6) != family)
			continue;
		if (!publish->host.family && !publish->to[family].family)
			continue;
		other = claim(t, publish, family);
		if (!other)
			continue;
		say_twice(t, publish, other);
		return;
	}
}

static void assign_publishes(struct traffic *t, const struct wr_nf_ns *ns)
{
	struct wr_publish target = {0};
	char buffer[WR_IP_TEXT_MAX];
	bool joined, reached;

	find_target(ns->ns, &target, &joined);
	reached = target.to[0].family || target.to[1].family;
	if (!joined && !ns->broken && !t->a->pending->incomplete)
		wr_diagnose(t->a->diagnostics, ns->ns->publishes[0].place, "write host: true at a bridge that it is on",
			    "namespace '%s' publishes a port, and has no interface on a bridge that the host joins",
			    ns->ns->name);
	else if (!reached && !ns->broken && !t->a->pending->incomplete)
		wr_diagnose(t->a->diagnostics, ns->ns->publishes[0].place, NULL,
			    "namespace '%s' publishes a port, and has no address that the host reaches", ns->ns->name);
	for (size_t i = 0; i < ns->ns->n_publishes && !t->a->out_of_memory; i++) {
		struct wr_publish *publish = &ns->ns->publishes[i];
		int only = publish->host.family == AF_INET6;

		for (int family = 0; family < 2; family++) {
			if (publish->host.family && family != only)
				continue;
			publish->to[family] = target.to[family];
			publish->via[family] = target.via[family];
		}
		if (reached && publish->host.family && !publish->to[only].family && !ns->broken)
			wr_diagnose(t->a->diagnostics, ns->extra->publish_places[i], NULL,
				    "published at %s: namespace '%s' has no IPv%d address that the host reaches",
				    wr_ip_format(&publish->host, buffer), ns->ns->name, only ? 6 : 4);
		check_twice(t, publish);
	}
}

/* --- ::1 ----------------------------------------------------------------------------------------------------------- */

/* What is published at ::1 is answered by way of the link, and the kernel takes a packet to ::1 from there only by a route of
 * that link. The kernel has one route for a metric: each link's is its own, also beside other networks. */
static void add_loopback_route(struct wr_nf_assigner *a, const struct wr_link *via)
{
	struct wr_route *route = wr_ns_add_route(wr_model_host(a->model));
	struct wr_nexthop *hop = wr_arena_new_of(a->arena, struct wr_nexthop);

	if (!route || !hop) {
		a->out_of_memory = true;
		return;
	}
	hop->dev = via->ifname;
	hop->weight = 1;
	route->to = (struct wr_prefix){.ip = {.family = AF_INET6, .bytes = {[15] = 1}}, .length = 128};
	route->type = RTN_LOCAL;
	route->table = RT_TABLE_LOCAL;
	route->metric = 1024 + (uint32_t)(wr_hash_string(via->alias) & 0x3fffffff);
	route->hops = hop;
	route->n_hops = 1;
}

static void add_loopback_routes(struct traffic *t)
{
	struct wr_map seen = {.arena = t->a->scratch};

	for (size_t i = 0; i < t->a->pending->n_ns; i++) {
		const struct wr_ns *ns = t->a->pending->ns[i]->ns;

		for (size_t k = 0; k < ns->n_publishes && !t->a->out_of_memory; k++) {
			const struct wr_publish *publish = &ns->publishes[k];
			struct wr_link *via = publish->via[1];

			if (!via || !via->alias || publish->in ||
			    (publish->host.family && !wr_ip_is_loopback(&publish->host)))
				continue;
			switch (wr_map_put(&seen, via->alias, via)) {
			case 0:
				break;
			case 1:
				add_loopback_route(t->a, via);
				break;
			default:
				t->a->out_of_memory = true;
			}
		}
	}
}

void wr_nf_assign_traffic(struct wr_nf_assigner *a)
{
	struct traffic t = {.a = a, .names.arena = a->scratch, .ports.arena = a->scratch};

	for (size_t i = 0; i < a->pending->n_ns && !a->out_of_memory && !t.too_many; i++) {
		const struct wr_nf_ns *ns = a->pending->ns[i];

		if (ns->ns->nat)
			check_nat(&t, ns);
		if (ns->ns->n_publishes)
			assign_publishes(&t, ns);
		if (ns->ns->firewall)
			assign_firewall(&t, ns->ns);
	}
	add_loopback_routes(&t);
}
