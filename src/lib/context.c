/* context.c: the settings of a caller, and the frame that each call works in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lib/internal.h"

#define STATE_DIRECTORY "/run/warren"
#define PINS_DIRECTORY	"/run/netns"
#define ETC_DIRECTORY	"/etc/netns"
#define LOCK_TIMEOUT_MS 60000

int wr_open(const struct wr_settings *settings, struct wr_context **ret, struct wr_error *reterr)
{
	static const struct wr_settings none;
	struct wr_arena *arena = wr_arena_new();
	struct wr_context *context = arena ? wr_arena_new_of(arena, struct wr_context) : NULL;
	const struct wr_settings *given = settings ? settings : &none;
	struct wr_settings *kept;

	if (!context)
		goto out_of_memory;
	context->arena = arena;
	kept = &context->settings;
	*kept = *given;
	kept->state_directory =
		wr_arena_strdup(arena, given->state_directory ? given->state_directory : STATE_DIRECTORY);
	kept->pins_directory = wr_arena_strdup(arena, given->pins_directory ? given->pins_directory : PINS_DIRECTORY);
	kept->etc_directory = wr_arena_strdup(arena, given->etc_directory ? given->etc_directory : ETC_DIRECTORY);
	if (!kept->state_directory || !kept->pins_directory || !kept->etc_directory)
		goto out_of_memory;
	if (kept->lock_timeout_ms == 0)
		kept->lock_timeout_ms = LOCK_TIMEOUT_MS;
	else if (kept->lock_timeout_ms < 0)
		kept->lock_timeout_ms = 0; /* from here on: how long, in the sense of poll(2) */
	*ret = context;
	return 0;

out_of_memory:
	wr_arena_free(arena);
	return wr_fail_memory(reterr);
}

void wr_close(struct wr_context *context)
{
	if (context)
		wr_arena_free(context->arena);
}

int wr_call_open(struct wr_call *call, const struct wr_context *context, struct wr_error *reterr)
{
	const struct wr_settings *settings = &context->settings;
	int r;

	*call = (struct wr_call){.context = context, .arena = wr_arena_new()};
	if (!call->arena)
		return wr_fail_memory(reterr);
	r = wr_host_open(&call->host, call->arena, settings->pins_directory, settings->state_directory,
			 settings->etc_directory, reterr);
	call->is_open = r == 0;
	return r;
}

void wr_call_close(struct wr_call *call)
{
	if (call->is_open)
		wr_host_close(&call->host);
	wr_arena_free(call->arena);
	*call = (struct wr_call){0};
}

int wr_text_give(struct wr_text *text, char **ret, struct wr_error *reterr)
{
	char *bytes;

	wr_text_add(text, ""); /* an empty text is one too */
	bytes = wr_text_steal(text);
	if (!bytes)
		return wr_fail_memory(reterr);
	*ret = bytes;
	return 0;
}

int wr_names_give(const char *const *names, size_t count, char ***ret, size_t *ret_count, struct wr_error *reterr)
{
	size_t size = (count + 1) * sizeof(char *);
	char **block, *at;

	for (size_t i = 0; i < count; i++)
		size += strlen(names[i]) + 1;
	block = malloc(size);
	if (!block)
		return wr_fail_memory(reterr);
	at = (char *)(block + count + 1);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(names[i]) + 1;

		block[i] = memcpy(at, names[i], length);
		at += length;
	}
	block[count] = NULL;
	*ret = block;
	if (ret_count)
		*ret_count = count;
	return 0;
}
