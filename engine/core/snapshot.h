/* The state of a core as bytes: written while the core goes on, and read again.
 *
 * Place in the flow: run/snapshot begins one at a commit's end (the barrier) and takes pieces of it
 * with each following commit; run/restore reads them into a fresh core. One owner, as the core.
 *
 * The state is written as it was at the barrier: a device that is touched before the sweep has come
 * to it is written first. The core is never stopped, and never copied. Devices that came after the
 * barrier are left out. A piece holds whole devices: length, class (by name), id, times, deadlines,
 * block with texts in place of handles. What can be derived (timers, positions among thresholds) is
 * not written. Kills that are in force (core/kill) and what `commands at most` has counted
 * (core/rate) stand before all devices, as ones without class and id. */
#ifndef FB_CORE_SNAPSHOT_H
#define FB_CORE_SNAPSHOT_H

#include "engine/base/err.h"
#include "engine/base/hash.h"
#include "engine/core/core.h"

/* ---- writing ---- */

/* The barrier is here. None may be under way. */
void fb_core_snapshot_begin(struct fb_core *core);
bool fb_core_snapshot_is_open(const struct fb_core *core);
/* Appends whole devices until there are `bytes` of them or one device more, first those that were
 * touched meanwhile. False: that was all, and the snapshot is over. */
bool fb_core_snapshot_next(struct fb_core *core, size_t bytes, struct fb_buf *out);
/* Bytes of devices that were touched before the sweep came to them and wait for `next`: a bound on
 * memory is the caller's, by calling `next` often enough. */
size_t fb_core_snapshot_waiting(const struct fb_core *core);
/* Given out so far, or by the last one that is over. */
uint32_t fb_core_snapshot_devices(const struct fb_core *core);
/* Of what was written so far; of one that is over: of all. */
struct fb_hash128 fb_core_snapshot_hash(const struct fb_core *core);
/* Gives up the one that is under way, if there is one. */
void fb_core_snapshot_drop(struct fb_core *core);

/* Hash of the whole present state: a sum of the hashes of its devices' bytes, so that their order
 * has no part in it. Of the last piece of a snapshot: what this was at the barrier. */
struct fb_hash128 fb_core_state_hash(const struct fb_core *core);

/* ---- reading ---- */

/* Takes the devices of a piece into a core that has taken no record. The program must be that of
 * the core which wrote it. False: err (fatal) says what is wrong; the core is of no use then. */
bool fb_core_restore(struct fb_core *core, struct fb_str piece, struct fb_err *err);
/* After the last piece: the clock, and everything derived. */
void fb_core_restored(struct fb_core *core, int64_t clock_us);

#endif
