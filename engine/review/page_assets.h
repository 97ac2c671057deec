/* Files that stand in the program as they are.
 *
 * Place in the flow: review/page puts them into each page. */
#ifndef FB_REVIEW_PAGE_ASSETS_H
#define FB_REVIEW_PAGE_ASSETS_H

#include "engine/base/str.h"

struct fb_str fb_asset_uplot_js(void);
struct fb_str fb_asset_uplot_css(void);
struct fb_str fb_asset_page_js(void);
struct fb_str fb_asset_page_css(void);

#endif
