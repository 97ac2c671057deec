#include "rules/lower_internal.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/base/map.h"
#include "rules/format.h"

/* ---- conditions ---------------------------------------------------------------------------- */

/* `c for d until b for e` taken apart; missing parts are NULL. */
struct parts {
    const struct fb_node *set, *set_for, *reset, *reset_for;
};

static struct parts parts_of(const struct fb_node *when) {
    struct parts parts = {.set = when};
    if (when->kind == FB_N_UNTIL && !when->bracketed) {
        parts.set = when->a;
        parts.reset = when->b;
    }
    if (parts.set->kind == FB_N_FOR && !parts.set->bracketed) {
        parts.set_for = parts.set->b;
        parts.set = parts.set->a;
    }
    if (parts.reset && parts.reset->kind == FB_N_FOR && !parts.reset->bracketed) {
        parts.reset_for = parts.reset->b;
        parts.reset = parts.reset->a;
    }
    return parts;
}

/* The `where` of the rule goes into both sides (M20), the deadband makes the second one (M28). */
static uint16_t lower_truth(struct fb_piece *piece, const struct fb_rule_decl *decl,
                            const struct fb_node *when) {
    struct parts parts = parts_of(when);
    const struct fb_node *only_where = decl ? decl->where : NULL;
    uint16_t where = 0;
    uint16_t value = fb_lower_expr(piece, parts.set).reg;
    if (only_where) {
        where = fb_lower_expr(piece, only_where).reg;
        value = fb_piece_emit(piece, FB_I_AND, 0, where, value, 0);
    }
    if (parts.set_for)
        value = fb_piece_emit_state(piece, NULL, FB_I_FOR, 0, value,
                                    fb_lower_seconds(piece, parts.set_for));
    uint16_t reset;
    if (parts.reset) {
        reset = fb_lower_expr(piece, parts.reset).reg;
    } else if (decl && decl->deadband && fb_lower_has_limit(parts.set, decl->deadband)) {
        piece->deadband = decl->deadband;
        reset = fb_lower_expr(piece, parts.set).reg;
        piece->deadband = NULL;
        reset = fb_piece_emit(piece, FB_I_NOT, 0, reset, 0, 0);
    } else {
        return value;
    }
    if (only_where)
        reset = fb_piece_emit(piece, FB_I_OR, 0, fb_piece_emit(piece, FB_I_NOT, 0, where, 0, 0),
                              reset, 0);
    if (parts.reset_for)
        reset = fb_piece_emit_state(piece, NULL, FB_I_FOR, 0, reset,
                                    fb_lower_seconds(piece, parts.reset_for));
    return fb_piece_emit_state(piece, NULL, FB_I_UNTIL, 0, value, reset);
}

struct fb_piece *fb_lower_begin_condition(struct fb_lower_rule *rule, struct fb_span span) {
    FB_PUSH_ROOM(rule->pieces, rule->n_pieces, rule->cap_pieces);
    struct fb_piece *piece = &rule->pieces[rule->n_pieces++];
    fb_piece_begin(piece, rule->c, span);
    return piece;
}

struct fb_condition *fb_lower_end_condition(struct fb_lower_rule *rule,
                                            enum fb_condition_role role, uint16_t value,
                                            uint32_t offset) {
    struct fb_class *class_ = rule->c->out;
    struct fb_piece *piece = &rule->pieces[rule->n_pieces - 1];
    struct fb_condition *condition = &class_->conditions[class_->n_conditions++];
    *condition = (struct fb_condition){
        .rule = rule->index,
        .raise = rule->n_pieces - 1,
        .role = role,
        .actuators = piece->actuators,
        .modes = piece->modes,
        .code = fb_piece_end(piece, value),
        .reads = piece->reads,
        .every_record = piece->every_record,
        .twice = piece->twice,
        .offset = offset,
    };
    return condition;
}

void fb_lower_condition(struct fb_lower_rule *rule, enum fb_condition_role role,
                        const struct fb_node *when) {
    struct fb_piece *piece = fb_lower_begin_condition(rule, when->span);
    bool is_where = rule->decl && when == rule->decl->where; /* stands for the `start` itself */
    uint16_t value = lower_truth(piece, is_where ? NULL : rule->decl, when);
    fb_lower_end_condition(rule, role, value,
                           fb_lower_room(rule->c, sizeof(struct fb_condition_cell),
                                         _Alignof(struct fb_condition_cell)));
}

/* ---- whenever ------------------------------------------------------------------------------ */

/* Fields that the condition itself reads, and the `each` windows in it. */
struct inputs {
    struct fb_lower_rule *rule;
    const void **seen; /* lets and params */
    uint32_t n_seen, cap_seen;
    uint32_t *each;
    uint32_t n_each, cap_each;
};

static bool seen(struct inputs *in, const void *decl) {
    for (uint32_t i = 0; i < in->n_seen; i++)
        if (in->seen[i] == decl)
            return true;
    FB_PUSH_ROOM(in->seen, in->n_seen, in->cap_seen);
    in->seen[in->n_seen++] = decl;
    return false;
}

static void add_each(struct inputs *in, uint32_t window) {
    for (uint32_t i = 0; i < in->n_each; i++)
        if (in->each[i] == window)
            return;
    FB_PUSH_ROOM(in->each, in->n_each, in->cap_each);
    in->each[in->n_each++] = window;
}

static void gather(struct inputs *in, const struct fb_node *node);

static void gather_name(struct inputs *in, const struct fb_node *node) {
    if (node->ref == FB_REF_FIELD && node->field->role == FB_FIELD)
        fb_field_set_add(&in->rule->out->whenever_reads, node->field->index);
    if (node->ref == FB_REF_LET && !seen(in, node->let))
        gather(in, node->let->value);
    if (node->ref == FB_REF_PARAM && !seen(in, node->param)) {
        gather(in, node->param->value);
        for (uint32_t i = 0; i < node->param->n_cases; i++) {
            gather(in, node->param->cases[i].value);
            gather(in, node->param->cases[i].where);
        }
    }
}

static void gather_args(struct inputs *in, const struct fb_node *call) {
    for (uint32_t i = 0; i < call->n_args; i++) {
        const struct fb_arg *arg = &call->args[i];
        if (arg->window == FB_W_EACH) {
            add_each(in, fb_piece_place_of(&in->rule->pieces[0], call));
            continue;
        }
        gather(in, arg->expr);
        gather(in, arg->where);
        gather(in, arg->upto);
    }
}

static void gather(struct inputs *in, const struct fb_node *node) {
    if (!node)
        return;
    if (node->kind == FB_N_NAME)
        gather_name(in, node);
    if (node->kind == FB_N_CALL)
        gather_args(in, node);
    gather(in, node->a);
    gather(in, node->b);
    gather(in, node->c);
    for (uint32_t i = 0; i < node->n_items; i++)
        gather(in, node->items[i]);
}

static void lower_whenever(struct fb_lower_rule *rule) {
    struct inputs in = {.rule = rule};
    gather(&in, rule->decl->when);
    rule->out->whenever = true;
    rule->out->n_whenever_each = in.n_each;
    rule->out->whenever_each = FB_ARENA_ARRAY(rule->c->arena, uint32_t, in.n_each);
    if (in.n_each)
        memcpy(rule->out->whenever_each, in.each, sizeof *in.each * in.n_each);
    free(in.seen);
    free(in.each);
}

/* ---- what is shown ------------------------------------------------------------------------- */

/* Code that only looks at the state which the rule's conditions have. */
static void begin_look(struct fb_lower_rule *rule, struct fb_piece *piece, struct fb_span span) {
    fb_piece_begin(piece, rule->c, span);
    piece->looks = true;
    piece->conditions = rule->pieces;
    piece->n_conditions = rule->n_pieces;
}

static const struct fb_type_decl *words_of(const struct fb_node *node, enum fb_type type) {
    return type == FB_T_ENUM ? fb_check_words(node) : NULL;
}

static struct fb_str unit_text(struct fb_lower_class *c, const struct fb_unit *unit) {
    return fb_str_copy(c->arena, fb_unit_text(unit));
}

static bool is_shown(const struct fb_rule *rule, struct fb_str name) {
    for (uint32_t i = 0; i < rule->n_shown; i++)
        if (fb_str_eq(rule->shown[i].name, name))
            return true;
    return false;
}

static struct fb_shown *add_shown(struct fb_lower_rule *rule, struct fb_str name) {
    struct fb_rule *out = rule->out;
    FB_PUSH_ROOM(out->shown, out->n_shown, rule->cap_shown);
    struct fb_shown *shown = &out->shown[out->n_shown++];
    *shown = (struct fb_shown){.name = fb_str_copy(rule->c->arena, name)};
    return shown;
}

static void show_field(struct fb_lower_rule *rule, const struct fb_field_decl *field) {
    if (field->role != FB_FIELD || is_shown(rule->out, field->name))
        return;
    const struct fb_field *have = &rule->c->out->fields[field->index];
    struct fb_shown *shown = add_shown(rule, field->name);
    shown->unit = have->unit;
    shown->type = field->type.type;
    shown->is_field = true;
    shown->field = (uint16_t)field->index;
    shown->words = have->words;
}

static void show_let(struct fb_lower_rule *rule, const struct fb_let_decl *let) {
    if (is_shown(rule->out, let->name))
        return;
    struct fb_lower_class *c = rule->c;
    struct fb_piece piece;
    begin_look(rule, &piece, let->span);
    struct fb_lowered value = fb_lower_let_value(&piece, let);
    struct fb_shown *shown = add_shown(rule, let->name);
    shown->type = value.type;
    shown->unit =
        let->unit_text.n ? fb_str_copy(c->arena, let->unit_text) : unit_text(c, let->value->unit);
    const struct fb_type_decl *words = words_of(let->value, value.type);
    if (words)
        shown->words = fb_lower_words(c->arena, words->words, words->n_words);
    shown->code = fb_piece_end(&piece, value.reg);
    fb_piece_free(&piece);
    fb_lower_show(rule, let->value);
}

static void show_actuator(struct fb_lower_rule *rule, const struct fb_node *node) {
    const struct fb_actuator_decl *decl = node->actuator;
    if (is_shown(rule->out, decl->name))
        return;
    struct fb_lower_class *c = rule->c;
    struct fb_piece piece;
    begin_look(rule, &piece, node->span);
    struct fb_lowered value = fb_lower_expr(&piece, node);
    struct fb_shown *shown = add_shown(rule, decl->name);
    shown->type = value.type;
    shown->unit = fb_str_copy(c->arena, decl->type.unit_text);
    shown->is_actuator = true;
    shown->actuator = (uint16_t)fb_lower_actuator_index(c, decl);
    if (value.type == FB_T_ENUM)
        shown->words = c->out->actuators[shown->actuator].words;
    shown->code = fb_piece_end(&piece, value.reg);
    fb_piece_free(&piece);
}

static void show_mode(struct fb_lower_rule *rule, const struct fb_rule_decl *decl) {
    if (is_shown(rule->out, decl->name))
        return;
    struct fb_piece piece;
    begin_look(rule, &piece, decl->name_span);
    struct fb_shown *shown = add_shown(rule, decl->name);
    shown->type = FB_T_ENUM;
    shown->is_mode = true;
    shown->mode = (uint16_t)fb_lower_mode_index(rule->c, decl);
    shown->words = rule->c->out->modes[shown->mode].states;
    shown->code = fb_piece_end(&piece, fb_piece_emit(&piece, FB_I_MODE, 0, 0, 0, shown->mode));
    fb_piece_free(&piece);
}

/* A value of another device, or what a function gives of several, as the rule's text has it. */
static void show_others(struct fb_lower_rule *rule, const struct fb_node *node) {
    struct fb_lower_class *c = rule->c;
    struct fb_buf name = {0};
    struct fb_node plain = *node; /* brackets are no part of a name */
    plain.bracketed = false;
    fb_format_expr(c->checked->tree->sources, &plain, &name);
    if (!is_shown(rule->out, (struct fb_str){name.p, name.n})) {
        struct fb_piece piece;
        begin_look(rule, &piece, node->span);
        struct fb_lowered value = fb_lower_expr(&piece, node);
        struct fb_shown *shown = add_shown(rule, (struct fb_str){name.p, name.n});
        shown->type = value.type;
        shown->unit = unit_text(c, node->unit);
        shown->is_others = true;
        const struct fb_type_decl *words = words_of(node, value.type);
        if (words)
            shown->words = fb_lower_words(c->arena, words->words, words->n_words);
        shown->code = fb_piece_end(&piece, value.reg);
        fb_piece_free(&piece);
    }
    fb_buf_free(&name);
}

void fb_lower_show(struct fb_lower_rule *rule, const struct fb_node *node) {
    if (!node)
        return;
    /* Who commands it, and what, stands in no text (A81). */
    if (node->kind == FB_N_LINKED || (node->kind == FB_N_GROUP && !node->group->ask))
        show_others(rule, node);
    if (node->kind == FB_N_NAME && node->ref == FB_REF_FIELD)
        show_field(rule, node->field);
    if (node->kind == FB_N_NAME && node->ref == FB_REF_LET)
        show_let(rule, node->let);
    if (node->kind == FB_N_NAME && node->ref == FB_REF_ACTUATOR)
        show_actuator(rule, node);
    if (node->kind == FB_N_NAME && node->ref == FB_REF_MODE)
        show_mode(rule, node->mode);
    fb_lower_show(rule, node->a);
    fb_lower_show(rule, node->b);
    fb_lower_show(rule, node->c);
    for (uint32_t i = 0; i < node->n_items; i++)
        fb_lower_show(rule, node->items[i]);
    for (uint32_t i = 0; i < node->n_args; i++) {
        fb_lower_show(rule, node->args[i].expr);
        fb_lower_show(rule, node->args[i].where);
        fb_lower_show(rule, node->args[i].upto);
    }
}

static int by_name(const void *a, const void *b) {
    return fb_str_cmp(((const struct fb_shown *)a)->name, ((const struct fb_shown *)b)->name);
}

/* Every field, let, actuator and mode that the conditions name, through lets too; of a mode its own
 * state. */
static void lower_shown(struct fb_lower_rule *rule) {
    const struct fb_rule_decl *decl = rule->decl;
    if (decl->kind == FB_RULE_MODE)
        show_mode(rule, decl);
    fb_lower_show(rule, decl->where);
    fb_lower_show(rule, decl->when);
    for (uint32_t i = 0; i < decl->n_raises; i++)
        fb_lower_show(rule, decl->raises[i].when);
    fb_lower_show(rule, decl->start);
    for (uint32_t i = 0; i < decl->n_gos; i++)
        fb_lower_show(rule, decl->gos[i].when);
    for (uint32_t i = 0; i < decl->n_commands; i++)
        fb_lower_show(rule, decl->commands[i].value);
}

/* In the order of the names, in the program's memory. */
static void keep_shown(struct fb_lower_rule *rule) {
    struct fb_rule *out = rule->out;
    struct fb_shown *kept = FB_ARENA_ARRAY(rule->c->arena, struct fb_shown, out->n_shown);
    if (out->n_shown) {
        qsort(out->shown, out->n_shown, sizeof *out->shown, by_name);
        memcpy(kept, out->shown, sizeof *kept * out->n_shown);
    }
    free(out->shown);
    out->shown = kept;
}

/* ---- durations ----------------------------------------------------------------------------- */

static struct fb_code lower_span(struct fb_lower_rule *rule, const struct fb_node *node) {
    struct fb_piece piece;
    begin_look(rule, &piece, node->span);
    struct fb_code code = fb_piece_end(&piece, fb_lower_seconds(&piece, node));
    fb_piece_free(&piece);
    return code;
}

struct fb_code fb_lower_number_look(struct fb_lower_rule *rule, const struct fb_node *node,
                                    const struct fb_unit *unit) {
    struct fb_piece piece;
    begin_look(rule, &piece, node->span);
    struct fb_code code = fb_piece_end(&piece, fb_lower_in_unit(&piece, node, unit));
    fb_piece_free(&piece);
    return code;
}

/* ---- messages ------------------------------------------------------------------------------ */

static uint32_t count_slots(const struct fb_text_decl *text) {
    uint32_t n = 0;
    for (uint32_t i = 0; text && i < text->n_parts; i++)
        n += text->parts[i].expr != NULL;
    return n;
}

static struct fb_slot lower_slot(struct fb_lower_rule *rule, const struct fb_text_part *part) {
    struct fb_lower_class *c = rule->c;
    const struct fb_node *expr = part->expr;
    const struct fb_let_decl *let =
        expr->kind == FB_N_NAME && expr->ref == FB_REF_LET ? expr->let : NULL;
    struct fb_piece piece;
    begin_look(rule, &piece, expr->span);
    struct fb_lowered value = fb_lower_expr(&piece, expr);
    struct fb_slot slot = {.type = value.type, .decimals = part->decimals};
    slot.unit =
        let && let->unit_text.n ? fb_str_copy(c->arena, let->unit_text) : unit_text(c, expr->unit);
    const struct fb_type_decl *words = words_of(expr, value.type);
    if (words)
        slot.words = fb_lower_words(c->arena, words->words, words->n_words);
    slot.code = fb_piece_end(&piece, value.reg);
    fb_piece_free(&piece);
    return slot;
}

static void lower_text(struct fb_lower_rule *rule, const struct fb_text_decl *text,
                       struct fb_template *out) {
    static const struct {
        struct fb_str word;
        unsigned kind;
    } builtins[] = {{FB_S("device"), FB_PART_DEVICE},
                    {FB_S("rule"), FB_PART_RULE},
                    {FB_S("severity"), FB_PART_SEVERITY}};
    if (!text)
        return;
    out->n_parts = text->n_parts;
    out->parts = FB_ARENA_ARRAY(rule->c->arena, struct fb_template_part, text->n_parts);
    for (uint32_t i = 0; i < text->n_parts; i++) {
        const struct fb_text_part *from = &text->parts[i];
        struct fb_template_part *to = &out->parts[i];
        to->kind = FB_PART_LITERAL;
        if (from->expr) {
            to->kind = FB_PART_SLOT;
            to->slot = rule->out->n_slots;
            rule->out->slots[rule->out->n_slots++] = lower_slot(rule, from);
        } else if (!from->builtin.n) {
            to->literal = fb_str_copy(rule->c->arena, from->literal);
        }
        for (size_t k = 0; k < sizeof builtins / sizeof *builtins; k++)
            if (fb_str_eq(from->builtin, builtins[k].word))
                to->kind = builtins[k].kind;
    }
}

static void lower_texts(struct fb_lower_rule *rule) {
    const struct fb_rule_decl *decl = rule->decl;
    struct fb_arena *arena = rule->c->arena;
    rule->out->slots = FB_ARENA_ARRAY(arena, struct fb_slot,
                                      count_slots(decl->message) + count_slots(decl->response));
    lower_text(rule, decl->message, &rule->out->message);
    lower_text(rule, decl->response, &rule->out->response);
    rule->out->n_labels = decl->n_labels;
    rule->out->labels = FB_ARENA_ARRAY(arena, struct fb_label, decl->n_labels);
    for (uint32_t i = 0; i < decl->n_labels; i++)
        rule->out->labels[i] =
            (struct fb_label){.name = fb_str_copy(arena, decl->labels[i].name),
                              .value = fb_str_copy(arena, decl->labels[i].value)};
}

/* ---- rules --------------------------------------------------------------------------------- */

static enum fb_unknown_policy policy_of(enum fb_on_unknown on_unknown) {
    switch (on_unknown) {
    case FB_UNKNOWN_HOLD:
        return FB_POLICY_HOLD;
    case FB_UNKNOWN_CLEAR:
        return FB_POLICY_CLEAR;
    case FB_UNKNOWN_RAISE:
        return FB_POLICY_RAISE;
    case FB_UNKNOWN_STOP:
        return FB_POLICY_STOP;
    case FB_UNKNOWN_SAFE:
        return FB_POLICY_SAFE;
    }
    FB_ASSERT(false && "an unknown policy");
    return FB_POLICY_HOLD;
}

static enum fb_rule_sort sort_of(enum fb_rule_kind kind) {
    switch (kind) {
    case FB_RULE_ALARM:
        return FB_SORT_ALARM;
    case FB_RULE_EVENT:
        return FB_SORT_EVENT;
    case FB_RULE_CONTROL:
        return FB_SORT_CONTROL;
    case FB_RULE_MODE:
        return FB_SORT_MODE;
    }
    FB_ASSERT(false && "a kind of rule");
    return FB_SORT_ALARM;
}

static void lower_conditions(struct fb_lower_rule *rule) {
    const struct fb_rule_decl *decl = rule->decl;
    struct fb_rule *out = rule->out;
    out->severities = FB_ARENA_ARRAY(rule->c->arena, enum fb_severity, decl->n_raises);
    for (uint32_t i = 0; i < decl->n_raises; i++) {
        out->severities[i] = decl->raises[i].severity;
        fb_lower_condition(rule, FB_ROLE_WHEN, decl->raises[i].when);
    }
    if (decl->kind == FB_RULE_EVENT)
        fb_lower_condition(rule, FB_ROLE_WHEN, decl->when);
    if (decl->kind == FB_RULE_CONTROL)
        fb_lower_control(rule);
    if (decl->kind == FB_RULE_MODE)
        fb_lower_mode(rule);
}

struct fb_lower_rule fb_lower_begin_rule(struct fb_lower_class *c, enum fb_rule_sort sort,
                                         struct fb_str name, uint32_t index,
                                         struct fb_rule *out) {
    out->sort = sort;
    out->name = fb_str_copy(c->arena, name);
    out->first_condition = c->out->n_conditions;
    return (struct fb_lower_rule){.c = c, .index = index, .out = out};
}

void fb_lower_end_rule(struct fb_lower_rule *rule) {
    struct fb_rule *out = rule->out;
    out->n_conditions = rule->n_pieces;
    keep_shown(rule);
    out->offset = fb_lower_room(rule->c, fb_rule_bytes(out), _Alignof(struct fb_rule_cell));
    if (out->sort == FB_SORT_MODE)
        rule->c->out->modes[out->mode].offset = out->offset;
    for (uint32_t i = 0; i < rule->n_pieces; i++)
        fb_piece_free(&rule->pieces[i]);
    free(rule->pieces);
}

static struct fb_str target_of(struct fb_lower_class *c, const struct fb_rule_decl *decl) {
    struct fb_buf text = {0};
    fb_format_target(decl, &text);
    struct fb_str copy = fb_str_copy(c->arena, (struct fb_str){text.p, text.n});
    fb_buf_free(&text);
    return copy;
}

void fb_lower_rule(struct fb_lower_class *c, const struct fb_rule_decl *decl, uint32_t index,
                   struct fb_rule *out) {
    struct fb_lower_rule rule =
        fb_lower_begin_rule(c, sort_of(decl->kind), decl->name, index, out);
    rule.decl = decl;
    if (decl->asked_of)
        out->target = target_of(c, decl);
    out->on_unknown = policy_of(decl->on_unknown);
    lower_conditions(&rule);
    if (decl->feedback_of && decl->feedback_of->failures)
        c->out->actuators[fb_lower_actuator_index(c, decl->feedback_of)].feedback =
            out->first_condition;
    out->has_clear_after = decl->clear_after != NULL;
    if (decl->clear_after)
        out->clear_after = lower_span(&rule, decl->clear_after);
    if (decl->flapping)
        out->flap_slot_us = fb_lower_span(c, decl->flapping) / FB_FLAP_SLOTS;
    if (decl->whenever)
        lower_whenever(&rule);
    if (decl->at_most && decl->kind == FB_RULE_EVENT) {
        out->at_most = decl->at_most;
        out->at_most_per = lower_span(&rule, decl->at_most_per);
    } else if (decl->at_most) {
        fb_lower_rate(&rule);
    }
    lower_shown(&rule);
    lower_texts(&rule);
    fb_lower_end_rule(&rule);
    fb_lower_fleet(&rule);
}
