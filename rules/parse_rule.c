/* Alarms, events and controls.
 *
 * Place in the flow: third stage of the compiler; parse.c calls it. Clauses may come in any order.
 */
#include "rules/parser.h"

/* severity = "info" | "low" | "medium" | "high" | "critical" ; */
static bool severity(struct fb_parser *p, enum fb_severity *value) {
    static const char *const names[] = {"info", "low", "medium", "high", "critical"};
    for (unsigned i = 0; i < FB_P_COUNT(names); i++) {
        if (fb_p_accept_word(p, names[i])) {
            *value = (enum fb_severity)(FB_INFO + i);
            return true;
        }
    }
    const struct fb_token *token = fb_p_peek(p, 0);
    if (token->kind != FB_TOK_NAME || fb_p_is_word(p, 0, "when")) {
        return fb_p_unexpected(p, "a severity: info, low, medium, high or critical", NULL);
    }
    struct fb_str word = fb_p_name_text(p, token);
    const char *help = fb_p_did_you_mean(p, word, names, FB_P_COUNT(names));
    fb_diag_add(p->diags, FB_E_UNKNOWN_SEVERITY, fb_p_span(p, token),
                help != NULL ? help : "the severities are info, low, medium, high and critical",
                "`%.*s` is not a severity", FB_ARG(word));
    return false;
}

/* raise = "raise" severity "when" cond ; the word is taken */
static bool raise_clause(struct fb_parser *p, struct fb_rule_decl *rule,
                         const struct fb_token *first) {
    struct fb_raise_decl raise = {0};
    if (!severity(p, &raise.severity) || !fb_p_expect_word(p, "when") ||
        (raise.when = fb_p_cond(p)) == NULL) {
        return false;
    }
    raise.span = fb_p_span_from(p, first);
    *FB_P_PUSH(p, rule->raises, rule->n_raises) = raise;
    return true;
}

static bool has_item(const struct fb_rule_decl *rule, int kind) {
    for (uint32_t i = 0; i < rule->n_items; i++) {
        if ((int)rule->items[i].kind == kind) {
            return true;
        }
    }
    return false;
}

/* "unknown" ( "hold" | "clear" | "raise" ) of an alarm, ( "hold" | "stop" | "safe" ) of a control;
 * "on" is taken */
static bool on_unknown(struct fb_parser *p, struct fb_rule_decl *rule, struct fb_span span) {
    static const struct {
        const char *name;
        enum fb_on_unknown meant;
        bool of_alarm, of_control;
    } all[] = {{"hold", FB_UNKNOWN_HOLD, true, true},
               {"clear", FB_UNKNOWN_CLEAR, true, false},
               {"raise", FB_UNKNOWN_RAISE, true, false},
               {"stop", FB_UNKNOWN_STOP, false, true},
               {"safe", FB_UNKNOWN_SAFE, false, true}};
    bool is_control = rule->kind == FB_RULE_CONTROL || rule->kind == FB_RULE_MODE;
    fb_p_once(p, has_item(rule, FB_ITEM_ON_UNKNOWN), span, "on unknown");
    if (!fb_p_expect_word(p, "unknown")) {
        return false;
    }
    for (unsigned i = 0; i < FB_P_COUNT(all); i++) {
        if ((is_control ? all[i].of_control : all[i].of_alarm) &&
            fb_p_accept_word(p, all[i].name)) {
            rule->on_unknown = all[i].meant;
            return true;
        }
    }
    return fb_p_unexpected(
        p, is_control ? "`hold`, `stop` or `safe`" : "`hold`, `clear` or `raise`",
        is_control && fb_p_is_word(p, 0, "clear") ? "`stop` withdraws its commands" : NULL);
}

/* "at" "most" INT "per" dur ; of events, of the others of what they command */
static bool at_most_clause(struct fb_parser *p, struct fb_rule_decl *rule,
                           struct fb_rule_item *item) {
    const struct fb_token *first = fb_p_peek(p, 0);
    const char *what = rule->kind == FB_RULE_EVENT ? "a number of events" : "a number of commands";
    fb_p_next(p);
    fb_p_once(p, rule->at_most > 0, fb_p_span(p, first), "at most");
    item->kind = FB_ITEM_AT_MOST;
    bool ok = fb_p_expect_word(p, "most") && fb_p_count(p, what, &rule->at_most) &&
              fb_p_expect_word(p, "per") && (rule->at_most_per = fb_p_dur(p)) != NULL;
    rule->at_most_span = fb_p_span_from(p, first);
    return ok;
}

/* "label" NAME "=" TEXT ; the word is taken */
static bool label(struct fb_parser *p, struct fb_rule_decl *rule) {
    struct fb_label_decl one;
    if (!fb_p_name(p, "the label's name", &one.name, NULL) ||
        !fb_p_expect(p, FB_TOK_ASSIGN, "`=`") ||
        !fb_p_text_literal(p, "a text in double quotes", &one.value)) {
        return false;
    }
    *FB_P_PUSH(p, rule->labels, rule->n_labels) = one;
    return true;
}

static bool rule_let(struct fb_parser *p, struct fb_rule_decl *rule) {
    struct fb_let_decl *one = fb_p_let(p);
    if (one != NULL) {
        *FB_P_PUSH(p, rule->lets, rule->n_lets) = one;
    }
    return one != NULL;
}

/* text = "message" TEXT | "response" TEXT | "label" NAME "=" TEXT ; and let: what all rules share.
 * 1: read, 0: something else stands here, -1: reported */
static int common_item(struct fb_parser *p, struct fb_rule_decl *rule, struct fb_rule_item *item) {
    struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
    bool ok;
    if (fb_p_accept_word(p, "let")) {
        item->kind = FB_ITEM_RULE_LET;
        item->index = rule->n_lets;
        ok = rule_let(p, rule);
    } else if (fb_p_accept_word(p, "message")) {
        fb_p_once(p, rule->message != NULL, span, "message");
        item->kind = FB_ITEM_MESSAGE;
        ok = (rule->message = fb_p_message(p)) != NULL;
    } else if (fb_p_accept_word(p, "response")) {
        fb_p_once(p, rule->response != NULL, span, "response");
        item->kind = FB_ITEM_RESPONSE;
        ok = (rule->response = fb_p_message(p)) != NULL;
    } else if (fb_p_accept_word(p, "label")) {
        item->kind = FB_ITEM_LABEL;
        item->index = rule->n_labels;
        ok = label(p, rule);
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

static const struct fb_p_clause alarm_clauses[] = {
    {"let", "NAME"},   {"raise", "NAME"},   {"deadband", NULL},   {"clear", "after"},
    {"on", "unknown"}, {"command", "NAME"}, {"at", "most"},       {"rollout", "NAME"},
    {"fleet", NULL},   {"message", "TEXT"}, {"response", "TEXT"}, {"label", "NAME"},
    {"suppress", "flapping over"}, {NULL, NULL}};

static bool command_clause(struct fb_parser *p, struct fb_rule_decl *rule,
                           struct fb_rule_item *item) {
    const struct fb_token *first = fb_p_peek(p, 0);
    fb_p_next(p);
    uint32_t commands = rule->n_commands, asks = rule->n_asks;
    bool is_ask = false;
    bool ok = fb_p_command(p, rule, first, &is_ask);
    item->kind = is_ask ? FB_ITEM_ASK : FB_ITEM_COMMAND;
    item->index = is_ask ? asks : commands;
    return ok;
}

/* "suppress" "flapping" "over" dur ; the word is taken */
static bool suppress(struct fb_parser *p, struct fb_rule_decl *rule) {
    if (!fb_p_accept_word(p, "flapping")) {
        return fb_p_unexpected(p, "`flapping`", "it is written `suppress flapping over 20m`");
    }
    return fb_p_expect_word(p, "over") && (rule->flapping = fb_p_dur(p)) != NULL;
}

static bool rollout_clause(struct fb_parser *p, struct fb_rule_decl *rule,
                           struct fb_rule_item *item) {
    const struct fb_token *first = fb_p_peek(p, 0);
    fb_p_next(p);
    fb_p_once(p, rule->rollout != FB_ROLLOUT_NONE, fb_p_span(p, first), "rollout");
    item->kind = FB_ITEM_ROLLOUT;
    return fb_p_rollout(p, rule, first);
}

static bool fleet_clause(struct fb_parser *p, struct fb_rule_decl *rule,
                         struct fb_rule_item *item) {
    const struct fb_token *first = fb_p_peek(p, 0);
    fb_p_next(p);
    fb_p_once(p, rule->fleet_share != NULL, fb_p_span(p, first), "fleet");
    item->kind = FB_ITEM_FLEET;
    return fb_p_fleet(p, rule, first);
}

/* alarm item = let | raise | "deadband" expr | "clear" "after" dur | "suppress" ..
 *            | "on" "unknown" ( "hold" | "clear" | "raise" ) | command | at most | text
 *            | rollout | fleet ;
 * but for let and text. Returns what common_item does. */
static int alarm_item(struct fb_parser *p, struct fb_rule_decl *rule, struct fb_rule_item *item) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_span span = fb_p_span(p, first);
    bool ok;
    if (fb_p_accept_word(p, "raise")) {
        item->kind = FB_ITEM_RAISE;
        item->index = rule->n_raises;
        ok = raise_clause(p, rule, first);
    } else if (fb_p_accept_word(p, "deadband")) {
        fb_p_once(p, rule->deadband != NULL, span, "deadband");
        item->kind = FB_ITEM_DEADBAND;
        ok = (rule->deadband = fb_p_or(p)) != NULL;
        rule->deadband_span = fb_p_span_from(p, first);
    } else if (fb_p_accept_word(p, "clear")) {
        fb_p_once(p, rule->clear_after != NULL, span, "clear after");
        item->kind = FB_ITEM_CLEAR_AFTER;
        ok = fb_p_expect_word(p, "after") && (rule->clear_after = fb_p_dur(p)) != NULL;
    } else if (fb_p_accept_word(p, "suppress")) {
        fb_p_once(p, rule->flapping != NULL, span, "suppress flapping");
        item->kind = FB_ITEM_FLAPPING;
        ok = suppress(p, rule);
    } else if (fb_p_accept_word(p, "on")) {
        item->kind = FB_ITEM_ON_UNKNOWN;
        ok = on_unknown(p, rule, span);
    } else if (fb_p_is_word(p, 0, "command")) {
        ok = command_clause(p, rule, item);
    } else if (fb_p_is_word(p, 0, "at")) {
        ok = at_most_clause(p, rule, item);
    } else if (fb_p_is_word(p, 0, "rollout")) {
        ok = rollout_clause(p, rule, item);
    } else if (fb_p_is_word(p, 0, "fleet")) {
        ok = fleet_clause(p, rule, item);
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

static const struct fb_p_clause event_clauses[] = {
    {"let", "NAME"},     {"when", "LINE"},     {"whenever", NULL}, {"at", "most"},
    {"message", "TEXT"}, {"response", "TEXT"}, {"label", "NAME"},  {NULL, NULL}};

/* event item = let | ( "when" | "whenever" ) cond | at most | text ;
 * but for let and text. Returns what common_item does. */
static int event_item(struct fb_parser *p, struct fb_rule_decl *rule, struct fb_rule_item *item) {
    struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
    bool ok;
    if (fb_p_is_word(p, 0, "when") || fb_p_is_word(p, 0, "whenever")) {
        fb_p_once(p, rule->when != NULL, span, rule->whenever ? "whenever" : "when");
        item->kind = FB_ITEM_WHEN;
        rule->whenever = fb_p_is_word(p, 0, "whenever");
        fb_p_next(p);
        ok = (rule->when = fb_p_cond(p)) != NULL;
    } else if (fb_p_is_word(p, 0, "at")) {
        ok = at_most_clause(p, rule, item);
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

static const struct fb_p_clause control_clauses[] = {
    {"let", "NAME"},     {"start", "when"},    {"command", "NAME"}, {"step", "NAME"},
    {"on", "unknown"},   {"at", "most"},       {"rollout", "NAME"}, {"fleet", NULL},
    {"message", "TEXT"}, {"response", "TEXT"}, {"label", "NAME"},   {NULL, NULL}};

/* control item = let | "start" "when" cond | command | step
 *              | "on" "unknown" ( "hold" | "stop" | "safe" ) | at most | text | rollout
 *              | fleet ;
 * but for let and text. Returns what common_item does. */
static int control_item(struct fb_parser *p, struct fb_rule_decl *rule,
                        struct fb_rule_item *item) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_span span = fb_p_span(p, first);
    bool ok;
    if (fb_p_accept_word(p, "start")) {
        fb_p_once(p, rule->start != NULL, span, "start");
        item->kind = FB_ITEM_START;
        ok = fb_p_expect_word(p, "when") && (rule->start = fb_p_cond(p)) != NULL;
    } else if (fb_p_is_word(p, 0, "command")) {
        ok = command_clause(p, rule, item);
    } else if (fb_p_accept_word(p, "step")) {
        item->kind = FB_ITEM_COMMAND;
        item->index = rule->n_commands;
        ok = fb_p_step(p, rule, first);
    } else if (fb_p_accept_word(p, "on")) {
        item->kind = FB_ITEM_ON_UNKNOWN;
        ok = on_unknown(p, rule, span);
    } else if (fb_p_is_word(p, 0, "at")) {
        ok = at_most_clause(p, rule, item);
    } else if (fb_p_is_word(p, 0, "rollout")) {
        ok = rollout_clause(p, rule, item);
    } else if (fb_p_is_word(p, 0, "fleet")) {
        ok = fleet_clause(p, rule, item);
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

static const struct fb_p_clause mode_clauses[] = {
    {"let", "NAME"},     {"state", "NAME"}, {"on", "unknown"},   {"at", "most"},
    {"rollout", "NAME"}, {"fleet", NULL},   {"message", "TEXT"}, {"response", "TEXT"},
    {"label", "NAME"},   {NULL, NULL}};

/* mode item = let | state | "on" "unknown" ( "hold" | "stop" | "safe" ) | at most | text
 *           | rollout | fleet ;
 * but for let and text. Returns what common_item does. */
static int mode_item(struct fb_parser *p, struct fb_rule_decl *rule, struct fb_rule_item *item) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_span span = fb_p_span(p, first);
    bool ok;
    if (fb_p_accept_word(p, "state")) {
        item->kind = FB_ITEM_STATE;
        item->index = rule->n_states;
        ok = fb_p_state(p, rule, first);
        p->clauses = mode_clauses;
    } else if (fb_p_accept_word(p, "on")) {
        item->kind = FB_ITEM_ON_UNKNOWN;
        ok = on_unknown(p, rule, span);
    } else if (fb_p_is_word(p, 0, "at")) {
        ok = at_most_clause(p, rule, item);
    } else if (fb_p_is_word(p, 0, "rollout")) {
        ok = rollout_clause(p, rule, item);
    } else if (fb_p_is_word(p, 0, "fleet")) {
        ok = fleet_clause(p, rule, item);
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

/* What differs between the kinds of rules, by enum fb_rule_kind. */
static const struct rule_sort {
    const char *word, *article, *name;
    const struct fb_p_clause *clauses;
    int (*item)(struct fb_parser *p, struct fb_rule_decl *rule, struct fb_rule_item *item);
} sorts[] = {[FB_RULE_ALARM] = {"alarm", "an alarm", "the alarm's name", alarm_clauses, alarm_item},
             [FB_RULE_EVENT] = {"event", "an event", "the event's name", event_clauses, event_item},
             [FB_RULE_CONTROL] = {"control", "a control", "the control's name", control_clauses,
                                  control_item},
             [FB_RULE_MODE] = {"mode", "a mode", "the mode's name", mode_clauses, mode_item}};

static bool rule_item(struct fb_parser *p, void *context) {
    struct fb_rule_decl *rule = context;
    const struct rule_sort *sort = &sorts[rule->kind];
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_rule_item item = {.index = 0};
    int read = common_item(p, rule, &item);
    if (read == 0) {
        read = sort->item(p, rule, &item);
    }
    if (read == 0) {
        return fb_p_unknown_clause(p, sort->article, sort->clauses);
    }
    item.span = fb_p_span_from(p, first);
    *FB_P_PUSH(p, rule->items, rule->n_items) = item;
    return read > 0;
}

/* scope = "on" NAME [ "by" NAME ] [ "where" or ] ; `by` of alarms and events only */
static bool scope(struct fb_parser *p, struct fb_rule_decl *rule) {
    if (!fb_p_expect_word(p, "on") ||
        !fb_p_name(p, "a device's name", &rule->class_name, &rule->class_span)) {
        return false;
    }
    if (fb_p_is(p, FB_TOK_COMMA)) {
        fb_diag_add(p->diags, FB_E_SEVERAL_CLASSES, fb_p_span(p, fb_p_peek(p, 0)),
                    "write the rule once for each device",
                    "`on` names one device, `%.*s`; several are not possible",
                    FB_ARG(rule->class_name));
        while (fb_p_accept(p, FB_TOK_COMMA)) {
            fb_p_accept(p, FB_TOK_NAME);
        }
    }
    if (rule->kind != FB_RULE_CONTROL && fb_p_accept_word(p, "by") &&
        !fb_p_name(p, "the name of a tag", &rule->by, &rule->by_span)) {
        return false;
    }
    if (fb_p_accept_word(p, "where")) {
        return (rule->where = fb_p_or(p)) != NULL;
    }
    return true;
}

/* An alarm's rollout and fleet are those of its commands. */
static bool rollout_has_object(struct fb_parser *p, const struct fb_rule_decl *decl) {
    if (decl->fleet_share && decl->n_commands + decl->n_asks == 0)
        fb_diag_add(p->diags, FB_E_ROLLOUT_OF_NOTHING, decl->fleet_span, "leave it out",
                    "the alarm `%.*s` commands nothing, so that `fleet` limits nothing",
                    FB_ARG(decl->name));
    if (decl->rollout != FB_ROLLOUT_NONE && decl->n_commands + decl->n_asks == 0)
        fb_diag_add(p->diags, FB_E_ROLLOUT_OF_NOTHING, decl->rollout_span, "leave it out",
                    "the alarm `%.*s` commands nothing, so there is nothing to roll out",
                    FB_ARG(decl->name));
    return (decl->rollout == FB_ROLLOUT_NONE && !decl->fleet_share) ||
           decl->n_commands + decl->n_asks > 0;
}

/* Its `at most` is that of its commands, too. */
static bool limit_has_object(struct fb_parser *p, const struct fb_rule_decl *decl) {
    if (decl->at_most == 0 || decl->n_commands + decl->n_asks > 0) {
        return true;
    }
    fb_diag_add(p->diags, FB_E_LIMIT_OF_NOTHING, decl->at_most_span,
                "leave it out; for fewer alerts there are `for`, `deadband` and `clear after`",
                "the alarm `%.*s` commands nothing, and `at most` limits what it commands",
                FB_ARG(decl->name));
    return false;
}

/* A rule without the clause that makes it one. */
static bool rule_is_whole(struct fb_parser *p, const struct fb_rule_decl *decl) {
    switch (decl->kind) {
    case FB_RULE_ALARM:
        return (decl->n_raises > 0 ||
                fb_p_missing(p, decl->name_span, "say when it is raised: `raise high when ..`",
                             "alarm", decl->name, "`raise`")) &&
               rollout_has_object(p, decl) && limit_has_object(p, decl);
    case FB_RULE_EVENT:
        return decl->when != NULL ||
               fb_p_missing(p, decl->name_span, "say when it happens: `when ..`", "event",
                            decl->name, "`when`");
    case FB_RULE_MODE:
        return decl->mode_type.n_words > 0 ||
               fb_p_missing(p, decl->name_span, "say what it is in at first: `state NAME { .. }`",
                            "mode", decl->name, "`state`");
    case FB_RULE_CONTROL:
        break;
    }
    return decl->n_commands + decl->n_asks > 0 ||
           fb_p_missing(p, decl->name_span, "say what it asks of an actuator: `command fan = on`",
                        "control", decl->name, "`command`");
}

/* The words of a mode's name in expressions. */
static bool name_states(struct fb_parser *p, struct fb_rule_decl *decl) {
    struct fb_type_decl *type = &decl->mode_type;
    type->type = FB_T_ENUM;
    for (uint32_t i = 0; i < decl->n_states; i++) {
        if (!decl->states[i].any) {
            *FB_P_PUSH(p, type->words, type->n_words) = decl->states[i].name;
        }
    }
    return true;
}

bool fb_p_rule(struct fb_parser *p, struct fb_item *item, enum fb_rule_kind kind) {
    struct fb_rule_decl *decl = FB_ARENA_NEW(p->arena, struct fb_rule_decl);
    const struct rule_sort *sort = &sorts[kind];
    decl->kind = kind;
    item->kind = FB_ITEM_RULE;
    item->rule = decl;
    if (!fb_p_name(p, sort->name, &decl->name, &decl->name_span) || !scope(p, decl)) {
        return false;
    }
    if (!fb_p_is(p, FB_TOK_BEGIN)) {
        const char *before = decl->by.n > 0 || decl->kind == FB_RULE_CONTROL
                                 ? "`where` or `{`"
                                 : "`by`, `where` or `{`";
        return fb_p_unexpected(p, decl->where != NULL ? "an operator or `{`" : before, NULL);
    }
    return fb_p_block(p, sort->word, decl->name, sort->clauses, false, rule_item, decl,
                      &decl->block) &&
           name_states(p, decl) && rule_is_whole(p, decl);
}
