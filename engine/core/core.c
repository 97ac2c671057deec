/* The step: clock, due timers, fields, windows, conditions.
 *
 * Place in the flow: 4 to 9 and 12 of the event's way. The order is rules/MEANING.md, M2. */
#include "engine/core/core.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/base/planted.h"
#include "engine/core/actuator.h"
#include "engine/core/claim.h"
#include "engine/core/feed.h"
#include "engine/core/hops.h"
#include "engine/core/index.h"
#include "engine/core/mode.h"
#include "engine/core/mute.h"
#include "engine/core/plan.h"
#include "engine/core/rate.h"
#include "engine/core/relation.h"
#include "engine/core/report.h"
#include "engine/core/rest.h"
#include "engine/core/rule.h"
#include "engine/core/snapshot.h"
#include "engine/core/state.h"
#include "engine/core/text.h"
#include "engine/core/timer.h"
#include "engine/core/wake.h"

/* ---- set-up ---- */

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

void fb_core_set_up(struct fb_core *core, const struct fb_program *program) {
    core->program = program;
    core->expected = NULL;
    core->plans = fb_alloc(sizeof *core->plans * (program->n_classes + 1u));
    uint32_t registers = 1, windows = 1, fields = 1, shown = 1, slots = 1, claims = 1;
    for (uint32_t i = 0; i < program->n_classes; i++) {
        fb_plan_make(&core->plans[i], program, (uint16_t)i);
        registers = larger(registers, program->classes[i].registers);
        windows = larger(windows, program->classes[i].n_windows);
        fields = larger(fields, program->classes[i].n_fields);
    }
    for (uint32_t i = 0; i < program->n_rules; i++) {
        shown = larger(shown, program->rules[i].n_shown);
        slots = larger(slots, program->rules[i].n_slots);
        claims = larger(claims, program->rules[i].n_claims);
    }
    core->registers = fb_alloc(sizeof *core->registers * registers);
    core->memos = fb_alloc(sizeof *core->memos * windows);
    core->shown = fb_alloc(sizeof *core->shown * shown);
    core->sources = fb_alloc(sizeof *core->sources * shown);
    core->own_shown = fb_alloc(sizeof *core->own_shown * shown);
    core->own_sources = fb_alloc(sizeof *core->own_sources * shown);
    core->slots = fb_alloc(sizeof *core->slots * slots);
    core->tags = fb_alloc(sizeof *core->tags * fields);
    core->views = fb_alloc(sizeof *core->views * claims);
    core->kept_cells = fb_alloc(sizeof *core->kept_cells * fields);
    core->late_texts = fb_alloc(sizeof *core->late_texts * fields);
    core->n_late_texts = fields;
    core->rate = NULL;
    if (program->rate.n) {
        core->rate = fb_alloc(fb_rate_bytes(program->rate.n));
        fb_rate_begin(core->rate, program->rate.n);
    }
    core->devices = fb_devices_new();
    core->timers = fb_timers_new(core->devices);
    core->relations = fb_relations_new(program, core->plans, core->devices, core->texts);
    core->readings = core->relations ? fb_readings_new(program) : NULL;
    for (uint32_t i = 0; i < program->n_classes; i++)
        core->plans[i].relations = core->relations;
    if (core->relations)
        fb_timers_follow_due(core->timers);
}

void fb_core_tear_down(struct fb_core *core) {
    for (uint32_t i = 0; i < core->program->n_classes; i++)
        fb_plan_free(&core->plans[i]);
    for (uint32_t i = 0; i < core->n_late_texts; i++)
        fb_texts_release(core->texts, core->late_texts[i]);
    free(core->plans);
    free(core->registers);
    free(core->memos);
    free(core->shown);
    free(core->sources);
    free(core->own_shown);
    free(core->own_sources);
    free(core->slots);
    free(core->tags);
    free(core->views);
    free(core->kept_cells);
    free(core->late_texts);
    free(core->rate);
    fb_relations_free(core->relations);
    fb_readings_free(core->readings);
    fb_devices_free(core->devices);
    fb_timers_free(core->timers);
}

struct fb_core *fb_core_new(const struct fb_program *program, const struct fb_core_config *config,
                            fb_output_fn *sink, void *context) {
    struct fb_core *core = fb_alloc(sizeof *core);
    core->config = *config;
    core->sink = sink;
    core->context = context;
    core->clock_us = core->wall_us = FB_NO_TIME;
    core->texts = fb_texts_new();
    fb_core_set_up(core, program);
    return core;
}

void fb_core_free(struct fb_core *core) {
    if (!core)
        return;
    fb_core_tear_down(core);
    fb_texts_free(core->texts);
    free(core->sweep.early);
    fb_buf_free(&core->sweep.waiting);
    fb_buf_free(&core->kills.bytes);
    free(core);
}

void fb_core_configure(struct fb_core *core, const struct fb_core_config *config) {
    core->config = *config;
}

void fb_core_set_wall(struct fb_core *core, int64_t wall_us) {
    core->wall_us = wall_us;
}

/* ---- timers ---- */

/* Derived, so that no snapshot has it. */
static inline void find_deadline(struct fb_device *device) {
    if (!device->exact)
        fb_device_find_deadline(device);
}

/* The end of an evaluation: actuators whose claims changed are decided, in their order. */
static inline void decide_marked(struct fb_core *core, const struct fb_moment *moment) {
    if (__builtin_expect(core->moved != 0, 0)) {
        uint64_t moved = core->moved;
        core->moved = 0;
        fb_modes_look(core, moment, moved, fb_moment_clock(core, moment));
    }
    if (__builtin_expect(core->marked == 0, 1))
        return;
    uint64_t set = core->marked;
    core->marked = 0;
    fb_actuators_decide(core, moment, set, fb_moment_clock(core, moment));
}

/* One evaluation of everything of the device that is due at its earliest deadline. */
static void fire(struct fb_core *core, struct fb_device *device, int64_t at_us) {
    const struct fb_class_plan *plan = device->plan;
    fb_core_touch(core, device);
    memset(plan->scratch, 0, sizeof(uint64_t) * plan->condition_words);
    for (uint32_t i = 0; i < plan->class_->n_conditions; i++)
        if (device->deadlines[i] <= at_us)
            plan->scratch[i / 64] |= UINT64_C(1) << (i % 64);
    struct fb_moment moment = {
        .device = device,
        .t_us = at_us,
        .silent = true,
        .cause = {.timer = true, .deadline_us = at_us},
    };
    core->stats.timers++;
    fb_rules_evaluate(core, &moment, plan->scratch);
    decide_marked(core, &moment);
    find_deadline(device);
}

/* Whether the next that is due of the device is a deadline of its actuators: those are on C, and
 * timers whose T came at the same instant or before go first (A12). */
static inline bool acts_next(const struct fb_core *core, const struct fb_device *device,
                             int64_t limit_us, bool last) {
    if (__builtin_expect(device->acting_us >= core->clock_us + last, 1))
        return false;
    return device->deadline_us >= limit_us ||
           fb_device_came_at(core, device, device->deadline_us) > device->acting_us;
}

/* The C at which what the device is due at next came, A37. */
static inline int64_t next_came_us(const struct fb_core *core, const struct fb_device *device,
                                   int64_t limit_us, bool last) {
    return acts_next(core, device, limit_us, last)
               ? device->acting_us
               : fb_device_came_at(core, device, device->deadline_us);
}

/* Ends of shelves and maintenance, and one decision of all actuators of the device, that are due at
 * its earliest such deadline. */
static void act(struct fb_core *core, struct fb_device *device) {
    int64_t now_us = device->acting_us, t_us = fb_device_time(device, now_us);
    fb_core_touch(core, device);
    struct fb_moment moment = {
        .device = device,
        .t_us = t_us,
        .silent = true,
        .cause = {.timer = true, .deadline_us = t_us},
    };
    core->stats.timers++;
    core->moment++;
    fb_mute_end(core, &moment, now_us);
    uint64_t moving = fb_modes_due_at(device, now_us);
    fb_modes_look(core, &moment, moving, now_us);
    uint64_t due = fb_actuators_due_at(device, now_us);
    uint64_t set = core->marked | fb_claims_step(device, now_us, (moving | due) != 0);
    core->marked = 0;
    fb_actuators_decide(core, &moment, due | set, now_us);
    find_deadline(device);
}

/* How far a device's own time goes: T is due if T < limit_us. */
static int64_t time_limit(const struct fb_core *core, const struct fb_device *device,
                          const struct fb_device *taking, int64_t taking_limit_us, bool last) {
    if (device == taking)
        return taking_limit_us;
    return fb_add_sat(fb_device_time(device, core->clock_us), last);
}

/* Puts a device among those due now, if its true deadline is; else back into the heap. */
static void queue_due(struct fb_core *core, struct fb_device *device, int64_t limit_us,
                      bool last) {
    int64_t came_us = next_came_us(core, device, limit_us, last);
    if (device->deadline_us < limit_us || acts_next(core, device, limit_us, last))
        fb_due_push(core->timers, device, came_us);
    else
        fb_timers_schedule(core->timers, device);
}

/* The device whose record comes next may be due by its own time before the clock is there. */
static void queue_taking(struct fb_core *core, struct fb_device *taking, int64_t taking_limit_us,
                         bool last) {
    if (!taking || taking->deadline_us >= taking_limit_us)
        return;
    fb_timers_remove(core->timers, taking);
    find_deadline(taking);
    queue_due(core, taking, taking_limit_us, last);
}

struct taking_out {
    struct fb_core *core;
    struct fb_device *taking; /* NULL once it was taken out */
    bool last;
};

/* A device whose place was too early is found out when its turn comes. */
static void queue_any(void *context, struct fb_device *device) {
    struct taking_out *out = context;
    if (device == out->taking)
        out->taking = NULL;
    find_deadline(device);
    int64_t limit_us = time_limit(out->core, device, NULL, 0, out->last);
    fb_due_push(out->core->timers, device, next_came_us(out->core, device, limit_us, out->last));
}

/* Puts all that may be due among those due now. */
static void queue_all(struct fb_core *core, struct fb_device *taking, int64_t taking_limit_us,
                      bool last) {
    /* At the last tick a device may be due whose own time ran ahead of what C gives it. */
    int64_t reach_us = last ? FB_NEVER : core->clock_us;
    if (fb_timers_many(core->timers, reach_us)) {
        struct taking_out out = {core, taking, last};
        fb_timers_take_out(core->timers, reach_us, queue_any, &out);
        queue_taking(core, out.taking, taking_limit_us, last);
        return;
    }
    queue_taking(core, taking, taking_limit_us, last);
    struct fb_device *device;
    while ((device = fb_timers_pop(core->timers, reach_us))) {
        find_deadline(device);
        int64_t limit_us = time_limit(core, device, taking, taking_limit_us, last);
        if (last)
            fb_due_push(core->timers, device, next_came_us(core, device, limit_us, last));
        else
            queue_due(core, device, limit_us, last);
    }
}

/* Fires all that is due with the clock where it is; `taking` (or NULL) is the device whose record
 * comes next, with its own time going up to taking_limit_us. last: also what is due exactly now. */
static void fire_all(struct fb_core *core, struct fb_device *taking, int64_t taking_limit_us,
                     bool last) {
    queue_all(core, taking, taking_limit_us, last);
    core->firing = (struct fb_firing){true, last, taking, taking_limit_us};
    struct fb_device *device;
    while ((device = fb_due_pop(core->timers))) {
        int64_t limit_us = time_limit(core, device, taking, taking_limit_us, last);
        if (acts_next(core, device, limit_us, last))
            act(core, device);
        else if (device->deadline_us < limit_us)
            fire(core, device, device->deadline_us);
        queue_due(core, device, limit_us, last);
    }
    core->firing = (struct fb_firing){0};
}

/* While others fire it may have become due among them, or earlier than it stands there. */
void fb_core_woken(struct fb_core *core, struct fb_device *device) {
    const struct fb_firing *firing = &core->firing;
    if (FB_PLANTED(READERS_ASLEEP))
        return;
    if (firing->open) {
        int64_t limit_us =
            time_limit(core, device, firing->taking, firing->taking_limit_us, firing->last);
        find_deadline(device);
        int64_t queued_us = fb_due_came(core->timers, device);
        bool is_due = device->deadline_us < limit_us;
        int64_t came_us = fb_device_came_at(core, device, device->deadline_us);
        if (is_due && came_us < queued_us) {
            fb_timers_remove(core->timers, device);
            fb_due_push(core->timers, device, came_us);
        }
        if (is_due || queued_us != FB_NEVER)
            return;
    }
    fb_timers_schedule(core->timers, device);
}

int64_t fb_core_time(const struct fb_core *core, const struct fb_device *device, int64_t c_us) {
    int64_t d_us = fb_device_time(device, c_us);
    const struct fb_firing *firing = &core->firing;
    bool beyond = device == firing->taking && c_us == core->clock_us;
    return beyond && firing->taking_limit_us > d_us ? firing->taking_limit_us : d_us;
}

/* Most records find nothing due. */
static inline void fire_due(struct fb_core *core, struct fb_device *taking,
                            int64_t taking_limit_us) {
    if ((taking && taking->deadline_us < taking_limit_us) ||
        fb_timers_next(core->timers) <= core->clock_us)
        fire_all(core, taking, taking_limit_us, false);
}

void fb_core_advance(struct fb_core *core, int64_t c_us) {
    if (c_us <= core->clock_us)
        return;
    core->clock_us = c_us;
    fire_due(core, NULL, 0);
}

void fb_core_finish(struct fb_core *core, int64_t c_us) {
    if (c_us > core->clock_us)
        core->clock_us = c_us;
    fire_all(core, NULL, 0, true); /* all at once: what came earlier goes first */
}

/* ---- records ---- */

static void set_cell(struct fb_core *core, const struct fb_field_plan *field,
                     struct fb_field_cell *cell, const struct fb_sample *sample, int64_t ts_us) {
    if (sample->state != FB_SAMPLE_GOOD) {
        cell->quality = FB_Q_BAD;
        return;
    }
    if (field->is_text)
        cell->text = fb_texts_set(core->texts, cell->text, sample->text);
    else
        cell->i = sample->i;
    cell->ts_us = ts_us;
    cell->quality = FB_Q_GOOD;
}

/* Keys are there from registration on and never change. */
static void set_keys(struct fb_core *core, struct fb_device *device, const struct fb_entry *entry) {
    for (uint32_t i = 0; i < entry->n_samples; i++) {
        const struct fb_field_plan *field = &device->plan->fields[entry->samples[i].field];
        if (field->is_key)
            set_cell(core, field, fb_device_cell(device, field), &entry->samples[i], entry->ts_us);
    }
}

/* A late record's own samples stand in for the fields while windows take it (M11). */
static void feed_late(struct fb_core *core, struct fb_device *device, const struct fb_entry *entry,
                      int64_t t_us) {
    const struct fb_field_plan *fields = device->plan->fields;
    for (uint32_t i = 0; i < entry->n_samples; i++) {
        const struct fb_sample *sample = &entry->samples[i];
        const struct fb_field_plan *field = &fields[sample->field];
        struct fb_field_cell *cell = fb_device_cell(device, field);
        core->kept_cells[i] = *cell;
        if (field->is_text)
            cell->text = core->late_texts[i];
        set_cell(core, field, cell, sample, entry->ts_us);
        if (field->is_text)
            core->late_texts[i] = cell->text;
    }
    fb_feed_late(core, device, entry, t_us);
    for (uint32_t i = 0; i < entry->n_samples; i++)
        *fb_device_cell(device, &fields[entry->samples[i].field]) = core->kept_cells[i];
}

/* Completes the set of conditions that the record concerns: what the index marked, and what it does
 * not follow. Where a deadline falls on this very instant, or at the device's first record, all
 * that read what the record carries. False: there is none. */
static bool concerned(struct fb_device *device, const struct fb_entry *entry, int64_t t_us,
                      bool first) {
    const struct fb_class_plan *plan = device->plan;
    uint32_t words = plan->condition_words;
    if (device->deadline_us <= t_us) /* a guess that is too early must decide nothing */
        find_deadline(device);
    const uint64_t *sets = device->deadline_us <= t_us ? plan->conditions_of : plan->plain_of;
    uint64_t any = 0;
    if (plan->all_followed && !first && sets == plan->plain_of) {
        for (uint32_t word = 0; word < words; word++) {
            plan->second[word] = plan->scratch[word] & plan->twice[word];
            any |= plan->scratch[word];
        }
        return any != 0;
    }
    for (uint32_t word = 0; word < words; word++) {
        uint64_t bits = plan->scratch[word] | plan->every_record_conditions[word];
        if (first)
            bits = plan->all_conditions[word];
        for (uint32_t i = 0; i < entry->n_samples; i++)
            bits |= sets[entry->samples[i].field * words + word];
        plan->scratch[word] = bits;
        plan->second[word] = bits & plan->twice[word];
        any |= bits;
    }
    return any != 0;
}

static void evaluate_record(struct fb_core *core, struct fb_device *device,
                            const struct fb_entry *entry, int64_t t_us, bool late, bool first) {
    const struct fb_class_plan *plan = device->plan;
    if (!concerned(device, entry, t_us, first))
        return;
    struct fb_field_set carried = {0}, good = {0};
    for (uint32_t i = 0; i < entry->n_samples; i++) {
        fb_field_set_add(&carried, entry->samples[i].field);
        if (entry->samples[i].state == FB_SAMPLE_GOOD)
            fb_field_set_add(&good, entry->samples[i].field);
    }
    struct fb_moment moment = {
        .device = device,
        .t_us = t_us,
        .silent = late,
        .carried = late ? NULL : &carried,
        .good = late ? NULL : &good,
        .cause = {.origin = entry->origin},
    };
    fb_rules_evaluate(core, &moment, plan->scratch);
    uint64_t any = 0;
    for (uint32_t word = 0; word < plan->condition_words; word++)
        any |= plan->second[word];
    if (any && !late) {
        moment.silent = true;
        moment.good = NULL;
        fb_rules_evaluate(core, &moment, plan->second);
    }
    if (first) {
        core->marked = fb_actuators_all(plan->class_);
        core->moved = fb_modes_all(plan->class_);
    }
    decide_marked(core, &moment);
}

static void move_watermark(struct fb_core *core, struct fb_device *device, int64_t ts_us) {
    if (device->watermark_us != FB_NO_TIME) {
        if (ts_us == device->watermark_us)
            return;
        device->floor_us = fb_device_time(device, core->clock_us);
    }
    device->watermark_us = ts_us;
    device->clock_at_us = core->clock_us;
}

static void begin_windows(struct fb_device *device, int64_t ts_us) {
    const struct fb_class *class_ = device->plan->class_;
    for (uint32_t i = 0; i < class_->n_windows; i++)
        if (class_->windows[i].shape == FB_SHAPE_EACH)
            fb_window_begin(&class_->windows[i],
                            fb_device_block(device) + class_->windows[i].offset, ts_us);
}

/* Events with `whenever` fire at each sample while they are true. */
static void mark_true(const struct fb_device *device, const uint64_t *whenever) {
    const struct fb_class_plan *plan = device->plan;
    const char *block = (const char *)device + plan->block_at;
    for (uint32_t word = 0; word < plan->condition_words; word++)
        for (uint64_t bits = whenever[word]; bits; bits &= bits - 1) {
            uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(bits);
            const struct fb_condition_cell *cell =
                (const void *)(block + plan->class_->conditions[i].offset);
            plan->scratch[word] |= (uint64_t)(cell->value == 1) << (i % 64);
        }
}

static bool is_same(const struct fb_core *core, const struct fb_field_plan *field,
                    const struct fb_field_cell *cell, const struct fb_sample *sample) {
    if (field->is_text)
        return fb_str_eq(fb_texts_get(core->texts, cell->text), sample->text);
    return cell->i == sample->i;
}

/* An on-time sample of a field that the index follows: marks what it can change. */
static void take_indexed(struct fb_core *core, struct fb_device *device,
                         const struct fb_field_plan *field, const struct fb_sample *sample,
                         int64_t ts_us, int64_t t_us) {
    const struct fb_class_plan *plan = device->plan;
    const struct fb_field_index *index = field->index;
    struct fb_field_cell *cell = fb_device_cell(device, field);
    bool good = sample->state == FB_SAMPLE_GOOD;
    bool known = fb_field_quality(field->field, cell, t_us) == FB_Q_GOOD;
    uint32_t from = cell->position;
    bool same = known && good &&
                (field->is_number ? fb_index_holds(index, from, sample->num)
                                  : is_same(core, field, cell, sample));
    set_cell(core, field, cell, sample, ts_us);
    if (field->is_number && good && !same)
        cell->position = fb_index_position(index, sample->num);
    if (!known || fb_field_quality(field->field, cell, t_us) != FB_Q_GOOD ||
        (!field->is_number && !same)) {
        for (uint32_t word = 0; word < plan->condition_words; word++)
            plan->scratch[word] |= index->indexed[word];
    } else {
        if (!same)
            fb_index_mark(index, from, cell->position, plan->scratch);
        mark_true(device, index->whenever);
    }
}

static void take_samples(struct fb_core *core, struct fb_device *device,
                         const struct fb_entry *entry, int64_t t_us) {
    const struct fb_field_plan *fields = device->plan->fields;
    const struct fb_sample *end = entry->samples + entry->n_samples;
    for (const struct fb_sample *sample = entry->samples; sample < end; sample++) {
        const struct fb_field_plan *field = &fields[sample->field];
        if (field->index)
            take_indexed(core, device, field, sample, entry->ts_us, t_us);
        else if (!field->is_key)
            set_cell(core, field, fb_device_cell(device, field), sample, entry->ts_us);
        fb_feed_field(core, device, field, sample, entry->ts_us, t_us);
    }
}

/* What few classes have: windows of expressions or records, and others that look at the device. */
static __attribute__((noinline)) void take_further(struct fb_core *core, struct fb_device *device,
                                                   const struct fb_entry *entry, int64_t t_us) {
    if (device->plan->relates && core->moves)
        fb_move(core, device, t_us);
    if (device->plan->other_windows) /* they see the others that belong to the device now */
        fb_feed_others(core, device, entry, t_us);
}

/* Applies a record that is on time or late within the lateness. */
static void apply(struct fb_core *core, struct fb_device *device, const struct fb_entry *entry,
                  bool late) {
    const struct fb_class_plan *plan = device->plan;
    bool first = device->watermark_us == FB_NO_TIME;
    fb_core_touch(core, device);
    fb_hops_take(device, entry->origin.hops, core->clock_us);
    for (uint32_t word = 0; word < plan->condition_words; word++)
        plan->scratch[word] = 0;
    if (first) {
        set_keys(core, device, entry);
        begin_windows(device, entry->ts_us);
        fb_actuators_begin(device, core->clock_us);
    }
    if (!late)
        move_watermark(core, device, entry->ts_us);
    int64_t t_us = fb_device_time(device, core->clock_us);
    if (late) {
        feed_late(core, device, entry, t_us);
    } else {
        take_samples(core, device, entry, t_us);
        if (plan->takes_further)
            take_further(core, device, entry, t_us);
    }
    fb_rest_wake(device, t_us);
    evaluate_record(core, device, entry, t_us, late, first);
    fb_timers_schedule(core->timers, device);
}

void fb_core_expect(struct fb_core *core, uint16_t class_index, struct fb_str id) {
    bool foreseen = id.p && id.p == core->foreseen[0].id;
    uint64_t hash = foreseen ? core->foreseen[0].hash : fb_device_hash(class_index, id);
    core->expected = fb_devices_guess(core->devices, hash);
    if (core->expected && !foreseen)
        fb_device_fetch(core->expected, &core->plans[class_index].record_lines);
}

void fb_core_foresee(struct fb_core *core, uint16_t class_index, const struct fb_str devices[2]) {
    struct fb_foreseen *near = &core->foreseen[0], *far = &core->foreseen[1];
    if (!devices[0].p || devices[0].p != far->id)
        *far = (struct fb_foreseen){devices[0].p, fb_device_hash(class_index, devices[0])};
    *near = *far;
    *far = (struct fb_foreseen){.id = devices[1].p};
    struct fb_device *device = near->id ? fb_devices_guess(core->devices, near->hash) : NULL;
    if (device)
        fb_device_fetch(device, &core->plans[class_index].record_lines);
    if (far->id) {
        far->hash = fb_device_hash(class_index, devices[1]);
        fb_devices_fetch_entry(core->devices, far->hash);
    }
}

/* NULL: not registered. */
static struct fb_device *find_device(struct fb_core *core, const struct fb_entry *entry) {
    const struct fb_class_plan *plan = &core->plans[entry->class_index];
    struct fb_device *expected = core->expected;
    core->expected = NULL;
    if (expected && expected->plan == plan && fb_str_eq(fb_device_id(expected), entry->device))
        return expected;
    uint64_t hash = fb_device_hash(entry->class_index, entry->device);
    return fb_devices_find(core->devices, hash, plan, entry->device);
}

static bool is_full(const struct fb_core *core) {
    return core->config.devices_max && fb_devices_count(core->devices) >= core->config.devices_max;
}

static struct fb_device *register_device(struct fb_core *core, uint16_t class_index,
                                         struct fb_str id) {
    uint64_t hash = fb_device_hash(class_index, id);
    struct fb_device *device =
        fb_devices_register(core->devices, &core->plans[class_index], hash, id);
    fb_timers_reserve(core->timers, fb_devices_count(core->devices));
    if (core->relations)
        fb_relations_reserve(core->relations, fb_devices_count(core->devices));
    return device;
}

struct fb_device *fb_core_begin_device(struct fb_core *core, uint16_t class_index,
                                       struct fb_str id) {
    if (is_full(core))
        return NULL;
    struct fb_device *device = register_device(core, class_index, id);
    device->watermark_us = device->clock_at_us = core->clock_us;
    return device;
}

enum fb_taken fb_core_take(struct fb_core *core, const struct fb_entry *entry, int64_t c_us) {
    core->stats.records++;
    if (c_us > core->clock_us)
        core->clock_us = c_us;
    struct fb_device *device = find_device(core, entry);
    const struct fb_class *class_ = &core->program->classes[entry->class_index];
    if (entry->ts_us > fb_add_sat(core->clock_us, core->config.max_skew_us)) {
        fire_due(core, NULL, 0);
        fb_report_late(core, entry, device, true);
        core->stats.future++;
        return FB_TAKEN_FUTURE;
    }
    bool late = device && entry->ts_us < device->watermark_us;
    if (late && entry->ts_us < fb_add_sat(device->watermark_us, -class_->late_us)) {
        fire_due(core, NULL, 0);
        fb_report_late(core, entry, device, false);
        core->stats.late++;
        return FB_TAKEN_LATE;
    }
    int64_t limit_us = 0;
    if (device) {
        limit_us = fb_device_time(device, core->clock_us);
        if (entry->ts_us > limit_us)
            limit_us = entry->ts_us;
    }
    fire_due(core, device, limit_us);
    if (!device) {
        if (is_full(core)) {
            core->stats.refused++;
            return FB_REFUSED_DEVICES;
        }
        device = register_device(core, entry->class_index, entry->device);
    }
    if (__builtin_expect(device->plan->relates, 0))
        core->moves = !late && fb_moves(core, device, entry);
    apply(core, device, entry, late);
    return FB_TAKEN;
}

/* ---- what was restored ---- */

void fb_core_restored(struct fb_core *core, int64_t clock_us) {
    core->clock_us = clock_us;
    core->called = 0;
    if (core->relations && !FB_PLANTED(NO_RELATIONS))
        fb_relations_rebuild(core->relations);
    else if (core->relations)
        fb_relations_reserve(core->relations, fb_devices_count(core->devices));
    for (uint32_t i = 0; i < fb_devices_count(core->devices); i++) {
        struct fb_device *device = fb_devices_at(core->devices, i);
        fb_device_find_deadline(device);
        device->acting_us = fb_actuators_due(device);
        fb_device_service(device)->due_us = FB_NEVER;
        fb_mute_find_due(core, device);
        if (!FB_PLANTED(NO_TIMERS))
            fb_timers_schedule(core->timers, device);
    }
}

struct fb_core_stats fb_core_stats(const struct fb_core *core) {
    struct fb_core_stats stats = core->stats;
    stats.late_ignored = core->counts.late_ignored;
    stats.left_early = core->counts.left_early;
    stats.devices = fb_devices_count(core->devices);
    stats.state_bytes = fb_devices_bytes(core->devices);
    return stats;
}
