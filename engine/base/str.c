/* Text: views, a growing buffer, UTF-8, and the nearest name. */
#include "engine/base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

struct fb_str fb_str_of(const char *terminated) {
    return (struct fb_str){terminated, strlen(terminated)};
}

bool fb_str_eq(struct fb_str a, struct fb_str b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int fb_str_cmp(struct fb_str a, struct fb_str b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

struct fb_str fb_str_copy(struct fb_arena *arena, struct fb_str s) {
    char *p = fb_arena_alloc(arena, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct fb_str){p, s.n};
}

struct fb_str fb_str_printf(struct fb_arena *arena, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    FB_ASSERT(n >= 0);
    char *p = fb_arena_alloc(arena, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return (struct fb_str){p, (size_t)n};
}

/* RFC 3629, section 4: the second byte's range depends on the first. */
size_t fb_utf8_sequence(const char *bytes, size_t n) {
    const unsigned char *p = (const unsigned char *)bytes;
    unsigned char first = p[0], low = 0x80, high = 0xBF;
    size_t length;
    if (first < 0xC2)
        return 0;
    if (first < 0xE0) {
        length = 2;
    } else if (first < 0xF0) {
        length = 3;
        if (first == 0xE0)
            low = 0xA0; /* overlong below */
        else if (first == 0xED)
            high = 0x9F; /* surrogates above */
    } else if (first < 0xF5) {
        length = 4;
        if (first == 0xF0)
            low = 0x90;
        else if (first == 0xF4)
            high = 0x8F; /* beyond U+10FFFF above */
    } else {
        return 0;
    }
    if (n < length || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

bool fb_str_is_topic(struct fb_str s) {
    static const char more[] = "._-";
    enum { BYTES_MAX = 249 };
    bool good = s.n > 0 && s.n <= BYTES_MAX;
    for (size_t i = 0; good && i < s.n; i++) {
        char c = s.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               memchr(more, c, sizeof more - 1);
    }
    return good && !fb_str_eq(s, FB_S(".")) && !fb_str_eq(s, FB_S(".."));
}

bool fb_str_is_utf8(struct fb_str s) {
    size_t i = 0;
    while (i < s.n) {
        uint64_t eight;
        if (s.n - i >= sizeof eight) {
            memcpy(&eight, s.p + i, sizeof eight);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                i += sizeof eight;
                continue;
            }
        }
        if ((unsigned char)s.p[i] < 0x80) {
            i++;
            continue;
        }
        size_t length = fb_utf8_sequence(s.p + i, s.n - i);
        if (!length)
            return false;
        i += length;
    }
    return true;
}

enum { NAME_BYTES_MAX = 64 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b; both at most
 * NAME_BYTES_MAX bytes. */
static size_t edit_distance(struct fb_str a, struct fb_str b) {
    size_t rows[3][NAME_BYTES_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.n; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t best = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            best = smaller(best, smaller(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                best = smaller(best, before[j - 2] + 1);
            now[j] = best;
        }
        size_t *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[b.n];
}

struct fb_str fb_str_nearest(struct fb_str wanted, const struct fb_str *candidates, size_t n) {
    struct fb_str nearest = {0};
    size_t smallest = SIZE_MAX;
    if (wanted.n > NAME_BYTES_MAX)
        return nearest;
    for (size_t i = 0; i < n; i++) {
        if (candidates[i].n > NAME_BYTES_MAX || candidates[i].n == 0)
            continue;
        size_t allowed = candidates[i].n < 3 ? 1 : candidates[i].n / 3;
        size_t distance = edit_distance(wanted, candidates[i]);
        if (distance <= allowed && distance < smallest) {
            smallest = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

void fb_buf_free(struct fb_buf *buf) {
    free(buf->p);
    *buf = (struct fb_buf){0};
}

void fb_buf_grow(struct fb_buf *buf, size_t more) {
    size_t wanted = buf->n + more + 1, cap = buf->cap ? buf->cap : 64;
    while (cap < wanted)
        cap *= 2;
    buf->p = fb_grow(buf->p, cap);
    buf->cap = cap;
}

void fb_buf_printf(struct fb_buf *buf, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    FB_ASSERT(n >= 0);
    vsnprintf(fb_buf_room(buf, (size_t)n), (size_t)n + 1, format, again);
    va_end(again);
    buf->n += (size_t)n;
}

const char *fb_buf_terminated(struct fb_buf *buf) {
    *fb_buf_room(buf, 0) = '\0';
    return buf->p;
}
