/* Random readings of other devices: by links, by groups, of what they are commanded, and rules on
 * groups. */
#include "tests/oracle/generate_place.h"

#include <stdio.h>
#include <string.h>

static bool chance(struct gen_place *p, uint32_t percent) {
    return gen_chance(&p->c->random, percent);
}

static uint32_t below(struct gen_place *p, uint32_t n) {
    return gen_below(&p->c->random, n);
}

bool gen_reads_others(struct gen_place *p, uint32_t percent) {
    uint32_t share = p->level == GEN_LEVELS ? percent : percent / 2;
    return p->c->linked && p->level > 0 && !p->still && !p->samples && chance(p, share);
}

/* --- Where to -------------------------------------------------------------------------------- */

static struct gen_place place_there(struct gen_place *p, uint32_t class_index) {
    return (struct gen_place){.c = p->c,
                              .class = &p->c->classes[class_index],
                              .class_index = class_index,
                              .windows = chance(p, 30),
                              .level = p->level - 1,
                              .params = true};
}

/* `of C [by ..]`, and where the members are. */
static const char *members(struct gen_place *p, struct gen_place *there) {
    if (p->groups) {
        *there = place_there(p, p->class_index);
        return p->class->name;
    }
    bool fans = chance(p, 50);
    *there = place_there(p, fans);
    if (fans && p->class_index == 0)
        return chance(p, 60) ? "fan" : "fan by row";
    if (fans)
        return chance(p, 70) ? "fan by row" : "fan by pump";
    if (p->class_index == 0 && p->c->chained && chance(p, 50))
        return chance(p, 50) ? "pump" : "pump by next";
    return "pump by row";
}

/* Both lead to pumps; NULL: there is none. */
static const char *some_link(const struct gen_place *p) {
    if (p->groups)
        return NULL;
    if (p->class_index == 1)
        return "pump";
    return p->c->chained ? "next" : NULL;
}

static const struct gen_let *some_let(struct gen_place *p, enum gen_family family) {
    for (uint32_t i = 0; i < p->class->n_lets; i++)
        if (p->class->lets[i].family == family && p->class->lets[i].level <= p->level &&
            chance(p, 60))
            return &p->class->lets[i];
    return NULL;
}

static struct gen_node *group(struct gen_place *p, const char *f, enum gen_family family,
                              struct gen_node *x, const char *of, struct gen_place *there) {
    char text[80];
    struct gen_node *where = chance(p, 35) ? gen_place_condition(there, 1) : NULL;
    snprintf(text, sizeof text, "%s(%s%s%s)", f, x == NULL ? "" : "(@1) of ", of,
             where == NULL ? "" : " where @3");
    return x == NULL ? gen_place_node(p, family, 10, text, where, NULL, NULL, NULL)
                     : gen_place_node(p, family, 10, text, x, where, NULL, NULL);
}

/* --- Numbers and conditions ------------------------------------------------------------------ */

static struct gen_node *plain_number(struct gen_place *p, const char *of, struct gen_place *there) {
    char text[64];
    if (chance(p, 40))
        return group(p, "count", GEN_PLAIN, NULL, of, there);
    if (chance(p, 40)) {
        snprintf(text, sizeof text, "share(%s where @3)", of);
        return gen_place_node(p, GEN_PLAIN, 10, text, gen_place_condition(there, 1), NULL, NULL,
                              NULL);
    }
    bool kin = !p->groups && there->class_index == p->class_index;
    return group(p, kin && chance(p, 60) ? "rank" : "distinct", GEN_PLAIN,
                 gen_place_number(there, GEN_PLAIN, 1), of, there);
}

static struct gen_node *of_group(struct gen_place *p, enum gen_family family, const char *of,
                                 struct gen_place *there) {
    static const char *const same[] = {"avg", "min", "max", "median", "p10", "p90", "p99_9"};
    if (family == GEN_PLAIN && chance(p, 50))
        return plain_number(p, of, there);
    if (family == GEN_KELVIN)
        return group(p, "spread", family, gen_place_number(there, GEN_TEMPERATURE, 1), of, there);
    if (family != GEN_TEMPERATURE && chance(p, 25))
        return group(p, chance(p, 60) ? "sum" : "spread", family,
                     gen_place_number(there, family, 1), of, there);
    return group(p, same[below(p, 7)], family, gen_place_number(there, family, 1), of, there);
}

struct gen_node *gen_other_number(struct gen_place *p, enum gen_family family) {
    char text[64];
    p->moved = true;
    const char *link = some_link(p);
    struct gen_place there = place_there(p, 0);
    const struct gen_field *field = gen_some_field(&there, family);
    const struct gen_let *let = link == NULL ? NULL : some_let(&there, family);
    if (let != NULL && chance(p, 60)) {
        snprintf(text, sizeof text, "%s.%s", link, let->name);
        return gen_leaf(p, family, text);
    }
    if (link != NULL && field != NULL && chance(p, 60)) {
        snprintf(text, sizeof text, "%s.%s", link, field->name);
        return gen_leaf(p, family, text);
    }
    const char *of = members(p, &there);
    return of_group(p, family, of, &there);
}

/* Of the device that the link leads to; NULL: nothing was found. */
static struct gen_node *linked_condition(struct gen_place *p, const char *link) {
    char text[64];
    struct gen_place there = place_there(p, 0);
    const struct gen_field *truth = gen_some_field(&there, GEN_BOOL),
                           *word = gen_some_field(&there, GEN_WORD);
    const struct gen_let *let = some_let(&there, GEN_BOOL);
    if (let != NULL && chance(p, 50)) {
        snprintf(text, sizeof text, "%s.%s", link, let->name);
        return gen_leaf(p, GEN_BOOL, text);
    }
    if (truth != NULL && chance(p, 50)) {
        snprintf(text, sizeof text, "%s.%s", link, truth->name);
        return gen_leaf(p, GEN_BOOL, text);
    }
    if (word != NULL && chance(p, 50)) {
        snprintf(text, sizeof text, "%s.%s == %s", link, word->name, gen_words[below(p, 3)]);
        return gen_place_node(p, GEN_BOOL, 6, text, NULL, NULL, NULL, NULL);
    }
    if (there.class->n_lets > 0 && there.class->lets[0].level <= there.level && chance(p, 40)) {
        snprintf(text, sizeof text, "%s.%s is unknown", link, there.class->lets[0].name);
        return gen_place_node(p, GEN_BOOL, 6, text, NULL, NULL, NULL, NULL);
    }
    return NULL;
}

struct gen_node *gen_other_condition(struct gen_place *p) {
    p->moved = true;
    const char *link = some_link(p);
    struct gen_node *linked = link == NULL ? NULL : linked_condition(p, link);
    struct gen_place there;
    if (linked != NULL)
        return linked;
    const char *of = members(p, &there);
    return group(p, chance(p, 50) ? "any" : "all", GEN_BOOL, gen_place_condition(&there, 1), of,
                 &there);
}

/* --- What is kept in a window (A87) ---------------------------------------------------------- */

bool gen_samples_others(const struct gen_place *p, uint32_t percent) {
    return p->c->linked && p->level > 0 && p->windows && !p->still && !p->groups &&
           gen_chance(&p->c->random, percent);
}

/* A field of its own stands in it, whose records give the samples. */
struct gen_node *gen_sample_of_others(struct gen_place *p, enum gen_family family) {
    static const char *const numbers[] = {"max(@3, @3)", "min(@3, @3)", "coalesce(@3, @3)"};
    static const char *const truths[] = {"@7 > @7", "@7 <= @7"};
    bool truth = family == GEN_BOOL;
    enum gen_family of = truth ? gen_some_family(p) : family;
    const struct gen_field *own = gen_some_field(p, of);
    if (of == GEN_COUNTER || of == GEN_PER_SECOND || own == NULL || family == GEN_INTEGER ||
        family >= GEN_COUNTER || !gen_samples_others(p, 40))
        return NULL;
    struct gen_node *x = gen_leaf(p, of, own->name), *y = gen_other_number(p, of);
    if (truth)
        return gen_place_node(p, GEN_BOOL, 6, truths[below(p, 2)], x, y, NULL, NULL);
    return gen_place_node(p, family, 10, numbers[below(p, 3)], x, y, NULL, NULL);
}

/* --- What other devices are told ------------------------------------------------------------- */

/* What stands behind a link's dot, or in a group: a condition over a name of the class, in two
 * pieces around the name, so that a link may stand before it. */
struct about {
    const char *name;
    char behind[32];
    int binds;
};

static bool about_actuator(struct gen_place *p, uint32_t class_index, struct about *about) {
    const struct gen_case *c = p->c;
    const struct gen_actuator *a =
        c->n_actuators > 0 ? &c->actuators[below(p, c->n_actuators)] : NULL;
    if (a == NULL || a->class_index != class_index)
        return false;
    about->name = a->name;
    about->binds = 6;
    if (a->family == GEN_WORD)
        snprintf(about->behind, sizeof about->behind, chance(p, 50) ? " == on" : " != on");
    else if (chance(p, 70))
        snprintf(about->behind, sizeof about->behind, " > %g%s%s",
                 gen_value(a->family, a->unit, 1 + below(p, 3)), a->unit[0] != 0 ? " " : "",
                 a->unit);
    else
        snprintf(about->behind, sizeof about->behind, " is unknown");
    return true;
}

static bool about_mode(struct gen_place *p, uint32_t class_index, struct about *about) {
    const struct gen_case *c = p->c;
    const struct gen_control *mode =
        c->n_controls > 0 ? &c->controls[below(p, c->n_controls)] : NULL;
    if (mode == NULL || !mode->is_mode || mode->class_index != class_index)
        return false;
    about->name = mode->name.p;
    about->binds = 6;
    snprintf(about->behind, sizeof about->behind, chance(p, 80) ? " == s%u" : " is unknown",
             1 + below(p, 2));
    return true;
}

static bool about_alarm(struct gen_place *p, uint32_t class_index, uint32_t n_rules,
                        struct about *about) {
    const struct gen_rule *rule = n_rules > 0 ? &p->c->rules[below(p, n_rules)] : NULL;
    if (rule == NULL || !rule->alarm || rule->by != NULL || rule->class_index != class_index)
        return false;
    about->name = rule->name.p;
    about->behind[0] = 0;
    about->binds = 10;
    return true;
}

static bool about_something(struct gen_place *p, uint32_t class_index, uint32_t n_rules,
                            struct about *about) {
    for (int tries = 0; tries < 4; tries++) {
        uint32_t kind = below(p, 3);
        if (kind == 0   ? about_actuator(p, class_index, about)
            : kind == 1 ? about_mode(p, class_index, about)
                        : about_alarm(p, class_index, n_rules, about))
            return true;
    }
    return false;
}

struct gen_node *gen_other_acting(struct gen_case *c, uint32_t class_index, bool groups,
                                  uint32_t n_rules) {
    struct gen_place p = {.c = c,
                          .class = &c->classes[class_index],
                          .class_index = class_index,
                          .groups = groups,
                          .level = 1},
                     there;
    struct about about;
    char text[160];
    const char *link = some_link(&p);
    if (link != NULL && chance(&p, 50) && about_something(&p, 0, n_rules, &about)) {
        snprintf(text, sizeof text, "%s.%s%s", link, about.name, about.behind);
        return gen_place_node(&p, GEN_BOOL, about.binds, text, NULL, NULL, NULL, NULL);
    }
    const char *of = members(&p, &there);
    if (!about_something(&p, there.class_index, n_rules, &about))
        return NULL;
    uint32_t form = below(&p, 4);
    if (form < 2)
        snprintf(text, sizeof text, "%s((%s%s) of %s)", form == 0 ? "any" : "all", about.name,
                 about.behind, of);
    else
        snprintf(text, sizeof text, "%s(%s where %s%s)", form == 2 ? "count" : "share", of,
                 about.name, about.behind);
    struct gen_node *n = gen_place_node(&p, GEN_BOOL, 10, text, NULL, NULL, NULL, NULL);
    if (form == 2)
        return gen_place_node(&p, GEN_BOOL, 6, "@7 > 0", n, NULL, NULL, NULL);
    return form == 3 ? gen_place_node(&p, GEN_BOOL, 6, "@7 < 50 %", n, NULL, NULL, NULL) : n;
}

/* --- Rules on groups ------------------------------------------------------------------------- */

static const char *some_span(struct gen_place *p) {
    static const char *const spans[] = {"500ms", "1s", "2s", "3s", "5s", "10s", "30s"};
    return spans[below(p, 7)];
}

static struct gen_node *number_of_group(struct gen_place *p, enum gen_family family) {
    struct gen_place there;
    const char *of = members(p, &there);
    p->moved = true;
    return of_group(p, family, of, &there);
}

static enum gen_family family_of_group(struct gen_place *p) {
    struct gen_place there = place_there(p, p->class_index);
    enum gen_family family = gen_some_family(&there);
    return family == GEN_COUNTER || family == GEN_PER_SECOND ? GEN_PLAIN : family;
}

static struct gen_node *limit_of_group(struct gen_place *p, enum gen_family family) {
    static const char *const operators[] = {"@7 > @7", "@7 >= @7", "@7 < @7", "@7 <= @7"};
    struct gen_node *x = number_of_group(p, family);
    return gen_place_node(p, GEN_BOOL, 6, operators[below(p, 4)], x, gen_place_literal(p, family),
                          NULL, NULL);
}

static struct gen_node *condition_of_group(struct gen_place *p, const char *by, int depth) {
    uint32_t kind = below(p, depth > 0 ? 100 : 60);
    char text[64];
    if (kind < 35)
        return limit_of_group(p, family_of_group(p));
    if (kind < 55)
        return gen_other_condition(p);
    if (kind < 60) {
        snprintf(text, sizeof text, chance(p, 50) ? "%s != \"a\"" : "%s matches \"[b2]\"",
                 chance(p, 50) ? "hall" : by);
        return gen_place_node(p, GEN_BOOL, 6, text, NULL, NULL, NULL, NULL);
    }
    struct gen_node *a = condition_of_group(p, by, depth - 1);
    if (kind < 66)
        return gen_place_node(p, GEN_BOOL, 5, "not @5", a, NULL, NULL, NULL);
    if (kind < 84) {
        snprintf(text, sizeof text, "@3 for %s", some_span(p));
        return gen_place_node(p, GEN_BOOL, 2, text, a, NULL, NULL, NULL);
    }
    struct gen_node *b = condition_of_group(p, by, depth - 1);
    return kind < 88   ? gen_place_node(p, GEN_BOOL, 1, "@2 until @2", a, b, NULL, NULL)
           : kind < 94 ? gen_place_node(p, GEN_BOOL, 4, "@4 and @5", a, b, NULL, NULL)
                       : gen_place_node(p, GEN_BOOL, 3, "@3 or @4", a, b, NULL, NULL);
}

static const char *some_tie(struct gen_place *p) {
    for (;;) {
        const struct gen_field *f = &p->class->fields[below(p, p->class->n_fields)];
        if (f->texts != GEN_ANY_TEXT || f->role == GEN_KEY)
            return f->name;
    }
}

static void alarm_of_group(struct gen_place *p, struct gen_rule *rule) {
    static const char *const policies[] = {"hold", "clear", "raise"};
    static const char *const severities[] = {"info", "low", "medium", "high", "critical"};
    uint32_t first = below(p, 5);
    enum gen_family family = family_of_group(p);
    rule->n_raises = 1 + below(p, 2);
    if (chance(p, 25)) {
        struct gen_node *d = gen_place_literal(p, family == GEN_TEMPERATURE ? GEN_KELVIN : family);
        rule->deadband = family == GEN_PLAIN || family == GEN_INTEGER ? NULL : d;
    }
    for (uint32_t i = 0; i < rule->n_raises; i++) {
        rule->raises[i].severity = severities[(first + i) % 5];
        rule->raises[i].when =
            rule->deadband != NULL ? limit_of_group(p, family) : condition_of_group(p, rule->by, 2);
    }
    if (chance(p, 30))
        rule->clear_after = gen_leaf(p, GEN_SECONDS, some_span(p));
    if (chance(p, 45))
        rule->on_unknown = policies[below(p, 3)];
}

void gen_group_rule(struct gen_place *p, struct gen_rule *rule) {
    p->groups = true;
    p->windows = false;
    rule->by = some_tie(p);
    if (chance(p, 20))
        rule->where = condition_of_group(p, rule->by, 1);
    if (chance(p, 40)) {
        rule->lets[0] = (struct gen_let){.name = "m1", .family = GEN_BOOL, .level = GEN_LEVELS};
        rule->lets[0].value = condition_of_group(p, rule->by, 1);
        rule->n_lets = 1;
    }
    if (rule->alarm) {
        alarm_of_group(p, rule);
    } else {
        rule->n_raises = 1;
        rule->raises[0].when = condition_of_group(p, rule->by, 2);
    }
    if (rule->n_lets > 0 && rule->deadband == NULL)
        rule->raises[0].when =
            gen_place_node(p, GEN_BOOL, 3, "@3 or m1", rule->raises[0].when, NULL, NULL, NULL);
    rule->slot_formats[0] = rule->slot_formats[1] = "";
    rule->slots[rule->n_slots++] = gen_leaf(p, GEN_FAMILIES, chance(p, 50) ? "hall" : rule->by);
    if (chance(p, 50)) {
        enum gen_family family = family_of_group(p);
        rule->slots[rule->n_slots++] = number_of_group(p, family);
    }
}
