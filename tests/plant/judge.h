/* What came of a loop, as the actuator saw it, and which declared limits it broke.
 *
 * A lease that lapses is the equipment's own fail-safe and no step of the engine: neither it nor
 * the next command, which ends it, counts as a reversal or as a state left too soon.
 *
 * Place in the flow: behind loop.c. Looks at the changes in force at the actuator alone, never at
 * the engine's own counts. Pure. */
#ifndef FB_PLANT_JUDGE_H
#define FB_PLANT_JUDGE_H

#include "tests/plant/loops.h"

/* A set of what was broken. */
enum {
    BROKE_REVERSALS = 1, /* more in the window than the breaker allows */
    BROKE_MINIMUM = 2,   /* a state left too soon, other than for safety */
    BROKE_STARTS = 4,
    BROKE_SLEW = 8,            /* a step too large or too soon, other than towards safe */
    BROKE_SAFE = 16,           /* not safe in time after the spell began, or left again in it */
    BROKE_RIVALS = 32,         /* two rules alternate more than the breaker allows */
    BROKE_STALE = 64,          /* a command for what was long past */
    BROKE_MAXIMUM = 128,       /* on for too long */
    BROKE_NOTHING_TRIED = 256, /* the spell never began */
    BROKE_RATE = 512,          /* one rule changed too much on one machine */
    BROKE_COMMANDS = 1024      /* all rules changed too much on all machines */
};

struct judgement {
    uint32_t reversals, most_reversals; /* in all; in one window */
    uint32_t most_alternations;         /* of winners, in one window */
    uint32_t most_of_rule, most_of_all; /* steps away from safe, in the windows of the two rates:
                                         * of one rule on one machine; of all on all */
    int64_t shortest_us;                /* two words: least time in a state; -1: none ended */
    int64_t to_safe_us;                 /* after the spell began; -1: never, or no spell */
    uint32_t broken;
};

/* Of one actuator: all but the rates, which are over several. */
struct judgement judge(const struct loop_course *course, const struct loop_limits *limits,
                       const struct loop_setup *setup);
/* Of a whole loop: of each number the worst of its actuators, reversals in all, and the rates. */
struct judgement judge_all(const struct loop_courses *courses, const struct loop_limits *limits,
                           const struct loop_setup *setup);

#endif
