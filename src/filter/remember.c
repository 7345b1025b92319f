/* See remember.h. */
#include "filter/remember.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "model/model.h"

void wr_remember_write(const struct wr_model *wanted, const char *boot_id, struct wr_text *text)
{
	for (size_t i = 0; i < wanted->n_borrows; i++) {
		const struct wr_borrow *borrow = &wanted->borrows[i];

		if (borrow->before == borrow->value || borrow->before == WR_CONF_UNSET)
			continue;
		if (!text->length)
			wr_text_addf(text, "%s\n", boot_id);
		wr_text_addf(text, "%s %d %d\n", borrow->scope, borrow->conf, borrow->before);
	}
}

static bool wr_is_known(const struct wr_model *live, const char *scope, int conf)
{
	for (size_t i = 0; i < live->n_borrows; i++)
		if (live->borrows[i].conf == conf && !strcmp(live->borrows[i].scope, scope))
			return true;
	return false;
}

/* What the setting is now; WR_CONF_UNSET: not known. */
static int16_t wr_value_now(const struct wr_model *live, const char *scope, int conf)
{
	const struct wr_ns *host = wr_model_host(live);
	const struct wr_link *link;

	if (!strcmp(scope, "all"))
		return host->conf_all.value[conf];
	link = wr_ns_find_link(host, scope);
	return link ? link->conf.value[conf] : WR_CONF_UNSET;
}

static int wr_remember_line(struct wr_model *live, const char *line)
{
	size_t capacity = live->n_borrows;
	struct wr_borrow *borrow;
	char scope[WR_IFNAME_MAX + 1];
	int conf, before;

	if (sscanf(line, "%15s %d %d", scope, &conf, &before) != 3 || conf < 0 || conf >= WR_CONF_COUNT_ ||
	    before <= INT16_MIN || before > INT16_MAX || wr_is_known(live, scope, conf))
		return 0;
	if (wr_arena_grow(live->arena, &live->borrows, &capacity, live->n_borrows, sizeof *live->borrows) < 0)
		return -ENOMEM;
	borrow = &live->borrows[live->n_borrows];
	*borrow = (struct wr_borrow){.scope = wr_arena_strdup(live->arena, scope),
				     .conf = (uint8_t)conf,
				     .value = wr_value_now(live, scope, conf),
				     .before = (int16_t)before,
				     .remembered = true};
	if (!borrow->scope)
		return -ENOMEM;
	live->n_borrows++;
	return 0;
}

int wr_remember_read(struct wr_model *live, const char *boot_id, const char *text)
{
	size_t length = strlen(boot_id);
	const char *line = text;
	int r = 0;

	if (strncmp(text, boot_id, length) != 0 || text[length] != '\n')
		return 0;
	while (r == 0 && (line = strchr(line, '\n')) && *++line)
		r = wr_remember_line(live, line);
	return r;
}
