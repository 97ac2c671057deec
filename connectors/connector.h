/* The two interfaces between the engine and the outside: where records come from, where they go.
 *
 * Place in the flow: first (source) and last (sink); engine/run speaks only to these. A library's
 * own types never leave its connector. */
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

/* A record that was read. Views live until the handler returns. */
struct fb_record {
    struct fb_str topic;
    int32_t partition; /* -1: the medium has none */
    int64_t offset;    /* in files: the record's number, from 0 */
    int64_t stamp_us;  /* when it was written, by the medium's clock; FB_NO_STAMP: not known */
    struct fb_str key, value; /* p is NULL where there is none */
    void *native;      /* for fb_source's `headers` */
};

/* Takes one record of a batch. False: enough for now, the rest stays where it is. */
typedef bool fb_record_fn(void *context, const struct fb_record *record);

/* Something that gives records. One owner, one thread. */
struct fb_source {
    const struct fb_source_calls *calls;
};

enum fb_poll {
    FB_POLL_OK,   /* none, one or many records were handed over */
    FB_POLL_END,  /* a file's end; a live source has none */
    FB_POLL_FAILED
};

struct fb_source_calls {
    /* Waits at most timeout_ms for a first record, then hands over what is there. */
    enum fb_poll (*poll)(struct fb_source *source, int timeout_ms, fb_record_fn *take,
                         void *context, struct fb_err *err);
    /* The headers of the record that is being handled, at most max; returns how many. */
    uint32_t (*headers)(struct fb_source *source, const struct fb_record *record,
                        struct fb_header *headers, uint32_t max);
    void (*close)(struct fb_source *source); /* frees it too */
};

/* A record to be written; everything is copied before `put` returns. */
struct fb_outgoing {
    struct fb_str topic;
    int32_t partition;
    int64_t stamp_us; /* FB_NO_STAMP: now */
    struct fb_str key, value;
    const struct fb_header *headers;
    uint32_t n_headers;
};

/* Something that takes records. One owner, one thread. */
struct fb_sink {
    const struct fb_sink_calls *calls;
};

struct fb_sink_calls {
    /* Hands one record over. Retriable: the sink is full for now, try again later. */
    bool (*put)(struct fb_sink *sink, const struct fb_outgoing *record, struct fb_err *err);
    /* Waits at most timeout_ms until everything that was put is safe. Retriable: not yet. */
    bool (*flush)(struct fb_sink *sink, int timeout_ms, struct fb_err *err);
    void (*close)(struct fb_sink *sink); /* frees it too */
};

#endif
