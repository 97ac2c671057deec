/* Journal and snapshots of one partition in a folder. */
#include "connectors/state_dir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/state_parts.h"
#include "engine/base/arena.h"
#include "engine/base/hash.h"

enum { FORMAT = 1, DONE_BYTES = 16, TEXT_MAX = 1024, SEGMENT_BYTES = 16 << 20 };

struct names {
    char **items;
    size_t n, cap;
};

static void add_name(void *context, const char *name) {
    struct names *names = context;
    FB_PUSH_ROOM(names->items, names->n, names->cap);
    names->items[names->n] = fb_copy_text(name);
    names->n++;
}

static void free_names(struct names *names) {
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i]);
    free(names->items);
}

static bool has_name(const struct names *names, const char *name) {
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

static char *join(const char *folder, const char *name) {
    struct fb_buf path = {0};
    fb_buf_printf(&path, "%s/%s", folder, name);
    (void)fb_buf_terminated(&path);
    return path.p;
}

/* ---- the folder and its lock ---- */

/* The folder and all above it. */
static bool make_folders(struct fb_state_dir *dir, struct fb_err *err) {
    char *path = fb_copy_text(dir->path);
    FB_ASSERT(path);
    int code = 0;
    for (char *at = path + 1; code == 0; at++) {
        if (*at && *at != '/')
            continue;
        char end = *at;
        *at = '\0';
        code = dir->disk->calls->make_dir(dir->disk, path);
        /* What exists may also be closed to us, or on a disk that is read only. */
        if (code == -EEXIST || (end && (code == -EROFS || code == -EACCES)))
            code = 0;
        *at = end;
        if (!end)
            break;
    }
    free(path);
    return code == 0 || fb_disk_fail(err, "make", dir->path, code);
}

/* The names of the folders above; those that are closed to us were made by somebody else. */
static bool sync_folders(struct fb_state_dir *dir, struct fb_err *err) {
    char *path = fb_copy_text(dir->path), *slash;
    FB_ASSERT(path);
    int code = 0;
    while (code == 0 && (slash = strrchr(path, '/'))) {
        slash[slash == path] = '\0';
        code = dir->disk->calls->sync_dir(dir->disk, path);
        if (code == -EACCES || code == -EPERM)
            code = 0;
        if (slash == path)
            break;
    }
    if (code == 0 && dir->path[0] != '/')
        code = dir->disk->calls->sync_dir(dir->disk, ".");
    free(path);
    return code == 0 || fb_disk_fail(err, "sync", dir->path, code);
}

static bool take_lock(struct fb_state_dir *dir, struct fb_err *err) {
    struct fb_disk *disk = dir->disk;
    char *path = join(dir->path, "lock");
    char pid[32] = "";
    bool ok = true;
    dir->lock = disk->calls->open(disk, path, FB_DISK_WRITE);
    int code = dir->lock < 0 ? dir->lock : disk->calls->lock(disk, dir->lock);
    if (code == -EWOULDBLOCK) {
        int64_t n = disk->calls->read(disk, dir->lock, 0, pid, sizeof pid - 1);
        pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
        ok = fb_fail(err, FB_FATAL,
                     "another process uses %s (pid %s): stop it, or give this one another "
                     "application.id or state.dir",
                     dir->path, pid[0] ? pid : "not known");
    } else if (code) {
        ok = fb_disk_fail(err, "lock", path, code);
    } else {
        int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
        code = disk->calls->truncate(disk, dir->lock, 0);
        if (code == 0)
            code = disk->calls->write(disk, dir->lock, 0, pid, (size_t)n);
        ok = code == 0 || fb_disk_fail(err, "write", path, code);
    }
    free(path);
    return ok;
}

/* ---- the format ---- */

static void format_text(const struct fb_state_place *place, char *text) {
    char partition[16] = "pipe";
    if (place->partition >= 0)
        snprintf(partition, sizeof partition, "%" PRId32, place->partition);
    snprintf(text, TEXT_MAX, "flyball state %d\napplication %s\npartition %s\n", FORMAT,
             place->application, partition);
}

static bool check_format(struct fb_state_dir *dir, const char *path, const char *wanted,
                         struct fb_err *err) {
    char text[TEXT_MAX] = "";
    int version = 0;
    int file = dir->disk->calls->open(dir->disk, path, FB_DISK_READ);
    if (file < 0)
        return fb_disk_fail(err, "open", path, file);
    int64_t n = dir->disk->calls->read(dir->disk, file, 0, text, sizeof text - 1);
    dir->disk->calls->close(dir->disk, file);
    if (n < 0)
        return fb_disk_fail(err, "read", path, n);
    if (strcmp(text, wanted) == 0)
        return true;
    char *rest = strchr(text, '\n');
    if (!rest || sscanf(text, "flyball state %d", &version) != 1)
        return fb_fail(err, FB_FATAL,
                       "%s is not a folder of flyball's state (its file 'format' says something "
                       "else): name another one in state.dir",
                       dir->path);
    if (version != FORMAT)
        return fb_fail(err, FB_FATAL,
                       "%s has format %d, this flyball knows format %d: run the flyball that wrote "
                       "it, or move the folder away to start anew",
                       dir->path, version, FORMAT);
    for (char *end = ++rest; *end; end++)
        *end = *end == '\n' ? ' ' : *end;
    return fb_fail(err, FB_FATAL,
                   "%s holds the state of another partition (%s): was it renamed? Give it its name "
                   "back, or name another folder in state.dir",
                   dir->path, rest);
}

static bool write_format(struct fb_state_dir *dir, const char *path, const char *text,
                         struct fb_err *err) {
    struct fb_disk *disk = dir->disk;
    char *fresh = join(dir->path, "format.new");
    int file = disk->calls->open(disk, fresh, FB_DISK_NEW);
    int code = file < 0 ? file : disk->calls->write(disk, file, 0, text, strlen(text));
    if (code == 0)
        code = disk->calls->sync(disk, file);
    if (file >= 0)
        disk->calls->close(disk, file);
    if (code == 0)
        code = disk->calls->rename(disk, fresh, path);
    if (code == 0)
        code = disk->calls->sync_dir(disk, dir->path);
    free(fresh);
    return code == 0 || fb_disk_fail(err, "write", path, code);
}

/* Whether this is a folder of this partition's state, in a form that is known; makes it one if it
 * is empty. */
static bool settle_format(struct fb_state_dir *dir, const struct fb_state_place *place,
                          const struct names *names, struct fb_err *err) {
    char text[TEXT_MAX];
    char *path = join(dir->path, "format");
    bool ok = true;
    format_text(place, text);
    if (has_name(names, "format")) {
        ok = check_format(dir, path, text, err);
    } else {
        for (size_t i = 0; ok && i < names->n; i++)
            if (strcmp(names->items[i], "lock") != 0 && strcmp(names->items[i], "format.new") != 0)
                ok = fb_fail(err, FB_FATAL,
                             "%s is not a folder of flyball's state: it has no file 'format', but "
                             "a file '%s'; name another one in state.dir",
                             dir->path, names->items[i]);
        ok = ok && sync_folders(dir, err) && write_format(dir, path, text, err);
    }
    free(path);
    return ok;
}

/* ---- the mark of what is done ---- */

static void done_bytes(int64_t number, char bytes[DONE_BYTES]) {
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(uint8_t)((uint64_t)number >> (8 * i));
    uint64_t check = fb_hash128(bytes, 8).low;
    for (int i = 0; i < 8; i++)
        bytes[8 + i] = (char)(uint8_t)(check >> (8 * i));
}

static bool open_done(struct fb_state_dir *dir, struct fb_err *err) {
    char bytes[DONE_BYTES], wanted[DONE_BYTES];
    uint64_t number = 0;
    dir->done = -1;
    dir->done_file = dir->disk->calls->open(dir->disk, dir->done_path, FB_DISK_WRITE);
    if (dir->done_file < 0)
        return fb_disk_fail(err, "open", dir->done_path, dir->done_file);
    int64_t n = dir->disk->calls->read(dir->disk, dir->done_file, 0, bytes, sizeof bytes);
    if (n < 0)
        return fb_disk_fail(err, "read", dir->done_path, n);
    for (int i = 0; i < 8; i++)
        number |= (uint64_t)(uint8_t)bytes[i] << (8 * i);
    done_bytes((int64_t)number, wanted);
    if (n == DONE_BYTES && memcmp(bytes, wanted, DONE_BYTES) == 0)
        dir->done = (int64_t)number;
    return true;
}

void fb_state_mark_done(struct fb_state_dir *dir) {
    char bytes[DONE_BYTES];
    dir->done = fb_journal_files_end(dir->journal) - 1;
    done_bytes(dir->done, bytes);
    dir->disk->calls->write(dir->disk, dir->done_file, 0, bytes, sizeof bytes);
}

/* ---- opening ---- */

static bool open_parts(struct fb_state_dir *dir, const struct fb_state_place *place,
                       const struct names *names, struct fb_err *err) {
    if (!settle_format(dir, place, names, err) || !open_done(dir, err))
        return false;
    dir->journal =
        fb_journal_files_open(dir->disk, dir->path, names->items, names->n, dir->done,
                              place->segment_bytes ? place->segment_bytes : SEGMENT_BYTES, err);
    if (!dir->journal)
        return false;
    struct fb_slots_journal journal = {fb_journal_files_first(dir->journal),
                                       fb_journal_files_end(dir->journal),
                                       fb_journal_files_aside(dir->journal)};
    dir->slots = fb_slots_open(dir->disk, dir->path, names->items, names->n, &journal, err);
    int64_t keep;
    if (!dir->slots || !fb_slots_settle(dir->slots, &keep, err) ||
        !fb_journal_files_drop(dir->journal, keep, err))
        return false;
    int code = dir->disk->calls->sync_dir(dir->disk, dir->path);
    return code == 0 || fb_disk_fail(err, "sync", dir->path, code);
}

struct fb_state_dir *fb_state_dir_open(const struct fb_state_place *place, struct fb_err *err) {
    struct fb_state_dir *dir = fb_alloc(sizeof *dir);
    struct fb_buf path = {0};
    struct names names = {0};
    FB_ASSERT(place->root[0] && place->application[0]);
    fb_buf_printf(&path, "%s/%s/", place->root, place->application);
    if (place->partition < 0)
        fb_buf_text(&path, "pipe");
    else
        fb_buf_printf(&path, "%" PRId32, place->partition);
    (void)fb_buf_terminated(&path);
    dir->disk = place->disk ? place->disk : fb_disk_real();
    dir->path = path.p;
    dir->done_path = join(dir->path, "done");
    dir->partition = place->partition;
    dir->lock = dir->done_file = -1;
    bool ok = make_folders(dir, err) && take_lock(dir, err);
    int code = ok ? dir->disk->calls->list(dir->disk, dir->path, add_name, &names) : 0;
    if (code)
        ok = fb_disk_fail(err, "list", dir->path, code);
    ok = ok && open_parts(dir, place, &names, err);
    free_names(&names);
    if (!ok) {
        fb_state_dir_close(dir);
        return NULL;
    }
    return dir;
}

void fb_state_dir_close(struct fb_state_dir *dir) {
    if (!dir)
        return;
    fb_slots_close(dir->slots);
    fb_journal_files_close(dir->journal);
    if (dir->done_file >= 0)
        dir->disk->calls->close(dir->disk, dir->done_file);
    if (dir->lock >= 0)
        dir->disk->calls->close(dir->disk, dir->lock);
    free(dir->done_path);
    free(dir->path);
    free(dir);
}

const char *fb_state_dir_path(const struct fb_state_dir *dir) {
    return dir->path;
}

int64_t fb_state_unfinished(const struct fb_state_dir *dir) {
    int64_t last = fb_journal_files_end(dir->journal) - 1;
    return last > dir->done ? last : -1;
}
