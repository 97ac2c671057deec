/* Outputs of a task that are not yet known to be safe, as bytes.
 *
 * Place in the flow: the encoder fills it, the worker puts it into the sink, the commit empties it.
 * The same bytes can be put again whenever the outcome was in doubt. One owner.
 *
 * One record can cause any number of outputs (a leap of the clock, an event for each `each` window
 * since). So only so many bytes are kept in memory, the rest in a temporary file (run/spill.h). */
#ifndef FB_RUN_BATCH_H
#define FB_RUN_BATCH_H

#include "connectors/connector.h"
#include "engine/base/hash.h"
#include "engine/codec/encode.h"

struct fb_batch;

enum { FB_BATCH_HEADERS_MAX = 64, FB_BATCH_MEMORY_MAX = 64 << 20 };

/* Where outputs have room. */
struct fb_room {
    size_t memory_max;  /* bytes of a batch, with what it needs for itself */
    const char *folder; /* of the temporary file; must outlive the batch */
};

struct fb_batch *fb_batch_new(struct fb_room room);
void fb_batch_free(struct fb_batch *batch);

/* Copies everything. */
void fb_batch_add(struct fb_batch *batch, enum fb_stream stream, struct fb_str key,
                  struct fb_str value, const struct fb_header *headers, uint32_t n_headers);
/* The same for a topic that is not its stream's; `to` empty: for that one. */
void fb_batch_add_to(struct fb_batch *batch, enum fb_stream stream, struct fb_str to,
                     struct fb_str key, struct fb_str value, const struct fb_header *headers,
                     uint32_t n_headers);
/* How many outputs were ever added, and the rolling hash of their bytes; records of journal and
 * snapshots are left out. Neither clearing nor dropping changes it. */
struct fb_batch_mark {
    uint64_t outputs;
    struct fb_hash128 hash;
};
struct fb_batch_mark fb_batch_mark(const struct fb_batch *batch);
void fb_batch_set_mark(struct fb_batch *batch, struct fb_batch_mark mark);
uint32_t fb_batch_count(const struct fb_batch *batch);
/* Which is the first of a stream's own topic. False: there is none, it is in the temporary file, or
 * outputs were dropped, which moves the places. */
bool fb_batch_first(const struct fb_batch *batch, enum fb_stream stream, uint32_t *i);
/* The same of the k-th, from 0, of the topics that outputs named. */
bool fb_batch_first_named(const struct fb_batch *batch, uint32_t k, uint32_t *i);
size_t fb_batch_bytes(const struct fb_batch *batch);
/* False: outputs were lost, since the temporary file could not be written or read; fatal, and err
 * says what to do. To be asked after fb_batch_at, before its record is used: a batch that has
 * failed counts on and gives empty records. */
bool fb_batch_ok(const struct fb_batch *batch, struct fb_err *err);
/* The i-th output: its stream; key, value, headers and, where it is not its stream's, topic (else
 * NULL) in `record` (views until the next call with the batch). Made for going from some i onwards.
 */
enum fb_stream fb_batch_at(const struct fb_batch *batch, uint32_t i, struct fb_outgoing *record,
                           struct fb_header headers[FB_BATCH_HEADERS_MAX]);
/* Takes outputs out again, so that they do not count and are not given: n places as fb_batch_at has
 * them, ascending. Once between two fb_batch_clear. The mark stays. */
void fb_batch_drop(struct fb_batch *batch, const uint32_t *places, uint32_t n);
void fb_batch_clear(struct fb_batch *batch);

#endif
