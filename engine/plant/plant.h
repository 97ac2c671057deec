/* Small models of what rules act upon: a process, its actuator, its sensor. One seed decides all.
 *
 * Place in the flow: the far end of a closed loop; loop.c sends commands and takes telemetry.
 * Explicit Euler with one fixed small step, no libm: the same numbers on every machine. One owner.
 *
 * The process is  d(value)/dt = (outside - value + pushed) / tau  (first order), or, where tau is
 * 0, d(value)/dt = outside + pushed  per second (a tank); `pushed` is the sum of gain * effect of
 * its inputs. An input's effect is its actuator's position after its travel, the dead time and a
 * first-order lag. Positions are 0 to 1. */
#ifndef FB_PLANT_PLANT_H
#define FB_PLANT_PLANT_H

#include "engine/base/random.h"

enum {
    FB_PLANT_STEP_US = 500000,
    FB_PLANT_DEAD_STEPS_MAX = 240, /* 120 s */
    FB_PLANT_INPUTS_MAX = 4
};

/* A stretch of time, [from, to). from = to: never. */
struct fb_plant_span {
    int64_t from_us, to_us;
};
static inline bool fb_plant_in(struct fb_plant_span span, int64_t us) {
    return us >= span.from_us && us < span.to_us;
}

/* How one actuator acts. */
struct fb_plant_input_config {
    double gain;     /* of the position */
    double lag_s;    /* of the effect; 0: none */
    int64_t dead_us; /* 0 to 120 s, whole steps */
    double travel_s; /* from 0 to 1; 0: at once */
};

struct fb_plant_config {
    double start;           /* value at first */
    double tau_s;           /* 0: integrates */
    struct fb_plant_input_config inputs[FB_PLANT_INPUTS_MAX];
    uint32_t n_inputs;
    double outside;         /* first order: what the value tends to; tank: flow per second */
    double swing;           /* outside goes up and down by so much, linearly .. */
    int64_t swing_us;       /* .. over this period; 0: it does not */
    double shock;           /* a door, a batch: for a minute outside is so much more .. */
    uint32_t shock_every_s; /* .. begun about so often; 0: never */
    double low, high;       /* limits of the value: a tank is empty, or runs over */
    /* the sensor */
    double noise;                            /* standard deviation */
    double quantum;                          /* smallest step; 0: none */
    uint32_t bad_percent;                    /* so many samples are no values */
    struct fb_plant_span stuck, dead_sensor; /* repeats its last value; sends nothing */
};

struct fb_plant_telemetry {
    double value;    /* measured, if has_value */
    double position; /* of the first actuator */
    bool has_value;  /* the sensor gives one */
};

struct fb_plant_input {
    double position, effect;
    double delayed[FB_PLANT_DEAD_STEPS_MAX + 1];
    uint32_t at; /* where the oldest of `delayed` stands */
};

struct fb_plant {
    struct fb_plant_config config;
    struct fb_random random;
    int64_t now_us;
    double value, measured;
    struct fb_plant_input inputs[FB_PLANT_INPUTS_MAX];
    int64_t shock_until_us;
    bool has_measured;
};

void fb_plant_begin(struct fb_plant *plant, const struct fb_plant_config *config, uint64_t seed);
/* Goes on by FB_PLANT_STEP_US with the actuators asked to go to `commands`, one an input, 0 to 1.
 */
void fb_plant_step(struct fb_plant *plant, const double *commands);
/* What the sensor says now. Draws its noise, so call it once for each sample. */
struct fb_plant_telemetry fb_plant_sense(struct fb_plant *plant);

#endif
