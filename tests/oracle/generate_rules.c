/* Random rules. An expression is grown from its top with few and recurring limits, so that
 * conditions flip often; what the language forbids at a place is not grown there. */
#include "tests/oracle/generate_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool chance(struct gen_place *p, uint32_t percent) {
    return gen_chance(&p->c->random, percent);
}

static uint32_t below(struct gen_place *p, uint32_t n) {
    return gen_below(&p->c->random, n);
}

struct gen_node *gen_place_node(struct gen_place *p, enum gen_family family, int binds,
                                const char *text, struct gen_node *a, struct gen_node *b,
                                struct gen_node *c, struct gen_node *d) {
    struct gen_node *n = FB_ARENA_NEW(p->c->arena, struct gen_node);
    struct gen_node *kids[GEN_KIDS] = {a, b, c, d};
    n->text = fb_str_copy(p->c->arena, fb_str_of(text));
    n->family = family;
    n->binds = binds;
    for (int i = 0; i < GEN_KIDS && kids[i] != NULL; i++)
        n->kids[n->n_kids++] = kids[i];
    return n;
}

struct gen_node *gen_leaf(struct gen_place *p, enum gen_family family, const char *text) {
    return gen_place_node(p, family, 10, text, NULL, NULL, NULL, NULL);
}

/* --- Literals and names ---------------------------------------------------------------------- */

static const char *some_unit(struct gen_place *p, enum gen_family family) {
    bool first = chance(p, 65);
    switch (family) {
    case GEN_TEMPERATURE:
        return first ? "degC" : "degF";
    case GEN_KELVIN:
        return "K";
    case GEN_PRESSURE:
        return first ? "bar" : "kPa";
    case GEN_PERCENT:
        return "%";
    case GEN_POWER:
        return first ? "kW" : "W";
    case GEN_SECONDS:
        return first ? "s" : "min";
    default:
        return "";
    }
}

static struct gen_node *literal_at(struct gen_place *p, enum gen_family family, uint32_t index) {
    const char *unit = some_unit(p, family);
    double value = gen_value(family, unit, index);
    char text[64];
    if (family == GEN_SECONDS && strcmp(unit, "s") == 0 && chance(p, 70))
        snprintf(text, sizeof text, "%gs", value);
    else if (unit[0] == 0)
        snprintf(text, sizeof text, "%g", value);
    else
        snprintf(text, sizeof text, "%g %s", value, unit);
    return gen_leaf(p, family, text);
}

struct gen_node *gen_place_literal(struct gen_place *p, enum gen_family family) {
    return literal_at(p, family, below(p, 6));
}

/* Two literals, the lesser first. */
static void two_literals(struct gen_place *p, enum gen_family family, struct gen_node **low,
                         struct gen_node **high) {
    uint32_t i = below(p, 6), j = below(p, 6);
    *low = literal_at(p, family, i < j ? i : j);
    *high = literal_at(p, family, i < j ? j : i);
}

static struct gen_node *span(struct gen_place *p) {
    static const char *const spans[] = {"1s", "2s", "3s", "5s", "10s", "500ms", "30s", "1m"};
    if (p->params && chance(p, 15)) {
        for (uint32_t i = 0; i < p->c->n_params; i++)
            if (p->c->params[i].family == GEN_SECONDS && p->c->params[i].class_name == NULL)
                return gen_leaf(p, GEN_SECONDS, p->c->params[i].name);
    }
    if (chance(p, 4))
        return gen_place_node(p, GEN_SECONDS, 10, "(@3)",
                              gen_some_field(p, GEN_SECONDS) == NULL
                                  ? gen_place_literal(p, GEN_SECONDS)
                                  : gen_place_number(p, GEN_SECONDS, 1),
                              NULL, NULL, NULL);
    return gen_leaf(p, GEN_SECONDS, spans[below(p, 8)]);
}

const struct gen_field *gen_some_field(struct gen_place *p, enum gen_family family) {
    uint32_t n = 0, chosen = 0;
    for (uint32_t i = 0; i < p->class->n_fields; i++)
        n += p->class->fields[i].family == family && p->class->fields[i].role != GEN_KEY;
    if (n == 0)
        return NULL;
    chosen = below(p, n);
    for (uint32_t i = 0; i < p->class->n_fields; i++) {
        const struct gen_field *f = &p->class->fields[i];
        if (f->family == family && f->role != GEN_KEY && chosen-- == 0)
            return f;
    }
    return NULL;
}

static const struct gen_field *any_field(struct gen_place *p, bool tags) {
    for (;;) {
        const struct gen_field *f = &p->class->fields[below(p, p->class->n_fields)];
        if (f->role == GEN_OWN || (tags && f->role == GEN_TAG))
            return f;
    }
}

static struct gen_node *some_let(struct gen_place *p, enum gen_family family) {
    for (int turn = 0; turn < 2; turn++) {
        const struct gen_let *lets = turn == 0 ? p->class->lets : NULL;
        uint32_t n = turn == 0 ? p->class->n_lets : 0;
        if (turn == 1 && p->rule != NULL) {
            lets = p->rule->lets;
            n = p->rule->n_lets;
        }
        for (uint32_t i = 0; i < n; i++) {
            if (lets[i].family != family || !chance(p, 60) || (p->still && lets[i].moves) ||
                lets[i].level > p->level)
                continue;
            p->moved |= lets[i].moves;
            return gen_leaf(p, family, lets[i].name);
        }
    }
    return NULL;
}

static struct gen_node *some_param(struct gen_place *p, enum gen_family family) {
    for (uint32_t i = 0; p->params && i < p->c->n_params; i++) {
        const struct gen_param *param = &p->c->params[i];
        bool here = param->class_name == NULL || strcmp(param->class_name, p->class->name) == 0;
        if (here && param->family == family)
            return gen_leaf(p, family, param->name);
    }
    return NULL;
}

/* --- Windows --------------------------------------------------------------------------------- */

/* last: `over last n` may stand here too. */
static struct gen_node *window(struct gen_place *p, bool last) {
    static const char *const overs[] = {"over 2s",  "over 3s", "over 5s", "over 10s", "over 20s",
                                        "over 30s", "over 1m", "over 5m", "over 90s", "over 1h"};
    static const char *const lasts[] = {"over last 2", "over last 3", "over last 5", "over last 10",
                                        "over last 40"};
    static const char *const eaches[] = {"each 5s", "each 10s", "each 15s", "each 1m", "each 1h"};
    uint32_t kind = below(p, 20);
    if (kind < 4 && last)
        return gen_leaf(p, GEN_FAMILIES, lasts[below(p, 5)]);
    if (kind < 8 && !p->still) {
        p->moved = true;
        return gen_leaf(p, GEN_FAMILIES, eaches[below(p, 5)]);
    }
    return gen_leaf(p, GEN_FAMILIES, overs[below(p, kind < 18 ? 9 : 10)]);
}

static const char *needs(struct gen_place *p) {
    static const char *const shares[] = {", needs 50 %", ", needs 0 %", ", needs 100 %",
                                         ", needs 10 %", ", needs 33.3 %"};
    return chance(p, 55) ? shares[below(p, 5)] : "";
}

/* `f(x [where c] window [, needs ..])` */
static struct gen_node *call(struct gen_place *p, const char *f, enum gen_family family,
                             struct gen_node *x) {
    struct gen_node *w = window(p, x != NULL);
    bool last = strstr(w->text.p, "last") != NULL;
    char text[80];
    struct gen_place inside = *p;
    inside.still = true;
    inside.windows = false;
    inside.samples = true;
    struct gen_node *where = x != NULL && chance(p, 15) ? gen_place_condition(&inside, 1) : NULL;
    if (where != NULL && gen_samples_others(p, 30))
        where =
            gen_place_node(p, GEN_BOOL, 4, "@4 and @5", where, gen_other_condition(p), NULL, NULL);
    snprintf(text, sizeof text, "%s(%s%s@0%s)", f, x == NULL ? "" : "@3 ",
             where == NULL ? "" : "where @3 ", last ? "" : needs(p));
    if (x == NULL)
        return gen_place_node(p, family, 10, text, w, NULL, NULL, NULL);
    if (where == NULL)
        return gen_place_node(p, family, 10, text, x, w, NULL, NULL);
    return gen_place_node(p, family, 10, text, x, where, w, NULL);
}

static struct gen_node *window_argument(struct gen_place *p, enum gen_family family) {
    struct gen_place inside = *p;
    inside.still = true;
    inside.windows = false;
    inside.samples = true;
    const struct gen_field *field = gen_some_field(p, family);
    struct gen_node *others = gen_sample_of_others(p, family);
    if (others != NULL)
        return others;
    if (field != NULL && chance(p, 65))
        return gen_leaf(p, family, field->name);
    return family == GEN_BOOL ? gen_place_condition(&inside, 1)
                              : gen_place_number(&inside, family, 1);
}

static struct gen_node *aggregate(struct gen_place *p, enum gen_family family) {
    static const char *const same[] = {"avg", "min", "max", "first", "last", "time_avg"};
    static const char *const differences[] = {"spread", "delta", "stddev"};
    if (family == GEN_KELVIN && gen_some_field(p, GEN_TEMPERATURE) != NULL)
        return call(p, differences[below(p, 3)], family, window_argument(p, GEN_TEMPERATURE));
    if (family == GEN_PER_SECOND || family == GEN_COUNTER) {
        const struct gen_field *counter = gen_some_field(p, GEN_COUNTER);
        const char *f = family == GEN_PER_SECOND ? "rate" : "increase";
        return counter == NULL ? NULL : call(p, f, family, gen_leaf(p, family, counter->name));
    }
    if (family == GEN_PLAIN && chance(p, 40))
        return call(p, "count", family, chance(p, 30) ? NULL : window_argument(p, GEN_BOOL));
    if (gen_some_field(p, family) == NULL && family != GEN_PLAIN)
        return NULL;
    if (family != GEN_TEMPERATURE && chance(p, 35))
        return call(p, chance(p, 40) ? "sum" : differences[below(p, 3)], family,
                    window_argument(p, family));
    return call(p, same[below(p, 6)], family, window_argument(p, family));
}

/* --- Numbers --------------------------------------------------------------------------------- */

static struct gen_node *combination(struct gen_place *p, enum gen_family family, int depth) {
    bool absolute = family == GEN_TEMPERATURE;
    struct gen_node *x = gen_place_number(p, family, depth - 1);
    switch (below(p, 12)) {
    case 0:
        return gen_place_node(p, family, 7, chance(p, 50) ? "@7 + @8" : "@7 - @8", x,
                              absolute ? gen_place_literal(p, GEN_KELVIN)
                                       : gen_place_number(p, family, depth - 1),
                              NULL, NULL);
    case 1:
        if (absolute)
            break;
        return gen_place_node(p, family, 8, chance(p, 50) ? "@8 * 2" : "@8 / 2", x, NULL, NULL,
                              NULL);
    case 2:
        if (absolute)
            break;
        return gen_place_node(p, family, 10, chance(p, 50) ? "50 % of @9" : "110 % of @9", x, NULL,
                              NULL, NULL);
    case 3:
        if (absolute)
            break;
        return gen_place_node(p, family, 10, "abs(@3)", x, NULL, NULL, NULL);
    case 4:
        return gen_place_node(p, family, 10, "round(@3)", x, NULL, NULL, NULL);
    case 5:
        return gen_place_node(p, family, 10, chance(p, 50) ? "min(@3, @3)" : "max(@3, @3)", x,
                              gen_place_number(p, family, depth - 1), NULL, NULL);
    case 6: {
        struct gen_node *low, *high;
        two_literals(p, family, &low, &high);
        if (chance(p, 20) && gen_some_field(p, family) != NULL)
            high = gen_leaf(p, family, gen_some_field(p, family)->name);
        return gen_place_node(p, family, 10, "clamp(@3, @7..@7)", x, low, high, NULL);
    }
    case 7:
        return gen_place_node(p, family, 10,
                              chance(p, 85) ? "coalesce(@3, @3)" : "coalesce(unknown, @3, @3)", x,
                              gen_place_literal(p, family), NULL, NULL);
    case 8:
        if (chance(p, 15))
            return gen_place_node(p, family, 0, "if @1 then @3 else unknown",
                                  gen_place_condition(p, depth - 1), x, NULL, NULL);
        return gen_place_node(p, family, 0, "if @1 then @3 else @3",
                              gen_place_condition(p, depth - 1), x,
                              gen_place_number(p, family, depth - 1), NULL);
    case 9:
        if (absolute)
            break;
        return gen_place_node(p, family, 9, "-@0", x, NULL, NULL, NULL);
    case 10:
        if (family == GEN_PLAIN)
            return gen_place_node(p, family, 10, "sqrt(@3)", x, NULL, NULL, NULL);
        if (family == GEN_KELVIN && gen_some_field(p, GEN_TEMPERATURE) != NULL)
            return gen_place_node(
                p, family, 7, "@7 - @8",
                gen_leaf(p, GEN_TEMPERATURE, gen_some_field(p, GEN_TEMPERATURE)->name),
                gen_leaf(p, GEN_TEMPERATURE, gen_some_field(p, GEN_TEMPERATURE)->name), NULL, NULL);
        break;
    case 11:
        if (family == GEN_PLAIN) {
            const struct gen_field *f = any_field(p, false);
            bool divisible = f->family == GEN_PRESSURE || f->family == GEN_PERCENT ||
                             f->family == GEN_POWER || f->family == GEN_PLAIN ||
                             f->family == GEN_INTEGER || f->family == GEN_SECONDS;
            if (divisible)
                return gen_place_node(p, family, 8, "@8 / @9", gen_leaf(p, f->family, f->name),
                                      gen_leaf(p, f->family, f->name), NULL, NULL);
        }
        break;
    }
    return x;
}

static struct gen_node *previous_of(struct gen_place *p, enum gen_family family) {
    const struct gen_field *field = gen_some_field(p, family);
    if (family == GEN_KELVIN && gen_some_field(p, GEN_TEMPERATURE) != NULL)
        return gen_place_node(
            p, family, 10, "change(@3)",
            gen_leaf(p, GEN_TEMPERATURE, gen_some_field(p, GEN_TEMPERATURE)->name), NULL, NULL,
            NULL);
    if (field == NULL)
        return NULL;
    bool change = family != GEN_TEMPERATURE && family != GEN_COUNTER && chance(p, 50);
    struct gen_node *others = gen_sample_of_others(p, family);
    if (others != NULL)
        return gen_place_node(p, family, 10, change ? "change(@3)" : "previous(@3)", others, NULL,
                              NULL, NULL);
    return gen_place_node(p, family, 10, change ? "change(@3)" : "previous(@3)",
                          gen_leaf(p, family, field->name), NULL, NULL, NULL);
}

/* --- Numbers, all of them --- */

struct gen_node *gen_place_number(struct gen_place *p, enum gen_family family, int depth) {
    struct gen_node *found = NULL;
    uint32_t kind = below(p, 100);
    bool flows = family == GEN_COUNTER || family == GEN_PER_SECOND;
    if (flows)
        return p->windows ? aggregate(p, family) : NULL;
    if (gen_reads_others(p, 45))
        return gen_other_number(p, family);
    if (kind < 25 && p->windows && depth > 0)
        found = aggregate(p, family);
    else if (kind < 32 && (p->windows || p->samples) && depth > 0)
        found = previous_of(p, family);
    else if (kind < 40)
        found = some_let(p, family);
    else if (kind < 44)
        found = some_param(p, family);
    else if (kind < 65 && depth > 0)
        found = combination(p, family, depth);
    if (found != NULL)
        return found;
    const struct gen_field *field = gen_some_field(p, family);
    if (family == GEN_KELVIN && gen_some_field(p, GEN_TEMPERATURE) != NULL) {
        struct gen_node *a = gen_leaf(p, GEN_TEMPERATURE, gen_some_field(p, GEN_TEMPERATURE)->name);
        struct gen_node *b = gen_leaf(p, GEN_TEMPERATURE, gen_some_field(p, GEN_TEMPERATURE)->name);
        return gen_place_node(p, family, 7, "@7 - @8", a, b, NULL, NULL);
    }
    if (field == NULL && family == GEN_PLAIN)
        field = gen_some_field(p, GEN_INTEGER);
    return field != NULL ? gen_leaf(p, family, field->name) : gen_place_literal(p, family);
}

/* --- Conditions ------------------------------------------------------------------------------ */

/* A family of numbers that the class can say something about. */
enum gen_family gen_some_family(struct gen_place *p) {
    static const enum gen_family families[] = {
        GEN_PLAIN,   GEN_INTEGER, GEN_TEMPERATURE, GEN_KELVIN,  GEN_PRESSURE,
        GEN_PERCENT, GEN_POWER,   GEN_SECONDS,     GEN_COUNTER, GEN_PER_SECOND};
    for (;;) {
        enum gen_family family = families[below(p, 10)];
        bool flows = family == GEN_COUNTER || family == GEN_PER_SECOND;
        if (flows && (!p->windows || gen_some_field(p, GEN_COUNTER) == NULL))
            continue;
        if (family == GEN_KELVIN && gen_some_field(p, GEN_TEMPERATURE) == NULL)
            continue;
        if (family == GEN_PLAIN && !p->windows && gen_some_field(p, GEN_PLAIN) == NULL &&
            gen_some_field(p, GEN_INTEGER) == NULL)
            continue;
        bool derived = flows || family == GEN_KELVIN || (family == GEN_PLAIN && chance(p, 50));
        if (derived || gen_some_field(p, family) != NULL)
            return family;
        if (chance(p, 3)) /* a class without numbers */
            return GEN_PLAIN;
    }
}

static struct gen_node *limit(struct gen_place *p, enum gen_family family, int depth) {
    struct gen_node *param = chance(p, 20) ? some_param(p, family) : NULL;
    if (param != NULL)
        return param;
    bool flows = family == GEN_COUNTER || family == GEN_PER_SECOND;
    return !flows && depth > 1 && chance(p, 20) ? gen_place_number(p, family, depth - 1)
                                                : gen_place_literal(p, family);
}

static struct gen_node *comparison_of(struct gen_place *p, enum gen_family family, int depth) {
    static const char *const operators[] = {"@7 > @7",  "@7 >= @7", "@7 < @7",
                                            "@7 <= @7", "@7 == @7", "@7 != @7"};
    struct gen_node *left = gen_place_number(p, family, depth), *right = limit(p, family, depth);
    uint32_t kind = below(p, 100);
    if (kind < 15) {
        struct gen_node *low, *high;
        two_literals(p, family, &low, &high);
        if (family != GEN_COUNTER && family != GEN_PER_SECOND && chance(p, 20) &&
            gen_some_field(p, family) != NULL)
            high = gen_leaf(p, family, gen_some_field(p, family)->name);
        return gen_place_node(p, GEN_BOOL, 6, kind < 10 ? "@7 in @7..@7" : "@7 not in @7..@7", left,
                              low, high, NULL);
    }
    if (kind < 25 && family != GEN_TEMPERATURE)
        right = gen_leaf(p, family, "0");
    if (kind < 18)
        return gen_place_node(p, GEN_BOOL, 6, "@7 in (@3, @3)", left, gen_place_literal(p, family),
                              right, NULL);
    return gen_place_node(p, GEN_BOOL, 6, operators[below(p, kind < 85 ? 4 : 6)], left, right, NULL,
                          NULL);
}

static struct gen_node *comparison(struct gen_place *p, int depth) {
    return comparison_of(p, gen_some_family(p), depth);
}

/* Of the device itself. */
static struct gen_node *key_condition(struct gen_place *p) {
    static const char *const forms[] = {"id == \"d1\"", "id != \"d2\"", "id matches \"[12]$\"",
                                        "id in (\"d1\", \"d3\")", "id is good"};
    return gen_place_node(p, GEN_BOOL, 6, forms[below(p, 5)], NULL, NULL, NULL, NULL);
}

static struct gen_node *word_or_text(struct gen_place *p) {
    char text[64];
    if (chance(p, 10))
        return key_condition(p);
    const struct gen_field *f = gen_some_field(p, chance(p, 50) ? GEN_WORD : GEN_TEXT);
    if (f == NULL)
        return comparison(p, 1);
    if (f->family == GEN_WORD) {
        const char *word = gen_words[below(p, 3)];
        const char *form = chance(p, 40)   ? "%s == %s"
                           : chance(p, 40) ? "%s != %s"
                           : chance(p, 50) ? "%s not in (%s, fault)"
                                           : "%s in (%s, busy)";
        snprintf(text, sizeof text, form, f->name, word);
    } else if (chance(p, 40)) {
        static const char *const patterns[] = {"^a", "b", "^[a-z][0-9]$", "^ab$"};
        snprintf(text, sizeof text, "%s matches \"%s\"", f->name, patterns[below(p, 4)]);
    } else {
        snprintf(text, sizeof text, "%s %s \"%s\"", f->name,
                 chance(p, 60) ? "==" : "!=", gen_texts[below(p, 4)]);
    }
    return gen_place_node(p, GEN_BOOL, 6, text, NULL, NULL, NULL, NULL);
}

static struct gen_node *truth_value(struct gen_place *p) {
    const struct gen_field *f = gen_some_field(p, GEN_BOOL);
    return f == NULL ? comparison(p, 1) : gen_leaf(p, GEN_BOOL, f->name);
}

static struct gen_node *quality(struct gen_place *p) {
    static const char *const qualities[] = {"good", "bad", "stale", "unknown"};
    char text[64];
    snprintf(text, sizeof text, "%s is %s%s", any_field(p, true)->name, chance(p, 30) ? "not " : "",
             qualities[below(p, 4)]);
    return gen_place_node(p, GEN_BOOL, 6, text, NULL, NULL, NULL, NULL);
}

static struct gen_node *change_of_value(struct gen_place *p) {
    char text[64];
    const struct gen_field *f = any_field(p, true);
    if (f->family == GEN_COUNTER || (f->family == GEN_TIME && chance(p, 50))) {
        static const char *const forms[] = {"<", ">", "=="};
        snprintf(text, sizeof text, "%s %s previous(%s)", f->name, forms[below(p, 3)], f->name);
        return gen_place_node(p, GEN_BOOL, 6, text, NULL, NULL, NULL, NULL);
    }
    if (f->family != GEN_BOOL && f->role == GEN_OWN && f->family != GEN_WORD && chance(p, 20)) {
        snprintf(text, sizeof text, "%s == previous(%s)", f->name, f->name);
        return gen_place_node(p, GEN_BOOL, 6, text, NULL, NULL, NULL, NULL);
    }
    if (chance(p, 15)) {
        enum gen_family family = gen_some_family(p);
        struct gen_node *x =
            family == GEN_COUNTER || family == GEN_PER_SECOND ? NULL : window_argument(p, family);
        if (x != NULL)
            return gen_place_node(p, GEN_BOOL, 10, "changed(@3)", x, NULL, NULL, NULL);
    }
    snprintf(text, sizeof text, "changed(%s)", f->name);
    return gen_leaf(p, GEN_BOOL, text);
}

/* age, elapsed, silent: they move with time. */
static struct gen_node *clock_condition(struct gen_place *p, int depth) {
    static const char *const ops[] = {">", ">=", "<", "<="};
    char text[64];
    p->moved = true;
    switch (below(p, 5)) {
    case 0:
        return gen_leaf(p, GEN_BOOL, "silent");
    case 1:
        snprintf(text, sizeof text, "silent(%s)", any_field(p, false)->name);
        return gen_leaf(p, GEN_BOOL, text);
    case 2:
        snprintf(text, sizeof text, "age(%s) %s @7", any_field(p, false)->name, ops[below(p, 4)]);
        return gen_place_node(p, GEN_BOOL, 6, text, span(p), NULL, NULL, NULL);
    case 3:
        snprintf(text, sizeof text, "age() %s @7", ops[below(p, 4)]);
        return gen_place_node(p, GEN_BOOL, 6, text, span(p), NULL, NULL, NULL);
    default:
        snprintf(text, sizeof text, "elapsed(@3) %s @7", ops[below(p, 4)]);
        return gen_place_node(p, GEN_BOOL, 6, text, gen_place_condition(p, depth - 1), span(p),
                              NULL, NULL);
    }
}

static struct gen_node *temporal(struct gen_place *p, int depth) {
    struct gen_node *a = gen_place_condition(p, depth - 1);
    p->moved = true;
    if (chance(p, 55))
        return gen_place_node(p, GEN_BOOL, 2, "@3 for @0", a, span(p), NULL, NULL);
    if (chance(p, 40))
        a = gen_place_node(p, GEN_BOOL, 2, "@3 for @0", a, span(p), NULL, NULL);
    struct gen_node *b = gen_place_condition(p, depth - 1);
    if (chance(p, 30))
        b = gen_place_node(p, GEN_BOOL, 2, "@3 for @0", b, span(p), NULL, NULL);
    return gen_place_node(p, GEN_BOOL, 1, "@2 until @2", a, b, NULL, NULL);
}

static struct gen_node *window_condition(struct gen_place *p) {
    return call(p, chance(p, 50) ? "any" : "all", GEN_BOOL, window_argument(p, GEN_BOOL));
}

static struct gen_node *vote(struct gen_place *p, int depth) {
    char text[32];
    snprintf(text, sizeof text, "%u of (@1, @1, @1)", 1 + below(p, 3));
    struct gen_node *a = gen_place_condition(p, depth - 1), *b = gen_place_condition(p, depth - 1);
    return gen_place_node(p, GEN_BOOL, 10, text, a, b, gen_place_condition(p, depth - 1), NULL);
}

static struct gen_node *simple_condition(struct gen_place *p, int depth) {
    if (gen_reads_others(p, 15))
        return gen_other_condition(p);
    uint32_t kind = below(p, 100);
    struct gen_node *let = kind < 12 ? some_let(p, GEN_BOOL) : NULL;
    if (let != NULL)
        return let;
    if (kind < 60)
        return comparison(p, depth);
    if (kind < 70)
        return truth_value(p);
    if (kind < 78)
        return word_or_text(p);
    if (kind < 84)
        return quality(p);
    if (kind < 92 && p->windows)
        return chance(p, 50) ? window_condition(p) : change_of_value(p);
    if (!p->still && depth > 0)
        return clock_condition(p, depth);
    return comparison(p, depth);
}

struct gen_node *gen_place_condition(struct gen_place *p, int depth) {
    uint32_t kind = depth > 0 ? below(p, 100) : 0;
    if (kind < 55)
        return simple_condition(p, depth);
    struct gen_node *a;
    if (kind < 65) {
        a = gen_place_condition(p, depth - 1);
        return gen_place_node(p, GEN_BOOL, 4, "@4 and @5", a, gen_place_condition(p, depth - 1),
                              NULL, NULL);
    }
    if (kind < 73) {
        a = gen_place_condition(p, depth - 1);
        if (chance(p, 4))
            return gen_place_node(p, GEN_BOOL, 3, "@3 or unknown", a, NULL, NULL, NULL);
        return gen_place_node(p, GEN_BOOL, 3, "@3 or @4", a, gen_place_condition(p, depth - 1),
                              NULL, NULL);
    }
    if (kind < 78)
        return gen_place_node(p, GEN_BOOL, 5, "not @5", gen_place_condition(p, depth - 1), NULL,
                              NULL, NULL);
    if (kind < 82)
        return vote(p, depth);
    if (kind < 85) {
        a = gen_place_condition(p, depth - 1);
        struct gen_node *b = gen_place_condition(p, depth - 1);
        return gen_place_node(p, GEN_BOOL, 0, "if @1 then @3 else @3", a, b,
                              gen_place_condition(p, depth - 1), NULL);
    }
    return p->still ? simple_condition(p, depth) : temporal(p, depth);
}

/* --- Lets, params, rules ---------------------------------------------------------------------- */

static void make_let(struct gen_place *p, struct gen_let *let, const char *name) {
    p->moved = false;
    let->name = name;
    let->family = chance(p, 45) ? GEN_BOOL : gen_some_family(p);
    if (let->family == GEN_COUNTER || let->family == GEN_PER_SECOND)
        let->family = GEN_BOOL;
    let->value = let->family == GEN_BOOL
                     ? (chance(p, 20) ? temporal(p, 2) : gen_place_condition(p, 2))
                     : gen_place_number(p, let->family, 2);
    bool exact = let->family == GEN_PRESSURE || let->family == GEN_POWER ||
                 let->family == GEN_TEMPERATURE || let->family == GEN_SECONDS;
    if (exact && chance(p, 40))
        let->unit = some_unit(p, let->family);
    /* Windows and previous count as moving: no window stands in a window. */
    let->moves = p->moved || p->windows;
    let->level = p->level;
}

static void make_param(struct gen_case *c, const char *name, enum gen_family family,
                       uint32_t class_index) {
    struct gen_param *param = &c->params[c->n_params];
    struct gen_place p = {.c = c, .class = &c->classes[class_index], .still = true};
    param->name = name;
    param->family = family;
    param->unit = some_unit(&p, family);
    param->value = gen_place_literal(&p, family);
    if (family != GEN_SECONDS && gen_chance(&c->random, 60)) {
        param->class_name = p.class->name;
        param->case_value = gen_place_literal(&p, family);
        param->case_where = gen_place_condition(&p, 0);
        const struct gen_field *own = family == GEN_TEMPERATURE ? gen_some_field(&p, family) : NULL;
        if (own != NULL && own->role == GEN_TAG)
            param->value =
                gen_place_node(&p, family, 10, "coalesce(@3, @3)", gen_leaf(&p, family, own->name),
                               gen_place_literal(&p, family), NULL, NULL);
    }
    c->n_params++;
}

static struct gen_node *raise_condition(struct gen_place *p) {
    uint32_t kind = below(p, 100);
    if (kind < 35)
        return temporal(p, 2);
    return kind < 55 ? comparison(p, 2) : gen_place_condition(p, 3);
}

/* With a deadband a raise has a limit of its dimension and no `until`. */
static struct gen_node *limit_condition(struct gen_place *p, enum gen_family family) {
    struct gen_node *c = comparison_of(p, family, 1);
    while (strstr(c->text.p, "==") != NULL || strstr(c->text.p, "!=") != NULL ||
           strstr(c->text.p, "in (") != NULL)
        c = comparison_of(p, family, 1);
    if (chance(p, 25))
        c = gen_place_node(p, GEN_BOOL, 5, "not @5", c, NULL, NULL, NULL);
    if (chance(p, 20))
        c = gen_place_node(p, GEN_BOOL, 4, "@4 and @5", c, simple_condition(p, 0), NULL, NULL);
    else if (chance(p, 20))
        c = gen_place_node(p, GEN_BOOL, 3, "@3 or @4", c,
                           gen_place_node(p, GEN_BOOL, 2, "@3 for @0", comparison_of(p, family, 0),
                                          span(p), NULL, NULL),
                           NULL, NULL);
    if (chance(p, 40))
        c = gen_place_node(p, GEN_BOOL, 2, "@3 for @0", c, span(p), NULL, NULL);
    return c;
}

static bool has_text(const struct gen_node *n, const char *text) {
    if (strstr(n->text.p, text) != NULL)
        return true;
    for (uint32_t i = 0; i < n->n_kids; i++)
        if (has_text(n->kids[i], text))
            return true;
    return false;
}

static bool condition_uses(const struct gen_rule *rule, const char *name) {
    for (uint32_t i = 0; i < rule->n_raises; i++)
        if (has_text(rule->raises[i].when, name))
            return true;
    return false;
}

static void alarm_options(struct gen_place *p, struct gen_rule *rule) {
    static const char *const policies[] = {"hold", "clear", "raise"};
    static const char *const severities[] = {"info", "low", "medium", "high", "critical"};
    uint32_t first = below(p, 5);
    rule->n_raises = 1 + below(p, GEN_RAISES_MAX);
    if (chance(p, 25)) {
        enum gen_family family;
        do {
            family = gen_some_family(p);
            /* a bare number beside a limit in % would be one of 100 % */
        } while (family == GEN_COUNTER || family == GEN_PER_SECOND ||
                 (family <= GEN_INTEGER && gen_some_field(p, GEN_PERCENT) != NULL));
        rule->deadband =
            literal_at(p, family == GEN_TEMPERATURE ? GEN_KELVIN : family, 1 + below(p, 5));
        struct gen_node *param = family == GEN_TEMPERATURE ? NULL : some_param(p, family);
        if (param != NULL && family != GEN_PLAIN && chance(p, 30))
            rule->deadband = param;
        for (uint32_t i = 0; i < rule->n_raises; i++)
            rule->raises[i].when = limit_condition(p, family);
    }
    for (uint32_t i = 0; i < rule->n_raises; i++) {
        rule->raises[i].severity = severities[(first + i) % 5];
        if (rule->deadband == NULL)
            rule->raises[i].when = raise_condition(p);
    }
    if (chance(p, 30))
        rule->clear_after =
            chance(p, 10) && gen_some_field(p, GEN_SECONDS) != NULL
                ? gen_place_node(p, GEN_SECONDS, 10, "(@3)",
                                 gen_leaf(p, GEN_SECONDS, gen_some_field(p, GEN_SECONDS)->name),
                                 NULL, NULL, NULL)
                : span(p);
    if (rule->clear_after != NULL && rule->n_lets > 0 && rule->lets[0].family == GEN_BOOL &&
        condition_uses(rule, rule->lets[0].name) && chance(p, 50))
        rule->clear_after = gen_place_node(p, GEN_SECONDS, 10, "(if @1 then @3 else @3)",
                                           gen_leaf(p, GEN_BOOL, rule->lets[0].name),
                                           gen_place_literal(p, GEN_SECONDS),
                                           gen_place_literal(p, GEN_SECONDS), NULL);
    if (chance(p, 45))
        rule->on_unknown = policies[below(p, 3)];
}

/* A text in quotes cannot stand in a message. */
static void drop_quoted_slots(struct gen_rule *rule) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < rule->n_slots; i++) {
        if (has_text(rule->slots[i], "\""))
            continue;
        rule->slots[n] = rule->slots[i];
        rule->slot_formats[n++] = rule->slot_formats[i];
    }
    rule->n_slots = n;
}

static void make_slots(struct gen_place *p, struct gen_rule *rule) {
    uint32_t n = below(p, 3);
    for (uint32_t i = 0; i < n; i++) {
        struct gen_place still = *p;
        still.still = true;
        bool own_let =
            rule->n_lets > 0 && chance(p, 60) && condition_uses(rule, rule->lets[0].name);
        enum gen_family family = gen_some_family(&still);
        rule->slot_formats[i] = "";
        if (chance(p, 25)) { /* of any type, keys too */
            rule->slots[i] =
                gen_leaf(p, GEN_FAMILIES, p->class->fields[below(p, p->class->n_fields)].name);
        } else if (own_let) {
            rule->slots[i] = gen_leaf(p, rule->lets[0].family, rule->lets[0].name);
        } else if (family == GEN_COUNTER || family == GEN_PER_SECOND) {
            rule->slots[i] = aggregate(&still, family);
        } else {
            rule->slots[i] = gen_place_number(&still, family, 1);
            rule->slot_formats[i] = chance(p, 50) ? ":.1f" : "";
        }
        rule->n_slots++;
    }
    drop_quoted_slots(rule);
}

static void maybe_flapping(struct gen_case *c, struct gen_rule *rule) {
    static const char *const spans[] = {"20s", "20s", "1m", "2m", "10m", "21s"};
    if (rule->alarm && gen_chance(&c->random, 35))
        rule->flapping = spans[gen_below(&c->random, 6)];
}

static void make_rule(struct gen_case *c) {
    static const char *const let_names[] = {"m1", "m2", "m3", "m4"};
    struct gen_rule *rule = &c->rules[c->n_rules];
    uint32_t class_index = gen_below(&c->random, c->n_classes);
    struct gen_place p = {.c = c,
                          .class = &c->classes[class_index],
                          .class_index = class_index,
                          .rule = rule,
                          .windows = true,
                          .params = true,
                          .level = c->linked ? GEN_LEVELS : 0};
    rule->name = fb_str_printf(c->arena, "r%u", c->n_rules + 1);
    rule->class_index = class_index;
    rule->alarm = chance(&p, 70);
    if (c->linked && chance(&p, 20)) {
        gen_group_rule(&p, rule);
        maybe_flapping(c, rule);
        drop_quoted_slots(rule);
        c->n_rules++;
        return;
    }
    if (chance(&p, 25)) {
        struct gen_place where = p;
        where.windows = chance(&p, 20);
        where.still = chance(&p, 80);
        rule->where = gen_place_condition(&where, where.still ? 1 : 2);
    }
    while (rule->n_lets < 2 && chance(&p, 35)) {
        struct gen_let let = {0};
        make_let(&p, &let, let_names[rule->n_lets]);
        rule->lets[rule->n_lets++] = let;
    }
    if (rule->alarm) {
        alarm_options(&p, rule);
    } else {
        rule->whenever = chance(&p, 40);
        rule->n_raises = 1;
        rule->raises[0].when = rule->whenever ? gen_place_condition(&p, 2) : raise_condition(&p);
        if (rule->whenever && c->linked) { /* what is read of others does not count for it */
            char own[64];
            snprintf(own, sizeof own, "@5 and %s is not bad", any_field(&p, false)->name);
            rule->raises[0].when =
                gen_place_node(&p, GEN_BOOL, 4, own, rule->raises[0].when, NULL, NULL, NULL);
        }
        if (chance(&p, 35)) {
            rule->at_most = 1 + below(&p, 3);
            rule->at_most_s = 5 * (1 + below(&p, 6));
        }
    }
    maybe_flapping(c, rule);
    make_slots(&p, rule);
    rule->response = chance(&p, 20);
    c->n_rules++;
}

void gen_rules(struct gen_case *c) {
    static const char *const let_names[] = {"l1", "l2", "l3", "l4"};
    static const char *const param_names[] = {"limit1", "limit2", "limit3", "delay"};
    static const enum gen_family families[] = {GEN_TEMPERATURE, GEN_PRESSURE, GEN_PERCENT,
                                               GEN_PLAIN, GEN_POWER};
    for (uint32_t i = gen_below(&c->random, 4); i > 0; i--)
        make_param(c, param_names[c->n_params], families[gen_below(&c->random, 5)],
                   gen_below(&c->random, c->n_classes));
    if (gen_chance(&c->random, 50))
        make_param(c, "delay", GEN_SECONDS, 0);
    for (uint32_t i = 0; i < c->n_classes; i++) {
        struct gen_class *class = &c->classes[i];
        struct gen_place p = {.c = c, .class = class, .class_index = i, .params = true};
        while (class->n_lets < 3 && chance(&p, 40)) {
            struct gen_let let = {0};
            p.windows = chance(&p, 40);
            p.still = chance(&p, 50);
            p.level = c->linked && chance(&p, 50) ? 1 + below(&p, GEN_LEVELS - 1) : 0;
            make_let(&p, &let, let_names[class->n_lets]);
            class->lets[class->n_lets++] = let;
        }
        class->reopened = chance(&p, 30);
    }
    uint32_t n = 1 + gen_below(&c->random, GEN_RULES_MAX - 2);
    while (c->n_rules < n)
        make_rule(c);
}

/* --- For actuators and controls --- */

static struct gen_place place_of(struct gen_case *c, uint32_t class_index) {
    return (struct gen_place){.c = c,
                              .class = &c->classes[class_index],
                              .class_index = class_index,
                              .windows = true,
                              .level = c->linked ? GEN_LEVELS - 1 : 0,
                              .params = true};
}

struct gen_node *gen_make(struct gen_case *c, enum gen_family family, int binds, const char *text,
                          struct gen_node *a, struct gen_node *b) {
    struct gen_place p = {.c = c};
    return gen_place_node(&p, family, binds, text, a, b, NULL, NULL);
}

struct gen_node *gen_condition(struct gen_case *c, uint32_t class_index) {
    struct gen_place p = place_of(c, class_index);
    return raise_condition(&p);
}

struct gen_node *gen_plain_condition(struct gen_case *c, uint32_t class_index) {
    struct gen_place p = place_of(c, class_index);
    p.windows = false;
    p.still = true;
    return simple_condition(&p, 0);
}

struct gen_node *gen_number(struct gen_case *c, uint32_t class_index, enum gen_family family) {
    struct gen_place p = place_of(c, class_index);
    return gen_place_number(&p, family, 2);
}

struct gen_node *gen_literal(struct gen_case *c, enum gen_family family) {
    struct gen_place p = {.c = c};
    return gen_place_literal(&p, family);
}
