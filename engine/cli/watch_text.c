/* Outputs as lines for people.
 *
 * Place in the flow: see watch_text.h. */
#include "engine/cli/watch_text.h"

#include <stdio.h>

#include "engine/base/calendar.h"
#include "engine/model/program.h"

/* What a line for people says before the message. */
struct shown {
    const char *word, *colour;
    struct fb_str what, name; /* severity and rule; value and actuator */
    char number[32];
};

static struct shown shown_of_alert(const struct fb_output *output) {
    static const char *const colours[] = {[FB_INFO] = "36",
                                          [FB_LOW] = "36",
                                          [FB_MEDIUM] = "33",
                                          [FB_HIGH] = "31",
                                          [FB_CRITICAL] = "1;31"};
    if (output->kind == FB_OUT_EVENT)
        return (struct shown){.word = "event", .colour = "36", .name = output->rule->name};
    return (struct shown){.word = fb_alert_event_name(output->event),
                          .colour = output->active ? colours[output->severity] : "32",
                          .what = fb_str_of(fb_severity_name(output->severity)),
                          .name = output->rule->name};
}

static void show_command(const struct fb_output *output, struct shown *shown) {
    const struct fb_actuator *actuator = output->actuator;
    bool blocked = output->kind == FB_OUT_BLOCKED;
    *shown = (struct shown){.word = blocked            ? "blocked"
                                    : actuator->shadow ? "shadow"
                                                       : "command",
                            .colour = blocked ? "33" : "35",
                            .name = actuator->name};
    if (blocked) {
        shown->what = fb_str_of(fb_guard_name(output->guard));
    } else if (actuator->is_switch) {
        shown->what = actuator->words[output->value != 0];
    } else {
        int n = snprintf(shown->number, sizeof shown->number, "%g%s%.*s", output->value,
                         actuator->unit.n ? " " : "", FB_ARG(actuator->unit));
        n = n < (int)sizeof shown->number ? n : (int)sizeof shown->number - 1;
        shown->what = (struct fb_str){shown->number, (size_t)n};
    }
}

void fb_watch_show(const struct fb_output *output, struct fb_str message, bool terminal,
                   bool colour) {
    struct shown shown;
    char at[FB_TIME_TEXT_MAX];
    if ((output->kind == FB_OUT_COMMAND && output->reason == FB_REASON_RENEWED) ||
        (output->kind == FB_OUT_BLOCKED && output->ended) || output->kind == FB_OUT_MUTED)
        return;
    if (output->kind == FB_OUT_COMMAND || output->kind == FB_OUT_BLOCKED)
        show_command(output, &shown);
    else
        shown = shown_of_alert(output);
    at[fb_time_format(output->at_us, at)] = 0;
    if (terminal)
        fputs("\r\033[K", stderr);
    printf("%.10s %.8s  %s%s%s%-8s %-8.*s%s  %-16.*s %-12.*s %.*s\n", at, at + 11,
           colour ? "\033[" : "", colour ? shown.colour : "", colour ? "m" : "", shown.word,
           FB_ARG(shown.what), colour ? "\033[0m" : "", FB_ARG(shown.name), FB_ARG(output->device),
           FB_ARG(message));
}
