/* A rule bundle from a text.
 *
 * Place in the flow: for unit tests of what works by rules. */
#ifndef FB_TESTS_UNIT_BUNDLE_OF_TEXT_H
#define FB_TESTS_UNIT_BUNDLE_OF_TEXT_H

#include "engine/base/err.h"
#include "engine/run/bundle.h"

/* One reference, the caller's. Rules that do not compile are a mistake of the test. */
static inline struct fb_bundle *bundle_of_text(const char *text,
                                               const struct fb_bundle_settings *settings) {
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    struct fb_compiled compiled;
    fb_sources_add(sources, FB_S("t.rules"), fb_str_of(text));
    FB_ASSERT(fb_compile_sources(sources, diags, &compiled));
    fb_diags_free(diags);
    return fb_bundle_of(&compiled, settings, NULL);
}

#endif
