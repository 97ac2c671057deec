/* The stream and the rules that the benchmarks have in common.
 *
 * Place in the flow: benchmarks only. The stream is the same in every run. */
#ifndef FB_BENCH_WORKLOAD_H
#define FB_BENCH_WORKLOAD_H

#include "engine/base/str.h"

#include <stdint.h>

enum { BENCH_DEVICES = 10000, BENCH_EVENT_MAX = 512 };

/* Events of about 155 bytes: 10,000 devices, each once a second of event time, in turn. */
struct bench_stream {
    uint64_t random;
    int64_t i; /* of the next event; its device is i % BENCH_DEVICES */
    double base[BENCH_DEVICES];
};

void bench_stream_begin(struct bench_stream *stream);
/* Writes the next event, without a line's end; returns its length. */
size_t bench_stream_next(struct bench_stream *stream, char out[BENCH_EVENT_MAX]);

/* The device's id in an event. A view. */
struct fb_str bench_key(struct fb_str event);

/* The rules, one of
 *   W2: the mean of a field over windows of 10 s against a limit, an event when it is above
 *   W4: raised at a limit of the temperature held for 5 s, cleared below a lower one held for 5 s
 *   W4 acting: the same conditions, each claims an actuator of its own
 *   their windows alone (W2): each with a rule that never comes true
 *   none: the device alone */
enum bench_rules { BENCH_NONE, BENCH_WINDOWS, BENCH_W2, BENCH_W4, BENCH_W4_ACTING };
void bench_rules_write(enum bench_rules rules, int n, const char *topic, struct fb_buf *out);

#endif
