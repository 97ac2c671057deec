/* One program and one output of each kind, made by hand: what the encoder's tests encode.
 *
 * Place in the flow: shared by the byte-exact tests and the program that prints for the schemas. */
#ifndef FB_TESTS_SCHEMAS_SAMPLE_H
#define FB_TESTS_SCHEMAS_SAMPLE_H

#include "engine/codec/audit.h"

/* Valid as long as the program runs. */
const struct fb_program *sample_program(void);
struct fb_output sample_alert(void);   /* every type of value, one of each unknown */
struct fb_output sample_cleared(void); /* a timer's, of a rule without texts, labels and values */
struct fb_output sample_removed(void);
struct fb_output sample_shelved(void); /* by a call, once, in maintenance */
struct fb_output sample_acked(void);   /* by a call without a reason */
struct fb_output sample_suppressed(void);
struct fb_output sample_unshelved(void); /* a timer's */
struct fb_output sample_muted(void);     /* shelved, and in maintenance */
struct fb_output sample_flapping(void);  /* begins, by a timer */
struct fb_output sample_muted_flapping(void);
struct fb_output sample_event(void);
struct fb_output sample_late(void);
struct fb_output sample_future(void); /* of a device without a watermark, from a CSV file */
struct fb_output sample_command(void);    /* of a rule, two words */
struct fb_output sample_relinquished(void); /* the default, a number, a timer's */
struct fb_output sample_shadow(void);
struct fb_output sample_block(void); /* begins: nothing is in force yet */
struct fb_output sample_block_ended(void);
struct fb_output sample_block_of_fleet(void);   /* beyond the budget */
struct fb_output sample_block_of_breaker(void); /* `fleet`'s is open */
struct fb_output sample_block_of_rate(void);    /* starts have room, the rate has none */
/* Of a command and of a shadow, without a rule. */
struct fb_withheld sample_withheld(void);
struct fb_withheld sample_withheld_shadow(void);
struct fb_dead_letter sample_dead(void);
struct fb_dead_letter sample_dead_binary(void); /* the payload is not UTF-8 */
struct fb_auditor sample_auditor(void);         /* of a new task */

#endif
