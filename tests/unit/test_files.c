/* Lines of files, pipes and compressed files. */
#include "connectors/file_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/lines.h"

static char folder[] = "/tmp/fb-test-file-XXXXXX";
static struct fb_err err;

static int set_up(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    return rmdir(folder);
}

static const char *path_of(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, struct fb_str text) {
    struct fb_file_out *out = fb_file_out_open(path_of(name), &err);
    assert_non_null(out);
    assert_true(fb_file_out_put(out, text, &err));
    assert_true(fb_file_out_close(out, &err));
}

/* All lines of a file, each behind a '|'. */
static void expect_lines(const char *name, const char *expected) {
    struct fb_lines *in = fb_lines_open(path_of(name), &err);
    struct fb_buf got = {0};
    struct fb_str line;
    assert_non_null(in);
    while (fb_lines_next(in, &line, &err) == FB_LINE_WHOLE)
        fb_buf_printf(&got, "|%.*s", FB_ARG(line));
    assert_int_equal(fb_lines_next(in, &line, &err), FB_LINE_END);
    assert_string_equal(fb_buf_terminated(&got), expected);
    fb_buf_free(&got);
    fb_lines_close(in);
    unlink(path_of(name));
}

static void lines_end_at_line_ends_and_at_the_end(void **state) {
    (void)state;
    write_file("a", FB_S("one\ntwo\r\n\nlast"));
    expect_lines("a", "|one|two||last");
    write_file("a", FB_S("one\n"));
    expect_lines("a", "|one");
    write_file("a", FB_S(""));
    expect_lines("a", "");
}

static void a_compressed_file_reads_like_a_plain_one(void **state) {
    (void)state;
    write_file("a.zst", FB_S("one\ntwo\n"));
    expect_lines("a.zst", "|one|two");
}

static void many_lines_survive_every_block_border(void **state) {
    (void)state;
    static const char *const names[] = {"big", "big.zst"};
    for (int k = 0; k < 2; k++) {
        struct fb_buf text = {0};
        for (int i = 0; i < 100000; i++)
            fb_buf_printf(&text, "%d %.*s\n", i, i % 17, "xxxxxxxxxxxxxxxxx");
        write_file(names[k], (struct fb_str){text.p, text.n});
        struct fb_lines *in = fb_lines_open(path_of(names[k]), &err);
        struct fb_str line;
        char expected[64];
        assert_non_null(in);
        for (int i = 0; i < 100000; i++) {
            assert_int_equal(fb_lines_next(in, &line, &err), FB_LINE_WHOLE);
            int n = snprintf(expected, sizeof expected, "%d %.*s", i, i % 17, "xxxxxxxxxxxxxxxxx");
            assert_int_equal(line.n, n);
            assert_memory_equal(line.p, expected, line.n);
        }
        assert_int_equal(fb_lines_next(in, &line, &err), FB_LINE_END);
        uint64_t done, size;
        fb_lines_progress(in, &done, &size);
        assert_true(done == size && size > 0);
        fb_lines_close(in);
        fb_buf_free(&text);
        unlink(path_of(names[k]));
    }
}

static void a_cut_compressed_file_is_a_failure(void **state) {
    (void)state;
    write_file("a.zst", FB_S("one\ntwo\n"));
    assert_int_equal(truncate(path_of("a.zst"), 12), 0);
    struct fb_lines *in = fb_lines_open(path_of("a.zst"), &err);
    struct fb_str line;
    assert_int_equal(fb_lines_next(in, &line, &err), FB_LINE_FAILED);
    assert_non_null(strstr(err.text, "cut off"));
    fb_lines_close(in);
    unlink(path_of("a.zst"));
}

static void a_pipe_without_news_says_so(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int old = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    assert_int_equal(write(ends[1], "half", 4), 4);
    struct fb_lines *in = fb_lines_open("-", &err);
    struct fb_str line;
    assert_int_equal(fb_lines_next_within(in, 0, &line, &err), FB_LINE_WAIT);
    assert_int_equal(write(ends[1], " whole\n", 7), 7);
    assert_int_equal(fb_lines_next(in, &line, &err), FB_LINE_WHOLE);
    assert_true(fb_str_eq(line, FB_S("half whole")));
    close(ends[1]);
    assert_int_equal(fb_lines_next(in, &line, &err), FB_LINE_END);
    fb_lines_close(in);
    dup2(old, STDIN_FILENO);
    close(old);
    close(ends[0]);
}

static void what_cannot_be_opened_is_named(void **state) {
    (void)state;
    assert_null(fb_lines_open(path_of("none"), &err));
    assert_non_null(strstr(err.text, "none: No such file"));
    assert_null(fb_lines_open(folder, &err));
    assert_non_null(strstr(err.text, "is a folder"));
    assert_null(fb_file_out_open(path_of("none/a"), &err));
    assert_non_null(strstr(err.text, "cannot write"));
}

static void a_full_disk_is_a_failure(void **state) {
    (void)state;
    struct fb_file_out *out = fb_file_out_open("/dev/full", &err);
    assert_non_null(out);
    assert_true(fb_file_out_put(out, FB_S("x"), &err));
    assert_false(fb_file_out_flush(out, &err));
    assert_non_null(strstr(err.text, "No space left"));
    assert_true(fb_file_out_close(out, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_at_line_ends_and_at_the_end),
        cmocka_unit_test(a_compressed_file_reads_like_a_plain_one),
        cmocka_unit_test(many_lines_survive_every_block_border),
        cmocka_unit_test(a_cut_compressed_file_is_a_failure),
        cmocka_unit_test(a_pipe_without_news_says_so),
        cmocka_unit_test(what_cannot_be_opened_is_named),
        cmocka_unit_test(a_full_disk_is_a_failure),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
