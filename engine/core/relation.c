/* A table of buckets with open addressing; members sorted by id.
 *
 * Place in the flow: see relation.h. */
#include "engine/core/relation.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/hash.h"
#include "engine/base/num.h"
#include "engine/core/group.h"
#include "engine/core/text.h"

/* ---- set-up ---- */

static bool looks_at_others(const struct fb_program *program) {
    for (uint32_t i = 0; i < program->n_classes; i++) {
        const struct fb_class *class_ = &program->classes[i];
        if (class_->n_relations || class_->n_links || class_->n_groups || class_->n_published)
            return true;
    }
    return false;
}

static bool has_keys(const struct fb_program *program, uint32_t class_index) {
    return program->classes[class_index].n_keys > 1;
}

/* By a link itself, or by a group of those that link to the device. */
static bool leads_to_keys(const struct fb_program *program, uint32_t class_index,
                          uint32_t relation) {
    const struct fb_class *class_ = &program->classes[class_index];
    for (uint32_t i = 0; i < class_->n_links; i++)
        if (class_->links[i].relation == relation &&
            has_keys(program, class_->links[i].class_index))
            return true;
    for (uint32_t i = 0; i < program->n_classes; i++)
        for (uint32_t g = 0; g < program->classes[i].n_groups && has_keys(program, i); g++) {
            const struct fb_group *group = &program->classes[i].groups[g];
            if (group->own == FB_NO_INDEX && group->class_index == class_index &&
                group->relation == relation)
                return true;
        }
    return false;
}

/* A relation of one field beside another one: it has an id in it where that one is made of several
 * fields, or has an id in it itself. */
static bool follow(const struct fb_relations *relations, uint32_t class_index, uint32_t relation,
                   uint32_t other_class, uint32_t other) {
    const struct fb_class *classes = relations->program->classes;
    bool *plain = &relations->plain[class_index][relation];
    if (*plain || classes[class_index].relations[relation].n_fields != 1)
        return false;
    *plain =
        classes[other_class].relations[other].n_fields != 1 || relations->plain[other_class][other];
    return *plain;
}

/* Both sides of what is compared, until none changes. */
static bool follow_groups(const struct fb_relations *relations) {
    bool changed = false;
    for (uint32_t i = 0; i < relations->program->n_classes; i++) {
        const struct fb_class *class_ = &relations->program->classes[i];
        for (uint32_t g = 0; g < class_->n_groups; g++) {
            const struct fb_group *group = &class_->groups[g];
            if (group->own == FB_NO_INDEX)
                continue;
            changed |= follow(relations, i, group->own, group->class_index, group->relation);
            changed |= follow(relations, group->class_index, group->relation, i, group->own);
        }
    }
    return changed;
}

/* A link that has one field and leads to devices of several keys has their id in it; so has what is
 * compared with it. */
static void find_plain(struct fb_relations *relations) {
    const struct fb_program *program = relations->program;
    for (uint32_t i = 0; i < program->n_classes; i++) {
        const struct fb_class *class_ = &program->classes[i];
        relations->plain[i] = fb_alloc(class_->n_relations + 1u);
        for (uint32_t r = 0; r < class_->n_relations; r++)
            relations->plain[i][r] =
                class_->relations[r].n_fields == 1 && leads_to_keys(program, i, r);
    }
    while (follow_groups(relations))
        continue;
}

struct fb_relations *fb_relations_new(const struct fb_program *program,
                                      const struct fb_class_plan *plans,
                                      const struct fb_devices *devices,
                                      const struct fb_texts *texts) {
    if (!looks_at_others(program))
        return NULL;
    struct fb_relations *relations = fb_alloc(sizeof *relations);
    relations->program = program;
    relations->plans = plans;
    relations->devices = devices;
    relations->texts = texts;
    relations->mask = 1023;
    relations->table = fb_alloc(sizeof(struct fb_bucket *) * (relations->mask + 1u));
    relations->plain = fb_alloc(sizeof(bool *) * (program->n_classes + 1u));
    relations->stride = 1;
    find_plain(relations);
    for (uint32_t i = 0; i < program->n_classes; i++) {
        const struct fb_class *class_ = &program->classes[i];
        if (class_->n_relations > relations->stride)
            relations->stride = class_->n_relations;
    }
    fb_groups_set_up(relations);
    return relations;
}

static void free_bucket(const struct fb_relations *relations, struct fb_bucket *bucket) {
    fb_group_memos_free(bucket->memos, relations->n_memos[bucket->class_index][bucket->relation]);
    free((char *)bucket->key.p);
    free(bucket->members);
    free(bucket);
}

static void free_buckets(struct fb_relations *relations) {
    for (uint32_t i = 0; i <= relations->mask; i++)
        if (relations->table[i])
            free_bucket(relations, relations->table[i]);
}

void fb_relations_free(struct fb_relations *relations) {
    if (!relations)
        return;
    free_buckets(relations);
    fb_groups_tear_down(relations);
    for (uint32_t i = 0; i < relations->program->n_classes; i++)
        free(relations->plain[i]);
    free(relations->plain);
    free(relations->table);
    free(relations->places);
    free(relations);
}

void fb_relations_reserve(struct fb_relations *relations, uint32_t devices) {
    uint32_t cap = relations->cap;
    while (cap < devices)
        cap = cap ? cap * 2 : 64;
    if (cap == relations->cap)
        return;
    size_t before = (size_t)relations->cap * relations->stride;
    size_t room = (size_t)cap * relations->stride;
    relations->places = fb_grow(relations->places, sizeof(struct fb_bucket *) * room);
    memset(relations->places + before, 0, sizeof(struct fb_bucket *) * (room - before));
    relations->cap = cap;
}

/* ---- texts ---- */

struct fb_str fb_field_text(const struct fb_relations *relations, const struct fb_device *device,
                            uint16_t field, struct fb_text_room *room) {
    const struct fb_field *declared = &device->plan->class_->fields[field];
    const struct fb_field_cell *cell =
        (const void *)((const char *)device + device->plan->block_at + declared->offset);
    if (cell->ts_us == FB_NO_TIME)
        return (struct fb_str){0};
    if (declared->type == FB_T_TEXT)
        return fb_texts_get(relations->texts, cell->text);
    FB_ASSERT(declared->type == FB_T_INTEGER);
    return (struct fb_str){room->bytes, fb_num_format_int(cell->i, room->bytes)};
}

struct fb_str fb_domain_of(const struct fb_relations *relations, const struct fb_device *device,
                           struct fb_text_room *room) {
    return fb_field_text(relations, device, device->plan->class_->domain, room);
}

struct fb_str fb_relation_text(const struct fb_relations *relations, const struct fb_device *device,
                               uint32_t relation, struct fb_text_room *room) {
    const struct fb_class_plan *plan = device->plan;
    const struct fb_relation *r = &plan->class_->relations[relation];
    size_t n = 0;
    for (uint32_t i = 0; i < r->n_fields; i++) {
        struct fb_text_room digits;
        struct fb_str text = fb_field_text(relations, device, r->fields[i], &digits);
        if (text.n == 0)
            return (struct fb_str){0};
        if (relations->plain[plan->class_index][relation]) {
            memcpy(room->bytes, text.p, text.n);
            return (struct fb_str){room->bytes, text.n};
        }
        if (!fb_id_add(room->bytes, &n, i == 0, text))
            return (struct fb_str){0};
    }
    return (struct fb_str){room->bytes, n};
}

/* ---- the table ---- */

static uint64_t hash_of(const struct fb_bucket_key *key) {
    uint64_t seed = (uint64_t)key->class_index << 32 | key->relation;
    uint64_t domain = fb_hash64(key->domain.p, key->domain.n, seed);
    return fb_hash64(key->text.p, key->text.n, domain);
}

static bool is_of(const struct fb_bucket *bucket, const struct fb_bucket_key *key) {
    return bucket->class_index == key->class_index && bucket->relation == key->relation &&
           fb_str_eq(fb_bucket_domain(bucket), key->domain) &&
           fb_str_eq(fb_bucket_text(bucket), key->text);
}

static struct fb_bucket *find(const struct fb_relations *relations, uint64_t hash,
                              const struct fb_bucket_key *key) {
    for (uint64_t i = hash & relations->mask; relations->table[i]; i = (i + 1) & relations->mask)
        if (relations->table[i]->hash == hash && is_of(relations->table[i], key))
            return relations->table[i];
    return NULL;
}

struct fb_bucket *fb_relations_find(const struct fb_relations *relations,
                                    const struct fb_bucket_key *key) {
    return find(relations, hash_of(key), key);
}

static void insert(struct fb_bucket **table, uint32_t mask, struct fb_bucket *bucket) {
    uint64_t i = bucket->hash & mask;
    while (table[i])
        i = (i + 1) & mask;
    table[i] = bucket;
}

static void grow_table(struct fb_relations *relations) {
    uint32_t mask = relations->mask * 2 + 1;
    struct fb_bucket **table = fb_alloc(sizeof(struct fb_bucket *) * (mask + 1u));
    for (uint32_t i = 0; i <= relations->mask; i++)
        if (relations->table[i])
            insert(table, mask, relations->table[i]);
    free(relations->table);
    relations->table = table;
    relations->mask = mask;
}

static struct fb_bucket *make(struct fb_relations *relations, uint64_t hash,
                              const struct fb_bucket_key *key) {
    if ((relations->n + 1) * 2 > relations->mask)
        grow_table(relations);
    struct fb_bucket *bucket = fb_alloc(sizeof *bucket);
    char *bytes = fb_alloc(key->domain.n + key->text.n);
    memcpy(bytes, key->domain.p, key->domain.n);
    memcpy(bytes + key->domain.n, key->text.p, key->text.n);
    *bucket = (struct fb_bucket){
        .hash = hash,
        .class_index = key->class_index,
        .relation = key->relation,
        .domain_length = (uint16_t)key->domain.n,
        .key = {bytes, key->domain.n + key->text.n},
        .memos = fb_group_memos_new(relations->n_memos[key->class_index][key->relation])};
    insert(relations->table, relations->mask, bucket);
    relations->n++;
    return bucket;
}

/* What stands behind it in a run moves up, so that no search ends too early. */
static void end_bucket(struct fb_relations *relations, struct fb_bucket *bucket) {
    struct fb_bucket **table = relations->table;
    uint64_t mask = relations->mask, hole = bucket->hash & mask;
    while (table[hole] != bucket)
        hole = (hole + 1) & mask;
    for (uint64_t i = (hole + 1) & mask; table[i]; i = (i + 1) & mask) {
        uint64_t home = table[i]->hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        table[hole] = table[i];
        hole = i;
    }
    table[hole] = NULL;
    relations->n--;
    free_bucket(relations, bucket);
}

/* ---- members ---- */

static struct fb_str id_of(const struct fb_relations *relations, uint32_t number) {
    return fb_device_id(fb_devices_at(relations->devices, number));
}

/* Where an id stands, or would stand. */
static uint32_t place_of(const struct fb_relations *relations, const struct fb_bucket *bucket,
                         struct fb_str id) {
    uint32_t low = 0, high = bucket->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (fb_str_cmp(id_of(relations, bucket->members[middle]), id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t fb_bucket_place(const struct fb_relations *relations, const struct fb_bucket *bucket,
                         const struct fb_device *device) {
    uint32_t at = place_of(relations, bucket, fb_device_id(device));
    FB_ASSERT(at < bucket->n && bucket->members[at] == device->number);
    return at;
}

static struct fb_bucket **place(struct fb_relations *relations, const struct fb_device *device,
                                uint32_t relation) {
    return &relations->places[(size_t)device->number * relations->stride + relation];
}

/* Its bucket, with room for one more; NULL: it belongs to none. */
static struct fb_bucket *bucket_for(struct fb_relations *relations, const struct fb_device *device,
                                    uint32_t relation) {
    struct fb_text_room domain, text;
    struct fb_bucket_key key = {.class_index = device->plan->class_index,
                                .relation = relation,
                                .domain = fb_domain_of(relations, device, &domain),
                                .text = fb_relation_text(relations, device, relation, &text)};
    if (key.domain.n == 0 || key.text.n == 0)
        return NULL;
    uint64_t hash = hash_of(&key);
    struct fb_bucket *bucket = find(relations, hash, &key);
    if (!bucket)
        bucket = make(relations, hash, &key);
    FB_PUSH_ROOM(bucket->members, bucket->n, bucket->cap);
    fb_groups_reserve(relations, bucket->n + 1);
    bucket->version = ++relations->version;
    return bucket;
}

struct fb_bucket *fb_relations_put(struct fb_relations *relations, struct fb_device *device,
                                   uint32_t relation) {
    struct fb_bucket *bucket = bucket_for(relations, device, relation);
    if (!bucket)
        return NULL;
    uint32_t at = place_of(relations, bucket, fb_device_id(device));
    memmove(bucket->members + at + 1, bucket->members + at,
            sizeof *bucket->members * (bucket->n - at));
    bucket->members[at] = device->number;
    bucket->n++;
    *place(relations, device, relation) = bucket;
    return bucket;
}

void fb_relations_drop(struct fb_relations *relations, struct fb_device *device,
                       uint32_t relation) {
    struct fb_bucket *bucket = *place(relations, device, relation);
    *place(relations, device, relation) = NULL;
    if (!bucket)
        return;
    uint32_t at = fb_bucket_place(relations, bucket, device);
    bucket->n--;
    memmove(bucket->members + at, bucket->members + at + 1,
            sizeof *bucket->members * (bucket->n - at));
    bucket->version = ++relations->version;
    if (bucket->n == 0)
        end_bucket(relations, bucket);
}

bool fb_relations_holds(const struct fb_relations *relations, const struct fb_device *device,
                        uint32_t relation) {
    const struct fb_bucket *bucket = fb_relations_place(relations, device, relation);
    struct fb_text_room domain_room, text_room;
    struct fb_str domain = fb_domain_of(relations, device, &domain_room);
    struct fb_str text = fb_relation_text(relations, device, relation, &text_room);
    if (domain.n == 0 || text.n == 0)
        return !bucket;
    return bucket && fb_str_eq(fb_bucket_domain(bucket), domain) &&
           fb_str_eq(fb_bucket_text(bucket), text);
}

struct fb_device *fb_relations_device(const struct fb_relations *relations, uint16_t class_index,
                                      struct fb_str domain, struct fb_str id) {
    struct fb_device *device = fb_devices_find(relations->devices, fb_device_hash(class_index, id),
                                               &relations->plans[class_index], id);
    struct fb_text_room room;
    if (!device || domain.n == 0 || !fb_str_eq(fb_domain_of(relations, device, &room), domain))
        return NULL;
    return device;
}

/* ---- from nothing ---- */

static void sift_down(const struct fb_relations *relations, uint32_t *members, uint32_t i,
                      uint32_t n) {
    uint32_t member = members[i];
    for (uint32_t child; (child = i * 2 + 1) < n; i = child) {
        if (child + 1 < n &&
            fb_str_cmp(id_of(relations, members[child]), id_of(relations, members[child + 1])) < 0)
            child++;
        if (fb_str_cmp(id_of(relations, members[child]), id_of(relations, member)) <= 0)
            break;
        members[i] = members[child];
    }
    members[i] = member;
}

static void sort_members(const struct fb_relations *relations, struct fb_bucket *bucket) {
    uint32_t *members = bucket->members, n = bucket->n;
    for (uint32_t i = n / 2; i-- > 0;)
        sift_down(relations, members, i, n);
    while (n > 1) {
        uint32_t last = members[--n];
        members[n] = members[0];
        members[0] = last;
        sift_down(relations, members, 0, n);
    }
}

void fb_relations_rebuild(struct fb_relations *relations) {
    uint32_t n = fb_devices_count(relations->devices);
    free_buckets(relations);
    memset(relations->table, 0, sizeof(struct fb_bucket *) * (relations->mask + 1u));
    relations->n = 0;
    if (relations->cap)
        memset(relations->places, 0,
               sizeof(struct fb_bucket *) * relations->cap * relations->stride);
    fb_relations_reserve(relations, n);
    for (uint32_t i = 0; i < n; i++) {
        struct fb_device *device = fb_devices_at(relations->devices, i);
        for (uint32_t r = 0; r < device->plan->class_->n_relations; r++) {
            struct fb_bucket *bucket = bucket_for(relations, device, r);
            if (bucket)
                bucket->members[bucket->n++] = i;
            *place(relations, device, r) = bucket;
        }
    }
    for (uint32_t i = 0; i <= relations->mask; i++)
        if (relations->table[i])
            sort_members(relations, relations->table[i]);
}
