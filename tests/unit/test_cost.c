/* What rules cost, and the one call that compiles them. */
#include "rules/cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/compile.h"

static struct fb_program *program_of(const char *rules) {
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    struct fb_compiled compiled;
    fb_sources_add(sources, FB_S("test.rules"), fb_str_of(rules));
    assert_true(fb_compile_sources(sources, diags, &compiled));
    struct fb_program *program = compiled.program;
    compiled.program = NULL;
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
    return program;
}

#define PUMP                                                                                       \
    "device pump from \"pumps\" { key pump time ts load : number [%] every 1s  running : bool }\n"

static void state_is_the_cells_of_the_rule_its_conditions_and_delays(void **state) {
    (void)state;
    struct fb_program *program =
        program_of(PUMP "alarm a on pump { raise high when running raise low when (running for 5s) "
                        "until not running }");
    struct fb_rule_cost cost = fb_cost_of(program, 0);
    assert_int_equal(cost.own_bytes, sizeof(struct fb_rule_cell) +
                                         2 * sizeof(struct fb_condition_cell) +
                                         sizeof(struct fb_for_cell) + sizeof(struct fb_until_cell));
    assert_int_equal(cost.window_bytes, 0);
    assert_int_equal(cost.timers, 1);
    fb_program_free(program);
}

static void a_shared_window_is_told_apart(void **state) {
    (void)state;
    struct fb_program *program =
        program_of(PUMP "alarm a on pump { raise high when avg(load over 1m) > 5 % }"
                        "alarm b on pump { raise high when avg(load over 1m) > 6 % "
                        "or max(load over last 3) > 9 % }");
    const struct fb_class *pump = &program->classes[0];
    struct fb_rule_cost a = fb_cost_of(program, 0), b = fb_cost_of(program, 1);
    assert_int_equal(a.window_bytes, pump->windows[0].bytes);
    assert_int_equal(a.shared_bytes, pump->windows[0].bytes);
    assert_int_equal(b.window_bytes, pump->windows[0].bytes + pump->windows[1].bytes);
    assert_int_equal(b.shared_bytes, pump->windows[0].bytes);
    fb_program_free(program);
}

static void what_runs_twice_counts_twice(void **state) {
    (void)state;
    struct fb_program *program =
        program_of(PUMP "alarm a on pump { raise high when silent for 5m clear after 1m }");
    struct fb_rule_cost cost = fb_cost_of(program, 0);
    assert_int_equal(cost.instructions, 2 * 2 + 1);
    assert_int_equal(cost.timers, 2);
    fb_program_free(program);
}

static void samples_of_windows_are_instructions_too(void **state) {
    (void)state;
    struct fb_program *program = program_of(
        PUMP "alarm a on pump { raise high when avg(load where running over 1m) > 5 % }");
    assert_int_equal(fb_cost_of(program, 0).instructions, 1 + 4);
    fb_program_free(program);
}

static void the_table_says_from_when_a_window_is_known(void **state) {
    (void)state;
    struct fb_program *program =
        program_of(PUMP "alarm a on pump { raise high when avg(load over 5m, needs 50 %) > 5 % }");
    struct fb_buf out = {0};
    fb_cost_text(program, &out);
    assert_non_null(strstr(fb_buf_terminated(&out), "a: avg, unknown until 2m30s of good time "
                                                    "(avg of load over 5m: 60 panes of 5s"));
    fb_buf_free(&out);
    fb_program_free(program);
}

/* How often the table of a rule says that an `until` waits for a window. */
static int waits(const char *rule) {
    char text[1024];
    snprintf(text, sizeof text, "%s%s", PUMP, rule);
    struct fb_program *program = program_of(text);
    struct fb_buf out = {0}, json = {0};
    fb_cost_text(program, &out);
    fb_cost_json(program, &json);
    int n = 0, n_json = 0;
    for (const char *p = fb_buf_terminated(&out); (p = strstr(p, "; before that the `until`")); p++)
        n++;
    for (const char *p = fb_buf_terminated(&json); (p = strstr(p, "\"ends_until\":true")); p++)
        n_json++;
    assert_int_equal(n, n_json);
    fb_buf_free(&out);
    fb_buf_free(&json);
    fb_program_free(program);
    return n;
}

static void the_table_says_which_window_an_until_waits_for(void **state) {
    (void)state;
    assert_int_equal(waits("alarm a on pump { raise high when load > 5 % "
                           "until max(load over 5m) < 4 % }"),
                     1);
    assert_int_equal(waits("alarm a on pump { let calm = max(load over 5m) < 4 % raise high when "
                           "running until (calm for 1m) or not running }"),
                     1);
    assert_int_equal(waits("alarm a on pump where running { raise high when load > 5 % "
                           "until avg(load over 5m) + 1 % < 4 % }"),
                     1);
    assert_int_equal(waits("event e on pump { when load > 5 % until not (load > 4 % or "
                           "avg(load over 5m) > 4 % and avg(load over last 3) > 4 %) }"),
                     0);
    assert_int_equal(waits("event e on pump { when load > 5 % until not (load > 4 % and "
                           "avg(load over 5m) > 4 % and avg(load over last 3) > 4 %) }"),
                     2);
}

static void an_until_that_can_be_true_at_once_waits_for_no_window(void **state) {
    (void)state;
    static const char *const rules[] = {
        "alarm a on pump { raise high when avg(load over 5m) > 5 % until avg(load over 5m) < 4 % }",
        "alarm a on pump { raise high when avg(load over 5m) > 5 % deadband 1 % }",
        "alarm a on pump { raise high when load > 5 % until load < 3 % and "
        "max(load over 5m) < 4 % }",
        "alarm a on pump { raise high when load > 5 % until "
        "coalesce(max(load over 5m), 0 %) < 4 % }",
        "alarm a on pump { raise high when load > 5 % until max(load over 5m) < 4 % "
        "on unknown raise }"};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        assert_int_equal(waits(rules[i]), 0);
}

static void the_table_is_json_too(void **state) {
    (void)state;
    struct fb_program *program =
        program_of(PUMP "alarm `a\\\"b` on pump { raise high when running }");
    struct fb_buf out = {0}, expected = {0};
    fb_cost_json(program, &out);
    fb_buf_printf(&expected,
                  "[\n{\"class\":\"pump\",\"block_bytes\":%u,\"reads\":[\"pumps\"],\"rules\":[\n  "
                  "{\"rule\":\"a\\\\\\\"b\",\"kind\":\"alarm\",\"version\":\"%s\",\"bytes\":42,"
                  "\"window_bytes\":0,"
                  "\"shared_bytes\":0,\"instructions\":1,\"timers\":0,\"writes\":[\"alerts\"],"
                  "\"windows\":[],\"others\":[]}]}\n]",
                  program->classes[0].block_bytes, program->rules[0].version);
    assert_string_equal(fb_buf_terminated(&out), fb_buf_terminated(&expected));
    fb_buf_free(&out);
    fb_buf_free(&expected);
    fb_program_free(program);
}

static void the_table_says_where_commands_go(void **state) {
    (void)state;
    struct fb_program *program = program_of(
        PUMP "actuator fan on pump : (off, on) { to \"plant.fans\"  safe off }\n"
             "actuator vent on pump : (off, on) { safe off }\n"
             "control cool on pump { start when running  command fan = on  command vent = on }\n");
    struct fb_buf text = {0}, json = {0};
    fb_cost_text(program, &text);
    fb_cost_json(program, &json);
    assert_non_null(strstr(fb_buf_terminated(&text), "\n  commands of fan go to plant.fans\n"));
    assert_null(strstr(text.p, "commands of vent"));
    assert_null(strstr(strstr(text.p, "commands of fan") + 1, "commands of fan"));
    assert_non_null(strstr(fb_buf_terminated(&json),
                           "\"writes\":[\"shadow\"],\"to\":\"plant.fans\",\"windows\":"));
    fb_buf_free(&text);
    fb_buf_free(&json);
    fb_program_free(program);
}

/* ---- compile ------------------------------------------------------------------------------- */

static void a_path_that_cannot_be_read_is_a_diagnostic(void **state) {
    (void)state;
    char folder[] = "/tmp/fb-compile-XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *const paths[] = {"/nowhere/a.rules", folder};
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources;
    assert_null(fb_compile(paths, 2, diags, &sources));
    assert_int_equal(diags->errors, 2);
    assert_int_equal(diags->items[0].code, FB_E_RULES_UNREADABLE);
    struct fb_buf out = {0};
    fb_diags_print(diags, sources, false, &out);
    assert_non_null(strstr(fb_buf_terminated(&out), "/nowhere/a.rules: error[E570]: "));
    fb_buf_free(&out);
    fb_sources_free(sources);
    fb_diags_free(diags);
    rmdir(folder);
}

static void a_program_outlives_its_sources(void **state) {
    (void)state;
    char folder[] = "/tmp/fb-compile-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct fb_buf path = {0};
    fb_buf_printf(&path, "%s/a.rules", folder);
    FILE *file = fopen(fb_buf_terminated(&path), "w");
    assert_non_null(file);
    fputs(PUMP "alarm a on pump { raise high when running }", file);
    fclose(file);
    const char *const paths[] = {folder};
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources;
    struct fb_program *program = fb_compile(paths, 1, diags, &sources);
    fb_sources_free(sources);
    fb_diags_free(diags);
    assert_non_null(program);
    assert_string_equal(program->rules[0].name.p, "a");
    assert_string_equal(program->classes[0].fields[1].name.p, "load");
    fb_program_free(program);
    unlink(fb_buf_terminated(&path));
    rmdir(folder);
    fb_buf_free(&path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_is_the_cells_of_the_rule_its_conditions_and_delays),
        cmocka_unit_test(a_shared_window_is_told_apart),
        cmocka_unit_test(what_runs_twice_counts_twice),
        cmocka_unit_test(samples_of_windows_are_instructions_too),
        cmocka_unit_test(the_table_says_from_when_a_window_is_known),
        cmocka_unit_test(the_table_says_which_window_an_until_waits_for),
        cmocka_unit_test(an_until_that_can_be_true_at_once_waits_for_no_window),
        cmocka_unit_test(the_table_is_json_too),
        cmocka_unit_test(the_table_says_where_commands_go),
        cmocka_unit_test(a_path_that_cannot_be_read_is_a_diagnostic),
        cmocka_unit_test(a_program_outlives_its_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
