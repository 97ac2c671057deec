/* Gets the task of a partition that has just become a worker's. */
#include "engine/run/takeover.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/log.h"
#include "engine/base/planted.h"
#include "engine/run/restore.h"
#include "engine/run/task_commit.h"

enum {
    AGAIN_US = 1000000,
    TOLD_EVERY_US = 5000000,
    MARKER_US = 20000,     /* between two looks whether the journal shows a commit now */
    MARKERS_US = 60000000, /* how long that may take */
    LOOKED_US = 10000,     /* between two looks whether the rules topic was looked into */
    SHOWN_US = 3000000     /* how long the ends must say that nothing comes: one that was the leader
                            * until now might answer */
};

/* What the group knows of the partition. */
struct committed {
    uint64_t seq; /* 0: no note */
    struct fb_str owner;
    bool fresh; /* no position either */
};

static struct committed committed_of(int32_t partition, const struct fb_position *positions,
                                     uint32_t n) {
    struct committed committed = {.fresh = true};
    for (uint32_t i = 0; i < n; i++) {
        if (positions[i].partition != partition)
            continue;
        committed.fresh &= positions[i].fresh;
        if (positions[i].note.p)
            fb_journal_note_parse(positions[i].note, &committed.seq, &committed.owner);
    }
    return committed;
}

/* At least once there is no note, but a task may go on if nobody was further meanwhile: what lies
 * before was taken by this very state. */
static bool nobody_was_further(const struct fb_task *task, const struct fb_position *positions,
                               uint32_t n) {
    const struct fb_routes *routes = &fb_task_bundle(task)->routes;
    for (uint32_t r = 0; r < routes->n; r++) {
        bool found = false;
        for (uint32_t i = 0; i < n; i++)
            if (positions[i].partition == fb_task_partition(task) &&
                fb_routes_find(routes, positions[i].topic) == r) {
                found = true;
                if (positions[i].next > fb_task_next(task, r))
                    return false;
            }
        if (found != (fb_task_next(task, r) >= 0))
            return false;
    }
    return true;
}

/* ---- rebuilding ---- */

struct rebuilding {
    const struct fb_takeover *takeover;
    int64_t begun_us, told_us;
    int64_t shown_us; /* since when no transaction is open; -1: one is, or it is not known */
    bool waits;       /* told that the end of a transaction is awaited */
};

static void post(const struct fb_takeover *takeover, int32_t partition, enum fb_mode mode,
                 uint32_t permille, const char *detail) {
    struct fb_posting posting = {.partition = partition,
                                 .mode = mode,
                                 .permille = permille,
                                 .lag = -1,
                                 .clock_us = FB_NO_TIME,
                                 .snapshot_us = FB_NO_TIME};
    snprintf(posting.detail, sizeof posting.detail, "%.255s", detail);
    fb_board_post(takeover->config->board, &posting);
}

static bool on_progress(void *context, int32_t partition, uint32_t permille) {
    struct rebuilding *rebuilding = context;
    post(rebuilding->takeover, partition, FB_MODE_RESTORING, permille, "");
    int64_t now = fb_now_us(rebuilding->takeover->config->time);
    if (now - rebuilding->told_us >= TOLD_EVERY_US) {
        rebuilding->told_us = now;
        fb_log(FB_LOG_INFO, "partition %d: rebuilding its state, %u.%u %%", partition,
               permille / 10, permille % 10);
    }
    return rebuilding->takeover->stay(rebuilding->takeover->context);
}

static bool ends_are_shown(struct fb_history *history, const struct fb_restore_wish *wish) {
    struct fb_err err;
    bool journal = false, snapshot = false;
    if (!history->calls->all_is_shown)
        return true;
    return history->calls->all_is_shown(history, wish->journal, wish->partition, &journal, &err) &&
           history->calls->all_is_shown(history, wish->snapshot, wish->partition, &snapshot,
                                        &err) &&
           journal && snapshot;
}

/* Looked at behind what was restored in vain, so it tells of the next try. */
static void look_at_ends(struct rebuilding *rebuilding, struct fb_history *history,
                         const struct fb_restore_wish *wish) {
    if (!ends_are_shown(history, wish))
        rebuilding->shown_us = -1;
    else if (rebuilding->shown_us < 0)
        rebuilding->shown_us = fb_now_us(rebuilding->takeover->config->time);
}

static enum fb_restored rebuild_once(struct rebuilding *rebuilding, struct fb_restore_wish *wish,
                                     struct fb_task **task, struct fb_restore_figures *figures,
                                     struct fb_err *err) {
    const struct fb_worker_config *config = rebuilding->takeover->config;
    struct fb_history *history = config->open_history(config->context, config->worker, err);
    if (!history)
        return err->kind == FB_RETRIABLE ? FB_RESTORE_FAILED : FB_RESTORE_HALT;
    enum fb_restored restored = fb_restore(history, wish, task, figures, err);
    if (restored == FB_RESTORE_BEHIND)
        look_at_ends(rebuilding, history, wish);
    history->calls->close(history);
    return restored;
}

static void tell(const struct rebuilding *rebuilding, int32_t partition,
                 const struct fb_restore_figures *figures) {
    fb_log(FB_LOG_INFO,
           "partition %d: state rebuilt in %lld ms: %u devices of a snapshot, %llu commits with "
           "%llu records after it",
           partition,
           (long long)(fb_now_us(rebuilding->takeover->config->time) - rebuilding->begun_us) / 1000,
           figures->devices, (unsigned long long)figures->taken,
           (unsigned long long)figures->records);
}

/* False: what is missing does not come any more. */
static bool waits_for_markers(struct rebuilding *rebuilding, int32_t partition,
                              const struct fb_err *err) {
    const struct fb_time *time = rebuilding->takeover->config->time;
    int64_t now = fb_now_us(time), waited_us = now - rebuilding->begun_us;
    if (waited_us >= MARKERS_US ||
        (rebuilding->shown_us >= 0 && now - rebuilding->shown_us >= SHOWN_US))
        return false;
    if (waited_us >= AGAIN_US && rebuilding->shown_us < 0 && !rebuilding->waits)
        fb_log(FB_LOG_WARN, "partition %d: waiting up to %d s for the end of a transaction: %s",
               partition, MARKERS_US / 1000000, err->text);
    rebuilding->waits |= waited_us >= AGAIN_US && rebuilding->shown_us < 0;
    fb_sleep_us(time, MARKER_US);
    return true;
}

/* Until it is there, is known not to be there, or cannot be had. */
static enum fb_taken_over rebuild(const struct fb_takeover *takeover, int32_t partition,
                                  const struct committed *committed, struct fb_bundle *bundle,
                                  struct fb_task **task) {
    const struct fb_worker_config *config = takeover->config;
    int64_t now = fb_now_us(config->time);
    struct rebuilding rebuilding = {takeover, now, now, -1, false};
    struct fb_restore_wish wish = {.config = config->task,
                                   .bundle = bundle,
                                   .pipe_topic = config->pipe_topic,
                                   .journal = config->topics[FB_STREAM_JOURNAL],
                                   .snapshot = config->topics[FB_STREAM_SNAPSHOT],
                                   .partition = partition,
                                   .committed_seq = committed->seq,
                                   .committer = committed->owner,
                                   .last_is_unfinished = config->last_is_unfinished,
                                   .positions_are_fresh = committed->fresh,
                                   .progress = on_progress,
                                   .context = &rebuilding};
    struct fb_restore_figures figures;
    struct fb_err err = {0};
    fb_log(FB_LOG_DEBUG, "partition %d: rebuilding its state", partition);
    for (bool told = false;; told = true) {
        switch (rebuild_once(&rebuilding, &wish, task, &figures, &err)) {
        case FB_RESTORE_NOTHING:
            return FB_TAKEN_NEW;
        case FB_RESTORE_DONE:
            tell(&rebuilding, partition, &figures);
            return FB_TAKEN_REBUILT;
        case FB_RESTORE_BEHIND:
            if (!wish.all_is_shown) {
                wish.all_is_shown = !waits_for_markers(&rebuilding, partition, &err);
                if (!takeover->stay(takeover->context))
                    return FB_TAKEN_NOT;
                break;
            } /* fall through */
        case FB_RESTORE_HALT:
            fb_log(FB_LOG_ERROR,
                   "partition %d is halted, its state cannot be rebuilt: %s. Nothing of it is read "
                   "or put out; the others go on",
                   partition, err.text);
            post(takeover, partition, FB_MODE_HALTED, 0, err.text);
            return FB_TAKEN_NOT;
        case FB_RESTORE_STOPPED:
            return FB_TAKEN_NOT;
        case FB_RESTORE_FAILED:
            if (!told)
                fb_log(FB_LOG_WARN, "partition %d: its state cannot be read yet: %s", partition,
                       err.text);
            fb_sleep_us(config->time, AGAIN_US);
            if (!takeover->stay(takeover->context))
                return FB_TAKEN_NOT;
            break;
        }
    }
}

/* Whoever had the partition before may have seen a deployment that was not seen here yet, and its
 * rules must not be taken back. So before other rules than those of the journal are put in force
 * the topic is looked into once more. False: stopped. */
static bool knows_rules(const struct fb_takeover *takeover, const struct fb_task *task,
                        const struct fb_bundle *wanted) {
    struct fb_deployed *deployed = takeover->config->deployed;
    if (!deployed || FB_PLANTED(RULES_UNASKED) ||
        memcmp(wanted->hash, fb_task_bundle(task)->hash, sizeof wanted->hash) == 0)
        return true;
    const struct fb_time *time = takeover->config->time;
    int64_t begun_us = fb_now_us(time);
    uint64_t look = fb_deployed_ask(deployed);
    for (bool told = false; !fb_deployed_has_looked(deployed, look);) {
        fb_sleep_us(time, LOOKED_US);
        if (!told && fb_now_us(time) - begun_us >= TOLD_EVERY_US) {
            told = true;
            fb_log(FB_LOG_WARN,
                   "partition %d: its rules are %s, not %s; waiting until the rules topic can be "
                   "read, which says what is in force now",
                   fb_task_partition(task), fb_task_bundle(task)->name, wanted->name);
        }
        if (!takeover->stay(takeover->context))
            return false;
    }
    return true;
}

enum fb_taken_over fb_take_over(const struct fb_takeover *takeover, int32_t partition,
                                const struct fb_position *positions, uint32_t n,
                                struct fb_task **task) {
    const struct fb_worker_config *config = takeover->config;
    struct committed committed = committed_of(partition, positions, n);
    *task = fb_park_take(config->park, partition, fb_now_us(config->time));
    if (*task && (config->task->journalled ? fb_task_goes_on(*task, committed.seq, committed.owner)
                                           : nobody_was_further(*task, positions, n)))
        return FB_TAKEN_KEPT;
    fb_task_free(*task);
    *task = NULL;
    enum fb_taken_over taken = FB_TAKEN_NEW;
    struct fb_bundle *bundle = fb_deployed_wanted(config->deployed, config->bundle);
    if (config->task->journalled)
        taken = rebuild(takeover, partition, &committed, bundle, task);
    if (taken == FB_TAKEN_REBUILT && !knows_rules(takeover, *task, bundle)) {
        fb_task_free(*task);
        *task = NULL;
        taken = FB_TAKEN_NOT;
    }
    if (taken == FB_TAKEN_NEW)
        *task = fb_task_new(config->task, bundle, partition);
    fb_bundle_drop(bundle);
    return taken;
}
