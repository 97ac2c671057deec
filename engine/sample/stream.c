/* Signals, their faults, and the order in which records arrive.
 *
 * Place in the flow: see stream.h. No libm, so that the bytes are the same everywhere. */
#include "engine/sample/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/base/num.h"

/* A fault of one device. */
struct plan {
    const struct fb_fault *fault;
    int64_t from_us, to_us;
};

struct device {
    char id[32], site[32];
    double phase[FB_PROFILE_SIGNALS], count[FB_PROFILE_SIGNALS], last[FB_PROFILE_SIGNALS];
    struct plan plans[FB_PROFILE_FAULTS];
    uint32_t n_plans;
};

/* A record on its way: late ones overtake nobody, they only come later. */
struct waiting {
    int64_t arrives_us;
    char *value;
    size_t n;
    uint32_t device;
};

struct fb_sample_stream {
    struct fb_stream_options options;
    struct device *devices;
    int64_t step_us, tick;
    uint32_t next_device;
    uint64_t made;
    struct waiting *waiting;
    uint32_t n_waiting, cap_waiting;
    struct fb_buf value, again; /* `again`: a duplicate that is still to come */
    uint32_t again_device;
    bool has_again;
    char *released;
};

/* splitmix64 */
static uint64_t mix(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static double unit(uint64_t seed, uint64_t a, uint64_t b, uint64_t c) {
    return (double)(mix(mix(mix(seed ^ a) ^ b) ^ c) >> 11) * (1.0 / 9007199254740992.0);
}

/* One period of a smooth wave between -1 and 1: a parabola a half. */
static double wave(double turns) {
    double x = turns - fb_num_floor(turns);
    double half = x < 0.5 ? x * 2 : x * 2 - 1;
    double hill = 4 * half * (1 - half);
    return x < 0.5 ? hill : -hill;
}

static void plan_faults(struct fb_sample_stream *stream, struct device *device, uint32_t number) {
    const struct fb_stream_options *o = &stream->options;
    for (uint32_t i = 0; i < FB_PROFILE_FAULTS; i++) {
        const struct fb_fault *fault = &o->profile->faults[i];
        double share = fault->per_thousand / 1000.0 * o->fault_factor / 100.0;
        if (!fault->per_thousand || unit(o->seed, number, 1000 + i, 1) >= share)
            continue;
        int64_t length = fault->seconds * FB_SECOND;
        int64_t room = o->duration_us - length;
        int64_t from = room <= 0 ? 0 : (int64_t)(unit(o->seed, number, 2000 + i, 2) * (double)room);
        device->plans[device->n_plans++] =
            (struct plan){fault, o->start_us + from, o->start_us + from + length};
    }
}

struct fb_sample_stream *fb_stream_new(const struct fb_stream_options *options) {
    struct fb_sample_stream *stream = fb_alloc(sizeof *stream);
    stream->options = *options;
    const struct fb_profile *profile = options->profile;
    double every_s = options->rate > 0 ? 1 / options->rate : profile->every_s;
    stream->step_us = (int64_t)fb_num_round(every_s * 1e6);
    if (stream->step_us < 1)
        stream->step_us = 1;
    stream->devices = fb_alloc(sizeof *stream->devices * (options->devices + 1u));
    for (uint32_t d = 0; d < options->devices; d++) {
        struct device *device = &stream->devices[d];
        snprintf(device->id, sizeof device->id, "%s-%04u", profile->prefix, d);
        snprintf(device->site, sizeof device->site, "%s-%u", profile->site ? profile->site : "site",
                 d % 7);
        for (uint32_t s = 0; s < FB_PROFILE_SIGNALS; s++) {
            device->phase[s] = unit(options->seed, d, s, 3);
            device->count[s] = fb_num_floor(unit(options->seed, d, s, 4) * 4e9);
        }
        plan_faults(stream, device, d);
    }
    return stream;
}

void fb_stream_free(struct fb_sample_stream *stream) {
    if (!stream)
        return;
    for (uint32_t i = 0; i < stream->n_waiting; i++)
        free(stream->waiting[i].value);
    free(stream->waiting);
    free(stream->released);
    fb_buf_free(&stream->value);
    fb_buf_free(&stream->again);
    free(stream->devices);
    free(stream);
}

static bool concerns(const struct fb_fault *fault, const struct fb_signal *signal) {
    return signal ? fault->signal && !strcmp(fault->signal, signal->name) : !fault->signal;
}

static const struct plan *active(const struct device *device, const struct fb_signal *signal,
                                 enum fb_fault_kind kind, int64_t t_us) {
    for (uint32_t i = 0; i < device->n_plans; i++) {
        const struct plan *plan = &device->plans[i];
        if (plan->fault->kind == kind && concerns(plan->fault, signal) && t_us >= plan->from_us &&
            t_us < plan->to_us)
            return plan;
    }
    return NULL;
}

static double fixed(double x, int decimals) {
    static const double scale[] = {1, 10, 100, 1000, 10000};
    return fb_num_round(x * scale[decimals]) / scale[decimals];
}

static double analogue(const struct fb_sample_stream *stream, struct device *device,
                       uint32_t number, uint32_t s, int64_t t_us) {
    const struct fb_signal *signal = &stream->options.profile->signals[s];
    const struct plan *plan;
    if (active(device, signal, FB_FAULT_STUCK, t_us))
        return device->last[s];
    double t_s = (double)(t_us - stream->options.start_us) / 1e6;
    uint64_t at = (uint64_t)t_us;
    double noise = unit(stream->options.seed, number, at, 10 + s) +
                   unit(stream->options.seed, number, at, 20 + s) +
                   unit(stream->options.seed, number, at, 30 + s) - 1.5;
    double x = signal->base + noise * 2 * signal->noise;
    if (signal->period_s > 0)
        x += signal->amplitude * wave(t_s / signal->period_s + device->phase[s]);
    if ((plan = active(device, signal, FB_FAULT_RAMP, t_us))) {
        double share = (double)(t_us - plan->from_us) / (double)(plan->to_us - plan->from_us);
        x += plan->fault->size * (share < 0.5 ? share * 2 : 2 - share * 2);
    }
    if ((plan = active(device, signal, FB_FAULT_STEP, t_us)))
        x += plan->fault->size;
    if ((plan = active(device, signal, FB_FAULT_SWING, t_us)))
        x += (stream->tick & 1) ? plan->fault->size : -plan->fault->size;
    if ((plan = active(device, signal, FB_FAULT_SPIKE, t_us)) &&
        t_us - plan->from_us < stream->step_us)
        x += plan->fault->size;
    return device->last[s] = fixed(x, signal->decimals);
}

static double counter(const struct fb_sample_stream *stream, struct device *device, uint32_t s,
                      int64_t t_us) {
    const struct fb_signal *signal = &stream->options.profile->signals[s];
    const struct plan *plan = active(device, signal, FB_FAULT_RESET, t_us);
    if (plan && t_us - plan->from_us < stream->step_us)
        device->count[s] = 0;
    double rate = signal->base;
    if ((plan = active(device, signal, FB_FAULT_FLIP, t_us)))
        rate *= plan->fault->size;
    device->count[s] += rate * (double)stream->step_us / 1e6;
    if (device->count[s] >= 4294967296.0)
        device->count[s] -= 4294967296.0;
    return fb_num_floor(device->count[s]);
}

static void write_signal(struct fb_sample_stream *stream, struct device *device, uint32_t number,
                         uint32_t s, int64_t t_us) {
    const struct fb_signal *signal = &stream->options.profile->signals[s];
    struct fb_buf *out = &stream->value;
    bool flipped = active(device, signal, FB_FAULT_FLIP, t_us);
    char text[FB_NUM_TEXT_MAX];
    fb_buf_printf(out, ",\"%s\":", signal->name);
    if (active(device, signal, FB_FAULT_NULL, t_us)) {
        fb_buf_text(out, "null");
    } else if (active(device, signal, FB_FAULT_WRONG, t_us)) {
        fb_buf_text(out, "\"n/a\"");
    } else if (signal->kind == FB_SIGNAL_SWITCH) {
        fb_buf_text(out, flipped ? "false" : "true");
    } else if (signal->kind == FB_SIGNAL_WORD) {
        fb_buf_printf(out, "\"%s\"", signal->words[flipped]);
    } else {
        double x = signal->kind == FB_SIGNAL_COUNTER ? counter(stream, device, s, t_us)
                                                     : analogue(stream, device, number, s, t_us);
        fb_buf_put(out, text, fb_num_format(x, text));
    }
}

static void write_record(struct fb_sample_stream *stream, uint32_t number, int64_t t_us) {
    const struct fb_profile *profile = stream->options.profile;
    struct device *device = &stream->devices[number];
    struct fb_buf *out = &stream->value;
    out->n = 0;
    stream->made++;
    if (stream->options.poison_every && stream->made % stream->options.poison_every == 0) {
        fb_buf_printf(out, "{\"%s\":\"%s\",\"ts\":", profile->key, device->id);
        return;
    }
    fb_buf_printf(out, "{\"%s\":\"%s\",\"ts\":%lld", profile->key, device->id,
                  (long long)(t_us / 1000));
    if (profile->site)
        fb_buf_printf(out, ",\"%s\":\"%s\"", profile->site, device->site);
    for (uint32_t s = 0; s < FB_PROFILE_SIGNALS && profile->signals[s].name; s++)
        write_signal(stream, device, number, s, t_us);
    fb_buf_char(out, '}');
}

static void keep_waiting(struct fb_sample_stream *stream, uint32_t number, int64_t arrives_us) {
    FB_PUSH_ROOM(stream->waiting, stream->n_waiting, stream->cap_waiting);
    char *value = fb_alloc(stream->value.n + 1);
    memcpy(value, stream->value.p, stream->value.n);
    /* Kept in the order of arrival; equal ones in the order of making. */
    uint32_t i = stream->n_waiting++;
    for (; i > 0 && stream->waiting[i - 1].arrives_us > arrives_us; i--)
        stream->waiting[i] = stream->waiting[i - 1];
    stream->waiting[i] = (struct waiting){arrives_us, value, stream->value.n, number};
}

static void give(const struct fb_sample_stream *stream, uint32_t number, struct fb_str value,
                 int64_t stamp_us, struct fb_stream_record *record) {
    record->key = fb_str_of(stream->devices[number].id);
    record->value = value;
    record->stamp_us = stamp_us;
}

static bool release(struct fb_sample_stream *stream, int64_t now_us,
                    struct fb_stream_record *record) {
    if (!stream->n_waiting || stream->waiting[0].arrives_us > now_us)
        return false;
    struct waiting first = stream->waiting[0];
    stream->n_waiting--;
    memmove(stream->waiting, stream->waiting + 1, sizeof first * stream->n_waiting);
    free(stream->released);
    stream->released = first.value;
    give(stream, first.device, (struct fb_str){first.value, first.n}, first.arrives_us, record);
    return true;
}

bool fb_stream_next(struct fb_sample_stream *stream, struct fb_stream_record *record) {
    const struct fb_stream_options *o = &stream->options;
    for (;;) {
        int64_t offset_us = o->devices ? stream->step_us * stream->next_device / o->devices : 0;
        int64_t since_us = stream->tick * stream->step_us + offset_us;
        /* Milliseconds, as the records say. */
        int64_t t_us = (o->start_us + since_us) / 1000 * 1000;
        if (stream->has_again) {
            stream->has_again = false;
            give(stream, stream->again_device, (struct fb_str){stream->again.p, stream->again.n},
                 t_us, record);
            return true;
        }
        bool over = since_us >= o->duration_us || !o->devices;
        if (release(stream, over ? INT64_MAX : t_us, record))
            return true;
        if (over)
            return false;
        uint32_t number = stream->next_device;
        struct device *device = &stream->devices[number];
        if (++stream->next_device == o->devices) {
            stream->next_device = 0;
            stream->tick++;
        }
        if (active(device, NULL, FB_FAULT_GAP, t_us))
            continue;
        write_record(stream, number, t_us);
        const struct plan *late = active(device, NULL, FB_FAULT_LATE, t_us);
        if (late) {
            keep_waiting(stream, number, t_us + (int64_t)(late->fault->size * 1e6));
            continue;
        }
        struct fb_str value = {stream->value.p, stream->value.n};
        if (active(device, NULL, FB_FAULT_TWICE, t_us)) {
            stream->again.n = 0;
            fb_buf_str(&stream->again, value);
            stream->again_device = number;
            stream->has_again = true;
        }
        give(stream, number, value, t_us, record);
        return true;
    }
}
