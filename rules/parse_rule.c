/* Alarms and events.
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

/* "unknown" ( "hold" | "clear" | "raise" ) ; "on" is taken */
static bool on_unknown(struct fb_parser *p, struct fb_rule_decl *rule) {
    static const char *const names[] = {"hold", "clear", "raise"}; /* as enum fb_on_unknown */
    if (!fb_p_expect_word(p, "unknown")) {
        return false;
    }
    for (unsigned i = 0; i < FB_P_COUNT(names); i++) {
        if (fb_p_accept_word(p, names[i])) {
            rule->on_unknown = (enum fb_on_unknown)i;
            return true;
        }
    }
    return fb_p_unexpected(p, "`hold`, `clear` or `raise`", NULL);
}

/* "most" INT "per" dur ; "at" is taken */
static bool at_most(struct fb_parser *p, struct fb_rule_decl *rule) {
    return fb_p_expect_word(p, "most") && fb_p_count(p, "a number of events", &rule->at_most) &&
           fb_p_expect_word(p, "per") && (rule->at_most_per = fb_p_dur(p)) != NULL;
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

/* text = "message" TEXT | "response" TEXT | "label" NAME "=" TEXT ; and let: what alarms and events
 * share. 1: read, 0: something else stands here, -1: reported */
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
    {"let", "NAME"},      {"raise", "NAME"}, {"deadband", NULL},
    {"clear", "after"},   {"on", "unknown"}, {"message", "TEXT"},
    {"response", "TEXT"}, {"label", "NAME"}, {NULL, NULL}};

static bool has_item(const struct fb_rule_decl *rule, int kind) {
    for (uint32_t i = 0; i < rule->n_items; i++) {
        if ((int)rule->items[i].kind == kind) {
            return true;
        }
    }
    return false;
}

/* alarm item = let | raise | "deadband" expr | "clear" "after" dur
 *            | "on" "unknown" ( "hold" | "clear" | "raise" ) | text ;
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
    } else if (fb_p_accept_word(p, "on")) {
        fb_p_once(p, has_item(rule, FB_ITEM_ON_UNKNOWN), span, "on unknown");
        item->kind = FB_ITEM_ON_UNKNOWN;
        ok = on_unknown(p, rule);
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

static const struct fb_p_clause event_clauses[] = {
    {"let", "NAME"},     {"when", "LINE"},     {"whenever", NULL}, {"at", "most"},
    {"message", "TEXT"}, {"response", "TEXT"}, {"label", "NAME"},  {NULL, NULL}};

/* event item = let | ( "when" | "whenever" ) cond | "at" "most" INT "per" dur | text ;
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
    } else if (fb_p_accept_word(p, "at")) {
        fb_p_once(p, rule->at_most > 0, span, "at most");
        item->kind = FB_ITEM_AT_MOST;
        ok = at_most(p, rule);
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

static bool rule_item(struct fb_parser *p, void *context) {
    struct fb_rule_decl *rule = context;
    bool is_alarm = rule->kind == FB_RULE_ALARM;
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_rule_item item = {.index = 0};
    int read = common_item(p, rule, &item);
    if (read == 0) {
        read = is_alarm ? alarm_item(p, rule, &item) : event_item(p, rule, &item);
    }
    if (read == 0) {
        return fb_p_unknown_clause(p, is_alarm ? "an alarm" : "an event",
                                   is_alarm ? alarm_clauses : event_clauses);
    }
    item.span = fb_p_span_from(p, first);
    *FB_P_PUSH(p, rule->items, rule->n_items) = item;
    return read > 0;
}

/* scope = "on" NAME [ "where" or ] ; */
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
    if (fb_p_accept_word(p, "where")) {
        return (rule->where = fb_p_or(p)) != NULL;
    }
    return true;
}

bool fb_p_rule(struct fb_parser *p, struct fb_item *item, enum fb_rule_kind kind) {
    struct fb_rule_decl *decl = FB_ARENA_NEW(p->arena, struct fb_rule_decl);
    bool is_alarm = kind == FB_RULE_ALARM;
    decl->kind = kind;
    item->kind = FB_ITEM_RULE;
    item->rule = decl;
    if (!fb_p_name(p, is_alarm ? "the alarm's name" : "the event's name", &decl->name,
                   &decl->name_span) ||
        !scope(p, decl)) {
        return false;
    }
    if (!fb_p_is(p, FB_TOK_BEGIN)) {
        return fb_p_unexpected(p, decl->where != NULL ? "an operator or `{`" : "`where` or `{`",
                               NULL);
    }
    if (!fb_p_block(p, is_alarm ? "alarm" : "event", decl->name,
                    is_alarm ? alarm_clauses : event_clauses, false, rule_item, decl,
                    &decl->block)) {
        return false;
    }
    if (is_alarm && decl->n_raises == 0) {
        return fb_p_missing(p, decl->name_span, "say when it is raised: `raise high when ..`",
                            "alarm", decl->name, "`raise`");
    }
    if (!is_alarm && decl->when == NULL) {
        return fb_p_missing(p, decl->name_span, "say when it happens: `when ..`", "event",
                            decl->name, "`when`");
    }
    return true;
}
