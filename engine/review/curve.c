/* Stretches of a curve.
 *
 * Place in the flow: see curve.h. */
#include "engine/review/curve.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/codec/json_write.h"

void fb_curve_free(struct fb_curve *curve) {
    free(curve->stretches);
    *curve = (struct fb_curve){0};
}

static int64_t begin_of(const struct fb_stretch *stretch) {
    return stretch->least_us < stretch->greatest_us ? stretch->least_us : stretch->greatest_us;
}

static int64_t end_of(const struct fb_stretch *stretch) {
    return stretch->least_us > stretch->greatest_us ? stretch->least_us : stretch->greatest_us;
}

/* Which stretch of the present width an instant lies in. */
static int64_t place_of(const struct fb_curve *curve, int64_t at_us) {
    return curve->width_us ? (at_us - curve->from_us) / curve->width_us : at_us;
}

static void join(struct fb_stretch *into, const struct fb_stretch *other) {
    if (other->least < into->least) {
        into->least = other->least;
        into->least_us = other->least_us;
    }
    if (other->greatest > into->greatest) {
        into->greatest = other->greatest;
        into->greatest_us = other->greatest_us;
    }
}

/* Longer stretches, so that half the room is free again. */
static void widen(struct fb_curve *curve) {
    int64_t all_us = end_of(&curve->stretches[curve->n - 1]) - curve->from_us;
    int64_t wanted_us = all_us / (FB_CURVE_STRETCHES_MAX / 2) + 1;
    curve->width_us = wanted_us > 2 * curve->width_us ? wanted_us : 2 * curve->width_us;
    uint32_t n = 1;
    for (uint32_t i = 1; i < curve->n; i++) {
        struct fb_stretch *last = &curve->stretches[n - 1], *next = &curve->stretches[i];
        if (place_of(curve, begin_of(next)) == place_of(curve, begin_of(last)))
            join(last, next);
        else
            curve->stretches[n++] = *next;
    }
    curve->n = n;
}

void fb_curve_add(struct fb_curve *curve, int64_t at_us, double value) {
    struct fb_stretch one = {at_us, at_us, value, value};
    if (!curve->n)
        curve->from_us = at_us;
    struct fb_stretch *last = curve->n ? &curve->stretches[curve->n - 1] : NULL;
    if (last && at_us < end_of(last))
        return;
    if (last && place_of(curve, at_us) == place_of(curve, begin_of(last))) {
        join(last, &one);
        return;
    }
    FB_PUSH_ROOM(curve->stretches, curve->n, curve->cap);
    curve->stretches[curve->n++] = one;
    if (curve->n == FB_CURVE_STRETCHES_MAX)
        widen(curve);
}

static void put_time(struct fb_buf *out, int64_t us) {
    fb_json_put_number(out, (double)us / 1e6);
    fb_buf_char(out, ',');
}

static void put_value(struct fb_buf *out, double value) {
    fb_json_put_number(out, value);
    fb_buf_char(out, ',');
}

/* Instead of the comma behind the last one. */
static void end_array(struct fb_buf *out) {
    if (out->p[out->n - 1] == ',')
        out->n--;
    fb_buf_char(out, ']');
}

void fb_curve_put(const struct fb_curve *curve, int64_t from_us, struct fb_buf *out) {
    fb_buf_text(out, "\"at\":[");
    for (uint32_t i = 0; i < curve->n; i++) {
        const struct fb_stretch *stretch = &curve->stretches[i];
        put_time(out, begin_of(stretch) - from_us);
        if (stretch->least_us != stretch->greatest_us)
            put_time(out, end_of(stretch) - from_us);
    }
    end_array(out);
    fb_buf_text(out, ",\"values\":[");
    for (uint32_t i = 0; i < curve->n; i++) {
        const struct fb_stretch *stretch = &curve->stretches[i];
        bool falls = stretch->greatest_us < stretch->least_us;
        put_value(out, falls ? stretch->greatest : stretch->least);
        if (stretch->least_us != stretch->greatest_us)
            put_value(out, falls ? stretch->least : stretch->greatest);
    }
    end_array(out);
}
