/* Values: what a field, an expression or a message part can be, and how good it is.
 *
 * Place in the flow: decoder -> samples -> cells -> evaluator -> outputs all speak of these. */
#ifndef FB_MODEL_VALUE_H
#define FB_MODEL_VALUE_H

#include "engine/base/str.h"

#include <stdint.h>

enum fb_type {
    FB_T_NONE = 0, /* not typed yet, or an error was reported */
    FB_T_NUMBER,   /* double, with a unit or without; spans of time are numbers in seconds */
    FB_T_COUNTER,  /* double that only grows until it wraps or is reset */
    FB_T_INTEGER,  /* int64 */
    FB_T_BOOL,
    FB_T_TEXT,
    FB_T_TIME, /* int64, microseconds since 1970 */
    FB_T_ENUM  /* index of the word in the field's list */
};

/* Quality of a present value (OPC UA: good and bad; uncertain comes with inputs that carry it).
 * FB_Q_UNKNOWN of a field: never seen. Only FB_Q_GOOD has a value. */
enum fb_quality { FB_Q_UNKNOWN = 0, FB_Q_GOOD, FB_Q_BAD, FB_Q_STALE };

/* A value at one instant. `num` for NUMBER and COUNTER, `i` for INTEGER, TIME, ENUM and BOOL (0,
 * 1), `text` for TEXT (a view: whoever passes the value says how long it lives). */
struct fb_value {
    union {
        double num;
        int64_t i;
        struct fb_str text;
    };
    uint8_t quality; /* enum fb_quality */
};

const char *fb_type_name(enum fb_type type);
const char *fb_quality_name(enum fb_quality quality);

enum fb_severity { FB_SEV_NONE = 0, FB_INFO, FB_LOW, FB_MEDIUM, FB_HIGH, FB_CRITICAL };
const char *fb_severity_name(enum fb_severity severity);

#endif
