/* The sweep over all devices, and the way back.
 *
 * Place in the flow: see snapshot.h; the bytes of one device are core/image's. */
#include "engine/core/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/planted.h"
#include "engine/core/image.h"
#include "engine/core/kill.h"
#include "engine/core/rate.h"
#include "engine/core/state.h"
#include "engine/core/timer.h"

/* ---- writing ---- */

/* A piece is images, each with its length before it. Adds the image's hash. */
static void append(const struct fb_core *core, const struct fb_device *device, struct fb_buf *out,
                   struct fb_hash128 *hash) {
    size_t at = out->n;
    uint32_t length = 0;
    fb_buf_put(out, &length, sizeof length);
    fb_image_write(device, core->texts, out);
    length = (uint32_t)(out->n - at - sizeof length);
    memcpy(out->p + at, &length, sizeof length);
    *hash = fb_hash128_add(*hash, fb_hash128(out->p + at + sizeof length, length));
}

/* The kills, where there are any: as a device without class and id, before all others. */
static void append_kills(const struct fb_core *core, struct fb_buf *out, struct fb_hash128 *hash) {
    const struct fb_kills *kills = &core->kills;
    const uint32_t no_names = 0, length = (uint32_t)(sizeof no_names + kills->bytes.n);
    if (kills->n == 0)
        return;
    size_t at = out->n + sizeof length;
    fb_buf_put(out, &length, sizeof length);
    fb_buf_put(out, &no_names, sizeof no_names);
    fb_buf_put(out, kills->bytes.p, kills->bytes.n);
    *hash = fb_hash128_add(*hash, fb_hash128(out->p + at, length));
}

/* The first byte of a kill is a scope, which is less. */
static const char RATE_TAG = (char)0xFF;

/* What all rules together have commanded lately, where they have a limit: as the kills. */
static void append_rate(const struct fb_core *core, struct fb_buf *out, struct fb_hash128 *hash) {
    const uint32_t no_names = 0, n = core->program->rate.n;
    uint32_t length = 0;
    if (!core->rate || fb_rate_is_empty(core->rate, n))
        return;
    size_t at = out->n;
    fb_buf_put(out, &length, sizeof length);
    fb_buf_put(out, &no_names, sizeof no_names);
    fb_buf_char(out, RATE_TAG);
    fb_rate_write(core->rate, n, out);
    length = (uint32_t)(out->n - at - sizeof length);
    memcpy(out->p + at, &length, sizeof length);
    *hash = fb_hash128_add(*hash, fb_hash128(out->p + at + sizeof length, length));
}

static bool is_device(const char *image) {
    uint32_t names;
    memcpy(&names, image, sizeof names);
    return names != 0;
}

void fb_core_snapshot_begin(struct fb_core *core) {
    struct fb_sweep *sweep = &core->sweep;
    FB_ASSERT(!sweep->open);
    uint32_t n = fb_devices_count(core->devices), words = n / 64 + 1;
    if (sweep->cap_early < words) {
        free(sweep->early);
        sweep->early = fb_alloc(sizeof *sweep->early * words);
        sweep->cap_early = words;
    }
    memset(sweep->early, 0, sizeof *sweep->early * words);
    sweep->open = true;
    sweep->next = 0;
    sweep->end = n;
    sweep->waiting.n = sweep->given = 0;
    sweep->devices = 0;
    sweep->hash = (struct fb_hash128){0};
    append_kills(core, &sweep->waiting, &sweep->hash);
    append_rate(core, &sweep->waiting, &sweep->hash);
}

bool fb_core_snapshot_is_open(const struct fb_core *core) {
    return core->sweep.open;
}

static bool is_early(const struct fb_sweep *sweep, uint32_t number) {
    return sweep->early[number / 64] >> (number % 64) & 1;
}

void fb_sweep_touch(struct fb_core *core, const struct fb_device *device) {
    struct fb_sweep *sweep = &core->sweep;
    uint32_t number = device->number;
    if (number < sweep->next || number >= sweep->end || is_early(sweep, number) ||
        FB_PLANTED(NO_BARRIER))
        return;
    sweep->early[number / 64] |= UINT64_C(1) << (number % 64);
    if (FB_PLANTED(SKIPS_TOUCHED))
        return;
    append(core, device, &sweep->waiting, &sweep->hash);
}

/* Whole devices, until `out` has `enough`. What is left moves to the front once that is no more
 * than what was given, so that each byte is moved once at most. */
static void give_waiting(struct fb_sweep *sweep, size_t enough, struct fb_buf *out) {
    struct fb_buf *waiting = &sweep->waiting;
    size_t from = sweep->given;
    while (sweep->given < waiting->n && out->n + (sweep->given - from) < enough) {
        uint32_t length;
        memcpy(&length, waiting->p + sweep->given, sizeof length);
        sweep->devices += is_device(waiting->p + sweep->given + sizeof length);
        sweep->given += sizeof length + length;
    }
    if (sweep->given == from)
        return;
    fb_buf_put(out, waiting->p + from, sweep->given - from);
    size_t left = waiting->n - sweep->given;
    if (left > sweep->given)
        return;
    memmove(waiting->p, waiting->p + sweep->given, left);
    waiting->n = left;
    sweep->given = 0;
}

bool fb_core_snapshot_next(struct fb_core *core, size_t bytes, struct fb_buf *out) {
    struct fb_sweep *sweep = &core->sweep;
    FB_ASSERT(sweep->open);
    size_t enough = out->n + bytes;
    give_waiting(sweep, enough, out);
    for (; sweep->next < sweep->end; sweep->next++) {
        if (is_early(sweep, sweep->next))
            continue;
        if (out->n >= enough)
            break;
        append(core, fb_devices_at(core->devices, sweep->next), out, &sweep->hash);
        sweep->devices++;
    }
    if (sweep->next < sweep->end || fb_core_snapshot_waiting(core) > 0)
        return true;
    fb_core_snapshot_drop(core);
    return false;
}

size_t fb_core_snapshot_waiting(const struct fb_core *core) {
    return core->sweep.waiting.n - core->sweep.given;
}

uint32_t fb_core_snapshot_devices(const struct fb_core *core) {
    return core->sweep.devices;
}

struct fb_hash128 fb_core_snapshot_hash(const struct fb_core *core) {
    return core->sweep.hash;
}

void fb_core_snapshot_drop(struct fb_core *core) {
    core->sweep.open = false;
    fb_buf_free(&core->sweep.waiting); /* many devices may have waited: not to be kept for ever */
    core->sweep.waiting = (struct fb_buf){0};
    core->sweep.given = 0;
}

struct fb_hash128 fb_core_state_hash(const struct fb_core *core) {
    struct fb_hash128 hash = {0};
    struct fb_buf image = {0};
    append_kills(core, &image, &hash);
    append_rate(core, &image, &hash);
    for (uint32_t i = 0; i < fb_devices_count(core->devices); i++) {
        image.n = 0;
        append(core, fb_devices_at(core->devices, i), &image, &hash);
    }
    fb_buf_free(&image);
    return hash;
}

/* ---- reading ---- */

static bool fail(struct fb_err *err, const char *what) {
    return fb_fail(err, FB_FATAL,
                   "a piece of the snapshot can not be read: %s; "
                   "restore from an older one, or from the beginning of the inputs",
                   what);
}

static bool fail_device(struct fb_err *err, const struct fb_image *image, const char *what) {
    struct fb_str name = image->class_name, id = image->id;
    if (!fb_str_is_utf8(name) || !fb_str_is_utf8(id))
        name = id = FB_S("?");
    return fb_fail(err, FB_FATAL,
                   "the snapshot's device `%.*s` of class `%.*s` can not be restored: %s; "
                   "restore from an older one, or from the beginning of the inputs",
                   FB_ARG(id), FB_ARG(name), what);
}

static bool read_rate(struct fb_core *core, struct fb_str bytes, struct fb_err *err) {
    if (core->rate && fb_rate_is_empty(core->rate, core->program->rate.n) &&
        (FB_PLANTED(LIMIT_LOST) || fb_rate_read(core->rate, core->program->rate.n, bytes)))
        return true;
    return fail(err, "what `commands at most` has counted is damaged");
}

static bool restore_device(struct fb_core *core, struct fb_str bytes, struct fb_err *err) {
    struct fb_image image;
    if (!fb_image_open(bytes, &image))
        return fail(err, "a device in it is cut off");
    if (image.class_name.n == 0 && image.id.n == 0 && image.rest.n && image.rest.p[0] == RATE_TAG)
        return read_rate(core, (struct fb_str){image.rest.p + 1, image.rest.n - 1}, err);
    if (image.class_name.n == 0 && image.id.n == 0)
        return fb_kills_read(&core->kills, image.rest) || fail(err, "its kills are damaged");
    const struct fb_class *class_ = fb_program_class(core->program, image.class_name);
    if (!class_)
        return fail_device(err, &image, "the rules in force have no such class");
    if (image.id.n == 0 || image.id.n > FB_DEVICE_ID_MAX)
        return fail_device(err, &image, "its id is empty or too long");
    uint16_t index = (uint16_t)(class_ - core->program->classes);
    const struct fb_class_plan *plan = &core->plans[index];
    uint64_t hash = fb_device_hash(index, image.id);
    if (fb_devices_find(core->devices, hash, plan, image.id))
        return fail_device(err, &image, "it is there twice");
    struct fb_device *device = fb_devices_register(core->devices, plan, hash, image.id);
    fb_timers_reserve(core->timers, fb_devices_count(core->devices));
    const char *wrong = fb_image_read(device, core->texts, image.rest);
    return wrong ? fail_device(err, &image, wrong) : true;
}

bool fb_core_restore(struct fb_core *core, struct fb_str piece, struct fb_err *err) {
    while (piece.n) {
        uint32_t length;
        if (piece.n < sizeof length)
            return fail(err, "it ends within a length");
        memcpy(&length, piece.p, sizeof length);
        piece.p += sizeof length;
        piece.n -= sizeof length;
        if (length > piece.n)
            return fail(err, "it ends within a device");
        if (!restore_device(core, (struct fb_str){piece.p, length}, err))
            return false;
        piece.p += length;
        piece.n -= length;
    }
    return true;
}
