/* subnets.h: which interface of a namespace reaches an address, and which addresses a segment has. Private to file/.
 *
 * Why:       gateways, neighbours and overlaps ask "whose subnet holds this address" for every route; the hand-out asks "is it
 *            taken" for every port. Both must not depend on how many there are.
 * Ownership: memory of the scratch arena; the tables are used again for one namespace or segment after another. */
#pragma once

#include "model/model.h"

struct wr_nf_assigner;

/* The subnets that the links of one namespace are in, sorted; each knows the one around it. */
struct wr_nf_subnet {
	struct wr_prefix network;
	struct wr_link *link;
	struct wr_place place;
	int32_t around; /* index of the smallest subnet that holds this one, or -1 */
};

struct wr_nf_subnets {
	struct wr_nf_subnet *items;
	size_t count, capacity;
};

/* Fills the table for ns. Returns 0 or -ENOMEM. */
int wr_nf_subnets_of(struct wr_nf_assigner *a, struct wr_nf_subnets *subnets, const struct wr_ns *ns);
/* The smallest subnet that holds ip; NULL: none. */
const struct wr_nf_subnet *wr_nf_subnets_find(const struct wr_nf_subnets *subnets, const struct wr_ip *ip);

/* A set of addresses and who has them. */
struct wr_nf_taken_slot {
	struct wr_ip ip; /* family 0: free */
	const struct wr_link *link;
	struct wr_place place;
};

struct wr_nf_taken {
	struct wr_nf_taken_slot *slots;
	size_t capacity; /* a power of two */
	size_t size;	 /* of the memory behind slots */
};

/* Empties it and makes room for count addresses. Returns 0 or -ENOMEM. */
int wr_nf_taken_reset(struct wr_nf_assigner *a, struct wr_nf_taken *taken, size_t count);
/* Who has ip: NULL when nobody had, and then link has it now. */
const struct wr_nf_taken_slot *wr_nf_taken_add(struct wr_nf_taken *taken, const struct wr_ip *ip,
					       const struct wr_link *link, struct wr_place place);
bool wr_nf_taken_has(const struct wr_nf_taken *taken, const struct wr_ip *ip);
