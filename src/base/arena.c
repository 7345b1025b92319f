/* arena.c: bump allocation from chunks.
 *
 * A chunk comes zeroed from calloc (large ones fresh from mmap, so that nobody has to clear them) and is handed out from its
 * front to its end, once. What is large for the current chunk gets one of its own and does not end the current one.
 * Strings need no alignment and are packed; everything else starts at a multiple of 16. The newest piece can grow in place.
 * Under the address sanitizer whatever is not handed out is poisoned, with a gap behind each piece, so that running over the
 * end of a piece is seen there as it is with malloc. */
#include "base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#endif

#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define GAP			8
#define poison(pointer, size)	ASAN_POISON_MEMORY_REGION((pointer), (size))
#define unpoison(pointer, size) ASAN_UNPOISON_MEMORY_REGION((pointer), (size))
#else
#define GAP			0
#define poison(pointer, size)	((void)(pointer), (void)(size))
#define unpoison(pointer, size) ((void)(pointer), (void)(size))
#endif

#define ALIGNMENT   alignof(max_align_t)
#define CHUNK_FIRST ((size_t)4 << 10)
#define CHUNK_LAST  ((size_t)1 << 20)

struct chunk {
	struct chunk *before;
	size_t size; /* of bytes */
	alignas(max_align_t) char bytes[];
};

struct wr_arena {
	char *next, *end;     /* what is left of the current chunk */
	struct chunk *chunks; /* all of them, in no order */
	size_t chunk_size;    /* of the next ordinary chunk */
	size_t used;
};

struct wr_arena *wr_arena_new(void)
{
	struct wr_arena *arena = calloc(1, sizeof *arena);

	if (arena)
		arena->chunk_size = CHUNK_FIRST;
	return arena;
}

void wr_arena_free(struct wr_arena *arena)
{
	struct chunk *before;

	if (!arena)
		return;
	for (struct chunk *chunk = arena->chunks; chunk; chunk = before) {
		before = chunk->before;
		unpoison(chunk->bytes, chunk->size);
		free(chunk);
	}
	free(arena);
}

static struct chunk *add_chunk(struct wr_arena *arena, size_t size)
{
	struct chunk *chunk = calloc(1, sizeof *chunk + size);

	if (!chunk)
		return NULL;
	chunk->size = size;
	chunk->before = arena->chunks;
	arena->chunks = chunk;
	poison(chunk->bytes, size);
	return chunk;
}

/* The current chunk has no room for size bytes. */
static void *alloc_slow(struct wr_arena *arena, size_t size)
{
	bool own = size >= arena->chunk_size / 4;
	struct chunk *chunk;

	if (size > PTRDIFF_MAX - 2 * CHUNK_LAST)
		return NULL;
	chunk = add_chunk(arena, own ? size + GAP : arena->chunk_size);
	if (!chunk)
		return NULL;
	if (!own) {
		arena->next = chunk->bytes + size + GAP;
		arena->end = chunk->bytes + chunk->size;
	}
	if (arena->chunk_size < CHUNK_LAST)
		arena->chunk_size *= 2;
	arena->used += size;
	unpoison(chunk->bytes, size);
	return chunk->bytes;
}

/* alignment is a power of two, at most ALIGNMENT. */
static inline void *alloc(struct wr_arena *arena, size_t size, size_t alignment)
{
	size_t skip = -(uintptr_t)arena->next & (alignment - 1);
	size_t left = (size_t)(arena->end - arena->next);
	char *piece;

	if (left < skip + GAP || size > left - skip - GAP || !arena->next)
		return alloc_slow(arena, size);
	piece = arena->next + skip;
	arena->next = piece + size + GAP;
	arena->used += size;
	unpoison(piece, size);
	return piece;
}

void *wr_arena_alloc(struct wr_arena *arena, size_t size)
{
	return alloc(arena, size, ALIGNMENT);
}

char *wr_arena_strndup(struct wr_arena *arena, const char *text, size_t length)
{
	char *copy;

	length = strnlen(text, length);
	copy = alloc(arena, length + 1, 1);
	if (copy)
		memcpy(copy, text, length);
	return copy;
}

char *wr_arena_strdup(struct wr_arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = alloc(arena, size, 1);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

char *wr_arena_printf(struct wr_arena *arena, const char *format, ...)
{
	char buffer[256], *text;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(buffer, sizeof buffer, format, arguments);
	va_end(arguments);
	if (length < 0)
		return NULL;
	text = alloc(arena, (size_t)length + 1, 1);
	if (!text)
		return NULL;
	if ((size_t)length < sizeof buffer)
		return memcpy(text, buffer, (size_t)length + 1);
	va_start(arguments, format);
	vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return text;
}

void *wr_arena_memdup(struct wr_arena *arena, const void *bytes, size_t size)
{
	void *copy = alloc(arena, size, ALIGNMENT);

	if (copy && size)
		memcpy(copy, bytes, size);
	return copy;
}

size_t wr_arena_used(const struct wr_arena *arena)
{
	return arena->used;
}

/* Makes the newest piece longer where it lies. False: it is not the newest, or there is no room. */
static bool grow_in_place(struct wr_arena *arena, char *piece, size_t old_size, size_t new_size)
{
	if (!piece || piece + old_size + GAP != arena->next || (size_t)(arena->end - arena->next) < new_size - old_size)
		return false;
	arena->next += new_size - old_size;
	arena->used += new_size - old_size;
	unpoison(piece + old_size, new_size - old_size);
	return true;
}

int wr_arena_grow(struct wr_arena *arena, void *array_pointer, size_t *capacity, size_t count, size_t element_size)
{
	size_t old_size = *capacity * element_size, more, new_size;
	void *old, *grown;

	if (count < *capacity)
		return 0;
	/* Most lists of a model hold one to four things, and there are hundreds of thousands of lists. */
	more = *capacity ? *capacity * 2 : element_size < 32 ? 32 / (element_size ? element_size : 1) : 1;
	if (more <= *capacity || __builtin_mul_overflow(more, element_size, &new_size))
		return -ENOMEM;
	memcpy(&old, array_pointer, sizeof old);
	if (!grow_in_place(arena, old, old_size, new_size)) {
		grown = alloc(arena, new_size, ALIGNMENT);
		if (!grown)
			return -ENOMEM;
		if (count)
			memcpy(grown, old, count * element_size);
		memcpy(array_pointer, &grown, sizeof grown);
	}
	*capacity = more;
	return 0;
}
