/* Commands that expire before their batch ends: they are not put out, the state does not claim
 * them, and whoever takes the journal again finds the same.
 *
 * Place in the flow: run/task with its journal in memory; rules/MEANING.md, A70 to A72. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/core/look.h"
#include "engine/core/snapshot.h"
#include "engine/run/audit_find.h"
#include "engine/run/restore.h"
#include "engine/run/task_commit.h"
#include "tests/unit/bundle_of_text.h"
#include "tests/unit/memory_history.h"

static const char rules[] =
    "device m from \"in\" { key id  time arrival  load : number [%] }\n"
    "actuator pump on m : (off, on) {\n"
    "  safe off  minimum on 3s, off 0s  deliver within 5s  lease 30s\n"
    "}\n"
    "actuator valve on m : number [%] range 0..100 { safe 0 %  deliver within 8s  lease 30s }\n"
    "control run on m { start when load > 80 % until load < 70 %  command pump = on"
    "  rollout armed }\n"
    "control open on m { start when load > 0 %  command valve = load  rollout armed }\n"
    "control later on m { start when load > 50 %  command valve = 100 % at priority 10 }\n"
    "alarm stopped on m { raise low when pump == off }\n";

struct fixture {
    struct fb_bundle *bundle;
    struct fb_task_config config;
    struct fb_memory_history *memory;
    struct fb_task *task;
};

static struct fixture *begin(const char *text) {
    struct fb_bundle_settings settings = {.max_skew_us = 10 * FB_MINUTE, .max_age_us = FB_MINUTE};
    struct fixture *f = fb_alloc(sizeof *f); /* the task keeps a pointer to its configuration */
    *f = (struct fixture){.bundle = bundle_of_text(text, &settings),
                          .config = {.application = FB_S("t"),
                                     .room = {FB_BATCH_MEMORY_MAX, "/tmp"},
                                     .journalled = true,
                                     .pace = {.least_us = FB_HOUR, .most_us = 2 * FB_HOUR}},
                          .memory = fb_memory_history_new()};
    f->task = fb_task_new(&f->config, f->bundle, 0);
    fb_task_activate(f->task, FB_S("test"), FB_SECOND);
    fb_task_begin(f->task, 0, 0);
    return f;
}

static void end(struct fixture *f) {
    fb_task_free(f->task);
    fb_bundle_drop(f->bundle);
    fb_memory_history_free(f->memory);
    free(f);
}

static void take(struct fixture *f, const char *value, int64_t at_us) {
    fb_memory_take(f->memory, f->task, fb_str_of(value), at_us, at_us);
}

static void commit(struct fixture *f, int64_t wall_us) {
    fb_memory_commit(f->memory, f->task, wall_us);
}

/* ---- what was put out ---- */

static struct fb_memory_log *commands_of(const struct fixture *f) {
    return &f->memory->logs[FB_STREAM_COMMANDS];
}

/* "pump/a=on#1 pump/a=off#3 " */
static void expect_commands(const struct fixture *f, const char *wanted) {
    struct fb_buf text = {0};
    const struct fb_memory_log *log = commands_of(f);
    for (size_t i = 0; i < log->n; i++) {
        const char *data = fb_buf_terminated(&log->records[i].value);
        const char *value = strstr(data, "\"value\":"), *seq = strstr(data, "\"seq\":");
        assert_true(value && seq);
        value += strlen("\"value\":");
        fb_buf_str(&text, fb_memory_view(&log->records[i].key));
        fb_buf_printf(&text, "=%.*s#%d ", (int)strcspn(value, ","), value, atoi(seq + 6));
    }
    assert_string_equal(fb_buf_terminated(&text), wanted);
    fb_buf_free(&text);
}

static uint32_t count_in(const struct fb_memory_log *log, const char *text) {
    uint32_t n = 0;
    for (size_t i = 0; i < log->n; i++)
        n += strstr(fb_buf_terminated(&log->records[i].value), text) != NULL;
    return n;
}

static uint32_t withheld(const struct fixture *f) {
    return count_in(&f->memory->logs[FB_STREAM_AUDIT], "\"kind\":\"withheld\"");
}

static const struct fb_actuator_cell *cell_of(const struct fixture *f, struct fb_task *task,
                                              struct fb_str device, uint32_t actuator) {
    const struct fb_device *found = fb_look_device(fb_task_core(task), 0, device);
    assert_non_null(found);
    return fb_look_cell(found, f->bundle->program->classes[0].actuators[actuator].offset);
}

/* ---- taken again ---- */

static bool progress(void *context, int32_t partition, uint32_t permille) {
    (void)context, (void)partition, (void)permille;
    return true;
}

static struct fb_hash128 state_of(struct fb_task *task) {
    return fb_core_state_hash(fb_task_core(task));
}

/* Of what was committed. To be freed. */
static struct fb_task *restored(struct fixture *f) {
    struct fb_restore_wish wish = {.config = &f->config,
                                   .bundle = f->bundle,
                                   .journal = "journal",
                                   .snapshot = "snapshot",
                                   .all_is_shown = true,
                                   .for_audit = true,
                                   .progress = progress};
    struct fb_restore_figures figures;
    struct fb_err err = {0};
    struct fb_task *task = NULL;
    if (fb_restore(&f->memory->base, &wish, &task, &figures, &err) != FB_RESTORE_DONE)
        fail_msg("%s", err.text);
    assert_non_null(task);
    return task;
}

static void expect_restores(struct fixture *f) {
    struct fb_task *task = restored(f);
    assert_true(fb_hash128_eq(state_of(task), state_of(f->task)));
    fb_task_free(task);
}

/* ---- one by one ---- */

#define S FB_SECOND

static void what_expires_with_the_end_of_its_batch_is_not_put_out(void **state) {
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct fixture *f = begin(rules);
        take(f, "{\"id\":\"a\",\"load\":90}", 100 * S);
        commit(f, 105 * S - !late); /* deliver within 5s, the valve's 8s */
        expect_commands(f, late ? "valve/a=90#1 " : "pump/a=\"on\"#1 valve/a=90#1 ");
        assert_int_equal(withheld(f), late);
        assert_int_equal(cell_of(f, f->task, FB_S("a"), 0)->has_accepted, !late);
        expect_restores(f);
        end(f);
    }
}

static void it_is_asked_for_again_when_the_clock_moves_on(void **state) {
    (void)state;
    struct fixture *f = begin(rules);
    take(f, "{\"id\":\"a\",\"load\":90}", 100 * S);
    commit(f, 106 * S);
    expect_commands(f, "valve/a=90#1 ");
    fb_task_tick(f->task, 107 * S);
    commit(f, 107 * S);
    expect_commands(f, "valve/a=90#1 pump/a=\"on\"#2 ");
    expect_restores(f);
    end(f);
}

static void the_trail_says_what_was_withheld_behind_its_decision(void **state) {
    (void)state;
    struct fixture *f = begin(rules);
    take(f, "{\"id\":\"a\",\"load\":90}", 100 * S);
    commit(f, 106 * S);
    const struct fb_memory_log *audit = &f->memory->logs[FB_STREAM_AUDIT];
    const char *last = fb_buf_terminated(&audit->records[audit->n - 1].value);
    assert_non_null(strstr(last, "\"kind\":\"withheld\",\"rule\":\"run\","));
    assert_non_null(strstr(last, "\"device\":\"a\",\"at\":null,"
                                 "\"clock\":\"1970-01-01T00:01:40.000Z\",\"cause\":null,"));
    assert_non_null(strstr(last, "\"outcome\":\"expired\",\"explains\":\""));
    assert_non_null(strstr(last, "\"actuator\":\"pump/a\",\"value\":\"on\",\"epoch\":1000,"
                                 "\"command\":1,\"shadow\":false,"
                                 "\"expires_at\":\"1970-01-01T00:01:45.000Z\","
                                 "\"wall\":\"1970-01-01T00:01:46.000Z\","));
    char explains[60]; /* the same command */
    snprintf(explains, sizeof explains, "%.45s", strstr(last, "\"explains\":\""));
    assert_int_equal(count_in(audit, explains), 2);
    char id[33];
    snprintf(id, sizeof id, "%.32s", explains + strlen("\"explains\":\""));
    struct fb_audit_find *find = fb_audit_find_new(fb_str_of(id)); /* the decision, not the other */
    for (size_t i = 0; i < audit->n; i++)
        fb_audit_find_line(find, fb_memory_view(&audit->records[i].value));
    assert_int_equal(fb_audit_find_matches(find), 1);
    struct fb_str found = fb_audit_find_data(find, FB_FIND_ITSELF);
    assert_non_null(memmem(found.p, found.n, "\"kind\":\"decision\"", 17));
    found = fb_audit_find_data(find, FB_FIND_WITHHELD);
    assert_true(found.n > 0 && memmem(found.p, found.n, "\"kind\":\"withheld\"", 17));
    fb_audit_find_free(find);
    end(f);
}

/* What the equipment has is what was told before, and what reads it goes by that. */
static void what_was_told_before_is_accepted_again(void **state) {
    (void)state;
    struct fixture *f = begin(rules);
    take(f, "{\"id\":\"a\",\"load\":90}", 100 * S);
    commit(f, 101 * S);
    const struct fb_actuator_cell before = *cell_of(f, f->task, FB_S("a"), 0);
    take(f, "{\"id\":\"a\",\"load\":60}", 108 * S);
    assert_true(cell_of(f, f->task, FB_S("a"), 0)->accepted == 0);
    fb_task_tick(f->task, 109 * S);
    commit(f, 115 * S);
    const struct fb_actuator_cell *now = cell_of(f, f->task, FB_S("a"), 0);
    assert_true(now->has_accepted && now->accepted == 1);
    assert_true(now->changed_us == before.changed_us && now->sent_us == before.sent_us);
    assert_true(now->lease_until_us == before.lease_until_us && now->seq == 2);
    assert_int_equal(withheld(f), 1);
    assert_int_equal(count_in(&f->memory->logs[FB_STREAM_ALERTS], "\"event\":\"raised\""), 1);
    fb_task_tick(f->task, 116 * S); /* `stopped` clears, and is raised with the next command */
    fb_task_tick(f->task, 118 * S);
    commit(f, 118 * S);
    expect_commands(f, "pump/a=\"on\"#1 valve/a=90#1 valve/a=60#2 pump/a=\"off\"#3 ");
    assert_int_equal(count_in(&f->memory->logs[FB_STREAM_ALERTS], "\"event\":\"cleared\""), 1);
    assert_int_equal(count_in(&f->memory->logs[FB_STREAM_ALERTS], "\"event\":\"raised\""), 2);
    expect_restores(f);
    end(f);
}

/* The lease of what was told before went on running. */
static void a_lease_that_ran_out_meanwhile_has_lapsed(void **state) {
    (void)state;
    struct fixture *f = begin(rules);
    take(f, "{\"id\":\"a\",\"load\":90}", 100 * S);
    commit(f, 101 * S);
    fb_task_tick(f->task, 111 * S); /* renewed, until 141 */
    commit(f, 131 * S);
    assert_int_equal(withheld(f), 3); /* those of the valve and of its shadow, too */
    expect_commands(f, "pump/a=\"on\"#1 valve/a=90#1 ");
    fb_task_tick(f->task, 132 * S); /* what was told ran out at 130 */
    commit(f, 132 * S);
    expect_commands(f, "pump/a=\"on\"#1 valve/a=90#1 pump/a=\"on\"#3 valve/a=90#3 "   /* at 111 */
                       "pump/a=\"on\"#4 valve/a=90#4 pump/a=\"on\"#5 valve/a=90#5 "); /* renewed */
    assert_true(cell_of(f, f->task, FB_S("a"), 0)->changed_us == 111 * S); /* C of the decision */
    expect_restores(f);
    end(f);
}

static void a_later_command_of_the_batch_stays_in_force(void **state) {
    (void)state;
    struct fixture *f = begin(rules);
    take(f, "{\"id\":\"a\",\"load\":90}", 100 * S);
    take(f, "{\"id\":\"a\",\"load\":60}", 104 * S);
    commit(f, 107 * S);
    expect_commands(f, "valve/a=90#1 pump/a=\"off\"#2 valve/a=60#2 ");
    assert_true(cell_of(f, f->task, FB_S("a"), 0)->has_accepted);
    fb_task_tick(f->task, 108 * S);
    commit(f, 108 * S);
    expect_commands(f, "valve/a=90#1 pump/a=\"off\"#2 valve/a=60#2 ");
    expect_restores(f);
    end(f);
}

static void shadows_are_withheld_alike(void **state) {
    (void)state;
    struct fixture *f = begin(rules);
    take(f, "{\"id\":\"a\",\"load\":90}", 100 * S);
    commit(f, 108 * S);
    assert_int_equal(f->memory->logs[FB_STREAM_SHADOW].n, 0);
    assert_int_equal(withheld(f), 3);
    fb_task_tick(f->task, 109 * S);
    commit(f, 109 * S);
    assert_int_equal(f->memory->logs[FB_STREAM_SHADOW].n, 1);
    expect_restores(f);
    end(f);
}

/* ---- at random ---- */

static uint64_t next_random(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}
static int64_t below(uint64_t *state, uint64_t n) {
    return (int64_t)(next_random(state) % n);
}

/* The value that the last command put out to it has; "": there was none. */
static void last_told(const struct fixture *f, const char *key, char value[24]) {
    const struct fb_memory_log *log = commands_of(f);
    value[0] = '\0';
    for (size_t i = log->n; i-- > 0 && !value[0];) {
        if (!fb_str_eq(fb_memory_view(&log->records[i].key), fb_str_of(key)))
            continue;
        const char *at = strstr(fb_buf_terminated(&log->records[i].value), "\"value\":");
        assert_non_null(at);
        at += strlen("\"value\":");
        snprintf(value, 24, "%.*s", (int)strcspn(at, ","), at);
    }
}

/* What the state has of each pump is what it was told last, or safe after a lapse. */
static void check_accepted(const struct fixture *f, int devices) {
    for (int d = 0; d < devices; d++) {
        char id[16], key[32], told[24];
        snprintf(id, sizeof id, "d%d", d);
        snprintf(key, sizeof key, "pump/%s", id);
        if (!fb_look_device(fb_task_core(f->task), 0, fb_str_of(id)))
            continue;
        last_told(f, key, told);
        const struct fb_actuator_cell *cell = cell_of(f, f->task, fb_str_of(id), 0);
        bool lapsed = cell->seq && cell->lease_until_us == FB_NO_TIME;
        assert_int_equal(cell->has_accepted, told[0] != '\0');
        if (cell->has_accepted && !lapsed)
            assert_string_equal(told, cell->accepted != 0 ? "\"on\"" : "\"off\"");
        else if (cell->has_accepted)
            assert_true(cell->accepted == 0);
    }
}

/* All that is put out later than wall_us by its own time is a mistake. */
static void check_expiry(const struct fixture *f, size_t from, int64_t wall_us) {
    const struct fb_memory_log *log = commands_of(f);
    for (size_t i = from; i < log->n; i++) {
        const char *at = strstr(fb_buf_terminated(&log->records[i].value), "\"expires_at\":\"");
        int64_t expires_us;
        assert_non_null(at);
        at += strlen("\"expires_at\":\"");
        assert_true(fb_time_parse((struct fb_str){at, strcspn(at, "\"")}, &expires_us));
        assert_true(expires_us > wall_us / 1000 * 1000); /* it has milliseconds */
    }
}

static void at_random_only_what_can_be_acted_upon_is_told_and_claimed(void **state) {
    (void)state;
    enum { DEVICES = 3, COMMITS = 40 };
    uint32_t all_withheld = 0, all_told = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct fixture *f = begin(rules);
        uint64_t r = seed;
        int64_t wall_us = 100 * S;
        for (int c = 0; c < COMMITS; c++) {
            size_t from = commands_of(f)->n;
            for (int64_t n = below(&r, 5); n >= 0; n--) {
                char record[64];
                wall_us += below(&r, 4) * S / 2;
                snprintf(record, sizeof record, "{\"id\":\"d%d\",\"load\":%d}",
                         (int)below(&r, DEVICES), (int)below(&r, 100));
                if (below(&r, 3) == 0)
                    fb_task_tick(f->task, wall_us);
                else
                    take(f, record, wall_us);
            }
            wall_us += below(&r, 3) == 0 ? below(&r, 12) * S : 0;
            commit(f, wall_us);
            check_expiry(f, from, wall_us);
            check_accepted(f, DEVICES);
            if (c % 8 == 7)
                expect_restores(f);
        }
        all_withheld += withheld(f);
        all_told += (uint32_t)commands_of(f)->n;
        end(f);
    }
    print_message("%u commands told, %u withheld\n", all_told, all_withheld);
    assert_true(all_withheld > 1000 && all_told > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_expires_with_the_end_of_its_batch_is_not_put_out),
        cmocka_unit_test(it_is_asked_for_again_when_the_clock_moves_on),
        cmocka_unit_test(the_trail_says_what_was_withheld_behind_its_decision),
        cmocka_unit_test(what_was_told_before_is_accepted_again),
        cmocka_unit_test(a_lease_that_ran_out_meanwhile_has_lapsed),
        cmocka_unit_test(a_later_command_of_the_batch_stays_in_force),
        cmocka_unit_test(shadows_are_withheld_alike),
        cmocka_unit_test(at_random_only_what_can_be_acted_upon_is_told_and_claimed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
