/* One row of CSV cut into cells: cell = { any but '"' ',' } | '"' { any but '"' | '""' } '"' */
#include "engine/codec/csv_row.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"

bool fb_csv_is_open(struct fb_str line, bool open) {
    const char *p = line.p, *end = p + line.n;
    for (;;) {
        if (!open && p < end && *p == '"') {
            open = true;
            p++;
        }
        const char *quote = memchr(p, '"', (size_t)(end - p));
        if (!open) {
            const char *comma = memchr(p, ',', (size_t)(end - p));
            if (!comma || (quote && quote < comma))
                return false;
            p = comma + 1;
            continue;
        }
        if (!quote)
            return true;
        p = quote + 1;
        if (p < end && *p == '"') {
            p++;
            continue;
        }
        open = false;
        if (p == end || *p++ != ',')
            return false;
    }
}

/* A quoted cell, p at its first quote; returns what is behind its last one, NULL if there is none.
 */
static const char *take_quoted(struct fb_csv_row *row, const char *p, const char *end,
                               struct fb_str *cell) {
    const char *start = ++p;
    size_t copied = row->unquoted.n;
    bool doubled = false;
    for (;;) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        if (!quote)
            return NULL;
        if (quote + 1 < end && quote[1] == '"') {
            fb_buf_put(&row->unquoted, p, (size_t)(quote + 1 - p));
            doubled = true;
            p = quote + 2;
            continue;
        }
        if (doubled) {
            fb_buf_put(&row->unquoted, p, (size_t)(quote - p));
            *cell = (struct fb_str){row->unquoted.p + copied, row->unquoted.n - copied};
        } else {
            *cell = (struct fb_str){start, (size_t)(quote - start)};
        }
        return quote + 1;
    }
}

bool fb_csv_cut(struct fb_csv_row *row, struct fb_str text) {
    row->n_cells = 0;
    row->unquoted.n = 0;
    /* Room for everything, so that the buffer does not move under the cells. */
    fb_buf_put(&row->unquoted, text.p, text.n);
    row->unquoted.n = 0;
    const char *p = text.p, *end = p + text.n;
    for (;;) {
        struct fb_str cell;
        if (p < end && *p == '"') {
            p = take_quoted(row, p, end, &cell);
            if (!p)
                return false;
        } else {
            const char *comma = memchr(p, ',', (size_t)(end - p));
            const char *stop = comma ? comma : end;
            if (memchr(p, '"', (size_t)(stop - p)))
                return false;
            cell = (struct fb_str){p, (size_t)(stop - p)};
            p = stop;
        }
        FB_PUSH_ROOM(row->cells, row->n_cells, row->cap);
        row->cells[row->n_cells++] = cell;
        if (p == end)
            return true;
        if (*p++ != ',')
            return false;
    }
}

void fb_csv_row_free(struct fb_csv_row *row) {
    free(row->cells);
    fb_buf_free(&row->unquoted);
    *row = (struct fb_csv_row){0};
}
