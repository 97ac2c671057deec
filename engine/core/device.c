/* Devices in large chunks, found through a table of hashes with open addressing.
 *
 * Place in the flow: see device.h. */
#include "engine/core/device.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/base/err.h"
#include "engine/base/hash.h"

enum { CHUNK_BYTES = 2 << 20, DEVICE_ALIGN = 64, PLACES = CHUNK_BYTES / DEVICE_ALIGN };

/* Where a device is, in units of DEVICE_ALIGN over all chunks, and 1 more: 0 is none. */
typedef uint32_t place_t;

/* Small, so that many stay in the cache. A wrong device is hardly ever looked at. */
struct entry {
    place_t place; /* 0: empty */
    uint32_t hash; /* the upper half */
};

struct fb_devices {
    struct entry *table;
    uint32_t mask, n;
    place_t *all; /* in the order of registration */
    uint32_t cap_all;
    char **chunks;
    uint32_t n_chunks, cap_chunks;
    size_t used; /* of the last chunk */
};

static struct fb_device *device_at(const struct fb_devices *devices, place_t place) {
    place--;
    return (void *)(devices->chunks[place / PLACES] + (size_t)(place % PLACES) * DEVICE_ALIGN);
}

struct fb_devices *fb_devices_new(void) {
    struct fb_devices *devices = fb_alloc(sizeof *devices);
    devices->mask = 1023;
    devices->table = fb_alloc(sizeof *devices->table * (devices->mask + 1u));
    return devices;
}

void fb_devices_free(struct fb_devices *devices) {
    if (!devices)
        return;
    for (uint32_t i = 0; i < devices->n_chunks; i++)
        free(devices->chunks[i]);
    free(devices->chunks);
    free(devices->table);
    free(devices->all);
    free(devices);
}

uint64_t fb_device_hash(uint16_t class_index, struct fb_str id) {
    return fb_hash64(id.p, id.n, class_index);
}

struct fb_device *fb_devices_find(const struct fb_devices *devices, uint64_t hash,
                                  const struct fb_class_plan *plan, struct fb_str id) {
    uint32_t upper = (uint32_t)(hash >> 32);
    for (uint32_t i = upper & devices->mask;; i = (i + 1) & devices->mask) {
        const struct entry *entry = &devices->table[i];
        if (!entry->place)
            return NULL;
        if (entry->hash != upper)
            continue;
        struct fb_device *device = device_at(devices, entry->place);
        if (device->plan == plan && fb_str_eq(fb_device_id(device), id))
            return device;
    }
}

void fb_devices_fetch_entry(const struct fb_devices *devices, uint64_t hash) {
    __builtin_prefetch(&devices->table[(uint32_t)(hash >> 32) & devices->mask]);
}

struct fb_device *fb_devices_guess(const struct fb_devices *devices, uint64_t hash) {
    uint32_t upper = (uint32_t)(hash >> 32);
    for (uint32_t i = upper & devices->mask;; i = (i + 1) & devices->mask) {
        const struct entry *entry = &devices->table[i];
        if (!entry->place)
            return NULL;
        if (entry->hash == upper)
            return device_at(devices, entry->place);
    }
}

static void insert(struct entry *table, uint32_t mask, struct entry entry) {
    uint32_t i = entry.hash & mask;
    while (table[i].place)
        i = (i + 1) & mask;
    table[i] = entry;
}

static void grow_table(struct fb_devices *devices) {
    uint32_t mask = devices->mask * 2 + 1;
    struct entry *table = fb_alloc(sizeof *table * (mask + 1u));
    for (uint32_t i = 0; i <= devices->mask; i++)
        if (devices->table[i].place)
            insert(table, mask, devices->table[i]);
    free(devices->table);
    devices->table = table;
    devices->mask = mask;
}

/* Room for a device, and its id before it, where the last device's end leaves some. */
static place_t take_place(struct fb_devices *devices, size_t id_bytes, size_t bytes) {
    size_t at = (devices->used + id_bytes + DEVICE_ALIGN - 1) / DEVICE_ALIGN * DEVICE_ALIGN;
    if (!devices->n_chunks || at + bytes > CHUNK_BYTES) {
        FB_PUSH_ROOM(devices->chunks, devices->n_chunks, devices->cap_chunks);
        char *chunk = aligned_alloc(CHUNK_BYTES, CHUNK_BYTES);
        if (!chunk)
            fb_out_of_memory(CHUNK_BYTES);
        /* Random access to millions of devices is bound by the translation of addresses. */
        (void)madvise(chunk, CHUNK_BYTES, MADV_HUGEPAGE);
        devices->chunks[devices->n_chunks++] = chunk;
        at = (id_bytes + DEVICE_ALIGN - 1) / DEVICE_ALIGN * DEVICE_ALIGN;
        FB_ASSERT(at + bytes <= CHUNK_BYTES && devices->n_chunks < UINT32_MAX / PLACES);
    }
    devices->used = at + bytes;
    return (devices->n_chunks - 1) * PLACES + (place_t)(at / DEVICE_ALIGN) + 1;
}

struct fb_device *fb_devices_register(struct fb_devices *devices, const struct fb_class_plan *plan,
                                      uint64_t hash, struct fb_str id) {
    if ((devices->n + 1) * 2 > devices->mask)
        grow_table(devices);
    place_t place = take_place(devices, id.n, plan->service_at + sizeof(struct fb_service));
    struct fb_device *device = device_at(devices, place);
    *device = (struct fb_device){.plan = plan,
                                 .watermark_us = FB_NO_TIME,
                                 .floor_us = FB_NO_TIME,
                                 .deadline_us = FB_NEVER,
                                 .scheduled_us = FB_NEVER,
                                 .acting_us = FB_NEVER,
                                 .number = devices->n,
                                 .id_length = (uint16_t)id.n,
                                 .resting = true,
                                 .exact = true};
    for (uint32_t i = 0; i < plan->n_deadlines; i++)
        device->deadlines[i] = FB_NEVER;
    memcpy(fb_device_block(device), plan->fresh_block, plan->class_->block_bytes);
    *fb_device_service(device) = (struct fb_service){.until_us = FB_NO_TIME, .due_us = FB_NEVER};
    memcpy((char *)device - id.n, id.p, id.n);
    FB_PUSH_ROOM(devices->all, devices->n, devices->cap_all);
    devices->all[devices->n++] = place;
    insert(devices->table, devices->mask, (struct entry){place, (uint32_t)(hash >> 32)});
    return device;
}

void fb_device_find_deadline(struct fb_device *device) {
    const int64_t *at = device->deadlines, *end = at + device->plan->n_deadlines;
    int64_t a = FB_NEVER, b = FB_NEVER; /* two, so that one does not wait for the other */
    for (; end - at >= 2; at += 2) {
        a = at[0] < a ? at[0] : a;
        b = at[1] < b ? at[1] : b;
    }
    if (at < end)
        a = *at < a ? *at : a;
    device->deadline_us = a < b ? a : b;
    device->exact = true;
}

uint32_t fb_devices_count(const struct fb_devices *devices) {
    return devices->n;
}

struct fb_device *fb_devices_at(const struct fb_devices *devices, uint32_t i) {
    return device_at(devices, devices->all[i]);
}

/* Devices stand in the order of their numbers. */
void fb_devices_give_back(struct fb_devices *devices, uint32_t i) {
    uint32_t chunk = (devices->all[i] - 1) / PLACES;
    if (i + 1 < devices->n && (devices->all[i + 1] - 1) / PLACES == chunk)
        return;
    free(devices->chunks[chunk]);
    devices->chunks[chunk] = NULL;
}

uint64_t fb_devices_bytes(const struct fb_devices *devices) {
    return (uint64_t)devices->n_chunks * CHUNK_BYTES;
}
