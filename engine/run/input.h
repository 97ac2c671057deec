/* One input file of a replay: its entries one after the other, the next one always in view.
 *
 * Place in the flow: lines -> decoder -> here -> replay merges several. One owner. */
#ifndef FB_RUN_INPUT_H
#define FB_RUN_INPUT_H

#include "engine/codec/maker.h"
#include "engine/run/replay.h"

struct fb_input;

enum fb_input_state { FB_INPUT_ENTRY, FB_INPUT_REJECT, FB_INPUT_END, FB_INPUT_FAILED };

/* NULL with err: the file cannot be read, or no class takes the topic. With envelopes each record
 * names its own topic and the input's is not looked at. */
struct fb_input *fb_input_open(const struct fb_replay_options *options, uint32_t index,
                               struct fb_err *err);
void fb_input_close(struct fb_input *input);

/* Goes on to what comes next. */
enum fb_input_state fb_input_next(struct fb_input *input, struct fb_err *err);
/* After FB_INPUT_ENTRY, FB_INPUT_REJECT; views live until fb_input_next. */
const struct fb_entry *fb_input_entry(const struct fb_input *input);
const struct fb_reject *fb_input_reject(const struct fb_input *input);
/* The stamp of the record in view (--envelope); FB_NO_TIME: it has none. */
int64_t fb_input_stamp(const struct fb_input *input);
void fb_input_progress(const struct fb_input *input, uint64_t *read_bytes, uint64_t *size_bytes);

#endif
