/* The table of functions.
 *
 * Place in the flow: check and lower look functions up here. */
#include "rules/functions.h"

#include "engine/base/err.h"

static const struct fb_function functions[] = {
#define FB_FUNCTION(name, window, least, most, takes, gives, order_free, example)                  \
    {FB_S(#name),      FB_F_##name,      FB_WINDOW_##window, least,  most,                         \
     FB_TAKES_##takes, FB_GIVES_##gives, order_free,         example},
#include "rules/functions.inc"
#undef FB_FUNCTION
};

const struct fb_function *fb_function_find(struct fb_str name) {
    for (uint32_t i = 0; i < FB_FUNCTIONS; i++)
        if (fb_str_eq(functions[i].name, name))
            return &functions[i];
    return NULL;
}

const struct fb_function *fb_function_row(uint32_t i) {
    FB_ASSERT(i < FB_FUNCTIONS);
    return &functions[i];
}
