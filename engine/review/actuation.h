/* What became of one actuator in a run: its commands, what was held back, how restless it was.
 *
 * Place in the flow: review/page keeps one for each actuator of a device; `simulate` reads its
 * figures. One owner. */
#ifndef FB_REVIEW_ACTUATION_H
#define FB_REVIEW_ACTUATION_H

#include "engine/model/output.h"
#include "engine/model/program.h"

enum { FB_ACTUATION_KEPT_MAX = 5000 }; /* commands and blocks each; further ones are counted only */

struct fb_actuation_command {
    int64_t at_us; /* C */
    double value, requested;
    enum fb_command_reason reason;
};

struct fb_actuation_block {
    enum fb_guard guard;
    int64_t from_us, to_us; /* FB_NEVER: goes on */
    double requested;
    uint64_t count; /* decisions that it blocked, once it has ended */
};

/* How an actuator's value moves. */
struct fb_motion {
    bool begun;              /* there was a command */
    double value, direction; /* of the last one; sign of the last step, 0: none yet */
    uint64_t starts;         /* from inactive, or nothing, to active */
    uint64_t reversals;      /* steps against the direction of the one before */
};

/* A command has this value. True: it is another one than before, or the first. */
bool fb_motion_step(struct fb_motion *motion, const struct fb_actuator *actuator, double value);

struct fb_actuation {
    const struct fb_actuator *actuator;
    struct fb_actuation_command *commands; /* without renewals */
    uint32_t n_commands, cap_commands;
    struct fb_actuation_block *blocks;
    uint32_t n_blocks, cap_blocks;
    /* figures; `at` of the outputs is the clock of all of them */
    uint64_t sent, renewed;
    struct fb_motion motion;
    int64_t active_us;           /* in the active word, up to the last command of any kind */
    uint64_t blocked[FB_GUARDS]; /* how often each began to block */
    int64_t first_us, last_us;   /* of the commands; FB_NO_TIME: there was none */
};

void fb_actuation_begin(struct fb_actuation *actuation, const struct fb_actuator *actuator);
/* Keeps a command or a block of this actuator. */
void fb_actuation_add(struct fb_actuation *actuation, const struct fb_output *output);
void fb_actuation_free(struct fb_actuation *actuation);

#endif
