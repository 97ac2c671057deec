/* The evaluator: runs a class's code over one device's block.
 *
 * Place in the flow: 8 of the event's way. Each opcode's meaning stands in model/program.h. */
#ifndef FB_CORE_EVAL_H
#define FB_CORE_EVAL_H

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
bool fb_duration_us(struct fb_value seconds, int64_t *us);
/* One evaluation of `c for d` (M23); c: 0 false, 1 true, 2 unknown. Gives the same. */
uint8_t fb_delay(int64_t *t0_us, int64_t *paused_us, uint8_t c, bool d_known, int64_t d_us,
                 int64_t t_us, int64_t *deadline_us);

#endif
