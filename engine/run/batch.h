/* Outputs of a task that are not yet known to be safe, as bytes.
 *
 * Place in the flow: the encoder fills it, the worker puts it into the sink, the commit empties it.
 * The same bytes can be put again whenever the outcome was in doubt. One owner. */
#ifndef FB_RUN_BATCH_H
#define FB_RUN_BATCH_H

#include "connectors/connector.h"
#include "engine/codec/encode.h"

struct fb_batch;

enum { FB_BATCH_HEADERS_MAX = 8 };

struct fb_batch *fb_batch_new(void);
void fb_batch_free(struct fb_batch *batch);

/* Copies everything. */
void fb_batch_add(struct fb_batch *batch, enum fb_stream stream, struct fb_str key,
                  struct fb_str value, const struct fb_header *headers, uint32_t n_headers);
uint32_t fb_batch_count(const struct fb_batch *batch);
size_t fb_batch_bytes(const struct fb_batch *batch);
/* The i-th output: its stream; key, value and headers in `record` (views until the next add). */
enum fb_stream fb_batch_at(const struct fb_batch *batch, uint32_t i, struct fb_outgoing *record,
                           struct fb_header headers[FB_BATCH_HEADERS_MAX]);
void fb_batch_clear(struct fb_batch *batch);

#endif
