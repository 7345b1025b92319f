/* commands_filter.c: the steps about packet filters, and about the host that is not ours, as commands for a POSIX shell. See
 * commands.c.
 *
 * A rule of ours in somebody else's chain is taken away by what it says, not by the number that it had when the plan was
 * made: whoever made the chain anew in between made others under the same numbers. */
#include "plan/steps.h"

#include <string.h>

#include "base/text.h"
#include "filter/filter.h"
#include "model/nft.h"
#include "show/commands.h"
#include "show/nft.h"

/* nft's words hold no line that is only this. */
#define SCRIPT_END "EOF"

static void add_script(const struct wr_step *step, struct wr_text *text)
{
	if (step->delta == NULL)
		return;
	wr_command_inside(text, step->ns);
	wr_text_add(text, "nft -f - <<'" SCRIPT_END "'\n");
	wr_show_nft_delta(step->delta, text);
	wr_text_add(text, SCRIPT_END "\n");
}

void wr_command_set_filter(const struct wr_step *step, struct wr_text *text)
{
	add_script(step, text);
}

void wr_command_del_filter(const struct wr_step *step, struct wr_text *text)
{
	add_script(step, text);
}

static void add_setting(const struct wr_step *step, int value, struct wr_text *text)
{
	struct wr_text assignment WR_CLEANUP_TEXT = {0};
	char key[80];

	wr_text_addf(&assignment, "%s=%d", wr_conf_key((enum wr_conf_id)step->borrow->conf, step->borrow->scope, key),
		     value);
	wr_command_sysctl(text, step->ns, &assignment);
}

void wr_command_borrow_conf(const struct wr_step *step, struct wr_text *text)
{
	add_script(step, text);
	add_setting(step, step->borrow->value, text);
}

void wr_command_return_conf(const struct wr_step *step, struct wr_text *text)
{
	if (wr_borrow_is_returnable(step->borrow))
		add_setting(step, step->borrow->before, text);
	add_script(step, text);
}

void wr_command_open_chain(const struct wr_step *step, struct wr_text *text)
{
	add_script(step, text);
}

/* What means itself alone in a basic regular expression. */
static void add_literal(struct wr_text *pattern, const char *string)
{
	for (; *string != '\0'; string++) {
		if (strchr("\\/.*[]^$", *string) != NULL)
			wr_text_add_char(pattern, '\\');
		wr_text_add_char(pattern, *string);
	}
}

static void add_interface(struct wr_text *pattern, const char *word, const char *ifname)
{
	size_t length = ifname != NULL ? strlen(ifname) : 0;

	if (length == 0)
		return;
	wr_text_add(pattern, word);
	wr_text_add(pattern, " \"");
	add_literal(pattern, ifname);
	/* nft writes a star at the end as \*. */
	if (ifname[length - 1] == '*') {
		pattern->length -= strlen("\\*");
		wr_text_add(pattern, "\\\\\\*");
	}
	wr_text_add(pattern, "\" ");
}

void wr_command_close_chain(const struct wr_step *step, struct wr_text *text)
{
	const struct wr_opening *opening = step->opening;
	struct wr_text place WR_CLEANUP_TEXT = {0}, pattern WR_CLEANUP_TEXT = {0};

	wr_text_addf(&place, "%s %s %s", wr_nft_family_name(opening->family), opening->table, opening->chain);
	wr_text_add(&pattern, "s/^[[:space:]]*");
	add_interface(&pattern, "iifname", opening->iif);
	add_interface(&pattern, "oifname", opening->oif);
	wr_text_add(&pattern, "counter packets [0-9]* bytes [0-9]* accept comment \"" WR_FILTER_COMMENT);
	add_literal(&pattern, step->ns->model->name);
	wr_text_add(&pattern, "\" # handle \\([0-9]*\\)$/delete rule ");
	wr_text_add(&pattern, wr_text_string(&place));
	wr_text_add(&pattern, " handle \\1/p");
	wr_text_add(text, "nft -a list chain ");
	wr_text_add(text, wr_text_string(&place));
	wr_text_add(text, " | sed -n ");
	wr_text_add_shell(text, wr_text_string(&pattern));
	wr_text_add(text, " | nft -f -\n");
	if (wr_text_error(&place) != 0 || wr_text_error(&pattern) != 0)
		text->error = wr_text_error(&place) != 0 ? wr_text_error(&place) : wr_text_error(&pattern);
}
