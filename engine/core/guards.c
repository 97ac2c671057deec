/* The table of the guardrails, and what accepted commands and interlocks leave behind for them.
 *
 * Place in the flow: see guard.h. */
#include "engine/core/guard.h"

#include "engine/base/num.h"

const struct fb_guard_row fb_guard_rows[FB_GUARDS] = {
    {FB_GUARD_KILL, fb_guard_kill, true, false},
    {FB_GUARD_MAINTENANCE, fb_guard_maintenance, true, false},
    {FB_GUARD_RANGE, fb_guard_range, true, false},
    {FB_GUARD_INTERLOCK, fb_guard_interlock, true, false},
    {FB_GUARD_LOCKOUT, fb_guard_lockout, true, false},
    {FB_GUARD_MAXIMUM, fb_guard_maximum, true, false},
    {FB_GUARD_DISCREPANCY, fb_guard_discrepancy, true, false},
    {FB_GUARD_PERMISSIVE, fb_guard_permissive, false, false},
    {FB_GUARD_MINIMUM, fb_guard_minimum, false, true},
    {FB_GUARD_STARTS, fb_guard_starts, false, false},
    /* `breaker .., safe` speaks of a value that is accepted already, too. */
    {FB_GUARD_BREAKER, fb_guard_breaker, true, false},
    {FB_GUARD_SLEW, fb_guard_slew, false, false},
    {FB_GUARD_IGNORE, fb_guard_ignore, false, false},
    {FB_GUARD_RATE, fb_guard_rate, false, false},
    {FB_GUARD_COMMANDS, fb_guard_commands, false, false},
    {FB_GUARD_CATCH_UP, fb_guard_catch_up, true, false},
    {FB_GUARD_FLEET, fb_guard_fleet, false, false},
};

bool fb_is_towards_safe(const struct fb_actuator *actuator, const struct fb_actuator_cell *cell,
                        double value) {
    const double safe = actuator->safe, accepted = cell->accepted;
    if (!cell->has_accepted || actuator->is_switch)
        return value == safe && !(cell->has_accepted && value == accepted);
    if (accepted < safe)
        return value > accepted && value <= safe;
    return value < accepted && value >= safe;
}

double fb_guard_base(const struct fb_actuator *actuator, const struct fb_actuator_cell *cell) {
    if (cell->has_accepted)
        return cell->accepted;
    return actuator->is_switch ? 0 : actuator->safe;
}

bool fb_guard_is_asked(const struct fb_guard_row *row, const struct fb_actuator *actuator,
                       const struct fb_actuator_cell *cell, const struct fb_request *request) {
    if (row->always)
        return true;
    if (cell->has_accepted && request->value == cell->accepted)
        return false;
    if (!fb_is_towards_safe(actuator, cell, request->value))
        return true;
    return row->of_safe && cell->has_accepted && !request->safety;
}

bool fb_guards_lapse(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                     int64_t wall_us, int64_t now_us) {
    if (cell->lease_until_us == FB_NO_TIME || wall_us < cell->lease_until_us ||
        cell->accepted == actuator->safe)
        return false;
    cell->lease_until_us = FB_NO_TIME;
    cell->accepted = actuator->safe;
    cell->changed_us = now_us;
    return true;
}

bool fb_guard_breaks_safe(const struct fb_actuator *actuator, const struct fb_actuator_cell *cell,
                          int64_t now_us) {
    return actuator->breaker_safe && cell->breaker_end_us != FB_NO_TIME &&
           now_us < cell->breaker_end_us;
}

static void note_start(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                       int64_t now_us) {
    if (actuator->starts == 0)
        return;
    cell->times[cell->next_start] = now_us;
    cell->next_start = (cell->next_start + 1) % actuator->starts;
}

static void note_reversal(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                          int64_t at_us) {
    cell->times[actuator->starts + cell->next_reversal] = at_us;
    cell->next_reversal = (cell->next_reversal + 1) % actuator->reversals;
}

void fb_guard_close_breaker(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                            int64_t now_us) {
    if (cell->breaker_end_us == FB_NO_TIME || now_us < cell->breaker_end_us)
        return;
    const int64_t end_us = cell->breaker_end_us;
    cell->breaker_end_us = FB_NO_TIME;
    for (uint32_t i = 0; i < actuator->reversals; i++)
        cell->times[actuator->starts + i] = FB_NO_TIME;
    cell->next_reversal = 0;
    for (uint32_t i = 2; i < actuator->reversals; i++)
        note_reversal(actuator, cell, end_us);
}

/* An open breaker does not open: a step towards safe meanwhile does not move its end. */
static void reversed(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                     int64_t now_us) {
    if (actuator->reversals == 0)
        return;
    note_reversal(actuator, cell, now_us);
    if (cell->breaker_end_us != FB_NO_TIME)
        return;
    const int64_t oldest_us = cell->times[actuator->starts + cell->next_reversal];
    if (oldest_us != FB_NO_TIME && now_us < fb_add_sat(oldest_us, actuator->reversals_us))
        cell->breaker_end_us = fb_add_sat(now_us, actuator->breaker_us);
}

void fb_guards_accepted(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                        double value, int64_t now_us) {
    const double base = fb_guard_base(actuator, cell);
    if (cell->has_accepted && value == base)
        return;
    fb_guard_close_breaker(actuator, cell, now_us);
    if (actuator->is_switch && value == 1)
        note_start(actuator, cell, now_us);
    const double direction = value > base ? 1 : value < base ? -1 : 0;
    if (direction != 0 && direction == -cell->direction)
        reversed(actuator, cell, now_us);
    cell->direction = direction;
    cell->accepted = value;
    cell->has_accepted = 1;
    cell->changed_us = now_us;
}

void fb_guards_interlock(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                         uint8_t interlock, int64_t now_us) {
    if (interlock != 0)
        cell->lockout_end_us = FB_NO_TIME;
    else if (cell->interlocked != 0 && actuator->lockout_us > 0)
        cell->lockout_end_us = fb_add_sat(now_us, actuator->lockout_us);
    cell->interlocked = interlock;
}
