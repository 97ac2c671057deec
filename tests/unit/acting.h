/* A core with actuators, driven by rule texts; what it puts out as lines of text.
 *
 * Place in the flow: for unit tests of acting. Fields: x (1), y (2), z (3, stale after 10s). */
#ifndef FB_TESTS_UNIT_ACTING_H
#define FB_TESTS_UNIT_ACTING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/num.h"
#include "tests/unit/core_fixture.h"

#define DEVICE                                                                                     \
    "device d from \"t\" {\n key k  time ts [s]  late up to 10s\n x : number\n y : number\n"       \
    " z : number stale after 10s\n}\n"
/* A switch without minimums, and so that its breaker does not open. */
#define PUMP "actuator pump on d : (off, on) { safe off  minimum on 0s, off 0s\n"                  \
             "breaker 30 reversals in 1s, hold 1s "

enum { X = 1, Y = 2, Z = 3 };

static inline void put_time(struct fb_buf *out, const char *word, int64_t us) {
    char text[FB_NUM_TEXT_MAX];
    fb_buf_text(out, word);
    fb_buf_put(out, text, fb_num_format((double)us / 1e6, text));
}

static inline void put_actuator_value(struct fb_buf *out, const struct fb_actuator *actuator,
                                      double value) {
    char text[FB_NUM_TEXT_MAX];
    fb_buf_text(out, " ");
    if (actuator->is_switch)
        fb_buf_str(out, actuator->words[value != 0]);
    else
        fb_buf_put(out, text, fb_num_format(value, text));
}

/* "pump on claimed #1 by fill 12 at 5"; "pump* .." of a shadow; "pump blocked by minimum, off,
 * wants on by fill 12 at 5"; "pump no more blocked by minimum, after 3, .."; "/a" behind the name
 * where the device is another than `a`; alerts as "hot raised at 5", those of operators with what
 * is: "hot acked high at 5: active acked"; what is not annunciated as "muted hot raised at 5". */
static inline void put_output(void *context, const struct fb_output *o) {
    struct fixture *f = context;
    struct fb_buf *out = &f->outputs;
    struct fb_str name = o->actuator ? o->actuator->name : o->rule->name;
    struct fb_str nobody = o->priority == FB_PRIORITY_HAND ? FB_S("hand") : FB_S("default");
    if (o->kind == FB_OUT_MUTED)
        fb_buf_text(out, "muted ");
    fb_buf_str(out, name);
    if (!fb_str_eq(o->device, FB_S("a")))
        fb_buf_printf(out, "/%.*s", FB_ARG(o->device));
    if (!o->actuator) {
        bool flags = o->kind == FB_OUT_ALERT && o->event >= FB_ALERT_ACKED;
        fb_buf_printf(out, " %s",
                      o->kind == FB_OUT_EVENT ? "event" : fb_alert_event_name(o->event));
        if (flags)
            fb_buf_printf(out, " %s", fb_severity_name(o->severity));
        put_time(out, " at ", o->at_us);
        if (flags)
            fb_buf_printf(out, ":%s%s%s%s", o->active ? " active" : "", o->acked ? " acked" : "",
                          o->shelved ? " shelved" : "", o->suppressed ? " suppressed" : "");
        fb_buf_text(out, "\n");
        return;
    }
    if (o->actuator->shadow)
        fb_buf_text(out, "*");
    if (o->kind == FB_OUT_BLOCKED) {
        fb_buf_printf(out, "%s blocked by %s,", o->ended ? " no more" : "",
                      fb_guard_name(o->guard));
        if (o->ended)
            fb_buf_printf(out, " after %llu,", (unsigned long long)o->count);
        if (o->has_value)
            put_actuator_value(out, o->actuator, o->value);
        else
            fb_buf_text(out, " nothing");
        fb_buf_text(out, ", wants");
        put_actuator_value(out, o->actuator, o->requested);
    } else {
        put_actuator_value(out, o->actuator, o->value);
        fb_buf_printf(out, " %s #%llu", fb_command_reason_name(o->reason),
                      (unsigned long long)o->seq);
    }
    fb_buf_printf(out, " by %.*s %d", FB_ARG(o->rule ? o->rule->name : nobody), o->priority);
    put_time(out, " at ", o->at_us);
    fb_buf_text(out, "\n");
}

static inline struct fixture *begin(const char *rules) {
    return begin_behind(DEVICE, rules);
}

static inline void change_to(struct fixture *f, const char *rules) {
    change_to_behind(f, DEVICE, rules);
}

/* A record of a device with one sample at ts_us, the clock at c_us. */
static inline void take_of(struct fixture *f, const char *id, uint16_t field, double value,
                           int64_t ts_us, int64_t c_us) {
    const struct fb_sample samples[] = {{.field = 0, .text = fb_str_of(id)},
                                        {.field = field, .num = value}};
    const struct fb_entry entry = {
        .device = fb_str_of(id), .ts_us = ts_us, .samples = samples, .n_samples = 2};
    assert_int_equal(fb_core_take(f->core, &entry, c_us), FB_TAKEN);
}

/* Of the device `a`, the clock at its time. */
static inline void take(struct fixture *f, uint16_t field, double value, int64_t at_s) {
    take_of(f, "a", field, value, at_s * S, at_s * S);
}

#endif
