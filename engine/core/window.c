#include "engine/core/window.h"

#include "engine/base/err.h"
#include "engine/core/shapes.h"
#include "engine/model/layout.h"

void fb_window_init(const struct fb_window *window, void *cell) {
    switch (window->shape) {
    case FB_SHAPE_RING: fb_ring_init(window, cell); break;
    case FB_SHAPE_PANES: fb_panes_init(window, cell); break;
    case FB_SHAPE_EACH: fb_each_init(window, cell); break;
    case FB_SHAPE_LAST: break; /* zeroes */
    }
}

bool fb_window_is_sound(const struct fb_window *window, const void *cell, uint32_t words) {
    switch (window->shape) {
    case FB_SHAPE_RING: return fb_ring_is_sound(window, cell, words);
    case FB_SHAPE_PANES: return fb_panes_are_sound(window, cell, words);
    case FB_SHAPE_EACH: return fb_each_is_sound(window, cell, words);
    case FB_SHAPE_LAST: return fb_last_is_sound(window, cell, words);
    }
    return false;
}

static bool same_shape(const struct fb_window *from, const struct fb_window *to,
                       enum fb_window_shape shape) {
    return from->shape == shape && to->shape == shape;
}

const char *fb_window_cannot_move(const struct fb_window *from, const struct fb_window *to) {
    if (same_shape(from, to, FB_SHAPE_RING))
        return NULL;
    if (same_shape(from, to, FB_SHAPE_LAST))
        return fb_last_has_times(to) && !fb_last_has_times(from)
                   ? "it kept no times of its samples"
                   : NULL;
    if (from->shape != to->shape)
        return to->shape == FB_SHAPE_RING ? "it kept slices, and now keeps samples"
                                          : "it kept samples, and now keeps slices";
    if (from->pane_us != to->pane_us)
        return "its slices have another length";
    if (to->aggregates & ~from->aggregates)
        return "its slices lack an aggregate that is now read from them, too";
    return NULL;
}

void fb_window_move(const struct fb_window *from, void *from_cell, const struct fb_window *to,
                    void *to_cell, struct fb_texts *texts) {
    FB_ASSERT(!fb_window_cannot_move(from, to));
    switch (to->shape) {
    case FB_SHAPE_RING: fb_ring_move(from, from_cell, to, to_cell); break;
    case FB_SHAPE_PANES: fb_panes_move(from, from_cell, to, to_cell); break;
    case FB_SHAPE_EACH: fb_each_move(from, from_cell, to, to_cell); break;
    case FB_SHAPE_LAST: fb_last_move(from, from_cell, to, to_cell, texts); break;
    }
}

void fb_window_drop(const struct fb_window *window, void *cell, struct fb_texts *texts) {
    if (window->shape == FB_SHAPE_LAST)
        fb_last_drop(window, cell, texts);
}

void fb_window_begin(const struct fb_window *window, void *cell, int64_t first_ts_us) {
    FB_ASSERT(window->shape == FB_SHAPE_EACH);
    fb_each_begin(window, cell, first_ts_us);
}

void fb_window_take(const struct fb_window *window, void *cell, struct fb_texts *texts,
                    const struct fb_window_sample *sample, struct fb_window_counts *counts) {
    switch (window->shape) {
    case FB_SHAPE_RING: fb_ring_take(window, cell, sample, counts); break;
    case FB_SHAPE_PANES: fb_panes_take(window, cell, sample, counts); break;
    case FB_SHAPE_EACH: fb_each_take(window, cell, sample, counts); break;
    case FB_SHAPE_LAST: fb_last_take(window, cell, texts, sample, counts); break;
    }
}

struct fb_value fb_window_read(const struct fb_window *window, void *cell,
                               const struct fb_texts *texts, enum fb_aggregate aggregate,
                               double needs, struct fb_window_instant instant,
                               int64_t *deadline_us) {
    struct fb_window_query query = {aggregate, needs, instant, texts, deadline_us};
    FB_ASSERT(window->aggregates >> aggregate & 1);
    switch (window->shape) {
    case FB_SHAPE_RING: return fb_ring_read(window, cell, &query);
    case FB_SHAPE_PANES: return fb_panes_read(window, cell, &query);
    case FB_SHAPE_EACH: return fb_each_read(window, cell, &query);
    case FB_SHAPE_LAST: return fb_last_read(window, cell, &query);
    }
    fb_bug(__FILE__, __LINE__, "a shape");
}

int64_t fb_window_completed(const struct fb_window *window, const void *cell,
                            struct fb_window_instant instant) {
    FB_ASSERT(window->shape == FB_SHAPE_EACH);
    return fb_each_completed(window, cell, instant);
}

int64_t fb_window_next(const struct fb_window *window, const void *cell,
                       struct fb_window_instant instant) {
    FB_ASSERT(window->shape == FB_SHAPE_EACH);
    return fb_each_next(window, cell, instant);
}

bool fb_window_rests(const struct fb_window *window, const void *cell,
                     struct fb_window_instant instant) {
    FB_ASSERT(window->shape == FB_SHAPE_EACH);
    return fb_each_rests(window, cell, instant);
}
