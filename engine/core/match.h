/* `matches`: PCRE2 patterns, compiled once.
 *
 * Place in the flow: eval.c asks it. The interpreter, not the JIT: near a limit the two disagree,
 * and a result must be the same on every processor.
 *
 * What a match may cost is bounded over all places of the text at which it may begin, by counts of
 * steps, not of time: PCRE2's own limit of steps begins anew at each of them. So a match is tried
 * twice at most. At first under a limit for each place that is so low that all of them together
 * cost little; nearly every match ends within it, and what it says then is exact. Where the limit
 * was reached, the pattern is matched once more, compiled so that PCRE2 calls before each of its
 * items, and these calls are counted up to FB_MATCH_STEPS. The result depends on nothing but
 * pattern and text. */
#ifndef FB_CORE_MATCH_H
#define FB_CORE_MATCH_H

#include "engine/base/str.h"

#include <stdint.h>

enum {
    FB_MATCH_STEPS = 20000,     /* of the counted match */
    FB_MATCH_DEPTH = 1000,      /* nested backtracking points, of either match .. */
    FB_MATCH_BYTES = 512 * 1024 /* .. and their memory */
};

struct fb_matcher;

/* The patterns were checked at compile time; one that PCRE2 refuses here is a bug. Their texts must
 * outlive the matcher. */
struct fb_matcher *fb_matcher_new(const struct fb_str *patterns, uint32_t n);
void fb_matcher_free(struct fb_matcher *matcher);
/* 1 matches, 0 does not, -1 a limit was reached (unknown). */
int fb_matcher_match(const struct fb_matcher *matcher, uint32_t pattern, struct fb_str subject);
/* Steps that the last match was counted to, beyond FB_MATCH_STEPS where it was cut off; 0: it was
 * exact without counting. */
uint32_t fb_matcher_counted(const struct fb_matcher *matcher);

#endif
