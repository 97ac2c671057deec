/* See loop.h.
 *
 * Place in the flow: see loop.h. */
#include "tests/plant/loop.h"

#include <stdlib.h>

#include "engine/core/core.h"
#include "engine/core/snapshot.h"
#include "rules/compile.h"
#include "engine/plant/line.h"
#include "engine/plant/receiver.h"

enum { CATCH_UP_US = 60000000 };

struct loop {
    const struct loop_setup *setup;
    struct loop_course *course;
    struct fb_plant plant;
    struct fb_line telemetry, commands;
    struct fb_receiver receiver;
    const struct fb_program *program;
    struct fb_core *core;
    int64_t now_us, clock_us; /* the wall; the task's clock */
    uint16_t x, position, trip; /* fields of the device */
    struct fb_plant_span spell;
    uint64_t in_flight; /* winner of the command that the receiver took last */
    double sent;
    bool forced, in_flight_forced; /* by safety: the step to what was sent last; taken last */
};

static void note_change(struct loop_course *course, struct loop_change change) {
    if (course->n_changes > 0 && course->changes[course->n_changes - 1].value == change.value)
        return;
    course->lapses += change.lapsed;
    if (course->n_changes == course->capacity) {
        course->capacity = course->capacity * 2 + 64;
        course->changes =
            realloc(course->changes, course->capacity * sizeof(*course->changes));
        FB_ASSERT(course->changes != NULL);
    }
    course->changes[course->n_changes++] = change;
}

static uint64_t winner_of(const struct fb_output *output) {
    uint64_t hash = 0;
    if (output->rule == NULL || output->priority == FB_PRIORITY_NONE)
        return 0;
    for (size_t i = 0; i < output->rule->name.n; i++)
        hash = hash * 31 + (uint8_t)output->rule->name.p[i];
    return hash | 1;
}

static void take_output(void *context, const struct fb_output *output) {
    struct loop *loop = context;
    if (output->kind == FB_OUT_BLOCKED && !output->ended)
        loop->course->blocks++;
    if (output->kind != FB_OUT_COMMAND || output->actuator->shadow)
        return;
    /* Who asks for the same value later has not made the step, though his may be the command that
     * arrives. */
    if (output->reason == FB_REASON_SAFE || output->value != loop->sent)
        loop->forced = output->reason == FB_REASON_SAFE;
    loop->sent = output->value;
    loop->course->commands++;
    loop->course->stale_commands += loop->now_us - loop->clock_us > CATCH_UP_US;
    fb_line_send(&loop->commands, (struct fb_line_message){.sent_us = loop->now_us,
                                                           .values = {output->value, loop->forced},
                                                           .tag = winner_of(output),
                                                           .seq = output->seq,
                                                           .expires_us = output->expires_at_us,
                                                           .lease_us = output->lease_until_us});
}

static bool in_spell(const struct loop *loop, enum loop_spell spell) {
    return loop->setup->spell == spell && fb_plant_in(loop->spell, loop->now_us);
}

static void begin_spell(struct loop *loop) {
    if (loop->setup->spell == SPELL_NONE || loop->course->spell_from_us >= 0 ||
        loop->now_us < loop->setup->spell_from_us || loop->receiver.value == loop->setup->safe)
        return;
    loop->course->spell_from_us = loop->now_us;
    loop->spell = (struct fb_plant_span){loop->now_us, loop->now_us + loop->setup->spell_us};
    if (loop->setup->spell == SPELL_STUCK)
        loop->plant.config.stuck = loop->spell;
    if (loop->setup->spell == SPELL_SILENT)
        loop->plant.config.dead_sensor = loop->spell;
}

static void send_telemetry(struct loop *loop) {
    const struct fb_plant_telemetry sensed = fb_plant_sense(&loop->plant);
    if (in_spell(loop, SPELL_SILENT))
        return;
    fb_line_send(&loop->telemetry, (struct fb_line_message){
                                       .sent_us = loop->now_us,
                                       .values = {sensed.value, sensed.position * loop->setup->full,
                                                  in_spell(loop, SPELL_TRIP)},
                                       .good = sensed.has_value});
}

static void give_record(struct loop *loop, const struct fb_line_message *message) {
    struct fb_sample samples[3] = {{.field = loop->x,
                                    .state = message->good ? FB_SAMPLE_GOOD : FB_SAMPLE_NULL,
                                    .num = message->values[0]},
                                   {.field = loop->position, .num = message->values[1]},
                                   {.field = loop->trip, .i = message->values[2] != 0}};
    const struct fb_entry entry = {.device = FB_S("p1"),
                                   .ts_us = message->sent_us,
                                   .samples = samples,
                                   .n_samples = 3,
                                   .origin = {.topic = FB_S("plants"), .partition = -1}};
    if (message->arrives_us > loop->clock_us)
        loop->clock_us = message->arrives_us;
    FB_ASSERT(fb_core_take(loop->core, &entry, loop->clock_us) != FB_REFUSED_DEVICES);
}

static void begin_core(struct loop *loop) {
    const struct fb_core_config config = {.max_skew_us = 600000000, .max_lag_us = CATCH_UP_US};
    loop->core = fb_core_new(loop->program, &config, take_output, loop);
}

/* The process ends, and another one goes on from its snapshot. */
static void restart(struct loop *loop) {
    struct fb_buf bytes = {0};
    struct fb_err err = {0};
    fb_core_snapshot_begin(loop->core);
    while (fb_core_snapshot_is_open(loop->core))
        fb_core_snapshot_next(loop->core, 1 << 20, &bytes);
    fb_core_free(loop->core);
    begin_core(loop);
    FB_ASSERT(fb_core_restore(loop->core, (struct fb_str){bytes.p, bytes.n}, &err));
    fb_core_restored(loop->core, loop->clock_us);
    fb_buf_free(&bytes);
}

static void run_engine(struct loop *loop) {
    struct fb_line_message message;
    if (in_spell(loop, SPELL_ENGINE))
        return;
    if (loop->setup->restart_us > 0 && loop->now_us % loop->setup->restart_us == 0)
        restart(loop);
    fb_core_set_wall(loop->core, loop->now_us);
    while (fb_line_receive(&loop->telemetry, loop->now_us, &message))
        give_record(loop, &message);
    loop->clock_us = loop->now_us;
    fb_core_advance(loop->core, loop->now_us);
}

static void note_receiver(struct loop *loop) {
    const uint32_t lapsed = loop->receiver.lapsed;
    const double value = fb_receiver_value(&loop->receiver, loop->now_us);
    note_change(loop->course, (struct loop_change){.at_us = loop->now_us,
                                                   .value = value,
                                                   .winner = loop->in_flight,
                                                   .forced = loop->in_flight_forced,
                                                   .lapsed = loop->receiver.lapsed != lapsed});
}

/* Each message is noted: an `off` that comes late, together with the `on` behind it, was obeyed. */
static void run_receiver(struct loop *loop) {
    struct fb_line_message message;
    while (fb_line_receive(&loop->commands, loop->now_us, &message)) {
        fb_receiver_take(&loop->receiver, &message, loop->now_us);
        loop->in_flight = message.tag;
        loop->in_flight_forced = message.values[1] != 0;
        note_receiver(loop);
    }
    note_receiver(loop);
}

static void note_value(struct loop *loop) {
    struct loop_course *course = loop->course;
    const double value = loop->plant.value;
    const bool begins = loop->now_us * 4 <= loop->setup->length_us;
    course->least = begins || value < course->least ? value : course->least;
    course->most = begins || value > course->most ? value : course->most;
}

static void run(struct loop *loop) {
    const struct loop_setup *setup = loop->setup;
    note_change(loop->course, (struct loop_change){.value = setup->first});
    for (; loop->now_us < setup->length_us; loop->now_us += FB_PLANT_STEP_US) {
        begin_spell(loop);
        if (loop->now_us % setup->every_us == 0)
            send_telemetry(loop);
        run_engine(loop);
        run_receiver(loop);
        fb_plant_step(&loop->plant, (const double[]){loop->receiver.value / setup->full});
        note_value(loop);
    }
}

static uint16_t field_named(const struct fb_class *class_, struct fb_str name) {
    for (uint16_t i = 0; i < class_->n_fields; i++)
        if (fb_str_eq(class_->fields[i].name, name))
            return i;
    FB_ASSERT(false);
    return 0;
}

static void run_program(const struct fb_program *program, const struct loop_setup *setup,
                        struct loop_course *course) {
    const struct fb_class *class_ = &program->classes[0];
    struct loop loop = {.setup = setup,
                        .program = program,
                        .course = course,
                        .telemetry = {.random = {setup->seed * 3 + 1},
                                      .lost_percent = setup->telemetry_lost,
                                      .late_percent = setup->telemetry_late,
                                      .late_us = 40000000},
                        .commands = {.random = {setup->seed * 3 + 2},
                                     .lost_percent = setup->commands_lost,
                                     .late_percent = setup->commands_late,
                                     .late_us = 20000000,
                                     .in_order = true},
                        .receiver = {.safe = setup->safe, .value = setup->first},
                        .sent = setup->first,
                        .x = field_named(class_, FB_S("x")),
                        .position = field_named(class_, FB_S("position")),
                        .trip = field_named(class_, FB_S("trip"))};
    fb_plant_begin(&loop.plant, &setup->plant, setup->seed);
    begin_core(&loop);
    run(&loop);
    fb_core_free(loop.core);
}

bool loop_run(const char *rules, const struct loop_setup *setup, struct loop_course *course,
              struct fb_buf *complaint) {
    struct fb_compiled compiled;
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    fb_sources_add(sources, FB_S("loop.rules"), fb_str_of(rules));
    const bool ok = fb_compile_sources(sources, diags, &compiled);
    *course = (struct loop_course){.spell_from_us = -1};
    if (ok)
        run_program(compiled.program, setup, course);
    else
        fb_diags_print(diags, compiled.sources, false, complaint);
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
    return ok;
}

void loop_free(struct loop_course *course) {
    free(course->changes);
    course->changes = NULL;
}
