/* What a caller of core/snapshot may rely on; that a restored core goes on to the bit is shown over
 * random rules by tests/oracle/restored.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine/core/snapshot.h"
#include "rules/compile.h"

#define S INT64_C(1000000)

struct fixture {
    struct fb_diags *diags;
    struct fb_compiled compiled;
    struct fb_core *core;
    struct fb_buf outputs;
};

static void put(void *context, const struct fb_output *output) {
    struct fixture *f = context;
    fb_buf_printf(&f->outputs, "%.*s %d at %lld\n", FB_ARG(output->device), output->event,
                  (long long)output->at_us);
}

static struct fixture *begin_with(const char *rules) {
    static const struct fb_core_config config = {.max_skew_us = 600 * S};
    struct fixture *f = calloc(1, sizeof *f);
    f->diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    fb_sources_add(sources, FB_S("test.rules"), fb_str_of(rules));
    assert_true(fb_compile_sources(sources, f->diags, &f->compiled));
    f->core = fb_core_new(f->compiled.program, &config, put, f);
    return f;
}

static struct fixture *begin(void) {
    return begin_with("device d from \"t\" { key k  time ts [s]  x : number  m : text }\n"
                      "alarm hot on d { raise high when x > 10 for 5s  message \"{m}\" }\n");
}

static void end(struct fixture *f) {
    fb_core_free(f->core);
    fb_compiled_free(&f->compiled);
    fb_diags_free(f->diags);
    fb_buf_free(&f->outputs);
    free(f);
}

/* A record of device "dN" with x and a text, the clock at its time. */
static void take(struct fixture *f, int device, int64_t ts_us, double x) {
    char id[16];
    snprintf(id, sizeof id, "d%05d", device);
    const struct fb_sample samples[] = {{.field = 0, .text = fb_str_of(id)},
                                        {.field = 1, .num = x},
                                        {.field = 2, .text = FB_S("a text of some length")}};
    const struct fb_entry entry = {
        .device = fb_str_of(id), .ts_us = ts_us, .samples = samples, .n_samples = 3};
    assert_int_equal(fb_core_take(f->core, &entry, ts_us), FB_TAKEN);
}

static struct fb_buf whole_snapshot(struct fixture *f) {
    struct fb_buf piece = {0};
    fb_core_snapshot_begin(f->core);
    assert_false(fb_core_snapshot_next(f->core, SIZE_MAX / 2, &piece));
    return piece;
}

static struct fb_str view(const struct fb_buf *buf) {
    return (struct fb_str){buf->p, buf->n};
}

static void a_core_without_devices_has_an_empty_snapshot(void **state) {
    (void)state;
    struct fixture *f = begin();
    struct fb_buf piece = whole_snapshot(f);
    assert_int_equal(piece.n, 0);
    assert_int_equal(fb_core_snapshot_devices(f->core), 0);
    assert_true(fb_hash128_eq(fb_core_snapshot_hash(f->core), fb_core_state_hash(f->core)));
    fb_buf_free(&piece);
    end(f);
}

static void pieces_are_about_as_large_as_asked(void **state) {
    (void)state;
    struct fixture *f = begin();
    for (int i = 0; i < 1000; i++)
        take(f, i, 1000 * S, 1);
    fb_core_snapshot_begin(f->core);
    int pieces = 0;
    for (bool more = true; more; pieces++) {
        struct fb_buf piece = {0};
        assert_true(fb_core_snapshot_is_open(f->core));
        more = fb_core_snapshot_next(f->core, 10000, &piece);
        assert_true(piece.n < 10000 + 1000);
        assert_true(!more || piece.n >= 10000);
        fb_buf_free(&piece);
    }
    assert_true(pieces > 5);
    assert_false(fb_core_snapshot_is_open(f->core));
    assert_int_equal(fb_core_snapshot_devices(f->core), 1000);
    end(f);
}

static void a_device_touched_before_its_turn_waits_as_it_was(void **state) {
    (void)state;
    struct fixture *f = begin(), *g = begin();
    take(f, 1, 1000 * S, 20);
    take(f, 2, 1000 * S, 20);
    struct fb_hash128 barrier = fb_core_state_hash(f->core);
    fb_core_snapshot_begin(f->core);
    assert_int_equal(fb_core_snapshot_waiting(f->core), 0);
    take(f, 2, 1001 * S, 1);
    size_t waiting = fb_core_snapshot_waiting(f->core);
    assert_true(waiting > 0);
    take(f, 2, 1002 * S, 2);
    assert_int_equal(fb_core_snapshot_waiting(f->core), waiting);
    take(f, 3, 1002 * S, 2); /* after the barrier: left out */
    assert_int_equal(fb_core_snapshot_waiting(f->core), waiting);
    fb_core_advance(f->core, 1006 * S); /* a timer of 1: it waits too */
    assert_true(fb_core_snapshot_waiting(f->core) > waiting);
    struct fb_buf piece = {0};
    assert_false(fb_core_snapshot_next(f->core, 2 * waiting, &piece));
    assert_int_equal(fb_core_snapshot_devices(f->core), 2);
    assert_true(fb_hash128_eq(fb_core_snapshot_hash(f->core), barrier));
    struct fb_err err = {0};
    assert_true(fb_core_restore(g->core, view(&piece), &err));
    fb_core_restored(g->core, 1000 * S);
    assert_true(fb_hash128_eq(fb_core_state_hash(g->core), barrier));
    assert_int_equal(fb_core_stats(g->core).devices, 2);
    fb_core_advance(g->core, 1006 * S); /* its timers are there again */
    assert_string_equal(fb_buf_terminated(&g->outputs),
                        "d00001 0 at 1005000000\nd00002 0 at 1005000000\n");
    fb_buf_free(&piece);
    end(f);
    end(g);
}

static void devices_that_wait_are_given_in_pieces_too(void **state) {
    (void)state;
    struct fixture *f = begin(), *g = begin();
    for (int i = 0; i < 1000; i++)
        take(f, i, 1000 * S, 1);
    struct fb_hash128 barrier = fb_core_state_hash(f->core);
    fb_core_snapshot_begin(f->core);
    int pieces = 0, touched = 0;
    struct fb_err err = {0};
    for (bool more = true; more; pieces++) {
        struct fb_buf piece = {0};
        for (int i = 0; i < 300 && touched < 900; i++, touched++)
            take(f, touched, 1001 * S, 2);
        more = fb_core_snapshot_next(f->core, 10000, &piece);
        assert_true(piece.n < 10000 + 1000);
        assert_true(fb_core_restore(g->core, view(&piece), &err));
        fb_buf_free(&piece);
    }
    assert_true(pieces > 5);
    assert_int_equal(fb_core_snapshot_devices(f->core), 1000);
    assert_true(fb_hash128_eq(fb_core_snapshot_hash(f->core), barrier));
    fb_core_restored(g->core, 1000 * S);
    assert_true(fb_hash128_eq(fb_core_state_hash(g->core), barrier));
    end(f);
    end(g);
}

static void the_hash_does_not_depend_on_the_order_of_registration(void **state) {
    (void)state;
    struct fixture *f = begin(), *g = begin();
    take(f, 1, 1000 * S, 1);
    take(f, 2, 1000 * S, 2);
    take(g, 2, 1000 * S, 2);
    take(g, 1, 1000 * S, 1);
    assert_true(fb_hash128_eq(fb_core_state_hash(f->core), fb_core_state_hash(g->core)));
    take(g, 1, 1001 * S, 1);
    assert_false(fb_hash128_eq(fb_core_state_hash(f->core), fb_core_state_hash(g->core)));
    end(f);
    end(g);
}

static void a_dropped_snapshot_leaves_nothing_and_another_can_begin(void **state) {
    (void)state;
    struct fixture *f = begin();
    take(f, 1, 1000 * S, 1);
    fb_core_snapshot_begin(f->core);
    take(f, 1, 1001 * S, 1);
    fb_core_snapshot_drop(f->core);
    assert_false(fb_core_snapshot_is_open(f->core));
    assert_int_equal(fb_core_snapshot_waiting(f->core), 0);
    struct fb_buf piece = whole_snapshot(f);
    assert_int_equal(fb_core_snapshot_devices(f->core), 1);
    assert_true(fb_hash128_eq(fb_core_snapshot_hash(f->core), fb_core_state_hash(f->core)));
    fb_buf_free(&piece);
    end(f);
}

static void refused(struct fb_str piece, const char *because) {
    struct fixture *g = begin();
    struct fb_err err = {0};
    assert_false(fb_core_restore(g->core, piece, &err));
    assert_int_equal(err.kind, FB_FATAL);
    if (!strstr(err.text, because))
        fail_msg("%s", err.text);
    end(g);
}

static void a_piece_that_is_cut_off_or_too_long_is_refused(void **state) {
    (void)state;
    struct fixture *f = begin();
    take(f, 1, 1000 * S, 1);
    struct fb_buf piece = whole_snapshot(f);
    for (size_t n = 1; n < piece.n; n++) {
        char *cut = malloc(n);
        memcpy(cut, piece.p, n);
        refused((struct fb_str){cut, n}, "it ends within");
        free(cut);
    }
    uint32_t length = (uint32_t)(piece.n - sizeof length - 1);
    memcpy(piece.p, &length, sizeof length);
    refused((struct fb_str){piece.p, piece.n - 1}, "it is too short for the rules");
    length += 2;
    memcpy(piece.p, &length, sizeof length);
    fb_buf_char(&piece, 0);
    refused(view(&piece), "it is too long for the rules");
    fb_buf_free(&piece);
    end(f);
}

static void a_device_that_comes_twice_is_refused(void **state) {
    (void)state;
    struct fixture *f = begin();
    take(f, 1, 1000 * S, 1);
    struct fb_buf piece = whole_snapshot(f);
    struct fb_buf twice = {0};
    fb_buf_str(&twice, view(&piece));
    fb_buf_str(&twice, view(&piece));
    refused(view(&twice), "it is there twice");
    fb_buf_free(&piece);
    fb_buf_free(&twice);
    end(f);
}

static void a_snapshot_of_other_rules_is_refused(void **state) {
    (void)state;
    struct fixture *other =
        begin_with("device e from \"t\" { key k  time ts [s]  x : number  m : text }\n"
                   "alarm hot on e { raise high when x > 10 for 5s  message \"{m}\" }\n");
    take(other, 1, 1000 * S, 1);
    struct fb_buf piece = whole_snapshot(other);
    refused(view(&piece), "no such class");
    fb_buf_free(&piece);
    end(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_core_without_devices_has_an_empty_snapshot),
        cmocka_unit_test(pieces_are_about_as_large_as_asked),
        cmocka_unit_test(a_device_touched_before_its_turn_waits_as_it_was),
        cmocka_unit_test(devices_that_wait_are_given_in_pieces_too),
        cmocka_unit_test(the_hash_does_not_depend_on_the_order_of_registration),
        cmocka_unit_test(a_dropped_snapshot_leaves_nothing_and_another_can_begin),
        cmocka_unit_test(a_piece_that_is_cut_off_or_too_long_is_refused),
        cmocka_unit_test(a_device_that_comes_twice_is_refused),
        cmocka_unit_test(a_snapshot_of_other_rules_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
