/* Devices, their time, and the order of what happens (M1 to M8). */
#include "tests/oracle/oracle_internal.h"
#include "tests/oracle/oracle_acting.h"

#include "engine/base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ora *ora_new(const struct fb_tree *tree, int64_t max_skew_us, int64_t max_lag_us,
                    fb_output_fn *sink, void *context) {
    struct ora *o = fb_alloc(sizeof *o);
    o->tree = tree;
    o->arena = fb_arena_new();
    o->scratch = fb_arena_new();
    o->max_skew = max_skew_us;
    o->max_lag = max_lag_us;
    o->wall = FB_NO_TIME;
    o->sink = sink;
    o->context = context;
    ora_expand(o);
    return o;
}

static void free_rule_state(struct ora_rule_state *state) {
    free(state->changes);
    for (int shadow = 0; shadow < 2; shadow++)
        free(state->counted[shadow].items);
}

void ora_free(struct ora *o) {
    if (o == NULL)
        return;
    for (int shadow = 0; shadow < 2; shadow++)
        free(o->counted[shadow].items);
    for (size_t i = 0; i < o->n_devices; i++) {
        struct ora_device *device = o->devices[i];
        for (uint32_t w = 0; w < device->class->n_windows; w++)
            free(device->samples[w]);
        free(device->records);
        for (uint32_t r = 0; r < device->class->n_rules; r++)
            free_rule_state(&device->rules[r]);
        ora_memories_free(device);
    }
    for (uint32_t c = 0; c < o->n_classes; c++) {
        struct ora_class *class = &o->classes[c];
        free(class->windows);
        free(class->rules);
        free(class->published);
        for (uint32_t k = 0; k < class->n_conditions; k++) {
            free(class->conditions[k]->alarms);
            free(class->conditions[k]->others);
        }
        free(class->conditions);
    }
    for (struct ora_regex *r = o->regexes; r != NULL; r = r->next)
        regfree(&r->regex);
    free(o->devices);
    free(o->usage);
    fb_arena_free(o->scratch);
    fb_arena_free(o->arena);
    free(o);
}

/* --- Devices and records --------------------------------------------------------------------- */

static struct ora_device *find_device(struct ora *o, const struct fb_entry *entry) {
    for (size_t i = 0; i < o->n_devices; i++)
        if (o->devices[i]->class->index == entry->class_index &&
            fb_str_eq(o->devices[i]->id, entry->device))
            return o->devices[i];
    return NULL;
}

struct ora_device *ora_new_device(struct ora *o, const struct fb_entry *entry) {
    struct ora_class *class = &o->classes[entry->class_index];
    struct ora_device *device = FB_ARENA_NEW(o->arena, struct ora_device);
    device->class = class;
    device->id = fb_str_copy(o->arena, entry->device);
    device->samples = FB_ARENA_ARRAY(o->arena, struct ora_sample *, class->n_windows);
    device->cap_samples = FB_ARENA_ARRAY(o->arena, size_t, class->n_windows);
    device->conditions = FB_ARENA_ARRAY(o->arena, struct ora_condition_state, class->n_conditions);
    device->rules = FB_ARENA_ARRAY(o->arena, struct ora_rule_state, class->n_rules);
    for (uint32_t r = 0; r < class->n_rules; r++) {
        device->rules[r].deadline = device->rules[r].rests = FB_NEVER;
        device->rules[r].acted[0] = device->rules[r].acted[1] = FB_NO_TIME;
    }
    for (uint32_t i = 0; i < class->n_conditions; i++) {
        struct ora_condition_state *c = &device->conditions[i];
        c->deadline = FB_NEVER;
        c->ops = FB_ARENA_ARRAY(o->arena, struct ora_op, class->conditions[i]->n_ops);
        c->seen = FB_ARENA_ARRAY(o->arena, struct ora_seen, class->conditions[i]->n_others);
    }
    device->published = FB_ARENA_ARRAY(o->arena, struct fb_value, class->n_published);
    for (uint32_t i = 0; i < class->n_published; i++)
        device->published[i] = ora_not_known();
    device->maintenance_until = FB_NO_TIME;
    ora_memories_new(o, device);
    FB_PUSH_ROOM(o->devices, o->n_devices, o->cap_devices);
    o->devices[o->n_devices++] = device;
    return device;
}

static struct fb_value value_of(struct ora *o, enum fb_type type, const struct fb_sample *sample) {
    struct fb_value value = {.quality = FB_Q_GOOD};
    if (type == FB_T_TEXT)
        value.text = fb_str_copy(o->arena, sample->text);
    else if (type == FB_T_NUMBER || type == FB_T_COUNTER)
        value.num = sample->num;
    else
        value.i = sample->i;
    return value;
}

static struct fb_origin copy_origin(struct ora *o, struct fb_origin origin) {
    origin.topic = fb_str_copy(o->arena, origin.topic);
    return origin;
}

void ora_keep_record(struct ora *o, struct ora_device *device, const struct fb_entry *entry,
                     bool late) {
    const struct ora_class *class = device->class;
    uint32_t n = class->n_fields;
    struct ora_record record = {.ts = entry->ts_us, .late = late, .d = device->d};
    record.origin = copy_origin(o, entry->origin);
    record.carries = FB_ARENA_ARRAY(o->arena, bool, n);
    record.good = FB_ARENA_ARRAY(o->arena, bool, n);
    record.values = FB_ARENA_ARRAY(o->arena, struct fb_value, n);
    record.after = FB_ARENA_ARRAY(o->arena, struct ora_held, n);
    if (device->n_records > 0)
        memcpy(record.after, device->records[device->n_records - 1].after,
               n * sizeof *record.after);
    for (uint32_t i = 0; i < entry->n_samples; i++) {
        const struct fb_sample *sample = &entry->samples[i];
        uint32_t f = sample->field;
        const struct fb_field_decl *field = class->fields[f];
        record.carries[f] = true;
        record.good[f] = sample->state == FB_SAMPLE_GOOD;
        if (record.good[f])
            record.values[f] = value_of(o, field->typed ? field->type.type : FB_T_TEXT, sample);
        if (late)
            continue;
        struct ora_held *held = &record.after[f];
        held->seen = true;
        held->bad = !record.good[f];
        if (record.good[f]) {
            held->good_once = true;
            held->value = record.values[f];
            held->good_ts = entry->ts_us;
        }
    }
    FB_PUSH_ROOM(device->records, device->n_records, device->cap_records);
    device->records[device->n_records++] = record;
    for (uint32_t w = 0; w < class->n_windows; w++) {
        FB_PUSH_ROOM(device->samples[w], device->n_records - 1, device->cap_samples[w]);
        device->samples[w][device->n_records - 1] = (struct ora_sample){0};
    }
}

/* --- Timers (M2, M3, M8) --------------------------------------------------------------------- */

static int64_t first_deadline(const struct ora_device *device) {
    int64_t first = FB_NEVER;
    for (uint32_t i = 0; i < device->class->n_conditions; i++)
        if (device->conditions[i].deadline < first)
            first = device->conditions[i].deadline;
    for (uint32_t r = 0; r < device->class->n_rules; r++)
        if (device->rules[r].deadline < first)
            first = device->rules[r].deadline;
    return first;
}

/* A1: the C at which the device's time came to t. */
static int64_t clock_at(const struct ora *o, const struct ora_device *device, int64_t t) {
    int64_t c = t - device->w + device->cw;
    return c < o->c ? c : o->c;
}

static void fire(struct ora *o, struct ora_device *device, int64_t t) {
    const struct ora_class *class = device->class;
    struct ora_view view = {.o = o,
                            .device = device,
                            .n = device->n_records,
                            .t = t,
                            .now = clock_at(o, device, t),
                            .until = FB_NO_TIME};
    bool *due = fb_alloc(class->n_conditions + 1);
    ora_acting_begins(&view, device);
    for (uint32_t i = 0; i < class->n_conditions; i++)
        due[i] = device->conditions[i].deadline == t;
    ora_publish(&view, device, due);
    for (uint32_t r = 0; r < class->n_rules; r++)
        ora_rule_step(&view, device, class->rules[r], due, device->rules[r].deadline == t);
    ora_actuators_look(&view, device, due);
    ora_actuators_step(&view, device);
    free(due);
}

/* What comes next of a device: a timer at t that came at c, or its actuators' deadline c at its
 * time then. */
struct next {
    struct ora_device *device;
    int64_t t, c;
    bool actuators;
};

/* A37: by the C at which it came, then by the bytes of the id. */
static bool before(const struct next *a, const struct next *b) {
    if (a->c != b->c)
        return a->c < b->c;
    int order = fb_str_cmp(a->device->id, b->device->id);
    return order != 0 ? order < 0 : a->device->class->index < b->device->class->index;
}

/* A12: timers whose instant comes to c or before it fire first. */
static bool next_of(const struct ora *o, struct ora_device *device, bool last, struct next *next) {
    int64_t t = first_deadline(device), c = ora_actuators_due(device);
    bool timer = t != FB_NEVER && (last ? t <= device->d : t < device->d);
    bool actuators = c != FB_NEVER && (last ? c <= o->c : c < o->c);
    int64_t came = timer ? clock_at(o, device, t) : FB_NEVER;
    *next = (struct next){device, t, came, actuators && !(timer && came <= c)};
    if (next->actuators) {
        next->c = c;
        int64_t d = device->w + (c - device->cw);
        next->t = d > device->d_before ? d : device->d_before;
    }
    return timer || actuators;
}

static void fire_actuators(struct ora *o, const struct next *next) {
    struct ora_view view = {.o = o,
                            .device = next->device,
                            .n = next->device->n_records,
                            .t = next->t,
                            .now = next->c,
                            .until = FB_NO_TIME};
    ora_actuators_fire(&view, next->device);
}

/* Fires what is due before each device's time, at the end of a file also what is due then. */
static void fire_due(struct ora *o, bool last) {
    for (;;) {
        struct next first = {0}, next;
        for (size_t i = 0; i < o->n_devices; i++)
            if (next_of(o, o->devices[i], last, &next) &&
                (first.device == NULL || before(&next, &first)))
                first = next;
        if (first.device == NULL)
            return;
        if (first.actuators)
            fire_actuators(o, &first);
        else
            fire(o, first.device, first.t);
    }
}

/* M1 */
static void move_clock(struct ora *o, int64_t c_us) {
    if (!o->has_c || c_us > o->c)
        o->c = c_us;
    o->has_c = true;
    for (size_t i = 0; i < o->n_devices; i++) {
        struct ora_device *device = o->devices[i];
        int64_t d = device->w + (o->c - device->cw);
        device->d_before = device->d;
        if (d > device->d)
            device->d = d;
    }
}

void ora_set_wall(struct ora *o, int64_t wall_us) {
    o->wall = wall_us;
}

void ora_advance(struct ora *o, int64_t c_us) {
    move_clock(o, c_us);
    fire_due(o, false);
}

void ora_finish(struct ora *o, int64_t c_us) {
    move_clock(o, c_us);
    fire_due(o, true);
}

/* --- Records (M2, M5, M7) -------------------------------------------------------------------- */

static void refuse(struct ora *o, const struct ora_device *device, const struct fb_entry *entry,
                   bool future) {
    struct fb_output out = {.kind = FB_OUT_LATE,
                            .class_index = entry->class_index,
                            .device = entry->device,
                            .cause = {.origin = entry->origin},
                            .at_us = entry->ts_us,
                            .future = future,
                            .watermark_us = device == NULL ? INT64_MIN : device->w,
                            .raw = entry->raw};
    o->sink(o->context, &out);
}

static void evaluate_record(struct ora *o, struct ora_device *device, bool again) {
    const struct ora_class *class = device->class;
    const struct ora_record *record = &device->records[device->n_records - 1];
    struct ora_view view = {.o = o,
                            .device = device,
                            .n = device->n_records,
                            .t = device->d,
                            .now = o->c,
                            .record = record,
                            .again = again,
                            .until = FB_NO_TIME};
    bool *due = fb_alloc(class->n_conditions + 1);
    bool any = device->n_records == 1 && !again;
    ora_acting_begins(&view, device);
    for (uint32_t i = 0; i < class->n_conditions; i++) {
        const struct ora_condition *c = class->conditions[i];
        bool concerned = c->every_record || device->n_records == 1;
        for (uint32_t f = 0; f < class->n_fields; f++)
            concerned |= c->reads[f] && record->carries[f] && class->fields[f]->role != FB_KEY;
        due[i] = concerned && (c->twice || !again);
        any |= due[i];
    }
    ora_publish(&view, device, due);
    for (uint32_t r = 0; any && r < class->n_rules; r++)
        ora_rule_step(&view, device, class->rules[r], due, false);
    ora_actuators_look(&view, device, due);
    if (again)
        ora_actuators_step(&view, device);
    free(due);
}

void ora_take(struct ora *o, const struct fb_entry *entry, int64_t c_us) {
    struct ora_device *device = find_device(o, entry);
    move_clock(o, c_us);
    bool future = entry->ts_us > o->c + o->max_skew;
    bool behind = device != NULL && entry->ts_us < device->w;
    bool too_late = behind && entry->ts_us < device->w - device->class->late;
    if (!future && device != NULL && !behind && entry->ts_us > device->d)
        device->d = entry->ts_us;
    fire_due(o, false);
    if (future || too_late) {
        refuse(o, device, entry, future);
        return;
    }
    bool first = device == NULL;
    if (first) {
        device = ora_new_device(o, entry);
        device->d = entry->ts_us;
        device->came = o->c;
    }
    if (first || entry->ts_us > device->w) {
        device->w = entry->ts_us;
        device->cw = o->c;
    }
    ora_keep_record(o, device, entry, behind);
    ora_groups_come(o);
    struct ora_view view = {
        .o = o, .device = device, .n = device->n_records, .t = device->d, .now = o->c};
    ora_wake(&view);
    ora_take_samples(o, device);
    evaluate_record(o, device, false);
    evaluate_record(o, device, true);
}

/* --- Usage ------------------------------------------------------------------------------------ */

static const char *const kind_names[ORA_KINDS] = {
    [ORA_CONST] = "constant",    [ORA_UNKNOWN] = "unknown",
    [ORA_FIELD] = "field",       [ORA_IS] = "is",
    [ORA_CONVERT] = "convert",   [ORA_NEGATE] = "negate",
    [ORA_ARITH] = "+ - * /",     [ORA_PERCENT_OF] = "% of",
    [ORA_ABS] = "abs",           [ORA_ROUND] = "round",
    [ORA_SQRT] = "sqrt",         [ORA_MIN] = "min(..)",
    [ORA_MAX] = "max(..)",       [ORA_CLAMP] = "clamp",
    [ORA_COMPARE] = "compare",   [ORA_CLOCK] = "age/elapsed",
    [ORA_IN_RANGE] = "in ..",    [ORA_IN_LIST] = "in ()",
    [ORA_MATCHES] = "matches",   [ORA_NOT] = "not",
    [ORA_AND] = "and",           [ORA_OR] = "or",
    [ORA_VOTE] = "n of",         [ORA_IF] = "if",
    [ORA_CASE] = "param where",  [ORA_COALESCE] = "coalesce",
    [ORA_LET] = "let",           [ORA_FOR] = "for",
    [ORA_UNTIL] = "until",       [ORA_SILENT] = "silent",
    [ORA_PREVIOUS] = "previous", [ORA_CHANGE] = "change",
    [ORA_CHANGED] = "changed",   [ORA_ACTUATOR] = "actuator",
    [ORA_MODE] = "mode",         [ORA_ALARM] = "alarm",
    [ORA_LINKED] = "link.x",     [ORA_GROUP] = "f(x of C)",
    [ORA_ASKED_ON] = "asked on", [ORA_ASKED_VALUE] = "asked value",
    [ORA_IN_STATE] = "in state",
};
static const char *const shape_names[] = {"ring", "panes", "last", "each"};
static const char *const aggregate_names[FB_AGGREGATES] = {
    "avg",    "min",   "max",      "sum",  "count", "first", "last",     "time_avg", "stddev",
    "spread", "delta", "increase", "rate", "any",   "all",   "previous", "change",   "changed"};

const struct ora_usage *ora_usage(const struct ora *o, uint32_t *n) {
    struct ora *mine = (struct ora *)(uintptr_t)o;
    free(mine->usage);
    mine->usage = fb_alloc(sizeof *mine->usage * (ORA_KINDS + 4 * FB_AGGREGATES));
    *n = 0;
    for (int k = 0; k < ORA_KINDS; k++)
        if (kind_names[k] != NULL)
            mine->usage[(*n)++] =
                (struct ora_usage){kind_names[k], o->kinds[k][0], o->kinds[k][1], o->kinds[k][2]};
    for (int s = 0; s < 4; s++)
        for (int a = 0; a < FB_AGG_PREVIOUS; a++)
            mine->usage[(*n)++] = (struct ora_usage){
                fb_str_printf(mine->arena, "%s %s", aggregate_names[a], shape_names[s]).p,
                o->windows[s][a][0], o->windows[s][a][1], o->windows[s][a][2]};
    return mine->usage;
}
