/* How many applications what a device knows came through. A96 (guardrail 14, loop depth).
 *
 * Place in the flow: core.c takes those of a record, wake.c hands them to who reads the device,
 * report.c says them with each output. What comes round is refused before it gets here (run/task).
 * Hops are kept over whole hours of C, so that they are found where a timer decides, and forgotten
 * when nothing comes round any more. */
#ifndef FB_CORE_HOPS_H
#define FB_CORE_HOPS_H

#include "engine/base/num.h"
#include "engine/core/device.h"

#define FB_HOPS_HOUR_US INT64_C(3600000000)

static inline int64_t fb_hops_hour(int64_t clock_us) {
    return fb_floor_div(clock_us, FB_HOPS_HOUR_US);
}
/* Those that the device carries with the clock at clock_us. */
static inline uint8_t fb_hops_of(const struct fb_device *device, int64_t clock_us) {
    const struct fb_service *service = fb_device_service(device);
    if (service->hops == 0 || fb_hops_hour(clock_us) - service->hops_hour > 1)
        return 0;
    return service->hops;
}
/* The device takes what came through `hops` applications. It must have been touched (snapshot.h)
 * where they are not 0. */
static inline void fb_hops_take(struct fb_device *device, uint8_t hops, int64_t clock_us) {
    if (__builtin_expect(hops == 0, 1) || hops < fb_hops_of(device, clock_us))
        return;
    struct fb_service *service = fb_device_service(device);
    service->hops = hops;
    service->hops_hour = (int32_t)fb_hops_hour(clock_us); /* sound times have fewer hours */
}

#endif
