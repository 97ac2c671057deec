/* Rules on groups: `alarm NAME on C by t` is a rule of a class of its own, whose devices are the
 * groups (A38).
 *
 * Place in the flow: inside check: the class is made while names are collected. */
#include "engine/base/err.h"
#include "rules/check_internal.h"
#include "rules/lint_internal.h"

/* ---- the class ------------------------------------------------------------------------------ */

static struct fb_field_decl *key_of(struct fb_checker *ck, const struct fb_field_decl *field,
                                    uint32_t index) {
    struct fb_field_decl *key = FB_ARENA_NEW(ck->arena, struct fb_field_decl);
    *key = (struct fb_field_decl){.role = FB_KEY,
                                  .name = field->name,
                                  .span = field->span,
                                  .typed = true,
                                  .type = field->type,
                                  .index = index,
                                  .broken = field->broken};
    return key;
}

static struct fb_class_decl *class_of_groups(struct fb_checker *ck, struct fb_str name,
                                             const struct fb_rule_decl *rule,
                                             const struct fb_field_decl *domain,
                                             const struct fb_field_decl *tag) {
    struct fb_class_decl *decl = FB_ARENA_NEW(ck->arena, struct fb_class_decl);
    decl->name = name;
    decl->span = decl->name_span = rule->class_span;
    decl->block = rule->block;
    decl->has_time = decl->time_arrival = true;
    decl->domain = domain->name;
    decl->domain_span = rule->by_span;
    decl->fields = FB_ARENA_ARRAY(ck->arena, struct fb_field_decl *, 2);
    if (domain != tag)
        decl->fields[decl->n_fields++] = key_of(ck, domain, 0);
    decl->fields[decl->n_fields] = key_of(ck, tag, decl->n_fields);
    decl->n_keys = ++decl->n_fields;
    return decl;
}

/* What groups are made by: a tag or key, or the field that a link follows. */
static const struct fb_field_decl *tag_of(struct fb_checker *ck, const struct fb_rule_decl *rule,
                                          const struct fb_class_decl *decl) {
    const struct fb_field_decl *field = fb_check_field(decl, rule->by);
    const struct fb_link_decl *link = fb_check_link_named(decl, rule->by);
    const char *help = "groups are made by a tag, a key or a link";
    if (link && link->n_by)
        fb_diag_add(ck->diags, FB_E_NO_MEMBERS, rule->by_span, help,
                    "several names say where `%.*s` leads, so that no one text names a group",
                    FB_ARG(rule->by));
    else if (!field)
        fb_diag_add(ck->diags, FB_E_NO_MEMBERS, rule->by_span,
                    fb_check_print(ck, "give it one, `tag %.*s`", FB_ARG(rule->by)),
                    "`%.*s` has no tag `%.*s`", FB_ARG(decl->name), FB_ARG(rule->by));
    else if (field->role == FB_FIELD && !link)
        fb_diag_add(ck->diags, FB_E_NO_MEMBERS, rule->by_span, help, "`%.*s` is a field of `%.*s`",
                    FB_ARG(rule->by), FB_ARG(decl->name));
    else if (field->type.type != FB_T_TEXT && field->type.type != FB_T_INTEGER)
        fb_diag_add(ck->diags, FB_E_LINK_FIELDS, rule->by_span, "declare it as text or integer",
                    "a text or an integer says which devices belong together, and `%.*s` is %s",
                    FB_ARG(rule->by), fb_check_type_text(field->type.type));
    else
        return field;
    return NULL;
}

uint32_t fb_check_class_of_groups(struct fb_checker *ck, const struct fb_rule_decl *rule,
                                  uint32_t members) {
    const struct fb_class_decl *decl = ck->out->classes[members].decl;
    const struct fb_field_decl *domain = fb_check_domain_field(decl);
    struct fb_str name =
        fb_str_printf(ck->arena, "%.*s by %.*s", FB_ARG(decl->name), FB_ARG(rule->by));
    uint32_t index = fb_map_get(ck->classes, name);
    if (index != FB_MAP_NONE && ck->out->classes[index].group_class == members)
        return index;
    if (decl->broken || !domain)
        return FB_MAP_NONE; /* reported where it stands */
    const struct fb_field_decl *tag = tag_of(ck, rule, decl);
    if (!tag || tag->broken || domain->broken)
        return FB_MAP_NONE;
    if (index != FB_MAP_NONE) {
        fb_diag_add(
            ck->diags, FB_E_DUPLICATE_NAME, rule->class_span, "give that device another name",
            "there is a device `%.*s`, which is what these groups are called", FB_ARG(name));
        return FB_MAP_NONE;
    }
    struct fb_checked *out = ck->out;
    fb_map_put(ck->classes, name, out->n_classes);
    out->classes[out->n_classes] = (struct fb_checked_class){
        .decl = class_of_groups(ck, name, rule, domain, tag), .group_class = members};
    return out->n_classes++;
}

/* ---- what it reads -------------------------------------------------------------------------- */

struct finder {
    const struct fb_node *found; /* what comes with records, or passes without them */
};

static void find(const struct fb_node *node, void *arg) {
    struct finder *finder = arg;
    const struct fb_function *f = node->kind == FB_N_CALL ? fb_function_find(node->text) : NULL;
    bool samples = f && ((node->n_args && node->args[0].window) || f->id == FB_F_previous ||
                         f->id == FB_F_change || f->id == FB_F_changed || f->id == FB_F_age);
    if (!finder->found && (samples || node->kind == FB_N_SILENT))
        finder->found = node;
}

static void check_one(struct fb_checker *ck, const struct fb_rule_decl *rule,
                      const struct fb_node *node) {
    struct finder finder = {0};
    fb_lint_visit(node, find, &finder);
    if (finder.found)
        fb_diag_add(ck->diags, FB_E_GROUP_HAS_NO_RECORDS, finder.found->span,
                    fb_check_print(ck, "put it in a let of `%.*s`, and look at that of them all",
                                   FB_ARG(rule->class_name)),
                    "`%s` looks at records, and a group of devices has none",
                    fb_check_source(ck, finder.found));
}

void fb_check_rule_on_groups(struct fb_checker *ck, const struct fb_rule_decl *rule) {
    check_one(ck, rule, rule->where);
    check_one(ck, rule, rule->when);
    for (uint32_t i = 0; i < rule->n_raises; i++)
        check_one(ck, rule, rule->raises[i].when);
    for (uint32_t i = 0; i < rule->n_lets; i++)
        check_one(ck, rule, rule->lets[i]->value);
    for (uint32_t i = 0; rule->message && i < rule->message->n_parts; i++)
        check_one(ck, rule, rule->message->parts[i].expr);
    for (uint32_t i = 0; rule->response && i < rule->response->n_parts; i++)
        check_one(ck, rule, rule->response->parts[i].expr);
}
