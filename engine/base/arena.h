/* A bump allocator: many small objects that die together.
 *
 * Place in the flow: trees, programs and messages live in one; not thread-safe, one owner each. */
#ifndef FB_BASE_ARENA_H
#define FB_BASE_ARENA_H

#include <stddef.h>

struct fb_arena;

/* Out of memory ends the process with a message: nothing sensible can go on without its rules. */
struct fb_arena *fb_arena_new(void);
void fb_arena_free(struct fb_arena *arena);

/* Zeroed memory, aligned for any type; valid until the arena is reset or freed. */
void *fb_arena_alloc(struct fb_arena *arena, size_t bytes);

/* Forgets everything but keeps the largest block for reuse. */
void fb_arena_reset(struct fb_arena *arena);

#define FB_ARENA_NEW(arena, type) ((type *)fb_arena_alloc((arena), sizeof(type)))
#define FB_ARENA_ARRAY(arena, type, n) ((type *)fb_arena_alloc((arena), sizeof(type) * (n)))

/* malloc, realloc for the few growing arrays outside arenas; they end the process when memory is
 * out. Free with free(). */
void *fb_alloc(size_t bytes); /* zeroed */
void *fb_grow(void *old, size_t bytes);
char *fb_copy_text(const char *text); /* terminated, as text is */

/* Ends the process as those do; for a library that says it found no memory. bytes: what was
 * asked for, or the least that is known. */
_Noreturn void fb_out_of_memory(size_t bytes);

/* Makes room for one more element in a growing array: `items` (a pointer variable), `n` used,
 * `cap` allocated. */
#define FB_PUSH_ROOM(items, n, cap)                                                                \
    do {                                                                                           \
        if ((n) == (cap)) {                                                                        \
            (cap) = (cap) ? (cap)*2 : 8;                                                           \
            (items) = fb_grow((items), sizeof *(items) * (cap));                                   \
        }                                                                                          \
    } while (0)

#endif
