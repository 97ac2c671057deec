/* One decision about an actuator: the command, what is told of a block, deadlines (A9 to A13). */
#include "tests/oracle/oracle_acting.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"

#include <stdlib.h>

struct decision {
    struct ora_view view; /* now is that of the decision */
    struct ora_device *device;
    const struct ora_actuator *a;
    struct ora_memory *m;
    bool shadow;
    int64_t now;
    struct ora_winner winner;
    struct ora_request r;
    bool opened; /* the breaker, by the command */
};

/* --- What is put out --- */

static struct fb_output output_of(const struct decision *d, enum fb_output_kind kind) {
    return (struct fb_output){.kind = kind,
                              .actuator = &d->a->out[d->shadow],
                              .at_us = d->now,
                              .value = d->m->accepted,
                              .has_value = d->m->has_accepted,
                              .requested = d->winner.value,
                              .priority = d->winner.priority,
                              .results = d->r.results,
                              .n_results = d->r.n_results,
                              .entries = d->winner.entries,
                              .n_entries = d->winner.n_entries};
}

/* By the winner, or again by the one of the command before. */
static void command(struct decision *d, double value, const struct ora_rule *rule,
                    uint8_t priority, enum fb_command_reason reason) {
    struct ora_memory *m = d->m;
    int64_t wall = d->view.o->wall == FB_NO_TIME ? d->now : d->view.o->wall;
    FB_PUSH_ROOM(m->sent, m->n_sent, m->cap_sent);
    m->sent[m->n_sent++] = (struct ora_sent){d->now, value, rule, priority};
    bool was_open = m->breaker_end != FB_NO_TIME;
    bool acts = (!m->has_accepted || m->accepted != value) && !ora_towards_safe(d->a, m, value);
    if (rule != NULL && acts)
        ora_fleet_state(d->device, rule)->acted[d->shadow] = d->now;
    if (acts && !d->r.by_hand)
        ora_count_command(d->view.o, d->device, rule, d->shadow, d->now);
    ora_accept(d->a, m, value, d->now);
    d->opened = !was_open && m->breaker_end != FB_NO_TIME;
    struct fb_output out = output_of(d, FB_OUT_COMMAND);
    out.priority = priority;
    out.reason = reason;
    out.seq = m->n_sent;
    out.expires_at_us = wall + d->a->deliver;
    out.lease_until_us = wall + d->a->lease;
    m->lease_until = out.lease_until_us;
    m->lapsed = false;
    ora_put_out(&d->view, rule, &out);
}

/* What will be in force is told before it is commanded. */
static void blocked(struct decision *d, enum fb_guard guard, bool ended, bool sends) {
    struct fb_output out = output_of(d, FB_OUT_BLOCKED);
    out.guard = guard;
    out.ended = ended;
    out.count = ended ? d->m->blocked : 0;
    if (sends) {
        out.value = d->r.value;
        out.has_value = true;
    }
    ora_put_out(&d->view, d->winner.rule, &out);
}

/* A11 */
static void tell_block(struct decision *d, enum fb_guard blocks, bool sends) {
    struct ora_memory *m = d->m;
    bool other = blocks != m->blocks;
    if (other && m->blocks != FB_GUARDS)
        blocked(d, m->blocks, true, sends);
    if (other && blocks != FB_GUARDS)
        blocked(d, blocks, false, sends);
    m->blocked = other ? 1 : m->blocked + 1;
    m->blocks = blocks;
}

/* --- A decision --- */

static enum fb_command_reason reason_of(const struct decision *d) {
    if (d->r.made_safe || d->winner.unknown_safe)
        return FB_REASON_SAFE;
    if (d->r.slewed)
        return FB_REASON_SLEW;
    return d->winner.any ? FB_REASON_CLAIMED : FB_REASON_RELINQUISHED;
}

/* A10: when the command is renewed; FB_NEVER. */
static int64_t renewal_of(const struct decision *d) {
    const struct ora_memory *m = d->m;
    if (m->n_sent == 0 || m->lapsed || (!d->winner.any && m->accepted == d->a->safe))
        return FB_NEVER;
    return m->sent[m->n_sent - 1].at + d->a->lease / 3;
}

/* A85: by name, since several controls may stand for one rule. */
static bool same_rule(const struct ora_rule *a, const struct ora_rule *b) {
    return a == b || (a != NULL && b != NULL && fb_str_eq(a->decl->name, b->decl->name));
}

/* A9 */
static bool is_sent(const struct decision *d) {
    const struct ora_memory *m = d->m;
    if (d->r.held)
        return false;
    if (!m->has_accepted || d->r.value != m->accepted || m->lapsed)
        return true;
    const struct ora_sent *last = &m->sent[m->n_sent - 1];
    return d->r.value == d->winner.value &&
           (!same_rule(last->winner, d->winner.rule) || last->priority != d->winner.priority);
}

/* A12 */
static void find_deadline(struct decision *d) {
    const struct ora_memory *m = d->m;
    if (m->breaker_end != FB_NO_TIME)
        ora_note_due(&d->r, m->breaker_end);
    if (d->a->maximum_on > 0 && m->has_accepted && m->accepted == 1)
        ora_note_due(&d->r, m->changed + d->a->maximum_on);
    if (m->lockout_end != FB_NO_TIME)
        ora_note_due(&d->r, m->lockout_end);
    if (d->r.blocks == FB_GUARD_MAXIMUM)
        ora_note_due(&d->r, m->changed + d->a->minimum[0]);
    ora_note_due(&d->r, renewal_of(d));
    ora_note_due(&d->r, d->winner.ends);
    d->m->due = d->r.next;
}

/* A13: the conditions that read the actuator's name are due at the device time of the decision; not
 * so soon after a change. */
static void tell_readers(const struct decision *d, bool soon) {
    const struct ora_class *class = d->device->class;
    int64_t t = d->view.t + (soon ? FB_SECOND : 0);
    for (uint32_t i = 0; i < class->n_conditions; i++)
        if (class->conditions[i]->actuators[d->a->index] && d->device->conditions[i].deadline > t)
            d->device->conditions[i].deadline = t;
}

/* A85: of several controls that are one rule, a renewal shows the first that claims the actuator.
 */
static const struct ora_rule *first_of_name(const struct decision *d, const struct ora_rule *rule) {
    for (uint32_t i = 0; i < d->a->n_claims; i++)
        if (rule != NULL && same_rule(d->a->claims[i]->rule, rule))
            return d->a->claims[i]->rule;
    return rule;
}

static void ask_and_send(struct decision *d) {
    struct ora_memory *m = d->m;
    bool had = m->has_accepted;
    double before = m->accepted;
    int64_t changed = m->changed;
    ora_ask_guards(&d->r);
    bool sends = is_sent(d);
    tell_block(d, d->r.blocks, sends);
    if (sends) {
        command(d, d->r.value, d->winner.rule, d->winner.priority, reason_of(d));
    } else if (!d->r.behind && !d->r.silent && d->now >= renewal_of(d)) {
        struct ora_sent last = m->sent[m->n_sent - 1];
        command(d, m->accepted, first_of_name(d, last.winner), last.priority, FB_REASON_RENEWED);
    }
    if (!d->shadow && (had != m->has_accepted || before != m->accepted))
        tell_readers(d, had && d->now - changed < FB_SECOND);
    find_deadline(d);
}

/* A10: nobody renewed the lease, and the equipment went to its fail-safe. */
static void lapse(struct decision *d, int64_t wall) {
    struct ora_memory *m = d->m;
    if (d->r.behind || m->n_sent == 0 || wall < m->lease_until || m->accepted == d->a->safe)
        return;
    if (!d->shadow)
        tell_readers(d, d->now - m->changed < FB_SECOND);
    m->lapsed = true;
    m->accepted = d->a->safe;
    m->changed = d->now;
}

/* True: a breaker that makes safe has opened (A12). */
static bool decide_once(struct ora_view *view, struct ora_device *device,
                        const struct ora_actuator *a, bool shadow, int64_t now) {
    struct decision d = {.view = *view, .device = device, .a = a, .shadow = shadow, .now = now};
    struct ora_memory *m = device->memories[2 * a->index + (uint32_t)shadow];
    int64_t wall = view->o->wall == FB_NO_TIME ? now : view->o->wall;
    d.m = m;
    d.view.now = now;
    d.winner = ora_arbitrate(a, device, shadow, now);
    d.r = (struct ora_request){.o = view->o,
                               .device = device,
                               .winner = d.winner.rule,
                               .by_hand = d.winner.any && d.winner.rule == NULL,
                               .shadow = shadow,
                               .actuator = a,
                               .memory = m,
                               .now = now,
                               .kill = ora_kill_of(view->o, a, d.winner.rule),
                               .maintenance = device->maintenance_until != FB_NO_TIME,
                               .behind = wall - now > view->o->max_lag,
                               .abreast = wall - view->o->max_lag,
                               .requested = d.winner.value,
                               .value = d.winner.value,
                               .stopped = ora_is_stopped(a, m, shadow),
                               .safety = d.winner.unknown_safe,
                               .next = FB_NEVER};
    m->due = FB_NEVER;
    m->now = now;
    m->decided = true;
    if (m->n_sent == 0 && !d.winner.any) { /* A5: nothing but the end of a block */
        tell_block(&d, FB_GUARDS, false);
        return false;
    }
    lapse(&d, wall);
    ask_and_send(&d);
    return a->decl->breaker_safe && d.opened && m->accepted != a->safe;
}

void ora_decide(struct ora_view *view, struct ora_device *device, const struct ora_actuator *a,
                bool shadow, int64_t now) {
    if (decide_once(view, device, a, shadow, now))
        decide_once(view, device, a, shadow, now);
}
