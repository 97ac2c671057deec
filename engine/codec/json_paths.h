/* The compiled table of paths: a trie of names in one small hash table.
 *
 * Place in the flow: inside the scanner only; made at set-up, then immutable.
 *
 * A node is a declared path or a prefix of one; node 0 is the object itself. A slot of the table
 * holds an edge: (parent node, name) -> node. The multiplier is searched until no two edges
 * collide, so that a lookup is one comparison; where none is found, a few are. */
#ifndef FB_CODEC_JSON_PATHS_H
#define FB_CODEC_JSON_PATHS_H

#include "engine/codec/json.h"

#include <string.h>

/* Heads and tails are loaded eight bytes at a time, the first byte lowest. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the scanner needs a little-endian CPU");

enum { FB_JSON_NO_NODE = UINT32_MAX };

struct fb_json_edge {
    uint64_t head, tail; /* the first and last 8 bytes of the name, zero-filled */
    struct fb_str name;
    uint32_t parent;
    uint32_t node; /* 0: the slot is empty */
};

struct fb_json_paths {
    struct fb_arena *arena;
    struct fb_json_edge *slots; /* (mask + 1) slots and `probes` more, so that none wraps around */
    uint32_t mask, probes;
    uint64_t multiplier;
    uint32_t n_nodes;
    uint32_t n_paths;
    uint32_t *node_of_path;
    bool *is_parent; /* of a node: it has edges */
    bool *is_path;   /* of a node: it was asked for */
};

/* The parts of a name that are hashed and compared first. */
struct fb_json_name {
    struct fb_str text;
    uint64_t head, tail;
};

static inline uint64_t fb_json_hash(const struct fb_json_paths *paths, uint32_t parent,
                                    const struct fb_json_name *name) {
    uint64_t mix = name->head ^ (name->tail << 29 | name->tail >> 35) ^
                   ((uint64_t)parent * UINT64_C(0x9E3779B97F4A7C15)) ^
                   ((uint64_t)name->text.n << 56);
    return mix * paths->multiplier;
}

static inline uint32_t fb_json_slot(const struct fb_json_paths *paths, uint64_t hash) {
    return (uint32_t)(hash >> 40) & paths->mask;
}

/* The node of a name (and its hash) below a parent, FB_JSON_NO_NODE if it is not declared. */
static inline uint32_t fb_json_child(const struct fb_json_paths *paths, uint32_t parent,
                                     const struct fb_json_name *name, uint64_t hash) {
    const struct fb_json_edge *edge = paths->slots + fb_json_slot(paths, hash);
    for (uint32_t i = 0; i < paths->probes; i++, edge++) {
        if (edge->head == name->head && edge->tail == name->tail && edge->parent == parent &&
            edge->name.n == name->text.n && edge->node != 0 &&
            (name->text.n <= 16 || memcmp(edge->name.p, name->text.p, name->text.n) == 0))
            return edge->node;
    }
    return (uint32_t)FB_JSON_NO_NODE;
}

/* For names of any length; touches only their bytes. */
static inline struct fb_json_name fb_json_name_of(struct fb_str text) {
    struct fb_json_name name = {text, 0, 0};
    if (text.n >= 8) {
        memcpy(&name.head, text.p, 8);
        memcpy(&name.tail, text.p + text.n - 8, 8);
    } else {
        for (size_t i = 0; i < text.n; i++)
            name.head |= (uint64_t)(unsigned char)text.p[i] << (8 * i);
    }
    return name;
}

#endif
