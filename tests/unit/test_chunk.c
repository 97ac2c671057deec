/* The records of a snapshot: pieces, manifest, rule bundles, keys. */
#include "engine/codec/chunk.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/codec/binary.h"

enum { HASH_BYTES = 32, CHECKSUM_BYTES = 8 };

static struct fb_str view(const struct fb_buf *buf) {
    return (struct fb_str){buf->p, buf->n};
}

/* ---- what is read by one of the three decoders ---- */

enum what { CHUNK, MANIFEST, RULES };

/* Of an exact copy, so that a sanitizer sees a byte read too far. */
static bool decodes(struct fb_chunk_coder *coder, enum what what, struct fb_str value) {
    char *exact = malloc(value.n ? value.n : 1);
    struct fb_err err = {.kind = FB_NO_FAILURE};
    struct fb_chunk chunk;
    struct fb_manifest manifest;
    struct fb_str files;
    bool good = false;
    if (value.n)
        memcpy(exact, value.p, value.n);
    value.p = exact;
    if (what == CHUNK)
        good = fb_chunk_decode(coder, value, &chunk, &err);
    else if (what == MANIFEST)
        good = fb_manifest_decode(value, &manifest, &err);
    else
        good = fb_rules_decode(coder, value, &files, &err);
    free(exact);
    assert_int_equal(err.kind, good ? FB_NO_FAILURE : FB_FATAL);
    assert_true(good || strstr(err.text, "malformed"));
    return good;
}

static struct fb_manifest sample_manifest(void) {
    struct fb_manifest manifest = {
        .snapshot = 12,
        .chunks = 3,
        .content_bytes = 1000000,
        .devices = 5000,
        .state_hash = {1, 2},
        .layout = FB_S("class pump 96\n"),
        .at = {.seq = 77,
               .semantics = 1,
               .wall_us = 1700000000000000,
               .clock_us = INT64_MIN,
               .outputs = 9,
               .output_hash = {3, 4},
               .audit_seq = 5,
               .inputs = {{FB_S("telemetry"), 1000}},
               .n_inputs = 1},
    };
    memset(manifest.at.rules, 0xAB, HASH_BYTES);
    return manifest;
}

static void encode_sample(struct fb_chunk_coder *coder, enum what what, struct fb_buf *out) {
    struct fb_manifest manifest = sample_manifest();
    struct fb_chunk chunk = {12, 2, FB_S("one device, another device, a third device")};
    if (what == CHUNK)
        fb_chunk_encode(coder, &chunk, out);
    else if (what == MANIFEST)
        fb_manifest_encode(&manifest, out);
    else
        fb_rules_encode(coder, FB_S("rule a { }\nrule b { }\n"), out);
}

/* ---- tests ---- */

static void expect_piece_round_trip(struct fb_chunk_coder *coder, struct fb_chunk chunk) {
    struct fb_buf out = {0};
    struct fb_chunk back;
    struct fb_err err;
    fb_chunk_encode(coder, &chunk, &out);
    assert_true(fb_chunk_decode(coder, view(&out), &back, &err));
    assert_true(back.snapshot == chunk.snapshot && back.index == chunk.index);
    assert_true(fb_str_eq(back.content, chunk.content));
    fb_buf_free(&out);
}

static void a_piece_comes_back(void **state) {
    (void)state;
    struct fb_chunk_coder *coder = fb_chunk_coder_new();
    struct fb_buf content = {0};
    uint64_t x = 1;
    for (int i = 0; i < 2 * FB_CHUNK_BYTES; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        fb_buf_char(&content, (char)(x >> 60)); /* four bits of eight: it can be compressed */
    }
    expect_piece_round_trip(coder, (struct fb_chunk){1, 0, {content.p, FB_CHUNK_BYTES}});
    expect_piece_round_trip(coder, (struct fb_chunk){UINT64_MAX, UINT32_MAX, view(&content)});
    expect_piece_round_trip(coder, (struct fb_chunk){2, 1, {content.p, 1}});
    expect_piece_round_trip(coder, (struct fb_chunk){0, 0, {0}});
    struct fb_buf out = {0};
    fb_chunk_encode(coder, &(struct fb_chunk){1, 0, view(&content)}, &out);
    assert_true(out.n < content.n * 3 / 4);
    fb_buf_free(&out);
    fb_buf_free(&content);
    fb_chunk_coder_free(coder);
    fb_chunk_coder_free(NULL);
}

static void a_manifest_comes_back(void **state) {
    (void)state;
    struct fb_manifest manifest = sample_manifest(), back;
    for (int empty = 0; empty < 2; empty++) {
        struct fb_buf out = {0};
        struct fb_err err;
        fb_manifest_encode(&manifest, &out);
        assert_true(fb_manifest_decode(view(&out), &back, &err));
        assert_true(back.snapshot == manifest.snapshot && back.chunks == manifest.chunks);
        assert_true(back.content_bytes == manifest.content_bytes);
        assert_int_equal(back.devices, manifest.devices);
        assert_true(fb_hash128_eq(back.state_hash, manifest.state_hash));
        assert_true(fb_str_eq(back.layout, manifest.layout));
        assert_true(back.at.seq == manifest.at.seq && back.at.clock_us == manifest.at.clock_us);
        assert_true(back.at.audit_seq == manifest.at.audit_seq);
        assert_memory_equal(back.at.rules, manifest.at.rules, HASH_BYTES);
        assert_int_equal(back.at.n_inputs, manifest.at.n_inputs);
        if (!empty)
            assert_true(back.at.inputs[0].next == 1000);
        assert_int_equal(back.at.operations.n, 0);
        fb_buf_free(&out);
        manifest = (struct fb_manifest){.snapshot = UINT64_MAX, .content_bytes = UINT64_MAX};
    }
}

static void rule_files_come_back(void **state) {
    (void)state;
    struct fb_chunk_coder *coder = fb_chunk_coder_new();
    static const char with_zeros[] = "a\0b\xff";
    const struct fb_str files[] = {{with_zeros, sizeof with_zeros}, FB_S(""), {0}};
    for (size_t i = 0; i < 3; i++) {
        struct fb_buf out = {0};
        struct fb_str back;
        struct fb_err err;
        fb_rules_encode(coder, files[i], &out);
        assert_true(fb_rules_decode(coder, view(&out), &back, &err));
        assert_true(fb_str_eq(back, files[i]));
        fb_buf_free(&out);
    }
    fb_chunk_coder_free(coder);
}

static void every_truncation_is_found(void **state) {
    (void)state;
    struct fb_chunk_coder *coder = fb_chunk_coder_new();
    for (enum what what = CHUNK; what <= RULES; what++) {
        struct fb_buf out = {0};
        encode_sample(coder, what, &out);
        assert_true(decodes(coder, what, view(&out)));
        for (size_t n = 0; n < out.n; n++)
            assert_false(decodes(coder, what, (struct fb_str){out.p, n}));
        fb_buf_char(&out, 'x');
        assert_false(decodes(coder, what, view(&out)));
        fb_buf_free(&out);
    }
    fb_chunk_coder_free(coder);
}

static void every_change_of_a_byte_is_found(void **state) {
    (void)state;
    struct fb_chunk_coder *coder = fb_chunk_coder_new();
    for (enum what what = CHUNK; what <= RULES; what++) {
        struct fb_buf out = {0};
        encode_sample(coder, what, &out);
        for (size_t i = 0; i < out.n; i++)
            for (int change = 1; change < 256; change++) {
                out.p[i] = (char)(out.p[i] ^ change);
                assert_false(decodes(coder, what, view(&out)));
                out.p[i] = (char)(out.p[i] ^ change);
            }
        fb_buf_free(&out);
    }
    fb_chunk_coder_free(coder);
}

/* One who makes the checksum anew can do no harm with it. */
static void wrong_content_under_a_right_checksum_does_no_harm(void **state) {
    (void)state;
    struct fb_chunk_coder *coder = fb_chunk_coder_new();
    for (enum what what = CHUNK; what <= RULES; what++) {
        struct fb_buf out = {0}, changed = {0};
        size_t refused = 0;
        encode_sample(coder, what, &out);
        size_t content = out.n - CHECKSUM_BYTES;
        for (size_t i = 4; i < content; i++)
            for (int change = 1; change < 256; change++) {
                changed.n = 0;
                fb_buf_put(&changed, out.p, content);
                changed.p[i] = (char)(changed.p[i] ^ change);
                fb_bin_seal(&changed, 0);
                refused += !decodes(coder, what, view(&changed));
            }
        for (size_t n = 4; n < content; n++) {
            changed.n = 0;
            fb_buf_put(&changed, out.p, n);
            fb_bin_seal(&changed, 0);
            refused += !decodes(coder, what, view(&changed));
        }
        assert_true(refused > content);
        fb_buf_free(&out);
        fb_buf_free(&changed);
    }
    fb_chunk_coder_free(coder);
}

static void one_kind_is_not_taken_for_another(void **state) {
    (void)state;
    struct fb_chunk_coder *coder = fb_chunk_coder_new();
    for (enum what what = CHUNK; what <= RULES; what++)
        for (enum what as = CHUNK; as <= RULES; as++) {
            struct fb_buf out = {0};
            encode_sample(coder, what, &out);
            assert_int_equal(decodes(coder, as, view(&out)), what == as);
            fb_buf_free(&out);
        }
    fb_chunk_coder_free(coder);
}

static void a_manifest_with_operations_is_refused(void **state) {
    (void)state;
    struct fb_manifest manifest = sample_manifest();
    struct fb_journal_writer writer = {0};
    struct fb_buf whole = {0}, out = {0}, journal = {0};
    fb_manifest_encode(&manifest, &whole);
    fb_journal_seal(&writer, &manifest.at, &journal);
    fb_buf_put(&out, whole.p, whole.n - CHECKSUM_BYTES - journal.n);
    fb_journal_tick(&writer, 5);
    fb_journal_seal(&writer, &manifest.at, &out);
    fb_bin_seal(&out, 0);
    assert_false(decodes(NULL, MANIFEST, view(&out)));
    fb_journal_writer_free(&writer);
    fb_buf_free(&whole);
    fb_buf_free(&out);
    fb_buf_free(&journal);
}

/* A contract, as the journal's bytes; compressed content may differ between versions of zstd. */
static void the_bytes_of_a_manifest_are_these(void **state) {
    (void)state;
    static const char golden[] =
        "46424d310c03c0843d8827010000000000000002000000000000000e636c617373207075"
        "6d702039360a46424a324d01abababababababababababababababababababababababab"
        "abababababababab8080f28183898506ffffffffffffffffff0100000903000000000000"
        "000400000000000000050000000000000000000000000000000000000000000000000000"
        "000000000000000000010974656c656d65747279d00fc15d9b846ea6d23e925890a37abb"
        "9672";
    struct fb_manifest manifest = sample_manifest();
    struct fb_buf out = {0};
    fb_manifest_encode(&manifest, &out);
    char *hex = malloc(out.n * 2 + 1);
    fb_hex((const uint8_t *)out.p, out.n, hex);
    assert_string_equal(hex, golden);
    free(hex);
    fb_buf_free(&out);
}

static void expect_key(const struct fb_buf *key, const char *text) {
    assert_int_equal(key->n, strlen(text));
    assert_memory_equal(key->p, text, key->n);
    assert_true(key->n <= FB_CHUNK_KEY_MAX);
}

static void keys_are_these_and_come_back(void **state) {
    (void)state;
    struct fb_buf key = {0};
    uint8_t rules[HASH_BYTES], back[HASH_BYTES];
    int slot = -1;
    uint32_t index = 99;
    fb_chunk_key(1, 12, &key);
    expect_key(&key, "A/00000012");
    assert_int_equal(fb_chunk_key_parse(view(&key), &slot, &index, back), FB_KEY_CHUNK);
    assert_true(slot == 0 && index == 12);
    key.n = 0;
    fb_chunk_key(2, UINT32_MAX, &key);
    expect_key(&key, "B/4294967295");
    assert_int_equal(fb_chunk_key_parse(view(&key), &slot, &index, back), FB_KEY_CHUNK);
    assert_true(slot == 1 && index == UINT32_MAX);
    key.n = 0;
    fb_manifest_key(4, &key);
    expect_key(&key, "B/manifest");
    assert_int_equal(fb_chunk_key_parse(view(&key), &slot, &index, back), FB_KEY_MANIFEST);
    assert_int_equal(slot, 1);
    key.n = 0;
    fb_manifest_key(5, &key);
    expect_key(&key, "A/manifest");
    key.n = 0;
    for (int i = 0; i < HASH_BYTES; i++)
        rules[i] = (uint8_t)(i * 8 + 1);
    fb_rules_key(rules, &key);
    assert_int_equal(fb_chunk_key_parse(view(&key), &slot, &index, back), FB_KEY_RULES);
    assert_memory_equal(rules, back, HASH_BYTES);
    fb_buf_free(&key);
}

static void other_keys_are_other(void **state) {
    (void)state;
    static const char *const others[] = {
        "",
        "A",
        "A/",
        "C/00000012",
        "a/00000012",
        "A/0000012",
        "A/000000123",
        "A/4294967296",
        "A/99999999999",
        "A/0000001x",
        "A/manifest ",
        "A/Manifest",
        "A-00000012",
        "rules/",
        "rules/ab",
        "rules/0102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"};
    uint8_t rules[HASH_BYTES];
    int slot;
    uint32_t index;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(fb_chunk_key_parse(fb_str_of(others[i]), &slot, &index, rules),
                         FB_KEY_OTHER);
    assert_int_equal(fb_chunk_key_parse((struct fb_str){0}, &slot, &index, rules), FB_KEY_OTHER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_comes_back),
        cmocka_unit_test(a_manifest_comes_back),
        cmocka_unit_test(rule_files_come_back),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(every_change_of_a_byte_is_found),
        cmocka_unit_test(wrong_content_under_a_right_checksum_does_no_harm),
        cmocka_unit_test(one_kind_is_not_taken_for_another),
        cmocka_unit_test(a_manifest_with_operations_is_refused),
        cmocka_unit_test(the_bytes_of_a_manifest_are_these),
        cmocka_unit_test(keys_are_these_and_come_back),
        cmocka_unit_test(other_keys_are_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
