/* Functions of groups at their edges: A35. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/core/group.h"
#include "engine/core/state.h"
#include "tests/unit/others.h"

/* Two instructions of each function: of all members, and `where ok`. */
#define MEMBERS                                                                                    \
    "device m from \"m\" {\n key id  domain hall  time ts [s]\n tag hall\n tag t\n"                \
    " v : number\n ok : bool\n n : integer\n}\n"
#define ONE(name, call) "alarm " name " on m by t { raise high when " call " }\n"
#define BOTH(name, f)                                                                              \
    ONE(name, f "(v of m) > 1000")                                                                 \
    ONE(name "_ok", f "(v of m where ok) > 1000")
#define FUNCTIONS                                                                                  \
    MEMBERS ONE("count", "count(m) > 1000") ONE("count_ok", "count(m where ok) > 1000")            \
        ONE("share_ok", "share(m where ok) > 1000") BOTH("sum", "sum") BOTH("avg", "avg")          \
            BOTH("least", "min") BOTH("most", "max") BOTH("spread", "spread")                      \
                BOTH("median", "median") BOTH("p99_9", "p99_9") BOTH("p1", "p1")                   \
                    BOTH("distinct", "distinct") ONE("any", "any(ok of m)")                        \
                        ONE("all", "all(ok of m)") ONE("any_ok", "any(v > 3 of m where ok)")       \
                            ONE("all_ok", "all(v > 3 of m where ok)")

static const struct fb_device *group_of(struct fixture *f, const char *id) {
    const struct fb_program *program = f->programs[f->n - 1].program;
    const struct fb_class *class_ = fb_program_class(program, FB_S("m by t"));
    assert_non_null(class_);
    struct fb_device *device =
        fb_look_device(f->core, (uint16_t)(class_ - program->classes), fb_str_of(id));
    assert_non_null(device);
    return device;
}

/* What the first look at a group in a rule of the device's class gives: "?", or a number. */
static const char *value_of(struct fixture *f, const struct fb_device *device, const char *rule) {
    static char text[FB_NUM_TEXT_MAX + 1];
    const struct fb_class *class_ = device->plan->class_;
    const struct fb_program *program = f->programs[f->n - 1].program;
    for (uint32_t c = 0; c < class_->n_conditions; c++) {
        const struct fb_condition *condition = &class_->conditions[c];
        if (!fb_str_eq(program->rules[condition->rule].name, fb_str_of(rule)))
            continue;
        for (uint32_t i = 0; i < condition->code.count; i++) {
            const struct fb_instr *in = &class_->code[condition->code.first + i];
            if (in->op != FB_I_GROUP)
                continue;
            struct fb_value value = fb_group_read(f->core->relations, device, in);
            bool whole = in->sub == FB_GROUP_COUNT || in->sub >= FB_GROUP_DISTINCT;
            if (value.quality != FB_Q_GOOD)
                return "?";
            text[whole ? fb_num_format_int(value.i, text) : fb_num_format(value.num, text)] = 0;
            return text;
        }
    }
    fail_msg("%s looks at no group", rule);
    return NULL;
}

/* "count 3 sum 6 ..": rules and what they see. */
static void sees(struct fixture *f, const char *wanted) {
    char copy[512];
    snprintf(copy, sizeof copy, "%s", wanted);
    char *save = NULL;
    for (char *rule = strtok_r(copy, " ", &save); rule; rule = strtok_r(NULL, " ", &save)) {
        const char *value = strtok_r(NULL, " ", &save);
        const char *found = value_of(f, group_of(f, "h,x"), rule);
        if (strcmp(found, value) != 0)
            fail_msg("%s sees %s, not %s", rule, found, value);
    }
}

static void of_none_and_of_one(void **state) {
    (void)state;
    struct fixture *f = begin(FUNCTIONS);
    take(f, "m id=1 hall=h t=x v=4 ok=true", 1);
    sees(f, "count 1 count_ok 1 share_ok 1 sum 4 avg 4 least 4 most 4 spread 0 median 4 p1 4 "
            "p99_9 4 distinct 1 any 1 all 1 any_ok 1 all_ok 1");
    take(f, "m id=1 ok=false", 2); /* none of it counts */
    sees(f, "count 1 count_ok 0 share_ok 0 sum 4 sum_ok 0 avg_ok ? least_ok ? most_ok ? "
            "spread_ok ? median_ok ? p1_ok ? distinct_ok 0 any 0 all 0 any_ok 0 all_ok ?");
    take(f, "m id=1 t=y", 3); /* none is left */
    sees(f, "count 0 count_ok 0 share_ok 0 sum 0 avg ? least ? most ? spread ? median ? p99_9 ? "
            "distinct 0 any 0 all ? any_ok 0 all_ok ?");
    end(f);
}

static void fewer_than_half_known_is_too_little(void **state) {
    (void)state;
    struct fixture *f = begin(FUNCTIONS);
    take(f, "m id=1 hall=h t=x v=4 ok=true", 1);
    take(f, "m id=2 hall=h t=x", 1);
    sees(f, "count 2 sum 4 avg 4 share_ok 1 count_ok 1 any 1 all 1"); /* a half is enough */
    take(f, "m id=3 hall=h t=x", 1);
    sees(f, "count 3 count_ok ? share_ok ? sum ? avg ? least ? median ? distinct ? any 1 all ? "
            "any_ok 1 all_ok ?");
    take(f, "m id=1 ok=false", 2);
    sees(f, "count 3 any ? all 0");
    take(f, "m id=2 ok=false", 3); /* where false, nothing need be known of the value */
    sees(f, "count_ok 0 share_ok 0 sum ? sum_ok 0 avg_ok ? any 0 all 0 any_ok 0 all_ok ?");
    take(f, "m id=2 ok=true", 4); /* but where true */
    sees(f, "count_ok 1 share_ok 0.5 sum_ok ? any 1");
    end(f);
}

static void order_is_that_of_the_ids(void **state) {
    (void)state;
    struct fixture *f = begin(FUNCTIONS);
    take(f, "m id=3 hall=h t=x v=1", 1);
    take(f, "m id=2 hall=h t=x v=1e16", 1);
    take(f, "m id=1 hall=h t=x v=-1e16", 1);
    sees(f, "sum 1"); /* -1e16 + 1e16 + 1 */
    take(f, "m id=30 v=0 hall=h t=x", 2);
    take(f, "m id=0 v=1 hall=h t=x", 2); /* first now: lost beside 1e16 */
    sees(f, "sum 1 distinct 4 median 1 p1 -10000000000000000 p99_9 10000000000000000");
    end(f);
}

static void places_of_percentiles(void **state) {
    (void)state;
    struct fixture *f = begin(FUNCTIONS);
    for (int i = 1; i <= 1000; i++) {
        char record[64];
        snprintf(record, sizeof record, "m id=%d hall=h t=x v=%d", i * 7919 % 1000, i);
        take(f, record, 1);
        if (i == 2)
            sees(f, "median 1 p1 1 p99_9 2");
        if (i == 3)
            sees(f, "median 2 p1 1 p99_9 3");
        if (i == 101)
            sees(f, "median 51 p1 2 p99_9 101");
    }
    sees(f, "median 500 p1 10 p99_9 999 distinct 1000 spread 999");
    end(f);
}

static void equal_values_are_one_value(void **state) {
    (void)state;
    struct fixture *f = begin(FUNCTIONS);
    take(f, "m id=1 hall=h t=x v=-0", 1);
    take(f, "m id=2 hall=h t=x v=0", 1);
    take(f, "m id=3 hall=h t=x v=2", 1);
    take(f, "m id=4 hall=h t=x v=2", 1);
    sees(f, "distinct 2 median 0 spread 2");
    end(f);
}

static const char *rank_of(struct fixture *f, const char *id) {
    struct fb_device *device = fb_look_device(f->core, 0, fb_str_of(id));
    assert_non_null(device);
    return value_of(f, device, "r");
}

static void ranks(void **state) {
    (void)state;
    struct fixture *f =
        begin(MEMBERS "alarm r on m { raise high when rank(v of m by t where ok) == 1 }\n");
    take(f, "m id=1 hall=h t=x v=5 ok=true", 1);
    take(f, "m id=2 hall=h t=x v=3 ok=true", 1);
    take(f, "m id=3 hall=h t=x v=5 ok=true", 1);
    take(f, "m id=4 hall=h t=x ok=true", 1); /* unknown: behind all others */
    take(f, "m id=5 hall=h t=x v=1 ok=false", 1);
    take(f, "m id=6 hall=h t=x v=1", 1);
    take(f, "m id=7 hall=h t=y v=1 ok=true", 1);
    take(f, "m id=8 hall=h v=1 ok=true", 1);
    static const char *const ids[] = {"1", "2", "3", "4", "5", "6", "7", "8"};
    static const char *const wanted[] = {"2", "1", "3", "4", "?", "?", "1", "?"};
    for (int i = 0; i < 8; i++)
        assert_string_equal(rank_of(f, ids[i]), wanted[i]);
    take(f, "m id=4 v=4", 2);
    assert_string_equal(rank_of(f, "4"), "2");
    assert_string_equal(rank_of(f, "3"), "4");
    take(f, "m id=2 t=y", 3);
    assert_string_equal(rank_of(f, "4"), "1");
    assert_string_equal(rank_of(f, "2"), "2");
    end(f);
}

/* However many look at it, its members are looked at once. */
static void what_was_found_is_kept(void **state) {
    (void)state;
    struct fixture *f = begin(MEMBERS "alarm r on m { raise high when v > avg(v of m by t) }\n");
    take(f, "m id=1 hall=h t=x v=1", 1);
    take(f, "m id=2 hall=h t=x v=3", 1);
    struct fb_device *one = fb_look_device(f->core, 0, FB_S("1"));
    struct fb_device *two = fb_look_device(f->core, 0, FB_S("2"));
    const struct fb_bucket *bucket = fb_relations_place(f->core->relations, one, 0);
    assert_ptr_equal(bucket, fb_relations_place(f->core->relations, two, 0));
    assert_string_equal(value_of(f, one, "r"), "2");
    assert_int_equal(bucket->memos[0].version, bucket->version);
    bucket->memos[0].value.num = 77; /* who looks finds it there */
    assert_string_equal(value_of(f, two, "r"), "77");
    take(f, "m id=2 v=3", 2); /* no change */
    assert_string_equal(value_of(f, one, "r"), "77");
    take(f, "m id=2 v=5", 3);
    assert_string_equal(value_of(f, one, "r"), "3");
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_none_and_of_one),
        cmocka_unit_test(fewer_than_half_known_is_too_little),
        cmocka_unit_test(order_is_that_of_the_ids),
        cmocka_unit_test(places_of_percentiles),
        cmocka_unit_test(equal_values_are_one_value),
        cmocka_unit_test(ranks),
        cmocka_unit_test(what_was_found_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
