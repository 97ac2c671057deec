/* What operators say of alarms and devices: acknowledged, shelved, in maintenance (A40 to A46). */
#include "tests/oracle/oracle_acting.h"

#include "engine/base/err.h"

/* --- What is told (A43) --- */

void ora_alert(struct ora_view *view, const struct ora_rule *rule, struct ora_rule_state *state,
               enum fb_alert_event event) {
    const struct ora_device *device = view->device;
    bool serviced = device->maintenance_until != FB_NO_TIME, active = state->severity != 0;
    bool suppressed = serviced || state->flapping;
    bool change =
        event == FB_ALERT_RAISED || event == FB_ALERT_SEVERITY || event == FB_ALERT_CLEARED;
    bool muted = change && (state->shelved || suppressed);
    struct fb_output out = {.kind = muted ? FB_OUT_MUTED : FB_OUT_ALERT,
                            .event = event,
                            .severity = active ? state->severity : state->last_severity,
                            .active = active,
                            .acked = state->acked,
                            .shelved = state->shelved,
                            .suppressed = suppressed,
                            .flapping = state->flapping,
                            .flap_end_us = state->rests,
                            .once = state->shelved && state->once,
                            .shelf_until_us = state->shelf_until,
                            .maintenance_until_us = device->maintenance_until,
                            .since_us = state->since};
    state->told |= serviced && !muted;
    if (view->call != NULL) {
        out.who = view->call->who;
        out.because = view->call->reason;
    }
    ora_put_out(view, rule, &out);
}

static bool is_alarm(const struct ora_rule *rule) {
    return rule->decl->kind == FB_RULE_ALARM;
}

/* --- Ends of shelves and of maintenance (A42, A44) --- */

static void unshelve(struct ora_view *view, const struct ora_rule *rule,
                     struct ora_rule_state *state) {
    state->shelved = false;
    ora_alert(view, rule, state, FB_ALERT_UNSHELVED);
}

void ora_alarm_cleared(struct ora_view *view, const struct ora_rule *rule,
                       struct ora_rule_state *state) {
    if (state->shelved && state->once)
        unshelve(view, rule, state);
}

static void end_maintenance(struct ora_view *view, struct ora_device *device) {
    const struct ora_class *class = device->class;
    device->maintenance_until = FB_NO_TIME;
    for (uint32_t i = 0; i < class->n_rules; i++) {
        struct ora_rule_state *state = &device->rules[i];
        if (is_alarm(class->rules[i]) &&
            (state->severity != FB_SEV_NONE || state->told || state->flapping))
            ora_alert(view, class->rules[i], state,
                      state->flapping ? FB_ALERT_SUPPRESSED : FB_ALERT_UNSUPPRESSED);
        state->told = false;
    }
    ora_all_due(device, view->now);
}

int64_t ora_service_due(const struct ora_device *device) {
    int64_t due = device->maintenance_until == FB_NO_TIME ? FB_NEVER : device->maintenance_until;
    for (uint32_t i = 0; i < device->class->n_rules; i++)
        if (device->rules[i].shelved && device->rules[i].shelf_until < due)
            due = device->rules[i].shelf_until;
    return due;
}

void ora_service_fire(const struct ora_view *view, struct ora_device *device) {
    struct ora_view ends = *view;
    ends.until = view->now;
    if (device->maintenance_until == view->now)
        end_maintenance(&ends, device);
    for (uint32_t i = 0; i < device->class->n_rules; i++)
        if (device->rules[i].shelved && device->rules[i].shelf_until == view->now)
            unshelve(&ends, device->class->rules[i], &device->rules[i]);
}

/* --- Calls of an alarm (A41) --- */

static const struct ora_rule *find_alarm(const struct ora *o, struct fb_str name) {
    for (uint32_t i = 0; i < o->n_classes; i++)
        for (uint32_t k = 0; k < o->classes[i].n_rules; k++)
            if (is_alarm(o->classes[i].rules[k]) &&
                fb_str_eq(o->classes[i].rules[k]->decl->name, name))
                return o->classes[i].rules[k];
    return NULL;
}

static struct ora_view view_of(struct ora *o, const struct ora_device *device,
                               const struct fb_call *call) {
    return (struct ora_view){.o = o,
                             .device = device,
                             .n = device->n_records,
                             .t = device->d,
                             .now = o->c,
                             .until = FB_NO_TIME,
                             .call = call};
}

static enum fb_call_outcome acknowledge(const struct ora_rule_state *state) {
    if (state->severity == FB_SEV_NONE && (!state->ever_raised || state->acked))
        return FB_CALL_NOT_ACTIVE;
    return state->acked ? FB_CALL_ACKED : FB_CALL_ACCEPTED;
}

static enum fb_call_outcome shelve(const struct ora *o, const struct ora_rule_state *state,
                                   const struct fb_call *call) {
    bool active = state->severity != FB_SEV_NONE;
    if (call->once ? !active : !active && !state->shelved)
        return FB_CALL_NOT_ACTIVE;
    if (call->until_us <= o->c)
        return FB_CALL_PAST;
    return call->until_us > o->c + FB_SHELF_MAX_US ? FB_CALL_TOO_LONG : FB_CALL_ACCEPTED;
}

static enum fb_call_outcome of_alarm(struct ora *o, const struct fb_call *call) {
    const struct ora_rule *rule = find_alarm(o, call->alarm);
    if (rule == NULL)
        return FB_CALL_NO_ALARM;
    struct ora_device *device = ora_find_device(o, rule->class, call->device);
    if (device == NULL)
        return FB_CALL_ELSEWHERE;
    struct ora_rule_state *state = &device->rules[rule->index];
    struct ora_view view = view_of(o, device, call);
    enum fb_call_outcome outcome = FB_CALL_ACCEPTED;
    if (call->kind == FB_CALL_ACK) {
        outcome = acknowledge(state);
        if (outcome == FB_CALL_ACCEPTED) {
            state->acked = true;
            ora_alert(&view, rule, state, FB_ALERT_ACKED);
        }
    } else if (call->kind == FB_CALL_SHELVE) {
        outcome = shelve(o, state, call);
        if (outcome == FB_CALL_ACCEPTED) {
            state->shelved = true;
            state->once = call->once;
            state->shelf_until = call->until_us;
            ora_alert(&view, rule, state, FB_ALERT_SHELVED);
        }
    } else if (state->shelved) {
        unshelve(&view, rule, state);
    } else {
        outcome = FB_CALL_NOT_SHELVED;
    }
    return outcome;
}

/* --- Calls of a device (A44) --- */

static enum fb_call_outcome find_of_class(const struct ora *o, const struct fb_call *call,
                                          struct ora_device **found) {
    bool any = false;
    *found = NULL;
    for (uint32_t i = 0; i < o->n_classes; i++) {
        if (call->class_.n > 0 && !fb_str_eq(o->classes[i].decl->name, call->class_))
            continue;
        any = true;
        struct ora_device *device = ora_find_device(o, &o->classes[i], call->device);
        if (device != NULL && *found != NULL)
            return FB_CALL_AMBIGUOUS;
        if (device != NULL)
            *found = device;
    }
    if (!any)
        return FB_CALL_NO_CLASS;
    return *found == NULL ? FB_CALL_ELSEWHERE : FB_CALL_ACCEPTED;
}

static enum fb_call_outcome of_device(struct ora *o, const struct fb_call *call) {
    struct ora_device *device;
    enum fb_call_outcome outcome = find_of_class(o, call, &device);
    if (outcome != FB_CALL_ACCEPTED)
        return outcome;
    struct ora_view view = view_of(o, device, call);
    const struct ora_class *class = device->class;
    if (call->kind == FB_CALL_SERVICE) {
        if (device->maintenance_until == FB_NO_TIME)
            return FB_CALL_NOT_IN_MAINTENANCE;
        end_maintenance(&view, device);
        return FB_CALL_ACCEPTED;
    }
    if (call->until_us <= o->c)
        return FB_CALL_PAST;
    device->maintenance_until = call->until_us;
    for (uint32_t i = 0; i < class->n_rules; i++) {
        struct ora_rule_state *state = &device->rules[i];
        if (is_alarm(class->rules[i]) &&
            (state->severity != FB_SEV_NONE || state->shelved || state->flapping))
            ora_alert(&view, class->rules[i], state, FB_ALERT_SUPPRESSED);
    }
    ora_all_due(device, o->c);
    return FB_CALL_ACCEPTED;
}

enum fb_call_outcome ora_call_of_alarms(struct ora *o, const struct fb_call *call) {
    if (call->kind == FB_CALL_MAINTENANCE || call->kind == FB_CALL_SERVICE)
        return of_device(o, call);
    return of_alarm(o, call);
}
