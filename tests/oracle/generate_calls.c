/* Random calls of an operator between the events: most of them can be done, some can not. */
#include "tests/oracle/generate.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/model/program.h"

#include <inttypes.h>
#include <string.h>

enum { CALLING_SHARE = 60, REMEMBERED = 3 };

struct caller {
    struct gen_case *c;
    struct gen_random random; /* of its own: rules and events stay what they are */
    struct gen_event *events;
    size_t n, cap;
    int64_t clock_us, lag_us; /* lag FB_NO_TIME: there is no wall clock */
    struct fb_call kills[REMEMBERED], hands[REMEMBERED]; /* asked for so far */
    uint32_t n_kills, n_hands;
    struct fb_call shelf; /* the last one */
};

static bool chance(struct caller *k, uint32_t percent) {
    return gen_chance(&k->random, percent);
}

static uint32_t below(struct caller *k, uint32_t n) {
    return gen_below(&k->random, n);
}

/* --- What is called --- */

static const struct gen_actuator *some_actuator(struct caller *k) {
    return &k->c->actuators[below(k, k->c->n_actuators)];
}

/* Of the class, where there is one. */
static struct fb_str some_device(struct caller *k, uint32_t class_index) {
    const struct gen_case *c = k->c;
    for (int tries = 0; tries < 20 && c->n_events > 0; tries++) {
        const struct gen_event *event = &c->events[gen_next(&k->random) % c->n_events];
        if (!event->tick && (event->entry.class_index == class_index || chance(k, 3)))
            return event->entry.device;
    }
    return FB_S("d1");
}

static int64_t some_until(struct caller *k) {
    static const int64_t ahead[] = {1,
                                    FB_SECOND / 2,
                                    FB_SECOND,
                                    2 * FB_SECOND,
                                    5 * FB_SECOND,
                                    10 * FB_SECOND,
                                    30 * FB_SECOND,
                                    FB_MINUTE,
                                    10 * FB_MINUTE};
    if (chance(k, 4))
        return k->clock_us - (chance(k, 50) ? 0 : FB_SECOND);
    return k->clock_us + ahead[below(k, 9)];
}

static void some_value(struct caller *k, const struct gen_actuator *a, struct fb_call *call) {
    call->is_number = (a->family == GEN_WORD) == chance(k, 2);
    if (!call->is_number) {
        call->word = chance(k, 2) ? FB_S("up") : chance(k, 50) ? FB_S("on") : FB_S("off");
        return;
    }
    double share = (double)below(k, 9) / 8;
    call->number = a->low + share * (a->high - a->low);
    if (chance(k, 3))
        call->number = chance(k, 50) ? a->low - 0.5 : a->high + 1;
}

/* hand, auto, reset */
static void of_one(struct caller *k, struct fb_call *call) {
    const struct gen_actuator *a = some_actuator(k);
    call->actuator = chance(k, 2) ? FB_S("nothing") : fb_str_of(a->name);
    call->device = chance(k, 3) ? FB_S("nobody") : some_device(k, a->class_index);
    if (call->kind == FB_CALL_AUTO && k->n_hands > 0 && chance(k, 85)) {
        uint32_t i = below(k, k->n_hands);
        call->actuator = k->hands[i].actuator;
        call->device = k->hands[i].device;
        k->hands[i] = k->hands[--k->n_hands];
    }
    if (call->kind != FB_CALL_HAND)
        return;
    some_value(k, a, call);
    call->until_us = some_until(k);
    k->hands[k->n_hands < REMEMBERED ? k->n_hands++ : below(k, REMEMBERED)] = *call;
}

/* Of a rule: what it did to the devices of a domain. */
static void reset_rule(struct caller *k, struct fb_call *call) {
    const struct gen_case *c = k->c;
    const struct gen_control *control =
        c->n_controls > 0 ? &c->controls[below(k, c->n_controls)] : NULL;
    call->actuator = FB_S("");
    call->scope = FB_SCOPE_RULE;
    call->name = control == NULL ? FB_S("nothing") : control->name;
    call->device = some_device(k, control == NULL ? 0 : control->class_index);
    if (c->n_rules > 0 && chance(k, 15)) { /* of its commands, where it has any */
        const struct gen_rule *rule = &c->rules[below(k, c->n_rules)];
        call->name = rule->name;
        call->device = some_device(k, rule->class_index);
    }
}

static void some_scope(struct caller *k, struct fb_call *call) {
    const struct gen_case *c = k->c;
    uint32_t kind = below(k, 100);
    call->name = FB_S("");
    call->scope = kind < 20 ? FB_SCOPE_ALL : kind < 55 ? FB_SCOPE_ACTUATOR : FB_SCOPE_RULE;
    if (call->scope == FB_SCOPE_ACTUATOR)
        call->name = chance(k, 4) ? FB_S("nothing") : fb_str_of(some_actuator(k)->name);
    if (call->scope != FB_SCOPE_RULE)
        return;
    if (c->n_controls > 0)
        call->name = c->controls[below(k, c->n_controls)].name;
    if (c->n_rules > 0 && (c->n_controls == 0 || chance(k, 4))) /* no control */
        call->name = c->rules[below(k, c->n_rules)].name;
}

static void of_many(struct caller *k, struct fb_call *call) {
    some_scope(k, call);
    call->mode = chance(k, 50) ? FB_KILL_FREEZE : FB_KILL_SAFE;
    if (call->kind == FB_CALL_KILL) {
        k->kills[k->n_kills < REMEMBERED ? k->n_kills++ : below(k, REMEMBERED)] = *call;
    } else {
        call->mode = FB_KILL_NONE;
        if (k->n_kills > 0 && chance(k, 90)) {
            uint32_t i = below(k, k->n_kills);
            call->scope = k->kills[i].scope;
            call->name = k->kills[i].name;
            k->kills[i] = k->kills[--k->n_kills];
        }
    }
}

/* ack, shelve, unshelve */
static void of_alarm(struct caller *k, struct fb_call *call) {
    static const int64_t ahead[] = {1,         FB_SECOND,      5 * FB_SECOND, 20 * FB_SECOND,
                                    FB_MINUTE, 10 * FB_MINUTE, 8 * FB_HOUR};
    const struct gen_case *c = k->c;
    uint32_t class_index = 0;
    for (int tries = 0; tries < 4 && c->n_rules > 0; tries++) { /* an event is no alarm */
        const struct gen_rule *rule = &c->rules[below(k, c->n_rules)];
        call->alarm = rule->name;
        class_index = rule->class_index;
        if (rule->alarm)
            break;
    }
    if (c->n_actuators > 0 && chance(k, c->n_rules > 0 ? 15 : 90)) {
        const struct gen_actuator *a = some_actuator(k);
        call->alarm = fb_str_printf(c->arena, "%s_discrepancy", a->name);
        class_index = a->class_index;
    }
    if (chance(k, 2))
        call->alarm = FB_S("nothing");
    call->device = chance(k, 3) ? FB_S("nobody") : some_device(k, class_index);
    if (call->kind == FB_CALL_UNSHELVE && k->shelf.alarm.n > 0 && chance(k, 70)) {
        call->alarm = k->shelf.alarm;
        call->device = k->shelf.device;
    }
    if (call->kind != FB_CALL_SHELVE)
        return;
    k->shelf = *call;
    call->once = chance(k, 30);
    call->until_us = k->clock_us + ahead[below(k, 7)];
    if (chance(k, 6))
        call->until_us = chance(k, 50) ? k->clock_us : k->clock_us + 8 * FB_HOUR + 1;
}

/* maintenance, service */
static void of_device(struct caller *k, struct fb_call *call) {
    const struct gen_case *c = k->c;
    uint32_t class_index = below(k, c->n_classes);
    call->device = chance(k, 3) ? FB_S("nobody") : some_device(k, class_index);
    if (chance(k, 60))
        call->class_ = fb_str_of(c->classes[class_index].name);
    if (chance(k, 2))
        call->class_ = FB_S("nothing");
    if (call->kind == FB_CALL_MAINTENANCE)
        call->until_us = some_until(k);
}

/* --- When --- */

/* Between the event before and the one that comes; now and then of a time that is over. */
static int64_t some_clock(struct caller *k, int64_t next_us) {
    int64_t room = next_us - k->clock_us;
    if (chance(k, 3))
        return k->clock_us - FB_SECOND;
    if (room <= 0 || chance(k, 35))
        return k->clock_us;
    if (chance(k, 20))
        return next_us;
    return k->clock_us + (int64_t)(gen_next(&k->random) % (uint64_t)room);
}

static void add_event(struct caller *k, struct gen_event event) {
    FB_ASSERT(k->n < k->cap);
    if (event.clock_us > k->clock_us)
        k->clock_us = event.clock_us;
    k->events[k->n++] = event;
}

static void put_call(struct caller *k, const struct fb_call *call, int64_t clock_us) {
    struct gen_event event = {.clock_us = clock_us};
    if (clock_us > k->clock_us)
        k->clock_us = clock_us;
    event.wall_us = k->lag_us == FB_NO_TIME ? FB_NO_TIME : k->clock_us + k->lag_us;
    event.call = FB_ARENA_NEW(k->c->arena, struct fb_call);
    *event.call = *call;
    event.call->origin =
        (struct fb_origin){.topic = FB_S("calls"), .partition = -1, .offset = (int64_t)k->n};
    add_event(k, event);
}

/* Over a kill another one: of another mode, or of another scope. */
static void kill_again(struct caller *k, struct fb_call call, int64_t clock_us) {
    enum fb_kill other = call.mode == FB_KILL_SAFE ? FB_KILL_FREEZE : FB_KILL_SAFE;
    if (chance(k, 60))
        of_many(k, &call);
    call.mode = other;
    put_call(k, &call, clock_us);
}

static void add_call(struct caller *k, int64_t next_us) {
    static const enum fb_call_kind acting[] = {
        FB_CALL_HAND, FB_CALL_HAND,   FB_CALL_HAND,   FB_CALL_AUTO,  FB_CALL_AUTO,
        FB_CALL_KILL, FB_CALL_UNKILL, FB_CALL_UNKILL, FB_CALL_RESET, FB_CALL_RESET};
    static const enum fb_call_kind telling[] = {
        FB_CALL_ACK,         FB_CALL_ACK,      FB_CALL_SHELVE,   FB_CALL_SHELVE,
        FB_CALL_SHELVE,      FB_CALL_UNSHELVE, FB_CALL_UNSHELVE, FB_CALL_MAINTENANCE,
        FB_CALL_MAINTENANCE, FB_CALL_SERVICE};
    bool acts = k->c->n_actuators > 0 && chance(k, 60);
    struct fb_call call = {.kind = acts ? acting[below(k, 10)] : telling[below(k, 10)],
                           .who = FB_S("somebody"),
                           .reason = chance(k, 50) ? FB_S("") : FB_S("smoke")};
    int64_t clock_us = some_clock(k, next_us);
    if (clock_us > k->clock_us)
        k->clock_us = clock_us;
    if (call.kind == FB_CALL_KILL || call.kind == FB_CALL_UNKILL)
        of_many(k, &call);
    else if (call.kind == FB_CALL_RESET && chance(k, 30))
        reset_rule(k, &call);
    else if (acts)
        of_one(k, &call);
    else if (call.kind == FB_CALL_MAINTENANCE || call.kind == FB_CALL_SERVICE)
        of_device(k, &call);
    else
        of_alarm(k, &call);
    put_call(k, &call, clock_us);
    if (call.kind == FB_CALL_KILL && chance(k, 40))
        kill_again(k, call, clock_us);
}

/* One kill of everything that has a name: more than there may be. */
static void kill_each(struct caller *k) {
    const struct gen_case *c = k->c;
    struct fb_call call = {.kind = FB_CALL_KILL, .scope = FB_SCOPE_ALL, .who = FB_S("somebody")};
    call.mode = chance(k, 50) ? FB_KILL_FREEZE : FB_KILL_SAFE;
    if (chance(k, 30))
        put_call(k, &call, k->clock_us);
    call.scope = FB_SCOPE_ACTUATOR;
    for (uint32_t i = 0; i < GEN_FILLERS_ACTUATORS; i++) {
        call.name = fb_str_printf(c->arena, "filler%u", i);
        put_call(k, &call, k->clock_us);
    }
    call.scope = FB_SCOPE_RULE;
    for (uint32_t i = 0; i < GEN_FILLERS_CONTROLS; i++) {
        call.name = fb_str_printf(c->arena, "filling%u", i);
        put_call(k, &call, k->clock_us);
    }
}

/* Now and then some breaker is open. */
static void reset_each(struct caller *k) {
    struct fb_call call = {.kind = FB_CALL_RESET, .who = FB_S("somebody")};
    for (uint32_t i = 0; i < k->c->n_actuators; i++) {
        call.actuator = fb_str_of(k->c->actuators[i].name);
        call.device = some_device(k, k->c->actuators[i].class_index);
        put_call(k, &call, k->clock_us);
    }
    for (uint32_t i = 0; i < k->c->n_controls && k->c->linked; i++) {
        reset_rule(k, &call);
        put_call(k, &call, k->clock_us);
    }
}

/* --- All of them --- */

void gen_calls(struct gen_case *c) {
    static const uint32_t shares[] = {2, 5, 10, 25};
    struct caller k = {.c = c, .random = {c->seed * 191 + 11}, .lag_us = FB_NO_TIME};
    if (c->n_events == 0 || !chance(&k, CALLING_SHARE))
        return;
    uint32_t share = shares[below(&k, 4)], resets = chance(&k, 30) ? 20 : 0;
    size_t burst = c->fillers ? below(&k, (uint32_t)c->n_events) : c->n_events;
    k.cap = (5 + GEN_ACTUATORS_MAX + GEN_CONTROLS_MAX) * c->n_events +
            2 * (GEN_FILLERS_ACTUATORS + GEN_FILLERS_CONTROLS + 1);
    k.events = FB_ARENA_ARRAY(c->arena, struct gen_event, k.cap);
    k.clock_us = c->events[0].clock_us - 5 * FB_SECOND;
    for (size_t i = 0; i < c->n_events; i++) {
        const struct gen_event *event = &c->events[i];
        if (chance(&k, share))
            add_call(&k, event->clock_us);
        if (chance(&k, share / 2))
            add_call(&k, event->clock_us);
        if (event->wall_us != FB_NO_TIME)
            k.lag_us = event->wall_us - event->clock_us;
        add_event(&k, *event);
        if (chance(&k, resets))
            reset_each(&k);
        if (i == burst)
            kill_each(&k);
    }
    c->events = k.events;
    c->n_events = k.n;
    c->cap_events = k.cap;
}

/* --- Text --- */

void gen_put_call(const struct fb_call *call, struct fb_buf *out) {
    static const char *const scopes[] = {"all", "rule", "actuator"};
    char text[FB_NUM_TEXT_MAX];
    fb_buf_printf(out, ",\"call\":\"%s\"", fb_call_name(call->kind));
    if (call->kind == FB_CALL_RESET && call->scope == FB_SCOPE_RULE)
        fb_buf_printf(out, ",\"rule\":\"%.*s\"", FB_ARG(call->name));
    if (call->kind == FB_CALL_KILL || call->kind == FB_CALL_UNKILL) {
        if (call->kind == FB_CALL_KILL)
            fb_buf_printf(out, ",\"mode\":\"%s\"", call->mode == FB_KILL_SAFE ? "safe" : "freeze");
        if (call->scope == FB_SCOPE_ALL)
            fb_buf_text(out, ",\"all\":true");
        else
            fb_buf_printf(out, ",\"%s\":\"%.*s\"", scopes[call->scope], FB_ARG(call->name));
        return;
    }
    if (call->actuator.n > 0)
        fb_buf_printf(out, ",\"actuator\":\"%.*s\"", FB_ARG(call->actuator));
    if (call->alarm.n > 0)
        fb_buf_printf(out, ",\"alarm\":\"%.*s\"", FB_ARG(call->alarm));
    if (call->class_.n > 0)
        fb_buf_printf(out, ",\"class\":\"%.*s\"", FB_ARG(call->class_));
    fb_buf_printf(out, ",\"device\":\"%.*s\"", FB_ARG(call->device));
    if (call->once)
        fb_buf_text(out, ",\"once\":true");
    if (call->until_us != 0)
        fb_buf_printf(out, ",\"until\":%" PRId64 ".%06" PRId64, call->until_us / FB_SECOND,
                      call->until_us % FB_SECOND);
    if (call->kind != FB_CALL_HAND)
        return;
    fb_buf_text(out, ",\"value\":");
    if (call->is_number)
        fb_buf_put(out, text, fb_num_format(call->number, text));
    else
        fb_buf_printf(out, "\"%.*s\"", FB_ARG(call->word));
}
