/* What a change of rules does to running state, for people and for programs. */
#include "engine/cli/plan_text.h"

#include <inttypes.h>

#include "engine/base/calendar.h"
#include "engine/codec/json_write.h"

/* A class of the plan. */
struct part {
    const struct fb_migration *migration;
    const struct fb_class_change *change;
};

static const struct fb_cell_id *cell_of(const struct part *part, const struct fb_cell_move *move) {
    if (move->to != FB_NONE)
        return &part->migration->to->classes[part->change->to].cells[move->to];
    return &part->migration->from->classes[part->change->from].cells[move->from];
}

/* A cell of a class that comes or goes. */
static const struct fb_class *class_of(const struct part *part, const struct fb_cell_move *move) {
    return move->to != FB_NONE ? &part->migration->to->classes[part->change->to]
                               : &part->migration->from->classes[part->change->from];
}

/* The rule itself comes or goes with the cell. */
static bool with_rule(const struct part *part, const struct fb_cell_move *move, uint32_t rule) {
    for (uint32_t i = 0; i < part->change->n_moves; i++) {
        const struct fb_cell_move *other = &part->change->moves[i];
        const struct fb_cell_id *cell = cell_of(part, other);
        if (cell->kind == FB_CELL_RULE && other->fate == move->fate && cell->index == rule)
            return true;
    }
    return false;
}

/* Of a rule that comes or goes only the rule itself is told, of a condition only that. */
static bool goes_without_saying(const struct part *part, const struct fb_cell_move *move) {
    const struct fb_cell_id *cell = cell_of(part, move);
    const struct fb_class *class_ = class_of(part, move);
    bool comes_or_goes = move->fate == FB_FATE_NEW || move->fate == FB_FATE_REMOVE;
    switch (cell->kind) {
    case FB_CELL_FOR:
    case FB_CELL_UNTIL:
    case FB_CELL_ELAPSED:
        return comes_or_goes || !move->why;
    case FB_CELL_CLAIM:
        return comes_or_goes ? with_rule(part, move, class_->claims[cell->index].rule)
                             : !move->why;
    case FB_CELL_CONDITION:
        return comes_or_goes ? with_rule(part, move, class_->conditions[cell->index].rule)
                             : !move->why;
    case FB_CELL_ACTUATOR:
        return comes_or_goes ? with_rule(part, move, class_->actuators[cell->index].rule)
                             : !move->why;
    case FB_CELL_FLEET:
        return comes_or_goes ? with_rule(part, move, class_->fleets[cell->index].rule) : !move->why;
    case FB_CELL_PUBLISHED:
    case FB_CELL_RATE:
        return !move->why;
    case FB_CELL_FIELD:
    case FB_CELL_WINDOW:
    case FB_CELL_RULE:
        break;
    }
    return move->fate == FB_FATE_KEEP && !move->why;
}

/* ---- text ---------------------------------------------------------------------------------- */

static struct fb_str class_name(const struct part *part) {
    return part->change->to == FB_NONE ? part->migration->from->classes[part->change->from].name
                                       : part->migration->to->classes[part->change->to].name;
}

static void put_moves(const struct part *part, enum fb_fate fate, bool *titled,
                      struct fb_buf *out) {
    for (uint32_t i = 0; i < part->change->n_moves; i++) {
        const struct fb_cell_move *move = &part->change->moves[i];
        if (move->fate != fate || goes_without_saying(part, move))
            continue;
        if (!*titled)
            fb_buf_printf(out, "device %.*s\n", FB_ARG(class_name(part)));
        *titled = true;
        struct fb_str name = cell_of(part, move)->name;
        fb_buf_printf(out, "  %-8s %.*s%s%s\n", fb_fate_name(fate), FB_ARG(name),
                      move->why ? ": " : "", move->why ? move->why : "");
    }
}

static void put_class(const struct part *part, struct fb_buf *out) {
    static const enum fb_fate order[] = {FB_FATE_RESET, FB_FATE_MIGRATE, FB_FATE_KEEP, FB_FATE_NEW,
                                         FB_FATE_REMOVE};
    bool titled = false;
    if (part->change->to == FB_NONE)
        fb_buf_printf(out, "device %.*s\n  forget   all of them: %s\n", FB_ARG(class_name(part)),
                      part->change->why);
    else if (part->change->from == FB_NONE)
        fb_buf_printf(out, "device %.*s\n  new\n", FB_ARG(class_name(part)));
    else
        for (size_t i = 0; i < sizeof order / sizeof *order; i++)
            put_moves(part, order[i], &titled, out);
}

static void put_limit(struct fb_buf *out, const struct fb_rate *rate) {
    char span[FB_TIME_TEXT_MAX];
    fb_buf_printf(out, "%u per ", rate->n);
    fb_buf_put(out, span, fb_span_format(rate->per_us, span));
}

/* Of all rules together. */
static void put_limits(const struct fb_migration *migration, struct fb_buf *out) {
    const enum fb_fate fate = fb_migration_of_limit(migration);
    if (fate == FB_FATE_KEEP)
        return;
    fb_buf_printf(out, "all rules\n  %-8s commands at most ", fb_fate_name(fate));
    put_limit(out, fate == FB_FATE_NEW ? &migration->to->rate : &migration->from->rate);
    if (fate == FB_FATE_MIGRATE) {
        fb_buf_text(out, ": becomes ");
        put_limit(out, &migration->to->rate);
        fb_buf_text(out, ", what it counted last stays");
    }
    fb_buf_char(out, '\n');
}

void fb_plan_text(const struct fb_migration *migration, struct fb_buf *out) {
    const uint32_t *cells = migration->cells;
    put_limits(migration, out);
    for (uint32_t i = 0; i < migration->n_classes; i++) {
        struct part part = {migration, &migration->classes[i]};
        put_class(&part, out);
    }
    fb_buf_printf(out, "of each device's cells: %u kept, %u migrated, %u reset, %u new, %u removed",
                  cells[FB_FATE_KEEP], cells[FB_FATE_MIGRATE], cells[FB_FATE_RESET],
                  cells[FB_FATE_NEW], cells[FB_FATE_REMOVE]);
    if (migration->forgotten)
        fb_buf_printf(out, "; devices of %u class%s forgotten", migration->forgotten,
                      migration->forgotten == 1 ? "" : "es");
    fb_buf_char(out, '\n');
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void put_member(struct fb_buf *out, const char *name, struct fb_str value) {
    fb_buf_printf(out, "\"%s\":", name);
    if (value.n)
        fb_json_put_text(out, value);
    else
        fb_buf_text(out, "null");
}

static void put_json_cell(const struct part *part, const struct fb_cell_move *move,
                          struct fb_buf *out) {
    static const char *const kinds[] = {
        [FB_CELL_FIELD] = "field",       [FB_CELL_WINDOW] = "window",
        [FB_CELL_FOR] = "for",           [FB_CELL_UNTIL] = "until",
        [FB_CELL_ELAPSED] = "elapsed",   [FB_CELL_CONDITION] = "condition",
        [FB_CELL_RULE] = "rule",         [FB_CELL_CLAIM] = "claim",
        [FB_CELL_ACTUATOR] = "actuator", [FB_CELL_PUBLISHED] = "published",
        [FB_CELL_FLEET] = "fleet",       [FB_CELL_RATE] = "rate"};
    const struct fb_cell_id *cell = cell_of(part, move);
    fb_buf_printf(out, "{\"kind\":\"%s\",", kinds[cell->kind]);
    put_member(out, "name", cell->name);
    fb_buf_printf(out, ",\"fate\":\"%s\",", fb_fate_name(move->fate));
    put_member(out, "why", fb_str_of(move->why ? move->why : ""));
    fb_buf_char(out, '}');
}

static void put_json_class(const struct part *part, struct fb_buf *out) {
    const struct fb_class_change *change = part->change;
    fb_buf_char(out, '{');
    put_member(out, "device", class_name(part));
    fb_buf_printf(out, ",\"fate\":\"%s\",",
                  change->to == FB_NONE     ? "forget"
                  : change->from == FB_NONE ? "new"
                                            : "keep");
    put_member(out, "why", fb_str_of(change->why ? change->why : ""));
    fb_buf_text(out, ",\"cells\":[");
    for (uint32_t i = 0; i < change->n_moves; i++) {
        fb_buf_text(out, i ? "," : "");
        put_json_cell(part, &change->moves[i], out);
    }
    fb_buf_text(out, "]}");
}

static void put_json_limit(struct fb_buf *out, const char *name, const struct fb_rate *rate) {
    fb_buf_printf(out, ",\"%s\":", name);
    if (rate->n)
        fb_buf_printf(out, "{\"at_most\":%u,\"per_us\":%" PRId64 "}", rate->n, rate->per_us);
    else
        fb_buf_text(out, "null");
}

static void put_json_limits(const struct fb_migration *migration, struct fb_buf *out) {
    const enum fb_fate fate = fb_migration_of_limit(migration);
    if (fate == FB_FATE_KEEP)
        return;
    fb_buf_printf(out, ",\"commands\":{\"fate\":\"%s\"", fb_fate_name(fate));
    put_json_limit(out, "from", &migration->from->rate);
    put_json_limit(out, "to", &migration->to->rate);
    fb_buf_char(out, '}');
}

void fb_plan_json(const struct fb_migration *migration, struct fb_buf *out) {
    fb_buf_text(out, "{\"classes\":[");
    for (uint32_t i = 0; i < migration->n_classes; i++) {
        struct part part = {migration, &migration->classes[i]};
        fb_buf_text(out, i ? "," : "");
        put_json_class(&part, out);
    }
    fb_buf_text(out, "],\"cells\":{");
    for (int fate = 0; fate < FB_FATES; fate++)
        fb_buf_printf(out, "%s\"%s\":%u", fate ? "," : "", fb_fate_name((enum fb_fate)fate),
                      migration->cells[fate]);
    fb_buf_char(out, '}');
    put_json_limits(migration, out);
    fb_buf_printf(out, ",\"keeps_all\":%s}\n",
                  fb_migration_keeps_all(migration) ? "true" : "false");
}
