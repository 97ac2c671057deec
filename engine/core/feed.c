/* Windows of a field take its samples directly; those of an expression run its code.
 *
 * Place in the flow: see feed.h. */
#include "engine/core/feed.h"

#include "engine/core/group.h"

static void take(struct fb_core *core, struct fb_device *device, uint32_t index,
                 const struct fb_window_sample *sample) {
    const struct fb_window *window = &device->plan->class_->windows[index];
    fb_window_take(window, fb_device_block(device) + window->offset, core->texts, sample,
                   &core->counts);
}

static void feed_field(struct fb_core *core, struct fb_device *device,
                       const struct fb_field_plan *field, uint32_t i, const struct fb_sample *own,
                       struct fb_window_sample *sample) {
    struct fb_value value = {.quality = FB_Q_GOOD};
    if (field->is_text)
        value.text = own->text;
    else
        value.i = own->i;
    sample->good = own->state == FB_SAMPLE_GOOD;
    sample->value = sample->good ? &value : NULL;
    sample->good_until_us = field->stale_us ? sample->ts_us + field->stale_us : FB_NEVER;
    fb_window_take(field->windows[i].window, (char *)device + field->windows[i].cell_at,
                   core->texts, sample, &core->counts);
}

void fb_feed_window(struct fb_core *core, struct fb_device *device,
                    const struct fb_field_plan *field, uint32_t i, const struct fb_sample *sample,
                    int64_t ts_us, int64_t t_us) {
    struct fb_window_sample taken = {.ts_us = ts_us, .at_us = t_us};
    feed_field(core, device, field, i, sample, &taken);
}

/* Whether all that an expression reads is good from a record on, and until when. */
static bool input_is_good(struct fb_device *device, const struct fb_window *window, int64_t t_us,
                          int64_t *until_us) {
    const struct fb_field_plan *fields = device->plan->fields;
    *until_us = FB_NEVER;
    for (uint32_t word = 0; word < FB_FIELDS_MAX / 64; word++) {
        for (uint64_t bits = window->reads.words[word]; bits; bits &= bits - 1) {
            uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(bits);
            const struct fb_field *field = fields[i].field;
            const struct fb_field_cell *cell = fb_device_cell(device, &fields[i]);
            if (fb_field_quality(field, cell, t_us) != FB_Q_GOOD)
                return false;
            if (field->stale_us && cell->ts_us + field->stale_us < *until_us)
                *until_us = cell->ts_us + field->stale_us;
        }
    }
    return true;
}

/* Whether all that it reads of other devices is known. */
static bool others_are_known(const struct fb_device *device, const struct fb_window *window) {
    struct fb_relations *relations = device->plan->relations;
    const struct fb_instr *code = &device->plan->class_->code[window->sample.first];
    for (uint32_t i = 0; i < window->sample.count; i++) {
        const struct fb_instr *in = &code[i];
        if (in->op == FB_I_LINKED && fb_linked_read(relations, device, in).quality != FB_Q_GOOD)
            return false;
        if (in->op == FB_I_GROUP && fb_group_read(relations, device, in).quality != FB_Q_GOOD)
            return false;
    }
    return true;
}

static bool gives_sample(const struct fb_window *window, const struct fb_entry *entry) {
    for (uint32_t i = 0; i < entry->n_samples; i++)
        if (fb_field_set_has(&window->gives, entry->samples[i].field))
            return true;
    return false;
}

static void feed_code(struct fb_core *core, struct fb_device *device, uint32_t index,
                      const struct fb_entry *entry, struct fb_window_sample *sample) {
    const struct fb_window *window = &device->plan->class_->windows[index];
    struct fb_value value;
    sample->value = NULL;
    if (gives_sample(window, entry) &&
        !(sample->late && (window->looks_back || window->sees_others))) {
        struct fb_eval eval = {
            .registers = core->registers,
            .texts = core->texts,
            .device = device,
            .memos = core->memos,
            .moment = ++core->moment,
            .t_us = entry->ts_us,
            .deadline_us = FB_NEVER,
            .each_us = FB_NEVER,
        };
        value = fb_eval_run(&eval, &window->sample);
        if (value.quality == FB_Q_GOOD)
            sample->value = &value;
    }
    if (!sample->late)
        sample->good = input_is_good(device, window, entry->ts_us, &sample->good_until_us) &&
                       (!window->sees_others || others_are_known(device, window));
    take(core, device, index, sample);
}

static void feed_others(struct fb_core *core, struct fb_device *device,
                        const struct fb_entry *entry, struct fb_window_sample *sample) {
    const struct fb_class_plan *plan = device->plan;
    for (uint32_t word = 0; word < plan->window_words; word++) {
        uint64_t bits = 0;
        for (uint32_t i = 0; i < entry->n_samples; i++)
            bits |= plan->windows_of[entry->samples[i].field * plan->window_words + word];
        for (; bits; bits &= bits - 1)
            feed_code(core, device, word * 64 + (uint32_t)__builtin_ctzll(bits), entry, sample);
    }
    for (uint32_t i = 0; i < plan->n_record_windows; i++) {
        static const struct fb_value record = {.i = 1, .quality = FB_Q_GOOD};
        sample->value = &record;
        sample->good = true;
        sample->good_until_us = FB_NEVER;
        take(core, device, plan->record_windows[i], sample);
    }
}

void fb_feed_others(struct fb_core *core, struct fb_device *device, const struct fb_entry *entry,
                    int64_t t_us) {
    struct fb_window_sample sample = {.ts_us = entry->ts_us, .at_us = t_us};
    feed_others(core, device, entry, &sample);
}

void fb_feed_late(struct fb_core *core, struct fb_device *device, const struct fb_entry *entry,
                  int64_t t_us) {
    const struct fb_class_plan *plan = device->plan;
    struct fb_window_sample sample = {.ts_us = entry->ts_us, .at_us = t_us, .late = true};
    for (uint32_t i = 0; i < entry->n_samples; i++) {
        const struct fb_field_plan *field = &plan->fields[entry->samples[i].field];
        for (uint32_t k = 0; k < field->n_windows; k++)
            feed_field(core, device, field, k, &entry->samples[i], &sample);
    }
    if (plan->other_windows)
        feed_others(core, device, entry, &sample);
}
