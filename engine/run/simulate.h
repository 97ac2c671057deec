/* Rules in a closed loop: a fleet of modelled plants sends telemetry, the engine's commands act on
 * it.
 *
 * Place in the flow: plants -> lines -> core -> encoder -> files, and from the core's commands over
 * lines and receivers back to the plants. One thread, one seed: the same bytes every time. */
#ifndef FB_RUN_SIMULATE_H
#define FB_RUN_SIMULATE_H

#include "engine/base/err.h"
#include "engine/codec/encode.h"
#include "engine/core/core.h"
#include "engine/plant/plant_file.h"

enum { FB_FLEET_MAX = 10000 };

struct fb_simulate_options {
    const struct fb_program *program;
    const struct fb_plant_file *file;
    const char *file_name; /* for messages */
    uint32_t fleet;        /* how many plants, at least 1 */
    uint64_t seed;
    int64_t start_us, length_us;
    struct fb_str application; /* part of the ids */
    bool audit;
    uint8_t rules[32]; /* the bundle's hash, for the audit */
    const char *build;
    /* One line of NDJSON, with its end. False: it could not be written (err says why). */
    bool (*write)(void *context, enum fb_stream stream, struct fb_str line, struct fb_err *err);
    /* Each record before it is taken, each output as it comes; may be NULL. */
    void (*record)(void *context, const struct fb_entry *entry);
    void (*watch)(void *context, const struct fb_output *output, struct fb_str message);
    /* Now and then, for a progress line; may be NULL. */
    void (*progress)(void *context, int64_t done_us, int64_t length_us);
    void *context;
};

/* Of one process over the whole fleet; the value is the true one, not the measured. */
struct fb_process_figures {
    double least, greatest;
    double in_band;   /* share of the time; 1 without a band */
    double overshoot; /* how far beyond the band at most, once it had been within; 0: never */
};

struct fb_simulate_result {
    uint64_t records, lost, commands_lost, lapsed; /* lapsed: leases that ended in the device's own
                                                    * fail-safe */
    struct fb_process_figures processes[FB_PLANT_PARTS_MAX]; /* in the order of the file */
    struct fb_core_stats stats;
};

/* False: the file does not fit the rules, or an output could not be written (FB_FATAL). */
bool fb_simulate(const struct fb_simulate_options *options, struct fb_simulate_result *result,
                 struct fb_err *err);

#endif
