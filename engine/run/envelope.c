/* Envelopes: a record of a log in a line of its own.
 *
 * Place in the flow: see envelope.h. */
#include "engine/run/envelope.h"

#include <stdlib.h>

#include "engine/base/arena.h"

/* Wide enough that what the record itself breaks is said by its own decoder. */
static const struct fb_json_limits limits = {
    .bytes_max = 1 << 20, .keys_max = UINT32_MAX, .depth_max = 64};

static const struct fb_str names[] = {{"topic", 5}, {"stamp", 5}, {"value", 5}};
enum { TOPIC, STAMP, VALUE, NAMES };

#define STAMP_MS_MAX INT64_C(253402300799999) /* the end of the year 9999 */

struct fb_envelopes {
    struct fb_json_paths *paths;
    struct fb_json *json;
    struct fb_buf detail;
};

struct fb_envelopes *fb_envelopes_new(void) {
    struct fb_envelopes *envelopes = fb_alloc(sizeof *envelopes);
    envelopes->paths = fb_json_paths_new(names, NAMES);
    envelopes->json = fb_json_new(envelopes->paths, limits);
    return envelopes;
}

void fb_envelopes_free(struct fb_envelopes *envelopes) {
    if (!envelopes)
        return;
    fb_json_free(envelopes->json);
    fb_json_paths_free(envelopes->paths);
    fb_buf_free(&envelopes->detail);
    free(envelopes);
}

void fb_envelopes_begin(struct fb_envelopes *envelopes, struct fb_str line) {
    fb_json_begin(envelopes->json, line);
}

static const struct fb_json_value *value_of(const struct fb_envelopes *envelopes, uint32_t name) {
    return &fb_json_values(envelopes->json)[fb_json_node(envelopes->paths, name)];
}

static enum fb_enveloped refuse(struct fb_envelopes *envelopes, const char *code,
                                const char *detail, struct fb_reject *reject) {
    fb_buf_text(&envelopes->detail, detail);
    reject->code = code;
    reject->detail = (struct fb_str){envelopes->detail.p, envelopes->detail.n};
    return FB_ENVELOPED_REJECT;
}

/* Milliseconds since 1970; -1, null and nothing mean that it is not known. */
static bool take_stamp(const struct fb_json_value *value, int64_t *stamp_us) {
    int64_t ms;
    *stamp_us = FB_NO_TIME;
    if (value->kind == FB_JSON_ABSENT || value->kind == FB_JSON_NULL)
        return true;
    if (value->kind != FB_JSON_NUM || !fb_json_integer(value, &ms) || ms < -1 ||
        ms > STAMP_MS_MAX)
        return false;
    if (ms >= 0)
        *stamp_us = ms * 1000;
    return true;
}

static bool is_record(const struct fb_json_value *value) {
    return value->kind == FB_JSON_OBJECT || value->kind == FB_JSON_ARRAY ||
           value->kind == FB_JSON_TEXT;
}

enum fb_enveloped fb_envelopes_next(struct fb_envelopes *envelopes, struct fb_envelope *envelope,
                                    struct fb_reject *reject) {
    struct fb_json_object object;
    if (!fb_json_next(envelopes->json, &object))
        return FB_ENVELOPED_END;
    *reject = (struct fb_reject){.raw = object.raw};
    envelopes->detail.n = 0;
    if (object.error != FB_JSON_OK) {
        fb_buf_printf(&envelopes->detail, "%s: ", fb_json_error_code(object.error));
        fb_buf_printf(&envelopes->detail, "%s, at byte %zu of the line",
                      fb_json_error_text(object.error), object.error_at);
        return refuse(envelopes, "ENVELOPE_JSON", "", reject);
    }
    const struct fb_json_value *topic = value_of(envelopes, TOPIC);
    const struct fb_json_value *value = value_of(envelopes, VALUE);
    if (topic->kind != FB_JSON_TEXT || topic->text.n == 0)
        return refuse(envelopes, "ENVELOPE_TOPIC", "`topic` is missing, or no text", reject);
    if (!take_stamp(value_of(envelopes, STAMP), &envelope->stamp_us))
        return refuse(envelopes, "ENVELOPE_STAMP",
                      "`stamp` is no whole number of milliseconds since 1970", reject);
    if (!is_record(value))
        return refuse(envelopes, "ENVELOPE_VALUE",
                      "`value` is missing, or neither an object nor a text of one", reject);
    envelope->topic = topic->text;
    envelope->value = value->text;
    envelope->raw = object.raw;
    return FB_ENVELOPED_RECORD;
}
