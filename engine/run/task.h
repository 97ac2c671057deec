/* One partition: its decoders, its core, its clock, its positions and what it wants to put out.
 *
 * Place in the flow: run/worker hands it records and ticks; its batch goes to the sink. One owner;
 * knows nothing of threads, brokers or wall clocks but what it is told. */
#ifndef FB_RUN_TASK_H
#define FB_RUN_TASK_H

#include "connectors/connector.h"
#include "engine/core/core.h"
#include "engine/run/batch.h"
#include "engine/run/routes.h"

struct fb_task_config {
    const struct fb_program *program;
    const struct fb_routes *routes;
    struct fb_str application;
    int64_t max_age_us; /* what was decided for a time further back is `historical` */
    struct fb_core_config core;
    struct fb_room room; /* for outputs that are not safe yet */
    bool lines; /* outputs as lines of structured events, not as headers and values */
};

struct fb_task_stats {
    uint64_t records, entries, dead;
    struct fb_core_stats core;
};

struct fb_task;

struct fb_task *fb_task_new(const struct fb_task_config *config, int32_t partition);
void fb_task_free(struct fb_task *task);

int32_t fb_task_partition(const struct fb_task *task);
/* Where the task goes on in each topic of the routes; -1: it does not read that one. Set at the
 * start; each record moves it on. */
int64_t fb_task_next(const struct fb_task *task, uint32_t route);
void fb_task_set_next(struct fb_task *task, uint32_t route, int64_t offset);

/* Takes a record of one of the topics, read at wall_us; everything it causes is in the batch. */
void fb_task_record(struct fb_task *task, uint32_t route, const struct fb_record *record,
                    int64_t wall_us);
/* Nothing is left to read at wall_us: what is due by the clock fires. */
void fb_task_tick(struct fb_task *task, int64_t wall_us);

struct fb_batch *fb_task_batch(struct fb_task *task);
struct fb_task_stats fb_task_stats(const struct fb_task *task);

#endif
