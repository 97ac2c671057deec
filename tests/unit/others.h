/* A core of several classes, driven by rule texts and records as text; what it puts out as lines.
 *
 * Place in the flow: for unit tests of links and groups. */
#ifndef FB_TESTS_UNIT_OTHERS_H
#define FB_TESTS_UNIT_OTHERS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/num.h"
#include "engine/core/look.h"
#include "engine/model/id.h"
#include "tests/unit/core_fixture.h"

enum { SAMPLES = 8 };

static inline void put_number(struct fb_buf *out, double x) {
    char text[FB_NUM_TEXT_MAX];
    fb_buf_put(out, text, fb_num_format(x, text));
}

/* With the hops where there are some. */
static inline void put_time(struct fb_buf *out, const struct fb_output *o) {
    put_number(out, (double)o->at_us / 1e6);
    if (o->hop > 1)
        fb_buf_printf(out, " hop %u", o->hop);
    fb_buf_text(out, "\n");
}

/* "speed/f1 80 claimed by vent at 5", with a * behind the name of a shadow. */
static inline void put_command(struct fb_buf *out, const struct fb_output *o) {
    fb_buf_printf(out, "%.*s%s/%.*s ", FB_ARG(o->actuator->name), o->actuator->shadow ? "*" : "",
                  FB_ARG(o->device));
    if (o->actuator->is_switch)
        fb_buf_str(out, o->actuator->words[o->value != 0]);
    else
        put_number(out, o->value);
    fb_buf_printf(out, " %s", fb_command_reason_name(o->reason));
    if (o->rule)
        fb_buf_printf(out, " by %.*s", FB_ARG(o->rule->name));
    fb_buf_text(out, " at ");
    put_time(out, o);
}

/* "hot/r1 raised at 5". */
static inline void put_output(void *context, const struct fb_output *o) {
    struct fixture *f = context;
    struct fb_buf *out = &f->outputs;
    if (o->kind == FB_OUT_LATE)
        return;
    if (o->kind == FB_OUT_COMMAND) {
        put_command(out, o);
        return;
    }
    fb_buf_printf(out, "%.*s/%.*s %s at ", FB_ARG(o->actuator ? o->actuator->name : o->rule->name),
                  FB_ARG(o->device),
                  o->actuator               ? fb_command_reason_name(o->reason)
                  : o->kind == FB_OUT_ALERT ? fb_alert_event_name(o->event)
                                            : "event");
    put_time(out, o);
}

static inline struct fixture *begin(const char *rules) {
    return begin_behind("", rules);
}

static inline void change_to(struct fixture *f, const char *rules) {
    change_to_behind(f, "", rules);
}

static inline bool set_sample(const struct fb_field *field, uint16_t index, struct fb_str text,
                              struct fb_sample *sample) {
    *sample = (struct fb_sample){.field = index};
    if (fb_str_eq(text, FB_S("bad"))) {
        sample->state = FB_SAMPLE_TYPE;
        return true;
    }
    switch (field->type) {
    case FB_T_TEXT:
        sample->text = text;
        return true;
    case FB_T_NUMBER:
    case FB_T_COUNTER:
        return fb_num_parse(text, &sample->num);
    case FB_T_BOOL:
        sample->i = fb_str_eq(text, FB_S("true"));
        return true;
    case FB_T_ENUM:
        for (uint32_t i = 0; i < field->n_words; i++)
            if (fb_str_eq(field->words[i], text))
                sample->i = i;
        return true;
    default:
        return fb_num_parse_int(text, &sample->i);
    }
}

/* "rack id=r1 inlet=25": a record at ts_s, the clock at c_s. */
static inline void take_at(struct fixture *f, const char *record, double ts_s, double c_s) {
    const struct fb_program *program = f->programs[f->n - 1].program;
    char copy[256], id[FB_DEVICE_ID_MAX];
    size_t n_id = 0;
    snprintf(copy, sizeof copy, "%s", record);
    char *save = NULL, *word = strtok_r(copy, " ", &save);
    const struct fb_class *class_ = fb_program_class(program, fb_str_of(word));
    assert_non_null(class_);
    struct fb_sample samples[SAMPLES], sorted[SAMPLES];
    uint16_t n = 0, n_sorted = 0;
    while ((word = strtok_r(NULL, " ", &save))) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        struct fb_str name = {word, (size_t)(value - word)};
        for (uint16_t i = 0; i < class_->n_fields; i++)
            if (fb_str_eq(class_->fields[i].name, name))
                assert_true(set_sample(&class_->fields[i], i, fb_str_of(value + 1), &samples[n++]));
    }
    for (uint16_t i = 0; i < class_->n_fields; i++)
        for (uint16_t k = 0; k < n; k++)
            if (samples[k].field == i)
                sorted[n_sorted++] = samples[k];
    assert_int_equal(n_sorted, n);
    for (uint32_t i = 0; i < class_->n_keys; i++) {
        char digits[FB_NUM_TEXT_MAX];
        struct fb_str text = class_->fields[i].type == FB_T_TEXT
                                 ? sorted[i].text
                                 : (struct fb_str){digits, fb_num_format_int(sorted[i].i, digits)};
        assert_true(fb_id_add(id, &n_id, i == 0, text));
    }
    const struct fb_entry entry = {.class_index = (uint16_t)(class_ - program->classes),
                                   .device = {id, n_id},
                                   .ts_us = (int64_t)(ts_s * 1e6),
                                   .samples = sorted,
                                   .n_samples = n,
                                   .origin.hops = f->hops};
    if (f->restarts && fb_core_stats(f->core).devices)
        restart(f, fb_look_clock(f->core));
    fb_core_take(f->core, &entry, (int64_t)(c_s * 1e6));
}

/* The clock at the record's own time. */
static inline void take(struct fixture *f, const char *record, double at_s) {
    take_at(f, record, at_s, at_s);
}

static inline void advance(struct fixture *f, double c_s) {
    if (f->restarts && fb_core_stats(f->core).devices)
        restart(f, fb_look_clock(f->core));
    fb_core_advance(f->core, (int64_t)(c_s * 1e6));
}

#endif
