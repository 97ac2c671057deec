/* What a condition comes to by its operands alone, as far as they say it.
 *
 * Place in the flow: `flyball explain` checks with it that what it prints gives what happened. The
 * program's own code is run on a device that no record made (core/trial.h); what delays, latches,
 * windows and ages would add is not known, and all that they may give is kept open. */
#ifndef FB_RUN_RECOMPUTE_H
#define FB_RUN_RECOMPUTE_H

#include "engine/codec/audit_story.h"
#include "engine/model/program.h"

/* A set of truths: what a condition can be. */
enum { FB_MAY_BE_FALSE = 1, FB_MAY_BE_TRUE = 2, FB_MAY_BE_UNKNOWN = 4, FB_MAY_BE_ANY = 7 };

struct fb_recompute;
/* The program must outlive it. */
struct fb_recompute *fb_recompute_new(const struct fb_program *program, uint16_t class_index);
void fb_recompute_free(struct fb_recompute *r);
/* A field, tag or key has this value, or none by its quality. What is not given is open. */
void fb_recompute_give(struct fb_recompute *r, uint32_t field, const struct fb_value *value);

/* The actuator has accepted this value, or nothing by its quality. */
void fb_recompute_accept(struct fb_recompute *r, uint32_t actuator, const struct fb_value *value);

/* What the rule shows of other devices, one of `shown`, was this, or unknown by its quality. */
void fb_recompute_tell(struct fb_recompute *r, const struct fb_shown *shown,
                       const struct fb_value *value);

/* What a register of the code can be, as a truth. */
uint8_t fb_recompute_truth(struct fb_recompute *r, const struct fb_code *code, uint16_t reg);
/* What the code gives; false: that does not follow from the operands. */
bool fb_recompute_value(struct fb_recompute *r, const struct fb_code *code, struct fb_value *value);
/* Whether the field, the actuator was given. */
bool fb_recompute_has(const struct fb_recompute *r, uint32_t field);
bool fb_recompute_has_accepted(const struct fb_recompute *r, uint32_t actuator);
/* Whether it was told what an instruction of the class reads of other devices. */
bool fb_recompute_is_told(const struct fb_recompute *r, const struct fb_instr *in);

/* ---- against a record of the trail ---- */

/* AGREES: all of it follows from the record's values, and gives what happened. FITS: what follows
 * does not contradict what happened; the rest does not stand in the record. */
enum fb_recheck { FB_RECHECK_AGREES, FB_RECHECK_FITS, FB_RECHECK_DIFFERS };

/* Gives the record's inputs. rule: the story's, in its version. */
void fb_recompute_give_story(struct fb_recompute *r, const struct fb_rule *rule,
                             const struct fb_story *story);
/* The actuator that a command or a block is about, and its class: of the winner, else one that has
 * such an actuator, in the record's version where there is one. NULL: there is none. */
const struct fb_actuator *fb_recompute_actuator(const struct fb_program *program,
                                                const struct fb_story *story,
                                                uint16_t *class_index);
/* Gives what stands in the record of the actuator's own conditions. */
void fb_recompute_give_own(struct fb_recompute *r, const struct fb_actuator *actuator,
                           const struct fb_story *story);
/* Whether interlock and permissive come to what stands there, and their guardrails said what
 * follows from that; behind fb_recompute_give_own alone. actuator: in the record's version. */
enum fb_recheck fb_recompute_check_own(struct fb_recompute *r, const struct fb_actuator *actuator,
                                       const struct fb_story *story);
/* The state that the record says the rule's mode was in; UINT32_MAX: none, or it is no mode. */
uint32_t fb_recompute_state(const struct fb_recompute *r, const struct fb_rule *rule,
                            const struct fb_story *story);
/* Of an alarm's change, a command, a block or an event, behind fb_recompute_give_story. */
enum fb_recheck fb_recompute_check(struct fb_recompute *r, const struct fb_rule *rule,
                                   const struct fb_story *story);

#endif
