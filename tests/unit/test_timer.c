/* Timers: devices come when they are due, in the order in which they come, then of id and class. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/core/timer.h"

enum { DEVICES = 300 };

struct fixture {
    struct fb_class class_;
    struct fb_class_plan plans[2];
    char fresh[1];
    struct fb_devices *devices;
    struct fb_timers *timers;
};

static void begin(struct fixture *f) {
    *f = (struct fixture){.devices = fb_devices_new()};
    for (uint16_t i = 0; i < 2; i++)
        f->plans[i] = (struct fb_class_plan){.class_ = &f->class_,
                                             .class_index = i,
                                             .block_at = sizeof(struct fb_device),
                                             .service_at = sizeof(struct fb_device),
                                             .fresh_block = f->fresh};
    f->timers = fb_timers_new(f->devices);
    fb_timers_reserve(f->timers, DEVICES);
}

static void end(struct fixture *f) {
    fb_timers_free(f->timers);
    fb_devices_free(f->devices);
}

static struct fb_device *add(struct fixture *f, uint16_t class_index, struct fb_str id) {
    struct fb_device *device = fb_devices_register(f->devices, &f->plans[class_index],
                                                   fb_device_hash(class_index, id), id);
    device->watermark_us = device->clock_at_us = 0;
    return device;
}

static void push(struct fixture *f, struct fb_device *device, int64_t came_us) {
    fb_due_push(f->timers, device, came_us);
}

static void what_is_due_comes_by_the_clock_then_id_then_class(void **state) {
    (void)state;
    static const struct fb_str ids[] = {
        FB_S("a"),
        FB_S("a\0"), /* zeros at the end are no padding */
        FB_S("ab"),
        FB_S("plant-1/line-42/"),
        FB_S("plant-1/line-42/motor-1"),
        FB_S("plant-1/line-42/motor-10"),
        FB_S("plant-1/line-42/motor-2"),
        FB_S("plant-2"),
        FB_S("\xC3\xA4"), /* bytes, not letters: after all of ASCII */
    };
    enum { IDS = sizeof ids / sizeof *ids };
    struct fixture f;
    begin(&f);
    for (int i = 0; i < IDS; i++) { /* in an order of no meaning */
        push(&f, add(&f, 1, ids[i * 4 % IDS]), 20);
        push(&f, add(&f, 0, ids[i * 7 % IDS]), 20);
    }
    push(&f, add(&f, 0, FB_S("zz")), 10);
    assert_true(fb_str_eq(fb_device_id(fb_due_pop(f.timers)), FB_S("zz")));
    for (int i = 0; i < IDS; i++)
        for (uint16_t class_index = 0; class_index < 2; class_index++) {
            struct fb_device *device = fb_due_pop(f.timers);
            assert_non_null(device);
            assert_true(fb_str_eq(fb_device_id(device), ids[i]));
            assert_int_equal(device->plan->class_index, class_index);
        }
    assert_null(fb_due_pop(f.timers));
    end(&f);
}

static void devices_come_when_the_clock_has_passed_their_deadline(void **state) {
    (void)state;
    struct fixture f;
    begin(&f);
    struct fb_device *devices[DEVICES];
    for (int i = 0; i < DEVICES; i++) {
        char id[16];
        int n = snprintf(id, sizeof id, "d%d", i);
        devices[i] = add(&f, 0, (struct fb_str){id, (size_t)n});
        devices[i]->deadline_us = 1000 + i * 7919 % DEVICES;
        fb_timers_schedule(f.timers, devices[i]);
    }
    for (int i = 0; i < DEVICES; i += 3) /* sooner; a later deadline leaves the place early */
        for (int step = 0; step < 2; step++) {
            devices[i]->deadline_us += step ? 500 : -900;
            fb_timers_schedule(f.timers, devices[i]);
        }
    for (int i = 0; i < DEVICES; i += 5)
        fb_timers_remove(f.timers, devices[i]);
    int64_t at_us = 0;
    for (int left = DEVICES - DEVICES / 5; left > 0; left--) {
        assert_true(fb_timers_next(f.timers) >= at_us);
        at_us = fb_timers_next(f.timers);
        assert_null(fb_timers_pop(f.timers, at_us - 1));
        struct fb_device *device = fb_timers_pop(f.timers, at_us);
        assert_non_null(device);
        assert_int_equal(device->scheduled_us, FB_NEVER);
        assert_int_not_equal(device->number % 5, 0);
        bool moved = device->number % 3 == 0;
        assert_int_equal(at_us, device->deadline_us + 1 - (moved ? 500 : 0));
    }
    assert_int_equal(fb_timers_next(f.timers), FB_NEVER);
    end(&f);
}

static void gather(void *context, struct fb_device *device) {
    assert_int_equal(device->scheduled_us, FB_NEVER);
    ((bool *)context)[device->number] = true;
}

static void many_are_taken_out_at_once_and_the_rest_stay(void **state) {
    (void)state;
    struct fixture f;
    begin(&f);
    for (int i = 0; i < DEVICES; i++) {
        char id[16];
        int n = snprintf(id, sizeof id, "d%d", i);
        struct fb_device *device = add(&f, 0, (struct fb_str){id, (size_t)n});
        device->deadline_us = i * 7919 % DEVICES;
        fb_timers_schedule(f.timers, device);
    }
    assert_false(fb_timers_many(f.timers, 10));
    assert_true(fb_timers_many(f.timers, DEVICES / 2));
    bool taken[DEVICES] = {false};
    fb_timers_take_out(f.timers, DEVICES / 2, gather, taken);
    for (int i = 0; i < DEVICES; i++)
        assert_int_equal(taken[i], i * 7919 % DEVICES < DEVICES / 2);
    for (int at = DEVICES / 2; at < DEVICES; at++) {
        struct fb_device *device = fb_timers_pop(f.timers, DEVICES);
        assert_non_null(device);
        assert_int_equal(device->deadline_us, at);
    }
    assert_null(fb_timers_pop(f.timers, FB_NEVER - 1));
    end(&f);
}

/* In order, out of order, with some pushed again while others wait, as after a gap. */
static void the_order_is_the_same_however_they_come(void **state) {
    (void)state;
    for (int stray = -1; stray < DEVICES; stray += 37) {
        struct fixture f;
        begin(&f);
        struct fb_device *devices[DEVICES];
        for (int i = 0; i < DEVICES; i++) {
            char id[16];
            int n = snprintf(id, sizeof id, "d%03d", i);
            devices[i] = add(&f, 0, (struct fb_str){id, (size_t)n});
            push(&f, devices[i], 10);
        }
        for (int round = 1; round < 4; round++)
            for (int i = 0; i < DEVICES; i++) {
                struct fb_device *device = fb_due_pop(f.timers);
                assert_ptr_equal(device, devices[i]);
                if (i == stray && round == 2) { /* comes back before all others */
                    push(&f, device, 11);
                    assert_ptr_equal(fb_due_pop(f.timers), device);
                }
                push(&f, device, round * 10 + 10);
            }
        end(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_comes_by_the_clock_then_id_then_class),
        cmocka_unit_test(devices_come_when_the_clock_has_passed_their_deadline),
        cmocka_unit_test(many_are_taken_out_at_once_and_the_rest_stay),
        cmocka_unit_test(the_order_is_the_same_however_they_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
