/* Times, spans, operands in words.
 *
 * Place in the flow: see explain_words.h. */
#include "engine/cli/explain_words.h"

#include <inttypes.h>

#include <stdio.h>

#include "engine/base/calendar.h"

void fb_put_clock(struct fb_buf *out, int64_t us) {
    char text[FB_TIME_TEXT_MAX];
    size_t n = fb_time_format(us, text);
    fb_buf_printf(out, "%.10s %.*s", text, (int)(n - 12), text + 11);
}

void fb_put_span(struct fb_buf *out, int64_t us) {
    char text[FB_TIME_TEXT_MAX];
    int64_t ms = us < 0 ? 0 : us / 1000;
    fb_buf_put(out, text, fb_span_format(ms * 1000, text));
}

void fb_put_used(struct fb_buf *out, int64_t counted, int64_t most, int64_t per_us) {
    fb_buf_printf(out, "%" PRId64 " of %" PRId64, counted, most);
    if (per_us > 0) {
        fb_buf_text(out, " in the last ");
        fb_put_span(out, per_us);
    }
}

void fb_put_story_value(struct fb_buf *out, struct fb_story_value value) {
    fb_buf_str(out, value.text);
}

int64_t fb_story_device_time(const struct fb_story *story) {
    int64_t newest_us = FB_NO_TIME;
    if (story->sort == FB_STORY_ALARM || story->sort == FB_STORY_EVENT)
        return story->at_us;
    if (story->timer)
        return story->deadline_us;
    for (uint32_t i = 0; i < story->n_inputs; i++)
        if (story->inputs[i].carried && story->inputs[i].at_us > newest_us)
            newest_us = story->inputs[i].at_us;
    return newest_us;
}

/* How old a value is, or of when. */
static void put_age(struct fb_buf *out, int64_t now_us, int64_t at_us, bool good) {
    const char *what = good ? ", " : ", last good ";
    if (now_us == FB_NO_TIME) {
        fb_buf_printf(out, "%sof ", what);
        fb_put_clock(out, at_us);
        return;
    }
    fb_buf_text(out, what);
    fb_put_span(out, now_us - at_us);
    fb_buf_text(out, good ? " old" : " ago");
}

void fb_put_operand(struct fb_buf *out, const struct fb_story *story,
                    const struct fb_story_input *input, const struct fb_shown *shown) {
    struct fb_str unit = input->unit.n || !shown ? input->unit : shown->unit;
    bool good = fb_str_eq(input->quality, FB_S("good"));
    fb_put_story_value(out, input->value);
    if (unit.n && input->value.kind == FB_STORY_NUMBER)
        fb_buf_printf(out, " %.*s", FB_ARG(unit));
    if (shown && (shown->is_actuator || shown->is_mode) && good) {
        if (input->at_us == FB_NO_TIME) {
            fb_buf_text(out, ", newer than what the conditions saw");
            return;
        }
        fb_buf_text(out, ", since ");
        fb_put_clock(out, input->at_us);
        return;
    }
    if (shown && shown->is_others) { /* as of the decision */
        if (input->at_us == FB_NO_TIME && story->sort != FB_STORY_EVENT)
            fb_buf_text(out, ", newer than what the conditions saw");
        else if (!good)
            fb_buf_text(out, ", unknown");
        return;
    }
    bool is_let = input->at_us == FB_NO_TIME && (!shown || !shown->is_field);
    if (is_let && (good || input->value.kind == FB_STORY_NONE))
        return; /* computed: it has neither an age nor a quality of its own */
    if (!fb_str_eq(input->quality, FB_S("unknown")))
        fb_buf_printf(out, ", %.*s", FB_ARG(input->quality));
    else
        fb_buf_text(out, ", never seen");
    if (input->at_us != FB_NO_TIME)
        put_age(out, fb_story_device_time(story), input->at_us, good);
}

const struct fb_rule *fb_program_rule(const struct fb_program *program, struct fb_str name) {
    for (uint32_t i = 0; i < program->n_rules; i++)
        if (program->rules[i].sort != FB_SORT_ACTUATOR &&
            program->rules[i].sort != FB_SORT_PUBLISHED && fb_str_eq(program->rules[i].name, name))
            return &program->rules[i];
    return NULL;
}

static bool claims(const struct fb_class *class_, const struct fb_rule *rule,
                   struct fb_str actuator) {
    for (uint32_t i = 0; i < rule->n_claims; i++)
        if (fb_str_eq(class_->actuators[class_->claims[rule->first_claim + i].actuator].name,
                      actuator))
            return true;
    return false;
}

const struct fb_rule *fb_program_rule_of(const struct fb_program *program,
                                         const struct fb_story *story) {
    const char *slash =
        story->actuator.n ? memchr(story->actuator.p, '/', story->actuator.n) : NULL;
    struct fb_str name = {story->actuator.p, slash ? (size_t)(slash - story->actuator.p) : 0};
    for (uint32_t i = 0; name.n && i < program->n_rules; i++) {
        const struct fb_rule *rule = &program->rules[i];
        if (rule->target.n && fb_str_eq(rule->name, story->rule) &&
            claims(&program->classes[rule->class_index], rule, name))
            return rule;
    }
    return fb_program_rule(program, story->rule);
}

const struct fb_shown *fb_rule_shown(const struct fb_rule *rule, struct fb_str name) {
    for (uint32_t i = 0; rule && i < rule->n_shown; i++)
        if (fb_str_eq(rule->shown[i].name, name))
            return &rule->shown[i];
    return NULL;
}

static const char *way_name(const struct fb_class *class_, const struct fb_rule *rule, uint32_t i,
                            char *room) {
    const struct fb_machine *mode = &class_->modes[rule->mode];
    for (uint32_t k = 0; k < mode->n_gos; k++)
        if (mode->gos[k].condition == rule->first_condition + i) {
            snprintf(room, FB_CONDITION_NAME_MAX, "go %.*s", FB_ARG(mode->states[mode->gos[k].to]));
            return room;
        }
    return "where";
}

const char *fb_condition_name(const struct fb_class *class_, const struct fb_rule *rule, uint32_t i,
                              char *room) {
    const struct fb_condition *condition = &class_->conditions[rule->first_condition + i];
    if (condition->role == FB_ROLE_INTERLOCK)
        return "interlock";
    if (condition->role == FB_ROLE_PERMISSIVE)
        return "permissive";
    if (rule->sort == FB_SORT_CONTROL)
        return "start";
    if (rule->sort == FB_SORT_MODE)
        return way_name(class_, rule, i, room);
    if (rule->sort == FB_SORT_EVENT)
        return "when";
    snprintf(room, FB_CONDITION_NAME_MAX, "raise %s", fb_severity_name(rule->severities[i]));
    return room;
}
