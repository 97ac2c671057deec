/* The plants, lines and receivers do what they say, checked by hand: a closed loop proves nothing
 * where its plant is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/plant/line.h"
#include "engine/plant/plant.h"
#include "engine/plant/receiver.h"

#define S INT64_C(1000000)

static const struct fb_plant_config oven = {.start = 20,
                                            .tau_s = 100,
                                            .n_inputs = 1,
                                            .inputs[0].gain = 80,
                                            .outside = 20,
                                            .low = -1000,
                                            .high = 1000};

static void step(struct fb_plant *plant, double command) {
    fb_plant_step(plant, &command);
}

static void run(struct fb_plant *plant, double command, int64_t us) {
    for (const int64_t end = plant->now_us + us; plant->now_us < end;)
        step(plant, command);
}

static void assert_near(double x, double wanted, double tolerance) {
    if (x < wanted - tolerance || x > wanted + tolerance)
        fail_msg("%g instead of %g", x, wanted);
}

static void first_order_reaches_63_percent_after_tau(void **state) {
    (void)state;
    struct fb_plant plant;
    fb_plant_begin(&plant, &oven, 1);
    run(&plant, 1, 100 * S);
    assert_near(plant.value, 20 + 80 * 0.632, 0.2);
    run(&plant, 1, 2000 * S);
    assert_near(plant.value, 100, 0.001);
    run(&plant, 0, 2000 * S);
    assert_near(plant.value, 20, 0.001);
}

static void dead_time_is_exact(void **state) {
    (void)state;
    for (int64_t dead_s = 0; dead_s <= 120; dead_s += 30) {
        struct fb_plant_config config = oven;
        struct fb_plant plant;
        config.inputs[0].dead_us = dead_s * S;
        fb_plant_begin(&plant, &config, 1);
        run(&plant, 1, dead_s * S);
        assert_near(plant.value, 20, 0);
        step(&plant, 1);
        assert_true(plant.value > 20);
    }
}

static void a_tank_integrates_and_runs_over(void **state) {
    (void)state;
    const struct fb_plant_config tank = {
        .start = 1, .n_inputs = 1, .inputs[0].gain = -0.01, .outside = 0.004, .low = 0, .high = 6};
    struct fb_plant plant;
    fb_plant_begin(&plant, &tank, 1);
    run(&plant, 0, 500 * S);
    assert_near(plant.value, 3, 1e-9);
    run(&plant, 1, 100 * S);
    assert_near(plant.value, 2.4, 1e-9);
    run(&plant, 0, 5000 * S);
    assert_near(plant.value, 6, 0);
    run(&plant, 1, 5000 * S);
    assert_near(plant.value, 0, 0);
}

static void an_actuator_takes_its_time_and_has_limits(void **state) {
    (void)state;
    struct fb_plant_config config = oven;
    struct fb_plant plant;
    config.inputs[0].travel_s = 20;
    fb_plant_begin(&plant, &config, 1);
    run(&plant, 1, 5 * S);
    assert_near(plant.inputs[0].position, 0.25, 1e-9);
    run(&plant, 7, 60 * S);
    assert_near(plant.inputs[0].position, 1, 0);
    run(&plant, -3, 60 * S);
    assert_near(plant.inputs[0].position, 0, 0);
}

static void the_effect_lags(void **state) {
    (void)state;
    struct fb_plant_config config = oven;
    struct fb_plant plant;
    config.inputs[0].lag_s = 50;
    fb_plant_begin(&plant, &config, 1);
    run(&plant, 1, 50 * S);
    assert_near(plant.inputs[0].effect, 0.632, 0.005);
}

/* A room with a heater and a cooler: each has its own way, and what they do adds up. */
static void several_actuators_act_on_one_process(void **state) {
    (void)state;
    const struct fb_plant_config room = {
        .start = 20,
        .tau_s = 100,
        .outside = 20,
        .low = -1000,
        .high = 1000,
        .n_inputs = 2,
        .inputs = {{.gain = 80}, {.gain = -30, .dead_us = 60 * S, .travel_s = 20}}};
    struct fb_plant both, heater, cooler;
    fb_plant_begin(&both, &room, 1);
    fb_plant_begin(&heater, &room, 1);
    fb_plant_begin(&cooler, &room, 1);
    for (int i = 0; i < 240; i++) {
        fb_plant_step(&both, (const double[]){1, 0.5});
        fb_plant_step(&heater, (const double[]){1, 0});
        fb_plant_step(&cooler, (const double[]){0, 0.5});
        assert_near(both.value - 20, heater.value - 20 + cooler.value - 20, 1e-9);
        if (i < 120)
            assert_near(cooler.value, 20, 0);
    }
    assert_true(cooler.value < 20 && heater.value > 20);
    assert_near(both.inputs[1].position, 0.5, 1e-9);
    for (int i = 0; i < 4000; i++)
        fb_plant_step(&both, (const double[]){1, 0.5});
    assert_near(both.value, 20 + 80 - 15, 1e-6);
}

static void outside_swings_and_doors_open(void **state) {
    (void)state;
    struct fb_plant_config config = oven;
    struct fb_plant plant;
    config.tau_s = 1;
    config.swing = 5;
    config.swing_us = 400 * S;
    fb_plant_begin(&plant, &config, 1);
    run(&plant, 0, 200 * S);
    assert_near(plant.value, 25, 0.1);
    run(&plant, 0, 200 * S);
    assert_near(plant.value, 15, 0.1);

    config.swing_us = 0;
    config.shock = 10;
    config.shock_every_s = 600;
    fb_plant_begin(&plant, &config, 1);
    int64_t warm_us = 0;
    for (int i = 0; i < 200000; i++) {
        step(&plant, 0);
        warm_us += plant.value > 25 ? FB_PLANT_STEP_US : 0;
    }
    /* A share of 1 - exp(-60/600), about. */
    assert_near((double)warm_us / (200000.0 * FB_PLANT_STEP_US), 0.095, 0.02);
}

static void a_sensor_is_noisy_coarse_stuck_and_silent(void **state) {
    (void)state;
    struct fb_plant_config config = oven;
    struct fb_plant plant;
    config.noise = 2;
    fb_plant_begin(&plant, &config, 5);
    double sum = 0, squares = 0;
    for (int i = 0; i < 10000; i++) {
        const double error = fb_plant_sense(&plant).value - 20;
        sum += error;
        squares += error * error;
    }
    assert_near(sum / 10000, 0, 0.1);
    assert_near(squares / 10000, 4, 0.3);

    config.noise = 0;
    config.quantum = 0.25;
    config.start = 20.3;
    config.stuck = (struct fb_plant_span){10 * S, 20 * S};
    config.dead_sensor = (struct fb_plant_span){30 * S, 40 * S};
    fb_plant_begin(&plant, &config, 5);
    assert_near(fb_plant_sense(&plant).value, 20.25, 0);
    run(&plant, 1, 10 * S);
    assert_near(fb_plant_sense(&plant).value, 20.25, 0);
    run(&plant, 1, 10 * S);
    assert_true(fb_plant_sense(&plant).value > 25);
    run(&plant, 1, 10 * S - FB_PLANT_STEP_US);
    assert_true(fb_plant_sense(&plant).has_value);
    step(&plant, 1);
    assert_false(fb_plant_sense(&plant).has_value);
    run(&plant, 1, 10 * S);
    assert_true(fb_plant_sense(&plant).has_value);
}

static void one_seed_gives_one_course(void **state) {
    (void)state;
    struct fb_plant_config config = oven;
    config.noise = 1;
    config.shock = 3;
    config.shock_every_s = 60;
    config.bad_percent = 10;
    struct fb_plant a, b, c;
    fb_plant_begin(&a, &config, 9);
    fb_plant_begin(&b, &config, 9);
    fb_plant_begin(&c, &config, 10);
    int differ = 0;
    for (int i = 0; i < 1000; i++) {
        step(&a, i % 3 == 0);
        step(&b, i % 3 == 0);
        step(&c, i % 3 == 0);
        const struct fb_plant_telemetry x = fb_plant_sense(&a), y = fb_plant_sense(&b),
                                        z = fb_plant_sense(&c);
        assert_true(x.value == y.value && x.has_value == y.has_value);
        differ += x.value != z.value;
    }
    assert_true(differ > 900);
}

static uint32_t receive_all(struct fb_line *line, int64_t now_us, int64_t *last_sent_us) {
    struct fb_line_message message;
    uint32_t n = 0;
    for (; fb_line_receive(line, now_us, &message); n++) {
        assert_true(message.arrives_us <= now_us);
        if (line->in_order)
            assert_true(message.sent_us >= *last_sent_us);
        *last_sent_us = message.sent_us;
    }
    return n;
}

static void a_line_loses_and_delays(void **state) {
    (void)state;
    for (int in_order = 0; in_order <= 1; in_order++) {
        struct fb_line line = {.random = {3},
                               .lost_percent = 20,
                               .late_percent = 30,
                               .late_us = 40 * S,
                               .in_order = in_order};
        uint32_t arrived = 0;
        int64_t last_us = 0;
        for (int64_t i = 0; i < 2000; i++) {
            fb_line_send(&line, (struct fb_line_message){.sent_us = i * S});
            arrived += receive_all(&line, i * S, &last_us);
        }
        assert_true(line.n > 0);
        arrived += receive_all(&line, 3000 * S, &last_us);
        assert_near(arrived, 1600, 60);
    }
}

static void a_receiver_honours_order_expiry_and_lease(void **state) {
    (void)state;
    struct fb_receiver receiver = {.safe = 0};
    struct fb_line_message on = {.values = {1}, .seq = 4, .expires_us = 30 * S, .lease_us = 60 * S};
    fb_receiver_take(&receiver, &on, 30 * S); /* expired, yet it is the newest */
    assert_near(fb_receiver_value(&receiver, 30 * S), 0, 0);
    on.seq = 3;
    fb_receiver_take(&receiver, &on, 1 * S);
    assert_near(fb_receiver_value(&receiver, 1 * S), 0, 0);
    on.seq = 5;
    fb_receiver_take(&receiver, &on, 30 * S - 1);
    assert_near(fb_receiver_value(&receiver, 60 * S - 1), 1, 0);
    assert_near(fb_receiver_value(&receiver, 60 * S), 0, 0);
    fb_receiver_take(&receiver, &on, 20 * S);
    assert_int_equal(receiver.fenced, 2);
    assert_int_equal(receiver.expired, 1);
    assert_int_equal(receiver.lapsed, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_order_reaches_63_percent_after_tau),
        cmocka_unit_test(dead_time_is_exact),
        cmocka_unit_test(a_tank_integrates_and_runs_over),
        cmocka_unit_test(an_actuator_takes_its_time_and_has_limits),
        cmocka_unit_test(the_effect_lags),
        cmocka_unit_test(several_actuators_act_on_one_process),
        cmocka_unit_test(outside_swings_and_doors_open),
        cmocka_unit_test(a_sensor_is_noisy_coarse_stuck_and_silent),
        cmocka_unit_test(one_seed_gives_one_course),
        cmocka_unit_test(a_line_loses_and_delays),
        cmocka_unit_test(a_receiver_honours_order_expiry_and_lease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
