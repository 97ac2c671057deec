/* The status topic: each change of a mode is told, once; what could not be written is told again.
 */
#include "engine/run/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/str.h"
#include "engine/model/program.h"

struct world {
    struct fb_sink sink;
    struct fb_board *board;
    struct fb_status *status;
    struct fb_buf told;
    bool full;
};

static bool put(struct fb_sink *sink, const struct fb_outgoing *record, struct fb_err *err) {
    struct world *world = (struct world *)sink;
    if (world->full)
        return fb_fail(err, FB_RETRIABLE, "full");
    const char *mode = strstr(record->value.p, "\"mode\":\"") + strlen("\"mode\":\"");
    assert_string_equal(record->topic, "app.status");
    fb_buf_printf(&world->told, "%.*s@%d %.*s\n", FB_ARG(record->key), record->partition,
                  (int)strcspn(mode, "\""), mode);
    return true;
}

static enum fb_commit commit(struct fb_sink *sink, struct fb_record_source *source,
                             const struct fb_position *positions, uint32_t n, int timeout_ms,
                             struct fb_err *err) {
    (void)sink;
    (void)positions;
    (void)timeout_ms;
    (void)err;
    assert_null(source);
    assert_int_equal(n, 0);
    return FB_COMMITTED;
}

static void close_sink(struct fb_sink *sink) {
    (void)sink;
}

static const struct fb_sink_calls calls = {put, commit, close_sink};

static int begin(void **state) {
    struct world *world = calloc(1, sizeof *world);
    world->sink.calls = &calls;
    world->board = fb_board_new();
    struct fb_status_config config = {.topic = "app.status",
                                      .application = "app",
                                      .instance = "i",
                                      .build = "0",
                                      .board = world->board,
                                      .sink = &world->sink};
    world->status = fb_status_new(&config);
    *state = world;
    return 0;
}

static int end(void **state) {
    struct world *world = *state;
    fb_status_free(world->status);
    fb_board_free(world->board);
    fb_buf_free(&world->told);
    free(world);
    return 0;
}

static void post(struct world *world, int32_t partition, enum fb_mode mode) {
    struct fb_posting posting = {
        .partition = partition, .mode = mode, .clock_us = FB_NO_TIME, .snapshot_us = FB_NO_TIME};
    fb_board_post(world->board, &posting);
}

/* What is told at a second of the wall clock. */
static void expect(struct world *world, int64_t second, const char *told) {
    world->told.n = 0;
    fb_status_tell(world->status, (1000000 + second) * 1000000);
    assert_string_equal(fb_buf_terminated(&world->told), told);
}

static void each_change_of_a_mode_is_told_once(void **state) {
    struct world *world = *state;
    post(world, 3, FB_MODE_RESTORING);
    expect(world, 0, "app/3@3 restoring\n");
    expect(world, 1, "");
    post(world, 1, FB_MODE_CATCHING_UP);
    post(world, 3, FB_MODE_NORMAL);
    expect(world, 2, "app/1@1 catching_up\napp/3@3 normal\n");
    post(world, 1, FB_MODE_CATCHING_UP);
    expect(world, 3, "");
}

static void all_are_told_every_ten_seconds(void **state) {
    struct world *world = *state;
    post(world, 0, FB_MODE_NORMAL);
    post(world, 1, FB_MODE_HALTED);
    expect(world, 0, "app/0@0 normal\napp/1@1 halted\n");
    expect(world, 9, "");
    expect(world, 10, "app/0@0 normal\napp/1@1 halted\n");
    expect(world, 19, "");
}

static void what_could_not_be_written_is_told_again(void **state) {
    struct world *world = *state;
    post(world, 0, FB_MODE_NORMAL);
    expect(world, 0, "app/0@0 normal\n");
    post(world, 0, FB_MODE_HALTED);
    world->full = true;
    expect(world, 1, "");
    world->full = false;
    expect(world, 2, "app/0@0 halted\n");
    expect(world, 3, "");
}

static void a_partition_that_left_is_not_told_and_is_new_when_it_comes_back(void **state) {
    struct world *world = *state;
    post(world, 0, FB_MODE_NORMAL);
    post(world, 1, FB_MODE_NORMAL);
    expect(world, 0, "app/0@0 normal\napp/1@1 normal\n");
    fb_board_remove(world->board, 0);
    fb_board_remove(world->board, 7);
    expect(world, 10, "app/1@1 normal\n");
    post(world, 0, FB_MODE_NORMAL);
    expect(world, 11, "app/0@0 normal\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_change_of_a_mode_is_told_once, begin, end),
        cmocka_unit_test_setup_teardown(all_are_told_every_ten_seconds, begin, end),
        cmocka_unit_test_setup_teardown(what_could_not_be_written_is_told_again, begin, end),
        cmocka_unit_test_setup_teardown(
            a_partition_that_left_is_not_told_and_is_new_when_it_comes_back, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
