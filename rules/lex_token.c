/* Operators stand in a table, ours and those of other languages. */
#include "rules/lex_token.h"

#include <string.h>

struct fb_token *fb_lex_push(struct fb_lexer *lexer, enum fb_token_kind kind, uint32_t start) {
    struct fb_tokens *tokens = lexer->tokens;
    FB_PUSH_ROOM(tokens->items, tokens->n, tokens->cap);
    struct fb_token *token = &tokens->items[tokens->n++];
    *token = (struct fb_token){.kind = (uint8_t)kind, .start = start, .end = lexer->at};
    token->flags = lexer->line_start ? FB_TOKEN_LINE_START : 0;
    lexer->line_start = false;
    return token;
}

/* Longer ones first. */
static const struct fb_lex_spelling spellings[] = {
    {"===", FB_TOK_EQ, "=="},    {"!==", FB_TOK_NE, "!="},   {"...", FB_TOK_RANGE, ".."},
    {"<=", FB_TOK_LE, NULL},     {">=", FB_TOK_GE, NULL},    {"==", FB_TOK_EQ, NULL},
    {"!=", FB_TOK_NE, NULL},     {"..", FB_TOK_RANGE, NULL}, {"<>", FB_TOK_NE, "!="},
    {"=<", FB_TOK_LE, "<="},     {"=>", FB_TOK_GE, ">="},    {"&&", FB_TOK_NAME, "and"},
    {"||", FB_TOK_NAME, "or"},   {"!", FB_TOK_NAME, "not"},  {"**", FB_TOK_BAD, "x * x"},
    {"(", FB_TOK_OPEN, NULL},    {")", FB_TOK_CLOSE, NULL},  {"{", FB_TOK_BEGIN, NULL},
    {"}", FB_TOK_FINISH, NULL},  {",", FB_TOK_COMMA, NULL},  {":", FB_TOK_COLON, NULL},
    {".", FB_TOK_DOT, NULL},     {"=", FB_TOK_ASSIGN, NULL}, {"<", FB_TOK_LT, NULL},
    {">", FB_TOK_GT, NULL},      {"+", FB_TOK_PLUS, NULL},   {"-", FB_TOK_MINUS, NULL},
    {"*", FB_TOK_STAR, NULL},    {"/", FB_TOK_SLASH, NULL},
    {"\xE2\x89\xA4", FB_TOK_LE, "<="}, {"\xE2\x89\xA5", FB_TOK_GE, ">="},
    {"\xE2\x89\xA0", FB_TOK_NE, "!="}, {"\xE2\x88\x92", FB_TOK_MINUS, "-"},
    {"\xC3\x97", FB_TOK_STAR, "*"},    {"\xC2\xB7", FB_TOK_STAR, "*"},
    {"\xE2\x80\xA6", FB_TOK_RANGE, ".."}};

const struct fb_lex_spelling *fb_lex_spelling_at(const struct fb_lexer *lexer) {
    struct fb_str rest = fb_lex_slice(lexer, lexer->at, lexer->end);
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        size_t n = strlen(spellings[i].written);
        if (n <= rest.n && memcmp(rest.p, spellings[i].written, n) == 0) {
            return &spellings[i];
        }
    }
    return NULL;
}

bool fb_lex_is_foreign(const struct fb_lexer *lexer, uint32_t offset) {
    struct fb_lexer there = *lexer;
    there.at = offset;
    return fb_lex_byte(lexer, offset) >= 0x80 && fb_lex_spelling_at(&there) == NULL;
}
