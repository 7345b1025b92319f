/* host.c: the table of the host: see filter.h for its chains.
 *
 * What may be forwarded is decided by interfaces: nothing that a packet says of itself opens anything. */
#include <netinet/in.h> /* before linux/in.h */

#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>

#include "filter/filter.h"
#include "filter/make.h"
#include "filter/parts.h"
#include "model/model.h"

#define CONNTRACK_ANSWER (NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED))

/* --- sets ------------------------------------------------------------------------------------------------------------------------- */

/* The network's interfaces that the host sends and receives by: not the ports of its bridges. */
static bool is_own(const struct wr_link *link)
{
	return link->kind != WR_LINK_LOOPBACK && !link->master;
}

static void make_own(struct wr_maker *maker, const struct wr_ns *host)
{
	bool begun = false;

	for (size_t i = 0; i < host->n_links; i++)
		if (is_own(host->links[i]))
			wr_make_named(maker, &begun, "own", host->links[i]->ifname, NULL);
}

static const uint8_t name_types[] = {WR_NFT_TYPE_IFNAME, 0};
static const uint8_t pair_types[] = {WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_IFNAME, 0};

/* What only restricts is always there, if empty: so an edit changes elements, and no rule goes while what it was for is still
 * on its way out. */
static void make_bridge_sets(struct wr_maker *maker, const struct wr_model *model)
{
	bool isolated = true, within = true, routed = true;

	wr_make_set(maker, "isolated", 0, name_types, NULL);
	for (size_t i = 0; i < model->n_bridges; i++)
		if (model->bridges[i]->host && model->bridges[i]->isolated)
			wr_make_named(maker, &isolated, "isolated", model->bridges[i]->link->ifname, NULL);
	wr_make_set(maker, "within", 0, pair_types, NULL);
	for (size_t i = 0; i < model->n_bridges; i++) {
		const struct wr_bridge *bridge = model->bridges[i];

		if (bridge->host && bridge->isolated)
			wr_make_named(maker, &within, "within", bridge->link->ifname, bridge->link->ifname);
	}
	wr_make_set(maker, "routed", 0, name_types, NULL);
	for (size_t i = 0; i < model->n_bridges; i++)
		if (model->bridges[i]->host && model->bridges[i]->routed)
			wr_make_named(maker, &routed, "routed", model->bridges[i]->link->ifname, NULL);
}

static void make_apart_element(struct wr_maker *maker, const struct wr_link *bridge, const struct wr_mac *mac)
{
	struct wr_key key = {0};

	wr_key_name(&key, bridge->ifname);
	wr_key_name(&key, bridge->ifname);
	wr_key_mac(&key, mac);
	wr_make_element(maker, &key, NULL);
}

static bool has_isolated_port(const struct wr_ns *host, const struct wr_link *bridge)
{
	for (size_t i = 0; i < host->n_links; i++)
		if (host->links[i]->isolated && (!bridge || host->links[i]->master == bridge))
			return true;
	return false;
}

/* Ports that are kept apart must not meet by way of the host either. Frames to the bridge's own address are routed; so are
 * those to the address of the port that they come in by. All else that a forward hook sees of one bridge is frames on their
 * way from port to port, which the bridge has judged. */
static void make_apart(struct wr_maker *maker, const struct wr_model *model)
{
	static const uint8_t types[] = {WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_MAC, 0};
	const struct wr_ns *host = wr_model_host(model);

	wr_make_set(maker, "apart", 0, types, NULL);
	if (!has_isolated_port(host, NULL))
		return;
	for (size_t i = 0; i < model->n_bridges; i++) {
		const struct wr_link *bridge = model->bridges[i]->link;

		if (!model->bridges[i]->host || !has_isolated_port(host, bridge))
			continue;
		make_apart_element(maker, bridge, &bridge->mac);
		for (size_t k = 0; k < host->n_links; k++)
			if (host->links[k]->master == bridge)
				make_apart_element(maker, bridge, &host->links[k]->mac);
	}
}

static void make_before(struct wr_maker *maker)
{
	static const uint8_t types[] = {WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_MARK, 0};
	static const uint8_t data[] = {WR_NFT_TYPE_MARK, 0};

	wr_make_set(maker, WR_FILTER_BEFORE, 0, types, data);
	if (!maker->failed)
		maker->set->kept_apart = true;
}

/* --- raw --------------------------------------------------------------------------------------------------------------------------- */

/* A frame to 01:80:c2:00:00:0e (with STP: also :00) passes no hook of its bridge, and comes to the host by the port itself,
 * which no honest packet does. */
static void make_ports(struct wr_maker *maker, const struct wr_ns *host)
{
	bool begun = true;

	wr_make_set(maker, "ports", 0, name_types, NULL);
	for (size_t i = 0; i < host->n_links; i++) {
		const struct wr_link *port = host->links[i];

		if (port->master && port->peer && port->peer->segment && port->peer->segment->guard)
			wr_make_named(maker, &begun, "ports", port->ifname, NULL);
	}
}

/* An interface with route_localnet takes what is to and from 127.0.0.0/8. It is set for the answers of published ports alone,
 * which have other addresses on the wire. */
static void make_raw(struct wr_maker *maker)
{
	static const uint32_t offsets[] = {12, 16}; /* source, destination */
	static const uint8_t net = 127;

	wr_make_base(maker, "raw", "filter", NF_INET_PRE_ROUTING, -300, NF_ACCEPT);
	for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
		wr_make_rule(maker);
		wr_match_family(maker, NFPROTO_IPV4);
		wr_load_payload(maker, NFT_PAYLOAD_NETWORK_HEADER, offsets[i], 1, 0);
		wr_compare(maker, NFT_CMP_EQ, 0, &net, sizeof net);
		wr_match_iif(maker, "own", false);
		wr_drop(maker, "loopback address");
	}
	wr_make_rule(maker);
	wr_match_iif(maker, "ports", false);
	wr_drop(maker, "past the guard");
}

/* --- forward ------------------------------------------------------------------------------------------------------------------------- */

static void accept_rule(struct wr_maker *maker)
{
	wr_verdict(maker, NF_ACCEPT, NULL);
}

static void make_apart_rule(struct wr_maker *maker)
{
	static const uint16_t ethernet = ARPHRD_ETHER;

	wr_make_rule(maker);
	wr_load_meta(maker, NFT_META_IIFTYPE, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, &ethernet, sizeof ethernet);
	wr_load_meta(maker, NFT_META_IIFNAME, 0);
	wr_load_meta(maker, NFT_META_OIFNAME, 4);
	wr_load_payload(maker, NFT_PAYLOAD_LL_HEADER, 0, 6, 8);
	wr_lookup(maker, "apart", 0, false);
	wr_drop(maker, "isolated port");
}

static void make_isolated_rules(struct wr_maker *maker)
{
	wr_make_rule(maker);
	wr_match_pair(maker, "within");
	accept_rule(maker);
	wr_make_rule(maker);
	wr_match_iif(maker, "isolated", false);
	wr_drop(maker, "isolated");
	wr_make_rule(maker);
	wr_match_oif(maker, "isolated", false);
	wr_match_iif(maker, "own", false);
	wr_drop(maker, "isolated");
}

/* From one interface of the network to another. No connection is looked at, so that nothing goes on that is not allowed any
 * more. */
static void make_own_rules(struct wr_maker *maker)
{
	make_apart_rule(maker);
	make_isolated_rules(maker);
	wr_make_rule(maker);
	wr_match_iif(maker, "own", false);
	accept_rule(maker);
}

static void make_outside_rules(struct wr_maker *maker)
{
	static const uint32_t mask = WR_FILTER_GROUPS_MASK, groups = WR_FILTER_GROUPS;

	/* Answers alone: a connection that began from outside goes on only while it may begin. */
	wr_make_rule(maker);
	wr_match_state(maker, CONNTRACK_ANSWER);
	wr_match_direction(maker, IP_CT_DIR_REPLY);
	accept_rule(maker);
	wr_make_rule(maker);
	wr_load_meta(maker, NFT_META_IIFGROUP, 0);
	wr_mask(maker, 0, &mask, sizeof mask);
	wr_compare(maker, NFT_CMP_EQ, 0, &groups, sizeof groups);
	wr_drop(maker, "another network");
	wr_make_rule(maker);
	wr_match_oif(maker, "routed", false);
	accept_rule(maker);
	wr_make_rule(maker);
	wr_drop(maker, "from outside");
}

static void make_forward(struct wr_maker *maker, const struct wr_model *model)
{
	wr_make_base(maker, "forward", "filter", NF_INET_FORWARD, 0, NF_ACCEPT);
	wr_make_rule(maker);
	wr_match_oif(maker, "own", true);
	accept_rule(maker);
	if (wr_filter_publishes(model)) {
		wr_make_rule(maker);
		wr_match_translated(maker);
		accept_rule(maker);
	}
	make_own_rules(maker);
	make_outside_rules(maker);
}

int wr_filter_want_host_table(struct wr_model *model)
{
	struct wr_ns *host = wr_model_host(model);
	struct wr_maker maker;

	if (!model->has_host_links)
		return 0;
	wr_make_table(&maker, host, NFPROTO_INET);
	make_own(&maker, host);
	make_bridge_sets(&maker, model);
	make_apart(&maker, model);
	make_ports(&maker, host);
	wr_make_publish_sets(&maker, model);
	wr_make_host_nat_sets(&maker, model);
	make_before(&maker);
	make_raw(&maker);
	wr_make_publish_chains(&maker);
	wr_make_host_nat_chain(&maker);
	make_forward(&maker, model);
	return wr_make_result(&maker);
}
