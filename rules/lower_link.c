/* Other devices: what a class publishes for them, and what its rules read of them (A30 to A36). */
#include "rules/lower_internal.h"

#include <string.h>

#include "engine/base/err.h"
#include "rules/group_function.h"

/* ---- how devices find each other ------------------------------------------------------------ */

static void set_domain(struct fb_lower_class *c) {
    const struct fb_class_decl *decl = c->decl;
    c->out->domain = 0; /* the first key */
    for (uint32_t i = 0; decl->domain.n && i < decl->n_fields; i++)
        if (fb_str_eq(decl->fields[i]->name, decl->domain))
            c->out->domain = (uint16_t)i;
}

static struct fb_relation relation_of(struct fb_lower_class *c, const struct fb_relation *from) {
    struct fb_relation to = {.n_fields = from->n_fields,
                             .fields = FB_ARENA_ARRAY(c->arena, uint16_t, from->n_fields)};
    memcpy(to.fields, from->fields, sizeof *to.fields * from->n_fields);
    return to;
}

/* "inlet of rack by row where running" */
static struct fb_str group_text(struct fb_lower_class *c, const struct fb_checked_group *group) {
    const struct fb_checked_class *members = &c->checked->classes[group->class_index];
    struct fb_buf text = {0};
    if (group->value != FB_NO_INDEX)
        fb_buf_printf(&text, "%.*s of ", FB_ARG(members->published[group->value].name));
    fb_buf_str(&text, members->decl->name);
    for (uint32_t i = 0; i < group->decl->n_by; i++)
        fb_buf_printf(&text, "%s%.*s", i ? ", " : " by ", FB_ARG(group->decl->by[i]));
    if (group->where != FB_NO_INDEX)
        fb_buf_printf(&text, " where %.*s", FB_ARG(members->published[group->where].name));
    struct fb_str copy = fb_str_copy(c->arena, (struct fb_str){text.p, text.n});
    fb_buf_free(&text);
    return copy;
}

void fb_lower_links(struct fb_lower_class *c) {
    const struct fb_checked_class *from = &c->checked->classes[c->index];
    struct fb_class *out = c->out;
    set_domain(c);
    bool of_groups = from->group_class != FB_NO_INDEX;
    out->group_class = from->group_class;
    out->group_relation = of_groups ? from->group_relation : FB_NO_INDEX;
    out->relations = FB_ARENA_ARRAY(c->arena, struct fb_relation, from->n_relations);
    for (uint32_t i = 0; i < from->n_relations; i++)
        out->relations[out->n_relations++] = relation_of(c, &from->relations[i]);
    out->links = FB_ARENA_ARRAY(c->arena, struct fb_link, from->n_links);
    for (uint32_t i = 0; i < from->n_links; i++)
        out->links[out->n_links++] =
            (struct fb_link){.name = fb_str_copy(c->arena, from->links[i].decl->name),
                             .relation = from->links[i].relation,
                             .class_index = (uint16_t)from->links[i].decl->class_index,
                             .to = &c->classes[from->links[i].decl->class_index]};
    out->groups = FB_ARENA_ARRAY(c->arena, struct fb_group, from->n_groups);
    for (uint32_t i = 0; i < from->n_groups; i++) {
        const struct fb_checked_group *group = &from->groups[i];
        out->groups[out->n_groups++] = (struct fb_group){
            .text = group_text(c, group),
            .class_index = (uint16_t)group->class_index,
            .of = &c->classes[group->class_index],
            .relation = group->relation,
            .own = group->own,
            .value = group->value,
            .where = group->where,
        };
    }
}

/* ---- published values ----------------------------------------------------------------------- */

static void lower_one(struct fb_lower_rule *rule, const struct fb_checked_published *from) {
    struct fb_lower_class *c = rule->c;
    struct fb_piece *piece = fb_lower_begin_condition(rule, from->node->span);
    struct fb_lowered value = fb_lower_expr(piece, from->node);
    if (from->type == FB_T_NUMBER && value.type == FB_T_INTEGER) {
        value.reg = fb_piece_emit(piece, FB_I_INT_TO_NUMBER, 0, value.reg, 0, 0);
        value.type = FB_T_NUMBER;
    }
    FB_ASSERT(value.type == from->type);
    uint32_t offset =
        fb_lower_room(c, sizeof(struct fb_published_cell), _Alignof(struct fb_published_cell));
    struct fb_condition *condition =
        fb_lower_end_condition(rule, FB_ROLE_PUBLISHED, value.reg, offset);
    const struct fb_type_decl *words = from->type == FB_T_ENUM ? fb_check_words(from->node) : NULL;
    condition->published = c->out->n_published;
    c->out->published[c->out->n_published++] = (struct fb_published){
        .name = fb_str_copy(c->arena, from->name),
        .condition = c->out->n_conditions - 1,
        .type = from->type,
        .offset = offset,
        .unit = fb_str_copy(c->arena, fb_unit_text(from->node->unit)),
        .words = words ? fb_lower_words(c->arena, words->words, words->n_words) : NULL,
        .n_words = words ? words->n_words : 0};
}

void fb_lower_published(struct fb_lower_class *c, uint32_t index, struct fb_rule *out) {
    const struct fb_checked_class *from = &c->checked->classes[c->index];
    struct fb_lower_rule rule =
        fb_lower_begin_rule(c, FB_SORT_PUBLISHED, c->decl->name, index, out);
    c->out->published = FB_ARENA_ARRAY(c->arena, struct fb_published, from->n_published);
    for (uint32_t i = 0; i < from->n_published; i++)
        lower_one(&rule, &from->published[i]);
    fb_lower_end_rule(&rule);
}

/* ---- reading them --------------------------------------------------------------------------- */

/* What it reads of its own: the fields of a relation, and that of its domain. */
static void note_relation(struct fb_piece *piece, uint32_t relation) {
    const struct fb_class *class_ = piece->c->out;
    piece->sees_others = true;
    if (piece->samples)
        return;
    fb_field_set_add(&piece->reads, class_->domain);
    for (uint32_t i = 0; relation != FB_NO_INDEX && i < class_->relations[relation].n_fields; i++)
        fb_field_set_add(&piece->reads, class_->relations[relation].fields[i]);
}

struct fb_lowered fb_lower_linked(struct fb_piece *piece, const struct fb_node *node) {
    const struct fb_link_decl *link = node->link;
    note_relation(piece, piece->c->out->links[link->index].relation);
    const struct fb_checked_class *to = &piece->c->checked->classes[link->class_index];
    return (struct fb_lowered){
        .reg = fb_piece_emit(piece, FB_I_LINKED, 0, (uint16_t)link->index, 0, node->place),
        .type = to->published[node->place].type};
}

struct fb_lowered fb_lower_group(struct fb_piece *piece, const struct fb_node *node) {
    enum fb_group_function function;
    double value;
    uint32_t number = 0;
    bool known = fb_group_function_of(node, &function, &value);
    FB_ASSERT(known);
    note_relation(piece, piece->c->out->groups[node->place].own);
    if (function == FB_GROUP_PERCENTILE || function == FB_GROUP_ASKED_NEAREST)
        number = fb_lower_number(piece->c, value);
    if (number > UINT16_MAX)
        fb_piece_too_long(piece);
    return (struct fb_lowered){.reg = fb_piece_emit(piece, FB_I_GROUP, (uint8_t)function, 0,
                                                    (uint16_t)number, node->place),
                               .type = node->type};
}
