/* What code and rules point into: the constants of a class, words, room in its block.
 *
 * Place in the flow: inside lower, below all its other files. A constant is kept once. */
#include "rules/lower_internal.h"

#include <string.h>

static bool same_bits(double x, double y) {
    return memcmp(&x, &y, sizeof x) == 0;
}

uint32_t fb_lower_number(struct fb_lower_class *c, double x) {
    for (uint32_t i = 0; i < c->n_numbers; i++)
        if (same_bits(c->numbers[i], x))
            return i;
    FB_PUSH_ROOM(c->numbers, c->n_numbers, c->cap_numbers);
    c->numbers[c->n_numbers] = x;
    return c->n_numbers++;
}

uint32_t fb_lower_number_pair(struct fb_lower_class *c, double x, double y) {
    for (uint32_t i = 0; i + 1 < c->n_numbers; i++)
        if (same_bits(c->numbers[i], x) && same_bits(c->numbers[i + 1], y))
            return i;
    for (int i = 0; i < 2; i++) {
        FB_PUSH_ROOM(c->numbers, c->n_numbers, c->cap_numbers);
        c->numbers[c->n_numbers++] = i == 0 ? x : y;
    }
    return c->n_numbers - 2;
}

uint32_t fb_lower_int(struct fb_lower_class *c, int64_t x) {
    for (uint32_t i = 0; i < c->n_ints; i++)
        if (c->ints[i] == x)
            return i;
    FB_PUSH_ROOM(c->ints, c->n_ints, c->cap_ints);
    c->ints[c->n_ints] = x;
    return c->n_ints++;
}

static uint32_t once(struct fb_arena *arena, struct fb_str **items, uint32_t *n, uint32_t *cap,
                     struct fb_str text) {
    for (uint32_t i = 0; i < *n; i++)
        if (fb_str_eq((*items)[i], text))
            return i;
    FB_PUSH_ROOM(*items, *n, *cap);
    (*items)[*n] = fb_str_copy(arena, text);
    return (*n)++;
}

uint32_t fb_lower_text(struct fb_lower_class *c, struct fb_str text) {
    return once(c->arena, &c->texts, &c->n_texts, &c->cap_texts, text);
}

uint32_t fb_lower_pattern(struct fb_lower_class *c, struct fb_str text) {
    return once(c->arena, &c->patterns, &c->n_patterns, &c->cap_patterns, text);
}

struct fb_str *fb_lower_words(struct fb_arena *arena, const struct fb_str *words, uint32_t n) {
    struct fb_str *copies = FB_ARENA_ARRAY(arena, struct fb_str, n);
    for (uint32_t i = 0; i < n; i++)
        copies[i] = fb_str_copy(arena, words[i]);
    return copies;
}

uint32_t fb_lower_room(struct fb_lower_class *c, uint32_t bytes, uint32_t align) {
    uint64_t offset = (c->block_bytes + align - 1) / align * align;
    c->block_bytes = offset + bytes;
    return (uint32_t)offset; /* beyond FB_BLOCK_BYTES_MAX the program is refused at the end */
}
