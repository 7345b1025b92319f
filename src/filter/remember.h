/* remember.h: settings of the host that a network borrowed, as a text beside its other state.
 *
 * Why:       what a setting was before is noted in the network's own table; a flush of the ruleset takes the note along. This is
 *            the second witness: believed only where the table says nothing, and only in the boot that it was written in.
 * Shape:     the boot id in the first line, then "SCOPE NUMBER BEFORE" for each: the number is enum wr_conf_id.
 * Errors:    a line that is not understood is passed over. Pure. */
#pragma once

#include <stddef.h>

struct wr_model;
struct wr_text;

#define WR_REMEMBER_FILE "host" /* in the network's state directory */

/* The text for the borrows of a model that changed something. Nothing at all when none did. */
void wr_remember_write(const struct wr_model *wanted, const char *boot_id, struct wr_text *text);
/* Adds to live->borrows what the text knows and live does not: remembered. -ENOMEM. */
int wr_remember_read(struct wr_model *live, const char *boot_id, const char *text);
