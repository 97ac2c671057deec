/* The writing end of the rules topic, and what the instances say of it. */
#include "engine/run/deploy.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/kafka_history.h"
#include "connectors/kafka_sink.h"
#include "connectors/kafka_source.h"
#include "connectors/kafka_topics.h"
#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/base/hash.h"
#include "engine/base/log.h"
#include "engine/codec/chunk.h"
#include "engine/codec/json.h"
#include "engine/run/config.h"
#include "engine/run/kafka_settings.h"

enum {
    BROKER_MS = 10000,
    WAIT_MS = 100,
    PATIENCE = 300, /* waits for an acknowledgement, and for what was written to be read */
    APPEARS = 100   /* looks at a topic that was created */
};

/* What a status says, in the order of struct fb_told. */
enum { RULES, MODE, INSTANCE, DETAIL, MEMBERS };

struct fb_deploy {
    const struct fb_config *config;
    struct fb_kafka_settings settings;
    const char *topic;
    bool is_control;
    int32_t status_partitions;
    atomic_bool stop; /* never */
    struct fb_history *history;
    struct fb_deployments all;
    struct fb_json_paths *paths;
    struct fb_json *json;
};

/* ---- the topic ---- */

static bool create(struct fb_deploy *deploy, struct fb_kafka_topics *kafka, struct fb_err *err) {
    static const struct fb_kafka_setting kept[] = {
        {"cleanup.policy", "delete"}, {"retention.ms", "-1"}, {"max.message.bytes", "8388608"}};
    struct fb_kafka_settings settings = {kept, sizeof kept / sizeof *kept};
    int32_t n = 0;
    if (!fb_config_bool(deploy->config, FB_KEY_TOPICS_CREATE))
        return fb_fail(err, FB_FATAL,
                       "the topic '%s' does not exist: create it with 1 partition, "
                       "cleanup.policy=delete and retention.ms=-1, or set topics.create = true",
                       deploy->topic);
    if (!fb_kafka_topics_create(kafka, deploy->topic, 1, &settings, err))
        return false;
    for (int i = 0; i < APPEARS && n == 0; i++) {
        n = fb_kafka_topics_partitions(kafka, deploy->topic, "Write", err);
        if (n == 0)
            usleep(WAIT_MS * 1000);
    }
    if (n < 0)
        return false;
    return n > 0 || fb_fail(err, FB_RETRIABLE, "the topic '%s' was created and does not appear",
                            deploy->topic);
}

static bool look_at_topics(struct fb_deploy *deploy, bool writes, struct fb_err *err) {
    struct fb_kafka_topics *kafka = fb_kafka_topics_open(&deploy->settings, BROKER_MS, err);
    if (!kafka)
        return false;
    int32_t n = fb_kafka_topics_partitions(kafka, deploy->topic, writes ? "Write" : "Read", err);
    bool ok = n >= 0 && (n > 0 || !writes || create(deploy, kafka, err));
    if (ok && n > 1)
        ok = fb_fail(err, FB_FATAL,
                     "the topic '%s' has %d partitions: %s need the order of a single one; create "
                     "another with 1 partition and name it in topics.%s",
                     deploy->topic, n, deploy->is_control ? "calls" : "rules",
                     deploy->is_control ? "control" : "rules");
    if (ok && !deploy->is_control) {
        deploy->status_partitions = fb_kafka_topics_partitions(
            kafka, fb_config_text(deploy->config, FB_KEY_TOPICS_STATUS), "Read", err);
        ok = deploy->status_partitions >= 0;
    }
    fb_kafka_topics_close(kafka);
    return ok;
}

static struct fb_deploy *new_deploy(const struct fb_config *config, enum fb_config_key topic) {
    static const struct fb_str members[MEMBERS] = {[RULES] = {"rules", 5},
                                                   [MODE] = {"mode", 4},
                                                   [INSTANCE] = {"instance", 8},
                                                   [DETAIL] = {"detail", 6}};
    struct fb_deploy *deploy = fb_alloc(sizeof *deploy);
    deploy->config = config;
    deploy->topic = fb_config_text(config, topic);
    deploy->is_control = topic == FB_KEY_TOPICS_CONTROL;
    deploy->settings = fb_kafka_settings_of(config);
    atomic_init(&deploy->stop, false);
    deploy->paths = fb_json_paths_new(members, MEMBERS);
    deploy->json = fb_json_new(deploy->paths, FB_JSON_LIMITS);
    return deploy;
}

struct fb_deploy *fb_deploy_open(const struct fb_config *config, bool writes, struct fb_err *err) {
    struct fb_deploy *deploy = new_deploy(config, FB_KEY_TOPICS_RULES);
    *err = (struct fb_err){0};
    if (look_at_topics(deploy, writes, err))
        deploy->history = fb_kafka_history_open(&deploy->settings, &deploy->stop, err);
    if (deploy->history &&
        fb_deployments_read(&deploy->all, deploy->history, deploy->topic, true, err))
        return deploy;
    fb_deploy_close(deploy);
    return NULL;
}

struct fb_deploy *fb_control_writer_open(const struct fb_config *config, struct fb_err *err) {
    struct fb_deploy *control = new_deploy(config, FB_KEY_TOPICS_CONTROL);
    *err = (struct fb_err){0};
    if (look_at_topics(control, true, err))
        control->history = fb_kafka_history_open(&control->settings, &control->stop, err);
    if (control->history)
        return control;
    fb_deploy_close(control);
    return NULL;
}

void fb_deploy_close(struct fb_deploy *deploy) {
    if (!deploy)
        return;
    if (deploy->history)
        deploy->history->calls->close(deploy->history);
    fb_deployments_free(&deploy->all);
    fb_json_free(deploy->json);
    fb_json_paths_free(deploy->paths);
    fb_kafka_settings_free(deploy->settings);
    free(deploy);
}

const char *fb_deploy_topic(const struct fb_deploy *deploy) {
    return deploy->topic;
}

const struct fb_deployments *fb_deploy_all(const struct fb_deploy *deploy) {
    return &deploy->all;
}

/* ---- writing ---- */

/* Until all replicas have it. */
static bool put(struct fb_sink *sink, const struct fb_outgoing *record, const char *topic,
                struct fb_err *err) {
    enum fb_commit commit = FB_COMMIT_AGAIN;
    for (int i = 0; i < PATIENCE; i++) {
        if (commit == FB_COMMIT_AGAIN && !sink->calls->put(sink, record, err))
            return false;
        commit = sink->calls->commit(sink, NULL, NULL, 0, WAIT_MS, err);
        if (commit == FB_COMMITTED)
            return true;
        if (commit == FB_COMMIT_FAILED)
            return false;
    }
    return fb_fail(err, FB_RETRIABLE,
                   "the topic '%s' has not acknowledged the record: whether it stands there is not "
                   "known, what stands there tells (of rules: `flyball deploy --list`)",
                   topic);
}

static const struct fb_deployment *find(const struct fb_deployments *all, size_t from,
                                        const struct fb_header *headers) {
    for (size_t i = from; i < all->n; i++)
        if (fb_str_eq(fb_str_of(all->items[i].by), headers[0].value) &&
            fb_str_eq(fb_str_of(all->items[i].at), headers[1].value))
            return &all->items[i];
    return NULL;
}

static bool write_record(struct fb_deploy *deploy, const struct fb_outgoing *record,
                         struct fb_err *err) {
    static const int32_t one = 1;
    struct fb_kafka_health health = {0};
    struct fb_kafka_sink_config config = {.settings = deploy->settings,
                                          .topics = &deploy->topic,
                                          .partitions = &one,
                                          .n_topics = 1,
                                          .health = &health};
    struct fb_sink *sink = fb_kafka_sink_open(&config, err);
    bool ok = sink && put(sink, record, deploy->topic, err);
    if (sink)
        sink->calls->close(sink);
    return ok;
}

bool fb_control_write(struct fb_deploy *control, struct fb_str call, int64_t *offset,
                      struct fb_err *err) {
    int64_t first;
    struct fb_outgoing record = {.topic = control->topic,
                                 .stamp_us = FB_NO_STAMP,
                                 .key = FB_S("call"),
                                 .value = call};
    return control->history->calls->bounds(control->history, control->topic, 0, &first, offset,
                                           err) &&
           write_record(control, &record, err);
}

const struct fb_deployment *fb_deploy_write(struct fb_deploy *deploy, struct fb_str bundle,
                                            const char *by, int64_t wall_us, struct fb_err *err) {
    struct fb_header headers[FB_DEPLOYMENT_HEADERS];
    struct fb_buf value = {0};
    char at[FB_TIME_TEXT_MAX];
    fb_time_format(wall_us, at);
    struct fb_outgoing record =
        fb_deployment_record(deploy->topic, bundle, by, at, headers, &value);
    bool ok = write_record(deploy, &record, err);
    fb_buf_free(&value);
    const struct fb_deployment *found = NULL;
    size_t before = deploy->all.n;
    for (int i = 0; ok && !found && i < PATIENCE; i++) {
        ok = fb_deployments_read(&deploy->all, deploy->history, deploy->topic, true, err);
        found = find(&deploy->all, before, headers);
        if (ok && !found)
            usleep(WAIT_MS * 1000);
    }
    if (ok && !found)
        fb_fail(err, FB_RETRIABLE, "the record that was written to '%s' cannot be read",
                deploy->topic);
    return found;
}

/* ---- what the instances say ---- */

static void copy(const struct fb_deploy *deploy, uint32_t member, char *to, size_t room) {
    const struct fb_json_value *value =
        &fb_json_values(deploy->json)[fb_json_node(deploy->paths, member)];
    snprintf(to, room, "%.*s", value->kind == FB_JSON_TEXT ? (int)value->text.n : 0,
             value->text.p ? value->text.p : "");
}

static void read_status(struct fb_deploy *deploy, const struct fb_record *record,
                        struct fb_told *to) {
    struct fb_json_object object;
    fb_json_begin(deploy->json, record->value);
    if (!fb_json_next(deploy->json, &object) || object.error != FB_JSON_OK)
        return;
    to->stamp_us = record->stamp_us;
    copy(deploy, RULES, to->rules, sizeof to->rules);
    copy(deploy, MODE, to->mode, sizeof to->mode);
    copy(deploy, INSTANCE, to->instance, sizeof to->instance);
    copy(deploy, DETAIL, to->detail, sizeof to->detail);
}

static bool read_statuses(struct fb_deploy *deploy, const char *topic, int32_t partition,
                          struct fb_told_all *told, struct fb_err *err) {
    struct fb_record record;
    enum fb_read read;
    struct fb_reader *reader =
        deploy->history->calls->open(deploy->history, topic, partition, told->next[partition], err);
    if (!reader)
        return false;
    while ((read = reader->calls->next(reader, &record, err)) == FB_READ_RECORD) {
        told->next[partition] = record.offset + 1;
        read_status(deploy, &record, &told->items[partition]);
    }
    reader->calls->close(reader);
    return read == FB_READ_END;
}

bool fb_deploy_told(struct fb_deploy *deploy, int64_t since_us, struct fb_told_all *told,
                    struct fb_err *err) {
    const char *topic = fb_config_text(deploy->config, FB_KEY_TOPICS_STATUS);
    if (!told->items && deploy->status_partitions > 0) {
        told->n = deploy->status_partitions;
        told->items = fb_alloc((size_t)told->n * sizeof *told->items);
        told->next = fb_alloc((size_t)told->n * sizeof *told->next);
        for (int32_t p = 0; p < told->n; p++) {
            told->items[p].stamp_us = FB_NO_STAMP;
            told->next[p] = -1;
        }
    }
    for (int32_t p = 0; p < told->n; p++) {
        if (told->next[p] < 0 && !deploy->history->calls->offset_at(deploy->history, topic, p,
                                                                    since_us, &told->next[p], err))
            return false;
        if (!read_statuses(deploy, topic, p, told, err))
            return false;
    }
    return true;
}

void fb_told_free(struct fb_told_all *told) {
    free(told->items);
    free(told->next);
    *told = (struct fb_told_all){0};
}

/* ---- rules that nobody deployed ---- */

static bool is_named(struct fb_str key, const char *name) {
    int slot;
    uint32_t index;
    uint8_t hash[32];
    char hex[13];
    if (fb_chunk_key_parse(key, &slot, &index, hash) != FB_KEY_RULES)
        return false;
    fb_hex(hash, 6, hex);
    return strcmp(hex, name) == 0;
}

/* From a partition of the snapshot topic: the first copy that is whole. */
static bool read_files(struct fb_deploy *deploy, int32_t partition, struct fb_undeployed *found,
                       struct fb_err *err) {
    const char *topic = fb_config_text(deploy->config, FB_KEY_TOPICS_SNAPSHOT);
    const struct fb_history_calls *calls = deploy->history->calls;
    struct fb_record record;
    struct fb_str files;
    struct fb_err damaged;
    int64_t first, end;
    enum fb_read read = FB_READ_END;
    if (!calls->bounds(deploy->history, topic, partition, &first, &end, err))
        return false;
    if (first == end)
        return true;
    struct fb_reader *reader = calls->open(deploy->history, topic, partition, first, err);
    if (!reader)
        return false;
    struct fb_chunk_coder *coder = fb_chunk_coder_new();
    FB_ASSERT(coder);
    while (!found->bytes.n && (read = reader->calls->next(reader, &record, err)) == FB_READ_RECORD)
        if (is_named(record.key, found->name) &&
            fb_rules_decode(coder, record.value, &files, &damaged))
            fb_buf_str(&found->bytes, files);
    fb_chunk_coder_free(coder);
    reader->calls->close(reader);
    return read != FB_READ_FAILED;
}

bool fb_deploy_find_undeployed(struct fb_deploy *deploy, struct fb_undeployed *found,
                               struct fb_err *err) {
    struct fb_told_all told = {0};
    int64_t newest_us = FB_NO_STAMP;
    *found = (struct fb_undeployed){0};
    bool ok = fb_deploy_told(deploy, 0, &told, err);
    for (int32_t p = 0; p < told.n; p++) {
        const struct fb_told *one = &told.items[p];
        if (one->stamp_us == FB_NO_STAMP || one->stamp_us <= newest_us || !one->rules[0])
            continue;
        newest_us = one->stamp_us;
        memcpy(found->name, one->rules, sizeof found->name);
        memcpy(found->instance, one->instance, sizeof found->instance);
    }
    for (int32_t p = 0; ok && !found->bytes.n && p < told.n; p++)
        if (told.items[p].stamp_us != FB_NO_STAMP && strcmp(told.items[p].rules, found->name) == 0)
            ok = read_files(deploy, p, found, err);
    fb_told_free(&told);
    return ok;
}
