/* Patterns of `matches`: PCRE2, kept within bounds.
 *
 * Place in the flow: check refuses a bad pattern; the core compiles the same text again when a
 * program is set up (engine/core/match.c), so what passes here must compile there. */
#ifndef FB_RULES_PATTERN_H
#define FB_RULES_PATTERN_H

#include "engine/base/str.h"

#include <stdint.h>

enum {
    FB_PATTERN_TEXT_MAX = 4096,  /* bytes of the pattern */
    FB_PATTERN_BYTES_MAX = 65536 /* of the compiled pattern, also with calls before its items */
};

/* True where the text is a pattern of the language. Otherwise why holds a sentence and *at the
 * place in the text, in bytes. */
bool fb_pattern_check(struct fb_str text, char why[static 256], uint32_t *at);

#endif
