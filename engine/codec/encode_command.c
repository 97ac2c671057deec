/* Commands, and what shadows would have commanded.
 *
 * Place in the flow: part of codec/encode; engine/PROTOCOL.md says what the fields are and what a
 * receiver does with them. */
#include "engine/codec/encoder.h"

#include "engine/base/err.h"

void fb_put_command_value(struct fb_buf *out, const struct fb_actuator *actuator, double value) {
    if (!actuator->is_switch) {
        fb_json_put_number(out, value);
        return;
    }
    FB_ASSERT(value == 0 || value == 1);
    fb_json_put_text(out, actuator->words[(int)value]);
}

/* Who decided: a rule, or where there is none the actuator's default. */
static void put_winner(struct fb_buf *out, const struct fb_output *output) {
    const struct fb_rule *rule = output->rule;
    fb_put_name(out, FB_NAME("priority"));
    if (output->priority == FB_PRIORITY_NONE)
        fb_buf_text(out, "null");
    else
        fb_json_put_int(out, output->priority);
    if (!rule) {
        fb_buf_text(out, ",\"rule\":null,\"rule_version\":null");
        return;
    }
    fb_put_text_member(out, FB_NAME("rule"), rule->name);
    fb_put_text_member(out, FB_NAME("rule_version"), fb_str_of(rule->version));
}

static void put_words_of_rule(struct fb_encoder *e, const struct fb_output *output) {
    if (!output->rule) {
        fb_buf_text(&e->data, ",\"message\":null,\"response\":null,\"labels\":{}");
        return;
    }
    fb_put_template_member(e, FB_NAME("message"), &output->rule->message, output);
    fb_put_template_member(e, FB_NAME("response"), &output->rule->response, output);
    fb_put_labels(&e->data, output->rule);
}

void fb_encoder_command(struct fb_encoder *e, const struct fb_output *output,
                        struct fb_circumstance circumstance) {
    const struct fb_actuator *actuator = output->actuator;
    struct fb_buf *out = &e->data;
    FB_ASSERT(output->has_value);
    fb_put_text_member(out, FB_NAME("actuator"), fb_encoder_view(&e->subject));
    fb_put_text_member(out, FB_NAME("device"), output->device);
    fb_put_command_member(out, FB_NAME("value"), actuator, output->value);
    fb_put_name(out, FB_NAME("unit"));
    if (actuator->unit.n)
        fb_json_put_text(out, actuator->unit);
    else
        fb_buf_text(out, "null");
    fb_put_command_member(out, FB_NAME("requested"), actuator, output->requested);
    put_winner(out, output);
    fb_put_text_member(out, FB_NAME("reason"), fb_str_of(fb_command_reason_name(output->reason)));
    fb_put_time_member(out, FB_NAME("at"), output->at_us);
    fb_put_time_member(out, FB_NAME("expires_at"), output->expires_at_us);
    fb_put_time_member(out, FB_NAME("lease_until"), output->lease_until_us);
    fb_put_name(out, FB_NAME("epoch"));
    fb_json_put_int(out, circumstance.epoch_ms);
    fb_put_name(out, FB_NAME("seq"));
    fb_json_put_int(out, (int64_t)output->seq);
    put_words_of_rule(e, output);
}
