/* show.h: models and plans as text, JSON and shell commands.
 *
 * Why:       what people and programs read is made in one place, apart from the logic.
 * Shape:     each printer appends to a wr_text. JSON has one schema, share/warren-output.schema.json.
 * Errors:    sticky in the wr_text. Pure. Control bytes from the kernel never reach the text unescaped. */
#pragma once

#include <stdbool.h>

#include "model/model.h"
#include "plan/plan.h"

struct wr_text;
struct wr_pin_entry;

/* One line a step: "+ link lan—web:eth0" with its reason behind it; an interruption is marked "(interrupts)"; at the end a
 * line that counts. An empty plan: "nothing to do". */
void wr_show_plan_text(const struct wr_plan *plan, struct wr_text *text);
void wr_show_plan_json(const struct wr_plan *plan, struct wr_text *text);
/* The same as ip, bridge, sysctl and nft commands, for a POSIX shell. */
void wr_show_plan_commands(const struct wr_plan *plan, struct wr_text *text);
/* The model as JSON: `show --json`, and inside `status --json`. */
void wr_show_model_json(const struct wr_model *model, struct wr_text *text);
/* status: is it as the file says (plan is empty), and if not, each difference. */
void wr_show_status_text(const char *network, const char *source, const struct wr_plan *plan, struct wr_text *text);
void wr_show_status_json(const char *network, const char *source, const struct wr_plan *plan, struct wr_text *text);
void wr_show_pins_text(const struct wr_pin_entry *pins, size_t count, struct wr_text *text);
void wr_show_pins_json(const struct wr_pin_entry *pins, size_t count, struct wr_text *text);
