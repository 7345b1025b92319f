/* text.c: plans, status and the list of pins, for people.
 *
 * Theory: one line for each step: its sign, its words, and its reason in a column of its own, as far as the words leave room.
 * The column counts characters, not bytes: "—" and "→" are three bytes each. No line is sent through printf: a plan for
 * 100,000 namespaces has 800,000 of them. */
#include "show/show.h"

#include <string.h>

#include "base/text.h"
#include "live/live.h"
#include "plan/words.h"
#include "show/columns.h"

#define REASON_COLUMN 48

static void add_step_line(const struct wr_step *step, struct wr_text *text)
{
	size_t from = text->length;

	wr_text_add_char(text, (char)step->sign);
	wr_text_add_char(text, ' ');
	wr_step_words(step, text);
	if (step->reason[0] != '\0') {
		wr_show_pad(text, from, REASON_COLUMN);
		wr_words_name(text, step->reason);
	}
	if (step->interrupts)
		wr_text_add(text, step->reason[0] != '\0' ? " (interrupts)" : "  (interrupts)");
	wr_text_add_char(text, '\n');
}

void wr_show_plan_text(const struct wr_plan *plan, struct wr_text *text)
{
	struct wr_step_counts counts = wr_plan_count(plan);

	if (plan->n_steps == 0) {
		wr_text_add(text, "nothing to do\n");
		return;
	}
	for (size_t i = 0; i < plan->n_steps; i++)
		add_step_line(&plan->steps[i], text);
	wr_text_addf(text, "%zu to add, %zu to change, %zu to remove", counts.add, counts.change, counts.remove);
	if (counts.interruptions > 0)
		wr_text_addf(text, ", %zu interruption%s", counts.interruptions, counts.interruptions == 1 ? "" : "s");
	wr_text_add_char(text, '\n');
}

void wr_show_status_text(const char *network, const char *source, const struct wr_plan *plan, struct wr_text *text)
{
	wr_words_name(text, network);
	wr_text_add(text, plan->n_steps == 0 ? ": as " : ": differs from ");
	wr_words_name(text, source != NULL ? source : "its file");
	if (plan->n_steps == 0) {
		wr_text_add(text, " says\n");
		return;
	}
	wr_text_addf(text, " in %zu place%s\n", plan->n_steps, plan->n_steps == 1 ? "" : "s");
	for (size_t i = 0; i < plan->n_steps; i++)
		add_step_line(&plan->steps[i], text);
}

/* How wide a name will be: as many characters as its printed form has. */
static size_t name_width(const char *name)
{
	struct wr_text shown WR_CLEANUP_TEXT = {0};

	wr_words_name(&shown, name != NULL ? name : "-");
	return wr_text_error(&shown) == 0 ? wr_show_width(&shown, 0) : 0;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Each column is as wide as its widest name, up to this; a longer name pushes its own line only. */
#define COLUMN_MAX 48

static void add_pin_line(const struct wr_pin_entry *pin, size_t pin_width, size_t network_width, struct wr_text *text)
{
	size_t from = text->length;

	wr_words_name(text, pin->pin);
	wr_show_pad(text, from, pin_width);
	from = text->length;
	wr_words_name(text, pin->network != NULL ? pin->network : "-");
	wr_show_pad(text, from, network_width);
	if (pin->stale) {
		wr_text_add(text, "stale: a file that is no namespace");
	} else if (pin->unreadable != NULL) {
		wr_text_add(text, "not readable: ");
		wr_words_name(text, pin->unreadable);
	} else {
		wr_words_name(text, pin->name != NULL ? pin->name : "-");
	}
	wr_text_add_char(text, '\n');
}

void wr_show_pins_text(const struct wr_pin_entry *pins, size_t count, struct wr_text *text)
{
	size_t pin_width = strlen("NAME"), network_width = strlen("NETWORK"), from = text->length;

	if (count == 0) {
		wr_text_add(text, "no namespaces are pinned\n");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		pin_width = larger(pin_width, name_width(pins[i].pin));
		network_width = larger(network_width, name_width(pins[i].network));
	}
	pin_width = (pin_width > COLUMN_MAX ? COLUMN_MAX : pin_width) + 2;
	network_width = (network_width > COLUMN_MAX ? COLUMN_MAX : network_width) + 2;
	wr_text_add(text, "NAME");
	wr_show_pad(text, from, pin_width);
	from = text->length;
	wr_text_add(text, "NETWORK");
	wr_show_pad(text, from, network_width);
	wr_text_add(text, "NAMESPACE\n");
	for (size_t i = 0; i < count; i++)
		add_pin_line(&pins[i], pin_width, network_width, text);
}
