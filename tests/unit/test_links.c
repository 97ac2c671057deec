/* Links and groups from the rules' text on: what a device sees of others, and when. A30 to A37. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/others.h"

#define RACK                                                                                       \
    "device rack from \"r\" {\n key id  domain hall  time ts [s]\n tag hall\n tag row\n"           \
    " inlet : number stale after 10s\n}\n"
#define FAN                                                                                        \
    "device fan from \"f\" {\n key id  domain hall  time ts [s]\n tag hall\n link rack : rack\n"   \
    " speed : number\n}\n"
#define HOT "alarm hot on fan { raise high when rack.inlet > 30 }\n"

static struct fixture *begin_as(const char *rules, bool restarts) {
    struct fixture *f = begin(rules);
    f->restarts = restarts;
    return f;
}

static void a_change_of_the_other_is_seen_at_once(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(RACK FAN HOT, restarts);
        take(f, "rack id=r1 hall=a inlet=20", 1);
        take(f, "fan id=f1 hall=a rack=r1 speed=1", 2);
        take(f, "rack id=r1 hall=a inlet=31", 3);
        outputs_are(f, "");
        advance(f, 3.5);
        outputs_are(f, "hot/f1 raised at 3\n");
        take(f, "rack id=r1 hall=a inlet=32", 4); /* no change of what is seen */
        take(f, "rack id=r1 hall=a inlet=5", 5);
        advance(f, 6);
        outputs_are(f, "hot/f1 cleared at 5\n");
        end(f);
    }
}

static void what_goes_stale_is_unknown_at_that_instant(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(
            RACK FAN "alarm lost on fan { raise high when rack.inlet is unknown }\n", restarts);
        take(f, "rack id=r1 hall=a inlet=20", 1);
        take(f, "fan id=f1 hall=a rack=r1 speed=1", 2);
        take(f, "fan id=f2 hall=a rack=r1 speed=1", 4);
        outputs_are(f, "");
        advance(f, 100);
        outputs_are(f, "lost/f1 raised at 11.000001\nlost/f2 raised at 11.000001\n");
        end(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_of_the_other_is_seen_at_once),
        cmocka_unit_test(what_goes_stale_is_unknown_at_that_instant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
