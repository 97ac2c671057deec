/* A tree as text: every field that the parser sets, but for places and comments.
 *
 * Place in the flow: tests of the formatter and of the parser. */
#include "tests/golden/dump_tree.h"

static void dump_names(const struct fb_str *names, uint32_t n, struct fb_buf *out) {
    for (uint32_t i = 0; i < n; i++) {
        fb_buf_printf(out, " by '%.*s'", FB_ARG(names[i]));
    }
}

static void dump_node(const struct fb_node *node, struct fb_buf *out) {
    if (node == NULL) {
        fb_buf_text(out, "-");
        return;
    }
    fb_buf_printf(out, "(%d%s%s%s op%d q%d %.17g %lld '%.*s' [%.*s] %u", (int)node->kind,
                  node->bracketed ? " br" : "", node->negated ? " neg" : "",
                  node->truth ? " true" : "", (int)node->op, (int)node->quality, node->value,
                  (long long)node->span_us, FB_ARG(node->text), FB_ARG(node->unit_text),
                  node->votes);
    const struct fb_node *children[] = {node->a, node->b, node->c, node->needs, node->there};
    for (size_t i = 0; i < sizeof children / sizeof *children; i++) {
        fb_buf_char(out, ' ');
        dump_node(children[i], out);
    }
    for (uint32_t i = 0; i < node->n_items; i++) {
        fb_buf_text(out, " item ");
        dump_node(node->items[i], out);
    }
    for (uint32_t i = 0; i < node->n_args; i++) {
        const struct fb_arg *arg = &node->args[i];
        fb_buf_printf(out, " arg w%d last%u ", (int)arg->window, arg->last);
        dump_node(arg->expr, out);
        dump_node(arg->where, out);
        dump_node(arg->upto, out);
        dump_node(arg->length, out);
    }
    if (node->group != NULL) {
        fb_buf_printf(out, " of '%.*s'", FB_ARG(node->group->class_name));
        dump_names(node->group->by, node->group->n_by, out);
        dump_node(node->group->expr, out);
        dump_node(node->group->where, out);
    }
    fb_buf_char(out, ')');
}

static void dump_named(const char *name, const struct fb_node *node, struct fb_buf *out) {
    fb_buf_printf(out, "  %s ", name);
    dump_node(node, out);
    fb_buf_char(out, '\n');
}

static void dump_let(const struct fb_let_decl *let, struct fb_buf *out) {
    fb_buf_printf(out, "  let '%.*s' [%.*s]\n", FB_ARG(let->name), FB_ARG(let->unit_text));
    dump_named("value", let->value, out);
}

static void dump_class(const struct fb_class_decl *decl, struct fb_buf *out) {
    fb_buf_printf(out, "class '%.*s' reopened%d time%d arrival%d '%.*s' [%.*s] domain '%.*s'\n",
                  FB_ARG(decl->name), decl->reopened, decl->has_time, decl->time_arrival,
                  FB_ARG(decl->time_field), FB_ARG(decl->time_unit), FB_ARG(decl->domain));
    for (uint32_t i = 0; i < decl->n_topics; i++) {
        fb_buf_printf(out, "  topic '%.*s'\n", FB_ARG(decl->topics[i]));
    }
    for (uint32_t i = 0; i < decl->n_fields; i++) {
        const struct fb_field_decl *field = decl->fields[i];
        fb_buf_printf(out, "  field %u role%d '%.*s' typed%d type%d [%.*s]\n", field->index,
                      (int)field->role, FB_ARG(field->name), field->typed, (int)field->type.type,
                      FB_ARG(field->type.unit_text));
        for (uint32_t k = 0; k < field->type.n_words; k++) {
            fb_buf_printf(out, "  word '%.*s'\n", FB_ARG(field->type.words[k]));
        }
        for (uint32_t k = 0; k < field->n_from; k++) {
            fb_buf_printf(out, "  from '%.*s'\n", FB_ARG(field->from[k]));
        }
        dump_named("low", field->range_low, out);
        dump_named("high", field->range_high, out);
        dump_named("every", field->every, out);
        dump_named("stale", field->stale_after, out);
        dump_named("null", field->null_value, out);
    }
    for (uint32_t i = 0; i < decl->n_lets; i++) {
        dump_let(decl->lets[i], out);
    }
    for (uint32_t i = 0; i < decl->n_links; i++) {
        const struct fb_link_decl *link = decl->links[i];
        fb_buf_printf(out, "  link '%.*s' '%.*s'", FB_ARG(link->name), FB_ARG(link->class_name));
        dump_names(link->by, link->n_by, out);
        fb_buf_char(out, '\n');
    }
    dump_named("late", decl->late, out);
}

static void dump_param(const struct fb_param_decl *param, struct fb_buf *out) {
    fb_buf_printf(out, "param '%.*s' on '%.*s' [%.*s]\n", FB_ARG(param->name),
                  FB_ARG(param->class_name), FB_ARG(param->unit_text));
    dump_named("value", param->value, out);
    dump_named("low", param->range_low, out);
    dump_named("high", param->range_high, out);
    for (uint32_t i = 0; i < param->n_cases; i++) {
        dump_named("case", param->cases[i].value, out);
        dump_named("where", param->cases[i].where, out);
    }
}

static void dump_actuator(const struct fb_actuator_decl *decl, struct fb_buf *out) {
    const struct {
        const char *name;
        const struct fb_node *node;
    } nodes[] = {{"low", decl->range_low},
                 {"high", decl->range_high},
                 {"default", decl->default_value},
                 {"safe", decl->safe},
                 {"minimum on", decl->minimum_on},
                 {"minimum off", decl->minimum_off},
                 {"maximum on", decl->maximum_on},
                 {"starts per", decl->starts_per},
                 {"slew up", decl->slew_up},
                 {"per", decl->slew_up_per},
                 {"slew down", decl->slew_down},
                 {"per", decl->slew_down_per},
                 {"ignore", decl->ignore_under},
                 {"lease", decl->lease},
                 {"deliver", decl->deliver},
                 {"hold", decl->hold},
                 {"feedback", decl->feedback},
                 {"within", decl->feedback_within},
                 {"after", decl->feedback_after},
                 {"permissive", decl->permissive},
                 {"interlock", decl->interlock},
                 {"lockout", decl->lockout},
                 {"reversals in", decl->reversals_in},
                 {"breaker for", decl->breaker_for}};
    fb_buf_printf(out,
                  "actuator '%.*s' on '%.*s' type%d [%.*s] starts%u combine%d reversals%u safe%d\n",
                  FB_ARG(decl->name), FB_ARG(decl->class_name), (int)decl->type.type,
                  FB_ARG(decl->type.unit_text), decl->starts, (int)decl->combine, decl->reversals,
                  decl->breaker_safe);
    if (decl->to_span.end > 0) {
        fb_buf_printf(out, "  to '%.*s'\n", FB_ARG(decl->to));
    }
    for (uint32_t i = 0; i < decl->type.n_words; i++) {
        fb_buf_printf(out, "  word '%.*s'\n", FB_ARG(decl->type.words[i]));
    }
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        dump_named(nodes[i].name, nodes[i].node, out);
    }
}

static void dump_text(const char *name, const struct fb_text_decl *text, struct fb_buf *out) {
    for (uint32_t i = 0; text != NULL && i < text->n_parts; i++) {
        const struct fb_text_part *part = &text->parts[i];
        fb_buf_printf(out, "  %s '%.*s' {%.*s} .%d ", name, FB_ARG(part->literal),
                      FB_ARG(part->builtin), part->decimals);
        dump_node(part->expr, out);
        fb_buf_char(out, '\n');
    }
}

static void dump_command(const struct fb_command_decl *command, struct fb_buf *out) {
    fb_buf_printf(out, "  %s '%.*s' priority%u", command->is_step ? "step" : "command",
                  FB_ARG(command->target), command->priority);
    dump_named("value", command->value, out);
    dump_named("pulse", command->pulse, out);
    dump_named("every", command->every, out);
    dump_named("low", command->low, out);
    dump_named("high", command->high, out);
    dump_named("from", command->from, out);
}

static void dump_ask(const struct fb_ask_decl *ask, struct fb_buf *out) {
    fb_buf_printf(out, "  each%d '%.*s'", ask->each, FB_ARG(ask->device));
    dump_names(ask->by, ask->n_by, out);
    dump_named("where", ask->where, out);
    dump_command(&ask->command, out);
}

static void dump_rule(const struct fb_rule_decl *rule, struct fb_buf *out) {
    dump_names(&rule->by, rule->by.n > 0, out);
    fb_buf_printf(out,
                  "rule %d '%.*s' on '%.*s' whenever%d most%u unknown%d rollout%d %.17g\n",
                  (int)rule->kind, FB_ARG(rule->name), FB_ARG(rule->class_name), rule->whenever,
                  rule->at_most, (int)rule->on_unknown, (int)rule->rollout, rule->canary);
    dump_named("where", rule->where, out);
    for (uint32_t state = 0; state <= rule->n_states; state++) { /* those of the rule first */
        for (uint32_t i = 0; i < rule->n_lets; i++) {
            if (rule->lets[i]->in_state == state) {
                dump_let(rule->lets[i], out);
            }
        }
    }
    for (uint32_t i = 0; i < rule->n_raises; i++) {
        fb_buf_printf(out, "  severity %d", (int)rule->raises[i].severity);
        dump_named("raise", rule->raises[i].when, out);
    }
    dump_named("when", rule->when, out);
    dump_named("per", rule->at_most_per, out);
    dump_named("deadband", rule->deadband, out);
    dump_named("clear", rule->clear_after, out);
    dump_named("start", rule->start, out);
    dump_named("fleet", rule->fleet_share, out);
    dump_named("fleet per", rule->fleet_per, out);
    for (uint32_t i = 0; i < rule->n_asks; i++) {
        dump_ask(&rule->asks[i], out);
    }
    for (uint32_t i = 0; i < rule->n_commands; i++) {
        dump_command(&rule->commands[i], out);
    }
    dump_text("message", rule->message, out);
    dump_text("response", rule->response, out);
    for (uint32_t i = 0; i < rule->n_labels; i++) {
        fb_buf_printf(out, "  label '%.*s' '%.*s'\n", FB_ARG(rule->labels[i].name),
                      FB_ARG(rule->labels[i].value));
    }
}

static void dump_test(const struct fb_test_decl *test, struct fb_buf *out) {
    fb_buf_printf(out, "test '%.*s' on '%.*s'\n", FB_ARG(test->title), FB_ARG(test->class_name));
    for (uint32_t i = 0; i < test->n_steps; i++) {
        const struct fb_test_step *step = &test->steps[i];
        fb_buf_printf(out,
                      " step %d device '%.*s' field '%.*s' file '%.*s' no%d kind%d%s rule '%.*s' "
                      "word '%.*s' '%.*s' of '%.*s'\n",
                      (int)step->kind, FB_ARG(step->device), FB_ARG(step->field),
                      FB_ARG(step->file), step->no, (int)step->rule_kind,
                      step->command ? " command" : "", FB_ARG(step->rule),
                      FB_ARG(step->word), FB_ARG(step->severity), FB_ARG(step->of));
        for (uint32_t k = 0; k < step->n_items; k++) {
            fb_buf_printf(out, "  item %d x%u", (int)step->items[k].kind, step->items[k].times);
            dump_named("from", step->items[k].from, out);
            dump_named("to", step->items[k].to, out);
        }
        dump_named("every", step->every, out);
        dump_named("at", step->at, out);
        for (uint32_t k = 0; k < step->n_with; k++) {
            fb_buf_printf(out, "  with '%.*s' %d", FB_ARG(step->with[k].name),
                          (int)step->with[k].op);
            dump_named("value", step->with[k].value, out);
        }
    }
}

void dump_file(const struct fb_tree *tree, uint32_t file, struct fb_buf *out) {
    const struct fb_file *f = tree->files[file];
    for (uint32_t i = 0; i < f->n_items; i++) {
        const struct fb_item *item = &f->items[i];
        switch (item->kind) {
        case FB_ITEM_USE:
            fb_buf_printf(out, "use '%.*s'\n", FB_ARG(item->use));
            break;
        case FB_ITEM_CLASS:
            dump_class(item->class_decl, out);
            break;
        case FB_ITEM_PARAM:
            dump_param(item->param, out);
            break;
        case FB_ITEM_ACTUATOR:
            dump_actuator(item->actuator, out);
            break;
        case FB_ITEM_RULE:
            dump_rule(item->rule, out);
            break;
        case FB_ITEM_TEST:
            dump_test(item->test, out);
            break;
        case FB_ITEM_LIMIT:
            fb_buf_printf(out, "commands most%u\n", item->limit->at_most);
            dump_named("per", item->limit->per, out);
            break;
        }
    }
}
