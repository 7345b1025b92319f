/* words.h: how this folder's printers name things: addresses, links, cables, routes, rules.
 *
 * Why:       a plan of 800,000 steps is printed in a fraction of a second, so nothing here goes through printf; and a name
 *            that came from the kernel may hold any byte, so every name passes through one function.
 * Errors:    sticky in the wr_text. Pure.
 * Threads:   one thread at a time for a wr_text. */
#pragma once

#include <stdbool.h>

#include "model/model.h"
#include "plan/plan.h"

struct wr_text;

/* A name, with whatever a terminal must not see escaped. NULL is shown as "?". */
void wr_words_name(struct wr_text *text, const char *name);
void wr_words_ip(struct wr_text *text, const struct wr_ip *ip);
void wr_words_prefix(struct wr_text *text, const struct wr_prefix *prefix); /* with "/LENGTH" always */
/* A namespace's name; NULL is the host. */
void wr_words_ns(struct wr_text *text, const struct wr_ns *ns);
/* One link: "web:eth0", "host:shop0"; a bridge "lan"; the bridge's end of a cable "lan:web.eth0". */
void wr_words_link(struct wr_text *text, const struct wr_link *link);
/* A cable by its ends, from either of them: "lan—web:eth0", "r1:a—s1:eth0", "host:shop0—web:eth0". A bridge: "lan". */
void wr_words_cable(struct wr_text *text, const struct wr_link *link);
/* What a route goes to, with its type where that is not unicast: "default", "blackhole 10.0.0.0/8". */
void wr_words_route_to(struct wr_text *text, const struct wr_route *route);
/* How it goes there: " via 10.2.0.1 dev eth0 metric 5", each part with a space before it; may be nothing. */
void wr_words_route_how(struct wr_text *text, const struct wr_route *route);
/* "1000 from 10.0.0.0/8 iif eth0 table 100". */
void wr_words_rule(struct wr_text *text, const struct wr_rule *rule);
/* The full name of a set_conf step's setting: "net.ipv4.conf.eth0.rp_filter"; ip_forward by the name people know. */
void wr_words_conf_key(struct wr_text *text, const struct wr_step *step);

struct wr_nft_delta;
struct wr_publish;
/* "10.2.0.2:80", "[fd00::2]:80". */
void wr_words_endpoint(struct wr_text *text, const struct wr_ip *ip, uint16_t port);
/* "tcp 8080", "udp 127.0.0.1:53", "tcp 8080@eth0". */
void wr_words_publish(struct wr_text *text, const struct wr_publish *publish);
/* What a change of a filter amounts to: " (2 chains, 9 rules, 4 sets, 7 elements)"; a few ports that come or go by
 * themselves: ": tcp 8080 to 10.2.0.2:80, not any more udp 53". */
void wr_words_delta(struct wr_text *text, const struct wr_nft_delta *delta);

/* The value that a set_conf step sets. */
int wr_step_conf_value(const struct wr_step *step);
const char *wr_route_type_name(uint8_t type);	 /* "unicast", "blackhole", …; "other" */
const char *wr_rule_action_name(uint8_t action); /* "table", "blackhole", …; "other" */
/* Whether link is the bridge's end of a cable. */
bool wr_link_is_port(const struct wr_link *link);
/* The name of the bridge that a port belongs to, or NULL where that is not known. */
const char *wr_link_bridge_name(const struct wr_link *port);
/* "hosts", "resolv.conf": the file of a link_file or unlink_file step. */
const char *wr_step_file_name(const struct wr_step *step);

/* How many steps add, change and remove. */
struct wr_step_counts {
	size_t add, change, remove, interruptions;
};
struct wr_step_counts wr_plan_count(const struct wr_plan *plan);
