/* One decision: the claims, the guardrails, the command, what is told of a block, the deadlines.
 *
 * Place in the flow: see actuator.h. */
#include "engine/core/actuator.h"

#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/core/claim.h"
#include "engine/core/fleet.h"
#include "engine/core/follow.h"
#include "engine/core/guard.h"
#include "engine/core/mode.h"
#include "engine/core/kill.h"
#include "engine/core/mute.h"
#include "engine/core/rate.h"
#include "engine/core/report.h"
#include "engine/core/rest.h"

/* What reads an actuator is not looked at more often than this after each change of it (A13). */
#define AGAIN_US INT64_C(1000000)

static struct fb_actuator_cell *cell_of(const struct fb_device *device, uint32_t index) {
    return (void *)(fb_device_block((struct fb_device *)device) +
                    device->plan->class_->actuators[index].offset);
}

void fb_actuators_begin(struct fb_device *device, int64_t now_us) {
    fb_fleets_begin(device, now_us);
    for (uint32_t i = 0; i < device->plan->class_->n_actuators; i++)
        cell_of(device, i)->changed_us = now_us;
}

int64_t fb_actuators_due(const struct fb_device *device) {
    int64_t due_us = fb_steps_due(device), modes_us = fb_modes_due(device);
    if (modes_us < due_us)
        due_us = modes_us;
    for (uint32_t i = 0; i < device->plan->class_->n_actuators; i++) {
        int64_t us = cell_of(device, i)->due_us;
        if (us < due_us)
            due_us = us;
    }
    return due_us;
}

uint64_t fb_actuators_due_at(const struct fb_device *device, int64_t c_us) {
    uint64_t set = 0;
    for (uint32_t i = 0; i < device->plan->class_->n_actuators; i++)
        set |= (uint64_t)(cell_of(device, i)->due_us <= c_us) << i;
    return set;
}

void fb_actuators_make_some_due(struct fb_device *device, uint64_t set, int64_t c_us) {
    for (uint64_t bits = set; bits; bits &= bits - 1) {
        struct fb_actuator_cell *cell = cell_of(device, (uint32_t)__builtin_ctzll(bits));
        if (c_us < cell->due_us)
            cell->due_us = c_us;
    }
    if (set && c_us < device->acting_us)
        device->acting_us = c_us;
}

void fb_actuators_make_due(struct fb_device *device, int64_t c_us) {
    fb_actuators_make_some_due(device, fb_actuators_all(device->plan->class_), c_us);
}

/* ---- one decision ---- */

struct decision {
    struct fb_core *core;
    const struct fb_moment *moment;
    uint32_t index;
    const struct fb_actuator *actuator;
    struct fb_actuator_cell *cell;
    int64_t moment_us;       /* the C of the moment */
    int64_t now_us, wall_us; /* A1: never less than at the decision before */
    struct fb_arbitration won;
    struct fb_request request;
    struct fb_fleet_view fleet; /* where request.fleet points there */
    const struct fb_rate *rate; /* of the rule that won; NULL: none */
    struct fb_rate_cell *rate_cell, *all_cell; /* of all rules together; NULL: not asked */
    struct fb_guard_result results[FB_GUARDS];
    uint32_t n_results;
    enum fb_guard blocks; /* FB_GUARDS: none */
    bool held;            /* nothing of the request is applied */
    bool silent;          /* catch_up, discrepancy, kill, maintenance: nothing at all is sent */
    bool killed;          /* kill or maintenance: no further guardrail is asked */
    bool forced;          /* a guardrail made the value that is asked for */
    struct fb_actuator_before before; /* of a command */
    int64_t due_us;
};

static bool is_new(const struct decision *d) {
    return !d->cell->has_accepted || d->request.value != d->cell->accepted;
}

/* Those that force another value; range and slew only shape what is asked for. */
static bool forces(enum fb_guard guard) {
    return guard == FB_GUARD_INTERLOCK || guard == FB_GUARD_LOCKOUT || guard == FB_GUARD_MAXIMUM ||
           guard == FB_GUARD_BREAKER || guard == FB_GUARD_KILL;
}

/* The first that blocks is told of, but for catch_up, which is told of whenever it holds. */
static void block(struct decision *d, enum fb_guard guard) {
    if (d->blocks == FB_GUARDS || guard == FB_GUARD_CATCH_UP)
        d->blocks = guard;
}

static void due_at(struct decision *d, int64_t at_us) {
    if (at_us > d->now_us && at_us < d->due_us)
        d->due_us = at_us;
}

/* For who reads why: the guardrails themselves look at the oldest instant alone. */
static void tell_count(const struct decision *d, struct fb_guard_result *result) {
    const struct fb_actuator *actuator = d->actuator;
    const struct fb_actuator_cell *cell = d->cell;
    if (result->guard == FB_GUARD_STARTS && actuator->starts > 0 && result->requested == 1) {
        result->most = actuator->starts;
        result->per_us = actuator->starts_us;
        result->counted = fb_times_since(cell->times, actuator->starts, cell->next_start,
                                         fb_add_sat(d->now_us, -actuator->starts_us));
    } else if (result->guard == FB_GUARD_RATE || result->guard == FB_GUARD_COMMANDS) {
        const bool one = result->guard == FB_GUARD_RATE;
        const struct fb_rate *rate = one ? d->rate : &d->core->program->rate;
        result->most = rate->n;
        result->per_us = rate->per_us;
        result->counted =
            fb_rate_counted(one ? d->rate_cell : d->all_cell, rate, actuator->shadow, d->now_us);
    }
}

static void ask(struct decision *d, const struct fb_guard_row *row) {
    struct fb_request *request = &d->request;
    int64_t until_us = FB_NEVER;
    double given = request->value;
    request->renewal = !is_new(d);
    enum fb_verdict verdict = row->fn(d->actuator, d->cell, request, d->now_us, &until_us);
    FB_ASSERT(verdict == FB_VERDICT_CHANGE || request->value == given);
    struct fb_guard_result *result = &d->results[d->n_results++];
    *result =
        (struct fb_guard_result){.guard = row->guard,
                                 .verdict = verdict,
                                 .requested = given,
                                 .applied = request->value,
                                 .until_us = verdict == FB_VERDICT_HOLD ? until_us : FB_NEVER};
    tell_count(d, result);
    /* What else has an end is in the cell: find_due. A step that catch_up will keep back is none:
     * over a long leap of the clock they would be asked for one by one. */
    if (verdict == FB_VERDICT_HOLD ||
        (row->guard == FB_GUARD_SLEW && request->lag_us <= request->max_lag_us))
        due_at(d, until_us);
    switch (verdict) {
    case FB_VERDICT_PASS:
        break;
    case FB_VERDICT_CHANGE:
        d->forced |= forces(row->guard);
        if (forces(row->guard) && request->value != request->requested)
            block(d, row->guard);
        break;
    case FB_VERDICT_HOLD:
    case FB_VERDICT_REFUSE:
        d->held = true;
        d->killed |= row->guard == FB_GUARD_KILL || row->guard == FB_GUARD_MAINTENANCE;
        d->silent |=
            d->killed || row->guard == FB_GUARD_DISCREPANCY || row->guard == FB_GUARD_CATCH_UP;
        if (row->guard != FB_GUARD_SLEW)
            block(d, row->guard);
        break;
    }
}

/* The last, of what would be sent: it counts over the members of the domain. */
static void ask_fleet(struct decision *d, const struct fb_fleet *fleet) {
    const struct fb_guard_row *row = &fb_guard_rows[FB_GUARD_FLEET];
    if (!fb_guard_is_asked(row, d->actuator, d->cell, &d->request))
        return;
    d->fleet = fb_fleet_look(d->moment->device, fleet, d->actuator->shadow, d->now_us);
    d->request.fleet = &d->fleet;
    ask(d, row);
    if (fb_fleet_is_exceeded(&d->fleet) && d->fleet.settled)
        fb_fleet_open(d->core, d->moment->device, fleet, d->actuator->shadow, d->now_us);
}

/* Those that concern few decisions are not among what the guardrails said of the others. */
static bool concerns(const struct decision *d, enum fb_guard guard) {
    switch (guard) {
    case FB_GUARD_KILL:
        return d->request.kill != FB_KILL_NONE;
    case FB_GUARD_MAINTENANCE:
        return d->request.maintenance;
    case FB_GUARD_DISCREPANCY:
        return d->request.stopped;
    case FB_GUARD_RATE:
        return d->rate != NULL;
    case FB_GUARD_COMMANDS:
        return d->all_cell != NULL;
    default:
        return true;
    }
}

static void ask_all(struct decision *d) {
    for (uint32_t i = 0; i < FB_GUARD_FLEET; i++) {
        const struct fb_guard_row *row = &fb_guard_rows[i];
        if (d->killed || (d->held && row->guard != FB_GUARD_CATCH_UP) || !concerns(d, row->guard))
            continue;
        if (fb_guard_is_asked(row, d->actuator, d->cell, &d->request))
            ask(d, row);
    }
    if (!d->held && d->won.rule && d->won.rule->fleet)
        ask_fleet(d, d->won.rule->fleet);
}

/* ---- what is put out ---- */

static struct fb_output output_of(const struct decision *d, double value, bool has_value) {
    return (struct fb_output){
        .rule = d->won.rule,
        .at_us = d->now_us,
        .actuator = d->actuator,
        .actuator_index = d->index,
        .value = value,
        .has_value = has_value,
        .requested = d->request.requested,
        .priority = d->won.priority,
        .results = d->results,
        .n_results = d->n_results,
        .fleet = d->request.fleet,
        .entries = d->won.entries,
        .n_entries = d->won.n_entries,
        .guard = d->blocks,
        .interlock = d->request.interlock,
        .permissive = d->request.permissive,
    };
}

static enum fb_command_reason reason_of(const struct decision *d) {
    if (d->forced || d->won.safe)
        return FB_REASON_SAFE;
    if (d->request.slewed)
        return FB_REASON_SLEW;
    return d->won.n_entries ? FB_REASON_CLAIMED : FB_REASON_RELINQUISHED;
}

/* Another guardrail blocks than at the decision before, or none does. */
static void tell_of_block(struct decision *d, double value, bool has_value) {
    struct fb_actuator_cell *cell = d->cell;
    if (cell->guard != d->blocks) {
        struct fb_output output = output_of(d, value, has_value);
        output.kind = FB_OUT_BLOCKED;
        if (cell->guard != FB_GUARDS) {
            output.guard = (enum fb_guard)cell->guard;
            output.ended = true;
            output.count = cell->blocked;
            fb_report_acting(d->core, d->moment, &output);
        }
        cell->guard = (uint8_t)d->blocks;
        cell->blocked = 0;
        cell->blocked_us = d->blocks == FB_GUARDS ? FB_NO_TIME : d->now_us;
        if (d->blocks != FB_GUARDS) {
            output.guard = d->blocks;
            output.ended = false;
            output.count = 0;
            fb_report_acting(d->core, d->moment, &output);
        }
    }
    cell->blocked += d->blocks != FB_GUARDS;
}

static void note_before(struct decision *d) {
    const struct fb_actuator_cell *cell = d->cell;
    d->before = (struct fb_actuator_before){.accepted = cell->accepted,
                                            .direction = cell->direction,
                                            .changed_us = cell->changed_us,
                                            .sent_us = cell->sent_us,
                                            .lease_until_us = cell->lease_until_us,
                                            .winner = cell->winner,
                                            .has_accepted = cell->has_accepted,
                                            .priority = cell->priority};
}

static void send(struct decision *d, struct fb_output *output) {
    output->kind = FB_OUT_COMMAND;
    output->before = &d->before;
    output->seq = ++d->cell->seq;
    output->expires_at_us = fb_add_sat(d->wall_us, d->actuator->deliver_us);
    output->lease_until_us = fb_add_sat(d->wall_us, d->actuator->lease_us);
    d->cell->lease_until_us = output->lease_until_us;
    d->cell->sent_us = d->now_us;
    fb_report_acting(d->core, d->moment, output);
}

/* Conditions that read it are evaluated by timers, A13. */
static void wake_readers(const struct decision *d, int64_t changed_us) {
    const struct fb_class *class_ = d->moment->device->plan->class_;
    bool soon = changed_us != FB_NO_TIME && d->now_us - changed_us < AGAIN_US;
    for (uint32_t i = 0; i < class_->n_conditions; i++)
        if (class_->conditions[i].actuators >> d->index & 1)
            fb_rest_tell(d->core, d->moment, i, soon ? AGAIN_US : 0, d->moment_us);
}

/* What `fleet` and the rates count: a change that does not go towards safe (A90, A100); before it
 * is accepted. */
static void count(struct decision *d) {
    const struct fb_fleet *fleet = d->won.rule ? d->won.rule->fleet : NULL;
    const bool shadow = d->actuator->shadow;
    if ((!fleet && !d->rate && !d->all_cell) ||
        fb_is_towards_safe(d->actuator, d->cell, d->request.value))
        return;
    if (fleet)
        fb_fleet_acted(d->moment->device, fleet, shadow, d->now_us);
    if (d->rate)
        fb_rate_note(d->rate_cell, d->rate->n, shadow, d->now_us);
    if (d->all_cell)
        fb_rate_note(d->all_cell, d->core->program->rate.n, shadow, d->now_us);
}

static void command(struct decision *d) {
    struct fb_actuator_cell *cell = d->cell;
    struct fb_output output = output_of(d, d->request.value, true);
    output.reason = reason_of(d);
    int64_t changed_us = cell->has_accepted ? cell->changed_us : FB_NO_TIME;
    note_before(d);
    if (is_new(d)) {
        count(d);
        fb_guards_accepted(d->actuator, cell, d->request.value, d->now_us);
        if (!d->actuator->shadow)
            wake_readers(d, changed_us);
    }
    cell->winner = d->won.winner;
    cell->priority = d->won.priority;
    send(d, &output);
}

/* What has lapsed is not renewed: what is in force is no command's any more. */
static bool has_lapsed(const struct decision *d) {
    return d->cell->seq && d->cell->lease_until_us == FB_NO_TIME;
}

static bool is_leased(const struct decision *d) {
    return d->cell->seq && !has_lapsed(d) &&
           (d->won.n_entries || d->cell->accepted != d->actuator->safe);
}

static int64_t renewal_us(const struct decision *d) {
    return fb_add_sat(d->cell->sent_us, d->actuator->lease_us / 3);
}

/* What is in force goes out again: as the last command said it, by whatever rule. */
static void renew(struct decision *d) {
    struct fb_output output = output_of(d, d->cell->accepted, true);
    output.reason = FB_REASON_RENEWED;
    output.priority = d->cell->priority;
    output.rule = fb_winner_rule(d->moment->device->plan, d->index, d->cell->winner);
    note_before(d);
    send(d, &output);
}

/* ---- the decision ---- */

static uint8_t truth_of(const struct fb_device *device, uint32_t condition, uint8_t without) {
    return condition == FB_NO_CONDITION ? without : fb_device_truth(device, condition);
}

static void find_due(struct decision *d) {
    const struct fb_actuator_cell *cell = d->cell;
    const struct fb_actuator *actuator = d->actuator;
    due_at(d, cell->lockout_end_us);
    due_at(d, cell->breaker_end_us);
    if (actuator->maximum_on_us && cell->has_accepted && cell->accepted != 0)
        due_at(d, fb_add_sat(cell->changed_us, actuator->maximum_on_us));
    if (d->blocks ==
        FB_GUARD_MAXIMUM) /* a claim that goes on starts it again then, not by chance */
        due_at(d, fb_add_sat(cell->changed_us, actuator->minimum_us[0]));
    if (is_leased(d))
        due_at(d, renewal_us(d));
    due_at(d, d->won.ends_us);
}

static void apply(struct decision *d) {
    const struct fb_actuator_cell *cell = d->cell;
    bool other = (d->won.winner != cell->winner || d->won.priority != cell->priority) &&
                 d->request.value == d->request.requested;
    bool sends = !d->held && (is_new(d) || other || has_lapsed(d));
    tell_of_block(d, sends ? d->request.value : cell->accepted, sends || cell->has_accepted);
    if (sends)
        command(d);
    else if (!d->silent && is_leased(d) && d->now_us >= renewal_us(d))
        renew(d);
}

/* The limits of what won: of its rule, and of all together, which do not hold the hand. */
static void find_rates(struct decision *d) {
    const bool shadow = d->actuator->shadow;
    d->rate = d->won.rule ? d->won.rule->rate : NULL;
    if (d->rate) {
        d->rate_cell = (void *)(fb_device_block(d->moment->device) + d->rate->offset);
        d->request.rate_end_us = fb_rate_end(d->rate_cell, d->rate, shadow);
    }
    d->all_cell = d->won.winner == FB_WINNER_HAND ? NULL : d->core->rate;
    if (d->all_cell) {
        const struct fb_rate *all = &d->core->program->rate;
        d->request.commands_end_us = fb_rate_end(d->all_cell, all, shadow);
        d->request.commands_per_us = all->per_us;
    }
}

/* What is not set here is written before it is read: the arrays are long. */
static void begin(struct decision *d, struct fb_core *core, const struct fb_moment *moment,
                  uint32_t index, int64_t now_us) {
    const struct fb_device *device = moment->device;
    const struct fb_actuator *actuator = &device->plan->class_->actuators[index];
    struct fb_actuator_cell *cell = cell_of(device, index);
    d->core = core;
    d->moment = moment;
    d->index = index;
    d->actuator = actuator;
    d->cell = cell;
    d->moment_us = now_us;
    d->now_us = now_us > cell->now_us ? now_us : cell->now_us;
    d->wall_us = core->wall_us == FB_NO_TIME ? d->now_us : core->wall_us;
    d->n_results = 0;
    d->blocks = FB_GUARDS;
    d->held = d->silent = d->killed = d->forced = false;
    d->due_us = FB_NEVER;
    bool watched = core->config.max_lag_us > 0 && d->wall_us > d->now_us;
    fb_arbitrate(device, index, d->now_us, &d->won);
    d->request = (struct fb_request){
        .requested = d->won.value,
        .value = d->won.value,
        .interlock = truth_of(device, actuator->interlock, FB_FALSE),
        .permissive = truth_of(device, actuator->permissive, FB_TRUE),
        .kill = fb_kill_of(core, actuator, d->won.rule),
        .maintenance = fb_is_in_maintenance(core, device),
        .stopped = fb_follow_is_stopped(actuator, cell),
        .lag_us = watched ? d->wall_us - d->now_us : 0,
        .max_lag_us = core->config.max_lag_us,
        .safety = d->won.safe || fb_guard_breaks_safe(actuator, cell, d->now_us),
    };
    find_rates(d);
}

/* A lease that ran out while nobody decided; while catch_up holds, now is none of the wall's. */
static void lapse(struct decision *d) {
    int64_t changed_us = d->cell->changed_us;
    if (d->request.lag_us > d->request.max_lag_us ||
        !fb_guards_lapse(d->actuator, d->cell, d->wall_us, d->now_us))
        return;
    if (!d->actuator->shadow)
        wake_readers(d, changed_us);
}

/* True: its command has opened a breaker that makes safe, so that it is decided once more. */
static bool decide(struct fb_core *core, const struct fb_moment *moment, uint32_t index,
                   int64_t now_us) {
    struct decision d;
    begin(&d, core, moment, index, now_us);
    const bool was_open = fb_guard_breaks_safe(d.actuator, d.cell, d.now_us);
    lapse(&d);
    fb_guards_interlock(d.actuator, d.cell, d.request.interlock, d.now_us);
    if (d.won.n_entries || d.cell->seq) {
        d.cell->now_us = d.now_us;
        ask_all(&d);
        apply(&d);
        find_due(&d);
    } else if (d.cell->guard != FB_GUARDS) { /* its first request was withdrawn while it waited */
        d.cell->now_us = d.now_us;
        tell_of_block(&d, 0, false);
    }
    d.cell->due_us = d.due_us;
    return !was_open && fb_guard_breaks_safe(d.actuator, d.cell, d.now_us) &&
           d.cell->accepted != d.actuator->safe;
}

void fb_actuators_decide(struct fb_core *core, const struct fb_moment *moment, uint64_t set,
                         int64_t now_us) {
    for (uint64_t bits = set; bits; bits &= bits - 1)
        while (decide(core, moment, (uint32_t)__builtin_ctzll(bits), now_us)) {
        }
    struct fb_device *device = moment->device;
    int64_t actuators_us = fb_actuators_due(device), mute_us = fb_mute_due(core, device);
    device->acting_us = actuators_us < mute_us ? actuators_us : mute_us;
}
