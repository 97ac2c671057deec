/* Patterns under limits on steps, depth and memory.
 *
 * Place in the flow: see match.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "engine/core/match.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

/* What an item of the pattern costs more than one step: a long class is looked through from its
 * beginning, a long stretch of text is passed byte by byte. */
enum { BYTES_OF_ITEM = 16, BYTES_OF_TEXT = 16, ITEMS_OF_STEP = 8 };
/* Never reached: the limit of depth is set so that FB_MATCH_BYTES are enough. PCRE2 doubles. */
enum { HEAP_LIMIT_KB = 4 * FB_MATCH_BYTES / 1024 };

struct pattern {
    struct fb_str text;
    pcre2_code *plain, *counted; /* the second one calls before each item */
    pcre2_match_context *limits; /* of the plain one */
    uint32_t depth;
    uint32_t share;   /* of steps without counting, for all places where a match may begin */
    bool script_runs; /* the end of one looks at all of its text again */
};

/* Of the match that is being counted. */
struct count {
    const struct pattern *pattern;
    size_t subject_bytes, at;
    uint32_t steps;
};

struct fb_matcher {
    uint32_t n;
    struct pattern *patterns;
    pcre2_match_data *data; /* keeps its memory from match to match */
    pcre2_match_context *counting;
    struct count *count;
};

/* ---- steps ---- */

/* \1, \g{1}, \k<name> or (?P=name): it may compare all of the text before it fails. */
static bool is_back_reference(struct fb_str text, size_t at) {
    if (at + 1 < text.n && text.p[at] == '\\')
        return (text.p[at + 1] >= '1' && text.p[at + 1] <= '9') || text.p[at + 1] == 'g' ||
               text.p[at + 1] == 'k';
    return at + 4 <= text.n && memcmp(text.p + at, "(?P=", 4) == 0;
}

static int count_step(pcre2_callout_block *block, void *behind) {
    struct count *count = behind;
    size_t steps = 1 + block->next_item_length / BYTES_OF_ITEM;
    if (block->current_position > count->at)
        steps += (block->current_position - count->at) / BYTES_OF_TEXT;
    if (count->pattern->script_runs ||
        is_back_reference(count->pattern->text, block->pattern_position))
        steps += count->subject_bytes / BYTES_OF_TEXT;
    count->at = block->current_position;
    count->steps += (uint32_t)steps;
    return count->steps > FB_MATCH_STEPS ? PCRE2_ERROR_MATCHLIMIT : 0;
}

static int note_item(pcre2_callout_enumerate_block *block, void *behind) {
    *(size_t *)behind += 1 + block->next_item_length / BYTES_OF_ITEM;
    return 0;
}

/* ---- setting up ---- */

static pcre2_code *compile(struct fb_str text, uint32_t options) {
    int error = 0;
    PCRE2_SIZE at = 0;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text.p, text.n, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | options,
                      &error, &at, NULL);
    if (!code && error == PCRE2_ERROR_HEAP_FAILED)
        fb_out_of_memory(text.n);
    FB_ASSERT(code);
    return code;
}

static pcre2_match_context *new_context(uint32_t depth) {
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    if (!context)
        fb_out_of_memory(1);
    pcre2_set_heap_limit(context, HEAP_LIMIT_KB);
    pcre2_set_depth_limit(context, depth);
    return context;
}

static bool has_script_runs(struct fb_str text) {
    for (size_t i = 0; i + 2 < text.n; i++)
        if (memcmp(text.p + i, "(*s", 3) == 0 || memcmp(text.p + i, "(*a", 3) == 0)
            return true;
    return false;
}

static void set_up(struct pattern *pattern, struct fb_str text) {
    size_t frame_bytes = 0, items = 0;
    *pattern = (struct pattern){.text = text,
                                .plain = compile(text, 0),
                                .counted = compile(text, PCRE2_AUTO_CALLOUT),
                                .script_runs = has_script_runs(text)};
    pcre2_pattern_info(pattern->plain, PCRE2_INFO_FRAMESIZE, &frame_bytes);
    pattern->depth = (uint32_t)(FB_MATCH_BYTES / frame_bytes);
    if (pattern->depth > FB_MATCH_DEPTH)
        pattern->depth = FB_MATCH_DEPTH;
    pcre2_callout_enumerate(pattern->counted, note_item, &items);
    /* So many items may stand between two steps that PCRE2 counts itself. */
    pattern->share = FB_MATCH_STEPS / (1 + (uint32_t)(items / ITEMS_OF_STEP));
    pattern->limits = new_context(pattern->depth);
}

struct fb_matcher *fb_matcher_new(const struct fb_str *patterns, uint32_t n) {
    struct fb_matcher *matcher = fb_alloc(sizeof *matcher);
    matcher->n = n;
    matcher->patterns = fb_alloc(sizeof *matcher->patterns * (n + 1u));
    matcher->count = fb_alloc(sizeof *matcher->count);
    for (uint32_t i = 0; i < n; i++)
        set_up(&matcher->patterns[i], patterns[i]);
    matcher->data = pcre2_match_data_create(1, NULL);
    if (!matcher->data)
        fb_out_of_memory(1);
    matcher->counting = new_context(FB_MATCH_DEPTH);
    pcre2_set_match_limit(matcher->counting, UINT32_MAX);
    pcre2_set_callout(matcher->counting, count_step, matcher->count);
    return matcher;
}

void fb_matcher_free(struct fb_matcher *matcher) {
    if (!matcher)
        return;
    for (uint32_t i = 0; i < matcher->n; i++) {
        pcre2_code_free(matcher->patterns[i].plain);
        pcre2_code_free(matcher->patterns[i].counted);
        pcre2_match_context_free(matcher->patterns[i].limits);
    }
    free(matcher->patterns);
    free(matcher->count);
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->counting);
    free(matcher);
}

/* ---- matching ---- */

static int match(const struct fb_matcher *matcher, const pcre2_code *code, struct fb_str subject,
                 pcre2_match_context *context) {
    /* Texts are checked for UTF-8 by the decoder. */
    int n = pcre2_match(code, (PCRE2_SPTR)subject.p, subject.n, 0, PCRE2_NO_UTF_CHECK,
                        matcher->data, context);
    /* Unlike the limits this is not the same everywhere: it must not become a result. */
    if (n == PCRE2_ERROR_NOMEMORY)
        fb_out_of_memory(1);
    return n;
}

int fb_matcher_match(const struct fb_matcher *matcher, uint32_t number, struct fb_str subject) {
    FB_ASSERT(number < matcher->n);
    const struct pattern *pattern = &matcher->patterns[number];
    pcre2_set_match_limit(pattern->limits, pattern->share / (uint32_t)(subject.n + 1));
    matcher->count->steps = 0;
    int n = match(matcher, pattern->plain, subject, pattern->limits);
    if (n == PCRE2_ERROR_MATCHLIMIT) {
        *matcher->count = (struct count){pattern, subject.n, 0, 0};
        pcre2_set_depth_limit(matcher->counting, pattern->depth);
        n = match(matcher, pattern->counted, subject, matcher->counting);
    }
    if (n >= 0)
        return 1;
    return n == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

uint32_t fb_matcher_counted(const struct fb_matcher *matcher) {
    return matcher->count->steps;
}
