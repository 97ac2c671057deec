/* The records of a trail as an explanation.
 *
 * Place in the flow: see explain_text.h. */
#include "engine/cli/explain_text.h"

#include <inttypes.h>

#include "engine/cli/explain_check.h"
#include "engine/cli/explain_words.h"
#include "engine/codec/json_write.h"
#include "engine/run/rule_text.h"

static const struct fb_story *itself(const struct fb_explained *e) {
    return &e->stories[FB_FIND_ITSELF];
}

static const struct fb_rule *rule_of(const struct fb_explained *e) {
    const struct fb_story *story = itself(e);
    if (!e->compiled || story->rule.n == 0)
        return NULL;
    return fb_program_rule_of(e->compiled->program, story);
}

static bool is(struct fb_str text, const char *word) {
    return fb_str_eq(text, fb_str_of(word));
}

/* A value of the actuator that this is about, in its unit where the rules are given. */
static void put_value(const struct fb_explained *e, struct fb_story_value value,
                      struct fb_buf *out) {
    fb_put_story_value(out, value);
    if (value.kind == FB_STORY_NUMBER && e->unit.n)
        fb_buf_printf(out, " %.*s", FB_ARG(e->unit));
}

/* ---- what happened ---- */

static void put_alarm(const struct fb_story *s, struct fb_buf *out) {
    fb_buf_printf(out, "alarm %.*s/%.*s ", FB_ARG(s->rule), FB_ARG(s->device));
    if (is(s->outcome, "severity"))
        fb_buf_printf(out, "is now %.*s", FB_ARG(s->severity));
    else if (is(s->outcome, "raised"))
        fb_buf_printf(out, "raised, %.*s", FB_ARG(s->severity));
    else if (is(s->outcome, "cleared") || is(s->outcome, "removed"))
        fb_buf_printf(out, "%.*s, was %.*s", FB_ARG(s->outcome), FB_ARG(s->severity));
    else
        fb_buf_printf(out, "%.*s, %s%.*s", FB_ARG(s->outcome), s->active ? "" : "not active, was ",
                      FB_ARG(s->severity));
    for (uint32_t i = 0; i < s->n_verdicts; i++) {
        fb_buf_printf(out, "; not annunciated: %s until ",
                      is(s->verdicts[i].guardrail, "shelf")      ? "shelved"
                      : is(s->verdicts[i].guardrail, "flapping") ? "flapping, if nothing changes,"
                                                                 : "in maintenance");
        fb_put_clock(out, s->verdicts[i].until_us);
    }
}

static void put_command(const struct fb_explained *e, const struct fb_story *s,
                        struct fb_buf *out) {
    static const struct {
        const char *reason, *words;
    } reasons[] = {{"claimed", "a rule claims it"},
                   {"relinquished", "no rule claims it any more"},
                   {"renewed", "sent again, the lease goes on"},
                   {"safe", "made safe"},
                   {"slew", "a step on the way"}};
    fb_buf_printf(out, "%s %.*s = ", s->shadow ? "shadow command" : "command", FB_ARG(s->actuator));
    put_value(e, s->value, out);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (is(s->outcome, reasons[i].reason))
            fb_buf_printf(out, ": %s",
                          i == 0 && fb_story_has_hand(s) ? "the operator's hand asks for it"
                                                         : reasons[i].words);
    if (!fb_str_eq(s->requested.text, s->value.text)) {
        fb_buf_text(out, "; requested was ");
        put_value(e, s->requested, out);
    }
}

static const struct fb_story_verdict *verdict_of(const struct fb_story *s,
                                                 struct fb_str guardrail) {
    for (uint32_t i = 0; i < s->n_verdicts; i++)
        if (fb_str_eq(s->verdicts[i].guardrail, guardrail))
            return &s->verdicts[i];
    return NULL;
}

/* What `fleet` was asked with. */
static void put_fleet(const struct fb_story_verdict *verdict, struct fb_buf *out) {
    if (verdict->open_since_us != FB_NO_TIME) {
        fb_buf_text(out, "; its breaker is open since ");
        fb_put_clock(out, verdict->open_since_us);
    } else if (verdict->members > 0) {
        fb_buf_printf(out,
                      "; with this device %" PRId64 " acted upon, %" PRId64 " allowed, %" PRId64
                      " of the domain's %" PRId64 " report",
                      verdict->acted, verdict->budget, verdict->live, verdict->members);
    } else if (verdict->acted > 0) {
        fb_buf_text(out, "; the device is in no domain");
    }
}

/* How much of a limit was used before the decision. */
static void put_limit(const struct fb_story_verdict *verdict, struct fb_buf *out) {
    if (verdict->most <= 0)
        return;
    fb_buf_text(out, "; ");
    fb_put_used(out, verdict->counted, verdict->most, verdict->per_us);
}

static void put_block(const struct fb_explained *e, const struct fb_story *s, struct fb_buf *out) {
    fb_buf_printf(out, "%s%.*s: ", s->shadow ? "shadow " : "", FB_ARG(s->actuator));
    if (is(s->outcome, "ended")) {
        fb_buf_printf(out, "%.*s blocks no longer; it blocked %" PRId64 " decision%s",
                      FB_ARG(s->guardrail), s->count, s->count == 1 ? "" : "s");
        return;
    }
    const struct fb_story_verdict *verdict = verdict_of(s, s->guardrail);
    put_value(e, s->requested, out);
    if (verdict && is(verdict->result, "change")) {
        fb_buf_printf(out, " made ");
        put_value(e, verdict->applied, out);
        fb_buf_printf(out, " by %.*s", FB_ARG(s->guardrail));
    } else {
        fb_buf_printf(out, " %s by %.*s",
                      verdict && is(verdict->result, "refuse") ? "refused" : "held back",
                      FB_ARG(s->guardrail));
    }
    if (verdict && verdict->until_us != FB_NO_TIME) {
        fb_buf_text(out, " until ");
        fb_put_clock(out, verdict->until_us);
    }
    if (!verdict)
        return;
    put_fleet(verdict, out);
    put_limit(verdict, out);
}

static void put_call(const struct fb_explained *e, const struct fb_story *s, struct fb_buf *out) {
    fb_buf_printf(out, "operator's call %.*s %.*s", FB_ARG(s->call), FB_ARG(s->outcome));
    if (s->what_alarm.n)
        fb_buf_printf(out, ": %.*s", FB_ARG(s->what_alarm));
    else if (s->what_device.n && s->what_rule.n)
        fb_buf_printf(out, ": rule %.*s, device %.*s", FB_ARG(s->what_rule),
                      FB_ARG(s->what_device));
    else if (s->what_device.n && !s->what_actuator.n)
        fb_buf_printf(out, ": device %.*s", FB_ARG(s->what_device));
    else if (s->what_device.n)
        fb_buf_printf(out, ": %.*s/%.*s", FB_ARG(s->what_actuator), FB_ARG(s->what_device));
    else if (s->what_actuator.n)
        fb_buf_printf(out, ": actuator %.*s", FB_ARG(s->what_actuator));
    else if (s->what_rule.n)
        fb_buf_printf(out, ": rule %.*s", FB_ARG(s->what_rule));
    else if (s->mode.n)
        fb_buf_text(out, ": everything");
    if (s->mode.n)
        fb_buf_printf(out, ", %.*s", FB_ARG(s->mode));
    if (s->value.kind != FB_STORY_NONE) {
        fb_buf_text(out, " = ");
        put_value(e, s->value, out);
    }
    if (s->until_us != FB_NO_TIME) {
        fb_buf_text(out, " until ");
        fb_put_clock(out, s->until_us);
    }
    if (s->once)
        fb_buf_text(out, ", once");
    if (s->who.n)
        fb_buf_printf(out, ", by %.*s", FB_ARG(s->who));
    if (s->reason.n)
        fb_buf_printf(out, ": %.*s", FB_ARG(s->reason));
    if (s->why.n)
        fb_buf_printf(out, "; %.*s", FB_ARG(s->why));
}

static void put_withheld(const struct fb_explained *e, const struct fb_story *s,
                         struct fb_buf *out) {
    fb_buf_printf(out, "%s %.*s = ", s->shadow ? "shadow command" : "command", FB_ARG(s->actuator));
    put_value(e, s->value, out);
    fb_buf_text(out, " not sent: it expired at ");
    fb_put_clock(out, s->expires_us);
    fb_buf_text(out, ", and its batch ended at ");
    fb_put_clock(out, s->wall_us);
    fb_buf_text(out, " by the wall clock");
}

static void put_headline(const struct fb_explained *e, const struct fb_story *s,
                         struct fb_buf *out) {
    int64_t at_us = s->at_us != FB_NO_TIME ? s->at_us : s->clock_us;
    if (at_us != FB_NO_TIME) {
        fb_put_clock(out, at_us);
        fb_buf_text(out, "  ");
    }
    switch (s->sort) {
    case FB_STORY_ALARM:
        put_alarm(s, out);
        break;
    case FB_STORY_COMMAND:
        put_command(e, s, out);
        break;
    case FB_STORY_BLOCK:
        put_block(e, s, out);
        break;
    case FB_STORY_EVENT:
        fb_buf_printf(out, "event %.*s/%.*s%s%.*s", FB_ARG(s->rule), FB_ARG(s->device),
                      s->message.n ? ": " : "", FB_ARG(s->message));
        break;
    case FB_STORY_OPERATOR:
        put_call(e, s, out);
        break;
    case FB_STORY_WITHHELD:
        put_withheld(e, s, out);
        break;
    case FB_STORY_REJECTED:
        fb_buf_printf(out, "a record was rejected: %.*s", FB_ARG(s->outcome));
        break;
    case FB_STORY_RULES:
        fb_buf_printf(out, "the rules %.12s were activated, by build %.*s",
                      s->rules.n >= 12 ? s->rules.p : "?", FB_ARG(s->build));
        break;
    case FB_STORY_CLOCK:
        fb_buf_text(out, "the clock jumped");
        if (s->from_us != FB_NO_TIME) {
            fb_buf_text(out, " from ");
            fb_put_clock(out, s->from_us);
        }
        break;
    }
    fb_buf_char(out, '\n');
}

/* ---- from where ---- */

static void put_rule(const struct fb_explained *e, struct fb_buf *out) {
    const struct fb_story *s = itself(e);
    bool acts = s->sort == FB_STORY_COMMAND || s->sort == FB_STORY_BLOCK;
    if (s->rule.n == 0) {
        if (acts && s->n_entries && s->entries[0].rule.n == 0)
            fb_buf_text(out, "rule      none: the operator's hand is in force\n");
        else if (acts)
            fb_buf_text(out,
                        "rule      none: no claim is in force, it is the actuator's default\n");
        return;
    }
    fb_buf_printf(out, "rule      %.*s, version %.*s", FB_ARG(s->rule), FB_ARG(s->rule_version));
    const struct fb_rule *rule = rule_of(e);
    if (e->compiled && !rule)
        fb_buf_text(out, "; the rules given have no such rule");
    else if (rule && !is(s->rule_version, rule->version))
        fb_buf_printf(out, "; the rules given have version %s: what stands there may differ",
                      rule->version);
    fb_buf_char(out, '\n');
}

static void put_cause(const struct fb_story *s, struct fb_buf *out) {
    if (s->sort == FB_STORY_EVENT)
        return; /* its line does not tell */
    if (!s->has_cause) {
        fb_buf_text(out, "cause     none\n");
    } else if (s->timer) {
        fb_buf_text(out, "cause     a timer, due at ");
        fb_put_clock(out, s->deadline_us);
        fb_buf_text(out, " of the device's time\n");
    } else {
        fb_buf_printf(out, "cause     record %" PRId64 " of %.*s", s->offset, FB_ARG(s->topic));
        if (s->partition >= 0)
            fb_buf_printf(out, ", partition %" PRId64, s->partition);
        if (s->index > 0)
            fb_buf_printf(out, ", object %" PRId64 " in it", s->index);
        fb_buf_char(out, '\n');
    }
}

static void put_origin(const struct fb_explained *e, struct fb_buf *out) {
    const struct fb_story *s = itself(e);
    if (s->sort == FB_STORY_EVENT) {
        fb_buf_text(out, "audit     none: of an event the output itself is all there is\n");
        return;
    }
    if (s->sort == FB_STORY_COMMAND)
        fb_buf_printf(out, "command   %" PRId64 " of epoch %" PRId64 "%s%.*s\n", s->command,
                      s->epoch, s->to.n ? ", to the topic " : "", FB_ARG(s->to));
    fb_buf_printf(out, "audit     %.*s, hash %.16s.., rules %.12s\n", FB_ARG(s->task),
                  s->hash.n >= 16 ? s->hash.p : "?", s->rules.n >= 12 ? s->rules.p : "?");
    const char *fault = fb_audit_find_fault(e->find);
    if (fault)
        fb_buf_printf(out, "          NOT to be relied on: %s\n", fault);
}

/* ---- operands ---- */

static bool operand(void *context, struct fb_str name, struct fb_buf *out) {
    const struct fb_explained *e = context;
    const struct fb_story_input *input = fb_story_input(itself(e), name);
    if (input)
        fb_put_operand(out, itself(e), input, fb_rule_shown(rule_of(e), name));
    return input != NULL;
}

static void put_inputs(const struct fb_story *s, const struct fb_story_input *inputs, uint32_t n,
                       const char *name, struct fb_buf *out) {
    size_t width = 0;
    for (uint32_t i = 0; i < n; i++)
        width = inputs[i].name.n > width ? inputs[i].name.n : width;
    for (uint32_t i = 0; i < n; i++) {
        fb_buf_printf(out, "%s%-*.*s  ", i ? "          " : name, (int)width,
                      FB_ARG(inputs[i].name));
        fb_put_operand(out, s, &inputs[i], NULL);
        fb_buf_char(out, '\n');
    }
}

static void put_operands(struct fb_explained *e, struct fb_buf *out) {
    const struct fb_story *s = itself(e);
    if (s->rule.n == 0)
        return;
    const struct fb_rule *rule = rule_of(e);
    if (!rule || !fb_rule_text(e->compiled, rule, operand, e, out))
        put_inputs(s, s->inputs, s->n_inputs, "values    ", out);
}

/* ---- the actuator's own conditions ---- */

static bool own_operand(void *context, struct fb_str name, struct fb_buf *out) {
    const struct fb_explained *e = context;
    const struct fb_story_input *input = fb_story_own_input(itself(e), name);
    uint16_t class_index;
    const struct fb_actuator *actuator =
        fb_recompute_actuator(e->compiled->program, itself(e), &class_index);
    if (input && actuator)
        fb_put_operand(out, itself(e), input,
                       fb_rule_shown(&e->compiled->program->rules[actuator->rule], name));
    return input != NULL;
}

/* "own       interlock true, permissive false" */
static void put_own_truths(const struct fb_story *s, struct fb_buf *out) {
    fb_buf_text(out, "own       ");
    if (s->interlock.n)
        fb_buf_printf(out, "interlock %.*s", FB_ARG(s->interlock));
    if (s->permissive.n)
        fb_buf_printf(out, "%spermissive %.*s", s->interlock.n ? ", " : "", FB_ARG(s->permissive));
    fb_buf_char(out, '\n');
}

/* The actuator that is given, in the record's version of its own conditions; NULL: it is not. */
static const struct fb_actuator *same_actuator(const struct fb_explained *e,
                                               uint16_t *class_index) {
    const struct fb_story *s = itself(e);
    if (!e->compiled || s->own_version.n == 0)
        return NULL;
    const struct fb_program *program = e->compiled->program;
    const struct fb_actuator *actuator = fb_recompute_actuator(program, s, class_index);
    return actuator && is(s->own_version, program->rules[actuator->rule].version) ? actuator : NULL;
}

/* The actuator's text, where a guardrail had something to say; else only what its own conditions
 * came to. */
static void put_actuator(struct fb_explained *e, struct fb_buf *out) {
    const struct fb_story *s = itself(e);
    bool says = s->sort == FB_STORY_BLOCK;
    for (uint32_t i = 0; i < s->n_verdicts; i++)
        says |= !is(s->verdicts[i].result, "pass");
    if (s->own_version.n)
        put_own_truths(s, out);
    if (!e->compiled) {
        put_inputs(s, s->own_inputs, s->n_own_inputs, "          ", out);
        return;
    }
    uint16_t class_index;
    const struct fb_actuator *actuator =
        fb_recompute_actuator(e->compiled->program, s, &class_index);
    if (!says || !actuator)
        return;
    fb_actuator_text(e->compiled, e->compiled->program->classes[class_index].name, actuator->name,
                     own_operand, e, out);
    actuator = same_actuator(e, &class_index);
    if (actuator)
        fb_explain_check_own(e->compiled->program, class_index, actuator, s, out);
}

/* The rule in the record's version; NULL: it is not given. */
static const struct fb_rule *same_rule(const struct fb_explained *e) {
    const struct fb_rule *rule = rule_of(e);
    return rule && is(itself(e)->rule_version, rule->version) ? rule : NULL;
}

static void put_check(const struct fb_explained *e, struct fb_buf *out) {
    const struct fb_rule *rule = same_rule(e);
    if (rule)
        fb_explain_check(e->compiled->program, rule, itself(e), out);
}

/* ---- claims and guardrails ---- */

static void put_claims(const struct fb_explained *e, const struct fb_story *s, struct fb_buf *out) {
    if (s->n_entries == 0) {
        fb_buf_text(out, "claims    none in force\n");
        return;
    }
    for (uint32_t i = 0; i < s->n_entries; i++) {
        const struct fb_story_entry *entry = &s->entries[i];
        struct fb_str who = entry->rule.n ? entry->rule : FB_S("the operator's hand");
        fb_buf_printf(out, "%s%.*s = ", i ? "          " : "claims    ", FB_ARG(who));
        put_value(e, entry->value, out);
        fb_buf_printf(out, " at priority %" PRId64 "%s\n", entry->priority,
                      fb_str_eq(entry->rule, s->rule) ? ": wins" : "");
    }
}

static void put_verdict(const struct fb_explained *e, const struct fb_story_verdict *verdict,
                        struct fb_buf *out) {
    fb_buf_printf(out, "%-12.*s", FB_ARG(verdict->guardrail));
    if (is(verdict->result, "pass")) {
        fb_buf_text(out, "lets ");
        put_value(e, verdict->requested, out);
        fb_buf_text(out, " pass");
    } else if (is(verdict->result, "change")) {
        fb_buf_text(out, "changes ");
        put_value(e, verdict->requested, out);
        fb_buf_text(out, " to ");
        put_value(e, verdict->applied, out);
    } else {
        fb_buf_text(out, is(verdict->result, "hold") ? "holds " : "refuses ");
        put_value(e, verdict->requested, out);
    }
    if (verdict->until_us != FB_NO_TIME) {
        fb_buf_text(out, " until ");
        fb_put_clock(out, verdict->until_us);
    }
    put_limit(verdict, out);
    fb_buf_char(out, '\n');
}

static void put_acting(const struct fb_explained *e, const struct fb_story *s, struct fb_buf *out) {
    put_claims(e, s, out);
    for (uint32_t i = 0; i < s->n_verdicts; i++) {
        fb_buf_text(out, i ? "          " : "guards    ");
        put_verdict(e, &s->verdicts[i], out);
    }
}

/* ---- what belongs to it ---- */

static void put_related(const struct fb_explained *e, enum fb_find which, const char *name,
                        struct fb_buf *out) {
    const struct fb_story *s = &e->stories[which];
    if (!e->has[which])
        return;
    fb_buf_printf(out, "%-10s", name);
    put_headline(e, s, out);
    fb_buf_text(out, "          id ");
    fb_buf_printf(out, "%.*s", (int)(s->explains.n ? s->explains.n : 32),
                  s->explains.n ? s->explains.p : s->hash.p);
    if (s->rule.n)
        fb_buf_printf(out, ", rule %.*s", FB_ARG(s->rule));
    fb_buf_char(out, '\n');
}

/* Whose claim ended, where no rule claims the actuator any more. */
static void put_who_ended(const struct fb_explained *e, struct fb_buf *out) {
    const struct fb_story *s = itself(e), *last = &e->stories[FB_FIND_LAST];
    if (s->sort != FB_STORY_COMMAND || !is(s->outcome, "relinquished"))
        return;
    if (e->has[FB_FIND_LAST] && fb_story_has_hand(last)) {
        fb_buf_text(out, "ended     the operator's hand\n");
        return;
    }
    if (!e->has[FB_FIND_LAST] || last->rule.n == 0) {
        fb_buf_text(out, "ended     whose claim ended does not stand in these records\n");
        return;
    }
    fb_buf_printf(out, "ended     the claim of rule %.*s, which asked for ", FB_ARG(last->rule));
    put_value(e, last->requested, out);
    fb_buf_text(out, " at ");
    fb_put_clock(out, last->at_us);
    fb_buf_text(out, "; the values that ended it are not recorded where no rule wins\n");
}

static void put_all_related(const struct fb_explained *e, struct fb_buf *out) {
    put_who_ended(e, out);
    put_related(e, FB_FIND_WITHHELD, "withheld", out);
    put_related(e, FB_FIND_RAISED, "raised", out);
    put_related(e, FB_FIND_CLEARED, "later", out);
    put_related(e, FB_FIND_BEGAN, "began", out);
    put_related(e, FB_FIND_ENDED, "ended", out);
    put_related(e, FB_FIND_CALL, "operator", out);
    put_related(e, FB_FIND_BEFORE, "before", out);
    put_related(e, FB_FIND_AFTER, "after", out);
}

/* Of the actuator; empty: it has none, or no rules are given. */
static struct fb_str unit_of(const struct fb_explained *e) {
    const struct fb_story *s = itself(e);
    const char *slash = s->actuator.n ? memchr(s->actuator.p, '/', s->actuator.n) : NULL;
    struct fb_str name = {s->actuator.p, slash ? (size_t)(slash - s->actuator.p) : 0};
    const struct fb_program *program = e->compiled ? e->compiled->program : NULL;
    const struct fb_rule *rule = rule_of(e);
    for (uint32_t i = 0; program && i < program->n_classes; i++)
        for (uint32_t k = 0; k < program->classes[i].n_actuators; k++)
            if ((!rule || rule->class_index == i) &&
                fb_str_eq(program->classes[i].actuators[k].name, name))
                return program->classes[i].actuators[k].unit;
    return (struct fb_str){0};
}

void fb_explain_text(const struct fb_explained *explained, struct fb_buf *out) {
    struct fb_explained e = *explained; /* the walk over the text hands it on */
    e.unit = unit_of(&e);
    const struct fb_story *s = itself(&e);
    put_headline(&e, s, out);
    put_rule(&e, out);
    put_cause(s, out);
    put_origin(&e, out);
    put_operands(&e, out);
    put_check(&e, out);
    if (s->sort == FB_STORY_COMMAND || s->sort == FB_STORY_BLOCK) {
        put_acting(&e, s, out);
        put_actuator(&e, out);
    }
    put_all_related(&e, out);
}

/* ---- JSON ---- */

void fb_explain_json(const struct fb_explained *explained, struct fb_buf *out) {
    static const char *const names[FB_FINDS] = {"record",   "last",   "before", "after",
                                                "began",    "ended",  "raised", "call",
                                                "withheld", "cleared"};
    struct fb_explained e = *explained;
    e.unit = unit_of(&e);
    struct fb_buf text = {0};
    const struct fb_rule *rule = rule_of(&e);
    fb_buf_text(out, "{\"headline\":");
    put_headline(&e, itself(&e), &text);
    fb_json_put_text(out, (struct fb_str){text.p, text.n - 1});
    const char *fault = fb_audit_find_fault(e.find);
    fb_buf_text(out, ",\"fault\":");
    if (fault)
        fb_json_put_text(out, fb_str_of(fault));
    else
        fb_buf_text(out, "null");
    fb_buf_text(out, ",\"version_given\":");
    if (rule)
        fb_json_put_text(out, fb_str_of(rule->version));
    else
        fb_buf_text(out, "null");
    text.n = 0;
    fb_buf_text(out, ",\"checked\":");
    if (same_rule(&e))
        fb_buf_printf(
            out, "\"%s\"",
            fb_recheck_name(fb_explain_check(e.compiled->program, rule, itself(&e), &text)));
    else
        fb_buf_text(out, "null");
    text.n = 0;
    uint16_t class_index;
    const struct fb_actuator *actuator = same_actuator(&e, &class_index);
    fb_buf_text(out, ",\"own_checked\":");
    if (actuator)
        fb_buf_printf(out, "\"%s\"",
                      fb_recheck_name(fb_explain_check_own(e.compiled->program, class_index,
                                                           actuator, itself(&e), &text)));
    else
        fb_buf_text(out, "null");
    text.n = 0;
    if (rule)
        fb_rule_text(e.compiled, rule, operand, &e, &text);
    fb_buf_text(out, ",\"text\":");
    if (text.n)
        fb_json_put_text(out, (struct fb_str){text.p, text.n});
    else
        fb_buf_text(out, "null");
    fb_buf_free(&text);
    for (int i = 0; i < FB_FINDS; i++) {
        fb_buf_printf(out, ",\"%s\":", names[i]);
        if (e.has[i])
            fb_buf_str(out, fb_audit_find_data(e.find, (enum fb_find)i));
        else
            fb_buf_text(out, "null");
    }
    fb_buf_text(out, "}\n");
}
