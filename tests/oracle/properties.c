/* properties: what must hold of every command and every block, whatever the rules, the records and
 * the operator's calls are.
 *
 * Place in the flow: the oracle tests run it over random rules, records and calls. It looks at what
 * a subscriber and the audit get, and at what the reference interpreter says that claims ask for;
 * how the product came to it does not matter:
 * - at most one value is in force of an actuator: what a subscriber calls one actuator has one
 *   sequence of commands;
 * - every command is explained by exactly one winner and by what each guardrail made of its value;
 * - what is asked for and not in force is in the audit, as a block that lasts;
 * - while a kill is in force nothing goes out but the step to safe, and while a hand is, nothing of
 *   the rules;
 * - an alarm that is shelved or suppressed is not annunciated, and once it is neither, what was
 * told of it last is what is;
 * - a run with a restart behind every event gives the same ids and the same audit, to the byte. */
#include "tests/oracle/oracle.h"
#include "tests/oracle/side.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/map.h"
#include "engine/codec/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACKS_MAX = 1024, ALARMS_MAX = 256, CALLS_MAX = 512 };

/* An actuator of a device as a subscriber sees it, or its shadow. */
struct track {
    struct fb_str subject, device;
    const struct fb_actuator *actuator;
    uint16_t class_index;
    uint64_t seq; /* of the last command; 0: none */
    double value;
    int64_t at_us, lease_until_us;
    const struct fb_rule *rule;
    uint8_t priority;
    enum fb_guard blocks; /* FB_GUARDS: none */
    bool foretold;        /* a block said what the next command will be: told */
    double told;
};

/* An alarm of a device: as it is, and as a subscriber knows it. */
struct alarm {
    const struct fb_rule *rule;
    struct fb_str device;
    bool active, acked, shelved, suppressed, told_active, told_acked;
    enum fb_severity severity, told_severity;
};

struct kill {
    struct fb_call call;
    bool there;
};

struct checks {
    uint64_t cases, commands, winners, blocks, wishes, withheld, killed, in_hand, alarms, muted,
        ids, restarts;
};

struct run {
    struct fb_arena *arena;
    const struct fb_program *program;
    struct side side;
    struct fb_encoder *encoder;
    struct fb_auditor auditor;
    struct fb_buf trail; /* ids and audit records, one after the other */
    struct fb_map *ids;
    struct track tracks[TRACKS_MAX];
    size_t n_tracks;
    struct alarm alarms[ALARMS_MAX];
    size_t n_alarms;
    struct kill kills[CALLS_MAX]; /* all that were ever accepted */
    size_t n_kills;
    int64_t wall_us; /* the furthest one so far, as it may go back; FB_NO_TIME: there is none */
    bool judged;     /* else only the trail is kept */
    struct checks *checks;
    unsigned wrong;
};

#define WRONG(run, o, ...)                                                                         \
    do {                                                                                           \
        if ((run)->wrong++ < 5) {                                                                  \
            printf("%.*s/%.*s at %" PRId64 ": ", FB_ARG((o)->actuator->name), FB_ARG((o)->device), \
                   (o)->at_us);                                                                    \
            printf(__VA_ARGS__);                                                                   \
            printf("\n");                                                                          \
        }                                                                                          \
    } while (0)

/* --- Tracks --- */

/* Shadows have a topic of their own. */
static struct track *track_of(struct run *run, const struct fb_output *o) {
    for (size_t i = 0; i < run->n_tracks; i++) {
        struct track *t = &run->tracks[i];
        if (t->actuator->shadow == o->actuator->shadow &&
            fb_str_eq(t->actuator->name, o->actuator->name) && fb_str_eq(t->device, o->device))
            return t;
    }
    FB_ASSERT(run->n_tracks < TRACKS_MAX);
    struct track *t = &run->tracks[run->n_tracks++];
    t->device = fb_str_copy(run->arena, o->device);
    t->actuator = o->actuator;
    t->class_index = o->class_index;
    t->blocks = FB_GUARDS;
    return t;
}

/* --- One value is in force --- */

static bool may_have_lapsed(const struct run *run, const struct track *t, int64_t now_us) {
    return t->seq > 0 && (run->wall_us == FB_NO_TIME ? now_us : run->wall_us) >= t->lease_until_us;
}

static void check_sequence(struct run *run, struct track *t, const struct fb_output *o) {
    if (o->actuator != t->actuator)
        WRONG(run, o, "two actuators are one to a subscriber");
    if (o->seq != t->seq + 1)
        WRONG(run, o, "seq %" PRIu64 " comes behind %" PRIu64, o->seq, t->seq);
    if (t->seq > 0 && o->at_us < t->at_us)
        WRONG(run, o, "a command of before the last one");
    if (t->foretold && o->value != t->told)
        WRONG(run, o, "%g was foretold, %g is commanded", t->told, o->value);
    t->foretold = false;
}

/* What a block says is in force is the last command's value, or safe where that has lapsed; or what
 * is commanded next, in the same breath. */
static void check_in_force(struct run *run, struct track *t, const struct fb_output *o) {
    bool is_last = t->seq > 0 && o->value == t->value;
    bool is_lapsed = o->value == t->actuator->safe && may_have_lapsed(run, t, o->at_us);
    if (!o->has_value) {
        if (t->seq > 0)
            WRONG(run, o, "nothing is in force after a command");
        return;
    }
    if (is_last || is_lapsed || (t->foretold && o->value == t->told))
        return;
    t->foretold = true;
    t->told = o->value;
}

/* --- One winner explains it --- */

static double away(double a, double b) {
    return a < b ? b - a : a - b;
}

/* A5: whether the entry beats the one that is first so far at the same priority. */
static bool beats(const struct fb_actuator *a, double value, double best) {
    switch (a->combine) {
    case FB_COMBINE_NONE:
        return false;
    case FB_COMBINE_MIN:
        return value < best;
    case FB_COMBINE_MAX:
        return value > best;
    case FB_COMBINE_SAFEST:
        return away(value, a->safe) < away(best, a->safe);
    }
    FB_BUG("a way to combine");
}

static const struct fb_array_entry *winner_of(const struct fb_output *o) {
    const struct fb_array_entry *best = NULL;
    for (uint32_t i = 0; i < o->n_entries; i++) {
        const struct fb_array_entry *e = &o->entries[i];
        if (best == NULL || e->priority < best->priority ||
            (e->priority == best->priority && beats(o->actuator, e->value, best->value)))
            best = e;
    }
    return best;
}

static void check_winner(struct run *run, const struct fb_output *o) {
    const struct fb_array_entry *winner = winner_of(o);
    run->checks->winners++;
    if (winner == NULL) {
        if (o->rule != NULL || o->priority != FB_PRIORITY_NONE ||
            o->requested != o->actuator->fallback)
            WRONG(run, o, "nobody claims it, and yet it is not the default");
        return;
    }
    if (winner->rule != o->rule || winner->priority != o->priority || winner->value != o->requested)
        WRONG(run, o, "%g at priority %u is asked for, but %g at %u wins", o->requested,
              o->priority, winner->value, winner->priority);
    if ((winner->rule == NULL) != (winner->priority == FB_PRIORITY_HAND))
        WRONG(run, o, "an entry without a rule is no hand");
}

static bool forces(enum fb_guard guard) {
    return guard == FB_GUARD_KILL || guard == FB_GUARD_INTERLOCK || guard == FB_GUARD_LOCKOUT ||
           guard == FB_GUARD_MAXIMUM || guard == FB_GUARD_BREAKER;
}

/* From the winner's value to what is left, each guardrail once and in order. */
static double follow(struct run *run, const struct fb_output *o, bool *forced, bool *slewed,
                     bool *kept) {
    double value = o->requested;
    for (uint32_t i = 0; i < o->n_results; i++) {
        const struct fb_guard_result *r = &o->results[i];
        if (i > 0 && r->guard <= o->results[i - 1].guard)
            WRONG(run, o, "%s is asked behind %s", fb_guard_name(r->guard),
                  fb_guard_name(o->results[i - 1].guard));
        if (r->requested != value)
            WRONG(run, o, "%s was given %g, not %g", fb_guard_name(r->guard), r->requested, value);
        bool changes = r->verdict == FB_VERDICT_CHANGE;
        /* A step that is too large by rounding alone is cut to itself. */
        if (r->applied != r->requested ? !changes : changes && r->guard != FB_GUARD_SLEW)
            WRONG(run, o, "%s says %s of %g and makes %g of it", fb_guard_name(r->guard),
                  fb_verdict_name(r->verdict), r->requested, r->applied);
        value = r->applied;
        *forced |= r->verdict == FB_VERDICT_CHANGE && forces(r->guard);
        *slewed |= r->verdict == FB_VERDICT_CHANGE && r->guard == FB_GUARD_SLEW;
        *kept |= r->verdict == FB_VERDICT_HOLD || r->verdict == FB_VERDICT_REFUSE;
    }
    return value;
}

static void check_reason(struct run *run, const struct fb_output *o, bool forced, bool slewed) {
    enum fb_command_reason wanted = forced                            ? FB_REASON_SAFE
                                    : slewed                          ? FB_REASON_SLEW
                                    : o->priority == FB_PRIORITY_NONE ? FB_REASON_RELINQUISHED
                                                                      : FB_REASON_CLAIMED;
    /* `on unknown safe` makes safe by the claim itself. */
    bool unknown = o->reason == FB_REASON_SAFE && o->requested == o->actuator->safe;
    if (o->reason != wanted && !unknown)
        WRONG(run, o, "the reason is %s, not %s", fb_command_reason_name(o->reason),
              fb_command_reason_name(wanted));
}

static void check_command(struct run *run, struct track *t, const struct fb_output *o) {
    bool forced = false, slewed = false, kept = false;
    double left = follow(run, o, &forced, &slewed, &kept);
    run->checks->commands++;
    check_sequence(run, t, o);
    if (o->value < o->actuator->low || o->value > o->actuator->high)
        WRONG(run, o, "%g is outside its range", o->value);
    if (o->reason == FB_REASON_RENEWED) {
        /* Several controls may stand for one rule. */
        bool same_rule =
            o->rule == NULL || (t->rule != NULL && fb_str_eq(o->rule->name, t->rule->name));
        if (t->seq == 0 || o->value != t->value || o->priority != t->priority || !same_rule)
            WRONG(run, o, "a renewal of what is not in force");
    } else {
        check_winner(run, o);
        check_reason(run, o, forced, slewed);
        if (kept || left != o->value)
            WRONG(run, o, "the guardrails leave %g%s of %g, %g is sent", left,
                  kept ? ", and keep it," : "", o->requested, o->value);
    }
    t->seq = o->seq;
    t->value = o->value;
    t->at_us = o->at_us;
    t->lease_until_us = o->lease_until_us;
    t->rule = o->rule;
    t->priority = o->priority;
}

/* --- Blocks --- */

/* What blocks has said so. */
static void check_said(struct run *run, const struct fb_output *o) {
    for (uint32_t i = 0; i < o->n_results; i++)
        if (o->results[i].guard == o->guard && o->results[i].verdict != FB_VERDICT_PASS)
            return;
    WRONG(run, o, "%s blocks, but let it pass", fb_guard_name(o->guard));
}

static void check_block(struct run *run, struct track *t, const struct fb_output *o) {
    bool forced = false, slewed = false, kept = false;
    follow(run, o, &forced, &slewed, &kept);
    run->checks->blocks++;
    if (o->guard == FB_GUARD_RANGE || o->guard == FB_GUARD_SLEW)
        WRONG(run, o, "%s never blocks", fb_guard_name(o->guard));
    if (o->ended) {
        if (t->blocks != o->guard || o->count == 0)
            WRONG(run, o, "a block by %s ends after %" PRIu64 ", but it did not begin",
                  fb_guard_name(o->guard), o->count);
        t->blocks = FB_GUARDS;
    } else {
        if (t->blocks != FB_GUARDS)
            WRONG(run, o, "a block by %s has not ended", fb_guard_name(t->blocks));
        check_said(run, o);
        check_winner(run, o);
        t->blocks = o->guard;
    }
    check_in_force(run, t, o);
}

/* --- Calls that hold --- */

static bool concerns(const struct fb_call *kill, const struct fb_output *o) {
    switch (kill->scope) {
    case FB_SCOPE_ALL:
        return true;
    case FB_SCOPE_ACTUATOR:
        return fb_str_eq(kill->name, o->actuator->name);
    case FB_SCOPE_RULE:
        return o->rule != NULL && fb_str_eq(kill->name, o->rule->name);
    }
    FB_BUG("a scope");
}

/* Of a rule's kill a renewal of its last command may be another winner's decision. Of several kills
 * `safe` comes first. */
static void check_kills(struct run *run, const struct fb_output *o) {
    enum fb_kill mode = FB_KILL_NONE;
    for (size_t i = 0; i < run->n_kills; i++) {
        const struct kill *kill = &run->kills[i];
        if (!kill->there || !concerns(&kill->call, o) ||
            (kill->call.scope == FB_SCOPE_RULE && o->reason == FB_REASON_RENEWED))
            continue;
        if (mode != FB_KILL_SAFE)
            mode = kill->call.mode;
    }
    run->checks->killed += mode != FB_KILL_NONE;
    if (mode == FB_KILL_FREEZE || (mode == FB_KILL_SAFE && o->value != o->actuator->safe))
        WRONG(run, o, "%g is commanded while a kill %s is in force", o->value,
              mode == FB_KILL_SAFE ? "safe" : "freeze");
}

static bool has_hand(const struct fb_output *o) {
    return o->n_entries > 0 && o->entries[0].priority == FB_PRIORITY_HAND;
}

static void check_hand(struct run *run, const struct fb_output *o) {
    run->checks->in_hand += has_hand(o);
    if (has_hand(o) && o->rule != NULL && o->reason != FB_REASON_RENEWED)
        WRONG(run, o, "a rule wins over the hand");
}

/* Kills of one scope and name take the place of each other. */
static void note_kill(struct run *run, const struct fb_call *call) {
    for (size_t i = 0; i < run->n_kills; i++) {
        struct kill *kill = &run->kills[i];
        if (kill->call.scope == call->scope && fb_str_eq(kill->call.name, call->name))
            kill->there = false;
    }
    FB_ASSERT(run->n_kills < CALLS_MAX);
    if (call->kind == FB_CALL_KILL)
        run->kills[run->n_kills++] = (struct kill){*call, true};
}

/* --- Alarms --- */

#define WRONG_ALARM(run, a, ...)                                                                   \
    do {                                                                                           \
        if ((run)->wrong++ < 5) {                                                                  \
            printf("%.*s/%.*s: ", FB_ARG((a)->rule->name), FB_ARG((a)->device));                   \
            printf(__VA_ARGS__);                                                                   \
            printf("\n");                                                                          \
        }                                                                                          \
    } while (0)

static struct alarm *alarm_of(struct run *run, const struct fb_output *o) {
    for (size_t i = 0; i < run->n_alarms; i++)
        if (run->alarms[i].rule == o->rule && fb_str_eq(run->alarms[i].device, o->device))
            return &run->alarms[i];
    FB_ASSERT(run->n_alarms < ALARMS_MAX);
    struct alarm *a = &run->alarms[run->n_alarms++];
    a->rule = o->rule;
    a->device = fb_str_copy(run->arena, o->device);
    return a;
}

/* Only a raise makes it active, only a clear ends that; only calls acknowledge and shelve. */
static void check_change(struct run *run, const struct alarm *a, const struct fb_output *o) {
    const char *event = fb_alert_event_name(o->event);
    bool raised = o->event == FB_ALERT_RAISED, cleared = o->event == FB_ALERT_CLEARED;
    bool rises = raised || (o->event == FB_ALERT_SEVERITY && o->severity > a->severity);
    bool shelved = o->event == FB_ALERT_SHELVED;
    if (raised == a->active && (raised || cleared || o->event == FB_ALERT_SEVERITY))
        WRONG_ALARM(run, a, "%s while it is%s active", event, a->active ? "" : " not");
    if (o->active != (raised || (a->active && !cleared)))
        WRONG_ALARM(run, a, "active is %d behind %s", o->active, event);
    if (o->acked != (o->event == FB_ALERT_ACKED || (a->acked && !rises)))
        WRONG_ALARM(run, a, "acked is %d behind %s", o->acked, event);
    if (o->shelved != (shelved || (a->shelved && o->event != FB_ALERT_UNSHELVED)))
        WRONG_ALARM(run, a, "shelved is %d behind %s", o->shelved, event);
    if (!raised && o->event != FB_ALERT_SEVERITY && o->severity != a->severity)
        WRONG_ALARM(run, a, "another severity behind %s", event);
}

static void check_alarm(struct run *run, const struct fb_output *o) {
    struct alarm *a = alarm_of(run, o);
    bool change = o->event <= FB_ALERT_SEVERITY, mute = o->shelved || o->suppressed;
    run->checks->alarms++;
    run->checks->muted += o->kind == FB_OUT_MUTED;
    check_change(run, a, o);
    if ((o->kind == FB_OUT_MUTED) != (change && mute))
        WRONG_ALARM(run, a, "%s %s out while it is%s kept back", fb_alert_event_name(o->event),
                    o->kind == FB_OUT_MUTED ? "does not go" : "goes", mute ? "" : " not");
    a->active = o->active;
    a->severity = o->severity;
    a->acked = o->acked;
    a->shelved = o->shelved;
    a->suppressed = o->suppressed;
    if (o->kind == FB_OUT_MUTED)
        return;
    a->told_active = o->active;
    a->told_severity = o->severity;
    a->told_acked = o->acked;
}

static void check_what_is_told(struct run *run) {
    for (size_t i = 0; i < run->n_alarms; i++) {
        const struct alarm *a = &run->alarms[i];
        bool same = a->active == a->told_active &&
                    (!a->active || (a->severity == a->told_severity && a->acked == a->told_acked));
        if (!a->shelved && !a->suppressed && !same)
            WRONG_ALARM(run, a, "what was told of it last is not what is");
    }
}

/* --- The trail --- */

static void add_id(struct run *run, const struct fb_encoded *encoded, const struct fb_output *o) {
    struct fb_str id = fb_str_copy(run->arena, fb_str_of(encoded->id));
    fb_buf_str(&run->trail, id);
    fb_buf_char(&run->trail, '\n');
    run->checks->ids++;
    if (run->judged && o->actuator != NULL && fb_map_get(run->ids, id) != FB_MAP_NONE)
        WRONG(run, o, "the id %.*s comes twice", FB_ARG(id));
    fb_map_put(run->ids, id, 0);
}

static bool has_member(struct fb_str data, const char *name, const char *text) {
    char wanted[200];
    int n = snprintf(wanted, sizeof wanted, "\"%s\":\"%s\"", name, text);
    return memmem(data.p, data.n, wanted, (size_t)n) != NULL;
}

/* What it is told of in the audit; a block there alone. */
static void add_audit(struct run *run, const struct fb_output *o) {
    struct fb_circumstance circumstance = {0};
    struct fb_encoded encoded;
    uint64_t seq = run->auditor.seq;
    run->auditor.clock_us = run->side.clock_us;
    fb_audit_decision(&run->auditor, run->encoder, o, circumstance, NULL, &encoded);
    fb_buf_str(&run->trail, encoded.data);
    fb_buf_char(&run->trail, '\n');
    if (!run->judged || o->actuator == NULL)
        return;
    bool named = o->kind == FB_OUT_COMMAND ||
                 (has_member(encoded.data, "guardrail", fb_guard_name(o->guard)) &&
                  has_member(encoded.data, "outcome", o->ended ? "ended" : "began"));
    if (encoded.stream != FB_STREAM_AUDIT || run->auditor.seq != seq + 1 || !named)
        WRONG(run, o, "no audit record tells of it: %.*s", FB_ARG(encoded.data));
}

static void look_at(void *context, const struct fb_output *o) {
    struct run *run = context;
    struct fb_circumstance circumstance = {0};
    struct fb_encoded encoded;
    if (fb_audit_tells_of(o->kind))
        add_audit(run, o);
    if (fb_output_goes_out(o->kind)) {
        fb_encode(run->encoder, o, circumstance, &encoded);
        add_id(run, &encoded, o);
    }
    if (!run->judged)
        return;
    if (o->kind == FB_OUT_ALERT || o->kind == FB_OUT_MUTED)
        check_alarm(run, o);
    if (o->actuator == NULL)
        return;
    struct track *t = track_of(run, o);
    if (o->kind == FB_OUT_COMMAND) {
        check_command(run, t, o);
        check_kills(run, o);
        check_hand(run, o);
    } else {
        check_block(run, t, o);
    }
}

/* --- Nothing is withheld in silence --- */

static const struct track *find_track(const struct run *run, const struct ora_wish *wish) {
    for (size_t i = 0; i < run->n_tracks; i++) {
        const struct track *t = &run->tracks[i];
        if (t->class_index == wish->class_index && t->actuator->shadow == wish->shadow &&
            fb_str_eq(t->actuator->name, wish->actuator) && fb_str_eq(t->device, wish->device))
            return t;
    }
    return NULL;
}

/* A value outside the range is asked for as its end, and slew gets there step by step. */
static void check_wish(void *context, const struct ora_wish *wish) {
    struct run *run = context;
    const struct track *t = find_track(run, wish);
    bool in_force = t != NULL && t->seq > 0;
    if (wish->pending || (!wish->claimed && !in_force))
        return;
    run->checks->wishes++;
    if (in_force && t->value == wish->value)
        return;
    run->checks->withheld++;
    if ((t == NULL || t->blocks == FB_GUARDS) && !wish->slews) {
        if (run->wrong++ < 5)
            printf("%s%.*s/%.*s: %g is asked for, %s %g is in force, and no block is open\n",
                   wish->shadow ? "shadow of " : "", FB_ARG(wish->actuator), FB_ARG(wish->device),
                   wish->value, in_force ? "but" : "nothing, not", in_force ? t->value : 0.0);
    }
}

/* --- Runs --- */

static void begin(struct run *run, const struct input *in, struct checks *checks, bool judged) {
    *run = (struct run){.arena = fb_arena_new(),
                        .program = in->program,
                        .wall_us = FB_NO_TIME,
                        .judged = judged,
                        .checks = checks};
    run->encoder = fb_encoder_new(in->program, FB_S("properties"));
    run->auditor.task = FB_S("properties/0");
    run->auditor.clock_us = FB_NO_TIME;
    run->ids = fb_map_new();
    side_begin(&run->side, in);
    run->side.tap = look_at;
    run->side.tap_context = run;
}

static void end(struct run *run) {
    side_end(&run->side);
    fb_encoder_free(run->encoder);
    fb_map_free(run->ids);
    fb_buf_free(&run->trail);
    fb_arena_free(run->arena);
}

static void ignore(void *context, const struct fb_output *output) {
    (void)context;
    (void)output;
}

static void reference_step(struct ora *o, const struct gen_event *event) {
    ora_set_wall(o, event->wall_us);
    if (event->call != NULL)
        ora_call(o, event->call, event->clock_us);
    else if (event->tick)
        ora_advance(o, event->clock_us);
    else
        ora_take(o, &event->entry, event->clock_us);
}

static void check_told(struct run *run) {
    for (size_t i = 0; i < run->n_tracks; i++)
        if (run->tracks[i].foretold && run->wrong++ < 5)
            printf("%.*s/%.*s: %g was foretold and not commanded\n",
                   FB_ARG(run->tracks[i].actuator->name), FB_ARG(run->tracks[i].device),
                   run->tracks[i].told);
}

static void run_judged(struct run *run, const struct input *in, const struct fb_tree *tree) {
    struct ora *o = ora_new(tree, in->max_skew_us, in->max_lag_us, ignore, NULL);
    for (size_t i = 0; i < in->n; i++) {
        const struct gen_event *event = &in->events[i];
        if (event->wall_us > run->wall_us)
            run->wall_us = event->wall_us;
        side_step(&run->side, event);
        reference_step(o, event);
        if (event->call != NULL && run->side.outcome == FB_CALL_ACCEPTED &&
            (event->call->kind == FB_CALL_KILL || event->call->kind == FB_CALL_UNKILL))
            note_kill(run, event->call);
        ora_each_wish(o, check_wish, run);
        check_told(run);
        check_what_is_told(run);
    }
    if (in->finish_wall_us > run->wall_us)
        run->wall_us = in->finish_wall_us;
    side_finish(&run->side, in);
    ora_free(o);
}

static bool run_restarted(struct run *run, const struct input *in) {
    for (size_t i = 0; i < in->n; i++) {
        side_step(&run->side, &in->events[i]);
        run->checks->restarts++;
        if (!side_restart(&run->side, in))
            return false;
    }
    side_finish(&run->side, in);
    return true;
}

static bool run_seed(uint64_t seed, struct checks *checks) {
    static struct run run, again;
    struct compiled_case of;
    bool ok = true;
    compiled_case_begin(&of, seed);
    if (of.ok && of.c->n_actuators > 0) {
        struct input in = input_of(of.c, &of.compiled);
        begin(&run, &in, checks, true);
        run_judged(&run, &in, of.compiled.tree);
        begin(&again, &in, checks, false);
        ok = run_restarted(&again, &in) && run.wrong == 0;
        ok &= same_bytes((struct fb_str){run.trail.p, run.trail.n},
                         (struct fb_str){again.trail.p, again.trail.n},
                         "ids and audit, with and without restarts");
        end(&run);
        end(&again);
        checks->cases++;
    }
    compiled_case_end(&of);
    if (!ok)
        printf("seed %" PRIu64 "\n", seed);
    return ok;
}

/* properties FROM TO: seeds FROM .. TO - 1. */
int main(int argc, char **argv) {
    struct checks n = {0};
    unsigned failed = 0;
    if (argc != 3) {
        fprintf(stderr, "properties FROM TO\n");
        return 2;
    }
    uint64_t from = strtoull(argv[1], NULL, 10), to = strtoull(argv[2], NULL, 10);
    for (uint64_t seed = from; seed < to; seed++)
        failed += !run_seed(seed, &n);
    printf("%" PRIu64 " cases: %" PRIu64 " commands, %" PRIu64 " winners, %" PRIu64
           " records of blocks; what is asked for looked at %" PRIu64 " times, withheld %" PRIu64
           " times; %" PRIu64 " commands to safe under a kill, %" PRIu64 " under a hand; %" PRIu64
           " changes of alarms, %" PRIu64 " not annunciated; %" PRIu64 " ids, %" PRIu64
           " restarts\n",
           n.cases, n.commands, n.winners, n.blocks, n.wishes, n.withheld, n.killed, n.in_hand,
           n.alarms, n.muted, n.ids, n.restarts);
    printf("torture: properties cases=%" PRIu64 " violations=%u seeds=%" PRIu64 "..%" PRIu64 "\n",
           n.cases, failed, from, to - 1);
    bool empty = n.winners == 0 || n.blocks == 0 || n.withheld == 0 || n.killed == 0 ||
                 n.in_hand == 0 || n.muted == 0 || n.ids == 0 || n.restarts == 0;
    return failed == 0 && !empty ? 0 : 1;
}
