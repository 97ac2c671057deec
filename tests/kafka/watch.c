#include "tests/kafka/watch.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/err.h"

enum { OWNERS_MAX = 64, NAME_MAX_BYTES = 200, LOOK_US = 5000, ANSWER_MS = 2000 };

struct owner {
    char name[NAME_MAX_BYTES];
    int64_t committed_ms;
};

struct seen {
    int64_t offset;
    unsigned long long seq;
    int64_t moved_ms, still_ms; /* 0: never; the longest between two moves */
};

struct fb_watch {
    const char *address, *group, *topic;
    int partitions;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    bool over;
    struct seen *seen;
    struct owner owners[OWNERS_MAX];
    unsigned n_owners, back;
};

int64_t fb_watch_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static rd_kafka_t *client(const struct fb_watch *watch) {
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    /* Not the stable positions: those would wait for whoever is stopped in a transaction. */
    FB_ASSERT(!rd_kafka_conf_set(conf, "bootstrap.servers", watch->address, why, sizeof why) &&
              !rd_kafka_conf_set(conf, "group.id", watch->group, why, sizeof why) &&
              !rd_kafka_conf_set(conf, "isolation.level", "read_uncommitted", why, sizeof why) &&
              !rd_kafka_conf_set(conf, "reconnect.backoff.max.ms", "200", why, sizeof why) &&
              !rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why));
    rd_kafka_t *made = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    FB_ASSERT(made);
    return made;
}

static struct owner *owner_of(struct fb_watch *watch, const char *name) {
    for (unsigned i = 0; i < watch->n_owners; i++)
        if (strcmp(watch->owners[i].name, name) == 0)
            return &watch->owners[i];
    FB_ASSERT(watch->n_owners < OWNERS_MAX);
    struct owner *owner = &watch->owners[watch->n_owners++];
    snprintf(owner->name, sizeof owner->name, "%s", name);
    return owner;
}

static void note_still(struct seen *seen, int64_t now_ms) {
    if (seen->moved_ms && now_ms - seen->moved_ms > seen->still_ms)
        seen->still_ms = now_ms - seen->moved_ms;
}

static void note_move(struct seen *seen) {
    int64_t now_ms = fb_watch_now_ms();
    note_still(seen, now_ms);
    seen->moved_ms = now_ms;
}

static void look_at(struct fb_watch *watch, const rd_kafka_topic_partition_t *one) {
    char note[NAME_MAX_BYTES + 32] = "";
    char name[NAME_MAX_BYTES] = "";
    struct seen *before = &watch->seen[one->partition];
    if (one->offset < 0 || one->err)
        return;
    struct seen now = *before;
    now.offset = one->offset;
    now.seq = 0;
    if (one->metadata_size < sizeof note && one->metadata)
        memcpy(note, one->metadata, one->metadata_size);
    bool named = sscanf(note, "%llu %199s", &now.seq, name) == 2;
    if (now.offset < before->offset || now.seq < before->seq) {
        fprintf(stderr, "watch: %s [%d] went back from %lld (commit %llu) to %lld (%llu)\n",
                one->topic, (int)one->partition, (long long)before->offset, before->seq,
                (long long)now.offset, now.seq);
        watch->back++;
    }
    if (named && now.seq != before->seq)
        owner_of(watch, name)->committed_ms = fb_watch_now_ms();
    if (now.offset > before->offset)
        note_move(&now);
    *before = now;
}

static void *watch_main(void *context) {
    struct fb_watch *watch = context;
    rd_kafka_t *rk = client(watch);
    for (bool over = false; !over; usleep(LOOK_US)) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        for (int32_t p = 0; p < watch->partitions; p++)
            rd_kafka_topic_partition_list_add(list, watch->topic, p);
        rd_kafka_resp_err_t code = rd_kafka_committed(rk, list, ANSWER_MS);
        pthread_mutex_lock(&watch->lock);
        for (int i = 0; i < list->cnt && !code; i++)
            look_at(watch, &list->elems[i]);
        over = watch->over;
        pthread_mutex_unlock(&watch->lock);
        rd_kafka_topic_partition_list_destroy(list);
        rd_kafka_poll(rk, 0);
    }
    rd_kafka_destroy(rk);
    return NULL;
}

struct fb_watch *fb_watch_start(const char *address, const char *group, const char *topic,
                                int partitions) {
    struct fb_watch *watch = calloc(1, sizeof *watch);
    FB_ASSERT(watch);
    watch->address = address;
    watch->group = group;
    watch->topic = topic;
    watch->partitions = partitions;
    watch->seen = calloc((size_t)partitions, sizeof *watch->seen);
    FB_ASSERT(watch->seen && pthread_mutex_init(&watch->lock, NULL) == 0);
    FB_ASSERT(pthread_create(&watch->thread, NULL, watch_main, watch) == 0);
    return watch;
}

unsigned fb_watch_end(struct fb_watch *watch) {
    pthread_mutex_lock(&watch->lock);
    watch->over = true;
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    unsigned back = watch->back;
    pthread_mutex_destroy(&watch->lock);
    free(watch->seen);
    free(watch);
    return back;
}

int64_t fb_watch_total(struct fb_watch *watch) {
    int64_t sum = 0;
    pthread_mutex_lock(&watch->lock);
    for (int p = 0; p < watch->partitions; p++)
        sum += watch->seen[p].offset;
    pthread_mutex_unlock(&watch->lock);
    return sum;
}

int64_t fb_watch_position(struct fb_watch *watch, int32_t partition) {
    pthread_mutex_lock(&watch->lock);
    int64_t offset = watch->seen[partition].offset;
    pthread_mutex_unlock(&watch->lock);
    return offset;
}

int64_t fb_watch_still_ms(struct fb_watch *watch) {
    int64_t longest = 0, now_ms = fb_watch_now_ms();
    pthread_mutex_lock(&watch->lock);
    for (int p = 0; p < watch->partitions; p++) {
        struct seen *seen = &watch->seen[p];
        note_still(seen, now_ms);
        if (seen->still_ms > longest)
            longest = seen->still_ms;
        seen->still_ms = 0;
        if (seen->moved_ms)
            seen->moved_ms = now_ms;
    }
    pthread_mutex_unlock(&watch->lock);
    return longest;
}

int64_t fb_watch_committed_ms(struct fb_watch *watch, const char *owner) {
    pthread_mutex_lock(&watch->lock);
    int64_t at = owner_of(watch, owner)->committed_ms;
    pthread_mutex_unlock(&watch->lock);
    return at;
}
