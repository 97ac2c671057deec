/* The journal of a state folder: numbered records in segments. */
#include "connectors/state_journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/arena.h"

enum { NUMBER_DIGITS = 20 };
static const char prefix[] = "journal-";

struct segment {
    int64_t first, end; /* of its records */
    char *path;
};

struct fb_journal_files {
    struct fb_disk *disk;
    char *folder;
    struct segment *segments; /* in order, without gaps */
    size_t n, cap;
    int file; /* of the last segment; -1: there is none */
    uint64_t size, segment_bytes;
    uint32_t aside; /* of the last record */
    bool broken;
};

static char *path_of(const char *folder, int64_t first) {
    struct fb_buf path = {0};
    fb_buf_printf(&path, "%s/%s%0*" PRId64, folder, prefix, NUMBER_DIGITS, first);
    (void)fb_buf_terminated(&path);
    return path.p;
}

static void add_segment(struct fb_journal_files *journal, int64_t first, int64_t end) {
    FB_PUSH_ROOM(journal->segments, journal->n, journal->cap);
    journal->segments[journal->n++] = (struct segment){first, end, path_of(journal->folder, first)};
}

static struct segment *last_of(struct fb_journal_files *journal) {
    return &journal->segments[journal->n - 1];
}

static bool damaged(struct fb_err *err, const char *path, int64_t number) {
    return fb_fail(err, FB_FATAL,
                   "%s: journal record %" PRId64
                   " is damaged or gone, though it was committed: put the folder back from a "
                   "backup, or move it away to start anew",
                   path, number);
}

/* ---- opening ---- */

/* -1: not the name of a segment. */
static int64_t first_of(const char *name) {
    size_t n = sizeof prefix - 1;
    if (strncmp(name, prefix, n) != 0 || strlen(name) != n + NUMBER_DIGITS ||
        strspn(name + n, "0123456789") != NUMBER_DIGITS || name[n] != '0')
        return -1;
    return strtoll(name + n, NULL, 10);
}

static int compare(const void *a, const void *b) {
    const struct segment *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Cuts the last segment at `at`: record `end`, which should be there, was never committed, unless
 * it can be seen that it was. beyond: numbers above it show that. */
static bool cut_tail(struct fb_journal_files *journal, struct fb_frame_file *file, uint64_t at,
                     int64_t end, int64_t beyond, int64_t done, struct fb_err *err) {
    struct fb_disk *disk = journal->disk;
    bool committed = done >= end;
    if (!committed && !fb_frame_is_beyond(file, at, beyond, &committed, err))
        return false;
    if (committed)
        return damaged(err, file->path, end);
    int code = disk->calls->truncate(disk, file->file, at);
    file->size = at;
    return code == 0 || fb_disk_fail(err, "cut", file->path, code);
}

/* Finds the segment's end. Only the last one may be torn, and only its records are read whole: the
 * others were complete and synced before it was made. */
static bool examine(struct fb_journal_files *journal, size_t i, struct fb_frame_file *file,
                    int64_t done, struct fb_err *err) {
    struct segment *segment = &journal->segments[i];
    bool last = i + 1 == journal->n;
    struct fb_buf room = {0};
    struct fb_frame frame;
    uint64_t at = 0, last_at = 0, next;
    enum fb_frame_read read;
    bool ok = true;
    segment->end = segment->first - 1; /* the head counts too */
    while ((read = fb_frame_read(file, at, last, &room, &frame, &next, err)) == FB_FRAME_OK) {
        bool head = segment->end < segment->first;
        if (frame.number != (head ? segment->first : segment->end) ||
            fb_str_eq(frame.key, FB_S("journal")) != head) {
            read = FB_FRAME_BAD;
            break;
        }
        segment->end++;
        journal->aside = frame.aside;
        last_at = at;
        at = next;
    }
    if (read == FB_FRAME_FAILED) {
        ok = false;
    } else if (segment->end < segment->first) {
        /* Not even a head: it is synced before the first record is written. */
        ok = last ? cut_tail(journal, file, 0, segment->first, segment->first - 1, done, err)
                  : damaged(err, file->path, segment->first);
        segment->end = -1;
    } else if (read == FB_FRAME_BAD) {
        ok = last ? cut_tail(journal, file, at, segment->end, segment->end, done, err)
                  : damaged(err, file->path, segment->end);
    }
    fb_buf_free(&room);
    return ok && (!last || segment->end < 0 || fb_frame_rewrite(file, last_at, at, err));
}

static bool open_segment(struct fb_journal_files *journal, size_t i, int64_t done,
                         struct fb_err *err) {
    struct fb_disk *disk = journal->disk;
    struct fb_frame_file file = {.disk = disk, .path = journal->segments[i].path};
    bool last = i + 1 == journal->n;
    file.file = disk->calls->open(disk, file.path, last ? FB_DISK_WRITE : FB_DISK_READ);
    if (file.file < 0)
        return fb_disk_fail(err, "open", file.path, file.file);
    int64_t size = disk->calls->size(disk, file.file);
    file.size = size < 0 ? 0 : (uint64_t)size;
    bool ok = size >= 0 || fb_disk_fail(err, "read", file.path, size);
    ok = ok && examine(journal, i, &file, done, err);
    /* What another process wrote may be in memory only. */
    int code = ok && last ? disk->calls->sync(disk, file.file) : 0;
    ok = ok && (code == 0 || fb_disk_fail(err, "sync", file.path, code));
    if (ok && last) {
        journal->file = file.file;
        journal->size = file.size;
    } else {
        disk->calls->close(disk, file.file);
    }
    return ok;
}

/* A segment whose head never came to the disk: a crash when it was made. */
static bool drop_empty(struct fb_journal_files *journal, struct fb_err *err) {
    struct segment *last = last_of(journal);
    journal->disk->calls->close(journal->disk, journal->file);
    journal->file = -1;
    int code = journal->disk->calls->unlink(journal->disk, last->path);
    if (code)
        return fb_disk_fail(err, "remove", last->path, code);
    free(last->path);
    journal->n--;
    return true;
}

static bool open_segments(struct fb_journal_files *journal, int64_t done, struct fb_err *err) {
    for (size_t i = 0; i < journal->n; i++) {
        struct segment *segment = &journal->segments[i];
        if (i > 0 && segment[-1].end != segment->first)
            return damaged(err, segment->path, segment[-1].end);
        if (!open_segment(journal, i, done, err))
            return false;
    }
    if (journal->n > 0 && last_of(journal)->end < 0) {
        if (!drop_empty(journal, err))
            return false;
        return journal->n == 0 || open_segment(journal, journal->n - 1, done, err);
    }
    return true;
}

struct fb_journal_files *fb_journal_files_open(struct fb_disk *disk, const char *folder,
                                               char *const *names, size_t n_names, int64_t done,
                                               uint64_t segment_bytes, struct fb_err *err) {
    struct fb_journal_files *journal = fb_alloc(sizeof *journal);
    *journal = (struct fb_journal_files){
        .disk = disk, .folder = fb_copy_text(folder), .file = -1, .segment_bytes = segment_bytes};
    for (size_t i = 0; i < n_names; i++)
        if (first_of(names[i]) >= 0)
            add_segment(journal, first_of(names[i]), -1);
    if (journal->n > 0)
        qsort(journal->segments, journal->n, sizeof *journal->segments, compare);
    bool ok = open_segments(journal, done, err);
    if (ok && done >= fb_journal_files_end(journal))
        ok = damaged(err, folder, done);
    if (!ok) {
        fb_journal_files_close(journal);
        return NULL;
    }
    return journal;
}

void fb_journal_files_close(struct fb_journal_files *journal) {
    if (!journal)
        return;
    if (journal->file >= 0)
        journal->disk->calls->close(journal->disk, journal->file);
    for (size_t i = 0; i < journal->n; i++)
        free(journal->segments[i].path);
    free(journal->segments);
    free(journal->folder);
    free(journal);
}

int64_t fb_journal_files_first(const struct fb_journal_files *journal) {
    return journal->n ? journal->segments[0].first : 0;
}

int64_t fb_journal_files_end(const struct fb_journal_files *journal) {
    return journal->n ? journal->segments[journal->n - 1].end : 0;
}

uint32_t fb_journal_files_aside(const struct fb_journal_files *journal) {
    return journal->aside;
}

/* ---- writing ---- */

/* Written and synced, or taken back as far as the disk allows, so that nobody mistakes what is only
 * in memory for what is safe. */
static bool write_safely(struct fb_journal_files *journal, const struct fb_buf *bytes,
                         struct fb_err *err) {
    struct fb_disk *disk = journal->disk;
    const char *path = last_of(journal)->path, *what = "write";
    int code = disk->calls->write(disk, journal->file, journal->size, bytes->p, bytes->n);
    if (code == 0) {
        what = "sync";
        code = disk->calls->sync(disk, journal->file);
    }
    if (code == 0) {
        journal->size += bytes->n;
        return true;
    }
    journal->broken = true;
    disk->calls->truncate(disk, journal->file, journal->size);
    return fb_disk_fail(err, what, path, code);
}

static bool begin_segment(struct fb_journal_files *journal, struct fb_err *err) {
    struct fb_disk *disk = journal->disk;
    int64_t first = fb_journal_files_end(journal);
    if (journal->file >= 0)
        disk->calls->close(disk, journal->file);
    add_segment(journal, first, first);
    const char *path = last_of(journal)->path;
    journal->size = 0;
    journal->file = disk->calls->open(disk, path, FB_DISK_NEW);
    if (journal->file < 0) {
        journal->broken = true;
        return fb_disk_fail(err, "make", path, journal->file);
    }
    struct fb_buf head = {0};
    fb_frame_encode(
        &(struct fb_frame){.number = first, .key = FB_S("journal"), .aside = journal->aside},
        &head);
    bool ok = write_safely(journal, &head, err);
    fb_buf_free(&head);
    int code = ok ? disk->calls->sync_dir(disk, journal->folder) : 0;
    if (code) {
        journal->broken = true;
        ok = fb_disk_fail(err, "sync", journal->folder, code);
    }
    return ok;
}

bool fb_journal_files_append(struct fb_journal_files *journal, const struct fb_frame *frame,
                             struct fb_err *err) {
    FB_ASSERT(!journal->broken && frame->number == fb_journal_files_end(journal));
    bool full = journal->n > 0 && journal->size >= journal->segment_bytes;
    if ((journal->file < 0 || full) && !begin_segment(journal, err))
        return false;
    struct fb_buf bytes = {0};
    fb_frame_encode(frame, &bytes);
    bool ok = write_safely(journal, &bytes, err);
    fb_buf_free(&bytes);
    if (!ok)
        return false;
    last_of(journal)->end++;
    journal->aside = frame->aside;
    return true;
}

bool fb_journal_files_drop(struct fb_journal_files *journal, int64_t keep, struct fb_err *err) {
    struct fb_disk *disk = journal->disk;
    while (journal->n > 1 && journal->segments[0].end <= keep) {
        const char *path = journal->segments[0].path;
        int code = disk->calls->unlink(disk, path);
        if (code)
            return fb_disk_fail(err, "remove", path, code);
        /* One after the other, so that a power cut leaves no gap between those that remain. */
        code = disk->calls->sync_dir(disk, journal->folder);
        if (code)
            return fb_disk_fail(err, "sync", journal->folder, code);
        free(journal->segments[0].path);
        journal->n--;
        memmove(journal->segments, journal->segments + 1, journal->n * sizeof *journal->segments);
    }
    return true;
}

/* ---- reading ---- */

struct fb_journal_cursor {
    const struct fb_journal_files *journal;
    struct fb_frame_file file; /* file -1: none is open */
    int64_t next, end;
    uint64_t at;
    struct fb_buf room;
};

/* Opens the segment of `next` and goes to it. */
static bool go_to(struct fb_journal_cursor *cursor, struct fb_err *err) {
    const struct fb_journal_files *journal = cursor->journal;
    struct fb_disk *disk = journal->disk;
    size_t i = 0;
    while (journal->segments[i].end <= cursor->next)
        i++;
    const struct segment *segment = &journal->segments[i];
    if (cursor->file.file >= 0)
        disk->calls->close(disk, cursor->file.file);
    cursor->file = (struct fb_frame_file){.disk = disk, .path = segment->path};
    cursor->file.file = disk->calls->open(disk, segment->path, FB_DISK_READ);
    if (cursor->file.file < 0)
        return fb_disk_fail(err, "open", segment->path, cursor->file.file);
    int64_t size = disk->calls->size(disk, cursor->file.file);
    if (size < 0)
        return fb_disk_fail(err, "read", segment->path, size);
    cursor->file.size = (uint64_t)size;
    cursor->at = 0;
    struct fb_frame frame;
    for (int64_t skip = segment->first - 1; skip < cursor->next; skip++) {
        enum fb_frame_read read = fb_frame_read(&cursor->file, cursor->at, false, &cursor->room,
                                                &frame, &cursor->at, err);
        if (read != FB_FRAME_OK)
            return read == FB_FRAME_FAILED ? false : damaged(err, segment->path, skip);
    }
    return true;
}

struct fb_journal_cursor *fb_journal_cursor_open(const struct fb_journal_files *journal,
                                                 int64_t from, struct fb_err *err) {
    struct fb_journal_cursor *cursor = fb_alloc(sizeof *cursor);
    *cursor = (struct fb_journal_cursor){.journal = journal,
                                         .file = {.file = -1},
                                         .next = from,
                                         .end = fb_journal_files_end(journal)};
    if (from < cursor->end && !go_to(cursor, err)) {
        fb_journal_cursor_close(cursor);
        return NULL;
    }
    return cursor;
}

enum fb_read fb_journal_cursor_next(struct fb_journal_cursor *cursor, struct fb_frame *frame,
                                    struct fb_err *err) {
    if (cursor->next >= cursor->end)
        return FB_READ_END;
    /* The end of a segment: the record is in the next one. */
    if (cursor->at == cursor->file.size && !go_to(cursor, err))
        return FB_READ_FAILED;
    switch (
        fb_frame_read(&cursor->file, cursor->at, true, &cursor->room, frame, &cursor->at, err)) {
    case FB_FRAME_OK:
        FB_ASSERT(frame->number == cursor->next);
        cursor->next++;
        return FB_READ_RECORD;
    case FB_FRAME_END:
    case FB_FRAME_BAD:
        damaged(err, cursor->file.path, cursor->next);
        return FB_READ_FAILED;
    case FB_FRAME_FAILED:
        break;
    }
    return FB_READ_FAILED;
}

void fb_journal_cursor_close(struct fb_journal_cursor *cursor) {
    if (cursor->file.file >= 0)
        cursor->journal->disk->calls->close(cursor->journal->disk, cursor->file.file);
    fb_buf_free(&cursor->room);
    free(cursor);
}
