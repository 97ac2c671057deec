/* What the writers of output records share: the encoder itself, members of JSON objects, ids.
 *
 * Place in the flow: inside the codec only; encode.c writes alerts, events, late records and dead
 * letters with it, encode_command.c commands, audit.c audit records. */
#ifndef FB_CODEC_ENCODER_H
#define FB_CODEC_ENCODER_H

#include "engine/base/calendar.h"
#include "engine/base/hash.h"
#include "engine/codec/encode.h"
#include "engine/codec/json_write.h"

struct fb_encoder {
    const struct fb_program *program;
    struct fb_buf application, source;
    struct fb_hasher *hasher;
    struct fb_buf subject, data, text; /* of the present record; text: scratch */
    char time[FB_TIME_TEXT_MAX];
    char partition[16], offset[24]; /* a dead letter's headers */
};

static inline struct fb_str fb_encoder_view(const struct fb_buf *buf) {
    return (struct fb_str){buf->p, buf->n};
}

/* `quoted`: the member's name as it stands in the text, with quotes and colon. No printf on this
 * path: it was a third of an alert's cost. */
static inline void fb_put_name(struct fb_buf *out, struct fb_str quoted) {
    if (out->p[out->n - 1] != '{')
        fb_buf_char(out, ',');
    fb_buf_str(out, quoted);
}

#define FB_NAME(name) FB_S("\"" name "\":")

static inline void fb_put_text_member(struct fb_buf *out, struct fb_str name, struct fb_str text) {
    fb_put_name(out, name);
    fb_json_put_text(out, text);
}

static inline void fb_put_time_member(struct fb_buf *out, struct fb_str name, int64_t us) {
    fb_put_name(out, name);
    if (us == FB_NO_TIME)
        fb_buf_text(out, "null");
    else
        fb_json_put_time(out, us);
}

static inline void fb_put_bool_member(struct fb_buf *out, struct fb_str name, bool value) {
    fb_put_name(out, name);
    fb_buf_text(out, value ? "true" : "false");
}

/* What an actuator is told: its word, or a number. */
void fb_put_command_value(struct fb_buf *out, const struct fb_actuator *actuator, double value);
static inline void fb_put_command_member(struct fb_buf *out, struct fb_str name,
                                         const struct fb_actuator *actuator, double value) {
    fb_put_name(out, name);
    fb_put_command_value(out, actuator, value);
}
/* The text of a rule, null where it has none. */
void fb_put_template_member(struct fb_encoder *encoder, struct fb_str name,
                            const struct fb_template *text, const struct fb_output *output);
void fb_put_labels(struct fb_buf *out, const struct fb_rule *rule);

/* The data of a command, the encoder's subject being its actuator. encode_command.c */
void fb_encoder_command(struct fb_encoder *encoder, const struct fb_output *output,
                        struct fb_circumstance circumstance);

/* Begins a record: source and time are set, the data's '{' is written. */
void fb_encoder_begin(struct fb_encoder *encoder, int64_t time_us, struct fb_encoded *encoded);
/* Writes the '}'; data and subject are what the encoder holds. */
void fb_encoder_end(struct fb_encoder *encoder, struct fb_encoded *encoded);

/* The ids that the encoder gives to them. */
void fb_encoder_output_id(struct fb_encoder *encoder, const struct fb_output *output, char id[33]);
void fb_encoder_dead_id(struct fb_encoder *encoder, const struct fb_dead_letter *letter,
                        char id[33]);

#endif
