/* What only controls have: commands and how they are rolled out.
 *
 * Place in the flow: third stage of the compiler; parse_rule.c calls it for a clause. */
#include "rules/parser.h"

/* The name behind the last dot. */
static bool actuator_there(struct fb_parser *p, struct fb_ask_decl *ask) {
    return fb_p_name(p, "an actuator's name", &ask->command.target, &ask->command.target_span);
}

/* "where" or ; optional */
static bool targets_where(struct fb_parser *p, struct fb_ask_decl *ask) {
    return !fb_p_accept_word(p, "where") || (ask->where = fb_p_or(p)) != NULL;
}

/* "each" NAME "." NAME [ "by" names ] ; "each" is taken */
static bool each_target(struct fb_parser *p, struct fb_ask_decl *ask) {
    ask->each = true;
    if (!fb_p_name(p, "the name of a device", &ask->device, &ask->device_span) ||
        !fb_p_expect(p, FB_TOK_DOT, "`.` and an actuator's name") || !actuator_there(p, ask)) {
        return false;
    }
    const struct fb_token *first = fb_p_peek(p, 0);
    if (!ask->command.is_step && fb_p_accept_word(p, "by")) {
        bool ok = fb_p_names(p, "the name of a tag", &ask->by, &ask->n_by);
        ask->by_span = fb_p_span_from(p, first);
        return ok;
    }
    return true;
}

/* NAME "." NAME ; the first name, which `ask` has for an actuator's, is taken */
static bool linked_target(struct fb_parser *p, struct fb_ask_decl *ask,
                          const struct fb_token *first) {
    ask->device = ask->command.target;
    ask->device_span = ask->command.target_span;
    fb_p_next(p);
    if (!actuator_there(p, ask)) {
        return false;
    }
    if (!fb_p_is(p, FB_TOK_DOT)) {
        return true;
    }
    fb_diag_add(p->diags, FB_E_LONG_WAY, fb_p_span_from(p, first),
                "let a rule of the device in between command it",
                "a command goes along one link, and here are several");
    return false;
}

/* target ; "command" or "step" is taken. *is_ask: it is one of another device. */
static bool target(struct fb_parser *p, struct fb_ask_decl *ask, bool *is_ask) {
    const struct fb_token *first = fb_p_peek(p, 0);
    *is_ask = fb_p_is_word(p, 0, "each") && fb_p_peek(p, 1)->kind == FB_TOK_NAME;
    if (*is_ask) {
        fb_p_next(p);
        return each_target(p, ask);
    }
    if (!actuator_there(p, ask)) {
        return false;
    }
    *is_ask = fb_p_is(p, FB_TOK_DOT);
    return !*is_ask || linked_target(p, ask, first);
}

/* "at", but for `at most`, which is another clause of the rule */
static bool at_priority(struct fb_parser *p) {
    return !fb_p_is_word(p, 1, "most") && fb_p_accept_word(p, "at");
}

/* "priority" INT ; "at" is taken */
static bool priority(struct fb_parser *p, struct fb_command_decl *command) {
    static const char *const word = "priority";
    if (!fb_p_accept_word(p, word)) {
        return fb_p_unexpected(p, "`priority`",
                               fb_p_is(p, FB_TOK_NUMBER) ? "write `at priority` and the number"
                                                         : fb_p_did_you_mean_here(p, &word, 1));
    }
    command->priority_span = fb_p_span(p, fb_p_peek(p, 0));
    return fb_p_count_or(p, "a priority", "write 9 (goes first) to 16; without it, it is 12",
                         &command->priority);
}

/* "=" expr [ "where" or ] { "at" "priority" INT | "for" dur } */
static bool asked_value(struct fb_parser *p, struct fb_ask_decl *ask) {
    struct fb_command_decl *command = &ask->command;
    if (!fb_p_accept(p, FB_TOK_ASSIGN)) {
        return fb_p_unexpected(
            p, "`=`", fb_p_is_word(p, 0, "where") ? "`where` stands behind the value" : NULL);
    }
    if ((command->value = fb_p_or(p)) == NULL || (ask->each && !targets_where(p, ask))) {
        return false;
    }
    for (;;) {
        struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
        bool ok;
        if (at_priority(p)) {
            fb_p_once(p, command->priority > 0, span, "at priority");
            ok = priority(p, command);
        } else if (fb_p_accept_word(p, "for")) {
            fb_p_once(p, command->pulse != NULL, span, "for");
            ok = (command->pulse = fb_p_dur(p)) != NULL;
        } else {
            return true;
        }
        if (!ok) {
            return false;
        }
    }
}

bool fb_p_command(struct fb_parser *p, struct fb_rule_decl *rule, const struct fb_token *first,
                  bool *is_ask) {
    struct fb_ask_decl ask = {0};
    if (!target(p, &ask, is_ask) || !asked_value(p, &ask)) {
        return false;
    }
    ask.command.span = fb_p_span_from(p, first);
    if (*is_ask) {
        *FB_P_PUSH(p, rule->asks, rule->n_asks) = ask;
    } else {
        *FB_P_PUSH(p, rule->commands, rule->n_commands) = ask.command;
    }
    return true;
}

/* One of the clauses behind `by`. 1: read, 0: something else stands here, -1: reported */
static int step_clause(struct fb_parser *p, struct fb_command_decl *step) {
    struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
    bool ok;
    if (fb_p_accept_word(p, "every")) {
        fb_p_once(p, step->every != NULL, span, "every");
        ok = (step->every = fb_p_dur(p)) != NULL;
    } else if (fb_p_accept_word(p, "within")) {
        fb_p_once(p, step->low != NULL, span, "within");
        ok = fb_p_range(p, &step->low, &step->high);
    } else if (fb_p_accept_word(p, "from")) {
        fb_p_once(p, step->from != NULL, span, "from");
        ok = (step->from = fb_p_or(p)) != NULL;
    } else if (at_priority(p)) {
        fb_p_once(p, step->priority > 0, span, "at priority");
        ok = priority(p, step);
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

/* A step moves from what is accepted there, which its own device's control knows. */
static bool step_target(struct fb_parser *p, struct fb_command_decl *step) {
    struct fb_ask_decl ask = {.command.is_step = true};
    const struct fb_token *first = fb_p_peek(p, 0);
    bool is_ask;
    if (!target(p, &ask, &is_ask)) {
        return false;
    }
    step->target = ask.command.target;
    step->target_span = ask.command.target_span;
    if (!is_ask) {
        return fb_p_accept_word(p, "by") || fb_p_unexpected(p, "`by`", NULL);
    }
    fb_diag_add(p->diags, FB_E_STEP_OF_OTHER, fb_p_span_from(p, first),
                "let a control of that device step, and start it by what is read here",
                "a step is for an actuator of the control's own device");
    return false;
}

bool fb_p_step(struct fb_parser *p, struct fb_rule_decl *rule, const struct fb_token *first) {
    struct fb_command_decl step = {.is_step = true};
    if (!step_target(p, &step) || (step.value = fb_p_or(p)) == NULL) {
        return false;
    }
    int read;
    while ((read = step_clause(p, &step)) > 0) {
    }
    if (read < 0) {
        return false;
    }
    if (step.every == NULL || step.low == NULL) {
        return fb_p_unexpected(p, step.every == NULL ? "`every`" : "`within`",
                               "as in `step valve by 2 % every 10s within 0 % .. 100 %`");
    }
    step.span = fb_p_span_from(p, first);
    *FB_P_PUSH(p, rule->commands, rule->n_commands) = step;
    return true;
}

/* PERCENT of the devices; NULL after a report */
static struct fb_node *share_of_devices(struct fb_parser *p, const char *example) {
    if (!fb_p_is(p, FB_TOK_NUMBER) && !fb_p_is(p, FB_TOK_MINUS)) {
        fb_p_unexpected(p, "a share of the devices, as in 5 %", NULL);
        return NULL;
    }
    struct fb_node *share = fb_p_quantity(p);
    if (share == NULL) {
        return NULL;
    }
    if (!fb_str_eq(share->unit_text, FB_S("%")) || share->value < 0 || share->value > 100) {
        fb_diag_add(p->diags, FB_E_BAD_SHARE, share->span, example,
                    "`%.*s` is not a share in percent", FB_ARG(fb_p_source(p, share->span)));
        return NULL;
    }
    return share;
}

/* PERCENT ; "canary" is taken */
static bool canary(struct fb_parser *p, struct fb_rule_decl *rule) {
    rule->canary_share = share_of_devices(p, "write it as in `rollout canary 5 %`");
    if (rule->canary_share)
        rule->canary = rule->canary_share->value;
    return rule->canary_share != NULL;
}

bool fb_p_fleet(struct fb_parser *p, struct fb_rule_decl *rule, const struct fb_token *first) {
    struct fb_node *share = share_of_devices(p, "write it as in `fleet 5 % per 10m`");
    if (share == NULL || !fb_p_expect_word(p, "per") || (rule->fleet_per = fb_p_dur(p)) == NULL) {
        return false;
    }
    rule->fleet_share = share;
    rule->fleet_span = fb_p_span_from(p, first);
    return true;
}

bool fb_p_rollout(struct fb_parser *p, struct fb_rule_decl *rule, const struct fb_token *first) {
    static const char *const names[] = {"shadow", "canary", "armed"};
    for (unsigned i = 0; i < FB_P_COUNT(names); i++) {
        if (fb_p_accept_word(p, names[i])) {
            rule->rollout = (enum fb_rollout)(FB_ROLLOUT_SHADOW + (int)i);
            bool ok = rule->rollout != FB_ROLLOUT_CANARY || canary(p, rule);
            rule->rollout_span = fb_p_span_from(p, first);
            return ok;
        }
    }
    return fb_p_unexpected(p, "`shadow`, `canary` or `armed`",
                           fb_p_did_you_mean_here(p, names, FB_P_COUNT(names)));
}
