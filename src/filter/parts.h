/* parts.h: what the files of the compiler have of each other.
 *
 * Shape:     a table's sets are made before the rules that look into them; rules are there for sets that are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wr_maker;
struct wr_model;
struct wr_ns;
struct wr_publish;

#define WR_FILTER_FAMILIES 2 /* index 0: IPv4, 1: IPv6 */
/* By that index: NFPROTO_IPV4, NFPROTO_IPV6; AF_INET, AF_INET6. */
extern const uint8_t wr_filter_nfproto[WR_FILTER_FAMILIES];
extern const uint8_t wr_filter_af[WR_FILTER_FAMILIES];

/* --- publish.c --- */

bool wr_filter_publishes(const struct wr_model *model); /* anything at all */
/* Whether a published port is one of this family. */
bool wr_publish_has(const struct wr_publish *publish, size_t family);
void wr_make_publish_sets(struct wr_maker *maker, const struct wr_model *model);
/* The chains dstnat and output. */
void wr_make_publish_chains(struct wr_maker *maker);

/* --- nat.c --- */

void wr_make_host_nat_sets(struct wr_maker *maker, const struct wr_model *model);
/* The chain srcnat, where there is anything for it. */
void wr_make_host_nat_chain(struct wr_maker *maker);
/* Of a namespace with `nat`: sets and chain. */
void wr_make_ns_nat(struct wr_maker *maker, const struct wr_ns *ns);

/* --- host.c, firewall.c, guard.c: one table each, where it is needed. 0 or -ENOMEM --- */

int wr_filter_want_host_table(struct wr_model *model);
int wr_filter_want_ns_table(struct wr_ns *ns);
int wr_filter_want_guard_table(struct wr_ns *ns);
