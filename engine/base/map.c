/* A hash map from byte strings to 32-bit numbers: an array of entries in the order of insertion,
 * and an open-addressed table of their numbers, at most half full. */
#include "engine/base/map.h"

#include <stdlib.h>
#include <sys/random.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/hash.h"

struct entry {
    struct fb_str key;
    uint64_t hash;
    uint32_t value;
};

struct fb_map {
    struct fb_arena *keys;
    struct entry *entries;
    uint32_t n, cap;
    uint32_t *slots;  /* number of an entry + 1, 0 = free */
    uint32_t n_slots; /* a power of two */
    uint64_t seed;
};

enum { FIRST_SLOTS = 16, ENTRIES_MAX = 1 << 30 };

struct fb_map *fb_map_new(void) {
    struct fb_map *map = fb_alloc(sizeof *map);
    FB_ASSERT(getrandom(&map->seed, sizeof map->seed, 0) == (ssize_t)sizeof map->seed);
    map->keys = fb_arena_new();
    map->n_slots = FIRST_SLOTS;
    map->slots = fb_alloc(FIRST_SLOTS * sizeof *map->slots);
    return map;
}

void fb_map_free(struct fb_map *map) {
    if (!map)
        return;
    fb_arena_free(map->keys);
    free(map->entries);
    free(map->slots);
    free(map);
}

/* The slot that holds the key, or the free one where it belongs. */
static uint32_t find_slot(const struct fb_map *map, struct fb_str key, uint64_t hash) {
    uint32_t mask = map->n_slots - 1;
    for (uint32_t slot = (uint32_t)hash & mask;; slot = (slot + 1) & mask) {
        uint32_t number = map->slots[slot];
        if (number == 0)
            return slot;
        const struct entry *entry = &map->entries[number - 1];
        if (entry->hash == hash && fb_str_eq(entry->key, key))
            return slot;
    }
}

uint32_t fb_map_get(const struct fb_map *map, struct fb_str key) {
    uint32_t number = map->slots[find_slot(map, key, fb_hash64(key.p, key.n, map->seed))];
    return number ? map->entries[number - 1].value : (uint32_t)FB_MAP_NONE;
}

static void double_slots(struct fb_map *map) {
    free(map->slots);
    map->n_slots *= 2;
    map->slots = fb_alloc(map->n_slots * sizeof *map->slots);
    uint32_t mask = map->n_slots - 1;
    for (uint32_t i = 0; i < map->n; i++) {
        uint32_t slot = (uint32_t)map->entries[i].hash & mask;
        while (map->slots[slot])
            slot = (slot + 1) & mask;
        map->slots[slot] = i + 1;
    }
}

void fb_map_put(struct fb_map *map, struct fb_str key, uint32_t value) {
    FB_ASSERT(value != FB_MAP_NONE);
    uint64_t hash = fb_hash64(key.p, key.n, map->seed);
    uint32_t slot = find_slot(map, key, hash);
    if (map->slots[slot]) {
        map->entries[map->slots[slot] - 1].value = value;
        return;
    }
    FB_ASSERT(map->n < ENTRIES_MAX);
    if ((map->n + 1) * 2 > map->n_slots) {
        double_slots(map);
        slot = find_slot(map, key, hash);
    }
    FB_PUSH_ROOM(map->entries, map->n, map->cap);
    map->entries[map->n++] = (struct entry){fb_str_copy(map->keys, key), hash, value};
    map->slots[slot] = map->n;
}

uint32_t fb_map_size(const struct fb_map *map) {
    return map->n;
}

struct fb_str fb_map_key_at(const struct fb_map *map, uint32_t i) {
    FB_ASSERT(i < map->n);
    return map->entries[i].key;
}

uint32_t fb_map_value_at(const struct fb_map *map, uint32_t i) {
    FB_ASSERT(i < map->n);
    return map->entries[i].value;
}
