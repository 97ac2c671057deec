/* Outputs -> CloudEvents 1.0. */
#include "engine/codec/encode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/connector.h"
#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/codec/encoder.h"

struct fb_encoder *fb_encoder_new(const struct fb_program *program, struct fb_str application) {
    struct fb_encoder *e = fb_alloc(sizeof *e);
    e->program = program;
    fb_buf_str(&e->application, application);
    fb_buf_text(&e->source, "/flyball/");
    fb_buf_str(&e->source, application);
    e->hasher = fb_hasher_new();
    return e;
}

void fb_encoder_free(struct fb_encoder *e) {
    if (!e)
        return;
    fb_hasher_free(e->hasher);
    fb_buf_free(&e->application);
    fb_buf_free(&e->source);
    fb_buf_free(&e->subject);
    fb_buf_free(&e->data);
    fb_buf_free(&e->text);
    free(e);
}

/* ---- ids ---- */

/* Parts are preceded by their length, so that no two lists of parts give the same bytes. */
static void put_part(struct fb_buf *out, struct fb_str part) {
    fb_json_put_int(out, (int64_t)part.n);
    fb_buf_char(out, ':');
    fb_buf_str(out, part);
}

static void put_cause(struct fb_buf *out, const struct fb_cause *cause) {
    if (cause->timer) {
        put_part(out, FB_S("timer"));
        fb_json_put_int(out, cause->deadline_us);
        return;
    }
    put_part(out, cause->origin.topic);
    fb_json_put_int(out, cause->origin.partition);
    fb_buf_char(out, ':');
    fb_json_put_int(out, cause->origin.offset);
    fb_buf_char(out, ':');
    fb_json_put_int(out, cause->origin.index);
}

/* The first 128 bits of SHA-256(application, device, rule, kind, cause). */
static void make_id(struct fb_encoder *e, struct fb_str device, struct fb_str rule,
                    const char *kind, const struct fb_cause *cause, char id[33]) {
    uint8_t digest[32];
    e->text.n = 0;
    put_part(&e->text, fb_encoder_view(&e->application));
    put_part(&e->text, device);
    put_part(&e->text, rule);
    put_part(&e->text, fb_str_of(kind));
    put_cause(&e->text, cause);
    fb_hasher_sha256(e->hasher, fb_encoder_view(&e->text), digest);
    fb_hex(digest, 16, id);
}

/* ---- messages ---- */

static void put_decimals(struct fb_buf *out, double x, int decimals) {
    char text[512]; /* 309 digits, the point, 127 decimals */
    int n = snprintf(text, sizeof text, "%.*f", decimals, x == 0 ? 0.0 : x);
    FB_ASSERT(n > 0 && (size_t)n < sizeof text);
    fb_buf_put(out, text, (size_t)n);
}

void fb_encode_value(const struct fb_slot *slot, const struct fb_value *value, struct fb_buf *out) {
    char text[FB_TIME_TEXT_MAX];
    if (value->quality != FB_Q_GOOD) {
        fb_buf_text(out, "unknown");
        return;
    }
    switch (slot->type) {
    case FB_T_NUMBER:
    case FB_T_COUNTER:
        if (slot->decimals >= 0)
            put_decimals(out, value->num, slot->decimals);
        else
            fb_json_put_number(out, value->num);
        break;
    case FB_T_INTEGER:
        if (slot->decimals >= 0)
            put_decimals(out, (double)value->i, slot->decimals);
        else
            fb_json_put_int(out, value->i);
        break;
    case FB_T_BOOL:
        fb_buf_text(out, value->i ? "true" : "false");
        break;
    case FB_T_TEXT:
        fb_buf_str(out, value->text);
        break;
    case FB_T_TIME:
        fb_buf_put(out, text, fb_time_format(value->i, text));
        break;
    case FB_T_ENUM:
        fb_buf_str(out, slot->words[value->i]);
        break;
    case FB_T_NONE:
        FB_BUG("a slot has a type");
    }
    if (slot->unit.n == 0)
        return;
    if (!fb_str_eq(slot->unit, FB_S("%")))
        fb_buf_char(out, ' ');
    fb_buf_str(out, slot->unit);
}

void fb_encode_template(const struct fb_template *text, const struct fb_output *output,
                        struct fb_buf *out) {
    for (uint32_t i = 0; i < text->n_parts; i++) {
        const struct fb_template_part *part = &text->parts[i];
        switch (part->kind) {
        case FB_PART_LITERAL:
            fb_buf_str(out, part->literal);
            break;
        case FB_PART_SLOT:
            fb_encode_value(&output->rule->slots[part->slot], &output->slots[part->slot], out);
            break;
        case FB_PART_DEVICE:
            fb_buf_str(out, output->device);
            break;
        case FB_PART_RULE:
            fb_buf_str(out, output->rule->name);
            break;
        case FB_PART_SEVERITY:
            fb_buf_text(out, fb_severity_name(output->severity));
            break;
        }
    }
}

/* ---- data ---- */

void fb_put_template_member(struct fb_encoder *e, struct fb_str name,
                            const struct fb_template *text, const struct fb_output *output) {
    fb_put_name(&e->data, name);
    if (text->n_parts == 0) {
        fb_buf_text(&e->data, "null");
        return;
    }
    e->text.n = 0;
    fb_encode_template(text, output, &e->text);
    fb_json_put_text(&e->data, fb_encoder_view(&e->text));
}

static void put_values(struct fb_buf *out, const struct fb_output *output) {
    fb_put_name(out, FB_NAME("values"));
    fb_buf_char(out, '{');
    for (uint32_t i = 0; i < output->rule->n_shown; i++) {
        const struct fb_shown *shown = &output->rule->shown[i];
        if (i > 0)
            fb_buf_char(out, ',');
        fb_json_put_text(out, shown->name);
        fb_buf_text(out, ":{\"value\":");
        fb_json_put_value(out, shown->type, shown->words, &output->shown[i]);
        fb_buf_text(out, ",\"unit\":");
        if (shown->unit.n)
            fb_json_put_text(out, shown->unit);
        else
            fb_buf_text(out, "null");
        fb_buf_text(out, ",\"quality\":\"");
        fb_buf_text(out, fb_quality_name(output->shown[i].quality));
        fb_buf_text(out, "\"}");
    }
    fb_buf_char(out, '}');
}

static void put_tags(struct fb_buf *out, const struct fb_class *class,
                     const struct fb_output *output) {
    fb_put_name(out, FB_NAME("tags"));
    fb_buf_char(out, '{');
    for (uint32_t i = 0; i < class->n_tags; i++) {
        const struct fb_field *tag = &class->fields[class->tags[i]];
        if (i > 0)
            fb_buf_char(out, ',');
        fb_json_put_text(out, tag->name);
        fb_buf_char(out, ':');
        fb_json_put_value(out, tag->type, tag->words, &output->tags[i]);
    }
    fb_buf_char(out, '}');
}

void fb_put_labels(struct fb_buf *out, const struct fb_rule *rule) {
    fb_put_name(out, FB_NAME("labels"));
    fb_buf_char(out, '{');
    for (uint32_t i = 0; i < rule->n_labels; i++) {
        if (i > 0)
            fb_buf_char(out, ',');
        fb_json_put_text(out, rule->labels[i].name);
        fb_buf_char(out, ':');
        fb_json_put_text(out, rule->labels[i].value);
    }
    fb_buf_char(out, '}');
}

/* subject := rule/device; the members that alerts and events begin with. */
static void put_rule_members(struct fb_encoder *e, const struct fb_output *output) {
    fb_put_text_member(&e->data, FB_NAME("rule"), output->rule->name);
    fb_put_text_member(&e->data, FB_NAME("rule_version"), fb_str_of(output->rule->version));
    fb_put_text_member(&e->data, FB_NAME("device"), output->device);
}

/* Who said so, and until when; only where somebody did. */
static void put_call_members(struct fb_buf *out, const struct fb_output *output) {
    if (output->who.n)
        fb_put_text_member(out, FB_NAME("who"), output->who);
    if (output->because.n)
        fb_put_text_member(out, FB_NAME("reason"), output->because);
    if (output->event == FB_ALERT_SHELVED) {
        fb_put_time_member(out, FB_NAME("until"), output->shelf_until_us);
        fb_put_bool_member(out, FB_NAME("once"), output->once);
    }
    if (output->event == FB_ALERT_SUPPRESSED && output->maintenance_until_us != INT64_MIN)
        fb_put_time_member(out, FB_NAME("until"), output->maintenance_until_us);
}

static void encode_alert(struct fb_encoder *e, const struct fb_output *output,
                         struct fb_circumstance circumstance) {
    const struct fb_rule *rule = output->rule;
    struct fb_buf *out = &e->data;
    fb_put_text_member(out, FB_NAME("alarm"), fb_encoder_view(&e->subject));
    put_rule_members(e, output);
    fb_put_text_member(out, FB_NAME("event"), fb_str_of(fb_alert_event_name(output->event)));
    fb_put_bool_member(out, FB_NAME("active"), output->active);
    fb_put_bool_member(out, FB_NAME("acked"), output->acked);
    fb_put_bool_member(out, FB_NAME("latched"), false);
    fb_put_bool_member(out, FB_NAME("shelved"), output->shelved);
    fb_put_bool_member(out, FB_NAME("suppressed"), output->suppressed);
    if (output->flapping)
        fb_put_bool_member(out, FB_NAME("flapping"), true);
    fb_put_text_member(out, FB_NAME("severity"), fb_str_of(fb_severity_name(output->severity)));
    fb_put_template_member(e, FB_NAME("message"), &rule->message, output);
    fb_put_template_member(e, FB_NAME("response"), &rule->response, output);
    fb_put_labels(out, rule);
    fb_put_time_member(out, FB_NAME("at"), output->at_us);
    fb_put_time_member(out, FB_NAME("since"), output->since_us);
    put_values(out, output);
    put_tags(out, &e->program->classes[output->class_index], output);
    fb_put_bool_member(out, FB_NAME("initial"), circumstance.initial);
    fb_put_bool_member(out, FB_NAME("historical"), circumstance.historical);
    put_call_members(out, output);
}

static void encode_event(struct fb_encoder *e, const struct fb_output *output) {
    struct fb_buf *out = &e->data;
    put_rule_members(e, output);
    fb_put_time_member(out, FB_NAME("at"), output->at_us);
    fb_put_template_member(e, FB_NAME("message"), &output->rule->message, output);
    put_values(out, output);
    put_tags(out, &e->program->classes[output->class_index], output);
    fb_put_name(out, FB_NAME("withheld"));
    fb_json_put_int(out, (int64_t)output->withheld);
}

static void encode_late(struct fb_encoder *e, const struct fb_output *output) {
    struct fb_buf *out = &e->data;
    fb_put_text_member(out, FB_NAME("reason"), output->future ? FB_S("future") : FB_S("late"));
    fb_put_time_member(out, FB_NAME("at"), output->at_us);
    fb_put_time_member(out, FB_NAME("watermark"), output->watermark_us);
    fb_put_name(out, FB_NAME("event"));
    if (output->raw.n && output->raw.p[0] == '{')
        fb_json_put_one_line(out, output->raw);
    else
        fb_json_put_text(out, output->raw); /* a line of CSV */
}

void fb_encoder_begin(struct fb_encoder *e, int64_t time_us, struct fb_encoded *encoded) {
    e->subject.n = 0;
    e->data.n = 0;
    fb_buf_char(&e->data, '{');
    *encoded = (struct fb_encoded){.source = fb_encoder_view(&e->source)};
    if (time_us != FB_NO_TIME)
        encoded->time = (struct fb_str){e->time, fb_time_format(time_us, e->time)};
}

void fb_encoder_end(struct fb_encoder *e, struct fb_encoded *encoded) {
    fb_buf_char(&e->data, '}');
    encoded->data = fb_encoder_view(&e->data);
    encoded->subject = fb_encoder_view(&e->subject);
}

void fb_encoder_output_id(struct fb_encoder *e, const struct fb_output *output, char id[33]) {
    char kind[64];
    struct fb_str rule = output->rule ? output->rule->name : (struct fb_str){0};
    switch (output->kind) {
    case FB_OUT_ALERT:
        stpcpy(stpcpy(stpcpy(stpcpy(kind, "alert "), fb_alert_event_name(output->event)), " "),
               fb_severity_name(output->severity));
        break;
    case FB_OUT_EVENT:
        stpcpy(kind, "event");
        break;
    case FB_OUT_LATE:
        stpcpy(kind, "late");
        break;
    case FB_OUT_COMMAND:
        rule = output->actuator->name;
        snprintf(kind, sizeof kind, "%scommand %" PRIu64,
                 output->actuator->shadow ? "shadow " : "", output->seq);
        break;
    case FB_OUT_BLOCKED:
    case FB_OUT_MUTED:
        FB_BUG("what only the audit tells of is no output of its own");
    }
    make_id(e, output->device, rule, kind, &output->cause, id);
}

void fb_encoder_dead_id(struct fb_encoder *e, const struct fb_dead_letter *letter, char id[33]) {
    struct fb_cause cause = {.origin = letter->origin};
    make_id(e, (struct fb_str){0}, (struct fb_str){0}, "dead", &cause, id);
}

/* What the record is of: the alarm, the actuator, the rule of an event, or the device alone. */
static void put_subject(struct fb_encoder *e, const struct fb_output *output) {
    if (output->kind == FB_OUT_COMMAND)
        fb_buf_str(&e->subject, output->actuator->name);
    else if (output->rule)
        fb_buf_str(&e->subject, output->rule->name);
    if (e->subject.n)
        fb_buf_char(&e->subject, '/');
    fb_buf_str(&e->subject, output->device);
}

void fb_encode(struct fb_encoder *e, const struct fb_output *output,
               struct fb_circumstance circumstance, struct fb_encoded *encoded) {
    fb_encoder_begin(e, output->at_us, encoded);
    if (output->hop)
        snprintf(encoded->hop, sizeof encoded->hop, "%u", output->hop);
    put_subject(e, output);
    switch (output->kind) {
    case FB_OUT_ALERT:
        encoded->type = "flyball.alert";
        encoded->stream = FB_STREAM_ALERTS;
        encode_alert(e, output, circumstance);
        break;
    case FB_OUT_EVENT:
        encoded->type = "flyball.event";
        encoded->stream = FB_STREAM_ALERTS;
        encode_event(e, output);
        break;
    case FB_OUT_LATE:
        encoded->type = "flyball.late";
        encoded->stream = FB_STREAM_LATE;
        encode_late(e, output);
        break;
    case FB_OUT_COMMAND:
        encoded->type = output->actuator->shadow ? "flyball.shadow" : "flyball.command";
        encoded->stream = output->actuator->shadow ? FB_STREAM_SHADOW : FB_STREAM_COMMANDS;
        encoded->to = output->actuator->shadow ? (struct fb_str){0} : output->actuator->to;
        fb_encoder_command(e, output, circumstance);
        break;
    case FB_OUT_BLOCKED:
    case FB_OUT_MUTED:
        FB_BUG("what only the audit tells of is no output of its own");
    }
    fb_encoder_end(e, encoded);
    fb_encoder_output_id(e, output, encoded->id);
}

void fb_encode_dead(struct fb_encoder *e, const struct fb_dead_letter *letter,
                    struct fb_encoded *encoded) {
    struct fb_buf *out = &e->data;
    bool utf8 = fb_str_is_utf8(letter->payload);
    fb_encoder_begin(e, letter->time_us, encoded);
    encoded->type = "flyball.dead";
    encoded->stream = FB_STREAM_DEAD;
    fb_put_text_member(out, FB_NAME("reason"), fb_str_of(letter->reason));
    fb_put_text_member(out, FB_NAME("detail"), letter->detail);
    fb_put_text_member(out, FB_NAME("topic"), letter->origin.topic);
    fb_put_name(out, FB_NAME("partition"));
    fb_json_put_int(out, letter->origin.partition);
    fb_put_name(out, FB_NAME("offset"));
    fb_json_put_int(out, letter->origin.offset);
    fb_put_text_member(out, FB_NAME("encoding"), utf8 ? FB_S("utf-8") : FB_S("base64"));
    fb_put_name(out, FB_NAME("payload"));
    if (utf8) {
        fb_json_put_text(out, letter->payload);
    } else {
        fb_buf_char(out, '"');
        fb_json_put_base64(out, letter->payload);
        fb_buf_char(out, '"');
    }
    fb_encoder_end(e, encoded);
    fb_encoder_dead_id(e, letter, encoded->id);
}

/* ---- envelopes ---- */

void fb_encode_line(const struct fb_encoded *encoded, struct fb_buf *out) {
    fb_buf_text(out, "{\"specversion\":\"1.0\",\"id\":\"");
    fb_buf_text(out, encoded->id);
    fb_buf_text(out, "\",\"source\":");
    fb_json_put_text(out, encoded->source);
    fb_buf_text(out, ",\"type\":\"");
    fb_buf_text(out, encoded->type);
    fb_buf_char(out, '"');
    if (encoded->subject.n)
        fb_put_text_member(out, FB_NAME("subject"), encoded->subject);
    if (encoded->time.n)
        fb_put_text_member(out, FB_NAME("time"), encoded->time);
    if (encoded->traceparent.n)
        fb_put_text_member(out, FB_NAME("traceparent"), encoded->traceparent);
    if (encoded->hop[0] && strcmp(encoded->hop, "1") != 0) {
        fb_buf_text(out, ",\"hop\":");
        fb_buf_text(out, encoded->hop);
    }
    fb_buf_text(out, ",\"datacontenttype\":\"application/json\",\"data\":");
    fb_buf_str(out, encoded->data);
    fb_buf_text(out, "}\n");
}

uint32_t fb_encode_headers(const struct fb_encoded *encoded, struct fb_header *headers) {
    uint32_t n = 0;
    headers[n++] = (struct fb_header){FB_S("ce_specversion"), FB_S("1.0")};
    headers[n++] = (struct fb_header){FB_S("ce_id"), fb_str_of(encoded->id)};
    headers[n++] = (struct fb_header){FB_S("ce_source"), encoded->source};
    headers[n++] = (struct fb_header){FB_S("ce_type"), fb_str_of(encoded->type)};
    if (encoded->subject.n)
        headers[n++] = (struct fb_header){FB_S("ce_subject"), encoded->subject};
    if (encoded->time.n)
        headers[n++] = (struct fb_header){FB_S("ce_time"), encoded->time};
    if (encoded->traceparent.n)
        headers[n++] = (struct fb_header){FB_S("ce_traceparent"), encoded->traceparent};
    if (encoded->hop[0])
        headers[n++] = (struct fb_header){FB_S("ce_hop"), fb_str_of(encoded->hop)};
    headers[n++] = (struct fb_header){FB_S("content-type"), FB_S("application/json")};
    FB_ASSERT(n <= FB_ENCODED_HEADERS_MAX);
    return n;
}

uint32_t fb_encode_dead_headers(struct fb_encoder *e, const struct fb_dead_letter *letter,
                                struct fb_header *headers) {
    int partition =
        snprintf(e->partition, sizeof e->partition, "%" PRId32, letter->origin.partition);
    int offset = snprintf(e->offset, sizeof e->offset, "%" PRId64, letter->origin.offset);
    headers[0] = (struct fb_header){FB_S("fb_reason"), fb_str_of(letter->reason)};
    headers[1] = (struct fb_header){FB_S("fb_detail"), letter->detail};
    headers[2] = (struct fb_header){FB_S("fb_topic"), letter->origin.topic};
    headers[3] = (struct fb_header){FB_S("fb_partition"), {e->partition, (size_t)partition}};
    headers[4] = (struct fb_header){FB_S("fb_offset"), {e->offset, (size_t)offset}};
    return 5;
}
