#include "engine/model/output.h"

const char *fb_alert_event_name(enum fb_alert_event event) {
    switch (event) {
    case FB_ALERT_RAISED: return "raised";
    case FB_ALERT_CLEARED: return "cleared";
    case FB_ALERT_SEVERITY: return "severity";
    case FB_ALERT_REMOVED: return "removed";
    case FB_ALERT_ACKED:
        return "acked";
    case FB_ALERT_SHELVED:
        return "shelved";
    case FB_ALERT_UNSHELVED:
        return "unshelved";
    case FB_ALERT_SUPPRESSED:
        return "suppressed";
    case FB_ALERT_UNSUPPRESSED:
        return "unsuppressed";
    }
    return "?";
}

const char *fb_command_reason_name(enum fb_command_reason reason) {
    switch (reason) {
    case FB_REASON_CLAIMED: return "claimed";
    case FB_REASON_RELINQUISHED: return "relinquished";
    case FB_REASON_RENEWED: return "renewed";
    case FB_REASON_SAFE: return "safe";
    case FB_REASON_SLEW: return "slew";
    }
    return "?";
}
