/* The records of a snapshot: pieces, the manifest, rule bundles, and their keys. */
#include "engine/codec/chunk.h"

#include <stdlib.h>
#include <zstd.h>

#include "engine/base/arena.h"
#include "engine/codec/binary.h"

static const char chunk_magic[4] = {'F', 'B', 'C', '1'};
static const char manifest_magic[4] = {'F', 'B', 'M', '1'};
static const char rules_magic[4] = {'F', 'B', 'R', '1'};

enum { LEVEL = 1, CONTENT_BYTES_MAX = 1 << 28 /* what a reader makes room for */ };

struct fb_chunk_coder {
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
    struct fb_buf content; /* of the last value that was decoded */
};

struct fb_chunk_coder *fb_chunk_coder_new(void) {
    struct fb_chunk_coder *coder = fb_alloc(sizeof *coder);
    coder->compress = ZSTD_createCCtx();
    coder->decompress = ZSTD_createDCtx();
    if (coder->compress && coder->decompress)
        return coder;
    fb_chunk_coder_free(coder);
    return NULL;
}

void fb_chunk_coder_free(struct fb_chunk_coder *coder) {
    if (!coder)
        return;
    ZSTD_freeCCtx(coder->compress);
    ZSTD_freeDCtx(coder->decompress);
    fb_buf_free(&coder->content);
    free(coder);
}

/* Its length, then itself, compressed, up to the checksum. */
static void put_content(struct fb_chunk_coder *coder, struct fb_str content, struct fb_buf *out) {
    FB_ASSERT(content.n <= CONTENT_BYTES_MAX);
    fb_bin_put(out, content.n);
    size_t room = ZSTD_compressBound(content.n);
    char *to = fb_buf_room(out, room);
    size_t n =
        ZSTD_compressCCtx(coder->compress, to, room, content.p ? content.p : "", content.n, LEVEL);
    FB_ASSERT(!ZSTD_isError(n)); /* there is room for the worst */
    out->n += n;
}

static bool get_content(struct fb_chunk_coder *coder, struct fb_bin *bin, struct fb_str *content) {
    uint64_t length = fb_bin_get(bin);
    if (bin->bad || length > CONTENT_BYTES_MAX)
        return false;
    coder->content.n = 0;
    char *to = fb_buf_room(&coder->content, (size_t)length);
    size_t n = ZSTD_decompressDCtx(coder->decompress, to, (size_t)length, bin->p, fb_bin_left(bin));
    if (ZSTD_isError(n) || n != length)
        return false;
    *content = (struct fb_str){to, n};
    return true;
}

static bool malformed(const char *what, size_t n, const char *why, struct fb_err *err) {
    return fb_fail(err, FB_FATAL, "%s of %zu bytes is malformed: %s", what, n, why);
}

/* ---- pieces ---- */

void fb_chunk_encode(struct fb_chunk_coder *coder, const struct fb_chunk *chunk,
                     struct fb_buf *out) {
    size_t start = out->n;
    fb_buf_put(out, chunk_magic, sizeof chunk_magic);
    fb_bin_put(out, chunk->snapshot);
    fb_bin_put(out, chunk->index);
    put_content(coder, chunk->content, out);
    fb_bin_seal(out, start);
}

bool fb_chunk_decode(struct fb_chunk_coder *coder, struct fb_str value, struct fb_chunk *chunk,
                     struct fb_err *err) {
    const char *why = "";
    *chunk = (struct fb_chunk){0};
    struct fb_bin bin = fb_bin_open(value, chunk_magic, &why);
    chunk->snapshot = fb_bin_get(&bin);
    chunk->index = fb_bin_get_32(&bin);
    return get_content(coder, &bin, &chunk->content) ||
           malformed("a piece of a snapshot", value.n, why, err);
}

/* ---- manifest ---- */

void fb_manifest_encode(const struct fb_manifest *manifest, struct fb_buf *out) {
    size_t start = out->n;
    struct fb_journal_writer no_operations = {0};
    fb_buf_put(out, manifest_magic, sizeof manifest_magic);
    fb_bin_put(out, manifest->snapshot);
    fb_bin_put(out, manifest->chunks);
    fb_bin_put(out, manifest->content_bytes);
    fb_bin_put(out, manifest->devices);
    fb_bin_put_hash(out, manifest->state_hash);
    fb_bin_put_text(out, manifest->layout);
    fb_journal_seal(&no_operations, &manifest->at, out);
    fb_bin_seal(out, start);
}

bool fb_manifest_decode(struct fb_str value, struct fb_manifest *manifest, struct fb_err *err) {
    const char *why = "";
    *manifest = (struct fb_manifest){0};
    struct fb_bin bin = fb_bin_open(value, manifest_magic, &why);
    manifest->snapshot = fb_bin_get(&bin);
    manifest->chunks = fb_bin_get_32(&bin);
    manifest->content_bytes = fb_bin_get(&bin);
    manifest->devices = fb_bin_get_32(&bin);
    manifest->state_hash = fb_bin_get_hash(&bin);
    manifest->layout = fb_bin_get_text(&bin);
    if (bin.bad ||
        !fb_journal_parse((struct fb_str){(const char *)bin.p, fb_bin_left(&bin)}, &manifest->at,
                          NULL) ||
        manifest->at.operations.n)
        return malformed("the manifest of a snapshot", value.n, why, err);
    return true;
}

/* ---- rule bundles ---- */

void fb_rules_encode(struct fb_chunk_coder *coder, struct fb_str files, struct fb_buf *out) {
    size_t start = out->n;
    fb_buf_put(out, rules_magic, sizeof rules_magic);
    put_content(coder, files, out);
    fb_bin_seal(out, start);
}

bool fb_rules_decode(struct fb_chunk_coder *coder, struct fb_str value, struct fb_str *files,
                     struct fb_err *err) {
    const char *why = "";
    *files = (struct fb_str){0};
    struct fb_bin bin = fb_bin_open(value, rules_magic, &why);
    return get_content(coder, &bin, files) || malformed("a stored rule bundle", value.n, why, err);
}

/* ---- keys ---- */

static char slot_letter(uint64_t snapshot) {
    return snapshot % 2 ? 'A' : 'B';
}

void fb_chunk_key(uint64_t snapshot, uint32_t index, struct fb_buf *out) {
    fb_buf_printf(out, "%c/%08u", slot_letter(snapshot), index);
}

void fb_manifest_key(uint64_t snapshot, struct fb_buf *out) {
    fb_buf_printf(out, "%c/manifest", slot_letter(snapshot));
}

void fb_rules_key(const uint8_t rules[32], struct fb_buf *out) {
    char hex[65];
    fb_hex(rules, 32, hex);
    fb_buf_text(out, "rules/");
    fb_buf_text(out, hex);
}

/* As fb_chunk_key writes it: at least eight digits, none too many. */
static bool parse_index(struct fb_str digits, uint32_t *index) {
    uint64_t x = 0;
    if (digits.n < 8 || digits.n > 10 || (digits.n > 8 && digits.p[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return false;
        x = x * 10 + (uint64_t)(digits.p[i] - '0');
    }
    *index = (uint32_t)x;
    return x <= UINT32_MAX;
}

enum fb_chunk_key_kind fb_chunk_key_parse(struct fb_str key, int *slot, uint32_t *index,
                                          uint8_t rules[32]) {
    if (key.n > 6 && memcmp(key.p, "rules/", 6) == 0)
        return fb_unhex((struct fb_str){key.p + 6, key.n - 6}, rules, 32) ? FB_KEY_RULES
                                                                       : FB_KEY_OTHER;
    if (key.n < 3 || (key.p[0] != 'A' && key.p[0] != 'B') || key.p[1] != '/')
        return FB_KEY_OTHER;
    struct fb_str rest = {key.p + 2, key.n - 2};
    *slot = key.p[0] - 'A';
    if (fb_str_eq(rest, FB_S("manifest")))
        return FB_KEY_MANIFEST;
    return parse_index(rest, index) ? FB_KEY_CHUNK : FB_KEY_OTHER;
}
