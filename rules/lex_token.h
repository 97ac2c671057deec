/* The lexer's ground: where it is, the bytes there, a token made, the operators.
 *
 * Place in the flow: second stage of the compiler, under lex.c and lex_number.c. */
#ifndef FB_RULES_LEX_TOKEN_H
#define FB_RULES_LEX_TOKEN_H

#include "rules/diag.h"
#include "rules/lex.h"

struct fb_lexer {
    struct fb_str text;
    uint32_t file, at, end;
    bool in_message; /* a quote is written \" */
    bool line_start;
    bool after_number; /* the last token is a number without a unit, `at` is behind it */
    struct fb_diags *diags;
    struct fb_tokens *tokens;
    uint32_t *open; /* stack of indices of unclosed brackets */
    uint32_t n_open, cap_open;
};

/* What every function of the lexer reads with. */

static inline bool fb_lex_is_digit(int c) {
    return c >= '0' && c <= '9';
}

static inline bool fb_lex_is_letter(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline bool fb_lex_is_word_byte(int c) {
    return fb_lex_is_letter(c) || fb_lex_is_digit(c);
}

/* The byte at an offset; -1 behind the end. */
static inline int fb_lex_byte(const struct fb_lexer *lexer, uint32_t at) {
    return at < lexer->end ? (unsigned char)lexer->text.p[at] : -1;
}

static inline struct fb_str fb_lex_slice(const struct fb_lexer *lexer, uint32_t start,
                                         uint32_t end) {
    return (struct fb_str){lexer->text.p + start, end - start};
}

static inline struct fb_span fb_lex_span(const struct fb_lexer *lexer, uint32_t start,
                                         uint32_t end) {
    return (struct fb_span){lexer->file, start, end};
}

/* Bytes of the UTF-8 character that begins here (the text is well-formed). */
static inline uint32_t fb_lex_length(int c) {
    return c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
}

/* A token from `start` to where the lexer is. */
struct fb_token *fb_lex_push(struct fb_lexer *lexer, enum fb_token_kind kind, uint32_t start);
/* An operator as it is written, ours and those of other languages. */
struct fb_lex_spelling {
    const char *written;
    enum fb_token_kind kind;
    const char *meant; /* not NULL: of another language; reported, then taken for `kind` */
};
/* The longest one that stands where the lexer is; NULL: none. */
const struct fb_lex_spelling *fb_lex_spelling_at(const struct fb_lexer *lexer);
/* A character outside ASCII that is no operator written with one. */
bool fb_lex_is_foreign(const struct fb_lexer *lexer, uint32_t offset);

#endif
