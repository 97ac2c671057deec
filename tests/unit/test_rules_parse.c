/* The tree: what binds how, what blocks hold, which files belong to a compilation.
 *
 * Place in the flow: tests of rules/parse*.c. Reports are held to the byte by tests/golden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/format.h"
#include "rules/parse.h"

static struct fb_sources *sources;
static struct fb_diags *diags;
static struct fb_tree *tree;
static struct fb_buf shown;

static int begin(void **state) {
    (void)state;
    sources = fb_sources_new();
    diags = fb_diags_new();
    tree = NULL;
    shown = (struct fb_buf){0};
    return 0;
}

static int end(void **state) {
    (void)state;
    fb_tree_free(tree);
    fb_diags_free(diags);
    fb_sources_free(sources);
    fb_buf_free(&shown);
    return 0;
}

static void parse(const char *text) {
    fb_tree_free(tree);
    fb_sources_free(sources);
    sources = fb_sources_new();
    fb_sources_add(sources, FB_S("t.rules"), fb_str_of(text));
    tree = fb_parse(sources, diags);
}

static const struct fb_item *item(uint32_t index) {
    assert_int_equal(diags->errors, 0);
    assert_true(index < tree->files[0]->n_items);
    return &tree->files[0]->items[index];
}

/* An expression with brackets around everything that has parts. */
static void put_shape(const struct fb_node *node) {
    static const char *const ops[] = {"+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!="};
    const char *word = node->kind == FB_N_AND       ? "and"
                       : node->kind == FB_N_OR      ? "or"
                       : node->kind == FB_N_FOR     ? "for"
                       : node->kind == FB_N_UNTIL   ? "until"
                       : node->kind == FB_N_ARITH   ? ops[node->op]
                       : node->kind == FB_N_COMPARE ? ops[node->op]
                                                    : NULL;
    if (node->kind == FB_N_NOT || node->kind == FB_N_NEGATE) {
        fb_buf_text(&shown, node->kind == FB_N_NOT ? "[not " : "[-");
        put_shape(node->a);
        fb_buf_text(&shown, "]");
    } else if (node->kind == FB_N_PERCENT_OF) {
        fb_buf_printf(&shown, "[%g%% of ", node->value);
        put_shape(node->a);
        fb_buf_text(&shown, "]");
    } else if (word != NULL) {
        fb_buf_text(&shown, "[");
        put_shape(node->a);
        fb_buf_printf(&shown, " %s ", word);
        put_shape(node->b);
        fb_buf_text(&shown, "]");
    } else {
        fb_format_expr(sources, node, &shown);
    }
}

static const char *shape(const char *condition) {
    struct fb_buf text = {0};
    fb_buf_printf(&text, "alarm a on d { raise high when %s }", condition);
    parse(fb_buf_terminated(&text));
    fb_buf_free(&text);
    shown.n = 0;
    put_shape(item(0)->rule->raises[0].when);
    return fb_buf_terminated(&shown);
}

static void operators_bind_as_the_language_says(void **state) {
    (void)state;
    assert_string_equal(shape("a or b and c"), "[a or [b and c]]");
    assert_string_equal(shape("not a and b"), "[[not a] and b]");
    assert_string_equal(shape("not a > b + c * d"), "[not [a > [b + [c * d]]]]");
    assert_string_equal(shape("a - b - c > 0"), "[[[a - b] - c] > 0]");
    assert_string_equal(shape("a / b * c > 0"), "[[[a / b] * c] > 0]");
    assert_string_equal(shape("-a * b < 1"), "[[[-a] * b] < 1]");
    assert_string_equal(shape("70 % of x * 2 > y"), "[[[70% of x] * 2] > y]");
    assert_string_equal(shape("70 % of -x > y"), "[[70% of [-x]] > y]");
}

static void a_delay_takes_the_whole_condition(void **state) {
    (void)state;
    assert_string_equal(shape("a and b for 30s"), "[[a and b] for 30s]");
    assert_string_equal(shape("a or b for 30s until c or d for 1m"),
                        "[[[a or b] for 30s] until [[c or d] for 1m]]");
    assert_string_equal(shape("(a for 30s) and b"), "[[a for 30s] and b]");
}

static void a_minus_before_a_literal_belongs_to_it_but_subtracts_behind_a_value(void **state) {
    (void)state;
    shape("x > -0.5 degC");
    const struct fb_node *right = item(0)->rule->raises[0].when->b;
    assert_int_equal(right->kind, FB_N_NUMBER);
    assert_true(right->value == -0.5);
    assert_true(fb_str_eq(right->text, FB_S("-0.5")));
    assert_string_equal(shape("x -5 K > 0 K"), "[[x - 5 K] > 0 K]");
    assert_string_equal(shape("x > - 5"), "[x > -5]");
}

static void brackets_behind_in_are_a_list_unless_a_range_goes_on(void **state) {
    (void)state;
    shape("x in (a, b)");
    assert_int_equal(item(0)->rule->raises[0].when->n_items, 2);
    shape("x in (a)");
    assert_int_equal(item(0)->rule->raises[0].when->n_items, 1);
    shape("x not in (a)..b");
    const struct fb_node *in = item(0)->rule->raises[0].when;
    assert_int_equal(in->n_items, 0);
    assert_true(in->negated && in->b->bracketed);
    shape("x in (a - 1)*2..(b)");
    assert_non_null(item(0)->rule->raises[0].when->c);
}

static void windows_and_shares_belong_to_their_call(void **state) {
    (void)state;
    shape("avg(x where ok over 5m, needs 50 %) > 3 or count(over 1h) > 2 or last(x over last 7) > 1"
          " or max(x each 15m) > clamp(x, 1..2)");
    const struct fb_node *or3 = item(0)->rule->raises[0].when;
    const struct fb_node *avg = or3->a->a->a->a, *count = or3->a->a->b->a, *last = or3->a->b->a;
    assert_int_equal(avg->args[0].window, FB_W_OVER);
    assert_int_equal(avg->args[0].length->span_us, 300000000);
    assert_non_null(avg->args[0].where);
    assert_true(avg->needs->value == 50);
    assert_null(count->args[0].expr);
    assert_int_equal(last->args[0].window, FB_W_LAST);
    assert_int_equal(last->args[0].last, 7);
    assert_int_equal(or3->b->a->args[0].window, FB_W_EACH);
    assert_non_null(or3->b->b->args[1].upto);
}

static void a_chain_of_a_thousand_is_the_highest_tree(void **state) {
    (void)state;
    struct fb_buf text = {0};
    for (int terms = 999; terms <= 1001; terms += 2) {
        text.n = 0;
        fb_buf_text(&text, "alarm a on d { raise high when x");
        for (int i = 1; i < terms; i++) {
            fb_buf_text(&text, " or x");
        }
        fb_buf_text(&text, " }");
        parse(fb_buf_terminated(&text));
        assert_int_equal(diags->errors, terms > FB_EXPR_HEIGHT_MAX);
    }
    fb_buf_free(&text);
}

static void fields_are_numbered_keys_then_tags_then_fields(void **state) {
    (void)state;
    parse("device d from \"a\", \"b\" {\n x : number  tag t1, t2  let l = x  key k1, k2\n"
          " `time` : time  tag t3 : integer  time ts [ms]  late up to 2s }");
    const struct fb_class_decl *decl = item(0)->class_decl;
    static const char *const names[] = {"k1", "k2", "t1", "t2", "t3", "x", "time"};
    assert_int_equal(decl->n_fields, 7);
    assert_int_equal(decl->n_keys, 2);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(decl->fields[i]->index, i);
        assert_true(fb_str_eq(decl->fields[i]->name, fb_str_of(names[i])));
    }
    for (uint32_t i = 0; i < decl->n_items; i++) {
        if (decl->items[i].kind == FB_ITEM_FIELD) {
            assert_int_equal(decl->fields[decl->items[i].first]->role, FB_FIELD);
        }
    }
    assert_int_equal(decl->n_topics, 2);
    assert_true(fb_str_eq(decl->time_unit, FB_S("ms")));
    assert_int_equal(decl->late->span_us, 2000000);
    assert_false(decl->reopened);
}

static void words_of_the_grammar_may_name_fields(void **state) {
    (void)state;
    parse("device d from \"t\" { key key  state : one of (on, off)  mode : bool  tag : text\n"
          "late : number  let : number  time : time }\n"
          "alarm message on d where mode {\n"
          "raise high when state == on and `last` > 5  message \"x\" }");
    assert_int_equal(item(0)->class_decl->n_fields, 7);
    assert_true(fb_str_eq(item(1)->rule->name, FB_S("message")));
}

static void messages_are_split_at_their_braces(void **state) {
    (void)state;
    parse("alarm a on d { raise high when x\n"
          "message \"\\u{7b}a\\u{7d} {x:.2f} {device}{if s == \\\"}\\\" then 1 else 2}\\n\" }");
    const struct fb_text_decl *text = item(0)->rule->message;
    assert_int_equal(text->n_parts, 6);
    assert_true(fb_str_eq(text->parts[0].literal, FB_S("{a} ")));
    assert_int_equal(text->parts[1].decimals, 2);
    assert_int_equal(text->parts[1].expr->kind, FB_N_NAME);
    assert_true(fb_str_eq(text->parts[3].builtin, FB_S("device")));
    assert_int_equal(text->parts[4].decimals, -1);
    assert_true(fb_str_eq(text->parts[4].expr->a->b->text, FB_S("}")));
    assert_true(fb_str_eq(text->parts[5].literal, FB_S("\n")));
}

static void series_repeat_ramp_and_leave_out(void **state) {
    (void)state;
    parse("test \"t\" on d { series \"a,b\".x = 20, 20x5, 20..30x11, _, _x3, null, on x2, -5 K "
          "every 5s\n expect no alarm a of p at 1m with x >= 3  expect event e }");
    const struct fb_test_step *series = &item(0)->test->steps[0];
    assert_int_equal(series->n_items, 8);
    assert_int_equal(series->items[1].times, 5);
    assert_true(series->items[2].to->value == 30);
    assert_int_equal(series->items[2].times, 11);
    assert_int_equal(series->items[4].kind, FB_SERIES_MISSING);
    assert_int_equal(series->items[4].times, 3);
    assert_int_equal(series->items[5].kind, FB_SERIES_NULL);
    assert_int_equal(series->items[6].times, 2);
    assert_true(series->items[7].from->value == -5);
    assert_int_equal(series->every->span_us, 5000000);
    const struct fb_test_step *expect = &item(0)->test->steps[1];
    assert_true(expect->no);
    assert_int_equal(expect->n_with, 1);
    assert_int_equal(expect->with[0].op, FB_OP_GE);
    assert_int_equal(item(0)->test->steps[2].rule_kind, FB_RULE_EVENT);
}

static const struct fb_actuator_decl *actuator(const char *type, const char *clauses) {
    struct fb_buf text = {0};
    fb_buf_printf(&text, "actuator out on d : %s { %s }", type, clauses);
    parse(fb_buf_terminated(&text));
    fb_buf_free(&text);
    assert_int_equal(item(0)->kind, FB_ITEM_ACTUATOR);
    return item(0)->actuator;
}

static void actuators_are_two_words_or_a_number_with_a_range(void **state) {
    (void)state;
    const struct fb_actuator_decl *decl = actuator("(off, `on`)", "safe off");
    assert_true(fb_str_eq(decl->name, FB_S("out")));
    assert_true(fb_str_eq(decl->class_name, FB_S("d")));
    assert_int_equal(decl->type.type, FB_T_ENUM);
    assert_int_equal(decl->type.n_words, 2);
    assert_true(fb_str_eq(decl->type.words[0], FB_S("off")));
    assert_true(fb_str_eq(decl->type.words[1], FB_S("on")));
    assert_int_equal(decl->safe->kind, FB_N_NAME);
    assert_null(decl->default_value);
    assert_null(decl->range_low);
    decl = actuator("number [kW] range -5..150", "safe 0 kW  default -1 kW");
    assert_int_equal(decl->type.type, FB_T_NUMBER);
    assert_true(fb_str_eq(decl->type.unit_text, FB_S("kW")));
    assert_true(decl->range_low->value == -5 && decl->range_high->value == 150);
    assert_true(decl->default_value->value == -1);
    assert_int_equal(actuator("number range 0..1", "safe 0")->type.unit_text.n, 0);
}

static void each_clause_of_an_actuator_has_its_place(void **state) {
    (void)state;
    const struct fb_actuator_decl *decl = actuator(
        "(off, on)",
        "breaker 4 reversals in 40m, hold 30m  lockout 90m after interlock  lease 1s "
        "maximum on 2h  interlock when a for 3s until b  permissive when c  deliver within 3s "
        "hold at most 4s "
        "starts 10 per 1h  minimum off 5s, on 6s  combine safest  safe off  to \"plant.valves\"");
    assert_int_equal(decl->n_items, 13);
    assert_true(fb_str_eq(decl->to, FB_S("plant.valves")));
    assert_int_equal(decl->items[0].kind, FB_ACT_BREAKER);
    assert_int_equal(decl->reversals, 4);
    assert_int_equal(decl->reversals_in->span_us, 2400000000);
    assert_int_equal(decl->breaker_for->span_us, 1800000000);
    assert_false(decl->breaker_safe);
    assert_int_equal(decl->lockout->span_us, 5400000000);
    assert_int_equal(decl->lease->span_us, 1000000);
    assert_int_equal(decl->maximum_on->span_us, 7200000000);
    assert_int_equal(decl->interlock->kind, FB_N_UNTIL);
    assert_int_equal(decl->permissive->kind, FB_N_NAME);
    assert_int_equal(decl->deliver->span_us, 3000000);
    assert_int_equal(decl->hold->span_us, 4000000);
    assert_int_equal(decl->starts, 10);
    assert_int_equal(decl->starts_per->span_us, 3600000000);
    assert_int_equal(decl->minimum_off->span_us, 5000000);
    assert_int_equal(decl->minimum_on->span_us, 6000000);
    assert_int_equal(decl->combine, FB_COMBINE_WORD_SAFEST);
    decl = actuator("(off, on)", "safe off  minimum off 5s  breaker 2 reversals in 1m, safe 2m");
    assert_null(decl->minimum_on);
    assert_non_null(decl->minimum_off);
    assert_true(decl->breaker_safe);
}

static void a_slew_without_a_direction_is_both(void **state) {
    (void)state;
    static const char type[] = "number [kW] range 0..150";
    const struct fb_actuator_decl *decl = actuator(type, "safe 0 kW  slew 10 kW per 10s");
    assert_true(decl->slew_up->value == 10 && decl->slew_up == decl->slew_down);
    assert_true(decl->slew_up_per == decl->slew_down_per);
    decl = actuator(type, "safe 0 kW  slew down 10 kW per 10s  ignore steps under 1 kW");
    assert_null(decl->slew_up);
    assert_true(decl->slew_down->value == 10);
    assert_true(decl->ignore_under->value == 1);
    decl = actuator(type, "slew up 5 kW per 1s  safe 0 kW  slew down 10 kW per 10s");
    assert_true(decl->slew_up->value == 5 && decl->slew_down->value == 10);
    assert_int_equal(decl->slew_up_per->span_us, 1000000);
}

static void controls_start_command_and_roll_out(void **state) {
    (void)state;
    parse("control c on d where x { rollout canary 2.5 %  on unknown safe\n"
          "start when a for 5s until b  let y = 5 message \"m\" label z = \"l\"\n"
          "command lead = if a then on else off for 30m at priority 9\n"
          "command speed = 50 % at priority 16 for 5m  command lag = off }\n"
          "control c2 on d { command lag = on  on unknown stop }");
    const struct fb_rule_decl *rule = item(0)->rule;
    assert_int_equal(rule->kind, FB_RULE_CONTROL);
    assert_non_null(rule->where);
    assert_int_equal(rule->start->kind, FB_N_UNTIL);
    assert_int_equal(rule->rollout, FB_ROLLOUT_CANARY);
    assert_true(rule->canary == 2.5);
    assert_int_equal(rule->on_unknown, FB_UNKNOWN_SAFE);
    assert_int_equal(rule->n_lets, 1);
    assert_int_equal(rule->n_labels, 1);
    assert_int_equal(rule->n_commands, 3);
    assert_true(fb_str_eq(rule->commands[0].target, FB_S("lead")));
    assert_int_equal(rule->commands[0].value->kind, FB_N_IF);
    assert_int_equal(rule->commands[0].priority, 9);
    assert_int_equal(rule->commands[0].pulse->span_us, 1800000000);
    assert_int_equal(rule->commands[1].priority, 16);
    assert_int_equal(rule->commands[1].pulse->span_us, 300000000);
    assert_int_equal(rule->commands[2].priority, 0);
    assert_null(rule->commands[2].pulse);
    rule = item(1)->rule;
    assert_null(rule->start);
    assert_int_equal(rule->rollout, FB_ROLLOUT_NONE);
    assert_int_equal(rule->on_unknown, FB_UNKNOWN_STOP);
}

static void modes_have_states_and_ways_between_them(void **state) {
    (void)state;
    parse("mode m on d where x { let y = a for 5s  on unknown safe  rollout armed\n"
          "state one { go two when y until b at once  command fan = on  stay 30s }\n"
          "state any { go one after 1h }\n"
          "state `two` { step fan by 5 every 1m within 0..9  go one when c  command lag = off } }");
    const struct fb_rule_decl *rule = item(0)->rule;
    assert_int_equal(rule->kind, FB_RULE_MODE);
    assert_non_null(rule->where);
    assert_int_equal(rule->on_unknown, FB_UNKNOWN_SAFE);
    assert_int_equal(rule->rollout, FB_ROLLOUT_ARMED);
    assert_int_equal(rule->n_states, 3);
    assert_int_equal(rule->states[0].stay->span_us, 30000000);
    assert_false(rule->states[0].any);
    assert_int_equal(rule->states[0].n_items, 3);
    assert_true(rule->states[1].any);
    assert_null(rule->states[2].stay);
    assert_int_equal(rule->n_gos, 3);
    assert_true(fb_str_eq(rule->gos[0].target, FB_S("two")));
    assert_int_equal(rule->gos[0].state, 0);
    assert_int_equal(rule->gos[0].when->kind, FB_N_UNTIL);
    assert_null(rule->gos[0].after);
    assert_true(rule->gos[0].at_once);
    assert_int_equal(rule->gos[1].state, 1);
    assert_null(rule->gos[1].when);
    assert_int_equal(rule->gos[1].after->span_us, 3600000000);
    assert_false(rule->gos[1].at_once);
    assert_int_equal(rule->n_commands, 3);
    assert_int_equal(rule->commands[0].state, 0);
    assert_int_equal(rule->commands[1].state, 2);
    assert_true(rule->commands[1].is_step);
    assert_int_equal(rule->commands[2].state, 2);
    assert_int_equal(rule->mode_type.n_words, 2);
    assert_true(fb_str_eq(rule->mode_type.words[1], FB_S("two")));
}

static void commands_are_expected_with_any_word_of_an_actuator(void **state) {
    (void)state;
    parse("test \"t\" on d { expect command lead of p high at 5s with value == high\n"
          "expect no command lag  expect command lead at 5s `at`\n"
          "expect command lead  series p.x = 5  expect event command }");
    const struct fb_test_step *steps = item(0)->test->steps;
    assert_int_equal(item(0)->test->n_steps, 6);
    assert_true(steps[0].command && !steps[0].no);
    assert_true(fb_str_eq(steps[0].rule, FB_S("lead")));
    assert_true(fb_str_eq(steps[0].word, FB_S("high")));
    assert_int_equal(steps[0].severity.n, 0);
    assert_int_equal(steps[0].n_with, 1);
    assert_true(steps[1].command && steps[1].no);
    assert_int_equal(steps[1].word.n, 0);
    assert_true(fb_str_eq(steps[2].word, FB_S("at")));
    assert_int_equal(steps[2].at->span_us, 5000000);
    assert_int_equal(steps[3].word.n, 0);
    assert_false(steps[5].command);
}

/* A folder of its own, with files. */
static char folder[64];

static void write_file(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void remove_file(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(remove(path), 0);
}

static void used_files_are_read_once_and_may_use_each_other(void **state) {
    (void)state;
    strcpy(folder, "/tmp/fb_use_XXXXXX");
    assert_non_null(mkdtemp(folder));
    char path[128];
    snprintf(path, sizeof path, "%s/sub", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file("main.rules", "use \"sub/a.rules\"\nuse \"sub/../main.rules\"\nparam m = 1\n");
    write_file("sub/a.rules", "use \"../b.rules\"\nuse \"../main.rules\"\nparam a = 1\n");
    write_file("b.rules", "use \"sub/a.rules\"\nuse \"no.rules\"\nparam b = 1\n");
    snprintf(path, sizeof path, "%s/main.rules", folder);
    struct fb_err err;
    assert_true(fb_sources_load(sources, path, &err));
    tree = fb_parse(sources, diags);
    assert_int_equal(tree->n_files, 3);
    assert_int_equal(diags->n, 1); /* no.rules, and nothing else */
    assert_int_equal(diags->items[0].code, FB_E_USE);
    assert_int_equal(diags->items[0].span.file, 2);
    assert_int_equal(diags->items[0].span.start, strlen("use \"sub/a.rules\"\nuse "));
    remove_file("main.rules");
    remove_file("sub/a.rules");
    remove_file("sub");
    remove_file("b.rules");
    assert_int_equal(rmdir(folder), 0);
}

static void a_folder_gives_its_rule_files_in_the_order_of_their_names(void **state) {
    (void)state;
    strcpy(folder, "/tmp/fb_folder_XXXXXX");
    assert_non_null(mkdtemp(folder));
    struct fb_err err;
    assert_false(fb_sources_load(sources, folder, &err)); /* no rules in it */
    write_file("b.rules", "");
    write_file("B.rules", "");
    write_file("a.test.rules", "");
    write_file("readme", "");
    assert_true(fb_sources_load(sources, folder, &err));
    assert_true(fb_sources_load(sources, folder, &err)); /* adds none twice */
    assert_int_equal(sources->n_files, 3);
    static const char *const names[] = {"B.rules", "a.test.rules", "b.rules"};
    for (unsigned i = 0; i < 3; i++) {
        struct fb_str seen = sources->files[i].path;
        assert_string_equal(seen.p + strlen(folder) + 1, names[i]);
    }
    assert_false(fb_sources_load(sources, "/nonexistent.rules", &err));
    assert_non_null(strstr(err.text, "/nonexistent.rules"));
    remove_file("b.rules");
    remove_file("B.rules");
    remove_file("a.test.rules");
    remove_file("readme");
    assert_int_equal(rmdir(folder), 0);
}

static void what_is_too_large_is_refused(void **state) {
    (void)state;
    strcpy(folder, "/tmp/fb_large_XXXXXX");
    assert_non_null(mkdtemp(folder));
    struct fb_buf text = {0};
    while (text.n <= FB_SOURCE_BYTES_MAX) {
        fb_buf_text(&text, "# as long as it takes to be longer than the longest file\n");
    }
    write_file("large.rules", fb_buf_terminated(&text));
    struct fb_err err;
    assert_false(fb_sources_load(sources, folder, &err));
    assert_non_null(strstr(err.text, "larger than 4 MiB"));
    parse(fb_buf_terminated(&text));
    assert_int_equal(diags->n, 1);
    assert_int_equal(tree->files[0]->n_comments, 0);
    fb_buf_free(&text);
    remove_file("large.rules");
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(operators_bind_as_the_language_says, begin, end),
        cmocka_unit_test_setup_teardown(a_delay_takes_the_whole_condition, begin, end),
        cmocka_unit_test_setup_teardown(
            a_minus_before_a_literal_belongs_to_it_but_subtracts_behind_a_value, begin, end),
        cmocka_unit_test_setup_teardown(brackets_behind_in_are_a_list_unless_a_range_goes_on, begin,
                                        end),
        cmocka_unit_test_setup_teardown(windows_and_shares_belong_to_their_call, begin, end),
        cmocka_unit_test_setup_teardown(a_chain_of_a_thousand_is_the_highest_tree, begin, end),
        cmocka_unit_test_setup_teardown(fields_are_numbered_keys_then_tags_then_fields, begin, end),
        cmocka_unit_test_setup_teardown(words_of_the_grammar_may_name_fields, begin, end),
        cmocka_unit_test_setup_teardown(messages_are_split_at_their_braces, begin, end),
        cmocka_unit_test_setup_teardown(series_repeat_ramp_and_leave_out, begin, end),
        cmocka_unit_test_setup_teardown(actuators_are_two_words_or_a_number_with_a_range, begin,
                                        end),
        cmocka_unit_test_setup_teardown(each_clause_of_an_actuator_has_its_place, begin, end),
        cmocka_unit_test_setup_teardown(a_slew_without_a_direction_is_both, begin, end),
        cmocka_unit_test_setup_teardown(controls_start_command_and_roll_out, begin, end),
        cmocka_unit_test_setup_teardown(modes_have_states_and_ways_between_them, begin, end),
        cmocka_unit_test_setup_teardown(commands_are_expected_with_any_word_of_an_actuator, begin,
                                        end),
        cmocka_unit_test_setup_teardown(used_files_are_read_once_and_may_use_each_other, begin,
                                        end),
        cmocka_unit_test_setup_teardown(what_is_too_large_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_gives_its_rule_files_in_the_order_of_their_names,
                                        begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
