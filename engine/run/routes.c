/* Which classes take the records of which topic. */
#include "engine/run/routes.h"

#include <stdlib.h>
#include <string.h>

static bool names(const struct fb_class *class, struct fb_str topic) {
    for (uint32_t i = 0; i < class->n_topics; i++)
        if (fb_str_eq(class->topics[i], topic))
            return true;
    return false;
}

static struct fb_route *add(struct fb_routes *routes, struct fb_str topic) {
    routes->items = fb_grow(routes->items, (routes->n + 1) * sizeof *routes->items);
    struct fb_route *route = &routes->items[routes->n++];
    char *copy = fb_alloc(topic.n + 1);
    memcpy(copy, topic.p, topic.n);
    *route = (struct fb_route){.topic = copy, .name = {copy, topic.n}};
    return route;
}

static void add_class(struct fb_route *route, uint32_t class_index) {
    route->classes = fb_grow(route->classes, (route->n_classes + 1) * sizeof *route->classes);
    route->classes[route->n_classes++] = (uint16_t)class_index;
}

static int by_topic(const void *a, const void *b) {
    return strcmp(((const struct fb_route *)a)->topic, ((const struct fb_route *)b)->topic);
}

struct fb_routes fb_routes_of(const struct fb_program *program) {
    struct fb_routes routes = {0};
    for (uint32_t i = 0; i < program->n_classes; i++)
        for (uint32_t k = 0; k < program->classes[i].n_topics; k++)
            if (fb_routes_find(&routes, program->classes[i].topics[k]) == UINT32_MAX)
                add(&routes, program->classes[i].topics[k]);
    for (uint32_t r = 0; r < routes.n; r++)
        for (uint32_t i = 0; i < program->n_classes; i++)
            if (names(&program->classes[i], fb_str_of(routes.items[r].topic)))
                add_class(&routes.items[r], i);
    if (routes.n > 1)
        qsort(routes.items, routes.n, sizeof *routes.items, by_topic);
    return routes;
}

struct fb_routes fb_routes_to(const struct fb_program *program, const char *topic) {
    struct fb_routes routes = {0};
    for (uint32_t i = 0; i < program->n_classes; i++)
        if (program->classes[i].n_topics == 0 || names(&program->classes[i], fb_str_of(topic)))
            add_class(routes.n ? routes.items : add(&routes, fb_str_of(topic)), i);
    return routes;
}

void fb_routes_free(struct fb_routes *routes) {
    for (uint32_t i = 0; i < routes->n; i++) {
        free((void *)(uintptr_t)routes->items[i].topic);
        free(routes->items[i].classes);
    }
    free(routes->items);
    *routes = (struct fb_routes){0};
}

uint32_t fb_routes_find(const struct fb_routes *routes, struct fb_str topic) {
    for (uint32_t i = 0; i < routes->n; i++)
        if (fb_str_eq(routes->items[i].name, topic))
            return i;
    return UINT32_MAX;
}
