/* guard.c: the bridge table of a namespace with guarded bridges: a port sends from its own addresses only.
 *
 * It stands before everything else that a bridge does with a frame, connection tracking and learning among it, so that nothing
 * is accepted before it was judged. Of IPv6, what follows extension headers is found by the kernel's own walk over them; where
 * that finds no transport header (a chain of headers that is broken or cut by a fragment), the frame is dropped.
 *
 *   chain guard { type filter hook prerouting priority -300; }
 *   chain link  { type filter hook input priority -300; }     # frames to 01:80:c2:00:00:0x, which pass by prerouting
 *
 * A namespace that forwards sends others' packets: its IP sources are not asked for, all else is. */
#include <netinet/in.h> /* before linux/in.h */

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_bridge.h>
#include <string.h>

#include "base/arena.h"
#include "filter/filter.h"
#include "filter/make.h"
#include "filter/parts.h"
#include "model/model.h"

#define PRIORITY      -300
#define TARGET_OFFSET 8 /* of the address that a neighbour solicitation or advertisement is about */

enum icmp6 {
	ROUTER_SOLICITATION = 133,
	ROUTER_ADVERTISEMENT = 134,
	NEIGHBOUR_SOLICITATION = 135,
	NEIGHBOUR_ADVERTISEMENT = 136,
	ICMP6_REDIRECT = 137,
	LISTENER_REPORT = 143,
};

/* --- sets ----------------------------------------------------------------------------------------------------------------------------- */

static const uint8_t guarded_types[] = {WR_NFT_TYPE_IFNAME, 0};
static const uint8_t mac_types[] = {WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_MAC, 0};
static const uint8_t arp_types[] = {WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_MAC, WR_NFT_TYPE_IP4, 0};
static const uint8_t ip4_types[] = {WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_IP4, 0};
static const uint8_t ip6_types[] = {WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_IP6, 0};
/* The same addresses, for where nft has no name for the place in the packet and therefore no type. */
static const uint8_t target_types[] = {WR_NFT_TYPE_IFNAME, WR_NFT_TYPE_INTEGER, 0};
static const uint8_t ether_types[] = {WR_NFT_TYPE_ETHERTYPE, 0};
static const uint8_t icmp6_types[] = {WR_NFT_TYPE_ICMP6, 0};

static void add_guarded(struct wr_maker *maker, const struct wr_link *port)
{
	struct wr_key key = {0};

	wr_key_name(&key, port->ifname);
	wr_make_element(maker, &key, NULL);
}

static void add_mac(struct wr_maker *maker, const struct wr_link *port)
{
	struct wr_key key = {0};

	wr_key_name(&key, port->ifname);
	wr_key_mac(&key, &port->peer->mac);
	wr_make_element(maker, &key, NULL);
}

typedef void (*add_address)(struct wr_maker *maker, const struct wr_link *port, const struct wr_ip *ip);

static bool holds(const struct wr_link *link, const struct wr_ip *ip)
{
	for (size_t i = 0; i < link->n_addresses; i++)
		if (wr_ip_equal(&link->addresses[i].prefix.ip, ip))
			return true;
	return false;
}

/* Whether an address of links[k] was met on an earlier link that counts. */
static bool is_known(const struct wr_link *port, size_t k, const struct wr_ip *ip)
{
	const struct wr_ns *ns = port->peer->ns;

	if (holds(port->peer, ip))
		return true;
	for (size_t i = 0; i < k; i++)
		if ((ns->forward || ns->links[i]->kind == WR_LINK_LOOPBACK) && holds(ns->links[i], ip))
			return true;
	return false;
}

/* The addresses that a port may send from as its own: those of its interface and of lo, which a daemon binds to; of a router
 * all that it has, because the kernel takes any of them, in ARP too. */
static void add_addresses(struct wr_maker *maker, const struct wr_link *port, uint8_t family, add_address add)
{
	const struct wr_ns *ns = port->peer->ns;

	for (size_t i = 0; i < port->peer->n_addresses; i++)
		if (port->peer->addresses[i].prefix.ip.family == family)
			add(maker, port, &port->peer->addresses[i].prefix.ip);
	for (size_t k = 0; k < ns->n_links; k++) {
		const struct wr_link *link = ns->links[k];

		if (link == port->peer || (!ns->forward && link->kind != WR_LINK_LOOPBACK))
			continue;
		for (size_t i = 0; i < link->n_addresses; i++) {
			const struct wr_ip *ip = &link->addresses[i].prefix.ip;

			if (ip->family == family && !is_known(port, k, ip))
				add(maker, port, ip);
		}
	}
}

static void add_arp_element(struct wr_maker *maker, const struct wr_link *port, const struct wr_ip *ip)
{
	struct wr_key key = {0};

	wr_key_name(&key, port->ifname);
	wr_key_mac(&key, &port->peer->mac);
	wr_key_ip(&key, ip);
	wr_make_element(maker, &key, NULL);
}

/* A probe for an address that is not taken yet names no sender. */
static void add_arp(struct wr_maker *maker, const struct wr_link *port)
{
	static const struct wr_ip none = {.family = AF_INET};

	add_arp_element(maker, port, &none);
	add_addresses(maker, port, AF_INET, add_arp_element);
}

static void add_ip(struct wr_maker *maker, const struct wr_link *port, const struct wr_ip *ip)
{
	struct wr_key key = {0};

	wr_key_name(&key, port->ifname);
	wr_key_ip(&key, ip);
	wr_make_element(maker, &key, NULL);
}

static void add_ip4(struct wr_maker *maker, const struct wr_link *port)
{
	add_addresses(maker, port, AF_INET, add_ip);
}

/* The link-local address that the kernel makes of the MAC (addr_gen_mode eui64, the default of a new namespace). */
static struct wr_ip link_local(const struct wr_mac *mac)
{
	const uint8_t *m = mac->bytes;
	const uint8_t bytes[16] = {0xfe, 0x80, [8] = m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};
	struct wr_ip ip = {.family = AF_INET6};

	memcpy(ip.bytes, bytes, sizeof bytes);
	return ip;
}

static void add_ip6(struct wr_maker *maker, const struct wr_link *port)
{
	struct wr_ip own = link_local(&port->peer->mac);

	if (port->peer->conf.value[WR_CONF_V6_DISABLE] == 1)
		return;
	if (!holds(port->peer, &own))
		add_ip(maker, port, &own);
	add_addresses(maker, port, AF_INET6, add_ip);
}

static void add_router(struct wr_maker *maker, const struct wr_link *port)
{
	if (port->peer->ns->forward)
		add_guarded(maker, port);
}

struct port_set {
	const char *name;
	const uint8_t *types;
	void (*add)(struct wr_maker *maker, const struct wr_link *port);
};
/* All of them always: so one port more, or the first that routes, is elements and no rule. */
static const struct port_set port_sets[] = {
	{"guarded", guarded_types, add_guarded}, {"mac-senders", mac_types, add_mac},
	{"arp-senders", arp_types, add_arp},	 {"ip4-senders", ip4_types, add_ip4},
	{"ip6-senders", ip6_types, add_ip6},	 {"targets", target_types, add_ip6},
	{"routers", guarded_types, add_router},
};

static const struct wr_bridge *guarded_bridge(const struct wr_link *port)
{
	const struct wr_bridge *bridge = port->master && port->peer ? port->peer->segment : NULL;

	return bridge && bridge->guard ? bridge : NULL;
}

/* nft 1.0.6 has no name for the target of neighbour discovery: it lists the set by what loads its key. */
static void name_targets(struct wr_maker *maker)
{
	struct wr_nft_expr *loads = maker->failed ? NULL : wr_arena_alloc(maker->arena, 2 * sizeof *loads);

	if (!loads) {
		maker->failed = true;
		return;
	}
	loads[0] = (struct wr_nft_expr){.kind = WR_NFT_meta, .meta = {.key = NFT_META_IIFNAME}};
	loads[1] = (struct wr_nft_expr){
		.kind = WR_NFT_payload,
		.payload = {.base = NFT_PAYLOAD_TRANSPORT_HEADER, .offset = TARGET_OFFSET, .length = 16}};
	maker->set->key_loads = loads;
	maker->set->n_key_loads = 2;
}

static void make_port_sets(struct wr_maker *maker, const struct wr_ns *ns)
{
	for (size_t i = 0; i < sizeof port_sets / sizeof port_sets[0]; i++) {
		wr_make_set(maker, port_sets[i].name, 0, port_sets[i].types, NULL);
		if (port_sets[i].types == target_types)
			name_targets(maker);
		for (size_t k = 0; k < ns->n_links && !maker->failed; k++)
			if (guarded_bridge(ns->links[k]))
				port_sets[i].add(maker, ns->links[k]);
	}
}

static void make_numbers(struct wr_maker *maker, const char *name, const uint8_t *numbers, size_t n)
{
	wr_make_set(maker, name, 0, icmp6_types, NULL);
	for (size_t i = 0; i < n; i++) {
		struct wr_key key = {0};

		wr_key_byte(&key, numbers[i]);
		wr_make_element(maker, &key, NULL);
	}
}

static void make_constants(struct wr_maker *maker)
{
	static const uint16_t allowed[] = {ETH_P_ARP, ETH_P_IP, ETH_P_IPV6};
	static const uint8_t discovery[] = {ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION,
					    NEIGHBOUR_ADVERTISEMENT, ICMP6_REDIRECT};
	static const uint8_t of_routers[] = {ROUTER_ADVERTISEMENT, ICMP6_REDIRECT};

	wr_make_set(maker, "ethertypes", 0, ether_types, NULL);
	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
		struct wr_key key = {0};

		wr_key_port(&key, allowed[i]);
		wr_make_element(maker, &key, NULL);
	}
	make_numbers(maker, "discovery", discovery, sizeof discovery);
	make_numbers(maker, "of-routers", of_routers, sizeof of_routers);
}

/* --- parts of rules ----------------------------------------------------------------------------------------------------------------------- */

static void match_ethertype(struct wr_maker *maker, uint16_t type)
{
	uint16_t value = htons(type);

	wr_load_payload(maker, NFT_PAYLOAD_LL_HEADER, 12, 2, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, &value, sizeof value);
}

/* What the frame holds; no tag is there by then. nft asks this way before it looks at addresses. */
static void match_network(struct wr_maker *maker, uint16_t type)
{
	uint16_t value = htons(type);

	wr_load_meta(maker, NFT_META_PROTOCOL, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, &value, sizeof value);
}

/* A rule that begins with the frame's type. */
static void begin(struct wr_maker *maker, uint16_t type)
{
	wr_make_rule(maker);
	match_ethertype(maker, type);
}

/* Port and source address are not in the set. */
static void match_foreign_source(struct wr_maker *maker, uint8_t nfproto)
{
	wr_load_meta(maker, NFT_META_IIFNAME, 0);
	wr_load_saddr(maker, nfproto, 4);
	wr_lookup(maker, nfproto == NFPROTO_IPV4 ? "ip4-senders" : "ip6-senders", 0, true);
}

static void match_icmp6(struct wr_maker *maker, uint8_t type)
{
	wr_match_protocol(maker, IPPROTO_ICMPV6);
	wr_load_payload(maker, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, &type, sizeof type);
}

static void match_icmp6_in(struct wr_maker *maker, const char *set)
{
	wr_match_protocol(maker, IPPROTO_ICMPV6);
	wr_load_payload(maker, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
	wr_lookup(maker, set, 0, false);
}

/* Of a neighbour solicitation or advertisement: the address that it is about. */
static void match_target(struct wr_maker *maker, bool foreign)
{
	wr_load_meta(maker, NFT_META_IIFNAME, 0);
	wr_load_payload(maker, NFT_PAYLOAD_TRANSPORT_HEADER, TARGET_OFFSET, 16, 4);
	wr_lookup(maker, "targets", 0, foreign);
}

static void match_no_source(struct wr_maker *maker)
{
	static const uint8_t none[16];

	match_network(maker, ETH_P_IPV6);
	wr_load_saddr(maker, NFPROTO_IPV6, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, none, sizeof none);
}

static void make_port_rule(struct wr_maker *maker, uint16_t type, uint32_t offset, uint16_t port, const char *why)
{
	uint16_t value = htons(port);

	begin(maker, type);
	wr_match_protocol(maker, IPPROTO_UDP);
	wr_load_payload(maker, NFT_PAYLOAD_TRANSPORT_HEADER, offset, 2, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, &value, sizeof value);
	wr_drop(maker, why);
}

/* A client takes an answer by the port that it is sent to, whatever port it comes from. */
static void make_server_rules(struct wr_maker *maker, uint16_t type, uint16_t server, uint16_t client, const char *why)
{
	make_port_rule(maker, type, 0, server, why);
	make_port_rule(maker, type, 2, client, why);
}

static void make_accept(struct wr_maker *maker)
{
	wr_verdict(maker, NF_ACCEPT, NULL);
}

/* --- the chain ------------------------------------------------------------------------------------------------------------------------------ */

static void make_ethernet_rules(struct wr_maker *maker)
{
	wr_make_rule(maker);
	wr_match_iif(maker, "guarded", true);
	make_accept(maker);
	/* A tagged frame shows its tag here. */
	wr_make_rule(maker);
	wr_load_payload(maker, NFT_PAYLOAD_LL_HEADER, 12, 2, 0);
	wr_lookup(maker, "ethertypes", 0, true);
	wr_drop(maker, "neither ARP nor IP");
	wr_make_rule(maker);
	wr_load_meta(maker, NFT_META_IIFNAME, 0);
	wr_load_payload(maker, NFT_PAYLOAD_LL_HEADER, 6, 6, 4);
	wr_lookup(maker, "mac-senders", 0, true);
	wr_drop(maker, "another's MAC address");
}

/* Only a message of Ethernet and IPv4, with lengths 6 and 4, has its addresses where they are looked for. */
static void make_arp_rules(struct wr_maker *maker)
{
	static const uint8_t types[] = {0, 1, 8, 0}, lengths[] = {6, 4};

	begin(maker, ETH_P_ARP);
	wr_load_payload(maker, NFT_PAYLOAD_NETWORK_HEADER, 0, sizeof types, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, types, sizeof types);
	wr_load_payload(maker, NFT_PAYLOAD_NETWORK_HEADER, 4, sizeof lengths, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, lengths, sizeof lengths);
	wr_load_meta(maker, NFT_META_IIFNAME, 0);
	wr_load_payload(maker, NFT_PAYLOAD_NETWORK_HEADER, 8, 6, 4);
	wr_load_payload(maker, NFT_PAYLOAD_NETWORK_HEADER, 14, 4, 6);
	wr_lookup(maker, "arp-senders", 0, false);
	make_accept(maker);
	begin(maker, ETH_P_ARP);
	wr_drop(maker, "another's address in ARP");
}

static void make_ip4_rules(struct wr_maker *maker)
{
	static const uint8_t redirect = 5;

	wr_make_rule(maker);
	wr_match_iif(maker, "routers", true);
	match_network(maker, ETH_P_IP);
	match_foreign_source(maker, NFPROTO_IPV4);
	wr_drop(maker, "another's IPv4 address");
	make_server_rules(maker, ETH_P_IP, 67, 68, "DHCP server");
	begin(maker, ETH_P_IP);
	wr_match_protocol(maker, IPPROTO_ICMP);
	wr_load_payload(maker, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, &redirect, sizeof redirect);
	wr_drop(maker, "redirect");
}

/* Messages of neighbour discovery that no port may send, whatever its addresses. */
static void make_discovery_rules(struct wr_maker *maker)
{
	static const uint8_t yes = 1;
	struct wr_nft_expr *expr;

	begin(maker, ETH_P_IPV6);
	match_icmp6_in(maker, "discovery");
	expr = wr_make_expr(maker, WR_NFT_exthdr);
	if (!expr)
		return;
	expr->exthdr.op = NFT_EXTHDR_OP_IPV6;
	expr->exthdr.flags = NFT_EXTHDR_F_PRESENT;
	expr->exthdr.type = IPPROTO_FRAGMENT;
	expr->exthdr.length = 1;
	expr->dreg = NFT_REG32_00;
	wr_compare(maker, NFT_CMP_EQ, 0, &yes, sizeof yes);
	wr_drop(maker, "neighbour discovery in fragments");
	begin(maker, ETH_P_IPV6);
	match_icmp6_in(maker, "of-routers");
	wr_drop(maker, "router advertisement or redirect");
	begin(maker, ETH_P_IPV6);
	match_icmp6(maker, NEIGHBOUR_ADVERTISEMENT);
	match_target(maker, true);
	wr_drop(maker, "another's address in an advertisement");
}

/* An address is asked for before it is taken: from no source, about itself. */
static void make_no_source_rules(struct wr_maker *maker)
{
	wr_make_rule(maker);
	match_no_source(maker);
	match_icmp6(maker, NEIGHBOUR_SOLICITATION);
	match_target(maker, false);
	make_accept(maker);
	wr_make_rule(maker);
	match_no_source(maker);
	match_icmp6(maker, LISTENER_REPORT);
	make_accept(maker);
	wr_make_rule(maker);
	match_no_source(maker);
	wr_drop(maker, "no IPv6 address");
}

static void make_ip6_rules(struct wr_maker *maker)
{
	static const uint8_t mask[16] = {0xff, 0xc0}, local[16] = {0xfe, 0x80};

	make_discovery_rules(maker);
	make_no_source_rules(maker);
	wr_make_rule(maker);
	wr_match_iif(maker, "routers", true);
	match_network(maker, ETH_P_IPV6);
	match_foreign_source(maker, NFPROTO_IPV6);
	wr_drop(maker, "another's IPv6 address");
	/* What a router sends itself: it forwards neither link-local sources nor neighbour discovery. */
	wr_make_rule(maker);
	match_network(maker, ETH_P_IPV6);
	wr_load_saddr(maker, NFPROTO_IPV6, 0);
	wr_mask(maker, 0, mask, sizeof mask);
	wr_compare(maker, NFT_CMP_EQ, 0, local, sizeof local);
	match_foreign_source(maker, NFPROTO_IPV6);
	wr_drop(maker, "another's IPv6 address");
	begin(maker, ETH_P_IPV6);
	match_icmp6_in(maker, "discovery");
	match_foreign_source(maker, NFPROTO_IPV6);
	wr_drop(maker, "another's address in neighbour discovery");
	make_server_rules(maker, ETH_P_IPV6, 547, 546, "DHCPv6 server");
}

static void make_guard(struct wr_maker *maker)
{
	static const uint8_t reserved = 255;

	wr_make_base(maker, "guard", "filter", NF_BR_PRE_ROUTING, PRIORITY, NF_ACCEPT);
	make_ethernet_rules(maker);
	make_arp_rules(maker);
	make_ip4_rules(maker);
	make_ip6_rules(maker);
	/* A protocol that is not known to the kernel's walk compares with nothing. */
	wr_make_rule(maker);
	wr_load_meta(maker, NFT_META_L4PROTO, 0);
	wr_compare(maker, NFT_CMP_NEQ, 0, &reserved, sizeof reserved);
	make_accept(maker);
	wr_make_rule(maker);
	wr_drop(maker, "no transport header");
}

/* Frames to the addresses that bridges keep for themselves go to the host's end without passing prerouting. */
static void make_link(struct wr_maker *maker)
{
	static const uint8_t mask[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xf0}, to[6] = {0x01, 0x80, 0xc2};

	wr_make_base(maker, "link", "filter", NF_BR_LOCAL_IN, PRIORITY, NF_ACCEPT);
	wr_make_rule(maker);
	wr_load_payload(maker, NFT_PAYLOAD_LL_HEADER, 0, 6, 0);
	wr_mask(maker, 0, mask, sizeof mask);
	wr_compare(maker, NFT_CMP_EQ, 0, to, sizeof to);
	wr_match_iif(maker, "guarded", false);
	wr_drop(maker, "to a bridge's own address");
}

int wr_filter_want_guard_table(struct wr_ns *ns)
{
	const struct wr_model *model = ns->model;
	struct wr_maker maker;
	bool needed = false;

	for (size_t i = 0; i < model->n_bridges; i++)
		needed |= model->bridges[i]->guard && model->bridges[i]->link->ns == ns;
	if (!needed)
		return 0;
	wr_make_table(&maker, ns, NFPROTO_BRIDGE);
	make_port_sets(&maker, ns);
	make_constants(&maker);
	make_guard(&maker);
	make_link(&maker);
	return wr_make_result(&maker);
}
