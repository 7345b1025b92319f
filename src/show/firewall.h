/* firewall.h: what a packet filter does, for people and programs: `warren firewall`.
 *
 * Why:       tables hold sets and programs; what people wrote are phrases, published ports, and who is kept from whom.
 * Shape:     each table is a view of its own; views of one namespace stand together.
 * Errors:    sticky in the wr_text. Pure. What is printed was read from the kernel; a rule in a table of warren's that warren does not
 *            write is printed as nft says it, and called by what it is. */
#pragma once

#include <stddef.h>

struct wr_nft_table;
struct wr_text;

struct wr_firewall_view {
	const struct wr_nft_table *table; /* whole */
	const char *network;		  /* the namespace's; the host: the table's. NULL: none of warren's */
	const char *name;		  /* of the namespace in that network; NULL: as pin */
	const char *pin;		  /* NULL: the host */
	const char *hosts;		  /* hosts(5) of the table's network, for names of addresses; NULL: not known */
};

/* Phrases, published ports and the rest with what they counted. */
void wr_show_firewall_text(const struct wr_firewall_view *views, size_t count, struct wr_text *text);
void wr_show_firewall_json(const struct wr_firewall_view *views, size_t count, struct wr_text *text);
/* The tables in the language of nft(8). */
void wr_show_firewall_nft(const struct wr_firewall_view *views, size_t count, struct wr_text *text);
