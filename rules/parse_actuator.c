/* Actuators: an output of a device and its guardrails.
 *
 * Place in the flow: third stage of the compiler; parse.c calls it. Clauses may come in any order.
 */
#include "rules/parser.h"

/* "(" NAME "," NAME ")" ; the bracket is the present token */
static bool two_words(struct fb_parser *p, struct fb_type_decl *type) {
    static const char more[] = "an actuator has two words, the inactive one first; one with more "
                               "steps is a number: `number range 0..3`";
    fb_p_next(p);
    type->type = FB_T_ENUM;
    type->words = FB_ARENA_ARRAY(p->arena, struct fb_str, 2);
    type->n_words = 2;
    if (!fb_p_name(p, "the word of the inactive state", &type->words[0], NULL)) {
        return false;
    }
    if (!fb_p_accept(p, FB_TOK_COMMA)) {
        return fb_p_unexpected(p, "`,` and the word of the active state",
                               fb_p_is(p, FB_TOK_CLOSE) ? more : NULL);
    }
    if (!fb_p_name(p, "the word of the active state", &type->words[1], NULL)) {
        return false;
    }
    return fb_p_accept(p, FB_TOK_CLOSE) ||
           fb_p_unexpected(p, "`)`", fb_p_is(p, FB_TOK_COMMA) ? more : NULL);
}

/* "(" NAME "," NAME ")" | "number" [ unit ] "range" range ; */
static bool type(struct fb_parser *p, struct fb_actuator_decl *decl) {
    if (fb_p_is(p, FB_TOK_OPEN)) {
        return two_words(p, &decl->type);
    }
    if (!fb_p_accept_word(p, "number")) {
        return fb_p_unexpected(p, "two words in brackets or `number`",
                               "an actuator is switched, `(off, on)`, or set, "
                               "`number [kW] range 0..10`");
    }
    decl->type.type = FB_T_NUMBER;
    fb_p_unit(p, &decl->type.unit_text, &decl->type.unit_span);
    if (!fb_p_accept_word(p, "range")) {
        return fb_p_unexpected(p, decl->type.unit_text.n > 0 ? "`range`"
                                                             : "a unit in brackets or `range`",
                               "what an actuator may be set to has two ends: `range 0..100`");
    }
    return fb_p_range(p, &decl->range_low, &decl->range_high);
}

/* "minimum" ( "on" | "off" ) dur { "," ( "on" | "off" ) dur } ; the word is taken */
static bool minimum(struct fb_parser *p, struct fb_actuator_decl *decl) {
    do {
        struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
        bool on = fb_p_is_word(p, 0, "on");
        if (!on && !fb_p_is_word(p, 0, "off")) {
            return fb_p_unexpected(p, "`on` or `off`",
                                   "it says how long each state lasts at least: "
                                   "`minimum on 3m, off 5m`");
        }
        fb_p_next(p);
        struct fb_node **place = on ? &decl->minimum_on : &decl->minimum_off;
        fb_p_once(p, *place != NULL, span, on ? "minimum on" : "minimum off");
        if ((*place = fb_p_dur(p)) == NULL) {
            return false;
        }
    } while (fb_p_accept(p, FB_TOK_COMMA));
    return true;
}

/* "slew" [ "up" | "down" ] sum "per" dur ; the word is taken; without either it is both */
static bool slew(struct fb_parser *p, struct fb_actuator_decl *decl, struct fb_span span) {
    bool up = fb_p_accept_word(p, "up");
    bool down = !up && fb_p_accept_word(p, "down");
    if (!down) {
        fb_p_once(p, decl->slew_up != NULL, span, up ? "slew up" : "slew");
    }
    if (!up && (down || decl->slew_up == NULL)) {
        fb_p_once(p, decl->slew_down != NULL, span, down ? "slew down" : "slew");
    }
    struct fb_node *step = fb_p_sum(p), *per;
    if (step == NULL || !fb_p_expect_word(p, "per") || (per = fb_p_dur(p)) == NULL) {
        return false;
    }
    if (!down) {
        decl->slew_up = step;
        decl->slew_up_per = per;
    }
    if (!up) {
        decl->slew_down = step;
        decl->slew_down_per = per;
    }
    return true;
}

/* "lockout" dur "after" "interlock" ; the word is taken */
static bool lockout(struct fb_parser *p, struct fb_actuator_decl *decl) {
    if (fb_p_is_word(p, 0, "after")) {
        return fb_p_unexpected(p, "a duration, as in 30s or 1h30m", NULL);
    }
    if ((decl->lockout = fb_p_dur(p)) == NULL) {
        return false;
    }
    if (!fb_p_accept_word(p, "after")) {
        return fb_p_unexpected(p, "`after`", "it is written `lockout 5m after interlock`");
    }
    return fb_p_expect_word(p, "interlock");
}

/* "breaker" INT "reversals" "in" dur "," ( "hold" | "safe" ) dur ; the word is taken */
static bool breaker(struct fb_parser *p, struct fb_actuator_decl *decl) {
    static const char whole[] = "a breaker says when it opens and what it does then: "
                                "`breaker 4 reversals in 10m, hold 30m`";
    if (!fb_p_count(p, "a number of reversals", &decl->reversals) ||
        !fb_p_expect_word(p, "reversals") || !fb_p_expect_word(p, "in") ||
        (decl->reversals_in = fb_p_dur(p)) == NULL) {
        return false;
    }
    if (!fb_p_accept(p, FB_TOK_COMMA)) {
        return fb_p_unexpected(p, "`,`", whole);
    }
    decl->breaker_safe = fb_p_accept_word(p, "safe");
    if (!decl->breaker_safe && !fb_p_accept_word(p, "hold")) {
        return fb_p_unexpected(p, "`hold` or `safe`", whole);
    }
    return (decl->breaker_for = fb_p_dur(p)) != NULL;
}

/* "combine" ( "min" | "max" | "safest" ) ; the word is taken */
static bool combine(struct fb_parser *p, struct fb_actuator_decl *decl) {
    static const char *const names[] = {"min", "max", "safest"};
    for (unsigned i = 0; i < FB_P_COUNT(names); i++) {
        if (fb_p_accept_word(p, names[i])) {
            decl->combine = (enum fb_combine_word)(FB_COMBINE_WORD_MIN + (int)i);
            return true;
        }
    }
    fb_p_unexpected(p, "`min`, `max` or `safest`",
                    fb_p_did_you_mean_here(p, names, FB_P_COUNT(names)));
    if (!fb_p_at_clause(p)) {
        fb_p_accept(p, FB_TOK_NAME); /* `safe` would be a clause */
    }
    return false;
}

/* "," "stop" "after" INT "failures" ; the comma is taken */
static bool stop_after(struct fb_parser *p, struct fb_actuator_decl *decl) {
    static const char whole[] = "it is written `feedback running after 15s, stop after 3 failures`";
    if (!fb_p_accept_word(p, "stop")) {
        return fb_p_unexpected(p, "`stop`", whole);
    }
    if (!fb_p_expect_word(p, "after") ||
        !fb_p_count_or(p, "a number of failures", whole, &decl->failures)) {
        return false;
    }
    return fb_p_accept_word(p, "failures") || fb_p_unexpected(p, "`failures`", whole);
}

/* "feedback" expr [ "within" sum ] "after" dur [ "," "stop" .. ] ; the word is taken */
static bool feedback(struct fb_parser *p, struct fb_actuator_decl *decl) {
    struct fb_node *expr = fb_p_or(p), *within = NULL, *after;
    if (expr == NULL || (fb_p_accept_word(p, "within") && (within = fb_p_sum(p)) == NULL)) {
        return false;
    }
    if (!fb_p_accept_word(p, "after")) {
        return fb_p_unexpected(p, within != NULL ? "an operator or `after`"
                                                 : "an operator, `within` or `after`",
                               "say how long the equipment may take: `feedback running after 15s`, "
                               "`feedback speed within 8 % after 60s`");
    }
    if ((after = fb_p_dur(p)) == NULL || !fb_p_feedback_fits(p, expr) ||
        !fb_p_feedback_fits(p, within) || !fb_p_feedback_fits(p, after)) {
        return false;
    }
    decl->feedback = expr;
    decl->feedback_within = within;
    decl->feedback_after = after;
    return !fb_p_accept(p, FB_TOK_COMMA) || stop_after(p, decl);
}

static const struct fb_p_clause actuator_clauses[] = {
    {"to", NULL},          {"safe", NULL},
    {"default", NULL},     {"minimum", "NAME"},
    {"maximum", "on"},     {"starts", NULL},
    {"slew", NULL},        {"ignore", "steps under"},
    {"lease", NULL},       {"deliver", "within"},
    {"hold", "at most"},   {"combine", "NAME"},
    {"feedback", NULL},    {"permissive", "when"},
    {"interlock", "when"}, {"lockout", NULL},
    {"breaker", NULL},     {NULL, NULL}};

/* "to" TEXT ; the word is taken */
static bool to(struct fb_parser *p, struct fb_actuator_decl *decl, struct fb_span span) {
    struct fb_span text = fb_p_span(p, fb_p_peek(p, 0));
    fb_p_once(p, decl->to_span.end > 0, span, "to");
    if (!fb_p_text_literal(p, "a topic in double quotes", &decl->to))
        return false;
    decl->to_span = text;
    return true;
}

/* "to" TEXT | "safe" sum | "default" sum | "ignore" "steps" "under" sum | "slew" .. | "combine" ..
 * : where its value goes and what it is set to. 1: read, 0: something else stands here, -1:
 * reported */
static int value_item(struct fb_parser *p, struct fb_actuator_decl *decl,
                      struct fb_actuator_item *item) {
    struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
    bool ok;
    if (fb_p_accept_word(p, "to")) {
        item->kind = FB_ACT_TO;
        ok = to(p, decl, span);
    } else if (fb_p_accept_word(p, "safe")) {
        fb_p_once(p, decl->safe != NULL, span, "safe");
        item->kind = FB_ACT_SAFE;
        ok = (decl->safe = fb_p_sum(p)) != NULL;
    } else if (fb_p_accept_word(p, "default")) {
        fb_p_once(p, decl->default_value != NULL, span, "default");
        item->kind = FB_ACT_DEFAULT;
        ok = (decl->default_value = fb_p_sum(p)) != NULL;
    } else if (fb_p_accept_word(p, "ignore")) {
        fb_p_once(p, decl->ignore_under != NULL, span, "ignore steps under");
        item->kind = FB_ACT_IGNORE;
        ok = fb_p_expect_word(p, "steps") && fb_p_expect_word(p, "under") &&
             (decl->ignore_under = fb_p_sum(p)) != NULL;
    } else if (fb_p_accept_word(p, "slew")) {
        item->kind = FB_ACT_SLEW;
        ok = slew(p, decl, span);
    } else if (fb_p_accept_word(p, "combine")) {
        fb_p_once(p, decl->combine != FB_COMBINE_WORD_NONE, span, "combine");
        item->kind = FB_ACT_COMBINE;
        ok = combine(p, decl);
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

/* One or two words and a duration, without anything else. Returns what value_item does. */
static int span_item(struct fb_parser *p, struct fb_actuator_decl *decl,
                     struct fb_actuator_item *item) {
    const struct {
        enum fb_actuator_item_kind kind;
        const char *first, *second, *third, *clause;
        struct fb_node **place;
    } all[] = {
        {FB_ACT_MAXIMUM, "maximum", "on", NULL, "maximum on", &decl->maximum_on},
        {FB_ACT_LEASE, "lease", NULL, NULL, "lease", &decl->lease},
        {FB_ACT_DELIVER, "deliver", "within", NULL, "deliver within", &decl->deliver},
        {FB_ACT_HOLD, "hold", "at", "most", "hold at most", &decl->hold},
    };
    struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
    for (unsigned i = 0; i < FB_P_COUNT(all); i++) {
        if (fb_p_accept_word(p, all[i].first)) {
            fb_p_once(p, *all[i].place != NULL, span, all[i].clause);
            item->kind = all[i].kind;
            bool ok = (all[i].second == NULL || fb_p_expect_word(p, all[i].second)) &&
                      (all[i].third == NULL || fb_p_expect_word(p, all[i].third)) &&
                      (*all[i].place = fb_p_dur(p)) != NULL;
            return ok ? 1 : -1;
        }
    }
    return 0;
}

/* "minimum" .. | "starts" INT "per" dur | "permissive" "when" cond | "interlock" "when" cond
 * | "lockout" dur "after" "interlock" | "breaker" .. | "feedback" .. ; returns what value_item
 * does */
static int guard_item(struct fb_parser *p, struct fb_actuator_decl *decl,
                      struct fb_actuator_item *item) {
    struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
    bool ok;
    if (fb_p_accept_word(p, "minimum")) {
        item->kind = FB_ACT_MINIMUM;
        ok = minimum(p, decl);
    } else if (fb_p_accept_word(p, "starts")) {
        fb_p_once(p, decl->starts > 0, span, "starts");
        item->kind = FB_ACT_STARTS;
        ok = fb_p_count(p, "a number of starts", &decl->starts) && fb_p_expect_word(p, "per") &&
             (decl->starts_per = fb_p_dur(p)) != NULL;
    } else if (fb_p_accept_word(p, "permissive")) {
        fb_p_once(p, decl->permissive != NULL, span, "permissive");
        item->kind = FB_ACT_PERMISSIVE;
        ok = fb_p_expect_word(p, "when") && (decl->permissive = fb_p_cond(p)) != NULL;
    } else if (fb_p_accept_word(p, "interlock")) {
        fb_p_once(p, decl->interlock != NULL, span, "interlock");
        item->kind = FB_ACT_INTERLOCK;
        ok = fb_p_expect_word(p, "when") && (decl->interlock = fb_p_cond(p)) != NULL;
    } else if (fb_p_accept_word(p, "lockout")) {
        fb_p_once(p, decl->lockout != NULL, span, "lockout");
        item->kind = FB_ACT_LOCKOUT;
        ok = lockout(p, decl);
    } else if (fb_p_accept_word(p, "breaker")) {
        fb_p_once(p, decl->reversals > 0, span, "breaker");
        item->kind = FB_ACT_BREAKER;
        ok = breaker(p, decl);
    } else if (fb_p_accept_word(p, "feedback")) {
        fb_p_once(p, decl->feedback != NULL, span, "feedback");
        item->kind = FB_ACT_FEEDBACK;
        ok = feedback(p, decl);
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

static bool actuator_item(struct fb_parser *p, void *context) {
    struct fb_actuator_decl *decl = context;
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_actuator_item item = {.kind = FB_ACT_SAFE};
    int read = value_item(p, decl, &item);
    if (read == 0) {
        read = span_item(p, decl, &item);
    }
    if (read == 0) {
        read = guard_item(p, decl, &item);
    }
    if (read == 0) {
        return fb_p_unknown_clause(p, "an actuator", actuator_clauses);
    }
    item.span = fb_p_span_from(p, first);
    if (item.kind == FB_ACT_FEEDBACK) {
        decl->feedback_span = item.span;
    }
    *FB_P_PUSH(p, decl->items, decl->n_items) = item;
    return read > 0;
}

bool fb_p_actuator(struct fb_parser *p, struct fb_item *item) {
    struct fb_actuator_decl *decl = FB_ARENA_NEW(p->arena, struct fb_actuator_decl);
    item->kind = FB_ITEM_ACTUATOR;
    item->actuator = decl;
    if (!fb_p_name(p, "the actuator's name", &decl->name, &decl->name_span) ||
        !fb_p_expect_word(p, "on") ||
        !fb_p_name(p, "a device's name", &decl->class_name, &decl->class_span)) {
        return false;
    }
    if (!fb_p_accept(p, FB_TOK_COLON)) {
        return fb_p_unexpected(p, "`:`",
                               "say what it can be: `: (off, on)` or `: number [kW] range 0..10`");
    }
    if (!type(p, decl) || !fb_p_block(p, "actuator", decl->name, actuator_clauses, false,
                                      actuator_item, decl, &decl->block)) {
        return false;
    }
    return decl->safe != NULL ||
           fb_p_missing(p, decl->name_span,
                        "say which value harms nobody and may always be set: `safe off`",
                        "actuator", decl->name, "`safe`");
}
