/* resolve.c: from the name that a person types to the pin it stands for, and programs inside.
 *
 * Theory: a pin is PREFIX + NAME, so that whatever a name may stand for ends with it. The names in the directory of pins
 * are compared first, and only those that fit are opened and their marks read: nothing is kept that could be stale, and a
 * thousand other namespaces cost a directory read. What stands for exactly one pin is taken; anything else is an error
 * that names the candidates. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "kernel/exec.h"
#include "lib/internal.h"
#include "live/live.h"
#include "model/name.h"

/* What was typed, in its parts. */
struct wanted {
	const char *typed;
	const char *network; /* NULL: not said */
	const char *name;    /* "web" */
	bool is_pin;	     /* a path: this pin and nothing else */
};

struct search {
	struct wr_host *host;
	struct wr_arena *arena;
	struct wanted wanted;
	const char **fits; /* pins that may be meant */
	size_t n_fits, capacity_fits;
	const char **found; /* pins that are */
	const char **words; /* how to name each without doubt */
	size_t n_found;
};

static int split_name(struct search *search, const char *typed, struct wr_error *reterr)
{
	struct wanted *wanted = &search->wanted;
	size_t pins_length = strlen(search->host->pins);
	const char *separator;

	*wanted = (struct wanted){.typed = typed, .name = typed};
	if (strncmp(typed, search->host->pins, pins_length) == 0 && typed[pins_length] == '/') {
		wanted->name = typed + pins_length + 1;
		wanted->is_pin = true;
	} else {
		separator = strchr(typed, '/');
		if (!separator)
			separator = strrchr(typed, '.');
		if (separator) {
			wanted->network = wr_arena_strndup(search->arena, typed, (size_t)(separator - typed));
			wanted->name = separator + 1;
			if (!wanted->network)
				return wr_fail_memory(reterr);
		}
	}
	if (!*wanted->name || strchr(wanted->name, '/'))
		return wr_fail(reterr, WR_ERR_USAGE, -EINVAL, "'%s' is no name of a namespace", typed);
	return 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static int visit(const char *pin, enum wr_pin_state state, void *data)
{
	struct search *search = data;

	if (state != WR_PIN_NAMESPACE ||
	    !(ends_with(pin, search->wanted.name) || strcmp(pin, search->wanted.typed) == 0))
		return 0;
	if (wr_arena_grow(search->arena, &search->fits, &search->capacity_fits, search->n_fits, sizeof *search->fits) <
	    0)
		return -ENOMEM;
	search->fits[search->n_fits] = wr_arena_strdup(search->arena, pin);
	return search->fits[search->n_fits++] ? 0 : -ENOMEM;
}

/* Whether a pin is what was typed; *ret_words (in the arena) names it without doubt. */
static int is_meant(struct search *search, const char *pin, bool *ret, const char **ret_words, struct wr_error *reterr)
{
	const struct wanted *wanted = &search->wanted;
	char network[64], name[64];
	bool is_marked;
	int r = wr_pin_read_mark(search->host, pin, network, name, &is_marked, reterr);

	if (r < 0)
		return r;
	*ret = strcmp(pin, wanted->typed) == 0 || (is_marked && strcmp(name, wanted->name) == 0 &&
						   (!wanted->network || strcmp(network, wanted->network) == 0));
	*ret_words = is_marked ? wr_arena_printf(search->arena, "%s/%s", network, name)
			       : wr_arena_printf(search->arena, "%s/%s (not warren's)", search->host->pins, pin);
	return *ret_words ? 0 : wr_fail_memory(reterr);
}

static int ambiguous(const struct search *search, struct wr_error *reterr)
{
	WR_CLEANUP_TEXT struct wr_text list = {0};

	for (size_t i = 0; i < search->n_found; i++)
		wr_text_addf(&list, "%s%s", i == 0 ? "" : i + 1 == search->n_found ? " or " : ", ", search->words[i]);
	if (wr_text_error(&list) < 0)
		return wr_fail_memory(reterr);
	return wr_fail(reterr, WR_ERR_USAGE, -EEXIST, "'%s' may be %s: say which", search->wanted.typed,
		       wr_text_string(&list));
}

/* The name that was probably meant, of all that are there; NULL when none is near, or nothing could be read. */
static const char *find_nearest(struct search *search)
{
	struct wr_pin_entry *pins;
	const char **names;
	size_t count, n = 0;

	if (wr_live_list(search->host, search->arena, &pins, &count, NULL) < 0)
		return NULL;
	names = wr_arena_alloc(search->arena, (3 * count + 1) * sizeof *names);
	if (!names)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *full = NULL;

		if (pins[i].network)
			full = wr_arena_printf(search->arena, "%s/%s", pins[i].network, pins[i].name);
		if (full) {
			names[n++] = pins[i].name;
			names[n++] = full;
		}
		names[n++] = pins[i].pin;
	}
	return wr_text_nearest(search->wanted.typed, names);
}

static int not_found(struct search *search, struct wr_error *reterr)
{
	const char *nearest = find_nearest(search);

	wr_fail(reterr, WR_ERR_NOTFOUND, -ENOENT, "there is no namespace '%s'%s%s%s", search->wanted.typed,
		nearest ? ": did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
	wr_fail_mend(reterr, "warren ls shows the namespaces that are there");
	return -ENOENT;
}

/* "shop.web" and "shop/web" are nearly always the pin shop.web with just that mark, and then nothing else can be meant. */
static int try_directly(struct search *search, const char **ret, struct wr_error *reterr)
{
	const struct wanted *wanted = &search->wanted;
	const char *pin = wanted->name;
	char network[64], name[64];
	bool is_marked;
	int r;

	if (!wanted->is_pin && !wanted->network)
		return 0;
	if (!wanted->is_pin)
		pin = wr_arena_printf(search->arena, "%s.%s", wanted->network, wanted->name);
	if (!pin)
		return wr_fail_memory(reterr);
	r = wr_pin_state(search->host, pin, reterr);
	if (r < 0)
		return r;
	if (wanted->is_pin && r == WR_PIN_STALE) {
		wr_fail(reterr, WR_ERR_NOTFOUND, -ESTALE, "%s/%s is a stale file and no namespace", search->host->pins,
			pin);
		return -ESTALE;
	}
	if (r != WR_PIN_NAMESPACE)
		return wanted->is_pin ? not_found(search, reterr) : 0;
	if (!wanted->is_pin) {
		r = wr_pin_read_mark(search->host, pin, network, name, &is_marked, reterr);
		if (r < 0)
			return r;
		if (!is_marked || strcmp(network, wanted->network) != 0 || strcmp(name, wanted->name) != 0)
			return 0;
	}
	*ret = pin;
	return 1;
}

/* Many may end like what was typed; their descriptors are not kept. */
static void release(struct wr_host *host, const char *pin)
{
	struct wr_netns *ns = wr_map_get(&host->open, pin);

	if (ns)
		wr_netns_close(host, ns);
}

int wr_call_resolve(struct wr_call *call, const char *typed, const char **ret, struct wr_error *reterr)
{
	struct search search = {.host = &call->host, .arena = call->arena};
	int r = split_name(&search, typed, reterr);

	if (r == 0)
		r = try_directly(&search, ret, reterr);
	if (r != 0)
		return r < 0 ? r : 0;
	r = wr_pins_each(search.host, visit, &search, reterr);
	if (r < 0)
		return r == -ENOMEM ? wr_fail_memory(reterr) : r;
	search.found = wr_arena_alloc(search.arena, search.n_fits * sizeof *search.found);
	search.words = wr_arena_alloc(search.arena, search.n_fits * sizeof *search.words);
	if (search.n_fits && (!search.found || !search.words))
		return wr_fail_memory(reterr);
	for (size_t i = 0; i < search.n_fits; i++) {
		const char *words;
		bool meant;

		r = is_meant(&search, search.fits[i], &meant, &words, reterr);
		if (r == -ENOENT || r == -ESTALE) /* gone since the directory was read */
			continue;
		if (r < 0)
			return r;
		if (!meant) {
			release(search.host, search.fits[i]);
			continue;
		}
		search.words[search.n_found] = words;
		search.found[search.n_found++] = search.fits[i];
	}
	if (search.n_found == 0)
		return not_found(&search, reterr);
	if (search.n_found > 1)
		return ambiguous(&search, reterr);
	*ret = search.found[0];
	return 0;
}

/* The frame of the three calls below: may this process do it, and what is meant. */
static int begin(struct wr_call *call, const struct wr_context *context, const char *ns, const char **ret_pin,
		 struct wr_error *reterr)
{
	int r = wr_host_check_privilege(reterr);

	if (r == 0)
		r = wr_call_open(call, context, reterr);
	return r < 0 ? r : wr_call_resolve(call, ns, ret_pin, reterr);
}

int wr_resolve(struct wr_context *context, const char *ns, char **ret_pin, struct wr_error *reterr)
{
	WR_CLEANUP_CALL struct wr_call call = {0};
	struct wr_error error;
	const char *pin;
	char *copy;
	int r;

	if (!reterr)
		reterr = &error;
	r = begin(&call, context, ns, &pin, reterr);
	if (r < 0)
		return r;
	copy = strdup(pin);
	if (!copy)
		return wr_fail_memory(reterr);
	*ret_pin = copy;
	return 0;
}

int wr_exec(struct wr_context *context, const char *ns, char *const argv[], const struct wr_exec *options,
	    struct wr_error *reterr)
{
	WR_CLEANUP_CALL struct wr_call call = {0};
	struct wr_error error;
	const char *pin;
	int r;

	if (!reterr)
		reterr = &error;
	r = begin(&call, context, ns, &pin, reterr);
	return r < 0 ? r : wr_exec_inside(&call.host, pin, argv, options, reterr);
}

pid_t wr_spawn(struct wr_context *context, const char *ns, char *const argv[], const struct wr_exec *options,
	       struct wr_error *reterr)
{
	WR_CLEANUP_CALL struct wr_call call = {0};
	struct wr_error error;
	const char *pin;
	int r;

	if (!reterr)
		reterr = &error;
	r = begin(&call, context, ns, &pin, reterr);
	return r < 0 ? r : wr_spawn_inside(&call.host, pin, argv, options, reterr);
}
