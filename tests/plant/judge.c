/* See judge.h.
 *
 * Place in the flow: see judge.h. */
#include "tests/plant/judge.h"

#include <stdlib.h>

#include "engine/base/err.h"

#define HOUR INT64_C(3600000000)

/* The lease lapsed: no step of the engine. The next command is one, but where commands are lost: a
 * lease that lapses so is one that the engine has renewed. */
static bool is_lapse(const struct loop_course *course, const struct loop_setup *setup,
                     uint32_t i) {
    return course->changes[i].lapsed ||
           (setup->commands_lost > 0 && course->changes[i - 1].lapsed);
}

/* Most of the ascending times that lie in one window (t - window, t]. */
static uint32_t most_within(const int64_t *times, uint32_t n, int64_t window_us) {
    uint32_t most = 0, first = 0;
    for (uint32_t i = 0; i < n; i++) {
        while (times[first] <= times[i] - window_us)
            first++;
        most = i - first + 1 > most ? i - first + 1 : most;
    }
    return most;
}

static uint32_t most_starts(const struct loop_course *course, const struct loop_limits *limits,
                            const struct loop_setup *setup, int64_t *times) {
    uint32_t n = 0;
    for (uint32_t i = 1; i < course->n_changes; i++)
        if (course->changes[i].value == 1 && !is_lapse(course, setup, i))
            times[n++] = course->changes[i].at_us;
    return most_within(times, n, HOUR - limits->jitter_us);
}

static void count_reversals(const struct loop_course *course, const struct loop_limits *limits,
                            const struct loop_setup *setup, int64_t *times,
                            struct judgement *out) {
    int before = 0;
    for (uint32_t i = 1; i < course->n_changes; i++) {
        const int direction = course->changes[i].value > course->changes[i - 1].value ? 1 : -1;
        if (is_lapse(course, setup, i))
            continue;
        if (direction == -before)
            times[out->reversals++] = course->changes[i].at_us;
        before = direction;
    }
    const int64_t window_us = limits->reversals_us - limits->jitter_us;
    out->most_reversals = most_within(times, out->reversals, window_us);
}

/* A rule takes over from another one, which had taken over from it. The default is no rule. */
static void count_alternations(const struct loop_course *course, const struct loop_limits *limits,
                               int64_t *times, struct judgement *out) {
    uint64_t last = 0, before = 0;
    uint32_t n = 0;
    for (uint32_t i = 1; i < course->n_changes; i++) {
        const uint64_t winner = course->changes[i].winner;
        if (winner == 0 || winner == last)
            continue;
        if (winner == before)
            times[n++] = course->changes[i].at_us;
        before = last;
        last = winner;
    }
    out->most_alternations = most_within(times, n, limits->reversals_us - limits->jitter_us);
}

/* Safety asked for the step, whether or not the rules would have asked for it anyway: by what the
 * command says, or the maximum was reached, or the interlock or its lockout lasted. */
static bool is_forced(const struct loop_course *course, uint32_t i,
                      const struct loop_limits *limits, const struct loop_setup *setup) {
    const struct loop_change *from = &course->changes[i - 1], *to = &course->changes[i];
    const int64_t in_spell_us = to->at_us - course->spell_from_us;
    const bool tripped = setup->spell == SPELL_TRIP && course->spell_from_us >= 0 &&
                         in_spell_us >= 0 &&
                         in_spell_us <= setup->spell_us + limits->lockout_us + limits->jitter_us;
    const bool at_maximum = limits->maximum_us > 0 && from->value == 1 &&
                            to->at_us - from->at_us + limits->jitter_us >= limits->maximum_us;
    return to->forced || tripped || at_maximum;
}

static void check_change(const struct loop_course *course, uint32_t i,
                         const struct loop_limits *limits, const struct loop_setup *setup,
                         struct judgement *out) {
    const struct loop_change *from = &course->changes[i - 1], *to = &course->changes[i];
    const int64_t lasted_us = to->at_us - from->at_us;
    const bool counts = limits->is_switch && i > 1 && !is_lapse(course, setup, i);
    if (counts && (out->shortest_us < 0 || lasted_us < out->shortest_us))
        out->shortest_us = lasted_us;
    /* Nor does the engine know that a state began anew with the return from such a lapse. */
    if (setup->commands_lost > 0 && i > 1 && course->changes[i - 2].lapsed)
        return;
    const bool eases = loop_eases(limits->safe, from->value, to->value);
    const bool first = i == 1; /* one that is safe is not held */
    if (is_lapse(course, setup, i))
        return;
    if (eases && (!limits->is_switch || first || is_forced(course, i, limits, setup)))
        return;
    if (limits->is_switch) {
        if (lasted_us + limits->jitter_us < limits->minimum_us[from->value == 1])
            out->broken |= BROKE_MINIMUM;
        return;
    }
    const double up = to->value - from->value, step = up > 0 ? up : -up;
    /* After a lapse the task's clock may come on by the jitter at once, and bring several steps. */
    const int64_t steps = from->lapsed ? 1 + limits->jitter_us / limits->slew_us : 1;
    if (step > limits->slew * (double)steps * (1 + 1e-12) ||
        lasted_us + limits->jitter_us < limits->slew_us)
        out->broken |= BROKE_SLEW;
}

static bool is_on_too_long(const struct loop_course *course, const struct loop_limits *limits,
                           int64_t end_us) {
    for (uint32_t i = 0; i < course->n_changes; i++) {
        const struct loop_change *on = &course->changes[i];
        const int64_t off_us = i + 1 < course->n_changes ? on[1].at_us : end_us;
        if (on->value == 1 && off_us - on->at_us > limits->maximum_us + limits->jitter_us)
            return true;
    }
    return false;
}

/* Safe in time, and safe until the spell and its lockout are over. */
static void check_spell(const struct loop_course *course, const struct loop_limits *limits,
                        const struct loop_setup *setup, struct judgement *out) {
    const int64_t from_us = course->spell_from_us;
    const int64_t to_us = from_us + setup->spell_us + limits->lockout_us;
    if (setup->spell == SPELL_NONE)
        return;
    if (from_us < 0) {
        out->broken |= BROKE_NOTHING_TRIED;
        return;
    }
    double value = limits->safe;
    for (uint32_t i = 0; i < course->n_changes && course->changes[i].at_us < to_us; i++) {
        const struct loop_change *change = &course->changes[i];
        value = change->value;
        if (change->at_us < from_us) {
            out->to_safe_us = value == limits->safe ? 0 : -1; /* of several, one may be already */
            continue;
        }
        if (value == limits->safe)
            out->to_safe_us = change->at_us - from_us;
        else
            out->to_safe_us = -1;
    }
    if (limits->safe_within_us > 0 && (out->to_safe_us < 0 || value != limits->safe ||
                                       out->to_safe_us > limits->safe_within_us))
        out->broken |= BROKE_SAFE;
}

struct judgement judge(const struct loop_course *course, const struct loop_limits *limits,
                       const struct loop_setup *setup) {
    struct judgement out = {.shortest_us = -1, .to_safe_us = -1};
    int64_t *times = malloc((course->n_changes + 1) * sizeof(*times));
    FB_ASSERT(times != NULL);
    /* One more than the breaker allows: the step towards safe after it has opened. */
    const uint32_t allowed = limits->reversals + 1;
    count_reversals(course, limits, setup, times, &out);
    count_alternations(course, limits, times, &out);
    if (out.most_reversals > allowed)
        out.broken |= BROKE_REVERSALS;
    if (out.most_alternations > allowed)
        out.broken |= BROKE_RIVALS;
    /* A start that is towards safe is never held. */
    if (limits->starts > 0 && limits->safe == 0 &&
        most_starts(course, limits, setup, times) > limits->starts)
        out.broken |= BROKE_STARTS;
    if (limits->maximum_us > 0 && !limits->offs_may_be_lost &&
        is_on_too_long(course, limits, setup->length_us))
        out.broken |= BROKE_MAXIMUM;
    if (course->stale_commands > 0)
        out.broken |= BROKE_STALE;
    for (uint32_t i = 1; i < course->n_changes; i++)
        check_change(course, i, limits, setup, &out);
    check_spell(course, limits, setup, &out);
    free(times);
    return out;
}

/* ---- what is over several actuators ---------------------------------------------------------- */

/* A step away from safe that a command made. */
struct step {
    int64_t at_us;
    uint64_t winner; /* 0: the default */
};

static int compare_steps(const void *a, const void *b) {
    const struct step *x = a, *y = b;
    if (x->winner != y->winner)
        return x->winner < y->winner ? -1 : 1;
    return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

static uint32_t take_steps(const struct loop_course *course, const struct loop_limits *limits,
                           const struct loop_setup *setup, struct step *out) {
    uint32_t n = 0;
    for (uint32_t i = 1; i < course->n_changes; i++) {
        const struct loop_change *from = &course->changes[i - 1], *to = &course->changes[i];
        if (!is_lapse(course, setup, i) && !loop_eases(limits->safe, from->value, to->value))
            out[n++] = (struct step){to->at_us, to->winner};
    }
    return n;
}

/* Most steps of one winner in one window; 0: no window. Sorts the steps. */
static uint32_t most_of_one(struct step *steps, uint32_t n, int64_t window_us) {
    uint32_t most = 0, first = 0;
    if (window_us <= 0)
        return 0;
    qsort(steps, n, sizeof(*steps), compare_steps);
    for (uint32_t i = 0; i < n; i++) {
        while (steps[first].winner != steps[i].winner ||
               steps[first].at_us <= steps[i].at_us - window_us)
            first++;
        most = i - first + 1 > most ? i - first + 1 : most;
    }
    return most;
}

/* The default is no rule. */
static uint32_t most_of_rule(const struct step *steps, uint32_t n, int64_t window_us,
                             struct step *sorted) {
    uint32_t of_rules = 0;
    for (uint32_t i = 0; i < n; i++)
        if (steps[i].winner != 0)
            sorted[of_rules++] = steps[i];
    return most_of_one(sorted, of_rules, window_us);
}

static void judge_rates(const struct loop_courses *courses, const struct loop_limits *limits,
                        const struct loop_setup *setup, struct judgement *out) {
    uint32_t most = 1, n = 0;
    for (uint32_t m = 0; m < setup->machines; m++)
        for (uint32_t a = 0; a < setup->acts; a++)
            most += courses->of[m][a].n_changes;
    struct step *steps = malloc(most * sizeof(*steps)), *sorted = malloc(most * sizeof(*sorted));
    FB_ASSERT(steps != NULL && sorted != NULL);
    for (uint32_t m = 0; m < setup->machines; m++) {
        const uint32_t first = n;
        for (uint32_t a = 0; a < setup->acts; a++)
            n += take_steps(&courses->of[m][a], limits, setup, steps + n);
        const uint32_t of_rule =
            most_of_rule(steps + first, n - first, limits->rate_us - limits->jitter_us, sorted);
        out->most_of_rule = of_rule > out->most_of_rule ? of_rule : out->most_of_rule;
    }
    for (uint32_t i = 0; i < n; i++)
        steps[i].winner = 0;
    out->most_of_all = most_of_one(steps, n, limits->commands_us - limits->jitter_us);
    if (limits->rate > 0 && out->most_of_rule > limits->rate)
        out->broken |= BROKE_RATE;
    if (limits->commands > 0 && out->most_of_all > limits->commands)
        out->broken |= BROKE_COMMANDS;
    free(steps);
    free(sorted);
}

static void take_worst(struct judgement *all, const struct judgement *one) {
    all->reversals += one->reversals;
    if (one->most_reversals > all->most_reversals)
        all->most_reversals = one->most_reversals;
    if (one->most_alternations > all->most_alternations)
        all->most_alternations = one->most_alternations;
    if (one->shortest_us >= 0 && (all->shortest_us < 0 || one->shortest_us < all->shortest_us))
        all->shortest_us = one->shortest_us;
    if (one->to_safe_us < 0 || one->to_safe_us > all->to_safe_us)
        all->to_safe_us = all->to_safe_us < 0 ? -1 : one->to_safe_us;
    all->broken |= one->broken;
}

struct judgement judge_all(const struct loop_courses *courses, const struct loop_limits *limits,
                           const struct loop_setup *setup) {
    struct judgement out = {.shortest_us = -1};
    for (uint32_t m = 0; m < setup->machines; m++) {
        for (uint32_t a = 0; a < setup->acts; a++) {
            const struct judgement one = judge(&courses->of[m][a], limits, setup);
            take_worst(&out, &one);
        }
    }
    judge_rates(courses, limits, setup, &out);
    return out;
}
