/* What an operator asks of running actuators.
 *
 * Place in the flow: codec/call reads one from what a person wrote; core/call does it, between two
 * records. rules/LANGUAGE.md, A16 to A18, is its exact meaning. */
#ifndef FB_MODEL_CALL_H
#define FB_MODEL_CALL_H

#include "engine/base/str.h"

#include <stdint.h>

enum fb_call_kind {
    FB_CALL_HAND,
    FB_CALL_AUTO,
    FB_CALL_KILL,
    FB_CALL_UNKILL,
    FB_CALL_RESET,
    FB_CALLS
};
const char *fb_call_name(enum fb_call_kind kind);

/* FREEZE: no command goes out. SAFE: none but the step to safe. */
enum fb_kill { FB_KILL_NONE, FB_KILL_FREEZE, FB_KILL_SAFE };

/* What a kill is of. */
enum fb_scope { FB_SCOPE_ALL, FB_SCOPE_RULE, FB_SCOPE_ACTUATOR };

enum {
    FB_KILLS_MAX = 64,      /* in force at a time */
    FB_CALL_NAME_MAX = 1024 /* bytes of a name, an id, who and reason */
};

/* Views; empty where a member has no meaning for the kind. */
struct fb_call {
    enum fb_call_kind kind;
    struct fb_str actuator, device; /* hand, auto, reset */
    bool is_number;                 /* hand: `number`, else `word` */
    double number;
    struct fb_str word;
    int64_t until_us;    /* hand: on the task's clock C */
    enum fb_kill mode;   /* kill */
    enum fb_scope scope; /* kill, unkill */
    struct fb_str name;  /* of the rule or actuator killed; ALL: empty */
    struct fb_str who, reason;
};

enum fb_call_outcome {
    FB_CALL_ACCEPTED,
    FB_CALL_ELSEWHERE, /* the device is none of this task */
    FB_CALL_NO_ACTUATOR,
    FB_CALL_NO_RULE,
    FB_CALL_BAD_VALUE, /* no word of the actuator, or out of its range */
    FB_CALL_PAST,      /* its end is not ahead of the clock */
    FB_CALL_TOO_MANY,  /* kills */
    FB_CALL_NOT_KILLED,
    FB_CALL_NOT_IN_HAND,
    FB_CALL_NOT_OPEN   /* the breaker */
};
/* In words, for the audit. */
const char *fb_call_outcome_text(enum fb_call_outcome outcome);

#endif
