/* A partition executed again from topics in memory, as they were written and with one change. */
#include "engine/run/audit_live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/bundle_of_text.h"
#include "tests/unit/memory_history.h"

static const char rules[] = "device m from \"in\" {\n"
                            "  key id\n"
                            "  time arrival\n"
                            "  temp: number [degC]\n"
                            "}\n"
                            "alarm hot on m {\n"
                            "  raise high when temp > 80 degC until temp < 70 degC\n"
                            "}\n"
                            "actuator fan on m : (off, on) { safe off  breaker 9 reversals in 10m, "
                            "hold 10m }\n"
                            "control cool on m {\n"
                            "  start when temp > 80 degC until temp < 70 degC  command fan = on\n"
                            "  rollout armed\n"
                            "}\n"
                            "control dry on m { start when temp < 70 degC  command fan = on at "
                            "priority 9 }\n";

/* Beside the fan a vent, whose commands go to a topic of their own. */
static const char rules_of_two_topics[] =
    "device m from \"in\" {\n"
    "  key id\n"
    "  time arrival\n"
    "  temp: number [degC]\n"
    "}\n"
    "actuator fan on m : (off, on) { safe off  breaker 9 reversals in 10m, hold 10m }\n"
    "actuator vent on m : (shut, open) {\n"
    "  to \"also\"  safe shut  breaker 9 reversals in 10m, hold 10m\n"
    "}\n"
    "control cool on m {\n"
    "  start when temp > 80 degC until temp < 70 degC\n"
    "  command fan = on  command vent = open  rollout armed\n"
    "}\n"
    "control dry on m { start when temp < 70 degC  command vent = open at priority 9 }\n";

enum { COMMITS = 12, RECORDS = 7 /* a commit */ };

/* ---- an application that ran ---- */

static struct fb_bundle *bundle, *bundle_of_two;
static uint32_t n_also = 1; /* 0: the configuration does not name the other topic */
static struct fb_task_config config = {.application = {"t", 1},
                                       .room = {FB_BATCH_MEMORY_MAX, "/tmp"},
                                       .journalled = true,
                                       .pace = {300000000, 300000000, 0}};

static int compile(void **state) {
    (void)state;
    struct fb_bundle_settings settings = {.max_skew_us = 600000000, .max_age_us = 60000000};
    bundle = bundle_of_text(rules, &settings);
    bundle_of_two = bundle_of_text(rules_of_two_topics, &settings);
    return 0;
}

static int clean_up(void **state) {
    (void)state;
    fb_bundle_drop(bundle);
    fb_bundle_drop(bundle_of_two);
    return 0;
}

/* A snapshot at each third commit or so, the first one at the first. */
static struct fb_memory_history *run_with(struct fb_bundle *of) {
    struct fb_memory_history *memory = fb_memory_history_new();
    struct fb_task *task = fb_task_new(&config, of, 0);
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
            fb_memory_take(memory, task, value, wall_us, wall_us + i);
        }
        fb_task_tick(task, wall_us + 100);
        int64_t late_us = c == 3 ? 31000000 : 200; /* its commands have expired */
        fb_memory_commit(memory, task, wall_us + late_us);
    }
    fb_task_free(task);
    return memory;
}

static struct fb_memory_history *run(void) {
    return run_with(bundle);
}

static struct fb_audit_live_result again(struct fb_memory_history *memory, bool from_beginning) {
    struct fb_audit_live_result result;
    static const char *const also[] = {"also"};
    static const int32_t partitions[] = {1};
    struct fb_audit_live_wish wish = {.config = &config,
                                      .also = also,
                                      .also_partitions = partitions,
                                      .n_also = n_also,
                                      .n_partitions = 1,
                                      .from_beginning = from_beginning};
    for (int i = 0; i < FB_STREAM_STATUS; i++) {
        wish.topics[i] = memory->logs[i].name;
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
    struct fb_memory_history *memory = run();
    struct fb_audit_live_result result = again(memory, true);
    expect_same(&result);
    assert_int_equal(result.first, 1);
    assert_int_equal(result.last, COMMITS);
    assert_int_equal(result.records, COMMITS * RECORDS);
    for (int i = 0; i < FB_AUDIT_STREAMS; i++)
        assert_int_equal(result.compared[i], memory->logs[i].n);
    assert_true(memory->logs[FB_STREAM_ALERTS].n > 20);
    assert_true(memory->logs[FB_STREAM_COMMANDS].n > 20);
    assert_true(memory->logs[FB_STREAM_SHADOW].n > 20);
    assert_int_equal(memory->logs[FB_STREAM_DEAD].n, COMMITS);
    assert_int_equal(result.audit_seq, memory->logs[FB_STREAM_AUDIT].n);
    uint32_t withheld = 0;
    for (size_t i = 0; i < memory->logs[FB_STREAM_AUDIT].n; i++)
        withheld += strstr(fb_buf_terminated(&memory->logs[FB_STREAM_AUDIT].records[i].value),
                           "\"kind\":\"withheld\"") != NULL;
    assert_true(withheld > 0);
    free_result(&result);
    fb_memory_history_free(memory);
}

static void it_begins_at_the_newest_snapshot_or_at_the_first_commit(void **state) {
    (void)state;
    struct fb_memory_history *memory = run();
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
    fb_memory_history_free(memory);
}

static void a_journal_without_its_beginning_says_from_where_it_goes(void **state) {
    (void)state;
    struct fb_memory_history *memory = run();
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
    fb_memory_history_free(memory);
}

/* Each byte of each record of each kind, or so: one of them is another one. */
static void each_changed_byte_is_found(void **state) {
    (void)state;
    struct fb_memory_history *memory = run();
    for (int i = 0; i < FB_AUDIT_STREAMS; i++)
        for (size_t k = 0; k < memory->logs[i].n; k += 5) {
            struct fb_memory_record *kept = &memory->logs[i].records[k];
            struct fb_buf *parts[] = {&kept->value, &kept->key, &kept->headers[1][1]};
            for (int part = 0; part < 3; part++) {
                size_t step = part == 0 ? 61 : 7;
                for (size_t at = k % step; at < parts[part]->n; at += step) {
                    parts[part]->p[at] ^= 1;
                    struct fb_audit_live_result result = again(memory, true);
                    expect_finding(&result, memory->logs[i].name);
                    free_result(&result);
                    parts[part]->p[at] ^= 1;
                }
            }
        }
    fb_memory_history_free(memory);
}

static void each_missing_and_each_added_output_is_found(void **state) {
    (void)state;
    for (int i = 0; i < FB_AUDIT_STREAMS; i++) {
        if (i == FB_STREAM_LATE)
            continue; /* there are none */
        struct fb_memory_history *memory = run();
        struct fb_memory_log *log = &memory->logs[i];
        fb_memory_append(log, fb_memory_view(&log->records[0].key),
                         fb_memory_view(&log->records[0].value), 0);
        struct fb_audit_live_result result = again(memory, true);
        expect_finding(&result, i == FB_STREAM_AUDIT ? "behind seq" : "it does not give this");
        free_result(&result);
        fb_memory_leave_out(log, log->n - 1);
        fb_memory_leave_out(log, log->n - 1);
        result = again(memory, true);
        expect_finding(&result, "one more");
        free_result(&result);
        fb_memory_leave_out(log, log->n / 2);
        result = again(memory, true);
        expect_finding(&result, memory->logs[i].name);
        free_result(&result);
        fb_memory_history_free(memory);
    }
}

/* Behind the snapshot too, where the beginning of the topic is passed by. */
static void a_change_behind_the_snapshot_is_found(void **state) {
    (void)state;
    for (int k = 0; k < 2 * FB_AUDIT_STREAMS; k++) {
        int i = k / 2;
        struct fb_memory_history *memory = run();
        struct fb_memory_log *log = &memory->logs[i];
        log->first = k % 2 && log->n > 0; /* its very first record was deleted */
        struct fb_audit_live_result result = again(memory, false);
        expect_same(&result);
        if (result.compared[i] > 0) {
            struct fb_buf *value = &log->records[log->n - result.compared[i]].value;
            value->p[value->n / 2] ^= 1;
            free_result(&result);
            result = again(memory, false);
            expect_finding(&result, memory->logs[i].name);
        }
        free_result(&result);
        fb_memory_history_free(memory);
    }
}

static void an_input_that_was_changed_is_found(void **state) {
    (void)state;
    struct fb_memory_history *memory = run();
    struct fb_buf *value = &memory->logs[FB_MEMORY_INPUT].records[RECORDS * 4].value;
    memcpy(strstr(fb_buf_terminated(value), "60"), "99", 2);
    struct fb_audit_live_result result = again(memory, true);
    expect_finding(&result, "commit 5 ");
    assert_int_equal(result.last, 5);
    free_result(&result);
    fb_memory_history_free(memory);
}

static void outputs_that_were_deleted_are_counted(void **state) {
    (void)state;
    struct fb_memory_history *memory = run();
    for (int i = 0; i < FB_AUDIT_STREAMS; i++)
        memory->logs[i].first = (int64_t)memory->logs[i].n / 3;
    struct fb_audit_live_result result = again(memory, true);
    expect_same(&result);
    for (int i = 0; i < FB_AUDIT_STREAMS; i++) {
        assert_int_equal(result.gone[i], memory->logs[i].first);
        assert_int_equal(result.gone[i] + result.compared[i], memory->logs[i].n);
    }
    free_result(&result);
    fb_memory_history_free(memory);
}

static void outputs_that_were_deleted_behind_the_snapshot_are_counted(void **state) {
    (void)state;
    struct fb_memory_history *memory = run();
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
    fb_memory_history_free(memory);
}

static void commands_are_compared_in_the_topic_that_they_name(void **state) {
    (void)state;
    struct fb_memory_history *memory = run_with(bundle_of_two);
    struct fb_memory_log *usual = &memory->logs[FB_STREAM_COMMANDS],
                         *other = &memory->logs[FB_MEMORY_ALSO];
    assert_true(usual->n > 20 && other->n > 20);
    assert_true(memory->logs[FB_STREAM_SHADOW].n > 20);
    for (size_t i = 0; i < usual->n; i++)
        assert_memory_equal(usual->records[i].key.p, "fan/", 4);
    for (size_t i = 0; i < other->n; i++)
        assert_memory_equal(other->records[i].key.p, "vent/", 5);
    for (int from_beginning = 0; from_beginning < 2; from_beginning++) {
        struct fb_audit_live_result result = again(memory, from_beginning);
        expect_same(&result);
        if (from_beginning)
            assert_int_equal(result.compared[FB_STREAM_COMMANDS], usual->n + other->n);
        free_result(&result);
        other->records[other->n - 1].value.p[20] ^= 1;
        result = again(memory, from_beginning);
        expect_finding(&result, "also[0]");
        free_result(&result);
        other->records[other->n - 1].value.p[20] ^= 1;
    }
    fb_memory_history_free(memory);
}

static void a_command_that_is_missing_or_too_much_in_its_topic_is_found(void **state) {
    (void)state;
    struct fb_memory_history *memory = run_with(bundle_of_two);
    struct fb_memory_log *usual = &memory->logs[FB_STREAM_COMMANDS],
                         *other = &memory->logs[FB_MEMORY_ALSO];
    struct fb_str key = fb_memory_view(&other->records[0].key),
                  value = fb_memory_view(&other->records[0].value);
    fb_memory_append(usual, key, value, 0); /* where it does not belong */
    struct fb_audit_live_result result = again(memory, true);
    expect_finding(&result, "commands[0]");
    free_result(&result);
    fb_memory_leave_out(usual, usual->n - 1);
    fb_memory_append(other, key, value, 0);
    result = again(memory, true);
    expect_finding(&result, "it does not give this command");
    free_result(&result);
    fb_memory_leave_out(other, other->n - 1);
    fb_memory_leave_out(other, other->n - 1);
    result = again(memory, true);
    expect_finding(&result, "gives one more command than also[0]");
    free_result(&result);
    fb_memory_history_free(memory);
}

static void a_topic_that_the_configuration_forgot_is_told_once(void **state) {
    (void)state;
    struct fb_memory_history *memory = run_with(bundle_of_two);
    n_also = 0;
    struct fb_audit_live_result result = again(memory, true);
    n_also = 1;
    expect_finding(&result, "it commands the topic 'also', which is not looked at");
    assert_int_equal(result.n_findings, 1);
    free_result(&result);
    fb_memory_history_free(memory);
}

static void nothing_is_what_an_empty_journal_gives(void **state) {
    (void)state;
    struct fb_memory_history *memory = run();
    memory->logs[FB_STREAM_JOURNAL].first = (int64_t)memory->logs[FB_STREAM_JOURNAL].n;
    struct fb_audit_live_result result = again(memory, true);
    expect_finding(&result, "audit");
    free_result(&result);
    for (int i = 0; i < FB_AUDIT_STREAMS; i++)
        memory->logs[i].first = (int64_t)memory->logs[i].n;
    result = again(memory, true);
    assert_int_equal(result.end, FB_AUDIT_LIVE_EMPTY);
    free_result(&result);
    fb_memory_history_free(memory);
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
        cmocka_unit_test(commands_are_compared_in_the_topic_that_they_name),
        cmocka_unit_test(a_command_that_is_missing_or_too_much_in_its_topic_is_found),
        cmocka_unit_test(a_topic_that_the_configuration_forgot_is_told_once),
        cmocka_unit_test(nothing_is_what_an_empty_journal_gives)};
    return cmocka_run_group_tests(tests, compile, clean_up);
}
