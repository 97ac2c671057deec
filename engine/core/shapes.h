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

void fb_panes_init(const struct fb_window *window, void *cell);
void fb_panes_take(const struct fb_window *window, void *cell,
                   const struct fb_window_sample *sample, struct fb_window_counts *counts);
struct fb_value fb_panes_read(const struct fb_window *window, void *cell,
                              const struct fb_window_query *query);

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

void fb_ring_init(const struct fb_window *window, void *cell);
void fb_ring_take(const struct fb_window *window, void *cell,
                  const struct fb_window_sample *sample, struct fb_window_counts *counts);
struct fb_value fb_ring_read(const struct fb_window *window, void *cell,
                             const struct fb_window_query *query);

void fb_last_take(const struct fb_window *window, void *cell, struct fb_texts *texts,
                  const struct fb_window_sample *sample, struct fb_window_counts *counts);
struct fb_value fb_last_read(const struct fb_window *window, void *cell,
                             const struct fb_window_query *query);

#endif
