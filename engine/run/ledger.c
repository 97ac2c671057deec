/* What the commits of a task leave behind: the records of its journal and the pieces of snapshots.
 */
#include "engine/run/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/planted.h"
#include "engine/codec/chunk.h"
#include "engine/core/snapshot.h"

enum {
    BYTES_FACTOR = 8,   /* bytes read for each byte of the last snapshot before the next one */
    PIECES_A_COMMIT = 2 /* of state, at the seal: more would delay its alerts */
};

struct fb_ledger {
    const struct fb_snapshot_pace *pace;
    struct fb_journal_writer writer;
    uint64_t seq;
    bool rules_due; /* the files of the bundle are not in the snapshot topic, or should be anew */
    struct fb_journal_snapshot newest;  /* complete */
    uint64_t newest_bytes, newest_read; /* its size; bytes that had been read at its barrier */
    int64_t barrier_us;                 /* of the newest or the open one; FB_NO_TIME: none */
    struct fb_manifest open;            /* under way; snapshot 0: none */
    char layout[33];                    /* of the bundle at its barrier */
    struct fb_journal_snapshot opened;
    uint64_t opened_read;
    bool moved; /* operations were noted behind the barrier of the newest or the open one */
    bool drains;
    struct fb_chunk_coder *coder;
    struct fb_buf content, key, value;
};

struct fb_ledger *fb_ledger_new(const struct fb_snapshot_pace *pace) {
    struct fb_ledger *ledger = fb_alloc(sizeof *ledger);
    ledger->pace = pace;
    ledger->barrier_us = FB_NO_TIME;
    ledger->coder = fb_chunk_coder_new();
    FB_ASSERT(ledger->coder);
    return ledger;
}

void fb_ledger_free(struct fb_ledger *ledger) {
    if (!ledger)
        return;
    fb_journal_writer_free(&ledger->writer);
    fb_chunk_coder_free(ledger->coder);
    fb_buf_free(&ledger->content);
    fb_buf_free(&ledger->key);
    fb_buf_free(&ledger->value);
    free(ledger);
}

void fb_ledger_resume(struct fb_ledger *ledger, const struct fb_journal *last) {
    ledger->seq = last->seq;
    ledger->rules_due = false;
    ledger->newest = last->snapshot;
    ledger->moved = true; /* as far as is known here */
    if (last->snapshot.id)
        ledger->barrier_us = last->snapshot.wall_us;
}

struct fb_journal_writer *fb_ledger_writer(struct fb_ledger *ledger) {
    return &ledger->writer;
}

void fb_ledger_rules(struct fb_ledger *ledger, struct fb_core *core, const struct fb_bundle *bundle,
                     struct fb_str build, int64_t wall_us) {
    fb_core_snapshot_drop(core);
    ledger->open.snapshot = 0;
    if (!FB_PLANTED(RULES_UNJOURNALLED) || !ledger->seq)
        fb_journal_rules(&ledger->writer, bundle->hash, build, wall_us);
    ledger->rules_due = true;
}

uint64_t fb_ledger_seq(const struct fb_ledger *ledger) {
    return ledger->seq;
}

const struct fb_journal_snapshot *fb_ledger_snapshot(const struct fb_ledger *ledger) {
    return &ledger->newest;
}

bool fb_ledger_snapshot_is_open(const struct fb_ledger *ledger) {
    return ledger->open.snapshot != 0;
}

void fb_ledger_drain(struct fb_ledger *ledger) {
    ledger->drains = true;
}

bool fb_ledger_drains(const struct fb_ledger *ledger) {
    return ledger->drains;
}

bool fb_ledger_is_drained(const struct fb_ledger *ledger) {
    if (FB_PLANTED(DRAIN_EARLY))
        return ledger->newest.id && fb_journal_is_empty(&ledger->writer);
    return ledger->newest.id && !ledger->open.snapshot && !ledger->moved &&
           fb_journal_is_empty(&ledger->writer);
}

/* ---- snapshots ---- */

static struct fb_str text_of(const struct fb_buf *buf) {
    return (struct fb_str){buf->p, buf->n};
}

static void put(struct fb_ledger *ledger, struct fb_batch *batch) {
    fb_batch_add(batch, FB_STREAM_SNAPSHOT, text_of(&ledger->key), text_of(&ledger->value), NULL,
                 0);
    ledger->key.n = 0;
    ledger->value.n = 0;
}

static void put_rules(struct fb_ledger *ledger, const struct fb_bundle *bundle,
                      struct fb_batch *batch) {
    fb_rules_key(bundle->hash, &ledger->key);
    fb_rules_encode(ledger->coder, bundle->bytes, &ledger->value);
    put(ledger, batch);
    ledger->rules_due = false;
}

static void put_chunk(struct fb_ledger *ledger, struct fb_batch *batch) {
    struct fb_chunk chunk = {.snapshot = ledger->open.snapshot,
                             .index = ledger->open.chunks++,
                             .content = text_of(&ledger->content)};
    fb_chunk_key(chunk.snapshot, chunk.index, &ledger->key);
    fb_chunk_encode(ledger->coder, &chunk, &ledger->value);
    put(ledger, batch);
    ledger->open.content_bytes += ledger->content.n;
    ledger->content.n = 0;
}

static void put_manifest(struct fb_ledger *ledger, const struct fb_core *core,
                         struct fb_batch *batch) {
    ledger->open.devices = fb_core_snapshot_devices(core);
    ledger->open.state_hash = fb_core_snapshot_hash(core);
    fb_manifest_key(ledger->open.snapshot, &ledger->key);
    fb_manifest_encode(&ledger->open, &ledger->value);
    put(ledger, batch);
    ledger->newest = ledger->opened;
    ledger->newest_bytes = ledger->open.content_bytes;
    ledger->newest_read = ledger->opened_read;
    ledger->open.snapshot = 0;
}

static uint32_t piece_bytes(const struct fb_ledger *ledger) {
    return ledger->pace->piece_bytes ? ledger->pace->piece_bytes : FB_CHUNK_BYTES;
}

/* False: that was the last piece. */
static bool put_piece(struct fb_ledger *ledger, struct fb_core *core, struct fb_batch *batch) {
    bool more = fb_core_snapshot_next(core, piece_bytes(ledger), &ledger->content);
    if (ledger->content.n)
        put_chunk(ledger, batch);
    return more;
}

void fb_ledger_relieve(struct fb_ledger *ledger, struct fb_core *core, struct fb_batch *batch) {
    if (ledger->open.snapshot && fb_core_snapshot_waiting(core) > piece_bytes(ledger) &&
        !put_piece(ledger, core, batch))
        put_manifest(ledger, core, batch);
}

/* The next pieces of the one that is under way. */
static void sweep(struct fb_ledger *ledger, struct fb_core *core, struct fb_batch *batch) {
    bool more = true;
    for (int pieces = 0; more && pieces < PIECES_A_COMMIT; pieces++)
        more = put_piece(ledger, core, batch);
    if (!more)
        put_manifest(ledger, core, batch);
    if (more && FB_PLANTED(MANIFEST_FIRST)) {
        struct fb_manifest open = ledger->open;
        put_manifest(ledger, core, batch);
        ledger->open = open;
    }
}

static bool is_due(const struct fb_ledger *ledger, const struct fb_journal *now,
                   uint64_t bytes_read) {
    uint64_t read = bytes_read - ledger->newest_read;
    if (ledger->drains)
        return ledger->moved || !ledger->newest.id;
    if (ledger->barrier_us == FB_NO_TIME)
        return read > 0;
    int64_t since_us = now->wall_us - ledger->barrier_us;
    if (since_us < 0) /* the clock was put back, from whatever year: begin anew by it */
        return read > 0;
    return since_us >= ledger->pace->least_us && read > 0 &&
           (since_us >= ledger->pace->most_us || read >= BYTES_FACTOR * ledger->newest_bytes);
}

/* Ids never come twice, though a snapshot that an owner left unfinished is begun again by the next
 * one; the lowest bit is the slot, the other one than that of the newest. */
static void begin(struct fb_ledger *ledger, struct fb_core *core, const struct fb_bundle *bundle,
                  const struct fb_journal *now, uint64_t bytes_read) {
    ledger->open = (struct fb_manifest){.snapshot = now->seq * 2 + !(ledger->newest.id & 1)};
    ledger->open.at = *now;
    ledger->open.at.operations = (struct fb_str){0};
    memcpy(ledger->layout, bundle->layout, sizeof ledger->layout);
    ledger->open.layout = fb_str_of(ledger->layout);
    ledger->opened = (struct fb_journal_snapshot){
        .id = ledger->open.snapshot, .seq = now->seq, .wall_us = now->wall_us};
    ledger->opened_read = bytes_read;
    if (FB_PLANTED(INCOMPLETE_SNAPSHOT))
        ledger->newest = ledger->opened;
    ledger->barrier_us = now->wall_us;
    ledger->rules_due = true; /* so that what restoring needs lies close together */
    ledger->moved = false;
    fb_core_snapshot_begin(core);
}

/* ---- the seal ---- */

void fb_ledger_seal(struct fb_ledger *ledger, struct fb_core *core, const struct fb_bundle *bundle,
                    struct fb_journal *now, uint64_t bytes_read, struct fb_batch *batch) {
    if (ledger->rules_due)
        put_rules(ledger, bundle, batch);
    if (ledger->open.snapshot)
        sweep(ledger, core, batch);
    ledger->moved |= !fb_journal_is_empty(&ledger->writer);
    now->seq = ++ledger->seq;
    now->semantics = FB_SEMANTICS;
    memcpy(now->rules, bundle->hash, sizeof now->rules);
    now->snapshot = ledger->newest;
    fb_journal_seal(&ledger->writer, now, &ledger->value);
    fb_batch_add(batch, FB_STREAM_JOURNAL, (struct fb_str){0}, text_of(&ledger->value), NULL, 0);
    ledger->value.n = 0;
    if (!ledger->open.snapshot && is_due(ledger, now, bytes_read))
        begin(ledger, core, bundle, now, bytes_read);
}
