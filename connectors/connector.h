/* The three interfaces between the engine and the outside: where records come from, where they go,
 * and what was written before.
 *
 * Place in the flow: first (source) and last (sink); engine/run/worker speaks only to these, and
 * run/restore to the history. A library's own types never leave its connector. One owner and one
 * thread each. */
#ifndef FB_CONNECTORS_CONNECTOR_H
#define FB_CONNECTORS_CONNECTOR_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdint.h>

#define FB_NO_STAMP INT64_C(-1)

/* A name and a value beside a record, as Kafka has them. */
struct fb_header {
    struct fb_str name; /* terminated too */
    struct fb_str value;
};

/* ---- sources ---- */

/* A record that was read. Views live until the handler returns. */
struct fb_record {
    struct fb_str topic;
    int32_t partition;
    int64_t offset;   /* in files: the line's number, from 0; in pipes: the record's */
    int64_t stamp_us; /* when it was written, by the medium's clock; FB_NO_STAMP: not known */
    struct fb_str key, value; /* p is NULL where there is none */
    /* A hint: the keys of the two records that come after this one in the same partition; p is NULL
     * where that is not known yet. */
    struct fb_str coming[2];
    /* Its headers, which cost reading: fills at most `max` in their order, returns how many there
     * are. NULL: there are none. */
    uint32_t (*headers)(void *message, struct fb_header *headers, uint32_t max);
    void *message; /* the source's own */
};

/* Where reading goes on in a partition. */
struct fb_position {
    struct fb_str topic;
    int32_t partition;
    int64_t next; /* offset of the next record */
    /* A text that is committed with the position, without zero bytes, at most FB_NOTE_BYTES_MAX; p
     * is NULL where there is none. From the outside a view until the handler returns. */
    struct fb_str note;
    bool fresh; /* from the outside: nobody has committed one, `next` is where to begin */
};
enum { FB_NOTE_BYTES_MAX = 512 };
/* `next` of a partition of which nothing is to be read for now. */
#define FB_POSITION_NONE INT64_C(-1)

/* What a source tells its owner, from within poll and close, on the owner's thread. */
struct fb_record_source_events {
    /* False: enough for now, poll returns and the rest stays where it is. */
    bool (*record)(void *context, const struct fb_record *record);
    /* These partitions, and no others, are to be read. `next` is where the outside says; the owner
     * may set it to where it stands itself, or to FB_POSITION_NONE. */
    void (*started)(void *context, struct fb_position *positions, uint32_t n);
    /* All partitions are given up; `lost`: another reader may have them already, and positions
     * cannot be committed any more. */
    void (*stopped)(void *context, bool lost);
    /* The partition holds nothing at or behind `end` at this moment. */
    void (*end)(void *context, struct fb_str topic, int32_t partition, int64_t end);
};

enum fb_poll { FB_POLL_OK, FB_POLL_END /* nothing will ever come */, FB_POLL_FAILED };

struct fb_record_source;
struct fb_record_source_calls {
    /* Waits at most timeout_ms for a first record, then hands over what is there. */
    enum fb_poll (*poll)(struct fb_record_source *source, int timeout_ms, struct fb_err *err);
    /* To be called at least every minute by an owner that does not poll. */
    void (*stay)(struct fb_record_source *source);
    /* Makes positions last. Retriable: the next commit will do. */
    bool (*commit)(struct fb_record_source *source, const struct fb_position *positions, uint32_t n,
                   struct fb_err *err);
    /* False while the outside cannot be reached: then silence says nothing about the devices. */
    bool (*online)(const struct fb_record_source *source);
    /* The last known end of a partition; -1: not known. */
    int64_t (*end_of)(struct fb_record_source *source, const struct fb_position *position);
    void (*close)(struct fb_record_source *source); /* frees it too */
};
struct fb_record_source {
    const struct fb_record_source_calls *calls;
};

/* ---- sinks ---- */

/* A record to be written; everything is copied before `put` returns. */
struct fb_outgoing {
    const char *topic;
    int32_t partition; /* of the input that it comes from */
    int64_t stamp_us;  /* when it was written; FB_NO_STAMP: the medium's own clock says */
    struct fb_str key, value;
    const struct fb_header *headers;
    uint32_t n_headers;
};

/* How a commit went. A sink that gives all or nothing (a transaction) answers with any of these;
 * one that does not gives FB_COMMIT_AGAIN where some of it may be there already. */
enum fb_commit {
    FB_COMMITTED,    /* everything that was put, and the positions, are safe; where err says
                      * retriable, the positions are not: they go with the next commit */
    FB_COMMIT_WAIT,  /* not yet: call again */
    FB_COMMIT_AGAIN, /* not: put everything since the last FB_COMMITTED again */
    FB_COMMIT_DOUBT, /* perhaps: close both ends and open them again; the positions that `started`
                      * then gives say whether */
    FB_COMMIT_FAILED /* err says why; trying again does not help */
};

struct fb_sink;
struct fb_sink_calls {
    /* Hands one record over. Retriable: the sink is full for now, try again later. */
    bool (*put)(struct fb_sink *sink, const struct fb_outgoing *record, struct fb_err *err);
    /* Makes what was put since the last commit last, and with it the positions of `source`: those
     * of every partition that it reads, also where nothing has moved; n 0: no positions, and source
     * may be NULL. Waits at most timeout_ms.
     * Called again with the same positions until it does not say FB_COMMIT_WAIT. */
    enum fb_commit (*commit)(struct fb_sink *sink, struct fb_record_source *source,
                             const struct fb_position *positions, uint32_t n, int timeout_ms,
                             struct fb_err *err);
    void (*close)(struct fb_sink *sink); /* frees it too; what is not safe is given up */
};
struct fb_sink {
    const struct fb_sink_calls *calls;
};

/* ---- history ---- */

enum fb_read { FB_READ_RECORD, FB_READ_END /* nothing more is committed */, FB_READ_FAILED };

/* Reads one partition of a topic forward. */
struct fb_reader;
struct fb_reader_calls {
    /* The next committed record; its views live until the next call. Waits for what is committed
     * and not yet fetched. FB_READ_END: at the stable end that was there at the opening. */
    enum fb_read (*next)(struct fb_reader *reader, struct fb_record *record, struct fb_err *err);
    void (*close)(struct fb_reader *reader); /* frees it too */
};
struct fb_reader {
    const struct fb_reader_calls *calls;
};

/* What the application has written, and its inputs, to be read again when a state is rebuilt. */
struct fb_history;
struct fb_history_calls {
    /* The first offset that is still there, and the stable end: behind the last committed record. A
     * topic that does not exist has 0 and 0. */
    bool (*bounds)(struct fb_history *history, const char *topic, int32_t partition, int64_t *first,
                   int64_t *end, struct fb_err *err);
    /* The same, for who looks again and again and to whom a topic that was not seen yet is nothing
     * worse than an empty one: it is asked for once, where `bounds` makes sure. */
    bool (*peek)(struct fb_history *history, const char *topic, int32_t partition, int64_t *first,
                 int64_t *end, struct fb_err *err);
    /* An offset at or before the first record stamped at or after stamp_us; the end if there is
     * none. */
    bool (*offset_at)(struct fb_history *history, const char *topic, int32_t partition,
                      int64_t stamp_us, int64_t *offset, struct fb_err *err);
    /* Whether all that was written there is shown: no transaction is open that may still be
     * committed. NULL: what is shown is all there is. */
    bool (*all_is_shown)(struct fb_history *history, const char *topic, int32_t partition,
                         bool *yes, struct fb_err *err);
    /* NULL: err says why; FB_FATAL where records at `from` are gone. */
    struct fb_reader *(*open)(struct fb_history *history, const char *topic, int32_t partition,
                              int64_t from, struct fb_err *err);
    void (*close)(struct fb_history *history); /* frees it too */
};
struct fb_history {
    const struct fb_history_calls *calls;
};

#endif
