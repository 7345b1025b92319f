/* list.c: every pinned namespace of the machine, and whose it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netns.h"
#include "live/inside.h"
#include "live/live.h"
#include "model/name.h"

struct listing {
	struct wr_host *host;
	struct wr_arena *arena;
	struct wr_pin_entry *entries;
	size_t n, capacity;
	struct wr_error *reterr;
};

/* Reads the mark of an open namespace into its entry. */
static int read_mark(struct listing *l, struct wr_netns *netns, struct wr_pin_entry *entry)
{
	char network[64], name[64], b[64];
	struct wr_error error = {0};
	const char *alias = NULL;
	int r = wr_inside_alias(netns, l->arena, &alias, &error);

	entry->cookie = netns->cookie;
	if (r < 0) {
		entry->unreadable = wr_arena_strdup(l->arena, error.text);
		return entry->unreadable != NULL ? 0 : -ENOMEM;
	}
	if (alias == NULL || !wr_name_read_mark(alias, network, name, b))
		return 0;
	entry->network = wr_arena_strdup(l->arena, network);
	entry->name = wr_arena_strdup(l->arena, name);
	return entry->network != NULL && entry->name != NULL ? 0 : -ENOMEM;
}

static int visit(const char *pin, enum wr_pin_state state, void *data)
{
	struct listing *l = data;
	struct wr_error error = {0};
	struct wr_pin_entry *entry;
	struct wr_netns *netns;
	bool was_open = wr_map_get(&l->host->open, pin) != NULL;
	int r;

	if (wr_arena_grow(l->arena, &l->entries, &l->capacity, l->n, sizeof *l->entries) < 0)
		return wr_fail_memory(l->reterr);
	entry = &l->entries[l->n];
	*entry = (struct wr_pin_entry){.pin = wr_arena_strdup(l->arena, pin), .stale = state != WR_PIN_NAMESPACE};
	if (entry->pin == NULL)
		return wr_fail_memory(l->reterr);
	if (entry->stale) {
		l->n++;
		return 0;
	}
	r = wr_netns_look(l->host, pin, &netns, &error);
	if (r == -ENOENT)
		return 0; /* gone since it was listed */
	l->n++;
	if (r < 0) {
		entry->unreadable = wr_arena_strdup(l->arena, error.text);
		return entry->unreadable != NULL ? 0 : wr_fail_memory(l->reterr);
	}
	r = read_mark(l, netns, entry);
	if (!was_open)
		wr_netns_close(l->host, netns);
	return r < 0 ? wr_fail_memory(l->reterr) : 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct wr_pin_entry *)a)->pin, ((const struct wr_pin_entry *)b)->pin);
}

int wr_live_list(struct wr_host *host, struct wr_arena *arena, struct wr_pin_entry **ret, size_t *ret_count,
		 struct wr_error *reterr)
{
	struct listing l = {.host = host, .arena = arena, .reterr = reterr};
	int r = wr_pins_each(host, visit, &l, reterr);

	if (r < 0)
		return r;
	if (l.n > 1)
		qsort(l.entries, l.n, sizeof *l.entries, compare);
	*ret = l.entries;
	*ret_count = l.n;
	return 0;
}
