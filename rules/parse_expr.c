/* Expressions, from `until` down to names and literals; lets, which give them names.
 *
 * Place in the flow: third stage of the compiler; statements (parse.c) and messages
 * (parse_text.c) call it. Each function opens with the grammar's production it reads. */
#include "rules/parser.h"

#include "engine/base/num.h"

#include <stdio.h>
#include <string.h>

/* ---- nodes --------------------------------------------------------------------------------- */

static struct fb_node *new_node(struct fb_parser *p, enum fb_node_kind kind) {
    struct fb_node *node = FB_ARENA_NEW(p->arena, struct fb_node);
    node->kind = kind;
    return node;
}

static uint32_t higher(uint32_t height, const struct fb_node *child) {
    return child != NULL && child->height > height ? child->height : height;
}

static struct fb_node *too_deep(struct fb_parser *p, struct fb_span span) {
    fb_diag_add(p->diags, FB_E_TOO_DEEP, span, "give parts of it a name with `let`",
                "this expression is nested too deeply");
    return NULL;
}

/* Sets the span, from `first` to the last token taken, and the height; NULL: too high. */
static struct fb_node *done(struct fb_parser *p, struct fb_node *node,
                            const struct fb_token *first) {
    node->span = fb_p_span_from(p, first);
    uint32_t height = higher(higher(higher(0, node->a), node->b), node->c);
    for (uint32_t i = 0; i < node->n_items; i++) {
        height = higher(height, node->items[i]);
    }
    for (uint32_t i = 0; i < node->n_args; i++) {
        const struct fb_arg *arg = &node->args[i];
        height = higher(higher(higher(higher(height, arg->expr), arg->where), arg->upto),
                        arg->length);
    }
    height = higher(height, node->there);
    if (node->group != NULL) {
        height = higher(higher(height, node->group->expr), node->group->where);
    }
    if (height >= FB_EXPR_HEIGHT_MAX) {
        struct fb_span end = {node->span.file, node->span.end, node->span.end};
        return too_deep(p, end);
    }
    node->height = (uint16_t)(height + 1);
    return node;
}

/* Everything that recurses without an operator of its own passes here. */
static bool enter(struct fb_parser *p) {
    if (p->depth >= FB_NESTING_MAX) {
        return too_deep(p, fb_p_span(p, fb_p_peek(p, 0))) != NULL;
    }
    p->depth++;
    return true;
}

static struct fb_node *leave(struct fb_parser *p, struct fb_node *node) {
    p->depth--;
    return node;
}

static struct fb_node *binary(struct fb_parser *p, enum fb_node_kind kind, struct fb_node *a,
                              struct fb_span op_span, struct fb_node *b,
                              const struct fb_token *first) {
    struct fb_node *node = new_node(p, kind);
    node->a = a;
    node->b = b;
    node->op_span = op_span;
    return done(p, node, first);
}

/* The source of a span when it is short enough to quote, else "..". */
static struct fb_str quote(const struct fb_parser *p, struct fb_span span) {
    struct fb_str text = fb_p_source(p, span);
    return text.n > 60 || memchr(text.p, '\n', text.n) != NULL ? FB_S("..") : text;
}

/* ---- literals ------------------------------------------------------------------------------ */

/* NUMBER | QUANTITY; a minus before it belongs to it. */
struct fb_node *fb_p_quantity(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    bool negative = fb_p_is(p, FB_TOK_MINUS) && fb_p_peek(p, 1)->kind == FB_TOK_NUMBER;
    if (negative) {
        fb_p_next(p);
    }
    const struct fb_token *number = fb_p_peek(p, 0);
    if (number->kind != FB_TOK_NUMBER) {
        fb_p_unexpected(p, "a number", NULL);
        return NULL;
    }
    struct fb_node *node = new_node(p, FB_N_NUMBER);
    node->text = fb_p_text(p, number);
    /* 007 is seven here, but no number of JSON's grammar. */
    struct fb_str digits = node->text;
    while (digits.n > 1 && digits.p[0] == '0' && digits.p[1] >= '0' && digits.p[1] <= '9') {
        digits.p++;
        digits.n--;
    }
    if (!fb_num_parse(digits, &node->value)) {
        fb_diag_add(p->diags, FB_E_BAD_NUMBER, fb_p_span(p, number), NULL,
                    "the number `%.*s` is too large", FB_ARG(quote(p, fb_p_span(p, number))));
        return NULL;
    }
    if (negative) {
        node->text = fb_str_printf(p->arena, "-%.*s", FB_ARG(node->text));
        node->value = -node->value;
    }
    fb_p_next(p);
    const struct fb_token *unit = fb_p_peek(p, 0);
    if (unit->kind == FB_TOK_UNIT) {
        node->unit_text = fb_p_text(p, unit);
        node->op_span = fb_p_span(p, unit);
        fb_p_next(p);
    }
    return done(p, node, first);
}

static struct fb_node *duration_literal(struct fb_parser *p) {
    const struct fb_token *token = fb_p_peek(p, 0);
    struct fb_node *node = new_node(p, FB_N_DURATION);
    node->text = fb_p_text(p, token);
    FB_ASSERT(fb_lex_duration(node->text, &node->span_us));
    fb_p_next(p);
    return done(p, node, token);
}

static struct fb_node *text_literal(struct fb_parser *p) {
    const struct fb_token *token = fb_p_peek(p, 0);
    struct fb_str written = fb_p_text(p, token);
    uint32_t quote_bytes = p->in_message ? 2 : 1;
    struct fb_node *node = new_node(p, FB_N_TEXT);
    node->text = fb_lex_unescape(p->arena, (struct fb_str){written.p + quote_bytes,
                                                           written.n - 2 * quote_bytes});
    fb_p_next(p);
    return done(p, node, token);
}

/* dur = DURATION | NAME | "(" expr ")" ; */
struct fb_node *fb_p_dur(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    if (first->kind == FB_TOK_DURATION) {
        return duration_literal(p);
    }
    if (first->kind == FB_TOK_NAME && !fb_p_at_clause(p) &&
        ((first->flags & FB_TOKEN_QUOTED) != 0 ||
         !fb_parse_is_reserved(fb_p_name_text(p, first)))) {
        struct fb_node *node = new_node(p, FB_N_NAME);
        node->text = fb_p_name_text(p, first);
        fb_p_next(p);
        return done(p, node, first);
    }
    if (fb_p_accept(p, FB_TOK_OPEN)) {
        if (!enter(p)) {
            return NULL;
        }
        struct fb_node *node = leave(p, fb_p_or(p));
        if (node == NULL || !fb_p_expect(p, FB_TOK_CLOSE, "an operator or `)`")) {
            return NULL;
        }
        node->bracketed = true;
        return node;
    }
    if (first->kind != FB_TOK_NUMBER) {
        fb_p_unexpected(p, "a duration, as in 30s or 1h30m", NULL);
        return NULL;
    }
    const struct fb_token *unit = fb_p_peek(p, 1);
    struct fb_span span = fb_p_span(p, first);
    struct fb_str number = quote(p, span), letters = {0};
    if (unit->kind == FB_TOK_UNIT) {
        span.end = unit->end;
        letters = fb_p_text(p, unit);
        letters.n = fb_str_eq(letters, FB_S("min")) ? 1 : letters.n;
    }
    struct fb_str meant = fb_str_printf(p->arena, "%.*s%.*s", FB_ARG(number), FB_ARG(letters));
    int64_t us;
    const char *help =
        fb_lex_duration(meant, &us)
            ? fb_str_printf(p->arena, "write `%.*s`, without a blank", FB_ARG(meant)).p
            : "a duration is digits touching us, ms, s, m, h, d or w, as in 30s or 1h30m";
    fb_diag_add(p->diags, FB_E_DURATION_EXPECTED, span, help, "`%.*s` is not a duration",
                FB_ARG(quote(p, span)));
    return NULL;
}

/* ---- cond ---------------------------------------------------------------------------------- */

static struct fb_node *needs_brackets(struct fb_parser *p, struct fb_span delayed) {
    struct fb_str rest = fb_p_name_text(p, fb_p_peek(p, 0));
    fb_diag_add(p->diags, FB_E_DELAY_NEEDS_BRACKETS, fb_p_span(p, fb_p_peek(p, 0)),
                fb_str_printf(p->arena, "write `(%.*s) %.*s ..`", FB_ARG(quote(p, delayed)),
                              FB_ARG(rest))
                    .p,
                "`%.*s` behind a delay", FB_ARG(rest));
    return NULL;
}

/* delayed = or [ "for" dur ] ; part of cond */
static struct fb_node *delayed(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_node *node = fb_p_or(p);
    if (node == NULL || !fb_p_is_word(p, 0, "for")) {
        return node;
    }
    struct fb_span op_span = fb_p_span(p, fb_p_peek(p, 0));
    fb_p_next(p);
    struct fb_node *length = fb_p_dur(p);
    if (length == NULL) {
        return NULL;
    }
    if (fb_p_is_word(p, 0, "and") || fb_p_is_word(p, 0, "or") || fb_p_is_word(p, 0, "for")) {
        return needs_brackets(p, fb_p_span_from(p, first));
    }
    return binary(p, FB_N_FOR, node, op_span, length, first);
}

/* cond = or [ "for" dur ] [ "until" or [ "for" dur ] ] ; */
struct fb_node *fb_p_cond(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_node *node = delayed(p);
    if (node == NULL || !fb_p_is_word(p, 0, "until")) {
        return node;
    }
    struct fb_span op_span = fb_p_span(p, fb_p_peek(p, 0));
    fb_p_next(p);
    struct fb_node *until = delayed(p);
    if (until == NULL) {
        return NULL;
    }
    if (fb_p_is_word(p, 0, "until")) {
        return needs_brackets(p, fb_p_span_from(p, first));
    }
    return binary(p, FB_N_UNTIL, node, op_span, until, first);
}

/* "(" cond ")" ; the bracket is the present token */
static struct fb_node *bracketed(struct fb_parser *p) {
    fb_p_next(p);
    if (!enter(p)) {
        return NULL;
    }
    struct fb_node *node = leave(p, fb_p_cond(p));
    if (node == NULL || !fb_p_expect(p, FB_TOK_CLOSE, "an operator or `)`")) {
        return NULL;
    }
    node->bracketed = true;
    return node;
}

/* ---- or, and, not, compare ----------------------------------------------------------------- */

static struct fb_node *not_level(struct fb_parser *p);

/* and = not { "and" not } ; */
static struct fb_node *and_level(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_node *node = not_level(p);
    while (node != NULL && fb_p_is_word(p, 0, "and")) {
        struct fb_span op_span = fb_p_span(p, fb_p_peek(p, 0));
        fb_p_next(p);
        struct fb_node *right = not_level(p);
        node = right == NULL ? NULL : binary(p, FB_N_AND, node, op_span, right, first);
    }
    return node;
}

/* or = and { "or" and } ;   expr = or ; */
struct fb_node *fb_p_or(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_node *node = and_level(p);
    while (node != NULL && fb_p_is_word(p, 0, "or")) {
        struct fb_span op_span = fb_p_span(p, fb_p_peek(p, 0));
        fb_p_next(p);
        struct fb_node *right = and_level(p);
        node = right == NULL ? NULL : binary(p, FB_N_OR, node, op_span, right, first);
    }
    return node;
}

bool fb_p_relop(struct fb_parser *p, enum fb_op *op) {
    switch (fb_p_peek(p, 0)->kind) {
    case FB_TOK_LT:
        *op = FB_OP_LT;
        break;
    case FB_TOK_LE:
        *op = FB_OP_LE;
        break;
    case FB_TOK_GT:
        *op = FB_OP_GT;
        break;
    case FB_TOK_GE:
        *op = FB_OP_GE;
        break;
    case FB_TOK_EQ:
        *op = FB_OP_EQ;
        break;
    case FB_TOK_NE:
        *op = FB_OP_NE;
        break;
    case FB_TOK_ASSIGN:
        fb_diag_add(p->diags, FB_E_FOREIGN_OPERATOR, fb_p_span(p, fb_p_peek(p, 0)), "write `==`",
                    "`=` does not compare");
        *op = FB_OP_EQ;
        break;
    default:
        return false;
    }
    fb_p_next(p);
    return true;
}

/* range = sum ".." sum ; */
bool fb_p_range(struct fb_parser *p, struct fb_node **low, struct fb_node **high) {
    *low = fb_p_sum(p);
    if (*low == NULL || !fb_p_expect(p, FB_TOK_RANGE, "`..` and the range's other end")) {
        return false;
    }
    *high = fb_p_sum(p);
    return *high != NULL;
}

/* What stands behind the bracket that opens here continues a sum or a range. */
static bool bracket_begins_sum(const struct fb_parser *p) {
    uint32_t match = fb_p_peek(p, 0)->match;
    if (match <= p->at) {
        return false;
    }
    uint8_t kind = p->tokens.items[match + 1].kind;
    return kind == FB_TOK_RANGE || kind == FB_TOK_PLUS || kind == FB_TOK_MINUS ||
           kind == FB_TOK_STAR || kind == FB_TOK_SLASH;
}

/* "(" expr { "," expr } ")" ; the bracket is the present token; `element` reads one */
static bool list(struct fb_parser *p, struct fb_node *node,
                 struct fb_node *(*element)(struct fb_parser *p)) {
    fb_p_next(p);
    if (!enter(p)) {
        return false;
    }
    do {
        struct fb_node *one = element(p);
        if (one == NULL) {
            p->depth--;
            return false;
        }
        *FB_P_PUSH(p, node->items, node->n_items) = one;
    } while (fb_p_accept(p, FB_TOK_COMMA));
    p->depth--;
    return fb_p_expect(p, FB_TOK_CLOSE, "`,` or `)`");
}

/* set = range | "(" expr { "," expr } ")" ; the word in is taken */
static struct fb_node *in_set(struct fb_parser *p, struct fb_node *left, bool negated,
                              struct fb_span op_span, const struct fb_token *first) {
    struct fb_node *node = new_node(p, FB_N_IN);
    node->a = left;
    node->negated = negated;
    node->op_span = op_span;
    bool ok = fb_p_is(p, FB_TOK_OPEN) && !bracket_begins_sum(p)
                  ? list(p, node, fb_p_or)
                  : fb_p_range(p, &node->b, &node->c);
    return ok ? done(p, node, first) : NULL;
}

/* quality = "good" | "bad" | "stale" | "unknown" ; "is" ["not"] is taken */
static struct fb_node *is_quality(struct fb_parser *p, struct fb_node *left, bool negated,
                                  struct fb_span op_span, const struct fb_token *first) {
    static const char *const names[] = {"unknown", "good", "bad", "stale"}; /* as enum fb_quality */
    struct fb_node *node = new_node(p, FB_N_IS);
    node->a = left;
    node->negated = negated;
    node->op_span = op_span;
    const struct fb_token *token = fb_p_peek(p, 0);
    for (unsigned i = 0; i < 4; i++) {
        if (fb_p_accept_word(p, names[i])) {
            node->quality = (enum fb_quality)i;
            return done(p, node, first);
        }
    }
    if (token->kind == FB_TOK_NAME) {
        struct fb_str word = fb_p_name_text(p, token);
        const char *help = fb_p_did_you_mean(p, word, names, 4);
        fb_diag_add(p->diags, FB_E_UNKNOWN_QUALITY, fb_p_span(p, token),
                    help != NULL ? help
                                 : "after `is` stands good, bad, stale or unknown; values are "
                                   "compared with `==`",
                    "`%.*s` is not a quality", FB_ARG(word));
    } else {
        fb_p_unexpected(p, "good, bad, stale or unknown", "values are compared with `==`");
    }
    return NULL;
}

/* a < b < c: both comparisons in full */
static struct fb_node *report_chain(struct fb_parser *p, const struct fb_token *first,
                                    const struct fb_token *middle) {
    struct fb_span left = fb_p_span_from(p, first), shared = fb_p_span_from(p, middle);
    const struct fb_token *second = fb_p_peek(p, 0);
    enum fb_op op;
    fb_p_relop(p, &op);
    const struct fb_token *third = fb_p_peek(p, 0);
    if (fb_p_sum(p) == NULL) {
        return NULL;
    }
    fb_diag_add(p->diags, FB_E_COMPARISON_CHAIN, fb_p_span(p, second),
                fb_str_printf(p->arena, "write `%.*s and %.*s %.*s %.*s`", FB_ARG(quote(p, left)),
                              FB_ARG(quote(p, shared)), FB_ARG(fb_p_text(p, second)),
                              FB_ARG(quote(p, fb_p_span_from(p, third))))
                    .p,
                "comparisons cannot be chained");
    return NULL;
}

/* compare = sum [ relop sum | ["not"] "in" set | "is" ["not"] quality | "matches" TEXT ] ; */
static struct fb_node *compare(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_node *left = fb_p_sum(p);
    if (left == NULL) {
        return NULL;
    }
    const struct fb_token *at = fb_p_peek(p, 0);
    struct fb_span op_span = fb_p_span(p, at);
    enum fb_op op;
    if (fb_p_relop(p, &op)) {
        const struct fb_token *middle = fb_p_peek(p, 0);
        struct fb_node *right = fb_p_sum(p);
        if (right == NULL) {
            return NULL;
        }
        uint8_t next = fb_p_peek(p, 0)->kind;
        if (next >= FB_TOK_LT && next <= FB_TOK_NE) {
            return report_chain(p, first, middle);
        }
        struct fb_node *node = binary(p, FB_N_COMPARE, left, op_span, right, first);
        if (node != NULL) {
            node->op = op;
        }
        return node;
    }
    if (fb_p_is_word(p, 0, "not") && fb_p_is_word(p, 1, "in")) {
        op_span.end = fb_p_peek(p, 1)->end;
        fb_p_next(p);
        fb_p_next(p);
        return in_set(p, left, true, op_span, first);
    }
    if (fb_p_accept_word(p, "in")) {
        return in_set(p, left, false, op_span, first);
    }
    if (fb_p_accept_word(p, "is")) {
        bool negated = fb_p_accept_word(p, "not");
        return is_quality(p, left, negated, op_span, first);
    }
    if (fb_p_accept_word(p, "matches")) {
        if (!fb_p_is(p, FB_TOK_TEXT)) {
            fb_p_unexpected(p, "a pattern in double quotes", NULL);
            return NULL;
        }
        struct fb_node *pattern = text_literal(p);
        struct fb_node *node = binary(p, FB_N_MATCHES, left, op_span, pattern, first);
        if (node != NULL) {
            node->text = pattern->text;
        }
        return node;
    }
    return left;
}

/* not = "not" not | compare ; */
static struct fb_node *not_level(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    if (!fb_p_accept_word(p, "not")) {
        return compare(p);
    }
    if (!enter(p)) {
        return NULL;
    }
    struct fb_node *inner = leave(p, not_level(p));
    if (inner == NULL) {
        return NULL;
    }
    struct fb_node *node = new_node(p, FB_N_NOT);
    node->a = inner;
    node->op_span = fb_p_span(p, first);
    return done(p, node, first);
}

/* ---- sum, product, factor ------------------------------------------------------------------ */

static struct fb_node *factor(struct fb_parser *p);

static struct fb_node *arithmetic(struct fb_parser *p, struct fb_node *left, enum fb_op op,
                                  struct fb_node *(*operand)(struct fb_parser *p),
                                  const struct fb_token *first) {
    struct fb_span op_span = fb_p_span(p, fb_p_peek(p, 0));
    fb_p_next(p);
    struct fb_node *right = operand(p);
    struct fb_node *node =
        right == NULL ? NULL : binary(p, FB_N_ARITH, left, op_span, right, first);
    if (node != NULL) {
        node->op = op;
    }
    return node;
}

/* product = factor { ("*"|"/") factor } ; */
static struct fb_node *product(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_node *node = factor(p);
    while (node != NULL && (fb_p_is(p, FB_TOK_STAR) || fb_p_is(p, FB_TOK_SLASH))) {
        enum fb_op op = fb_p_is(p, FB_TOK_STAR) ? FB_OP_MUL : FB_OP_DIV;
        node = arithmetic(p, node, op, factor, first);
    }
    return node;
}

/* sum = product { ("+"|"-") product } ; */
struct fb_node *fb_p_sum(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_node *node = product(p);
    while (node != NULL && (fb_p_is(p, FB_TOK_PLUS) || fb_p_is(p, FB_TOK_MINUS))) {
        enum fb_op op = fb_p_is(p, FB_TOK_PLUS) ? FB_OP_ADD : FB_OP_SUB;
        node = arithmetic(p, node, op, product, first);
    }
    return node;
}

static struct fb_node *primary(struct fb_parser *p);

/* factor = "-" factor | primary ; a minus before a literal belongs to the literal */
static struct fb_node *factor(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    if (!fb_p_is(p, FB_TOK_MINUS) || fb_p_peek(p, 1)->kind == FB_TOK_NUMBER) {
        return primary(p);
    }
    fb_p_next(p);
    if (!enter(p)) {
        return NULL;
    }
    struct fb_node *inner = leave(p, factor(p));
    if (inner == NULL) {
        return NULL;
    }
    struct fb_node *node = new_node(p, FB_N_NEGATE);
    node->a = inner;
    node->op_span = fb_p_span(p, first);
    return done(p, node, first);
}

/* ---- primary ------------------------------------------------------------------------------- */

/* INT "of" "(" cond "," cond { "," cond } ")" ; INT is the present token */
static struct fb_node *vote(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_node *node = new_node(p, FB_N_VOTE);
    if (!fb_p_count(p, "a number of votes", &node->votes)) {
        return NULL;
    }
    node->op_span = fb_p_span(p, fb_p_peek(p, 0));
    fb_p_next(p);
    if (!fb_p_is(p, FB_TOK_OPEN)) {
        fb_p_unexpected(p, "`(` and the conditions, as in 2 of (a, b, c)",
                        "a share of a value is written with %, as in 70 % of x");
        return NULL;
    }
    if (!list(p, node, fb_p_cond)) {
        return NULL;
    }
    if (node->n_items < 2) {
        fb_diag_add(p->diags, FB_E_UNEXPECTED, fb_p_span_from(p, first),
                    "list the conditions, separated by commas",
                    "a vote has at least two conditions");
        return NULL;
    }
    return done(p, node, first);
}

/* NUMBER | QUANTITY | PERCENT "of" factor | INT "of" "(" .. ")" */
static struct fb_node *number(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    if (first->kind == FB_TOK_NUMBER && fb_p_is_word(p, 1, "of") &&
        (!p->in_argument || fb_p_peek(p, 2)->kind == FB_TOK_OPEN)) {
        return vote(p);
    }
    struct fb_node *node = fb_p_quantity(p);
    if (node == NULL || !fb_str_eq(node->unit_text, FB_S("%")) || !fb_p_is_word(p, 0, "of")) {
        return node;
    }
    struct fb_span op_span = fb_p_span(p, fb_p_peek(p, 0));
    fb_p_next(p);
    if (!enter(p)) {
        return NULL;
    }
    struct fb_node *whole = leave(p, factor(p));
    if (whole == NULL) {
        return NULL;
    }
    node->kind = FB_N_PERCENT_OF;
    node->a = whole;
    node->op_span = op_span;
    return done(p, node, first);
}

/* window = "over" ( dur | "last" INT ) | "each" dur ; none: the window stays FB_W_NONE */
static bool window(struct fb_parser *p, struct fb_arg *arg) {
    if (fb_p_accept_word(p, "over")) {
        if (fb_p_accept_word(p, "last")) {
            arg->window = FB_W_LAST;
            return fb_p_count(p, "a number of samples", &arg->last);
        }
        arg->window = FB_W_OVER;
    } else if (fb_p_accept_word(p, "each")) {
        arg->window = FB_W_EACH;
    } else {
        return true;
    }
    arg->length = fb_p_dur(p);
    return arg->length != NULL;
}

/* [ "by" names ] ; */
static bool by_names(struct fb_parser *p, struct fb_group_decl *group) {
    const struct fb_token *first = fb_p_peek(p, 1);
    if (!fb_p_accept_word(p, "by")) {
        return true;
    }
    bool ok = fb_p_names(p, "the name of a tag", &group->by, &group->n_by);
    group->by_span = fb_p_span_from(p, first);
    return ok;
}

/* of = "of" NAME [ "by" names ] [ "where" or ] ; "of" is the present token */
static bool members(struct fb_parser *p, struct fb_arg *arg, struct fb_node *call) {
    struct fb_group_decl *group = FB_ARENA_NEW(p->arena, struct fb_group_decl);
    fb_p_next(p);
    group->expr = arg->expr;
    call->group = group;
    if (!fb_p_name(p, "the name of a device", &group->class_name, &group->class_span) ||
        !by_names(p, group)) {
        return false;
    }
    return !fb_p_accept_word(p, "where") || (group->where = fb_p_or(p)) != NULL;
}

/* count and share of devices: `NAME [ "by" names ] [ "where" or ]`; where a window follows it is a
 * value after all. */
static bool counted(struct fb_parser *p, struct fb_arg *arg, struct fb_node *call) {
    struct fb_group_decl *group = FB_ARENA_NEW(p->arena, struct fb_group_decl);
    group->class_name = arg->expr->text;
    group->class_span = arg->expr->span;
    if (!by_names(p, group) ||
        (fb_p_accept_word(p, "where") && (group->where = fb_p_or(p)) == NULL)) {
        return false;
    }
    if (group->n_by == 0 && !fb_p_is(p, FB_TOK_CLOSE)) {
        arg->where = group->where;
        return true;
    }
    call->group = group;
    return true;
}

static bool counts_devices(const struct fb_node *call, const struct fb_node *expr) {
    return (fb_str_eq(call->text, FB_S("count")) || fb_str_eq(call->text, FB_S("share"))) &&
           expr->kind == FB_N_NAME && !expr->bracketed;
}

/* arg = [ or ] [ of ] [ "where" or ] [ ".." sum ] [ window ] ; */
static bool argument(struct fb_parser *p, struct fb_arg *arg, struct fb_node *call) {
    const struct fb_token *first = fb_p_peek(p, 0);
    if (!fb_p_is_word(p, 0, "over") && !fb_p_is_word(p, 0, "each")) {
        bool outer = p->in_argument;
        p->in_argument = true;
        arg->expr = fb_p_or(p);
        p->in_argument = outer;
        if (arg->expr == NULL) {
            return false;
        }
        if (fb_p_is_word(p, 0, "for") || fb_p_is_word(p, 0, "until")) {
            struct fb_str word = fb_p_text(p, fb_p_peek(p, 0));
            fb_diag_add(p->diags, FB_E_DELAY_NEEDS_BRACKETS, fb_p_span(p, fb_p_peek(p, 0)),
                        fb_str_printf(p->arena, "write `(%.*s %.*s ..)`",
                                      FB_ARG(quote(p, fb_p_span_from(p, first))), FB_ARG(word))
                            .p,
                        "`%.*s` inside a function's argument", FB_ARG(word));
            return false;
        }
        if (fb_p_is_word(p, 0, "of") && call->n_args == 0) {
            return members(p, arg, call);
        }
        if (call->n_args == 0 && counts_devices(call, arg->expr) && !counted(p, arg, call)) {
            return false;
        }
        if (call->group != NULL) {
            return true;
        }
    }
    if (arg->where == NULL && fb_p_accept_word(p, "where")) {
        arg->where = fb_p_or(p);
        if (arg->where == NULL) {
            return false;
        }
    }
    if (fb_p_accept(p, FB_TOK_RANGE)) {
        arg->upto = fb_p_sum(p);
        if (arg->upto == NULL) {
            return false;
        }
    }
    if (!window(p, arg)) {
        return false;
    }
    arg->span = fb_p_span_from(p, first);
    return true;
}

/* "needs" PERCENT ; the word is taken */
static bool needs(struct fb_parser *p, struct fb_node *call, struct fb_span span) {
    fb_p_once(p, call->needs != NULL, span, "needs");
    struct fb_node *share = fb_p_quantity(p);
    if (share == NULL) {
        return false;
    }
    if (!fb_str_eq(share->unit_text, FB_S("%")) || share->value < 0 || share->value > 100) {
        fb_diag_add(p->diags, FB_E_BAD_SHARE, share->span, "write it as in `needs 50 %`",
                    "`%.*s` is not a share in percent", FB_ARG(quote(p, share->span)));
        return false;
    }
    call->needs = share;
    return true;
}

/* arguments = "(" [ arg { "," ( arg | "needs" PERCENT ) } ] ")" ; */
static bool arguments(struct fb_parser *p, struct fb_node *call) {
    fb_p_next(p);
    if (fb_p_accept(p, FB_TOK_CLOSE)) {
        return true;
    }
    do {
        struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
        if (call->n_args > 0 && fb_p_accept_word(p, "needs")) {
            if (!needs(p, call, span)) {
                return false;
            }
            continue;
        }
        struct fb_arg arg = {0};
        if (!argument(p, &arg, call)) {
            return false;
        }
        if (call->group != NULL) {
            return fb_p_expect(p, FB_TOK_CLOSE,
                               call->group->where != NULL ? "an operator or `)`"
                               : call->group->n_by > 0    ? "`,`, `where` or `)`"
                                                          : "`by`, `where` or `)`");
        }
        *FB_P_PUSH(p, call->args, call->n_args) = arg;
    } while (fb_p_accept(p, FB_TOK_COMMA));
    if (fb_p_is_word(p, 0, "needs")) {
        return fb_p_unexpected(p, "`,` or `)`", "put a comma before `needs`");
    }
    return fb_p_expect(p, FB_TOK_CLOSE,
                       call->args[call->n_args - 1].window == FB_W_NONE
                           ? "an operator, a window (`over 5m`), `,` or `)`"
                           : "`,` or `)`");
}

/* call = ( NAME | "last" ) "(" .. ")" ; the name is the present token */
static struct fb_node *call(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_node *node = new_node(p, FB_N_CALL);
    node->text = fb_p_name_text(p, first);
    node->op_span = fb_p_span(p, first);
    fb_p_next(p);
    if (!enter(p)) {
        return NULL;
    }
    bool ok = arguments(p, node);
    p->depth--;
    if (!ok) {
        return NULL;
    }
    if (node->group != NULL) {
        node->kind = FB_N_GROUP;
        node->group->span = fb_p_span_from(p, first + 2);
    }
    return done(p, node, first);
}

/* "silent" [ "(" or ")" ] ; */
static struct fb_node *silent(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_node *node = new_node(p, FB_N_SILENT);
    node->op_span = fb_p_span(p, first);
    fb_p_next(p);
    if (fb_p_accept(p, FB_TOK_OPEN)) {
        if (!enter(p)) {
            return NULL;
        }
        node->a = leave(p, fb_p_or(p));
        if (node->a == NULL || !fb_p_expect(p, FB_TOK_CLOSE, "`)`")) {
            return NULL;
        }
    }
    return done(p, node, first);
}

/* "if" cond "then" expr "else" expr ; */
static struct fb_node *if_then_else(struct fb_parser *p) {
    const struct fb_token *first = fb_p_peek(p, 0);
    fb_p_next(p);
    if (!enter(p)) {
        return NULL;
    }
    struct fb_node *node = new_node(p, FB_N_IF);
    node->op_span = fb_p_span(p, first);
    bool ok = (node->a = fb_p_cond(p)) != NULL && fb_p_expect_word(p, "then") &&
              (node->b = fb_p_or(p)) != NULL && fb_p_expect_word(p, "else") &&
              (node->c = fb_p_or(p)) != NULL;
    p->depth--;
    return ok ? done(p, node, first) : NULL;
}

/* { "." NAME } ; the dot is the present token, `first` the name before it */
struct fb_node *fb_p_linked(struct fb_parser *p, struct fb_str name, const struct fb_token *first) {
    struct fb_node *node = new_node(p, FB_N_LINKED);
    struct fb_node *there = new_node(p, FB_N_NAME);
    node->text = name;
    node->op_span = fb_p_span(p, first);
    fb_p_next(p);
    const struct fb_token *token = fb_p_peek(p, 0);
    if (!fb_p_name(p, "a name of the device that the link leads to", &there->text, NULL) ||
        !enter(p)) {
        return NULL;
    }
    there = fb_p_is(p, FB_TOK_DOT) ? fb_p_linked(p, there->text, token) : done(p, there, token);
    node->there = leave(p, there);
    return node->there == NULL ? NULL : done(p, node, first);
}

/* A word: a constant, a function or a name. */
static struct fb_node *word(struct fb_parser *p) {
    const struct fb_token *token = fb_p_peek(p, 0);
    struct fb_str text = fb_p_name_text(p, token);
    bool quoted = (token->flags & FB_TOKEN_QUOTED) != 0;
    bool is_call = fb_p_peek(p, 1)->kind == FB_TOK_OPEN && !quoted;
    if (!quoted && fb_p_at_clause(p)) {
        fb_p_unexpected(p, "a value", NULL);
        return NULL;
    }
    struct fb_node *node = new_node(p, FB_N_NAME);
    if (!quoted && fb_p_is_word(p, 0, "if")) {
        return if_then_else(p);
    }
    if (!quoted && fb_p_is_word(p, 0, "silent")) {
        return silent(p);
    }
    if (is_call && (!fb_parse_is_reserved(text) || fb_str_eq(text, FB_S("last")))) {
        return call(p);
    }
    if (!quoted && (fb_str_eq(text, FB_S("true")) || fb_str_eq(text, FB_S("false")))) {
        node->kind = FB_N_BOOL;
        node->truth = text.p[0] == 't';
    } else if (!quoted && fb_str_eq(text, FB_S("unknown"))) {
        node->kind = FB_N_UNKNOWN;
    } else if (!quoted && fb_parse_is_reserved(text)) {
        fb_diag_add(p->diags, FB_E_RESERVED_WORD, fb_p_span(p, token),
                    fb_str_printf(p->arena, "a field of this name is written `` `%.*s` ``",
                                  FB_ARG(text))
                        .p,
                    "a value is expected, `%.*s` is a reserved word", FB_ARG(text));
        return NULL;
    }
    node->text = text;
    fb_p_next(p);
    if (node->kind == FB_N_NAME && fb_p_is(p, FB_TOK_DOT)) {
        return fb_p_linked(p, text, token);
    }
    return done(p, node, token);
}

/* primary = NUMBER | QUANTITY | DURATION | TEXT | "true" | "false" | "unknown" | "silent"
 *         | PERCENT "of" factor | INT "of" "(" .. ")" | "if" .. | call | NAME { "." NAME }
 *         | "(" cond ")" ; */
static struct fb_node *primary(struct fb_parser *p) {
    switch (fb_p_peek(p, 0)->kind) {
    case FB_TOK_NUMBER:
    case FB_TOK_MINUS: /* a literal's: factor has looked */
        return number(p);
    case FB_TOK_DURATION:
        return duration_literal(p);
    case FB_TOK_TEXT:
        return text_literal(p);
    case FB_TOK_OPEN:
        return bracketed(p);
    case FB_TOK_NAME:
        return word(p);
    case FB_TOK_PLUS:
        fb_p_unexpected(p, "a value", "leave the plus sign out");
        return NULL;
    default:
        fb_p_unexpected(p, "a value", NULL);
        return NULL;
    }
}

/* ---- lets ---------------------------------------------------------------------------------- */

struct fb_let_decl *fb_p_let(struct fb_parser *p) {
    struct fb_let_decl *decl = FB_ARENA_NEW(p->arena, struct fb_let_decl);
    if (!fb_p_name(p, "a name", &decl->name, &decl->span)) {
        return NULL;
    }
    fb_p_unit(p, &decl->unit_text, &decl->unit_span);
    if (!fb_p_expect(p, FB_TOK_ASSIGN, "`=`, or a unit in brackets")) {
        return NULL;
    }
    decl->value = fb_p_cond(p);
    return decl->value != NULL ? decl : NULL;
}
