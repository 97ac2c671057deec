/* Alarms and events: from the conditions' values to what is put out (M29 to M34). */
#include "tests/oracle/oracle_internal.h"
#include "tests/oracle/oracle_acting.h"

#include "engine/base/err.h"

#include <string.h>

/* --- What an output carries (M34) ------------------------------------------------------------ */

static void put_values(struct ora_view *view, const struct ora_rule *rule, struct fb_output *out) {
    struct ora *o = view->o;
    const struct ora_class *class = rule->class;
    struct ora_view look = *view;
    look.keep = false;
    struct fb_value *shown = FB_ARENA_ARRAY(o->scratch, struct fb_value, rule->n_shown);
    struct fb_value *slots = FB_ARENA_ARRAY(o->scratch, struct fb_value, rule->n_slots);
    struct fb_value *tags = FB_ARENA_ARRAY(o->scratch, struct fb_value, class->n_tags);
    for (uint32_t i = 0; i < rule->n_shown; i++) {
        const struct ora_expr *e = rule->shown[i];
        shown[i] =
            e->kind == ORA_FIELD ? ora_field_at(&look, (uint32_t)e->field) : ora_eval(&look, e);
    }
    for (uint32_t i = 0; i < rule->n_slots; i++)
        slots[i] = ora_eval(&look, rule->slots[i]);
    for (uint32_t i = 0; i < class->n_tags; i++)
        tags[i] = ora_field_at(&look, class->tags[i]);
    out->rule = &rule->out;
    out->shown = shown;
    out->slots = slots;
    out->tags = tags;
}

void ora_put_out(struct ora_view *view, const struct ora_rule *rule, struct fb_output *out) {
    struct ora *o = view->o;
    if (rule != NULL)
        put_values(view, rule, out);
    out->class_index = (uint16_t)view->device->class->index;
    out->device = view->device->id;
    if (out->kind == FB_OUT_ALERT || out->kind == FB_OUT_MUTED || out->kind == FB_OUT_EVENT)
        out->at_us = view->t;
    out->cause.timer = view->record == NULL;
    out->cause.deadline_us = view->record == NULL ? view->t : 0;
    if (view->until != FB_NO_TIME)
        out->cause.deadline_us = view->until;
    if (view->call != NULL)
        out->cause = (struct fb_cause){.origin = view->call->origin};
    if (view->record != NULL)
        out->cause.origin = view->record->origin;
    o->sink(o->context, out);
    fb_arena_reset(o->scratch);
}

/* --- Alarms ---------------------------------------------------------------------------------- */

/* M29 */
static void raise_counts(const struct ora_rule *rule, struct ora_condition_state *c) {
    if (c->value != 2) {
        c->holds = c->value == 1;
        return;
    }
    switch (rule->decl->on_unknown) {
    case FB_UNKNOWN_HOLD:
        return;
    case FB_UNKNOWN_CLEAR:
        c->holds = false;
        return;
    case FB_UNKNOWN_RAISE:
        c->holds = true;
        return;
    case FB_UNKNOWN_STOP: /* of controls */
    case FB_UNKNOWN_SAFE:
        break;
    }
    FB_BUG("a policy of an alarm");
}

/* M30: is the off-delay over? */
static bool quiet_long_enough(struct ora_view *view, const struct ora_device *device,
                              const struct ora_rule *rule, struct ora_rule_state *state) {
    if (rule->clear_after == NULL)
        return true;
    bool unsure = false;
    for (uint32_t i = 0; i < rule->n_conditions; i++)
        unsure |= device->conditions[rule->conditions[i].index].value == 2;
    struct fb_value quiet = ora_known_bool(true);
    if (unsure && rule->decl->on_unknown == FB_UNKNOWN_HOLD)
        quiet = ora_not_known();
    struct ora_view look = *view;
    look.keep = false;
    struct fb_value e = ora_eval(&look, rule->clear_after);
    return ora_is_true(ora_step_for(view, &state->clear, quiet, e));
}

static void alarm_step(struct ora_view *view, const struct ora_device *device,
                       const struct ora_rule *rule, struct ora_rule_state *state) {
    enum fb_severity highest = FB_SEV_NONE;
    for (uint32_t i = 0; i < rule->n_conditions; i++) {
        enum fb_severity severity = rule->decl->raises[i].severity;
        if (device->conditions[rule->conditions[i].index].holds && severity > highest)
            highest = severity;
    }
    enum fb_severity before = state->severity;
    bool begins = false;
    if (highest != FB_SEV_NONE) {
        state->clear = (struct ora_op){0};
        state->severity = highest;
        if (before == FB_SEV_NONE) {
            state->since = view->t;
            state->ever_raised = true;
            state->acked = false;
            begins = ora_flap_change(view, rule, state);
            ora_alert(view, rule, state, FB_ALERT_RAISED);
        } else if (before != highest) {
            state->acked &= highest < before;
            begins = ora_flap_change(view, rule, state);
            ora_alert(view, rule, state, FB_ALERT_SEVERITY);
        }
    } else if (before != FB_SEV_NONE && quiet_long_enough(view, device, rule, state)) {
        state->severity = FB_SEV_NONE;
        state->clear = (struct ora_op){0};
        state->last_severity = before;
        begins = ora_flap_change(view, rule, state);
        ora_alert(view, rule, state, FB_ALERT_CLEARED);
    }
    if (begins && device->maintenance_until == FB_NO_TIME)
        ora_alert(view, rule, state, FB_ALERT_SUPPRESSED);
    if (before != FB_SEV_NONE && state->severity == FB_SEV_NONE)
        ora_alarm_cleared(view, rule, state);
    ora_flap_end(view, rule, state);
}

/* --- Events ---------------------------------------------------------------------------------- */

static bool completes_any(const struct ora_view *view, const struct ora_expr *e) {
    if (e == NULL)
        return false;
    if (e->window != NULL && ora_each_completes(view, e->window))
        return true;
    if (completes_any(view, e->a) || completes_any(view, e->b) || completes_any(view, e->c))
        return true;
    for (uint32_t i = 0; i < e->n_items; i++)
        if (completes_any(view, e->items[i]))
            return true;
    return false;
}

/* M32: does one of its inputs take a new value here? */
static bool has_new_value(const struct ora_view *view, const struct ora_rule *rule) {
    const struct ora_record *record = view->record;
    if (record == NULL)
        return completes_any(view, rule->whenever);
    if (record->late || view->again)
        return false;
    for (uint32_t f = 0; f < rule->class->n_fields; f++)
        if (rule->whenever_reads[f] && record->carries[f] && record->good[f])
            return true;
    return false;
}

/* M33 */
static void let_through(struct ora_view *view, const struct ora_rule *rule,
                        struct ora_rule_state *state) {
    struct fb_output out = {.kind = FB_OUT_EVENT};
    if (rule->decl->at_most > 0) {
        struct ora_view look = *view;
        look.keep = false;
        struct fb_value d = ora_eval(&look, rule->at_most_per);
        FB_ASSERT(d.quality == FB_Q_GOOD);
        int64_t length = (int64_t)(d.num * 1e6);
        if (!state->at_most_begun || view->t >= state->at_most_start + length) {
            state->at_most_begun = true;
            state->at_most_start = view->t;
            state->let_through = 0;
        }
        if (state->let_through >= rule->decl->at_most) {
            state->withheld++;
            return;
        }
        state->let_through++;
    }
    out.withheld = state->withheld;
    state->withheld = 0;
    ora_put_out(view, rule, &out);
}

/* --- One evaluation -------------------------------------------------------------------------- */

struct fb_value ora_condition_value(struct ora_view *view, struct ora_device *device,
                                    const struct ora_condition *c) {
    view->next = FB_NEVER;
    view->keep = true;
    struct fb_value value = ora_eval(view, c->root);
    device->conditions[c->index].deadline = view->next;
    return value;
}

static void evaluate_condition(struct ora_view *view, struct ora_device *device,
                               const struct ora_condition *c) {
    struct ora_condition_state *state = &device->conditions[c->index];
    struct fb_value value = ora_condition_value(view, device, c);
    uint8_t now = value.quality != FB_Q_GOOD ? 2 : value.i != 0;
    if (c->rule->decl->kind == FB_RULE_ALARM) {
        state->value = now;
        raise_counts(c->rule, state);
        return;
    }
    bool fires = c->rule->decl->whenever ? now == 1 && has_new_value(view, c->rule)
                                         : now == 1 && state->value == 0;
    if (now != 2)
        state->value = now;
    if (fires)
        let_through(view, c->rule, &device->rules[c->rule->index]);
}

void ora_rule_step(struct ora_view *view, struct ora_device *device, struct ora_rule *rule,
                   const bool *due, bool clear_due) {
    struct ora_rule_state *state = &device->rules[rule->index];
    bool evaluated = clear_due;
    if (rule->decl->kind == FB_RULE_CONTROL || rule->decl->kind == FB_RULE_MODE) {
        ora_control_step(view, device, rule, due);
        return;
    }
    for (uint32_t i = 0; i < rule->n_conditions; i++) {
        if (!due[rule->conditions[i].index])
            continue;
        evaluate_condition(view, device, &rule->conditions[i]);
        evaluated = true;
    }
    if (!evaluated || rule->decl->kind != FB_RULE_ALARM)
        return;
    view->next = FB_NEVER;
    view->keep = true;
    alarm_step(view, device, rule, state);
    ora_alarm_tell(view, device, rule);
    state->deadline = state->severity == FB_SEV_NONE ? FB_NEVER : view->next;
    if (state->rests < state->deadline)
        state->deadline = state->rests;
}
