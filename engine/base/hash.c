/* Hashes: a fast one for tables, SHA-256 for ids and versions. */
#include "engine/base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "engine/base/arena.h"
#include "engine/base/err.h"

uint64_t fb_hash64(const void *bytes, size_t n, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, n, seed);
}

uint64_t fb_checksum64(const void *bytes, size_t n) {
    return XXH3_64bits(bytes, n);
}

static struct fb_hash128 of_xxh(XXH128_hash_t hash) {
    return (struct fb_hash128){hash.low64, hash.high64};
}

struct fb_hash128 fb_hash128(const void *bytes, size_t n) {
    return of_xxh(XXH3_128bits(bytes, n));
}

struct fb_hash128 fb_hash128_next(struct fb_hash128 before, const void *bytes, size_t n) {
    struct fb_hash128 part = fb_hash128(bytes, n);
    uint64_t both[4] = {before.low, before.high, part.low, part.high};
    return fb_hash128(both, sizeof both);
}

struct fb_hash128 fb_hash128_add(struct fb_hash128 a, struct fb_hash128 b) {
    uint64_t low = a.low + b.low;
    return (struct fb_hash128){low, a.high + b.high + (low < a.low)};
}

struct fb_hasher {
    EVP_MD *sha256;
    EVP_MD_CTX *state;
};

struct fb_hasher *fb_hasher_new(void) {
    struct fb_hasher *hasher = fb_alloc(sizeof *hasher);
    hasher->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    hasher->state = EVP_MD_CTX_new();
    FB_ASSERT(hasher->sha256 && hasher->state);
    return hasher;
}

void fb_hasher_free(struct fb_hasher *hasher) {
    if (!hasher)
        return;
    EVP_MD_CTX_free(hasher->state);
    EVP_MD_free(hasher->sha256);
    free(hasher);
}

void fb_hasher_sha256_parts(struct fb_hasher *hasher, const struct fb_str *parts, size_t n_parts,
                            uint8_t digest[32]) {
    FB_ASSERT(EVP_DigestInit_ex(hasher->state, hasher->sha256, NULL) == 1);
    for (size_t i = 0; i < n_parts; i++)
        FB_ASSERT(EVP_DigestUpdate(hasher->state, parts[i].p, parts[i].n) == 1);
    unsigned length = 0;
    FB_ASSERT(EVP_DigestFinal_ex(hasher->state, digest, &length) == 1 && length == 32);
}

void fb_hasher_sha256(struct fb_hasher *hasher, struct fb_str bytes, uint8_t digest[32]) {
    fb_hasher_sha256_parts(hasher, &bytes, 1, digest);
}

void fb_sha256(const struct fb_str *parts, size_t n_parts, uint8_t digest[32]) {
    struct fb_hasher *hasher = fb_hasher_new();
    fb_hasher_sha256_parts(hasher, parts, n_parts, digest);
    fb_hasher_free(hasher);
}

/* An audit record has some two hundred bytes in hex. */
#if defined(__SSE2__)
static __m128i digits_of(__m128i nibbles) {
    __m128i letters = _mm_cmpgt_epi8(nibbles, _mm_set1_epi8(9));
    __m128i beyond = _mm_and_si128(letters, _mm_set1_epi8('a' - '0' - 10));
    return _mm_add_epi8(_mm_add_epi8(nibbles, _mm_set1_epi8('0')), beyond);
}

static size_t hex_in_blocks(const uint8_t *bytes, size_t n_bytes, char *out) {
    const __m128i low_nibble = _mm_set1_epi8(15);
    size_t i = 0;
    for (; i + 16 <= n_bytes; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i));
        __m128i high = _mm_and_si128(_mm_srli_epi16(x, 4), low_nibble);
        __m128i low = _mm_and_si128(x, low_nibble);
        __m128i *to = (__m128i *)(void *)(out + 2 * i);
        _mm_storeu_si128(to, digits_of(_mm_unpacklo_epi8(high, low)));
        _mm_storeu_si128(to + 1, digits_of(_mm_unpackhi_epi8(high, low)));
    }
    return i;
}
#else
static size_t hex_in_blocks(const uint8_t *bytes, size_t n_bytes, char *out) {
    (void)bytes, (void)n_bytes, (void)out;
    return 0;
}
#endif

void fb_hex(const uint8_t *bytes, size_t n_bytes, char *out) {
    for (size_t i = hex_in_blocks(bytes, n_bytes, out); i < n_bytes; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    out[2 * n_bytes] = '\0';
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool fb_unhex(struct fb_str hex, uint8_t *bytes, size_t n_bytes) {
    if (hex.n != 2 * n_bytes)
        return false;
    for (size_t i = 0; i < n_bytes; i++) {
        int high = digit_of(hex.p[2 * i]), low = digit_of(hex.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
