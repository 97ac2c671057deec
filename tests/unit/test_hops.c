/* What outputs say of the applications that their cause came through. A96. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/others.h"

#define HOUR 3600.0
#define M "device m from \"m\" {\n key id  time ts [s]\n x : number\n}\n"
#define HIGH "alarm high on m { raise high when x > 5 for 10s }\n"

static struct fixture *begin_as(const char *rules, bool restarts) {
    struct fixture *f = begin(rules);
    f->restarts = restarts;
    return f;
}

/* A record that came through `hops` applications. */
static void take_hops(struct fixture *f, uint8_t hops, const char *record, double at_s) {
    f->hops = hops;
    take(f, record, at_s);
    f->hops = 0;
}

static void what_a_record_causes_came_one_further(void **state) {
    (void)state;
    struct fixture *f = begin(M "event high on m { whenever x > 5 }\n");
    take(f, "m id=a x=6", 1);
    take_hops(f, 1, "m id=b x=6", 2);
    take_hops(f, 3, "m id=c x=6", 3);
    outputs_are(f, "high/a event at 1\nhigh/b event at 2 hop 2\nhigh/c event at 3 hop 4\n");
    end(f);
}

/* The equipment's own telemetry between the round trips does not hide them. */
static void a_device_carries_hops_for_what_a_timer_decides(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(M HIGH, restarts);
        take_hops(f, 2, "m id=a x=6", 1);
        take_hops(f, 1, "m id=a x=7", 2);
        take(f, "m id=a x=8", 3);
        take(f, "m id=b x=8", 3);
        advance(f, 20);
        outputs_are(f, "high/a raised at 11 hop 3\nhigh/b raised at 13\n");
        take_hops(f, 3, "m id=a x=1", 21);
        outputs_are(f, "high/a cleared at 21 hop 4\n");
        end(f);
    }
}

static void hops_are_forgotten_when_a_full_hour_is_over(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(M "event e on m { whenever x > 5 }\n", restarts);
        take_hops(f, 2, "m id=a x=6", 1.5 * HOUR);
        take(f, "m id=a x=6", 3 * HOUR - 1);
        outputs_are(f, "e/a event at 5400 hop 3\ne/a event at 10799 hop 3\n");
        take(f, "m id=a x=6", 3 * HOUR);
        outputs_are(f, "e/a event at 10800\n");
        take_hops(f, 1, "m id=a x=6", 3 * HOUR + 1);
        take_hops(f, 1, "m id=a x=6", 4 * HOUR);
        take(f, "m id=a x=6", 6 * HOUR - 1);
        take(f, "m id=a x=6", 6 * HOUR);
        outputs_are(f, "e/a event at 10801 hop 2\ne/a event at 14400 hop 2\n"
                       "e/a event at 21599 hop 2\ne/a event at 21600\n");
        end(f);
    }
}

#define RACK                                                                                       \
    "device rack from \"r\" {\n key id  domain hall  time ts [s]\n tag hall\n"                     \
    " inlet : number\n}\n"
#define FAN                                                                                        \
    "device fan from \"f\" {\n key id  domain hall  time ts [s]\n tag hall\n link rack : rack\n"   \
    " speed : number\n}\n"

static void who_reads_a_device_takes_its_hops(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f =
            begin_as(RACK FAN "alarm hot on fan { raise high when rack.inlet > 30 for 5s }\n"
                              "alarm all on rack by hall { raise low when "
                              "avg(inlet of rack) > 30 }\n",
                     restarts);
        take(f, "rack id=r1 hall=a inlet=20", 1);
        take(f, "fan id=f1 hall=a rack=r1 speed=1", 2);
        take(f, "fan id=f2 hall=a rack=r2 speed=1", 2);
        take_hops(f, 2, "rack id=r1 hall=a inlet=31", 3);
        take(f, "fan id=f1 hall=a rack=r1 speed=2", 4);
        advance(f, 9);
        outputs_are(f, "all/a raised at 3 hop 3\nhot/f1 raised at 8 hop 3\n");
        end(f);
    }
}

static void hops_go_on_with_other_rules(void **state) {
    (void)state;
    struct fixture *f = begin(M HIGH);
    take_hops(f, 2, "m id=a x=6", 1);
    change_to(f, "device m from \"m\" {\n key id  time ts [s]\n x : number\n y : number\n}\n"
                 "alarm high on m { raise high when x > 5 for 10s }\n");
    advance(f, 20);
    outputs_are(f, "high/a raised at 11 hop 3\n");
    end(f);
}

static void damage_to_carried_hops_is_refused_or_harmless(void **state) {
    (void)state;
    struct fixture *f = begin(M HIGH);
    take_hops(f, 2, "m id=a x=6", 1);
    damage_is_refused_or_harmless(f, 2 * S);
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_record_causes_came_one_further),
        cmocka_unit_test(a_device_carries_hops_for_what_a_timer_decides),
        cmocka_unit_test(hops_are_forgotten_when_a_full_hour_is_over),
        cmocka_unit_test(who_reads_a_device_takes_its_hops),
        cmocka_unit_test(hops_go_on_with_other_rules),
        cmocka_unit_test(damage_to_carried_hops_is_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
