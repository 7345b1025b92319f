/* internal.h: what the planner's files share.
 *
 * Shape:     match.c finds each object's counterpart, conflict.c looks for what is in the way, build.c writes the steps that
 *            make and change, remove.c those that take away, reason.c says why, words.c says what.
 * Ownership: everything is in the plan's arena. */
#pragma once

#include "plan/plan.h"

struct wr_planner {
	struct wr_plan *plan;
	const struct wr_model *wanted, *live;
	const struct wr_plan_options *options;
	const struct wr_inherited *inherited; /* what new things start with; values unset when not known */
	struct wr_map leftovers;	      /* by pin: what is there of namespaces that are not: files, a stale pin */
	struct wr_map new_addresses;	      /* text of each address that is about to be added: its link */
	bool new_addresses_known;
	int error; /* sticky: -ENOMEM */
};

/* --- step.c */
/* Appends a step; its reason is looked up once all are filled. NULL: out of memory, which planner->error remembers. */
struct wr_step *wr_planner_step(struct wr_planner *planner, enum wr_step_kind kind, enum wr_step_sign sign,
				struct wr_ns *ns, struct wr_link *link);
/* Room for as many as a network that is all new needs. After the matching. 0 or -ENOMEM. */
int wr_planner_reserve(struct wr_planner *planner);

/* --- match.c */
/* Sets match in both models: namespaces by pin, links by name, cables only where both ends belong together. */
int wr_planner_match(struct wr_planner *planner);
/* Whether a thing of a model takes part in the comparison: what is not ours never does. */
bool wr_planner_counts_ns(const struct wr_ns *ns);
bool wr_planner_counts_link(const struct wr_link *link);

/* --- build.c */
void wr_planner_build(struct wr_planner *planner);

/* --- inside.c: one namespace's settings, addresses, routes, rules, neighbours */
void wr_planner_ns_settings(struct wr_planner *planner, struct wr_ns *ns);
void wr_planner_link_settings(struct wr_planner *planner, struct wr_link *link);
void wr_planner_link_changes(struct wr_planner *planner, struct wr_link *link);
/* The setting that lets the next address of a subnet stay when the first goes, where that matters. Before any removal. */
void wr_planner_promotion(struct wr_planner *planner, struct wr_link *link);
void wr_planner_addresses(struct wr_planner *planner, struct wr_link *link);
void wr_planner_routing(struct wr_planner *planner, struct wr_ns *ns);
bool wr_planner_route_is_possible(const struct wr_ns *ns, const struct wr_route *route);

/* --- filter.c: packet filters, and what traffic needs of the rest of the host */
void wr_planner_filters(struct wr_planner *planner, struct wr_ns *ns); /* tables of one namespace */
void wr_planner_host_traffic(struct wr_planner *planner); /* settings and openings; after the host's tables */
void wr_planner_remove_filters(struct wr_planner *planner, struct wr_ns *live);
void wr_planner_return_host(struct wr_planner *planner); /* before the host's tables go */
void wr_planner_warn(struct wr_planner *planner);
/* What a setting of the host is now. */
int wr_planner_host_value(const struct wr_model *live, const struct wr_borrow *borrow);

/* --- traffic.c */
/* Ports that are in use, filters that are not ours, a kernel without them: before anything is touched. */
int wr_planner_check_traffic(const struct wr_model *wanted, const struct wr_model *live, struct wr_error *reterr);

/* --- remove.c */
void wr_planner_remove_early(struct wr_planner *planner); /* names, cables and addresses that are wanted elsewhere */
void wr_planner_remove(struct wr_planner *planner);

/* --- reason.c */
const char *wr_planner_reason(const struct wr_step *step, const struct wr_planner *planner);
