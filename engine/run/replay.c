/* Merges the inputs, examines leaps, spreads the entries over the tasks, writes what comes out.
 *
 * Place in the flow: see replay.h. */
#include "engine/run/replay.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/hash.h"
#include "engine/core/call.h"
#include "engine/run/call_file.h"
#include "engine/run/file_clock.h"
#include "engine/run/input.h"
#include "engine/run/teller.h"

enum { PROGRESS_EVERY = 65536 };

/* One core with the devices that are its own, and its audit. */
struct task {
    struct replay *replay;
    struct fb_core *core;
    struct fb_auditor auditor;
    struct fb_buf name;
};

struct replay {
    const struct fb_replay_options *options;
    struct fb_replay_result *result;
    struct fb_teller teller;
    struct task *tasks;
    uint32_t n_tasks;
    struct fb_input **inputs; /* those that are not at their end */
    enum fb_input_state *states;
    uint32_t n_inputs;
    struct fb_file_clock *clock;
    struct fb_call_file *calls; /* NULL: none */
    struct fb_filed_call call;  /* the next one, if has_call */
    bool has_call;
    int64_t clock_us; /* C as the tasks were told it last */
    struct fb_err *err;
    bool stopped; /* the clock would go beyond options->stop_us */
};

static void put_out(void *context, const struct fb_output *output) {
    struct task *task = context;
    struct replay *replay = task->replay;
    fb_teller_tell(&replay->teller, replay->options->audit ? &task->auditor : NULL, output);
}

static void bury(struct task *task, const char *reason, struct fb_str detail,
                 const struct fb_origin *origin, struct fb_str payload) {
    struct replay *replay = task->replay;
    struct fb_dead_letter letter = {
        .reason = reason,
        .detail = detail,
        .origin = *origin,
        .payload = payload,
        .time_us = FB_NO_TIME,
    };
    struct fb_encoded encoded;
    fb_encode_dead(replay->teller.encoder, &letter, &encoded);
    replay->result->dead++;
    fb_teller_write(&replay->teller, &encoded);
    if (!replay->options->audit)
        return;
    fb_audit_rejected(&task->auditor, replay->teller.encoder, &letter, &encoded);
    fb_teller_write(&replay->teller, &encoded);
}

/* The task is told that C is here; origin: of the record that may have moved it, or NULL. */
static void move_clock(struct task *task, int64_t from_us, int64_t c_us,
                       const struct fb_origin *origin) {
    struct replay *replay = task->replay;
    struct fb_encoded encoded;
    task->auditor.clock_us = c_us;
    if (!replay->options->audit || !fb_audit_is_jump(from_us, c_us, replay->options->max_skew_us))
        return;
    fb_audit_clock(&task->auditor, replay->teller.encoder, from_us, origin, &encoded);
    fb_teller_write(&replay->teller, &encoded);
}

/* Where devices see each other, a domain that is no key can not be told from an id: then one task
 * has them all (A30). */
static uint32_t tasks_for(const struct fb_program *program, uint32_t wanted) {
    bool looks = false, keyed = true;
    for (uint32_t i = 0; i < program->n_classes; i++) {
        const struct fb_class *class_ = &program->classes[i];
        looks |= class_->n_links > 0 || class_->n_groups > 0;
        keyed &= class_->domain < class_->n_keys;
    }
    return looks && !keyed ? 1 : wanted;
}

/* The partition follows the domain where that is a key, else the first key: a part of the id. */
static struct task *task_of(const struct replay *replay, const struct fb_entry *entry) {
    if (replay->n_tasks == 1)
        return &replay->tasks[0];
    const struct fb_class *class_ = &replay->options->program->classes[entry->class_index];
    const char *from = entry->device.p, *end = from + entry->device.n;
    for (uint32_t key = 0; class_->domain < class_->n_keys && key < class_->domain; from++)
        key += *from == ',';
    size_t n = 0;
    while (from + n < end && from[n] != ',')
        n++;
    return &replay->tasks[fb_hash64(from, n, 0) % replay->n_tasks];
}

/* ---- operators' calls ---- */

static void next_call(struct replay *replay) {
    struct fb_err err;
    if (replay->teller.failed || !replay->calls)
        return;
    replay->has_call = fb_call_file_next(replay->calls, &replay->call, &err);
    if (err.kind == FB_NO_FAILURE)
        return;
    replay->teller.failed = true;
    *replay->err = err;
}

static void audit_call(struct task *task, enum fb_call_outcome outcome) {
    struct replay *replay = task->replay;
    const struct fb_filed_call *call = &replay->call;
    struct fb_encoded encoded;
    if (!replay->options->audit)
        return;
    fb_audit_call(&task->auditor, replay->teller.encoder, &call->read, outcome, call->line,
                  &call->read.call.origin, &encoded);
    fb_teller_write(&replay->teller, &encoded);
}

/* Every task takes it, as every partition of a running application does. */
static void take_call(struct replay *replay) {
    struct fb_call_read *read = &replay->call.read;
    read->call.origin = (struct fb_origin){.topic = FB_S("calls"), .offset = replay->call.number};
    int64_t c_us = read->at_us > replay->clock_us ? read->at_us : replay->clock_us;
    for (uint32_t i = 0; i < replay->n_tasks; i++) {
        struct task *task = &replay->tasks[i];
        enum fb_call_outcome outcome = FB_CALL_ACCEPTED;
        move_clock(task, replay->clock_us, c_us, NULL);
        fb_core_advance(task->core, c_us);
        if (read->wrong.n == 0)
            outcome = fb_core_call(task->core, &read->call, c_us);
        audit_call(task, outcome);
    }
    replay->clock_us = c_us;
    replay->result->calls++;
}

/* Those that came at C = c_us or before. */
static void take_calls(struct replay *replay, int64_t c_us) {
    while (replay->has_call && !replay->teller.failed && replay->call.read.at_us <= c_us) {
        take_call(replay);
        next_call(replay);
    }
}

static void count_calls_behind(struct replay *replay) {
    for (; replay->has_call && !replay->teller.failed; next_call(replay))
        replay->result->calls_behind++;
}

/* ---- records ---- */

static void take(void *context, const struct fb_entry *entry, int64_t c_us) {
    struct replay *replay = context;
    struct task *task = task_of(replay, entry);
    replay->stopped |= replay->options->has_stop && c_us > replay->options->stop_us;
    if (replay->stopped)
        return;
    take_calls(replay, c_us);
    move_clock(task, replay->clock_us, c_us, &entry->origin);
    replay->clock_us = c_us;
    task->auditor.payload = entry->raw;
    if (replay->options->record)
        replay->options->record(replay->options->context, entry);
    enum fb_taken taken = fb_core_take(task->core, entry, c_us);
    task->auditor.payload = (struct fb_str){0};
    if (taken == FB_REFUSED_DEVICES)
        bury(task, "DEVICE_CAP", FB_S("there are more devices than the engine may keep"),
             &entry->origin, entry->raw);
}

static bool open_inputs(struct replay *replay) {
    const struct fb_replay_options *options = replay->options;
    replay->inputs = fb_alloc(sizeof *replay->inputs * (options->n_inputs + 1u));
    replay->states = fb_alloc(sizeof *replay->states * (options->n_inputs + 1u));
    for (uint32_t i = 0; i < options->n_inputs; i++) {
        struct fb_input *input = fb_input_open(options, i, replay->err);
        if (!input)
            return false;
        replay->inputs[replay->n_inputs++] = input;
    }
    return true;
}

/* Brings an input to its next entry; what can not be taken is buried on the way, by the first task,
 * since it belongs to no device. */
static bool go_on(struct replay *replay, uint32_t i) {
    enum fb_input_state state;
    while ((state = fb_input_next(replay->inputs[i], replay->err)) == FB_INPUT_REJECT) {
        const struct fb_reject *reject = fb_input_reject(replay->inputs[i]);
        bury(&replay->tasks[0], reject->code, reject->detail, &reject->origin, reject->raw);
        if (replay->teller.failed)
            return false;
    }
    replay->states[i] = state;
    return state != FB_INPUT_FAILED;
}

static int64_t head_time(const struct replay *replay, uint32_t i) {
    const struct fb_input *input = replay->inputs[i];
    int64_t stamp_us = replay->options->envelope ? fb_input_stamp(input) : FB_NO_TIME;
    return stamp_us != FB_NO_TIME ? stamp_us : fb_input_entry(input)->ts_us;
}

/* The input whose head comes next; UINT32_MAX: all are at their end. */
static uint32_t next_input(const struct replay *replay) {
    uint32_t next = UINT32_MAX;
    int64_t least_us = 0;
    for (uint32_t i = 0; i < replay->n_inputs; i++) {
        if (replay->states[i] != FB_INPUT_ENTRY)
            continue;
        int64_t time_us = head_time(replay, i);
        if (next == UINT32_MAX || time_us < least_us) {
            next = i;
            least_us = time_us;
        }
    }
    return next;
}

static void show_progress(const struct replay *replay) {
    if (!replay->options->progress)
        return;
    uint64_t read_bytes = 0, size_bytes = 0;
    for (uint32_t i = 0; i < replay->n_inputs; i++) {
        uint64_t read, size;
        fb_input_progress(replay->inputs[i], &read, &size);
        read_bytes += read;
        size_bytes += size;
    }
    replay->options->progress(replay->options->context, read_bytes, size_bytes);
}

static void make_tasks(struct replay *replay) {
    const struct fb_replay_options *options = replay->options;
    struct fb_core_config config = {.max_skew_us = options->max_skew_us};
    replay->n_tasks = tasks_for(options->program, options->tasks);
    replay->tasks = fb_alloc(sizeof *replay->tasks * replay->n_tasks);
    for (uint32_t i = 0; i < replay->n_tasks; i++) {
        struct task *task = &replay->tasks[i];
        task->replay = replay;
        task->core = fb_core_new(options->program, &config, put_out, task);
        fb_buf_str(&task->name, options->application);
        fb_buf_printf(&task->name, "/%" PRIu32, i);
        task->auditor.task = (struct fb_str){task->name.p, task->name.n};
        task->auditor.clock_us = FB_NO_TIME;
        memcpy(task->auditor.rules, options->rules, sizeof options->rules);
    }
}

static void audit_rules(struct replay *replay) {
    const struct fb_replay_options *options = replay->options;
    struct fb_encoded encoded;
    for (uint32_t i = 0; options->audit && i < replay->n_tasks; i++) {
        fb_audit_rules(&replay->tasks[i].auditor, replay->teller.encoder,
                       options->build ? options->build : "", &encoded);
        fb_teller_write(&replay->teller, &encoded);
    }
}

static void finish(struct replay *replay, int64_t end_us) {
    for (uint32_t i = 0; i < replay->n_tasks; i++) {
        struct task *task = &replay->tasks[i];
        move_clock(task, replay->clock_us, end_us, NULL);
        fb_core_finish(task->core, end_us);
    }
}

static bool run(struct replay *replay) {
    audit_rules(replay);
    next_call(replay);
    for (uint32_t i = 0; i < replay->n_inputs; i++)
        if (!go_on(replay, i))
            return false;
    for (uint32_t i; !replay->stopped && (i = next_input(replay)) != UINT32_MAX;) {
        const struct fb_entry *entry = fb_input_entry(replay->inputs[i]);
        int64_t stamp_us = fb_input_stamp(replay->inputs[i]);
        if (stamp_us != FB_NO_TIME)
            fb_file_clock_stamped(replay->clock, entry, stamp_us);
        else
            fb_file_clock_entry(replay->clock, entry);
        if (++replay->result->records % PROGRESS_EVERY == 0)
            show_progress(replay);
        if (replay->teller.failed || !go_on(replay, i))
            return false;
    }
    int64_t end_us = fb_file_clock_end(replay->clock);
    if (replay->options->has_until && replay->options->until_us > end_us)
        end_us = replay->options->until_us;
    if (replay->options->has_stop)
        end_us = replay->options->stop_us;
    if (end_us != FB_NO_TIME) {
        take_calls(replay, end_us);
        finish(replay, end_us);
    }
    count_calls_behind(replay);
    return !replay->teller.failed;
}

static void add_stats(struct fb_core_stats *sum, const struct fb_core_stats *one) {
    sum->records += one->records;
    sum->late += one->late;
    sum->future += one->future;
    sum->refused += one->refused;
    sum->evaluations += one->evaluations;
    sum->timers += one->timers;
    sum->alerts += one->alerts;
    sum->events += one->events;
    sum->commands += one->commands;
    sum->late_ignored += one->late_ignored;
    sum->left_early += one->left_early;
    sum->devices += one->devices;
    sum->state_bytes += one->state_bytes;
}

static void close_all(struct replay *replay) {
    for (uint32_t i = 0; i < replay->n_tasks; i++) {
        struct fb_core_stats stats = fb_core_stats(replay->tasks[i].core);
        add_stats(&replay->result->stats, &stats);
        if (replay->options->look && !replay->teller.failed)
            replay->options->look(replay->options->context, replay->tasks[i].core);
        fb_core_free(replay->tasks[i].core);
        fb_buf_free(&replay->tasks[i].name);
    }
    for (uint32_t i = 0; i < replay->n_inputs; i++)
        fb_input_close(replay->inputs[i]);
    free(replay->tasks);
    free(replay->inputs);
    free(replay->states);
    fb_file_clock_free(replay->clock);
    fb_call_file_close(replay->calls);
    fb_teller_free(&replay->teller);
}

bool fb_replay(const struct fb_replay_options *options, struct fb_replay_result *result,
               struct fb_err *err) {
    *result = (struct fb_replay_result){0};
    struct replay replay = {
        .options = options, .result = result, .err = err, .clock_us = FB_NO_TIME};
    replay.teller =
        (struct fb_teller){.encoder = fb_encoder_new(options->program, options->application),
                           .write = options->write,
                           .watch = options->watch,
                           .context = options->context,
                           .err = err};
    make_tasks(&replay);
    replay.clock = fb_file_clock_new(options->program, options->max_skew_us, take, &replay);
    if (options->calls)
        replay.calls = fb_call_file_open(options->calls, err);
    bool done = (!options->calls || replay.calls) && open_inputs(&replay) && run(&replay);
    close_all(&replay);
    return done;
}
