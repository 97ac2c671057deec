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

#define NAMED                                                                                      \
    "device rack from \"r\" {\n key id  domain hall  time ts [s]\n tag hall\n"                     \
    " name : text stale after 10s\n}\n" FAN

static void a_text_is_read_and_kept(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f =
            begin_as(NAMED "alarm named on fan { raise high when rack.name == \"b\"\n"
                           " raise low when rack.name matches \"^a\" or rack.id == \"r2\" }\n",
                     restarts);
        take(f, "rack id=r1 hall=a name=b", 1);
        take(f, "rack id=r2 hall=a name=x", 1);
        take(f, "fan id=f1 hall=a rack=r1 speed=1", 2);
        outputs_are(f, "named/f1 raised at 2\n");
        take(f, "rack id=r1 name=a_longer_one_that_needs_another_slot", 3);
        advance(f, 3.5);
        outputs_are(f, "named/f1 severity at 3\n");
        take(f, "rack id=r1 name=", 4); /* known, and empty */
        advance(f, 4.5);
        outputs_are(f, "named/f1 cleared at 4\n");
        take(f, "fan id=f1 rack=r2", 5);
        outputs_are(f, "named/f1 raised at 5\n");
        change_to(f, NAMED "alarm named on fan { raise high when rack.name == \"b\" }\n");
        restart(f, 5 * S);
        advance(f, 6);
        outputs_are(f, "named/f1 cleared at 5\n");
        take(f, "rack id=r2 name=b", 7);
        advance(f, 8);
        outputs_are(f, "named/f1 raised at 7\n");
        end(f);
    }
}

static void a_device_that_comes_is_seen(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(RACK FAN HOT, restarts);
        take(f, "fan id=f1 hall=a rack=r1 speed=1", 1);
        take(f, "rack id=r1 hall=a inlet=40", 2);
        advance(f, 3);
        outputs_are(f, "hot/f1 raised at 2\n");
        end(f);
    }
}

static void a_link_that_moves_reads_the_other_device(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(RACK FAN HOT, restarts);
        take(f, "rack id=r1 hall=a inlet=40", 1);
        take(f, "rack id=r2 hall=a inlet=10", 1);
        take(f, "fan id=f1 hall=a rack=r2 speed=1", 2);
        take(f, "fan id=f1 hall=a rack=bad speed=1", 3); /* the last good one counts */
        outputs_are(f, "");
        take(f, "fan id=f1 hall=a rack=r1 speed=1", 4);
        outputs_are(f, "hot/f1 raised at 4\n");
        take(f, "rack id=r2 hall=a inlet=50", 5);
        take(f, "rack id=r1 hall=a inlet=20", 6);
        advance(f, 7);
        outputs_are(f, "hot/f1 cleared at 6\n");
        take(f, "fan id=f1 hall=a rack= speed=1", 8); /* leads nowhere: unknown, and so it stays */
        take(f, "rack id=r1 hall=a inlet=99", 9);
        advance(f, 10);
        outputs_are(f, "");
        end(f);
    }
}

static void another_domain_is_not_seen(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(
            RACK FAN HOT "alarm alone on fan { raise low when rack.inlet is unknown }\n", restarts);
        take(f, "rack id=r1 hall=b inlet=40", 1);
        take(f, "fan id=f1 hall=a rack=r1 speed=1", 2);
        outputs_are(f, "alone/f1 raised at 2\n");
        take(f, "rack id=r1 hall=a", 3); /* comes into the domain */
        advance(f, 4);
        outputs_are(f, "hot/f1 raised at 3\nalone/f1 cleared at 3\n");
        take(f, "rack id=r1 hall=b inlet=40", 5); /* and leaves it */
        advance(f, 6);
        outputs_are(f, "alone/f1 raised at 5\n");
        take(f, "fan id=f1 hall=b speed=1", 7);
        outputs_are(f, "alone/f1 cleared at 7\n");
        end(f);
    }
}

/* A change goes on from device to device, at the C at which it happened, in one leap of the clock.
 */
static void a_chain_comes_in_the_order_in_which_it_happens(void **state) {
    (void)state;
    const char *rules =
        "device a from \"a\" {\n key id  domain hall  time ts [s]\n tag hall\n"
        " x : number stale after 5s\n let lost = x is unknown\n}\n"
        "device b from \"b\" {\n key id  domain hall  time ts [s]\n tag hall\n link a : a\n"
        " y : number\n let far = a.lost for 2s\n}\n"
        "device c from \"c\" {\n key id  domain hall  time ts [s]\n tag hall\n link b : b\n"
        " z : number\n}\n"
        "alarm end on c { raise high when b.far for 1s }\n"
        "alarm middle on b { raise high when a.lost }\n"
        "alarm first on a { raise high when lost }\n";
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(rules, restarts);
        take(f, "c id=1 hall=h b=1 z=1", 0);
        take(f, "b id=1 hall=h a=1 y=1", 0);
        take(f, "a id=1 hall=h x=1", 0);
        take_at(f, "a id=2 hall=h x=1", 1000, 1); /* another time: another device's clock */
        advance(f, 100);
        outputs_are(f, "first/1 raised at 5.000001\nmiddle/1 raised at 5.000001\n"
                       "first/2 raised at 1005.000001\n"
                       "end/1 raised at 8.000001\n");
        end(f);
    }
}

/* Whose time runs behind, or ahead, sees it at its own time of the same C. */
static void each_device_has_its_own_time(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(RACK FAN HOT, restarts);
        take_at(f, "fan id=f1 hall=a rack=r1 speed=1", 90, 100);
        take_at(f, "fan id=f2 hall=a rack=r1 speed=1", 110, 100);
        take_at(f, "rack id=r1 hall=a inlet=40", 101, 101);
        advance(f, 102);
        outputs_are(f, "hot/f1 raised at 91\nhot/f2 raised at 111\n");
        end(f);
    }
}

static void the_last_tick_goes_through(void **state) {
    (void)state;
    struct fixture *f = begin_as(RACK FAN HOT, false);
    take(f, "fan id=f1 hall=a rack=r1 speed=1", 1);
    take(f, "rack id=r1 hall=a inlet=40", 2);
    fb_core_finish(f->core, 2 * S);
    outputs_are(f, "hot/f1 raised at 2\n");
    end(f);
}

/* What others said comes before the record that is ahead of the clock, at the device's own times.
 */
static void a_record_ahead_finds_what_was_seen_before(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(
            RACK "device fan from \"f\" {\n key id  domain hall  time ts [s]\n tag hall\n"
                 " link rack : rack\n speed : number stale after 3s\n}\n"
                 "alarm hot on fan { raise high when rack.inlet > 30 or speed is unknown }\n",
            restarts);
        take(f, "rack id=r1 hall=a inlet=20", 1);
        take(f, "fan id=f1 hall=a rack=r1 speed=1", 2);
        take(f, "rack id=r1 hall=a inlet=40", 3);
        take_at(f, "fan id=f1 hall=a rack=r1 speed=1", 50, 3.5);
        outputs_are(f, "hot/f1 raised at 3\n");
        take_at(f, "rack id=r1 hall=a inlet=20", 4, 4);
        take_at(f, "fan id=f1 hall=a rack=r1 speed=1", 60, 4);
        outputs_are(f, "hot/f1 cleared at 50.5\nhot/f1 raised at 53.000001\n"
                       "hot/f1 cleared at 60\n");
        end(f);
    }
}

#define ROWS                                                                                       \
    "alarm warm on rack by row { raise high when avg(inlet of rack) > 30 }\n"                      \
    "alarm few on rack by row { raise low when count(rack) < 2 }\n"

static void a_group_is_a_device_of_its_own(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(RACK ROWS, restarts);
        take(f, "rack id=r1 hall=a row=x,1 inlet=40", 1);
        advance(f, 1.5);
        outputs_are(f, "warm/a,x%2C1 raised at 1\nfew/a,x%2C1 raised at 1\n");
        take(f, "rack id=r2 hall=a row=x,1 inlet=10", 2);
        advance(f, 2.5);
        outputs_are(f, "warm/a,x%2C1 cleared at 2\nfew/a,x%2C1 cleared at 2\n");
        take(f, "rack id=r2 hall=b row=x,1 inlet=10", 3); /* another group, of another domain */
        advance(f, 3.5);
        outputs_are(f, "warm/a,x%2C1 raised at 3\nfew/a,x%2C1 raised at 3\n"
                       "few/b,x%2C1 raised at 3\n");
        take(f, "rack id=r2 hall=a inlet=20", 4); /* one loses its last member, and stays */
        advance(f, 4.5);
        outputs_are(f, "warm/a,x%2C1 cleared at 4\nfew/a,x%2C1 cleared at 4\n");
        assert_int_equal(fb_core_stats(f->core).devices, 4);
        end(f);
    }
}

static void groups_count_as_devices(void **state) {
    (void)state;
    struct fixture *f = begin(RACK ROWS);
    f->config.devices_max = 2;
    fb_core_configure(f->core, &f->config);
    take(f, "rack id=r1 hall=a inlet=40", 1);
    take(f, "rack id=r2 hall=a row=x inlet=40", 1);
    assert_int_equal(fb_core_stats(f->core).devices, 2);
    f->config.devices_max = 3;
    fb_core_configure(f->core, &f->config);
    take(f, "rack id=r1 hall=a row=x inlet=40", 2);
    advance(f, 3);
    outputs_are(f, "warm/a,x raised at 2\n");
    end(f);
}

/* The members of a group read it, themselves among them. */
static void a_member_sees_its_group(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(
            RACK "alarm odd on rack { raise high when inlet > avg(inlet of rack by row) + 5 }\n",
            restarts);
        take(f, "rack id=r1 hall=a row=x inlet=20", 1);
        take(f, "rack id=r2 hall=a row=x inlet=20", 2);
        take(f, "rack id=r3 hall=a row=y inlet=90", 2);
        outputs_are(f, "");
        take(f, "rack id=r2 hall=a row=x inlet=32", 3); /* average 26: it is 6 above */
        outputs_are(f, "odd/r2 raised at 3\n");
        take(f, "rack id=r1 hall=a row=x inlet=30", 4); /* average 31 */
        advance(f, 5);
        outputs_are(f, "odd/r2 cleared at 4\n");
        take(f, "rack id=r4 hall=a row=x inlet=1", 5); /* average 21 */
        advance(f, 6);
        outputs_are(f, "odd/r1 raised at 5\nodd/r2 raised at 5\n");
        take(f, "rack id=r4 hall=a row=y inlet=1", 6);
        advance(f, 7);
        outputs_are(f, "odd/r1 cleared at 6\nodd/r2 cleared at 6\nodd/r3 raised at 6\n");
        end(f);
    }
}

/* Those that link to a device are its group. */
static void a_device_sees_those_that_link_to_it(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(
            RACK FAN "alarm idle on rack { raise high when sum(speed of fan) < 2 }\n", restarts);
        take(f, "fan id=f1 hall=a rack=r1 speed=1", 1); /* waits for its rack */
        take(f, "rack id=r1 hall=a inlet=20", 2);
        outputs_are(f, "idle/r1 raised at 2\n");
        take(f, "fan id=f2 hall=a rack=r1 speed=1", 3);
        advance(f, 4);
        outputs_are(f, "idle/r1 cleared at 3\n");
        take(f, "fan id=f2 hall=b speed=1", 5);
        advance(f, 6);
        outputs_are(f, "idle/r1 raised at 5\n");
        end(f);
    }
}

static void other_rules_find_their_groups(void **state) {
    (void)state;
    struct fixture *f = begin(RACK "alarm a on rack { raise high when inlet > 90 }\n");
    take(f, "rack id=r1 hall=a row=x inlet=40", 1);
    take(f, "rack id=r2 hall=a row=x inlet=40", 1);
    take(f, "rack id=r3 hall=a row=y inlet=40", 1);
    change_to(f, RACK ROWS "alarm odd on rack { raise high when inlet > "
                           "max(inlet of rack by row where id != \"r1\") }\n");
    advance(f, 2);
    /* What is new is published first of all where the id is the first; else it is seen after. */
    outputs_are(f, "few/a,y raised at 1\nwarm/a,x raised at 1\nwarm/a,y raised at 1\n");
    restart(f, 2 * S);
    change_to(f, RACK ROWS "alarm b on rack { raise high when inlet > 90 }\n"); /* others stay */
    take(f, "rack id=r1 hall=a row=x inlet=10", 3);
    take(f, "rack id=r2 hall=a row=x inlet=10", 3);
    advance(f, 4);
    outputs_are(f, "warm/a,x cleared at 3\n");
    end(f);
}

/* ---- what must not matter ---- */

static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}
static int below(uint64_t *seed, int n) {
    return (int)((next_random(seed) >> 20) % (uint64_t)n);
}

#define ALL                                                                                        \
    "device rack from \"r\" {\n key id  domain hall  time ts [s]  late up to 2s\n tag hall\n"      \
    " tag row\n inlet : number stale after 4s\n power : number\n mode : one of (idle, busy)\n"     \
    " name : text stale after 6s\n"                                                                \
    " let warm = inlet > 5 for 2s\n}\n"                                                            \
    "device fan from \"f\" {\n key id  domain hall  time ts [s]\n tag hall\n link rack : rack\n"   \
    " speed : number stale after 7s\n let hard = rack.warm and speed > 3\n}\n"                     \
    "alarm hot on fan { raise high when rack.inlet > 6  raise low when rack.warm }\n"              \
    "event turned on fan { when rack.mode == busy }\n"                                             \
    "event named on fan { when rack.name in (\"a_name_that_is_long_enough_for_a_slot\", "          \
    "\"b\") }\n"                                                                                   \
    "alarm hard on rack { raise high when any(hard of fan) for 1s }\n"                             \
    "alarm odd on rack { raise high when inlet > avg(inlet of rack by row) + 2 or "                \
    "median(power of rack by row) > 6 }\n"                                                         \
    "event first on rack { when rank(power of rack by row) == 1 }\n"                               \
    "alarm warm on rack by row { raise high when share(rack where warm) > 0.5  clear after 1s "    \
    "raise low when spread(inlet of rack) > 3 }\n"                                                 \
    "alarm slow on rack { raise high when sum(speed of fan) < 5 until sum(speed of fan) > 8 }\n"   \
    "alarm mean on fan { raise high when avg(speed each 3s) > rack.power }\n"                      \
    "alarm near on fan { raise high when time_avg(rack.inlet - speed over 5s, needs 30 %) > 2  "   \
    "raise low when last(speed - sum(power of rack by hall) over last 2) < -9 }\n"                 \
    "event least on rack { when change(inlet - min(inlet of rack by row)) > 1 }\n"

/* How a run goes: what must give the same outputs. */
enum { PLAIN, RESTARTS, TICKS, RELOADS, WAYS };

static void run_random(struct fixture *f, uint64_t seed, int way, uint64_t *devices) {
    static const char *const halls[] = {"a", "b"}, *const rows[] = {"x", "y", "z"};
    uint64_t other = seed * 7919 + 1; /* so that ticks change nothing else */
    double c = 100;
    f->restarts = way == RESTARTS;
    static const char *const names[] = {"a", "b", "", "a_name_that_is_long_enough_for_a_slot"};
    for (int i = 0; i < 120; i++) {
        char record[160];
        double step = below(&seed, 8) == 0 ? 5 : below(&seed, 4) * 0.25;
        for (int k = 0; way == TICKS && k < 3; k++)
            advance(f, c + step * below(&other, 5) / 4);
        c += step;
        if (way == RELOADS && i % 50 == 49)
            change_to(f, ALL);
        int id = below(&seed, 4), n;
        double skew = (id - 1) * 3 + (below(&seed, 6) == 0 ? below(&seed, 5) - 2 : 0);
        if (below(&seed, 2)) {
            n = snprintf(record, sizeof record, "rack id=%d power=%d", id, below(&seed, 10));
            if (below(&seed, 6) == 0 || i < 20)
                n += snprintf(record + n, sizeof record - (size_t)n, " hall=%s row=%s",
                              halls[below(&seed, 9) == 0], rows[below(&seed, 3)]);
            if (below(&seed, 3))
                n += snprintf(record + n, sizeof record - (size_t)n, " inlet=%d", below(&seed, 10));
            if (below(&seed, 4) == 0)
                n += snprintf(record + n, sizeof record - (size_t)n, " name=%s",
                              names[below(&seed, 4)]);
            if (below(&seed, 4) == 0)
                snprintf(record + n, sizeof record - (size_t)n, " mode=%s",
                         below(&seed, 2) ? "idle" : "busy");
        } else {
            n = snprintf(record, sizeof record, "fan id=%d speed=%d", id, below(&seed, 10));
            if (below(&seed, 6) == 0 || i < 20)
                snprintf(record + n, sizeof record - (size_t)n, " hall=%s rack=%d",
                         halls[below(&seed, 9) == 0], below(&seed, 4));
        }
        take_at(f, record, c + skew, c);
    }
    fb_core_finish(f->core, (int64_t)((c + 20) * 1e6));
    *devices = fb_core_stats(f->core).devices;
}

static void neither_restarts_nor_ticks_nor_the_same_rules_again_matter(void **state) {
    (void)state;
    uint64_t raised = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct fb_buf plain = {0};
        struct fb_hash128 hash = {0};
        uint64_t devices[WAYS];
        for (int way = PLAIN; way < WAYS; way++) {
            struct fixture *f = begin(ALL);
            run_random(f, seed * 2654435761u, way, &devices[way]);
            if (way == PLAIN) {
                fb_buf_put(&plain, f->outputs.p, f->outputs.n);
                hash = fb_core_state_hash(f->core);
                raised += fb_core_stats(f->core).alerts;
            }
            assert_string_equal(fb_buf_terminated(&f->outputs), fb_buf_terminated(&plain));
            assert_true(fb_hash128_eq(fb_core_state_hash(f->core), hash));
            assert_int_equal(devices[way], devices[PLAIN]);
            end(f);
        }
        fb_buf_free(&plain);
    }
    assert_true(raised > 1000);
}

/* A century without records, of a condition that reads the end of each ten seconds: as long as the
 * other device is as it was, there is nothing to look at; and what that one becomes is seen. */
static void a_condition_that_reads_others_rests(void **state) {
    (void)state;
    const double century = 100 * 365.25 * 86400;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f =
            begin_as(RACK FAN "alarm still on fan {\n"
                              "raise high when rack.inlet > 30 and sum(speed each 10s) == 0 }\n",
                     restarts);
        take(f, "rack id=r1 hall=a inlet=20", 1);
        take(f, "fan id=f1 hall=a rack=r1 speed=1", 2);
        advance(f, century);
        take(f, "rack id=r1 hall=a inlet=31", century + 3);
        advance(f, century + 5);
        take(f, "fan id=f1 hall=a rack=r1 speed=1", century + 6);
        take(f, "rack id=r1 hall=a inlet=32", century + 18);
        outputs_are(f, "still/f1 raised at 3155760003\nstill/f1 cleared at 3155760010\n");
        advance(f, 2 * century);
        outputs_are(f, "still/f1 raised at 3155760020\n");
        assert_true(fb_core_stats(f->core).evaluations < 100);
        end(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_that_reads_others_rests),
        cmocka_unit_test(a_change_of_the_other_is_seen_at_once),
        cmocka_unit_test(what_goes_stale_is_unknown_at_that_instant),
        cmocka_unit_test(a_text_is_read_and_kept),
        cmocka_unit_test(a_device_that_comes_is_seen),
        cmocka_unit_test(a_link_that_moves_reads_the_other_device),
        cmocka_unit_test(another_domain_is_not_seen),
        cmocka_unit_test(a_chain_comes_in_the_order_in_which_it_happens),
        cmocka_unit_test(each_device_has_its_own_time),
        cmocka_unit_test(the_last_tick_goes_through),
        cmocka_unit_test(a_record_ahead_finds_what_was_seen_before),
        cmocka_unit_test(a_group_is_a_device_of_its_own),
        cmocka_unit_test(groups_count_as_devices),
        cmocka_unit_test(a_member_sees_its_group),
        cmocka_unit_test(a_device_sees_those_that_link_to_it),
        cmocka_unit_test(other_rules_find_their_groups),
        cmocka_unit_test(neither_restarts_nor_ticks_nor_the_same_rules_again_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
