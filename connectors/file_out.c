/* Writes files, pipes and standard output, compressed where the name ends in .zst. */
#include "connectors/file_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "engine/base/arena.h"

enum { BLOCK_BYTES = 256 << 10 };

static bool is_zst(const char *path) {
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".zst") == 0;
}

static bool cannot_write(struct fb_err *err, const char *path) {
    return fb_fail(err, FB_FATAL, "cannot write %s: %s", path, strerror(errno));
}

struct fb_file_out {
    int fd;
    char *path;
    struct fb_buf text; /* not yet written */
    ZSTD_CStream *zstd; /* NULL: not compressed */
    char *packed;       /* of BLOCK_BYTES */
};

struct fb_file_out *fb_file_out_open(const char *path, struct fb_err *err) {
    bool standard = strcmp(path, "-") == 0;
    int fd =
        standard ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        cannot_write(err, path);
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
            return cannot_write(err, out->path);
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
        ok = cannot_write(err, out->path);
    ZSTD_freeCStream(out->zstd);
    free(out->packed);
    free(out->path);
    fb_buf_free(&out->text);
    free(out);
    return ok;
}
