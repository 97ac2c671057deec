#include "rules/listing.h"

#include <stdlib.h>

#include "engine/base/calendar.h"
#include "engine/base/num.h"
#include "rules/group_function.h"
#include "rules/opcodes.h"

static void put_span(struct fb_buf *out, int64_t us) {
    char text[FB_TIME_TEXT_MAX];
    fb_buf_put(out, text, fb_span_format(us, text));
}

static void put_number(struct fb_buf *out, double x) {
    char text[FB_NUM_TEXT_MAX];
    fb_buf_put(out, text, fb_num_format(x, text));
}

/* ---- code ---------------------------------------------------------------------------------- */

static void put_mask(struct fb_buf *out, uint16_t mask) {
    const char *between = " ";
    for (int q = FB_Q_UNKNOWN; q <= FB_Q_STALE; q++) {
        if (!(mask >> q & 1))
            continue;
        fb_buf_printf(out, "%s%s", between,
                      q == FB_Q_UNKNOWN ? "never_seen" : fb_quality_name((enum fb_quality)q));
        between = "|";
    }
}

static void put_operand(struct fb_buf *out, const struct fb_class *class_, enum fb_operand kind,
                        uint32_t operand, uint32_t count) {
    switch (kind) {
    case FB_OPERAND_NONE:
    case FB_OPERAND_COUNT:
        break; /* said with the registers */
    case FB_OPERAND_REG:
        fb_buf_printf(out, " r%u", operand);
        break;
    case FB_OPERAND_REGS:
        fb_buf_printf(out, " r%u..r%u", operand, operand + count - 1);
        break;
    case FB_OPERAND_FIELD:
        if (operand == UINT16_MAX)
            fb_buf_text(out, " every");
        else
            fb_buf_printf(out, " %.*s", FB_ARG(class_->fields[operand].name));
        break;
    case FB_OPERAND_ACTUATOR:
        fb_buf_printf(out, " %.*s", FB_ARG(class_->actuators[operand].name));
        break;
    case FB_OPERAND_MODE:
        fb_buf_printf(out, " %.*s", FB_ARG(class_->modes[operand].name));
        break;
    case FB_OPERAND_LINK:
        fb_buf_printf(out, " %.*s", FB_ARG(class_->links[operand].name));
        break;
    case FB_OPERAND_PUBLISHED: /* of which class, the instruction says */
        break;
    case FB_OPERAND_GROUP:
        fb_buf_printf(out, " of (%.*s)", FB_ARG(class_->groups[operand].text));
        break;
    case FB_OPERAND_MASK:
        put_mask(out, (uint16_t)operand);
        break;
    case FB_OPERAND_NUMBER:
        fb_buf_char(out, ' ');
        put_number(out, class_->numbers[operand]);
        break;
    case FB_OPERAND_SHARE:
        fb_buf_text(out, " needs ");
        put_number(out, class_->numbers[operand]);
        break;
    case FB_OPERAND_PAIR:
        fb_buf_char(out, ' ');
        put_number(out, class_->numbers[operand]);
        fb_buf_text(out, " + ");
        put_number(out, class_->numbers[operand + 1]);
        break;
    case FB_OPERAND_INT:
        fb_buf_printf(out, " %lld", (long long)class_->ints[operand]);
        break;
    case FB_OPERAND_TEXT:
        fb_buf_printf(out, " \"%.*s\"", FB_ARG(class_->texts[operand]));
        break;
    case FB_OPERAND_ALARM:
        fb_buf_printf(out, " rule %u", operand);
        break;
    case FB_OPERAND_PATTERN:
        fb_buf_printf(out, " \"%.*s\"", FB_ARG(class_->patterns[operand]));
        break;
    case FB_OPERAND_CELL:
        fb_buf_printf(out, " @%u", operand);
        break;
    case FB_OPERAND_WINDOW:
        fb_buf_printf(out, " w%u", operand);
        break;
    case FB_OPERAND_CMP:
    case FB_OPERAND_AGG:
    case FB_OPERAND_AGG_CMP:
    case FB_OPERAND_GROUP_FUNCTION:
    case FB_OPERAND_PERCENT:
    case FB_OPERAND_FLAG:
        break; /* of sub */
    }
}

static void put_instr(struct fb_buf *out, const struct fb_class *class_,
                      const struct fb_instr *in) {
    const struct fb_opcode_row *row = fb_opcode_row(in->op);
    bool both = row->sub == FB_OPERAND_AGG_CMP; /* a window and a comparison in one */
    fb_buf_printf(out, "r%-3u %s", in->dst, row->name);
    if (row->sub == FB_OPERAND_AGG || both)
        fb_buf_printf(out, " %s", fb_aggregate_text(both ? in->sub & 31 : in->sub));
    if (both)
        put_operand(out, class_, row->imm, in->imm, 0);
    if (row->sub == FB_OPERAND_FLAG && in->sub)
        fb_buf_text(out, in->op == FB_I_CONVERT ? " by" : " not");
    if (row->sub == FB_OPERAND_GROUP_FUNCTION) {
        fb_buf_char(out, ' ');
        fb_group_function_text(in->sub, class_->n_numbers ? class_->numbers[in->b] : 0, out);
    }
    put_operand(out, class_, row->a, in->a, in->b);
    if (row->imm == FB_OPERAND_PUBLISHED)
        fb_buf_printf(out, ".%.*s", FB_ARG(class_->links[in->a].to->published[in->imm].name));
    if (row->sub == FB_OPERAND_CMP || both)
        fb_buf_printf(out, " %s", fb_cmp_text(both ? in->sub >> 5 : in->sub));
    if (in->op == FB_I_VOTE)
        fb_buf_printf(out, " at least %u", in->imm);
    put_operand(out, class_, row->b, in->b, 0);
    if (!both)
        put_operand(out, class_, row->imm, in->imm, 0);
    fb_buf_char(out, '\n');
}

void fb_listing_code(const struct fb_class *class_, struct fb_code code, int indent,
                     struct fb_buf *out) {
    for (uint32_t i = 0; i < code.count; i++) {
        fb_buf_printf(out, "%*s", indent, "");
        put_instr(out, class_, &class_->code[code.first + i]);
    }
    if (code.result + 1u != code.count)
        fb_buf_printf(out, "%*sgives r%u\n", indent, "", code.result);
}

/* ---- cells --------------------------------------------------------------------------------- */

static void put_field(struct fb_buf *out, const struct fb_class *class_, uint32_t index) {
    static const char *const roles[] = {"field", "tag", "key"};
    const struct fb_field *field = &class_->fields[index];
    fb_buf_printf(out, "    @%-5u %s %.*s: %s", field->offset, roles[field->role],
                  FB_ARG(field->name), fb_type_name(field->type));
    if (field->unit.n)
        fb_buf_printf(out, " [%.*s]", FB_ARG(field->unit));
    for (uint32_t i = 0; i < field->n_words; i++)
        fb_buf_printf(out, "%s%.*s", i == 0 ? " " : "|", FB_ARG(field->words[i]));
    for (uint32_t i = 0; i < field->n_paths; i++)
        fb_buf_printf(out, "%s\"%.*s\"", i == 0 ? " from " : " or ", FB_ARG(field->paths[i]));
    if (field->has_range) {
        fb_buf_text(out, " range ");
        put_number(out, field->range_low);
        fb_buf_text(out, "..");
        put_number(out, field->range_high);
    }
    if (field->every_us) {
        fb_buf_text(out, " every ");
        put_span(out, field->every_us);
    }
    if (field->stale_us) {
        fb_buf_text(out, " stale after ");
        put_span(out, field->stale_us);
    }
    fb_buf_char(out, '\n');
}

static void put_reads(struct fb_buf *out, const struct fb_class *class_,
                      const struct fb_field_set *reads) {
    const char *between = "";
    for (uint32_t i = 0; i < class_->n_fields; i++) {
        if (!fb_field_set_has(reads, i))
            continue;
        fb_buf_printf(out, "%s%.*s", between, FB_ARG(class_->fields[i].name));
        between = " ";
    }
    if (!*between)
        fb_buf_text(out, "no field");
}

static void put_shape(struct fb_buf *out, const struct fb_window *window) {
    switch (window->shape) {
    case FB_SHAPE_RING:
        fb_buf_text(out, " over ");
        put_span(out, window->length_us);
        fb_buf_printf(out, ": ring of %u places", window->places);
        break;
    case FB_SHAPE_PANES:
        fb_buf_text(out, " over ");
        put_span(out, window->length_us);
        fb_buf_printf(out, ": %u panes of ", window->places);
        put_span(out, window->pane_us);
        break;
    case FB_SHAPE_LAST:
        fb_buf_printf(out, " over last %u: %u places", window->places, window->places);
        break;
    case FB_SHAPE_EACH:
        fb_buf_text(out, " each ");
        put_span(out, window->length_us);
        break;
    }
}

void fb_listing_window(const struct fb_class *class_, const struct fb_window *window,
                       struct fb_buf *out) {
    const char *between = "";
    for (uint8_t i = 0; i < FB_AGGREGATES; i++) {
        if (!(window->aggregates >> i & 1))
            continue;
        fb_buf_printf(out, "%s%s", between, fb_aggregate_text(i));
        between = " ";
    }
    fb_buf_text(out, " of ");
    if (window->input == FB_INPUT_FIELD)
        fb_buf_printf(out, "%.*s", FB_ARG(class_->fields[window->field].name));
    else if (window->input == FB_INPUT_RECORDS)
        fb_buf_text(out, "all records");
    else {
        fb_buf_text(out, "an expression of ");
        put_reads(out, class_, &window->reads);
    }
    put_shape(out, window);
}

static void put_window(struct fb_buf *out, const struct fb_class *class_, uint32_t index) {
    const struct fb_window *window = &class_->windows[index];
    fb_buf_printf(out, "    @%-5u w%u %u bytes: ", window->offset, index, window->bytes);
    fb_listing_window(class_, window, out);
    if (window->late_us) {
        fb_buf_text(out, ", late up to ");
        put_span(out, window->late_us);
    }
    fb_buf_char(out, '\n');
    if (window->input == FB_INPUT_CODE)
        fb_listing_code(class_, window->sample, 8, out);
}

/* ---- actuators ----------------------------------------------------------------------------- */

static void put_clause(struct fb_buf *out, const char *name, int64_t us) {
    if (!us)
        return;
    fb_buf_printf(out, "    %s ", name);
    put_span(out, us);
    fb_buf_char(out, '\n');
}

static void put_per(struct fb_buf *out, int64_t us) {
    fb_buf_text(out, " per ");
    put_span(out, us);
    fb_buf_char(out, '\n');
}

static void put_value(struct fb_buf *out, const struct fb_actuator *actuator, double value) {
    if (actuator->is_switch)
        fb_buf_str(out, actuator->words[value > 0]);
    else
        put_number(out, value);
}

static void put_what(struct fb_buf *out, const struct fb_actuator *actuator) {
    if (actuator->is_switch) {
        fb_buf_printf(out, "    %.*s|%.*s", FB_ARG(actuator->words[0]), FB_ARG(actuator->words[1]));
    } else {
        fb_buf_text(out, "    number");
        if (actuator->unit.n)
            fb_buf_printf(out, " [%.*s]", FB_ARG(actuator->unit));
        fb_buf_text(out, " range ");
        put_number(out, actuator->low);
        fb_buf_text(out, "..");
        put_number(out, actuator->high);
    }
    fb_buf_text(out, ", safe ");
    put_value(out, actuator, actuator->safe);
    fb_buf_text(out, ", default ");
    put_value(out, actuator, actuator->fallback);
    fb_buf_char(out, '\n');
}

static void put_guardrails(struct fb_buf *out, const struct fb_actuator *actuator) {
    static const char *const combine[] = {NULL, "min", "max", "safest"};
    static const char *const directions[] = {"down", "up"};
    put_clause(out, "minimum on", actuator->minimum_us[1]);
    put_clause(out, "minimum off", actuator->minimum_us[0]);
    put_clause(out, "maximum on", actuator->maximum_on_us);
    if (actuator->starts) {
        fb_buf_printf(out, "    starts %u", actuator->starts);
        put_per(out, actuator->starts_us);
    }
    for (int i = 0; i < 2; i++) {
        if (!(actuator->slew[i] > 0))
            continue;
        fb_buf_printf(out, "    slew %s ", directions[i]);
        put_number(out, actuator->slew[i]);
        put_per(out, actuator->slew_us[i]);
    }
    if (actuator->ignore_under > 0) {
        fb_buf_text(out, "    ignore steps under ");
        put_number(out, actuator->ignore_under);
        fb_buf_char(out, '\n');
    }
    put_clause(out, "lease", actuator->lease_us);
    put_clause(out, "deliver within", actuator->deliver_us);
    put_clause(out, "hold at most", actuator->hold_us);
    if (actuator->combine)
        fb_buf_printf(out, "    combine %s\n", combine[actuator->combine]);
    put_clause(out, "lockout", actuator->lockout_us);
    if (actuator->reversals) {
        fb_buf_printf(out, "    breaker %u reversals in ", actuator->reversals);
        put_span(out, actuator->reversals_us);
        fb_buf_text(out, actuator->breaker_safe ? ", safe " : ", hold ");
        put_span(out, actuator->breaker_us);
        fb_buf_char(out, '\n');
    }
    if (actuator->failures)
        fb_buf_printf(out, "    stop after %u failures\n", actuator->failures);
}

static void put_claims(struct fb_buf *out, const struct fb_program *program,
                       const struct fb_class *class_, const struct fb_actuator *actuator) {
    fb_buf_text(out, actuator->n_claims ? "    claimed by" : "    claimed by none");
    for (uint32_t i = 0; i < actuator->n_claims; i++) {
        const struct fb_claim *claim = &class_->claims[actuator->claims[i]];
        fb_buf_printf(out, " %.*s(%u)", FB_ARG(program->rules[claim->rule].name),
                      claim->priority);
    }
    fb_buf_char(out, '\n');
}

/* The actuator that the rule declares, and where its shadow lies. */
static void put_actuator(struct fb_buf *out, const struct fb_program *program,
                         const struct fb_class *class_, const struct fb_rule *rule) {
    const struct fb_actuator *actuator = &class_->actuators[rule->actuator];
    put_what(out, actuator);
    put_guardrails(out, actuator);
    put_claims(out, program, class_, actuator);
    for (uint32_t i = rule->actuator; i < class_->n_actuators; i++) {
        const struct fb_actuator *twin = &class_->actuators[i];
        if (twin == actuator || (twin->shadow && twin->rule == actuator->rule))
            fb_buf_printf(out, "    @%-5u %s, %u bytes\n", twin->offset,
                          twin->shadow ? "memory of its shadow" : "memory", twin->bytes);
    }
}

/* ---- rules --------------------------------------------------------------------------------- */

static void put_command(struct fb_buf *out, const struct fb_class *class_,
                        const struct fb_claim *claim) {
    fb_buf_printf(out, "%s %.*s at priority %u", claim->is_step ? "step" : "command",
                  FB_ARG(class_->actuators[claim->actuator].name), claim->priority);
    if (claim->is_step) {
        fb_buf_text(out, " every ");
        put_span(out, claim->every_us);
        fb_buf_text(out, " within ");
        put_number(out, claim->low);
        fb_buf_text(out, "..");
        put_number(out, claim->high);
    }
    if (claim->of_mode) {
        const struct fb_machine *mode = &class_->modes[0];
        while (mode->rule != claim->rule)
            mode++;
        fb_buf_printf(out, " in %.*s", FB_ARG(mode->states[claim->state]));
    }
    if (claim->pulse_us) {
        fb_buf_text(out, " for ");
        put_span(out, claim->pulse_us);
    }
    fb_buf_text(out, ", real on ");
    put_number(out, claim->percent);
    fb_buf_text(out, " % of the devices");
}

static void put_mode(struct fb_buf *out, const struct fb_class *class_,
                     const struct fb_machine *mode) {
    for (uint32_t i = 0; i < mode->n_states; i++) {
        fb_buf_printf(out, "    state %.*s", FB_ARG(mode->states[i]));
        if (mode->stay_us[i]) {
            fb_buf_text(out, ", stays ");
            put_span(out, mode->stay_us[i]);
        }
        fb_buf_char(out, '\n');
    }
    for (uint32_t i = 0; i < mode->n_gos; i++) {
        const struct fb_go *go = &mode->gos[i];
        struct fb_str from = go->from == FB_ANY_STATE ? FB_S("any") : mode->states[go->from];
        fb_buf_printf(out, "    go from %.*s to %.*s ", FB_ARG(from), FB_ARG(mode->states[go->to]));
        if (go->condition == FB_NO_CONDITION) {
            fb_buf_text(out, "after ");
            put_span(out, go->after_us);
        } else {
            fb_buf_printf(out, "by @%u", class_->conditions[go->condition].offset);
        }
        fb_buf_text(out, go->at_once ? " at once\n" : "\n");
    }
}

static void put_purpose(struct fb_buf *out, const struct fb_rule *rule,
                        const struct fb_class *class_, const struct fb_condition *condition) {
    switch (condition->role) {
    case FB_ROLE_CLAIM: put_command(out, class_, &class_->claims[condition->claim]); return;
    case FB_ROLE_INTERLOCK: fb_buf_text(out, "interlock"); return;
    case FB_ROLE_PERMISSIVE: fb_buf_text(out, "permissive"); return;
    case FB_ROLE_PUBLISHED:
        fb_buf_printf(out, "publish %.*s", FB_ARG(class_->published[condition->published].name));
        return;
    case FB_ROLE_WHEN: break;
    }
    if (rule->sort == FB_SORT_ALARM)
        fb_buf_printf(out, "raise %s", fb_severity_name(rule->severities[condition->raise]));
    else if (rule->sort == FB_SORT_CONTROL)
        fb_buf_text(out, "start");
    else if (rule->sort == FB_SORT_MODE)
        fb_buf_text(out, rule->has_start && condition->raise == 0 ? "where" : "go when");
    else
        fb_buf_text(out, rule->whenever ? "whenever" : "when");
}

static void put_condition(struct fb_buf *out, const struct fb_program *program,
                          const struct fb_class *class_, uint32_t index) {
    const struct fb_condition *condition = &class_->conditions[index];
    fb_buf_printf(out, "    @%-5u ", condition->offset);
    put_purpose(out, &program->rules[condition->rule], class_, condition);
    fb_buf_text(out, ", reads ");
    if (condition->every_record)
        fb_buf_text(out, condition->twice ? "every record twice" : "every record");
    else
        put_reads(out, class_, &condition->reads);
    for (uint32_t i = 0; i < class_->n_actuators; i++)
        if (condition->actuators >> i & 1)
            fb_buf_printf(out, ", follows %.*s", FB_ARG(class_->actuators[i].name));
    for (uint32_t i = 0; i < class_->n_modes; i++)
        if (condition->modes >> i & 1)
            fb_buf_printf(out, ", follows %.*s", FB_ARG(class_->modes[i].name));
    fb_buf_char(out, '\n');
    fb_listing_code(class_, condition->code, 8, out);
}

static void put_template(struct fb_buf *out, const char *name, const struct fb_template *text) {
    static const char *const builtins[] = {
        [FB_PART_DEVICE] = "device", [FB_PART_RULE] = "rule", [FB_PART_SEVERITY] = "severity"};
    if (!text->n_parts)
        return;
    fb_buf_printf(out, "    %s \"", name);
    for (uint32_t i = 0; i < text->n_parts; i++) {
        const struct fb_template_part *part = &text->parts[i];
        if (part->kind == FB_PART_LITERAL)
            fb_buf_str(out, part->literal);
        else if (part->kind == FB_PART_SLOT)
            fb_buf_printf(out, "{slot %u}", part->slot);
        else
            fb_buf_printf(out, "{%s}", builtins[part->kind]);
    }
    fb_buf_text(out, "\"\n");
}

static void put_shown(struct fb_buf *out, const struct fb_class *class_,
                      const struct fb_rule *rule) {
    for (uint32_t i = 0; i < rule->n_shown; i++) {
        const struct fb_shown *shown = &rule->shown[i];
        fb_buf_printf(out, "    shows %.*s", FB_ARG(shown->name));
        if (shown->unit.n)
            fb_buf_printf(out, " [%.*s]", FB_ARG(shown->unit));
        fb_buf_char(out, '\n');
        if (!shown->is_field)
            fb_listing_code(class_, shown->code, 8, out);
    }
    for (uint32_t i = 0; i < rule->n_slots; i++) {
        const struct fb_slot *slot = &rule->slots[i];
        fb_buf_printf(out, "    slot %u", i);
        if (slot->unit.n)
            fb_buf_printf(out, " [%.*s]", FB_ARG(slot->unit));
        fb_buf_char(out, '\n');
        fb_listing_code(class_, slot->code, 8, out);
    }
}

static void put_fleet(struct fb_buf *out, const struct fb_class *class_,
                      const struct fb_fleet *fleet) {
    char percent[FB_NUM_TEXT_MAX + 1];
    percent[fb_num_format(fleet->percent, percent)] = '\0';
    fb_buf_printf(out, "    @%-5u fleet %s %% of a %.*s per ", fleet->offset, percent,
                  FB_ARG(class_->fields[class_->domain].name));
    put_span(out, fleet->per_us);
    fb_buf_char(out, '\n');
}

static void put_rule(struct fb_buf *out, const struct fb_program *program,
                     const struct fb_class *class_, uint32_t index) {
    static const char *const policies[] = {"hold", "clear", "raise", "stop", "safe"};
    static const char *const sorts[] = {
        [FB_SORT_ALARM] = "alarm",     [FB_SORT_EVENT] = "event",
        [FB_SORT_CONTROL] = "control", [FB_SORT_ACTUATOR] = "actuator",
        [FB_SORT_MODE] = "mode",       [FB_SORT_PUBLISHED] = "published"};
    const struct fb_rule *rule = &program->rules[index];
    fb_buf_printf(out, "\n%s %.*s on %.*s\n", sorts[rule->sort], FB_ARG(rule->name),
                  FB_ARG(class_->name));
    fb_buf_printf(out, "    @%-5u state", rule->offset);
    if (rule->sort == FB_SORT_ALARM || rule->sort == FB_SORT_CONTROL || rule->sort == FB_SORT_MODE)
        fb_buf_printf(out, ", on unknown %s", policies[rule->on_unknown]);
    fb_buf_char(out, '\n');
    if (rule->sort == FB_SORT_ACTUATOR)
        put_actuator(out, program, class_, rule);
    if (rule->sort == FB_SORT_MODE)
        put_mode(out, class_, &class_->modes[rule->mode]);
    if (rule->sort == FB_SORT_CONTROL && !rule->has_start)
        fb_buf_text(out, "    always on\n");
    if (rule->fleet)
        put_fleet(out, class_, rule->fleet);
    for (uint32_t i = 0; i < rule->n_conditions; i++)
        put_condition(out, program, class_, rule->first_condition + i);
    if (rule->has_clear_after) {
        fb_buf_text(out, "    clear after\n");
        fb_listing_code(class_, rule->clear_after, 8, out);
    }
    if (rule->flap_slot_us) {
        fb_buf_text(out, "    suppress flapping, slots of ");
        put_span(out, rule->flap_slot_us);
        fb_buf_char(out, '\n');
    }
    if (rule->rate) {
        fb_buf_printf(out, "    @%-5u at most %u", rule->rate->offset, rule->rate->n);
        put_per(out, rule->rate->per_us);
    }
    if (rule->at_most) {
        fb_buf_printf(out, "    at most %u per\n", rule->at_most);
        fb_listing_code(class_, rule->at_most_per, 8, out);
    }
    if (rule->whenever) {
        fb_buf_text(out, "    inputs ");
        put_reads(out, class_, &rule->whenever_reads);
        for (uint32_t i = 0; i < rule->n_whenever_each; i++)
            fb_buf_printf(out, " w%u", rule->whenever_each[i]);
        fb_buf_char(out, '\n');
    }
    put_shown(out, class_, rule);
    put_template(out, "message", &rule->message);
    put_template(out, "response", &rule->response);
}

static void put_class(struct fb_buf *out, const struct fb_class *class_) {
    fb_buf_printf(out, "device %.*s", FB_ARG(class_->name));
    for (uint32_t i = 0; i < class_->n_topics; i++)
        fb_buf_printf(out, "%s\"%.*s\"", i == 0 ? " from " : ", ", FB_ARG(class_->topics[i]));
    fb_buf_printf(out, "\n    %u bytes a device, %u registers\n", class_->block_bytes,
                  class_->registers);
    for (uint32_t i = 0; i < class_->n_fields; i++)
        put_field(out, class_, i);
    for (uint32_t i = 0; i < class_->n_windows; i++)
        put_window(out, class_, i);
}

void fb_listing(const struct fb_program *program, struct fb_buf *out) {
    for (uint32_t i = 0; i < program->n_classes; i++) {
        const struct fb_class *class_ = &program->classes[i];
        if (i > 0)
            fb_buf_char(out, '\n');
        put_class(out, class_);
        for (uint32_t k = 0; k < class_->n_rules; k++)
            put_rule(out, program, class_, class_->rules[k]);
    }
    if (program->rate.n) {
        fb_buf_char(out, '\n');
        fb_buf_printf(out, "commands at most %u", program->rate.n);
        put_per(out, program->rate.per_us);
    }
}
