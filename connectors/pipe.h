/* Standard input as a source of one partition, standard output (or files) as a sink of lines.
 *
 * Place in the flow: `run --input - --output -`. One owner and one thread each. */
#ifndef FB_CONNECTORS_PIPE_H
#define FB_CONNECTORS_PIPE_H

#include "connectors/connector.h"

/* Each line is a record, stamped when it is read. "-" is standard input. */
struct fb_record_source *fb_pipe_source_open(const char *path, const char *topic,
                                             const struct fb_record_source_events *events,
                                             void *context, struct fb_err *err);
/* Writes the values as they are. "-" is standard output. NULL: err says why. */
struct fb_sink *fb_pipe_sink_open(const char *path, struct fb_err *err);

#endif
