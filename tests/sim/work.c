/* Rules, and device events from a seed. */
#include "tests/sim/work.h"

#include <stdio.h>

#include "tests/sim/engine.h"

#define SECOND INT64_C(1000000)

const char *const sim_inputs[2] = {"in", "more"};

static const char class_text[] = "device machine from %s {\n"
                                 "  key id\n"
                                 "  time ts [ms]\n"
                                 "  tag site\n"
                                 "  temp : number [degC] range -50..200, stale after 4s\n"
                                 "  load : number [%%]\n"
                                 "  on : bool\n"
                                 "  state : one of (idle, busy, failed)\n"
                                 "  note : text\n"
                                 "%s%s"
                                 "  late up to 1s\n"
                                 "}\n";

/* In all variants, some with a number that the variant says. */
static const char alarms_text[] =
    "alarm hot on machine {\n"
    "  raise high when temp > %d degC for 800ms until temp < 70 degC for 500ms\n"
    "  raise critical when temp > 95 degC\n"
    "  message \"{id} at {site}: {temp:.1f}, {note}\"\n"
    "}\n"
    "alarm mean on machine {\n"
    "  raise medium when avg(temp over %ds) > 60 degC\n"
    "  deadband 5 K\n"
    "  clear after 1s\n"
    "}\n"
    "alarm busy on machine { raise low when count(load > 50 %% each 2s) > %d }\n"
    "alarm quiet on machine { raise low when silent for 1500ms }\n"
    "alarm blind on machine { raise medium when temp is stale }\n"
    "alarm failed on machine { raise high when state == failed for %dms  clear after 700ms }\n"
    "event jump on machine {\n"
    "  when abs(change(temp)) > 40 K\n"
    "  at most 2 per 5s\n"
    "  message \"{id} jumped to {temp:.1f}\"\n"
    "}\n";

/* In all variants, but not where there is no journal; the fans' topic is another one in some. */
static const char fan_text[] =
    "actuator fan on machine : (off, on) {\n"
    "  %s  safe off  minimum on 300ms, off 300ms  lease 1m  breaker 6 reversals in 20s, hold 5s\n"
    "  deliver within 300ms\n"
    "}\n";
static const char acting_text[] =
    "actuator valve on machine : number [%] range 0..80 { safe 0 %  slew 20 % per 500ms"
    "  deliver within 150ms }\n"
    "control cool on machine {\n"
    "  start when temp > 75 degC until temp < 65 degC  command fan = on  rollout armed\n"
    "  message \"{id} at {site}: {temp:.1f}\"\n"
    "}\n"
    "control flush on machine {\n"
    "  start when load > 60 %  command valve = load at priority 10  on unknown stop\n"
    "  rollout armed\n"
    "}\n"
    "control dry on machine {\n"
    "  start when on  command fan = on at priority 9 for 2s  rollout canary 50 %\n"
    "}\n";

/* Of every second rules: it comes and goes as these are deployed. */
static const char mode_text[] =
    "actuator lamp on machine : number range 0..9 { safe 0  lease 1m  deliver within 150ms }\n"
    "mode phase on machine {\n"
    "  state low { command lamp = 1  go high when temp > 70 degC }\n"
    "  state high { stay 400ms  command lamp = 2  go low when temp < 60 degC\n"
    "    go hot when temp > 90 degC at once }\n"
    "  state hot { command lamp = 3  go low after 1500ms }\n"
    "  on unknown safe  rollout armed\n"
    "}\n";

/* Devices that look at each other. What says so is part of the class, and of every third rules
 * there is none: what belongs together is found anew when the others come back. */
static const char related_text[] = "  tag hall\n"
                                   "  domain hall\n"
                                   "  link line : line\n";

static const char line_text[] = "device line from %s {\n"
                                "  key belt\n"
                                "  time ts [ms]\n"
                                "  tag hall\n"
                                "  domain hall\n"
                                "  pressure : number [bar] range 0..20, stale after 4s\n"
                                "  up : bool\n"
                                "  batch : text stale after 4s\n"
                                "  let weak = pressure < 3 bar for 500ms\n"
                                "  late up to 1s\n"
                                "}\n"
                                "alarm low on line { raise low when pressure < 2 bar for 400ms }\n";

static const char links_text[] =
    "actuator feed on line : (off, on) {\n"
    "  safe off  minimum on 200ms, off 200ms  lease 1m  breaker 6 reversals in 20s, hold 5s\n"
    "  interlock when not up  deliver within 300ms\n"
    "}\n"
    "actuator inlet on machine : number [%] range 0..80 {\n"
    "  safe 0 %  slew 20 % per 200ms  lease 1m  deliver within 150ms\n"
    "}\n"
    "alarm starved on machine where line.up {\n"
    "  raise high when temp > 55 degC and line.pressure < 8 bar for 300ms\n"
    "    until line.pressure > 10 bar for 200ms\n"
    "  raise critical when line.weak\n"
    "  message \"{device} in {hall}: {temp:.1f}, {line.pressure:.1f}\"\n"
    "}\n"
    "alarm odd on machine {\n"
    "  raise low when temp > median(temp of machine by site) + 10 K for 300ms\n"
    "  deadband 2 K\n"
    "}\n"
    "alarm hall_hot on machine by hall {\n"
    "  raise high when share(machine where temp > 70 degC) > 50 % for 400ms\n"
    "  message \"{hall}: {count(machine where temp > 70 degC)} of {count(machine)}\"\n"
    "}\n"
    "alarm pushed on machine {\n"
    "  raise low when time_avg(if load > 50 % then line.pressure else 0 bar over 3s) > 5 bar\n"
    "}\n"
    "alarm batch on machine {\n"
    "  raise low when line.batch != \"first\" and temp > 50 degC  message \"{line.batch}\"\n"
    "}\n"
    "alarm apart on machine {\n"
    "  raise low when avg(temp - avg(temp of machine by hall) over last 3) > 5 K\n"
    "}\n"
    "event first on machine { when rank(temp of machine by hall) == 1 and line.up }\n"
    "control supply on line {\n"
    "  start when any(temp > 80 degC of machine) until max(temp of machine) < 75 degC\n"
    "  command feed = on  rollout armed\n"
    "}\n"
    "control draw on machine {\n"
    "  start when line.feed == on  command inlet = line.pressure * 5 % / 1 bar\n"
    "  on unknown stop  rollout armed\n"
    "}\n";

/* Of every second rules, beside the mode: groups of what is there only with it. */
static const char more_links_text[] =
    "actuator gate on line : number range 0..9 { safe 0  lease 1m  deliver within 150ms }\n"
    "mode pace on line {\n"
    "  state slow { command gate = 1  go fast when count(machine where phase != low) > 1 }\n"
    "  state fast { stay 300ms  command gate = avg(lamp of machine)\n"
    "    go slow when all(phase == low of machine) for 200ms }\n"
    "  on unknown safe  rollout armed\n"
    "}\n"
    "alarm site_hot on machine by site { raise medium when avg(temp of machine) > 75 degC }\n"
    "alarm paced on machine { raise low when line.pace == fast and line.low }\n";

/* How often rules may act, and on how many machines of a hall: other numbers in each variant, and
 * in the last one neither halls nor what is for all rules. */
static const char rated_text[] =
    "actuator mist on machine : number [%%] range 0..100 {\n"
    "  safe 0 %%  lease 1m  deliver within 300ms\n"
    "}\n"
    "actuator vent on machine : number [%%] range 0..100 {\n"
    "  safe 0 %%  lease 1m  deliver within 300ms\n"
    "}\n"
    "control rinse on machine {\n"
    "  start when load > 30 %%  command mist = load  at most %u per %ds  on unknown stop\n"
    "  rollout armed\n"
    "}\n"
    "control purge on machine {\n"
    "  start when temp > 85 degC until temp < 60 degC\n"
    "  command mist = 90 %% at priority 9  command vent = if load > 60 %% then 80 %% else 40 %%\n"
    "  at most %u per %ds  %s  rollout armed\n"
    "}\n"
    "control air on machine {\n"
    "  start when on  command vent = 20 %% at priority 10  %s  rollout canary 50 %%\n"
    "}\n";

static const struct {
    struct sim_rate rinse, purge, all;
    const char *purge_fleet, *air_fleet;
} rates[SIM_RULES] = {
    {{3, 2 * SECOND}, {2, 3 * SECOND}, {12, SECOND}, "fleet 60 % per 2s", "fleet 80 % per 1s"},
    {{2, 2 * SECOND}, {3, 2 * SECOND}, {10, 2 * SECOND}, "fleet 40 % per 1s", "fleet 50 % per 2s"},
    {{4, 3 * SECOND}, {2, 2 * SECOND}, {0, 0}, "", ""}};

static int seconds(struct sim_rate rate) {
    return (int)(rate.per_us / SECOND);
}

static void put_rated(int variant, struct fb_buf *out) {
    const struct sim_rate rinse = rates[variant].rinse, purge = rates[variant].purge,
                          all = rates[variant].all;
    fb_buf_printf(out, rated_text, rinse.n, seconds(rinse), purge.n, seconds(purge),
                  rates[variant].purge_fleet, rates[variant].air_fleet);
    if (all.n)
        fb_buf_printf(out, "commands at most %u per %ds\n", all.n, seconds(all));
}

struct sim_rate sim_rate(int variant, struct fb_str rule) {
    if (rule.n == 0)
        return rates[variant].all;
    if (fb_str_eq(rule, FB_S("rinse")))
        return rates[variant].rinse;
    return fb_str_eq(rule, FB_S("purge")) ? rates[variant].purge : (struct sim_rate){0};
}

bool sim_has_fleet(int variant, struct fb_str rule) {
    return (fb_str_eq(rule, FB_S("purge")) && *rates[variant].purge_fleet) ||
           (fb_str_eq(rule, FB_S("air")) && *rates[variant].air_fleet);
}

static const struct {
    int hot, mean_s, busy, failed_ms;
    const char *more;
} variants[SIM_RULES] = {
    {80, 5, 2, 300, "alarm swings on machine { raise low when stddev(load over 10s) > 20 % }\n"},
    {85, 8, 2, 500, "alarm loaded on machine { raise low when load > 80 % for 1s }\n"},
    {80, 5, 1, 300,
     "device machine { let warm = temp + 5 K }\n"
     "alarm swings on machine { raise medium when stddev(load over 10s) > 20 % }\n"
     "alarm warm on machine { raise low when warm > 90 degC  clear after 2s }\n"}};

static struct fb_buf rules(int topics, int variant, const char *field, const char *related) {
    struct fb_buf text = {0};
    fb_buf_printf(&text, class_text, topics == 1 ? "\"in\"" : "\"in\", \"more\"", field, related);
    fb_buf_printf(&text, alarms_text, variants[variant].hot, variants[variant].mean_s,
                  variants[variant].busy, variants[variant].failed_ms);
    fb_buf_text(&text, variants[variant].more);
    return text;
}

struct fb_buf sim_rules(int topics, int variant) {
    bool relates = variant != 2;
    struct fb_buf text = rules(topics, variant, "", relates ? related_text : "");
    fb_buf_printf(&text, fan_text, variant > 0 ? "to \"" SIM_FANS_TOPIC "\"" : "");
    fb_buf_text(&text, acting_text);
    put_rated(variant, &text);
    fb_buf_printf(&text, line_text, topics == 1 ? "\"in\"" : "\"in\", \"more\"");
    if (relates)
        fb_buf_text(&text, links_text);
    if (variant % 2 == 1) {
        fb_buf_text(&text, mode_text);
        fb_buf_text(&text, more_links_text);
    }
    return text;
}

struct fb_buf sim_rules_of_least(int topics) {
    struct fb_buf text = rules(topics, 0, "  n : number\n", "");
    fb_buf_text(&text, "event seen on machine { whenever on  message \"n={n:.0f};\" }\n");
    return text;
}

/* What belongs together shares a partition: two halls of each, with two lines in it, and now and
 * then somebody moves, or names a line that is in another hall or not there. */
static void hall(struct sim_world *world, uint32_t device, struct fb_buf *out) {
    struct fb_random *random = &world->random;
    uint32_t partitions = (uint32_t)world->plan.partitions;
    uint32_t second = fb_random_chance(random, 90) ? device / partitions % 2 : 1;
    if (fb_random_chance(random, 50))
        fb_buf_printf(out, ",\"hall\":\"h%u\"", device % partitions + second * partitions);
}

static void line(struct sim_world *world, uint32_t device, struct fb_buf *out) {
    struct fb_random *random = &world->random;
    uint32_t partitions = (uint32_t)world->plan.partitions;
    uint32_t which =
        fb_random_chance(random, 80) ? device / partitions % 2 : fb_random_below(random, 3);
    if (fb_random_chance(random, 40))
        fb_buf_printf(out, ",\"line\":\"l%u\"", device % partitions + which * partitions);
}

static void line_event(struct sim_world *world, uint32_t line, int64_t ts_ms, struct fb_buf *out) {
    struct fb_random *random = &world->random;
    fb_buf_printf(out, "{\"belt\":\"l%u\",\"ts\":%lld", line, (long long)ts_ms);
    if (fb_random_chance(random, 80))
        fb_buf_printf(out, ",\"pressure\":%lld", (long long)fb_random_between(random, 0, 16));
    if (fb_random_chance(random, 40))
        fb_buf_printf(out, ",\"up\":%s", fb_random_chance(random, 80) ? "true" : "false");
    if (fb_random_chance(random, 40))
        fb_buf_printf(out, ",\"batch\":\"%s\"",
                      fb_random_chance(random, 50) ? "first" : "another, of a longer name");
    hall(world, line, out);
    fb_buf_text(out, "}");
}

/* Values hover around the limits, so that most alarms come and go. */
static bool device_event(struct sim_world *world, uint32_t device, int64_t ts_ms, uint32_t number,
                         struct fb_buf *out) {
    struct fb_random *random = &world->random;
    static const char *const states[] = {"idle", "busy", "failed"};
    fb_buf_printf(out, "{\"id\":\"m%u\",\"ts\":%lld,\"n\":%u", device, (long long)ts_ms, number);
    if (fb_random_chance(random, 80))
        fb_buf_printf(out, ",\"temp\":%lld", (long long)fb_random_between(random, 40, 100));
    if (fb_random_chance(random, 60))
        fb_buf_printf(out, ",\"load\":%lld", (long long)fb_random_between(random, 20, 90));
    bool on = false;
    if (fb_random_chance(random, 30))
        fb_buf_printf(out, ",\"on\":%s", (on = fb_random_chance(random, 50)) ? "true" : "false");
    if (fb_random_chance(random, 50))
        fb_buf_printf(out, ",\"state\":\"%s\"", states[fb_random_below(random, 3)]);
    if (fb_random_chance(random, 20))
        fb_buf_printf(out, ",\"note\":\"%.*s\"", (int)fb_random_below(random, 40),
                      "a text that is longer than most, and longer now and then");
    if (fb_random_chance(random, 30))
        fb_buf_printf(out, ",\"site\":\"site %u\"", fb_random_below(random, 3));
    hall(world, device, out);
    line(world, device, out);
    fb_buf_text(out, "}");
    return on;
}

static void poison(struct fb_random *random, struct fb_buf *out) {
    static const char *const texts[] = {"{\"id\":\"m1\",", "junk", "{\"ts\":1}", "[]]",
                                        "{\"id\":\"m1\",\"ts\":\"never\"}"};
    fb_buf_text(out, texts[fb_random_below(random, 5)]);
}

void sim_event(struct sim_world *world, int64_t now_us) {
    struct fb_random *random = &world->random;
    /* Some devices send more often than others. */
    uint32_t devices = (uint32_t)world->plan.devices;
    uint32_t device =
        fb_random_below(random, fb_random_chance(random, 50) ? devices : (devices + 3) / 4);
    /* At least once every event has to be one of a machine. */
    bool is_line = !world->plan.least && fb_random_chance(random, 20);
    if (is_line)
        device = fb_random_below(random, 2 * (uint32_t)world->plan.partitions);
    int64_t back_ms = 0;
    if (fb_random_chance(random, 30))
        back_ms = fb_random_between(random, 0, 900);
    if (fb_random_chance(random, 4))
        back_ms = fb_random_between(random, 2000, 20000); /* late */
    if (fb_random_chance(random, 1))
        back_ms = -3600000; /* ahead of every clock */
    struct fb_buf value = {0};
    bool poisoned = fb_random_chance(random, 4) && !world->drained;
    uint32_t number = ++world->events;
    int64_t ts_ms = now_us / 1000 - back_ms;
    bool on = false, newest = back_ms >= 0 && ts_ms >= world->newest_ms[device];
    world->poison += poisoned;
    /* Not readable either, so that it has a dead letter, whether it was looked at or not. */
    bool lethal = poisoned && world->lethal_left > 0 && fb_random_chance(random, 30);
    world->lethal_left -= lethal;
    if (poisoned)
        poison(random, &value);
    else if (is_line)
        line_event(world, device, ts_ms, &value);
    else
        on = device_event(world, device, ts_ms, number, &value);
    char key[16];
    snprintf(key, sizeof key, "%c%u", is_line ? 'l' : 'm', device);
    const char *name = sim_inputs[world->plan.topics == 2 && fb_random_chance(random, 40)];
    int topic = sim_topic(world->kafka, fb_str_of(name));
    int32_t partition = (int32_t)(device % (uint32_t)world->plan.partitions);
    sim_append(world->kafka, topic, partition, now_us / 1000 * 1000, fb_str_of(key),
               (struct fb_str){value.p, value.n});
    const struct sim_log *log = &world->kafka->logs[topic][partition];
    struct sim_record *sent = &log->records[log->n - 1];
    sent->lethal = lethal;
    sent->number = poisoned ? 0 : number;
    sent->tells = on && newest && world->plan.topics == 1;
    if (newest && !poisoned && !is_line)
        world->newest_ms[device] = ts_ms;
    fb_buf_free(&value);
    if (world->plan.markers && fb_random_chance(random, 30))
        sim_append_marker(world->kafka, topic, partition, fb_random_chance(random, 30));
}
