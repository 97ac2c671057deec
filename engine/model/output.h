/* What the core puts out: an alert, an event or a late record.
 *
 * Place in the flow: core fills one and hands it to its sink at once; codec/encode turns it into
 * bytes. Views live until the sink returns. */
#ifndef FB_MODEL_OUTPUT_H
#define FB_MODEL_OUTPUT_H

#include "engine/model/actuator.h"
#include "engine/model/entry.h"

/* COMMAND: for the actuator, or, of a shadow, what it would be. BLOCKED: for the audit only. MUTED:
 * a change of an alarm that is not annunciated, for the audit only. */
enum fb_output_kind {
    FB_OUT_ALERT,
    FB_OUT_EVENT,
    FB_OUT_LATE,
    FB_OUT_COMMAND,
    FB_OUT_BLOCKED,
    FB_OUT_MUTED
};
/* Whether it goes out, not only into the audit. */
static inline bool fb_output_goes_out(enum fb_output_kind kind) {
    return kind != FB_OUT_BLOCKED && kind != FB_OUT_MUTED;
}

enum fb_command_reason {
    FB_REASON_CLAIMED,
    FB_REASON_RELINQUISHED,
    FB_REASON_RENEWED,
    FB_REASON_SAFE,
    FB_REASON_SLEW
};
const char *fb_command_reason_name(enum fb_command_reason reason);

/* What one guardrail said, in the order of enum fb_guard. */
struct fb_guard_result {
    enum fb_guard guard;
    enum fb_verdict verdict;
    double requested, applied; /* what it was given, and what it made of it */
    int64_t until_us;          /* HOLD: C; else FB_NEVER */
    /* Of `starts`, `rate`, `commands`, where they limit what is asked for: so many of `most` were
     * there within per_us before this decision. most 0: it counts nothing. */
    uint32_t counted, most;
    int64_t per_us;
};

/* A claim in force, as arbitration saw it. */
struct fb_array_entry {
    const struct fb_rule *rule; /* NULL: the operator's hand */
    uint8_t priority;
    double value;
};

/* REMOVED: the rule is gone, or what the device was. */
enum fb_alert_event {
    FB_ALERT_RAISED,
    FB_ALERT_CLEARED,
    FB_ALERT_SEVERITY,
    FB_ALERT_REMOVED,
    FB_ALERT_ACKED,
    FB_ALERT_SHELVED,
    FB_ALERT_UNSHELVED,
    FB_ALERT_SUPPRESSED,
    FB_ALERT_UNSUPPRESSED
};
const char *fb_alert_event_name(enum fb_alert_event event);

/* What made the engine decide: a record, or a timer at its deadline. Part of the output's id. */
struct fb_cause {
    bool timer;
    int64_t deadline_us;     /* timer: when it was due, in device time */
    struct fb_origin origin; /* else: the record */
};

/* Where a shown value comes from. */
struct fb_shown_source {
    int64_t at_us; /* a field's last good sample; INT64_MIN: it has none, or it is a let; of an
                    * actuator C, when it changed; INT64_MIN: never, or no condition of the rule
                    * has seen it since */
    bool carried;  /* the record that is the cause has this field */
};

struct fb_rule;

struct fb_output {
    enum fb_output_kind kind;
    const struct fb_rule *rule; /* NULL for late; command, blocked: the winner's, NULL: the
                                 * default */
    uint16_t class_index;
    struct fb_str device;
    struct fb_cause cause;
    int64_t at_us; /* device time of the decision; command, blocked: C; late: the record's own
                    * time */
    uint8_t hop;   /* applications that its cause came through, this one included */

    /* alert and muted */
    enum fb_alert_event event;
    enum fb_severity severity; /* not active: the last one */
    bool active, acked, shelved, suppressed; /* suppressed: in maintenance, or flapping */
    bool flapping;
    bool once; /* shelved: until it clears at the latest */
    int64_t since_us;
    int64_t shelf_until_us;       /* shelved: on C */
    int64_t maintenance_until_us; /* on C; INT64_MIN: the device is not in maintenance */
    int64_t flap_end_us;          /* flapping: in device time, if nothing changes before */
    struct fb_str who, because;   /* of the call that brings it about; empty: none does */

    /* event */
    uint64_t withheld;

    /* command and blocked */
    const struct fb_actuator *actuator;
    double value;     /* applied: what is in force from here on; has_value: there is one */
    bool has_value;
    double requested; /* by the winner, before the guardrails */
    uint8_t priority; /* FB_PRIORITY_NONE: the default */
    enum fb_command_reason reason;
    uint64_t seq;            /* command */
    uint32_t actuator_index; /* in the class */
    const struct fb_actuator_before *before; /* command */
    int64_t expires_at_us;   /* command: on the wall clock of the record or tick */
    int64_t lease_until_us;  /* command: the same */
    const struct fb_guard_result *results; /* what was asked */
    uint32_t n_results;
    const struct fb_fleet_view *fleet; /* what guardrail `fleet` was asked with; else NULL */
    const struct fb_array_entry *entries;
    uint32_t n_entries;
    enum fb_guard guard;     /* blocked: which */
    uint8_t interlock;       /* its value: 0 false, 1 true, 2 unknown; none: 0 */
    uint8_t permissive;      /* the same; none: 1 */
    const struct fb_value *own_shown; /* as `shown`, of the rule of the actuator */
    const struct fb_shown_source *own_sources;
    bool ended;              /* blocked: it blocks no longer; else it begins to */
    uint64_t count;          /* blocked, ended: decisions that it blocked */

    /* alert, event, command, blocked: in the order of rule->shown, rule->slots and the class's
     * tags; NULL where there is no rule */
    const struct fb_value *shown;
    const struct fb_shown_source *sources; /* as shown; NULL: not known */
    const struct fb_value *slots;
    const struct fb_value *tags;

    /* late */
    bool future; /* reason: future instead of late */
    int64_t watermark_us; /* INT64_MIN when the device has none yet */
    struct fb_str raw;
};

/* Called in the order of the decisions. Must not call back into the core. */
typedef void fb_output_fn(void *context, const struct fb_output *output);

#endif
