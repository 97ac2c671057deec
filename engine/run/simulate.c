/* The loop: half a second of all plants, what they send, what the engine decides, what arrives.
 *
 * Place in the flow: see simulate.h. */
#include "engine/run/simulate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/base/map.h"
#include "engine/plant/line.h"
#include "engine/plant/receiver.h"
#include "engine/run/simulate_fit.h"
#include "engine/run/teller.h"

enum { PROGRESS_EVERY_STEPS = 1024 };

/* One plant of the fleet. */
struct plant {
    struct fb_str id;
    int64_t phase_us; /* it sends so long after a multiple of `every` */
    struct fb_plant *processes;
    struct fb_line telemetry, commands;
    struct fb_receiver *receivers; /* one an actuator of the class */
    bool *was_in_band;             /* of each process */
};

struct simulation {
    const struct fb_simulate_options *options;
    struct fb_simulate_result *result;
    struct fb_err *err;
    struct fb_fit fit;
    struct plant *plants;
    struct fb_map *numbers; /* of plants by their ids */
    struct fb_arena *arena;
    struct fb_core *core;
    struct fb_teller teller;
    struct fb_auditor auditor;
    struct fb_buf task;
    int64_t now_us;
    uint64_t steps;
};

/* ---- outputs ---- */

static void send_command(struct simulation *s, const struct fb_output *output) {
    uint32_t number = fb_map_get(s->numbers, output->device);
    if (number == FB_MAP_NONE || output->class_index != s->fit.class_index)
        return;
    struct fb_line *line = &s->plants[number].commands;
    uint32_t before = line->n;
    fb_line_send(line, (struct fb_line_message){
                           .sent_us = s->now_us,
                           .values = {output->value},
                           .actuator = (uint32_t)(output->actuator - s->fit.class_->actuators),
                           .seq = output->seq,
                           .expires_us = output->expires_at_us,
                           .lease_us = output->lease_until_us});
    s->result->commands_lost += line->n == before;
}

static void put_out(void *context, const struct fb_output *output) {
    struct simulation *s = context;
    if (output->kind == FB_OUT_COMMAND && !output->actuator->shadow)
        send_command(s, output);
    fb_teller_tell(&s->teller, s->options->audit ? &s->auditor : NULL, output);
}

/* ---- telemetry ---- */

/* The position of an actuator as it is: after its travel where a process has one. */
static double position_of(const struct simulation *s, const struct plant *plant,
                          uint32_t actuator) {
    for (uint32_t i = 0; i < s->options->file->n_processes; i++)
        for (uint32_t k = 0; k < s->options->file->processes[i].config.n_inputs; k++)
            if (s->fit.actuators[i][k] == actuator)
                return plant->processes[i].inputs[k].position;
    return plant->receivers[actuator].value / s->fit.class_->actuators[actuator].high;
}

static void send_telemetry(struct simulation *s, struct plant *plant) {
    struct fb_line_message message = {.sent_us = s->now_us};
    bool silent = true;
    for (uint32_t i = 0; i < s->options->file->n_processes; i++) {
        struct fb_plant_telemetry sensed = fb_plant_sense(&plant->processes[i]);
        message.values[i] = sensed.value;
        message.good |= (uint32_t)sensed.has_value << i;
        silent &= fb_plant_in(plant->processes[i].config.dead_sensor, plant->processes[i].now_us);
    }
    uint32_t before = plant->telemetry.n;
    if (!silent)
        fb_line_send(&plant->telemetry, message);
    s->result->lost += !silent && plant->telemetry.n == before;
}

static void set_position(const struct simulation *s, const struct plant *plant,
                         const struct fb_fit_sample *from, struct fb_sample *sample) {
    const struct fb_field *field = &s->fit.class_->fields[from->field];
    const struct fb_actuator *actuator = &s->fit.class_->actuators[from->index];
    double position = position_of(s, plant, from->index);
    struct fb_str word = actuator->words[position > 0.5];
    if (field->type == FB_T_BOOL)
        sample->i = position > 0.5;
    else if (field->type == FB_T_INTEGER)
        sample->i = (int64_t)(position * actuator->high);
    else if (field->type != FB_T_ENUM)
        sample->num = position * actuator->high;
    for (uint32_t i = 0; field->type == FB_T_ENUM && i < field->n_words; i++)
        if (fb_str_eq(field->words[i], word))
            sample->i = i;
}

static void set_measured(const struct simulation *s, const struct fb_fit_sample *from,
                         const struct fb_line_message *message, struct fb_sample *sample) {
    if (!(message->good >> from->index & 1))
        sample->state = FB_SAMPLE_NULL;
    else if (s->fit.class_->fields[from->field].type == FB_T_INTEGER)
        sample->i = (int64_t)message->values[from->index];
    else
        sample->num = message->values[from->index];
}

static void set_key(const struct simulation *s, const struct plant *plant, uint32_t number,
                    struct fb_sample *sample) {
    if (s->fit.class_->fields[0].type == FB_T_INTEGER)
        sample->i = number + 1;
    else
        sample->text = plant->id;
}

static bool is_within(const struct fb_field *field, const struct fb_sample *sample) {
    bool number = field->type == FB_T_NUMBER || field->type == FB_T_COUNTER;
    double x = number ? sample->num : (double)sample->i;
    return !field->has_range || (x >= field->range_low && x <= field->range_high);
}

static void give_record(struct simulation *s, uint32_t number,
                        const struct fb_line_message *message) {
    struct plant *plant = &s->plants[number];
    struct fb_sample samples[2 * FB_PLANT_PARTS_MAX + 1];
    char raw[64 + FB_DEVICE_ID_MAX];
    for (uint16_t i = 0; i < s->fit.n_samples; i++) {
        const struct fb_fit_sample *from = &s->fit.samples[i];
        samples[i] = (struct fb_sample){.field = from->field};
        switch (from->from) {
        case FB_FIT_KEY:
            set_key(s, plant, number, &samples[i]);
            break;
        case FB_FIT_PROCESS:
            set_measured(s, from, message, &samples[i]);
            break;
        case FB_FIT_ACTUATOR:
            set_position(s, plant, from, &samples[i]);
            break;
        case FB_FIT_CONSTANT:
            samples[i] = from->constant;
            break;
        }
        const struct fb_field *field = &s->fit.class_->fields[from->field];
        if (from->from == FB_FIT_PROCESS && samples[i].state == FB_SAMPLE_GOOD &&
            !is_within(field, &samples[i]))
            samples[i].state = FB_SAMPLE_RANGE;
    }
    int n = snprintf(raw, sizeof raw, "{\"id\":\"%.*s\"}", FB_ARG(plant->id));
    struct fb_entry entry = {.class_index = s->fit.class_index,
                             .device = plant->id,
                             .ts_us = message->sent_us,
                             .samples = samples,
                             .n_samples = s->fit.n_samples,
                             .origin = {.topic = s->fit.class_->topics[0],
                                        .partition = -1,
                                        .offset = (int64_t)s->result->records},
                             .raw = {raw, (size_t)n}};
    s->result->records++;
    s->auditor.payload = entry.raw;
    if (s->options->record)
        s->options->record(s->options->context, &entry);
    fb_core_take(s->core, &entry, s->now_us);
    s->auditor.payload = (struct fb_str){0};
}

/* ---- a step ---- */

static void note_value(struct simulation *s, struct plant *plant, uint32_t i) {
    const struct fb_plant_process *process = &s->options->file->processes[i];
    struct fb_process_figures *figures = &s->result->processes[i];
    double x = plant->processes[i].value;
    bool first = s->steps == 0 && plant == s->plants;
    figures->least = first || x < figures->least ? x : figures->least;
    figures->greatest = first || x > figures->greatest ? x : figures->greatest;
    bool in_band = !process->has_band || (x >= process->band_low && x <= process->band_high);
    figures->in_band += in_band; /* a count, until the end */
    if (in_band) {
        plant->was_in_band[i] = true;
    } else if (plant->was_in_band[i]) {
        double beyond = x > process->band_high ? x - process->band_high : process->band_low - x;
        figures->overshoot = beyond > figures->overshoot ? beyond : figures->overshoot;
    }
}

static void move_plant(struct simulation *s, struct plant *plant) {
    const struct fb_class *class_ = s->fit.class_;
    struct fb_line_message message;
    while (fb_line_receive(&plant->commands, s->now_us, &message))
        fb_receiver_take(&plant->receivers[message.actuator], &message, s->now_us);
    for (uint32_t i = 0; i < class_->n_actuators; i++)
        if (!class_->actuators[i].shadow)
            fb_receiver_value(&plant->receivers[i], s->now_us);
    for (uint32_t i = 0; i < s->options->file->n_processes; i++) {
        double commands[FB_PLANT_INPUTS_MAX] = {0};
        for (uint32_t k = 0; k < s->options->file->processes[i].config.n_inputs; k++) {
            uint32_t a = s->fit.actuators[i][k];
            if (a != FB_NO_ACTUATOR)
                commands[k] = plant->receivers[a].value / class_->actuators[a].high;
        }
        fb_plant_step(&plant->processes[i], commands);
        note_value(s, plant, i);
    }
}

static void step(struct simulation *s) {
    const struct fb_simulate_options *options = s->options;
    struct fb_line_message message;
    int64_t since_us = s->now_us - options->start_us;
    for (uint32_t i = 0; i < options->fleet; i++)
        if ((since_us + s->plants[i].phase_us) % options->file->every_us == 0)
            send_telemetry(s, &s->plants[i]);
    fb_core_set_wall(s->core, s->now_us);
    for (uint32_t i = 0; i < options->fleet; i++)
        while (fb_line_receive(&s->plants[i].telemetry, s->now_us, &message))
            give_record(s, i, &message);
    s->auditor.clock_us = s->now_us;
    fb_core_advance(s->core, s->now_us);
    for (uint32_t i = 0; i < options->fleet; i++)
        move_plant(s, &s->plants[i]);
    s->steps++;
}

/* ---- setting up ---- */

/* 1 - spread to 1 + spread. */
static double varied(struct fb_random *random, double spread) {
    double fraction = (double)(fb_random_draw(random) >> 11) * 0x1p-53;
    return 1 + spread * (2 * fraction - 1);
}

/* The first plant is as the file says, the others differ. */
static struct fb_plant_config config_of(const struct fb_plant_process *process, uint32_t number,
                                        struct fb_random *random) {
    struct fb_plant_config config = process->config;
    if (number == 0)
        return config;
    config.start *= varied(random, process->spread);
    config.outside *= varied(random, process->spread);
    config.inputs[0].gain *= varied(random, process->spread);
    config.tau_s *= varied(random, process->spread);
    for (uint32_t i = 1; i < config.n_inputs; i++)
        config.inputs[i].gain *= varied(random, process->spread);
    return config;
}

static struct fb_str id_of(struct simulation *s, uint32_t number) {
    struct fb_str pattern = s->options->file->id;
    struct fb_buf id = {0};
    if (s->fit.class_->fields[0].type == FB_T_INTEGER)
        pattern = FB_S("{n}");
    for (size_t i = 0; i < pattern.n; i++) {
        if (pattern.n - i >= 3 && memcmp(pattern.p + i, "{n}", 3) == 0) {
            fb_buf_printf(&id, "%" PRIu32, number + 1);
            i += 2;
        } else {
            fb_buf_char(&id, pattern.p[i]);
        }
    }
    struct fb_str copy = fb_str_copy(s->arena, (struct fb_str){id.p, id.n});
    fb_buf_free(&id);
    return copy;
}

static struct fb_line line_of(const struct fb_plant_line *from, uint64_t seed, bool in_order) {
    return (struct fb_line){.random = {seed},
                            .lost_percent = from->lost_percent,
                            .late_percent = from->late_percent,
                            .late_us = from->late_us,
                            .in_order = in_order};
}

static bool make_plant(struct simulation *s, uint32_t number, struct fb_random *random) {
    const struct fb_plant_file *file = s->options->file;
    const struct fb_class *class_ = s->fit.class_;
    struct plant *plant = &s->plants[number];
    plant->id = id_of(s, number);
    if (plant->id.n > FB_TEXT_BYTES_MAX)
        return fb_fail(s->err, FB_FATAL, "%s: the id of a plant is longer than %d bytes",
                       s->options->file_name, FB_TEXT_BYTES_MAX);
    if (fb_map_get(s->numbers, plant->id) != FB_MAP_NONE)
        return fb_fail(s->err, FB_FATAL, "%s: the id of a fleet needs {n}, the plant's number",
                       s->options->file_name);
    fb_map_put(s->numbers, plant->id, number);
    int64_t phase_us = file->every_us * number / s->options->fleet;
    plant->phase_us = phase_us - phase_us % FB_PLANT_STEP_US;
    plant->processes = FB_ARENA_ARRAY(s->arena, struct fb_plant, file->n_processes);
    plant->was_in_band = FB_ARENA_ARRAY(s->arena, bool, file->n_processes);
    plant->receivers = FB_ARENA_ARRAY(s->arena, struct fb_receiver, class_->n_actuators + 1);
    plant->telemetry = line_of(&file->telemetry, fb_random_draw(random), false);
    plant->commands = line_of(&file->commands, fb_random_draw(random), true);
    for (uint32_t i = 0; i < class_->n_actuators; i++)
        plant->receivers[i].safe = plant->receivers[i].value = class_->actuators[i].safe;
    for (uint32_t i = 0; i < file->n_processes; i++) {
        struct fb_plant_config config = config_of(&file->processes[i], number, random);
        fb_plant_begin(&plant->processes[i], &config, fb_random_draw(random));
    }
    return true;
}

static bool make_fleet(struct simulation *s) {
    struct fb_random random = {s->options->seed};
    s->plants = fb_alloc(sizeof *s->plants * s->options->fleet);
    for (uint32_t i = 0; i < s->options->fleet; i++)
        if (!make_plant(s, i, &random))
            return false;
    return true;
}

static void begin(struct simulation *s) {
    const struct fb_simulate_options *options = s->options;
    struct fb_core_config config = {.max_skew_us = 10 * FB_MINUTE, .max_lag_us = FB_MINUTE};
    struct fb_encoded encoded;
    s->core = fb_core_new(options->program, &config, put_out, s);
    s->teller =
        (struct fb_teller){.encoder = fb_encoder_new(options->program, options->application),
                           .write = options->write,
                           .watch = options->watch,
                           .context = options->context,
                           .err = s->err};
    fb_buf_str(&s->task, options->application);
    fb_buf_text(&s->task, "/0");
    s->auditor.task = (struct fb_str){s->task.p, s->task.n};
    s->auditor.clock_us = FB_NO_TIME;
    memcpy(s->auditor.rules, options->rules, sizeof options->rules);
    if (!options->audit)
        return;
    fb_audit_rules(&s->auditor, s->teller.encoder, options->build ? options->build : "", &encoded);
    fb_teller_write(&s->teller, &encoded);
}

static void finish(struct simulation *s) {
    double values = (double)s->steps * s->options->fleet;
    for (uint32_t i = 0; i < s->options->file->n_processes; i++)
        if (values > 0)
            s->result->processes[i].in_band /= values;
    for (uint32_t i = 0; i < s->options->fleet; i++)
        for (uint32_t a = 0; a < s->fit.class_->n_actuators; a++)
            s->result->lapsed += s->plants[i].receivers[a].lapsed;
    s->result->stats = fb_core_stats(s->core);
}

static bool run(struct simulation *s) {
    const struct fb_simulate_options *options = s->options;
    if (!fb_fit_make(options->program, options->file, options->file_name, &s->fit, s->err) ||
        !make_fleet(s))
        return false;
    begin(s);
    for (s->now_us = options->start_us;
         !s->teller.failed && s->now_us < options->start_us + options->length_us;
         s->now_us += FB_PLANT_STEP_US) {
        step(s);
        if (options->progress && s->steps % PROGRESS_EVERY_STEPS == 0)
            options->progress(options->context, s->now_us - options->start_us, options->length_us);
    }
    finish(s);
    return !s->teller.failed;
}

bool fb_simulate(const struct fb_simulate_options *options, struct fb_simulate_result *result,
                 struct fb_err *err) {
    *result = (struct fb_simulate_result){0};
    struct simulation s = {.options = options,
                           .result = result,
                           .err = err,
                           .numbers = fb_map_new(),
                           .arena = fb_arena_new()};
    bool done = run(&s);
    fb_core_free(s.core);
    fb_teller_free(&s.teller);
    fb_map_free(s.numbers);
    fb_arena_free(s.arena);
    fb_buf_free(&s.task);
    free(s.plants);
    return done;
}
