/* sample.c: the ways that a network's traffic takes through the host. */
#include "filter/sample.h"

#include <errno.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/rtnetlink.h>

#include "base/arena.h"
#include "model/model.h"

/* A link of the network in the host that packets are routed from and to. */
struct own {
	const struct wr_link *link;
	const struct wr_bridge *bridge; /* NULL: the host's end of a cable */
	struct wr_ip ip;		/* of something behind it */
	uint32_t ifindex;		/* 0: it is not there yet */
};

struct sampler {
	const struct wr_model *wanted, *live;
	struct wr_arena *arena;
	uint8_t family; /* AF_INET, AF_INET6 */
	struct own *own;
	size_t n_own, capacity_own;
	const char **outside; /* interfaces of the host that lead elsewhere */
	size_t n_outside, capacity_outside;
	size_t n_default; /* of them, those of default routes; these come first */
	wr_sample_function *function;
	void *context;
};

/* --- the network's links --------------------------------------------------------------------------------------------- */

static const struct wr_bridge *bridge_of(const struct wr_model *model, const struct wr_link *link)
{
	for (size_t i = 0; i < model->n_bridges; i++) {
		if (model->bridges[i]->link == link)
			return model->bridges[i];
	}
	return NULL;
}

/* The link in the host over which an interface of a namespace is reached. NULL: none. */
static const struct wr_link *way_to(const struct wr_link *link)
{
	if (link->segment)
		return link->segment->host ? link->segment->link : NULL;
	return link->peer && link->peer->ns->is_host ? link->peer : NULL;
}

static const struct wr_ip *address_of(const struct wr_link *link, uint8_t family)
{
	for (size_t i = 0; i < link->n_addresses; i++) {
		if (link->addresses[i].prefix.ip.family == family)
			return &link->addresses[i].prefix.ip;
	}
	return NULL;
}

static int find_own(struct sampler *sampler)
{
	const struct wr_ns *host = wr_model_host(sampler->wanted), *there = wr_model_host(sampler->live);

	for (size_t i = 0; i < host->n_links; i++) {
		const struct wr_link *link = host->links[i], *found;

		if (link->master || link->kind == WR_LINK_LOOPBACK || !wr_link_has_family(link, sampler->family))
			continue;
		if (wr_arena_grow(sampler->arena, &sampler->own, &sampler->capacity_own, sampler->n_own,
				  sizeof *sampler->own) < 0)
			return -ENOMEM;
		found = wr_ns_find_link(there, link->ifname);
		sampler->own[sampler->n_own++] = (struct own){
			.link = link,
			.bridge = bridge_of(sampler->wanted, link),
			.ifindex = found && found->ours ? found->ifindex : 0,
		};
	}
	return 0;
}

static void find_addresses(struct sampler *sampler, const struct wr_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct wr_link *way = way_to(ns->links[i]);
		const struct wr_ip *ip = address_of(ns->links[i], sampler->family);

		for (size_t k = 0; way && ip && k < sampler->n_own; k++) {
			if (sampler->own[k].link == way && !sampler->own[k].ip.family)
				sampler->own[k].ip = *ip;
		}
	}
}

/* --- the outside ----------------------------------------------------------------------------------------------------- */

static bool is_own_name(const struct sampler *sampler, const char *name)
{
	return wr_ns_find_link(wr_model_host(sampler->wanted), name) != NULL;
}

static int add_outside(struct sampler *sampler, const char *name)
{
	if (!name || is_own_name(sampler, name))
		return 0;
	for (size_t i = 0; i < sampler->n_outside; i++) {
		if (strcmp(sampler->outside[i], name) == 0)
			return 0;
	}
	if (wr_arena_grow(sampler->arena, &sampler->outside, &sampler->capacity_outside, sampler->n_outside,
			  sizeof *sampler->outside) < 0)
		return -ENOMEM;
	sampler->outside[sampler->n_outside++] = name;
	return 0;
}

static int find_defaults(struct sampler *sampler)
{
	const struct wr_ns *host = wr_model_host(sampler->live);
	int r = 0;

	for (size_t i = 0; r == 0 && i < host->n_routes; i++) {
		const struct wr_route *route = &host->routes[i];

		if (route->to.length || route->to.ip.family != sampler->family || route->type != RTN_UNICAST ||
		    route->table != RT_TABLE_MAIN)
			continue;
		for (size_t k = 0; r == 0 && k < route->n_hops; k++)
			r = add_outside(sampler, route->hops[k].dev);
	}
	sampler->n_default = sampler->n_outside;
	return r;
}

/* Interfaces that the network's traffic needs to be forwarded from. Not bridges of others, whose owners keep them apart: what
 * comes from there is answered by their own rules. */
static int find_borrowed(struct sampler *sampler)
{
	const struct wr_ns *host = wr_model_host(sampler->live);
	int r = 0;

	for (size_t i = 0; r == 0 && i < sampler->wanted->n_borrows; i++) {
		const char *name = sampler->wanted->borrows[i].scope;
		const struct wr_link *link = strcmp(name, "all") == 0 ? NULL : wr_ns_find_link(host, name);

		if (link && link->kind != WR_LINK_BRIDGE)
			r = add_outside(sampler, link->ifname);
	}
	return r;
}

/* --- packets --------------------------------------------------------------------------------------------------------- */

/* An end of a packet's way: a link of the network, or an interface of the host by name. */
struct end {
	const struct own *own; /* NULL: by name */
	const char *name;
};

struct what {
	bool is_answer, is_translated;
	const struct wr_publish *publish; /* NULL: any port */
};

static struct end own_end(const struct own *own)
{
	return (struct end){.own = own, .name = own->link->ifname};
}

static void describe_end(const struct sampler *sampler, const struct end *end, uint32_t *ret_group,
			 uint32_t *ret_ifindex)
{
	const struct wr_link *link;

	if (end->own) {
		*ret_group = end->own->link->group;
		*ret_ifindex = end->own->ifindex;
		return;
	}
	link = wr_ns_find_link(wr_model_host(sampler->live), end->name);
	*ret_group = link ? link->group : 0;
	*ret_ifindex = link ? link->ifindex : 0;
}

static int emit(struct sampler *sampler, struct end from, struct end to, struct what what)
{
	struct wr_sample sample = {
		.flow =
			{
				.iif = from.name,
				.oif = to.name,
				.from = {.family = sampler->family},
				.to = {.family = sampler->family},
				.is_new = !what.is_answer,
				.is_translated = what.is_translated,
			},
		.from_own = from.own != NULL,
		.to_own = to.own != NULL,
		.iif = to.own ? NULL : from.name,
		.oif = to.name,
	};

	describe_end(sampler, &from, &sample.flow.iifgroup, &sample.flow.iifindex);
	describe_end(sampler, &to, &sample.flow.oifgroup, &sample.flow.oifindex);
	if (from.own && from.own->ip.family)
		sample.flow.from = from.own->ip;
	if (to.own && to.own->ip.family)
		sample.flow.to = to.own->ip;
	if (what.publish) {
		const struct wr_ip *inside = &what.publish->to[sampler->family == AF_INET6];

		sample.flow.protocol = what.publish->protocol;
		if (what.is_answer) {
			sample.flow.from = *inside;
		} else {
			sample.flow.to = *inside;
			sample.flow.port = what.publish->port;
		}
	}
	return sampler->function(sampler->context, &sample);
}

/* A connection: its first packet and an answer. */
static int connect_ends(struct sampler *sampler, struct end from, struct end to, const struct wr_publish *publish)
{
	int r = emit(sampler, from, to, (struct what){.is_translated = publish != NULL, .publish = publish});

	return r ? r
		 : emit(sampler, to, from,
			(struct what){.is_answer = true, .is_translated = publish != NULL, .publish = publish});
}

static bool is_isolated(const struct own *own)
{
	return own->bridge && own->bridge->isolated;
}

/* --- ways ------------------------------------------------------------------------------------------------------------ */

/* What comes to a link from all others: both what begins a connection and what answers one. */
static int send_between(struct sampler *sampler, const struct own *to)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sampler->n_own; i++) {
		const struct own *from = &sampler->own[i];

		if (to == from || is_isolated(from) || is_isolated(to))
			continue;
		r = emit(sampler, own_end(from), own_end(to), (struct what){.is_answer = false});
		if (r == 0)
			r = emit(sampler, own_end(from), own_end(to), (struct what){.is_answer = true});
	}
	return r;
}

static int send_outside(struct sampler *sampler, const struct own *own)
{
	const struct wr_bridge *bridge = own->bridge;
	size_t n = bridge && bridge->routed ? sampler->n_outside : sampler->n_default;
	int r = 0;

	if (!bridge || (!bridge->nat && !bridge->routed))
		return 0;
	if (bridge->nat && bridge->nat->out)
		r = connect_ends(sampler, own_end(own), (struct end){.name = bridge->nat->out}, NULL);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct end end = {.name = sampler->outside[i]};

		if (bridge->routed || !bridge->nat->out)
			r = connect_ends(sampler, own_end(own), end, NULL);
		if (r == 0 && bridge->routed)
			r = connect_ends(sampler, end, own_end(own), NULL);
	}
	return r;
}

static int send_to_published(struct sampler *sampler, const struct own *own, const struct wr_publish *publish)
{
	int r = 0;

	if (publish->in)
		return connect_ends(sampler, (struct end){.name = publish->in}, own_end(own), publish);
	for (size_t i = 0; r == 0 && i < sampler->n_outside; i++)
		r = connect_ends(sampler, (struct end){.name = sampler->outside[i]}, own_end(own), publish);
	/* By the host's address from inside: back where it came from, and from bridges that reach this one no other way. */
	if (r == 0)
		r = connect_ends(sampler, own_end(own), own_end(own), publish);
	for (size_t i = 0; r == 0 && i < sampler->n_own; i++) {
		if (&sampler->own[i] != own && (is_isolated(own) || is_isolated(&sampler->own[i])))
			r = connect_ends(sampler, own_end(&sampler->own[i]), own_end(own), publish);
	}
	return r;
}

static int send_published(struct sampler *sampler, const struct wr_ns *ns)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ns->n_publishes; i++) {
		const struct wr_publish *publish = &ns->publishes[i];
		const struct wr_link *via = publish->via[sampler->family == AF_INET6];

		for (size_t k = 0; r == 0 && k < sampler->n_own; k++) {
			if (sampler->own[k].link == via)
				r = send_to_published(sampler, &sampler->own[k], publish);
		}
	}
	return r;
}

/* A frame between two ports. In filters of IP packets it comes in by the bridge and goes out by it. */
static int send_bridged(struct sampler *sampler, const struct own *own, bool by_port)
{
	struct wr_sample sample = {
		.flow = {.bridge = own->link->ifname,
			 .from = {.family = sampler->family},
			 .to = {.family = sampler->family},
			 .is_new = true},
		.from_own = true,
		.to_own = true,
		.oif = own->link->ifname,
	};

	if (!own->bridge || own->bridge->n_ports < 2)
		return 0;
	if (!by_port) {
		struct end end = own_end(own);

		sample.flow.iif = sample.flow.oif = own->link->ifname;
		describe_end(sampler, &end, &sample.flow.iifgroup, &sample.flow.iifindex);
		describe_end(sampler, &end, &sample.flow.oifgroup, &sample.flow.oifindex);
	}
	if (own->ip.family)
		sample.flow.from = own->ip;
	return sampler->function(sampler->context, &sample);
}

static int send_all(struct sampler *sampler)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sampler->n_own; i++) {
		const struct own *own = &sampler->own[i];

		r = send_outside(sampler, own);
		if (r == 0)
			r = send_between(sampler, own);
		if (r == 0 && sampler->live->bridged_frames)
			r = send_bridged(sampler, own, false);
	}
	for (size_t i = 0; r == 0 && i < sampler->wanted->n_ns; i++)
		r = send_published(sampler, sampler->wanted->ns[i]);
	return r;
}

static int send_frames(struct sampler *sampler)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sampler->n_own; i++)
		r = send_bridged(sampler, &sampler->own[i], true);
	return r;
}

static int sample_family(struct sampler *sampler, bool frames)
{
	int r = find_own(sampler);

	if (r == 0)
		r = find_defaults(sampler);
	if (r == 0)
		r = find_borrowed(sampler);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sampler->wanted->n_ns; i++)
		find_addresses(sampler, sampler->wanted->ns[i]);
	return frames ? send_frames(sampler) : send_all(sampler);
}

int wr_sample_each(const struct wr_model *wanted, const struct wr_model *live, uint8_t family,
		   wr_sample_function *function, void *context)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct wr_arena WR_CLEANUP_ARENA *arena = wr_arena_new();
	int r = 0;

	if (!arena)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < sizeof families; i++) {
		struct sampler sampler = {.wanted = wanted,
					  .live = live,
					  .arena = arena,
					  .family = families[i],
					  .function = function,
					  .context = context};

		if (family == NFPROTO_BRIDGE || family == families[i])
			r = sample_family(&sampler, family == NFPROTO_BRIDGE);
	}
	return r;
}
