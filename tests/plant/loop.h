/* One closed loop: plant -> line -> the engine's core with rules -> line -> receiver -> plant.
 *
 * Place in the flow: loops.c says which there are, judge.c says what came of them. Time is virtual,
 * so a loop of hours takes milliseconds and gives the same every time. */
#ifndef FB_PLANT_LOOP_H
#define FB_PLANT_LOOP_H

#include "engine/base/str.h"
#include "tests/plant/plant.h"

struct loop_setup {
    struct plant_config plant;
    double full; /* the actuator's value at position 1: 1 for two words, else 100 */
    double safe; /* of the actuator */
    int64_t every_us, length_us;
    uint32_t telemetry_lost, telemetry_late; /* percent; late: up to 40 s */
    uint32_t commands_lost, commands_late;   /* percent; late: up to 20 s */
    struct plant_span engine_gone; /* records wait for it, as they do in a topic */
    struct plant_span trip;        /* the field `trip` is true */
    uint64_t seed;
};

/* The value in force at the actuator became `value`, as the receiver saw it. */
struct loop_change {
    int64_t at_us;
    double value;
    uint64_t winner; /* 0: the default, or a lease that lapsed; else one a rule */
};

struct loop_course {
    struct loop_change *changes; /* the first is what was at first, at 0 */
    uint32_t n_changes, capacity;
    uint32_t commands, blocks;
    uint32_t stale_commands;   /* sent while the clock was too far behind */
    double value_least, value_most; /* of the process, after the first quarter */
    double received;           /* in force at last */
};

/* Compiles the rules and runs the loop. False: `complaint` has the compiler's diagnostics. The
 * course is freed with loop_free. */
bool loop_run(const char *rules, const struct loop_setup *setup, struct loop_course *course,
              struct fb_buf *complaint);
void loop_free(struct loop_course *course);

#endif
