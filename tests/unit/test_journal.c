/* The journal's records: what is written is read again, and nothing else is. */
#include "engine/codec/journal.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/connector.h"
#include "engine/codec/binary.h"

enum { HASH_BYTES = 32, CHECKSUM_BYTES = 8 };

static struct fb_str view(const struct fb_buf *buf) {
    return (struct fb_str){buf->p, buf->n};
}

/* Parses an exact copy, so that a sanitizer sees a byte read too far; reads all operations. */
static bool parses(struct fb_str bytes) {
    char *exact = malloc(bytes.n ? bytes.n : 1);
    struct fb_journal journal;
    struct fb_err err = {.kind = FB_NO_FAILURE};
    if (bytes.n)
        memcpy(exact, bytes.p, bytes.n);
    bool good = fb_journal_parse((struct fb_str){exact, bytes.n}, &journal, &err);
    if (good) {
        struct fb_journal_reader reader = fb_journal_ops(&journal);
        struct fb_journal_op op;
        while (fb_journal_next_op(&reader, &op, &err))
            if (op.kind != FB_JOURNAL_TICK && op.kind != FB_JOURNAL_RULES &&
                op.kind != FB_JOURNAL_CALL)
                assert_true(op.input < journal.n_inputs);
        assert_int_equal(err.kind, FB_NO_FAILURE);
    } else {
        assert_int_equal(err.kind, FB_FATAL);
        assert_non_null(strstr(err.text, "malformed"));
    }
    free(exact);
    return good;
}

static struct fb_journal sample(void) {
    struct fb_journal journal = {
        .seq = 1234567,
        .semantics = 1,
        .wall_us = 1700000000123456,
        .clock_us = 1700000000000000,
        .epoch_ms = 1690000000001,
        .calls_next = 12,
        .outputs = 42,
        .output_hash = {0x1122334455667788, 0x99AABBCCDDEEFF00},
        .audit_seq = 7,
        .snapshot = {.id = 3, .seq = 1234000, .wall_us = 1699999999000000},
        .inputs = {{FB_S("plant.telemetry"), 987654321}, {FB_S("plant.state"), -1}},
        .n_inputs = 2,
    };
    memset(journal.rules, 0xA5, HASH_BYTES);
    memset(journal.audit_head, 0x5A, HASH_BYTES);
    return journal;
}

/* One operation of each kind. */
static void note_all(struct fb_journal_writer *writer) {
    static const uint8_t rules[HASH_BYTES] = {1, 2, 3};
    for (int i = 0; i < 1000; i++)
        fb_journal_take(writer, 0, 1700000000000100);
    fb_journal_take(writer, 1, 1700000000000100);
    fb_journal_tick(writer, 1700000000000200);
    fb_journal_rules(writer, rules, FB_S("0.1"), 1700000000000200);
    fb_journal_quarantine(writer, 1, 1700000000000150);
    fb_journal_take_bytes(writer, 0, 1700000000000300, 1700000000000000, FB_S("pump-7"),
                          FB_S("{\"v\":1}"));
    fb_journal_begin(writer, 1, 4711);
    fb_journal_call(writer, FB_S("plant.control"), 11, FB_S("{}"), 1700000000000400);
}

static struct fb_buf sealed_sample(void) {
    struct fb_journal_writer writer = {0};
    struct fb_journal journal = sample();
    struct fb_buf out = {0};
    note_all(&writer);
    fb_journal_seal(&writer, &journal, &out);
    fb_journal_writer_free(&writer);
    return out;
}

static void expect_same(const struct fb_journal *a, const struct fb_journal *b) {
    assert_true(a->seq == b->seq);
    assert_int_equal(a->semantics, b->semantics);
    assert_memory_equal(a->rules, b->rules, HASH_BYTES);
    assert_true(a->wall_us == b->wall_us && a->clock_us == b->clock_us);
    assert_true(a->epoch_ms == b->epoch_ms && a->calls_next == b->calls_next);
    assert_true(a->outputs == b->outputs);
    assert_true(fb_hash128_eq(a->output_hash, b->output_hash));
    assert_true(a->audit_seq == b->audit_seq);
    assert_memory_equal(a->audit_head, b->audit_head, HASH_BYTES);
    assert_true(a->snapshot.id == b->snapshot.id && a->snapshot.seq == b->snapshot.seq);
    assert_true(a->snapshot.wall_us == b->snapshot.wall_us);
    assert_int_equal(a->n_inputs, b->n_inputs);
    for (uint32_t i = 0; i < a->n_inputs; i++) {
        assert_true(fb_str_eq(a->inputs[i].topic, b->inputs[i].topic));
        assert_true(a->inputs[i].next == b->inputs[i].next);
    }
}

static void expect_round_trip(const struct fb_journal *journal) {
    struct fb_journal_writer writer = {0};
    struct fb_buf out = {0};
    struct fb_journal back;
    struct fb_err err;
    fb_journal_seal(&writer, journal, &out);
    assert_true(fb_journal_parse(view(&out), &back, &err));
    expect_same(journal, &back);
    assert_int_equal(back.operations.n, 0);
    fb_buf_free(&out);
    fb_journal_writer_free(&writer);
}

static void fields_come_back(void **state) {
    (void)state;
    struct fb_journal journal = sample();
    expect_round_trip(&journal);
}

static void fields_come_back_at_their_bounds(void **state) {
    (void)state;
    struct fb_journal journal = {0};
    expect_round_trip(&journal);
    journal = (struct fb_journal){
        .seq = UINT64_MAX,
        .semantics = UINT32_MAX,
        .wall_us = INT64_MAX,
        .clock_us = INT64_MIN,
        .epoch_ms = INT64_MIN,
        .outputs = UINT64_MAX,
        .output_hash = {UINT64_MAX, UINT64_MAX},
        .audit_seq = UINT64_MAX,
        .snapshot = {.id = UINT64_MAX, .seq = UINT64_MAX, .wall_us = INT64_MIN},
        .n_inputs = FB_JOURNAL_INPUTS_MAX,
    };
    memset(journal.rules, 0xFF, HASH_BYTES);
    memset(journal.audit_head, 0xFF, HASH_BYTES);
    for (int i = 0; i < FB_JOURNAL_INPUTS_MAX; i++) {
        journal.inputs[i].topic = i % 2 ? FB_S("t") : FB_S("");
        journal.inputs[i].next = i % 3 ? INT64_MAX : INT64_MIN;
    }
    expect_round_trip(&journal);
}

static struct fb_journal_op next_op(struct fb_journal_reader *reader) {
    struct fb_journal_op op;
    struct fb_err err;
    assert_true(fb_journal_next_op(reader, &op, &err));
    return op;
}

static void expect_end(struct fb_journal_reader *reader) {
    struct fb_journal_op op;
    struct fb_err err = {.kind = FB_NO_FAILURE};
    assert_false(fb_journal_next_op(reader, &op, &err));
    assert_int_equal(err.kind, FB_NO_FAILURE);
}

static void operations_come_back_in_their_order(void **state) {
    (void)state;
    struct fb_buf out = sealed_sample();
    struct fb_journal journal;
    struct fb_err err;
    assert_true(fb_journal_parse(view(&out), &journal, &err));
    struct fb_journal_reader reader = fb_journal_ops(&journal);
    struct fb_journal_op op = next_op(&reader);
    assert_int_equal(op.kind, FB_JOURNAL_TAKE);
    assert_true(op.input == 0 && op.n == 1000 && op.wall_us == 1700000000000100);
    op = next_op(&reader);
    assert_int_equal(op.kind, FB_JOURNAL_TAKE);
    assert_true(op.input == 1 && op.n == 1 && op.wall_us == 1700000000000100);
    op = next_op(&reader);
    assert_int_equal(op.kind, FB_JOURNAL_TICK);
    assert_true(op.wall_us == 1700000000000200);
    op = next_op(&reader);
    assert_int_equal(op.kind, FB_JOURNAL_RULES);
    assert_true(op.rules[0] == 1 && op.rules[2] == 3 && op.rules[31] == 0);
    assert_true(fb_str_eq(op.build, FB_S("0.1")) && op.wall_us == 1700000000000200);
    op = next_op(&reader);
    assert_int_equal(op.kind, FB_JOURNAL_QUARANTINE);
    assert_true(op.input == 1 && op.n == 1 && op.wall_us == 1700000000000150);
    op = next_op(&reader);
    assert_int_equal(op.kind, FB_JOURNAL_TAKE_BYTES);
    assert_true(op.input == 0 && op.n == 1 && op.wall_us == 1700000000000300);
    assert_true(op.stamp_us == 1700000000000000);
    assert_true(fb_str_eq(op.key, FB_S("pump-7")) && fb_str_eq(op.value, FB_S("{\"v\":1}")));
    op = next_op(&reader);
    assert_int_equal(op.kind, FB_JOURNAL_BEGIN);
    assert_true(op.input == 1 && op.next == 4711);
    op = next_op(&reader);
    assert_int_equal(op.kind, FB_JOURNAL_CALL);
    assert_true(op.next == 11 && op.wall_us == 1700000000000400);
    assert_true(fb_str_eq(op.topic, FB_S("plant.control")) && fb_str_eq(op.bytes, FB_S("{}")));
    expect_end(&reader);
    fb_buf_free(&out);
}

static void a_run_is_one_operation(void **state) {
    (void)state;
    struct fb_journal_writer writer = {0};
    struct fb_journal journal = sample(), back;
    struct fb_buf out = {0};
    struct fb_err err;
    assert_true(fb_journal_is_empty(&writer));
    for (int i = 0; i < 1000000; i++)
        fb_journal_take(&writer, 1, -5);
    assert_false(fb_journal_is_empty(&writer));
    fb_journal_seal(&writer, &journal, &out);
    assert_true(fb_journal_is_empty(&writer));
    assert_true(fb_journal_parse(view(&out), &back, &err));
    assert_true(back.operations.n < 8);
    struct fb_journal_reader reader = fb_journal_ops(&back);
    struct fb_journal_op op = next_op(&reader);
    assert_true(op.n == 1000000 && op.input == 1 && op.wall_us == -5);
    expect_end(&reader);
    fb_buf_free(&out);
    fb_journal_writer_free(&writer);
}

/* Another input, another wall clock, and any other operation end a run. */
static void a_run_ends_where_something_else_comes(void **state) {
    (void)state;
    struct fb_journal_writer writer = {0};
    struct fb_journal journal = sample(), back;
    struct fb_buf out = {0};
    struct fb_err err;
    fb_journal_take(&writer, 0, 0);
    fb_journal_take(&writer, 1, 0);
    fb_journal_take(&writer, 0, 0);
    fb_journal_take(&writer, 0, 1);
    fb_journal_tick(&writer, 1);
    fb_journal_take(&writer, 0, 1);
    fb_journal_take(&writer, 0, 1);
    fb_journal_seal(&writer, &journal, &out);
    assert_true(fb_journal_parse(view(&out), &back, &err));
    struct fb_journal_reader reader = fb_journal_ops(&back);
    static const struct {
        enum fb_journal_op_kind kind;
        uint32_t input;
        uint64_t n;
        int64_t wall_us;
    } wanted[] = {{FB_JOURNAL_TAKE, 0, 1, 0}, {FB_JOURNAL_TAKE, 1, 1, 0},
                  {FB_JOURNAL_TAKE, 0, 1, 0}, {FB_JOURNAL_TAKE, 0, 1, 1},
                  {FB_JOURNAL_TICK, 0, 1, 1}, {FB_JOURNAL_TAKE, 0, 2, 1}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct fb_journal_op op = next_op(&reader);
        assert_int_equal(op.kind, wanted[i].kind);
        assert_int_equal(op.input, wanted[i].input);
        assert_true(op.n == wanted[i].n && op.wall_us == wanted[i].wall_us);
    }
    expect_end(&reader);
    fb_buf_free(&out);
    fb_journal_writer_free(&writer);
}

static void operations_come_back_at_their_bounds(void **state) {
    (void)state;
    static const int64_t times[] = {INT64_MAX, INT64_MIN, INT64_MAX, 0, INT64_MIN, -1, 1, 0};
    struct fb_journal_writer writer = {0};
    struct fb_journal journal = {.n_inputs = FB_JOURNAL_INPUTS_MAX}, back;
    struct fb_buf out = {0};
    struct fb_err err;
    for (size_t i = 0; i < 8; i++)
        fb_journal_take_bytes(&writer, FB_JOURNAL_INPUTS_MAX - 1, times[i], times[7 - i],
                              (struct fb_str){0}, FB_S(""));
    fb_journal_take(&writer, 0, INT64_MIN);
    writer.run_n = UINT64_MAX;
    fb_journal_seal(&writer, &journal, &out);
    assert_true(fb_journal_parse(view(&out), &back, &err));
    struct fb_journal_reader reader = fb_journal_ops(&back);
    for (size_t i = 0; i < 8; i++) {
        struct fb_journal_op op = next_op(&reader);
        assert_int_equal(op.kind, FB_JOURNAL_TAKE_BYTES);
        assert_int_equal(op.input, FB_JOURNAL_INPUTS_MAX - 1);
        assert_true(op.wall_us == times[i] && op.stamp_us == times[7 - i]);
        assert_true(op.key.n == 0 && op.value.n == 0);
    }
    struct fb_journal_op op = next_op(&reader);
    assert_true(op.n == UINT64_MAX && op.wall_us == INT64_MIN);
    expect_end(&reader);
    fb_buf_free(&out);
    fb_journal_writer_free(&writer);
}

/* Each record is read without those before it. */
static void a_record_does_not_lean_on_the_last(void **state) {
    (void)state;
    struct fb_journal_writer writer = {0};
    struct fb_journal journal = sample();
    struct fb_buf first = {0}, second = {0};
    note_all(&writer);
    fb_journal_seal(&writer, &journal, &first);
    note_all(&writer);
    fb_journal_seal(&writer, &journal, &second);
    assert_int_equal(first.n, second.n);
    assert_memory_equal(first.p, second.p, first.n);
    fb_buf_free(&first);
    fb_buf_free(&second);
    fb_journal_writer_free(&writer);
}

static void sealing_appends(void **state) {
    (void)state;
    struct fb_buf alone = sealed_sample(), out = {0};
    struct fb_journal_writer writer = {0};
    struct fb_journal journal = sample();
    fb_buf_text(&out, "before");
    note_all(&writer);
    fb_journal_seal(&writer, &journal, &out);
    assert_int_equal(out.n, alone.n + 6);
    assert_memory_equal(out.p + 6, alone.p, alone.n);
    fb_buf_free(&alone);
    fb_buf_free(&out);
    fb_journal_writer_free(&writer);
}

static void every_truncation_is_found(void **state) {
    (void)state;
    struct fb_buf out = sealed_sample();
    assert_true(parses(view(&out)));
    for (size_t n = 0; n < out.n; n++) {
        assert_false(parses((struct fb_str){out.p, n}));
        assert_false(parses((struct fb_str){out.p + out.n - n, n}));
    }
    fb_buf_char(&out, '\0');
    assert_false(parses(view(&out)));
    fb_buf_free(&out);
}

static void every_change_of_a_byte_is_found(void **state) {
    (void)state;
    struct fb_buf out = sealed_sample();
    for (size_t i = 0; i < out.n; i++)
        for (int change = 1; change < 256; change++) {
            out.p[i] = (char)(out.p[i] ^ change);
            assert_false(parses(view(&out)));
            out.p[i] = (char)(out.p[i] ^ change);
        }
    assert_true(parses(view(&out)));
    fb_buf_free(&out);
}

/* The checksum is no defence against one who makes it anew: then only harm is ruled out. */
static void wrong_content_under_a_right_checksum_does_no_harm(void **state) {
    (void)state;
    struct fb_buf out = sealed_sample(), changed = {0};
    size_t content = out.n - CHECKSUM_BYTES, refused = 0;
    for (size_t i = 4; i < content; i++)
        for (int change = 1; change < 256; change++) {
            changed.n = 0;
            fb_buf_put(&changed, out.p, content);
            changed.p[i] = (char)(changed.p[i] ^ change);
            fb_bin_seal(&changed, 0);
            refused += !parses(view(&changed));
        }
    for (size_t n = 4; n < content; n++) {
        changed.n = 0;
        fb_buf_put(&changed, out.p, n);
        fb_bin_seal(&changed, 0);
        refused += !parses(view(&changed));
    }
    assert_true(refused > content);
    fb_buf_free(&out);
    fb_buf_free(&changed);
}

static bool parses_with_operations(const char *operations, size_t n) {
    struct fb_journal_writer writer = {0};
    struct fb_journal journal = sample();
    struct fb_buf out = {0};
    fb_buf_put(&writer.bytes, operations, n);
    fb_journal_seal(&writer, &journal, &out);
    bool good = parses(view(&out));
    fb_journal_writer_free(&writer);
    fb_buf_free(&out);
    return good;
}

static void operations_that_nobody_writes_are_refused(void **state) {
    (void)state;
    assert_true(parses_with_operations("\x00\x00\x01", 3));  /* one record of input 0 */
    assert_true(parses_with_operations("\x08\x00\x01", 3));  /* of input 1 */
    assert_false(parses_with_operations("\x10\x00\x01", 3)); /* there is no input 2 */
    assert_false(parses_with_operations("\x00\x00\x00", 3)); /* a run of none */
    assert_false(parses_with_operations("\x05\x00", 2));     /* a beginning without an offset */
    assert_true(parses_with_operations("\x06\x00\x01t\x00\x01{", 7));  /* a call */
    assert_false(parses_with_operations("\x0E\x00\x01t\x00\x01{", 7)); /* of an input */
    assert_false(parses_with_operations("\x06\x00\x01t\x00\x02{", 7)); /* beyond the end */
    assert_false(parses_with_operations("\x07\x00", 2));     /* no such kind */
    assert_true(parses_with_operations("\x02\x00", 2));      /* a tick */
    assert_false(parses_with_operations("\x0A\x00", 2));     /* a tick of an input */
    assert_false(parses_with_operations("\x82\x00\x00", 3)); /* a number with a leading zero */
    assert_false(parses_with_operations("\x01\x00\x00\x00\x7F", 5)); /* a value beyond the end */
    assert_false(parses_with_operations("\x82\x80\x80\x80\x80\x80\x80\x80\x80\x02\x00", 11));
    assert_false(parses_with_operations("\x82\x80\x80\x80\x80\x01\x00", 7)); /* input 2^32 */
}

/* The bytes are a contract: records outlive the program that wrote them. A change of them changes
 * the version in the magic. */
static void the_bytes_are_these(void **state) {
    (void)state;
    static const char golden[] =
        "46424a3287ad4b01a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
        "80898182838985068080f281838985068290ccbdaf62182a887766554433221100ffeeddccbbaa99"
        "075a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a03d0a84b80f7f7"
        "8083898506020f706c616e742e74656c656d65747279e2a2f3ad070b706c616e742e737461746501"
        "00c881f28183898506e80708000102c8010400010203000000000000000000000000000000000000"
        "000000000000000000000003302e310b6301ac028080f281838985060670756d702d37077b227622"
        "3a317d0d00ce4906c8010d706c616e742e636f6e74726f6c16027b7df7f9cf6e5b25b781";
    struct fb_buf out = sealed_sample();
    char *hex = malloc(out.n * 2 + 1);
    fb_hex((const uint8_t *)out.p, out.n, hex);
    assert_string_equal(hex, golden);
    free(hex);
    fb_buf_free(&out);
}

/* Written before there were commands: all but the epoch and the calls is there. */
static void a_record_of_the_former_form_is_read(void **state) {
    (void)state;
    static const char former[] =
        "46424a3187ad4b01a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
        "80898182838985068080f281838985062a887766554433221100ffeeddccbbaa99075a5a5a5a5a5a"
        "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a03d0a84b80f7f78083898506020f"
        "706c616e742e74656c656d65747279e2a2f3ad070b706c616e742e73746174650100c881f2818389"
        "8506e80708000102c801040001020300000000000000000000000000000000000000000000000000"
        "0000000003302e310b6301ac028080f281838985060670756d702d37077b2276223a317d0d00ce49"
        "f92facbe01aaa7d5";
    uint8_t bytes[sizeof former / 2];
    struct fb_journal wanted = sample(), back;
    struct fb_journal_op op;
    struct fb_err err = {0};
    assert_true(fb_unhex((struct fb_str){former, sizeof former - 1}, bytes, sizeof bytes));
    assert_true(fb_journal_parse((struct fb_str){(const char *)bytes, sizeof bytes}, &back, &err));
    wanted.epoch_ms = wanted.calls_next = 0;
    expect_same(&wanted, &back);
    struct fb_journal_reader reader = fb_journal_ops(&back);
    assert_true(fb_journal_next_op(&reader, &op, &err));
    assert_true(op.kind == FB_JOURNAL_TAKE && op.n == 1000);
}

static void another_version_is_named(void **state) {
    (void)state;
    struct fb_buf out = sealed_sample();
    struct fb_journal journal;
    struct fb_err err;
    out.p[3] = '3';
    assert_false(fb_journal_parse(view(&out), &journal, &err));
    assert_non_null(strstr(err.text, "version"));
    fb_buf_free(&out);
}

static void a_note_comes_back(void **state) {
    (void)state;
    static const uint64_t seqs[] = {0, 1, 1234567, UINT64_MAX};
    char longest[480];
    memset(longest, 'o', sizeof longest);
    const struct fb_str owners[] = {
        FB_S("app-host-3"), FB_S("two words"), FB_S(""), {longest, sizeof longest}};
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++) {
            struct fb_buf out = {0};
            uint64_t seq = 99;
            struct fb_str owner;
            fb_journal_note(seqs[i], owners[k], &out);
            assert_true(out.n <= FB_NOTE_BYTES_MAX);
            assert_true(fb_journal_note_parse(view(&out), &seq, &owner));
            assert_true(seq == seqs[i] && fb_str_eq(owner, owners[k]));
            fb_buf_free(&out);
        }
}

static void what_is_not_a_note_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"",     " ",    "x",    "1",    "x 1",
                                        " 1 x", "-1 x", "01 x", "+1 x", "18446744073709551616 x"};
    uint64_t seq;
    struct fb_str owner;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(fb_journal_note_parse(fb_str_of(wrong[i]), &seq, &owner));
    assert_false(fb_journal_note_parse((struct fb_str){0}, &seq, &owner));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_back),
        cmocka_unit_test(fields_come_back_at_their_bounds),
        cmocka_unit_test(operations_come_back_in_their_order),
        cmocka_unit_test(a_run_is_one_operation),
        cmocka_unit_test(a_run_ends_where_something_else_comes),
        cmocka_unit_test(operations_come_back_at_their_bounds),
        cmocka_unit_test(a_record_does_not_lean_on_the_last),
        cmocka_unit_test(sealing_appends),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(every_change_of_a_byte_is_found),
        cmocka_unit_test(wrong_content_under_a_right_checksum_does_no_harm),
        cmocka_unit_test(operations_that_nobody_writes_are_refused),
        cmocka_unit_test(the_bytes_are_these),
        cmocka_unit_test(a_record_of_the_former_form_is_read),
        cmocka_unit_test(another_version_is_named),
        cmocka_unit_test(a_note_comes_back),
        cmocka_unit_test(what_is_not_a_note_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
