/* Text: views, the buffer, UTF-8, the nearest name; and the arena they are copied into. */
#include "engine/base/str.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

static void compares_bytes_the_shorter_first(void **state) {
    (void)state;
    assert_true(fb_str_eq((struct fb_str){0}, FB_S("")));
    assert_false(fb_str_eq(FB_S("ab"), FB_S("abc")));
    assert_true(fb_str_cmp(FB_S("ab"), FB_S("abc")) < 0);
    assert_true(fb_str_cmp(FB_S("b"), FB_S("abc")) > 0);
    assert_true(fb_str_cmp(FB_S("\xff"), FB_S("a")) > 0);
    assert_true(fb_str_cmp((struct fb_str){0}, FB_S("")) == 0);
    assert_true(fb_str_cmp((struct fb_str){0}, FB_S("a")) < 0);
}

static void copies_are_terminated(void **state) {
    (void)state;
    struct fb_arena *arena = fb_arena_new();
    struct fb_str copy = fb_str_copy(arena, (struct fb_str){"abcdef", 3});
    assert_string_equal(copy.p, "abc");
    assert_int_equal(copy.n, 3);
    assert_string_equal(fb_str_copy(arena, (struct fb_str){0}).p, "");
    struct fb_str text = fb_str_printf(arena, "%s-%d", "x", 7);
    assert_string_equal(text.p, "x-7");
    assert_int_equal(text.n, 3);
    fb_arena_free(arena);
}

static bool is_utf8(const char *text) {
    size_t n = strlen(text);
    char *exact = malloc(n + 1);
    memcpy(exact, text, n);
    bool alone = fb_str_is_utf8((struct fb_str){exact, n});
    free(exact);
    /* The same behind a long run of ASCII, where eight bytes are taken at a time. */
    char *behind = malloc(n + 21);
    memset(behind, 'a', 21);
    memcpy(behind + 21, text, n);
    assert_int_equal(alone, fb_str_is_utf8((struct fb_str){behind, n + 21}));
    free(behind);
    return alone;
}

static void knows_well_formed_utf8(void **state) {
    (void)state;
    assert_true(is_utf8(""));
    assert_true(is_utf8("plain text that is longer than eight bytes"));
    assert_true(is_utf8("\xC2\x80 \xDF\xBF"));
    assert_true(is_utf8("\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF"));
    assert_true(is_utf8("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"));
    assert_true(fb_str_is_utf8((struct fb_str){"a\0b", 3}));
}

static void refuses_malformed_utf8(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xC2",
        "\xC2\x41",
        "\xC2\xC2\x80",
        "\xE0\x80\x80",
        "\xE0\x9F\xBF",
        "\xE0\xA0",
        "\xE2\x82\x41",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xF0\x80\x80\x80",
        "\xF0\x8F\xBF\xBF",
        "\xF0\x90\x80",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xFE",
        "\xFF",
        "\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(is_utf8(bad[i]));
}

static void knows_what_a_topic_may_be_called(void **state) {
    (void)state;
    char name[251];
    memset(name, 'x', sizeof name);
    assert_true(fb_str_is_topic((struct fb_str){name, 249}));
    assert_false(fb_str_is_topic((struct fb_str){name, 250}));
    assert_true(fb_str_is_topic(FB_S("aA0zZ9._-")));
    assert_true(fb_str_is_topic(FB_S("...")));
    static const char *const bad[] = {"",    ".",           "..", "a b", "a/b",
                                      "a,b", "caf\xC3\xA9", "a@", "[x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(fb_str_is_topic(fb_str_of(bad[i])));
    assert_false(fb_str_is_topic((struct fb_str){"a\0b", 3}));
}

static struct fb_str nearest(const char *wanted) {
    static const struct fb_str names[] = {{"temp", 4}, {"humidity", 8}, {"pressure", 8}, {"x", 1}};
    return fb_str_nearest(fb_str_of(wanted), names, 4);
}

static void finds_the_nearest_name(void **state) {
    (void)state;
    assert_true(fb_str_eq(nearest("tmp"), FB_S("temp")));
    assert_true(fb_str_eq(nearest("tepm"), FB_S("temp")));
    assert_true(fb_str_eq(nearest("humdity"), FB_S("humidity")));
    assert_true(fb_str_eq(nearest("presure"), FB_S("pressure")));
    assert_true(fb_str_eq(nearest("humidity"), FB_S("humidity")));
    assert_true(fb_str_eq(nearest("y"), FB_S("x")));
    assert_int_equal(nearest("tommy").n, 0);
    assert_int_equal(nearest("voltage").n, 0);
    assert_int_equal(fb_str_nearest(FB_S("a"), NULL, 0).n, 0);
}

static void a_long_name_has_no_nearest(void **state) {
    (void)state;
    char longer[300];
    memset(longer, 'a', sizeof longer);
    struct fb_str name = {longer, sizeof longer};
    assert_int_equal(fb_str_nearest(name, &name, 1).n, 0);
    assert_int_equal(fb_str_nearest(FB_S("a"), &name, 1).n, 0);
}

static void a_buffer_grows(void **state) {
    (void)state;
    struct fb_buf buf = {0};
    assert_string_equal(fb_buf_terminated(&buf), "");
    for (int i = 0; i < 1000; i++)
        fb_buf_printf(&buf, "%d,", i % 10);
    fb_buf_char(&buf, '\0');
    fb_buf_str(&buf, FB_S("end"));
    fb_buf_str(&buf, (struct fb_str){0});
    fb_buf_text(&buf, "!");
    assert_int_equal(buf.n, 2005);
    assert_memory_equal(buf.p + 1998, "9,\0end!", 7);
    assert_string_equal(fb_buf_terminated(&buf) + 2001, "end!");
    assert_int_equal(buf.n, 2005);
    fb_buf_free(&buf);
    assert_null(buf.p);
}

static void an_arena_gives_zeroed_aligned_memory(void **state) {
    (void)state;
    struct fb_arena *arena = fb_arena_new();
    for (int round = 0; round < 3; round++) {
        for (size_t bytes = 0; bytes < 3000; bytes += 7) {
            unsigned char *p = fb_arena_alloc(arena, bytes);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < bytes; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xAA, bytes);
        }
        char *big = fb_arena_alloc(arena, 5000000);
        assert_int_equal(big[0] | big[4999999], 0);
        fb_arena_reset(arena);
    }
    fb_arena_free(arena);
    fb_arena_free(NULL);
}

static void a_failure_carries_its_text(void **state) {
    (void)state;
    struct fb_err err = {0};
    assert_false(fb_fail(&err, FB_RETRIABLE, "broker %s is away", "b1"));
    assert_int_equal(err.kind, FB_RETRIABLE);
    assert_string_equal(err.text, "broker b1 is away");
    assert_false(fb_fail(NULL, FB_FATAL, "nobody listens"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_bytes_the_shorter_first),
        cmocka_unit_test(copies_are_terminated),
        cmocka_unit_test(knows_well_formed_utf8),
        cmocka_unit_test(refuses_malformed_utf8),
        cmocka_unit_test(knows_what_a_topic_may_be_called),
        cmocka_unit_test(finds_the_nearest_name),
        cmocka_unit_test(a_long_name_has_no_nearest),
        cmocka_unit_test(a_buffer_grows),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(a_failure_carries_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
