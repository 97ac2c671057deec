/* The modelled Kafka behaves as the real one does where the engine depends on it. */
#include "tests/sim/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

struct fixture {
    struct fb_random random;
    struct sim_kafka *kafka;
    int in, out;
};

static struct fixture begin(int64_t marker_max_us) {
    struct fixture fixture = {.random = {1}};
    struct fb_random *random = malloc(sizeof *random);
    *random = fixture.random;
    struct sim_kafka_config config = {.session_us = 10 * SECOND,
                                      .rebalance_us = 20 * SECOND,
                                      .offsets_retention_us = 100 * SECOND,
                                      .marker_max_us = marker_max_us};
    fixture.kafka = sim_kafka_new(&config, random);
    sim_kafka_at(fixture.kafka, 1000 * SECOND);
    fixture.in = sim_topic_add(fixture.kafka, "in", 2, true);
    fixture.out = sim_topic_add(fixture.kafka, "out", 2, false);
    return fixture;
}

static void end(struct fixture *fixture) {
    free(fixture->kafka->random);
    sim_kafka_free(fixture->kafka);
}

static void pass_time(struct fixture *fixture, int64_t us) {
    sim_kafka_at(fixture->kafka, fixture->kafka->now_us + us);
}

static enum sim_code produce(struct fixture *fixture, struct sim_handle handle, const char *value) {
    struct fb_outgoing record = {
        .stamp_us = FB_NO_STAMP, .key = FB_S("k"), .value = fb_str_of(value)};
    return sim_produce(fixture->kafka, handle, fixture->out, &record);
}

static struct sim_handle init(struct fixture *fixture, const char *id) {
    struct sim_handle handle;
    while (sim_init(fixture->kafka, id, 5 * SECOND, &handle) != SIM_OK)
        pass_time(fixture, 1000);
    return handle;
}

/* The committed values of the output, one after the other. */
static void assert_committed(struct fixture *fixture, const char *expected) {
    struct fb_buf text = {0};
    int64_t offset = -1;
    const struct sim_record *record;
    while ((record = sim_next(fixture->kafka, fixture->out, 0, offset + 1, &offset)))
        fb_buf_str(&text, record->value);
    assert_string_equal(fb_buf_terminated(&text), expected);
    fb_buf_free(&text);
}

static uint64_t join(struct fixture *fixture, const char *instance) {
    uint64_t member = 0;
    assert_int_equal(sim_join(fixture->kafka, instance, &member), SIM_OK);
    return member;
}

static enum sim_code status(struct fixture *fixture, const char *instance, uint64_t member) {
    uint32_t generation;
    return sim_membership(fixture->kafka, instance, member, &generation);
}

/* ---- transactions ---- */

static void nothing_is_seen_before_the_commit(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    struct sim_handle handle = init(&fixture, "p");
    produce(&fixture, handle, "a");
    assert_committed(&fixture, "");
    assert_int_equal(sim_end(fixture.kafka, handle, true), SIM_OK);
    assert_committed(&fixture, "a");
    produce(&fixture, handle, "b");
    assert_int_equal(sim_end(fixture.kafka, handle, false), SIM_OK);
    produce(&fixture, handle, "c");
    assert_int_equal(sim_end(fixture.kafka, handle, true), SIM_OK);
    assert_committed(&fixture, "ac");
    end(&fixture);
}

static void an_open_transaction_hides_what_comes_behind_it(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    struct sim_handle slow = init(&fixture, "slow"), quick = init(&fixture, "quick");
    produce(&fixture, slow, "s");
    produce(&fixture, quick, "q");
    sim_end(fixture.kafka, quick, true);
    assert_committed(&fixture, "");
    assert_int_equal(sim_stable_end(fixture.kafka, fixture.out, 0), 0);
    sim_end(fixture.kafka, slow, false);
    assert_committed(&fixture, "q");
    end(&fixture);
}

static void a_successor_fences_and_aborts(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    struct sim_handle old = init(&fixture, "p");
    produce(&fixture, old, "a");
    struct sim_handle fresh = init(&fixture, "p");
    assert_int_equal(produce(&fixture, old, "b"), SIM_FENCED);
    assert_int_equal(sim_end(fixture.kafka, old, true), SIM_FENCED);
    produce(&fixture, fresh, "c");
    sim_end(fixture.kafka, fresh, true);
    assert_committed(&fixture, "c");
    end(&fixture);
}

static void a_transaction_that_lasts_too_long_is_aborted(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    struct sim_handle handle = init(&fixture, "p");
    produce(&fixture, handle, "a");
    pass_time(&fixture, 4 * SECOND);
    assert_int_equal(produce(&fixture, handle, "b"), SIM_OK);
    pass_time(&fixture, 2 * SECOND);
    assert_int_equal(sim_end(fixture.kafka, handle, true), SIM_FENCED);
    assert_null(sim_hanging(fixture.kafka));
    assert_committed(&fixture, "");
    end(&fixture);
}

static void an_end_is_answered_the_same_when_asked_again(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    struct sim_handle handle = init(&fixture, "p");
    produce(&fixture, handle, "a");
    assert_int_equal(sim_end(fixture.kafka, handle, true), SIM_OK);
    assert_int_equal(sim_end(fixture.kafka, handle, true), SIM_OK);
    assert_int_equal(sim_end(fixture.kafka, handle, false), SIM_INVALID);
    assert_committed(&fixture, "a");
    end(&fixture);
}

static void markers_come_later_and_a_successor_waits_for_them(void **state) {
    (void)state;
    struct fixture fixture = begin(SECOND);
    struct sim_handle handle = init(&fixture, "p");
    bool waited = false;
    for (int i = 0; i < 50; i++) {
        produce(&fixture, handle, "a");
        assert_int_equal(sim_end(fixture.kafka, handle, true), SIM_OK);
        struct sim_handle next;
        while (sim_init(fixture.kafka, "p", 5 * SECOND, &next) == SIM_BUSY) {
            waited = true;
            assert_int_equal(produce(&fixture, handle, "x"), SIM_BUSY);
            pass_time(&fixture, 1000);
        }
        handle = next;
    }
    assert_true(waited);
    assert_committed(&fixture, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    end(&fixture);
}

/* ---- positions ---- */

static void positions_go_with_their_transaction(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    struct sim_handle handle = init(&fixture, "p");
    uint64_t member = join(&fixture, "a");
    struct sim_offset offset = {.topic = fixture.in, .next = 7, .note = "1 p"};
    struct sim_committed committed;
    assert_int_equal(sim_send_offsets(fixture.kafka, handle, member,
                                      fixture.kafka->group.generation, &offset, 1),
                     SIM_OK);
    assert_int_equal(sim_committed(fixture.kafka, fixture.in, 0, true, &committed), SIM_BUSY);
    assert_int_equal(sim_committed(fixture.kafka, fixture.in, 0, false, &committed), SIM_OK);
    assert_int_equal(committed.next, -1);
    sim_end(fixture.kafka, handle, true);
    assert_int_equal(sim_committed(fixture.kafka, fixture.in, 0, true, &committed), SIM_OK);
    assert_int_equal(committed.next, 7);
    assert_string_equal(committed.note, "1 p");
    end(&fixture);
}

static void positions_of_an_older_generation_are_refused(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    struct sim_handle handle = init(&fixture, "p");
    uint64_t member = join(&fixture, "a");
    uint32_t generation = fixture.kafka->group.generation;
    struct sim_offset offset = {.topic = fixture.in, .next = 7};
    uint64_t other = join(&fixture, "b");
    /* while it is asked to join again it may still commit */
    assert_int_equal(sim_send_offsets(fixture.kafka, handle, member, generation, &offset, 1),
                     SIM_OK);
    assert_int_equal(sim_join(fixture.kafka, "a", &member), SIM_OK);
    assert_int_equal(status(&fixture, "a", member), SIM_OK);
    assert_int_equal(status(&fixture, "b", other), SIM_OK);
    assert_int_equal(sim_send_offsets(fixture.kafka, handle, member, generation, &offset, 1),
                     SIM_STALE);
    end(&fixture);
}

/* ---- the group ---- */

static void partitions_are_shared_by_range(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    uint64_t a = join(&fixture, "a");
    assert_true(sim_has(fixture.kafka, a, fixture.in, 0) &&
                sim_has(fixture.kafka, a, fixture.in, 1));
    uint64_t b = join(&fixture, "b");
    assert_int_equal(status(&fixture, "a", a), SIM_REBALANCING);
    assert_int_equal(status(&fixture, "b", b), SIM_BUSY);
    sim_join(fixture.kafka, "a", &a);
    assert_true(sim_has(fixture.kafka, a, fixture.in, 0) &&
                sim_has(fixture.kafka, b, fixture.in, 1));
    assert_false(sim_has(fixture.kafka, a, fixture.in, 1) ||
                 sim_has(fixture.kafka, b, fixture.in, 0));
    assert_false(sim_has(fixture.kafka, a, fixture.out, 0));
    end(&fixture);
}

static void a_static_member_comes_back_without_a_rebalance(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    uint64_t first = join(&fixture, "a");
    uint32_t generation = fixture.kafka->group.generation;
    uint64_t second = join(&fixture, "a");
    assert_int_equal(fixture.kafka->group.generation, generation);
    assert_int_equal(status(&fixture, "a", second), SIM_OK);
    assert_int_equal(status(&fixture, "a", first), SIM_FENCED_MEMBER);
    end(&fixture);
}

static void a_silent_member_is_given_up(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    uint64_t a = join(&fixture, "a"), b = join(&fixture, "b");
    sim_join(fixture.kafka, "a", &a);
    sim_silence(fixture.kafka, b, true);
    pass_time(&fixture, 9 * SECOND);
    assert_int_equal(status(&fixture, "a", a), SIM_OK);
    pass_time(&fixture, 2 * SECOND);
    assert_int_equal(status(&fixture, "b", b), SIM_STALE);
    assert_int_equal(status(&fixture, "a", a), SIM_REBALANCING);
    end(&fixture);
}

static void positions_of_an_empty_group_expire(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    uint64_t member = join(&fixture, "a");
    struct sim_offset offset = {.topic = fixture.in, .next = 7};
    struct sim_committed committed;
    sim_commit_offset(fixture.kafka, member, fixture.kafka->group.generation, &offset);
    pass_time(&fixture, 1000 * SECOND);
    sim_committed(fixture.kafka, fixture.in, 0, true, &committed);
    assert_int_equal(committed.next, 7);
    sim_silence(fixture.kafka, member, true);
    pass_time(&fixture, 11 * SECOND);
    pass_time(&fixture, 99 * SECOND);
    sim_committed(fixture.kafka, fixture.in, 0, true, &committed);
    assert_int_equal(committed.next, 7);
    pass_time(&fixture, 2 * SECOND);
    sim_committed(fixture.kafka, fixture.in, 0, true, &committed);
    assert_int_equal(committed.next, -1);
    end(&fixture);
}

/* ---- logs ---- */

static void compaction_keeps_the_last_committed_value_of_a_key(void **state) {
    (void)state;
    struct fixture fixture = begin(0);
    struct sim_handle handle = init(&fixture, "p");
    const char *const values[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++) {
        produce(&fixture, handle, values[i]);
        sim_end(fixture.kafka, handle, i != 3); /* the last is aborted */
    }
    sim_compact(fixture.kafka, fixture.out, 0, INT64_MAX);
    assert_committed(&fixture, "c");
    end(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_seen_before_the_commit),
        cmocka_unit_test(an_open_transaction_hides_what_comes_behind_it),
        cmocka_unit_test(a_successor_fences_and_aborts),
        cmocka_unit_test(a_transaction_that_lasts_too_long_is_aborted),
        cmocka_unit_test(an_end_is_answered_the_same_when_asked_again),
        cmocka_unit_test(markers_come_later_and_a_successor_waits_for_them),
        cmocka_unit_test(positions_go_with_their_transaction),
        cmocka_unit_test(positions_of_an_older_generation_are_refused),
        cmocka_unit_test(partitions_are_shared_by_range),
        cmocka_unit_test(a_static_member_comes_back_without_a_rebalance),
        cmocka_unit_test(a_silent_member_is_given_up),
        cmocka_unit_test(positions_of_an_empty_group_expire),
        cmocka_unit_test(compaction_keeps_the_last_committed_value_of_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
