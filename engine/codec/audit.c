/* Audit records, one at a time. */
#include "engine/codec/audit.h"

#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/codec/encoder.h"

enum { HASH_BYTES = 32, HEX_MAX = 2 * HASH_BYTES + 1 };

bool fb_audit_is_jump(int64_t from_us, int64_t to_us, int64_t max_skew_us) {
    return from_us != FB_NO_TIME && to_us > fb_add_sat(from_us, max_skew_us);
}

/* ---- members ---- */

/* null where there is no such text. */
static void put_optional(struct fb_buf *out, struct fb_str name, struct fb_str text) {
    fb_put_name(out, name);
    if (text.n)
        fb_json_put_text(out, text);
    else
        fb_buf_text(out, "null");
}

static void put_hex(struct fb_buf *out, struct fb_str name, const uint8_t bytes[HASH_BYTES]) {
    char hex[HEX_MAX];
    fb_hex(bytes, HASH_BYTES, hex);
    fb_put_name(out, name);
    fb_buf_char(out, '"');
    fb_buf_put(out, hex, sizeof hex - 1);
    fb_buf_char(out, '"');
}

static void put_int_member(struct fb_buf *out, struct fb_str name, int64_t i) {
    fb_put_name(out, name);
    fb_json_put_int(out, i);
}

static void put_position(struct fb_buf *out, const struct fb_origin *origin) {
    if (!origin) {
        fb_buf_text(out, ",\"topic\":null,\"partition\":null,\"offset\":null");
        return;
    }
    fb_put_text_member(out, FB_NAME("topic"), origin->topic);
    put_int_member(out, FB_NAME("partition"), origin->partition);
    put_int_member(out, FB_NAME("offset"), origin->offset);
}

/* A record by its position, a timer by its deadline; NULL: neither. */
static void put_cause(struct fb_buf *out, const struct fb_cause *cause) {
    fb_put_name(out, FB_NAME("cause"));
    if (!cause) {
        fb_buf_text(out, "null");
        return;
    }
    fb_buf_char(out, '{');
    if (cause->timer) {
        fb_put_time_member(out, FB_NAME("deadline"), cause->deadline_us);
    } else {
        put_position(out, &cause->origin);
        put_int_member(out, FB_NAME("index"), cause->origin.index);
    }
    fb_buf_char(out, '}');
}

/* The hash of the bytes that came; null where no record is the cause. */
static void put_payload(struct fb_encoder *e, struct fb_str payload) {
    uint8_t digest[HASH_BYTES];
    if (!payload.p) {
        put_optional(&e->data, FB_NAME("payload"), (struct fb_str){0});
        return;
    }
    fb_hasher_sha256(e->hasher, payload, digest);
    put_hex(&e->data, FB_NAME("payload"), digest);
}

/* What the rule's conditions saw. A position is there where the very record that made the engine
 * decide carries the value. rule NULL: nothing. */
static void put_inputs(struct fb_buf *out, const struct fb_cause *cause, const struct fb_rule *rule,
                       const struct fb_value *values, const struct fb_shown_source *sources) {
    fb_put_name(out, FB_NAME("inputs"));
    fb_buf_char(out, '[');
    for (uint32_t i = 0; rule && i < rule->n_shown; i++) {
        const struct fb_shown *shown = &rule->shown[i];
        const struct fb_value *value = &values[i];
        const struct fb_shown_source *source = sources ? &sources[i] : NULL;
        bool carried = source && source->carried && !cause->timer;
        if (i > 0)
            fb_buf_char(out, ',');
        fb_buf_char(out, '{');
        fb_put_text_member(out, FB_NAME("name"), shown->name);
        fb_put_name(out, FB_NAME("value"));
        fb_json_put_value(out, shown->type, shown->words, value);
        fb_put_text_member(out, FB_NAME("quality"), fb_str_of(fb_quality_name(value->quality)));
        fb_put_time_member(out, FB_NAME("at"), source ? source->at_us : FB_NO_TIME);
        put_position(out, carried ? &cause->origin : NULL);
        fb_buf_char(out, '}');
    }
    fb_buf_char(out, ']');
}

static void put_no_inputs(struct fb_buf *out) {
    fb_put_name(out, FB_NAME("inputs"));
    fb_buf_text(out, "[]");
}

/* ---- the chain ---- */

/* at_us: device time of the decision; FB_NO_TIME: there is none. */
static void begin(struct fb_auditor *a, struct fb_encoder *e, struct fb_str kind, int64_t at_us,
                  struct fb_encoded *encoded) {
    struct fb_buf *out = &e->data;
    fb_encoder_begin(e, at_us != FB_NO_TIME ? at_us : a->clock_us, encoded);
    encoded->stream = FB_STREAM_AUDIT;
    encoded->type = "flyball.audit";
    fb_buf_str(&e->subject, a->task);
    fb_put_text_member(out, FB_NAME("task"), a->task);
    put_int_member(out, FB_NAME("seq"), (int64_t)(a->seq + 1));
    put_hex(out, FB_NAME("previous"), a->head);
    fb_put_text_member(out, FB_NAME("kind"), kind);
}

/* NULL, empty: there is none. */
static void put_rule(struct fb_buf *out, const struct fb_rule *rule, struct fb_str device) {
    struct fb_str none = {0};
    put_optional(out, FB_NAME("rule"), rule ? rule->name : none);
    put_optional(out, FB_NAME("rule_version"), rule ? fb_str_of(rule->version) : none);
    put_optional(out, FB_NAME("device"), device);
}

static void put_times(const struct fb_auditor *a, struct fb_buf *out, int64_t at_us) {
    fb_put_time_member(out, FB_NAME("at"), at_us);
    fb_put_time_member(out, FB_NAME("clock"), a->clock_us);
}

static void put_no_verdicts(struct fb_buf *out) {
    fb_put_name(out, FB_NAME("verdicts"));
    fb_buf_text(out, "[]");
}

static void put_outcome(struct fb_buf *out, struct fb_str outcome, const char *explains) {
    fb_put_text_member(out, FB_NAME("outcome"), outcome);
    put_optional(out, FB_NAME("explains"), explains ? fb_str_of(explains) : (struct fb_str){0});
}

/* The hash stands last, so that the bytes it is of are those before it and a '}'. */
static void end(struct fb_auditor *a, struct fb_encoder *e, struct fb_encoded *encoded) {
    put_hex(&e->data, FB_NAME("rules"), a->rules);
    put_int_member(&e->data, FB_NAME("semantics"), e->program->semantics);
    struct fb_str parts[] = {
        {(const char *)a->head, HASH_BYTES}, fb_encoder_view(&e->data), FB_S("}")};
    fb_hasher_sha256_parts(e->hasher, parts, 3, a->head);
    a->seq++;
    put_hex(&e->data, FB_NAME("hash"), a->head);
    fb_encoder_end(e, encoded);
    fb_hex(a->head, HASH_BYTES / 2, encoded->id);
}

/* ---- the kinds ---- */

bool fb_audit_tells_of(enum fb_output_kind kind) {
    return kind == FB_OUT_ALERT || kind == FB_OUT_MUTED || kind == FB_OUT_COMMAND ||
           kind == FB_OUT_BLOCKED;
}

/* What all kinds begin with in which a core has decided something. */
static void begin_decision(struct fb_auditor *a, struct fb_encoder *e, struct fb_str kind,
                           const struct fb_output *output, struct fb_encoded *encoded) {
    begin(a, e, kind, output->at_us, encoded);
    put_rule(&e->data, output->rule, output->device);
    put_times(a, &e->data, output->at_us);
    put_cause(&e->data, &output->cause);
    put_payload(e, output->cause.timer ? (struct fb_str){0} : a->payload);
    put_inputs(&e->data, &output->cause, output->rule, output->shown, output->sources);
}

static void put_mute(struct fb_buf *out, const char *guardrail, const struct fb_output *output,
                     int64_t until_us) {
    fb_buf_text(out, out->p[out->n - 1] == '[' ? "{" : ",{");
    fb_put_text_member(out, FB_NAME("guardrail"), fb_str_of(guardrail));
    fb_put_text_member(out, FB_NAME("result"), fb_str_of(fb_verdict_name(FB_VERDICT_HOLD)));
    fb_put_text_member(out, FB_NAME("requested"), fb_str_of(fb_alert_event_name(output->event)));
    fb_buf_text(out, ",\"applied\":null");
    fb_put_time_member(out, FB_NAME("until"), until_us);
    fb_buf_char(out, '}');
}

/* What keeps a change of an alarm from being annunciated, and until when. */
static void put_mutes(struct fb_buf *out, const struct fb_output *output) {
    fb_put_name(out, FB_NAME("verdicts"));
    fb_buf_char(out, '[');
    if (output->shelved)
        put_mute(out, "shelf", output, output->shelf_until_us);
    if (output->maintenance_until_us != INT64_MIN)
        put_mute(out, fb_guard_name(FB_GUARD_MAINTENANCE), output, output->maintenance_until_us);
    if (output->flapping)
        put_mute(out, "flapping", output, output->flap_end_us);
    fb_buf_char(out, ']');
}

static void audit_alert(struct fb_auditor *a, struct fb_encoder *e, const struct fb_output *output,
                        struct fb_circumstance circumstance, const char *id,
                        struct fb_encoded *encoded) {
    struct fb_buf *out = &e->data;
    bool muted = output->kind == FB_OUT_MUTED;
    begin_decision(a, e, FB_S("decision"), output, encoded);
    if (muted)
        put_mutes(out, output);
    else
        put_no_verdicts(out);
    put_outcome(out, fb_str_of(fb_alert_event_name(output->event)), id);
    fb_put_text_member(out, FB_NAME("severity"), fb_str_of(fb_severity_name(output->severity)));
    fb_put_bool_member(out, FB_NAME("active"), output->active);
    fb_put_bool_member(out, FB_NAME("initial"), circumstance.initial);
    fb_put_bool_member(out, FB_NAME("historical"), circumstance.historical);
    end(a, e, encoded);
}

/* ---- of actuators ---- */

/* null where nothing is applied. */
static void put_applied(struct fb_buf *out, struct fb_str name, const struct fb_actuator *actuator,
                        bool is_there, double value) {
    fb_put_name(out, name);
    if (is_there)
        fb_put_command_value(out, actuator, value);
    else
        fb_buf_text(out, "null");
}

/* What `fleet` was asked with: the count, or since when its breaker is open. */
static void put_fleet(struct fb_buf *out, const struct fb_fleet_view *fleet) {
    fb_put_name(out, FB_NAME("fleet"));
    fb_buf_char(out, '{');
    if (fleet->open) {
        fb_put_time_member(out, FB_NAME("open_since"), fleet->opened_us);
    } else {
        put_int_member(out, FB_NAME("acted"), fleet->acted);
        put_int_member(out, FB_NAME("budget"), fleet->budget);
        put_int_member(out, FB_NAME("live"), fleet->live);
        put_int_member(out, FB_NAME("members"), fleet->members);
    }
    fb_buf_char(out, '}');
}

/* How much of a limit was used. */
static void put_limit(struct fb_buf *out, const struct fb_guard_result *result) {
    fb_put_name(out, FB_NAME("limit"));
    fb_buf_char(out, '{');
    put_int_member(out, FB_NAME("counted"), result->counted);
    put_int_member(out, FB_NAME("most"), result->most);
    fb_put_name(out, FB_NAME("per_ms"));
    fb_json_put_number(out, (double)result->per_us / 1000);
    fb_buf_char(out, '}');
}

/* What every guardrail that was asked made of what it was given. */
static void put_verdicts(struct fb_buf *out, const struct fb_output *output) {
    fb_put_name(out, FB_NAME("verdicts"));
    fb_buf_char(out, '[');
    for (uint32_t i = 0; i < output->n_results; i++) {
        const struct fb_guard_result *result = &output->results[i];
        bool applies =
            result->verdict == FB_VERDICT_PASS || result->verdict == FB_VERDICT_CHANGE;
        if (i > 0)
            fb_buf_char(out, ',');
        fb_buf_char(out, '{');
        fb_put_text_member(out, FB_NAME("guardrail"), fb_str_of(fb_guard_name(result->guard)));
        fb_put_text_member(out, FB_NAME("result"), fb_str_of(fb_verdict_name(result->verdict)));
        fb_put_command_member(out, FB_NAME("requested"), output->actuator, result->requested);
        put_applied(out, FB_NAME("applied"), output->actuator, applies, result->applied);
        fb_put_time_member(out, FB_NAME("until"),
                           result->verdict == FB_VERDICT_HOLD ? result->until_us : FB_NO_TIME);
        if (result->guard == FB_GUARD_FLEET && output->fleet)
            put_fleet(out, output->fleet);
        if (result->most > 0)
            put_limit(out, result);
        fb_buf_char(out, '}');
    }
    fb_buf_char(out, ']');
}

/* The claims in force, among which the arbitration chose. */
static void put_entries(struct fb_buf *out, const struct fb_output *output) {
    fb_put_name(out, FB_NAME("entries"));
    fb_buf_char(out, '[');
    for (uint32_t i = 0; i < output->n_entries; i++) {
        const struct fb_array_entry *entry = &output->entries[i];
        if (i > 0)
            fb_buf_char(out, ',');
        fb_buf_char(out, '{');
        put_optional(out, FB_NAME("rule"), entry->rule ? entry->rule->name : (struct fb_str){0});
        put_int_member(out, FB_NAME("priority"), entry->priority);
        fb_put_command_member(out, FB_NAME("value"), output->actuator, entry->value);
        fb_buf_char(out, '}');
    }
    fb_buf_char(out, ']');
}

static void put_truth(struct fb_buf *out, struct fb_str name, uint32_t condition, uint8_t value) {
    static const char *const truths[] = {"false", "true", "unknown"};
    FB_ASSERT(value < 3);
    put_optional(out, name,
                 condition == FB_NO_CONDITION ? (struct fb_str){0} : fb_str_of(truths[value]));
}

/* What the actuator's own conditions came to, and from what; null where it has none. */
static void put_own(struct fb_encoder *e, const struct fb_output *output) {
    const struct fb_actuator *actuator = output->actuator;
    const struct fb_rule *own = &e->program->rules[actuator->rule];
    struct fb_buf *out = &e->data;
    fb_put_name(out, FB_NAME("own"));
    if (actuator->interlock == FB_NO_CONDITION && actuator->permissive == FB_NO_CONDITION) {
        fb_buf_text(out, "null");
        return;
    }
    fb_buf_char(out, '{');
    fb_put_text_member(out, FB_NAME("version"), fb_str_of(own->version));
    put_truth(out, FB_NAME("interlock"), actuator->interlock, output->interlock);
    put_truth(out, FB_NAME("permissive"), actuator->permissive, output->permissive);
    put_inputs(out, &output->cause, own, output->own_shown, output->own_sources);
    fb_buf_char(out, '}');
}

static void put_actuator_name(struct fb_encoder *e, const struct fb_actuator *actuator,
                              struct fb_str device) {
    e->text.n = 0;
    fb_buf_str(&e->text, actuator->name);
    fb_buf_char(&e->text, '/');
    fb_buf_str(&e->text, device);
    fb_put_text_member(&e->data, FB_NAME("actuator"), fb_encoder_view(&e->text));
}

static void put_actuator(struct fb_encoder *e, const struct fb_output *output) {
    put_actuator_name(e, output->actuator, output->device);
    put_entries(&e->data, output);
    fb_put_command_member(&e->data, FB_NAME("requested"), output->actuator, output->requested);
    put_own(e, output);
}

static void audit_command(struct fb_auditor *a, struct fb_encoder *e,
                          const struct fb_output *output, struct fb_circumstance circumstance,
                          const char *id, struct fb_encoded *encoded) {
    struct fb_str kind = output->actuator->shadow ? FB_S("shadow") : FB_S("decision");
    begin_decision(a, e, kind, output, encoded);
    put_verdicts(&e->data, output);
    put_outcome(&e->data, fb_str_of(fb_command_reason_name(output->reason)), id);
    put_actuator(e, output);
    fb_put_command_member(&e->data, FB_NAME("value"), output->actuator, output->value);
    put_int_member(&e->data, FB_NAME("epoch"), circumstance.epoch_ms);
    put_int_member(&e->data, FB_NAME("command"), (int64_t)output->seq);
    if (output->actuator->to.n && !output->actuator->shadow)
        fb_put_text_member(&e->data, FB_NAME("to"), output->actuator->to);
    end(a, e, encoded);
}

static void audit_blocked(struct fb_auditor *a, struct fb_encoder *e,
                          const struct fb_output *output, struct fb_encoded *encoded) {
    begin_decision(a, e, FB_S("blocked"), output, encoded);
    put_verdicts(&e->data, output);
    put_outcome(&e->data, output->ended ? FB_S("ended") : FB_S("began"), NULL);
    put_actuator(e, output);
    put_applied(&e->data, FB_NAME("applied"), output->actuator, output->has_value, output->value);
    fb_put_text_member(&e->data, FB_NAME("guardrail"), fb_str_of(fb_guard_name(output->guard)));
    put_int_member(&e->data, FB_NAME("count"), output->ended ? (int64_t)output->count : 0);
    fb_put_bool_member(&e->data, FB_NAME("shadow"), output->actuator->shadow);
    end(a, e, encoded);
}

void fb_audit_decision(struct fb_auditor *a, struct fb_encoder *e, const struct fb_output *output,
                       struct fb_circumstance circumstance, const char *id,
                       struct fb_encoded *encoded) {
    char made[33];
    FB_ASSERT(fb_audit_tells_of(output->kind));
    if (!id && fb_output_goes_out(output->kind)) {
        fb_encoder_output_id(e, output, made);
        id = made;
    }
    if (output->kind == FB_OUT_ALERT || output->kind == FB_OUT_MUTED)
        audit_alert(a, e, output, circumstance, id, encoded);
    else if (output->kind == FB_OUT_COMMAND)
        audit_command(a, e, output, circumstance, id, encoded);
    else
        audit_blocked(a, e, output, encoded);
}

void fb_audit_withheld(struct fb_auditor *a, struct fb_encoder *e,
                       const struct fb_withheld *withheld, struct fb_encoded *encoded) {
    struct fb_buf *out = &e->data;
    begin(a, e, FB_S("withheld"), FB_NO_TIME, encoded);
    put_rule(out, withheld->rule, withheld->device);
    put_times(a, out, FB_NO_TIME);
    put_cause(out, NULL);
    put_payload(e, (struct fb_str){0});
    put_no_inputs(out);
    put_no_verdicts(out);
    put_outcome(out, FB_S("expired"), withheld->id);
    put_actuator_name(e, withheld->actuator, withheld->device);
    fb_put_command_member(out, FB_NAME("value"), withheld->actuator, withheld->value);
    put_int_member(out, FB_NAME("epoch"), withheld->epoch_ms);
    put_int_member(out, FB_NAME("command"), (int64_t)withheld->seq);
    fb_put_bool_member(out, FB_NAME("shadow"), withheld->actuator->shadow);
    fb_put_time_member(out, FB_NAME("expires_at"), withheld->expires_at_us);
    fb_put_time_member(out, FB_NAME("wall"), withheld->wall_us);
    end(a, e, encoded);
}

/* ---- of the task ---- */

void fb_audit_rejected(struct fb_auditor *a, struct fb_encoder *e,
                       const struct fb_dead_letter *letter, struct fb_encoded *encoded) {
    struct fb_cause cause = {.origin = letter->origin};
    char id[33];
    fb_encoder_dead_id(e, letter, id);
    begin(a, e, FB_S("rejected"), FB_NO_TIME, encoded);
    put_rule(&e->data, NULL, (struct fb_str){0});
    put_times(a, &e->data, FB_NO_TIME);
    put_cause(&e->data, &cause);
    put_payload(e, letter->payload.p ? letter->payload : FB_S(""));
    put_no_inputs(&e->data);
    put_no_verdicts(&e->data);
    put_outcome(&e->data, fb_str_of(letter->reason), id);
    end(a, e, encoded);
}

void fb_audit_rules(struct fb_auditor *a, struct fb_encoder *e, const char *build,
                    struct fb_encoded *encoded) {
    begin(a, e, FB_S("rules"), FB_NO_TIME, encoded);
    put_rule(&e->data, NULL, (struct fb_str){0});
    put_times(a, &e->data, FB_NO_TIME);
    put_cause(&e->data, NULL);
    put_payload(e, (struct fb_str){0});
    put_no_inputs(&e->data);
    put_no_verdicts(&e->data);
    put_outcome(&e->data, FB_S("activated"), NULL);
    fb_put_text_member(&e->data, FB_NAME("build"), fb_str_of(build));
    end(a, e, encoded);
}

void fb_audit_clock(struct fb_auditor *a, struct fb_encoder *e, int64_t from_us,
                    const struct fb_origin *origin, struct fb_encoded *encoded) {
    struct fb_cause cause = {0};
    if (origin)
        cause.origin = *origin;
    begin(a, e, FB_S("clock"), FB_NO_TIME, encoded);
    put_rule(&e->data, NULL, (struct fb_str){0});
    put_times(a, &e->data, FB_NO_TIME);
    put_cause(&e->data, origin ? &cause : NULL);
    put_payload(e, (struct fb_str){0});
    put_no_inputs(&e->data);
    put_no_verdicts(&e->data);
    put_outcome(&e->data, FB_S("jumped"), NULL);
    fb_put_time_member(&e->data, FB_NAME("from"), from_us);
    end(a, e, encoded);
}

/* ---- of operators ---- */

static void put_target(struct fb_buf *out, const struct fb_call *call) {
    if (call->scope == FB_SCOPE_ALL)
        fb_put_bool_member(out, FB_NAME("all"), true);
    else if (call->scope == FB_SCOPE_RULE)
        fb_put_text_member(out, FB_NAME("rule"), call->name);
    else
        fb_put_text_member(out, FB_NAME("actuator"), call->name);
}

static void put_hand(struct fb_buf *out, const struct fb_call *call) {
    fb_put_name(out, FB_NAME("value"));
    if (call->is_number)
        fb_json_put_number(out, call->number);
    else
        fb_json_put_text(out, call->word);
    fb_put_time_member(out, FB_NAME("until"), call->until_us);
}

static void put_alarm(struct fb_encoder *e, const struct fb_call *call) {
    e->text.n = 0;
    fb_buf_str(&e->text, call->alarm);
    fb_buf_char(&e->text, '/');
    fb_buf_str(&e->text, call->device);
    fb_put_text_member(&e->data, FB_NAME("alarm"), fb_encoder_view(&e->text));
    if (call->kind != FB_CALL_SHELVE)
        return;
    fb_put_time_member(&e->data, FB_NAME("until"), call->until_us);
    fb_put_bool_member(&e->data, FB_NAME("once"), call->once);
}

static void put_device(struct fb_buf *out, const struct fb_call *call) {
    fb_put_text_member(out, FB_NAME("device"), call->device);
    if (call->class_.n)
        fb_put_text_member(out, FB_NAME("class"), call->class_);
    if (call->kind == FB_CALL_MAINTENANCE)
        fb_put_time_member(out, FB_NAME("until"), call->until_us);
}

/* What was asked for, with the members that the call has. */
static void put_asked(struct fb_encoder *e, const struct fb_call *call) {
    struct fb_buf *out = &e->data;
    fb_put_name(out, FB_NAME("what"));
    fb_buf_char(out, '{');
    switch (call->kind) {
    case FB_CALL_KILL:
        put_target(out, call);
        fb_put_text_member(out, FB_NAME("mode"),
                           call->mode == FB_KILL_SAFE ? FB_S("safe") : FB_S("freeze"));
        break;
    case FB_CALL_UNKILL:
        put_target(out, call);
        break;
    case FB_CALL_HAND:
    case FB_CALL_AUTO:
    case FB_CALL_RESET:
        if (call->scope == FB_SCOPE_RULE)
            fb_put_text_member(out, FB_NAME("rule"), call->name);
        else
            fb_put_text_member(out, FB_NAME("actuator"), call->actuator);
        fb_put_text_member(out, FB_NAME("device"), call->device);
        if (call->kind == FB_CALL_HAND)
            put_hand(out, call);
        break;
    case FB_CALL_ACK:
    case FB_CALL_SHELVE:
    case FB_CALL_UNSHELVE:
        put_alarm(e, call);
        break;
    case FB_CALL_MAINTENANCE:
    case FB_CALL_SERVICE:
        put_device(out, call);
        break;
    case FB_CALLS:
        FB_BUG("a call of no kind");
    }
    fb_buf_char(out, '}');
}

static struct fb_str outcome_of(const struct fb_call_read *read, enum fb_call_outcome outcome) {
    if (read->wrong.n == 0 && outcome == FB_CALL_ACCEPTED)
        return FB_S("accepted");
    return read->wrong.n == 0 && outcome == FB_CALL_ELSEWHERE ? FB_S("elsewhere")
                                                               : FB_S("refused");
}

void fb_audit_call(struct fb_auditor *a, struct fb_encoder *e, const struct fb_call_read *read,
                   enum fb_call_outcome outcome, struct fb_str bytes,
                   const struct fb_origin *origin, struct fb_encoded *encoded) {
    struct fb_buf *out = &e->data;
    struct fb_cause cause = {.origin = *origin};
    bool good = read->wrong.n == 0;
    struct fb_str why = fb_str_of(fb_call_outcome_text(outcome));
    begin(a, e, FB_S("operator"), FB_NO_TIME, encoded);
    put_rule(out, NULL, (struct fb_str){0});
    put_times(a, out, FB_NO_TIME);
    put_cause(out, &cause);
    put_payload(e, bytes.p ? bytes : FB_S(""));
    put_no_inputs(out);
    put_no_verdicts(out);
    put_outcome(out, outcome_of(read, outcome), NULL);
    put_optional(out, FB_NAME("call"), read->name);
    put_optional(out, FB_NAME("who"), read->call.who);
    put_optional(out, FB_NAME("reason"), read->call.reason);
    if (good)
        put_asked(e, &read->call);
    else
        fb_buf_text(out, ",\"what\":null");
    put_optional(out, FB_NAME("why"),
                 !good ? read->wrong : outcome == FB_CALL_ACCEPTED ? (struct fb_str){0} : why);
    end(a, e, encoded);
}
