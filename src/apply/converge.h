/* converge.h: observe, compare, carry out, until nothing is left to do.
 *
 * Why:       up, putting back and down are the same loop towards different models; proof is a comparison that comes out empty.
 * Shape:     each round observes and plans. Steps that make or change go first; what is taken away goes in a round of its own,
 *            when the observation before it has proved what is new. A fresh network takes one round and one proof.
 * Errors:    WR_ERR_VERIFY names the first difference that would not go away.
 * Threads:   one. */
#pragma once

#include "apply/apply.h"
#include "live/live.h"

struct wr_convergence {
	struct wr_apply *apply;
	const struct wr_model *wanted;
	const struct wr_model *names; /* whose pins are looked at besides marked ones; may be NULL */
	const char *network;
	bool only_names;	      /* nothing marked is there beyond `names` */
	bool marks_only;	      /* `down`: the inside of namespaces does not matter */
	bool neighbours;	      /* some of ours were there: they are looked for in every round */
	enum wr_live_filters filters; /* how much is read of packet filters after the first look */
	bool touched;		      /* set once a step was carried out */
	size_t n_steps;
};

/* One look: the live model, in the apply's arena. */
int wr_converge_observe(const struct wr_convergence *c, bool inherited, struct wr_model **ret, struct wr_error *reterr);
/* Goes on from a plan that was made already. At most rounds rounds. */
int wr_converge(struct wr_convergence *c, struct wr_plan *plan, unsigned rounds, struct wr_error *reterr);
