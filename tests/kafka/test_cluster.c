/* `flyball run` against three brokers of which one is killed, whatever it leads or coordinates, and
 * all are restarted one after another: the others take over, and what is committed is what `replay`
 * makes of the same events, each output once. FB_TORTURE=1: every role, several times. */
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
#include "tests/kafka/cluster.h"
#include "tests/kafka/setup.h"
#include "tests/kafka/topic.h"
#include "tests/kafka/watch.h"

enum {
    EVENTS = 120000,
    PROGRESS = 600, /* records of a partition: more than a client holds */
    PATIENCE_MS = 180000,
    SHORT_MS = 35000 /* longer than a record is waited for, and a transaction */
};

static struct fb_broker *broker;
static unsigned faults;

static int set_up(void **state) {
    broker = fb_broker_start_cluster();
    return fb_folder_make(state);
}

static int tear_down(void **state) {
    fb_broker_free(broker);
    return fb_folder_remove(state);
}

/* ---- two instances at work ---- */

struct work {
    struct fb_app app;
    struct fb_instance instances[2];
};

static void begin(struct work *work) {
    fb_cluster_await_whole(work->app.address);
    fb_instance_start(&work->instances[0], &work->app, "a", 1, FB_APP_FETCHED);
    fb_instance_start(&work->instances[1], &work->app, "b", 1, FB_APP_FETCHED);
    for (int i = 0; i < 2; i++) {
        fb_instance_await_said(&work->instances[i], "worker 0 has 2 partitions", 1);
        fb_instance_await_commit(&work->instances[i]);
    }
    fb_watch_still_ms(work->app.watch);
}

/* Until each partition has got on by more than was fetched before. */
static void await_progress(const struct work *work) {
    int64_t from[FB_APP_PARTITIONS], begun_ms = fb_watch_now_ms();
    for (int32_t p = 0; p < FB_APP_PARTITIONS; p++)
        from[p] = fb_watch_position(work->app.watch, p);
    for (int32_t p = 0; p < FB_APP_PARTITIONS; fb_pause_ms(20)) {
        p += fb_watch_position(work->app.watch, p) >= from[p] + PROGRESS;
        assert_true(fb_watch_total(work->app.watch) < work->app.n_events);
        if (fb_watch_now_ms() - begun_ms > PATIENCE_MS)
            fail_msg("partition %d does not get on from %lld", (int)p, (long long)from[p]);
    }
}

/* The rest at full speed, by new processes. */
static void finish(struct work *work) {
    unsigned aborted = 0, anew = 0;
    for (int i = 0; i < 2; i++) {
        aborted += fb_instance_said(&work->instances[i], "a transaction was aborted");
        anew += fb_instance_said(&work->instances[i], "opened anew");
    }
    fb_app_finish(&work->app, work->instances, 2, 1);
    print_message("transactions put again: %u, ends opened anew: %u\n", aborted, anew);
    fb_app_expect_exact(&work->app);
}

/* ---- one node is killed ---- */

static int leads_input(const struct work *work) {
    return fb_cluster_leader(work->app.address, work->app.input, 0);
}

static int leads_stream(const struct work *work, const char *stream) {
    char topic[96];
    fb_app_topic(&work->app, stream, topic);
    return fb_cluster_leader(work->app.address, topic, 1);
}

static int leads_journal(const struct work *work) {
    return leads_stream(work, "journal");
}

static int leads_alerts(const struct work *work) {
    return leads_stream(work, "alerts");
}

static int coordinates_transactions(const struct work *work) {
    return fb_cluster_of_transactions(work->app.address, work->instances[0].owner);
}

static int coordinates_the_group(const struct work *work) {
    return fb_cluster_of_group(work->app.address, work->app.name);
}

static int controls(const struct work *work) {
    (void)work;
    return fb_cluster_controller(broker);
}

/* The others do its work while it is away, and it comes back. */
static void kill_node(const struct work *work, int node, const char *role) {
    fb_watch_still_ms(work->app.watch);
    fb_broker_kill_node(broker, node);
    faults++;
    await_progress(work);
    int64_t away_ms = fb_watch_still_ms(work->app.watch);
    fb_broker_restart_node(broker, node);
    fb_cluster_await_whole(work->app.address);
    await_progress(work);
    print_message("node %d, %s, killed: a partition stood still for %lld ms at most; %lld ms while "
                  "it came back\n",
                  node, role, (long long)away_ms, (long long)fb_watch_still_ms(work->app.watch));
}

static void kill_who(int (*who)(const struct work *), const char *role) {
    int rounds = fb_torture() ? 3 : 1;
    struct work work = {0};
    fb_app_make(&work.app, fb_broker_address(broker), fb_folder(), rounds * EVENTS);
    begin(&work);
    for (int i = 0; i < rounds; i++)
        kill_node(&work, who(&work), role);
    finish(&work);
}

static void the_leader_of_an_input_is_killed(void **state) {
    (void)state;
    kill_who(leads_input, "leader of an input's partition");
}

static void the_leader_of_a_journal_is_killed(void **state) {
    (void)state;
    kill_who(leads_journal, "leader of a journal's partition");
}

static void the_leader_of_an_output_is_killed(void **state) {
    (void)state;
    kill_who(leads_alerts, "leader of an output's partition");
}

static void the_coordinator_of_transactions_is_killed(void **state) {
    (void)state;
    kill_who(coordinates_transactions, "coordinator of an instance's transactions");
}

static void the_coordinator_of_the_group_is_killed(void **state) {
    (void)state;
    kill_who(coordinates_the_group, "coordinator of the group");
}

static void the_active_controller_is_killed(void **state) {
    (void)state;
    kill_who(controls, "active controller");
}

/* ---- others ---- */

static void all_nodes_are_restarted_one_after_another(void **state) {
    (void)state;
    int rounds = fb_torture() ? 3 : 1;
    struct work work = {0};
    fb_app_make(&work.app, fb_broker_address(broker), fb_folder(), rounds * 2 * EVENTS);
    begin(&work);
    for (int i = 0; i < rounds; i++)
        for (int node = 1; node <= FB_BROKER_NODES; node++) {
            fb_broker_stop_node(broker, node);
            faults++;
            await_progress(&work);
            fb_broker_restart_node(broker, node);
            fb_cluster_await_whole(work.app.address);
        }
    await_progress(&work);
    print_message("all nodes restarted: a partition stood still for %lld ms at most\n",
                  (long long)fb_watch_still_ms(work.app.watch));
    finish(&work);
}

/* Whoever begins while a node is away finds its way too, and rebuilds its state from the others. */
static void a_state_is_rebuilt_while_a_node_is_away(void **state) {
    (void)state;
    int rounds = fb_torture() ? 3 : 1;
    struct work work = {0};
    fb_app_make(&work.app, fb_broker_address(broker), fb_folder(), rounds * EVENTS);
    begin(&work);
    for (int i = 0; i < rounds; i++) {
        struct fb_instance *victim = &work.instances[i % 2];
        int node = leads_journal(&work);
        fb_broker_kill_node(broker, node);
        faults++;
        fb_instance_end(victim, SIGKILL);
        faults++;
        fb_instance_start(victim, &work.app, victim->id, 1, FB_APP_FETCHED);
        int64_t took_ms = fb_instance_await_commit(victim);
        await_progress(&work);
        fb_broker_restart_node(broker, node);
        fb_cluster_await_whole(work.app.address);
        print_message("node %d, leader of a journal's partition, and an instance killed: first "
                      "commit of the new one after %lld ms\n",
                      node, (long long)took_ms);
    }
    finish(&work);
}

/* What needs all three copies waits for the third. */
static void too_few_replicas_are_waited_for(void **state) {
    (void)state;
    static const char *const all_three[] = {"min.insync.replicas", "3", NULL};
    char topic[96];
    struct work work = {0};
    fb_app_make(&work.app, fb_broker_address(broker), fb_folder(), EVENTS);
    fb_app_topic(&work.app, "journal", topic);
    fb_topic_create(work.app.address, topic, FB_APP_PARTITIONS, all_three);
    begin(&work);
    int node = 1 + leads_stream(&work, "journal") % FB_BROKER_NODES;
    fb_broker_kill_node(broker, node);
    faults++;
    fb_pause_ms(SHORT_MS);
    fb_broker_restart_node(broker, node);
    await_progress(&work);
    print_message("node %d away for %d s, all copies wanted: a partition stood still for %lld ms "
                  "at most\n",
                  node, SHORT_MS / 1000, (long long)fb_watch_still_ms(work.app.watch));
    finish(&work);
}

/* Of which the start warns: it is not there while its only broker is away. */
static void a_topic_without_copies_is_told_and_waited_for(void **state) {
    (void)state;
    char alerts[96], told[256];
    struct work work = {0};
    fb_app_make(&work.app, fb_broker_address(broker), fb_folder(), EVENTS);
    fb_app_topic(&work.app, "alerts", alerts);
    fb_topic_create_on(work.app.address, alerts, FB_APP_PARTITIONS, 1, NULL);
    begin(&work);
    snprintf(told, sizeof told, "the topic '%s' is on one of 3 brokers only", alerts);
    assert_int_equal(fb_instance_said(&work.instances[0], told), 1);
    assert_int_equal(fb_instance_said(&work.instances[0], "of 3 brokers only"), 1);
    int node = leads_alerts(&work);
    fb_broker_kill_node(broker, node);
    faults++;
    fb_pause_ms(SHORT_MS);
    fb_broker_restart_node(broker, node);
    await_progress(&work);
    print_message("node %d, the only one with an output's partition, away for %d s: a partition "
                  "stood still for %lld ms at most\n",
                  node, SHORT_MS / 1000, (long long)fb_watch_still_ms(work.app.watch));
    finish(&work);
}

/* Without a majority nothing is stored. */
static void two_nodes_of_three_are_killed(void **state) {
    (void)state;
    struct work work = {0};
    fb_app_make(&work.app, fb_broker_address(broker), fb_folder(), EVENTS);
    begin(&work);
    int node = fb_cluster_controller(broker), other = 1 + node % FB_BROKER_NODES;
    fb_broker_kill_node(broker, node);
    faults++;
    fb_broker_kill_node(broker, other);
    faults++;
    fb_pause_ms(SHORT_MS);
    fb_broker_restart_node(broker, other);
    await_progress(&work);
    fb_broker_restart_node(broker, node);
    fb_cluster_await_whole(work.app.address);
    print_message("two nodes away for %d s: a partition stood still for %lld ms at most\n",
                  SHORT_MS / 1000, (long long)fb_watch_still_ms(work.app.watch));
    finish(&work);
}

int main(int argc, char **argv) {
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    else if (!fb_torture())
        cmocka_set_test_filter("the_leader_of_an_input_is_killed");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_leader_of_an_input_is_killed),
        cmocka_unit_test(the_leader_of_a_journal_is_killed),
        cmocka_unit_test(the_leader_of_an_output_is_killed),
        cmocka_unit_test(the_coordinator_of_transactions_is_killed),
        cmocka_unit_test(the_coordinator_of_the_group_is_killed),
        cmocka_unit_test(the_active_controller_is_killed),
        cmocka_unit_test(all_nodes_are_restarted_one_after_another),
        cmocka_unit_test(a_state_is_rebuilt_while_a_node_is_away),
        cmocka_unit_test(too_few_replicas_are_waited_for),
        cmocka_unit_test(a_topic_without_copies_is_told_and_waited_for),
        cmocka_unit_test(two_nodes_of_three_are_killed),
    };
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    printf("torture: cluster cases=%zu faults=%u violations=%d\n", sizeof tests / sizeof *tests,
           faults, failed);
    return failed;
}
