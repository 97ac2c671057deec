/* The configuration of `flyball run`: one table of keys, read from a file and from -X options.
 *
 * Place in the flow: the first thing run does; read-only once fb_config_finish has succeeded.
 *
 * The table feeds parsing, --print-config and the reference page docs/CONFIGURATION.md. Keys that
 * begin with `kafka.` are not in it: they go to connectors/kafka_conf, which knows them. */
#ifndef FB_RUN_CONFIG_H
#define FB_RUN_CONFIG_H

#include "engine/base/str.h"

#include <stdint.h>

/* X(id, name, type, allowed, default, doc). Allowed: the words of a choice, the bounds of a number.
 * An empty default has its own rule, in config.c, and says so in the doc. */
#define FB_CONFIG_KEYS(X)                                                                          \
    X(APPLICATION_ID, "application.id", FB_CONFIG_NAME, "", "flyball",                             \
      "Name of the application: its consumer group, the prefix of its topics, part of every "      \
      "output's `id`. All instances of an application share it.")                                  \
    X(INSTANCE_ID, "instance.id", FB_CONFIG_NAME, "", "",                                          \
      "Name of this instance, different for every instance of an application and the same after "  \
      "a restart. Default: the host's name.")                                                      \
    X(WORKERS, "workers", FB_CONFIG_NUMBER, "1..256", "",                                          \
      "Threads that process; each has a consumer and a producer of its own. More than the input "  \
      "has partitions are idle. Default: the number of processors.")                               \
    X(START_FROM, "start.from", FB_CONFIG_CHOICE, "latest|earliest", "latest",                     \
      "Where to begin in a partition for which the group has no position yet.")                    \
    X(GUARANTEE, "processing.guarantee", FB_CONFIG_CHOICE, "at_least_once|exactly_once",           \
      "exactly_once",                                                                              \
      "What a crash may do to the outputs. `exactly_once`: nothing, every output is there once, "  \
      "and the state is rebuilt. `at_least_once`: outputs may come twice, with the same `id`, "    \
      "and the state begins anew; for brokers without transactions.")                              \
    X(COMMIT_INTERVAL_MS, "commit.interval.ms", FB_CONFIG_NUMBER, "1..60000", "100",               \
      "Milliseconds between commits of the position.")                                             \
    X(TOPICS_CREATE, "topics.create", FB_CONFIG_BOOL, "", "true",                                  \
      "Create output topics that are missing, with as many partitions as the input with most.")    \
    X(TOPICS_ALERTS, "topics.alerts", FB_CONFIG_NAME, "", "",                                      \
      "Topic of alerts and events. Default: APPLICATION.alerts.")                                  \
    X(TOPICS_COMMANDS, "topics.commands", FB_CONFIG_NAME, "", "",                                  \
      "Topic of commands to actuators. Default: APPLICATION.commands.")                            \
    X(TOPICS_COMMANDS_ALSO, "topics.commands.also", FB_CONFIG_NAMES, "", "",                       \
      "Other topics that the rules may command, by `to` of an actuator: up to 16, with commas "    \
      "between. Rules that name another one are refused. Default: none.")                          \
    X(TOPICS_SHADOW, "topics.shadow", FB_CONFIG_NAME, "", "",                                      \
      "Topic of what controls that are not armed would command. Default: APPLICATION.shadow.")     \
    X(TOPICS_LATE, "topics.late", FB_CONFIG_NAME, "", "",                                          \
      "Topic of records whose time is too old or too far ahead. Default: APPLICATION.late.")       \
    X(TOPICS_DEAD, "topics.dead", FB_CONFIG_NAME, "", "",                                          \
      "Topic of records that cannot be read. Default: APPLICATION.dead.")                          \
    X(TOPICS_AUDIT, "topics.audit", FB_CONFIG_NAME, "", "",                                        \
      "Topic of the audit trail. Default: APPLICATION.audit.")                                     \
    X(TOPICS_JOURNAL, "topics.journal", FB_CONFIG_NAME, "", "",                                    \
      "Topic of the journal, of which the state is rebuilt. Default: APPLICATION.journal.")        \
    X(TOPICS_SNAPSHOT, "topics.snapshot", FB_CONFIG_NAME, "", "",                                  \
      "Topic of the snapshots of the state, compacted. Default: APPLICATION.snapshot.")            \
    X(TOPICS_STATUS, "topics.status", FB_CONFIG_NAME, "", "",                                      \
      "Topic that says how each partition fares, compacted. Default: APPLICATION.status.")         \
    X(TOPICS_RULES, "topics.rules", FB_CONFIG_NAME, "", "",                                        \
      "Topic of the rules that are deployed. Default: APPLICATION.rules.")                         \
    X(TOPICS_CONTROL, "topics.control", FB_CONFIG_NAME, "", "",                                    \
      "Topic of operators' calls. Default: APPLICATION.control.")                                  \
    X(JOURNAL_RETENTION_MS, "journal.retention.ms", FB_CONFIG_NUMBER, "3600000..9223372036854",    \
      "604800000",                                                                                 \
      "How long the journal topic keeps its records, where flyball creates it. Default: 7 days.")  \
    X(SNAPSHOT_MIN_MS, "snapshot.interval.min.ms", FB_CONFIG_NUMBER, "10..86400000", "60000",      \
      "The shortest time from one snapshot of a partition's state to the next.")                   \
    X(SNAPSHOT_MAX_MS, "snapshot.interval.max.ms", FB_CONFIG_NUMBER, "10..86400000", "900000",     \
      "The longest time from one snapshot to the next, while records come. In between one is "     \
      "made "                                                                                      \
      "when 8 times its bytes have been read.")                                                    \
    X(STATE_DIR, "state.dir", FB_CONFIG_PATH, "", "",                                              \
      "Folder for what has to outlive the process on this machine: journal and snapshots of "      \
      "pipes and files. Default: none is kept. Outputs of one batch beyond 64 MB wait in a "       \
      "temporary file here, and which record is in hand is noted here, else below $TMPDIR or "     \
      "/tmp.")                                                                                     \
    X(MAX_SKEW_MS, "max.skew.ms", FB_CONFIG_NUMBER, "0..86400000", "600000",                       \
      "A record whose time is further ahead of the partition's clock goes to the late topic.")     \
    X(MAX_AGE_MS, "max.age.ms", FB_CONFIG_NUMBER, "0..86400000", "60000",                          \
      "An alert decided at a time that lies further back says `historical: true`.")                \
    X(MAX_HOPS, "max.hops", FB_CONFIG_NUMBER, "1..15", "3",                                        \
      "Applications of flyball that a record may have come through, by its header `ce_hop`: one "  \
      "more is a dead letter, since applications feed each other round and round.")                \
    X(DEVICES_MAX, "devices.max", FB_CONFIG_NUMBER, "0..1000000000", "0",                          \
      "Devices of one partition; records of further ones are dead letters. 0: no bound.")          \
    X(LOG_LEVEL, "log.level", FB_CONFIG_CHOICE, "error|warn|info|debug", "info",                   \
      "The least important lines that are logged.")                                                \
    X(LOG_FORMAT, "log.format", FB_CONFIG_CHOICE, "text|json", "text",                             \
      "Log lines for people, or one JSON object a line.")

enum fb_config_type {
    FB_CONFIG_NAME, /* letters, digits, '.', '_', '-': what a topic may be called; to 200 bytes */
    FB_CONFIG_PATH, /* of a folder; empty: none */
    FB_CONFIG_NUMBER,
    FB_CONFIG_BOOL,
    FB_CONFIG_CHOICE,
    FB_CONFIG_NAMES /* of topics, with commas between; empty: none */
};

enum { FB_COMMANDED_MAX = 16 /* topics.commands.also */ };

enum fb_config_key {
#define FB_CONFIG_ENUM(id, name, type, allowed, preset, doc) FB_KEY_##id,
    FB_CONFIG_KEYS(FB_CONFIG_ENUM)
#undef FB_CONFIG_ENUM
        FB_CONFIG_KEYS_N
};

struct fb_config;

struct fb_config *fb_config_new(void);
void fb_config_free(struct fb_config *config);

/* Each of these adds what is wrong to `errors`, a line or two per mistake, and goes on; false if it
 * added something. A later assignment of a key wins: the file first, then the -X options. */
bool fb_config_read(struct fb_config *config, const char *path, struct fb_buf *errors);
bool fb_config_set(struct fb_config *config, const char *assignment, struct fb_buf *errors);
/* Puts the values of ${NAME} and @file in place, fills defaults, checks every value. */
bool fb_config_finish(struct fb_config *config, struct fb_buf *errors);

/* After fb_config_finish; texts are terminated and live as long as the configuration. */
const char *fb_config_text(const struct fb_config *config, enum fb_config_key key);
/* The topics of topics.commands.also, in the order of writing; terminated. */
uint32_t fb_config_n_also(const struct fb_config *config);
const char *fb_config_also_at(const struct fb_config *config, uint32_t i);
/* Whether it is one of them. */
bool fb_config_also(const struct fb_config *config, struct fb_str topic);
/* The name of the key that calls one of the application's own topics so; NULL: none does. */
const char *fb_config_own_topic(const struct fb_config *config, struct fb_str topic);
int64_t fb_config_number(const struct fb_config *config, enum fb_config_key key);
bool fb_config_bool(const struct fb_config *config, enum fb_config_key key);
bool fb_config_is(const struct fb_config *config, enum fb_config_key key, const char *word);

/* The kafka.* keys that were given, without the prefix. */
uint32_t fb_config_n_kafka(const struct fb_config *config);
void fb_config_kafka(const struct fb_config *config, uint32_t i, const char **name,
                     const char **value);

/* The whole effective configuration, a line a key with its origin, secrets masked. */
void fb_config_print(const struct fb_config *config, struct fb_buf *out);
/* The reference page, Markdown. */
void fb_config_reference(struct fb_buf *out);

#endif
