/* Guardrails of an actuator that do another thing than they seem to.
 *
 * Place in the flow: inside lint; lint_acting.c calls it for each actuator. */
#include "rules/lint_internal.h"

/* ---- minimum beyond maximum ------------------------------------------------------------------ */

static void check_minimum(struct fb_linter *lint, const struct fb_actuator_decl *actuator) {
    const struct fb_node *minimum = actuator->minimum_on, *maximum = actuator->maximum_on;
    int64_t least_us = minimum ? minimum->span_us : FB_MINIMUM_DEFAULT_S * INT64_C(1000000);
    if (!maximum || maximum->span_us >= least_us)
        return;
    const struct fb_str *active = &actuator->type.words[1];
    if (minimum)
        fb_diag_add(
            lint->diags, FB_W_MINIMUM_BEYOND, minimum->span,
            "`maximum on` comes first: make one of them the other's length",
            "`minimum on` is longer than `maximum on`, which ends each run of `%.*s`: it is "
            "`%.*s` for just so long, whatever is asked of it",
            FB_ARG(actuator->name), FB_ARG(*active));
    else
        fb_diag_add(
            lint->diags, FB_W_MINIMUM_BEYOND, maximum->span,
            "say `minimum on` as well, as in `minimum on 5s`",
            "this is shorter than the `minimum on` of %ds that holds where none is written: "
            "`%.*s` is `%.*s` for just so long, whatever is asked of it",
            FB_MINIMUM_DEFAULT_S, FB_ARG(actuator->name), FB_ARG(*active));
}

/* ---- an interlock that reads its own actuator -------------------------------------------------
 */

struct search {
    const struct fb_actuator_decl *actuator;
    const struct fb_node *found;
    int steps; /* a let may stand twice in the next, so they are counted */
};

enum { SEARCH_STEPS = 1000 };

/* Where it may be unknown and make the condition so: not in `is`, nor where `coalesce` has
 * something for that. */
static void find_own(struct search *s, const struct fb_node *node) {
    if (!node || s->found || s->steps-- <= 0 || node->kind == FB_N_IS)
        return;
    if (node->kind == FB_N_CALL && fb_str_eq(node->text, FB_S("coalesce")))
        return;
    if (node->kind == FB_N_NAME && node->ref == FB_REF_ACTUATOR && node->actuator == s->actuator)
        s->found = node;
    else if (node->kind == FB_N_NAME && node->ref == FB_REF_LET)
        find_own(s, node->let->value);
    find_own(s, node->a);
    find_own(s, node->b);
    find_own(s, node->c);
    for (uint32_t i = 0; i < node->n_items; i++)
        find_own(s, node->items[i]);
    for (uint32_t i = 0; i < node->n_args; i++)
        find_own(s, node->args[i].expr);
}

static void check_own_name(struct fb_linter *lint, const struct fb_actuator_decl *actuator) {
    struct search s = {.actuator = actuator, .steps = SEARCH_STEPS};
    if (!actuator->lockout)
        return; /* one command that is safe, and it is known from then on */
    find_own(&s, actuator->interlock);
    if (!s.found)
        return;
    fb_diag_add(lint->diags, FB_W_LOCKED_OUT_FIRST, s.found->span,
                fb_lint_print(lint, "say what it is until then: `coalesce(%.*s == %.*s, false)`",
                              FB_ARG(actuator->name), FB_ARG(actuator->type.words[1])),
                "`%.*s` is unknown before its first command, and may make its interlock so: that "
                "forces it to be safe, and locks it out before it has ever started",
                FB_ARG(actuator->name));
}

void fb_lint_guards(struct fb_linter *lint, const struct fb_actuator_decl *actuator) {
    check_minimum(lint, actuator);
    check_own_name(lint, actuator);
    fb_lint_interlock(lint, actuator);
}
