/* Rules from the tree: conditions with `where` and `deadband` written out (M20, M28), what a record
 * must carry to concern them (M7), what they show (M34).
 *
 * Place in the flow: once per rule file, on top of oracle_expand. */
#include "tests/oracle/oracle_internal.h"
#include "tests/oracle/oracle_acting.h"

#include "engine/base/err.h"

#include <string.h>

/* --- Conditions ------------------------------------------------------------------------------ */

/* Does the condition have a limit of the deadband's dimension outside calls and lets? */
static bool has_limit(struct ora_scope *s, const struct fb_node *n) {
    if (n == NULL || n->kind == FB_N_CALL)
        return false;
    bool clock = n->kind == FB_N_COMPARE && (ora_is_clock(n->a) || ora_is_clock(n->b));
    if (clock && n->op != FB_OP_EQ && n->op != FB_OP_NE)
        return ora_unit_same_dimension(ora_unit_of(FB_S("s")), s->deadband->unit);
    if (n->kind == FB_N_COMPARE && n->op != FB_OP_EQ && n->op != FB_OP_NE) {
        struct ora_expr *a, *b;
        struct ora_scope inner = *s;
        inner.in_copy = false;
        ora_expand_sides(&inner, n->a, n->b, &a, &b);
        if (ora_is_numeric(b) && ora_unit_same_dimension(b->unit, s->deadband->unit))
            return true;
    }
    if (n->kind == FB_N_IN && n->n_items == 0) {
        struct ora_scope inner = *s;
        inner.in_copy = false;
        struct ora_expr *a = ora_expand_expr(&inner, n->a);
        if (ora_is_numeric(a) && ora_unit_same_dimension(a->unit, s->deadband->unit))
            return true;
    }
    if (n->kind == FB_N_COMPARE || n->kind == FB_N_IN)
        return false;
    if (n->kind == FB_N_IF)
        return has_limit(s, n->b) || has_limit(s, n->c);
    bool found = has_limit(s, n->a) || has_limit(s, n->b) || has_limit(s, n->c);
    for (uint32_t i = 0; !found && i < n->n_items; i++)
        found = has_limit(s, n->items[i]);
    return found;
}

/* M20, M28: `c for d until b for e`, with the rule's where and deadband written out. */
struct ora_expr *ora_condition_expr(struct ora_scope *s, const struct fb_node *when) {
    const struct fb_rule_decl *rule = s->rule->decl;
    const struct fb_node *set = when, *reset = NULL;
    if (when->kind == FB_N_UNTIL && !when->bracketed) {
        set = when->a;
        reset = when->b;
    }
    const struct fb_node *c = set, *d = NULL, *b = reset, *e = NULL;
    if (set->kind == FB_N_FOR && !set->bracketed) {
        c = set->a;
        d = set->b;
    }
    if (reset != NULL && reset->kind == FB_N_FOR && !reset->bracketed) {
        b = reset->a;
        e = reset->b;
    }
    struct ora_expr *begin = ora_expand_expr(s, c), *end = b == NULL ? NULL : ora_expand_expr(s, b);
    if (rule->deadband != NULL && has_limit(s, c)) {
        struct ora_scope copy = *s;
        copy.in_copy = true;
        copy.turned = false;
        end = ora_not(s, ora_expand_expr(&copy, c));
    }
    if (rule->where != NULL) {
        begin = ora_two(s, ORA_AND, ora_expand_expr(s, rule->where), begin);
        if (end != NULL)
            end = ora_two(s, ORA_OR, ora_not(s, ora_expand_expr(s, rule->where)), end);
    }
    if (d != NULL)
        begin = ora_for(s, begin, d);
    if (end != NULL && e != NULL)
        end = ora_for(s, end, e);
    return end == NULL ? begin : ora_two(s, ORA_UNTIL, begin, end);
}

/* M7: what a record must carry to concern the condition. */
static void concerns(const struct ora_expr *e, struct ora_condition *c,
                     const struct ora_class *class) {
    uint32_t n_fields = class->n_fields;
    if (e == NULL)
        return;
    if (e->other != NULL && c->modes != NULL) { /* A33: it does not count for `whenever` */
        ora_other_reads(class, e->other, c->reads);
        FB_PUSH_ROOM(c->others, c->n_others, c->cap_others);
        c->others[c->n_others++] = e->other;
    }
    if (ora_reads_field(e))
        c->reads[e->field] = true;
    if (e->window != NULL && e->window->shape != FB_SHAPE_EACH) {
        for (uint32_t f = 0; f < n_fields; f++)
            c->reads[f] |= e->window->reads_all[f];
        c->every_record |= e->window->x == NULL;
    }
    c->every_record |= e->kind == ORA_SILENT || e->kind == ORA_CHANGED ||
                       (e->kind == ORA_AGE && e->field == ORA_EVERY_RECORD);
    c->twice |= e->kind == ORA_SILENT;
    if (e->kind == ORA_MODE && c->modes != NULL && c->n_modes < FB_MODES_MAX)
        c->modes[c->n_modes++] = e->mode;
    if (e->kind == ORA_ALARM && c->modes != NULL) {
        FB_PUSH_ROOM(c->alarms, c->n_alarms, c->cap_alarms);
        c->alarms[c->n_alarms++] = (struct ora_expr *)e;
    }
    if (e->kind == ORA_ACTUATOR && c->actuators != NULL)
        c->actuators[e->actuator->index] = true;
    concerns(e->a, c, class);
    concerns(e->b, c, class);
    concerns(e->c, c, class);
    for (uint32_t i = 0; i < e->n_items; i++)
        concerns(e->items[i], c, class);
}

struct ora_condition *ora_new_condition(struct ora_scope *s, struct ora_condition *c,
                                        struct ora_rule *rule) {
    struct ora_class *class = s->class;
    c->rule = rule;
    c->index = class->n_conditions;
    c->reads = FB_ARENA_ARRAY(s->o->arena, bool, class->n_fields);
    c->actuators = FB_ARENA_ARRAY(s->o->arena, bool, class->n_actuators + 1);
    c->modes = FB_ARENA_ARRAY(s->o->arena, const struct fb_rule_decl *, FB_MODES_MAX);
    FB_PUSH_ROOM(class->conditions, class->n_conditions, class->cap_conditions);
    class->conditions[class->n_conditions++] = c;
    s->condition = c;
    return c;
}

void ora_condition_done(struct ora_scope *s, struct ora_condition *c, struct ora_expr *root) {
    c->root = root;
    concerns(root, c, s->class);
    s->condition = NULL;
    if (c->rule != NULL)
        c->rule->n_conditions++;
}

static void add_condition(struct ora_scope *s, struct ora_rule *rule, const struct fb_node *when) {
    struct ora_condition *c = ora_new_condition(s, &rule->conditions[rule->n_conditions], rule);
    ora_condition_done(s, c, ora_condition_expr(s, when));
    const struct fb_actuator_decl *of = rule->decl->feedback_of;
    if (of != NULL && of->failures > 0) {
        FB_ASSERT(c->root->kind == ORA_FOR);
        c->root->followed = ora_find_actuator(s->class, of->name);
    }
}

/* --- What a rule shows ------------------------------------------------------------------------ */

static struct fb_str shown_name(const struct ora_class *class, const struct ora_expr *e) {
    return e->kind == ORA_LET        ? e->let->name
           : e->kind == ORA_ACTUATOR ? e->actuator->decl->name
           : e->kind == ORA_MODE     ? e->mode->name
           : e->kind == ORA_LINKED   ? e->name
           : e->kind == ORA_GROUP    ? e->name
                                     : class->fields[e->field]->name;
}

static void add_shown(struct ora *o, struct ora_rule *rule, struct ora_expr *e) {
    struct ora_class *class = rule->class;
    struct fb_str name = shown_name(class, e);
    uint32_t at = 0;
    while (at < rule->n_shown && fb_str_cmp(shown_name(class, rule->shown[at]), name) < 0)
        at++;
    if (at < rule->n_shown && fb_str_eq(shown_name(class, rule->shown[at]), name))
        return;
    struct ora_expr **more = FB_ARENA_ARRAY(o->arena, struct ora_expr *, rule->n_shown + 1);
    if (rule->n_shown) {
        memcpy(more, rule->shown, at * sizeof *more);
        memcpy(more + at + 1, rule->shown + at, (rule->n_shown - at) * sizeof *more);
    }
    more[at] = e;
    rule->shown = more;
    rule->n_shown++;
}

/* Every field, let, actuator and mode that the conditions name, through lets too, but not through
 * params; tags and keys have their own place in the output. */
static void find_shown(struct ora_scope *s, struct ora_rule *rule, struct ora_expr *e) {
    if (e == NULL || e->param)
        return;
    if (ora_reads_field(e) && s->class->fields[e->field]->role == FB_FIELD)
        add_shown(s->o, rule, ora_field_expr(s, s->class->fields[e->field]));
    if (e->kind == ORA_LET || e->kind == ORA_ACTUATOR || e->kind == ORA_MODE ||
        e->kind == ORA_LINKED || e->kind == ORA_GROUP)
        add_shown(s->o, rule, e);
    find_shown(s, rule, e->a);
    find_shown(s, rule, e->b);
    find_shown(s, rule, e->c);
    for (uint32_t i = 0; i < e->n_items; i++)
        find_shown(s, rule, e->items[i]);
    if (e->window != NULL && e->kind == ORA_WINDOW) {
        find_shown(s, rule, e->window->x);
        find_shown(s, rule, e->window->where);
    }
}

static void describe_shown(struct ora_scope *s, struct ora_rule *rule) {
    struct fb_rule *out = &rule->out;
    out->n_shown = rule->n_shown;
    out->shown = FB_ARENA_ARRAY(s->o->arena, struct fb_shown, rule->n_shown);
    for (uint32_t i = 0; i < rule->n_shown; i++) {
        const struct ora_expr *e = rule->shown[i];
        struct fb_shown *shown = &out->shown[i];
        shown->name = shown_name(s->class, e);
        shown->type = e->type;
        shown->is_field = e->kind == ORA_FIELD;
        if (shown->is_field)
            shown->unit = s->class->fields[e->field]->type.unit_text;
    }
}

static void add_text(struct ora_scope *s, struct ora_rule *rule, const struct fb_text_decl *text,
                     struct fb_template *template) {
    struct fb_rule *out = &rule->out;
    if (text == NULL)
        return;
    template->parts = FB_ARENA_ARRAY(s->o->arena, struct fb_template_part, text->n_parts);
    template->n_parts = text->n_parts;
    for (uint32_t i = 0; i < text->n_parts; i++) {
        const struct fb_text_part *from = &text->parts[i];
        struct fb_template_part *to = &template->parts[i];
        if (from->expr != NULL) {
            struct ora_expr **more =
                FB_ARENA_ARRAY(s->o->arena, struct ora_expr *, rule->n_slots + 1);
            struct fb_slot *slots = FB_ARENA_ARRAY(s->o->arena, struct fb_slot, rule->n_slots + 1);
            if (rule->n_slots > 0) {
                memcpy(more, rule->slots, rule->n_slots * sizeof *more);
                memcpy(slots, out->slots, rule->n_slots * sizeof *slots);
            }
            more[rule->n_slots] = ora_expand_expr(s, from->expr);
            slots[rule->n_slots].type = more[rule->n_slots]->type;
            slots[rule->n_slots].decimals = from->decimals;
            to->kind = FB_PART_SLOT;
            to->slot = rule->n_slots;
            rule->slots = more;
            out->slots = slots;
            out->n_slots = ++rule->n_slots;
        } else if (from->builtin.n > 0) {
            to->kind = fb_str_eq(from->builtin, FB_S("device")) ? FB_PART_DEVICE
                       : fb_str_eq(from->builtin, FB_S("rule")) ? FB_PART_RULE
                                                                : FB_PART_SEVERITY;
        } else {
            to->kind = FB_PART_LITERAL;
            to->literal = from->literal;
        }
    }
}

/* M32: plain reads of the whenever itself; keys, tags and `each` windows excepted. */
static void find_whenever(struct ora_scope *s, struct ora_rule *rule, const struct fb_node *when) {
    struct ora_condition alone = {.reads = rule->whenever_reads};
    struct ora_condition scratch = {0};
    s->condition = &scratch;
    rule->whenever = ora_expand_expr(s, when);
    concerns(rule->whenever, &alone, s->class);
    s->condition = NULL;
    for (uint32_t f = 0; f < s->class->n_fields; f++)
        if (s->class->fields[f]->role != FB_FIELD)
            rule->whenever_reads[f] = false;
}

static void add_rule(struct ora *o, const struct fb_rule_decl *decl) {
    struct ora_class *class = decl->by.n > 0           ? ora_group_class(o, decl)
                              : decl->asked_of != NULL ? ora_asked_class(o, decl)
                                                       : NULL;
    for (uint32_t i = 0; i < o->n_classes && class == NULL; i++)
        if (fb_str_eq(o->classes[i].decl->name, decl->class_name))
            class = &o->classes[i];
    FB_ASSERT(class != NULL);
    struct ora_rule *rule = FB_ARENA_NEW(o->arena, struct ora_rule);
    struct ora_scope s = {.o = o, .class = class, .rule = rule};
    rule->decl = decl;
    rule->class = class;
    rule->index = class->n_rules;
    rule->out.name = decl->name;
    rule->out.sort = decl->kind == FB_RULE_ALARM     ? FB_SORT_ALARM
                     : decl->kind == FB_RULE_CONTROL ? FB_SORT_CONTROL
                     : decl->kind == FB_RULE_MODE    ? FB_SORT_MODE
                                                     : FB_SORT_EVENT;
    rule->out.class_index = (uint16_t) class->index;
    if (decl->deadband != NULL)
        s.deadband = ora_expand_expr(&s, decl->deadband);
    uint32_t n = decl->kind == FB_RULE_ALARM     ? decl->n_raises
                 : decl->kind == FB_RULE_CONTROL ? 1 + decl->n_commands
                 : decl->kind == FB_RULE_MODE    ? 1 + decl->n_gos + decl->n_commands
                                                 : 1;
    rule->conditions = FB_ARENA_ARRAY(o->arena, struct ora_condition, n);
    bool acts = decl->kind == FB_RULE_CONTROL || decl->kind == FB_RULE_MODE;
    if (acts)
        ora_add_claims(&s, rule);
    for (uint32_t i = 0; i < n && !acts; i++)
        add_condition(&s, rule, decl->kind == FB_RULE_ALARM ? decl->raises[i].when : decl->when);
    if (decl->clear_after != NULL)
        rule->clear_after = ora_seconds(&s, decl->clear_after);
    if (decl->kind == FB_RULE_EVENT && decl->at_most > 0)
        rule->at_most_per = ora_seconds(&s, decl->at_most_per);
    for (uint32_t i = 0; i < rule->n_conditions; i++)
        find_shown(&s, rule, rule->conditions[i].root);
    if (decl->kind == FB_RULE_MODE)
        add_shown(o, rule, ora_mode_expr(&s, decl->name));
    describe_shown(&s, rule);
    add_text(&s, rule, decl->message, &rule->out.message);
    add_text(&s, rule, decl->response, &rule->out.response);
    if (decl->whenever) {
        rule->whenever_reads = FB_ARENA_ARRAY(o->arena, bool, class->n_fields);
        find_whenever(&s, rule, decl->when);
    }
    FB_PUSH_ROOM(class->rules, class->n_rules, class->cap_rules);
    class->rules[class->n_rules++] = rule;
}

/* --- Classes ---------------------------------------------------------------------------------- */

static void add_lets(struct ora *o, struct ora_class *class, const struct fb_class_decl *decl) {
    const struct fb_let_decl **more =
        FB_ARENA_ARRAY(o->arena, const struct fb_let_decl *, class->n_lets + decl->n_lets);
    if (class->n_lets > 0)
        memcpy(more, class->lets, class->n_lets * sizeof *more);
    for (uint32_t i = 0; i < decl->n_lets; i++)
        more[class->n_lets + i] = decl->lets[i];
    class->lets = more;
    class->n_lets += decl->n_lets;
}

static int64_t stale_of(const struct fb_field_decl *field) {
    if (field->role != FB_FIELD)
        return 0;
    if (field->stale_after != NULL)
        return ora_literal_span(field->stale_after);
    return field->every != NULL ? 3 * ora_literal_span(field->every) : 0;
}

static void add_class(struct ora *o, const struct fb_class_decl *decl) {
    struct ora_class *class = &o->classes[o->n_classes];
    class->decl = decl;
    class->index = o->n_classes++;
    ora_class_fields(o, class);
}

void ora_class_fields(struct ora *o, struct ora_class *class) {
    const struct fb_class_decl *decl = class->decl;
    class->n_fields = decl->n_fields;
    class->fields = FB_ARENA_ARRAY(o->arena, const struct fb_field_decl *, decl->n_fields);
    class->stale = FB_ARENA_ARRAY(o->arena, int64_t, decl->n_fields);
    class->tags = FB_ARENA_ARRAY(o->arena, uint32_t, decl->n_fields);
    class->late = decl->late == NULL ? 0 : ora_literal_span(decl->late);
    for (uint32_t i = 0; i < decl->n_fields; i++) {
        const struct fb_field_decl *field = decl->fields[i];
        class->fields[field->index] = field;
        class->stale[field->index] = stale_of(field);
    }
    for (uint32_t f = 0; f < class->n_fields; f++) {
        if (class->fields[f]->role != FB_TAG)
            continue;
        uint32_t at = class->n_tags++;
        while (at > 0 &&
               fb_str_cmp(class->fields[class->tags[at - 1]]->name, class->fields[f]->name) > 0) {
            class->tags[at] = class->tags[at - 1];
            at--;
        }
        class->tags[at] = f;
    }
}

void ora_expand(struct ora *o) {
    uint32_t n = 0;
    for (uint32_t f = 0; f < o->tree->n_files; f++)
        for (uint32_t i = 0; i < o->tree->files[f]->n_items; i++) {
            const struct fb_item *item = &o->tree->files[f]->items[i];
            n +=
                item->kind == FB_ITEM_CLASS || (item->kind == FB_ITEM_RULE && item->rule->by.n > 0);
        }
    o->classes = FB_ARENA_ARRAY(o->arena, struct ora_class, n);
    for (uint32_t f = 0; f < o->tree->n_files; f++) {
        const struct fb_file *file = o->tree->files[f];
        for (uint32_t i = 0; i < file->n_items; i++)
            if (file->items[i].kind == FB_ITEM_CLASS && !file->items[i].class_decl->reopened)
                add_class(o, file->items[i].class_decl);
    }
    for (uint32_t f = 0; f < o->tree->n_files; f++) {
        const struct fb_file *file = o->tree->files[f];
        for (uint32_t i = 0; i < file->n_items; i++)
            for (uint32_t c = 0; file->items[i].kind == FB_ITEM_CLASS && c < o->n_classes; c++)
                if (fb_str_eq(o->classes[c].decl->name, file->items[i].class_decl->name))
                    add_lets(o, &o->classes[c], file->items[i].class_decl);
    }
    for (uint32_t f = 0; f < o->tree->n_files; f++) {
        const struct fb_file *file = o->tree->files[f];
        for (uint32_t i = 0; i < file->n_items; i++)
            if (file->items[i].kind == FB_ITEM_ACTUATOR)
                ora_count_actuator(o, file->items[i].actuator);
            else if (file->items[i].kind == FB_ITEM_LIMIT)
                o->limit = file->items[i].limit;
    }
    ora_add_actuators(o);
    for (uint32_t f = 0; f < o->tree->n_files; f++) {
        const struct fb_file *file = o->tree->files[f];
        for (uint32_t i = 0; i < file->n_items; i++)
            if (file->items[i].kind == FB_ITEM_RULE)
                add_rule(o, file->items[i].rule);
    }
}
