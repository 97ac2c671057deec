/* Controls and actuators: what is right, and probably not meant so.
 *
 * Place in the flow: inside lint. */
#include "engine/base/num.h"
#include "rules/check_conflict.h"
#include "rules/lint_internal.h"

/* ---- controls ------------------------------------------------------------------------------- */

static void check_rollout(struct fb_linter *lint, const struct fb_rule_decl *rule) {
    if (rule->rollout == FB_ROLLOUT_ARMED || rule->rollout == FB_ROLLOUT_CANARY)
        return;
    fb_diag_add(lint->diags, FB_H_NOT_ARMED,
                rule->rollout == FB_ROLLOUT_SHADOW ? rule->rollout_span : rule->name_span,
                "add `rollout armed` when what it decides is right: the shadow topic shows it",
                "`%.*s` decides and sends nothing: its rollout is `shadow`", FB_ARG(rule->name));
}

/* A constant that the range will cut. */
static void check_values(struct fb_linter *lint, const struct fb_command_decl *command) {
    const struct fb_actuator_decl *actuator = command->actuator;
    const struct fb_unit *unit = actuator->type.unit;
    double low, high, x;
    if (actuator->type.type == FB_T_ENUM || command->is_step ||
        !fb_check_constant(command->value, unit, &x) ||
        !fb_check_constant(actuator->range_low, unit, &low) ||
        !fb_check_constant(actuator->range_high, unit, &high) || (x >= low && x <= high))
        return;
    char text[FB_NUM_TEXT_MAX + 1];
    text[fb_num_format(x < low ? low : high, text)] = '\0';
    struct fb_str written = fb_unit_text(unit);
    fb_diag_add(lint->diags, FB_W_COMMAND_OUTSIDE_RANGE, command->value->span, NULL,
                "this lies outside the range of `%.*s`, which makes %s%s%.*s of it",
                FB_ARG(actuator->name), text, written.n ? " " : "", FB_ARG(written));
}

void fb_lint_control(struct fb_linter *lint, const struct fb_rule_decl *rule) {
    if (!rule->asked_of) /* else it is said of the rule that asks */
        check_rollout(lint, rule);
    for (uint32_t i = 0; i < rule->n_commands; i++)
        check_values(lint, &rule->commands[i]);
}

/* ---- modes ----------------------------------------------------------------------------------- */

static bool leads_out(const struct fb_rule_decl *mode, const struct fb_go_decl *go,
                      uint32_t state) {
    return mode->states[go->state].any ? go->to != state : go->state == state;
}

static bool can_be_left(const struct fb_rule_decl *mode, uint32_t state) {
    for (uint32_t i = 0; i < mode->n_gos; i++)
        if (leads_out(mode, &mode->gos[i], state))
            return true;
    return false;
}

/* The states that it can come to, as bits. */
static uint64_t reached(const struct fb_rule_decl *mode) {
    uint32_t first = 0;
    while (mode->states[first].any)
        first++;
    uint64_t set = UINT64_C(1) << first, before = 0;
    while (set != before) {
        before = set;
        for (uint32_t i = 0; i < mode->n_gos; i++)
            if (mode->states[mode->gos[i].state].any || set >> mode->gos[i].state & 1)
                set |= UINT64_C(1) << mode->gos[i].to;
    }
    return set;
}

void fb_lint_mode(struct fb_linter *lint, const struct fb_rule_decl *mode) {
    fb_lint_hunting(lint, mode);
    fb_lint_mode_hunting(lint, mode);
    fb_lint_control(lint, mode);
    uint64_t set = reached(mode);
    for (uint32_t i = 0; i < mode->n_states; i++) {
        const struct fb_state_decl *state = &mode->states[i];
        if (state->any)
            continue;
        if (!can_be_left(mode, i))
            fb_diag_add(lint->diags, FB_W_STATE, state->name_span,
                        "say when it ends: `go NAME when ..`",
                        "`%.*s` stays in `%.*s` for good: no `go` leads out of it",
                        FB_ARG(mode->name), FB_ARG(state->name));
        if (!(set >> i & 1))
            fb_diag_add(lint->diags, FB_W_STATE, state->name_span, "leave it out",
                        "`%.*s` is never in `%.*s`: no `go` leads there", FB_ARG(mode->name),
                        FB_ARG(state->name));
    }
}

/* ---- a permissive that its own actuator makes false ------------------------------------------ */

enum truth { FALSE, TRUE, UNKNOWN };

/* What a condition comes to where the actuator has a value and nothing else is known. */
struct supposed {
    const struct fb_actuator_decl *actuator;
    double value; /* a word: its index */
    int steps;    /* a let may stand twice in the next, so they are counted */
};

enum { SUPPOSE_STEPS = 1000 };

static enum truth not(enum truth x) { return x == UNKNOWN ? UNKNOWN : x == TRUE ? FALSE : TRUE; }

static enum truth and (enum truth a, enum truth b) {
    return a == FALSE || b == FALSE ? FALSE
           : a == TRUE && b == TRUE ? TRUE
                                    : UNKNOWN;
}

static bool is_own(const struct supposed *s, const struct fb_node *node) {
    return node->kind == FB_N_NAME && node->ref == FB_REF_ACTUATOR && node->actuator == s->actuator;
}

static bool value_of(const struct supposed *s, const struct fb_node *node, double *value) {
    if (is_own(s, node)) {
        *value = s->value;
        return true;
    }
    if (node->kind == FB_N_NAME && node->ref == FB_REF_WORD) {
        *value = (double)node->word;
        return true;
    }
    return node->type == FB_T_NUMBER && fb_check_constant(node, s->actuator->type.unit, value);
}

static enum truth compare(const struct supposed *s, const struct fb_node *node) {
    double a, b;
    if ((!is_own(s, node->a) && !is_own(s, node->b)) || !value_of(s, node->a, &a) ||
        !value_of(s, node->b, &b))
        return UNKNOWN;
    switch (node->op) {
    case FB_OP_LT:
        return a < b ? TRUE : FALSE;
    case FB_OP_LE:
        return a <= b ? TRUE : FALSE;
    case FB_OP_GT:
        return a > b ? TRUE : FALSE;
    case FB_OP_GE:
        return a >= b ? TRUE : FALSE;
    case FB_OP_EQ:
        return a >= b && a <= b ? TRUE : FALSE;
    case FB_OP_NE:
        return a < b || a > b ? TRUE : FALSE;
    default:
        return UNKNOWN;
    }
}

static enum truth within(const struct supposed *s, const struct fb_node *node) {
    double x, low, high;
    if (!node->b || !is_own(s, node->a) || !value_of(s, node->a, &x) ||
        !value_of(s, node->b, &low) || !value_of(s, node->c, &high))
        return UNKNOWN;
    return (x >= low && x <= high) != node->negated ? TRUE : FALSE;
}

static enum truth suppose(struct supposed *s, const struct fb_node *node) {
    if (s->steps-- <= 0)
        return UNKNOWN;
    switch (node->kind) {
    case FB_N_NOT:
        return not(suppose(s, node->a));
    case FB_N_AND:
        return and(suppose(s, node->a), suppose(s, node->b));
    case FB_N_OR:
        return not(and(not(suppose(s, node->a)), not(suppose(s, node->b))));
    case FB_N_COMPARE:
        return compare(s, node);
    case FB_N_IN:
        return within(s, node);
    case FB_N_FOR:
        return suppose(s, node->a) == FALSE ? FALSE : UNKNOWN;
    case FB_N_UNTIL:
        return suppose(s, node->b) == TRUE ? FALSE : UNKNOWN;
    case FB_N_NAME:
        return node->ref == FB_REF_LET ? suppose(s, node->let->value) : UNKNOWN;
    default:
        return UNKNOWN;
    }
}

static bool turns_false(const struct fb_actuator_decl *actuator, double value) {
    struct supposed s = {.actuator = actuator, .value = value, .steps = SUPPOSE_STEPS};
    return suppose(&s, actuator->permissive) == FALSE;
}

static void check_permissive(struct fb_linter *lint, const struct fb_actuator_decl *actuator) {
    const struct fb_unit *unit = actuator->type.unit;
    double low, high;
    if (!actuator->permissive)
        return;
    if (actuator->type.type == FB_T_ENUM) {
        if (turns_false(actuator, 1))
            fb_diag_add(lint->diags, FB_W_OWN_PERMISSIVE, actuator->permissive->span,
                        "`minimum off` keeps an actuator from starting again at once",
                        "`%.*s` makes its own permissive false by being %.*s, which gates starts "
                        "only: while it is %.*s there is none",
                        FB_ARG(actuator->name), FB_ARG(actuator->type.words[1]),
                        FB_ARG(actuator->type.words[1]));
        return;
    }
    if (fb_check_constant(actuator->range_low, unit, &low) &&
        fb_check_constant(actuator->range_high, unit, &high) &&
        (turns_false(actuator, low) || turns_false(actuator, high)))
        fb_diag_add(lint->diags, FB_W_OWN_PERMISSIVE, actuator->permissive->span,
                    "limit its value with `range`, or with `clamp(..)` in the command",
                    "`%.*s` can make its own permissive false: from there on only steps towards "
                    "safe are let through",
                    FB_ARG(actuator->name));
}

/* ---- commands for one actuator --------------------------------------------------------------- */

static const char *place_of(struct fb_linter *lint, struct fb_span span) {
    const struct fb_source *source = &lint->checked->tree->sources->files[span.file];
    uint32_t line, column;
    fb_source_place(source, span.start, &line, &column);
    return fb_lint_print(lint, "%.*s:%u", FB_ARG(source->path), line);
}

static void say_alike(struct fb_linter *lint, const struct fb_command_of *first,
                      const struct fb_command_of *second) {
    fb_diag_add(lint->diags, FB_H_SAME_COMMAND, second->command->target_span,
                "harmless as long as both ask for the same; `or` in one control would say it once",
                "`%.*s` and `%.*s` (%s) can ask `%.*s` for the same value at once, at one priority",
                FB_ARG(second->rule->name), FB_ARG(first->rule->name),
                place_of(lint, first->command->span), FB_ARG(second->command->target));
}

/* Looks at each pair of commands for the actuator: whether any can be in force at once. */
static bool check_pairs(struct fb_linter *lint, const struct fb_checked_actuator *checked) {
    struct fb_command_of commands[FB_CLAIMS_MAX];
    uint32_t n = fb_commands_for(lint->checked, checked->class_index, checked->decl, commands,
                                 FB_CLAIMS_MAX);
    bool any = false;
    for (uint32_t i = 0; i < n; i++)
        any |= fb_asked_by_several(commands[i].rule);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < i; k++) {
            enum fb_meeting meeting = fb_commands_meet(&commands[k], &commands[i]);
            any |= meeting != FB_MEET_NEVER;
            if (meeting == FB_MEET_ALIKE && checked->decl->combine == FB_COMBINE_WORD_NONE)
                say_alike(lint, &commands[k], &commands[i]);
        }
    return any;
}

static struct fb_span combine_of(const struct fb_actuator_decl *actuator) {
    for (uint32_t i = 0; i < actuator->n_items; i++)
        if (actuator->items[i].kind == FB_ACT_COMBINE)
            return actuator->items[i].span;
    return actuator->name_span;
}

void fb_lint_actuator(struct fb_linter *lint, const struct fb_checked_actuator *checked) {
    const struct fb_actuator_decl *actuator = checked->decl;
    check_permissive(lint, actuator);
    fb_lint_guards(lint, actuator);
    if (!check_pairs(lint, checked) && actuator->combine != FB_COMBINE_WORD_NONE)
        fb_diag_add(lint->diags, FB_H_COMBINE_UNUSED, combine_of(actuator), "leave it out",
                    "no two commands for `%.*s` can be in force at one priority, so there is "
                    "nothing to combine",
                    FB_ARG(actuator->name));
}
