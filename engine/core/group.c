/* Members one after the other, in the order of their ids.
 *
 * Place in the flow: see group.h. */
#include "engine/core/group.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/core/text.h"

static const struct fb_value UNKNOWN = {.quality = FB_Q_UNKNOWN};

static struct fb_value number(double x) {
    if (!fb_num_finite(x))
        return UNKNOWN;
    return (struct fb_value){.num = x, .quality = FB_Q_GOOD};
}
static struct fb_value whole(int64_t i) {
    return (struct fb_value){.i = i, .quality = FB_Q_GOOD};
}

/* ---- set-up ---- */

/* An expression of a group: the same memo wherever it is read. */
struct expression {
    const struct fb_group *group;
    uint8_t function;
    double number;
    uint32_t memo;
};

/* What a function computes with beside the values: a percent, or what is nearest; 0: nothing. */
static double number_of(const struct fb_class *class_, const struct fb_instr *in) {
    bool has = in->sub == FB_GROUP_PERCENTILE || in->sub == FB_GROUP_ASKED_NEAREST;
    return has ? class_->numbers[in->b] : 0;
}

static bool is_same(const struct expression *a, const struct expression *b) {
    return a->group->class_index == b->group->class_index &&
           a->group->relation == b->group->relation && a->group->value == b->group->value &&
           a->group->where == b->group->where && a->function == b->function &&
           a->number == b->number;
}

void fb_groups_set_up(struct fb_relations *relations) {
    const struct fb_program *program = relations->program;
    struct expression *all = NULL;
    uint32_t n = 0, cap = 0;
    relations->memo_of = fb_alloc(sizeof(uint16_t *) * (program->n_classes + 1u));
    relations->n_memos = fb_alloc(sizeof(uint32_t *) * (program->n_classes + 1u));
    for (uint32_t c = 0; c < program->n_classes; c++)
        relations->n_memos[c] = fb_alloc(sizeof(uint32_t) * (program->classes[c].n_relations + 1u));
    for (uint32_t c = 0; c < program->n_classes; c++) {
        const struct fb_class *class_ = &program->classes[c];
        relations->memo_of[c] = fb_alloc(sizeof(uint16_t) * (class_->n_code + 1u));
        for (uint32_t i = 0; i < class_->n_code; i++) {
            const struct fb_instr *in = &class_->code[i];
            if (in->op != FB_I_GROUP)
                continue;
            struct expression e = {.group = &class_->groups[in->imm],
                                   .function = in->sub,
                                   .number = number_of(class_, in)};
            uint32_t k = 0;
            while (k < n && !is_same(&all[k], &e))
                k++;
            if (k == n) {
                e.memo = relations->n_memos[e.group->class_index][e.group->relation]++;
                FB_ASSERT(e.memo <= UINT16_MAX);
                FB_PUSH_ROOM(all, n, cap);
                all[n++] = e;
            }
            relations->memo_of[c][i] = (uint16_t)all[k].memo;
        }
    }
    free(all);
}

void fb_groups_tear_down(struct fb_relations *relations) {
    for (uint32_t c = 0; c < relations->program->n_classes; c++) {
        free(relations->memo_of[c]);
        free(relations->n_memos[c]);
    }
    free(relations->memo_of);
    free(relations->n_memos);
    free(relations->scratch);
}

struct fb_group_memo *fb_group_memos_new(uint32_t n) {
    return n ? fb_alloc(sizeof(struct fb_group_memo) * n) : NULL;
}

void fb_group_memos_free(struct fb_group_memo *memos, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        free(memos[i].ranks);
    free(memos);
}

/* ---- sorting ---- */

/* A member's value and its place in the bucket. */
struct fb_ranked {
    union {
        double num;
        int64_t i;
    };
    uint32_t at;
    bool known;
};

void fb_groups_reserve(struct fb_relations *relations, uint32_t members) {
    uint32_t cap = relations->cap_scratch;
    while (cap < members)
        cap = cap ? cap * 2 : 64;
    if (cap == relations->cap_scratch)
        return;
    relations->scratch = fb_grow(relations->scratch, sizeof(struct fb_ranked) * cap);
    relations->cap_scratch = cap;
}

static bool is_double(enum fb_type type) {
    return type == FB_T_NUMBER || type == FB_T_COUNTER;
}

static int order_of(const struct fb_ranked *a, const struct fb_ranked *b, bool doubles) {
    if (doubles)
        return (a->num > b->num) - (a->num < b->num);
    return (a->i > b->i) - (a->i < b->i);
}

/* Those that are known first, ascending, equal ones as they come. */
static bool stands_before(const struct fb_ranked *a, const struct fb_ranked *b, bool doubles) {
    if (a->known != b->known)
        return a->known;
    int order = a->known ? order_of(a, b, doubles) : 0;
    return order != 0 ? order < 0 : a->at < b->at;
}

static void sift_down(struct fb_ranked *all, uint32_t i, uint32_t n, bool doubles) {
    struct fb_ranked one = all[i];
    for (uint32_t child; (child = i * 2 + 1) < n; i = child) {
        if (child + 1 < n && stands_before(&all[child], &all[child + 1], doubles))
            child++;
        if (!stands_before(&one, &all[child], doubles))
            break;
        all[i] = all[child];
    }
    all[i] = one;
}

static void sort(struct fb_ranked *all, uint32_t n, bool doubles) {
    for (uint32_t i = n / 2; i-- > 0;)
        sift_down(all, i, n, doubles);
    while (n > 1) {
        struct fb_ranked last = all[--n];
        all[n] = all[0];
        all[0] = last;
        sift_down(all, 0, n, doubles);
    }
}

/* ---- members ---- */

/* A group and what one look at its members found. */
struct look {
    struct fb_relations *relations;
    const struct fb_group *group;
    const struct fb_class *members_class;
    const struct fb_bucket *bucket;   /* NULL: there are no members */
    enum fb_type type;                /* of the values; NONE: there are none */
    uint32_t members, known, counted; /* M, k, n */
    uint32_t yes;                     /* counted ones that are true */
};

static const struct fb_published_cell *cell_of(const struct look *look,
                                               const struct fb_device *device, uint32_t index) {
    return (const void *)((const char *)device + device->plan->block_at +
                          look->members_class->published[index].offset);
}

/* Adds to what was found; true: the member is one that counts or, for a rank, whose `where` is
 * true. *value: its cell, NULL where the group has no values. */
static bool look_at(struct look *look, uint32_t at, bool rank,
                    const struct fb_published_cell **value) {
    const struct fb_device *device =
        fb_devices_at(look->relations->devices, look->bucket->members[at]);
    *value = NULL;
    look->members++;
    if (look->group->where != FB_NO_INDEX) {
        const struct fb_published_cell *where = cell_of(look, device, look->group->where);
        if (!where->known)
            return false;
        if (!where->i) {
            look->known++;
            return false;
        }
    }
    if (look->group->value != FB_NO_INDEX) {
        *value = cell_of(look, device, look->group->value);
        if (!(*value)->known)
            return rank;
        look->yes += !is_double(look->type) && (*value)->i != 0;
    }
    look->known++;
    look->counted++;
    return true;
}

/* Of fewer than half of the members something is known. */
static bool is_too_little(const struct look *look) {
    return 2 * (uint64_t)look->known < look->members;
}

static uint32_t size_of(const struct look *look) {
    return look->bucket ? look->bucket->n : 0;
}

/* Looks at all members; those that count stand in the scratch, in order. */
static uint32_t gather(struct look *look, bool rank) {
    struct fb_ranked *to = look->relations->scratch;
    uint32_t n = 0;
    for (uint32_t at = 0; at < size_of(look); at++) {
        const struct fb_published_cell *value;
        if (!look_at(look, at, rank, &value) || !value)
            continue;
        to[n++] = (struct fb_ranked){.i = value->i, .at = at, .known = value->known};
    }
    return n;
}

/* ---- functions ---- */

static double as_number(const struct look *look, const struct fb_ranked *one) {
    return is_double(look->type) ? one->num : (double)one->i;
}

/* Sum, least and greatest of those that count. */
struct fold {
    double sum, least, most;
};

static struct fold fold(const struct look *look, uint32_t n) {
    const struct fb_ranked *all = look->relations->scratch;
    struct fold f = {0};
    for (uint32_t i = 0; i < n; i++) {
        double x = as_number(look, &all[i]);
        f.sum = i ? f.sum + x : x;
        f.least = i == 0 || x < f.least ? x : f.least;
        f.most = i == 0 || x > f.most ? x : f.most;
    }
    return f;
}

/* At place ceil(percent x n / 100) from 1; a percent has three decimals at most. */
static struct fb_value percentile(const struct look *look, uint32_t n, double percent) {
    struct fb_ranked *all = look->relations->scratch;
    uint64_t thousandths = (uint64_t)(percent * 1000 + 0.5);
    uint64_t place = (thousandths * n + 99999) / 100000;
    place = place < 1 ? 1 : place > n ? n : place;
    sort(all, n, is_double(look->type));
    return number(as_number(look, &all[place - 1]));
}

static int64_t distinct(const struct look *look, uint32_t n) {
    struct fb_ranked *all = look->relations->scratch;
    bool doubles = is_double(look->type);
    int64_t different = n > 0;
    sort(all, n, doubles);
    for (uint32_t i = 1; i < n; i++)
        different += order_of(&all[i - 1], &all[i], doubles) != 0;
    return different;
}

/* How much sooner a value is taken than a larger one. */
static double cost_of(enum fb_group_function function, double x, double nearest) {
    double off = x < nearest ? nearest - x : x - nearest;
    return function == FB_GROUP_ASKED_MIN ? x : function == FB_GROUP_ASKED_MAX ? -x : off;
}

/* Of equals the first; so the order of the members decides, never which of them came first. */
static struct fb_value asked(const struct look *look, uint32_t n, enum fb_group_function function,
                             double nearest) {
    const struct fb_ranked *all = look->relations->scratch, *best = NULL;
    double least = 0;
    for (uint32_t i = 0; i < n; i++) {
        double cost = cost_of(function, as_number(look, &all[i]), nearest);
        if (best && !(cost < least))
            continue;
        best = &all[i];
        least = cost;
    }
    if (!best)
        return UNKNOWN;
    return is_double(look->type) ? number(best->num) : whole(best->i);
}

static struct fb_value of_values(struct look *look, enum fb_group_function function,
                                 double percent) {
    uint32_t n = gather(look, false);
    if (function == FB_GROUP_ON)
        return look->yes ? whole(1) : look->known < look->members ? UNKNOWN : whole(0);
    if (function >= FB_GROUP_ASKED_MIN)
        return asked(look, n, function, percent);
    if (function == FB_GROUP_ANY)
        return look->yes ? whole(1) : is_too_little(look) ? UNKNOWN : whole(0);
    if (function == FB_GROUP_ALL)
        return look->yes < n ? whole(0) : is_too_little(look) || n == 0 ? UNKNOWN : whole(1);
    if (is_too_little(look))
        return UNKNOWN;
    if (function == FB_GROUP_DISTINCT)
        return whole(distinct(look, n));
    if (n == 0)
        return function == FB_GROUP_SUM ? number(0) : UNKNOWN;
    if (function == FB_GROUP_PERCENTILE)
        return percentile(look, n, percent);
    struct fold f = fold(look, n);
    switch (function) {
    case FB_GROUP_SUM:
        return number(f.sum);
    case FB_GROUP_AVG:
        return number(f.sum / n);
    case FB_GROUP_MIN:
        return number(f.least);
    case FB_GROUP_MAX:
        return number(f.most);
    case FB_GROUP_SPREAD:
        return number(f.most - f.least);
    default:
        FB_BUG("a function of values");
    }
}

static struct fb_value of_counts(struct look *look, bool share) {
    if (!share && look->group->where == FB_NO_INDEX)
        return whole(size_of(look));
    for (uint32_t at = 0; at < size_of(look); at++) {
        const struct fb_published_cell *value;
        (void)look_at(look, at, false, &value);
    }
    if (is_too_little(look))
        return UNKNOWN;
    if (!share)
        return whole(look->counted);
    return number(look->known ? (double)look->counted / look->known : 0);
}

/* ---- ranks ---- */

static void rank_all(struct look *look, struct fb_group_memo *memo) {
    uint32_t n = gather(look, true);
    struct fb_ranked *all = look->relations->scratch;
    sort(all, n, is_double(look->type));
    if (memo->cap < look->bucket->n) {
        memo->cap = look->bucket->cap;
        memo->ranks = fb_grow(memo->ranks, sizeof *memo->ranks * memo->cap);
    }
    memset(memo->ranks, 0, sizeof *memo->ranks * look->bucket->n);
    for (uint32_t i = 0; i < n; i++)
        memo->ranks[all[i].at] = i + 1;
}

static struct fb_value rank(struct look *look, const struct fb_device *device,
                            struct fb_group_memo *memo) {
    if (device->plan->class_ != look->members_class ||
        fb_relations_place(look->relations, device, look->group->relation) != look->bucket)
        return UNKNOWN;
    if (memo->version != look->bucket->version) {
        rank_all(look, memo);
        memo->version = look->bucket->version;
    }
    uint32_t place = memo->ranks[fb_bucket_place(look->relations, look->bucket, device)];
    return place ? whole(place) : UNKNOWN;
}

/* ---- instructions ---- */

static struct fb_bucket *bucket_of(const struct fb_relations *relations,
                                   const struct fb_device *device, const struct fb_group *group) {
    struct fb_text_room domain, text;
    struct fb_bucket_key key = {
        .class_index = group->class_index,
        .relation = group->relation,
        .domain = fb_domain_of(relations, device, &domain),
        .text = group->own == FB_NO_INDEX ? fb_device_id(device)
                                          : fb_relation_text(relations, device, group->own, &text)};
    if (key.domain.n == 0 || key.text.n == 0)
        return NULL;
    return fb_relations_find(relations, &key);
}

static struct fb_value compute(struct look *look, const struct fb_class *class_,
                               const struct fb_instr *in) {
    enum fb_group_function function = (enum fb_group_function)in->sub;
    if (function == FB_GROUP_COUNT || function == FB_GROUP_SHARE)
        return of_counts(look, function == FB_GROUP_SHARE);
    return of_values(look, function, number_of(class_, in));
}

struct fb_value fb_group_read(struct fb_relations *relations, const struct fb_device *device,
                              const struct fb_instr *in) {
    const struct fb_class *class_ = device->plan->class_;
    if (relations->told)
        return relations->told[in - class_->code];
    const struct fb_group *group = &class_->groups[in->imm];
    struct fb_bucket *bucket = bucket_of(relations, device, group);
    struct look look = {.relations = relations,
                        .group = group,
                        .members_class = &relations->program->classes[group->class_index],
                        .bucket = bucket};
    if (group->value != FB_NO_INDEX)
        look.type = look.members_class->published[group->value].type;
    if (!bucket)
        return in->sub == FB_GROUP_RANK ? UNKNOWN : compute(&look, class_, in);
    uint16_t which = relations->memo_of[device->plan->class_index][in - class_->code];
    struct fb_group_memo *memo = &bucket->memos[which];
    if (in->sub == FB_GROUP_RANK)
        return rank(&look, device, memo);
    if (memo->version != bucket->version) {
        memo->value = compute(&look, class_, in);
        memo->version = bucket->version;
    }
    return memo->value;
}

struct fb_value fb_linked_read(const struct fb_relations *relations, const struct fb_device *device,
                               const struct fb_instr *in) {
    if (relations->told)
        return relations->told[in - device->plan->class_->code];
    const struct fb_link *link = &device->plan->class_->links[in->a];
    struct fb_text_room text_room, domain_room;
    struct fb_str text = fb_relation_text(relations, device, link->relation, &text_room);
    struct fb_str domain = fb_domain_of(relations, device, &domain_room);
    if (text.n == 0 || domain.n == 0)
        return UNKNOWN;
    const struct fb_device *other = fb_relations_device(relations, link->class_index, domain, text);
    if (!other)
        return UNKNOWN;
    const struct fb_published *published = &other->plan->class_->published[in->imm];
    const struct fb_published_cell *cell =
        (const void *)((const char *)other + other->plan->block_at + published->offset);
    if (!cell->known)
        return UNKNOWN;
    if (published->type == FB_T_TEXT)
        return (struct fb_value){.text = fb_texts_get(relations->texts, cell->text),
                                 .quality = FB_Q_GOOD};
    return (struct fb_value){.i = cell->i, .quality = FB_Q_GOOD};
}
