/* One row of CSV cut into cells (RFC 4180).
 *
 * Place in the flow: inside the CSV decoder only. One owner. */
#ifndef FB_CODEC_CSV_ROW_H
#define FB_CODEC_CSV_ROW_H

#include "engine/base/str.h"

#include <stdint.h>

struct fb_csv_row {
    struct fb_str *cells; /* views of the row or, where quotes were doubled, of `unquoted` */
    uint32_t n_cells, cap;
    struct fb_buf unquoted;
};

/* Whether a quoted cell is open at the end of a line; `open`: one was at its beginning. A line with
 * a misplaced quote ends there and then, so that it does not swallow those behind it. */
bool fb_csv_is_open(struct fb_str line, bool open);
/* False at a quote that stands where none may. The cells live as long as the text and until the
 * next call. */
bool fb_csv_cut(struct fb_csv_row *row, struct fb_str text);
void fb_csv_row_free(struct fb_csv_row *row);

#endif
