/* Tells the status topic how the partitions of this process fare: at each change of a mode, and now
 * and then.
 *
 * Place in the flow: run/engine, on its own thread, beside the workers; not part of any
 * transaction, since it has to tell of those that do not come about. */
#ifndef FB_RUN_STATUS_H
#define FB_RUN_STATUS_H

#include "connectors/connector.h"
#include "engine/run/board.h"

struct fb_status_config {
    const char *topic;
    const char *application, *instance, *build;
    struct fb_board *board;
    struct fb_sink *sink; /* the status's own; not taken over */
};

struct fb_status;

struct fb_status *fb_status_new(const struct fb_status_config *config);
void fb_status_free(struct fb_status *status);
/* To be called often: puts what is new since the last call. wall_us: present time. Never waits;
 * what cannot be written is told again later. */
void fb_status_tell(struct fb_status *status, int64_t wall_us);
/* Waits until what was told has been written, so long at most. */
void fb_status_flush(struct fb_status *status, int patience_ms);
/* One record's value. Appends. */
void fb_status_write(const struct fb_status_config *config, const struct fb_posting *posting,
                     int64_t wall_us, struct fb_buf *out);

#endif
