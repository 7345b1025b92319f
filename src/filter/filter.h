/* filter.h: what a network says of its traffic, as tables of the kernel's packet filter.
 *
 * Why:       one compiler for all of it: translation, published ports, isolation, guards, firewalls. Rules are few and the same
 *            for every network of a kind; what varies is elements of sets, so that a port more is one element more.
 * Shape:     one table a family and namespace. In the host `inet warren-NETWORK` (host.c) for any network that the host joins;
 *            `bridge warren-NETWORK` wherever a guarded bridge is (guard.c); in a namespace `inet warren-NETWORK` for its
 *            firewall and its own translation (firewall.c). delta.h compares two; walk.h follows a packet through others'.
 * Ownership: tables are in the arena of the model that they belong to.
 * Errors:    -ENOMEM. Pure.
 * Threads:   one thread at a time.
 *
 * The host's table, as nft would write it (chains and sets that nothing needs are left out):
 *
 *   table inet warren-shop { comment "warren:shop"
 *     set own      { type ifname; }                       # the network's interfaces in the host: bridges, ends of cables
 *     set isolated { type ifname; }                       # of them, those that reach no other
 *     set within   { type ifname . ifname; }              # bridge . itself, for isolated ones
 *     set routed   { type ifname; }                       # of them, those the outside may reach
 *     set apart    { type ifname . ifname . ether_addr; } # bridge . itself . MAC of it or of a port, where ports are isolated
 *     set hairpin  { type ifname . ifname; }              # in . out, where the answer would come past the host
 *     map publish4 { type inet_proto . inet_service : ipv4_addr . inet_service; }                  # and publish6
 *     map publish4-at { type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; }   # at one address
 *     map publish4-in { type ifname . inet_proto . inet_service : ipv4_addr . inet_service; }      # from one interface
 *     set nat4     { type ifname; }                       # bridges that leave with the outgoing address; and nat6
 *     set nat4-out { type ifname . ifname; }              # in . out, where `out` narrows it
 *     map snat4    { type ifname : ipv4_addr; }           # with `address`; and snat4-out
 *     map before   { type ifname . mark : mark; }         # what the host had: see WR_FILTER_BEFORE
 *     chain raw      { type filter hook prerouting priority raw; }   # nothing from own interfaces is to or from 127.0.0.0/8
 *     chain dstnat   { type nat hook prerouting priority dstnat; }
 *     chain output   { type nat hook output priority dstnat; }
 *     chain srcnat   { type nat hook postrouting priority srcnat; }
 *     chain forward  { type filter hook forward priority filter; policy accept; }
 *   }
 *
 * Verdicts of `forward`, in order: what does not go to an own interface is none of its business (accept); what is
 * translated to a published port passes; from own to own: apart does not, within does, isolated do not, else passes; from
 * elsewhere: answers pass, another network of warren's (by its link group) does not, routed ones pass, all else does not. What
 * is dropped is counted, with the reason as the rule's comment.
 *
 * Rules are written as nft writes them: a table that nft lists and reads again equals the wanted one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wr_arena;
struct wr_model;
struct wr_nft_element;
struct wr_nft_set;
struct wr_nft_table;
struct wr_publish;

#define WR_FILTER_TABLE	  "warren-" /* and the network's name */
#define WR_FILTER_COMMENT "warren:" /* and the network's name: the mark of a table, and of a rule in others' chains */
#define WR_FILTER_BEFORE                                                                                               \
	"before" /* the map of what the host had, scope (ifname) . enum wr_conf_id (mark) : value + 32768 (mark) */
#define WR_FILTER_DENIED      "denied"	  /* denied4, denied6: who was denied, see firewall.c */
#define WR_FILTER_GROUPS      0x57000000u /* link groups of warren's networks, see wr_name_group */
#define WR_FILTER_GROUPS_MASK 0xff000000u

/* Makes the tables of a wanted, assigned model, in every namespace that needs one. Once for a model. */
int wr_filter_want(struct wr_model *wanted);
/* Completes a wanted model beside what is there: host settings that traffic needs (borrows), rules in others' chains
 * (openings). live: a first look. After wr_filter_want; may be called once. */
int wr_filter_want_host(struct wr_model *wanted, const struct wr_model *live);

/* "warren-shop"; buffer of 80 bytes. */
const char *wr_filter_table_name(const char *network, char buffer[80]);

/* A published port as an element of a set says it, for any network's table. to[0] or to[1] and host, in are set as the set
 * is. Returns false when the set is none of those. */
bool wr_filter_read_publish(const struct wr_nft_set *set, const struct wr_nft_element *element, struct wr_publish *ret,
			    char in[16]);
/* Whether two published ports, or a published port and a listener at host:host_port, take the same packets. */
bool wr_publish_collides(const struct wr_publish *a, const struct wr_publish *b);

/* An element of WR_FILTER_BEFORE. scope (room for 16 bytes), conf and value are filled; false: not one that is understood. */
bool wr_filter_read_before(const struct wr_nft_set *set, const struct wr_nft_element *element, char scope[16],
			   uint8_t *ret_conf, int16_t *ret_value);
/* The reverse: an element for that map. NULL: out of memory. */
struct wr_nft_element *wr_filter_before(struct wr_arena *arena, const char *scope, uint8_t conf, int16_t value);
