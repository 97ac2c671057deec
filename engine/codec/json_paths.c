/* The compiled table of paths: the trie, and the search for a hash without collisions. */
#include "engine/codec/json_paths.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

struct builder {
    struct fb_json_edge *edges;
    uint32_t n, cap;
};

static uint32_t find_or_add(struct fb_json_paths *paths, struct builder *b, uint32_t parent,
                            struct fb_str text) {
    FB_ASSERT(text.n > 0);
    for (uint32_t i = 0; i < b->n; i++)
        if (b->edges[i].parent == parent && fb_str_eq(b->edges[i].name, text))
            return b->edges[i].node;
    FB_PUSH_ROOM(b->edges, b->n, b->cap);
    struct fb_json_name name = fb_json_name_of(fb_str_copy(paths->arena, text));
    b->edges[b->n++] = (struct fb_json_edge){.head = name.head,
                                             .tail = name.tail,
                                             .name = name.text,
                                             .parent = parent,
                                             .node = paths->n_nodes};
    return paths->n_nodes++;
}

/* path = name { "." name } */
static uint32_t add_path(struct fb_json_paths *paths, struct builder *b, struct fb_str path) {
    uint32_t node = 0;
    size_t start = 0;
    for (size_t i = 0; i <= path.n; i++) {
        if (i < path.n && path.p[i] != '.')
            continue;
        node = find_or_add(paths, b, node, (struct fb_str){path.p + start, i - start});
        start = i + 1;
    }
    return node;
}

/* The greatest distance of an edge from its slot; fills the slots. */
static uint32_t place_edges(struct fb_json_paths *paths, const struct builder *b) {
    uint32_t n_slots = paths->mask + 1, farthest = 0;
    memset(paths->slots, 0, (n_slots + b->n) * sizeof *paths->slots);
    for (uint32_t i = 0; i < b->n; i++) {
        struct fb_json_name name = {b->edges[i].name, b->edges[i].head, b->edges[i].tail};
        uint32_t home = fb_json_slot(paths, fb_json_hash(paths, b->edges[i].parent, &name));
        uint32_t slot = home;
        while (paths->slots[slot].node)
            slot++;
        paths->slots[slot] = b->edges[i];
        if (slot - home > farthest)
            farthest = slot - home;
    }
    return farthest;
}

static void build_table(struct fb_json_paths *paths, const struct builder *b) {
    enum { TRIES = 400 };
    uint64_t best_multiplier = 0, state = UINT64_C(0x9E3779B97F4A7C15);
    uint32_t best = UINT32_MAX, n_slots = 8;
    while (n_slots < b->n * 4)
        n_slots *= 2;
    paths->slots = FB_ARENA_ARRAY(paths->arena, struct fb_json_edge, n_slots + b->n);
    paths->mask = n_slots - 1;
    for (int i = 0; i < TRIES && best > 0; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        paths->multiplier = (state ^ state >> 31) | 1;
        uint32_t farthest = place_edges(paths, b);
        if (farthest < best) {
            best = farthest;
            best_multiplier = paths->multiplier;
        }
    }
    paths->multiplier = best_multiplier;
    paths->probes = place_edges(paths, b) + 1;
}

struct fb_json_paths *fb_json_paths_new(const struct fb_str *texts, uint32_t n_paths) {
    struct fb_arena *arena = fb_arena_new();
    struct fb_json_paths *paths = FB_ARENA_NEW(arena, struct fb_json_paths);
    struct builder b = {0};
    paths->arena = arena;
    paths->n_paths = n_paths;
    paths->n_nodes = 1;
    paths->node_of_path = FB_ARENA_ARRAY(arena, uint32_t, n_paths);
    for (uint32_t i = 0; i < n_paths; i++)
        paths->node_of_path[i] = add_path(paths, &b, texts[i]);
    paths->is_parent = FB_ARENA_ARRAY(arena, bool, paths->n_nodes);
    for (uint32_t i = 0; i < b.n; i++)
        paths->is_parent[b.edges[i].parent] = true;
    paths->is_path = FB_ARENA_ARRAY(arena, bool, paths->n_nodes);
    for (uint32_t i = 0; i < n_paths; i++)
        paths->is_path[paths->node_of_path[i]] = true;
    build_table(paths, &b);
    free(b.edges);
    return paths;
}

void fb_json_paths_free(struct fb_json_paths *paths) {
    if (paths)
        fb_arena_free(paths->arena);
}

uint32_t fb_json_node(const struct fb_json_paths *paths, uint32_t path) {
    FB_ASSERT(path < paths->n_paths);
    return paths->node_of_path[path];
}
