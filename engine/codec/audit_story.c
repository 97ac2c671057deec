/* One record of the trail, member by member.
 *
 * Place in the flow: see audit_story.h. */
#include "engine/codec/audit_story.h"

#include <stdlib.h>

#include "engine/base/calendar.h"
#include "engine/codec/json.h"
#include "engine/model/program.h"

enum { PATHS_MAX = 64 };

/* A scanner for objects of one kind, and what its last object holds. */
struct part {
    struct fb_json_paths *paths;
    struct fb_json *json;
    uint32_t n;
};

enum record_member {
    TASK,
    KIND,
    RULE,
    RULE_VERSION,
    DEVICE,
    AT,
    CLOCK,
    CAUSE,
    DEADLINE,
    TOPIC,
    PARTITION,
    OFFSET,
    INDEX,
    INPUTS,
    VERDICTS,
    OUTCOME,
    EXPLAINS,
    SEVERITY,
    ACTUATOR,
    ENTRIES,
    REQUESTED,
    VALUE,
    EPOCH,
    COMMAND,
    GUARDRAIL,
    APPLIED,
    COUNT,
    SHADOW,
    BUILD,
    FROM,
    RULES,
    HASH,
    VALUES,
    MESSAGE,
    CALL,
    WHO,
    REASON,
    WHY,
    WHAT_ACTUATOR,
    WHAT_DEVICE,
    WHAT_RULE,
    WHAT_MODE,
    WHAT_VALUE,
    WHAT_UNTIL,
    EXPIRES_AT,
    WALL,
    OWN_VERSION,
    OWN_INTERLOCK,
    OWN_PERMISSIVE,
    OWN_INPUTS,
    WHAT_ALARM,
    WHAT_CLASS,
    WHAT_ONCE,
    ACTIVE,
    TO,
    RECORD_MEMBERS
};
static const char *const record_names[RECORD_MEMBERS] = {"task",
                                                         "kind",
                                                         "rule",
                                                         "rule_version",
                                                         "device",
                                                         "at",
                                                         "clock",
                                                         "cause",
                                                         "cause.deadline",
                                                         "cause.topic",
                                                         "cause.partition",
                                                         "cause.offset",
                                                         "cause.index",
                                                         "inputs",
                                                         "verdicts",
                                                         "outcome",
                                                         "explains",
                                                         "severity",
                                                         "actuator",
                                                         "entries",
                                                         "requested",
                                                         "value",
                                                         "epoch",
                                                         "command",
                                                         "guardrail",
                                                         "applied",
                                                         "count",
                                                         "shadow",
                                                         "build",
                                                         "from",
                                                         "rules",
                                                         "hash",
                                                         "values",
                                                         "message",
                                                         "call",
                                                         "who",
                                                         "reason",
                                                         "why",
                                                         "what.actuator",
                                                         "what.device",
                                                         "what.rule",
                                                         "what.mode",
                                                         "what.value",
                                                         "what.until",
                                                         "expires_at",
                                                         "wall",
                                                         "own.version",
                                                         "own.interlock",
                                                         "own.permissive",
                                                         "own.inputs",
                                                         "what.alarm",
                                                         "what.class",
                                                         "what.once",
                                                         "active",
                                                         "to"};

enum input_member { IN_NAME, IN_VALUE, IN_UNIT, IN_QUALITY, IN_AT, IN_OFFSET, INPUT_MEMBERS };
static const char *const input_names[INPUT_MEMBERS] = {"name",    "value", "unit",
                                                       "quality", "at",    "offset"};

enum verdict_member {
    V_GUARDRAIL,
    V_RESULT,
    V_REQUESTED,
    V_APPLIED,
    V_UNTIL,
    V_ACTED,
    V_BUDGET,
    V_LIVE,
    V_MEMBERS,
    V_OPEN_SINCE,
    V_COUNTED,
    V_MOST,
    V_PER,
    VERDICT_MEMBERS
};
static const char *const verdict_names[VERDICT_MEMBERS] = {
    "guardrail",     "result",       "requested",   "applied",       "until",
    "fleet.acted",   "fleet.budget", "fleet.live",  "fleet.members", "fleet.open_since",
    "limit.counted", "limit.most",   "limit.per_ms"};

enum entry_member { E_RULE, E_PRIORITY, E_VALUE, ENTRY_MEMBERS };
static const char *const entry_names[ENTRY_MEMBERS] = {"rule", "priority", "value"};

struct fb_story_reader {
    struct part record, input, verdict, entry;
};

/* ---- scanners ---- */

static void part_make(struct part *part, const char *const *names, uint32_t n) {
    static const struct fb_json_limits limits = {1 << 20, 1 << 20, 16};
    struct fb_str paths[PATHS_MAX];
    for (uint32_t i = 0; i < n; i++)
        paths[i] = fb_str_of(names[i]);
    part->paths = fb_json_paths_new(paths, n);
    part->json = fb_json_new(part->paths, limits);
    part->n = n;
}

static void part_drop(struct part *part) {
    fb_json_free(part->json);
    fb_json_paths_free(part->paths);
}

struct fb_story_reader *fb_story_reader_new(void) {
    struct fb_story_reader *reader = fb_alloc(sizeof *reader);
    part_make(&reader->record, record_names, RECORD_MEMBERS);
    part_make(&reader->input, input_names, INPUT_MEMBERS);
    part_make(&reader->verdict, verdict_names, VERDICT_MEMBERS);
    part_make(&reader->entry, entry_names, ENTRY_MEMBERS);
    return reader;
}

void fb_story_reader_free(struct fb_story_reader *reader) {
    if (!reader)
        return;
    part_drop(&reader->record);
    part_drop(&reader->input);
    part_drop(&reader->verdict);
    part_drop(&reader->entry);
    free(reader);
}

/* ---- members ---- */

static const struct fb_json_value *member(const struct part *part, uint32_t i) {
    return &fb_json_values(part->json)[fb_json_node(part->paths, i)];
}

static struct fb_str text_of(const struct part *part, uint32_t i, struct fb_arena *arena) {
    const struct fb_json_value *value = member(part, i);
    return value->kind == FB_JSON_TEXT ? fb_str_copy(arena, value->text) : (struct fb_str){0};
}

static int64_t int_of(const struct part *part, uint32_t i) {
    const struct fb_json_value *value = member(part, i);
    int64_t x = 0;
    return value->kind == FB_JSON_NUM && fb_json_integer(value, &x) ? x : 0;
}

static int64_t time_of(const struct part *part, uint32_t i) {
    const struct fb_json_value *value = member(part, i);
    int64_t us = FB_NO_TIME;
    return value->kind == FB_JSON_TEXT && fb_time_parse(value->text, &us) ? us : FB_NO_TIME;
}

static struct fb_story_value value_of(const struct part *part, uint32_t i, struct fb_arena *arena) {
    const struct fb_json_value *value = member(part, i);
    switch ((enum fb_json_kind)value->kind) {
    case FB_JSON_FALSE:
        return (struct fb_story_value){FB_STORY_TRUTH, FB_S("false")};
    case FB_JSON_TRUE:
        return (struct fb_story_value){FB_STORY_TRUTH, FB_S("true")};
    case FB_JSON_NUM:
        return (struct fb_story_value){FB_STORY_NUMBER, fb_str_copy(arena, value->text)};
    case FB_JSON_TEXT:
        return (struct fb_story_value){FB_STORY_TEXT, fb_str_copy(arena, value->text)};
    case FB_JSON_ABSENT:
    case FB_JSON_NULL:
    case FB_JSON_OBJECT:
    case FB_JSON_ARRAY:
        break;
    }
    return (struct fb_story_value){FB_STORY_NONE, FB_S("unknown")};
}

/* The next object of an array. */
static bool next(struct part *part) {
    struct fb_json_object object;
    return fb_json_next(part->json, &object) && object.error == FB_JSON_OK;
}

/* The array of that name: how many objects are in it. The scanner then stands before the first. */
static uint32_t begin_array(const struct part *record, uint32_t i, struct part *part) {
    const struct fb_json_value *array = member(record, i);
    uint32_t n = 0;
    if (array->kind != FB_JSON_ARRAY)
        return 0;
    fb_json_begin(part->json, array->text);
    while (next(part))
        n++;
    fb_json_begin(part->json, array->text);
    return n;
}

static struct fb_story_input input_of(const struct part *part, struct fb_arena *arena) {
    return (struct fb_story_input){
        .name = text_of(part, IN_NAME, arena),
        .value = value_of(part, IN_VALUE, arena),
        .unit = text_of(part, IN_UNIT, arena),
        .quality = text_of(part, IN_QUALITY, arena),
        .at_us = time_of(part, IN_AT),
        .carried = member(part, IN_OFFSET)->kind == FB_JSON_NUM,
    };
}

/* The array of the record of that name. */
static struct fb_story_input *read_inputs(struct fb_story_reader *reader, uint32_t array,
                                          struct fb_arena *arena, uint32_t *n_inputs) {
    uint32_t n = begin_array(&reader->record, array, &reader->input);
    struct fb_story_input *inputs = FB_ARENA_ARRAY(arena, struct fb_story_input, n + 1u);
    while (*n_inputs < n && next(&reader->input))
        inputs[(*n_inputs)++] = input_of(&reader->input, arena);
    return inputs;
}

static void read_verdicts(struct fb_story_reader *reader, struct fb_arena *arena,
                          struct fb_story *story) {
    struct part *part = &reader->verdict;
    uint32_t n = begin_array(&reader->record, VERDICTS, part);
    story->verdicts = FB_ARENA_ARRAY(arena, struct fb_story_verdict, n + 1u);
    while (story->n_verdicts < n && next(part))
        story->verdicts[story->n_verdicts++] = (struct fb_story_verdict){
            .guardrail = text_of(part, V_GUARDRAIL, arena),
            .result = text_of(part, V_RESULT, arena),
            .requested = value_of(part, V_REQUESTED, arena),
            .applied = value_of(part, V_APPLIED, arena),
            .until_us = time_of(part, V_UNTIL),
            .acted = int_of(part, V_ACTED),
            .budget = int_of(part, V_BUDGET),
            .live = int_of(part, V_LIVE),
            .members = int_of(part, V_MEMBERS),
            .open_since_us = time_of(part, V_OPEN_SINCE),
            .counted = int_of(part, V_COUNTED),
            .most = int_of(part, V_MOST),
            .per_us = 1000 * int_of(part, V_PER),
        };
}

static void read_entries(struct fb_story_reader *reader, struct fb_arena *arena,
                         struct fb_story *story) {
    struct part *part = &reader->entry;
    uint32_t n = begin_array(&reader->record, ENTRIES, part);
    story->entries = FB_ARENA_ARRAY(arena, struct fb_story_entry, n + 1u);
    while (story->n_entries < n && next(part))
        story->entries[story->n_entries++] =
            (struct fb_story_entry){.rule = text_of(part, E_RULE, arena),
                                    .priority = int_of(part, E_PRIORITY),
                                    .value = value_of(part, E_VALUE, arena)};
}

/* ---- the values of an event: an object with a member for each name ---- */

/* Behind the string that begins at i; its closing quote is there, for the scanner saw it. */
static size_t behind_string(struct fb_str json, size_t i) {
    for (i++; i < json.n && json.p[i] != '"'; i++)
        i += json.p[i] == '\\';
    return i < json.n ? i + 1 : json.n;
}

/* Behind the object that begins at i. */
static size_t behind_object(struct fb_str json, size_t i) {
    uint32_t depth = 0;
    while (i < json.n) {
        if (json.p[i] == '"') {
            i = behind_string(json, i);
            continue;
        }
        depth += json.p[i] == '{';
        depth -= json.p[i] == '}';
        i++;
        if (depth == 0)
            break;
    }
    return i;
}

/* `"name":{..}` from *i on; names are written without escapes. */
static bool next_value(struct fb_str json, size_t *i, struct fb_str *name, struct fb_str *object) {
    while (*i < json.n && json.p[*i] != '"')
        (*i)++;
    if (*i == json.n)
        return false;
    size_t end = behind_string(json, *i);
    *name = (struct fb_str){json.p + *i + 1, end - *i - 2};
    while (end < json.n && json.p[end] != '{')
        end++;
    *i = behind_object(json, end);
    *object = (struct fb_str){json.p + end, *i - end};
    return object->n > 0;
}

static void read_values(struct fb_story_reader *reader, struct fb_arena *arena,
                        struct fb_story *story) {
    struct fb_str json = member(&reader->record, VALUES)->text, name, object;
    uint32_t n = 0;
    for (size_t i = 0; next_value(json, &i, &name, &object);)
        n++;
    story->inputs = FB_ARENA_ARRAY(arena, struct fb_story_input, n + 1u);
    for (size_t i = 0; next_value(json, &i, &name, &object);) {
        fb_json_begin(reader->input.json, object);
        if (!next(&reader->input))
            continue;
        struct fb_story_input *input = &story->inputs[story->n_inputs++];
        *input = input_of(&reader->input, arena);
        input->name = fb_str_copy(arena, name);
    }
}

/* ---- the record ---- */

static bool sort_of(const struct part *record, struct fb_arena *arena, struct fb_story *story) {
    struct fb_str kind = text_of(record, KIND, arena);
    bool acts = member(record, ACTUATOR)->kind == FB_JSON_TEXT;
    story->shadow = fb_str_eq(kind, FB_S("shadow")) || member(record, SHADOW)->kind == FB_JSON_TRUE;
    if (fb_str_eq(kind, FB_S("decision")) || fb_str_eq(kind, FB_S("shadow")))
        story->sort = acts ? FB_STORY_COMMAND : FB_STORY_ALARM;
    else if (fb_str_eq(kind, FB_S("blocked")))
        story->sort = FB_STORY_BLOCK;
    else if (fb_str_eq(kind, FB_S("rejected")))
        story->sort = FB_STORY_REJECTED;
    else if (fb_str_eq(kind, FB_S("rules")))
        story->sort = FB_STORY_RULES;
    else if (fb_str_eq(kind, FB_S("clock")))
        story->sort = FB_STORY_CLOCK;
    else if (fb_str_eq(kind, FB_S("operator")))
        story->sort = FB_STORY_OPERATOR;
    else if (fb_str_eq(kind, FB_S("withheld")))
        story->sort = FB_STORY_WITHHELD;
    else if (member(record, VALUES)->kind == FB_JSON_OBJECT)
        story->sort = FB_STORY_EVENT;
    else
        return false;
    return true;
}

static void read_cause(const struct part *record, struct fb_arena *arena, struct fb_story *story) {
    story->has_cause = member(record, CAUSE)->kind == FB_JSON_OBJECT;
    story->deadline_us = time_of(record, DEADLINE);
    story->timer = story->deadline_us != FB_NO_TIME;
    story->topic = text_of(record, TOPIC, arena);
    story->partition = int_of(record, PARTITION);
    story->offset = int_of(record, OFFSET);
    story->index = int_of(record, INDEX);
}

static void read_acting(const struct part *record, struct fb_arena *arena, struct fb_story *story) {
    story->actuator = text_of(record, ACTUATOR, arena);
    story->requested = value_of(record, REQUESTED, arena);
    story->value = value_of(record, VALUE, arena);
    story->applied = value_of(record, APPLIED, arena);
    story->epoch = int_of(record, EPOCH);
    story->command = int_of(record, COMMAND);
    story->to = text_of(record, TO, arena);
    story->guardrail = text_of(record, GUARDRAIL, arena);
    story->count = int_of(record, COUNT);
    story->expires_us = time_of(record, EXPIRES_AT);
    story->wall_us = time_of(record, WALL);
    story->own_version = text_of(record, OWN_VERSION, arena);
    story->interlock = text_of(record, OWN_INTERLOCK, arena);
    story->permissive = text_of(record, OWN_PERMISSIVE, arena);
}

static void read_call(const struct part *record, struct fb_arena *arena, struct fb_story *story) {
    story->call = text_of(record, CALL, arena);
    story->who = text_of(record, WHO, arena);
    story->reason = text_of(record, REASON, arena);
    story->why = text_of(record, WHY, arena);
    story->what_actuator = text_of(record, WHAT_ACTUATOR, arena);
    story->what_device = text_of(record, WHAT_DEVICE, arena);
    story->what_rule = text_of(record, WHAT_RULE, arena);
    story->mode = text_of(record, WHAT_MODE, arena);
    story->value = value_of(record, WHAT_VALUE, arena);
    story->until_us = time_of(record, WHAT_UNTIL);
    story->what_alarm = text_of(record, WHAT_ALARM, arena);
    story->what_class = text_of(record, WHAT_CLASS, arena);
    story->once = member(record, WHAT_ONCE)->kind == FB_JSON_TRUE;
}

bool fb_story_read(struct fb_story_reader *reader, struct fb_str data, struct fb_arena *arena,
                   struct fb_story *story) {
    const struct part *record = &reader->record;
    *story = (struct fb_story){0};
    fb_json_begin(record->json, data);
    if (!next(&reader->record) || !sort_of(record, arena, story))
        return false;
    story->task = text_of(record, TASK, arena);
    story->hash = text_of(record, HASH, arena);
    story->explains = text_of(record, EXPLAINS, arena);
    story->outcome = text_of(record, OUTCOME, arena);
    story->rule = text_of(record, RULE, arena);
    story->rule_version = text_of(record, RULE_VERSION, arena);
    story->device = text_of(record, DEVICE, arena);
    story->at_us = time_of(record, AT);
    story->clock_us = time_of(record, CLOCK);
    story->severity = text_of(record, SEVERITY, arena);
    story->active = member(record, ACTIVE)->kind == FB_JSON_TRUE;
    story->message = text_of(record, MESSAGE, arena);
    story->build = text_of(record, BUILD, arena);
    story->rules = text_of(record, RULES, arena);
    story->from_us = time_of(record, FROM);
    read_cause(record, arena, story);
    read_acting(record, arena, story);
    if (story->sort == FB_STORY_OPERATOR)
        read_call(record, arena, story);
    read_verdicts(reader, arena, story);
    read_entries(reader, arena, story);
    if (story->sort == FB_STORY_EVENT)
        read_values(reader, arena, story);
    else
        story->inputs = read_inputs(reader, INPUTS, arena, &story->n_inputs);
    story->own_inputs = read_inputs(reader, OWN_INPUTS, arena, &story->n_own_inputs);
    return true;
}

bool fb_story_has_hand(const struct fb_story *story) {
    for (uint32_t i = 0; i < story->n_entries; i++)
        if (story->entries[i].rule.n == 0)
            return true;
    return false;
}

static const struct fb_story_input *named(const struct fb_story_input *inputs, uint32_t n,
                                          struct fb_str name) {
    for (uint32_t i = 0; i < n; i++)
        if (fb_str_eq(inputs[i].name, name))
            return &inputs[i];
    return NULL;
}

const struct fb_story_input *fb_story_input(const struct fb_story *story, struct fb_str name) {
    return named(story->inputs, story->n_inputs, name);
}

const struct fb_story_input *fb_story_own_input(const struct fb_story *story, struct fb_str name) {
    return named(story->own_inputs, story->n_own_inputs, name);
}
