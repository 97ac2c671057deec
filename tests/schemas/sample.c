/* One program and one output of each kind, made by hand. */
#include "tests/schemas/sample.h"

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof *(array))

#define AT INT64_C(1795247999123456) /* 2026-11-21T07:59:59.123456Z */

static struct fb_str words[] = {{"off", 3}, {"on \"hot\"", 8}};
static struct fb_field fields[] = {
    {.name = {"id", 2}, .role = FB_ROLE_KEY, .type = FB_T_TEXT},
    {.name = {"floor", 5}, .role = FB_ROLE_TAG, .type = FB_T_INTEGER},
    {.name = {"site", 4}, .role = FB_ROLE_TAG, .type = FB_T_TEXT},
};
static uint16_t tags[] = {1, 2};
static struct fb_class classes[] = {{.name = {"pump", 4},
                                     .fields = fields,
                                     .n_fields = COUNT(fields),
                                     .n_keys = 1,
                                     .tags = tags,
                                     .n_tags = COUNT(tags)}};

static struct fb_shown shown[] = {
    {.name = {"count", 5}, .type = FB_T_INTEGER},
    {.name = {"flow", 4}, .unit = {"m3/h", 4}, .type = FB_T_NUMBER},
    {.name = {"load", 4}, .unit = {"%", 1}, .type = FB_T_NUMBER},
    {.name = {"mode", 4}, .type = FB_T_ENUM, .words = words},
    {.name = {"note", 4}, .type = FB_T_TEXT},
    {.name = {"running", 7}, .type = FB_T_BOOL},
    {.name = {"seen", 4}, .type = FB_T_TIME},
    {.name = {"temp", 4}, .unit = {"degC", 4}, .type = FB_T_NUMBER},
};
static struct fb_slot slots[] = {
    {.unit = {"degC", 4}, .type = FB_T_NUMBER, .decimals = 1},
    {.unit = {"%", 1}, .type = FB_T_NUMBER, .decimals = -1},
    {.type = FB_T_BOOL, .decimals = -1},
    {.type = FB_T_ENUM, .decimals = -1, .words = words},
    {.type = FB_T_TIME, .decimals = -1},
    {.unit = {"m3/h", 4}, .type = FB_T_NUMBER, .decimals = -1},
};
static struct fb_template_part message[] = {
    {.kind = FB_PART_DEVICE},          {.kind = FB_PART_LITERAL, .literal = {": ", 2}},
    {.kind = FB_PART_SLOT, .slot = 0}, {.kind = FB_PART_LITERAL, .literal = {", ", 2}},
    {.kind = FB_PART_SLOT, .slot = 1}, {.kind = FB_PART_LITERAL, .literal = {", ", 2}},
    {.kind = FB_PART_SLOT, .slot = 2}, {.kind = FB_PART_LITERAL, .literal = {", ", 2}},
    {.kind = FB_PART_SLOT, .slot = 3}, {.kind = FB_PART_LITERAL, .literal = {", ", 2}},
    {.kind = FB_PART_SLOT, .slot = 4}, {.kind = FB_PART_LITERAL, .literal = {", ", 2}},
    {.kind = FB_PART_SLOT, .slot = 5},
};
static struct fb_template_part response[] = {
    {.kind = FB_PART_LITERAL, .literal = {"see ", 4}},
    {.kind = FB_PART_RULE},
    {.kind = FB_PART_LITERAL, .literal = {" / ", 3}},
    {.kind = FB_PART_SEVERITY},
};
static struct fb_label labels[] = {{{"team", 4}, {"cooling\n", 8}}};
static struct fb_rule rules[] = {
    {.sort = FB_SORT_ALARM,
     .name = {"overheat", 8},
     .version = "0123456789ab",
     .message = {message, COUNT(message)},
     .response = {response, COUNT(response)},
     .labels = labels,
     .n_labels = COUNT(labels),
     .shown = shown,
     .n_shown = COUNT(shown),
     .slots = slots,
     .n_slots = COUNT(slots)},
    {.sort = FB_SORT_ALARM, .name = {"bare", 4}, .version = "00000000000f"},
    {.sort = FB_SORT_EVENT,
     .name = {"started", 7},
     .version = "fedcba987654",
     .message = {response, COUNT(response)},
     .shown = shown,
     .n_shown = 2},
    {.sort = FB_SORT_ACTUATOR,
     .name = {"fan", 3},
     .version = "00000000fa00",
     .shown = shown,
     .n_shown = 2},
};
static const struct fb_actuator actuators[] = {
    {.name = {"fan", 3},
     .is_switch = true,
     .words = {{"off", 3}, {"full \"on\"", 9}},
     .rule = 3,
     .interlock = 0,
     .permissive = FB_NO_CONDITION,
     .high = 1},
    {.name = {"fan", 3},
     .is_switch = true,
     .words = {{"off", 3}, {"full \"on\"", 9}},
     .rule = 3,
     .interlock = 0,
     .permissive = 1,
     .shadow = true,
     .to = {"plant.fans", 10},
     .high = 1},
    {.name = {"valve", 5},
     .unit = {"%", 1},
     .to = {"plant.valves", 12},
     .interlock = FB_NO_CONDITION,
     .permissive = FB_NO_CONDITION,
     .high = 100},
};
static const struct fb_array_entry entries[] = {
    {.rule = &rules[0], .priority = 9, .value = 1},
    {.rule = &rules[1], .priority = 12, .value = 0},
};
static const struct fb_guard_result results[] = {
    {.guard = FB_GUARD_INTERLOCK,
     .verdict = FB_VERDICT_PASS,
     .requested = 1,
     .applied = 1,
     .until_us = FB_NEVER},
    {.guard = FB_GUARD_MINIMUM,
     .verdict = FB_VERDICT_HOLD,
     .requested = 1,
     .applied = 1,
     .until_us = AT + 60000000},
    {.guard = FB_GUARD_CATCH_UP,
     .verdict = FB_VERDICT_REFUSE,
     .requested = 1,
     .applied = 1,
     .until_us = FB_NEVER},
};
static const struct fb_guard_result steps[] = {
    {.guard = FB_GUARD_RANGE,
     .verdict = FB_VERDICT_CHANGE,
     .requested = 140.5,
     .applied = 100,
     .until_us = FB_NEVER},
    {.guard = FB_GUARD_SLEW,
     .verdict = FB_VERDICT_CHANGE,
     .requested = 100,
     .applied = 62.5,
     .until_us = AT + 1000000},
};
static struct fb_program program = {.semantics = FB_SEMANTICS,
                                    .classes = classes,
                                    .n_classes = COUNT(classes),
                                    .rules = rules,
                                    .n_rules = COUNT(rules)};

static const struct fb_value shown_values[] = {
    {.i = INT64_MIN, .quality = FB_Q_GOOD},
    {.quality = FB_Q_STALE},
    {.num = 98.60000000000001, .quality = FB_Q_GOOD},
    {.i = 1, .quality = FB_Q_GOOD},
    {.text = {"a\tb\x01\\", 5}, .quality = FB_Q_GOOD},
    {.i = 0, .quality = FB_Q_GOOD},
    {.i = 0, .quality = FB_Q_GOOD},
    {.num = -0.0, .quality = FB_Q_GOOD},
};
static const struct fb_shown_source sources[] = {
    {.at_us = AT, .carried = true},
    {.at_us = INT64_MIN},
    {.at_us = AT - 1000000},
    {.at_us = AT, .carried = true},
    {.at_us = AT},
    {.at_us = AT},
    {.at_us = AT},
    {.at_us = AT},
};
static const struct fb_value slot_values[] = {
    {.num = 80.25, .quality = FB_Q_GOOD}, {.num = 98.6, .quality = FB_Q_GOOD},
    {.i = 1, .quality = FB_Q_GOOD},       {.i = 1, .quality = FB_Q_GOOD},
    {.i = AT, .quality = FB_Q_GOOD},      {.quality = FB_Q_BAD},
};
static const struct fb_value tag_values[] = {
    {.quality = FB_Q_UNKNOWN},
    {.text = {"K\xC3\xB6ln", 5}, .quality = FB_Q_GOOD},
};

const struct fb_program *sample_program(void) {
    return &program;
}

struct fb_output sample_alert(void) {
    return (struct fb_output){
        .kind = FB_OUT_ALERT,
        .rule = &rules[0],
        .device = FB_S("p-1"),
        .cause = {.origin = {.topic = FB_S("events"), .partition = 3, .offset = 41, .index = 2}},
        .at_us = AT,
        .event = FB_ALERT_RAISED,
        .severity = FB_HIGH,
        .active = true,
        .since_us = AT,
        .shown = shown_values,
        .sources = sources,
        .slots = slot_values,
        .tags = tag_values};
}

struct fb_output sample_cleared(void) {
    return (struct fb_output){.kind = FB_OUT_ALERT,
                              .rule = &rules[1],
                              .device = FB_S("p-1"),
                              .cause = {.timer = true, .deadline_us = AT},
                              .at_us = AT,
                              .event = FB_ALERT_CLEARED,
                              .severity = FB_INFO,
                              .since_us = AT - 60000000,
                              .tags = tag_values};
}

struct fb_output sample_removed(void) {
    struct fb_output output = sample_cleared();
    output.event = FB_ALERT_REMOVED;
    return output;
}

struct fb_output sample_shelved(void) {
    struct fb_output output = sample_cleared();
    output.cause = (struct fb_cause){.origin = {.topic = FB_S("plant.control"), .offset = 7}};
    output.event = FB_ALERT_SHELVED;
    output.active = output.shelved = output.once = output.suppressed = true;
    output.shelf_until_us = AT + 60000000;
    output.maintenance_until_us = AT + 120000000;
    output.who = FB_S("ann");
    output.because = FB_S("\"repair\"");
    return output;
}

struct fb_output sample_acked(void) {
    struct fb_output output = sample_shelved();
    output.event = FB_ALERT_ACKED;
    output.acked = true;
    output.because = (struct fb_str){0};
    return output;
}

struct fb_output sample_suppressed(void) {
    struct fb_output output = sample_acked();
    output.event = FB_ALERT_SUPPRESSED;
    return output;
}

struct fb_output sample_unshelved(void) {
    struct fb_output output = sample_cleared();
    output.event = FB_ALERT_UNSHELVED;
    output.suppressed = true;
    return output;
}

struct fb_output sample_muted(void) {
    struct fb_output output = sample_shelved();
    output.kind = FB_OUT_MUTED;
    output.cause = sample_cleared().cause;
    output.event = FB_ALERT_RAISED;
    output.who = output.because = (struct fb_str){0};
    return output;
}

struct fb_output sample_flapping(void) {
    struct fb_output output = sample_cleared();
    output.event = FB_ALERT_SUPPRESSED;
    output.suppressed = output.flapping = true;
    output.maintenance_until_us = INT64_MIN;
    output.flap_end_us = AT + 960000000;
    return output;
}

struct fb_output sample_muted_flapping(void) {
    struct fb_output output = sample_flapping();
    output.kind = FB_OUT_MUTED;
    output.event = FB_ALERT_CLEARED;
    return output;
}

struct fb_output sample_event(void) {
    return (struct fb_output){.kind = FB_OUT_EVENT,
                              .rule = &rules[2],
                              .device = FB_S("p-1"),
                              .cause = {.timer = true, .deadline_us = AT},
                              .at_us = AT,
                              .withheld = 7,
                              .shown = shown_values,
                              .tags = tag_values};
}

struct fb_output sample_late(void) {
    return (struct fb_output){
        .kind = FB_OUT_LATE,
        .device = FB_S("p-1"),
        .cause = {.origin = {.topic = FB_S("events"), .partition = 3, .offset = 42}},
        .at_us = AT,
        .watermark_us = AT + 1000,
        .raw = FB_S("{\"id\":\n \"p-1\"}")};
}

struct fb_output sample_future(void) {
    struct fb_output output = sample_late();
    output.future = true;
    output.watermark_us = FB_NO_TIME;
    output.raw = FB_S("p-1,2099-01-01,\"5\"");
    return output;
}

struct fb_output sample_command(void) {
    struct fb_output output = sample_alert();
    output.kind = FB_OUT_COMMAND;
    output.actuator = &actuators[0];
    output.value = output.requested = 1;
    output.has_value = true;
    output.priority = 9;
    output.reason = FB_REASON_CLAIMED;
    output.seq = 17;
    output.expires_at_us = AT + 30000000;
    output.lease_until_us = AT + 60000000;
    output.results = results;
    output.n_results = 1;
    output.entries = entries;
    output.n_entries = COUNT(entries);
    output.interlock = 2;
    output.own_shown = shown_values;
    output.own_sources = sources;
    return output;
}

struct fb_output sample_relinquished(void) {
    return (struct fb_output){.kind = FB_OUT_COMMAND,
                              .device = FB_S("p-1"),
                              .cause = {.timer = true, .deadline_us = AT},
                              .at_us = AT,
                              .actuator = &actuators[2],
                              .value = 62.5,
                              .has_value = true,
                              .requested = 140.5,
                              .priority = FB_PRIORITY_NONE,
                              .reason = FB_REASON_SLEW,
                              .seq = 1,
                              .expires_at_us = AT + 30000000,
                              .lease_until_us = AT + 60000000,
                              .results = steps,
                              .n_results = COUNT(steps)};
}

struct fb_output sample_shadow(void) {
    struct fb_output output = sample_command();
    output.actuator = &actuators[1];
    return output;
}

struct fb_output sample_block(void) {
    struct fb_output output = sample_command();
    output.kind = FB_OUT_BLOCKED;
    output.has_value = false;
    output.results = results;
    output.n_results = COUNT(results);
    output.guard = FB_GUARD_MINIMUM;
    return output;
}

static struct fb_output of_fleet(const struct fb_fleet_view *view) {
    static const struct fb_guard_result refused[] = {
        {.guard = FB_GUARD_CATCH_UP,
         .verdict = FB_VERDICT_PASS,
         .requested = 1,
         .applied = 1,
         .until_us = FB_NEVER},
        {.guard = FB_GUARD_FLEET,
         .verdict = FB_VERDICT_REFUSE,
         .requested = 1,
         .applied = 1,
         .until_us = FB_NEVER},
    };
    struct fb_output output = sample_block();
    output.results = refused;
    output.n_results = COUNT(refused);
    output.guard = FB_GUARD_FLEET;
    output.fleet = view;
    return output;
}

struct fb_output sample_block_of_fleet(void) {
    static const struct fb_fleet_view view = {
        .settled = true, .members = 40, .live = 38, .acted = 4, .budget = 3};
    return of_fleet(&view);
}

struct fb_output sample_block_of_breaker(void) {
    static const struct fb_fleet_view view = {.open = true, .opened_us = AT};
    return of_fleet(&view);
}

struct fb_output sample_block_of_rate(void) {
    static const struct fb_guard_result held[] = {
        {.guard = FB_GUARD_STARTS,
         .verdict = FB_VERDICT_PASS,
         .requested = 1,
         .applied = 1,
         .until_us = FB_NEVER,
         .counted = 1,
         .most = 4,
         .per_us = INT64_C(3600000000)},
        {.guard = FB_GUARD_RATE,
         .verdict = FB_VERDICT_HOLD,
         .requested = 1,
         .applied = 1,
         .until_us = AT,
         .counted = 3,
         .most = 3,
         .per_us = 1500},
    };
    struct fb_output output = sample_block();
    output.results = held;
    output.n_results = COUNT(held);
    output.guard = FB_GUARD_RATE;
    return output;
}

struct fb_output sample_block_ended(void) {
    struct fb_output output = sample_shadow();
    output.kind = FB_OUT_BLOCKED;
    output.rule = NULL;
    output.priority = FB_PRIORITY_NONE;
    output.value = 0;
    output.n_entries = 0;
    output.guard = FB_GUARD_MINIMUM;
    output.ended = true;
    output.count = 5;
    return output;
}

struct fb_withheld sample_withheld(void) {
    return (struct fb_withheld){.rule = &rules[0],
                                .device = FB_S("p-1"),
                                .actuator = &actuators[0],
                                .value = 1,
                                .epoch_ms = 1795247000000,
                                .seq = 17,
                                .expires_at_us = AT + 30000000,
                                .wall_us = AT + 31000000,
                                .id = "0123456789abcdef0123456789abcdef"};
}

struct fb_withheld sample_withheld_shadow(void) {
    struct fb_withheld withheld = sample_withheld();
    withheld.rule = NULL;
    withheld.actuator = &actuators[1];
    return withheld;
}

struct fb_dead_letter sample_dead(void) {
    return (struct fb_dead_letter){
        .reason = "JSON_SYNTAX",
        .detail = FB_S("a value was expected"),
        .origin = {.topic = FB_S("events"), .partition = -1, .offset = 9},
        .payload = FB_S("{\"id\":\n}"),
        .time_us = FB_NO_TIME};
}

struct fb_dead_letter sample_dead_binary(void) {
    struct fb_dead_letter letter = sample_dead();
    letter.payload = FB_S("\xff\x00\x01zz");
    letter.time_us = AT;
    return letter;
}

struct fb_auditor sample_auditor(void) {
    struct fb_auditor auditor = {.task = FB_S("plant/3"), .clock_us = FB_NO_TIME};
    auditor.rules[31] = 1;
    auditor.payload = FB_S("{\"id\":\"p-1\"}");
    return auditor;
}
