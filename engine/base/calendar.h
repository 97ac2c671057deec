/* Points in time and spans: int64 microseconds since 1970-01-01T00:00:00Z, without leap seconds.
 *
 * Place in the flow: decoder (time fields), compiler (durations), encoder (RFC 3339). UTC only. */
#ifndef FB_BASE_CALENDAR_H
#define FB_BASE_CALENDAR_H

#include "engine/base/str.h"

#include <stdint.h>

#define FB_SECOND INT64_C(1000000)
#define FB_MINUTE (60 * FB_SECOND)
#define FB_HOUR (60 * FB_MINUTE)
#define FB_DAY (24 * FB_HOUR)

enum { FB_TIME_TEXT_MAX = 40 };

/* ISO 8601 / RFC 3339: date, 'T' or 't' or a blank, time with an optional fraction, an optional
 * zone (Z, +hh:mm, +hhmm or +hh, none = UTC); a date alone is its midnight. A fraction is
 * rounded to the
 * nearest microsecond, halves away from zero. Years 0001 to 9999. */
bool fb_time_parse(struct fb_str s, int64_t *us);
/* "2026-11-21T08:00:00.000Z", in milliseconds, rounded down. Returns the length. Beyond the years
 * 0001 to 9999 the text is that of the nearest representable millisecond. */
size_t fb_time_format(int64_t us, char *out);
/* A span as the rule language writes it: "1h30m", "500ms", "30s"; "0s". Returns the length. */
size_t fb_span_format(int64_t us, char *out);
/* Digits and units without blanks, as the rule language writes durations: 1h30m, 500ms; w d h m s
 * ms. False: it is not one, or longer than 100 years. */
bool fb_span_parse(struct fb_str s, int64_t *us);

#endif
