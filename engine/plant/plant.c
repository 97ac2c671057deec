/* See plant.h.
 *
 * Place in the flow: see plant.h. */
#include "engine/plant/plant.h"

#include "engine/base/err.h"
#include "engine/base/num.h"

#define STEP_S (FB_PLANT_STEP_US / 1e6)

enum { SHOCK_US = 60000000 };

static double limited(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

/* 0 to 1, 53 bits. */
static double fraction(struct fb_random *random) {
    return (double)(fb_random_draw(random) >> 11) * 0x1p-53;
}

/* Nearly normal, deviation 1: the sum of twelve. */
static double normal(struct fb_random *random) {
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += fraction(random);
    return sum;
}

void fb_plant_begin(struct fb_plant *plant, const struct fb_plant_config *config, uint64_t seed) {
    *plant = (struct fb_plant){
        .config = *config, .random = {seed}, .value = config->start, .shock_until_us = INT64_MIN};
    FB_ASSERT(config->n_inputs <= FB_PLANT_INPUTS_MAX);
    for (uint32_t i = 0; i < config->n_inputs; i++)
        FB_ASSERT(config->inputs[i].dead_us % FB_PLANT_STEP_US == 0 &&
                  config->inputs[i].dead_us / FB_PLANT_STEP_US <= FB_PLANT_DEAD_STEPS_MAX);
}

static void travel(struct fb_plant_input *input, const struct fb_plant_input_config *c,
                   double command) {
    const double wanted = limited(command, 0, 1);
    const double most = c->travel_s > 0 ? STEP_S / c->travel_s : 1;
    input->position += limited(wanted - input->position, -most, most);
}

/* The position as it was a dead time ago. */
static double delayed(struct fb_plant_input *input, const struct fb_plant_input_config *c) {
    const uint32_t steps = (uint32_t)(c->dead_us / FB_PLANT_STEP_US);
    input->delayed[input->at] = input->position;
    input->at = (input->at + 1) % (steps + 1);
    return input->delayed[input->at];
}

/* What the input does to the process. */
static double push(struct fb_plant_input *input, const struct fb_plant_input_config *c,
                   double command) {
    travel(input, c, command);
    const double late = delayed(input, c);
    if (c->lag_s > 0)
        input->effect += (late - input->effect) * STEP_S / c->lag_s;
    else
        input->effect = late;
    return c->gain * input->effect;
}

/* -1 to 1 and back over the period. */
static double triangle(int64_t now_us, int64_t period_us) {
    const double phase = (double)(now_us % period_us) / (double)period_us;
    return phase < 0.5 ? 4 * phase - 1 : 3 - 4 * phase;
}

static double outside(struct fb_plant *plant) {
    const struct fb_plant_config *c = &plant->config;
    double x = c->outside;
    if (c->swing_us > 0)
        x += c->swing * triangle(plant->now_us, c->swing_us);
    if (c->shock_every_s > 0 && fraction(&plant->random) * c->shock_every_s < STEP_S)
        plant->shock_until_us = plant->now_us + SHOCK_US;
    return plant->now_us < plant->shock_until_us ? x + c->shock : x;
}

void fb_plant_step(struct fb_plant *plant, const double *commands) {
    const struct fb_plant_config *c = &plant->config;
    double pushed = 0;
    for (uint32_t i = 0; i < c->n_inputs; i++)
        pushed += push(&plant->inputs[i], &c->inputs[i], commands[i]);
    const double from_outside = outside(plant);
    if (c->tau_s > 0)
        plant->value += (from_outside - plant->value + pushed) * STEP_S / c->tau_s;
    else
        plant->value += (from_outside + pushed) * STEP_S;
    plant->value = limited(plant->value, c->low, c->high);
    plant->now_us += FB_PLANT_STEP_US;
}

/* A step such as 0.01 has no exact double, its inverse has: 2.03, not 2.0300000000000002. */
static double quantised(double x, double step) {
    double per_unit = fb_num_round(1 / step);
    if (per_unit >= 1 && fb_num_round(step * per_unit * 1e9) == 1e9)
        return fb_num_round(x * per_unit) / per_unit;
    return fb_num_round(x / step) * step;
}

struct fb_plant_telemetry fb_plant_sense(struct fb_plant *plant) {
    const struct fb_plant_config *c = &plant->config;
    const double noise = c->noise > 0 ? c->noise * normal(&plant->random) : 0;
    const bool spoilt = fb_random_chance(&plant->random, c->bad_percent);
    if (!fb_plant_in(c->stuck, plant->now_us) || !plant->has_measured) {
        plant->measured = plant->value + noise;
        if (c->quantum > 0)
            plant->measured = quantised(plant->measured, c->quantum);
        plant->has_measured = true;
    }
    return (struct fb_plant_telemetry){.value = plant->measured,
                                       .position = plant->inputs[0].position,
                                       .has_value =
                                           !spoilt && !fb_plant_in(c->dead_sensor, plant->now_us)};
}
