/* Hashes: a fast one for tables, SHA-256 for ids and versions.
 *
 * Place in the flow: map, the device table, rule versions, output ids. */
#ifndef FB_BASE_HASH_H
#define FB_BASE_HASH_H

#include "engine/base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* XXH3 (libxxhash). Not stable across versions of flyball: never put it out or store it. */
uint64_t fb_hash64(const void *bytes, size_t n, uint64_t seed);

/* Of stored bytes, to find out whether they are as they were written: XXH3, whose results are fixed
 * since xxHash 0.8.0. Not against people who change them. */
uint64_t fb_checksum64(const void *bytes, size_t n);

/* A stable 128-bit hash (XXH3, whose results are fixed since xxHash 0.8.0): may be stored. Not
 * against people who want a collision. */
struct fb_hash128 {
    uint64_t low, high;
};
struct fb_hash128 fb_hash128(const void *bytes, size_t n);
/* The hash of a sequence: of `before` and the next part of it. */
struct fb_hash128 fb_hash128_next(struct fb_hash128 before, const void *bytes, size_t n);
/* Of a set: the same in any order. */
struct fb_hash128 fb_hash128_add(struct fb_hash128 a, struct fb_hash128 b);
static inline bool fb_hash128_eq(struct fb_hash128 a, struct fb_hash128 b) {
    return a.low == b.low && a.high == b.high;
}

/* SHA-256 (libcrypto) of the concatenation of the parts. Thread-safe. */
void fb_sha256(const struct fb_str *parts, size_t n_parts, uint8_t digest[32]);
/* The same for many short texts: to look SHA-256 up and to make room for its state takes longer
 * than to hash a hundred bytes. One owner. */
struct fb_hasher;
struct fb_hasher *fb_hasher_new(void);
void fb_hasher_free(struct fb_hasher *hasher);
void fb_hasher_sha256(struct fb_hasher *hasher, struct fb_str bytes, uint8_t digest[32]);
void fb_hasher_sha256_parts(struct fb_hasher *hasher, const struct fb_str *parts, size_t n_parts,
                            uint8_t digest[32]);
/* Lower-case hex, n_bytes * 2 characters and a terminator. */
void fb_hex(const uint8_t *bytes, size_t n_bytes, char *out);
/* The way back; false: that is not n_bytes * 2 digits, or not lower-case. */
bool fb_unhex(struct fb_str hex, uint8_t *bytes, size_t n_bytes);

#endif
