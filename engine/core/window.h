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

/* One record that carries something the window reads. Times stay within +-2^60 us.
 * ts_us: the record's time. at_us: the device's time D at which it is taken (M2), never below that
 * of an earlier read. late: it came below the watermark, within the lateness.
 * value: the sample; NULL where unknown (then only the good time is followed). FB_INPUT_RECORDS:
 * the record itself is the sample, value and good are ignored.
 * good, good_until_us: whether everything the input reads is good from ts_us on, and the last
 * instant at which it still will be without another record (FB_NEVER: no end); late: ignored. */
struct fb_window_sample {
    int64_t ts_us, at_us;
    bool late;
    const struct fb_value *value;
    bool good;
    int64_t good_until_us;
};

/* Fresh state: bytes that may be copied for every device. cell: window->bytes, zeroed, at a
 * multiple of 8. */
void fb_window_init(const struct fb_window *window, void *cell);
/* FB_SHAPE_EACH only: registers the device, by a record at first_ts_us, before its first sample. */
void fb_window_begin(const struct fb_window *window, void *cell, int64_t first_ts_us);
void fb_window_take(const struct fb_window *window, void *cell, struct fb_texts *texts,
                    const struct fb_window_sample *sample, struct fb_window_counts *counts);

/* Whether a cell's bytes, which came from outside, can be worked on: all that leads to a place in
 * memory is within the cell, all times can be reckoned with. words: how many a sample that is a
 * word of an enumeration chooses from. Texts are not looked at. */
bool fb_window_is_sound(const struct fb_window *window, const void *cell, uint32_t words);

/* Whether what a window holds of the same samples (equal likeness, model/program.h) can go into
 * another one, so that it is known what was in it. NULL: yes; else why not, for people. */
const char *fb_window_cannot_move(const struct fb_window *from, const struct fb_window *to);
/* Moves it into a fresh cell. What does not fit is forgotten; time that the old cell no longer had
 * samples of is not good. Texts go along, and the old cell must not be used again. */
void fb_window_move(const struct fb_window *from, void *from_cell, const struct fb_window *to,
                    void *to_cell, struct fb_texts *texts);
/* Gives the texts of a cell back that will not be used again. */
void fb_window_drop(const struct fb_window *window, void *cell, struct fb_texts *texts);

/* The instant of an evaluation. A record's evaluation at t does not yet see what a timer at t
 * brings (the completion of an `each` window). */
struct fb_window_instant {
    int64_t t_us;
    bool timer;
    bool carried; /* the record carries, on time, something the window reads: for `changed` */
};

/* The aggregate at an instant; unknown below `needs` (0..1) of good time. Instants of reads never
 * go back, and lie at or after every sample taken. The cell only remembers what was computed: no
 * read can be seen by another one.
 * The value: any, all, changed in `i` (bool); first, last, previous as samples of window->type;
 * change in `i` where the samples are INTEGER or TIME (unknown where it overflows); all others
 * `num`, of samples that are NUMBER or COUNTER (count takes every type; of BOOL it counts the true
 * ones). A result that is not finite is unknown. A text lives until the window's next sample.
 * That previous, change and changed are unknown while their argument is (M22) is not known here:
 * the code around the read says so.
 *
 * Lowers *deadline_us to the next instant at which a condition that reads this must be evaluated
 * without a record (M8, M13, M14, M21): the first one after t. Of an `each` window at a
 * record's evaluation also t itself: its completion is not seen yet, but fires as a timer once
 * D > t. */
struct fb_value fb_window_read(const struct fb_window *window, void *cell,
                               const struct fb_texts *texts, enum fb_aggregate aggregate,
                               double needs, struct fb_window_instant instant,
                               int64_t *deadline_us);

/* `each` only: end of the last complete window that is visible at the instant; FB_NO_TIME: none. */
int64_t fb_window_completed(const struct fb_window *window, const void *cell,
                            struct fb_window_instant instant);
/* `each` only: the instant at which the next window is complete, as reads give it for a deadline;
 * FB_NEVER before fb_window_begin. */
int64_t fb_window_next(const struct fb_window *window, const void *cell,
                       struct fb_window_instant instant);
/* `each` only: whether a read at the end of any later window gives what one now gives, while no
 * record comes. */
bool fb_window_rests(const struct fb_window *window, const void *cell,
                     struct fb_window_instant instant);

#endif
