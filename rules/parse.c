/* Statements: use, device, param, alarm, event; and the files of a compilation.
 *
 * Place in the flow: third stage of the compiler: lex -> parse -> check. Each function opens with
 * the grammar's production it reads. Clauses may come in any order. */
#include "rules/parser.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- pieces of several statements ---------------------------------------------------------- */

/* unit = "[" UNIT "]" ; optional */
static void optional_unit(struct fb_parser *p, struct fb_str *unit, struct fb_span *span) {
    const struct fb_token *token = fb_p_peek(p, 0);
    if (token->kind != FB_TOK_DECLARED_UNIT) {
        return;
    }
    struct fb_str text = fb_p_text(p, token);
    uint32_t start = 1, end = (uint32_t)text.n - 1;
    while (text.p[start] == ' ') {
        start++;
    }
    while (text.p[end - 1] == ' ') {
        end--;
    }
    *unit = (struct fb_str){text.p + start, end - start};
    *span = (struct fb_span){p->tokens.file, token->start + start, token->start + end};
    fb_p_next(p);
}

/* let = "let" NAME [ unit ] "=" cond ; the word is taken */
static struct fb_let_decl *let(struct fb_parser *p) {
    struct fb_let_decl *decl = FB_ARENA_NEW(p->arena, struct fb_let_decl);
    if (!fb_p_name(p, "a name", &decl->name, &decl->span)) {
        return NULL;
    }
    optional_unit(p, &decl->unit_text, &decl->unit_span);
    if (!fb_p_expect(p, FB_TOK_ASSIGN, "`=`, or a unit in brackets")) {
        return NULL;
    }
    decl->value = fb_p_cond(p);
    return decl->value != NULL ? decl : NULL;
}

/* names = NAME { "," NAME } ; of words of an enumeration */
static bool words(struct fb_parser *p, struct fb_str **names, uint32_t *n) {
    do {
        struct fb_str name;
        if (!fb_p_name(p, "a name", &name, NULL)) {
            return false;
        }
        *FB_P_PUSH(p, *names, *n) = name;
    } while (fb_p_accept(p, FB_TOK_COMMA));
    return true;
}

/* ---- device -------------------------------------------------------------------------------- */

/* Keys, tags and fields are kept apart until the block is read, then joined in this order. */
struct class_parts {
    struct fb_class_decl *decl;
    struct fb_field_decl **of_role[3]; /* by enum fb_field_role */
    uint32_t n_of_role[3];
    bool time, domain; /* seen */
};

static struct fb_field_decl *add_field(struct fb_parser *p, struct class_parts *parts,
                                       enum fb_field_role role) {
    struct fb_field_decl *field = FB_ARENA_NEW(p->arena, struct fb_field_decl);
    field->role = role;
    *FB_P_PUSH(p, parts->of_role[role], parts->n_of_role[role]) = field;
    return field;
}

/* type = ( "number" | "counter" ) [ unit ] | "integer" | "bool" | "text" | "time"
 *      | "one" "of" "(" names ")" ; */
static bool type(struct fb_parser *p, struct fb_type_decl *decl) {
    static const char *const names[] = {"number", "counter", "integer", "bool",
                                        "text",   "time",    "one of"};
    static const enum fb_type types[] = {FB_T_NUMBER, FB_T_COUNTER, FB_T_INTEGER,
                                         FB_T_BOOL,   FB_T_TEXT,    FB_T_TIME};
    static const struct {
        const char *written, *meant;
    } others[] = {{"float", "number"},     {"double", "number"},   {"real", "number"},
                  {"int", "integer"},      {"long", "integer"},    {"boolean", "bool"},
                  {"string", "text"},      {"str", "text"},        {"timestamp", "time"},
                  {"datetime", "time"},    {"enum", "one of (..)"}, {"gauge", "number"}};
    for (size_t i = 0; i < COUNT(types); i++) {
        if (fb_p_accept_word(p, names[i])) {
            decl->type = types[i];
            if (decl->type == FB_T_NUMBER || decl->type == FB_T_COUNTER) {
                optional_unit(p, &decl->unit_text, &decl->unit_span);
            }
            return true;
        }
    }
    if (fb_p_accept_word(p, "one")) {
        decl->type = FB_T_ENUM;
        return fb_p_expect_word(p, "of") && fb_p_expect(p, FB_TOK_OPEN, "`(` and the words") &&
               words(p, &decl->words, &decl->n_words) &&
               fb_p_expect(p, FB_TOK_CLOSE, "`,` or `)`");
    }
    const struct fb_token *token = fb_p_peek(p, 0);
    if (token->kind != FB_TOK_NAME) {
        return fb_p_unexpected(p, "a type: number, counter, integer, bool, text, time or one of",
                               NULL);
    }
    struct fb_str word = fb_p_name_text(p, token);
    const char *help = NULL;
    for (size_t i = 0; i < COUNT(others); i++) {
        if (fb_str_eq(word, fb_str_of(others[i].written))) {
            help = fb_str_printf(p->arena, "write `%s`", others[i].meant).p;
        }
    }
    if (help == NULL) {
        help = fb_p_did_you_mean(p, word, names, COUNT(names));
    }
    fb_diag_add(p->diags, FB_E_UNKNOWN_TYPE, fb_p_span(p, token),
                help != NULL ? help
                             : "the types are number, counter, integer, bool, text, time and "
                               "one of (..)",
                "`%.*s` is not a type", FB_ARG(word));
    return false;
}

/* from = "from" TEXT { "or" TEXT } ; the word is taken */
static bool from_paths(struct fb_parser *p, struct fb_field_decl *field) {
    do {
        struct fb_str path;
        if (!fb_p_text_literal(p, "a path in double quotes", &path)) {
            return false;
        }
        *FB_P_PUSH(p, field->from, field->n_from) = path;
    } while (fb_p_accept_word(p, "or"));
    return true;
}

/* fieldopt = "range" range | "every" dur | "stale" "after" dur | "from" TEXT { "or" TEXT }
 *          | "null" sum ;
 * 1: read one, 0: there is none, -1: reported */
static int field_option(struct fb_parser *p, struct fb_field_decl *field) {
    struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
    bool ok;
    if (fb_p_peek(p, 1)->kind == FB_TOK_COLON) {
        return 0; /* a field of that name */
    }
    if (fb_p_accept_word(p, "range")) {
        fb_p_once(p, field->range_low != NULL, span, "range");
        ok = fb_p_range(p, &field->range_low, &field->range_high);
    } else if (fb_p_accept_word(p, "every")) {
        fb_p_once(p, field->every != NULL, span, "every");
        ok = (field->every = fb_p_dur(p)) != NULL;
    } else if (fb_p_accept_word(p, "stale")) {
        fb_p_once(p, field->stale_after != NULL, span, "stale after");
        ok = fb_p_expect_word(p, "after") && (field->stale_after = fb_p_dur(p)) != NULL;
    } else if (fb_p_accept_word(p, "from")) {
        fb_p_once(p, field->n_from > 0, span, "from");
        ok = from_paths(p, field);
    } else if (fb_p_accept_word(p, "null")) {
        fb_p_once(p, field->null_value != NULL, span, "null");
        ok = (field->null_value = fb_p_sum(p)) != NULL;
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

/* NAME ":" type { [","] fieldopt } ; the name is the present token */
static bool field(struct fb_parser *p, struct class_parts *parts) {
    struct fb_field_decl *decl = add_field(p, parts, FB_FIELD);
    bool named = fb_p_name(p, "a field's name", &decl->name, &decl->span);
    FB_ASSERT(named);
    fb_p_next(p); /* the colon: the caller has looked */
    decl->typed = true;
    if (!type(p, &decl->type)) {
        return false;
    }
    for (;;) {
        bool comma = fb_p_accept(p, FB_TOK_COMMA);
        int option = field_option(p, decl);
        if (option < 0) {
            return false;
        }
        if (option == 0) {
            return !comma ||
                   fb_p_unexpected(p, "`range`, `every`, `stale after`, `from` or `null`", NULL);
        }
    }
}

/* "tag" NAME ":" type | "tag" names ; the word is taken */
static bool tags(struct fb_parser *p, struct class_parts *parts, uint32_t *count) {
    do {
        struct fb_field_decl *decl = add_field(p, parts, FB_TAG);
        decl->type.type = FB_T_TEXT;
        (*count)++;
        if (!fb_p_name(p, "a tag's name", &decl->name, &decl->span)) {
            return false;
        }
        if (*count == 1 && fb_p_accept(p, FB_TOK_COLON)) {
            decl->typed = true;
            return type(p, &decl->type);
        }
    } while (fb_p_accept(p, FB_TOK_COMMA));
    return true;
}

/* "key" names ; the word is taken */
static bool keys(struct fb_parser *p, struct class_parts *parts, uint32_t *count) {
    do {
        struct fb_field_decl *decl = add_field(p, parts, FB_KEY);
        decl->type.type = FB_T_TEXT;
        (*count)++;
        if (!fb_p_name(p, "a key's name", &decl->name, &decl->span)) {
            return false;
        }
    } while (fb_p_accept(p, FB_TOK_COMMA));
    return true;
}

/* "time" ( NAME [ unit ] | "arrival" ) ; the word is taken */
static bool time_clause(struct fb_parser *p, struct fb_class_decl *decl) {
    struct fb_span unit_span;
    decl->has_time = true;
    if (fb_p_accept_word(p, "arrival")) {
        decl->time_arrival = true;
        decl->time_span = fb_p_span_from(p, &p->tokens.items[p->at - 1]);
        return true;
    }
    if (!fb_p_name(p, "the name of the time's field, or `arrival`", &decl->time_field,
                   &decl->time_span)) {
        return false;
    }
    optional_unit(p, &decl->time_unit, &unit_span);
    return true;
}

static const struct fb_p_clause device_clauses[] = {
    {"key", "NAME"}, {"time", "NAME"}, {"domain", "NAME"}, {"tag", "NAME"},
    {"let", "NAME"}, {"late", "up"},   {NULL, NULL}};

/* devitem = "key" names | "time" .. | "tag" .. | "domain" NAME | NAME ":" type { [","] fieldopt }
 *         | let | "late" "up" "to" dur ; */
static bool device_item(struct fb_parser *p, void *context) {
    struct class_parts *parts = context;
    struct fb_class_decl *decl = parts->decl;
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_span span = fb_p_span(p, first);
    struct fb_class_item item = {.count = 0};
    bool ok;
    if (first->kind == FB_TOK_NAME && fb_p_peek(p, 1)->kind == FB_TOK_COLON) {
        item.kind = FB_ITEM_FIELD;
        item.first = parts->n_of_role[FB_FIELD];
        item.count = 1;
        ok = field(p, parts);
    } else if (fb_p_accept_word(p, "key")) {
        fb_p_once(p, parts->n_of_role[FB_KEY] > 0, span, "key");
        item.kind = FB_ITEM_KEY;
        item.first = parts->n_of_role[FB_KEY];
        ok = keys(p, parts, &item.count);
    } else if (fb_p_accept_word(p, "tag")) {
        item.kind = FB_ITEM_TAGS;
        item.first = parts->n_of_role[FB_TAG];
        ok = tags(p, parts, &item.count);
    } else if (fb_p_accept_word(p, "time")) {
        fb_p_once(p, decl->has_time, span, "time");
        item.kind = FB_ITEM_TIME;
        ok = time_clause(p, decl);
    } else if (fb_p_accept_word(p, "domain")) {
        fb_p_once(p, decl->domain.n > 0, span, "domain");
        item.kind = FB_ITEM_DOMAIN;
        ok = fb_p_name(p, "the name of a tag or key", &decl->domain, NULL);
    } else if (fb_p_accept_word(p, "let")) {
        item.kind = FB_ITEM_LET;
        item.first = decl->n_lets;
        item.count = 1;
        struct fb_let_decl *one = let(p);
        ok = one != NULL;
        if (ok) {
            *FB_P_PUSH(p, decl->lets, decl->n_lets) = one;
        }
    } else if (fb_p_accept_word(p, "late")) {
        fb_p_once(p, decl->late != NULL, span, "late up to");
        item.kind = FB_ITEM_LATE;
        ok = fb_p_expect_word(p, "up") && fb_p_expect_word(p, "to") &&
             (decl->late = fb_p_dur(p)) != NULL;
    } else {
        return fb_p_unknown_clause(p, "a device", device_clauses);
    }
    if (!ok && item.kind == FB_ITEM_FIELD)
        parts->of_role[FB_FIELD][item.first]->broken = true;
    item.span = fb_p_span_from(p, first);
    *FB_P_PUSH(p, decl->items, decl->n_items) = item;
    return ok;
}

/* Joins keys, tags and fields, gives them their indices and turns the items' to match. */
static void join_fields(struct fb_parser *p, struct class_parts *parts) {
    static const enum fb_field_role order[] = {FB_KEY, FB_TAG, FB_FIELD};
    struct fb_class_decl *decl = parts->decl;
    uint32_t first_of[3] = {0};
    decl->n_keys = parts->n_of_role[FB_KEY];
    for (unsigned r = 0; r < COUNT(order); r++) {
        first_of[order[r]] = decl->n_fields;
        for (uint32_t i = 0; i < parts->n_of_role[order[r]]; i++) {
            struct fb_field_decl *one = parts->of_role[order[r]][i];
            one->index = decl->n_fields;
            *FB_P_PUSH(p, decl->fields, decl->n_fields) = one;
        }
    }
    for (uint32_t i = 0; i < decl->n_items; i++) {
        struct fb_class_item *item = &decl->items[i];
        item->first += item->kind == FB_ITEM_KEY     ? first_of[FB_KEY]
                       : item->kind == FB_ITEM_TAGS  ? first_of[FB_TAG]
                       : item->kind == FB_ITEM_FIELD ? first_of[FB_FIELD]
                                                     : 0;
    }
}

static bool missing(struct fb_parser *p, struct fb_span span, const char *help, const char *of,
                    struct fb_str name, const char *clause) {
    fb_diag_add(p->diags, FB_E_MISSING_CLAUSE, span, help, "%s `%.*s` has no %s", of, FB_ARG(name),
                clause);
    return false;
}

static bool device_is_whole(struct fb_parser *p, const struct fb_class_decl *decl) {
    if (!decl->reopened) {
        return decl->n_keys > 0 ||
               missing(p, decl->name_span, "say which field tells its devices apart: `key NAME`",
                       "device", decl->name, "`key`");
    }
    for (uint32_t i = 0; i < decl->n_items; i++) {
        if (decl->items[i].kind != FB_ITEM_LET) {
            return missing(p, decl->name_span,
                           "write `from \"topic\"` behind the name; a block without it reopens a "
                           "device and holds only `let`",
                           "device", decl->name, "`from`");
        }
    }
    return true;
}

/* device = "device" NAME [ "from" TEXT { "," TEXT } ] "{" { devitem } "}" ; the word is taken */
static bool device(struct fb_parser *p, struct fb_item *item) {
    struct fb_class_decl *decl = FB_ARENA_NEW(p->arena, struct fb_class_decl);
    struct class_parts parts = {.decl = decl};
    item->kind = FB_ITEM_CLASS;
    item->class_decl = decl;
    if (!fb_p_name(p, "the device's name", &decl->name, &decl->name_span)) {
        return false;
    }
    decl->reopened = !fb_p_accept_word(p, "from");
    if (!decl->reopened) {
        do {
            struct fb_str topic;
            if (!fb_p_text_literal(p, "a topic in double quotes", &topic)) {
                return false;
            }
            *FB_P_PUSH(p, decl->topics, decl->n_topics) = topic;
        } while (fb_p_accept(p, FB_TOK_COMMA));
    }
    if (!fb_p_is(p, FB_TOK_BEGIN)) {
        return fb_p_unexpected(p, decl->reopened ? "`from` or `{`" : "`,` or `{`", NULL);
    }
    bool ok = fb_p_block(p, "device", decl->name, device_clauses, true, device_item, &parts,
                         &decl->block);
    join_fields(p, &parts);
    return ok && device_is_whole(p, decl);
}

/* ---- param --------------------------------------------------------------------------------- */

/* "," expr "where" or ; the comma is taken */
static bool param_case(struct fb_parser *p, struct fb_param_decl *decl) {
    struct fb_param_case one = {0};
    if ((one.value = fb_p_or(p)) == NULL) {
        return false;
    }
    if (!fb_p_accept_word(p, "where")) {
        return fb_p_unexpected(p, "`where`",
                               "a further value says where it applies: `, 7 where c`");
    }
    if ((one.where = fb_p_or(p)) == NULL) {
        return false;
    }
    *FB_P_PUSH(p, decl->cases, decl->n_cases) = one;
    return true;
}

/* param = "param" NAME [ "on" NAME ] [ unit ] "=" expr [ "range" range ] { "," expr "where" or } ;
 * the word is taken */
static bool param(struct fb_parser *p, struct fb_item *item) {
    struct fb_param_decl *decl = FB_ARENA_NEW(p->arena, struct fb_param_decl);
    item->kind = FB_ITEM_PARAM;
    item->param = decl;
    if (!fb_p_name(p, "the parameter's name", &decl->name, &decl->name_span)) {
        return false;
    }
    if (fb_p_accept_word(p, "on") &&
        !fb_p_name(p, "a device's name", &decl->class_name, &decl->class_span)) {
        return false;
    }
    optional_unit(p, &decl->unit_text, &decl->unit_span);
    if (!fb_p_expect(p, FB_TOK_ASSIGN, "`on`, a unit in brackets or `=`") ||
        (decl->value = fb_p_or(p)) == NULL) {
        return false;
    }
    for (;;) {
        struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
        bool ok = true;
        if (fb_p_accept_word(p, "range")) {
            fb_p_once(p, decl->range_low != NULL, span, "range");
            ok = fb_p_range(p, &decl->range_low, &decl->range_high);
        } else if (fb_p_accept(p, FB_TOK_COMMA)) {
            ok = param_case(p, decl);
        } else {
            break;
        }
        if (!ok) {
            return false;
        }
    }
    decl->span = fb_p_span_from(p, &p->tokens.items[p->at - 1]);
    return true;
}

/* ---- alarm and event ----------------------------------------------------------------------- */

/* severity = "info" | "low" | "medium" | "high" | "critical" ; */
static bool severity(struct fb_parser *p, enum fb_severity *value) {
    static const char *const names[] = {"info", "low", "medium", "high", "critical"};
    for (unsigned i = 0; i < COUNT(names); i++) {
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
    const char *help = fb_p_did_you_mean(p, word, names, COUNT(names));
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
    for (unsigned i = 0; i < COUNT(names); i++) {
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
    struct fb_let_decl *one = let(p);
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
    {"let", "NAME"},     {"raise", "NAME"},    {"deadband", NULL}, {"clear", "after"},
    {"on", "unknown"},   {"message", "TEXT"},  {"response", "TEXT"}, {"label", "NAME"},
    {NULL, NULL}};

static bool has_item(const struct fb_rule_decl *rule, int kind) {
    for (uint32_t i = 0; i < rule->n_items; i++) {
        if ((int)rule->items[i].kind == kind) {
            return true;
        }
    }
    return false;
}

/* alarm item = let | raise | "deadband" expr | "clear" "after" dur
 *            | "on" "unknown" ( "hold" | "clear" | "raise" ) | text ; */
static bool alarm_item(struct fb_parser *p, void *context) {
    struct fb_rule_decl *rule = context;
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_span span = fb_p_span(p, first);
    struct fb_rule_item item = {.index = 0};
    int common = common_item(p, rule, &item);
    bool ok = common > 0;
    if (common != 0) {
        /* taken */
    } else if (fb_p_accept_word(p, "raise")) {
        item.kind = FB_ITEM_RAISE;
        item.index = rule->n_raises;
        ok = raise_clause(p, rule, first);
    } else if (fb_p_accept_word(p, "deadband")) {
        fb_p_once(p, rule->deadband != NULL, span, "deadband");
        item.kind = FB_ITEM_DEADBAND;
        ok = (rule->deadband = fb_p_or(p)) != NULL;
        rule->deadband_span = fb_p_span_from(p, first);
    } else if (fb_p_accept_word(p, "clear")) {
        fb_p_once(p, rule->clear_after != NULL, span, "clear after");
        item.kind = FB_ITEM_CLEAR_AFTER;
        ok = fb_p_expect_word(p, "after") && (rule->clear_after = fb_p_dur(p)) != NULL;
    } else if (fb_p_accept_word(p, "on")) {
        fb_p_once(p, has_item(rule, FB_ITEM_ON_UNKNOWN), span, "on unknown");
        item.kind = FB_ITEM_ON_UNKNOWN;
        ok = on_unknown(p, rule);
    } else {
        return fb_p_unknown_clause(p, "an alarm", alarm_clauses);
    }
    item.span = fb_p_span_from(p, first);
    *FB_P_PUSH(p, rule->items, rule->n_items) = item;
    return ok;
}

static const struct fb_p_clause event_clauses[] = {
    {"let", "NAME"},     {"when", "LINE"},     {"whenever", NULL}, {"at", "most"},
    {"message", "TEXT"}, {"response", "TEXT"}, {"label", "NAME"},  {NULL, NULL}};

/* event item = let | ( "when" | "whenever" ) cond | "at" "most" INT "per" dur | text ; */
static bool event_item(struct fb_parser *p, void *context) {
    struct fb_rule_decl *rule = context;
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_span span = fb_p_span(p, first);
    struct fb_rule_item item = {.index = 0};
    int common = common_item(p, rule, &item);
    bool ok = common > 0;
    if (common != 0) {
        /* taken */
    } else if (fb_p_is_word(p, 0, "when") || fb_p_is_word(p, 0, "whenever")) {
        fb_p_once(p, rule->when != NULL, span, rule->whenever ? "whenever" : "when");
        item.kind = FB_ITEM_WHEN;
        rule->whenever = fb_p_is_word(p, 0, "whenever");
        fb_p_next(p);
        ok = (rule->when = fb_p_cond(p)) != NULL;
    } else if (fb_p_accept_word(p, "at")) {
        fb_p_once(p, rule->at_most > 0, span, "at most");
        item.kind = FB_ITEM_AT_MOST;
        ok = at_most(p, rule);
    } else {
        return fb_p_unknown_clause(p, "an event", event_clauses);
    }
    item.span = fb_p_span_from(p, first);
    *FB_P_PUSH(p, rule->items, rule->n_items) = item;
    return ok;
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

/* alarm = "alarm" NAME scope "{" .. "}" ;   event = "event" NAME scope "{" .. "}" ;
 * the word is taken */
static bool rule(struct fb_parser *p, struct fb_item *item, enum fb_rule_kind kind) {
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
                    is_alarm ? alarm_clauses : event_clauses, false,
                    is_alarm ? alarm_item : event_item, decl, &decl->block)) {
        return false;
    }
    if (is_alarm && decl->n_raises == 0) {
        return missing(p, decl->name_span, "say when it is raised: `raise high when ..`", "alarm",
                       decl->name, "`raise`");
    }
    if (!is_alarm && decl->when == NULL) {
        return missing(p, decl->name_span, "say when it happens: `when ..`", "event", decl->name,
                       "`when`");
    }
    return true;
}

/* ---- files --------------------------------------------------------------------------------- */

/* The path of `use`, seen from the file it stands in. */
static void use_path(const struct fb_source *source, struct fb_str path, struct fb_buf *out) {
    const char *slash = memrchr(source->path.p, '/', source->path.n);
    if (path.p[0] != '/' && slash != NULL) {
        fb_buf_put(out, source->path.p, (size_t)(slash - source->path.p) + 1);
    }
    fb_buf_str(out, path);
}

/* use = "use" TEXT ; the word is taken; the file joins the sources, where there are any, and is
 * parsed in its turn */
static bool use(struct fb_parser *p, struct fb_item *item, struct fb_sources *sources) {
    const struct fb_token *token = fb_p_peek(p, 0);
    item->kind = FB_ITEM_USE;
    if (!fb_p_text_literal(p, "a path in double quotes", &item->use)) {
        return false;
    }
    struct fb_span span = fb_p_span(p, token);
    if (item->use.n == 0) {
        fb_diag_add(p->diags, FB_E_USE, span, NULL, "the path is empty");
        return false;
    }
    if (sources == NULL) {
        return true;
    }
    struct fb_buf path = {0};
    struct fb_err err = {0};
    use_path(&sources->files[p->tokens.file], item->use, &path);
    bool ok = fb_sources_load(sources, fb_buf_terminated(&path), &err);
    if (!ok) {
        fb_diag_add(p->diags, FB_E_USE, span,
                    item->use.p[0] == '/'
                        ? NULL
                        : "the path is relative to the folder of this file",
                    "%s", err.text);
    }
    fb_buf_free(&path);
    return ok;
}

static bool unknown_statement(struct fb_parser *p) {
    static const char *const names[] = {"use", "device", "param", "alarm", "event", "test"};
    const struct fb_token *token = fb_p_peek(p, 0);
    if (token->kind != FB_TOK_NAME || (token->flags & FB_TOKEN_QUOTED) != 0) {
        return fb_p_unexpected(p, "a statement: use, device, param, alarm, event or test",
                               token->kind == FB_TOK_FINISH ? "this `}` closes nothing" : NULL);
    }
    struct fb_str word = fb_p_name_text(p, token);
    const char *help = fb_p_did_you_mean(p, word, names, COUNT(names));
    fb_diag_add(p->diags, FB_E_UNKNOWN_STATEMENT, fb_p_span(p, token),
                help != NULL ? help
                             : "the statements are use, device, param, alarm, event and test",
                "`%.*s` is not a statement", FB_ARG(word));
    return false;
}

static bool statement(struct fb_parser *p, struct fb_item *item, struct fb_sources *sources) {
    if (fb_p_accept_word(p, "use")) {
        return use(p, item, sources);
    }
    if (fb_p_accept_word(p, "device")) {
        return device(p, item);
    }
    if (fb_p_accept_word(p, "param")) {
        return param(p, item);
    }
    if (fb_p_accept_word(p, "alarm")) {
        return rule(p, item, FB_RULE_ALARM);
    }
    if (fb_p_accept_word(p, "event")) {
        return rule(p, item, FB_RULE_EVENT);
    }
    if (fb_p_accept_word(p, "test")) {
        item->kind = FB_ITEM_TEST;
        item->test = fb_p_test(p);
        return item->test != NULL;
    }
    return unknown_statement(p);
}

static void set_span(struct fb_item *item) {
    if (item->kind == FB_ITEM_CLASS) {
        item->class_decl->span = item->span;
    } else if (item->kind == FB_ITEM_PARAM) {
        item->param->span = item->span;
    } else if (item->kind == FB_ITEM_RULE) {
        item->rule->span = item->span;
    } else if (item->kind == FB_ITEM_TEST) {
        item->test->span = item->span;
    }
}

/* file = { use | device | param | alarm | event | test } ; statements with a mistake stand
 * apart */
static void file(struct fb_parser *p, struct fb_file *out, struct fb_sources *sources) {
    while (!fb_p_is(p, FB_TOK_END)) {
        const struct fb_token *first = fb_p_peek(p, 0);
        uint32_t before = p->at;
        struct fb_item item = {0};
        p->clauses = NULL;
        p->fields = false;
        if (statement(p, &item, sources)) {
            item.span = fb_p_span_from(p, first);
            set_span(&item);
            *FB_P_PUSH(p, out->items, out->n_items) = item;
            continue;
        }
        *FB_P_PUSH(p, out->broken, out->n_broken) = item;
        /* Behind a block's end the next statement begins; anything else is skipped. */
        bool behind_block = p->at > before && p->tokens.items[p->at - 1].kind == FB_TOK_FINISH;
        if (p->at == before) {
            bool stray = fb_p_is(p, FB_TOK_FINISH);
            fb_p_next(p);
            behind_block = stray;
        }
        if (!behind_block) {
            fb_p_next_statement(p);
        }
    }
}

static struct fb_file *parse_file(struct fb_arena *arena, struct fb_sources *sources,
                                  uint32_t index, bool follow, struct fb_diags *diags) {
    struct fb_parser p = {.arena = arena,
                          .sources = sources,
                          .diags = diags,
                          .text = sources->files[index].text};
    struct fb_file *out = FB_ARENA_NEW(arena, struct fb_file);
    out->source = index;
    fb_lex(sources, index, diags, &p.tokens);
    file(&p, out, follow ? sources : NULL);
    out->n_comments = p.tokens.n_comments;
    if (out->n_comments > 0) {
        out->comments = FB_ARENA_ARRAY(arena, struct fb_comment, out->n_comments);
        memcpy(out->comments, p.tokens.comments, sizeof *out->comments * out->n_comments);
    }
    fb_tokens_free(&p.tokens);
    return out;
}

static struct fb_tree *new_tree(struct fb_sources *sources) {
    struct fb_arena *arena = fb_arena_new();
    struct fb_tree *tree = FB_ARENA_NEW(arena, struct fb_tree);
    tree->arena = arena;
    tree->sources = sources;
    return tree;
}

struct fb_tree *fb_parse_alone(struct fb_sources *sources, uint32_t file, struct fb_diags *diags) {
    struct fb_tree *tree = new_tree(sources);
    tree->files = FB_ARENA_NEW(tree->arena, struct fb_file *);
    tree->files[0] = parse_file(tree->arena, sources, file, false, diags);
    tree->n_files = 1;
    return tree;
}

struct fb_tree *fb_parse(struct fb_sources *sources, struct fb_diags *diags) {
    struct fb_tree *tree = new_tree(sources);
    struct fb_parser room = {.arena = tree->arena};
    /* The list grows while files are read that use others. */
    for (uint32_t i = 0; i < sources->n_files; i++) {
        struct fb_file *one = parse_file(tree->arena, sources, i, true, diags);
        *FB_P_PUSH(&room, tree->files, tree->n_files) = one;
    }
    return tree;
}

void fb_tree_free(struct fb_tree *tree) {
    if (tree != NULL) {
        fb_arena_free(tree->arena);
    }
}
