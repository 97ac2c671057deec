/* Controls and their claims: when a control is on, what each of its commands asks for, who wins.
 *
 * Place in the flow: 9 and 10 of the event's way; rule.c calls it at every evaluation of a control
 * or of an actuator's conditions, actuator.c arbitrates. rules/MEANING.md, A3 to A6. */
#ifndef FB_CORE_CLAIM_H
#define FB_CORE_CLAIM_H

#include "engine/core/moment.h"

/* A claim as arbitration sees it at an instant. */
struct fb_claim_view {
    bool in_force;
    bool safe;       /* it asks for the safe value because something is unknown */
    double value;
    int64_t ends_us; /* by itself, if nothing happens; FB_NEVER */
};

/* What the claims on an actuator come to. */
struct fb_arbitration {
    double value;
    uint64_t winner;            /* as in fb_actuator_cell; 0: the default */
    const struct fb_rule *rule; /* of the winner; NULL: the default, or the hand */
    uint8_t priority;
    bool safe;       /* as in fb_claim_view, of the winner */
    int64_t ends_us; /* the earliest end of a claim in force; FB_NEVER */
    struct fb_array_entry entries[FB_CLAIMS_MAX + 1]; /* and the hand, first */
    uint32_t n_entries;
};

/* A condition of a control or an actuator was evaluated: its own cell keeps the result. The first
 * that differs keeps the control's claims as they were in core->views; an interlock or permissive
 * that differs marks its actuators in core->marked. */
void fb_claim_evaluated(struct fb_core *core, const struct fb_moment *moment, uint32_t index,
                        struct fb_value value);
void fb_acting_evaluated(struct fb_core *core, const struct fb_moment *moment, uint32_t index,
                         uint8_t value);

/* After the last evaluated condition of a control at a moment: marks the actuators whose claims are
 * other ones than before. */
void fb_control_change(struct fb_core *core, const struct fb_moment *moment, uint32_t local_rule);

/* Around what makes another of the state of a mode, or of a control: keeps its claims as they are
 * in core->views, then does as fb_control_change. */
void fb_control_look(struct fb_core *core, const struct fb_moment *moment,
                     const struct fb_rule *rule, int64_t now_us);
void fb_control_follow(struct fb_core *core, const struct fb_moment *moment,
                       const struct fb_rule *rule, int64_t now_us);
/* Whether its steps change nothing, because it is at an end, until another amount is added. They
 * are left out then, so that next_us may lie in the past. */
bool fb_step_rests(const struct fb_claim *claim, const struct fb_step_cell *cell);
/* Before such a step (`index`: of the device's claim) may change something again: its next one is
 * none before now_us. The cell may be the one that it moves to when other rules come. */
void fb_step_catch_up(const struct fb_device *device, uint32_t index, struct fb_step_cell *cell,
                      int64_t now_us);
/* When the next step that changes a claim of the device is made, in C; FB_NEVER (A19). */
int64_t fb_steps_due(const struct fb_device *device);
/* Makes the steps that are due at now_us; the actuators and shadows whose claims became others.
 * deciding: actuators are decided then anyway. Else, where only those are due that rest, nothing is
 * made: an instant is looked at that is no deadline any more, which depends on history. */
uint64_t fb_claims_step(struct fb_device *device, int64_t now_us, bool deciding);

/* Whether the claim is more than a shadow on this device, A6. */
bool fb_claim_is_real(const struct fb_device *device, const struct fb_claim *claim);
/* The claims on an actuator (by index in the class) at now_us, A5. */
void fb_arbitrate(const struct fb_device *device, uint32_t actuator, int64_t now_us,
                  struct fb_arbitration *out);
/* The rule of that winner; NULL: it has no claim on the actuator, or the default or the hand has
 * won. */
const struct fb_rule *fb_winner_rule(const struct fb_class_plan *plan, uint32_t actuator,
                                     uint64_t winner);

#endif
