/* Lists of readers by published value, relation and class.
 *
 * Place in the flow: see wake.h. */
#include "engine/core/wake.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/planted.h"
#include "engine/core/hops.h"
#include "engine/core/text.h"
#include "engine/core/timer.h"

/* ---- who reads what ---- */

/* Conditions of a class, and how its devices that read one are found. */
struct reading {
    uint16_t class_index;
    uint32_t through;  /* relation of the read device's class whose text counts; FB_NO_INDEX: its
                        * id */
    uint32_t relation; /* of the reading class: those with that text; FB_NO_INDEX: the device whose
                        * id it is */
    uint64_t *conditions;
};
struct readers {
    struct reading *all;
    uint32_t n, cap;
};

/* Of one class that is read. */
struct read_class {
    struct readers *published; /* of each published value */
    struct readers *members;   /* of each relation: who looks at a group by it at all */
    struct readers comers;     /* links to it */
    uint16_t *groups;          /* classes whose devices are groups of this one's */
    uint32_t n_groups;
};
struct fb_readings {
    const struct fb_program *program;
    struct read_class *classes;
};

static void add_reader(const struct fb_program *program, struct readers *readers,
                       struct reading reading, uint32_t condition) {
    uint32_t i = 0;
    while (i < readers->n && (readers->all[i].class_index != reading.class_index ||
                              readers->all[i].through != reading.through ||
                              readers->all[i].relation != reading.relation))
        i++;
    if (i == readers->n) {
        uint32_t words = (program->classes[reading.class_index].n_conditions + 63) / 64;
        FB_PUSH_ROOM(readers->all, readers->n, readers->cap);
        reading.conditions = fb_alloc(sizeof(uint64_t) * words);
        readers->all[readers->n++] = reading;
    }
    readers->all[i].conditions[condition / 64] |= UINT64_C(1) << (condition % 64);
}

static void add_linked(struct fb_readings *readings, uint16_t class_index, uint32_t condition,
                       const struct fb_instr *in) {
    const struct fb_link *link = &readings->program->classes[class_index].links[in->a];
    struct read_class *read = &readings->classes[link->class_index];
    const struct reading reading = {class_index, FB_NO_INDEX, link->relation, NULL};
    add_reader(readings->program, &read->published[in->imm], reading, condition);
    add_reader(readings->program, &read->comers, reading, condition);
}

static void add_group(struct fb_readings *readings, uint16_t class_index, uint32_t condition,
                      const struct fb_instr *in) {
    const struct fb_group *group = &readings->program->classes[class_index].groups[in->imm];
    struct read_class *read = &readings->classes[group->class_index];
    const struct reading reading = {class_index, group->relation, group->own, NULL};
    if (group->value != FB_NO_INDEX)
        add_reader(readings->program, &read->published[group->value], reading, condition);
    if (group->where != FB_NO_INDEX)
        add_reader(readings->program, &read->published[group->where], reading, condition);
    add_reader(readings->program, &read->members[group->relation], reading, condition);
}

static void add_class(struct fb_readings *readings, uint16_t class_index) {
    const struct fb_class *class_ = &readings->program->classes[class_index];
    for (uint32_t c = 0; c < class_->n_conditions; c++) {
        const struct fb_code *code = &class_->conditions[c].code;
        for (uint32_t i = 0; i < code->count; i++) {
            const struct fb_instr *in = &class_->code[code->first + i];
            if (in->op == FB_I_LINKED)
                add_linked(readings, class_index, c, in);
            else if (in->op == FB_I_GROUP)
                add_group(readings, class_index, c, in);
        }
    }
    if (class_->group_class == FB_NO_INDEX)
        return;
    struct read_class *read = &readings->classes[class_->group_class];
    read->groups[read->n_groups++] = class_index;
}

struct fb_readings *fb_readings_new(const struct fb_program *program) {
    struct fb_readings *readings = fb_alloc(sizeof *readings);
    readings->program = program;
    readings->classes = fb_alloc(sizeof *readings->classes * (program->n_classes + 1u));
    for (uint32_t i = 0; i < program->n_classes; i++) {
        const struct fb_class *class_ = &program->classes[i];
        struct read_class *read = &readings->classes[i];
        read->published = fb_alloc(sizeof(struct readers) * (class_->n_published + 1u));
        read->members = fb_alloc(sizeof(struct readers) * (class_->n_relations + 1u));
        read->groups = fb_alloc(sizeof(uint16_t) * (program->n_classes + 1u));
    }
    for (uint32_t i = 0; i < program->n_classes; i++)
        add_class(readings, (uint16_t)i);
    return readings;
}

static void free_readers(struct readers *readers) {
    for (uint32_t i = 0; i < readers->n; i++)
        free(readers->all[i].conditions);
    free(readers->all);
}

void fb_readings_free(struct fb_readings *readings) {
    if (!readings)
        return;
    for (uint32_t i = 0; i < readings->program->n_classes; i++) {
        struct read_class *read = &readings->classes[i];
        for (uint32_t p = 0; p < readings->program->classes[i].n_published; p++)
            free_readers(&read->published[p]);
        for (uint32_t r = 0; r < readings->program->classes[i].n_relations; r++)
            free_readers(&read->members[r]);
        free_readers(&read->comers);
        free(read->published);
        free(read->members);
        free(read->groups);
    }
    free(readings->classes);
    free(readings);
}

/* ---- waking ---- */

/* A moment at which something changed: of which device, at which of its times, at which C. */
struct change {
    struct fb_core *core;
    struct fb_device *device;
    int64_t t_us, clock_us;
};

static bool sets_any(const struct fb_device *device, const struct reading *reading, int64_t at_us) {
    for (uint32_t word = 0; word < device->plan->condition_words; word++)
        for (uint64_t bits = reading->conditions[word]; bits; bits &= bits - 1)
            if (at_us < device->deadlines[word * 64 + (uint32_t)__builtin_ctzll(bits)])
                return true;
    return false;
}

static void hand_hops(const struct change *change, struct fb_device *device) {
    uint8_t hops = fb_hops_of(change->device, change->clock_us);
    if (hops == 0)
        return;
    fb_core_touch(change->core, device);
    fb_hops_take(device, hops, change->clock_us);
}

/* What is due earlier stays so. */
static void wake(const struct change *change, struct fb_device *device,
                 const struct reading *reading) {
    bool own = device == change->device;
    if (!own)
        hand_hops(change, device);
    int64_t at_us = own ? change->t_us : fb_core_time(change->core, device, change->clock_us);
    if (!sets_any(device, reading, at_us))
        return;
    fb_core_touch(change->core, device);
    for (uint32_t word = 0; word < device->plan->condition_words; word++)
        for (uint64_t bits = reading->conditions[word]; bits; bits &= bits - 1) {
            uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(bits);
            if (at_us < device->deadlines[i])
                fb_device_set_deadline(device, i, at_us);
        }
    if (!own) /* else its evaluation ends with that */
        fb_core_woken(change->core, device);
}

static void wake_reading(const struct change *change, const struct reading *reading,
                         struct fb_str domain, struct fb_str text) {
    const struct fb_relations *relations = change->core->relations;
    if (domain.n == 0 || text.n == 0)
        return;
    if (reading->relation == FB_NO_INDEX) {
        struct fb_device *device =
            fb_relations_device(relations, reading->class_index, domain, text);
        if (device)
            wake(change, device, reading);
        return;
    }
    struct fb_bucket_key key = {reading->class_index, reading->relation, domain, text};
    const struct fb_bucket *bucket = fb_relations_find(relations, &key);
    for (uint32_t i = 0; bucket && i < bucket->n; i++)
        wake(change, fb_devices_at(change->core->devices, bucket->members[i]), reading);
}

/* Those that read the device, each by its own way. */
static void wake_readers(const struct change *change, const struct readers *readers,
                         struct fb_str domain) {
    for (uint32_t i = 0; i < readers->n; i++) {
        const struct reading *reading = &readers->all[i];
        if (reading->through == FB_NO_INDEX) {
            wake_reading(change, reading, domain, fb_device_id(change->device));
            continue;
        }
        const struct fb_bucket *bucket =
            fb_relations_place(change->core->relations, change->device, reading->through);
        if (bucket)
            wake_reading(change, reading, fb_bucket_domain(bucket), fb_bucket_text(bucket));
    }
}

/* ---- published values ---- */

static bool is_same_value(enum fb_type type, const struct fb_published_cell *a,
                          const struct fb_published_cell *b) {
    if (type == FB_T_NUMBER || type == FB_T_COUNTER)
        return a->num == b->num;
    return a->i == b->i;
}

/* The cell has a copy of its own. False: it is what it was. */
static bool publish_text(struct fb_core *core, struct fb_published_cell *cell,
                         const struct fb_value *value) {
    struct fb_str text = value->quality == FB_Q_GOOD ? value->text : (struct fb_str){0};
    bool known = value->quality == FB_Q_GOOD;
    if (known == cell->known && fb_str_eq(fb_texts_get(core->texts, cell->text), text))
        return false;
    if (text.n) {
        cell->text = fb_texts_set(core->texts, cell->text, text);
    } else {
        fb_texts_release(core->texts, cell->text);
        cell->text = 0;
    }
    cell->known = known;
    return true;
}

static bool publish_plain(struct fb_published_cell *cell, const struct fb_value *value) {
    struct fb_published_cell now = {.known = value->quality == FB_Q_GOOD};
    if (now.known)
        now.i = value->i;
    if (now.known == cell->known && now.i == cell->i)
        return false;
    cell->i = now.i;
    cell->known = now.known;
    return true;
}

void fb_publish(struct fb_core *core, const struct fb_moment *moment, uint32_t index,
                struct fb_value value) {
    struct fb_device *device = moment->device;
    const struct fb_class_plan *plan = device->plan;
    const struct fb_published *published = &plan->class_->published[index];
    struct fb_published_cell *cell = (void *)(fb_device_block(device) + published->offset);
    struct fb_published_cell before = *cell;
    bool is_text = published->type == FB_T_TEXT;
    if (!(is_text ? publish_text(core, cell, &value) : publish_plain(cell, &value)))
        return;
    struct fb_relations *relations = core->relations;
    for (uint32_t r = 0; r < plan->class_->n_relations; r++) {
        struct fb_bucket *bucket = fb_relations_place(relations, device, r);
        if (bucket && !FB_PLANTED(STALE_GROUPS))
            bucket->version = ++relations->version;
    }
    if (!is_text && cell->known == before.known && is_same_value(published->type, &before, cell))
        return; /* 0 and -0 */
    struct change change = {core, device, moment->t_us, fb_moment_clock(core, moment)};
    struct fb_text_room room;
    wake_readers(&change, &core->readings->classes[plan->class_index].published[index],
                 fb_domain_of(relations, device, &room));
}

/* ---- groups that are devices ---- */

static void set_key(struct fb_core *core, struct fb_device *group, uint32_t key, struct fb_str text,
                    int64_t i) {
    const struct fb_field_plan *field = &group->plan->fields[key];
    struct fb_field_cell *cell = fb_device_cell(group, field);
    if (field->is_text)
        cell->text = fb_texts_set(core->texts, cell->text, text);
    else
        cell->i = i;
    cell->ts_us = core->clock_us;
    cell->quality = FB_Q_GOOD;
}

/* The integer of a key that is made of one field; nothing else is one. */
static int64_t integer_of(struct fb_device *device, uint16_t field) {
    const struct fb_field_plan *plan = &device->plan->fields[field];
    return plan->is_text ? 0 : fb_device_cell(device, plan)->i;
}

/* The text of the tag itself, of which the bucket's is made. */
static struct fb_str tag_of(const struct fb_relations *relations, const struct fb_device *member,
                            const struct fb_bucket *bucket, struct fb_text_room *room) {
    const struct fb_relation *relation = &member->plan->class_->relations[bucket->relation];
    return relation->n_fields == 1 ? fb_field_text(relations, member, relation->fields[0], room)
                                   : fb_bucket_text(bucket);
}

/* The group of a bucket, with its member at hand, begins if it is not there. */
static void begin_group(struct fb_core *core, uint16_t class_index, struct fb_device *member,
                        const struct fb_bucket *bucket) {
    const struct fb_relations *relations = core->relations;
    const struct fb_class *class_ = &core->program->classes[class_index];
    const struct fb_relation *relation = &member->plan->class_->relations[bucket->relation];
    struct fb_text_room tag_room, id;
    struct fb_str domain = fb_bucket_domain(bucket);
    struct fb_str tag = tag_of(relations, member, bucket, &tag_room);
    uint32_t tag_key = class_->n_keys - 1;
    size_t n = 0;
    if ((tag_key > 0 && !fb_id_add(id.bytes, &n, true, domain)) || tag.n > FB_TEXT_BYTES_MAX ||
        !fb_id_add(id.bytes, &n, tag_key == 0, tag))
        return; /* no id is that long */
    struct fb_str text = {id.bytes, n};
    if (fb_devices_find(core->devices, fb_device_hash(class_index, text), &core->plans[class_index],
                        text))
        return;
    struct fb_device *group = fb_core_begin_device(core, class_index, text);
    if (!group)
        return;
    fb_hops_take(group, fb_hops_of(member, core->clock_us), core->clock_us);
    if (tag_key > 0)
        set_key(core, group, 0, domain, integer_of(member, member->plan->class_->domain));
    set_key(core, group, tag_key, tag, integer_of(member, relation->fields[0]));
    for (uint32_t i = 0; i < class_->n_conditions; i++)
        fb_device_set_deadline(group, i, core->clock_us);
    for (uint32_t r = 0; r < class_->n_relations; r++)
        (void)fb_relations_put(core->relations, group, r);
    fb_timers_schedule(core->timers, group);
}

static void begin_groups_of(struct fb_core *core, struct fb_device *member,
                            const struct fb_bucket *bucket) {
    const struct read_class *read = &core->readings->classes[member->plan->class_index];
    for (uint32_t i = 0; i < read->n_groups; i++)
        if (core->program->classes[read->groups[i]].group_relation == bucket->relation)
            begin_group(core, read->groups[i], member, bucket);
}

void fb_groups_begin(struct fb_core *core) {
    uint32_t n = fb_devices_count(core->devices); /* groups have none themselves */
    for (uint32_t i = 0; i < n; i++) {
        struct fb_device *device = fb_devices_at(core->devices, i);
        for (uint32_t r = 0; r < device->plan->class_->n_relations; r++) {
            const struct fb_bucket *bucket = fb_relations_place(core->relations, device, r);
            if (bucket)
                begin_groups_of(core, device, bucket);
        }
    }
}

/* ---- from one bucket to another ---- */

bool fb_moves(struct fb_core *core, struct fb_device *device, const struct fb_entry *entry) {
    const struct fb_class_plan *plan = device->plan;
    bool any = device->watermark_us == FB_NO_TIME; /* its first */
    core->left_domain_length = 0;
    for (uint32_t i = 0; i < entry->n_samples; i++) {
        const struct fb_sample *sample = &entry->samples[i];
        if (sample->state != FB_SAMPLE_GOOD || !fb_field_set_has(&plan->relating, sample->field))
            continue;
        const struct fb_field_plan *field = &plan->fields[sample->field];
        const struct fb_field_cell *cell = fb_device_cell(device, field);
        any |= cell->ts_us == FB_NO_TIME ||
               (field->is_text ? !fb_str_eq(fb_texts_get(core->texts, cell->text), sample->text)
                               : cell->i != sample->i);
    }
    if (!any)
        return false;
    struct fb_text_room room;
    struct fb_str domain = fb_domain_of(core->relations, device, &room);
    core->left_domain_length = (uint32_t)domain.n;
    if (domain.n)
        memcpy(core->left_domain, domain.p, domain.n);
    return true;
}

/* The members of the device's bucket, where it has one, became others. */
static void tell_members(const struct change *change, uint32_t relation) {
    const struct fb_relations *relations = change->core->relations;
    const struct fb_bucket *bucket = fb_relations_place(relations, change->device, relation);
    if (bucket)
        wake_readers(change,
                     &change->core->readings->classes[bucket->class_index].members[relation],
                     fb_bucket_domain(bucket));
}

void fb_move(struct fb_core *core, struct fb_device *device, int64_t t_us) {
    struct fb_relations *relations = core->relations;
    struct change change = {core, device, t_us, core->clock_us};
    for (uint32_t r = 0; r < device->plan->class_->n_relations; r++) {
        if (fb_relations_holds(relations, device, r))
            continue;
        tell_members(&change, r);
        fb_relations_drop(relations, device, r);
        const struct fb_bucket *bucket = fb_relations_put(relations, device, r);
        if (bucket)
            begin_groups_of(core, device, bucket);
        tell_members(&change, r);
    }
    struct fb_str left = {core->left_domain, core->left_domain_length};
    struct fb_text_room room;
    struct fb_str domain = fb_domain_of(relations, device, &room);
    if (fb_str_eq(left, domain))
        return;
    const struct readers *comers = &core->readings->classes[device->plan->class_index].comers;
    wake_readers(&change, comers, left);
    wake_readers(&change, comers, domain);
}
