/* want.c: the settings that a network relies on.
 *
 * Three settings of `all` are switches that the kernel carries through to every interface when they are written: IPv4's and
 * IPv6's forwarding, and disable_ipv6. When the file writes one of these, the interfaces are wanted as the kernel would leave
 * them, or the two would undo each other. */
#include "model/want.h"

#include <netinet/in.h>

#include "model/model.h"

static void want(struct wr_conf *conf, enum wr_conf_id id, int value)
{
	if (conf->value[id] == WR_CONF_UNSET)
		conf->value[id] = (int16_t)value;
}

/* What is set in conf, else value. */
static int value_or(const struct wr_conf *conf, enum wr_conf_id id, int value)
{
	return conf->value[id] == WR_CONF_UNSET ? value : conf->value[id];
}

static bool ns_has_ipv6(const struct wr_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++) {
		if (wr_link_has_family(ns->links[i], AF_INET6))
			return true;
	}
	return false;
}

/* A link with a smaller MTU than IPv6 needs has no IPv6 settings at all. */
static bool can_ipv6(const struct wr_link *link)
{
	return !link->mtu || link->mtu >= 1280;
}

/* IPv6 that takes nothing from others, and uses its addresses at once. */
static void want_quiet(struct wr_conf *conf)
{
	want(conf, WR_CONF_V6_ACCEPT_RA, 0);
	want(conf, WR_CONF_V6_ACCEPT_DAD, 0);
}

static void want_link(const struct wr_ns *ns, struct wr_link *link, int v4_forward)
{
	bool has_ipv6 = wr_link_has_family(link, AF_INET6);
	int disable = value_or(&ns->conf_all, WR_CONF_V6_DISABLE, has_ipv6 ? 0 : 1);

	if (link->kind == WR_LINK_LOOPBACK) {
		/* Nothing reaches lo from outside; it only has to take the addresses that are written for it. */
		if (has_ipv6)
			want(&link->conf, WR_CONF_V6_DISABLE, disable);
		return;
	}
	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		if (wr_conf_rows[id].in_namespace != WR_CONF_UNSET)
			want(&link->conf, id, wr_conf_rows[id].in_namespace);
	}
	want(&link->conf, WR_CONF_V4_FORWARDING, v4_forward);
	if (can_ipv6(link))
		want(&link->conf, WR_CONF_V6_DISABLE, disable);
	if (link->conf.value[WR_CONF_V6_DISABLE] == 0)
		want_quiet(&link->conf);
}

static void want_ns(struct wr_ns *ns)
{
	bool has_ipv6 = ns_has_ipv6(ns);
	struct wr_conf *levels[] = {&ns->conf_all, &ns->conf_default};
	int v4_forward = value_or(&ns->conf_all, WR_CONF_V4_FORWARDING, ns->forward);
	int v6_forward = value_or(&ns->conf_all, WR_CONF_V6_FORWARDING, ns->forward && has_ipv6);

	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		want(levels[i], WR_CONF_V4_FORWARDING, v4_forward);
		want(levels[i], WR_CONF_V4_RP_FILTER, 0);
		want(levels[i], WR_CONF_V4_PROXY_ARP, 0);
		want(levels[i], WR_CONF_V6_FORWARDING, v6_forward);
	}
	for (int id = 0; id < WR_CONF_COUNT_; id++)
		if (wr_conf_rows[id].in_namespace != WR_CONF_UNSET)
			want(&ns->conf_all, id, wr_conf_rows[id].in_namespace);
	want(&ns->conf_default, WR_CONF_V6_DISABLE, value_or(&ns->conf_all, WR_CONF_V6_DISABLE, has_ipv6 ? 0 : 1));
	if (ns->conf_default.value[WR_CONF_V6_DISABLE] == 0)
		want_quiet(&ns->conf_default);
	for (size_t i = 0; i < ns->n_links; i++)
		want_link(ns, ns->links[i], v4_forward);
}

static void want_forwarding(struct wr_link *link)
{
	want(&link->conf, WR_CONF_V4_FORWARDING, 1);
	if (wr_link_has_family(link, AF_INET6))
		want(&link->conf, WR_CONF_V6_FORCE_FORWARDING, 1);
}

/* Between the outside and the network, each link of the host that something of it passes. */
static void want_traffic(const struct wr_model *model)
{
	for (size_t i = 0; i < model->n_bridges; i++) {
		const struct wr_bridge *bridge = model->bridges[i];

		if (bridge->host && bridge->link && (bridge->nat || bridge->routed))
			want_forwarding(bridge->link);
	}
	for (size_t i = 0; i < model->n_ns; i++) {
		for (size_t k = 0; k < model->ns[i]->n_publishes; k++) {
			const struct wr_publish *publish = &model->ns[i]->publishes[k];
			bool at_loopback = !publish->in && (!publish->host.family || wr_ip_is_loopback(&publish->host));

			for (int family = 0; family < 2; family++)
				if (publish->via[family])
					want_forwarding(publish->via[family]);
			/* A packet from 127.0.0.1 leaves by the link, and its answer comes in there. */
			if (publish->via[0] && at_loopback)
				want(&publish->via[0]->conf, WR_CONF_V4_ROUTE_LOCALNET, 1);
		}
	}
}

/* Of the host only the network's own links are in a wanted model: ports of bridges, bridges it joins, ends of cables. */
static void want_host(struct wr_ns *host)
{
	size_t joined = 0;

	for (size_t i = 0; i < host->n_links; i++)
		joined += !host->links[i]->master;
	want_traffic(host->model);
	for (size_t i = 0; i < host->n_links; i++) {
		struct wr_link *link = host->links[i];
		bool has_ipv6 = wr_link_has_family(link, AF_INET6);

		if (can_ipv6(link))
			want(&link->conf, WR_CONF_V6_DISABLE, has_ipv6 ? 0 : 1);
		if (link->master)
			continue;
		if (can_ipv6(link))
			want(&link->conf, WR_CONF_V6_ACCEPT_RA, 0);
		if (has_ipv6)
			want(&link->conf, WR_CONF_V6_ACCEPT_DAD, 0);
		want(&link->conf, WR_CONF_V4_ROUTE_LOCALNET, 0);
		if (joined < 2)
			continue;
		want(&link->conf, WR_CONF_V4_FORWARDING, 1);
		if (has_ipv6)
			want(&link->conf, WR_CONF_V6_FORCE_FORWARDING, 1);
	}
}

/* A bridge whose MTU is not written has its smallest port's: what the kernel gives it by itself, and what anything else is
 * a drift from. */
static void want_bridge_mtu(const struct wr_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++) {
		struct wr_link *bridge = ns->links[i]->master;

		if (bridge && bridge->mtu_follows && ns->links[i]->mtu < bridge->mtu)
			bridge->mtu = ns->links[i]->mtu;
	}
}

static void want_option(int *option, int value)
{
	if (*option < 0)
		*option = value;
}

/* What a bridge has by itself. Said, so that an option that leaves the file goes back, and because snooping is switched off
 * while ports come. */
static void want_options(struct wr_bridge_options *options, bool guarded)
{
	want_option(&options->stp, 0);
	want_option(&options->forward_delay, 15);
	want_option(&options->ageing, 300);
	want_option(&options->group_fwd_mask, 0);
	want_option(&options->mcast_snooping, 1);
	want_option(&options->linklocal_learn, !guarded);
}

static bool is_guarded(const struct wr_model *model, const struct wr_link *bridge)
{
	for (size_t i = 0; i < model->n_bridges; i++)
		if (model->bridges[i]->link == bridge)
			return model->bridges[i]->guard;
	return false;
}

void wr_model_want_conf(struct wr_model *model)
{
	for (size_t i = 0; i < model->n_ns; i++) {
		for (size_t k = 0; k < model->ns[i]->n_links; k++) {
			struct wr_link *link = model->ns[i]->links[k];

			if (link->bridge)
				want_options(link->bridge, is_guarded(model, link));
			if (link->kind == WR_LINK_BRIDGE && !link->mtu) {
				link->mtu_follows = true;
				link->mtu = WR_LINK_MTU_USUAL;
			}
		}
		want_bridge_mtu(model->ns[i]);
	}
	for (size_t i = 0; i < model->n_ns; i++) {
		if (model->ns[i]->is_host)
			want_host(model->ns[i]);
		else
			want_ns(model->ns[i]);
	}
}
