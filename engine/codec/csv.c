/* The decoder of CSV files: columns are looked up once, at the header. */
#include "engine/codec/csv.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/map.h"
#include "engine/base/num.h"
#include "engine/codec/csv_row.h"

enum { ROW_BYTES_MAX = 256 * 1024, ROW_LINES_MAX = 100, NO_COLUMN = UINT32_MAX };

/* What one class reads. */
struct reader {
    const struct fb_class *class_;
    struct fb_maker *maker;
    uint32_t
        *first_column; /* by field: where its columns stand in `columns`; one more at the end */
    uint32_t *columns; /* in the order of the field's paths, those the file has */
    uint32_t time_column;
    struct fb_json_value *values; /* by field; the time's at the end */
    const struct fb_json_value **by_field;
};

struct fb_csv {
    struct fb_arena *arena;
    struct reader *readers;
    uint32_t n_readers;
    struct fb_csv_set *sets;
    uint32_t n_sets;

    bool has_header;
    struct fb_map *column_of; /* name -> column; the sets stand behind the file's own */
    uint32_t n_columns;       /* of the file */

    struct fb_buf pending; /* lines of a row whose quoted cell goes on */
    uint32_t n_lines;
    struct fb_str text; /* the complete row */
    struct fb_csv_row row;

    struct fb_origin origin;
    int64_t arrival_us;
    const char *error; /* a code: the row cannot be read */
    uint32_t next_reader;
    bool taken;
    struct fb_buf detail;
};

/* ---- set-up ---- */

static void set_up_reader(struct fb_csv *csv, struct reader *reader,
                          const struct fb_program *program, uint16_t class_index) {
    const struct fb_class *class_ = &program->classes[class_index];
    uint32_t n_paths = 0;
    for (uint32_t i = 0; i < class_->n_fields; i++)
        n_paths += class_->fields[i].n_paths;
    reader->class_ = class_;
    reader->maker = fb_maker_new(program, class_index);
    reader->first_column = FB_ARENA_ARRAY(csv->arena, uint32_t, class_->n_fields + 1);
    reader->columns = FB_ARENA_ARRAY(csv->arena, uint32_t, n_paths);
    reader->values = FB_ARENA_ARRAY(csv->arena, struct fb_json_value, class_->n_fields + 1);
    reader->by_field = FB_ARENA_ARRAY(csv->arena, const struct fb_json_value *, class_->n_fields);
    for (uint32_t i = 0; i < class_->n_fields; i++)
        reader->by_field[i] = &reader->values[i];
}

struct fb_csv *fb_csv_new(const struct fb_program *program, const uint16_t *classes,
                          uint32_t n_classes, const struct fb_csv_set *sets, uint32_t n_sets) {
    FB_ASSERT(n_classes > 0);
    struct fb_csv *csv = fb_alloc(sizeof *csv);
    csv->arena = fb_arena_new();
    csv->column_of = fb_map_new();
    csv->n_readers = n_classes;
    csv->readers = FB_ARENA_ARRAY(csv->arena, struct reader, n_classes);
    for (uint32_t i = 0; i < n_classes; i++)
        set_up_reader(csv, &csv->readers[i], program, classes[i]);
    csv->n_sets = n_sets;
    csv->sets = FB_ARENA_ARRAY(csv->arena, struct fb_csv_set, n_sets);
    for (uint32_t i = 0; i < n_sets; i++) {
        csv->sets[i].name = fb_str_copy(csv->arena, sets[i].name);
        csv->sets[i].value = fb_str_copy(csv->arena, sets[i].value);
    }
    csv->next_reader = n_classes;
    csv->taken = true;
    return csv;
}

void fb_csv_free(struct fb_csv *csv) {
    if (!csv)
        return;
    for (uint32_t i = 0; i < csv->n_readers; i++)
        fb_maker_free(csv->readers[i].maker);
    fb_map_free(csv->column_of);
    fb_csv_row_free(&csv->row);
    fb_buf_free(&csv->pending);
    fb_buf_free(&csv->detail);
    fb_arena_free(csv->arena);
    free(csv);
}

/* ---- header ---- */

static bool add_column(struct fb_csv *csv, struct fb_str name, uint32_t column,
                       struct fb_err *err) {
    if (fb_map_get(csv->column_of, name) != FB_MAP_NONE)
        return fb_fail(err, FB_FATAL, "the column %.*s is there twice", FB_ARG(name));
    fb_map_put(csv->column_of, name, column);
    return true;
}

/* Finds the columns of a class. False when a key or the time has none; then `missing` names it. */
static bool find_columns(const struct fb_csv *csv, struct reader *reader, struct fb_str *missing) {
    const struct fb_class *class_ = reader->class_;
    uint32_t n = 0;
    missing->n = 0;
    for (uint32_t i = 0; i < class_->n_fields; i++) {
        reader->first_column[i] = n;
        for (uint32_t k = 0; k < class_->fields[i].n_paths; k++) {
            uint32_t column = fb_map_get(csv->column_of, class_->fields[i].paths[k]);
            if (column != FB_MAP_NONE)
                reader->columns[n++] = column;
        }
        if (i < class_->n_keys && n == reader->first_column[i] && missing->n == 0)
            *missing = class_->fields[i].paths[0];
    }
    reader->first_column[class_->n_fields] = n;
    reader->time_column = NO_COLUMN;
    if (class_->time_unit != FB_TIME_ARRIVAL) {
        reader->time_column = fb_map_get(csv->column_of, class_->time_path);
        if (reader->time_column == FB_MAP_NONE && missing->n == 0)
            *missing = class_->time_path;
    }
    return missing->n == 0;
}

static bool take_header(struct fb_csv *csv, struct fb_str text, struct fb_err *err) {
    static const struct fb_str byte_order_mark = {"\xEF\xBB\xBF", 3};
    if (text.n >= 3 && memcmp(text.p, byte_order_mark.p, 3) == 0)
        text = (struct fb_str){text.p + 3, text.n - 3};
    if (!fb_str_is_utf8(text) || !fb_csv_cut(&csv->row, text))
        return fb_fail(err, FB_FATAL, "the header is not a row of CSV in UTF-8");
    csv->n_columns = csv->row.n_cells;
    for (uint32_t i = 0; i < csv->n_columns; i++)
        if (!add_column(csv, csv->row.cells[i], i, err))
            return false;
    for (uint32_t i = 0; i < csv->n_sets; i++)
        if (!add_column(csv, csv->sets[i].name, csv->n_columns + i, err))
            return false;
    bool readable = false;
    csv->detail.n = 0;
    for (uint32_t i = 0; i < csv->n_readers; i++) {
        struct fb_str missing;
        if (find_columns(csv, &csv->readers[i], &missing))
            readable = true;
        else
            fb_buf_printf(&csv->detail, "%sdevice %.*s needs a column %.*s",
                          csv->detail.n ? ", " : "", FB_ARG(csv->readers[i].class_->name),
                          FB_ARG(missing));
    }
    if (!readable)
        return fb_fail(err, FB_FATAL,
                       "no device of the rules can be read from the columns of the header: %s; "
                       "--set NAME=VALUE adds a column",
                       fb_buf_terminated(&csv->detail));
    csv->has_header = true;
    return true;
}

/* ---- rows ---- */

static bool is_blank(struct fb_str line) {
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
            return false;
    return true;
}

static enum fb_csv_line finish_row(struct fb_csv *csv, struct fb_err *err) {
    csv->error = NULL;
    if (!csv->has_header)
        return take_header(csv, csv->text, err) ? FB_CSV_TAKEN : FB_CSV_FAILED;
    if (csv->text.n > ROW_BYTES_MAX)
        csv->error = "CSV_SIZE";
    else if (!fb_str_is_utf8(csv->text))
        csv->error = "CSV_UTF8";
    else if (!fb_csv_cut(&csv->row, csv->text))
        csv->error = "CSV_QUOTE";
    else if (csv->row.n_cells != csv->n_columns)
        csv->error = "CSV_COLUMNS";
    return FB_CSV_RECORD;
}

enum fb_csv_line fb_csv_line(struct fb_csv *csv, struct fb_str line, struct fb_err *err) {
    if (csv->n_lines == 0) {
        if (is_blank(line))
            return FB_CSV_TAKEN;
        csv->text = line;
        csv->pending.n = 0;
    } else {
        fb_buf_char(&csv->pending, '\n');
    }
    csv->n_lines++;
    bool open = fb_csv_is_open(line, csv->n_lines > 1);
    if (csv->n_lines > 1 || open) {
        fb_buf_str(&csv->pending, line);
        csv->text = (struct fb_str){csv->pending.p, csv->pending.n};
    }
    if (open && csv->n_lines < ROW_LINES_MAX && csv->pending.n <= ROW_BYTES_MAX)
        return FB_CSV_TAKEN;
    csv->n_lines = 0;
    return finish_row(csv, err);
}

enum fb_csv_line fb_csv_end(struct fb_csv *csv, struct fb_err *err) {
    if (csv->n_lines == 0)
        return FB_CSV_TAKEN;
    csv->n_lines = 0;
    return finish_row(csv, err);
}

/* ---- cells ---- */

static struct fb_str cell_at(const struct fb_csv *csv, uint32_t column) {
    return column < csv->n_columns ? csv->row.cells[column]
                                   : csv->sets[column - csv->n_columns].value;
}

static struct fb_str trimmed(struct fb_str s) {
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = (struct fb_str){s.p + 1, s.n - 1};
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* A number is left as text (`wide`), to be read once, by what wants it. */
static struct fb_json_value number_of(struct fb_str cell) {
    return (struct fb_json_value){.kind = FB_JSON_NUM, .wide = true, .text = cell};
}

/* What the cell would be in JSON, by the type that is wanted. */
static struct fb_json_value type_cell(struct fb_str cell, enum fb_type type) {
    double ignored;
    struct fb_json_value text = {.kind = FB_JSON_TEXT, .text = cell};
    if (type == FB_T_TEXT || type == FB_T_ENUM) {
        text.kind = cell.n ? FB_JSON_TEXT : FB_JSON_ABSENT;
        return text;
    }
    cell = text.text = trimmed(cell);
    if (cell.n == 0)
        return (struct fb_json_value){.kind = FB_JSON_ABSENT};
    if (type == FB_T_BOOL) {
        if (fb_str_eq(cell, FB_S("true")) || fb_str_eq(cell, FB_S("1")))
            text.kind = FB_JSON_TRUE;
        else if (fb_str_eq(cell, FB_S("false")) || fb_str_eq(cell, FB_S("0")))
            text.kind = FB_JSON_FALSE;
        return text;
    }
    if (type == FB_T_TIME)
        return fb_num_parse(cell, &ignored) ? number_of(cell) : text;
    return number_of(cell);
}

static enum fb_made read_class(struct fb_csv *csv, struct reader *reader, struct fb_entry *entry,
                               struct fb_reject *reject) {
    const struct fb_class *class_ = reader->class_;
    for (uint32_t i = 0; i < class_->n_fields; i++) {
        /* A key is text, whatever its type: the maker reads a number from it. */
        enum fb_type type = i < class_->n_keys ? FB_T_TEXT : class_->fields[i].type;
        struct fb_json_value value = {.kind = FB_JSON_ABSENT};
        for (uint32_t at = reader->first_column[i];
             at < reader->first_column[i + 1] && value.kind == FB_JSON_ABSENT; at++)
            value = type_cell(cell_at(csv, reader->columns[at]), type);
        reader->values[i] = value;
    }
    struct fb_json_value *time = &reader->values[class_->n_fields];
    *time = (struct fb_json_value){.kind = FB_JSON_ABSENT};
    if (reader->time_column != NO_COLUMN)
        *time = type_cell(cell_at(csv, reader->time_column), FB_T_TIME);
    return fb_maker_make(reader->maker, reader->by_field, time, csv->arrival_us, entry, reject);
}

void fb_csv_begin(struct fb_csv *csv, const struct fb_origin *origin, int64_t arrival_us) {
    csv->origin = *origin;
    csv->arrival_us = arrival_us;
    csv->next_reader = 0;
    csv->taken = false;
    csv->detail.n = 0;
}

static enum fb_decoded finish_reject(const struct fb_csv *csv, struct fb_reject *reject,
                                     const char *code) {
    reject->code = code;
    reject->origin = csv->origin;
    reject->raw = csv->text;
    return FB_DECODED_REJECT;
}

static enum fb_decoded reject_row(struct fb_csv *csv, struct fb_reject *reject) {
    const char *code = csv->error;
    csv->next_reader = csv->n_readers;
    csv->taken = true;
    if (strcmp(code, "CSV_SIZE") == 0)
        fb_buf_printf(&csv->detail, "the row is longer than %d bytes", ROW_BYTES_MAX);
    else if (strcmp(code, "CSV_UTF8") == 0)
        fb_buf_text(&csv->detail, "text that is not valid UTF-8");
    else if (strcmp(code, "CSV_QUOTE") == 0)
        fb_buf_text(&csv->detail, "a quote where none may stand, or one that is never closed");
    else
        fb_buf_printf(&csv->detail, "%u cell%s, the header has %u", csv->row.n_cells,
                      csv->row.n_cells == 1 ? "" : "s",
                      csv->n_columns);
    reject->detail = (struct fb_str){csv->detail.p, csv->detail.n};
    return finish_reject(csv, reject, code);
}

enum fb_decoded fb_csv_next(struct fb_csv *csv, struct fb_entry *entry, struct fb_reject *reject) {
    if (csv->error && !csv->taken)
        return reject_row(csv, reject);
    while (csv->next_reader < csv->n_readers) {
        enum fb_made made = read_class(csv, &csv->readers[csv->next_reader++], entry, reject);
        if (made == FB_MADE_NO_KEY) {
            if (csv->detail.n > 0)
                fb_buf_text(&csv->detail, "; ");
            fb_buf_str(&csv->detail, reject->detail);
            continue;
        }
        csv->taken = true;
        if (made == FB_MADE_REJECT)
            return finish_reject(csv, reject, reject->code);
        entry->origin = csv->origin;
        entry->raw = csv->text;
        return FB_DECODED_ENTRY;
    }
    if (csv->taken)
        return FB_DECODED_END;
    csv->taken = true;
    reject->detail = (struct fb_str){csv->detail.p, csv->detail.n};
    return finish_reject(csv, reject, "NO_KEY");
}
