/* Device blocks: keys, time, tags, fields.
 *
 * Place in the flow: third stage of the compiler; parse.c calls it. Clauses may come in any order.
 */
#include "rules/parser.h"

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
    } others[] = {{"float", "number"},  {"double", "number"},    {"real", "number"},
                  {"int", "integer"},   {"long", "integer"},     {"boolean", "bool"},
                  {"string", "text"},   {"str", "text"},         {"timestamp", "time"},
                  {"datetime", "time"}, {"enum", "one of (..)"}, {"gauge", "number"}};
    for (size_t i = 0; i < FB_P_COUNT(types); i++) {
        if (fb_p_accept_word(p, names[i])) {
            decl->type = types[i];
            if (decl->type == FB_T_NUMBER || decl->type == FB_T_COUNTER) {
                fb_p_unit(p, &decl->unit_text, &decl->unit_span);
            }
            return true;
        }
    }
    if (fb_p_accept_word(p, "one")) {
        decl->type = FB_T_ENUM;
        return fb_p_expect_word(p, "of") && fb_p_expect(p, FB_TOK_OPEN, "`(` and the words") &&
               fb_p_names(p, "a name", &decl->words, &decl->n_words) &&
               fb_p_expect(p, FB_TOK_CLOSE, "`,` or `)`");
    }
    const struct fb_token *token = fb_p_peek(p, 0);
    if (token->kind != FB_TOK_NAME) {
        return fb_p_unexpected(p, "a type: number, counter, integer, bool, text, time or one of",
                               NULL);
    }
    struct fb_str word = fb_p_name_text(p, token);
    const char *help = NULL;
    for (size_t i = 0; i < FB_P_COUNT(others); i++) {
        if (fb_str_eq(word, fb_str_of(others[i].written))) {
            help = fb_str_printf(p->arena, "write `%s`", others[i].meant).p;
        }
    }
    if (help == NULL) {
        help = fb_p_did_you_mean(p, word, names, FB_P_COUNT(names));
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

/* "link" NAME ":" NAME [ "by" names ] ; the word is taken */
static bool link_clause(struct fb_parser *p, struct fb_class_decl *decl) {
    struct fb_link_decl *one = FB_ARENA_NEW(p->arena, struct fb_link_decl);
    one->class_index = UINT32_MAX;
    *FB_P_PUSH(p, decl->links, decl->n_links) = one;
    if (!fb_p_name(p, "the link's name", &one->name, &one->span) ||
        !fb_p_expect(p, FB_TOK_COLON, "`:` and the device that it leads to") ||
        !fb_p_name(p, "the name of a device", &one->class_name, &one->class_span))
        return false;
    const struct fb_token *by = fb_p_peek(p, 1);
    if (!fb_p_accept_word(p, "by"))
        return true;
    bool ok = fb_p_names(p, "the name of a key or tag", &one->by, &one->n_by);
    one->by_span = fb_p_span_from(p, by);
    return ok;
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
    fb_p_unit(p, &decl->time_unit, &unit_span);
    return true;
}

static const struct fb_p_clause device_clauses[] = {
    {"key", "NAME"}, {"time", "NAME"}, {"domain", "NAME"}, {"tag", "NAME"},
    {"let", "NAME"}, {"late", "up"},   {"link", "NAME"},   {NULL, NULL}};

/* devitem = "key" names | "time" .. | "tag" .. | "domain" NAME | "link" ..
 *         | NAME ":" type { [","] fieldopt } | let | "late" "up" "to" dur ; */
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
        ok = fb_p_name(p, "the name of a tag or key", &decl->domain, &decl->domain_span);
    } else if (fb_p_accept_word(p, "link")) {
        item.kind = FB_ITEM_LINK;
        item.first = decl->n_links;
        item.count = 1;
        ok = link_clause(p, decl);
    } else if (fb_p_accept_word(p, "let")) {
        item.kind = FB_ITEM_LET;
        item.first = decl->n_lets;
        item.count = 1;
        struct fb_let_decl *one = fb_p_let(p);
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

static bool is_declared(const struct class_parts *parts, struct fb_str name) {
    for (unsigned r = 0; r < 3; r++)
        for (uint32_t i = 0; i < parts->n_of_role[r]; i++)
            if (fb_str_eq(parts->of_role[r][i]->name, name))
                return true;
    return false;
}

/* A link without `by` follows what the field of its name says; without one it comes with a tag. */
static void add_tags_of_links(struct fb_parser *p, struct class_parts *parts) {
    const struct fb_class_decl *decl = parts->decl;
    for (uint32_t i = 0; i < decl->n_links; i++) {
        const struct fb_link_decl *one = decl->links[i];
        if (one->name.n == 0 || one->n_by > 0 || is_declared(parts, one->name))
            continue;
        struct fb_field_decl *tag = add_field(p, parts, FB_TAG);
        tag->type.type = FB_T_TEXT;
        tag->name = one->name;
        tag->span = one->span;
        tag->of_link = true;
    }
}

/* Joins keys, tags and fields, gives them their indices and turns the items' to match. */
static void join_fields(struct fb_parser *p, struct class_parts *parts) {
    static const enum fb_field_role order[] = {FB_KEY, FB_TAG, FB_FIELD};
    struct fb_class_decl *decl = parts->decl;
    uint32_t first_of[3] = {0};
    decl->n_keys = parts->n_of_role[FB_KEY];
    for (unsigned r = 0; r < FB_P_COUNT(order); r++) {
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

static bool device_is_whole(struct fb_parser *p, const struct fb_class_decl *decl) {
    if (!decl->reopened) {
        return decl->n_keys > 0 ||
               fb_p_missing(p, decl->name_span,
                            "say which field tells its devices apart: `key NAME`", "device",
                            decl->name, "`key`");
    }
    for (uint32_t i = 0; i < decl->n_items; i++) {
        if (decl->items[i].kind != FB_ITEM_LET) {
            return fb_p_missing(
                p, decl->name_span,
                "write `from \"topic\"` behind the name; a block without it reopens a "
                "device and holds only `let`",
                "device", decl->name, "`from`");
        }
    }
    return true;
}

bool fb_p_device(struct fb_parser *p, struct fb_item *item) {
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
    add_tags_of_links(p, &parts);
    join_fields(p, &parts);
    return ok && device_is_whole(p, decl);
}
