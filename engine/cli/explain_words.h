/* Words that all explanations use: times, spans, operands, values of actuators.
 *
 * Place in the flow: cli/explain_text and cli/explain_state print with it. */
#ifndef FB_CLI_EXPLAIN_WORDS_H
#define FB_CLI_EXPLAIN_WORDS_H

#include "engine/codec/audit_story.h"
#include "engine/model/program.h"

/* "2026-01-01 00:00:05.000" */
void fb_put_clock(struct fb_buf *out, int64_t us);
/* "10s"; of what is negative "0s". */
void fb_put_span(struct fb_buf *out, int64_t us);
/* "2 of 3 in the last 1h"; per_us 0: without its time. */
void fb_put_used(struct fb_buf *out, int64_t counted, int64_t most, int64_t per_us);
/* "on", "3.05" */
void fb_put_story_value(struct fb_buf *out, struct fb_story_value value);
/* The device's own time of a decision, as far as the record tells; FB_NO_TIME: it does not. */
int64_t fb_story_device_time(const struct fb_story *story);
/* "3.05 m, good, 10s old". shown: of the rule's program; NULL: not known. */
void fb_put_operand(struct fb_buf *out, const struct fb_story *story,
                    const struct fb_story_input *input, const struct fb_shown *shown);
/* The rule of that name; NULL: there is none. */
const struct fb_rule *fb_program_rule(const struct fb_program *program, struct fb_str name);
/* The rule that a story names: of several of its name (A85) the one that commands the story's
 * actuator. NULL: there is none. */
const struct fb_rule *fb_program_rule_of(const struct fb_program *program,
                                         const struct fb_story *story);
/* What the rule shows under that name; NULL: nothing. */
const struct fb_shown *fb_rule_shown(const struct fb_rule *rule, struct fb_str name);

enum { FB_CONDITION_NAME_MAX = 32 };
/* "raise high", "when", "start", "interlock", "permissive": the i-th condition of the rule, which
 * is no claim. room: holds FB_CONDITION_NAME_MAX. */
const char *fb_condition_name(const struct fb_class *class_, const struct fb_rule *rule, uint32_t i,
                              char *room);

#endif
