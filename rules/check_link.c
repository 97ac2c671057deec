/* Other devices: links, the names behind them, groups.
 *
 * Place in the flow: inside check. Links are resolved before any expression, for every expression
 * may read through them; what stands behind one is typed where it belongs, among the names of the
 * other device. */
#include "engine/base/err.h"
#include "rules/check_internal.h"
#include "rules/group_function.h"

enum { CANDIDATES_MAX = 512 };

/* ---- classes ------------------------------------------------------------------------------- */

static const struct fb_class_decl *class_of(const struct fb_scope *scope) {
    while (scope && !scope->class_decl)
        scope = scope->outer;
    return scope ? scope->class_decl : NULL;
}

static uint32_t own_class(const struct fb_checker *ck) {
    const struct fb_class_decl *decl = class_of(ck->scope);
    return decl ? fb_map_get(ck->classes, decl->name) : FB_MAP_NONE;
}

struct fb_link_decl *fb_check_link_named(const struct fb_class_decl *decl, struct fb_str name) {
    for (uint32_t i = 0; decl && i < decl->n_links; i++)
        if (fb_str_eq(decl->links[i]->name, name))
            return decl->links[i];
    return NULL;
}

const struct fb_field_decl *fb_check_domain_field(const struct fb_class_decl *decl) {
    if (decl->domain.n)
        return fb_check_field(decl, decl->domain);
    return decl->n_keys ? decl->fields[0] : NULL;
}

/* What a device of one class reads of those of another is in its own domain, so both name it
 * alike. */
static bool same_domain(struct fb_checker *ck, const struct fb_class_decl *reader,
                        const struct fb_class_decl *other, struct fb_span span) {
    const struct fb_field_decl *own = fb_check_domain_field(reader);
    const struct fb_field_decl *its = fb_check_domain_field(other);
    if (!own || !its || fb_str_eq(own->name, its->name))
        return own && its; /* a class without any is reported where it stands */
    const char *help;
    if (fb_check_field(reader, its->name))
        help = fb_check_print(ck, "write `domain %.*s` in `%.*s`", FB_ARG(its->name),
                              FB_ARG(reader->name));
    else if (fb_check_field(other, own->name))
        help = fb_check_print(ck, "write `domain %.*s` in `%.*s`", FB_ARG(own->name),
                              FB_ARG(other->name));
    else
        help = fb_check_print(ck,
                              "give both a tag of the same name, of what acts together, and say "
                              "`domain NAME` in `%.*s` and in `%.*s`",
                              FB_ARG(reader->name), FB_ARG(other->name));
    fb_diag_add(ck->diags, FB_E_DOMAINS_DIFFER, span, help,
                "the domain of `%.*s` is `%.*s`, that of `%.*s` is `%.*s`: the records of the two "
                "need not come to the same place",
                FB_ARG(reader->name), FB_ARG(own->name), FB_ARG(other->name), FB_ARG(its->name));
    return false;
}

/* ---- links --------------------------------------------------------------------------------- */

static bool says_an_id(const struct fb_field_decl *field) {
    return field->type.type == FB_T_TEXT || field->type.type == FB_T_INTEGER;
}

static bool refuse_type(struct fb_checker *ck, const struct fb_field_decl *field,
                        struct fb_span span) {
    if (field->type.type != FB_T_NONE)
        fb_diag_add(ck->diags, FB_E_LINK_FIELDS, span, "declare it as text or integer",
                    "a text or an integer says which devices belong together, and `%.*s` is %s",
                    FB_ARG(field->name), fb_check_type_text(field->type.type));
    return false;
}

static const char *suggest_field(struct fb_checker *ck, const struct fb_class_decl *decl,
                                 struct fb_str name) {
    struct fb_str *names = FB_ARENA_ARRAY(ck->arena, struct fb_str, decl->n_fields + 1);
    for (uint32_t i = 0; i < decl->n_fields; i++)
        names[i] = decl->fields[i]->name;
    return fb_check_suggest(ck, name, names, decl->n_fields);
}

/* The fields whose texts together are the id of the device that it leads to. */
static bool link_fields(struct fb_checker *ck, const struct fb_class_decl *decl,
                        struct fb_link_decl *link, const struct fb_class_decl *to) {
    bool ok = true;
    link->n_fields = link->n_by ? link->n_by : 1;
    link->fields = FB_ARENA_ARRAY(ck->arena, uint16_t, link->n_fields);
    for (uint32_t i = 0; i < link->n_fields; i++) {
        struct fb_str name = link->n_by ? link->by[i] : link->name;
        struct fb_span span = link->n_by ? link->by_span : link->span;
        const struct fb_field_decl *field = fb_check_field(decl, name);
        if (!field) {
            ok = false;
            if (!decl->broken)
                fb_diag_add(ck->diags, FB_E_UNKNOWN_NAME, span, suggest_field(ck, decl, name),
                            "`%.*s` has no key, tag or field `%.*s`", FB_ARG(decl->name),
                            FB_ARG(name));
        } else if (!says_an_id(field)) {
            ok = refuse_type(ck, field, span);
        } else {
            link->fields[i] = (uint16_t)field->index;
        }
    }
    if (ok && link->n_by && !to->broken && link->n_by != to->n_keys) {
        fb_diag_add(ck->diags, FB_E_LINK_FIELDS, link->by_span,
                    "name one for each key, in the order of the keys",
                    "`%.*s` has %u key%s, and %u name%s for %s", FB_ARG(to->name), to->n_keys,
                    to->n_keys == 1 ? "" : "s", link->n_by,
                    link->n_by == 1 ? " stands here" : "s stand here",
                    to->n_keys == 1 ? "it" : "them");
        ok = false;
    }
    return ok;
}

static bool is_declared_twice(struct fb_checker *ck, const struct fb_class_decl *decl,
                              uint32_t index) {
    const struct fb_link_decl *link = decl->links[index];
    bool twice = link->n_by && fb_check_field(decl, link->name);
    for (uint32_t i = 0; i < index; i++)
        twice |= fb_str_eq(decl->links[i]->name, link->name);
    if (twice)
        fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, link->span, NULL,
                    "`%.*s` is declared twice in `%.*s`", FB_ARG(link->name), FB_ARG(decl->name));
    return twice;
}

void fb_check_links(struct fb_checker *ck, uint32_t class_index) {
    const struct fb_class_decl *decl = ck->out->classes[class_index].decl;
    for (uint32_t i = 0; i < decl->n_links; i++) {
        struct fb_link_decl *link = decl->links[i];
        link->index = UINT32_MAX;
        if (link->name.n == 0 || link->class_name.n == 0 || is_declared_twice(ck, decl, i))
            continue;
        uint32_t to = fb_check_class_index(ck, link->class_name, link->class_span);
        if (to == FB_MAP_NONE || !link_fields(ck, decl, link, ck->out->classes[to].decl))
            continue;
        if (decl->broken || ck->out->classes[to].decl->broken ||
            same_domain(ck, decl, ck->out->classes[to].decl, link->class_span))
            link->class_index = to;
    }
}

/* ---- what stands there --------------------------------------------------------------------- */

/* Types an expression among the names of another class. */
static bool check_there(struct fb_checker *ck, uint32_t class_index, struct fb_node *node,
                        const char *condition) {
    const struct fb_scope *scope = ck->scope;
    struct fb_facts *facts = ck->facts, there = {0};
    const struct fb_node *compared[2] = {ck->compared[0], ck->compared[1]};
    ck->scope = &ck->class_scopes[class_index];
    ck->facts = &there;
    ck->compared[0] = ck->compared[1] = NULL;
    bool ok = true;
    if (condition) {
        ok = fb_check_condition(ck, node, condition);
    } else {
        fb_check_node(ck, node, NULL);
        ok = !fb_check_failed(node);
    }
    ck->scope = scope;
    ck->facts = facts;
    ck->compared[0] = compared[0];
    ck->compared[1] = compared[1];
    if (facts->alarms <
        there.alarms) /* so that no alarm depends on itself by way of another device */
        facts->alarms = there.alarms;
    if (facts->depth < there.depth)
        facts->depth = there.depth;
    if (facts->nodes < there.nodes)
        facts->nodes = there.nodes;
    return ok;
}

static void note_foreign(struct fb_checker *ck, const struct fb_node *node) {
    struct fb_facts here = {.others = node, .lookup_only = node};
    fb_facts_add(ck->facts, &here);
}

static uint32_t names_of(const struct fb_checker *ck, uint32_t class_index, struct fb_str *names) {
    const struct fb_scope *scope = &ck->class_scopes[class_index];
    const struct fb_class_decl *decl = scope->class_decl;
    uint32_t n = 0;
    for (uint32_t i = 0; i < decl->n_fields && n < CANDIDATES_MAX; i++)
        names[n++] = decl->fields[i]->name;
    for (uint32_t i = 0; i < scope->n_lets && n < CANDIDATES_MAX; i++)
        names[n++] = scope->lets[i].let->name;
    for (uint32_t i = 0; i < scope->n_actuators && n < CANDIDATES_MAX; i++)
        names[n++] = scope->actuators[i]->name;
    for (uint32_t i = 0; i < scope->n_modes && n < CANDIDATES_MAX; i++)
        names[n++] = scope->modes[i]->name;
    for (uint32_t i = 0; i < ck->out->n_rules && n < CANDIDATES_MAX; i++)
        if (fb_check_alarm_named(ck, scope, ck->out->rules[i].decl->name))
            names[n++] = ck->out->rules[i].decl->name;
    for (uint32_t i = 0; i < decl->n_links && n < CANDIDATES_MAX; i++)
        names[n++] = decl->links[i]->name;
    return n;
}

static bool is_param(const struct fb_checker *ck, struct fb_str class_name, struct fb_str name) {
    for (uint32_t i = 0; i < ck->out->n_params; i++) {
        const struct fb_param_decl *param = ck->out->params[i];
        if (fb_str_eq(param->name, name) &&
            (param->class_name.n == 0 || fb_str_eq(param->class_name, class_name)))
            return true;
    }
    return false;
}

/* A plain name behind the dot is one of the device's own: no word, no parameter. */
static bool exists_there(struct fb_checker *ck, uint32_t class_index, const struct fb_node *node) {
    const struct fb_scope *scope = &ck->class_scopes[class_index], *where;
    const struct fb_class_decl *decl = scope->class_decl;
    if (fb_check_definition(scope, node->text, &where) || fb_check_field(decl, node->text) ||
        fb_check_actuator_named(scope, node->text) || fb_check_mode_named(scope, node->text) ||
        fb_check_alarm_named(ck, scope, node->text))
        return true;
    if (ck->incomplete || decl->broken)
        return false;
    struct fb_str names[CANDIDATES_MAX];
    const char *help = NULL;
    if (is_param(ck, decl->name, node->text))
        help = fb_check_print(ck, "`%.*s` is a parameter; a let of `%.*s` can hold its value",
                              FB_ARG(node->text), FB_ARG(decl->name));
    else if (fb_check_link_named(decl, node->text))
        help = "a link leads to a device: name what you read of it behind a further dot";
    else
        help = fb_check_suggest(ck, node->text, names, names_of(ck, class_index, names));
    fb_diag_add(ck->diags, FB_E_UNKNOWN_NAME, node->span, help, "`%.*s` has no `%.*s`",
                FB_ARG(decl->name), FB_ARG(node->text));
    return false;
}

static bool refuse_text(struct fb_checker *ck, const struct fb_node *node, struct fb_str class_name,
                        const char *let) {
    fb_diag_add(ck->diags, FB_E_TEXT_OF_OTHER, node->span,
                fb_check_print(ck, "compare it there: `%s` in `%.*s`", let, FB_ARG(class_name)),
                "`%s` is a text, and no function of several devices takes one",
                fb_check_source(ck, node));
    return false;
}

static bool refuse_counter(struct fb_checker *ck, const struct fb_node *node,
                           struct fb_str class_name, struct fb_str name) {
    fb_diag_add(ck->diags, FB_E_COUNTER_VALUE, node->span,
                fb_check_print(ck, "read its growth: `let growth = rate(%.*s over 5m)` in `%.*s`",
                               FB_ARG(name), FB_ARG(class_name)),
                "`%s` is a counter, whose value says nothing by itself", fb_check_source(ck, node));
    return false;
}

/* A value that is carried from one device to another, or to a function of several. */
static bool is_carried(struct fb_checker *ck, const struct fb_node *node,
                       const struct fb_node *value, uint32_t class_index, bool to_function) {
    struct fb_str class_name = ck->out->classes[class_index].decl->name;
    while (value->kind == FB_N_LINKED)
        value = value->there;
    if (value->type == FB_T_TEXT && to_function)
        return refuse_text(
            ck, node, class_name,
            fb_check_print(ck, "let is_so = %s == \"..\"", fb_check_source(ck, node)));
    if (value->type == FB_T_COUNTER)
        return refuse_counter(ck, node, class_name, value->text);
    return true;
}

/* ---- LINK.NAME ----------------------------------------------------------------------------- */

void fb_check_refuse_link(struct fb_checker *ck, const struct fb_node *node,
                          const struct fb_class_decl *decl) {
    if (ck->incomplete || (decl && decl->broken))
        return;
    if (!decl) {
        fb_diag_add(ck->diags, FB_E_UNKNOWN_LINK, node->op_span,
                    "a link belongs to a device, and here stands what is for all of them",
                    "there is no link `%.*s` here", FB_ARG(node->text));
        return;
    }
    struct fb_str *names = FB_ARENA_ARRAY(ck->arena, struct fb_str, decl->n_links + 1);
    for (uint32_t i = 0; i < decl->n_links; i++)
        names[i] = decl->links[i]->name;
    const char *help = fb_check_suggest(ck, node->text, names, decl->n_links);
    uint32_t named = fb_map_get(ck->classes, node->text);
    if (!help && named != FB_MAP_NONE)
        help = fb_check_print(ck,
                              "`%.*s` is a device: say in `%.*s` which one is meant, "
                              "`link %.*s : %.*s`",
                              FB_ARG(node->text), FB_ARG(decl->name), FB_ARG(node->text),
                              FB_ARG(node->text));
    else if (!help)
        help = fb_check_print(ck, "declare it in `%.*s`: `link %.*s : DEVICE`", FB_ARG(decl->name),
                              FB_ARG(node->text));
    fb_diag_add(ck->diags, FB_E_UNKNOWN_LINK, node->op_span, help, "`%.*s` has no link `%.*s`",
                FB_ARG(decl->name), FB_ARG(node->text));
}

void fb_check_linked(struct fb_checker *ck, struct fb_node *node) {
    const struct fb_class_decl *decl = class_of(ck->scope);
    const struct fb_link_decl *link = fb_check_link_named(decl, node->text);
    struct fb_node *there = node->there;
    if (!link) {
        fb_check_refuse_link(ck, node, decl);
        return;
    }
    node->link = link;
    if (link->class_index == UINT32_MAX ||
        (there->kind == FB_N_NAME && !exists_there(ck, link->class_index, there)) ||
        !check_there(ck, link->class_index, there, NULL) ||
        !is_carried(ck, node, there, link->class_index, false))
        return;
    note_foreign(ck, node);
    node->of_kin = own_class(ck) == link->class_index;
    node->type = there->type;
    node->unit = there->unit;
    node->difference = there->difference;
}

/* ---- groups -------------------------------------------------------------------------------- */

static void refuse_function(struct fb_checker *ck, const struct fb_node *node) {
    const char *help =
        fb_check_suggest(ck, node->text, fb_group_function_names, FB_GROUP_FUNCTION_NAMES);
    fb_diag_add(ck->diags, FB_E_UNKNOWN_FUNCTION, node->op_span,
                help ? help
                     : "count, share, sum, avg, min, max, spread, median, p1 to p99, p99_9, "
                       "distinct, any, all and rank look at several devices",
                "no function `%.*s` looks at several devices", FB_ARG(node->text));
}

/* count and share count devices, the others look at a value of each. */
static bool right_shape(struct fb_checker *ck, const struct fb_node *node,
                        enum fb_group_function function) {
    const struct fb_group_decl *group = node->group;
    bool counts = function == FB_GROUP_COUNT || function == FB_GROUP_SHARE;
    if (counts && group->expr)
        fb_diag_add(ck->diags, FB_E_ARGUMENTS, group->expr->span,
                    fb_check_print(ck, "as in `%.*s(%.*s where %s)`", FB_ARG(node->text),
                                   FB_ARG(group->class_name), fb_check_source(ck, group->expr)),
                    "`%.*s` counts devices; what is to be true of them stands behind `where`",
                    FB_ARG(node->text));
    else if (function == FB_GROUP_SHARE && !group->where)
        fb_diag_add(ck->diags, FB_E_ARGUMENTS, node->op_span,
                    fb_check_print(ck, "as in `share(%.*s where ..)`", FB_ARG(group->class_name)),
                    "a share of the devices is of those of which something is true");
    else
        return true;
    return false;
}

static bool type_of_expr(struct fb_checker *ck, struct fb_node *node,
                         enum fb_group_function function) {
    struct fb_node *expr = node->group->expr;
    switch (function) {
    case FB_GROUP_ANY:
    case FB_GROUP_ALL:
        node->type = FB_T_BOOL;
        return true;
    case FB_GROUP_COUNT:
        node->type = FB_T_INTEGER;
        return true;
    case FB_GROUP_SHARE:
        node->type = FB_T_NUMBER;
        return true;
    case FB_GROUP_DISTINCT:
        if (expr->kind == FB_N_UNKNOWN)
            return fb_check_is_number(ck, expr);
        node->type = FB_T_INTEGER;
        return true;
    default:
        break;
    }
    if (!fb_check_is_number(ck, expr))
        return false;
    if (function == FB_GROUP_RANK) {
        node->type = FB_T_INTEGER;
        return true;
    }
    if (function == FB_GROUP_SUM && fb_unit_is_point(expr->unit)) {
        fb_diag_add(ck->diags, FB_E_TEMPERATURE_ARITHMETIC, node->op_span, "`avg` is their mean",
                    "`%s` is a temperature in %.*s, whose `sum` has no meaning",
                    fb_check_source(ck, expr), FB_ARG(fb_unit_text(expr->unit)));
        return false;
    }
    node->type = FB_T_NUMBER;
    node->unit =
        function == FB_GROUP_SPREAD ? fb_unit_difference(ck->units, expr->unit) : expr->unit;
    node->difference =
        function == FB_GROUP_SPREAD ? fb_unit_is_temperature(expr->unit) : expr->difference;
    return true;
}

static bool check_members_values(struct fb_checker *ck, struct fb_node *node, uint32_t class_index,
                                 enum fb_group_function function) {
    struct fb_group_decl *group = node->group;
    bool ok = true;
    if (group->expr) {
        bool condition = function == FB_GROUP_ANY || function == FB_GROUP_ALL;
        ok = check_there(ck, class_index, group->expr,
                         condition ? fb_check_print(ck, "what `%.*s` looks at", FB_ARG(node->text))
                                   : NULL);
        ok = ok && is_carried(ck, group->expr, group->expr, class_index, true);
    }
    if (group->where)
        ok &= check_there(ck, class_index, group->where, "what stands behind `where`");
    return ok;
}

/* Without `by`: the one link of theirs that leads to this class. */
static bool find_link_here(struct fb_checker *ck, const struct fb_node *node, uint32_t own,
                           uint32_t members) {
    const struct fb_class_decl *decl = ck->out->classes[members].decl;
    const struct fb_class_decl *here = ck->out->classes[own].decl;
    const struct fb_link_decl *found[2];
    uint32_t n = 0;
    for (uint32_t i = 0; i < decl->n_links; i++) {
        if (fb_str_eq(decl->links[i]->class_name, here->name) &&
            decl->links[i]->class_index == UINT32_MAX)
            return false; /* reported */
        if (decl->links[i]->class_index == own && n < 2)
            found[n++] = decl->links[i];
    }
    if (n == 1)
        return true;
    if (n == 2) {
        fb_diag_add(
            ck->diags, FB_E_NO_MEMBERS, node->group->class_span,
            fb_check_print(ck, "say which: `%.*s by %.*s` or `%.*s by %.*s`", FB_ARG(decl->name),
                           FB_ARG(found[0]->name), FB_ARG(decl->name), FB_ARG(found[1]->name)),
            "several links of `%.*s` lead to `%.*s`", FB_ARG(decl->name), FB_ARG(here->name));
        return false;
    }
    const char *help = NULL;
    for (uint32_t i = 0; i < decl->n_fields && !help; i++) {
        const struct fb_field_decl *field = decl->fields[i];
        bool shared = field->role == FB_TAG && fb_check_field(here, field->name);
        if (shared)
            help = fb_check_print(ck, "those of the same `%.*s` are `%.*s by %.*s`",
                                  FB_ARG(field->name), FB_ARG(decl->name), FB_ARG(field->name));
    }
    if (!help)
        help = fb_check_print(ck,
                              "declare one in `%.*s`, `link %.*s : %.*s`, or give both a tag "
                              "and say `by TAG`",
                              FB_ARG(decl->name), FB_ARG(here->name), FB_ARG(here->name));
    if (!decl->broken)
        fb_diag_add(ck->diags, FB_E_NO_MEMBERS, node->group->class_span, help,
                    "no link of `%.*s` leads to `%.*s`", FB_ARG(decl->name), FB_ARG(here->name));
    return false;
}

/* One of the names behind `by`: a tag or key, a field that a link follows, or a link. */
static bool has_text(struct fb_checker *ck, const struct fb_class_decl *decl, struct fb_str name,
                     struct fb_span span) {
    const struct fb_link_decl *link = fb_check_link_named(decl, name);
    const struct fb_field_decl *field = fb_check_field(decl, name);
    if (link)
        return link->class_index != UINT32_MAX;
    if (decl->broken)
        return false;
    if (!field) {
        fb_diag_add(
            ck->diags, FB_E_NO_MEMBERS, span,
            fb_check_print(ck, "give it one, `tag %.*s`, or name one that both have", FB_ARG(name)),
            "`%.*s` has no tag `%.*s`", FB_ARG(decl->name), FB_ARG(name));
        return false;
    }
    if (field->role == FB_FIELD) {
        fb_diag_add(ck->diags, FB_E_NO_MEMBERS, span,
                    fb_check_print(ck, "declare it as `tag %.*s`", FB_ARG(name)),
                    "groups are made by tags, keys and links, and `%.*s` is a field of `%.*s`",
                    FB_ARG(name), FB_ARG(decl->name));
        return false;
    }
    return says_an_id(field) || refuse_type(ck, field, span);
}

bool fb_check_group_leads_here(const struct fb_group_decl *group,
                               const struct fb_class_decl *members, uint32_t own,
                               const struct fb_link_decl **link) {
    *link = NULL;
    if (group->n_by > 1)
        return false;
    for (uint32_t i = 0; i < members->n_links; i++)
        if (members->links[i]->class_index == own &&
            (group->n_by == 0 || fb_str_eq(members->links[i]->name, group->by[0])))
            *link = members->links[i];
    return *link != NULL;
}

/* A rule on groups looks at the members of its own group. */
static bool check_own_members(struct fb_checker *ck, const struct fb_node *node, uint32_t own,
                              uint32_t members) {
    const struct fb_group_decl *group = node->group;
    const struct fb_class_decl *decl = ck->out->classes[ck->out->classes[own].group_class].decl;
    if (ck->out->classes[own].group_class == members && group->n_by == 0)
        return true;
    fb_diag_add(ck->diags, FB_E_NO_MEMBERS, group->n_by ? group->by_span : group->class_span,
                group->n_by ? "leave `by` out: the rule says by what" : NULL,
                "a rule on groups of `%.*s` looks at the `%.*s` of its own group only",
                FB_ARG(decl->name), FB_ARG(decl->name));
    return false;
}

bool fb_check_members(struct fb_checker *ck, const struct fb_node *node, uint32_t own,
                      uint32_t members) {
    const struct fb_group_decl *group = node->group;
    if (ck->out->classes[own].group_class != FB_NO_INDEX)
        return check_own_members(ck, node, own, members);
    const struct fb_class_decl *here = ck->out->classes[own].decl;
    const struct fb_class_decl *decl = ck->out->classes[members].decl;
    const struct fb_link_decl *link;
    if (group->n_by == 0)
        return find_link_here(ck, node, own, members);
    if (fb_check_group_leads_here(group, decl, own, &link))
        return true;
    bool ok = true;
    for (uint32_t i = 0; i < group->n_by; i++)
        ok = ok && has_text(ck, decl, group->by[i], group->by_span) &&
             (here == decl || has_text(ck, here, group->by[i], group->by_span));
    return ok && (decl->broken || here->broken || same_domain(ck, here, decl, group->class_span));
}

/* `count(load)` is a window that was forgotten rather than a device that is missing. */
static bool is_forgotten_window(struct fb_checker *ck, const struct fb_node *node) {
    const struct fb_scope *where;
    struct fb_str name = node->group->class_name;
    if (node->group->expr || node->group->n_by || fb_map_get(ck->classes, name) != FB_MAP_NONE ||
        !fb_str_eq(node->text, FB_S("count")) ||
        !(fb_check_definition(ck->scope, name, &where) ||
          fb_check_field(class_of(ck->scope), name)))
        return false;
    fb_diag_add(ck->diags, FB_E_WINDOW_MISSING, node->op_span,
                "as in `count(load > 80 % over 5m)`; of devices, `count(pump where ..)`",
                "`count` needs a window");
    return true;
}

void fb_check_group(struct fb_checker *ck, struct fb_node *node) {
    enum fb_group_function function;
    double percent;
    uint32_t own = own_class(ck);
    if (!fb_group_function_find(node->text, &function, &percent)) {
        refuse_function(ck, node);
        return;
    }
    if (is_forgotten_window(ck, node))
        return;
    uint32_t members = fb_check_class_index(ck, node->group->class_name, node->group->class_span);
    if (members == FB_MAP_NONE)
        return;
    if (own == FB_MAP_NONE) {
        fb_diag_add(ck->diags, FB_E_NO_MEMBERS, node->span,
                    "put it in a let of a device, or say `param .. on DEVICE`",
                    "which devices belong together depends on the device that looks at them, and "
                    "here is none");
        return;
    }
    if (!right_shape(ck, node, function) || !fb_check_members(ck, node, own, members) ||
        !check_members_values(ck, node, members, function))
        return;
    if (function == FB_GROUP_RANK && own != members) {
        fb_diag_add(
            ck->diags, FB_E_RANK_OF_OTHERS, node->group->class_span,
            fb_check_print(ck, "put it in a let of `%.*s`", FB_ARG(node->group->class_name)),
            "`rank` is the place of this device among others of its kind, and this is no "
            "`%.*s`",
            FB_ARG(node->group->class_name));
        return;
    }
    const struct fb_link_decl *link;
    note_foreign(ck, node);
    node->of_kin = own == members && fb_check_group_leads_here(
                                         node->group, ck->out->classes[members].decl, own, &link);
    type_of_expr(ck, node, function);
}
