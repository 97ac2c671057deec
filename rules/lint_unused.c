/* Lets and params that no rule reads, actuators that none commands.
 *
 * Place in the flow: inside lint. A rule's let is said always. Those of devices, params and
 * actuators only where their file holds rules, too: a file of declarations that others use may
 * declare more than this set of rules needs. */
#include "engine/base/map.h"
#include "rules/lint_internal.h"

static struct fb_str key_of(const void *const *decl) {
    return (struct fb_str){(const char *)decl, sizeof *decl};
}

static bool is_used(const struct fb_map *used, const void *decl) {
    return fb_map_get(used, key_of(&decl)) != FB_MAP_NONE;
}

static void mark(struct fb_map *used, const struct fb_node *node);

static void visit(const struct fb_node *node, void *arg) {
    struct fb_map *used = arg;
    for (uint32_t i = 0; i < node->n_args; i++)
        mark(used, node->args[i].length);
    mark(used, node->there);
    if (node->group) {
        mark(used, node->group->expr);
        mark(used, node->group->where);
    }
    const void *decl = NULL;
    if (node->kind == FB_N_NAME && node->ref == FB_REF_LET)
        decl = node->let;
    if (node->kind == FB_N_NAME && node->ref == FB_REF_PARAM)
        decl = node->param;
    if (!decl || is_used(used, decl))
        return;
    fb_map_put(used, key_of(&decl), 1);
    if (node->ref == FB_REF_LET) {
        mark(used, node->let->value);
        return;
    }
    mark(used, node->param->value);
    mark(used, node->param->range_low);
    mark(used, node->param->range_high);
    for (uint32_t i = 0; i < node->param->n_cases; i++) {
        mark(used, node->param->cases[i].value);
        mark(used, node->param->cases[i].where);
    }
}

static void mark(struct fb_map *used, const struct fb_node *node) {
    fb_lint_visit(node, visit, used);
}

static void mark_text(struct fb_map *used, const struct fb_text_decl *text) {
    for (uint32_t i = 0; text && i < text->n_parts; i++)
        mark(used, text->parts[i].expr);
}

static void mark_rule(struct fb_map *used, const struct fb_rule_decl *rule) {
    mark(used, rule->where);
    mark(used, rule->when);
    for (uint32_t i = 0; i < rule->n_raises; i++)
        mark(used, rule->raises[i].when);
    mark(used, rule->start);
    for (uint32_t i = 0; i < rule->n_commands; i++) {
        const void *actuator = rule->commands[i].actuator;
        fb_map_put(used, key_of(&actuator), 1);
        mark(used, rule->commands[i].value);
        mark(used, rule->commands[i].pulse);
        mark(used, rule->commands[i].every);
        mark(used, rule->commands[i].low);
        mark(used, rule->commands[i].high);
        mark(used, rule->commands[i].from);
    }
    for (uint32_t i = 0; i < rule->n_gos; i++) {
        mark(used, rule->gos[i].when);
        mark(used, rule->gos[i].after);
    }
    for (uint32_t i = 0; i < rule->n_states; i++)
        mark(used, rule->states[i].stay);
    mark(used, rule->at_most_per);
    mark(used, rule->deadband);
    mark(used, rule->clear_after);
    mark(used, rule->flapping);
    mark_text(used, rule->message);
    mark_text(used, rule->response);
}

static void mark_actuator(struct fb_map *used, const struct fb_actuator_decl *actuator) {
    const struct fb_node *const nodes[] = {
        actuator->range_low,    actuator->range_high,   actuator->default_value,
        actuator->safe,         actuator->minimum_on,   actuator->minimum_off,
        actuator->maximum_on,   actuator->starts_per,   actuator->slew_up,
        actuator->slew_up_per,  actuator->slew_down,    actuator->slew_down_per,
        actuator->ignore_under, actuator->lease,        actuator->deliver,
        actuator->hold,         actuator->permissive,   actuator->interlock,
        actuator->lockout,      actuator->reversals_in, actuator->breaker_for,
    };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        mark(used, nodes[i]);
}

static void mark_class(struct fb_map *used, const struct fb_class_decl *decl) {
    mark(used, decl->late);
    for (uint32_t i = 0; i < decl->n_fields; i++) {
        const struct fb_field_decl *field = decl->fields[i];
        mark(used, field->range_low);
        mark(used, field->range_high);
        mark(used, field->every);
        mark(used, field->stale_after);
        mark(used, field->null_value);
    }
}

static bool holds_rules(const struct fb_checked *checked, uint32_t file) {
    for (uint32_t i = 0; i < checked->n_rules; i++)
        if (checked->rules[i].decl->span.file == file &&
            !checked->rules[i].decl->feedback_of) /* nor commands_of: its alarm */
            return true; /* what an actuator declares is none */
    return false;
}

static void warn(struct fb_linter *lint, const struct fb_map *used, const void *decl,
                 struct fb_str name, struct fb_span span, const char *what) {
    if (!is_used(used, decl))
        fb_diag_add(lint->diags, FB_W_UNUSED, span, "use it, or leave it out",
                    "the %s `%.*s` is never used", what, FB_ARG(name));
}

void fb_lint_unused(struct fb_linter *lint) {
    const struct fb_checked *checked = lint->checked;
    struct fb_map *used = fb_map_new();
    for (uint32_t i = 0; i < checked->n_rules; i++)
        mark_rule(used, checked->rules[i].decl);
    for (uint32_t i = 0; i < checked->n_classes; i++)
        mark_class(used, checked->classes[i].decl);
    for (uint32_t i = 0; i < checked->n_actuators; i++)
        mark_actuator(used, checked->actuators[i].decl);
    for (uint32_t i = 0; i < checked->n_rules; i++) {
        const struct fb_rule_decl *rule = checked->rules[i].decl;
        for (uint32_t k = 0; k < rule->n_lets; k++)
            warn(lint, used, rule->lets[k], rule->lets[k]->name, rule->lets[k]->span, "let");
    }
    for (uint32_t i = 0; i < checked->n_classes; i++)
        for (uint32_t k = 0; k < checked->classes[i].n_lets; k++) {
            const struct fb_let_decl *let = checked->classes[i].lets[k];
            if (holds_rules(checked, let->span.file))
                warn(lint, used, let, let->name, let->span, "let");
        }
    for (uint32_t i = 0; i < checked->n_classes; i++)
        for (uint32_t k = 0; k < checked->classes[i].decl->n_links; k++) {
            const struct fb_link_decl *link = checked->classes[i].decl->links[k];
            if (!link->is_used && holds_rules(checked, link->span.file))
                fb_diag_add(lint->diags, FB_W_UNUSED, link->span, "use it, or leave it out",
                            "no rule reads through the link `%.*s`", FB_ARG(link->name));
        }
    for (uint32_t i = 0; i < checked->n_params; i++) {
        const struct fb_param_decl *param = checked->params[i];
        if (holds_rules(checked, param->span.file))
            warn(lint, used, param, param->name, param->name_span, "parameter");
    }
    for (uint32_t i = 0; i < checked->n_actuators; i++) {
        const struct fb_actuator_decl *actuator = checked->actuators[i].decl;
        const void *key = actuator;
        if (holds_rules(checked, actuator->span.file) && !is_used(used, key))
            fb_diag_add(lint->diags, FB_W_UNUSED, actuator->name_span,
                        "command it in a control, or leave it out",
                        "no control commands the actuator `%.*s`", FB_ARG(actuator->name));
    }
    fb_map_free(used);
}
