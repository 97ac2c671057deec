/* Hashes: a fast one for tables, SHA-256 for ids and versions. */
#include "engine/base/hash.h"

#include <openssl/evp.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/base/err.h"

uint64_t fb_hash64(const void *bytes, size_t n, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, n, seed);
}

void fb_sha256(const struct fb_str *parts, size_t n_parts, uint8_t digest[32]) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    FB_ASSERT(ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1);
    for (size_t i = 0; i < n_parts; i++)
        FB_ASSERT(EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1);
    unsigned length = 0;
    FB_ASSERT(EVP_DigestFinal_ex(ctx, digest, &length) == 1 && length == 32);
    EVP_MD_CTX_free(ctx);
}

void fb_hex(const uint8_t *bytes, size_t n_bytes, char *out) {
    for (size_t i = 0; i < n_bytes; i++) {
        *out++ = "0123456789abcdef"[bytes[i] >> 4];
        *out++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *out = '\0';
}
