/* Whether the equipment follows what it is commanded, and what stops it (A97 to A99). */
#include "tests/oracle/oracle_acting.h"

bool ora_is_stopped(const struct ora_actuator *a, const struct ora_memory *m, bool shadow) {
    return !shadow && a->decl->failures > 0 && m->failures >= a->decl->failures;
}

static bool is_known(struct fb_value v) {
    return v.quality == FB_Q_GOOD;
}

/* Several changes between two evaluations are one, one that came to nothing is none. */
static bool has_changed(struct ora_memory *m) {
    bool changed = m->has_accepted && (!m->had_seen || m->seen != m->accepted);
    m->had_seen = m->has_accepted;
    m->seen = m->accepted;
    return changed;
}

static void begin_trial(struct ora_memory *m, struct fb_value c, struct fb_value d) {
    if (!is_known(c) || !is_known(d) || d.num < 0)
        return;
    m->trial = ora_is_true(c) ? ORA_TRIAL : ORA_NO_TRIAL;
    m->trial_delay = (struct ora_op){0};
}

static void go_on(struct ora_view *view, const struct ora_actuator *a, struct ora_memory *m,
                  struct fb_value c, struct fb_value d, bool changed) {
    bool over = ora_is_true(ora_step_for(view, &m->trial_delay, c, d));
    if (ora_is_true(c) && over) {
        m->failures++;
        m->trial = ORA_NO_TRIAL;
        m->concerned |= ora_is_stopped(a, m, false);
    } else if (is_known(c) && !ora_is_true(c)) {
        if (!changed)
            m->failures = 0;
        m->trial = ORA_NO_TRIAL;
    }
}

void ora_follow(struct ora_view *view, const struct ora_actuator *a, struct fb_value c,
                struct fb_value d) {
    struct ora_memory *m = view->device->memories[2 * a->index];
    bool changed = has_changed(m), stopped = ora_is_stopped(a, m, false);
    if (changed && m->trial == ORA_NO_TRIAL && !stopped)
        m->trial = ORA_TRIAL_AWAITED;
    if (m->trial == ORA_TRIAL_AWAITED && !stopped)
        begin_trial(m, c, d);
    if (m->trial == ORA_TRIAL)
        go_on(view, a, m, c, d, changed);
}

void ora_follow_again(struct ora_device *device, const struct ora_actuator *a) {
    struct ora_memory *m = device->memories[2 * a->index];
    m->failures = 0;
    if (!m->has_accepted)
        return;
    m->trial = ORA_TRIAL_AWAITED;
    for (uint32_t i = 0; i < device->class->n_rules; i++) {
        const struct ora_rule *rule = device->class->rules[i];
        if (rule->decl->feedback_of != a->decl)
            continue;
        struct ora_condition_state *state = &device->conditions[rule->conditions[0].index];
        if (state->deadline > device->d)
            state->deadline = device->d;
    }
}
