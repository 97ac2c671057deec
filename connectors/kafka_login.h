/* Connections that a broker, or our own check of it, has refused: what happened, what to do.
 *
 * Place in the flow: inside connectors/ only; the library tells a reason in its own words alone. */
#ifndef FB_CONNECTORS_KAFKA_LOGIN_H
#define FB_CONNECTORS_KAFKA_LOGIN_H

#include "engine/base/str.h"

#include <stdbool.h>

struct fb_kafka_login {
    const char *in_reason;   /* what the library's text holds then */
    const char *what, *help; /* static */
    bool lasting;            /* waiting does not help */
};

/* NULL: not about who may connect. */
const struct fb_kafka_login *fb_kafka_login_of(const char *reason);
/* The library's text without which connection it was and how long it took; a view of reason. */
struct fb_str fb_kafka_login_words(const char *reason);

#endif
