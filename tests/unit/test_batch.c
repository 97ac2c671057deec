/* Outputs beyond what memory is kept for: the same order, the same bytes; no file to be seen.
 *
 * Place in the flow: engine/run/batch and engine/run/spill. */
#include "engine/run/batch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <dirent.h>
#include <sys/resource.h>

#include "engine/base/arena.h"

static char folder[] = "/tmp/fb-test-batch-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder); /* fails where something is in it */
}

enum { BIG = 3 << 20 };

/* Whether it is the i-th one that names its topic itself. */
static bool is_named(uint32_t i) {
    return i >= 20 && i % 5 == 0;
}

/* The i-th output: now and then without a key, without headers, empty or large. */
static void add(struct fb_batch *batch, uint32_t i) {
    char key[16], value[32];
    struct fb_header headers[FB_BATCH_HEADERS_MAX];
    int key_n = snprintf(key, sizeof key, "key %u", i);
    int value_n = snprintf(value, sizeof value, "value %u", i);
    struct fb_str whole = {value, i % 11 == 3 ? 0 : (size_t)value_n};
    char *big = NULL;
    if (i % 1000 == 999) {
        big = fb_alloc(BIG);
        memset(big, 'a' + (int)(i % 26), BIG);
        whole = (struct fb_str){big, BIG};
    }
    for (uint32_t k = 0; k < i % (FB_BATCH_HEADERS_MAX + 1); k++)
        headers[k] = (struct fb_header){FB_S("name"), k ? FB_S("x") : (struct fb_str){NULL, 0}};
    fb_batch_add_to(batch, (enum fb_stream)(i % FB_STREAMS),
                    is_named(i) ? FB_S("a topic") : (struct fb_str){NULL, 0},
                    i % 7 ? (struct fb_str){key, (size_t)key_n} : (struct fb_str){NULL, 0}, whole,
                    headers, i % (FB_BATCH_HEADERS_MAX + 1));
    free(big);
}

/* What was added as the i-th stands at that place. */
static void expect_kept(const struct fb_batch *batch, uint32_t at, uint32_t i) {
    char key[16], value[32];
    struct fb_outgoing record;
    struct fb_header headers[FB_BATCH_HEADERS_MAX];
    struct fb_err err;
    snprintf(key, sizeof key, "key %u", i);
    snprintf(value, sizeof value, "value %u", i);
    assert_int_equal(fb_batch_at(batch, at, &record, headers), i % FB_STREAMS);
    assert_true(fb_batch_ok(batch, &err));
    if (is_named(i))
        assert_string_equal(record.topic, "a topic");
    else
        assert_null(record.topic);
    if (i % 7)
        assert_true(fb_str_eq(record.key, fb_str_of(key)));
    else
        assert_null(record.key.p);
    assert_non_null(record.value.p);
    if (i % 1000 == 999) {
        assert_int_equal(record.value.n, BIG);
        assert_int_equal(record.value.p[0], 'a' + (int)(i % 26));
        assert_int_equal(record.value.p[BIG - 1], 'a' + (int)(i % 26));
    } else {
        assert_true(fb_str_eq(record.value, fb_str_of(i % 11 == 3 ? "" : value)));
    }
    assert_int_equal(record.n_headers, i % (FB_BATCH_HEADERS_MAX + 1));
    assert_ptr_equal(record.headers, headers);
    for (uint32_t k = 0; k < record.n_headers; k++) {
        assert_string_equal(headers[k].name.p, "name");
        if (k)
            assert_true(fb_str_eq(headers[k].value, FB_S("x")));
        else
            assert_null(headers[k].value.p);
    }
}

static void expect_at(const struct fb_batch *batch, uint32_t i) {
    expect_kept(batch, i, i);
}

static int entries_of_folder(void) {
    DIR *dir = opendir(folder);
    int n = 0;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

/* In memory and in the file; what follows stands where it would without them. */
static void what_is_dropped_does_not_come_back(void **state) {
    (void)state;
    enum { N = 3000 };
    static const uint32_t dropped[] = {0, 1, 5, 700, 701, 2998, 2999};
    enum { GONE = sizeof dropped / sizeof *dropped };
    struct fb_batch *batch = fb_batch_new((struct fb_room){100000, folder});
    for (uint32_t i = 0; i < N; i++)
        add(batch, i);
    struct fb_batch_mark mark = fb_batch_mark(batch);
    fb_batch_drop(batch, dropped, GONE);
    assert_true(fb_batch_mark(batch).outputs == mark.outputs);
    assert_true(fb_hash128_eq(fb_batch_mark(batch).hash, mark.hash));
    add(batch, N);
    assert_int_equal(fb_batch_count(batch), N + 1 - GONE);
    uint32_t gone = 0, at = 0;
    for (uint32_t i = 0; i <= N; i++) {
        if (gone < GONE && dropped[gone] == i)
            gone++;
        else
            expect_kept(batch, at++, i);
    }
    fb_batch_clear(batch);
    add(batch, 0);
    assert_int_equal(fb_batch_count(batch), 1);
    expect_at(batch, 0);
    fb_batch_free(batch);
}

static void what_memory_has_no_room_for_comes_back_in_order(void **state) {
    (void)state;
    enum { N = 5000 };
    struct fb_batch *batch = fb_batch_new((struct fb_room){100000, folder});
    for (uint32_t i = 0; i < N; i++)
        add(batch, i);
    assert_int_equal(entries_of_folder(), 0); /* unlinked */
    assert_int_equal(fb_batch_count(batch), N);
    assert_true(fb_batch_bytes(batch) > 5 * (size_t)BIG);
    for (int again = 0; again < 2; again++)
        for (uint32_t i = 0; i < N; i++)
            expect_at(batch, i);
    static const uint32_t anywhere[] = {4999, 0, 3000, 2999, 3255, 3256, 10, 4000};
    for (size_t i = 0; i < sizeof anywhere / sizeof *anywhere; i++)
        expect_at(batch, anywhere[i]);
    fb_batch_free(batch);
}

static void the_first_of_each_stream_is_found_while_it_is_in_memory(void **state) {
    (void)state;
    enum { N = FB_STREAMS * 2 };
    struct fb_batch *batch = fb_batch_new((struct fb_room){FB_BATCH_MEMORY_MAX, folder});
    struct fb_batch *none = fb_batch_new((struct fb_room){0, folder});
    uint32_t at;
    for (int again = 0; again < 2; again++) {
        for (uint32_t i = 1; i < N; i++) {
            add(batch, i);
            add(none, i);
        }
        assert_true(fb_batch_first(batch, (enum fb_stream)0, &at));
        assert_int_equal(at, FB_STREAMS - 1);
        for (uint32_t i = 1; i < FB_STREAMS; i++) {
            assert_true(fb_batch_first(batch, (enum fb_stream)i, &at));
            assert_int_equal(at, i - 1);
            assert_false(fb_batch_first(none, (enum fb_stream)i, &at));
        }
        fb_batch_drop(batch, &(uint32_t){3}, 1);
        assert_false(fb_batch_first(batch, (enum fb_stream)1, &at));
        fb_batch_clear(batch);
        fb_batch_clear(none);
        assert_false(fb_batch_first(batch, (enum fb_stream)1, &at));
    }
    fb_batch_free(batch);
    fb_batch_free(none);
}

static void a_topic_counts_in_the_hash(void **state) {
    (void)state;
    static const struct fb_header header = {{"h", 1}, {"x", 1}};
    struct fb_hash128 hashes[8];
    int n = 0;
    for (size_t memory = 0; memory < 2; memory++) {
        struct fb_room room = {memory ? FB_BATCH_MEMORY_MAX : 0, folder};
        for (int i = 0; i < 4; i++, n++) {
            struct fb_batch *batch = fb_batch_new(room);
            struct fb_str none = {NULL, 0}, to = i == 1 ? FB_S("a") : i == 2 ? FB_S("b") : none;
            if (i == 3)
                fb_batch_add(batch, FB_STREAM_COMMANDS, FB_S("k"), FB_S("v"), &header, 1);
            else
                fb_batch_add_to(batch, FB_STREAM_COMMANDS, to, FB_S("k"), FB_S("v"), &header, 1);
            hashes[n] = fb_batch_mark(batch).hash;
            fb_batch_free(batch);
        }
    }
    for (int i = 0; i < 4; i++)
        assert_true(fb_hash128_eq(hashes[i], hashes[4 + i]));
    assert_true(fb_hash128_eq(hashes[0], hashes[3]));
    assert_false(fb_hash128_eq(hashes[0], hashes[1]));
    assert_false(fb_hash128_eq(hashes[0], hashes[2]));
    assert_false(fb_hash128_eq(hashes[1], hashes[2]));
}

static void the_first_of_each_named_topic_is_found(void **state) {
    (void)state;
    static const char *const topics[] = {"", "a", "", "b", "a", "b", "c"};
    struct fb_batch *batch = fb_batch_new((struct fb_room){FB_BATCH_MEMORY_MAX, folder});
    uint32_t at;
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
            fb_batch_add_to(batch, FB_STREAM_COMMANDS, fb_str_of(topics[i]), FB_S("k"), FB_S("v"),
                            NULL, 0);
        assert_true(fb_batch_first(batch, FB_STREAM_COMMANDS, &at));
        assert_int_equal(at, 0);
        static const uint32_t first[] = {1, 3, 6};
        for (uint32_t k = 0; k < 3; k++) {
            assert_true(fb_batch_first_named(batch, k, &at));
            assert_int_equal(at, first[k]);
        }
        assert_false(fb_batch_first_named(batch, 3, &at));
        fb_batch_drop(batch, &(uint32_t){2}, 1);
        assert_false(fb_batch_first_named(batch, 0, &at));
        fb_batch_clear(batch);
        assert_false(fb_batch_first_named(batch, 0, &at));
    }
    for (uint32_t i = 0; i < 20; i++) { /* of more than are kept, the others come in their order */
        char name[8];
        snprintf(name, sizeof name, "t%u", i);
        fb_batch_add_to(batch, FB_STREAM_COMMANDS, fb_str_of(name), FB_S("k"), FB_S("v"), NULL, 0);
    }
    assert_true(fb_batch_first_named(batch, 15, &at));
    assert_int_equal(at, 15);
    assert_false(fb_batch_first_named(batch, 16, &at));
    assert_false(fb_batch_first(batch, FB_STREAM_COMMANDS, &at));
    fb_batch_free(batch);
}

static void outputs_may_be_added_while_others_are_read(void **state) {
    (void)state;
    struct fb_batch *batch = fb_batch_new((struct fb_room){0, folder});
    for (uint32_t i = 0; i < 900; i++) {
        add(batch, i);
        expect_at(batch, i / 3);
        expect_at(batch, i);
    }
    fb_batch_free(batch);
}

static void a_batch_that_was_cleared_begins_in_memory(void **state) {
    (void)state;
    struct fb_batch *batch = fb_batch_new((struct fb_room){2000, folder});
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 500; i++)
            add(batch, i);
        for (uint32_t i = 0; i < 500; i++)
            expect_at(batch, i);
        fb_batch_clear(batch);
        assert_int_equal(fb_batch_count(batch), 0);
        assert_int_equal(fb_batch_bytes(batch), 0);
    }
    add(batch, 0);
    expect_at(batch, 0);
    fb_batch_free(batch);
}

static void what_fits_into_memory_needs_no_folder(void **state) {
    (void)state;
    struct fb_batch *batch = fb_batch_new((struct fb_room){FB_BATCH_MEMORY_MAX, "/not/there"});
    for (uint32_t i = 0; i < 900; i++)
        add(batch, i);
    for (uint32_t i = 0; i < 900; i++)
        expect_at(batch, i);
    fb_batch_free(batch);
}

static void expect_failure(const struct fb_batch *batch, uint32_t i, const char *what) {
    struct fb_outgoing record;
    struct fb_header headers[FB_BATCH_HEADERS_MAX];
    struct fb_err err = {0};
    fb_batch_at(batch, i, &record, headers);
    assert_false(fb_batch_ok(batch, &err));
    assert_int_equal(err.kind, FB_FATAL);
    assert_non_null(strstr(err.text, what));
    assert_non_null(strstr(err.text, "TMPDIR"));
    assert_null(record.value.p);
    assert_int_equal(record.n_headers, 0);
}

static void a_folder_that_is_not_there_is_an_error(void **state) {
    (void)state;
    struct fb_batch *batch = fb_batch_new((struct fb_room){0, "/not/there"});
    add(batch, 0);
    expect_failure(batch, 0, "cannot be made in /not/there: No such file or directory");
    add(batch, 1);
    assert_int_equal(fb_batch_count(batch), 2);
    assert_true(fb_batch_bytes(batch) > 0);
    expect_failure(batch, 1, "/not/there");
    fb_batch_clear(batch); /* what was lost stays lost */
    add(batch, 0);
    expect_failure(batch, 0, "/not/there");
    fb_batch_free(batch);
}

static void a_file_that_cannot_grow_is_an_error(void **state) {
    (void)state;
    struct rlimit before, small;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){4 << 20, before.rlim_max};
    struct fb_batch *batch = fb_batch_new((struct fb_room){0, folder});
    setrlimit(RLIMIT_FSIZE, &small);
    for (uint32_t i = 0; i < 4000; i++)
        add(batch, i);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    expect_failure(batch, 0, "cannot be written in");
    assert_int_equal(fb_batch_count(batch), 4000);
    fb_batch_free(batch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_dropped_does_not_come_back),
        cmocka_unit_test(what_memory_has_no_room_for_comes_back_in_order),
        cmocka_unit_test(a_topic_counts_in_the_hash),
        cmocka_unit_test(the_first_of_each_named_topic_is_found),
        cmocka_unit_test(the_first_of_each_stream_is_found_while_it_is_in_memory),
        cmocka_unit_test(outputs_may_be_added_while_others_are_read),
        cmocka_unit_test(a_batch_that_was_cleared_begins_in_memory),
        cmocka_unit_test(what_fits_into_memory_needs_no_folder),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
        cmocka_unit_test(a_file_that_cannot_grow_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
