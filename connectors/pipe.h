/* Standard input as a source of one partition, standard output (or files) as a sink of lines.
 *
 * Place in the flow: `run --input - --output -`. One owner and one thread each. */
#ifndef FB_CONNECTORS_PIPE_H
#define FB_CONNECTORS_PIPE_H

#include "connectors/connector.h"
#include "connectors/state_dir.h"

/* Each line that is not empty is a record, without a stamp. "-" is standard input. It begins at 0,
 * fresh; where its owner sets another `next`, a file is read from that line on, and a pipe's
 * numbers go on from there; with FB_POSITION_NONE it fails. A file's empty lines have numbers, so
 * that who looks for a line finds it; a pipe's have none, so that its records are numbered without
 * gaps, which is how they are taken again. */
struct fb_record_source *fb_pipe_source_open(const char *path, const char *topic,
                                             const struct fb_record_source_events *events,
                                             void *context, struct fb_err *err);
/* The file under which the lines of the source can be read again; NULL: it is a pipe. */
const char *fb_pipe_file(const char *path);

/* Writes the values as they are. "-" is standard output. A commit waits until a regular file is on
 * the disk. NULL: err says why. */
struct fb_sink *fb_pipe_sink_open(const char *path, struct fb_err *err);
/* The same behind what a file holds already, and what it takes to go back in it. */
struct fb_sink *fb_pipe_sink_open_behind(const char *path, struct fb_state_marks *marks,
                                         struct fb_err *err);

#endif
