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

/* Where some rules command the fans of machines, in place of the topic of commands. */
#define SIM_FANS_TOPIC "fans"

/* Where rules are deployed and processes are asked to drain; one partition. */
#define SIM_RULES_TOPIC "rules"

/* A process starts: it looks which rules are deployed, then starts the plan's number of workers,
 * and goes on looking. */
void sim_process_start(struct sim_process *process);
/* It has looked once: what is asked from now on is asked of it. */
bool sim_process_listens(const struct sim_process *process);
/* From now on this variant of the rules is to be in force. */
void sim_in_force(struct sim_world *world, int variant);
/* Somebody deploys a variant of the rules, or something that nobody can use. */
void sim_deploy(struct sim_world *world);
void sim_ask_to_drain(struct sim_world *world);
/* The process is about to be killed: what its mapped files hold now is what the next one finds. */
void sim_process_dies(struct sim_process *process);
/* To be called when a process has ended: frees what it had. False: a worker failed, *why says
 * why. */
bool sim_process_clean_up(struct sim_process *process, struct fb_err *why);

/* The crumbs of the process that runs say that the record ended it twice. */
bool sim_is_poison(const struct sim_process *process, const struct fb_record *record);
/* Files that processes leave behind: before a run, and after the last. */
void sim_files_begin(void);
void sim_files_end(void);

#endif
