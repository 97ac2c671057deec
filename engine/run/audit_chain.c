/* Chains of audit records. */
#include "engine/run/audit_chain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/hash.h"

/* ---- heads as text ---- */

bool fb_audit_head_parse(struct fb_str text, struct fb_audit_head *head) {
    const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
    *head = (struct fb_audit_head){0};
    if (!colon)
        return false;
    size_t n = (size_t)(colon - text.p), first = n;
    if (!fb_unhex((struct fb_str){colon + 1, text.n - n - 1}, head->hash, 32))
        return false;
    while (first > 0 && text.p[first - 1] >= '0' && text.p[first - 1] <= '9')
        first--;
    for (size_t i = first; i < n; i++)
        if (__builtin_mul_overflow(head->seq, 10u, &head->seq) ||
            __builtin_add_overflow(head->seq, (uint64_t)(text.p[i] - '0'), &head->seq))
            return false;
    if (first > 0 && (first == 1 || text.p[first - 1] != '='))
        return false;
    head->task = (struct fb_str){text.p, first > 0 ? first - 1 : 0};
    return first < n;
}

void fb_audit_head_put(const struct fb_audit_head *head, struct fb_buf *out) {
    char hex[65];
    fb_hex(head->hash, 32, hex);
    fb_buf_str(out, head->task);
    fb_buf_printf(out, "%s%" PRIu64 ":%s", head->task.n ? "=" : "", head->seq, hex);
}

/* ---- chains ---- */

/* Something that the caller said of a chain. */
struct given {
    struct fb_audit_head head;
    bool met, used;
};

struct chain {
    struct fb_audit_head last; /* task: a copy in the arena */
    uint64_t first;            /* seq of the first record */
    const char *file;          /* of the last record */
    uint64_t line;
};

struct fb_audit_chains {
    bool anywhere;
    fb_audit_finding_fn *found;
    void *context;
    struct fb_arena *arena;
    struct fb_audit_reader *reader;
    struct fb_audit_record record;
    struct chain *chains;
    uint32_t n_chains, chains_cap;
    uint32_t newest; /* the chain of the last record: most come in a row */
    struct given *from, *expected;
    uint32_t n_from, from_cap, n_expected, expected_cap;
    uint64_t records, findings;
    struct fb_buf text;
};

struct fb_audit_chains *fb_audit_chains_new(bool anywhere, fb_audit_finding_fn *found,
                                            void *context) {
    struct fb_audit_chains *chains = fb_alloc(sizeof *chains);
    chains->anywhere = anywhere;
    chains->found = found;
    chains->context = context;
    chains->arena = fb_arena_new();
    chains->reader = fb_audit_reader_new();
    return chains;
}

void fb_audit_chains_free(struct fb_audit_chains *chains) {
    if (!chains)
        return;
    fb_audit_reader_free(chains->reader);
    fb_arena_free(chains->arena);
    fb_buf_free(&chains->text);
    free(chains->chains);
    free(chains->from);
    free(chains->expected);
    free(chains);
}

static struct given keep(struct fb_audit_chains *chains, const struct fb_audit_head *head) {
    struct given given = {.head = *head};
    given.head.task = fb_str_copy(chains->arena, head->task);
    return given;
}

void fb_audit_chains_from(struct fb_audit_chains *chains, const struct fb_audit_head *from) {
    FB_PUSH_ROOM(chains->from, chains->n_from, chains->from_cap);
    chains->from[chains->n_from++] = keep(chains, from);
}

void fb_audit_chains_expect(struct fb_audit_chains *chains, const struct fb_audit_head *head) {
    FB_PUSH_ROOM(chains->expected, chains->n_expected, chains->expected_cap);
    chains->expected[chains->n_expected++] = keep(chains, head);
}

/* ---- findings ---- */

/* Hands over what stands in chains->text. */
static void tell(struct fb_audit_chains *chains) {
    chains->findings++;
    chains->found(chains->context, (struct fb_str){chains->text.p, chains->text.n});
    chains->text.n = 0;
}

static void begin_at(struct fb_audit_chains *chains, const char *file, uint64_t line) {
    chains->text.n = 0;
    fb_buf_printf(&chains->text, "%s:%" PRIu64 ": ", file, line);
    if (chains->record.task.n) {
        fb_buf_str(&chains->text, chains->record.task);
        fb_buf_printf(&chains->text, " seq %" PRIu64 ": ", chains->record.seq);
    }
}

static bool same_hash(const uint8_t a[32], const uint8_t b[32]) {
    return memcmp(a, b, 32) == 0;
}

/* ---- lines ---- */

static bool is_of(const struct given *given, struct fb_str task) {
    return given->head.task.n == 0 || fb_str_eq(given->head.task, task);
}

static struct chain *new_chain(struct fb_audit_chains *chains,
                               const struct fb_audit_record *record) {
    FB_PUSH_ROOM(chains->chains, chains->n_chains, chains->chains_cap);
    struct chain *chain = &chains->chains[chains->n_chains++];
    *chain = (struct chain){.first = record->seq};
    if (chains->anywhere) {
        chain->last.seq = record->seq - 1;
        memcpy(chain->last.hash, record->previous, 32);
    }
    for (uint32_t i = 0; i < chains->n_from; i++)
        if (is_of(&chains->from[i], record->task)) {
            chain->last = chains->from[i].head;
            chains->from[i].used = true;
        }
    chain->last.task = fb_str_copy(chains->arena, record->task);
    return chain;
}

/* NULL: there is none yet. */
static struct chain *known_chain(struct fb_audit_chains *chains, struct fb_str task) {
    if (chains->newest < chains->n_chains &&
        fb_str_eq(chains->chains[chains->newest].last.task, task))
        return &chains->chains[chains->newest];
    for (uint32_t i = 0; i < chains->n_chains; i++)
        if (fb_str_eq(chains->chains[i].last.task, task)) {
            chains->newest = i;
            return &chains->chains[i];
        }
    return NULL;
}

static void tell_gap(struct fb_audit_chains *chains, const struct chain *chain) {
    const struct fb_audit_record *record = &chains->record;
    uint64_t first = chain->last.seq + 1, last = record->seq - 1;
    if (first == last)
        fb_buf_printf(&chains->text, "the record before it, seq %" PRIu64 ", is missing", first);
    else
        fb_buf_printf(&chains->text,
                      "the records before it, seq %" PRIu64 " to %" PRIu64 ", are missing", first,
                      last);
    if (!chain->file)
        fb_buf_printf(&chains->text,
                      "; where the records begin here on purpose, say --from with the head that "
                      "was exported before them: %.*s=%" PRIu64 ":HASH",
                      FB_ARG(record->task), last);
    tell(chains);
}

/* A record that is not behind the last one of its chain. */
static void tell_back(struct fb_audit_chains *chains, const struct chain *chain) {
    const struct fb_audit_record *record = &chains->record;
    if (!chain->file)
        fb_buf_text(&chains->text, "the record is not behind the one of --from");
    else if (record->seq == chain->last.seq && same_hash(record->hash, chain->last.hash))
        fb_buf_printf(&chains->text, "the record is there twice");
    else
        fb_buf_printf(&chains->text,
                      "the record comes behind seq %" PRIu64 ": it is doubled or not in its place",
                      chain->last.seq);
    if (chain->file)
        fb_buf_printf(&chains->text, " (seq %" PRIu64 " is at %s:%" PRIu64 ")", chain->last.seq,
                      chain->file, chain->line);
    tell(chains);
}

static void meet_expected(struct fb_audit_chains *chains, struct chain *chain) {
    const struct fb_audit_record *record = &chains->record;
    for (uint32_t i = 0; i < chains->n_expected; i++) {
        struct given *given = &chains->expected[i];
        if (given->head.seq != record->seq || !is_of(given, record->task))
            continue;
        given->met = true;
        if (same_hash(given->head.hash, record->hash))
            continue;
        begin_at(chains, chain->file, chain->line);
        fb_buf_text(&chains->text, "the hash is not that of the exported head: the chain was "
                                   "written anew, from this record or one before it");
        tell(chains);
    }
}

/* A record whose bytes can not be trusted moves its chain only where it stands in its place. */
static struct chain *chain_for(struct fb_audit_chains *chains) {
    const struct fb_audit_record *record = &chains->record;
    struct chain *chain = known_chain(chains, record->task);
    if (record->fault)
        return chain && chain->last.seq + 1 == record->seq ? chain : NULL;
    if (!chain) {
        chains->newest = chains->n_chains;
        chain = new_chain(chains, record);
    }
    return chain;
}

static void follow(struct fb_audit_chains *chains, const char *file, uint64_t number) {
    const struct fb_audit_record *record = &chains->record;
    struct chain *chain = chain_for(chains);
    if (!chain)
        return;
    begin_at(chains, file, number);
    if (record->seq <= chain->last.seq) {
        tell_back(chains, chain);
        return;
    }
    if (record->seq > chain->last.seq + 1) {
        tell_gap(chains, chain);
    } else if (!record->fault && !same_hash(record->previous, chain->last.hash)) {
        fb_buf_printf(&chains->text,
                      "the record does not follow seq %" PRIu64
                      ": `previous` is not its hash; one of the two was changed or replaced",
                      chain->last.seq);
        tell(chains);
    }
    chain->last.seq = record->seq;
    memcpy(chain->last.hash, record->hash, 32);
    chain->file = file;
    chain->line = number;
    meet_expected(chains, chain);
}

const struct fb_audit_record *fb_audit_chains_line(struct fb_audit_chains *chains, const char *file,
                                                   uint64_t number, struct fb_str line) {
    fb_audit_read(chains->reader, line, &chains->record);
    chains->records++;
    if (chains->record.fault) {
        begin_at(chains, file, number);
        fb_buf_text(&chains->text, chains->record.fault);
        tell(chains);
    }
    if (chains->record.task.n == 0)
        return NULL;
    follow(chains, file, number);
    return &chains->record;
}

/* ---- the end ---- */

static struct chain *only_chain_of(struct fb_audit_chains *chains, const struct given *given) {
    for (uint32_t i = 0; i < chains->n_chains; i++)
        if (is_of(given, chains->chains[i].last.task))
            return &chains->chains[i];
    return NULL;
}

static void end_expected(struct fb_audit_chains *chains, const struct given *given) {
    const struct chain *chain = only_chain_of(chains, given);
    const struct fb_audit_head *head = &given->head;
    chains->text.n = 0;
    if (head->task.n == 0 && chains->n_chains > 1) {
        fb_buf_printf(&chains->text,
                      "the head %" PRIu64 ":.. names no task, and there are records of %" PRIu32,
                      head->seq, chains->n_chains);
        tell(chains);
        return;
    }
    if (given->met)
        return;
    struct fb_str task = chain ? chain->last.task : head->task;
    fb_buf_str(&chains->text, task);
    fb_buf_text(&chains->text, task.n ? ": " : "");
    if (!chain)
        fb_buf_printf(&chains->text,
                      "the exported head is seq %" PRIu64 ", and there are no records", head->seq);
    else if (head->seq > chain->last.seq)
        fb_buf_printf(&chains->text,
                      "the records end with seq %" PRIu64 " (%s:%" PRIu64
                      "), and the exported head is seq %" PRIu64 ": the end was cut off",
                      chain->last.seq, chain->file, chain->line, head->seq);
    else if (head->seq < chain->first)
        fb_buf_printf(&chains->text,
                      "the records begin with seq %" PRIu64
                      ", behind the exported head, seq %" PRIu64
                      ", so it says nothing of them; give it with --from if it is the one before",
                      chain->first, head->seq);
    else
        fb_buf_printf(&chains->text,
                      "the record of the exported head, seq %" PRIu64 ", is not there", head->seq);
    tell(chains);
}

static int by_task(const void *a, const void *b) {
    return fb_str_cmp(((const struct chain *)a)->last.task, ((const struct chain *)b)->last.task);
}

void fb_audit_chains_end(struct fb_audit_chains *chains) {
    for (uint32_t i = 0; i < chains->n_expected; i++)
        end_expected(chains, &chains->expected[i]);
    for (uint32_t i = 0; i < chains->n_from; i++) {
        if (chains->from[i].used)
            continue;
        chains->text.n = 0;
        fb_buf_text(&chains->text, "there are no records behind the one of --from ");
        fb_audit_head_put(&chains->from[i].head, &chains->text);
        tell(chains);
    }
    if (chains->records == 0) {
        chains->text.n = 0;
        fb_buf_text(&chains->text, "there are no audit records");
        tell(chains);
    }
    if (chains->n_chains)
        qsort(chains->chains, chains->n_chains, sizeof *chains->chains, by_task);
}

uint64_t fb_audit_chains_findings(const struct fb_audit_chains *chains) {
    return chains->findings;
}

uint64_t fb_audit_chains_records(const struct fb_audit_chains *chains) {
    return chains->records;
}

uint32_t fb_audit_chains_tasks(const struct fb_audit_chains *chains) {
    return chains->n_chains;
}

struct fb_audit_head fb_audit_chains_head(struct fb_audit_chains *chains, uint32_t i,
                                          uint64_t *first) {
    FB_ASSERT(i < chains->n_chains);
    *first = chains->chains[i].first;
    return chains->chains[i].last;
}
