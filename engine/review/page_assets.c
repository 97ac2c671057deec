/* Files of assets/ as bytes, put in by the assembler.
 *
 * Place in the flow: see page_assets.h. FB_ASSETS is their folder. */
#include "engine/review/page_assets.h"

#define FB_ASSET(name, file)                                                                       \
    __asm__(".pushsection .rodata\n"                                                               \
            "fb_asset_" #name "_begin:\n"                                                          \
            ".incbin \"" FB_ASSETS "/" file "\"\n"                                                 \
            "fb_asset_" #name "_end:\n"                                                            \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char fb_asset_##name##_begin[], fb_asset_##name##_end[];                          \
    struct fb_str fb_asset_##name(void) {                                                          \
        return (struct fb_str){fb_asset_##name##_begin,                                            \
                               (size_t)(fb_asset_##name##_end - fb_asset_##name##_begin)};         \
    }

FB_ASSET(uplot_js, "uplot/uPlot.iife.min.js")
FB_ASSET(uplot_css, "uplot/uPlot.min.css")
FB_ASSET(page_js, "page.js")
FB_ASSET(page_css, "page.css")
