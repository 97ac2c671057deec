/* The guardrails, in the order of A8 and by its text. */
#include "tests/oracle/oracle_acting.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"

/* From where a step goes: nothing accepted counts as inactive, of numbers as safe. */
static double step_from(const struct ora_actuator *actuator, const struct ora_memory *memory) {
    if (memory->has_accepted)
        return memory->accepted;
    return actuator->is_switch ? 0 : actuator->safe;
}

bool ora_towards_safe(const struct ora_actuator *actuator, const struct ora_memory *memory,
                      double value) {
    if (!memory->has_accepted)
        return value == actuator->safe;
    double a = memory->accepted, safe = actuator->safe;
    if (value == a)
        return false;
    if (actuator->is_switch)
        return value == safe;
    return (a < value && value <= safe) || (safe <= value && value < a);
}

/* Those marked * are not asked of a step towards safe, nor where the value is the accepted one. */
static bool is_spared(const struct ora_request *r) {
    return ora_towards_safe(r->actuator, r->memory, r->value) ||
           (r->memory->has_accepted && r->value == r->memory->accepted);
}

void ora_note_due(struct ora_request *r, int64_t c) {
    if (c > r->now && c < r->next)
        r->next = c;
}

/* --- What a guardrail does --- */

static void note(struct ora_request *r, enum fb_guard guard, enum fb_verdict verdict, double before,
                 int64_t until) {
    r->results[r->n_results++] = (struct fb_guard_result){.guard = guard,
                                                          .verdict = verdict,
                                                          .requested = before,
                                                          .applied = r->value,
                                                          .until_us = until};
}

/* Of the last one: so many of `most` lie within d. */
static void note_used(struct ora_request *r, const struct ora_times *times, uint32_t most,
                      int64_t d) {
    struct fb_guard_result *result = &r->results[r->n_results - 1];
    result->most = most;
    result->per_us = d;
    for (size_t i = 0; i < times->n && result->counted < most; i++)
        result->counted += times->items[i] > r->now - d;
}

static void blocks(struct ora_request *r, enum fb_guard guard) {
    if (r->blocks == FB_GUARDS)
        r->blocks = guard;
}

static void pass(struct ora_request *r, enum fb_guard guard) {
    note(r, guard, FB_VERDICT_PASS, r->value, FB_NEVER);
}

static void hold(struct ora_request *r, enum fb_guard guard, int64_t until) {
    r->held = true;
    ora_note_due(r, until);
    if (guard != FB_GUARD_SLEW)
        blocks(r, guard);
    note(r, guard, FB_VERDICT_HOLD, r->value, until);
}

static void refuse(struct ora_request *r, enum fb_guard guard) {
    r->held = true;
    blocks(r, guard);
    note(r, guard, FB_VERDICT_REFUSE, r->value, FB_NEVER);
}

/* Of interlock, lockout, maximum, breaker. */
static void force(struct ora_request *r, enum fb_guard guard, double value) {
    double before = r->value;
    r->safety = true;
    if (before == value) {
        pass(r, guard);
        return;
    }
    r->value = value;
    r->made_safe = true;
    if (value != r->requested)
        blocks(r, guard);
    note(r, guard, FB_VERDICT_CHANGE, before, FB_NEVER);
}

/* --- One by one --- */

/* A17; false: no other one is asked. */
static bool ask_kill(struct ora_request *r) {
    const struct ora_memory *m = r->memory;
    double safe = r->actuator->safe;
    if (r->kill == FB_KILL_NONE)
        return true;
    if (r->kill == FB_KILL_FREEZE || !m->has_accepted || m->accepted == safe) {
        refuse(r, FB_GUARD_KILL);
        r->silent = true;
        return false;
    }
    force(r, FB_GUARD_KILL, safe);
    return true;
}

/* A45; false: no other one is asked. */
static bool ask_maintenance(struct ora_request *r) {
    if (!r->maintenance)
        return true;
    if (ora_towards_safe(r->actuator, r->memory, r->value)) {
        pass(r, FB_GUARD_MAINTENANCE);
        return true;
    }
    refuse(r, FB_GUARD_MAINTENANCE);
    r->silent = true;
    return false;
}

static void ask_range(struct ora_request *r) {
    const struct ora_actuator *a = r->actuator;
    double before = r->value;
    if (a->is_switch)
        return;
    r->value = before < a->low ? a->low : before > a->high ? a->high : before;
    note(r, FB_GUARD_RANGE, r->value == before ? FB_VERDICT_PASS : FB_VERDICT_CHANGE, before,
         FB_NEVER);
}

static void ask_interlock(struct ora_request *r) {
    if (r->actuator->interlock == NULL)
        return;
    if (r->memory->interlock != 0)
        force(r, FB_GUARD_INTERLOCK, r->actuator->safe);
    else
        pass(r, FB_GUARD_INTERLOCK);
}

static void ask_lockout(struct ora_request *r) {
    if (r->actuator->lockout == 0)
        return;
    if (r->memory->lockout_end != FB_NO_TIME && r->now < r->memory->lockout_end)
        force(r, FB_GUARD_LOCKOUT, r->actuator->safe);
    else
        pass(r, FB_GUARD_LOCKOUT);
}

static void ask_maximum(struct ora_request *r) {
    const struct ora_memory *m = r->memory;
    if (r->actuator->maximum_on == 0)
        return;
    if (m->has_accepted && m->accepted == 1 && r->now - m->changed >= r->actuator->maximum_on)
        force(r, FB_GUARD_MAXIMUM, 0);
    else
        pass(r, FB_GUARD_MAXIMUM);
}

/* A98; not asked of an actuator that follows. */
static void ask_discrepancy(struct ora_request *r) {
    if (!r->stopped)
        return;
    if (r->value == r->actuator->safe || ora_towards_safe(r->actuator, r->memory, r->value)) {
        pass(r, FB_GUARD_DISCREPANCY);
        return;
    }
    refuse(r, FB_GUARD_DISCREPANCY);
    r->silent = true;
}

static void ask_permissive(struct ora_request *r) {
    if (r->actuator->permissive == NULL || is_spared(r))
        return;
    bool start = !r->actuator->is_switch || r->value == 1;
    if (start && r->memory->permissive != 1)
        refuse(r, FB_GUARD_PERMISSIVE);
    else
        pass(r, FB_GUARD_PERMISSIVE);
}

static void ask_minimum(struct ora_request *r) {
    const struct ora_memory *m = r->memory;
    if (!r->actuator->is_switch || (m->has_accepted && r->value == m->accepted))
        return;
    if (ora_towards_safe(r->actuator, m, r->value) && (!m->has_accepted || r->safety))
        return;
    int64_t least = r->actuator->minimum[step_from(r->actuator, m) == 1];
    if (r->now - m->changed < least)
        hold(r, FB_GUARD_MINIMUM, m->changed + least);
    else
        pass(r, FB_GUARD_MINIMUM);
}

static void ask_starts(struct ora_request *r) {
    const struct ora_times *starts = &r->memory->starts;
    uint32_t most = r->actuator->decl->starts, n = 0;
    int64_t d = r->actuator->starts_per;
    if (most == 0 || r->value != 1 || is_spared(r))
        return;
    for (size_t i = 0; i < starts->n; i++)
        n += starts->items[i] > r->now - d && starts->items[i] <= r->now;
    if (n >= most)
        hold(r, FB_GUARD_STARTS, starts->items[starts->n - most] + d);
    else
        pass(r, FB_GUARD_STARTS);
    note_used(r, starts, most, d);
}

/* At its end the breaker closes: n - 2 reversals count as made at that instant. */
static void close_breaker(struct ora_request *r) {
    struct ora_memory *m = r->memory;
    if (m->breaker_end == FB_NO_TIME || r->now < m->breaker_end)
        return;
    m->reversals.n = 0;
    for (uint32_t i = 2; i < r->actuator->reversals; i++) {
        FB_PUSH_ROOM(m->reversals.items, m->reversals.n, m->reversals.cap);
        m->reversals.items[m->reversals.n++] = m->breaker_end;
    }
    m->breaker_end = FB_NO_TIME;
}

/* Of two words, with `safe`: the step away from safe that would be the n-th reversal. */
static bool opens_in_place_of(const struct ora_request *r) {
    const struct ora_actuator *a = r->actuator;
    const struct ora_memory *m = r->memory;
    double from = step_from(a, m);
    uint32_t n = 1;
    if (!a->is_switch || !a->decl->breaker_safe || r->behind || r->value == a->safe ||
        r->value == from || m->direction != (r->value > from ? -1 : 1))
        return false;
    for (size_t i = 0; i < m->reversals.n; i++)
        n += m->reversals.items[i] > r->now - a->reversals_in;
    return n >= a->reversals;
}

static void ask_breaker(struct ora_request *r) {
    const struct ora_actuator *a = r->actuator;
    struct ora_memory *m = r->memory;
    if (a->reversals == 0)
        return;
    if (m->breaker_end == FB_NO_TIME && opens_in_place_of(r))
        m->breaker_end = r->now + a->breaker_for;
    bool open = m->breaker_end != FB_NO_TIME, is_safe = a->decl->breaker_safe;
    if (open)
        ora_note_due(r, m->breaker_end);
    if (is_safe && r->value == a->safe)
        return;
    if (!is_safe && is_spared(r))
        return;
    if (open && is_safe)
        force(r, FB_GUARD_BREAKER, a->safe);
    else if (open)
        hold(r, FB_GUARD_BREAKER, m->breaker_end);
    else
        pass(r, FB_GUARD_BREAKER);
}

static void ask_slew(struct ora_request *r) {
    const struct ora_actuator *a = r->actuator;
    const struct ora_memory *m = r->memory;
    double from = step_from(a, m), before = r->value;
    bool up = before > from;
    if (a->is_switch || is_spared(r) || a->slew[up] == 0)
        return;
    int64_t p = a->slew_per[up];
    if (r->now - m->changed < p) {
        hold(r, FB_GUARD_SLEW, m->changed + p);
        return;
    }
    double step = up ? before - from : from - before;
    if (step <= a->slew[up]) {
        pass(r, FB_GUARD_SLEW);
        return;
    }
    r->value = up ? from + a->slew[up] : from - a->slew[up];
    r->slewed = true;
    if (!r->behind)
        ora_note_due(r, r->now + p);
    note(r, FB_GUARD_SLEW, FB_VERDICT_CHANGE, before, FB_NEVER);
}

static void ask_ignore(struct ora_request *r) {
    const struct ora_actuator *a = r->actuator;
    if (a->is_switch || a->ignore_under == 0 || is_spared(r))
        return;
    double step = r->value - step_from(a, r->memory);
    bool end = r->value == a->low || r->value == a->high || r->value == a->safe;
    if (!r->slewed && !end && (step < 0 ? -step : step) < a->ignore_under)
        refuse(r, FB_GUARD_IGNORE);
    else
        pass(r, FB_GUARD_IGNORE);
}

/* A101 */
static void ask_rate(struct ora_request *r) {
    if (r->winner == NULL || r->winner->decl->at_most == 0 || is_spared(r))
        return;
    int64_t until = ora_rate_holds(r->device, r->winner, r->shadow, r->now);
    if (until == FB_NO_TIME)
        pass(r, FB_GUARD_RATE);
    else
        hold(r, FB_GUARD_RATE, until);
    note_used(r, &r->device->rules[r->winner->index].counted[r->shadow], r->winner->decl->at_most,
              ora_literal_span(r->winner->decl->at_most_per));
}

/* A102 */
static void ask_commands(struct ora_request *r) {
    if (r->o->limit == NULL || r->by_hand || is_spared(r))
        return;
    int64_t until = ora_commands_hold(r->o, r->shadow, r->now);
    if (until == FB_NO_TIME)
        pass(r, FB_GUARD_COMMANDS);
    else
        hold(r, FB_GUARD_COMMANDS, until);
    note_used(r, &r->o->counted[r->shadow], r->o->limit->at_most,
              ora_literal_span(r->o->limit->per));
}

static void ask_catch_up(struct ora_request *r) {
    if (!r->behind) {
        pass(r, FB_GUARD_CATCH_UP);
        return;
    }
    r->blocks = FB_GUARD_CATCH_UP; /* whatever the others said */
    int64_t next = r->now + FB_SECOND;
    hold(r, FB_GUARD_CATCH_UP, r->abreast > next ? r->abreast : next);
}

/* A92 */
static void ask_fleet(struct ora_request *r) {
    int64_t until;
    if (r->held || r->winner == NULL || r->winner->decl->fleet_share == NULL || is_spared(r))
        return;
    if (ora_fleet_lets(r->o, r->device, r->winner, r->shadow, r->now, &until))
        pass(r, FB_GUARD_FLEET);
    else if (until == FB_NEVER)
        refuse(r, FB_GUARD_FLEET);
    else
        hold(r, FB_GUARD_FLEET, until);
}

void ora_ask_guards(struct ora_request *r) {
    static void (*const guards[])(struct ora_request *) = {
        ask_range,      ask_interlock, ask_lockout, ask_maximum, ask_discrepancy,
        ask_permissive, ask_minimum,   ask_starts,  ask_breaker, ask_slew,
        ask_ignore,     ask_rate,      ask_commands};
    r->blocks = FB_GUARDS;
    r->held = r->slewed = false;
    close_breaker(r);
    if (r->actuator->decl->breaker_safe && r->memory->breaker_end != FB_NO_TIME)
        r->safety = true;
    if (!ask_kill(r) || !ask_maintenance(r))
        return;
    for (size_t i = 0; i < sizeof guards / sizeof *guards && !r->held; i++)
        guards[i](r);
    ask_catch_up(r);
    ask_fleet(r);
}

/* --- What a command leaves behind (A9) --- */

static void add_time(struct ora_times *times, int64_t at) {
    FB_PUSH_ROOM(times->items, times->n, times->cap);
    times->items[times->n++] = at;
}

static void reversed(const struct ora_actuator *a, struct ora_memory *m, int64_t now) {
    uint32_t n = 0;
    add_time(&m->reversals, now);
    for (size_t i = 0; i < m->reversals.n; i++)
        n += m->reversals.items[i] > now - a->reversals_in;
    if (a->reversals > 0 && n >= a->reversals && m->breaker_end == FB_NO_TIME)
        m->breaker_end = now + a->breaker_for;
}

void ora_accept(const struct ora_actuator *a, struct ora_memory *m, double value, int64_t now) {
    double from = step_from(a, m);
    if (m->has_accepted && value == m->accepted)
        return;
    double direction = value > from ? 1 : value < from ? -1 : 0;
    m->has_accepted = true;
    m->accepted = value;
    m->changed = now;
    if (direction == 0)
        return;
    if (a->is_switch && value == 1)
        add_time(&m->starts, now);
    if (m->direction != 0 && direction != m->direction)
        reversed(a, m, now);
    m->direction = direction;
}
