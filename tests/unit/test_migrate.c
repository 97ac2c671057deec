/* Other rules for a core that has devices: what is kept, what begins anew, what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/num.h"
#include "engine/core/migrate.h"
#include "engine/core/snapshot.h"
#include "rules/compile.h"

#define S INT64_C(1000000)
#define DEVICE                                                                                     \
    "device d from \"t\" {\n key k  time ts [s]\n x : number\n y : number\n m : text\n"            \
    " s : one of (off, on, broken)\n}\n"

enum { PROGRAMS = 4 };

struct fixture {
    struct fb_diags *diags[PROGRAMS];
    struct fb_compiled programs[PROGRAMS];
    int n;
    struct fb_core *core;
    struct fb_buf outputs; /* since they were looked at last */
    int64_t now_us;
};

static void put_value(struct fb_buf *out, const struct fb_value *value) {
    char text[FB_NUM_TEXT_MAX];
    if (value->quality != FB_Q_GOOD)
        fb_buf_text(out, "?");
    else
        fb_buf_put(out, text, fb_num_format(value->num, text));
}

/* "hot/a raised high at 5 since 5 [20]", the slots of the message in brackets. */
static void put(void *context, const struct fb_output *output) {
    struct fixture *f = context;
    const struct fb_rule *rule = output->rule;
    struct fb_buf *out = &f->outputs;
    fb_buf_printf(out, "%.*s/%.*s ", FB_ARG(rule->name), FB_ARG(output->device));
    if (output->kind == FB_OUT_ALERT)
        fb_buf_printf(out, "%s %s%s since %lld", fb_alert_event_name(output->event),
                      fb_severity_name(output->severity), output->active ? "" : " over",
                      (long long)(output->since_us / S));
    else
        fb_buf_text(out, "event");
    fb_buf_printf(out, " at %lld", (long long)(output->at_us / S));
    for (uint32_t i = 0; i < rule->n_slots; i++) {
        bool known = output->slots[i].quality == FB_Q_GOOD;
        fb_buf_text(out, i ? " " : " [");
        if (rule->slots[i].type == FB_T_TEXT)
            fb_buf_str(out, known ? output->slots[i].text : FB_S("?"));
        else if (rule->slots[i].type == FB_T_ENUM)
            fb_buf_str(out, known ? rule->slots[i].words[output->slots[i].i] : FB_S("?"));
        else
            put_value(out, &output->slots[i]);
    }
    fb_buf_text(out, rule->n_slots ? "]\n" : "\n");
}

/* A further program of the test; NULL for the device: that of most tests. */
static const struct fb_program *compile(struct fixture *f, const char *device, const char *rules) {
    struct fb_sources *sources = fb_sources_new();
    struct fb_buf text = {0}, printed = {0};
    assert_true(f->n < PROGRAMS);
    fb_buf_text(&text, device ? device : DEVICE);
    fb_buf_text(&text, rules);
    f->diags[f->n] = fb_diags_new();
    fb_sources_add(sources, FB_S("test.rules"), (struct fb_str){text.p, text.n});
    if (!fb_compile_sources(sources, f->diags[f->n], &f->programs[f->n])) {
        fb_diags_print(f->diags[f->n], f->programs[f->n].sources, false, &printed);
        fail_msg("%s", fb_buf_terminated(&printed));
    }
    fb_buf_free(&text);
    return f->programs[f->n++].program;
}

static struct fixture *begin_with(const char *device, const char *rules) {
    static const struct fb_core_config config = {.max_skew_us = 100000 * S};
    struct fixture *f = calloc(1, sizeof *f);
    f->core = fb_core_new(compile(f, device, rules), &config, put, f);
    return f;
}

static struct fixture *begin(const char *rules) {
    return begin_with(NULL, rules);
}

static void end(struct fixture *f) {
    fb_core_free(f->core);
    for (int i = 0; i < f->n; i++) {
        fb_compiled_free(&f->programs[i]);
        fb_diags_free(f->diags[i]);
    }
    fb_buf_free(&f->outputs);
    free(f);
}

/* A record at the second `at` with one sample; the clock goes there, too. */
static void take_sample(struct fixture *f, const char *id, int64_t at, struct fb_sample sample) {
    const struct fb_sample samples[] = {{.field = 0, .text = fb_str_of(id)}, sample};
    const struct fb_entry entry = {
        .device = fb_str_of(id), .ts_us = at * S, .samples = samples, .n_samples = 2};
    assert_int_equal(fb_core_take(f->core, &entry, at * S), FB_TAKEN);
}

static void take_x(struct fixture *f, const char *id, int64_t at, double x) {
    take_sample(f, id, at, (struct fb_sample){.field = 1, .num = x});
}

static void take_y(struct fixture *f, const char *id, int64_t at, double y) {
    take_sample(f, id, at, (struct fb_sample){.field = 2, .num = y});
}

static void outputs_are(struct fixture *f, const char *wanted) {
    assert_string_equal(fb_buf_terminated(&f->outputs), wanted);
    f->outputs.n = 0;
}

static struct fb_migration *plan(struct fixture *f, const char *device, const char *rules) {
    const struct fb_program *from = f->programs[f->n - 1].program;
    return fb_migration_new(from, compile(f, device, rules));
}

static void change_with(struct fixture *f, const char *device, const char *rules) {
    struct fb_migration *migration = plan(f, device, rules);
    fb_core_change_program(f->core, migration);
    fb_migration_free(migration);
}

static void change(struct fixture *f, const char *rules) {
    change_with(f, NULL, rules);
}

/* The fate of the cell of a name, in the new program or (removed) in the old one. */
static const char *fate_of(const struct fb_migration *migration, const char *name) {
    for (uint32_t c = 0; c < migration->n_classes; c++)
        for (uint32_t i = 0; i < migration->classes[c].n_moves; i++) {
            const struct fb_class_change *class_ = &migration->classes[c];
            const struct fb_cell_move *move = &class_->moves[i];
            const struct fb_cell_id *cell =
                move->to == FB_NONE ? &migration->from->classes[class_->from].cells[move->from]
                                    : &migration->to->classes[class_->to].cells[move->to];
            if (fb_str_eq(cell->name, fb_str_of(name)))
                return fb_fate_name(move->fate);
        }
    return "not there";
}

/* ---- alarms -------------------------------------------------------------------------------- */

static void another_threshold_keeps_the_alarm_and_since_when(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 }\n");
    take_x(f, "a", 1, 20);
    outputs_are(f, "hot/a raised high since 1 at 1\n");
    change(f, "alarm hot on d { raise high when x > 15 }\n");
    fb_core_advance(f->core, 3 * S);
    outputs_are(f, "");
    take_x(f, "a", 4, 12);
    outputs_are(f, "hot/a cleared high over since 1 at 4\n");
    end(f);
}

static void another_threshold_is_looked_at_without_a_record(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 }\n");
    take_x(f, "a", 1, 20);
    take_x(f, "b", 1, 8);
    outputs_are(f, "hot/a raised high since 1 at 1\n");
    change(f, "alarm hot on d { raise high when x > 30 }\n");
    fb_core_advance(f->core, 3 * S);
    outputs_are(f, "hot/a cleared high over since 1 at 1\n");
    change(f, "alarm hot on d { raise high when x > 5 }\n");
    fb_core_advance(f->core, 4 * S);
    outputs_are(f, "hot/a raised high since 3 at 3\nhot/b raised high since 3 at 3\n");
    end(f);
}

static void another_threshold_lets_a_pending_delay_go_on(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 for 10s }\n");
    take_x(f, "a", 1, 20);
    change(f, "alarm hot on d { raise high when x > 15 for 10s }\n");
    fb_core_advance(f->core, 20 * S);
    outputs_are(f, "hot/a raised high since 11 at 11\n");
    end(f);
}

static void another_length_of_a_delay_counts_from_where_it_began(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 for 10s }\n");
    take_x(f, "a", 1, 20);
    fb_core_advance(f->core, 5 * S);
    change(f, "alarm hot on d { raise high when x > 10 for 6s }\n");
    fb_core_advance(f->core, 20 * S);
    outputs_are(f, "hot/a raised high since 7 at 7\n");
    end(f);
}

static void another_condition_begins_its_delay_anew(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 for 10s }\n");
    take_x(f, "a", 1, 20);
    fb_core_advance(f->core, 8 * S);
    change(f, "alarm hot on d { raise high when x > 10 and (y is unknown) for 10s }\n");
    fb_core_advance(f->core, 30 * S);
    outputs_are(f, "hot/a raised high since 18 at 18\n");
    end(f);
}

static void an_active_alarm_stays_and_clears_by_the_other_condition(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 for 10s }\n");
    take_x(f, "a", 1, 20);
    take_y(f, "a", 2, 3);
    fb_core_advance(f->core, 12 * S);
    outputs_are(f, "hot/a raised high since 11 at 11\n");
    change(f, "alarm hot on d { raise high when y > 1 for 1h }\n");
    fb_core_advance(f->core, 20 * S);
    outputs_are(f, "");
    take_y(f, "a", 21, 0);
    outputs_are(f, "hot/a cleared high over since 11 at 21\n");
    end(f);
}

static void an_active_alarm_waits_for_the_other_conditions_until(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 }\n");
    take_y(f, "a", 1, 3);
    take_x(f, "a", 1, 20);
    outputs_are(f, "hot/a raised high since 1 at 1\n");
    change(f, "alarm hot on d { raise high when x > 30 and y > 0 until y < 2 for 5s }\n");
    fb_core_advance(f->core, 10 * S);
    take_x(f, "a", 11, 1);
    outputs_are(f, "");
    take_y(f, "a", 12, 1);
    fb_core_advance(f->core, 20 * S);
    outputs_are(f, "hot/a cleared high over since 1 at 17\n");
    end(f);
}

static void an_active_alarm_whose_other_condition_is_false_clears_at_the_change(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 }\n");
    take_y(f, "a", 1, 0);
    take_x(f, "a", 1, 20);
    outputs_are(f, "hot/a raised high since 1 at 1\n");
    change(f, "alarm hot on d { raise high when y > 1 }\n");
    fb_core_advance(f->core, 10 * S);
    outputs_are(f, "hot/a cleared high over since 1 at 1\n");
    end(f);
}

static void another_severity_or_message_keeps_the_alarm(void **state) {
    (void)state;
    struct fixture *f =
        begin("alarm hot on d { raise high when x > 10 for 2s  message \"{x}\" }\n");
    take_x(f, "a", 1, 20);
    fb_core_advance(f->core, 5 * S);
    outputs_are(f, "hot/a raised high since 3 at 3 [20]\n");
    change(f, "alarm hot on d { raise high when x > 10 for 2s  message \"hot\" }\n");
    fb_core_advance(f->core, 6 * S);
    outputs_are(f, "");
    change(f, "alarm hot on d { raise critical when x > 10 for 2s  message \"hot\" }\n");
    fb_core_advance(f->core, 7 * S);
    outputs_are(f, "hot/a severity critical since 3 at 6\n");
    end(f);
}

static void a_removed_rule_ends_its_alarms_in_the_order_of_the_ids(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10  message \"{x}\" }\n"
                              "alarm warm on d { raise low when x > 5 }\n"
                              "alarm stays on d { raise low when x > 15 }\n");
    take_x(f, "c", 1, 20);
    take_x(f, "a", 2, 7);
    take_x(f, "b", 3, 12);
    f->outputs.n = 0;
    change(f, "alarm stays on d { raise low when x > 15 }\n");
    outputs_are(f, "warm/a removed low over since 2 at 3\n"
                   "hot/b removed high over since 3 at 3 [12]\n"
                   "warm/b removed low over since 3 at 3\n"
                   "hot/c removed high over since 1 at 3 [20]\n"
                   "warm/c removed low over since 1 at 3\n");
    fb_core_advance(f->core, 9 * S);
    take_x(f, "c", 10, 1);
    outputs_are(f, "stays/c cleared low over since 1 at 10\n");
    end(f);
}

static void a_new_rule_sees_what_devices_say_already(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 }\n");
    take_x(f, "a", 1, 7);
    change(f, "alarm warm on d { raise low when x > 5 for 3s }\n"
              "alarm hot on d { raise high when x > 10 }\n");
    fb_core_advance(f->core, 9 * S);
    outputs_are(f, "warm/a raised low since 4 at 4\n");
    end(f);
}

static void a_delay_before_clearing_goes_on(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10  clear after 10s }\n");
    take_x(f, "a", 1, 20);
    take_x(f, "a", 2, 1);
    f->outputs.n = 0;
    change(f, "alarm hot on d { raise high when x > 11  clear after 12s }\n");
    fb_core_advance(f->core, 30 * S);
    outputs_are(f, "hot/a cleared high over since 1 at 14\n");
    end(f);
}

static void an_alarm_that_becomes_an_event_is_another_rule(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 }\n");
    take_x(f, "a", 1, 20);
    f->outputs.n = 0;
    change(f, "event hot on d { when x > 10 }\n");
    fb_core_advance(f->core, 2 * S);
    outputs_are(f, "hot/a removed high over since 1 at 1\nhot/a event at 1\n");
    end(f);
}

static void an_event_of_another_threshold_does_not_come_again(void **state) {
    (void)state;
    struct fixture *f = begin("event hot on d { when x > 10 }\n");
    take_x(f, "a", 1, 20);
    outputs_are(f, "hot/a event at 1\n");
    change(f, "event hot on d { when x > 15 }\n");
    fb_core_advance(f->core, 2 * S);
    outputs_are(f, "");
    end(f);
}

/* ---- fields and windows -------------------------------------------------------------------- */

static void texts_and_words_go_along(void **state) {
    (void)state;
    struct fixture *f = begin("event e on d { when x > 10  message \"{m} {s}\" }\n"
                              "event before on d { when x > 100 and previous(m) == \"z\" }\n");
    take_sample(f, "a", 1, (struct fb_sample){.field = 3, .text = FB_S("a text of some length")});
    take_sample(f, "a", 1, (struct fb_sample){.field = 4, .i = 2});
    take_sample(f, "b", 1, (struct fb_sample){.field = 4, .i = 1});
    change_with(f,
                "device d from \"t\" {\n key k  time ts [s]\n x : number\n y : number\n m : text\n"
                " s : one of (broken, off)\n}\n",
                "event e on d { when x > 10  message \"{m} {s}\" }\n");
    take_x(f, "a", 2, 11);
    take_x(f, "b", 2, 11);
    outputs_are(f, "e/a event at 2 [a text of some length broken]\ne/b event at 2 [? ?]\n");
    end(f);
}

static void a_field_of_another_unit_begins_anew(void **state) {
    (void)state;
    const char *degc = "device d from \"t\" { key k  time ts [s]  x : number [degC] }\n";
    const char *kelvin = "device d from \"t\" { key k  time ts [s]  x : number [K] }\n";
    struct fixture *f = begin_with(degc, "alarm hot on d { raise high when x > 10 degC }\n");
    take_x(f, "a", 1, 20);
    f->outputs.n = 0;
    struct fb_migration *migration =
        plan(f, kelvin, "alarm hot on d { raise high when x > 283 K }\n");
    assert_string_equal(fate_of(migration, "x"), "reset");
    assert_false(fb_migration_keeps_all(migration));
    fb_core_change_program(f->core, migration);
    fb_migration_free(migration);
    fb_core_advance(f->core, 3 * S);
    outputs_are(f, ""); /* unknown: on hold */
    take_x(f, "a", 4, 20);
    outputs_are(f, "hot/a cleared high over since 1 at 4\n");
    end(f);
}

static void a_longer_window_of_the_same_slices_is_kept(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when max(x over 4m) > 10 }\n");
    for (int64_t at = 1; at <= 240; at += 5)
        take_x(f, "a", at, at == 1 ? 20 : 3);
    take_x(f, "a", 240, 3);
    outputs_are(f, "hot/a raised high since 190 at 190\n");
    struct fb_migration *migration =
        plan(f, NULL, "alarm hot on d { raise high when max(x over 5m) > 10 }\n");
    assert_string_equal(fate_of(migration, "max of x over 5m"), "migrate");
    assert_true(fb_migration_keeps_all(migration));
    fb_core_change_program(f->core, migration);
    fb_migration_free(migration);
    for (int64_t at = 241; at <= 290; at += 5)
        take_x(f, "a", at, 3);
    outputs_are(f, ""); /* the old one would have forgotten the first sample by now */
    take_x(f, "a", 320, 3);
    outputs_are(f, "hot/a cleared high over since 190 at 300\n");
    end(f);
}

static void a_window_of_other_slices_begins_anew(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when max(x over 5m) > 10 }\n");
    struct fb_migration *migration =
        plan(f, NULL, "alarm hot on d { raise high when max(x over 1h) > 10 }\n");
    assert_string_equal(fate_of(migration, "max of x over 1h"), "reset");
    assert_string_equal(fate_of(migration, "hot: raise high"), "keep");
    fb_migration_free(migration);
    const struct fb_program *both =
        compile(f, NULL,
                "alarm hot on d { raise high when max(x over 5m) > 10 }\n"
                "alarm cold on d { raise low when min(x over 5m) < 1 }\n");
    migration = fb_migration_new(f->programs[0].program, both);
    assert_string_equal(fate_of(migration, "min max of x over 5m"), "reset");
    fb_migration_free(migration);
    end(f);
}

static void last_samples_go_into_more_and_into_fewer_places(void **state) {
    (void)state;
    struct fixture *f = begin("event e on d { when x > 10  message \"{sum(x over last 4)}\" }\n");
    for (int64_t at = 1; at <= 6; at++)
        take_x(f, "a", at, (double)at);
    change(f, "event e on d { when x > 10  message \"{sum(x over last 2)}\" }\n");
    take_x(f, "a", 7, 11);
    outputs_are(f, "e/a event at 7 [17]\n");
    take_x(f, "a", 8, 0);
    change(f, "event e on d { when x > 10  message \"{sum(x over last 3)}\" }\n");
    take_x(f, "a", 9, 12);
    outputs_are(f, "e/a event at 9 [23]\n");
    end(f);
}

static void a_longer_ring_has_the_samples_of_the_shorter_one(void **state) {
    (void)state;
    const char *every = "device d from \"t\" { key k  time ts [s]  x : number every 1s }\n";
    const char *other = "event e on d { when x > 90  message "
                        "\"{sum(x over 20s, needs 0 %)} {time_avg(x over 20s, needs 0 %)} "
                        "{min(x over 20s, needs 0 %)}\" }\n";
    struct fixture *f = begin_with(
        every, "event e on d { when x > 90  message \"{sum(x over 10s, needs 0 %)}\" }\n");
    for (int64_t at = 1; at <= 100; at++)
        take_x(f, "a", at, (double)(at % 50));
    change_with(f, every, other);
    take_x(f, "a", 101, 91);
    /* 82..100 and 101; the area holds each for its second */
    outputs_are(f, "e/a event at 101 [820 38 0]\n");
    end(f);
}

static void an_each_window_goes_on_or_begins_at_the_change(void **state) {
    (void)state;
    struct fixture *f = begin("event e on d { whenever sum(x each 1m) > 0 }\n");
    take_x(f, "a", 61, 5);
    change(f, "event e on d { whenever sum(x each 1m) > 0  message \"{sum(x each 1m)}\" }\n"
              "event n on d { whenever count(each 1m) > 0  message \"{count(each 1m)}\" }\n");
    take_x(f, "a", 70, 7);
    fb_core_advance(f->core, 200 * S);
    outputs_are(f, "e/a event at 120 [12]\nn/a event at 120 [1]\n");
    end(f);
}

/* ---- classes ------------------------------------------------------------------------------- */

static void a_removed_class_is_forgotten_and_its_alarms_end(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 }\n");
    take_x(f, "a", 1, 20);
    f->outputs.n = 0;
    struct fb_migration *migration =
        plan(f, "device e from \"t\" { key k  time ts [s]  x : number }\n",
             "alarm hot on e { raise high when x > 10 }\n");
    assert_int_equal(migration->forgotten, 1);
    fb_core_change_program(f->core, migration);
    fb_migration_free(migration);
    outputs_are(f, "hot/a removed high over since 1 at 1\n");
    assert_int_equal(fb_core_stats(f->core).devices, 0);
    take_x(f, "a", 2, 20);
    outputs_are(f, "hot/a raised high since 2 at 2\n");
    end(f);
}

static void other_keys_forget_the_devices(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 10 }\n");
    take_x(f, "a", 1, 20);
    f->outputs.n = 0;
    change_with(f, "device d from \"t\" { key j  time ts [s]  x : number }\n",
                "alarm hot on d { raise high when x > 10 }\n");
    outputs_are(f, "hot/a removed high over since 1 at 1\n");
    assert_int_equal(fb_core_stats(f->core).devices, 0);
    end(f);
}

/* ---- identity ------------------------------------------------------------------------------ */

static const char *const many = "alarm a on d { let mean = avg(x over 10s)\n"
                                " raise high when mean > 3 for 5s until x < 1 }\n"
                                "alarm b on d { raise low when elapsed(x > 2) > 1m\n"
                                " clear after 9s }\n"
                                "event c on d { when changed(s)  at most 3 per 1h }\n"
                                "event e on d { whenever sum(y each 10s) > 2 }\n"
                                "event p on d { when previous(m) == \"q\" }\n";

static void feed_many(struct fixture *f, int64_t from, int64_t to) {
    const char *const ids[] = {"a", "b", "c"};
    for (int64_t at = from; at < to; at++) {
        const char *id = ids[at % 3];
        take_x(f, id, at, (double)(at * 7 % 11));
        take_y(f, id, at, (double)(at * 5 % 7));
        take_sample(f, id, at, (struct fb_sample){.field = 3, .text = FB_S("some text")});
        take_sample(f, id, at, (struct fb_sample){.field = 4, .i = at * 3 % 4 % 3});
    }
}

static void the_same_rules_change_nothing(void **state) {
    (void)state;
    const char *same = "# other lines, other names of lets\n"
                       "alarm a on d { let m = avg(x over 10s)\n"
                       " raise high when m > 3 for 5s until x < 1  message \"!\" }\n"
                       "alarm b on d { raise low when elapsed(x > 2) > 60s  clear after 9000ms }\n"
                       "event c on d { when changed(s)  at most 3 per 60m }\n"
                       "event e on d { whenever sum(y each 10s) > 2 }\n"
                       "event p on d { when previous(m) == \"q\" }\n";
    struct fixture *f = begin(many), *g = begin(many);
    feed_many(f, 1, 200);
    feed_many(g, 1, 200);
    struct fb_hash128 hash = fb_core_state_hash(f->core);
    struct fb_migration *migration = plan(f, NULL, same);
    assert_int_equal(migration->cells[FB_FATE_KEEP],
                     f->programs[0].program->classes[0].n_cells);
    fb_core_change_program(f->core, migration);
    fb_migration_free(migration);
    assert_true(fb_hash128_eq(hash, fb_core_state_hash(f->core)));
    feed_many(f, 200, 400);
    feed_many(g, 200, 400);
    assert_true(fb_hash128_eq(fb_core_state_hash(g->core), fb_core_state_hash(f->core)));
    assert_string_equal(fb_buf_terminated(&f->outputs), fb_buf_terminated(&g->outputs));
    end(f);
    end(g);
}

static void the_order_of_registration_has_no_part_in_the_outputs(void **state) {
    (void)state;
    const char *const ids[2][3] = {{"a", "b", "c"}, {"c", "a", "b"}};
    struct fb_buf outputs[2];
    for (int k = 0; k < 2; k++) {
        struct fixture *f = begin("alarm hot on d { raise high when x > 10 }\n");
        for (int i = 0; i < 3; i++)
            take_x(f, ids[k][i], 1, 20);
        f->outputs.n = 0;
        change(f, "alarm cold on d { raise high when x < 30 }\n");
        fb_core_advance(f->core, 5 * S);
        outputs[k] = f->outputs;
        f->outputs = (struct fb_buf){0};
        end(f);
    }
    assert_string_equal(fb_buf_terminated(&outputs[0]), fb_buf_terminated(&outputs[1]));
    fb_buf_free(&outputs[0]);
    fb_buf_free(&outputs[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_threshold_keeps_the_alarm_and_since_when),
        cmocka_unit_test(another_threshold_is_looked_at_without_a_record),
        cmocka_unit_test(another_threshold_lets_a_pending_delay_go_on),
        cmocka_unit_test(another_length_of_a_delay_counts_from_where_it_began),
        cmocka_unit_test(another_condition_begins_its_delay_anew),
        cmocka_unit_test(an_active_alarm_stays_and_clears_by_the_other_condition),
        cmocka_unit_test(an_active_alarm_waits_for_the_other_conditions_until),
        cmocka_unit_test(an_active_alarm_whose_other_condition_is_false_clears_at_the_change),
        cmocka_unit_test(another_severity_or_message_keeps_the_alarm),
        cmocka_unit_test(a_removed_rule_ends_its_alarms_in_the_order_of_the_ids),
        cmocka_unit_test(a_new_rule_sees_what_devices_say_already),
        cmocka_unit_test(a_delay_before_clearing_goes_on),
        cmocka_unit_test(an_alarm_that_becomes_an_event_is_another_rule),
        cmocka_unit_test(an_event_of_another_threshold_does_not_come_again),
        cmocka_unit_test(texts_and_words_go_along),
        cmocka_unit_test(a_field_of_another_unit_begins_anew),
        cmocka_unit_test(a_longer_window_of_the_same_slices_is_kept),
        cmocka_unit_test(a_window_of_other_slices_begins_anew),
        cmocka_unit_test(last_samples_go_into_more_and_into_fewer_places),
        cmocka_unit_test(a_longer_ring_has_the_samples_of_the_shorter_one),
        cmocka_unit_test(an_each_window_goes_on_or_begins_at_the_change),
        cmocka_unit_test(a_removed_class_is_forgotten_and_its_alarms_end),
        cmocka_unit_test(other_keys_forget_the_devices),
        cmocka_unit_test(the_same_rules_change_nothing),
        cmocka_unit_test(the_order_of_registration_has_no_part_in_the_outputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
