/* A class's plan: offsets, sets of conditions and windows by field, and a fresh block.
 *
 * Place in the flow: see plan.h. */
#include "engine/core/plan.h"

#include <stdlib.h>

#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/core/image.h"
#include "engine/core/flap.h"
#include "engine/core/follow.h"
#include "engine/core/index.h"
#include "engine/core/match.h"
#include "engine/core/rate.h"
#include "engine/core/steps.h"
#include "engine/core/window.h"

enum { LINE_BYTES = 64, WINDOW_BYTES = 128 };

static void set_bit(uint64_t *words, uint32_t i) {
    words[i / 64] |= UINT64_C(1) << (i % 64);
}

static void fresh_actuator(const struct fb_actuator *actuator, void *at) {
    struct fb_actuator_cell *cell = at;
    *cell = (struct fb_actuator_cell){.now_us = FB_NO_TIME,
                                      .changed_us = FB_NO_TIME,
                                      .sent_us = FB_NO_TIME,
                                      .lease_until_us = FB_NO_TIME,
                                      .due_us = FB_NEVER,
                                      .lockout_end_us = FB_NO_TIME,
                                      .breaker_end_us = FB_NO_TIME,
                                      .blocked_us = FB_NO_TIME,
                                      .hand_until_us = FB_NO_TIME,
                                      .priority = FB_PRIORITY_NONE,
                                      .guard = FB_GUARDS};
    for (uint32_t i = 0; i < actuator->starts + actuator->reversals; i++)
        cell->times[i] = FB_NO_TIME;
    if (actuator->failures)
        fb_follow_begin(fb_actuator_trial(actuator, cell));
}

/* The cells whose resting state is not all zero. */
static void *fresh_block(const struct fb_program *program, const struct fb_class *class_) {
    char *block = fb_alloc(class_->block_bytes + 1u);
    for (uint32_t i = 0; i < class_->n_fields; i++)
        ((struct fb_field_cell *)(void *)(block + class_->fields[i].offset))->ts_us = FB_NO_TIME;
    for (uint32_t i = 0; i < class_->n_windows; i++)
        fb_window_init(&class_->windows[i], block + class_->windows[i].offset);
    for (uint32_t i = 0; i < class_->n_code; i++) {
        const struct fb_instr *in = &class_->code[i];
        if (in->op == FB_I_FOR || in->op == FB_I_FOR_CONST) {
            struct fb_for_cell *cell = (void *)(block + in->imm);
            cell->t0_us = cell->paused_us = FB_NO_TIME;
        } else if (in->op == FB_I_ELAPSED) {
            ((struct fb_elapsed_cell *)(void *)(block + in->imm))->rise_us = FB_NO_TIME;
        }
    }
    for (uint32_t i = 0; i < class_->n_rules; i++) {
        struct fb_rule_cell *cell = (void *)(block + program->rules[class_->rules[i]].offset);
        cell->since_us = cell->clear_t0_us = cell->clear_paused_us = FB_NO_TIME;
        if (program->rules[class_->rules[i]].flap_slot_us)
            fb_flap_of(cell)->slot = FB_NO_TIME;
    }
    for (uint32_t i = 0; i < class_->n_claims; i++) {
        void *cell = block + class_->claims[i].offset;
        ((struct fb_claim_cell *)cell)->unknown_us = FB_NO_TIME;
        if (class_->claims[i].is_step)
            ((struct fb_step_cell *)cell)->next_us = FB_NEVER;
    }
    for (uint32_t i = 0; i < class_->n_rates; i++)
        fb_rate_begin((void *)(block + class_->rates[i].offset), class_->rates[i].n);
    for (uint32_t i = 0; i < class_->n_actuators; i++)
        fresh_actuator(&class_->actuators[i], block + class_->actuators[i].offset);
    for (uint32_t i = 0; i < class_->n_fleets; i++)
        *(struct fb_fleet_cell *)(void *)(block + class_->fleets[i].offset) =
            (struct fb_fleet_cell){FB_NO_TIME, {FB_NO_TIME, FB_NO_TIME}, {FB_NO_TIME, FB_NO_TIME}};
    return block;
}

static void plan_fields(struct fb_class_plan *plan) {
    const struct fb_class *class_ = plan->class_;
    plan->fields = fb_alloc(sizeof *plan->fields * (class_->n_fields + 1u));
    for (uint32_t f = 0; f < class_->n_fields; f++) {
        const struct fb_field *field = &class_->fields[f];
        plan->fields[f] = (struct fb_field_plan){
            .field = field,
            .stale_us = field->stale_us,
            .cell_at = plan->block_at + field->offset,
            .is_key = f < class_->n_keys,
            .is_text = field->type == FB_T_TEXT,
            .is_number = field->type == FB_T_NUMBER || field->type == FB_T_COUNTER};
    }
}

static void plan_windows(struct fb_class_plan *plan) {
    const struct fb_class *class_ = plan->class_;
    plan->window_words = (class_->n_windows + 63) / 64;
    plan->windows_of = fb_alloc(sizeof(uint64_t) * (class_->n_fields * plan->window_words + 1u));
    plan->record_windows = fb_alloc(sizeof(uint32_t) * (class_->n_windows + 1u));
    plan->fed_windows = fb_alloc(sizeof *plan->fed_windows * (class_->n_windows + 1u));
    uint32_t n = 0;
    for (uint32_t f = 0; f < class_->n_fields; f++) {
        plan->fields[f].windows = plan->fed_windows + n;
        for (uint32_t w = 0; w < class_->n_windows; w++) {
            const struct fb_window *window = &class_->windows[w];
            if (window->input == FB_INPUT_FIELD && window->field == f)
                plan->fed_windows[n++] = (struct fb_fed_window){
                    window,
                    window->shape == FB_SHAPE_EACH ? fb_slice_plan_of(window)
                                                   : (struct fb_slice_plan){0},
                    plan->block_at + window->offset};
            else if (window->input == FB_INPUT_CODE && f >= class_->n_keys &&
                     fb_field_set_has(&window->reads, f))
                set_bit(plan->windows_of + f * plan->window_words, w);
        }
        plan->fields[f].n_windows = (uint32_t)(plan->fed_windows + n - plan->fields[f].windows);
    }
    for (uint32_t w = 0; w < class_->n_windows; w++) {
        plan->other_windows |= class_->windows[w].input != FB_INPUT_FIELD;
        if (class_->windows[w].input == FB_INPUT_RECORDS)
            plan->record_windows[plan->n_record_windows++] = w;
    }
}

/* An off-delay that each evaluation reads anew could change by itself. */
static bool off_delay_is_constant(const struct fb_class *class_, const struct fb_rule *rule) {
    return !rule->has_clear_after ||
           (rule->clear_after.count == 1 &&
            class_->code[rule->clear_after.first].op == FB_I_NUMBER);
}

/* What else it reads has a deadline for each of its changes, or wakes it (rest.h). */
static bool may_rest(const struct fb_program *program, const struct fb_class *class_,
                     const struct fb_condition *condition) {
    return off_delay_is_constant(class_, &program->rules[condition->rule]);
}

/* The share of good time of an `over` window falls without a deadline; how long behind W it goes on
 * doing so at most: until all fields are stale, and that has filled the window and a pane. */
static int64_t unsettled_us(const struct fb_class *class_, const struct fb_condition *condition) {
    int64_t length_us = 0, stale_us = 0;
    for (uint32_t i = 0; i < condition->code.count; i++) {
        const struct fb_instr *in = &class_->code[condition->code.first + i];
        if (in->op != FB_I_WINDOW && in->op != FB_I_WINDOW_CMP)
            continue;
        const struct fb_window *window = &class_->windows[in->imm];
        if ((window->shape == FB_SHAPE_RING || window->shape == FB_SHAPE_PANES) &&
            window->length_us > length_us)
            length_us = window->length_us;
    }
    if (length_us == 0)
        return 0;
    for (uint32_t f = 0; f < class_->n_fields; f++)
        if (class_->fields[f].stale_us > stale_us)
            stale_us = class_->fields[f].stale_us;
    return fb_add_sat(stale_us, fb_add_sat(length_us, length_us));
}

/* The `each` windows that the condition reads, each once; how many. */
static uint32_t list_each(const struct fb_class *class_, const struct fb_condition *condition,
                          uint32_t *list) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < condition->code.count; i++) {
        const struct fb_instr *in = &class_->code[condition->code.first + i];
        if ((in->op != FB_I_WINDOW && in->op != FB_I_WINDOW_CMP) ||
            class_->windows[in->imm].shape != FB_SHAPE_EACH)
            continue;
        uint32_t at = 0;
        while (at < n && list[at] != in->imm)
            at++;
        list[at] = in->imm;
        n += at == n;
    }
    return n;
}

static void plan_each(struct fb_class_plan *plan, const struct fb_program *program) {
    const struct fb_class *class_ = plan->class_;
    uint32_t room = 1, n = 0;
    for (uint32_t c = 0; c < class_->n_conditions; c++)
        room += class_->conditions[c].code.count;
    plan->each_conditions = fb_alloc(sizeof(uint32_t) * (class_->n_conditions + 1u));
    plan->each_windows = fb_alloc(sizeof(uint32_t) * room);
    for (uint32_t c = 0; c < class_->n_conditions; c++) {
        struct fb_condition_plan *condition = &plan->conditions[c];
        condition->first_each = n;
        uint32_t each = list_each(class_, &class_->conditions[c], plan->each_windows + n);
        FB_ASSERT(each <= UINT16_MAX);
        condition->n_each = (uint16_t)each;
        n += each;
        if (!each)
            continue;
        plan->each_conditions[plan->n_each_conditions++] = c;
        condition->may_rest = may_rest(program, class_, &class_->conditions[c]);
        condition->unsettled_us = unsettled_us(class_, &class_->conditions[c]);
    }
}

static void plan_conditions(struct fb_class_plan *plan, const struct fb_program *program) {
    const struct fb_class *class_ = plan->class_;
    uint32_t words = plan->condition_words = (class_->n_conditions + 63) / 64;
    plan->conditions_of = fb_alloc(sizeof(uint64_t) * (class_->n_fields * words + 1u));
    plan->plain_of = fb_alloc(sizeof(uint64_t) * (class_->n_fields * words + 1u));
    plan->indexes = fb_alloc(sizeof *plan->indexes * (class_->n_fields + 1u));
    uint64_t *followed = fb_alloc(sizeof(uint64_t) * (words + 1u));
    plan->all_followed = true;
    plan->every_record_conditions = fb_alloc(sizeof(uint64_t) * (words + 1u));
    plan->all_conditions = fb_alloc(sizeof(uint64_t) * (words + 1u));
    plan->twice = fb_alloc(sizeof(uint64_t) * (words + 1u));
    plan->scratch = fb_alloc(sizeof(uint64_t) * (words + 1u));
    plan->second = fb_alloc(sizeof(uint64_t) * (words + 1u));
    for (uint32_t c = 0; c < class_->n_conditions; c++) {
        const struct fb_condition *condition = &class_->conditions[c];
        set_bit(plan->all_conditions, c);
        if (condition->every_record) {
            set_bit(plan->every_record_conditions, c);
            plan->all_followed = false;
        }
        if (condition->twice)
            set_bit(plan->twice, c);
        bool follow = fb_index_can_follow(program, class_, condition);
        if (follow)
            set_bit(followed, c);
        for (uint32_t f = class_->n_keys; f < class_->n_fields; f++) {
            if (!fb_field_set_has(&condition->reads, f))
                continue;
            set_bit(plan->conditions_of + f * words, c);
            if (follow)
                continue;
            set_bit(plan->plain_of + f * words, c);
            plan->all_followed = false;
        }
    }
    for (uint32_t f = class_->n_keys; f < class_->n_fields; f++) {
        fb_index_make(&plan->indexes[f], program, class_, f, followed, words);
        if (plan->indexes[f].indexed)
            plan->fields[f].index = &plan->indexes[f];
    }
    free(followed);
}

static struct fb_rule_plan plan_rule(const struct fb_class_plan *plan,
                                     const struct fb_rule *rule) {
    FB_ASSERT(rule->n_conditions > 0 || rule->sort == FB_SORT_ACTUATOR ||
              rule->sort == FB_SORT_CONTROL || rule->sort == FB_SORT_MODE);
    const struct fb_condition *first =
        rule->n_conditions ? &plan->class_->conditions[rule->first_condition] : NULL;
    bool is_alarm = rule->sort == FB_SORT_ALARM;
    return (struct fb_rule_plan){
        .rule = rule,
        .cell_at = plan->block_at + rule->offset,
        .condition_at = first ? plan->block_at + first->offset : 0,
        .is_alarm = is_alarm,
        .is_control = rule->sort == FB_SORT_CONTROL || rule->sort == FB_SORT_MODE,
        .plain = is_alarm && rule->n_conditions == 1 && !rule->has_clear_after &&
                 !rule->flap_slot_us};
}

/* How the condition reads the alarm; NULL: it does not. */
static const struct fb_instr *reading_alarm(const struct fb_class *class_,
                                            const struct fb_condition *condition,
                                            uint32_t local_rule) {
    for (uint32_t i = 0; i < condition->code.count; i++) {
        const struct fb_instr *in = &class_->code[condition->code.first + i];
        if (in->op == FB_I_ALARM && in->imm == local_rule)
            return in;
    }
    return NULL;
}

static void plan_readers(struct fb_class_plan *plan) {
    const struct fb_class *class_ = plan->class_;
    uint32_t n = 0, room = 0;
    for (uint32_t i = 0; i < class_->n_code; i++)
        room += class_->code[i].op == FB_I_ALARM;
    plan->alarm_readers = fb_alloc(sizeof(uint32_t) * (room + 1u));
    for (uint32_t rule = 0; rule < class_->n_rules && room; rule++) {
        struct fb_rule_plan *alarm = &plan->rules[rule];
        uint32_t first = n;
        for (int held = 1; held >= 0; held--) {
            for (uint32_t c = 0; c < class_->n_conditions; c++) {
                const struct fb_instr *in = reading_alarm(class_, &class_->conditions[c], rule);
                if (in && in->sub == held)
                    plan->alarm_readers[n++] = c;
            }
            if (held)
                alarm->n_commands = n - first;
        }
        alarm->readers = plan->alarm_readers + first;
        alarm->n_readers = n - first;
        alarm->is_read = n > first;
        alarm->plain = alarm->plain && !alarm->is_read;
    }
}

/* The actuators that have the condition as interlock or permissive. */
static uint64_t guarded_by(const struct fb_class *class_, uint32_t condition) {
    uint64_t set = 0;
    for (uint32_t i = 0; i < class_->n_actuators; i++)
        if (class_->actuators[i].interlock == condition ||
            class_->actuators[i].permissive == condition)
            set |= UINT64_C(1) << i;
    return set;
}

/* The actuator that has the condition as what its feedback differs by. */
static uint32_t followed_by(const struct fb_class *class_, uint32_t condition) {
    for (uint32_t i = 0; i < class_->n_actuators; i++)
        if (class_->actuators[i].failures && class_->actuators[i].feedback == condition)
            return i;
    return FB_NO_INDEX;
}

/* How conditions and rules are evaluated. */
static void plan_rules(struct fb_class_plan *plan, const struct fb_program *program) {
    const struct fb_class *class_ = plan->class_;
    plan->rules = fb_alloc(sizeof *plan->rules * (class_->n_rules + 1u));
    for (uint32_t i = 0; i < class_->n_rules; i++)
        plan->rules[i] = plan_rule(plan, &program->rules[class_->rules[i]]);
    plan_readers(plan);
    uint32_t room = 1, n = 0, local_rule = 0;
    for (uint32_t c = 0; c < class_->n_conditions; c++)
        room += class_->conditions[c].code.count;
    plan->steps = fb_alloc(sizeof *plan->steps * room);
    plan->conditions = fb_alloc(sizeof *plan->conditions * (class_->n_conditions + 1u));
    for (uint32_t c = 0; c < class_->n_conditions; c++) {
        const struct fb_condition *condition = &class_->conditions[c];
        const struct fb_rule *rule = &program->rules[condition->rule];
        while (class_->rules[local_rule] != condition->rule)
            local_rule++;
        bool published = condition->role == FB_ROLE_PUBLISHED;
        uint32_t steps =
            published ? 0 : fb_steps_make(plan->steps + n, class_, condition, plan->block_at);
        plan->conditions[c] = (struct fb_condition_plan){
            .rule = rule,
            .steps = steps ? plan->steps + n : NULL,
            .n_steps = steps,
            .cell_at = plan->block_at + condition->offset,
            .local_rule = local_rule,
            .is_alarm = rule->sort == FB_SORT_ALARM,
            .whenever = rule->whenever,
            .acts = rule->sort == FB_SORT_CONTROL || rule->sort == FB_SORT_ACTUATOR ||
                    rule->sort == FB_SORT_MODE || published,
            .is_value = condition->role == FB_ROLE_CLAIM || published,
            .marks = guarded_by(class_, c),
            .follows = followed_by(class_, c)};
        n += steps;
    }
}

static void plan_claims(struct fb_class_plan *plan, const struct fb_program *program) {
    const struct fb_class *class_ = plan->class_;
    FB_ASSERT(class_->n_actuators <= 2 * FB_ACTUATORS_MAX);
    plan->claims = fb_alloc(sizeof *plan->claims * (class_->n_claims + 1u));
    for (uint32_t i = 0; i < class_->n_claims; i++) {
        const struct fb_rule *rule = &program->rules[class_->claims[i].rule];
        uint64_t hash = fb_hash128(rule->name.p, rule->name.n).low;
        plan->claims[i] = (struct fb_claim_plan){rule, hash ? hash : 1};
    }
}

/* What of a record may put a device among others, or into another domain; keys never change. */
static void plan_relations(struct fb_class_plan *plan) {
    const struct fb_class *class_ = plan->class_;
    plan->acting = class_->n_actuators + class_->n_modes + class_->n_published > 0;
    plan->relates = class_->n_relations > 0 || class_->n_published > 0;
    plan->takes_further = plan->other_windows || plan->relates;
    if (class_->domain >= class_->n_keys)
        fb_field_set_add(&plan->relating, class_->domain);
    for (uint32_t r = 0; r < class_->n_relations; r++)
        for (uint32_t i = 0; i < class_->relations[r].n_fields; i++)
            if (class_->relations[r].fields[i] >= class_->n_keys)
                fb_field_set_add(&plan->relating, class_->relations[r].fields[i]);
}

/* Adds the lines of a place in the block, in the order of places. */
static void add_lines(const struct fb_class_plan *plan, struct fb_lines *lines, uint32_t offset,
                      uint32_t bytes) {
    uint32_t from = (plan->block_at + offset) / LINE_BYTES * LINE_BYTES;
    for (; from < plan->block_at + offset + bytes && lines->n < FB_LINES_MAX; from += LINE_BYTES)
        if (from && (!lines->n || lines->at[lines->n - 1] < from))
            lines->at[lines->n++] = from;
}

static void add_windows(const struct fb_class_plan *plan, struct fb_lines *lines) {
    for (uint32_t i = 0; i < plan->class_->n_windows; i++) {
        const struct fb_window *window = &plan->class_->windows[i];
        add_lines(plan, lines, window->offset,
                  window->bytes < WINDOW_BYTES ? window->bytes : WINDOW_BYTES);
    }
}

/* The fields, and of each window what a sample in its order touches. */
static struct fb_lines record_lines(const struct fb_class_plan *plan) {
    const struct fb_class *class_ = plan->class_;
    struct fb_lines lines = {0};
    for (uint32_t i = class_->n_keys; i < class_->n_fields; i++)
        add_lines(plan, &lines, class_->fields[i].offset, sizeof(struct fb_field_cell));
    add_windows(plan, &lines);
    return lines;
}

/* What the end of `each` windows reads: deadlines and windows. Conditions are written only, which
 * nothing waits for. */
static struct fb_lines timer_lines(const struct fb_class_plan *plan) {
    struct fb_lines lines = {0};
    for (uint32_t at = LINE_BYTES; at < plan->block_at && lines.n < FB_LINES_MAX / 4;
         at += LINE_BYTES)
        lines.at[lines.n++] = at;
    add_windows(plan, &lines);
    return lines;
}

void fb_plan_make(struct fb_class_plan *plan, const struct fb_program *program,
                  uint16_t class_index) {
    const struct fb_class *class_ = &program->classes[class_index];
    *plan = (struct fb_class_plan){.class_ = class_, .class_index = class_index};
    plan->n_deadlines = class_->n_conditions + class_->n_rules;
    plan->block_at = (uint32_t)(sizeof(struct fb_device) + sizeof(int64_t) * plan->n_deadlines);
    plan->service_at = (plan->block_at + class_->block_bytes + 7) / 8 * 8;
    plan->record_lines = record_lines(plan);
    plan->timer_lines = timer_lines(plan);
    plan->fresh_block = fresh_block(program, class_);
    plan_fields(plan);
    plan_windows(plan);
    plan_conditions(plan, program);
    plan_rules(plan, program);
    plan_claims(plan, program);
    plan_each(plan, program);
    plan_relations(plan);
    plan->image_bytes_max = fb_image_bytes_max(class_);
    plan->matcher = fb_matcher_new(class_->patterns, class_->n_patterns);
}

void fb_plan_free(struct fb_class_plan *plan) {
    free(plan->fresh_block);
    free(plan->windows_of);
    free(plan->fields);
    free(plan->fed_windows);
    free(plan->record_windows);
    free(plan->conditions_of);
    free(plan->plain_of);
    for (uint32_t f = plan->class_->n_keys; f < plan->class_->n_fields; f++)
        fb_index_free(&plan->indexes[f]);
    free(plan->indexes);
    free(plan->every_record_conditions);
    free(plan->all_conditions);
    free(plan->twice);
    free(plan->scratch);
    free(plan->second);
    free(plan->conditions);
    free(plan->rules);
    free(plan->alarm_readers);
    free(plan->claims);
    free(plan->steps);
    free(plan->each_conditions);
    free(plan->each_windows);
    fb_matcher_free(plan->matcher);
}
