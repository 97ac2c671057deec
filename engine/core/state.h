/* What one core consists of: shared by the files of engine/core, invisible outside.
 *
 * Place in the flow: core.c owns it; rule.c, alarm.c, event.c and report.c work on it. */
#ifndef FB_CORE_STATE_H
#define FB_CORE_STATE_H

#include "engine/base/hash.h"
#include "engine/core/core.h"
#include "engine/core/device.h"
#include "engine/core/eval.h"
#include "engine/core/window.h"

/* A snapshot under way: devices are written in the order of their numbers, but for those that are
 * touched before their turn. */
struct fb_sweep {
    bool open;
    uint32_t next, end;    /* numbers: below `next` all are written; from `end` on none will be */
    uint64_t *early;       /* set of numbers that were written before their turn */
    uint32_t cap_early;    /* words */
    struct fb_buf waiting; /* these, until they are given out */
    size_t given;          /* so many of its first bytes are */
    uint32_t devices;      /* given out */
    struct fb_hash128 hash; /* of what was written: given out, and waiting */
};

/* Calls that are in force for more than one actuator: one after the other a scope, a mode, a
 * 16-bit length and a name. kill.h */
struct fb_kills {
    struct fb_buf bytes;
    uint32_t n;
};

struct fb_claim_view;
struct fb_readings;
struct fb_relations;

/* What fires at present, and how far each device's time goes. */
struct fb_firing {
    bool open, last;
    struct fb_device *taking; /* the one whose record comes next; NULL: none */
    int64_t taking_limit_us;
};

struct fb_core {
    const struct fb_program *program;
    struct fb_core_config config;
    fb_output_fn *sink;
    void *context;
    struct fb_class_plan *plans; /* of each class */
    struct fb_devices *devices;
    struct fb_device *expected; /* of the next record, perhaps; NULL: nothing is expected */
    /* Of the two behind it. Where an id stood may hold another one by now: then the hash is wrong,
     * and the device is not found by it. */
    struct fb_foreseen {
        const char *id;
        uint64_t hash;
    } foreseen[2];
    struct fb_timers *timers;
    struct fb_texts *texts;
    struct fb_value *registers;
    struct fb_window_memo *memos; /* as many as the class with the most windows has */
    uint64_t moment;              /* the number of evaluated moments */
    struct fb_value *shown, *slots, *tags; /* as many as the largest rule or class has */
    struct fb_shown_source *sources;       /* of `shown` */
    struct fb_value *own_shown;            /* of an actuator's own rule, as `shown` */
    struct fb_shown_source *own_sources;
    struct fb_field_cell *kept_cells;      /* fields' cells while a late record stands in */
    uint64_t *late_texts;                  /* text handles for the same */
    uint32_t n_late_texts;
    int64_t clock_us;                      /* C */
    int64_t wall_us;                       /* FB_NO_TIME: there is none */
    uint64_t marked; /* actuators of the device at hand that are decided after its rules */
    uint64_t moved;  /* modes of the device at hand that are looked at after its rules */
    struct fb_claim_view *views; /* a control's claims before a moment; the most of any */
    bool viewed;                 /* they are those of the control at hand */
    struct fb_core_stats stats;
    struct fb_window_counts counts;
    struct fb_sweep sweep;
    struct fb_kills kills;
    struct fb_rate_cell *rate; /* of all rules together; NULL: there is no limit. rate.h */
    uint32_t called; /* devices with a shelf, or in maintenance: mute.h */
    /* Other devices: NULL where no class looks at any. */
    struct fb_relations *relations;
    struct fb_readings *readings;
    struct fb_firing firing;
    bool moves; /* the record at hand changes what relations or the domain are made of */
    char left_domain[FB_TEXT_BYTES_MAX]; /* of the device at hand, before its record */
    uint32_t left_domain_length;
};

/* What depends on the program, and no device yet: core.c. */
void fb_core_set_up(struct fb_core *core, const struct fb_program *program);
void fb_core_tear_down(struct fb_core *core);

/* Before anything of a device changes: writes it, if an open snapshot has yet to. snapshot.c */
void fb_sweep_touch(struct fb_core *core, const struct fb_device *device);
static inline void fb_core_touch(struct fb_core *core, const struct fb_device *device) {
    if (__builtin_expect(core->sweep.open, 0))
        fb_sweep_touch(core, device);
}

#endif
