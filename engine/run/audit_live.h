/* Executes a partition of a live application again, from its journal, and compares what comes out
 * with what stands in its output topics.
 *
 * Place in the flow: `flyball audit verify --reexecute --config` -> run/audit_place, which opens a
 * history for each thread -> here -> run/restore. Writes nothing. One owner.
 *
 * run/restore compares at each commit the rolling hash of all outputs, the audit head, the clock
 * and the positions with the journal's; this adds the bytes of the outputs themselves. */
#ifndef FB_RUN_AUDIT_LIVE_H
#define FB_RUN_AUDIT_LIVE_H

#include "engine/run/audit_chain.h"
#include "engine/run/config.h"
#include "engine/run/restore.h"

enum { FB_AUDIT_STREAMS = FB_STREAM_JOURNAL };

struct fb_audit_live_wish {
    const struct fb_task_config *config;
    const char *pipe_topic;          /* as for a bundle; NULL: Kafka */
    const char *topics[FB_STREAMS];  /* of outputs: NULL where they are not to be compared */
    int32_t partitions[FB_STREAMS];  /* of these topics */
    /* Other topics that commands may name, FB_COMMANDED_MAX at most, as `topics`. */
    const char *const *also;
    const int32_t *also_partitions;
    uint32_t n_also;
    int32_t partition, n_partitions; /* this one; of the inputs */
    bool from_beginning;             /* from commit 1 on */
    /* How long the end of a transaction that is known in one topic may take to be known in
     * another; 0: nobody writes. */
    int patience_ms;
};

enum fb_audit_live_end {
    FB_AUDIT_LIVE_SAME,
    FB_AUDIT_LIVE_EMPTY,     /* nothing was committed yet */
    FB_AUDIT_LIVE_DIFFERS,   /* or something is missing: `findings` says what */
    FB_AUDIT_LIVE_UNREADABLE /* `findings` says what and why */
};

struct fb_audit_live_result {
    enum fb_audit_live_end end;
    uint64_t first, last; /* commits that were executed again; first > last: none, `last` is that of
                           * the snapshot */
    uint64_t records;     /* of inputs */
    /* Outputs that are the same in the topic; those that it does not hold any more, since its first
     * records were deleted. */
    uint64_t compared[FB_AUDIT_STREAMS], gone[FB_AUDIT_STREAMS];
    bool looked_at[FB_AUDIT_STREAMS]; /* false: several partitions share one of the topic's, or none
                                       * was named */
    char task[300];
    uint64_t audit_seq; /* the head, as `audit head` of the records gives it */
    uint8_t audit_head[32];
    struct fb_buf findings; /* lines, the caller's to free */
    uint32_t n_findings;
};

void fb_audit_live(struct fb_history *history, const struct fb_audit_live_wish *wish,
                   struct fb_audit_live_result *result);

#endif
