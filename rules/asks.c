/* A command to other devices, told as what it is: a control of theirs.
 *
 * Place in the flow: third stage of the compiler; parse.c calls it behind each rule. Everything
 * behind the checker, which finds what starts it (check_ask.c), sees an ordinary control, but for
 * the formatter, which writes the command where it stands. */
#include "rules/parser.h"

struct fb_item fb_p_asked_of(struct fb_parser *p, const struct fb_rule_decl *rule,
                             const struct fb_ask_decl *ask) {
    struct fb_rule_decl *control = FB_ARENA_NEW(p->arena, struct fb_rule_decl);
    struct fb_command_decl *command = FB_ARENA_NEW(p->arena, struct fb_command_decl);
    *command = ask->command;
    command->state = 0;
    *control = (struct fb_rule_decl){.kind = FB_RULE_CONTROL,
                                     .asked_of = rule,
                                     .ask = ask,
                                     .name = rule->name,
                                     .span = rule->span,
                                     .name_span = rule->name_span,
                                     .block = rule->block,
                                     .where = ask->where,
                                     .on_unknown = rule->on_unknown,
                                     .labels = rule->labels,
                                     .n_labels = rule->n_labels,
                                     .commands = command,
                                     .n_commands = 1,
                                     .at_most = rule->at_most,
                                     .at_most_per = rule->at_most_per,
                                     .at_most_span = rule->at_most_span,
                                     .rollout = rule->rollout,
                                     .canary = rule->canary,
                                     .canary_share = rule->canary_share,
                                     .rollout_span = rule->rollout_span,
                                     .fleet_share = rule->fleet_share,
                                     .fleet_per = rule->fleet_per,
                                     .fleet_span = rule->fleet_span};
    if (ask->each) {
        control->class_name = ask->device;
        control->class_span = ask->device_span;
    }
    return (struct fb_item){.kind = FB_ITEM_RULE, .span = rule->span, .rule = control};
}
