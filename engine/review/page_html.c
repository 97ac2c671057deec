/* A run as one HTML file. What the page does with it: assets/page.js.
 *
 * Place in the flow: see page.h. */
#include <stdlib.h>

#include "engine/codec/json_write.h"
#include "engine/review/figures.h"
#include "engine/review/gathered.h"
#include "engine/review/page_assets.h"

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

static void put_fields(const struct fb_page *page, const struct fb_page_device *device,
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

static void put_episodes(const struct fb_page *page, const struct fb_page_device *device,
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

static void put_actuations(const struct fb_page *page, const struct fb_page_device *device,
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

/* Nothing where it was never commanded. */
static void put_actuator_figures(const struct fb_page *page, uint32_t class_index, uint32_t i,
                                 struct fb_buf *out) {
    struct fb_actuator_figures figures;
    if (!fb_page_actuator_figures(page, class_index, i, &figures))
        return;
    fb_buf_char(out, '{');
    put_actuator_name(figures.actuator, out);
    put_number(out, "devices", figures.devices);
    put_number(out, "commands", (double)(figures.sum.sent - figures.sum.renewed));
    put_number(out, "starts", (double)figures.sum.motion.starts);
    put_number(out, "reversals", (double)figures.sum.motion.reversals);
    put_number(out, "per_hour", figures.reversals_per_hour);
    put_number(out, "active", figures.active);
    fb_buf_text(out, "\"blocked\":{");
    for (int guard = 0; guard < FB_GUARDS; guard++)
        if (figures.sum.blocked[guard])
            put_number(out, fb_guard_name((enum fb_guard)guard),
                       (double)figures.sum.blocked[guard]);
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

static void put_device(const struct fb_page *page, const struct fb_page_device *device,
                       uint32_t episodes, struct fb_buf *out) {
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
    const struct fb_page_device *a = left, *b = right;
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
