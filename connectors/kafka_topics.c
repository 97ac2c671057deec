/* Looks at topics and creates them, before a run begins. */
#include "connectors/kafka_topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/kafka_client.h"
#include "connectors/kafka_login.h"
#include "connectors/kafka_rights.h"
#include "engine/base/arena.h"

enum { ANSWER_MS = 10000, REASON_MAX = 512, SLICE_MS = 500, GRACE_MS = 1000 };

struct fb_kafka_topics {
    rd_kafka_t *client;
    char reason[REASON_MAX]; /* what the library last complained of */
    char brokers[REASON_MAX];
    int lone;                             /* see fb_kafka_topics_lone */
    const struct fb_kafka_login *refused; /* what the connection failed for, NULL: not known */
};

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
    (void)rk;
    struct fb_kafka_topics *topics = opaque;
    /* "All brokers are down" follows what says why. */
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && topics->reason[0])
        return;
    if (topics->refused && topics->refused->lasting)
        return;
    snprintf(topics->reason, sizeof topics->reason, "%s", reason);
    topics->refused = fb_kafka_login_of(reason);
}

static const char *brokers_of(const struct fb_kafka_settings *settings) {
    for (uint32_t i = 0; i < settings->n; i++)
        if (strcmp(settings->items[i].name, "bootstrap.servers") == 0 ||
            strcmp(settings->items[i].name, "metadata.broker.list") == 0)
            return settings->items[i].value;
    return NULL;
}

/* Asks until a broker answers. Where one refuses us for good the others have a moment left. */
static rd_kafka_resp_err_t await_broker(struct fb_kafka_topics *topics, int timeout_ms) {
    const struct rd_kafka_metadata *metadata;
    int64_t end_ms = fb_kafka_now_ms() + timeout_ms;
    for (int64_t slice_ms = SLICE_MS;; slice_ms *= 2) {
        int64_t left_ms = end_ms - fb_kafka_now_ms();
        rd_kafka_resp_err_t code = rd_kafka_metadata(
            topics->client, 0, NULL, &metadata, (int)(slice_ms < left_ms ? slice_ms : left_ms));
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_metadata_destroy(metadata);
            return code;
        }
        rd_kafka_poll(topics->client, 0); /* what on_error has to say */
        int64_t now_ms = fb_kafka_now_ms();
        if (topics->refused && topics->refused->lasting && end_ms > now_ms + GRACE_MS)
            end_ms = now_ms + GRACE_MS;
        if (now_ms >= end_ms)
            return code;
    }
}

static void cannot_reach(const struct fb_kafka_topics *topics, rd_kafka_resp_err_t code,
                         struct fb_err *err) {
    const struct fb_kafka_login *refused = topics->refused;
    struct fb_str words = fb_kafka_login_words(topics->reason);
    if (refused)
        fb_fail(err, refused->lasting ? FB_FATAL : FB_RETRIABLE, "%s: %s: %s (it says: %.*s)",
                topics->brokers, refused->what, refused->help, FB_ARG(words));
    else
        fb_fail(err, FB_RETRIABLE, "cannot reach Kafka at %s (kafka.bootstrap.servers): %s",
                topics->brokers, topics->reason[0] ? topics->reason : rd_kafka_err2str(code));
}

struct fb_kafka_topics *fb_kafka_topics_open(const struct fb_kafka_settings *settings,
                                             int timeout_ms, struct fb_err *err) {
    const char *brokers = brokers_of(settings);
    if (!brokers) {
        fb_fail(err, FB_FATAL, "kafka.bootstrap.servers is not set: write it as HOST:PORT");
        return NULL;
    }
    rd_kafka_conf_t *conf = fb_kafka_conf_new(FB_KAFKA_PRODUCER, settings, err);
    if (!conf)
        return NULL;
    struct fb_kafka_topics *topics = fb_alloc(sizeof *topics);
    snprintf(topics->brokers, sizeof topics->brokers, "%s", brokers);
    rd_kafka_conf_set_opaque(conf, topics);
    rd_kafka_conf_set_error_cb(conf, on_error);
    topics->client = fb_kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
    if (!topics->client) {
        free(topics);
        return NULL;
    }
    rd_kafka_resp_err_t code = await_broker(topics, timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return topics;
    cannot_reach(topics, code, err);
    fb_kafka_topics_close(topics);
    return NULL;
}

void fb_kafka_topics_close(struct fb_kafka_topics *topics) {
    if (!topics)
        return;
    rd_kafka_destroy(topics->client);
    free(topics);
}

static int lone_in(const struct rd_kafka_metadata *metadata) {
    const struct rd_kafka_metadata_topic *topic = metadata->topics;
    for (int i = 0; metadata->topic_cnt == 1 && i < topic->partition_cnt; i++)
        if (topic->partitions[i].replica_cnt == 1 && metadata->broker_cnt > 1)
            return metadata->broker_cnt;
    return 0;
}

int fb_kafka_topics_lone(const struct fb_kafka_topics *topics) {
    return topics->lone;
}

int32_t fb_kafka_topics_partitions(struct fb_kafka_topics *topics, const char *topic,
                                   const char *right, struct fb_err *err) {
    rd_kafka_topic_t *handle = rd_kafka_topic_new(topics->client, topic, NULL);
    if (!handle) {
        fb_kafka_failed(err, rd_kafka_last_error(), topic);
        return -1;
    }
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(topics->client, 0, handle, &metadata, ANSWER_MS);
    rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fb_kafka_failed(err, code, topic);
        return -1;
    }
    int32_t n = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_NO_ERROR;
    topics->lone = lone_in(metadata);
    rd_kafka_metadata_destroy(metadata);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return 0;
    if (fb_kafka_denied(err, code, right, FB_KAFKA_ON_TOPIC, topic))
        return -1;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
        fb_fail(err, FB_FATAL, "topic '%s' at %s: %s", topic, topics->brokers,
                rd_kafka_err2str(code));
        return -1;
    }
    return n;
}

/* The one result of an admin call; the call itself may have failed too. */
static rd_kafka_resp_err_t created(rd_kafka_event_t *event, char *why, size_t room) {
    size_t n = 0;
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    snprintf(why, room, "%s", code ? rd_kafka_event_error_string(event) : "");
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_topic_result_t **each =
        result ? rd_kafka_CreateTopics_result_topics(result, &n) : NULL;
    if (code || n != 1)
        return code;
    const char *text = rd_kafka_topic_result_error_string(each[0]);
    snprintf(why, room, "%s", text ? text : "");
    return rd_kafka_topic_result_error(each[0]);
}

bool fb_kafka_topics_create(struct fb_kafka_topics *topics, const char *topic, int32_t partitions,
                            const struct fb_kafka_settings *settings, struct fb_err *err) {
    char why[REASON_MAX] = "";
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, -1, why, sizeof why);
    if (!wanted)
        return fb_fail(err, FB_FATAL, "cannot create topic '%s': %s", topic, why);
    for (uint32_t i = 0; i < settings->n; i++)
        rd_kafka_NewTopic_set_config(wanted, settings->items[i].name, settings->items[i].value);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(topics->client);
    rd_kafka_CreateTopics(topics->client, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ANSWER_MS * 6);
    rd_kafka_resp_err_t code =
        event ? created(event, why, sizeof why) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wanted);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return true;
    if (fb_kafka_denied(err, code, "Create", FB_KAFKA_ON_TOPIC, topic))
        return false;
    return fb_fail(err, FB_FATAL,
                   "cannot create topic '%s': %s; create it yourself, or allow this client to",
                   topic, why[0] ? why : rd_kafka_err2str(code));
}

static const char *setting_of(const rd_kafka_ConfigResource_t *resource, const char *name) {
    size_t n;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    return NULL;
}

/* A topic that is only compacted keeps the last record of each key for ever. */
static int64_t retention_of(const rd_kafka_ConfigResource_t *resource) {
    const char *policy = setting_of(resource, "cleanup.policy");
    const char *ms = setting_of(resource, "retention.ms");
    if (rd_kafka_ConfigResource_error(resource) || !ms)
        return -1;
    if (policy && !strstr(policy, "delete"))
        return INT64_MAX;
    int64_t retention = strtoll(ms, NULL, 10);
    return retention < 0 ? INT64_MAX : retention;
}

int64_t fb_kafka_topics_retention(struct fb_kafka_topics *topics, const char *topic) {
    int64_t retention = -1;
    size_t n = 0;
    rd_kafka_ConfigResource_t *wanted = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(topics->client);
    rd_kafka_DescribeConfigs(topics->client, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ANSWER_MS);
    const rd_kafka_DescribeConfigs_result_t *result =
        event ? rd_kafka_event_DescribeConfigs_result(event) : NULL;
    const rd_kafka_ConfigResource_t **resources =
        result && !rd_kafka_event_error(event)
            ? rd_kafka_DescribeConfigs_result_resources(result, &n)
            : NULL;
    if (n == 1)
        retention = retention_of(resources[0]);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(wanted);
    return retention;
}
