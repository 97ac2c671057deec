/* The inside of a task.
 *
 * Place in the flow: task.c owns it and takes records and ticks; task_commit.c seals what came of
 * them, and sets it up when a task is rebuilt. Nobody else looks into it. */
#ifndef FB_RUN_TASK_STATE_H
#define FB_RUN_TASK_STATE_H

#include "engine/codec/audit.h"
#include "engine/run/clock.h"
#include "engine/run/headers.h"
#include "engine/run/task.h"
#include "engine/run/unsent.h"

struct fb_task_topic {
    struct fb_decoder *decoder;
    int64_t next; /* -1: not read by this task */
    bool keyed;   /* the last record's key was the id of its device */
    bool events;  /* its records may be CloudEvents in binary mode */
};

struct fb_task {
    const struct fb_task_config *config;
    struct fb_bundle *bundle;
    int32_t partition;
    struct fb_task_topic *topics; /* one a route */
    struct fb_core *core;
    struct fb_encoder *encoder;
    struct fb_clock clock;
    struct fb_batch *batch;
    struct fb_unsent *unsent; /* commands of the batch */
    struct fb_buf line;
    int64_t wall_us;                /* of the present record or tick */
    int64_t calls_next;             /* as in codec/journal.h */
    int64_t epoch_ms;               /* the first of these; 0: none came yet */
    const struct fb_record *record; /* the present one; NULL: a tick */
    struct fb_str trace;            /* of the record, once `traced` */
    char trace_bytes[FB_TRACE_BYTES];
    bool traced;
    bool told_hops; /* the log knows that something comes round */
    struct fb_cloudevents *events;
    bool whole; /* the record is decoded as a CloudEvent in structured mode */
    uint64_t records, entries, dead;
    struct fb_ledger *ledger;          /* NULL: not journalled */
    struct fb_journal_writer *journal; /* where operations are noted; NULL: they are not */
    uint64_t bytes_read;
    int64_t sealed_at_us;
    bool news, sealed;
    struct fb_auditor auditor;
    char name[300];                  /* for the audit */
    struct fb_buf committer, sealer; /* who committed last; who is to commit what is sealed */
};

/* Puts an output into the batch. */
void fb_task_keep(struct fb_task *task, const struct fb_encoded *encoded);

/* What a journal's record says that the task knows and the ledger does not: clock, inputs, audit
 * and outputs up to now. Views into the task, until its bundle changes. */
void fb_task_mark(const struct fb_task *task, struct fb_journal *now);

#endif
