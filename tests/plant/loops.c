/* See loops.h.
 *
 * Place in the flow: see loops.h. */
#include "tests/plant/loops.h"

#define S INT64_C(1000000)
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)

enum { STALE_S = 20, EVERY_S = 5, HELD_MIN = 5, LOCKOUT_MIN = 4, LEASE_S = 60 };

/* 0: one; not limited. */
struct width {
    uint8_t machines, acts;
    uint8_t rate, commands;
    uint16_t rate_min, commands_min;
};

struct kind {
    const char *name;
    struct fb_plant_config plant;
    bool raises;         /* the actuator raises x */
    double target, band; /* x is kept about here */
    double middle, gain; /* numbers: a fitting proportional rule */
    struct loop_limits limits;
    struct width width; /* of a loop */
};

enum { HEATER, COOLER, SUMP, OVEN, FEED };
static const struct kind kinds[] = {
    [HEATER] = {"heater",
                {.start = 18,
                 .tau_s = 14400,
                 .n_inputs = 1,
                 .inputs[0].gain = 40,
                 .outside = 0,
                 .swing = 5,
                 .swing_us = 2 * HOUR,
                 .inputs[0].lag_s = 60,
                 .low = -50,
                 .high = 100},
                true,
                20,
                0.5,
                0,
                0,
                .limits = {.is_switch = true,
                           .minimum_us = {180 * S, 120 * S},
                           .reversals = 4,
                           .reversals_us = 20 * MINUTE}},
    [COOLER] = {"compressor",
                {.start = 8,
                 .tau_s = 10800,
                 .n_inputs = 1,
                 .inputs[0].gain = -40,
                 .outside = 25,
                 .shock = 5,
                 .shock_every_s = 1800,
                 .inputs[0].lag_s = 45,
                 .low = -50,
                 .high = 100},
                false,
                5,
                1,
                0,
                0,
                .limits = {.is_switch = true,
                           .minimum_us = {300 * S, 180 * S},
                           .starts = 2,
                           .reversals = 4,
                           .reversals_us = 32 * MINUTE}},
    /* Its pump keeps the sump from running over: on is safe. */
    [SUMP] = {"sump pump",
              {.start = 3,
               .n_inputs = 1,
               .inputs[0].gain = -0.002,
               .outside = 0.0008,
               .swing = 0.0004,
               .swing_us = HOUR,
               .inputs[0].travel_s = 2,
               .low = 0,
               .high = 6},
              false,
              3,
              0.3,
              0,
              0,
              .limits = {.is_switch = true,
                         .safe = 1,
                         .minimum_us = {60 * S, 90 * S},
                         .reversals = 6,
                         .reversals_us = 30 * MINUTE}},
    [OVEN] = {"oven valve",
              {.start = 20,
               .tau_s = 300,
               .n_inputs = 1,
               .inputs[0].gain = 100,
               .outside = 20,
               .inputs[0].travel_s = 15,
               .low = -50,
               .high = 500},
              true,
              60,
              1,
              40,
              2,
              .limits = {.slew = 10,
                         .slew_us = 30 * S,
                         .reversals = 6,
                         .reversals_us = 30 * MINUTE}},
    [FEED] = {"tank feed",
              {.start = 2,
               .n_inputs = 1,
               .inputs[0].gain = 0.01,
               .outside = -0.004,
               .swing = 0.002,
               .swing_us = HOUR,
               .inputs[0].travel_s = 15,
               .low = 0,
               .high = 6},
              true,
              3,
              0.1,
              40,
              60,
              .limits = {.slew = 10,
                         .slew_us = 30 * S,
                         .reversals = 6,
                         .reversals_us = 30 * MINUTE}},
};

enum style {
    TWO_LIMITS,
    ONE_LIMIT,
    SHORT_DELAY,
    RIVALS,
    TREND,
    AVERAGE,
    MODE,
    NO_ROOM,
    GENTLE,
    STEEP,
    JUMP,
    FOLLOW, /* of numbers, as are rivals */
    STOP    /* of numbers: safe by the rule itself while `trip` */
};
static const char *const style_names[] = {[TWO_LIMITS] = "two limits",
                                          [ONE_LIMIT] = "one limit",
                                          [SHORT_DELAY] = "short delay",
                                          [RIVALS] = "two rivals",
                                          [TREND] = "trend",
                                          [AVERAGE] = "late average",
                                          [MODE] = "mode",
                                          [NO_ROOM] = "mode, no room",
                                          [GENTLE] = "gentle",
                                          [STEEP] = "steep",
                                          [JUMP] = "jump",
                                          [FOLLOW] = "adds up",
                                          [STOP] = "stops"};

enum sensor { CLEAN, NOISY, COARSE };
static const char *const sensor_names[] = {
    [CLEAN] = "clean", [NOISY] = "noisy", [COARSE] = "coarse"};

enum fault {
    NONE,
    STUCK,
    SILENT,
    HELD,
    BAD,
    LOSSY,
    LATE,
    ENGINE,
    TRIP,
    COMMANDS_LOST,
    COMMANDS_LATE,
    STOPPED
};
static const char *const fault_names[] = {[NONE] = "-",
                                          [STUCK] = "sensor stuck",
                                          [SILENT] = "sensor silent",
                                          [HELD] = "silent, held",
                                          [BAD] = "bad samples",
                                          [LOSSY] = "telemetry lost",
                                          [LATE] = "telemetry late",
                                          [ENGINE] = "engine gone",
                                          [TRIP] = "interlock",
                                          [COMMANDS_LOST] = "commands lost",
                                          [COMMANDS_LATE] = "commands late",
                                          [STOPPED] = "stop asked"};

struct row {
    uint8_t kind, style, sensor, fault;
    uint32_t dead_s;
};
static const struct row rows[] = {
    {HEATER, TWO_LIMITS, CLEAN, NONE, 0},
    {HEATER, TWO_LIMITS, NOISY, NONE, 30},
    {HEATER, TWO_LIMITS, COARSE, LOSSY, 120},
    {HEATER, ONE_LIMIT, CLEAN, NONE, 0},
    {HEATER, ONE_LIMIT, NOISY, NONE, 5},
    {HEATER, ONE_LIMIT, NOISY, NONE, 60},
    {HEATER, ONE_LIMIT, NOISY, NONE, 120},
    {HEATER, ONE_LIMIT, COARSE, LATE, 30},
    {HEATER, ONE_LIMIT, NOISY, BAD, 10},
    {HEATER, ONE_LIMIT, NOISY, COMMANDS_LOST, 10},
    {HEATER, SHORT_DELAY, NOISY, NONE, 0},
    {HEATER, SHORT_DELAY, NOISY, COMMANDS_LATE, 60},
    {HEATER, RIVALS, NOISY, NONE, 0},
    {HEATER, RIVALS, NOISY, ENGINE, 30},
    {HEATER, TREND, NOISY, NONE, 10},
    {HEATER, AVERAGE, NOISY, SILENT, 5},
    {COOLER, TWO_LIMITS, NOISY, NONE, 10},
    {COOLER, TWO_LIMITS, NOISY, TRIP, 0},
    {COOLER, ONE_LIMIT, CLEAN, NONE, 5},
    {COOLER, ONE_LIMIT, NOISY, NONE, 0},
    {COOLER, ONE_LIMIT, NOISY, STUCK, 30},
    {COOLER, ONE_LIMIT, NOISY, SILENT, 60},
    {COOLER, ONE_LIMIT, NOISY, HELD, 20},
    {COOLER, ONE_LIMIT, COARSE, ENGINE, 120},
    {COOLER, SHORT_DELAY, NOISY, TRIP, 10},
    {COOLER, RIVALS, NOISY, NONE, 45},
    {COOLER, TREND, COARSE, LOSSY, 0},
    {COOLER, TREND, NOISY, NONE, 90},
    {SUMP, TWO_LIMITS, NOISY, NONE, 0},
    {SUMP, ONE_LIMIT, NOISY, NONE, 0},
    {SUMP, ONE_LIMIT, NOISY, TRIP, 20},
    {SUMP, ONE_LIMIT, COARSE, SILENT, 60},
    {SUMP, SHORT_DELAY, NOISY, LATE, 5},
    {SUMP, RIVALS, NOISY, ENGINE, 10},
    {SUMP, TREND, NOISY, NONE, 30},
    {SUMP, AVERAGE, NOISY, NONE, 120},
    {OVEN, GENTLE, CLEAN, NONE, 0},
    {OVEN, GENTLE, NOISY, NONE, 30},
    {OVEN, GENTLE, NOISY, SILENT, 120},
    {OVEN, STEEP, NOISY, NONE, 0},
    {OVEN, STEEP, NOISY, NONE, 60},
    {OVEN, STEEP, COARSE, LOSSY, 10},
    {OVEN, JUMP, CLEAN, NONE, 20},
    {OVEN, JUMP, NOISY, ENGINE, 0},
    {OVEN, JUMP, NOISY, TRIP, 90},
    {OVEN, RIVALS, NOISY, NONE, 10},
    {OVEN, FOLLOW, NOISY, NONE, 45},
    {FEED, GENTLE, NOISY, NONE, 5},
    {FEED, STEEP, NOISY, BAD, 30},
    {FEED, JUMP, COARSE, NONE, 60},
    {FEED, JUMP, NOISY, HELD, 0},
    {FEED, RIVALS, NOISY, LATE, 20},
    {FEED, FOLLOW, COARSE, STUCK, 120},
    {FEED, FOLLOW, NOISY, SILENT, 10},
    {HEATER, MODE, NOISY, NONE, 30},
    {HEATER, NO_ROOM, NOISY, NONE, 60},
    {COOLER, MODE, NOISY, TRIP, 10},
    {COOLER, NO_ROOM, NOISY, SILENT, 30},
    {SUMP, NO_ROOM, NOISY, ENGINE, 20},
};

/* On several machines, with several actuators; how often rules may act. */
static const struct wide_row {
    struct row row;
    struct width width;
} wide_rows[] = {
    {{HEATER, ONE_LIMIT, NOISY, NONE, 10}, {.rate = 2, .rate_min = 60}},
    {{OVEN, GENTLE, NOISY, NONE, 30}, {.rate = 3, .rate_min = 20}},
    {{FEED, STEEP, NOISY, ENGINE, 0}, {.rate = 4, .rate_min = 30}},
    {{OVEN, STOP, NOISY, STOPPED, 10}, {.rate = 2, .rate_min = 20}},
    {{OVEN, STEEP, NOISY, NONE, 60}, {.acts = 2, .rate = 5, .rate_min = 30}},
    {{HEATER, ONE_LIMIT, NOISY, NONE, 30}, {.machines = 4, .commands = 6, .commands_min = 60}},
    {{OVEN, STOP, NOISY, STOPPED, 0}, {.machines = 3, .commands = 5, .commands_min = 30}},
    {{FEED, RIVALS, NOISY, TRIP, 20},
     {.machines = 2, .rate = 3, .rate_min = 30, .commands = 8, .commands_min = 60}},
};

enum { N_ROWS = sizeof(rows) / sizeof(*rows) };

uint32_t loops_count(void) {
    return N_ROWS + sizeof(wide_rows) / sizeof(*wide_rows);
}

static void widen(const struct width *width, struct kind *kind) {
    kind->width = *width;
    kind->limits.rate = width->rate;
    kind->limits.rate_us = width->rate_min * MINUTE;
    kind->limits.commands = width->commands;
    kind->limits.commands_us = width->commands_min * MINUTE;
}

static struct width random_width(struct fb_random *random, const struct row *row) {
    struct width width = {.machines = (uint8_t)(1 + fb_random_below(random, LOOP_MACHINES_MAX))};
    if (row->style >= GENTLE)
        width.acts = (uint8_t)(1 + fb_random_below(random, LOOP_ACTS_MAX));
    if (fb_random_below(random, 2) == 0)
        width.rate = (uint8_t)(1 + fb_random_below(random, 6));
    if (fb_random_below(random, 2) == 0)
        width.commands = (uint8_t)(1 + fb_random_below(random, 16));
    width.rate_min = (uint16_t)fb_random_between(random, 1, 90);
    width.commands_min = (uint16_t)fb_random_between(random, 1, 90);
    return width;
}

/* Loops of any kind with limits of any size; a fault that moves commands only where no slew would
 * be judged by when they arrive. */
static struct row random_row(uint32_t loop, struct kind *kind) {
    struct fb_random random = {loop * UINT64_C(2654435761)};
    const uint8_t k = (uint8_t)fb_random_below(&random, sizeof(kinds) / sizeof(*kinds));
    *kind = kinds[k];
    struct loop_limits *l = &kind->limits;
    const uint32_t first = l->is_switch ? TWO_LIMITS : GENTLE;
    const uint32_t styles = l->is_switch ? AVERAGE + 1 : FOLLOW - GENTLE + 1;
    const uint32_t faults = l->is_switch ? COMMANDS_LATE + 1 : TRIP + 1;
    /* A safe value that nobody claims is not renewed: one that is lost before there was a lease
     * never comes. */
    const bool first_may_be_lost = l->safe == 0;
    for (int on = 0; on <= 1 && l->is_switch; on++)
        l->minimum_us[on] = fb_random_between(&random, 0, 40) * 10 * S;
    l->starts = l->is_switch ? fb_random_below(&random, 8) : 0;
    l->slew = (double)(1 + fb_random_below(&random, 40));
    l->slew_us = fb_random_between(&random, 1, 24) * 5 * S;
    l->reversals = 3 + fb_random_below(&random, 8);
    l->reversals_us = fb_random_between(&random, 2, 30) * MINUTE; /* the breaker is open for 30 */
    l->breaker_safe = fb_random_below(&random, 2);
    /* With a safe active word it would contradict an interlock. */
    if (l->is_switch && l->safe == 0 && fb_random_below(&random, 3) == 0)
        l->maximum_us = fb_random_between(&random, 2, 30) * 30 * S;
    struct row row = {.kind = k,
                      .style = (uint8_t)(first + fb_random_below(&random, styles)),
                      .sensor = (uint8_t)fb_random_below(&random, COARSE + 1),
                      .fault = (uint8_t)fb_random_below(&random, faults),
                      .dead_s = fb_random_below(&random, 121)};
    if (row.fault == COMMANDS_LOST && !first_may_be_lost)
        row.fault = COMMANDS_LATE;
    const struct width width = random_width(&random, &row);
    widen(&width, kind);
    return row;
}

static struct row row_of(uint32_t loop, struct kind *kind) {
    if (loop >= loops_count())
        return random_row(loop, kind);
    const struct row *row = loop < N_ROWS ? &rows[loop] : &wide_rows[loop - N_ROWS].row;
    *kind = kinds[row->kind];
    if (loop >= N_ROWS)
        widen(&wide_rows[loop - N_ROWS].width, kind);
    return *row;
}

struct loop_names loops_names(uint32_t loop) {
    struct kind kind;
    const struct row row = row_of(loop, &kind);
    return (struct loop_names){kind.name, style_names[row.style], sensor_names[row.sensor],
                               fault_names[row.fault], row.dead_s};
}

/* ---- set-up --------------------------------------------------------------------------------- */

static void set_spell(struct loop_setup *setup, struct loop_limits *limits, enum loop_spell spell,
                      int64_t spell_us, int64_t safe_within_us) {
    setup->spell = spell;
    setup->spell_from_us = HOUR;
    setup->spell_us = spell_us;
    limits->safe_within_us = safe_within_us;
}

static void set_fault(const struct row *row, struct loop_setup *setup,
                      struct loop_limits *limits) {
    /* A window of a minute is unknown once a fifth of it is missing and the next sample leaves. */
    const int64_t more_s = row->style == AVERAGE ? 12 + EVERY_S : 0;
    const int64_t stale_us = (STALE_S + more_s) * S + FB_PLANT_STEP_US;
    int64_t held_us;
    switch ((enum fault)row->fault) {
    case NONE:
        break;
    case STUCK:
        set_spell(setup, limits, SPELL_STUCK, 15 * MINUTE, 0);
        break;
    case SILENT:
        set_spell(setup, limits, SPELL_SILENT, 15 * MINUTE, stale_us);
        break;
    case HELD:
        /* Then the default, which is off, after the minimum on: what is held may start again until
         * its claim ends, as after `maximum on`. */
        held_us = stale_us + HELD_MIN * MINUTE;
        if (limits->is_switch)
            held_us += limits->minimum_us[1] + FB_PLANT_STEP_US;
        set_spell(setup, limits, SPELL_SILENT, 15 * MINUTE, limits->safe == 0 ? held_us : 0);
        break;
    case BAD:
        setup->plant.bad_percent = 5;
        break;
    case LOSSY:
        setup->telemetry_lost = 30;
        break;
    case LATE:
        setup->telemetry_late = 30;
        break;
    case ENGINE:
        set_spell(setup, limits, SPELL_ENGINE, 5 * MINUTE, LEASE_S * S + FB_PLANT_STEP_US);
        limits->jitter_us += MINUTE; /* the task's clock may still be so far behind */
        break;
    case TRIP:
        set_spell(setup, limits, SPELL_TRIP, 15 * MINUTE, EVERY_S * S + FB_PLANT_STEP_US);
        limits->lockout_us = limits->is_switch ? LOCKOUT_MIN * MINUTE : 0;
        break;
    case COMMANDS_LOST:
        setup->commands_lost = 10;
        limits->offs_may_be_lost = true;
        limits->jitter_us += LEASE_S * S;
        break;
    case COMMANDS_LATE:
        setup->commands_late = 20;
        limits->jitter_us += 20 * S;
        break;
    case STOPPED: /* once there is no place for a step that is not towards safe */
        set_spell(setup, limits, SPELL_TRIP, 15 * MINUTE, EVERY_S * S + FB_PLANT_STEP_US);
        setup->spell_used =
            limits->commands > 0
                ? (struct loop_used){limits->commands, limits->commands_us - MINUTE, true}
                : (struct loop_used){limits->rate, limits->rate_us - MINUTE, false};
        break;
    }
}

void loops_setup(uint32_t loop, struct loop_setup *setup, struct loop_limits *limits) {
    struct kind kind;
    const struct row row = row_of(loop, &kind);
    *limits = kind.limits;
    limits->jitter_us = FB_PLANT_STEP_US;
    *setup = (struct loop_setup){.plant = kind.plant,
                                 .machines = kind.width.machines > 0 ? kind.width.machines : 1,
                                 .acts = kind.width.acts > 0 ? kind.width.acts : 1,
                                 .full = limits->is_switch ? 1 : 100,
                                 .safe = limits->safe,
                                 .every_us = EVERY_S * S,
                                 .length_us = 4 * HOUR,
                                 .seed = loop + 1};
    setup->plant.inputs[0].dead_us = row.dead_s * S;
    setup->plant.n_inputs = setup->acts;
    for (uint32_t i = 0; i < setup->acts; i++) { /* together they do what one would */
        setup->plant.inputs[i] = setup->plant.inputs[0];
        setup->plant.inputs[i].gain = kind.plant.inputs[0].gain / setup->acts;
    }
    if (row.sensor == NOISY)
        setup->plant.noise = kind.band / 3;
    if (row.sensor == COARSE)
        setup->plant.quantum = kind.band / 2;
    set_fault(&row, setup, limits);
}

/* ---- rules ---------------------------------------------------------------------------------- */

static void print_switch_guards(const struct loop_limits *l, uint32_t guards, struct fb_buf *out) {
    const bool minimum = guards & GUARD_MINIMUM;
    fb_buf_printf(out, "  default off\n  minimum on %ds, off %ds\n",
                  minimum ? (int)(l->minimum_us[1] / S) : 0,
                  minimum ? (int)(l->minimum_us[0] / S) : 0);
    if (guards & GUARD_STARTS && l->starts > 0)
        fb_buf_printf(out, "  starts %u per 1h\n", l->starts);
    if (guards && l->maximum_us > 0)
        fb_buf_printf(out, "  maximum on %ds\n", (int)(l->maximum_us / S));
    if (!(guards & GUARD_BREAKER))
        fb_buf_printf(out, "  breaker 32 reversals in 1s, hold 1s\n");
}

static void print_actuator(const struct row *row, const struct kind *kind, uint32_t guards,
                           const char *name, struct fb_buf *out) {
    const struct loop_limits *l = &kind->limits;
    fb_buf_printf(out, "actuator %s on plant : %s {\n  safe %s\n  lease %ds\n", name,
                  l->is_switch ? "(off, on)" : "number range 0..100",
                  !l->is_switch  ? "0"
                  : l->safe == 1 ? "on"
                                 : "off",
                  LEASE_S);
    if (l->is_switch)
        print_switch_guards(l, guards, out);
    if (guards & GUARD_SLEW && !l->is_switch)
        fb_buf_printf(out, "  slew %d per %ds\n", (int)l->slew, (int)(l->slew_us / S));
    if (guards & GUARD_STEPS && !l->is_switch)
        fb_buf_printf(out, "  ignore steps under 2\n");
    if (guards & GUARD_BREAKER)
        fb_buf_printf(out, "  breaker %u reversals in %dm, %s 30m\n", l->reversals,
                      (int)(l->reversals_us / MINUTE), l->breaker_safe ? "safe" : "hold");
    if (guards && row->fault == HELD)
        fb_buf_printf(out, "  hold at most %dm\n", HELD_MIN);
    if (guards & GUARD_INTERLOCK && row->fault == TRIP)
        fb_buf_printf(out, "  interlock when trip\n");
    if (guards & GUARD_INTERLOCK && row->fault == TRIP && l->is_switch)
        fb_buf_printf(out, "  lockout %dm after interlock\n", LOCKOUT_MIN);
    fb_buf_printf(out, "}\n");
}

/* `x < target - off`, seen from the side on which the actuator has to work. */
static void print_limit(const struct kind *kind, bool needed, double off, struct fb_buf *out) {
    const double limit = kind->raises ? kind->target - off : kind->target + off;
    fb_buf_printf(out, "x %s %g", kind->raises == needed ? "<" : ">", limit);
}

static void print_start(const struct row *row, const struct kind *kind, bool keeps_until,
                        struct fb_buf *out) {
    const double band = kind->band;
    const bool delays = keeps_until && row->style == SHORT_DELAY;
    const bool two = keeps_until && row->style == TWO_LIMITS;
    fb_buf_printf(out, "  start when ");
    if (row->style == TREND) {
        fb_buf_printf(out, "change(x) %s 0 and ", kind->raises ? "<" : ">");
        print_limit(kind, true, -band, out);
    } else if (row->style == AVERAGE) {
        fb_buf_printf(out, "avg(x over 1m) %s %g", kind->raises ? "<" : ">", kind->target);
    } else {
        print_limit(kind, true, two ? band : 0, out);
    }
    if (delays)
        fb_buf_printf(out, " for 10s");
    if (two) {
        fb_buf_printf(out, " until ");
        print_limit(kind, false, -band, out);
    }
    fb_buf_printf(out, "\n");
}

static void print_tail(const struct row *row, const struct kind *kind, uint32_t guards,
                       struct fb_buf *out) {
    if (guards & GUARD_RATE && kind->limits.rate > 0)
        fb_buf_printf(out, "  at most %u per %ds\n", kind->limits.rate,
                      (int)(kind->limits.rate_us / S));
    fb_buf_printf(out, "  on unknown %s\n  rollout armed\n}\n",
                  row->fault == HELD ? "hold" : "safe");
}

static void print_rivals(const struct row *row, const struct kind *kind, uint32_t guards,
                         struct fb_buf *out) {
    const bool is_switch = kind->limits.is_switch;
    fb_buf_printf(out, "control more on plant {\n  start when ");
    print_limit(kind, true, -kind->band, out);
    fb_buf_printf(out, "\n  command act = %s\n", is_switch ? "on" : "90");
    print_tail(row, kind, guards, out);
    fb_buf_printf(out, "control less on plant {\n  start when ");
    print_limit(kind, false, kind->band, out);
    fb_buf_printf(out, "\n  command act = %s at priority 11\n", is_switch ? "off" : "10");
    print_tail(row, kind, guards, out);
}

/* Two states; with room between the ways there and back where it is a sensible one. */
static void print_mode(const struct row *row, const struct kind *kind, uint32_t guards,
                       struct fb_buf *out) {
    const bool room = guards & GUARD_UNTIL && row->style == MODE;
    fb_buf_printf(out, "mode keep on plant {\n  state rest { go work when ");
    print_limit(kind, true, room ? kind->band : 0, out);
    fb_buf_printf(out, " }\n  state work {\n    command act = on\n    go rest when ");
    print_limit(kind, false, room ? -kind->band : 0, out);
    fb_buf_printf(out, "\n  }\n");
    print_tail(row, kind, guards, out);
}

static void print_command(const struct row *row, const struct kind *kind, const char *name,
                          struct fb_buf *out) {
    const double gain = row->style == STEEP ? 10 * kind->gain : kind->gain;
    fb_buf_printf(out, "  command %s = ", name);
    switch ((enum style)row->style) {
    case GENTLE:
    case STEEP:
        fb_buf_printf(out, "clamp(%g + %g * (%g - x), 0..100)\n", kind->middle, gain, kind->target);
        break;
    case FOLLOW:
        fb_buf_printf(out, "clamp(position + %g * (%g - x), 0..100)\n", gain, kind->target);
        break;
    case STOP:
        fb_buf_printf(out, "if trip then 0 else clamp(%g + %g * (%g - x), 0..100)\n", kind->middle,
                      gain, kind->target);
        break;
    default:
        fb_buf_printf(out, "if x < %g then 100 else 0\n", kind->target);
        break;
    }
}

static void print_number(const struct row *row, const struct kind *kind, uint32_t guards,
                         struct fb_buf *out) {
    fb_buf_printf(out, "control keep on plant {\n");
    print_command(row, kind, "act", out);
    if (kind->width.acts == 2)
        print_command(row, kind, "act2", out);
    print_tail(row, kind, guards, out);
}

void loops_rules(uint32_t loop, uint32_t guards, struct fb_buf *out) {
    struct kind kind;
    const struct row row = row_of(loop, &kind);
    fb_buf_printf(out,
                  "device plant from \"plants\" {\n"
                  "  key id\n  time ts [us]\n"
                  "  x : number every %ds, stale after %ds\n"
                  "  position : number stale after %ds\n"
                  "  trip : bool stale after %ds\n}\n",
                  EVERY_S, STALE_S, STALE_S, STALE_S);
    print_actuator(&row, &kind, guards, "act", out);
    if (kind.width.acts == 2)
        print_actuator(&row, &kind, guards, "act2", out);
    if (guards & GUARD_COMMANDS && kind.limits.commands > 0)
        fb_buf_printf(out, "commands at most %u per %ds\n", kind.limits.commands,
                      (int)(kind.limits.commands_us / S));
    if (row.style == RIVALS) {
        print_rivals(&row, &kind, guards, out);
    } else if (row.style == MODE || row.style == NO_ROOM) {
        print_mode(&row, &kind, guards, out);
    } else if (row.style < GENTLE) {
        fb_buf_printf(out, "control keep on plant {\n");
        print_start(&row, &kind, guards & GUARD_UNTIL, out);
        fb_buf_printf(out, "  command act = on\n");
        print_tail(&row, &kind, guards, out);
    } else {
        print_number(&row, &kind, guards, out);
    }
}
