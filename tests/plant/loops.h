/* Which loops there are: plants, dead times, sensors, faults, and the rules for each of them, with
 * guardrails and without.
 *
 * Place in the flow: loop.c runs them, judge.c says what came of them. Constant tables. */
#ifndef FB_PLANT_LOOPS_H
#define FB_PLANT_LOOPS_H

#include "tests/plant/loop.h"

/* What the rules with guardrails declare; the loops without them are judged by it, too. */
struct loop_limits {
    bool is_switch;
    double safe;
    int64_t minimum_us[2]; /* off, on */
    int64_t maximum_us;    /* on; 0: not limited */
    bool offs_may_be_lost; /* then an end of `on` may never be seen */
    uint32_t starts;       /* in an hour; 0: not limited */
    double slew;           /* of numbers, up and down */
    int64_t slew_us;
    uint32_t reversals;
    int64_t reversals_us;
    bool breaker_safe;     /* safe while it is open; else what it has */
    uint32_t rate;         /* steps away from safe of one rule on one machine in rate_us .. */
    int64_t rate_us;
    uint32_t commands; /* .. of all rules on all machines in commands_us; 0: not limited */
    int64_t commands_us;
    int64_t safe_within_us; /* after the spell began; 0: nothing is promised */
    int64_t lockout_us;     /* still safe for so long after it */
    int64_t jitter_us;      /* by which a tick, or a command that is late or lost, moves a change */
};

/* Those of the table; a number beyond it gives a random loop, always the same. */
uint32_t loops_count(void);

struct loop_names {
    const char *plant, *rules, *sensor, *fault;
    uint32_t dead_s;
};
struct loop_names loops_names(uint32_t loop);
void loops_setup(uint32_t loop, struct loop_setup *setup, struct loop_limits *limits);

/* Which guardrails the rules have; a set. */
enum loop_guards {
    GUARD_MINIMUM = 1,
    GUARD_STARTS = 2,
    GUARD_BREAKER = 4,
    GUARD_SLEW = 8,
    GUARD_INTERLOCK = 16, /* and the lockout after it */
    GUARD_STEPS = 32,     /* ignore steps under */
    GUARD_UNTIL = 64,     /* until and delays, where the style has them */
    GUARD_RATE = 128,     /* at most n per d */
    GUARD_COMMANDS = 256, /* commands at most n per d */
    GUARDS_ALL = 511
};
/* The rules' text, appended. */
void loops_rules(uint32_t loop, uint32_t guards, struct fb_buf *out);

#endif
