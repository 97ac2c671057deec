/* Rule bundles: their bytes give the same bundle again, and only what matters changes their name.
 */
#include "engine/run/bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEVICE "device m from \"in\" { key id time arrival temp: number [degC] }\n"
#define ALARM(limit) "alarm hot on m { raise high when temp > " limit " degC }\n"

static const struct fb_bundle_settings settings = {
    .max_skew_us = 600000000, .max_age_us = 60000000, .devices_max = 7};

static struct fb_bundle *bundle_of(const char *path, const char *device, const char *alarm,
                                   const struct fb_bundle_settings *with) {
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    struct fb_compiled compiled;
    fb_sources_add(sources, fb_str_of(path), fb_str_of(device));
    fb_sources_add(sources, FB_S("b.rules"), fb_str_of(alarm));
    assert_true(fb_compile_sources(sources, diags, &compiled));
    fb_diags_free(diags);
    return fb_bundle_of(&compiled, with, NULL);
}

static void its_bytes_give_it_again(void **state) {
    (void)state;
    struct fb_err err;
    struct fb_bundle *one = bundle_of("a.rules", DEVICE, ALARM("80"), &settings);
    struct fb_bundle *two = fb_bundle_parse(one->bytes, NULL, &err);
    assert_non_null(two);
    assert_memory_equal(one->hash, two->hash, 32);
    assert_int_equal(two->settings.max_skew_us, settings.max_skew_us);
    assert_int_equal(two->settings.max_age_us, settings.max_age_us);
    assert_int_equal(two->settings.devices_max, settings.devices_max);
    assert_int_equal(two->program->n_rules, 1);
    assert_string_equal(two->routes.items[0].topic, "in");
    fb_bundle_drop(two);
    fb_bundle_drop(one);
}

static bool same(struct fb_bundle *other) {
    struct fb_bundle *one = bundle_of("a.rules", DEVICE, ALARM("80"), &settings);
    bool same = memcmp(one->hash, other->hash, 32) == 0;
    fb_bundle_drop(one);
    fb_bundle_drop(other);
    return same;
}

static void its_name_follows_what_results_depend_on(void **state) {
    (void)state;
    struct fb_bundle_settings younger = settings;
    younger.max_age_us++;
    assert_true(same(bundle_of("/another/folder/a.rules", DEVICE, ALARM("80"), &settings)));
    assert_false(same(bundle_of("a.rules", DEVICE, ALARM("81"), &settings)));
    assert_false(same(bundle_of("a.rules", DEVICE, ALARM("80"), &younger)));
}

/* Every shorter text and every change of a byte is refused or gives another bundle; none crashes.
 */
static void damaged_bytes_are_never_the_same_bundle(void **state) {
    (void)state;
    struct fb_bundle *one = bundle_of("a.rules", DEVICE, ALARM("80"), &settings);
    char *copy = malloc(one->bytes.n);
    for (size_t i = 0; i < one->bytes.n; i++) {
        struct fb_err err;
        memcpy(copy, one->bytes.p, one->bytes.n);
        copy[i] ^= 1;
        struct fb_bundle *changed =
            fb_bundle_parse((struct fb_str){copy, one->bytes.n}, NULL, &err);
        assert_true(!changed || memcmp(changed->hash, one->hash, 32) != 0);
        fb_bundle_drop(changed);
        struct fb_bundle *cut = fb_bundle_parse((struct fb_str){one->bytes.p, i}, NULL, &err);
        assert_true(!cut || memcmp(cut->hash, one->hash, 32) != 0);
        fb_bundle_drop(cut);
    }
    free(copy);
    fb_bundle_drop(one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_bytes_give_it_again),
        cmocka_unit_test(its_name_follows_what_results_depend_on),
        cmocka_unit_test(damaged_bytes_are_never_the_same_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
