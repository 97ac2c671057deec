/* Units of measurement: what their texts mean, which go together, and exact conversions.
 *
 * Place in the flow: check asks what a unit is and whether two agree; lower asks for the conversion
 * that the program carries. The run time never sees a unit, but its text.
 *
 * A unit is a power product of base dimensions times an exact fraction, plus an offset for the
 * temperature scales degC and degF. NULL stands for "no unit" everywhere: dimension 1, factor 1.
 * A text is looked up in our own table first (rules/unit_table.inc: telemetry's words, exact), then
 * asked of UDUNITS-2, whose factors count as the decimal numbers that they print as.
 * Units live as long as their struct fb_units. One per compilation; not thread-safe. */
#ifndef FB_RULES_UNITS_H
#define FB_RULES_UNITS_H

#include "engine/base/str.h"

struct fb_unit;
struct fb_units;

struct fb_units *fb_units_new(void);
void fb_units_free(struct fb_units *units);

/* The unit of a text such as `degC`, `m3/h`, `kWh`, `%`; NULL: unknown. Equal texts give the same
 * pointer. */
const struct fb_unit *fb_unit_find(struct fb_units *units, struct fb_str text);
/* For "did you mean": a known unit that looks like it; empty: none. */
struct fb_str fb_unit_nearest(struct fb_units *units, struct fb_str text);
/* The declared text; of a computed unit its text put together ("B/s"); empty for NULL. */
struct fb_str fb_unit_text(const struct fb_unit *unit);

/* Equal dimension, so that one can be converted to the other. */
bool fb_unit_agree(const struct fb_unit *a, const struct fb_unit *b);
/* Equal in every way but the text: no conversion is needed. */
bool fb_unit_same(const struct fb_unit *a, const struct fb_unit *b);
/* A place on a scale with a zero of its own (degC, degF): only differences of two such make
 * sense. */
bool fb_unit_is_point(const struct fb_unit *unit);
/* The dimension of K, which says neither point nor difference by itself. */
bool fb_unit_is_temperature(const struct fb_unit *unit);
bool fb_unit_is_time(const struct fb_unit *unit);
bool fb_unit_is_dimensionless(const struct fb_unit *unit); /* none, %, ppm, m/km */
/* Computed, not declared: `a / b` of % and ppm. */
bool fb_unit_is_derived(const struct fb_unit *unit);

const struct fb_unit *fb_unit_second(struct fb_units *units);
/* What the difference of two values has: K for degC, steps of a degF for degF, else itself. */
const struct fb_unit *fb_unit_difference(struct fb_units *units, const struct fb_unit *unit);
/* What stands behind a number to mean this unit: its text, but for the steps of a scale, whose text
 * is that of the scale (delta_degF for those of degF). For "did you mean". */
struct fb_str fb_unit_written(struct fb_units *units, const struct fb_unit *unit);
/* Units of products and quotients; a unit that comes to plain 1 is NULL. */
const struct fb_unit *fb_unit_multiply(struct fb_units *units, const struct fb_unit *a,
                                       const struct fb_unit *b);
const struct fb_unit *fb_unit_divide(struct fb_units *units, const struct fb_unit *a,
                                     const struct fb_unit *b);
/* unit per second; NULL stays NULL (a rate of something without a unit is a bare number). */
const struct fb_unit *fb_unit_per_second(struct fb_units *units, const struct fb_unit *unit);
/* The square root; false where a power of the dimension is odd (m3) or the factor's root is no
 * fraction (that of % is 1/10; ppb has none). */
bool fb_unit_root(struct fb_units *units, const struct fb_unit *unit, const struct fb_unit **out);

/* to = from * scale + offset; with `divide` to = from / scale + offset, chosen where scale is then
 * a whole number: dividing by 1000 is exact where multiplying by 0.001 is not. */
struct fb_unit_conversion {
    double scale, offset;
    bool divide;
    bool same; /* scale 1, offset 0 */
};
/* The units must agree. difference: of differences, without the offset. */
struct fb_unit_conversion fb_unit_convert(const struct fb_unit *from, const struct fb_unit *to,
                                          bool difference);
/* One value known at compile time, taken as the decimal number that it prints as, computed exactly
 * and rounded once: 25 degC is 77 degF, 70 % is 0.7. */
double fb_unit_convert_value(const struct fb_unit *from, const struct fb_unit *to, bool difference,
                             double value);

#endif
