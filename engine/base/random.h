/* One stream of random numbers, so that a seed decides everything.
 *
 * Place in the flow: simulated plants and simulated faults; not for what the engine decides. Plain
 * functions. */
#ifndef FB_BASE_RANDOM_H
#define FB_BASE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct fb_random {
    uint64_t state;
};

/* splitmix64 */
static inline uint64_t fb_random_draw(struct fb_random *random) {
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
/* 0 .. n - 1 */
static inline uint32_t fb_random_below(struct fb_random *random, uint32_t n) {
    return (uint32_t)((fb_random_draw(random) >> 32) * n >> 32);
}
/* from .. to */
static inline int64_t fb_random_between(struct fb_random *random, int64_t from, int64_t to) {
    return from + (int64_t)(fb_random_draw(random) % (uint64_t)(to - from + 1));
}
static inline bool fb_random_chance(struct fb_random *random, uint32_t percent) {
    return fb_random_below(random, 100) < percent;
}

#endif
