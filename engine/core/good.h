/* Good time of a window's input (M12), and what a condition held in it (M19).
 *
 * Place in the flow: part of a window's cell; followed by on-time records from the first on-time
 * sample on. Only the present stretch of good time is kept here: those before it are the business
 * of the window's shape. */
#ifndef FB_CORE_GOOD_H
#define FB_CORE_GOOD_H

#include "engine/model/program.h"

struct fb_window_sample;

/* (from_us, until_us]; empty where they are equal. */
struct fb_stretch {
    int64_t from_us, until_us;
};

struct fb_good {
    struct fb_stretch present; /* the last one; until_us is ahead of time while it lasts */
    int64_t is_good;           /* after the last on-time record; then until present.until_us */
};

static inline void fb_good_init(struct fb_good *good) {
    *good = (struct fb_good){.present = {FB_NO_TIME, FB_NO_TIME}};
}

/* Length of what stretch and (from_us, to_us] have in common. */
static inline int64_t fb_stretch_within(struct fb_stretch stretch, int64_t from_us, int64_t to_us) {
    int64_t from = stretch.from_us > from_us ? stretch.from_us : from_us;
    int64_t to = stretch.until_us < to_us ? stretch.until_us : to_us;
    return to > from ? to - from : 0;
}

/* Follows an on-time record. True where that begins a new stretch after one that was not empty,
 * which is then in *ended. */
static inline bool fb_good_take(struct fb_good *good, int64_t ts_us, bool is_good,
                                int64_t until_us, struct fb_stretch *ended) {
    if (is_good && ts_us <= good->present.until_us) {
        good->present.until_us = until_us;
        good->is_good = true;
        return false;
    }
    good->is_good = is_good;
    if (!is_good) {
        if (good->present.until_us > ts_us)
            good->present.until_us = ts_us;
        return false;
    }
    *ended = good->present;
    good->present = (struct fb_stretch){ts_us, until_us};
    return ended->from_us < ended->until_us;
}

/* Of bytes from outside. */
bool fb_good_is_sound(const struct fb_good *good);

static inline bool fb_good_at(const struct fb_good *good, int64_t t_us) {
    return good->is_good && t_us <= good->present.until_us;
}

/* Enough good time for `needs`? */
static inline bool fb_good_suffices(int64_t good_us, int64_t length_us, double needs) {
    return (double)good_us >= needs * (double)length_us;
}

/* The on-time sample that holds. */
struct fb_held {
    union {
        double num;
        int64_t i;
    };
    int64_t ts_us; /* FB_NO_TIME: none yet */
};

/* Last instants of good time at which a condition was held false and true. */
struct fb_truth {
    int64_t last_us[2];
};

static inline void fb_truth_init(struct fb_truth *truth) {
    truth->last_us[0] = truth->last_us[1] = FB_NO_TIME;
}
/* The held sample held in this stretch, up to to_us. */
static inline void fb_truth_held(struct fb_truth *truth, const struct fb_held *held,
                                 struct fb_stretch stretch, int64_t to_us) {
    int64_t from = stretch.from_us > held->ts_us ? stretch.from_us : held->ts_us;
    int64_t to = stretch.until_us < to_us ? stretch.until_us : to_us;
    if (held->ts_us != FB_NO_TIME && from < to && truth->last_us[held->i != 0] < to)
        truth->last_us[held->i != 0] = to;
}
bool fb_truth_is_sound(const struct fb_truth *truth);
/* any or all, of which true and false were seen. */
struct fb_value fb_truth_value(enum fb_aggregate aggregate, bool saw_false, bool saw_true,
                               bool enough);

#endif
