/* Names of calls and of what becomes of them.
 *
 * Place in the flow: see call.h. */
#include "engine/model/call.h"

const char *fb_call_name(enum fb_call_kind kind) {
    switch (kind) {
    case FB_CALL_HAND: return "hand";
    case FB_CALL_AUTO: return "auto";
    case FB_CALL_KILL: return "kill";
    case FB_CALL_UNKILL: return "unkill";
    case FB_CALL_RESET: return "reset";
    case FB_CALL_ACK:
        return "ack";
    case FB_CALL_SHELVE:
        return "shelve";
    case FB_CALL_UNSHELVE:
        return "unshelve";
    case FB_CALL_MAINTENANCE:
        return "maintenance";
    case FB_CALL_SERVICE:
        return "service";
    case FB_CALLS: break;
    }
    return "?";
}

const char *fb_call_outcome_text(enum fb_call_outcome outcome) {
    switch (outcome) {
    case FB_CALL_ACCEPTED: return "accepted";
    case FB_CALL_ELSEWHERE: return "the device has sent nothing to this partition";
    case FB_CALL_NO_ACTUATOR: return "the rules in force have no such actuator";
    case FB_CALL_NO_RULE:
        return "the rules in force have no control or mode of this name";
    case FB_CALL_NO_FLEET:
        return "the rules in force have no rule of this name with `fleet`";
    case FB_CALL_BAD_VALUE: return "the value is no word of the actuator, or out of its range";
    case FB_CALL_PAST: return "`until` is not ahead of the clock";
    case FB_CALL_TOO_MANY: return "64 kills are in force already";
    case FB_CALL_NOT_KILLED: return "nothing is killed so";
    case FB_CALL_NOT_IN_HAND: return "the actuator is not in hand";
    case FB_CALL_NOT_OPEN:
        return "the breaker is not open, and nothing is stopped";
    case FB_CALL_NO_ALARM:
        return "the rules in force have no such alarm";
    case FB_CALL_NO_CLASS:
        return "the rules in force have no device of this class";
    case FB_CALL_AMBIGUOUS:
        return "devices of several classes have this id: say which by `class`";
    case FB_CALL_NOT_ACTIVE:
        return "the alarm is not active";
    case FB_CALL_ACKED:
        return "the alarm is acknowledged already";
    case FB_CALL_TOO_LONG:
        return "`until` is more than 8h ahead of the clock, the longest shelf";
    case FB_CALL_NOT_SHELVED:
        return "the alarm is not shelved";
    case FB_CALL_NOT_IN_MAINTENANCE:
        return "the device is not in maintenance";
    }
    return "?";
}
