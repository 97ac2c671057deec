/* Figures of alarms.
 *
 * Place in the flow: see figures.h. */
#include "engine/review/figures.h"

#include "engine/base/calendar.h"
#include "engine/model/program.h"

static bool same_alarm(const struct fb_episode *a, const struct fb_episode *b) {
    return a->kind == b->kind && fb_str_eq(a->rule, b->rule);
}

static bool same_device(const struct fb_episode *a, const struct fb_episode *b) {
    return same_alarm(a, b) && fb_str_eq(a->device, b->device);
}

/* Raised and cleared three times within a minute, the i-th being the third. */
static bool chatters(const struct fb_episodes *episodes, uint32_t first, uint32_t i) {
    if (i < first + 2)
        return false;
    const struct fb_episode *third = fb_episodes_at(episodes, i);
    return third->to_us != FB_NEVER &&
           third->to_us - fb_episodes_at(episodes, i - 2)->from_us <= FB_MINUTE;
}

static bool is_fleeting(const struct fb_episode *episode, const struct fb_episode *next) {
    return episode->to_us != FB_NEVER && episode->to_us - episode->from_us <= 10 * FB_SECOND &&
           (!next || next->from_us - episode->to_us > FB_MINUTE);
}

struct fb_alarm_figures fb_alarm_figures(const struct fb_episodes *episodes, uint32_t n,
                                         uint32_t *i, int64_t end_us) {
    const struct fb_episode *begin = fb_episodes_at(episodes, *i);
    struct fb_alarm_figures figures = {.rule = begin->rule};
    uint32_t first = *i; /* of the device */
    for (; *i < n && same_alarm(begin, fb_episodes_at(episodes, *i)); ++*i) {
        const struct fb_episode *episode = fb_episodes_at(episodes, *i);
        const struct fb_episode *next = *i + 1 < n ? fb_episodes_at(episodes, *i + 1) : NULL;
        if (next && !same_device(episode, next))
            next = NULL;
        if (!same_device(fb_episodes_at(episodes, first), episode))
            first = *i;
        figures.devices += first == *i;
        figures.raised++;
        figures.open += episode->to_us == FB_NEVER;
        int64_t long_us = (episode->to_us == FB_NEVER ? end_us : episode->to_us) - episode->from_us;
        figures.active_us += long_us;
        if (long_us > figures.longest_us)
            figures.longest_us = long_us;
        figures.fleeting += is_fleeting(episode, next);
        figures.chattering +=
            chatters(episodes, first, *i) && !(*i > first && chatters(episodes, first, *i - 1));
    }
    return figures;
}
