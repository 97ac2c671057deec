#include "engine/cli/diff_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/codec/json_write.h"
#include "engine/model/program.h"

/* Names of what can be said of a pair; one pair may be several. */
enum sort { SAME, NEW, GONE, EARLIER, LATER, CHANGED, SORTS };
static const char *const sort_names[SORTS] = {"same", "new", "gone", "earlier", "later", "changed"};

/* Negative: B before A. Something that goes on for ever has no distance. */
static int64_t shift(int64_t a_us, int64_t b_us) {
    return a_us == FB_NEVER || b_us == FB_NEVER ? 0 : b_us - a_us;
}

static void sorts_of(const struct fb_episode_pair *pair, bool sorts[SORTS]) {
    memset(sorts, 0, sizeof(bool) * SORTS);
    if (!pair->a || !pair->b) {
        sorts[pair->a ? GONE : NEW] = true;
        return;
    }
    int64_t start_us = shift(pair->a->from_us, pair->b->from_us);
    sorts[SAME] = fb_episodes_are_equal(pair);
    sorts[EARLIER] = start_us < 0;
    sorts[LATER] = start_us > 0;
    sorts[CHANGED] = !sorts[SAME] && (!start_us || !fb_str_eq(pair->a->value, pair->b->value));
}

static bool is_command(enum fb_episode_kind kind) {
    return kind == FB_EPISODE_COMMAND || kind == FB_EPISODE_SHADOW;
}

struct row {
    enum fb_episode_kind kind;
    struct fb_str rule, class_name; /* class_name: of commands */
    uint64_t counts[SORTS];
    uint64_t starts[2], reversals[2]; /* of commands in A and B, all devices */
};

/* A row a rule or actuator, in the order of kinds and names. */
struct table {
    struct row *rows;
    uint32_t n, cap;
    bool differs;
};

static struct row *row_of(struct table *table, enum fb_episode_kind kind, struct fb_str class_name,
                          struct fb_str rule) {
    for (uint32_t i = 0; i < table->n; i++)
        if (table->rows[i].kind == kind && fb_str_eq(table->rows[i].rule, rule) &&
            fb_str_eq(table->rows[i].class_name, class_name))
            return &table->rows[i];
    FB_PUSH_ROOM(table->rows, table->n, table->cap);
    struct row *row = &table->rows[table->n++];
    *row = (struct row){.kind = kind, .rule = rule, .class_name = class_name};
    return row;
}

static int by_rule(const void *left, const void *right) {
    const struct row *a = left, *b = right;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = fb_str_cmp(a->class_name, b->class_name);
    return order ? order : fb_str_cmp(a->rule, b->rule);
}

static void add_motions(struct table *table, const struct fb_diff_side *sides) {
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < fb_episodes_courses(sides[side].episodes); i++) {
            const struct fb_course *course = fb_episodes_course(sides[side].episodes, i);
            struct row *row = row_of(table, course->kind, course->class_name, course->actuator);
            row->starts[side] += course->motion.starts;
            row->reversals[side] += course->motion.reversals;
        }
}

static struct table count(const struct fb_diff_side *sides, const struct fb_episode_pair *pairs,
                          uint32_t n) {
    struct table table = {0};
    for (uint32_t i = 0; i < n; i++) {
        bool sorts[SORTS];
        sorts_of(&pairs[i], sorts);
        const struct fb_episode *one = pairs[i].a ? pairs[i].a : pairs[i].b;
        struct row *row = row_of(&table, one->kind, one->class_name, one->rule);
        for (int sort = 0; sort < SORTS; sort++)
            row->counts[sort] += sorts[sort];
        table.differs |= !sorts[SAME];
    }
    add_motions(&table, sides);
    if (table.n)
        qsort(table.rows, table.n, sizeof *table.rows, by_rule);
    return table;
}

static const char *kind_name(enum fb_episode_kind kind) {
    static const char *const names[] = {"alarm", "event", "command", "shadow"};
    return names[kind];
}

/* Late records and dead letters come from the declarations of devices. */
static bool intake_differs(const struct fb_diff_side *sides) {
    const struct fb_core_stats *a = &sides[0].result.stats, *b = &sides[1].result.stats;
    return a->late + a->future != b->late + b->future ||
           sides[0].result.dead != sides[1].result.dead || a->devices != b->devices;
}

/* ---- text ---------------------------------------------------------------------------------- */

static void put_clock(struct fb_buf *out, int64_t us) {
    char text[FB_TIME_TEXT_MAX];
    size_t n = fb_time_format(us, text);
    fb_buf_put(out, text, 10);
    fb_buf_char(out, ' ');
    fb_buf_put(out, text + 11, n - 12);
}

static void put_span(struct fb_buf *out, int64_t us) {
    char text[FB_TIME_TEXT_MAX];
    fb_buf_put(out, text, fb_span_format(us < 0 ? -us : us, text));
}

/* ", raised 5s earlier"; nothing where there is no shift. */
static void put_shift(struct fb_buf *out, const char *what, int64_t shift_us) {
    if (!shift_us)
        return;
    fb_buf_printf(out, ", %s", what);
    put_span(out, shift_us);
    fb_buf_text(out, shift_us < 0 ? " earlier" : " later");
}

/* The end of an alarm in both runs. */
static void put_ends(struct fb_buf *out, const struct fb_episode *a, const struct fb_episode *b) {
    if (a->to_us == b->to_us)
        return;
    if (b->to_us == FB_NEVER) {
        fb_buf_text(out, ", not cleared");
    } else if (a->to_us == FB_NEVER) {
        fb_buf_text(out, ", cleared at ");
        put_clock(out, b->to_us);
    } else {
        put_shift(out, "cleared ", shift(a->to_us, b->to_us));
    }
}

static void put_one(struct fb_buf *out, const struct fb_episode *episode) {
    if (is_command(episode->kind)) {
        fb_buf_printf(out, " = %.*s, ", FB_ARG(episode->value));
        if (episode->to_us == FB_NEVER) {
            fb_buf_text(out, "to the end");
        } else {
            fb_buf_text(out, "for ");
            put_span(out, episode->to_us - episode->from_us);
        }
    }
    if (episode->kind == FB_EPISODE_ALARM) {
        fb_buf_printf(out, ", %s, ", fb_severity_name(episode->severity));
        if (episode->to_us == FB_NEVER) {
            fb_buf_text(out, "not cleared");
        } else {
            fb_buf_text(out, "for ");
            put_span(out, episode->to_us - episode->from_us);
        }
    }
    if (episode->message.n)
        fb_buf_printf(out, ": %.*s", FB_ARG(episode->message));
}

static void put_both(struct fb_buf *out, const struct fb_episode *a, const struct fb_episode *b) {
    if (is_command(a->kind)) {
        fb_buf_printf(out, " = %.*s", FB_ARG(b->value));
        if (!fb_str_eq(a->value, b->value))
            fb_buf_printf(out, " instead of %.*s", FB_ARG(a->value));
        put_shift(out, "", shift(a->from_us, b->from_us));
        return;
    }
    put_shift(out, a->kind == FB_EPISODE_ALARM ? "raised " : "", shift(a->from_us, b->from_us));
    if (a->kind == FB_EPISODE_ALARM)
        put_ends(out, a, b);
    if (a->severity != b->severity)
        fb_buf_printf(out, ", %s instead of %s", fb_severity_name(b->severity),
                      fb_severity_name(a->severity));
}

/* "2026-01-01 00:00:05.000  earlier  alarm overheat/p1, raised 5s earlier" */
static void put_pair(struct fb_buf *out, const struct fb_episode_pair *pair) {
    bool sorts[SORTS];
    sorts_of(pair, sorts);
    if (sorts[SAME])
        return;
    const struct fb_episode *shown = pair->b ? pair->b : pair->a;
    int sort = NEW;
    while (!sorts[sort])
        sort++;
    put_clock(out, shown->from_us);
    fb_buf_printf(out, "  %-7s  %s %.*s/%.*s", sort_names[sort], kind_name(shown->kind),
                  FB_ARG(shown->rule), FB_ARG(shown->device));
    if (pair->a && pair->b)
        put_both(out, pair->a, pair->b);
    else
        put_one(out, shown);
    fb_buf_char(out, '\n');
}

/* How wide the names of one of the two tables are. */
static int width_of(const struct table *table, bool of_commands) {
    int width = of_commands ? 8 : 4;
    for (uint32_t i = 0; i < table->n; i++) {
        const struct row *row = &table->rows[i];
        int n = (int)row->rule.n + (of_commands ? (int)row->class_name.n + 4 : 0);
        if (is_command(row->kind) == of_commands && n > width)
            width = n;
    }
    return width;
}

static void put_row(struct fb_buf *out, const struct row *row, int width) {
    bool of_commands = is_command(row->kind);
    fb_buf_printf(out, "%-*s  %.*s", of_commands ? 7 : 5, kind_name(row->kind), FB_ARG(row->rule));
    int n = (int)row->rule.n;
    if (of_commands) {
        fb_buf_printf(out, " on %.*s", FB_ARG(row->class_name));
        n += 4 + (int)row->class_name.n;
    }
    fb_buf_printf(out, "%*s", width - n, "");
    for (int sort = 0; sort < SORTS; sort++)
        fb_buf_printf(out, "  %7" PRIu64, row->counts[sort]);
    if (of_commands)
        fb_buf_printf(out, "  %7" PRIu64 "  %7" PRIu64 "  %9" PRIu64 "  %7" PRIu64, row->starts[0],
                      row->starts[1], row->reversals[0], row->reversals[1]);
    fb_buf_char(out, '\n');
}

/* Of rules, or of actuators; nothing where there is no row. */
static void put_table(struct fb_buf *out, const struct table *table, bool of_commands) {
    const int width = width_of(table, of_commands);
    bool begun = false;
    for (uint32_t i = 0; i < table->n; i++) {
        if (is_command(table->rows[i].kind) != of_commands)
            continue;
        if (!begun) {
            fb_buf_printf(out, "%*s  %-*s", of_commands ? 7 : 5, "", width,
                          of_commands ? "actuator" : "rule");
            for (int sort = 0; sort < SORTS; sort++)
                fb_buf_printf(out, "  %7s", sort_names[sort]);
            fb_buf_text(out, of_commands ? "   starts     then  reversals     then\n" : "\n");
        }
        begun = true;
        put_row(out, &table->rows[i], width);
    }
}

static void put_intake(struct fb_buf *out, const char *what, uint64_t a, uint64_t b) {
    if (a != b)
        fb_buf_printf(out, "%s: %" PRIu64 ", then %" PRIu64 "\n", what, a, b);
}

static void put_text(struct fb_buf *out, bool summary, const struct fb_diff_side *sides,
                     const struct fb_episode_pair *pairs, uint32_t n, const struct table *table) {
    const struct fb_core_stats *a = &sides[0].result.stats, *b = &sides[1].result.stats;
    for (uint32_t i = 0; !summary && i < n; i++)
        put_pair(out, &pairs[i]);
    put_table(out, table, false);
    put_table(out, table, true);
    put_intake(out, "devices", a->devices, b->devices);
    put_intake(out, "late", a->late + a->future, b->late + b->future);
    put_intake(out, "dead letters", sides[0].result.dead, sides[1].result.dead);
    fb_buf_printf(out, "%" PRIu64 " event%s: %s\n", sides[0].result.records,
                  sides[0].result.records == 1 ? "" : "s",
                  table->differs || intake_differs(sides) ? "they differ" : "no difference");
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void put_member_name(struct fb_buf *out, const char *name, bool first) {
    fb_buf_printf(out, "%s\"%s\":", first ? "" : ",", name);
}

static void put_json_side(struct fb_buf *out, const char *name, const struct fb_episode *episode) {
    put_member_name(out, name, false);
    if (!episode) {
        fb_buf_text(out, "null");
        return;
    }
    fb_buf_text(out, "{\"from\":");
    fb_json_put_time(out, episode->from_us);
    fb_buf_text(out, ",\"to\":");
    if (episode->to_us == FB_NEVER)
        fb_buf_text(out, "null");
    else
        fb_json_put_time(out, episode->to_us);
    if (is_command(episode->kind)) {
        fb_buf_text(out, ",\"value\":");
        fb_json_put_text(out, episode->value);
        fb_buf_char(out, '}');
        return;
    }
    fb_buf_text(out, ",\"severity\":");
    if (episode->kind == FB_EPISODE_ALARM)
        fb_buf_printf(out, "\"%s\"", fb_severity_name(episode->severity));
    else
        fb_buf_text(out, "null");
    fb_buf_text(out, ",\"message\":");
    fb_json_put_text(out, episode->message);
    fb_buf_char(out, '}');
}

/* The rule, or the actuator and its class. */
static void put_json_name(struct fb_buf *out, enum fb_episode_kind kind, struct fb_str name,
                          struct fb_str class_name) {
    put_member_name(out, is_command(kind) ? "actuator" : "rule", true);
    fb_json_put_text(out, name);
    if (!is_command(kind))
        return;
    put_member_name(out, "class", false);
    fb_json_put_text(out, class_name);
}

static void put_json_pair(struct fb_buf *out, const struct fb_episode_pair *pair, bool first) {
    bool sorts[SORTS];
    const struct fb_episode *shown = pair->a ? pair->a : pair->b;
    sorts_of(pair, sorts);
    int sort = NEW;
    while (!sorts[sort])
        sort++;
    fb_buf_printf(out, "%s{\"difference\":\"%s\",\"kind\":\"%s\",", first ? "" : ",",
                  sort_names[sort], kind_name(shown->kind));
    put_json_name(out, shown->kind, shown->rule, shown->class_name);
    put_member_name(out, "device", false);
    fb_json_put_text(out, shown->device);
    put_json_side(out, "a", pair->a);
    put_json_side(out, "b", pair->b);
    fb_buf_char(out, '}');
}

static void put_json_row(struct fb_buf *out, const struct row *row) {
    fb_buf_printf(out, "{\"kind\":\"%s\",", kind_name(row->kind));
    put_json_name(out, row->kind, row->rule, row->class_name);
    for (int sort = 0; sort < SORTS; sort++) {
        put_member_name(out, sort_names[sort], false);
        fb_json_put_int(out, (int64_t)row->counts[sort]);
    }
    for (int side = 0; is_command(row->kind) && side < 2; side++)
        fb_buf_printf(out, ",\"%s\":{\"starts\":%" PRIu64 ",\"reversals\":%" PRIu64 "}",
                      side ? "b" : "a", row->starts[side], row->reversals[side]);
    fb_buf_char(out, '}');
}

static void put_json_table(struct fb_buf *out, const struct table *table, bool of_commands) {
    bool first = true;
    put_member_name(out, of_commands ? "actuators" : "rules", false);
    fb_buf_char(out, '[');
    for (uint32_t i = 0; i < table->n; i++) {
        if (is_command(table->rows[i].kind) != of_commands)
            continue;
        fb_buf_text(out, first ? "" : ",");
        put_json_row(out, &table->rows[i]);
        first = false;
    }
    fb_buf_char(out, ']');
}

static void put_json_intake(struct fb_buf *out, const char *name, const struct fb_diff_side *side) {
    put_member_name(out, name, false);
    fb_buf_printf(out,
                  "{\"devices\":%" PRIu32 ",\"late\":%" PRIu64 ",\"dead_letters\":%" PRIu64 "}",
                  side->result.stats.devices, side->result.stats.late + side->result.stats.future,
                  side->result.dead);
}

static void put_json(struct fb_buf *out, bool summary, const struct fb_diff_side *sides,
                     const struct fb_episode_pair *pairs, uint32_t n, const struct table *table) {
    bool first = true;
    fb_buf_printf(out, "{\"differs\":%s,\"events\":%" PRIu64,
                  table->differs || intake_differs(sides) ? "true" : "false",
                  sides[0].result.records);
    put_json_intake(out, "a", &sides[0]);
    put_json_intake(out, "b", &sides[1]);
    put_json_table(out, table, false);
    put_json_table(out, table, true);
    if (!summary) {
        fb_buf_text(out, ",\"differences\":[");
        for (uint32_t i = 0; i < n; i++)
            if (!fb_episodes_are_equal(&pairs[i])) {
                put_json_pair(out, &pairs[i], first);
                first = false;
            }
        fb_buf_char(out, ']');
    }
    fb_buf_text(out, "}\n");
}

bool fb_diff_print(const struct fb_diff_side sides[2], int64_t near_us, bool json, bool summary,
                   struct fb_buf *out) {
    uint32_t n;
    struct fb_episode_pair *pairs =
        fb_episodes_compare(sides[0].episodes, sides[1].episodes, near_us, &n);
    struct table table = count(sides, pairs, n);
    (json ? put_json : put_text)(out, summary, sides, pairs, n, &table);
    bool differs = table.differs || intake_differs(sides);
    free(table.rows);
    free(pairs);
    return differs;
}
