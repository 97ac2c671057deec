/* A run as a page for a browser: what came in and what was told, on one time axis.
 *
 * Place in the flow: `replay --report` hands over records and outputs as they come; the page is one
 * HTML file that needs no network. Plots by uPlot 1.6.32 (assets/uplot, MIT). One owner. */
#ifndef FB_REVIEW_PAGE_H
#define FB_REVIEW_PAGE_H

#include "engine/model/entry.h"
#include "engine/model/output.h"
#include "engine/model/program.h"

enum {
    FB_PAGE_DEVICES_MAX = 50,   /* on the page: those with the most alarms */
    FB_PAGE_FOLLOWED_MAX = 2000 /* of which curves are kept: the first that come */
};

struct fb_page;

/* The program must outlive the page. */
struct fb_page *fb_page_new(const struct fb_program *program);
void fb_page_free(struct fb_page *page);
void fb_page_record(struct fb_page *page, const struct fb_entry *entry);
void fb_page_output(struct fb_page *page, const struct fb_output *output, struct fb_str message);
/* Appends the page. Nothing may be added after it. build: of the engine. */
void fb_page_put(struct fb_page *page, struct fb_str title, struct fb_str build,
                 struct fb_buf *out);

/* The same figures as text: a table of the alarms, one of the actuators; nothing where there are
 * none. tables.c */
void fb_page_put_tables(struct fb_page *page, struct fb_buf *out);

#endif
