/* Prints one encoded record of each kind, one JSON object a line, for validate.py. */
#include "tests/schemas/sample.h"

#include <stdio.h>

int main(void) {
    struct fb_encoder *encoder = fb_encoder_new(sample_program(), FB_S("plant"));
    struct fb_output outputs[] = {sample_alert(), sample_cleared(), sample_event(), sample_late(),
                                  sample_future()};
    struct fb_dead_letter letters[] = {sample_dead(), sample_dead_binary()};
    struct fb_encoded encoded;
    struct fb_buf out = {0};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        fb_encode(encoder, &outputs[i], (struct fb_circumstance){.historical = i == 0}, &encoded);
        fb_encode_line(&encoded, &out);
    }
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        fb_encode_dead(encoder, &letters[i], &encoded);
        fb_encode_line(&encoded, &out);
    }
    fwrite(out.p, 1, out.n, stdout);
    fb_buf_free(&out);
    fb_encoder_free(encoder);
    return 0;
}
