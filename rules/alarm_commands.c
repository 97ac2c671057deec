/* The commands of an alarm, told as what they are: a control that is on while the alarm is active.
 *
 * Place in the flow: third stage of the compiler; parse.c calls it behind each alarm. Everything
 * behind the parser sees an ordinary control, but for the formatter, which writes its clauses in
 * the alarm. */
#include "rules/parser.h"

struct fb_item fb_p_commands_of(struct fb_parser *p, struct fb_rule_decl *alarm) {
    struct fb_rule_decl *control = FB_ARENA_NEW(p->arena, struct fb_rule_decl);
    struct fb_node *active = FB_ARENA_NEW(p->arena, struct fb_node);
    *active = (struct fb_node){.kind = FB_N_NAME,
                               .text = alarm->name,
                               .span = alarm->name_span,
                               .height = 1,
                               .ref = FB_REF_ALARM,
                               .held = true,
                               .alarm = alarm};
    *control = (struct fb_rule_decl){.kind = FB_RULE_CONTROL,
                                     .commands_of = alarm,
                                     .name = alarm->name,
                                     .span = alarm->span,
                                     .name_span = alarm->name_span,
                                     .class_name = alarm->class_name,
                                     .class_span = alarm->class_span,
                                     .block = alarm->block,
                                     .lets = alarm->lets,
                                     .n_lets = alarm->n_lets,
                                     .start = active,
                                     .commands = alarm->commands,
                                     .n_commands = alarm->n_commands,
                                     .asks = alarm->asks,
                                     .n_asks = alarm->n_asks,
                                     .at_most = alarm->at_most,
                                     .at_most_per = alarm->at_most_per,
                                     .at_most_span = alarm->at_most_span,
                                     .rollout = alarm->rollout,
                                     .canary = alarm->canary,
                                     .canary_share = alarm->canary_share,
                                     .rollout_span = alarm->rollout_span,
                                     .fleet_share = alarm->fleet_share,
                                     .fleet_per = alarm->fleet_per,
                                     .fleet_span = alarm->fleet_span};
    alarm->commands = NULL;
    alarm->n_commands = 0;
    alarm->asks = NULL;
    alarm->n_asks = 0;
    alarm->at_most = 0;
    alarm->at_most_per = NULL;
    alarm->rollout = FB_ROLLOUT_NONE;
    alarm->fleet_share = alarm->fleet_per = NULL;
    alarm->commands_in = control;
    return (struct fb_item){.kind = FB_ITEM_RULE, .span = alarm->span, .rule = control};
}
