/* Records in files of a state folder: a head, key, value and checks. */
#include "connectors/state_frame.h"

#include <errno.h>
#include <string.h>

#include "engine/base/hash.h"

enum { MAGIC = 0x31524246 /* "FBR1" */, CHECK_BYTES = 8, HEAD_CHECKED = 48 };
#define NONE UINT32_MAX

bool fb_disk_fail(struct fb_err *err, const char *what, const char *path, int64_t code) {
    int error = (int)-code;
    const char *advice = "mend this, then start again; what was committed is kept";
    if (error == ENOSPC || error == EDQUOT)
        advice = "make room on this disk and start again; what was committed is kept";
    else if (error == EIO)
        advice = "look for the disk's trouble in the system's log, move the folder to a sound disk "
                 "if there is any, and start again";
    else if (error == EACCES || error == EPERM || error == EROFS)
        advice = "give this user the right to write there, or name another folder in state.dir";
    return fb_fail(err, FB_FATAL, "cannot %s %s: %s: %s", what, path, strerror(error), advice);
}

/* ---- bytes ---- */

static void put_number(char *to, uint64_t x, int bytes) {
    for (int i = 0; i < bytes; i++)
        to[i] = (char)(uint8_t)(x >> (8 * i));
}

static uint64_t get_number(const char *from, int bytes) {
    uint64_t x = 0;
    for (int i = 0; i < bytes; i++)
        x |= (uint64_t)(uint8_t)from[i] << (8 * i);
    return x;
}

static uint32_t length_of(struct fb_str s) {
    FB_ASSERT(s.n < NONE);
    return s.p ? (uint32_t)s.n : NONE;
}

static uint64_t check_of_head(const char *head, struct fb_str key) {
    return fb_hash128_next(fb_hash128(head, HEAD_CHECKED), key.p ? key.p : "", key.n).low;
}

static uint64_t check_of(const char *head, struct fb_str key, struct fb_str value) {
    struct fb_hash128 hash = fb_hash128(head, FB_FRAME_HEAD_BYTES);
    hash = fb_hash128_next(hash, key.p ? key.p : "", key.n);
    return fb_hash128_next(hash, value.p ? value.p : "", value.n).low;
}

void fb_frame_encode(const struct fb_frame *frame, struct fb_buf *out) {
    char head[FB_FRAME_HEAD_BYTES] = {0}, check[CHECK_BYTES];
    put_number(head, MAGIC, 4);
    put_number(head + 4, length_of(frame->key), 4);
    put_number(head + 8, length_of(frame->value), 4);
    put_number(head + 12, frame->aside, 4);
    put_number(head + 16, (uint64_t)frame->number, 8);
    put_number(head + 24, (uint64_t)frame->stamp_us, 8);
    put_number(head + 32, frame->mark.file, 8);
    put_number(head + 40, (uint64_t)frame->mark.at, 8);
    put_number(head + HEAD_CHECKED, check_of_head(head, frame->key), CHECK_BYTES);
    fb_buf_put(out, head, sizeof head);
    fb_buf_str(out, frame->key);
    fb_buf_str(out, frame->value);
    put_number(check, check_of(head, frame->key, frame->value), CHECK_BYTES);
    fb_buf_put(out, check, sizeof check);
}

/* ---- reading ---- */

struct head {
    uint32_t key_n, value_n; /* bytes */
    uint32_t aside;
    bool has_key, has_value;
    int64_t number, stamp_us;
    struct fb_state_mark mark;
};

/* Not checked yet: its check covers the key too. */
static bool parse_head(const char *bytes, struct head *head) {
    if (get_number(bytes, 4) != MAGIC)
        return false;
    uint32_t key_n = (uint32_t)get_number(bytes + 4, 4);
    uint32_t value_n = (uint32_t)get_number(bytes + 8, 4);
    *head = (struct head){
        .key_n = key_n == NONE ? 0 : key_n,
        .value_n = value_n == NONE ? 0 : value_n,
        .has_key = key_n != NONE,
        .has_value = value_n != NONE,
        .aside = (uint32_t)get_number(bytes + 12, 4),
        .number = (int64_t)get_number(bytes + 16, 8),
        .stamp_us = (int64_t)get_number(bytes + 24, 8),
        .mark = {.file = get_number(bytes + 32, 8), .at = (int64_t)get_number(bytes + 40, 8)}};
    return true;
}

static bool read_exactly(const struct fb_frame_file *file, uint64_t at, char *into, size_t n,
                         struct fb_err *err) {
    int64_t got = file->disk->calls->read(file->disk, file->file, at, into, n);
    if (got < 0)
        return fb_disk_fail(err, "read", file->path, got);
    if ((size_t)got < n)
        return fb_fail(err, FB_FATAL,
                       "%s became shorter while it was read: nothing but flyball may write in this "
                       "folder",
                       file->path);
    return true;
}

enum fb_frame_read fb_frame_read(const struct fb_frame_file *file, uint64_t at, bool whole,
                                 struct fb_buf *room, struct fb_frame *frame, uint64_t *next,
                                 struct fb_err *err) {
    char bytes[FB_FRAME_HEAD_BYTES];
    struct head head;
    if (at == file->size)
        return FB_FRAME_END;
    if (file->size - at < FB_FRAME_EXTRA_BYTES)
        return FB_FRAME_BAD;
    if (!read_exactly(file, at, bytes, sizeof bytes, err))
        return FB_FRAME_FAILED;
    if (!parse_head(bytes, &head))
        return FB_FRAME_BAD;
    uint64_t body_n = (uint64_t)head.key_n + head.value_n;
    if (file->size - at - FB_FRAME_EXTRA_BYTES < body_n)
        return FB_FRAME_BAD;
    size_t wanted = whole ? (size_t)body_n + CHECK_BYTES : head.key_n;
    room->n = 0;
    char *body = fb_buf_room(room, wanted);
    if (wanted && !read_exactly(file, at + sizeof bytes, body, wanted, err))
        return FB_FRAME_FAILED;
    *frame = (struct fb_frame){
        .number = head.number, .stamp_us = head.stamp_us, .aside = head.aside, .mark = head.mark};
    if (head.has_key)
        frame->key = (struct fb_str){body, head.key_n};
    if (head.has_value)
        frame->value = whole ? (struct fb_str){body + head.key_n, head.value_n} : FB_S("");
    if (get_number(bytes + HEAD_CHECKED, CHECK_BYTES) != check_of_head(bytes, frame->key))
        return FB_FRAME_BAD;
    if (whole &&
        get_number(body + body_n, CHECK_BYTES) != check_of(bytes, frame->key, frame->value))
        return FB_FRAME_BAD;
    *next = at + FB_FRAME_EXTRA_BYTES + body_n;
    return FB_FRAME_OK;
}

bool fb_frame_is_beyond(const struct fb_frame_file *file, uint64_t at, int64_t number, bool *is,
                        struct fb_err *err) {
    struct fb_buf rest = {0}, room = {0};
    struct fb_frame frame;
    uint64_t next;
    size_t n = (size_t)(file->size - at);
    *is = false;
    fb_buf_room(&rest, n);
    bool ok = read_exactly(file, at, rest.p, n, err);
    for (size_t i = 0; ok && !*is && i + FB_FRAME_EXTRA_BYTES <= n; i++) {
        const char *found = memchr(rest.p + i, 'F', n - i);
        struct head head;
        if (!found)
            break;
        i = (size_t)(found - rest.p);
        if (n - i < FB_FRAME_EXTRA_BYTES || !parse_head(found, &head) || head.number <= number)
            continue;
        enum fb_frame_read read = fb_frame_read(file, at + i, true, &room, &frame, &next, err);
        *is = read == FB_FRAME_OK;
        ok = read != FB_FRAME_FAILED;
    }
    fb_buf_free(&rest);
    fb_buf_free(&room);
    return ok;
}

bool fb_frame_rewrite(const struct fb_frame_file *file, uint64_t from, uint64_t to,
                      struct fb_err *err) {
    struct fb_buf bytes = {0};
    size_t n = (size_t)(to - from);
    if (n == 0)
        return true;
    fb_buf_room(&bytes, n);
    bool ok = read_exactly(file, from, bytes.p, n, err);
    int code = ok ? file->disk->calls->write(file->disk, file->file, from, bytes.p, n) : 0;
    fb_buf_free(&bytes);
    return ok && (code == 0 || fb_disk_fail(err, "write", file->path, code));
}
