/* The partitions that are a worker's at the moment. */
#include "engine/run/partitions.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/run/crumbs.h"
#include "engine/run/task_commit.h"

const struct fb_routes *fb_partition_routes(const struct fb_partition *part) {
    return &fb_task_bundle(part->task)->routes;
}

struct fb_partition *fb_partitions_find(const struct fb_partitions *parts, int32_t number) {
    for (size_t i = 0; i < parts->n; i++)
        if (parts->items[i].number == number)
            return &parts->items[i];
    return NULL;
}

/* What is kept for each route of the task's bundle. */
static void number_routes(struct fb_partition *part) {
    const struct fb_routes *routes = fb_partition_routes(part);
    part->ends = fb_alloc((routes->n + 1) * sizeof *part->ends);
    part->topics = fb_alloc((routes->n + 1) * sizeof *part->topics);
    for (uint32_t r = 0; r < routes->n; r++) {
        part->ends[r] = -1;
        part->topics[r] = fb_crumb_topic(fb_str_of(routes->items[r].topic));
    }
}

struct fb_partition *fb_partitions_add(struct fb_partitions *parts, int32_t number,
                                       struct fb_task *task) {
    FB_PUSH_ROOM(parts->items, parts->n, parts->cap);
    struct fb_partition *part = &parts->items[parts->n++];
    *part = (struct fb_partition){.number = number, .task = task};
    if (!task)
        return part;
    part->before = fb_task_stats(task);
    part->moved = true; /* a beginning that nobody committed is committed soon */
    number_routes(part);
    return part;
}

void fb_partitions_clear(struct fb_partitions *parts) {
    for (size_t i = 0; i < parts->n; i++) {
        free(parts->items[i].ends);
        free(parts->items[i].topics);
    }
    parts->n = 0;
}

void fb_partitions_free(struct fb_partitions *parts) {
    fb_partitions_clear(parts);
    free(parts->items);
    *parts = (struct fb_partitions){0};
}

unsigned fb_partitions_halted(const struct fb_partitions *parts) {
    unsigned n = 0;
    for (size_t i = 0; i < parts->n; i++)
        n += parts->items[i].task == NULL;
    return n;
}

size_t fb_partitions_bytes(const struct fb_partitions *parts) {
    size_t bytes = 0;
    for (size_t i = 0; i < parts->n; i++)
        if (parts->items[i].task)
            bytes += fb_batch_bytes(fb_task_batch(parts->items[i].task));
    return bytes;
}

struct fb_position fb_partition_position(const struct fb_partition *part, uint32_t route) {
    return (struct fb_position){.topic = fb_str_of(fb_partition_routes(part)->items[route].topic),
                                .partition = part->number,
                                .next = fb_task_next(part->task, route)};
}

bool fb_partition_is_at_end(const struct fb_partition *part) {
    if (!part->task)
        return false;
    for (uint32_t r = 0; r < fb_partition_routes(part)->n; r++) {
        int64_t next = fb_task_next(part->task, r);
        if (next >= 0 && (part->ends[r] < 0 || next < part->ends[r]))
            return false;
    }
    return true;
}

void fb_partition_add_stats(const struct fb_partition *part, struct fb_task_stats *sum) {
    if (!part->task)
        return;
    struct fb_task_stats one = fb_task_stats(part->task);
    const struct fb_task_stats *before = &part->before;
    sum->records += one.records - before->records;
    sum->dead += one.dead - before->dead;
    sum->core.alerts += one.core.alerts - before->core.alerts;
    sum->core.events += one.core.events - before->core.events;
    sum->core.late += one.core.late - before->core.late;
    sum->core.future += one.core.future - before->core.future;
}

void fb_partition_change(struct fb_partition *part, struct fb_bundle *bundle, struct fb_str build,
                         int64_t wall_us) {
    struct fb_partition before = *part;
    const struct fb_bundle *from = fb_task_bundle(part->task);
    struct fb_bundle *old = fb_bundle_keep((struct fb_bundle *)(uintptr_t)from);
    fb_task_change(part->task, bundle, build, wall_us);
    number_routes(part);
    for (uint32_t r = 0; r < old->routes.n; r++) {
        uint32_t route =
            fb_routes_find(fb_partition_routes(part), fb_str_of(old->routes.items[r].topic));
        if (route != UINT32_MAX)
            part->ends[route] = before.ends[r];
    }
    free(before.ends);
    free(before.topics);
    fb_bundle_drop(old);
}
