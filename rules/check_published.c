/* What each class publishes for other devices, each value behind those that it reads itself, else
 * in the order in which the text first reads it, and by which keys, tags and fields devices find
 * each other.
 *
 * Place in the flow: inside check, last, where everything is typed. Expressions that are written
 * alike are one published value: among the names of one class they mean the same. */
#include <string.h>

#include "engine/base/err.h"
#include "rules/check_internal.h"
#include "rules/format.h"
#include "rules/group_function.h"
#include "rules/lint_internal.h"

struct collector {
    struct fb_checker *ck;
    struct fb_map *seen; /* lets and params */
};

/* Room for one more in an arena array: the capacity is the power of two that n fits. */
static void *room(struct fb_checker *ck, void *items, uint32_t n, size_t bytes) {
    if (n & (n - 1)) /* 0, 1, 2, 4, .. are full */
        return items;
    void *larger = fb_arena_alloc(ck->arena, bytes * (n ? 2 * (size_t)n : 1));
    if (n)
        memcpy(larger, items, bytes * n);
    return larger;
}
#define ADD(ck, items, n) ((items) = room((ck), (items), (n), sizeof *(items)), &(items)[(n)++])

static void visit(struct collector *c, uint32_t class_index, const struct fb_node *node);

/* ---- relations ------------------------------------------------------------------------------ */

static uint32_t relation_of(struct fb_checker *ck, uint32_t class_index, const uint16_t *fields,
                            uint32_t n) {
    struct fb_checked_class *class = &ck->out->classes[class_index];
    for (uint32_t i = 0; i < class->n_relations; i++)
        if (class->relations[i].n_fields == n &&
            memcmp(class->relations[i].fields, fields, sizeof *fields * n) == 0)
            return i;
    struct fb_relation *relation = ADD(ck, class->relations, class->n_relations);
    *relation =
        (struct fb_relation){.n_fields = n, .fields = FB_ARENA_ARRAY(ck->arena, uint16_t, n)};
    memcpy(relation->fields, fields, sizeof *fields * n);
    return class->n_relations - 1;
}

/* All devices of a domain. */
static uint32_t relation_of_domain(struct fb_checker *ck, uint32_t class_index) {
    const struct fb_field_decl *field = fb_check_domain_field(ck->out->classes[class_index].decl);
    const uint16_t domain = (uint16_t)field->index;
    return relation_of(ck, class_index, &domain, 1);
}

static uint32_t relation_by(struct fb_checker *ck, uint32_t class_index,
                            const struct fb_group_decl *group) {
    const struct fb_class_decl *decl = ck->out->classes[class_index].decl;
    uint16_t *fields = NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; i < group->n_by; i++) {
        struct fb_link_decl *link = fb_check_link_named(decl, group->by[i]);
        const struct fb_field_decl *field = fb_check_field(decl, group->by[i]);
        FB_ASSERT(link || field);
        if (link)
            link->is_used = true;
        for (uint32_t k = 0; link && k < link->n_fields; k++)
            *ADD(ck, fields, n) = link->fields[k];
        if (!link)
            *ADD(ck, fields, n) = (uint16_t)field->index;
    }
    return relation_of(ck, class_index, fields, n);
}

/* ---- published values ----------------------------------------------------------------------- */

/* Integers that pass through no arithmetic stay what they are. */
static bool is_whole(const struct fb_node *node) {
    if (node->type != FB_T_INTEGER)
        return false;
    switch (node->kind) {
    case FB_N_NAME:
        if (node->ref == FB_REF_LET)
            return !node->let->unit_text.n && is_whole(node->let->value);
        return node->ref == FB_REF_FIELD;
    case FB_N_LINKED:
        return is_whole(node->there);
    case FB_N_GROUP:
        return true;
    default:
        return false;
    }
}

/* Whether one of some lets is named. */
struct naming {
    const struct fb_rule_decl *rule;
    bool found;
};

static void find_let(const struct fb_node *node, void *arg) {
    struct naming *naming = arg;
    if (node->kind != FB_N_NAME || node->ref != FB_REF_LET)
        return;
    for (uint32_t i = 0; i < naming->rule->n_lets; i++)
        naming->found |= node->let == naming->rule->lets[i];
}

/* The text of the expression; behind it, where it means something of its own, whose: what a rule
 * calls so, or an alarm that is known. */
static void put_name_of(struct fb_checker *ck, const struct fb_node *node,
                        const struct fb_rule_decl *of, struct fb_buf *out) {
    struct naming naming = {.rule = of};
    struct fb_node bare = *node;
    bare.bracketed = false; /* `any((a or b) of d)` */
    fb_format_expr(ck->tree->sources, &bare, out);
    if (node->kind == FB_N_NAME && node->held)
        fb_buf_text(out, " while it is known");
    if (of)
        fb_lint_visit(node, find_let, &naming);
    if (naming.found)
        fb_buf_printf(out, " in %.*s", FB_ARG(of->name));
}

/* What it reads itself comes before it: none depends on itself, or that was reported.
 * as_number: of a function of numbers, which computes with doubles. of: whose lets it may name;
 * NULL: none's. */
static uint32_t publish(struct collector *c, uint32_t class_index, const struct fb_node *node,
                        bool as_number, const struct fb_rule_decl *of) {
    struct fb_checker *ck = c->ck;
    struct fb_checked_class *class = &ck->out->classes[class_index];
    struct fb_buf text = {0};
    enum fb_type type = node->type;
    if (type == FB_T_INTEGER && (as_number || !is_whole(node)))
        type = FB_T_NUMBER;
    put_name_of(ck, node, of, &text);
    struct fb_str name = {text.p, text.n};
    visit(c, class_index, node);
    uint32_t at = 0;
    while (at < class->n_published &&
           (class->published[at].type != type || !fb_str_eq(class->published[at].name, name)))
        at++;
    if (at == class->n_published)
        *ADD(ck, class->published, class->n_published) = (struct fb_checked_published){
            .name = fb_str_copy(ck->arena, name), .node = node, .type = type};
    fb_buf_free(&text);
    return at;
}

/* The relation of a link that a group is made by. */
static uint32_t relation_of_link(struct fb_checker *ck, uint32_t class_index,
                                 const struct fb_link_decl *link) {
    fb_check_link_named(ck->out->classes[class_index].decl, link->name)->is_used = true;
    return relation_of(ck, class_index, link->fields, link->n_fields);
}

static void collect_linked(struct collector *c, uint32_t class_index, struct fb_node *node) {
    struct fb_checked_class *class = &c->ck->out->classes[class_index];
    struct fb_link_decl *link = fb_check_link_named(class->decl, node->text);
    FB_ASSERT(link == node->link);
    link->is_used = true;
    if (link->index == UINT32_MAX) {
        link->index = class->n_links;
        *ADD(c->ck, class->links, class->n_links) = (struct fb_checked_link){
            .decl = link,
            .relation = relation_of(c->ck, class_index, link->fields, link->n_fields)};
    }
    node->place = publish(c, link->class_index, node->there, false, NULL);
}

static bool is_of_numbers(enum fb_group_function function) {
    return (function >= FB_GROUP_SUM && function <= FB_GROUP_PERCENTILE) ||
           function >= FB_GROUP_ASKED_MIN;
}

/* The commanders of a target: whom its own link leads to, by their keys; who links to it; or who
 * has the same text. */
static void find_commanders(struct collector *c, uint32_t class_index, uint32_t members,
                            struct fb_checked_group *group) {
    struct fb_checker *ck = c->ck;
    const struct fb_class_decl *theirs = ck->out->classes[members].decl;
    const struct fb_ask_decl *ask = group->decl->ask;
    if (!ask->link) {
        group->relation = relation_by(ck, members, group->decl);
        group->own = relation_by(ck, class_index, group->decl);
    } else if (ask->each) {
        uint16_t *keys = FB_ARENA_ARRAY(ck->arena, uint16_t, theirs->n_keys);
        for (uint32_t i = 0; i < theirs->n_keys; i++)
            keys[i] = (uint16_t)theirs->fields[i]->index;
        group->relation = relation_of(ck, members, keys, theirs->n_keys);
        group->own = relation_of_link(ck, class_index, ask->link);
    } else {
        group->relation = relation_of_link(ck, members, ask->link);
        group->own = FB_NO_INDEX;
    }
}

static bool same_group(const struct fb_checked_group *a, const struct fb_checked_group *b) {
    return a->class_index == b->class_index && a->relation == b->relation && a->own == b->own &&
           a->value == b->value && a->where == b->where;
}

static void collect_group(struct collector *c, uint32_t class_index, struct fb_node *node) {
    struct fb_checker *ck = c->ck;
    const struct fb_group_decl *decl = node->group;
    struct fb_checked_class *class = &ck->out->classes[class_index];
    uint32_t members = fb_map_get(ck->classes, decl->class_name);
    struct fb_checked_group group = {
        .decl = decl, .class_index = members, .value = FB_NO_INDEX, .where = FB_NO_INDEX};
    const struct fb_link_decl *link;
    const struct fb_rule_decl *rule = decl->ask ? decl->ask->rule : NULL;
    enum fb_group_function function;
    double number;
    bool known = fb_group_function_of(node, &function, &number);
    FB_ASSERT(known && members != FB_MAP_NONE);
    if (decl->ask) {
        find_commanders(c, class_index, members, &group);
    } else if (class->group_class != FB_NO_INDEX) {
        const uint16_t tag = (uint16_t)(class->decl->n_keys - 1);
        group.relation = class->group_relation;
        group.own = relation_of(ck, class_index, &tag, 1);
    } else if (fb_check_group_leads_here(decl, ck->out->classes[members].decl, class_index,
                                         &link)) {
        group.relation = relation_of_link(ck, members, link);
        group.own = FB_NO_INDEX;
    } else {
        group.relation = relation_by(ck, members, decl);
        group.own = relation_by(ck, class_index, decl);
    }
    if (decl->expr)
        group.value = publish(c, members, decl->expr, is_of_numbers(function), rule);
    if (decl->where)
        group.where = publish(c, members, decl->where, false, rule);
    uint32_t at = 0;
    while (at < class->n_groups && !same_group(&class->groups[at], &group))
        at++;
    if (at == class->n_groups)
        *ADD(ck, class->groups, class->n_groups) = group;
    node->place = at;
}

/* ---- walking -------------------------------------------------------------------------------- */

struct visited {
    struct collector *collector;
    uint32_t class_index;
};

static bool first_time(struct collector *c, const void *decl) {
    struct fb_str key = {(const char *)&decl, sizeof decl};
    if (fb_map_get(c->seen, key) != FB_MAP_NONE)
        return false;
    fb_map_put(c->seen, key, 1);
    return true;
}

static void visit_one(const struct fb_node *node, void *arg) {
    const struct visited *v = arg;
    struct fb_node *own = (struct fb_node *)(uintptr_t)node; /* the checker writes into its tree */
    if (node->kind == FB_N_LINKED)
        collect_linked(v->collector, v->class_index, own);
    else if (node->kind == FB_N_GROUP)
        collect_group(v->collector, v->class_index, own);
    else if (node->kind == FB_N_NAME && node->ref == FB_REF_LET &&
             first_time(v->collector, node->let))
        visit(v->collector, v->class_index, node->let->value);
}

static void visit(struct collector *c, uint32_t class_index, const struct fb_node *node) {
    struct visited visited = {.collector = c, .class_index = class_index};
    fb_lint_visit(node, visit_one, &visited);
}

static void visit_text(struct collector *c, uint32_t class_index, const struct fb_text_decl *text) {
    for (uint32_t i = 0; text && i < text->n_parts; i++)
        visit(c, class_index, text->parts[i].expr);
}

static void visit_rule(struct collector *c, uint32_t index) {
    const struct fb_rule_decl *rule = c->ck->out->rules[index].decl;
    uint32_t of = c->ck->out->rules[index].class_index;
    visit(c, of, rule->where);
    for (uint32_t i = 0; i < rule->n_raises; i++)
        visit(c, of, rule->raises[i].when);
    visit(c, of, rule->when);
    visit(c, of, rule->start);
    for (uint32_t i = 0; i < rule->n_commands; i++) {
        visit(c, of, rule->commands[i].value);
        visit(c, of, rule->commands[i].from);
    }
    for (uint32_t i = 0; i < rule->n_gos; i++)
        visit(c, of, rule->gos[i].when);
    visit(c, of, rule->deadband);
    visit(c, of, rule->clear_after);
    visit(c, of, rule->at_most_per);
    visit_text(c, of, rule->message);
    visit_text(c, of, rule->response);
}

/* `whenever` looks at each new value of this device's fields; of other devices' there are none. */
static void check_whenever(struct fb_checker *ck, const struct fb_checked_rule *rule) {
    const struct fb_class_decl *decl = ck->out->classes[rule->class_index].decl;
    struct fb_lint_reads reads = {0};
    if (!rule->decl->whenever)
        return;
    fb_lint_reads(rule->decl->when, &reads);
    bool own = !reads.others; /* what reads nothing at all is warned of */
    for (uint32_t i = 0; i < decl->n_fields; i++)
        own |= decl->fields[i]->role == FB_FIELD && fb_field_set_has(&reads.fields, i);
    if (!own)
        fb_diag_add(ck->diags, FB_E_WHENEVER_NOTHING, rule->decl->when->span,
                    "write `when`, or compare a field of this device, too",
                    "`whenever` looks at each new value of a field of `%.*s`, and this reads none",
                    FB_ARG(decl->name));
}

/* Lets of rules and devices that nothing uses are typed, but become no code. */
void fb_check_published(struct fb_checker *ck) {
    struct collector c = {.ck = ck, .seen = fb_map_new()};
    uint32_t rule = 0, actuator = 0;
    for (uint32_t i = 0; i < ck->out->n_classes; i++) {
        struct fb_checked_class *class = &ck->out->classes[i];
        if (class->group_class == FB_NO_INDEX)
            continue;
        const struct fb_class_decl *members = ck->out->classes[class->group_class].decl;
        struct fb_str tag = class->decl->fields[class->decl->n_keys - 1]->name;
        const uint16_t field = (uint16_t)fb_check_field(members, tag)->index;
        class->group_relation = relation_of(ck, class->group_class, &field, 1);
    }
    for (uint32_t f = 0; f < ck->tree->n_files; f++)
        for (uint32_t i = 0; i < ck->tree->files[f]->n_items; i++) {
            const struct fb_item *item = &ck->tree->files[f]->items[i];
            if (item->kind == FB_ITEM_RULE) {
                FB_ASSERT(ck->out->rules[rule].decl == item->rule);
                check_whenever(ck, &ck->out->rules[rule]);
                if (item->rule->fleet_share && item->rule->n_commands)
                    item->rule->fleet_relation =
                        relation_of_domain(ck, ck->out->rules[rule].class_index);
                visit_rule(&c, rule++);
            } else if (item->kind == FB_ITEM_ACTUATOR) {
                const struct fb_checked_actuator *checked = &ck->out->actuators[actuator++];
                visit(&c, checked->class_index, checked->decl->interlock);
                visit(&c, checked->class_index, checked->decl->permissive);
            }
        }
    fb_map_free(c.seen);
}
