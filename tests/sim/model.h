/* A modelled Kafka: logs, transactions and a consumer group, as far as the engine can tell.
 *
 * Place in the flow: tests/sim/client speaks to it as connectors/kafka_* speak to a broker;
 * tests/sim/check reads its logs. One thread, no clock of its own: the world says what time it is.
 *
 * Calls take effect at once; that an answer is lost or late is the client's part. What the real
 * thing does later happens in sim_kafka_at: the markers of an ended transaction, time-outs of
 * transactions and sessions, the end of a rebalance, expiry of offsets. */
#ifndef FB_SIM_MODEL_H
#define FB_SIM_MODEL_H

#include "connectors/connector.h"
#include "engine/base/random.h"

enum { SIM_TOPICS_MAX = 16, SIM_PARTITIONS_MAX = 4, SIM_PRODUCERS_MAX = 16, SIM_MEMBERS_MAX = 16 };
enum { SIM_NAME_MAX = 64, SIM_DEATHS_OF = 4 /* processes */ };

enum sim_code {
    SIM_OK,
    SIM_BUSY,          /* something is under way: try again */
    SIM_FENCED,        /* the producer has a successor, or its transaction timed out */
    SIM_INVALID,       /* no such transaction */
    SIM_STALE,         /* the member is not one, or of another generation */
    SIM_FENCED_MEMBER, /* another one has its static identity */
    SIM_REBALANCING
};

/* ---- logs ---- */

enum sim_state { SIM_PLAIN, SIM_OPEN, SIM_COMMITTED, SIM_ABORTED, SIM_CONTROL };

struct sim_record {
    char *bytes; /* owns the key, the value and the headers */
    struct fb_str key, value, headers;
    int64_t stamp_us;
    enum sim_state state;
    bool gone;       /* by compaction */
    uint32_t number; /* of a device's event, from 1; 0: it is none */
    bool tells;      /* its event is due: no record of its device before it was newer */
    bool voided;     /* an output that its producer forgot having sent, and was given again */
    uint32_t handed; /* so often to a worker */
    bool lethal;     /* it ends each process that looks at it */
    bool buried;     /* the journal, or its dead letter, says that it was put aside unread */
    uint8_t kills[SIM_DEATHS_OF]; /* by process: how often one ended while it had it in hand */
    uint32_t txn;                 /* index among the transactions; of plain ones 0 */
};

struct sim_log {
    struct sim_record *records; /* by offset */
    size_t n, cap;
    int64_t first;  /* below: deleted by retention */
    int64_t stable; /* last stable offset, as far as looked */
};

/* ---- transactions ---- */

struct sim_offset {
    int topic;
    int32_t partition;
    int64_t next;
    char note[FB_NOTE_BYTES_MAX + 1];
};

/* Kept for ever, for the checks. */
struct sim_txn {
    int producer;
    bool committed, over;
    struct sim_offset *offsets;
    uint32_t n_offsets;
    int64_t ended_us;
};

enum sim_producer_state { SIM_EMPTY, SIM_ONGOING, SIM_PREPARED };

struct sim_producer {
    char id[SIM_NAME_MAX];
    int epoch;
    enum sim_producer_state state;
    uint32_t txn; /* the present one, or the last */
    int64_t begun_us, timeout_us;
    int64_t marker_us[SIM_TOPICS_MAX][SIM_PARTITIONS_MAX]; /* when due; touched, not ended: 0 */
    bool touched[SIM_TOPICS_MAX][SIM_PARTITIONS_MAX];
    int64_t offsets_us; /* when the group learns of the end */
    bool has_offsets;
};

/* What a client holds. */
struct sim_handle {
    int producer;
    int epoch;
};

/* ---- the group ---- */

struct sim_member {
    char instance[SIM_NAME_MAX];
    uint64_t id;         /* a new one at each joining */
    bool joined;         /* in the rebalance that goes on */
    int64_t silent_us;   /* no heartbeat since; -1: they come */
    uint32_t generation; /* of its last joining that was answered */
};

struct sim_committed {
    int64_t next; /* -1: none */
    char note[FB_NOTE_BYTES_MAX + 1];
};

struct sim_group {
    uint32_t generation;
    bool rebalancing;
    int64_t deadline_us; /* of the rebalance */
    int64_t empty_us;    /* without members since; -1: it has some */
    struct sim_member members[SIM_MEMBERS_MAX];
    int n_members;
    struct sim_committed offsets[SIM_TOPICS_MAX][SIM_PARTITIONS_MAX];
};

struct sim_kafka_config {
    int64_t session_us, rebalance_us, offsets_retention_us;
    bool uncommitted;      /* readers see records before their transaction ends */
    int64_t marker_max_us; /* how long after its end a transaction's markers may come */
};

struct sim_kafka {
    struct sim_kafka_config config;
    struct fb_random *random;
    int64_t now_us;
    char topics[SIM_TOPICS_MAX][SIM_NAME_MAX];
    int partitions[SIM_TOPICS_MAX];
    bool read_by_group[SIM_TOPICS_MAX];
    int n_topics;
    struct sim_log logs[SIM_TOPICS_MAX][SIM_PARTITIONS_MAX];
    struct sim_producer producers[SIM_PRODUCERS_MAX];
    int n_producers;
    struct sim_txn *txns;
    size_t n_txns, cap_txns;
    struct sim_group group;
    uint64_t last_member;
    const char *broken; /* an invariant of the model itself, or of the engine, that failed; NULL */
};

struct sim_kafka *sim_kafka_new(const struct sim_kafka_config *config, struct fb_random *random);
void sim_kafka_free(struct sim_kafka *kafka);
/* Time goes on to now_us. */
void sim_kafka_at(struct sim_kafka *kafka, int64_t now_us);

/* -1: there is none. */
int sim_topic(const struct sim_kafka *kafka, struct fb_str name);
int sim_topic_add(struct sim_kafka *kafka, const char *name, int partitions, bool read_by_group);

/* Outside of transactions. */
void sim_append(struct sim_kafka *kafka, int topic, int32_t partition, int64_t stamp_us,
                struct fb_str key, struct fb_str value);
void sim_append_record(struct sim_kafka *kafka, int topic, const struct fb_outgoing *record);
/* What a transaction of somebody else leaves behind: a marker, perhaps an aborted record. */
void sim_append_marker(struct sim_kafka *kafka, int topic, int32_t partition, bool aborted);
int64_t sim_stable_end(struct sim_kafka *kafka, int topic, int32_t partition);
/* The first record at or behind `from` that a reader of committed records sees, and its offset;
 * NULL: none before the stable end. */
const struct sim_record *sim_next(struct sim_kafka *kafka, int topic, int32_t partition,
                                  int64_t from, int64_t *offset);
/* Older values of keys may go, below the stable end and `below`. */
void sim_compact(struct sim_kafka *kafka, int topic, int32_t partition, int64_t below);

/* SIM_BUSY: the predecessor's transaction is being ended. */
enum sim_code sim_init(struct sim_kafka *kafka, const char *id, int64_t timeout_us,
                       struct sim_handle *handle);
enum sim_code sim_produce(struct sim_kafka *kafka, struct sim_handle handle, int topic,
                          const struct fb_outgoing *record);
/* member 0: nobody asks who sends them. */
enum sim_code sim_send_offsets(struct sim_kafka *kafka, struct sim_handle handle, uint64_t member,
                               uint32_t generation, const struct sim_offset *offsets, uint32_t n);
enum sim_code sim_end(struct sim_kafka *kafka, struct sim_handle handle, bool commit);

/* Joins, or answers a rebalance, under a static identity. *member 0: a new one, which it becomes.
 */
enum sim_code sim_join(struct sim_kafka *kafka, const char *instance, uint64_t *member);
/* SIM_OK: a stable member of *generation. */
enum sim_code sim_membership(struct sim_kafka *kafka, const char *instance, uint64_t member,
                             uint32_t *generation);
/* Range assignment: whether a member of the present generation has a partition. */
bool sim_has(const struct sim_kafka *kafka, uint64_t member, int topic, int32_t partition);
/* Heartbeats stop, or come again. */
void sim_silence(struct sim_kafka *kafka, uint64_t member, bool silent);
/* The coordinator gives a member up before its session has ended. */
void sim_expel(struct sim_kafka *kafka, uint64_t member);
/* Without a transaction. */
enum sim_code sim_commit_offset(struct sim_kafka *kafka, uint64_t member, uint32_t generation,
                                const struct sim_offset *offset);
/* SIM_BUSY: a transaction that is not over has one; only where `stable` is asked for. */
enum sim_code sim_committed(struct sim_kafka *kafka, int topic, int32_t partition, bool stable,
                            struct sim_committed *committed);

/* NULL, or the id of a producer whose transaction never ends. */
const char *sim_hanging(const struct sim_kafka *kafka);

#endif
