/* Numbers and texts in stored binary records: variable length, bounds checked, one form each.
 *
 * Place in the flow: codec/journal and codec/chunk write and read with it. A reader that meets what
 * no writer writes turns bad, stays it, and gives zeros; so a parser may look once, at the end. */
#ifndef FB_CODEC_BINARY_H
#define FB_CODEC_BINARY_H

#include "engine/base/hash.h"
#include "engine/base/str.h"

/* ---- writing ---- */

/* Unsigned LEB128: seven bits a byte, the least first. */
static inline void fb_bin_put(struct fb_buf *out, uint64_t x) {
    char *to = fb_buf_room(out, 10);
    size_t n = 0;
    for (; x >= 0x80; x >>= 7)
        to[n++] = (char)(x | 0x80);
    to[n++] = (char)x;
    out->n += n;
}
/* Zigzag: 0, -1, 1, -2 .. are 0, 1, 2, 3 .. */
static inline void fb_bin_put_signed(struct fb_buf *out, int64_t x) {
    fb_bin_put(out, ((uint64_t)x << 1) ^ (x < 0 ? UINT64_MAX : 0));
}
/* Its length, then its bytes. */
static inline void fb_bin_put_text(struct fb_buf *out, struct fb_str text) {
    fb_bin_put(out, text.n);
    fb_buf_str(out, text);
}
/* Eight bytes, the least first. */
static inline void fb_bin_put_fixed(struct fb_buf *out, uint64_t x) {
    char *to = fb_buf_room(out, 8);
    for (int i = 0; i < 8; i++)
        to[i] = (char)(x >> (8 * i));
    out->n += 8;
}
static inline void fb_bin_put_hash(struct fb_buf *out, struct fb_hash128 hash) {
    fb_bin_put_fixed(out, hash.low);
    fb_bin_put_fixed(out, hash.high);
}
/* The checksum of everything from `start` on. */
static inline void fb_bin_seal(struct fb_buf *out, size_t start) {
    fb_bin_put_fixed(out, fb_checksum64(out->p + start, out->n - start));
}

/* ---- reading ---- */

struct fb_bin {
    const uint8_t *p, *end;
    bool bad;
};

static inline struct fb_bin fb_bin_of(struct fb_str bytes) {
    const uint8_t *p = (const uint8_t *)bytes.p;
    return (struct fb_bin){.p = p, .end = bytes.n ? p + bytes.n : p};
}
static inline size_t fb_bin_left(const struct fb_bin *bin) {
    return bin->p ? (size_t)(bin->end - bin->p) : 0;
}
/* The next n bytes; NULL, and bad, where there are not as many. */
static inline const uint8_t *fb_bin_take(struct fb_bin *bin, uint64_t n) {
    if (bin->bad || fb_bin_left(bin) < n) {
        bin->bad = true;
        return NULL;
    }
    const uint8_t *at = bin->p;
    if (n)
        bin->p += n;
    return at;
}
static inline uint64_t fb_bin_get(struct fb_bin *bin) {
    uint64_t x = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const uint8_t *byte = fb_bin_take(bin, 1);
        if (!byte)
            return 0;
        x |= (uint64_t)(*byte & 0x7F) << shift;
        if (*byte < 0x80) {
            /* Leading zeros, and bits beyond the 64th, are no writer's. */
            if ((*byte == 0 && shift > 0) || (shift == 63 && *byte > 1))
                break;
            return x;
        }
    }
    bin->bad = true;
    return 0;
}
static inline int64_t fb_bin_get_signed(struct fb_bin *bin) {
    uint64_t x = fb_bin_get(bin);
    return (int64_t)((x >> 1) ^ (x & 1 ? UINT64_MAX : 0));
}
/* A number that fits into 32 bits. */
static inline uint32_t fb_bin_get_32(struct fb_bin *bin) {
    uint64_t x = fb_bin_get(bin);
    if (x > UINT32_MAX)
        bin->bad = true;
    return bin->bad ? 0 : (uint32_t)x;
}
static inline struct fb_str fb_bin_get_text(struct fb_bin *bin) {
    uint64_t n = fb_bin_get(bin);
    const uint8_t *p = fb_bin_take(bin, n);
    return p ? (struct fb_str){(const char *)p, (size_t)n} : (struct fb_str){0};
}
static inline uint64_t fb_bin_get_fixed(struct fb_bin *bin) {
    const uint8_t *p = fb_bin_take(bin, 8);
    uint64_t x = 0;
    for (int i = 0; p && i < 8; i++)
        x |= (uint64_t)p[i] << (8 * i);
    return x;
}
static inline struct fb_hash128 fb_bin_get_hash(struct fb_bin *bin) {
    uint64_t low = fb_bin_get_fixed(bin);
    return (struct fb_hash128){low, fb_bin_get_fixed(bin)};
}
static inline void fb_bin_get_bytes(struct fb_bin *bin, uint8_t *out, size_t n) {
    const uint8_t *p = fb_bin_take(bin, n);
    if (p)
        memcpy(out, p, n);
    else
        memset(out, 0, n);
}

/* What lies between the magic and the checksum. Bad: neither is right; *why says which. */
struct fb_bin fb_bin_open(struct fb_str bytes, const char magic[4], const char **why);

#endif
