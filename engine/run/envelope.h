/* Envelopes: a record of a log in a line of its own, {"topic", "key", "stamp", "value"}.
 *
 * Place in the flow: a line of a replay's input -> here -> the decoder of the topic. One owner. */
#ifndef FB_RUN_ENVELOPE_H
#define FB_RUN_ENVELOPE_H

#include "engine/codec/maker.h"

struct fb_envelope {
    struct fb_str topic;
    struct fb_str value; /* the record's bytes */
    int64_t stamp_us;    /* when it came; FB_NO_TIME: not known */
    struct fb_str raw;   /* the envelope itself */
};

struct fb_envelopes;
struct fb_envelopes *fb_envelopes_new(void);
void fb_envelopes_free(struct fb_envelopes *envelopes);

/* Starts on a line, which must live until the last fb_envelopes_next. */
void fb_envelopes_begin(struct fb_envelopes *envelopes, struct fb_str line);

enum fb_enveloped { FB_ENVELOPED_END, FB_ENVELOPED_RECORD, FB_ENVELOPED_REJECT };
/* The next record, or one that is refused; of the reject all but the origin is filled. Views live
 * until the next call. */
enum fb_enveloped fb_envelopes_next(struct fb_envelopes *envelopes, struct fb_envelope *envelope,
                                    struct fb_reject *reject);

#endif
