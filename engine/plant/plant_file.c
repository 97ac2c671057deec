/* Sections and keys of a plant file.
 *
 * Place in the flow: see plant_file.h. */
#include "engine/plant/plant_file.h"

#include <string.h>

#include "engine/base/calendar.h"
#include "engine/base/num.h"

enum { DEFAULT_EVERY_US = 10 * FB_SECOND };

struct reader {
    const char *name;
    struct fb_plant_file *file;
    struct fb_err *err;
    uint32_t line;
    enum section { NOWHERE, DEVICE, COMMANDS, PROCESS, FIELD, SECTIONS } section;
};

/* ---- small things ---- */

static struct fb_str trimmed(struct fb_str s) {
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = (struct fb_str){s.p + 1, s.n - 1};
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

static bool wrong(struct reader *r, const char *what, struct fb_str value, const char *wanted) {
    return fb_fail(r->err, FB_FATAL, "%s:%u: %s is %s, not `%.*s`", r->name, r->line, what, wanted,
                   FB_ARG(value));
}

/* Splits at the first `between`, which stands alone: "3 over 2h"; false: it is not there. */
static bool split(struct fb_str s, const char *between, struct fb_str *left, struct fb_str *right) {
    size_t n = strlen(between);
    for (size_t i = 0; i + n <= s.n; i++) {
        if (memcmp(s.p + i, between, n) != 0)
            continue;
        *left = trimmed((struct fb_str){s.p, i});
        *right = trimmed((struct fb_str){s.p + i + n, s.n - i - n});
        return true;
    }
    return false;
}

static bool read_number(struct reader *r, const char *what, struct fb_str s, double *x) {
    return fb_num_parse(s, x) || wrong(r, what, s, "a number");
}

static bool read_span(struct reader *r, const char *what, struct fb_str s, int64_t *us) {
    return fb_span_parse(s, us) || wrong(r, what, s, "a span such as 90s or 1h30m");
}

static bool read_percent(struct reader *r, const char *what, struct fb_str s, double *x) {
    struct fb_str digits = s, rest;
    if (!split(s, "%", &digits, &rest) || rest.n || !fb_num_parse(digits, x) || *x < 0 || *x > 100)
        return wrong(r, what, s, "a share from 0 % to 100 %");
    return true;
}

static bool read_stretch(struct reader *r, const char *what, struct fb_str s,
                         struct fb_plant_span *span) {
    struct fb_str from, to;
    if (!split(s, "..", &from, &to) || !fb_span_parse(from, &span->from_us) ||
        !fb_span_parse(to, &span->to_us) || span->from_us >= span->to_us)
        return wrong(r, what, s, "a stretch of the run such as 30m..45m");
    return true;
}

static bool read_range(struct reader *r, const char *what, struct fb_str s, double *low,
                       double *high) {
    struct fb_str from, to;
    if (!split(s, "..", &from, &to) || !fb_num_parse(from, low) || !fb_num_parse(to, high) ||
        *low > *high)
        return wrong(r, what, s, "a range such as 0..5");
    return true;
}

/* "0.002 over 2h" */
static bool read_number_and_span(struct reader *r, const char *what, const char *between,
                                 const char *wanted, struct fb_str s, double *x, int64_t *us) {
    struct fb_str number, span;
    if (!split(s, between, &number, &span) || !fb_num_parse(number, x) ||
        !fb_span_parse(span, us) || *us < FB_SECOND)
        return wrong(r, what, s, wanted);
    return true;
}

/* ---- keys ---- */

static bool read_lost(struct reader *r, struct fb_plant_line *line, struct fb_str value) {
    double percent;
    if (!read_percent(r, "lost", value, &percent))
        return false;
    line->lost_percent = (uint32_t)percent;
    return true;
}

/* "2 % by 20s" */
static bool read_late(struct reader *r, struct fb_plant_line *line, struct fb_str value) {
    struct fb_str share, span;
    double percent;
    if (!split(value, " by ", &share, &span))
        return wrong(r, "late", value, "a share and how late at most, such as 2 % by 20s");
    if (!read_percent(r, "late", share, &percent) || !read_span(r, "late", span, &line->late_us))
        return false;
    line->late_percent = (uint32_t)percent;
    return true;
}

static bool read_dead_time(struct reader *r, struct fb_plant_input_config *c, struct fb_str value) {
    int64_t most_us = (int64_t)FB_PLANT_DEAD_STEPS_MAX * FB_PLANT_STEP_US;
    if (!read_span(r, "dead time", value, &c->dead_us))
        return false;
    if (c->dead_us > most_us)
        return wrong(r, "dead time", value, "120s at most");
    c->dead_us -= c->dead_us % FB_PLANT_STEP_US;
    return true;
}

static bool read_seconds(struct reader *r, const char *what, struct fb_str value, double *s) {
    int64_t us;
    if (!read_span(r, what, value, &us))
        return false;
    *s = (double)us / 1e6;
    return true;
}

static bool read_shock(struct reader *r, struct fb_plant_config *c, struct fb_str value) {
    int64_t every_us;
    if (!read_number_and_span(r, "shock", " every ",
                              "how much, and how often at a mean, such as 0.01 every 20m", value,
                              &c->shock, &every_us))
        return false;
    c->shock_every_s = (uint32_t)(every_us / FB_SECOND);
    return true;
}

static bool read_spread(struct reader *r, struct fb_plant_process *process, struct fb_str value) {
    if (!read_percent(r, "spread", value, &process->spread))
        return false;
    process->spread /= 100;
    return true;
}

static bool read_bad(struct reader *r, struct fb_plant_config *c, struct fb_str value) {
    double percent;
    if (!read_percent(r, "bad", value, &percent))
        return false;
    c->bad_percent = (uint32_t)percent;
    return true;
}

enum key {
    KEY_ID,
    KEY_EVERY,
    KEY_LOST,
    KEY_LATE,
    KEY_START,
    KEY_OUTSIDE,
    KEY_EFFECT,
    KEY_ACTUATOR,
    KEY_TIME_CONSTANT,
    KEY_SWING,
    KEY_SHOCK,
    KEY_LAG,
    KEY_DEAD_TIME,
    KEY_TRAVEL,
    KEY_LIMITS,
    KEY_NOISE,
    KEY_STEP,
    KEY_BAD,
    KEY_STUCK,
    KEY_SILENT,
    KEY_BAND,
    KEY_SPREAD,
    KEY_FOLLOWS,
    KEY_VALUE,
    KEYS
};
static const struct {
    struct fb_str name;
    unsigned sections;
} keys[KEYS] = {
    [KEY_ID] = {FB_S("id"), 1u << DEVICE},
    [KEY_EVERY] = {FB_S("every"), 1u << DEVICE},
    [KEY_LOST] = {FB_S("lost"), 1u << DEVICE | 1u << COMMANDS},
    [KEY_LATE] = {FB_S("late"), 1u << DEVICE | 1u << COMMANDS},
    [KEY_START] = {FB_S("start"), 1u << PROCESS},
    [KEY_OUTSIDE] = {FB_S("outside"), 1u << PROCESS},
    [KEY_EFFECT] = {FB_S("effect"), 1u << PROCESS},
    [KEY_ACTUATOR] = {FB_S("actuator"), 1u << PROCESS},
    [KEY_TIME_CONSTANT] = {FB_S("time constant"), 1u << PROCESS},
    [KEY_SWING] = {FB_S("swing"), 1u << PROCESS},
    [KEY_SHOCK] = {FB_S("shock"), 1u << PROCESS},
    [KEY_LAG] = {FB_S("lag"), 1u << PROCESS},
    [KEY_DEAD_TIME] = {FB_S("dead time"), 1u << PROCESS},
    [KEY_TRAVEL] = {FB_S("travel"), 1u << PROCESS},
    [KEY_LIMITS] = {FB_S("limits"), 1u << PROCESS},
    [KEY_NOISE] = {FB_S("noise"), 1u << PROCESS},
    [KEY_STEP] = {FB_S("step"), 1u << PROCESS},
    [KEY_BAD] = {FB_S("bad"), 1u << PROCESS},
    [KEY_STUCK] = {FB_S("stuck"), 1u << PROCESS},
    [KEY_SILENT] = {FB_S("silent"), 1u << PROCESS},
    [KEY_BAND] = {FB_S("band"), 1u << PROCESS},
    [KEY_SPREAD] = {FB_S("spread"), 1u << PROCESS},
    [KEY_FOLLOWS] = {FB_S("follows"), 1u << FIELD},
    [KEY_VALUE] = {FB_S("value"), 1u << FIELD},
};
static const struct fb_str section_names[SECTIONS] = {
    [DEVICE] = FB_S("device"),
    [COMMANDS] = FB_S("commands"),
    [PROCESS] = FB_S("process"),
    [FIELD] = FB_S("field"),
};

static bool set_of_device(struct reader *r, enum key key, struct fb_str value) {
    struct fb_plant_file *file = r->file;
    switch (key) {
    case KEY_ID:
        file->id = value;
        return true;
    case KEY_EVERY:
        if (!read_span(r, "every", value, &file->every_us))
            return false;
        return file->every_us >= FB_PLANT_STEP_US || wrong(r, "every", value, "500ms at least");
    case KEY_LOST:
        return read_lost(r, r->section == DEVICE ? &file->telemetry : &file->commands, value);
    default:
        return read_late(r, r->section == DEVICE ? &file->telemetry : &file->commands, value);
    }
}

/* Keys of one actuator's part in the process. */
static bool is_of_input(enum key key) {
    return key == KEY_ACTUATOR || key == KEY_EFFECT || key == KEY_TRAVEL || key == KEY_DEAD_TIME ||
           key == KEY_LAG;
}

/* A second `actuator` begins another input. */
static bool begin_input(struct reader *r, struct fb_plant_process *process, enum key key) {
    struct fb_plant_acting *acting = &process->acting[process->config.n_inputs - 1];
    if (key == KEY_ACTUATOR && acting->actuator.n) {
        if (process->config.n_inputs == FB_PLANT_INPUTS_MAX)
            return fb_fail(r->err, FB_FATAL, "%s:%u: at most %d actuators act on a process",
                           r->name, r->line, FB_PLANT_INPUTS_MAX);
        acting = &process->acting[process->config.n_inputs++];
    }
    if (acting->given & 1u << key)
        return fb_fail(r->err, FB_FATAL,
                       "%s:%u: `%.*s` is given twice for one actuator; those of another one stand "
                       "behind its `actuator`",
                       r->name, r->line, FB_ARG(keys[key].name));
    acting->given |= 1u << key;
    return true;
}

static bool set_of_input(struct reader *r, enum key key, struct fb_str value) {
    struct fb_plant_process *process = &r->file->processes[r->file->n_processes - 1];
    if (!begin_input(r, process, key))
        return false;
    uint32_t i = process->config.n_inputs - 1;
    struct fb_plant_input_config *c = &process->config.inputs[i];
    switch (key) {
    case KEY_EFFECT:
        return read_number(r, "effect", value, &c->gain);
    case KEY_LAG:
        return read_seconds(r, "lag", value, &c->lag_s);
    case KEY_DEAD_TIME:
        return read_dead_time(r, c, value);
    case KEY_TRAVEL:
        return read_seconds(r, "travel", value, &c->travel_s);
    default:
        process->acting[i].actuator = value;
        process->acting[i].line = r->line;
        return true;
    }
}

static bool set_of_process(struct reader *r, enum key key, struct fb_str value) {
    struct fb_plant_process *process = &r->file->processes[r->file->n_processes - 1];
    struct fb_plant_config *c = &process->config;
    switch (key) {
    case KEY_START:
        return read_number(r, "start", value, &c->start);
    case KEY_OUTSIDE:
        return read_number(r, "outside", value, &c->outside);
    case KEY_TIME_CONSTANT:
        return read_seconds(r, "time constant", value, &c->tau_s);
    case KEY_SWING:
        return read_number_and_span(r, "swing", " over ",
                                    "how much, and its period, such as 0.002 over 2h", value,
                                    &c->swing, &c->swing_us);
    case KEY_SHOCK:
        return read_shock(r, c, value);
    case KEY_LIMITS:
        return read_range(r, "limits", value, &c->low, &c->high);
    case KEY_NOISE:
        return read_number(r, "noise", value, &c->noise);
    case KEY_STEP:
        return read_number(r, "step", value, &c->quantum);
    case KEY_BAD:
        return read_bad(r, c, value);
    case KEY_STUCK:
        return read_stretch(r, "stuck", value, &c->stuck);
    case KEY_SILENT:
        return read_stretch(r, "silent", value, &c->dead_sensor);
    case KEY_BAND:
        process->has_band = true;
        return read_range(r, "band", value, &process->band_low, &process->band_high);
    default:
        return read_spread(r, process, value);
    }
}

static bool set_of_field(struct reader *r, enum key key, struct fb_str value) {
    struct fb_plant_field *field = &r->file->fields[r->file->n_fields - 1];
    if (key == KEY_FOLLOWS)
        field->follows = value;
    else
        field->value = value;
    return true;
}

static bool unknown_key(struct reader *r, struct fb_str name) {
    struct fb_str candidates[KEYS];
    size_t n = 0;
    for (int key = 0; key < KEYS; key++)
        if (keys[key].sections & 1u << r->section)
            candidates[n++] = keys[key].name;
    struct fb_str near = fb_str_nearest(name, candidates, n);
    return fb_fail(r->err, FB_FATAL, "%s:%u: [%.*s] has no `%.*s`%s%.*s%s", r->name, r->line,
                   FB_ARG(section_names[r->section]), FB_ARG(name),
                   near.n ? "; did you mean `" : "", FB_ARG(near), near.n ? "`?" : "");
}

static bool set_key(struct reader *r, struct fb_str name, struct fb_str value) {
    if (!value.n)
        return fb_fail(r->err, FB_FATAL, "%s:%u: `%.*s` has no value", r->name, r->line,
                       FB_ARG(name));
    for (int key = 0; key < KEYS; key++) {
        if (!fb_str_eq(keys[key].name, name) || !(keys[key].sections & 1u << r->section))
            continue;
        if (r->section == PROCESS && is_of_input((enum key)key))
            return set_of_input(r, (enum key)key, value);
        if (r->section == PROCESS)
            return set_of_process(r, (enum key)key, value);
        if (r->section == FIELD)
            return set_of_field(r, (enum key)key, value);
        return set_of_device(r, (enum key)key, value);
    }
    return unknown_key(r, name);
}

/* ---- sections ---- */

static bool begin_process(struct reader *r, struct fb_str name) {
    if (r->file->n_processes == FB_PLANT_PARTS_MAX)
        return fb_fail(r->err, FB_FATAL, "%s:%u: at most %d processes", r->name, r->line,
                       FB_PLANT_PARTS_MAX);
    r->file->processes[r->file->n_processes++] = (struct fb_plant_process){
        .field = name, .line = r->line, .config = {.n_inputs = 1, .low = -1e300, .high = 1e300}};
    return true;
}

static bool begin_field(struct reader *r, struct fb_str name) {
    if (r->file->n_fields == FB_PLANT_PARTS_MAX)
        return fb_fail(r->err, FB_FATAL, "%s:%u: at most %d fields", r->name, r->line,
                       FB_PLANT_PARTS_MAX);
    r->file->fields[r->file->n_fields++] = (struct fb_plant_field){.field = name, .line = r->line};
    return true;
}

/* "[process level]" */
static bool begin_section(struct reader *r, struct fb_str line) {
    struct fb_str inside = trimmed((struct fb_str){line.p + 1, line.n - 1}), kind, name = {0};
    if (line.p[line.n - 1] != ']')
        return fb_fail(r->err, FB_FATAL, "%s:%u: a section ends with `]`", r->name, r->line);
    inside = trimmed((struct fb_str){inside.p, inside.n - 1});
    if (!split(inside, " ", &kind, &name))
        kind = inside;
    r->section = NOWHERE;
    for (int i = DEVICE; i < SECTIONS; i++)
        if (fb_str_eq(section_names[i], kind))
            r->section = (enum section)i;
    if (r->section == NOWHERE)
        return fb_fail(r->err, FB_FATAL,
                       "%s:%u: there is no section `%.*s`: they are [device NAME], [commands], "
                       "[process FIELD], [field NAME]",
                       r->name, r->line, FB_ARG(kind));
    if ((name.n == 0) != (r->section == COMMANDS))
        return fb_fail(r->err, FB_FATAL, "%s:%u: [%.*s] %s", r->name, r->line, FB_ARG(kind),
                       name.n ? "takes no name" : "needs a name");
    if (r->section == PROCESS)
        return begin_process(r, name);
    if (r->section == FIELD)
        return begin_field(r, name);
    if (r->section == DEVICE) {
        r->file->class_name = name;
        r->file->class_line = r->line;
    }
    return true;
}

static bool read_line(struct reader *r, struct fb_str line) {
    const char *comment = line.n ? memchr(line.p, '#', line.n) : NULL;
    struct fb_str name, value;
    if (comment)
        line.n = (size_t)(comment - line.p);
    line = trimmed(line);
    if (!line.n)
        return true;
    if (line.p[0] == '[')
        return begin_section(r, line);
    if (!split(line, "=", &name, &value))
        return fb_fail(r->err, FB_FATAL, "%s:%u: `%.*s` is not of the form key = value", r->name,
                       r->line, FB_ARG(line));
    if (r->section == NOWHERE)
        return fb_fail(r->err, FB_FATAL,
                       "%s:%u: `%.*s` stands in no section: begin with [device "
                       "NAME]",
                       r->name, r->line, FB_ARG(name));
    return set_key(r, name, value);
}

static bool is_whole(struct reader *r) {
    const struct fb_plant_file *file = r->file;
    if (!file->class_name.n)
        return fb_fail(r->err, FB_FATAL, "%s: [device NAME] is missing: the device of the rules",
                       r->name);
    if (!file->n_processes)
        return fb_fail(r->err, FB_FATAL, "%s: [process FIELD] is missing: what the device measures",
                       r->name);
    for (uint32_t i = 0; i < file->n_fields; i++)
        if (!file->fields[i].follows.n == !file->fields[i].value.n)
            return fb_fail(r->err, FB_FATAL,
                           "%s:%u: [field %.*s] wants either `follows = ACTUATOR` or `value = ..`",
                           r->name, file->fields[i].line, FB_ARG(file->fields[i].field));
    return true;
}

bool fb_plant_file_parse(const char *name, struct fb_str text, struct fb_plant_file *file,
                         struct fb_err *err) {
    struct reader r = {.name = name, .file = file, .err = err};
    *file = (struct fb_plant_file){.every_us = DEFAULT_EVERY_US, .id = FB_S("plant-{n}")};
    for (size_t at = 0; at < text.n;) {
        const char *end = memchr(text.p + at, '\n', text.n - at);
        size_t n = end ? (size_t)(end - text.p) - at : text.n - at;
        r.line++;
        if (!read_line(&r, (struct fb_str){text.p + at, n}))
            return false;
        at += n + 1;
    }
    return is_whole(&r);
}
