#include "engine/core/good.h"

#include "engine/core/shapes.h"

bool fb_good_is_sound(const struct fb_good *good) {
    return fb_time_is_sound(good->present.from_us) && fb_end_is_sound(good->present.until_us) &&
           (good->is_good == 0 || good->is_good == 1);
}

bool fb_truth_is_sound(const struct fb_truth *truth) {
    return fb_time_is_sound(truth->last_us[0]) && fb_time_is_sound(truth->last_us[1]);
}

struct fb_value fb_truth_value(enum fb_aggregate aggregate, bool saw_false, bool saw_true,
                               bool enough) {
    struct fb_value value = {.i = aggregate == FB_AGG_ALL, .quality = FB_Q_UNKNOWN};
    if (aggregate == FB_AGG_ANY ? saw_true : saw_false) {
        value.i = aggregate == FB_AGG_ANY;
        value.quality = FB_Q_GOOD;
    } else if (enough && (saw_true || saw_false)) {
        value.quality = FB_Q_GOOD;
    }
    return value;
}
