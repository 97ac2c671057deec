/* Whether two commands can be in force at once, by what their controls start with.
 *
 * Place in the flow: see rules/check_conflict.h.
 *
 * Of each control is found what holds for certain while it is on: the terms of its `where` and
 * `start`, as alternatives where `or` joins them. `c for d` implies c, `a until b` implies not b.
 * Two controls exclude each other where in each pair of their alternatives two terms contradict
 * each other: intervals of one value, a condition and its negation, words or texts of one value.
 * Both terms are then about one value, which is unknown for both at the same time, so that `on
 * unknown hold` does not keep one on beside the other; `on unknown safe` may, unless the terms are
 * about a quality, a tag or a key. Everything else can hold at once. */
#include "rules/check_conflict.h"

#include "engine/model/actuator.h"
#include "rules/limit.h"
#include "rules/lint_internal.h"

enum { TERMS_MAX = 24, ALTERNATIVES_MAX = 12, STEPS_MAX = 1000 };

enum part { WHOLE, BELOW, ABOVE }; /* of `not in a..b`: one of its two sides */

struct term {
    const struct fb_node *node;
    bool no; /* its negation holds */
    enum part part;
};

struct alternative {
    struct term terms[TERMS_MAX];
    uint32_t n;
};

struct state {
    struct alternative items[ALTERNATIVES_MAX];
    uint32_t n;
    int steps;  /* a let may stand twice in the next, so they are counted */
    int splits; /* alternatives inside alternatives */
};

/* ---- what holds while a control is on -------------------------------------------------------- */

static void add(struct state *state, const struct fb_node *node, bool no);

static void add_term(struct state *state, struct term term) {
    for (uint32_t i = 0; i < state->n; i++)
        if (state->items[i].n < TERMS_MAX)
            state->items[i].terms[state->items[i].n++] = term;
}

/* Either of two; where there is no room, neither is known. */
static void add_either(struct state *state, const struct state *one, const struct state *other) {
    if (one->n + other->n > ALTERNATIVES_MAX)
        return;
    state->n = 0;
    for (uint32_t i = 0; i < one->n; i++)
        state->items[state->n++] = one->items[i];
    for (uint32_t i = 0; i < other->n; i++)
        state->items[state->n++] = other->items[i];
}

/* Not a part of add(), whose frames are as many as an expression is deep. */
__attribute__((noinline)) static void add_or(struct state *state, const struct fb_node *node,
                                             bool no) {
    if (state->splits == ALTERNATIVES_MAX)
        return;
    state->splits++;
    struct state one = *state, other = *state;
    state->splits--;
    add(&one, node->a, no);
    other.steps = one.steps;
    add(&other, node->b, no);
    state->steps = other.steps;
    add_either(state, &one, &other);
}

__attribute__((noinline)) static void add_outside(struct state *state, const struct fb_node *node) {
    struct state one = *state, other = *state;
    add_term(&one, (struct term){.node = node, .part = BELOW});
    add_term(&other, (struct term){.node = node, .part = ABOVE});
    add_either(state, &one, &other);
}

/* A comparison of a bool with true or false is the bool, or its negation. */
static const struct fb_node *compared_bool(const struct fb_node *node, bool *no) {
    bool equality = node->kind == FB_N_COMPARE && node->op >= FB_OP_EQ;
    const struct fb_node *literal = !equality                    ? NULL
                                    : node->a->kind == FB_N_BOOL ? node->a
                                    : node->b->kind == FB_N_BOOL ? node->b
                                                                 : NULL;
    if (!literal)
        return NULL;
    *no ^= literal->truth != (node->op == FB_OP_EQ);
    return literal == node->a ? node->b : node->a;
}

/* What `c for d`, `a until b` imply beside themselves; of anything else, all of it. */
static void add_parts(struct state *state, const struct fb_node *node) {
    if (node->kind == FB_N_FOR)
        add(state, node->a, false);
    else if (node->kind == FB_N_UNTIL)
        add(state, node->b, true);
    else
        add(state, node, false);
}

static void add(struct state *state, const struct fb_node *node, bool no) {
    if (state->steps-- <= 0)
        return;
    const struct fb_node *bool_side = compared_bool(node, &no);
    if (bool_side) {
        add(state, bool_side, no);
        return;
    }
    switch (node->kind) {
    case FB_N_NOT:
        add(state, node->a, !no);
        return;
    case FB_N_AND:
    case FB_N_OR:
        if ((node->kind == FB_N_OR) != no) {
            add_or(state, node, no);
        } else {
            add(state, node->a, no);
            add(state, node->b, no);
        }
        return;
    case FB_N_FOR:
    case FB_N_UNTIL:
        add_term(state, (struct term){.node = node, .no = no});
        if (!no)
            add_parts(state, node);
        return;
    case FB_N_NAME:
        add_term(state, (struct term){.node = node, .no = no});
        if (node->ref == FB_REF_LET)
            add(state, node->let->value, no);
        return;
    case FB_N_IN:
        if (node->b && node->negated != no)
            add_outside(state, node);
        else
            add_term(state, (struct term){.node = node, .no = no});
        return;
    default:
        add_term(state, (struct term){.node = node, .no = no});
    }
}

/* `c until b for e` ends only when `not where or b` has held for e, so that it says nothing of
 * either; see M20. */
static bool outlasts(const struct fb_node *start) {
    return start && start->kind == FB_N_UNTIL && start->b->kind == FB_N_FOR;
}

static void find_state(const struct fb_rule_decl *rule, struct state *state) {
    *state = (struct state){.n = 1, .steps = STEPS_MAX};
    if (rule->where && !outlasts(rule->start))
        add(state, rule->where, false);
    if (rule->start && rule->where)
        add_parts(state, rule->start); /* `where` goes into its delay and its latch */
    else if (rule->start)
        add(state, rule->start, false);
}

/* ---- terms that contradict each other -------------------------------------------------------- */

static enum fb_op negated(enum fb_op op) {
    switch (op) {
    case FB_OP_LT:
        return FB_OP_GE;
    case FB_OP_LE:
        return FB_OP_GT;
    case FB_OP_GT:
        return FB_OP_LE;
    case FB_OP_GE:
        return FB_OP_LT;
    case FB_OP_EQ:
        return FB_OP_NE;
    case FB_OP_NE:
        return FB_OP_EQ;
    default:
        return op;
    }
}

/* The limits that a term sets: none, one, or both ends of an interval. */
static uint32_t limits_of(const struct term *term, struct fb_limit limits[2]) {
    if (term->node->kind == FB_N_IN) {
        if (!fb_limit_read_range(term->node, &limits[0], &limits[1]))
            return 0;
        if (term->part == WHOLE)
            return 2;
        if (term->part == ABOVE)
            limits[0] = limits[1];
        limits[0].op = term->part == ABOVE ? FB_OP_GT : FB_OP_LT;
        return 1;
    }
    if (!fb_limit_read(term->node, &limits[0]))
        return 0;
    if (term->no)
        limits[0].op = negated(limits[0].op);
    if (limits[0].op == FB_OP_NE)
        return 0;
    if (limits[0].op != FB_OP_EQ)
        return 1;
    limits[1] = limits[0];
    limits[0].op = FB_OP_GE;
    limits[1].op = FB_OP_LE;
    return 2;
}

static bool limits_contradict(const struct term *a, const struct term *b) {
    struct fb_limit of_a[2], of_b[2];
    uint32_t n_a = limits_of(a, of_a), n_b = limits_of(b, of_b);
    for (uint32_t i = 0; i < n_a; i++)
        for (uint32_t k = 0; k < n_b; k++)
            if (fb_limit_is_above(of_a[i].op) != fb_limit_is_above(of_b[k].op) &&
                fb_limit_same_subject(&of_a[i], &of_b[k]) && !fb_limits_meet(&of_a[i], &of_b[k]))
                return true;
    return false;
}

/* A value that is, or is not, one of some words or texts. */
struct choice {
    const struct fb_node *subject;
    struct fb_node *const *items;
    uint32_t n;
    bool none; /* it is none of them */
};

static bool is_word(const struct fb_node *node) {
    return node->kind == FB_N_TEXT || (node->kind == FB_N_NAME && node->ref == FB_REF_WORD);
}

static bool read_choice(const struct term *term, struct choice *out) {
    struct fb_node *node = (struct fb_node *)term->node;
    if (node->kind == FB_N_COMPARE && node->op >= FB_OP_EQ) {
        bool left = is_word(node->a);
        *out = (struct choice){.subject = left ? node->b : node->a,
                               .items = left ? &node->a : &node->b,
                               .n = 1,
                               .none = (node->op == FB_OP_NE) != term->no};
    } else if (node->kind == FB_N_IN && !node->b) {
        *out = (struct choice){.subject = node->a,
                               .items = node->items,
                               .n = node->n_items,
                               .none = node->negated != term->no};
    } else {
        return false;
    }
    for (uint32_t i = 0; i < out->n; i++)
        if (!is_word(out->items[i]))
            return false;
    return !is_word(out->subject);
}

static bool holds_word(const struct choice *choice, struct fb_str word) {
    for (uint32_t i = 0; i < choice->n; i++)
        if (fb_str_eq(choice->items[i]->text, word))
            return true;
    return false;
}

static bool allows(const struct choice *choice, struct fb_str word) {
    return holds_word(choice, word) != choice->none;
}

static bool choices_contradict(const struct term *a, const struct term *b) {
    struct choice of_a, of_b;
    if (!read_choice(a, &of_a) || !read_choice(b, &of_b) ||
        !fb_lint_equal(of_a.subject, of_b.subject))
        return false;
    const struct fb_type_decl *words = fb_check_words(of_a.subject);
    const struct choice *some = of_a.none ? &of_b : &of_a, *other = some == &of_a ? &of_b : &of_a;
    if (some->none && !words)
        return false; /* there are other texts */
    uint32_t n = some->none ? words->n_words : some->n;
    for (uint32_t i = 0; i < n; i++) {
        struct fb_str word = some->none ? words->words[i] : some->items[i]->text;
        if (allows(some, word) && allows(other, word))
            return false;
    }
    return true;
}

/* Qualities that `x is q` leaves, as a set; `is unknown` is all but good. */
static uint32_t qualities_of(const struct term *term) {
    uint32_t all = (1u << FB_Q_GOOD) | (1u << FB_Q_STALE) | (1u << FB_Q_BAD) | (1u << FB_Q_UNKNOWN);
    uint32_t set =
        term->node->quality == FB_Q_UNKNOWN ? all & ~(1u << FB_Q_GOOD) : 1u << term->node->quality;
    return term->node->negated != term->no ? all & ~set : set;
}

enum exclusion { NOT_EXCLUSIVE, WHERE_KNOWN, ALWAYS };

/* Tags and keys are facts of a device: taken as known. */
static bool is_fact(const struct fb_node *node) {
    if (node->kind == FB_N_COMPARE && is_word(node->a))
        node = node->b;
    else if (node->kind == FB_N_COMPARE || node->kind == FB_N_IN || node->kind == FB_N_MATCHES)
        node = node->a;
    return node->kind == FB_N_NAME && node->ref == FB_REF_FIELD && node->field->role != FB_FIELD;
}

static enum exclusion contradict(const struct term *a, const struct term *b) {
    if (a->node->kind == FB_N_IS && b->node->kind == FB_N_IS &&
        fb_lint_equal(a->node->a, b->node->a))
        return (qualities_of(a) & qualities_of(b)) == 0 ? ALWAYS : NOT_EXCLUSIVE;
    bool opposite =
        a->part == WHOLE && b->part == WHOLE && a->no != b->no && fb_lint_equal(a->node, b->node);
    if (!opposite && !limits_contradict(a, b) && !choices_contradict(a, b))
        return NOT_EXCLUSIVE;
    return is_fact(a->node) ? ALWAYS : WHERE_KNOWN;
}

static enum exclusion exclude(const struct alternative *a, const struct alternative *b) {
    enum exclusion best = NOT_EXCLUSIVE;
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++) {
            enum exclusion here = contradict(&a->terms[i], &b->terms[k]);
            best = here > best ? here : best;
        }
    return best;
}

static enum exclusion states_exclude(const struct state *a, const struct state *b) {
    enum exclusion least = ALWAYS;
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++) {
            enum exclusion here = exclude(&a->items[i], &b->items[k]);
            least = here < least ? here : least;
        }
    return least;
}

bool fb_asked_by_several(const struct fb_rule_decl *rule) {
    return rule->ask && !(rule->ask->each && rule->ask->link);
}

/* What holds of the one commander while it asks: of a mode, that it is in the state. */
static void find_asking(const struct fb_rule_decl *control, struct state *state) {
    const struct fb_rule_decl *rule = control->asked_of;
    if (rule->kind != FB_RULE_MODE) {
        find_state(rule, state);
        return;
    }
    *state = (struct state){.n = 1, .steps = STEPS_MAX};
    if (rule->where)
        add(state, rule->where, false);
}

static enum exclusion never_both(const struct fb_rule_decl *a, const struct fb_rule_decl *b) {
    struct state of_a, of_b;
    find_state(a, &of_a);
    find_state(b, &of_b);
    enum exclusion there = states_exclude(&of_a, &of_b);
    if (!a->ask || !b->ask || fb_asked_by_several(a) || fb_asked_by_several(b) ||
        a->ask->link != b->ask->link)
        return there;
    if (a->asked_of == b->asked_of && a->asked_of->kind == FB_RULE_MODE &&
        a->ask->command.state != b->ask->command.state)
        return ALWAYS;
    find_asking(a, &of_a);
    find_asking(b, &of_b);
    enum exclusion here = states_exclude(&of_a, &of_b);
    return here > there ? here : there;
}

/* ---- commands ------------------------------------------------------------------------------- */

static uint32_t priority_of(const struct fb_command_decl *command) {
    return command->priority ? command->priority : FB_PRIORITY_DEFAULT;
}

/* The value of a constant of the actuator: a word's index, or a number in its unit. */
static bool constant(const struct fb_node *node, const struct fb_actuator_decl *actuator,
                     double *value) {
    if (actuator->type.type != FB_T_ENUM)
        return fb_check_constant(node, actuator->type.unit, value);
    *value = (double)node->word;
    return node->kind == FB_N_NAME && node->ref == FB_REF_WORD;
}

static bool same(double a, double b) {
    return a >= b && a <= b;
}

static bool ask_alike(const struct fb_rule_decl *a, const struct fb_command_decl *of_a,
                      const struct fb_rule_decl *b, const struct fb_command_decl *of_b) {
    const struct fb_actuator_decl *actuator = of_a->actuator;
    double x, y, safe;
    if (of_a->is_step || of_b->is_step)
        return false;
    if (!constant(of_a->value, actuator, &x) || !constant(of_b->value, actuator, &y) || !same(x, y))
        return false;
    bool may_be_safe =
        a != b && (a->on_unknown == FB_UNKNOWN_SAFE || b->on_unknown == FB_UNKNOWN_SAFE);
    return !may_be_safe || (constant(actuator->safe, actuator, &safe) && same(x, safe));
}

/* While what tells them apart is unknown, a control with `on unknown safe` is on. */
static bool meet_while_unknown(const struct fb_rule_decl *a, const struct fb_rule_decl *b) {
    bool safe_a = a->on_unknown == FB_UNKNOWN_SAFE, safe_b = b->on_unknown == FB_UNKNOWN_SAFE;
    return safe_a != safe_b && (safe_a ? b : a)->on_unknown != FB_UNKNOWN_STOP;
}

uint32_t fb_commands_for(const struct fb_checked *checked, uint32_t class_index,
                         const struct fb_actuator_decl *actuator, struct fb_command_of *out,
                         uint32_t most) {
    uint32_t n = 0;
    for (uint32_t r = 0; r < checked->n_rules; r++) {
        const struct fb_rule_decl *rule = checked->rules[r].decl;
        for (uint32_t i = 0; checked->rules[r].class_index == class_index && i < rule->n_commands;
             i++)
            if (rule->commands[i].actuator == actuator && n < most)
                out[n++] = (struct fb_command_of){rule, &rule->commands[i]};
    }
    return n;
}

enum fb_meeting fb_commands_meet(const struct fb_command_of *first,
                                 const struct fb_command_of *second) {
    const struct fb_rule_decl *a = first->rule, *b = second->rule;
    const struct fb_command_decl *of_a = first->command, *of_b = second->command;
    if (!of_a->actuator || of_a->actuator != of_b->actuator ||
        priority_of(of_a) != priority_of(of_b))
        return FB_MEET_NEVER;
    if (a == b && a->kind == FB_RULE_MODE && of_a->state != of_b->state)
        return FB_MEET_NEVER;
    enum exclusion apart = a != b ? never_both(a, b) : NOT_EXCLUSIVE;
    if (apart == ALWAYS || (apart == WHERE_KNOWN && !meet_while_unknown(a, b)))
        return FB_MEET_NEVER;
    if (ask_alike(a, of_a, b, of_b))
        return FB_MEET_ALIKE;
    return apart == WHERE_KNOWN ? FB_MEET_WHILE_UNKNOWN : FB_MEET;
}
