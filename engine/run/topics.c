/* Before the start: are the inputs there, do their partitions fit, are the outputs there? */
#include "engine/run/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/kafka_may_read.h"
#include "connectors/kafka_topics.h"
#include "engine/base/arena.h"
#include "engine/base/log.h"
#include "engine/run/config.h"

enum { BROKER_MS = 10000, PROPAGATION_TRIES = 100, PROPAGATION_US = 100000 };

static const enum fb_config_key keys[FB_STREAMS] = {
    [FB_STREAM_ALERTS] = FB_KEY_TOPICS_ALERTS,   [FB_STREAM_LATE] = FB_KEY_TOPICS_LATE,
    [FB_STREAM_DEAD] = FB_KEY_TOPICS_DEAD,       [FB_STREAM_AUDIT] = FB_KEY_TOPICS_AUDIT,
    [FB_STREAM_COMMANDS] = FB_KEY_TOPICS_COMMANDS, [FB_STREAM_SHADOW] = FB_KEY_TOPICS_SHADOW,
    [FB_STREAM_JOURNAL] = FB_KEY_TOPICS_JOURNAL, [FB_STREAM_SNAPSHOT] = FB_KEY_TOPICS_SNAPSHOT,
    [FB_STREAM_STATUS] = FB_KEY_TOPICS_STATUS};

const char *fb_topics_name(const struct fb_config *config, enum fb_stream stream) {
    return fb_config_text(config, keys[stream]);
}

bool fb_topics_are_of_others(const struct fb_config *config, const struct fb_program *program,
                             struct fb_err *err) {
    for (uint32_t c = 0; c < program->n_classes; c++) {
        const struct fb_class *class = &program->classes[c];
        for (uint32_t i = 0; i < class->n_topics; i++) {
            const char *name = fb_config_own_topic(config, class->topics[i]);
            if (name)
                return fb_fail(err, FB_FATAL,
                               "the device `%.*s` reads the topic '%.*s', which is this "
                               "application's own (%s): what it puts out would come back to it, "
                               "round and round; read another topic, give this one another name, "
                               "or leave what is made of it to another application.id",
                               FB_ARG(class->name), FB_ARG(class->topics[i]), name);
        }
    }
    return true;
}

bool fb_topics_may_be_commanded(const struct fb_config *config, const struct fb_program *program,
                                struct fb_err *err) {
    struct fb_str usual = fb_str_of(fb_config_text(config, FB_KEY_TOPICS_COMMANDS));
    for (uint32_t c = 0; c < program->n_classes; c++) {
        const struct fb_class *class = &program->classes[c];
        for (uint32_t i = 0; i < class->n_actuators; i++) {
            struct fb_str to = class->actuators[i].to;
            if (to.n && !fb_str_eq(to, usual) && !fb_config_also(config, to))
                return fb_fail(err, FB_FATAL,
                               "the actuator `%.*s` is commanded in the topic '%.*s', which the "
                               "configuration does not allow rules to command: add it to "
                               "topics.commands.also, or mend its `to`",
                               FB_ARG(class->actuators[i].name), FB_ARG(to));
        }
    }
    return true;
}

/* At least once there is neither audit nor journal, hence no command, and no status. */
static int n_streams(const struct fb_topics_wanted *wanted) {
    return wanted->exactly_once ? FB_STREAMS : FB_STREAM_AUDIT;
}

static bool is_internal(int stream) {
    return stream == FB_STREAM_JOURNAL || stream == FB_STREAM_SNAPSHOT;
}

/* A state is kept under the number of its partition. */
static bool check_internal(const char *name, int32_t n, int32_t partitions, struct fb_err *err) {
    if (n == partitions)
        return true;
    return fb_fail(err, FB_FATAL,
                   "the topic '%s' has %d partitions and the input %d: the number of the input's "
                   "partitions must not change in the life of an application, since devices would "
                   "move to others and leave their state behind; give the changed input a new "
                   "application.id, which begins anew",
                   name, n, partitions);
}

static bool create(struct fb_kafka_topics *kafka, const struct fb_topics_wanted *wanted,
                   const char *name, int stream, int32_t partitions, struct fb_err *err) {
    struct fb_kafka_setting compacted[] = {{"cleanup.policy", "compact"},
                                           {"min.cleanable.dirty.ratio", "0.1"},
                                           {"segment.bytes", "67108864"},
                                           {"max.message.bytes", "8388608"}}; /* rule files */
    char retention[24];
    snprintf(retention, sizeof retention, "%lld",
             (long long)fb_config_number(wanted->config, FB_KEY_JOURNAL_RETENTION_MS));
    struct fb_kafka_setting kept[] = {{"cleanup.policy", "delete"}, {"retention.ms", retention}};
    struct fb_kafka_settings settings = {0};
    if (stream == FB_STREAM_JOURNAL)
        settings = (struct fb_kafka_settings){kept, sizeof kept / sizeof *kept};
    if (stream == FB_STREAM_SNAPSHOT || stream == FB_STREAM_STATUS)
        settings = (struct fb_kafka_settings){compacted, sizeof compacted / sizeof *compacted};
    if (!fb_kafka_topics_create(kafka, name, partitions, &settings, err))
        return false;
    fb_log(FB_LOG_INFO, "created topic %s with %d partition%s", name, partitions,
           partitions == 1 ? "" : "s");
    return true;
}

/* Of the topic that was looked at last. */
static void tell_lone(const struct fb_kafka_topics *kafka, const char *name) {
    int brokers = fb_kafka_topics_lone(kafka);
    if (brokers > 0)
        fb_log(FB_LOG_WARN,
               "the topic '%s' is on one of %d brokers only: what is in it is lost with that one, "
               "and nothing goes on while it is away; give it a replication factor of 3",
               name, brokers);
}

static bool look_at_inputs(struct fb_kafka_topics *kafka, const struct fb_topics_wanted *wanted,
                           int32_t *partitions, struct fb_err *err) {
    for (uint32_t i = 0; i < wanted->n_inputs; i++) {
        partitions[i] = fb_kafka_topics_partitions(kafka, wanted->inputs[i], "Read", err);
        if (partitions[i] < 0)
            return false;
        if (partitions[i] == 0)
            return fb_fail(err, FB_FATAL,
                           "the input topic '%s' does not exist: create it, or mend the `from` of "
                           "the rules",
                           wanted->inputs[i]);
        tell_lone(kafka, wanted->inputs[i]);
    }
    return true;
}

/* A state is rebuilt from what was read since the last snapshot, which may be one that failed. */
enum { RETENTION_FACTOR = 4 };

static bool check_retention(struct fb_kafka_topics *kafka, const struct fb_topics_wanted *wanted,
                            const char *topic, struct fb_err *err) {
    int64_t interval_ms = fb_config_number(wanted->config, FB_KEY_SNAPSHOT_MAX_MS);
    int64_t kept_ms = fb_kafka_topics_retention(kafka, topic);
    if (kept_ms < 0) {
        fb_log(FB_LOG_INFO,
               "how long the topic '%s' keeps its records cannot be seen (that needs "
               "DescribeConfigs): it must be at least %lld s",
               topic, (long long)interval_ms * RETENTION_FACTOR / 1000);
        return true;
    }
    if (kept_ms / RETENTION_FACTOR >= interval_ms)
        return true;
    return fb_fail(
        err, FB_FATAL,
        "the topic '%s' keeps its records for %lld s (retention.ms), but a state must be "
        "rebuilt from it: keep them for at least %d times snapshot.interval.max.ms, %lld "
        "s, or make snapshots more often",
        topic, (long long)kept_ms / 1000, RETENTION_FACTOR,
        (long long)interval_ms * RETENTION_FACTOR / 1000);
}

/* Exactly once: what a state is rebuilt from. */
static bool check_retentions(struct fb_kafka_topics *kafka, const struct fb_topics_wanted *wanted,
                             struct fb_err *err) {
    bool ok = true;
    for (uint32_t i = 0; ok && wanted->exactly_once && i < wanted->n_inputs; i++)
        ok = check_retention(kafka, wanted, wanted->inputs[i], err);
    return ok && (!wanted->exactly_once ||
                  check_retention(kafka, wanted,
                                  fb_config_text(wanted->config, keys[FB_STREAM_JOURNAL]), err));
}

static int32_t partitions_of(const struct fb_topics_wanted *wanted, const int32_t *partitions,
                             struct fb_str topic) {
    for (uint32_t i = 0; i < wanted->n_inputs; i++)
        if (fb_str_eq(fb_str_of(wanted->inputs[i]), topic))
            return partitions[i];
    return 0;
}

/* A device's records have to come to one task, whichever topic of its class they are in. */
static bool check_copartitioned(const struct fb_topics_wanted *wanted, const int32_t *partitions,
                                struct fb_err *err) {
    for (uint32_t c = 0; c < wanted->program->n_classes; c++) {
        const struct fb_class *class = &wanted->program->classes[c];
        for (uint32_t k = 1; k < class->n_topics; k++) {
            int32_t first = partitions_of(wanted, partitions, class->topics[0]);
            int32_t other = partitions_of(wanted, partitions, class->topics[k]);
            if (first != other)
                return fb_fail(err, FB_FATAL,
                               "the topics of device %.*s must have the same number of partitions: "
                               "%.*s has %d, %.*s has %d",
                               FB_ARG(class->name), FB_ARG(class->topics[0]), first,
                               FB_ARG(class->topics[k]), other);
        }
    }
    return true;
}

/* Other topics of commands; at least once there are none. */
static uint32_t n_also(const struct fb_topics_wanted *wanted) {
    return wanted->exactly_once ? fb_config_n_also(wanted->config) : 0;
}

/* A created topic is known everywhere only after a moment. */
static int32_t await_topic(struct fb_kafka_topics *kafka, const char *name, struct fb_err *err) {
    int32_t n = 0;
    for (int i = 0; i < PROPAGATION_TRIES && n == 0; i++) {
        n = fb_kafka_topics_partitions(kafka, name, "Write", err);
        if (n == 0)
            usleep(PROPAGATION_US);
    }
    if (n == 0)
        fb_fail(err, FB_RETRIABLE, "the topic '%s' was created and does not appear", name);
    return n;
}

/* How many partitions it has, once it is there; -1: err. */
static int32_t prepare_output(struct fb_kafka_topics *kafka, const struct fb_topics_wanted *wanted,
                              const char *name, int stream, int32_t partitions,
                              struct fb_err *err) {
    int32_t n = fb_kafka_topics_partitions(kafka, name, "Write", err);
    if (n == 0 && !fb_config_bool(wanted->config, FB_KEY_TOPICS_CREATE))
        fb_fail(err, FB_FATAL,
                "the output topic '%s' does not exist: create it with %d partition%s, or set "
                "topics.create = true",
                name, partitions, partitions == 1 ? "" : "s");
    else if (n == 0 && create(kafka, wanted, name, stream, partitions, err))
        n = await_topic(kafka, name, err);
    if (n <= 0)
        return -1;
    tell_lone(kafka, name);
    if (is_internal(stream) && !check_internal(name, n, partitions, err))
        return -1;
    if (n < partitions)
        fb_log(FB_LOG_WARN,
               "topic %s has %d partition%s, the input %d: several input partitions share one",
               name, n, n == 1 ? "" : "s", partitions);
    return n;
}

static bool prepare_outputs(struct fb_kafka_topics *kafka, const struct fb_topics_wanted *wanted,
                            int32_t partitions, struct fb_topics *topics, struct fb_err *err) {
    for (int s = 0; s < n_streams(wanted); s++) {
        const char *name = fb_config_text(wanted->config, keys[s]);
        topics->names[s] = name;
        topics->partitions[s] = prepare_output(kafka, wanted, name, s, partitions, err);
        if (topics->partitions[s] < 0)
            return false;
    }
    for (uint32_t i = 0; i < n_also(wanted); i++) {
        const char *name = fb_config_also_at(wanted->config, i);
        topics->also[topics->n_also++] = name;
        topics->also_partitions[i] =
            prepare_output(kafka, wanted, name, FB_STREAM_COMMANDS, partitions, err);
        if (topics->also_partitions[i] < 0)
            return false;
    }
    return true;
}

static bool is_written(const struct fb_topics_wanted *wanted, struct fb_str topic) {
    bool is = wanted->exactly_once && fb_config_also(wanted->config, topic);
    for (int s = 0; !is && s < n_streams(wanted); s++)
        is = fb_str_eq(fb_str_of(fb_config_text(wanted->config, keys[s])), topic);
    return is;
}

static bool no_loop(const struct fb_topics_wanted *wanted, struct fb_err *err) {
    for (uint32_t i = 0; wanted->write && i < wanted->n_inputs; i++)
        if (is_written(wanted, fb_str_of(wanted->inputs[i])))
            return fb_fail(err, FB_FATAL, "the topic '%s' is read and written", wanted->inputs[i]);
    return true;
}

/* What will be read, now or when a state is rebuilt. */
static bool check_readable(const struct fb_topics_wanted *wanted, const struct fb_topics *topics,
                           struct fb_err *err) {
    const char **names = fb_alloc((wanted->n_inputs + FB_STREAMS + 2) * sizeof *names);
    uint32_t n = 0;
    for (uint32_t i = 0; i < wanted->n_inputs; i++)
        names[n++] = wanted->inputs[i];
    for (int s = 0; wanted->write && s < n_streams(wanted); s++)
        if (is_internal(s))
            names[n++] = fb_config_text(wanted->config, keys[s]);
    if (topics->rules_are_there)
        names[n++] = fb_config_text(wanted->config, FB_KEY_TOPICS_RULES);
    if (topics->control_is_there)
        names[n++] = fb_config_text(wanted->config, FB_KEY_TOPICS_CONTROL);
    bool ok = fb_kafka_may_read(&wanted->settings, names, n, err);
    free(names);
    return ok;
}

/* `flyball deploy` or `operator` makes it, so it need not be there. */
static bool look_for(struct fb_kafka_topics *kafka, const struct fb_topics_wanted *wanted,
                     enum fb_config_key key, bool *is_there, struct fb_err *err) {
    const char *name = fb_config_text(wanted->config, key);
    int32_t n = fb_kafka_topics_partitions(kafka, name, "Read", err);
    *is_there = n > 0;
    if (n > 1)
        return fb_fail(err, FB_FATAL,
                       "the topic '%s' has %d partitions: %s need the order of a single one",
                       name, n, key == FB_KEY_TOPICS_RULES ? "rules" : "calls");
    return n >= 0;
}

int32_t fb_topics_find(const struct fb_config *config, struct fb_kafka_topics *kafka,
                       const char *name, struct fb_err *err) {
    int32_t n = fb_kafka_topics_partitions(kafka, name, "Read", err);
    if (n != 0)
        return n;
    fb_fail(err, FB_FATAL,
            "there is no topic '%s': is %s the application.id, and did it run with "
            "processing.guarantee = exactly_once?",
            name, fb_config_text(config, FB_KEY_APPLICATION_ID));
    return -1;
}

bool fb_topics_prepare(const struct fb_topics_wanted *wanted, struct fb_topics *topics,
                       struct fb_err *err) {
    if (!no_loop(wanted, err))
        return false;
    struct fb_kafka_topics *kafka = fb_kafka_topics_open(&wanted->settings, BROKER_MS, err);
    if (!kafka)
        return false;
    int32_t *partitions = fb_alloc((wanted->n_inputs + 1) * sizeof *partitions), most = 1;
    bool ok = look_at_inputs(kafka, wanted, partitions, err) &&
              check_copartitioned(wanted, partitions, err);
    for (uint32_t i = 0; i < wanted->n_inputs; i++)
        most = partitions[i] > most ? partitions[i] : most;
    ok = ok && (!wanted->write || prepare_outputs(kafka, wanted, most, topics, err));
    ok = ok && check_retentions(kafka, wanted, err);
    if (ok && wanted->write && wanted->exactly_once)
        ok = look_for(kafka, wanted, FB_KEY_TOPICS_RULES, &topics->rules_are_there, err) &&
             look_for(kafka, wanted, FB_KEY_TOPICS_CONTROL, &topics->control_is_there, err);
    free(partitions);
    fb_kafka_topics_close(kafka);
    return ok && check_readable(wanted, topics, err);
}
