/* Rings of instants, oldest overwritten first.
 *
 * Place in the flow: see rate.h. */
#include "engine/core/rate.h"

#include <string.h>

#include "engine/base/num.h"
#include "engine/base/planted.h"
#include "engine/core/shapes.h"
#include "engine/model/program.h"

void fb_times_move(const int64_t *old, uint32_t n_old, uint32_t next_old, int64_t *now,
                   uint32_t n_now, uint32_t *next_now) {
    *next_now = n_old == n_now ? next_old : 0;
    for (uint32_t i = 0; n_old == n_now && i < n_now; i++)
        now[i] = old[i];
    if (n_old == n_now)
        return;
    for (uint32_t i = 1; i <= n_old && i <= n_now; i++)
        now[n_now - i] = old[(next_old + n_old - i) % n_old];
}

uint32_t fb_times_since(const int64_t *times, uint32_t n, uint32_t next, int64_t after_us) {
    uint32_t low = 0, high = n; /* the first `low` are not later, those from `high` on are */
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (times[(next + middle) % n] > after_us)
            high = middle;
        else
            low = middle + 1;
    }
    return n - low;
}

bool fb_times_are_sound(uint32_t next, const int64_t *times, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (!fb_time_is_sound(times[i]))
            return false;
    return next < n || (n == 0 && next == 0);
}

void fb_rate_begin(struct fb_rate_cell *cell, uint32_t n) {
    cell->next[0] = cell->next[1] = 0;
    for (uint32_t i = 0; i < 2 * n; i++)
        cell->times[i] = FB_NO_TIME;
}

int64_t fb_rate_end(const struct fb_rate_cell *cell, const struct fb_rate *rate, bool shadow) {
    /* The ring has n places, so the next one to be overwritten is the n-th last command. */
    const int64_t nth_last_us = cell->times[shadow * rate->n + cell->next[shadow]];
    const int64_t per_us = FB_PLANTED(RATE_SHORT) ? rate->per_us / 2 : rate->per_us;
    return nth_last_us == FB_NO_TIME ? FB_NO_TIME : fb_add_sat(nth_last_us, per_us);
}

uint32_t fb_rate_counted(const struct fb_rate_cell *cell, const struct fb_rate *rate, bool shadow,
                         int64_t now_us) {
    return fb_times_since(cell->times + shadow * rate->n, rate->n, cell->next[shadow],
                          fb_add_sat(now_us, -rate->per_us));
}

void fb_rate_note(struct fb_rate_cell *cell, uint32_t n, bool shadow, int64_t now_us) {
    cell->times[shadow * n + cell->next[shadow]] = now_us;
    cell->next[shadow] = (cell->next[shadow] + 1) % n;
}

void fb_rate_move(const struct fb_rate_cell *old, uint32_t n_old, struct fb_rate_cell *now,
                  uint32_t n_now) {
    for (uint32_t k = 0; k < 2; k++)
        fb_times_move(old->times + k * n_old, n_old, old->next[k], now->times + k * n_now, n_now,
                      &now->next[k]);
}

bool fb_rate_is_sound(const struct fb_rate_cell *cell, uint32_t n) {
    return fb_times_are_sound(cell->next[0], cell->times, n) &&
           fb_times_are_sound(cell->next[1], cell->times + n, n);
}

bool fb_rate_is_empty(const struct fb_rate_cell *cell, uint32_t n) {
    for (uint32_t i = 0; i < 2 * n; i++)
        if (cell->times[i] != FB_NO_TIME)
            return false;
    return true;
}

void fb_rate_write(const struct fb_rate_cell *cell, uint32_t n, struct fb_buf *out) {
    for (uint32_t k = 0; k < 2; k++) {
        const int64_t *times = cell->times + k * n;
        uint32_t counted = 0;
        for (uint32_t i = 0; i < n; i++)
            counted += times[i] != FB_NO_TIME;
        fb_buf_put(out, &counted, sizeof counted);
        for (uint32_t i = 0; i < n; i++) {
            const int64_t *at = &times[(cell->next[k] + i) % n];
            if (*at != FB_NO_TIME)
                fb_buf_put(out, at, sizeof *at);
        }
    }
}

bool fb_rate_read(struct fb_rate_cell *cell, uint32_t n, struct fb_str bytes) {
    for (uint32_t k = 0; k < 2; k++) {
        uint32_t counted;
        if (bytes.n < sizeof counted)
            return false;
        memcpy(&counted, bytes.p, sizeof counted);
        const size_t length = sizeof(int64_t) * (size_t)counted;
        if (counted > n || bytes.n - sizeof counted < length)
            return false;
        if (counted)
            memcpy(cell->times + k * n, bytes.p + sizeof counted, length);
        for (uint32_t i = 0; i < counted; i++)
            if (cell->times[k * n + i] == FB_NO_TIME)
                return false;
        cell->next[k] = counted % n;
        bytes.p += sizeof counted + length;
        bytes.n -= sizeof counted + length;
    }
    return bytes.n == 0 && fb_rate_is_sound(cell, n);
}
