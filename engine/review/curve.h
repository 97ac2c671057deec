/* A curve of bounded size, however many samples go into it.
 *
 * Place in the flow: review/page keeps one for each field of a device. Samples go into stretches of
 * equal length, of each its least and greatest value are kept, so no peak is lost; where there are
 * too many stretches they are joined to longer ones. One owner. */
#ifndef FB_REVIEW_CURVE_H
#define FB_REVIEW_CURVE_H

#include "engine/base/str.h"

#include <stdint.h>

enum { FB_CURVE_STRETCHES_MAX = 512 };

struct fb_stretch {
    int64_t least_us, greatest_us; /* when */
    double least, greatest;
};

struct fb_curve {
    struct fb_stretch *stretches;
    uint32_t n, cap;
    int64_t from_us, width_us; /* 0: each sample is one by itself */
};

/* Samples in the order of time; one that is earlier than the last is left out. */
void fb_curve_add(struct fb_curve *curve, int64_t at_us, double value);
void fb_curve_free(struct fb_curve *curve);
/* Appends two JSON arrays: `"at":[..],"values":[..]`, times in seconds from from_us on. */
void fb_curve_put(const struct fb_curve *curve, int64_t from_us, struct fb_buf *out);

#endif
