/* `matches`: PCRE2 patterns, compiled once.
 *
 * Place in the flow: eval.c asks it. The interpreter, not the JIT: near a limit the two disagree,
 * and a result must be the same on every processor. */
#ifndef FB_CORE_MATCH_H
#define FB_CORE_MATCH_H

#include "engine/base/str.h"

#include <stdint.h>

struct fb_matcher;

/* The patterns were checked at compile time; one that PCRE2 refuses here is a bug. */
struct fb_matcher *fb_matcher_new(const struct fb_str *patterns, uint32_t n);
void fb_matcher_free(struct fb_matcher *matcher);
/* 1 matches, 0 does not, -1 a limit was reached (unknown). */
int fb_matcher_match(const struct fb_matcher *matcher, uint32_t pattern, struct fb_str subject);

#endif
