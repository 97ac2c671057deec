/* Names and sizes of actuators.
 *
 * Place in the flow: see actuator.h. */
#include "engine/model/actuator.h"

const char *fb_guard_name(enum fb_guard guard) {
    switch (guard) {
    case FB_GUARD_KILL: return "kill";
    case FB_GUARD_MAINTENANCE:
        return "maintenance";
    case FB_GUARD_RANGE: return "range";
    case FB_GUARD_INTERLOCK: return "interlock";
    case FB_GUARD_LOCKOUT: return "lockout";
    case FB_GUARD_MAXIMUM: return "maximum";
    case FB_GUARD_DISCREPANCY:
        return "discrepancy";
    case FB_GUARD_PERMISSIVE: return "permissive";
    case FB_GUARD_MINIMUM: return "minimum";
    case FB_GUARD_STARTS: return "starts";
    case FB_GUARD_BREAKER: return "breaker";
    case FB_GUARD_SLEW: return "slew";
    case FB_GUARD_IGNORE: return "ignore";
    case FB_GUARD_RATE:
        return "rate";
    case FB_GUARD_COMMANDS:
        return "commands";
    case FB_GUARD_CATCH_UP: return "catch_up";
    case FB_GUARD_FLEET:
        return "fleet";
    case FB_GUARDS: break;
    }
    return "none";
}

const char *fb_verdict_name(enum fb_verdict verdict) {
    switch (verdict) {
    case FB_VERDICT_PASS: return "pass";
    case FB_VERDICT_CHANGE: return "change";
    case FB_VERDICT_HOLD: return "hold";
    case FB_VERDICT_REFUSE: return "refuse";
    }
    return "?";
}

uint32_t fb_actuator_bytes(const struct fb_actuator *actuator) {
    return (uint32_t)(sizeof(struct fb_actuator_cell) +
                      sizeof(int64_t) * ((uint64_t)actuator->starts + actuator->reversals) +
                      (actuator->failures ? sizeof(struct fb_trial_cell) : 0));
}
