#include "tests/oracle/run_both.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/core/call.h"
#include "engine/model/program.h"
#include "rules/compile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- An output as a line ---------------------------------------------------------------------- */

static void put_value(enum fb_type type, const struct fb_value *v, struct fb_buf *out) {
    char text[FB_NUM_TEXT_MAX];
    if (v->quality != FB_Q_GOOD) {
        fb_buf_printf(out, "(%s)", fb_quality_name((enum fb_quality)v->quality));
        return;
    }
    switch (type) {
    case FB_T_NUMBER:
    case FB_T_COUNTER:
        fb_buf_put(out, text, fb_num_format(v->num, text));
        break;
    case FB_T_TEXT:
        fb_buf_printf(out, "\"%.*s\"", FB_ARG(v->text));
        break;
    default:
        fb_buf_printf(out, "%" PRId64, v->i);
        break;
    }
}

static void put_template(const struct fb_rule *rule, const struct fb_template *template,
                         const struct fb_value *slots, struct fb_buf *out) {
    for (uint32_t i = 0; i < template->n_parts; i++) {
        const struct fb_template_part *part = &template->parts[i];
        switch (part->kind) {
        case FB_PART_LITERAL:
            fb_buf_str(out, part->literal);
            break;
        case FB_PART_DEVICE:
            fb_buf_text(out, "{device}");
            break;
        case FB_PART_RULE:
            fb_buf_text(out, "{rule}");
            break;
        case FB_PART_SEVERITY:
            fb_buf_text(out, "{severity}");
            break;
        case FB_PART_SLOT: {
            const struct fb_slot *slot = &rule->slots[part->slot];
            struct fb_value value = slots[part->slot];
            if (value.quality != FB_Q_GOOD) /* a message says `unknown` whatever the reason */
                value.quality = FB_Q_UNKNOWN;
            put_value(slot->type, &value, out);
            if (slot->decimals >= 0)
                fb_buf_printf(out, ":.%d", slot->decimals);
            break;
        }
        }
    }
}

static void put_time(int64_t us, struct fb_buf *out) {
    if (us == INT64_MIN)
        fb_buf_text(out, "none");
    else
        fb_buf_printf(out, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
}

static void put_cause(const struct fb_cause *cause, struct fb_buf *out) {
    if (cause->timer) {
        fb_buf_text(out, " by timer ");
        put_time(cause->deadline_us, out);
    } else {
        fb_buf_printf(out, " by record %" PRId64, cause->origin.offset);
    }
}

static void put_number(double x, struct fb_buf *out) {
    char text[FB_NUM_TEXT_MAX];
    fb_buf_put(out, text, fb_num_format(x + 0.0, text));
}

/* Which of the others were asked at all cannot be told from outside. */
static void put_result(const struct fb_guard_result *result, struct fb_buf *out) {
    if (result->most > 0)
        fb_buf_printf(out, ", %s %u of %u per %" PRId64, fb_guard_name(result->guard),
                      result->counted, result->most, result->per_us);
    if (result->verdict == FB_VERDICT_PASS)
        return;
    fb_buf_printf(out, ", %s %s ", fb_guard_name(result->guard),
                  fb_verdict_name(result->verdict));
    put_number(result->requested, out);
    fb_buf_text(out, " -> ");
    put_number(result->applied, out);
    if (result->verdict == FB_VERDICT_HOLD) {
        fb_buf_text(out, " until ");
        put_time(result->until_us, out);
    }
}

static void put_acting(const struct fb_output *o, struct fb_buf *out) {
    fb_buf_printf(out, "%s%.*s ", o->actuator->shadow ? "shadow of " : "",
                  FB_ARG(o->actuator->name));
    if (o->kind == FB_OUT_COMMAND) {
        fb_buf_printf(out, "%s %" PRIu64 " := ", fb_command_reason_name(o->reason), o->seq);
        put_number(o->value, out);
        fb_buf_text(out, " expires ");
        put_time(o->expires_at_us, out);
        fb_buf_text(out, " lease ");
        put_time(o->lease_until_us, out);
    } else if (o->ended) {
        fb_buf_printf(out, "%s blocks no longer, after %" PRIu64, fb_guard_name(o->guard),
                      o->count);
    } else {
        fb_buf_printf(out, "%s blocks", fb_guard_name(o->guard));
    }
    if (o->kind == FB_OUT_BLOCKED && o->has_value) {
        fb_buf_text(out, ", in force ");
        put_number(o->value, out);
    }
    fb_buf_text(out, " asked ");
    put_number(o->requested, out);
    fb_buf_printf(out, " priority %u", o->priority);
    for (uint32_t i = 0; i < o->n_entries; i++) {
        const struct fb_rule *rule = o->entries[i].rule;
        fb_buf_printf(out, " %s%.*s %u ", i == 0 ? "of " : "",
                      FB_ARG(rule == NULL ? FB_S("hand") : rule->name), o->entries[i].priority);
        put_number(o->entries[i].value, out);
    }
    for (uint32_t i = 0; i < o->n_results; i++)
        put_result(&o->results[i], out);
}

static void put_alert(const struct fb_output *o, struct fb_buf *out) {
    fb_buf_printf(out, "%s%s %s%s%s since ", o->kind == FB_OUT_MUTED ? "muted " : "",
                  fb_alert_event_name(o->event), fb_severity_name(o->severity),
                  o->active ? " active" : "", o->acked ? " acked" : "");
    put_time(o->since_us, out);
    if (o->shelved) {
        fb_buf_printf(out, " shelved%s until ", o->once ? " once" : "");
        put_time(o->shelf_until_us, out);
    }
    if (o->suppressed && o->maintenance_until_us != FB_NO_TIME) {
        fb_buf_text(out, " suppressed until ");
        put_time(o->maintenance_until_us, out);
    }
    if (o->flapping) {
        fb_buf_text(out, " flapping until ");
        put_time(o->flap_end_us, out);
    }
    if (o->who.n > 0)
        fb_buf_printf(out, " by %.*s: %.*s", FB_ARG(o->who), FB_ARG(o->because));
}

static void put_output(const struct fb_output *o, uint32_t n_tags, const enum fb_type *tag_types,
                       struct fb_buf *out) {
    if (o->kind == FB_OUT_LATE) {
        fb_buf_printf(out, "%s %.*s at ", o->future ? "future" : "late", FB_ARG(o->device));
        put_time(o->at_us, out);
        fb_buf_text(out, " watermark ");
        put_time(o->watermark_us, out);
        fb_buf_printf(out, " %.*s", FB_ARG(o->raw));
        return;
    }
    const struct fb_rule *rule = o->rule;
    fb_buf_printf(out, "%.*s/%.*s ", FB_ARG(rule != NULL ? rule->name : FB_S("default")),
                  FB_ARG(o->device));
    if (o->kind == FB_OUT_COMMAND || o->kind == FB_OUT_BLOCKED) {
        put_acting(o, out);
    } else if (o->kind == FB_OUT_ALERT || o->kind == FB_OUT_MUTED) {
        put_alert(o, out);
    } else {
        fb_buf_printf(out, "event withheld %" PRIu64, o->withheld);
    }
    fb_buf_text(out, " at ");
    put_time(o->at_us, out);
    put_cause(&o->cause, out);
    if (rule == NULL)
        return;
    fb_buf_text(out, " {");
    for (uint32_t i = 0; i < rule->n_shown; i++) {
        fb_buf_printf(out, "%s%.*s ", i > 0 ? ", " : "", FB_ARG(rule->shown[i].name));
        put_value(rule->shown[i].type, &o->shown[i], out);
    }
    fb_buf_text(out, "} [");
    for (uint32_t i = 0; i < n_tags; i++) {
        fb_buf_text(out, i > 0 ? ", " : "");
        put_value(tag_types[i], &o->tags[i], out);
    }
    fb_buf_text(out, "] \"");
    put_template(rule, &rule->message, o->slots, out);
    fb_buf_text(out, "\" \"");
    put_template(rule, &rule->response, o->slots, out);
    fb_buf_char(out, '"');
}

/* --- Collecting --------------------------------------------------------------------------------
 */

struct collector {
    struct run_result *result;
    struct run_lines *lines;
    const struct fb_program *program; /* for the types of tags: both sides have the same */
    void (*put_line)(const struct fb_output *output, struct fb_buf *out); /* NULL: all of it */
    bool count;
};

static void put_whole(const struct collector *into, const struct fb_output *output,
                      struct fb_buf *line) {
    const struct fb_class *class = &into->program->classes[output->class_index];
    enum fb_type types[FB_FIELDS_MAX];
    for (uint32_t i = 0; i < class->n_tags; i++)
        types[i] = class->fields[class->tags[i]].type;
    put_output(output, class->n_tags, types, line);
}

static void count(struct run_counts *counts, const struct fb_program *program,
                  const struct fb_output *output) {
    FB_ASSERT(output->class_index < program->n_classes);
    counts->of_groups += output->kind != FB_OUT_LATE &&
                         program->classes[output->class_index].group_class != FB_NO_INDEX;
    counts->late += output->kind == FB_OUT_LATE && !output->future;
    counts->future += output->kind == FB_OUT_LATE && output->future;
    counts->events += output->kind == FB_OUT_EVENT;
    counts->muted += output->kind == FB_OUT_MUTED;
    counts->commands += output->kind == FB_OUT_COMMAND;
    counts->blocks += output->kind == FB_OUT_BLOCKED && !output->ended;
    if (output->kind == FB_OUT_COMMAND)
        counts->reasons[output->reason]++;
    if (output->kind == FB_OUT_BLOCKED && !output->ended)
        counts->guards[output->guard]++;
    if (output->kind == FB_OUT_ALERT) {
        counts->unmuted +=
            output->event == FB_ALERT_UNSHELVED || output->event == FB_ALERT_UNSUPPRESSED;
        counts->raised += output->event == FB_ALERT_RAISED;
        counts->severity += output->event == FB_ALERT_SEVERITY;
        counts->cleared += output->event == FB_ALERT_CLEARED;
    }
}

static void add_line(struct collector *into, struct fb_buf *line) {
    FB_PUSH_ROOM(into->lines->items, into->lines->n, into->lines->cap);
    into->lines->items[into->lines->n++] =
        fb_str_copy(into->result->arena, (struct fb_str){line->p, line->n});
    fb_buf_free(line);
}

/* Whoever compares by lines of his own hears of refusals only. */
static void answered(struct collector *into, const struct run_entry *entry,
                     enum fb_call_outcome outcome) {
    struct fb_buf line = {0};
    if (into->count)
        into->result->counts.calls[entry->call->kind][outcome]++;
    if (into->put_line != NULL && outcome == FB_CALL_ACCEPTED)
        return;
    fb_buf_printf(&line, "call %s at ", fb_call_name(entry->call->kind));
    put_time(entry->clock_us, &line);
    fb_buf_printf(&line, ": %s", fb_call_outcome_text(outcome));
    add_line(into, &line);
}

static void collect(void *context, const struct fb_output *output) {
    struct collector *into = context;
    struct fb_buf line = {0};
    if (into->put_line != NULL)
        into->put_line(output, &line);
    else
        put_whole(into, output, &line);
    add_line(into, &line);
    if (into->count)
        count(&into->result->counts, into->program, output);
}

struct series {
    const struct run_entry *entries;
    size_t n;
    int64_t finish_us, finish_wall_us, max_skew_us, max_lag_us;
};

static void run_product(const struct fb_program *program, const struct series *series,
                        struct collector *into) {
    struct fb_core_config config = {.max_skew_us = series->max_skew_us,
                                    .max_lag_us = series->max_lag_us};
    struct fb_core *core = fb_core_new(program, &config, collect, into);
    for (size_t i = 0; i < series->n; i++) {
        const struct run_entry *entry = &series->entries[i];
        fb_core_set_wall(core, entry->wall_us);
        if (entry->call != NULL)
            answered(into, entry, fb_core_call(core, entry->call, entry->clock_us));
        else if (entry->tick)
            fb_core_advance(core, entry->clock_us);
        else
            fb_core_take(core, &entry->entry, entry->clock_us);
    }
    fb_core_set_wall(core, series->finish_wall_us);
    fb_core_finish(core, series->finish_us);
    fb_core_free(core);
}

static void run_oracle(const struct fb_tree *tree, const struct series *series,
                       struct collector *into, void (*usage)(const struct ora *o)) {
    struct ora *o = ora_new(tree, series->max_skew_us, series->max_lag_us, collect, into);
    for (size_t i = 0; i < series->n; i++) {
        const struct run_entry *entry = &series->entries[i];
        ora_set_wall(o, entry->wall_us);
        if (entry->call != NULL)
            answered(into, entry, ora_call(o, entry->call, entry->clock_us));
        else if (entry->tick)
            ora_advance(o, entry->clock_us);
        else
            ora_take(o, &entry->entry, entry->clock_us);
    }
    ora_set_wall(o, series->finish_wall_us);
    ora_finish(o, series->finish_us);
    if (usage != NULL)
        usage(o);
    ora_free(o);
}

static size_t first_difference(const struct run_lines *a, const struct run_lines *b) {
    size_t n = a->n < b->n ? a->n : b->n;
    for (size_t i = 0; i < n; i++)
        if (!fb_str_eq(a->items[i], b->items[i]))
            return i;
    return a->n == b->n ? SIZE_MAX : n;
}

static void run_series(const struct fb_compiled *compiled, const struct series *series,
                       void (*put_line)(const struct fb_output *output, struct fb_buf *out),
                       void (*usage)(const struct ora *o), struct run_result *result) {
    struct collector into = {.result = result, .program = compiled->program, .put_line = put_line};
    into.lines = &result->product;
    run_product(compiled->program, series, &into);
    into.lines = &result->oracle;
    into.count = true;
    run_oracle(compiled->tree, series, &into, usage);
    result->first_difference = first_difference(&result->product, &result->oracle);
}

void run_compiled(const struct fb_compiled *compiled, const struct run_entry *entries, size_t n,
                  int64_t finish_us, int64_t max_skew_us,
                  void (*put_line)(const struct fb_output *output, struct fb_buf *out),
                  struct run_result *result) {
    struct series series = {entries, n, finish_us, FB_NO_TIME, max_skew_us, FB_MINUTE};
    *result = (struct run_result){.arena = fb_arena_new(), .compiled = true};
    run_series(compiled, &series, put_line, NULL, result);
}

/* The entries without what was shrunk away; fields that are off give their places to those after.
 */
static size_t entries_of(const struct gen_case *c, struct fb_arena *arena,
                         struct run_entry *entries) {
    size_t n = 0;
    for (size_t i = 0; i < c->n_events; i++) {
        const struct gen_event *event = &c->events[i];
        const struct gen_class *class = &c->classes[event->entry.class_index];
        struct fb_entry entry = event->entry;
        struct fb_sample *samples = FB_ARENA_ARRAY(arena, struct fb_sample, class->n_fields);
        uint16_t place[GEN_FIELDS_MAX], next = 0, n_samples = 0;
        if (event->off)
            continue;
        if (event->tick || event->call != NULL) {
            entries[n++] = (struct run_entry){.clock_us = event->clock_us,
                                              .wall_us = event->wall_us,
                                              .tick = event->tick,
                                              .call = event->call};
            continue;
        }
        for (uint32_t f = 0; f < class->n_fields; f++)
            place[f] = class->fields[f].off ? UINT16_MAX : next++;
        for (uint32_t s = 0; s < entry.n_samples; s++) {
            if (place[entry.samples[s].field] == UINT16_MAX)
                continue;
            samples[n_samples] = entry.samples[s];
            samples[n_samples++].field = place[entry.samples[s].field];
        }
        entry.samples = samples;
        entry.n_samples = n_samples;
        entries[n++] = (struct run_entry){
            .entry = entry, .clock_us = event->clock_us, .wall_us = event->wall_us};
    }
    return n;
}

void run_case(const struct gen_case *c, struct run_result *result,
              void (*usage)(const struct ora *o)) {
    struct fb_compiled compiled;
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    struct fb_buf text = {0};
    *result = (struct run_result){.arena = fb_arena_new(), .first_difference = SIZE_MAX};
    gen_print_rules(c, &text);
    fb_sources_add(sources, FB_S("case.rules"), (struct fb_str){text.p, text.n});
    fb_buf_free(&text);
    result->compiled = fb_compile_sources(sources, diags, &compiled);
    if (result->compiled) {
        struct run_entry *entries =
            FB_ARENA_ARRAY(result->arena, struct run_entry, c->n_events + 1);
        struct series series = {
            .entries = entries,
            .n = entries_of(c, result->arena, entries),
            .finish_us = c->finish_us,
            .finish_wall_us = c->finish_wall_us,
            .max_skew_us = c->max_skew_us,
            .max_lag_us = c->max_lag_us,
        };
        run_series(&compiled, &series, NULL, usage, result);
    } else {
        fb_diags_print(diags, compiled.sources, false, &result->diagnostics);
    }
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
}

void run_result_free(struct run_result *result) {
    free(result->product.items);
    free(result->oracle.items);
    fb_buf_free(&result->diagnostics);
    fb_arena_free(result->arena);
}
