/* How often a rule, or all rules together, may change what is commanded: what was counted.
 *
 * Place in the flow: 11 of the event's way; core/actuator asks before a command and notes it after;
 * a rule's instants lie in its device's block, those of all rules in the core, which core/snapshot
 * writes before all devices. rules/MEANING.md, A100 to A103. */
#ifndef FB_CORE_RATE_H
#define FB_CORE_RATE_H

#include "engine/base/str.h"
#include "engine/model/actuator.h"

/* ---- rings of instants, of n places; also those of an actuator's starts and reversals ---- */

/* The newest go into a fresh ring of another length, oldest first, as they will be overwritten;
 * into one of its own length as they lie, so that the same rules leave the same bytes. */
void fb_times_move(const int64_t *old, uint32_t n_old, uint32_t next_old, int64_t *now,
                   uint32_t n_now, uint32_t *next_now);
/* How many are later than after_us. They ascend from the oldest on, as the task's clock does. */
uint32_t fb_times_since(const int64_t *times, uint32_t n, uint32_t next, int64_t after_us);
/* Of bytes from outside. */
bool fb_times_are_sound(uint32_t next, const int64_t *times, uint32_t n);

/* ---- what a limit has counted ---- */

/* Nothing yet. */
void fb_rate_begin(struct fb_rate_cell *cell, uint32_t n);
/* Until when nothing more is let through, of actuators or of their shadows; in the past: it is;
 * FB_NO_TIME: fewer than n were counted. */
int64_t fb_rate_end(const struct fb_rate_cell *cell, const struct fb_rate *rate, bool shadow);
/* How many were counted within the limit's time before now_us. */
uint32_t fb_rate_counted(const struct fb_rate_cell *cell, const struct fb_rate *rate, bool shadow,
                         int64_t now_us);
void fb_rate_note(struct fb_rate_cell *cell, uint32_t n, bool shadow, int64_t now_us);
/* What was counted goes along into a fresh cell. */
void fb_rate_move(const struct fb_rate_cell *old, uint32_t n_old, struct fb_rate_cell *now,
                  uint32_t n_now);
bool fb_rate_is_sound(const struct fb_rate_cell *cell, uint32_t n);

/* As it stands in a snapshot: how many, then the instants, oldest first; then those of shadows. */
bool fb_rate_is_empty(const struct fb_rate_cell *cell, uint32_t n);
void fb_rate_write(const struct fb_rate_cell *cell, uint32_t n, struct fb_buf *out);
/* Into a fresh cell. False: it is none that could have been written. */
bool fb_rate_read(struct fb_rate_cell *cell, uint32_t n, struct fb_str bytes);

#endif
