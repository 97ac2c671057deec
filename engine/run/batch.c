/* Outputs of a task that are not yet known to be safe, as bytes. */
#include "engine/run/batch.h"

#include <stdlib.h>

#include "engine/base/arena.h"

/* A view by its place: the buffer moves as it grows. p is NULL where `none`. */
struct place {
    size_t at;
    uint32_t n;
    bool none;
};

struct kept {
    enum fb_stream stream;
    struct place key, value;
    uint32_t first_header, n_headers;
};

struct kept_header {
    struct place name, value;
};

struct fb_batch {
    struct fb_buf bytes;
    struct kept *items;
    size_t n, cap;
    struct kept_header *headers;
    size_t n_headers, cap_headers;
};

struct fb_batch *fb_batch_new(void) {
    return fb_alloc(sizeof(struct fb_batch));
}

void fb_batch_free(struct fb_batch *batch) {
    if (!batch)
        return;
    fb_buf_free(&batch->bytes);
    free(batch->items);
    free(batch->headers);
    free(batch);
}

/* With a terminator behind, which names need. */
static struct place keep(struct fb_batch *batch, struct fb_str s) {
    struct place place = {batch->bytes.n, (uint32_t)s.n, s.p == NULL};
    if (s.n)
        fb_buf_str(&batch->bytes, s);
    fb_buf_char(&batch->bytes, '\0');
    return place;
}

static struct fb_str view(const struct fb_batch *batch, struct place place) {
    if (place.none)
        return (struct fb_str){NULL, 0};
    return (struct fb_str){batch->bytes.p + place.at, place.n};
}

void fb_batch_add(struct fb_batch *batch, enum fb_stream stream, struct fb_str key,
                  struct fb_str value, const struct fb_header *headers, uint32_t n_headers) {
    FB_ASSERT(n_headers <= FB_BATCH_HEADERS_MAX);
    struct kept kept = {.stream = stream,
                        .key = keep(batch, key),
                        .value = keep(batch, value),
                        .first_header = (uint32_t)batch->n_headers,
                        .n_headers = n_headers};
    for (uint32_t i = 0; i < n_headers; i++) {
        FB_PUSH_ROOM(batch->headers, batch->n_headers, batch->cap_headers);
        batch->headers[batch->n_headers++] = (struct kept_header){
            .name = keep(batch, headers[i].name), .value = keep(batch, headers[i].value)};
    }
    FB_PUSH_ROOM(batch->items, batch->n, batch->cap);
    batch->items[batch->n++] = kept;
}

uint32_t fb_batch_count(const struct fb_batch *batch) {
    return (uint32_t)batch->n;
}

size_t fb_batch_bytes(const struct fb_batch *batch) {
    return batch->bytes.n;
}

enum fb_stream fb_batch_at(const struct fb_batch *batch, uint32_t i, struct fb_outgoing *record,
                           struct fb_header headers[FB_BATCH_HEADERS_MAX]) {
    const struct kept *kept = &batch->items[i];
    for (uint32_t k = 0; k < kept->n_headers; k++) {
        const struct kept_header *header = &batch->headers[kept->first_header + k];
        headers[k] = (struct fb_header){view(batch, header->name), view(batch, header->value)};
    }
    record->key = view(batch, kept->key);
    record->value = view(batch, kept->value);
    record->headers = headers;
    record->n_headers = kept->n_headers;
    return kept->stream;
}

void fb_batch_clear(struct fb_batch *batch) {
    batch->bytes.n = 0;
    batch->n = 0;
    batch->n_headers = 0;
}
