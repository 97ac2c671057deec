/* The map, and the hashes. */
#include "engine/base/map.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"

static void finds_what_was_put(void **state) {
    (void)state;
    struct fb_map *map = fb_map_new();
    assert_true(fb_map_get(map, FB_S("a")) == FB_MAP_NONE);
    fb_map_put(map, FB_S("a"), 1);
    fb_map_put(map, FB_S(""), 2);
    fb_map_put(map, (struct fb_str){"a\0b", 3}, 3);
    fb_map_put(map, FB_S("a"), 4);
    assert_int_equal(fb_map_size(map), 3);
    assert_int_equal(fb_map_get(map, FB_S("a")), 4);
    assert_int_equal(fb_map_get(map, (struct fb_str){0}), 2);
    assert_int_equal(fb_map_get(map, (struct fb_str){"a\0b", 3}), 3);
    assert_true(fb_map_get(map, (struct fb_str){"a\0c", 3}) == FB_MAP_NONE);
    fb_map_free(map);
    fb_map_free(NULL);
}

static void grows_and_keeps_the_order_of_insertion(void **state) {
    (void)state;
    enum { KEYS = 20000 };
    struct fb_map *map = fb_map_new();
    char key[32];
    for (uint32_t i = 0; i < KEYS; i++) {
        size_t n = (size_t)snprintf(key, sizeof key, "device-%u", i * 7919 % KEYS);
        fb_map_put(map, (struct fb_str){key, n}, i);
    }
    fb_map_put(map, FB_S("device-0"), 0); /* the first stays the first */
    assert_int_equal(fb_map_size(map), KEYS);
    for (uint32_t i = 0; i < KEYS; i++) {
        size_t n = (size_t)snprintf(key, sizeof key, "device-%u", i * 7919 % KEYS);
        assert_true(fb_str_eq(fb_map_key_at(map, i), (struct fb_str){key, n}));
        assert_int_equal(fb_map_value_at(map, i), i);
        assert_int_equal(fb_map_get(map, (struct fb_str){key, n}), i);
    }
    assert_true(fb_map_get(map, FB_S("device-20000")) == FB_MAP_NONE);
    fb_map_free(map);
}

static void every_byte_has_its_two_digits_wherever_it_stands(void **state) {
    (void)state;
    uint8_t bytes[256];
    char hex[2 * sizeof bytes + 1], digits[3];
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    for (size_t from = 0; from < 20; from++)
        for (size_t n = 0; n <= sizeof bytes - from; n += n < 40 ? 1 : 13) {
            fb_hex(bytes + from, n, hex);
            assert_int_equal(strlen(hex), 2 * n);
            for (size_t i = 0; i < n; i++) {
                snprintf(digits, sizeof digits, "%02x", bytes[from + i]);
                assert_memory_equal(hex + 2 * i, digits, 2);
            }
        }
}

static void hashes_sha256_over_parts(void **state) {
    (void)state;
    uint8_t digest[32];
    char hex[65];
    fb_sha256(NULL, 0, digest);
    fb_hex(digest, 32, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const struct fb_str parts[] = {FB_S("a"), {0}, FB_S("bc")};
    fb_sha256(parts, 3, digest);
    fb_hex(digest, 32, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void the_fast_hash_depends_on_bytes_and_seed(void **state) {
    (void)state;
    assert_true(fb_hash64("abc", 3, 1) == fb_hash64("abc", 3, 1));
    assert_true(fb_hash64("abc", 3, 1) != fb_hash64("abc", 3, 2));
    assert_true(fb_hash64("abc", 3, 1) != fb_hash64("abd", 3, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(grows_and_keeps_the_order_of_insertion),
        cmocka_unit_test(every_byte_has_its_two_digits_wherever_it_stands),
        cmocka_unit_test(hashes_sha256_over_parts),
        cmocka_unit_test(the_fast_hash_depends_on_bytes_and_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
