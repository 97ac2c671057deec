#include "engine/model/output.h"

const char *fb_alert_event_name(enum fb_alert_event event) {
    switch (event) {
    case FB_ALERT_RAISED: return "raised";
    case FB_ALERT_CLEARED: return "cleared";
    case FB_ALERT_SEVERITY: return "severity";
    case FB_ALERT_REMOVED: return "removed";
    }
    return "?";
}
