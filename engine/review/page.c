/* Gathers what a run took and told.
 *
 * Place in the flow: see page.h. */
#include "engine/review/page.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/base/map.h"
#include "engine/review/gathered.h"

struct fb_page *fb_page_new(const struct fb_program *program) {
    struct fb_page *page = fb_alloc(sizeof *page);
    page->program = program;
    page->arena = fb_arena_new();
    page->episodes = fb_episodes_new();
    page->found = fb_map_new();
    page->from_us = page->to_us = FB_NO_TIME;
    return page;
}

void fb_page_free(struct fb_page *page) {
    if (!page)
        return;
    for (uint32_t i = 0; i < page->n; i++) {
        uint32_t fields = page->program->classes[page->devices[i].class_index].n_fields;
        for (uint32_t f = 0; f < fields; f++)
            fb_curve_free(&page->devices[i].curves[f]);
        uint32_t actuators = page->program->classes[page->devices[i].class_index].n_actuators;
        for (uint32_t a = 0; a < actuators; a++)
            fb_actuation_free(&page->devices[i].actuations[a]);
        free(page->devices[i].actuations);
        free(page->devices[i].curves);
    }
    free(page->devices);
    fb_map_free(page->found);
    fb_episodes_free(page->episodes);
    fb_arena_free(page->arena);
    fb_buf_free(&page->key);
    free(page);
}

/* ---- gathering ---- */

static void reach(struct fb_page *page, int64_t at_us) {
    if (page->from_us == FB_NO_TIME || at_us < page->from_us)
        page->from_us = at_us;
    if (page->to_us == FB_NO_TIME || at_us > page->to_us)
        page->to_us = at_us;
}

/* NULL: one of too many. */
static struct fb_page_device *device_of(struct fb_page *page, uint16_t class_index,
                                        struct fb_str id) {
    page->key.n = 0;
    fb_buf_printf(&page->key, "%u/", class_index);
    fb_buf_str(&page->key, id);
    struct fb_str key = {page->key.p, page->key.n};
    uint32_t place = fb_map_get(page->found, key);
    if (place != FB_MAP_NONE)
        return &page->devices[place];
    if (page->n == FB_PAGE_FOLLOWED_MAX)
        return NULL;
    fb_map_put(page->found, key, page->n);
    const struct fb_class *class_ = &page->program->classes[class_index];
    FB_PUSH_ROOM(page->devices, page->n, page->cap);
    struct fb_page_device *device = &page->devices[page->n];
    *device = (struct fb_page_device){
        .class_index = class_index,
        .id = fb_str_copy(page->arena, id),
        .number = page->n,
        .curves = fb_alloc(sizeof *device->curves * (class_->n_fields + 1u)),
        .actuations = fb_alloc(sizeof *device->actuations * (class_->n_actuators + 1u))};
    for (uint32_t i = 0; i < class_->n_actuators; i++)
        fb_actuation_begin(&device->actuations[i], &class_->actuators[i]);
    page->n++;
    return device;
}

/* False: it has no place on a plot. */
static bool is_plotted(const struct fb_field *field) {
    return field->role == FB_ROLE_FIELD && field->type != FB_T_TEXT && field->type != FB_T_TIME;
}

static double value_of(const struct fb_field *field, const struct fb_sample *sample) {
    bool number = field->type == FB_T_NUMBER || field->type == FB_T_COUNTER;
    return number ? sample->num : (double)sample->i;
}

void fb_page_record(struct fb_page *page, const struct fb_entry *entry) {
    page->records++;
    struct fb_page_device *device = device_of(page, entry->class_index, entry->device);
    if (!device)
        return;
    reach(page, entry->ts_us);
    const struct fb_class *class_ = &page->program->classes[entry->class_index];
    for (uint32_t i = 0; i < entry->n_samples; i++) {
        const struct fb_sample *sample = &entry->samples[i];
        const struct fb_field *field = &class_->fields[sample->field];
        if (sample->state == FB_SAMPLE_GOOD && is_plotted(field))
            fb_curve_add(&device->curves[sample->field], entry->ts_us, value_of(field, sample));
    }
}

void fb_page_output(struct fb_page *page, const struct fb_output *output, struct fb_str message) {
    if (output->kind == FB_OUT_LATE)
        return;
    struct fb_page_device *device = device_of(page, output->class_index, output->device);
    reach(page, output->at_us);
    if (output->kind == FB_OUT_COMMAND || output->kind == FB_OUT_BLOCKED) {
        const struct fb_class *class_ = &page->program->classes[output->class_index];
        if (device)
            fb_actuation_add(&device->actuations[output->actuator - class_->actuators], output);
        return;
    }
    fb_episodes_add(page->episodes, output, message);
    bool alarm = output->kind == FB_OUT_ALERT || output->kind == FB_OUT_MUTED;
    if (device && alarm && output->event == FB_ALERT_RAISED)
        device->alarms++;
}

/* ---- figures ---- */

static void add_actuation(struct fb_actuation *sum, const struct fb_actuation *one) {
    sum->sent += one->sent;
    sum->renewed += one->renewed;
    sum->motion.starts += one->motion.starts;
    sum->motion.reversals += one->motion.reversals;
    sum->active_us += one->active_us;
    for (int guard = 0; guard < FB_GUARDS; guard++)
        sum->blocked[guard] += one->blocked[guard];
}

bool fb_page_actuator_figures(const struct fb_page *page, uint32_t class_index, uint32_t actuator,
                              struct fb_actuator_figures *figures) {
    *figures = (struct fb_actuator_figures){
        .actuator = &page->program->classes[class_index].actuators[actuator]};
    fb_actuation_begin(&figures->sum, figures->actuator);
    for (uint32_t d = 0; d < page->n; d++) {
        const struct fb_actuation *one = &page->devices[d].actuations[actuator];
        if (page->devices[d].class_index != class_index || (!one->sent && !one->n_blocks))
            continue;
        add_actuation(&figures->sum, one);
        figures->devices++;
        if (one->first_us != FB_NO_TIME && one->motion.value != 0 && figures->actuator->is_switch)
            figures->sum.active_us += page->to_us - one->last_us;
    }
    double hours = (double)(page->to_us - page->from_us) / (double)FB_HOUR * figures->devices;
    if (hours > 0) {
        figures->active = (double)figures->sum.active_us / (double)FB_HOUR / hours;
        figures->reversals_per_hour = (double)figures->sum.motion.reversals / hours;
    }
    return figures->devices > 0;
}
