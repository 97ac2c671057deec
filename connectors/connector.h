/* The two interfaces between the engine and the outside: where records come from, where they go.
 *
 * Place in the flow: first (source) and last (sink); engine/run/worker speaks only to these. A
 * library's own types never leave its connector. One owner and one thread each. */
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
    int64_t offset;   /* in pipes: the line's number, from 0 */
    int64_t stamp_us; /* when it was written, by the medium's clock; FB_NO_STAMP: not known */
    struct fb_str key, value; /* p is NULL where there is none */
};

/* Where reading goes on in a partition. */
struct fb_position {
    struct fb_str topic;
    int32_t partition;
    int64_t next; /* offset of the next record */
};

/* What a source tells its owner, from within poll and close, on the owner's thread. */
struct fb_record_source_events {
    /* False: enough for now, poll returns and the rest stays where it is. */
    bool (*record)(void *context, const struct fb_record *record);
    /* These partitions, and no others, are to be read. `next` is where the outside says; the owner
     * may set it to where it stands itself. */
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
    struct fb_str key, value;
    const struct fb_header *headers;
    uint32_t n_headers;
};

enum fb_flush {
    FB_FLUSHED,     /* everything that was put is safe */
    FB_FLUSH_WAIT,  /* not yet: flush again */
    FB_FLUSH_AGAIN, /* the sink had to begin anew: put everything since the last FB_FLUSHED again */
    FB_FLUSH_FAILED /* err says why; trying again does not help */
};

struct fb_sink;
struct fb_sink_calls {
    /* Hands one record over. Retriable: the sink is full for now, try again later. */
    bool (*put)(struct fb_sink *sink, const struct fb_outgoing *record, struct fb_err *err);
    /* Waits at most timeout_ms. */
    enum fb_flush (*flush)(struct fb_sink *sink, int timeout_ms, struct fb_err *err);
    void (*close)(struct fb_sink *sink); /* frees it too; what is not safe is given up */
};
struct fb_sink {
    const struct fb_sink_calls *calls;
};

#endif
