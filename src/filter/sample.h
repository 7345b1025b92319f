/* sample.h: what traffic a network's file says must pass through the host, as packets to follow (walk.h).
 *
 * Why:       chains of others are not judged by what they say but by what becomes of the network's own traffic.
 * Shape:     one packet for each way between the network's links in the host and from each of them to the outside and back; of
 *            published ports one each. Addresses are those of some namespace on that link.
 * Ownership: what is handed over lives until the function returns.
 * Errors:    -ENOMEM, and what the function given returns. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "filter/walk.h"

struct wr_model;

struct wr_sample {
	struct wr_flow flow;
	bool from_own, to_own; /* by links of the network; else the outside */
	/* What would have to be let pass for it, and for all that is like it: whatever goes to a link of the network (whose own
	 * table says what may), or from one to an interface of the host. */
	const char *iif; /* NULL: any */
	const char *oif;
};

typedef int wr_sample_function(void *context, const struct wr_sample *sample);

/* Calls function for each sample of a family (NFPROTO_IPV4, NFPROTO_IPV6), or, of NFPROTO_BRIDGE, for frames between two ports
 * of each bridge. Ends when it returns something else than 0, and returns that. */
int wr_sample_each(const struct wr_model *wanted, const struct wr_model *live, uint8_t family,
		   wr_sample_function *function, void *context);
