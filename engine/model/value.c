#include "engine/model/value.h"

const char *fb_type_name(enum fb_type type) {
    switch (type) {
    case FB_T_NONE: return "none";
    case FB_T_NUMBER: return "number";
    case FB_T_COUNTER: return "counter";
    case FB_T_INTEGER: return "integer";
    case FB_T_BOOL: return "bool";
    case FB_T_TEXT: return "text";
    case FB_T_TIME: return "time";
    case FB_T_ENUM: return "enumeration";
    }
    return "?";
}

const char *fb_quality_name(enum fb_quality quality) {
    switch (quality) {
    case FB_Q_UNKNOWN: return "unknown";
    case FB_Q_GOOD: return "good";
    case FB_Q_BAD: return "bad";
    case FB_Q_STALE: return "stale";
    }
    return "?";
}

const char *fb_severity_name(enum fb_severity severity) {
    switch (severity) {
    case FB_SEV_NONE: return "none";
    case FB_INFO: return "info";
    case FB_LOW: return "low";
    case FB_MEDIUM: return "medium";
    case FB_HIGH: return "high";
    case FB_CRITICAL: return "critical";
    }
    return "?";
}
