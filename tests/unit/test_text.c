/* Text values of devices. */
#include "engine/core/text.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/model/program.h"

static void a_text_that_was_never_set_is_empty(void **state) {
    (void)state;
    struct fb_texts *texts = fb_texts_new();
    assert_int_equal(fb_texts_get(texts, 0).n, 0);
    fb_texts_free(texts);
}

static void keeps_texts_of_every_length(void **state) {
    (void)state;
    struct fb_texts *texts = fb_texts_new();
    uint64_t handles[FB_TEXT_BYTES_MAX + 1];
    char bytes[FB_TEXT_BYTES_MAX];
    for (size_t n = 0; n <= FB_TEXT_BYTES_MAX; n++) {
        memset(bytes, (int)('a' + n % 26), sizeof bytes);
        handles[n] = fb_texts_set(texts, 0, (struct fb_str){bytes, n});
        assert_true(handles[n] != 0);
    }
    for (size_t n = 0; n <= FB_TEXT_BYTES_MAX; n++) {
        memset(bytes, (int)('a' + n % 26), sizeof bytes);
        assert_true(fb_str_eq(fb_texts_get(texts, handles[n]), (struct fb_str){bytes, n}));
    }
    fb_texts_free(texts);
}

static void a_text_may_hold_any_byte(void **state) {
    (void)state;
    struct fb_texts *texts = fb_texts_new();
    struct fb_str odd = {"a\0b\xff", 4};
    assert_true(fb_str_eq(fb_texts_get(texts, fb_texts_set(texts, 0, odd)), odd));
    fb_texts_free(texts);
}

/* Thousands of texts that change their length at random, against a plain copy of each. */
static void many_texts_change_without_touching_each_other(void **state) {
    (void)state;
    enum { TEXTS = 5000, CHANGES = 100000 };
    struct fb_texts *texts = fb_texts_new();
    uint64_t *handles = test_calloc(TEXTS, sizeof *handles);
    struct copy {
        size_t n;
        char bytes[FB_TEXT_BYTES_MAX];
    } *copies = test_calloc(TEXTS, sizeof *copies);
    uint32_t seed = 1;
    for (int i = 0; i < CHANGES; i++) {
        seed = seed * 1664525u + 1013904223u;
        size_t k = (seed >> 8) % TEXTS;
        struct copy *copy = &copies[k];
        assert_true(fb_str_eq(fb_texts_get(texts, handles[k]),
                              (struct fb_str){copy->bytes, copy->n}));
        seed = seed * 1664525u + 1013904223u;
        copy->n = (seed >> 8) % (FB_TEXT_BYTES_MAX + 1);
        memset(copy->bytes, (int)(seed >> 24), copy->n);
        handles[k] = fb_texts_set(texts, handles[k], (struct fb_str){copy->bytes, copy->n});
    }
    for (size_t k = 0; k < TEXTS; k++)
        assert_true(fb_str_eq(fb_texts_get(texts, handles[k]),
                              (struct fb_str){copies[k].bytes, copies[k].n}));
    test_free(handles);
    test_free(copies);
    fb_texts_free(texts);
}

static void a_slot_that_became_too_small_is_used_again(void **state) {
    (void)state;
    struct fb_texts *texts = fb_texts_new();
    char long_text[100] = {0};
    uint64_t first = fb_texts_set(texts, 0, FB_S("short"));
    uint64_t grown = fb_texts_set(texts, first, (struct fb_str){long_text, sizeof long_text});
    assert_true(grown != first);
    assert_true(fb_texts_set(texts, 0, FB_S("other")) == first);
    assert_true(fb_texts_set(texts, grown, FB_S("fits")) == grown);
    fb_texts_free(texts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_that_was_never_set_is_empty),
        cmocka_unit_test(keeps_texts_of_every_length),
        cmocka_unit_test(a_text_may_hold_any_byte),
        cmocka_unit_test(many_texts_change_without_touching_each_other),
        cmocka_unit_test(a_slot_that_became_too_small_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
