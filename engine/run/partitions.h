/* The partitions that are a worker's at the moment, with their tasks and how far these are put out.
 *
 * Place in the flow: run/worker fills them when its source says which partitions are its own, finds
 * a record's task in them and empties them when they are taken from it; run/commit goes over them.
 * One owner, no threads. */
#ifndef FB_RUN_PARTITIONS_H
#define FB_RUN_PARTITIONS_H

#include "engine/run/task.h"

struct fb_partition {
    int32_t number;
    struct fb_task *task;        /* NULL: halted, its state cannot be had */
    struct fb_task_stats before; /* what it had done for other workers */
    bool moved;                  /* it has a position that is not committed */
    uint32_t put;                /* how many outputs of its batch the sink has already */
    int64_t *ends;               /* of each route's topic, as the source said last; -1: not known */
    uint64_t *topics;            /* of each route, as the crumbs name them */
};

struct fb_partitions {
    struct fb_partition *items;
    size_t n, cap;
};

/* Not their tasks. */
void fb_partitions_free(struct fb_partitions *parts);
/* task: NULL where the partition is halted. It lives until the next is added. */
struct fb_partition *fb_partitions_add(struct fb_partitions *parts, int32_t number,
                                       struct fb_task *task);
/* Empties them; the tasks are the caller's. */
void fb_partitions_clear(struct fb_partitions *parts);
struct fb_partition *fb_partitions_find(const struct fb_partitions *parts,
                                        int32_t number); /* NULL: none */
unsigned fb_partitions_halted(const struct fb_partitions *parts);
/* Of the outputs of all tasks that are not committed. */
size_t fb_partitions_bytes(const struct fb_partitions *parts);

/* Of its task, which must be there. */
const struct fb_routes *fb_partition_routes(const struct fb_partition *part);
/* Where its task goes on in a route's topic, without a note; next -1: it does not read that one. */
struct fb_position fb_partition_position(const struct fb_partition *part, uint32_t route);
/* At the end of all its topics, as far as the source knows. */
bool fb_partition_is_at_end(const struct fb_partition *part);
/* Adds what its task has done for this worker. */
void fb_partition_add_stats(const struct fb_partition *part, struct fb_task_stats *sum);
/* As fb_task_change. */
void fb_partition_change(struct fb_partition *part, struct fb_bundle *bundle, struct fb_str build,
                         int64_t wall_us);

#endif
