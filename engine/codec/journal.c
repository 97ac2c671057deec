/* The journal's records: operations noted one by one, fields and checksum around them. */
#include "engine/codec/journal.h"

#include "connectors/connector.h"
#include "engine/base/planted.h"
#include "engine/codec/binary.h"

static const char magic[4] = {'F', 'B', 'J', '2'};
static const char former_magic[4] = {'F', 'B', 'J', '1'};

/* An operation is a number of its kind and input, its wall clock less that of the one before, and
 * what its kind has. A stored format: append kinds, never change one. */
enum { KIND_BITS = 3, OWNER_BYTES_MAX = 480 };
_Static_assert(OWNER_BYTES_MAX + 21 <= FB_NOTE_BYTES_MAX, "a note fits beside the position");
_Static_assert(FB_JOURNAL_CALL < 1 << KIND_BITS, "a kind fits");

/* ---- writing ---- */

void fb_journal_writer_free(struct fb_journal_writer *writer) {
    fb_buf_free(&writer->bytes);
    *writer = (struct fb_journal_writer){0};
}

static void put_op(struct fb_journal_writer *writer, enum fb_journal_op_kind kind, uint32_t input,
                   int64_t wall_us) {
    fb_bin_put(&writer->bytes, (uint64_t)input << KIND_BITS | kind);
    /* Modulo 2^64, so that every difference has a number. */
    fb_bin_put_signed(&writer->bytes, (int64_t)((uint64_t)wall_us - (uint64_t)writer->wall_us));
    writer->wall_us = wall_us;
}

static void end_run(struct fb_journal_writer *writer) {
    if (writer->run_n == 0)
        return;
    put_op(writer, FB_JOURNAL_TAKE, writer->run_input, writer->run_wall_us);
    fb_bin_put(&writer->bytes, writer->run_n);
    writer->run_n = 0;
}

void fb_journal_begin_run(struct fb_journal_writer *writer, uint32_t input, int64_t wall_us) {
    end_run(writer);
    writer->run_input = input;
    writer->run_wall_us = wall_us;
}

void fb_journal_tick(struct fb_journal_writer *writer, int64_t wall_us) {
    if (!FB_PLANTED(JOURNAL_ORDER))
        end_run(writer);
    put_op(writer, FB_JOURNAL_TICK, 0, wall_us);
}

void fb_journal_quarantine(struct fb_journal_writer *writer, uint32_t input, int64_t wall_us) {
    end_run(writer);
    put_op(writer, FB_JOURNAL_QUARANTINE, input, wall_us);
}

void fb_journal_take_bytes(struct fb_journal_writer *writer, uint32_t input, int64_t wall_us,
                           int64_t stamp_us, struct fb_str key, struct fb_str value) {
    end_run(writer);
    put_op(writer, FB_JOURNAL_TAKE_BYTES, input, wall_us);
    fb_bin_put_signed(&writer->bytes, stamp_us);
    fb_bin_put_text(&writer->bytes, key);
    fb_bin_put_text(&writer->bytes, value);
}

void fb_journal_rules(struct fb_journal_writer *writer, const uint8_t rules[32],
                      struct fb_str build, int64_t wall_us) {
    end_run(writer);
    put_op(writer, FB_JOURNAL_RULES, 0, wall_us);
    fb_buf_put(&writer->bytes, rules, 32);
    fb_bin_put_text(&writer->bytes, build);
}

void fb_journal_begin(struct fb_journal_writer *writer, uint32_t input, int64_t next) {
    end_run(writer);
    put_op(writer, FB_JOURNAL_BEGIN, input, writer->wall_us);
    fb_bin_put_signed(&writer->bytes, next);
}

void fb_journal_call(struct fb_journal_writer *writer, struct fb_str topic, int64_t offset,
                     struct fb_str bytes, int64_t wall_us) {
    end_run(writer);
    put_op(writer, FB_JOURNAL_CALL, 0, wall_us);
    fb_bin_put_text(&writer->bytes, topic);
    fb_bin_put_signed(&writer->bytes, offset);
    fb_bin_put_text(&writer->bytes, bytes);
}

bool fb_journal_is_empty(const struct fb_journal_writer *writer) {
    return writer->run_n == 0 && writer->bytes.n == 0;
}

static void put_fields(const struct fb_journal *journal, struct fb_buf *out) {
    FB_ASSERT(journal->n_inputs <= FB_JOURNAL_INPUTS_MAX);
    fb_bin_put(out, journal->seq);
    fb_bin_put(out, journal->semantics);
    fb_buf_put(out, journal->rules, sizeof journal->rules);
    fb_bin_put_signed(out, journal->wall_us);
    fb_bin_put_signed(out, journal->clock_us);
    fb_bin_put_signed(out, journal->epoch_ms);
    fb_bin_put_signed(out, journal->calls_next);
    fb_bin_put(out, journal->outputs);
    fb_bin_put_hash(out, journal->output_hash);
    fb_bin_put(out, journal->audit_seq);
    fb_buf_put(out, journal->audit_head, sizeof journal->audit_head);
    fb_bin_put(out, journal->snapshot.id);
    fb_bin_put(out, journal->snapshot.seq);
    fb_bin_put_signed(out, journal->snapshot.wall_us);
    fb_bin_put(out, journal->n_inputs);
    for (uint32_t i = 0; i < journal->n_inputs; i++) {
        fb_bin_put_text(out, journal->inputs[i].topic);
        fb_bin_put_signed(out, journal->inputs[i].next);
    }
}

void fb_journal_seal(struct fb_journal_writer *writer, const struct fb_journal *journal,
                     struct fb_buf *out) {
    size_t start = out->n;
    end_run(writer);
    fb_buf_put(out, magic, sizeof magic);
    put_fields(journal, out);
    fb_buf_put(out, writer->bytes.p, writer->bytes.n);
    fb_bin_seal(out, start);
    writer->bytes.n = 0;
    writer->wall_us = 0;
}

/* ---- reading ---- */

static void get_fields(struct fb_bin *bin, bool former, struct fb_journal *journal) {
    journal->seq = fb_bin_get(bin);
    journal->semantics = fb_bin_get_32(bin);
    fb_bin_get_bytes(bin, journal->rules, sizeof journal->rules);
    journal->wall_us = fb_bin_get_signed(bin);
    journal->clock_us = fb_bin_get_signed(bin);
    journal->epoch_ms = former ? 0 : fb_bin_get_signed(bin);
    journal->calls_next = former ? 0 : fb_bin_get_signed(bin);
    journal->outputs = fb_bin_get(bin);
    journal->output_hash = fb_bin_get_hash(bin);
    journal->audit_seq = fb_bin_get(bin);
    fb_bin_get_bytes(bin, journal->audit_head, sizeof journal->audit_head);
    journal->snapshot.id = fb_bin_get(bin);
    journal->snapshot.seq = fb_bin_get(bin);
    journal->snapshot.wall_us = fb_bin_get_signed(bin);
    journal->n_inputs = fb_bin_get_32(bin);
    if (journal->n_inputs > FB_JOURNAL_INPUTS_MAX) {
        bin->bad = true;
        journal->n_inputs = 0;
    }
    for (uint32_t i = 0; i < journal->n_inputs; i++) {
        journal->inputs[i].topic = fb_bin_get_text(bin);
        journal->inputs[i].next = fb_bin_get_signed(bin);
    }
}

static bool get_op(struct fb_bin *bin, int64_t before_us, struct fb_journal_op *op) {
    uint64_t head = fb_bin_get(bin);
    *op = (struct fb_journal_op){.kind = (enum fb_journal_op_kind)(head & ((1 << KIND_BITS) - 1)),
                                 .input = (uint32_t)(head >> KIND_BITS),
                                 .n = 1};
    op->wall_us = (int64_t)((uint64_t)before_us + (uint64_t)fb_bin_get_signed(bin));
    switch (op->kind) {
    case FB_JOURNAL_TAKE:
        op->n = fb_bin_get(bin);
        break;
    case FB_JOURNAL_TAKE_BYTES:
        op->stamp_us = fb_bin_get_signed(bin);
        op->key = fb_bin_get_text(bin);
        op->value = fb_bin_get_text(bin);
        break;
    case FB_JOURNAL_RULES:
        op->rules = fb_bin_take(bin, 32);
        op->build = fb_bin_get_text(bin);
        break;
    case FB_JOURNAL_BEGIN:
        op->next = fb_bin_get_signed(bin);
        break;
    case FB_JOURNAL_CALL:
        op->topic = fb_bin_get_text(bin);
        op->next = fb_bin_get_signed(bin);
        op->bytes = fb_bin_get_text(bin);
        break;
    case FB_JOURNAL_TICK:
    case FB_JOURNAL_QUARANTINE:
        break;
    default:
        bin->bad = true;
    }
    return !bin->bad && op->n > 0 && head >> KIND_BITS <= UINT32_MAX;
}

struct fb_journal_reader fb_journal_ops(const struct fb_journal *journal) {
    return (struct fb_journal_reader){.rest = journal->operations};
}

bool fb_journal_next_op(struct fb_journal_reader *reader, struct fb_journal_op *op,
                        struct fb_err *err) {
    if (reader->rest.n == 0)
        return false;
    struct fb_bin bin = fb_bin_of(reader->rest);
    if (!get_op(&bin, reader->wall_us, op)) {
        reader->rest = (struct fb_str){0};
        return fb_fail(err, FB_FATAL, "an operation of a journal record is malformed");
    }
    reader->rest = (struct fb_str){(const char *)bin.p, fb_bin_left(&bin)};
    reader->wall_us = op->wall_us;
    return true;
}

/* All of them well-formed, and of inputs that the record names. */
static bool has_sound_ops(const struct fb_journal *journal) {
    struct fb_journal_reader reader = fb_journal_ops(journal);
    struct fb_journal_op op;
    struct fb_err err = {.kind = FB_NO_FAILURE};
    while (fb_journal_next_op(&reader, &op, &err)) {
        bool of_input = op.kind != FB_JOURNAL_TICK && op.kind != FB_JOURNAL_RULES &&
                        op.kind != FB_JOURNAL_CALL;
        if (op.input >= (of_input ? journal->n_inputs : 1))
            return false;
    }
    return err.kind == FB_NO_FAILURE;
}

bool fb_journal_parse(struct fb_str bytes, struct fb_journal *journal, struct fb_err *err) {
    const char *why = "";
    *journal = (struct fb_journal){0};
    bool former = bytes.n >= sizeof former_magic &&
                  memcmp(bytes.p, former_magic, sizeof former_magic) == 0;
    struct fb_bin bin = fb_bin_open(bytes, former ? former_magic : magic, &why);
    if (!bin.bad)
        get_fields(&bin, former, journal);
    journal->operations = (struct fb_str){(const char *)bin.p, fb_bin_left(&bin)};
    if (bin.bad || !has_sound_ops(journal))
        return fb_fail(err, FB_FATAL, "a journal record of %zu bytes is malformed: %s", bytes.n,
                       why);
    return true;
}

/* ---- the note at a committed position ---- */

void fb_journal_note(uint64_t seq, struct fb_str owner, struct fb_buf *out) {
    FB_ASSERT(owner.n <= OWNER_BYTES_MAX);
    FB_ASSERT(owner.n == 0 || !memchr(owner.p, 0, owner.n));
    fb_buf_printf(out, "%llu ", (unsigned long long)seq);
    fb_buf_str(out, owner);
}

bool fb_journal_note_parse(struct fb_str note, uint64_t *seq, struct fb_str *owner) {
    size_t i = 0;
    *seq = 0;
    for (; i < note.n && note.p[i] >= '0' && note.p[i] <= '9'; i++)
        if (__builtin_mul_overflow(*seq, 10u, seq) ||
            __builtin_add_overflow(*seq, (uint64_t)(note.p[i] - '0'), seq))
            return false;
    if (i == 0 || i == note.n || note.p[i] != ' ' || (note.p[0] == '0' && i > 1))
        return false;
    *owner = (struct fb_str){note.p + i + 1, note.n - i - 1};
    return true;
}
