/* How often a rule commands on a device, and all rules together (A100 to A103). */
#include "tests/oracle/oracle_acting.h"

#include "engine/base/calendar.h"

/* The first of the last n plus d, where that is ahead; FB_NO_TIME: there is a place. */
static int64_t free_at(const struct ora_times *counted, uint32_t n, int64_t d, int64_t now) {
    if (counted->n < n)
        return FB_NO_TIME;
    int64_t until = counted->items[counted->n - n] + d;
    return now < until ? until : FB_NO_TIME;
}

int64_t ora_rate_holds(const struct ora_device *device, const struct ora_rule *rule, bool shadow,
                       int64_t now) {
    return free_at(&device->rules[rule->index].counted[shadow], rule->decl->at_most,
                   ora_literal_span(rule->decl->at_most_per), now);
}

int64_t ora_commands_hold(const struct ora *o, bool shadow, int64_t now) {
    int64_t d = ora_literal_span(o->limit->per);
    int64_t until = free_at(&o->counted[shadow], o->limit->at_most, d, now);
    int64_t next = now + (d / 10 > FB_SECOND ? d / 10 : FB_SECOND);
    return until != FB_NO_TIME && until < next ? next : until;
}

static void add_time(struct ora_times *times, int64_t at) {
    FB_PUSH_ROOM(times->items, times->n, times->cap);
    times->items[times->n++] = at;
}

void ora_count_command(struct ora *o, struct ora_device *device, const struct ora_rule *rule,
                       bool shadow, int64_t now) {
    add_time(&o->counted[shadow], now);
    if (rule != NULL)
        add_time(&device->rules[rule->index].counted[shadow], now);
}
