/* What of a record's headers goes along with what the record causes.
 *
 * Place in the flow: run/task asks; of the trace only when it has an output of the record at hand,
 * since reading headers costs. */
#ifndef FB_RUN_HEADERS_H
#define FB_RUN_HEADERS_H

#include "connectors/connector.h"

enum {
    FB_TRACE_BYTES = 55,      /* of a traceparent of W3C's Trace Context, version 00 */
    FB_HEADERS_KEPT_MAX = 48, /* of a dead letter's record */
    FB_HEADERS_BYTES_MAX = 65536,
    FB_HEADERS_DEAD_MAX = FB_HEADERS_KEPT_MAX + 1
};

/* The trace that a record belongs to: its header ce_traceparent (the CloudEvent's own), else
 * traceparent, where that is well-formed; else empty. A view into `out`. */
struct fb_str fb_headers_trace(const struct fb_record *record, char out[FB_TRACE_BYTES]);

/* The hops of a record (MEANING.md, A96): the number in its header ce_hop; 0: it has none. Asked of
 * every record: one without headers costs a look. */
uint8_t fb_headers_hops(const struct fb_record *record);

/* The headers that a dead letter keeps, in their order: all but those that begin with fb_, which
 * are ours and say why a record died before. What is too much is counted in a last header,
 * fb_headers_left_out. Room for FB_HEADERS_DEAD_MAX; returns how many. Views as the record's; the
 * count's text is in `count`. */
uint32_t fb_headers_of_dead(const struct fb_record *record, struct fb_header *headers,
                            char count[16]);

#endif
