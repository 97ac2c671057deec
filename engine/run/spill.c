/* Frames of bytes in an unlinked temporary file: what a task wants to put out beyond its memory. */
#include "engine/run/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/arena.h"

enum {
    BLOCK = 1 << 20,  /* bytes of one write or read */
    MARK_EVERY = 256, /* frames between two whose place is known without reading */
    LENGTH = 4        /* bytes before a frame */
};

struct fb_spill {
    const char *folder;
    int file; /* -1: none */
    uint32_t n;
    uint64_t written;  /* bytes in the file */
    struct fb_buf out; /* behind them */
    uint64_t *marks;   /* places of the frames 0, MARK_EVERY, .. */
    uint32_t n_marks, cap_marks;
    struct fb_buf in; /* a piece of the file */
    uint64_t in_at;   /* its place */
    uint32_t next;    /* the frame at next_at */
    uint64_t next_at;
    struct fb_err err;
};

struct fb_spill *fb_spill_new(const char *folder) {
    struct fb_spill *spill = fb_alloc(sizeof *spill);
    spill->folder = folder;
    spill->file = -1;
    return spill;
}

void fb_spill_free(struct fb_spill *spill) {
    if (!spill)
        return;
    fb_spill_clear(spill);
    fb_buf_free(&spill->out);
    fb_buf_free(&spill->in);
    free(spill->marks);
    free(spill);
}

static bool fails(struct fb_spill *spill, const char *what) {
    return fb_fail(&spill->err, FB_FATAL,
                   "the outputs of a batch are too much for memory, and a temporary file for them "
                   "cannot be %s in %s: %s; make room there, or set state.dir or TMPDIR to a "
                   "folder that has it, and start again: their records are not committed and are "
                   "read again",
                   what, spill->folder, strerror(errno));
}

static bool make_file(struct fb_spill *spill) {
    struct fb_buf path = {0};
    mkdir(spill->folder, 0700); /* where state.dir has not been used before */
    fb_buf_printf(&path, "%s/flyball-XXXXXX", spill->folder);
    fb_buf_terminated(&path);
    spill->file = mkostemp(path.p, O_CLOEXEC);
    if (spill->file >= 0)
        unlink(path.p);
    else
        fails(spill, "made");
    fb_buf_free(&path);
    return spill->file >= 0;
}

static bool write_out(struct fb_spill *spill) {
    size_t done = 0;
    if (spill->file < 0 && !make_file(spill))
        return false;
    while (done < spill->out.n) {
        ssize_t n = pwrite(spill->file, spill->out.p + done, spill->out.n - done,
                           (off_t)(spill->written + done));
        if (n < 0 && errno != EINTR)
            return fails(spill, "written");
        done += n > 0 ? (size_t)n : 0;
    }
    spill->written += spill->out.n;
    spill->out.n = 0;
    return true;
}

void fb_spill_add(struct fb_spill *spill, struct fb_str frame) {
    uint32_t length = (uint32_t)frame.n;
    if (spill->n++ % MARK_EVERY == 0) {
        FB_PUSH_ROOM(spill->marks, spill->n_marks, spill->cap_marks);
        spill->marks[spill->n_marks++] = spill->written + spill->out.n;
    }
    if (spill->err.kind != FB_NO_FAILURE)
        return;
    FB_ASSERT(frame.n <= UINT32_MAX);
    fb_buf_put(&spill->out, &length, LENGTH);
    fb_buf_str(&spill->out, frame);
    if (spill->out.n >= BLOCK)
        write_out(spill);
}

uint32_t fb_spill_count(const struct fb_spill *spill) {
    return spill->n;
}

/* Makes n bytes at a place a part of the piece in memory. */
static bool read_in(struct fb_spill *spill, uint64_t at, size_t n) {
    if (at >= spill->in_at && at + n <= spill->in_at + spill->in.n)
        return true;
    size_t wanted = n > BLOCK ? n : BLOCK;
    if (wanted > spill->written - at)
        wanted = (size_t)(spill->written - at);
    spill->in.n = 0;
    spill->in_at = at;
    char *to = fb_buf_room(&spill->in, wanted);
    while (spill->in.n < wanted) {
        ssize_t got = pread(spill->file, to + spill->in.n, wanted - spill->in.n,
                            (off_t)(at + spill->in.n));
        if (got == 0)
            errno = EIO; /* the file is shorter than it was */
        if (got == 0 || (got < 0 && errno != EINTR))
            return fails(spill, "read");
        spill->in.n += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool read_next(struct fb_spill *spill, struct fb_str *frame) {
    uint32_t length;
    if (!read_in(spill, spill->next_at, LENGTH))
        return false;
    memcpy(&length, spill->in.p + (spill->next_at - spill->in_at), LENGTH);
    if (!read_in(spill, spill->next_at, LENGTH + length))
        return false;
    *frame = (struct fb_str){spill->in.p + (spill->next_at - spill->in_at) + LENGTH, length};
    spill->next_at += LENGTH + length;
    spill->next++;
    return true;
}

struct fb_str fb_spill_at(struct fb_spill *spill, uint32_t i) {
    struct fb_str frame = {NULL, 0};
    FB_ASSERT(i < spill->n);
    if (spill->err.kind != FB_NO_FAILURE || (spill->out.n && !write_out(spill)))
        return frame;
    if (i < spill->next || i >= spill->next + MARK_EVERY) {
        spill->next = i / MARK_EVERY * MARK_EVERY;
        spill->next_at = spill->marks[i / MARK_EVERY];
    }
    while (spill->next <= i)
        if (!read_next(spill, &frame))
            return (struct fb_str){NULL, 0};
    return frame;
}

void fb_spill_clear(struct fb_spill *spill) {
    if (spill->file >= 0)
        close(spill->file);
    fb_buf_free(&spill->out);
    fb_buf_free(&spill->in);
    spill->file = -1;
    spill->n = spill->n_marks = spill->next = 0;
    spill->written = spill->next_at = spill->in_at = 0;
}

bool fb_spill_ok(const struct fb_spill *spill, struct fb_err *err) {
    if (spill->err.kind != FB_NO_FAILURE)
        *err = spill->err;
    return spill->err.kind == FB_NO_FAILURE;
}
