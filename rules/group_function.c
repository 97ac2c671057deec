#include "rules/group_function.h"

const struct fb_str fb_group_function_names[FB_GROUP_FUNCTION_NAMES] = {
    FB_S("count"), FB_S("share"),  FB_S("sum"),    FB_S("avg"),     FB_S("min"), FB_S("max"),
    FB_S("any"),   FB_S("all"),    FB_S("p90"),    FB_S("p95"),     FB_S("p99"), FB_S("p99_9"),
    FB_S("rank"),  FB_S("spread"), FB_S("median"), FB_S("distinct")};

/* p1 to p99, without leading zeros. */
static bool percentile(struct fb_str name, double *percent) {
    if (name.n < 2 || name.n > 3 || name.p[0] != 'p' || name.p[1] == '0')
        return false;
    unsigned value = 0;
    for (size_t i = 1; i < name.n; i++) {
        if (name.p[i] < '0' || name.p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(name.p[i] - '0');
    }
    *percent = value;
    return true;
}

static const struct {
    struct fb_str name;
    enum fb_group_function function;
    double percent;
} all[] = {{FB_S("count"), FB_GROUP_COUNT, 0},
           {FB_S("share"), FB_GROUP_SHARE, 0},
           {FB_S("sum"), FB_GROUP_SUM, 0},
           {FB_S("avg"), FB_GROUP_AVG, 0},
           {FB_S("min"), FB_GROUP_MIN, 0},
           {FB_S("max"), FB_GROUP_MAX, 0},
           {FB_S("spread"), FB_GROUP_SPREAD, 0},
           {FB_S("median"), FB_GROUP_PERCENTILE, 50},
           {FB_S("p99_9"), FB_GROUP_PERCENTILE, 99.9},
           {FB_S("distinct"), FB_GROUP_DISTINCT, 0},
           {FB_S("any"), FB_GROUP_ANY, 0},
           {FB_S("all"), FB_GROUP_ALL, 0},
           {FB_S("rank"), FB_GROUP_RANK, 0}};

/* For people: what is asked of a target. */
static const struct {
    struct fb_str name;
    enum fb_group_function function;
} asked[] = {{FB_S("any"), FB_GROUP_ON},
             {FB_S("min"), FB_GROUP_ASKED_MIN},
             {FB_S("max"), FB_GROUP_ASKED_MAX},
             {FB_S("safest"), FB_GROUP_ASKED_NEAREST}};

bool fb_group_function_find(struct fb_str name, enum fb_group_function *function, double *percent) {
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!fb_str_eq(all[i].name, name))
            continue;
        *function = all[i].function;
        *percent = all[i].percent;
        return true;
    }
    *percent = 0;
    *function = FB_GROUP_PERCENTILE;
    return percentile(name, percent);
}

bool fb_group_function_of(const struct fb_node *node, enum fb_group_function *function,
                          double *number) {
    if (!node->group->ask)
        return fb_group_function_find(node->text, function, number);
    *function = (enum fb_group_function)node->group->ask_function;
    *number = node->group->ask_nearest;
    return true;
}

void fb_group_function_text(enum fb_group_function function, double percent, struct fb_buf *out) {
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].function == function &&
            (function != FB_GROUP_PERCENTILE ||
             (all[i].percent <= percent && all[i].percent >= percent))) {
            fb_buf_str(out, all[i].name);
            return;
        }
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (asked[i].function == function) {
            fb_buf_str(out, asked[i].name);
            return;
        }
    fb_buf_printf(out, "p%d", (int)percent);
}
