/* Where a live application keeps what it is executed again from: its topics, or the folder of
 * state.dir.
 *
 * Place in the flow: `flyball audit verify --reexecute --config` calls it once; run/audit_live does
 * the work for each partition. Reads only, and is no member of the application's group. */
#ifndef FB_RUN_AUDIT_PLACE_H
#define FB_RUN_AUDIT_PLACE_H

#include "engine/run/audit_live.h"

struct fb_config;

struct fb_audit_place {
    const struct fb_config *config; /* finished: application, topics, Kafka or state.dir */
    const char *input;              /* the file that the application reads; NULL: Kafka, or a pipe,
                                     * whose records are in the journal */
    const char *input_topic;        /* of that file; NULL: the only one that the journal names */
    bool from_beginning;
};

struct fb_audit_places {
    struct fb_audit_live_result *partitions;
    int32_t n;
};

enum fb_audit_place_end {
    FB_AUDIT_PLACE_DONE,
    FB_AUDIT_PLACE_WRONG,     /* the configuration names no such place: err */
    FB_AUDIT_PLACE_UNREADABLE /* err */
};

/* As many partitions at a time as the configuration has workers. fb_audit_places_free in any case.
 */
enum fb_audit_place_end fb_audit_place_again(const struct fb_audit_place *place,
                                             struct fb_audit_places *places, struct fb_err *err);
void fb_audit_places_free(struct fb_audit_places *places);

#endif
