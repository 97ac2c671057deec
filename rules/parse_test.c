/* Test blocks: input series and the alerts and commands they must give.
 *
 * Place in the flow: third stage of the compiler; parse.c calls it, `flyball test` runs the
 * tree. */
#include "rules/format.h"
#include "rules/parser.h"

#include <string.h>

/* TIMES = "x" INT, as in 20x5: a word of its own to the lexer; optional. */
static bool times(struct fb_parser *p, struct fb_series_item *item) {
    const struct fb_token *token = fb_p_peek(p, 0);
    struct fb_str text = fb_p_text(p, token);
    if (token->kind != FB_TOK_NAME || text.n < 1 || text.p[0] != 'x') {
        return true;
    }
    if (text.n == 1) {
        return fb_p_unexpected(p, "`,`, or x and a number that touch", "as in 20x5 or 20..30x11");
    }
    uint32_t n = 0;
    for (size_t i = 1; i < text.n; i++) {
        bool digit = text.p[i] >= '0' && text.p[i] <= '9';
        n = digit && n <= 1000000 ? n * 10 + (uint32_t)(text.p[i] - '0') : UINT32_MAX;
        if (n == UINT32_MAX) {
            break;
        }
    }
    if (n == 0 || n > 1000000) {
        fb_diag_add(p->diags, FB_E_BAD_COUNT, fb_p_span(p, token),
                    "write x and a whole number from 1 to 1000000", "`%.*s` is no number of times",
                    FB_ARG(text));
        return false;
    }
    item->times = n;
    fb_p_next(p);
    return true;
}

/* `_x5`, which is one word to the lexer. */
static bool missing_times(struct fb_parser *p, struct fb_series_item *item) {
    struct fb_str text = fb_p_text(p, fb_p_peek(p, 0));
    uint32_t n = 0;
    for (size_t i = 2; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || n > 100000) {
            return false;
        }
        n = n * 10 + (uint32_t)(text.p[i] - '0');
    }
    if (text.n < 3 || text.p[0] != '_' || text.p[1] != 'x' || n == 0 ||
        !fb_p_is(p, FB_TOK_NAME)) {
        return false;
    }
    item->kind = FB_SERIES_MISSING;
    item->times = n;
    fb_p_next(p);
    return true;
}

/* item = ( value [ ".." value ] | "_" | "null" ) [ TIMES ] ;   value = sum ; */
static bool series_item(struct fb_parser *p, struct fb_test_step *step) {
    struct fb_series_item item = {.kind = FB_SERIES_VALUE, .times = 1};
    if (!missing_times(p, &item)) {
        if (fb_p_accept_word(p, "_")) {
            item.kind = FB_SERIES_MISSING;
        } else if (fb_p_accept_word(p, "null")) {
            item.kind = FB_SERIES_NULL;
        } else if ((item.from = fb_p_sum(p)) == NULL) {
            return false;
        } else if (fb_p_accept(p, FB_TOK_RANGE) && (item.to = fb_p_quantity(p)) == NULL) {
            return false;
        }
        if (!times(p, &item)) {
            return false;
        }
    }
    *FB_P_PUSH(p, step->items, step->n_items) = item;
    return true;
}

/* DEVICE = NAME | TEXT ; the id of a device */
static bool device_id(struct fb_parser *p, struct fb_str *id) {
    return fb_p_is(p, FB_TOK_TEXT) ? fb_p_text_literal(p, "a device's id", id)
                                   : fb_p_name(p, "a device's id, a name or a text", id, NULL);
}

/* series = "series" DEVICE "." NAME "=" item { "," item } [ "every" dur ] ; the word is taken */
static bool series(struct fb_parser *p, struct fb_test_step *step) {
    step->kind = FB_STEP_SERIES;
    if (!device_id(p, &step->device)) {
        return false;
    }
    if (!fb_p_accept(p, FB_TOK_DOT)) {
        return fb_p_unexpected(p, "`.` and a field's name",
                               "a series is of a device and a field, as in p1.temp");
    }
    if (!fb_p_name(p, "a field's name", &step->field, NULL) ||
        !fb_p_expect(p, FB_TOK_ASSIGN, "`=`")) {
        return false;
    }
    do {
        if (!series_item(p, step)) {
            return false;
        }
    } while (fb_p_accept(p, FB_TOK_COMMA));
    return !fb_p_accept_word(p, "every") || (step->every = fb_p_dur(p)) != NULL;
}

/* "with" NAME { "." NAME } relop expr ; the word is taken */
static bool with(struct fb_parser *p, struct fb_test_step *step) {
    struct fb_with one = {0};
    const struct fb_token *first = fb_p_peek(p, 0);
    if (!fb_p_name(p, "the name of a value", &one.name, &one.span)) {
        return false;
    }
    if (fb_p_is(p, FB_TOK_DOT)) {
        if ((one.linked = fb_p_linked(p, one.name, first)) == NULL) {
            return false;
        }
        struct fb_buf name = {0};
        fb_format_expr(p->sources, one.linked, &name);
        one.span = one.linked->span;
        one.name = fb_str_copy(p->arena, (struct fb_str){name.p, name.n});
        fb_buf_free(&name);
    }
    if (!fb_p_relop(p, &one.op)) {
        return fb_p_unexpected(p, "a comparison: < <= > >= == !=", NULL);
    }
    if ((one.value = fb_p_sum(p)) == NULL) {
        return false;
    }
    *FB_P_PUSH(p, step->with, step->n_with) = one;
    return true;
}

static const char *const expect_words[] = {
    "raised", "cleared", "suppressed", "unsuppressed", "info", "low", "medium", "high", "critical"};
enum { SEVERITIES = 4 }; /* where they begin */

/* word = "raised" [ severity ] | "cleared" | "suppressed" | "unsuppressed" | severity ; 1: read,
 * 0: none */
static int expect_word(struct fb_parser *p, struct fb_test_step *step) {
    const struct fb_token *token = fb_p_peek(p, 0);
    for (size_t i = 0; i < sizeof expect_words / sizeof *expect_words; i++) {
        if (fb_p_is_word(p, 0, expect_words[i])) {
            bool behind = i >= SEVERITIES && fb_str_eq(step->word, FB_S("raised"));
            struct fb_str *place = behind ? &step->severity : &step->word;
            if (place->n > 0) {
                fb_diag_add(p->diags, FB_E_DUPLICATE_CLAUSE, fb_p_span(p, token),
                            "keep one of them", "`%.*s` and `%s` cannot both be expected",
                            FB_ARG(*place), expect_words[i]);
            }
            *place = fb_p_name_text(p, token);
            fb_p_next(p);
            return 1;
        }
    }
    return 0;
}

bool fb_parse_goes_on_in_test(struct fb_str word) {
    static const char *const words[] = {"of", "at", "with", "series", "records", "expect"};
    for (size_t i = 0; i < FB_P_COUNT(words); i++) {
        if (fb_str_eq(word, fb_str_of(words[i]))) {
            return true;
        }
    }
    return false;
}

/* word of a command = NAME, one of the actuator's two; not one that goes on with the block. Returns
 * what expect_word does, -1: reported */
static int command_word(struct fb_parser *p, struct fb_test_step *step) {
    const struct fb_token *token = fb_p_peek(p, 0);
    if (token->kind == FB_TOK_NUMBER || token->kind == FB_TOK_MINUS) {
        fb_p_unexpected(p, "`of`, `at`, `with` or a word",
                        "a number is expected as in `with value == 50 %`");
        return -1;
    }
    if (token->kind != FB_TOK_NAME || fb_p_at_statement(p)) {
        return 0;
    }
    struct fb_str word = fb_p_name_text(p, token);
    if ((token->flags & FB_TOKEN_QUOTED) == 0 && fb_parse_goes_on_in_test(word)) {
        return 0;
    }
    if (step->word.n > 0) {
        fb_diag_add(p->diags, FB_E_DUPLICATE_CLAUSE, fb_p_span(p, token), "keep one of them",
                    "`%.*s` and `%.*s` cannot both be expected", FB_ARG(step->word),
                    FB_ARG(word));
    }
    step->word = word;
    fb_p_next(p);
    return 1;
}

/* "alarm" NAME | "event" NAME | "command" NAME ; */
static bool expect_what(struct fb_parser *p, struct fb_test_step *step) {
    static const char *const words[] = {"alarm", "event", "command", "no"};
    if (fb_p_accept_word(p, "command")) {
        step->command = true;
        if (fb_p_at_clause(p)) {
            return fb_p_unexpected(p, "the actuator's name", NULL);
        }
        return fb_p_name(p, "the actuator's name", &step->rule, NULL);
    }
    if (fb_p_accept_word(p, "event")) {
        step->rule_kind = FB_RULE_EVENT;
    } else if (!fb_p_accept_word(p, "alarm")) {
        return fb_p_unexpected(p,
                               step->no ? "`alarm`, `event` or `command`"
                                        : "`no`, `alarm`, `event` or `command`",
                               fb_p_did_you_mean_here(p, words, step->no ? 3 : 4));
    }
    return fb_p_name(p, "the rule's name", &step->rule, NULL);
}

/* expect = "expect" [ "no" ] ( "alarm" NAME | "event" NAME | "command" NAME ) [ "of" DEVICE ]
 *          [ word ] [ "at" dur ] { "with" NAME relop expr } ; the word is taken */
static bool expect(struct fb_parser *p, struct fb_test_step *step) {
    step->kind = FB_STEP_EXPECT;
    step->no = fb_p_accept_word(p, "no");
    if (!expect_what(p, step)) {
        return false;
    }
    for (;;) {
        struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
        int word = step->command ? command_word(p, step) : expect_word(p, step);
        bool ok = word > 0;
        if (word != 0) {
            /* taken */
        } else if (fb_p_accept_word(p, "of")) {
            fb_p_once(p, step->of.n > 0, span, "of");
            ok = device_id(p, &step->of);
        } else if (fb_p_accept_word(p, "at")) {
            fb_p_once(p, step->at != NULL, span, "at");
            ok = (step->at = fb_p_dur(p)) != NULL;
        } else if (fb_p_accept_word(p, "with")) {
            ok = with(p, step);
        } else {
            return true;
        }
        if (!ok) {
            return false;
        }
    }
}

static const struct fb_p_clause test_clauses[] = {
    {"series", NULL}, {"records", "TEXT"}, {"expect", "NAME"}, {NULL, NULL}};

static bool test_item(struct fb_parser *p, void *context) {
    struct fb_test_decl *test = context;
    const struct fb_token *first = fb_p_peek(p, 0);
    struct fb_test_step step = {0};
    bool ok;
    if (fb_p_accept_word(p, "series")) {
        ok = series(p, &step);
    } else if (fb_p_accept_word(p, "records")) {
        step.kind = FB_STEP_RECORDS;
        ok = fb_p_text_literal(p, "a file's path in double quotes", &step.file);
    } else if (fb_p_accept_word(p, "expect")) {
        ok = expect(p, &step);
    } else {
        return fb_p_unknown_clause(p, "a test", test_clauses);
    }
    step.span = fb_p_span_from(p, first);
    *FB_P_PUSH(p, test->steps, test->n_steps) = step;
    return ok;
}

struct fb_test_decl *fb_p_test(struct fb_parser *p) {
    struct fb_test_decl *test = FB_ARENA_NEW(p->arena, struct fb_test_decl);
    if (!fb_p_text_literal(p, "the test's title in double quotes", &test->title)) {
        return NULL;
    }
    if (fb_p_accept_word(p, "on") &&
        !fb_p_name(p, "a device's name", &test->class_name, &test->class_span)) {
        return NULL;
    }
    if (!fb_p_is(p, FB_TOK_BEGIN)) {
        fb_p_unexpected(p, "`on` or `{`", NULL);
        return NULL;
    }
    return fb_p_block(p, "test", test->title, test_clauses, false, test_item, test, &test->block)
               ? test
               : NULL;
}
