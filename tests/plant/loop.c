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

struct act {
    struct loop_course *course;
    struct fb_line commands;
    struct fb_receiver receiver;
    uint64_t in_flight; /* winner of the command that the receiver took last */
    double sent;
    bool forced, in_flight_forced; /* by safety: the step to what was sent last; taken last */
};

struct machine {
    struct fb_plant plant;
    struct fb_line telemetry;
    struct act acts[LOOP_ACTS_MAX];
};

struct loop {
    const struct loop_setup *setup;
    struct loop_courses *courses;
    struct machine machines[LOOP_MACHINES_MAX];
    const struct fb_program *program;
    struct fb_core *core;
    int64_t now_us, clock_us; /* the wall; the task's clock */
    uint16_t x, position, trip; /* fields of the device */
    struct fb_plant_span spell;
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

static struct act *act_of(struct loop *loop, const struct fb_output *output) {
    const uint32_t machine = (uint32_t)(output->device.p[1] - '1');
    FB_ASSERT(output->device.n == 2 && machine < loop->setup->machines);
    return &loop->machines[machine].acts[fb_str_eq(output->actuator->name, FB_S("act2"))];
}

static void take_output(void *context, const struct fb_output *output) {
    struct loop *loop = context;
    if (output->kind == FB_OUT_BLOCKED && !output->ended)
        act_of(loop, output)->course->blocks++;
    if (output->kind != FB_OUT_COMMAND || output->actuator->shadow)
        return;
    struct act *act = act_of(loop, output);
    /* Who asks for the same value later has not made the step, though his may be the command that
     * arrives. */
    if (output->reason == FB_REASON_SAFE || output->value != act->sent)
        act->forced = output->reason == FB_REASON_SAFE;
    act->sent = output->value;
    act->course->commands++;
    act->course->stale_commands += loop->now_us - loop->clock_us > CATCH_UP_US;
    fb_line_send(&act->commands, (struct fb_line_message){.sent_us = loop->now_us,
                                                          .values = {output->value, act->forced},
                                                          .tag = winner_of(output),
                                                          .seq = output->seq,
                                                          .expires_us = output->expires_at_us,
                                                          .lease_us = output->lease_until_us});
}

static bool in_spell(const struct loop *loop, enum loop_spell spell) {
    return loop->setup->spell == spell && fb_plant_in(loop->spell, loop->now_us);
}

static uint32_t steps_since(const struct loop_course *course, double safe, int64_t us) {
    uint32_t n = 0;
    for (uint32_t i = course->n_changes; i-- > 1 && course->changes[i].at_us > us;)
        n += !course->changes[i].lapsed &&
             !loop_eases(safe, course->changes[i - 1].value, course->changes[i].value);
    return n;
}

static bool is_used_up(const struct loop *loop, const struct loop_used *used) {
    uint32_t n = 0;
    for (uint32_t m = 0; m < (used->all ? loop->setup->machines : 1); m++)
        for (uint32_t a = 0; a < loop->setup->acts; a++)
            n += steps_since(&loop->courses->of[m][a], loop->setup->safe, loop->now_us - used->us);
    return n >= used->n;
}

static void begin_spell(struct loop *loop) {
    const struct loop_setup *setup = loop->setup;
    if (setup->spell == SPELL_NONE || loop->courses->of[0][0].spell_from_us >= 0 ||
        loop->now_us < setup->spell_from_us ||
        loop->machines[0].acts[0].receiver.value == setup->safe ||
        !is_used_up(loop, &setup->spell_used))
        return;
    loop->spell = (struct fb_plant_span){loop->now_us, loop->now_us + setup->spell_us};
    for (uint32_t m = 0; m < setup->machines; m++) {
        for (uint32_t a = 0; a < setup->acts; a++)
            loop->courses->of[m][a].spell_from_us = loop->now_us;
        if (setup->spell == SPELL_STUCK)
            loop->machines[m].plant.config.stuck = loop->spell;
        if (setup->spell == SPELL_SILENT)
            loop->machines[m].plant.config.dead_sensor = loop->spell;
    }
}

static void send_telemetry(struct loop *loop, struct machine *machine) {
    const struct fb_plant_telemetry sensed = fb_plant_sense(&machine->plant);
    if (in_spell(loop, SPELL_SILENT))
        return;
    fb_line_send(
        &machine->telemetry,
        (struct fb_line_message){.sent_us = loop->now_us,
                                 .values = {sensed.value, sensed.position * loop->setup->full,
                                            in_spell(loop, SPELL_TRIP)},
                                 .good = sensed.has_value});
}

static void give_record(struct loop *loop, uint32_t machine,
                        const struct fb_line_message *message) {
    const char name[] = {'p', (char)('1' + machine)};
    struct fb_sample samples[3] = {{.field = loop->x,
                                    .state = message->good ? FB_SAMPLE_GOOD : FB_SAMPLE_NULL,
                                    .num = message->values[0]},
                                   {.field = loop->position, .num = message->values[1]},
                                   {.field = loop->trip, .i = message->values[2] != 0}};
    const struct fb_entry entry = {.device = {name, sizeof name},
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
    for (uint32_t m = 0; m < loop->setup->machines; m++)
        while (fb_line_receive(&loop->machines[m].telemetry, loop->now_us, &message))
            give_record(loop, m, &message);
    loop->clock_us = loop->now_us;
    fb_core_advance(loop->core, loop->now_us);
}

static void note_receiver(struct act *act, int64_t now_us) {
    const uint32_t lapsed = act->receiver.lapsed;
    const double value = fb_receiver_value(&act->receiver, now_us);
    note_change(act->course, (struct loop_change){.at_us = now_us,
                                                  .value = value,
                                                  .winner = act->in_flight,
                                                  .forced = act->in_flight_forced,
                                                  .lapsed = act->receiver.lapsed != lapsed});
}

/* Each message is noted: an `off` that comes late, together with the `on` behind it, was obeyed. */
static void run_receiver(struct act *act, int64_t now_us) {
    struct fb_line_message message;
    while (fb_line_receive(&act->commands, now_us, &message)) {
        fb_receiver_take(&act->receiver, &message, now_us);
        act->in_flight = message.tag;
        act->in_flight_forced = message.values[1] != 0;
        note_receiver(act, now_us);
    }
    note_receiver(act, now_us);
}

static void note_value(struct loop *loop, const struct machine *machine) {
    struct loop_course *course = machine->acts[0].course;
    const double value = machine->plant.value;
    const bool begins = loop->now_us * 4 <= loop->setup->length_us;
    course->least = begins || value < course->least ? value : course->least;
    course->most = begins || value > course->most ? value : course->most;
}

static void act_on_plant(struct loop *loop, struct machine *machine) {
    double commands[LOOP_ACTS_MAX] = {0};
    for (uint32_t a = 0; a < loop->setup->acts; a++) {
        run_receiver(&machine->acts[a], loop->now_us);
        commands[a] = machine->acts[a].receiver.value / loop->setup->full;
    }
    fb_plant_step(&machine->plant, commands);
    note_value(loop, machine);
}

static void run(struct loop *loop) {
    const struct loop_setup *setup = loop->setup;
    for (; loop->now_us < setup->length_us; loop->now_us += FB_PLANT_STEP_US) {
        begin_spell(loop);
        for (uint32_t m = 0; m < setup->machines && loop->now_us % setup->every_us == 0; m++)
            send_telemetry(loop, &loop->machines[m]);
        run_engine(loop);
        for (uint32_t m = 0; m < setup->machines; m++)
            act_on_plant(loop, &loop->machines[m]);
    }
}

static uint16_t field_named(const struct fb_class *class_, struct fb_str name) {
    for (uint16_t i = 0; i < class_->n_fields; i++)
        if (fb_str_eq(class_->fields[i].name, name))
            return i;
    FB_ASSERT(false);
    return 0;
}

static void begin_machine(struct loop *loop, uint32_t index) {
    const struct loop_setup *setup = loop->setup;
    struct machine *machine = &loop->machines[index];
    const uint64_t seed = setup->seed + index * UINT64_C(1000003);
    machine->telemetry = (struct fb_line){.random = {seed * 3 + 1},
                                          .lost_percent = setup->telemetry_lost,
                                          .late_percent = setup->telemetry_late,
                                          .late_us = 40000000};
    for (uint32_t a = 0; a < setup->acts; a++) {
        struct act *act = &machine->acts[a];
        act->commands = (struct fb_line){.random = {seed * 3 + 2 + a * UINT64_C(7000003)},
                                         .lost_percent = setup->commands_lost,
                                         .late_percent = setup->commands_late,
                                         .late_us = 20000000,
                                         .in_order = true};
        act->receiver = (struct fb_receiver){.safe = setup->safe, .value = setup->first};
        act->sent = setup->first;
        act->course = &loop->courses->of[index][a];
        note_change(act->course, (struct loop_change){.value = setup->first});
    }
    fb_plant_begin(&machine->plant, &setup->plant, seed);
}

static void run_program(const struct fb_program *program, const struct loop_setup *setup,
                        struct loop_courses *courses) {
    const struct fb_class *class_ = &program->classes[0];
    struct loop loop = {.setup = setup,
                        .program = program,
                        .courses = courses,
                        .x = field_named(class_, FB_S("x")),
                        .position = field_named(class_, FB_S("position")),
                        .trip = field_named(class_, FB_S("trip"))};
    FB_ASSERT(setup->machines <= LOOP_MACHINES_MAX && setup->acts <= LOOP_ACTS_MAX);
    for (uint32_t m = 0; m < setup->machines; m++)
        begin_machine(&loop, m);
    begin_core(&loop);
    run(&loop);
    fb_core_free(loop.core);
}

bool loop_run(const char *rules, const struct loop_setup *setup, struct loop_courses *courses,
              struct fb_buf *complaint) {
    struct fb_compiled compiled;
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    fb_sources_add(sources, FB_S("loop.rules"), fb_str_of(rules));
    const bool ok = fb_compile_sources(sources, diags, &compiled);
    *courses = (struct loop_courses){0};
    for (uint32_t m = 0; m < LOOP_MACHINES_MAX; m++)
        for (uint32_t a = 0; a < LOOP_ACTS_MAX; a++)
            courses->of[m][a].spell_from_us = -1;
    if (ok)
        run_program(compiled.program, setup, courses);
    else
        fb_diags_print(diags, compiled.sources, false, complaint);
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
    return ok;
}

void loop_free(struct loop_courses *courses) {
    for (uint32_t m = 0; m < LOOP_MACHINES_MAX; m++)
        for (uint32_t a = 0; a < LOOP_ACTS_MAX; a++)
            free(courses->of[m][a].changes);
    *courses = (struct loop_courses){0};
}
