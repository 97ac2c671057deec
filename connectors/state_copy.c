/* A copy of the files of a state folder. */
#include "connectors/state_copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connectors/state_frame.h"
#include "engine/base/arena.h"
#include "engine/base/str.h"

enum { PIECE_BYTES = 1 << 20 };

struct fb_state_copy {
    struct fb_disk *disk;
    char *from, *root, *application, *to; /* to: the copy of `from`, root/application/pipe */
    struct fb_err *err;                   /* while it is made */
    bool ok;
    char *piece;
};

static char *path_of(const char *a, const char *b, const char *c) {
    struct fb_buf path = {0};
    fb_buf_printf(&path, "%s/%s%s%s", a, b, c ? "/" : "", c ? c : "");
    (void)fb_buf_terminated(&path);
    return path.p;
}

static int64_t copy_bytes(struct fb_state_copy *copy, int from, int to) {
    int64_t n;
    for (uint64_t at = 0;
         (n = copy->disk->calls->read(copy->disk, from, at, copy->piece, PIECE_BYTES)) > 0;
         at += (uint64_t)n) {
        int code = copy->disk->calls->write(copy->disk, to, at, copy->piece, (size_t)n);
        if (code)
            return code;
    }
    return n;
}

static void copy_file(void *context, const char *name) {
    struct fb_state_copy *copy = context;
    if (!copy->ok)
        return;
    char *from_path = path_of(copy->from, name, NULL), *to_path = path_of(copy->to, name, NULL);
    int from = copy->disk->calls->open(copy->disk, from_path, FB_DISK_READ);
    int to = from < 0 ? from : copy->disk->calls->open(copy->disk, to_path, FB_DISK_NEW);
    int64_t code = to < 0 ? to : copy_bytes(copy, from, to);
    if (from >= 0)
        copy->disk->calls->close(copy->disk, from);
    if (to >= 0)
        copy->disk->calls->close(copy->disk, to);
    copy->ok = code == 0 || fb_disk_fail(copy->err, "copy", from_path, code);
    free(from_path);
    free(to_path);
}

/* While nobody writes. */
static bool copy_files(struct fb_state_copy *copy) {
    char *lock_path = path_of(copy->from, "lock", NULL);
    int lock = copy->disk->calls->open(copy->disk, lock_path, FB_DISK_READ);
    int code = lock < 0 ? lock : copy->disk->calls->lock(copy->disk, lock);
    if (lock == -ENOENT)
        copy->ok = fb_fail(copy->err, FB_FATAL, "there is no state in %s", copy->from);
    else if (code == -EWOULDBLOCK)
        copy->ok =
            fb_fail(copy->err, FB_FATAL,
                    "a process uses %s: stop it, or work on a copy of its folder", copy->from);
    else
        copy->ok = code == 0 || fb_disk_fail(copy->err, "lock", lock_path, code);
    code = copy->ok ? copy->disk->calls->list(copy->disk, copy->from, copy_file, copy) : 0;
    if (code)
        copy->ok = fb_disk_fail(copy->err, "list", copy->from, code);
    if (lock >= 0)
        copy->disk->calls->close(copy->disk, lock);
    free(lock_path);
    return copy->ok;
}

static bool make_folders(struct fb_state_copy *copy) {
    int code = copy->disk->calls->make_dir(copy->disk, copy->application);
    if (code == 0)
        code = copy->disk->calls->make_dir(copy->disk, copy->to);
    return code == 0 || fb_disk_fail(copy->err, "make", copy->to, code);
}

struct fb_state_copy *fb_state_copy_new(const char *root, const char *application,
                                        const char *temporary, struct fb_err *err) {
    struct fb_state_copy *copy = fb_alloc(sizeof *copy);
    copy->disk = fb_disk_real();
    copy->err = err;
    copy->from = path_of(root, application, "pipe");
    copy->root = path_of(temporary, "flyball-audit-XXXXXX", NULL);
    copy->piece = fb_alloc(PIECE_BYTES);
    bool named = mkdtemp(copy->root) != NULL;
    copy->application = path_of(copy->root, application, NULL);
    copy->to = path_of(copy->root, application, "pipe");
    bool ok = named || fb_disk_fail(err, "make", copy->root, -errno);
    ok = ok && make_folders(copy) && copy_files(copy);
    free(copy->piece);
    copy->piece = NULL;
    copy->err = NULL;
    if (!ok) {
        fb_state_copy_free(copy);
        return NULL;
    }
    return copy;
}

const char *fb_state_copy_root(const struct fb_state_copy *copy) {
    return copy->root;
}

static void remove_file(void *context, const char *name) {
    struct fb_state_copy *copy = context;
    char *path = path_of(copy->to, name, NULL);
    copy->disk->calls->unlink(copy->disk, path);
    free(path);
}

void fb_state_copy_free(struct fb_state_copy *copy) {
    if (!copy)
        return;
    copy->disk->calls->list(copy->disk, copy->to, remove_file, copy);
    rmdir(copy->to);
    rmdir(copy->application);
    rmdir(copy->root);
    free(copy->from);
    free(copy->root);
    free(copy->application);
    free(copy->to);
    free(copy);
}
