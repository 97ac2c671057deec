/* Patterns under PCRE2's limits on steps, depth and memory.
 *
 * Place in the flow: see match.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "engine/core/match.h"

#include <pcre2.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 1000, HEAP_LIMIT_KB = 512 };

struct fb_matcher {
    uint32_t n;
    pcre2_code **codes;
    pcre2_match_data *data; /* keeps its memory from match to match */
    pcre2_match_context *limits;
};

struct fb_matcher *fb_matcher_new(const struct fb_str *patterns, uint32_t n) {
    struct fb_matcher *matcher = fb_alloc(sizeof *matcher);
    matcher->n = n;
    matcher->codes = fb_alloc(sizeof *matcher->codes * (n + 1u));
    for (uint32_t i = 0; i < n; i++) {
        int code = 0;
        PCRE2_SIZE at = 0;
        matcher->codes[i] = pcre2_compile((PCRE2_SPTR)patterns[i].p, patterns[i].n,
                                          PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
        if (!matcher->codes[i] && code == PCRE2_ERROR_HEAP_FAILED)
            fb_out_of_memory(patterns[i].n);
        FB_ASSERT(matcher->codes[i]);
    }
    matcher->data = pcre2_match_data_create(1, NULL);
    matcher->limits = pcre2_match_context_create(NULL);
    if (!matcher->data || !matcher->limits)
        fb_out_of_memory(1);
    pcre2_set_match_limit(matcher->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(matcher->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(matcher->limits, HEAP_LIMIT_KB);
    return matcher;
}

void fb_matcher_free(struct fb_matcher *matcher) {
    if (!matcher)
        return;
    for (uint32_t i = 0; i < matcher->n; i++)
        pcre2_code_free(matcher->codes[i]);
    free(matcher->codes);
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->limits);
    free(matcher);
}

int fb_matcher_match(const struct fb_matcher *matcher, uint32_t pattern, struct fb_str subject) {
    FB_ASSERT(pattern < matcher->n);
    /* Texts are checked for UTF-8 by the decoder. */
    int n = pcre2_match(matcher->codes[pattern], (PCRE2_SPTR)subject.p, subject.n, 0,
                        PCRE2_NO_UTF_CHECK, matcher->data, matcher->limits);
    if (n >= 0)
        return 1;
    /* Unlike the limits this is not the same everywhere: it must not become a result. */
    if (n == PCRE2_ERROR_NOMEMORY)
        fb_out_of_memory(1);
    return n == PCRE2_ERROR_NOMATCH ? 0 : -1;
}
