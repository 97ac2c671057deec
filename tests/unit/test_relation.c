/* The index of devices by relation: texts of links, members, and what a rebuilding gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/core/relation.h"
#include "engine/core/state.h"
#include "tests/unit/others.h"

enum { DEVICES = 400, RECORDS = 6000 };

static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed >> 16;
}

/* Every device stands in the bucket of its texts, which holds it and its like, and no other. */
static void is_right(const struct fb_core *core) {
    const struct fb_relations *relations = core->relations;
    uint32_t n = fb_devices_count(core->devices), placed = 0, members = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct fb_device *device = fb_devices_at(core->devices, i);
        for (uint32_t r = 0; r < device->plan->class_->n_relations; r++) {
            assert_true(fb_relations_holds(relations, device, r));
            const struct fb_bucket *bucket = fb_relations_place(relations, device, r);
            if (!bucket)
                continue;
            placed++;
            struct fb_bucket_key key = {bucket->class_index, r, fb_bucket_domain(bucket),
                                        fb_bucket_text(bucket)};
            assert_ptr_equal(fb_relations_find(relations, &key), bucket);
            uint32_t at = fb_bucket_place(relations, bucket, device);
            assert_int_equal(bucket->members[at], i);
            for (uint32_t k = 1; k < bucket->n; k++)
                assert_true(
                    fb_str_cmp(fb_device_id(fb_devices_at(core->devices, bucket->members[k - 1])),
                               fb_device_id(fb_devices_at(core->devices, bucket->members[k]))) < 0);
        }
    }
    for (uint32_t i = 0; i <= relations->mask; i++)
        members += relations->table[i] ? relations->table[i]->n : 0;
    assert_int_equal(members, placed);
}

/* Many buckets come and go, so that the table grows and closes its gaps. */
static void it_follows_every_move(void **state) {
    (void)state;
    struct fixture *f =
        begin("device m from \"m\" {\n key id  domain hall  time ts [s]\n tag hall\n"
              " tag t\n link up : m\n v : number\n}\n"
              "alarm a on m { raise high when v > avg(v of m by t) }\n"
              "alarm b on m { raise high when up.v > 3 }\n"
              "alarm c on m { raise high when count(m) > 3 }\n");
    uint64_t seed = 99;
    for (int i = 0; i < RECORDS; i++) {
        char record[128];
        snprintf(record, sizeof record, "m id=%d v=1 hall=%d t=%d up=%d",
                 (int)(next_random(&seed) % DEVICES), (int)(next_random(&seed) % 3),
                 (int)(next_random(&seed) % 1000), (int)(next_random(&seed) % DEVICES));
        take(f, record, i);
        if (i % 500 == 0)
            is_right(f->core);
    }
    is_right(f->core);
    assert_true(f->core->relations->mask > 1023);
    fb_relations_rebuild(f->core->relations);
    is_right(f->core);
    end(f);
}

#define TARGET(keys)                                                                               \
    "device rack from \"r\" {\n key hall, " keys "\n domain hall  time ts [s]\n x : number\n}\n"
#define SEES "alarm a on fan { raise high when rack.x > 3 }\n"

static void sees(const char *rules, const char *fan, const char *rack, const char *wanted) {
    struct fixture *f = begin(rules);
    take(f, fan, 1);
    take(f, rack, 2);
    advance(f, 3);
    outputs_are(f, wanted);
    end(f);
}

static void a_link_may_be_by_several_names(void **state) {
    (void)state;
    const char *rules = TARGET("place") "device fan from \"f\" {\n key id\n"
                                        " domain hall  time ts [s]\n tag hall\n tag at : integer\n"
                                        " link rack : rack by hall, at\n}\n" SEES;
    sees(rules, "fan id=1 hall=x/y at=7", "rack hall=x/y place=7 x=4", "a/1 raised at 2\n");
    sees(rules, "fan id=1 hall=x/y at=7", "rack hall=x/y place=8 x=4", "");
}

static void a_link_may_hold_an_id(void **state) {
    (void)state;
    const char *rules =
        TARGET("place") "device fan from \"f\" {\n key id\n"
                        " domain hall  time ts [s]\n tag hall\n link rack : rack\n}\n" SEES;
    sees(rules, "fan id=1 hall=x,y rack=x%2Cy,7", "rack hall=x,y place=7 x=4", "a/1 raised at 2\n");
    sees(rules, "fan id=1 hall=x rack=7", "rack hall=x place=7 x=4", "");
}

static void a_link_to_one_key_holds_its_text(void **state) {
    (void)state;
    const char *rules = "device rack from \"r\" {\n key id\n domain hall  time ts [s]\n tag hall\n"
                        " x : number\n}\ndevice fan from \"f\" {\n key id\n"
                        " domain hall  time ts [s]\n tag hall\n link rack : rack\n}\n" SEES;
    sees(rules, "fan id=1 hall=h rack=a/b,c", "rack id=a/b,c hall=h x=4", "a/1 raised at 2\n");
    sees(rules, "fan id=1 hall=h rack=a%2Fb", "rack id=a/b hall=h x=4", "");
    sees(rules, "fan id=1 hall= rack=a", "rack id=a hall= x=4", ""); /* in no domain */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_follows_every_move),
        cmocka_unit_test(a_link_may_be_by_several_names),
        cmocka_unit_test(a_link_may_hold_an_id),
        cmocka_unit_test(a_link_to_one_key_holds_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
