/* Audit trails: what is as it was written is taken, and every change of it is found. */
#include "engine/run/audit_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "engine/codec/audit.h"

enum { TASKS = 3, RECORDS = 120, CHANGES = 10000 };

/* ---- a trail ---- */

static struct fb_program program = {.semantics = 1};
static struct fb_encoder *encoder;
static struct fb_auditor auditors[TASKS];
static struct fb_str lines[RECORDS]; /* with their ends */
static int task_of[RECORDS];
static struct fb_buf trail;

static const struct fb_str names[TASKS] = {{"plant/0", 7}, {"plant/1", 7}, {"plant/12", 8}};

static void encode(int task, int i, struct fb_encoded *encoded) {
    struct fb_origin origin = {.topic = FB_S("events"), .partition = task, .offset = i};
    struct fb_dead_letter letter = {.reason = "JSON_SYNTAX",
                                    .detail = FB_S("it is wrong"),
                                    .origin = origin,
                                    .payload = FB_S("{\"id\":\n}"),
                                    .time_us = FB_NO_TIME};
    if (auditors[task].seq == 0)
        fb_audit_rules(&auditors[task], encoder, "0.1.0", encoded);
    else if (i % 7 == 0)
        fb_audit_clock(&auditors[task], encoder, 1000000, &origin, encoded);
    else
        fb_audit_rejected(&auditors[task], encoder, &letter, encoded);
    auditors[task].clock_us = INT64_C(1700000000000000) + i * 1000000;
}

static int set_up(void **state) {
    (void)state;
    struct fb_encoded encoded;
    size_t starts[RECORDS + 1];
    uint32_t x = 1;
    encoder = fb_encoder_new(&program, FB_S("plant"));
    for (int t = 0; t < TASKS; t++) {
        auditors[t] = (struct fb_auditor){.task = names[t], .clock_us = FB_NO_TIME};
        memset(auditors[t].rules, 0xC3, sizeof auditors[t].rules);
    }
    for (int i = 0; i < RECORDS; i++) {
        x = x * 1664525 + 1013904223;
        task_of[i] = (int)(x >> 24) % TASKS;
        encode(task_of[i], i, &encoded);
        starts[i] = trail.n;
        fb_encode_line(&encoded, &trail);
    }
    starts[RECORDS] = trail.n;
    for (int i = 0; i < RECORDS; i++)
        lines[i] = (struct fb_str){trail.p + starts[i], starts[i + 1] - starts[i]};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fb_encoder_free(encoder);
    fb_buf_free(&trail);
    return 0;
}

/* ---- a check ---- */

static struct fb_buf told; /* the findings, a line each */
static uint64_t findings;

static void note(void *context, struct fb_str text) {
    (void)context;
    fb_buf_str(&told, text);
    fb_buf_char(&told, '\n');
}

static struct fb_audit_head head_of(int task) {
    struct fb_audit_head head = {.task = names[task], .seq = auditors[task].seq};
    memcpy(head.hash, auditors[task].head, 32);
    return head;
}

static struct fb_audit_chains *begin(bool anywhere) {
    told.n = 0;
    return fb_audit_chains_new(anywhere, note, NULL);
}

static void read_text(struct fb_audit_chains *chains, struct fb_str text) {
    uint64_t number = 0;
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        fb_audit_chains_line(chains, "trail", ++number, (struct fb_str){text.p, n});
        n += end != NULL;
        text = (struct fb_str){text.p + n, text.n - n};
    }
}

static void end(struct fb_audit_chains *chains) {
    fb_audit_chains_end(chains);
    findings = fb_audit_chains_findings(chains);
    fb_audit_chains_free(chains);
}

/* Against the heads of all tasks, as they were exported. */
static uint64_t check(struct fb_str text) {
    struct fb_audit_chains *chains = begin(false);
    for (int t = 0; t < TASKS; t++) {
        struct fb_audit_head head = head_of(t);
        fb_audit_chains_expect(chains, &head);
    }
    read_text(chains, text);
    end(chains);
    return findings;
}

static struct fb_str whole(void) {
    return (struct fb_str){trail.p, trail.n};
}

static void expect_told(const char *words) {
    if (!strstr(fb_buf_terminated(&told), words))
        fail_msg("not told: %s\nbut: %s", words, told.p);
}

/* ---- tests ---- */

static void a_trail_as_it_was_written_is_sound(void **state) {
    (void)state;
    assert_int_equal(check(whole()), 0);
    struct fb_audit_chains *chains = begin(false);
    read_text(chains, whole());
    fb_audit_chains_end(chains);
    assert_int_equal(fb_audit_chains_records(chains), RECORDS);
    assert_int_equal(fb_audit_chains_tasks(chains), TASKS);
    for (uint32_t i = 0; i < TASKS; i++) {
        uint64_t first;
        struct fb_audit_head head = fb_audit_chains_head(chains, i, &first);
        assert_int_equal(first, 1);
        assert_true(fb_str_eq(head.task, names[i]) && head.seq == auditors[i].seq);
        assert_memory_equal(head.hash, auditors[i].head, 32);
    }
    fb_audit_chains_free(chains);
}

static uint64_t random_state;

static size_t below(size_t n) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)((random_state >> 33) % n);
}

static void put_lines(struct fb_buf *out, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        fb_buf_str(out, lines[i]);
}

/* Another record of the same task; which one is in its chain before the other does not matter. */
static size_t another_of_the_task(size_t i) {
    size_t other;
    do
        other = below(RECORDS);
    while (other == i || task_of[other] != task_of[i]);
    return other;
}

/* One change of the trail; returns what it is. */
static const char *change(struct fb_buf *out) {
    size_t i = below(RECORDS), k = another_of_the_task(i);
    out->n = 0;
    switch (below(6)) {
    case 0: {                                  /* one bit */
        fb_buf_put(out, trail.p, trail.n - 1); /* the last line end alone says nothing */
        size_t at = below(out->n);
        out->p[at] = (char)(out->p[at] ^ 1 << below(8));
        return "a bit flipped";
    }
    case 1: {
        fb_buf_put(out, trail.p, trail.n - 1);
        size_t at = below(out->n);
        char c = (char)below(256);
        out->p[at] = c == out->p[at] ? (char)(c + 1) : c;
        return "a byte replaced";
    }
    case 2:
        put_lines(out, 0, i);
        put_lines(out, i + 1, RECORDS);
        return "a record dropped";
    case 3:
        put_lines(out, 0, k > i ? k : i);
        fb_buf_str(out, lines[i]);
        put_lines(out, k > i ? k : i, RECORDS);
        return "a record doubled";
    case 4: {
        size_t a = i < k ? i : k, b = i < k ? k : i;
        put_lines(out, 0, a);
        fb_buf_str(out, lines[b]);
        put_lines(out, a + 1, b);
        fb_buf_str(out, lines[a]);
        put_lines(out, b + 1, RECORDS);
        return "two records swapped";
    }
    default:
        fb_buf_put(out, trail.p, below(trail.n - 1)); /* at least a brace is gone */
        return "the trail truncated";
    }
}

static void every_change_is_found(void **state) {
    (void)state;
    struct fb_buf changed = {0};
    random_state = 20260101;
    for (int i = 0; i < CHANGES; i++) {
        uint64_t seed = random_state;
        const char *what = change(&changed);
        if (check((struct fb_str){changed.p, changed.n}) == 0)
            fail_msg("not found: %s, seed %llu", what, (unsigned long long)seed);
    }
    fb_buf_free(&changed);
}

/* Every byte, one after the other. */
static void every_flipped_byte_of_a_record_is_found(void **state) {
    (void)state;
    struct fb_audit_reader *reader = fb_audit_reader_new();
    struct fb_audit_record record;
    for (size_t i = 0; i < 3; i++) {
        struct fb_str line = {lines[i].p, lines[i].n - 1};
        char *exact = malloc(line.n);
        memcpy(exact, line.p, line.n);
        line.p = exact;
        fb_audit_read(reader, line, &record);
        assert_null(record.fault);
        for (size_t at = 0; at < line.n; at++)
            for (int bit = 0; bit < 8; bit++) {
                exact[at] = (char)(exact[at] ^ 1 << bit);
                fb_audit_read(reader, line, &record);
                assert_non_null(record.fault);
                exact[at] = (char)(exact[at] ^ 1 << bit);
            }
        for (size_t n = 0; n < line.n; n++) {
            char *cut = malloc(n ? n : 1);
            memcpy(cut, exact, n);
            fb_audit_read(reader, (struct fb_str){cut, n}, &record);
            assert_non_null(record.fault);
            free(cut);
        }
        free(exact);
    }
    fb_audit_reader_free(reader);
}

/* Writes a record's hash anew, as one would who knows how; the line stays well-formed. */
static void forge(struct fb_buf *out, struct fb_str line, const uint8_t previous[32],
                  const char *before, const char *after, uint8_t hash[32]) {
    struct fb_buf text = {0}, data = {0};
    char hex[65];
    fb_buf_str(&text, line);
    char *at = strstr((char *)(uintptr_t)fb_buf_terminated(&text), before);
    assert_non_null(at);
    memcpy(at, after, strlen(after));
    char *start = strstr(text.p, "\"data\":") + 7;
    fb_hex(previous, 32, hex);
    memcpy(strstr(start, "\"previous\":\"") + 12, hex, 64);
    char *last = strstr(start, ",\"hash\":\"");
    fb_buf_put(&data, start, (size_t)(last - start));
    fb_buf_char(&data, '}');
    struct fb_str parts[] = {{(const char *)previous, 32}, {data.p, data.n}};
    fb_sha256(parts, 2, hash);
    fb_hex(hash, 32, hex);
    memcpy(last + 9, hex, 64);
    memcpy(strstr(text.p, "\"id\":\"") + 6, hex, 32);
    fb_buf_put(out, text.p, text.n);
    fb_buf_free(&text);
    fb_buf_free(&data);
}

static void a_forged_record_breaks_the_chain_behind_it(void **state) {
    (void)state;
    struct fb_buf out = {0};
    struct fb_audit_reader *reader = fb_audit_reader_new();
    struct fb_audit_record record;
    uint8_t hash[32];
    int i = RECORDS / 2;
    while (!strstr(lines[i].p, "JSON_SYNTAX"))
        i++;
    fb_audit_read(reader, (struct fb_str){lines[i].p, lines[i].n - 1}, &record);
    put_lines(&out, 0, (size_t)i);
    forge(&out, lines[i], record.previous, "JSON_SYNTAX", "JSON_NUMBER", hash);
    put_lines(&out, (size_t)i + 1, RECORDS);
    assert_int_equal(check((struct fb_str){out.p, out.n}), 1);
    expect_told("the record does not follow seq");
    fb_audit_reader_free(reader);
    fb_buf_free(&out);
}

/* Everything behind it written anew: only what was exported before can tell. */
static void a_chain_that_was_written_anew_is_found_by_an_exported_head(void **state) {
    (void)state;
    struct fb_buf out = {0};
    uint8_t hash[TASKS][32] = {0};
    for (int i = 0; i < RECORDS; i++) {
        int t = task_of[i];
        forge(&out, lines[i], hash[t], "\"", "\"", hash[t]);
    }
    assert_int_equal(check((struct fb_str){out.p, out.n}), 0); /* forging by itself is exact */
    out.n = 0;
    memset(hash, 0, sizeof hash);
    bool done = false;
    for (int i = 0; i < RECORDS; i++) {
        int t = task_of[i];
        bool now = !done && i > RECORDS / 2 && strstr(lines[i].p, "JSON_SYNTAX");
        forge(&out, lines[i], hash[t], now ? "JSON_SYNTAX" : "\"", now ? "JSON_NUMBER" : "\"",
              hash[t]);
        done |= now;
    }
    assert_int_equal(check((struct fb_str){out.p, out.n}), 1);
    expect_told("the hash is not that of the exported head");
    struct fb_audit_chains *chains = begin(false);
    read_text(chains, (struct fb_str){out.p, out.n});
    end(chains);
    assert_int_equal(findings, 0); /* which nothing else shows */
    fb_buf_free(&out);
}

static void a_finding_names_task_seq_file_and_line(void **state) {
    (void)state;
    struct fb_buf out = {0};
    put_lines(&out, 0, 1);
    size_t second = 1;
    while (task_of[second] != task_of[0])
        second++;
    size_t third = second + 1;
    while (task_of[third] != task_of[0])
        third++;
    put_lines(&out, 1, second);
    put_lines(&out, second + 1, RECORDS);
    char wanted[200];
    assert_int_equal(check((struct fb_str){out.p, out.n}), 1);
    snprintf(wanted, sizeof wanted,
             "trail:%zu: %.*s seq 3: the record before it, seq 2, is missing\n", third,
             FB_ARG(names[task_of[0]]));
    expect_told(wanted);
    out.n = 0;
    put_lines(&out, 0, RECORDS);
    fb_buf_str(&out, lines[RECORDS - 1]);
    assert_int_equal(check((struct fb_str){out.p, out.n}), 1);
    expect_told("the record is there twice (seq ");
    out.n = 0;
    put_lines(&out, 0, RECORDS - 1);
    assert_int_equal(check((struct fb_str){out.p, out.n}), 1);
    expect_told("the end was cut off");
    assert_int_equal(check((struct fb_str){0}), TASKS + 1);
    expect_told("there are no audit records");
    fb_buf_free(&out);
}

/* A stretch: its first record is not the first of the chain. */
static void a_stretch_needs_the_head_before_it(void **state) {
    (void)state;
    struct fb_audit_chains *chains = begin(true);
    size_t half = RECORDS / 2;
    struct fb_str stretch = {lines[half].p, (size_t)(trail.p + trail.n - lines[half].p)};
    read_text(chains, (struct fb_str){trail.p, trail.n - stretch.n});
    fb_audit_chains_end(chains);
    assert_int_equal(fb_audit_chains_findings(chains), 0);
    struct fb_audit_chains *second = fb_audit_chains_new(false, note, NULL);
    for (uint32_t i = 0; i < TASKS; i++) {
        uint64_t first;
        struct fb_audit_head head = fb_audit_chains_head(chains, i, &first);
        fb_audit_chains_from(second, &head);
        head = head_of((int)i);
        fb_audit_chains_expect(second, &head);
    }
    fb_audit_chains_free(chains);
    read_text(second, stretch);
    end(second);
    assert_int_equal(findings, 0);
    second = begin(false);
    read_text(second, stretch);
    end(second);
    assert_int_equal(findings, TASKS);
    expect_told("where the records begin here on purpose, say --from");
    second = begin(true);
    read_text(second, stretch);
    end(second);
    assert_int_equal(findings, 0);
    struct fb_audit_head wrong = head_of(0);
    second = begin(false);
    fb_audit_chains_from(second, &wrong);
    end(second);
    expect_told("there are no records behind the one of --from plant/0=");
}

/* As the values of Kafka's records are: data without what stands around it. */
static void bare_data_is_a_record_too(void **state) {
    (void)state;
    struct fb_buf out = {0};
    for (int i = 0; i < RECORDS; i++) {
        const char *data = strstr(lines[i].p, "\"data\":") + 7;
        fb_buf_put(&out, data, (size_t)(lines[i].p + lines[i].n - 2 - data));
        fb_buf_char(&out, '\n');
    }
    assert_int_equal(check((struct fb_str){out.p, out.n}), 0);
    out.p[out.n / 2] ^= 1;
    assert_true(check((struct fb_str){out.p, out.n}) > 0);
    fb_buf_free(&out);
}

static void heads_are_text(void **state) {
    (void)state;
    struct fb_audit_head head = head_of(2), back;
    struct fb_buf text = {0};
    fb_audit_head_put(&head, &text);
    assert_memory_equal(text.p, "plant/12=", 9);
    assert_true(fb_audit_head_parse((struct fb_str){text.p, text.n}, &back));
    assert_true(fb_str_eq(back.task, head.task) && back.seq == head.seq);
    assert_memory_equal(back.hash, head.hash, 32);
    assert_true(fb_audit_head_parse((struct fb_str){text.p + 9, text.n - 9}, &back));
    assert_true(back.task.n == 0 && back.seq == head.seq);
    for (size_t n = 0; n < text.n; n++)
        assert_false(fb_audit_head_parse((struct fb_str){text.p, n}, &back));
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    static const char *const wrong[] = {
        ":", "1", "=1:", "x1:", "plant/0:", "plant/0=:", "18446744073709551616:"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        text.n = 0;
        fb_buf_text(&text, wrong[i]);
        fb_buf_text(&text, zeros);
        assert_false(fb_audit_head_parse((struct fb_str){text.p, text.n}, &back));
    }
    fb_buf_free(&text);
}

static int free_told(void **state) {
    fb_buf_free(&told);
    return tear_down(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trail_as_it_was_written_is_sound),
        cmocka_unit_test(every_change_is_found),
        cmocka_unit_test(every_flipped_byte_of_a_record_is_found),
        cmocka_unit_test(a_forged_record_breaks_the_chain_behind_it),
        cmocka_unit_test(a_chain_that_was_written_anew_is_found_by_an_exported_head),
        cmocka_unit_test(a_finding_names_task_seq_file_and_line),
        cmocka_unit_test(a_stretch_needs_the_head_before_it),
        cmocka_unit_test(bare_data_is_a_record_too),
        cmocka_unit_test(heads_are_text),
    };
    return cmocka_run_group_tests(tests, set_up, free_told);
}
