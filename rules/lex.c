/* The lexer: bytes to tokens, comments kept aside.
 *
 * Place in the flow: second stage of the compiler; numbers and units are in lex_number.c, operators
 * in lex_token.c. */
#include "rules/lex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/lex_number.h"

bool fb_lex_is_word(struct fb_str s) {
    if (s.n == 0 || fb_lex_is_digit(s.p[0])) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!fb_lex_is_word_byte(s.p[i])) {
            return false;
        }
    }
    return true;
}

/* ---- texts and quoted names ---------------------------------------------------------------- */

/* Length of the escape that begins at p[0] == '\\', 0 if there is none. */
static uint32_t escape_length(struct fb_str s) {
    if (s.n < 2) {
        return 0;
    }
    if (s.p[1] == '"' || s.p[1] == '\\' || s.p[1] == 'n' || s.p[1] == 't') {
        return 2;
    }
    if (s.p[1] != 'u' || s.n < 3 || s.p[2] != '{') {
        return 0;
    }
    uint32_t value = 0, i = 3;
    while (i < s.n && i < 9 && strchr("0123456789abcdefABCDEF", s.p[i]) && s.p[i] != '\0') {
        int c = s.p[i];
        value = value * 16 + (uint32_t)(fb_lex_is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
        i++;
    }
    bool is_character = value > 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
    return i > 3 && i < s.n && s.p[i] == '}' && is_character ? i + 1 : 0;
}

static void put_character(struct fb_buf *out, uint32_t c) {
    if (c < 0x80) {
        fb_buf_char(out, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    fb_buf_char(out, (char)(lead[more] | (c >> (6 * more))));
    while (more-- > 0) {
        fb_buf_char(out, (char)(0x80 | ((c >> (6 * more)) & 0x3F)));
    }
}

struct fb_str fb_lex_unescape(struct fb_arena *arena, struct fb_str s) {
    struct fb_buf out = {0};
    for (size_t i = 0; i < s.n;) {
        struct fb_str rest = {s.p + i, s.n - i};
        uint32_t n = s.p[i] == '\\' ? escape_length(rest) : 0;
        if (s.p[i] != '\\') {
            fb_buf_char(&out, s.p[i++]);
        } else if (n == 0) {
            i++;
        } else if (n == 2) {
            fb_buf_char(&out, s.p[i + 1] == 'n' ? '\n' : s.p[i + 1] == 't' ? '\t' : s.p[i + 1]);
            i += 2;
        } else {
            put_character(&out, (uint32_t)strtoul(s.p + i + 3, NULL, 16));
            i += n;
        }
    }
    struct fb_str copy = fb_str_copy(arena, (struct fb_str){out.p, out.n});
    fb_buf_free(&out);
    return copy;
}

/* TEXT: from a quote to the next one that is not escaped, on one line. */
static void lex_text(struct fb_lexer *lexer) {
    uint32_t start = lexer->at;
    bool bad = false;
    lexer->at++;
    for (;;) {
        int c = fb_lex_byte(lexer, lexer->at);
        if (c == '"') {
            lexer->at++;
            break;
        }
        if (c < 0 || c == '\n') {
            fb_diag_add(lexer->diags, FB_E_UNTERMINATED_TEXT,
                        fb_lex_span(lexer, start, lexer->at),
                        "end it with a quote on the same line; a line break inside is written \\n",
                        "this text has no end");
            bad = true;
            break;
        }
        if ((c < 0x20 && c != '\t') || c == 0x7F) {
            fb_diag_add(lexer->diags, FB_E_CONTROL_CHARACTER,
                        fb_lex_span(lexer, lexer->at, lexer->at + 1),
                        "write \\u{..} with the character's number in hex digits",
                        "the control character 0x%02x in a text", (unsigned)c);
            bad = true;
        }
        if (c != '\\') {
            lexer->at++;
            continue;
        }
        uint32_t n = escape_length(fb_lex_slice(lexer, lexer->at, lexer->end));
        if (n == 0) {
            int next = fb_lex_byte(lexer, lexer->at + 1);
            uint32_t end = lexer->at + 1 + (next < 0 || next == '\n' ? 0 : fb_lex_length(next));
            fb_diag_add(lexer->diags, FB_E_BAD_ESCAPE, fb_lex_span(lexer, lexer->at, end),
                        next == 'u' ? "write \\u{..} with the character's number in hex digits, as "
                                      "in \\u{b0}"
                                    : "the escapes are \\\" \\\\ \\n \\t and \\u{..}; a backslash "
                                      "itself is written \\\\",
                        "`%.*s` is not an escape", FB_ARG(fb_lex_slice(lexer, lexer->at, end)));
            n = end - lexer->at;
        }
        lexer->at += n;
    }
    fb_lex_push(lexer, bad ? FB_TOK_BAD : FB_TOK_TEXT, start);
}

/* A text inside a message's braces: \"..\", without escapes of its own. */
static void lex_inner_text(struct fb_lexer *lexer) {
    uint32_t start = lexer->at;
    lexer->at += 2;
    for (;;) {
        int c = fb_lex_byte(lexer, lexer->at);
        if (c < 0 || (c == '\\' && fb_lex_byte(lexer, lexer->at + 1) != '"')) {
            fb_diag_add(lexer->diags, c < 0 ? FB_E_UNTERMINATED_TEXT : FB_E_BAD_ESCAPE,
                        fb_lex_span(lexer, start, lexer->at),
                        "a text inside the braces of a message is written \\\"..\\\" and has no "
                        "other escapes",
                        "this text inside a message cannot be read");
            lexer->at = lexer->end;
            fb_lex_push(lexer, FB_TOK_BAD, start);
            return;
        }
        if (c == '\\') {
            lexer->at += 2;
            fb_lex_push(lexer, FB_TOK_TEXT, start);
            return;
        }
        lexer->at++;
    }
}

/* NAME in back quotes: any text on one line. */
static void lex_quoted_name(struct fb_lexer *lexer) {
    uint32_t start = lexer->at++;
    int c;
    while ((c = fb_lex_byte(lexer, lexer->at)) >= 0x20 && c != '`' && c != 0x7F) {
        lexer->at++;
    }
    bool ended = c == '`';
    lexer->at += ended;
    if (!ended || lexer->at - start == 2) {
        fb_diag_add(lexer->diags, FB_E_UNTERMINATED_NAME, fb_lex_span(lexer, start, lexer->at),
                    "a name in back quotes ends with a back quote on the same line",
                    ended ? "a name in back quotes is empty" : "this quoted name has no end");
        fb_lex_push(lexer, FB_TOK_BAD, start);
        return;
    }
    fb_lex_push(lexer, FB_TOK_NAME, start)->flags |= FB_TOKEN_QUOTED;
}

/* ---- brackets, and what is no token --------------------------------------------------------- */

static void pair(struct fb_lexer *lexer, uint32_t index) {
    struct fb_token *items = lexer->tokens->items;
    uint8_t kind = items[index].kind;
    if (kind == FB_TOK_OPEN || kind == FB_TOK_BEGIN) {
        FB_PUSH_ROOM(lexer->open, lexer->n_open, lexer->cap_open);
        lexer->open[lexer->n_open++] = index;
        return;
    }
    uint8_t partner = kind == FB_TOK_CLOSE ? FB_TOK_OPEN : FB_TOK_BEGIN;
    /* A brace closes brackets that were left open inside it; a bracket never closes a brace. */
    while (lexer->n_open > 0) {
        uint32_t open = lexer->open[lexer->n_open - 1];
        if (items[open].kind == partner) {
            items[open].match = index;
            lexer->n_open--;
            return;
        }
        if (kind == FB_TOK_CLOSE) {
            return;
        }
        lexer->n_open--;
    }
}

static void lex_operator(struct fb_lexer *lexer, const struct fb_lex_spelling *spelling) {
    uint32_t start = lexer->at;
    lexer->at += (uint32_t)strlen(spelling->written);
    if (spelling->meant != NULL) {
        char help[32];
        snprintf(help, sizeof help, "write `%s`", spelling->meant);
        fb_diag_add(lexer->diags, FB_E_FOREIGN_OPERATOR, fb_lex_span(lexer, start, lexer->at), help,
                    "`%s` is not an operator here", spelling->written);
    }
    fb_lex_push(lexer, spelling->kind, start);
    uint32_t index = lexer->tokens->n - 1;
    if (spelling->kind >= FB_TOK_OPEN && spelling->kind <= FB_TOK_FINISH) {
        pair(lexer, index);
    }
}

/* 'x': up to the other quote, if there is one on the line. */
static void skip_quoted(struct fb_lexer *lexer) {
    uint32_t end = lexer->at;
    while (fb_lex_byte(lexer, end) >= 0x20 && fb_lex_byte(lexer, end) != '\'') {
        end++;
    }
    if (fb_lex_byte(lexer, end) == '\'') {
        lexer->at = end + 1;
    }
}

/* A run of characters that begin no token: one report for all of them. */
static void lex_stray(struct fb_lexer *lexer) {
    uint32_t start = lexer->at;
    int first = fb_lex_byte(lexer, start);
    bool control = first < 0x20 || first == 0x7F;
    bool word = first >= 0x80 || fb_lex_is_letter(first);
    if (control) {
        int c = first;
        while (c == first) {
            lexer->at++;
            c = fb_lex_byte(lexer, lexer->at);
        }
    } else if (word) {
        while (fb_lex_is_foreign(lexer, lexer->at) ||
               fb_lex_is_word_byte(fb_lex_byte(lexer, lexer->at))) {
            lexer->at += fb_lex_length(fb_lex_byte(lexer, lexer->at));
        }
    } else {
        while (lexer->at < lexer->end && fb_lex_byte(lexer, lexer->at) == first) {
            lexer->at++;
        }
    }
    if (first == '\'') {
        skip_quoted(lexer);
    }
    struct fb_str run = fb_lex_slice(lexer, start, lexer->at);
    struct fb_span span = fb_lex_span(lexer, start, lexer->at);
    bool curly = run.n >= 3 && (memcmp(run.p, "\xE2\x80\x9C", 3) == 0 ||
                                memcmp(run.p, "\xE2\x80\x9D", 3) == 0);
    const char *help = first == ';'    ? "leave it out: statements and clauses end by themselves"
                       : first == '\'' ? "a text stands in double quotes"
                       : first == '%'  ? "a share is written as in 5 %; there is no remainder"
                       : first == '&'  ? "write `and`"
                       : first == '|'  ? "write `or`"
                       : first == ']'  ? "a declared unit is written [m3/h]"
                       : curly         ? "a text stands in plain double quotes: \""
                       : word          ? "a name with other characters than letters, digits and _ "
                                         "stands in back quotes"
                                       : NULL;
    if (control) {
        fb_diag_add(lexer->diags, FB_E_CONTROL_CHARACTER, span,
                    "remove it; inside a text write \\u{..}", "the control character 0x%02x",
                    (unsigned)first);
    } else {
        fb_diag_add(lexer->diags, FB_E_STRAY_CHARACTER, span, help, "`%.*s` has no place here",
                    FB_ARG(run));
    }
    /* A stray ; or a control character is as if it were not there; others stand for something. */
    if (!control && first != ';') {
        fb_lex_push(lexer, FB_TOK_BAD, start);
    }
}

static void lex_comment(struct fb_lexer *lexer) {
    uint32_t start = lexer->at;
    while (lexer->at < lexer->end && fb_lex_byte(lexer, lexer->at) != '\n') {
        lexer->at++;
    }
    uint32_t end = lexer->at;
    while (end > start &&
           (fb_lex_byte(lexer, end - 1) == '\r' || fb_lex_byte(lexer, end - 1) == ' ' ||
            fb_lex_byte(lexer, end - 1) == '\t')) {
        end--;
    }
    struct fb_tokens *tokens = lexer->tokens;
    FB_PUSH_ROOM(tokens->comments, tokens->n_comments, tokens->cap_comments);
    tokens->comments[tokens->n_comments++] = (struct fb_comment){
        .span = fb_lex_span(lexer, start, end), .own_line = lexer->line_start};
}

static void lex_word(struct fb_lexer *lexer) {
    uint32_t start = lexer->at;
    while (fb_lex_is_word_byte(fb_lex_byte(lexer, lexer->at))) {
        lexer->at++;
    }
    if (fb_lex_is_foreign(lexer, lexer->at)) {
        lexer->at = start; /* größe: one report for the whole word */
        lex_stray(lexer);
        return;
    }
    fb_lex_push(lexer, FB_TOK_NAME, start);
}

static void lex_one(struct fb_lexer *lexer) {
    int c = fb_lex_byte(lexer, lexer->at);
    const struct fb_lex_spelling *spelling = NULL;
    if (c == '\n') {
        lexer->line_start = true;
        lexer->at++;
    } else if (c == ' ' || c == '\t' || c == '\r') {
        lexer->at++;
    } else if (c == '#' && !lexer->in_message) {
        lex_comment(lexer);
    } else if (fb_lex_is_letter(c)) {
        lex_word(lexer);
    } else if (fb_lex_is_digit(c)) {
        fb_lex_number(lexer);
    } else if (c == '"' && !lexer->in_message) {
        lex_text(lexer);
    } else if (c == '\\' && lexer->in_message && fb_lex_byte(lexer, lexer->at + 1) == '"') {
        lex_inner_text(lexer);
    } else if (c == '`') {
        lex_quoted_name(lexer);
    } else if (c == '[') {
        fb_lex_declared_unit(lexer);
    } else if (fb_lex_pointed(lexer)) {
        return;
    } else if ((spelling = fb_lex_spelling_at(lexer)) != NULL) {
        lex_operator(lexer, spelling);
    } else {
        lex_stray(lexer);
    }
    if (lexer->after_number) {
        lexer->after_number = false;
        fb_lex_unit(lexer);
    }
}

static void lex_all(struct fb_lexer *lexer) {
    while (lexer->at < lexer->end) {
        lex_one(lexer);
    }
    /* The end is shown behind the last token, not on the empty line after it. */
    struct fb_tokens *tokens = lexer->tokens;
    uint32_t end = tokens->n > 0 ? tokens->items[tokens->n - 1].end : lexer->at;
    fb_lex_push(lexer, FB_TOK_END, end);
    tokens->items[tokens->n - 1].end = end;
    free(lexer->open);
}

/* The offset of the first byte that is not UTF-8; the text is known not to be. */
static uint32_t first_bad_byte(struct fb_str text) {
    uint32_t at = 0;
    while (at < text.n) {
        int c = (unsigned char)text.p[at];
        uint32_t n = fb_lex_length(c);
        if (at + n > text.n || !fb_str_is_utf8((struct fb_str){text.p + at, n})) {
            return at;
        }
        at += n;
    }
    return at;
}

bool fb_lex(const struct fb_sources *sources, uint32_t file, struct fb_diags *diags,
            struct fb_tokens *tokens) {
    struct fb_str text = sources->files[file].text;
    struct fb_lexer lexer = {.text = text,
                             .file = file,
                             .end = (uint32_t)text.n,
                             .line_start = true,
                             .diags = diags,
                             .tokens = tokens};
    *tokens = (struct fb_tokens){.file = file};
    bool readable = false;
    if (text.n > FB_SOURCE_BYTES_MAX) {
        fb_diag_add(diags, FB_E_USE, fb_lex_span(&lexer, 0, 0), "split it into several files",
                    "the file is larger than %d MiB", FB_SOURCE_BYTES_MAX >> 20);
    } else if (!fb_str_is_utf8(text)) {
        uint32_t bad = first_bad_byte(text);
        fb_diag_add(diags, FB_E_NOT_UTF8, fb_lex_span(&lexer, bad, bad + 1),
                    "save the file as UTF-8", "the byte 0x%02x is not UTF-8",
                    (unsigned)(unsigned char)text.p[bad]);
    } else {
        readable = true;
    }
    if (!readable) {
        lexer.end = 0;
    } else if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0) {
        lexer.at = 3;
    }
    lex_all(&lexer);
    return readable;
}

void fb_lex_message_part(const struct fb_sources *sources, struct fb_span span,
                         struct fb_diags *diags, struct fb_tokens *tokens) {
    struct fb_lexer lexer = {.text = sources->files[span.file].text, .file = span.file,
                          .at = span.start, .end = span.end, .in_message = true, .diags = diags,
                          .tokens = tokens};
    *tokens = (struct fb_tokens){.file = span.file};
    lex_all(&lexer);
    /* An empty part has its end where it begins. */
    if (tokens->n == 1) {
        tokens->items[0].start = tokens->items[0].end = span.start;
    }
}

void fb_tokens_free(struct fb_tokens *tokens) {
    free(tokens->items);
    free(tokens->comments);
    *tokens = (struct fb_tokens){0};
}
