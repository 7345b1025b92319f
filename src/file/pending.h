/* pending.h: what the file said that a model cannot hold yet. Private to file/.
 *
 * Why:       addresses, routes and whatever refers to another interface's address are known only after the hand-out.
 * Shape:     lists in file order beside the model's own; wr_netfile_load fills them, wr_netfile_assign works them off.
 * Ownership: all in the model's arena; wr_model.pending points here until the model is assigned. */
#pragma once

#include "base/map.h"
#include "model/model.h"

/* An address or prefix as written, or the name of an interface whose address it is. */
struct wr_nf_value {
	struct wr_prefix prefix; /* of a reference: its length alone, if has_length */
	bool has_length;
	bool is_default;       /* `default`, where a route's `to` allows it */
	const char *reference; /* "edge.eth1"; NULL: written out */
	struct wr_place place;
};

struct wr_nf_interface {
	struct wr_link *link;
	struct wr_nf_interface *next;	/* of its namespace */
	struct wr_nf_value *references; /* `address:` with $(…) */
	const struct wr_link *lease;	/* its counterpart among the leases, or NULL */
	uint16_t n_references;
	uint8_t state;		     /* of resolving references: enum wr_nf_state */
	bool written;		     /* `address:` was there */
	bool cabled;		     /* end of a cable */
	bool broken;		     /* something about it was reported: no further messages */
	struct wr_place cable_place; /* where the cable was said */
};

enum wr_nf_state { WR_NF_UNRESOLVED, WR_NF_RESOLVING, WR_NF_RESOLVED };

struct wr_nf_hop {
	struct wr_nf_value via; /* place.line 0: none */
	const char *dev;
	uint32_t weight;
};

struct wr_nf_route {
	struct wr_nf_route *next;
	struct wr_nf_value to, src; /* src.place.line 0: none */
	struct wr_nf_hop *hops;
	size_t n_hops;
	const char *dev;
	uint32_t table, metric;
	bool metric_written;
	uint8_t type;
	struct wr_place place;
};

struct wr_nf_rule {
	struct wr_nf_rule *next;
	struct wr_nf_value from, to; /* place.line 0: none */
	struct wr_rule rule;	     /* all else; family 0: not said */
	bool priority_written;
};

struct wr_nf_neighbour {
	struct wr_nf_neighbour *next;
	struct wr_nf_value address;
	struct wr_mac mac;
	const char *dev;
	struct wr_place place;
};

struct wr_nf_hostname {
	struct wr_nf_hostname *next;
	const char *name;
	struct wr_nf_value address;
};

struct wr_nf_server {
	struct wr_nf_server *next;
	struct wr_nf_value address;
};

/* What most namespaces do not have. */
struct wr_nf_extra {
	struct wr_nf_route *routes, **routes_end;
	struct wr_nf_rule *rules, **rules_end;
	struct wr_nf_neighbour *neighbours, **neighbours_end;
	struct wr_nf_hostname *hosts, **hosts_end;
	struct wr_nf_server *servers, **servers_end;
	struct wr_place forward_place;	 /* of a written `forward: false` */
	struct wr_place nat_out_place;	 /* of `out` of `nat` */
	struct wr_place *publish_places; /* of the host addresses of its publishes, one each; line 0: none written */
};

/* Interfaces beyond this many are found by a map. */
#define WR_NF_FEW_INTERFACES 16

struct wr_nf_ns {
	struct wr_ns *ns;
	struct wr_nf_interface *first, **end; /* interfaces in file order */
	struct wr_nf_interface *lo;	      /* NULL: nothing was written for it */
	struct wr_map *by_name;		      /* of interfaces; NULL while they are few */
	struct wr_nf_extra *extra;	      /* NULL: nothing */
	uint32_t n_interfaces;
	bool no_default_route; /* `routes:` has a default, or is [] */
	bool broken;
};

struct wr_nf_bridge {
	struct wr_bridge *bridge;
	struct wr_nf_interface **ports; /* in file order */
	size_t n_ports, capacity_ports;
	struct wr_prefix *host_addresses; /* written under `host:`, with their lengths */
	size_t n_host_addresses;
	const char *gateway; /* `gateway:` as written, or NULL */
	const char *ifname;
	struct wr_place gateway_place, host_place, ifname_place, isolated_place, routed_place;
	struct wr_bridge_options options;
	struct wr_mac mac;
	struct wr_nf_interface *gateway_interface; /* the gateway's, on this bridge; NULL: none */
	bool mac_written;
	bool overfull; /* more ports than the kernel allows, which was said */
	bool broken;
};

struct wr_nf_cable {
	struct wr_nf_interface *ends[2];
	struct wr_place place;
};

struct wr_nf_sysctl {
	struct wr_nf_sysctl *next;
	struct wr_nf_ns *ns;
	struct wr_nf_interface *interface; /* NULL: of the namespace */
	const char *key, *value;
	struct wr_place place;
};

struct wr_nf_pending {
	struct wr_nf_ns **ns; /* [0] is the host: its interfaces are the ends of `host:` cables */
	size_t n_ns, capacity_ns;
	struct wr_map ns_by_name; /* struct wr_nf_ns; of the first n_named: see wr_nf_find_ns */
	size_t n_named;
	struct wr_nf_bridge **bridges;
	size_t n_bridges, capacity_bridges;
	struct wr_map bridge_by_name; /* struct wr_nf_bridge */
	struct wr_nf_cable *cables;
	size_t n_cables, capacity_cables;
	struct wr_nf_sysctl *sysctls, **sysctls_end;
	bool has_errors;     /* load reported something: assign only looks for more */
	bool has_references; /* some interface's address is one */
	bool incomplete;     /* a range was left after its first error: names may be missing */
};

/* The map is made when somebody first asks: a file without links, references and gateways needs none. NULL: not there. */
struct wr_nf_ns *wr_nf_find_ns(struct wr_nf_pending *pending, const char *name);
struct wr_nf_interface *wr_nf_find_interface(const struct wr_nf_ns *ns,
					     const char *name); /* NULL: none; "lo" is found too */
/* The lists that are empty for most, made when first needed; NULL: out of memory. */
struct wr_nf_extra *wr_nf_extra_of(struct wr_arena *arena, struct wr_nf_ns *ns);

/* --- what wr_netfile_assign is made of ----------------------------------------------------------------------------- */

struct wr_nf_subnets;

struct wr_nf_assigner {
	struct wr_arena *arena, *scratch;
	struct wr_model *model;
	const struct wr_model *leases; /* NULL: none */
	struct wr_nf_pending *pending;
	struct wr_diagnostics *diagnostics;
	bool out_of_memory;
};

/* reference.c: addresses of interfaces that are written as $(…). final false: what refers to an address that is still to
 * be handed out waits. */
void wr_nf_resolve_addresses(struct wr_nf_assigner *a, bool final);
/* The address of the family (0: the first) that a value stands for. Returns false after a message, and without one where the
 * interface that is meant is broken. Only after the hand-out. */
bool wr_nf_resolve(struct wr_nf_assigner *a, const struct wr_nf_value *value, uint8_t family, struct wr_prefix *ret);
/* Whether a value is, or names an interface that has, an address of the family. Says nothing. */
bool wr_nf_has_family(struct wr_nf_assigner *a, const struct wr_nf_value *value, uint8_t family);
/* handout.c: a free address of each subnet for each interface without one. */
void wr_nf_hand_out(struct wr_nf_assigner *a);
/* routes.c: written routes, and those that a bridge's gateway gives. */
void wr_nf_assign_routes(struct wr_nf_assigner *a, struct wr_nf_ns *ns, const struct wr_nf_subnets *subnets);
void wr_nf_assign_default_routes(struct wr_nf_assigner *a, struct wr_nf_ns *ns);
/* extras.c: rules, neighbours, servers, host names. */
void wr_nf_assign_extras(struct wr_nf_assigner *a, struct wr_nf_ns *ns, const struct wr_nf_subnets *subnets);
/* traffic.c: translation, published ports and phrases of firewalls: the names and addresses in them. */
void wr_nf_assign_traffic(struct wr_nf_assigner *a);
/* check.c: what can be judged only with all addresses known. */
void wr_nf_fill_lengths(struct wr_nf_assigner *a);
void wr_nf_check_segments(struct wr_nf_assigner *a);
void wr_nf_check_overlaps(struct wr_nf_assigner *a, const struct wr_nf_ns *ns, const struct wr_nf_subnets *subnets);
int wr_nf_assign(struct wr_nf_assigner *a, const char *machine); /* all of it */
