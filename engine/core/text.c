#include "engine/core/text.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/model/program.h"

/* Slots of 16, 32, .. 256 bytes: a length and the text. Chunks never move, so views stay. A handle
 * is the slot's index in its size, above 3 bits that name the size, counted from 1. */
enum { SIZES = 5, LEAST_BYTES = 16, CHUNK_SLOTS = 1024, SIZE_BITS = 3 };

#define NO_SLOT UINT64_MAX

struct size {
    unsigned char **chunks;
    size_t n_chunks, room; /* room in the list of chunks */
    uint64_t used, free; /* slots given out at least once; first of the free ones */
};

struct fb_texts {
    struct size sizes[SIZES];
};

struct fb_texts *fb_texts_new(void) {
    struct fb_texts *texts = fb_alloc(sizeof *texts);
    for (int i = 0; i < SIZES; i++)
        texts->sizes[i].free = NO_SLOT;
    return texts;
}

void fb_texts_free(struct fb_texts *texts) {
    if (!texts)
        return;
    for (int i = 0; i < SIZES; i++) {
        for (size_t c = 0; c < texts->sizes[i].n_chunks; c++)
            free(texts->sizes[i].chunks[c]);
        free(texts->sizes[i].chunks);
    }
    free(texts);
}

static size_t slot_bytes(uint32_t size) {
    return (size_t)LEAST_BYTES << size;
}

static unsigned char *slot_at(const struct fb_texts *texts, uint32_t size, uint64_t index) {
    return texts->sizes[size].chunks[index / CHUNK_SLOTS] + index % CHUNK_SLOTS * slot_bytes(size);
}

static void add_chunk(struct size *size, size_t bytes) {
    if (size->n_chunks == size->room) {
        unsigned char **chunks = fb_alloc((2 * size->room + 8) * sizeof *chunks);
        if (size->n_chunks)
            memcpy(chunks, size->chunks, size->n_chunks * sizeof *chunks);
        free(size->chunks);
        size->chunks = chunks;
        size->room = 2 * size->room + 8;
    }
    size->chunks[size->n_chunks++] = fb_alloc(bytes);
}

static uint64_t take_slot(struct fb_texts *texts, uint32_t size) {
    struct size *s = &texts->sizes[size];
    if (s->free != NO_SLOT) {
        uint64_t index = s->free;
        memcpy(&s->free, slot_at(texts, size, index), sizeof s->free);
        return index;
    }
    if (s->used == s->n_chunks * CHUNK_SLOTS)
        add_chunk(s, CHUNK_SLOTS * slot_bytes(size));
    return s->used++;
}

static void give_back(struct fb_texts *texts, uint32_t size, uint64_t index) {
    memcpy(slot_at(texts, size, index), &texts->sizes[size].free, sizeof(uint64_t));
    texts->sizes[size].free = index;
}

static void write_slot(unsigned char *slot, struct fb_str text) {
    if (text.n)
        memmove(slot + 1, text.p, text.n);
    slot[0] = (unsigned char)text.n;
}

uint64_t fb_texts_set(struct fb_texts *texts, uint64_t handle, struct fb_str text) {
    FB_ASSERT(text.n <= FB_TEXT_BYTES_MAX);
    uint32_t size = 0;
    while (slot_bytes(size) < text.n + 1)
        size++;
    uint32_t old_size = (uint32_t)(handle & ((1 << SIZE_BITS) - 1));
    if (old_size > size) { /* a longer slot does too */
        write_slot(slot_at(texts, old_size - 1, handle >> SIZE_BITS), text);
        return handle;
    }
    uint64_t index = take_slot(texts, size);
    write_slot(slot_at(texts, size, index), text);
    if (handle)
        give_back(texts, old_size - 1, handle >> SIZE_BITS);
    return index << SIZE_BITS | (size + 1);
}

void fb_texts_release(struct fb_texts *texts, uint64_t handle) {
    if (handle)
        give_back(texts, (uint32_t)(handle & ((1 << SIZE_BITS) - 1)) - 1, handle >> SIZE_BITS);
}

struct fb_str fb_texts_get(const struct fb_texts *texts, uint64_t handle) {
    if (!handle)
        return (struct fb_str){0};
    const unsigned char *slot =
        slot_at(texts, (uint32_t)(handle & ((1 << SIZE_BITS) - 1)) - 1, handle >> SIZE_BITS);
    return (struct fb_str){(const char *)slot + 1, slot[0]};
}
