/* What an operator asks of running actuators and alarms.
 *
 * Place in the flow: codec/call reads one from what a person wrote; core/call does it, between two
 * records. rules/MEANING.md, A16 to A18 and A40 to A46, is its exact meaning. */
#ifndef FB_MODEL_CALL_H
#define FB_MODEL_CALL_H

#include "engine/model/entry.h"

enum fb_call_kind {
    FB_CALL_HAND,
    FB_CALL_AUTO,
    FB_CALL_KILL,
    FB_CALL_UNKILL,
    FB_CALL_RESET,
    FB_CALL_ACK,
    FB_CALL_SHELVE,
    FB_CALL_UNSHELVE,
    FB_CALL_MAINTENANCE,
    FB_CALL_SERVICE,
    FB_CALLS
};
const char *fb_call_name(enum fb_call_kind kind);

/* FREEZE: no command goes out. SAFE: none but the step to safe. */
enum fb_kill { FB_KILL_NONE, FB_KILL_FREEZE, FB_KILL_SAFE };

/* What a kill is of. */
enum fb_scope { FB_SCOPE_ALL, FB_SCOPE_RULE, FB_SCOPE_ACTUATOR };

/* The longest shelf. */
#define FB_SHELF_MAX_US (INT64_C(8) * 3600 * 1000000)

enum {
    FB_KILLS_MAX = 64,      /* in force at a time */
    FB_CALL_NAME_MAX = 1024 /* bytes of a name, an id, who and reason */
};

/* Views; empty where a member has no meaning for the kind. */
struct fb_call {
    enum fb_call_kind kind;
    struct fb_str actuator;         /* hand, auto; reset but of a rule */
    struct fb_str alarm;            /* ack, shelve, unshelve: name of its rule */
    struct fb_str device;           /* all but kill and unkill */
    struct fb_str class_;           /* maintenance, service; empty: of whatever class */
    bool is_number;                 /* hand: `number`, else `word` */
    double number;
    struct fb_str word;
    int64_t until_us;    /* hand, shelve, maintenance: on the task's clock C */
    bool once;           /* shelve: not beyond the alarm's own end */
    enum fb_kill mode;   /* kill */
    enum fb_scope scope; /* kill, unkill; reset: RULE, or not */
    struct fb_str name;  /* of the rule or actuator killed, of the rule reset; ALL: empty */
    struct fb_str who, reason;
    struct fb_origin origin; /* where it stands: the cause of what it tells */
};

enum fb_call_outcome {
    FB_CALL_ACCEPTED,
    FB_CALL_ELSEWHERE, /* the device is none of this task */
    FB_CALL_NO_ACTUATOR,
    FB_CALL_NO_RULE,
    FB_CALL_NO_FLEET,  /* the rule, if there is one, has none */
    FB_CALL_BAD_VALUE, /* no word of the actuator, or out of its range */
    FB_CALL_PAST,      /* its end is not ahead of the clock */
    FB_CALL_TOO_MANY,  /* kills */
    FB_CALL_NOT_KILLED,
    FB_CALL_NOT_IN_HAND,
    FB_CALL_NOT_OPEN, /* the breaker; nor is the actuator stopped */
    FB_CALL_NO_ALARM,
    FB_CALL_NO_CLASS,
    FB_CALL_AMBIGUOUS, /* several classes have such a device */
    FB_CALL_NOT_ACTIVE,
    FB_CALL_ACKED,    /* already */
    FB_CALL_TOO_LONG, /* a shelf */
    FB_CALL_NOT_SHELVED,
    FB_CALL_NOT_IN_MAINTENANCE
};
/* In words, for the audit. */
const char *fb_call_outcome_text(enum fb_call_outcome outcome);

#endif
