/* Numbers, durations and units, each read where the lexer is.
 *
 * Place in the flow: second stage of the compiler, under lex.c. */
#ifndef FB_RULES_LEX_NUMBER_H
#define FB_RULES_LEX_NUMBER_H

#include "rules/lex_token.h"

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
