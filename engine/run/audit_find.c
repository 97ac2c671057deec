/* One pass over a trail: what came last of each alarm and actuator, and what the id fits.
 *
 * Place in the flow: see audit_find.h. */
#include "engine/run/audit_find.h"

#include <stdlib.h>

#include "engine/base/map.h"
#include "engine/codec/audit_read.h"
#include "engine/codec/json.h"

/* Of an alarm, an actuator or what one guardrail does to it: the last record. */
enum kept { LAST, CHANGED, BEGAN, RAISED, CALL, KEPT };

/* What an output's line says of itself. */
enum output_member { TYPE, ID, DATA, OUTPUT_MEMBERS };

struct fb_audit_find {
    struct fb_str id;
    struct fb_audit_reader *audit;
    struct fb_story_reader *stories;
    struct fb_arena *arena; /* of the line at hand */
    struct fb_json_paths *paths;
    struct fb_json *json; /* of outputs */
    struct fb_map *places;
    struct fb_buf *kept; /* by the place of its key */
    uint32_t n_kept, kept_cap;
    struct fb_buf key;
    struct fb_buf found[FB_FINDS];
    struct fb_buf subject; /* of what was found: its alarm or actuator */
    struct fb_buf guard;   /* of a block that was found: the key of its guardrail */
    enum fb_story_sort sort;
    bool began; /* a block's beginning */
    bool over;  /* an alarm's end */
    const char *fault;
    uint32_t matches;
    uint64_t records;
};

bool fb_audit_find_is_id(struct fb_str id) {
    if (id.n < FB_FIND_DIGITS_MIN || id.n > FB_FIND_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (!((id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'f')))
            return false;
    return true;
}

struct fb_audit_find *fb_audit_find_new(struct fb_str id) {
    static const char *const names[OUTPUT_MEMBERS] = {"type", "id", "data"};
    struct fb_str paths[OUTPUT_MEMBERS];
    struct fb_audit_find *find = fb_alloc(sizeof *find);
    for (int i = 0; i < OUTPUT_MEMBERS; i++)
        paths[i] = fb_str_of(names[i]);
    find->id = id;
    find->audit = fb_audit_reader_new();
    find->stories = fb_story_reader_new();
    find->arena = fb_arena_new();
    find->paths = fb_json_paths_new(paths, OUTPUT_MEMBERS);
    find->json = fb_json_new(find->paths, FB_JSON_LIMITS);
    find->places = fb_map_new();
    return find;
}

void fb_audit_find_free(struct fb_audit_find *find) {
    if (!find)
        return;
    fb_audit_reader_free(find->audit);
    fb_story_reader_free(find->stories);
    fb_arena_free(find->arena);
    fb_json_free(find->json);
    fb_json_paths_free(find->paths);
    fb_map_free(find->places);
    for (uint32_t i = 0; i < find->n_kept; i++)
        fb_buf_free(&find->kept[i]);
    free(find->kept);
    for (int i = 0; i < FB_FINDS; i++)
        fb_buf_free(&find->found[i]);
    fb_buf_free(&find->key);
    fb_buf_free(&find->subject);
    fb_buf_free(&find->guard);
    free(find);
}

/* ---- keys ---- */

static struct fb_str view(const struct fb_buf *buf) {
    return (struct fb_str){buf->p, buf->n};
}

static void set(struct fb_buf *buf, struct fb_str text) {
    buf->n = 0;
    fb_buf_str(buf, text);
}

/* "c pump/p1" of an actuator, "s pump/p1" of its shadow, "a hot/p1" of an alarm. */
static struct fb_str subject_of(struct fb_audit_find *find, const struct fb_story *story) {
    find->key.n = 0;
    if (story->sort == FB_STORY_ALARM)
        fb_buf_printf(&find->key, "a %.*s/%.*s", FB_ARG(story->rule), FB_ARG(story->device));
    else
        fb_buf_printf(&find->key, "%c %.*s", story->shadow ? 's' : 'c', FB_ARG(story->actuator));
    return view(&find->key);
}

/* The same, with the guardrail behind it. */
static struct fb_str guard_of(struct fb_audit_find *find, const struct fb_story *story) {
    subject_of(find, story);
    fb_buf_printf(&find->key, " %.*s", FB_ARG(story->guardrail));
    return view(&find->key);
}

/* "m p1" of a device in maintenance. */
static struct fb_str device_of(struct fb_audit_find *find, struct fb_str device) {
    find->key.n = 0;
    fb_buf_printf(&find->key, "m %.*s", FB_ARG(device));
    return view(&find->key);
}

/* Of an operator's call: the actuator on the device, the device alone, the alarm; of a kill,
 * whatever it is of, "k". */
static struct fb_str target_of(struct fb_audit_find *find, const struct fb_story *story) {
    find->key.n = 0;
    if (story->what_alarm.n)
        fb_buf_printf(&find->key, "a %.*s", FB_ARG(story->what_alarm));
    else if (story->what_device.n && !story->what_actuator.n)
        return device_of(find, story->what_device);
    else if (story->what_device.n)
        fb_buf_printf(&find->key, "c %.*s/%.*s", FB_ARG(story->what_actuator),
                      FB_ARG(story->what_device));
    else
        fb_buf_char(&find->key, 'k');
    return view(&find->key);
}

/* NULL: nothing has been kept for it; `make` makes room. */
static struct fb_buf *kept_of(struct fb_audit_find *find, struct fb_str subject, enum kept which,
                              bool make) {
    uint32_t place = fb_map_get(find->places, subject);
    if (place == FB_MAP_NONE) {
        if (!make)
            return NULL;
        place = find->n_kept;
        fb_map_put(find->places, subject, place);
        for (int i = 0; i < KEPT; i++) {
            FB_PUSH_ROOM(find->kept, find->n_kept, find->kept_cap);
            find->kept[find->n_kept++] = (struct fb_buf){0};
        }
    }
    return &find->kept[place + which];
}

static void keep(struct fb_audit_find *find, struct fb_str subject, enum kept which,
                 struct fb_str data) {
    set(kept_of(find, subject, which, true), data);
}

static void give(struct fb_audit_find *find, struct fb_str subject, enum kept which,
                 enum fb_find as) {
    const struct fb_buf *kept = kept_of(find, subject, which, false);
    if (kept)
        set(&find->found[as], view(kept));
}

/* ---- a record ---- */

static bool outcome_is(const struct fb_story *story, const char *outcome) {
    return fb_str_eq(story->outcome, fb_str_of(outcome));
}

static bool begins_with(struct fb_str text, struct fb_str beginning) {
    return text.n >= beginning.n && memcmp(text.p, beginning.p, beginning.n) == 0;
}

static bool speaks(const struct fb_story *story, const char *guardrail) {
    for (uint32_t i = 0; i < story->n_verdicts; i++)
        if (fb_str_eq(story->verdicts[i].guardrail, fb_str_of(guardrail)))
            return true;
    return fb_str_eq(story->guardrail, fb_str_of(guardrail));
}

/* What keeps the alarm from being annunciated, or did until now. A call that brings something about
 * is written behind it, and then it is that one. */
static void find_mute(struct fb_audit_find *find, const struct fb_story *story) {
    if (speaks(story, "shelf") || outcome_is(story, "unshelved"))
        give(find, view(&find->subject), CALL, FB_FIND_CALL);
    else if (speaks(story, "maintenance") || outcome_is(story, "unsuppressed"))
        give(find, device_of(find, story->device), CALL, FB_FIND_CALL);
}

/* Whether the call, a later record, is what brought about what was found. */
static bool brought_about(struct fb_audit_find *find, const struct fb_story *call) {
    struct fb_story story;
    struct fb_str data = view(&find->found[FB_FIND_ITSELF]);
    return call->sort == FB_STORY_OPERATOR && find->sort == FB_STORY_ALARM &&
           fb_story_read(find->stories, data, find->arena, &story) && !story.timer &&
           fb_str_eq(story.task, call->task) && fb_str_eq(story.topic, call->topic) &&
           story.partition == call->partition && story.offset == call->offset;
}

/* By hand, or behind a command that was; or by a kill, or in maintenance. */
static void find_call(struct fb_audit_find *find, const struct fb_story *story) {
    struct fb_story last;
    struct fb_str data = view(&find->found[FB_FIND_LAST]);
    bool after = data.n && fb_story_read(find->stories, data, find->arena, &last) &&
                 fb_story_has_hand(&last);
    if (speaks(story, "kill"))
        give(find, FB_S("k"), CALL, FB_FIND_CALL);
    else if (speaks(story, "maintenance"))
        give(find, device_of(find, story->device), CALL, FB_FIND_CALL);
    else if (after || fb_story_has_hand(story))
        give(find, view(&find->subject), CALL, FB_FIND_CALL);
}

static void find_itself(struct fb_audit_find *find, const struct fb_story *story,
                        struct fb_str data, const char *fault) {
    if (find->matches && fb_str_eq(view(&find->found[FB_FIND_ITSELF]), data))
        return; /* a file was given twice */
    if (find->matches++)
        return;
    set(&find->found[FB_FIND_ITSELF], data);
    find->fault = fault;
    find->sort = story->sort;
    if (story->sort == FB_STORY_ALARM) {
        set(&find->subject, subject_of(find, story));
        if (!outcome_is(story, "raised"))
            give(find, view(&find->subject), RAISED, FB_FIND_RAISED);
        find_mute(find, story);
        find->over = outcome_is(story, "cleared") || outcome_is(story, "removed");
    } else if (story->sort == FB_STORY_COMMAND || story->sort == FB_STORY_BLOCK) {
        set(&find->subject, subject_of(find, story));
        give(find, view(&find->subject), LAST, FB_FIND_LAST);
        give(find, view(&find->subject), CHANGED, FB_FIND_BEFORE);
        find_call(find, story);
    }
    if (story->sort == FB_STORY_BLOCK) {
        find->began = outcome_is(story, "began");
        set(&find->guard, guard_of(find, story));
        if (!find->began)
            give(find, view(&find->guard), BEGAN, FB_FIND_BEGAN);
    }
}

/* Of a record behind the one that was found. */
static void find_later(struct fb_audit_find *find, const struct fb_story *story,
                       struct fb_str data) {
    bool acts = find->sort == FB_STORY_COMMAND || find->sort == FB_STORY_BLOCK;
    enum fb_find as = FB_FIND_ITSELF;
    if (story->sort == FB_STORY_COMMAND && acts && !outcome_is(story, "renewed") &&
        fb_str_eq(subject_of(find, story), view(&find->subject)))
        as = FB_FIND_AFTER;
    else if (story->sort == FB_STORY_BLOCK && find->sort == FB_STORY_BLOCK && find->began &&
             outcome_is(story, "ended") && fb_str_eq(guard_of(find, story), view(&find->guard)))
        as = FB_FIND_ENDED;
    else if (story->sort == FB_STORY_ALARM && find->sort == FB_STORY_ALARM && !find->over &&
             (outcome_is(story, "cleared") || outcome_is(story, "removed")) &&
             fb_str_eq(subject_of(find, story), view(&find->subject)))
        as = FB_FIND_CLEARED;
    else if (brought_about(find, story))
        as = FB_FIND_CALL;
    if (as == FB_FIND_CALL || (as != FB_FIND_ITSELF && find->found[as].n == 0))
        set(&find->found[as], data);
}

/* What those behind it may need. */
static void remember(struct fb_audit_find *find, const struct fb_story *story, struct fb_str data) {
    if (story->sort == FB_STORY_ALARM && outcome_is(story, "raised")) {
        keep(find, subject_of(find, story), RAISED, data);
    } else if (story->sort == FB_STORY_COMMAND) {
        keep(find, subject_of(find, story), LAST, data);
        if (!outcome_is(story, "renewed"))
            keep(find, subject_of(find, story), CHANGED, data);
    } else if (story->sort == FB_STORY_OPERATOR && outcome_is(story, "accepted") &&
               !fb_str_eq(story->call, FB_S("ack"))) {
        keep(find, target_of(find, story), CALL, data);
    } else if (story->sort == FB_STORY_BLOCK && outcome_is(story, "began")) {
        keep(find, guard_of(find, story), BEGAN, data);
    }
}

/* It has the command's id, too, and is not what is asked for by it. */
static bool is_of_command(const struct fb_audit_find *find, const struct fb_story *story) {
    return story->sort == FB_STORY_WITHHELD && !begins_with(story->hash, find->id);
}

static void take_record(struct fb_audit_find *find, const struct fb_audit_record *record) {
    struct fb_story story;
    if (!fb_story_read(find->stories, record->data, find->arena, &story))
        return;
    find->records++;
    if (is_of_command(find, &story)) {
        if (find->matches && find->found[FB_FIND_WITHHELD].n == 0 &&
            begins_with(story.explains, find->id))
            set(&find->found[FB_FIND_WITHHELD], record->data);
        return;
    }
    bool fits = begins_with(story.hash, find->id) || begins_with(story.explains, find->id);
    if (fits)
        find_itself(find, &story, record->data, record->fault);
    else if (find->matches)
        find_later(find, &story, record->data);
    if (!find->matches)
        remember(find, &story, record->data);
}

/* ---- lines ---- */

static const struct fb_json_value *member(const struct fb_audit_find *find, enum output_member i) {
    return &fb_json_values(find->json)[fb_json_node(find->paths, i)];
}

/* An event is nowhere but in the outputs. */
static void take_output(struct fb_audit_find *find, struct fb_str line) {
    struct fb_json_object object;
    struct fb_story story;
    fb_json_begin(find->json, line);
    if (!fb_json_next(find->json, &object) || object.error != FB_JSON_OK ||
        member(find, TYPE)->kind != FB_JSON_TEXT || member(find, ID)->kind != FB_JSON_TEXT ||
        !fb_str_eq(member(find, TYPE)->text, FB_S("flyball.event")) ||
        !begins_with(member(find, ID)->text, find->id))
        return;
    struct fb_str data = member(find, DATA)->text;
    if (fb_story_read(find->stories, data, find->arena, &story))
        find_itself(find, &story, data, NULL);
}

void fb_audit_find_line(struct fb_audit_find *find, struct fb_str line) {
    struct fb_audit_record record;
    fb_arena_reset(find->arena);
    fb_audit_read(find->audit, line, &record);
    if (record.data.n)
        take_record(find, &record);
    else
        take_output(find, line);
}

/* ---- what was found ---- */

uint32_t fb_audit_find_matches(const struct fb_audit_find *find) {
    return find->matches;
}

struct fb_str fb_audit_find_data(const struct fb_audit_find *find, enum fb_find which) {
    return view(&find->found[which]);
}

const char *fb_audit_find_fault(const struct fb_audit_find *find) {
    return find->fault;
}

uint64_t fb_audit_find_records(const struct fb_audit_find *find) {
    return find->records;
}
