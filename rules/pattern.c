/* Patterns of `matches`, checked with PCRE2.
 *
 * Place in the flow: check. */
#include "rules/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <string.h>

#include "engine/base/arena.h"

/* Settings at the start, as (*LIMIT_MATCH=..) or (*UTF): the engine sets these. */
static bool has_setting(struct fb_str text) {
    return text.n >= 2 && text.p[0] == '(' && text.p[1] == '*' && text.n > 2 && text.p[2] >= 'A' &&
           text.p[2] <= 'Z';
}

static int note_callout(pcre2_callout_enumerate_block *callout, void *behind) {
    *(size_t *)behind = callout->pattern_position;
    return 1; /* one is enough */
}

/* PCRE2 itself is asked: what looks like (?C1) may be quoted, and what looks quoted may not be. */
static bool has_callout(const pcre2_code *code, struct fb_str text, uint32_t *at) {
    size_t i = 0;
    if (pcre2_callout_enumerate(code, note_callout, &i) == 0)
        return false;
    while (i > 0 && !(i + 3 <= text.n && memcmp(text.p + i, "(?C", 3) == 0))
        i--;
    *at = (uint32_t)i;
    return true;
}

static bool say(char why[static 256], const char *text) {
    snprintf(why, 256, "%s", text);
    return false;
}

static pcre2_code *compile(struct fb_str text, uint32_t options, int *error, size_t *offset) {
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context)
        fb_out_of_memory(1);
    pcre2_set_max_pattern_length(context, FB_PATTERN_TEXT_MAX);
    pcre2_set_parens_nest_limit(context, 50);
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text.p, text.n, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | options,
                      error, offset, context);
    pcre2_compile_context_free(context);
    if (!code && *error == PCRE2_ERROR_HEAP_FAILED)
        fb_out_of_memory(text.n);
    return code;
}

/* What the core also needs: with a call before each item, which takes room too. */
static bool can_be_counted(struct fb_str text) {
    int error = 0;
    size_t offset = 0;
    pcre2_code *code = compile(text, PCRE2_AUTO_CALLOUT, &error, &offset);
    pcre2_code_free(code);
    return code;
}

bool fb_pattern_check(struct fb_str text, char why[static 256], uint32_t *at) {
    *at = 0;
    if (text.n > FB_PATTERN_TEXT_MAX)
        return say(why, "a pattern has at most 4,096 bytes");
    if (has_setting(text))
        return say(why, "settings as (*NAME) at the start are the engine's, not the pattern's");
    int error = 0;
    size_t offset = 0;
    pcre2_code *code = compile(text, 0, &error, &offset);
    if (!code) {
        *at = (uint32_t)offset;
        if (pcre2_get_error_message(error, (PCRE2_UCHAR *)why, 256) < 0)
            say(why, "the pattern cannot be read");
        return false;
    }
    size_t bytes = 0;
    pcre2_pattern_info(code, PCRE2_INFO_SIZE, &bytes);
    bool calls = has_callout(code, text, at);
    pcre2_code_free(code);
    if (calls)
        return say(why, "callouts as (?C1) are not part of the language");
    if (bytes > FB_PATTERN_BYTES_MAX || !can_be_counted(text))
        return say(why, "the compiled pattern is larger than 64 KB; repeat less");
    return true;
}
