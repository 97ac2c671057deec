/* The code that conditions become, instruction by instruction. */
#include "rules/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "rules/listing.h"

#define PUMP                                                                                       \
    "device pump from \"telemetry.pumps\" {\n"                                                     \
    "  key pump\n  time ts [ms]\n  tag site\n"                                                     \
    "  load : number [%] range 0..100, every 1s\n"                                                 \
    "  temp : number [degC] stale after 10s, null -127, from \"data.t\" or \"t\"\n"                \
    "  oil : number [degF]\n"                                                                      \
    "  power : number [kW]\n"                                                                      \
    "  running : bool\n"                                                                           \
    "  mode : one of (off, auto, hand)\n"                                                          \
    "  starts : integer\n"                                                                         \
    "  bytes : counter [B]\n"                                                                      \
    "  seen : time\n"                                                                              \
    "  name : text\n"                                                                              \
    "  late up to 30s\n"                                                                           \
    "}\n"

/* A program made of PUMP and more statements. */
struct made {
    struct fb_diags *diags;
    struct fb_compiled compiled;
    const struct fb_class *pump;
    struct fb_buf text;
};

static void make(struct made *made, const char *rules) {
    *made = (struct made){.diags = fb_diags_new()};
    struct fb_sources *sources = fb_sources_new();
    struct fb_buf source = {0};
    fb_buf_text(&source, PUMP);
    fb_buf_text(&source, rules);
    fb_sources_add(sources, FB_S("test.rules"), (struct fb_str){source.p, source.n});
    fb_buf_free(&source);
    if (!fb_compile_sources(sources, made->diags, &made->compiled)) {
        fb_diags_print(made->diags, sources, false, &made->text);
        print_error("%s\n", fb_buf_terminated(&made->text));
        fail_msg("the rules do not compile");
    }
    made->pump = fb_program_class(made->compiled.program, FB_S("pump"));
}

static void unmake(struct made *made) {
    fb_buf_free(&made->text);
    fb_compiled_free(&made->compiled);
    fb_diags_free(made->diags);
}

static const char *code_text(struct made *made, struct fb_code code) {
    made->text.n = 0;
    fb_listing_code(made->pump, code, 0, &made->text);
    return fb_buf_terminated(&made->text);
}

/* The code of the only condition of `alarm a on pump { raise high when CONDITION }`. */
static void assert_code(const char *condition, const char *code) {
    struct made made;
    struct fb_buf rules = {0};
    fb_buf_printf(&rules, "alarm a on pump { raise high when %s }", condition);
    make(&made, fb_buf_terminated(&rules));
    fb_buf_free(&rules);
    assert_string_equal(code_text(&made, made.pump->conditions[0].code), code);
    unmake(&made);
}

/* ---- comparisons and units ----------------------------------------------------------------- */

static void a_limit_is_a_comparison_with_a_constant(void **state) {
    (void)state;
    assert_code("load > 80 %", "r0   field_cmp load > 80\n");
}

static void a_literal_is_converted_at_compile_time(void **state) {
    (void)state;
    assert_code("oil > 80 degC", "r0   field_cmp oil > 176\n");
    assert_code("500 W < power", "r0   field_cmp power > 0.5\n");
}

static void a_right_side_is_converted_to_the_left_ones_unit(void **state) {
    (void)state;
    assert_code("temp > oil", "r0   field temp\n"
                              "r1   field oil\n"
                              "r2   convert r1 0.5555555555555556 + -17.77777777777778\n"
                              "r3   cmp_number r0 > r2\n");
}

static void a_sum_of_a_temperature_and_a_difference_converts_the_difference(void **state) {
    (void)state;
    assert_code("oil > temp + 5 K", "r0   field oil\n"
                                    "r1   field temp\n"
                                    "r2   number 5\n"
                                    "r3   add r1 r2\n"
                                    "r4   convert r3 1.8 + 32\n"
                                    "r5   cmp_number r0 > r4\n");
    assert_code("temp - oil > 3 K", "r0   field temp\n"
                                    "r1   field oil\n"
                                    "r2   convert r1 0.5555555555555556 + -17.77777777777778\n"
                                    "r3   sub r0 r2\n"
                                    "r4   number 3\n"
                                    "r5   cmp_number r3 > r4\n");
}

static void constants_are_computed_at_compile_time(void **state) {
    (void)state;
    assert_code("load > 100 % - 2 * 5 %", "r0   field_cmp load > 90\n");
}

static void integers_and_words_are_compared_as_integers(void **state) {
    (void)state;
    assert_code("starts >= 5 and mode != hand", "r0   field starts\n"
                                                "r1   int 5\n"
                                                "r2   cmp_int r0 >= r1\n"
                                                "r3   field mode\n"
                                                "r4   int 2\n"
                                                "r5   cmp_int r3 != r4\n"
                                                "r6   and r2 r5\n");
    assert_code("starts > 2.5", "r0   field starts\n"
                                "r1   int_to_number r0\n"
                                "r2   number 2.5\n"
                                "r3   cmp_number r1 > r2\n");
}

static void texts_are_compared_and_matched(void **state) {
    (void)state;
    assert_code("site == \"north\" or name matches \"^p\"", "r0   field site\n"
                                                            "r1   text \"north\"\n"
                                                            "r2   cmp_text r0 == r1\n"
                                                            "r3   field name\n"
                                                            "r4   matches r3 \"^p\"\n"
                                                            "r5   or r2 r4\n");
}

static void a_range_includes_both_ends(void **state) {
    (void)state;
    assert_code("temp not in 10 degC..20 degC", "r0   field_cmp temp >= 10\n"
                                                "r1   field_cmp temp <= 20\n"
                                                "r2   and r0 r1\n"
                                                "r3   not r2\n");
}

static void quality_is_a_set(void **state) {
    (void)state;
    assert_code("temp is unknown", "r0   quality never_seen|bad|stale temp\n");
    assert_code("temp is not good", "r0   quality never_seen|bad|stale temp\n");
    assert_code("temp is not bad", "r0   quality never_seen|good|stale temp\n");
    assert_code("temp + 1 K is good", "r0   field temp\n"
                                      "r1   number 1\n"
                                      "r2   add r0 r1\n"
                                      "r3   known r2\n");
}

static void percent_of_multiplies_first(void **state) {
    (void)state;
    assert_code("load > 70 % of load", "r0   field load\n"
                                       "r1   number 70\n"
                                       "r2   mul r0 r1\n"
                                       "r3   number 100\n"
                                       "r4   div r2 r3\n"
                                       "r5   cmp_number r0 > r4\n");
}

static void equal_instructions_are_written_once(void **state) {
    (void)state;
    assert_code("load > 80 % and load < 90 % or load > 80 %", "r0   field_cmp load > 80\n"
                                                              "r1   field_cmp load < 90\n"
                                                              "r2   and r0 r1\n"
                                                              "r3   or r2 r0\n");
}

static void votes_stand_side_by_side(void **state) {
    (void)state;
    assert_code("2 of (running, silent, running)", "r0   field running\n"
                                                   "r1   silent every\n"
                                                   "r2   and r0 r0\n"
                                                   "r3   and r1 r1\n"
                                                   "r4   and r0 r0\n"
                                                   "r5   vote r2..r4 at least 2\n");
}

/* ---- time ---------------------------------------------------------------------------------- */

static void delays_and_latches_have_cells(void **state) {
    (void)state;
    struct made made;
    make(&made, "alarm a on pump { raise high when load > 80 % for 30s until load < 70 % for 1m }");
    const struct fb_condition *condition = &made.pump->conditions[0];
    const struct fb_instr *code = &made.pump->code[condition->code.first];
    assert_int_equal(condition->code.count, 5);
    assert_int_equal(code[1].op, FB_I_FOR_CONST);
    assert_int_equal(code[3].op, FB_I_FOR_CONST);
    assert_int_equal(code[4].op, FB_I_UNTIL);
    assert_int_equal(code[4].a, 1);
    assert_int_equal(code[4].b, 3);
    assert_true(code[1].imm + sizeof(struct fb_for_cell) <= code[3].imm);
    assert_true(code[3].imm + sizeof(struct fb_for_cell) <= code[4].imm);
    assert_int_equal(code[1].imm % 8, 0);
    assert_int_equal(made.pump->ints[code[1].b], 30000000);
    assert_false(condition->every_record);
    unmake(&made);
}

static void age_and_elapsed_are_comparisons_of_their_own(void **state) {
    (void)state;
    assert_code("age(temp) > 5m", "r0   number 300\n"
                                  "r1   age temp > r0\n");
    assert_code("5m < age()", "r0   number 300\n"
                              "r1   age every > r0\n");
}

static void elapsed_turns_where_it_stands_right(void **state) {
    (void)state;
    struct made made;
    make(&made, "alarm a on pump { raise high when 2h <= elapsed(running) }");
    const struct fb_condition *condition = &made.pump->conditions[0];
    const struct fb_instr *last = &made.pump->code[condition->code.first + condition->code.result];
    assert_int_equal(last->op, FB_I_ELAPSED);
    assert_int_equal(last->sub, FB_CMP_GE);
    unmake(&made);
}

static void silence_reads_every_record_twice(void **state) {
    (void)state;
    struct made made;
    make(&made, "alarm a on pump { raise high when silent for 5m }"
                "alarm b on pump { raise high when age() > 5m }");
    assert_true(made.pump->conditions[0].every_record);
    assert_true(made.pump->conditions[0].twice);
    assert_true(made.pump->conditions[1].every_record);
    assert_false(made.pump->conditions[1].twice);
    unmake(&made);
}

/* ---- lets, params, where ------------------------------------------------------------------- */

static void a_param_takes_its_first_true_case(void **state) {
    (void)state;
    struct made made;
    make(&made, "param limit on pump [degC] = 80, 70 where site == \"north\", 60 where running "
                "alarm a on pump { raise high when oil > limit }");
    assert_string_equal(code_text(&made, made.pump->conditions[0].code),
                        "r0   field oil\n"
                        "r1   number 176\n"
                        "r2   field running\n"
                        "r3   number 140\n"
                        "r4   select r2 r3 r1\n"
                        "r5   field site\n"
                        "r6   text \"north\"\n"
                        "r7   cmp_text r5 == r6\n"
                        "r8   number 158\n"
                        "r9   select r7 r8 r4\n"
                        "r10  cmp_number r0 > r9\n");
    assert_true(fb_field_set_has(&made.pump->conditions[0].reads, made.pump->tags[0]));
    unmake(&made);
}

static void a_let_with_a_unit_is_converted_to_it(void **state) {
    (void)state;
    struct made made;
    make(&made, "device pump { let watts [W] = power } "
                "alarm a on pump { raise high when watts > 500 W }");
    assert_string_equal(code_text(&made, made.pump->conditions[0].code),
                        "r0   field power\n"
                        "r1   convert r0 1000 + 0\n"
                        "r2   number 500\n"
                        "r3   cmp_number r1 > r2\n");
    unmake(&made);
}

static void where_goes_into_both_sides(void **state) {
    (void)state;
    struct made made;
    make(&made, "alarm a on pump where running { raise high when load > 80 % until load < 70 % }");
    assert_string_equal(code_text(&made, made.pump->conditions[0].code),
                        "r0   field_cmp load > 80\n"
                        "r1   field running\n"
                        "r2   and r1 r0\n"
                        "r3   field_cmp load < 70\n"
                        "r4   not r1\n"
                        "r5   or r4 r3\n"
                        "r6   until r2 r5 @288\n");
    unmake(&made);
}

/* ---- deadband ------------------------------------------------------------------------------ */

static void assert_released_by(const char *condition, const char *code) {
    struct made made;
    struct fb_buf rules = {0};
    fb_buf_printf(&rules, "alarm a on pump { raise high when %s deadband 5 %% }", condition);
    make(&made, fb_buf_terminated(&rules));
    fb_buf_free(&rules);
    const char *text = code_text(&made, made.pump->conditions[0].code);
    if (!strstr(text, code))
        fail_msg("%s\nhas not\n%s", text, code);
    unmake(&made);
}

static void a_deadband_moves_a_limit_so_that_it_holds_longer(void **state) {
    (void)state;
    assert_released_by("load > 80 %", "field_cmp load > 75\nr2   not r1\n");
    assert_released_by("load <= 20 %", "field_cmp load <= 25\nr2   not r1\n");
    assert_released_by("not load > 80 %", "field_cmp load > 85\n");
    assert_released_by("80 % < load", "field_cmp load > 75\n");
    assert_released_by("load > load * 2", "number 5\nr5   sub r2 r4\n");
    assert_released_by("load in 20 %..80 %", "field_cmp load >= 15\n");
    assert_released_by("load in 20 %..80 %", "field_cmp load <= 85\n");
    assert_released_by("load not in 20 %..80 %", "field_cmp load >= 25\n");
    assert_released_by("load not in 20 %..80 %", "field_cmp load <= 75\n");
}

static void a_deadband_leaves_other_dimensions_alone(void **state) {
    (void)state;
    struct made made;
    make(&made, "alarm a on pump { raise high when load > 80 % and power > 3 kW "
                "raise low when power > 2 kW deadband 5 % }");
    assert_string_equal(code_text(&made, made.pump->conditions[1].code),
                        "r0   field_cmp power > 2\n");
    const char *text = code_text(&made, made.pump->conditions[0].code);
    assert_non_null(strstr(text, "field_cmp load > 75"));
    assert_null(strstr(text, "2.85"));
    unmake(&made);
}

static void the_copy_for_a_deadband_has_no_delays(void **state) {
    (void)state;
    struct made made;
    make(&made, "alarm a on pump { raise high when (load > 80 % for 10s) or running for 30s "
                "deadband 5 % }");
    const struct fb_condition *condition = &made.pump->conditions[0];
    uint32_t delays = 0;
    for (uint32_t i = 0; i < condition->code.count; i++)
        delays += made.pump->code[condition->code.first + i].op == FB_I_FOR_CONST;
    assert_int_equal(delays, 2);
    unmake(&made);
}

/* ---- windows ------------------------------------------------------------------------------- */

static void a_field_with_a_period_has_a_ring(void **state) {
    (void)state;
    struct made made;
    make(&made, "alarm a on pump { raise high when avg(load over 128s) > 80 % "
                "raise low when avg(load over 129s) > 70 % "
                "raise info when avg(temp over 1m) > 50 degC }");
    assert_int_equal(made.pump->n_windows, 3);
    assert_int_equal(made.pump->windows[0].shape, FB_SHAPE_RING);
    assert_int_equal(made.pump->windows[0].places, 257);
    assert_int_equal(made.pump->windows[1].shape, FB_SHAPE_PANES);
    assert_int_equal(made.pump->windows[2].shape, FB_SHAPE_PANES);
    assert_int_equal(made.pump->windows[2].pane_us, 1000000);
    assert_int_equal(made.pump->windows[0].late_us, 30000000);
    unmake(&made);
}

static void an_expression_has_a_ring_where_all_its_fields_have_a_period(void **state) {
    (void)state;
    struct made made;
    make(&made, "device box from \"boxes\" { key box time ts a : number every 2s b : number every "
                "3s c : number } "
                "alarm x on box { raise high when avg(a - b over 10s) > 3 "
                "raise low when avg(a - c over 10s) > 3 }");
    const struct fb_class *box = fb_program_class(made.compiled.program, FB_S("box"));
    assert_int_equal(box->windows[0].shape, FB_SHAPE_RING);
    assert_int_equal(box->windows[0].places, 11);
    assert_int_equal(box->windows[0].input, FB_INPUT_CODE);
    assert_int_equal(box->windows[1].shape, FB_SHAPE_PANES);
    unmake(&made);
}

static void windows_of_one_content_are_one_cell(void **state) {
    (void)state;
    struct made made;
    make(&made, "device pump { let l = load } "
                "alarm a on pump { raise high when avg(load over 1m) > 80 % "
                "raise low when max(l over 60s) > 70 % "
                "raise info when avg(load where running over 1m) > 1 % } "
                "alarm b on pump { raise info when min(load where running over 1m) > 1 % }");
    assert_int_equal(made.pump->n_windows, 2);
    assert_int_equal(made.pump->windows[0].aggregates, 1u << FB_AGG_AVG | 1u << FB_AGG_MAX);
    assert_int_equal(made.pump->windows[1].aggregates, 1u << FB_AGG_AVG | 1u << FB_AGG_MIN);
    assert_true(made.pump->windows[0].offset + made.pump->windows[0].bytes <=
                made.pump->windows[1].offset);
    unmake(&made);
}

static void where_of_an_argument_leaves_samples_out(void **state) {
    (void)state;
    struct made made;
    make(&made, "alarm a on pump { raise high when avg(load where running over 1m) > 80 % }");
    assert_string_equal(code_text(&made, made.pump->windows[0].sample), "r0   field load\n"
                                                                        "r1   field running\n"
                                                                        "r2   unknown\n"
                                                                        "r3   if r1 r0 r2\n");
    unmake(&made);
}

static void previous_is_unknown_while_its_argument_is(void **state) {
    (void)state;
    assert_code("change(load) > 5 %", "r0   window change needs 0.8 w0\n"
                                      "r1   field load\n"
                                      "r2   known r1\n"
                                      "r3   unknown\n"
                                      "r4   if r2 r0 r3\n"
                                      "r5   number 5\n"
                                      "r6   cmp_number r4 > r5\n");
}

static void needs_is_a_share(void **state) {
    (void)state;
    assert_code("avg(load over 1m, needs 50 %) > 5 %", "r0   window_cmp avg w0 needs 0.5 > 5\n");
}

static void a_field_read_only_in_each_windows_is_not_read(void **state) {
    (void)state;
    struct made made;
    make(&made, "alarm a on pump { raise high when avg(load each 15m) > 80 % and temp > 3 degC } "
                "event e on pump { whenever max(load each 15m) > 80 % and temp > 3 degC }");
    const struct fb_condition *condition = &made.pump->conditions[0];
    uint32_t load = 2, temp = 3;
    assert_string_equal(made.pump->fields[load].name.p, "load");
    assert_false(fb_field_set_has(&condition->reads, load));
    assert_true(fb_field_set_has(&condition->reads, temp));
    const struct fb_rule *event = &made.compiled.program->rules[1];
    assert_false(fb_field_set_has(&event->whenever_reads, load));
    assert_true(fb_field_set_has(&event->whenever_reads, temp));
    assert_int_equal(event->n_whenever_each, 1);
    unmake(&made);
}

static void count_of_records_reads_every_record(void **state) {
    (void)state;
    struct made made;
    make(&made, "alarm a on pump { raise high when count(over 1m) > 100 }");
    assert_int_equal(made.pump->windows[0].input, FB_INPUT_RECORDS);
    assert_int_equal(made.pump->windows[0].shape, FB_SHAPE_PANES);
    assert_true(made.pump->conditions[0].every_record);
    unmake(&made);
}

/* ---- classes and rules --------------------------------------------------------------------- */

static void a_class_carries_what_the_decoder_needs(void **state) {
    (void)state;
    struct made made;
    make(&made, "");
    const struct fb_class *pump = made.pump;
    assert_int_equal(pump->n_keys, 1);
    assert_int_equal(pump->time_unit, FB_TIME_MS);
    assert_string_equal(pump->time_path.p, "ts");
    assert_string_equal(pump->topics[0].p, "telemetry.pumps");
    assert_int_equal(pump->late_us, 30000000);
    const struct fb_field *load = &pump->fields[2], *temp = &pump->fields[3];
    assert_int_equal(load->every_us, 1000000);
    assert_int_equal(load->stale_us, 3000000);
    assert_true(load->has_range);
    assert_int_equal(load->range_high, 100);
    assert_int_equal(temp->n_paths, 2);
    assert_string_equal(temp->paths[0].p, "data.t");
    assert_true(temp->has_null);
    assert_int_equal(temp->null_value.num, -127);
    assert_int_equal(pump->fields[7].n_words, 3);
    unmake(&made);
}

static void what_conditions_name_is_shown_in_byte_order(void **state) {
    (void)state;
    struct made made;
    make(&made, "device pump { let hot = temp > 80 degC and site == \"x\" } "
                "param most on pump [%] = 80, 70 where running "
                "alarm a on pump { raise high when hot and avg(load over 1m) > most }");
    const struct fb_rule *rule = &made.compiled.program->rules[0];
    assert_int_equal(rule->n_shown, 3);
    assert_string_equal(rule->shown[0].name.p, "hot");
    assert_false(rule->shown[0].is_field);
    assert_string_equal(rule->shown[1].name.p, "load");
    assert_string_equal(rule->shown[1].unit.p, "%");
    assert_string_equal(rule->shown[2].name.p, "temp");
    unmake(&made);
}

static void a_shown_delay_looks_at_its_first_condition(void **state) {
    (void)state;
    struct made made;
    make(&made, "device pump { let hot = (temp > 80 degC for 1m) } "
                "alarm a on pump { raise high when running and hot raise low when hot "
                "message \"{hot}\" }");
    const struct fb_rule *rule = &made.compiled.program->rules[0];
    const struct fb_code *first = &made.pump->conditions[0].code;
    uint32_t cell = UINT32_MAX;
    for (uint32_t i = 0; i < first->count; i++)
        if (made.pump->code[first->first + i].op == FB_I_FOR_CONST)
            cell = made.pump->code[first->first + i].imm;
    const struct fb_instr *shown = &made.pump->code[rule->shown[0].code.first];
    const struct fb_instr *slot = &made.pump->code[rule->slots[0].code.first];
    assert_int_equal(shown->op, FB_I_FOR_PEEK);
    assert_int_equal(shown->imm, cell);
    assert_int_equal(slot->op, FB_I_FOR_PEEK);
    assert_int_equal(slot->imm, cell);
    unmake(&made);
}

static void every_condition_has_a_delay_of_its_own(void **state) {
    (void)state;
    struct made made;
    make(&made, "device pump { let hot = (temp > 80 degC for 1m) } "
                "alarm a on pump { raise high when hot raise low when hot }");
    const struct fb_class *pump = made.pump;
    uint32_t cells[2];
    for (int i = 0; i < 2; i++) {
        struct fb_code code = pump->conditions[i].code;
        assert_int_equal(pump->code[code.first + code.result].op, FB_I_FOR_CONST);
        cells[i] = pump->code[code.first + code.result].imm;
    }
    assert_int_not_equal(cells[0], cells[1]);
    unmake(&made);
}

static void messages_are_parts(void **state) {
    (void)state;
    struct made made;
    make(&made, "alarm a on pump { raise high when running "
                "message \"{device} at {temp:.1f}: {severity}\" response \"look\" "
                "label team = \"ops\" }");
    const struct fb_rule *rule = &made.compiled.program->rules[0];
    assert_int_equal(rule->message.n_parts, 5);
    assert_int_equal(rule->message.parts[0].kind, FB_PART_DEVICE);
    assert_string_equal(rule->message.parts[1].literal.p, " at ");
    assert_int_equal(rule->message.parts[2].kind, FB_PART_SLOT);
    assert_int_equal(rule->message.parts[4].kind, FB_PART_SEVERITY);
    assert_int_equal(rule->slots[0].decimals, 1);
    assert_string_equal(rule->slots[0].unit.p, "degC");
    assert_int_equal(rule->response.n_parts, 1);
    assert_string_equal(rule->labels[0].value.p, "ops");
    unmake(&made);
}

/* ---- versions ------------------------------------------------------------------------------ */

static void version(const char *rules, char out[13]) {
    struct made made;
    make(&made, rules);
    memcpy(out, made.compiled.program->rules[0].version, 13);
    unmake(&made);
}

static void a_version_follows_the_meaning_not_the_layout(void **state) {
    (void)state;
    char one[13], same[13], other[13], param[13], first[13], second[13];
    version("param m [%] = 80 alarm a on pump { raise high when load > m }", one);
    version("param m [%] = 80 # most\nalarm a on pump {\n  raise high when load > m\n}\n"
            "alarm b on pump { raise low when running }",
            same);
    version("param m [%] = 80 alarm a on pump { raise high when load >= m }", other);
    version("param m [%] = 81 alarm a on pump { raise high when load > m }", param);
    assert_int_equal(strlen(one), 12);
    assert_string_equal(one, same);
    assert_string_not_equal(one, other);
    assert_string_not_equal(one, param);
    version("alarm a on pump { raise high when load > 80 % deadband 5 % clear after 1m }", first);
    version("alarm a on pump { clear after 1m deadband 5 % raise high when load > 80 % }", second);
    assert_string_equal(first, second);
}

/* ---- bounds -------------------------------------------------------------------------------- */

static void assert_refused(const char *rules, enum fb_diag_code code) {
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    struct fb_compiled compiled;
    fb_sources_add(sources, FB_S("test.rules"), fb_str_of(rules));
    assert_false(fb_compile_sources(sources, diags, &compiled));
    assert_null(compiled.program);
    assert_int_equal(diags->errors, 1);
    bool found = false;
    for (uint32_t i = 0; i < diags->n; i++)
        found = found || diags->items[i].code == code;
    assert_true(found);
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
}

static void too_long_a_condition_is_refused(void **state) {
    (void)state;
    struct fb_buf rules = {0};
    fb_buf_text(&rules, PUMP "alarm a on pump { raise high when load in (1 %");
    for (int i = 2; i < 600; i++)
        fb_buf_printf(&rules, ", %d.5 %%", i);
    fb_buf_text(&rules, ") }");
    assert_refused(fb_buf_terminated(&rules), FB_E_CODE_TOO_LONG);
    fb_buf_free(&rules);
}

static void too_large_a_device_is_refused(void **state) {
    (void)state;
    struct fb_buf rules = {0};
    fb_buf_text(&rules, PUMP);
    for (int i = 0; i < 40; i++)
        fb_buf_printf(&rules, "alarm a%d on pump { raise high when avg(load over %ds) > 5 %% }\n",
                      i, 80 + i);
    assert_refused(fb_buf_terminated(&rules), FB_E_BLOCK_TOO_LARGE);
    fb_buf_free(&rules);
}

static void too_long_a_window_is_refused(void **state) {
    (void)state;
    assert_refused(PUMP "alarm a on pump { raise high when avg(load over 65d) > 1 % }",
                   FB_E_WINDOW_TOO_LONG);
}

static void too_many_fields_are_refused(void **state) {
    (void)state;
    struct fb_buf rules = {0};
    fb_buf_text(&rules, "device box from \"boxes\" { key box time ts\n");
    for (int i = 0; i < FB_FIELDS_MAX; i++)
        fb_buf_printf(&rules, "f%d : number\n", i);
    fb_buf_printf(&rules, "}\nalarm a on box { raise high when f%d > 1 }", FB_FIELDS_MAX - 1);
    assert_refused(fb_buf_terminated(&rules), FB_E_TOO_MANY_FIELDS);
    fb_buf_free(&rules);
}

static void lets_of_lets_are_lowered_once(void **state) {
    (void)state;
    struct made made;
    struct fb_buf rules = {0};
    fb_buf_text(&rules, "device pump { let l0 = power + 1 kW\n");
    for (int i = 1; i < 60; i++)
        fb_buf_printf(&rules, "let l%d = l%d + l%d\n", i, i - 1, i - 1);
    fb_buf_text(&rules, "}\nalarm a on pump { raise high when l59 > 1 kW message \"{l59}\" }");
    make(&made, fb_buf_terminated(&rules));
    assert_int_equal(made.pump->conditions[0].code.count, 3 + 59 + 1);
    assert_int_equal(made.compiled.program->rules[0].n_shown, 61);
    fb_buf_free(&rules);
    unmake(&made);
}

static void a_delay_that_nothing_keeps_is_refused(void **state) {
    (void)state;
    assert_refused(PUMP "device pump { let hot = (temp > 80 degC for 1m) }\n"
                        "alarm a on pump { raise high when running message \"{hot}\" }",
                   FB_E_NO_STATE_TO_SHOW);
    assert_refused(PUMP "device pump { let hot = (temp > 80 degC for 1m) }\n"
                        "alarm a on pump { raise high when running "
                        "clear after (if hot then 5s else 1s) }",
                   FB_E_NO_STATE_TO_SHOW);
    assert_refused(PUMP "event e on pump { when running "
                        "at most 1 per (if running for 5s then 5s else 1s) }",
                   FB_E_NO_STATE_TO_SHOW);
}

static void an_off_delay_looks_at_the_delay_of_a_condition(void **state) {
    (void)state;
    struct made made;
    make(&made, "device pump { let hot = (temp > 80 degC for 1m) }\n"
                "alarm a on pump { raise high when hot clear after (if hot then 5s else 1s) }");
    const struct fb_code *code = &made.compiled.program->rules[0].clear_after;
    bool looks = false, keeps = false;
    for (uint32_t i = 0; i < code->count; i++) {
        const struct fb_instr *in = &made.pump->code[code->first + i];
        looks |= in->op == FB_I_FOR_PEEK;
        keeps |= in->op == FB_I_FOR || in->op == FB_I_FOR_CONST;
    }
    assert_true(looks);
    assert_false(keeps);
    unmake(&made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_is_a_comparison_with_a_constant),
        cmocka_unit_test(an_off_delay_looks_at_the_delay_of_a_condition),
        cmocka_unit_test(a_literal_is_converted_at_compile_time),
        cmocka_unit_test(a_right_side_is_converted_to_the_left_ones_unit),
        cmocka_unit_test(a_sum_of_a_temperature_and_a_difference_converts_the_difference),
        cmocka_unit_test(constants_are_computed_at_compile_time),
        cmocka_unit_test(integers_and_words_are_compared_as_integers),
        cmocka_unit_test(texts_are_compared_and_matched),
        cmocka_unit_test(a_range_includes_both_ends),
        cmocka_unit_test(quality_is_a_set),
        cmocka_unit_test(percent_of_multiplies_first),
        cmocka_unit_test(equal_instructions_are_written_once),
        cmocka_unit_test(votes_stand_side_by_side),
        cmocka_unit_test(delays_and_latches_have_cells),
        cmocka_unit_test(age_and_elapsed_are_comparisons_of_their_own),
        cmocka_unit_test(elapsed_turns_where_it_stands_right),
        cmocka_unit_test(silence_reads_every_record_twice),
        cmocka_unit_test(a_param_takes_its_first_true_case),
        cmocka_unit_test(a_let_with_a_unit_is_converted_to_it),
        cmocka_unit_test(where_goes_into_both_sides),
        cmocka_unit_test(a_deadband_moves_a_limit_so_that_it_holds_longer),
        cmocka_unit_test(a_deadband_leaves_other_dimensions_alone),
        cmocka_unit_test(the_copy_for_a_deadband_has_no_delays),
        cmocka_unit_test(a_field_with_a_period_has_a_ring),
        cmocka_unit_test(an_expression_has_a_ring_where_all_its_fields_have_a_period),
        cmocka_unit_test(windows_of_one_content_are_one_cell),
        cmocka_unit_test(where_of_an_argument_leaves_samples_out),
        cmocka_unit_test(previous_is_unknown_while_its_argument_is),
        cmocka_unit_test(needs_is_a_share),
        cmocka_unit_test(a_field_read_only_in_each_windows_is_not_read),
        cmocka_unit_test(count_of_records_reads_every_record),
        cmocka_unit_test(a_class_carries_what_the_decoder_needs),
        cmocka_unit_test(what_conditions_name_is_shown_in_byte_order),
        cmocka_unit_test(a_shown_delay_looks_at_its_first_condition),
        cmocka_unit_test(every_condition_has_a_delay_of_its_own),
        cmocka_unit_test(messages_are_parts),
        cmocka_unit_test(a_version_follows_the_meaning_not_the_layout),
        cmocka_unit_test(too_long_a_condition_is_refused),
        cmocka_unit_test(too_large_a_device_is_refused),
        cmocka_unit_test(too_long_a_window_is_refused),
        cmocka_unit_test(too_many_fields_are_refused),
        cmocka_unit_test(lets_of_lets_are_lowered_once),
        cmocka_unit_test(a_delay_that_nothing_keeps_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
