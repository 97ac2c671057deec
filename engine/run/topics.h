/* Before the start: are the inputs there, do their partitions fit, are the outputs there?
 *
 * Place in the flow: engine/run/engine, once, from its own thread; waits for the broker. */
#ifndef FB_RUN_TOPICS_H
#define FB_RUN_TOPICS_H

#include "connectors/kafka_conf.h"
#include "engine/codec/encode.h"
#include "engine/model/program.h"
#include "engine/run/config.h"

struct fb_kafka_topics;

struct fb_topics_wanted {
    struct fb_kafka_settings settings;
    const struct fb_program *program;
    const char *const *inputs; /* topics to be read */
    uint32_t n_inputs;
    bool write;        /* outputs go to Kafka */
    bool exactly_once; /* and with them audit, journal and snapshots */
    const struct fb_config *config;
};

/* The topics of the outputs: all of them, or where the guarantee needs no more alerts, late records
 * and dead letters. */
struct fb_topics {
    const char *names[FB_STREAMS]; /* live as long as the configuration */
    int32_t partitions[FB_STREAMS];
    const char *also[FB_COMMANDED_MAX]; /* topics.commands.also, where there are commands */
    int32_t also_partitions[FB_COMMANDED_MAX];
    uint32_t n_also;
    bool rules_are_there; /* the topic of what is deployed */
    bool control_is_there; /* that of operators' calls */
};

/* What the configuration calls the topic of a stream. */
const char *fb_topics_name(const struct fb_config *config, enum fb_stream stream);

/* Without the broker: none of the topics that the rules read is one of the application's own. What
 * it puts out would come back to it, and what that makes it put out as well. */
bool fb_topics_are_of_others(const struct fb_config *config, const struct fb_program *program,
                             struct fb_err *err);

/* Without the broker: the topics that the rules name for commands, by `to` of an actuator, are
 * those that the configuration allows (rules/MEANING.md, A104). */
bool fb_topics_may_be_commanded(const struct fb_config *config, const struct fb_program *program,
                                struct fb_err *err);

/* How many partitions a topic of an application has that runs or ran exactly once; -1: err, also
 * where there is none, which says what may be wrong. */
int32_t fb_topics_find(const struct fb_config *config, struct fb_kafka_topics *kafka,
                       const char *name, struct fb_err *err);

/* Looks, creates what is missing where topics.create allows it. False: err says why, retriable
 * where the broker is the trouble and not what was asked of it. */
bool fb_topics_prepare(const struct fb_topics_wanted *wanted, struct fb_topics *topics,
                       struct fb_err *err);

#endif
