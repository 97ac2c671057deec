/* Which classes take the records of which topic.
 *
 * Place in the flow: made once from the program; read-only, shared by all workers. */
#ifndef FB_RUN_ROUTES_H
#define FB_RUN_ROUTES_H

#include "engine/model/program.h"

struct fb_route {
    const char *topic;  /* terminated */
    struct fb_str name; /* the same, with its length */
    uint16_t *classes;  /* indices in the program */
    uint32_t n_classes;
};

struct fb_routes {
    struct fb_route *items;
    uint32_t n;
};

/* Every topic that a class names, in byte order. Owns its texts: the program may go. */
struct fb_routes fb_routes_of(const struct fb_program *program);
/* One topic for all classes that name it or none: a pipe's. n is 0 where no class does. */
struct fb_routes fb_routes_to(const struct fb_program *program, const char *topic);
void fb_routes_free(struct fb_routes *routes);
/* The index of a topic's route; UINT32_MAX: none. */
uint32_t fb_routes_find(const struct fb_routes *routes, struct fb_str topic);

#endif
