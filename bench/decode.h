/* What the decode benchmark shares between its C and its C++ half.
 *
 * Place in the flow: bench/decode.c measures, bench/decode_simdjson.cpp does simdjson's part. */
#ifndef FB_BENCH_DECODE_H
#define FB_BENCH_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench_document {
    const char *bytes;
    size_t n;
};

/* Reads device, ts, temperature, vibration, humidity, pressure and status of every document with
 * simdjson On-Demand and gives a sum over what it read. `copied`: each document first goes into a
 * padded buffer, as one must that lies in a foreign buffer; otherwise 64 bytes behind it must be
 * readable. `walk`: over all members in their order instead of looking each name up. */
double bench_simdjson(const struct bench_document *documents, size_t n, bool copied, bool walk);
/* "" where simdjson is not installed. */
const char *bench_simdjson_name(void);

#ifdef __cplusplus
}
#endif

#endif
