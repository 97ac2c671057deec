#include "rules/cost.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/num.h"
#include "rules/group_function.h"
#include "rules/listing.h"
#include "rules/opcodes.h"

/* ---- counting ------------------------------------------------------------------------------ */

static const struct fb_class *class_of(const struct fb_program *program,
                                       const struct fb_rule *rule) {
    return &program->classes[rule->class_index];
}

static uint32_t cell_bytes(uint8_t op) {
    switch (op) {
    case FB_I_FOR:
    case FB_I_FOR_CONST:
        return sizeof(struct fb_for_cell);
    case FB_I_UNTIL:
        return sizeof(struct fb_until_cell);
    case FB_I_ELAPSED:
        return sizeof(struct fb_elapsed_cell);
    default:
        return 0;
    }
}

/* Can the instruction ask for an evaluation without a record? */
static bool has_deadline(const struct fb_class *class_, const struct fb_instr *in) {
    switch (in->op) {
    case FB_I_FIELD:
    case FB_I_QUALITY:
        return class_->fields[in->imm].stale_us != 0;
    case FB_I_FIELD_CMP:
        return class_->fields[in->a].stale_us != 0;
    case FB_I_MODE:
    case FB_I_ALARM:    /* it may clear without a record */
    case FB_I_ACTUATOR: /* it is decided at its own deadlines too */
        return true;
    case FB_I_WINDOW:
    case FB_I_WINDOW_CMP:
        return class_->windows[in->imm].shape != FB_SHAPE_LAST;
    case FB_I_FOR:
    case FB_I_FOR_CONST:
    case FB_I_ELAPSED:
    case FB_I_AGE:
        return true;
    default:
        return false;
    }
}

/* Called for each instruction of a rule: of its conditions and of what it shows. */
typedef void see_fn(void *context, const struct fb_class *class_, const struct fb_instr *in);

static void see_code(const struct fb_class *class_, struct fb_code code, see_fn *see,
                     void *context) {
    for (uint32_t i = 0; i < code.count; i++)
        see(context, class_, &class_->code[code.first + i]);
}

static void see_rule(const struct fb_program *program, const struct fb_rule *rule, see_fn *see,
                     void *context) {
    const struct fb_class *class_ = class_of(program, rule);
    for (uint32_t i = 0; i < rule->n_conditions; i++)
        see_code(class_, class_->conditions[rule->first_condition + i].code, see, context);
    for (uint32_t i = 0; i < rule->n_shown; i++)
        if (!rule->shown[i].is_field)
            see_code(class_, rule->shown[i].code, see, context);
    for (uint32_t i = 0; i < rule->n_slots; i++)
        see_code(class_, rule->slots[i].code, see, context);
}

struct window_uses {
    bool *used; /* a window of the class each */
};

static void note_window(void *context, const struct fb_class *class_, const struct fb_instr *in) {
    struct window_uses *uses = context;
    if (in->op != FB_I_WINDOW && in->op != FB_I_WINDOW_CMP)
        return;
    uses->used[in->imm] = true;
    const struct fb_window *window = &class_->windows[in->imm];
    if (window->input == FB_INPUT_CODE) /* its samples may read `previous` */
        see_code(class_, window->sample, note_window, context);
}

static bool *windows_of(const struct fb_program *program, const struct fb_rule *rule) {
    struct window_uses uses = {fb_alloc(class_of(program, rule)->n_windows + 1)};
    see_rule(program, rule, note_window, &uses);
    return uses.used;
}

static void add_windows(const struct fb_program *program, uint32_t index,
                        struct fb_rule_cost *cost) {
    const struct fb_rule *rule = &program->rules[index];
    const struct fb_class *class_ = class_of(program, rule);
    bool *used = windows_of(program, rule);
    bool *others = fb_alloc(class_->n_windows + 1);
    struct window_uses uses = {others};
    for (uint32_t i = 0; i < class_->n_rules; i++)
        if (class_->rules[i] != index)
            see_rule(program, &program->rules[class_->rules[i]], note_window, &uses);
    for (uint32_t i = 0; i < class_->n_windows; i++) {
        const struct fb_window *window = &class_->windows[i];
        if (!used[i])
            continue;
        cost->window_bytes += window->bytes;
        cost->shared_bytes += others[i] ? window->bytes : 0;
        cost->instructions += window->input == FB_INPUT_CODE ? window->sample.count : 0;
    }
    free(used);
    free(others);
}

struct fb_rule_cost fb_cost_of(const struct fb_program *program, uint32_t index) {
    FB_ASSERT(index < program->n_rules);
    const struct fb_rule *rule = &program->rules[index];
    const struct fb_class *class_ = class_of(program, rule);
    uint32_t fleet_bytes = rule->fleet ? sizeof(struct fb_fleet_cell) : 0;
    struct fb_rule_cost cost = {.own_bytes = fb_rule_bytes(rule) + fleet_bytes,
                                .timers = rule->flap_slot_us > 0};
    for (uint32_t i = 0; i < rule->n_conditions; i++) {
        const struct fb_condition *condition = &class_->conditions[rule->first_condition + i];
        bool timer = false;
        bool step = condition->role == FB_ROLE_CLAIM && class_->claims[condition->claim].is_step;
        cost.own_bytes +=
            (uint32_t)(step                                   ? sizeof(struct fb_step_cell)
                       : condition->role == FB_ROLE_PUBLISHED ? sizeof(struct fb_published_cell)
                       : condition->role == FB_ROLE_CLAIM     ? sizeof(struct fb_claim_cell)
                                                              : sizeof(struct fb_condition_cell));
        cost.timers += step;
        cost.instructions += condition->code.count * (condition->twice ? 2 : 1);
        for (uint32_t k = 0; k < condition->code.count; k++) {
            const struct fb_instr *in = &class_->code[condition->code.first + k];
            cost.own_bytes += cell_bytes(in->op);
            timer = timer || has_deadline(class_, in);
        }
        cost.timers += timer;
    }
    if (rule->has_clear_after) {
        cost.timers++;
        cost.instructions += rule->clear_after.count;
    }
    for (uint32_t i = 0; rule->sort == FB_SORT_ACTUATOR && i < class_->n_actuators; i++) {
        if (class_->actuators[i].rule != index)
            continue;
        cost.own_bytes += class_->actuators[i].bytes;
        cost.timers++; /* its next decision: a hold that ends, a renewal */
    }
    if (rule->rate)
        cost.own_bytes += fb_rate_bytes(rule->rate->n);
    add_windows(program, index, &cost);
    return cost;
}

/* ---- what is not known at first ------------------------------------------------------------ */

struct first_use {
    uint32_t window, aggregate;
    double needs;
};

struct first_uses {
    struct first_use *items;
    uint32_t n, cap;
};

static void note_use(void *context, const struct fb_class *class_, const struct fb_instr *in) {
    struct first_uses *uses = context;
    if (in->op != FB_I_WINDOW && in->op != FB_I_WINDOW_CMP)
        return;
    struct first_use use = {in->imm, in->sub & 31, class_->numbers[in->a]};
    for (uint32_t i = 0; i < uses->n; i++) {
        const struct first_use *have = &uses->items[i];
        if (have->window == use.window && have->aggregate == use.aggregate &&
            have->needs >= use.needs)
            return;
    }
    FB_PUSH_ROOM(uses->items, uses->n, uses->cap);
    uses->items[uses->n++] = use;
}

/* Which way an operand must be known for the value to be `truth`. False: it need not be known. */
static bool must_be_known(uint8_t op, bool truth) {
    switch (op) {
    case FB_I_AND:
        return truth;
    case FB_I_OR:
        return !truth;
    case FB_I_IF:
    case FB_I_SELECT:
    case FB_I_COALESCE:
    case FB_I_VOTE:
    case FB_I_KNOWN:
    case FB_I_UNTIL:
        return false;
    default:
        return true;
    }
}

/* Marks the registers that an instruction reads. */
static void want_operands(const struct fb_instr *in, uint8_t ways, uint8_t *wanted) {
    const struct fb_opcode_row *row = fb_opcode_row(in->op);
    if (row->a == FB_OPERAND_REG)
        wanted[in->a] |= ways;
    for (uint16_t i = 0; row->a == FB_OPERAND_REGS && i < in->b; i++)
        wanted[in->a + i] |= ways;
    if (row->b == FB_OPERAND_REG)
        wanted[in->b] |= ways;
    if (row->imm == FB_OPERAND_REG)
        wanted[in->imm] |= ways;
}

/* The windows that a register was made of before an instruction; `needed`: only those without which
 * it cannot be known to be false, which makes `a until b` true. */
static struct first_uses windows_behind(const struct fb_class *class_, struct fb_code code,
                                        uint32_t before, uint16_t reg, bool needed) {
    enum { WANTED_FALSE = 1, WANTED_TRUE = 2 };
    struct first_uses uses = {0};
    uint8_t *wanted = fb_alloc(code.registers + 1u); /* the ways each register is wanted */
    wanted[reg] = WANTED_FALSE;
    for (uint32_t at = before; at-- > 0;) {
        const struct fb_instr *in = &class_->code[code.first + at];
        uint8_t ways = wanted[in->dst];
        if (!ways)
            continue;
        wanted[in->dst] = 0;
        note_use(&uses, class_, in);
        if (needed && !must_be_known(in->op, true))
            ways &= (uint8_t)~WANTED_TRUE;
        if (needed && !must_be_known(in->op, false))
            ways &= (uint8_t)~WANTED_FALSE;
        if (in->op == FB_I_NOT)
            ways = (uint8_t)((ways & WANTED_TRUE ? WANTED_FALSE : 0) |
                             (ways & WANTED_FALSE ? WANTED_TRUE : 0));
        want_operands(in, ways, wanted);
    }
    free(wanted);
    return uses;
}

/* The windows without which the end of an `until` cannot be known while what sets it can: before
 * that the `until` is never true, which surprises. */
static void note_ends(const struct fb_class *class_, struct fb_code code,
                      struct first_uses *ends) {
    for (uint32_t i = 0; i < code.count; i++) {
        const struct fb_instr *in = &class_->code[code.first + i];
        if (in->op != FB_I_UNTIL)
            continue;
        struct first_uses set = windows_behind(class_, code, i, in->a, false);
        struct first_uses end = windows_behind(class_, code, i, in->b, true);
        for (uint32_t k = 0; k < end.n; k++) {
            bool both = false;
            for (uint32_t j = 0; j < set.n; j++)
                both |= set.items[j].window == end.items[k].window &&
                        set.items[j].needs >= end.items[k].needs;
            if (both)
                continue;
            FB_PUSH_ROOM(ends->items, ends->n, ends->cap);
            ends->items[ends->n++] = end.items[k];
        }
        free(set.items);
        free(end.items);
    }
}

static struct first_uses ends_of(const struct fb_program *program, const struct fb_rule *rule) {
    struct first_uses ends = {0};
    const struct fb_class *class_ = class_of(program, rule);
    for (uint32_t i = 0; rule->on_unknown != FB_POLICY_RAISE && i < rule->n_conditions; i++)
        note_ends(class_, class_->conditions[rule->first_condition + i].code, &ends);
    return ends;
}

static bool is_end(const struct first_uses *ends, struct first_use use) {
    for (uint32_t i = 0; i < ends->n; i++)
        if (ends->items[i].window == use.window && ends->items[i].aggregate == use.aggregate)
            return true;
    return false;
}

static void put_span(struct fb_buf *out, int64_t us) {
    char text[FB_TIME_TEXT_MAX];
    fb_buf_put(out, text, fb_span_format(us, text));
}

static void put_unknown(struct fb_buf *out, const struct fb_class *class_, struct first_use use) {
    const struct fb_window *window = &class_->windows[use.window];
    int64_t needed = (int64_t)fb_num_round(use.needs * (double)window->length_us);
    if (window->shape == FB_SHAPE_LAST) {
        fb_buf_printf(out, "unknown until %u sample%s", window->places,
                      window->places == 1 ? "" : "s");
        return;
    }
    if (window->input == FB_INPUT_RECORDS) {
        fb_buf_text(out, "unknown until ");
        put_span(out, needed);
        fb_buf_text(out, " after the first record");
        return;
    }
    fb_buf_text(out, "unknown until ");
    put_span(out, needed);
    fb_buf_text(out, " of good time");
    if (window->shape == FB_SHAPE_EACH)
        fb_buf_text(out, " in one whole window");
    if (use.aggregate == FB_AGG_ANY)
        fb_buf_text(out, ", but once true");
    if (use.aggregate == FB_AGG_ALL)
        fb_buf_text(out, ", but once false");
}

/* ---- what it writes ------------------------------------------------------------------------ */

enum { WRITES_ALERTS = 1, WRITES_COMMANDS = 2, WRITES_SHADOW = 4 };
static const char *const outputs[] = {"alerts", "commands", "shadow"};

/* A claim that is real on some devices, and shadow on some. */
static unsigned claim_writes(const struct fb_claim *claim) {
    return (claim->percent > 0 ? WRITES_COMMANDS : 0u) |
           (claim->percent < 100 ? WRITES_SHADOW : 0u);
}

static unsigned writes_of(const struct fb_class *class_, const struct fb_rule *rule) {
    unsigned writes = 0;
    switch (rule->sort) {
    case FB_SORT_ALARM:
    case FB_SORT_EVENT:
        return WRITES_ALERTS;
    case FB_SORT_CONTROL:
    case FB_SORT_MODE:
        for (uint32_t i = 0; i < rule->n_claims; i++)
            writes |= claim_writes(&class_->claims[rule->first_claim + i]);
        return writes;
    case FB_SORT_PUBLISHED:
        return 0;
    case FB_SORT_ACTUATOR:
        break;
    }
    const struct fb_actuator *actuator = &class_->actuators[rule->actuator];
    for (uint32_t i = 0; i < actuator->n_claims; i++)
        writes |= claim_writes(&class_->claims[actuator->claims[i]]);
    return writes;
}

static void put_writes(struct fb_buf *out, unsigned writes, const char *quote,
                       const char *between) {
    bool any = false;
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        if (!(writes >> i & 1))
            continue;
        fb_buf_printf(out, "%s%s%s%s", any ? between : "", quote, outputs[i], quote);
        any = true;
    }
}

/* ---- text ---------------------------------------------------------------------------------- */

/* What a class publishes is one row of the table, under a name that no rule has. */
static struct fb_str name_of(const struct fb_rule *rule) {
    return rule->sort == FB_SORT_PUBLISHED ? FB_S("(published)") : rule->name;
}

static size_t widest_name(const struct fb_program *program, const struct fb_class *class_) {
    size_t width = 4;
    for (uint32_t i = 0; i < class_->n_rules; i++) {
        size_t n = name_of(&program->rules[class_->rules[i]]).n;
        width = n > width ? n : width;
    }
    return width;
}

static void put_topics(struct fb_buf *out, const struct fb_class *class_) {
    for (uint32_t i = 0; i < class_->n_topics; i++)
        fb_buf_printf(out, "%s%.*s", i == 0 ? "" : ", ", FB_ARG(class_->topics[i]));
}

static void put_windows(struct fb_buf *out, const struct fb_program *program,
                        const struct fb_class *class_, const struct fb_rule *rule) {
    struct first_uses uses = {0};
    see_rule(program, rule, note_use, &uses);
    struct first_uses ends = ends_of(program, rule);
    for (uint32_t i = 0; i < uses.n; i++) {
        fb_buf_printf(out, "  %.*s: %s, ", FB_ARG(rule->name),
                      fb_aggregate_text((uint8_t)uses.items[i].aggregate));
        put_unknown(out, class_, uses.items[i]);
        if (is_end(&ends, uses.items[i]))
            fb_buf_text(out, "; before that the `until` that it ends is never true");
        fb_buf_text(out, " (");
        fb_listing_window(class_, &class_->windows[uses.items[i].window], out);
        fb_buf_printf(out, ", %u bytes)\n", class_->windows[uses.items[i].window].bytes);
    }
    free(uses.items);
    free(ends.items);
}

static void put_published(struct fb_buf *out, const struct fb_class *class_) {
    for (uint32_t i = 0; i < class_->n_published; i++)
        fb_buf_printf(out, "%s%.*s", i == 0 ? "  other devices read: " : ", ",
                      FB_ARG(class_->published[i].name));
    if (class_->n_published)
        fb_buf_char(out, '\n');
}

/* Of actuators that name the topic of their commands. */
static void put_own_topics(struct fb_buf *out, const struct fb_class *class_) {
    for (uint32_t i = 0; i < class_->n_actuators; i++) {
        const struct fb_actuator *actuator = &class_->actuators[i];
        if (actuator->to.n && !actuator->shadow)
            fb_buf_printf(out, "  commands of %.*s go to %.*s\n", FB_ARG(actuator->name),
                          FB_ARG(actuator->to));
    }
}

/* What a rule reads of other devices, each once. */
struct others {
    struct fb_str *names;
    uint32_t n, cap;
};

static void note_other(void *context, const struct fb_class *class_, const struct fb_instr *in) {
    struct others *others = context;
    struct fb_buf name = {0};
    if (in->op == FB_I_LINKED) {
        const struct fb_link *link = &class_->links[in->a];
        fb_buf_printf(&name, "%.*s.%.*s", FB_ARG(link->name),
                      FB_ARG(link->to->published[in->imm].name));
    } else if (in->op == FB_I_GROUP) {
        bool percentile = in->sub == FB_GROUP_PERCENTILE;
        fb_group_function_text(in->sub, percentile ? class_->numbers[in->b] : 0, &name);
        fb_buf_printf(&name, "(%.*s)", FB_ARG(class_->groups[in->imm].text));
    } else {
        return;
    }
    struct fb_str text = {name.p, name.n};
    for (uint32_t i = 0; i < others->n; i++)
        if (fb_str_eq(others->names[i], text)) {
            fb_buf_free(&name);
            return;
        }
    FB_PUSH_ROOM(others->names, others->n, others->cap);
    others->names[others->n++] = text;
}

static struct others others_of(const struct fb_program *program, const struct fb_rule *rule) {
    struct others others = {0};
    see_rule(program, rule, note_other, &others);
    return others;
}

static void free_others(struct others *others) {
    for (uint32_t i = 0; i < others->n; i++)
        free((char *)(uintptr_t)others->names[i].p);
    free(others->names);
}

static void put_others(struct fb_buf *out, const struct fb_program *program,
                       const struct fb_rule *rule) {
    struct others others = others_of(program, rule);
    for (uint32_t i = 0; i < others.n; i++) {
        if (i == 0)
            fb_buf_printf(out, "  %.*s reads of other devices: ", FB_ARG(name_of(rule)));
        fb_buf_printf(out, "%s%.*s", i == 0 ? "" : ", ", FB_ARG(others.names[i]));
    }
    if (others.n)
        fb_buf_char(out, '\n');
    free_others(&others);
}

static void put_class(struct fb_buf *out, const struct fb_program *program,
                      const struct fb_class *class_) {
    int width = (int)widest_name(program, class_);
    fb_buf_printf(out, "%.*s: %u bytes a device; reads ", FB_ARG(class_->name),
                  class_->block_bytes);
    put_topics(out, class_);
    unsigned writes = 0;
    for (uint32_t i = 0; i < class_->n_rules; i++)
        writes |= writes_of(class_, &program->rules[class_->rules[i]]);
    fb_buf_text(out, !class_->n_rules ? "; no rules" : writes ? "; writes " : "; writes nothing");
    put_writes(out, writes, "", ", ");
    fb_buf_char(out, '\n');
    if (!class_->n_rules)
        return;
    fb_buf_printf(out, "  %-*s  bytes  of windows  (shared)  instructions  timers\n", width,
                  "rule");
    for (uint32_t i = 0; i < class_->n_rules; i++) {
        const struct fb_rule *rule = &program->rules[class_->rules[i]];
        struct fb_rule_cost cost = fb_cost_of(program, class_->rules[i]);
        struct fb_str name = name_of(rule);
        fb_buf_printf(out, "  %.*s%*s  %5u  %10u  %8u  %12u  %6u\n", FB_ARG(name),
                      width - (int)name.n, "", cost.own_bytes, cost.window_bytes, cost.shared_bytes,
                      cost.instructions, cost.timers);
    }
    for (uint32_t i = 0; i < class_->n_rules; i++)
        put_windows(out, program, class_, &program->rules[class_->rules[i]]);
    put_published(out, class_);
    put_own_topics(out, class_);
    for (uint32_t i = 0; i < class_->n_rules; i++)
        put_others(out, program, &program->rules[class_->rules[i]]);
}

void fb_cost_text(const struct fb_program *program, struct fb_buf *out) {
    for (uint32_t i = 0; i < program->n_classes; i++) {
        if (i > 0)
            fb_buf_char(out, '\n');
        put_class(out, program, &program->classes[i]);
    }
    if (!program->rate.n)
        return;
    fb_buf_printf(out, "\nall rules together: at most %u commands in ", program->rate.n);
    put_span(out, program->rate.per_us);
    fb_buf_printf(out, " a partition; %u bytes each\n", fb_rate_bytes(program->rate.n));
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void put_json_text(struct fb_buf *out, struct fb_str s) {
    fb_buf_char(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            fb_buf_char(out, '\\');
        if ((unsigned char)s.p[i] < 0x20)
            fb_buf_printf(out, "\\u%04x", s.p[i]);
        else
            fb_buf_char(out, s.p[i]);
    }
    fb_buf_char(out, '"');
}

static const char *shape_name(enum fb_window_shape shape) {
    static const char *const names[] = {[FB_SHAPE_RING] = "ring",
                                        [FB_SHAPE_PANES] = "panes",
                                        [FB_SHAPE_LAST] = "last",
                                        [FB_SHAPE_EACH] = "each"};
    return names[shape];
}

static void put_json_windows(struct fb_buf *out, const struct fb_program *program,
                             const struct fb_class *class_, const struct fb_rule *rule) {
    struct first_uses uses = {0};
    see_rule(program, rule, note_use, &uses);
    struct first_uses ends = ends_of(program, rule);
    for (uint32_t i = 0; i < uses.n; i++) {
        const struct fb_window *window = &class_->windows[uses.items[i].window];
        struct fb_buf text = {0};
        put_unknown(&text, class_, uses.items[i]);
        fb_buf_printf(out,
                      "%s{\"aggregate\":\"%s\",\"shape\":\"%s\",\"length_us\":%lld,"
                      "\"pane_us\":%lld,\"places\":%u,\"bytes\":%u,\"unknown\":",
                      i == 0 ? "" : ",", fb_aggregate_text((uint8_t)uses.items[i].aggregate),
                      shape_name(window->shape), (long long)window->length_us,
                      (long long)window->pane_us, window->places, window->bytes);
        put_json_text(out, (struct fb_str){text.p, text.n});
        fb_buf_printf(out, ",\"ends_until\":%s}",
                      is_end(&ends, uses.items[i]) ? "true" : "false");
        fb_buf_free(&text);
    }
    free(uses.items);
    free(ends.items);
}

static const char *kind_name(enum fb_rule_sort sort) {
    static const char *const names[] = {
        [FB_SORT_ALARM] = "alarm",     [FB_SORT_EVENT] = "event",
        [FB_SORT_CONTROL] = "control", [FB_SORT_ACTUATOR] = "actuator",
        [FB_SORT_MODE] = "mode",       [FB_SORT_PUBLISHED] = "published"};
    return names[sort];
}

static void put_json_rule(struct fb_buf *out, const struct fb_program *program,
                          const struct fb_class *class_, uint32_t index) {
    const struct fb_rule *rule = &program->rules[index];
    struct fb_rule_cost cost = fb_cost_of(program, index);
    fb_buf_text(out, "{\"rule\":");
    put_json_text(out, rule->name);
    fb_buf_printf(out,
                  ",\"kind\":\"%s\",\"version\":\"%s\",\"bytes\":%u,\"window_bytes\":%u,"
                  "\"shared_bytes\":%u,\"instructions\":%u,\"timers\":%u,\"writes\":[",
                  kind_name(rule->sort), rule->version, cost.own_bytes, cost.window_bytes,
                  cost.shared_bytes, cost.instructions, cost.timers);
    put_writes(out, writes_of(class_, rule), "\"", ",");
    fb_buf_char(out, ']');
    if (rule->sort == FB_SORT_ACTUATOR && class_->actuators[rule->actuator].to.n) {
        fb_buf_text(out, ",\"to\":");
        put_json_text(out, class_->actuators[rule->actuator].to);
    }
    fb_buf_text(out, ",\"windows\":[");
    put_json_windows(out, program, class_, rule);
    fb_buf_text(out, "],\"others\":[");
    struct others others = others_of(program, rule);
    for (uint32_t i = 0; i < others.n; i++) {
        fb_buf_text(out, i == 0 ? "" : ",");
        put_json_text(out, others.names[i]);
    }
    free_others(&others);
    fb_buf_text(out, "]}");
}

void fb_cost_json(const struct fb_program *program, struct fb_buf *out) {
    fb_buf_char(out, '[');
    for (uint32_t i = 0; i < program->n_classes; i++) {
        const struct fb_class *class_ = &program->classes[i];
        fb_buf_text(out, i == 0 ? "\n{\"class\":" : ",\n{\"class\":");
        put_json_text(out, class_->name);
        fb_buf_printf(out, ",\"block_bytes\":%u,\"reads\":[", class_->block_bytes);
        for (uint32_t k = 0; k < class_->n_topics; k++) {
            fb_buf_text(out, k == 0 ? "" : ",");
            put_json_text(out, class_->topics[k]);
        }
        fb_buf_text(out, "],\"rules\":[");
        for (uint32_t k = 0; k < class_->n_rules; k++) {
            fb_buf_text(out, k == 0 ? "\n  " : ",\n  ");
            put_json_rule(out, program, class_, class_->rules[k]);
        }
        fb_buf_text(out, "]}");
    }
    fb_buf_text(out, program->n_classes ? "\n]" : "]");
}
