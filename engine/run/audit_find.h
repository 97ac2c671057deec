/* One record of an audit trail by its id, and the records that belong to it.
 *
 * Place in the flow: `flyball explain` gives it the lines of audit files, or the values of the
 * audit topic, in one pass: so it keeps the last records of each alarm and actuator. One owner. */
#ifndef FB_RUN_AUDIT_FIND_H
#define FB_RUN_AUDIT_FIND_H

#include "engine/codec/audit_story.h"

enum fb_find {
    FB_FIND_ITSELF,
    FB_FIND_LAST,     /* acting: the command right before it on the actuator, renewals too */
    FB_FIND_BEFORE,   /* acting: the same without renewals */
    FB_FIND_AFTER,    /* acting: the next command that is no renewal */
    FB_FIND_BEGAN,    /* a block's end: where it began */
    FB_FIND_ENDED,    /* a block's beginning: where it ended */
    FB_FIND_RAISED,   /* of an alarm that changed or cleared */
    FB_FIND_CALL,     /* acting by hand, after a hand, killed, in maintenance: the operator's call;
                       * of an alarm: what brings it about, or why it is not annunciated */
    FB_FIND_WITHHELD, /* a command: that it was not put out */
    FB_FIND_CLEARED,  /* of an alarm that was raised or changed; the removed one, too */
    FB_FINDS
};

/* A shorter beginning of an id is refused. */
enum { FB_FIND_DIGITS_MIN = 4, FB_FIND_DIGITS_MAX = 64 };
/* Whether this can be an id or the beginning of one: lower-case hex digits. */
bool fb_audit_find_is_id(struct fb_str id);

struct fb_audit_find;
/* id: of an alert, command, event, dead letter or audit record, or the beginning of it or of the
 * record's hash. */
struct fb_audit_find *fb_audit_find_new(struct fb_str id);
void fb_audit_find_free(struct fb_audit_find *find);

/* A line without its end, of the trail or of outputs; what is neither is passed over. */
void fb_audit_find_line(struct fb_audit_find *find, struct fb_str line);

/* How many different records have it; the first of them is the one that was found. */
uint32_t fb_audit_find_matches(const struct fb_audit_find *find);
/* The `data` of a record; empty: it was not among the lines. Valid until the next line. */
struct fb_str fb_audit_find_data(const struct fb_audit_find *find, enum fb_find which);
/* What is wrong with the bytes of the record itself; NULL: it is as it was written, or an event,
 * which no hash protects. */
const char *fb_audit_find_fault(const struct fb_audit_find *find);
/* Audit records among the lines. */
uint64_t fb_audit_find_records(const struct fb_audit_find *find);

#endif
