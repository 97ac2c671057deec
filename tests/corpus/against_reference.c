/* against_reference FILE..: the tests of rule files through the product and the reference
 * interpreter; what comes must be the same to the bit, shown values included.
 *
 * Place in the flow: beside `flyball test`, which says whether it is what the rule's text wants. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/calendar.h"
#include "engine/base/num.h"
#include "engine/run/rule_judge.h"
#include "engine/run/rule_series.h"
#include "rules/compile.h"
#include "tests/oracle/run_both.h"

#define MAX_SKEW_US (INT64_C(1) << 60) /* a series means its gaps */

static void put_shown(const struct fb_shown *shown, const struct fb_value *value,
                      struct fb_buf *out) {
    char text[FB_NUM_TEXT_MAX];
    fb_buf_printf(out, " %.*s=", FB_ARG(shown->name));
    if (value->quality != FB_Q_GOOD)
        fb_buf_text(out, fb_quality_name((enum fb_quality)value->quality));
    else if (shown->type == FB_T_TEXT)
        fb_buf_str(out, value->text);
    else if (shown->type == FB_T_NUMBER || shown->type == FB_T_COUNTER)
        fb_buf_put(out, text, fb_num_format(value->num, text));
    else
        fb_buf_printf(out, "%" PRId64, value->i);
}

static void put_acting(const struct fb_output *output, struct fb_buf *out) {
    bool command = output->kind == FB_OUT_COMMAND;
    fb_buf_printf(out, "%.*s%s %s %" PRIu64 " by %.*s at %u asked ", FB_ARG(output->actuator->name),
                  output->actuator->shadow ? " (shadow)" : "",
                  command         ? fb_command_reason_name(output->reason)
                  : output->ended ? "ended"
                                  : "blocked",
                  command ? output->seq : output->count,
                  FB_ARG(output->rule ? output->rule->name : FB_S("default")), output->priority);
    char text[FB_NUM_TEXT_MAX];
    fb_buf_put(out, text, fb_num_format(output->requested, text));
    fb_buf_text(out, command ? " applied " : fb_guard_name(output->guard));
    if (command)
        fb_buf_put(out, text, fb_num_format(output->value, text));
}

static void put_line(const struct fb_output *output, struct fb_buf *out) {
    fb_buf_printf(out, "%" PRId64 " %.*s ", output->at_us, FB_ARG(output->device));
    if (output->kind == FB_OUT_LATE) {
        fb_buf_text(out, "refused");
        return;
    }
    if (output->kind == FB_OUT_COMMAND || output->kind == FB_OUT_BLOCKED) {
        put_acting(output, out);
        return;
    }
    fb_buf_printf(out, "%.*s %d %s %" PRIu64 "%s", FB_ARG(output->rule->name),
                  output->kind == FB_OUT_ALERT ? (int)output->event : -1,
                  output->kind == FB_OUT_ALERT ? fb_severity_name(output->severity) : "event",
                  output->withheld, output->cause.timer ? " timer" : "");
    for (uint32_t i = 0; i < output->rule->n_shown; i++)
        put_shown(&output->rule->shown[i], &output->shown[i], out);
}

static struct fb_str line_at(const struct run_lines *lines, size_t i) {
    return i < lines->n ? lines->items[i] : FB_S("(nothing)");
}

struct totals {
    size_t tests, outputs, different;
};

static void run_test(const struct fb_compiled *compiled, const struct fb_checked_test *test,
                     struct totals *totals) {
    struct fb_arena *arena = fb_arena_new();
    struct fb_rule_series series;
    struct fb_err err;
    if (!fb_rule_series_make(compiled->program, &compiled->checked, test, arena, &series, &err)) {
        printf("%s\n", err.text);
        exit(EXIT_FAILURE);
    }
    struct run_entry *entries = FB_ARENA_ARRAY(arena, struct run_entry, series.n_entries + 1);
    int64_t clock_us = series.start_us;
    for (uint32_t i = 0; i < series.n_entries; i++) {
        if (series.entries[i].ts_us > clock_us)
            clock_us = series.entries[i].ts_us;
        entries[i] = (struct run_entry){.entry = series.entries[i], .clock_us = clock_us};
    }
    for (uint32_t i = 0; i < test->decl->n_steps; i++) {
        int64_t at_us = fb_rule_judge_at(&compiled->checked, &test->decl->steps[i]);
        if (at_us != FB_NO_TIME && series.start_us + at_us > clock_us)
            clock_us = series.start_us + at_us;
    }
    struct run_result result;
    run_compiled(compiled, entries, series.n_entries, clock_us, MAX_SKEW_US, put_line, &result);
    totals->tests++;
    totals->outputs += result.product.n;
    size_t at = result.first_difference;
    if (at != SIZE_MAX) {
        struct fb_str product = line_at(&result.product, at), oracle = line_at(&result.oracle, at);
        totals->different++;
        printf("\"%.*s\", output %zu:\n  product   %.*s\n  reference %.*s\n",
               FB_ARG(test->decl->title), at, FB_ARG(product), FB_ARG(oracle));
    }
    run_result_free(&result);
    fb_arena_free(arena);
}

/* Each file by itself: names repeat between them. */
static void run_file(const char *path, struct totals *totals) {
    struct fb_diags *diags = fb_diags_new();
    struct fb_compiled compiled;
    if (!fb_compile_all(&path, 1, diags, &compiled)) {
        printf("%s does not compile\n", path);
        exit(EXIT_FAILURE);
    }
    size_t before = totals->different;
    for (uint32_t i = 0; i < compiled.checked.n_tests; i++)
        run_test(&compiled, &compiled.checked.tests[i], totals);
    if (totals->different > before)
        printf("in %s\n", path);
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
}

int main(int argc, char **argv) {
    struct totals totals = {0};
    for (int i = 1; i < argc; i++)
        run_file(argv[i], &totals);
    printf("%zu tests, %zu outputs, %zu tests differ\n", totals.tests, totals.outputs,
           totals.different);
    return totals.outputs && !totals.different ? EXIT_SUCCESS : EXIT_FAILURE;
}
