/* Calls: members, checks, and what is said of those that are wrong.
 *
 * Place in the flow: see call.h. */
#include "engine/codec/call.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/codec/json.h"

enum member {
    CALL,
    ACTUATOR,
    DEVICE,
    VALUE,
    UNTIL,
    MODE,
    ALL,
    RULE,
    WHO,
    REASON,
    AT,
    ALARM,
    CLASS,
    ONCE,
    MEMBERS
};
static const struct fb_str members[MEMBERS] = {
    {"call", 4}, {"actuator", 8}, {"device", 6}, {"value", 5}, {"until", 5},
    {"mode", 4}, {"all", 3},      {"rule", 4},   {"who", 3},   {"reason", 6},
    {"at", 2},   {"alarm", 5},    {"class", 5},  {"once", 4}};

static const struct fb_json_limits limits = {16 * 1024, 64, 4};

struct fb_call_reader {
    struct fb_json_paths *paths;
    struct fb_json *json;
    struct fb_buf wrong;
};

struct fb_call_reader *fb_call_reader_new(void) {
    struct fb_call_reader *reader = fb_alloc(sizeof *reader);
    reader->paths = fb_json_paths_new(members, MEMBERS);
    reader->json = fb_json_new(reader->paths, limits);
    return reader;
}

void fb_call_reader_free(struct fb_call_reader *reader) {
    if (!reader)
        return;
    fb_json_free(reader->json);
    fb_json_paths_free(reader->paths);
    fb_buf_free(&reader->wrong);
    free(reader);
}

/* ---- members ---- */

static const struct fb_json_value *value_of(const struct fb_call_reader *reader,
                                            enum member member) {
    return &fb_json_values(reader->json)[fb_json_node(reader->paths, member)];
}

static bool is_there(const struct fb_call_reader *reader, enum member member) {
    return value_of(reader, member)->kind > FB_JSON_NULL;
}

/* What is wrong is said once: the first that was found. */
static bool wrong(struct fb_call_reader *reader, const char *text) {
    if (reader->wrong.n == 0)
        fb_buf_text(&reader->wrong, text);
    return false;
}

/* A text that is not empty; where it is not there, or another thing, `text` stays empty. */
static bool take_text(struct fb_call_reader *reader, enum member member, struct fb_str *text) {
    const struct fb_json_value *value = value_of(reader, member);
    if (value->kind != FB_JSON_TEXT || value->text.n == 0 || value->text.n > FB_CALL_NAME_MAX)
        return false;
    *text = value->text;
    return true;
}

static bool need_text(struct fb_call_reader *reader, enum member member, struct fb_str *text) {
    if (take_text(reader, member, text))
        return true;
    if (reader->wrong.n == 0)
        fb_buf_printf(&reader->wrong, "`%.*s` is missing, or no text of 1 to %d bytes",
                      FB_ARG(members[member]), FB_CALL_NAME_MAX);
    return false;
}

static bool take_time(struct fb_call_reader *reader, enum member member, int64_t *us) {
    struct fb_str text = {0};
    return take_text(reader, member, &text) && fb_time_parse(text, us);
}

/* ---- the calls ---- */

static bool read_kind(struct fb_call_reader *reader, struct fb_str name, struct fb_call *call) {
    for (int kind = 0; kind < FB_CALLS; kind++)
        if (fb_str_eq(name, fb_str_of(fb_call_name((enum fb_call_kind)kind)))) {
            call->kind = (enum fb_call_kind)kind;
            return true;
        }
    fb_buf_printf(&reader->wrong, "there is no call `%.*s`: known are", FB_ARG(name));
    for (int kind = 0; kind < FB_CALLS; kind++)
        fb_buf_printf(&reader->wrong, "%s %s", kind ? "," : "",
                      fb_call_name((enum fb_call_kind)kind));
    return false;
}

static bool read_scope(struct fb_call_reader *reader, struct fb_call *call) {
    bool all = value_of(reader, ALL)->kind == FB_JSON_TRUE;
    int said = is_there(reader, ALL) + is_there(reader, RULE) + is_there(reader, ACTUATOR);
    if (said != 1 || (is_there(reader, ALL) && !all))
        return wrong(reader, "it takes one of `\"all\": true`, `rule` and `actuator`");
    if (all) {
        call->scope = FB_SCOPE_ALL;
        return true;
    }
    bool rule = is_there(reader, RULE);
    call->scope = rule ? FB_SCOPE_RULE : FB_SCOPE_ACTUATOR;
    return need_text(reader, rule ? RULE : ACTUATOR, &call->name);
}

static bool read_mode(struct fb_call_reader *reader, struct fb_call *call) {
    struct fb_str mode = {0};
    take_text(reader, MODE, &mode);
    if (fb_str_eq(mode, FB_S("freeze")))
        call->mode = FB_KILL_FREEZE;
    else if (fb_str_eq(mode, FB_S("safe")))
        call->mode = FB_KILL_SAFE;
    else
        return wrong(reader, "`mode` is neither `freeze` nor `safe`");
    return true;
}

static bool read_value(struct fb_call_reader *reader, struct fb_call *call) {
    const struct fb_json_value *value = value_of(reader, VALUE);
    call->is_number = value->kind == FB_JSON_NUM;
    if (call->is_number)
        return fb_json_number(value, &call->number) ||
               wrong(reader, "`value` is larger than any number");
    return take_text(reader, VALUE, &call->word) ||
           wrong(reader, "`value` is missing, or neither a word nor a number");
}

static bool read_until(struct fb_call_reader *reader, struct fb_call *call) {
    return take_time(reader, UNTIL, &call->until_us) ||
           wrong(reader, "`until` is missing, or no time such as 2026-01-01T12:00:00Z");
}

static bool read_actuator(struct fb_call_reader *reader, struct fb_call *call) {
    return need_text(reader, ACTUATOR, &call->actuator) && need_text(reader, DEVICE, &call->device);
}

/* That of an actuator, or that of a rule in the device's domain. */
static bool read_breaker(struct fb_call_reader *reader, struct fb_call *call) {
    if (!is_there(reader, RULE))
        return read_actuator(reader, call);
    if (is_there(reader, ACTUATOR))
        return wrong(reader, "it takes one of `rule` and `actuator`");
    call->scope = FB_SCOPE_RULE;
    return need_text(reader, RULE, &call->name) && need_text(reader, DEVICE, &call->device);
}

/* RULE/DEVICE; a name of a rule has no slash. */
static bool read_alarm(struct fb_call_reader *reader, struct fb_call *call) {
    struct fb_str text;
    if (!need_text(reader, ALARM, &text))
        return false;
    const char *slash = memchr(text.p, '/', text.n);
    if (!slash || slash == text.p || slash + 1 == text.p + text.n)
        return wrong(reader, "`alarm` is not of the form RULE/DEVICE");
    call->alarm = (struct fb_str){text.p, (size_t)(slash - text.p)};
    call->device = (struct fb_str){slash + 1, text.n - call->alarm.n - 1};
    return true;
}

static bool read_once(struct fb_call_reader *reader, struct fb_call *call) {
    call->once = value_of(reader, ONCE)->kind == FB_JSON_TRUE;
    return call->once || !is_there(reader, ONCE) || value_of(reader, ONCE)->kind == FB_JSON_FALSE ||
           wrong(reader, "`once` is neither true nor false");
}

static bool read_device(struct fb_call_reader *reader, struct fb_call *call) {
    return need_text(reader, DEVICE, &call->device) &&
           (!is_there(reader, CLASS) || need_text(reader, CLASS, &call->class_));
}

/* What the call is about. */
static bool read_what(struct fb_call_reader *reader, struct fb_call *call) {
    switch (call->kind) {
    case FB_CALL_KILL:
        return read_scope(reader, call) && read_mode(reader, call);
    case FB_CALL_UNKILL:
        return read_scope(reader, call);
    case FB_CALL_HAND:
        return read_actuator(reader, call) && read_value(reader, call) && read_until(reader, call);
    case FB_CALL_AUTO:
        return read_actuator(reader, call);
    case FB_CALL_RESET:
        return read_breaker(reader, call);
    case FB_CALL_ACK:
    case FB_CALL_UNSHELVE:
        return read_alarm(reader, call);
    case FB_CALL_SHELVE:
        return read_alarm(reader, call) && read_until(reader, call) && read_once(reader, call);
    case FB_CALL_MAINTENANCE:
        return read_device(reader, call) && read_until(reader, call);
    case FB_CALL_SERVICE:
        return read_device(reader, call);
    case FB_CALLS:
        break;
    }
    FB_BUG("a call of no kind");
}

/* Who is asked of everybody; why, of who overrules the rules or silences an alarm. */
static bool read_members(struct fb_call_reader *reader, struct fb_str name, struct fb_call *call) {
    if (!read_kind(reader, name, call) || !read_what(reader, call) ||
        !need_text(reader, WHO, &call->who))
        return false;
    bool needs_reason =
        call->kind == FB_CALL_KILL || call->kind == FB_CALL_HAND || call->kind == FB_CALL_SHELVE;
    return !needs_reason || need_text(reader, REASON, &call->reason);
}

static bool read_object(struct fb_call_reader *reader, struct fb_str bytes) {
    struct fb_json_object object;
    fb_json_begin(reader->json, bytes);
    if (!fb_json_next(reader->json, &object))
        return wrong(reader, "it is no JSON object");
    if (object.error == FB_JSON_OK && object.last)
        return true;
    if (object.error == FB_JSON_OK)
        return wrong(reader, "it is more than one JSON object");
    fb_buf_printf(&reader->wrong, "%s, at byte %zu", fb_json_error_text(object.error),
                  object.error_at);
    return false;
}

bool fb_call_read(struct fb_call_reader *reader, struct fb_str bytes, struct fb_call_read *read) {
    *read = (struct fb_call_read){.at_us = INT64_MIN};
    reader->wrong.n = 0;
    if (read_object(reader, bytes)) {
        take_text(reader, WHO, &read->call.who);
        take_text(reader, REASON, &read->call.reason);
        read->has_at = take_time(reader, AT, &read->at_us);
        if (need_text(reader, CALL, &read->name))
            read_members(reader, read->name, &read->call);
    }
    read->wrong = (struct fb_str){reader->wrong.p, reader->wrong.n};
    return reader->wrong.n == 0;
}
