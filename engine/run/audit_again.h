/* Compares audit records with those that the same rules and events give again.
 *
 * Place in the flow: `flyball audit verify --reexecute`: records of the files are kept, then a
 * replay hands over what it writes. One owner. Keeps all records in memory. */
#ifndef FB_RUN_AUDIT_AGAIN_H
#define FB_RUN_AUDIT_AGAIN_H

#include "engine/run/audit_chain.h"

struct fb_audit_again;

struct fb_audit_again *fb_audit_again_new(fb_audit_finding_fn *found, void *context);
void fb_audit_again_free(struct fb_audit_again *again);

/* A record of a sound chain, in its place; its line and the name of its file, which must live
 * on. */
void fb_audit_again_keep(struct fb_audit_again *again, const struct fb_audit_record *record,
                         const char *file, uint64_t number);
/* What it was recorded with; 0 and NULL before the first record that tells. */
int64_t fb_audit_again_semantics(const struct fb_audit_again *again);
const char *fb_audit_again_build(const struct fb_audit_again *again);
/* "APPLICATION" of the tasks, and how many tasks there are. */
struct fb_str fb_audit_again_application(const struct fb_audit_again *again);
uint32_t fb_audit_again_tasks(const struct fb_audit_again *again);

/* A line that the replay wrote, with its end. Tells of the first difference in each task, since all
 * records behind it differ with it. */
void fb_audit_again_compare(struct fb_audit_again *again, struct fb_str line);
/* After the last one: tells of records that did not come again. */
void fb_audit_again_end(struct fb_audit_again *again);

/* Appends a line with what stands around byte `at` of data. */
void fb_audit_excerpt(struct fb_buf *out, const char *title, struct fb_str data, size_t at);

#endif
