/* Actuators, the claims on them, what becomes of these, and what an operator asks for (A1 to A19 of
 * rules/MEANING.md).
 *
 * Place in the flow: oracle_acting finds the claims in force and when it is decided, oracle_decide
 * decides, oracle_guard asks the guardrails, oracle_call takes calls. What an actuator did is kept
 * as lists of all that ever was, and every guardrail looks through them anew. */
#ifndef FB_TESTS_ORACLE_ACTING_H
#define FB_TESTS_ORACLE_ACTING_H

#include "tests/oracle/oracle_internal.h"

struct ora_claim {
    const struct fb_command_decl *decl;
    struct ora_rule *rule;
    struct ora_condition *condition;
    uint32_t index; /* in the class */
    int priority;
    int64_t pulse; /* 0: none */
    int64_t every; /* of a step; 0: it is none */
    double low, high;
    struct ora_expr *from; /* NULL: none */
};

struct ora_actuator {
    const struct fb_actuator_decl *decl;
    struct ora_class *class;
    uint32_t index;
    struct fb_actuator out[2]; /* what outputs point to: the real one, its shadow */
    bool is_switch, has_shadow;
    struct ora_unit unit;
    double low, high, safe, fallback;
    int64_t minimum[2]; /* off, on */
    int64_t maximum_on; /* 0: none */
    int64_t starts_per;
    double slew[2]; /* down, up; 0: none */
    int64_t slew_per[2];
    double ignore_under; /* 0: none */
    int64_t lease, deliver, hold, lockout;
    uint32_t reversals; /* 0: no breaker */
    int64_t reversals_in, breaker_for;
    struct ora_condition *interlock, *permissive; /* NULL: none */
    struct ora_claim **claims; /* in the order of the text */
    uint32_t n_claims;
};

/* A command that was sent. */
struct ora_sent {
    int64_t at;
    double value;
    const struct ora_rule *winner; /* NULL: the default, the hand */
    uint8_t priority;
};

/* What a claim asks for at an instant. */
struct ora_asked {
    bool in_force, unknown_safe;
    double value;
    int64_t ends; /* by `for` or `hold at most`; FB_NEVER */
};

/* What an actuator, or its shadow, remembers. */
struct ora_memory {
    struct ora_sent *sent; /* all commands */
    size_t n_sent, cap_sent;
    bool has_accepted, decided;
    bool concerned; /* by an evaluation (A2) */
    double accepted, direction; /* direction of the accepted step before; 0: none */
    int64_t now;                /* of the decision before, if decided */
    int64_t changed;            /* time of change */
    int64_t lease_until;        /* of the last command, if n_sent > 0; on the wall clock */
    bool lapsed;                /* A10; until the next command */
    struct ora_times starts, reversals;
    int64_t lockout_end, breaker_end; /* FB_NO_TIME: none, closed */
    enum fb_guard blocks;             /* FB_GUARDS: none */
    uint64_t blocked;
    int64_t due;
    int interlock, permissive; /* 0 false, 1 true, 2 unknown; -1: not yet */
    /* A97, A98 */
    uint32_t failures;
    enum { ORA_NO_TRIAL, ORA_TRIAL_AWAITED, ORA_TRIAL } trial;
    struct ora_op trial_delay;
    bool had_seen; /* at the evaluation of the condition before, something was accepted: */
    double seen;
    bool has_hand;             /* A16; it may have ended */
    double hand;
    int64_t hand_until;
};

/* The claims in force, as arbitration saw them; the winner. */
struct ora_winner {
    bool any; /* false: the default */
    const struct ora_rule *rule; /* NULL: the hand */
    uint8_t priority;
    double value;
    bool unknown_safe;
    struct fb_array_entry entries[FB_CLAIMS_MAX + 1];
    uint32_t n_entries;
    int64_t ends; /* when the first of them ends by `for` or `hold at most`; FB_NEVER */
};

/* A request on its way through the guardrails. */
struct ora_request {
    struct ora *o;
    struct ora_device *device;
    const struct ora_rule *winner; /* NULL: the default, the hand */
    bool by_hand;
    bool shadow;
    const struct ora_actuator *actuator;
    struct ora_memory *memory;
    int64_t now;
    enum fb_kill kill;
    bool maintenance; /* of the device */
    bool behind;      /* catch_up holds */
    int64_t abreast;  /* from then on it would not, by the present wall clock */
    double requested; /* by the winner */
    double value;
    bool held;        /* by a guardrail */
    bool silent;      /* by kill or maintenance: no renewal either */
    bool made_safe, slewed;
    bool safety; /* a guardrail, or what is unknown, asks for safe, whoever else does */
    bool stopped;         /* A98 */
    enum fb_guard blocks; /* FB_GUARDS: none */
    int64_t next;         /* deadline */
    struct fb_guard_result results[FB_GUARDS];
    uint32_t n_results;
};

/* --- From the tree --- */
void ora_count_actuator(struct ora *o, const struct fb_actuator_decl *decl);
void ora_add_actuators(struct ora *o);
void ora_add_claims(struct ora_scope *s, struct ora_rule *rule);
/* NULL: there is no such actuator. */
struct ora_actuator *ora_find_actuator(const struct ora_class *class, struct fb_str name);
struct ora_expr *ora_actuator_expr(struct ora_scope *s, struct fb_str name);

/* --- State --- */
void ora_memories_new(struct ora *o, struct ora_device *device);
void ora_memories_free(struct ora_device *device);
struct fb_value ora_accepted(const struct ora_device *device, const struct ora_actuator *actuator);

/* --- What happens --- */
/* The beginning of an evaluation: notes what the claims ask for. */
void ora_acting_begins(const struct ora_view *view, struct ora_device *device);
void ora_control_step(struct ora_view *view, struct ora_device *device, struct ora_rule *rule,
                      const bool *due);
/* Interlocks and permissives that are due, and whom the evaluation concerns. */
void ora_actuators_look(struct ora_view *view, struct ora_device *device, const bool *due);
/* The end of an evaluation, of a record the second one's. */
void ora_actuators_step(struct ora_view *view, struct ora_device *device);
/* C; FB_NEVER */
int64_t ora_actuators_due(const struct ora_device *device);
/* The actuators that are due at view->now. */
void ora_actuators_fire(struct ora_view *view, struct ora_device *device);

/* A5 */
struct ora_winner ora_arbitrate(const struct ora_actuator *a, const struct ora_device *device,
                                bool shadow, int64_t now);
/* oracle_decide.c */
void ora_decide(struct ora_view *view, struct ora_device *device, const struct ora_actuator *a,
                bool shadow, int64_t now);

/* --- oracle_call.c --- */
/* A17: what concerns a decision about it that this rule (NULL: none) wins. */
enum fb_kill ora_kill_of(struct ora *o, const struct ora_actuator *a,
                         const struct ora_rule *winner);
/* All actuators of the device, and their shadows, have a deadline at c. */
void ora_all_due(struct ora_device *device, int64_t c);
/* --- oracle_alarm.c --- */
enum fb_call_outcome ora_call_of_alarms(struct ora *o, const struct fb_call *call);
/* The next end of a shelf or of maintenance, on C; FB_NEVER */
int64_t ora_service_due(const struct ora_device *device);
void ora_service_fire(const struct ora_view *view, struct ora_device *device);

/* --- oracle_fleet.c (A90 to A94) --- */
/* False: the winner acts on too many devices; `hold`: until when, FB_NEVER: it is refused. Opens
 * the breaker. */
bool ora_fleet_lets(struct ora *o, struct ora_device *device, const struct ora_rule *rule,
                    bool shadow, int64_t now, int64_t *hold);
/* Of all controls of the device that are one rule (A81). */
struct ora_rule_state *ora_fleet_state(const struct ora_device *device,
                                       const struct ora_rule *rule);
enum fb_call_outcome ora_reset_fleet(struct ora *o, const struct fb_call *call);

/* --- oracle_rate.c (A100 to A103) --- */
/* Until when the rule's `at most`, or the one of all rules together, holds; FB_NO_TIME: it does not
 * hold. Only where there is such a limit. */
int64_t ora_rate_holds(const struct ora_device *device, const struct ora_rule *rule, bool shadow,
                       int64_t now);
int64_t ora_commands_hold(const struct ora *o, bool shadow, int64_t now);
/* A command that makes another value the accepted one, not towards safe; rule NULL: the default. */
void ora_count_command(struct ora *o, struct ora_device *device, const struct ora_rule *rule,
                       bool shadow, int64_t now);

/* --- oracle_asked.c (A80 to A86) --- */
/* Of the control that stands for a command to other devices. */
struct ora_class *ora_asked_class(const struct ora *o, const struct fb_rule_decl *control);
struct ora_expr *ora_asked_start(struct ora_scope *s, const struct fb_rule_decl *control);
struct ora_expr *ora_asked_value_expr(struct ora_scope *s, const struct fb_rule_decl *control,
                                      const struct ora_actuator *a);
/* The value of a command. */
struct ora_expr *ora_claim_value(struct ora_scope *s, const struct ora_actuator *a,
                                 const struct fb_node *n);
struct fb_value ora_asked(struct ora_view *view, const struct ora_expr *e);
struct fb_value ora_in_state(struct ora_view *view, const struct ora_expr *e);

/* --- oracle_follow.c --- */
/* A97: at an evaluation of the condition of A_discrepancy, c and d being what its delay is given.
 */
void ora_follow(struct ora_view *view, const struct ora_actuator *a, struct fb_value c,
                struct fb_value d);
/* A98; a shadow never is. */
bool ora_is_stopped(const struct ora_actuator *a, const struct ora_memory *m, bool shadow);
/* A99: the operator says that somebody has looked. */
void ora_follow_again(struct ora_device *device, const struct ora_actuator *a);

bool ora_hand_holds(const struct ora_memory *memory, int64_t now);

void ora_follow_steps(const struct ora_view *view, struct ora_device *device,
                      const struct ora_rule *rule);

/* --- oracle_mode.c (A21) --- */
void ora_add_gos(struct ora_scope *s, struct ora_rule *rule);
/* NULL: there is no such mode. */
/* ---- oracle_alarm_name.c ---- */

/* The name of an alarm of the class (A50); NULL: there is none. Held: as its commands see it. */
struct ora_expr *ora_alarm_expr(struct ora_scope *s, struct fb_str name);
struct ora_expr *ora_held_alarm_expr(struct ora_scope *s, const struct fb_rule_decl *alarm);
struct fb_value ora_alarm_value(const struct ora_device *device, const struct ora_expr *e);
/* After an evaluation of the alarm: what reads it is due where it sees another value. */
void ora_alarm_tell(const struct ora_view *view, struct ora_device *device,
                    const struct ora_rule *rule);

struct ora_expr *ora_mode_expr(struct ora_scope *s, struct fb_str name);
struct fb_value ora_mode_value(const struct ora_device *device, const struct fb_rule_decl *mode);
void ora_mode_conditions(struct ora_view *view, struct ora_device *device, struct ora_rule *rule,
                         const bool *due);
/* Those that the evaluation concerns, or that are due at view->now. */
void ora_modes_look(struct ora_view *view, struct ora_device *device, bool due_only);

/* --- oracle_guard.c --- */
void ora_note_due(struct ora_request *request, int64_t c);
/* A7 */
bool ora_towards_safe(const struct ora_actuator *actuator, const struct ora_memory *memory,
                      double value);
/* A8: asks all of them. */
void ora_ask_guards(struct ora_request *request);
/* A9: what a command leaves behind. */
void ora_accept(const struct ora_actuator *actuator, struct ora_memory *memory, double value,
                int64_t now);

#endif
