/* A bump allocator: many small objects that die together. */
#include "engine/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_BLOCK_BYTES = 4096, BLOCK_BYTES_MAX = 1 << 20, EXIT_INTERNAL = 4 };

struct block {
    struct block *next;
    size_t used, size;
    max_align_t bytes[];
};

struct fb_arena {
    struct block *blocks; /* the newest first; only it has room */
};

_Noreturn void fb_out_of_memory(size_t bytes) {
    fprintf(stderr,
            "flyball: out of memory: %zu bytes could not be allocated; give the process more "
            "memory or less work\n",
            bytes);
    _exit(EXIT_INTERNAL);
}

void *fb_alloc(size_t bytes) {
    void *p = calloc(1, bytes ? bytes : 1);
    if (!p)
        fb_out_of_memory(bytes);
    return p;
}

void *fb_grow(void *old, size_t bytes) {
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p)
        fb_out_of_memory(bytes);
    return p;
}

char *fb_copy_text(const char *text) {
    size_t bytes = strlen(text) + 1;
    return memcpy(fb_alloc(bytes), text, bytes);
}

struct fb_arena *fb_arena_new(void) {
    return fb_alloc(sizeof(struct fb_arena));
}

static void free_blocks(struct block *block) {
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void fb_arena_free(struct fb_arena *arena) {
    if (!arena)
        return;
    free_blocks(arena->blocks);
    free(arena);
}

static struct block *add_block(struct fb_arena *arena, size_t bytes) {
    size_t size = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK_BYTES;
    if (size > BLOCK_BYTES_MAX)
        size = BLOCK_BYTES_MAX;
    if (size < bytes)
        size = bytes;
    struct block *block = malloc(sizeof *block + size);
    if (!block)
        fb_out_of_memory(size);
    *block = (struct block){.next = arena->blocks, .size = size};
    return arena->blocks = block;
}

void *fb_arena_alloc(struct fb_arena *arena, size_t bytes) {
    enum { ALIGN = _Alignof(max_align_t) };
    if (bytes > SIZE_MAX / 2)
        fb_out_of_memory(bytes);
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    struct block *block = arena->blocks;
    if (!block || block->size - block->used < bytes)
        block = add_block(arena, bytes);
    void *p = (char *)block->bytes + block->used;
    block->used += bytes;
    memset(p, 0, bytes);
    return p;
}

void fb_arena_reset(struct fb_arena *arena) {
    struct block *kept = NULL;
    for (struct block *b = arena->blocks, *next; b; b = next) {
        next = b->next;
        if (!kept || b->size > kept->size) {
            free(kept);
            kept = b;
        } else {
            free(b);
        }
    }
    if (kept) {
        kept->next = NULL;
        kept->used = 0;
    }
    arena->blocks = kept;
}
