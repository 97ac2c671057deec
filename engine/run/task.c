/* One partition: its decoders, its core, its clock, its positions and what it wants to put out. */
#include "engine/run/task.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/codec/decode.h"
#include "engine/run/clock.h"
#include "engine/run/cloudevent.h"
#include "engine/run/headers.h"

/* A dead letter has to fit into a topic whose limit is the usual million. */
enum { PAYLOAD_BYTES_MAX = 900000 };

struct topic {
    struct fb_decoder *decoder;
    int64_t next; /* -1: not read by this task */
    bool keyed;   /* the last record's key was the id of its device */
    bool events;  /* its records may be CloudEvents in binary mode */
};

struct fb_task {
    const struct fb_task_config *config;
    int32_t partition;
    struct topic *topics; /* one a route */
    struct fb_core *core;
    struct fb_encoder *encoder;
    struct fb_clock clock;
    struct fb_batch *batch;
    struct fb_buf line;
    int64_t wall_us; /* of the present record or tick */
    const struct fb_record *record; /* the present one; NULL: a tick */
    struct fb_str trace;            /* of the record, once `traced` */
    char trace_bytes[FB_TRACE_BYTES];
    bool traced;
    struct fb_cloudevents *events;
    bool whole; /* the record is decoded as a CloudEvent in structured mode */
    uint64_t records, entries, dead;
};

/* ---- outputs ---- */

static void keep(struct fb_task *task, const struct fb_encoded *encoded) {
    struct fb_header headers[FB_ENCODED_HEADERS_MAX];
    if (task->config->lines) {
        task->line.n = 0;
        fb_encode_line(encoded, &task->line);
        struct fb_str line = {task->line.p, task->line.n};
        fb_batch_add(task->batch, encoded->stream, (struct fb_str){0}, line, NULL, 0);
        return;
    }
    uint32_t n = fb_encode_headers(encoded, headers);
    fb_batch_add(task->batch, encoded->stream, encoded->subject, encoded->data, headers, n);
}

/* Looked up at the first output of a record: most have none. */
static struct fb_str trace_of(struct fb_task *task) {
    if (!task->traced)
        task->trace = fb_headers_trace(task->record, task->trace_bytes);
    task->traced = true;
    return task->trace;
}

static void put_out(void *context, const struct fb_output *output) {
    struct fb_task *task = context;
    struct fb_encoded encoded;
    struct fb_circumstance circumstance = {.historical = output->at_us <
                                                         task->wall_us - task->config->max_age_us};
    fb_encode(task->encoder, output, circumstance, &encoded);
    if (task->record && !output->cause.timer)
        encoded.traceparent = trace_of(task);
    keep(task, &encoded);
}

/* In Kafka: the bytes as they came, with the record's own key and headers, so that they can be
 * mended and sent again; what does not fit is cut, and says how long it was. */
static void bury(struct fb_task *task, const struct fb_record *record,
                 const struct fb_dead_letter *letter) {
    task->dead++;
    if (task->config->lines) {
        struct fb_encoded encoded;
        fb_encode_dead(task->encoder, letter, &encoded);
        keep(task, &encoded);
        return;
    }
    struct fb_header headers[FB_ENCODED_HEADERS_MAX + FB_HEADERS_DEAD_MAX];
    char length[24], left_out[16];
    uint32_t n = fb_encode_dead_headers(task->encoder, letter, headers);
    struct fb_str payload = task->whole ? record->value : letter->payload;
    if (payload.n > PAYLOAD_BYTES_MAX) {
        int digits = snprintf(length, sizeof length, "%zu", payload.n);
        headers[n++] = (struct fb_header){FB_S("fb_cut_from_bytes"), {length, (size_t)digits}};
        payload.n = PAYLOAD_BYTES_MAX;
    }
    n += fb_headers_of_dead(record, headers + n, left_out);
    fb_batch_add(task->batch, FB_STREAM_DEAD, record->key, payload, headers, n);
}

/* ---- the task ---- */

struct fb_task *fb_task_new(const struct fb_task_config *config, int32_t partition) {
    struct fb_task *task = fb_alloc(sizeof *task);
    task->config = config;
    task->partition = partition;
    task->topics = fb_alloc(config->routes->n * sizeof *task->topics);
    for (uint32_t i = 0; i < config->routes->n; i++) {
        const struct fb_route *route = &config->routes->items[i];
        task->topics[i].decoder =
            fb_decoder_new(config->program, route->classes, route->n_classes, FB_JSON_LIMITS);
        task->topics[i].next = -1;
        task->topics[i].events = fb_cloudevents_wanted(config->program, route);
    }
    task->core = fb_core_new(config->program, &config->core, put_out, task);
    task->encoder = fb_encoder_new(config->program, config->application);
    task->clock = fb_clock_new();
    task->events = fb_cloudevents_new();
    task->batch = fb_batch_new(config->room);
    return task;
}

void fb_task_free(struct fb_task *task) {
    if (!task)
        return;
    for (uint32_t i = 0; i < task->config->routes->n; i++)
        fb_decoder_free(task->topics[i].decoder);
    free(task->topics);
    fb_core_free(task->core);
    fb_encoder_free(task->encoder);
    fb_cloudevents_free(task->events);
    fb_batch_free(task->batch);
    fb_buf_free(&task->line);
    free(task);
}

int32_t fb_task_partition(const struct fb_task *task) {
    return task->partition;
}

int64_t fb_task_next(const struct fb_task *task, uint32_t route) {
    return task->topics[route].next;
}

void fb_task_set_next(struct fb_task *task, uint32_t route, int64_t offset) {
    task->topics[route].next = offset;
}

static void reject(struct fb_task *task, const struct fb_record *record,
                   const struct fb_reject *why) {
    struct fb_dead_letter letter = {.reason = why->code,
                                    .detail = why->detail,
                                    .origin = why->origin,
                                    .payload = why->raw,
                                    .time_us = FB_NO_TIME};
    if (record->stamp_us != FB_NO_STAMP)
        letter.time_us = record->stamp_us;
    bury(task, record, &letter);
}

static void take(struct fb_task *task, struct topic *topic, const struct fb_record *record,
                 const struct fb_entry *entry, int64_t c_us) {
    task->entries++;
    topic->keyed = fb_str_eq(entry->device, record->key);
    if (fb_core_take(task->core, entry, c_us) != FB_REFUSED_DEVICES)
        return;
    struct fb_dead_letter letter = {
        .reason = "DEVICE_CAP",
        .detail = FB_S("there are more devices than devices.max allows in a partition"),
        .origin = entry->origin,
        .payload = entry->raw,
        .time_us = entry->ts_us};
    bury(task, record, &letter);
}

void fb_task_record(struct fb_task *task, uint32_t route, const struct fb_record *record,
                    int64_t wall_us) {
    struct topic *topic = &task->topics[route];
    struct fb_origin origin = {
        .topic = record->topic, .partition = record->partition, .offset = record->offset};
    struct fb_entry entry;
    struct fb_reject why;
    enum fb_decoded decoded;
    FB_ASSERT(record->offset >= topic->next);
    task->wall_us = wall_us;
    task->records++;
    task->record = record;
    task->traced = false;
    topic->next = record->offset + 1;
    int64_t c_us = fb_clock_record(&task->clock, record->stamp_us, wall_us);
    int64_t arrival_us = record->stamp_us == FB_NO_STAMP ? FB_NO_TIME : record->stamp_us;
    if (topic->keyed) /* what its device needs comes from afar while the record is decoded */
        fb_core_expect(task->core, task->config->routes->items[route].classes[0], record->key);
    struct fb_str payload = record->value;
    task->whole = false;
    if (topic->events) {
        struct fb_str whole = fb_cloudevents_whole(task->events, record);
        task->whole = whole.p != NULL;
        payload = whole.p ? whole : payload;
    }
    fb_decoder_begin(topic->decoder, payload, &origin, arrival_us);
    while ((decoded = fb_decoder_next(topic->decoder, &entry, &why)) != FB_DECODED_END) {
        if (decoded == FB_DECODED_ENTRY)
            take(task, topic, record, &entry, c_us);
        else
            reject(task, record, &why);
    }
    fb_core_advance(task->core, c_us); /* where no entry has moved it */
    task->record = NULL;
}

void fb_task_tick(struct fb_task *task, int64_t wall_us) {
    task->wall_us = wall_us;
    fb_core_advance(task->core, fb_clock_end(&task->clock, wall_us));
}

struct fb_batch *fb_task_batch(struct fb_task *task) {
    return task->batch;
}

struct fb_task_stats fb_task_stats(const struct fb_task *task) {
    return (struct fb_task_stats){.records = task->records,
                                  .entries = task->entries,
                                  .dead = task->dead,
                                  .core = fb_core_stats(task->core)};
}
