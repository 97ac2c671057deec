/* What explain is made of: values in the text of a rule, records by id, code in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/run/audit_find.h"
#include "engine/run/code_words.h"
#include "engine/run/rule_text.h"

static struct fb_compiled compile(const char *text) {
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    struct fb_compiled compiled;
    fb_sources_add(sources, FB_S("t.rules"), fb_str_of(text));
    if (!fb_compile_sources(sources, diags, &compiled)) {
        struct fb_buf report = {0};
        fb_diags_print(diags, compiled.sources, false, &report);
        fail_msg("%s", fb_buf_terminated(&report));
    }
    fb_diags_free(diags);
    return compiled;
}

/* ---- the text of a rule ---- */

/* "NAME!" of all but what is called unknown. */
static bool shout(void *context, struct fb_str name, struct fb_buf *out) {
    (void)context;
    if (name.p[0] == 'u')
        return false;
    fb_buf_printf(out, "%.*s!", FB_ARG(name));
    return true;
}

static const char device[] = "device d from \"t\" {\n"
                             "  key k\n"
                             "  time ts  tag site\n"
                             "  a : number [m]\n"
                             "  ua : number [m]\n"
                             "  m : one of (a, b)\n"
                             "  let cm [cm] = a\n"
                             "  let far = a > 5 m\n"
                             "  let both = far and\n"
                             "    (ua < 1 m)\n"
                             "}\n"
                             "param p [m] = 2 m\n"
                             "param q on d [m] = 2 m, 3 m where site == \"x\"\n";

static void expect_text(const char *rule, const char *name, const char *wanted) {
    struct fb_buf text = {0}, out = {0};
    fb_buf_text(&text, device);
    fb_buf_text(&text, rule);
    struct fb_compiled compiled = compile(fb_buf_terminated(&text));
    assert_true(
        fb_rule_text(&compiled, &(struct fb_rule){.name = fb_str_of(name)}, shout, NULL, &out));
    assert_string_equal(fb_buf_terminated(&out), wanted);
    fb_compiled_free(&compiled);
    fb_buf_free(&text);
    fb_buf_free(&out);
}

static void a_value_stands_behind_the_first_place_of_a_name_on_a_line(void **state) {
    (void)state;
    expect_text("alarm r on d {\n"
                "    raise low when a > 1 m and a < 3 m # a, not ua\n"
                "\n"
                "    raise high when a > 4 m or ua > 2 m\n"
                "  }\n",
                "r",
                "t.rules:14:\n"
                "  alarm r on d {\n"
                "    raise low when a (a!) > 1 m and a < 3 m # a, not ua\n"
                "\n"
                "    raise high when a (a!) > 4 m or ua > 2 m\n"
                "  }\n");
}

static void words_of_an_enumeration_are_no_names(void **state) {
    (void)state;
    expect_text("alarm r on d { raise low when m == a and a > 1 m message \"{a}\" }\n", "r",
                "t.rules:14:\n"
                "  alarm r on d { raise low when m (m!) == a and a (a!) > 1 m message \"{a}\" }\n");
}

static void lets_of_the_device_and_params_are_shown(void **state) {
    (void)state;
    expect_text(
        "alarm other on d { raise low when ua > 1 m }\n"
        "alarm r on d where site == \"x\" { raise low when both and a > p and ua > q }\n",
        "r",
        "t.rules:15:\n"
        "  alarm r on d where site (site!) == \"x\" { raise low when both (both!) and a (a!) "
        "> p (2 m) and ua > q }\n"
        "t.rules:9:\n"
        "  let both (both!) = far (far!) and\n"
        "    (ua < 1 m)\n"
        "t.rules:8:\n"
        "  let far (far!) = a (a!) > 5 m\n");
}

static void an_actuator_has_its_own_conditions(void **state) {
    (void)state;
    struct fb_buf text = {0}, out = {0};
    fb_buf_text(&text, device);
    fb_buf_text(&text, "actuator v on d : (off, on) { safe off  interlock when a > 1 m }\n"
                       "control c on d { start when a > 2 m until a < 1 m  command v = on }\n");
    struct fb_compiled compiled = compile(fb_buf_terminated(&text));
    assert_true(fb_actuator_text(&compiled, FB_S("d"), FB_S("v"), shout, NULL, &out));
    assert_string_equal(
        fb_buf_terminated(&out),
        "t.rules:14:\n"
        "  actuator v on d : (off, on) { safe off  interlock when a (a!) > 1 m }\n");
    assert_false(fb_actuator_text(&compiled, FB_S("e"), FB_S("v"), shout, NULL, &out));
    assert_false(fb_rule_text(&compiled, &(struct fb_rule){.name = FB_S("v")}, shout, NULL, &out));
    fb_compiled_free(&compiled);
    fb_buf_free(&text);
    fb_buf_free(&out);
}

/* ---- code in words ---- */

static void expect_words(const char *when, const char *wanted) {
    struct fb_buf text = {0}, out = {0};
    fb_buf_text(&text, device);
    fb_buf_printf(&text, "alarm r on d { raise low when %s }\n", when);
    struct fb_compiled compiled = compile(fb_buf_terminated(&text));
    const struct fb_class *class_ = &compiled.program->classes[0];
    const struct fb_code *code = &class_->conditions[0].code;
    fb_code_words(class_, code, code->result, &out);
    assert_string_equal(fb_buf_terminated(&out), wanted);
    fb_compiled_free(&compiled);
    fb_buf_free(&text);
    fb_buf_free(&out);
}

static void code_is_told_in_the_words_of_the_language(void **state) {
    (void)state;
    expect_words("a > 100 cm", "a > 1 m");
    expect_words("both", "a > 5 m and ua < 1 m");
    expect_words("(a > 1 m or m == b) and not (ua > a)", "(a > 1 m or m == b) and (not (ua > a))");
    expect_words("a > 1 m for 10s until a < p for 1m",
                 "((a > 1 m) for 10s) until ((a < 2 m) for 1m)");
    expect_words("avg(a over 5m) > 1 m and ua is stale", "avg(a over 5m) > 1 m and (ua is stale)");
    expect_words("cm > 2 cm", "(convert(a)) > 2");
    expect_words("spread(a over 5m) > 2 m", "spread(a over 5m) > 2");
    expect_words("a + ua > 2 m", "(a + ua) > 2");
    expect_words("site matches \"x+\" and age(a) > 1m", "site matches \"x+\" and (age(a) > 1m)");
    expect_words("2 of (a > 1 m, ua > 1 m, m == b)", "2 of (a > 1 m, ua > 1 m, m == b)");
    expect_words("max(a over last 3) - previous(a) > 1 m",
                 "(max(a over last 3) - previous(a)) > 1");
}

/* ---- records by id ---- */

/* As the audit topic's values; hashes are not those of the bytes, which is told and no more. */
static void put(struct fb_audit_find *find, const char *hash, const char *rest) {
    struct fb_buf line = {0};
    char digits[65];
    memset(digits, '0', 64);
    memcpy(digits, hash, strlen(hash));
    digits[64] = '\0';
    fb_buf_printf(&line,
                  "{\"task\":\"x/0\",\"seq\":1,\"previous\":\"%s\",%s,\"semantics\":1,"
                  "\"hash\":\"%s\"}",
                  digits, rest, digits);
    fb_audit_find_line(find, (struct fb_str){line.p, line.n});
    fb_buf_free(&line);
}

static bool holds(const struct fb_audit_find *find, enum fb_find which, const char *hash) {
    struct fb_str data = fb_audit_find_data(find, which);
    struct fb_buf end = {0};
    fb_buf_printf(&end, "\"hash\":\"%s0", hash);
    bool is = data.n && memmem(data.p, data.n, end.p, end.n);
    fb_buf_free(&end);
    return is;
}

#define COMMAND(actuator, outcome)                                                                 \
    "\"kind\":\"decision\",\"actuator\":\"" actuator "\",\"outcome\":\"" outcome "\""
#define BLOCK(guardrail, outcome)                                                                  \
    "\"kind\":\"blocked\",\"actuator\":\"v/1\",\"guardrail\":\"" guardrail                         \
    "\",\"outcome\":\"" outcome "\""
#define ALARM(rule, outcome)                                                                       \
    "\"kind\":\"decision\",\"rule\":\"" rule "\",\"device\":\"1\",\"outcome\":\"" outcome "\""

static void put_all(struct fb_audit_find *find) {
    put(find, "aa01", COMMAND("v/1", "claimed"));
    put(find, "aa02", COMMAND("v/2", "claimed"));
    put(find, "aa03", COMMAND("v/1", "renewed"));
    put(find, "aa04", BLOCK("minimum", "began"));
    put(find, "aa05", ALARM("hot", "raised"));
    put(find, "aa06", BLOCK("starts", "began"));
    put(find, "aa07", "\"kind\":\"shadow\",\"actuator\":\"v/1\",\"outcome\":\"claimed\"");
    put(find, "aa08", BLOCK("starts", "ended"));
    put(find, "aa09", BLOCK("minimum", "ended"));
    put(find, "aa10", COMMAND("v/1", "renewed"));
    put(find, "aa11", COMMAND("v/1", "relinquished"));
    put(find, "aa12", ALARM("cold", "cleared"));
    put(find, "aa13", ALARM("hot", "cleared"));
    put(find, "aa14", ALARM("hot", "raised"));
}

static struct fb_audit_find *find_all(const char *id) {
    struct fb_audit_find *find = fb_audit_find_new(fb_str_of(id));
    put_all(find);
    assert_int_equal(fb_audit_find_records(find), 14);
    return find;
}

static void the_records_around_a_command_are_those_of_its_actuator(void **state) {
    (void)state;
    struct fb_audit_find *find = find_all("aa11");
    assert_int_equal(fb_audit_find_matches(find), 1);
    assert_true(holds(find, FB_FIND_ITSELF, "aa11"));
    assert_true(holds(find, FB_FIND_LAST, "aa10"));
    assert_true(holds(find, FB_FIND_BEFORE, "aa01"));
    assert_int_equal(fb_audit_find_data(find, FB_FIND_AFTER).n, 0);
    assert_non_null(fb_audit_find_fault(find));
    fb_audit_find_free(find);
    find = find_all("aa01");
    assert_int_equal(fb_audit_find_data(find, FB_FIND_BEFORE).n, 0);
    assert_true(holds(find, FB_FIND_AFTER, "aa11"));
    fb_audit_find_free(find);
    find = find_all("aa07"); /* of the shadow */
    assert_int_equal(fb_audit_find_data(find, FB_FIND_BEFORE).n, 0);
    assert_int_equal(fb_audit_find_data(find, FB_FIND_AFTER).n, 0);
    fb_audit_find_free(find);
}

static void a_block_has_its_beginning_and_its_end(void **state) {
    (void)state;
    struct fb_audit_find *find = find_all("aa04");
    assert_true(holds(find, FB_FIND_ENDED, "aa09"));
    assert_true(holds(find, FB_FIND_LAST, "aa03"));
    assert_true(holds(find, FB_FIND_AFTER, "aa11"));
    fb_audit_find_free(find);
    find = find_all("aa08");
    assert_true(holds(find, FB_FIND_BEGAN, "aa06"));
    assert_int_equal(fb_audit_find_data(find, FB_FIND_ENDED).n, 0);
    fb_audit_find_free(find);
}

static void an_alarm_has_its_beginning_and_its_end(void **state) {
    (void)state;
    struct fb_audit_find *find = find_all("aa13");
    assert_true(holds(find, FB_FIND_RAISED, "aa05"));
    assert_int_equal(fb_audit_find_data(find, FB_FIND_CLEARED).n, 0);
    fb_audit_find_free(find);
    find = find_all("aa05");
    assert_true(holds(find, FB_FIND_CLEARED, "aa13"));
    assert_int_equal(fb_audit_find_data(find, FB_FIND_RAISED).n, 0);
    fb_audit_find_free(find);
}

static void a_beginning_that_several_have_is_told(void **state) {
    (void)state;
    struct fb_audit_find *find = find_all("aa0");
    assert_int_equal(fb_audit_find_matches(find), 9);
    put_all(find); /* a file that was given twice */
    fb_audit_find_line(find, FB_S("{\"type\":\"flyball.event\",\"id\":\"aa0f\",\"data\":7}"));
    fb_audit_find_line(find, FB_S("nonsense"));
    fb_audit_find_line(find, FB_S(""));
    fb_audit_find_free(find);
    find = find_all("ffff");
    assert_int_equal(fb_audit_find_matches(find), 0);
    fb_audit_find_free(find);
    assert_true(fb_audit_find_is_id(FB_S("00af")));
    assert_false(fb_audit_find_is_id(FB_S("00a")));
    assert_false(fb_audit_find_is_id(FB_S("00AF")));
    assert_false(fb_audit_find_is_id(FB_S("00ag")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_stands_behind_the_first_place_of_a_name_on_a_line),
        cmocka_unit_test(words_of_an_enumeration_are_no_names),
        cmocka_unit_test(lets_of_the_device_and_params_are_shown),
        cmocka_unit_test(an_actuator_has_its_own_conditions),
        cmocka_unit_test(code_is_told_in_the_words_of_the_language),
        cmocka_unit_test(the_records_around_a_command_are_those_of_its_actuator),
        cmocka_unit_test(a_block_has_its_beginning_and_its_end),
        cmocka_unit_test(an_alarm_has_its_beginning_and_its_end),
        cmocka_unit_test(a_beginning_that_several_have_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
