#include "rules/lower_internal.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/err.h"
#include "rules/identity.h"
#include "rules/rule_version.h"

/* ---- fields -------------------------------------------------------------------------------- */

double fb_lower_constant(const struct fb_node *node, const struct fb_unit *unit) {
    double value = 0;
    FB_ASSERT(fb_check_constant(node, unit, &value));
    return value;
}

int64_t fb_lower_span(const struct fb_lower_class *c, const struct fb_node *node) {
    int64_t us = 0;
    if (node)
        FB_ASSERT(fb_check_span(node, c->units, &us));
    return us;
}

/* The declared value that means "no value", as a field's value. */
static struct fb_value null_value(struct fb_lower_class *c, const struct fb_field_decl *decl) {
    const struct fb_node *node = decl->null_value;
    struct fb_value value = {.quality = FB_Q_GOOD};
    switch (decl->type.type) {
    case FB_T_TEXT:
        value.text = fb_str_copy(c->arena, node->text);
        break;
    case FB_T_BOOL:
        value.i = node->truth;
        break;
    case FB_T_ENUM:
        value.i = node->word;
        break;
    case FB_T_INTEGER:
    case FB_T_TIME:
        value.i = (int64_t)fb_lower_constant(node, NULL);
        break;
    default:
        value.num = fb_lower_constant(node, decl->type.unit);
        break;
    }
    return value;
}

static int64_t stale_of(struct fb_lower_class *c, const struct fb_field_decl *decl) {
    return decl->stale_after ? fb_lower_span(c, decl->stale_after)
                             : 3 * fb_lower_span(c, decl->every);
}

static struct fb_field lower_field(struct fb_lower_class *c, const struct fb_field_decl *decl) {
    struct fb_field field = {
        .name = fb_str_copy(c->arena, decl->name),
        .role = decl->role == FB_KEY   ? FB_ROLE_KEY
                : decl->role == FB_TAG ? FB_ROLE_TAG
                                       : FB_ROLE_FIELD,
        .type = decl->type.type,
        .unit = fb_str_copy(c->arena, decl->type.unit_text),
        .words = fb_lower_words(c->arena, decl->type.words, decl->type.n_words),
        .n_words = decl->type.n_words,
        .every_us = fb_lower_span(c, decl->every),
        .stale_us = stale_of(c, decl),
        .has_range = decl->range_low != NULL,
        .has_null = decl->null_value != NULL,
        .offset = fb_lower_room(c, sizeof(struct fb_field_cell), _Alignof(struct fb_field_cell)),
    };
    const struct fb_str *from = decl->n_from ? decl->from : &decl->name;
    field.n_paths = decl->n_from ? decl->n_from : 1;
    field.paths = fb_lower_words(c->arena, from, field.n_paths);
    if (field.has_range) {
        field.range_low = fb_lower_constant(decl->range_low, decl->type.unit);
        field.range_high = fb_lower_constant(decl->range_high, decl->type.unit);
    }
    if (field.has_null)
        field.null_value = null_value(c, decl);
    return field;
}

/* ---- classes ------------------------------------------------------------------------------- */

static void lower_fields(struct fb_lower_class *c) {
    const struct fb_class_decl *decl = c->decl;
    struct fb_class *out = c->out;
    out->fields = FB_ARENA_ARRAY(c->arena, struct fb_field, decl->n_fields);
    out->tags = FB_ARENA_ARRAY(c->arena, uint16_t, decl->n_fields);
    out->n_keys = decl->n_keys;
    for (uint32_t i = 0; i < decl->n_fields; i++) {
        FB_ASSERT(decl->fields[i]->index == i);
        out->fields[i] = lower_field(c, decl->fields[i]);
        out->n_fields++;
        if (decl->fields[i]->role != FB_TAG)
            continue;
        uint32_t at = out->n_tags++; /* kept in the byte order of the names */
        for (; at > 0; at--) {
            if (fb_str_cmp(out->fields[out->tags[at - 1]].name, out->fields[i].name) < 0)
                break;
            out->tags[at] = out->tags[at - 1];
        }
        out->tags[at] = (uint16_t)i;
    }
}

static void lower_time(struct fb_lower_class *c) {
    static const struct {
        struct fb_str text;
        unsigned unit; /* FB_TIME_* */
    } units[] = {{FB_S("s"), FB_TIME_S},
                 {FB_S("ms"), FB_TIME_MS},
                 {FB_S("us"), FB_TIME_US},
                 {FB_S("ns"), FB_TIME_NS}};
    const struct fb_class_decl *decl = c->decl;
    struct fb_class *out = c->out;
    out->late_us = fb_lower_span(c, decl->late);
    out->time_unit = decl->has_time && !decl->time_arrival ? FB_TIME_ISO : FB_TIME_ARRIVAL;
    if (out->time_unit == FB_TIME_ARRIVAL)
        return;
    out->time_path = fb_str_copy(c->arena, decl->time_field);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (fb_str_eq(decl->time_unit, units[i].text))
            out->time_unit = units[i].unit;
}

/* The windows stand last in the block: how large they are is known when all that is read from them
 * is. */
static void place_windows(struct fb_lower_class *c) {
    uint64_t others = c->block_bytes;
    for (uint32_t i = 0; i < c->n_windows; i++) {
        struct fb_window *window = &c->windows[i];
        window->bytes = fb_window_bytes(window);
        window->offset = fb_lower_room(c, window->bytes, 8);
    }
    c->block_bytes = (c->block_bytes + 7) / 8 * 8;
    if (c->block_bytes <= FB_BLOCK_BYTES_MAX)
        return;
    uint64_t windows = c->block_bytes - others;
    fb_diag_add(c->diags, FB_E_BLOCK_TOO_LARGE, c->decl->name_span,
                windows > others
                    ? "shorten the longest windows, or declare a longer `every`; a window that "
                      "several rules read is kept once"
                    : "make two devices of the topic, each with some of the rules",
                "a device of `%.*s` would need %llu bytes, %llu of them for windows; the most is "
                "%d",
                FB_ARG(c->decl->name), (unsigned long long)c->block_bytes,
                (unsigned long long)windows, FB_BLOCK_BYTES_MAX);
}

static void *kept(struct fb_arena *arena, void *items, size_t bytes) {
    void *copy = fb_arena_alloc(arena, bytes);
    if (bytes)
        memcpy(copy, items, bytes);
    free(items);
    return copy;
}

static void end_class(struct fb_lower_class *c) {
    struct fb_class *out = c->out;
    out->block_bytes = (uint32_t)c->block_bytes;
    out->n_code = c->n_code;
    out->code = kept(c->arena, c->code, sizeof *c->code * c->n_code);
    out->n_numbers = c->n_numbers;
    out->numbers = kept(c->arena, c->numbers, sizeof *c->numbers * c->n_numbers);
    out->n_ints = c->n_ints;
    out->ints = kept(c->arena, c->ints, sizeof *c->ints * c->n_ints);
    out->n_texts = c->n_texts;
    out->texts = kept(c->arena, c->texts, sizeof *c->texts * c->n_texts);
    out->n_patterns = c->n_patterns;
    out->patterns = kept(c->arena, c->patterns, sizeof *c->patterns * c->n_patterns);
    out->n_windows = c->n_windows;
    out->windows = kept(c->arena, c->windows, sizeof *c->windows * c->n_windows);
}

/* ---- rules and actuators ------------------------------------------------------------------- */

/* What classes publish, then all rules of the program in the order of the text. */
static struct fb_lower_item *items_of(const struct fb_checked *checked, struct fb_arena *arena,
                                      uint32_t *n_items) {
    uint32_t n = 0, rules = 0, actuators = 0;
    struct fb_lower_item *items = FB_ARENA_ARRAY(
        arena, struct fb_lower_item, checked->n_classes + checked->n_rules + checked->n_actuators);
    for (uint32_t i = 0; i < checked->n_classes; i++)
        if (checked->classes[i].n_published)
            items[n++].publishes = i;
    for (uint32_t f = 0; f < checked->tree->n_files; f++) {
        const struct fb_file *file = checked->tree->files[f];
        for (uint32_t i = 0; i < file->n_items; i++) {
            if (file->items[i].kind == FB_ITEM_RULE)
                items[n++].rule = &checked->rules[rules++];
            else if (file->items[i].kind == FB_ITEM_ACTUATOR)
                items[n++].actuator = &checked->actuators[actuators++];
        }
    }
    FB_ASSERT(rules == checked->n_rules && actuators == checked->n_actuators);
    *n_items = n;
    return items;
}

static uint32_t class_of(const struct fb_lower_item *item) {
    return item->rule       ? item->rule->class_index
           : item->actuator ? item->actuator->class_index
                            : item->publishes;
}

static uint32_t conditions_of(const struct fb_checked *checked, const struct fb_lower_item *item) {
    if (item->actuator)
        return (item->actuator->decl->interlock != NULL) +
               (uint32_t)(item->actuator->decl->permissive != NULL);
    if (!item->rule)
        return checked->classes[item->publishes].n_published;
    const struct fb_rule_decl *decl = item->rule->decl;
    switch (decl->kind) {
    case FB_RULE_ALARM:
        return decl->n_raises;
    case FB_RULE_EVENT:
        return 1;
    case FB_RULE_CONTROL:
        return (decl->start || decl->where) + decl->n_commands;
    case FB_RULE_MODE:
        return fb_lower_mode_conditions(decl) + decl->n_commands;
    }
    return 0;
}

static void lower_rules(struct fb_lower_class *c, uint32_t class_index,
                        const struct fb_lower_item *items, struct fb_program *program) {
    uint32_t n_conditions = 0, n_claims = 0, n_fleets = 0, n_rates = 0;
    c->rules = FB_ARENA_ARRAY(c->arena, const struct fb_rule_decl *, program->n_rules);
    for (uint32_t i = 0; i < program->n_rules; i++) {
        if (class_of(&items[i]) != class_index)
            continue;
        c->rules[c->n_rules++] = items[i].rule ? items[i].rule->decl : NULL;
        n_conditions += conditions_of(c->checked, &items[i]);
        n_claims += items[i].rule ? items[i].rule->decl->n_commands : 0;
        n_fleets += items[i].rule && items[i].rule->decl->fleet_share;
        n_rates += items[i].rule && items[i].rule->decl->at_most > 0;
        c->out->n_rules++;
    }
    c->out->conditions = FB_ARENA_ARRAY(c->arena, struct fb_condition, n_conditions);
    c->out->claims = FB_ARENA_ARRAY(c->arena, struct fb_claim, n_claims);
    c->out->fleets = FB_ARENA_ARRAY(c->arena, struct fb_fleet, n_fleets);
    c->out->rates = FB_ARENA_ARRAY(c->arena, struct fb_rate, n_rates);
    c->out->rules = FB_ARENA_ARRAY(c->arena, uint32_t, c->out->n_rules);
    fb_lower_actuators(c, class_index, items, program->n_rules);
    fb_lower_modes(c, class_index, items, program->n_rules);
    uint32_t n = 0;
    for (uint32_t i = 0; i < program->n_rules; i++) {
        if (class_of(&items[i]) != class_index)
            continue;
        struct fb_rule *rule = &program->rules[i];
        rule->class_index = (uint16_t)class_index;
        if (items[i].rule)
            fb_lower_rule(c, items[i].rule->decl, i, rule);
        else if (!items[i].actuator)
            fb_lower_published(c, i, rule);
        else
            fb_lower_actuator(c, items[i].actuator->decl, i, rule);
        c->out->rules[n++] = i;
    }
    FB_ASSERT(c->out->n_conditions == n_conditions && c->out->n_claims == n_claims);
    fb_lower_claims(c);
}

static void lower_class(const struct fb_checked *checked, uint32_t index,
                        const struct fb_lower_item *items, struct fb_program *program,
                        struct fb_diags *diags) {
    const struct fb_class_decl *decl = checked->classes[index].decl;
    struct fb_lower_class c = {.arena = program->arena,
                               .units = checked->units,
                               .diags = diags,
                               .decl = decl,
                               .checked = checked,
                               .index = index,
                               .classes = program->classes,
                               .out = &program->classes[index]};
    if (decl->n_fields > FB_FIELDS_MAX) {
        fb_diag_add(diags, FB_E_TOO_MANY_FIELDS, decl->name_span,
                    "leave out what no rule reads, or make two devices of the topic",
                    "%.*s has %u keys, tags and fields; the most is %d", FB_ARG(decl->name),
                    decl->n_fields, FB_FIELDS_MAX);
        return;
    }
    c.out->name = fb_str_copy(c.arena, decl->name);
    c.out->n_topics = decl->n_topics;
    c.out->topics = fb_lower_words(c.arena, decl->topics, decl->n_topics);
    lower_time(&c);
    lower_fields(&c);
    fb_lower_links(&c);
    lower_rules(&c, index, items, program);
    place_windows(&c);
    end_class(&c);
}

struct fb_program *fb_lower(const struct fb_checked *checked, struct fb_diags *diags) {
    struct fb_arena *arena = fb_arena_new();
    uint32_t errors = diags->errors;
    struct fb_program *program = FB_ARENA_NEW(arena, struct fb_program);
    program->arena = arena;
    program->semantics = FB_SEMANTICS;
    program->n_classes = checked->n_classes;
    program->classes = FB_ARENA_ARRAY(arena, struct fb_class, checked->n_classes);
    const struct fb_lower_item *items = items_of(checked, arena, &program->n_rules);
    program->rules = FB_ARENA_ARRAY(arena, struct fb_rule, program->n_rules);
    for (uint32_t i = 0; i < checked->n_classes; i++)
        lower_class(checked, i, items, program, diags);
    if (diags->errors > errors) {
        fb_program_free(program);
        return NULL;
    }
    if (checked->limit) {
        program->rate.n = checked->limit->at_most;
        FB_ASSERT(fb_check_span(checked->limit->per, checked->units, &program->rate.per_us));
    }
    fb_identify(program);
    struct fb_rule_texts *texts = fb_rule_texts_new(checked);
    for (uint32_t i = 0; i < program->n_rules; i++) {
        if (items[i].rule)
            fb_rule_version(texts, items[i].rule, program->rules[i].version);
        else if (!items[i].actuator)
            fb_published_version(texts, items[i].publishes, program->rules[i].version);
        else
            fb_actuator_version(texts, items[i].actuator, program->rules[i].version);
    }
    fb_rule_texts_free(texts);
    return program;
}
