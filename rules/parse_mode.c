/* What only modes have: states, and the ways between them.
 *
 * Place in the flow: third stage of the compiler; parse_rule.c calls it for a clause. */
#include "rules/parser.h"

/* A state while it is read. */
struct reading {
    struct fb_rule_decl *rule;
    struct fb_state_decl *state;
    uint32_t index;
};

/* go = "go" NAME ( "when" cond | "after" dur ) [ "at" "once" ] ; the word is taken */
static bool go_clause(struct fb_parser *p, struct reading *r, const struct fb_token *first) {
    struct fb_go_decl go = {.state = r->index};
    if (!fb_p_name(p, "a state's name", &go.target, &go.target_span)) {
        return false;
    }
    if (fb_p_accept_word(p, "when")) {
        go.when = fb_p_cond(p);
    } else if (fb_p_accept_word(p, "after")) {
        go.after = fb_p_dur(p);
    } else {
        return fb_p_unexpected(p, "`when` or `after`",
                               "as in `go off when temp < 20 degC` or `go off after 5m`");
    }
    if (go.when == NULL && go.after == NULL) {
        return false;
    }
    if (fb_p_accept_word(p, "at")) {
        if (!fb_p_expect_word(p, "once")) {
            return false;
        }
        go.at_once = true;
    }
    go.span = fb_p_span_from(p, first);
    *FB_P_PUSH(p, r->rule->gos, r->rule->n_gos) = go;
    return true;
}

/* The word is taken; it is known in this state only. */
static bool state_let(struct fb_parser *p, struct reading *r) {
    struct fb_let_decl *let = fb_p_let(p);
    if (let != NULL) {
        let->in_state = r->index + 1;
        *FB_P_PUSH(p, r->rule->lets, r->rule->n_lets) = let;
    }
    return let != NULL;
}

static const struct fb_p_clause state_clauses[] = {{"stay", NULL},   {"command", "NAME"},
                                                   {"step", "NAME"}, {"go", "NAME"},
                                                   {"let", "NAME"},  {NULL, NULL}};

static bool state_item(struct fb_parser *p, void *context) {
    struct reading *r = context;
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_span span = fb_p_span(p, first);
    struct fb_state_item item = {.index = 0};
    struct fb_rule_decl *rule = r->rule;
    bool ok;
    if (fb_p_accept_word(p, "stay")) {
        fb_p_once(p, r->state->stay != NULL, span, "stay");
        item.kind = FB_ITEM_STAY;
        ok = (r->state->stay = fb_p_dur(p)) != NULL;
    } else if (fb_p_is_word(p, 0, "command") || fb_p_is_word(p, 0, "step")) {
        bool step = fb_p_is_word(p, 0, "step"), is_ask = false;
        uint32_t commands = rule->n_commands, asks = rule->n_asks;
        fb_p_next(p);
        ok = step ? fb_p_step(p, rule, first) : fb_p_command(p, rule, first, &is_ask);
        item.kind = is_ask ? FB_ITEM_STATE_ASK : FB_ITEM_STATE_COMMAND;
        item.index = is_ask ? asks : commands;
        if (ok && is_ask) {
            rule->asks[asks].command.state = r->index;
        } else if (ok) {
            rule->commands[commands].state = r->index;
        }
    } else if (fb_p_accept_word(p, "go")) {
        item.kind = FB_ITEM_GO;
        item.index = rule->n_gos;
        ok = go_clause(p, r, first);
    } else if (fb_p_accept_word(p, "let")) {
        item.kind = FB_ITEM_STATE_LET;
        item.index = rule->n_lets;
        ok = state_let(p, r);
    } else {
        return fb_p_unknown_clause(p, "a state", state_clauses);
    }
    item.span = fb_p_span_from(p, first);
    if (ok) {
        *FB_P_PUSH(p, r->state->items, r->state->n_items) = item;
    }
    return ok;
}

bool fb_p_state(struct fb_parser *p, struct fb_rule_decl *rule, const struct fb_token *first) {
    struct fb_state_decl state = {0};
    struct reading r = {rule, &state, rule->n_states};
    if (!fb_p_name(p, "the state's name, or `any`", &state.name, &state.name_span)) {
        return false;
    }
    state.any = fb_str_eq(state.name, FB_S("any"));
    bool ok =
        fb_p_block(p, "state", state.name, state_clauses, false, state_item, &r, &state.block);
    state.span = fb_p_span_from(p, first);
    *FB_P_PUSH(p, rule->states, rule->n_states) = state;
    return ok;
}
