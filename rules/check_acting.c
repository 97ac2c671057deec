/* Controls and actuators together: how many claims there are, loops from output to input, commands
 * that would have to be chosen between by chance.
 *
 * Place in the flow: inside check, after every rule has been checked by itself. */
#include "engine/model/actuator.h"
#include "rules/check_conflict.h"
#include "rules/check_internal.h"
#include "rules/lint_internal.h"

/* ---- bounds --------------------------------------------------------------------------------- */

static void check_numbers(struct fb_checker *ck) {
    const struct fb_checked *out = ck->out;
    struct fb_command_of claims[FB_CLAIMS_MAX + 1];
    for (uint32_t c = 0; c < out->n_classes; c++) {
        const struct fb_scope *scope = &ck->class_scopes[c];
        if (scope->n_actuators > FB_ACTUATORS_MAX)
            fb_diag_add(ck->diags, FB_E_TOO_MANY_ACTUATORS,
                        scope->actuators[FB_ACTUATORS_MAX]->name_span, NULL,
                        "`%.*s` has %u actuators, and %d is the most",
                        FB_ARG(out->classes[c].decl->name), scope->n_actuators, FB_ACTUATORS_MAX);
        if (scope->n_modes > FB_MODES_MAX)
            fb_diag_add(ck->diags, FB_E_MODE, scope->modes[FB_MODES_MAX]->name_span, NULL,
                        "`%.*s` has %u modes, and %d is the most",
                        FB_ARG(out->classes[c].decl->name), scope->n_modes, FB_MODES_MAX);
    }
    for (uint32_t a = 0; a < out->n_actuators; a++)
        if (fb_commands_for(out, out->actuators[a].class_index, out->actuators[a].decl, claims,
                            FB_CLAIMS_MAX + 1) > FB_CLAIMS_MAX)
            fb_diag_add(ck->diags, FB_E_TOO_MANY_ACTUATORS,
                        claims[FB_CLAIMS_MAX].command->target_span,
                        "let one control choose between values with `if`",
                        "more than %d commands are for `%.*s`", FB_CLAIMS_MAX,
                        FB_ARG(out->actuators[a].decl->name));
}

/* ---- loops ---------------------------------------------------------------------------------- */

/* A way from actuator to actuator, each followed by a command for the next. */
struct way {
    const struct fb_command_of *claims; /* of the class */
    const struct fb_lint_reads *reads;
    uint32_t n;
    const struct fb_actuator_decl **actuators;
    bool *seen; /* looked at from here on, without finding the way back */
    uint32_t n_actuators;
    uint32_t *path; /* claims */
    uint32_t n_path;
};

static uint32_t place_in(const struct way *way, const struct fb_actuator_decl *actuator) {
    uint32_t i = 0;
    while (i < way->n_actuators && way->actuators[i] != actuator)
        i++;
    return i;
}

/* Whether what `from` is has its way to `to` through commands; the path is left in `way`. */
static bool leads(struct way *way, const struct fb_actuator_decl *from,
                  const struct fb_actuator_decl *to) {
    for (uint32_t i = 0; i < way->n; i++) {
        const struct fb_actuator_decl *next = way->claims[i].command->actuator;
        uint32_t place = place_in(way, next);
        if (place == way->n_actuators ||
            (!fb_lint_reads_actuator(&way->reads[i], from) &&
             !fb_lint_reads_distant(&way->reads[i], from)) ||
            (way->seen[place] && next != to))
            continue;
        way->seen[place] = true;
        way->path[way->n_path++] = i;
        if (next == to || leads(way, next, to))
            return true;
        way->n_path--;
    }
    return false;
}

static void refuse_loop(struct fb_checker *ck, const struct way *way,
                        const struct fb_actuator_decl *actuator) {
    const struct fb_command_of *first = &way->claims[way->path[0]];
    if (way->n_path == 1) {
        fb_diag_add(ck->diags, FB_E_OUTPUT_LOOP, first->command->value->span,
                    actuator->type.type == FB_T_NUMBER
                        ? "let it follow what is measured; `slew` makes small steps of a large one"
                        : "for hysteresis write `temp > 25 degC until temp < 23 degC` in its place",
                    "the command for `%.*s` reads `%.*s` itself: each command would ask for "
                    "another one",
                    FB_ARG(actuator->name), FB_ARG(actuator->name));
        return;
    }
    struct fb_buf text = {0};
    fb_buf_str(&text, actuator->name);
    for (uint32_t i = 0; i < way->n_path; i++) {
        const struct fb_command_of *claim = &way->claims[way->path[i]];
        fb_buf_printf(&text, " -> %.*s -> %.*s", FB_ARG(claim->rule->name),
                      FB_ARG(claim->command->target));
    }
    fb_diag_add(ck->diags, FB_E_OUTPUT_LOOP, first->command->value->span,
                "let one of them follow what is measured",
                "commands follow one another in a circle: %s", fb_buf_terminated(&text));
    fb_buf_free(&text);
}

/* Whether the way leads through another kind of device. */
static bool passes(const struct way *way, const struct fb_actuator_decl *actuator) {
    for (uint32_t i = 0; i < way->n_path; i++)
        if (!fb_str_eq(way->claims[way->path[i]].command->actuator->class_name,
                       actuator->class_name))
            return true;
    return false;
}

/* One circle is told of a kind of device, and one that leads through several. */
static void check_ways(struct fb_checker *ck, struct way *way) {
    struct fb_str told = {0};
    bool passed = false;
    for (uint32_t a = 0; a < way->n_actuators; a++) {
        const struct fb_actuator_decl *actuator = way->actuators[a];
        for (uint32_t k = 0; k < way->n_actuators; k++)
            way->seen[k] = false;
        way->n_path = 0;
        if ((told.n && fb_str_eq(told, actuator->class_name)) || !leads(way, actuator, actuator))
            continue;
        if (passed && passes(way, actuator))
            continue;
        refuse_loop(ck, way, actuator);
        passed |= passes(way, actuator);
        if (way->n_path > 1)
            told = actuator->class_name; /* the others of the circle would say the same */
    }
}

/* Through other devices, too: of them commands are followed where they are of another kind. */
static void check_loops(struct fb_checker *ck) {
    const struct fb_checked *out = ck->out;
    struct way way = {0};
    uint32_t most = 0;
    for (uint32_t i = 0; i < out->n_rules; i++)
        most += out->rules[i].decl->n_commands;
    struct fb_command_of *claims = FB_ARENA_ARRAY(ck->arena, struct fb_command_of, most);
    struct fb_lint_reads *reads = FB_ARENA_ARRAY(ck->arena, struct fb_lint_reads, most);
    for (uint32_t i = 0; i < out->n_rules; i++)
        for (uint32_t k = 0; k < out->rules[i].decl->n_commands; k++) {
            claims[way.n].rule = out->rules[i].decl;
            claims[way.n].command = &out->rules[i].decl->commands[k];
            fb_lint_reads(claims[way.n].command->value, &reads[way.n]);
            way.n += reads[way.n].n_actuators + reads[way.n].n_distant > 0;
        }
    if (way.n == 0)
        return;
    way.claims = claims;
    way.reads = reads;
    way.actuators = FB_ARENA_ARRAY(ck->arena, const struct fb_actuator_decl *, out->n_actuators);
    way.seen = FB_ARENA_ARRAY(ck->arena, bool, out->n_actuators);
    way.path = FB_ARENA_ARRAY(ck->arena, uint32_t, out->n_actuators + 1);
    for (uint32_t c = 0; c < out->n_classes; c++)
        for (uint32_t a = 0; a < ck->class_scopes[c].n_actuators; a++)
            way.actuators[way.n_actuators++] = ck->class_scopes[c].actuators[a];
    check_ways(ck, &way);
}

/* ---- conflicts ------------------------------------------------------------------------------ */

static const char *place_of(struct fb_checker *ck, struct fb_span span) {
    const struct fb_source *source = &ck->tree->sources->files[span.file];
    uint32_t line, column;
    fb_source_place(source, span.start, &line, &column);
    return fb_check_print(ck, "%.*s:%u", FB_ARG(source->path), line);
}

static void refuse_meeting(struct fb_checker *ck, const struct fb_command_of *first,
                           const struct fb_command_of *second, enum fb_meeting meeting) {
    const struct fb_command_decl *command = second->command;
    uint32_t priority = command->priority ? command->priority : FB_PRIORITY_DEFAULT;
    const char *help = "give one of them another priority (`at priority 11` goes before 12), or "
                       "say `combine min`, `max` or `safest` in the actuator";
    bool of_one = first->rule == second->rule ||
                  (first->rule->asked_of && first->rule->asked_of == second->rule->asked_of);
    if (of_one)
        fb_diag_add(ck->diags, FB_E_CONFLICT, command->target_span, help,
                    "`%.*s` commands `%.*s` twice at priority %u", FB_ARG(second->rule->name),
                    FB_ARG(command->target), priority);
    else if (meeting == FB_MEET_WHILE_UNKNOWN)
        fb_diag_add(ck->diags, FB_E_CONFLICT, command->target_span,
                    "say `on unknown safe` in both, or give the one that has it a priority that "
                    "goes first, as 11",
                    "`%.*s` and `%.*s` (%s) exclude each other only while what they start by is "
                    "known: then one asks for the safe value of `%.*s` and the other keeps its "
                    "claim, both at priority %u",
                    FB_ARG(second->rule->name), FB_ARG(first->rule->name),
                    place_of(ck, first->command->span), FB_ARG(command->target), priority);
    else
        fb_diag_add(ck->diags, FB_E_CONFLICT, command->target_span,
                    fb_check_print(ck, "%s, or let their starts exclude each other", help),
                    "`%.*s` and `%.*s` (%s) can command `%.*s` at once, both at priority %u",
                    FB_ARG(second->rule->name), FB_ARG(first->rule->name),
                    place_of(ck, first->command->span), FB_ARG(command->target), priority);
}

/* Each command is refused once, beside the first that it meets. */
static void check_conflicts(struct fb_checker *ck, const struct fb_checked_actuator *checked) {
    const struct fb_actuator_decl *actuator = checked->decl;
    struct fb_command_of claims[FB_CLAIMS_MAX];
    uint32_t n = fb_commands_for(ck->out, checked->class_index, actuator, claims, FB_CLAIMS_MAX);
    if (actuator->combine != FB_COMBINE_WORD_NONE)
        return;
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = 0; k < i; k++) {
            enum fb_meeting meeting = fb_commands_meet(&claims[k], &claims[i]);
            if (meeting != FB_MEET && meeting != FB_MEET_WHILE_UNKNOWN)
                continue;
            refuse_meeting(ck, &claims[k], &claims[i], meeting);
            break;
        }
}

void fb_check_acting(struct fb_checker *ck) {
    uint32_t errors = ck->diags->errors;
    check_numbers(ck);
    if (errors || ck->diags->errors > errors)
        return; /* what else there is to say needs types, and bounds */
    check_loops(ck);
    for (uint32_t a = 0; a < ck->out->n_actuators; a++)
        check_conflicts(ck, &ck->out->actuators[a]);
}
