/* Any bytes through the JSON scanner; what it accepts must hold together.
 *
 * Place in the flow: libFuzzer target; seeds in corpus/json. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/codec/json.h"

static const struct fb_str paths_read[] = {{"a", 1},      {"b", 1},        {"data.temp", 9},
                                           {"device", 6}, {"data.d.x", 8}, {"ts", 2}};
enum { N_PATHS = sizeof paths_read / sizeof *paths_read };

static void check_value(const struct fb_json_value *value, struct fb_str payload) {
    double x;
    int64_t i;
    switch (value->kind) {
    case FB_JSON_TEXT:
        FB_ASSERT(fb_str_is_utf8(value->text));
        FB_ASSERT(value->text.n <= payload.n);
        break;
    case FB_JSON_NUM:
        if (fb_json_number(value, &x) && fb_json_integer(value, &i))
            FB_ASSERT((double)i == x);
        break;
    default:
        FB_ASSERT(value->kind <= FB_JSON_ARRAY);
    }
}

/* An object that was good within the payload is good alone. */
static void check_alone(const struct fb_json_paths *paths, struct fb_str raw) {
    struct fb_json *json = fb_json_new(paths, FB_JSON_LIMITS);
    struct fb_json_object object;
    fb_json_begin(json, raw);
    FB_ASSERT(fb_json_next(json, &object) && object.error == FB_JSON_OK);
    FB_ASSERT(fb_str_eq(object.raw, raw));
    FB_ASSERT(!fb_json_next(json, &object));
    fb_json_free(json);
}

static uint64_t mix(uint64_t sum, const void *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ ((const unsigned char *)bytes)[i]) * UINT64_C(1099511628211);
    return (sum ^ n) * UINT64_C(1099511628211);
}

/* What a scanner finds in a payload, as one number. */
static uint64_t sum_up(const struct fb_json_paths *paths, struct fb_json *json,
                       struct fb_str payload) {
    struct fb_json_object object;
    uint64_t sum = 0;
    fb_json_begin(json, payload);
    while (fb_json_next(json, &object)) {
        size_t facts[] = {(size_t)object.error, object.error_at, object.raw.n};
        sum = mix(sum, facts, sizeof facts);
        for (uint32_t i = 0; i < N_PATHS && object.error == FB_JSON_OK; i++) {
            const struct fb_json_value *value = fb_json_values(json) + fb_json_node(paths, i);
            sum = mix(sum, &value->kind, sizeof value->kind);
            if (value->kind >= FB_JSON_NUM)
                sum = mix(sum, value->text.p, value->text.n);
            double x;
            if (value->kind == FB_JSON_NUM && fb_json_number(value, &x))
                sum = mix(sum, &x, sizeof x);
        }
    }
    return sum;
}

/* The scanner learns from what it reads, and finds the same all the same. */
static void check_again(const struct fb_json_paths *paths, struct fb_str payload) {
    struct fb_json *json = fb_json_new(paths, FB_JSON_LIMITS);
    uint64_t sum = sum_up(paths, json, payload);
    for (int i = 0; i < 3; i++)
        FB_ASSERT(sum_up(paths, json, payload) == sum);
    fb_json_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    struct fb_json_paths *paths = fb_json_paths_new(paths_read, N_PATHS);
    struct fb_json *json = fb_json_new(paths, FB_JSON_LIMITS);
    struct fb_str payload = {(const char *)bytes, n};
    struct fb_json_object object;
    const char *behind = NULL;
    fb_json_begin(json, payload);
    for (uint32_t index = 0; fb_json_next(json, &object); index++) {
        FB_ASSERT(object.index == index && object.error_at <= n);
        FB_ASSERT(index == 0 || object.raw.p >= behind);
        behind = object.raw.p + object.raw.n;
        if (object.error != FB_JSON_OK)
            continue;
        FB_ASSERT(object.raw.n >= 2 && fb_str_is_utf8(object.raw));
        for (uint32_t i = 0; i < N_PATHS; i++)
            check_value(fb_json_values(json) + fb_json_node(paths, i), payload);
        if (index < 20)
            check_alone(paths, object.raw);
    }
    fb_json_free(json);
    check_again(paths, payload);
    fb_json_paths_free(paths);
    return 0;
}
