/* Moves every device of a core into the layout of another program.
 *
 * Place in the flow: see migrate.h. All at once, between two records: a device takes about as long
 * as a few records of it. */
#include <stdlib.h>

#include "engine/base/err.h"
#include "engine/base/planted.h"
#include "engine/core/claim.h"
#include "engine/core/flap.h"
#include "engine/core/index.h"
#include "engine/core/migrate.h"
#include "engine/core/mute.h"
#include "engine/core/rate.h"
#include "engine/core/report.h"
#include "engine/core/rule.h"
#include "engine/core/snapshot.h"
#include "engine/core/text.h"
#include "engine/core/timer.h"
#include "engine/core/wake.h"

/* Long ago, so that a delay of any length has passed, and can be reckoned with. */
#define LONG_AGO_US (-(INT64_C(1) << 60))

/* ---- alarms that end ----------------------------------------------------------------------- */

static const struct fb_class_change *change_of(const struct fb_migration *migration,
                                               const struct fb_device *device) {
    return &migration->classes[device->plan->class_index]; /* the old ones stand first */
}

/* The rule that it is from now on; NULL: it is gone. */
static const struct fb_rule *rule_now(const struct fb_migration *migration,
                                      const struct fb_class_change *change, uint32_t old_rule) {
    if (change->to == FB_NONE)
        return NULL;
    const struct fb_class *to = &migration->to->classes[change->to];
    for (uint32_t i = 0; i < to->n_rules; i++)
        if (change->rule_from[i] == old_rule)
            return &migration->to->rules[to->rules[i]];
    return NULL;
}

static struct fb_rule_cell *rule_cell(struct fb_device *device, const struct fb_rule *rule) {
    return (void *)(fb_device_block(device) + rule->offset);
}

/* What was told last of it is not its end. */
static bool is_open(const struct fb_rule *rule, const struct fb_rule_cell *cell) {
    return cell->severity != FB_SEV_NONE || cell->flags & (FB_ALARM_SHELVED | FB_ALARM_TOLD) ||
           fb_is_flapping(rule, cell);
}

/* Whether it flaps by slots that the rule has no more, and is told of that: it goes on (A64). */
static bool loses_slots(const struct fb_core *core, const struct fb_device *device,
                        const struct fb_rule *rule, const struct fb_rule *now,
                        const struct fb_rule_cell *cell) {
    return fb_is_flapping(rule, cell) && now->flap_slot_us != rule->flap_slot_us &&
           !fb_is_in_maintenance(core, device);
}

/* Whether an alarm of the device ends, or ends to flap; with a moment: tells of those that do. */
static bool end_alarms(struct fb_core *core, const struct fb_migration *migration,
                       struct fb_device *device, const struct fb_moment *moment) {
    const struct fb_class *class_ = device->plan->class_;
    const struct fb_class_change *change = change_of(migration, device);
    bool any = false;
    for (uint32_t i = 0; i < class_->n_rules; i++) {
        const struct fb_rule *rule = &migration->from->rules[class_->rules[i]];
        struct fb_rule_cell *cell = rule_cell(device, rule);
        if (rule->sort != FB_SORT_ALARM || !is_open(rule, cell))
            continue;
        const struct fb_rule *now = rule_now(migration, change, class_->rules[i]);
        if (now && !loses_slots(core, device, rule, now, cell))
            continue;
        any = true;
        if (!moment)
            continue;
        if (now)
            fb_flap_of(cell)->flapping = 0;
        fb_report_alert(core, moment, rule, now ? FB_ALERT_UNSUPPRESSED : FB_ALERT_REMOVED, NULL);
    }
    return any;
}

static int by_id(const void *a, const void *b) {
    const struct fb_device *x = *(struct fb_device *const *)a, *y = *(struct fb_device *const *)b;
    int order = fb_str_cmp(fb_device_id(x), fb_device_id(y));
    if (order)
        return order;
    return (x->plan->class_index > y->plan->class_index) -
           (x->plan->class_index < y->plan->class_index);
}

static void end_removed(struct fb_core *core, const struct fb_migration *migration) {
    struct fb_device **ending = NULL;
    uint32_t n = 0, cap = 0;
    for (uint32_t i = 0; i < fb_devices_count(core->devices); i++) {
        struct fb_device *device = fb_devices_at(core->devices, i);
        if (!end_alarms(core, migration, device, NULL))
            continue;
        FB_PUSH_ROOM(ending, n, cap);
        ending[n++] = device;
    }
    if (n)
        qsort(ending, n, sizeof(struct fb_device *), by_id);
    for (uint32_t i = 0; i < n; i++) {
        int64_t t_us = fb_device_time(ending[i], core->clock_us);
        struct fb_moment moment = {.device = ending[i],
                                   .t_us = t_us,
                                   .silent = true,
                                   .cause = {.timer = true, .deadline_us = t_us}};
        core->moment++;
        end_alarms(core, migration, ending[i], &moment);
    }
    free(ending);
}

/* ---- cells --------------------------------------------------------------------------------- */

/* A device on its way. */
struct move {
    struct fb_texts *texts;
    const struct fb_migration *migration;
    const struct fb_class_change *change;
    struct fb_device *from, *to;
    int64_t t_us, clock_us; /* of the change: the device's time, and C */
};

static void *old_at(const struct move *m, uint32_t cell) {
    return fb_device_block(m->from) + m->from->plan->class_->cells[cell].offset;
}
static void *new_at(const struct move *m, uint32_t cell) {
    return fb_device_block(m->to) + m->to->plan->class_->cells[cell].offset;
}

static void drop_cell(struct fb_texts *texts, struct fb_device *device,
                      const struct fb_cell_id *cell) {
    void *at = fb_device_block(device) + cell->offset;
    const struct fb_class *class_ = device->plan->class_;
    if (cell->kind == FB_CELL_FIELD && class_->fields[cell->index].type == FB_T_TEXT)
        fb_texts_release(texts, ((const struct fb_field_cell *)at)->text);
    else if (cell->kind == FB_CELL_PUBLISHED && class_->published[cell->index].type == FB_T_TEXT)
        fb_texts_release(texts, ((const struct fb_published_cell *)at)->text);
    else if (cell->kind == FB_CELL_WINDOW)
        fb_window_drop(&class_->windows[cell->index], at, texts);
}

/* The same word's place among the new ones; false: it is none any more. */
static bool move_word(const struct fb_field *from, const struct fb_field *to, int64_t *word) {
    for (uint32_t i = 0; i < to->n_words; i++)
        if (fb_str_eq(from->words[*word], to->words[i])) {
            *word = i;
            return true;
        }
    return false;
}

static void move_field(const struct move *m, uint32_t from_index, uint32_t to_index,
                       const struct fb_field_cell *old, struct fb_field_cell *cell) {
    const struct fb_field *from = &m->from->plan->class_->fields[from_index];
    const struct fb_field *to = &m->to->plan->class_->fields[to_index];
    const struct fb_field_index *index = &m->to->plan->indexes[to_index];
    struct fb_field_cell moved = {.i = old->i, .ts_us = old->ts_us, .quality = old->quality};
    bool number = to->type == FB_T_NUMBER || to->type == FB_T_COUNTER;
    if (to->type == FB_T_ENUM && moved.ts_us != FB_NO_TIME && !move_word(from, to, &moved.i))
        return; /* as if never seen */
    if (number && index->indexed && moved.ts_us != FB_NO_TIME)
        moved.position = fb_index_position(index, moved.num);
    *cell = moved;
}

static size_t plain_bytes(enum fb_cell_kind kind) {
    switch (kind) {
    case FB_CELL_FOR: return sizeof(struct fb_for_cell);
    case FB_CELL_UNTIL: return sizeof(struct fb_until_cell);
    case FB_CELL_ELAPSED: return sizeof(struct fb_elapsed_cell);
    case FB_CELL_CONDITION: return sizeof(struct fb_condition_cell);
    case FB_CELL_RULE: return sizeof(struct fb_rule_cell);
    case FB_CELL_PUBLISHED:
        return sizeof(struct fb_published_cell);
    case FB_CELL_FLEET:
        return sizeof(struct fb_fleet_cell);
    case FB_CELL_CLAIM:
    case FB_CELL_ACTUATOR:
    case FB_CELL_FIELD:
    case FB_CELL_WINDOW:
    case FB_CELL_RATE:
        break;
    }
    FB_BUG("a cell of another kind");
}

/* Memory of an actuator whose name stays (A15); it is decided once. Of another kind: what it has
 * accepted means nothing any more, but its count of commands goes on. */
static void move_actuator(const struct move *m, const struct fb_cell_move *move) {
    const struct fb_class *from_class = m->from->plan->class_, *to_class = m->to->plan->class_;
    const struct fb_actuator *from = &from_class->actuators[from_class->cells[move->from].index];
    const struct fb_actuator *to = &to_class->actuators[to_class->cells[move->to].index];
    struct fb_actuator_cell *old = old_at(m, move->from);
    struct fb_actuator_cell *now = new_at(m, move->to);
    *now = *old;
    fb_times_move(old->times, from->starts, old->next_start, now->times, to->starts,
                  &now->next_start);
    fb_times_move(old->times + from->starts, from->reversals, old->next_reversal,
                  now->times + to->starts, to->reversals, &now->next_reversal);
    if (from->failures && to->failures && move->fate != FB_FATE_RESET)
        *fb_actuator_trial(to, now) = *fb_actuator_trial(from, old);
    if (move->fate == FB_FATE_RESET) {
        now->accepted = now->direction = 0;
        now->has_accepted = 0;
        now->hand = 0;
        now->hand_until_us = FB_NO_TIME;
        now->lease_until_us = FB_NO_TIME;
    }
}

static const struct fb_machine *mode_of(const struct fb_class *class_, uint32_t rule) {
    for (uint32_t i = 0; i < class_->n_modes; i++)
        if (class_->modes[i].rule == rule)
            return &class_->modes[i];
    return NULL;
}

/* A mode stays in the state of the same name; where there is none, it begins anew. */
static void move_mode(const struct move *m, uint32_t from_rule, uint32_t to_rule,
                      struct fb_rule_cell *cell) {
    const struct fb_machine *from = mode_of(m->from->plan->class_, from_rule);
    const struct fb_machine *to = mode_of(m->to->plan->class_, to_rule);
    if (!from || !to || cell->since_us == FB_NO_TIME)
        return;
    struct fb_str name = from->states[cell->let_through];
    for (uint32_t i = 0; i < to->n_states; i++)
        if (fb_str_eq(to->states[i], name)) {
            cell->let_through = i;
            return;
        }
    *cell = (struct fb_rule_cell){
        .since_us = FB_NO_TIME, .clear_t0_us = FB_NO_TIME, .clear_paused_us = FB_NO_TIME};
}

static void move_slots(const struct move *m, uint32_t from_rule, uint32_t to_rule,
                       struct fb_rule_cell *old, struct fb_rule_cell *now) {
    const int64_t slot_us = m->migration->to->rules[to_rule].flap_slot_us;
    if (slot_us && slot_us == m->migration->from->rules[from_rule].flap_slot_us)
        *fb_flap_of(now) = *fb_flap_of(old);
}

/* What the old cell holds goes along: it is kept, or migrates. */
static void move_content(const struct move *m, const struct fb_cell_move *move) {
    const struct fb_cell_id *from = &m->from->plan->class_->cells[move->from];
    const struct fb_cell_id *to = &m->to->plan->class_->cells[move->to];
    void *old = old_at(m, move->from), *now = new_at(m, move->to);
    if (to->kind == FB_CELL_FIELD) {
        move_field(m, from->index, to->index, old, now);
    } else if (to->kind == FB_CELL_WINDOW) {
        const struct fb_window *window = &m->to->plan->class_->windows[to->index];
        if (move->fate == FB_FATE_KEEP)
            memcpy(now, old, window->bytes);
        else
            fb_window_move(&m->from->plan->class_->windows[from->index], old, window, now,
                           m->texts);
    } else if (to->kind == FB_CELL_RULE) {
        memcpy(now, old, sizeof(struct fb_rule_cell));
        move_slots(m, from->index, to->index, old, now);
        move_mode(m, from->index, to->index, now);
    } else if (to->kind == FB_CELL_RATE) {
        if (!FB_PLANTED(RATE_FORGOTTEN))
            fb_rate_move(old, m->from->plan->class_->rates[from->index].n, now,
                         m->to->plan->class_->rates[to->index].n);
    } else if (to->kind == FB_CELL_CLAIM) {
        const struct fb_claim *claim = &m->to->plan->class_->claims[to->index];
        memcpy(now, old,
               claim->is_step ? sizeof(struct fb_step_cell) : sizeof(struct fb_claim_cell));
        if (claim->is_step && !fb_step_rests(claim, now)) /* its ends may be others */
            fb_step_catch_up(m->from, from->index, now, m->clock_us);
    } else {
        memcpy(now, old, plain_bytes(to->kind));
        if (to->kind == FB_CELL_FLEET && FB_PLANTED(FLEET_CLOSED))
            ((struct fb_fleet_cell *)now)->opened_us[FB_FLEET_ARMED] = FB_NO_TIME;
    }
}

static void move_cell(const struct move *m, const struct fb_cell_move *move) {
    if (move->from != FB_NONE && move->to != FB_NONE &&
        m->to->plan->class_->cells[move->to].kind == FB_CELL_ACTUATOR) {
        move_actuator(m, move);
        return;
    }
    if (move->fate == FB_FATE_KEEP || move->fate == FB_FATE_MIGRATE)
        move_content(m, move);
    else if (move->from != FB_NONE)
        drop_cell(m->texts, m->from, &m->from->plan->class_->cells[move->from]);
    if ((move->fate != FB_FATE_NEW && move->fate != FB_FATE_RESET) || move->to == FB_NONE)
        return;
    const struct fb_cell_id *to = &m->to->plan->class_->cells[move->to];
    const struct fb_window *window = &m->to->plan->class_->windows[to->index];
    if (to->kind == FB_CELL_WINDOW && window->shape == FB_SHAPE_EACH)
        fb_window_begin(window, new_at(m, move->to), m->t_us);
    else if (to->kind == FB_CELL_FLEET)
        ((struct fb_fleet_cell *)new_at(m, move->to))->began_us = m->clock_us;
}

/* ---- active alarms with other conditions --------------------------------------------------- */

static struct fb_condition_cell *condition_cell(const struct move *m, uint32_t condition) {
    return (void *)(fb_device_block(m->to) + m->to->plan->class_->conditions[condition].offset);
}

/* The delays on whose way the value comes to be true have passed, the latch is set; not those of
 * the end of an `until`, which the alarm now waits for. */
static void let_hold(const struct move *m, const struct fb_code *code, uint16_t reg) {
    const struct fb_class *class_ = m->to->plan->class_;
    for (uint32_t i = 0; i < code->count; i++) {
        const struct fb_instr *in = &class_->code[code->first + i];
        void *cell = fb_device_block(m->to) + in->imm;
        if (in->dst != reg)
            continue;
        if (in->op == FB_I_FOR || in->op == FB_I_FOR_CONST)
            ((struct fb_for_cell *)cell)->t0_us = LONG_AGO_US;
        else if (in->op == FB_I_UNTIL)
            ((struct fb_until_cell *)cell)->set = 1;
        else if (in->op == FB_I_AND || in->op == FB_I_OR) {
            let_hold(m, code, in->a);
            let_hold(m, code, in->b);
        }
        return;
    }
}

/* An active alarm none of whose raises that stayed holds: one of the new ones does for now, that of
 * its severity if there is one. */
static void keep_active(const struct move *m, const struct fb_rule *rule,
                        const struct fb_rule_cell *cell) {
    uint32_t chosen = FB_NONE;
    for (uint32_t i = 0; i < rule->n_conditions; i++) {
        uint32_t condition = rule->first_condition + i;
        if (m->change->condition_from[condition] != FB_NONE) {
            if (condition_cell(m, condition)->holds)
                return;
            continue;
        }
        if (chosen == FB_NONE || (rule->severities[i] == cell->severity &&
                                  rule->severities[chosen - rule->first_condition] !=
                                      cell->severity))
            chosen = condition;
    }
    if (chosen == FB_NONE)
        return;
    const struct fb_code *code = &m->to->plan->class_->conditions[chosen].code;
    *condition_cell(m, chosen) = (struct fb_condition_cell){.value = 1, .holds = 1};
    let_hold(m, code, code->result);
}

static void keep_alarms(const struct move *m, const struct fb_program *program) {
    const struct fb_class *class_ = m->to->plan->class_;
    for (uint32_t i = 0; i < class_->n_rules; i++) {
        const struct fb_rule *rule = &program->rules[class_->rules[i]];
        const struct fb_rule_cell *cell = rule_cell(m->to, rule);
        if (rule->sort == FB_SORT_ALARM && cell->severity != FB_SEV_NONE &&
            cell->clear_t0_us == FB_NO_TIME)
            keep_active(m, rule, cell);
    }
}

/* ---- devices ------------------------------------------------------------------------------- */

static uint32_t place_of(const struct fb_class *class_, uint32_t rule) {
    for (uint32_t i = 0; i < class_->n_rules; i++)
        if (class_->rules[i] == rule)
            return i;
    FB_BUG("a rule of another class");
}

static void move_deadlines(const struct move *m) {
    const struct fb_class *from = m->from->plan->class_, *to = m->to->plan->class_;
    for (uint32_t i = 0; i < to->n_conditions; i++)
        m->to->deadlines[i] = m->change->condition_due[i]
                                  ? m->t_us
                                  : m->from->deadlines[m->change->condition_from[i]];
    for (uint32_t i = 0; i < to->n_rules; i++)
        if (m->change->rule_from[i] != FB_NONE)
            m->to->deadlines[to->n_conditions + i] =
                m->from->deadlines[from->n_conditions + place_of(from, m->change->rule_from[i])];
}

static bool is_same_text(const struct fb_rule *a, const struct fb_rule *b) {
    return fb_str_eq(a->name, b->name) && fb_str_eq(a->target, b->target) &&
           memcmp(a->version, b->version, sizeof a->version) == 0;
}

/* The first of its claims from the i-th on that concerns the actuator on the device: all concern
 * its shadow, and those that are not real there nothing else. */
static uint32_t next_claim(const struct fb_device *device, const struct fb_actuator *actuator,
                           uint32_t i) {
    const struct fb_class *class_ = device->plan->class_;
    while (i < actuator->n_claims && !actuator->shadow &&
           !fb_claim_is_real(device, &class_->claims[actuator->claims[i]]))
        i++;
    return i;
}

/* Whether the actuator goes on as if nothing had happened: neither its own text is another one, nor
 * that of a control that claims it or claimed it. */
static bool goes_on(const struct move *m, const struct fb_migration *migration,
                    const struct fb_actuator *from, const struct fb_actuator *to) {
    bool same = is_same_text(&migration->from->rules[from->rule], &migration->to->rules[to->rule]);
    uint32_t i = next_claim(m->from, from, 0), k = next_claim(m->to, to, 0);
    while (same && i < from->n_claims && k < to->n_claims) {
        same = is_same_text(m->from->plan->claims[from->claims[i]].rule,
                            m->to->plan->claims[to->claims[k]].rule);
        i = next_claim(m->from, from, i + 1);
        k = next_claim(m->to, to, k + 1);
    }
    return same && i == from->n_claims && k == to->n_claims;
}

/* Trials that are new begin with what is accepted (A99). */
static void due_feedback(const struct move *m, const struct fb_actuator *from,
                         const struct fb_actuator *to) {
    if (to->failures && !from->failures && m->t_us < m->to->deadlines[to->feedback])
        m->to->deadlines[to->feedback] = m->t_us;
}

/* What all rules together may do is another one, so what it held back is asked again (A103). */
static bool held_by_other_limit(const struct fb_migration *migration,
                                const struct fb_actuator_cell *cell) {
    return cell->guard == FB_GUARD_COMMANDS && fb_migration_of_limit(migration) != FB_FATE_KEEP;
}

/* The others are decided once, after what is due of the device at the change (A2). */
static void due_actuators(const struct move *m, const struct fb_migration *migration,
                          int64_t clock_us) {
    const struct fb_class *from = m->from->plan->class_, *to = m->to->plan->class_;
    for (uint32_t i = 0; i < m->change->n_moves; i++) {
        const struct fb_cell_move *move = &m->change->moves[i];
        if (move->to == FB_NONE || to->cells[move->to].kind != FB_CELL_ACTUATOR)
            continue;
        const struct fb_actuator *actuator = &to->actuators[to->cells[move->to].index];
        struct fb_actuator_cell *cell = new_at(m, move->to);
        if (cell->changed_us == FB_NO_TIME)
            cell->changed_us = clock_us;
        if (move->from != FB_NONE)
            due_feedback(m, &from->actuators[from->cells[move->from].index], actuator);
        if (move->fate != FB_FATE_KEEP || held_by_other_limit(migration, cell) ||
            !goes_on(m, migration, &from->actuators[from->cells[move->from].index], actuator))
            cell->due_us = clock_us;
    }
}

/* Modes whose text is another one are looked at once, too. */
static void due_modes(const struct move *m, const struct fb_migration *migration,
                      int64_t clock_us) {
    const struct fb_class *to = m->to->plan->class_, *from = m->from->plan->class_;
    for (uint32_t i = 0; i < to->n_modes; i++) {
        const struct fb_rule *rule = &migration->to->rules[to->modes[i].rule];
        bool same = false;
        for (uint32_t k = 0; k < from->n_modes; k++)
            same |= is_same_text(&migration->from->rules[from->modes[k].rule], rule);
        struct fb_rule_cell *cell = (void *)(fb_device_block(m->to) + to->modes[i].offset);
        if (!same)
            cell->clear_t0_us = clock_us;
    }
}

static void move_device(struct fb_core *core, const struct fb_migration *migration,
                        const struct fb_class_change *change, struct fb_device *device) {
    struct fb_str id = fb_device_id(device);
    uint64_t hash = fb_device_hash((uint16_t)change->to, id);
    struct move m = {.texts = core->texts,
                     .migration = migration,
                     .change = change,
                     .from = device,
                     .to = fb_devices_register(core->devices, &core->plans[change->to], hash, id),
                     .t_us = fb_device_time(device, core->clock_us),
                     .clock_us = core->clock_us};
    m.to->watermark_us = device->watermark_us;
    m.to->clock_at_us = device->clock_at_us;
    m.to->floor_us = device->floor_us;
    *fb_device_service(m.to) = *fb_device_service(device);
    fb_device_service(m.to)->due_us = FB_NEVER;
    for (uint32_t i = 0; i < change->n_moves; i++)
        move_cell(&m, &change->moves[i]);
    move_deadlines(&m);
    keep_alarms(&m, core->program);
    due_actuators(&m, migration, core->clock_us);
    due_modes(&m, migration, core->clock_us);
}

static void forget_device(struct fb_core *core, struct fb_device *device) {
    const struct fb_class *class_ = device->plan->class_;
    for (uint32_t i = 0; i < class_->n_cells; i++)
        drop_cell(core->texts, device, &class_->cells[i]);
}

void fb_core_change_program(struct fb_core *core, const struct fb_migration *migration) {
    FB_ASSERT(core->program == migration->from && !core->sweep.open);
    end_removed(core, migration);
    struct fb_core old = *core;
    fb_core_set_up(core, migration->to);
    if (old.rate && core->rate && !FB_PLANTED(LIMIT_FORGOTTEN))
        fb_rate_move(old.rate, migration->from->rate.n, core->rate, migration->to->rate.n);
    for (uint32_t i = 0; i < fb_devices_count(old.devices); i++) {
        struct fb_device *device = fb_devices_at(old.devices, i);
        const struct fb_class_change *change = change_of(migration, device);
        if (change->to == FB_NONE)
            forget_device(core, device);
        else
            move_device(core, migration, change, device);
        fb_devices_give_back(old.devices, i); /* the new ones find room there */
    }
    fb_timers_reserve(core->timers, fb_devices_count(core->devices));
    fb_core_tear_down(&old);
    fb_core_restored(core, core->clock_us);
    if (core->relations)
        fb_groups_begin(core);
}
