/* The version of a rule: changes when its meaning may.
 *
 * Place in the flow: lower writes it into the program, all that is put out carries it. */
#ifndef FB_RULES_RULE_VERSION_H
#define FB_RULES_RULE_VERSION_H

#include "rules/check.h"

enum { FB_RULE_VERSION_DIGITS = 12 };

/* All files of a tree in their canonical text; the tree must outlive it. */
struct fb_rule_texts;
struct fb_rule_texts *fb_rule_texts_new(const struct fb_checked *checked);
void fb_rule_texts_free(struct fb_rule_texts *texts);

/* The first 12 hex digits of the SHA-256 over the canonical text of a rule and of the class, lets,
 * params and actuators that it reads or commands, and of what those read, blanks and line ends
 * taken alike; out holds the terminator too. */
void fb_rule_version(const struct fb_rule_texts *texts, const struct fb_checked_rule *rule,
                     char out[FB_RULE_VERSION_DIGITS + 1]);
/* The same of an actuator. */
void fb_actuator_version(const struct fb_rule_texts *texts,
                         const struct fb_checked_actuator *actuator,
                         char out[FB_RULE_VERSION_DIGITS + 1]);
/* The same of all that a class publishes for other devices. */
void fb_published_version(const struct fb_rule_texts *texts, uint32_t class_index,
                          char out[FB_RULE_VERSION_DIGITS + 1]);

#endif
