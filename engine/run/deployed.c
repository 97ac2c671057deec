/* Which rules are in force. */
#include "engine/run/deployed.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/base/log.h"
#include "engine/base/planted.h"
#include "engine/run/deployments.h"
#include "engine/run/topics.h"

enum { SLICE_US = 50000, SLICES = 20 /* between two looks */ };

struct fb_deployed {
    struct fb_deployed_config config;
    pthread_mutex_t lock;
    struct fb_bundle *bundle; /* in force */
    struct fb_deployments all;
    atomic_bool drains;
    /* Numbers of looks: the last that began, that went well, that somebody asked for. */
    atomic_ullong begun, done, asked;
    bool looked; /* once at least */
    bool trouble_told;
    pthread_t thread;
    bool running;
};

/* "offset 4 of app.rules by ann@host at 2026-..". */
static void put_place(const struct fb_deployed *deployed, const struct fb_deployment *item,
                      char *text, size_t room) {
    snprintf(text, room, "offset %lld of %s by %s at %s", (long long)item->offset,
             deployed->config.topic, item->by[0] ? item->by : "?", item->at[0] ? item->at : "?");
}

static void refuse(struct fb_deployed *deployed, const struct fb_deployment *item,
                   const char *why) {
    char place[400], text[1024];
    put_place(deployed, item, place, sizeof place);
    snprintf(text, sizeof text, "rules %s are refused: %.*s", item->name, (int)strcspn(why, "\n"),
             why);
    fb_log(FB_LOG_ERROR, "%s (%s); rules %s run on", text, place, deployed->bundle->name);
    fb_board_note(deployed->config.board, text);
}

static void put_in_force(struct fb_deployed *deployed, struct fb_bundle *bundle) {
    pthread_mutex_lock(&deployed->lock);
    struct fb_bundle *old = deployed->bundle;
    deployed->bundle = bundle;
    pthread_mutex_unlock(&deployed->lock);
    fb_bundle_drop(old);
}

/* False: it is refused, and told. */
static bool use(struct fb_deployed *deployed, const struct fb_deployment *item) {
    struct fb_err err;
    char place[400];
    if (memcmp(item->hash, deployed->bundle->hash, sizeof item->hash) == 0)
        return true;
    struct fb_bundle *bundle =
        fb_bundle_parse((struct fb_str){item->bytes.p, item->bytes.n}, NULL, &err);
    if (!bundle) {
        refuse(deployed, item, err.text);
        return false;
    }
    if (deployed->config.config &&
        !fb_topics_may_be_commanded(deployed->config.config, bundle->program, &err)) {
        fb_bundle_drop(bundle);
        refuse(deployed, item, err.text);
        return false;
    }
    if (!fb_bundle_reads_the_same(bundle, deployed->config.bundle)) {
        fb_bundle_drop(bundle);
        refuse(deployed, item,
               "they read other topics than this instance: restart it with these rules");
        return false;
    }
    put_place(deployed, item, place, sizeof place);
    if (!deployed->looked)
        fb_log(FB_LOG_WARN,
               "rules %s are in force (%s), not %s of --rules: deploy those (flyball deploy), or "
               "start with the deployed ones",
               bundle->name, place, deployed->config.bundle->name);
    else
        fb_log(FB_LOG_INFO, "rules %s are deployed (%s)", bundle->name, place);
    put_in_force(deployed, bundle);
    return true;
}

bool fb_deployed_look(struct fb_deployed *deployed, struct fb_err *err) {
    struct fb_deployments *all = &deployed->all;
    *err = (struct fb_err){0};
    unsigned long long look = atomic_fetch_add(&deployed->begun, 1) + 1;
    bool sure = !deployed->looked || atomic_load(&deployed->asked) >= look;
    if (!fb_deployments_read(all, deployed->config.history, deployed->config.topic, sure, err))
        return false;
    for (size_t i = 0; i < all->n; i++) {
        const struct fb_deployment *item = &all->items[i];
        if (item->kind == FB_DEPLOYED_DRAIN && (deployed->looked || FB_PLANTED(DRAIN_EVERY_START)))
            atomic_store(&deployed->drains, true); /* an older one was for who ran then */
        if (item->kind == FB_DEPLOYED_DAMAGED)
            fb_log(FB_LOG_WARN, "the record at offset %lld of %s is not one of flyball's",
                   (long long)item->offset, deployed->config.topic);
    }
    if (fb_deployments_last(all, SIZE_MAX, NULL))
        fb_board_note(deployed->config.board, "");
    /* The newest that can run, so that a restart finds the same in force as before. */
    for (size_t i = FB_PLANTED(RULES_OF_START) && !deployed->looked ? 0 : all->n; i-- > 0;) {
        const struct fb_deployment *item =
            &all->items[FB_PLANTED(DEPLOYED_FIRST) ? all->n - 1 - i : i];
        if (item->kind == FB_DEPLOYED_RULES && use(deployed, item))
            break;
    }
    fb_deployments_clear(all);
    deployed->looked = true;
    atomic_store(&deployed->done, look);
    return true;
}

static void *thread_main(void *context) {
    struct fb_deployed *deployed = context;
    while (!atomic_load(deployed->config.stop)) {
        struct fb_err err;
        for (int i = 0;
             i < SLICES && !atomic_load(deployed->config.stop) && !fb_deployed_is_asked(deployed);
             i++)
            usleep(SLICE_US);
        bool ok = atomic_load(deployed->config.stop) || fb_deployed_look(deployed, &err);
        if (!ok && !deployed->trouble_told && !atomic_load(deployed->config.stop))
            fb_log(FB_LOG_WARN, "cannot look for newly deployed rules: %s", err.text);
        deployed->trouble_told = !ok;
    }
    return NULL;
}

struct fb_deployed *fb_deployed_open(const struct fb_deployed_config *config, struct fb_err *err) {
    struct fb_deployed *deployed = fb_alloc(sizeof *deployed);
    deployed->config = *config;
    deployed->bundle = fb_bundle_keep(config->bundle);
    FB_ASSERT(pthread_mutex_init(&deployed->lock, NULL) == 0);
    atomic_init(&deployed->drains, false);
    atomic_init(&deployed->begun, 0);
    atomic_init(&deployed->done, 0);
    atomic_init(&deployed->asked, 0);
    deployed->looked = config->is_absent; /* what comes to stand there came after this look */
    if (config->is_absent || fb_deployed_look(deployed, err))
        return deployed;
    fb_deployed_close(deployed);
    return NULL;
}

bool fb_deployed_start(struct fb_deployed *deployed, struct fb_err *err) {
    int code = pthread_create(&deployed->thread, NULL, thread_main, deployed);
    deployed->running = code == 0;
    return code == 0 || fb_fail(err, FB_FATAL, "cannot start a thread: %s", strerror(code));
}

void fb_deployed_close(struct fb_deployed *deployed) {
    if (!deployed)
        return;
    if (deployed->running)
        pthread_join(deployed->thread, NULL);
    deployed->config.history->calls->close(deployed->config.history);
    fb_deployments_free(&deployed->all);
    fb_bundle_drop(deployed->bundle);
    pthread_mutex_destroy(&deployed->lock);
    free(deployed);
}

struct fb_bundle *fb_deployed_wanted(struct fb_deployed *deployed, struct fb_bundle *otherwise) {
    if (!deployed)
        return fb_bundle_keep(otherwise);
    pthread_mutex_lock(&deployed->lock);
    struct fb_bundle *bundle = fb_bundle_keep(deployed->bundle);
    pthread_mutex_unlock(&deployed->lock);
    return bundle;
}

uint64_t fb_deployed_ask(struct fb_deployed *deployed) {
    uint64_t look = atomic_load(&deployed->begun) + 1;
    atomic_store(&deployed->asked, look);
    return look;
}

bool fb_deployed_has_looked(const struct fb_deployed *deployed, uint64_t look) {
    return atomic_load(&deployed->done) >= look;
}

bool fb_deployed_is_asked(const struct fb_deployed *deployed) {
    return atomic_load(&deployed->asked) > atomic_load(&deployed->begun);
}

bool fb_deployed_drains(const struct fb_deployed *deployed) {
    return atomic_load(&deployed->drains);
}
