#include "tests/oracle/shrink.h"

#include "tests/oracle/run_both.h"

#include <string.h>

static bool still_differs(const struct gen_case *c) {
    struct run_result result;
    run_case(c, &result, NULL);
    bool differs = result.compiled && result.first_difference != SIZE_MAX;
    run_result_free(&result);
    return differs;
}

/* Tries a change of some bytes of the case; takes it back where the difference goes. */
static bool try_bytes(struct gen_case *c, void *at, const void *value, size_t n) {
    unsigned char before[64];
    if (n > sizeof before || memcmp(at, value, n) == 0)
        return false;
    memcpy(before, at, n);
    memcpy(at, value, n);
    if (still_differs(c))
        return true;
    memcpy(at, before, n);
    return false;
}

static bool try_flag(struct gen_case *c, bool *flag) {
    const bool off = true;
    return try_bytes(c, flag, &off, sizeof off);
}

static bool try_null(struct gen_case *c, void *pointer) {
    const void *null = NULL;
    return try_bytes(c, pointer, &null, sizeof null);
}

static bool shrink_events(struct gen_case *c) {
    bool progress = false;
    for (size_t chunk = c->n_events; chunk > 0; chunk /= 2) {
        for (size_t start = 0; start < c->n_events; start += chunk) {
            size_t end = start + chunk < c->n_events ? start + chunk : c->n_events, changed = 0;
            struct fb_arena *arena = fb_arena_new();
            bool *before = FB_ARENA_ARRAY(arena, bool, chunk);
            for (size_t i = start; i < end; i++) {
                before[i - start] = c->events[i].off;
                changed += !c->events[i].off;
                c->events[i].off = true;
            }
            if (changed > 0 && still_differs(c)) {
                progress = true;
            } else {
                for (size_t i = start; i < end; i++)
                    c->events[i].off = before[i - start];
            }
            fb_arena_free(arena);
        }
    }
    return progress;
}

static bool shrink_samples(struct gen_case *c) {
    bool progress = false;
    for (size_t i = 0; i < c->n_events; i++) {
        struct fb_entry *entry = &c->events[i].entry;
        for (uint32_t s = 0; !c->events[i].off && s < entry->n_samples;
             s++) { /* a tick or call has none */
            struct fb_entry before = *entry;
            const struct gen_class *class = &c->classes[entry->class_index];
            if (class->fields[entry->samples[s].field].role == GEN_KEY)
                continue;
            struct fb_sample *fewer = FB_ARENA_ARRAY(c->arena, struct fb_sample, entry->n_samples);
            memcpy(fewer, entry->samples, s * sizeof *fewer);
            memcpy(fewer + s, entry->samples + s + 1,
                   ((size_t)entry->n_samples - s - 1) * sizeof *fewer);
            entry->samples = fewer;
            entry->n_samples--;
            if (still_differs(c)) {
                progress = true;
                s--;
            } else {
                *entry = before;
            }
        }
    }
    return progress;
}

/* Puts a kid, or the kid of a kid, in the place of an expression of the same family. */
static bool shrink_node(struct gen_case *c, struct gen_node **place) {
    bool progress = false;
    if (*place == NULL)
        return false;
    for (uint32_t i = 0; i < (*place)->n_kids;) {
        struct gen_node *kid = (*place)->kids[i];
        if (kid->family == (*place)->family && try_bytes(c, place, &kid, sizeof kid)) {
            progress = true;
            i = 0;
        } else {
            i++;
        }
    }
    for (uint32_t i = 0; i < (*place)->n_kids; i++)
        progress |= shrink_node(c, &(*place)->kids[i]);
    return progress;
}

static bool shrink_lets(struct gen_case *c, struct gen_let *lets, uint32_t n) {
    bool progress = false;
    for (uint32_t i = 0; i < n; i++) {
        progress |= !lets[i].off && try_flag(c, &lets[i].off);
        if (!lets[i].off)
            progress |= shrink_node(c, &lets[i].value);
    }
    return progress;
}

static bool shrink_rule(struct gen_case *c, struct gen_rule *rule) {
    bool progress = false;
    const uint32_t zero = 0;
    if (rule->off)
        return false;
    if (try_flag(c, &rule->off))
        return true;
    for (uint32_t i = 0; i < rule->n_raises; i++)
        progress |= !rule->raises[i].off && try_flag(c, &rule->raises[i].off);
    progress |= try_null(c, &rule->where);
    progress |= try_null(c, &rule->deadband);
    progress |= try_null(c, &rule->clear_after);
    progress |= try_null(c, &rule->flapping);
    progress |= try_null(c, &rule->on_unknown);
    progress |= try_bytes(c, &rule->at_most, &zero, sizeof zero);
    progress |= try_bytes(c, &rule->n_slots, &zero, sizeof zero);
    progress |= shrink_lets(c, rule->lets, rule->n_lets);
    progress |= shrink_node(c, &rule->where);
    for (uint32_t i = 0; i < rule->n_raises; i++)
        if (!rule->raises[i].off)
            progress |= shrink_node(c, &rule->raises[i].when);
    for (uint32_t i = 0; i < rule->n_slots; i++)
        progress |= shrink_node(c, &rule->slots[i]);
    return progress;
}

static bool shrink_class(struct gen_case *c, struct gen_class *class) {
    bool progress = false;
    const int64_t never = 0;
    const bool no = false;
    progress |= try_bytes(c, &class->late_s, &never, sizeof never);
    progress |= shrink_lets(c, class->lets, class->n_lets);
    for (uint32_t f = 0; f < class->n_fields; f++) {
        struct gen_field *field = &class->fields[f];
        if (field->role == GEN_KEY || field->texts != GEN_ANY_TEXT || field->off)
            continue;
        progress |= try_flag(c, &field->off);
        progress |= try_bytes(c, &field->every_s, &never, sizeof never);
        progress |= try_bytes(c, &field->stale_s, &never, sizeof never);
        progress |= try_bytes(c, &field->has_range, &no, sizeof no);
        progress |= try_bytes(c, &field->has_null, &no, sizeof no);
    }
    return progress;
}

static bool shrink_clauses(struct gen_case *c, struct gen_node **clauses, uint32_t n,
                           uint32_t fixed) {
    bool progress = false;
    for (uint32_t i = 0; i < n; i++) {
        if (i >= fixed && clauses[i] != NULL)
            progress |= try_null(c, &clauses[i]);
        progress |= shrink_node(c, &clauses[i]);
    }
    return progress;
}

static bool shrink_acting(struct gen_case *c) {
    const bool no = false;
    bool progress = try_bytes(c, &c->fillers, &no, sizeof no);
    progress |= try_null(c, &c->limit);
    for (uint32_t i = 0; i < c->n_controls; i++) {
        struct gen_control *control = &c->controls[i];
        if (control->off || try_flag(c, &control->off))
            continue;
        progress |= try_null(c, &control->where);
        progress |= shrink_node(c, &control->where);
        progress |= shrink_clauses(c, control->clauses, control->n_clauses, control->n_fixed);
    }
    for (uint32_t i = 0; i < c->n_actuators; i++) {
        struct gen_actuator *a = &c->actuators[i];
        if (a->off || try_flag(c, &a->off))
            continue;
        progress |= shrink_clauses(c, a->clauses, a->n_clauses, a->n_fixed);
    }
    return progress;
}

void shrink_case(struct gen_case *c) {
    bool progress = true;
    for (int round = 0; progress && round < 8; round++) {
        progress = false;
        for (uint32_t i = 0; i < c->n_rules; i++)
            progress |= shrink_rule(c, &c->rules[i]);
        progress |= shrink_acting(c);
        progress |= shrink_events(c);
        for (uint32_t i = 0; i < c->n_classes; i++)
            progress |= shrink_class(c, &c->classes[i]);
        for (uint32_t i = 0; i < c->n_params; i++) {
            progress |= !c->params[i].off && try_flag(c, &c->params[i].off);
            progress |= try_null(c, &c->params[i].case_value);
        }
        progress |= shrink_samples(c);
    }
}
