/* Controls that the checker lets stand on one actuator at one priority are never on at once: random
 * pairs of starts, the same conditions run as alarms over random records. `on unknown` raise stands
 * for safe, clear for stop; two that both ask for the safe value may meet while they are unknown.
 * And the other way: most pairs that are refused do meet, so that refusing all would be noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/core.h"
#include "rules/compile.h"

enum { SECOND = 1000000, PAIRS = 16, ROUNDS = 120, RECORDS = 400, RULES_MAX = 4 * PAIRS };

static const char device[] =
    "device d from \"d\" { key id  time ts [s]  tag t : one of (p, q)\n"
    "  x : number [m] range 0..10, stale after 25s  y : number [m] range 0..10, stale after 25s\n"
    "  b : bool stale after 25s  s : one of (on, off, idle) stale after 25s\n"
    "  let high = x > 6 m until x < 4 m  let low = x < 3 m for 15s }\n"
    "param limit on d [m] = 5, 7 where t == p\n";

/* ---- random conditions ---------------------------------------------------------------------- */

static uint64_t seed;

static uint64_t random_bits(void) {
    seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int below(int n) {
    return (int)(random_bits() % (uint64_t)n);
}

static const char *one_of(const char *const *texts, int n) {
    return texts[below(n)];
}

#define PICK(...)                                                                                  \
    one_of((const char *const[]){__VA_ARGS__},                                                     \
           (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)))

static void put_comparison(struct fb_buf *out) {
    int low = 2 + below(7);
    switch (below(9)) {
    case 0:
        fb_buf_printf(out, "x %sin %d m..%d m", PICK("", "not "), low, low + below(4));
        return;
    case 1:
        fb_buf_printf(out, "%s", PICK("b", "not b", "b == true", "b != true"));
        return;
    case 2:
        fb_buf_printf(out, "s %s %s", PICK("==", "!="), PICK("on", "off", "idle"));
        return;
    case 3:
        fb_buf_printf(out, "s %sin (%s)", PICK("", "not "), PICK("on, off", "idle", "off, idle"));
        return;
    case 4:
        fb_buf_printf(out, "t %s %s", PICK("==", "!="), PICK("p", "q"));
        return;
    case 5:
        fb_buf_printf(out, "x is %s%s", PICK("", "not "), PICK("good", "unknown", "stale", "bad"));
        return;
    case 6:
        fb_buf_printf(out, "x %s limit%s", PICK("<", ">"), PICK("", " + 1 m", " - 1 m"));
        return;
    case 7:
        fb_buf_printf(out, "%s", PICK("high", "not high", "low", "not low"));
        return;
    default:
        fb_buf_printf(out, "%s %s %d m", PICK("x", "x", "y"),
                      PICK("<", "<=", ">", ">=", "==", "!="), low);
    }
}

static void put_temporal(struct fb_buf *out, int depth);

static void put_condition(struct fb_buf *out, int depth) {
    int kind = depth ? below(8) : 0;
    if (kind < 3) {
        put_comparison(out);
        return;
    }
    fb_buf_text(out, kind == 6 ? "not (" : "(");
    if (kind == 7) {
        put_temporal(out, depth - 1);
    } else {
        put_condition(out, depth - 1);
        if (kind < 6) {
            fb_buf_text(out, kind == 5 ? " or " : " and ");
            put_condition(out, depth - 1);
        }
    }
    fb_buf_char(out, ')');
}

static void put_delay(struct fb_buf *out) {
    if (below(3) == 0)
        fb_buf_printf(out, " for %s", PICK("10s", "20s", "35s"));
}

static void put_temporal(struct fb_buf *out, int depth) {
    put_condition(out, depth);
    put_delay(out);
    if (below(2))
        return;
    fb_buf_text(out, " until ");
    put_condition(out, depth);
    put_delay(out);
}

/* The second start of a pair: often one that has to do with the first. */
static void put_second(struct fb_buf *out, const char *first) {
    int limit = 1 + below(7);
    switch (below(3)) {
    case 0:
        if (below(2)) {
            put_condition(out, 1);
            fb_buf_text(out, " and ");
        }
        fb_buf_printf(out, "not (%s)", first);
        return;
    case 1:
        fb_buf_printf(out, "x < %d m until x > %d m", limit, limit + below(3));
        return;
    default:
        put_temporal(out, 1 + below(2));
    }
}

/* ---- pairs ---------------------------------------------------------------------------------- */

enum policy { HOLD, STOP, SAFE, POLICIES };

struct pair {
    char *where[2], *start[2];
    enum policy policy[2];
    bool refused, met;
};

static char *taken(struct fb_buf *buf) {
    char *text = strdup(fb_buf_terminated(buf));
    assert_non_null(text);
    buf->n = 0;
    return text;
}

static void make(struct pair *pair) {
    struct fb_buf text = {0};
    *pair = (struct pair){0};
    for (int i = 0; i < 2; i++) {
        if (below(3) == 0) {
            fb_buf_text(&text, " where ");
            put_condition(&text, 1);
        }
        pair->where[i] = taken(&text);
        if (i == 0)
            put_temporal(&text, 1 + below(2));
        else
            put_second(&text, pair->start[0]);
        pair->start[i] = taken(&text);
        pair->policy[i] = (enum policy)(below(2) ? HOLD : below(POLICIES));
    }
    fb_buf_free(&text);
}

static void drop(struct pair *pair) {
    for (int i = 0; i < 2; i++) {
        free(pair->where[i]);
        free(pair->start[i]);
    }
}

static bool compile(struct fb_buf *text, struct fb_diags *diags, struct fb_compiled *out) {
    struct fb_sources *sources = fb_sources_new();
    fb_sources_add(sources, FB_S("test.rules"), (struct fb_str){text->p, text->n});
    return fb_compile_sources(sources, diags, out);
}

/* Each pair is alone with an actuator of its own. */
static void ask_checker(struct pair *pairs) {
    static const char *const policies[] = {"hold", "stop", "safe"};
    struct fb_buf text = {0};
    fb_buf_text(&text, device);
    for (int p = 0; p < PAIRS; p++)
        fb_buf_printf(&text, "actuator v%d on d : number [%%] range 0..100 { safe 0 }\n", p);
    uint32_t begins[PAIRS];
    for (int p = 0; p < PAIRS; p++) {
        begins[p] = (uint32_t)text.n;
        for (int i = 0; i < 2; i++)
            fb_buf_printf(&text,
                          "control c%d_%d on d%s { start when %s  command v%d = %d %%  on unknown "
                          "%s }\n",
                          p, i, pairs[p].where[i], pairs[p].start[i], p, 30 + i,
                          policies[pairs[p].policy[i]]);
    }
    struct fb_diags *diags = fb_diags_new();
    struct fb_compiled compiled;
    compile(&text, diags, &compiled);
    for (uint32_t i = 0; i < diags->n; i++) {
        int p = PAIRS - 1;
        assert_int_equal(diags->items[i].code, FB_E_CONFLICT);
        while (diags->items[i].span.start < begins[p])
            p--;
        pairs[p].refused = true;
    }
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
    fb_buf_free(&text);
}

/* ---- the same conditions as alarms ----------------------------------------------------------- */

struct run {
    struct pair *pairs;
    bool on[RULES_MAX]; /* 4 of each pair: two with its policy, two that are off while unknown */
};

static void note(void *context, const struct fb_output *output) {
    struct run *run = context;
    int p, i;
    char which, name[32];
    snprintf(name, sizeof name, "%.*s", FB_ARG(output->rule->name));
    if (output->kind != FB_OUT_ALERT || sscanf(name, "%c%d_%d", &which, &p, &i) != 3)
        fail_msg("an output of none of the rules");
    else
        run->on[4 * p + 2 * (which == 'k') + i] = output->active;
}

static void look(struct run *run) {
    for (int p = 0; p < PAIRS; p++) {
        struct pair *pair = &run->pairs[p];
        const bool *on = &run->on[4 * p], *known = on + 2;
        bool both_safe = pair->policy[0] == SAFE && pair->policy[1] == SAFE;
        bool met = both_safe ? (known[0] && on[1]) || (on[0] && known[1]) : on[0] && on[1];
        if (met && !pair->refused)
            fail_msg("both are on, and were not refused:\n%s %s (%d)\n%s %s (%d)", pair->where[0],
                     pair->start[0], pair->policy[0], pair->where[1], pair->start[1],
                     pair->policy[1]);
        pair->met |= met;
    }
}

static void add_sample(struct fb_sample *samples, uint16_t *n, uint16_t field) {
    struct fb_sample *sample = &samples[(*n)++];
    *sample = (struct fb_sample){.field = field};
    if (field == 2 || field == 3)
        sample->num = below(101) / 10.0;
    else
        sample->i = below(field == 5 ? 3 : 2);
    if (field != 1 && below(12) == 0)
        sample->state = FB_SAMPLE_NULL;
}

static void run_alarms(struct pair *pairs) {
    static const char *const policies[] = {"hold", "clear", "raise"};
    static const struct fb_core_config config = {.max_skew_us = 600 * (int64_t)SECOND};
    struct fb_buf text = {0};
    fb_buf_text(&text, device);
    for (int p = 0; p < PAIRS; p++)
        for (int i = 0; i < 2; i++) {
            fb_buf_printf(&text, "alarm c%d_%d on d%s { raise low when %s  on unknown %s }\n", p, i,
                          pairs[p].where[i], pairs[p].start[i], policies[pairs[p].policy[i]]);
            fb_buf_printf(&text, "alarm k%d_%d on d%s { raise low when %s  on unknown clear }\n", p,
                          i, pairs[p].where[i], pairs[p].start[i]);
        }
    struct fb_diags *diags = fb_diags_new();
    struct fb_compiled compiled;
    assert_true(compile(&text, diags, &compiled));
    struct run run = {.pairs = pairs};
    struct fb_core *core = fb_core_new(compiled.program, &config, note, &run);
    int64_t now = 0;
    for (int k = 0; k < RECORDS; k++) {
        struct fb_sample samples[6];
        uint16_t n = 0;
        for (uint16_t field = 1; field <= 5; field++)
            if (field == 1 ? k % 100 == 0 : below(10) < 6)
                add_sample(samples, &n, field);
        now += (int64_t)SECOND * (below(8) ? 1 + below(12) : 40);
        const struct fb_entry entry = {
            .device = FB_S("a"), .ts_us = now, .samples = samples, .n_samples = n};
        assert_int_equal(fb_core_take(core, &entry, now), FB_TAKEN);
        fb_core_advance(core, now + 1); /* delays that end at this very instant */
        look(&run);
    }
    fb_core_free(core);
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
    fb_buf_free(&text);
}

static void controls_that_are_not_refused_are_never_on_at_once(void **state) {
    (void)state;
    int apart = 0, refused = 0, met = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct pair pairs[PAIRS];
        seed = (uint64_t)round * 1000;
        for (int p = 0; p < PAIRS; p++)
            make(&pairs[p]);
        ask_checker(pairs);
        run_alarms(pairs);
        for (int p = 0; p < PAIRS; p++) {
            apart += !pairs[p].refused;
            refused += pairs[p].refused;
            met += pairs[p].met;
            drop(&pairs[p]);
        }
    }
    print_message("%d apart, %d refused, of which %d met\n", apart, refused, met);
    assert_true(apart > 300);
    assert_true(met * 2 > refused);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_that_are_not_refused_are_never_on_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
