/* The transaction coordinator: producers, their epochs, and how their transactions end. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "tests/sim/model_inside.h"

/* ---- the end ---- */

/* When a marker comes: mostly at once, now and then much later. */
static int64_t marker_at(struct sim_kafka *kafka) {
    int64_t most = kafka->config.marker_max_us;
    bool soon = !fb_random_chance(kafka->random, 15);
    return kafka->now_us + fb_random_between(kafka->random, 0, soon && most > 3000 ? 3000 : most);
}

/* From here on nothing can change the outcome. */
static void prepare(struct sim_kafka *kafka, struct sim_producer *producer, bool commit) {
    producer->state = SIM_PREPARED;
    kafka->txns[producer->txn].committed = commit;
    kafka->txns[producer->txn].ended_us = kafka->now_us;
    for (int t = 0; t < kafka->n_topics; t++)
        for (int p = 0; p < kafka->partitions[t]; p++)
            if (producer->touched[t][p])
                producer->marker_us[t][p] = marker_at(kafka);
    producer->offsets_us = marker_at(kafka);
}

static void write_marker(struct sim_kafka *kafka, struct sim_producer *producer, int topic,
                         int32_t partition) {
    bool committed = kafka->txns[producer->txn].committed;
    struct sim_log *log = &kafka->logs[topic][partition];
    for (size_t i = (size_t)log->stable; i < log->n; i++)
        if (log->records[i].state == SIM_OPEN && log->records[i].txn == producer->txn)
            log->records[i].state = committed ? SIM_COMMITTED : SIM_ABORTED;
    struct fb_outgoing control = {.stamp_us = FB_NO_STAMP};
    sim_log_add(kafka, topic, partition, &control)->state = SIM_CONTROL;
    producer->touched[topic][partition] = false;
}

static void offsets_end(struct sim_kafka *kafka, struct sim_producer *producer) {
    const struct sim_txn *txn = &kafka->txns[producer->txn];
    producer->has_offsets = false;
    for (uint32_t i = 0; i < txn->n_offsets && txn->committed; i++)
        sim_offset_takes_effect(kafka, &txn->offsets[i]);
}

static void complete(struct sim_kafka *kafka, struct sim_producer *producer) {
    bool more = false;
    for (int t = 0; t < kafka->n_topics; t++)
        for (int p = 0; p < kafka->partitions[t]; p++) {
            if (producer->touched[t][p] && producer->marker_us[t][p] <= kafka->now_us)
                write_marker(kafka, producer, t, p);
            more |= producer->touched[t][p];
        }
    if (producer->has_offsets && producer->offsets_us <= kafka->now_us)
        offsets_end(kafka, producer);
    if (more || producer->has_offsets)
        return;
    producer->state = SIM_EMPTY;
    kafka->txns[producer->txn].over = true;
}

void sim_transactions_at(struct sim_kafka *kafka) {
    for (int i = 0; i < kafka->n_producers; i++) {
        struct sim_producer *producer = &kafka->producers[i];
        if (producer->state == SIM_ONGOING &&
            kafka->now_us - producer->begun_us > producer->timeout_us) {
            producer->epoch++; /* whoever began it is fenced */
            prepare(kafka, producer, false);
        }
        if (producer->state == SIM_PREPARED)
            complete(kafka, producer);
    }
}

const char *sim_hanging(const struct sim_kafka *kafka) {
    for (int i = 0; i < kafka->n_producers; i++)
        if (kafka->producers[i].state == SIM_PREPARED ||
            (kafka->producers[i].state == SIM_ONGOING &&
             kafka->now_us - kafka->producers[i].begun_us > kafka->producers[i].timeout_us))
            return kafka->producers[i].id;
    return NULL;
}

/* ---- what clients ask for ---- */

enum sim_code sim_init(struct sim_kafka *kafka, const char *id, int64_t timeout_us,
                       struct sim_handle *handle) {
    int i = 0;
    while (i < kafka->n_producers && strcmp(kafka->producers[i].id, id) != 0)
        i++;
    if (i == kafka->n_producers) {
        FB_ASSERT(i < SIM_PRODUCERS_MAX);
        kafka->n_producers++;
        snprintf(kafka->producers[i].id, SIM_NAME_MAX, "%s", id);
    }
    struct sim_producer *producer = &kafka->producers[i];
    if (producer->state == SIM_ONGOING) {
        producer->epoch++;
        prepare(kafka, producer, false);
    }
    if (producer->state == SIM_PREPARED)
        complete(kafka, producer);
    if (producer->state != SIM_EMPTY)
        return SIM_BUSY;
    producer->timeout_us = timeout_us;
    *handle = (struct sim_handle){i, ++producer->epoch};
    return SIM_OK;
}

/* Within a transaction, which begins here where there is none. */
static enum sim_code within(struct sim_kafka *kafka, struct sim_handle handle) {
    struct sim_producer *producer = &kafka->producers[handle.producer];
    if (producer->epoch != handle.epoch)
        return SIM_FENCED;
    if (producer->state == SIM_PREPARED)
        return SIM_BUSY;
    if (producer->state == SIM_ONGOING)
        return SIM_OK;
    producer->state = SIM_ONGOING;
    producer->begun_us = kafka->now_us;
    producer->txn = (uint32_t)kafka->n_txns;
    FB_PUSH_ROOM(kafka->txns, kafka->n_txns, kafka->cap_txns);
    kafka->txns[kafka->n_txns++] = (struct sim_txn){.producer = handle.producer};
    return SIM_OK;
}

enum sim_code sim_produce(struct sim_kafka *kafka, struct sim_handle handle, int topic,
                          const struct fb_outgoing *record) {
    enum sim_code code = within(kafka, handle);
    if (code != SIM_OK)
        return code;
    struct sim_producer *producer = &kafka->producers[handle.producer];
    struct sim_record *added = sim_log_add(kafka, topic, record->partition, record);
    added->state = SIM_OPEN;
    added->txn = producer->txn;
    producer->touched[topic][record->partition] = true;
    producer->marker_us[topic][record->partition] = 0;
    return SIM_OK;
}

enum sim_code sim_send_offsets(struct sim_kafka *kafka, struct sim_handle handle, uint64_t member,
                               uint32_t generation, const struct sim_offset *offsets, uint32_t n) {
    enum sim_code code = within(kafka, handle);
    if (code == SIM_OK && member)
        code = sim_may_commit(kafka, member, generation);
    if (code != SIM_OK)
        return code;
    struct sim_producer *producer = &kafka->producers[handle.producer];
    struct sim_txn *txn = &kafka->txns[producer->txn];
    free(txn->offsets);
    txn->offsets = fb_alloc(n * sizeof *offsets + 1);
    memcpy(txn->offsets, offsets, n * sizeof *offsets);
    txn->n_offsets = n;
    producer->has_offsets = true;
    return SIM_OK;
}

enum sim_code sim_end(struct sim_kafka *kafka, struct sim_handle handle, bool commit) {
    struct sim_producer *producer = &kafka->producers[handle.producer];
    if (producer->epoch != handle.epoch)
        return SIM_FENCED;
    if (producer->state != SIM_ONGOING) /* asked again: the answer is that of the first time */
        return kafka->txns[producer->txn].committed == commit ? SIM_OK : SIM_INVALID;
    prepare(kafka, producer, commit);
    complete(kafka, producer);
    return SIM_OK;
}
