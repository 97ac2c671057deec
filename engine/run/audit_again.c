/* Recorded against executed again. */
#include "engine/run/audit_again.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

enum { BEFORE = 40, BEHIND = 80 }; /* how much of a record is shown around a difference */

struct kept {
    const char *file;
    uint64_t number;
    size_t at, n; /* the data, in the texts */
};

struct task {
    struct fb_str name;
    uint64_t first; /* seq of the first record */
    struct kept *records;
    uint64_t n, cap;
    uint64_t compared; /* seq of the last one that came again */
    bool differs;
};

struct fb_audit_again {
    fb_audit_finding_fn *found;
    void *context;
    struct fb_arena *arena;
    struct fb_audit_reader *reader;
    struct fb_buf texts, text;
    struct task *tasks;
    uint32_t n_tasks, tasks_cap;
    int64_t semantics;
    const char *build;
};

struct fb_audit_again *fb_audit_again_new(fb_audit_finding_fn *found, void *context) {
    struct fb_audit_again *again = fb_alloc(sizeof *again);
    again->found = found;
    again->context = context;
    again->arena = fb_arena_new();
    again->reader = fb_audit_reader_new();
    return again;
}

void fb_audit_again_free(struct fb_audit_again *again) {
    if (!again)
        return;
    for (uint32_t i = 0; i < again->n_tasks; i++)
        free(again->tasks[i].records);
    free(again->tasks);
    fb_audit_reader_free(again->reader);
    fb_arena_free(again->arena);
    fb_buf_free(&again->texts);
    fb_buf_free(&again->text);
    free(again);
}

static struct task *task_of(struct fb_audit_again *again, struct fb_str name) {
    for (uint32_t i = 0; i < again->n_tasks; i++)
        if (fb_str_eq(again->tasks[i].name, name))
            return &again->tasks[i];
    return NULL;
}

void fb_audit_again_keep(struct fb_audit_again *again, const struct fb_audit_record *record,
                         const char *file, uint64_t number) {
    struct task *task = task_of(again, record->task);
    if (!task) {
        FB_PUSH_ROOM(again->tasks, again->n_tasks, again->tasks_cap);
        task = &again->tasks[again->n_tasks++];
        *task = (struct task){.name = fb_str_copy(again->arena, record->task),
                              .first = record->seq,
                              .compared = record->seq - 1};
    }
    FB_PUSH_ROOM(task->records, task->n, task->cap);
    task->records[task->n++] =
        (struct kept){.file = file, .number = number, .at = again->texts.n, .n = record->data.n};
    fb_buf_str(&again->texts, record->data);
    again->semantics = record->semantics;
    if (record->build.n)
        again->build = fb_str_copy(again->arena, record->build).p;
}

int64_t fb_audit_again_semantics(const struct fb_audit_again *again) {
    return again->semantics;
}

const char *fb_audit_again_build(const struct fb_audit_again *again) {
    return again->build;
}

struct fb_str fb_audit_again_application(const struct fb_audit_again *again) {
    FB_ASSERT(again->n_tasks > 0);
    struct fb_str name = again->tasks[0].name;
    const char *slash = memrchr(name.p, '/', name.n);
    return (struct fb_str){name.p, slash ? (size_t)(slash - name.p) : name.n};
}

uint32_t fb_audit_again_tasks(const struct fb_audit_again *again) {
    return again->n_tasks;
}

/* ---- findings ---- */

static void tell(struct fb_audit_again *again) {
    again->found(again->context, (struct fb_str){again->text.p, again->text.n});
}

void fb_audit_excerpt(struct fb_buf *out, const char *title, struct fb_str data, size_t at) {
    size_t from = at > BEFORE ? at - BEFORE : 0;
    size_t to = at + BEHIND < data.n ? at + BEHIND : data.n;
    /* No half of a character. */
    while (from > 0 && ((unsigned char)data.p[from] & 0xC0) == 0x80)
        from--;
    while (to < data.n && ((unsigned char)data.p[to] & 0xC0) == 0x80)
        to++;
    fb_buf_printf(out, "\n  %s: %s", title, from > 0 ? ".." : "");
    fb_buf_put(out, data.p + from, to - from);
    fb_buf_text(out, to < data.n ? ".." : "");
}

static void tell_difference(struct fb_audit_again *again, const struct kept *kept,
                            const struct fb_audit_record *record) {
    struct fb_str recorded = {again->texts.p + kept->at, kept->n}, now = record->data;
    size_t at = 0;
    while (at < recorded.n && at < now.n && recorded.p[at] == now.p[at])
        at++;
    again->text.n = 0;
    fb_buf_printf(&again->text,
                  "%s:%" PRIu64 ": %.*s seq %" PRIu64
                  ": the same rules and events give another record",
                  kept->file, kept->number, FB_ARG(record->task), record->seq);
    fb_audit_excerpt(&again->text, "recorded", recorded, at);
    fb_audit_excerpt(&again->text, "executed", now, at);
    tell(again);
}

void fb_audit_again_compare(struct fb_audit_again *again, struct fb_str line) {
    struct fb_audit_record record;
    fb_audit_read(again->reader, (struct fb_str){line.p, line.n - 1}, &record);
    FB_ASSERT(!record.fault);
    struct task *task = task_of(again, record.task);
    if (!task) {
        again->text.n = 0;
        fb_buf_printf(&again->text,
                      "%.*s seq %" PRIu64
                      ": the same rules and events give records of this task, and there are none",
                      FB_ARG(record.task), record.seq);
        if (record.seq == 1)
            tell(again);
        return;
    }
    if (task->differs || record.seq < task->first)
        return;
    task->compared = record.seq;
    uint64_t i = record.seq - task->first;
    if (i >= task->n) {
        const struct kept *last = &task->records[task->n - 1];
        task->differs = true;
        again->text.n = 0;
        fb_buf_printf(&again->text,
                      "%s:%" PRIu64 ": %.*s: the records end here, and the same rules and events "
                      "give more, from seq %" PRIu64 " on",
                      last->file, last->number, FB_ARG(task->name), record.seq);
        tell(again);
        return;
    }
    const struct kept *kept = &task->records[i];
    if (fb_str_eq((struct fb_str){again->texts.p + kept->at, kept->n}, record.data))
        return;
    task->differs = true;
    tell_difference(again, kept, &record);
}

void fb_audit_again_end(struct fb_audit_again *again) {
    for (uint32_t i = 0; i < again->n_tasks; i++) {
        const struct task *task = &again->tasks[i];
        uint64_t last = task->first + task->n - 1;
        if (task->differs || task->compared == last)
            continue;
        const struct kept *kept = &task->records[task->compared + 1 - task->first];
        again->text.n = 0;
        fb_buf_printf(&again->text,
                      "%s:%" PRIu64 ": %.*s seq %" PRIu64
                      ": the same rules and events do not give this record",
                      kept->file, kept->number, FB_ARG(task->name), task->compared + 1);
        tell(again);
    }
}
