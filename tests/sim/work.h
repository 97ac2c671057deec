/* What the engines of a simulation are given to do: rules, and device events from a seed.
 *
 * Place in the flow: tests/sim/run appends the events to the modelled topics; the rules have alarms
 * with delays, windows, timers and silence in them, so that order, clock and state all show. */
#ifndef FB_SIM_WORK_H
#define FB_SIM_WORK_H

#include "tests/sim/world.h"

/* At least once loses all state with its process, so what is put out cannot be told from the input
 * alone. What can be told is an event that has nothing but its record behind it. */
struct fb_buf sim_rules_of_least(int topics);
/* The rules for so many topics, 1 or 2; `variant` 0 to SIM_RULES - 1: other thresholds, windows,
 * delays and fields, alarms less and more. The caller frees the text. */
struct fb_buf sim_rules(int topics, int variant);
/* How often the rule of this name may act on one machine; empty: all rules on all machines. n 0: it
 * is not limited. */
struct sim_rate {
    uint32_t n;
    int64_t per_us;
};
enum { SIM_RATE_MAX = 16 };
struct sim_rate sim_rate(int variant, struct fb_str rule);
/* On how many machines it may act. */
bool sim_has_fleet(int variant, struct fb_str rule);
/* Names of the topics that the rules read. */
extern const char *const sim_inputs[2];

/* Appends one event, or a record that is none. */
void sim_event(struct sim_world *world, int64_t now_us);

/* Hours before the start at which stored input begins. */
enum { SIM_STORED_HOURS = 6 };

#endif
