/* Random series: gaps, leaps, late and future records, duplicates, missing and bad values, equal
 * times, and task clocks that run ahead of the devices'. */
#include "tests/oracle/generate.h"

#include "engine/base/calendar.h"
#include "engine/base/num.h"
#include "engine/model/program.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES_MAX = 5, EVENTS_MIN = 15, EVENTS_MORE = 75, EVENTS_LONG = 300 };

struct gen_device {
    uint32_t class_index;
    struct fb_str id, keys[2]; /* the id: of both, joined */
    int64_t ts;
    bool begun, tied; /* tied: it has said by what others find it */
    double last[GEN_FIELDS_MAX];
    double counter;
};

struct pace {
    int64_t step_us; /* the usual time between records of a device */
    uint32_t late, gap, equal, odd, ahead, bad, missing; /* of 100 */
    bool noisy;                                          /* values that are no short binary ones */
};

static double next_number(struct gen_random *r, const struct gen_field *f, double last,
                          bool noisy) {
    if (gen_chance(r, 45))
        return last;
    double x = gen_value(f->family, f->unit, gen_below(r, 6));
    if (gen_chance(r, 10))
        x += gen_chance(r, 50) ? 0.5 : -0.5;
    if (f->family == GEN_INTEGER)
        return fb_num_floor(x);
    if (noisy && gen_chance(r, 2)) { /* sums overflow */
        static const double far[] = {1e308, -1e308, 1e-308, 1e17, 4e15 + 0.5};
        return far[gen_below(r, 5)];
    }
    if (noisy && gen_chance(r, 60))
        x += (double)gen_below(r, 10) / 10 + (double)gen_below(r, 7) / 1000;
    return x;
}

static double next_counter(struct gen_random *r, double last) {
    if (gen_chance(r, 5))
        return gen_below(r, 5); /* a reset, or a wrap */
    if (gen_chance(r, 4))
        return 4294967296.0 - gen_below(r, 10);
    return last + gen_below(r, 10);
}

/* Mostly such that devices find each other. */
static const char *tie(struct gen_random *r, const struct gen_field *f) {
    static const char *const halls[] = {"h1", "h1", "h1", "h1", "h1", "h1", "h2", ""};
    static const char *const rows[] = {"a", "a", "a", "b", "b/c", ""};
    static const char *const ids[] = {"d1", "d1", "d2", "d2", "d3", "d4", ""};
    static const char *const whole[] = {"d1,k", "d1,k", "d2,k%2C", "d3,k", "d4,k%2C", "d2", ""};
    static const char *const parts[] = {"k", "k", "k", "k,", "k,", ""};
    switch (f->texts) {
    case GEN_HALL:
        return halls[gen_below(r, 8)];
    case GEN_ROW:
        return rows[gen_below(r, 6)];
    case GEN_ID:
        return ids[gen_below(r, 7)];
    case GEN_PART:
        return parts[gen_below(r, 6)];
    case GEN_WHOLE_ID:
        return whole[gen_below(r, 7)];
    case GEN_ANY_TEXT:
        break;
    }
    return gen_texts[gen_below(r, 5)];
}

static void fill_good(struct gen_case *c, struct gen_device *device, uint32_t field, int64_t ts,
                      bool noisy, struct fb_sample *sample) {
    struct gen_random *r = &c->random;
    const struct gen_field *f = &c->classes[device->class_index].fields[field];
    switch (f->family) {
    case GEN_TEXT:
        sample->text = f->role == GEN_KEY ? device->keys[field] : fb_str_of(tie(r, f));
        return;
    case GEN_BOOL:
        if (!gen_chance(r, 40))
            device->last[field] = gen_below(r, 2);
        sample->i = (int64_t)device->last[field];
        return;
    case GEN_WORD:
        sample->i = gen_below(r, 3);
        return;
    case GEN_TIME:
        sample->i = ts - FB_SECOND * (int64_t)gen_below(r, 3);
        return;
    case GEN_COUNTER:
        device->counter = next_counter(r, device->counter);
        sample->num = device->counter;
        return;
    default:
        break;
    }
    double x = device->last[field] = next_number(r, f, device->last[field], noisy);
    if (f->family == GEN_INTEGER)
        sample->i = (int64_t)x;
    else
        sample->num = x;
    if (f->has_range && (x < f->low || x > f->high))
        sample->state = FB_SAMPLE_RANGE;
    if (f->has_null && x == f->null_value)
        sample->state = FB_SAMPLE_NULL;
}

static void fill_samples(struct gen_case *c, struct gen_device *device, const struct pace *pace,
                         struct fb_entry *entry) {
    struct gen_random *r = &c->random;
    const struct gen_class *class = &c->classes[device->class_index];
    struct fb_sample *samples = FB_ARENA_ARRAY(c->arena, struct fb_sample, class->n_fields);
    uint16_t n = 0;
    for (uint32_t f = 0; f < class->n_fields; f++) {
        const struct gen_field *field = &class->fields[f];
        bool tag = field->role == GEN_TAG;
        uint32_t missing = tag ? 80 : pace->missing;
        if (field->texts != GEN_ANY_TEXT)
            missing = device->tied ? 90 : 10;
        if (field->role != GEN_KEY && gen_chance(r, missing))
            continue;
        struct fb_sample *sample = &samples[n++];
        sample->field = (uint16_t)f;
        if (field->role != GEN_KEY && gen_chance(r, pace->bad)) {
            sample->state = gen_chance(r, 50) ? FB_SAMPLE_NULL : FB_SAMPLE_TYPE;
            if (field->family == GEN_WORD)
                sample->state = FB_SAMPLE_WORD;
        } else {
            fill_good(c, device, f, entry->ts_us, pace->noisy, sample);
        }
    }
    device->tied = true;
    entry->samples = samples;
    entry->n_samples = n;
}

static int64_t next_step(struct gen_random *r, const struct pace *pace) {
    if (gen_chance(r, pace->equal))
        return 0;
    if (gen_chance(r, pace->gap)) {
        static const int64_t gaps[] = {10, 30, 31, 90, 301, 1200};
        return gaps[gen_below(r, 6)] * FB_SECOND;
    }
    if (gen_chance(r, pace->odd)) {
        static const int64_t odd[] = {1, 2, 1000, 199999, 200000, 999999, 1000001, 2500000};
        return odd[gen_below(r, 8)];
    }
    return pace->step_us;
}

static void make_pace(struct gen_random *r, struct pace *pace) {
    static const int64_t steps[] = {200000, 500000, 1000000, 2000000, 5000000};
    static const uint32_t shares[] = {0, 0, 3, 8, 20};
    pace->step_us = steps[gen_below(r, 5)];
    pace->late = shares[gen_below(r, 5)];
    pace->gap = shares[gen_below(r, 4)];
    pace->equal = shares[gen_below(r, 5)];
    pace->odd = shares[gen_below(r, 5)];
    pace->ahead = shares[gen_below(r, 5)];
    pace->bad = shares[gen_below(r, 5)];
    pace->missing = 10 + gen_below(r, 50);
    pace->noisy = gen_chance(r, 25);
}

/* One record of a device, and where the task's clock is then. */
static void make_event(struct gen_case *c, struct gen_device *device, const struct pace *pace,
                       int64_t *clock) {
    struct gen_random *r = &c->random;
    struct gen_event *event = &c->events[c->n_events];
    struct fb_entry *entry = &event->entry;
    int64_t ts = device->ts;
    if (device->begun)
        ts += next_step(r, pace);
    if (device->begun && gen_chance(r, pace->late)) {
        int64_t back = gen_chance(r, 50) ? (int64_t)gen_below(r, 13) * FB_SECOND
                                         : (int64_t)gen_below(r, 12000000);
        ts = device->ts - back;
    }
    if (gen_chance(r, 1))
        ts += 2 * FB_HOUR; /* may be refused as future */
    if (ts <= *clock + c->max_skew_us && ts > device->ts)
        device->ts = ts;
    device->begun = true;
    if (gen_chance(r, 70) && ts > *clock && ts < *clock + FB_HOUR)
        *clock = ts;
    if (gen_chance(r, pace->ahead)) {
        static const int64_t aheads[] = {1, 100000, 500000, 1000000, 3000000, 10000000, 45000000};
        *clock += aheads[gen_below(r, 7)];
    }
    entry->class_index = (uint16_t)device->class_index;
    entry->device = device->id;
    entry->ts_us = ts;
    entry->origin = (struct fb_origin){
        .topic = FB_S("events"), .partition = -1, .offset = (int64_t)c->n_events};
    entry->raw = fb_str_printf(c->arena, "record %zu", c->n_events);
    fill_samples(c, device, pace, entry);
    event->clock_us = *clock;
    c->n_events++;
    if (gen_chance(r, 4) && c->n_events < c->cap_events - 1) {
        c->events[c->n_events].tick = true;
        *clock += (int64_t)gen_below(r, 8) * 500000;
        c->events[c->n_events++].clock_us = *clock;
    }
    if (gen_chance(r, 3) && c->n_events + 1 < c->cap_events) { /* a duplicate */
        c->events[c->n_events] = *event;
        c->events[c->n_events].entry.origin.offset = (int64_t)c->n_events;
        c->n_events++;
    }
}

static void add_second_key(struct gen_case *c, struct gen_device *device, bool plain) {
    device->keys[1] = plain ? FB_S("k") : FB_S("k,");
    device->id = fb_str_printf(c->arena, "%.*s,%s", FB_ARG(device->keys[0]), plain ? "k" : "k%2C");
}

void gen_events(struct gen_case *c) {
    static const int64_t starts[] = {INT64_C(1795248000), INT64_C(1795247995), 3,
                                     INT64_C(1795305600) - 20};
    struct gen_random *r = &c->random;
    struct gen_device devices[DEVICES_MAX] = {0};
    struct pace pace;
    uint32_t n_devices = 1 + gen_below(r, 3), n = EVENTS_MIN + gen_below(r, EVENTS_MORE);
    if (gen_chance(r, 6)) { /* long enough for several runs of 32 samples of one device */
        n_devices = 1;
        n = EVENTS_LONG;
    }
    if (c->linked) {
        n_devices = 2 + gen_below(r, 4);
        n = n < 40 ? 40 : n;
    }
    int64_t clock = starts[gen_below(r, 4)] * FB_SECOND;
    make_pace(r, &pace);
    for (uint32_t i = 0; i < n_devices; i++) {
        devices[i].class_index = c->linked && i < 2 ? i : gen_below(r, c->n_classes);
        /* The same id may stand in two classes. */
        bool same = i > 0 && devices[i].class_index != devices[i - 1].class_index;
        devices[i].id = fb_str_printf(c->arena, "d%u", same ? i : i + 1);
        devices[i].keys[0] = devices[i].id;
        if (c->two_keys && devices[i].class_index == 0)
            add_second_key(c, &devices[i], i % 2 == 0);
        devices[i].ts = clock + (int64_t)gen_below(r, 3) * FB_SECOND;
    }
    c->cap_events = n + 2;
    c->events = FB_ARENA_ARRAY(c->arena, struct gen_event, c->cap_events);
    while (c->n_events < n)
        make_event(c, &devices[gen_below(r, n_devices)], &pace, &clock);
    c->finish_us = clock + (int64_t)gen_below(r, 3) * 20 * FB_SECOND;
}

/* --- Text ------------------------------------------------------------------------------------- */

static void put_sample(const struct gen_field *f, const struct fb_sample *sample,
                       struct fb_buf *out) {
    char text[FB_NUM_TEXT_MAX];
    fb_buf_printf(out, ",\"%s\":", f->name);
    if (sample->state == FB_SAMPLE_NULL)
        fb_buf_text(out, "null");
    else if (sample->state == FB_SAMPLE_TYPE)
        fb_buf_text(out, f->family == GEN_TEXT ? "5" : "\"wrong\"");
    else if (sample->state == FB_SAMPLE_WORD)
        fb_buf_text(out, "\"strange\"");
    else if (f->family == GEN_TEXT)
        fb_buf_printf(out, "\"%.*s\"", FB_ARG(sample->text));
    else if (f->family == GEN_BOOL)
        fb_buf_text(out, sample->i != 0 ? "true" : "false");
    else if (f->family == GEN_WORD)
        fb_buf_printf(out, "\"%s\"", gen_words[sample->i]);
    else if (f->family == GEN_TIME) {
        char time[FB_TIME_TEXT_MAX];
        fb_time_format(sample->i, time);
        fb_buf_printf(out, "\"%s\"", time);
    } else if (f->family == GEN_INTEGER)
        fb_buf_printf(out, "%" PRId64, sample->i);
    else
        fb_buf_put(out, text, fb_num_format(sample->num, text));
}

/* Seconds with all microseconds. */
static void put_seconds(int64_t us, struct fb_buf *out) {
    fb_buf_printf(out, "%" PRId64 ".%06" PRId64, us / FB_SECOND, us % FB_SECOND);
}

void gen_print_events(const struct gen_case *c, struct fb_buf *out) {
    for (size_t i = 0; i < c->n_events; i++) {
        const struct gen_event *event = &c->events[i];
        const struct fb_entry *entry = &event->entry;
        const struct gen_class *class = &c->classes[entry->class_index];
        if (event->off)
            continue;
        fb_buf_printf(out, "{\"n\":%zu,\"clock\":", i);
        put_seconds(event->clock_us, out);
        if (event->wall_us != FB_NO_TIME) {
            fb_buf_text(out, ",\"wall\":");
            put_seconds(event->wall_us, out);
        }
        if (event->call != NULL)
            gen_put_call(event->call, out);
        if (event->tick || event->call != NULL) {
            fb_buf_text(out, "}\n");
            continue;
        }
        fb_buf_printf(out, ",\"class\":\"%s\",\"ts\":", class->name);
        put_seconds(entry->ts_us, out);
        for (uint32_t s = 0; s < entry->n_samples; s++)
            put_sample(&class->fields[entry->samples[s].field], &entry->samples[s], out);
        fb_buf_text(out, "}\n");
    }
    fb_buf_text(out, "{\"last tick\":");
    put_seconds(c->finish_us, out);
    if (c->finish_wall_us != FB_NO_TIME) {
        fb_buf_text(out, ",\"wall\":");
        put_seconds(c->finish_wall_us, out);
    }
    fb_buf_text(out, "}\n");
}
