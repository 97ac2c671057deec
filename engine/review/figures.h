/* How well an alarm is made, in the figures of ISA-18.2: how often, how long, how restless.
 *
 * Place in the flow: review/page shows them. Pure functions of episodes. */
#ifndef FB_REVIEW_FIGURES_H
#define FB_REVIEW_FIGURES_H

#include "engine/review/episodes.h"

/* Of one alarm over all devices. */
struct fb_alarm_figures {
    struct fb_str rule;
    uint32_t raised, devices, open; /* open: not cleared at the end */
    int64_t active_us, longest_us;  /* what is open counts up to the end */
    uint32_t fleeting;              /* cleared within 10 s and not raised again within 60 s */
    uint32_t chattering; /* how often it began: raised and cleared three times within 60 s */
};

/* The alarm of the episode at *i, which goes on behind its last one; end_us: of the run. Episodes
 * in their order (fb_episodes_count). */
struct fb_alarm_figures fb_alarm_figures(const struct fb_episodes *episodes, uint32_t n,
                                         uint32_t *i, int64_t end_us);

#endif
