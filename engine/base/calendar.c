/* Points in time and spans in the proleptic Gregorian calendar, UTC only. */
#include "engine/base/calendar.h"

#include <stdio.h>

#include "engine/base/num.h"

#define DAY_SECONDS INT64_C(86400)
#define FIRST_SECOND INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_SECOND INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */

struct date {
    int year, month, day;
};

/* Days since 1970-01-01. Years are counted from March, so that the leap day ends one. */
static int64_t days_of_date(struct date d) {
    int64_t year = d.month > 2 ? d.year : d.year - 1;
    int64_t era = fb_floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t month = d.month > 2 ? d.month - 3 : d.month + 9;
    int64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct date date_of_days(int64_t days) {
    days += 719468;
    int64_t era = fb_floor_div(days, 146097);
    int64_t doe = days - era * 146097;
    int64_t year_of_era = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t day_of_year = doe - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    int64_t year = year_of_era + era * 400 + (month >= 10);
    return (struct date){(int)year, (int)(month < 10 ? month + 3 : month - 9),
                         (int)(day_of_year - (153 * month + 2) / 5 + 1)};
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

struct cursor {
    const char *p, *end;
};

static bool take_char(struct cursor *c, char wanted) {
    if (c->p == c->end || *c->p != wanted)
        return false;
    c->p++;
    return true;
}

static bool take_number(struct cursor *c, int n_digits, int least, int most, int *x) {
    if (c->end - c->p < n_digits)
        return false;
    int value = 0;
    for (int i = 0; i < n_digits; i++) {
        char digit = c->p[i];
        if (digit < '0' || digit > '9')
            return false;
        value = value * 10 + (digit - '0');
    }
    c->p += n_digits;
    *x = value;
    return value >= least && value <= most;
}

static bool take_date(struct cursor *c, struct date *d) {
    return take_number(c, 4, 1, 9999, &d->year) && take_char(c, '-') &&
           take_number(c, 2, 1, 12, &d->month) && take_char(c, '-') &&
           take_number(c, 2, 1, days_in_month(d->year, d->month), &d->day);
}

/* A fraction's whole microseconds, and what is left compared with half a microsecond. */
struct fraction {
    int us, rest_to_half; /* -1, 0, 1 */
};

static bool take_fraction(struct cursor *c, struct fraction *f) {
    *f = (struct fraction){0, -1};
    if (!take_char(c, '.') && !take_char(c, ','))
        return true;
    int n = 0;
    for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++, n++) {
        int digit = *c->p - '0';
        if (n < 6)
            f->us = f->us * 10 + digit;
        else if (n == 6)
            f->rest_to_half = (digit > 5) - (digit < 5);
        else if (digit && f->rest_to_half == 0)
            f->rest_to_half = 1;
    }
    for (int i = n; i < 6; i++)
        f->us *= 10;
    return n > 0;
}

/* Seconds east of UTC. */
static bool take_zone(struct cursor *c, int64_t *offset) {
    *offset = 0;
    if (c->p == c->end || take_char(c, 'Z') || take_char(c, 'z'))
        return true;
    int sign = *c->p == '-' ? -1 : 1, hours, minutes;
    if (!take_char(c, '+') && !take_char(c, '-'))
        return false;
    if (!take_number(c, 2, 0, 23, &hours))
        return false;
    minutes = 0;
    if (c->p < c->end) {
        (void)take_char(c, ':');
        if (!take_number(c, 2, 0, 59, &minutes))
            return false;
    }
    *offset = sign * (hours * 3600 + minutes * 60);
    return true;
}

/* The time of day behind a date; a leap second counts as the next minute's first. */
static bool take_clock(struct cursor *c, int64_t *seconds, struct fraction *f) {
    int hour, minute, second = 0;
    int64_t offset;
    if (!take_char(c, 'T') && !take_char(c, 't') && !take_char(c, ' '))
        return false;
    if (!take_number(c, 2, 0, 23, &hour) || !take_char(c, ':') ||
        !take_number(c, 2, 0, 59, &minute))
        return false;
    *f = (struct fraction){0, -1};
    if (take_char(c, ':') && (!take_number(c, 2, 0, 60, &second) || !take_fraction(c, f)))
        return false;
    if (!take_zone(c, &offset))
        return false;
    *seconds = hour * 3600 + minute * 60 + second - offset;
    return second < 60 || (*seconds % DAY_SECONDS + DAY_SECONDS) % DAY_SECONDS == 0;
}

bool fb_time_parse(struct fb_str s, int64_t *us) {
    if (s.n == 0)
        return false;
    struct cursor c = {s.p, s.p + s.n};
    struct date date;
    struct fraction f = {0, -1};
    int64_t clock = 0;
    if (!take_date(&c, &date))
        return false;
    if (c.p < c.end && !take_clock(&c, &clock, &f))
        return false;
    if (c.p != c.end)
        return false;
    int64_t seconds = days_of_date(date) * DAY_SECONDS + clock;
    bool up = f.rest_to_half > 0 || (f.rest_to_half == 0 && seconds >= 0);
    int64_t value = seconds * FB_SECOND + f.us + up;
    if (value < FIRST_SECOND * FB_SECOND || value >= (LAST_SECOND + 1) * FB_SECOND)
        return false;
    *us = value;
    return true;
}

/* Two digits and what stands behind them. Without printf, and unsigned, so that the division is a
 * multiplication: every output has several times. */
static char *put_two(char *p, unsigned x, char behind) {
    p[0] = (char)('0' + x / 10);
    p[1] = (char)('0' + x % 10);
    p[2] = behind;
    return p + 3;
}

size_t fb_time_format(int64_t us, char *out) {
    if (us < FIRST_SECOND * FB_SECOND)
        us = FIRST_SECOND * FB_SECOND;
    if (us >= (LAST_SECOND + 1) * FB_SECOND)
        us = (LAST_SECOND + 1) * FB_SECOND - 1;
    int64_t days = fb_floor_div(us, FB_DAY);
    unsigned ms = (unsigned)((us - days * FB_DAY) / 1000), seconds = ms / 1000;
    struct date d = date_of_days(days);
    char *p = out;
    p = put_two(p, (unsigned)d.year / 100, '-') - 1;
    p = put_two(p, (unsigned)d.year % 100, '-');
    p = put_two(p, (unsigned)d.month, '-');
    p = put_two(p, (unsigned)d.day, 'T');
    p = put_two(p, seconds / 3600, ':');
    p = put_two(p, seconds / 60 % 60, ':');
    p = put_two(p, seconds % 60, '.');
    p = put_two(p, ms % 1000 / 10, '0') - 1;
    *p++ = (char)('0' + ms % 10);
    *p++ = 'Z';
    *p = '\0';
    return (size_t)(p - out);
}

size_t fb_span_format(int64_t us, char *out) {
    static const struct {
        const char *name;
        uint64_t us;
    } units[] = {{"d", FB_DAY},    {"h", FB_HOUR}, {"m", FB_MINUTE},
                 {"s", FB_SECOND}, {"ms", 1000},   {"us", 1}};
    uint64_t rest = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    size_t n = 0;
    if (us < 0)
        out[n++] = '-';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (rest < units[i].us)
            continue;
        n += (size_t)sprintf(out + n, "%llu%s", (unsigned long long)(rest / units[i].us),
                             units[i].name);
        rest %= units[i].us;
    }
    if (n == 0)
        n = (size_t)sprintf(out, "0s");
    return n;
}

bool fb_span_parse(struct fb_str s, int64_t *us) {
    static const struct {
        struct fb_str name;
        int64_t us;
    } units[] = {{FB_S("ms"), 1000},   {FB_S("s"), FB_SECOND}, {FB_S("m"), FB_MINUTE},
                 {FB_S("h"), FB_HOUR}, {FB_S("d"), FB_DAY},    {FB_S("w"), 7 * FB_DAY}};
    const int64_t most_us = 36525 * FB_DAY;
    int64_t sum = 0;
    size_t at = 0;
    while (at < s.n) {
        int64_t n = 0;
        size_t digits = at, i = 0;
        for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9' && n <= most_us; at++)
            n = n * 10 + (s.p[at] - '0');
        size_t count = sizeof units / sizeof *units;
        while (i < count && (s.n - at < units[i].name.n ||
                             memcmp(s.p + at, units[i].name.p, units[i].name.n) != 0))
            i++;
        if (at == digits || i == count || n > most_us / units[i].us)
            return false;
        sum += n * units[i].us;
        at += units[i].name.n;
    }
    *us = sum;
    return s.n > 0 && sum <= most_us;
}
