/* Actuators and the claims on them: what rules/ writes and core/ reads, and their cells.
 *
 * Place in the flow: part of the compiled program (model/program.h); rules/MEANING.md, A1 to A20,
 * is their exact meaning.
 *
 * A value is a double: of an actuator with two words 0 (the first, inactive one) and 1. All times
 * of this page are on the task's clock C, where nothing else is said. */
#ifndef FB_MODEL_ACTUATOR_H
#define FB_MODEL_ACTUATOR_H

#include "engine/base/str.h"
#include "engine/model/code.h"

#include <stdint.h>

enum {
    FB_ACTUATORS_MAX = 32,     /* of a class, without their shadows */
    FB_CLAIMS_MAX = 16,        /* on one actuator */
    FB_MODES_MAX = 32,         /* of a class */
    FB_STARTS_MAX = 32,        /* starts .. per .. */
    FB_REVERSALS_MAX = 32,     /* breaker .. reversals */
    FB_RATE_MAX = 64,          /* at most .. of a rule's commands on a device */
    FB_ALL_RATE_MAX = 10000,   /* commands at most .. */
    FB_FAILURES_MAX = 100,     /* feedback .., stop after .. failures */
    FB_MINIMUM_DEFAULT_S = 60, /* of two words, where no minimum is written */
    FB_PRIORITY_FIRST = 9,     /* of a rule: BACnet's 9 to 16 */
    FB_PRIORITY_LAST = 16,
    FB_PRIORITY_DEFAULT = 12,
    FB_PRIORITY_HAND = 8, /* the operator's hand */
    FB_PRIORITY_NONE = 17 /* the default is in force, no entry */
};

/* In place of the hash of a rule's name: the operator's hand has won. */
#define FB_WINNER_HAND UINT64_C(1)

/* Where no such condition stands. */
#define FB_NO_CONDITION UINT32_MAX

enum fb_combine { FB_COMBINE_NONE, FB_COMBINE_MIN, FB_COMBINE_MAX, FB_COMBINE_SAFEST };

/* What an actuator is and which guardrails it has. */
struct fb_actuator {
    struct fb_str name, unit; /* unit empty: none */
    bool is_switch;           /* two words; else a number */
    struct fb_str words[2];
    struct fb_str to;         /* topic of its commands, terminated; empty: the one of all */
    uint32_t rule;            /* of FB_SORT_ACTUATOR: holds its conditions and its version */
    bool shadow;              /* the twin that decides with the claims of all rules and sends
                               * nothing; stands right behind the actuator it belongs to */
    double low, high;         /* both included; switch: 0, 1 */
    double safe, fallback;    /* fallback: BACnet's relinquish default */
    int64_t minimum_us[2];    /* off, on; 0: none. Switches */
    int64_t maximum_on_us;    /* 0: none */
    uint32_t starts;          /* in starts_us; 0: no limit */
    int64_t starts_us;
    double slew[2];           /* down, up: the largest step; 0: no limit. Numbers */
    int64_t slew_us[2];       /* from step to step */
    double ignore_under;      /* smaller steps are left out; 0: none */
    int64_t lease_us, deliver_us, hold_us;
    enum fb_combine combine;
    uint32_t interlock, permissive; /* conditions of the class; FB_NO_CONDITION: none */
    int64_t lockout_us;       /* 0: none */
    uint32_t reversals;       /* in reversals_us; 0: no breaker */
    int64_t reversals_us, breaker_us;
    bool breaker_safe;        /* safe while it is open; else what it has */
    uint32_t failures;        /* commands in a row that feedback did not confirm, after which it is
                               * stopped; 0: never, nor is a shadow */
    uint32_t feedback;        /* failures: the condition of its discrepancy, in the class */
    uint32_t claims[FB_CLAIMS_MAX], n_claims; /* in the class, in the order of the text */
    uint32_t offset, bytes;   /* of struct fb_actuator_cell in the block; bytes by
                               * fb_actuator_bytes */
};

/* One `command` of a control. */
struct fb_claim {
    uint32_t rule;      /* in the program */
    uint32_t actuator;  /* in the class: the real one, not its shadow */
    uint32_t condition; /* in the class: its code gives the value */
    uint8_t priority;
    double percent;     /* of devices on which it is real, not shadow: armed 100, shadow 0 */
    uint32_t state;     /* of a mode: it is in force only there */
    bool of_mode;
    int64_t pulse_us;   /* 0: as long as the rule is on */
    bool is_step;       /* the condition gives what is added every_us, within low..high */
    int64_t every_us;
    double low, high;
    bool has_from;
    struct fb_code from; /* else it starts at what is accepted */
    uint32_t offset;     /* of struct fb_claim_cell; a step: of struct fb_step_cell */
};

/* A state machine (rules/MEANING.md, A21); its conditions and claims are its rule's. */
struct fb_go {
    uint32_t from; /* FB_ANY_STATE: from every other one */
    uint32_t to;
    uint32_t condition; /* of the class; FB_NO_CONDITION: after_us from the entry on */
    int64_t after_us;
    bool at_once; /* also before `stay` is over */
};
struct fb_machine {
    uint32_t rule; /* in the program */
    struct fb_str name;
    struct fb_str *states;
    int64_t *stay_us;
    uint32_t n_states;
    struct fb_go *gos; /* in the order in which they are asked: those of any state first */
    uint32_t n_gos;
    uint32_t offset; /* of its struct fb_rule_cell */
};
/* The state of a mode in its struct fb_rule_cell: let_through is the state, since_us when it was
 * entered (FB_NO_TIME: it is in none), clear_t0_us when it is looked at by itself (FB_NO_TIME:
 * never), clear_paused_us since when a way out of it is unknown, severity as of a control. */
#define FB_ANY_STATE UINT32_MAX

/* What a command asks for, beside its condition. */
struct fb_claim_cell {
    double value;       /* the last known one */
    int64_t unknown_us; /* since when the value is unknown; FB_NO_TIME: it is known */
    uint8_t known;      /* 0: never known; 1: `value` is present; 2: it is the last known one */
};

/* The same of a `step` (rules/MEANING.md, A19): `value` is what it has come to, and what is known
 * or unknown is the amount that is added. */
struct fb_step_cell {
    struct fb_claim_cell claim;
    double by;       /* the last known one */
    int64_t next_us; /* of the next step; FB_NEVER: none is made for now. In the past where steps
                      * that change nothing were left out (core/claim.h, fb_step_rests) */
    uint8_t begun;   /* `value` has begun with the control */
};

/* The state of a control in its struct fb_rule_cell: `severity` is one of these, since_us when it
 * became on, clear_paused_us since when `start` is unknown (FB_NO_TIME: it is known). */
enum fb_control_state { FB_CONTROL_OFF, FB_CONTROL_ON, FB_CONTROL_SAFE };

/* Whether what is commanded is followed (rules/MEANING.md, A97). Times are the device's. */
enum fb_trial_state { FB_TRIAL_NONE, FB_TRIAL_AWAITED, FB_TRIAL_GOES_ON };
struct fb_trial_cell {
    double seen;              /* accepted at the last evaluation of the condition, if has_seen */
    int64_t t0_us, paused_us; /* as FB_I_FOR */
    uint32_t failures;        /* in a row */
    uint8_t has_seen;
    uint8_t state; /* enum fb_trial_state */
};

/* An actuator's memory. The times of starts, then of reversals, follow it: rings of `starts` and
 * `reversals` places, oldest overwritten first, FB_NO_TIME where there was none. Behind them, where
 * failures stop the actuator, a struct fb_trial_cell. */
struct fb_actuator_cell {
    double accepted;        /* the value last commanded, if has_accepted */
    double direction;       /* sign of the last accepted step; 0: none yet */
    int64_t now_us;         /* of the last decision; FB_NO_TIME: none yet */
    int64_t changed_us;     /* when `accepted` last changed; at first when the device came */
    int64_t sent_us;        /* the last command, renewals too */
    int64_t lease_until_us; /* of the last command, on the wall clock; FB_NO_TIME: none yet, or it
                             * has run out, and what was not safe became safe */
    int64_t due_us;         /* of the next decision; FB_NEVER */
    int64_t lockout_end_us; /* FB_NO_TIME: none */
    int64_t breaker_end_us; /* FB_NO_TIME: closed */
    int64_t blocked_us;     /* since when `guard` blocks */
    double hand;            /* what an operator asks for, until hand_until_us */
    int64_t hand_until_us;  /* FB_NO_TIME: nothing */
    uint64_t seq;           /* of the last command; 0: none yet */
    uint64_t winner;        /* of the last command: 64 bits of the hash of its rule's name; 0: the
                             * default; FB_WINNER_HAND */
    uint64_t blocked;       /* decisions that `guard` blocked since it does */
    uint32_t next_start, next_reversal; /* places in the rings */
    uint8_t has_accepted;
    uint8_t priority;       /* of the last command */
    uint8_t guard;          /* enum fb_guard that blocks; FB_GUARDS: none */
    uint8_t interlocked;    /* the interlock's value at the last decision: 0 no, 1 yes, 2 unknown */
    int64_t times[];
};

/* How many devices of a domain a rule may act on at a time (rules/MEANING.md, A90 to A94). */
struct fb_fleet {
    uint32_t rule;  /* in the program: control or mode */
    double percent; /* of the live devices of the domain; above 0, at most 100 */
    int64_t per_us;
    uint32_t relation; /* of the class: all devices of a domain */
    uint32_t offset;   /* of struct fb_fleet_cell in the block */
};
enum { FB_FLEET_ARMED, FB_FLEET_SHADOW, FB_FLEET_SIDES }; /* on actuators, on their shadows */

/* What it has done to a device; FB_NO_TIME: nothing. */
struct fb_fleet_cell {
    int64_t began_us;                  /* when the device came, or the rule got its `fleet` */
    int64_t acted_us[FB_FLEET_SIDES];  /* the last act */
    int64_t opened_us[FB_FLEET_SIDES]; /* the breaker is open since */
};

/* How many devices of the domain the winner's rule acts on (A91); all zero: it has no `fleet`. */
struct fb_fleet_view {
    bool nowhere; /* the device is in no domain */
    bool open;    /* the breaker; then nothing below is known but opened_us */
    int64_t opened_us;
    bool settled;
    uint32_t members, live, acted, budget;
    int64_t per_us;
};

/* How often a rule may change what is commanded on a device (A100), or all rules together
 * (A102). */
struct fb_rate {
    uint32_t n; /* commands in per_us; 0: no limit */
    int64_t per_us;
    uint32_t rule;   /* in the program; of one rule only, as is what follows */
    uint32_t offset; /* of struct fb_rate_cell in the block */
};
/* The instants of the last n commands that it counted: a ring of n places for actuators, then one
 * for their shadows, oldest overwritten first, FB_NO_TIME where there was none. */
struct fb_rate_cell {
    uint32_t next[2]; /* places in the rings */
    int64_t times[];
};
static inline uint32_t fb_rate_bytes(uint32_t n) {
    return (uint32_t)sizeof(struct fb_rate_cell) + 2 * n * (uint32_t)sizeof(int64_t);
}

/* What an actuator was before a command, as far as it is that again where the command is withheld
 * (rules/MEANING.md, A71). */
struct fb_actuator_before {
    double accepted, direction;
    int64_t changed_us, sent_us, lease_until_us;
    uint64_t winner;
    uint8_t has_accepted, priority;
};

/* model/actuator.c */
uint32_t fb_actuator_bytes(const struct fb_actuator *actuator);
static inline struct fb_trial_cell *fb_actuator_trial(const struct fb_actuator *actuator,
                                                      struct fb_actuator_cell *cell) {
    return (void *)(cell->times + actuator->starts + actuator->reversals);
}

/* The guardrails in the order in which they are asked (rules/MEANING.md, A8). The names in the
 * audit are those of fb_guard_name. */
enum fb_guard {
    FB_GUARD_KILL,
    FB_GUARD_MAINTENANCE,
    FB_GUARD_RANGE,
    FB_GUARD_INTERLOCK,
    FB_GUARD_LOCKOUT,
    FB_GUARD_MAXIMUM,
    FB_GUARD_DISCREPANCY,
    FB_GUARD_PERMISSIVE,
    FB_GUARD_MINIMUM,
    FB_GUARD_STARTS,
    FB_GUARD_BREAKER,
    FB_GUARD_SLEW,
    FB_GUARD_IGNORE,
    FB_GUARD_RATE,
    FB_GUARD_COMMANDS,
    FB_GUARD_CATCH_UP,
    FB_GUARD_FLEET,
    FB_GUARDS
};
const char *fb_guard_name(enum fb_guard guard);

/* PASS: as requested. CHANGE: another value is applied. HOLD: nothing is applied before a time.
 * REFUSE: nothing is applied until something changes. */
enum fb_verdict { FB_VERDICT_PASS, FB_VERDICT_CHANGE, FB_VERDICT_HOLD, FB_VERDICT_REFUSE };
const char *fb_verdict_name(enum fb_verdict verdict);

#endif
