/* The shapes of windows, one file each; window.c chooses.
 *
 * Place in the flow: behind core/window.h. Arguments are those of the functions there. */
#ifndef FB_CORE_SHAPES_H
#define FB_CORE_SHAPES_H

#include "engine/core/window.h"

/* What a read needs beside the window and its cell. */
struct fb_window_query {
    enum fb_aggregate aggregate;
    double needs;
    struct fb_window_instant instant;
    const struct fb_texts *texts;
    int64_t *deadline_us;
};

static inline void fb_lower_deadline(const struct fb_window_query *query, int64_t us) {
    if (us < *query->deadline_us)
        *query->deadline_us = us;
}

/* A time that came from outside, with room to reckon. */
static inline bool fb_time_is_sound(int64_t us) {
    return us == FB_NO_TIME || (us > -(INT64_C(1) << 61) && us < INT64_C(1) << 61);
}
static inline bool fb_end_is_sound(int64_t us) {
    return us == FB_NEVER || fb_time_is_sound(us);
}
/* The bits of a sample or a value of a field; texts are not looked at. */
static inline bool fb_bits_are_sound(enum fb_type type, int64_t i, uint32_t words) {
    switch (type) {
    case FB_T_BOOL: return i == 0 || i == 1;
    case FB_T_ENUM: return i >= 0 && i < words;
    case FB_T_TIME: return fb_time_is_sound(i);
    default: return true;
    }
}

void fb_panes_init(const struct fb_window *window, void *cell);
void fb_panes_take(const struct fb_window *window, void *cell,
                   const struct fb_window_sample *sample, struct fb_window_counts *counts);
struct fb_value fb_panes_read(const struct fb_window *window, void *cell,
                              const struct fb_window_query *query);

void fb_panes_move(const struct fb_window *from, void *from_cell, const struct fb_window *to,
                   void *to_cell);
bool fb_panes_are_sound(const struct fb_window *window, const void *cell, uint32_t words);

void fb_each_init(const struct fb_window *window, void *cell);
void fb_each_begin(const struct fb_window *window, void *cell, int64_t first_ts_us);
void fb_each_take(const struct fb_window *window, void *cell,
                  const struct fb_window_sample *sample, struct fb_window_counts *counts);
struct fb_value fb_each_read(const struct fb_window *window, void *cell,
                             const struct fb_window_query *query);
int64_t fb_each_completed(const struct fb_window *window, const void *cell,
                          struct fb_window_instant instant);
int64_t fb_each_next(const struct fb_window *window, const void *cell,
                     struct fb_window_instant instant);
bool fb_each_rests(const struct fb_window *window, const void *cell,
                   struct fb_window_instant instant);

void fb_each_move(const struct fb_window *from, void *from_cell, const struct fb_window *to,
                  void *to_cell);
bool fb_each_is_sound(const struct fb_window *window, const void *cell, uint32_t words);

void fb_ring_init(const struct fb_window *window, void *cell);
void fb_ring_take(const struct fb_window *window, void *cell,
                  const struct fb_window_sample *sample, struct fb_window_counts *counts);
struct fb_value fb_ring_read(const struct fb_window *window, void *cell,
                             const struct fb_window_query *query);

void fb_ring_move(const struct fb_window *from, void *from_cell, const struct fb_window *to,
                  void *to_cell);
bool fb_ring_is_sound(const struct fb_window *window, const void *cell, uint32_t words);

void fb_last_take(const struct fb_window *window, void *cell, struct fb_texts *texts,
                  const struct fb_window_sample *sample, struct fb_window_counts *counts);
struct fb_value fb_last_read(const struct fb_window *window, void *cell,
                             const struct fb_window_query *query);
void fb_last_move(const struct fb_window *from, void *from_cell, const struct fb_window *to,
                  void *to_cell, struct fb_texts *texts);
void fb_last_drop(const struct fb_window *window, void *cell, struct fb_texts *texts);
bool fb_last_is_sound(const struct fb_window *window, const void *cell, uint32_t words);

#endif
