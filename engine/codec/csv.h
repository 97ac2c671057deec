/* The decoder of CSV files (RFC 4180): a header that names the fields, then a record a row.
 *
 * Place in the flow: lines of a file -> CSV decoder -> core. One owner; the program must outlive
 * it.
 *
 * A column belongs to the fields (and the time) that have its name as a path, nested ones written
 * with dots. Cells are typed by the field's declaration: numbers as JSON writes them, bools true,
 * false, 1, 0, times as in JSON; blanks around those do not count. An empty cell, quoted or not, is
 * a name that is missing. A quoted cell may hold line ends. */
#ifndef FB_CODEC_CSV_H
#define FB_CODEC_CSV_H

#include "engine/base/err.h"
#include "engine/codec/decode.h"

struct fb_csv;

/* A column that the file does not have: the same text in every row. */
struct fb_csv_set {
    struct fb_str name, value;
};

/* Copies the sets. */
struct fb_csv *fb_csv_new(const struct fb_program *program, const uint16_t *classes,
                          uint32_t n_classes, const struct fb_csv_set *sets, uint32_t n_sets);
void fb_csv_free(struct fb_csv *csv);

enum fb_csv_line {
    FB_CSV_TAKEN,  /* the header, a blank line, or a row whose quoted cell goes on */
    FB_CSV_RECORD, /* a row is complete: call fb_csv_next until its end */
    FB_CSV_FAILED  /* the header cannot be used; err says why */
};
/* Takes the next line of the file, without its end. The first one is the header: no class can read
 * the file when none has its keys and its time among the columns. */
enum fb_csv_line fb_csv_line(struct fb_csv *csv, struct fb_str line, struct fb_err *err);
/* At the end of the file: as above where a quoted cell was never closed. */
enum fb_csv_line fb_csv_end(struct fb_csv *csv, struct fb_err *err);

/* Starts on the complete row; the origin's topic must live until the last fb_csv_next. */
void fb_csv_begin(struct fb_csv *csv, const struct fb_origin *origin, int64_t arrival_us);
/* As fb_decoder_next. Views live until the next call of fb_csv_next, fb_csv_line or fb_csv_end.
 * Reasons of its own: CSV_QUOTE, CSV_COLUMNS, CSV_UTF8, CSV_SIZE. */
enum fb_decoded fb_csv_next(struct fb_csv *csv, struct fb_entry *entry, struct fb_reject *reject);

#endif
