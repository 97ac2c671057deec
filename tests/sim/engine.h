/* The engine as the simulator knows it: configuration of its workers, and its topics.
 *
 * Place in the flow: tests/sim/run starts processes by it, tests/sim/check takes their journals
 * again by it. */
#ifndef FB_SIM_ENGINE_H
#define FB_SIM_ENGINE_H

#include "engine/run/task.h"
#include "tests/sim/world.h"

extern const char *const sim_stream_names[FB_STREAMS];

/* Of tasks that are no part of a worker. journalled: they audit as those of workers do. */
const struct fb_task_config *sim_reference_config(bool journalled);

/* A process starts, with the plan's number of workers, by the variant of the rules that is
 * deployed, or sometimes by one that is older. */
void sim_process_start(struct sim_process *process, struct fb_bundle *const rules[SIM_RULES]);
/* To be called when a process has ended: frees what it had. False: a worker failed, *why says
 * why. */
bool sim_process_clean_up(struct sim_process *process, struct fb_err *why);

#endif
