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

struct course {
    struct fb_course told;
    uint32_t last; /* place of its last command in `all` */
};

struct fb_episodes {
    struct fb_arena *arena;
    struct fb_episode *all;
    uint32_t n, cap;
    struct fb_map *active; /* rule/device of an active alarm: its place in `all` */
    struct course *courses;
    uint32_t n_courses, cap_courses;
    struct fb_map *commanded; /* kind/class/actuator/device: place in `courses` */
    struct fb_buf key;
};

struct fb_episodes *fb_episodes_new(void) {
    struct fb_episodes *episodes = fb_alloc(sizeof *episodes);
    episodes->arena = fb_arena_new();
    episodes->active = fb_map_new();
    episodes->commanded = fb_map_new();
    return episodes;
}

void fb_episodes_free(struct fb_episodes *episodes) {
    if (!episodes)
        return;
    fb_map_free(episodes->active);
    fb_map_free(episodes->commanded);
    fb_arena_free(episodes->arena);
    fb_buf_free(&episodes->key);
    free(episodes->courses);
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
    if (output->event != FB_ALERT_CLEARED && output->event != FB_ALERT_SEVERITY &&
        output->event != FB_ALERT_REMOVED)
        return; /* what operators say of it changes nothing of the alarm */
    FB_ASSERT(i != FB_MAP_NONE);
    struct fb_episode *episode = &episodes->all[i];
    if (!output->active && episode->to_us == FB_NEVER)
        episode->to_us = output->at_us;
    else if (output->active && output->severity > episode->severity)
        episode->severity = output->severity;
}

void fb_episodes_add(struct fb_episodes *episodes, const struct fb_output *output,
                     struct fb_str message) {
    if (output->kind == FB_OUT_ALERT || output->kind == FB_OUT_MUTED) /* it lives on */
        add_alert(episodes, output, message);
    else if (output->kind == FB_OUT_EVENT)
        add(episodes, output, message);
}

/* ---- commands ---- */

static struct course *course_of(struct fb_episodes *episodes, enum fb_episode_kind kind,
                                struct fb_str class_name, const struct fb_output *output) {
    struct fb_str name = output->actuator->name;
    episodes->key.n = 0;
    fb_buf_printf(&episodes->key, "%d/%.*s/%.*s/%.*s", kind, FB_ARG(class_name), FB_ARG(name),
                  FB_ARG(output->device));
    struct fb_str key = {episodes->key.p, episodes->key.n};
    uint32_t i = fb_map_get(episodes->commanded, key);
    if (i != FB_MAP_NONE)
        return &episodes->courses[i];
    fb_map_put(episodes->commanded, key, episodes->n_courses);
    FB_PUSH_ROOM(episodes->courses, episodes->n_courses, episodes->cap_courses);
    struct course *course = &episodes->courses[episodes->n_courses++];
    *course = (struct course){
        .told = {.kind = kind,
                 .actuator = fb_str_copy(episodes->arena, name),
                 .device = fb_str_copy(episodes->arena, output->device),
                 .class_name = fb_str_copy(episodes->arena, class_name)},
    };
    return course;
}

/* "on", "60 %" */
static struct fb_str value_text(struct fb_arena *arena, const struct fb_output *output) {
    const struct fb_actuator *actuator = output->actuator;
    char text[FB_NUM_TEXT_MAX];
    if (actuator->is_switch)
        return fb_str_copy(arena, actuator->words[output->value != 0]);
    size_t n = fb_num_format(output->value, text);
    return fb_str_printf(arena, "%.*s%s%.*s", (int)n, text, actuator->unit.n ? " " : "",
                         FB_ARG(actuator->unit));
}

void fb_episodes_add_command(struct fb_episodes *episodes, enum fb_episode_kind kind,
                             struct fb_str class_name, const struct fb_output *output) {
    struct course *course = course_of(episodes, kind, class_name, output);
    bool is_first = !course->told.motion.begun;
    if (!fb_motion_step(&course->told.motion, output->actuator, output->value))
        return;
    if (!is_first)
        episodes->all[course->last].to_us = output->at_us;
    FB_PUSH_ROOM(episodes->all, episodes->n, episodes->cap);
    course->last = episodes->n++;
    episodes->all[course->last] = (struct fb_episode){.kind = kind,
                                                      .rule = course->told.actuator,
                                                      .device = course->told.device,
                                                      .class_name = course->told.class_name,
                                                      .value = value_text(episodes->arena, output),
                                                      .class_index = output->class_index,
                                                      .is_number = !output->actuator->is_switch,
                                                      .from_us = output->at_us,
                                                      .to_us = FB_NEVER};
}

uint32_t fb_episodes_courses(const struct fb_episodes *episodes) {
    return episodes->n_courses;
}

const struct fb_course *fb_episodes_course(const struct fb_episodes *episodes, uint32_t i) {
    FB_ASSERT(i < episodes->n_courses);
    return &episodes->courses[i].told;
}

/* ---- order ---- */

static int by_key(const struct fb_episode *a, const struct fb_episode *b) {
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = fb_str_cmp(a->class_name, b->class_name);
    if (!order)
        order = fb_str_cmp(a->rule, b->rule);
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

static bool is_command(const struct fb_episode *episode) {
    return episode->kind == FB_EPISODE_COMMAND || episode->kind == FB_EPISODE_SHADOW;
}

bool fb_episodes_are_equal(const struct fb_episode_pair *pair) {
    const struct fb_episode *a = pair->a, *b = pair->b;
    if (!a || !b || a->from_us != b->from_us)
        return false;
    return is_command(a) ? fb_str_eq(a->value, b->value)
                         : a->to_us == b->to_us && a->severity == b->severity;
}

/* Two runs' episodes of one rule and device, or those of one value of an actuator; of what is left
 * of commands, all values. */
struct match {
    const struct fb_episode **a, **b;
    uint32_t n_a, n_b;
    struct fb_episode_pair *pairs; /* room for all */
    uint32_t n;
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

static void push(struct match *m, const struct fb_episode *a, const struct fb_episode *b) {
    m->pairs[m->n++] = (struct fb_episode_pair){a, b};
}

/* What is left of n, in the same order. */
static uint32_t close_up(const struct fb_episode **all, uint32_t n) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (all[i])
            all[kept++] = all[i];
    return kept;
}

/* Goes through both in the order of time; what is paired leaves them. */
static void pair_by(struct match *m, bool (*alike)(const struct match *, const struct fb_episode *,
                                                   const struct fb_episode *)) {
    uint32_t a = 0, b = 0;
    while (a < m->n_a && b < m->n_b) {
        if (alike(m, m->a[a], m->b[b])) {
            push(m, m->a[a], m->b[b]);
            m->a[a++] = NULL;
            m->b[b++] = NULL;
        } else if (m->a[a]->from_us < m->b[b]->from_us) {
            a++;
        } else {
            b++;
        }
    }
    m->n_a = close_up(m->a, m->n_a);
    m->n_b = close_up(m->b, m->n_b);
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

static void pair_alike(struct match *m) {
    pair_by(m, same_start);
    pair_by(m, overlap);
    pair_by(m, are_near);
}

static int by_value_and_time(const void *left, const void *right) {
    const struct fb_episode *a = *(const struct fb_episode *const *)left;
    const struct fb_episode *b = *(const struct fb_episode *const *)right;
    int order = fb_str_cmp(a->value, b->value);
    return order ? order : by_time(a->from_us, b->from_us);
}

static int by_pointed_time(const void *left, const void *right) {
    return by_key_and_time(*(const struct fb_episode *const *)left,
                           *(const struct fb_episode *const *)right);
}

static void sort(const struct fb_episode **all, uint32_t n,
                 int (*order)(const void *, const void *)) {
    if (n)
        qsort(all, n, sizeof *all, order);
}

/* How many from the first on have its value. */
static uint32_t run_of_value(const struct fb_episode **all, uint32_t n, struct fb_str value) {
    uint32_t end = 0;
    while (end < n && fb_str_eq(all[end]->value, value))
        end++;
    return end;
}

/* Those of the least value of both. What is left of them stays in place, the rest is NULL. */
static void pair_least_value(struct match *m, uint32_t *at_a, uint32_t *at_b) {
    struct match of_value = *m;
    of_value.a += *at_a;
    of_value.b += *at_b;
    struct fb_str value = *at_a == m->n_a   ? of_value.b[0]->value
                          : *at_b == m->n_b ? of_value.a[0]->value
                          : fb_str_cmp(of_value.a[0]->value, of_value.b[0]->value) <= 0
                              ? of_value.a[0]->value
                              : of_value.b[0]->value;
    uint32_t n_a = run_of_value(of_value.a, m->n_a - *at_a, value);
    uint32_t n_b = run_of_value(of_value.b, m->n_b - *at_b, value);
    of_value.n_a = n_a;
    of_value.n_b = n_b;
    pair_alike(&of_value);
    for (uint32_t i = of_value.n_a; i < n_a; i++)
        of_value.a[i] = NULL;
    for (uint32_t i = of_value.n_b; i < n_b; i++)
        of_value.b[i] = NULL;
    m->n = of_value.n;
    *at_a += n_a;
    *at_b += n_b;
}

static void pair_commands(struct match *m) {
    uint32_t at_a = 0, at_b = 0;
    bool is_number = m->n_a && m->n_b && m->a[0]->is_number && m->b[0]->is_number;
    sort(m->a, m->n_a, by_value_and_time);
    sort(m->b, m->n_b, by_value_and_time);
    while (at_a < m->n_a || at_b < m->n_b)
        pair_least_value(m, &at_a, &at_b);
    m->n_a = close_up(m->a, m->n_a);
    m->n_b = close_up(m->b, m->n_b);
    sort(m->a, m->n_a, by_pointed_time);
    sort(m->b, m->n_b, by_pointed_time);
    pair_by(m, same_start);
    if (is_number)
        pair_by(m, are_near);
}

static void match_run(struct match *m) {
    const struct fb_episode *any = m->n_a ? m->a[0] : m->b[0];
    (is_command(any) ? pair_commands : pair_alike)(m);
    for (uint32_t i = 0; i < m->n_b; i++)
        push(m, NULL, m->b[i]);
    for (uint32_t i = 0; i < m->n_a; i++)
        push(m, m->a[i], NULL);
}

static const struct fb_episode **pointers(const struct fb_episodes *episodes) {
    const struct fb_episode **all = fb_alloc(sizeof *all * (episodes->n + 1u));
    for (uint32_t i = 0; i < episodes->n; i++)
        all[i] = &episodes->all[i];
    return all;
}

struct fb_episode_pair *fb_episodes_compare(struct fb_episodes *a, struct fb_episodes *b,
                                            int64_t near_us, uint32_t *n) {
    uint32_t n_a = fb_episodes_count(a), n_b = fb_episodes_count(b), at_a = 0, at_b = 0;
    const struct fb_episode **all_a = pointers(a), **all_b = pointers(b);
    struct match m = {.near_us = near_us,
                      .pairs = fb_alloc(sizeof *m.pairs * ((size_t)n_a + n_b + 1))};
    while (at_a < n_a || at_b < n_b) {
        int order = at_a == n_a ? 1 : at_b == n_b ? -1 : by_key(&a->all[at_a], &b->all[at_b]);
        uint32_t of_a = order <= 0 ? run_of(a->all, at_a, n_a) : 0;
        uint32_t of_b = order >= 0 ? run_of(b->all, at_b, n_b) : 0;
        m.a = all_a + at_a;
        m.b = all_b + at_b;
        m.n_a = of_a;
        m.n_b = of_b;
        match_run(&m);
        at_a += of_a;
        at_b += of_b;
    }
    free(all_a);
    free(all_b);
    *n = m.n;
    if (*n)
        qsort(m.pairs, *n, sizeof *m.pairs, by_start);
    return m.pairs;
}
