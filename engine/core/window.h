/* Windows: cells that take samples and give aggregates, `over`, `over last` and `each`.
 *
 * Place in the flow: 7 of the event's way: core.c takes samples into them, eval.c reads them. Pure
 * functions of the cell; no allocation. The meaning is rules/LANGUAGE.md, "Windows". */
#ifndef FB_CORE_WINDOW_H
#define FB_CORE_WINDOW_H

#include "engine/model/program.h"

struct fb_texts;

/* Counted, never decided upon. */
struct fb_window_counts {
    uint64_t late_ignored; /* late samples that order-bound aggregates did not take */
    uint64_t left_early;   /* samples that a full ring lost before their time */
};

/* One record that carries something the window reads.
 * ts_us: the record's time. late: it came below the watermark, within the lateness.
 * sample: its value; NULL where unknown (then only the good time is followed).
 * good, good_until_us: whether everything the input reads is good from ts_us on, and the last
 * instant at which it still will be without another record (FB_NEVER: no end); late: ignored. */
struct fb_window_sample {
    int64_t ts_us;
    bool late;
    const struct fb_value *value;
    bool good;
    int64_t good_until_us;
};

/* Fresh state of a device that has just been registered. cell: window->bytes, zeroed. */
void fb_window_init(const struct fb_window *window, void *cell);
void fb_window_take(const struct fb_window *window, void *cell, struct fb_texts *texts,
                    const struct fb_window_sample *sample, struct fb_window_counts *counts);

/* The instant of an evaluation. A record's evaluation at t does not yet see what a timer at t
 * brings (the completion of an `each` window). */
struct fb_window_instant {
    int64_t t_us;
    bool timer;
    bool carried; /* the record carries, on time, something the window reads: for `changed` */
};

/* The aggregate at an instant; unknown below `needs` (0..1) of good time. Lowers *deadline_us to
 * the next instant at which the value or the share of good time can change without a record. */
struct fb_value fb_window_read(const struct fb_window *window, const void *cell,
                               const struct fb_texts *texts, enum fb_aggregate aggregate,
                               double needs, struct fb_window_instant instant,
                               int64_t *deadline_us);

/* `each` only: end of the last complete window that is visible at the instant; FB_NO_TIME: none. */
int64_t fb_window_completed(const struct fb_window *window, const void *cell,
                            struct fb_window_instant instant);

#endif
