/* A partition executed again from topics in memory, as they were written and with one change. */
#include "engine/run/audit_live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/run/task_commit.h"

static const char rules[] = "device m from \"in\" {\n"
                            "  key id\n"
                            "  time arrival\n"
                            "  temp: number [degC]\n"
                            "}\n"
                            "alarm hot on m {\n"
                            "  raise high when temp > 80 degC until temp < 70 degC\n"
                            "}\n";

enum { COMMITS = 12, RECORDS = 7 /* a commit */, INPUT = FB_STREAM_STATUS, LOGS };

/* ---- topics in memory ---- */

struct stored {
    struct fb_buf key, value;
    bool keyed;
    int64_t stamp_us;
    struct fb_buf texts[FB_BATCH_HEADERS_MAX][2];
    uint32_t n_headers;
};

struct log {
    struct stored *records;
    size_t n, cap;
    int64_t first;
};

struct memory {
    struct fb_history base;
    struct log logs[LOGS];
};

static const char *const names[LOGS] = {"alerts",  "late",     "dead", "audit",
                                        "journal", "snapshot", "in"};

struct reader {
    struct fb_reader base;
    const struct log *log;
    int64_t next, end;
};

static struct fb_str view(const struct fb_buf *buf) {
    return (struct fb_str){buf->n ? buf->p : "", buf->n};
}

static struct log *log_of(struct fb_history *base, const char *topic) {
    for (int i = 0; i < LOGS; i++)
        if (strcmp(topic, names[i]) == 0)
            return &((struct memory *)base)->logs[i];
    fail_msg("no topic %s", topic);
    return NULL;
}

static bool bounds(struct fb_history *base, const char *topic, int32_t partition, int64_t *first,
                   int64_t *end, struct fb_err *err) {
    (void)partition;
    (void)err;
    *first = log_of(base, topic)->first;
    *end = (int64_t)log_of(base, topic)->n;
    return true;
}

static bool offset_at(struct fb_history *base, const char *topic, int32_t partition,
                      int64_t stamp_us, int64_t *offset, struct fb_err *err) {
    const struct log *log = log_of(base, topic);
    (void)partition;
    (void)err;
    *offset = log->first;
    while (*offset < (int64_t)log->n && log->records[*offset].stamp_us < stamp_us)
        ++*offset;
    return true;
}

static uint32_t headers_of(void *message, struct fb_header *headers, uint32_t max) {
    const struct stored *stored = message;
    uint32_t n = stored->n_headers < max ? stored->n_headers : max;
    for (uint32_t i = 0; i < n; i++)
        headers[i] = (struct fb_header){view(&stored->texts[i][0]), view(&stored->texts[i][1])};
    return n;
}

static enum fb_read next(struct fb_reader *base, struct fb_record *record, struct fb_err *err) {
    struct reader *reader = (struct reader *)base;
    (void)err;
    if (reader->next >= reader->end)
        return FB_READ_END;
    struct stored *stored = &reader->log->records[reader->next];
    *record = (struct fb_record){.topic = FB_S("in"),
                                 .offset = reader->next++,
                                 .stamp_us = stored->stamp_us,
                                 .key = stored->keyed ? view(&stored->key) : (struct fb_str){0},
                                 .value = view(&stored->value),
                                 .headers = headers_of,
                                 .message = stored};
    return FB_READ_RECORD;
}

static void close_reader(struct fb_reader *base) {
    free(base);
}

static struct fb_reader *open_reader(struct fb_history *base, const char *topic, int32_t partition,
                                     int64_t from, struct fb_err *err) {
    static const struct fb_reader_calls calls = {next, close_reader};
    const struct log *log = log_of(base, topic);
    (void)partition;
    if (from < log->first) {
        fb_fail(err, FB_FATAL, "records of %s are gone", topic);
        return NULL;
    }
    struct reader *reader = fb_alloc(sizeof *reader);
    *reader = (struct reader){{&calls}, log, from, (int64_t)log->n};
    return &reader->base;
}

static struct stored *append(struct log *log, struct fb_str key, struct fb_str value,
                             int64_t stamp_us) {
    FB_PUSH_ROOM(log->records, log->n, log->cap);
    struct stored *stored = &log->records[log->n++];
    *stored = (struct stored){.keyed = key.p != NULL, .stamp_us = stamp_us};
    fb_buf_str(&stored->key, key);
    fb_buf_str(&stored->value, value);
    return stored;
}

static void free_stored(struct stored *stored) {
    fb_buf_free(&stored->key);
    fb_buf_free(&stored->value);
    for (uint32_t i = 0; i < stored->n_headers; i++) {
        fb_buf_free(&stored->texts[i][0]);
        fb_buf_free(&stored->texts[i][1]);
    }
}

static void leave_out(struct log *log, size_t at) {
    free_stored(&log->records[at]);
    memmove(&log->records[at], &log->records[at + 1], (--log->n - at) * sizeof *log->records);
}

static void free_memory(struct memory *memory) {
    for (int i = 0; i < LOGS; i++) {
        for (size_t k = 0; k < memory->logs[i].n; k++)
            free_stored(&memory->logs[i].records[k]);
        free(memory->logs[i].records);
    }
    free(memory);
}

/* ---- an application that ran ---- */

static struct fb_bundle *bundle;
static struct fb_task_config config = {.application = {"t", 1},
                                       .room = {FB_BATCH_MEMORY_MAX, "/tmp"},
                                       .journalled = true,
                                       .pace = {300000000, 300000000, 0}};

static int compile(void **state) {
    (void)state;
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    struct fb_compiled compiled;
    fb_sources_add(sources, FB_S("t.rules"), fb_str_of(rules));
    bool ok = fb_compile_sources(sources, diags, &compiled);
    fb_diags_free(diags);
    if (!ok)
        return -1;
    struct fb_bundle_settings settings = {.max_skew_us = 600000000, .max_age_us = 60000000};
    bundle = fb_bundle_of(&compiled, &settings, NULL);
    return 0;
}

static int clean_up(void **state) {
    (void)state;
    fb_bundle_drop(bundle);
    return 0;
}

static void commit(struct memory *memory, struct fb_task *task, int64_t wall_us) {
    fb_task_seal(task, wall_us);
    struct fb_batch *batch = fb_task_batch(task);
    for (uint32_t i = 0; i < fb_batch_count(batch); i++) {
        struct fb_header headers[FB_BATCH_HEADERS_MAX];
        struct fb_outgoing out = {0};
        enum fb_stream stream = fb_batch_at(batch, i, &out, headers);
        struct stored *stored = append(&memory->logs[stream], out.key, out.value, wall_us);
        stored->n_headers = out.n_headers;
        for (uint32_t k = 0; k < out.n_headers; k++) {
            fb_buf_str(&stored->texts[k][0], headers[k].name);
            fb_buf_str(&stored->texts[k][1], headers[k].value);
        }
    }
    fb_task_committed(task);
}

/* A snapshot at each third commit or so, the first one at the first. */
static struct memory *run(void) {
    static const struct fb_history_calls calls = {bounds, offset_at, NULL, open_reader, NULL};
    struct memory *memory = fb_alloc(sizeof *memory);
    struct fb_task *task = fb_task_new(&config, bundle, 0);
    memory->base.calls = &calls;
    fb_task_activate(task, FB_S("1"), 1000000000);
    fb_task_begin(task, 0, 0);
    for (int c = 0; c < COMMITS; c++) {
        int64_t wall_us = 1000000000 + c * INT64_C(120000000);
        for (int i = 0; i < RECORDS; i++) {
            char text[64];
            int n = snprintf(text, sizeof text, "{\"id\":\"d%d\",\"temp\":%d}", i,
                             (c + i) % 2 ? 90 : 60);
            if (i == 3)
                n = snprintf(text, sizeof text, "nonsense %d", c);
            struct fb_str value = {text, (size_t)n};
            struct log *in = &memory->logs[INPUT];
            append(in, FB_S("k"), value, wall_us);
            struct fb_record record = {.topic = FB_S("in"),
                                       .offset = (int64_t)in->n - 1,
                                       .stamp_us = wall_us,
                                       .key = FB_S("k"),
                                       .value = value};
            fb_task_record(task, 0, &record, wall_us + i);
        }
        fb_task_tick(task, wall_us + 100);
        commit(memory, task, wall_us + 200);
    }
    fb_task_free(task);
    return memory;
}

static struct fb_audit_live_result again(struct memory *memory, bool from_beginning) {
    struct fb_audit_live_result result;
    struct fb_audit_live_wish wish = {
        .config = &config, .n_partitions = 1, .from_beginning = from_beginning};
    for (int i = 0; i < FB_STREAM_STATUS; i++) {
        wish.topics[i] = names[i];
        wish.partitions[i] = 1;
    }
    fb_audit_live(&memory->base, &wish, &result);
    return result;
}

static void free_result(struct fb_audit_live_result *result) {
    fb_buf_free(&result->findings);
}

static const char *said(struct fb_audit_live_result *result) {
    return fb_buf_terminated(&result->findings);
}

static void expect_same(struct fb_audit_live_result *result) {
    if (result->end != FB_AUDIT_LIVE_SAME)
        fail_msg("%s", said(result));
    assert_int_equal(result->n_findings, 0);
}

static void expect_finding(struct fb_audit_live_result *result, const char *text) {
    assert_int_equal(result->end, FB_AUDIT_LIVE_DIFFERS);
    if (!strstr(said(result), text))
        fail_msg("'%s' was not said, but: %s", text, said(result));
}

/* ---- tests ---- */

static void what_was_written_comes_again(void **state) {
    (void)state;
    struct memory *memory = run();
    struct fb_audit_live_result result = again(memory, true);
    expect_same(&result);
    assert_int_equal(result.first, 1);
    assert_int_equal(result.last, COMMITS);
    assert_int_equal(result.records, COMMITS * RECORDS);
    for (int i = 0; i < FB_AUDIT_STREAMS; i++)
        assert_int_equal(result.compared[i], memory->logs[i].n);
    assert_true(memory->logs[FB_STREAM_ALERTS].n > 20);
    assert_int_equal(memory->logs[FB_STREAM_DEAD].n, COMMITS);
    assert_int_equal(result.audit_seq, memory->logs[FB_STREAM_AUDIT].n);
    free_result(&result);
    free_memory(memory);
}

static void it_begins_at_the_newest_snapshot_or_at_the_first_commit(void **state) {
    (void)state;
    struct memory *memory = run();
    struct fb_audit_live_result late = again(memory, false), whole = again(memory, true);
    expect_same(&late);
    expect_same(&whole);
    assert_in_range(late.first, 3, COMMITS);
    assert_int_equal(whole.first, 1);
    assert_int_equal(late.last, COMMITS);
    assert_int_equal(late.audit_seq, whole.audit_seq);
    assert_memory_equal(late.audit_head, whole.audit_head, 32);
    assert_true(late.compared[FB_STREAM_AUDIT] > 0);
    for (int i = 0; i < FB_AUDIT_STREAMS; i++) {
        assert_true(late.compared[i] == 0 || late.compared[i] < whole.compared[i]);
        assert_int_equal(whole.compared[i], memory->logs[i].n);
    }
    free_result(&late);
    free_result(&whole);
    free_memory(memory);
}

static void a_journal_without_its_beginning_says_from_where_it_goes(void **state) {
    (void)state;
    struct memory *memory = run();
    memory->logs[FB_STREAM_JOURNAL].first = 2;
    struct fb_audit_live_result late = again(memory, false), whole = again(memory, true);
    char text[80];
    expect_same(&late);
    snprintf(text, sizeof text, "can be executed again from commit %llu on",
             (unsigned long long)late.first);
    expect_finding(&whole, "begins with commit 3");
    expect_finding(&whole, text);
    free_result(&late);
    free_result(&whole);
    free_memory(memory);
}

/* Each byte of each record of each kind, or so: one of them is another one. */
static void each_changed_byte_is_found(void **state) {
    (void)state;
    struct memory *memory = run();
    for (int i = 0; i < FB_AUDIT_STREAMS; i++)
        for (size_t k = 0; k < memory->logs[i].n; k += 5) {
            struct stored *stored = &memory->logs[i].records[k];
            struct fb_buf *parts[] = {&stored->value, &stored->key, &stored->texts[1][1]};
            for (int part = 0; part < 3; part++) {
                size_t step = part == 0 ? 61 : 7;
                for (size_t at = k % step; at < parts[part]->n; at += step) {
                    parts[part]->p[at] ^= 1;
                    struct fb_audit_live_result result = again(memory, true);
                    expect_finding(&result, names[i]);
                    free_result(&result);
                    parts[part]->p[at] ^= 1;
                }
            }
        }
    free_memory(memory);
}

static void each_missing_and_each_added_output_is_found(void **state) {
    (void)state;
    for (int i = 0; i < FB_AUDIT_STREAMS; i++) {
        if (i == FB_STREAM_LATE)
            continue; /* there are none */
        struct memory *memory = run();
        struct log *log = &memory->logs[i];
        append(log, view(&log->records[0].key), view(&log->records[0].value), 0);
        struct fb_audit_live_result result = again(memory, true);
        expect_finding(&result, i == FB_STREAM_AUDIT ? "behind seq" : "it does not give this");
        free_result(&result);
        leave_out(log, log->n - 1);
        leave_out(log, log->n - 1);
        result = again(memory, true);
        expect_finding(&result, "one more");
        free_result(&result);
        leave_out(log, log->n / 2);
        result = again(memory, true);
        expect_finding(&result, names[i]);
        free_result(&result);
        free_memory(memory);
    }
}

/* Behind the snapshot too, where the beginning of the topic is passed by. */
static void a_change_behind_the_snapshot_is_found(void **state) {
    (void)state;
    for (int k = 0; k < 2 * FB_AUDIT_STREAMS; k++) {
        int i = k / 2;
        struct memory *memory = run();
        struct log *log = &memory->logs[i];
        log->first = k % 2 && log->n > 0; /* its very first record was deleted */
        struct fb_audit_live_result result = again(memory, false);
        expect_same(&result);
        if (result.compared[i] > 0) {
            struct fb_buf *value = &log->records[log->n - result.compared[i]].value;
            value->p[value->n / 2] ^= 1;
            free_result(&result);
            result = again(memory, false);
            expect_finding(&result, names[i]);
        }
        free_result(&result);
        free_memory(memory);
    }
}

static void an_input_that_was_changed_is_found(void **state) {
    (void)state;
    struct memory *memory = run();
    struct fb_buf *value = &memory->logs[INPUT].records[RECORDS * 4].value;
    memcpy(strstr(fb_buf_terminated(value), "60"), "99", 2);
    struct fb_audit_live_result result = again(memory, true);
    expect_finding(&result, "commit 5 ");
    assert_int_equal(result.last, 5);
    free_result(&result);
    free_memory(memory);
}

static void outputs_that_were_deleted_are_counted(void **state) {
    (void)state;
    struct memory *memory = run();
    for (int i = 0; i < FB_AUDIT_STREAMS; i++)
        memory->logs[i].first = (int64_t)memory->logs[i].n / 3;
    struct fb_audit_live_result result = again(memory, true);
    expect_same(&result);
    for (int i = 0; i < FB_AUDIT_STREAMS; i++) {
        assert_int_equal(result.gone[i], memory->logs[i].first);
        assert_int_equal(result.gone[i] + result.compared[i], memory->logs[i].n);
    }
    free_result(&result);
    free_memory(memory);
}

static void outputs_that_were_deleted_behind_the_snapshot_are_counted(void **state) {
    (void)state;
    struct memory *memory = run();
    struct fb_audit_live_result before = again(memory, false);
    expect_same(&before);
    for (int i = 0; i < FB_AUDIT_STREAMS; i++)
        memory->logs[i].first = (int64_t)memory->logs[i].n - (before.compared[i] > 1);
    struct fb_audit_live_result result = again(memory, false);
    expect_same(&result);
    assert_true(before.compared[FB_STREAM_ALERTS] > 1);
    for (int i = 0; i < FB_AUDIT_STREAMS; i++) {
        assert_int_equal(result.compared[i], before.compared[i] > 1);
        assert_int_equal(result.gone[i] + result.compared[i], before.compared[i]);
    }
    free_result(&before);
    free_result(&result);
    free_memory(memory);
}

static void nothing_is_what_an_empty_journal_gives(void **state) {
    (void)state;
    struct memory *memory = run();
    memory->logs[FB_STREAM_JOURNAL].first = (int64_t)memory->logs[FB_STREAM_JOURNAL].n;
    struct fb_audit_live_result result = again(memory, true);
    expect_finding(&result, "audit");
    free_result(&result);
    for (int i = 0; i < FB_AUDIT_STREAMS; i++)
        memory->logs[i].first = (int64_t)memory->logs[i].n;
    result = again(memory, true);
    assert_int_equal(result.end, FB_AUDIT_LIVE_EMPTY);
    free_result(&result);
    free_memory(memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_again),
        cmocka_unit_test(it_begins_at_the_newest_snapshot_or_at_the_first_commit),
        cmocka_unit_test(a_journal_without_its_beginning_says_from_where_it_goes),
        cmocka_unit_test(each_changed_byte_is_found),
        cmocka_unit_test(each_missing_and_each_added_output_is_found),
        cmocka_unit_test(a_change_behind_the_snapshot_is_found),
        cmocka_unit_test(an_input_that_was_changed_is_found),
        cmocka_unit_test(outputs_that_were_deleted_are_counted),
        cmocka_unit_test(outputs_that_were_deleted_behind_the_snapshot_are_counted),
        cmocka_unit_test(nothing_is_what_an_empty_journal_gives)};
    return cmocka_run_group_tests(tests, compile, clean_up);
}
