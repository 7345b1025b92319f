/* nft.h: tables of the packet filter, and changes of them, in the language of nft(8).
 *
 * Why:       people know that language; a script of it has the same effect as the transaction that warren sends.
 * Shape:     a rule is a program over registers; its statements are found again by following what each register holds. What
 *            is printed makes the same program when nft reads it: a field is named only where nft would not add a test of its
 *            own for that name, and is said by its place in the packet (@th,16,16) otherwise.
 * Errors:    sticky in the wr_text. Pure. What nft 1.0.6 has no words for becomes a comment, never something that is nearly the
 *            same. Names and comments may come from the kernel: nothing of them reaches the text unescaped.
 * Source:    nft(8); include/uapi/linux/netfilter/nf_tables.h. */
#pragma once

#include <stdbool.h>

struct wr_nft_delta;
struct wr_nft_rule;
struct wr_nft_table;
struct wr_text;

/* A table with all that was read of it, as `nft list table` prints it and `nft -f` reads it. Counters are printed where they
 * counted something. */
void wr_show_nft_table(const struct wr_nft_table *table, struct wr_text *text);
/* A delta as a script of commands, in its order. */
void wr_show_nft_delta(const struct wr_nft_delta *delta, struct wr_text *text);
/* A rule's statements on one line, without its comment and without counters. table: where its sets are looked for. Returns false
 * when a part could not be said: it then stands in brackets, for people only. */
bool wr_show_nft_rule(const struct wr_nft_table *table, const struct wr_nft_rule *rule, struct wr_text *text);
