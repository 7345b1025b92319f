/* network.c: a network file as a caller holds it.
 *
 * Theory: a model is completed once, against what is there at that moment. So a wr_network keeps the text, and each call
 * that needs a model reads it anew (a thousand namespaces take a few milliseconds). One model is made at loading: it
 * proves the file right in every way that can be known without the machine, answers questions about names, and serves
 * wherever nothing is up yet, because then handing out addresses has only the file to go by. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "base/text.h"
#include "file/netfile.h"
#include "filter/filter.h"
#include "filter/others.h"
#include "lib/internal.h"
#include "show/show.h"

/* Turns what is wrong in a file into an error. messages (may be NULL) gets all of them. */
static int refuse(const struct wr_diagnostics *diagnostics, char **ret_messages, struct wr_error *reterr)
{
	WR_CLEANUP_TEXT struct wr_text all = {0};
	struct wr_diagnostics first = *diagnostics;
	WR_CLEANUP_TEXT struct wr_text one = {0};
	const char *text;
	size_t length;

	wr_diagnostics_print(diagnostics, &all);
	if (wr_text_error(&all) < 0)
		return wr_fail_memory(reterr);
	if (all.length < WR_ERROR_TEXT_MAX) {
		text = wr_text_string(&all);
		length = all.length;
	} else { /* too many for one error: the first, complete with its quoted line */
		first.count = 1;
		wr_diagnostics_print(&first, &one);
		text = wr_text_string(&one);
		length = one.length;
	}
	while (length > 0 && text[length - 1] == '\n')
		length--;
	wr_fail(reterr, WR_ERR_FILE, -EINVAL, "%.*s", (int)length, text);
	if (ret_messages) {
		int r = wr_text_give(&all, ret_messages, reterr);

		if (r < 0)
			return r;
	}
	return -EINVAL;
}

static const char *machine_name(struct utsname *buffer)
{
	return uname(buffer) == 0 && buffer->nodename[0] ? buffer->nodename : "localhost";
}

static int read_model(const struct wr_network *network, struct wr_arena *arena, struct wr_diagnostics *diagnostics,
		      struct wr_model **ret)
{
	struct wr_netfile_input input = {
		.source = network->source, .text = network->text, .length = network->length, .name = network->name};

	*diagnostics = (struct wr_diagnostics){
		.arena = arena, .source = network->source, .text = network->text, .length = network->length};
	return wr_netfile_load(&input, arena, ret, diagnostics);
}

static int assign_model(const struct wr_network *network, struct wr_arena *arena, struct wr_model *model,
			const struct wr_model *live, struct wr_diagnostics *diagnostics)
{
	struct utsname buffer;

	*diagnostics = (struct wr_diagnostics){
		.arena = arena, .source = network->source, .text = network->text, .length = network->length};
	return wr_netfile_assign(model, live, machine_name(&buffer), diagnostics);
}

static int failed(int r, const struct wr_diagnostics *diagnostics, char **ret_messages, struct wr_error *reterr)
{
	if (r == -ENOMEM)
		return wr_fail_memory(reterr);
	return refuse(diagnostics, ret_messages, reterr);
}

int wr_network_read(const struct wr_network *network, struct wr_arena *arena, struct wr_model **ret,
		    struct wr_error *reterr)
{
	struct wr_diagnostics diagnostics;
	int r = read_model(network, arena, &diagnostics, ret);

	return r < 0 ? failed(r, &diagnostics, NULL, reterr) : 0;
}

/* The tables are the model's own, made once; what depends on the machine is found anew. */
static int want_filters(struct wr_model *model, const struct wr_model *live)
{
	int r = model->has_filters ? 0 : wr_filter_want(model);

	model->has_filters = r == 0;
	model->borrows = NULL;
	model->openings = NULL;
	model->obstacles = NULL;
	model->n_borrows = model->n_openings = model->n_obstacles = 0;
	if (r == 0 && live)
		r = wr_filter_want_host(model, live);
	return r == 0 && live ? wr_others_want(model, live) : r;
}

int wr_network_assign(const struct wr_network *network, const struct wr_context *context, struct wr_model *model,
		      const struct wr_model *live, struct wr_error *reterr)
{
	struct wr_diagnostics diagnostics;
	int r = assign_model(network, model->arena, model, live, &diagnostics);

	if (r < 0)
		return failed(r, &diagnostics, NULL, reterr);
	if (want_filters(model, live) < 0)
		return wr_fail_memory(reterr);
	return wr_model_place_names(model, context->settings.state_directory, reterr);
}

/* Whether anything there could hold an address that the file must keep. */
static bool has_leases(const struct wr_model *live)
{
	for (size_t i = 0; i < live->n_ns; i++) {
		const struct wr_ns *ns = live->ns[i];

		if (ns->ours)
			return true;
		for (size_t k = 0; k < ns->n_links; k++)
			if (ns->links[k]->ours)
				return true;
	}
	return false;
}

int wr_network_wanted(const struct wr_network *network, const struct wr_context *context, const struct wr_model *live,
		      struct wr_arena *arena, struct wr_model **ret, struct wr_error *reterr)
{
	struct wr_model *model;
	int r;

	if (!has_leases(live)) {
		model = network->model;
		if (want_filters(model, live) < 0)
			return wr_fail_memory(reterr);
		r = wr_model_place_names(model, context->settings.state_directory, reterr);
	} else {
		r = wr_network_read(network, arena, &model, reterr);
		if (r == 0)
			r = wr_network_assign(network, context, model, live, reterr);
	}
	if (r == 0)
		*ret = model;
	return r;
}

/* --- the public side ----------------------------------------------------------------------------------------------- */

static int load(struct wr_network *network, char **ret_messages, struct wr_error *reterr)
{
	struct wr_diagnostics diagnostics;
	int r = read_model(network, network->arena, &diagnostics, &network->model);

	if (r == 0)
		r = assign_model(network, network->arena, network->model, NULL, &diagnostics);
	return r < 0 ? failed(r, &diagnostics, ret_messages, reterr) : 0;
}

/* A file may hold zeros, which the reader refuses where they stand; one more stands behind the copy. */
static char *copy_text(struct wr_arena *arena, const char *text, size_t length)
{
	char *copy = wr_arena_alloc(arena, length + 1);

	if (copy && length)
		memcpy(copy, text, length);
	return copy;
}

int wr_load_text(const char *source, const char *text, size_t length, const char *name, struct wr_network **ret,
		 char **ret_messages, struct wr_error *reterr)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	struct wr_network *network = arena ? wr_arena_new_of(arena, struct wr_network) : NULL;
	struct wr_error error;
	int r;

	if (!network)
		return wr_fail_memory(reterr);
	network->arena = arena;
	network->source = wr_arena_strdup(arena, source);
	network->text = copy_text(arena, text, length);
	network->length = length;
	network->name = name ? wr_arena_strdup(arena, name) : NULL;
	if (!network->source || !network->text || (name && !network->name))
		return wr_fail_memory(reterr);
	r = load(network, ret_messages, reterr ? reterr : &error);
	if (r < 0)
		return r;
	arena = NULL; /* the network's from here on */
	*ret = network;
	return 0;
}

int wr_load(const char *path, const char *name, struct wr_network **ret, char **ret_messages, struct wr_error *reterr)
{
	WR_CLEANUP_FREE char *text = NULL;
	struct wr_error error;
	size_t length;
	int r;

	if (!reterr)
		reterr = &error;
	r = wr_file_read(path, WR_NETFILE_SIZE_MAX, &text, &length, reterr);
	if (r < 0) { /* a file that cannot be read is a wrong file to the one who named it */
		reterr->kind = WR_ERR_USAGE;
		return r;
	}
	return wr_load_text(path, text, length, name, ret, ret_messages, reterr);
}

void wr_network_free(struct wr_network *network)
{
	if (network)
		wr_arena_free(network->arena);
}

const char *wr_network_name(const struct wr_network *network)
{
	return network->model->name;
}

size_t wr_network_size(const struct wr_network *network)
{
	return network->model->n_ns - 1; /* without the host */
}

const char *wr_network_namespace(const struct wr_network *network, size_t i)
{
	return i < wr_network_size(network) ? network->model->ns[i + 1]->name : NULL;
}

int wr_show(const struct wr_network *network, enum wr_format format, char **ret, struct wr_error *reterr)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};
	struct wr_error error;

	if (!reterr)
		reterr = &error;
	switch (format) {
	case WR_FORMAT_TEXT:
		wr_netfile_write(network->model, &text);
		break;
	case WR_FORMAT_JSON:
		wr_show_model_json(network->model, &text);
		break;
	case WR_FORMAT_COMMANDS:
		return wr_fail(reterr, WR_ERR_USAGE, -EINVAL, "a network file is not shown as commands; a plan is");
	}
	return wr_text_give(&text, ret, reterr);
}
