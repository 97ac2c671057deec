/* Files, pipes and standard input: bytes in, lines out, zstd where the name ends in .zst. */
#include "connectors/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "engine/base/arena.h"

enum { BLOCK_BYTES = 256 << 10 };

static bool is_zst(const char *path) {
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".zst") == 0;
}

static bool file_failed(struct fb_err *err, const char *what, const char *path) {
    return fb_fail(err, FB_FATAL, "cannot %s %s: %s", what, path, strerror(errno));
}

/* ---- reading ---- */

struct fb_file_in {
    int fd;
    char *path;
    bool end; /* read(2) gave nothing more */
    long long done_bytes;
    struct fb_buf text; /* what was read and not handed out; lines begin at `at` */
    size_t at, searched; /* searched: no line end before this */
    ZSTD_DStream *zstd;  /* NULL: not compressed */
    char *packed;        /* of BLOCK_BYTES */
    ZSTD_inBuffer packed_in;
    size_t frame_left; /* 0: between two frames */
};

struct fb_file_in *fb_file_in_open(const char *path, struct fb_err *err) {
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        file_failed(err, "read", path);
        return NULL;
    }
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        close(fd);
        fb_fail(err, FB_FATAL, "cannot read %s: it is a folder", path);
        return NULL;
    }
    struct fb_file_in *in = fb_alloc(sizeof *in);
    in->fd = fd;
    in->path = strdup(standard ? "standard input" : path);
    FB_ASSERT(in->path);
    if (is_zst(path)) {
        in->zstd = ZSTD_createDStream();
        FB_ASSERT(in->zstd);
        in->packed = fb_alloc(BLOCK_BYTES);
        in->packed_in.src = in->packed;
    }
    return in;
}

void fb_file_in_close(struct fb_file_in *in) {
    if (!in)
        return;
    close(in->fd);
    ZSTD_freeDStream(in->zstd);
    free(in->packed);
    free(in->path);
    fb_buf_free(&in->text);
    free(in);
}

/* Up to `room` bytes; 0 at the end, -1 on failure. */
static ssize_t read_some(struct fb_file_in *in, char *to, size_t room, struct fb_err *err) {
    ssize_t n;
    do {
        n = read(in->fd, to, room);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        file_failed(err, "read", in->path);
    else
        in->done_bytes += n;
    return n;
}

static bool unpack_failed(struct fb_file_in *in, const char *why, struct fb_err *err) {
    return fb_fail(err, FB_FATAL, "cannot read %s: %s", in->path, why);
}

/* As read_some, through the decompressor. */
static ssize_t unpack_some(struct fb_file_in *in, char *to, size_t room, struct fb_err *err) {
    ZSTD_outBuffer out = {.dst = to, .size = room};
    while (out.pos == 0) {
        if (in->packed_in.pos == in->packed_in.size) {
            ssize_t n = read_some(in, in->packed, BLOCK_BYTES, err);
            if (n < 0)
                return -1;
            if (n == 0) {
                if (in->frame_left == 0)
                    return 0;
                unpack_failed(in, "the compressed data end in the middle", err);
                return -1;
            }
            in->packed_in.size = (size_t)n;
            in->packed_in.pos = 0;
        }
        in->frame_left = ZSTD_decompressStream(in->zstd, &out, &in->packed_in);
        if (ZSTD_isError(in->frame_left)) {
            unpack_failed(in, ZSTD_getErrorName(in->frame_left), err);
            return -1;
        }
    }
    return (ssize_t)out.pos;
}

/* Moves what is left to the front and reads one block behind it. */
static bool fill(struct fb_file_in *in, struct fb_err *err) {
    if (in->at > 0) {
        memmove(in->text.p, in->text.p + in->at, in->text.n - in->at);
        in->text.n -= in->at;
        in->searched -= in->at;
        in->at = 0;
    }
    if (in->text.cap - in->text.n < BLOCK_BYTES) {
        in->text.cap = (in->text.n + BLOCK_BYTES) * 2;
        in->text.p = fb_grow(in->text.p, in->text.cap);
    }
    char *to = in->text.p + in->text.n;
    ssize_t n = in->zstd ? unpack_some(in, to, BLOCK_BYTES, err)
                         : read_some(in, to, BLOCK_BYTES, err);
    if (n < 0)
        return false;
    in->text.n += (size_t)n;
    in->end = n == 0;
    return true;
}

/* False: nothing can be read within the time. */
static bool readable(const struct fb_file_in *in, int timeout_ms) {
    struct pollfd poll_fd = {.fd = in->fd, .events = POLLIN};
    if (timeout_ms < 0 || (in->zstd && in->packed_in.pos < in->packed_in.size))
        return true;
    return poll(&poll_fd, 1, timeout_ms) > 0;
}

static struct fb_str take(struct fb_file_in *in, size_t end, size_t next) {
    struct fb_str line = {in->text.p + in->at, end - in->at};
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    in->at = in->searched = next;
    return line;
}

enum fb_line fb_file_in_line(struct fb_file_in *in, int timeout_ms, struct fb_str *line,
                             struct fb_err *err) {
    for (;;) {
        const char *found = NULL;
        if (in->searched < in->text.n)
            found = memchr(in->text.p + in->searched, '\n', in->text.n - in->searched);
        if (found) {
            size_t end = (size_t)(found - in->text.p);
            *line = take(in, end, end + 1);
            return FB_LINE;
        }
        in->searched = in->text.n;
        if (in->end) {
            if (in->at == in->text.n)
                return FB_LINE_END;
            *line = take(in, in->text.n, in->text.n);
            return FB_LINE;
        }
        if (in->text.n - in->at > FB_LINE_BYTES_MAX) {
            fb_fail(err, FB_FATAL, "cannot read %s: a line is longer than %u bytes", in->path,
                    FB_LINE_BYTES_MAX);
            return FB_LINE_FAILED;
        }
        if (!readable(in, timeout_ms))
            return FB_LINE_WAIT;
        if (!fill(in, err))
            return FB_LINE_FAILED;
    }
}

void fb_file_in_progress(const struct fb_file_in *in, long long *done_bytes,
                         long long *size_bytes) {
    struct stat status;
    *done_bytes = in->done_bytes;
    *size_bytes = fstat(in->fd, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : -1;
}

/* ---- writing ---- */

struct fb_file_out {
    int fd;
    char *path;
    struct fb_buf text; /* not yet written */
    ZSTD_CStream *zstd; /* NULL: not compressed */
    char *packed;       /* of BLOCK_BYTES */
};

struct fb_file_out *fb_file_out_open(const char *path, struct fb_err *err) {
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? dup(STDOUT_FILENO)
                      : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        file_failed(err, "write", path);
        return NULL;
    }
    struct fb_file_out *out = fb_alloc(sizeof *out);
    out->fd = fd;
    out->path = strdup(standard ? "standard output" : path);
    FB_ASSERT(out->path);
    if (is_zst(path)) {
        out->zstd = ZSTD_createCStream();
        FB_ASSERT(out->zstd);
        out->packed = fb_alloc(BLOCK_BYTES);
    }
    return out;
}

static bool write_all(struct fb_file_out *out, const char *p, size_t n, struct fb_err *err) {
    while (n > 0) {
        ssize_t written = write(out->fd, p, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return file_failed(err, "write", out->path);
        p += written;
        n -= (size_t)written;
    }
    return true;
}

static bool pack(struct fb_file_out *out, ZSTD_EndDirective how, struct fb_err *err) {
    ZSTD_inBuffer in = {.src = out->text.p, .size = out->text.n};
    size_t left;
    do {
        ZSTD_outBuffer packed = {.dst = out->packed, .size = BLOCK_BYTES};
        left = ZSTD_compressStream2(out->zstd, &packed, &in, how);
        if (ZSTD_isError(left))
            return fb_fail(err, FB_FATAL, "cannot write %s: %s", out->path,
                           ZSTD_getErrorName(left));
        if (!write_all(out, out->packed, packed.pos, err))
            return false;
    } while (left > 0 || in.pos < in.size);
    return true;
}

static bool drain(struct fb_file_out *out, ZSTD_EndDirective how, struct fb_err *err) {
    bool ok = out->zstd ? pack(out, how, err) : write_all(out, out->text.p, out->text.n, err);
    out->text.n = 0;
    return ok;
}

bool fb_file_out_put(struct fb_file_out *out, struct fb_str bytes, struct fb_err *err) {
    fb_buf_str(&out->text, bytes);
    return out->text.n < BLOCK_BYTES || drain(out, ZSTD_e_flush, err);
}

bool fb_file_out_flush(struct fb_file_out *out, struct fb_err *err) {
    return drain(out, ZSTD_e_flush, err);
}

bool fb_file_out_close(struct fb_file_out *out, struct fb_err *err) {
    bool ok = drain(out, ZSTD_e_end, err);
    if (close(out->fd) != 0 && ok)
        ok = file_failed(err, "write", out->path);
    ZSTD_freeCStream(out->zstd);
    free(out->packed);
    free(out->path);
    fb_buf_free(&out->text);
    free(out);
    return ok;
}
