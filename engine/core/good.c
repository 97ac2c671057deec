#include "engine/core/good.h"

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
