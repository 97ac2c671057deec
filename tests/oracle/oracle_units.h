/* Exact ratios, and the few units that generated rules use.
 *
 * Place in the flow: oracle_expand converts literals exactly and other values by a factor. */
#ifndef FB_TESTS_ORACLE_UNITS_H
#define FB_TESTS_ORACLE_UNITS_H

#include "engine/base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct ora_ratio {
    int64_t num, den; /* lowest terms, den > 0 */
};

struct ora_ratio ora_ratio(int64_t num, int64_t den);
struct ora_ratio ora_ratio_add(struct ora_ratio a, struct ora_ratio b);
struct ora_ratio ora_ratio_mul(struct ora_ratio a, struct ora_ratio b);
struct ora_ratio ora_ratio_div(struct ora_ratio a, struct ora_ratio b);
struct ora_ratio ora_ratio_of_text(struct fb_str decimal);
/* Rounded once. */
double ora_ratio_double(struct ora_ratio a);

enum { ORA_DIMENSIONS = 8 }; /* m, kg, s, K, A, B, dB, deg */

/* A value v of the unit is v * scale + zero in base units. */
struct ora_unit {
    int dim[ORA_DIMENSIONS];
    struct ora_ratio scale, zero;
    bool absolute; /* a temperature on a scale with its own zero: degC, degF */
};

struct ora_unit ora_unit_none(void);
/* `K`, `m/s`, `kW.h`; the empty text is no unit. Aborts on a unit that the table does not have. */
struct ora_unit ora_unit_of(struct fb_str text);
bool ora_unit_same(struct ora_unit a, struct ora_unit b);
bool ora_unit_same_dimension(struct ora_unit a, struct ora_unit b);
struct ora_unit ora_unit_product(struct ora_unit a, struct ora_unit b, bool divide);
/* The unit of a difference of two such values: K for degC. */
struct ora_unit ora_unit_difference(struct ora_unit a);
/* A literal in another unit: exact. */
struct ora_ratio ora_unit_exact(struct ora_ratio value, struct ora_unit from, struct ora_unit to);
/* Any other value: value * factor + offset, or value / factor + offset where factor is then a whole
 * number. */
struct ora_conversion {
    bool none, divide;
    double factor, offset;
};
struct ora_conversion ora_unit_conversion(struct ora_unit from, struct ora_unit to);

#endif
