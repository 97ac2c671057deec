/* The sum over the last 20 slots, where it begins to flap and where that ends.
 *
 * Place in the flow: see flap.h. */
#include "engine/core/flap.h"

#include "engine/base/num.h"

enum {
    NEWEST = 95, /* the weight of the newest slot, in 76ths; each one before it weighs 2 less */
    HIGH = 456,  /* 30 % of what 20 changed slots weigh, 1,520 */
    LOW = 304,   /* 20 % */
    SLOTS = (1 << FB_FLAP_SLOTS) - 1
};

/* Rounded down, also before 1970. */
static int64_t slot_of(const struct fb_rule *rule, int64_t t_us) {
    const int64_t slot = t_us / rule->flap_slot_us;
    return slot - (slot * rule->flap_slot_us > t_us);
}

uint32_t fb_flap_sum(const struct fb_flap_cell *flap, uint32_t later) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i + later < FB_FLAP_SLOTS; i++)
        if (flap->changes >> i & 1)
            sum += NEWEST - 2 * (i + later);
    return sum;
}

bool fb_flap_changed(const struct fb_rule *rule, struct fb_flap_cell *flap, int64_t t_us) {
    const int64_t slot = slot_of(rule, t_us);
    const bool near = flap->slot != FB_NO_TIME && slot - flap->slot < FB_FLAP_SLOTS;
    flap->changes = (near ? flap->changes << (slot - flap->slot) & SLOTS : 0) | 1;
    flap->slot = slot;
    if (flap->flapping || fb_flap_sum(flap, 0) < HIGH)
        return false;
    flap->flapping = 1;
    return true;
}

int64_t fb_flap_end(const struct fb_rule *rule, const struct fb_rule_cell *cell) {
    if (!fb_is_flapping(rule, cell))
        return FB_NEVER;
    const struct fb_flap_cell *flap = fb_flap_in(cell);
    uint32_t later = 1;
    while (fb_flap_sum(flap, later) > LOW)
        later++;
    return (flap->slot + later) * rule->flap_slot_us;
}

bool fb_flap_is_sound(const struct fb_rule *rule, const struct fb_flap_cell *flap) {
    if (flap->slot == FB_NO_TIME)
        return flap->changes == 0 && flap->flapping == 0;
    const int64_t most = (INT64_C(1) << 61) / rule->flap_slot_us;
    return flap->slot > -most && flap->slot < most && flap->changes & 1 && flap->changes <= SLOTS &&
           flap->flapping <= 1;
}
