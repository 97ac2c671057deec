/* Random actuators and controls, for half of the seeds; times so short that every guardrail comes
 * to speak within a series of a few minutes. */
#include "tests/oracle/generate.h"

#include "engine/base/calendar.h"
#include "engine/base/num.h"
#include "engine/model/program.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ACTING_SHARE = 50, MODE_SHARE = 50, ALARM_SHARE = 40 }; /* of 100 seeds; of 100 of these */

static bool chance(struct gen_case *c, uint32_t percent) {
    return gen_chance(&c->random, percent);
}

static uint32_t below(struct gen_case *c, uint32_t n) {
    return gen_below(&c->random, n);
}

static const char *some_span(struct gen_case *c) {
    static const char *const spans[] = {"500ms", "1s", "2s", "3s", "5s", "10s", "20s", "1m"};
    return spans[below(c, 8)];
}

/* --- Conditions and values --- */

static struct gen_node *piece(struct gen_case *c, struct gen_node *kid, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static struct gen_node *piece(struct gen_case *c, struct gen_node *kid, const char *format, ...) {
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return gen_make(c, GEN_FAMILIES, 10, text, kid, NULL);
}

/* What an actuator was told last. */
static struct gen_node *about(struct gen_case *c, const struct gen_actuator *a) {
    static const char *const words[] = {"%s == on", "%s == off", "%s != on", "%s is unknown"};
    static const char *const numbers[] = {"%s > @7", "%s >= @7", "%s < @7", "%s is good"};
    char text[64];
    uint32_t kind = below(c, 4);
    bool is_switch = a->family == GEN_WORD;
    snprintf(text, sizeof text, is_switch ? words[kind] : numbers[kind], a->name);
    return gen_make(c, GEN_BOOL, 6, text,
                    !is_switch && kind < 3 ? gen_literal(c, a->family) : NULL, NULL);
}

static const struct gen_actuator *some_actuator(struct gen_case *c, uint32_t class_index,
                                                uint32_t n) {
    const struct gen_actuator *found = NULL;
    for (uint32_t i = 0; i < n; i++)
        if (c->actuators[i].class_index == class_index && (found == NULL || chance(c, 50)))
            found = &c->actuators[i];
    return found;
}

/* Of fields, sometimes of one of the first n actuators, too, also of the one that it is for; of
 * other devices, of their alarms those of the first n_rules. */
static struct gen_node *condition_before(struct gen_case *c, uint32_t class_index, uint32_t n,
                                         uint32_t n_rules) {
    struct gen_node *plain =
        chance(c, 60) ? gen_plain_condition(c, class_index) : gen_condition(c, class_index);
    const struct gen_actuator *a = some_actuator(c, class_index, n);
    struct gen_node *others = n > 0 && c->linked && chance(c, 20)
                                  ? gen_other_acting(c, class_index, false, n_rules)
                                  : NULL;
    if (others != NULL)
        return gen_make(c, GEN_BOOL, 3, chance(c, 50) ? "@3 or @4" : "@4 and @5", plain, others);
    if (a == NULL || !chance(c, 25))
        return plain;
    switch (below(c, 4)) {
    case 0:
        return gen_make(c, GEN_BOOL, 4, "@4 and @5", plain, about(c, a));
    case 1:
        return gen_make(c, GEN_BOOL, 3, "@3 or @4", plain, about(c, a));
    case 2:
        return gen_make(c, GEN_BOOL, 1, "@2 until @2", plain, about(c, a));
    default:
        return gen_make(c, GEN_BOOL, 2, "@3 for 3s", about(c, a), NULL);
    }
}

static struct gen_node *condition(struct gen_case *c, uint32_t class_index, uint32_t n) {
    return condition_before(c, class_index, n, c->n_rules);
}

static struct gen_node *value(struct gen_case *c, const struct gen_actuator *a) {
    if (a->family == GEN_WORD) {
        uint32_t kind = below(c, 10);
        if (kind < 6)
            return gen_make(c, GEN_FAMILIES, 10, "on", NULL, NULL);
        if (kind < 7)
            return gen_make(c, GEN_FAMILIES, 10, "off", NULL, NULL);
        return gen_make(c, GEN_FAMILIES, 0,
                        chance(c, 50) ? "if @1 then on else off" : "if @1 then off else on",
                        condition(c, a->class_index, 0), NULL);
    }
    const struct gen_actuator *there = some_actuator(c, 0, c->n_actuators);
    if (c->linked && a->class_index == 1 && there != NULL && there->family == a->family &&
        chance(c, 40))
        return piece(c, NULL, "pump.%s", there->name);
    return chance(c, 50) ? gen_number(c, a->class_index, a->family) : gen_literal(c, a->family);
}

/* --- Actuators --- */

static void add_clause(struct gen_case *c, struct gen_node **clauses, uint32_t *n,
                       struct gen_node *kid, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static void add_clause(struct gen_case *c, struct gen_node **clauses, uint32_t *n,
                       struct gen_node *kid, const char *format, ...) {
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    clauses[(*n)++] = gen_make(c, GEN_FAMILIES, 0, text, kid, NULL);
}

static void add_clause2(struct gen_case *c, struct gen_control *control, struct gen_node *first,
                        struct gen_node *second, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static void add_clause2(struct gen_case *c, struct gen_control *control, struct gen_node *first,
                        struct gen_node *second, const char *format, ...) {
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    control->clauses[control->n_clauses++] =
        gen_make(c, GEN_FAMILIES, 0, text, first, second);
}

static void switch_clauses(struct gen_case *c, struct gen_actuator *a) {
    struct gen_node **to = a->clauses;
    uint32_t *n = &a->n_clauses;
    const bool safe_off = chance(c, 80);
    add_clause(c, to, n, NULL, "safe %s", safe_off ? "off" : "on");
    a->n_fixed = *n;
    if (chance(c, 20))
        add_clause(c, to, n, NULL, "default %s", chance(c, 60) ? "on" : "off");
    if (chance(c, 85)) {
        static const char *const least[] = {"0s", "0s", "0s", "1s", "2s", "5s", "20s"};
        add_clause(c, to, n, NULL, "minimum on %s, off %s", least[below(c, 7)],
                   least[below(c, 7)]);
    }
    if (chance(c, 25) && safe_off)
        add_clause(c, to, n, NULL, "maximum on %s", some_span(c));
    if (chance(c, 40))
        add_clause(c, to, n, NULL, "starts %u per %s", 1 + below(c, 3),
                   chance(c, 50) ? "30s" : some_span(c));
    if (chance(c, 50))
        add_clause(c, to, n, NULL, "breaker %u reversals in %s, %s %s", 2 + below(c, 3),
                   chance(c, 60) ? "2m" : some_span(c), chance(c, 50) ? "hold" : "safe",
                   some_span(c));
}

static void put_amount(const struct gen_actuator *a, double x, bool step, char *text, size_t n) {
    const char *unit = step && a->family == GEN_TEMPERATURE ? "K" : a->unit;
    snprintf(text, n, "%g%s%s", x, unit[0] != 0 ? " " : "", unit);
}

static void number_clauses(struct gen_case *c, struct gen_actuator *a) {
    struct gen_node **to = a->clauses;
    uint32_t *n = &a->n_clauses;
    char text[64];
    uint32_t low = below(c, 2), high = 3 + below(c, 3);
    a->low = gen_value(a->family, a->unit, low);
    a->high = gen_value(a->family, a->unit, high);
    put_amount(a, gen_value(a->family, a->unit, low + below(c, high - low + 1)), false, text,
               sizeof text);
    add_clause(c, to, n, NULL, "safe %s", text);
    a->n_fixed = *n;
    if (chance(c, 25)) {
        put_amount(a, gen_value(a->family, a->unit, low + below(c, high - low + 1)), false, text,
                   sizeof text);
        add_clause(c, to, n, NULL, "default %s", text);
    }
    double width = a->high - a->low;
    static const double shares[] = {0.02, 0.1, 0.25, 0.5, 1};
    if (chance(c, 50)) {
        static const char *const ways[] = {"", "up ", "down "};
        put_amount(a, width * shares[below(c, 5)], true, text, sizeof text);
        uint32_t way = below(c, 3);
        add_clause(c, to, n, NULL, "slew %s%s per %s", ways[way], text, some_span(c));
        if (way > 0 && chance(c, 50)) {
            put_amount(a, width * shares[below(c, 5)], true, text, sizeof text);
            add_clause(c, to, n, NULL, "slew %s%s per %s", ways[3 - way], text, some_span(c));
        }
    }
    if (chance(c, 40)) {
        put_amount(a, width * shares[1 + below(c, 4)], true, text, sizeof text);
        add_clause(c, to, n, NULL, "ignore steps under %s", text);
    }
    if (chance(c, 40))
        add_clause(c, to, n, NULL, "breaker %u reversals in %s, %s %s", 2 + below(c, 3),
                   chance(c, 60) ? "2m" : some_span(c), chance(c, 50) ? "hold" : "safe",
                   some_span(c));
}

static bool combines(const struct gen_actuator *a) {
    for (uint32_t i = 0; i < a->n_clauses; i++)
        if (strncmp(a->clauses[i]->text.p, "combine", 7) == 0)
            return true;
    return false;
}

static const char *some_failures(struct gen_case *c) {
    static const char *const failures[] = {"", ", stop after 1 failures", ", stop after 2 failures",
                                           ", stop after 3 failures"};
    return failures[below(c, 4)];
}

/* Of a switch any condition, of a number any number that it may be compared with. */
static void make_feedback(struct gen_case *c, struct gen_actuator *a) {
    char text[64];
    if (!chance(c, 35))
        return;
    if (a->family == GEN_WORD) {
        add_clause(c, a->clauses, &a->n_clauses,
                   condition_before(c, a->class_index, c->n_actuators + 1, 0),
                   "feedback @3 after %s%s", some_span(c), some_failures(c));
        return;
    }
    put_amount(a, (a->high - a->low) * (chance(c, 50) ? 0.1 : 0.4), true, text, sizeof text);
    add_clause(c, a->clauses, &a->n_clauses, gen_number(c, a->class_index, a->family),
               "feedback @7 within %s after %s%s", text, some_span(c), some_failures(c));
}

/* By random numbers of its own: a seed that is known for something else stays what it is. */
static void add_feedback(struct gen_case *c, struct gen_actuator *a) {
    struct gen_random others = c->random;
    c->random = (struct gen_random){c->seed * 131 + c->n_actuators};
    make_feedback(c, a);
    c->random = others;
}

static void make_actuator(struct gen_case *c) {
    static const char *const names[] = {"act1", "act2", "act3"};
    static const enum gen_family families[] = {GEN_WORD,        GEN_WORD,  GEN_WORD,
                                               GEN_PERCENT,     GEN_POWER, GEN_PRESSURE,
                                               GEN_TEMPERATURE, GEN_PLAIN};
    static const char *const units[] = {"", "", "", "%", "kW", "bar", "degC", ""};
    static const char *const ways[] = {"min", "max", "safest"};
    static const char *const leases[] = {"3s", "5s", "10s", "31s"};
    struct gen_actuator *a = &c->actuators[c->n_actuators];
    uint32_t kind = below(c, 8);
    a->name = names[c->n_actuators];
    a->family = families[kind];
    a->unit = units[kind];
    a->class_index = below(c, c->n_classes);
    if (a->family == GEN_WORD)
        switch_clauses(c, a);
    else
        number_clauses(c, a);
    struct gen_node **to = a->clauses;
    uint32_t *n = &a->n_clauses;
    if (chance(c, 70))
        add_clause(c, to, n, NULL, "lease %s", leases[below(c, 4)]);
    if (chance(c, 20))
        add_clause(c, to, n, NULL, "deliver within %s", some_span(c));
    if (chance(c, 50))
        add_clause(c, to, n, NULL, "hold at most %s", some_span(c));
    if (chance(c, 50))
        add_clause(c, to, n, NULL, "combine %s", ways[below(c, 3)]);
    if (chance(c, 35))
        add_clause(c, to, n, condition(c, a->class_index, c->n_actuators + 1),
                   "permissive when @1");
    if (chance(c, 35)) {
        add_clause(c, to, n, condition(c, a->class_index, c->n_actuators + 1),
                   "interlock when @1");
        if (a->family == GEN_WORD && chance(c, 50))
            add_clause(c, to, n, NULL, "lockout %s after interlock", some_span(c));
    }
    if (c->seed % 3 == c->n_actuators) /* changes nothing of what is decided */
        add_clause(c, to, n, NULL, "to \"plant.%s\"", a->name);
    add_feedback(c, a);
    c->n_actuators++;
}

/* --- Controls --- */

/* A step of a number; its ends within the actuator's range. */
static void add_step(struct gen_case *c, struct gen_control *control, const struct gen_actuator *a,
                     const char *priority) {
    static const double amounts[] = {0.02, 0.1, 0.3, -0.05, -0.25};
    static const char *const policies[] = {"", " from @0"};
    char by[32], low[32], high[32];
    double width = a->high - a->low;
    put_amount(a, a->low + width * (chance(c, 50) ? 0 : 0.25), false, low, sizeof low);
    put_amount(a, a->low + width * (chance(c, 50) ? 1 : 0.5), false, high, sizeof high);
    put_amount(a, width * amounts[below(c, 5)], true, by, sizeof by);
    bool from = chance(c, 50);
    struct gen_node *first = !from             ? NULL
                             : chance(c, 60)   ? gen_literal(c, a->family)
                                               : gen_number(c, a->class_index, a->family);
    if (chance(c, 50)) {
        char other[32], text[96];
        put_amount(a, -width * amounts[below(c, 5)], true, other, sizeof other);
        snprintf(text, sizeof text, "(if @1 then %s else %s)", by, other);
        struct gen_node *choice =
            gen_make(c, GEN_FAMILIES, 10, text, condition(c, a->class_index, 0), NULL);
        if (from)
            add_clause2(c, control, choice, first,
                        "step %s by @0 every %s within %s .. %s from @0%s", a->name, some_span(c),
                        low, high, priority);
        else
            add_clause(c, control->clauses, &control->n_clauses, choice,
                       "step %s by @0 every %s within %s .. %s%s", a->name, some_span(c), low,
                       high, priority);
        return;
    }
    add_clause(c, control->clauses, &control->n_clauses, first,
               "step %s by %s every %s within %s .. %s%s%s", a->name, by, some_span(c), low, high,
               policies[from], priority);
}

/* A start that has a name, and a message that shows it beside a field. */
static void tell_why(struct gen_case *c, struct gen_control *control) {
    struct gen_node **to = control->clauses;
    const struct gen_class *class = &c->classes[control->class_index];
    const struct gen_field *f = &class->fields[below(c, class->n_fields)];
    add_clause(c, to, &control->n_clauses,
               condition(c, control->class_index, c->n_actuators), "let why = @1");
    add_clause(c, to, &control->n_clauses, gen_plain_condition(c, control->class_index),
               chance(c, 50) ? "start when why" : "start when why or @4");
    add_clause(c, to, &control->n_clauses, NULL, "message \"{device} {rule}: {why}, {%s}\"",
               f->name);
    if (chance(c, 30))
        add_clause(c, to, &control->n_clauses, NULL, "response \"{%s}\"", f->name);
}

/* Few devices share a domain: a budget is one of them, seldom more. */
static struct gen_node *fleet(struct gen_case *c) {
    static const char *const shares[] = {"1", "20", "33.3", "50", "70", "100"};
    static const char *const spans[] = {"500ms", "1s", "2s", "5s", "10s", "20s", "1m", "10m"};
    if (!c->linked || !chance(c, 60))
        return NULL;
    return piece(c, NULL, "fleet %s %% per %s", shares[below(c, 6)], spans[below(c, 8)]);
}

/* --- Commands to other devices --- */

struct way_there {
    const char *text; /* before the actuator's name */
    const char *by;
    uint32_t to; /* class */
    bool one;    /* a target has one commander at most */
};

static struct way_there some_way(struct gen_case *c, uint32_t class_index) {
    static const struct way_there of_pumps[] = {{"each fan", "", 1, true},
                                                {"each fan", " by row", 1, false},
                                                {"each pump", " by row", 0, false},
                                                {"each pump", " by next", 0, true},
                                                {"next", "", 0, false}};
    static const struct way_there of_fans[] = {{"pump", "", 0, false},
                                               {"pump", "", 0, false},
                                               {"each fan", " by row", 1, false},
                                               {"each pump", " by row", 0, false},
                                               {"each fan", " by pump", 1, false}};
    return class_index == 1 ? of_fans[below(c, 5)] : of_pumps[below(c, c->chained ? 5 : 3)];
}

/* Of several commanders without `combine` one would win by chance. */
static struct gen_node *asked_value(struct gen_case *c, const struct gen_actuator *a,
                                    uint32_t class_index, bool any) {
    if (a->family == GEN_WORD && any && chance(c, 25))
        return gen_make(c, GEN_FAMILIES, 0,
                        chance(c, 50) ? "if @1 then on else off" : "if @1 then off else on",
                        condition(c, class_index, 0), NULL);
    if (a->family == GEN_WORD)
        return gen_make(c, GEN_FAMILIES, 10, chance(c, 75) ? "on" : "off", NULL, NULL);
    return any && chance(c, 30) ? gen_number(c, class_index, a->family) : gen_literal(c, a->family);
}

/* NULL: there is nothing to command. */
static struct gen_node *ask(struct gen_case *c, uint32_t class_index,
                            uint32_t used[GEN_ACTUATORS_MAX], uint32_t percent) {
    if (!c->linked || !chance(c, percent))
        return NULL;
    struct way_there way = some_way(c, class_index);
    uint32_t which = below(c, c->n_actuators);
    const struct gen_actuator *a = &c->actuators[which];
    if (a->class_index != way.to || used[which] >= 8)
        return NULL;
    char text[160], behind[32] = "";
    struct gen_node *value = asked_value(c, a, class_index, way.one || combines(a));
    struct gen_node *where =
        strncmp(way.text, "each", 4) == 0 && chance(c, 35) ? gen_plain_condition(c, way.to) : NULL;
    if (chance(c, 20))
        snprintf(behind, sizeof behind, " for %s", some_span(c));
    snprintf(text, sizeof text, "command %s.%s%s = @0%s at priority %u%s", way.text, a->name,
             way.by, where != NULL ? " where @3" : "", 9 + used[which], behind);
    used[which]++;
    return gen_make(c, GEN_FAMILIES, 10, text, value, where);
}

static void make_control(struct gen_case *c, uint32_t used[GEN_ACTUATORS_MAX]) {
    static const char *const rollouts[] = {"rollout armed",      "rollout armed",
                                           "rollout armed",      "rollout shadow",
                                           "rollout canary 50 %", "rollout canary 99.99 %"};
    static const char *const policies[] = {"hold", "stop", "safe"};
    struct gen_control *control = &c->controls[c->n_controls];
    struct gen_node **to = control->clauses;
    uint32_t *n = &control->n_clauses;
    control->name = fb_str_printf(c->arena, "c%u", c->n_controls + 1);
    control->class_index = c->actuators[below(c, c->n_actuators)].class_index;
    control->first = chance(c, 50);
    for (uint32_t i = 0; i < c->n_actuators; i++) {
        const struct gen_actuator *a = &c->actuators[i];
        if (a->class_index != control->class_index || used[i] >= 8 ||
            (*n > 0 && !chance(c, 50)) || (*n == 0 && i + 1 < c->n_actuators && chance(c, 30)))
            continue;
        struct gen_node *x = value(c, a);
        char behind[64] = "";
        uint32_t priority = combines(a) && chance(c, 60) ? 12 : 9 + used[i];
        used[i]++;
        if (priority != 12 || chance(c, 50))
            snprintf(behind, sizeof behind, " at priority %u", priority);
        if (a->family != GEN_WORD && chance(c, 40)) {
            add_step(c, control, a, behind);
            continue;
        }
        if (chance(c, 25))
            snprintf(behind + strlen(behind), sizeof behind - strlen(behind), " for %s",
                     some_span(c));
        add_clause(c, to, n, x, "command %s = @0%s", a->name, behind);
    }
    for (uint32_t i = 0; i < 2; i++)
        if ((to[*n] = ask(c, control->class_index, used, *n == 0 ? 100 : 40)) != NULL)
            ++*n;
    if (*n == 0)
        return;
    control->n_fixed = 1;
    if (chance(c, 25))
        control->where = gen_condition(c, control->class_index);
    if (chance(c, 30))
        tell_why(c, control);
    else if (chance(c, 85))
        add_clause(c, to, n, condition(c, control->class_index, c->n_actuators), "start when @1");
    if (chance(c, 60))
        add_clause(c, to, n, NULL, "on unknown %s", policies[below(c, 3)]);
    if (chance(c, 90))
        add_clause(c, to, n, NULL, "%s", rollouts[below(c, 6)]);
    if ((to[*n] = fleet(c)) != NULL)
        ++*n;
    c->n_controls++;
}

/* --- Modes --- */

/* Clauses behind each other. */
static struct gen_node *beside(struct gen_case *c, struct gen_node *list, struct gen_node *one) {
    if (list == NULL || one == NULL)
        return list == NULL ? one : list;
    return gen_make(c, GEN_FAMILIES, 10, "@0 @0", list, one);
}

/* What a state asks for; priorities are the mode's own, for states exclude each other. */
static struct gen_node *state_command(struct gen_case *c, const struct gen_actuator *a,
                                      uint32_t priority) {
    char by[32], low[32], high[32], behind[32] = "";
    if (a->family != GEN_WORD && chance(c, 30)) {
        double width = a->high - a->low;
        put_amount(a, width * (chance(c, 50) ? 0.1 : -0.25), true, by, sizeof by);
        put_amount(a, a->low, false, low, sizeof low);
        put_amount(a, a->low + width * (chance(c, 50) ? 1 : 0.5), false, high, sizeof high);
        return piece(c, NULL, "step %s by %s every %s within %s .. %s at priority %u", a->name, by,
                     some_span(c), low, high, priority);
    }
    if (chance(c, 20))
        snprintf(behind, sizeof behind, " for %s", some_span(c));
    return piece(c, value(c, a), "command %s = @0 at priority %u%s", a->name, priority, behind);
}

/* Sometimes it reads the state of the mode that it is in, or of one before. */
static struct gen_node *way_condition(struct gen_case *c, const struct gen_control *mode,
                                      uint32_t class_index) {
    struct gen_node *when = condition(c, class_index, c->n_actuators);
    uint32_t which = below(c, c->n_controls + 1);
    if (!chance(c, 15) || !c->controls[which].is_mode ||
        c->controls[which].class_index != mode->class_index)
        return when;
    char text[64];
    snprintf(text, sizeof text, chance(c, 50) ? "@3 or mode%u == s%u" : "@4 and mode%u != s%u",
             which + 1, 1 + below(c, 2));
    return gen_make(c, GEN_BOOL, 3, text, when, NULL);
}

static struct gen_node *way(struct gen_case *c, const struct gen_control *mode, const char *to,
                            uint32_t after) {
    const char *once = chance(c, 20) ? " at once" : "";
    if (chance(c, after))
        return piece(c, NULL, "go %s after %s%s", to, some_span(c), once);
    return piece(c, way_condition(c, mode, mode->class_index), "go %s when @1%s", to, once);
}

static void make_mode(struct gen_case *c, uint32_t used[GEN_ACTUATORS_MAX]) {
    static const char *const policies[] = {"hold", "stop", "safe"};
    static const char *const names[] = {"s1", "s2", "s3"};
    static const char *const rollouts[] = {"armed", "armed", "armed", "shadow", "canary 50 %"};
    struct gen_control *mode = &c->controls[c->n_controls];
    uint32_t priorities[GEN_ACTUATORS_MAX], states = 2 + below(c, 2);
    for (uint32_t i = 0; i < c->n_actuators; i++)
        if (used[i] >= 8)
            return;
    for (uint32_t i = 0; i < c->n_actuators; i++)
        priorities[i] = 9 + used[i]++;
    mode->name = fb_str_printf(c->arena, "mode%u", c->n_controls + 1);
    mode->class_index = c->actuators[below(c, c->n_actuators)].class_index;
    mode->is_mode = true;
    mode->first = chance(c, 50);
    if (chance(c, 20))
        mode->where = gen_condition(c, mode->class_index);
    for (uint32_t i = 0; i < states; i++) {
        const char *next = names[(i + 1) % states], *other = names[(i + states - 1) % states];
        struct gen_node *list = way(c, mode, next, 25);
        for (uint32_t k = 0; k < c->n_actuators; k++)
            if (c->actuators[k].class_index == mode->class_index && chance(c, 60))
                list = beside(c, list, state_command(c, &c->actuators[k], priorities[k]));
        list = beside(c, list, ask(c, mode->class_index, used, 35));
        if (chance(c, 60))
            list = beside(c, list, way(c, mode, other, 40));
        if (chance(c, 40))
            list = beside(c, list, piece(c, NULL, "stay %s", some_span(c)));
        add_clause(c, mode->clauses, &mode->n_clauses, list, "state %s { @0 }", names[i]);
    }
    mode->n_fixed = states;
    if (chance(c, 30))
        add_clause(c, mode->clauses, &mode->n_clauses, way(c, mode, names[below(c, states)], 10),
                   "state any { @0 }");
    if (chance(c, 60))
        add_clause(c, mode->clauses, &mode->n_clauses, NULL, "on unknown %s",
                   policies[below(c, 3)]);
    if (chance(c, 90))
        add_clause(c, mode->clauses, &mode->n_clauses, NULL, "rollout %s", rollouts[below(c, 5)]);
    if ((mode->clauses[mode->n_clauses] = fleet(c)) != NULL)
        mode->n_clauses++;
    c->n_controls++;
}

/* Alarms that read which state a mode is in. */
static void read_modes(struct gen_case *c) {
    for (uint32_t i = 0; i < c->n_rules; i++) {
        struct gen_rule *rule = &c->rules[i];
        for (uint32_t k = 0; k < c->n_controls; k++) {
            if (!c->controls[k].is_mode || c->controls[k].class_index != rule->class_index ||
                rule->deadband != NULL || rule->by != NULL || !chance(c, 40))
                continue;
            char text[64];
            snprintf(text, sizeof text, "mode%u == s%u", k + 1, 1 + below(c, 2));
            struct gen_node *told = gen_make(c, GEN_BOOL, 6, text, NULL, NULL);
            struct gen_node **when = &rule->raises[below(c, rule->n_raises)].when;
            *when = chance(c, 50) ? told : gen_make(c, GEN_BOOL, 3, "@3 or @4", *when, told);
        }
    }
}

/* Alarms that command, as some of the controls do. */
static void add_commands(struct gen_case *c, struct gen_rule *rule,
                         uint32_t used[GEN_ACTUATORS_MAX]) {
    for (uint32_t i = 0; i < c->n_actuators && rule->n_commands + 3 < GEN_COMMANDS_MAX; i++) {
        const struct gen_actuator *a = &c->actuators[i];
        if (a->class_index != rule->class_index || used[i] >= 8 || rule->by != NULL ||
            !chance(c, 50))
            continue;
        uint32_t priority = combines(a) && chance(c, 60) ? 12 : 9 + used[i];
        used[i]++;
        char behind[32] = "";
        if (chance(c, 25))
            snprintf(behind, sizeof behind, " for %s", some_span(c));
        rule->commands[rule->n_commands++] =
            piece(c, value(c, a), "command %s = @0 at priority %u%s", a->name, priority, behind);
    }
    struct gen_node *others = rule->by == NULL ? ask(c, rule->class_index, used, 60) : NULL;
    if (others != NULL)
        rule->commands[rule->n_commands++] = others;
    if (rule->n_commands > 0 && chance(c, 85))
        rule->commands[rule->n_commands++] =
            piece(c, NULL, chance(c, 70) ? "rollout armed" : "rollout canary 50 %%");
    struct gen_node *limit = rule->n_commands > 0 ? fleet(c) : NULL;
    if (limit != NULL)
        rule->commands[rule->n_commands++] = limit;
}

/* Alarms before it in the text, of an event any. */
static void read_alarm(struct gen_case *c, uint32_t i) {
    struct gen_rule *rule = &c->rules[i];
    uint32_t which = below(c, rule->alarm ? i + 1 : c->n_rules);
    const struct gen_rule *other = &c->rules[which];
    if (which == i || !other->alarm || other->class_index != rule->class_index ||
        rule->deadband != NULL || rule->by != NULL || other->by != NULL)
        return;
    char text[64];
    snprintf(text, sizeof text, chance(c, 70) ? "%.*s" : "not %.*s", FB_ARG(other->name));
    struct gen_node *told = gen_make(c, GEN_BOOL, 5, text, NULL, NULL);
    struct gen_node **when = &rule->raises[below(c, rule->n_raises)].when;
    *when = chance(c, 30)   ? told
            : chance(c, 50) ? gen_make(c, GEN_BOOL, 4, "@4 and @5", *when, told)
                            : gen_make(c, GEN_BOOL, 3, "@3 or @4", *when, told);
}

static void alarms_act(struct gen_case *c, uint32_t used[GEN_ACTUATORS_MAX]) {
    for (uint32_t i = 0; i < c->n_rules; i++) {
        if (c->rules[i].alarm && chance(c, 40))
            add_commands(c, &c->rules[i], used);
        if (chance(c, 40))
            read_alarm(c, i);
    }
}

/* Alarms and events that read what was commanded. */
static void read_actuators(struct gen_case *c) {
    for (uint32_t i = 0; i < c->n_rules; i++) {
        struct gen_rule *rule = &c->rules[i];
        const struct gen_actuator *a = some_actuator(c, rule->class_index, c->n_actuators);
        if (a == NULL || rule->deadband != NULL || rule->by != NULL || !chance(c, 30))
            continue;
        struct gen_node **when = &rule->raises[below(c, rule->n_raises)].when;
        struct gen_node *told = about(c, a);
        if (chance(c, 40))
            *when = told;
        else if (chance(c, 50))
            *when = gen_make(c, GEN_BOOL, 4, "@4 and @5", *when, told);
        else
            *when = gen_make(c, GEN_BOOL, 3, "@3 or @4", *when, told);
    }
}

/* Rules that read what other devices are told; alarms only those that stand before them. */
static void read_others(struct gen_case *c) {
    for (uint32_t i = 0; c->linked && i < c->n_rules; i++) {
        struct gen_rule *rule = &c->rules[i];
        if (rule->deadband != NULL || !chance(c, 35))
            continue;
        struct gen_node **when = &rule->raises[below(c, rule->n_raises)].when;
        struct gen_node *told =
            gen_other_acting(c, rule->class_index, rule->by != NULL, rule->alarm ? i : c->n_rules);
        if (told != NULL && rule->whenever)
            *when = gen_make(c, GEN_BOOL, 4, "@4 and @5", *when, told);
        else if (told != NULL)
            *when = chance(c, 40) ? told : gen_make(c, GEN_BOOL, 3, "@3 or @4", *when, told);
    }
}

static struct gen_node *rate(struct gen_case *c) {
    static const char *const spans[] = {"1s", "2s", "5s", "10s", "20s", "1m", "2m", "10m"};
    return piece(c, NULL, "at most %u per %s", 1 + below(c, 3), spans[below(c, 8)]);
}

/* How often rules may command, of two seeds in five, and all together, of one in three; by random
 * numbers of its own, as feedback is. */
static void add_limits(struct gen_case *c) {
    static const uint32_t most[] = {1, 1, 2, 2, 3, 4, 6, 15};
    struct gen_random others = c->random;
    c->random = (struct gen_random){c->seed * 149 + 11};
    bool rates = chance(c, 40);
    for (uint32_t i = 0; rates && i < c->n_controls; i++)
        if (chance(c, 60))
            c->controls[i].clauses[c->controls[i].n_clauses++] = rate(c);
    for (uint32_t i = 0; rates && i < c->n_rules; i++)
        if (c->rules[i].n_commands > 0 && chance(c, 60))
            c->rules[i].commands[c->rules[i].n_commands++] = rate(c);
    if (chance(c, 33))
        c->limit =
            fb_str_printf(c->arena, "commands at most %u per %s", most[below(c, 8)], some_span(c))
                .p;
    c->random = others;
}

void gen_acting(struct gen_case *c) {
    struct gen_random own = {c->seed * 77 + 5}, modes_own = {c->seed * 91 + 7},
                      alarms_own = {c->seed * 57 + 3};
    uint32_t used[GEN_ACTUATORS_MAX] = {0};
    if (!gen_chance(&own, ACTING_SHARE)) {
        read_others(c);
        return;
    }
    bool modes = gen_chance(&modes_own, MODE_SHARE); /* the other seeds stay what they are */
    for (uint32_t n = 1 + below(c, GEN_ACTUATORS_MAX); n > 0; n--)
        make_actuator(c);
    for (uint32_t n = 1 + below(c, GEN_CONTROLS_MAX); n > 0; n--)
        if (modes && chance(c, 60))
            make_mode(c, used);
        else
            make_control(c, used);
    read_actuators(c);
    read_modes(c);
    if (gen_chance(&alarms_own, ALARM_SHARE))
        alarms_act(c, used);
    read_others(c);
    c->fillers = gen_chance(&own, 4);
    add_limits(c);
}

/* --- The wall clock --- */

void gen_walls(struct gen_case *c) {
    static const int64_t lags[] = {0,         0,         30 * FB_SECOND, 60 * FB_SECOND,
                                   -FB_SECOND, FB_MINUTE + 1, 61 * FB_SECOND, 5 * FB_MINUTE};
    static const int64_t most[] = {60, 60, 60, 60, 600, 1, 5, 20};
    bool lagging = c->n_actuators > 0 && chance(c, 60);
    int64_t lag = 0;
    c->max_lag_us = c->n_actuators > 0 ? most[below(c, 8)] * FB_SECOND : FB_MINUTE;
    c->finish_wall_us = FB_NO_TIME;
    for (size_t i = 0; i < c->n_events; i++) {
        if (lagging && chance(c, 8))
            lag = lags[below(c, 8)];
        c->events[i].wall_us = lagging ? c->events[i].clock_us + lag : FB_NO_TIME;
    }
    if (lagging)
        c->finish_wall_us = c->finish_us + lag;
}

/* --- Text --- */

static void put_clauses(struct gen_node *const *clauses, uint32_t n, struct fb_buf *out) {
    for (uint32_t i = 0; i < n; i++) {
        if (clauses[i] == NULL)
            continue;
        fb_buf_text(out, "  ");
        gen_put_node(clauses[i], 0, out);
        fb_buf_char(out, '\n');
    }
    fb_buf_text(out, "}\n");
}

void gen_print_actuators(const struct gen_case *c, struct fb_buf *out) {
    for (uint32_t i = 0; i < c->n_actuators; i++) {
        const struct gen_actuator *a = &c->actuators[i];
        char low[FB_NUM_TEXT_MAX], high[FB_NUM_TEXT_MAX];
        if (a->off)
            continue;
        fb_buf_printf(out, "actuator %s on %s : ", a->name, c->classes[a->class_index].name);
        if (a->family == GEN_WORD) {
            fb_buf_text(out, "(off, on) {\n");
        } else {
            size_t n_low = fb_num_format(a->low, low), n_high = fb_num_format(a->high, high);
            fb_buf_text(out, "number");
            if (a->unit[0] != 0)
                fb_buf_printf(out, " [%s]", a->unit);
            fb_buf_printf(out, " range %.*s..%.*s {\n", (int)n_low, low, (int)n_high, high);
        }
        put_clauses(a->clauses, a->n_clauses, out);
    }
    for (uint32_t i = 0; c->fillers && i < GEN_FILLERS_ACTUATORS; i++)
        fb_buf_printf(out, "actuator filler%u on %s : (off, on) { safe off  lease 10m }\n", i,
                      c->classes[0].name);
}

/* Two of them on some actuators, the second one as a shadow. */
static void print_fillers(const struct gen_case *c, struct fb_buf *out) {
    for (uint32_t i = 0; i < GEN_FILLERS_CONTROLS; i++)
        fb_buf_printf(out,
                      "control filling%u on %s { command filler%u = on at priority %u"
                      "  rollout %s }\n",
                      i, c->classes[0].name, i % GEN_FILLERS_ACTUATORS,
                      9 + i / GEN_FILLERS_ACTUATORS,
                      i < GEN_FILLERS_ACTUATORS ? "armed" : "shadow");
}

void gen_print_controls(const struct gen_case *c, bool first, struct fb_buf *out) {
    for (uint32_t i = 0; i < c->n_controls; i++) {
        const struct gen_control *control = &c->controls[i];
        if (control->off || control->first != first)
            continue;
        fb_buf_printf(out, "%s %.*s on %s", control->is_mode ? "mode" : "control",
                      FB_ARG(control->name), c->classes[control->class_index].name);
        if (control->where != NULL) {
            fb_buf_text(out, " where ");
            gen_put_node(control->where, 3, out);
        }
        fb_buf_text(out, " {\n");
        put_clauses(control->clauses, control->n_clauses, out);
    }
    if (c->fillers && !first)
        print_fillers(c, out);
}
