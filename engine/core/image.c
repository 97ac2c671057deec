#include "engine/core/image.h"

#include <stddef.h>

#include "engine/base/num.h"
#include "engine/base/planted.h"
#include "engine/core/claim.h"
#include "engine/core/flap.h"
#include "engine/core/follow.h"
#include "engine/core/index.h"
#include "engine/core/mute.h"
#include "engine/core/rate.h"
#include "engine/core/shapes.h"
#include "engine/core/text.h"
#include "engine/model/layout.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "images are little-endian"
#endif

static size_t cell_bytes_max(const struct fb_class *class_, const struct fb_cell_id *cell) {
    if (cell->kind == FB_CELL_FIELD)
        return sizeof(struct fb_field_cell) + 1 + FB_TEXT_BYTES_MAX;
    if (cell->kind == FB_CELL_WINDOW)
        return class_->windows[cell->index].bytes +
               (class_->windows[cell->index].type == FB_T_TEXT
                    ? (size_t)class_->windows[cell->index].places * (1 + FB_TEXT_BYTES_MAX)
                    : 0);
    if (cell->kind == FB_CELL_ACTUATOR)
        return fb_actuator_bytes(&class_->actuators[cell->index]);
    if (cell->kind == FB_CELL_RATE)
        return fb_rate_bytes(class_->rates[cell->index].n);
    if (cell->kind == FB_CELL_CLAIM)
        return sizeof(struct fb_step_cell);
    if (cell->kind == FB_CELL_PUBLISHED)
        return sizeof(struct fb_published_cell) + 1 + FB_TEXT_BYTES_MAX;
    return sizeof(struct fb_rule_cell) + sizeof(struct fb_flap_cell);
}

size_t fb_image_bytes_max(const struct fb_class *class_) {
    size_t bytes = 2 + class_->name.n + 2 + FB_DEVICE_ID_MAX +
                   sizeof(int64_t) * (5 + (size_t)class_->n_conditions + class_->n_rules);
    for (uint32_t i = 0; i < class_->n_cells; i++)
        bytes += cell_bytes_max(class_, &class_->cells[i]);
    return bytes;
}

/* All but the padding. */
enum { FLAP_BYTES = offsetof(struct fb_flap_cell, flapping) + 1 };

/* ---- writing ---- */

/* Room was made before. */
static char *put(char *to, const void *bytes, size_t n) {
    memcpy(to, bytes, n);
    return to + n;
}

static char *put_text(char *to, struct fb_str text) {
    *to++ = (char)text.n;
    return text.n ? put(to, text.p, text.n) : to;
}

static char *put_field(char *to, const struct fb_field *field, const struct fb_field_cell *cell,
                       const struct fb_texts *texts) {
    to = field->type == FB_T_TEXT ? put_text(to, fb_texts_get(texts, cell->text))
                                  : put(to, &cell->i, sizeof cell->i);
    to = put(to, &cell->ts_us, sizeof cell->ts_us);
    return put(to, &cell->quality, 1);
}

/* Of texts only FB_SHAPE_LAST keeps samples: a head, and a handle for each. */
static char *put_window(char *to, const struct fb_window *window, const char *cell,
                        const struct fb_texts *texts) {
    if (window->type != FB_T_TEXT || window->shape != FB_SHAPE_LAST)
        return put(to, cell, window->bytes);
    to = put(to, cell, FB_LAST_HEAD_BYTES);
    for (uint32_t i = 0; i < window->places; i++) {
        uint64_t handle;
        memcpy(&handle, cell + FB_LAST_HEAD_BYTES + i * sizeof handle, sizeof handle);
        to = put_text(to, fb_texts_get(texts, handle));
    }
    return to;
}

static char *put_for(char *to, const struct fb_for_cell *cell) {
    to = put(to, &cell->t0_us, sizeof cell->t0_us);
    to = put(to, &cell->paused_us, sizeof cell->paused_us);
    return put(to, &cell->value, 1);
}

static char *put_elapsed(char *to, const struct fb_elapsed_cell *cell) {
    to = put(to, &cell->rise_us, sizeof cell->rise_us);
    to = put(to, &cell->was_true, 1);
    return put(to, &cell->value, 1);
}

static const struct fb_rule_plan *rule_of(const struct fb_class_plan *plan, uint32_t rule) {
    uint32_t low = 0, high = plan->class_->n_rules;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (plan->class_->rules[middle] <= rule)
            low = middle;
        else
            high = middle;
    }
    return &plan->rules[low];
}

static char *put_rule(char *to, const struct fb_rule_plan *rule, const struct fb_rule_cell *cell) {
    to = put(to, &cell->since_us, sizeof cell->since_us);
    to = put(to, &cell->clear_t0_us, sizeof cell->clear_t0_us);
    to = put(to, &cell->clear_paused_us, sizeof cell->clear_paused_us);
    to = put(to, &cell->withheld, sizeof cell->withheld);
    to = put(to, &cell->let_through, sizeof cell->let_through);
    to = put(to, &cell->severity, 1);
    to = put(to, &cell->told, 1);
    return rule->rule->flap_slot_us ? put(to, fb_flap_in(cell), FLAP_BYTES) : to;
}

static char *put_claim(char *to, const struct fb_claim *claim, const struct fb_claim_cell *cell) {
    to = put(to, &cell->value, sizeof cell->value);
    to = put(to, &cell->unknown_us, sizeof cell->unknown_us);
    to = put(to, &cell->known, 1);
    if (!claim->is_step)
        return to;
    const struct fb_step_cell *step = (const void *)cell;
    to = put(to, &step->by, sizeof step->by);
    to = put(to, &step->next_us, sizeof step->next_us);
    return put(to, &step->begun, 1);
}

/* All but the padding before the rings. */
enum {
    ACTUATOR_BYTES = offsetof(struct fb_actuator_cell, interlocked) + 1,
    TRIAL_BYTES = offsetof(struct fb_trial_cell, state) + 1
};

static size_t ring_bytes(const struct fb_actuator *actuator) {
    return sizeof(int64_t) * ((size_t)actuator->starts + actuator->reversals);
}

static char *put_actuator(char *to, const struct fb_actuator *actuator,
                          const struct fb_actuator_cell *cell) {
    to = put(to, cell, ACTUATOR_BYTES);
    to = put(to, cell->times, ring_bytes(actuator));
    if (!actuator->failures)
        return to;
    return put(to, (const char *)cell->times + ring_bytes(actuator), TRIAL_BYTES);
}

static char *put_published(char *to, enum fb_type type, const struct fb_published_cell *cell,
                           const struct fb_texts *texts) {
    to = type == FB_T_TEXT ? put_text(to, fb_texts_get(texts, cell->text))
                           : put(to, &cell->i, sizeof cell->i);
    return put(to, &cell->known, 1);
}

static char *put_cell(char *to, const struct fb_class_plan *plan, const struct fb_cell_id *cell,
                      const char *block, const struct fb_texts *texts) {
    const struct fb_class *class_ = plan->class_;
    const void *at = block + cell->offset;
    switch (cell->kind) {
    case FB_CELL_FIELD: return put_field(to, &class_->fields[cell->index], at, texts);
    case FB_CELL_WINDOW: return put_window(to, &class_->windows[cell->index], at, texts);
    case FB_CELL_FOR: return put_for(to, at);
    case FB_CELL_ELAPSED: return put_elapsed(to, at);
    case FB_CELL_UNTIL: return put(to, at, sizeof(struct fb_until_cell));
    case FB_CELL_CONDITION: return put(to, at, sizeof(struct fb_condition_cell));
    case FB_CELL_RULE:
        return put_rule(to, rule_of(plan, cell->index), at);
    case FB_CELL_CLAIM: return put_claim(to, &class_->claims[cell->index], at);
    case FB_CELL_ACTUATOR: return put_actuator(to, &class_->actuators[cell->index], at);
    case FB_CELL_PUBLISHED:
        return put_published(to, class_->published[cell->index].type, at, texts);
    case FB_CELL_FLEET:
        return put(to, at, sizeof(struct fb_fleet_cell));
    case FB_CELL_RATE:
        return put(to, at, fb_rate_bytes(class_->rates[cell->index].n));
    }
    FB_BUG("a cell");
}

static char *put_name(char *to, struct fb_str name) {
    uint16_t n = (uint16_t)name.n;
    return put(put(to, &n, sizeof n), name.p, n);
}

void fb_image_write(const struct fb_device *device, const struct fb_texts *texts,
                    struct fb_buf *out) {
    const struct fb_class_plan *plan = device->plan;
    const char *block = (const char *)device + plan->block_at;
    char *to = fb_buf_room(out, plan->image_bytes_max);
    to = put_name(to, plan->class_->name);
    to = put_name(to, fb_device_id(device));
    to = put(to, &device->watermark_us, sizeof device->watermark_us);
    to = put(to, &device->clock_at_us, sizeof device->clock_at_us);
    to = put(to, &device->floor_us, sizeof device->floor_us);
    to = put(to, device->deadlines, sizeof(int64_t) * plan->n_deadlines);
    for (uint32_t i = 0; i < plan->class_->n_cells; i++)
        to = put_cell(to, plan, &plan->class_->cells[i], block, texts);
    const struct fb_service *service = fb_device_service(device);
    if (service->until_us != FB_NO_TIME || service->hops) /* most have nothing more to say */
        to = put(to, &service->until_us, sizeof service->until_us);
    if (service->hops) {
        to = put(to, &service->hops_hour, sizeof service->hops_hour);
        to = put(to, &service->hops, sizeof service->hops);
    }
    out->n = (size_t)(to - out->p);
}

/* ---- reading ---- */

/* What is left; `failed` once more was asked for than there is. */
struct reader {
    const char *p, *end;
    bool failed;
};

static const char *take(struct reader *r, size_t n) {
    if (r->failed || (size_t)(r->end - r->p) < n) {
        r->failed = true;
        return NULL;
    }
    const char *at = r->p;
    r->p += n;
    return at;
}

static void get(struct reader *r, void *to, size_t n) {
    const char *from = take(r, n);
    if (from)
        memcpy(to, from, n);
}

static struct fb_str get_text(struct reader *r) {
    uint8_t n = 0;
    get(r, &n, 1);
    const char *p = take(r, n);
    return (struct fb_str){p, p ? n : 0};
}

static struct fb_str get_name(struct reader *r) {
    uint16_t n = 0;
    get(r, &n, sizeof n);
    const char *p = take(r, n);
    return (struct fb_str){p, p ? n : 0};
}

static bool field_is_sound(const struct fb_field *field, const struct fb_field_cell *cell,
                           uint32_t words) {
    bool number = field->type == FB_T_NUMBER || field->type == FB_T_COUNTER;
    return fb_time_is_sound(cell->ts_us) && cell->quality <= FB_Q_BAD &&
           (field->type == FB_T_TEXT || fb_bits_are_sound(field->type, cell->i, words)) &&
           (!number || fb_num_finite(cell->num));
}

static bool get_field(struct reader *r, const struct fb_class_plan *plan, uint32_t field_index,
                      uint32_t words, struct fb_field_cell *cell, struct fb_texts *texts) {
    const struct fb_field *field = &plan->class_->fields[field_index];
    struct fb_str text = {0};
    if (field->type == FB_T_TEXT)
        text = get_text(r);
    else
        get(r, &cell->i, sizeof cell->i);
    get(r, &cell->ts_us, sizeof cell->ts_us);
    get(r, &cell->quality, 1);
    if (r->failed || !field_is_sound(field, cell, words))
        return false;
    if (text.n)
        cell->text = fb_texts_set(texts, 0, text);
    const struct fb_field_index *index = &plan->indexes[field_index];
    if ((field->type == FB_T_NUMBER || field->type == FB_T_COUNTER) && index->indexed &&
        cell->ts_us != FB_NO_TIME)
        cell->position = fb_index_position(index, cell->num);
    return true;
}

static bool get_window(struct reader *r, const struct fb_window *window, uint32_t words, char *cell,
                       struct fb_texts *texts) {
    if (window->type != FB_T_TEXT || window->shape != FB_SHAPE_LAST) {
        get(r, cell, window->bytes);
        return !r->failed && fb_window_is_sound(window, cell, words);
    }
    get(r, cell, FB_LAST_HEAD_BYTES);
    if (r->failed || !fb_window_is_sound(window, cell, words))
        return false;
    for (uint32_t i = 0; i < window->places; i++) {
        struct fb_str text = get_text(r);
        uint64_t handle = text.n ? fb_texts_set(texts, 0, text) : 0;
        memcpy(cell + FB_LAST_HEAD_BYTES + i * sizeof handle, &handle, sizeof handle);
    }
    return !r->failed;
}

static bool get_for(struct reader *r, struct fb_for_cell *cell) {
    get(r, &cell->t0_us, sizeof cell->t0_us);
    get(r, &cell->paused_us, sizeof cell->paused_us);
    get(r, &cell->value, 1);
    return fb_time_is_sound(cell->t0_us) && fb_time_is_sound(cell->paused_us) && cell->value <= 2;
}

static bool get_elapsed(struct reader *r, struct fb_elapsed_cell *cell) {
    get(r, &cell->rise_us, sizeof cell->rise_us);
    get(r, &cell->was_true, 1);
    get(r, &cell->value, 1);
    return fb_time_is_sound(cell->rise_us) && cell->was_true <= 1 && cell->value <= 2;
}

static bool get_until(struct reader *r, struct fb_until_cell *cell) {
    get(r, cell, sizeof *cell);
    return cell->set <= 1 && cell->value <= 2;
}

static bool get_condition(struct reader *r, struct fb_condition_cell *cell) {
    get(r, cell, sizeof *cell);
    return cell->value <= 2 && cell->holds <= 1;
}

static bool get_rule(struct reader *r, const struct fb_rule_plan *rule, struct fb_rule_cell *cell) {
    get(r, &cell->since_us, sizeof cell->since_us);
    get(r, &cell->clear_t0_us, sizeof cell->clear_t0_us);
    get(r, &cell->clear_paused_us, sizeof cell->clear_paused_us);
    get(r, &cell->withheld, sizeof cell->withheld);
    get(r, &cell->let_through, sizeof cell->let_through);
    get(r, &cell->severity, 1);
    get(r, &cell->told, 1);
    if (rule->rule->flap_slot_us) {
        get(r, fb_flap_of(cell), FLAP_BYTES);
        if (!fb_flap_is_sound(rule->rule, fb_flap_of(cell)))
            return false;
    }
    return cell->told <= 2 && fb_time_is_sound(cell->since_us) &&
           fb_time_is_sound(cell->clear_t0_us) && fb_time_is_sound(cell->clear_paused_us) &&
           cell->severity <= FB_CRITICAL && (!rule->is_alarm || fb_mute_is_sound(cell));
}

/* As of an actuator: what was due long ago would be looked at again and again until now. */
static bool mode_is_sound(const struct fb_class *class_, uint32_t rule,
                          const struct fb_rule_cell *cell, int64_t clock_us) {
    for (uint32_t i = 0; i < class_->n_modes; i++)
        if (class_->modes[i].rule == rule)
            return cell->let_through < class_->modes[i].n_states &&
                   (cell->clear_t0_us == FB_NO_TIME || cell->clear_t0_us >= clock_us);
    return true;
}

static bool value_is_sound(const struct fb_actuator *actuator, double value) {
    return actuator->is_switch ? value == 0 || value == 1 : fb_num_finite(value);
}

/* As of an actuator: a step that was due long ago would be followed by one after the other, unless
 * it rests. */
static bool get_step(struct reader *r, const struct fb_claim *claim, struct fb_step_cell *cell,
                     int64_t clock_us) {
    get(r, &cell->by, sizeof cell->by);
    get(r, &cell->next_us, sizeof cell->next_us);
    get(r, &cell->begun, 1);
    return fb_num_finite(cell->by) && fb_end_is_sound(cell->next_us) &&
           (cell->next_us >= clock_us || fb_step_rests(claim, cell)) && cell->begun <= 1;
}

static bool get_claim(struct reader *r, const struct fb_class_plan *plan, uint32_t index,
                      struct fb_claim_cell *cell, int64_t clock_us) {
    const struct fb_claim *claim = &plan->class_->claims[index];
    get(r, &cell->value, sizeof cell->value);
    get(r, &cell->unknown_us, sizeof cell->unknown_us);
    get(r, &cell->known, 1);
    if (claim->is_step && !get_step(r, claim, (void *)cell, clock_us))
        return false;
    return value_is_sound(&plan->class_->actuators[claim->actuator], cell->value) &&
           fb_time_is_sound(cell->unknown_us) && cell->known <= 2 &&
           (cell->known != 1 || cell->unknown_us == FB_NO_TIME);
}

static bool get_published(struct reader *r, enum fb_type type, uint32_t words,
                          struct fb_published_cell *cell, struct fb_texts *texts) {
    if (type == FB_T_TEXT) {
        struct fb_str text = get_text(r);
        get(r, &cell->known, 1);
        if (r->failed || cell->known > 1 || (!cell->known && text.n))
            return false;
        cell->text = text.n ? fb_texts_set(texts, 0, text) : 0;
        return true;
    }
    bool number = type == FB_T_NUMBER || type == FB_T_COUNTER;
    get(r, &cell->i, sizeof cell->i);
    get(r, &cell->known, 1);
    return cell->known <= 1 && (cell->known || cell->i == 0) &&
           fb_bits_are_sound(type, cell->i, words) && (!number || fb_num_finite(cell->num));
}

/* What was due before the clock of the device's last record has been decided: an older deadline
 * would be followed by one after the other until now. */
static bool actuator_is_sound(const struct fb_actuator *actuator,
                              const struct fb_actuator_cell *cell, int64_t clock_us) {
    return value_is_sound(actuator, cell->accepted) &&
           (cell->direction == 0 || cell->direction == 1 || cell->direction == -1) &&
           fb_time_is_sound(cell->now_us) && fb_time_is_sound(cell->changed_us) &&
           fb_time_is_sound(cell->sent_us) && fb_time_is_sound(cell->lease_until_us) &&
           (cell->lease_until_us == FB_NO_TIME || cell->seq) && fb_end_is_sound(cell->due_us) &&
           cell->due_us >= clock_us && fb_time_is_sound(cell->lockout_end_us) &&
           fb_time_is_sound(cell->breaker_end_us) && fb_time_is_sound(cell->blocked_us) &&
           value_is_sound(actuator, cell->hand) && fb_time_is_sound(cell->hand_until_us) &&
           cell->has_accepted <= 1 && (!cell->has_accepted || cell->seq) &&
           cell->priority <= FB_PRIORITY_NONE && cell->guard <= FB_GUARDS &&
           cell->interlocked <= 2 &&
           fb_times_are_sound(cell->next_start, cell->times, actuator->starts) &&
           fb_times_are_sound(cell->next_reversal, cell->times + actuator->starts,
                              actuator->reversals);
}

static bool get_actuator(struct reader *r, const struct fb_actuator *actuator,
                         struct fb_actuator_cell *cell, int64_t clock_us) {
    get(r, cell, ACTUATOR_BYTES);
    get(r, cell->times, ring_bytes(actuator));
    if (actuator->failures)
        get(r, fb_actuator_trial(actuator, cell), TRIAL_BYTES);
    return !r->failed && actuator_is_sound(actuator, cell, clock_us) &&
           (!actuator->failures || fb_follow_is_sound(fb_actuator_trial(actuator, cell)));
}

static bool get_fleet(struct reader *r, struct fb_fleet_cell *cell) {
    get(r, cell, sizeof *cell);
    bool sound = fb_time_is_sound(cell->began_us);
    for (int side = 0; side < FB_FLEET_SIDES && FB_PLANTED(FLEET_ACTS_LOST); side++)
        cell->acted_us[side] = FB_NO_TIME;
    for (int side = 0; side < FB_FLEET_SIDES; side++)
        sound &= fb_time_is_sound(cell->acted_us[side]) && fb_time_is_sound(cell->opened_us[side]);
    return sound;
}

static bool get_rate(struct reader *r, uint32_t n, struct fb_rate_cell *cell) {
    get(r, cell, fb_rate_bytes(n));
    if (FB_PLANTED(RATE_LOST))
        fb_rate_begin(cell, n);
    return !r->failed && fb_rate_is_sound(cell, n);
}

static bool get_cell(struct reader *r, const struct fb_class_plan *plan,
                     const struct fb_cell_id *cell, struct fb_device *device,
                     struct fb_texts *texts) {
    void *at = fb_device_block(device) + cell->offset;
    switch (cell->kind) {
    case FB_CELL_FIELD: return get_field(r, plan, cell->index, cell->words, at, texts);
    case FB_CELL_WINDOW:
        return get_window(r, &plan->class_->windows[cell->index], cell->words, at, texts);
    case FB_CELL_FOR: return get_for(r, at);
    case FB_CELL_UNTIL: return get_until(r, at);
    case FB_CELL_ELAPSED: return get_elapsed(r, at);
    case FB_CELL_CONDITION: return get_condition(r, at);
    case FB_CELL_RULE:
        return get_rule(r, rule_of(plan, cell->index), at) &&
               mode_is_sound(plan->class_, cell->index, at, device->clock_at_us);
    case FB_CELL_PUBLISHED:
        return get_published(r, plan->class_->published[cell->index].type, cell->words, at, texts);
    case FB_CELL_CLAIM: return get_claim(r, plan, cell->index, at, device->clock_at_us);
    case FB_CELL_ACTUATOR:
        return get_actuator(r, &plan->class_->actuators[cell->index], at,
                            device->clock_at_us);
    case FB_CELL_FLEET:
        return get_fleet(r, at);
    case FB_CELL_RATE:
        return get_rate(r, plan->class_->rates[cell->index].n, at);
    }
    FB_BUG("a cell");
}

bool fb_image_open(struct fb_str bytes, struct fb_image *image) {
    struct reader r = {bytes.p, bytes.p + bytes.n, false};
    image->class_name = get_name(&r);
    image->id = get_name(&r);
    image->rest = (struct fb_str){r.p, (size_t)(r.end - r.p)};
    return !r.failed;
}

/* Times of the device itself. What was due before its own time has been fired: a deadline long ago
 * would be fired again and again until now. */
static bool times_are_sound(const struct fb_device *device) {
    if (device->watermark_us == FB_NO_TIME || !fb_time_is_sound(device->watermark_us) ||
        device->clock_at_us == FB_NO_TIME || !fb_time_is_sound(device->clock_at_us) ||
        !fb_time_is_sound(device->floor_us))
        return false;
    for (uint32_t i = 0; i < device->plan->n_deadlines; i++)
        if (device->deadlines[i] < device->watermark_us || device->deadlines[i] < device->floor_us)
            return false;
    return true;
}

/* What stands behind the cells of few devices. */
static const char *get_service(struct reader *r, struct fb_device *device) {
    struct fb_service *service = fb_device_service(device);
    get(r, &service->until_us, sizeof service->until_us);
    bool more = r->p != r->end;
    if (more) {
        get(r, &service->hops_hour, sizeof service->hops_hour);
        get(r, &service->hops, sizeof service->hops);
    }
    if (r->failed || r->p != r->end)
        return "it is too long for the rules in force";
    if (more && service->hops == 0)
        return "the hops in it are none";
    if (!fb_time_is_sound(service->until_us) ||
        (service->until_us == FB_NO_TIME ? !more : service->until_us < device->clock_at_us))
        return "the end of its maintenance is out of all bounds";
    return NULL;
}

const char *fb_image_read(struct fb_device *device, struct fb_texts *texts, struct fb_str rest) {
    const struct fb_class_plan *plan = device->plan;
    struct reader r = {rest.p, rest.p + rest.n, false};
    get(&r, &device->watermark_us, sizeof device->watermark_us);
    get(&r, &device->clock_at_us, sizeof device->clock_at_us);
    get(&r, &device->floor_us, sizeof device->floor_us);
    get(&r, device->deadlines, sizeof(int64_t) * plan->n_deadlines);
    if (r.failed)
        return "it is too short for the rules in force";
    if (!times_are_sound(device))
        return "a time in it is out of all bounds";
    for (uint32_t i = 0; i < plan->class_->n_cells; i++)
        if (!get_cell(&r, plan, &plan->class_->cells[i], device, texts) ||
            r.failed)
            return r.failed ? "it is too short for the rules in force"
                            : "a cell of it holds what no cell can hold";
    return r.p != r.end ? get_service(&r, device) : NULL;
}
