/* fuzz_netfile.c: any bytes at all as a network file.
 *
 * What is held beyond "it does not crash": a refused file says why; an accepted one can be written in long form, and that
 * long form is accepted again and written the same. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "file/netfile.h"
#include "filter/filter.h"
#include "fuzz.h"
#include "plan/plan.h"
#include "show/show.h"

static void hold(int condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "not held: %s\n", what);
		abort();
	}
}

/* Returns the model with addresses handed out, or NULL when the file was refused. */
static struct wr_model *read_file(const char *text, size_t length, struct wr_arena *arena)
{
	struct wr_diagnostics diagnostics = {.arena = arena, .source = "fuzz.yaml", .text = text, .length = length};
	const struct wr_netfile_input input = {.source = "fuzz.yaml", .text = text, .length = length};
	WR_CLEANUP_TEXT struct wr_text messages = {0};
	struct wr_model *model = NULL;
	int r = wr_netfile_load(&input, arena, &model, &diagnostics);

	if (r == 0)
		r = wr_netfile_assign(model, NULL, "machine", &diagnostics);
	wr_diagnostics_print(&diagnostics, &messages);
	if (r == 0)
		return model;
	hold(r == -ENOMEM || diagnostics.total > 0, "a refused file says why");
	hold(r == -ENOMEM || messages.length > 0, "and the words are printed");
	return NULL;
}

/* A file that makes tens of thousands of things tests the machine's patience, not the parser. */
static int is_too_large(const uint8_t *bytes, size_t length)
{
	size_t digits = 0;

	for (size_t i = 0; i < length; i++) {
		digits = bytes[i] >= '0' && bytes[i] <= '9' ? digits + 1 : 0;
		if (digits > 3 && memchr(bytes, '[', length))
			return 1;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	WR_CLEANUP_TEXT struct wr_text first = {0}, second = {0}, json = {0}, commands = {0};
	struct wr_model *model, *again, *empty;
	struct wr_plan *plan = NULL;
	struct wr_error error = {0};

	if (!arena || is_too_large(bytes, length))
		return 0;
	model = read_file((const char *)bytes, length, arena);
	if (!model)
		return 0;
	wr_netfile_write(model, &first);
	again = read_file(wr_text_string(&first), first.length, arena);
	if (!again)
		fprintf(stderr, "---\n%s---\n", wr_text_string(&first));
	hold(again != NULL, "the long form of an accepted file is accepted");
	wr_netfile_write(again, &second);
	if (strcmp(wr_text_string(&first), wr_text_string(&second)) != 0)
		fprintf(stderr, "--- first\n%s--- second\n%s---\n", wr_text_string(&first), wr_text_string(&second));
	hold(strcmp(wr_text_string(&first), wr_text_string(&second)) == 0, "the long form of the long form is itself");
	wr_show_model_json(model, &json);
	hold(wr_filter_want(model) == 0, "memory for its tables");
	empty = wr_model_new(arena, model->name);
	hold(empty != NULL, "memory");
	empty->live = true;
	if (wr_plan_make(model, empty, NULL, arena, &plan, &error) == 0) {
		wr_show_plan_text(plan, &json);
		wr_show_plan_json(plan, &json);
		wr_show_plan_commands(plan, &commands);
	}
	return 0;
}
