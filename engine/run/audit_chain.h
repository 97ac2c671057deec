/* Follows the chains of an audit trail and says what is missing, doubled or changed.
 *
 * Place in the flow: `flyball audit` gives it lines of files; engine/codec/audit_read looks at each
 * by itself. One owner. */
#ifndef FB_RUN_AUDIT_CHAIN_H
#define FB_RUN_AUDIT_CHAIN_H

#include "engine/codec/audit_read.h"

#include <stdbool.h>

/* A place in the chain of a task: an exported head, or where a stretch begins. */
struct fb_audit_head {
    struct fb_str task; /* empty: of the only one */
    uint64_t seq;
    uint8_t hash[32];
};
/* "[TASK=]SEQ:HASH"; a view. False: it is not that. */
bool fb_audit_head_parse(struct fb_str text, struct fb_audit_head *head);
/* Appends "TASK=SEQ:HASH". */
void fb_audit_head_put(const struct fb_audit_head *head, struct fb_buf *out);

/* A sentence about one record or one chain, with its place. */
typedef void fb_audit_finding_fn(void *context, struct fb_str text);

struct fb_audit_chains;

/* anywhere: a chain may begin with any record, instead of the first or one that `from` names. */
struct fb_audit_chains *fb_audit_chains_new(bool anywhere, fb_audit_finding_fn *found,
                                            void *context);
void fb_audit_chains_free(struct fb_audit_chains *chains);

/* Before the first line. The record behind this place is the first of its task. */
void fb_audit_chains_from(struct fb_audit_chains *chains, const struct fb_audit_head *from);
/* The chain went through this place: an exported head. */
void fb_audit_chains_expect(struct fb_audit_chains *chains, const struct fb_audit_head *head);

/* A line without its end, of a file, which must live on. The record as it was read (its views live
 * until the next call), or NULL where the line could not be. */
const struct fb_audit_record *fb_audit_chains_line(struct fb_audit_chains *chains, const char *file,
                                                   uint64_t number, struct fb_str line);
/* After the last one: what was expected and did not come. */
void fb_audit_chains_end(struct fb_audit_chains *chains);

uint64_t fb_audit_chains_findings(const struct fb_audit_chains *chains);
uint64_t fb_audit_chains_records(const struct fb_audit_chains *chains);
uint32_t fb_audit_chains_tasks(const struct fb_audit_chains *chains);
/* The last record of the i-th task, in the order of their names; first: seq of its first one. */
struct fb_audit_head fb_audit_chains_head(struct fb_audit_chains *chains, uint32_t i,
                                          uint64_t *first);

#endif
