/* Which devices belong together: found by class, relation, domain and text. A30, A31, A34.
 *
 * Place in the flow: 6 of the event's way: core.c has it follow what a record changes of links,
 * tags and domains; group.c and wake.c look into it. Derived from the devices, so that no snapshot
 * has it. One owner, as the core. Grows with devices, and where a text comes that no device had. */
#ifndef FB_CORE_RELATION_H
#define FB_CORE_RELATION_H

#include "engine/core/device.h"
#include "engine/model/id.h"

struct fb_group_memo;
struct fb_ranked;
struct fb_texts;

/* The devices of a class whose relation has one text, in one domain. There is none without
 * members. */
struct fb_bucket {
    uint64_t hash;
    uint16_t class_index;
    uint16_t domain_length; /* of `key`: the domain, behind it the text */
    uint32_t relation;      /* of the class */
    struct fb_str key;
    uint32_t *members; /* numbers, in the order of the bytes of the ids */
    uint32_t n, cap;
    uint64_t version; /* another one whenever a member, or what one publishes, is another one */
    struct fb_group_memo *memos; /* of the relation's expressions; group.c */
};
static inline struct fb_str fb_bucket_domain(const struct fb_bucket *bucket) {
    return (struct fb_str){bucket->key.p, bucket->domain_length};
}
static inline struct fb_str fb_bucket_text(const struct fb_bucket *bucket) {
    return (struct fb_str){bucket->key.p + bucket->domain_length,
                           bucket->key.n - bucket->domain_length};
}

/* Where to look: neither part is empty. */
struct fb_bucket_key {
    uint16_t class_index;
    uint32_t relation;
    struct fb_str domain, text;
};

/* Room for a text that is made of fields. */
struct fb_text_room {
    char bytes[FB_DEVICE_ID_MAX];
};

struct fb_relations {
    const struct fb_program *program;
    const struct fb_class_plan *plans;
    const struct fb_devices *devices;
    const struct fb_texts *texts;
    bool **plain;             /* [class][relation]: its only field's text is an id as it is */
    struct fb_bucket **table; /* open addressing */
    uint32_t mask, n;
    struct fb_bucket **places; /* [device's number x stride + relation]; NULL: in none */
    uint32_t stride, cap;      /* cap: devices */
    uint64_t version;          /* the last one given */
    const struct fb_value *told; /* in a trial, what each instruction reads; else NULL */
    /* group.c */
    uint16_t **memo_of;        /* [class][instruction]: place among its bucket's memos */
    uint32_t **n_memos;        /* [class][relation] */
    struct fb_ranked *scratch; /* as long as the longest bucket */
    uint32_t cap_scratch;
};

/* NULL: no class of the program looks at other devices. */
struct fb_relations *fb_relations_new(const struct fb_program *program,
                                      const struct fb_class_plan *plans,
                                      const struct fb_devices *devices,
                                      const struct fb_texts *texts);
void fb_relations_free(struct fb_relations *relations);
/* Room for so many devices. */
void fb_relations_reserve(struct fb_relations *relations, uint32_t devices);

/* The text of a field: a view, or in the room; empty: it has none, or never had a value. */
struct fb_str fb_field_text(const struct fb_relations *relations, const struct fb_device *device,
                            uint16_t field, struct fb_text_room *room);
/* Of a device; empty: it is in none. */
struct fb_str fb_domain_of(const struct fb_relations *relations, const struct fb_device *device,
                           struct fb_text_room *room);
/* Of a relation of the device's class; empty: it has none. */
struct fb_str fb_relation_text(const struct fb_relations *relations, const struct fb_device *device,
                               uint32_t relation, struct fb_text_room *room);

/* NULL: there are no such devices. */
struct fb_bucket *fb_relations_find(const struct fb_relations *relations,
                                    const struct fb_bucket_key *key);
/* The device of a class and an id, if it is in the domain; else NULL. */
struct fb_device *fb_relations_device(const struct fb_relations *relations, uint16_t class_index,
                                      struct fb_str domain, struct fb_str id);
/* The bucket of a device; NULL: it is in none. */
static inline struct fb_bucket *fb_relations_place(const struct fb_relations *relations,
                                                   const struct fb_device *device,
                                                   uint32_t relation) {
    return relations->places[(size_t)device->number * relations->stride + relation];
}
/* Where a member stands among the members. */
uint32_t fb_bucket_place(const struct fb_relations *relations, const struct fb_bucket *bucket,
                         const struct fb_device *device);
/* Puts a device, which is in no bucket of the relation, where it belongs; NULL: nowhere. */
struct fb_bucket *fb_relations_put(struct fb_relations *relations, struct fb_device *device,
                                   uint32_t relation);
/* Takes it out of its bucket, which ends with its last member. */
void fb_relations_drop(struct fb_relations *relations, struct fb_device *device, uint32_t relation);
/* Whether it is in the right one. */
bool fb_relations_holds(const struct fb_relations *relations, const struct fb_device *device,
                        uint32_t relation);
/* All devices, from nothing. */
void fb_relations_rebuild(struct fb_relations *relations);

#endif
