/* What explain recomputes from the operands of the audit's records, over a long random stream: it
 * must be what happened, for every alert, command and block; and it must say so where an operand
 * was another one. */
#include "engine/run/recompute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/calendar.h"
#include "engine/base/num.h"
#include "engine/codec/audit_read.h"
#include "engine/run/replay.h"
#include "rules/compile.h"

enum { SECONDS = 4000, TANKS = 12, WANTED = 200 };

static const char rules[] =
    "device tank from \"t\" {\n"
    "  key k\n"
    "  time ts\n"
    "  tag hall\n"
    "  domain hall\n"
    "  link next : tank\n"
    "  level : number [m] every 1s stale after 5s range 0..10\n"
    "  flow : number [m3/h] stale after 20s\n"
    "  starts : integer\n"
    "  door : one of (open, closed)\n"
    "  manual : bool\n"
    "  recipe : text\n"
    "  let near = level > 2 m\n"
    "  let wet = near and (door == closed or flow > 2 m3/h)\n"
    "}\n"
    "param limit [m] = 350 cm\n"
    "alarm deep on tank { raise high when level > limit  raise low when level > 2.5 m }\n"
    "alarm shut on tank where not manual { raise medium when wet and starts in 2..7 }\n"
    "alarm blind on tank { raise low when level is stale or level is bad }\n"
    "alarm odd on tank { raise info when recipe matches \"^b+$\" or level * 2 > flow / 1 m2 * 1h"
    "  on unknown clear }\n"
    "alarm lost on tank { raise low when level > 3 m  on unknown raise }\n"
    "alarm late on tank { raise low when level > 3 m for 3s until level < 1 m }\n"
    "alarm slow on tank { raise low when avg(level over 10s) > 2.2 m and level > 2 m clear after "
    "4s }\n"
    "alarm idle on tank { raise low when level > 3.2 m and pump == off }\n"
    "alarm half on tank { raise low when 2 of (level > 2 m, flow > 2 m3/h, manual) }\n"
    "alarm above on tank { raise low when level > next.level + 2 m }\n"
    "alarm behind on tank where next.door == closed { raise low when next.starts > 5 or next.wet "
    "}\n"
    "alarm apart on tank { raise low when abs(level - avg(level of tank by hall)) > 2 m }\n"
    "alarm many on tank { raise low when count(tank by hall where level > 2.5 m) > 4 and level > 2 "
    "m"
    " }\n"
    "alarm most on tank by hall { raise high when share(tank where wet) > 40 % }\n"
    "actuator hatch on tank : (off, on) { safe off  minimum on 0s, off 0s\n"
    "  interlock when next.door == open  permissive when rank(level of tank by hall) > 3 }\n"
    "control vent on tank { start when any(level > 4 m of tank by hall) or next.pump == on\n"
    "  command hatch = on  rollout armed }\n"
    "actuator pump on tank : (off, on) {\n"
    "  safe off\n"
    "  minimum on 3s, off 4s\n"
    "  starts 8 per 1m\n"
    "  interlock when door == open\n"
    "  breaker 20 reversals in 1m, hold 1m\n"
    "  feedback manual after 2s\n"
    "}\n"
    "actuator valve on tank : number [%] range 0..100 {\n"
    "  safe 0 %\n"
    "  slew 30 % per 2s\n"
    "  ignore steps under 2 %\n"
    "  permissive when door == closed or pump == on\n"
    "}\n"
    "actuator mixer on tank : (off, on) { safe off  minimum on 0s, off 0s  maximum on 20s\n"
    "  interlock when wet and level > limit  permissive when starts > 3 }\n"
    "control drain on tank { start when level > 3 m  command pump = on  on unknown stop"
    "  rollout armed }\n"
    "control rinse on tank { start when wet and starts > 4  command pump = on at priority 10"
    "  on unknown safe  rollout armed }\n"
    "control keep on tank { start when near for 2s  command pump = off at priority 9 for 10s"
    "  rollout armed }\n"
    "control feed on tank { command valve = if level > 2 m then 20 % else flow / 1 m3/h * 25 %"
    "  rollout armed }\n"
    "control stir on tank { start when flow > 2.5 m3/h until flow < 1 m3/h  command mixer = on"
    "  rollout canary 50 % }\n";

/* ---- a stream ---- */

static uint64_t next_random(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}
static uint64_t below(uint64_t *state, uint64_t n) {
    return next_random(state) % n;
}

struct tank {
    double level, flow;
    bool open, manual;
    uint64_t starts, silent_until;
};

static void put_record(struct fb_buf *out, uint64_t *r, struct tank *tank, int k, int64_t second) {
    static const char *const recipes[] = {"a", "b", "bb", "\\u00e4", ""};
    char at[FB_TIME_TEXT_MAX], number[FB_NUM_TEXT_MAX];
    tank->level += ((double)below(r, 1201) - 600) / 1000;
    if (tank->level < 0 || tank->level > 5)
        tank->level = 2.5;
    if (below(r, 4) == 0)
        tank->flow = (double)below(r, 4000) / 1000;
    tank->open ^= below(r, 25) == 0;
    tank->manual ^= below(r, 40) == 0;
    if (below(r, 9) == 0)
        tank->starts = below(r, 10);
    at[fb_time_format((INT64_C(1767225600) + second) * FB_SECOND, at)] = '\0';
    fb_buf_printf(out, "{\"k\":\"t%d\",\"ts\":\"%s\"", k, at);
    if (below(r, 9) == 0)
        fb_buf_printf(out, ",\"hall\":\"h\",\"next\":\"t%d\"", (int)below(r, TANKS));
    number[fb_num_format(below(r, 60) == 0 ? 99 : tank->level, number)] = '\0';
    if (below(r, 50) == 0)
        fb_buf_text(out, ",\"level\":null");
    else
        fb_buf_printf(out, ",\"level\":%s", number);
    number[fb_num_format(tank->flow, number)] = '\0';
    if (below(r, 3) == 0)
        fb_buf_printf(out, ",\"flow\":%s", number);
    fb_buf_printf(out, ",\"starts\":%d,\"door\":\"%s\",\"manual\":%s,\"recipe\":\"%s\"}\n",
                  (int)tank->starts, tank->open ? "open" : "closed",
                  tank->manual ? "true" : "false", recipes[below(r, 5)]);
}

static void write_stream(const char *path, uint64_t seed) {
    struct tank tanks[TANKS] = {{0}};
    struct fb_buf out = {0};
    uint64_t r = seed;
    for (int64_t second = 0; second < SECONDS; second++)
        for (int k = 0; k < TANKS; k++) {
            if (below(&r, 120) == 0)
                tanks[k].silent_until = (uint64_t)second + below(&r, 30);
            if (tanks[k].silent_until <= (uint64_t)second)
                put_record(&out, &r, &tanks[k], k, second);
        }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(out.p, 1, out.n, file), out.n);
    assert_int_equal(fclose(file), 0);
    fb_buf_free(&out);
}

/* ---- what is found of its records ---- */

#define SORTS (FB_STORY_BLOCK + 1) /* of alerts, commands, blocks */

struct judge {
    const struct fb_program *program;
    struct fb_audit_reader *audit;
    struct fb_story_reader *stories;
    struct fb_arena *arena;
    uint32_t verdicts[SORTS][3];
    uint32_t moved, seen; /* records with another operand, and those that did not agree then */
    uint32_t own[3];      /* of actuators' own conditions */
    uint32_t made[2];     /* what interlock, permissive made, recomputed */
    uint32_t own_moved, own_seen;
    uint32_t others_moved[3], others_seen[3];
};

static const struct fb_rule *rule_of(const struct judge *judge, struct fb_str name) {
    for (uint32_t i = 0; i < judge->program->n_rules; i++)
        if (judge->program->rules[i].sort != FB_SORT_ACTUATOR &&
            fb_str_eq(judge->program->rules[i].name, name))
            return &judge->program->rules[i];
    fail_msg("no rule %.*s", FB_ARG(name));
    return NULL;
}

static enum fb_recheck check(const struct judge *judge, const struct fb_rule *rule,
                             const struct fb_story *story) {
    struct fb_recompute *r = fb_recompute_new(judge->program, rule->class_index);
    fb_recompute_give_story(r, rule, story);
    enum fb_recheck verdict = fb_recompute_check(r, rule, story);
    fb_recompute_free(r);
    return verdict;
}

/* Another level, of a rule that only its level decides. */
static void check_moved(struct judge *judge, const struct fb_rule *rule, struct fb_story *story) {
    bool by_level = fb_str_eq(rule->name, FB_S("deep")) || fb_str_eq(rule->name, FB_S("drain"));
    if (!by_level || story->n_inputs != 1 || !fb_str_eq(story->inputs[0].quality, FB_S("good")))
        return;
    bool was_low = fb_str_eq(story->outcome, FB_S("cleared"));
    story->inputs[0].value.text = was_low ? FB_S("4.9") : FB_S("0.1");
    judge->moved++;
    judge->seen += check(judge, rule, story) == FB_RECHECK_DIFFERS;
}

/* Another value of the others, of rules that only these decide with the level. */
static void check_others_moved(struct judge *judge, const struct fb_rule *rule,
                               struct fb_story *story) {
    static const struct {
        const char *rule, *name, *without, *with; /* the rule holds, whatever the level is */
    } moves[] = {{"above", "next.level", "9.9", "-9"},
                 {"apart", "avg(level of tank by hall)", NULL, "9.9"},
                 {"most", "share(tank where wet)", "0.1", "0.9"}};
    bool was_low = fb_str_eq(story->outcome, FB_S("cleared"));
    for (size_t m = 0; m < sizeof moves / sizeof *moves; m++)
        for (uint32_t i = 0; i < story->n_inputs; i++) {
            const char *to = was_low ? moves[m].with : moves[m].without;
            if (!fb_str_eq(rule->name, fb_str_of(moves[m].rule)) || !to ||
                !fb_str_eq(story->inputs[i].name, fb_str_of(moves[m].name)))
                continue;
            struct fb_str was = story->inputs[i].value.text;
            story->inputs[i].value.text = fb_str_of(to);
            judge->others_moved[m]++;
            judge->others_seen[m] += check(judge, rule, story) == FB_RECHECK_DIFFERS;
            story->inputs[i].value.text = was;
        }
}

static enum fb_recheck check_own(const struct judge *judge, const struct fb_story *story) {
    uint16_t class_index = 0;
    const struct fb_actuator *actuator = fb_recompute_actuator(judge->program, story, &class_index);
    assert_non_null(actuator);
    assert_true(
        fb_str_eq(story->own_version, fb_str_of(judge->program->rules[actuator->rule].version)));
    struct fb_recompute *r = fb_recompute_new(judge->program, class_index);
    fb_recompute_give_own(r, actuator, story);
    enum fb_recheck verdict = fb_recompute_check_own(r, actuator, story);
    fb_recompute_free(r);
    return verdict;
}

/* Of the actuators whose own conditions the door, or the starts alone decide. */
static void check_own_moved(struct judge *judge, struct fb_story *story) {
    struct fb_story_input *one = &story->own_inputs[0];
    bool is_pump = story->n_own_inputs == 1 && fb_str_eq(one->name, FB_S("door"));
    if (!is_pump || !fb_str_eq(one->quality, FB_S("good")))
        return;
    one->value.text = fb_str_eq(one->value.text, FB_S("open")) ? FB_S("closed") : FB_S("open");
    judge->own_moved++;
    judge->own_seen += check_own(judge, story) == FB_RECHECK_DIFFERS;
}

/* Whether that guardrail held the request back, or changed it. */
static bool spoke(const struct fb_story *story, const char *guardrail) {
    for (uint32_t i = 0; i < story->n_verdicts; i++)
        if (fb_str_eq(story->verdicts[i].guardrail, fb_str_of(guardrail)))
            return !fb_str_eq(story->verdicts[i].result, FB_S("pass"));
    return false;
}

static void judge_own(struct judge *judge, struct fb_story *story, struct fb_str data) {
    if (story->own_version.n == 0)
        return;
    enum fb_recheck verdict = check_own(judge, story);
    if (verdict == FB_RECHECK_DIFFERS)
        print_message("its own differ: %.*s\n", FB_ARG(data));
    judge->own[verdict]++;
    if (verdict != FB_RECHECK_AGREES)
        return;
    judge->made[0] += spoke(story, "interlock");
    judge->made[1] += spoke(story, "permissive");
    check_own_moved(judge, story);
}

static bool all_are_good(const struct fb_story *story) {
    for (uint32_t i = 0; i < story->n_inputs; i++)
        if (!fb_str_eq(story->inputs[i].quality, FB_S("good")))
            return false;
    return true;
}

static bool judge_line(void *context, enum fb_stream stream, struct fb_str line,
                       struct fb_err *err) {
    struct judge *judge = context;
    struct fb_audit_record record;
    struct fb_story story;
    (void)err;
    if (stream != FB_STREAM_AUDIT)
        return true;
    fb_arena_reset(judge->arena);
    fb_audit_read(judge->audit, (struct fb_str){line.p, line.n - 1}, &record);
    assert_null(record.fault);
    assert_true(fb_story_read(judge->stories, record.data, judge->arena, &story));
    judge_own(judge, &story, record.data);
    if ((int)story.sort >= SORTS || story.rule.n == 0)
        return true;
    const struct fb_rule *rule = rule_of(judge, story.rule);
    enum fb_recheck verdict = check(judge, rule, &story);
    if (verdict == FB_RECHECK_DIFFERS)
        print_message("differs: %.*s\n", FB_ARG(record.data));
    judge->verdicts[story.sort][verdict]++;
    if (verdict == FB_RECHECK_AGREES && all_are_good(&story))
        check_others_moved(judge, rule, &story);
    if (verdict == FB_RECHECK_AGREES)
        check_moved(judge, rule, &story);
    return true;
}

static void what_is_recomputed_is_what_happened(void **state) {
    (void)state;
    char folder[] = "/tmp/fb-test-recompute-XXXXXX", path[64];
    struct fb_compiled compiled;
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/events.ndjson", folder);
    write_stream(path, 1);
    fb_sources_add(sources, FB_S("t.rules"), fb_str_of(rules));
    if (!fb_compile_sources(sources, diags, &compiled)) {
        struct fb_buf text = {0};
        fb_diags_print(diags, compiled.sources, false, &text);
        fail_msg("%s", fb_buf_terminated(&text));
    }
    struct judge judge = {.program = compiled.program,
                          .audit = fb_audit_reader_new(),
                          .stories = fb_story_reader_new(),
                          .arena = fb_arena_new()};
    struct fb_replay_input input = {.path = path};
    struct fb_replay_options options = {.program = compiled.program,
                                        .inputs = &input,
                                        .n_inputs = 1,
                                        .tasks = 1,
                                        .max_skew_us = 10 * FB_MINUTE,
                                        .application = FB_S("test"),
                                        .audit = true,
                                        .write = judge_line,
                                        .context = &judge};
    struct fb_replay_result result;
    struct fb_err err = {0};
    assert_true(fb_replay(&options, &result, &err));
    for (int sort = 0; sort < SORTS; sort++) {
        print_message("%s: %u agree, %u fit, %u differ\n",
                      sort == FB_STORY_ALARM     ? "alerts"
                      : sort == FB_STORY_COMMAND ? "commands"
                                                 : "blocks",
                      judge.verdicts[sort][FB_RECHECK_AGREES],
                      judge.verdicts[sort][FB_RECHECK_FITS],
                      judge.verdicts[sort][FB_RECHECK_DIFFERS]);
        assert_int_equal(judge.verdicts[sort][FB_RECHECK_DIFFERS], 0);
        assert_true(judge.verdicts[sort][FB_RECHECK_AGREES] >= WANTED);
        assert_true(judge.verdicts[sort][FB_RECHECK_FITS] > 0);
    }
    print_message("with another level: %u, of which %u are seen\n", judge.moved, judge.seen);
    assert_true(judge.moved >= WANTED);
    assert_int_equal(judge.seen, judge.moved);
    for (int m = 0; m < 3; m++) {
        print_message("with another value of others: %u, of which %u are seen\n",
                      judge.others_moved[m], judge.others_seen[m]);
        assert_true(judge.others_moved[m] >= WANTED);
        assert_int_equal(judge.others_seen[m], judge.others_moved[m]);
    }
    print_message("own conditions: %u agree, %u fit, %u differ; interlock made %u, permissive %u; "
                  "moved %u, of which %u are seen\n",
                  judge.own[0], judge.own[1], judge.own[2], judge.made[0], judge.made[1],
                  judge.own_moved, judge.own_seen);
    assert_int_equal(judge.own[FB_RECHECK_DIFFERS], 0);
    assert_true(judge.own[FB_RECHECK_FITS] > 0);
    assert_true(judge.made[0] >= WANTED && judge.made[1] >= WANTED);
    assert_true(judge.own_moved >= WANTED);
    assert_int_equal(judge.own_seen, judge.own_moved);
    fb_audit_reader_free(judge.audit);
    fb_story_reader_free(judge.stories);
    fb_arena_free(judge.arena);
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
    unlink(path);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_recomputed_is_what_happened)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
