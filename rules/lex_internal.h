/* What the parts of the lexer share.
 *
 * Place in the flow: lex.c finds what stands where, lex_number.c reads numbers and units. */
#ifndef FB_RULES_LEX_INTERNAL_H
#define FB_RULES_LEX_INTERNAL_H

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

/* ---- lex.c ---- */

/* A token from `start` to where the lexer is. */
struct fb_token *fb_lex_push(struct fb_lexer *lexer, enum fb_token_kind kind, uint32_t start);
/* A character outside ASCII that is no operator written with one. */
bool fb_lex_is_foreign(const struct fb_lexer *lexer, uint32_t offset);

/* ---- lex_number.c: each reads what begins where the lexer is ---- */

/* NUMBER = DIGITS [ "." DIGITS ] [ "e" ["+"|"-"] DIGITS ]; what touches it decides about DURATION.
 * A point that is followed by another is a range's. */
void fb_lex_number(struct fb_lexer *lexer);
/* `.5`: the number that was meant. False: nothing of the kind stands here. */
bool fb_lex_pointed(struct fb_lexer *lexer);
/* UNIT behind a number: on its line, no word of the grammar, and no name that begins a field. */
void fb_lex_unit(struct fb_lexer *lexer);
/* DECLARED_UNIT = "[" UNIT "]" */
void fb_lex_declared_unit(struct fb_lexer *lexer);

#endif
