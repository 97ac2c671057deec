/* One closed loop: plants -> lines -> the engine's core with rules -> lines -> receivers -> plants.
 *
 * Place in the flow: loops.c says which there are, judge.c says what came of them. Time is virtual,
 * so a loop of hours takes milliseconds and gives the same every time. */
#ifndef FB_PLANT_LOOP_H
#define FB_PLANT_LOOP_H

#include "engine/base/str.h"
#include "engine/plant/plant.h"

/* What goes wrong for a while. */
enum loop_spell {
    SPELL_NONE,
    SPELL_STUCK,  /* the sensor repeats its last value */
    SPELL_SILENT, /* it sends nothing */
    SPELL_ENGINE, /* the engine is gone; records wait for it, as they do in a topic */
    SPELL_TRIP    /* the field `trip` is true */
};

enum { LOOP_MACHINES_MAX = 4, LOOP_ACTS_MAX = 2 };

/* So many steps away from safe lie within so long: where a rule may not act more often, there is no
 * place left. */
struct loop_used {
    uint32_t n; /* 0: nothing is asked */
    int64_t us;
    bool all; /* on all machines; else on the first */
};

struct loop_setup {
    struct fb_plant_config plant; /* of each machine, with a seed of its own */
    uint32_t machines;            /* devices p1, p2, ..; LOOP_MACHINES_MAX at most */
    uint32_t acts;                /* actuators of each, act and act2; LOOP_ACTS_MAX at most */
    double full;  /* the actuator's value at position 1: 1 for two words, else 100 */
    double safe;  /* of the actuator */
    double first; /* what it is before the first command */
    int64_t every_us, length_us;
    uint32_t telemetry_lost, telemetry_late; /* percent; late: up to 40 s */
    uint32_t commands_lost, commands_late;   /* percent; late: up to 20 s */
    enum loop_spell spell;
    int64_t restart_us; /* so often another core goes on from a snapshot; 0: never */
    int64_t spell_from_us, spell_us; /* begins when the first actuator is not safe .. */
    struct loop_used spell_used;     /* .. and this holds, from then on; on all machines at once */
    uint64_t seed;
};

/* The value in force at the actuator became `value`, as the receiver saw it. */
struct loop_change {
    int64_t at_us;
    double value;
    uint64_t winner; /* 0: the default; else one a rule */
    bool lapsed;     /* no command: the lease was over */
    bool forced;     /* safety asked for it: the command's reason is `safe` */
};

/* Of one actuator. */
struct loop_course {
    struct loop_change *changes; /* the first is what was at first, at 0 */
    uint32_t n_changes, capacity;
    uint32_t commands, blocks, lapses;
    uint32_t stale_commands; /* sent while the clock was too far behind */
    double least, most;      /* of the process, after the first quarter */
    int64_t spell_from_us;   /* when it began; -1: it did not */
};

/* What came of a loop, by machine and actuator. */
struct loop_courses {
    struct loop_course of[LOOP_MACHINES_MAX][LOOP_ACTS_MAX];
};

/* Whether the step goes towards safe, as A7 of rules/MEANING.md has it. */
static inline bool loop_eases(double safe, double from, double to) {
    return from < safe ? to > from && to <= safe : to < from && to >= safe;
}

/* Compiles the rules and runs the loop. False: `complaint` has the compiler's diagnostics. The
 * courses are freed with loop_free. */
bool loop_run(const char *rules, const struct loop_setup *setup, struct loop_courses *courses,
              struct fb_buf *complaint);
void loop_free(struct loop_courses *courses);

#endif
