#include "tests/unit/memory_history.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/run/task_commit.h"

struct reader {
    struct fb_reader base;
    const struct fb_memory_log *log;
    int64_t next, end;
};

struct fb_str fb_memory_view(const struct fb_buf *buf) {
    return (struct fb_str){buf->n ? buf->p : "", buf->n};
}

/* ---- reading ---- */

static struct fb_memory_log *log_of(struct fb_history *base, const char *topic) {
    struct fb_memory_history *memory = (struct fb_memory_history *)base;
    int i = 0;
    while (i < FB_MEMORY_LOGS && strcmp(topic, memory->logs[i].name) != 0)
        i++;
    FB_ASSERT(i < FB_MEMORY_LOGS);
    return &memory->logs[i];
}

static bool bounds(struct fb_history *base, const char *topic, int32_t partition, int64_t *first,
                   int64_t *end, struct fb_err *err) {
    const struct fb_memory_log *log = log_of(base, topic);
    (void)partition;
    (void)err;
    *first = log->first;
    *end = (int64_t)log->n;
    return true;
}

static bool offset_at(struct fb_history *base, const char *topic, int32_t partition,
                      int64_t stamp_us, int64_t *offset, struct fb_err *err) {
    const struct fb_memory_log *log = log_of(base, topic);
    (void)partition;
    (void)err;
    *offset = log->first;
    while (*offset < (int64_t)log->n && log->records[*offset].stamp_us < stamp_us)
        ++*offset;
    return true;
}

static uint32_t headers_of(void *message, struct fb_header *headers, uint32_t max) {
    const struct fb_memory_record *kept = message;
    uint32_t n = kept->n_headers < max ? kept->n_headers : max;
    for (uint32_t i = 0; i < n; i++)
        headers[i] = (struct fb_header){fb_memory_view(&kept->headers[i][0]),
                                        fb_memory_view(&kept->headers[i][1])};
    return n;
}

static enum fb_read next(struct fb_reader *base, struct fb_record *record, struct fb_err *err) {
    struct reader *reader = (struct reader *)base;
    (void)err;
    if (reader->next >= reader->end)
        return FB_READ_END;
    struct fb_memory_record *kept = &reader->log->records[reader->next];
    *record =
        (struct fb_record){.topic = fb_str_of(reader->log->name),
                           .offset = reader->next++,
                           .stamp_us = kept->stamp_us,
                           .key = kept->keyed ? fb_memory_view(&kept->key) : (struct fb_str){0},
                           .value = fb_memory_view(&kept->value),
                           .headers = headers_of,
                           .message = kept};
    return FB_READ_RECORD;
}

static void close_reader(struct fb_reader *base) {
    free(base);
}

static struct fb_reader *open_reader(struct fb_history *base, const char *topic, int32_t partition,
                                     int64_t from, struct fb_err *err) {
    static const struct fb_reader_calls calls = {next, close_reader};
    const struct fb_memory_log *log = log_of(base, topic);
    (void)partition;
    if (from < log->first) {
        fb_fail(err, FB_FATAL, "records of %s are gone", topic);
        return NULL;
    }
    struct reader *reader = fb_alloc(sizeof *reader);
    *reader = (struct reader){{&calls}, log, from, (int64_t)log->n};
    return &reader->base;
}

/* ---- writing ---- */

struct fb_memory_history *fb_memory_history_new(void) {
    static const struct fb_history_calls calls = {
        .bounds = bounds, .offset_at = offset_at, .open = open_reader};
    static const char *const names[FB_MEMORY_LOGS] = {"alerts",   "late",   "dead",    "audit",
                                                      "commands", "shadow", "journal", "snapshot",
                                                      "in",       "also"};
    struct fb_memory_history *memory = fb_alloc(sizeof *memory);
    memory->base.calls = &calls;
    for (int i = 0; i < FB_MEMORY_LOGS; i++)
        memory->logs[i].name = names[i];
    return memory;
}

struct fb_memory_record *fb_memory_append(struct fb_memory_log *log, struct fb_str key,
                                          struct fb_str value, int64_t stamp_us) {
    FB_PUSH_ROOM(log->records, log->n, log->cap);
    struct fb_memory_record *kept = &log->records[log->n++];
    *kept = (struct fb_memory_record){.keyed = key.p != NULL, .stamp_us = stamp_us};
    fb_buf_str(&kept->key, key);
    fb_buf_str(&kept->value, value);
    return kept;
}

static void free_record(struct fb_memory_record *kept) {
    fb_buf_free(&kept->key);
    fb_buf_free(&kept->value);
    for (uint32_t i = 0; i < kept->n_headers; i++) {
        fb_buf_free(&kept->headers[i][0]);
        fb_buf_free(&kept->headers[i][1]);
    }
}

void fb_memory_leave_out(struct fb_memory_log *log, size_t at) {
    free_record(&log->records[at]);
    memmove(&log->records[at], &log->records[at + 1], (--log->n - at) * sizeof *log->records);
}

void fb_memory_history_free(struct fb_memory_history *memory) {
    for (int i = 0; i < FB_MEMORY_LOGS; i++) {
        for (size_t k = 0; k < memory->logs[i].n; k++)
            free_record(&memory->logs[i].records[k]);
        free(memory->logs[i].records);
    }
    free(memory);
}

void fb_memory_take(struct fb_memory_history *memory, struct fb_task *task, struct fb_str value,
                    int64_t stamp_us, int64_t wall_us) {
    struct fb_memory_log *input = &memory->logs[FB_MEMORY_INPUT];
    struct fb_record record = {.topic = fb_str_of(input->name),
                               .offset = (int64_t)input->n,
                               .stamp_us = stamp_us,
                               .key = FB_S("k"),
                               .value = value};
    fb_memory_append(input, record.key, record.value, stamp_us);
    fb_task_record(task, 0, &record, wall_us);
}

void fb_memory_commit(struct fb_memory_history *memory, struct fb_task *task, int64_t wall_us) {
    fb_task_seal(task, wall_us);
    const struct fb_batch *batch = fb_task_batch(task);
    for (uint32_t i = 0; i < fb_batch_count(batch); i++) {
        struct fb_header headers[FB_BATCH_HEADERS_MAX];
        struct fb_outgoing out = {0};
        enum fb_stream stream = fb_batch_at(batch, i, &out, headers);
        FB_ASSERT(!out.topic || strcmp(out.topic, memory->logs[FB_MEMORY_ALSO].name) == 0);
        struct fb_memory_record *kept = fb_memory_append(
            &memory->logs[out.topic ? FB_MEMORY_ALSO : stream], out.key, out.value, wall_us);
        kept->n_headers = out.n_headers;
        for (uint32_t k = 0; k < out.n_headers; k++) {
            fb_buf_str(&kept->headers[k][0], headers[k].name);
            fb_buf_str(&kept->headers[k][1], headers[k].value);
        }
    }
    fb_task_committed(task);
}
