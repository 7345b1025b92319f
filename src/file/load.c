/* load.c: wr_netfile_load: the top of the file, and the order in which its parts are read.
 *
 * Bridges come before namespaces and these before links, whatever their order in the file, so that each can name what it
 * needs. When something is wrong, what is left is still completed in its own way: all errors of a file in one run. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "file/reader.h"
#include "model/name.h"

struct top {
	const struct wr_nf_node *name, *prefix, *bridges, *namespaces, *links;
};

static void keep_name(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	((struct top *)object)->name = entry->value;
}

static void keep_prefix(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	((struct top *)object)->prefix = entry->value;
}

static void keep_bridges(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	((struct top *)object)->bridges = entry->value;
}

static void keep_namespaces(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	((struct top *)object)->namespaces = entry->value;
}

static void keep_links(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	((struct top *)object)->links = entry->value;
}

static const struct wr_nf_key top_keys[] = {
	{"name", keep_name},	   {"prefix", keep_prefix},
	{"bridges", keep_bridges}, {"namespaces", keep_namespaces},
	{"links", keep_links},	   {0},
};

/* The source's last part without its extension: "nets/shop.yaml" gives "shop". */
static char *name_from_source(struct wr_arena *arena, const char *source)
{
	const char *slash = strrchr(source, '/');
	const char *base = slash ? slash + 1 : source;
	const char *dot = strrchr(base, '.');

	return wr_arena_strndup(arena, base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}

/* `--name`, `name:`, or the file's own. NULL: none is good, which was said. */
static const char *find_name(struct wr_arena *arena, const struct wr_netfile_input *input,
			     const struct wr_nf_node *node, struct wr_diagnostics *diagnostics)
{
	static const char rule[] =
		"a name has letters, digits, '-' and '_', begins with a letter or digit, at most 63 bytes";
	struct wr_place place = {0};
	const char *name;

	if (input->name) {
		name = input->name;
	} else if (node) {
		place = wr_nf_place(node);
		if (node->kind != WR_NF_SCALAR || wr_nf_is_null(node)) {
			wr_diagnose(diagnostics, place, NULL, "'name' must be a text, not %s", wr_nf_kind_name(node));
			return NULL;
		}
		name = node->text;
	} else if (!strcmp(input->source, "-")) {
		wr_diagnose(diagnostics, place, "write 'name: NAME' at its top, or use --name NAME",
			    "a network that is read from standard input needs a name");
		return NULL;
	} else {
		name = name_from_source(arena, input->source);
		if (name && !wr_name_is_valid(name)) {
			wr_diagnose(diagnostics, place, "write 'name: NAME' at its top, or use --name NAME",
				    "'%s' cannot name a network: %s", name, rule);
			return NULL;
		}
	}
	if (name && !wr_name_is_valid(name)) {
		wr_diagnose(diagnostics, place, rule, "'%s' is no name for a network", name);
		return NULL;
	}
	return name;
}

static void read_prefix(struct wr_nf_reader *r, const struct wr_nf_node *node)
{
	const char *prefix = node->text;
	bool good = node->kind == WR_NF_SCALAR && strlen(prefix) <= WR_NAME_MAX && *prefix != '.' && *prefix != '-' &&
		    (*prefix || !node->plain);

	for (const char *p = prefix; good && *p; p++)
		good = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", *p);
	if (!good) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), "prefix: \"\" gives bare names",
			    "'prefix' must be letters, digits, '-', '_' and '.', at most %d bytes", WR_NAME_MAX);
		return;
	}
	r->model->ns_prefix = r->model->link_prefix = prefix;
}

static struct wr_nf_pending *new_pending(struct wr_arena *arena)
{
	struct wr_nf_pending *pending = wr_arena_new_of(arena, struct wr_nf_pending);

	if (!pending)
		return NULL;
	pending->ns_by_name.arena = pending->bridge_by_name.arena = arena;
	pending->sysctls_end = &pending->sysctls;
	return pending;
}

static void read_parts(struct wr_nf_reader *r, const struct top *top)
{
	wr_nf_new_ns(r, WR_HOST_NAME, (struct wr_place){0});
	if (r->out_of_memory)
		return;
	if (top->prefix)
		read_prefix(r, top->prefix);
	if (top->bridges)
		wr_nf_read_bridges(r, top->bridges);
	if (top->namespaces)
		wr_nf_read_namespaces(r, top->namespaces);
	if (top->links)
		wr_nf_read_links(r, top->links);
	if (r->stop || r->out_of_memory)
		return;
	wr_nf_finish(r);
	wr_nf_check_names(r);
}

/* Looks for what only the hand-out can show, in a model that will not be used. */
static int find_more_errors(struct wr_nf_reader *r)
{
	struct wr_nf_assigner a = {.arena = r->arena,
				   .scratch = r->scratch,
				   .model = r->model,
				   .pending = r->pending,
				   .diagnostics = r->diagnostics};

	r->pending->has_errors = true;
	return wr_nf_assign(&a, NULL);
}

static int read_document(const struct wr_netfile_input *input, struct wr_nf_reader *r, const struct wr_nf_node *root)
{
	static const struct wr_nf_context context = {0};
	const char *name;
	struct top top = {0};

	if (!root || wr_nf_is_null(root)) {
		wr_diagnose(r->diagnostics, (struct wr_place){0}, NULL, "no network in this file: it is empty");
		return -EINVAL;
	}
	if (!wr_nf_read_mapping(r, root, top_keys, &top, &context))
		return -EINVAL;
	name = find_name(r->arena, input, top.name, r->diagnostics);
	r->model = wr_model_new(r->arena, name ? name : "unnamed");
	r->pending = new_pending(r->arena);
	if (!r->model || !r->pending)
		return -ENOMEM;
	r->model->source = wr_arena_strdup(r->arena, input->source);
	r->model->pending = r->pending;
	read_parts(r, &top);
	if (r->out_of_memory || !r->model->source)
		return -ENOMEM;
	if (r->diagnostics->total && !r->stop && find_more_errors(r) == -ENOMEM)
		return -ENOMEM;
	return r->diagnostics->total ? -EINVAL : 0;
}

int wr_netfile_load(const struct wr_netfile_input *input, struct wr_arena *arena, struct wr_model **ret,
		    struct wr_diagnostics *diagnostics)
{
	WR_CLEANUP_ARENA struct wr_arena *scratch = wr_arena_new();
	struct wr_nf_reader r = {.arena = arena, .scratch = scratch, .diagnostics = diagnostics};
	struct wr_nf_node *root = NULL;
	int result;

	if (!scratch)
		return -ENOMEM;
	result = wr_nf_yaml_read(input->text, input->length, arena, scratch, diagnostics, &root);
	if (result == 0)
		result = read_document(input, &r, root);
	if (result < 0)
		return result;
	*ret = r.model;
	return 0;
}
