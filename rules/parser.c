/* The parser's ground: tokens, reports, blocks and going on after a mistake.
 *
 * Place in the flow: inside the third stage of the compiler, under parse.c and its siblings. */
#include "rules/parser.h"

#include "engine/base/num.h"

#include <stdio.h>
#include <string.h>

static const char *const reserved[] = {
    "and",   "or",  "not",   "in",   "is",    "matches", "if",      "then", "else",
    "for",   "until", "over", "each", "since", "of",     "by",      "where", "when",
    "true",  "false", "unknown", "now", "silent", "ago", "needs",   "last"};

bool fb_parse_is_reserved(struct fb_str word) {
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (fb_str_eq(word, fb_str_of(reserved[i]))) {
            return true;
        }
    }
    return false;
}

const struct fb_token *fb_p_peek(const struct fb_parser *p, uint32_t ahead) {
    uint32_t at = p->at + ahead;
    return &p->tokens.items[at < p->tokens.n ? at : p->tokens.n - 1];
}

void fb_p_next(struct fb_parser *p) {
    if (p->at + 1 < p->tokens.n) {
        p->at++;
    }
}

bool fb_p_is(const struct fb_parser *p, enum fb_token_kind kind) {
    return fb_p_peek(p, 0)->kind == kind;
}

struct fb_str fb_p_text(const struct fb_parser *p, const struct fb_token *token) {
    return (struct fb_str){p->text.p + token->start, token->end - token->start};
}

struct fb_str fb_p_name_text(const struct fb_parser *p, const struct fb_token *token) {
    struct fb_str text = fb_p_text(p, token);
    if ((token->flags & FB_TOKEN_QUOTED) != 0) {
        return (struct fb_str){text.p + 1, text.n - 2};
    }
    return text.p[0] == '&'   ? FB_S("and")
           : text.p[0] == '|' ? FB_S("or")
           : text.p[0] == '!' ? FB_S("not")
                              : text;
}

bool fb_p_is_word(const struct fb_parser *p, uint32_t ahead, const char *word) {
    const struct fb_token *token = fb_p_peek(p, ahead);
    return token->kind == FB_TOK_NAME && (token->flags & FB_TOKEN_QUOTED) == 0 &&
           fb_str_eq(fb_p_name_text(p, token), fb_str_of(word));
}

bool fb_p_accept(struct fb_parser *p, enum fb_token_kind kind) {
    if (!fb_p_is(p, kind)) {
        return false;
    }
    fb_p_next(p);
    return true;
}

bool fb_p_accept_word(struct fb_parser *p, const char *word) {
    if (!fb_p_is_word(p, 0, word)) {
        return false;
    }
    fb_p_next(p);
    return true;
}

struct fb_span fb_p_span(const struct fb_parser *p, const struct fb_token *token) {
    return (struct fb_span){p->tokens.file, token->start, token->end};
}

struct fb_span fb_p_span_from(const struct fb_parser *p, const struct fb_token *first) {
    uint32_t end = p->at > 0 ? p->tokens.items[p->at - 1].end : first->end;
    return (struct fb_span){p->tokens.file, first->start, end > first->start ? end : first->end};
}

struct fb_str fb_p_source(const struct fb_parser *p, struct fb_span span) {
    return (struct fb_str){p->text.p + span.start, span.end - span.start};
}

/* ---- reports ------------------------------------------------------------------------------- */

bool fb_p_unexpected(struct fb_parser *p, const char *what, const char *help) {
    const struct fb_token *token = fb_p_peek(p, 0);
    struct fb_span span = fb_p_span(p, token);
    struct fb_str text = fb_p_text(p, token);
    if (token->kind == FB_TOK_BAD) {
        return false;
    }
    if (token->kind == FB_TOK_END) {
        fb_diag_add(p->diags, FB_E_UNEXPECTED, span, help, "%s ends here; expected %s",
                    p->in_message ? "the part in braces" : "the file", what);
        return false;
    }
    bool cut = text.n > 40;
    struct fb_str shown = {text.p, cut ? 37 : text.n};
    while (cut && shown.n > 0 && ((unsigned char)shown.p[shown.n] & 0xC0) == 0x80) {
        shown.n--;
    }
    const char *kind = token->kind == FB_TOK_TEXT                                ? "the text "
                       : token->kind == FB_TOK_NUMBER                            ? "the number "
                       : token->kind == FB_TOK_UNIT                              ? "the unit "
                       : token->kind == FB_TOK_DURATION                          ? "the duration "
                                                                                 : "";
    fb_diag_add(p->diags, FB_E_UNEXPECTED, span, help, "found %s`%.*s%s`, expected %s", kind,
                FB_ARG(shown), cut ? "..." : "", what);
    return false;
}

bool fb_p_expect(struct fb_parser *p, enum fb_token_kind kind, const char *what) {
    return fb_p_accept(p, kind) || fb_p_unexpected(p, what, NULL);
}

bool fb_p_expect_word(struct fb_parser *p, const char *word) {
    if (fb_p_accept_word(p, word)) {
        return true;
    }
    char what[40];
    snprintf(what, sizeof what, "`%s`", word);
    return fb_p_unexpected(p, what, fb_p_did_you_mean_here(p, &word, 1));
}

const char *fb_p_did_you_mean(struct fb_parser *p, struct fb_str word,
                              const char *const *candidates, size_t n) {
    struct fb_str texts[64];
    FB_ASSERT(n <= sizeof texts / sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        texts[i] = fb_str_of(candidates[i]);
    }
    struct fb_str nearest = fb_str_nearest(word, texts, n);
    return nearest.n == 0
               ? NULL
               : fb_str_printf(p->arena, "did you mean `%.*s`?", FB_ARG(nearest)).p;
}

const char *fb_p_did_you_mean_here(struct fb_parser *p, const char *const *candidates, size_t n) {
    const struct fb_token *token = fb_p_peek(p, 0);
    return token->kind != FB_TOK_NAME
               ? NULL
               : fb_p_did_you_mean(p, fb_p_name_text(p, token), candidates, n);
}

void fb_p_once(struct fb_parser *p, bool already, struct fb_span span, const char *clause) {
    if (already) {
        fb_diag_add(p->diags, FB_E_DUPLICATE_CLAUSE, span, "keep one of them",
                    "`%s` stands here a second time", clause);
    }
}

bool fb_p_missing(struct fb_parser *p, struct fb_span span, const char *help, const char *of,
                  struct fb_str name, const char *clause) {
    fb_diag_add(p->diags, FB_E_MISSING_CLAUSE, span, help, "%s `%.*s` has no %s", of, FB_ARG(name),
                clause);
    return false;
}

/* ---- pieces -------------------------------------------------------------------------------- */

bool fb_p_name(struct fb_parser *p, const char *what, struct fb_str *name, struct fb_span *span) {
    const struct fb_token *token = fb_p_peek(p, 0);
    if (token->kind != FB_TOK_NAME) {
        return fb_p_unexpected(p, what, NULL);
    }
    *name = fb_p_name_text(p, token);
    if (span != NULL) {
        *span = fb_p_span(p, token);
    }
    fb_p_next(p);
    return true;
}

bool fb_p_names(struct fb_parser *p, const char *what, struct fb_str **names, uint32_t *n) {
    do {
        struct fb_str name;
        if (!fb_p_name(p, what, &name, NULL)) {
            return false;
        }
        *FB_P_PUSH(p, *names, *n) = name;
    } while (fb_p_accept(p, FB_TOK_COMMA));
    return true;
}

bool fb_p_text_literal(struct fb_parser *p, const char *what, struct fb_str *text) {
    const struct fb_token *token = fb_p_peek(p, 0);
    if (token->kind != FB_TOK_TEXT) {
        return fb_p_unexpected(
            p, what, token->kind == FB_TOK_NAME ? "a text stands in double quotes" : NULL);
    }
    struct fb_str written = fb_p_text(p, token);
    *text = fb_lex_unescape(p->arena, (struct fb_str){written.p + 1, written.n - 2});
    fb_p_next(p);
    return true;
}

bool fb_p_count(struct fb_parser *p, const char *what, uint32_t *count) {
    return fb_p_count_or(p, what, "write a whole number from 1 to 1000000", count);
}

bool fb_p_count_or(struct fb_parser *p, const char *what, const char *help, uint32_t *count) {
    const struct fb_token *token = fb_p_peek(p, 0);
    if (token->kind != FB_TOK_NUMBER) {
        return fb_p_unexpected(p, what, NULL);
    }
    const struct fb_token *unit = fb_p_peek(p, 1);
    struct fb_span span = fb_p_span(p, token);
    int64_t value;
    bool whole = fb_num_parse_int(fb_p_text(p, token), &value) && value >= 1 && value <= 1000000;
    if (unit->kind == FB_TOK_UNIT || !whole) {
        span.end = unit->kind == FB_TOK_UNIT ? unit->end : span.end;
        fb_diag_add(p->diags, FB_E_BAD_COUNT, span, help, "`%.*s` is not %s",
                    FB_ARG(fb_p_source(p, span)), what);
        return false;
    }
    *count = (uint32_t)value;
    fb_p_next(p);
    return true;
}

void fb_p_unit(struct fb_parser *p, struct fb_str *unit, struct fb_span *span) {
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

void *fb_p_room(struct fb_parser *p, void *items, uint32_t n, size_t bytes) {
    if (n != 0 && (n < 4 || (n & (n - 1)) != 0)) {
        return items;
    }
    void *room = fb_arena_alloc(p->arena, bytes * (n == 0 ? 4 : (size_t)n * 2));
    if (n > 0) {
        memcpy(room, items, bytes * n);
    }
    return room;
}

/* ---- blocks -------------------------------------------------------------------------------- */

static bool is_operator(uint8_t kind) {
    return kind == FB_TOK_DOT || kind >= FB_TOK_RANGE || kind == FB_TOK_COMMA ||
           kind == FB_TOK_CLOSE || kind == FB_TOK_COLON;
}

static bool is_clause(const struct fb_parser *p, const struct fb_p_clause *clause) {
    if (!fb_p_is_word(p, 0, clause->word)) {
        return false;
    }
    const struct fb_token *next = fb_p_peek(p, 1);
    if (clause->next == NULL) {
        return !is_operator(next->kind) || next->kind == FB_TOK_MINUS;
    }
    if (strcmp(clause->next, "LINE") == 0) {
        return (fb_p_peek(p, 0)->flags & FB_TOKEN_LINE_START) != 0;
    }
    if (strcmp(clause->next, "NAME") == 0) {
        return next->kind == FB_TOK_NAME;
    }
    if (strcmp(clause->next, "TEXT") == 0) {
        return next->kind == FB_TOK_TEXT;
    }
    struct fb_str word = fb_str_of(clause->next);
    const char *blank = memchr(word.p, ' ', word.n);
    word.n = blank != NULL ? (size_t)(blank - word.p) : word.n;
    return next->kind == FB_TOK_NAME && (next->flags & FB_TOKEN_QUOTED) == 0 &&
           fb_str_eq(fb_p_name_text(p, next), word);
}

static bool at_item(const struct fb_parser *p) {
    const struct fb_token *token = fb_p_peek(p, 0);
    if (p->fields && token->kind == FB_TOK_NAME && fb_p_peek(p, 1)->kind == FB_TOK_COLON) {
        return true;
    }
    for (const struct fb_p_clause *one = p->clauses; one != NULL && one->word != NULL; one++) {
        if (is_clause(p, one)) {
            return true;
        }
    }
    return false;
}

bool fb_p_at_clause(const struct fb_parser *p) {
    return (fb_p_peek(p, 0)->flags & FB_TOKEN_LINE_START) != 0 && at_item(p);
}

/* A word that begins a line, and no expression goes on with: a clause, if a misspelt one. */
static bool at_likely_item(const struct fb_parser *p) {
    const struct fb_token *token = fb_p_peek(p, 0);
    uint8_t next = fb_p_peek(p, 1)->kind;
    return token->kind == FB_TOK_NAME && (token->flags & FB_TOKEN_LINE_START) != 0 &&
           !fb_parse_is_reserved(fb_p_name_text(p, token)) &&
           (next == FB_TOK_NAME || next == FB_TOK_TEXT);
}

/* Words that begin statements, those of later stages too: a place to go on at. */
static const char *const statement_words[] = {"use",   "device",  "param",    "alarm",
                                              "event", "test",    "zone",     "actuator",
                                              "mode",  "control", "commands", "schedule"};

bool fb_p_at_statement(const struct fb_parser *p) {
    const struct fb_token *token = fb_p_peek(p, 0), *next = fb_p_peek(p, 1);
    if ((token->flags & FB_TOKEN_LINE_START) == 0 ||
        (next->kind != FB_TOK_NAME && next->kind != FB_TOK_TEXT)) {
        return false;
    }
    for (size_t i = 0; i < sizeof statement_words / sizeof *statement_words; i++) {
        if (fb_p_is_word(p, 0, statement_words[i])) {
            return true;
        }
    }
    return false;
}

/* Goes behind a bracket's partner, or behind the token. */
static void skip_one(struct fb_parser *p) {
    uint32_t match = fb_p_peek(p, 0)->match;
    if (match > p->at) {
        p->at = match;
    }
    fb_p_next(p);
}

void fb_p_next_statement(struct fb_parser *p) {
    while (!fb_p_is(p, FB_TOK_END)) {
        uint8_t kind = fb_p_peek(p, 0)->kind;
        bool block = kind == FB_TOK_BEGIN && fb_p_peek(p, 0)->match > p->at;
        if (fb_p_at_statement(p)) {
            return;
        }
        skip_one(p);
        if (block || kind == FB_TOK_FINISH) {
            return;
        }
    }
}

static void next_item(struct fb_parser *p) {
    while (!fb_p_is(p, FB_TOK_END) && !fb_p_is(p, FB_TOK_FINISH) && !fb_p_at_statement(p) &&
           !at_item(p) && !at_likely_item(p)) {
        bool block = fb_p_is(p, FB_TOK_BEGIN);
        skip_one(p);
        if (block) {
            return;
        }
    }
}

/* Behind an unknown word: `NAME :` on its line is not a field but belongs to what is not known. */
static void skip_field_head(struct fb_parser *p) {
    if (fb_p_is(p, FB_TOK_NAME) && fb_p_peek(p, 1)->kind == FB_TOK_COLON &&
        (fb_p_peek(p, 0)->flags & FB_TOKEN_LINE_START) == 0) {
        fb_p_next(p);
        fb_p_next(p);
    }
}

bool fb_p_block(struct fb_parser *p, const char *of, struct fb_str name,
                const struct fb_p_clause *clauses, bool fields,
                bool (*item)(struct fb_parser *p, void *context), void *context,
                struct fb_span *block) {
    const struct fb_token *open = fb_p_peek(p, 0);
    if (!fb_p_expect(p, FB_TOK_BEGIN, "`{`")) {
        return false;
    }
    bool ok = true;
    p->clauses = clauses;
    p->fields = fields;
    while (!fb_p_is(p, FB_TOK_FINISH)) {
        if (fb_p_is(p, FB_TOK_END) && !ok) {
            return false; /* the item that ran into the end was reported */
        }
        if (fb_p_is(p, FB_TOK_END) || fb_p_at_statement(p)) {
            const struct fb_token *here = fb_p_peek(p, 0);
            const char *help = "put `}` at the end";
            if (here->kind != FB_TOK_END) {
                uint32_t line, column;
                fb_source_place(&p->sources->files[p->tokens.file], here->start, &line, &column);
                help = fb_str_printf(p->arena, "put `}` before the `%.*s` of line %u",
                                     FB_ARG(fb_p_text(p, here)), line)
                           .p;
            }
            fb_diag_add(p->diags, FB_E_UNCLOSED, fb_p_span(p, open), help,
                        "the block of %s `%.*s` is not closed", of, FB_ARG(name));
            return false;
        }
        uint32_t before = p->at;
        if (!item(p, context)) {
            ok = false;
            if (p->at == before) {
                skip_one(p);
                skip_field_head(p);
            }
            next_item(p);
        }
    }
    fb_p_next(p);
    *block = fb_p_span_from(p, open);
    return ok;
}

/* A word that belongs inside an expression: it may not stand here, but it is no misspelt clause. */
static bool is_continuation(const struct fb_parser *p, const struct fb_token *token) {
    struct fb_str word = fb_p_name_text(p, token);
    return fb_parse_is_reserved(word) && !fb_str_eq(word, FB_S("when"));
}

/* Words that one may look for in a block that has none of them, and what says it. */
static const char *said_otherwise(const char *of, struct fb_str word) {
    static const char stops[] = "a control ends when its start does: `start when a until b`";
    static const struct {
        const char *of, *word, *help;
    } all[] = {
        {"a control", "when", "say `start when ..`"},
        {"a control", "whenever", "say `start when ..`"},
        {"a control", "stop", stops},
        {"a control", "end", stops},
        {"a control", "until", stops},
        {"an actuator", "min", "did you mean `minimum on` or `minimum off`?"},
        {"an actuator", "max", "did you mean `maximum on`?"},
        {"an alarm", "command", "a control commands: `control NAME on .. { command .. }`"},
        {"an event", "command", "a control commands: `control NAME on .. { command .. }`"},
    };
    for (size_t i = 0; i < FB_P_COUNT(all); i++) {
        if (strcmp(all[i].of, of) == 0 && fb_str_eq(word, fb_str_of(all[i].word))) {
            return all[i].help;
        }
    }
    return NULL;
}

bool fb_p_unknown_clause(struct fb_parser *p, const char *of, const struct fb_p_clause *clauses) {
    const struct fb_token *token = fb_p_peek(p, 0);
    /* What goes on with the clause before may be misspelt as well. */
    const char *words[64] = {"for",   "until", "and",   "or",   "where",
                             "range", "every", "stale", "from", "null"};
    size_t n = 10;
    bool behind_one = p->at > 0 && p->tokens.items[p->at - 1].kind != FB_TOK_BEGIN;
    bool is_name = token->kind == FB_TOK_NAME && (token->flags & FB_TOKEN_QUOTED) == 0 &&
                   !is_continuation(p, token);
    struct fb_buf all = {0};
    if (behind_one && !is_name) {
        fb_buf_text(&all, "an operator");
    }
    for (; clauses->word != NULL; clauses++) {
        bool two = clauses->next != NULL && clauses->next[0] >= 'a'; /* a word, as in clear after */
        words[n++] = clauses->word;
        fb_buf_printf(&all, "%s`%s%s%s`", all.n > 0 ? ", " : "", clauses->word, two ? " " : "",
                      two ? clauses->next : "");
    }
    if (is_name) {
        struct fb_str word = fb_p_name_text(p, token);
        const char *help = said_otherwise(of, word);
        if (help == NULL) {
            help = fb_p_did_you_mean(p, word, words, n);
        }
        if (help == NULL) {
            help = fb_str_printf(p->arena, "%s holds %s", of, fb_buf_terminated(&all)).p;
        }
        fb_diag_add(p->diags, FB_E_UNKNOWN_CLAUSE, fb_p_span(p, token), help,
                    "`%.*s` is not a clause of %s", FB_ARG(word), of);
    } else {
        fb_buf_text(&all, " or `}`");
        fb_p_unexpected(p, fb_buf_terminated(&all), NULL);
    }
    fb_buf_free(&all);
    return false;
}
