/* Records that a client has taken and perhaps not sent. */
#include "tests/sim/queue.h"

#include <stdlib.h>

#include "engine/base/arena.h"

static void copy(struct fb_buf *to, struct fb_str from) {
    fb_buf_str(to, from);
    fb_buf_terminated(to);
}

void sim_queue_add(struct sim_queue *queue, int topic, const struct fb_outgoing *record) {
    FB_ASSERT(topic >= 0);
    FB_PUSH_ROOM(queue->items, queue->n, queue->cap);
    struct sim_queued *queued = &queue->items[queue->n++];
    *queued = (struct sim_queued){.topic = topic,
                                  .partition = record->partition,
                                  .stamp_us = record->stamp_us,
                                  .has_key = record->key.p,
                                  .has_value = record->value.p,
                                  .n_headers = record->n_headers};
    copy(&queued->key, record->key);
    copy(&queued->value, record->value);
    queued->headers = fb_alloc((record->n_headers + 1) * sizeof *queued->headers);
    queued->header_bytes = fb_alloc((record->n_headers + 1) * sizeof *queued->header_bytes);
    for (uint32_t i = 0; i < record->n_headers; i++) {
        struct fb_str name = record->headers[i].name, value = record->headers[i].value;
        copy(&queued->header_bytes[i], name);
        copy(&queued->header_bytes[i], value);
        queued->headers[i] = (struct fb_header){{queued->header_bytes[i].p, name.n},
                                                {queued->header_bytes[i].p + name.n, value.n}};
    }
}

struct fb_outgoing sim_queue_at(const struct sim_queue *queue, uint32_t index) {
    const struct sim_queued *queued = &queue->items[index];
    struct fb_outgoing record = {.partition = queued->partition,
                                 .stamp_us = queued->stamp_us,
                                 .headers = queued->headers,
                                 .n_headers = queued->n_headers};
    if (queued->has_key)
        record.key = (struct fb_str){queued->key.p, queued->key.n};
    if (queued->has_value)
        record.value = (struct fb_str){queued->value.p, queued->value.n};
    return record;
}

void sim_queue_clear(struct sim_queue *queue) {
    for (uint32_t i = 0; i < queue->n; i++) {
        struct sim_queued *queued = &queue->items[i];
        for (uint32_t h = 0; h < queued->n_headers; h++)
            fb_buf_free(&queued->header_bytes[h]);
        free(queued->headers);
        free(queued->header_bytes);
        fb_buf_free(&queued->key);
        fb_buf_free(&queued->value);
    }
    queue->n = 0;
}

void sim_queue_free(struct sim_queue *queue) {
    sim_queue_clear(queue);
    free(queue->items);
    *queue = (struct sim_queue){0};
}
