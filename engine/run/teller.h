/* From what a core puts out to lines of NDJSON, with the audit's records behind them.
 *
 * Place in the flow: between core and files, for replay and simulate; a live task has its batch.
 * One owner. */
#ifndef FB_RUN_TELLER_H
#define FB_RUN_TELLER_H

#include "engine/base/err.h"
#include "engine/codec/audit.h"

struct fb_teller {
    struct fb_encoder *encoder; /* owned */
    /* One line with its end. NULL: none is wanted. False: it could not be written (err says why).
     */
    bool (*write)(void *context, enum fb_stream stream, struct fb_str line, struct fb_err *err);
    /* Each output but late records, with its message; NULL: nobody watches. */
    void (*watch)(void *context, const struct fb_output *output, struct fb_str message);
    void *context;
    struct fb_err *err;
    struct fb_buf line;
    bool failed; /* a line could not be written: nothing more is */
};

void fb_teller_free(struct fb_teller *teller);
void fb_teller_write(struct fb_teller *teller, const struct fb_encoded *encoded);
/* The output, and its record in the audit; auditor NULL: none. */
void fb_teller_tell(struct fb_teller *teller, struct fb_auditor *auditor,
                    const struct fb_output *output);

#endif
