/* What a device reads of other devices: links, groups, published values, waking (A30 to A36).
 *
 * Place in the flow: oracle_expand makes a published value of each thing that is read of another
 * device; oracle.c evaluates them before the rules, and after each change all devices are looked
 * through for who sees something else than before. */
#include "tests/oracle/oracle_internal.h"

#include "engine/base/err.h"
#include "engine/model/id.h"
#include "rules/format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- From the tree --------------------------------------------------------------------------- */

struct ora_class *ora_class_named(const struct ora *o, struct fb_str name) {
    for (uint32_t i = 0; i < o->n_classes; i++)
        if (fb_str_eq(o->classes[i].decl->name, name))
            return &o->classes[i];
    FB_BUG("a class that the checker knows");
}

const struct fb_link_decl *ora_find_link(const struct ora_class *class, struct fb_str name) {
    for (uint32_t i = 0; i < class->decl->n_links; i++)
        if (fb_str_eq(class->decl->links[i]->name, name))
            return class->decl->links[i];
    return NULL;
}

static uint32_t field_named(const struct ora_class *class, struct fb_str name) {
    for (uint32_t f = 0; f < class->n_fields; f++)
        if (fb_str_eq(class->fields[f]->name, name))
            return f;
    FB_BUG("a field that the checker knows");
}

/* A30 */
static uint32_t domain_field(const struct ora_class *class) {
    return class->decl->domain.n > 0 ? field_named(class, class->decl->domain) : 0;
}

/* A32: as a condition of the class that is read. */
struct ora_published *ora_publish_begin(struct ora *o, struct ora_class *class,
                                        const struct ora_rule *rule, struct ora_scope *s) {
    *s = (struct ora_scope){.o = o, .class = class, .rule = rule};
    struct ora_published *p = FB_ARENA_NEW(o->arena, struct ora_published);
    p->condition = ora_new_condition(s, FB_ARENA_NEW(o->arena, struct ora_condition), NULL);
    return p;
}

void ora_publish_done(struct ora_scope *s, struct ora_published *p, struct ora_expr *root) {
    struct ora_class *class = s->class;
    ora_condition_done(s, p->condition, root);
    p->index = class->n_published;
    FB_PUSH_ROOM(class->published, class->n_published, class->cap_published);
    class->published[class->n_published++] = p;
}

static struct ora_published *publish(struct ora *o, struct ora_class *class,
                                     const struct fb_node *n) {
    struct ora_scope s;
    struct ora_published *p = ora_publish_begin(o, class, NULL, &s);
    ora_publish_done(&s, p, ora_expand_expr(&s, n));
    return p;
}

static struct fb_str linked_name(struct ora *o, const struct fb_node *n) {
    if (n->kind == FB_N_NAME)
        return n->text;
    struct fb_str rest = linked_name(o, n->there);
    return fb_str_printf(o->arena, "%.*s.%.*s", FB_ARG(n->text), FB_ARG(rest));
}

/* A33: as `fmt` writes it. */
static struct fb_str group_name(struct ora *o, const struct fb_node *n) {
    struct fb_buf text = {0};
    struct fb_node plain = *n;
    plain.bracketed = false;
    fb_format_expr(o->tree->sources, &plain, &text);
    struct fb_str name = fb_str_copy(o->arena, (struct fb_str){text.p, text.n});
    fb_buf_free(&text);
    return name;
}

struct ora_other *ora_new_other(struct ora *o, struct ora_class *class, uint32_t n) {
    struct ora_other *other = FB_ARENA_NEW(o->arena, struct ora_other);
    other->class = class;
    other->own = FB_ARENA_ARRAY(o->arena, uint32_t, n + FB_FIELDS_MAX);
    other->theirs = FB_ARENA_ARRAY(o->arena, uint32_t, n + FB_FIELDS_MAX);
    return other;
}

/* A31: the fields whose texts are the id, or the keys, of the device that it leads to. */
uint32_t ora_fields_of_link(const struct ora_class *class, const struct fb_link_decl *link,
                            uint32_t *fields) {
    for (uint32_t i = 0; i < link->n_by; i++)
        fields[i] = field_named(class, link->by[i]);
    if (link->n_by == 0)
        fields[0] = field_named(class, link->name);
    return link->n_by == 0 ? 1 : link->n_by;
}

/* The tag, key or link of this name, as fields. */
uint32_t ora_fields_of_tie(const struct ora_class *class, struct fb_str name, uint32_t *fields) {
    const struct fb_link_decl *link = ora_find_link(class, name);
    if (link != NULL)
        return ora_fields_of_link(class, link, fields);
    fields[0] = field_named(class, name);
    return 1;
}

static struct ora_expr *reading(struct ora_scope *s, enum ora_kind kind, enum fb_type type,
                                struct ora_other *other) {
    struct ora_expr *e = ora_new_expr(s, kind, type);
    e->other = other;
    s->o->reads_others = true;
    return e;
}

/* A33 */
struct ora_expr *ora_linked_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora *o = s->o;
    const struct fb_link_decl *link = ora_find_link(s->class, n->text);
    FB_ASSERT(link != NULL);
    struct ora_other *other = ora_new_other(o, ora_class_named(o, link->class_name), link->n_by);
    other->way = ORA_LEADS_THERE;
    other->n = ora_fields_of_link(s->class, link, other->own);
    other->x = publish(o, other->class, n->there);
    const struct ora_expr *root = other->x->condition->root;
    struct ora_expr *e = reading(s, ORA_LINKED, root->type, other);
    e->unit = root->unit;
    e->words = root->words;
    e->name = linked_name(o, n);
    return e;
}

/* A34: by the link that leads here, or by texts that are the same. */
void ora_find_way(const struct ora_class *class, struct ora_other *other, const struct fb_str *by,
                  uint32_t n_by) {
    const struct ora_class *theirs = other->class;
    const struct fb_link_decl *link = NULL;
    for (uint32_t i = 0; i < theirs->decl->n_links && n_by == 0 && class->group_of == NULL; i++)
        if (fb_str_eq(theirs->decl->links[i]->class_name, class->decl->name))
            link = theirs->decl->links[i];
    if (n_by == 1)
        link = ora_find_link(theirs, by[0]);
    if (link != NULL && !fb_str_eq(link->class_name, class->decl->name))
        link = NULL;
    if (link != NULL) {
        other->way = ORA_LEADS_HERE;
        other->n = ora_fields_of_link(theirs, link, other->theirs);
        return;
    }
    other->way = ORA_SAME_TEXT;
    for (uint32_t i = 0; i < class->n_group_by; i++) {
        other->own[i] = i;
        other->theirs[i] = class->group_by[i];
    }
    other->n = class->n_group_by;
    for (uint32_t i = 0; i < n_by; i++) {
        ora_fields_of_tie(class, by[i], other->own + other->n);
        other->n += ora_fields_of_tie(theirs, by[i], other->theirs + other->n);
    }
}

struct ora_expr *ora_group_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora *o = s->o;
    struct ora_other *other =
        ora_new_other(o, ora_class_named(o, n->group->class_name), n->group->n_by);
    other->function = n->text;
    ora_find_way(s->class, other, n->group->by, n->group->n_by);
    if (n->group->expr != NULL)
        other->x = publish(o, other->class, n->group->expr);
    if (n->group->where != NULL)
        other->where = publish(o, other->class, n->group->where);
    bool truth = fb_str_eq(n->text, FB_S("any")) || fb_str_eq(n->text, FB_S("all"));
    struct ora_expr *e = reading(s, ORA_GROUP, truth ? FB_T_BOOL : FB_T_NUMBER, other);
    e->name = group_name(o, n);
    bool counts = truth || other->x == NULL || fb_str_eq(n->text, FB_S("distinct")) ||
                  fb_str_eq(n->text, FB_S("rank"));
    if (!counts)
        e->unit = other->x->condition->root->unit;
    if (fb_str_eq(n->text, FB_S("spread")))
        e->unit = ora_unit_difference(e->unit);
    return e;
}

/* A36: what it reads of its own. */
void ora_other_reads(const struct ora_class *class, const struct ora_other *other, bool *reads) {
    for (uint32_t i = 0; i < other->n && other->way != ORA_LEADS_HERE; i++)
        reads[other->own[i]] = true;
    reads[domain_field(class)] = true;
}

/* --- Who is seen ----------------------------------------------------------------------------- */

/* The text of the last good value; empty: none. */
static struct fb_str text_of(struct ora *o, const struct ora_device *device, uint32_t field) {
    const struct ora_held *held = NULL;
    if (device->n_records > 0)
        held = &device->records[device->n_records - 1].after[field];
    if (held == NULL || !held->good_once)
        return (struct fb_str){0};
    const struct fb_field_decl *decl = device->class->fields[field];
    enum fb_type type = decl->typed ? decl->type.type : FB_T_TEXT;
    if (type == FB_T_TEXT)
        return held->value.text;
    FB_ASSERT(type == FB_T_INTEGER);
    return fb_str_printf(o->scratch, "%" PRId64, held->value.i);
}

struct fb_str ora_domain_of(struct ora *o, const struct ora_device *device) {
    return text_of(o, device, domain_field(device->class));
}

static bool same_text(struct fb_str a, struct fb_str b) {
    return a.n > 0 && fb_str_eq(a, b);
}

/* A31: by the id, or key by key. */
static bool leads_to(struct ora *o, const struct ora_device *from, const uint32_t *fields,
                     uint32_t n, const struct ora_device *to) {
    if (n == 1 && to->class->decl->n_keys > 1)
        return same_text(text_of(o, from, fields[0]), to->id);
    bool same = true;
    for (uint32_t i = 0; i < n; i++)
        same &= same_text(text_of(o, from, fields[i]), text_of(o, to, i));
    return same;
}

static bool sees(struct ora *o, const struct ora_device *device, const struct ora_other *other,
                 const struct ora_device *there) {
    if (there->class != other->class ||
        !same_text(ora_domain_of(o, device), ora_domain_of(o, there)))
        return false;
    if (other->way == ORA_LEADS_THERE)
        return leads_to(o, device, other->own, other->n, there);
    if (other->way == ORA_LEADS_HERE)
        return leads_to(o, there, other->theirs, other->n, device);
    bool same = true;
    for (uint32_t i = 0; i < other->n; i++)
        same &= same_text(text_of(o, device, other->own[i]), text_of(o, there, other->theirs[i]));
    return same;
}

/* The device that the link leads to, or the members in the order of their ids. */
struct ora_seen ora_look(struct ora *o, const struct ora_device *device,
                         const struct ora_other *other) {
    struct ora_seen seen = {0};
    seen.items = FB_ARENA_ARRAY(o->arena, struct ora_seen_one, o->n_devices + 1);
    for (size_t i = 0; i < o->n_devices; i++) {
        const struct ora_device *there = o->devices[i];
        if (!sees(o, device, other, there))
            continue;
        struct ora_seen_one one = {
            .device = there, .x = ora_not_known(), .where = ora_known_bool(true)};
        if (other->x != NULL)
            one.x = there->published[other->x->index];
        if (other->where != NULL)
            one.where = there->published[other->where->index];
        uint32_t at = seen.n++;
        while (at > 0 && fb_str_cmp(seen.items[at - 1].device->id, there->id) > 0) {
            seen.items[at] = seen.items[at - 1];
            at--;
        }
        seen.items[at] = one;
    }
    return seen;
}

/* --- Groups that rules are on (A38) ---------------------------------------------------------- */

static struct fb_field_decl *key_like(struct ora *o, const struct ora_class *class, uint32_t f,
                                      uint32_t index) {
    struct fb_field_decl *key = FB_ARENA_NEW(o->arena, struct fb_field_decl);
    *key = *class->fields[f];
    key->role = FB_KEY;
    key->index = index;
    return key;
}

struct ora_class *ora_group_class(struct ora *o, const struct fb_rule_decl *rule) {
    const struct ora_class *of = ora_class_named(o, rule->class_name);
    uint32_t t = field_named(of, rule->by), domain = domain_field(of);
    for (uint32_t i = 0; i < o->n_classes; i++) {
        struct ora_class *class = &o->classes[i];
        if (class->group_of == of && class->group_by[class->n_group_by - 1] == t)
            return class;
    }
    struct ora_class *class = &o->classes[o->n_classes];
    struct fb_class_decl *decl = FB_ARENA_NEW(o->arena, struct fb_class_decl);
    class->group_of = of;
    if (t != domain)
        class->group_by[class->n_group_by++] = domain;
    class->group_by[class->n_group_by++] = t;
    decl->name = fb_str_printf(o->arena, "%.*s by %.*s", FB_ARG(of->decl->name), FB_ARG(rule->by));
    decl->n_fields = decl->n_keys = class->n_group_by;
    decl->fields = FB_ARENA_ARRAY(o->arena, struct fb_field_decl *, decl->n_fields);
    for (uint32_t i = 0; i < class->n_group_by; i++)
        decl->fields[i] = key_like(o, of, class->group_by[i], i);
    class->decl = decl;
    class->index = o->n_classes++;
    ora_class_fields(o, class);
    return class;
}

/* The group that the device is of; false: in none. */
static bool group_of(struct ora *o, const struct ora_class *class, const struct ora_device *member,
                     struct fb_entry *group) {
    char id[FB_DEVICE_ID_MAX];
    size_t n = 0;
    struct fb_sample *samples = FB_ARENA_ARRAY(o->arena, struct fb_sample, class->n_group_by);
    for (uint32_t i = 0; i < class->n_group_by; i++) {
        struct fb_str text = text_of(o, member, class->group_by[i]);
        if (text.n == 0)
            return false;
        struct fb_value value =
            member->records[member->n_records - 1].after[class->group_by[i]].value;
        samples[i] = (struct fb_sample){.field = (uint16_t)i, .text = value.text};
        if (class->fields[i]->typed && class->fields[i]->type.type == FB_T_INTEGER)
            samples[i].i = value.i;
        FB_ASSERT(fb_id_add(id, &n, i == 0, text));
    }
    *group = (struct fb_entry){.class_index = (uint16_t) class->index,
                               .device = fb_str_copy(o->arena, (struct fb_str){id, n}),
                               .ts_us = o->c,
                               .samples = samples,
                               .n_samples = (uint16_t) class->n_group_by};
    return true;
}

static void group_comes(struct ora *o, const struct ora_class *class,
                        const struct ora_device *member) {
    struct fb_entry group;
    if (!group_of(o, class, member, &group) || ora_find_device(o, class, group.device) != NULL)
        return;
    struct ora_device *device = ora_new_device(o, &group);
    device->w = device->cw = device->d = device->d_before = device->came = o->c;
    ora_keep_record(o, device, &group, false);
    for (uint32_t i = 0; i < class->n_conditions; i++)
        device->conditions[i].deadline = o->c;
}

void ora_groups_come(struct ora *o) {
    for (uint32_t c = 0; c < o->n_classes; c++)
        for (size_t i = 0; o->classes[c].group_of != NULL && i < o->n_devices; i++)
            if (o->devices[i]->class == o->classes[c].group_of)
                group_comes(o, &o->classes[c], o->devices[i]);
}

/* --- Values (A33, A35) ----------------------------------------------------------------------- */

static bool known(struct fb_value v) {
    return v.quality == FB_Q_GOOD;
}

/* The counted, and how many are known. */
struct counted {
    const struct ora_seen_one **items;
    double *numbers;
    uint32_t m, k, n;
};

static struct counted count_members(struct ora *o, const struct ora_other *other,
                                    const struct ora_seen *seen) {
    struct counted c = {.m = seen->n};
    c.items = FB_ARENA_ARRAY(o->arena, const struct ora_seen_one *, seen->n + 1);
    c.numbers = FB_ARENA_ARRAY(o->arena, double, seen->n + 1);
    for (uint32_t i = 0; i < seen->n; i++) {
        const struct ora_seen_one *one = &seen->items[i];
        bool has = other->x == NULL || known(one->x), in = ora_is_true(one->where);
        c.k += (known(one->where) && !in) || (in && has);
        if (!in || !has)
            continue;
        c.numbers[c.n] = other->x == NULL ? 0 : ora_number_of(other->x->condition->root, one->x);
        c.items[c.n++] = one;
    }
    return c;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* In thousandths; 0: none. */
static uint32_t percentile_of(struct fb_str name) {
    if (fb_str_eq(name, FB_S("median")))
        return 500;
    if (fb_str_eq(name, FB_S("p99_9")))
        return 999;
    if (name.n < 2 || name.n > 3 || name.p[0] != 'p')
        return 0;
    uint32_t percent = 0;
    for (size_t i = 1; i < name.n; i++)
        percent = percent * 10 + (uint32_t)(name.p[i] - '0');
    return percent * 10;
}

static struct fb_value rank(const struct ora_device *device, const struct ora_other *other,
                            const struct ora_seen *seen) {
    const struct ora_expr *root = other->x->condition->root;
    const struct ora_seen_one *self = NULL;
    for (uint32_t i = 0; i < seen->n; i++)
        if (seen->items[i].device == device && ora_is_true(seen->items[i].where))
            self = &seen->items[i];
    if (self == NULL)
        return ora_not_known();
    uint32_t place = 1;
    for (uint32_t i = 0; i < seen->n; i++) {
        const struct ora_seen_one *one = &seen->items[i];
        if (one == self || !ora_is_true(one->where))
            continue;
        bool earlier = fb_str_cmp(one->device->id, device->id) < 0;
        if (known(one->x) != known(self->x)) {
            earlier = known(one->x);
        } else if (known(one->x)) {
            double a = ora_number_of(root, one->x), b = ora_number_of(root, self->x);
            earlier = a != b ? a < b : earlier;
        }
        place += earlier;
    }
    return ora_known_number(place);
}

static struct fb_value any_or_all(const struct counted *c, bool all) {
    for (uint32_t i = 0; i < c->n; i++)
        if (ora_is_true(c->items[i]->x) != all)
            return ora_known_bool(!all);
    if (2 * c->k < c->m || (all && c->n == 0))
        return ora_not_known();
    return ora_known_bool(all);
}

static struct fb_value of_numbers(struct fb_str f, struct counted *c) {
    double sum = 0, low = 0, high = 0;
    uint32_t different = 0, percentile = percentile_of(f);
    for (uint32_t i = 0; i < c->n; i++) {
        double x = c->numbers[i];
        bool fresh = true;
        sum = i == 0 ? x : sum + x;
        low = i == 0 || x < low ? x : low;
        high = i == 0 || x > high ? x : high;
        for (uint32_t k = 0; k < i; k++)
            fresh &= c->numbers[k] != x;
        different += fresh;
    }
    if (fb_str_eq(f, FB_S("sum")))
        return ora_known_number(sum);
    if (fb_str_eq(f, FB_S("distinct")))
        return ora_known_number(different);
    if (c->n == 0)
        return ora_not_known();
    if (fb_str_eq(f, FB_S("avg")))
        return ora_known_number(sum / c->n);
    if (fb_str_eq(f, FB_S("min")))
        return ora_known_number(low);
    if (fb_str_eq(f, FB_S("max")))
        return ora_known_number(high);
    if (fb_str_eq(f, FB_S("spread")))
        return ora_known_number(high - low);
    FB_ASSERT(percentile > 0);
    qsort(c->numbers, c->n, sizeof *c->numbers, ascending);
    return ora_known_number(c->numbers[(percentile * c->n + 999) / 1000 - 1]);
}

struct fb_value ora_other_value(struct ora_view *view, const struct ora_expr *e) {
    const struct ora_other *other = e->other;
    struct fb_str f = other->function;
    struct ora_seen seen = ora_look(view->o, view->device, other);
    if (other->way == ORA_LEADS_THERE)
        return seen.n == 0 ? ora_not_known() : seen.items[0].x;
    if (fb_str_eq(f, FB_S("rank")))
        return rank(view->device, other, &seen);
    struct counted c = count_members(view->o, other, &seen);
    if (fb_str_eq(f, FB_S("any")) || fb_str_eq(f, FB_S("all")))
        return any_or_all(&c, fb_str_eq(f, FB_S("all")));
    if (fb_str_eq(f, FB_S("count")) && other->where == NULL)
        return ora_known_number(c.m);
    if (2 * c.k < c.m)
        return ora_not_known();
    if (fb_str_eq(f, FB_S("count")))
        return ora_known_number(c.n);
    if (fb_str_eq(f, FB_S("share")))
        return ora_known_number(c.k == 0 ? 0 : (double)c.n / c.k);
    return of_numbers(f, &c);
}

/* --- Waking (A36) ---------------------------------------------------------------------------- */

static bool same_value(const struct ora_published *p, struct fb_value a, struct fb_value b) {
    if (p == NULL || (!known(a) && !known(b)))
        return true;
    enum fb_type type = p->condition->root->type;
    bool number = type == FB_T_NUMBER || type == FB_T_COUNTER;
    return known(a) == known(b) && (number ? a.num == b.num : a.i == b.i);
}

static bool same_seen(const struct ora_other *other, const struct ora_seen *a,
                      const struct ora_seen *b) {
    bool same = a->n == b->n;
    for (uint32_t i = 0; same && i < a->n; i++)
        same = a->items[i].device == b->items[i].device &&
               same_value(other->x, a->items[i].x, b->items[i].x) &&
               same_value(other->where, a->items[i].where, b->items[i].where);
    return same;
}

/* The device's time with the clock at now. */
static int64_t time_at(const struct ora *o, const struct ora_device *device, int64_t now) {
    int64_t d = device->w + (now - device->cw);
    if (now >= o->c)
        return device->d;
    return d > device->d_before ? d : device->d_before;
}

void ora_wake(struct ora_view *view) {
    struct ora *o = view->o;
    for (size_t i = 0; o->reads_others && i < o->n_devices; i++) {
        struct ora_device *device = o->devices[i];
        int64_t t = device == view->device ? view->t : time_at(o, device, view->now);
        for (uint32_t c = 0; c < device->class->n_conditions; c++) {
            const struct ora_condition *condition = device->class->conditions[c];
            struct ora_condition_state *state = &device->conditions[c];
            for (uint32_t k = 0; k < condition->n_others; k++) {
                struct ora_seen seen = ora_look(o, device, condition->others[k]);
                if (same_seen(condition->others[k], &seen, &state->seen[k]))
                    continue;
                state->seen[k] = seen;
                if (state->deadline > t)
                    state->deadline = t;
                o->moves.woken += device != view->device;
            }
        }
    }
}

void ora_publish(struct ora_view *view, struct ora_device *device, const bool *due) {
    for (uint32_t i = 0; i < device->class->n_published; i++) {
        const struct ora_published *p = device->class->published[i];
        if (!due[p->condition->index])
            continue;
        device->published[i] = ora_condition_value(view, device, p->condition);
        ora_wake(view);
    }
}
