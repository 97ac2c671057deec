/* Sets of possible truths through the code, register by register.
 *
 * Place in the flow: see recompute.h. */
#include "engine/run/recompute.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/core/trial.h"
#include "rules/opcodes.h"

/* Of a register. */
struct known {
    bool follows; /* from what was given */
    uint8_t may_be;
    struct fb_value value; /* if it follows */
};

struct fb_recompute {
    const struct fb_program *program;
    const struct fb_class *class_;
    struct fb_core *core;
    struct fb_device *device;
    struct fb_field_set given;
    uint64_t accepted; /* actuators that were given */
    struct fb_value *others; /* of each instruction, what it reads of other devices */
    bool *is_told;           /* of each of these */
    struct known registers[FB_REGISTERS_MAX];
};

static void no_output(void *context, const struct fb_output *output) {
    (void)context;
    (void)output;
}

struct fb_recompute *fb_recompute_new(const struct fb_program *program, uint16_t class_index) {
    struct fb_core_config config = {0};
    struct fb_recompute *r = fb_alloc(sizeof *r);
    r->program = program;
    r->class_ = &program->classes[class_index];
    r->core = fb_core_new(program, &config, no_output, NULL);
    r->device = fb_trial_device(r->core, class_index);
    r->others = fb_alloc(sizeof *r->others * (r->class_->n_code + 1u));
    r->is_told = fb_alloc(r->class_->n_code + 1u);
    fb_trial_tell(r->core, r->others);
    return r;
}

void fb_recompute_free(struct fb_recompute *r) {
    if (!r)
        return;
    fb_core_free(r->core);
    free(r->others);
    free(r->is_told);
    free(r);
}

void fb_recompute_give(struct fb_recompute *r, uint32_t field, const struct fb_value *value) {
    fb_trial_set(r->core, r->device, field, value);
    fb_field_set_add(&r->given, field);
}

void fb_recompute_accept(struct fb_recompute *r, uint32_t actuator, const struct fb_value *value) {
    fb_trial_accept(r->device, actuator, value);
    r->accepted |= UINT64_C(1) << actuator;
}

static bool reads_others(const struct fb_instr *in) {
    return in->op == FB_I_LINKED || in->op == FB_I_GROUP;
}

static const struct fb_instr *reading_of(const struct fb_recompute *r,
                                         const struct fb_shown *shown) {
    const struct fb_instr *code = &r->class_->code[shown->code.first];
    for (uint32_t i = 0; i < shown->code.count; i++)
        if (reads_others(&code[i]))
            return &code[i];
    FB_BUG("a value of others that nothing reads");
}

/* Wherever the class reads the same. */
void fb_recompute_tell(struct fb_recompute *r, const struct fb_shown *shown,
                       const struct fb_value *value) {
    const struct fb_instr *from = reading_of(r, shown);
    for (uint32_t i = 0; i < r->class_->n_code; i++) {
        const struct fb_instr *in = &r->class_->code[i];
        if (in->op != from->op || in->sub != from->sub || in->a != from->a || in->b != from->b ||
            in->imm != from->imm)
            continue;
        r->others[i] = *value;
        r->is_told[i] = true;
    }
}

bool fb_recompute_is_told(const struct fb_recompute *r, const struct fb_instr *in) {
    return r->is_told[in - r->class_->code];
}

bool fb_recompute_has(const struct fb_recompute *r, uint32_t field) {
    return fb_field_set_has(&r->given, field);
}

bool fb_recompute_has_accepted(const struct fb_recompute *r, uint32_t actuator) {
    return r->accepted >> actuator & 1;
}

/* ---- what follows ---- */

static bool operand_follows(const struct fb_recompute *r, enum fb_operand kind, uint32_t operand,
                            uint32_t count) {
    switch (kind) {
    case FB_OPERAND_REG:
        return r->registers[operand].follows;
    case FB_OPERAND_REGS:
        for (uint32_t i = 0; i < count; i++)
            if (!r->registers[operand + i].follows)
                return false;
        return true;
    case FB_OPERAND_FIELD:
        return operand < FB_FIELDS_MAX && fb_recompute_has(r, operand);
    case FB_OPERAND_ACTUATOR:
        return fb_recompute_has_accepted(r, operand);
    case FB_OPERAND_ALARM:
    case FB_OPERAND_MODE:
    case FB_OPERAND_LINK:
    case FB_OPERAND_PUBLISHED:
    case FB_OPERAND_GROUP:
    case FB_OPERAND_CELL:
    case FB_OPERAND_WINDOW:
        return false;
    case FB_OPERAND_NONE:
    case FB_OPERAND_MASK:
    case FB_OPERAND_COUNT:
    case FB_OPERAND_NUMBER:
    case FB_OPERAND_PAIR:
    case FB_OPERAND_INT:
    case FB_OPERAND_TEXT:
    case FB_OPERAND_PATTERN:
    case FB_OPERAND_SHARE:
    case FB_OPERAND_CMP:
    case FB_OPERAND_AGG:
    case FB_OPERAND_AGG_CMP:
    case FB_OPERAND_PERCENT:
    case FB_OPERAND_GROUP_FUNCTION:
    case FB_OPERAND_FLAG:
        break;
    }
    return true;
}

static bool follows(const struct fb_recompute *r, const struct fb_instr *in) {
    const struct fb_opcode_row *row = fb_opcode_row(in->op);
    if (reads_others(in))
        return fb_recompute_is_told(r, in);
    return in->op != FB_I_AGE && in->op != FB_I_SILENT &&
           operand_follows(r, row->a, in->a, in->b) && operand_follows(r, row->b, in->b, 1) &&
           operand_follows(r, row->imm, in->imm, 1);
}

/* ---- what may be ---- */

enum { F = FB_MAY_BE_FALSE, T = FB_MAY_BE_TRUE, U = FB_MAY_BE_UNKNOWN };

static uint8_t both(uint8_t a, uint8_t b, uint8_t decides) {
    if (a == decides || b == decides)
        return decides;
    return a == U || b == U ? U : decides == F ? T : F;
}

static uint8_t and_of(uint8_t a, uint8_t b) {
    return both(a, b, F);
}
static uint8_t or_of(uint8_t a, uint8_t b) {
    return both(a, b, T);
}
/* Set before or not: as fb_until. */
static uint8_t until_of(uint8_t a, uint8_t b) {
    if (b == T)
        return F;
    if (b == F)
        return a == T ? T : (uint8_t)(T | a);
    return a == F ? F | U : U;
}

/* Every pair of what two registers may be. */
static uint8_t pairs(uint8_t a, uint8_t b, uint8_t (*of)(uint8_t a, uint8_t b)) {
    uint8_t set = 0;
    for (uint8_t x = 1; x < 8; x = (uint8_t)(x << 1))
        for (uint8_t y = 1; y < 8; y = (uint8_t)(y << 1))
            if ((a & x) && (b & y))
                set |= of(x, y);
    return set;
}

/* Began before or now; the span itself may be unknown. */
static uint8_t delay_of(uint8_t a, bool constant) {
    uint8_t set = 0;
    if (a & F)
        set |= F;
    if (a & U)
        set |= U;
    if (a & T)
        set |= F | T;
    return constant ? set : set | U;
}

static uint8_t may_be(const struct fb_recompute *r, const struct fb_instr *in) {
    const struct known *of = r->registers;
    switch ((enum fb_opcode)in->op) {
    case FB_I_NOT: {
        uint8_t a = of[in->a].may_be;
        return (uint8_t)((a & U) | (a & F ? T : 0) | (a & T ? F : 0));
    }
    case FB_I_AND:
        return pairs(of[in->a].may_be, of[in->b].may_be, and_of);
    case FB_I_OR:
        return pairs(of[in->a].may_be, of[in->b].may_be, or_of);
    case FB_I_UNTIL:
        return pairs(of[in->a].may_be, of[in->b].may_be, until_of);
    case FB_I_FOR:
        return delay_of(of[in->a].may_be, false);
    case FB_I_FOR_CONST:
        return delay_of(of[in->a].may_be, true);
    case FB_I_KNOWN:
    case FB_I_QUALITY:
    case FB_I_SILENT:
        return F | T;
    default:
        return FB_MAY_BE_ANY;
    }
}

static void walk(struct fb_recompute *r, const struct fb_code *code) {
    for (uint32_t i = 0; i < code->count; i++) {
        const struct fb_instr *in = &r->class_->code[code->first + i];
        struct known known = {.follows = follows(r, in)};
        if (known.follows) {
            struct fb_code part = {code->first, i + 1, in->dst, code->registers};
            known.value = fb_trial_run(r->core, r->device, &part);
            known.may_be = known.value.quality != FB_Q_GOOD ? U : known.value.i ? T : F;
        } else {
            known.may_be = may_be(r, in);
        }
        r->registers[in->dst] = known;
    }
}

uint8_t fb_recompute_truth(struct fb_recompute *r, const struct fb_code *code, uint16_t reg) {
    walk(r, code);
    return r->registers[reg].may_be;
}

bool fb_recompute_value(struct fb_recompute *r, const struct fb_code *code,
                        struct fb_value *value) {
    walk(r, code);
    *value = r->registers[code->result].value;
    return r->registers[code->result].follows;
}

/* ---- a record's values ---- */

static uint8_t quality_of(struct fb_str name) {
    for (int q = FB_Q_UNKNOWN; q <= FB_Q_STALE; q++)
        if (fb_str_eq(name, fb_str_of(fb_quality_name((enum fb_quality)q))))
            return (uint8_t)q;
    return FB_Q_UNKNOWN;
}

struct words {
    const struct fb_str *words; /* of an enumeration */
    uint32_t n;
};

/* False: what stands in the record is not exactly the value (times have milliseconds). */
static bool parse(enum fb_type type, struct words words, struct fb_story_value text,
                  struct fb_value *value) {
    switch (type) {
    case FB_T_NUMBER:
    case FB_T_COUNTER:
        return text.kind == FB_STORY_NUMBER && fb_num_parse(text.text, &value->num);
    case FB_T_INTEGER:
        return text.kind == FB_STORY_NUMBER && fb_num_parse_int(text.text, &value->i);
    case FB_T_BOOL:
        value->i = fb_str_eq(text.text, FB_S("true"));
        return text.kind == FB_STORY_TRUTH;
    case FB_T_TEXT:
        value->text = text.text;
        return text.kind == FB_STORY_TEXT && text.text.n <= FB_TEXT_BYTES_MAX;
    case FB_T_ENUM:
        for (uint32_t i = 0; i < words.n; i++)
            if (text.kind == FB_STORY_TEXT && fb_str_eq(words.words[i], text.text)) {
                value->i = i;
                return true;
            }
        return false;
    case FB_T_TIME:
    case FB_T_NONE:
        break;
    }
    return false;
}

static bool parse_accepted(const struct fb_actuator *actuator, struct fb_story_value text,
                           struct fb_value *value) {
    if (!actuator->is_switch)
        return text.kind == FB_STORY_NUMBER && fb_num_parse(text.text, &value->num);
    for (uint32_t i = 0; i < 2; i++)
        if (text.kind == FB_STORY_TEXT && fb_str_eq(actuator->words[i], text.text)) {
            value->i = i;
            return true;
        }
    return false;
}

/* A value that the conditions have not seen yet is not theirs. */
static void give_actuator(struct fb_recompute *r, uint32_t index,
                          const struct fb_story_input *input) {
    struct fb_value value = {.quality = quality_of(input->quality)};
    if (value.quality != FB_Q_GOOD ||
        (input->at_us != FB_NO_TIME &&
         parse_accepted(&r->class_->actuators[index], input->value, &value)))
        fb_recompute_accept(r, index, &value);
}

static void give_field(struct fb_recompute *r, uint32_t field, const struct fb_story_input *input) {
    struct fb_value value = {.quality = quality_of(input->quality)};
    const struct fb_field *of = &r->class_->fields[field];
    if (value.quality != FB_Q_GOOD ||
        parse(of->type, (struct words){of->words, of->n_words}, input->value, &value))
        fb_recompute_give(r, field, &value);
}

/* As of an actuator. */
static void tell_others(struct fb_recompute *r, const struct fb_shown *shown,
                        const struct fb_story_input *input) {
    struct fb_value value = {.quality = quality_of(input->quality)};
    const struct fb_instr *in = reading_of(r, shown);
    struct words words = {0};
    if (in->op == FB_I_LINKED) {
        const struct fb_published *of = &r->class_->links[in->a].to->published[in->imm];
        words = (struct words){of->words, of->n_words};
    }
    if (input->at_us != FB_NO_TIME &&
        (value.quality != FB_Q_GOOD || parse(shown->type, words, input->value, &value)))
        fb_recompute_tell(r, shown, &value);
}

static void give(struct fb_recompute *r, const struct fb_rule *rule, const struct fb_story *story,
                 const struct fb_story_input *(*find)(const struct fb_story *, struct fb_str)) {
    for (uint32_t i = 0; i < rule->n_shown; i++) {
        const struct fb_shown *shown = &rule->shown[i];
        const struct fb_story_input *input = find(story, shown->name);
        if (input && shown->is_field)
            give_field(r, shown->field, input);
        else if (input && shown->is_actuator)
            give_actuator(r, shown->actuator, input);
        else if (input && shown->is_others)
            tell_others(r, shown, input);
    }
}

void fb_recompute_give_story(struct fb_recompute *r, const struct fb_rule *rule,
                             const struct fb_story *story) {
    give(r, rule, story, fb_story_input);
}

void fb_recompute_give_own(struct fb_recompute *r, const struct fb_actuator *actuator,
                           const struct fb_story *story) {
    give(r, &r->program->rules[actuator->rule], story, fb_story_own_input);
}

/* ---- against what happened ---- */

static uint8_t condition_may_be(struct fb_recompute *r, const struct fb_condition *condition) {
    return fb_recompute_truth(r, &condition->code, condition->code.result);
}

static const struct fb_condition *condition_of(const struct fb_recompute *r,
                                               const struct fb_rule *rule, uint32_t i) {
    return &r->class_->conditions[rule->first_condition + i];
}

/* What the raise may count as, `on unknown` applied: F, T or both. */
static uint8_t may_count(const struct fb_rule *rule, uint8_t may_be) {
    uint8_t set = may_be & (F | T);
    if (may_be & U)
        set |= rule->on_unknown == FB_POLICY_RAISE   ? T
               : rule->on_unknown == FB_POLICY_CLEAR ? F
                                                     : F | T;
    return set;
}

static enum fb_recheck check_cleared(struct fb_recompute *r, const struct fb_rule *rule) {
    enum fb_recheck verdict = FB_RECHECK_AGREES;
    for (uint32_t i = 0; i < rule->n_conditions; i++) {
        uint8_t counts = may_count(rule, condition_may_be(r, condition_of(r, rule, i)));
        if (counts == T)
            return FB_RECHECK_DIFFERS;
        if (counts != F)
            verdict = FB_RECHECK_FITS;
    }
    return verdict;
}

/* The highest severity that holds is the record's. */
static enum fb_recheck check_raised(struct fb_recompute *r, const struct fb_rule *rule,
                                    struct fb_str severity) {
    bool may_hold = false, holds = false, open = false;
    enum fb_severity wanted = FB_SEV_NONE;
    for (int s = FB_INFO; s <= FB_CRITICAL; s++)
        if (fb_str_eq(severity, fb_str_of(fb_severity_name((enum fb_severity)s))))
            wanted = (enum fb_severity)s;
    for (uint32_t i = 0; i < rule->n_conditions; i++) {
        if (rule->severities[i] < wanted)
            continue;
        uint8_t counts = may_count(rule, condition_may_be(r, condition_of(r, rule, i)));
        if (rule->severities[i] > wanted && counts == T)
            return FB_RECHECK_DIFFERS;
        open |= rule->severities[i] > wanted && counts != F;
        may_hold |= rule->severities[i] == wanted && (counts & T);
        holds |= rule->severities[i] == wanted && counts == T;
    }
    if (!may_hold)
        return FB_RECHECK_DIFFERS;
    return holds && !open ? FB_RECHECK_AGREES : FB_RECHECK_FITS;
}

static enum fb_recheck check_alarm(struct fb_recompute *r, const struct fb_rule *rule,
                                   const struct fb_story *story) {
    if (fb_str_eq(story->outcome, FB_S("cleared")))
        return check_cleared(r, rule);
    if (!fb_str_eq(story->outcome, FB_S("raised")) && !fb_str_eq(story->outcome, FB_S("severity")))
        return FB_RECHECK_FITS;
    return check_raised(r, rule, story->severity);
}

/* Without its device. */
static struct fb_str actuator_name(const struct fb_story *story) {
    const char *slash =
        story->actuator.n ? memchr(story->actuator.p, '/', story->actuator.n) : NULL;
    return (struct fb_str){story->actuator.p, slash ? (size_t)(slash - story->actuator.p) : 0};
}

uint32_t fb_recompute_state(const struct fb_recompute *r, const struct fb_rule *rule,
                            const struct fb_story *story) {
    const struct fb_story_input *input =
        rule->sort == FB_SORT_MODE ? fb_story_input(story, rule->name) : NULL;
    const struct fb_machine *mode = input ? &r->class_->modes[rule->mode] : NULL;
    for (uint32_t i = 0; mode && i < mode->n_states; i++)
        if (input->value.kind == FB_STORY_TEXT && fb_str_eq(mode->states[i], input->value.text))
            return i;
    return UINT32_MAX;
}

/* The claim of the rule on the story's actuator, of a mode in its state; NULL: it has none. */
static const struct fb_condition *claim_of(const struct fb_recompute *r, const struct fb_rule *rule,
                                           const struct fb_story *story) {
    struct fb_str name = actuator_name(story);
    uint32_t state = fb_recompute_state(r, rule, story);
    for (uint32_t i = 0; i < rule->n_conditions; i++) {
        const struct fb_condition *condition = condition_of(r, rule, i);
        if (condition->role == FB_ROLE_CLAIM &&
            (!r->class_->claims[condition->claim].of_mode ||
             r->class_->claims[condition->claim].state == state) &&
            fb_str_eq(r->class_->actuators[r->class_->claims[condition->claim].actuator].name,
                      name))
            return condition;
    }
    return NULL;
}

static bool is_number(double x, struct fb_story_value text) {
    double y;
    return text.kind == FB_STORY_NUMBER && fb_num_parse(text.text, &y) && !(x < y || x > y);
}

static bool is_value(const struct fb_actuator *actuator, const struct fb_value *value,
                     struct fb_story_value text) {
    if (actuator->is_switch)
        return fb_str_eq(actuator->words[value->i != 0], text.text);
    return is_number(value->num, text);
}

/* What the claim asks for, as far as it is on. */
static enum fb_recheck check_claim(struct fb_recompute *r, const struct fb_rule *rule,
                                   const struct fb_condition *condition,
                                   struct fb_story_value asked) {
    const struct fb_actuator *actuator =
        &r->class_->actuators[r->class_->claims[condition->claim].actuator];
    struct fb_value value;
    if (r->class_->claims[condition->claim].is_step || /* it adds to what does not stand there */
        !fb_recompute_value(r, &condition->code, &value))
        return FB_RECHECK_FITS;
    if (value.quality == FB_Q_GOOD)
        return is_value(actuator, &value, asked) ? FB_RECHECK_AGREES : FB_RECHECK_DIFFERS;
    return rule->on_unknown == FB_POLICY_STOP ? FB_RECHECK_DIFFERS : FB_RECHECK_FITS;
}

static bool is_safe(const struct fb_actuator *actuator, struct fb_story_value asked) {
    if (actuator->is_switch)
        return fb_str_eq(actuator->words[actuator->safe != 0], asked.text);
    return is_number(actuator->safe, asked);
}

/* What a control's start may be; of a mode in a state: unknown where a way out of it may be. */
static uint8_t on_may_be(struct fb_recompute *r, const struct fb_rule *rule, uint32_t state) {
    if (rule->sort != FB_SORT_MODE)
        return rule->has_start ? condition_may_be(r, condition_of(r, rule, 0)) : T;
    const struct fb_machine *mode = &r->class_->modes[rule->mode];
    uint8_t start = T;
    for (uint32_t i = 0; i < mode->n_gos; i++)
        if (mode->gos[i].condition != FB_NO_CONDITION &&
            (mode->gos[i].from == state ||
             (mode->gos[i].from == FB_ANY_STATE && mode->gos[i].to != state)))
            start |= condition_may_be(r, &r->class_->conditions[mode->gos[i].condition]) & U;
    return start;
}

/* The rule's claim is in force, with that value. */
static enum fb_recheck check_entry(struct fb_recompute *r, const struct fb_rule *rule,
                                   const struct fb_condition *condition,
                                   struct fb_story_value asked) {
    uint8_t start = on_may_be(r, rule, r->class_->claims[condition->claim].state);
    enum fb_recheck on = check_claim(r, rule, condition, asked);
    bool may_be_on = (start & T) || ((start & U) && rule->on_unknown == FB_POLICY_HOLD);
    bool may_be_safe = (start & U) && rule->on_unknown == FB_POLICY_SAFE;
    const struct fb_actuator *actuator =
        &r->class_->actuators[r->class_->claims[condition->claim].actuator];
    if (may_be_safe && is_safe(actuator, asked))
        return start == U ? FB_RECHECK_AGREES : FB_RECHECK_FITS;
    if (!may_be_on || on == FB_RECHECK_DIFFERS)
        return FB_RECHECK_DIFFERS;
    return start == T ? on : FB_RECHECK_FITS;
}

static enum fb_recheck check_acting(struct fb_recompute *r, const struct fb_rule *rule,
                                    const struct fb_story *story) {
    const struct fb_condition *condition = claim_of(r, rule, story);
    for (uint32_t i = 0; condition && i < story->n_entries; i++)
        if (fb_str_eq(story->entries[i].rule, rule->name))
            return check_entry(r, rule, condition, story->entries[i].value);
    return FB_RECHECK_FITS; /* what an earlier command asked for goes on */
}

/* ---- an actuator's own conditions ---- */

const struct fb_actuator *fb_recompute_actuator(const struct fb_program *program,
                                                const struct fb_story *story,
                                                uint16_t *class_index) {
    const struct fb_actuator *found = NULL;
    struct fb_str name = actuator_name(story);
    for (uint32_t c = 0; c < program->n_classes; c++) {
        const struct fb_class *class_ = &program->classes[c];
        for (uint32_t i = 0; i < class_->n_actuators; i++) {
            const struct fb_actuator *actuator = &class_->actuators[i];
            const char *version = program->rules[actuator->rule].version;
            bool is_it = fb_str_eq(actuator->name, name) && actuator->shadow == story->shadow;
            if (!is_it || (found && !fb_str_eq(story->own_version, fb_str_of(version))))
                continue;
            found = actuator;
            *class_index = (uint16_t)c;
        }
    }
    return found;
}

static const struct fb_story_verdict *verdict_of(const struct fb_story *story,
                                                 enum fb_guard guard) {
    for (uint32_t i = 0; i < story->n_verdicts; i++)
        if (fb_str_eq(story->verdicts[i].guardrail, fb_str_of(fb_guard_name(guard))))
            return &story->verdicts[i];
    return NULL;
}

static bool has_changed(const struct fb_story_verdict *verdict) {
    return fb_str_eq(verdict->result, FB_S("change"));
}

/* Whether the guardrails, where they were asked, said what the truths that stand there ask for. */
static bool guards_follow(const struct fb_actuator *actuator, const struct fb_story *story) {
    const struct fb_story_verdict *interlock = verdict_of(story, FB_GUARD_INTERLOCK);
    const struct fb_story_verdict *permissive = verdict_of(story, FB_GUARD_PERMISSIVE);
    bool locks = story->interlock.n && !fb_str_eq(story->interlock, FB_S("false"));
    bool permits = !story->permissive.n || fb_str_eq(story->permissive, FB_S("true"));
    if (interlock && has_changed(interlock) != (locks && !is_safe(actuator, interlock->requested)))
        return false;
    if (interlock && has_changed(interlock) && !is_safe(actuator, interlock->applied))
        return false;
    if (!permissive)
        return true;
    bool starts = !actuator->is_switch || fb_str_eq(permissive->requested.text, actuator->words[1]);
    return fb_str_eq(permissive->result, FB_S("refuse")) == (starts && !permits);
}

/* Whether the condition comes to what stands there. */
static enum fb_recheck check_truth(struct fb_recompute *r, uint32_t condition, struct fb_str said) {
    if (condition == FB_NO_CONDITION)
        return said.n ? FB_RECHECK_DIFFERS : FB_RECHECK_AGREES;
    uint8_t may_be = condition_may_be(r, &r->class_->conditions[condition]);
    uint8_t is = fb_str_eq(said, FB_S("true"))      ? T
                 : fb_str_eq(said, FB_S("false"))   ? F
                 : fb_str_eq(said, FB_S("unknown")) ? U
                                                    : 0;
    return !(may_be & is) ? FB_RECHECK_DIFFERS : may_be == is ? FB_RECHECK_AGREES : FB_RECHECK_FITS;
}

enum fb_recheck fb_recompute_check_own(struct fb_recompute *r, const struct fb_actuator *actuator,
                                       const struct fb_story *story) {
    enum fb_recheck interlock = check_truth(r, actuator->interlock, story->interlock);
    enum fb_recheck permissive = check_truth(r, actuator->permissive, story->permissive);
    if (!guards_follow(actuator, story))
        return FB_RECHECK_DIFFERS;
    return interlock > permissive ? interlock : permissive;
}

/* ---- a record ---- */

enum fb_recheck fb_recompute_check(struct fb_recompute *r, const struct fb_rule *rule,
                                   const struct fb_story *story) {
    uint8_t when;
    switch (story->sort) {
    case FB_STORY_ALARM:
        return check_alarm(r, rule, story);
    case FB_STORY_COMMAND:
    case FB_STORY_BLOCK:
        return check_acting(r, rule, story);
    case FB_STORY_EVENT:
        when = condition_may_be(r, condition_of(r, rule, 0));
        return when == T ? FB_RECHECK_AGREES : when & T ? FB_RECHECK_FITS : FB_RECHECK_DIFFERS;
    case FB_STORY_REJECTED:
    case FB_STORY_RULES:
    case FB_STORY_CLOCK:
    case FB_STORY_OPERATOR:
    case FB_STORY_WITHHELD:
        break;
    }
    return FB_RECHECK_FITS;
}
