/* What a task took becomes a commit; what was committed becomes a task again. */
#include "engine/run/task_commit.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/planted.h"
#include "engine/core/withhold.h"
#include "engine/run/task_state.h"

/* ---- commits ---- */

bool fb_task_has_news(const struct fb_task *task) {
    return task->news || fb_batch_count(task->batch) ||
           (task->ledger &&
            (fb_ledger_snapshot_is_open(task->ledger) ||
             (fb_ledger_drains(task->ledger) && !fb_ledger_is_drained(task->ledger))));
}

void fb_task_drain(struct fb_task *task) {
    fb_ledger_drain(task->ledger);
}

bool fb_task_is_drained(const struct fb_task *task) {
    return !task->sealed && !fb_task_has_news(task) && fb_ledger_is_drained(task->ledger);
}

void fb_task_mark(const struct fb_task *task, struct fb_journal *now) {
    struct fb_batch_mark mark = fb_batch_mark(task->batch);
    *now = (struct fb_journal){.clock_us = task->clock.c_us,
                               .epoch_ms = task->epoch_ms,
                               .calls_next = task->calls_next,
                               .outputs = mark.outputs,
                               .output_hash = mark.hash,
                               .audit_seq = task->auditor.seq,
                               .n_inputs = task->bundle->routes.n};
    memcpy(now->audit_head, task->auditor.head, sizeof now->audit_head);
    for (uint32_t i = 0; i < now->n_inputs; i++)
        now->inputs[i] = (struct fb_journal_input){fb_str_of(task->bundle->routes.items[i].topic),
                                                   task->topics[i].next};
}

/* The places of what was withheld. */
struct ending {
    struct fb_task *task;
    int64_t wall_us;
    uint32_t *places;
    size_t n, cap;
};

static void withhold(void *context, const struct fb_unsent_command *command, bool takes_back) {
    struct ending *ending = context;
    struct fb_task *task = ending->task;
    struct fb_withheld withheld = {.rule = command->rule,
                                   .device = command->device,
                                   .actuator = command->actuator,
                                   .value = command->value,
                                   .epoch_ms = task->epoch_ms,
                                   .seq = command->seq,
                                   .expires_at_us = command->expires_at_us,
                                   .wall_us = ending->wall_us,
                                   .id = command->id};
    struct fb_encoded encoded;
    fb_audit_withheld(&task->auditor, task->encoder, &withheld, &encoded);
    fb_task_keep(task, &encoded);
    FB_PUSH_ROOM(ending->places, ending->n, ending->cap);
    ending->places[ending->n++] = command->place;
    if (takes_back && !(FB_PLANTED(EXPIRED_CLAIMED) && task->journal))
        fb_core_withhold(task->core, command->class_index, command->device, command->actuator_index,
                         &command->before);
}

void fb_task_end_batch(struct fb_task *task, int64_t wall_us) {
    if (fb_unsent_is_late(task->unsent, wall_us)) {
        struct ending ending = {.task = task, .wall_us = wall_us};
        fb_unsent_end(task->unsent, wall_us, withhold, &ending);
        fb_batch_drop(task->batch, ending.places, (uint32_t)ending.n);
        free(ending.places);
    }
    fb_unsent_clear(task->unsent);
}

void fb_task_seal(struct fb_task *task, int64_t wall_us) {
    struct fb_journal now;
    FB_ASSERT(task->ledger && !task->sealed);
    fb_task_end_batch(task, FB_PLANTED(END_UNJOURNALLED) ? wall_us + 50000 : wall_us);
    fb_task_mark(task, &now);
    now.wall_us = wall_us;
    fb_ledger_seal(task->ledger, task->core, task->bundle, &now, task->bytes_read, task->batch);
    task->sealed = true;
    task->sealed_at_us = wall_us;
    task->news = false;
}

bool fb_task_is_sealed(const struct fb_task *task) {
    return task->sealed;
}

uint64_t fb_task_seq(const struct fb_task *task) {
    return task->ledger ? fb_ledger_seq(task->ledger) : 0;
}

int64_t fb_task_sealed_at(const struct fb_task *task) {
    return task->sealed_at_us;
}

static struct fb_str view(const struct fb_buf *buf) {
    return (struct fb_str){buf->p, buf->n};
}

static void set(struct fb_buf *buf, struct fb_str text) {
    buf->n = 0;
    fb_buf_str(buf, text);
}

void fb_task_committed(struct fb_task *task) {
    fb_batch_clear(task->batch);
    if (task->sealed)
        set(&task->committer, view(&task->sealer));
    task->sealed = false;
}

void fb_task_claim(struct fb_task *task, struct fb_str owner) {
    if (task->sealed)
        set(&task->sealer, owner);
}

void fb_task_note(const struct fb_task *task, struct fb_buf *out) {
    fb_journal_note(fb_task_seq(task), view(task->sealed ? &task->sealer : &task->committer), out);
}

bool fb_task_goes_on(struct fb_task *task, uint64_t seq, struct fb_str owner) {
    uint64_t own = fb_task_seq(task);
    if (FB_PLANTED(KEPT_WHEN_OVERTAKEN))
        return true;
    if (FB_PLANTED(ANY_OWNER))
        owner = view(task->sealed && seq == own ? &task->sealer : &task->committer);
    if (task->sealed && seq == own && fb_str_eq(owner, view(&task->sealer))) {
        if (!FB_PLANTED(RESEND_IN_DOUBT))
            fb_task_committed(task);
        return true;
    }
    /* Where the group knows of no commit, a first one in doubt was not made, or the group has
     * forgotten it: only the journal can tell. */
    if (seq == 0)
        return own == 0;
    return seq == own - task->sealed && fb_str_eq(owner, view(&task->committer));
}

/* ---- rebuilding ---- */

bool fb_task_resume(struct fb_task *task, const struct fb_journal *at, struct fb_err *err) {
    for (uint32_t i = 0; i < at->n_inputs; i++) {
        uint32_t route = fb_routes_find(&task->bundle->routes, at->inputs[i].topic);
        if (route == UINT32_MAX)
            return fb_fail(err, FB_FATAL, "the journal tells of the topic '%.*s', the rules do not",
                           FB_ARG(at->inputs[i].topic));
        task->topics[route].next = at->inputs[i].next;
    }
    task->clock.c_us = FB_PLANTED(WRONG_CLOCK) ? at->wall_us : at->clock_us;
    task->auditor.clock_us = at->clock_us;
    task->epoch_ms = at->epoch_ms;
    task->calls_next = at->calls_next;
    task->auditor.seq = at->audit_seq;
    if (!FB_PLANTED(AUDIT_HEAD))
        memcpy(task->auditor.head, at->audit_head, sizeof task->auditor.head);
    fb_batch_set_mark(task->batch, (struct fb_batch_mark){at->outputs, at->output_hash});
    return true;
}

void fb_task_replay_begin(struct fb_task *task) {
    task->journal = NULL;
}

void fb_task_replay_end(struct fb_task *task, const struct fb_journal *last,
                        struct fb_str committer) {
    task->journal = fb_ledger_writer(task->ledger);
    fb_ledger_resume(task->ledger, last);
    task->sealed_at_us = last->wall_us;
    set(&task->committer, committer);
    task->news = false;
}

static bool agrees(struct fb_task *task, const struct fb_journal *journal, struct fb_err *err) {
    struct fb_journal now;
    unsigned long long seq = journal->seq;
    if (!journal->epoch_ms) /* of a build that kept none: the epoch begins behind its commits */
        task->epoch_ms = 0;
    fb_task_mark(task, &now);
    if (now.outputs != journal->outputs)
        return fb_fail(
            err, FB_FATAL,
            "commit %llu put out %llu records up to its end, taking the same again gives "
            "%llu",
            seq, (unsigned long long)journal->outputs, (unsigned long long)now.outputs);
    if (!fb_hash128_eq(now.output_hash, journal->output_hash))
        return fb_fail(err, FB_FATAL, "taking the inputs of commit %llu again gives other outputs",
                       seq);
    if (now.audit_seq != journal->audit_seq ||
        memcmp(now.audit_head, journal->audit_head, sizeof now.audit_head) != 0)
        return fb_fail(err, FB_FATAL, "the audit trail after commit %llu is another one", seq);
    if (now.clock_us != journal->clock_us)
        return fb_fail(err, FB_FATAL, "the clock after commit %llu is another one", seq);
    if (now.epoch_ms != journal->epoch_ms)
        return fb_fail(err, FB_FATAL, "the epoch after commit %llu is another one", seq);
    if (now.calls_next != journal->calls_next)
        return fb_fail(err, FB_FATAL, "commit %llu took other operators' calls", seq);
    for (uint32_t i = 0; i < journal->n_inputs; i++) {
        uint32_t route = fb_routes_find(&task->bundle->routes, journal->inputs[i].topic);
        if (route == UINT32_MAX || now.inputs[route].next != journal->inputs[i].next)
            return fb_fail(err, FB_FATAL, "commit %llu ended elsewhere in the topic '%.*s'", seq,
                           FB_ARG(journal->inputs[i].topic));
    }
    return true;
}

bool fb_task_replayed(struct fb_task *task, const struct fb_journal *journal, struct fb_err *err) {
    if (!FB_PLANTED(OUTPUTS_AGAIN))
        fb_batch_clear(task->batch);
    return agrees(task, journal, err);
}

bool fb_task_replayed_unfinished(struct fb_task *task, const struct fb_journal *journal,
                                 struct fb_err *err) {
    task->sealed = true;
    return agrees(task, journal, err);
}
