/* A partition executed again, against its output topics. */
#include "engine/run/audit_live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/run/audit_again.h"
#include "engine/run/task_commit.h"

enum {
    LOOK_MS = 100,
    SETTLE_MS = 200,
    PLACES = FB_AUDIT_STREAMS + FB_COMMANDED_MAX /* of each kind, then other topics of commands */
};

/* What stands in one topic, beside what comes again. */
struct stream {
    const char *title; /* of what stands there */
    const char *topic; /* NULL: it is not looked at */
    char place[300];   /* "topic[partition]" */
    int32_t partition;
    bool shared; /* tasks of other partitions write there too */
    int64_t first, end /* when the work began */, next;
    struct fb_reader *reader; /* NULL: at its end, for now */
    struct fb_record ahead;   /* the next one of this task, where there is one */
    bool has_ahead;
    uint64_t seq; /* of an audit record ahead; 0: it does not tell */
    uint64_t passed_seq;
    bool passed;   /* a record of the task */
    uint64_t lost; /* the commit whose output, the first, was looked for in vain; 0: none */
    bool aligned;  /* a record was the same: from it on each must be */
    bool differs;  /* nothing is compared any more */
};

struct live {
    struct fb_history *history;
    const struct fb_audit_live_wish *wish;
    struct fb_audit_live_result *result;
    struct stream streams[PLACES];
    struct fb_audit_reader *audit;
    struct fb_audit_chains *chains; /* of what stands in the audit topic */
    bool begun;                     /* the first commit came */
    bool strange_told;              /* a topic of commands that the configuration does not name */
    uint64_t commit;                /* the present one */
    struct fb_err err;              /* a topic could not be read */
};

static const char *const titles[FB_AUDIT_STREAMS] = {"alert", "late record", "dead letter",
                                                     "audit record", "command",
                                                     "shadow command"};

/* ---- findings ---- */

static void add_finding(void *context, struct fb_str text) {
    struct live *live = context;
    struct fb_buf *out = &live->result->findings;
    live->result->n_findings++;
    fb_buf_printf(out, "%s: ", live->result->task);
    fb_buf_str(out, text);
    fb_buf_char(out, '\n');
}

/* Takes text. */
static void tell(struct live *live, struct fb_buf *text) {
    add_finding(live, (struct fb_str){text->p, text->n});
    fb_buf_free(text);
}

/* ---- what stands in a topic ---- */

static bool is_of_task(struct live *live, struct stream *stream) {
    struct fb_audit_record record;
    if (stream != &live->streams[FB_STREAM_AUDIT])
        return true;
    fb_audit_read(live->audit, stream->ahead.value, &record);
    stream->seq = record.seq;
    if (record.task.n && !fb_str_eq(record.task, fb_str_of(live->result->task)))
        return !stream->shared;
    return true;
}

/* The next record of the task; at the end, what has come since is looked for the next time. */
static enum fb_read look(struct live *live, struct stream *stream) {
    while (!stream->has_ahead) {
        if (!stream->reader)
            stream->reader = live->history->calls->open(
                live->history, stream->topic, stream->partition, stream->next, &live->err);
        if (!stream->reader)
            return FB_READ_FAILED;
        enum fb_read read = stream->reader->calls->next(stream->reader, &stream->ahead, &live->err);
        if (read == FB_READ_END) {
            stream->reader->calls->close(stream->reader);
            stream->reader = NULL;
        }
        if (read != FB_READ_RECORD)
            return read;
        stream->next = stream->ahead.offset + 1;
        stream->has_ahead = is_of_task(live, stream);
    }
    return FB_READ_RECORD;
}

/* The same for a record that must come. */
static enum fb_read await(struct live *live, struct stream *stream) {
    enum fb_read read = look(live, stream);
    for (int waited = 0; read == FB_READ_END && waited < live->wish->patience_ms;
         waited += LOOK_MS) {
        usleep(LOOK_MS * 1000);
        read = look(live, stream);
    }
    return read;
}

/* Goes past the record ahead. */
static void pass(struct live *live, struct stream *stream) {
    if (stream == &live->streams[FB_STREAM_AUDIT])
        fb_audit_chains_line(live->chains, stream->place, (uint64_t)stream->ahead.offset,
                             stream->ahead.value);
    stream->passed = true;
    stream->passed_seq = stream->seq;
    stream->has_ahead = false;
}

/* ---- one output beside one record ---- */

static bool same_text(struct fb_str a, struct fb_str b) {
    return !a.p == !b.p && fb_str_eq(a, b);
}

static uint32_t headers_of(const struct fb_record *record,
                           struct fb_header headers[FB_BATCH_HEADERS_MAX + 1]) {
    return record->headers ? record->headers(record->message, headers, FB_BATCH_HEADERS_MAX + 1)
                           : 0;
}

/* NULL: they are the same; else what is not, and its text in both. */
static const char *difference(const struct fb_record *record, const struct fb_outgoing *output,
                              struct fb_str *recorded, struct fb_str *executed) {
    struct fb_header headers[FB_BATCH_HEADERS_MAX + 1];
    uint32_t n = headers_of(record, headers);
    *recorded = record->value;
    *executed = output->value;
    if (!same_text(*recorded, *executed))
        return "value";
    *recorded = record->key;
    *executed = output->key;
    if (!same_text(*recorded, *executed))
        return "key";
    for (uint32_t i = 0; i < n && i < output->n_headers; i++) {
        *recorded = headers[i].value;
        *executed = output->headers[i].value;
        if (!fb_str_eq(headers[i].name, output->headers[i].name) ||
            !fb_str_eq(*recorded, *executed))
            return "headers";
    }
    *recorded = *executed = (struct fb_str){0};
    return n == output->n_headers ? NULL : "number of headers";
}

static void tell_difference(struct live *live, struct stream *stream,
                            const struct fb_outgoing *output) {
    struct fb_str recorded, executed;
    struct fb_buf text = {0};
    size_t at = 0;
    const char *what = difference(&stream->ahead, output, &recorded, &executed);
    while (at < recorded.n && at < executed.n && recorded.p[at] == executed.p[at])
        at++;
    fb_buf_printf(&text,
                  "commit %" PRIu64 ": %s:%" PRId64 ": executed again this %s is another one, its "
                  "%s differ%s",
                  live->commit, stream->place, stream->ahead.offset, stream->title, what,
                  strcmp(what, "headers") == 0 ? "" : "s");
    fb_audit_excerpt(&text, "recorded", recorded, at);
    fb_audit_excerpt(&text, "executed", executed, at);
    tell(live, &text);
    stream->differs = true;
}

static void tell_missing(struct live *live, struct stream *stream) {
    struct fb_buf text = {0};
    fb_buf_printf(&text, "commit %" PRIu64 ": executed again it gives one more %s than %s holds",
                  live->commit, stream->title, stream->place);
    if (stream->has_ahead)
        fb_buf_printf(&text, " before offset %" PRId64, stream->ahead.offset);
    tell(live, &text);
    stream->differs = true;
}

static bool is_same(const struct stream *stream, const struct fb_outgoing *output) {
    struct fb_str recorded, executed;
    return !difference(&stream->ahead, output, &recorded, &executed);
}

/* Whether an output may be missing because the topic's beginning was deleted. */
static bool may_be_gone(const struct stream *stream) {
    return !stream->passed && stream->first > 0;
}

/* Whether it stands before the snapshot, and so does the place in the topic. */
static bool searches(const struct live *live, const struct stream *stream) {
    return !stream->aligned && !stream->lost && live->result->first > 1;
}

/* Audit records have numbers. */
static enum fb_read go_to_seq(struct live *live, struct stream *stream,
                              const struct fb_outgoing *output) {
    struct fb_audit_record wanted;
    enum fb_read read;
    fb_audit_read(live->audit, output->value, &wanted);
    uint64_t seq = wanted.seq;
    while ((read = await(live, stream)) == FB_READ_RECORD && stream->seq < seq)
        pass(live, stream);
    return read == FB_READ_RECORD && stream->seq > seq ? FB_READ_END : read;
}

/* Other outputs do not. Behind a snapshot, those before it are passed by, up to the first one that
 * is the same. Where there is none, but the topic's beginning was deleted, it may be among them:
 * then what the topic begins with has to come again later. */
static enum fb_read go_to_same(struct live *live, struct stream *stream,
                               const struct fb_outgoing *output) {
    enum fb_read read = await(live, stream);
    if (!searches(live, stream))
        return read;
    for (; read == FB_READ_RECORD && !is_same(stream, output); read = await(live, stream))
        pass(live, stream);
    if (read == FB_READ_END && stream->first > 0) {
        stream->lost = live->commit;
        stream->next = stream->first;
        stream->passed = false;
    }
    return read;
}

/* A command may name its topic. NULL: the configuration does not know that one. */
static struct stream *stream_of(struct live *live, enum fb_stream kind,
                                const struct fb_outgoing *output) {
    const struct fb_audit_live_wish *wish = live->wish;
    struct stream *usual = &live->streams[kind];
    if (!output->topic || !wish->topics[kind] || strcmp(output->topic, wish->topics[kind]) == 0)
        return usual;
    for (uint32_t i = 0; i < wish->n_also; i++)
        if (strcmp(output->topic, wish->also[i]) == 0)
            return &live->streams[FB_AUDIT_STREAMS + i];
    return NULL;
}

/* Not to be compared is not the same as to be there. */
static void tell_strange(struct live *live, const char *topic) {
    struct fb_buf text = {0};
    if (live->strange_told)
        return;
    live->strange_told = true;
    fb_buf_printf(&text,
                  "commit %" PRIu64 ": executed again it commands the topic '%s', which is not "
                  "looked at: name it in topics.commands.also, as the configuration did then",
                  live->commit, topic);
    tell(live, &text);
}

/* False: the topic can not be read. */
static bool compare(struct live *live, enum fb_stream kind, const struct fb_outgoing *output) {
    struct stream *stream = stream_of(live, kind, output);
    if (!stream) {
        tell_strange(live, output->topic);
        return true;
    }
    if (!stream->topic || stream->differs)
        return true;
    enum fb_read read = kind == FB_STREAM_AUDIT ? go_to_seq(live, stream, output)
                                                : go_to_same(live, stream, output);
    bool same = read == FB_READ_RECORD && is_same(stream, output);
    if (read == FB_READ_FAILED)
        return false;
    if (same) {
        pass(live, stream);
        stream->aligned = true;
        live->result->compared[kind]++;
    } else if (may_be_gone(stream) && (read == FB_READ_END || kind != FB_STREAM_AUDIT)) {
        live->result->gone[kind]++;
    } else if (read == FB_READ_RECORD) {
        tell_difference(live, stream, output);
    } else {
        tell_missing(live, stream);
    }
    return true;
}

/* ---- the work ---- */

static bool on_outputs(void *context, const struct fb_journal *commit, struct fb_batch *batch) {
    struct live *live = context;
    struct fb_header headers[FB_BATCH_HEADERS_MAX];
    live->commit = commit->seq;
    if (!live->begun)
        live->result->first = commit->seq;
    live->begun = true;
    for (uint32_t i = 0; i < fb_batch_count(batch); i++) {
        struct fb_outgoing output = {0};
        enum fb_stream kind = fb_batch_at(batch, i, &output, headers);
        if (!fb_batch_ok(batch, &live->err) || !compare(live, kind, &output))
            return false;
    }
    return true;
}

static bool on_progress(void *context, int32_t partition, uint32_t permille) {
    (void)context;
    (void)partition;
    (void)permille;
    return true;
}

static bool open_stream(struct live *live, int place, const char *topic, int32_t partitions) {
    const struct fb_audit_live_wish *wish = live->wish;
    struct stream *stream = &live->streams[place];
    int kind = place < FB_AUDIT_STREAMS ? place : FB_STREAM_COMMANDS;
    stream->title = titles[kind];
    stream->shared = partitions < wish->n_partitions;
    stream->partition = wish->partition % partitions;
    if (stream->shared && kind != FB_STREAM_AUDIT)
        return true; /* whose record it is does not show */
    stream->topic = topic;
    live->result->looked_at[kind] = true;
    snprintf(stream->place, sizeof stream->place, "%s[%d]", topic, stream->partition);
    if (!live->history->calls->bounds(live->history, topic, stream->partition, &stream->first,
                                      &stream->end, &live->err))
        return false;
    stream->next = stream->first;
    return true;
}

static bool open_streams(struct live *live) {
    const struct fb_audit_live_wish *wish = live->wish;
    for (int i = 0; i < FB_AUDIT_STREAMS; i++)
        if (wish->topics[i] && !open_stream(live, i, wish->topics[i], wish->partitions[i]))
            return false;
    for (uint32_t i = 0; i < wish->n_also; i++)
        if (!open_stream(live, FB_AUDIT_STREAMS + (int)i, wish->also[i], wish->also_partitions[i]))
            return false;
    return true;
}

static void close_streams(struct live *live) {
    for (int i = 0; i < PLACES; i++) {
        struct stream *stream = &live->streams[i];
        if (stream->reader)
            stream->reader->calls->close(stream->reader);
        *stream = (struct stream){0};
    }
}

static void tell_surplus(struct live *live, struct stream *stream) {
    struct fb_buf text = {0};
    fb_buf_printf(&text,
                  "%s:%" PRId64 ": executed again up to commit %" PRIu64
                  ", the last one, it does not give this %s",
                  stream->place, stream->ahead.offset, live->result->last, stream->title);
    tell(live, &text);
    stream->differs = true;
}

/* What was there when the work began and did not come again. False: it can not be read. */
static bool end_stream(struct live *live, struct stream *stream) {
    if (!stream->topic || stream->differs || searches(live, stream))
        return true;
    enum fb_read read = look(live, stream);
    live->commit = stream->lost;
    if (read == FB_READ_RECORD && stream->lost && !stream->aligned)
        tell_missing(live, stream);
    else if (read == FB_READ_RECORD && stream->ahead.offset < stream->end)
        tell_surplus(live, stream);
    return read != FB_READ_FAILED;
}

/* All audit records of the task, and with them its head, must be there. */
static bool end_audit(struct live *live) {
    struct stream *stream = &live->streams[FB_STREAM_AUDIT];
    struct fb_audit_live_result *result = live->result;
    enum fb_read read = FB_READ_END;
    if (!stream->topic || stream->differs)
        return true;
    do {
        bool last_is_there = stream->passed_seq >= result->audit_seq;
        read = last_is_there ? look(live, stream) : await(live, stream);
        if (read != FB_READ_RECORD || stream->seq > result->audit_seq)
            break;
        pass(live, stream);
    } while (true);
    if (read == FB_READ_RECORD && stream->ahead.offset < stream->end)
        tell_surplus(live, stream);
    return read != FB_READ_FAILED;
}

static void check_head(struct live *live) {
    const struct fb_audit_live_result *result = live->result;
    struct stream *stream = &live->streams[FB_STREAM_AUDIT];
    uint64_t first;
    struct fb_audit_head head = {0};
    for (uint32_t i = 0; i < fb_audit_chains_tasks(live->chains); i++)
        if (fb_str_eq(fb_audit_chains_head(live->chains, i, &first).task, fb_str_of(result->task)))
            head = fb_audit_chains_head(live->chains, i, &first);
    if (!stream->topic || stream->differs || result->audit_seq == 0)
        return;
    if (head.seq == 0 && stream->first > 0)
        return; /* all of them were deleted */
    if (head.seq == result->audit_seq && memcmp(head.hash, result->audit_head, 32) == 0)
        return;
    struct fb_buf text = {0};
    fb_buf_printf(&text,
                  "%s: its audit records end with seq %" PRIu64
                  ", and the journal with seq %" PRIu64 "%s",
                  stream->place, head.seq, result->audit_seq,
                  head.seq == result->audit_seq ? " of another hash" : "");
    tell(live, &text);
}

static bool end_streams(struct live *live) {
    for (int i = 0; i < PLACES; i++)
        if (i != FB_STREAM_AUDIT && !end_stream(live, &live->streams[i]))
            return false;
    if (!end_audit(live))
        return false;
    check_head(live);
    return true;
}

static void take_head(struct live *live, const struct fb_task *task) {
    struct fb_posting posting;
    fb_task_describe(task, &posting);
    live->result->audit_seq = posting.audit_seq;
    memcpy(live->result->audit_head, posting.audit_head, sizeof posting.audit_head);
}

static enum fb_audit_live_end unreadable(struct live *live, const struct fb_err *err) {
    add_finding(live, fb_str_of(err->text));
    return FB_AUDIT_LIVE_UNREADABLE;
}

static enum fb_audit_live_end once(struct live *live, bool last, enum fb_restored *restored) {
    const struct fb_audit_live_wish *wish = live->wish;
    struct fb_audit_live_result *result = live->result;
    struct fb_restore_wish restore = {.config = wish->config,
                                      .pipe_topic = wish->pipe_topic,
                                      .journal = wish->topics[FB_STREAM_JOURNAL],
                                      .snapshot = wish->topics[FB_STREAM_SNAPSHOT],
                                      .partition = wish->partition,
                                      .for_audit = true,
                                      .from_beginning = wish->from_beginning,
                                      .all_is_shown = last,
                                      .progress = on_progress,
                                      .outputs = on_outputs,
                                      .context = live};
    struct fb_restore_figures figures = {0};
    struct fb_task *task = NULL;
    struct fb_err err = {0};
    if (!open_streams(live))
        return unreadable(live, &live->err);
    /* What is in the topics by now is soon known to be committed in the journal's too. */
    usleep(wish->patience_ms > SETTLE_MS ? SETTLE_MS * 1000 : 0);
    *restored = fb_restore(live->history, &restore, &task, &figures, &err);
    result->records = figures.records;
    result->last = live->commit;
    if (live->err.kind)
        return unreadable(live, &live->err);
    switch (*restored) {
    case FB_RESTORE_NOTHING:
        return end_streams(live) ? FB_AUDIT_LIVE_EMPTY : unreadable(live, &live->err);
    case FB_RESTORE_FAILED:
    case FB_RESTORE_STOPPED:
        return unreadable(live, &err);
    case FB_RESTORE_HALT:
    case FB_RESTORE_BEHIND:
        add_finding(live, fb_str_of(err.text));
        return FB_AUDIT_LIVE_DIFFERS;
    case FB_RESTORE_DONE:
        break;
    }
    result->last = fb_task_seq(task);
    result->first = result->last - figures.commits + 1;
    take_head(live, task);
    fb_task_free(task);
    return end_streams(live) ? FB_AUDIT_LIVE_SAME : unreadable(live, &live->err);
}

void fb_audit_live(struct fb_history *history, const struct fb_audit_live_wish *wish,
                   struct fb_audit_live_result *result) {
    enum fb_restored restored = FB_RESTORE_DONE;
    for (int waited = 0;; waited += LOOK_MS) {
        struct live live = {.history = history, .wish = wish, .result = result};
        *result = (struct fb_audit_live_result){0};
        snprintf(result->task, sizeof result->task, "%.*s/%d", FB_ARG(wish->config->application),
                 wish->partition);
        live.audit = fb_audit_reader_new();
        live.chains = fb_audit_chains_new(true, add_finding, &live);
        bool last = waited >= wish->patience_ms;
        result->end = once(&live, last, &restored);
        close_streams(&live);
        fb_audit_chains_free(live.chains);
        fb_audit_reader_free(live.audit);
        if (restored != FB_RESTORE_BEHIND || last)
            break;
        fb_buf_free(&result->findings);
        usleep(LOOK_MS * 1000);
    }
    if (result->n_findings > 0 && result->end != FB_AUDIT_LIVE_UNREADABLE)
        result->end = FB_AUDIT_LIVE_DIFFERS;
}
