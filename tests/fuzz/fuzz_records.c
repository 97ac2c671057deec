/* Any bytes as a record of the journal, of a snapshot, or as a line of an audit trail.
 *
 * Place in the flow: libFuzzer target; seeds in corpus/records. The first byte says as what, the
 * rest is the content: mark and checksum are put around it, or nothing would get past them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/codec/audit_read.h"
#include "engine/codec/binary.h"
#include "engine/codec/chunk.h"

static struct fb_buf framed(const char *magic, struct fb_str content) {
    struct fb_buf out = {0};
    fb_buf_text(&out, magic);
    fb_buf_str(&out, content);
    fb_bin_seal(&out, 0);
    return out;
}

static struct fb_str view(const struct fb_buf *buf) {
    return (struct fb_str){buf->p, buf->n};
}

/* Numbers have one form each, so what is read is written the same way again. */
static void check_journal(struct fb_str bytes) {
    struct fb_journal journal;
    struct fb_journal_writer writer = {0};
    struct fb_journal_op op;
    struct fb_err err = {.kind = FB_NO_FAILURE};
    struct fb_buf again = {0};
    if (!fb_journal_parse(bytes, &journal, &err)) {
        FB_ASSERT(err.kind == FB_FATAL);
        return;
    }
    struct fb_journal_reader reader = fb_journal_ops(&journal);
    while (fb_journal_next_op(&reader, &op, &err))
        FB_ASSERT(op.n > 0);
    FB_ASSERT(err.kind == FB_NO_FAILURE);
    fb_buf_str(&writer.bytes, journal.operations);
    fb_journal_seal(&writer, &journal, &again);
    FB_ASSERT(fb_str_eq(view(&again), bytes));
    fb_buf_free(&again);
    fb_journal_writer_free(&writer);
}

/* One with a journal record of a former build in it is written in the present form. */
static void check_manifest(struct fb_str bytes) {
    struct fb_manifest manifest;
    struct fb_buf again = {0};
    if (!fb_manifest_decode(bytes, &manifest, NULL))
        return;
    fb_manifest_encode(&manifest, &again);
    FB_ASSERT(fb_str_eq(view(&again), bytes) || memmem(bytes.p, bytes.n, "FBJ1", 4));
    fb_buf_free(&again);
}

static void check_compressed(struct fb_str chunk, struct fb_str rules) {
    struct fb_chunk_coder *coder = fb_chunk_coder_new();
    struct fb_chunk piece;
    struct fb_str files;
    uint32_t sum = 0;
    if (chunk.n && fb_chunk_decode(coder, chunk, &piece, NULL))
        for (size_t i = 0; i < piece.content.n; i++)
            sum += (unsigned char)piece.content.p[i];
    if (rules.n && fb_rules_decode(coder, rules, &files, NULL))
        for (size_t i = 0; i < files.n; i++)
            sum += (unsigned char)files.p[i];
    FB_ASSERT(sum < UINT32_MAX);
    fb_chunk_coder_free(coder);
}

static void check_line(struct fb_str line) {
    struct fb_audit_reader *reader = fb_audit_reader_new();
    struct fb_audit_record record;
    fb_audit_read(reader, line, &record);
    if (!record.fault)
        FB_ASSERT(record.task.n > 0 && record.seq > 0 && record.kind.n > 0);
    fb_audit_reader_free(reader);
}

static void check_key(struct fb_str key) {
    int slot = 0;
    uint32_t index;
    uint8_t rules[32];
    struct fb_buf again = {0};
    enum fb_chunk_key_kind kind = fb_chunk_key_parse(key, &slot, &index, rules);
    uint64_t snapshot = slot == 0 ? 1 : 2;
    if (kind == FB_KEY_CHUNK)
        fb_chunk_key(snapshot, index, &again);
    else if (kind == FB_KEY_MANIFEST)
        fb_manifest_key(snapshot, &again);
    else if (kind == FB_KEY_RULES)
        fb_rules_key(rules, &again);
    FB_ASSERT(kind == FB_KEY_OTHER || fb_str_eq(view(&again), key));
    fb_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const char *const magics[] = {"FBJ2", "FBM1", "FBC1", "FBR1"};
    if (n == 0)
        return 0;
    struct fb_str content = {(const char *)bytes + 1, n - 1}, none = {0};
    struct fb_buf record = {0};
    if (bytes[0] >= 'a' && bytes[0] <= 'd')
        record = framed(magics[bytes[0] - 'a'], content);
    switch (bytes[0]) {
    case 'a':
        check_journal(view(&record));
        break;
    case 'b':
        check_manifest(view(&record));
        break;
    case 'c':
        check_compressed(view(&record), none);
        break;
    case 'd':
        check_compressed(none, view(&record));
        break;
    case 'e':
        check_line(content);
        break;
    default:
        check_key(content);
    }
    fb_buf_free(&record);
    return 0;
}
