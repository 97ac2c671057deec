/* Which commands of controls can be in force at once.
 *
 * Place in the flow: the checker refuses those that would have to be chosen between by chance, the
 * linter speaks of those that are harmless. Works on checked trees without errors. */
#ifndef FB_RULES_CHECK_CONFLICT_H
#define FB_RULES_CHECK_CONFLICT_H

#include "rules/check.h"

enum fb_meeting {
    FB_MEET_NEVER,        /* other actuators, other priorities, or they exclude each other */
    FB_MEET_ALIKE,        /* they ask for the same constant */
    FB_MEET_WHILE_UNKNOWN, /* they exclude each other but for `on unknown safe` of one of them */
    FB_MEET
};

/* Of two commands, each of its rule; the rules may be one. */
enum fb_meeting fb_commands_meet(const struct fb_rule_decl *a, const struct fb_command_decl *of_a,
                                 const struct fb_rule_decl *b, const struct fb_command_decl *of_b);

#endif
