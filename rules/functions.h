/* The table of functions: what each takes and gives.
 *
 * Place in the flow: check reads types and units from it, lower which code to make. */
#ifndef FB_RULES_FUNCTIONS_H
#define FB_RULES_FUNCTIONS_H

#include "engine/base/str.h"

#include <stdint.h>

enum fb_function_id {
#define FB_FUNCTION(name, window, least, most, takes, gives, order_free, example) FB_F_##name,
#include "rules/functions.inc"
#undef FB_FUNCTION
    FB_FUNCTIONS
};

enum fb_function_window { FB_WINDOW_NEVER, FB_WINDOW_ALWAYS, FB_WINDOW_EITHER };

enum fb_function_takes {
    FB_TAKES_NUMBERS,   /* numbers and integers, of one dimension */
    FB_TAKES_COUNTER,
    FB_TAKES_CONDITION, /* a bool; `count` also nothing */
    FB_TAKES_ANYTHING,  /* a value of any type */
    FB_TAKES_FIELD,     /* the name of a field, or nothing */
    FB_TAKES_ALIKE,     /* values of one type and dimension */
    FB_TAKES_BETWEEN    /* a number, and a range a..b */
};

enum fb_function_gives {
    FB_GIVES_SAME,        /* type and unit of what it takes */
    FB_GIVES_SAME_NUMBER, /* its unit, as a number */
    FB_GIVES_SUM,         /* the same; not of temperatures in degC */
    FB_GIVES_SIZE,        /* the same; not of temperatures in degC */
    FB_GIVES_DIFFERENCE,  /* K for degC */
    FB_GIVES_PER_SECOND,
    FB_GIVES_ROOT,
    FB_GIVES_COUNT, /* a number without a unit */
    FB_GIVES_BOOL,
    FB_GIVES_SECONDS /* moves with time: only directly in a comparison */
};

struct fb_function {
    struct fb_str name;
    enum fb_function_id id;
    enum fb_function_window window;
    uint32_t least, most; /* arguments */
    enum fb_function_takes takes;
    enum fb_function_gives gives;
    bool order_free;
    const char *example;
};

/* NULL: there is none of this name. */
const struct fb_function *fb_function_find(struct fb_str name);
const struct fb_function *fb_function_row(uint32_t i); /* i < FB_FUNCTIONS */

#endif
