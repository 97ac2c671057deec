/* A hash map from byte strings to 32-bit numbers, iterated in the order of insertion.
 *
 * Place in the flow: names in the compiler, keys of configuration, devices of a task. One owner
 * each, no locks. The hash is keyed by a random seed a process, so that nobody can choose colliding
 * keys; nothing that is put out depends on it, because iteration follows insertion. */
#ifndef FB_BASE_MAP_H
#define FB_BASE_MAP_H

#include "engine/base/str.h"

#include <stdint.h>

struct fb_map;

enum { FB_MAP_NONE = UINT32_MAX };

struct fb_map *fb_map_new(void);
void fb_map_free(struct fb_map *map);
/* The value of a key, FB_MAP_NONE if there is none. */
uint32_t fb_map_get(const struct fb_map *map, struct fb_str key);
/* Sets a value (not FB_MAP_NONE); copies the key. */
void fb_map_put(struct fb_map *map, struct fb_str key, uint32_t value);
uint32_t fb_map_size(const struct fb_map *map);
/* The i-th key and value in the order of first insertion. */
struct fb_str fb_map_key_at(const struct fb_map *map, uint32_t i);
uint32_t fb_map_value_at(const struct fb_map *map, uint32_t i);

#endif
