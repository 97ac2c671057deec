/* Audit records: what was decided, from which values, in a chain that shows every change.
 *
 * Place in the flow: beside codec/encode, for what must be explained later: decisions about alarms
 * and actuators, what guardrails block, rejected records, activations of rules, jumps of the clock.
 * Goes out with what it explains. One owner, no locks. The same calls give the same bytes, always.
 *
 * hash of a record = SHA-256(hash of the one before, the record's data without its `hash`); the
 * first has 32 zero bytes before it. Where commits are cut has no part in it. engine/PROTOCOL.md
 * says what the fields are. */
#ifndef FB_CODEC_AUDIT_H
#define FB_CODEC_AUDIT_H

#include "engine/codec/call.h"
#include "engine/codec/encode.h"

/* The chain of one task, and what its records say of their surroundings; all zero: a new one. */
struct fb_auditor {
    uint64_t seq; /* of the last record; 0: none yet */
    uint8_t head[32];
    struct fb_str task;    /* "APPLICATION/PARTITION", UTF-8; a view, as the payload */
    uint8_t rules[32];     /* hash of the bundle in force */
    int64_t clock_us;      /* the task clock C; FB_NO_TIME before the first record */
    struct fb_str payload; /* of the record that the core takes; p NULL: none */
};

/* Each of these makes one record; `encoded` holds views until the encoder's next call. It is put
 * out as it is, without a traceparent: a line of the trail follows from its data alone. */

/* Whether the trail tells of such an output: alerts, also those that are not annunciated, commands
 * (also of shadows) and blocks. */
bool fb_audit_tells_of(enum fb_output_kind kind);
/* One of these. id: of the output, as fb_encode gave it; NULL: it is made here. Of a block, which
 * is no output, it is not read. */
void fb_audit_decision(struct fb_auditor *auditor, struct fb_encoder *encoder,
                       const struct fb_output *output, struct fb_circumstance circumstance,
                       const char *id, struct fb_encoded *encoded);
void fb_audit_rejected(struct fb_auditor *auditor, struct fb_encoder *encoder,
                       const struct fb_dead_letter *letter, struct fb_encoded *encoded);
/* auditor->rules is in force from here on. `build` is the only thing in the chain that a build of
 * the same semantics may write in another way: who replays gives what was given at first. */
void fb_audit_rules(struct fb_auditor *auditor, struct fb_encoder *encoder, const char *build,
                    struct fb_encoded *encoded);
/* The clock went from from_us to auditor->clock_us; origin: of the record that moved it, or NULL.
 */
void fb_audit_clock(struct fb_auditor *auditor, struct fb_encoder *encoder, int64_t from_us,
                    const struct fb_origin *origin, struct fb_encoded *encoded);
/* A command whose decision is in the trail, and that is not put out. rules/MEANING.md, A70. */
struct fb_withheld {
    const struct fb_rule *rule; /* as of the command; NULL: none */
    struct fb_str device;
    const struct fb_actuator *actuator;
    double value;
    int64_t epoch_ms;
    uint64_t seq;
    int64_t expires_at_us, wall_us; /* wall_us: at the end of the batch */
    const char *id;                 /* of the command */
};
void fb_audit_withheld(struct fb_auditor *auditor, struct fb_encoder *encoder,
                       const struct fb_withheld *withheld, struct fb_encoded *encoded);
/* An operator's call was taken with the clock at auditor->clock_us. read: as it was written
 * (bytes); outcome: of a good one. origin: where it stands. */
void fb_audit_call(struct fb_auditor *auditor, struct fb_encoder *encoder,
                   const struct fb_call_read *read, enum fb_call_outcome outcome,
                   struct fb_str bytes, const struct fb_origin *origin,
                   struct fb_encoded *encoded);
/* Whether this is a jump: a step of more than max_skew_us, but not the first. */
bool fb_audit_is_jump(int64_t from_us, int64_t to_us, int64_t max_skew_us);

#endif
