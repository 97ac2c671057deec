/* Lines of outputs.
 *
 * Place in the flow: see teller.h. */
#include "engine/run/teller.h"

void fb_teller_free(struct fb_teller *teller) {
    fb_encoder_free(teller->encoder);
    fb_buf_free(&teller->line);
}

void fb_teller_write(struct fb_teller *teller, const struct fb_encoded *encoded) {
    if (teller->failed || !teller->write)
        return;
    teller->line.n = 0;
    fb_encode_line(encoded, &teller->line);
    struct fb_str line = {teller->line.p, teller->line.n};
    teller->failed = !teller->write(teller->context, encoded->stream, line, teller->err);
}

static void watch(struct fb_teller *teller, const struct fb_output *output) {
    if (!teller->watch || output->kind == FB_OUT_LATE)
        return;
    teller->line.n = 0;
    if (output->rule)
        fb_encode_template(&output->rule->message, output, &teller->line);
    teller->watch(teller->context, output, (struct fb_str){teller->line.p, teller->line.n});
}

void fb_teller_tell(struct fb_teller *teller, struct fb_auditor *auditor,
                    const struct fb_output *output) {
    struct fb_circumstance circumstance = {.initial = false};
    struct fb_encoded encoded, audited;
    const char *id = NULL;
    watch(teller, output);
    if (fb_output_goes_out(output->kind)) {
        fb_encode(teller->encoder, output, circumstance, &encoded);
        fb_teller_write(teller, &encoded);
        id = encoded.id;
    }
    if (!auditor || !fb_audit_tells_of(output->kind))
        return;
    fb_audit_decision(auditor, teller->encoder, output, circumstance, id, &audited);
    fb_teller_write(teller, &audited);
}
