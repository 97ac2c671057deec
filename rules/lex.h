/* Tokens of a rule file.
 *
 * Place in the flow: second stage of the compiler: source -> lex -> parse. Layout carries no
 * meaning, but that a unit stands on its number's line. */
#ifndef FB_RULES_LEX_H
#define FB_RULES_LEX_H

#include "rules/ast.h"
#include "rules/diag.h"

enum fb_token_kind {
    FB_TOK_END,      /* behind the last token; of no length */
    FB_TOK_BAD,      /* reported already; parse says nothing more about it */
    FB_TOK_NAME,     /* a word or, with FB_TOKEN_QUOTED, a name in back quotes */
    FB_TOK_TEXT,     /* "..", quotes included */
    FB_TOK_NUMBER,
    FB_TOK_UNIT,     /* directly after the number it belongs to */
    FB_TOK_DURATION, /* 1h30m */
    FB_TOK_DECLARED_UNIT, /* [m3/h], brackets included */
    FB_TOK_OPEN, FB_TOK_CLOSE,   /* ( ) */
    FB_TOK_BEGIN, FB_TOK_FINISH, /* { } */
    FB_TOK_COMMA, FB_TOK_COLON, FB_TOK_DOT, FB_TOK_RANGE, FB_TOK_ASSIGN,
    FB_TOK_LT, FB_TOK_LE, FB_TOK_GT, FB_TOK_GE, FB_TOK_EQ, FB_TOK_NE,
    FB_TOK_PLUS, FB_TOK_MINUS, FB_TOK_STAR, FB_TOK_SLASH
};

enum {
    FB_TOKEN_QUOTED = 1,    /* NAME in back quotes */
    FB_TOKEN_LINE_START = 2 /* first on its line */
};

struct fb_token {
    uint8_t kind, flags;
    uint32_t start, end; /* byte offsets in the file */
    uint32_t match;      /* OPEN, BEGIN: index of the partner; 0: there is none */
};

struct fb_tokens {
    uint32_t file;
    struct fb_token *items; /* the last one is FB_TOK_END */
    uint32_t n, cap;
    struct fb_comment *comments;
    uint32_t n_comments, cap_comments;
};

/* Splits a whole file. What cannot be read is reported and becomes FB_TOK_BAD. False: the file is
 * too large or no text at all; there is one token, END, and one report. */
bool fb_lex(const struct fb_sources *sources, uint32_t file, struct fb_diags *diags,
            struct fb_tokens *tokens);
/* Splits the inside of `{..}` of a message, a stretch of the file in which a quote is written \"
 * . */
void fb_lex_message_part(const struct fb_sources *sources, struct fb_span span,
                         struct fb_diags *diags, struct fb_tokens *tokens);
void fb_tokens_free(struct fb_tokens *tokens);

/* The text of a TEXT token (or a part of one, without quotes) with its escapes resolved; bad
 * escapes were reported by fb_lex and are left out. */
struct fb_str fb_lex_unescape(struct fb_arena *arena, struct fb_str written);
/* Length of a DURATION's spelling in microseconds; false: it does not fit int64 or is none. */
bool fb_lex_duration(struct fb_str written, int64_t *us);
/* True for [A-Za-z_][A-Za-z0-9_]*. */
bool fb_lex_is_word(struct fb_str s);

#endif
