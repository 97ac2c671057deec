/* Writes journal and snapshots into a state folder ahead of the outputs.
 *
 * Place in the flow: see state_dir.h. */
#include "connectors/state_dir.h"

#include <stdlib.h>
#include <time.h>

#include "connectors/state_parts.h"
#include "engine/base/arena.h"

enum kind { OUTPUT, JOURNAL, PIECE };

/* A stretch of the sink's bytes. */
struct stretch {
    size_t at, n;
    bool is; /* false: there is none */
};

struct held {
    enum kind kind;
    int32_t partition;
    int64_t stamp_us;
    struct stretch topic, key, value;
    size_t header; /* its first one */
    uint32_t n_headers;
};

struct held_header {
    struct stretch name, value;
};

enum phase { TAKING, PUTTING, ENDING };

struct state_sink {
    struct fb_sink base;
    struct fb_state_dir *dir;
    struct fb_sink *inner;
    struct fb_state_marks marks; /* mark NULL: inner cannot go back */
    char *journal_topic, *snapshot_topic;
    struct fb_buf bytes; /* of what is held */
    struct held *held;
    size_t n_held, cap_held;
    struct held_header *headers;
    size_t n_headers, cap_headers;
    struct fb_header *views; /* for one record */
    size_t cap_views;
    bool has_journal;
    enum phase phase;
    size_t next_put;
    struct fb_err trouble; /* of any kind: nothing more is taken */
};

/* ---- holding ---- */

static struct stretch hold_bytes(struct state_sink *sink, struct fb_str s) {
    struct stretch stretch = {sink->bytes.n, s.n, s.p != NULL};
    fb_buf_str(&sink->bytes, s);
    fb_buf_char(&sink->bytes, '\0');
    return stretch;
}

static struct fb_str view_of(const struct state_sink *sink, struct stretch stretch) {
    return stretch.is ? (struct fb_str){sink->bytes.p + stretch.at, stretch.n} : (struct fb_str){0};
}

static int64_t wall_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void hold_headers(struct state_sink *sink, const struct fb_outgoing *record) {
    for (uint32_t i = 0; i < record->n_headers; i++) {
        FB_PUSH_ROOM(sink->headers, sink->n_headers, sink->cap_headers);
        struct stretch name = hold_bytes(sink, record->headers[i].name);
        struct stretch value = hold_bytes(sink, record->headers[i].value);
        sink->headers[sink->n_headers++] = (struct held_header){name, value};
    }
}

/* Whether this is the last journal record, whose outputs may not be written. False: err. */
static bool is_last(const struct state_sink *sink, struct fb_str value, bool *is,
                    struct fb_err *err) {
    struct fb_frame frame;
    int64_t number = fb_state_unfinished(sink->dir);
    if (number < 0)
        return true;
    struct fb_journal_cursor *cursor = fb_journal_cursor_open(sink->dir->journal, number, err);
    if (!cursor)
        return false;
    bool ok = fb_journal_cursor_next(cursor, &frame, err) == FB_READ_RECORD;
    *is = ok && fb_str_eq(frame.value, value);
    fb_journal_cursor_close(cursor);
    return ok;
}

static bool put(struct fb_sink *base, const struct fb_outgoing *record, struct fb_err *err) {
    struct state_sink *sink = (struct state_sink *)base;
    struct held held = {.kind = OUTPUT,
                        .partition = record->partition,
                        .stamp_us = record->stamp_us,
                        .header = sink->n_headers,
                        .n_headers = record->n_headers};
    if (sink->trouble.kind)
        return fb_fail(err, FB_FATAL, "%s", sink->trouble.text);
    FB_ASSERT(sink->phase == TAKING);
    if (strcmp(record->topic, sink->journal_topic) == 0)
        held.kind = JOURNAL;
    else if (strcmp(record->topic, sink->snapshot_topic) == 0)
        held.kind = PIECE;
    if (held.kind == JOURNAL) {
        bool again = false;
        if (!is_last(sink, record->value, &again, err))
            return false;
        if (again) /* in doubt the same commit is put again: it has its record */
            return true;
        /* One a commit, and the outputs of the one before are written. */
        FB_ASSERT(!sink->has_journal && fb_state_unfinished(sink->dir) < 0);
        sink->has_journal = true;
    }
    FB_ASSERT(held.kind != PIECE || record->key.p);
    if (held.kind != OUTPUT && held.stamp_us == FB_NO_STAMP)
        held.stamp_us = wall_us();
    held.topic = hold_bytes(sink, fb_str_of(record->topic));
    held.key = hold_bytes(sink, record->key);
    held.value = hold_bytes(sink, record->value);
    hold_headers(sink, record);
    FB_PUSH_ROOM(sink->held, sink->n_held, sink->cap_held);
    sink->held[sink->n_held++] = held;
    return true;
}

static void let_go(struct state_sink *sink) {
    sink->n_held = sink->n_headers = 0;
    sink->bytes.n = 0;
    sink->has_journal = false;
    sink->phase = TAKING;
    sink->next_put = 0;
}

/* ---- committing ---- */

static struct fb_frame frame_of(const struct state_sink *sink, const struct held *held,
                                int64_t number) {
    return (struct fb_frame){.number = number,
                             .stamp_us = held->stamp_us,
                             .mark = {.at = -1},
                             .key = view_of(sink, held->key),
                             .value = view_of(sink, held->value)};
}

/* Pieces, then the journal record: with that one safe, the commit is. */
static bool write_ahead(struct state_sink *sink, struct fb_err *err) {
    struct fb_state_dir *dir = sink->dir;
    const struct held *journal = NULL;
    int64_t number = fb_journal_files_end(dir->journal) - !sink->has_journal;
    for (size_t i = 0; i < sink->n_held; i++) {
        const struct held *held = &sink->held[i];
        struct fb_frame frame = frame_of(sink, held, number);
        if (held->kind == JOURNAL)
            journal = held;
        else if (held->kind == PIECE && !fb_slots_write(dir->slots, &frame, err))
            return false;
    }
    if (!fb_slots_sync(dir->slots, err))
        return false;
    if (!journal)
        return true;
    struct fb_frame frame = frame_of(sink, journal, number);
    frame.aside = fb_slots_aside(dir->slots);
    if (sink->marks.mark)
        frame.mark = sink->marks.mark(sink->marks.context);
    return fb_journal_files_append(dir->journal, &frame, err);
}

static bool put_held(struct state_sink *sink, const struct held *held, struct fb_err *err) {
    if (held->n_headers > sink->cap_views) {
        sink->cap_views = held->n_headers;
        sink->views = fb_grow(sink->views, sink->cap_views * sizeof *sink->views);
    }
    for (uint32_t i = 0; i < held->n_headers; i++) {
        const struct held_header *header = &sink->headers[held->header + i];
        sink->views[i] =
            (struct fb_header){view_of(sink, header->name), view_of(sink, header->value)};
    }
    struct fb_outgoing out = {.topic = sink->bytes.p + held->topic.at,
                              .partition = held->partition,
                              .stamp_us = held->stamp_us,
                              .key = view_of(sink, held->key),
                              .value = view_of(sink, held->value),
                              .headers = sink->views,
                              .n_headers = held->n_headers};
    return sink->inner->calls->put(sink->inner, &out, err);
}

static bool put_outputs(struct state_sink *sink, struct fb_err *err) {
    for (; sink->next_put < sink->n_held; sink->next_put++) {
        const struct held *held = &sink->held[sink->next_put];
        if (held->kind == OUTPUT && !put_held(sink, held, err))
            return false;
    }
    return true;
}

/* The journal is safe, whatever became of the outputs; it is not waited for before they are put. */
static bool settle(struct state_sink *sink, struct fb_err *err) {
    int64_t keep;
    return fb_slots_settle(sink->dir->slots, &keep, err) &&
           fb_journal_files_drop(sink->dir->journal, keep, err);
}

/* The outputs are safe. */
static bool finish(struct state_sink *sink, struct fb_err *err) {
    fb_state_mark_done(sink->dir);
    let_go(sink);
    return settle(sink, err);
}

static enum fb_commit fail(struct state_sink *sink, struct fb_err *trouble, struct fb_err *err) {
    sink->trouble = *trouble;
    sink->trouble.kind = FB_FATAL;
    if (err)
        *err = sink->trouble;
    return FB_COMMIT_FAILED;
}

static enum fb_commit commit(struct fb_sink *base, struct fb_record_source *source,
                             const struct fb_position *positions, uint32_t n, int timeout_ms,
                             struct fb_err *err) {
    struct state_sink *sink = (struct state_sink *)base;
    struct fb_err trouble = sink->trouble;
    if (trouble.kind)
        return fail(sink, &trouble, err);
    if (sink->phase == TAKING) {
        if (!write_ahead(sink, &trouble))
            return fail(sink, &trouble, err);
        sink->phase = PUTTING;
    }
    if (sink->phase == PUTTING) {
        if (!put_outputs(sink, &trouble))
            return trouble.kind == FB_RETRIABLE ? FB_COMMIT_WAIT : fail(sink, &trouble, err);
        sink->phase = ENDING;
    }
    enum fb_commit result =
        sink->inner->calls->commit(sink->inner, source, positions, n, timeout_ms, err);
    switch (result) {
    case FB_COMMITTED:
        return finish(sink, &trouble) ? FB_COMMITTED : fail(sink, &trouble, err);
    case FB_COMMIT_AGAIN: /* everything is still here */
        sink->next_put = 0;
        sink->phase = PUTTING;
        return FB_COMMIT_WAIT;
    case FB_COMMIT_WAIT:
        return FB_COMMIT_WAIT;
    case FB_COMMIT_DOUBT:
        if (!settle(sink, &trouble))
            return fail(sink, &trouble, err);
        break;
    case FB_COMMIT_FAILED:
        break;
    }
    if (err)
        sink->trouble = *err;
    sink->trouble.kind = FB_FATAL;
    return result;
}

static void close_sink(struct fb_sink *base) {
    struct state_sink *sink = (struct state_sink *)base;
    sink->inner->calls->close(sink->inner);
    fb_buf_free(&sink->bytes);
    free(sink->held);
    free(sink->headers);
    free(sink->views);
    free(sink->journal_topic);
    free(sink->snapshot_topic);
    free(sink);
}

/* ---- opening ---- */

/* Where the outputs of the unfinished record begin. */
static bool mark_of(struct fb_state_dir *dir, int64_t number, struct fb_state_mark *mark,
                    struct fb_err *err) {
    struct fb_frame frame;
    struct fb_journal_cursor *cursor = fb_journal_cursor_open(dir->journal, number, err);
    if (!cursor)
        return false;
    bool ok = fb_journal_cursor_next(cursor, &frame, err) == FB_READ_RECORD;
    if (ok)
        *mark = frame.mark;
    fb_journal_cursor_close(cursor);
    return ok;
}

static bool go_back(const struct state_sink *sink, struct fb_err *err) {
    struct fb_state_mark mark;
    int64_t unfinished = fb_state_unfinished(sink->dir);
    if (unfinished < 0 || !sink->marks.go_back)
        return true;
    return mark_of(sink->dir, unfinished, &mark, err) &&
           (mark.at < 0 || sink->marks.go_back(sink->marks.context, mark, err));
}

struct fb_sink *fb_state_sink_open(struct fb_state_dir *dir, struct fb_sink *inner,
                                   const struct fb_state_marks *marks, const char *journal_topic,
                                   const char *snapshot_topic, struct fb_err *err) {
    static const struct fb_sink_calls calls = {put, commit, close_sink};
    struct state_sink *sink = fb_alloc(sizeof *sink);
    sink->base.calls = &calls;
    sink->dir = dir;
    sink->inner = inner;
    if (marks)
        sink->marks = *marks;
    sink->journal_topic = fb_copy_text(journal_topic);
    sink->snapshot_topic = fb_copy_text(snapshot_topic);
    if (!go_back(sink, err)) {
        close_sink(&sink->base);
        return NULL;
    }
    return &sink->base;
}
