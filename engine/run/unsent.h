/* Commands of the batch that nobody has been told yet, and which of them have expired at its end.
 *
 * Place in the flow: run/task adds each command as it is encoded; run/task_commit asks at the end
 * of the batch, by the wall clock that the journal has. rules/MEANING.md, A70 to A72. One owner,
 * no locks. */
#ifndef FB_RUN_UNSENT_H
#define FB_RUN_UNSENT_H

#include "engine/model/output.h"

struct fb_unsent;

/* One command. Its names live as long as the program. */
struct fb_unsent_command {
    uint32_t place; /* in the batch */
    uint16_t class_index;
    const struct fb_rule *rule; /* NULL: none */
    const struct fb_actuator *actuator;
    uint32_t actuator_index; /* in the class */
    double value;
    uint64_t seq;
    int64_t expires_at_us; /* wall clock */
    struct fb_actuator_before before;
    char id[33];
    struct fb_str device; /* valid until the next fb_unsent_add */
};

struct fb_unsent *fb_unsent_new(void);
void fb_unsent_free(struct fb_unsent *unsent);
/* Notes a command, which stands at that place in the batch. */
void fb_unsent_add(struct fb_unsent *unsent, const struct fb_output *command, const char *id,
                   uint32_t place);
/* Nothing is noted any more. */
void fb_unsent_clear(struct fb_unsent *unsent);

/* Whether any has expired. Most batches: none. */
bool fb_unsent_is_late(const struct fb_unsent *unsent, int64_t wall_us);
/* Calls `expired` of each that has expired, in their order; `takes_back` is true of the first of
 * those behind which none of the same actuator goes out: what was before it is so again. */
void fb_unsent_end(struct fb_unsent *unsent, int64_t wall_us,
                   void (*expired)(void *context, const struct fb_unsent_command *command,
                                   bool takes_back),
                   void *context);

#endif
