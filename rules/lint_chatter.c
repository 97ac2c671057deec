/* What moves about its limit: alarms that chatter, controls that hunt.
 *
 * Place in the flow: inside lint. What damps is `until`, `deadband`, a delay; a proposal is made
 * from the range of the field. */
#include "engine/base/num.h"
#include "rules/limit.h"
#include "rules/lint_internal.h"

/* Defaults of a field's dimension: share of its range, delay. */
struct habit {
    struct fb_str unit;
    double deadband_percent;
    const char *delay;
};

static const struct habit habits[] = {
    {FB_S("K"), 1, "60s"},    {FB_S("Pa"), 2, "15s"}, {FB_S("m3/s"), 5, "15s"},
    {FB_S("kg/s"), 5, "15s"}, {FB_S("m"), 5, "60s"},  {FB_S("m3"), 5, "60s"},
};

static const struct habit *habit_of(struct fb_units *units, const struct fb_unit *unit) {
    static const struct habit otherwise = {.deadband_percent = 2, .delay = "15s"};
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
        if (fb_unit_agree(unit, fb_unit_find(units, habits[i].unit)))
            return &habits[i];
    return &otherwise;
}

struct chatter {
    bool holds; /* for, until: something damps it */
    const struct fb_field_decl *field;
};

/* Looks at the limits of the condition itself: those inside windows are no limits of the alarm. */
static void find_chatter(const struct fb_node *node, struct chatter *found) {
    if (!node || node->kind == FB_N_CALL)
        return;
    if (node->kind == FB_N_FOR || node->kind == FB_N_UNTIL)
        found->holds = true;
    const struct fb_node *sides[] = {node->a, node->b};
    bool limit = node->kind == FB_N_COMPARE && node->op <= FB_OP_GE && !found->field;
    for (int i = 0; limit && i < 2; i++)
        if (sides[i]->kind == FB_N_NAME && sides[i]->ref == FB_REF_FIELD &&
            sides[i]->type == FB_T_NUMBER)
            found->field = sides[i]->field;
    find_chatter(node->a, found);
    find_chatter(node->b, found);
    find_chatter(node->c, found);
    for (uint32_t i = 0; i < node->n_items; i++)
        find_chatter(node->items[i], found);
}

/* Half a unit in the last of two digits is as exact as a proposal can be. */
static double two_digits(double x) {
    double up = 1, down = 1; /* powers of ten, both whole: 0.1 is not exact */
    for (; x * up < 10; up *= 10) {
    }
    for (; x / down >= 100; down *= 10) {
    }
    return fb_num_round(x * up / down) * down / up;
}

/* The deadband of a field whose range is declared; 0: it is not. */
static double deadband_of(const struct fb_field_decl *field, const struct habit *habit) {
    double low, high;
    if (!field || !field->range_low ||
        !fb_check_constant(field->range_low, field->type.unit, &low) ||
        !fb_check_constant(field->range_high, field->type.unit, &high) || !(high > low))
        return 0;
    return two_digits((high - low) * habit->deadband_percent / 100);
}

static void propose(struct fb_linter *lint, const struct fb_rule_decl *rule,
                    const struct fb_field_decl *field) {
    struct fb_units *units = lint->checked->units;
    const struct habit *habit = habit_of(units, field->type.unit);
    const char *help = fb_lint_print(lint, "try `for %s`", habit->delay);
    double deadband = deadband_of(field, habit);
    if (deadband > 0) {
        char text[FB_NUM_TEXT_MAX + 1];
        text[fb_num_format(deadband, text)] = '\0';
        struct fb_str unit = fb_unit_written(units, fb_unit_difference(units, field->type.unit));
        help =
            fb_lint_print(lint, "try `deadband %s%s%.*s` (%g %% of its range), or `for %s`", text,
                          unit.n ? " " : "", FB_ARG(unit), habit->deadband_percent, habit->delay);
    }
    fb_diag_add(lint->diags, FB_H_CHATTER, rule->name_span, help,
                "a `%.*s` that moves about its limit makes this alarm chatter: it has neither "
                "`deadband`, `until`, `for` nor `clear after`",
                FB_ARG(field->name));
}

/* ---- controls ------------------------------------------------------------------------------- */

/* A limit that a moving value crosses, with nothing that damps it. */
struct hunt {
    bool damped;                 /* for, until */
    const struct fb_node *limit; /* the comparison */
    const struct fb_field_decl *field;
    int steps; /* a let may stand twice in the next, so they are counted */
};

enum { HUNT_STEPS = 1000 };

/* The measured field that a value follows: the field itself, a let of it, what avg and the like
 * make of it, what is computed with it. */
static const struct fb_field_decl *measured(const struct fb_node *node, int *steps) {
    const struct fb_field_decl *found = NULL;
    if (!node || (*steps)-- <= 0)
        return NULL;
    switch (node->kind) {
    case FB_N_NAME:
        if (node->ref == FB_REF_LET)
            return measured(node->let->value, steps);
        return node->ref == FB_REF_FIELD && node->field->role == FB_FIELD &&
                       node->type == FB_T_NUMBER
                   ? node->field
                   : NULL;
    case FB_N_NEGATE:
    case FB_N_PERCENT_OF:
        return measured(node->a, steps);
    case FB_N_ARITH:
        found = measured(node->a, steps);
        return found ? found : measured(node->b, steps);
    case FB_N_CALL: {
        const struct fb_function *f = fb_function_find(node->text);
        if (f->gives == FB_GIVES_SECONDS || f->gives == FB_GIVES_COUNT || f->gives == FB_GIVES_BOOL)
            return NULL;
        for (uint32_t i = 0; i < node->n_args && !found; i++)
            found = measured(node->args[i].expr, steps);
        return found;
    }
    default:
        return NULL;
    }
}

static void find_hunt(const struct fb_node *node, struct hunt *found) {
    if (!node || found->steps-- <= 0 || node->kind == FB_N_CALL)
        return;
    found->damped |= node->kind == FB_N_FOR || node->kind == FB_N_UNTIL;
    bool compares =
        (node->kind == FB_N_COMPARE && node->op <= FB_OP_GE) || (node->kind == FB_N_IN && node->b);
    for (int i = 0; compares && !found->field && i < 2; i++) {
        found->field = measured(i == 0 ? node->a : node->b, &found->steps);
        found->limit = node;
    }
    if (node->kind == FB_N_NAME && node->ref == FB_REF_LET && node->type == FB_T_BOOL)
        find_hunt(node->let->value, found);
    find_hunt(node->a, found);
    find_hunt(node->b, found);
    find_hunt(node->c, found);
    for (uint32_t i = 0; i < node->n_items; i++)
        find_hunt(node->items[i], found);
}

/* "until temp < 23.8 degC", where the field is compared with a constant and has a range. */
static const char *propose_until(struct fb_linter *lint, const struct hunt *hunt) {
    struct fb_units *units = lint->checked->units;
    const struct fb_field_decl *field = hunt->field;
    const struct habit *habit = habit_of(units, field->type.unit);
    double deadband = deadband_of(field, habit);
    struct fb_limit limit;
    char text[FB_NUM_TEXT_MAX + 1];
    if (deadband > 0 && fb_limit_read(hunt->limit, &limit) && !limit.base &&
        limit.value->kind == FB_N_NAME && limit.value->ref == FB_REF_FIELD &&
        fb_unit_same(limit.value->unit, field->type.unit)) {
        bool above = fb_limit_is_above(limit.op);
        double end = limit.offset + (above ? -deadband : deadband);
        text[fb_num_format(end, text)] = '\0';
        struct fb_str unit = fb_unit_written(units, field->type.unit);
        return fb_lint_print(lint, "try `until %.*s %s %s%s%.*s` (%g %% of its range)",
                             FB_ARG(field->name), above ? "<" : ">", text, unit.n ? " " : "",
                             FB_ARG(unit), habit->deadband_percent);
    }
    return fb_lint_print(lint,
                         "add an end on the other side, as in `x > 25 until x < 24`, or "
                         "`for %s`",
                         habit->delay);
}

static bool hunts(const struct fb_node *condition, struct hunt *found) {
    *found = (struct hunt){.steps = HUNT_STEPS};
    find_hunt(condition, found);
    return found->field && !found->damped;
}

struct choices {
    struct fb_linter *lint;
    const struct fb_command_decl *command;
};

static void visit_choice(const struct fb_node *node, void *arg) {
    const struct choices *choices = arg;
    struct hunt found;
    if (node->kind == FB_N_IF && hunts(node->a, &found))
        fb_diag_add(choices->lint->diags, FB_W_HUNTS, found.limit->span,
                    propose_until(choices->lint, &found),
                    "a `%.*s` that moves about its limit makes `%.*s` go back and forth: this "
                    "choice has neither `until` nor `for`",
                    FB_ARG(found.field->name), FB_ARG(choices->command->target));
}

void fb_lint_hunting(struct fb_linter *lint, const struct fb_rule_decl *rule) {
    struct hunt found;
    if (rule->asked_of && rule->where && hunts(rule->where, &found))
        fb_diag_add(lint->diags, FB_W_HUNTS, found.limit->span, propose_until(lint, &found),
                    "a `%.*s` that moves about its limit makes this command come and go: the "
                    "`where` has neither `until` nor `for`",
                    FB_ARG(found.field->name));
    if (rule->start && hunts(rule->start, &found))
        fb_diag_add(lint->diags, FB_W_HUNTS, found.limit->span, propose_until(lint, &found),
                    "a `%.*s` that moves about its limit makes this control hunt: its start has "
                    "neither `until` nor `for`",
                    FB_ARG(found.field->name));
    for (uint32_t i = 0; i < rule->n_commands; i++) {
        struct choices choices = {.lint = lint, .command = &rule->commands[i]};
        fb_lint_visit(rule->commands[i].value, visit_choice, &choices);
    }
    for (uint32_t i = 0; i < rule->n_asks; i++) {
        struct choices choices = {.lint = lint, .command = &rule->asks[i].command};
        fb_lint_visit(rule->asks[i].command.value, visit_choice, &choices);
    }
}

/* ---- alarms --------------------------------------------------------------------------------- */

/* An alarm that commands is a control as well. */
static bool commands_hunt(struct fb_linter *lint, const struct fb_rule_decl *rule) {
    struct hunt found;
    for (uint32_t i = 0; i < rule->n_raises; i++) {
        if (!hunts(rule->raises[i].when, &found))
            continue;
        fb_diag_add(
            lint->diags, FB_W_HUNTS, found.limit->span, propose_until(lint, &found),
            "a `%.*s` that moves about its limit makes what this alarm commands hunt: it has "
            "neither `deadband`, `until`, `for` nor `clear after`",
            FB_ARG(found.field->name));
        return true;
    }
    return false;
}

void fb_lint_alarm_chatter(struct fb_linter *lint, const struct fb_rule_decl *rule) {
    struct chatter found = {0};
    if (rule->kind != FB_RULE_ALARM || rule->deadband || rule->clear_after)
        return;
    if (rule->commands_in && commands_hunt(lint, rule))
        return;
    for (uint32_t i = 0; i < rule->n_raises; i++)
        find_chatter(rule->raises[i].when, &found);
    if (found.field && !found.holds)
        propose(lint, rule, found.field);
}

/* ---- interlocks ----------------------------------------------------------------------------- */

/* Back from safe at once: two words without a minimum, numbers without slew. */
static bool comes_back_at_once(const struct fb_actuator_decl *actuator) {
    if (actuator->lockout)
        return false;
    if (actuator->type.type == FB_T_ENUM)
        return actuator->minimum_off && actuator->minimum_off->span_us == 0;
    return !actuator->slew_up && !actuator->slew_down;
}

void fb_lint_interlock(struct fb_linter *lint, const struct fb_actuator_decl *actuator) {
    struct hunt found;
    if (!actuator->interlock || !comes_back_at_once(actuator) ||
        !hunts(actuator->interlock, &found))
        return;
    fb_diag_add(
        lint->diags, FB_W_HUNTS, found.limit->span, propose_until(lint, &found),
        "a `%.*s` that moves about its limit makes this interlock force `%.*s` to be safe, "
        "and let it go, at each crossing: it has neither `until` nor `for`, and there is no "
        "%s",
        FB_ARG(found.field->name), FB_ARG(actuator->name),
        actuator->type.type == FB_T_ENUM ? "`minimum off` or `lockout`" : "`slew`");
}

/* ---- modes ---------------------------------------------------------------------------------- */

static bool has_stay(const struct fb_rule_decl *mode, const struct fb_go_decl *go) {
    const struct fb_node *stay = mode->states[go->state].stay;
    return stay && stay->span_us > 0 && !go->at_once;
}

/* There and back again by limits of one value that leave no room between them. */
static bool turn_about(const struct fb_go_decl *there, const struct fb_go_decl *back,
                       struct hunt *found) {
    struct hunt first;
    struct fb_limit a, b;
    if (there->to != back->state || back->to != there->state || !there->when || !back->when ||
        !hunts(there->when, &first) || !hunts(back->when, found) ||
        !fb_limit_read(first.limit, &a) || !fb_limit_read(found->limit, &b) ||
        !fb_limit_same_subject(&a, &b))
        return false;
    const struct fb_limit *above = fb_limit_is_above(a.op) ? &a : &b;
    const struct fb_limit *below = above == &a ? &b : &a;
    return fb_limit_is_above(above->op) && fb_limit_is_below(below->op) &&
           above->offset <= below->offset;
}

void fb_lint_mode_hunting(struct fb_linter *lint, const struct fb_rule_decl *mode) {
    struct hunt found;
    for (uint32_t i = 0; i < mode->n_gos; i++)
        for (uint32_t k = 0; k < i; k++) {
            const struct fb_go_decl *there = &mode->gos[k], *back = &mode->gos[i];
            if (has_stay(mode, there) || has_stay(mode, back) || !turn_about(there, back, &found))
                continue;
            fb_diag_add(lint->diags, FB_W_HUNTS, found.limit->span,
                        "leave room between the two limits, or let it `stay` in one of the states",
                        "a `%.*s` that moves about its limit makes `%.*s` go back and forth "
                        "between `%.*s` and `%.*s`",
                        FB_ARG(found.field->name), FB_ARG(mode->name),
                        FB_ARG(mode->states[there->state].name), FB_ARG(there->target));
        }
}
