/* others.h: chains of others that drop what a network forwards, and the places that some offer to open them.
 *
 * Why:       Docker, firewalld, ufw and plain iptables leave a forward chain that drops; nothing in our own table helps.
 * Shape:     packets as the network's file says they must pass (sample.h) are followed through each such chain (walk.h). One
 *            row for each manager that is known (others.c): how its chains are recognised, the chain it offers or the
 *            command that opens it. Outside others.c no name of such a program occurs.
 * Errors:    -ENOMEM. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wr_model;
struct wr_nft_chain;
struct wr_nft_rule;

/* A chain that its owner offers to others for rules of their own. */
struct wr_offer {
	uint8_t family; /* NFPROTO_IPV4, NFPROTO_IPV6 */
	const char *table, *chain;
};
extern const struct wr_offer wr_offers[];
extern const size_t wr_n_offers;

/* Fills obstacles and openings of a wanted model with tables. live: a first look, with the others' chains
 * of the forward hook read (also those of bridges, where bridged frames go through the host's filter: live->bridged_frames).
 * What is opened already is wanted again: rules with the network's mark count as not there. */
int wr_others_want(struct wr_model *wanted, const struct wr_model *live);

/* Whether a rule in somebody else's chain has this network's mark, as warren wrote it or as iptables-restore writes it back. */
bool wr_others_is_marked(const struct wr_nft_rule *rule, const char *network);
