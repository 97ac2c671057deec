/* Reads journal, snapshots and an input file again.
 *
 * Place in the flow: see state_dir.h. */
#include "connectors/state_dir.h"

#include <stdlib.h>

#include "connectors/lines.h"
#include "connectors/state_parts.h"
#include "engine/base/arena.h"

struct history {
    struct fb_history base;
    struct fb_state_dir *dir;
    char *journal, *snapshot, *input, *input_path; /* input_path NULL: there is none */
    int64_t input_end;                             /* -1: not counted yet */
};

enum topic { UNKNOWN, JOURNAL, SNAPSHOT, INPUT };

static enum topic topic_of(const struct history *history, const char *topic, int32_t partition) {
    if (partition != history->dir->partition)
        return UNKNOWN;
    if (strcmp(topic, history->journal) == 0)
        return JOURNAL;
    if (strcmp(topic, history->snapshot) == 0)
        return SNAPSHOT;
    return history->input_path && strcmp(topic, history->input) == 0 ? INPUT : UNKNOWN;
}

static bool count_lines(struct history *history, struct fb_err *err) {
    struct fb_str line;
    enum fb_line read;
    int64_t n = 0;
    if (history->input_end >= 0)
        return true;
    struct fb_lines *lines = fb_lines_open(history->input_path, err);
    if (!lines)
        return false;
    while ((read = fb_lines_next(lines, &line, err)) == FB_LINE_WHOLE || read == FB_LINE_CUT)
        n++;
    fb_lines_close(lines);
    if (read == FB_LINE_END)
        history->input_end = n;
    return read == FB_LINE_END;
}

static bool bounds(struct fb_history *base, const char *topic, int32_t partition, int64_t *first,
                   int64_t *end, struct fb_err *err) {
    struct history *history = (struct history *)base;
    *first = *end = 0;
    switch (topic_of(history, topic, partition)) {
    case UNKNOWN:
        break;
    case JOURNAL:
        *first = fb_journal_files_first(history->dir->journal);
        *end = fb_journal_files_end(history->dir->journal);
        break;
    case SNAPSHOT:
        *end = fb_slots_count(history->dir->slots);
        break;
    case INPUT:
        if (!count_lines(history, err))
            return false;
        *end = history->input_end;
        break;
    }
    return true;
}

/* ---- readers ---- */

struct reader {
    struct fb_reader base;
    struct fb_str topic;
    int32_t partition;
    struct fb_journal_cursor *journal; /* one of the three */
    struct fb_slots_cursor *slots;
    struct fb_lines *lines;
    int64_t next; /* of the lines */
};

static enum fb_read next_line(struct reader *reader, struct fb_record *record, struct fb_err *err) {
    struct fb_str line = {0};
    do {
        enum fb_line read = fb_lines_next(reader->lines, &line, err);
        if (read == FB_LINE_END)
            return FB_READ_END;
        if (read == FB_LINE_FAILED)
            return FB_READ_FAILED;
        reader->next++;
    } while (line.n == 0);
    *record = (struct fb_record){.topic = reader->topic,
                                 .partition = reader->partition,
                                 .offset = reader->next - 1,
                                 .stamp_us = FB_NO_STAMP,
                                 .key = FB_S(""),
                                 .value = line};
    return FB_READ_RECORD;
}

static enum fb_read next(struct fb_reader *base, struct fb_record *record, struct fb_err *err) {
    struct reader *reader = (struct reader *)base;
    struct fb_frame frame;
    if (reader->lines)
        return next_line(reader, record, err);
    enum fb_read read = reader->journal ? fb_journal_cursor_next(reader->journal, &frame, err)
                                        : fb_slots_cursor_next(reader->slots, &frame, err);
    if (read == FB_READ_RECORD)
        *record = (struct fb_record){.topic = reader->topic,
                                     .partition = reader->partition,
                                     .offset = frame.number,
                                     .stamp_us = frame.stamp_us,
                                     .key = frame.key,
                                     .value = frame.value};
    return read;
}

static void close_reader(struct fb_reader *base) {
    struct reader *reader = (struct reader *)base;
    if (reader->journal)
        fb_journal_cursor_close(reader->journal);
    if (reader->slots)
        fb_slots_cursor_close(reader->slots);
    fb_lines_close(reader->lines);
    free(reader);
}

static struct fb_reader *new_reader(const char *topic, int32_t partition) {
    static const struct fb_reader_calls calls = {next, close_reader};
    struct reader *reader = fb_alloc(sizeof *reader);
    reader->base.calls = &calls;
    reader->topic = fb_str_of(topic);
    reader->partition = partition;
    return &reader->base;
}

/* Goes on to line `from`. */
static bool open_lines(struct history *history, struct reader *reader, int64_t from,
                       struct fb_err *err) {
    struct fb_str line;
    reader->lines = fb_lines_open(history->input_path, err);
    if (!reader->lines)
        return false;
    for (; reader->next < from; reader->next++) {
        enum fb_line read = fb_lines_next(reader->lines, &line, err);
        if (read == FB_LINE_FAILED)
            return false;
        if (read == FB_LINE_END)
            return fb_fail(err, FB_FATAL,
                           "%s has %lld lines, but %lld were read before: give the file that was "
                           "read, or move %s away to start anew",
                           history->input_path, (long long)reader->next, (long long)from,
                           fb_state_dir_path(history->dir));
    }
    return true;
}

static struct fb_reader *open_reader(struct fb_history *base, const char *topic, int32_t partition,
                                     int64_t from, struct fb_err *err) {
    struct history *history = (struct history *)base;
    enum topic kind = topic_of(history, topic, partition);
    const char *name = kind == JOURNAL    ? history->journal
                       : kind == SNAPSHOT ? history->snapshot
                                          : history->input;
    struct reader *reader = (struct reader *)new_reader(name, partition);
    struct fb_journal_files *journal = history->dir->journal;
    bool ok = true;
    switch (kind) {
    case UNKNOWN:
        ok = fb_fail(err, FB_FATAL, "%s cannot be read again: the state folder %s does not hold it",
                     topic, fb_state_dir_path(history->dir));
        break;
    case JOURNAL:
        if (from < fb_journal_files_first(journal) || from > fb_journal_files_end(journal))
            ok = fb_fail(err, FB_FATAL,
                         "%s: journal record %lld is not there, only %lld to %lld are: put the "
                         "folder back from a backup, or move it away to start anew",
                         fb_state_dir_path(history->dir), (long long)from,
                         (long long)fb_journal_files_first(journal),
                         (long long)fb_journal_files_end(journal) - 1);
        else
            ok = (reader->journal = fb_journal_cursor_open(journal, from, err)) != NULL;
        break;
    case SNAPSHOT:
        ok = (reader->slots = fb_slots_cursor_open(history->dir->slots, from, err)) != NULL;
        break;
    case INPUT:
        ok = open_lines(history, reader, from, err);
        break;
    }
    if (!ok) {
        close_reader(&reader->base);
        return NULL;
    }
    return &reader->base;
}

/* Only the journal is asked by time; the others are read from their beginning. */
static bool offset_at(struct fb_history *base, const char *topic, int32_t partition,
                      int64_t stamp_us, int64_t *offset, struct fb_err *err) {
    struct history *history = (struct history *)base;
    struct fb_record record;
    int64_t end;
    enum fb_read read = FB_READ_END;
    if (!bounds(base, topic, partition, offset, &end, err))
        return false;
    if (topic_of(history, topic, partition) != JOURNAL)
        return true;
    struct fb_reader *reader = open_reader(base, topic, partition, *offset, err);
    if (!reader)
        return false;
    for (; *offset < end; ++*offset) {
        read = next(reader, &record, err);
        if (read != FB_READ_RECORD || record.stamp_us >= stamp_us)
            break;
    }
    close_reader(reader);
    return read != FB_READ_FAILED;
}

/* ---- opening ---- */

static void close_history(struct fb_history *base) {
    struct history *history = (struct history *)base;
    free(history->journal);
    free(history->snapshot);
    free(history->input);
    free(history->input_path);
    free(history);
}

struct fb_history *fb_state_history_open(struct fb_state_dir *dir,
                                         const struct fb_history_topics *topics,
                                         struct fb_err *err) {
    /* No all_is_shown: what a folder does not show after its opening was never committed. */
    static const struct fb_history_calls calls = {
        .bounds = bounds, .offset_at = offset_at, .open = open_reader, .close = close_history};
    (void)err; /* trouble shows when it is read */
    struct history *history = fb_alloc(sizeof *history);
    history->base.calls = &calls;
    history->dir = dir;
    history->journal = fb_copy_text(topics->journal);
    history->snapshot = fb_copy_text(topics->snapshot);
    history->input = fb_copy_text(topics->input);
    history->input_path = topics->input_path ? fb_copy_text(topics->input_path) : NULL;
    history->input_end = -1;
    FB_ASSERT(history->journal && history->snapshot && history->input);
    return &history->base;
}
