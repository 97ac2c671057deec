/* One line of an audit trail, checked against itself. */
#include "engine/codec/audit_read.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/hash.h"
#include "engine/codec/encode.h"
#include "engine/codec/json.h"

/* What is read of a record; TYPE is an attribute, the others stand in its data. */
enum member { TASK, SEQ, PREVIOUS, KIND, AT, CLOCK, BUILD, SEMANTICS, HASH, DATA, TYPE, MEMBERS };

/* Behind `data.` and bare. */
static const char *const names[2][MEMBERS] = {{"data.task", "data.seq", "data.previous",
                                               "data.kind", "data.at", "data.clock", "data.build",
                                               "data.semantics", "data.hash", "data", "type"},
                                              {"task", "seq", "previous", "kind", "at", "clock",
                                               "build", "semantics", "hash", "data", "type"}};

/* Larger than what fits into a topic; the scanner sets room for that aside. */
static const struct fb_json_limits limits = {1 << 20, 1 << 20, 8};

struct scanner {
    struct fb_json_paths *paths;
    struct fb_json *json;
};

struct fb_audit_reader {
    struct scanner scanners[2]; /* as names */
    struct fb_hasher *hasher;
    struct fb_buf line, source;
};

struct fb_audit_reader *fb_audit_reader_new(void) {
    struct fb_audit_reader *reader = fb_alloc(sizeof *reader);
    reader->hasher = fb_hasher_new();
    return reader;
}

void fb_audit_reader_free(struct fb_audit_reader *reader) {
    if (!reader)
        return;
    for (int i = 0; i < 2; i++) {
        fb_json_free(reader->scanners[i].json);
        fb_json_paths_free(reader->scanners[i].paths);
    }
    fb_hasher_free(reader->hasher);
    fb_buf_free(&reader->line);
    fb_buf_free(&reader->source);
    free(reader);
}

/* Made when the first line of its kind comes. */
static const struct scanner *scanner_of(struct fb_audit_reader *reader, bool bare) {
    struct scanner *scanner = &reader->scanners[bare];
    struct fb_str paths[MEMBERS];
    if (scanner->json)
        return scanner;
    for (int i = 0; i < MEMBERS; i++)
        paths[i] = fb_str_of(names[bare][i]);
    scanner->paths = fb_json_paths_new(paths, MEMBERS);
    scanner->json = fb_json_new(scanner->paths, limits);
    return scanner;
}

static const struct fb_json_value *value_of(const struct scanner *scanner, enum member member) {
    return &fb_json_values(scanner->json)[fb_json_node(scanner->paths, member)];
}

/* Empty where it is no text. */
static struct fb_str text_of(const struct scanner *scanner, enum member member) {
    const struct fb_json_value *value = value_of(scanner, member);
    return value->kind == FB_JSON_TEXT ? value->text : (struct fb_str){0};
}

/* Of all that a record must have. */
static bool read_members(const struct scanner *scanner, struct fb_audit_record *record) {
    const struct fb_json_value *seq = value_of(scanner, SEQ);
    const struct fb_json_value *semantics = value_of(scanner, SEMANTICS);
    int64_t number = 0;
    if (seq->kind != FB_JSON_NUM || !fb_json_integer(seq, &number) || number < 1 ||
        semantics->kind != FB_JSON_NUM || !fb_json_integer(semantics, &record->semantics))
        return false;
    record->seq = (uint64_t)number;
    record->kind = text_of(scanner, KIND);
    record->build = text_of(scanner, BUILD);
    record->task = text_of(scanner, TASK);
    if (record->task.n && record->kind.n &&
        fb_unhex(text_of(scanner, PREVIOUS), record->previous, 32) &&
        fb_unhex(text_of(scanner, HASH), record->hash, 32))
        return true;
    record->task = (struct fb_str){0};
    return false;
}

/* `hash` is the last member, and of all before it. */
static bool has_right_hash(struct fb_audit_reader *reader, const struct fb_audit_record *record) {
    char end[80] = ",\"hash\":\"";
    uint8_t digest[32];
    fb_hex(record->hash, 32, end + 9);
    strcpy(end + 9 + 64, "\"}");
    size_t n = strlen(end);
    if (record->data.n <= n || memcmp(record->data.p + record->data.n - n, end, n) != 0)
        return false;
    struct fb_str parts[] = {
        {(const char *)record->previous, 32}, {record->data.p, record->data.n - n}, FB_S("}")};
    fb_hasher_sha256_parts(reader->hasher, parts, 3, digest);
    return memcmp(digest, record->hash, 32) == 0;
}

/* The line is what the encoder makes of this data. */
static bool has_right_envelope(struct fb_audit_reader *reader, const struct scanner *scanner,
                               const struct fb_audit_record *record, struct fb_str line) {
    struct fb_str at = text_of(scanner, AT);
    struct fb_encoded encoded = {.type = "flyball.audit",
                                 .subject = record->task,
                                 .time = at.n ? at : text_of(scanner, CLOCK),
                                 .data = record->data};
    const char *slash = memrchr(record->task.p, '/', record->task.n);
    if (!slash)
        return false;
    reader->source.n = reader->line.n = 0;
    fb_buf_text(&reader->source, "/flyball/");
    fb_buf_put(&reader->source, record->task.p, (size_t)(slash - record->task.p));
    encoded.source = (struct fb_str){reader->source.p, reader->source.n};
    fb_hex(record->hash, 16, encoded.id);
    fb_encode_line(&encoded, &reader->line);
    return fb_str_eq((struct fb_str){reader->line.p, reader->line.n - 1}, line);
}

static const char *fault_of(struct fb_audit_reader *reader, struct fb_str line,
                            struct fb_audit_record *record) {
    bool bare = line.n > 8 && memcmp(line.p, "{\"task\":", 8) == 0;
    const struct scanner *scanner = scanner_of(reader, bare);
    struct fb_json_object object;
    fb_json_begin(scanner->json, line);
    if (!fb_json_next(scanner->json, &object))
        return "the line is empty";
    if (object.error != FB_JSON_OK)
        return fb_json_error_text(object.error);
    if (!fb_str_eq(object.raw, line))
        return "the line holds more than one object";
    if (!bare && !fb_str_eq(text_of(scanner, TYPE), FB_S("flyball.audit")))
        return "the line is no audit record: its type is not flyball.audit";
    if (!read_members(scanner, record))
        return "members of an audit record are missing or malformed";
    record->data = bare ? object.raw : value_of(scanner, DATA)->text;
    if (!has_right_hash(reader, record))
        return "the record was changed: its hash is not that of its bytes";
    if (!bare && !has_right_envelope(reader, scanner, record, line))
        return "the line was changed: what stands around the data does not follow from it";
    return NULL;
}

void fb_audit_read(struct fb_audit_reader *reader, struct fb_str line,
                   struct fb_audit_record *record) {
    *record = (struct fb_audit_record){0};
    record->fault = fault_of(reader, line, record);
}
