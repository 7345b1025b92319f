/* plan.h: what to do so that what is there becomes what is wanted.
 *
 * Why:       up, down, status, roll-back and repair are one comparison; only the two models differ.
 * Shape:     wr_plan_make compares by match, update, seen, prune and writes a list of steps in the order in which they are
 *            carried out: namespaces, bridges, cables, the inside of each namespace, interfaces up, bridges up; after
 *            a mark (first_removal) what goes away. Each step names its object in both models and says why.
 * Ownership: steps live in the arena given and point into both models, which must outlive the plan.
 * Errors:    -ENOMEM; conflicts with what is not ours are WR_ERR_CONFLICT with the owner named. Pure.
 * Threads:   one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

struct wr_error;
struct wr_nft_delta;

/* One row for each kind of step: NAME, name in text and JSON, what it is about. The executor (apply/), the printer of
 * commands (show/) and the reasons (plan/) each expand this list into a table of functions wr_execute_NAME,
 * wr_command_NAME, wr_reason_NAME: a kind without all three does not build.
 * about: NS, LINK, ADDRESS, ROUTE, RULE, NEIGHBOUR, CONF, SYSCTL, FILE, FILTER, BORROW, OPENING: which members of struct wr_step are set. */
#define WR_STEPS(X)                                                                                                    \
	X(mend_pin, "stale pin", NS)	  /* a file in the directory of pins that is no namespace goes */              \
	X(add_ns, "namespace", NS)	  /* made, marked, pinned; lo is up */                                         \
	X(adopt_ns, "namespace", NS)	  /* the mark on lo is put back, lo is up */                                   \
	X(set_filter, "filter", FILTER)	  /* a table made, or changed in place: one transaction */                     \
	X(borrow_conf, "setting", BORROW) /* of the host, which traffic needs; what was there is noted first */        \
	X(open_chain, "opening", OPENING) /* a rule of ours where somebody else's chain offers a place */              \
	X(set_conf, "setting", CONF)	  /* conf, scope: all, default, or a link's own */                             \
	X(set_sysctl, "sysctl", SYSCTL)                                                                                \
	X(write_hosts, "names", NS)   /* the network's shared hosts (and resolv.conf) file */                          \
	X(link_file, "names", FILE)   /* /etc/netns/PIN/hosts or resolv.conf */                                        \
	X(add_bridge, "bridge", LINK) /* down, with everything that can be set in the creating message */              \
	X(add_cable, "link", LINK)    /* link and link->peer, down; link is the bridge's or the host's end */          \
	X(move_port, "port", LINK) /* the bridge's end of a cable, into the namespace of another bridge; down then */  \
	X(mark_link, "mark", LINK) /* alias, altname, group of an existing link */                                     \
	X(set_mac, "mac", LINK)                                                                                        \
	X(set_mtu, "mtu", LINK)                                                                                        \
	X(set_master, "port", LINK) /* plugged into, moved to, or (master NULL) out of a bridge */                     \
	X(set_isolated, "isolated", LINK)                                                                              \
	X(set_bridge, "bridge options", LINK)                                                                          \
	X(add_address, "address", ADDRESS)                                                                             \
	X(mark_address, "address mark", ADDRESS)                                                                       \
	X(set_up, "up", LINK) /* and the mark of an interface that is new (link->match NULL) */                        \
	X(set_down, "down", LINK)                                                                                      \
	X(add_route, "route", ROUTE)                                                                                   \
	X(change_route, "route", ROUTE) /* replaces old_route in one message */                                        \
	X(add_rule, "rule", RULE)                                                                                      \
	X(add_neighbour, "neighbour", NEIGHBOUR)                                                                       \
	X(del_neighbour, "neighbour", NEIGHBOUR)                                                                       \
	X(del_rule, "rule", RULE)                                                                                      \
	X(del_route, "route", ROUTE)                                                                                   \
	X(del_address, "address", ADDRESS)                                                                             \
	X(del_link, "link", LINK)  /* a cable (both ends go) or a bridge */                                            \
	X(del_ns, "namespace", NS) /* unpinned, held open until the end, then gone */                                  \
	X(close_chain, "opening", OPENING)                                                                             \
	X(return_conf, "setting", BORROW) /* as it was found, where nobody changed or needs it; the note goes */       \
	X(del_filter, "filter", FILTER)                                                                                \
	X(unlink_file, "names", FILE)                                                                                  \
	X(remove_hosts, "names", NS)

enum wr_step_kind {
#define X(name, text, about) WR_STEP_##name,
	WR_STEPS(X)
#undef X
		WR_STEP_COUNT_,
};

enum wr_step_sign { WR_STEP_ADD = '+', WR_STEP_CHANGE = '~', WR_STEP_REMOVE = '-' };

struct wr_step {
	uint8_t kind;	  /* enum wr_step_kind */
	uint8_t sign;	  /* enum wr_step_sign */
	bool interrupts;  /* traffic through what it touches stops for a moment, or for good */
	bool early;	  /* a removal that comes first, because its name or address is wanted: not wholly reversible */
	int8_t conf;	  /* set_conf: enum wr_conf_id */
	uint8_t scope;	  /* set_conf: enum wr_step_scope. link_file, unlink_file: enum wr_step_file */
	struct wr_ns *ns; /* the namespace it happens in: of the wanted model where it has one, else of the live one */
	struct wr_link *link; /* likewise; for ADDRESS the link that has it. NULL where the step is about none */
	union {
		struct wr_address *address;
		struct wr_route *route;
		struct wr_rule *rule;
		struct wr_neighbour *neighbour;
		struct wr_sysctl *sysctl;
		struct wr_nft_table *table; /* set_filter: the wanted one; del_filter: the live one */
		struct wr_borrow *borrow;   /* borrow_conf: the wanted one; return_conf: the live one */
		struct wr_opening *opening; /* open_chain: the wanted one; close_chain: the live one */
		struct wr_link *old_link;   /* LINK steps that change: the live one */
	};
	union {
		struct wr_route *old_route;
		const char *old_value; /* set_sysctl: what was there, or NULL */
		int old_conf;	       /* set_conf: WR_CONF_UNSET when not known */
		const char *file;      /* link_file: unused */
		/* FILTER, BORROW, OPENING: the transaction. NULL for a borrow without a note to write or to take away */
		const struct wr_nft_delta *delta;
	};
	const char *reason; /* a few words; static or in the plan's arena; never NULL */
};

enum wr_step_scope { WR_SCOPE_LINK, WR_SCOPE_ALL, WR_SCOPE_DEFAULT };
enum wr_step_file { WR_FILE_HOSTS, WR_FILE_RESOLV };

struct wr_plan {
	struct wr_arena *arena;
	const struct wr_model *wanted, *live;
	struct wr_step *steps;
	size_t n_steps, capacity_steps;
	size_t first_removal; /* steps[first_removal..] take away what is no longer wanted; verification comes before them */
	size_t n_interruptions;
	const char *
		*warnings; /* what a person should know: what stays changed, whose chain drops the network's traffic */
	size_t n_warnings, capacity_warnings;
};

/* What a caller may ask of the comparison. Zeroed is the usual. */
struct wr_plan_options {
	bool ignore_conflicts; /* nothing is compared with what is not ours: putting back, taking down */
};

/* Compares. wanted must be assigned. live must be of the same network. The scratch members (match, gone) of both models are
 * used. *ret is in arena. */
int wr_plan_make(const struct wr_model *wanted, const struct wr_model *live, const struct wr_plan_options *options,
		 struct wr_arena *arena, struct wr_plan **ret, struct wr_error *reterr);
/* Whether anything that is there and not ours stands in the way of wanted: names, addresses, subnets of the host.
 * wr_plan_make calls it first. */
int wr_plan_check_conflicts(const struct wr_model *wanted, const struct wr_model *live, struct wr_error *reterr);
const char *wr_step_kind_name(enum wr_step_kind kind); /* "namespace", "link", … */
const char *wr_step_sign_name(enum wr_step_sign sign); /* "add", "change", "remove" */

/* The value that warren gives a setting of the host when it borrows it: 2 for accept_ra, 1 for all others. */
int wr_borrow_given(enum wr_conf_id conf);
/* Whether a noted setting is to be put back: it still has the value that it was given, and no other network needs it. */
bool wr_borrow_is_returnable(const struct wr_borrow *borrow);

struct wr_text;
/* What a step is about, without sign and reason: "link lan—web:eth0", "address 10.2.0.2/24 on web:eth0",
 * "mtu 1500 → 1400 on web:eth0". Names that come from the kernel are escaped. */
void wr_step_words(const struct wr_step *step, struct wr_text *text);
