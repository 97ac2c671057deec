/* Operators' calls as people and programs write them: one JSON object.
 *
 * Place in the flow: the control topic, or a replay's file of calls -> here -> core/call. One
 * owner. engine/PROTOCOL.md, "Operator calls", says what the members are. */
#ifndef FB_CODEC_CALL_H
#define FB_CODEC_CALL_H

#include "engine/model/call.h"

struct fb_call_reader;
struct fb_call_reader *fb_call_reader_new(void);
void fb_call_reader_free(struct fb_call_reader *reader);

struct fb_call_read {
    struct fb_call call;  /* good: all of it; else who and reason, where they could be read */
    struct fb_str name;   /* of the call as it was written; empty: it could not be read */
    bool has_at;          /* replay: when it came */
    int64_t at_us;
    struct fb_str wrong;  /* what is wrong with it, and what to do; empty: it is good */
};

/* Views into the bytes and the reader, until the next call. False: `wrong` says why. */
bool fb_call_read(struct fb_call_reader *reader, struct fb_str bytes, struct fb_call_read *read);

#endif
