/* Commands and blocks of one actuator.
 *
 * Place in the flow: see actuation.h. */
#include "engine/review/actuation.h"

#include <stdlib.h>

#include "engine/base/arena.h"

void fb_actuation_begin(struct fb_actuation *actuation, const struct fb_actuator *actuator) {
    *actuation =
        (struct fb_actuation){.actuator = actuator, .first_us = FB_NO_TIME, .last_us = FB_NO_TIME};
}

void fb_actuation_free(struct fb_actuation *actuation) {
    free(actuation->commands);
    free(actuation->blocks);
}

/* The first command is a step from the inactive word, or from safe. */
bool fb_motion_step(struct fb_motion *motion, const struct fb_actuator *actuator, double value) {
    double before = motion->begun ? motion->value : actuator->is_switch ? 0 : actuator->safe;
    bool is_other = !motion->begun || value != before;
    motion->begun = true;
    motion->value = value;
    if (value == before)
        return is_other;
    double direction = value > before ? 1 : -1;
    motion->reversals += motion->direction == -direction;
    motion->starts += actuator->is_switch && value != 0;
    motion->direction = direction;
    return is_other;
}

static void add_command(struct fb_actuation *actuation, const struct fb_output *output) {
    bool renewal = output->reason == FB_REASON_RENEWED;
    if (actuation->last_us != FB_NO_TIME && actuation->actuator->is_switch &&
        actuation->motion.value != 0)
        actuation->active_us += output->at_us - actuation->last_us;
    fb_motion_step(&actuation->motion, actuation->actuator, output->value);
    if (actuation->first_us == FB_NO_TIME)
        actuation->first_us = output->at_us;
    actuation->last_us = output->at_us;
    actuation->sent++;
    actuation->renewed += renewal;
    if (renewal || actuation->n_commands == FB_ACTUATION_KEPT_MAX)
        return;
    FB_PUSH_ROOM(actuation->commands, actuation->n_commands, actuation->cap_commands);
    actuation->commands[actuation->n_commands++] = (struct fb_actuation_command){
        output->at_us, output->value, output->requested, output->reason};
}

static void end_block(struct fb_actuation *actuation, const struct fb_output *output) {
    for (uint32_t i = actuation->n_blocks; i-- > 0;) {
        struct fb_actuation_block *block = &actuation->blocks[i];
        if (block->guard != output->guard || block->to_us != FB_NEVER)
            continue;
        block->to_us = output->at_us;
        block->count = output->count;
        return;
    }
}

static void add_block(struct fb_actuation *actuation, const struct fb_output *output) {
    if (output->ended) {
        end_block(actuation, output);
        return;
    }
    actuation->blocked[output->guard]++;
    if (actuation->n_blocks == FB_ACTUATION_KEPT_MAX)
        return;
    FB_PUSH_ROOM(actuation->blocks, actuation->n_blocks, actuation->cap_blocks);
    actuation->blocks[actuation->n_blocks++] =
        (struct fb_actuation_block){output->guard, output->at_us, FB_NEVER, output->requested, 0};
}

void fb_actuation_add(struct fb_actuation *actuation, const struct fb_output *output) {
    if (output->kind == FB_OUT_COMMAND)
        add_command(actuation, output);
    else if (output->kind == FB_OUT_BLOCKED)
        add_block(actuation, output);
}
