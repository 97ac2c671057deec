/* The consumer group: static members, eager rebalances by range, committed offsets. */
#include <stdio.h>

#include "tests/sim/model_inside.h"

static struct sim_member *member_of(struct sim_group *group, uint64_t id) {
    for (int i = 0; i < group->n_members; i++)
        if (group->members[i].id == id)
            return &group->members[i];
    return NULL;
}

static struct sim_member *instance_of(struct sim_group *group, const char *instance) {
    for (int i = 0; i < group->n_members; i++)
        if (strcmp(group->members[i].instance, instance) == 0)
            return &group->members[i];
    return NULL;
}

/* ---- rebalances ---- */

static void begin_rebalance(struct sim_kafka *kafka) {
    struct sim_group *group = &kafka->group;
    if (group->rebalancing || group->n_members == 0)
        return;
    group->rebalancing = true;
    group->deadline_us = kafka->now_us + kafka->config.rebalance_us;
    for (int i = 0; i < group->n_members; i++)
        group->members[i].joined = false;
}

/* Static members that did not answer stay, with the generation that they know. */
static void end_rebalance(struct sim_kafka *kafka) {
    struct sim_group *group = &kafka->group;
    int joined = 0;
    for (int i = 0; i < group->n_members; i++)
        joined += group->members[i].joined;
    if (!group->rebalancing || joined == 0 ||
        (joined < group->n_members && kafka->now_us < group->deadline_us))
        return;
    group->rebalancing = false;
    group->generation++;
    for (int i = 0; i < group->n_members; i++)
        if (group->members[i].joined)
            group->members[i].generation = group->generation;
}

static void remove_at(struct sim_kafka *kafka, int i) {
    struct sim_group *group = &kafka->group;
    group->members[i] = group->members[--group->n_members];
    begin_rebalance(kafka);
    if (group->n_members == 0) {
        group->rebalancing = false;
        group->generation++;
        group->empty_us = kafka->now_us;
    }
}

static bool pending(const struct sim_kafka *kafka, int topic, int32_t partition) {
    for (int i = 0; i < kafka->n_producers; i++) {
        const struct sim_producer *producer = &kafka->producers[i];
        if (!producer->has_offsets)
            continue;
        const struct sim_txn *txn = &kafka->txns[producer->txn];
        for (uint32_t k = 0; k < txn->n_offsets; k++)
            if (txn->offsets[k].topic == topic && txn->offsets[k].partition == partition)
                return true;
    }
    return false;
}

static void expire_offsets(struct sim_kafka *kafka) {
    struct sim_group *group = &kafka->group;
    if (group->n_members || kafka->now_us - group->empty_us < kafka->config.offsets_retention_us)
        return;
    for (int t = 0; t < kafka->n_topics; t++)
        for (int p = 0; p < kafka->partitions[t]; p++)
            if (!pending(kafka, t, p))
                group->offsets[t][p].next = -1;
}

void sim_group_at(struct sim_kafka *kafka) {
    struct sim_group *group = &kafka->group;
    for (int i = group->n_members; i-- > 0;) {
        const struct sim_member *member = &group->members[i];
        if (member->silent_us >= 0 && kafka->now_us - member->silent_us > kafka->config.session_us)
            remove_at(kafka, i);
    }
    end_rebalance(kafka);
    expire_offsets(kafka);
}

void sim_kafka_at(struct sim_kafka *kafka, int64_t now_us) {
    kafka->now_us = now_us;
    sim_transactions_at(kafka);
    sim_group_at(kafka);
}

/* ---- members ---- */

static struct sim_member *add_member(struct sim_kafka *kafka, const char *instance) {
    struct sim_group *group = &kafka->group;
    FB_ASSERT(group->n_members < SIM_MEMBERS_MAX);
    struct sim_member *member = &group->members[group->n_members++];
    *member = (struct sim_member){.silent_us = -1};
    snprintf(member->instance, SIM_NAME_MAX, "%s", instance);
    group->empty_us = -1;
    return member;
}

enum sim_code sim_join(struct sim_kafka *kafka, const char *instance, uint64_t *id) {
    struct sim_group *group = &kafka->group;
    struct sim_member *member = instance_of(group, instance);
    if (*id && (!member || member->id != *id))
        return member ? SIM_FENCED_MEMBER : SIM_STALE;
    bool newcomer = !member;
    if (newcomer)
        member = add_member(kafka, instance);
    if (!*id)
        *id = member->id = ++kafka->last_member; /* its predecessor is fenced */
    member->silent_us = -1;
    if (newcomer)
        begin_rebalance(kafka);
    if (group->rebalancing)
        member->joined = true;
    else /* a static member that comes back finds its partitions */
        member->generation = group->generation;
    end_rebalance(kafka);
    return SIM_OK;
}

enum sim_code sim_membership(struct sim_kafka *kafka, const char *instance, uint64_t id,
                             uint32_t *generation) {
    struct sim_group *group = &kafka->group;
    const struct sim_member *member = member_of(group, id);
    if (!member)
        return instance_of(group, instance) ? SIM_FENCED_MEMBER : SIM_STALE;
    *generation = member->generation;
    if (group->rebalancing)
        return member->joined ? SIM_BUSY : SIM_REBALANCING;
    return member->generation == group->generation ? SIM_OK : SIM_STALE;
}

bool sim_has(const struct sim_kafka *kafka, uint64_t id, int topic, int32_t partition) {
    const struct sim_group *group = &kafka->group;
    const struct sim_member *self = member_of((struct sim_group *)(uintptr_t)group, id);
    int rank = 0, n = kafka->partitions[topic];
    if (!self || !kafka->read_by_group[topic])
        return false;
    for (int i = 0; i < group->n_members; i++)
        rank += strcmp(group->members[i].instance, self->instance) < 0;
    int each = n / group->n_members, more = n % group->n_members;
    int from = rank * each + (rank < more ? rank : more);
    return partition >= from && partition < from + each + (rank < more);
}

void sim_silence(struct sim_kafka *kafka, uint64_t id, bool silent) {
    struct sim_member *member = member_of(&kafka->group, id);
    if (!member)
        return;
    if (!silent)
        member->silent_us = -1;
    else if (member->silent_us < 0)
        member->silent_us = kafka->now_us;
}

void sim_expel(struct sim_kafka *kafka, uint64_t id) {
    for (int i = kafka->group.n_members; i-- > 0;)
        if (kafka->group.members[i].id == id)
            remove_at(kafka, i);
}

/* ---- offsets ---- */

enum sim_code sim_may_commit(const struct sim_kafka *kafka, uint64_t id, uint32_t generation) {
    const struct sim_group *group = &kafka->group;
    const struct sim_member *member = member_of((struct sim_group *)(uintptr_t)group, id);
    return member && generation == group->generation ? SIM_OK : SIM_STALE;
}

void sim_offset_takes_effect(struct sim_kafka *kafka, const struct sim_offset *offset) {
    struct sim_committed *committed = &kafka->group.offsets[offset->topic][offset->partition];
    if (offset->next < committed->next && !kafka->broken)
        kafka->broken = "I4: a committed offset went back";
    committed->next = offset->next;
    memcpy(committed->note, offset->note, sizeof committed->note);
}

enum sim_code sim_commit_offset(struct sim_kafka *kafka, uint64_t member, uint32_t generation,
                                const struct sim_offset *offset) {
    enum sim_code code = member ? sim_may_commit(kafka, member, generation) : SIM_OK;
    if (code == SIM_OK)
        sim_offset_takes_effect(kafka, offset);
    return code;
}

enum sim_code sim_committed(struct sim_kafka *kafka, int topic, int32_t partition, bool stable,
                            struct sim_committed *committed) {
    if (stable && pending(kafka, topic, partition))
        return SIM_BUSY;
    *committed = kafka->group.offsets[topic][partition];
    return SIM_OK;
}
