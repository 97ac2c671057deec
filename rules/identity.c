/* Hashes of content: of a field its declaration, of a window its samples and shape, of a condition
 * its code with the constants in place, operand by operand, so that neither the names of lets nor
 * the places of constants count; of an actuator its name, its words and its unit.
 *
 * Place in the flow: see identity.h. */
#include "rules/identity.h"

#include <stdlib.h>

#include "engine/base/err.h"
#include "rules/listing.h"
#include "rules/opcodes.h"

/* Content while it is gathered. */
struct content {
    struct fb_buf bytes;
};

static void add_text(struct content *to, struct fb_str text) {
    uint64_t n = text.n;
    fb_buf_put(&to->bytes, &n, sizeof n);
    fb_buf_str(&to->bytes, text);
}
static void add_word(struct content *to, const char *word) {
    add_text(to, fb_str_of(word));
}
static void add_int(struct content *to, int64_t x) {
    fb_buf_put(&to->bytes, &x, sizeof x);
}
static void add_number(struct content *to, double x) {
    fb_buf_put(&to->bytes, &x, sizeof x);
}
static void add_hash(struct content *to, struct fb_hash128 hash) {
    fb_buf_put(&to->bytes, &hash, sizeof hash);
}
static struct fb_hash128 end_content(struct content *content) {
    struct fb_hash128 hash = fb_hash128(content->bytes.p, content->bytes.n);
    fb_buf_free(&content->bytes);
    return hash;
}

/* A class while its cells are found. */
struct maker {
    const struct fb_program *program;
    struct fb_class *class_;
    struct fb_arena *arena;
    struct fb_hash128 *fields;  /* hash of each */
    struct fb_hash128 *windows; /* what is seen of each by those that read it */
    struct fb_hash128 *window_likes; /* the same, numbers left out */
    struct fb_hash128 *movements;    /* of windows, what is sampled and how they move */
    bool *is_found;                  /* of windows, whether these three are */
    struct fb_hash128 *conditions, *condition_likes;
    struct fb_hash128 *claims;
    struct fb_hash128 *published, *published_likes; /* where `is_known`: of what computes each */
    bool *is_known;
    struct maker *makers; /* of all classes, whose published values this one reads */
};

static void add_cell(struct maker *m, struct fb_cell_id cell) {
    m->class_->cells[m->class_->n_cells++] = cell;
}

/* ---- fields -------------------------------------------------------------------------------- */

static void begin_field(struct content *content, const struct fb_field *field) {
    add_word(content, "field");
    add_text(content, field->name);
    add_int(content, field->role == FB_ROLE_KEY);
    add_int(content, field->type);
    add_text(content, field->unit);
}

static void identify_fields(struct maker *m) {
    for (uint32_t i = 0; i < m->class_->n_fields; i++) {
        const struct fb_field *field = &m->class_->fields[i];
        struct content whole = {0}, like = {0};
        begin_field(&whole, field);
        begin_field(&like, field);
        for (uint32_t w = 0; w < field->n_words; w++)
            add_text(&whole, field->words[w]);
        m->fields[i] = end_content(&whole);
        add_cell(m, (struct fb_cell_id){.kind = FB_CELL_FIELD,
                                     .index = i,
                                     .offset = field->offset,
                                     .words = field->type == FB_T_ENUM ? field->n_words : 0,
                                     .hash = m->fields[i],
                                     .likeness = end_content(&like),
                                     .name = field->name});
    }
}

/* ---- actuators ----------------------------------------------------------------------------- */

/* What it takes to command it: its memory and the claims on it say nothing about another such. */
static void add_what(struct content *to, const struct fb_actuator *actuator) {
    add_int(to, actuator->is_switch);
    for (int i = 0; actuator->is_switch && i < 2; i++)
        add_text(to, actuator->words[i]);
    add_text(to, actuator->unit);
}

static void begin_actuator(const struct maker *m, struct content *content,
                           const struct fb_actuator *actuator) {
    add_word(content, actuator->shadow ? "shadow" : "actuator");
    add_text(content, m->class_->name);
    add_text(content, actuator->name);
}

static void identify_actuators(struct maker *m) {
    for (uint32_t i = 0; i < m->class_->n_actuators; i++) {
        const struct fb_actuator *actuator = &m->class_->actuators[i];
        struct content whole = {0}, like = {0};
        begin_actuator(m, &whole, actuator);
        add_what(&whole, actuator);
        begin_actuator(m, &like, actuator);
        add_cell(m, (struct fb_cell_id){.kind = FB_CELL_ACTUATOR,
                                     .index = i,
                                     .offset = actuator->offset,
                                     .hash = end_content(&whole),
                                     .likeness = end_content(&like),
                                     .name = fb_str_printf(m->arena, "%.*s, %s",
                                                           FB_ARG(actuator->name),
                                                           actuator->shadow ? "memory of its shadow"
                                                                            : "memory")});
    }
}

/* ---- code ---------------------------------------------------------------------------------- */

/* A piece of code: the hash of what each register holds. `numbers`: constants count. */
struct walk {
    const struct maker *m;
    const struct fb_instr *code;
    uint32_t count;
    struct fb_hash128 *registers;
    bool numbers;
};

static const struct fb_instr *definition(const struct walk *w, uint16_t reg) {
    for (uint32_t i = 0; i < w->count; i++)
        if (w->code[i].dst == reg)
            return &w->code[i];
    FB_BUG("a register that nothing writes");
}

/* A literal beside an integer or time field: a number of the text, not a word or a truth. */
static bool is_limit(const struct walk *w, const struct fb_instr *in, uint16_t reg) {
    if (in->op != FB_I_CMP_INT || definition(w, reg)->op != FB_I_INT)
        return false;
    const struct fb_instr *other = definition(w, reg == in->a ? in->b : in->a);
    if (other->op != FB_I_FIELD)
        return false;
    enum fb_type type = w->m->class_->fields[other->imm].type;
    return type == FB_T_INTEGER || type == FB_T_TIME;
}

static void add_register(const struct walk *w, struct content *to, const struct fb_instr *in,
                         uint32_t reg) {
    if (!w->numbers && is_limit(w, in, (uint16_t)reg))
        add_word(to, "number");
    else
        add_hash(to, w->registers[reg]);
}

static void add_literal(const struct walk *w, struct content *to, double x) {
    if (w->numbers)
        add_number(to, x);
    else
        add_word(to, "number");
}

static void add_relation(struct content *to, const struct fb_class *class_, uint32_t relation) {
    for (uint32_t i = 0; i < class_->relations[relation].n_fields; i++)
        add_text(to, class_->fields[class_->relations[relation].fields[i]].name);
}

static void find_published(struct maker *m, uint32_t index);
static void find_window(struct maker *m, uint32_t index);

/* What another device is read for, by what computes it there. */
static void add_published(const struct walk *w, struct content *to, uint32_t class_index,
                          uint32_t published) {
    struct maker *other = &w->m->makers[class_index];
    if (published == FB_NO_INDEX) {
        add_word(to, "none");
        return;
    }
    find_published(other, published);
    add_hash(to, w->numbers ? other->published[published] : other->published_likes[published]);
}

static void add_group(const struct walk *w, struct content *to, const struct fb_group *group) {
    const struct maker *m = w->m;
    const struct fb_class *members = &m->program->classes[group->class_index];
    add_text(to, members->name);
    add_relation(to, members, group->relation);
    if (group->own == FB_NO_INDEX)
        add_word(to, "id");
    else
        add_relation(to, m->class_, group->own);
    add_published(w, to, group->class_index, group->value);
    add_published(w, to, group->class_index, group->where);
}

static void add_operand(const struct walk *w, struct content *to, const struct fb_instr *in,
                        enum fb_operand kind, uint32_t operand) {
    const struct fb_class *class_ = w->m->class_;
    switch (kind) {
    case FB_OPERAND_REG: add_register(w, to, in, operand); break;
    case FB_OPERAND_REGS:
        for (uint32_t i = 0; i < in->b; i++)
            add_hash(to, w->registers[operand + i]);
        break;
    case FB_OPERAND_FIELD:
        if (operand == UINT16_MAX)
            add_word(to, "every");
        else
            add_hash(to, w->m->fields[operand]);
        break;
    case FB_OPERAND_COUNT: /* of VOTE: how many are wanted is a number of the text */
    case FB_OPERAND_SHARE:
    case FB_OPERAND_NUMBER:
        add_literal(w, to,
                    kind == FB_OPERAND_COUNT ? (double)operand : class_->numbers[operand]);
        break;
    case FB_OPERAND_INT:
        if (in->op == FB_I_FOR_CONST && !w->numbers)
            add_word(to, "number");
        else
            add_int(to, class_->ints[operand]);
        break;
    case FB_OPERAND_PAIR:
        add_number(to, class_->numbers[operand]);
        add_number(to, class_->numbers[operand + 1]);
        break;
    case FB_OPERAND_TEXT: add_text(to, class_->texts[operand]); break;
    case FB_OPERAND_ACTUATOR:
        add_text(to, class_->actuators[operand].name);
        add_what(to, &class_->actuators[operand]);
        break;
    case FB_OPERAND_MODE:
        add_text(to, class_->modes[operand].name);
        for (uint32_t i = 0; i < class_->modes[operand].n_states; i++)
            add_text(to, class_->modes[operand].states[i]);
        break;
    case FB_OPERAND_ALARM:
        add_text(to, w->m->program->rules[class_->rules[operand]].name);
        break;
    case FB_OPERAND_LINK:
        add_relation(to, class_, class_->links[operand].relation);
        add_text(to, w->m->program->classes[class_->links[operand].class_index].name);
        break;
    case FB_OPERAND_PUBLISHED:
        add_published(w, to, class_->links[in->a].class_index, operand);
        break;
    case FB_OPERAND_GROUP:
        add_group(w, to, &class_->groups[operand]);
        break;
    case FB_OPERAND_PERCENT:
        if (in->sub == FB_GROUP_PERCENTILE || in->sub == FB_GROUP_ASKED_NEAREST)
            add_literal(w, to, class_->numbers[operand]);
        break;
    case FB_OPERAND_PATTERN: add_text(to, class_->patterns[operand]); break;
    case FB_OPERAND_WINDOW:
        find_window(&w->m->makers[w->m - w->m->makers], operand);
        add_hash(to, w->numbers ? w->m->windows[operand] : w->m->window_likes[operand]);
        break;
    case FB_OPERAND_MASK:
    case FB_OPERAND_CMP:
    case FB_OPERAND_AGG:
    case FB_OPERAND_AGG_CMP:
    case FB_OPERAND_GROUP_FUNCTION:
    case FB_OPERAND_FLAG: add_int(to, operand); break;
    case FB_OPERAND_CELL: /* where it lies says nothing */
    case FB_OPERAND_NONE: break;
    }
}

static struct fb_hash128 instr_hash(const struct walk *w, const struct fb_instr *in) {
    const struct fb_opcode_row *row = fb_opcode_row(in->op);
    struct content content = {0};
    add_word(&content, row->name);
    add_operand(w, &content, in, row->sub, in->sub);
    add_operand(w, &content, in, row->a, in->a);
    add_operand(w, &content, in, row->b, in->b);
    add_operand(w, &content, in, row->imm, in->imm);
    return end_content(&content);
}

/* The hash of each register of the code; free it. */
static struct fb_hash128 *code_hashes(const struct maker *m, const struct fb_code *code,
                                      bool numbers) {
    struct walk w = {.m = m,
                     .code = &m->class_->code[code->first],
                     .count = code->count,
                     .registers = fb_alloc(sizeof(struct fb_hash128) * FB_REGISTERS_MAX),
                     .numbers = numbers};
    for (uint32_t i = 0; i < code->count; i++)
        w.registers[w.code[i].dst] = instr_hash(&w, &w.code[i]);
    return w.registers;
}

static struct fb_hash128 code_hash(const struct maker *m, const struct fb_code *code,
                                   bool numbers) {
    struct fb_hash128 *registers = code_hashes(m, code, numbers);
    struct fb_hash128 hash = registers[code->result];
    free(registers);
    return hash;
}

/* ---- windows ------------------------------------------------------------------------------- */

/* What is sampled. */
static void add_input(const struct maker *m, struct content *to, const struct fb_window *window,
                      bool numbers) {
    add_int(to, window->input);
    add_int(to, window->type);
    if (window->input == FB_INPUT_FIELD)
        add_hash(to, m->fields[window->field]);
    if (window->input != FB_INPUT_CODE)
        return;
    add_hash(to, code_hash(m, &window->sample, numbers));
    for (uint32_t i = 0; i < m->class_->n_fields; i++)
        if (fb_field_set_has(&window->gives, i))
            add_hash(to, m->fields[i]);
}

/* Windows that move in the same way, however they are kept. */
static void add_movement(struct content *to, const struct fb_window *window) {
    add_word(to, window->shape == FB_SHAPE_EACH   ? "each"
                 : window->shape == FB_SHAPE_LAST ? "last"
                                                  : "over");
}

/* The field that the words of an enumeration in a window come from: the code gives its value, by
 * `where` or plainly. */
static uint32_t words_of(const struct fb_class *class_, const struct fb_window *window) {
    if (window->type != FB_T_ENUM)
        return 0;
    if (window->input == FB_INPUT_FIELD)
        return class_->fields[window->field].n_words;
    uint16_t reg = window->sample.result;
    for (uint32_t i = window->sample.count; i-- > 0;) {
        const struct fb_instr *in = &class_->code[window->sample.first + i];
        if (in->dst == reg && in->op == FB_I_IF)
            reg = in->b;
        else if (in->dst == reg && in->op == FB_I_FIELD)
            return class_->fields[in->imm].n_words;
    }
    FB_BUG("a word that is not a field's");
}

/* "avg max of load over 5m" */
static struct fb_str window_name(struct maker *m, const struct fb_window *window) {
    struct fb_buf text = {0};
    fb_listing_window(m->class_, window, &text);
    const char *end = memchr(text.p, ':', text.n);
    struct fb_str name = {text.p, end ? (size_t)(end - text.p) : text.n};
    name = fb_str_copy(m->arena, name);
    fb_buf_free(&text);
    return name;
}

/* Its samples may be made of published values, these of windows of other classes: none depends on
 * itself. */
static void find_window(struct maker *m, uint32_t index) {
    const struct fb_window *window = &m->class_->windows[index];
    struct content same = {0}, seen = {0}, seen_like = {0};
    if (m->is_found[index])
        return;
    add_input(m, &same, window, true);
    add_movement(&same, window);
    m->movements[index] = end_content(&same);
    add_hash(&seen, m->movements[index]);
    add_int(&seen, window->shape == FB_SHAPE_LAST ? window->places : window->length_us);
    add_int(&seen, window->late_us);
    m->windows[index] = end_content(&seen);
    add_input(m, &seen_like, window, false);
    add_movement(&seen_like, window);
    m->window_likes[index] = end_content(&seen_like);
    m->is_found[index] = true;
}

static void identify_windows(struct maker *m) {
    for (uint32_t i = 0; i < m->class_->n_windows; i++) {
        const struct fb_window *window = &m->class_->windows[i];
        struct content whole = {0};
        find_window(m, i);
        add_hash(&whole, m->windows[i]);
        add_int(&whole, window->shape);
        add_int(&whole, window->aggregates);
        add_int(&whole, window->pane_us);
        add_int(&whole, window->places);
        add_cell(m, (struct fb_cell_id){.kind = FB_CELL_WINDOW,
                                        .index = i,
                                        .offset = window->offset,
                                        .words = words_of(m->class_, window),
                                        .hash = end_content(&whole),
                                        .likeness = m->movements[i],
                                        .name = window_name(m, window)});
    }
}

/* ---- names ---------------------------------------------------------------------------------- */

/* What is commanded of other devices has its rule's name, and is told apart by its target. */
static void add_rule_name(struct content *to, const struct fb_rule *rule) {
    add_text(to, rule->name);
    if (rule->target.n)
        add_text(to, rule->target);
}

/* "vent", "vent of exhaust.speed" */
static struct fb_str rule_name(struct maker *m, const struct fb_rule *rule) {
    if (rule->target.n == 0)
        return rule->name;
    return fb_str_printf(m->arena, "%.*s of %.*s", FB_ARG(rule->name), FB_ARG(rule->target));
}

/* ---- conditions ---------------------------------------------------------------------------- */

static struct fb_str condition_name(struct maker *m, const struct fb_condition *condition) {
    const struct fb_rule *rule = &m->program->rules[condition->rule];
    const struct fb_class *class_ = m->class_;
    switch (condition->role) {
    case FB_ROLE_WHEN: break;
    case FB_ROLE_CLAIM:
        return fb_str_printf(
            m->arena, "%.*s: %s %.*s", FB_ARG(rule_name(m, rule)),
            class_->claims[condition->claim].is_step ? "step" : "command",
            FB_ARG(class_->actuators[class_->claims[condition->claim].actuator].name));
    case FB_ROLE_INTERLOCK:
        return fb_str_printf(m->arena, "%.*s: interlock", FB_ARG(rule->name));
    case FB_ROLE_PERMISSIVE:
        return fb_str_printf(m->arena, "%.*s: permissive", FB_ARG(rule->name));
    case FB_ROLE_PUBLISHED:
        return fb_str_printf(m->arena, "published: %.*s",
                             FB_ARG(class_->published[condition->published].name));
    }
    if (rule->sort != FB_SORT_ALARM)
        return fb_str_printf(m->arena, "%.*s: %s", FB_ARG(rule_name(m, rule)),
                             rule->sort == FB_SORT_EVENT     ? "when"
                             : rule->sort == FB_SORT_CONTROL ? "start"
                                                             : "go");
    return fb_str_printf(m->arena, "%.*s: raise %s", FB_ARG(rule->name),
                         fb_severity_name(rule->severities[condition->raise]));
}

static bool kind_of(uint8_t op, enum fb_cell_kind *kind) {
    switch (op) {
    case FB_I_FOR:
    case FB_I_FOR_CONST: *kind = FB_CELL_FOR; return true;
    case FB_I_UNTIL: *kind = FB_CELL_UNTIL; return true;
    case FB_I_ELAPSED: *kind = FB_CELL_ELAPSED; return true;
    default: return false;
    }
}

static void identify_operators(struct maker *m, uint32_t index, const struct fb_hash128 *whole,
                               const struct fb_hash128 *like, struct fb_str name) {
    static const char *const what[] = {
        [FB_CELL_FOR] = "for", [FB_CELL_UNTIL] = "until", [FB_CELL_ELAPSED] = "elapsed"};
    const struct fb_code *code = &m->class_->conditions[index].code;
    for (uint32_t i = 0; i < code->count; i++) {
        const struct fb_instr *in = &m->class_->code[code->first + i];
        enum fb_cell_kind kind;
        if (!kind_of(in->op, &kind))
            continue;
        add_cell(m, (struct fb_cell_id){.kind = kind,
                                     .index = index,
                                     .offset = in->imm,
                                     .hash = whole[in->dst],
                                     .likeness = like[in->dst],
                                     .name = fb_str_printf(m->arena, "%.*s, `%s`", FB_ARG(name),
                                                           what[kind])});
    }
}

/* Found again by its rule and its actuator, whatever it asks for. */
static void identify_claim(struct maker *m, const struct fb_condition *condition,
                           struct fb_hash128 value, struct fb_str name) {
    const struct fb_claim *claim = &m->class_->claims[condition->claim];
    const struct fb_actuator *actuator = &m->class_->actuators[claim->actuator];
    struct content whole = {0}, like = {0};
    add_word(&like, claim->is_step ? "step" : "claim");
    add_rule_name(&like, &m->program->rules[condition->rule]);
    add_text(&like, actuator->name);
    add_what(&like, actuator);
    if (claim->of_mode)
        add_text(&like,
                 m->class_->modes[m->program->rules[condition->rule].mode].states[claim->state]);
    struct fb_hash128 likeness = end_content(&like);
    add_hash(&whole, likeness);
    add_hash(&whole, value);
    add_int(&whole, claim->priority);
    add_number(&whole, claim->percent);
    add_int(&whole, claim->pulse_us);
    add_int(&whole, claim->every_us);
    add_number(&whole, claim->low);
    add_number(&whole, claim->high);
    if (claim->has_from)
        add_hash(&whole, code_hash(m, &claim->from, true));
    m->claims[condition->claim] = end_content(&whole);
    add_cell(m, (struct fb_cell_id){.kind = FB_CELL_CLAIM,
                                 .index = condition->claim,
                                 .offset = claim->offset,
                                 .hash = m->claims[condition->claim],
                                 .likeness = likeness,
                                 .name = name});
}

static struct fb_hash128 condition_hash(const struct maker *m, const struct fb_condition *condition,
                                        struct fb_hash128 result) {
    struct content content = {0};
    add_hash(&content, result);
    add_int(&content, condition->every_record);
    for (uint32_t i = 0; i < m->class_->n_fields; i++)
        if (fb_field_set_has(&condition->reads, i)) {
            add_hash(&content, m->fields[i]);
            add_int(&content, m->class_->fields[i].stale_us);
        }
    return end_content(&content);
}

/* None depends on itself, so that this comes to an end. */
static void find_published(struct maker *m, uint32_t index) {
    const struct fb_condition *condition =
        &m->class_->conditions[m->class_->published[index].condition];
    if (m->is_known[index])
        return;
    m->published[index] = condition_hash(m, condition, code_hash(m, &condition->code, true));
    m->published_likes[index] = code_hash(m, &condition->code, false);
    m->is_known[index] = true;
}

/* Found again by what computes it. */
static void identify_published(struct maker *m, const struct fb_condition *condition,
                               uint32_t index, struct fb_str name) {
    const struct fb_published *published = &m->class_->published[condition->published];
    struct content whole = {0}, like = {0};
    add_word(&whole, "published");
    add_int(&whole, published->type);
    add_hash(&whole, m->conditions[index]);
    add_word(&like, "published");
    add_int(&like, published->type);
    add_hash(&like, m->condition_likes[index]);
    add_cell(m, (struct fb_cell_id){.kind = FB_CELL_PUBLISHED,
                                    .index = condition->published,
                                    .offset = published->offset,
                                    .words = published->n_words,
                                    .hash = end_content(&whole),
                                    .likeness = end_content(&like),
                                    .name = name});
}

static void identify_condition(struct maker *m, uint32_t index) {
    const struct fb_condition *condition = &m->class_->conditions[index];
    struct fb_str name = condition_name(m, condition);
    struct fb_hash128 *whole = code_hashes(m, &condition->code, true);
    struct fb_hash128 *like = code_hashes(m, &condition->code, false);
    m->conditions[index] = condition_hash(m, condition, whole[condition->code.result]);
    m->condition_likes[index] = like[condition->code.result];
    if (condition->role == FB_ROLE_CLAIM)
        identify_claim(m, condition, m->conditions[index], name);
    else if (condition->role == FB_ROLE_PUBLISHED)
        identify_published(m, condition, index, name);
    else
        add_cell(m, (struct fb_cell_id){.kind = FB_CELL_CONDITION,
                                     .index = index,
                                     .offset = condition->offset,
                                     .hash = m->conditions[index],
                                     .likeness = m->condition_likes[index],
                                     .name = name});
    identify_operators(m, index, whole, like, name);
    free(whole);
    free(like);
}

/* ---- rules --------------------------------------------------------------------------------- */

static const char *sort_name(enum fb_rule_sort sort) {
    switch (sort) {
    case FB_SORT_ALARM: return "alarm";
    case FB_SORT_EVENT: return "event";
    case FB_SORT_CONTROL: return "control";
    case FB_SORT_ACTUATOR: return "actuator";
    case FB_SORT_MODE:
        return "mode";
    case FB_SORT_PUBLISHED:
        return "published";
    }
    FB_BUG("a sort of rule");
}

/* Its guardrails and where it is commanded: all but what claims it and whether it is the shadow. */
static void add_guardrails(struct content *to, const struct fb_actuator *actuator) {
    const double numbers[] = {actuator->low,     actuator->high,    actuator->safe,
                              actuator->fallback, actuator->slew[0], actuator->slew[1],
                              actuator->ignore_under};
    const int64_t ints[] = {actuator->minimum_us[0],
                            actuator->minimum_us[1],
                            actuator->maximum_on_us,
                            actuator->starts,
                            actuator->starts_us,
                            actuator->slew_us[0],
                            actuator->slew_us[1],
                            actuator->lease_us,
                            actuator->deliver_us,
                            actuator->hold_us,
                            actuator->combine,
                            actuator->lockout_us,
                            actuator->reversals,
                            actuator->reversals_us,
                            actuator->breaker_us,
                            actuator->breaker_safe,
                            actuator->failures,
                            actuator->interlock == FB_NO_CONDITION,
                            actuator->permissive == FB_NO_CONDITION};
    add_what(to, actuator);
    if (actuator->to.n)
        add_text(to, actuator->to);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        add_number(to, numbers[i]);
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        add_int(to, ints[i]);
}

/* Its conditions stand elsewhere. */
static void add_mode(struct content *to, const struct fb_machine *mode) {
    for (uint32_t i = 0; i < mode->n_states; i++) {
        add_text(to, mode->states[i]);
        add_int(to, mode->stay_us[i]);
    }
    for (uint32_t i = 0; i < mode->n_gos; i++) {
        add_int(to, mode->gos[i].from);
        add_int(to, mode->gos[i].to);
        add_int(to, mode->gos[i].condition == FB_NO_CONDITION);
        add_int(to, mode->gos[i].after_us);
        add_int(to, mode->gos[i].at_once);
    }
}

static void identify_rule(struct maker *m, uint32_t index) {
    const struct fb_rule *rule = &m->program->rules[index];
    bool alarm = rule->sort == FB_SORT_ALARM;
    const char *sort = sort_name(rule->sort);
    struct content whole = {0}, like = {0};
    add_word(&like, sort);
    add_rule_name(&like, rule);
    add_word(&whole, sort);
    add_rule_name(&whole, rule);
    for (uint32_t i = 0; i < rule->n_conditions; i++) {
        add_hash(&whole, m->conditions[rule->first_condition + i]);
        add_int(&whole, alarm ? (int64_t)rule->severities[i] : 0);
    }
    add_int(&whole, rule->on_unknown);
    add_int(&whole, rule->has_clear_after);
    if (rule->has_clear_after)
        add_hash(&whole, code_hash(m, &rule->clear_after, true));
    if (rule->flap_slot_us)
        add_int(&whole, rule->flap_slot_us);
    add_int(&whole, rule->whenever);
    add_int(&whole, rule->at_most);
    if (rule->at_most)
        add_hash(&whole, code_hash(m, &rule->at_most_per, true));
    if (rule->sort == FB_SORT_CONTROL || rule->sort == FB_SORT_MODE)
        add_int(&whole, rule->has_start);
    if (rule->sort == FB_SORT_MODE)
        add_mode(&whole, &m->class_->modes[rule->mode]);
    for (uint32_t i = 0; i < rule->n_claims; i++)
        add_hash(&whole, m->claims[rule->first_claim + i]);
    if (rule->fleet) {
        add_word(&whole, "fleet");
        add_number(&whole, rule->fleet->percent);
        add_int(&whole, rule->fleet->per_us);
    }
    if (rule->rate) {
        add_int(&whole, rule->rate->n);
        add_int(&whole, rule->rate->per_us);
    }
    if (rule->sort == FB_SORT_ACTUATOR)
        add_guardrails(&whole, &m->class_->actuators[rule->actuator]);
    add_cell(m, (struct fb_cell_id){
                    .kind = FB_CELL_RULE,
                    .index = index,
                    .offset = rule->offset,
                    .hash = end_content(&whole),
                    .likeness = end_content(&like),
                    .name = fb_str_printf(m->arena, "%s %.*s", sort, FB_ARG(rule_name(m, rule)))});
}

/* Found again by its rule's name, whatever its numbers are. */
static void identify_fleet(struct maker *m, uint32_t index) {
    const struct fb_fleet *fleet = &m->class_->fleets[index];
    struct fb_str name = m->program->rules[fleet->rule].name;
    struct content content = {0};
    add_word(&content, "fleet");
    add_text(&content, name);
    struct fb_hash128 hash = end_content(&content);
    add_cell(m,
             (struct fb_cell_id){.kind = FB_CELL_FLEET,
                                 .index = index,
                                 .offset = fleet->offset,
                                 .hash = hash,
                                 .likeness = hash,
                                 .name = fb_str_printf(m->arena, "%.*s, `fleet`", FB_ARG(name))});
}

/* What it has counted is said of the rule's name, whatever the numbers are. */
static void identify_rates(struct maker *m) {
    for (uint32_t i = 0; i < m->class_->n_rates; i++) {
        const struct fb_rate *rate = &m->class_->rates[i];
        const struct fb_rule *rule = &m->program->rules[rate->rule];
        const struct fb_str name = rule_name(m, rule);
        struct content whole = {0}, like = {0};
        add_word(&whole, "rate");
        add_rule_name(&whole, rule);
        add_int(&whole, rate->n);
        add_int(&whole, rate->per_us);
        add_word(&like, "rate");
        add_rule_name(&like, rule);
        add_cell(
            m, (struct fb_cell_id){.kind = FB_CELL_RATE,
                                   .index = i,
                                   .offset = rate->offset,
                                   .hash = end_content(&whole),
                                   .likeness = end_content(&like),
                                   .name = fb_str_printf(m->arena, "%.*s, at most", FB_ARG(name))});
    }
}

/* ---- all ----------------------------------------------------------------------------------- */

static int by_offset(const void *a, const void *b) {
    const struct fb_cell_id *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static uint32_t operators_of(const struct fb_class *class_) {
    uint32_t n = 0;
    enum fb_cell_kind kind;
    for (uint32_t i = 0; i < class_->n_code; i++)
        n += kind_of(class_->code[i].op, &kind);
    return n;
}

static struct maker make_maker(const struct fb_program *program, struct fb_class *class_) {
    uint32_t conditions = class_->n_conditions, published = class_->n_published;
    struct maker m = {
        .program = program,
        .class_ = class_,
        .arena = program->arena,
        .fields = fb_alloc(sizeof *m.fields * (class_->n_fields + 1u)),
        .windows = fb_alloc(sizeof *m.windows * (class_->n_windows + 1u)),
        .window_likes = fb_alloc(sizeof *m.window_likes * (class_->n_windows + 1u)),
        .movements = fb_alloc(sizeof *m.movements * (class_->n_windows + 1u)),
        .is_found = fb_alloc(sizeof *m.is_found * (class_->n_windows + 1u)),
        .conditions = fb_alloc(sizeof *m.conditions * (conditions + 1u)),
        .condition_likes = fb_alloc(sizeof *m.condition_likes * (conditions + 1u)),
        .claims = fb_alloc(sizeof *m.claims * (class_->n_claims + 1u)),
        .published = fb_alloc(sizeof *m.published * (published + 1u)),
        .published_likes = fb_alloc(sizeof *m.published_likes * (published + 1u)),
        .is_known = fb_alloc(sizeof *m.is_known * (published + 1u)),
    };
    return m;
}

static void free_maker(struct maker *m) {
    free(m->fields);
    free(m->windows);
    free(m->window_likes);
    free(m->movements);
    free(m->is_found);
    free(m->conditions);
    free(m->condition_likes);
    free(m->claims);
    free(m->published);
    free(m->published_likes);
    free(m->is_known);
}

static uint32_t cells_of(const struct fb_class *class_) {
    return class_->n_fields + class_->n_windows + operators_of(class_) + class_->n_conditions +
           class_->n_rules + class_->n_actuators + class_->n_fleets + class_->n_rates;
}

/* What stands for itself, before what may be read by other classes. */
static void begin_class(struct maker *m) {
    struct fb_class *class_ = m->class_;
    class_->cells = FB_ARENA_ARRAY(m->arena, struct fb_cell_id, cells_of(class_));
    identify_fields(m);
    identify_actuators(m);
}

static void end_class(struct maker *m) {
    struct fb_class *class_ = m->class_;
    uint32_t most = cells_of(class_);
    identify_windows(m);
    for (uint32_t i = 0; i < class_->n_conditions; i++)
        identify_condition(m, i);
    for (uint32_t i = 0; i < class_->n_rules; i++)
        identify_rule(m, class_->rules[i]);
    for (uint32_t i = 0; i < class_->n_fleets; i++)
        identify_fleet(m, i);
    identify_rates(m);
    FB_ASSERT(class_->n_cells == most);
    if (most)
        qsort(class_->cells, most, sizeof *class_->cells, by_offset);
    for (uint32_t i = 1; i < most; i++)
        FB_ASSERT(class_->cells[i].offset > class_->cells[i - 1].offset);
}

void fb_identify(struct fb_program *program) {
    struct maker *makers = fb_alloc(sizeof *makers * (program->n_classes + 1u));
    for (uint32_t i = 0; i < program->n_classes; i++) {
        makers[i] = make_maker(program, &program->classes[i]);
        makers[i].makers = makers;
        begin_class(&makers[i]);
    }
    for (uint32_t i = 0; i < program->n_classes; i++)
        end_class(&makers[i]);
    for (uint32_t i = 0; i < program->n_classes; i++)
        free_maker(&makers[i]);
    free(makers);
}
