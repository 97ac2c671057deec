/* What a run of rules over a stream comes to: alarms from raised to cleared, events, the courses of
 * actuators' values, in memory and in an order of their own; and what two such runs have in common.
 *
 * Place in the flow: replay's watchers fill it; `flyball diff` compares two and prints them. One
 * owner, no locks. */
#ifndef FB_REVIEW_EPISODES_H
#define FB_REVIEW_EPISODES_H

#include "engine/model/output.h"
#include "engine/review/actuation.h"

/* SHADOW: a command, were every control armed. */
enum fb_episode_kind { FB_EPISODE_ALARM, FB_EPISODE_EVENT, FB_EPISODE_COMMAND, FB_EPISODE_SHADOW };

/* An alarm while it was active, an event's instant, or an actuator while it has one value. */
struct fb_episode {
    enum fb_episode_kind kind;
    struct fb_str rule, device; /* COMMAND, SHADOW: the actuator's name */
    struct fb_str class_name;   /* of the device; only of COMMAND and SHADOW */
    struct fb_str value;        /* the same: "on", "60 %" */
    bool is_number;             /* the value */
    uint16_t class_index;       /* of the device, in the program of the run */
    int64_t from_us, to_us;     /* device time; an event: both the same; COMMAND, SHADOW: C;
                                 * FB_NEVER: has not ended */
    enum fb_severity severity; /* alarm: the highest one it had */
    struct fb_str message;     /* as it began */
};

struct fb_episodes;

struct fb_episodes *fb_episodes_new(void);
void fb_episodes_free(struct fb_episodes *episodes);
/* Notes an alert or an event (others are left out); copies what it needs. In the order of the
 * decisions. */
void fb_episodes_add(struct fb_episodes *episodes, const struct fb_output *output,
                     struct fb_str message);
/* Notes a command where it has another value than the one before of this actuator. kind: COMMAND
 * or SHADOW, whichever course it is to be part of; class_name: of the output's device. Renewals,
 * too: their value counts. */
void fb_episodes_add_command(struct fb_episodes *episodes, enum fb_episode_kind kind,
                             struct fb_str class_name, const struct fb_output *output);
/* By kind, class, rule, device, then time. Sorts; nothing may be added after it. */
uint32_t fb_episodes_count(struct fb_episodes *episodes);
const struct fb_episode *fb_episodes_at(const struct fb_episodes *episodes, uint32_t i);

/* How one actuator of a device moved in the run; in the order in which they were first commanded.
 */
struct fb_course {
    enum fb_episode_kind kind;
    struct fb_str actuator, device, class_name;
    struct fb_motion motion;
};
uint32_t fb_episodes_courses(const struct fb_episodes *episodes);
const struct fb_course *fb_episodes_course(const struct fb_episodes *episodes, uint32_t i);

/* One of run A, one of run B, or both where they are the same thing. */
struct fb_episode_pair {
    const struct fb_episode *a, *b; /* NULL: only the other run has it */
};
/* Same start, end and severity; of commands same start and value, for each ends where the next one
 * begins. */
bool fb_episodes_are_equal(const struct fb_episode_pair *pair);

/* Pairs what belongs together: of one rule and device, first what began at the same instant, then
 * alarms that overlap, then what began at most near_us apart; each in the order of time, each
 * episode once. Of one actuator and device the same among commands of one value; of what is left
 * then what began at the same instant, and, where the value is a number, at most near_us apart: it
 * has another value. Sets *n; in the order of the earlier start, then as the episodes; free it. */
struct fb_episode_pair *fb_episodes_compare(struct fb_episodes *a, struct fb_episodes *b,
                                            int64_t near_us, uint32_t *n);

#endif
