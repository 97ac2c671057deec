/* A device: its times, deadlines and block of cells, in one piece of memory.
 *
 * Place in the flow: 6 of the event's way. core.c finds or registers it, everything else reads and
 * writes its cells. One owner, no locks. */
#ifndef FB_CORE_DEVICE_H
#define FB_CORE_DEVICE_H

#include "engine/core/slices.h"
#include "engine/model/program.h"

struct fb_field_index;
struct fb_relations;
struct fb_step;

/* A window that takes the samples of a field as they are. */
struct fb_fed_window {
    const struct fb_window *window;
    struct fb_slice_plan slices; /* of FB_SHAPE_EACH; else none of it is set */
    uint32_t cell_at;            /* bytes from the device to its cell */
};

/* What a sample needs to know of its field, close together. */
struct fb_field_plan {
    const struct fb_field *field;
    int64_t stale_us; /* its own */
    const struct fb_field_index *index; /* NULL: the index does not follow it */
    const struct fb_fed_window *windows; /* that take its samples as they are */
    uint32_t n_windows;
    uint32_t cell_at; /* bytes from the device to its cell */
    bool is_key, is_text, is_number;
};

/* What an evaluation needs to know of a condition. Places are bytes from the device. */
struct fb_condition_plan {
    const struct fb_rule *rule;
    const struct fb_step *steps; /* NULL: its code is more than steps can say */
    uint32_t n_steps;
    uint32_t cell_at;
    uint32_t local_rule; /* index in class_->rules */
    uint32_t first_each; /* in each_windows: those that it reads */
    uint16_t n_each;
    bool is_alarm, whenever;
    bool acts;       /* of a control or an actuator, or read by other devices */
    bool is_value;   /* its value is no truth: of a command, or what others read */
    bool may_rest;   /* its deadlines may be left out (rest.h), where W lies so far back: */
    int64_t unsettled_us;
    uint64_t marks;  /* actuators of the class that have it as interlock or permissive */
    uint32_t follows; /* the actuator that failures to follow stop; FB_NO_INDEX: none */
};

/* What a change of an alarm needs to know. */
struct fb_rule_plan {
    const struct fb_rule *rule;
    uint32_t cell_at;
    uint32_t condition_at; /* the cell of its only raise */
    bool is_alarm, is_control;
    bool plain; /* an alarm with one raise and no off-delay, which no condition reads */
    /* Conditions that read the alarm (A50), first those that its commands start with (A51). */
    const uint32_t *readers;
    uint32_t n_readers, n_commands;
    bool is_read;
};

/* What arbitration needs to know of a claim. */
struct fb_claim_plan {
    const struct fb_rule *rule;
    uint64_t winner; /* as in fb_actuator_cell */
};

/* Lines of the cache that are fetched ahead, in bytes from the device; more can not be under way at
 * once. */
enum { FB_LINES_MAX = 24 };
struct fb_lines {
    uint32_t n, at[FB_LINES_MAX];
};

/* What the core prepares once for each class: where a device's parts stand and which windows and
 * conditions a field concerns. Sets are arrays of 64-bit words. */
struct fb_class_plan {
    const struct fb_class *class_;
    uint16_t class_index;
    uint32_t n_deadlines;   /* one a condition, then one a rule of the class */
    uint32_t block_at;      /* bytes from the device to its block */
    uint32_t service_at;    /* .. to its struct fb_service, behind the block */
    struct fb_lines record_lines, timer_lines; /* that these may touch */
    void *fresh_block;      /* what a new device's block holds */
    uint32_t condition_words, window_words;
    uint64_t *conditions_of; /* [field][word]: all that read the field */
    uint64_t *plain_of;      /* [field][word]: those of them that the index does not follow */
    bool all_followed;       /* plain_of and every_record_conditions are empty */
    struct fb_field_plan *fields;
    struct fb_field_index *indexes;    /* [field] */
    struct fb_fed_window *fed_windows; /* of all fields */
    bool other_windows;      /* there are windows of expressions, or of records */
    bool takes_further;      /* that, or other devices look at it */
    uint64_t *windows_of;    /* [field][word]: those of expressions that read the field */
    uint32_t *record_windows, n_record_windows; /* those that take every record */
    uint64_t *every_record_conditions, *all_conditions, *twice;
    struct fb_condition_plan *conditions;
    struct fb_rule_plan *rules;
    uint32_t *alarm_readers; /* of all rules */
    struct fb_claim_plan *claims;
    struct fb_step *steps;   /* of all conditions */
    uint32_t *each_conditions, n_each_conditions; /* those that read an `each` window */
    uint32_t *each_windows;                       /* of all of them, by index in the class */
    uint64_t *scratch;       /* condition_words: what is being evaluated */
    uint64_t *second;        /* condition_words: what is evaluated a second time */
    struct fb_matcher *matcher;
    bool acting;                  /* has actuators, or publishes: not every condition is a truth */
    bool relates;                 /* other devices look at it, or belong to it: see relation.h */
    struct fb_field_set relating; /* then: tags and fields of its relations and its domain */
    struct fb_relations *relations; /* the core's */
    size_t image_bytes_max;
};

/* What operators have said of the device, both on C, and the hops that it carries (hops.h); of
 * most: nothing. */
struct fb_service {
    int64_t until_us; /* the end of its maintenance; FB_NO_TIME: it is in service */
    int64_t due_us;   /* that, or the end of a shelf, whichever comes first; FB_NEVER */
    int32_t hops_hour; /* of C, in which it took them */
    uint8_t hops;      /* 0: none */
};

/* In one line of the cache. The id stands before it, the deadlines and the block behind it, so that
 * nothing has a place that depends on the id's length. */
struct fb_device {
    const struct fb_class_plan *plan;
    int64_t watermark_us;    /* W: highest accepted ts */
    int64_t clock_at_us;     /* C when W last moved */
    int64_t floor_us;        /* D never falls below this */
    int64_t deadline_us;     /* at or before the earliest of `deadlines`, in device time */
    int64_t scheduled_us;    /* its place in the timer heap, in C; FB_NEVER: it has none */
    int64_t acting_us;       /* the earliest deadline of its actuators and of mute.h, in C */
    uint32_t number;         /* in the order of registration */
    uint16_t id_length;
    bool resting;            /* perhaps a condition of `each` windows rests (rule.c) */
    bool exact;              /* deadline_us is the earliest */
    int64_t deadlines[];
};

static inline char *fb_device_block(struct fb_device *device) {
    return (char *)device + device->plan->block_at;
}
static inline struct fb_service *fb_device_service(const struct fb_device *device) {
    return (struct fb_service *)(void *)((char *)(uintptr_t)device + device->plan->service_at);
}
static inline struct fb_field_cell *fb_device_cell(struct fb_device *device,
                                                   const struct fb_field_plan *field) {
    return (struct fb_field_cell *)(void *)((char *)device + field->cell_at);
}
/* The value of a condition of the class at its last evaluation: 0 false, 1 true, 2 unknown. */
static inline uint8_t fb_device_truth(const struct fb_device *device, uint32_t condition) {
    const struct fb_condition_cell *cell =
        (const void *)((const char *)device + device->plan->conditions[condition].cell_at);
    return cell->value;
}
static inline struct fb_str fb_device_id(const struct fb_device *device) {
    return (struct fb_str){(const char *)device - device->id_length, device->id_length};
}
/* Begins to fetch what a record of the device, or a timer, will touch. A hint: nothing depends on
 * it. */
static inline void fb_device_fetch(const struct fb_device *device, const struct fb_lines *lines) {
    __builtin_prefetch(device);
    __builtin_prefetch((const char *)device - 1);
    for (const uint32_t *at = lines->at; at < lines->at + lines->n; at++)
        __builtin_prefetch((const char *)device + *at);
}
/* Sets one of the deadlines. */
static inline void fb_device_set_deadline(struct fb_device *device, uint32_t i, int64_t at_us) {
    if (at_us > device->deadline_us && device->deadlines[i] == device->deadline_us)
        device->exact = false; /* perhaps another one is as early */
    device->deadlines[i] = at_us;
    if (at_us < device->deadline_us)
        device->deadline_us = at_us;
}
/* Makes deadline_us the earliest. */
void fb_device_find_deadline(struct fb_device *device);
static inline void fb_device_fetch_deadlines(const struct fb_device *device) {
    for (uint32_t i = 0; i < 4; i++)
        __builtin_prefetch((const char *)device + 64 * i);
}
/* D with the task's clock at c_us. */
static inline int64_t fb_device_time(const struct fb_device *device, int64_t c_us) {
    int64_t d = device->watermark_us + (c_us - device->clock_at_us);
    return d > device->floor_us ? d : device->floor_us;
}

/* All devices of a task: found by class and id. */
struct fb_devices;

struct fb_devices *fb_devices_new(void);
void fb_devices_free(struct fb_devices *devices);
uint64_t fb_device_hash(uint16_t class_index, struct fb_str id);
/* NULL: not registered. */
struct fb_device *fb_devices_find(const struct fb_devices *devices, uint64_t hash,
                                  const struct fb_class_plan *plan, struct fb_str id);
/* Begins to fetch where that will look first. A hint: nothing depends on it. */
void fb_devices_fetch_entry(const struct fb_devices *devices, uint64_t hash);
/* The same, but only likely: it compares hashes, and so touches no device. */
struct fb_device *fb_devices_guess(const struct fb_devices *devices, uint64_t hash);
/* A new device with a fresh block and no time yet. Grows in large steps. */
struct fb_device *fb_devices_register(struct fb_devices *devices, const struct fb_class_plan *plan,
                                      uint64_t hash, struct fb_str id);
uint32_t fb_devices_count(const struct fb_devices *devices);
struct fb_device *fb_devices_at(const struct fb_devices *devices, uint32_t i);
uint64_t fb_devices_bytes(const struct fb_devices *devices);
/* The device of this number, and all before it, are not needed any more: gives back what memory
 * only they stand in. They must not be looked at, or found, again. */
void fb_devices_give_back(struct fb_devices *devices, uint32_t i);

#endif
