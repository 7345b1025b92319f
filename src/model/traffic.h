/* traffic.h: what the file says of traffic: translation, published ports, firewalls. What the kernel gets of it is nft.h's.
 *
 * Ownership: in the model's arena.
 * Source:    warren-network(5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "model/place.h"

/* `nat:` of a bridge or of a namespace. */
struct wr_nat {
	const char *out; /* only what leaves by this interface; NULL (bridges only): whatever leaves for the outside */
	struct wr_ip address[2]; /* the address to leave with, IPv4 and IPv6; family 0: the outgoing interface's own */
	struct wr_place place;
};

/* One of `publish:`. */
struct wr_publish {
	uint8_t protocol;	  /* IPPROTO_TCP, IPPROTO_UDP */
	struct wr_ip host;	  /* the host's address it is reached at; family 0: every one */
	const char *in;		  /* "@eth0": only what comes in by this interface of the host; NULL: any */
	uint16_t host_port, port; /* 1..65535 */
	struct wr_ip to
		[2]; /* assigned: the namespace's address, IPv4 and IPv6; family 0: it has none that the host reaches */
	struct wr_link *via[2]; /* assigned: the host's link (bridge or cable end) that leads there; NULL: none */
	struct wr_place place;
};

enum wr_firewall_hook { WR_FIREWALL_INPUT, WR_FIREWALL_OUTPUT, WR_FIREWALL_FORWARD, WR_FIREWALL_HOOKS_ };

/* A side of a phrase: an address, a prefix, or a name. */
struct wr_who {
	const char *name;	 /* of a namespace, a bridge, or "host"; NULL: written as address */
	struct wr_prefix prefix; /* where written */
	struct wr_place place;
};

struct wr_ports {
	uint16_t first, last; /* equal: one port */
};

/* "tcp 80 443 from 10.2.0.0/24 to web" */
struct wr_phrase {
	bool deny;
	uint8_t protocol;	/* IPPROTO_TCP, UDP, SCTP; IPPROTO_ICMP: that of both families; 0: any */
	struct wr_ports *ports; /* none: every port. In order, neither overlapping nor touching */
	size_t n_ports;
	struct wr_who *from, *to; /* as written; none: anybody */
	size_t n_from, n_to;
	struct wr_prefix *from_prefixes, *to_prefixes; /* assigned: what those names and addresses are */
	size_t n_from_prefixes, n_to_prefixes;
	const char *text; /* as warren writes it: one space between words */
	struct wr_place place;
};

struct wr_firewall {
	bool on;		   /* the file says something of this hook */
	bool drop;		   /* `policy: drop` */
	bool log;		   /* keeps who was denied */
	struct wr_phrase *phrases; /* `deny` before `accept`, each in file order */
	size_t n_phrases;
	struct wr_place place;
};

/* A setting of the host that is not ours, which traffic of the network needs. */
struct wr_borrow {
	const char *scope; /* an interface of the host by name; "all" */
	uint8_t conf;	   /* enum wr_conf_id */
	int16_t value;	   /* wanted: what the network needs. live: what it is; WR_CONF_UNSET: not known */
	int16_t before;	   /* wanted: what to note. live: what is noted as found by the first who changed it */
	bool noted;	   /* live: in this network's table */
	bool remembered;   /* live: not noted there, but in the state directory: a flush took the note along */
	bool general;	   /* live: somebody switched it on for all interfaces meanwhile */
	bool shared;	   /* live: in another network's table too */
};

/* Who listens at a port of the host. live */
struct wr_listener {
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	struct wr_ip ip;  /* as bound; 0.0.0.0 or :: for every address */
	bool both;	  /* ::, and takes IPv4 as well */
	uint16_t port;
	unsigned long inode; /* of the socket */
	const char *owner;   /* "nginx (pid 123)"; NULL: not known, or not looked up */
};

/* A rule of ours in somebody else's chain, at the place that its owner provides for it. */
struct wr_opening {
	uint8_t family;	       /* NFPROTO_IPV4, NFPROTO_IPV6 */
	const char *table;     /* "filter" */
	const char *chain;     /* "DOCKER-USER" */
	const char *iif, *oif; /* what it lets pass; NULL: any. Not both NULL */
	uint64_t handle;       /* live: its own. wanted: of the rule it belongs before; 0: at the end of the chain */
};

/* Somebody else's chain that drops what the network forwards, and offers no place to open it. live */
struct wr_obstacle {
	uint8_t family;
	const char *table, *chain;
	const char *why;  /* "policy drop", or the rule as nft says it */
	const char *what; /* which traffic: "from shop-lan to eth0" */
	const char *mend; /* the command that would open it */
};
