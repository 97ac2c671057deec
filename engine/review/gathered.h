/* What a page has gathered.
 *
 * Place in the flow: review/page.c fills it; page_html.c and tables.c write it. Nobody else looks
 * into it. */
#ifndef FB_REVIEW_GATHERED_H
#define FB_REVIEW_GATHERED_H

#include "engine/review/actuation.h"
#include "engine/review/curve.h"
#include "engine/review/episodes.h"
#include "engine/review/page.h"

struct fb_page_device {
    uint16_t class_index;
    struct fb_str id;
    uint32_t alarms;                 /* raised */
    uint32_t number;                 /* in the order of coming */
    struct fb_curve *curves;         /* one a field of the class */
    struct fb_actuation *actuations; /* one an actuator of the class, shadows too */
};

struct fb_page {
    const struct fb_program *program;
    struct fb_arena *arena;
    struct fb_episodes *episodes;
    struct fb_map *found; /* class and id: place in `devices` */
    struct fb_page_device *devices;
    uint32_t n, cap;
    uint64_t records;
    int64_t from_us, to_us;
    struct fb_buf key;
};

/* Of one actuator of a class over all devices that were followed. */
struct fb_actuator_figures {
    const struct fb_actuator *actuator;
    uint32_t devices;          /* on which it was commanded, or held back */
    struct fb_actuation sum;   /* counts only */
    double active;             /* two words: share of the run in the active one */
    double reversals_per_hour; /* the mean over the devices and the run */
};
/* False: it was never commanded nor held back. page.c */
bool fb_page_actuator_figures(const struct fb_page *page, uint32_t class_index, uint32_t actuator,
                              struct fb_actuator_figures *figures);

#endif
