/* The journal: what a task took and in which order, one record a commit.
 *
 * Place in the flow: run/task notes every record and tick as it takes it and seals a record of it
 * for each commit, which goes to the journal topic in the same transaction; run/restore reads it to
 * take the same again. Pure functions of bytes; one owner, no locks.
 *
 * The bytes: the magic "FBJ2", then the fields of struct fb_journal in their order as unsigned
 * LEB128 numbers (signed ones in zigzag), hashes as they are, then the operations, and the 64-bit
 * XXH3 of all of it at the end. "FBJ1", of builds that commanded nothing, has
 * neither epoch_ms nor calls_next. */
#ifndef FB_CODEC_JOURNAL_H
#define FB_CODEC_JOURNAL_H

#include "engine/base/err.h"
#include "engine/base/hash.h"
#include "engine/base/str.h"

/* Where a task stands in one input. */
struct fb_journal_input {
    struct fb_str topic;
    int64_t next; /* offset of the next record to be read; -1: the task does not read it */
};

enum { FB_JOURNAL_INPUTS_MAX = 64 };

/* A snapshot that is complete, or under way. */
struct fb_journal_snapshot {
    uint64_t id;     /* 1, 2, ..; 0: there is none */
    uint64_t seq;    /* the commit whose end is its barrier */
    int64_t wall_us; /* when that was */
};

/* What a sealed record says. All of it holds after the commit that it belongs to. */
struct fb_journal {
    uint64_t seq;       /* of the commit: 1, 2, .. in the life of the task's partition */
    uint32_t semantics; /* FB_SEMANTICS of the build that wrote it */
    uint8_t rules[32];  /* SHA-256 of the rule bundle in force */
    int64_t wall_us;    /* when it was sealed */
    int64_t clock_us;   /* the task clock C; FB_NO_TIME before the first record */
    int64_t epoch_ms;   /* the wall clock at which the journal began: the epoch of all commands; 0:
                         * not yet, or of FBJ1 */
    int64_t calls_next; /* offset in the control topic, of the first call not taken yet */
    uint64_t outputs;   /* output records since the task's beginning, journal and snapshot not
                         * counted */
    struct fb_hash128 output_hash; /* rolling, over all of them */
    uint64_t audit_seq;            /* of the last audit record; 0: none yet */
    uint8_t audit_head[32];
    struct fb_journal_snapshot snapshot;                   /* the newest complete one */
    struct fb_journal_input inputs[FB_JOURNAL_INPUTS_MAX]; /* in the order of the task's routes */
    uint32_t n_inputs;
    struct fb_str operations; /* for fb_journal_next_op */
};

/* ---- writing ---- */

/* The operations since the last seal. */
struct fb_journal_writer {
    struct fb_buf bytes; /* whole operations */
    /* the run of records that still grows; n 0: none */
    uint32_t run_input;
    uint64_t run_n;
    int64_t run_wall_us;
    int64_t wall_us; /* of the last operation written: times are written as differences */
};

void fb_journal_writer_free(struct fb_journal_writer *writer);
/* Ends the growing run, if there is one, and begins another. */
void fb_journal_begin_run(struct fb_journal_writer *writer, uint32_t input, int64_t wall_us);

/* A record of an input was taken at this wall clock. */
static inline void fb_journal_take(struct fb_journal_writer *writer, uint32_t input,
                                   int64_t wall_us) {
    if (writer->run_n == 0 || writer->run_input != input || writer->run_wall_us != wall_us)
        fb_journal_begin_run(writer, input, wall_us);
    writer->run_n++;
}
/* The task was told that nothing is left to read at this wall clock. */
void fb_journal_tick(struct fb_journal_writer *writer, int64_t wall_us);
/* The next record of an input was not taken but put among the dead letters: it had ended the
 * process twice. */
void fb_journal_quarantine(struct fb_journal_writer *writer, uint32_t input, int64_t wall_us);
/* A record that can not be read again (a pipe's), with its bytes; taken like others. */
void fb_journal_take_bytes(struct fb_journal_writer *writer, uint32_t input, int64_t wall_us,
                           int64_t stamp_us, struct fb_str key, struct fb_str value);
/* From here on this rule bundle is in force, at this wall clock. build: of the engine that says so,
 * for the audit. */
void fb_journal_rules(struct fb_journal_writer *writer, const uint8_t rules[32],
                      struct fb_str build, int64_t wall_us);
/* A new task begins to read an input at this offset. */
void fb_journal_begin(struct fb_journal_writer *writer, uint32_t input, int64_t next);
/* An operator's call was taken: where it stands, and its bytes. */
void fb_journal_call(struct fb_journal_writer *writer, struct fb_str topic, int64_t offset,
                     struct fb_str bytes, int64_t wall_us);
/* Nothing since the last seal. */
bool fb_journal_is_empty(const struct fb_journal_writer *writer);
/* Appends the record to `out` and begins anew; `journal` but for its operations. */
void fb_journal_seal(struct fb_journal_writer *writer, const struct fb_journal *journal,
                     struct fb_buf *out);

/* ---- reading ---- */

/* False: err (fatal) says what is wrong with the bytes. Views into `bytes`. */
bool fb_journal_parse(struct fb_str bytes, struct fb_journal *journal, struct fb_err *err);

enum fb_journal_op_kind {
    FB_JOURNAL_TAKE,       /* n records of the input, in the order of the log */
    FB_JOURNAL_TAKE_BYTES, /* one record: stamp, key, value */
    FB_JOURNAL_TICK,
    FB_JOURNAL_QUARANTINE,
    FB_JOURNAL_RULES,
    FB_JOURNAL_BEGIN, /* of an input, at `next` */
    FB_JOURNAL_CALL
};
struct fb_journal_op {
    enum fb_journal_op_kind kind;
    uint32_t input;
    uint64_t n;
    int64_t wall_us;
    int64_t stamp_us; /* TAKE_BYTES */
    struct fb_str key, value;
    const uint8_t *rules; /* RULES */
    struct fb_str build;  /* RULES */
    int64_t next;         /* BEGIN; CALL: the call's own offset */
    struct fb_str topic, bytes; /* CALL */
};
struct fb_journal_reader {
    struct fb_str rest;
    int64_t wall_us;
};
struct fb_journal_reader fb_journal_ops(const struct fb_journal *journal);
/* False: no more, or (err set, fatal) malformed. */
bool fb_journal_next_op(struct fb_journal_reader *reader, struct fb_journal_op *op,
                        struct fb_err *err);

/* ---- the note at a committed position ---- */

/* "SEQ OWNER", text, at most FB_NOTE_BYTES_MAX with an owner of up to 480 bytes. Appends. */
void fb_journal_note(uint64_t seq, struct fb_str owner, struct fb_buf *out);
/* False: not such a note. */
bool fb_journal_note_parse(struct fb_str note, uint64_t *seq, struct fb_str *owner);

#endif
