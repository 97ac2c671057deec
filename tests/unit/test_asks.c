/* Commands to other devices, from the rules' text on: whose they are, what they ask for, when they
 * end (MEANING.md A80 to A86). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/core/call.h"
#include "tests/unit/others.h"

#define DEPOT                                                                                      \
    "device depot from \"d\" {\n key id  domain hall  time ts [s]\n tag hall\n tag row\n"          \
    " load : number\n flow : number stale after 10s\n}\n"
#define CHARGER                                                                                    \
    "device charger from \"c\" {\n key id  domain hall  time ts [s]\n tag hall\n tag row\n"        \
    " link depot : depot\n plugged : bool\n}\n"
#define LIMIT(more)                                                                                \
    "actuator limit on charger : number range 0..100 { safe 0  default 50  lease 1h " more " }\n"
#define OTHERS DEPOT CHARGER LIMIT("")
#define SHED                                                                                       \
    "control shed on depot { start when load > 9 until load < 5\n"                                 \
    " command each charger.limit = 20 where plugged  rollout armed }\n"

static struct fixture *begin_as(const char *rules, bool restarts) {
    struct fixture *f = begin(rules);
    f->restarts = restarts;
    return f;
}

/* ---- each ---- */

static void those_that_link_here_are_commanded(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(OTHERS SHED, restarts);
        take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
        take(f, "charger id=c2 hall=a depot=d2 plugged=true", 1);
        take(f, "charger id=c3 hall=a depot=d1 plugged=false", 1);
        take(f, "depot id=d1 hall=a load=4", 2);
        take(f, "depot id=d2 hall=a load=4", 2);
        advance(f, 3);
        outputs_are(f, "");
        take(f, "depot id=d1 hall=a load=10", 4);
        advance(f, 5);
        outputs_are(f, "limit/c1 20 claimed by shed at 4\n");
        take(f, "charger id=c3 hall=a plugged=true", 6);
        advance(f, 7);
        outputs_are(f, "limit/c3 20 claimed by shed at 6\n");
        take(f, "charger id=c4 hall=a depot=d1 plugged=true", 8); /* comes while it lasts */
        outputs_are(f, "limit/c4 20 claimed by shed at 8\n");
        take(f, "depot id=d1 hall=a load=4", 9);
        advance(f, 10);
        outputs_are(f, "limit/c1 50 relinquished at 9\nlimit/c3 50 relinquished at 9\n"
                       "limit/c4 50 relinquished at 9\n");
        end(f);
    }
}

static void of_no_members_nothing_is_claimed(void **state) {
    (void)state;
    struct fixture *f =
        begin(OTHERS SHED "control always on depot {\n"
                          " command each charger.limit = 30 at priority 13  rollout armed }\n");
    take(f, "charger id=c1 hall=a depot= plugged=true", 1);
    take(f, "charger id=c2 hall=a plugged=true", 1);
    take(f, "depot id=d1 hall=a load=10", 2);
    take(f, "depot id=d2 hall=b load=10", 2);
    take(f, "charger id=c3 hall=a depot=d2 plugged=true", 3); /* of another domain */
    take(f, "charger id=c4 hall=a depot=d9 plugged=true", 3); /* nobody knows it */
    advance(f, 10);
    outputs_are(f, "");
    end(f);
}

static void a_link_that_moves_ends_the_claim(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(OTHERS SHED, restarts);
        take(f, "depot id=d1 hall=a load=10", 1);
        take(f, "depot id=d2 hall=a load=4", 1);
        take(f, "charger id=c1 hall=a depot=d1 plugged=true", 2);
        outputs_are(f, "limit/c1 20 claimed by shed at 2\n");
        take(f, "charger id=c1 hall=a depot=d2", 3);
        advance(f, 4);
        outputs_are(f, "limit/c1 50 relinquished at 3\n");
        take(f, "charger id=c1 hall=a depot=d1", 5);
        take(f, "charger id=c1 hall=a depot=", 6);
        advance(f, 7);
        outputs_are(f, "limit/c1 20 claimed by shed at 5\nlimit/c1 50 relinquished at 6\n");
        end(f);
    }
}

static void a_commander_that_leaves_the_domain_ends_the_claim(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(OTHERS SHED, restarts);
        take(f, "depot id=d1 hall=a load=10", 1);
        take(f, "charger id=c1 hall=a depot=d1 plugged=true", 2);
        outputs_are(f, "limit/c1 20 claimed by shed at 2\n");
        take(f, "depot id=d1 hall=b", 3);
        advance(f, 4);
        outputs_are(f, "limit/c1 50 relinquished at 3\n");
        end(f);
    }
}

/* flow is stale 10 s after its sample: the claim is held, and ends with `hold at most`. */
static void a_silent_commander_is_held_and_then_ends(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(
            DEPOT CHARGER LIMIT(
                "hold at most 20s") "control shed on depot { start when flow > 9 until flow < 5\n"
                                    " command each charger.limit = 20  rollout armed }\n",
            restarts);
        take(f, "depot id=d1 hall=a flow=10", 1);
        take(f, "charger id=c1 hall=a depot=d1 plugged=true", 2);
        outputs_are(f, "limit/c1 20 claimed by shed at 2\n");
        advance(f, 31);
        outputs_are(f, "");
        advance(f, 100);
        outputs_are(f, "limit/c1 50 relinquished at 31.000001\n");
        end(f);
    }
}

static void on_unknown_says_what_a_silent_commander_means(void **state) {
    (void)state;
    const char *const words[] = {"stop", "safe"};
    const char *const wanted[] = {"limit/c1 50 relinquished at 11.000001\n",
                                  "limit/c1 0 safe by shed at 11.000001\n"};
    for (int i = 0; i < 2; i++) {
        struct fb_buf rules = {0};
        fb_buf_printf(&rules,
                      OTHERS "control shed on depot { start when flow > 9 until flow < 5\n"
                             " command each charger.limit = 20  on unknown %s  rollout armed }\n",
                      words[i]);
        struct fixture *f = begin(fb_buf_terminated(&rules));
        take(f, "depot id=d1 hall=a flow=10", 1);
        take(f, "charger id=c1 hall=a depot=d1 plugged=true", 2);
        outputs_are(f, "limit/c1 20 claimed by shed at 2\n");
        advance(f, 100);
        outputs_are(f, wanted[i]);
        end(f);
        fb_buf_free(&rules);
    }
}

static void the_value_follows_the_commander(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f =
            begin_as(OTHERS "control share on depot { let part = load * 2  start when flow > 5\n"
                            " command each charger.limit = part + 1  rollout armed }\n",
                     restarts);
        take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
        take(f, "depot id=d1 hall=a load=10 flow=1", 2);
        take(f, "depot id=d1 hall=a flow=9", 3);
        take(f, "depot id=d1 hall=a load=20", 4);
        advance(f, 5);
        outputs_are(f, "limit/c1 21 claimed by share at 3\nlimit/c1 41 claimed by share at 4\n");
        end(f);
    }
}

static void those_of_the_same_text_are_commanded_by_a_tag(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(
            DEPOT CHARGER LIMIT(
                "combine min") "control shed on depot { start when load > 9 until load < 5\n"
                               " command each charger.limit by row = load  rollout armed }\n",
            restarts);
        take(f, "charger id=c1 hall=a row=1", 1);
        take(f, "charger id=c2 hall=a row=2", 1);
        take(f, "depot id=d1 hall=a row=1 load=30", 2);
        take(f, "depot id=d2 hall=a row=1 load=20", 3);
        advance(f, 4);
        outputs_are(f, "limit/c1 30 claimed by shed at 2\nlimit/c1 20 claimed by shed at 3\n");
        take(f, "depot id=d2 hall=a row=2", 5);
        advance(f, 6);
        outputs_are(f, "limit/c1 30 claimed by shed at 5\nlimit/c2 20 claimed by shed at 5\n");
        end(f);
    }
}

static void where_alone_and_nothing_at_all_start_it_too(void **state) {
    (void)state;
    struct fixture *f = begin(OTHERS "control a on depot where load > 9 {\n"
                                     " command each charger.limit = 20 at priority 9"
                                     "  rollout armed }\n"
                                     "control b on depot {\n"
                                     " command each charger.limit = 40  rollout armed }\n");
    take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
    outputs_are(f, "");
    take(f, "depot id=d1 hall=a load=1", 2);
    take(f, "depot id=d1 hall=a load=10", 3);
    take(f, "depot id=d1 hall=a load=1", 4);
    advance(f, 5);
    outputs_are(f, "limit/c1 40 claimed by b at 2\nlimit/c1 20 claimed by a at 3\n"
                   "limit/c1 40 claimed by b at 4\n");
    end(f);
}

/* M20: `where` goes into the delay, and ends what lasts. */
static void where_and_start_are_one_condition(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f =
            begin_as(OTHERS "control shed on depot where row == \"1\" or row == \"2\" {\n"
                            " start when load > 9 for 5s until load < 5 for 3s\n"
                            " command each charger.limit = 20  rollout armed }\n",
                     restarts);
        take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
        take(f, "depot id=d1 hall=a row=3 load=10", 2);
        advance(f, 9);
        outputs_are(f, "");
        take(f, "depot id=d1 hall=a row=2", 10);
        advance(f, 20);
        outputs_are(f, "limit/c1 20 claimed by shed at 15\n");
        take(f, "depot id=d1 hall=a row=3", 21);
        advance(f, 30);
        outputs_are(f, "limit/c1 50 relinquished at 24\n");
        end(f);
    }
}

static void for_counts_on_the_target(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(OTHERS "control shed on depot { start when load > 9\n"
                                            " command each charger.limit = 20 for 10s"
                                            "  rollout armed }\n",
                                     restarts);
        take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
        take(f, "depot id=d1 hall=a load=10", 2);
        take(f, "charger id=c2 hall=a depot=d1 plugged=true", 7);
        advance(f, 30);
        outputs_are(f, "limit/c1 20 claimed by shed at 2\nlimit/c2 20 claimed by shed at 7\n"
                       "limit/c1 50 relinquished at 12\nlimit/c2 50 relinquished at 17\n");
        end(f);
    }
}

/* ---- a link of the commander ---- */

#define FAN                                                                                        \
    "device fan from \"f\" {\n key id  domain hall  time ts [s]\n tag hall\n on_site : bool\n}\n"
#define ROOM                                                                                       \
    "device room from \"r\" {\n key id  domain hall  time ts [s]\n tag hall\n link exhaust : "     \
    "fan\n"                                                                                        \
    " smoke : number stale after 10s\n want : number stale after 20s\n}\n"
#define SPEED(more)                                                                                \
    "actuator speed on fan : number range 0..100 { safe 30  default 0  lease 1h " more " }\n"
#define VENT                                                                                       \
    "control vent on room { start when smoke > 5 until smoke < 3\n"                                \
    " command exhaust.speed = want  rollout armed }\n"

static void rooms(struct fixture *f) {
    take(f, "fan id=f1 hall=a on_site=true", 1);
    take(f, "room id=r1 hall=a exhaust=f1 smoke=0 want=40", 1);
    take(f, "room id=r2 hall=a exhaust=f1 smoke=0 want=60", 1);
    take(f, "room id=r3 hall=a exhaust=f2 smoke=9 want=90", 1);
    take(f, "room id=r4 hall=b exhaust=f1 smoke=9 want=90", 1);
}

static void of_several_the_combination_counts(void **state) {
    (void)state;
    const char *const combine[] = {"min", "max", "safest"};
    const char *const wanted[] = {
        "speed/f1 60 claimed by vent at 2\nspeed/f1 40 claimed by vent at 3\n"
        "speed/f1 20 claimed by vent at 4\nspeed/f1 40 claimed by vent at 5\n"
        "speed/f1 0 relinquished at 6\n",
        "speed/f1 60 claimed by vent at 2\nspeed/f1 40 claimed by vent at 4\n"
        "speed/f1 0 relinquished at 6\n",
        "speed/f1 60 claimed by vent at 2\nspeed/f1 40 claimed by vent at 3\n"
        "speed/f1 0 relinquished at 6\n"};
    for (int i = 0; i < 6; i++) {
        struct fb_buf rules = {0};
        fb_buf_printf(&rules, FAN ROOM SPEED("combine %s") VENT, combine[i % 3]);
        struct fixture *f = begin_as(fb_buf_terminated(&rules), i >= 3);
        rooms(f);
        take(f, "room id=r2 hall=a smoke=9", 2);
        take(f, "room id=r1 hall=a smoke=9", 3);
        take(f, "room id=r2 hall=a want=20", 4); /* as far from 30 as 40: the first of the two */
        take(f, "room id=r2 hall=a smoke=0", 5);
        take(f, "room id=r1 hall=a smoke=0", 6);
        advance(f, 7);
        outputs_are(f, wanted[i % 3]);
        end(f);
        fb_buf_free(&rules);
    }
}

/* The smoke of r2 is stale at 12.000001, its want at 21.000001. */
static void one_that_is_unknown_asks_for_nothing_beside_another(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(FAN ROOM SPEED("combine max") VENT, restarts);
        rooms(f);
        take(f, "room id=r2 hall=a smoke=9", 2);
        take(f, "room id=r1 hall=a smoke=9", 8);
        outputs_are(f, "speed/f1 60 claimed by vent at 2\n");
        advance(f, 14);
        outputs_are(f, "speed/f1 40 claimed by vent at 12.000001\n");
        take(f, "room id=r1 hall=a smoke=0", 15); /* what is left is not known: it is held */
        advance(f, 16);
        outputs_are(f, "");
        take(f, "room id=r2 hall=a smoke=0", 17);
        advance(f, 18);
        outputs_are(f, "speed/f1 0 relinquished at 17\n");
        end(f);
    }
}

static void a_value_that_is_the_same_for_all_needs_no_combine(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(
            FAN ROOM SPEED("") "param full = 80\n"
                               "control vent on room { start when smoke > 5 until smoke < 3\n"
                               " command exhaust.speed = full  rollout armed }\n",
            restarts);
        rooms(f);
        take(f, "room id=r1 hall=a smoke=9", 2);
        take(f, "room id=r2 hall=a smoke=9", 3);
        take(f, "room id=r1 hall=a smoke=0", 4);
        take(f, "room id=r2 hall=a smoke=0", 5);
        advance(f, 6);
        outputs_are(f, "speed/f1 80 claimed by vent at 2\nspeed/f1 0 relinquished at 5\n");
        end(f);
    }
}

#define DAMPER(more)                                                                               \
    "actuator damper on fan : (closed, open) { safe closed  minimum on 0s, off 0s  lease 1h " more \
    " }\n"

static void words_are_combined_as_numbers_are(void **state) {
    (void)state;
    const char *const combine[] = {"min", "max", "safest"};
    const char *const wanted[] = {
        "damper/f1 open claimed by vent at 2\ndamper/f1 closed claimed by vent at 3\n",
        "damper/f1 open claimed by vent at 2\n",
        "damper/f1 open claimed by vent at 2\ndamper/f1 closed claimed by vent at 3\n"};
    for (int i = 0; i < 3; i++) {
        struct fb_buf rules = {0};
        fb_buf_printf(&rules,
                      FAN ROOM DAMPER("combine %s") "control vent on room { start when smoke > 5\n"
                                                    " command exhaust.damper = if want > 50"
                                                    " then open else closed  rollout armed }\n",
                      combine[i]);
        struct fixture *f = begin(fb_buf_terminated(&rules));
        rooms(f);
        take(f, "room id=r2 hall=a smoke=9", 2);
        take(f, "room id=r1 hall=a smoke=9", 3);
        advance(f, 4);
        outputs_are(f, wanted[i]);
        end(f);
        fb_buf_free(&rules);
    }
}

static void it_meets_what_the_device_asks_for_itself(void **state) {
    (void)state;
    struct fixture *f =
        begin(FAN ROOM SPEED("combine max") VENT "control own on fan { start when on_site\n"
                                                 " command speed = 50  rollout armed }\n");
    rooms(f);
    outputs_are(f, "speed/f1 50 claimed by own at 1\n");
    take(f, "room id=r1 hall=a smoke=9", 2);
    take(f, "room id=r2 hall=a smoke=9", 3);
    advance(f, 4);
    outputs_are(f, "speed/f1 60 claimed by vent at 3\n");
    end(f);
}

/* ---- alarms and modes ---- */

static void an_alarm_commands_others_while_it_is_active(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(
            DEPOT CHARGER LIMIT("hold at most 20s") "alarm hot on depot { let shed = flow > 9  "
                                                    "raise high when shed until flow < 5\n"
                                                    " clear after 2s  command each charger.limit = "
                                                    "20  rollout armed }\n",
            restarts);
        take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
        take(f, "depot id=d1 hall=a flow=10", 2);
        take(f, "depot id=d1 hall=a flow=4", 4);
        advance(f, 7);
        outputs_are(f, "hot/d1 raised at 2\nlimit/c1 20 claimed by hot at 2\n"
                       "hot/d1 cleared at 6\nlimit/c1 50 relinquished at 6\n");
        take(f, "depot id=d1 hall=a flow=10", 10); /* and is only held from 20.000001 on */
        advance(f, 60);
        outputs_are(f, "hot/d1 raised at 10\nlimit/c1 20 claimed by hot at 10\n"
                       "limit/c1 50 relinquished at 40.000001\n");
        end(f);
    }
}

static void a_mode_commands_others_in_its_state(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f =
            begin_as(DEPOT CHARGER LIMIT(
                         "hold at most 20s") "mode plan on depot where row == \"1\" {\n"
                                             " state day { go night when flow > 9 }\n"
                                             " state night { command each charger.limit = 20\n"
                                             "  go day when flow < 5 }\n"
                                             " rollout armed }\n",
                     restarts);
        take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
        take(f, "depot id=d1 hall=a row=1 flow=1", 2);
        take(f, "depot id=d1 hall=a flow=10", 4);
        advance(f, 5);
        outputs_are(f, "limit/c1 20 claimed by plan at 4\n");
        take(f, "depot id=d1 hall=a flow=1", 6);
        advance(f, 7);
        outputs_are(f, "limit/c1 50 relinquished at 6\n");
        take(f, "depot id=d1 hall=a flow=10", 8);
        take(f, "depot id=d1 hall=a row=2", 9); /* in no state */
        advance(f, 10);
        outputs_are(f, "limit/c1 20 claimed by plan at 8\nlimit/c1 50 relinquished at 9\n");
        take(f, "depot id=d1 hall=a row=1 flow=1", 11);
        take(f, "depot id=d1 hall=a flow=10", 12); /* the way out is unknown from 22.000001 on */
        advance(f, 60);
        outputs_are(f, "limit/c1 20 claimed by plan at 12\n"
                       "limit/c1 50 relinquished at 42.000001\n");
        end(f);
    }
}

/* ---- as any control ---- */

static void shadow_is_shadow_there(void **state) {
    (void)state;
    struct fixture *f = begin(OTHERS "control shed on depot { start when load > 9\n"
                                     " command each charger.limit = 20 }\n");
    take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
    take(f, "depot id=d1 hall=a load=10", 2);
    advance(f, 3);
    outputs_are(f, "limit*/c1 20 claimed by shed at 2\n");
    end(f);
}

static void a_kill_of_the_rule_is_of_all_its_commands(void **state) {
    (void)state;
    struct fixture *f =
        begin(OTHERS "actuator horn on depot : (off, on) { safe off  minimum on 0s, off 0s"
                     "  lease 1h }\n"
                     "control shed on depot { start when load > 9  command horn = on\n"
                     " command each charger.limit = 20  rollout armed }\n");
    take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
    take(f, "depot id=d1 hall=a load=10", 2);
    advance(f, 3);
    outputs_are(f, "horn/d1 on claimed by shed at 2\nlimit/c1 20 claimed by shed at 2\n");
    const struct fb_call call = {
        .kind = FB_CALL_KILL, .mode = FB_KILL_SAFE, .scope = FB_SCOPE_RULE, .name = FB_S("shed")};
    assert_int_equal(fb_core_call(f->core, &call, 4 * S), FB_CALL_ACCEPTED);
    advance(f, 5);
    assert_non_null(strstr(fb_buf_terminated(&f->outputs), "limit/c1 0 safe by shed at 4\n"));
    assert_non_null(strstr(fb_buf_terminated(&f->outputs), "horn/d1 off safe by shed at 4\n"));
    end(f);
}

/* Two commands of one rule for one class, another link of the same class, a line of one kind. */
static void several_commands_of_one_rule_are_kept_apart(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f =
            begin_as(OTHERS "actuator lamp on charger : (off, on) { safe off  minimum on 0s, off 0s"
                            "  lease 1h }\n"
                            "control shed on depot { start when load > 9\n"
                            " command each charger.limit = 20 where plugged\n"
                            " command each charger.limit = 10 where not plugged\n"
                            " command each charger.lamp = on\n rollout armed }\n",
                     restarts);
        take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
        take(f, "depot id=d1 hall=a load=10", 2);
        take(f, "charger id=c1 hall=a plugged=false", 3);
        take(f, "depot id=d1 hall=a load=1", 4);
        advance(f, 5);
        outputs_are(f, "limit/c1 20 claimed by shed at 2\nlamp/c1 on claimed by shed at 2\n"
                       "limit/c1 10 claimed by shed at 3\nlimit/c1 50 relinquished at 4\n"
                       "lamp/c1 off relinquished at 4\n");
        end(f);
    }
}

static void a_line_of_one_kind_is_commanded_one_by_one(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f =
            begin_as("device pump from \"p\" {\n key id  domain hall  time ts [s]\n tag hall\n"
                     " link next : pump\n flow : number\n}\n"
                     "actuator speed on pump : number range 0..100 { safe 0  lease 1h"
                     "  combine max }\n"
                     "control pull on pump { start when flow > 5\n"
                     " command next.speed = flow  command speed = 7  rollout armed }\n",
                     restarts);
        take(f, "pump id=a hall=h next=b flow=1", 1);
        take(f, "pump id=b hall=h next=c flow=1", 1);
        take(f, "pump id=c hall=h flow=1", 1);
        take(f, "pump id=a hall=h flow=9", 2);
        take(f, "pump id=b hall=h flow=6", 3);
        take(f, "pump id=a hall=h flow=1", 4);
        advance(f, 5);
        outputs_are(f, "speed/a 7 claimed by pull at 2\nspeed/b 9 claimed by pull at 2\n"
                       "speed/c 6 claimed by pull at 3\nspeed/a 0 relinquished at 4\n"
                       "speed/b 7 claimed by pull at 4\n");
        end(f);
    }
}

static void a_link_of_several_fields_leads_to_a_commander_of_several_keys(void **state) {
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct fixture *f = begin_as(
            "device ahu from \"a\" {\n key site, nr  domain site  time ts [s]\n hot : bool\n}\n"
            "device room from \"r\" {\n key id  domain site  time ts [s]\n tag site, unit_nr, up\n"
            " link ahu : ahu by site, unit_nr\n link up : ahu\n x : number\n}\n"
            "actuator flap on room : number range 0..100 { safe 0  lease 1h }\n"
            "actuator grille on room : number range 0..100 { safe 0  lease 1h }\n"
            "control cool on ahu { start when hot  command each room.flap by ahu = 80\n"
            " command each room.grille by up = 60  rollout armed }\n",
            restarts);
        take(f, "room id=r1 site=s/1 unit_nr=7 up=s%2F1,8 x=1", 1);
        take(f, "ahu site=s/1 nr=7 hot=true", 2);
        take(f, "ahu site=s/1 nr=8 hot=true", 3);
        advance(f, 4);
        outputs_are(f, "flap/r1 80 claimed by cool at 2\ngrille/r1 60 claimed by cool at 3\n");
        end(f);
    }
}

/* ---- a change of the rules ---- */

#define MORE "alarm other on charger { raise low when plugged }\n"

static void what_is_claimed_survives_a_change_of_other_rules(void **state) {
    (void)state;
    struct fixture *f = begin(OTHERS SHED);
    take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
    take(f, "depot id=d1 hall=a load=10", 2);
    take(f, "depot id=d1 hall=a load=7", 3); /* between the two limits: its latch is kept */
    outputs_are(f, "limit/c1 20 claimed by shed at 2\n");
    change_to(f, MORE OTHERS SHED);
    advance(f, 5);
    outputs_are(f, "other/c1 raised at 3\n");
    take(f, "depot id=d1 hall=a load=4", 6);
    advance(f, 7);
    outputs_are(f, "limit/c1 50 relinquished at 6\n");
    end(f);
}

static void what_is_commanded_no_more_is_withdrawn(void **state) {
    (void)state;
    struct fixture *f = begin(OTHERS SHED);
    take(f, "charger id=c1 hall=a depot=d1 plugged=true", 1);
    take(f, "depot id=d1 hall=a load=10", 2);
    advance(f, 3);
    outputs_are(f, "limit/c1 20 claimed by shed at 2\n");
    change_to(f, OTHERS "actuator horn on depot : (off, on) { safe off  minimum on 0s, off 0s"
                        "  lease 1h }\n"
                        "control shed on depot { start when load > 9 until load < 5\n"
                        " command horn = on  rollout armed }\n");
    advance(f, 5);
    outputs_are(f, "limit/c1 50 relinquished at 3\nhorn/d1 on claimed by shed at 3\n");
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_link_here_are_commanded),
        cmocka_unit_test(of_no_members_nothing_is_claimed),
        cmocka_unit_test(a_link_that_moves_ends_the_claim),
        cmocka_unit_test(a_commander_that_leaves_the_domain_ends_the_claim),
        cmocka_unit_test(a_silent_commander_is_held_and_then_ends),
        cmocka_unit_test(on_unknown_says_what_a_silent_commander_means),
        cmocka_unit_test(the_value_follows_the_commander),
        cmocka_unit_test(those_of_the_same_text_are_commanded_by_a_tag),
        cmocka_unit_test(where_alone_and_nothing_at_all_start_it_too),
        cmocka_unit_test(where_and_start_are_one_condition),
        cmocka_unit_test(for_counts_on_the_target),
        cmocka_unit_test(of_several_the_combination_counts),
        cmocka_unit_test(one_that_is_unknown_asks_for_nothing_beside_another),
        cmocka_unit_test(a_value_that_is_the_same_for_all_needs_no_combine),
        cmocka_unit_test(words_are_combined_as_numbers_are),
        cmocka_unit_test(it_meets_what_the_device_asks_for_itself),
        cmocka_unit_test(an_alarm_commands_others_while_it_is_active),
        cmocka_unit_test(a_mode_commands_others_in_its_state),
        cmocka_unit_test(shadow_is_shadow_there),
        cmocka_unit_test(a_kill_of_the_rule_is_of_all_its_commands),
        cmocka_unit_test(several_commands_of_one_rule_are_kept_apart),
        cmocka_unit_test(a_line_of_one_kind_is_commanded_one_by_one),
        cmocka_unit_test(a_link_of_several_fields_leads_to_a_commander_of_several_keys),
        cmocka_unit_test(what_is_claimed_survives_a_change_of_other_rules),
        cmocka_unit_test(what_is_commanded_no_more_is_withdrawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
