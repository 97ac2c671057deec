/* Tokens: what is a unit, a duration, a number, and what is none.
 *
 * Place in the flow: tests of rules/lex.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/lex.h"

/* The tokens of a text as "KIND:text" words; the reports' numbers behind a bar. */
static struct fb_buf lexed;

static const char *lex(const char *text) {
    static const char *const kinds[] = {"end", "bad",  "name", "text", "num", "unit", "dur", "decl",
                                        "(",   ")",    "{",    "}",    ",",   ":",    ".",   "..",
                                        "=",   "<",    "<=",   ">",    ">=",  "==",   "!=",  "+",
                                        "-",   "*",    "/"};
    struct fb_sources *sources = fb_sources_new();
    struct fb_diags *diags = fb_diags_new();
    struct fb_tokens tokens;
    fb_sources_add(sources, FB_S("t"), fb_str_of(text));
    fb_lex(sources, 0, diags, &tokens);
    lexed.n = 0;
    for (uint32_t i = 0; i + 1 < tokens.n; i++) {
        const struct fb_token *token = &tokens.items[i];
        fb_buf_printf(&lexed, "%s%s", i > 0 ? " " : "", kinds[token->kind]);
        if (token->kind <= FB_TOK_DECLARED_UNIT) {
            fb_buf_printf(&lexed, ":%.*s", (int)(token->end - token->start), text + token->start);
        }
    }
    for (uint32_t i = 0; i < diags->n; i++) {
        fb_buf_printf(&lexed, "%s%s", i == 0 ? " | " : " ",
                      fb_diag_code_info(diags->items[i].code)->number);
    }
    fb_tokens_free(&tokens);
    fb_diags_free(diags);
    fb_sources_free(sources);
    return fb_buf_terminated(&lexed);
}

static int drop_buffer(void **state) {
    (void)state;
    fb_buf_free(&lexed);
    return 0;
}

static void a_unit_stands_behind_a_blank(void **state) {
    (void)state;
    assert_string_equal(lex("5 K"), "num:5 unit:K");
    assert_string_equal(lex("12 m3/h)"), "num:12 unit:m3/h )");
    assert_string_equal(lex("5 W/(m2.K) x"), "num:5 unit:W/(m2.K) name:x");
    assert_string_equal(lex("(5 W/(m^2·K-1/s).g)"), "( num:5 unit:W/(m^2·K-1/s).g )");
    assert_string_equal(lex("5 m/(x)"), "num:5 unit:m / ( name:x )");
    assert_string_equal(lex("5 m/(x-0.5)"), "num:5 unit:m / ( name:x - num:0.5 )");
    assert_string_equal(lex("5 m/(a.b"), "num:5 unit:m / ( name:a . name:b");
    assert_string_equal(lex("0.5   °C"), "num:0.5 unit:°C");
    assert_string_equal(lex("5 µm/s^2"), "num:5 unit:µm/s^2");
    assert_string_equal(lex("5 N·m"), "num:5 unit:N·m");
    assert_string_equal(lex("1.163 kWh/m3/K * flow"), "num:1.163 unit:kWh/m3/K * name:flow");
}

static void a_percent_sign_may_touch(void **state) {
    (void)state;
    assert_string_equal(lex("5% 5 %"), "num:5 unit:% num:5 unit:%");
    assert_string_equal(lex("70% of x"), "num:70 unit:% name:of name:x");
}

static void blanks_divide_where_a_unit_has_none(void **state) {
    (void)state;
    assert_string_equal(lex("5 K/h"), "num:5 unit:K/h");
    assert_string_equal(lex("5 K / h"), "num:5 unit:K / name:h");
    assert_string_equal(lex("5 m/(x)"), "num:5 unit:m / ( name:x )");
}

static void a_unit_stands_on_its_numbers_line(void **state) {
    (void)state;
    assert_string_equal(lex("5\nK"), "num:5 name:K");
}

static void words_of_the_grammar_are_no_units(void **state) {
    (void)state;
    static const char *const words[] = {"at",  "for",   "per",  "until", "and",    "or",
                                        "of",  "in",    "is",   "high",  "over",   "every",
                                        "then", "where", "with", "range", "raise", "x5"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[32], expected[48];
        snprintf(text, sizeof text, "5 %s", words[i]);
        snprintf(expected, sizeof expected, "num:5 name:%s", words[i]);
        assert_string_equal(lex(text), expected);
    }
}

static void the_name_of_the_next_field_is_no_unit(void **state) {
    (void)state;
    assert_string_equal(lex("0..6 temp : number"), "num:0 .. num:6 name:temp : name:number");
}

static void ranges_end_numbers_and_units(void **state) {
    (void)state;
    assert_string_equal(lex("0..6"), "num:0 .. num:6");
    assert_string_equal(lex("-50..60 degC"), "- num:50 .. num:60 unit:degC");
    assert_string_equal(lex("24 degC..32 degC"), "num:24 unit:degC .. num:32 unit:degC");
    assert_string_equal(lex("0 %..100%"), "num:0 unit:% .. num:100 unit:%");
    assert_string_equal(lex("5m..10m"), "dur:5m .. dur:10m");
    assert_string_equal(lex("20..30x11"), "num:20 .. num:30 name:x11");
}

static void digits_and_a_unit_of_time_that_touch_are_a_duration(void **state) {
    (void)state;
    int64_t us = 0;
    assert_string_equal(lex("500ms 30s 5m 1h30m 7d 4w"),
                        "dur:500ms dur:30s dur:5m dur:1h30m dur:7d dur:4w");
    assert_string_equal(lex("5 m"), "num:5 unit:m");
    assert_true(fb_lex_duration(FB_S("1h30m"), &us));
    assert_int_equal(us, 5400000000);
    assert_true(fb_lex_duration(FB_S("2w3d4h5m6s7ms8us"), &us));
    assert_int_equal(us, ((((17 * 24LL + 4) * 60 + 5) * 60 + 6) * 1000 + 7) * 1000 + 8);
    assert_false(fb_lex_duration(FB_S("30m1h"), &us));
    assert_false(fb_lex_duration(FB_S("1h1h"), &us));
    assert_false(fb_lex_duration(FB_S("5min"), &us));
    assert_true(fb_lex_duration(FB_S("106751991d"), &us));
    assert_false(fb_lex_duration(FB_S("106751992d"), &us));
}

static void what_touches_otherwise_is_reported_once(void **state) {
    (void)state;
    assert_string_equal(lex("5min"), "bad:5min | E107");
    assert_string_equal(lex("80degC"), "bad:80degC | E107");
    assert_string_equal(lex("1.5h"), "bad:1.5h | E107");
    assert_string_equal(lex("5K/h"), "bad:5K/h | E107");
    assert_string_equal(lex(".5"), "bad:.5 | E108");
    assert_string_equal(lex("1.2.3"), "bad:1.2.3 | E108");
}

static void names_in_back_quotes_are_one_token(void **state) {
    (void)state;
    assert_string_equal(lex("`supply air °C` x"), "name:`supply air °C` name:x");
    assert_string_equal(lex("`a\nb"), "bad:`a name:b | E109");
}

static void texts_end_on_their_line(void **state) {
    (void)state;
    assert_string_equal(lex("\"a \\\" # b\" c # d"), "text:\"a \\\" # b\" name:c");
    assert_string_equal(lex("\"abc\nx"), "bad:\"abc name:x | E103");
    assert_string_equal(lex("\"\\q\""), "text:\"\\q\" | E104");
}

static void escapes_become_characters(void **state) {
    (void)state;
    struct fb_arena *arena = fb_arena_new();
    struct fb_str s = fb_lex_unescape(arena, FB_S("a\\\"b\\\\c\\n\\t\\u{b0}\\u{20AC}\\u{1F600}"));
    assert_true(fb_str_eq(s, FB_S("a\"b\\c\n\t°€😀")));
    fb_arena_free(arena);
}

static void operators_of_other_languages_are_named(void **state) {
    (void)state;
    assert_string_equal(lex("a && b"), "name:a name:&& name:b | E106");
    assert_string_equal(lex("a ≤ b"), "name:a <= name:b | E106");
    assert_string_equal(lex("2 − 1"), "num:2 - num:1 | E106");
    assert_string_equal(lex("a;b"), "name:a name:b | E105");
}

static void bytes_that_are_no_text_give_no_tokens(void **state) {
    (void)state;
    assert_string_equal(lex("a \xff b"), " | E101");
    assert_string_equal(lex("\xEF\xBB\xBF" "a"), "name:a");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_unit_stands_behind_a_blank),
        cmocka_unit_test(a_percent_sign_may_touch),
        cmocka_unit_test(blanks_divide_where_a_unit_has_none),
        cmocka_unit_test(a_unit_stands_on_its_numbers_line),
        cmocka_unit_test(words_of_the_grammar_are_no_units),
        cmocka_unit_test(the_name_of_the_next_field_is_no_unit),
        cmocka_unit_test(ranges_end_numbers_and_units),
        cmocka_unit_test(digits_and_a_unit_of_time_that_touch_are_a_duration),
        cmocka_unit_test(what_touches_otherwise_is_reported_once),
        cmocka_unit_test(names_in_back_quotes_are_one_token),
        cmocka_unit_test(texts_end_on_their_line),
        cmocka_unit_test(escapes_become_characters),
        cmocka_unit_test(operators_of_other_languages_are_named),
        cmocka_unit_test(bytes_that_are_no_text_give_no_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, drop_buffer);
}
