/* The evaluator: runs a class's code over one device's block.
 *
 * Place in the flow: 8 of the event's way. Each opcode's meaning stands in model/program.h. */
#ifndef FB_CORE_EVAL_H
#define FB_CORE_EVAL_H

#include "engine/base/num.h"
#include "engine/core/device.h"

struct fb_texts;

/* What a window gave at a moment: rules that look at the same one find it here. Of one aggregate of
 * each window, the last that was asked for. */
struct fb_window_memo {
    uint64_t moment; /* 0: none */
    uint8_t aggregate;
    bool restless;
    uint16_t needs; /* index in the class's numbers */
    int64_t deadline_us;
    struct fb_value value;
};

/* One evaluation. `registers` and `memos` hold at least as many as the class's code uses. */
struct fb_eval {
    struct fb_value *registers;
    const struct fb_texts *texts;
    struct fb_device *device;
    struct fb_window_memo *memos; /* of the class's windows */
    uint64_t moment;              /* from 1: its number, another one whenever a read may differ */
    int64_t t_us;
    bool timer;                         /* not a record's evaluation */
    bool silent;                        /* what `silent` gives: false at an on-time record */
    const struct fb_field_set *carried; /* fields that the on-time record carries; NULL: none */
    int64_t deadline_us;                /* out: the earliest instant at which a value can change */
    int64_t each_us;                    /* out: the same of `each` windows, which go on for ever */
    bool restless;                      /* out: a later end of such a window may bring a change */
};

/* The present quality of a field at t (stale is found by age). */
static inline enum fb_quality fb_field_quality(const struct fb_field *field,
                                               const struct fb_field_cell *cell, int64_t t_us) {
    if (cell->quality == FB_Q_GOOD && field->stale_us && t_us - cell->ts_us > field->stale_us)
        return FB_Q_STALE;
    return cell->quality;
}
/* The present value of a field at t, unknown if its quality is not good. */
struct fb_value fb_field_value(const struct fb_field *field, const struct fb_field_cell *cell,
                               const struct fb_texts *texts, int64_t t_us);
/* Runs the code; lowers eval->deadline_us. */
struct fb_value fb_eval_run(struct fb_eval *eval, const struct fb_code *code);
/* A duration in seconds as whole microseconds, halves away from zero; false: unknown or
 * negative. */
/* Whether the alarm that is rule `local` of the device's class is active: 0 or 1. held: 2 where it
 * is only because it is held while no raise of it is known. alarm.c */
uint8_t fb_alarm_state(const struct fb_device *device, uint32_t local, bool held);
bool fb_duration_us(struct fb_value seconds, int64_t *us);
/* Reads a window at the moment into its memo; fb_eval_window does where nothing did before. */
void fb_eval_read_window(const struct fb_eval *eval, uint32_t index, uint8_t aggregate,
                         uint16_t needs, struct fb_window_memo *memo);
static inline const struct fb_window_memo *fb_eval_window(const struct fb_eval *eval,
                                                          uint32_t index, uint8_t aggregate,
                                                          uint16_t needs) {
    struct fb_window_memo *memo = &eval->memos[index];
    if (memo->moment != eval->moment || memo->aggregate != aggregate || memo->needs != needs)
        fb_eval_read_window(eval, index, aggregate, needs, memo);
    return memo;
}

/* A value can change at that instant. */
static inline void fb_eval_due(struct fb_eval *eval, int64_t at_us) {
    if (at_us > eval->t_us && at_us < eval->deadline_us)
        eval->deadline_us = at_us;
}

/* Truths. */
enum { FB_FALSE = 0, FB_TRUE = 1, FB_UNKNOWN = 2 };

/* And, or: by the operand that decides alone. */
static inline uint8_t fb_both(uint8_t a, uint8_t b, uint8_t decides) {
    if (a == decides || b == decides)
        return decides;
    return a == FB_UNKNOWN || b == FB_UNKNOWN ? FB_UNKNOWN : !decides;
}

/* One evaluation of `a until b`. */
static inline uint8_t fb_until(struct fb_until_cell *cell, uint8_t a, uint8_t b) {
    if (b == FB_TRUE) {
        cell->set = 0;
        return cell->value = FB_FALSE;
    }
    if (a == FB_TRUE)
        cell->set = 1;
    if (b == FB_FALSE)
        return cell->value = cell->set ? FB_TRUE : a;
    return cell->value = cell->set || a == FB_UNKNOWN ? FB_UNKNOWN : FB_FALSE;
}

/* One evaluation of `c for d` (M23). */
static inline uint8_t fb_delay(int64_t *t0_us, int64_t *paused_us, uint8_t c, bool d_known,
                               int64_t d_us, int64_t t_us, int64_t *deadline_us) {
    if (c == FB_FALSE) {
        *t0_us = *paused_us = FB_NO_TIME;
        return d_known ? FB_FALSE : FB_UNKNOWN;
    }
    if (c == FB_UNKNOWN) {
        if (*t0_us != FB_NO_TIME && *paused_us == FB_NO_TIME)
            *paused_us = t_us;
        return FB_UNKNOWN;
    }
    if (*t0_us == FB_NO_TIME)
        *t0_us = t_us;
    if (*paused_us != FB_NO_TIME) {
        *t0_us += t_us - *paused_us;
        *paused_us = FB_NO_TIME;
    }
    if (!d_known)
        return FB_UNKNOWN;
    if (t_us - *t0_us >= d_us)
        return FB_TRUE;
    int64_t at_us = fb_add_sat(*t0_us, d_us);
    if (at_us < *deadline_us)
        *deadline_us = at_us;
    return FB_FALSE;
}

#endif
