/* Controls and actuators together: how many claims there are, and loops from output to input.
 *
 * Place in the flow: inside check, after every rule has been checked by itself. */
#include "engine/model/actuator.h"
#include "rules/check_internal.h"

/* ---- bounds --------------------------------------------------------------------------------- */

static void check_numbers(struct fb_checker *ck) {
    const struct fb_checked *out = ck->out;
    for (uint32_t c = 0; c < out->n_classes; c++) {
        const struct fb_scope *scope = &ck->class_scopes[c];
        if (scope->n_actuators > FB_ACTUATORS_MAX)
            fb_diag_add(ck->diags, FB_E_TOO_MANY_ACTUATORS,
                        scope->actuators[FB_ACTUATORS_MAX]->name_span, NULL,
                        "`%.*s` has %u actuators, and %d is the most",
                        FB_ARG(out->classes[c].decl->name), scope->n_actuators, FB_ACTUATORS_MAX);
    }
    for (uint32_t a = 0; a < out->n_actuators; a++) {
        uint32_t n = 0;
        for (uint32_t r = 0; r < out->n_rules; r++)
            for (uint32_t i = 0; i < out->rules[r].decl->n_commands; i++) {
                const struct fb_command_decl *command = &out->rules[r].decl->commands[i];
                if (command->actuator == out->actuators[a].decl && ++n == FB_CLAIMS_MAX + 1)
                    fb_diag_add(ck->diags, FB_E_TOO_MANY_ACTUATORS, command->target_span,
                                "let one control choose between values with `if`",
                                "more than %d commands are for `%.*s`", FB_CLAIMS_MAX,
                                FB_ARG(command->target));
            }
    }
}

void fb_check_acting(struct fb_checker *ck) {
    check_numbers(ck);
}
