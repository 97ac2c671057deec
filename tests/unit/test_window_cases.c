/* Windows by example: one short story for each point of rules/LANGUAGE.md that a user would ask
 * about, with the numbers worked out by hand. */
#include "engine/core/window.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/text.h"
#include "engine/model/layout.h"

#define S INT64_C(1000000)
#define MIN (60 * S)
#define H (60 * MIN)
#define DAY (24 * H)

struct cell {
    struct fb_window w;
    void *bytes;
    struct fb_texts *texts;
    struct fb_window_counts counts;
    int64_t deadline;
};

static struct cell cell_of(struct fb_window w) {
    w.bytes = fb_window_bytes(&w);
    struct cell c = {.w = w, .bytes = test_calloc(1, w.bytes), .texts = fb_texts_new()};
    fb_window_init(&w, c.bytes);
    return c;
}

static void cell_free(struct cell *c) {
    test_free(c->bytes);
    fb_texts_free(c->texts);
}

static struct fb_window over(enum fb_window_shape shape, int64_t length, int64_t every,
                             uint32_t aggregates) {
    struct fb_window w = {
        .shape = shape,
        .type = FB_T_NUMBER,
        .aggregates = aggregates,
        .length_us = length,
        .pane_us = length,
        .places = every ? (uint32_t)(2 * (length / every) + 1) : 1,
    };
    if (shape == FB_SHAPE_PANES)
        assert_true(fb_panes_of(length, &w.pane_us, &w.places));
    return w;
}

static struct fb_window last_n(uint32_t n, enum fb_type type, uint32_t aggregates) {
    return (struct fb_window){
        .shape = FB_SHAPE_LAST, .type = type, .aggregates = aggregates, .places = n};
}

static void take(struct cell *c, int64_t ts, const struct fb_value *value, bool good,
                 int64_t until) {
    struct fb_window_sample sample = {
        .ts_us = ts, .at_us = ts, .value = value, .good = good, .good_until_us = until};
    fb_window_take(&c->w, c->bytes, c->texts, &sample, &c->counts);
}

static void sample(struct cell *c, int64_t ts, double x) {
    struct fb_value value = {.num = x, .quality = FB_Q_GOOD};
    take(c, ts, &value, true, FB_NEVER);
}

static void late(struct cell *c, int64_t ts, int64_t at, double x) {
    struct fb_value value = {.num = x, .quality = FB_Q_GOOD};
    struct fb_window_sample s = {.ts_us = ts, .at_us = at, .late = true, .value = &value};
    fb_window_take(&c->w, c->bytes, c->texts, &s, &c->counts);
}

static void truth(struct cell *c, int64_t ts, bool x) {
    struct fb_value value = {.i = x, .quality = FB_Q_GOOD};
    take(c, ts, &value, true, FB_NEVER);
}

static void text(struct cell *c, int64_t ts, const char *x) {
    struct fb_value value = {.text = fb_str_of(x), .quality = FB_Q_GOOD};
    take(c, ts, &value, true, FB_NEVER);
}

static struct fb_value read_at(struct cell *c, enum fb_aggregate a, double needs,
                               struct fb_window_instant now) {
    c->deadline = FB_NEVER;
    return fb_window_read(&c->w, c->bytes, c->texts, a, needs, now, &c->deadline);
}

static struct fb_value read_(struct cell *c, enum fb_aggregate a, int64_t t) {
    return read_at(c, a, 0.8, (struct fb_window_instant){.t_us = t});
}

static void is_number(struct fb_value value, double x) {
    assert_int_equal(value.quality, FB_Q_GOOD);
    assert_true(value.num == x);
}

static void is_unknown(struct fb_value value) {
    assert_int_equal(value.quality, FB_Q_UNKNOWN);
}

static void is_truth(struct fb_value value, bool x) {
    assert_int_equal(value.quality, FB_Q_GOOD);
    assert_int_equal(value.i, x);
}

#define SET(a) (1u << FB_AGG_##a)

/* ---- rings and panes ---- */

static void a_window_is_unknown_until_its_share_of_good_time_is_there(void **state) {
    (void)state;
    struct cell c = cell_of(over(FB_SHAPE_RING, 10 * S, 1 * S, SET(AVG)));
    for (int64_t i = 0; i <= 8; i++)
        sample(&c, 100 * S + i * S, (double)i);
    is_unknown(read_(&c, FB_AGG_AVG, 108 * S - 1));
    is_number(read_(&c, FB_AGG_AVG, 108 * S), 4);
    cell_free(&c);
}

static void a_sample_leaves_a_ring_when_it_is_as_old_as_the_window(void **state) {
    (void)state;
    struct cell c = cell_of(over(FB_SHAPE_RING, 10 * S, 5 * S, SET(SUM)));
    sample(&c, 100 * S, 1);
    sample(&c, 105 * S, 2);
    is_number(read_(&c, FB_AGG_SUM, 110 * S - 1), 3);
    assert_int_equal(c.deadline, 110 * S);
    is_number(read_(&c, FB_AGG_SUM, 110 * S), 2);
    assert_int_equal(c.deadline, 115 * S);
    cell_free(&c);
}

static void a_full_ring_loses_the_sample_taken_first(void **state) {
    (void)state;
    struct cell c = cell_of(over(FB_SHAPE_RING, 10 * S, 5 * S, SET(COUNT)));
    for (int64_t i = 0; i < 8; i++)
        sample(&c, 100 * S + i, 1);
    is_number(read_at(&c, FB_AGG_COUNT, 0, (struct fb_window_instant){.t_us = 101 * S}), 5);
    assert_int_equal(c.counts.left_early, 3);
    cell_free(&c);
}

static void a_pane_leaves_as_a_whole(void **state) {
    (void)state;
    struct cell c = cell_of(over(FB_SHAPE_PANES, 64 * S, 0, SET(SUM)));
    assert_int_equal(c.w.pane_us, 1 * S);
    int64_t t = 1000 * S;
    sample(&c, t + 1, 1); /* pane (1000 s, 1001 s] */
    sample(&c, t + S, 2); /* the same */
    sample(&c, t + S + 1, 4);
    is_number(read_(&c, FB_AGG_SUM, t + 64 * S), 7);
    assert_int_equal(c.deadline, t + 64 * S + 1);
    is_number(read_(&c, FB_AGG_SUM, t + 64 * S + 1), 4);
    assert_int_equal(c.deadline, t + 65 * S + 1);
    cell_free(&c);
}

static void a_late_sample_counts_where_order_does_not_matter(void **state) {
    (void)state;
    for (int shape = FB_SHAPE_RING; shape <= FB_SHAPE_PANES; shape++) {
        struct cell c = cell_of(over((enum fb_window_shape)shape, 64 * S, 8 * S,
                                     SET(MAX) | SET(LAST) | SET(FIRST) | SET(DELTA)));
        sample(&c, 1000 * S, 5);
        sample(&c, 1060 * S, 6);
        late(&c, 1010 * S, 1060 * S, 9);
        is_number(read_(&c, FB_AGG_MAX, 1060 * S), 9);
        is_number(read_(&c, FB_AGG_LAST, 1060 * S), 6);
        is_number(read_(&c, FB_AGG_DELTA, 1060 * S), 1);
        assert_int_equal(c.counts.late_ignored, 1);
        cell_free(&c);
    }
}

static void time_avg_weighs_by_time_and_sees_the_value_from_before(void **state) {
    (void)state;
    for (int shape = FB_SHAPE_RING; shape <= FB_SHAPE_PANES; shape++) {
        struct cell c =
            cell_of(over((enum fb_window_shape)shape, 64 * S, 16 * S, SET(TIME_AVG) | SET(AVG)));
        sample(&c, 1000 * S, 10);
        sample(&c, 1100 * S, 30);
        is_number(read_(&c, FB_AGG_TIME_AVG, 1116 * S), 15); /* 48 s of 10, 16 s of 30 */
        is_number(read_(&c, FB_AGG_AVG, 1116 * S), 30);
        cell_free(&c);
    }
}

static void time_without_good_values_weighs_nothing(void **state) {
    (void)state;
    for (int shape = FB_SHAPE_RING; shape <= FB_SHAPE_PANES; shape++) {
        struct cell c = cell_of(over((enum fb_window_shape)shape, 64 * S, 16 * S, SET(TIME_AVG)));
        struct fb_value ten = {.num = 10, .quality = FB_Q_GOOD};
        take(&c, 1000 * S, &ten, true, 1016 * S); /* stale after 16 s */
        sample(&c, 1048 * S, 30);
        struct fb_window_instant now = {.t_us = 1064 * S};
        is_unknown(read_at(&c, FB_AGG_TIME_AVG, 0.6, now));
        is_number(read_at(&c, FB_AGG_TIME_AVG, 0.5, now), 20);
        cell_free(&c);
    }
}

static void a_counter_may_wrap_or_be_reset(void **state) {
    (void)state;
    for (int shape = FB_SHAPE_RING; shape <= FB_SHAPE_PANES; shape++) {
        struct fb_window w = over((enum fb_window_shape)shape, 64 * S, 4 * S,
                                  SET(INCREASE) | SET(RATE));
        w.type = FB_T_COUNTER;
        struct cell c = cell_of(w);
        sample(&c, 1000 * S, 4294967290.0); /* before the left edge */
        is_number(read_at(&c, FB_AGG_RATE, 0, (struct fb_window_instant){.t_us = 1000 * S}), 0);
        sample(&c, 1068 * S, 4);            /* a wrap of 32 bits: 10 */
        sample(&c, 1070 * S, 104);
        sample(&c, 1100 * S, 30); /* a reset */
        is_number(read_(&c, FB_AGG_INCREASE, 1100 * S), 140);
        is_number(read_(&c, FB_AGG_RATE, 1100 * S), 1.4);
        cell_free(&c);
    }
}

static void stddev_needs_eight_samples(void **state) {
    (void)state;
    struct cell c = cell_of(over(FB_SHAPE_RING, 64 * S, 8 * S, SET(STDDEV)));
    static const double xs[] = {2, 4, 4, 4, 5, 5, 7};
    for (int i = 0; i < 7; i++)
        sample(&c, 1000 * S + i, xs[i]);
    struct fb_window_instant now = {.t_us = 1000 * S + 10};
    is_unknown(read_at(&c, FB_AGG_STDDEV, 0, now));
    sample(&c, 1000 * S + 8, 9);
    struct fb_value value = read_at(&c, FB_AGG_STDDEV, 0, now);
    assert_int_equal(value.quality, FB_Q_GOOD);
    assert_true(value.num > 2.1380 && value.num < 2.1381); /* sqrt(32 / 7) */
    cell_free(&c);
}

/* ---- any and all ---- */

static void any_is_true_at_once_and_false_only_with_enough_good_time(void **state) {
    (void)state;
    for (int shape = FB_SHAPE_RING; shape <= FB_SHAPE_PANES; shape++) {
        struct fb_window w = over((enum fb_window_shape)shape, 64 * S, 16 * S, SET(ANY) | SET(ALL));
        w.type = FB_T_BOOL;
        struct cell c = cell_of(w);
        truth(&c, 1000 * S, false);
        is_unknown(read_(&c, FB_AGG_ANY, 1001 * S));
        is_truth(read_(&c, FB_AGG_ALL, 1001 * S), false);
        is_truth(read_(&c, FB_AGG_ANY, 1064 * S), false);
        truth(&c, 1064 * S, true);
        is_truth(read_(&c, FB_AGG_ANY, 1064 * S), true);
        truth(&c, 1070 * S, false); /* it held until here */
        is_truth(read_(&c, FB_AGG_ANY, 1133 * S), true);
        is_truth(read_(&c, FB_AGG_ANY, 1134 * S), false);
        cell_free(&c);
    }
}

static void count_of_a_condition_counts_the_true_samples(void **state) {
    (void)state;
    static const enum fb_window_shape shapes[] = {FB_SHAPE_RING, FB_SHAPE_PANES, FB_SHAPE_LAST};
    for (int i = 0; i < 3; i++) {
        struct fb_window w = over(shapes[i], 64 * S, 8 * S, SET(COUNT));
        w.type = FB_T_BOOL;
        if (shapes[i] == FB_SHAPE_LAST)
            w.places = 4;
        struct cell c = cell_of(w);
        for (int k = 0; k < 4; k++)
            truth(&c, 1000 * S + k, k % 2 == 0);
        is_number(read_at(&c, FB_AGG_COUNT, 0, (struct fb_window_instant){.t_us = 1000 * S + 9}),
                  2);
        cell_free(&c);
    }
}

/* ---- each ---- */

static void an_aligned_window_is_seen_by_timer_at_its_end(void **state) {
    (void)state;
    struct cell c = cell_of(over(FB_SHAPE_EACH, 15 * MIN, 0, SET(SUM) | SET(COUNT)));
    int64_t start = 1000 * 15 * MIN;
    fb_window_begin(&c.w, c.bytes, start);
    sample(&c, start, 1);
    sample(&c, start + 15 * MIN - 1, 2);
    is_unknown(read_(&c, FB_AGG_SUM, start + 15 * MIN - 1));
    assert_int_equal(c.deadline, start + 15 * MIN);
    sample(&c, start + 15 * MIN, 4); /* the next window's */
    is_unknown(read_(&c, FB_AGG_SUM, start + 15 * MIN));
    struct fb_window_instant end = {start + 15 * MIN, true, false};
    is_number(read_at(&c, FB_AGG_SUM, 0.8, end), 3);
    assert_int_equal(c.deadline, start + 30 * MIN);
    assert_int_equal(fb_window_completed(&c.w, c.bytes, end), start + 15 * MIN);
    is_number(read_(&c, FB_AGG_SUM, start + 30 * MIN), 3); /* held until the next timer */
    end.t_us += 30 * MIN;                                   /* empty, but good */
    is_number(read_at(&c, FB_AGG_COUNT, 0.8, end), 0);
    cell_free(&c);
}

static void an_aligned_window_waits_for_the_lateness(void **state) {
    (void)state;
    struct fb_window w = over(FB_SHAPE_EACH, 1 * MIN, 0, SET(SUM));
    w.late_us = 5 * MIN;
    struct cell c = cell_of(w);
    int64_t start = 1000 * MIN;
    fb_window_begin(&c.w, c.bytes, start);
    for (int64_t i = 0; i < 6; i++)
        sample(&c, start + i * MIN, 1);
    late(&c, start + 1, start + 5 * MIN, 10);
    is_unknown(read_(&c, FB_AGG_SUM, start + 6 * MIN));
    assert_int_equal(c.deadline, start + 6 * MIN);
    is_number(
        read_at(&c, FB_AGG_SUM, 0.8, (struct fb_window_instant){start + 6 * MIN, true, false}), 11);
    cell_free(&c);
}

static void weeks_begin_on_monday(void **state) {
    (void)state;
    struct cell c = cell_of(over(FB_SHAPE_EACH, 7 * DAY, 0, SET(COUNT)));
    fb_window_begin(&c.w, c.bytes, 5 * DAY);
    sample(&c, 5 * DAY, 1);
    is_unknown(read_(&c, FB_AGG_COUNT, 5 * DAY));
    assert_int_equal(c.deadline, 11 * DAY); /* Thursday 1970-01-01 + 11 d is a Monday */
    cell_free(&c);
}

/* ---- last ---- */

static void the_last_n_are_unknown_below_n(void **state) {
    (void)state;
    struct cell c = cell_of(last_n(3, FB_T_NUMBER, SET(AVG) | SET(SPREAD) | SET(TIME_AVG)));
    sample(&c, 1, 1);
    sample(&c, 2, 2);
    is_unknown(read_(&c, FB_AGG_AVG, 2));
    sample(&c, 5, 6);
    is_number(read_(&c, FB_AGG_AVG, 5), 3);
    is_number(read_(&c, FB_AGG_TIME_AVG, 9), 7.0 / 4);
    late(&c, 3, 5, 100);
    sample(&c, 5, 10);
    is_number(read_(&c, FB_AGG_AVG, 5), 6);
    is_number(read_(&c, FB_AGG_SPREAD, 5), 8);
    assert_int_equal(c.deadline, FB_NEVER);
    cell_free(&c);
}

static void changed_is_true_only_at_records_that_carry_the_field(void **state) {
    (void)state;
    struct cell c = cell_of(last_n(2, FB_T_TEXT, SET(CHANGED) | SET(PREVIOUS)));
    struct fb_window_instant carried = {2, false, true}, not_carried = {2, false, false};
    text(&c, 1, "auto");
    is_unknown(read_at(&c, FB_AGG_CHANGED, 0, carried));
    text(&c, 2, "a much longer text than the first one was");
    is_truth(read_at(&c, FB_AGG_CHANGED, 0, carried), true);
    is_truth(read_at(&c, FB_AGG_CHANGED, 0, not_carried), false);
    struct fb_value previous = read_(&c, FB_AGG_PREVIOUS, 2);
    assert_true(fb_str_eq(previous.text, FB_S("auto")));
    text(&c, 3, "a much longer text than the first one was");
    is_truth(read_at(&c, FB_AGG_CHANGED, 0, carried), false);
    cell_free(&c);
}

static void change_of_integers_is_exact(void **state) {
    (void)state;
    struct cell c = cell_of(last_n(2, FB_T_INTEGER, SET(CHANGE) | SET(PREVIOUS) | SET(CHANGED)));
    static const int64_t xs[] = {INT64_C(9007199254740993), INT64_C(9007199254740992), INT64_MIN};
    for (int i = 0; i < 3; i++) {
        struct fb_value value = {.i = xs[i], .quality = FB_Q_GOOD};
        take(&c, i, &value, true, FB_NEVER);
        if (i == 1) {
            assert_int_equal(read_(&c, FB_AGG_CHANGE, i).i, -1);
            assert_int_equal(read_(&c, FB_AGG_PREVIOUS, i).i, xs[0]);
            is_truth(read_at(&c, FB_AGG_CHANGED, 0, (struct fb_window_instant){i, false, true}),
                     true);
        }
    }
    is_unknown(read_(&c, FB_AGG_CHANGE, 3)); /* does not fit */
    cell_free(&c);
}

/* ---- layout ---- */

static void panes_have_the_smallest_natural_length(void **state) {
    (void)state;
    static const struct {
        int64_t length, pane;
        uint32_t places;
    } cases[] = {
        {64000, 1000, 64},        {64001, 2000, 33},        {1 * MIN, 1 * S, 60},
        {5 * MIN, 5 * S, 60},     {15 * MIN, 15 * S, 60},   {1 * H, 1 * MIN, 60},
        {24 * H, 30 * MIN, 48},   {7 * DAY, 3 * H, 56},     {64 * DAY, 1 * DAY, 64},
        {90 * MIN, 2 * MIN, 45},  {500000, 10000, 50},      {1000, 1000, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t pane;
        uint32_t places;
        assert_true(fb_panes_of(cases[i].length, &pane, &places));
        assert_int_equal(pane, cases[i].pane);
        assert_int_equal(places, cases[i].places);
    }
    int64_t pane;
    uint32_t places;
    assert_false(fb_panes_of(64 * DAY + 1, &pane, &places));
    assert_false(fb_panes_of(0, &pane, &places));
}

static void a_cell_holds_only_what_its_aggregates_need(void **state) {
    (void)state;
    struct fb_window w = over(FB_SHAPE_PANES, 5 * MIN, 0, SET(AVG));
    uint32_t avg = fb_window_bytes(&w);
    assert_int_equal(avg, FB_PANES_HEAD_BYTES + 61 * 16);
    w.aggregates |= SET(SUM) | SET(COUNT); /* come for nothing */
    assert_int_equal(fb_window_bytes(&w), avg);
    w.aggregates |= SET(MAX);
    assert_int_equal(fb_window_bytes(&w), avg + 61 * 8);
    w = over(FB_SHAPE_PANES, 7 * DAY, 0, SET(AVG));
    assert_int_equal(fb_window_bytes(&w), FB_PANES_HEAD_BYTES + 57 * 24);
    w = last_n(2, FB_T_NUMBER, SET(PREVIOUS));
    assert_int_equal(fb_window_bytes(&w), FB_LAST_HEAD_BYTES + 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_is_unknown_until_its_share_of_good_time_is_there),
        cmocka_unit_test(a_sample_leaves_a_ring_when_it_is_as_old_as_the_window),
        cmocka_unit_test(a_full_ring_loses_the_sample_taken_first),
        cmocka_unit_test(a_pane_leaves_as_a_whole),
        cmocka_unit_test(a_late_sample_counts_where_order_does_not_matter),
        cmocka_unit_test(time_avg_weighs_by_time_and_sees_the_value_from_before),
        cmocka_unit_test(time_without_good_values_weighs_nothing),
        cmocka_unit_test(a_counter_may_wrap_or_be_reset),
        cmocka_unit_test(stddev_needs_eight_samples),
        cmocka_unit_test(any_is_true_at_once_and_false_only_with_enough_good_time),
        cmocka_unit_test(count_of_a_condition_counts_the_true_samples),
        cmocka_unit_test(an_aligned_window_is_seen_by_timer_at_its_end),
        cmocka_unit_test(an_aligned_window_waits_for_the_lateness),
        cmocka_unit_test(weeks_begin_on_monday),
        cmocka_unit_test(the_last_n_are_unknown_below_n),
        cmocka_unit_test(changed_is_true_only_at_records_that_carry_the_field),
        cmocka_unit_test(change_of_integers_is_exact),
        cmocka_unit_test(panes_have_the_smallest_natural_length),
        cmocka_unit_test(a_cell_holds_only_what_its_aggregates_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
