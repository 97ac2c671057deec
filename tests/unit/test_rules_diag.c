/* Diagnostics: the place, the line, the caret, the order.
 *
 * Place in the flow: tests of rules/diag.c and of places in rules/source.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/diag.h"
#include "rules/parse.h"

static struct fb_sources *sources;
static struct fb_diags *diags;
static struct fb_buf out;

static int begin(void **state) {
    (void)state;
    sources = fb_sources_new();
    diags = fb_diags_new();
    out = (struct fb_buf){0};
    return 0;
}

static int end(void **state) {
    (void)state;
    fb_diags_free(diags);
    fb_sources_free(sources);
    fb_buf_free(&out);
    return 0;
}

static void report(const char *text, uint32_t start, uint32_t stop, const char *help) {
    uint32_t file = fb_sources_add(sources, FB_S("f.rules"), fb_str_of(text));
    fb_diag_add(diags, FB_E_UNEXPECTED, (struct fb_span){file, start, stop}, help, "wrong");
}

static const char *printed(void) {
    out.n = 0;
    fb_diags_print(diags, sources, false, &out);
    return fb_buf_terminated(&out);
}

static void the_caret_stands_under_the_span(void **state) {
    (void)state;
    report("a\nbc defg h\n", 5, 9, "mend it");
    assert_string_equal(printed(), "f.rules:2:4: error[E120]: wrong\n"
                                   "  bc defg h\n"
                                   "     ^~~~\n"
                                   "help: mend it\n");
}

static void tabs_are_four_columns_in_line_and_caret(void **state) {
    (void)state;
    report("\ta\tbc\n", 3, 5, NULL);
    assert_string_equal(printed(), "f.rules:1:4: error[E120]: wrong\n"
                                   "      a    bc\n"
                                   "           ^~\n");
}

static void columns_count_characters(void **state) {
    (void)state;
    report("°°µx", 6, 7, NULL);
    assert_string_equal(printed(), "f.rules:1:4: error[E120]: wrong\n"
                                   "  °°µx\n"
                                   "     ^\n");
}

static void a_span_over_lines_is_marked_to_the_end_of_its_first(void **state) {
    (void)state;
    report("ab cd\nef\n", 3, 8, NULL);
    assert_string_equal(printed(), "f.rules:1:4: error[E120]: wrong\n"
                                   "  ab cd\n"
                                   "     ^~\n");
}

static void the_end_of_a_file_has_a_place(void **state) {
    (void)state;
    report("ab", 2, 2, NULL);
    assert_string_equal(printed(), "f.rules:1:3: error[E120]: wrong\n"
                                   "  ab\n"
                                   "    ^\n");
    report("", 0, 0, NULL);
    assert_non_null(strstr(printed(), "f.rules:1:1: error[E120]: wrong\n  \n  ^\n"));
}

static void a_long_line_is_cut_around_the_caret(void **state) {
    (void)state;
    char text[2001];
    memset(text, 'x', 1000);
    memset(text + 1000, 'y', 10);
    memset(text + 1010, 'z', 990);
    text[2000] = '\0';
    report(text, 1000, 1010, NULL);
    const char *line = strchr(printed(), '\n') + 1;
    const char *caret = strchr(line, '\n') + 1;
    assert_true(caret - line < 180);
    assert_memory_equal(line, "  ... xxx", 9);
    assert_memory_equal(caret - 6, "z ...\n", 6);
    size_t column = strspn(caret, " ");
    assert_memory_equal(caret + column, "^~~~~~~~~~\n", 11);
    assert_memory_equal(line + column - 1, "xyyyyyyyyyyz", 12);
}

static void bytes_that_would_confuse_a_terminal_are_replaced(void **state) {
    (void)state;
    report("a\033[1mb \xff", 7, 8, NULL);
    assert_string_equal(printed(), "f.rules:1:8: error[E120]: wrong\n"
                                   "  a\xEF\xBF\xBD[1mb \xEF\xBF\xBD\n"
                                   "         ^\n");
}

static void colour_comes_only_when_asked_for(void **state) {
    (void)state;
    report("abc", 1, 2, NULL);
    assert_null(strchr(printed(), '\033'));
    out.n = 0;
    fb_diags_print(diags, sources, true, &out);
    assert_non_null(strchr(fb_buf_terminated(&out), '\033'));
}

static void reports_come_in_the_order_of_their_places(void **state) {
    (void)state;
    uint32_t a = fb_sources_add(sources, FB_S("a"), FB_S("xyz\nxyz"));
    uint32_t b = fb_sources_add(sources, FB_S("b"), FB_S("xyz"));
    fb_diag_add(diags, FB_E_USE, (struct fb_span){b, 0, 1}, NULL, "fourth");
    fb_diag_add(diags, FB_E_USE, (struct fb_span){a, 5, 6}, NULL, "second");
    fb_diag_add(diags, FB_E_USE, (struct fb_span){a, 0, 1}, NULL, "first");
    fb_diag_add(diags, FB_E_USE, (struct fb_span){a, 5, 6}, NULL, "third");
    const char *at = printed();
    static const char *const order[] = {"first", "second", "third", "fourth"};
    for (unsigned i = 0; i < 4; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
    assert_int_equal(diags->errors, 4);
}

static void json_says_the_same_for_machines(void **state) {
    (void)state;
    fb_diags_print_json(diags, sources, &out);
    assert_string_equal(fb_buf_terminated(&out), "[]\n");
    report("ab\ncd\n", 1, 4, "say \"x\"\n");
    out.n = 0;
    fb_diags_print_json(diags, sources, &out);
    assert_string_equal(fb_buf_terminated(&out),
                        "[\n{\"file\":\"f.rules\",\"line\":1,\"column\":2,\"end_line\":2,"
                        "\"end_column\":2,\"level\":\"error\",\"code\":\"E120\",\"text\":\"wrong\","
                        "\"help\":\"say \\\"x\\\"\\u000a\"}\n]\n");
}

static void what_is_too_much_is_counted(void **state) {
    (void)state;
    fb_sources_add(sources, FB_S("a"), FB_S("x"));
    for (int i = 0; i < FB_DIAGS_MAX + 7; i++) {
        fb_diag_add(diags, FB_E_USE, (struct fb_span){0, 0, 1}, NULL, "again");
    }
    assert_int_equal(diags->errors, FB_DIAGS_MAX + 7);
    assert_non_null(strstr(printed(), "... and 7 more\n"));
}

static void every_code_is_explained_and_found_by_its_number(void **state) {
    (void)state;
    for (unsigned i = 0; i < FB_DIAG_CODES; i++) {
        const struct fb_diag_info *info = fb_diag_code_info((enum fb_diag_code)i);
        enum fb_diag_code found;
        assert_true(fb_diag_code_find(fb_str_of(info->number), &found));
        assert_int_equal(found, i); /* no number stands twice */
        assert_true(strlen(info->title) > 0 && strlen(info->explanation) > 20);
        assert_int_equal(info->number[0] == 'E', info->level == FB_DIAG_ERROR);
    }
    enum fb_diag_code code;
    assert_true(fb_diag_code_find(FB_S("e120"), &code));
    assert_int_equal(code, FB_E_UNEXPECTED);
    assert_false(fb_diag_code_find(FB_S("E999"), &code));
}

/* How often a piece of a rule file gives a code, and how many errors in all. */
static uint32_t count_code(const char *frame, const char *piece, enum fb_diag_code code,
                           uint32_t *errors) {
    struct fb_sources *files = fb_sources_new();
    struct fb_diags *found = fb_diags_new();
    struct fb_buf text = {0};
    const char *hole = strchr(frame, '@');
    fb_buf_put(&text, frame, (size_t)(hole - frame));
    fb_buf_text(&text, piece);
    fb_buf_text(&text, hole + 1);
    fb_sources_add(files, FB_S("example"), (struct fb_str){text.p, text.n});
    struct fb_tree *tree = fb_parse_alone(files, 0, found);
    uint32_t n = 0;
    for (uint32_t i = 0; i < found->n; i++) {
        n += found->items[i].code == code;
    }
    *errors = found->errors;
    fb_tree_free(tree);
    fb_buf_free(&text);
    fb_diags_free(found);
    fb_sources_free(files);
    return n;
}

static void examples_of_syntax_errors_show_what_they_say(void **state) {
    (void)state;
    static const char *const frames[] = {
        "@\n", "device d from \"t\" { key k\n@\n}", "alarm a on d { raise high when x\n@\n}",
        "event e on d { when x\n@\n}", "alarm a on d @ { raise high when x }",
        "alarm a on d { raise high when @ > 1 }"};
    for (unsigned i = 0; i < FB_DIAG_CODES; i++) {
        const struct fb_diag_info *info = fb_diag_code_info((enum fb_diag_code)i);
        if (info->number[0] != 'E' || info->number[1] != '1' || info->good[0] == '\0' ||
            i == FB_E_USE) {
            continue;
        }
        bool shown = false;
        for (unsigned k = 0; k < sizeof frames / sizeof *frames; k++) {
            uint32_t bad = 0, good = 0, errors = 0;
            bad = count_code(frames[k], info->bad, (enum fb_diag_code)i, &errors);
            count_code(frames[k], info->good, (enum fb_diag_code)i, &good);
            shown = shown || ((bad > 0 || info->bad[0] == '\0') && good == 0);
        }
        if (!shown) {
            fail_msg("the examples of %s", info->number);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_caret_stands_under_the_span),
        TEST(tabs_are_four_columns_in_line_and_caret),
        TEST(columns_count_characters),
        TEST(a_span_over_lines_is_marked_to_the_end_of_its_first),
        TEST(the_end_of_a_file_has_a_place),
        TEST(a_long_line_is_cut_around_the_caret),
        TEST(bytes_that_would_confuse_a_terminal_are_replaced),
        TEST(colour_comes_only_when_asked_for),
        TEST(reports_come_in_the_order_of_their_places),
        TEST(json_says_the_same_for_machines),
        TEST(what_is_too_much_is_counted),
        TEST(examples_of_syntax_errors_show_what_they_say),
        TEST(every_code_is_explained_and_found_by_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
