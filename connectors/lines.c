/* Reads blocks, undoes zstd, cuts lines.
 *
 * Place in the flow: see lines.h. */
#include "connectors/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "engine/base/arena.h"

enum { BLOCK_BYTES = 256 * 1024 };

struct fb_lines {
    char *path;
    int fd;
    uint64_t read_bytes, size_bytes;
    ZSTD_DStream *zstd; /* NULL: plain */
    bool frame_open;    /* zstd: in the middle of a frame */
    char *packed;       /* zstd: what was read, not yet unpacked */
    size_t packed_at, packed_n;
    char *text; /* plain bytes; [at, n) is not given yet */
    size_t at, n, cap;
    bool end;
};

static bool fail(const struct fb_lines *lines, struct fb_err *err, const char *what) {
    return fb_fail(err, FB_FATAL, "%s: %s", lines->path, what);
}

static ssize_t read_block(struct fb_lines *lines, char *into, size_t room, struct fb_err *err) {
    ssize_t n;
    do
        n = read(lines->fd, into, room);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        fail(lines, err, strerror(errno));
    else
        lines->read_bytes += (uint64_t)n;
    return n;
}

struct fb_lines *fb_lines_open(const char *path, struct fb_err *err) {
    bool standard = !strcmp(path, "-");
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fb_fail(err, FB_FATAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct fb_lines *lines = fb_alloc(sizeof *lines);
    lines->path = fb_copy_text(standard ? "standard input" : path);
    lines->fd = fd;
    lines->cap = BLOCK_BYTES;
    lines->text = fb_grow(NULL, lines->cap);
    struct stat info;
    if (!standard && !fstat(fd, &info)) {
        lines->size_bytes = (uint64_t)info.st_size;
        if (S_ISDIR(info.st_mode)) {
            fail(lines, err, "is a folder; name a file in it");
            fb_lines_close(lines);
            return NULL;
        }
    }
    /* The first bytes tell whether it is compressed. */
    while (lines->n < 4) {
        ssize_t n = read_block(lines, lines->text + lines->n, lines->cap - lines->n, err);
        if (n < 0) {
            fb_lines_close(lines);
            return NULL;
        }
        if (n == 0)
            break;
        lines->n += (size_t)n;
    }
    if (lines->n >= 4 && !memcmp(lines->text, "\x28\xb5\x2f\xfd", 4)) {
        lines->zstd = ZSTD_createDStream();
        lines->packed = lines->text;
        lines->packed_n = lines->n;
        lines->text = fb_grow(NULL, lines->cap);
        lines->n = 0;
    }
    return lines;
}

void fb_lines_close(struct fb_lines *lines) {
    if (!lines)
        return;
    if (lines->fd != STDIN_FILENO)
        close(lines->fd);
    ZSTD_freeDStream(lines->zstd);
    free(lines->packed);
    free(lines->text);
    free(lines->path);
    free(lines);
}

/* Unpacks at least one byte into the room behind the text; 0 at the end, -1 with err. */
static ssize_t unpack(struct fb_lines *lines, struct fb_err *err) {
    for (;;) {
        if (lines->packed_at == lines->packed_n) {
            ssize_t n = read_block(lines, lines->packed, BLOCK_BYTES, err);
            if (n < 0)
                return -1;
            if (n == 0) {
                if (lines->frame_open) {
                    fail(lines, err, "the compressed file is cut off; fetch it again");
                    return -1;
                }
                return 0;
            }
            lines->packed_at = 0;
            lines->packed_n = (size_t)n;
        }
        ZSTD_inBuffer in = {lines->packed, lines->packed_n, lines->packed_at};
        ZSTD_outBuffer out = {lines->text + lines->n, lines->cap - lines->n, 0};
        size_t result = ZSTD_decompressStream(lines->zstd, &out, &in);
        if (ZSTD_isError(result)) {
            fb_fail(err, FB_FATAL, "%s: damaged zstd data: %s", lines->path,
                    ZSTD_getErrorName(result));
            return -1;
        }
        lines->frame_open = result != 0;
        lines->packed_at = in.pos;
        if (out.pos)
            return (ssize_t)out.pos;
    }
}

/* More bytes behind the text. */
static ssize_t fill(struct fb_lines *lines, struct fb_err *err) {
    if (lines->at) {
        lines->n -= lines->at;
        memmove(lines->text, lines->text + lines->at, lines->n);
        lines->at = 0;
    }
    if (lines->n == lines->cap) {
        lines->cap *= 2;
        lines->text = fb_grow(lines->text, lines->cap);
    }
    ssize_t n = lines->zstd ? unpack(lines, err)
                            : read_block(lines, lines->text + lines->n, lines->cap - lines->n, err);
    if (n > 0)
        lines->n += (size_t)n;
    return n;
}

/* Drops the rest of a line that is too long; what stands before `keep` stays. */
static bool skip_line(struct fb_lines *lines, struct fb_err *err) {
    for (;;) {
        char *end = memchr(lines->text + FB_LINE_BYTES_MAX, '\n', lines->n - FB_LINE_BYTES_MAX);
        if (end) {
            lines->at = (size_t)(end - lines->text) + 1;
            return true;
        }
        lines->n = FB_LINE_BYTES_MAX;
        ssize_t n = fill(lines, err);
        if (n < 0)
            return false;
        if (n == 0) {
            lines->end = true;
            lines->at = lines->n;
            return true;
        }
    }
}

static enum fb_line give(struct fb_lines *lines, size_t n, struct fb_str *line) {
    *line = (struct fb_str){lines->text + lines->at, n};
    lines->at += n;
    if (lines->at < lines->n)
        lines->at++; /* the line's end */
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return FB_LINE_WHOLE;
}

/* False: nothing can be read within the time. */
static bool readable(const struct fb_lines *lines, int timeout_ms) {
    struct pollfd wanted = {.fd = lines->fd, .events = POLLIN};
    if (timeout_ms < 0 || lines->packed_at < lines->packed_n)
        return true;
    return poll(&wanted, 1, timeout_ms) > 0;
}

enum fb_line fb_lines_next(struct fb_lines *lines, struct fb_str *line, struct fb_err *err) {
    return fb_lines_next_within(lines, -1, line, err);
}

enum fb_line fb_lines_next_within(struct fb_lines *lines, int timeout_ms, struct fb_str *line,
                                  struct fb_err *err) {
    size_t searched = 0;
    for (;;) {
        size_t left = lines->n - lines->at;
        char *from = lines->text + lines->at;
        char *end = memchr(from + searched, '\n', left - searched);
        if (end && (size_t)(end - from) <= FB_LINE_BYTES_MAX)
            return give(lines, (size_t)(end - from), line);
        if (left > FB_LINE_BYTES_MAX) {
            if (lines->at) {
                memmove(lines->text, from, left);
                lines->at = 0;
                lines->n = left;
            }
            if (!skip_line(lines, err))
                return FB_LINE_FAILED;
            *line = (struct fb_str){lines->text, FB_LINE_BYTES_MAX};
            return FB_LINE_CUT;
        }
        if (lines->end)
            return left ? give(lines, left, line) : FB_LINE_END;
        searched = left;
        if (!readable(lines, timeout_ms))
            return FB_LINE_WAIT;
        ssize_t n = fill(lines, err);
        if (n < 0)
            return FB_LINE_FAILED;
        lines->end = n == 0;
    }
}

void fb_lines_progress(const struct fb_lines *lines, uint64_t *read_bytes, uint64_t *size_bytes) {
    *read_bytes = lines->read_bytes;
    *size_bytes = lines->size_bytes;
}
