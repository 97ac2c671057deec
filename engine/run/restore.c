/* Builds the state of a partition from snapshot, journal and inputs. */
#include "engine/run/restore.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/log.h"
#include "engine/base/planted.h"
#include "engine/codec/chunk.h"
#include "engine/core/snapshot.h"
#include "engine/run/task_commit.h"

enum {
    LAST_TRIED = 32, /* offsets before the journal's end in which its last record is looked for */
    PROGRESS_EVERY = 1024, /* records between two looks at the world */
    MARGIN_US = 60000000   /* by how much two clocks that stamp records may differ */
};

struct restoring {
    struct fb_history *history;
    const struct fb_restore_wish *wish;
    struct fb_err *err;
    struct fb_restore_figures *figures;
    struct fb_buf last_bytes, at_bytes; /* what these two point into */
    struct fb_journal last, at;      /* the journal's end; the commit that the snapshot stands at */
    struct fb_journal_snapshot from; /* which snapshot is tried; id 0: from the first commit on */
    struct fb_reader *commits;       /* the journal from `at` on */
    struct fb_bundle *bundle;        /* in force where the rebuilding stands */
    struct fb_task *task;
    struct fb_reader **inputs; /* one a route; NULL: not opened yet */
    struct fb_chunk_coder *coder;
    uint32_t since_progress;
    struct fb_err unread;  /* what is wrong with a piece, until the manifest tells more */
    struct fb_err garbled; /* of a record in the snapshot's slot, which may be another one's */
    bool from_first;       /* look for the snapshot in all of its topic */
    bool rules_hidden;     /* not in the snapshot topic, or not yet */
    bool damaged;          /* err tells of the snapshot, not of what lies around it */
};

/* Ends the work with what err says: a trouble outside passes, anything else does not. */
static enum fb_restored trouble(const struct restoring *r) {
    return r->err->kind == FB_RETRIABLE ? FB_RESTORE_FAILED : FB_RESTORE_HALT;
}

static enum fb_restored halt(const struct restoring *r, const char *why) {
    fb_fail(r->err, FB_FATAL, "%s", why);
    return FB_RESTORE_HALT;
}

static void keep_bytes(struct fb_buf *to, struct fb_str bytes) {
    to->n = 0;
    fb_buf_str(to, bytes);
}

static bool go_on(struct restoring *r, uint64_t done, uint64_t all) {
    return r->wish->progress(r->wish->context, r->wish->partition,
                             all ? (uint32_t)(done * 1000 / all) : 1000);
}

/* At `from`, or, where retention has taken what stood there since it was asked for, at what is left
 * first. */
static struct fb_reader *open_from(struct restoring *r, const char *topic, int64_t from) {
    for (;;) {
        int64_t first, end;
        struct fb_err why;
        struct fb_reader *reader =
            r->history->calls->open(r->history, topic, r->wish->partition, from, r->err);
        if (reader || r->err->kind != FB_FATAL ||
            !r->history->calls->bounds(r->history, topic, r->wish->partition, &first, &end, &why) ||
            first <= from)
            return reader;
        *r->err = (struct fb_err){0};
        from = first;
    }
}

/* ---- the journal's end ---- */

/* The last record at or behind `from`, into r->last. False: there is none, or err. */
static bool read_last_from(struct restoring *r, int64_t from) {
    struct fb_record record;
    struct fb_reader *reader = open_from(r, r->wish->journal, from);
    bool found = false;
    if (!reader)
        return false;
    enum fb_read read;
    while ((read = reader->calls->next(reader, &record, r->err)) == FB_READ_RECORD) {
        keep_bytes(&r->last_bytes, record.value);
        found = true;
    }
    reader->calls->close(reader);
    if (read == FB_READ_FAILED || !found)
        return false;
    return fb_journal_parse((struct fb_str){r->last_bytes.p, r->last_bytes.n}, &r->last, r->err);
}

/* Transactions leave offsets without records, so it may take several tries. */
static enum fb_restored find_last(struct restoring *r) {
    int64_t first, end;
    if (!r->history->calls->bounds(r->history, r->wish->journal, r->wish->partition, &first, &end,
                                   r->err))
        return trouble(r);
    for (int64_t tried = LAST_TRIED; first < end; tried *= 16) {
        int64_t from = end - first > tried ? end - tried : first;
        if (read_last_from(r, from))
            return FB_RESTORE_DONE;
        if (r->err->kind)
            return trouble(r);
        if (from == first)
            break;
    }
    return FB_RESTORE_NOTHING;
}

/* What another meaning of the rules has decided can be gone on from, never taken again. */
static enum fb_restored other_semantics(const struct restoring *r, uint32_t semantics) {
    fb_fail(r->err, FB_FATAL,
            "the state was made by semantics %u, this flyball has %d, and more was taken than is "
            "in its newest snapshot: run the flyball that wrote it, let it end by `flyball drain`, "
            "and start this one then",
            semantics, FB_SEMANTICS);
    return FB_RESTORE_HALT;
}

/* The journal is the authority; what the group says must not be ahead of it. */
static enum fb_restored check_last(struct restoring *r, enum fb_restored found) {
    const struct fb_restore_wish *wish = r->wish;
    uint64_t seq = found == FB_RESTORE_DONE ? r->last.seq : 0;
    if (wish->committed_seq > seq && !FB_PLANTED(HIDDEN_COMMIT)) {
        fb_fail(r->err, FB_FATAL,
                "commit %llu stands in the consumer group, but the journal '%s' [%d] ends at %llu: "
                "records of it were deleted. To begin anew without the old state, delete the "
                "group and the topics of journal and snapshots, or choose another application.id",
                (unsigned long long)wish->committed_seq, wish->journal, wish->partition,
                (unsigned long long)seq);
        return FB_RESTORE_BEHIND;
    }
    if (found != FB_RESTORE_DONE)
        return found;
    if (r->last.semantics != FB_SEMANTICS && (r->last.operations.n || !r->last.snapshot.id))
        return other_semantics(r, r->last.semantics);
    if (wish->committed_seq != seq && !wish->pipe_topic && !wish->for_audit)
        fb_log(FB_LOG_WARN, "partition %d: the consumer group %s; the journal says where to go on",
               wish->partition,
               wish->positions_are_fresh ? "has no positions any more"
                                         : "was given other positions from outside");
    return FB_RESTORE_DONE;
}

/* ---- rule bundles ---- */

static bool is_bundle(const struct fb_bundle *bundle, const uint8_t hash[32]) {
    return memcmp(bundle->hash, hash, sizeof bundle->hash) == 0;
}

/* Looks through the snapshot topic for the files of a bundle. NULL: err. */
static struct fb_bundle *read_bundle(struct restoring *r, const uint8_t hash[32]) {
    struct fb_record record;
    struct fb_buf wanted = {0};
    struct fb_str files;
    struct fb_bundle *bundle = NULL;
    int64_t first, end;
    if (!r->history->calls->bounds(r->history, r->wish->snapshot, r->wish->partition, &first, &end,
                                   r->err))
        return NULL;
    struct fb_reader *reader = open_from(r, r->wish->snapshot, first);
    if (!reader)
        return NULL;
    fb_rules_key(hash, &wanted);
    while (!bundle && reader->calls->next(reader, &record, r->err) == FB_READ_RECORD) {
        if (!fb_str_eq(record.key, (struct fb_str){wanted.p, wanted.n}))
            continue;
        *r->err = (struct fb_err){0};
        if (!fb_rules_decode(r->coder, record.value, &files, r->err))
            continue; /* there may be a later copy */
        bundle = fb_bundle_parse(files, r->wish->pipe_topic, r->err);
        if (!bundle)
            break;
    }
    reader->calls->close(reader);
    if (!bundle && !r->err->kind) {
        r->rules_hidden = true;
        fb_fail(r->err, FB_FATAL, "the rules that the state was made by are not in '%s' [%d]",
                r->wish->snapshot, r->wish->partition);
    }
    fb_buf_free(&wanted);
    return bundle;
}

/* Why there is no bundle. */
static enum fb_restored no_bundle(const struct restoring *r) {
    return r->rules_hidden ? FB_RESTORE_BEHIND : trouble(r);
}

/* The bundle of a hash, a reference more. */
static struct fb_bundle *bundle_of(struct restoring *r, const uint8_t hash[32]) {
    if (r->wish->bundle && is_bundle(r->wish->bundle, hash))
        return fb_bundle_keep(r->wish->bundle);
    if (r->bundle && is_bundle(r->bundle, hash))
        return fb_bundle_keep(r->bundle);
    return read_bundle(r, hash);
}

/* ---- the journal from the snapshot on ---- */

static struct fb_reader *open_at(struct restoring *r, const char *topic, int64_t stamp_us) {
    int64_t from;
    if (!r->history->calls->offset_at(r->history, topic, r->wish->partition, stamp_us - MARGIN_US,
                                      &from, r->err))
        return NULL;
    return open_from(r, topic, from);
}

/* The next commit of the journal, views until the next call; DONE, or what ends the work. */
static enum fb_restored next_commit(struct restoring *r, struct fb_journal *commit) {
    struct fb_record record;
    switch (r->commits->calls->next(r->commits, &record, r->err)) {
    case FB_READ_RECORD:
        break;
    case FB_READ_END:
        return halt(r, "the journal ends before its last record");
    case FB_READ_FAILED:
        return trouble(r);
    }
    return fb_journal_parse(record.value, commit, r->err) ? FB_RESTORE_DONE : FB_RESTORE_HALT;
}

static struct fb_reader *open_first(struct restoring *r, const char *topic) {
    int64_t first, end;
    if (!r->history->calls->bounds(r->history, topic, r->wish->partition, &first, &end, r->err))
        return NULL;
    return open_from(r, topic, first);
}

static enum fb_restored lost_beginning(struct restoring *r, uint64_t first) {
    fb_fail(r->err, FB_FATAL,
            "the journal '%s' [%d] begins with commit %llu, those before it were deleted: it can "
            "be executed again from commit %llu on, behind the newest snapshot",
            r->wish->journal, r->wish->partition, (unsigned long long)first,
            (unsigned long long)r->last.snapshot.seq + 1);
    return FB_RESTORE_HALT;
}

/* Before the first commit: only its rules are looked at here. */
static enum fb_restored find_beginning(struct restoring *r) {
    struct fb_journal first;
    r->commits = open_first(r, r->wish->journal);
    if (!r->commits)
        return trouble(r);
    enum fb_restored done = next_commit(r, &first);
    if (done != FB_RESTORE_DONE)
        return done;
    if (first.seq > 1 && r->wish->from_beginning)
        return lost_beginning(r, first.seq);
    memcpy(r->at.rules, first.rules, sizeof r->at.rules);
    r->at.clock_us = FB_NO_TIME;
    r->commits->calls->close(r->commits);
    r->commits = open_first(r, r->wish->journal);
    return r->commits ? FB_RESTORE_DONE : trouble(r);
}

static enum fb_restored short_journal(const struct restoring *r) {
    return halt(r, r->from.id == r->last.snapshot.id
                       ? "the journal does not reach back to the newest snapshot"
                       : "the journal does not reach back to the snapshot before it");
}

/* Goes to the commit at whose end the snapshot stands, or before the first one. */
static enum fb_restored find_start(struct restoring *r) {
    const struct fb_journal_snapshot *snapshot = &r->from;
    struct fb_record record;
    if (!snapshot->id)
        return find_beginning(r);
    r->commits = open_at(r, r->wish->journal, snapshot->wall_us);
    if (!r->commits)
        return trouble(r);
    do {
        enum fb_read read = r->commits->calls->next(r->commits, &record, r->err);
        if (read == FB_READ_FAILED)
            return trouble(r);
        if (read == FB_READ_END)
            return short_journal(r);
        keep_bytes(&r->at_bytes, record.value);
        if (!fb_journal_parse((struct fb_str){r->at_bytes.p, r->at_bytes.n}, &r->at, r->err))
            return FB_RESTORE_HALT;
        if (r->at.seq > snapshot->seq)
            return short_journal(r);
    } while (r->at.seq < snapshot->seq);
    return FB_RESTORE_DONE;
}

/* ---- the snapshot ---- */

/* Only an image of the same layout is read as what it was. */
static bool layout_fits(const struct restoring *r, const struct fb_manifest *manifest) {
    if (!manifest->layout.n)
        return r->at.semantics == FB_SEMANTICS;
    return fb_str_eq(manifest->layout, fb_str_of(r->bundle->layout));
}

static enum fb_restored damaged(struct restoring *r, const char *why) {
    r->damaged = true;
    return halt(r, why);
}

/* It is not whole. Records that are garbled are not coming any more, others may be. */
static enum fb_restored not_whole(struct restoring *r, const char *why) {
    if (r->garbled.kind) {
        r->damaged = true;
        *r->err = r->garbled;
        return FB_RESTORE_HALT;
    }
    fb_fail(r->err, FB_FATAL, "%s", why);
    return FB_RESTORE_BEHIND;
}

static enum fb_restored check_manifest(struct restoring *r, const struct fb_manifest *manifest,
                                       uint32_t chunks) {
    if (!layout_fits(r, manifest))
        return halt(r, "the snapshot lays out the state in another way than this flyball: "
                       "only a flyball that lays it out as the one that wrote it can go on from "
                       "it; to begin anew without the old state, choose another application.id");
    if (r->unread.kind)
        return damaged(r, r->unread.text);
    if (manifest->chunks != chunks)
        return not_whole(r, "pieces of the snapshot are missing");
    if (manifest->at.seq != r->at.seq)
        return damaged(r, "the snapshot is of another commit than the journal says");
    fb_core_restored(fb_task_core(r->task), r->at.clock_us);
    if (!fb_hash128_eq(fb_core_state_hash(fb_task_core(r->task)), manifest->state_hash))
        return damaged(r, "the state in the snapshot is not what was written");
    r->figures->devices = manifest->devices;
    r->figures->snapshot_bytes = manifest->content_bytes;
    return FB_RESTORE_DONE;
}

static void take_chunk(struct restoring *r, const struct fb_chunk *chunk, int slot,
                       uint32_t *chunks) {
    if (chunk->snapshot != r->from.id && (!FB_PLANTED(MIXED_SLOTS) || slot != !(r->from.id & 1)))
        return;
    if (!r->unread.kind && !fb_core_restore(fb_task_core(r->task), chunk->content, &r->unread))
        r->unread.kind = FB_FATAL;
    ++*chunks;
}

/* A record of the snapshot topic; FB_RESTORE_NOTHING: go on. What is garbled may be of another
 * snapshot: if it is of this one, its pieces or its manifest are missing in the end. */
static enum fb_restored take_piece(struct restoring *r, const struct fb_record *record,
                                   uint32_t *chunks) {
    int slot = -1;
    uint32_t index;
    uint8_t rules[32];
    struct fb_manifest manifest;
    struct fb_chunk chunk;
    struct fb_err garbled = {0};
    enum fb_restored done = FB_RESTORE_NOTHING;
    switch (fb_chunk_key_parse(record->key, &slot, &index, rules)) {
    case FB_KEY_CHUNK:
        if (fb_chunk_decode(r->coder, record->value, &chunk, &garbled))
            take_chunk(r, &chunk, slot, chunks);
        break;
    case FB_KEY_MANIFEST:
        if (fb_manifest_decode(record->value, &manifest, &garbled) &&
            manifest.snapshot == r->from.id)
            done = check_manifest(r, &manifest, *chunks);
        break;
    default:
        break;
    }
    if (garbled.kind && slot == !(r->from.id & 1))
        r->garbled = garbled;
    return done;
}

static enum fb_restored read_snapshot(struct restoring *r) {
    struct fb_record record;
    uint32_t chunks = 0;
    struct fb_reader *reader = r->from_first ? open_first(r, r->wish->snapshot)
                                             : open_at(r, r->wish->snapshot, r->from.wall_us);
    if (!reader)
        return trouble(r);
    enum fb_restored done = FB_RESTORE_NOTHING;
    enum fb_read read = FB_READ_RECORD;
    while (done == FB_RESTORE_NOTHING &&
           (read = reader->calls->next(reader, &record, r->err)) == FB_READ_RECORD) {
        done = take_piece(r, &record, &chunks);
        if (done == FB_RESTORE_NOTHING && !go_on(r, 0, 1))
            done = FB_RESTORE_STOPPED;
    }
    reader->calls->close(reader);
    if (read == FB_READ_FAILED) {
        r->damaged = r->err->kind == FB_FATAL;
        return trouble(r);
    }
    if (done != FB_RESTORE_NOTHING)
        return done;
    if (FB_PLANTED(INCOMPLETE_SNAPSHOT)) {
        fb_core_restored(fb_task_core(r->task), r->at.clock_us);
        return FB_RESTORE_DONE;
    }
    return not_whole(r, "the snapshot has no manifest");
}

/* ---- inputs ---- */

/* The next record of an input, where the task stands. */
static enum fb_restored next_input(struct restoring *r, uint32_t route, struct fb_record *record) {
    const char *topic = r->bundle->routes.items[route].topic;
    if (!r->inputs[route])
        r->inputs[route] = r->history->calls->open(r->history, topic, r->wish->partition,
                                                   fb_task_next(r->task, route), r->err);
    if (!r->inputs[route])
        return trouble(r);
    switch (r->inputs[route]->calls->next(r->inputs[route], record, r->err)) {
    case FB_READ_RECORD:
        break;
    case FB_READ_END:
        fb_fail(r->err, FB_FATAL, "the topic '%s' [%d] ends before what the journal says was read",
                topic, r->wish->partition);
        return FB_RESTORE_HALT;
    case FB_READ_FAILED:
        return trouble(r);
    }
    if (record->offset < fb_task_next(r->task, route))
        return halt(r, "an input gave a record that was not asked for");
    return FB_RESTORE_DONE;
}

static void close_inputs(struct restoring *r) {
    for (uint32_t i = 0; r->inputs && i < r->bundle->routes.n; i++)
        if (r->inputs[i])
            r->inputs[i]->calls->close(r->inputs[i]);
    free(r->inputs);
    r->inputs = NULL;
}

static void open_inputs(struct restoring *r) {
    r->inputs = fb_alloc((r->bundle->routes.n + 1) * sizeof *r->inputs);
}

/* ---- operations ---- */

/* The journal numbers the inputs as the record does that the operation stands in. */
static enum fb_restored take_again(struct restoring *r, const struct fb_journal_op *op,
                                   uint32_t route) {
    struct fb_record record;
    for (uint64_t i = 0; i < op->n; i++) {
        enum fb_restored read = next_input(r, route, &record);
        if (read != FB_RESTORE_DONE)
            return read;
        r->figures->records++;
        if (FB_PLANTED(RECORDS_LOST) && r->figures->records % 5 == 0)
            fb_task_set_next(r->task, route, record.offset + 1);
        else if (op->kind == FB_JOURNAL_QUARANTINE)
            fb_task_quarantine(r->task, route, &record, op->wall_us);
        else
            fb_task_record(r->task, route, &record, op->wall_us);
        if (FB_PLANTED(TAIL_TWICE)) {
            fb_task_set_next(r->task, route, record.offset);
            fb_task_record(r->task, route, &record, op->wall_us);
        }
        if (++r->since_progress % PROGRESS_EVERY == 0 &&
            !go_on(r, r->figures->commits, r->last.seq - r->at.seq))
            return FB_RESTORE_STOPPED;
    }
    return FB_RESTORE_DONE;
}

static void take_bytes(struct restoring *r, const struct fb_journal_op *op, uint32_t route) {
    struct fb_record record = {.topic = fb_str_of(r->bundle->routes.items[route].topic),
                               .partition = r->wish->partition,
                               .offset = fb_task_next(r->task, route),
                               .stamp_us = op->stamp_us,
                               .key = op->key,
                               .value = op->value};
    r->figures->records++;
    fb_task_record(r->task, route, &record, op->wall_us);
}

static enum fb_restored use_rules(struct restoring *r, const struct fb_journal_op *op) {
    if (is_bundle(r->bundle, op->rules)) {
        fb_task_activate(r->task, op->build, op->wall_us);
        return FB_RESTORE_DONE;
    }
    struct fb_bundle *bundle = bundle_of(r, op->rules);
    if (!bundle)
        return no_bundle(r);
    close_inputs(r); /* routes are numbered anew; readers open again where the task stands */
    fb_task_change(r->task, bundle, op->build, op->wall_us);
    fb_bundle_drop(r->bundle);
    r->bundle = bundle;
    open_inputs(r);
    return FB_RESTORE_DONE;
}

static enum fb_restored do_op(struct restoring *r, const struct fb_journal *commit,
                              const struct fb_journal_op *op) {
    uint32_t route = UINT32_MAX;
    if (op->kind == FB_JOURNAL_TICK) {
        fb_task_tick(r->task, op->wall_us);
        return FB_RESTORE_DONE;
    }
    if (op->kind == FB_JOURNAL_RULES)
        return use_rules(r, op);
    if (op->kind == FB_JOURNAL_CALL) {
        if (op->next < fb_task_calls_next(r->task))
            return halt(r, "the journal takes an operator's call twice");
        fb_task_call(r->task, op->topic, op->next, op->bytes, op->wall_us);
        return FB_RESTORE_DONE;
    }
    if (op->input < commit->n_inputs)
        route = fb_routes_find(&r->bundle->routes, commit->inputs[op->input].topic);
    if (route == UINT32_MAX)
        return halt(r, "the journal reads a topic that the rules do not name");
    if (op->kind == FB_JOURNAL_BEGIN) {
        fb_task_set_next(r->task, route, op->next);
        return FB_RESTORE_DONE;
    }
    if (op->kind == FB_JOURNAL_TAKE_BYTES) {
        take_bytes(r, op, route);
        return FB_RESTORE_DONE;
    }
    return take_again(r, op, route);
}

static enum fb_restored do_commit(struct restoring *r, const struct fb_journal *commit) {
    struct fb_journal_reader ops = fb_journal_ops(commit);
    struct fb_journal_op op;
    while (fb_journal_next_op(&ops, &op, r->err)) {
        enum fb_restored done = do_op(r, commit, &op);
        if (done != FB_RESTORE_DONE)
            return done;
    }
    if (r->err->kind)
        return FB_RESTORE_HALT;
    fb_task_end_batch(r->task, commit->wall_us);
    if (r->wish->outputs && !r->wish->outputs(r->wish->context, commit, fb_task_batch(r->task)))
        return FB_RESTORE_STOPPED;
    bool unfinished = r->wish->last_is_unfinished && commit->seq == r->last.seq;
    bool agrees = unfinished ? fb_task_replayed_unfinished(r->task, commit, r->err)
                             : fb_task_replayed(r->task, commit, r->err);
    return agrees ? FB_RESTORE_DONE : FB_RESTORE_HALT;
}

static enum fb_restored do_commits(struct restoring *r) {
    struct fb_journal commit;
    uint64_t seq = r->at.seq;
    while (seq < r->last.seq && !FB_PLANTED(NO_TAIL)) {
        enum fb_restored done = next_commit(r, &commit);
        if (done != FB_RESTORE_DONE)
            return done;
        if (commit.seq != seq + 1) {
            fb_fail(r->err, FB_FATAL,
                    "the journal '%s' [%d] lacks commit %llu: it must be kept at least until the "
                    "second snapshot after it (journal.retention.ms)",
                    r->wish->journal, r->wish->partition, (unsigned long long)seq + 1);
            return FB_RESTORE_HALT;
        }
        if (commit.operations.n && commit.semantics != FB_SEMANTICS)
            return other_semantics(r, commit.semantics);
        done = do_commit(r, &commit);
        if (done != FB_RESTORE_DONE)
            return done;
        seq++;
        r->figures->commits++;
        r->figures->taken += commit.operations.n > 0; /* the others only carry a snapshot */
    }
    return FB_RESTORE_DONE;
}

/* ---- all of it ---- */

static enum fb_restored make_task(struct restoring *r) {
    r->bundle = bundle_of(r, r->at.rules);
    if (!r->bundle)
        return no_bundle(r);
    r->task = fb_task_new(r->wish->config, r->bundle, r->wish->partition);
    fb_task_replay_begin(r->task);
    open_inputs(r);
    if (!fb_task_resume(r->task, &r->at, r->err))
        return FB_RESTORE_HALT;
    return r->from.id ? read_snapshot(r) : FB_RESTORE_DONE;
}

static void drop_task(struct restoring *r) {
    close_inputs(r);
    fb_task_free(r->task);
    fb_bundle_drop(r->bundle);
    r->task = NULL;
    r->bundle = NULL;
    r->unread = r->garbled = (struct fb_err){0};
    *r->err = (struct fb_err){0};
}

static enum fb_restored rebuild_from(struct restoring *r) {
    enum fb_restored done = find_start(r);
    if (done == FB_RESTORE_DONE)
        done = make_task(r);
    if (done == FB_RESTORE_BEHIND && r->task) { /* a clock that was put back stamps them earlier */
        drop_task(r);
        r->from_first = true;
        done = make_task(r);
    }
    if (done == FB_RESTORE_BEHIND && r->task && r->wish->all_is_shown)
        r->damaged = true;
    if (done == FB_RESTORE_DONE)
        done = do_commits(r);
    return done;
}

/* Goes to the snapshot that was complete when this one began; where there is none, or where that
 * one does not serve either, before the first commit, which the journal may still have. */
static void fall_back(struct restoring *r) {
    bool is_newest = r->from.id == r->last.snapshot.id;
    r->from = is_newest ? r->at.snapshot : (struct fb_journal_snapshot){0};
    if (r->from.id)
        fb_log(FB_LOG_WARN,
               "partition %d: its newest snapshot cannot be used: %s. The one before it takes its "
               "place, with the journal from commit %llu on",
               r->wish->partition, r->err->text, (unsigned long long)r->from.seq + 1);
    else
        fb_log(FB_LOG_WARN,
               "partition %d: its %s snapshot cannot be used: %s. There is no other: the journal "
               "is taken again from commit 1 on, if it has it",
               r->wish->partition, is_newest ? "newest" : "older", r->err->text);
    drop_task(r);
    r->commits->calls->close(r->commits);
    r->commits = NULL;
    r->at = (struct fb_journal){0};
    r->from_first = r->damaged = false;
    *r->figures = (struct fb_restore_figures){0};
}

/* Why no snapshot serves: what is wrong with the newest says more than what the others lack. */
static void tell_both(struct restoring *r, const struct fb_err *newest) {
    struct fb_err last = *r->err;
    fb_fail(r->err, FB_FATAL,
            "the newest snapshot cannot be used (%.200s), and without it there is no way: %.230s",
            newest->text, last.text);
}

static enum fb_restored rebuild(struct restoring *r) {
    struct fb_err newest = {0};
    enum fb_restored done = check_last(r, find_last(r));
    if (done != FB_RESTORE_DONE)
        return done;
    r->from = r->wish->from_beginning ? (struct fb_journal_snapshot){0} : r->last.snapshot;
    done = rebuild_from(r);
    while (r->damaged) {
        if (!newest.kind)
            newest = *r->err;
        fall_back(r);
        done = rebuild_from(r);
        r->damaged |= done == FB_RESTORE_BEHIND && r->from.id;
    }
    if (newest.kind && done != FB_RESTORE_DONE && r->err->kind == FB_FATAL) {
        tell_both(r, &newest);
        done = FB_RESTORE_HALT;
    }
    if (done == FB_RESTORE_DONE) {
        if (newest.kind)
            r->last.snapshot = r->from; /* the next one takes the place of what does not serve */
        fb_task_replay_end(r->task, &r->last, r->wish->committer);
    }
    return done;
}

enum fb_restored fb_restore(struct fb_history *history, const struct fb_restore_wish *wish,
                            struct fb_task **task, struct fb_restore_figures *figures,
                            struct fb_err *err) {
    struct restoring r = {.history = history, .wish = wish, .err = err, .figures = figures};
    *err = (struct fb_err){0};
    *figures = (struct fb_restore_figures){0};
    r.coder = fb_chunk_coder_new();
    FB_ASSERT(r.coder);
    enum fb_restored done = rebuild(&r);
    close_inputs(&r);
    if (r.commits)
        r.commits->calls->close(r.commits);
    fb_chunk_coder_free(r.coder);
    fb_buf_free(&r.last_bytes);
    fb_buf_free(&r.at_bytes);
    if (done == FB_RESTORE_DONE)
        *task = r.task;
    else
        fb_task_free(r.task);
    fb_bundle_drop(r.bundle);
    return done;
}
