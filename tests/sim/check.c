/* What has to hold after a run. */
#include "tests/sim/check.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/codec/chunk.h"
#include "engine/codec/journal.h"
#include "engine/core/snapshot.h"
#include "engine/run/task_commit.h"
#include "tests/sim/check_limits.h"
#include "tests/sim/engine.h"
#include "tests/sim/work.h"

/* Places of outputs: a topic for each stream, then that of the fans. */
enum { FANS = FB_STREAM_JOURNAL, PLACES };

/* A partition that is taken again. */
struct again {
    struct sim_world *world;
    int32_t partition;
    struct fb_task *task;
    int64_t outputs[PLACES]; /* offset of the next committed output to compare */
    uint32_t n_outputs;
    size_t deployment; /* the one in force, or before the first that may be: its number */
    bool with_audit;
    int64_t end_us; /* wall clock at the end of the batch */
    struct sim_result *result;
};

static int topic_of(const struct sim_world *world, enum fb_stream stream) {
    return sim_topic(world->kafka, fb_str_of(sim_stream_names[stream]));
}

static const char *name_of(int place) {
    return place == FANS ? SIM_FANS_TOPIC : sim_stream_names[place];
}

static int topic_at(const struct sim_world *world, int place) {
    return sim_topic(world->kafka, fb_str_of(name_of(place)));
}

/* ---- outputs ---- */

static bool same_headers(const struct sim_record *record, const struct fb_outgoing *expected) {
    struct fb_buf text = {0};
    for (uint32_t i = 0; i < expected->n_headers; i++) {
        fb_buf_str(&text, expected->headers[i].name);
        fb_buf_char(&text, '=');
        fb_buf_str(&text, expected->headers[i].value);
        fb_buf_char(&text, '\n');
    }
    bool same = fb_str_eq(record->headers, (struct fb_str){text.p, text.n});
    fb_buf_free(&text);
    return same;
}

/* What nobody may act upon is not told: neither decided before nor put again. */
static void check_expiry(struct again *again, int place, const struct sim_record *record) {
    static const char name[] = "\"expires_at\":\"";
    const char *at = memmem(record->value.p, record->value.n, name, sizeof name - 1);
    int64_t expires_us = 0;
    if (!at)
        return;
    at += sizeof name - 1;
    struct fb_str text = {at, strcspn(at, "\"")};
    if (!fb_time_parse(text, &expires_us) || expires_us < again->end_us / 1000 * 1000)
        sim_violated(again->world, "I6", "%s [%d]: it expires at %.*s, before its batch ends",
                     name_of(place), again->partition, FB_ARG(text));
}

static void count_withheld(struct again *again, int place, const struct sim_record *record) {
    static const char name[] = "\"kind\":\"withheld\"";
    if (place == FB_STREAM_AUDIT && again->result &&
        memmem(record->value.p, record->value.n, name, sizeof name - 1))
        again->result->withheld++;
}

static bool acts(int place) {
    return place == FB_STREAM_COMMANDS || place == FB_STREAM_SHADOW || place == FANS;
}

/* The next committed output at a place must be this one. txn 0: of whatever transaction. */
static void compare_output(struct again *again, int place, const struct fb_outgoing *expected,
                           uint32_t txn) {
    struct sim_world *world = again->world;
    int64_t offset;
    const struct sim_record *record = sim_next(world->kafka, topic_at(world, place),
                                               again->partition, again->outputs[place], &offset);
    const char *name = name_of(place);
    if (!record) {
        sim_violated(world, "I2", "%s [%d]: missing at the end: %.*s %.*s", name, again->partition,
                     FB_ARG(expected->key), FB_ARG(expected->value));
        return;
    }
    again->outputs[place] = offset + 1;
    again->n_outputs++;
    count_withheld(again, place, record);
    if (again->with_audit && acts(place))
        check_expiry(again, place, record);
    if (!fb_str_eq(record->key, expected->key) || !fb_str_eq(record->value, expected->value) ||
        !same_headers(record, expected))
        sim_violated(world, "I1", "%s [%d] @%lld: %.*s %.*s %.*s\n    instead of %.*s %.*s", name,
                     again->partition, (long long)offset, FB_ARG(record->key),
                     FB_ARG(record->value), FB_ARG(record->headers), FB_ARG(expected->key),
                     FB_ARG(expected->value));
    else if (txn && record->txn != txn)
        sim_violated(world, "I4", "%s [%d] @%lld is in another transaction than its journal", name,
                     again->partition, (long long)offset);
}

/* The log alone has neither the ticks nor the wall clock that commands depend on. */
static bool is_compared(const struct again *again, int place) {
    return place < PLACES && (again->with_audit || (place != FB_STREAM_AUDIT && !acts(place)));
}

/* PLACES: none, what a state is rebuilt from. */
static int place_of(enum fb_stream stream, const struct fb_outgoing *expected) {
    FB_ASSERT(!expected->topic || strcmp(expected->topic, SIM_FANS_TOPIC) == 0);
    return expected->topic ? FANS : stream < FB_STREAM_JOURNAL ? (int)stream : PLACES;
}

static void compare_batch(struct again *again, uint32_t txn) {
    struct fb_batch *batch = fb_task_batch(again->task);
    for (uint32_t i = 0; i < fb_batch_count(batch) && !again->world->violation; i++) {
        struct fb_header headers[FB_BATCH_HEADERS_MAX];
        struct fb_outgoing expected = {0};
        enum fb_stream stream = fb_batch_at(batch, i, &expected, headers);
        int place = place_of(stream, &expected);
        if (is_compared(again, place))
            compare_output(again, place, &expected, txn);
    }
    fb_batch_clear(batch);
}

static void nothing_is_left(struct again *again) {
    for (int s = 0; s < PLACES; s++) {
        int64_t offset;
        const struct sim_record *more = sim_next(again->world->kafka, topic_at(again->world, s),
                                                 again->partition, again->outputs[s], &offset);
        if (more && is_compared(again, s))
            sim_violated(again->world, "I2", "%s [%d] @%lld: one too many: %.*s %.*s", name_of(s),
                         again->partition, (long long)offset, FB_ARG(more->key),
                         FB_ARG(more->value));
    }
}

/* ---- the journal ---- */

static bool next_input(struct again *again, uint32_t route, struct fb_record *record) {
    struct sim_kafka *kafka = again->world->kafka;
    const char *name = fb_task_bundle(again->task)->routes.items[route].topic;
    int topic = sim_topic(kafka, fb_str_of(name));
    int64_t offset = fb_task_next(again->task, route);
    const struct sim_record *found = sim_next(kafka, topic, again->partition, offset, &offset);
    if (!found)
        return false;
    *record = (struct fb_record){.topic = fb_str_of(name),
                                 .partition = again->partition,
                                 .offset = offset,
                                 .stamp_us = found->stamp_us,
                                 .key = found->key,
                                 .value = found->value};
    return true;
}

/* Put aside is what ended a process twice, and nothing else; what ends a process is not taken. */
static void check_care(struct again *again, const struct fb_record *record, bool taken) {
    struct sim_kafka *kafka = again->world->kafka;
    int topic = sim_topic(kafka, record->topic);
    struct sim_record *found = &kafka->logs[topic][again->partition].records[record->offset];
    int most = 0;
    for (int i = 0; i < SIM_DEATHS_OF; i++)
        most = found->kills[i] > most ? found->kills[i] : most;
    found->buried |= !taken;
    again->world->put_aside += !taken && found->number > 0;
    if (taken && found->lethal)
        sim_violated(again->world, "I7", "%.*s [%d]@%lld ends each process, and was taken",
                     FB_ARG(record->topic), again->partition, (long long)record->offset);
    if (!taken && most < 2)
        sim_violated(again->world, "I7",
                     "%.*s [%d]@%lld was put aside, and ended a process %d times",
                     FB_ARG(record->topic), again->partition, (long long)record->offset, most);
}

static void take(struct again *again, const struct fb_journal_op *op, struct sim_result *result) {
    struct fb_record record;
    for (uint64_t i = 0; i < op->n; i++) {
        if (!next_input(again, op->input, &record)) {
            sim_violated(again->world, "I7", "[%d]: more is journalled than there is",
                         again->partition);
            return;
        }
        result->buried += op->kind == FB_JOURNAL_QUARANTINE;
        check_care(again, &record, op->kind == FB_JOURNAL_TAKE);
        if (op->kind == FB_JOURNAL_TAKE)
            fb_task_record(again->task, op->input, &record, op->wall_us);
        else
            fb_task_quarantine(again->task, op->input, &record, op->wall_us);
    }
}

/* Deployments may be missed, where the next one came soon, but are never taken back. */
static struct fb_bundle *bundle_of(struct again *again, const uint8_t hash[32]) {
    const struct sim_world *world = again->world;
    for (; again->deployment < world->n_deployments; again->deployment++) {
        struct fb_bundle *bundle = world->variants[world->deployments[again->deployment]];
        if (memcmp(bundle->hash, hash, 32) == 0)
            return bundle;
    }
    sim_violated(again->world, "I10", "[%d]: rules that nobody deployed, or that were replaced",
                 again->partition);
    return world->variants[0];
}

static void use_rules(struct again *again, const struct fb_journal_op *op) {
    struct fb_bundle *bundle = bundle_of(again, op->rules);
    if (bundle == fb_task_bundle(again->task))
        fb_task_activate(again->task, op->build, op->wall_us);
    else
        fb_task_change(again->task, bundle, op->build, op->wall_us);
}

static void take_operations(struct again *again, const struct fb_journal *journal,
                            struct sim_result *result) {
    struct fb_journal_reader reader = fb_journal_ops(journal);
    struct fb_journal_op op;
    struct fb_err err = {0};
    sim_trace(again->world, "journal [%d]: commit %llu", again->partition,
              (unsigned long long)journal->seq);
    while (!again->world->violation && fb_journal_next_op(&reader, &op, &err)) {
        sim_trace(again->world, "  op %d input %u n %llu wall %lld", (int)op.kind, op.input,
                  (unsigned long long)op.n, (long long)op.wall_us);
        switch (op.kind) {
        case FB_JOURNAL_TAKE:
        case FB_JOURNAL_QUARANTINE:
            take(again, &op, result);
            break;
        case FB_JOURNAL_TICK:
            fb_task_tick(again->task, op.wall_us);
            break;
        case FB_JOURNAL_BEGIN:
            fb_task_begin(again->task, op.input, op.next);
            break;
        case FB_JOURNAL_RULES:
            use_rules(again, &op);
            break;
        case FB_JOURNAL_CALL:
            fb_task_call(again->task, op.topic, op.next, op.bytes, op.wall_us);
            break;
        case FB_JOURNAL_TAKE_BYTES:
            break;
        }
    }
    if (err.kind)
        sim_violated(again->world, "I1", "[%d]: journal: %s", again->partition, err.text);
}

/* The positions that were committed with a journal record are those that it names. */
static void compare_positions(struct again *again, const struct fb_journal *journal, uint32_t txn) {
    const struct sim_txn *with = &again->world->kafka->txns[txn];
    for (uint32_t r = 0; r < journal->n_inputs; r++) {
        int topic = sim_topic(again->world->kafka, journal->inputs[r].topic);
        bool found = false;
        if (journal->inputs[r].next != fb_task_next(again->task, r))
            sim_violated(again->world, "I4", "[%d] commit %llu: names %lld where %lld was taken",
                         again->partition, (unsigned long long)journal->seq,
                         (long long)journal->inputs[r].next,
                         (long long)fb_task_next(again->task, r));
        for (uint32_t i = 0; i < with->n_offsets; i++)
            found |= with->offsets[i].topic == topic &&
                     with->offsets[i].partition == again->partition &&
                     with->offsets[i].next == journal->inputs[r].next;
        if (!found && journal->inputs[r].next >= 0)
            sim_violated(again->world, "I4", "[%d] commit %llu: position %lld is not in it",
                         again->partition, (unsigned long long)journal->seq,
                         (long long)journal->inputs[r].next);
    }
}

static bool is_manifest(const struct sim_record *record, struct fb_manifest *manifest) {
    uint8_t rules[32];
    uint32_t index;
    int slot;
    struct fb_err err;
    return record->state == SIM_COMMITTED &&
           fb_chunk_key_parse(record->key, &slot, &index, rules) == FB_KEY_MANIFEST &&
           fb_manifest_decode(record->value, manifest, &err);
}

static const struct sim_log *snapshots_of(const struct again *again) {
    return &again->world->kafka->logs[topic_of(again->world, FB_STREAM_SNAPSHOT)][again->partition];
}

/* The commit that the last snapshot stands behind; 0: there is none. */
static uint64_t newest_barrier(const struct again *again) {
    const struct sim_log *log = snapshots_of(again);
    struct fb_manifest manifest;
    for (size_t i = log->n; i-- > 0;)
        if (is_manifest(&log->records[i], &manifest))
            return manifest.at.seq;
    return 0;
}

/* A snapshot whose barrier is the end of this commit has the state that there is now. */
static void compare_snapshots(struct again *again, uint64_t seq, struct sim_result *result) {
    const struct sim_log *log = snapshots_of(again);
    for (size_t i = 0; i < log->n; i++) {
        struct fb_manifest manifest;
        if (!is_manifest(&log->records[i], &manifest) || manifest.at.seq != seq)
            continue;
        result->snapshots++;
        sim_trace(again->world, "  snapshot %llu: %u devices, %u pieces, %llu bytes",
                  (unsigned long long)manifest.snapshot, manifest.devices, manifest.chunks,
                  (unsigned long long)manifest.content_bytes);
        if (!fb_hash128_eq(manifest.state_hash, fb_core_state_hash(fb_task_core(again->task))))
            sim_violated(again->world, "I3", "[%d]: snapshot %llu at commit %llu has another state",
                         again->partition, (unsigned long long)manifest.snapshot,
                         (unsigned long long)seq);
    }
}

static void compare_with_journal(struct again *again, struct sim_result *result) {
    struct sim_kafka *kafka = again->world->kafka;
    int topic = topic_of(again->world, FB_STREAM_JOURNAL);
    const struct sim_log *log = &kafka->logs[topic][again->partition];
    uint64_t seq = 0;
    again->result = result;
    for (size_t i = 0; i < log->n && !again->world->violation; i++) {
        const struct sim_record *record = &log->records[i];
        struct fb_journal *journal = fb_alloc(sizeof *journal);
        struct fb_err err;
        if (record->state == SIM_COMMITTED) {
            result->commits++;
            if (!fb_journal_parse(record->value, journal, &err))
                sim_violated(again->world, "I1", "[%d]: %s", again->partition, err.text);
            else if (journal->seq != ++seq)
                sim_violated(again->world, "I2", "[%d]: commit %llu follows %llu", again->partition,
                             (unsigned long long)journal->seq, (unsigned long long)seq - 1);
            if (!again->task && !again->world->violation)
                again->task = fb_task_new(sim_reference_config(true),
                                          bundle_of(again, journal->rules), again->partition);
            if (!again->world->violation) {
                take_operations(again, journal, result);
                again->end_us = journal->wall_us;
                fb_task_end_batch(again->task, journal->wall_us);
                compare_batch(again, record->txn);
                compare_positions(again, journal, record->txn);
                compare_snapshots(again, seq, result);
            }
        }
        free(journal);
    }
}

/* Whatever an engine writes is part of a transaction, also what no subscriber reads. */
static void check_transactions(struct sim_world *world, int32_t partition) {
    for (int s = 0; s <= FB_STREAMS; s++) {
        const char *name = s < FB_STREAMS ? sim_stream_names[s] : SIM_FANS_TOPIC;
        const struct sim_log *log =
            &world->kafka->logs[sim_topic(world->kafka, fb_str_of(name))][partition];
        for (size_t i = 0; i < log->n; i++)
            if (log->records[i].state == SIM_PLAIN || log->records[i].state == SIM_OPEN)
                sim_violated(world, log->records[i].state == SIM_OPEN ? "I9" : "I4",
                             "%s [%d] @%zu: in no transaction that has ended", name, partition, i);
    }
}

/* ---- the audit ---- */

/* What a record of the chain must be: the hash of the one before and of itself without its hash,
 * which stands last. Not by the code that wrote it. */
static bool chain_goes_on(struct fb_str value, uint8_t head[32]) {
    static const char name[] = ",\"hash\":\"";
    size_t tail = sizeof name - 1 + 64 + 2;
    char hex[65];
    if (value.n < tail || memcmp(value.p + value.n - tail, name, sizeof name - 1) != 0)
        return false;
    struct fb_str parts[] = {{(const char *)head, 32}, {value.p, value.n - tail}, {"}", 1}};
    uint8_t digest[32];
    fb_sha256(parts, 3, digest);
    memcpy(head, digest, 32);
    fb_hex(head, 32, hex);
    return memcmp(hex, value.p + value.n - 66, 64) == 0;
}

static void check_audit(struct sim_world *world, int32_t partition) {
    uint8_t head[32] = {0};
    uint64_t seq = 0;
    int64_t offset = -1;
    const struct sim_record *record, *last = NULL;
    while ((record = sim_next(world->kafka, topic_of(world, FB_STREAM_AUDIT), partition, offset + 1,
                              &offset))) {
        seq++;
        if (!chain_goes_on(record->value, head))
            sim_violated(world, "I5", "audit [%d]: the chain is broken at record %llu", partition,
                         (unsigned long long)seq);
    }
    for (offset = -1; (record = sim_next(world->kafka, topic_of(world, FB_STREAM_JOURNAL),
                                         partition, offset + 1, &offset));)
        last = record;
    struct fb_journal journal;
    struct fb_err err;
    if (last && fb_journal_parse(last->value, &journal, &err) &&
        (journal.audit_seq != seq || memcmp(journal.audit_head, head, 32) != 0))
        sim_violated(world, "I5",
                     "audit [%d]: %llu records, and the journal has another head after %llu",
                     partition, (unsigned long long)seq, (unsigned long long)journal.audit_seq);
}

/* ---- without the journal ---- */

/* Stored input of one topic has one result, whoever took it when. */
static void compare_with_log(struct again *again) {
    struct fb_record record;
    int64_t wall_us = again->world->now_us;
    fb_task_begin(again->task, 0, 0);
    while (next_input(again, 0, &record)) {
        int topic = sim_topic(again->world->kafka, record.topic);
        if (again->world->kafka->logs[topic][again->partition].records[record.offset].buried)
            fb_task_quarantine(again->task, 0, &record, wall_us);
        else
            fb_task_record(again->task, 0, &record, wall_us);
    }
    fb_task_tick(again->task, wall_us);
    compare_batch(again, 0);
}

static uint32_t count(struct sim_world *world, enum fb_stream stream, int32_t partition) {
    uint32_t n = 0;
    int64_t offset = -1;
    while (sim_next(world->kafka, topic_of(world, stream), partition, offset + 1, &offset))
        n++;
    return n;
}

static void check_inputs(struct again *again) {
    struct sim_world *world = again->world;
    for (int t = 0; t < world->plan.topics; t++) {
        struct fb_str name = fb_str_of(sim_inputs[t]);
        uint32_t route = fb_routes_find(&fb_task_bundle(again->task)->routes, name);
        int64_t offset;
        if (sim_next(world->kafka, sim_topic(world->kafka, name), again->partition,
                     fb_task_next(again->task, route), &offset) &&
            !(world->drained &&
              offset >= world->drained_at[sim_topic(world->kafka, name)][again->partition]))
            sim_violated(world, "I7", "%s [%d]@%lld was not taken", sim_inputs[t], again->partition,
                         (long long)offset);
    }
}

/* The rules that were deployed last, of those that can be used. */
static void check_rules(struct again *again) {
    const struct sim_world *world = again->world;
    const struct fb_bundle *in_force = fb_task_bundle(again->task);
    if (memcmp(in_force->hash, world->variants[world->rules]->hash, 32) != 0)
        sim_violated(again->world, "I10", "[%d]: rules %s are in force, %s were deployed last",
                     again->partition, in_force->name, world->variants[world->rules]->name);
}

/* After draining, the newest snapshot has everything: no operation is behind its barrier. */
static void check_drained(struct again *again) {
    struct sim_kafka *kafka = again->world->kafka;
    const struct sim_log *log =
        &kafka->logs[topic_of(again->world, FB_STREAM_JOURNAL)][again->partition];
    uint64_t barrier = newest_barrier(again);
    for (size_t i = 0; i < log->n; i++) {
        struct fb_journal *journal = fb_alloc(sizeof *journal);
        struct fb_journal_op op;
        struct fb_err err = {0};
        if (log->records[i].state == SIM_COMMITTED &&
            fb_journal_parse(log->records[i].value, journal, &err) && journal->seq > barrier) {
            struct fb_journal_reader reader = fb_journal_ops(journal);
            if (fb_journal_next_op(&reader, &op, &err))
                sim_violated(again->world, "I11",
                             "[%d]: commit %llu is not in the last snapshot, of commit %llu",
                             again->partition, (unsigned long long)journal->seq,
                             (unsigned long long)barrier);
        }
        free(journal);
    }
}

static void check_partition(struct sim_world *world, int32_t partition, struct sim_result *result) {
    struct again again = {.world = world, .partition = partition, .with_audit = true};
    compare_with_journal(&again, result);
    if (!again.task)
        sim_violated(world, "I7", "[%d]: there is no journal", partition);
    if (!world->violation)
        nothing_is_left(&again);
    if (!world->violation)
        check_inputs(&again);
    if (!world->violation)
        check_rules(&again);
    if (!world->violation && world->drained)
        check_drained(&again);
    result->outputs += again.n_outputs;
    result->records += again.task ? (uint32_t)fb_task_stats(again.task).records : 0;
    fb_task_free(again.task);
    if (world->plan.stored && !world->rules_changed && !world->violation) {
        again = (struct again){.world = world, .partition = partition};
        again.task = fb_task_new(sim_reference_config(false), world->variants[0], partition);
        compare_with_log(&again);
        if (!world->violation)
            nothing_is_left(&again);
        fb_task_free(again.task);
    }
}

void sim_check(struct sim_world *world, struct sim_result *result) {
    uint32_t dead = 0;
    for (int t = 0; t < world->kafka->n_topics; t++) /* what has gone is looked at too */
        for (int p = 0; p < SIM_PARTITIONS_MAX; p++)
            world->kafka->logs[t][p].first = 0;
    const char *hanging = sim_hanging(world->kafka);
    if (hanging)
        sim_violated(world, "I9", "the transaction of %s hangs", hanging);
    for (int32_t p = 0; p < world->plan.partitions && !world->violation; p++) {
        check_partition(world, p, result);
        check_transactions(world, p);
        check_audit(world, p);
        sim_check_limits(world, p, result);
        dead += count(world, FB_STREAM_DEAD, p);
    }
    if (!world->violation && dead != world->poison + world->put_aside)
        sim_violated(world, "I7",
                     "%u dead letters of %u poisoned records, and %u that ended a "
                     "process by chance",
                     dead, world->poison, world->put_aside);
}
