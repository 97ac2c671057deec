/* The snapshots of a state folder: the last whole one of each slot, the one being written, and what
 * is kept beside them. */
#include "connectors/state_slots.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/hash.h"
#include "engine/base/log.h"

enum { SLOTS = 2 };
#define NOT_WHOLE INT64_MIN

/* The newest value of a key. */
struct piece {
    struct fb_hash128 key, value;
    uint64_t at;
};

struct slots_file {
    char *path;
    const char *name; /* the end of path */
    int file;         /* -1: not open */
    uint64_t size;
    struct piece *pieces;
    size_t n, cap;
    int64_t keep;     /* of a snapshot: from where on it may need the journal */
    int64_t manifest; /* number of its last piece, or NOT_WHOLE */
    bool dirty, made; /* what sync has to do */
};

struct fb_slots {
    struct fb_disk *disk;
    char *folder;
    struct slots_file whole[SLOTS], fresh[SLOTS], others;
};

static int slot_of(struct fb_str key) {
    return key.n >= 2 && key.p[1] == '/' && (key.p[0] == 'A' || key.p[0] == 'B') ? key.p[0] - 'A'
                                                                                 : -1;
}

static bool is_manifest(struct fb_str key) {
    static const struct fb_str end = FB_S("/manifest");
    return key.n >= end.n && fb_str_eq((struct fb_str){key.p + key.n - end.n, end.n}, end);
}

/* ---- one file ---- */

static struct slots_file file_named(const char *folder, const char *name) {
    struct fb_buf path = {0};
    fb_buf_printf(&path, "%s/%s", folder, name);
    (void)fb_buf_terminated(&path);
    return (struct slots_file){.path = path.p, .name = name, .file = -1, .manifest = NOT_WHOLE};
}

static void close_file(const struct fb_slots *slots, struct slots_file *file) {
    if (file->file >= 0)
        slots->disk->calls->close(slots->disk, file->file);
    file->file = -1;
}

/* As if the file were not there. */
static void forget(const struct fb_slots *slots, struct slots_file *file) {
    close_file(slots, file);
    file->n = 0;
    file->size = 0;
    file->manifest = NOT_WHOLE;
    file->dirty = file->made = false;
}

static struct fb_frame_file view_of(const struct fb_slots *slots, const struct slots_file *file) {
    return (struct fb_frame_file){slots->disk, file->path, file->file, file->size};
}

static struct piece *find_piece(struct slots_file *file, struct fb_hash128 key) {
    for (size_t i = 0; i < file->n; i++)
        if (fb_hash128_eq(file->pieces[i].key, key))
            return &file->pieces[i];
    return NULL;
}

/* A frame without a value removes its key. */
static void note_piece(struct slots_file *file, const struct fb_frame *frame, uint64_t at) {
    bool removed = !frame->value.p;
    struct piece piece = {.key = fb_hash128(frame->key.p, frame->key.n), .at = at};
    if (frame->value.p)
        piece.value = fb_hash128(frame->value.p, frame->value.n);
    struct piece *known = find_piece(file, piece.key);
    if (removed && known) {
        file->n--;
        memmove(known, known + 1, (size_t)(file->pieces + file->n - known) * sizeof *known);
    } else if (known) {
        *known = piece;
    } else if (!removed) {
        FB_PUSH_ROOM(file->pieces, file->n, file->cap);
        file->pieces[file->n++] = piece;
    }
}

static bool open_file(const struct fb_slots *slots, struct slots_file *file, enum fb_disk_open how,
                      struct fb_err *err) {
    file->file = slots->disk->calls->open(slots->disk, file->path, how);
    if (file->file < 0)
        return fb_disk_fail(err, "open", file->path, file->file);
    int64_t size = slots->disk->calls->size(slots->disk, file->file);
    if (size < 0)
        return fb_disk_fail(err, "read", file->path, size);
    file->size = (uint64_t)size;
    return true;
}

static bool sync_file(const struct fb_slots *slots, const struct slots_file *file,
                      struct fb_err *err) {
    int code = slots->disk->calls->sync(slots->disk, file->file);
    return code == 0 || fb_disk_fail(err, "sync", file->path, code);
}

static bool sync_folder(const struct fb_slots *slots, struct fb_err *err) {
    int code = slots->disk->calls->sync_dir(slots->disk, slots->folder);
    return code == 0 || fb_disk_fail(err, "sync", slots->folder, code);
}

static bool append(const struct fb_slots *slots, struct slots_file *file,
                   const struct fb_frame *frame, struct fb_err *err) {
    struct fb_buf bytes = {0};
    fb_frame_encode(frame, &bytes);
    int code = slots->disk->calls->write(slots->disk, file->file, file->size, bytes.p, bytes.n);
    file->size += bytes.n;
    file->dirty = true;
    fb_buf_free(&bytes);
    return code == 0 || fb_disk_fail(err, "write", file->path, code);
}

static bool damaged(struct fb_err *err, const struct slots_file *file, uint64_t at) {
    return fb_fail(err, FB_FATAL,
                   "%s is damaged at byte %llu: put the folder back from a backup, or move it away "
                   "to start anew",
                   file->path, (unsigned long long)at);
}

/* Notes what an open file holds of commits before `end`, up to its manifest; `good` is where that
 * ends. A file without a proper beginning holds nothing. */
static bool examine(const struct fb_slots *slots, struct slots_file *file, struct fb_str head,
                    bool whole, int64_t end, uint64_t *good, struct fb_err *err) {
    struct fb_frame_file view = view_of(slots, file);
    struct fb_buf room = {0};
    struct fb_frame frame;
    uint64_t next;
    enum fb_frame_read read = FB_FRAME_OK;
    *good = 0;
    while (file->manifest == NOT_WHOLE) {
        read = fb_frame_read(&view, *good, whole, &room, &frame, &next, err);
        if (read != FB_FRAME_OK || (*good == 0) != fb_str_eq(frame.key, head) ||
            (*good > 0 && frame.number >= end))
            break;
        if (*good == 0)
            file->keep = frame.number;
        else
            note_piece(file, &frame, *good);
        if (*good > 0 && slot_of(frame.key) >= 0 && is_manifest(frame.key) && frame.value.p)
            file->manifest = frame.number;
        *good = next;
    }
    fb_buf_free(&room);
    return read != FB_FRAME_FAILED;
}

/* ---- opening ---- */

static bool has(char *const *names, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* A snapshot that was whole and safe once: only the heads are read here, restoring checks it all.
 */
static bool open_whole(const struct fb_slots *slots, struct slots_file *file, int64_t journal_end,
                       struct fb_err *err) {
    uint64_t good;
    if (!open_file(slots, file, FB_DISK_READ, err) ||
        !examine(slots, file, FB_S("snapshot"), false, INT64_MAX, &good, err))
        return false;
    if (file->manifest >= journal_end)
        return fb_fail(err, FB_FATAL,
                       "%s was made after the end of the journal beside it, so journal records "
                       "that were committed are gone: put the folder back from a backup, or move "
                       "it away to start anew",
                       file->path);
    if (file->manifest == NOT_WHOLE) {
        fb_log(FB_LOG_WARN, "%s is damaged and not looked at", file->path);
        forget(slots, file);
    }
    file->size = good;
    close_file(slots, file);
    return true;
}

static bool make_whole(struct fb_slots *slots, int slot, struct fb_err *err) {
    struct slots_file *from = &slots->fresh[slot], *to = &slots->whole[slot];
    close_file(slots, from);
    int code = slots->disk->calls->rename(slots->disk, from->path, to->path);
    if (code)
        return fb_disk_fail(err, "rename", from->path, code);
    free(to->pieces);
    to->pieces = from->pieces;
    to->n = from->n;
    to->cap = from->cap;
    to->size = from->size;
    to->keep = from->keep;
    to->manifest = from->manifest;
    from->pieces = NULL;
    from->cap = 0;
    forget(slots, from);
    return sync_folder(slots, err);
}

/* A snapshot that was under way: finished if it was committed whole, of no use otherwise. */
static bool open_fresh(struct fb_slots *slots, int slot, int64_t journal_end, struct fb_err *err) {
    struct slots_file *file = &slots->fresh[slot];
    uint64_t good;
    if (!open_file(slots, file, FB_DISK_WRITE, err) ||
        !examine(slots, file, FB_S("snapshot"), true, journal_end, &good, err))
        return false;
    if (file->manifest != NOT_WHOLE) {
        file->size = good;
        return sync_file(slots, file, err) && make_whole(slots, slot, err);
    }
    forget(slots, file);
    int code = slots->disk->calls->unlink(slots->disk, file->path);
    /* For good: the numbers in it will be given to other commits. */
    return (code == 0 || fb_disk_fail(err, "remove", file->path, code)) && sync_folder(slots, err);
}

static bool open_others(struct fb_slots *slots, const struct fb_slots_journal *journal,
                        struct fb_err *err) {
    struct slots_file *file = &slots->others;
    uint64_t good;
    if (!open_file(slots, file, FB_DISK_WRITE, err) ||
        !examine(slots, file, FB_S("others"), true, journal->end, &good, err))
        return false;
    struct fb_frame_file view = view_of(slots, file);
    uint64_t last = 0;
    for (size_t i = 0; i < file->n; i++)
        last = file->pieces[i].at > last ? file->pieces[i].at : last;
    if (good < journal->aside)
        return damaged(err, file, good);
    file->size = good;
    int code = slots->disk->calls->truncate(slots->disk, file->file, good);
    return (code == 0 || fb_disk_fail(err, "cut", file->path, code)) &&
           fb_frame_rewrite(&view, last, good, err) && sync_file(slots, file, err);
}

/* Whether some snapshot reaches back to where the journal begins. */
static bool is_covered(const struct fb_slots *slots, int64_t journal_first) {
    bool covered = journal_first == 0;
    for (int i = 0; i < SLOTS; i++)
        covered |= slots->whole[i].manifest != NOT_WHOLE && slots->whole[i].keep >= journal_first;
    return covered;
}

struct fb_slots *fb_slots_open(struct fb_disk *disk, const char *folder, char *const *names,
                               size_t n_names, const struct fb_slots_journal *journal,
                               struct fb_err *err) {
    static const char *const whole[] = {"snapshot-A", "snapshot-B"};
    static const char *const fresh[] = {"snapshot-A.new", "snapshot-B.new"};
    struct fb_slots *slots = fb_alloc(sizeof *slots);
    slots->disk = disk;
    slots->folder = fb_copy_text(folder);
    slots->others = file_named(folder, "others");
    for (int i = 0; i < SLOTS; i++) {
        slots->whole[i] = file_named(folder, whole[i]);
        slots->fresh[i] = file_named(folder, fresh[i]);
    }
    bool ok = true;
    for (int i = 0; ok && i < SLOTS; i++) {
        if (has(names, n_names, whole[i]))
            ok = open_whole(slots, &slots->whole[i], journal->end, err);
        if (ok && has(names, n_names, fresh[i]))
            ok = open_fresh(slots, i, journal->end, err);
    }
    /* Where it is not there, but should be, it is made, and found empty. */
    if (ok && (journal->aside > 0 || has(names, n_names, slots->others.name)))
        ok = open_others(slots, journal, err);
    if (ok && !is_covered(slots, journal->first))
        ok = fb_fail(err, FB_FATAL,
                     "%s: the journal begins at record %lld, and no snapshot holds what came "
                     "before: put the folder back from a backup, or move it away to start anew",
                     folder, (long long)journal->first);
    if (!ok) {
        fb_slots_close(slots);
        return NULL;
    }
    return slots;
}

static void free_file(const struct fb_slots *slots, struct slots_file *file) {
    forget(slots, file);
    free(file->pieces);
    free(file->path);
}

void fb_slots_close(struct fb_slots *slots) {
    if (!slots)
        return;
    for (int i = 0; i < SLOTS; i++) {
        free_file(slots, &slots->whole[i]);
        free_file(slots, &slots->fresh[i]);
    }
    free_file(slots, &slots->others);
    free(slots->folder);
    free(slots);
}

/* ---- writing ---- */

static int64_t newest_manifest(const struct fb_slots *slots) {
    int64_t newest = 0;
    for (int i = 0; i < SLOTS; i++)
        if (slots->whole[i].manifest > newest)
            newest = slots->whole[i].manifest;
    return newest;
}

/* Begins a file with its first frame. What an older one held must not come back between the new
 * frames, so it is synced while it is empty. */
static bool begin(struct fb_slots *slots, struct slots_file *file, struct fb_str head,
                  int64_t number, struct fb_err *err) {
    forget(slots, file);
    if (!open_file(slots, file, FB_DISK_NEW, err) || !sync_file(slots, file, err))
        return false;
    file->keep = number;
    file->made = true;
    return append(slots, file, &(struct fb_frame){.number = number, .key = head}, err);
}

static bool write_other(struct fb_slots *slots, const struct fb_frame *frame, struct fb_err *err) {
    struct slots_file *file = &slots->others;
    struct piece *known = find_piece(file, fb_hash128(frame->key.p, frame->key.n));
    if (frame->value.p
            ? known && fb_hash128_eq(known->value, fb_hash128(frame->value.p, frame->value.n))
            : !known)
        return true;
    if (file->file < 0 && !begin(slots, file, FB_S("others"), -1, err))
        return false;
    if (file->size == 0 &&
        !append(slots, file, &(struct fb_frame){.number = -1, .key = FB_S("others")}, err))
        return false;
    if (!sync_file(slots, file, err))
        return false;
    uint64_t at = file->size;
    if (!append(slots, file, frame, err))
        return false;
    note_piece(file, frame, at);
    return true;
}

bool fb_slots_write(struct fb_slots *slots, const struct fb_frame *frame, struct fb_err *err) {
    int slot = slot_of(frame->key);
    if (slot < 0)
        return write_other(slots, frame, err);
    struct slots_file *file = &slots->fresh[slot];
    FB_ASSERT(file->manifest == NOT_WHOLE);
    struct fb_hash128 key = fb_hash128(frame->key.p, frame->key.n);
    bool again = file->n > 0 && fb_hash128_eq(file->pieces[0].key, key); /* from its first piece */
    if ((file->file < 0 || again) &&
        !begin(slots, file, FB_S("snapshot"), newest_manifest(slots), err))
        return false;
    uint64_t at = file->size;
    if (!append(slots, file, frame, err))
        return false;
    note_piece(file, frame, at);
    if (is_manifest(frame->key) && frame->value.p)
        file->manifest = frame->number;
    return true;
}

static bool make_safe(struct fb_slots *slots, struct slots_file *file, struct fb_err *err) {
    if (file->dirty && !sync_file(slots, file, err))
        return false;
    if (file->made && !sync_folder(slots, err))
        return false;
    file->dirty = file->made = false;
    return true;
}

bool fb_slots_sync(struct fb_slots *slots, struct fb_err *err) {
    bool ok = make_safe(slots, &slots->others, err);
    for (int i = 0; ok && i < SLOTS; i++)
        ok = make_safe(slots, &slots->fresh[i], err);
    return ok;
}

uint32_t fb_slots_aside(const struct fb_slots *slots) {
    FB_ASSERT(slots->others.size <= UINT32_MAX);
    return (uint32_t)slots->others.size;
}

bool fb_slots_settle(struct fb_slots *slots, int64_t *keep, struct fb_err *err) {
    *keep = INT64_MAX;
    for (int i = 0; i < SLOTS; i++) {
        if (slots->fresh[i].manifest != NOT_WHOLE && !make_whole(slots, i, err))
            return false;
        if (slots->whole[i].manifest != NOT_WHOLE && slots->whole[i].keep < *keep)
            *keep = slots->whole[i].keep;
    }
    if (*keep == INT64_MAX)
        *keep = 0;
    return true;
}

/* ---- reading ---- */

int64_t fb_slots_count(const struct fb_slots *slots) {
    size_t n = slots->others.n;
    for (int i = 0; i < SLOTS; i++)
        n += slots->whole[i].manifest != NOT_WHOLE ? slots->whole[i].n : 0;
    return (int64_t)n;
}

struct fb_slots_cursor {
    const struct fb_slots *slots;
    const struct slots_file *files[SLOTS + 1];
    int n_files, at_file;
    size_t at_piece;
    int64_t number;
    struct fb_frame_file view; /* file -1: none is open */
    struct fb_buf room;
};

struct fb_slots_cursor *fb_slots_cursor_open(const struct fb_slots *slots, int64_t from,
                                             struct fb_err *err) {
    (void)err; /* trouble shows at the first record */
    struct fb_slots_cursor *cursor = fb_alloc(sizeof *cursor);
    int newer = slots->whole[1].manifest >= slots->whole[0].manifest;
    *cursor = (struct fb_slots_cursor){.slots = slots, .view = {.file = -1}, .number = from};
    cursor->files[cursor->n_files++] = &slots->others;
    for (int i = 0; i < SLOTS; i++) {
        const struct slots_file *file = &slots->whole[i == 0 ? !newer : newer];
        if (file->manifest != NOT_WHOLE)
            cursor->files[cursor->n_files++] = file;
    }
    cursor->at_piece = (size_t)from;
    return cursor;
}

static void close_view(struct fb_slots_cursor *cursor) {
    if (cursor->view.file >= 0)
        cursor->view.disk->calls->close(cursor->view.disk, cursor->view.file);
    cursor->view.file = -1;
}

/* Opens the file of the next piece; false without err: there is none. */
static bool go_to_file(struct fb_slots_cursor *cursor, struct fb_err *err) {
    struct fb_disk *disk = cursor->slots->disk;
    while (cursor->at_file < cursor->n_files &&
           cursor->at_piece >= cursor->files[cursor->at_file]->n) {
        cursor->at_piece -= cursor->files[cursor->at_file++]->n;
        close_view(cursor);
    }
    if (cursor->at_file == cursor->n_files)
        return false;
    if (cursor->view.file >= 0)
        return true;
    const struct slots_file *file = cursor->files[cursor->at_file];
    cursor->view = (struct fb_frame_file){.disk = disk, .path = file->path, .size = file->size};
    cursor->view.file = disk->calls->open(disk, file->path, FB_DISK_READ);
    return cursor->view.file >= 0 || fb_disk_fail(err, "open", file->path, cursor->view.file);
}

/* The rest of a snapshot is left out, as if it were not there: the other one is whole, perhaps. */
static enum fb_read on_damage(struct fb_slots_cursor *cursor, const struct slots_file *file,
                              uint64_t at, struct fb_frame *frame, struct fb_err *err) {
    if (file == &cursor->slots->others) {
        damaged(err, file, at);
        return FB_READ_FAILED;
    }
    fb_log(FB_LOG_WARN, "%s is damaged at byte %llu: the rest of it is not looked at", file->path,
           (unsigned long long)at);
    cursor->number += (int64_t)(file->n - cursor->at_piece + 1);
    cursor->at_piece = file->n;
    return fb_slots_cursor_next(cursor, frame, err);
}

enum fb_read fb_slots_cursor_next(struct fb_slots_cursor *cursor, struct fb_frame *frame,
                                  struct fb_err *err) {
    struct fb_err trouble = {0};
    uint64_t next;
    if (!go_to_file(cursor, &trouble)) {
        if (trouble.kind && err)
            *err = trouble;
        return trouble.kind ? FB_READ_FAILED : FB_READ_END;
    }
    const struct slots_file *file = cursor->files[cursor->at_file];
    uint64_t at = file->pieces[cursor->at_piece++].at;
    switch (fb_frame_read(&cursor->view, at, true, &cursor->room, frame, &next, err)) {
    case FB_FRAME_OK:
        frame->number = cursor->number++;
        return FB_READ_RECORD;
    case FB_FRAME_END:
    case FB_FRAME_BAD:
        return on_damage(cursor, file, at, frame, err);
    case FB_FRAME_FAILED:
        break;
    }
    return FB_READ_FAILED;
}

void fb_slots_cursor_close(struct fb_slots_cursor *cursor) {
    close_view(cursor);
    fb_buf_free(&cursor->room);
    free(cursor);
}
