/* Conditions recomputed, in words.
 *
 * Place in the flow: see explain_check.h. */
#include "engine/cli/explain_check.h"

#include "engine/cli/explain_words.h"
#include "engine/run/code_words.h"

struct view {
    struct fb_recompute *r;
    const struct fb_class *class_;
    const struct fb_story *story;
    struct fb_buf *out;
    bool begun;
};

const char *fb_recheck_name(enum fb_recheck verdict) {
    static const char *const names[] = {"agrees", "fits", "differs"};
    return names[verdict];
}

static void begin_line(struct view *v) {
    fb_buf_text(v->out, v->begun ? "          " : "checked   ");
    v->begun = true;
}

/* NULL: it may be several. */
static const char *truth_of(uint8_t may_be) {
    return may_be == FB_MAY_BE_TRUE      ? "true"
           : may_be == FB_MAY_BE_FALSE   ? "false"
           : may_be == FB_MAY_BE_UNKNOWN ? "unknown"
                                         : NULL;
}

/* What a delay or a latch goes by, where that follows. */
static void put_behind(struct view *v, const struct fb_code *code, uint16_t reg, const char *what) {
    const char *truth = truth_of(fb_recompute_truth(v->r, code, reg));
    const struct fb_instr *of = fb_code_of(v->class_, code, reg);
    bool is_state = of->op == FB_I_FOR || of->op == FB_I_FOR_CONST || of->op == FB_I_UNTIL;
    if (!truth || is_state)
        return;
    begin_line(v);
    fb_buf_text(v->out, "  ");
    fb_code_words(v->class_, code, reg, v->out);
    fb_buf_printf(v->out, " is %s%s\n", truth, what);
}

static const struct fb_field *missing_field(const struct view *v, const struct fb_instr *in) {
    uint32_t field = in->op == FB_I_FIELD || in->op == FB_I_QUALITY ? in->imm
                     : in->op == FB_I_FIELD_CMP                     ? in->a
                                                                    : FB_FIELDS_MAX;
    if (field >= v->class_->n_fields || fb_recompute_has(v->r, field))
        return NULL;
    return &v->class_->fields[field];
}

static void put_reason(struct view *v, const struct fb_code *code, const struct fb_instr *in) {
    const struct fb_field *missing = missing_field(v, in);
    if (missing) {
        begin_line(v);
        fb_buf_printf(v->out, "  %.*s does not stand in the record\n", FB_ARG(missing->name));
        return;
    }
    switch ((enum fb_opcode)in->op) {
    case FB_I_FOR:
    case FB_I_FOR_CONST:
        put_behind(v, code, in->a, "; for how long does not stand in the record");
        break;
    case FB_I_UNTIL:
        put_behind(v, code, in->a, "; whether it was before does not stand in the record");
        put_behind(v, code, in->b, ", which ends it where it is true");
        break;
    case FB_I_WINDOW:
    case FB_I_WINDOW_CMP:
    case FB_I_ELAPSED:
    case FB_I_AGE:
    case FB_I_SILENT:
    case FB_I_ALARM:
    case FB_I_MODE:
        begin_line(v);
        fb_buf_text(v->out, "  ");
        fb_code_words(v->class_, code, in->dst, v->out);
        fb_buf_text(v->out, " cannot be computed from one record\n");
        break;
    case FB_I_ACTUATOR:
        if (fb_recompute_has_accepted(v->r, in->imm))
            break;
        begin_line(v);
        fb_buf_printf(v->out, "  what the conditions saw of %.*s does not stand in the record\n",
                      FB_ARG(v->class_->actuators[in->imm].name));
        break;
    case FB_I_LINKED:
    case FB_I_GROUP:
        if (fb_recompute_is_told(v->r, in))
            break;
        begin_line(v);
        fb_buf_text(v->out, "  what the conditions saw of ");
        fb_code_words(v->class_, code, in->dst, v->out);
        fb_buf_text(v->out, " does not stand in the record\n");
        break;
    default:
        break;
    }
}

static void put_truth(struct view *v, const struct fb_rule *rule, uint32_t i) {
    char room[FB_CONDITION_NAME_MAX];
    const struct fb_condition *condition = &v->class_->conditions[rule->first_condition + i];
    const char *truth =
        truth_of(fb_recompute_truth(v->r, &condition->code, condition->code.result));
    begin_line(v);
    fb_buf_printf(v->out, "%s: %s\n", fb_condition_name(v->class_, rule, i, room),
                  truth ? truth : "does not follow from these values alone");
    for (uint32_t at = 0; !truth && at < condition->code.count; at++)
        put_reason(v, &condition->code, &v->class_->code[condition->code.first + at]);
}

/* Of a mode that is in another state it is not in force. */
static bool is_elsewhere(const struct view *v, const struct fb_rule *rule,
                         const struct fb_condition *condition) {
    const struct fb_claim *claim = &v->class_->claims[condition->claim];
    return claim->of_mode && claim->state != fb_recompute_state(v->r, rule, v->story);
}

static void put_state(struct view *v, const struct fb_rule *rule) {
    uint32_t state = fb_recompute_state(v->r, rule, v->story);
    begin_line(v);
    if (state == UINT32_MAX)
        fb_buf_text(v->out, "in no state\n");
    else
        fb_buf_printf(v->out, "in the state `%.*s`\n",
                      FB_ARG(v->class_->modes[rule->mode].states[state]));
}

static void put_claim(struct view *v, const struct fb_condition *condition) {
    const struct fb_actuator *actuator =
        &v->class_->actuators[v->class_->claims[condition->claim].actuator];
    const char *slash =
        v->story->actuator.n ? memchr(v->story->actuator.p, '/', v->story->actuator.n) : NULL;
    struct fb_str name = {v->story->actuator.p, slash ? (size_t)(slash - v->story->actuator.p) : 0};
    struct fb_value value;
    if (!fb_str_eq(actuator->name, name))
        return;
    begin_line(v);
    fb_buf_printf(v->out, "command %.*s = ", FB_ARG(actuator->name));
    if (fb_recompute_value(v->r, &condition->code, &value))
        fb_value_words(actuator->is_switch ? FB_T_ENUM : FB_T_NUMBER, actuator->unit,
                       actuator->words, &value, v->out);
    else
        fb_buf_text(v->out, "does not follow from these values alone");
    fb_buf_char(v->out, '\n');
}

static void put_verdict(struct view *v, enum fb_recheck verdict) {
    static const char *const words[] = {
        "agrees: the values above give what happened",
        "fits: nothing above contradicts what happened, and not all of it follows from the record",
        "DIFFERS: the values above do not give what happened"};
    begin_line(v);
    fb_buf_printf(v->out, "%s\n", words[verdict]);
}

enum fb_recheck fb_explain_check(const struct fb_program *program, const struct fb_rule *rule,
                                 const struct fb_story *story, struct fb_buf *out) {
    struct view v = {.r = fb_recompute_new(program, rule->class_index),
                     .class_ = &program->classes[rule->class_index],
                     .story = story,
                     .out = out};
    fb_recompute_give_story(v.r, rule, story);
    enum fb_recheck verdict = fb_recompute_check(v.r, rule, story);
    if (rule->sort == FB_SORT_MODE)
        put_state(&v, rule);
    for (uint32_t i = 0; i < rule->n_conditions; i++) {
        const struct fb_condition *condition = &v.class_->conditions[rule->first_condition + i];
        if (condition->role != FB_ROLE_CLAIM)
            put_truth(&v, rule, i);
        else if (!is_elsewhere(&v, rule, condition))
            put_claim(&v, condition);
    }
    put_verdict(&v, verdict);
    fb_recompute_free(v.r);
    return verdict;
}

enum fb_recheck fb_explain_check_own(const struct fb_program *program, uint16_t class_index,
                                     const struct fb_actuator *actuator,
                                     const struct fb_story *story, struct fb_buf *out) {
    const struct fb_rule *own = &program->rules[actuator->rule];
    struct view v = {.r = fb_recompute_new(program, class_index),
                     .class_ = &program->classes[class_index],
                     .story = story,
                     .out = out};
    fb_recompute_give_own(v.r, actuator, story);
    enum fb_recheck verdict = fb_recompute_check_own(v.r, actuator, story);
    for (uint32_t i = 0; i < own->n_conditions; i++)
        put_truth(&v, own, i);
    put_verdict(&v, verdict);
    fb_recompute_free(v.r);
    return verdict;
}
