/* Reads topics as a member of the group. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/planted.h"
#include "engine/codec/journal.h"
#include "tests/sim/client.h"
#include "tests/sim/engine.h"

#define MS INT64_C(1000)
#define SECOND INT64_C(1000000)
enum { FATAL_MAX = 3, PARTS_MAX = SIM_TOPICS_MAX * SIM_PARTITIONS_MAX };

struct part {
    int topic;
    int32_t partition;
    int64_t next;     /* FB_POSITION_NONE: not read */
    int64_t end_told; /* -1: not since the last record */
};

struct source {
    struct fb_record_source base;
    struct sim_actor *actor;
    const struct fb_record_source_events *events;
    void *owner;
    char name[SIM_NAME_MAX];
    uint64_t member;
    uint32_t generation; /* when the partitions were assigned */
    bool assigned;
    struct part parts[PARTS_MAX];
    uint32_t n_parts;
    int fatal_errors;
    int64_t unreachable_us; /* since; -1: it answers */
};

static struct sim_world *world_of(const struct source *source) {
    return source->actor->world;
}

static struct sim_kafka *kafka_of(const struct source *source) {
    return source->actor->world->kafka;
}

void sim_identity(const struct sim_process *process, uint32_t worker, char name[SIM_NAME_MAX]) {
    snprintf(name, SIM_NAME_MAX, "%s-%u", process->name, worker);
}

uint64_t sim_source_member(const struct fb_record_source *base, uint32_t *generation) {
    const struct source *source = (const struct source *)base;
    *generation = source->generation;
    return source->member;
}

/* ---- membership ---- */

static void give_up(struct source *source, bool lost) {
    if (!source->assigned)
        return;
    source->assigned = false;
    sim_trace(world_of(source), "%s: partitions %s", source->name, lost ? "lost" : "given up");
    source->events->stopped(source->owner, lost);
    source->n_parts = 0;
}

static void join(struct source *source, bool anew) {
    if (anew)
        source->member = 0;
    if (sim_join(kafka_of(source), source->name, &source->member) != SIM_OK)
        source->member = 0; /* the next poll tries as a new one */
    source->actor->member = source->member;
}

/* The transaction of one that is no more would hold the positions until its time is out. */
static void shut_out(struct source *source, const char *note) {
    uint64_t seq;
    struct fb_str owner;
    char name[SIM_NAME_MAX];
    struct sim_handle handle;
    if (!fb_journal_note_parse(fb_str_of(note), &seq, &owner))
        return;
    const struct sim_group *group = &kafka_of(source)->group;
    for (int i = 0; i < group->n_members; i++)
        if (fb_str_eq(fb_str_of(group->members[i].instance), owner))
            return;
    snprintf(name, sizeof name, "%.*s", FB_ARG(owner));
    sim_trace(world_of(source), "%s: shuts %s out", source->name, name);
    sim_init(kafka_of(source), name, world_of(source)->plan.transaction_us, &handle);
}

/* Where the group says that each partition goes on; false: the membership changed meanwhile. */
static bool positions_of(struct source *source, struct fb_position *positions,
                         struct sim_committed *committed) {
    struct sim_kafka *kafka = kafka_of(source);
    for (uint32_t i = 0; i < source->n_parts;) {
        struct part *part = &source->parts[i];
        uint32_t generation;
        sim_pass(source->actor, SIM_AT_REBALANCE, 100, 2 * MS);
        if (sim_dead(source->actor))
            return false;
        if (!sim_reachable(source->actor)) {
            sim_sleep(source->actor, 50 * MS);
            continue;
        }
        if (sim_membership(kafka, source->name, source->member, &generation) != SIM_OK)
            return false;
        if (sim_committed(kafka, part->topic, part->partition, !FB_PLANTED(UNSTABLE_POSITIONS),
                          &committed[i]) != SIM_OK) {
            if (fb_random_chance(&world_of(source)->random, 30))
                shut_out(source, kafka->group.offsets[part->topic][part->partition].note);
            sim_sleep(source->actor, 50 * MS);
            continue;
        }
        positions[i] = (struct fb_position){.topic = fb_str_of(kafka->topics[part->topic]),
                                            .partition = part->partition,
                                            .next = committed[i].next};
        if (committed[i].next >= 0 && committed[i].note[0])
            positions[i].note = fb_str_of(committed[i].note);
        positions[i].fresh = committed[i].next < 0;
        if (positions[i].fresh)
            positions[i].next = kafka->logs[part->topic][part->partition].first;
        i++;
    }
    return true;
}

static void take_partitions(struct source *source) {
    struct sim_kafka *kafka = kafka_of(source);
    source->n_parts = 0;
    for (int t = 0; t < kafka->n_topics; t++)
        for (int p = 0; p < kafka->partitions[t]; p++)
            if (sim_has(kafka, source->member, t, p))
                source->parts[source->n_parts++] = (struct part){t, p, FB_POSITION_NONE, -1};
    struct fb_position *positions = fb_alloc(PARTS_MAX * sizeof *positions);
    struct sim_committed *committed = fb_alloc(PARTS_MAX * sizeof *committed);
    if (positions_of(source, positions, committed)) {
        source->assigned = true;
        sim_trace(world_of(source), "%s: has %u partitions, generation %u", source->name,
                  source->n_parts, source->generation);
        source->events->started(source->owner, positions, source->n_parts);
        for (uint32_t i = 0; i < source->n_parts; i++) {
            source->parts[i].next = positions[i].next;
            if (world_of(source)->plan.least && !positions[i].fresh &&
                positions[i].next < committed[i].next)
                sim_violated(world_of(source), "I12", "%s[%d] is read from %lld, committed is %lld",
                             kafka->topics[source->parts[i].topic], source->parts[i].partition,
                             (long long)positions[i].next, (long long)committed[i].next);
            sim_trace(world_of(source), "%s: from %s[%d]@%lld", source->name,
                      kafka->topics[source->parts[i].topic], source->parts[i].partition,
                      (long long)positions[i].next);
        }
    }
    free(positions);
    free(committed);
}

/* False: somebody else has this identity for good. */
static bool look_at_membership(struct source *source, struct fb_err *err) {
    uint32_t generation = 0;
    enum sim_code code =
        source->member ? sim_membership(kafka_of(source), source->name, source->member, &generation)
                       : SIM_STALE;
    switch (code) {
    case SIM_OK:
        if (source->assigned && generation != source->generation) {
            give_up(source, true);
        } else if (!source->assigned) {
            source->generation = generation;
            take_partitions(source);
        }
        break;
    case SIM_REBALANCING:
        give_up(source, false);
        if (!sim_dead(source->actor) && sim_reachable(source->actor))
            join(source, false);
        break;
    case SIM_FENCED_MEMBER:
        give_up(source, true);
        if (++source->fatal_errors >= FATAL_MAX)
            return fb_fail(err, FB_FATAL, "the consumer '%s' failed %d times", source->name,
                           FATAL_MAX);
        join(source, true);
        break;
    case SIM_STALE:
        give_up(source, true);
        join(source, true);
        break;
    default: /* it waits for the others */
        break;
    }
    return true;
}

/* ---- records ---- */

/* What the headers of a record stand for here: its source, and itself. */
struct message {
    struct source *source;
    int topic; /* its log may have moved since: devices go on while a worker waits */
    const struct fb_record *record;
};

/* Dead letters and outputs ask for headers while the record is in hand; there are none. */
static uint32_t headers_of(void *context, struct fb_header *headers, uint32_t max) {
    struct message *message = context;
    struct sim_process *process = message->source->actor->process;
    (void)headers;
    (void)max;
    const struct fb_record *record = message->record;
    struct sim_record *found =
        &kafka_of(message->source)->logs[message->topic][record->partition].records[record->offset];
    if (!process->dead)
        sim_look_into(message->source->actor, found,
                      found->lethal && !sim_is_poison(process, record));
    return 0;
}

static bool hand_over(struct source *source, struct part *part, struct sim_record *found,
                      int64_t offset) {
    const struct sim_kafka *kafka = kafka_of(source);
    struct message message = {source, part->topic, NULL};
    struct fb_record record = {.headers = headers_of,
                               .message = &message,
                               .topic = fb_str_of(kafka->topics[part->topic]),
                               .partition = part->partition,
                               .offset = offset,
                               .stamp_us = found->stamp_us,
                               .key = found->key,
                               .value = found->value};
    message.record = &record;
    found->handed++;
    part->next = offset + 1;
    part->end_told = -1;
    sim_trace(world_of(source), "%s: %s[%d]@%lld", source->name, kafka->topics[part->topic],
              part->partition, (long long)offset);
    return source->events->record(source->owner, &record) && !sim_dead(source->actor);
}

/* Some records of some partitions; whether there were any. */
static bool fetch(struct source *source) {
    struct sim_kafka *kafka = kafka_of(source);
    struct fb_random *random = &world_of(source)->random;
    uint32_t from = source->n_parts ? fb_random_below(random, source->n_parts) : 0;
    bool any = false;
    for (uint32_t i = 0; i < source->n_parts; i++) {
        struct part *part = &source->parts[(from + i) % source->n_parts];
        if (part->next < 0)
            continue;
        const struct sim_record *found = NULL;
        int64_t offset;
        struct sim_log *log = &kafka->logs[part->topic][part->partition];
        for (uint32_t most = fb_random_below(random, 8);
             (found = sim_next(kafka, part->topic, part->partition, part->next, &offset)) &&
             most > 0;
             most--) {
            any = true;
            if (!hand_over(source, part, &log->records[offset], offset))
                return true;
        }
        /* Behind the last record there may be markers that nobody sees. */
        if (!found && part->end_told != part->next) {
            part->end_told = part->next;
            source->events->end(source->owner, fb_str_of(kafka->topics[part->topic]),
                                part->partition, part->next);
        }
    }
    return any;
}

static bool lost_position(const struct source *source, struct fb_err *err) {
    for (uint32_t i = 0; i < source->n_parts; i++) {
        const struct part *part = &source->parts[i];
        int64_t first = kafka_of(source)->logs[part->topic][part->partition].first;
        if (part->next >= 0 && part->next < first)
            return !fb_fail(err, FB_FATAL, "the position %lld is no longer in %s [%d]",
                            (long long)part->next, kafka_of(source)->topics[part->topic],
                            part->partition);
    }
    return false;
}

static enum fb_poll poll_source(struct fb_record_source *base, int timeout_ms, struct fb_err *err) {
    struct source *source = (struct source *)base;
    struct sim_world *world = world_of(source);
    int64_t until_us = world->now_us + timeout_ms * MS;
    do {
        sim_pass(source->actor, SIM_AT_POLL, 50, 3 * MS);
        if (sim_dead(source->actor)) {
            fb_fail(err, FB_FATAL, "killed");
            return FB_POLL_FAILED;
        }
        if (!sim_reachable(source->actor)) {
            if (source->unreachable_us < 0)
                source->unreachable_us = world->now_us;
        } else {
            source->unreachable_us = -1;
            if (!look_at_membership(source, err) || sim_dead(source->actor) ||
                lost_position(source, err))
                return FB_POLL_FAILED;
            if (fetch(source))
                return FB_POLL_OK;
        }
        if (world->now_us < until_us)
            sim_sleep(source->actor,
                      fb_random_between(&world->random, 1, until_us - world->now_us));
    } while (world->now_us < until_us);
    return FB_POLL_OK;
}

static void stay(struct fb_record_source *base) {
    sim_pass(((struct source *)base)->actor, SIM_AT_POLL, 10, 100);
}

static bool commit(struct fb_record_source *base, const struct fb_position *positions, uint32_t n,
                   struct fb_err *err) {
    struct source *source = (struct source *)base;
    enum sim_trouble trouble = sim_pass(source->actor, SIM_AT_OFFSETS, 100, 5 * MS);
    if (sim_dead(source->actor) || !sim_reachable(source->actor))
        return fb_fail(err, FB_RETRIABLE, "no answer");
    for (uint32_t i = 0; i < n; i++) {
        struct sim_offset offset = {.topic = sim_topic(kafka_of(source), positions[i].topic),
                                    .partition = positions[i].partition,
                                    .next = positions[i].next};
        if (sim_commit_offset(kafka_of(source), source->member, source->generation, &offset))
            return fb_fail(err, FB_RETRIABLE, "not a member");
    }
    if (trouble == SIM_ABORTABLE)
        return fb_fail(err, FB_RETRIABLE, "no answer, though it took effect");
    return true;
}

/* That the broker is away is known only after a while. */
static bool online(const struct fb_record_source *base) {
    const struct source *source = (const struct source *)base;
    return source->unreachable_us < 0 ||
           world_of(source)->now_us - source->unreachable_us < 200 * MS;
}

static int64_t end_of(struct fb_record_source *base, const struct fb_position *position) {
    struct source *source = (struct source *)base;
    int topic = sim_topic(kafka_of(source), position->topic);
    return topic < 0 ? -1 : sim_stable_end(kafka_of(source), topic, position->partition);
}

/* A static member does not leave; its session ends. */
static void close_source(struct fb_record_source *base) {
    struct source *source = (struct source *)base;
    uint32_t generation;
    bool lost = sim_dead(source->actor) || sim_membership(kafka_of(source), source->name,
                                                          source->member, &generation) == SIM_STALE;
    give_up(source, lost);
    if (source->actor->member == source->member)
        source->actor->member = 0;
    sim_silence(kafka_of(source), source->member, true);
    free(source);
}

static const struct fb_record_source_calls calls = {poll_source, stay,   commit,
                                                    online,      end_of, close_source};

struct fb_record_source *sim_open_source(void *context, uint32_t worker,
                                         const struct fb_record_source_events *events, void *owner,
                                         struct fb_err *err) {
    struct sim_process *process = context;
    struct sim_actor *actor = &process->actors[worker];
    sim_pass(actor, SIM_AT_OPEN, 100, 20 * MS);
    if (sim_dead(actor)) {
        fb_fail(err, FB_FATAL, "killed");
        return NULL;
    }
    struct source *source = fb_alloc(sizeof *source);
    source->base.calls = &calls;
    source->actor = actor;
    source->events = events;
    source->owner = owner;
    source->unreachable_us = -1;
    sim_identity(process, worker, source->name);
    return &source->base;
}
