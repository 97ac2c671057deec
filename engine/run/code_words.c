/* From instructions back to words: each register is written where it is read.
 *
 * Place in the flow: see code_words.h. */
#include "engine/run/code_words.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/codec/json_write.h"
#include "rules/group_function.h"
#include "rules/opcodes.h"

enum { DEPTH_MAX = 12 }; /* deeper parts are "..": nobody reads them */

/* What an operand is measured in, so that a constant beside it can say so. */
struct measure {
    struct fb_str unit;
    const struct fb_str *words;
    enum fb_type type;
};

struct writer {
    const struct fb_class *class_;
    const struct fb_code *code;
    struct fb_buf *out;
};

const struct fb_instr *fb_code_of(const struct fb_class *class_, const struct fb_code *code,
                                  uint16_t reg) {
    for (uint32_t i = 0; i < code->count; i++)
        if (class_->code[code->first + i].dst == reg)
            return &class_->code[code->first + i];
    FB_BUG("a register that nothing writes");
    return NULL;
}

/* The register itself, or what it only hands on: votes are copied to stand side by side, `previous`
 * is unknown while its argument is. A conversion is told, since a constant beside it is in that
 * unit. */
static const struct fb_instr *of(const struct writer *w, uint32_t reg) {
    const struct fb_instr *in = fb_code_of(w->class_, w->code, (uint16_t)reg);
    if ((in->op == FB_I_AND && in->a == in->b) || in->op == FB_I_INT_TO_NUMBER)
        return of(w, in->a);
    if (in->op == FB_I_IF && fb_code_of(w->class_, w->code, in->a)->op == FB_I_KNOWN &&
        fb_code_of(w->class_, w->code, (uint16_t)in->imm)->op == FB_I_UNKNOWN)
        return of(w, in->b);
    return in;
}

/* What the samples are in: spreads and sums of temperatures are not. Empty: not known. */
static struct fb_str unit_of(const struct fb_class *class_, uint32_t window, uint8_t aggregate) {
    const uint32_t keep = 1u << FB_AGG_AVG | 1u << FB_AGG_MIN | 1u << FB_AGG_MAX |
                          1u << FB_AGG_FIRST | 1u << FB_AGG_LAST | 1u << FB_AGG_TIME_AVG |
                          1u << FB_AGG_PREVIOUS;
    if (class_->windows[window].input != FB_INPUT_FIELD || !(keep >> aggregate & 1))
        return (struct fb_str){0};
    return class_->fields[class_->windows[window].field].unit;
}

static void put_span(struct fb_buf *out, int64_t us) {
    char text[FB_TIME_TEXT_MAX];
    fb_buf_put(out, text, fb_span_format(us, text));
}

bool fb_code_delay(const struct fb_class *class_, const struct fb_code *code,
                   const struct fb_instr *in, int64_t *us) {
    if (in->op == FB_I_FOR_CONST) {
        *us = class_->ints[in->b];
        return true;
    }
    const struct fb_instr *seconds = fb_code_of(class_, code, in->b);
    if (seconds->op != FB_I_NUMBER)
        return false;
    *us = (int64_t)fb_num_round(class_->numbers[seconds->imm] * 1e6);
    return true;
}

void fb_value_words(enum fb_type type, struct fb_str unit, const struct fb_str *words,
                    const struct fb_value *value, struct fb_buf *out) {
    char text[FB_NUM_TEXT_MAX + FB_TIME_TEXT_MAX];
    if (value->quality != FB_Q_GOOD) {
        fb_buf_text(out, "unknown");
        return;
    }
    switch (type) {
    case FB_T_NONE:
    case FB_T_NUMBER:
    case FB_T_COUNTER:
        fb_buf_put(out, text, fb_num_format(value->num, text));
        if (unit.n)
            fb_buf_printf(out, " %.*s", FB_ARG(unit));
        break;
    case FB_T_INTEGER:
        fb_buf_put(out, text, fb_num_format_int(value->i, text));
        break;
    case FB_T_BOOL:
        fb_buf_text(out, value->i ? "true" : "false");
        break;
    case FB_T_TEXT:
        fb_json_put_text(out, value->text);
        break;
    case FB_T_TIME:
        fb_buf_put(out, text, fb_time_format(value->i, text));
        break;
    case FB_T_ENUM:
        if (words)
            fb_buf_str(out, words[value->i]);
        else
            fb_buf_put(out, text, fb_num_format_int(value->i, text));
        break;
    }
}

static const struct fb_published *published_of(const struct writer *w, const struct fb_instr *in) {
    return &w->class_->links[in->a].to->published[in->imm];
}

static void put_group(const struct writer *w, const struct fb_instr *in) {
    bool percentile = in->sub == FB_GROUP_PERCENTILE;
    fb_group_function_text(in->sub, percentile ? w->class_->numbers[in->b] : 0, w->out);
    fb_buf_printf(w->out, "(%.*s)", FB_ARG(w->class_->groups[in->imm].text));
}

/* Sums and the like are in the unit of what they are of. */
static struct measure measure_of_group(const struct writer *w, const struct fb_instr *in) {
    const struct fb_group *group = &w->class_->groups[in->imm];
    struct measure measure = {.type = FB_T_NUMBER};
    if (in->sub == FB_GROUP_ANY || in->sub == FB_GROUP_ALL || in->sub == FB_GROUP_ON) {
        measure.type = FB_T_BOOL;
    } else if (in->sub >= FB_GROUP_ASKED_MIN) {
        const struct fb_published *asked = &group->of->published[group->value];
        measure = (struct measure){asked->unit, asked->words, asked->type};
    } else if (in->sub == FB_GROUP_COUNT || in->sub == FB_GROUP_DISTINCT ||
               in->sub == FB_GROUP_RANK)
        measure.type = FB_T_INTEGER;
    else if (in->sub >= FB_GROUP_SUM && in->sub <= FB_GROUP_PERCENTILE &&
             in->sub != FB_GROUP_SPREAD)
        measure.unit = group->of->published[group->value].unit;
    return measure;
}

/* The field that a register holds, as it is; else what is known of a number. */
static struct measure measure_of(const struct writer *w, uint32_t reg) {
    const struct fb_instr *in = of(w, reg);
    struct measure measure = {.type = FB_T_NUMBER};
    if (in->op == FB_I_FIELD) {
        const struct fb_field *field = &w->class_->fields[in->imm];
        measure = (struct measure){field->unit, field->words, field->type};
    } else if (in->op == FB_I_ACTUATOR) {
        const struct fb_actuator *actuator = &w->class_->actuators[in->imm];
        measure = (struct measure){actuator->unit, actuator->words,
                                   actuator->is_switch ? FB_T_ENUM : FB_T_NUMBER};
    } else if (in->op == FB_I_MODE) {
        measure = (struct measure){{0}, w->class_->modes[in->imm].states, FB_T_ENUM};
    } else if (in->op == FB_I_WINDOW) {
        measure.unit = unit_of(w->class_, in->imm, in->sub);
    } else if (in->op == FB_I_LINKED) {
        const struct fb_published *published = published_of(w, in);
        measure = (struct measure){published->unit, published->words, published->type};
    } else if (in->op == FB_I_GROUP) {
        measure = measure_of_group(w, in);
    }
    return measure;
}

static void put_reg(const struct writer *w, uint32_t reg, int depth, const struct measure *beside);

static void put_number(const struct writer *w, double x, struct fb_str unit) {
    struct fb_value value = {.num = x, .quality = FB_Q_GOOD};
    fb_value_words(FB_T_NUMBER, unit, NULL, &value, w->out);
}

static bool is_leaf(const struct fb_instr *in) {
    return in->op <= FB_I_GROUP || in->op == FB_I_WINDOW;
}

/* In brackets where it is more than a name or a literal. */
static void put_side(const struct writer *w, uint32_t reg, int depth,
                     const struct measure *beside) {
    bool bare = is_leaf(of(w, reg));
    fb_buf_text(w->out, bare ? "" : "(");
    put_reg(w, reg, depth + 1, beside);
    fb_buf_text(w->out, bare ? "" : ")");
}

static void put_two(const struct writer *w, const struct fb_instr *in, const char *between,
                    int depth) {
    struct measure left = measure_of(w, in->a), right = measure_of(w, in->b);
    put_side(w, in->a, depth, &right);
    fb_buf_printf(w->out, " %s ", between);
    put_side(w, in->b, depth, &left);
}

/* and, or, of comparisons: these need no brackets. */
static void put_logic(const struct writer *w, const struct fb_instr *in, const char *between,
                      int depth) {
    for (int i = 0; i < 2; i++) {
        uint32_t reg = i ? in->b : in->a;
        uint8_t op = of(w, reg)->op;
        bool bare = op == in->op || op == FB_I_FIELD_CMP || op == FB_I_WINDOW_CMP ||
                    (op >= FB_I_CMP_NUMBER && op <= FB_I_MATCHES) || op == FB_I_FIELD;
        fb_buf_text(w->out, i ? between : "");
        fb_buf_text(w->out, bare ? "" : "(");
        put_reg(w, reg, depth + 1, NULL);
        fb_buf_text(w->out, bare ? "" : ")");
    }
}

void fb_window_words(const struct fb_class *class_, uint32_t window, uint8_t aggregate,
                     struct fb_buf *out) {
    const struct fb_window *w = &class_->windows[window];
    struct fb_buf sample = {0};
    if (w->input == FB_INPUT_FIELD) {
        fb_buf_str(&sample, class_->fields[w->field].name);
    } else if (w->input == FB_INPUT_CODE) {
        struct writer writer = {class_, &w->sample, &sample};
        put_reg(&writer, w->sample.result, 1, NULL);
    }
    fb_buf_printf(out, "%s(%.*s%s", fb_aggregate_text(aggregate), (int)sample.n,
                  sample.n ? sample.p : "", sample.n ? " " : "");
    fb_buf_free(&sample);
    if (w->shape == FB_SHAPE_LAST) {
        if (aggregate < FB_AGG_PREVIOUS)
            fb_buf_printf(out, "over last %u", w->places);
        else if (out->p[out->n - 1] == ' ')
            out->n--;
    } else {
        fb_buf_text(out, w->shape == FB_SHAPE_EACH ? "each " : "over ");
        put_span(out, w->length_us);
    }
    fb_buf_char(out, ')');
}

static void put_constant(const struct writer *w, const struct fb_instr *in,
                         const struct measure *beside) {
    struct measure measure = beside ? *beside : (struct measure){.type = FB_T_NUMBER};
    struct fb_value value = {.quality = FB_Q_GOOD};
    if (in->op == FB_I_NUMBER) {
        put_number(w, w->class_->numbers[in->imm], measure.unit);
    } else if (in->op == FB_I_TEXT) {
        fb_json_put_text(w->out, w->class_->texts[in->imm]);
    } else {
        value.i = w->class_->ints[in->imm];
        fb_value_words(measure.type == FB_T_NUMBER ? FB_T_INTEGER : measure.type, measure.unit,
                       measure.words, &value, w->out);
    }
}

static void put_quality(const struct writer *w, const struct fb_instr *in) {
    bool first = true;
    fb_buf_printf(w->out, "%.*s is ", FB_ARG(w->class_->fields[in->imm].name));
    for (int q = FB_Q_UNKNOWN; q <= FB_Q_STALE; q++) {
        if (!(in->a >> q & 1))
            continue;
        fb_buf_printf(w->out, "%s%s", first ? "" : " or ", fb_quality_name((enum fb_quality)q));
        first = false;
    }
}

static void put_silence(const struct writer *w, const struct fb_instr *in, const char *name) {
    fb_buf_printf(w->out, "%s(", name);
    if (in->a != UINT16_MAX)
        fb_buf_str(w->out, w->class_->fields[in->a].name);
    fb_buf_char(w->out, ')');
}

/* Of a delay, and of what an age is compared with. */
static void put_length(const struct writer *w, const struct fb_instr *in, int depth) {
    int64_t us;
    if (fb_code_delay(w->class_, w->code, in, &us))
        put_span(w->out, us);
    else
        put_side(w, in->b, depth, NULL);
}

static void put_delay(const struct writer *w, const struct fb_instr *in, int depth) {
    put_side(w, in->a, depth, NULL);
    fb_buf_text(w->out, " for ");
    put_length(w, in, depth);
}

static void put_votes(const struct writer *w, const struct fb_instr *in, int depth) {
    fb_buf_printf(w->out, "%u of (", in->imm);
    for (uint32_t i = 0; i < in->b; i++) {
        fb_buf_text(w->out, i ? ", " : "");
        put_reg(w, in->a + i, depth + 1, NULL);
    }
    fb_buf_char(w->out, ')');
}

/* name(a, b, ..) of what has no other form. */
static void put_call(const struct writer *w, const struct fb_instr *in, int depth) {
    const struct fb_opcode_row *row = fb_opcode_row(in->op);
    const enum fb_operand kinds[] = {row->a, row->b, row->imm};
    const uint32_t regs[] = {in->a, in->b, in->imm};
    bool first = true;
    fb_buf_printf(w->out, "%s(", row->name);
    for (int i = 0; i < 3; i++) {
        if (kinds[i] != FB_OPERAND_REG)
            continue;
        fb_buf_text(w->out, first ? "" : ", ");
        put_reg(w, regs[i], depth + 1, NULL);
        first = false;
    }
    fb_buf_char(w->out, ')');
}

static void put_comparison(const struct writer *w, const struct fb_instr *in, int depth) {
    const struct fb_class *class_ = w->class_;
    if (in->op == FB_I_FIELD_CMP) {
        const struct fb_field *field = &class_->fields[in->a];
        fb_buf_printf(w->out, "%.*s %s ", FB_ARG(field->name), fb_cmp_text(in->sub));
        put_number(w, class_->numbers[in->imm], field->unit);
    } else if (in->op == FB_I_WINDOW_CMP) {
        fb_window_words(class_, in->imm, in->sub & 31, w->out);
        fb_buf_printf(w->out, " %s ", fb_cmp_text(in->sub >> 5));
        put_number(w, class_->numbers[in->b], unit_of(class_, in->imm, in->sub & 31));
    } else {
        put_two(w, in, fb_cmp_text(in->sub), depth);
    }
}

static void put_rule(const struct writer *w, uint32_t rule) {
    for (uint32_t i = 0; i < w->class_->n_cells; i++)
        if (w->class_->cells[i].kind == FB_CELL_RULE && w->class_->cells[i].index == rule)
            fb_buf_str(w->out, w->class_->cells[i].name);
}

static void put_reg(const struct writer *w, uint32_t reg, int depth, const struct measure *beside) {
    const struct fb_instr *in = of(w, reg);
    if (depth > DEPTH_MAX) {
        fb_buf_text(w->out, "..");
        return;
    }
    switch ((enum fb_opcode)in->op) {
    case FB_I_NUMBER:
    case FB_I_INT:
    case FB_I_TEXT:
        put_constant(w, in, beside);
        break;
    case FB_I_UNKNOWN:
        fb_buf_text(w->out, "unknown");
        break;
    case FB_I_FIELD:
        fb_buf_str(w->out, w->class_->fields[in->imm].name);
        break;
    case FB_I_ACTUATOR:
        fb_buf_str(w->out, w->class_->actuators[in->imm].name);
        break;
    case FB_I_ALARM:
        put_rule(w, w->class_->rules[in->imm]);
        break;
    case FB_I_MODE:
        fb_buf_str(w->out, w->class_->modes[in->imm].name);
        break;
    case FB_I_LINKED:
        fb_buf_printf(w->out, "%.*s.%.*s", FB_ARG(w->class_->links[in->a].name),
                      FB_ARG(published_of(w, in)->name));
        break;
    case FB_I_GROUP:
        put_group(w, in);
        break;
    case FB_I_QUALITY:
        put_quality(w, in);
        break;
    case FB_I_INT_TO_NUMBER:
        put_reg(w, in->a, depth, beside);
        break;
    case FB_I_ADD:
        put_two(w, in, "+", depth);
        break;
    case FB_I_SUB:
        put_two(w, in, "-", depth);
        break;
    case FB_I_MUL:
        put_two(w, in, "*", depth);
        break;
    case FB_I_DIV:
        put_two(w, in, "/", depth);
        break;
    case FB_I_CMP_NUMBER:
    case FB_I_CMP_INT:
    case FB_I_CMP_TEXT:
    case FB_I_FIELD_CMP:
    case FB_I_WINDOW_CMP:
        put_comparison(w, in, depth);
        break;
    case FB_I_MATCHES:
        put_side(w, in->a, depth, NULL);
        fb_buf_text(w->out, " matches ");
        fb_json_put_text(w->out, w->class_->patterns[in->imm]);
        break;
    case FB_I_NOT:
        fb_buf_text(w->out, "not ");
        put_side(w, in->a, depth, NULL);
        break;
    case FB_I_AND:
        put_logic(w, in, " and ", depth);
        break;
    case FB_I_OR:
        put_logic(w, in, " or ", depth);
        break;
    case FB_I_VOTE:
        put_votes(w, in, depth);
        break;
    case FB_I_FOR:
    case FB_I_FOR_CONST:
        put_delay(w, in, depth);
        break;
    case FB_I_UNTIL:
        put_two(w, in, "until", depth);
        break;
    case FB_I_AGE:
        put_silence(w, in, "age");
        fb_buf_printf(w->out, " %s ", fb_cmp_text(in->sub));
        put_length(w, in, depth);
        break;
    case FB_I_SILENT:
        put_silence(w, in, "silent");
        break;
    case FB_I_WINDOW:
        fb_window_words(w->class_, in->imm, in->sub, w->out);
        break;
    case FB_I_NEG:
    case FB_I_ABS:
    case FB_I_ROUND:
    case FB_I_SQRT:
    case FB_I_MIN:
    case FB_I_MAX:
    case FB_I_CLAMP:
    case FB_I_CONVERT:
    case FB_I_KNOWN:
    case FB_I_IF:
    case FB_I_SELECT:
    case FB_I_COALESCE:
    case FB_I_ELAPSED:
        put_call(w, in, depth);
        break;
    case FB_I_FOR_PEEK:
    case FB_I_UNTIL_PEEK:
    case FB_I_ELAPSED_PEEK:
        fb_buf_text(w->out, "its state");
        break;
    case FB_OPCODES:
        FB_BUG("an opcode");
    }
}

void fb_code_words(const struct fb_class *class_, const struct fb_code *code, uint16_t reg,
                   struct fb_buf *out) {
    struct writer writer = {class_, code, out};
    put_reg(&writer, reg, 0, NULL);
}
