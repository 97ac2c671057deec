/* Guardrails: what may keep a request from an actuator, or change it. One table, one signature, one
 * file each.
 *
 * Place in the flow: 11 of the event's way; core/actuator.c asks each row in order, between
 * arbitration and the command. Pure functions of what they are given. rules/MEANING.md, A8, has
 * each row's exact meaning; domain.md's ranking of guardrails is where they come from. */
#ifndef FB_CORE_GUARD_H
#define FB_CORE_GUARD_H

#include "engine/model/call.h"
#include "engine/model/program.h"

/* A request on its way through the rows; `value` is what the rows before left of it. */
struct fb_request {
    double requested;    /* by the winner */
    double value;
    uint8_t interlock;   /* 0 false, 1 true, 2 unknown; no interlock: 0 */
    uint8_t permissive;  /* the same; no permissive: 1 */
    enum fb_kill kill;   /* what of it concerns the actuator, or the rule that won */
    bool maintenance;    /* of the device */
    bool stopped;        /* too many commands in a row were not followed */
    int64_t lag_us;      /* wall clock - now, at least 0 */
    int64_t max_lag_us;
    int64_t rate_end_us; /* of the rule that won, until when it may change nothing; FB_NO_TIME */
    int64_t commands_end_us, commands_per_us; /* the same of all rules together, and their time */
    bool renewal;        /* nothing changes but the lease */
    bool safety;         /* towards safe it is safety that asks: `minimum` is not asked then */
    const struct fb_fleet_view *fleet; /* NULL: the winner's rule has no `fleet` */
    bool slewed;         /* at first false; slew cut the step short, so that ignore lets it pass */
};

/* Says what becomes of request->value (which it may change, verdict CHANGE) at now_us. HOLD sets
 * *until_us: then it is asked again; CHANGE and PASS may set it where they would say something else
 * from then on. A row keeps nothing but in the cell; what an accepted command leaves behind is
 * noted by fb_guards_accepted. */
typedef enum fb_verdict fb_guard_fn(const struct fb_actuator *actuator,
                                    struct fb_actuator_cell *cell, struct fb_request *request,
                                    int64_t now_us, int64_t *until_us);

struct fb_guard_row {
    enum fb_guard guard;
    fb_guard_fn *fn;
    bool always;  /* also asked of a step towards safe, and where the value is the accepted one */
    bool of_safe; /* also asked of a step towards safe, unless safety asks for it */
};
/* FB_GUARDS rows, in the order of enum fb_guard. guards.c */
extern const struct fb_guard_row fb_guard_rows[FB_GUARDS];

/* Whether a step from what is accepted (nothing: from anywhere) goes towards safe, A7. guards.c */
bool fb_is_towards_safe(const struct fb_actuator *actuator, const struct fb_actuator_cell *cell,
                        double value);

/* Whether the row is asked of the request as it is now. guards.c */
bool fb_guard_is_asked(const struct fb_guard_row *row, const struct fb_actuator *actuator,
                       const struct fb_actuator_cell *cell, const struct fb_request *request);

/* A command with this value goes out at now_us: notes start, reversal and time of change, then sets
 * cell->accepted. Opens the breaker where that was the last reversal that it allows. guards.c */
void fb_guards_accepted(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                        double value, int64_t now_us);
/* Before the rows, at each decision: the interlock's value at now_us (0 without one). Notes when
 * the lockout begins, and keeps the value in cell->interlocked. guards.c */
void fb_guards_interlock(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                         uint8_t interlock, int64_t now_us);

/* What a step is measured from: what is accepted; nothing: inactive, of a number safe. guards.c */
double fb_guard_base(const struct fb_actuator *actuator, const struct fb_actuator_cell *cell);
/* Before the rows, at a decision that catch_up lets pass: where the last command's lease has run
 * out by wall_us, the equipment has gone to its fail-safe. True: the accepted value was another
 * than safe, and is safe since now_us. guards.c */
bool fb_guards_lapse(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                     int64_t wall_us, int64_t now_us);
/* More devices than the budget of the domain has room for. guard_fleet.c */
bool fb_fleet_is_exceeded(const struct fb_fleet_view *view);
/* Whether the breaker is open at now_us, and makes safe. guards.c */
bool fb_guard_breaks_safe(const struct fb_actuator *actuator, const struct fb_actuator_cell *cell,
                          int64_t now_us);
/* Closes a breaker whose end has come, as of its end: then n - 2 reversals count as made.
 * guards.c */
void fb_guard_close_breaker(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                            int64_t now_us);

fb_guard_fn fb_guard_kill, fb_guard_maintenance, fb_guard_range, fb_guard_interlock,
    fb_guard_lockout, fb_guard_maximum, fb_guard_discrepancy, fb_guard_permissive, fb_guard_minimum,
    fb_guard_starts, fb_guard_breaker, fb_guard_slew, fb_guard_ignore, fb_guard_rate,
    fb_guard_commands, fb_guard_catch_up, fb_guard_fleet;

#endif
