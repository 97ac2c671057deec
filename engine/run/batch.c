/* Outputs of a task that are not yet known to be safe, as bytes. */
#include "engine/run/batch.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/run/spill.h"

enum {
    KEEP_MAX = 8 << 20, /* bytes of memory that a batch keeps for the next one */
    NAMED_MAX = 16      /* topics that outputs name themselves, of which the first is known */
};

/* A view by its place: the buffer moves as it grows. p is NULL where `none`. */
struct place {
    size_t at;
    uint32_t n;
    bool none;
};

struct kept {
    enum fb_stream stream;
    struct place key, value, to;
    uint32_t first_header, n_headers;
};

struct kept_header {
    struct place name, value;
};

struct fb_batch {
    size_t memory_max;
    struct fb_buf bytes;
    struct kept *items;
    size_t n, cap;
    uint32_t first[FB_STREAMS]; /* the place of a stream's first one among items, and 1; 0: none */
    uint32_t first_named[NAMED_MAX], n_named; /* places of the first ones of other topics */
    struct kept_header *headers;
    size_t n_headers, cap_headers;
    struct fb_spill *spill; /* the outputs behind items */
    size_t spilled_bytes;
    struct fb_buf frame;
    uint32_t *dropped; /* places, ascending */
    uint32_t n_dropped;
    struct fb_batch_mark mark;
};

struct fb_batch *fb_batch_new(struct fb_room room) {
    struct fb_batch *batch = fb_alloc(sizeof *batch);
    batch->memory_max = room.memory_max;
    batch->spill = fb_spill_new(room.folder);
    return batch;
}

void fb_batch_free(struct fb_batch *batch) {
    if (!batch)
        return;
    fb_buf_free(&batch->bytes);
    free(batch->items);
    free(batch->headers);
    fb_spill_free(batch->spill);
    fb_buf_free(&batch->frame);
    free(batch->dropped);
    free(batch);
}

/* ---- in memory ---- */

/* With a terminator behind, which names need. There is room for it. */
static struct place keep(struct fb_batch *batch, struct fb_str s) {
    struct place place = {batch->bytes.n, (uint32_t)s.n, s.p == NULL};
    char *to = batch->bytes.p + batch->bytes.n;
    if (s.n)
        memcpy(to, s.p, s.n);
    to[s.n] = '\0';
    batch->bytes.n += s.n + 1;
    return place;
}

static size_t bytes_of(struct fb_str to, struct fb_str key, struct fb_str value,
                       const struct fb_header *headers, uint32_t n_headers) {
    size_t bytes = key.n + value.n + 2 + (to.n ? to.n + 1 : 0);
    for (uint32_t i = 0; i < n_headers; i++)
        bytes += headers[i].name.n + headers[i].value.n + 2;
    return bytes;
}

static struct fb_str view(const struct fb_batch *batch, struct place place) {
    if (place.none)
        return (struct fb_str){NULL, 0};
    return (struct fb_str){batch->bytes.p + place.at, place.n};
}

/* Of the item that came last, whether it is the first of its topic. */
static void note_first(struct fb_batch *batch, enum fb_stream stream, struct fb_str to) {
    if (!to.n) {
        if (!batch->first[stream])
            batch->first[stream] = (uint32_t)batch->n;
        return;
    }
    for (uint32_t k = 0; k < batch->n_named; k++)
        if (fb_str_eq(view(batch, batch->items[batch->first_named[k]].to), to))
            return;
    if (batch->n_named < NAMED_MAX)
        batch->first_named[batch->n_named++] = (uint32_t)batch->n - 1;
}

static void add_to_memory(struct fb_batch *batch, enum fb_stream stream, struct fb_str to,
                          struct fb_str key, struct fb_str value, const struct fb_header *headers,
                          uint32_t n_headers) {
    struct kept kept = {.stream = stream,
                        .to = {.none = true},
                        .first_header = (uint32_t)batch->n_headers,
                        .n_headers = n_headers};
    fb_buf_room(&batch->bytes, bytes_of(to, key, value, headers, n_headers));
    kept.key = keep(batch, key);
    kept.value = keep(batch, value);
    for (uint32_t i = 0; i < n_headers; i++) {
        FB_PUSH_ROOM(batch->headers, batch->n_headers, batch->cap_headers);
        struct kept_header *header = &batch->headers[batch->n_headers++];
        header->name = keep(batch, headers[i].name);
        header->value = keep(batch, headers[i].value);
    }
    if (to.n)
        kept.to = keep(batch, to);
    FB_PUSH_ROOM(batch->items, batch->n, batch->cap);
    batch->items[batch->n++] = kept;
    note_first(batch, stream, to);
}

static enum fb_stream memory_at(const struct fb_batch *batch, uint32_t i,
                                struct fb_outgoing *record, struct fb_header *headers) {
    const struct kept *kept = &batch->items[i];
    for (uint32_t k = 0; k < kept->n_headers; k++) {
        const struct kept_header *header = &batch->headers[kept->first_header + k];
        headers[k] = (struct fb_header){view(batch, header->name), view(batch, header->value)};
    }
    record->topic = view(batch, kept->to).p;
    record->key = view(batch, kept->key);
    record->value = view(batch, kept->value);
    record->n_headers = kept->n_headers;
    return kept->stream;
}

static bool full(const struct fb_batch *batch) {
    return batch->bytes.n + batch->n * sizeof *batch->items +
               batch->n_headers * sizeof *batch->headers >=
           batch->memory_max;
}

/* ---- in the file ----
 * A frame: stream, number of headers, then topic, key, value and the headers' names and values,
 * each as its length (UINT32_MAX: none), its bytes and a terminator. */

static void put_part(struct fb_buf *frame, struct fb_str s) {
    uint32_t n = s.p ? (uint32_t)s.n : UINT32_MAX;
    fb_buf_put(frame, &n, sizeof n);
    if (s.p)
        fb_buf_str(frame, s);
    fb_buf_char(frame, '\0');
}

static struct fb_str take_part(const char **at) {
    uint32_t n;
    memcpy(&n, *at, sizeof n);
    struct fb_str s = {*at + sizeof n, n};
    if (n == UINT32_MAX)
        s = (struct fb_str){NULL, 0};
    *at += sizeof n + s.n + 1;
    return s;
}

static void add_to_file(struct fb_batch *batch, enum fb_stream stream, struct fb_str to,
                        struct fb_str key, struct fb_str value, const struct fb_header *headers,
                        uint32_t n_headers) {
    struct fb_buf *frame = &batch->frame;
    frame->n = 0;
    fb_buf_char(frame, (char)stream);
    fb_buf_char(frame, (char)n_headers);
    put_part(frame, to.n ? to : (struct fb_str){NULL, 0});
    put_part(frame, key);
    put_part(frame, value);
    for (uint32_t i = 0; i < n_headers; i++) {
        put_part(frame, headers[i].name);
        put_part(frame, headers[i].value);
    }
    batch->spilled_bytes += frame->n;
    fb_spill_add(batch->spill, (struct fb_str){frame->p, frame->n});
}

static enum fb_stream file_at(const struct fb_batch *batch, uint32_t i, struct fb_outgoing *record,
                              struct fb_header *headers) {
    struct fb_str frame = fb_spill_at(batch->spill, i);
    record->topic = NULL;
    record->key = record->value = (struct fb_str){NULL, 0};
    record->n_headers = 0;
    if (!frame.p)
        return FB_STREAM_ALERTS;
    const char *at = frame.p + 2;
    record->topic = take_part(&at).p;
    record->key = take_part(&at);
    record->value = take_part(&at);
    record->n_headers = (uint32_t)frame.p[1];
    for (uint32_t k = 0; k < record->n_headers; k++) {
        headers[k].name = take_part(&at);
        headers[k].value = take_part(&at);
    }
    return (enum fb_stream)frame.p[0];
}

/* ---- both ---- */

/* What an output adds to the mark: all its parts with their terminators, and of which kind it is.
 */
static void count(struct fb_batch *batch, enum fb_stream stream, const void *parts, size_t n,
                  bool keyed) {
    uint64_t kind = (uint64_t)stream << 1 | keyed;
    if (stream >= FB_STREAM_JOURNAL)
        return;
    batch->mark.outputs++;
    batch->mark.hash = fb_hash128_next(batch->mark.hash, parts, n);
    batch->mark.hash.low ^= kind * UINT64_C(0x9e3779b97f4a7c15);
}

static void put_parts(struct fb_buf *out, struct fb_str to, struct fb_str key, struct fb_str value,
                      const struct fb_header *headers, uint32_t n_headers) {
    fb_buf_str(out, key);
    fb_buf_char(out, '\0');
    fb_buf_str(out, value);
    fb_buf_char(out, '\0');
    for (uint32_t i = 0; i < n_headers; i++) {
        fb_buf_str(out, headers[i].name);
        fb_buf_char(out, '\0');
        fb_buf_str(out, headers[i].value);
        fb_buf_char(out, '\0');
    }
    if (to.n) {
        fb_buf_str(out, to);
        fb_buf_char(out, '\0');
    }
}

struct fb_batch_mark fb_batch_mark(const struct fb_batch *batch) {
    return batch->mark;
}

void fb_batch_set_mark(struct fb_batch *batch, struct fb_batch_mark mark) {
    batch->mark = mark;
}

void fb_batch_add(struct fb_batch *batch, enum fb_stream stream, struct fb_str key,
                  struct fb_str value, const struct fb_header *headers, uint32_t n_headers) {
    fb_batch_add_to(batch, stream, (struct fb_str){NULL, 0}, key, value, headers, n_headers);
}

void fb_batch_add_to(struct fb_batch *batch, enum fb_stream stream, struct fb_str to,
                     struct fb_str key, struct fb_str value, const struct fb_header *headers,
                     uint32_t n_headers) {
    FB_ASSERT(n_headers <= FB_BATCH_HEADERS_MAX);
    if (fb_spill_count(batch->spill) || full(batch)) {
        batch->frame.n = 0;
        put_parts(&batch->frame, to, key, value, headers, n_headers);
        count(batch, stream, batch->frame.p, batch->frame.n, key.p != NULL);
        add_to_file(batch, stream, to, key, value, headers, n_headers);
    } else {
        size_t from = batch->bytes.n; /* the parts stand there in a row, as put_parts puts them */
        add_to_memory(batch, stream, to, key, value, headers, n_headers);
        count(batch, stream, batch->bytes.p + from, batch->bytes.n - from, key.p != NULL);
    }
}

uint32_t fb_batch_count(const struct fb_batch *batch) {
    return (uint32_t)batch->n + fb_spill_count(batch->spill) - batch->n_dropped;
}

bool fb_batch_first(const struct fb_batch *batch, enum fb_stream stream, uint32_t *i) {
    *i = batch->first[stream] - 1;
    return batch->first[stream] > 0 && batch->n_dropped == 0;
}

bool fb_batch_first_named(const struct fb_batch *batch, uint32_t k, uint32_t *i) {
    if (k >= batch->n_named || batch->n_dropped > 0)
        return false;
    *i = batch->first_named[k];
    return true;
}

size_t fb_batch_bytes(const struct fb_batch *batch) {
    return batch->bytes.n + batch->spilled_bytes;
}

bool fb_batch_ok(const struct fb_batch *batch, struct fb_err *err) {
    return fb_spill_ok(batch->spill, err);
}

/* The i-th of those that were not dropped: its place among all. */
static uint32_t place_of(const struct fb_batch *batch, uint32_t i) {
    uint32_t from = 0, to = batch->n_dropped; /* of the dropped ones, how many stand before it */
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (batch->dropped[middle] - middle <= i)
            from = middle + 1;
        else
            to = middle;
    }
    return i + from;
}

void fb_batch_drop(struct fb_batch *batch, const uint32_t *places, uint32_t n) {
    FB_ASSERT(batch->n_dropped == 0);
    batch->dropped = fb_alloc(sizeof *places * n);
    batch->n_dropped = n;
    if (n)
        memcpy(batch->dropped, places, sizeof *places * n);
}

enum fb_stream fb_batch_at(const struct fb_batch *batch, uint32_t i, struct fb_outgoing *record,
                           struct fb_header headers[FB_BATCH_HEADERS_MAX]) {
    record->headers = headers;
    i = place_of(batch, i);
    if (i < batch->n)
        return memory_at(batch, i, record, headers);
    return file_at(batch, i - (uint32_t)batch->n, record, headers);
}

/* What one leap needed is given back; what every batch needs is kept. */
void fb_batch_clear(struct fb_batch *batch) {
    if (batch->bytes.cap > KEEP_MAX)
        fb_buf_free(&batch->bytes);
    if (batch->cap * sizeof *batch->items > KEEP_MAX) {
        free(batch->items);
        batch->items = NULL;
        batch->cap = 0;
    }
    if (batch->cap_headers * sizeof *batch->headers > KEEP_MAX) {
        free(batch->headers);
        batch->headers = NULL;
        batch->cap_headers = 0;
    }
    memset(batch->first, 0, sizeof batch->first);
    batch->n_named = 0;
    batch->bytes.n = 0;
    batch->n = 0;
    batch->n_headers = 0;
    batch->spilled_bytes = 0;
    free(batch->dropped);
    batch->dropped = NULL;
    batch->n_dropped = 0;
    fb_spill_clear(batch->spill);
}
