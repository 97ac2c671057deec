/* Writes files, pipes and standard output, compressed where the name ends in .zst. */
#include "connectors/file_out.h"

#include <errno.h>
#include <fcntl.h>
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

static bool is_regular(const struct fb_file_out *out) {
    struct stat info;
    return fstat(out->fd, &info) == 0 && S_ISREG(info.st_mode);
}

static struct fb_file_out *open_out(const char *path, int how, struct fb_err *err) {
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0666);
    if (fd < 0) {
        cannot_write(err, path);
        return NULL;
    }
    struct fb_file_out *out = fb_alloc(sizeof *out);
    out->fd = fd;
    out->path = fb_copy_text(standard ? "standard output" : path);
    return out;
}

struct fb_file_out *fb_file_out_open(const char *path, struct fb_err *err) {
    struct fb_file_out *out = open_out(path, O_TRUNC, err);
    if (out && is_zst(path)) {
        out->zstd = ZSTD_createCStream();
        FB_ASSERT(out->zstd);
        out->packed = fb_alloc(BLOCK_BYTES);
    }
    return out;
}

/* Makes the file's name last. */
static bool sync_folder_of(const char *path, struct fb_err *err) {
    char *folder = fb_copy_text(path);
    FB_ASSERT(folder);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    /* A folder that we may write in, but not read, is nothing to end for. */
    ok = ok || errno == EACCES || errno == EINVAL || cannot_write(err, path);
    if (fd >= 0)
        close(fd);
    free(folder);
    return ok;
}

struct fb_file_out *fb_file_out_open_behind(const char *path, struct fb_err *err) {
    if (is_zst(path)) {
        fb_fail(err, FB_FATAL,
                "cannot go on writing %s after a crash: write to a file without .zst and compress "
                "it when it is complete",
                path);
        return NULL;
    }
    struct fb_file_out *out = open_out(path, O_APPEND, err);
    if (out && is_regular(out) && strcmp(path, "-") != 0 && !sync_folder_of(path, err)) {
        fb_file_out_close(out, NULL);
        return NULL;
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

bool fb_file_out_sync(struct fb_file_out *out, struct fb_err *err) {
    if (!fb_file_out_flush(out, err))
        return false;
    return !is_regular(out) || fdatasync(out->fd) == 0 || cannot_write(err, out->path);
}

void fb_file_out_mark(const struct fb_file_out *out, uint64_t *file, int64_t *at) {
    struct stat info;
    bool plain = !out->zstd && fstat(out->fd, &info) == 0 && S_ISREG(info.st_mode);
    *file = plain ? (uint64_t)info.st_ino : 0;
    *at = plain ? (int64_t)info.st_size : -1;
}

bool fb_file_out_go_back(struct fb_file_out *out, uint64_t file, int64_t at, struct fb_err *err) {
    uint64_t file_now;
    int64_t at_now;
    fb_file_out_mark(out, &file_now, &at_now);
    if (file_now != file || at < 0 || at_now <= at)
        return true;
    return (ftruncate(out->fd, (off_t)at) == 0 && lseek(out->fd, (off_t)at, SEEK_SET) == at) ||
           cannot_write(err, out->path);
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
