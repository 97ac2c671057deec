/* Episodes gathered by key, sorted, and matched between two runs.
 *
 * Place in the flow: see episodes.h. */
#include "engine/review/episodes.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/map.h"
#include "engine/base/num.h"
#include "engine/model/program.h"

struct fb_episodes {
    struct fb_arena *arena;
    struct fb_episode *all;
    uint32_t n, cap;
    struct fb_map *active; /* rule/device of an active alarm: its place in `all` */
    struct fb_buf key;
};

struct fb_episodes *fb_episodes_new(void) {
    struct fb_episodes *episodes = fb_alloc(sizeof *episodes);
    episodes->arena = fb_arena_new();
    episodes->active = fb_map_new();
    return episodes;
}

void fb_episodes_free(struct fb_episodes *episodes) {
    if (!episodes)
        return;
    fb_map_free(episodes->active);
    fb_arena_free(episodes->arena);
    fb_buf_free(&episodes->key);
    free(episodes->all);
    free(episodes);
}

/* ---- gathering ---- */

static struct fb_episode *add(struct fb_episodes *episodes, const struct fb_output *output,
                              struct fb_str message) {
    FB_PUSH_ROOM(episodes->all, episodes->n, episodes->cap);
    struct fb_episode *episode = &episodes->all[episodes->n++];
    *episode = (struct fb_episode){
        .kind = output->kind == FB_OUT_EVENT ? FB_EPISODE_EVENT : FB_EPISODE_ALARM,
        .rule = fb_str_copy(episodes->arena, output->rule->name),
        .device = fb_str_copy(episodes->arena, output->device),
        .class_index = output->class_index,
        .from_us = output->at_us,
        .to_us = output->kind == FB_OUT_EVENT ? output->at_us : FB_NEVER,
        .severity = output->kind == FB_OUT_EVENT ? FB_SEV_NONE : output->severity,
        .message = fb_str_copy(episodes->arena, message)};
    return episode;
}

static struct fb_str key_of(struct fb_episodes *episodes, const struct fb_output *output) {
    episodes->key.n = 0;
    fb_buf_str(&episodes->key, output->rule->name);
    fb_buf_char(&episodes->key, '/');
    fb_buf_str(&episodes->key, output->device);
    return (struct fb_str){episodes->key.p, episodes->key.n};
}

static void add_alert(struct fb_episodes *episodes, const struct fb_output *output,
                      struct fb_str message) {
    struct fb_str key = key_of(episodes, output);
    if (output->event == FB_ALERT_RAISED) {
        fb_map_put(episodes->active, key, episodes->n);
        add(episodes, output, message);
        return;
    }
    uint32_t i = fb_map_get(episodes->active, key);
    FB_ASSERT(i != FB_MAP_NONE);
    struct fb_episode *episode = &episodes->all[i];
    if (!output->active)
        episode->to_us = output->at_us;
    else if (output->severity > episode->severity)
        episode->severity = output->severity;
}

void fb_episodes_add(struct fb_episodes *episodes, const struct fb_output *output,
                     struct fb_str message) {
    if (output->kind == FB_OUT_ALERT)
        add_alert(episodes, output, message);
    else if (output->kind == FB_OUT_EVENT)
        add(episodes, output, message);
}

/* ---- order ---- */

static int by_key(const struct fb_episode *a, const struct fb_episode *b) {
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = fb_str_cmp(a->rule, b->rule);
    return order ? order : fb_str_cmp(a->device, b->device);
}

static int by_time(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int by_key_and_time(const void *left, const void *right) {
    const struct fb_episode *a = left, *b = right;
    int order = by_key(a, b);
    if (!order)
        order = by_time(a->from_us, b->from_us);
    return order ? order : by_time(a->to_us, b->to_us);
}

uint32_t fb_episodes_count(struct fb_episodes *episodes) {
    if (episodes->n)
        qsort(episodes->all, episodes->n, sizeof *episodes->all, by_key_and_time);
    return episodes->n;
}

const struct fb_episode *fb_episodes_at(const struct fb_episodes *episodes, uint32_t i) {
    FB_ASSERT(i < episodes->n);
    return &episodes->all[i];
}

/* ---- pairs ---- */

bool fb_episodes_are_equal(const struct fb_episode_pair *pair) {
    return pair->a && pair->b && pair->a->from_us == pair->b->from_us &&
           pair->a->to_us == pair->b->to_us && pair->a->severity == pair->b->severity;
}

/* Two runs' episodes of one rule and device. */
struct match {
    const struct fb_episode *a, *b;
    uint32_t n_a, n_b;
    uint32_t *a_of; /* of each of b: its place in a; FB_MAP_NONE: none */
    bool *taken;    /* of a */
    int64_t near_us;
};

static bool same_start(const struct match *m, const struct fb_episode *a,
                       const struct fb_episode *b) {
    (void)m;
    return a->from_us == b->from_us;
}
static bool overlap(const struct match *m, const struct fb_episode *a, const struct fb_episode *b) {
    (void)m;
    return a->from_us < b->to_us && b->from_us < a->to_us;
}
static bool are_near(const struct match *m, const struct fb_episode *a,
                     const struct fb_episode *b) {
    return fb_add_sat(a->from_us, m->near_us) >= b->from_us &&
           fb_add_sat(b->from_us, m->near_us) >= a->from_us;
}

/* Goes through both in the order of time; what is paired stays so. */
static void pair_by(struct match *m, bool (*alike)(const struct match *, const struct fb_episode *,
                                                   const struct fb_episode *)) {
    uint32_t a = 0, b = 0;
    while (a < m->n_a && b < m->n_b) {
        if (m->taken[a]) {
            a++;
        } else if (m->a_of[b] != FB_MAP_NONE) {
            b++;
        } else if (alike(m, &m->a[a], &m->b[b])) {
            m->a_of[b] = a;
            m->taken[a++] = true;
            b++;
        } else if (m->a[a].from_us < m->b[b].from_us) {
            a++;
        } else {
            b++;
        }
    }
}

static uint32_t run_of(const struct fb_episode *all, uint32_t from, uint32_t n) {
    uint32_t end = from + 1;
    while (end < n && by_key(&all[from], &all[end]) == 0)
        end++;
    return end - from;
}

static int by_start(const void *left, const void *right) {
    const struct fb_episode_pair *x = left, *y = right;
    const struct fb_episode *a = x->a ? x->a : x->b, *b = y->a ? y->a : y->b;
    int64_t a_us = x->b && x->b->from_us < a->from_us ? x->b->from_us : a->from_us;
    int64_t b_us = y->b && y->b->from_us < b->from_us ? y->b->from_us : b->from_us;
    int order = by_time(a_us, b_us);
    if (!order)
        order = by_key(a, b);
    if (!order) /* the one that only B has comes behind what A has too */
        order = (x->a == NULL) - (y->a == NULL);
    return order ? order : by_time(a->to_us, b->to_us);
}

static void match_run(struct match *m, struct fb_episode_pair *pairs, uint32_t *n) {
    for (uint32_t i = 0; i < m->n_b; i++)
        m->a_of[i] = FB_MAP_NONE;
    for (uint32_t i = 0; i < m->n_a; i++)
        m->taken[i] = false;
    pair_by(m, same_start);
    pair_by(m, overlap);
    pair_by(m, are_near);
    for (uint32_t i = 0; i < m->n_b; i++)
        pairs[(*n)++] = (struct fb_episode_pair){
            m->a_of[i] == FB_MAP_NONE ? NULL : &m->a[m->a_of[i]], &m->b[i]};
    for (uint32_t i = 0; i < m->n_a; i++)
        if (!m->taken[i])
            pairs[(*n)++] = (struct fb_episode_pair){&m->a[i], NULL};
}

struct fb_episode_pair *fb_episodes_compare(struct fb_episodes *a, struct fb_episodes *b,
                                            int64_t near_us, uint32_t *n) {
    uint32_t n_a = fb_episodes_count(a), n_b = fb_episodes_count(b), at_a = 0, at_b = 0;
    struct fb_episode_pair *pairs = fb_alloc(sizeof *pairs * ((size_t)n_a + n_b + 1));
    struct match m = {.near_us = near_us,
                      .a_of = fb_alloc(sizeof(uint32_t) * (n_b + 1u)),
                      .taken = fb_alloc(sizeof(bool) * (n_a + 1u))};
    *n = 0;
    while (at_a < n_a || at_b < n_b) {
        int order = at_a == n_a ? 1 : at_b == n_b ? -1 : by_key(&a->all[at_a], &b->all[at_b]);
        m.a = a->all + at_a;
        m.b = b->all + at_b;
        m.n_a = order <= 0 ? run_of(a->all, at_a, n_a) : 0;
        m.n_b = order >= 0 ? run_of(b->all, at_b, n_b) : 0;
        match_run(&m, pairs, n);
        at_a += m.n_a;
        at_b += m.n_b;
    }
    free(m.a_of);
    free(m.taken);
    if (*n)
        qsort(pairs, *n, sizeof *pairs, by_start);
    return pairs;
}
