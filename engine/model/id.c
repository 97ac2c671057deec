/* See id.h.
 *
 * Place in the flow: see id.h. */
#include "engine/model/id.h"

bool fb_id_add(char id[FB_DEVICE_ID_MAX], size_t *n, bool first, struct fb_str text) {
    if (!first) {
        if (*n == FB_DEVICE_ID_MAX)
            return false;
        id[(*n)++] = ',';
    }
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (*n + (fb_id_is_bare(c) ? 1 : 3) > FB_DEVICE_ID_MAX)
            return false;
        if (fb_id_is_bare(c)) {
            id[(*n)++] = c;
        } else {
            id[(*n)++] = '%';
            id[(*n)++] = "0123456789ABCDEF"[c >> 4];
            id[(*n)++] = "0123456789ABCDEF"[c & 15];
        }
    }
    return true;
}
