/* One partition: its decoders, its core, its clock, its positions and what it wants to put out. */
#include "engine/run/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/arena.h"
#include "engine/base/log.h"
#include "engine/base/planted.h"
#include "engine/codec/decode.h"
#include "engine/core/call.h"
#include "engine/core/migrate.h"
#include "engine/core/snapshot.h"
#include "engine/run/cloudevent.h"
#include "engine/run/task_commit.h"
#include "engine/run/task_state.h"

/* A dead letter has to fit into a topic whose limit is the usual million. */
enum { PAYLOAD_BYTES_MAX = 900000 };

/* Nothing is commanded while the clock is further behind the wall clock. */
#define MAX_LAG_US INT64_C(60000000)

/* ---- outputs ---- */

void fb_task_keep(struct fb_task *task, const struct fb_encoded *encoded) {
    struct fb_header headers[FB_ENCODED_HEADERS_MAX];
    if (task->config->lines) {
        task->line.n = 0;
        fb_encode_line(encoded, &task->line);
        struct fb_str line = {task->line.p, task->line.n};
        fb_batch_add(task->batch, encoded->stream, (struct fb_str){0}, line, NULL, 0);
        return;
    }
    uint32_t n = fb_encode_headers(encoded, headers);
    fb_batch_add_to(task->batch, encoded->stream, encoded->to, encoded->subject, encoded->data,
                    headers, n);
}

/* id: of the output; NULL: it is none. */
static void audit_decision(struct fb_task *task, const struct fb_output *output,
                           struct fb_circumstance circumstance, const char *id) {
    struct fb_encoded encoded;
    if (!task->config->journalled || !fb_audit_tells_of(output->kind))
        return;
    fb_audit_decision(&task->auditor, task->encoder, output, circumstance, id, &encoded);
    fb_task_keep(task, &encoded);
}

static void audit_rejected(struct fb_task *task, const struct fb_dead_letter *letter) {
    struct fb_encoded encoded;
    if (!task->config->journalled)
        return;
    fb_audit_rejected(&task->auditor, task->encoder, letter, &encoded);
    fb_task_keep(task, &encoded);
}

/* The wall clock of what comes now, which the journal notes too. */
static void set_wall(struct fb_task *task, int64_t wall_us) {
    task->wall_us = wall_us;
    if (!task->epoch_ms)
        task->epoch_ms = wall_us / 1000;
    fb_core_set_wall(task->core, wall_us);
}

/* The clock goes on to c_us; origin: of the record that moves it, or NULL. */
static void move_clock(struct fb_task *task, int64_t c_us, const struct fb_origin *origin) {
    struct fb_encoded encoded;
    int64_t from_us = task->auditor.clock_us;
    task->auditor.clock_us = c_us;
    if (!task->config->journalled ||
        !fb_audit_is_jump(from_us, c_us, task->bundle->settings.max_skew_us))
        return;
    fb_audit_clock(&task->auditor, task->encoder, from_us, origin, &encoded);
    fb_task_keep(task, &encoded);
}

/* Looked up at the first output of a record: most have none. */
static struct fb_str trace_of(struct fb_task *task) {
    if (!task->traced)
        task->trace = fb_headers_trace(task->record, task->trace_bytes);
    task->traced = true;
    return task->trace;
}

static void encode(struct fb_task *task, const struct fb_output *output,
                   struct fb_circumstance circumstance, struct fb_encoded *encoded) {
    fb_encode(task->encoder, output, circumstance, encoded);
    if (task->record && !output->cause.timer)
        encoded->traceparent = trace_of(task);
    if (output->kind == FB_OUT_COMMAND && task->config->journalled)
        fb_unsent_add(task->unsent, output, encoded->id, fb_batch_count(task->batch));
    fb_task_keep(task, encoded);
}

static void put_out(void *context, const struct fb_output *output) {
    struct fb_task *task = context;
    struct fb_circumstance circumstance = {
        .historical = output->at_us < task->wall_us - task->bundle->settings.max_age_us,
        .epoch_ms = task->epoch_ms};
    struct fb_encoded encoded;
    const char *id = NULL;
    if (fb_output_goes_out(output->kind)) {
        encode(task, output, circumstance, &encoded);
        id = encoded.id;
    }
    audit_decision(task, output, circumstance, id);
}

/* In Kafka: the bytes as they came, with the record's own key and headers, so that they can be
 * mended and sent again; what does not fit is cut, and says how long it was. */
static void bury(struct fb_task *task, const struct fb_record *record,
                 const struct fb_dead_letter *letter) {
    task->dead++;
    audit_rejected(task, letter);
    if (task->config->lines) {
        struct fb_encoded encoded;
        fb_encode_dead(task->encoder, letter, &encoded);
        fb_task_keep(task, &encoded);
        return;
    }
    struct fb_header headers[FB_ENCODED_HEADERS_MAX + FB_HEADERS_DEAD_MAX];
    char length[24], left_out[16];
    uint32_t n = fb_encode_dead_headers(task->encoder, letter, headers);
    struct fb_str payload = task->whole ? record->value : letter->payload;
    if (payload.n > PAYLOAD_BYTES_MAX) {
        int digits = snprintf(length, sizeof length, "%zu", payload.n);
        headers[n++] = (struct fb_header){FB_S("fb_cut_from_bytes"), {length, (size_t)digits}};
        payload.n = PAYLOAD_BYTES_MAX;
    }
    n += fb_headers_of_dead(record, headers + n, left_out);
    fb_batch_add(task->batch, FB_STREAM_DEAD, record->key, payload, headers, n);
}

/* ---- the task ---- */

static void open_bundle(struct fb_task *task, struct fb_bundle *bundle) {
    task->bundle = fb_bundle_keep(bundle);
    task->topics = fb_alloc(bundle->routes.n * sizeof *task->topics);
    for (uint32_t i = 0; i < bundle->routes.n; i++) {
        const struct fb_route *route = &bundle->routes.items[i];
        task->topics[i].decoder =
            fb_decoder_new(bundle->program, route->classes, route->n_classes, FB_JSON_LIMITS);
        task->topics[i].next = -1;
        task->topics[i].events = fb_cloudevents_wanted(bundle->program, route);
    }
    task->encoder = fb_encoder_new(bundle->program, task->config->application);
}

static void close_bundle(struct fb_task *task) {
    for (uint32_t i = 0; i < task->bundle->routes.n; i++)
        fb_decoder_free(task->topics[i].decoder);
    free(task->topics);
    fb_encoder_free(task->encoder);
    fb_bundle_drop(task->bundle);
}

static struct fb_core_config core_config(const struct fb_bundle *bundle) {
    return (struct fb_core_config){.max_skew_us = bundle->settings.max_skew_us,
                                   .devices_max = bundle->settings.devices_max,
                                   .max_lag_us = MAX_LAG_US};
}

struct fb_task *fb_task_new(const struct fb_task_config *config, struct fb_bundle *bundle,
                            int32_t partition) {
    struct fb_task *task = fb_alloc(sizeof *task);
    task->config = config;
    task->partition = partition;
    open_bundle(task, bundle);
    struct fb_core_config core = core_config(bundle);
    task->core = fb_core_new(bundle->program, &core, put_out, task);
    task->clock = fb_clock_new();
    int n =
        snprintf(task->name, sizeof task->name, "%.*s/%d", FB_ARG(config->application), partition);
    task->auditor.task = (struct fb_str){task->name, (size_t)n};
    task->auditor.clock_us = FB_NO_TIME;
    memcpy(task->auditor.rules, bundle->hash, sizeof task->auditor.rules);
    task->events = fb_cloudevents_new();
    task->batch = fb_batch_new(config->room);
    task->unsent = fb_unsent_new();
    if (config->journalled) {
        task->ledger = fb_ledger_new(&config->pace);
        task->journal = fb_ledger_writer(task->ledger);
    }
    return task;
}

void fb_task_free(struct fb_task *task) {
    if (!task)
        return;
    fb_core_free(task->core);
    fb_cloudevents_free(task->events);
    close_bundle(task);
    fb_batch_free(task->batch);
    fb_unsent_free(task->unsent);
    fb_buf_free(&task->line);
    fb_ledger_free(task->ledger);
    fb_buf_free(&task->committer);
    fb_buf_free(&task->sealer);
    free(task);
}

int32_t fb_task_partition(const struct fb_task *task) {
    return task->partition;
}

const struct fb_bundle *fb_task_bundle(const struct fb_task *task) {
    return task->bundle;
}

struct fb_core *fb_task_core(struct fb_task *task) {
    return task->core;
}

int64_t fb_task_next(const struct fb_task *task, uint32_t route) {
    return task->topics[route].next;
}

void fb_task_set_next(struct fb_task *task, uint32_t route, int64_t offset) {
    task->topics[route].next = offset;
}

void fb_task_begin(struct fb_task *task, uint32_t route, int64_t offset) {
    task->topics[route].next = offset;
    if (task->journal)
        fb_journal_begin(task->journal, route, offset);
    task->news = true;
}

static void reject(struct fb_task *task, const struct fb_record *record,
                   const struct fb_reject *why) {
    struct fb_dead_letter letter = {.reason = why->code,
                                    .detail = why->detail,
                                    .origin = why->origin,
                                    .payload = why->raw,
                                    .time_us = FB_NO_TIME};
    if (record->stamp_us != FB_NO_STAMP)
        letter.time_us = record->stamp_us;
    bury(task, record, &letter);
}

static void take(struct fb_task *task, struct fb_task_topic *topic, const struct fb_record *record,
                 const struct fb_entry *entry, int64_t c_us) {
    task->entries++;
    topic->keyed = fb_str_eq(entry->device, record->key);
    task->auditor.payload = entry->raw;
    enum fb_taken taken = fb_core_take(task->core, entry, c_us);
    task->auditor.payload = (struct fb_str){0};
    if (taken != FB_REFUSED_DEVICES)
        return;
    struct fb_dead_letter letter = {
        .reason = "DEVICE_CAP",
        .detail = FB_S("there are more devices than devices.max allows in a partition"),
        .origin = entry->origin,
        .payload = entry->raw,
        .time_us = entry->ts_us};
    bury(task, record, &letter);
}

static struct fb_origin origin_of(const struct fb_record *record) {
    return (struct fb_origin){
        .topic = record->topic, .partition = record->partition, .offset = record->offset};
}

static int64_t stamp_of(const struct fb_task *task, const struct fb_record *record,
                        int64_t wall_us) {
    return task->config->stamp_by_wall ? wall_us : record->stamp_us;
}

/* What every record brings about, whatever becomes of it; the new C. */
static int64_t begin_record(struct fb_task *task, struct fb_task_topic *topic,
                            const struct fb_record *record, int64_t wall_us) {
    FB_ASSERT(record->offset >= topic->next && !task->sealed);
    set_wall(task, wall_us);
    task->records++;
    task->news = true;
    task->bytes_read += record->value.n;
    task->record = record;
    task->traced = false;
    topic->next = record->offset + 1;
    if (FB_PLANTED(WALL_CLOCK))
        fb_clock_end(&task->clock, record->stamp_us + clock() % 5000);
    int64_t c_us = fb_clock_record(&task->clock, stamp_of(task, record, wall_us), wall_us);
    struct fb_origin origin = origin_of(record);
    move_clock(task, c_us, &origin);
    return c_us;
}

/* Touched devices, where a snapshot is under way, do not wait for the seal. */
static void relieve(struct fb_task *task) {
    if (task->journal)
        fb_ledger_relieve(task->ledger, task->core, task->batch);
}

static void end_record(struct fb_task *task, int64_t c_us) {
    fb_core_advance(task->core, c_us); /* where no entry has moved it */
    task->record = NULL;
    relieve(task);
}

/* What other applications have made of our own outputs, again and again. */
static void refuse_hops(struct fb_task *task, const struct fb_record *record,
                        const struct fb_origin *origin) {
    char detail[160];
    int n = snprintf(detail, sizeof detail,
                     "it came through %u applications, and max.hops allows %lld: applications that "
                     "read each other's outputs feed it round and round",
                     origin->hops, (long long)task->bundle->settings.max_hops);
    struct fb_reject why = {
        .code = "HOPS", .detail = {detail, (size_t)n}, .origin = *origin, .raw = record->value};
    if (!task->told_hops)
        fb_log(FB_LOG_WARN,
               "%.*s [%d]@%lld: %s; it goes to the dead letters as HOPS, and so does each one like "
               "it: find out by the header ce_source who writes it, and break the circle",
               FB_ARG(record->topic), record->partition, (long long)record->offset, detail);
    task->told_hops = true;
    reject(task, record, &why);
}

static void decode(struct fb_task *task, uint32_t route, const struct fb_record *record,
                   const struct fb_origin *origin, int64_t wall_us, int64_t c_us) {
    struct fb_task_topic *topic = &task->topics[route];
    struct fb_entry entry;
    struct fb_reject why;
    enum fb_decoded decoded;
    int64_t stamp_us = stamp_of(task, record, wall_us);
    int64_t arrival_us = stamp_us == FB_NO_STAMP ? FB_NO_TIME : stamp_us;
    if (topic->keyed) /* what its device needs comes from afar while the record is decoded */
        fb_core_expect(task->core, task->bundle->routes.items[route].classes[0], record->key);
    if (topic->keyed)
        fb_core_foresee(task->core, task->bundle->routes.items[route].classes[0], record->coming);
    struct fb_str payload = record->value;
    task->whole = false;
    if (topic->events) {
        struct fb_str whole = fb_cloudevents_whole(task->events, record);
        task->whole = whole.p != NULL;
        payload = whole.p ? whole : payload;
    }
    fb_decoder_begin(topic->decoder, payload, origin, arrival_us);
    while ((decoded = fb_decoder_next(topic->decoder, &entry, &why)) != FB_DECODED_END) {
        if (decoded == FB_DECODED_ENTRY)
            take(task, topic, record, &entry, c_us);
        else
            reject(task, record, &why);
    }
}

void fb_task_record(struct fb_task *task, uint32_t route, const struct fb_record *record,
                    int64_t wall_us) {
    struct fb_origin origin = origin_of(record);
    origin.hops = fb_headers_hops(record);
    int64_t c_us = begin_record(task, &task->topics[route], record, wall_us);
    if (task->journal && task->config->keep_bytes)
        fb_journal_take_bytes(task->journal, route, wall_us, record->stamp_us, record->key,
                              record->value);
    else if (task->journal)
        fb_journal_take(task->journal, route, wall_us);
    if (origin.hops > task->bundle->settings.max_hops)
        refuse_hops(task, record, &origin);
    else
        decode(task, route, record, &origin, wall_us, c_us);
    end_record(task, c_us);
}

void fb_task_quarantine(struct fb_task *task, uint32_t route, const struct fb_record *record,
                        int64_t wall_us) {
    int64_t c_us = begin_record(task, &task->topics[route], record, wall_us);
    if (task->journal && FB_PLANTED(POISON_AS_TAKEN))
        fb_journal_take(task->journal, route, wall_us);
    else if (task->journal)
        fb_journal_quarantine(task->journal, route, wall_us);
    struct fb_reject why = {
        .code = "POISON",
        .detail = FB_S("this record has ended the process twice and was not looked at again"),
        .origin = origin_of(record),
        .raw = record->value};
    reject(task, record, &why);
    end_record(task, c_us);
}

void fb_task_tick(struct fb_task *task, int64_t wall_us) {
    FB_ASSERT(!task->sealed);
    set_wall(task, wall_us);
    if (task->journal && !FB_PLANTED(TICK_UNJOURNALLED))
        fb_journal_tick(task->journal, wall_us);
    int64_t c_us = fb_clock_end(&task->clock, wall_us);
    move_clock(task, c_us, NULL);
    fb_core_advance(task->core, c_us);
    relieve(task);
}

/* ---- operators' calls ---- */

int64_t fb_task_calls_next(const struct fb_task *task) {
    return task->calls_next;
}

bool fb_task_is_killed(const struct fb_task *task) {
    return fb_core_is_killed(task->core);
}

static void audit_call(struct fb_task *task, const struct fb_call_read *read,
                       enum fb_call_outcome outcome, struct fb_str bytes,
                       const struct fb_origin *origin) {
    struct fb_encoded encoded;
    if (!task->config->journalled)
        return;
    fb_audit_call(&task->auditor, task->encoder, read, outcome, bytes, origin, &encoded);
    fb_task_keep(task, &encoded);
}

void fb_task_call(struct fb_task *task, struct fb_str topic, int64_t offset, struct fb_str bytes,
                  int64_t wall_us) {
    FB_ASSERT(!task->sealed && offset >= task->calls_next);
    struct fb_call_reader *reader = fb_call_reader_new();
    struct fb_call_read read;
    struct fb_origin origin = {.topic = topic, .offset = offset};
    enum fb_call_outcome outcome = FB_CALL_ACCEPTED;
    set_wall(task, wall_us);
    if (task->journal)
        fb_journal_call(task->journal, topic, offset, bytes, wall_us);
    bool good = fb_call_read(reader, bytes, &read);
    task->calls_next = offset + 1;
    task->news = true;
    read.call.origin = origin;
    if (good)
        outcome = fb_core_call(task->core, &read.call, task->clock.c_us);
    audit_call(task, &read, outcome, bytes, &origin);
    fb_call_reader_free(reader);
    relieve(task);
}

struct fb_batch *fb_task_batch(struct fb_task *task) {
    return task->batch;
}

struct fb_task_stats fb_task_stats(const struct fb_task *task) {
    return (struct fb_task_stats){.records = task->records,
                                  .entries = task->entries,
                                  .dead = task->dead,
                                  .core = fb_core_stats(task->core)};
}

void fb_task_describe(const struct fb_task *task, struct fb_posting *posting) {
    posting->clock_us = task->clock.c_us;
    posting->snapshot_us = FB_NO_TIME;
    posting->seq = fb_task_seq(task);
    posting->audit_seq = task->auditor.seq;
    memcpy(posting->audit_head, task->auditor.head, sizeof posting->audit_head);
    memcpy(posting->rules, task->bundle->name, sizeof posting->rules);
    if (task->ledger && fb_ledger_snapshot(task->ledger)->id)
        posting->snapshot_us = fb_ledger_snapshot(task->ledger)->wall_us;
}

/* ---- other rules ---- */

void fb_task_activate(struct fb_task *task, struct fb_str build, int64_t wall_us) {
    struct fb_encoded encoded;
    set_wall(task, wall_us);
    if (task->journal)
        fb_ledger_rules(task->ledger, task->core, task->bundle, build, wall_us);
    task->news = true;
    if (!task->config->journalled)
        return;
    memcpy(task->auditor.rules, task->bundle->hash, sizeof task->auditor.rules);
    char text[64];
    snprintf(text, sizeof text, "%.*s", FB_ARG(build));
    fb_audit_rules(&task->auditor, task->encoder, text, &encoded);
    fb_task_keep(task, &encoded);
}

/* The positions of the topics that both name. */
static void go_on_in(struct fb_task *task, const struct fb_journal *before) {
    for (uint32_t i = 0; i < before->n_inputs; i++) {
        uint32_t route = fb_routes_find(&task->bundle->routes, before->inputs[i].topic);
        if (route != UINT32_MAX)
            task->topics[route].next = before->inputs[i].next;
    }
}

/* A journal's record names its inputs as they are at its end, so a change stands at its beginning.
 */
bool fb_task_may_change(const struct fb_task *task) {
    return !task->sealed && !task->news && fb_batch_count(task->batch) == 0;
}

void fb_task_change(struct fb_task *task, struct fb_bundle *bundle, struct fb_str build,
                    int64_t wall_us) {
    FB_ASSERT(!task->sealed);
    struct fb_journal before;
    struct fb_bundle *old = fb_bundle_keep(task->bundle); /* `before` has views of its topics */
    struct fb_migration *migration = fb_migration_new(old->program, bundle->program);
    fb_task_mark(task, &before);
    set_wall(task, wall_us); /* alarms of rules that are gone end now */
    fb_core_snapshot_drop(task->core);
    fb_core_change_program(task->core, migration);
    close_bundle(task);
    open_bundle(task, bundle);
    go_on_in(task, &before);
    struct fb_core_config core = core_config(bundle);
    fb_core_configure(task->core, &core);
    fb_migration_free(migration);
    fb_bundle_drop(old);
    fb_task_activate(task, build, wall_us);
}
