/* arena.h: memory that is freed all at once.
 *
 * Why:       a model is thousands of small things with one life; no destructors, counts or cycles.
 * Shape:     bump allocation from chunks that double up to 1 MiB.
 * Ownership: everything belongs to the arena, and dies with wr_arena_free.
 * Errors:    NULL when memory is out; the arena stays usable.
 * Threads:   one thread at a time. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct wr_arena;

struct wr_arena *wr_arena_new(void);	    /* NULL: out of memory */
void wr_arena_free(struct wr_arena *arena); /* NULL is allowed */

/* size bytes, zeroed, aligned for any type. size 0 gives a pointer that must not be dereferenced. */
void *wr_arena_alloc(struct wr_arena *arena, size_t size) __attribute__((malloc, alloc_size(2)));
char *wr_arena_strdup(struct wr_arena *arena, const char *text);
char *wr_arena_strndup(struct wr_arena *arena, const char *text, size_t length);
char *wr_arena_printf(struct wr_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *wr_arena_memdup(struct wr_arena *arena, const void *bytes, size_t size);
size_t wr_arena_used(const struct wr_arena *arena); /* bytes handed out */

/* Makes room for one more element in an array that lives in an arena: doubles the capacity. Returns 0 or -ENOMEM.
 * Use: if (wr_arena_grow(arena, &list, &capacity, count, sizeof *list) < 0) … */
int wr_arena_grow(struct wr_arena *arena, void *array_pointer, size_t *capacity, size_t count, size_t element_size);

#define wr_arena_new_of(arena, type) ((type *)wr_arena_alloc((arena), sizeof(type)))

static inline void wr_arena_cleanup_(struct wr_arena **arena)
{
	wr_arena_free(*arena);
}
#define WR_CLEANUP_ARENA __attribute__((cleanup(wr_arena_cleanup_)))
