/* Commands in the order of their decisions, and what is in a row of one actuator.
 *
 * Place in the flow: see unsent.h. */
#include "engine/run/unsent.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/map.h"
#include "engine/model/program.h"

enum { KEEP_MAX = 1 << 20 /* bytes of memory that are kept for the next batch */ };

struct noted {
    struct fb_unsent_command command; /* but for the device, which stands in `names` */
    size_t device_at, device_n;
};

struct fb_unsent {
    struct noted *all;
    size_t n, cap;
    struct fb_buf names; /* of the devices */
    int64_t least_us;    /* the earliest expiry; FB_NEVER: none */
};

struct fb_unsent *fb_unsent_new(void) {
    struct fb_unsent *unsent = fb_alloc(sizeof *unsent);
    unsent->least_us = FB_NEVER;
    return unsent;
}

void fb_unsent_free(struct fb_unsent *unsent) {
    if (!unsent)
        return;
    free(unsent->all);
    fb_buf_free(&unsent->names);
    free(unsent);
}

void fb_unsent_add(struct fb_unsent *unsent, const struct fb_output *command, const char *id,
                   uint32_t place) {
    FB_PUSH_ROOM(unsent->all, unsent->n, unsent->cap);
    struct noted *noted = &unsent->all[unsent->n++];
    *noted = (struct noted){.command = {.place = place,
                                        .class_index = command->class_index,
                                        .rule = command->rule,
                                        .actuator = command->actuator,
                                        .actuator_index = command->actuator_index,
                                        .value = command->value,
                                        .seq = command->seq,
                                        .expires_at_us = command->expires_at_us,
                                        .before = *command->before},
                            .device_at = unsent->names.n,
                            .device_n = command->device.n};
    memcpy(noted->command.id, id, sizeof noted->command.id);
    fb_buf_str(&unsent->names, command->device);
    if (command->expires_at_us < unsent->least_us)
        unsent->least_us = command->expires_at_us;
}

void fb_unsent_clear(struct fb_unsent *unsent) {
    if (unsent->cap * sizeof *unsent->all > KEEP_MAX) {
        free(unsent->all);
        unsent->all = NULL;
        unsent->cap = 0;
    }
    if (unsent->names.cap > KEEP_MAX)
        fb_buf_free(&unsent->names);
    unsent->n = 0;
    unsent->names.n = 0;
    unsent->least_us = FB_NEVER;
}

bool fb_unsent_is_late(const struct fb_unsent *unsent, int64_t wall_us) {
    return unsent->least_us <= wall_us;
}

static struct fb_str device_of(const struct fb_unsent *unsent, const struct noted *noted) {
    return (struct fb_str){unsent->names.p + noted->device_at, noted->device_n};
}

/* "0/2/p1": class, actuator, device. */
static struct fb_str key_of(const struct fb_unsent *unsent, const struct noted *noted,
                            struct fb_buf *key) {
    key->n = 0;
    fb_buf_printf(key, "%u/%u/", noted->command.class_index, noted->command.actuator_index);
    fb_buf_str(key, device_of(unsent, noted));
    return (struct fb_str){key->p, key->n};
}

/* Of each actuator the first of its last ones in a row that have expired; cleared where its last
 * one has not. */
static void find_rows(const struct fb_unsent *unsent, int64_t wall_us, bool *begins) {
    struct fb_map *rows = fb_map_new(); /* of an actuator: 0, or the place of that one, from 1 on */
    struct fb_buf key = {0};
    for (uint32_t i = 0; i < unsent->n; i++) {
        const struct noted *noted = &unsent->all[i];
        struct fb_str name = key_of(unsent, noted, &key);
        uint32_t row = fb_map_get(rows, name);
        if (noted->command.expires_at_us > wall_us)
            fb_map_put(rows, name, 0);
        else if (row == FB_MAP_NONE || row == 0)
            fb_map_put(rows, name, i + 1);
    }
    for (uint32_t i = 0; i < fb_map_size(rows); i++)
        if (fb_map_value_at(rows, i))
            begins[fb_map_value_at(rows, i) - 1] = true;
    fb_buf_free(&key);
    fb_map_free(rows);
}

void fb_unsent_end(struct fb_unsent *unsent, int64_t wall_us,
                   void (*expired)(void *context, const struct fb_unsent_command *command,
                                   bool takes_back),
                   void *context) {
    bool *begins = fb_alloc(sizeof *begins * (unsent->n + 1));
    find_rows(unsent, wall_us, begins);
    for (size_t i = 0; i < unsent->n; i++) {
        struct noted *noted = &unsent->all[i];
        noted->command.device = device_of(unsent, noted);
        if (noted->command.expires_at_us <= wall_us)
            expired(context, &noted->command, begins[i]);
    }
    free(begins);
}
