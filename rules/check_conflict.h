/* Which commands of controls can be in force at once.
 *
 * Place in the flow: the checker refuses those that would have to be chosen between by chance, the
 * linter speaks of those that are harmless. Works on checked trees without errors. */
#ifndef FB_RULES_CHECK_CONFLICT_H
#define FB_RULES_CHECK_CONFLICT_H

#include "rules/check.h"

enum fb_meeting {
    FB_MEET_NEVER,         /* other actuators, other priorities, or they exclude each other */
    FB_MEET_ALIKE,         /* they ask for the same constant */
    FB_MEET_WHILE_UNKNOWN, /* they exclude each other but for `on unknown safe` of one of them */
    FB_MEET
};

/* A command with the control that it belongs to. */
struct fb_command_of {
    const struct fb_rule_decl *rule;
    const struct fb_command_decl *command;
};

/* The commands for an actuator of the class, in the order of the text: at most `most` of them. */
uint32_t fb_commands_for(const struct fb_checked *checked, uint32_t class_index,
                         const struct fb_actuator_decl *actuator, struct fb_command_of *out,
                         uint32_t most);

/* A command to other devices that several may give to one of them. */
bool fb_asked_by_several(const struct fb_rule_decl *rule);

/* Of two commands, each of its rule; the rules may be one. */
enum fb_meeting fb_commands_meet(const struct fb_command_of *first,
                                 const struct fb_command_of *second);

#endif
