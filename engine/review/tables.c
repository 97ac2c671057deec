/* Figures of a run as text.
 *
 * Place in the flow: `simulate` prints them. */
#include <inttypes.h>

#include "engine/base/calendar.h"
#include "engine/review/figures.h"
#include "engine/review/gathered.h"

/* Whole seconds; less only where that is all. */
static void put_span(struct fb_buf *out, int64_t us, int width) {
    char text[FB_TIME_TEXT_MAX];
    if (us >= FB_SECOND)
        us -= us % FB_SECOND;
    size_t n = fb_span_format(us, text);
    fb_buf_printf(out, "  %*.*s", width, (int)n, text);
}

static void put_alarms(struct fb_page *page, struct fb_buf *out) {
    uint32_t n = fb_episodes_count(page->episodes);
    bool titled = false;
    for (uint32_t i = 0; i < n && fb_episodes_at(page->episodes, i)->kind == FB_EPISODE_ALARM;) {
        struct fb_alarm_figures figures = fb_alarm_figures(page->episodes, n, &i, page->to_us);
        if (!titled)
            fb_buf_printf(out, "%-24s  %7s  %7s  %10s  %10s  %8s  %10s  %11s\n", "alarm", "raised",
                          "devices", "active", "longest", "fleeting", "chattering", "not cleared");
        titled = true;
        fb_buf_printf(out, "%-24.*s  %7" PRIu32 "  %7" PRIu32, FB_ARG(figures.rule), figures.raised,
                      figures.devices);
        put_span(out, figures.active_us, 10);
        put_span(out, figures.longest_us, 10);
        fb_buf_printf(out, "  %8" PRIu32 "  %10" PRIu32 "  %11" PRIu32 "\n", figures.fleeting,
                      figures.chattering, figures.open);
    }
    if (titled)
        fb_buf_char(out, '\n');
}

/* "minimum 3, starts 1" */
static void put_held_back(const struct fb_actuator_figures *figures, struct fb_buf *out) {
    const char *between = "  ";
    for (int guard = 0; guard < FB_GUARDS; guard++) {
        if (!figures->sum.blocked[guard])
            continue;
        fb_buf_printf(out, "%s%s %" PRIu64, between, fb_guard_name((enum fb_guard)guard),
                      figures->sum.blocked[guard]);
        between = ", ";
    }
}

static void put_actuator(const struct fb_actuator_figures *figures, struct fb_buf *out) {
    const struct fb_actuator *actuator = figures->actuator;
    int room = 24 - (int)actuator->name.n;
    fb_buf_printf(out, "%.*s%-*s", FB_ARG(actuator->name), room > 0 ? room : 0,
                  actuator->shadow ? " (shadow)" : "");
    fb_buf_printf(out, "  %7" PRIu32 "  %8" PRIu64 "  %6" PRIu64 "  %9" PRIu64 "  %11.2f",
                  figures->devices, figures->sum.sent - figures->sum.renewed,
                  figures->sum.motion.starts, figures->sum.motion.reversals,
                  figures->reversals_per_hour);
    if (actuator->is_switch)
        fb_buf_printf(out, "  %4.0f %%", 100 * figures->active);
    else
        fb_buf_printf(out, "  %6s", "");
    put_held_back(figures, out);
    fb_buf_char(out, '\n');
}

static void put_actuators(const struct fb_page *page, struct fb_buf *out) {
    struct fb_actuator_figures figures;
    bool titled = false;
    for (uint32_t c = 0; c < page->program->n_classes; c++)
        for (uint32_t i = 0; i < page->program->classes[c].n_actuators; i++) {
            if (!fb_page_actuator_figures(page, c, i, &figures))
                continue;
            if (!titled)
                fb_buf_printf(out, "%-24s  %7s  %8s  %6s  %9s  %11s  %6s  %s\n", "actuator",
                              "devices", "commands", "starts", "reversals", "per hour", "active",
                              "held back by");
            titled = true;
            put_actuator(&figures, out);
        }
    if (titled)
        fb_buf_char(out, '\n');
}

void fb_page_put_tables(struct fb_page *page, struct fb_buf *out) {
    put_alarms(page, out);
    put_actuators(page, out);
}
