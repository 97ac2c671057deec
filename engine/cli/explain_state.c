/* Cells in words: conditions with their delays and latches, claims, actuators.
 *
 * Place in the flow: see explain_state.h. */
#include "engine/cli/explain_state.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/base/num.h"
#include "engine/cli/explain_words.h"
#include "engine/codec/json_write.h"
#include "engine/core/flap.h"
#include "engine/core/fleet.h"
#include "engine/core/follow.h"
#include "engine/core/rate.h"
#include "engine/run/code_words.h"
#include "engine/run/recompute.h"
#include "engine/run/rule_text.h"

struct view {
    const struct fb_state_question *question;
    struct fb_core *core;
    struct fb_device *device;
    const struct fb_class *class_;
    const struct fb_rule *rule;
    int64_t clock_us, time_us;      /* C, and the device's own time */
    struct fb_recompute *recompute; /* has the operands that are printed */
    struct fb_buf *out;
};

static const char *const truths[] = {"false", "true", "unknown"};

/* ---- operands ---- */

static void put_field(struct view *v, uint32_t index, struct fb_buf *out) {
    const struct fb_field *field = &v->class_->fields[index];
    int64_t at_us;
    struct fb_value value = fb_look_field(v->core, v->device, index, &at_us);
    bool good = value.quality == FB_Q_GOOD;
    fb_value_words(field->type, field->unit, field->words, &value, out);
    if (field->role == FB_ROLE_KEY)
        return;
    fb_buf_printf(out, ", %s",
                  value.quality == FB_Q_UNKNOWN ? "never seen"
                                                : fb_quality_name((enum fb_quality)value.quality));
    if (at_us == FB_NO_TIME)
        return;
    fb_buf_text(out, good ? ", " : ", last good ");
    fb_put_span(out, v->time_us - at_us);
    fb_buf_text(out, good ? " old" : " ago");
}

static void put_actuator_value(const struct fb_actuator *actuator, double x, struct fb_buf *out) {
    struct fb_value value = {.num = x, .quality = FB_Q_GOOD};
    if (actuator->is_switch)
        fb_buf_str(out, actuator->words[x != 0]);
    else
        fb_value_words(FB_T_NUMBER, actuator->unit, NULL, &value, out);
}

static void put_accepted(struct view *v, uint32_t index, struct fb_buf *out) {
    const struct fb_actuator *actuator = &v->class_->actuators[index];
    const struct fb_actuator_cell *cell = fb_look_cell(v->device, actuator->offset);
    if (!cell->has_accepted) {
        fb_buf_text(out, "unknown, never commanded");
        return;
    }
    put_actuator_value(actuator, cell->accepted, out);
}

static bool operand(void *context, struct fb_str name, struct fb_buf *out) {
    struct view *v = context;
    const struct fb_shown *shown = fb_rule_shown(v->rule, name);
    if (shown && !shown->is_field) {
        struct fb_value value = fb_look_run(v->core, v->device, &shown->code);
        fb_value_words(shown->type, shown->unit, shown->words, &value, out);
        return true;
    }
    for (uint32_t i = 0; i < v->class_->n_fields; i++)
        if (fb_str_eq(v->class_->fields[i].name, name)) {
            put_field(v, i, out);
            return true;
        }
    for (uint32_t i = 0; i < v->class_->n_actuators; i++)
        if (fb_str_eq(v->class_->actuators[i].name, name)) {
            put_accepted(v, i, out);
            return true;
        }
    return false;
}

/* ---- conditions ---- */

static void begin_line(struct view *v, const char *name) {
    fb_buf_printf(v->out, "%-9s ", name);
}

static void put_words(struct view *v, const struct fb_code *code, uint16_t reg) {
    fb_code_words(v->class_, code, reg, v->out);
}

/* "level > 3 m for 3s: true since 00:00:10.000, 1s to go" */
static void put_delay(struct view *v, const struct fb_code *code, const struct fb_instr *in) {
    const struct fb_for_cell *cell = fb_look_cell(v->device, in->imm);
    int64_t delay_us;
    begin_line(v, "");
    put_words(v, code, in->dst);
    if (cell->t0_us == FB_NO_TIME) {
        fb_buf_printf(v->out, ": %s\n", cell->value == 2 ? "unknown" : "false, nothing runs");
        return;
    }
    bool paused = cell->paused_us != FB_NO_TIME;
    int64_t until_us = paused ? cell->paused_us : v->time_us;
    fb_buf_text(v->out, paused ? ": was true from " : ": true since ");
    fb_put_clock(v->out, cell->t0_us);
    if (paused) {
        fb_buf_text(v->out, ", unknown and so not counted since ");
        fb_put_clock(v->out, cell->paused_us);
    }
    if (!paused && cell->value == 1) {
        fb_buf_text(v->out, ", that is long enough\n");
    } else if (fb_code_delay(v->class_, code, in, &delay_us)) {
        if (delay_us <= until_us - cell->t0_us) {
            fb_buf_text(v->out, ", long enough before that\n");
            return;
        }
        fb_buf_text(v->out, ", ");
        fb_put_span(v->out, delay_us - (until_us - cell->t0_us));
        fb_buf_text(v->out, " to go\n");
    } else {
        fb_buf_text(v->out, ", not yet long enough\n");
    }
}

static void put_latch(struct view *v, const struct fb_code *code, const struct fb_instr *in) {
    const struct fb_until_cell *cell = fb_look_cell(v->device, in->imm);
    begin_line(v, "");
    fb_buf_printf(v->out, "latch: %s, until ", cell->set ? "set" : "not set");
    put_words(v, code, in->b);
    fb_buf_char(v->out, '\n');
}

static void put_elapsed(struct view *v, const struct fb_code *code, const struct fb_instr *in) {
    const struct fb_elapsed_cell *cell = fb_look_cell(v->device, in->imm);
    begin_line(v, "");
    put_words(v, code, in->a);
    if (cell->rise_us == FB_NO_TIME) {
        fb_buf_text(v->out, ": has not become true yet\n");
        return;
    }
    fb_buf_text(v->out, ": last became true at ");
    fb_put_clock(v->out, cell->rise_us);
    fb_buf_char(v->out, '\n');
}

static void put_window(struct view *v, const struct fb_instr *in) {
    bool compared = in->op == FB_I_WINDOW_CMP;
    uint8_t aggregate = compared ? in->sub & 31 : in->sub;
    const struct fb_window *window = &v->class_->windows[in->imm];
    struct fb_value value = fb_look_window(v->core, v->device, in->imm, aggregate, in->a);
    bool is_field = window->input == FB_INPUT_FIELD;
    const struct fb_field *field = is_field ? &v->class_->fields[window->field] : NULL;
    bool picks =
        aggregate == FB_AGG_FIRST || aggregate == FB_AGG_LAST || aggregate == FB_AGG_PREVIOUS;
    bool truth = aggregate == FB_AGG_ANY || aggregate == FB_AGG_ALL || aggregate == FB_AGG_CHANGED;
    bool keeps = field && (picks || aggregate <= FB_AGG_MAX || aggregate == FB_AGG_TIME_AVG);
    enum fb_type type = truth ? FB_T_BOOL : picks ? window->type : FB_T_NUMBER;
    if (aggregate == FB_AGG_CHANGE && (window->type == FB_T_INTEGER || window->type == FB_T_TIME))
        type = FB_T_INTEGER;
    begin_line(v, "");
    fb_window_words(v->class_, in->imm, aggregate, v->out);
    fb_buf_text(v->out, ": ");
    fb_value_words(type, keeps ? field->unit : (struct fb_str){0}, keeps ? field->words : NULL,
                   &value, v->out);
    fb_buf_char(v->out, '\n');
}

/* What a condition remembers, and what it reads beside its operands. */
static void put_state(struct view *v, const struct fb_code *code) {
    for (uint32_t i = 0; i < code->count; i++) {
        const struct fb_instr *in = &v->class_->code[code->first + i];
        if (in->op == FB_I_FOR || in->op == FB_I_FOR_CONST)
            put_delay(v, code, in);
        else if (in->op == FB_I_UNTIL)
            put_latch(v, code, in);
        else if (in->op == FB_I_ELAPSED)
            put_elapsed(v, code, in);
        else if (in->op == FB_I_WINDOW || in->op == FB_I_WINDOW_CMP)
            put_window(v, in);
    }
}

static const char *policy_name(enum fb_unknown_policy policy) {
    static const char *const names[] = {[FB_POLICY_HOLD] = "hold",
                                        [FB_POLICY_CLEAR] = "clear",
                                        [FB_POLICY_RAISE] = "raise",
                                        [FB_POLICY_STOP] = "stop",
                                        [FB_POLICY_SAFE] = "safe"};
    return names[policy];
}

/* What an actuator's own condition is, and what it reads. */
static void put_own(struct view *v, const struct fb_condition *condition) {
    fb_buf_text(v->out, ": ");
    put_words(v, &condition->code, condition->code.result);
    for (uint32_t i = 0; i < v->class_->n_fields; i++) {
        if (!fb_field_set_has(&condition->reads, i))
            continue;
        fb_buf_printf(v->out, "; %.*s (", FB_ARG(v->class_->fields[i].name));
        put_field(v, i, v->out);
        fb_buf_char(v->out, ')');
    }
}

/* Whether the operands that are printed give the same, where they alone decide. */
static void put_check(struct view *v, const struct fb_condition *condition, uint8_t value) {
    static const uint8_t sets[] = {FB_MAY_BE_FALSE, FB_MAY_BE_TRUE, FB_MAY_BE_UNKNOWN};
    uint8_t may_be = fb_recompute_truth(v->recompute, &condition->code, condition->code.result);
    if (may_be == sets[value])
        fb_buf_text(v->out, ", as its operands give");
    else if (!(may_be & sets[value]))
        fb_buf_text(v->out, ", which its operands DO NOT give");
}

static bool is_acting(const struct fb_rule *rule) {
    return rule->sort == FB_SORT_CONTROL || rule->sort == FB_SORT_MODE;
}

/* Of the state that a mode is in. */
static bool leads_out(const struct fb_go *go, const struct fb_rule_cell *cell) {
    if (cell->since_us == FB_NO_TIME)
        return false;
    return go->from == FB_ANY_STATE ? go->to != cell->let_through : go->from == cell->let_through;
}

/* Of a mode: the way out of another state does not matter now. */
static bool is_shut(const struct view *v, uint32_t condition) {
    if (v->rule->sort != FB_SORT_MODE)
        return false;
    const struct fb_machine *mode = &v->class_->modes[v->rule->mode];
    const struct fb_rule_cell *cell = fb_look_cell(v->device, v->rule->offset);
    for (uint32_t i = 0; i < mode->n_gos; i++)
        if (mode->gos[i].condition == condition)
            return !leads_out(&mode->gos[i], cell);
    return false;
}

/* Those that are truths. */
static void put_conditions(struct view *v, const struct fb_rule *rule) {
    char room[FB_CONDITION_NAME_MAX];
    for (uint32_t i = 0; i < rule->n_conditions; i++) {
        const struct fb_condition *condition = &v->class_->conditions[rule->first_condition + i];
        if (condition->role == FB_ROLE_CLAIM || is_shut(v, rule->first_condition + i))
            continue;
        const struct fb_condition_cell *cell = fb_look_cell(v->device, condition->offset);
        begin_line(v, fb_condition_name(v->class_, rule, i, room));
        fb_buf_text(v->out, truths[cell->value]);
        put_check(v, condition, cell->value);
        if (cell->value == 2 && rule->sort == FB_SORT_ALARM)
            fb_buf_printf(v->out, ", counts as %s: on unknown %s", truths[cell->holds],
                          policy_name(rule->on_unknown));
        else if (cell->value == 2 && is_acting(rule))
            fb_buf_printf(v->out, ": on unknown %s", policy_name(rule->on_unknown));
        else if (rule->sort == FB_SORT_ACTUATOR)
            put_own(v, condition);
        fb_buf_char(v->out, '\n');
        put_state(v, &condition->code);
    }
}

/* ---- actuators ---- */

static int64_t later(int64_t a_us, int64_t b_us) {
    return a_us > b_us ? a_us : b_us;
}

/* Until when the limit of the rule that wins has no place; of all rules together the actuator is
 * asked again at another time, which is when it is due. */
static int64_t rate_until(const struct view *v, uint32_t index, bool shadow) {
    struct fb_arbitration won;
    fb_arbitrate(v->device, index, v->clock_us, &won);
    const struct fb_rate *rate = won.rule ? won.rule->rate : NULL;
    return rate ? fb_rate_end(fb_look_cell(v->device, rate->offset), rate, shadow) : FB_NO_TIME;
}

/* Until when the guardrail blocks, if that is known now. */
static int64_t blocked_until(const struct view *v, uint32_t index,
                             const struct fb_actuator_cell *cell) {
    const struct fb_actuator *actuator = &v->class_->actuators[index];
    bool active = cell->has_accepted && cell->accepted != 0;
    switch ((enum fb_guard)cell->guard) {
    case FB_GUARD_MINIMUM:
        return fb_add_sat(cell->changed_us, actuator->minimum_us[active]);
    case FB_GUARD_LOCKOUT:
        return cell->lockout_end_us;
    case FB_GUARD_BREAKER:
        return cell->breaker_end_us;
    case FB_GUARD_STARTS: /* the next place of the ring is that of the oldest start that counts */
        return fb_add_sat(cell->times[cell->next_start], actuator->starts_us);
    case FB_GUARD_RATE:
        return rate_until(v, index, actuator->shadow);
    case FB_GUARD_SLEW:
    case FB_GUARD_COMMANDS:
    case FB_GUARD_CATCH_UP:
        return cell->due_us;
    case FB_GUARD_MAINTENANCE:
        return fb_look_maintenance(v->device);
    case FB_GUARD_KILL:
    case FB_GUARD_RANGE:
    case FB_GUARD_INTERLOCK:
    case FB_GUARD_MAXIMUM:
    case FB_GUARD_DISCREPANCY: /* until someone resets it */
    case FB_GUARD_PERMISSIVE:
    case FB_GUARD_IGNORE:
    case FB_GUARD_FLEET: /* its own line says more */
    case FB_GUARDS:
        break;
    }
    return FB_NO_TIME;
}

static void put_block(struct view *v, uint32_t index, const struct fb_actuator_cell *cell) {
    if (cell->guard == FB_GUARDS) {
        fb_buf_text(v->out, "no guardrail blocks\n");
        return;
    }
    int64_t until_us = blocked_until(v, index, cell);
    fb_buf_printf(v->out, "%s blocks since ", fb_guard_name((enum fb_guard)cell->guard));
    fb_put_clock(v->out, cell->blocked_us);
    if (until_us != FB_NO_TIME && until_us != FB_NEVER) {
        fb_buf_text(v->out, ", until ");
        fb_put_clock(v->out, later(until_us, cell->now_us));
    }
    fb_buf_printf(v->out, "; %" PRIu64 " decision%s so far\n", cell->blocked,
                  cell->blocked == 1 ? "" : "s");
}

/* Commands in a row that were not followed. */
static void put_failures(struct view *v, const struct fb_actuator *actuator,
                         const struct fb_actuator_cell *cell) {
    if (!actuator->failures)
        return;
    begin_line(v, "");
    fb_buf_printf(v->out, "%u of %u failures in a row%s\n", fb_follow_failures(actuator, cell),
                  actuator->failures,
                  fb_follow_is_stopped(actuator, cell) ? ": stopped until a `reset`" : "");
}

static void put_array(struct view *v, uint32_t index, const struct fb_actuator *actuator) {
    struct fb_arbitration won;
    fb_arbitrate(v->device, index, v->clock_us, &won);
    if (won.n_entries == 0) {
        begin_line(v, "");
        fb_buf_text(v->out, "no claim is in force\n");
    }
    for (uint32_t i = 0; i < won.n_entries; i++) {
        const struct fb_array_entry *entry = &won.entries[i];
        begin_line(v, "");
        struct fb_str who = entry->rule ? entry->rule->name : FB_S("the operator's hand");
        fb_buf_printf(v->out, "claimed by %.*s = ", FB_ARG(who));
        put_actuator_value(actuator, entry->value, v->out);
        fb_buf_printf(v->out, " at priority %u%s\n", entry->priority,
                      entry->rule == won.rule && entry->priority == won.priority ? ": wins" : "");
    }
}

static void put_actuator(struct view *v, uint32_t index) {
    const struct fb_actuator *actuator = &v->class_->actuators[index];
    const struct fb_actuator_cell *cell = fb_look_cell(v->device, actuator->offset);
    begin_line(v, actuator->shadow ? "shadow" : "actuator");
    fb_buf_printf(v->out, "%.*s: ", FB_ARG(actuator->name));
    if (cell->has_accepted) {
        put_actuator_value(actuator, cell->accepted, v->out);
        fb_buf_text(v->out, " since ");
        fb_put_clock(v->out, cell->changed_us);
        fb_buf_printf(v->out, ", by command %" PRIu64 "\n", cell->seq);
    } else {
        fb_buf_text(v->out, "nothing commanded yet\n");
    }
    put_array(v, index, actuator);
    begin_line(v, "");
    put_block(v, index, cell);
    put_failures(v, actuator, cell);
    if (actuator->starts) {
        begin_line(v, "");
        fb_put_used(v->out,
                    fb_times_since(cell->times, actuator->starts, cell->next_start,
                                   fb_add_sat(v->clock_us, -actuator->starts_us)),
                    actuator->starts, actuator->starts_us);
        fb_buf_text(v->out, ", starts\n");
    }
    put_conditions(v, &v->question->compiled->program->rules[actuator->rule]);
    if (cell->due_us != FB_NEVER && cell->due_us > v->clock_us) {
        begin_line(v, "");
        fb_buf_text(v->out, "asked again at ");
        fb_put_clock(v->out, cell->due_us);
        fb_buf_text(v->out, ", if nothing comes before\n");
    }
}

/* ---- claims of a control, or of a mode ---- */

/* Why it is not in force; nothing where it is. */
static void put_in_force(struct view *v, const struct fb_claim *claim,
                         const struct fb_claim_cell *cell, const struct fb_rule_cell *control) {
    if (claim->of_mode && control->since_us == FB_NO_TIME)
        fb_buf_text(v->out, ": not in force while the mode is in no state");
    else if (claim->of_mode && control->let_through != claim->state)
        fb_buf_printf(v->out, ": not in force, it is for the state `%.*s`",
                      FB_ARG(v->class_->modes[v->rule->mode].states[claim->state]));
    else if (claim->of_mode && control->severity == FB_CONTROL_OFF)
        fb_buf_text(v->out, ": not in force while a way out of the state is unknown");
    else if (control->severity == FB_CONTROL_OFF)
        fb_buf_text(v->out, ": not in force while the control is off");
    else if (claim->pulse_us && fb_add_sat(control->since_us, claim->pulse_us) <= v->clock_us)
        fb_buf_text(v->out, ": not in force any more, its time is over");
    else if (cell->known == 0 && v->rule->on_unknown != FB_POLICY_SAFE)
        fb_buf_text(v->out, ": not in force, its value was never known");
}

static void put_claim(struct view *v, const struct fb_claim *claim) {
    const struct fb_actuator *actuator = &v->class_->actuators[claim->actuator];
    const struct fb_claim_cell *cell = fb_look_cell(v->device, claim->offset);
    const struct fb_rule_cell *control = fb_look_cell(v->device, v->rule->offset);
    begin_line(v, "claim");
    fb_buf_printf(v->out, "%.*s = ", FB_ARG(actuator->name));
    if (cell->known == 0)
        fb_buf_text(v->out, "unknown");
    else
        put_actuator_value(actuator, cell->value, v->out);
    fb_buf_printf(v->out, " at priority %u", claim->priority);
    if (cell->known != 1 && cell->unknown_us != FB_NO_TIME) {
        fb_buf_text(v->out, cell->known ? ", last known, unknown since " : ", since ");
        fb_put_clock(v->out, cell->unknown_us);
    }
    if (!fb_claim_is_real(v->device, claim))
        fb_buf_text(v->out, ", a shadow on this device (rollout)");
    put_in_force(v, claim, cell, control);
    fb_buf_char(v->out, '\n');
}

/* One of the actuators that it commands has a shadow. */
static bool is_shadowed(const struct view *v) {
    for (uint32_t i = 0; i < v->rule->n_claims; i++) {
        uint32_t next = v->class_->claims[v->rule->first_claim + i].actuator + 1;
        if (next < v->class_->n_actuators && v->class_->actuators[next].shadow)
            return true;
    }
    return false;
}

static void put_rate(struct view *v, const char *name, const struct fb_rate_cell *cell,
                     const struct fb_rate *rate) {
    for (int shadow = 0; shadow <= (is_shadowed(v) ? 1 : 0); shadow++) {
        begin_line(v, shadow ? "" : name);
        fb_put_used(v->out, fb_rate_counted(cell, rate, shadow, v->clock_us), rate->n,
                    rate->per_us);
        fb_buf_text(v->out, shadow ? ", of shadows\n" : "\n");
    }
}

static bool is_claimed(const struct view *v, uint32_t index) {
    const struct fb_actuator *actuator = &v->class_->actuators[index];
    for (uint32_t i = 0; i < actuator->n_claims; i++) {
        const struct fb_claim *claim = &v->class_->claims[actuator->claims[i]];
        if (&v->question->compiled->program->rules[claim->rule] == v->rule &&
            (actuator->shadow || fb_claim_is_real(v->device, claim)))
            return true;
    }
    return false;
}

/* "5 % per 10m: 3 of 2 devices acted upon, this one included; 40 of 44 report; open since .." */
static void put_fleet(struct view *v, const struct fb_fleet *fleet, bool shadow) {
    struct fb_fleet_view view = fb_fleet_look(v->device, fleet, shadow, v->clock_us);
    begin_line(v, shadow ? "" : "fleet");
    if (!shadow) {
        fb_json_put_number(v->out, fleet->percent);
        fb_buf_text(v->out, " % per ");
        fb_put_span(v->out, fleet->per_us);
    } else {
        fb_buf_text(v->out, "of shadows");
    }
    if (view.nowhere) {
        fb_buf_text(v->out, ": the device is in no domain, and nothing goes out");
    } else if (view.open) {
        fb_buf_text(v->out, ": the breaker is open since ");
        fb_put_clock(v->out, view.opened_us);
        fb_buf_text(v->out, ", until an operator resets it");
    } else {
        fb_buf_printf(
            v->out, ": with this device %u acted upon, %u allowed; %u of the domain's %u report%s",
            view.acted, view.budget, view.live, view.members,
            view.settled ? "" : ", not settled yet");
    }
    fb_buf_char(v->out, '\n');
}

static void put_control(struct view *v) {
    for (uint32_t i = 0; i < v->rule->n_claims; i++)
        put_claim(v, &v->class_->claims[v->rule->first_claim + i]);
    if (v->rule->fleet) {
        put_fleet(v, v->rule->fleet, false);
        if (is_shadowed(v))
            put_fleet(v, v->rule->fleet, true);
    }
    if (v->rule->rate)
        put_rate(v, "rate", fb_look_cell(v->device, v->rule->rate->offset), v->rule->rate);
    if (v->core->rate && v->rule->n_claims)
        put_rate(v, "commands", v->core->rate, &v->question->compiled->program->rate);
    for (uint32_t i = 0; i < v->class_->n_actuators; i++)
        if (is_claimed(v, i))
            put_actuator(v, i);
}

/* ---- the answer ---- */

static void put_off_delay(struct view *v, const struct fb_rule_cell *cell) {
    if (!v->rule->has_clear_after || cell->clear_t0_us == FB_NO_TIME)
        return;
    struct fb_value seconds = fb_look_run(v->core, v->device, &v->rule->clear_after);
    begin_line(v, "off-delay");
    fb_buf_text(v->out, "no raise holds since ");
    fb_put_clock(v->out, cell->clear_t0_us);
    if (seconds.quality == FB_Q_GOOD) {
        fb_buf_text(v->out, ", cleared after ");
        fb_put_span(v->out, (int64_t)(seconds.num * 1e6));
    }
    fb_buf_char(v->out, '\n');
}

static void put_flapping(struct view *v, const struct fb_rule_cell *cell) {
    if (!v->rule->flap_slot_us || fb_flap_in(cell)->slot == FB_NO_TIME)
        return;
    const int64_t end_us = fb_flap_end(v->rule, cell), slot_us = v->rule->flap_slot_us;
    const int64_t now = v->time_us / slot_us - (v->time_us % slot_us < 0);
    const int64_t later = now - fb_flap_in(cell)->slot;
    const uint32_t sum = later < FB_FLAP_SLOTS ? fb_flap_sum(fb_flap_in(cell), (uint32_t)later) : 0;
    begin_line(v, "flapping");
    fb_buf_printf(v->out, "%u.%u %% of the last 20 slots", sum * 100 / 1520,
                  sum * 1000 / 1520 % 10);
    if (end_us != FB_NEVER) {
        fb_buf_text(v->out, ": suppressed until ");
        fb_put_clock(v->out, end_us);
        fb_buf_text(v->out, ", if nothing changes before");
    }
    fb_buf_char(v->out, '\n');
}

static void put_mode_state(struct view *v, const struct fb_rule_cell *cell) {
    if (cell->since_us == FB_NO_TIME) {
        fb_buf_text(v->out, " is in no state");
        return;
    }
    fb_buf_printf(v->out, " is in `%.*s`",
                  FB_ARG(v->class_->modes[v->rule->mode].states[cell->let_through]));
    if (cell->severity == FB_CONTROL_OFF)
        fb_buf_text(v->out, ", its claims withdrawn");
    else if (cell->severity == FB_CONTROL_SAFE)
        fb_buf_text(v->out, ", and asks for safe values");
}

static void put_headline(struct view *v) {
    static const char *const sorts[] = {"alarm", "event", "control", "actuator", "mode"};
    static const char *const states[] = {"off", "on", "on, and asks for safe values"};
    const struct fb_rule_cell *cell = fb_look_cell(v->device, v->rule->offset);
    enum fb_rule_sort sort = v->rule->sort;
    fb_put_clock(v->out, v->clock_us);
    fb_buf_printf(v->out, "  %s %.*s/%.*s", sorts[sort], FB_ARG(v->rule->name),
                  FB_ARG(v->question->device));
    if (sort == FB_SORT_CONTROL) {
        fb_buf_printf(v->out, " is %s", states[cell->severity]);
    } else if (sort == FB_SORT_MODE) {
        put_mode_state(v, cell);
    } else if (sort == FB_SORT_ALARM && cell->severity == FB_SEV_NONE) {
        fb_buf_text(v->out, " is not active");
    } else if (sort == FB_SORT_ALARM) {
        fb_buf_printf(v->out, " is active, %s", fb_severity_name((enum fb_severity)cell->severity));
    }
    bool since = sort == FB_SORT_ALARM     ? cell->severity != FB_SEV_NONE
                 : sort == FB_SORT_CONTROL ? cell->severity != FB_CONTROL_OFF
                                           : sort == FB_SORT_MODE && cell->since_us != FB_NO_TIME;
    if (since) {
        fb_buf_text(v->out, ", since ");
        fb_put_clock(v->out, cell->since_us);
    }
    if (v->rule->sort == FB_SORT_ALARM && cell->flags & FB_ALARM_ACKED)
        fb_buf_text(v->out, ", acknowledged");
    fb_buf_char(v->out, '\n');
}

/* Ways out of the state that time opens. */
static void put_ways(struct view *v, const struct fb_rule_cell *cell) {
    const struct fb_machine *mode = &v->class_->modes[v->rule->mode];
    if (cell->since_us == FB_NO_TIME)
        return;
    int64_t stay_us = mode->stay_us[cell->let_through];
    if (fb_add_sat(cell->since_us, stay_us) > v->clock_us) {
        begin_line(v, "stay");
        fb_buf_text(v->out, "until ");
        fb_put_clock(v->out, fb_add_sat(cell->since_us, stay_us));
        fb_buf_char(v->out, '\n');
    }
    for (uint32_t i = 0; i < mode->n_gos; i++) {
        const struct fb_go *go = &mode->gos[i];
        if (go->condition != FB_NO_CONDITION || !leads_out(go, cell))
            continue;
        int64_t from_us = go->after_us > stay_us || go->at_once ? go->after_us : stay_us;
        begin_line(v, "go");
        fb_buf_printf(v->out, "%.*s from ", FB_ARG(mode->states[go->to]));
        fb_put_clock(v->out, fb_add_sat(cell->since_us, from_us));
        fb_buf_text(v->out, " on\n");
    }
}

/* Why nobody is told of the alarm. */
static void put_mutes(struct view *v, const struct fb_rule_cell *cell) {
    if (cell->flags & FB_ALARM_SHELVED) {
        begin_line(v, "shelved");
        fb_buf_text(v->out, "not annunciated until ");
        fb_put_clock(v->out, cell->shelf_until_us);
        fb_buf_text(v->out, cell->flags & FB_ALARM_ONCE ? ", or until it clears\n" : "\n");
    }
}

static void put_maintenance(struct view *v) {
    int64_t until_us = fb_look_maintenance(v->device);
    if (until_us == FB_NO_TIME)
        return;
    begin_line(v, "service");
    fb_buf_text(v->out, "the device is in maintenance until ");
    fb_put_clock(v->out, until_us);
    fb_buf_text(v->out, ": its alarms are not annunciated, its commands withheld\n");
}

static void put_times(struct view *v) {
    if (v->time_us != v->clock_us) {
        begin_line(v, "time");
        fb_buf_text(v->out, "the device's own is ");
        fb_put_clock(v->out, v->time_us);
        fb_buf_char(v->out, '\n');
    }
}

static void put_text(struct view *v) {
    const struct fb_rule_cell *cell = fb_look_cell(v->device, v->rule->offset);
    put_headline(v);
    put_times(v);
    if (v->rule->sort == FB_SORT_ALARM)
        put_mutes(v, cell);
    put_maintenance(v);
    fb_rule_text(v->question->compiled, v->rule, operand, v, v->out);
    put_conditions(v, v->rule);
    if (v->rule->sort == FB_SORT_ALARM) {
        put_off_delay(v, cell);
        put_flapping(v, cell);
    }
    if (v->rule->sort == FB_SORT_EVENT && cell->withheld) {
        begin_line(v, "withheld");
        fb_buf_printf(v->out, "%" PRIu64 ", by `at most`\n", cell->withheld);
    }
    if (v->rule->sort == FB_SORT_MODE)
        put_ways(v, cell);
    if (is_acting(v->rule))
        put_control(v);
}

static void put_json_conditions(struct view *v, struct fb_buf *out) {
    char room[FB_CONDITION_NAME_MAX];
    bool first = true;
    fb_buf_text(out, "\"conditions\":[");
    for (uint32_t i = 0; i < v->rule->n_conditions; i++) {
        const struct fb_condition *condition = &v->class_->conditions[v->rule->first_condition + i];
        if (condition->role == FB_ROLE_CLAIM || is_shut(v, v->rule->first_condition + i))
            continue;
        const struct fb_condition_cell *cell = fb_look_cell(v->device, condition->offset);
        fb_buf_printf(out, "%s{\"name\":\"%s\",\"value\":%s}", first ? "" : ",",
                      fb_condition_name(v->class_, v->rule, i, room),
                      cell->value == 2 ? "null" : truths[cell->value]);
        first = false;
    }
    fb_buf_char(out, ']');
}

static void put_json(struct view *v, struct fb_buf *out) {
    const struct fb_rule_cell *cell = fb_look_cell(v->device, v->rule->offset);
    struct fb_buf text = {0};
    v->out = &text;
    put_text(v);
    fb_buf_text(out, "{\"at\":");
    fb_json_put_time(out, v->clock_us);
    fb_buf_text(out, ",\"device_time\":");
    fb_json_put_time(out, v->time_us);
    fb_buf_text(out, ",\"rule\":");
    fb_json_put_text(out, v->rule->name);
    fb_buf_text(out, ",\"device\":");
    fb_json_put_text(out, v->question->device);
    fb_buf_printf(out, ",\"active\":%s,", cell->severity ? "true" : "false");
    if (v->rule->sort == FB_SORT_ALARM)
        fb_buf_printf(
            out, "\"acked\":%s,\"shelved\":%s,\"suppressed\":%s,",
            truths[(cell->flags & FB_ALARM_ACKED) != 0],
            truths[(cell->flags & FB_ALARM_SHELVED) != 0],
            truths[fb_look_maintenance(v->device) != FB_NO_TIME || fb_is_flapping(v->rule, cell)]);
    put_json_conditions(v, out);
    if (v->rule->sort == FB_SORT_MODE && cell->since_us != FB_NO_TIME) {
        fb_buf_text(out, ",\"state\":");
        fb_json_put_text(out, v->class_->modes[v->rule->mode].states[cell->let_through]);
    }
    fb_buf_text(out, ",\"text\":");
    fb_json_put_text(out, (struct fb_str){text.p, text.n});
    fb_buf_text(out, "}\n");
    fb_buf_free(&text);
}

bool fb_explain_state(const struct fb_state_question *question, struct fb_core *core,
                      struct fb_buf *out) {
    const struct fb_class *classes = question->compiled->program->classes;
    struct view v = {.question = question, .core = core, .rule = question->rule, .out = out};
    v.class_ = &classes[question->rule->class_index];
    v.device = fb_look_device(core, question->rule->class_index, question->device);
    if (!v.device)
        return false;
    v.clock_us = fb_look_clock(core);
    v.time_us = fb_look_time(core, v.device);
    v.recompute = fb_recompute_new(question->compiled->program, question->rule->class_index);
    for (uint32_t i = 0; i < v.class_->n_fields; i++) {
        int64_t at_us;
        struct fb_value value = fb_look_field(core, v.device, i, &at_us);
        fb_recompute_give(v.recompute, i, &value);
    }
    if (question->json)
        put_json(&v, out);
    else
        put_text(&v);
    fb_recompute_free(v.recompute);
    return true;
}
