/* Alarms that flap (A60 to A63). */
#include "tests/oracle/oracle_internal.h"

#include "engine/base/num.h"

enum { SLOTS = 20, BEGINS = 456, RESTS = 304 };

static int64_t slot_length(const struct ora_rule *rule) {
    return ora_literal_span(rule->decl->flapping) / SLOTS;
}

/* A60: of the 20 slots that end with this one. */
static int sum_at(const struct ora_rule_state *state, int64_t length, int64_t slot) {
    int sum = 0;
    for (int x = 1; x <= SLOTS; x++) {
        bool changed = false;
        for (size_t i = 0; i < state->n_changes; i++)
            changed |= fb_floor_div(state->changes[i], length) == slot - SLOTS + x;
        sum += changed ? 57 + 2 * (x - 1) : 0;
    }
    return sum;
}

bool ora_flap_change(const struct ora_view *view, const struct ora_rule *rule,
                     struct ora_rule_state *state) {
    if (rule->decl->flapping == NULL)
        return false;
    int64_t length = slot_length(rule), slot = fb_floor_div(view->t, length);
    FB_PUSH_ROOM(state->changes, state->n_changes, state->cap_changes);
    state->changes[state->n_changes++] = view->t;
    bool begins = !state->flapping && sum_at(state, length, slot) >= BEGINS;
    state->flapping |= begins;
    state->rests = FB_NEVER;
    if (!state->flapping)
        return false;
    do
        slot++;
    while (sum_at(state, length, slot) > RESTS);
    state->rests = slot * length;
    return begins;
}

void ora_flap_end(struct ora_view *view, const struct ora_rule *rule,
                  struct ora_rule_state *state) {
    if (!state->flapping || view->record != NULL || view->t < state->rests)
        return;
    state->flapping = false;
    state->rests = FB_NEVER;
    if (view->device->maintenance_until == FB_NO_TIME)
        ora_alert(view, rule, state, FB_ALERT_UNSUPPRESSED);
}
