/* `flyball run` whose network is cut: one of two instances, or the only one, cannot reach the
 * broker for longer than its session and its transaction last, and later can again. What is
 * committed is what `replay` makes of the same events, each output once. FB_TORTURE=1: more rounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/kafka/app.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/proxy.h"
#include "tests/kafka/setup.h"
#include "tests/kafka/watch.h"

enum {
    EVENTS = 60000,
    TORTURE_EVENTS = 800000,
    PAST_TRANSACTION_MS = 45000, /* its time-out, and how often the broker looks */
    SHORT_CUT_MS = 3000
};

static char way[64]; /* to the broker, through the proxy */
static struct fb_proxy *proxy;
static struct fb_broker *broker;
static unsigned faults;

static int set_up(void **state) {
    proxy = fb_proxy_start();
    broker = fb_broker_start_behind(fb_proxy_port(proxy));
    fb_proxy_lead(proxy, fb_broker_proxied_port(broker));
    snprintf(way, sizeof way, "127.0.0.1:%d", fb_proxy_port(proxy));
    return fb_folder_make(state);
}

static int tear_down(void **state) {
    fb_broker_free(broker);
    fb_proxy_free(proxy);
    return fb_folder_remove(state);
}

static int64_t await_commit_since(struct fb_instance *instance) {
    instance->started_ms = fb_watch_now_ms();
    return fb_instance_await_commit(instance);
}

/* The heir takes all partitions over while the other one is cut off, and gives half of them back
 * when it is there again. */
static void cut_round(struct fb_instance *far, struct fb_instance *near, enum fb_cut cut,
                      int more_ms) {
    unsigned two = fb_instance_said(near, "worker 0 has 2 partitions");
    unsigned four = fb_instance_said(near, "worker 0 has 4 partitions");
    fb_proxy_cut(proxy, cut);
    faults++;
    int64_t cut_ms = fb_watch_now_ms();
    fb_instance_await_said(near, "worker 0 has 4 partitions", four + 1);
    int64_t taken_ms = fb_watch_now_ms() - cut_ms;
    await_commit_since(near);
    fb_pause_ms(more_ms);
    fb_proxy_cut(proxy, FB_CUT_NONE);
    int64_t back_ms = fb_watch_now_ms();
    fb_instance_await_said(near, "worker 0 has 2 partitions", two + 1);
    int64_t given_ms = fb_watch_now_ms() - back_ms;
    print_message(
        "cut off (%s, %d s more): partitions taken over after %lld ms, given back %lld ms "
        "after the end, first commit %lld ms later\n",
        cut == FB_CUT_SILENT ? "no answer" : "closed", more_ms / 1000, (long long)taken_ms,
        (long long)given_ms, (long long)await_commit_since(far));
}

static void who_is_cut_off_is_shut_out_and_comes_back(void **state) {
    (void)state;
    struct fb_app app;
    struct fb_instance instances[2] = {{.address = way}, {0}};
    struct fb_instance *far = &instances[0], *near = &instances[1];
    fb_app_make(&app, fb_broker_address(broker), fb_folder(),
                fb_torture() ? TORTURE_EVENTS : EVENTS);
    fb_instance_start(far, &app, "a", 1, FB_APP_FETCHED);
    fb_instance_start(near, &app, "b", 1, FB_APP_FETCHED);
    fb_instance_await_said(far, "worker 0 has 2 partitions", 1);
    fb_instance_await_said(near, "worker 0 has 2 partitions", 1);
    fb_instance_await_commit(far);
    cut_round(far, near, FB_CUT_SILENT, 0);
    for (int i = 0; i < (fb_torture() ? 3 : 0); i++) {
        cut_round(far, near, FB_CUT_CLOSED, 0);
        cut_round(far, near, FB_CUT_SILENT, PAST_TRANSACTION_MS);
        cut_round(far, near, FB_CUT_CLOSED, PAST_TRANSACTION_MS);
        cut_round(far, near, FB_CUT_SILENT, 0);
    }
    fb_app_finish(&app, instances, 2, 1);
    fb_app_expect_exact(&app);
}

/* Cuts that nobody takes over in. */
static void the_only_one_waits_for_the_network(void **state) {
    (void)state;
    struct fb_app app;
    struct fb_instance far = {.address = way};
    fb_app_make(&app, fb_broker_address(broker), fb_folder(), fb_torture() ? 5 * EVENTS : EVENTS);
    fb_instance_start(&far, &app, "a", 2, FB_APP_FETCHED);
    fb_instance_await_commit(&far);
    for (int i = 0; i < (fb_torture() ? 12 : 4); i++) {
        int ms = fb_torture() && i % 4 == 3 ? PAST_TRANSACTION_MS : i * 37 % 5 * SHORT_CUT_MS;
        fb_proxy_cut(proxy, i % 2 ? FB_CUT_SILENT : FB_CUT_CLOSED);
        faults++;
        fb_pause_ms(ms);
        fb_proxy_cut(proxy, FB_CUT_NONE);
        print_message("cut off (%s) for %d ms: first commit %lld ms after the end\n",
                      i % 2 ? "no answer" : "closed", ms, (long long)await_commit_since(&far));
    }
    fb_app_finish(&app, &far, 1, 2);
    fb_app_expect_exact(&app);
}

int main(int argc, char **argv) {
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_cut_off_is_shut_out_and_comes_back),
        cmocka_unit_test(the_only_one_waits_for_the_network),
    };
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    printf("torture: cut cases=%zu faults=%u violations=%d\n", sizeof tests / sizeof *tests, faults,
           failed);
    return failed;
}
