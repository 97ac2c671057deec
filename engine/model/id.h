/* How the texts of several keys become one: joined by commas, what would be mistaken encoded.
 *
 * Place in the flow: the decoder makes the ids of devices so, the core what links and groups go by.
 * No state. */
#ifndef FB_MODEL_ID_H
#define FB_MODEL_ID_H

#include "engine/model/program.h"

static inline bool fb_id_is_bare(char c) {
    return c != '%' && c != ',' && c != '/';
}
/* Adds a text behind the n bytes of an id; false: there is no room. */
bool fb_id_add(char id[FB_DEVICE_ID_MAX], size_t *n, bool first, struct fb_str text);

#endif
