#include "tests/oracle/side.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/core/call.h"

/* --- outputs as bytes ------------------------------------------------------------------------- */

static void put_value(struct fb_buf *out, enum fb_type type, const struct fb_value *value) {
    fb_buf_printf(out, " %u:", value->quality);
    if (value->quality != FB_Q_GOOD)
        return;
    if (type == FB_T_TEXT)
        fb_buf_str(out, value->text);
    else if (type == FB_T_NUMBER && value->num == 0)
        fb_buf_char(out, '0');
    else
        fb_buf_printf(out, "%" PRIx64, (uint64_t)value->i);
}

static void put_acting(struct fb_buf *out, const struct fb_output *output) {
    fb_buf_printf(out, " %.*s %d %d:%a asked %a at %d", FB_ARG(output->actuator->name),
                  output->actuator->shadow, output->has_value, output->value, output->requested,
                  output->priority);
    if (output->kind == FB_OUT_COMMAND)
        fb_buf_printf(out, " %d %" PRIu64 " %" PRId64 " %" PRId64, output->reason, output->seq,
                      output->expires_at_us, output->lease_until_us);
    else
        fb_buf_printf(out, " %d %d %" PRIu64, output->guard, output->ended, output->count);
    for (uint32_t i = 0; i < output->n_results; i++)
        fb_buf_printf(out, " %d %d %a %a %" PRId64 " %u %u", output->results[i].guard,
                      output->results[i].verdict, output->results[i].requested,
                      output->results[i].applied, output->results[i].until_us,
                      output->results[i].counted, output->results[i].most);
    for (uint32_t i = 0; i < output->n_entries; i++)
        fb_buf_printf(out, " %.*s %d %a",
                      FB_ARG(output->entries[i].rule == NULL ? FB_S("(hand)")
                                                             : output->entries[i].rule->name),
                      output->entries[i].priority, output->entries[i].value);
}

static void collect(void *context, const struct fb_output *output) {
    struct side *side = context;
    if (side->tap != NULL)
        side->tap(side->tap_context, output);
    struct fb_buf *out = &side->bytes;
    const struct fb_class *class_ = &side->program->classes[output->class_index];
    if (output->rule && side->leave_out.n && fb_str_eq(output->rule->name, side->leave_out))
        return;
    bool shadow = output->kind == FB_OUT_COMMAND && output->actuator->shadow;
    if (side->real_only && (shadow || output->kind == FB_OUT_BLOCKED))
        return;
    fb_buf_printf(out, "%d %.*s at %" PRId64 " by %d %" PRId64 " %" PRId64, output->kind,
                  FB_ARG(output->device), output->at_us, output->cause.timer,
                  output->cause.timer ? output->cause.deadline_us : 0,
                  output->cause.timer ? 0 : output->cause.origin.offset);
    if (output->kind == FB_OUT_LATE) {
        fb_buf_printf(out, " %d %" PRId64 "\n", output->future, output->watermark_us);
        return;
    }
    const struct fb_rule *rule = output->rule;
    fb_buf_printf(out, " %.*s", FB_ARG(rule != NULL ? rule->name : FB_S("(default)")));
    if (output->kind == FB_OUT_COMMAND || output->kind == FB_OUT_BLOCKED)
        put_acting(out, output);
    else if (output->kind == FB_OUT_ALERT || output->kind == FB_OUT_MUTED)
        fb_buf_printf(out,
                      " %d %d %d %" PRId64 " acked %d shelved %d %d %" PRId64
                      " suppressed %d %" PRId64 " by %.*s: %.*s",
                      output->event, output->severity, output->active, output->since_us,
                      output->acked, output->shelved, output->once,
                      output->shelved ? output->shelf_until_us : 0, output->suppressed,
                      output->suppressed ? output->maintenance_until_us : 0, FB_ARG(output->who),
                      FB_ARG(output->because));
    else
        fb_buf_printf(out, " withheld %" PRIu64, output->withheld);
    for (uint32_t i = 0; rule != NULL && i < rule->n_shown; i++) {
        put_value(out, rule->shown[i].type, &output->shown[i]);
        if (rule->shown[i].type == FB_T_ENUM && output->shown[i].quality == FB_Q_GOOD)
            fb_buf_str(out, rule->shown[i].words[output->shown[i].i]);
    }
    for (uint32_t i = 0; rule != NULL && i < rule->n_slots; i++)
        put_value(out, rule->slots[i].type, &output->slots[i]);
    for (uint32_t i = 0; rule != NULL && i < class_->n_tags; i++)
        put_value(out, class_->fields[class_->tags[i]].type, &output->tags[i]);
    fb_buf_char(out, '\n');
}

/* --- running ---------------------------------------------------------------------------------- */

static struct fb_core *new_core(struct side *side, const struct input *in) {
    struct fb_core_config config = {.max_skew_us = in->max_skew_us, .max_lag_us = in->max_lag_us};
    return fb_core_new(in->program, &config, collect, side);
}

void side_begin(struct side *side, const struct input *in) {
    *side = (struct side){.program = in->program, .clock_us = FB_NO_TIME};
    side->core = new_core(side, in);
}

bool side_restart(struct side *side, const struct input *in) {
    struct fb_core *old = side->core;
    struct fb_buf piece = {0};
    struct fb_err err = {0};
    fb_core_snapshot_begin(old);
    while (fb_core_snapshot_next(old, SIZE_MAX / 2, &piece))
        continue;
    side->core = new_core(side, in);
    bool ok = fb_core_restore(side->core, (struct fb_str){piece.p, piece.n}, &err);
    if (ok)
        fb_core_restored(side->core, side->clock_us);
    else
        printf("%s\n", err.text);
    fb_buf_free(&piece);
    fb_core_free(old);
    return ok;
}

void side_end(struct side *side) {
    fb_core_free(side->core);
    fb_buf_free(&side->bytes);
}

/* Where a rule is left out, so is what became of calls: its name may be among them. */
static void take_call(struct side *side, const struct gen_event *event) {
    side->outcome = fb_core_call(side->core, event->call, event->clock_us);
    if (side->leave_out.n == 0)
        fb_buf_printf(&side->bytes, "call %s: %s\n", fb_call_name(event->call->kind),
                      fb_call_outcome_text(side->outcome));
}

void side_step(struct side *side, const struct gen_event *event) {
    if (event->off)
        return;
    if (event->clock_us > side->clock_us)
        side->clock_us = event->clock_us;
    fb_core_set_wall(side->core, event->wall_us);
    if (event->tick || side->ticks)
        fb_core_advance(side->core, event->clock_us);
    if (event->call != NULL)
        take_call(side, event);
    else if (!event->tick)
        fb_core_take(side->core, &event->entry, event->clock_us);
}

void side_run(struct side *side, const struct input *in, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        side_step(side, &in->events[i]);
}

void side_finish(struct side *side, const struct input *in) {
    fb_core_set_wall(side->core, in->finish_wall_us);
    fb_core_finish(side->core, in->finish_us);
}

void side_run_out(struct side *side, const struct input *in, size_t from) {
    side_run(side, in, from, in->n);
    side_finish(side, in);
}

struct fb_str side_outputs(const struct side *side, size_t from) {
    return (struct fb_str){side->bytes.p + from, side->bytes.n - from};
}

bool same_hash(struct fb_hash128 a, struct fb_hash128 b, const char *what) {
    if (fb_hash128_eq(a, b))
        return true;
    printf("the state hashes differ: %s\n", what);
    return false;
}

bool same_bytes(struct fb_str a, struct fb_str b, const char *what) {
    if (fb_str_eq(a, b))
        return true;
    size_t at = 0;
    while (at < a.n && at < b.n && a.p[at] == b.p[at])
        at++;
    while (at > 0 && a.p[at - 1] != '\n')
        at--;
    int a_n = (int)(a.n - at < 300 ? a.n - at : 300), b_n = (int)(b.n - at < 300 ? b.n - at : 300);
    printf("the outputs differ, %s:\n  %.*s\n  %.*s\n", what, a_n, a.p + at, b_n, b.p + at);
    return false;
}

/* --- A case with its rules compiled --- */

bool compile_case(const struct gen_case *c, struct fb_diags *diags, struct fb_compiled *compiled) {
    struct fb_sources *sources = fb_sources_new();
    struct fb_buf text = {0};
    gen_print_rules(c, &text);
    fb_sources_add(sources, FB_S("case.rules"), (struct fb_str){text.p, text.n});
    fb_buf_free(&text);
    return fb_compile_sources(sources, diags, compiled);
}

struct input input_of(const struct gen_case *c, const struct fb_compiled *compiled) {
    return (struct input){compiled->program, c->events,      c->n_events,  c->finish_us,
                          c->finish_wall_us, c->max_skew_us, c->max_lag_us};
}

void compiled_case_begin(struct compiled_case *of, uint64_t seed) {
    of->c = gen_case_new(seed);
    of->diags = fb_diags_new();
    of->ok = compile_case(of->c, of->diags, &of->compiled);
}

void compiled_case_end(struct compiled_case *of) {
    fb_compiled_free(&of->compiled);
    fb_diags_free(of->diags);
    gen_case_free(of->c);
}
