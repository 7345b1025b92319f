/* model.h: a network, as it is wanted or as it is there.
 *
 * Why:       one set of structs for both, so that a plan is a comparison of two values of one type.
 * Shape:     a model holds namespaces (the host is one of them: ns[0]); a namespace holds links, routes, rules, neighbours
 *            and sysctls; a link holds addresses. A cable is two links that name each other as peer.
 * Values:    "unset" means "not wanted in particular" in a wanted model and "could not be or was not read" in a live one;
 *            an unset value equals everything. Strings are never NULL unless said so.
 * Ownership: everything lives in the model's arena and dies with it; names may be shared between structs.
 * Threads:   a model is a value; one thread at a time. Nothing here makes a system call.
 * Source:    include/uapi/linux/{if_link,rtnetlink,fib_rules,neighbour}.h for the values that are the kernel's own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/map.h"
#include "model/conf.h"
#include "model/place.h"
#include "model/traffic.h"

struct wr_arena;
struct wr_netns;     /* kernel/netns.h: an open namespace */
struct wr_nft_table; /* model/nft.h */

/* The protocol number of everything that warren makes: RTA_PROTOCOL, FRA_PROTOCOL, NDA_PROTOCOL, IFA_PROTO.
 * Free in iproute2's rt_protos and in the kernel's IFAPROT_ numbers. */
#define WR_PROTOCOL 173

#define WR_NAME_MAX	    63 /* bytes of a namespace's, bridge's or network's name */
#define WR_IFNAME_MAX	    15 /* bytes of an interface name in the kernel */
#define WR_ALTNAME_MAX	    127
#define WR_BRIDGE_PORTS_MAX 1023
#define WR_LINK_MTU_USUAL   1500   /* of veths and of bridges without ports */
#define WR_HOST_NAME	    "host" /* the namespace this program runs in, as the file calls it */

enum wr_link_kind {
	WR_LINK_LOOPBACK,
	WR_LINK_VETH,
	WR_LINK_BRIDGE,
	WR_LINK_OTHER, /* live only: a kind that the network file cannot say; never touched */
	WR_LINK_KIND_COUNT_,
};
const char *wr_link_kind_name(enum wr_link_kind kind); /* "loopback", "veth", "bridge", "other" */

struct wr_address {
	struct wr_prefix prefix;
	bool handed_out; /* wanted: from the bridge's subnet, not written in the file */
	bool marked;	 /* live: carries WR_PROTOCOL (always true where the kernel has no IFA_PROTO). wanted: true */
	bool tentative, dadfailed; /* live only */
	struct wr_place place;
};

struct wr_nexthop {
	struct wr_ip via; /* family 0: on the link itself */
	const char *dev;  /* interface name (ifname), or NULL: the kernel finds it from via */
	uint32_t weight;  /* 1..256 */
};

struct wr_route {
	struct wr_prefix to;	 /* default: 0.0.0.0/0 or ::/0 */
	uint8_t type;		 /* RTN_UNICAST, RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT; live also others */
	uint8_t protocol;	 /* WR_PROTOCOL in a wanted model */
	uint32_t table;		 /* RT_TABLE_MAIN unless said */
	uint32_t metric;	 /* as the kernel keeps it: 0 for IPv4's none, 1024 for IPv6's */
	struct wr_ip src;	 /* preferred source; family 0: none */
	struct wr_nexthop *hops; /* n_hops of them; more than 1: multipath. 0 for the types without one */
	size_t n_hops;
	bool is_default_route; /* wanted: made from a bridge's gateway, not written */
	struct wr_place place;
};

struct wr_rule {
	uint8_t family;	  /* AF_INET, AF_INET6 */
	uint8_t protocol; /* WR_PROTOCOL in a wanted model */
	uint8_t action;	  /* FR_ACT_TO_TBL; live also others */
	uint32_t priority;
	uint32_t table;
	struct wr_prefix from, to; /* ip.family 0: any */
	const char *iif, *oif;	   /* NULL: any */
	uint32_t mark, mask;	   /* both 0: none */
	struct wr_place place;
};

struct wr_neighbour {
	struct wr_ip ip;
	struct wr_mac mac;
	const char *dev; /* ifname */
	uint8_t protocol;
	struct wr_place place;
};

/* A sysctl by its full name with dots (net.ipv4.tcp_syn_retries); in an interface's name a dot is written '/'.
 * What conf.h knows by number is kept there, never here. */
struct wr_sysctl {
	const char *key;
	const char *value; /* as written; compared with white space folded. NULL in a live model: could not be read */
	struct wr_place place;
};

/* A host name and its address, beyond the names of the network itself. */
struct wr_hostname {
	const char *name;
	struct wr_ip ip;
	struct wr_place place;
};

/* -1: unset, for each. Times in seconds. */
struct wr_bridge_options {
	int stp;	     /* 0, 1 */
	int forward_delay;   /* 2..30; 0 is possible without STP */
	int ageing;	     /* 0..86400 */
	int group_fwd_mask;  /* 0..0xffff, without bits 0-2 */
	int mcast_snooping;  /* 0, 1 */
	int linklocal_learn; /* 0, 1: from frames to 01:80:c2:00:00:0x, which pass no filter. 0 where `guard` is on */
};

struct wr_link {
	struct wr_ns *ns;
	const char *name;    /* what people call it: "eth0"; a bridge's "lan"; the bridge's end of a cable: "web.eth0".
	                         * In a live model from the mark, else the ifname */
	const char *ifname;  /* in the kernel, at most 15 bytes */
	const char *altname; /* NULL: none */
	const char *alias;   /* its mark, "warren:shop.web.eth0"; NULL in a live model: none */
	enum wr_link_kind kind;
	bool ours; /* live: carries a mark of this network, or its name and derived MAC. wanted: true */
	bool up;
	bool mac_set;	  /* false: any (lo; live kinds without one) */
	bool mac_written; /* wanted: said in the file, so the MAC proves nothing */
	bool mtu_follows; /* wanted, a bridge: its MTU is not written but its smallest port's */
	bool isolated; /* a bridge port that reaches only ports without it. Wanted: on the interface of the file and on its port */
	bool gone;  /* scratch of planners */
	bool moved; /* scratch of planners: its counterpart is in another namespace */
	struct wr_mac mac;
	uint32_t mtu;			  /* 0: unset */
	uint32_t group;			  /* IFLA_GROUP; 0 inside namespaces of our own */
	uint32_t ifindex;		  /* live; 0 in a wanted model */
	int8_t addr_gen_mode;		  /* IN6_ADDR_GEN_MODE_*, -1 unset */
	struct wr_conf conf;		  /* its own IPv4 and IPv6 settings */
	struct wr_link *peer;		  /* the other end of a cable, in whatever namespace; NULL: none, or not seen */
	struct wr_link *master;		  /* the bridge it is plugged into, same namespace; NULL: none */
	const char *kernel_kind;	  /* live: IFLA_INFO_KIND as the kernel says it, NULL none */
	struct wr_bridge_options *bridge; /* for bridges, else NULL */
	struct wr_bridge *segment;	  /* wanted: the bridge of the file that an interface is plugged into; NULL */
	struct wr_address *addresses;
	size_t n_addresses, capacity_addresses;
	struct wr_sysctl *sysctls; /* what conf.h does not know */
	size_t n_sysctls, capacity_sysctls;
	struct wr_place place;
	struct wr_link *match; /* scratch of planners: its counterpart in the other model */
};

struct wr_ns {
	struct wr_model *model;
	const char *name;  /* "web"; WR_HOST_NAME for the host */
	const char *pin;   /* file name in the namespaces' directory, "shop.web"; NULL for the host */
	const char *alias; /* the mark on its lo: "warren:shop.web"; NULL in a live model: none */
	bool is_host;
	bool is_bridge;		/* holds a bridge that the host does not join */
	bool ours;		/* live: marked as this network's, or `stale`. wanted: true but for the host */
	bool absent;		/* live: no namespace; only files of ours in the directory of ip-netns(8)'s files */
	bool stale;		/* live: a file of that name that is no namespace; empty and so ours */
	bool forward;		/* wanted: routes between its interfaces */
	bool deep;		/* live: links, addresses, routes were read; else only its mark */
	bool has_dns;		/* wanted: `dns` was written */
	uint64_t cookie;	/* live: SO_NETNS_COOKIE */
	struct wr_link **links; /* wanted: lo first, then in file order. live: in order of ifindex */
	size_t n_links, capacity_links;
	struct wr_conf conf_all, conf_default; /* net.ipv4.conf.all.*, … */
	struct wr_route *routes;
	size_t n_routes, capacity_routes;
	struct wr_rule *rules;
	size_t n_rules, capacity_rules;
	struct wr_neighbour *neighbours;
	size_t n_neighbours, capacity_neighbours;
	struct wr_sysctl *sysctls;
	size_t n_sysctls, capacity_sysctls;
	/* Name resolution inside. The text of the files is made by model/resolver.h. */
	struct wr_ip *dns_servers;
	size_t n_dns_servers;
	const char **dns_search;
	size_t n_dns_search;
	struct wr_hostname *hosts;
	size_t n_hosts;
	struct wr_nat *nat;	      /* wanted; NULL: none */
	struct wr_publish *publishes; /* wanted */
	size_t n_publishes;
	struct wr_firewall *firewall; /* wanted: WR_FIREWALL_HOOKS_ of them; NULL: none */
	struct wr_nft_table *
		*tables; /* wanted: made by filter/. live: of the network; in the host also others' that matter */
	size_t n_tables, capacity_tables;
	/* Its files in /etc/netns/PIN. wanted: what they must be; live: what is there. NULL: none.
	 * A link target if *_is_link, else the content. */
	const char *hosts_file, *resolv_file;
	bool hosts_is_link, resolv_is_link;
	bool hosts_foreign, resolv_foreign; /* live: there and without our mark; never touched */
	struct wr_netns *netns;		    /* live, borrowed: the open namespace */
	struct wr_place place;
	struct wr_ns *match; /* scratch of planners */
};

/* A bridge as the file has it: the segment with its subnets. The kernel's side of it is `link`. Wanted models only. */
struct wr_bridge {
	const char *name;
	bool host;	      /* the host joins it */
	struct wr_link *link; /* the bridge itself, in the host or in a namespace of its own */
	struct wr_prefix *subnets;
	size_t n_subnets;
	struct wr_ip *host_addresses; /* written ones (`host: ADDRESS`); else the first of each subnet */
	size_t n_host_addresses;
	struct wr_ns *gateway; /* `gateway:`; NULL: the host if it joins, else none */
	size_t n_ports;
	uint32_t mtu;	    /* 0: unset */
	struct wr_nat *nat; /* NULL: none */
	bool isolated;	    /* reaches no other bridge of its file through the host */
	bool routed;	    /* the outside may reach all of it, not only what is published */
	bool guard;	    /* a port sends from its own addresses only */
	struct wr_place place;
};

/* What a new namespace, and a new link of the host, has before anyone sets anything: the kernel copies settings. */
struct wr_inherited {
	bool known;
	struct wr_conf ns_all, ns_default; /* a fresh namespace's; also what its lo has: ns_lo */
	struct wr_conf ns_lo;
	struct wr_conf host_default;	  /* what a link made in the host starts with */
	bool no_veth, no_bridge, no_ipv6; /* what this kernel lacks, of what a network may need */
	bool no_nftables;
};

struct wr_model {
	struct wr_arena *arena;
	const char *name;	 /* of the network */
	const char *ns_prefix;	 /* "shop.", or what `prefix:` says */
	const char *link_prefix; /* "shop-", likewise */
	const char *source;	 /* the file's name as given, for messages; NULL */
	bool live;
	struct wr_ns **ns; /* [0] is the host */
	size_t n_ns, capacity_ns;
	struct wr_bridge **bridges; /* wanted only, in file order */
	size_t n_bridges, capacity_bridges;
	struct wr_map ns_by_name;      /* struct wr_ns; the host as WR_HOST_NAME. Live: of this network only */
	struct wr_map bridge_by_name;  /* struct wr_bridge */
	struct wr_inherited inherited; /* live only */
	const char *hosts_text;	       /* the network's shared hosts file: wanted content, live content; NULL none */
	const char *resolv_text; /* the shared resolv.conf for a host whose resolver is a stub; NULL: not needed */
	bool has_filters;	 /* wanted: its tables are made (filter/filter.h) */
	bool has_host_links;	 /* wanted: something of it is in the host */
	/* What the network has to do with the rest of the host. */
	struct wr_borrow *borrows; /* settings of the host: wanted, or noted in a table of the network */
	size_t n_borrows;
	struct wr_opening *openings; /* rules in others' chains: wanted, or there with our mark */
	size_t n_openings;
	struct wr_obstacle *obstacles; /* in the way of what is wanted; live: what could not be read. First look only */
	size_t n_obstacles;
	bool bridged_frames6;	       /* live: likewise those of IPv6 */
	bool bridged_frames;	       /* live: br_netfilter sends bridged frames through the host's filter */
	struct wr_listener *listeners; /* live, first look only: sockets of the host */
	size_t n_listeners;
	struct wr_nf_pending
		*pending; /* wanted: what wr_netfile_assign still has to do; file/ alone looks into it. NULL: nothing */
};

/* --- making one (model.c) ------------------------------------------------------------------------------------------ */

/* A model with the host as its only namespace. Arena is the caller's. NULL: out of memory. */
struct wr_model *wr_model_new(struct wr_arena *arena, const char *name);
/* Adds a namespace with nothing in it (no lo either); pin and alias are the caller's to set. name is copied, and registered in
 * ns_by_name unless another namespace has it already. NULL: out of memory. */
struct wr_ns *wr_model_add_ns(struct wr_model *model, const char *name);
/* Adds a link with every value unset, down; a bridge with its options unset. name is copied, and is ifname too until that is
 * set. NULL: out of memory. */
struct wr_link *wr_ns_add_link(struct wr_ns *ns, enum wr_link_kind kind, const char *name);
/* These return the new last element, zeroed but for what a wanted or live one always has (marked, protocol, table main, type
 * unicast); it moves when the next one is added. NULL: out of memory. */
struct wr_address *wr_link_add_address(struct wr_link *link);
struct wr_route *wr_ns_add_route(struct wr_ns *ns);
struct wr_rule *wr_ns_add_rule(struct wr_ns *ns);
struct wr_neighbour *wr_ns_add_neighbour(struct wr_ns *ns);
/* Sets a sysctl by name: a key that conf.h knows goes there (on the right link or all/default), any other to the list of
 * ns (or of link, when given), where it replaces an equal key. key and value are copied; value NULL: could not be read.
 * Returns 0, -ENOMEM, -EINVAL when conf.h knows the key but value is no number for it, or -ENOENT when it knows the key but ns
 * has no link of that ifname. */
int wr_ns_set_sysctl(struct wr_ns *ns, struct wr_link *link, const char *key, const char *value, struct wr_place place);

/* --- asking one ---------------------------------------------------------------------------------------------------- */

struct wr_ns *wr_model_host(const struct wr_model *model);
struct wr_ns *wr_model_find_ns(const struct wr_model *model, const char *name); /* NULL: none */
struct wr_link *wr_ns_find_link(const struct wr_ns *ns, const char *ifname);	/* by kernel name; linear */
struct wr_link *wr_ns_loopback(const struct wr_ns *ns);				/* NULL: not seen */
bool wr_link_has_family(const struct wr_link *link, uint8_t family);		/* has an address of it */
bool wr_model_has_name_prefix(const struct wr_model *model);

/* --- equality, by what can be changed (compare.c) ------------------------------------------------------------------ */

bool wr_address_same(const struct wr_address *a, const struct wr_address *b); /* same address and length */
/* The same thing to the kernel: one replaces the other. */
bool wr_route_same_key(const struct wr_route *a, const struct wr_route *b);
bool wr_route_equal(const struct wr_route *wanted, const struct wr_route *live); /* key, hops, src and protocol */
bool wr_rule_equal(const struct wr_rule *a, const struct wr_rule *b);
bool wr_sysctl_value_equal(const char *a, const char *b); /* white space folded */
