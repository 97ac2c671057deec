/* What a live application has put out, read once from its topic. */
#include "engine/run/trail.h"

#include "connectors/kafka_history.h"
#include "connectors/kafka_may_read.h"
#include "connectors/kafka_topics.h"
#include "engine/run/cloudevent.h"
#include "engine/run/config.h"
#include "engine/run/kafka_settings.h"
#include "engine/run/topics.h"

enum { BROKER_MS = 10000 };

struct trail {
    const struct fb_config *config;
    const char *topic;
    struct fb_cloudevents *events; /* NULL: values stand for themselves */
    fb_trail_fn *fn;
    void *context;
};

/* -1: err. */
static int32_t find_topic(const struct trail *trail, const struct fb_kafka_settings *settings,
                          struct fb_err *err) {
    struct fb_kafka_topics *kafka = fb_kafka_topics_open(settings, BROKER_MS, err);
    int32_t n = kafka ? fb_topics_find(trail->config, kafka, trail->topic, err) : -1;
    fb_kafka_topics_close(kafka);
    if (n < 0 || !fb_kafka_may_read(settings, &trail->topic, 1, err))
        return -1;
    return n;
}

static void give(const struct trail *trail, const struct fb_record *record) {
    struct fb_str line = record->value;
    if (trail->events)
        line = fb_cloudevents_whole(trail->events, record);
    if (line.p)
        trail->fn(trail->context, line);
}

static bool read_partition(const struct trail *trail, struct fb_history *history, int32_t partition,
                           struct fb_err *err) {
    int64_t first, end;
    if (!history->calls->bounds(history, trail->topic, partition, &first, &end, err))
        return false;
    if (first == end)
        return true;
    struct fb_reader *reader = history->calls->open(history, trail->topic, partition, first, err);
    if (!reader)
        return false;
    struct fb_record record;
    enum fb_read read;
    while ((read = reader->calls->next(reader, &record, err)) == FB_READ_RECORD)
        give(trail, &record);
    reader->calls->close(reader);
    return read == FB_READ_END;
}

static bool read_all(const struct trail *trail, const struct fb_kafka_settings *settings,
                     struct fb_err *err) {
    atomic_bool stop = false; /* nobody sets it: signals end the process */
    int32_t n = find_topic(trail, settings, err);
    if (n < 0)
        return false;
    struct fb_history *history = fb_kafka_history_open(settings, &stop, err);
    if (!history)
        return false;
    int32_t partition = 0;
    while (partition < n && read_partition(trail, history, partition, err))
        partition++;
    history->calls->close(history);
    return partition == n;
}

bool fb_trail_read(const struct fb_config *config, enum fb_stream stream, fb_trail_fn *fn,
                   void *context, struct fb_err *err) {
    struct trail trail = {.config = config,
                          .topic = fb_topics_name(config, stream),
                          .events = stream == FB_STREAM_AUDIT ? NULL : fb_cloudevents_new(),
                          .fn = fn,
                          .context = context};
    struct fb_kafka_settings settings = fb_kafka_settings_of(config);
    bool ok = read_all(&trail, &settings, err);
    fb_kafka_settings_free(settings);
    fb_cloudevents_free(trail.events);
    return ok;
}
