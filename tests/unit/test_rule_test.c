/* The runner of test blocks: what passes, what fails, and what its report says. */
#include "engine/run/rule_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/run/rule_series.h"
#include "rules/compile.h"

#define PUMP                                                                                       \
    "device pump from \"pumps\" {\n"                                                               \
    "  key pump  time ts [ms]  tag site\n"                                                         \
    "  temp : number [degC] range -20..200, every 10s, stale after 5m\n"                           \
    "  mode : one of (off, auto, hand)\n  name : text\n  running : bool\n  starts : integer\n"     \
    "  level : number [%] every 10s\n"                                                             \
    "}\n"                                                                                          \
    "alarm hot on pump {\n"                                                                        \
    "  raise high when temp > 80 degC for 20s\n  raise critical when temp > 100 degC\n"            \
    "  message \"{pump} has {temp}\"\n"                                                            \
    "}\n"                                                                                          \
    "event shown on pump {\n"                                                                      \
    "  when temp == 50 degC and (mode == hand or name == \"x\" or running or starts > 3)\n"        \
    "}\n"                                                                                          \
    "actuator fan on pump : (off, on) { safe off  minimum on 0s, off 0s }\n"                       \
    "actuator valve on pump : number [%] range 0..100 { safe 0 %  slew up 20 % per 10s }\n"        \
    "control cool on pump {\n"                                                                     \
    "  start when level > 50 % until level < 40 %  command fan = on  rollout armed\n"              \
    "  message \"{pump} at {level}\"\n"                                                            \
    "}\n"                                                                                          \
    "control drain on pump {\n"                                                                    \
    "  start when level > 70 % until level < 40 %  command valve = 30 %  rollout armed\n"          \
    "}\n"                                                                                          \
    "control vent on pump { start when level > 10 %  command fan = on at priority 16 }\n"

/* Rules compiled, with their test in front so that its lines are few, and run. */
struct ran {
    struct fb_compiled compiled;
    struct fb_diags *diags;
    struct fb_arena *arena;
    struct fb_rule_test_result result;
    char folder[64];
};

static void put_file(const char *folder, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void run_files(struct ran *ran, const char *block, const char *records) {
    *ran = (struct ran){.diags = fb_diags_new(), .arena = fb_arena_new()};
    strcpy(ran->folder, "/tmp/flyball-test-XXXXXX");
    assert_non_null(mkdtemp(ran->folder));
    struct fb_buf text = {0};
    fb_buf_printf(&text, "%s\n%s", block, PUMP);
    put_file(ran->folder, "a.rules", fb_buf_terminated(&text));
    fb_buf_free(&text);
    if (records)
        put_file(ran->folder, "records.ndjson", records);
    char path[128];
    snprintf(path, sizeof path, "%s/a.rules", ran->folder);
    const char *paths[] = {path};
    if (!fb_compile_all(paths, 1, ran->diags, &ran->compiled)) {
        struct fb_buf why = {0};
        fb_diags_print(ran->diags, ran->compiled.sources, false, &why);
        print_error("%s\n", fb_buf_terminated(&why));
        fb_buf_free(&why);
        fail_msg("the rules do not compile");
    }
    assert_true(ran->compiled.checked.n_tests > 0);
    fb_rule_test_run(ran->compiled.program, &ran->compiled.checked, &ran->compiled.checked.tests[0],
                     ran->arena, &ran->result);
}

/* `steps`: what stands inside test ".." on pump { .. }. */
static void run(struct ran *ran, const char *steps) {
    struct fb_buf block = {0};
    fb_buf_printf(&block, "test \"t\" on pump {\n%s\n}\n", steps);
    run_files(ran, fb_buf_terminated(&block), NULL);
    fb_buf_free(&block);
}

static void drop(struct ran *ran) {
    char path[128];
    snprintf(path, sizeof path, "%s/a.rules", ran->folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/records.ndjson", ran->folder);
    unlink(path);
    rmdir(ran->folder);
    fb_compiled_free(&ran->compiled);
    fb_diags_free(ran->diags);
    fb_arena_free(ran->arena);
}

static void passes(const char *steps) {
    struct ran ran;
    run(&ran, steps);
    if (!ran.result.passed) {
        print_error("%s: %s\n", steps, ran.result.err.text);
        for (uint32_t i = 0; i < ran.result.n_lines; i++)
            print_error("%.*s | %.*s\n", FB_ARG(ran.result.lines[i].expected),
                        FB_ARG(ran.result.lines[i].actual));
        fail_msg("fails");
    }
    drop(&ran);
}

static void fails(const char *steps) {
    struct ran ran;
    run(&ran, steps);
    if (ran.result.passed)
        fail_msg("passes: %s", steps);
    assert_int_equal(ran.result.err.kind, FB_NO_FAILURE);
    drop(&ran);
}

/* The test cannot be run, and the message holds `text`. */
static void cannot(const char *steps, const char *text) {
    struct ran ran;
    run(&ran, steps);
    assert_false(ran.result.passed);
    if (ran.result.err.kind == FB_NO_FAILURE || !strstr(ran.result.err.text, text))
        fail_msg("`%s` instead of `%s`", ran.result.err.text, text);
    drop(&ran);
}

/* One wrong line: its two sides and why. */
static void assert_line(const struct fb_rule_test_line *line, const char *expected,
                        const char *actual, const char *why) {
    char text[256];
    snprintf(text, sizeof text, "%.*s|%.*s|%.*s", FB_ARG(line->expected), FB_ARG(line->actual),
             FB_ARG(line->why));
    char wanted[256];
    snprintf(wanted, sizeof wanted, "%s|%s|%s", expected, actual, why);
    assert_string_equal(text, wanted);
}

#define HOT "series p.temp = 70, 90x4, 70x2\n"

/* ---- what is met ---- */

static void test_passes_when_all_that_comes_is_expected(void **state) {
    (void)state;
    passes(HOT "expect alarm hot of p raised high at 30s with temp == 90 degC\n"
               "expect alarm hot of p cleared at 50s");
    passes(HOT "expect alarm hot\nexpect alarm hot");
    passes("series p.temp = 70x5\nexpect no alarm hot");
}

static void test_fails_when_the_time_is_wrong(void **state) {
    (void)state;
    struct ran ran;
    run(&ran, HOT "expect alarm hot raised at 20s\nexpect alarm hot cleared");
    assert_false(ran.result.passed);
    assert_int_equal(ran.result.n_lines, 2);
    assert_true(ran.result.lines[0].wrong);
    assert_line(&ran.result.lines[0], "expect alarm hot raised at 20s",
                "alarm hot of p raised high at 30s: p has 90 degC", "it came 10s later");
    assert_false(ran.result.lines[1].wrong);
    drop(&ran);
}

static void test_fails_when_the_word_is_wrong(void **state) {
    (void)state;
    struct ran ran;
    run(&ran, HOT "expect alarm hot critical at 30s\nexpect alarm hot cleared");
    assert_line(&ran.result.lines[0], "expect alarm hot critical at 30s",
                "alarm hot of p raised high at 30s: p has 90 degC", "it was raised high");
    drop(&ran);
    fails(HOT "expect alarm hot raised critical\nexpect alarm hot cleared");
    fails(HOT "expect alarm hot raised\nexpect alarm hot raised");
}

static void test_fails_when_the_device_is_another(void **state) {
    (void)state;
    fails(HOT "series q.temp = 70\nexpect alarm hot of q raised\nexpect alarm hot cleared");
}

static void test_fails_on_what_is_not_expected(void **state) {
    (void)state;
    struct ran ran;
    run(&ran, HOT "expect alarm hot raised");
    assert_false(ran.result.passed);
    assert_int_equal(ran.result.n_lines, 2);
    assert_false(ran.result.lines[0].wrong);
    assert_true(ran.result.lines[1].wrong);
    assert_line(&ran.result.lines[1], "", "alarm hot of p cleared at 50s: p has 70 degC", "");
    drop(&ran);
    fails(HOT);
}

static void test_fails_on_what_does_not_come(void **state) {
    (void)state;
    struct ran ran;
    run(&ran, "series p.temp = 70x9\nexpect alarm hot raised at 30s");
    assert_false(ran.result.passed);
    assert_int_equal(ran.result.n_lines, 1);
    assert_line(&ran.result.lines[0], "expect alarm hot raised at 30s", "", "");
    drop(&ran);
}

static void test_fails_when_what_must_not_come_does(void **state) {
    (void)state;
    fails(HOT "expect no alarm hot");
    fails(HOT "expect no alarm hot cleared\nexpect alarm hot raised");
    passes(HOT "expect no alarm hot cleared at 40s\nexpect alarm hot\nexpect alarm hot");
    passes(HOT "expect no alarm hot critical\nexpect alarm hot\nexpect alarm hot");
}

static void test_an_expectation_does_not_allow_what_another_forbids(void **state) {
    (void)state;
    fails(HOT "expect alarm hot raised\nexpect alarm hot cleared\nexpect no alarm hot cleared");
}

static void test_each_output_meets_one_expectation(void **state) {
    (void)state;
    fails(HOT "expect alarm hot raised\nexpect alarm hot raised\nexpect alarm hot cleared");
}

static void test_outputs_are_dealt_out_so_that_all_are_met(void **state) {
    (void)state;
    passes(HOT "expect alarm hot\nexpect alarm hot raised");
    passes("series p.temp = 70, 90x4\nseries q.temp = 70, 90x4\nseries r.temp = 70, 90x4\n"
           "expect alarm hot\nexpect alarm hot at 30s\nexpect alarm hot of p\n");
}

static void test_the_clock_goes_on_to_the_last_time(void **state) {
    (void)state;
    fails("series p.temp = 90x2\nexpect alarm hot raised");
    passes("series p.temp = 90x2\nexpect alarm hot raised at 20s");
    passes("series p.temp = 90x2\nexpect no alarm hot at 19s");
    fails("series p.temp = 90x2\nexpect no alarm hot at 20s");
}

static void test_a_severity_is_one_raised_or_one_changed_to(void **state) {
    (void)state;
    passes("series p.temp = 90x4, 110, 90\nexpect alarm hot high at 20s\n"
           "expect alarm hot critical at 40s\nexpect alarm hot high at 50s");
    fails("series p.temp = 90x4, 110, 90\nexpect alarm hot high at 20s\n"
          "expect alarm hot raised critical at 40s\nexpect alarm hot high at 50s");
}

/* ---- with ---- */

static void test_with_compares_in_the_unit_it_is_written_in(void **state) {
    (void)state;
    const char *const good[] = {"temp == 90 degC", "temp == 194 degF", "temp > 360 K",
                                "temp != 91 degC", "temp <= 90 degC with temp >= 90 degC"};
    const char *const bad[] = {"temp == 91 degC", "temp == 90 degF", "temp < 360 K",
                               "temp != 194 degF", "temp == unknown",
                               "temp <= 90 degC with temp > 90 degC"};
    char steps[256];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(steps, sizeof steps, HOT "expect alarm hot raised with %s\nexpect alarm hot",
                 good[i]);
        passes(steps);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(steps, sizeof steps, HOT "expect alarm hot raised with %s\nexpect alarm hot",
                 bad[i]);
        fails(steps);
    }
}

static void test_with_compares_words_texts_bools_and_integers(void **state) {
    (void)state;
#define SHOWN                                                                                      \
    "series p.temp = 50\nseries p.mode = hand\nseries p.name = \"x\"\nseries p.running = true\n"   \
    "series p.starts = 7\nexpect event shown with "
    passes(SHOWN "mode == hand");
    fails(SHOWN "mode == auto");
    passes(SHOWN "mode != auto");
    passes(SHOWN "name == \"x\"");
    fails(SHOWN "name == \"y\"");
    passes(SHOWN "running == true");
    fails(SHOWN "running == false");
    passes(SHOWN "starts == 7");
    fails(SHOWN "starts > 7");
    passes(SHOWN "temp == 50 degC with starts >= 7 with mode == hand");
}

static void test_with_unknown_is_met_by_what_is_not_known(void **state) {
    (void)state;
    passes("series p.temp = 50\nseries p.running = true\n"
           "expect event shown with mode == unknown with running != unknown");
    fails("series p.temp = 50\nseries p.running = true\n"
          "expect event shown with running == unknown");
    fails("series p.temp = 50\nseries p.running = true\nexpect event shown with mode != unknown");
    fails("series p.temp = 50\nseries p.running = true\nexpect event shown with mode == off");
}

static void test_the_report_says_what_the_value_was(void **state) {
    (void)state;
    struct ran ran;
    run(&ran, HOT "expect alarm hot raised at 40s with temp == 95 degC # a comment\n"
                  "expect alarm hot cleared");
    assert_line(&ran.result.lines[0], "expect alarm hot raised at 40s with temp == 95 degC",
                "alarm hot of p raised high at 30s: p has 90 degC",
                "it came 10s earlier, and `temp` was 90 degC");
    drop(&ran);
}

/* ---- commands ---- */

#define LEVEL "series p.level = 30, 60x20, 30x3\n"

static void test_commands_are_expected_by_word_and_time(void **state) {
    (void)state;
    passes(LEVEL "expect command fan of p on at 10s\nexpect command fan off at 210s");
    passes(LEVEL "expect command fan\nexpect command fan with value == off");
    passes(LEVEL "expect command fan with value != off\nexpect command fan with requested == off");
    fails(LEVEL "expect command fan on at 10s");
    fails(LEVEL "expect command fan off at 10s\nexpect command fan off at 210s");
    fails(LEVEL "expect command fan on\nexpect command fan off\nexpect no command fan off at 210s");
    passes(LEVEL "expect command fan on\nexpect command fan off\nexpect no command valve");
}

static void test_commands_are_expected_by_number(void **state) {
    (void)state;
    passes("series p.level = 30, 60, 80x4, 30\n"
           "expect command fan on\nexpect command fan off\n"
           "expect command valve at 20s with value == 20 % with requested == 30 %\n"
           "expect command valve at 30s with value > 20 %\n"
           "expect command valve at 60s with value == 0 %");
    fails("series p.level = 30, 60, 80x4, 30\n"
          "expect command fan on\nexpect command fan off\n"
          "expect command valve at 20s with value == 30 %\n"
          "expect command valve at 30s\nexpect command valve at 60s");
}

/* They come every 20 s, and mean nothing new; nor does what `vent` would do, which is not armed. */
static void test_renewals_and_shadows_are_left_out(void **state) {
    (void)state;
    struct ran ran;
    run(&ran, LEVEL "expect command fan on\nexpect command fan off");
    assert_true(ran.result.passed);
    assert_int_equal(ran.result.n_lines, 2);
    drop(&ran);
}

static void test_the_report_shows_commands_as_they_are_expected(void **state) {
    (void)state;
    struct ran ran;
    run(&ran, "series p.level = 30, 80x3\nexpect command fan off at 10s\n"
              "expect command valve of p at 10s with value == 30 % with requested == 20 %");
    assert_int_equal(ran.result.n_lines, 3);
    assert_line(&ran.result.lines[0], "expect command fan off at 10s",
                "command fan of p on at 10s: p at 80%", "it was on");
    assert_line(&ran.result.lines[1],
                "expect command valve of p at 10s with value == 30 % with requested == 20 %",
                "command valve of p at 10s with value == 20%",
                "`value` was 20%, and `requested` was 30%");
    assert_line(&ran.result.lines[2], "", "command valve of p at 20s with value == 30%", "");
    drop(&ran);
}

static void test_the_report_keeps_quoted_ids_whole(void **state) {
    (void)state;
    struct ran ran;
    run(&ran, "series `a # b`.temp = 110\nexpect alarm hot\n  of `a # b`\n  at 5s # late");
    assert_line(&ran.result.lines[0], "expect alarm hot of `a # b` at 5s",
                "alarm hot of `a # b` raised critical at 0s: a # b has 110 degC",
                "it came 5s earlier");
    drop(&ran);
}

/* ---- series ---- */

static void test_series_of_one_instant_are_one_record(void **state) {
    (void)state;
    struct ran ran;
    run(&ran, "series p.temp = 20x3\nseries p.running = true x3 every 10s\nseries q.temp = 20");
    assert_int_equal(ran.result.records, 4);
    assert_true(ran.result.passed);
    drop(&ran);
}

static void test_series_come_at_their_own_every_and_else_at_the_fields(void **state) {
    (void)state;
    passes("series p.temp = 70, 110, 70\nexpect alarm hot at 10s\nexpect alarm hot at 20s");
    passes("series p.temp = 70, 110, 70 every 1m\nexpect alarm hot at 1m\nexpect alarm hot at 2m");
    passes("series p.temp = 50x9\nseries p.running = false, false, true\n"
           "expect event shown at 2s"); /* a field without `every`: a second */
}

static void test_ramps_have_both_ends_and_whole_steps(void **state) {
    (void)state;
    passes("series p.temp = 0..100x301, 100.5 every 1s\nexpect alarm hot high at 4m21s\n"
           "expect alarm hot critical at 5m1s");
    for (int n = 2; n < 30; n++) {
        char steps[128];
        snprintf(steps, sizeof steps,
                 "series p.temp = 80..%dx%d, 80..20x61 every 10s\nexpect no alarm hot", 80 - n + 1,
                 n);
        passes(steps);
    }
    passes("series p.starts = 0..49x50"); /* 49 x (1 / 49) is less than 1 */
    passes("series p.starts = 0..30x31, 27..3x9\nseries p.temp = 50x40 every 1s\n"
           "expect event shown at 4s with starts == 4");
    cannot("series p.starts = 0..1x3", "line 2: `starts` is an integer, and 0.5 is none");
}

static void test_missing_values_are_gaps_and_nulls_are_bad(void **state) {
    (void)state;
    struct ran ran;
    run(&ran, "series p.temp = 90, _x3, null x2, _, 90\nexpect alarm hot at 20s");
    assert_true(ran.result.passed);
    assert_int_equal(ran.result.records, 4);
    drop(&ran);
    /* paused from 10s on, and again for 10 s behind the null */
    passes("series p.temp = 90, null, 90x3\nexpect alarm hot at 30s");
}

static void test_long_gaps_are_meant(void **state) {
    (void)state;
    passes("series p.temp = 20, 20, 110 every 1d\nexpect alarm hot critical at 2d");
    passes("series p.temp = 20\nseries q.temp = _x100, 110 every 1h\n"
           "expect alarm hot of q at 100h");
}

static void test_a_second_series_of_a_field_fills_gaps_only(void **state) {
    (void)state;
    passes("series p.temp = 70, _, 70\nseries p.temp = _, 110\nexpect alarm hot critical at 10s\n"
           "expect alarm hot cleared at 20s");
    cannot("series p.temp = 70, 70\nseries p.temp = _, 110",
           "line 3: `temp` of `p` has a value of another series at 10s");
}

static void test_a_key_has_the_value_of_the_id(void **state) {
    (void)state;
    struct ran ran;
    struct fb_rule_series series;
    run(&ran, "series p.pump = \"p\" x5\nseries p.temp = _, 5 every 1s");
    assert_true(ran.result.passed);
    assert_true(fb_rule_series_make(ran.compiled.program, &ran.compiled.checked,
                                    &ran.compiled.checked.tests[0], ran.arena, &series, NULL));
    assert_int_equal(series.n_entries, 5);
    assert_int_equal(series.entries[0].n_samples, 1);
    assert_int_equal(series.entries[1].n_samples, 2);
    drop(&ran);
    cannot("series p.pump = \"q\"", "`pump` is a key: in a record of `p` it is \"p\"");
    cannot("series p.pump = null", "`pump` is a key");
}

/* ---- what no run could meet ---- */

static void test_says_which_expectation_cannot_be_met(void **state) {
    (void)state;
    cannot("expect no alarm hot", "the test has no records");
    cannot("series p.temp = _x5\nexpect no alarm hot", "the test has no records");
    cannot(HOT "expect no alarm hot of q",
           "line 3: no record of this test is of `q`; its devices are `p`");
    cannot(HOT "expect no command fan of q",
           "line 3: no record of this test is of `q`; its devices are `p`");
    cannot(HOT "expect alarm hot with mode == hand",
           "line 3: `hot` carries no value `mode`: it has those that its conditions name, `temp`");
}

static void test_an_id_has_a_part_for_each_key(void **state) {
    (void)state;
    struct ran ran;
    run_files(&ran,
              "device disk from \"d\" { key host, path  time ts  used : number }\n"
              "test \"t\" on disk { series db1.used = 5 }",
              NULL);
    assert_string_equal(ran.result.err.text, "line 2: a device of `disk` is named `host,path`, a "
                                             "part for each key; `db1` is not");
    drop(&ran);
}

/* ---- records ---- */

static void test_records_are_read_beside_the_rules(void **state) {
    (void)state;
    struct ran ran;
    run_files(&ran,
              "test \"t\" on pump { records \"records.ndjson\"\n"
              "expect alarm hot of p raised at 20s with temp == 90 degC\n"
              "expect alarm hot of p cleared at 30s }",
              "{\"pump\":\"p\",\"ts\":1000000,\"temp\":90}\n"
              "{\"pump\":\"p\",\"ts\":1010000,\"temp\":90}\n\n"
              "{\"pump\":\"p\",\"ts\":1030000,\"temp\":60}\n");
    assert_true(ran.result.passed);
    assert_int_equal(ran.result.records, 3);
    drop(&ran);
}

static void test_records_and_series_mix_by_time(void **state) {
    (void)state;
    struct ran ran;
    run_files(&ran,
              "test \"t\" on pump { records \"records.ndjson\"\n"
              "series q.temp = 20, 110\nexpect alarm hot of q raised at 10s }",
              "{\"pump\":\"p\",\"ts\":1000000,\"temp\":20}\n"
              "{\"pump\":\"p\",\"ts\":1020000,\"temp\":20}\n");
    assert_true(ran.result.passed);
    assert_int_equal(ran.result.records, 4);
    drop(&ran);
}

static void test_refused_records_are_counted(void **state) {
    (void)state;
    struct ran ran;
    run_files(&ran,
              "test \"t\" on pump { records \"records.ndjson\"  expect no alarm hot }",
              "{\"pump\":\"p\",\"ts\":1000000,\"temp\":20}\n"
              "{\"pump\":\"p\",\"ts\":900000,\"temp\":110}\n"
              "{\"pump\":\"p\",\"ts\":9000000000,\"temp\":110}\n");
    assert_true(ran.result.passed);
    assert_int_equal(ran.result.late, 1);
    assert_int_equal(ran.result.future, 1);
    drop(&ran);
}

static void test_a_record_that_cannot_be_read_is_named(void **state) {
    (void)state;
    struct ran ran;
    run_files(&ran, "test \"t\" on pump { records \"records.ndjson\" }",
              "{\"pump\":\"p\",\"ts\":1000000,\"temp\":20}\n{\"pump\":\n");
    assert_false(ran.result.passed);
    assert_non_null(strstr(ran.result.err.text, "records.ndjson:2: "));
    drop(&ran);
    run_files(&ran, "test \"t\" on pump { records \"records.ndjson\" }", NULL);
    assert_false(ran.result.passed);
    assert_non_null(strstr(ran.result.err.text, "records.ndjson: No such file"));
    drop(&ran);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passes_when_all_that_comes_is_expected),
        cmocka_unit_test(test_fails_when_the_time_is_wrong),
        cmocka_unit_test(test_fails_when_the_word_is_wrong),
        cmocka_unit_test(test_fails_when_the_device_is_another),
        cmocka_unit_test(test_fails_on_what_is_not_expected),
        cmocka_unit_test(test_fails_on_what_does_not_come),
        cmocka_unit_test(test_fails_when_what_must_not_come_does),
        cmocka_unit_test(test_an_expectation_does_not_allow_what_another_forbids),
        cmocka_unit_test(test_each_output_meets_one_expectation),
        cmocka_unit_test(test_outputs_are_dealt_out_so_that_all_are_met),
        cmocka_unit_test(test_the_clock_goes_on_to_the_last_time),
        cmocka_unit_test(test_a_severity_is_one_raised_or_one_changed_to),
        cmocka_unit_test(test_with_compares_in_the_unit_it_is_written_in),
        cmocka_unit_test(test_with_compares_words_texts_bools_and_integers),
        cmocka_unit_test(test_with_unknown_is_met_by_what_is_not_known),
        cmocka_unit_test(test_the_report_says_what_the_value_was),
        cmocka_unit_test(test_commands_are_expected_by_word_and_time),
        cmocka_unit_test(test_commands_are_expected_by_number),
        cmocka_unit_test(test_renewals_and_shadows_are_left_out),
        cmocka_unit_test(test_the_report_shows_commands_as_they_are_expected),
        cmocka_unit_test(test_the_report_keeps_quoted_ids_whole),
        cmocka_unit_test(test_series_of_one_instant_are_one_record),
        cmocka_unit_test(test_series_come_at_their_own_every_and_else_at_the_fields),
        cmocka_unit_test(test_ramps_have_both_ends_and_whole_steps),
        cmocka_unit_test(test_missing_values_are_gaps_and_nulls_are_bad),
        cmocka_unit_test(test_long_gaps_are_meant),
        cmocka_unit_test(test_a_second_series_of_a_field_fills_gaps_only),
        cmocka_unit_test(test_a_key_has_the_value_of_the_id),
        cmocka_unit_test(test_says_which_expectation_cannot_be_met),
        cmocka_unit_test(test_an_id_has_a_part_for_each_key),
        cmocka_unit_test(test_records_are_read_beside_the_rules),
        cmocka_unit_test(test_records_and_series_mix_by_time),
        cmocka_unit_test(test_refused_records_are_counted),
        cmocka_unit_test(test_a_record_that_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
