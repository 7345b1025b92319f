/* steps.h: what is known of each kind of step, for the printers of this folder.
 *
 * Why:       text, JSON and commands each have a table over WR_STEPS; what those tables share stands here. */
#pragma once

#include "plan/plan.h"

struct wr_text;

/* Where ip-netns(8) looks for a namespace's files and pins. */
#define WR_WORDS_ETC_NETNS "/etc/netns"
#define WR_WORDS_PINS	   "/run/netns"

/* The commands of one kind of step: wr_command_add_ns, … */
#define X(kind, words, about) void wr_command_##kind(const struct wr_step *step, struct wr_text *text);
WR_STEPS(X)
#undef X
