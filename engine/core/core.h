/* The deterministic machine: state, outputs = step(program, state, entry).
 *
 * Place in the flow: between decoder and encoder; run, replay, test and the comparison with the
 * reference all drive it. No I/O, clock, threads or libm; memory grows only when a new device
 * comes, or a longer text. One owner. The same entries in the same order give the same outputs, to
 * the byte. */
#ifndef FB_CORE_CORE_H
#define FB_CORE_CORE_H

#include "engine/model/entry.h"
#include "engine/model/output.h"
#include "engine/model/program.h"

struct fb_core;

struct fb_core_config {
    int64_t max_skew_us;  /* a record further ahead of the clock is refused as future; 10 min */
    uint32_t devices_max; /* beyond it new ids are refused; 0: no bound */
    int64_t max_lag_us;   /* commands are withheld while the clock is further behind; 60 s */
};

struct fb_core_stats {
    uint64_t records, late, future, refused, evaluations, timers, alerts, events, commands;
    uint64_t late_ignored, left_early;
    uint32_t devices;
    uint64_t state_bytes;
};

enum fb_taken {
    FB_TAKEN = 0,
    FB_TAKEN_LATE,     /* went to the late output and nowhere else */
    FB_TAKEN_FUTURE,   /* the same, as `future` */
    FB_REFUSED_DEVICES /* DEVICE_CAP: the caller makes a dead letter of it */
};

/* The program must outlive the core. */
struct fb_core *fb_core_new(const struct fb_program *program, const struct fb_core_config *config,
                            fb_output_fn *sink, void *context);
void fb_core_free(struct fb_core *core);
/* Other bounds from the next record on. */
void fb_core_configure(struct fb_core *core, const struct fb_core_config *config);

/* The wall clock of the record or tick that comes next; before the first call, and with FB_NO_TIME,
 * it is whatever an actuator's decision has as now. Only expiry, lease and lag of commands depend
 * on it. */
void fb_core_set_wall(struct fb_core *core, int64_t wall_us);
/* Moves the task's clock C to c_us if that is ahead, and fires what is due before it. */
void fb_core_advance(struct fb_core *core, int64_t c_us);
/* A record of this device will probably be taken next: its memory is fetched meanwhile. A hint,
 * nothing depends on it. */
void fb_core_expect(struct fb_core *core, uint16_t class_index, struct fb_str device);
/* These devices will probably be expected next, one after the other; p is NULL where none is known.
 * The memory of the first, and what leads to the second, are fetched meanwhile. A hint, too. */
void fb_core_foresee(struct fb_core *core, uint16_t class_index, const struct fb_str devices[2]);
/* Takes a record with the clock at c_us (moved first, as by fb_core_advance). */
enum fb_taken fb_core_take(struct fb_core *core, const struct fb_entry *entry, int64_t c_us);
/* The last tick of a file at c_us: fires also what is due exactly at a device's present time. */
void fb_core_finish(struct fb_core *core, int64_t c_us);

struct fb_core_stats fb_core_stats(const struct fb_core *core);

#endif
