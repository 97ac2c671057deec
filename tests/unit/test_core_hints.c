/* What a core is told of the devices to come decides nothing: right, wrong and stale hints give the
 * outputs that none give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "engine/core/core.h"
#include "rules/compile.h"

enum { SECOND = 1000000, DEVICES = 50, RECORDS = 5000, ID_BYTES = 8 };

enum hints { NONE, RIGHT, WRONG, STALE };

struct run {
    struct fb_compiled compiled;
    struct fb_core *core;
    uint64_t hash, outputs;
};

static void put(void *context, const struct fb_output *output) {
    struct run *run = context;
    run->outputs++;
    run->hash = fb_hash64(output->device.p, output->device.n, run->hash);
    run->hash = fb_hash64(&output->at_us, sizeof output->at_us, run->hash);
    run->hash = fb_hash64(&output->event, sizeof output->event, run->hash);
}

/* Any order of devices, the same for each run. */
static int device_of(int record) {
    return record * 7919 % 104729 % DEVICES;
}

static struct fb_str id_of(int device, char id[ID_BYTES]) {
    int n = snprintf(id, ID_BYTES, "d%d", device);
    return (struct fb_str){id, (size_t)n};
}

/* ids: where records' keys stand in turn, as a client's memory is used again and again. */
static void hint(struct run *run, enum hints hints, int record, char ids[4][ID_BYTES]) {
    struct fb_str coming[2] = {{0}};
    if (hints == NONE)
        return;
    fb_core_expect(run->core, 0, id_of(device_of(record), ids[record % 4]));
    for (int i = 0; i < 2; i++)
        if (record % 11 != i) /* now and then there is none */
            coming[i] = id_of(device_of(record + 1 + i) + (hints == WRONG ? record % 3 : 0),
                              ids[(record + 1 + i) % 4]);
    fb_core_foresee(run->core, 0, coming);
    if (hints == STALE && record % 5 == 0) /* another id comes to where this one stood */
        id_of(device_of(record) + 1, ids[(record + 1) % 4]);
}

static void take(struct run *run, int record) {
    char id[ID_BYTES];
    const struct fb_sample sample = {.field = 1, .num = record * 31 % 17};
    const struct fb_entry entry = {.device = id_of(device_of(record), id),
                                   .ts_us = record * (int64_t)SECOND / 20,
                                   .samples = &sample,
                                   .n_samples = 1};
    assert_int_equal(fb_core_take(run->core, &entry, entry.ts_us), FB_TAKEN);
}

static struct run outputs_with(enum hints hints) {
    static const struct fb_core_config config = {.max_skew_us = 600 * (int64_t)SECOND};
    struct run run = {0};
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    char ids[4][ID_BYTES] = {{0}};
    fb_sources_add(sources, FB_S("test.rules"),
                   FB_S("device d from \"t\" { key k  time ts [s]  x : number }\n"
                        "event mean on d { whenever avg(x each 10s) > 8 }\n"
                        "alarm high on d { raise low when x > 12 until x < 3 }\n"));
    assert_true(fb_compile_sources(sources, diags, &run.compiled));
    run.core = fb_core_new(run.compiled.program, &config, put, &run);
    for (int record = 0; record < RECORDS; record++) {
        hint(&run, hints, record, ids);
        take(&run, record);
    }
    fb_core_free(run.core);
    fb_compiled_free(&run.compiled);
    fb_diags_free(diags);
    return run;
}

static void hints_decide_nothing(void **state) {
    (void)state;
    struct run none = outputs_with(NONE);
    assert_true(none.outputs > 1000);
    for (enum hints hints = RIGHT; hints <= STALE; hints++) {
        struct run run = outputs_with(hints);
        assert_int_equal(run.outputs, none.outputs);
        assert_true(run.hash == none.hash);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(hints_decide_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
