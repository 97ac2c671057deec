/* The formatter: the words of statements and clauses.
 *
 * Place in the flow: format.c asks for each and puts them in order and on lines. */
#include "rules/format_internal.h"

#include "rules/format.h"
#include "rules/parse.h"

static struct fb_str slice(const struct fb_written *w, uint32_t start, uint32_t end) {
    return (struct fb_str){w->source.p + start, end - start};
}

/* A text of the tree in the spelling it has within a stretch of the source; false: none there says
 * so. */
static bool put_written(const struct fb_written *w, struct fb_span within, struct fb_str value,
                        struct fb_buf *out) {
    uint32_t low = 0, high = w->tokens->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (w->tokens->items[middle].start < within.start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct fb_arena *scratch = fb_arena_new();
    bool found = false;
    for (; !found && low < w->tokens->n && w->tokens->items[low].end <= within.end; low++) {
        const struct fb_token *token = &w->tokens->items[low];
        if (token->kind == FB_TOK_TEXT) {
            struct fb_str inner = slice(w, token->start + 1, token->end - 1);
            found = fb_str_eq(fb_lex_unescape(scratch, inner), value);
            if (found) {
                fb_buf_str(out, slice(w, token->start, token->end));
            }
        }
    }
    fb_arena_free(scratch);
    return found;
}

static void put_text(const struct fb_written *w, struct fb_span within, struct fb_str value,
                     struct fb_buf *out) {
    bool found = put_written(w, within, value, out);
    FB_ASSERT(found); /* the parser took it from there */
}

static void put_expr(const struct fb_written *w, const struct fb_node *node, struct fb_buf *out) {
    fb_format_breakable(w->sources, node, out);
}

static void put_name(struct fb_str name, struct fb_buf *out) {
    fb_format_name(name, false, out);
}

static void put_unit(struct fb_str unit, struct fb_buf *out) {
    if (unit.n > 0) {
        fb_buf_printf(out, " [%.*s]", FB_ARG(unit));
    }
}

static void put_range(const struct fb_written *w, const struct fb_node *low,
                      const struct fb_node *high, struct fb_buf *out) {
    fb_buf_text(out, "range ");
    put_expr(w, low, out);
    fb_buf_text(out, "..");
    put_expr(w, high, out);
}

/* ---- clauses of a device ------------------------------------------------------------------- */

static void put_words(const struct fb_type_decl *type, struct fb_buf *out) {
    for (uint32_t i = 0; i < type->n_words; i++) {
        fb_buf_text(out, i > 0 ? ", " : "(");
        put_name(type->words[i], out);
    }
    fb_buf_char(out, ')');
}

static void put_type(const struct fb_type_decl *type, struct fb_buf *out) {
    if (type->type == FB_T_ENUM) {
        fb_buf_text(out, "one of ");
        put_words(type, out);
        return;
    }
    fb_buf_text(out, type->type == FB_T_NUMBER    ? "number"
                     : type->type == FB_T_COUNTER ? "counter"
                     : type->type == FB_T_INTEGER ? "integer"
                     : type->type == FB_T_BOOL    ? "bool"
                     : type->type == FB_T_TIME    ? "time"
                                                  : "text");
    put_unit(type->unit_text, out);
}

/* A blank before the first option, a comma before each further one. */
static void next_option(bool *any, struct fb_buf *out) {
    fb_buf_text(out, *any ? "," : "");
    fb_buf_char(out, *any ? (char)FB_FORMAT_BREAK : ' ');
    *any = true;
}

static void put_field(const struct fb_written *w, const struct fb_field_decl *field,
                      struct fb_span within, struct fb_buf *out) {
    bool any = false;
    put_name(field->name, out);
    fb_buf_char(out, FB_FORMAT_ALIGN);
    fb_buf_text(out, " : ");
    put_type(&field->type, out);
    if (field->range_low != NULL) {
        next_option(&any, out);
        put_range(w, field->range_low, field->range_high, out);
    }
    if (field->every != NULL) {
        next_option(&any, out);
        fb_buf_text(out, "every ");
        put_expr(w, field->every, out);
    }
    if (field->stale_after != NULL) {
        next_option(&any, out);
        fb_buf_text(out, "stale after ");
        put_expr(w, field->stale_after, out);
    }
    for (uint32_t i = 0; i < field->n_from; i++) {
        if (i == 0) {
            next_option(&any, out);
        }
        fb_buf_text(out, i == 0 ? "from " : " or ");
        put_text(w, within, field->from[i], out);
    }
    if (field->null_value != NULL) {
        next_option(&any, out);
        fb_buf_text(out, "null ");
        put_expr(w, field->null_value, out);
    }
}

static void put_let(const struct fb_written *w, const struct fb_let_decl *let, struct fb_buf *out) {
    fb_buf_text(out, "let ");
    put_name(let->name, out);
    put_unit(let->unit_text, out);
    fb_buf_text(out, " = ");
    put_expr(w, let->value, out);
}

static void put_field_names(const struct fb_class_decl *decl, const struct fb_class_item *item,
                            struct fb_buf *out) {
    for (uint32_t i = 0; i < item->count; i++) {
        const struct fb_field_decl *field = decl->fields[item->first + i];
        fb_buf_text(out, i > 0 ? ", " : "");
        put_name(field->name, out);
        if (field->typed) {
            fb_buf_text(out, " : ");
            put_type(&field->type, out);
        }
    }
}

/* " by a, b", where there are names. */
static void put_by(const struct fb_str *names, uint32_t n, struct fb_buf *out) {
    for (uint32_t i = 0; i < n; i++) {
        fb_buf_text(out, i == 0 ? " by " : ", ");
        put_name(names[i], out);
    }
}

static void put_link(const struct fb_link_decl *link, struct fb_buf *out) {
    fb_buf_printf(out, "link%c ", FB_FORMAT_ALIGN);
    put_name(link->name, out);
    fb_buf_text(out, " : ");
    put_name(link->class_name, out);
    put_by(link->by, link->n_by, out);
}

void fb_format_class_item(const struct fb_written *w, const struct fb_class_decl *decl,
                          const struct fb_class_item *item, struct fb_buf *out) {
    switch (item->kind) {
    case FB_ITEM_KEY:
    case FB_ITEM_TAGS:
        fb_buf_printf(out, "%s%c ", item->kind == FB_ITEM_KEY ? "key" : "tag", FB_FORMAT_ALIGN);
        put_field_names(decl, item, out);
        return;
    case FB_ITEM_TIME:
        fb_buf_printf(out, "time%c ", FB_FORMAT_ALIGN);
        if (decl->time_arrival) {
            fb_buf_text(out, "arrival");
        } else if (fb_str_eq(decl->time_field, FB_S("arrival"))) {
            fb_buf_text(out, "`arrival`"); /* a field that is called so */
        } else {
            put_name(decl->time_field, out);
        }
        put_unit(decl->time_unit, out);
        return;
    case FB_ITEM_DOMAIN:
        fb_buf_printf(out, "domain%c ", FB_FORMAT_ALIGN);
        put_name(decl->domain, out);
        return;
    case FB_ITEM_LINK:
        put_link(decl->links[item->first], out);
        return;
    case FB_ITEM_FIELD:
        put_field(w, decl->fields[item->first], item->span, out);
        return;
    case FB_ITEM_LET:
        put_let(w, decl->lets[item->first], out);
        return;
    case FB_ITEM_LATE:
        fb_buf_text(out, "late up to ");
        put_expr(w, decl->late, out);
        return;
    }
}

/* ---- clauses of an actuator ---------------------------------------------------------------- */

static void put_clause(const struct fb_written *w, const char *words, const struct fb_node *node,
                       struct fb_buf *out) {
    fb_buf_text(out, words);
    put_expr(w, node, out);
}

/* A clause may stand twice, once for each of two nodes: whether this one stands in it. */
static bool stands_in(const struct fb_actuator_item *item, const struct fb_node *node) {
    return node != NULL && node->span.start >= item->span.start && node->span.end <= item->span.end;
}

bool fb_format_is_second_half(const struct fb_actuator_decl *decl,
                              const struct fb_actuator_item *item) {
    return (item->kind == FB_ACT_MINIMUM && !stands_in(item, decl->minimum_on)) ||
           (item->kind == FB_ACT_SLEW && !stands_in(item, decl->slew_up));
}

static void put_minimum(const struct fb_written *w, const struct fb_actuator_decl *decl,
                        const struct fb_actuator_item *item, struct fb_buf *out) {
    bool on = stands_in(item, decl->minimum_on);
    fb_buf_text(out, "minimum ");
    if (on) {
        put_clause(w, "on ", decl->minimum_on, out);
    }
    if (stands_in(item, decl->minimum_off)) {
        put_clause(w, on ? ", off " : "off ", decl->minimum_off, out);
    }
}

static void put_slew(const struct fb_written *w, const struct fb_actuator_decl *decl,
                     const struct fb_actuator_item *item, struct fb_buf *out) {
    bool up = stands_in(item, decl->slew_up), down = stands_in(item, decl->slew_down);
    fb_buf_text(out, up && down ? "slew " : up ? "slew up " : "slew down ");
    put_expr(w, up ? decl->slew_up : decl->slew_down, out);
    put_clause(w, " per ", up ? decl->slew_up_per : decl->slew_down_per, out);
}

void fb_format_actuator_item(const struct fb_written *w, const struct fb_actuator_decl *decl,
                             const struct fb_actuator_item *item, struct fb_buf *out) {
    static const char *const combines[] = {"", "min", "max", "safest"};
    switch (item->kind) {
    case FB_ACT_DEFAULT:
        put_clause(w, "default ", decl->default_value, out);
        return;
    case FB_ACT_SAFE:
        put_clause(w, "safe ", decl->safe, out);
        return;
    case FB_ACT_MINIMUM:
        put_minimum(w, decl, item, out);
        return;
    case FB_ACT_MAXIMUM:
        put_clause(w, "maximum on ", decl->maximum_on, out);
        return;
    case FB_ACT_STARTS:
        fb_buf_printf(out, "starts %u", decl->starts);
        put_clause(w, " per ", decl->starts_per, out);
        return;
    case FB_ACT_SLEW:
        put_slew(w, decl, item, out);
        return;
    case FB_ACT_IGNORE:
        put_clause(w, "ignore steps under ", decl->ignore_under, out);
        return;
    case FB_ACT_LEASE:
        put_clause(w, "lease ", decl->lease, out);
        return;
    case FB_ACT_DELIVER:
        put_clause(w, "deliver within ", decl->deliver, out);
        return;
    case FB_ACT_HOLD:
        put_clause(w, "hold at most ", decl->hold, out);
        return;
    case FB_ACT_COMBINE:
        fb_buf_printf(out, "combine %s", combines[decl->combine]);
        return;
    case FB_ACT_FEEDBACK:
        put_clause(w, "feedback ", decl->feedback, out);
        if (decl->feedback_within != NULL) {
            put_clause(w, " within ", decl->feedback_within, out);
        }
        put_clause(w, " after ", decl->feedback_after, out);
        if (decl->failures) {
            fb_buf_printf(out, ", stop after %u failures", decl->failures);
        }
        return;
    case FB_ACT_PERMISSIVE:
        put_clause(w, "permissive when ", decl->permissive, out);
        return;
    case FB_ACT_INTERLOCK:
        put_clause(w, "interlock when ", decl->interlock, out);
        return;
    case FB_ACT_LOCKOUT:
        put_clause(w, "lockout ", decl->lockout, out);
        fb_buf_text(out, " after interlock");
        return;
    case FB_ACT_BREAKER:
        fb_buf_printf(out, "breaker %u reversals", decl->reversals);
        put_clause(w, " in ", decl->reversals_in, out);
        put_clause(w, decl->breaker_safe ? ", safe " : ", hold ", decl->breaker_for, out);
        return;
    case FB_ACT_TO:
        fb_buf_text(out, "to ");
        put_text(w, decl->to_span, decl->to, out);
        return;
    }
}

/* ---- clauses of rules ---------------------------------------------------------------------- */

/* Its priority and how long it is for. */
static void put_limits(const struct fb_written *w, const struct fb_command_decl *command,
                       struct fb_buf *out) {
    if (command->priority > 0) {
        fb_buf_printf(out, "%cat priority %u", FB_FORMAT_BREAK, command->priority);
    }
    if (command->pulse != NULL) {
        fb_buf_printf(out, "%cfor ", FB_FORMAT_BREAK);
        put_expr(w, command->pulse, out);
    }
}

static void put_command(const struct fb_written *w, const struct fb_command_decl *command,
                        struct fb_buf *out) {
    fb_buf_text(out, "command ");
    put_name(command->target, out);
    fb_buf_printf(out, "%c = ", FB_FORMAT_ALIGN);
    put_expr(w, command->value, out);
    put_limits(w, command, out);
}

static void put_step(const struct fb_written *w, const struct fb_command_decl *step,
                     struct fb_buf *out) {
    fb_buf_text(out, "step ");
    put_name(step->target, out);
    fb_buf_text(out, " by ");
    put_expr(w, step->value, out);
    fb_buf_printf(out, "%cevery ", FB_FORMAT_BREAK);
    put_expr(w, step->every, out);
    fb_buf_printf(out, "%cwithin ", FB_FORMAT_BREAK);
    put_expr(w, step->low, out);
    fb_buf_text(out, "..");
    put_expr(w, step->high, out);
    if (step->from != NULL) {
        fb_buf_printf(out, "%cfrom ", FB_FORMAT_BREAK);
        put_expr(w, step->from, out);
    }
    if (step->priority > 0) {
        fb_buf_printf(out, "%cat priority %u", FB_FORMAT_BREAK, step->priority);
    }
}

static void put_asked(const struct fb_written *w, const struct fb_command_decl *command,
                      struct fb_buf *out) {
    if (command->is_step) {
        put_step(w, command, out);
    } else {
        put_command(w, command, out);
    }
}

/* each CLASS.NAME by names, LINK.NAME */
static void put_target(const struct fb_ask_decl *ask, struct fb_buf *out) {
    if (ask->each)
        fb_buf_text(out, "each ");
    put_name(ask->device, out);
    fb_buf_char(out, '.');
    put_name(ask->command.target, out);
    put_by(ask->by, ask->n_by, out);
}

static bool same_target(const struct fb_ask_decl *a, const struct fb_ask_decl *b) {
    bool same = a->each == b->each && fb_str_eq(a->device, b->device) &&
                fb_str_eq(a->command.target, b->command.target) && a->n_by == b->n_by;
    for (uint32_t i = 0; same && i < a->n_by; i++)
        same = fb_str_eq(a->by[i], b->by[i]);
    return same;
}

void fb_format_target(const struct fb_rule_decl *control, struct fb_buf *out) {
    uint32_t n = 1;
    for (const struct fb_ask_decl *ask = control->asked_of->asks; ask < control->ask; ask++)
        n += same_target(ask, control->ask);
    put_target(control->ask, out);
    if (n > 1)
        fb_buf_printf(out, " (%u)", n);
}

/* command TARGET = .. where .. */
static void put_ask(const struct fb_written *w, const struct fb_ask_decl *ask, struct fb_buf *out) {
    fb_buf_text(out, "command ");
    put_target(ask, out);
    fb_buf_printf(out, "%c = ", FB_FORMAT_ALIGN);
    put_expr(w, ask->command.value, out);
    if (ask->where != NULL) {
        fb_buf_printf(out, "%cwhere ", FB_FORMAT_BREAK);
        put_expr(w, ask->where, out);
    }
    put_limits(w, &ask->command, out);
}

/* Where its commands, how often, its rollout and its fleet stand. */
static const struct fb_rule_decl *commanding(const struct fb_rule_decl *rule) {
    return rule->commands_in ? rule->commands_in : rule;
}

static void put_rollout(const struct fb_written *w, const struct fb_rule_decl *rule,
                        struct fb_buf *out) {
    if (rule->rollout != FB_ROLLOUT_CANARY) {
        fb_buf_printf(out, "rollout %s",
                      rule->rollout == FB_ROLLOUT_ARMED ? "armed" : "shadow");
        return;
    }
    put_clause(w, "rollout canary ", rule->canary_share, out);
}

void fb_format_rule_item(const struct fb_written *w, const struct fb_rule_decl *rule,
                         const struct fb_rule_item *item, struct fb_buf *out) {
    static const char *const unknowns[] = {"hold", "clear", "raise", "stop", "safe"};
    switch (item->kind) {
    case FB_ITEM_RULE_LET:
        put_let(w, rule->lets[item->index], out);
        return;
    case FB_ITEM_RAISE:
        fb_buf_printf(out, "raise %s%c when ", fb_severity_name(rule->raises[item->index].severity),
                      FB_FORMAT_ALIGN);
        put_expr(w, rule->raises[item->index].when, out);
        return;
    case FB_ITEM_WHEN:
        fb_buf_text(out, rule->whenever ? "whenever " : "when ");
        put_expr(w, rule->when, out);
        return;
    case FB_ITEM_DEADBAND:
        fb_buf_text(out, "deadband ");
        put_expr(w, rule->deadband, out);
        return;
    case FB_ITEM_CLEAR_AFTER:
        fb_buf_text(out, "clear after ");
        put_expr(w, rule->clear_after, out);
        return;
    case FB_ITEM_FLAPPING:
        fb_buf_text(out, "suppress flapping over ");
        put_expr(w, rule->flapping, out);
        return;
    case FB_ITEM_ON_UNKNOWN:
        fb_buf_printf(out, "on unknown %s", unknowns[rule->on_unknown]);
        return;
    case FB_ITEM_AT_MOST:
        fb_buf_printf(out, "at most %u per ", commanding(rule)->at_most);
        put_expr(w, commanding(rule)->at_most_per, out);
        return;
    case FB_ITEM_MESSAGE:
        fb_buf_printf(out, "message%c ", FB_FORMAT_ALIGN);
        fb_buf_str(out, rule->message->raw);
        return;
    case FB_ITEM_RESPONSE:
        fb_buf_printf(out, "response%c ", FB_FORMAT_ALIGN);
        fb_buf_str(out, rule->response->raw);
        return;
    case FB_ITEM_LABEL:
        fb_buf_text(out, "label ");
        put_name(rule->labels[item->index].name, out);
        fb_buf_text(out, " = ");
        put_text(w, item->span, rule->labels[item->index].value, out);
        return;
    case FB_ITEM_START:
        fb_buf_text(out, "start when ");
        put_expr(w, rule->start, out);
        return;
    case FB_ITEM_COMMAND:
        put_asked(w, &commanding(rule)->commands[item->index], out);
        return;
    case FB_ITEM_ROLLOUT:
        put_rollout(w, commanding(rule), out);
        return;
    case FB_ITEM_FLEET:
        put_clause(w, "fleet ", commanding(rule)->fleet_share, out);
        put_clause(w, " per ", commanding(rule)->fleet_per, out);
        return;
    case FB_ITEM_ASK:
        put_ask(w, &commanding(rule)->asks[item->index], out);
        return;
    case FB_ITEM_STATE:
        fb_buf_text(out, "state ");
        put_name(rule->states[item->index].name, out);
        return;
    }
}

void fb_format_state_item(const struct fb_written *w, const struct fb_rule_decl *rule,
                          const struct fb_state_decl *state, const struct fb_state_item *item,
                          struct fb_buf *out) {
    const struct fb_go_decl *go;
    switch (item->kind) {
    case FB_ITEM_STATE_LET:
        put_let(w, rule->lets[item->index], out);
        return;
    case FB_ITEM_STAY:
        fb_buf_text(out, "stay ");
        put_expr(w, state->stay, out);
        return;
    case FB_ITEM_STATE_COMMAND:
        put_asked(w, &rule->commands[item->index], out);
        return;
    case FB_ITEM_STATE_ASK:
        put_ask(w, &rule->asks[item->index], out);
        return;
    case FB_ITEM_GO:
        go = &rule->gos[item->index];
        fb_buf_text(out, "go ");
        put_name(go->target, out);
        fb_buf_text(out, go->when != NULL ? " when " : " after ");
        put_expr(w, go->when != NULL ? go->when : go->after, out);
        if (go->at_once) {
            fb_buf_printf(out, "%cat once", FB_FORMAT_BREAK);
        }
        return;
    }
}

/* ---- test blocks --------------------------------------------------------------------------- */

static void put_device_id(const struct fb_written *w, struct fb_span within, struct fb_str id,
                          struct fb_buf *out) {
    /* A text that is a plain word needs no quotes; what is no text was a name in back quotes. */
    if (fb_lex_is_word(id) || !put_written(w, within, id, out)) {
        put_name(id, out);
    }
}

/* A word of a series that would read as something else: _, _x5, null. */
static bool is_series_word(const struct fb_node *node) {
    return node->kind == FB_N_NAME &&
           (fb_str_eq(node->text, FB_S("null")) || (node->text.n > 0 && node->text.p[0] == '_'));
}

static void put_series_item(const struct fb_written *w, const struct fb_series_item *item,
                            struct fb_buf *out) {
    bool touching = item->kind == FB_SERIES_MISSING;
    if (item->kind != FB_SERIES_VALUE) {
        fb_buf_text(out, touching ? "_" : "null");
    } else if (is_series_word(item->from)) {
        fb_buf_printf(out, "`%.*s`", FB_ARG(item->from->text));
    } else {
        put_expr(w, item->from, out);
        const struct fb_node *last = item->from;
        if (item->to != NULL) {
            fb_buf_text(out, "..");
            put_expr(w, item->to, out);
            last = item->to;
        }
        touching = last->kind == FB_N_NUMBER && last->unit_text.n == 0 && !last->bracketed;
    }
    if (item->times != 1) {
        fb_buf_printf(out, "%sx%u", touching ? "" : " ", item->times);
    }
}

/* A word of an actuator may be one that would go on with the expectation or the block. */
static void put_expected_word(const struct fb_test_step *step, struct fb_buf *out) {
    if (step->command && fb_parse_goes_on_in_test(step->word)) {
        fb_buf_printf(out, "`%.*s`", FB_ARG(step->word));
    } else {
        put_name(step->word, out);
    }
}

static void put_expect(const struct fb_written *w, const struct fb_test_step *step,
                       struct fb_buf *out) {
    static const char *const ops[] = {"<", "<=", ">", ">=", "==", "!="};
    fb_buf_printf(out, "expect %s%s ", step->no ? "no " : "",
                  step->command                        ? "command"
                  : step->rule_kind == FB_RULE_ALARM ? "alarm"
                                                     : "event");
    put_name(step->rule, out);
    if (step->of.n > 0) {
        fb_buf_text(out, " of ");
        put_device_id(w, step->span, step->of, out);
    }
    if (step->word.n > 0) {
        fb_buf_char(out, ' ');
        put_expected_word(step, out);
    }
    if (step->severity.n > 0) {
        fb_buf_char(out, ' ');
        fb_buf_str(out, step->severity);
    }
    if (step->at != NULL) {
        fb_buf_text(out, " at ");
        put_expr(w, step->at, out);
    }
    for (uint32_t i = 0; i < step->n_with; i++) {
        fb_buf_printf(out, "%cwith ", FB_FORMAT_BREAK);
        if (step->with[i].linked != NULL) {
            put_expr(w, step->with[i].linked, out);
        } else {
            put_name(step->with[i].name, out);
        }
        fb_buf_printf(out, " %s ", ops[step->with[i].op - FB_OP_LT]);
        put_expr(w, step->with[i].value, out);
    }
}

void fb_format_step(const struct fb_written *w, const struct fb_test_step *step,
                    struct fb_buf *out) {
    switch (step->kind) {
    case FB_STEP_SERIES:
        fb_buf_text(out, "series ");
        put_device_id(w, step->span, step->device, out);
        fb_buf_char(out, '.');
        put_name(step->field, out);
        fb_buf_printf(out, "%c = ", FB_FORMAT_ALIGN);
        for (uint32_t i = 0; i < step->n_items; i++) {
            if (i > 0) {
                fb_buf_printf(out, ",%c", FB_FORMAT_BREAK);
            }
            put_series_item(w, &step->items[i], out);
        }
        if (step->every != NULL) {
            fb_buf_printf(out, "%cevery ", FB_FORMAT_BREAK);
            put_expr(w, step->every, out);
        }
        return;
    case FB_STEP_RECORDS:
        fb_buf_text(out, "records ");
        put_text(w, step->span, step->file, out);
        return;
    case FB_STEP_EXPECT:
        put_expect(w, step, out);
        return;
    }
}

/* ---- heads and statements without a block -------------------------------------------------- */

static void put_param(const struct fb_written *w, const struct fb_param_decl *param,
                      struct fb_buf *out) {
    fb_buf_text(out, "param ");
    put_name(param->name, out);
    if (param->class_name.n > 0) {
        fb_buf_text(out, " on ");
        put_name(param->class_name, out);
    }
    put_unit(param->unit_text, out);
    fb_buf_text(out, " = ");
    put_expr(w, param->value, out);
    if (param->range_low != NULL) {
        fb_buf_char(out, ' ');
        put_range(w, param->range_low, param->range_high, out);
    }
    for (uint32_t i = 0; i < param->n_cases; i++) {
        fb_buf_printf(out, ",%c", FB_FORMAT_BREAK);
        put_expr(w, param->cases[i].value, out);
        fb_buf_text(out, " where ");
        put_expr(w, param->cases[i].where, out);
    }
}

static void put_class_head(const struct fb_written *w, const struct fb_class_decl *decl,
                           struct fb_buf *out) {
    fb_buf_text(out, "device ");
    put_name(decl->name, out);
    struct fb_span head = {decl->span.file, decl->span.start, decl->block.start};
    for (uint32_t i = 0; i < decl->n_topics; i++) {
        fb_buf_text(out, i == 0 ? " from " : ",");
        if (i > 0) {
            fb_buf_char(out, (char)FB_FORMAT_BREAK);
        }
        put_text(w, head, decl->topics[i], out);
    }
}

static void put_actuator_head(const struct fb_written *w, const struct fb_actuator_decl *decl,
                              struct fb_buf *out) {
    fb_buf_text(out, "actuator ");
    put_name(decl->name, out);
    fb_buf_text(out, " on ");
    put_name(decl->class_name, out);
    fb_buf_text(out, " : ");
    if (decl->type.type == FB_T_ENUM) {
        put_words(&decl->type, out);
        return;
    }
    put_type(&decl->type, out);
    fb_buf_char(out, ' ');
    put_range(w, decl->range_low, decl->range_high, out);
}

static void put_rule_head(const struct fb_written *w, const struct fb_rule_decl *rule,
                          struct fb_buf *out) {
    static const char *const words[] = {"alarm ", "event ", "control ", "mode "};
    fb_buf_text(out, words[rule->kind]);
    put_name(rule->name, out);
    fb_buf_text(out, " on ");
    put_name(rule->class_name, out);
    put_by(&rule->by, rule->by.n > 0, out);
    if (rule->where != NULL) {
        fb_buf_printf(out, "%cwhere ", FB_FORMAT_BREAK);
        put_expr(w, rule->where, out);
    }
}

static void put_test_head(const struct fb_written *w, const struct fb_test_decl *test,
                          struct fb_buf *out) {
    struct fb_span head = {test->span.file, test->span.start, test->block.start};
    fb_buf_text(out, "test ");
    put_text(w, head, test->title, out);
    if (test->class_name.n > 0) {
        fb_buf_text(out, " on ");
        put_name(test->class_name, out);
    }
}

void fb_format_head(const struct fb_written *w, const struct fb_item *item, struct fb_buf *out) {
    switch (item->kind) {
    case FB_ITEM_USE:
        fb_buf_text(out, "use ");
        put_text(w, item->span, item->use, out);
        return;
    case FB_ITEM_PARAM:
        put_param(w, item->param, out);
        return;
    case FB_ITEM_CLASS:
        put_class_head(w, item->class_decl, out);
        return;
    case FB_ITEM_RULE:
        put_rule_head(w, item->rule, out);
        return;
    case FB_ITEM_TEST:
        put_test_head(w, item->test, out);
        return;
    case FB_ITEM_ACTUATOR:
        put_actuator_head(w, item->actuator, out);
        return;
    case FB_ITEM_LIMIT:
        fb_buf_printf(out, "commands at most %u per ", item->limit->at_most);
        put_expr(w, item->limit->per, out);
        return;
    }
}
