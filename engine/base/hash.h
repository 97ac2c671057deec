/* Hashes: a fast one for tables, SHA-256 for ids and versions.
 *
 * Place in the flow: map, the device table, rule versions, output ids. */
#ifndef FB_BASE_HASH_H
#define FB_BASE_HASH_H

#include "engine/base/str.h"

#include <stdint.h>

/* XXH3 (libxxhash). Not stable across versions of flyball: never put it out or store it. */
uint64_t fb_hash64(const void *bytes, size_t n, uint64_t seed);

/* SHA-256 (libcrypto) of the concatenation of the parts. Thread-safe. */
void fb_sha256(const struct fb_str *parts, size_t n_parts, uint8_t digest[32]);
/* The same for many short texts: to look SHA-256 up and to make room for its state takes longer
 * than to hash a hundred bytes. One owner. */
struct fb_hasher;
struct fb_hasher *fb_hasher_new(void);
void fb_hasher_free(struct fb_hasher *hasher);
void fb_hasher_sha256(struct fb_hasher *hasher, struct fb_str bytes, uint8_t digest[32]);
/* Lower-case hex, n_bytes * 2 characters and a terminator. */
void fb_hex(const uint8_t *bytes, size_t n_bytes, char *out);

#endif
