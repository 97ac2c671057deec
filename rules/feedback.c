/* The clause `feedback` of an actuator, told as what it is: an alarm.
 *
 * Place in the flow: third stage of the compiler; parse.c calls it behind each actuator. Everything
 * behind the parser sees an ordinary rule, but for the formatter, which leaves it out. */
#include "rules/parser.h"

/* What is built above the clause's own expressions. */
enum { HEIGHT_ABOVE = 4 };

bool fb_p_feedback_fits(struct fb_parser *p, const struct fb_node *node) {
    if (node == NULL || node->height + HEIGHT_ABOVE <= FB_EXPR_HEIGHT_MAX) {
        return true;
    }
    struct fb_span end = {node->span.file, node->span.end, node->span.end};
    fb_diag_add(p->diags, FB_E_TOO_DEEP, end, "give parts of it a name with `let`",
                "this expression is nested too deeply");
    return false;
}

static uint16_t above(const struct fb_node *a, const struct fb_node *b) {
    uint16_t height = a->height > b->height ? a->height : b->height;
    return (uint16_t)(height + 1);
}

static struct fb_node *join(struct fb_parser *p, enum fb_node_kind kind, enum fb_op op,
                            struct fb_node *a, struct fb_node *b, struct fb_span span) {
    struct fb_node *node = FB_ARENA_NEW(p->arena, struct fb_node);
    *node = (struct fb_node){.kind = kind,
                             .op = op,
                             .span = span,
                             .op_span = span,
                             .height = above(a, b),
                             .a = a,
                             .b = b};
    return node;
}

static struct fb_node *name(struct fb_parser *p, struct fb_str text, struct fb_span span) {
    struct fb_node *node = FB_ARENA_NEW(p->arena, struct fb_node);
    *node = (struct fb_node){.kind = FB_N_NAME, .text = text, .span = span, .height = 1};
    return node;
}

/* abs(x) */
static struct fb_node *magnitude(struct fb_parser *p, struct fb_node *x) {
    struct fb_node *node = FB_ARENA_NEW(p->arena, struct fb_node);
    *node = (struct fb_node){.kind = FB_N_CALL,
                             .text = FB_S("abs"),
                             .span = x->span,
                             .op_span = x->op_span,
                             .height = (uint16_t)(x->height + 1),
                             .n_args = 1};
    node->args = FB_ARENA_NEW(p->arena, struct fb_arg);
    *node->args = (struct fb_arg){.expr = x, .span = x->span};
    return node;
}

/* Two words: feedback != (NAME == active). A number: abs(feedback - NAME) > within; without
 * `within`, which the checker reports, feedback != NAME. */
static struct fb_node *difference(struct fb_parser *p, const struct fb_actuator_decl *actuator) {
    struct fb_span span = actuator->feedback_span, name_span = actuator->name_span;
    struct fb_node *own = name(p, actuator->name, name_span);
    if (actuator->type.type == FB_T_ENUM) {
        struct fb_node *active = name(p, actuator->type.words[1], name_span);
        return join(p, FB_N_COMPARE, FB_OP_NE, actuator->feedback,
                    join(p, FB_N_COMPARE, FB_OP_EQ, own, active, name_span), span);
    }
    if (actuator->feedback_within == NULL) {
        return join(p, FB_N_COMPARE, FB_OP_NE, actuator->feedback, own, span);
    }
    struct fb_node *off = join(p, FB_N_ARITH, FB_OP_SUB, actuator->feedback, own, span);
    return join(p, FB_N_COMPARE, FB_OP_GT, magnitude(p, off), actuator->feedback_within, span);
}

/* "{device}: NAME is not as commanded" */
static struct fb_text_decl *message(struct fb_parser *p, const struct fb_actuator_decl *actuator) {
    struct fb_text_decl *text = FB_ARENA_NEW(p->arena, struct fb_text_decl);
    struct fb_text_part *parts = FB_ARENA_ARRAY(p->arena, struct fb_text_part, 2);
    parts[0] = (struct fb_text_part){.builtin = FB_S("device"), .decimals = -1};
    parts[1] = (struct fb_text_part){
        .literal = fb_str_printf(p->arena, ": %.*s is not as commanded", FB_ARG(actuator->name)),
        .decimals = -1};
    *text = (struct fb_text_decl){
        .span = actuator->feedback_span, .raw = FB_S(""), .parts = parts, .n_parts = 2};
    return text;
}

struct fb_item fb_p_feedback_alarm(struct fb_parser *p, const struct fb_actuator_decl *actuator,
                                   bool broken) {
    struct fb_rule_decl *rule = FB_ARENA_NEW(p->arena, struct fb_rule_decl);
    struct fb_span span = actuator->feedback_span;
    *rule = (struct fb_rule_decl){
        .kind = FB_RULE_ALARM,
        .feedback_of = actuator,
        .name = fb_str_printf(p->arena, "%.*s_discrepancy", FB_ARG(actuator->name)),
        .span = span,
        .name_span = span,
        .class_name = actuator->class_name,
        .class_span = actuator->class_span,
        .block = span};
    if (!broken) {
        rule->raises = FB_ARENA_NEW(p->arena, struct fb_raise_decl);
        rule->n_raises = 1;
        *rule->raises = (struct fb_raise_decl){
            .severity = FB_HIGH,
            .when = join(p, FB_N_FOR, FB_OP_ADD, difference(p, actuator), actuator->feedback_after,
                         span),
            .span = span};
        rule->message = message(p, actuator);
    }
    return (struct fb_item){.kind = FB_ITEM_RULE, .span = span, .rule = rule};
}
