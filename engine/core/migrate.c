/* Compares two programs, class by class.
 *
 * Place in the flow: see migrate.h. */
#include "engine/core/migrate.h"

#include <stdlib.h>

#include "engine/base/err.h"
#include "engine/core/window.h"

const char *fb_fate_name(enum fb_fate fate) {
    switch (fate) {
    case FB_FATE_KEEP: return "keep";
    case FB_FATE_MIGRATE: return "migrate";
    case FB_FATE_RESET: return "reset";
    case FB_FATE_NEW: return "new";
    case FB_FATE_REMOVE: return "remove";
    case FB_FATES: break;
    }
    return "?";
}

/* Two classes while they are compared. */
struct pair {
    const struct fb_program *from_program, *to_program;
    const struct fb_class *from, *to;
    struct fb_class_change *change;
    bool *taken; /* of the old cells */
};

static const struct fb_cell_id *new_cell(const struct pair *p, uint32_t i) {
    return &p->to->cells[i];
}
static const struct fb_cell_id *old_cell(const struct pair *p, uint32_t i) {
    return &p->from->cells[i];
}

static void join(struct pair *p, uint32_t from, uint32_t to, enum fb_fate fate, const char *why) {
    p->change->moves[to] = (struct fb_cell_move){fate, from, to, why};
    p->taken[from] = true;
}

static bool is_open(const struct pair *p, uint32_t to) {
    return p->change->moves[to].from == FB_NONE;
}

static bool same_hash(const struct fb_cell_id *from, const struct fb_cell_id *to) {
    return from->kind == to->kind && fb_hash128_eq(from->hash, to->hash);
}
static bool same_likeness(const struct fb_cell_id *from, const struct fb_cell_id *to) {
    return from->kind == to->kind && fb_hash128_eq(from->likeness, to->likeness);
}

/* Of what may be a word, the words too: they are known by their places. */
static bool same_numbers(const struct fb_cell_id *from, const struct fb_cell_id *to) {
    return same_likeness(from, to) && from->words == 0 && to->words == 0;
}

/* ---- fields, windows, rules ---------------------------------------------------------------- */

static bool same_name(const struct fb_cell_id *from, const struct fb_cell_id *to) {
    return from->kind == to->kind && fb_str_eq(from->name, to->name);
}

/* Of several published values that are computed alike each keeps its own, since a rule that comes
 * with another one must not take what the others read. */
static bool same_hash_and_name(const struct fb_cell_id *from, const struct fb_cell_id *to) {
    return same_hash(from, to) && same_name(from, to);
}

static const char *const words_changed = "its words changed";

/* Joins the open new cells of a kind with the first old one that is alike. */
static void join_all(struct pair *p, enum fb_cell_kind kind,
                     bool (*alike)(const struct fb_cell_id *, const struct fb_cell_id *),
                     enum fb_fate fate, const char *why) {
    for (uint32_t to = 0; to < p->to->n_cells; to++)
        for (uint32_t from = 0; from < p->from->n_cells; from++) {
            if (new_cell(p, to)->kind != kind || !is_open(p, to) || p->taken[from] ||
                !alike(old_cell(p, from), new_cell(p, to)))
                continue;
            join(p, from, to, fate, why);
            break;
        }
}

static const struct fb_window *window_of(const struct fb_class *class_,
                                         const struct fb_cell_id *cell) {
    return &class_->windows[cell->index];
}

static bool same_extent(const struct fb_window *a, const struct fb_window *b) {
    return a->length_us == b->length_us &&
           (a->shape != FB_SHAPE_LAST || b->shape != FB_SHAPE_LAST || a->places == b->places);
}

static bool is_longer(const struct fb_window *a, const struct fb_window *b) {
    return a->length_us > b->length_us ||
           (a->length_us == b->length_us && a->places > b->places);
}

/* The longest old window of the same samples whose content can go along; else one that shows why
 * none can. */
static void join_window(struct pair *p, uint32_t to, bool any_extent) {
    const struct fb_window *window = window_of(p->to, new_cell(p, to));
    uint32_t best = FB_NONE;
    const char *best_why = NULL;
    for (uint32_t from = 0; from < p->from->n_cells; from++) {
        if (p->taken[from] || !same_likeness(old_cell(p, from), new_cell(p, to)))
            continue;
        const struct fb_window *old = window_of(p->from, old_cell(p, from));
        if (!any_extent && !same_extent(old, window))
            continue;
        const char *why = fb_window_cannot_move(old, window);
        bool better = best == FB_NONE || (best_why && !why) ||
                      (!best_why == !why &&
                       is_longer(old, window_of(p->from, old_cell(p, best))));
        if (better) {
            best = from;
            best_why = why;
        }
    }
    if (best != FB_NONE)
        join(p, best, to, best_why ? FB_FATE_RESET : FB_FATE_MIGRATE,
             best_why ? best_why : "its samples go along");
}

static void join_content(struct pair *p) {
    join_all(p, FB_CELL_FIELD, same_hash, FB_FATE_KEEP, NULL);
    join_all(p, FB_CELL_FIELD, same_likeness, FB_FATE_MIGRATE, words_changed);
    join_all(p, FB_CELL_FIELD, same_name, FB_FATE_RESET, "its type or unit changed");
    join_all(p, FB_CELL_WINDOW, same_hash, FB_FATE_KEEP, NULL);
    for (int pass = 0; pass < 2; pass++) /* those of the same length choose first */
        for (uint32_t to = 0; to < p->to->n_cells; to++)
            if (new_cell(p, to)->kind == FB_CELL_WINDOW && is_open(p, to))
                join_window(p, to, pass == 1);
    join_all(p, FB_CELL_RULE, same_hash, FB_FATE_KEEP, NULL);
    join_all(p, FB_CELL_RULE, same_likeness, FB_FATE_KEEP, NULL);
    join_all(p, FB_CELL_ACTUATOR, same_hash, FB_FATE_KEEP, NULL);
    join_all(p, FB_CELL_ACTUATOR, same_likeness, FB_FATE_RESET,
             "its words or its unit changed: nothing counts as accepted any more");
    join_all(p, FB_CELL_CLAIM, same_hash, FB_FATE_KEEP, NULL);
    join_all(p, FB_CELL_CLAIM, same_likeness, FB_FATE_KEEP, NULL);
    join_all(p, FB_CELL_CLAIM, same_name, FB_FATE_RESET, "its actuator is another one");
    join_all(p, FB_CELL_FLEET, same_hash, FB_FATE_KEEP, NULL);
    join_all(p, FB_CELL_RATE, same_hash, FB_FATE_KEEP, NULL);
    join_all(p, FB_CELL_RATE, same_likeness, FB_FATE_MIGRATE,
             "its numbers changed; what it counted last stays");
    join_all(p, FB_CELL_PUBLISHED, same_hash_and_name, FB_FATE_KEEP, NULL);
    join_all(p, FB_CELL_PUBLISHED, same_hash, FB_FATE_KEEP, NULL);
    join_all(p, FB_CELL_PUBLISHED, same_numbers, FB_FATE_KEEP,
             "its numbers changed; what it is stays until it is evaluated");
}

/* What is said of a rule or a claim that is the same one, but not to the bit. */
static const char *why_rule(enum fb_rule_sort sort) {
    switch (sort) {
    case FB_SORT_ALARM:
    case FB_SORT_EVENT: return "it changed; what it has raised or counted stays";
    case FB_SORT_MODE:
        return "it changed; it stays in its state, if that is still there";
    case FB_SORT_CONTROL: return "it changed; it is on or off as before until its start says else";
    case FB_SORT_ACTUATOR: return "its text changed; what it remembers stays";
    case FB_SORT_PUBLISHED:
        return NULL;
    }
    FB_BUG("a sort of rule");
}

static const char *why_claim(const struct fb_claim *from, const struct fb_claim *to) {
    if (to->percent > 0 && to->percent < from->percent)
        return "it changed; on devices where it is not real any more it is withdrawn";
    if (to->percent < from->percent)
        return "it changed; it is not real any more: where it is in force it is withdrawn";
    return "it changed; its last known value stays until its new one is known";
}

static void explain_changed(struct pair *p) {
    for (uint32_t to = 0; to < p->to->n_cells; to++) {
        struct fb_cell_move *move = &p->change->moves[to];
        if (move->fate != FB_FATE_KEEP || same_hash(old_cell(p, move->from), new_cell(p, to)))
            continue;
        uint32_t index = new_cell(p, to)->index;
        if (new_cell(p, to)->kind == FB_CELL_RULE)
            move->why = why_rule(p->to_program->rules[index].sort);
        if (new_cell(p, to)->kind == FB_CELL_CLAIM)
            move->why =
                why_claim(&p->from->claims[old_cell(p, move->from)->index], &p->to->claims[index]);
    }
}

/* ---- conditions ---------------------------------------------------------------------------- */

static uint32_t rule_of(const struct fb_class *class_, const struct fb_cell_id *cell) {
    return class_->conditions[cell->index].rule;
}

/* Both conditions of one rule, which is there before and after, for the same purpose. */
static bool same_rule(const struct pair *p, uint32_t from, uint32_t to) {
    const struct fb_cell_id *old = old_cell(p, from), *now = new_cell(p, to);
    if (old->kind != FB_CELL_CONDITION || now->kind != FB_CELL_CONDITION)
        return false;
    const struct fb_rule *a = &p->from_program->rules[rule_of(p->from, old)];
    const struct fb_rule *b = &p->to_program->rules[rule_of(p->to, now)];
    return a->sort == b->sort && fb_str_eq(a->name, b->name) && fb_str_eq(a->target, b->target) &&
           p->from->conditions[old->index].role == p->to->conditions[now->index].role;
}

static const char *why_reset(const struct pair *p, uint32_t to) {
    switch (p->to_program->rules[rule_of(p->to, new_cell(p, to))].sort) {
    case FB_SORT_ALARM:
    case FB_SORT_EVENT:
        return "another condition; its delays begin anew, an active alarm stays until the new "
               "condition ends it";
    case FB_SORT_MODE:
    case FB_SORT_CONTROL: return "another condition; its delays begin anew";
    case FB_SORT_ACTUATOR:
    case FB_SORT_PUBLISHED:
        return "another condition; its delays begin anew";
    }
    FB_BUG("a sort of rule");
}

static void join_conditions(struct pair *p, int pass) {
    for (uint32_t to = 0; to < p->to->n_cells; to++) {
        if (new_cell(p, to)->kind != FB_CELL_CONDITION || !is_open(p, to))
            continue;
        for (uint32_t from = 0; from < p->from->n_cells; from++) {
            if (p->taken[from] || !same_rule(p, from, to))
                continue;
            if (pass == 0 && same_hash(old_cell(p, from), new_cell(p, to)))
                join(p, from, to, FB_FATE_KEEP, NULL);
            else if (pass == 1 && same_likeness(old_cell(p, from), new_cell(p, to)))
                join(p, from, to, FB_FATE_KEEP, "its numbers changed; its delays go on");
            else if (pass == 2)
                join(p, from, to, FB_FATE_RESET, why_reset(p, to));
            else
                continue;
            break;
        }
    }
}

/* for, until, elapsed of two conditions that are joined. */
static void join_operators(struct pair *p, bool (*alike)(const struct fb_cell_id *,
                                                         const struct fb_cell_id *)) {
    for (uint32_t to = 0; to < p->to->n_cells; to++) {
        const struct fb_cell_id *now = new_cell(p, to);
        bool is_operator = now->kind == FB_CELL_FOR || now->kind == FB_CELL_UNTIL ||
                           now->kind == FB_CELL_ELAPSED;
        if (!is_operator || !is_open(p, to))
            continue;
        uint32_t condition = p->change->condition_from[now->index];
        for (uint32_t from = 0; condition != FB_NONE && from < p->from->n_cells; from++) {
            const struct fb_cell_id *old = old_cell(p, from);
            if (p->taken[from] || old->index != condition || !alike(old, now))
                continue;
            join(p, from, to, FB_FATE_KEEP,
                 same_hash(old, now) ? NULL : "its numbers changed; it goes on");
            break;
        }
    }
}

/* ---- what follows for the rules ------------------------------------------------------------ */

static uint32_t cell_of(const struct fb_class *class_, enum fb_cell_kind kind, uint32_t index) {
    for (uint32_t i = 0; i < class_->n_cells; i++)
        if (class_->cells[i].kind == kind && class_->cells[i].index == index)
            return i;
    FB_BUG("a cell that is not there");
}

static void find_rules(struct pair *p) {
    for (uint32_t i = 0; i < p->to->n_rules; i++) {
        uint32_t cell = cell_of(p->to, FB_CELL_RULE, p->to->rules[i]);
        uint32_t from = p->change->moves[cell].from;
        p->change->rule_from[i] = from == FB_NONE ? FB_NONE : old_cell(p, from)->index;
    }
}

static void find_conditions(struct pair *p) {
    for (uint32_t i = 0; i < p->to->n_cells; i++) {
        const struct fb_cell_move *move = &p->change->moves[i];
        const struct fb_cell_id *now = new_cell(p, i);
        if (move->fate != FB_FATE_KEEP)
            continue;
        uint32_t from = old_cell(p, move->from)->index;
        if (now->kind == FB_CELL_CONDITION)
            p->change->condition_from[now->index] = from;
        if (now->kind == FB_CELL_PUBLISHED)
            p->change->condition_from[p->to->published[now->index].condition] =
                p->from->published[from].condition;
        if (now->kind == FB_CELL_CLAIM)
            p->change->condition_from[p->to->claims[now->index].condition] =
                p->from->claims[from].condition;
    }
}

static bool reads_reset_window(const struct pair *p, const struct fb_condition *condition) {
    for (uint32_t i = 0; i < condition->code.count; i++) {
        const struct fb_instr *in = &p->to->code[condition->code.first + i];
        if ((in->op == FB_I_WINDOW || in->op == FB_I_WINDOW_CMP) &&
            p->change->moves[cell_of(p->to, FB_CELL_WINDOW, in->imm)].fate == FB_FATE_RESET)
            return true;
    }
    return false;
}

/* A published value that is not the same to the bit. */
static bool is_other_published(const struct pair *p, const struct fb_condition *condition) {
    uint32_t cell = cell_of(p->to, FB_CELL_PUBLISHED, condition->published);
    uint32_t from = p->change->moves[cell].from;
    return from == FB_NONE || !same_hash(old_cell(p, from), new_cell(p, cell));
}

/* All of a rule that is not the same to the bit: its alarm looks at all of its conditions. Each
 * published value is for itself. */
static void find_due(struct pair *p) {
    for (uint32_t i = 0; i < p->to->n_conditions; i++) {
        const struct fb_condition *condition = &p->to->conditions[i];
        if (condition->role == FB_ROLE_PUBLISHED) {
            p->change->condition_due[i] =
                is_other_published(p, condition) || reads_reset_window(p, condition);
            continue;
        }
        const struct fb_cell_move *rule =
            &p->change->moves[cell_of(p->to, FB_CELL_RULE, condition->rule)];
        p->change->condition_due[i] =
            rule->from == FB_NONE || !same_hash(old_cell(p, rule->from), new_cell(p, rule->to)) ||
            reads_reset_window(p, condition);
    }
}

/* ---- classes ------------------------------------------------------------------------------- */

static const char *why_forgotten(const struct fb_class *from, const struct fb_class *to) {
    static const char *const keys = "its keys changed, and with them the ids of its devices";
    if (!to)
        return "the rules have no such device any more";
    if (from->n_keys != to->n_keys)
        return keys;
    for (uint32_t i = 0; i < from->n_keys; i++)
        if (!fb_str_eq(from->fields[i].name, to->fields[i].name) ||
            from->fields[i].type != to->fields[i].type)
            return keys;
    return NULL;
}

static const char *why_removed(const struct pair *p, uint32_t cell) {
    const struct fb_cell_id *old = old_cell(p, cell);
    if (old->kind == FB_CELL_CLAIM)
        return "its claim is withdrawn";
    if (old->kind != FB_CELL_RULE)
        return NULL;
    switch (p->from_program->rules[old->index].sort) {
    case FB_SORT_ALARM: return "where it is active, it ends with `removed`";
    case FB_SORT_MODE:
    case FB_SORT_CONTROL: return "its claims are withdrawn";
    case FB_SORT_ACTUATOR:
        return "what it remembers is forgotten; its last command ends with its lease";
    case FB_SORT_EVENT:
    case FB_SORT_PUBLISHED:
        break;
    }
    return NULL;
}

static void compare(struct fb_migration *migration, struct fb_class_change *change) {
    struct pair p = {.from_program = migration->from,
                     .to_program = migration->to,
                     .from = &migration->from->classes[change->from],
                     .to = &migration->to->classes[change->to],
                     .change = change};
    p.taken = fb_alloc(p.from->n_cells + 1u);
    change->moves = fb_alloc(sizeof *change->moves * (p.from->n_cells + p.to->n_cells + 1u));
    change->condition_from = fb_alloc(sizeof(uint32_t) * (p.to->n_conditions + 1u));
    change->condition_due = fb_alloc(sizeof(bool) * (p.to->n_conditions + 1u));
    change->rule_from = fb_alloc(sizeof(uint32_t) * (p.to->n_rules + 1u));
    change->n_moves = p.to->n_cells;
    for (uint32_t i = 0; i < p.to->n_cells; i++)
        change->moves[i] = (struct fb_cell_move){FB_FATE_NEW, FB_NONE, i, NULL};
    for (uint32_t i = 0; i < p.to->n_conditions; i++)
        change->condition_from[i] = FB_NONE;
    join_content(&p);
    for (int pass = 0; pass < 3; pass++)
        join_conditions(&p, pass);
    explain_changed(&p);
    find_conditions(&p);
    join_operators(&p, same_hash);
    join_operators(&p, same_likeness);
    find_rules(&p);
    find_due(&p);
    for (uint32_t i = 0; i < p.from->n_cells; i++)
        if (!p.taken[i])
            change->moves[change->n_moves++] =
                (struct fb_cell_move){FB_FATE_REMOVE, i, FB_NONE, why_removed(&p, i)};
    for (uint32_t i = 0; i < change->n_moves; i++)
        migration->cells[change->moves[i].fate]++;
    free(p.taken);
}

struct fb_migration *fb_migration_new(const struct fb_program *from, const struct fb_program *to) {
    struct fb_migration *migration = fb_alloc(sizeof *migration);
    migration->from = from;
    migration->to = to;
    migration->classes =
        fb_alloc(sizeof *migration->classes * (from->n_classes + to->n_classes + 1u));
    bool *found = fb_alloc(to->n_classes + 1u);
    for (uint32_t i = 0; i < from->n_classes; i++) {
        const struct fb_class *class_ = fb_program_class(to, from->classes[i].name);
        struct fb_class_change *change = &migration->classes[migration->n_classes++];
        *change = (struct fb_class_change){.from = i, .to = FB_NONE};
        change->why = why_forgotten(&from->classes[i], class_);
        if (change->why) {
            migration->forgotten++;
            continue;
        }
        change->to = (uint32_t)(class_ - to->classes);
        found[change->to] = true;
        compare(migration, change);
    }
    for (uint32_t i = 0; i < to->n_classes; i++)
        if (!found[i])
            migration->classes[migration->n_classes++] =
                (struct fb_class_change){.from = FB_NONE, .to = i};
    free(found);
    return migration;
}

void fb_migration_free(struct fb_migration *migration) {
    if (!migration)
        return;
    for (uint32_t i = 0; i < migration->n_classes; i++) {
        free(migration->classes[i].moves);
        free(migration->classes[i].condition_from);
        free(migration->classes[i].condition_due);
        free(migration->classes[i].rule_from);
    }
    free(migration->classes);
    free(migration);
}

enum fb_fate fb_migration_of_limit(const struct fb_migration *migration) {
    const struct fb_rate *from = &migration->from->rate, *to = &migration->to->rate;
    if (from->n == to->n && from->per_us == to->per_us)
        return FB_FATE_KEEP;
    return from->n && to->n ? FB_FATE_MIGRATE : to->n ? FB_FATE_NEW : FB_FATE_REMOVE;
}

bool fb_migration_keeps_all(const struct fb_migration *migration) {
    return migration->cells[FB_FATE_RESET] == 0 && migration->forgotten == 0;
}
