/* Cases from seeds: device classes, and everything's text. */
#include "tests/oracle/generate.h"

#include "engine/base/num.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- Chance ---------------------------------------------------------------------------------- */

/* splitmix64 */
uint64_t gen_next(struct gen_random *r) {
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t gen_below(struct gen_random *r, uint32_t n) {
    return (uint32_t)(gen_next(r) % n);
}

bool gen_chance(struct gen_random *r, uint32_t p) {
    return gen_below(r, 100) < p;
}

/* --- Values: few, so that series meet limits exactly and often -------------------------------- */
/* Ascending; the same place in two units of a family is the same quantity. */

const char *const gen_words[3] = {"idle", "busy", "fault"};
const char *const gen_texts[5] = {"a", "ab", "b7", "x1", ""};

struct scale {
    enum gen_family family;
    const char *unit;
    double values[6];
};

static const struct scale scales[] = {
    {GEN_TEMPERATURE, "degC", {20, 22.5, 25, 27.5, 30, 35}},
    {GEN_TEMPERATURE, "degF", {68, 72.5, 77, 81.5, 86, 95}},
    {GEN_KELVIN, "K", {0, 0.5, 1, 2.5, 5, 10}},
    {GEN_PRESSURE, "bar", {0, 0.5, 1, 1.5, 2, 3}},
    {GEN_PRESSURE, "kPa", {0, 50, 100, 150, 200, 300}},
    {GEN_PERCENT, "%", {0, 10, 50, 70, 80, 90}},
    {GEN_POWER, "kW", {0, 0.1, 0.5, 1, 2, 5}},
    {GEN_POWER, "W", {0, 100, 500, 1000, 2000, 5000}},
    {GEN_SECONDS, "s", {0, 3, 6, 30, 60, 120}},
    {GEN_SECONDS, "min", {0, 0.05, 0.1, 0.5, 1, 2}},
    {GEN_PLAIN, "", {-1, 0, 0.3, 1, 2, 3}},
    {GEN_INTEGER, "", {0, 1, 2, 3, 4, 5}},
    {GEN_COUNTER, "", {0, 1, 5, 10, 20, 50}},
    {GEN_PER_SECOND, "", {0, 0.1, 0.5, 1, 2, 5}},
};

static const struct scale *scale_of(enum gen_family family, const char *unit) {
    const struct scale *found = NULL;
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
        if (scales[i].family == family && (found == NULL || strcmp(scales[i].unit, unit) == 0))
            found = &scales[i];
    return found;
}

uint32_t gen_values(enum gen_family family, const char *unit) {
    return scale_of(family, unit) == NULL ? 0 : 6;
}

double gen_value(enum gen_family family, const char *unit, uint32_t index) {
    return scale_of(family, unit)->values[index];
}

/* --- Classes --------------------------------------------------------------------------------- */

static const struct gen_field possible[] = {
    {.family = GEN_TEMPERATURE, .name = "temp", .unit = "degC"},
    {.family = GEN_TEMPERATURE, .name = "outside", .unit = "degF"},
    {.family = GEN_PRESSURE, .name = "inlet", .unit = "bar"},
    {.family = GEN_PRESSURE, .name = "outlet", .unit = "kPa"},
    {.family = GEN_PERCENT, .name = "load", .unit = "%"},
    {.family = GEN_POWER, .name = "power", .unit = "kW"},
    {.family = GEN_POWER, .name = "heat", .unit = "W"},
    {.family = GEN_SECONDS, .name = "cycle", .unit = "s"},
    {.family = GEN_PLAIN, .name = "level", .unit = ""},
    {.family = GEN_PLAIN, .name = "ratio", .unit = ""},
    {.family = GEN_INTEGER, .name = "errors", .unit = ""},
    {.family = GEN_COUNTER, .name = "total", .unit = ""},
    {.family = GEN_BOOL, .name = "running", .unit = ""},
    {.family = GEN_BOOL, .name = "open", .unit = ""},
    {.family = GEN_TEXT, .name = "batch", .unit = ""},
    {.family = GEN_WORD, .name = "state", .unit = ""},
    {.family = GEN_TIME, .name = "seen", .unit = ""},
};
enum { POSSIBLE = sizeof possible / sizeof *possible };

static void field_options(struct gen_random *r, struct gen_field *f, bool regular) {
    static const int64_t everies[] = {1, 2, 5, 10};
    static const int64_t stales[] = {3, 5, 10, 20, 60};
    bool numeric = f->family != GEN_BOOL && f->family != GEN_TEXT && f->family != GEN_WORD &&
                   f->family != GEN_TIME;
    if (gen_chance(r, regular ? 80 : 25))
        f->every_s = everies[gen_below(r, 4)];
    if (gen_chance(r, 40))
        f->stale_s = stales[gen_below(r, 5)];
    if (numeric && f->family != GEN_COUNTER && gen_chance(r, 25)) {
        const struct scale *scale = scale_of(f->family, f->unit);
        f->has_range = true;
        f->low = scale->values[0];
        f->high = scale->values[gen_chance(r, 50) ? 4 : 5];
    }
    if (numeric && gen_chance(r, 15)) {
        f->has_null = true;
        f->null_value = -127;
    }
}

static void add_text(struct gen_class *class, const char *name, enum gen_role role,
                     enum gen_texts texts) {
    class->fields[class->n_fields++] = (struct gen_field){
        .family = GEN_TEXT, .name = name, .unit = "", .role = role, .texts = texts};
}

/* By which devices find each other. */
static void add_ties(struct gen_case *c, struct gen_class *class, bool links) {
    add_text(class, "hall", GEN_TAG, GEN_HALL);
    add_text(class, "row", GEN_TAG, GEN_ROW);
    if (links && c->two_keys) {
        add_text(class, "to", GEN_TAG, GEN_ID);
        add_text(class, "to_part", GEN_TAG, GEN_PART);
    } else if (links) {
        add_text(class, "pump", GEN_TAG, GEN_ID);
    } else if (c->chained) {
        add_text(class, "next", GEN_TAG, c->two_keys ? GEN_WHOLE_ID : GEN_ID);
    }
}

static void make_class(struct gen_case *c, const char *name) {
    struct gen_random *r = &c->random;
    struct gen_class *class = &c->classes[c->n_classes++];
    bool taken[POSSIBLE] = {0}, regular = gen_chance(r, 50);
    uint32_t n = 3 + gen_below(r, 4);
    class->name = name;
    add_text(class, "id", GEN_KEY, GEN_ANY_TEXT);
    if (c->two_keys && c->n_classes == 1)
        add_text(class, "part", GEN_KEY, GEN_ANY_TEXT);
    if (c->linked)
        add_ties(c, class, c->n_classes == 2);
    if (gen_chance(r, 60))
        class->fields[class->n_fields++] =
            (struct gen_field){.family = GEN_TEXT, .name = "site", .unit = "", .role = GEN_TAG};
    if (gen_chance(r, 40))
        class->fields[class->n_fields++] = (struct gen_field){
            .family = GEN_TEMPERATURE, .name = "own_limit", .unit = "degC", .role = GEN_TAG};
    while (n > 0) {
        uint32_t i = gen_below(r, POSSIBLE);
        if (taken[i])
            continue;
        taken[i] = true;
        class->fields[class->n_fields] = possible[i];
        field_options(r, &class->fields[class->n_fields++], regular);
        n--;
    }
    if (gen_chance(r, 60))
        class->late_s = 1 + gen_below(r, 10);
}

struct gen_case *gen_case_new(uint64_t seed) {
    struct fb_arena *arena = fb_arena_new();
    struct gen_case *c = FB_ARENA_NEW(arena, struct gen_case);
    c->arena = arena;
    c->random.state = seed * 0x2545f4914f6cdd1du + 1;
    c->seed = seed;
    struct gen_random ties = {seed + UINT64_C(0x9d39247e33776d41)};
    c->linked = gen_chance(&ties, 33);
    c->chained = c->linked && gen_chance(&ties, 50);
    c->two_keys = c->linked && gen_chance(&ties, 25);
    make_class(c, "pump");
    if (c->linked || gen_chance(&c->random, 20))
        make_class(c, "fan");
    c->max_skew_us = gen_chance(&c->random, 70) ? INT64_C(3600000000) : 20000000;
    gen_rules(c);
    gen_acting(c);
    gen_events(c);
    gen_walls(c);
    gen_calls(c);
    return c;
}

void gen_case_free(struct gen_case *c) {
    if (c != NULL)
        fb_arena_free(c->arena);
}

/* --- Text of rules --------------------------------------------------------------------------- */

void gen_put_node(const struct gen_node *n, int binds, struct fb_buf *out) {
    bool brackets = n->binds < binds;
    uint32_t kid = 0;
    if (brackets)
        fb_buf_char(out, '(');
    for (size_t i = 0; i < n->text.n; i++) {
        if (n->text.p[i] != '@') {
            fb_buf_char(out, n->text.p[i]);
            continue;
        }
        char digit = n->text.p[++i];
        gen_put_node(n->kids[kid++], digit == '0' ? 10 : digit - '0', out);
    }
    if (brackets)
        fb_buf_char(out, ')');
}

static void put_number(double x, struct fb_buf *out) {
    char text[FB_NUM_TEXT_MAX];
    fb_buf_put(out, text, fb_num_format(x, text));
}

static void put_type(const struct gen_field *f, struct fb_buf *out) {
    switch (f->family) {
    case GEN_BOOL:
        fb_buf_text(out, "bool");
        break;
    case GEN_INTEGER:
        fb_buf_text(out, "integer");
        break;
    case GEN_COUNTER:
        fb_buf_text(out, "counter");
        break;
    case GEN_TEXT:
        fb_buf_text(out, "text");
        break;
    case GEN_TIME:
        fb_buf_text(out, "time");
        break;
    case GEN_WORD:
        fb_buf_printf(out, "one of (%s, %s, %s)", gen_words[0], gen_words[1], gen_words[2]);
        break;
    default:
        fb_buf_text(out, "number");
        if (f->unit[0] != 0)
            fb_buf_printf(out, " [%s]", f->unit);
        break;
    }
}

static void put_field(const struct gen_field *f, struct fb_buf *out) {
    if (f->off)
        return;
    if (f->role == GEN_KEY) {
        fb_buf_printf(out, strcmp(f->name, "id") == 0 ? "  key %s" : ", %s", f->name);
        return;
    }
    fb_buf_printf(out, "  %s%s : ", f->role == GEN_TAG ? "tag " : "", f->name);
    put_type(f, out);
    if (f->has_range) {
        fb_buf_text(out, " range ");
        put_number(f->low, out);
        fb_buf_text(out, "..");
        put_number(f->high, out);
    }
    if (f->every_s > 0)
        fb_buf_printf(out, ", every %" PRId64 "s", f->every_s);
    if (f->stale_s > 0)
        fb_buf_printf(out, ", stale after %" PRId64 "s", f->stale_s);
    if (f->has_null) {
        fb_buf_text(out, ", null ");
        put_number(f->null_value, out);
    }
    fb_buf_char(out, '\n');
}

static void put_lets(const struct gen_let *lets, uint32_t n, struct fb_buf *out) {
    for (uint32_t i = 0; i < n; i++) {
        if (lets[i].off)
            continue;
        fb_buf_printf(out, "  let %s", lets[i].name);
        if (lets[i].unit != NULL)
            fb_buf_printf(out, " [%s]", lets[i].unit);
        fb_buf_text(out, " = ");
        gen_put_node(lets[i].value, 1, out);
        fb_buf_char(out, '\n');
    }
}

static void put_param(const struct gen_param *p, struct fb_buf *out) {
    if (p->off)
        return;
    fb_buf_printf(out, "param %s", p->name);
    if (p->class_name != NULL)
        fb_buf_printf(out, " on %s", p->class_name);
    if (p->unit[0] != 0)
        fb_buf_printf(out, " [%s]", p->unit);
    fb_buf_text(out, " = ");
    gen_put_node(p->value, 3, out);
    if (p->case_value != NULL) {
        fb_buf_text(out, ", ");
        gen_put_node(p->case_value, 3, out);
        fb_buf_text(out, " where ");
        gen_put_node(p->case_where, 3, out);
    }
    fb_buf_char(out, '\n');
}

static void put_message(const struct gen_rule *rule, struct fb_buf *out) {
    fb_buf_text(out, rule->response ? "  message \"{rule} {severity}\"\n  response \"{device}"
                                    : "  message \"{device}");
    for (uint32_t i = 0; i < rule->n_slots; i++) {
        fb_buf_text(out, " {");
        gen_put_node(rule->slots[i], 3, out);
        fb_buf_text(out, rule->slot_formats[i]);
        fb_buf_char(out, '}');
    }
    fb_buf_text(out, "\"\n");
}

static void put_rule(const struct gen_case *c, const struct gen_rule *rule, struct fb_buf *out) {
    if (rule->off)
        return;
    fb_buf_printf(out, "%s %.*s on %s", rule->alarm ? "alarm" : "event", FB_ARG(rule->name),
                  c->classes[rule->class_index].name);
    if (rule->by != NULL)
        fb_buf_printf(out, " by %s", rule->by);
    if (rule->where != NULL) {
        fb_buf_text(out, " where ");
        gen_put_node(rule->where, 3, out);
    }
    fb_buf_text(out, " {\n");
    put_lets(rule->lets, rule->n_lets, out);
    for (uint32_t i = 0; i < rule->n_raises; i++) {
        if (rule->raises[i].off)
            continue;
        if (rule->alarm)
            fb_buf_printf(out, "  raise %s when ", rule->raises[i].severity);
        else
            fb_buf_text(out, rule->whenever ? "  whenever " : "  when ");
        gen_put_node(rule->raises[i].when, 1, out);
        fb_buf_char(out, '\n');
    }
    if (rule->deadband != NULL) {
        fb_buf_text(out, "  deadband ");
        gen_put_node(rule->deadband, 3, out);
        fb_buf_char(out, '\n');
    }
    if (rule->clear_after != NULL) {
        fb_buf_text(out, "  clear after ");
        gen_put_node(rule->clear_after, 10, out);
        fb_buf_char(out, '\n');
    }
    if (rule->flapping != NULL)
        fb_buf_printf(out, "  suppress flapping over %s\n", rule->flapping);
    if (rule->on_unknown != NULL)
        fb_buf_printf(out, "  on unknown %s\n", rule->on_unknown);
    if (rule->at_most > 0)
        fb_buf_printf(out, "  at most %u per %" PRId64 "s\n", rule->at_most, rule->at_most_s);
    for (uint32_t i = 0; i < rule->n_commands; i++) {
        fb_buf_text(out, "  ");
        gen_put_node(rule->commands[i], 1, out);
        fb_buf_char(out, '\n');
    }
    if (rule->n_slots > 0)
        put_message(rule, out);
    fb_buf_text(out, "}\n");
}

static void put_links(const struct gen_case *c, uint32_t class_index, struct fb_buf *out) {
    if (!c->linked)
        return;
    fb_buf_text(out, "  domain hall\n");
    if (class_index == 1)
        fb_buf_printf(out, "  link pump : pump%s\n", c->two_keys ? " by to, to_part" : "");
    else if (c->chained)
        fb_buf_text(out, "  link next : pump\n");
}

void gen_print_rules(const struct gen_case *c, struct fb_buf *out) {
    for (uint32_t i = 0; i < c->n_classes; i++) {
        const struct gen_class *class = &c->classes[i];
        fb_buf_printf(out, "device %s from \"%ss\" {\n", class->name, class->name);
        for (uint32_t f = 0; f < class->n_fields; f++) {
            if (f > 0 && class->fields[f - 1].role == GEN_KEY && class->fields[f].role != GEN_KEY)
                fb_buf_text(out, "\n  time ts\n");
            put_field(&class->fields[f], out);
        }
        put_links(c, i, out);
        if (class->late_s > 0)
            fb_buf_printf(out, "  late up to %" PRId64 "s\n", class->late_s);
        if (!class->reopened)
            put_lets(class->lets, class->n_lets, out);
        fb_buf_text(out, "}\n");
    }
    for (uint32_t i = 0; i < c->n_params; i++)
        put_param(&c->params[i], out);
    if (c->limit != NULL)
        fb_buf_printf(out, "%s\n", c->limit);
    gen_print_actuators(c, out);
    gen_print_controls(c, true, out);
    for (uint32_t i = 0; i < c->n_rules; i++)
        put_rule(c, &c->rules[i], out);
    gen_print_controls(c, false, out);
    for (uint32_t i = 0; i < c->n_classes; i++) {
        const struct gen_class *class = &c->classes[i];
        if (!class->reopened || class->n_lets == 0)
            continue;
        fb_buf_printf(out, "device %s {\n", class->name);
        put_lets(class->lets, class->n_lets, out);
        fb_buf_text(out, "}\n");
    }
}
