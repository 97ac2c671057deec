/* A snapshot as records: pieces of state, and a manifest that says when they are whole.
 *
 * Place in the flow: run/snapshot makes pieces of what core/snapshot gives and puts them into the
 * batch; run/restore puts them together again. Pure functions of bytes; one owner, no locks.
 *
 * Snapshots go in turn to two slots, so that the last whole one is never overwritten: keys are
 * "A/00000012", "B/manifest"; the topic is compacted. Beside them "rules/HEX" holds the rule files
 * of a bundle. Values: a magic, the fields as in codec/journal.h, zstd-1 of the content, and the
 * 64-bit XXH3 of all before it. */
#ifndef FB_CODEC_CHUNK_H
#define FB_CODEC_CHUNK_H

#include "engine/codec/journal.h"

enum { FB_CHUNK_BYTES = 384 * 1024 /* of content, before compression */, FB_CHUNK_KEY_MAX = 80 };

/* ---- pieces ---- */

struct fb_chunk {
    uint64_t snapshot; /* its id; the slot is A for odd ones, B for even ones */
    uint32_t index;    /* 0, 1, .. */
    struct fb_str content;
};

/* Compresses; NULL only where zstd can not be set up. */
struct fb_chunk_coder;
struct fb_chunk_coder *fb_chunk_coder_new(void);
void fb_chunk_coder_free(struct fb_chunk_coder *coder);

void fb_chunk_key(uint64_t snapshot, uint32_t index, struct fb_buf *out);
void fb_chunk_encode(struct fb_chunk_coder *coder, const struct fb_chunk *chunk,
                     struct fb_buf *out);
/* content: a view until the coder's next call. False: err (fatal). */
bool fb_chunk_decode(struct fb_chunk_coder *coder, struct fb_str value, struct fb_chunk *chunk,
                     struct fb_err *err);

/* ---- manifest ---- */

struct fb_manifest {
    uint64_t snapshot;
    uint32_t chunks;
    uint64_t content_bytes; /* of all chunks */
    uint32_t devices;
    struct fb_hash128 state_hash; /* of all devices, whatever their order: core/snapshot.h */
    struct fb_str layout; /* how the writer laid out the state: fb_program_layout in hex; empty in
                           * those of builds that did not tell */
    struct fb_journal
        at; /* the task at the barrier: everything of a journal record but operations */
};

void fb_manifest_key(uint64_t snapshot, struct fb_buf *out);
void fb_manifest_encode(const struct fb_manifest *manifest, struct fb_buf *out);
bool fb_manifest_decode(struct fb_str value, struct fb_manifest *manifest, struct fb_err *err);

/* ---- rule bundles ---- */

void fb_rules_key(const uint8_t rules[32], struct fb_buf *out);
/* files: the bundle as run/bundle writes it, any bytes. */
void fb_rules_encode(struct fb_chunk_coder *coder, struct fb_str files, struct fb_buf *out);
bool fb_rules_decode(struct fb_chunk_coder *coder, struct fb_str value, struct fb_str *files,
                     struct fb_err *err);

/* ---- keys ---- */

enum fb_chunk_key_kind { FB_KEY_CHUNK, FB_KEY_MANIFEST, FB_KEY_RULES, FB_KEY_OTHER };
/* slot: 0 (A) or 1 (B); rules: the bundle's hash. */
enum fb_chunk_key_kind fb_chunk_key_parse(struct fb_str key, int *slot, uint32_t *index,
                                          uint8_t rules[32]);

#endif
