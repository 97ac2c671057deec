/* Commands to other devices (A80 to A86): what a target's control starts with, and asks for.
 *
 * Place in the flow: inside check, behind the rule that commands: it has been typed, so what is
 * built of its conditions here is typed as it is built. A target looks at its commanders as at a
 * group: who links to it, whom its own link leads to, or who has the same text. */
#include "engine/base/err.h"
#include "rules/check_internal.h"
#include "rules/group_function.h"

/* ---- whose ---------------------------------------------------------------------------------- */

uint32_t fb_check_asked_class(struct fb_checker *ck, const struct fb_rule_decl *control,
                              uint32_t commander) {
    if (control->ask->each)
        return fb_check_class_index(ck, control->class_name, control->class_span);
    if (commander == FB_MAP_NONE)
        return FB_MAP_NONE;
    const struct fb_link_decl *link =
        fb_check_link_named(ck->out->classes[commander].decl, control->ask->device);
    return link ? fb_map_get(ck->classes, link->class_name) : FB_MAP_NONE;
}

/* The class of the rule that commands, which stands before. */
static uint32_t commander_of(const struct fb_checker *ck, uint32_t index) {
    const struct fb_rule_decl *rule = ck->out->rules[index].decl->asked_of;
    while (ck->out->rules[index].decl != rule)
        index--;
    return ck->out->rules[index].class_index;
}

/* ---- nodes ---------------------------------------------------------------------------------- */

/* A condition above others, typed. */
static struct fb_node *above(struct fb_checker *ck, enum fb_node_kind kind, struct fb_node *a,
                             struct fb_node *b, struct fb_node *c) {
    struct fb_node *const parts[] = {a, b, c};
    struct fb_node *node = FB_ARENA_NEW(ck->arena, struct fb_node);
    *node = (struct fb_node){.kind = kind,
                             .span = a->span,
                             .op_span = a->op_span,
                             .type = FB_T_BOOL,
                             .a = a,
                             .b = b,
                             .c = c};
    for (int i = 0; i < 3; i++)
        if (parts[i] && parts[i]->height > node->height)
            node->height = parts[i]->height;
    node->height++;
    return node;
}

static struct fb_node *truth(struct fb_checker *ck, struct fb_span span) {
    struct fb_node *node = FB_ARENA_NEW(ck->arena, struct fb_node);
    *node = (struct fb_node){
        .kind = FB_N_BOOL, .truth = true, .type = FB_T_BOOL, .span = span, .height = 1};
    return node;
}

static bool is_open(const struct fb_node *node, enum fb_node_kind kind) {
    return node->kind == kind && !node->bracketed;
}

/* In brackets, so that its text reads as what it is. */
static struct fb_node *part(struct fb_checker *ck, struct fb_node *node) {
    bool is_one = node->bracketed ||
                  (node->kind != FB_N_AND && node->kind != FB_N_OR && node->kind != FB_N_FOR &&
                   node->kind != FB_N_UNTIL && node->kind != FB_N_IF);
    if (is_one)
        return node;
    struct fb_node *copy = FB_ARENA_NEW(ck->arena, struct fb_node);
    *copy = *node;
    copy->bracketed = true;
    return copy;
}

/* `where` in the place that M20 gives it. */
static struct fb_node *with_where(struct fb_checker *ck, struct fb_node *where,
                                  struct fb_node *when) {
    if (!where || !when)
        return where ? where : when;
    struct fb_node *set = when, *set_for = NULL, *reset = NULL, *reset_for = NULL;
    if (is_open(when, FB_N_UNTIL)) {
        set = when->a;
        reset = when->b;
    }
    if (is_open(set, FB_N_FOR)) {
        set_for = set->b;
        set = set->a;
    }
    if (reset && is_open(reset, FB_N_FOR)) {
        reset_for = reset->b;
        reset = reset->a;
    }
    struct fb_node *out = above(ck, FB_N_AND, part(ck, where), part(ck, set), NULL);
    if (set_for)
        out = above(ck, FB_N_FOR, out, set_for, NULL);
    if (!reset)
        return out;
    struct fb_node *bracketed = part(ck, where);
    struct fb_node *end =
        above(ck, FB_N_OR, above(ck, FB_N_NOT, bracketed, NULL, NULL), part(ck, reset), NULL);
    if (reset_for)
        end = above(ck, FB_N_FOR, end, reset_for, NULL);
    return above(ck, FB_N_UNTIL, out, end, NULL);
}

/* ---- S: whether the rule commands (A82) ------------------------------------------------------ */

static struct fb_node *name(struct fb_checker *ck, const struct fb_node *as) {
    struct fb_node *node = FB_ARENA_NEW(ck->arena, struct fb_node);
    *node = *as;
    node->kind = FB_N_NAME;
    node->type = FB_T_ENUM;
    node->height = 1;
    return node;
}

static int64_t word_of(const struct fb_rule_decl *mode, uint32_t state) {
    int64_t word = 0;
    for (uint32_t i = 0; i < state; i++)
        word += !mode->states[i].any;
    return word;
}

/* coalesce(MODE == STATE, false) */
static struct fb_node *is_in(struct fb_checker *ck, const struct fb_rule_decl *mode,
                             uint32_t state) {
    struct fb_span span = mode->states[state].name_span;
    struct fb_node *is = above(
        ck, FB_N_COMPARE,
        name(ck,
             &(struct fb_node){.text = mode->name, .span = span, .ref = FB_REF_MODE, .mode = mode}),
        name(ck, &(struct fb_node){.text = mode->states[state].name,
                                   .span = span,
                                   .ref = FB_REF_WORD,
                                   .word = word_of(mode, state)}),
        NULL);
    is->op = FB_OP_EQ;
    struct fb_node *no = truth(ck, span);
    no->truth = false;
    struct fb_node *call = above(ck, FB_N_CALL, is, NULL, NULL);
    call->a = NULL;
    call->text = FB_S("coalesce");
    call->n_args = 2;
    call->args = FB_ARENA_ARRAY(ck->arena, struct fb_arg, 2);
    call->args[0] = (struct fb_arg){.expr = is, .span = span};
    call->args[1] = (struct fb_arg){.expr = no, .span = span};
    return call;
}

/* Adds that a condition is known: true then, else unknown. */
static struct fb_node *and_known(struct fb_checker *ck, struct fb_node *all,
                                 struct fb_node *condition) {
    struct fb_node *yes = truth(ck, condition->span);
    return above(ck, FB_N_AND, all, part(ck, above(ck, FB_N_IF, part(ck, condition), yes, yes)),
                 NULL);
}

static struct fb_node *mode_commands(struct fb_checker *ck, const struct fb_rule_decl *mode,
                                     uint32_t state) {
    struct fb_node *all = is_in(ck, mode, state);
    if (mode->where)
        all = and_known(ck, all, mode->where);
    for (uint32_t i = 0; i < mode->n_gos; i++) {
        const struct fb_go_decl *go = &mode->gos[i];
        bool way_out = mode->states[go->state].any ? go->to != state : go->state == state;
        if (way_out && go->when)
            all = and_known(ck, all, with_where(ck, mode->where, go->when));
    }
    return all;
}

static struct fb_node *commands_while(struct fb_checker *ck, const struct fb_rule_decl *rule,
                                      const struct fb_ask_decl *ask) {
    if (rule->kind == FB_RULE_MODE)
        return mode_commands(ck, rule, ask->command.state);
    struct fb_node *when = with_where(ck, rule->where, rule->start);
    return when ? when : truth(ck, rule->name_span);
}

/* ---- what the target starts with and asks for ------------------------------------------------ */

struct asking {
    struct fb_checker *ck;
    const struct fb_ask_decl *ask;
    struct fb_node *when; /* S */
    struct fb_str class_name;
};

/* A value of the commanders, as of a group. */
static struct fb_node *of_commanders(const struct asking *asking, enum fb_group_function function,
                                     struct fb_node *expr, struct fb_node *where, double nearest) {
    struct fb_checker *ck = asking->ck;
    const struct fb_ask_decl *ask = asking->ask;
    struct fb_node *node = FB_ARENA_NEW(ck->arena, struct fb_node);
    node->kind = FB_N_GROUP;
    struct fb_buf text = {0};
    fb_group_function_text(function, 0, &text);
    node->text = fb_str_copy(ck->arena, (struct fb_str){text.p, text.n});
    fb_buf_free(&text);
    node->span = node->op_span = ask->command.span;
    node->height =
        (uint16_t)(1 + (where && where->height > expr->height ? where->height : expr->height));
    node->type = expr->type == FB_T_INTEGER ? FB_T_NUMBER : expr->type;
    node->unit = expr->unit;
    node->difference = expr->difference;
    node->group = FB_ARENA_NEW(ck->arena, struct fb_group_decl);
    *node->group = (struct fb_group_decl){.expr = expr,
                                          .where = where,
                                          .class_name = asking->class_name,
                                          .class_span = ask->device_span,
                                          .by = ask->by,
                                          .n_by = ask->n_by,
                                          .by_span = ask->by_span,
                                          .span = ask->command.span,
                                          .ask = ask,
                                          .ask_function = (uint8_t)function,
                                          .ask_nearest = nearest};
    return node;
}

static bool is_written_out(const struct fb_node *value) {
    return fb_check_is_literal(value) || (value->kind == FB_N_NAME && value->ref == FB_REF_WORD);
}

static struct fb_node *asked_value(const struct asking *asking, struct fb_node *value,
                                   const struct fb_actuator_decl *actuator) {
    double nearest = 0;
    if (is_written_out(value))
        return value;
    if (actuator->combine == FB_COMBINE_WORD_MIN)
        return of_commanders(asking, FB_GROUP_ASKED_MIN, value, asking->when, 0);
    if (actuator->combine != FB_COMBINE_WORD_SAFEST)
        return of_commanders(asking, FB_GROUP_ASKED_MAX, value, asking->when, 0);
    if (actuator->type.type == FB_T_ENUM)
        nearest = (double)actuator->safe->word;
    else
        FB_ASSERT(fb_check_constant(actuator->safe, value->unit, &nearest));
    return of_commanders(asking, FB_GROUP_ASKED_NEAREST, value, asking->when, nearest);
}

/* ---- checks --------------------------------------------------------------------------------- */

/* How targets and commanders find each other. */
static bool find_way(struct fb_checker *ck, struct fb_ask_decl *ask, uint32_t commander,
                     uint32_t target) {
    const struct fb_class_decl *decl = ck->out->classes[commander].decl;
    if (!ask->each) {
        ask->link = fb_check_link_named(decl, ask->device);
        return ask->link->class_index != UINT32_MAX;
    }
    struct fb_group_decl group = {.class_name = ask->device,
                                  .class_span = ask->device_span,
                                  .by = ask->by,
                                  .n_by = ask->n_by,
                                  .by_span = ask->by_span};
    struct fb_node node = {.kind = FB_N_GROUP, .group = &group};
    if (!fb_check_members(ck, &node, commander, target))
        return false;
    fb_check_group_leads_here(&group, ck->out->classes[target].decl, commander, &ask->link);
    return true;
}

/* Of several values one would win by chance. */
static bool check_combine(struct fb_checker *ck, const struct fb_ask_decl *ask,
                          const struct fb_command_decl *command, uint32_t commander) {
    const struct fb_actuator_decl *actuator = command->actuator;
    double value;
    if ((ask->each && ask->link) || actuator->combine != FB_COMBINE_WORD_NONE ||
        is_written_out(command->value) ||
        (actuator->type.type == FB_T_NUMBER &&
         fb_check_constant(command->value, actuator->type.unit, &value)))
        return true;
    struct fb_str who = ck->out->classes[commander].decl->name;
    fb_diag_add(ck->diags, FB_E_ASKED_BY_CHANCE, command->target_span,
                fb_check_print(ck, "say `combine min`, `max` or `safest` in the actuator `%.*s`",
                               FB_ARG(actuator->name)),
                "several devices `%.*s` may command one `%.*s`, each with a value of its own",
                FB_ARG(who), FB_ARG(command->target));
    return false;
}

static void refuse_way(struct fb_checker *ck, const struct fb_ask_decl *ask, uint32_t commander) {
    struct fb_node node = {.kind = FB_N_LINKED, .text = ask->device, .span = ask->device_span};
    node.op_span = ask->device_span;
    const struct fb_class_decl *decl = ck->out->classes[commander].decl;
    if (!ask->each && !fb_check_link_named(decl, ask->device))
        fb_check_refuse_link(ck, &node, decl);
}

/* The value among the names of the commander, `where` among those of the target. */
static bool check_parts(struct fb_checker *ck, struct fb_rule_decl *control, uint32_t target) {
    uint32_t errors = ck->diags->errors;
    struct fb_facts there = {0}, here = {0};
    ck->scope = ck->asking_states ? &ck->asking_states[control->ask->command.state] : ck->asking;
    ck->facts = &there;
    fb_check_command(ck, &control->commands[0], target);
    ck->scope = &ck->class_scopes[target];
    ck->facts = &here;
    if (control->where)
        fb_check_condition(ck, control->where, "what stands behind `where`");
    ck->scope = NULL;
    return control->commands[0].actuator && ck->diags->errors == errors;
}

void fb_check_ask(struct fb_checker *ck, uint32_t index) {
    struct fb_rule_decl *control = ck->out->rules[index].decl;
    struct fb_ask_decl *ask = (struct fb_ask_decl *)(uintptr_t)control->ask; /* of this tree */
    uint32_t target = ck->out->rules[index].class_index, commander = commander_of(ck, index);
    if (commander == FB_MAP_NONE)
        return; /* reported */
    const struct fb_checked_class *class = &ck->out->classes[commander];
    if (class->group_class != FB_NO_INDEX) {
        fb_diag_add(ck->diags, FB_E_ASK_OF_GROUP, ask->command.span,
                    "let a control of the devices look at this alarm's group",
                    "a rule on groups commands no devices");
        return;
    }
    if (target == FB_MAP_NONE) {
        refuse_way(ck, ask, commander);
        return;
    }
    struct fb_command_decl *command = &control->commands[0];
    ask->rule = control->asked_of;
    if (control->fleet_share)
        fb_check_fleet_of(ck, control, ck->out->classes[target].decl);
    if (!check_parts(ck, control, target) || !find_way(ck, ask, commander, target) ||
        !check_combine(ck, ask, command, commander) || ck->diags->errors > 0)
        return;
    struct asking asking = {.ck = ck,
                            .ask = ask,
                            .when = commands_while(ck, control->asked_of, ask),
                            .class_name = class->decl->name};
    control->start = of_commanders(&asking, FB_GROUP_ON, asking.when, NULL, 0);
    command->value = asked_value(&asking, command->value, command->actuator);
    if (control->start->height > FB_EXPR_HEIGHT_MAX)
        fb_diag_add(ck->diags, FB_E_TOO_DEEP, ask->command.span,
                    "give parts of it a name with `let`",
                    "what this command depends on is nested too deeply");
}
