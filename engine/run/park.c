/* A short list behind a lock: it is touched at rebalances only. */
#include "engine/run/park.h"

#include <pthread.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

struct waiting {
    struct fb_task *task;
    int64_t since_us;
};

struct fb_park {
    pthread_mutex_t lock;
    int64_t keep_us;
    struct waiting *items;
    uint32_t n, cap;
};

struct fb_park *fb_park_new(int64_t keep_us) {
    struct fb_park *park = fb_alloc(sizeof *park);
    park->keep_us = keep_us;
    FB_ASSERT(pthread_mutex_init(&park->lock, NULL) == 0);
    return park;
}

void fb_park_free(struct fb_park *park) {
    if (!park)
        return;
    for (uint32_t i = 0; i < park->n; i++)
        fb_task_free(park->items[i].task);
    free(park->items);
    pthread_mutex_destroy(&park->lock);
    free(park);
}

static struct fb_task *remove_at(struct fb_park *park, uint32_t i) {
    struct fb_task *task = park->items[i].task;
    park->items[i] = park->items[--park->n];
    return task;
}

static struct fb_task *find(struct fb_park *park, int32_t partition, int64_t now_us) {
    struct fb_task *found = NULL;
    for (uint32_t i = park->n; i-- > 0;) {
        if (fb_task_partition(park->items[i].task) == partition)
            found = remove_at(park, i);
        else if (now_us - park->items[i].since_us > park->keep_us)
            fb_task_free(remove_at(park, i));
    }
    return found;
}

void fb_park_leave(struct fb_park *park, struct fb_task *task, int64_t now_us) {
    pthread_mutex_lock(&park->lock);
    fb_task_free(find(park, fb_task_partition(task), now_us));
    FB_PUSH_ROOM(park->items, park->n, park->cap);
    park->items[park->n++] = (struct waiting){task, now_us};
    pthread_mutex_unlock(&park->lock);
}

struct fb_task *fb_park_take(struct fb_park *park, int32_t partition, int64_t now_us) {
    pthread_mutex_lock(&park->lock);
    struct fb_task *task = find(park, partition, now_us);
    pthread_mutex_unlock(&park->lock);
    return task;
}
