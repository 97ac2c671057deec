/* Counts the decisions that a guardrail was asked about and let pass.
 *
 * Place in the flow: see check_limits.h. */
#include "tests/sim/check_limits.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "tests/sim/engine.h"
#include "tests/sim/work.h"

/* Times of the audit are whole milliseconds. */
enum { ROUNDED_US = 1000 };

/* What is known of a rule on a machine, or of all rules. */
struct counted {
    struct fb_str rule, device; /* parts of the audit's records; empty: all rules */
    bool shadow;
    bool open; /* the machine refused by a budget that was gone */
    int64_t times_us[SIM_RATE_MAX];
    uint32_t n;
};

struct limits {
    struct sim_world *world;
    struct sim_result *result;
    int32_t partition;
    int variant; /* that is in force */
    struct counted *items;
    size_t n_items, cap;
};

/* ---- reading ---- */

static const char *behind(struct fb_str text, const char *mark) {
    const char *found = memmem(text.p, text.n, mark, strlen(mark));
    return found ? found + strlen(mark) : NULL;
}

/* Up to the next quote; empty: it is not there, or null. */
static struct fb_str text_of(struct fb_str record, const char *mark) {
    const char *at = behind(record, mark);
    if (!at)
        return (struct fb_str){0};
    const char *end = memchr(at, '"', record.n - (size_t)(at - record.p));
    return (struct fb_str){at, end ? (size_t)(end - at) : 0};
}

static bool has(struct fb_str record, const char *mark) {
    return behind(record, mark) != NULL;
}

static long number_of(struct fb_str record, const char *mark) {
    const char *at = behind(record, mark);
    return at ? strtol(at, NULL, 10) : -1;
}

static int variant_of(const struct sim_world *world, struct fb_str hash) {
    for (int v = 0; v < SIM_RULES; v++) {
        char hex[65];
        fb_hex(world->variants[v]->hash, 32, hex);
        if (fb_str_eq(hash, (struct fb_str){hex, 64}))
            return v;
    }
    return -1;
}

/* ---- what is counted ---- */

static struct counted *counted_of(struct limits *limits, struct fb_str rule, struct fb_str device,
                                  bool shadow) {
    for (size_t i = 0; i < limits->n_items; i++) {
        struct counted *item = &limits->items[i];
        if (fb_str_eq(item->rule, rule) && fb_str_eq(item->device, device) &&
            item->shadow == shadow)
            return item;
    }
    FB_PUSH_ROOM(limits->items, limits->n_items, limits->cap);
    struct counted *item = &limits->items[limits->n_items++];
    *item = (struct counted){.rule = rule, .device = device, .shadow = shadow};
    return item;
}

static void keep_last(struct counted *item, uint32_t n) {
    if (item->n <= n)
        return;
    memmove(item->times_us, item->times_us + item->n - n, n * sizeof *item->times_us);
    item->n = n;
}

/* Of what was counted the last ones stay as many as the new rules have; without the clause none. */
static void change_rules(struct limits *limits, int variant) {
    limits->variant = variant;
    for (size_t i = 0; i < limits->n_items; i++) {
        struct counted *item = &limits->items[i];
        keep_last(item, sim_rate(variant, item->rule).n);
        item->open = item->open && sim_has_fleet(variant, item->rule);
    }
}

static void count(struct limits *limits, struct counted *item, int64_t at_us) {
    const struct sim_rate rate = sim_rate(limits->variant, item->rule);
    FB_ASSERT(rate.n > 0 && rate.n <= SIM_RATE_MAX);
    if (item->n == rate.n && at_us - item->times_us[0] < rate.per_us - ROUNDED_US)
        sim_violated(limits->world, "I13", "[%d]: %.*s on %.*s: %u commands within %lld ms",
                     limits->partition, FB_ARG(item->rule.n ? item->rule : FB_S("all rules")),
                     FB_ARG(item->rule.n ? item->device : FB_S("all machines")), rate.n + 1,
                     (long long)((at_us - item->times_us[0]) / 1000));
    keep_last(item, rate.n - 1);
    item->times_us[item->n++] = at_us;
    limits->result->limited++;
}

static void command(struct limits *limits, struct fb_str record, bool shadow) {
    struct fb_str rule = text_of(record, "\"rule\":\"");
    struct fb_str device = text_of(record, "\"device\":\"");
    int64_t at_us;
    if (has(record, "\"outcome\":\"renewed\"") ||
        !fb_time_parse(text_of(record, "\"at\":\""), &at_us))
        return;
    if (has(record, "{\"guardrail\":\"rate\",\"result\":\"pass\""))
        count(limits, counted_of(limits, rule, device, shadow), at_us);
    if (has(record, "{\"guardrail\":\"commands\",\"result\":\"pass\""))
        count(limits, counted_of(limits, (struct fb_str){0}, (struct fb_str){0}, shadow), at_us);
    if (has(record, "{\"guardrail\":\"fleet\",\"result\":\"pass\"") &&
        counted_of(limits, rule, device, shadow)->open)
        sim_violated(limits->world, "I13", "[%d]: %.*s acts on %.*s, and its breaker is open",
                     limits->partition, FB_ARG(rule), FB_ARG(device));
}

/* Where the machine itself went beyond the budget, the breaker is its own, and goes with it. */
static void refused(struct limits *limits, struct fb_str record) {
    bool shadow = has(record, "\"shadow\":true");
    if (!has(record, "{\"guardrail\":\"fleet\",\"result\":\"refuse\"") ||
        number_of(record, "\"acted\":") <= number_of(record, "\"budget\":"))
        return;
    counted_of(limits, text_of(record, "\"rule\":\""), text_of(record, "\"device\":\""), shadow)
        ->open = true;
    limits->result->opened++;
}

static void look_at(struct limits *limits, struct fb_str record) {
    const int variant = variant_of(limits->world, text_of(record, "\"rules\":\""));
    if (variant >= 0 && variant != limits->variant)
        change_rules(limits, variant);
    if (has(record, "\"kind\":\"blocked\""))
        refused(limits, record);
    else if (has(record, "\"kind\":\"decision\"") || has(record, "\"kind\":\"shadow\""))
        command(limits, record, has(record, "\"kind\":\"shadow\""));
}

void sim_check_limits(struct sim_world *world, int32_t partition, struct sim_result *result) {
    struct limits limits = {
        .world = world, .result = result, .partition = partition, .variant = -1};
    const int topic = sim_topic(world->kafka, fb_str_of(sim_stream_names[FB_STREAM_AUDIT]));
    const struct sim_record *record;
    for (int64_t offset = -1;
         !world->violation &&
         (record = sim_next(world->kafka, topic, partition, offset + 1, &offset));)
        look_at(&limits, record->value);
    free(limits.items);
}
