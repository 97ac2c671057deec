/* Standard input as a source of one partition, standard output as a sink of lines. */
#include "connectors/pipe.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/file_out.h"
#include "connectors/lines.h"
#include "engine/base/arena.h"

enum { PARTITION = -1 };

/* ---- source ---- */

struct pipe_source {
    struct fb_record_source base;
    const struct fb_record_source_events *events;
    void *context;
    const char *path;
    struct fb_str topic;
    struct fb_lines *lines; /* NULL before the first byte: opening would wait for it */
    bool started, file;     /* file: its lines are there again each time it is opened */
    int64_t next;           /* FB_POSITION_NONE: nothing is to be read */
};

static void start(struct pipe_source *source) {
    struct fb_position position = {.topic = source->topic, .partition = PARTITION, .fresh = true};
    source->started = true;
    source->events->started(source->context, &position, 1);
    source->next = position.next;
}

/* Goes on to the line that is next. */
static bool skip_lines(struct pipe_source *source, struct fb_err *err) {
    struct fb_str line;
    for (int64_t at = 0; source->file && at < source->next; at++) {
        enum fb_line read = fb_lines_next(source->lines, &line, err);
        if (read == FB_LINE_FAILED)
            return false;
        if (read == FB_LINE_END)
            return fb_fail(err, FB_FATAL,
                           "%s has %lld lines, but %lld were read before: give the file that was "
                           "read, or another state.dir to start anew",
                           source->path, (long long)at, (long long)source->next);
    }
    return true;
}

/* False with err: it cannot be opened. Without err: nothing has come yet. */
static bool open_lines(struct pipe_source *source, int timeout_ms, struct fb_err *err) {
    struct pollfd wanted = {.fd = STDIN_FILENO, .events = POLLIN};
    if (source->lines)
        return true;
    if (strcmp(source->path, "-") == 0 && poll(&wanted, 1, timeout_ms) <= 0)
        return false;
    source->lines = fb_lines_open(source->path, err);
    return source->lines && skip_lines(source, err);
}

static enum fb_poll poll_lines(struct fb_record_source *base, int timeout_ms, struct fb_err *err) {
    struct pipe_source *source = (struct pipe_source *)base;
    struct fb_str line;
    if (!source->started)
        start(source);
    if (source->next == FB_POSITION_NONE) { /* nothing else is read here that could go on */
        fb_fail(err, FB_FATAL, "%s is not read, for the reason told before", source->path);
        return FB_POLL_FAILED;
    }
    if (!open_lines(source, timeout_ms, err))
        return err->kind ? FB_POLL_FAILED : FB_POLL_OK;
    for (bool more = true; more; timeout_ms = 0) {
        switch (fb_lines_next_within(source->lines, timeout_ms, &line, err)) {
        case FB_LINE_WHOLE:
        case FB_LINE_CUT:
            break;
        case FB_LINE_WAIT:
            source->events->end(source->context, source->topic, PARTITION, source->next);
            return FB_POLL_OK;
        case FB_LINE_END:
            source->events->end(source->context, source->topic, PARTITION, source->next);
            return FB_POLL_END;
        case FB_LINE_FAILED:
            return FB_POLL_FAILED;
        }
        if (line.n == 0) {
            source->next += source->file;
            continue;
        }
        struct fb_record record = {.topic = source->topic,
                                   .partition = PARTITION,
                                   .offset = source->next++,
                                   .stamp_us = FB_NO_STAMP,
                                   .key = FB_S(""),
                                   .value = line};
        more = source->events->record(source->context, &record);
    }
    return FB_POLL_OK;
}

static void stay(struct fb_record_source *base) {
    (void)base;
}

/* A pipe cannot be read again. */
static bool commit(struct fb_record_source *base, const struct fb_position *positions, uint32_t n,
                   struct fb_err *err) {
    (void)base;
    (void)positions;
    (void)n;
    (void)err;
    return true;
}

static bool online(const struct fb_record_source *base) {
    (void)base;
    return true;
}

static int64_t end_of(struct fb_record_source *base, const struct fb_position *position) {
    (void)base;
    (void)position;
    return -1;
}

static void close_source(struct fb_record_source *base) {
    struct pipe_source *source = (struct pipe_source *)base;
    fb_lines_close(source->lines);
    free(source);
}

static const struct fb_record_source_calls source_calls = {poll_lines, stay,   commit,
                                                           online,     end_of, close_source};

/* Standard input is one where a file that nobody has read from yet was put in its place. */
const char *fb_pipe_file(const char *path) {
    struct stat info;
    bool standard = strcmp(path, "-") == 0;
    if ((standard ? fstat(STDIN_FILENO, &info) : stat(path, &info)) || !S_ISREG(info.st_mode))
        return NULL;
    if (!standard)
        return path;
    return lseek(STDIN_FILENO, 0, SEEK_CUR) == 0 ? "/dev/stdin" : NULL;
}

struct fb_record_source *fb_pipe_source_open(const char *path, const char *topic,
                                             const struct fb_record_source_events *events,
                                             void *context, struct fb_err *err) {
    (void)err; /* trouble shows at the first poll */
    struct pipe_source *source = fb_alloc(sizeof *source);
    source->base.calls = &source_calls;
    source->events = events;
    source->context = context;
    source->path = path;
    source->file = fb_pipe_file(path) != NULL;
    source->topic = fb_str_of(topic);
    return &source->base;
}

/* ---- sink ---- */

struct pipe_sink {
    struct fb_sink base;
    struct fb_file_out *out;
};

static bool put(struct fb_sink *base, const struct fb_outgoing *record, struct fb_err *err) {
    return fb_file_out_put(((struct pipe_sink *)base)->out, record->value, err);
}

static enum fb_commit commit_lines(struct fb_sink *base, struct fb_record_source *source,
                                   const struct fb_position *positions, uint32_t n, int timeout_ms,
                                   struct fb_err *err) {
    (void)timeout_ms;
    return fb_file_out_sync(((struct pipe_sink *)base)->out, err) &&
                   source->calls->commit(source, positions, n, err)
               ? FB_COMMITTED
               : FB_COMMIT_FAILED;
}

static void close_sink(struct fb_sink *base) {
    struct pipe_sink *sink = (struct pipe_sink *)base;
    fb_file_out_close(sink->out, NULL);
    free(sink);
}

static const struct fb_sink_calls sink_calls = {put, commit_lines, close_sink};

static struct fb_state_mark mark(void *context) {
    struct fb_state_mark mark;
    fb_file_out_mark(((struct pipe_sink *)context)->out, &mark.file, &mark.at);
    return mark;
}

static bool go_back(void *context, struct fb_state_mark mark, struct fb_err *err) {
    return fb_file_out_go_back(((struct pipe_sink *)context)->out, mark.file, mark.at, err);
}

static struct fb_sink *new_sink(struct fb_file_out *out) {
    if (!out)
        return NULL;
    struct pipe_sink *sink = fb_alloc(sizeof *sink);
    sink->base.calls = &sink_calls;
    sink->out = out;
    return &sink->base;
}

struct fb_sink *fb_pipe_sink_open(const char *path, struct fb_err *err) {
    return new_sink(fb_file_out_open(path, err));
}

struct fb_sink *fb_pipe_sink_open_behind(const char *path, struct fb_state_marks *marks,
                                         struct fb_err *err) {
    struct fb_sink *sink = new_sink(fb_file_out_open_behind(path, err));
    *marks = (struct fb_state_marks){mark, go_back, sink};
    return sink;
}
