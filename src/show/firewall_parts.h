/* firewall_parts.h: a table read as what it does, for the two printers of it. Private to show/.
 *
 * Errors:    functions that return int: 0 or -ENOMEM. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "model/traffic.h"

struct wr_nft_chain;
struct wr_nft_element;
struct wr_nft_rule;
struct wr_nft_set;
struct wr_nft_table;
struct wr_text;

enum wr_rule_origin {
	WR_RULE_PHRASE,	   /* of the file, or a reason for a drop: words */
	WR_RULE_STRUCTURE, /* what every such table has: words, or NULL where there is nothing to say */
	WR_RULE_FOREIGN,   /* not warren's */
};

struct wr_rule_view {
	enum wr_rule_origin origin;
	const char *words;
	bool counted;
	uint64_t packets, bytes;
};

void wr_rule_view(const struct wr_nft_table *table, const struct wr_nft_chain *chain, const struct wr_nft_rule *rule,
		  struct wr_rule_view *ret);

/* Who leaves with another address, as an element of a table says it. */
struct wr_nat_view {
	char in[16], out[16]; /* interfaces; "": any */
	uint8_t family;	      /* AF_INET, AF_INET6 */
	struct wr_ip address; /* family 0: that of the outgoing interface */
};
bool wr_nat_view(const struct wr_nft_table *table, const struct wr_nft_set *set, const struct wr_nft_element *element,
		 struct wr_nat_view *ret);

/* Whom a log of denials kept. */
struct wr_denied_view {
	enum wr_firewall_hook hook;
	uint8_t protocol;
	struct wr_ip from, to;
	uint16_t port; /* 0: none */
	uint64_t ago_ms, packets, bytes;
	bool counted;
};
/* All of a table, newest first, on the heap: the caller frees *ret. */
int wr_denied_views(const struct wr_nft_table *table, struct wr_denied_view **ret, size_t *ret_count);

/* The first name that a hosts(5) text has for an address, of any length; NULL: none. *ret_length gets its length. */
const char *wr_hosts_name(const char *hosts, const struct wr_ip *ip, size_t *ret_length);
/* The interface names that a set holds first in its keys, each once: "shop-lan, shop-lab"; false: none. */
bool wr_set_interfaces(const struct wr_nft_table *table, const char *set, bool (*add)(const char *ifname, void *data),
		       void *data);

const char *wr_protocol_name(uint8_t protocol); /* "tcp"; NULL: none that people know */
const char *wr_firewall_hook_name(enum wr_firewall_hook hook);
