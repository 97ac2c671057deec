/* One commit of a worker: seal, put, make last. */
#include "engine/run/commit.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/planted.h"
#include "engine/run/task_commit.h"

enum {
    WAIT_MS = 100,      /* one wait for acknowledgements */
    MOMENT_US = 1000000 /* a longer wait for acknowledgements is told */
};

bool fb_commit_is_due(const struct fb_worker_config *config, const struct fb_partitions *parts) {
    for (size_t i = 0; i < parts->n; i++) {
        const struct fb_partition *part = &parts->items[i];
        if (!part->task)
            continue;
        if (config->task->journalled ? fb_task_has_news(part->task) || fb_task_is_sealed(part->task)
                                     : part->moved || fb_batch_count(fb_task_batch(part->task)))
            return true;
    }
    return false;
}

static bool exactly_once(const struct fb_commit_request *request) {
    return request->config->task->journalled;
}

static void seal_all(const struct fb_commit_request *request) {
    int64_t wall = fb_wall_us(request->config->time);
    for (size_t i = 0; i < request->parts->n; i++) {
        struct fb_task *task = request->parts->items[i].task;
        if (task && !fb_task_is_sealed(task) && fb_task_has_news(task))
            fb_task_seal(task, wall);
        if (task)
            fb_task_claim(task, fb_str_of(request->config->owner));
    }
}

/* The topic of an output, by the very text that the sink knows it by. NULL: err. */
static const char *topic_of(const struct fb_worker_config *config, enum fb_stream stream,
                            const char *to, struct fb_err *err) {
    if (!to || strcmp(to, config->topics[stream]) == 0)
        return config->topics[stream];
    for (uint32_t i = 0; i < config->n_also; i++)
        if (strcmp(to, config->also[i]) == 0)
            return config->also[i];
    fb_fail(err, FB_FATAL,
            "the rules in force command the topic '%s', which is not in topics.commands.also: add "
            "it until other rules are in force",
            to);
    return NULL;
}

static bool put_at(const struct fb_commit_request *request, const struct fb_partition *part,
                   uint32_t i, struct fb_err *err) {
    const struct fb_batch *batch = fb_task_batch(part->task);
    struct fb_header headers[FB_BATCH_HEADERS_MAX];
    struct fb_outgoing out = {.partition = part->number, .stamp_us = FB_NO_STAMP};
    enum fb_stream stream = fb_batch_at(batch, i, &out, headers);
    if (!fb_batch_ok(batch, err))
        return false;
    if (stream >= FB_STREAM_JOURNAL) /* restoring looks for them by this time */
        out.stamp_us = fb_task_sealed_at(part->task);
    out.topic = topic_of(request->config, stream, out.topic, err);
    if (!out.topic)
        return false;
    while (!request->sink->calls->put(request->sink, &out, err))
        if (err->kind != FB_RETRIABLE)
            return false;
    return true;
}

/* A transaction asks the broker for the partitions that it writes to, all that are known by then in
 * one request, and each request costs the client milliseconds of CPU. So what is the first of its
 * topic in its partition goes before all others. Files have no such requests, and their lines an
 * order across streams. */
static bool firsts_go_first(const struct fb_commit_request *request) {
    return exactly_once(request) && !request->config->task->lines;
}

static bool put_firsts(const struct fb_commit_request *request, struct fb_err *err) {
    for (size_t i = 0; i < request->parts->n; i++) {
        const struct fb_partition *part = &request->parts->items[i];
        uint32_t at;
        if (!part->task || part->put > 0)
            continue;
        const struct fb_batch *batch = fb_task_batch(part->task);
        for (int stream = 0; stream < FB_STREAMS; stream++)
            if (fb_batch_first(batch, (enum fb_stream)stream, &at) &&
                !put_at(request, part, at, err))
                return false;
        for (uint32_t k = 0; fb_batch_first_named(batch, k, &at); k++)
            if (!put_at(request, part, at, err))
                return false;
    }
    return true;
}

static bool is_first(const struct fb_batch *batch, uint32_t i) {
    uint32_t at;
    for (int stream = 0; stream < FB_STREAMS; stream++)
        if (fb_batch_first(batch, (enum fb_stream)stream, &at) && at == i)
            return true;
    for (uint32_t k = 0; fb_batch_first_named(batch, k, &at); k++)
        if (at == i)
            return true;
    return false;
}

/* Puts what the sink does not have yet of every task. */
static bool put_all(const struct fb_commit_request *request, struct fb_err *err) {
    bool firsts = firsts_go_first(request);
    if (firsts && !put_firsts(request, err))
        return false;
    for (size_t i = 0; i < request->parts->n; i++) {
        struct fb_partition *part = &request->parts->items[i];
        if (!part->task)
            continue;
        const struct fb_batch *batch = fb_task_batch(part->task);
        for (; part->put < fb_batch_count(batch); part->put++)
            if (!(firsts && is_first(batch, part->put)) && !put_at(request, part, part->put, err))
                return false;
    }
    return true;
}

/* Positions of all tasks with their notes, which stand in `notes`. */
struct positions {
    struct fb_position *items;
    uint32_t n;
    struct fb_buf notes;
};

static void add_positions(struct positions *to, const struct fb_commit_request *request,
                          const struct fb_partition *part, size_t note_at) {
    for (uint32_t r = 0; r < fb_partition_routes(part)->n; r++) {
        struct fb_position position = fb_partition_position(part, r);
        if (position.next < 0)
            continue;
        position.next += !exactly_once(request) && FB_PLANTED(POSITION_AHEAD);
        if (exactly_once(request))
            position.note = (struct fb_str){to->notes.p + note_at, to->notes.n - note_at};
        to->items[to->n++] = position;
    }
}

/* The caller frees both. */
static struct positions positions_of(const struct fb_commit_request *request) {
    struct positions to = {0};
    size_t n = 1;
    for (size_t i = 0; i < request->parts->n; i++)
        n += request->parts->items[i].task ? fb_partition_routes(&request->parts->items[i])->n : 0;
    to.items = fb_alloc(n * sizeof *to.items);
    fb_buf_room(&to.notes, (request->parts->n + 1) * FB_NOTE_BYTES_MAX); /* so that views hold */
    for (size_t i = 0; i < request->parts->n; i++) {
        size_t note_at = to.notes.n;
        if (!request->parts->items[i].task)
            continue;
        if (exactly_once(request))
            fb_task_note(request->parts->items[i].task, &to.notes);
        add_positions(&to, request, &request->parts->items[i], note_at);
    }
    return to;
}

static int64_t patience_us(const struct fb_commit_request *request) {
    bool stopping = atomic_load_explicit(request->config->stop, memory_order_relaxed);
    return stopping && request->patience_us > FB_STOP_PATIENCE_US ? FB_STOP_PATIENCE_US
                                                                  : request->patience_us;
}

/* Waits until the sink knows. While it waits nothing is read, so a slow broker costs no memory. */
static bool make_last(const struct fb_commit_request *request, const struct positions *positions,
                      bool *reopen, struct fb_err *err) {
    int64_t begun_us = fb_now_us(request->config->time);
    for (;;) {
        switch (request->sink->calls->commit(request->sink, request->source, positions->items,
                                             positions->n, WAIT_MS, err)) {
        case FB_COMMITTED:
            request->waiting(request->context, false);
            return true;
        case FB_COMMIT_FAILED:
            return false;
        case FB_COMMIT_DOUBT:
            if (FB_PLANTED(DOUBT_IS_COMMITTED))
                return true;
            *reopen = true;
            return false;
        case FB_COMMIT_AGAIN:
            for (size_t i = 0; i < request->parts->n && !FB_PLANTED(DROP_ON_ABORT); i++)
                request->parts->items[i].put = 0;
            if (!put_all(request, err))
                return false;
            break;
        case FB_COMMIT_WAIT:
            if (FB_PLANTED(WAIT_IS_COMMITTED))
                return true;
            break;
        }
        int64_t waited_us = fb_now_us(request->config->time) - begun_us;
        if (waited_us > MOMENT_US)
            request->waiting(request->context, true);
        if (waited_us > patience_us(request))
            return fb_fail(err, FB_RETRIABLE, "outputs are not acknowledged after %lld s",
                           (long long)(waited_us / 1000000));
        request->source->calls->stay(request->source);
    }
}

static void forget_all(const struct fb_commit_request *request, bool moved) {
    for (size_t i = 0; i < request->parts->n; i++) {
        struct fb_partition *part = &request->parts->items[i];
        part->put = 0;
        part->moved = moved;
        if (part->task)
            fb_task_committed(part->task);
    }
}

bool fb_commit(const struct fb_commit_request *request, bool *reopen, struct fb_err *err) {
    if (exactly_once(request))
        seal_all(request);
    struct positions positions = positions_of(request);
    bool ok = put_all(request, err) && make_last(request, &positions, reopen, err);
    free(positions.items);
    fb_buf_free(&positions.notes);
    *reopen |= !ok && exactly_once(request); /* what was put must not be committed later */
    if (ok)
        forget_all(request, err->kind == FB_RETRIABLE);
    return ok;
}
