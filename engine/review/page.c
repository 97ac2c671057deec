/* Gathers a run and writes it as one HTML file.
 *
 * Place in the flow: see page.h. What the page does with it: assets/page.js. */
#include "engine/review/page.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/map.h"
#include "engine/codec/json_write.h"
#include "engine/review/actuation.h"
#include "engine/review/curve.h"
#include "engine/review/episodes.h"
#include "engine/review/figures.h"
#include "engine/review/page_assets.h"

struct device {
    uint16_t class_index;
    struct fb_str id;
    uint32_t alarms;         /* raised */
    uint32_t number;         /* in the order of coming */
    struct fb_curve *curves; /* one a field of the class */
    struct fb_actuation *actuations; /* one an actuator of the class, shadows too */
};

struct fb_page {
    const struct fb_program *program;
    struct fb_arena *arena;
    struct fb_episodes *episodes;
    struct fb_map *found; /* class and id: place in `devices` */
    struct device *devices;
    uint32_t n, cap;
    uint64_t records;
    int64_t from_us, to_us;
    struct fb_buf key;
};

struct fb_page *fb_page_new(const struct fb_program *program) {
    struct fb_page *page = fb_alloc(sizeof *page);
    page->program = program;
    page->arena = fb_arena_new();
    page->episodes = fb_episodes_new();
    page->found = fb_map_new();
    page->from_us = page->to_us = FB_NO_TIME;
    return page;
}

void fb_page_free(struct fb_page *page) {
    if (!page)
        return;
    for (uint32_t i = 0; i < page->n; i++) {
        uint32_t fields = page->program->classes[page->devices[i].class_index].n_fields;
        for (uint32_t f = 0; f < fields; f++)
            fb_curve_free(&page->devices[i].curves[f]);
        uint32_t actuators = page->program->classes[page->devices[i].class_index].n_actuators;
        for (uint32_t a = 0; a < actuators; a++)
            fb_actuation_free(&page->devices[i].actuations[a]);
        free(page->devices[i].actuations);
        free(page->devices[i].curves);
    }
    free(page->devices);
    fb_map_free(page->found);
    fb_episodes_free(page->episodes);
    fb_arena_free(page->arena);
    fb_buf_free(&page->key);
    free(page);
}

/* ---- gathering ---- */

static void reach(struct fb_page *page, int64_t at_us) {
    if (page->from_us == FB_NO_TIME || at_us < page->from_us)
        page->from_us = at_us;
    if (page->to_us == FB_NO_TIME || at_us > page->to_us)
        page->to_us = at_us;
}

/* NULL: one of too many. */
static struct device *device_of(struct fb_page *page, uint16_t class_index, struct fb_str id) {
    page->key.n = 0;
    fb_buf_printf(&page->key, "%u/", class_index);
    fb_buf_str(&page->key, id);
    struct fb_str key = {page->key.p, page->key.n};
    uint32_t place = fb_map_get(page->found, key);
    if (place != FB_MAP_NONE)
        return &page->devices[place];
    if (page->n == FB_PAGE_FOLLOWED_MAX)
        return NULL;
    fb_map_put(page->found, key, page->n);
    const struct fb_class *class_ = &page->program->classes[class_index];
    FB_PUSH_ROOM(page->devices, page->n, page->cap);
    struct device *device = &page->devices[page->n];
    *device = (struct device){
        .class_index = class_index,
        .id = fb_str_copy(page->arena, id),
        .number = page->n,
        .curves = fb_alloc(sizeof *device->curves * (class_->n_fields + 1u)),
        .actuations = fb_alloc(sizeof *device->actuations * (class_->n_actuators + 1u))};
    for (uint32_t i = 0; i < class_->n_actuators; i++)
        fb_actuation_begin(&device->actuations[i], &class_->actuators[i]);
    page->n++;
    return device;
}

/* False: it has no place on a plot. */
static bool is_plotted(const struct fb_field *field) {
    return field->role == FB_ROLE_FIELD && field->type != FB_T_TEXT && field->type != FB_T_TIME;
}

static double value_of(const struct fb_field *field, const struct fb_sample *sample) {
    bool number = field->type == FB_T_NUMBER || field->type == FB_T_COUNTER;
    return number ? sample->num : (double)sample->i;
}

void fb_page_record(struct fb_page *page, const struct fb_entry *entry) {
    page->records++;
    struct device *device = device_of(page, entry->class_index, entry->device);
    if (!device)
        return;
    reach(page, entry->ts_us);
    const struct fb_class *class_ = &page->program->classes[entry->class_index];
    for (uint32_t i = 0; i < entry->n_samples; i++) {
        const struct fb_sample *sample = &entry->samples[i];
        const struct fb_field *field = &class_->fields[sample->field];
        if (sample->state == FB_SAMPLE_GOOD && is_plotted(field))
            fb_curve_add(&device->curves[sample->field], entry->ts_us, value_of(field, sample));
    }
}

void fb_page_output(struct fb_page *page, const struct fb_output *output, struct fb_str message) {
    if (output->kind == FB_OUT_LATE)
        return;
    struct device *device = device_of(page, output->class_index, output->device);
    reach(page, output->at_us);
    if (output->kind == FB_OUT_COMMAND || output->kind == FB_OUT_BLOCKED) {
        const struct fb_class *class_ = &page->program->classes[output->class_index];
        if (device)
            fb_actuation_add(&device->actuations[output->actuator - class_->actuators], output);
        return;
    }
    fb_episodes_add(page->episodes, output, message);
    if (device && output->kind == FB_OUT_ALERT && output->event == FB_ALERT_RAISED)
        device->alarms++;
}

/* ---- writing ---- */

static void put_text(struct fb_buf *out, const char *name, struct fb_str text) {
    fb_buf_printf(out, "\"%s\":", name);
    fb_json_put_text(out, text);
    fb_buf_char(out, ',');
}

static void put_number(struct fb_buf *out, const char *name, double x) {
    fb_buf_printf(out, "\"%s\":", name);
    fb_json_put_number(out, x);
    fb_buf_char(out, ',');
}

static void put_seconds(struct fb_buf *out, const char *name, int64_t us) {
    if (us == FB_NEVER)
        fb_buf_printf(out, "\"%s\":null,", name);
    else
        put_number(out, name, (double)us / 1e6);
}

/* Instead of the comma behind the last member. */
static void end_with(struct fb_buf *out, const char *end) {
    if (out->p[out->n - 1] == ',')
        out->n--;
    fb_buf_text(out, end);
}

/* NULL: a number has none. */
static void put_list_of_words(struct fb_buf *out, const struct fb_str *words, uint32_t n) {
    if (!words) {
        fb_buf_text(out, "\"words\":null,");
        return;
    }
    fb_buf_text(out, "\"words\":[");
    for (uint32_t i = 0; i < n; i++) {
        fb_json_put_text(out, words[i]);
        fb_buf_char(out, ',');
    }
    end_with(out, "],");
}

static void put_words(struct fb_buf *out, const struct fb_field *field) {
    static const struct fb_str truths[] = {FB_S("false"), FB_S("true")};
    if (field->type == FB_T_BOOL)
        put_list_of_words(out, truths, 2);
    else
        put_list_of_words(out, field->type == FB_T_ENUM ? field->words : NULL, field->n_words);
}

static void put_fields(const struct fb_page *page, const struct device *device,
                       struct fb_buf *out) {
    const struct fb_class *class_ = &page->program->classes[device->class_index];
    fb_buf_text(out, "\"fields\":[");
    for (uint32_t f = 0; f < class_->n_fields; f++) {
        if (!device->curves[f].n)
            continue;
        fb_buf_char(out, '{');
        put_text(out, "name", class_->fields[f].name);
        put_text(out, "unit", class_->fields[f].unit);
        put_words(out, &class_->fields[f]);
        fb_curve_put(&device->curves[f], page->from_us, out);
        fb_buf_text(out, "},");
    }
    end_with(out, "],");
}

static void put_episode(const struct fb_episode *episode, struct fb_buf *out) {
    fb_buf_char(out, '{');
    put_text(out, "rule", episode->rule);
    if (episode->kind == FB_EPISODE_EVENT) {
        put_seconds(out, "at", episode->from_us);
    } else {
        put_text(out, "severity", fb_str_of(fb_severity_name(episode->severity)));
        put_seconds(out, "from", episode->from_us);
        put_seconds(out, "to", episode->to_us);
    }
    put_text(out, "message", episode->message);
    end_with(out, "},");
}

static void put_episodes(const struct fb_page *page, const struct device *device,
                         enum fb_episode_kind kind, uint32_t n, struct fb_buf *out) {
    fb_buf_text(out, kind == FB_EPISODE_EVENT ? "\"events\":[" : "\"alarms\":[");
    for (uint32_t i = 0; i < n; i++) {
        const struct fb_episode *episode = fb_episodes_at(page->episodes, i);
        if (episode->kind == kind && episode->class_index == device->class_index &&
            fb_str_eq(episode->device, device->id))
            put_episode(episode, out);
    }
    end_with(out, "],");
}

/* ---- actuators ---- */

static void put_commands(const struct fb_page *page, const struct fb_actuation *actuation,
                         struct fb_buf *out) {
    static const char *const names[] = {"at", "applied", "requested"};
    for (int column = 0; column < 3; column++) {
        fb_buf_printf(out, "\"%s\":[", names[column]);
        for (uint32_t i = 0; i < actuation->n_commands; i++) {
            const struct fb_actuation_command *command = &actuation->commands[i];
            fb_json_put_number(out, column == 0   ? (double)(command->at_us - page->from_us) / 1e6
                                    : column == 1 ? command->value
                                                  : command->requested);
            fb_buf_char(out, ',');
        }
        end_with(out, "],");
    }
    fb_buf_text(out, "\"reasons\":[");
    for (uint32_t i = 0; i < actuation->n_commands; i++)
        fb_buf_printf(out, "\"%s\",", fb_command_reason_name(actuation->commands[i].reason));
    end_with(out, "],");
}

static void put_blocks(const struct fb_actuation *actuation, struct fb_buf *out) {
    fb_buf_text(out, "\"blocks\":[");
    for (uint32_t i = 0; i < actuation->n_blocks; i++) {
        const struct fb_actuation_block *block = &actuation->blocks[i];
        fb_buf_char(out, '{');
        put_text(out, "guardrail", fb_str_of(fb_guard_name(block->guard)));
        put_seconds(out, "from", block->from_us);
        put_seconds(out, "to", block->to_us);
        put_number(out, "requested", block->requested);
        put_number(out, "count", (double)block->count);
        end_with(out, "},");
    }
    end_with(out, "],");
}

/* "pump", "pump (shadow)". */
static void put_actuator_name(const struct fb_actuator *actuator, struct fb_buf *out) {
    fb_buf_text(out, "\"name\":");
    fb_json_put_text(out, actuator->name);
    if (actuator->shadow) {
        out->n--;
        fb_buf_text(out, " (shadow)\"");
    }
    fb_buf_char(out, ',');
}

static void put_actuations(const struct fb_page *page, const struct device *device,
                           struct fb_buf *out) {
    const struct fb_class *class_ = &page->program->classes[device->class_index];
    fb_buf_text(out, "\"actuators\":[");
    for (uint32_t i = 0; i < class_->n_actuators; i++) {
        const struct fb_actuation *actuation = &device->actuations[i];
        const struct fb_actuator *actuator = actuation->actuator;
        if (!actuation->sent && !actuation->n_blocks)
            continue;
        fb_buf_char(out, '{');
        put_actuator_name(actuator, out);
        put_text(out, "unit", actuator->unit);
        put_list_of_words(out, actuator->is_switch ? actuator->words : NULL, 2);
        put_commands(page, actuation, out);
        put_blocks(actuation, out);
        end_with(out, "},");
    }
    end_with(out, "],");
}

static void add_actuation(struct fb_actuation *sum, const struct fb_actuation *one) {
    sum->sent += one->sent;
    sum->renewed += one->renewed;
    sum->starts += one->starts;
    sum->reversals += one->reversals;
    sum->active_us += one->active_us;
    for (int guard = 0; guard < FB_GUARDS; guard++)
        sum->blocked[guard] += one->blocked[guard];
}

/* Of one actuator over all devices that were followed; nothing where it was never commanded. */
static void put_actuator_figures(const struct fb_page *page, uint32_t class_index, uint32_t i,
                                 struct fb_buf *out) {
    const struct fb_actuator *actuator = &page->program->classes[class_index].actuators[i];
    struct fb_actuation sum;
    uint32_t devices = 0;
    int64_t known_us = 0;
    fb_actuation_begin(&sum, actuator);
    for (uint32_t d = 0; d < page->n; d++) {
        const struct fb_actuation *one = &page->devices[d].actuations[i];
        if (page->devices[d].class_index != class_index || (!one->sent && !one->n_blocks))
            continue;
        add_actuation(&sum, one);
        devices++;
        if (one->first_us != FB_NO_TIME)
            known_us += one->last_us - one->first_us;
    }
    if (!devices)
        return;
    fb_buf_char(out, '{');
    put_actuator_name(actuator, out);
    put_number(out, "devices", devices);
    put_number(out, "commands", (double)(sum.sent - sum.renewed));
    put_number(out, "starts", (double)sum.starts);
    put_number(out, "reversals", (double)sum.reversals);
    put_seconds(out, "hours", (page->to_us - page->from_us) / 3600 * devices);
    put_number(out, "active", known_us ? (double)sum.active_us / (double)known_us : 0);
    fb_buf_text(out, "\"blocked\":{");
    for (int guard = 0; guard < FB_GUARDS; guard++)
        if (sum.blocked[guard])
            put_number(out, fb_guard_name((enum fb_guard)guard), (double)sum.blocked[guard]);
    end_with(out, "},");
    end_with(out, "},");
}

static void put_acting(const struct fb_page *page, struct fb_buf *out) {
    fb_buf_text(out, "\"actuators\":[");
    for (uint32_t c = 0; c < page->program->n_classes; c++)
        for (uint32_t i = 0; i < page->program->classes[c].n_actuators; i++)
            put_actuator_figures(page, c, i, out);
    end_with(out, "],");
}

/* ---- all ---- */

static void put_device(const struct fb_page *page, const struct device *device, uint32_t episodes,
                       struct fb_buf *out) {
    fb_buf_char(out, '{');
    put_text(out, "id", device->id);
    put_text(out, "class", page->program->classes[device->class_index].name);
    put_fields(page, device, out);
    put_actuations(page, device, out);
    put_episodes(page, device, FB_EPISODE_ALARM, episodes, out);
    put_episodes(page, device, FB_EPISODE_EVENT, episodes, out);
    end_with(out, "},");
}

static void put_figures(const struct fb_page *page, uint32_t episodes, struct fb_buf *out) {
    fb_buf_text(out, "\"alarms\":[");
    for (uint32_t i = 0;
         i < episodes && fb_episodes_at(page->episodes, i)->kind == FB_EPISODE_ALARM;) {
        struct fb_alarm_figures figures =
            fb_alarm_figures(page->episodes, episodes, &i, page->to_us);
        fb_buf_char(out, '{');
        put_text(out, "rule", figures.rule);
        put_number(out, "raised", figures.raised);
        put_number(out, "devices", figures.devices);
        put_seconds(out, "active", figures.active_us);
        put_seconds(out, "longest", figures.longest_us);
        put_number(out, "fleeting", figures.fleeting);
        put_number(out, "chattering", figures.chattering);
        put_number(out, "open", figures.open);
        end_with(out, "},");
    }
    end_with(out, "],");
}

static int by_alarms(const void *left, const void *right) {
    const struct device *a = left, *b = right;
    if (a->alarms != b->alarms)
        return a->alarms > b->alarms ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static void put_run(struct fb_page *page, struct fb_str title, struct fb_str build,
                    struct fb_buf *out) {
    uint32_t episodes = fb_episodes_count(page->episodes);
    uint32_t shown = page->n < FB_PAGE_DEVICES_MAX ? page->n : FB_PAGE_DEVICES_MAX;
    if (page->n)
        qsort(page->devices, page->n, sizeof *page->devices, by_alarms);
    fb_buf_char(out, '{');
    put_text(out, "title", title);
    put_text(out, "build", build);
    put_seconds(out, "from", page->from_us == FB_NO_TIME ? 0 : page->from_us);
    put_seconds(out, "to", page->to_us == FB_NO_TIME ? 0 : page->to_us);
    put_number(out, "records", (double)page->records);
    put_number(out, "left_out", page->n - shown);
    put_figures(page, episodes, out);
    put_acting(page, out);
    fb_buf_text(out, "\"devices\":[");
    for (uint32_t i = 0; i < shown; i++)
        put_device(page, &page->devices[i], episodes, out);
    end_with(out, "]}");
}

/* JSON inside a script element: nothing in it may look like the element's end. */
static void put_script(struct fb_str json, struct fb_buf *out) {
    for (size_t i = 0; i < json.n; i++)
        if (json.p[i] == '<')
            fb_buf_text(out, "\\u003c");
        else
            fb_buf_char(out, json.p[i]);
}

void fb_page_put(struct fb_page *page, struct fb_str title, struct fb_str build,
                 struct fb_buf *out) {
    struct fb_buf run = {0};
    put_run(page, title, build, &run);
    fb_buf_text(out, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n"
                     "<title>flyball</title>\n<style>\n");
    fb_buf_str(out, fb_asset_uplot_css());
    fb_buf_str(out, fb_asset_page_css());
    fb_buf_text(out, "</style>\n<body>\n<main id=\"page\"></main>\n<script>\n");
    fb_buf_str(out, fb_asset_uplot_js());
    fb_buf_text(out, "</script>\n<script>\nconst run = ");
    put_script((struct fb_str){run.p, run.n}, out);
    fb_buf_text(out, ";\n</script>\n<script>\n");
    fb_buf_str(out, fb_asset_page_js());
    fb_buf_text(out, "</script>\n</body>\n</html>\n");
    fb_buf_free(&run);
}
