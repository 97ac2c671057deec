/* One look at a mode: the first way out of its state that is open is taken.
 *
 * Place in the flow: see mode.h. */
#include "engine/core/mode.h"

#include "engine/base/num.h"
#include "engine/core/claim.h"
#include "engine/core/rest.h"

/* A mode that went is looked at again after this, so that it goes round once a second at most. */
#define AGAIN_US INT64_C(1000000)

static struct fb_rule_cell *cell_of(const struct fb_device *device, const struct fb_machine *mode) {
    return (void *)(fb_device_block((struct fb_device *)device) + mode->offset);
}

struct fb_value fb_mode_value(const struct fb_device *device, uint32_t index) {
    const struct fb_rule_cell *cell = cell_of(device, &device->plan->class_->modes[index]);
    if (cell->since_us == FB_NO_TIME)
        return (struct fb_value){.quality = FB_Q_UNKNOWN};
    return (struct fb_value){.i = cell->let_through, .quality = FB_Q_GOOD};
}

int64_t fb_modes_due(const struct fb_device *device) {
    const struct fb_class *class_ = device->plan->class_;
    int64_t due_us = FB_NEVER;
    for (uint32_t i = 0; i < class_->n_modes; i++) {
        int64_t us = cell_of(device, &class_->modes[i])->clear_t0_us;
        if (us != FB_NO_TIME && us < due_us)
            due_us = us;
    }
    return due_us;
}

uint64_t fb_modes_due_at(const struct fb_device *device, int64_t c_us) {
    const struct fb_class *class_ = device->plan->class_;
    uint64_t set = 0;
    for (uint32_t i = 0; i < class_->n_modes; i++) {
        int64_t us = cell_of(device, &class_->modes[i])->clear_t0_us;
        set |= (uint64_t)(us != FB_NO_TIME && us <= c_us) << i;
    }
    return set;
}

/* ---- one look ---- */

struct looking {
    const struct fb_device *device;
    const struct fb_machine *mode;
    const struct fb_rule *rule;
    struct fb_rule_cell *cell;
    uint8_t where;
    int64_t now_us;
};

/* Of the state that it is in. */
static bool is_way_out(const struct looking *l, const struct fb_go *go) {
    uint32_t state = l->cell->let_through;
    return go->from == state || (go->from == FB_ANY_STATE && go->to != state);
}

static uint8_t truth_of_way(const struct looking *l, const struct fb_go *go) {
    if (go->condition != FB_NO_CONDITION)
        return fb_device_truth(l->device, go->condition);
    return l->where;
}

/* From when on it may be taken if it is true. */
static int64_t opens_us(const struct looking *l, const struct fb_go *go) {
    int64_t since_us = l->cell->since_us;
    int64_t stay_us = go->at_once ? 0 : l->mode->stay_us[l->cell->let_through];
    int64_t after_us = go->condition == FB_NO_CONDITION ? go->after_us : 0;
    return fb_add_sat(since_us, stay_us > after_us ? stay_us : after_us);
}

static void enter(struct looking *l, uint32_t state) {
    l->cell->let_through = state;
    l->cell->since_us = l->now_us;
}

/* True: it went, or began. */
static bool go_on(struct looking *l) {
    if (l->cell->since_us == FB_NO_TIME) {
        if (l->where == FB_TRUE)
            enter(l, 0);
        return l->where == FB_TRUE;
    }
    for (uint32_t i = 0; i < l->mode->n_gos; i++) {
        const struct fb_go *go = &l->mode->gos[i];
        if (is_way_out(l, go) && truth_of_way(l, go) == FB_TRUE && opens_us(l, go) <= l->now_us) {
            enter(l, go->to);
            return true;
        }
    }
    return false;
}

/* Whether something keeps it from knowing where to go. */
static bool is_unknown(const struct looking *l) {
    bool unknown = l->where == FB_UNKNOWN;
    for (uint32_t i = 0; i < l->mode->n_gos && !unknown; i++)
        unknown =
            is_way_out(l, &l->mode->gos[i]) && truth_of_way(l, &l->mode->gos[i]) == FB_UNKNOWN;
    return unknown;
}

static int64_t next_us(const struct looking *l, bool went) {
    int64_t due_us = FB_NEVER, again_us = fb_add_sat(l->now_us, AGAIN_US);
    for (uint32_t i = 0; i < l->mode->n_gos; i++) {
        const struct fb_go *go = &l->mode->gos[i];
        if (!is_way_out(l, go) || truth_of_way(l, go) != FB_TRUE)
            continue;
        int64_t at_us = opens_us(l, go);
        if (went && at_us < again_us)
            at_us = again_us;
        if (at_us > l->now_us && at_us < due_us)
            due_us = at_us;
    }
    return due_us;
}

/* True: it is in another state, or in none any more. */
static bool look(struct looking *l) {
    struct fb_rule_cell *cell = l->cell;
    cell->clear_t0_us = FB_NO_TIME; /* a deadline is found anew */
    if (l->where == FB_FALSE) {
        bool was = cell->since_us != FB_NO_TIME;
        cell->since_us = cell->clear_t0_us = cell->clear_paused_us = FB_NO_TIME;
        cell->let_through = 0;
        cell->severity = FB_CONTROL_OFF;
        return was;
    }
    bool went = go_on(l);
    if (cell->since_us == FB_NO_TIME)
        return false;
    bool unknown = is_unknown(l);
    cell->severity = !unknown || l->rule->on_unknown == FB_POLICY_HOLD ? FB_CONTROL_ON
                     : l->rule->on_unknown == FB_POLICY_STOP           ? FB_CONTROL_OFF
                                                                       : FB_CONTROL_SAFE;
    if (!unknown)
        cell->clear_paused_us = FB_NO_TIME;
    else if (cell->clear_paused_us == FB_NO_TIME)
        cell->clear_paused_us = l->now_us;
    int64_t due_us = next_us(l, went);
    cell->clear_t0_us = due_us == FB_NEVER ? FB_NO_TIME : due_us;
    return went;
}

/* Conditions that read it are evaluated by timers, as those that read an actuator (A13). */
static void wake_readers(const struct fb_core *core, const struct fb_moment *moment, uint32_t index,
                         bool soon, int64_t now_us) {
    const struct fb_class *class_ = moment->device->plan->class_;
    for (uint32_t i = 0; i < class_->n_conditions; i++)
        if (class_->conditions[i].modes >> index & 1)
            fb_rest_tell(core, moment, i, soon ? AGAIN_US : 0, now_us);
}

static void look_at(struct fb_core *core, const struct fb_moment *moment, uint32_t index,
                    int64_t now_us) {
    struct fb_device *device = moment->device;
    const struct fb_machine *mode = &device->plan->class_->modes[index];
    struct looking l = {.device = device,
                        .mode = mode,
                        .rule = &core->program->rules[mode->rule],
                        .cell = cell_of(device, mode),
                        .where = FB_TRUE,
                        .now_us = now_us};
    int64_t before_us = l.cell->since_us;
    if (l.rule->has_start)
        l.where = fb_device_truth(device, l.rule->first_condition);
    fb_control_look(core, moment, l.rule, now_us);
    bool other = look(&l);
    fb_control_follow(core, moment, l.rule, now_us);
    if (other)
        wake_readers(core, moment, index, before_us != FB_NO_TIME && now_us - before_us < AGAIN_US,
                     now_us);
}

void fb_modes_look(struct fb_core *core, const struct fb_moment *moment, uint64_t set,
                   int64_t now_us) {
    for (uint64_t bits = set; bits; bits &= bits - 1)
        look_at(core, moment, (uint32_t)__builtin_ctzll(bits), now_us);
    int64_t due_us = fb_modes_due(moment->device);
    if (due_us < moment->device->acting_us)
        moment->device->acting_us = due_us;
}
