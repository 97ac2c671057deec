/* sentences FILE...: sentences of the language that two people could read differently, each with
 * what comes of it, worked out by hand; against product and reference interpreter.
 *
 * A file: the sentence in a comment and the rules; `== records`; `== expect`. A record is a JSON
 * line;
 * `@12 ` before it says where the task's clock is then (else at the highest ts so far); `tick 60`
 * is the last tick; `@12 {"call":"kill" ..}` is an operator's call. An expected line is `AT
 * RULE/DEVICE WHAT`, ` timer` behind it where a timer decided; `values` in the first line of `==
 * expect` adds what the alert shows. Times are seconds.
 */
#include "tests/oracle/run_both.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/codec/call.h"
#include "engine/codec/decode.h"
#include "rules/compile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_MAX = 200 };

struct sentence {
    struct fb_str rules, records, expect;
    bool values;
};

static struct fb_str read_all(struct fb_arena *arena, const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = fb_arena_alloc(arena, 1 << 16);
    if (file == NULL) {
        perror(path);
        exit(3);
    }
    size_t n = fread(text, 1, (1 << 16) - 1, file);
    fclose(file);
    return (struct fb_str){text, n};
}

static bool next_line(struct fb_str *rest, struct fb_str *line) {
    if (rest->n == 0)
        return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);
    *line = (struct fb_str){rest->p, n};
    size_t skip = n + (end != NULL);
    *rest = (struct fb_str){rest->p + skip, rest->n - skip};
    return true;
}

static struct fb_str between(struct fb_str text, const char *from, const char *to) {
    const char *a = from == NULL ? text.p : strstr(text.p, from);
    FB_ASSERT(a != NULL);
    if (from != NULL)
        a = strchr(a, '\n') + 1;
    const char *b = to == NULL ? text.p + text.n : strstr(text.p, to);
    FB_ASSERT(b != NULL && b >= a);
    return (struct fb_str){a, (size_t)(b - a)};
}

static struct sentence read_sentence(struct fb_arena *arena, const char *path) {
    struct fb_str text = read_all(arena, path), line;
    struct sentence s = {
        .rules = between(text, NULL, "== records"),
        .records = between(text, "== records", "== expect"),
        .expect = between(text, "== expect", NULL),
    };
    struct fb_str rest = s.expect;
    if (next_line(&rest, &line) && fb_str_eq(line, FB_S("values"))) {
        s.values = true;
        s.expect = rest;
    }
    return s;
}

/* --- Records ---------------------------------------------------------------------------------- */

struct records {
    struct run_entry entries[RECORDS_MAX];
    size_t n;
    int64_t finish_us;
    struct fb_arena *arena;
};

static struct fb_entry copy_entry(struct fb_arena *arena, const struct fb_class *class,
                                  struct fb_entry entry) {
    struct fb_sample *samples = FB_ARENA_ARRAY(arena, struct fb_sample, entry.n_samples);
    entry.device = fb_str_copy(arena, entry.device);
    entry.raw = fb_str_copy(arena, entry.raw);
    for (uint32_t i = 0; i < entry.n_samples; i++) {
        samples[i] = entry.samples[i];
        if (samples[i].state == FB_SAMPLE_GOOD && class->fields[samples[i].field].type == FB_T_TEXT)
            samples[i].text = fb_str_copy(arena, samples[i].text);
    }
    entry.samples = samples;
    return entry;
}

static int64_t seconds_of(struct fb_str text) {
    double seconds;
    FB_ASSERT(fb_num_parse(text, &seconds));
    return (int64_t)fb_num_round(seconds * 1e6);
}

static bool begins(struct fb_str line, const char *word) {
    size_t n = strlen(word);
    return line.n > n && memcmp(line.p, word, n) == 0;
}

static struct fb_call *decode_call(struct fb_arena *arena, struct fb_str line) {
    struct fb_call *call = FB_ARENA_NEW(arena, struct fb_call);
    struct fb_call_reader *reader = fb_call_reader_new();
    struct fb_call_read read;
    if (!fb_call_read(reader, line, &read)) {
        fprintf(stderr, "not a call: %.*s\n", FB_ARG(read.wrong));
        exit(1);
    }
    *call = read.call;
    struct fb_str *views[] = {&call->actuator, &call->alarm, &call->device, &call->class_,
                              &call->word,     &call->name,  &call->who,    &call->reason};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        *views[i] = fb_str_copy(arena, *views[i]);
    fb_call_reader_free(reader);
    return call;
}

static void decode_records(const struct fb_program *program, struct fb_str text,
                           struct records *out) {
    uint16_t classes[8];
    struct fb_str line;
    int64_t clock = INT64_MIN;
    for (uint32_t i = 0; i < program->n_classes; i++)
        classes[i] = (uint16_t)i;
    struct fb_decoder *decoder =
        fb_decoder_new(program, classes, program->n_classes, FB_JSON_LIMITS);
    while (next_line(&text, &line)) {
        int64_t given = INT64_MIN;
        if (line.n == 0)
            continue;
        if (begins(line, "tick ")) {
            out->finish_us = seconds_of((struct fb_str){line.p + 5, line.n - 5});
            continue;
        }
        if (line.p[0] == '@') {
            const char *blank = memchr(line.p, ' ', line.n);
            given = seconds_of((struct fb_str){line.p + 1, (size_t)(blank - line.p) - 1});
            line = (struct fb_str){blank + 1, line.n - (size_t)(blank + 1 - line.p)};
        }
        if (begins(line, "{\"call\":")) {
            FB_ASSERT(given != INT64_MIN && out->n < RECORDS_MAX);
            clock = given > clock ? given : clock;
            out->entries[out->n++] = (struct run_entry){
                .clock_us = given, .wall_us = FB_NO_TIME, .call = decode_call(out->arena, line)};
            continue;
        }
        struct fb_origin origin = {
            .topic = FB_S("records"), .partition = -1, .offset = (int64_t)out->n};
        struct fb_entry entry;
        struct fb_reject reject;
        fb_decoder_begin(decoder, line, &origin, FB_NO_TIME);
        if (fb_decoder_next(decoder, &entry, &reject) != FB_DECODED_ENTRY) {
            fprintf(stderr, "not a record: %.*s\n", FB_ARG(line));
            exit(1);
        }
        FB_ASSERT(out->n < RECORDS_MAX);
        if (given == INT64_MIN)
            given = entry.ts_us;
        if (given > clock)
            clock = given;
        out->entries[out->n].entry =
            copy_entry(out->arena, &program->classes[entry.class_index], entry);
        out->entries[out->n].wall_us = FB_NO_TIME;
        out->entries[out->n++].clock_us = clock;
    }
    fb_decoder_free(decoder);
    if (out->finish_us < clock)
        out->finish_us = clock;
}

/* --- Lines ------------------------------------------------------------------------------------ */

static void put_seconds(int64_t us, struct fb_buf *out) {
    char text[FB_NUM_TEXT_MAX];
    fb_buf_put(out, text, fb_num_format((double)us / 1e6, text));
}

static void put_shown(const struct fb_output *o, struct fb_buf *out) {
    char text[FB_NUM_TEXT_MAX];
    for (uint32_t i = 0; i < o->rule->n_shown; i++) {
        const struct fb_shown *shown = &o->rule->shown[i];
        const struct fb_value *v = &o->shown[i];
        fb_buf_printf(out, " %.*s=", FB_ARG(shown->name));
        if (v->quality != FB_Q_GOOD)
            fb_buf_text(out, fb_quality_name((enum fb_quality)v->quality));
        else if (shown->type == FB_T_TEXT)
            fb_buf_printf(out, "\"%.*s\"", FB_ARG(v->text));
        else if (shown->type == FB_T_NUMBER || shown->type == FB_T_COUNTER)
            fb_buf_put(out, text, fb_num_format(v->num, text));
        else
            fb_buf_printf(out, "%" PRId64, v->i);
    }
}

static bool with_values;

/* What a command says, by whom; what began or ceased to block. */
static void put_acting(const struct fb_output *o, struct fb_buf *out) {
    char text[FB_NUM_TEXT_MAX];
    fb_buf_printf(out, " %s%.*s/%.*s", o->actuator->shadow ? "shadow " : "",
                  FB_ARG(o->actuator->name), FB_ARG(o->device));
    if (o->kind == FB_OUT_COMMAND) {
        fb_buf_text(out, " = ");
        fb_buf_put(out, text, fb_num_format(o->value, text));
        fb_buf_printf(out, " %s", fb_command_reason_name(o->reason));
        if (o->rule != NULL && o->reason != FB_REASON_RENEWED)
            fb_buf_printf(out, " by %.*s", FB_ARG(o->rule->name));
    } else if (o->ended) {
        fb_buf_printf(out, " %s blocked %" PRIu64, fb_guard_name(o->guard), o->count);
    } else {
        fb_buf_printf(out, " %s blocks", fb_guard_name(o->guard));
    }
    if (o->cause.timer)
        fb_buf_text(out, " timer");
}

static void put_line(const struct fb_output *o, struct fb_buf *out) {
    put_seconds(o->at_us, out);
    if (o->kind == FB_OUT_LATE) {
        fb_buf_printf(out, " %s %.*s", o->future ? "future" : "late", FB_ARG(o->device));
        return;
    }
    if (o->kind == FB_OUT_COMMAND || o->kind == FB_OUT_BLOCKED) {
        put_acting(o, out);
        return;
    }
    fb_buf_printf(out, " %s%.*s/%.*s ", o->kind == FB_OUT_MUTED ? "muted " : "",
                  FB_ARG(o->rule->name), FB_ARG(o->device));
    if (o->kind == FB_OUT_EVENT) {
        fb_buf_text(out, "event");
        if (o->withheld > 0)
            fb_buf_printf(out, " withheld %" PRIu64, o->withheld);
    } else {
        fb_buf_printf(out, "%s %s", fb_alert_event_name(o->event), fb_severity_name(o->severity));
        if (o->event != FB_ALERT_RAISED) {
            fb_buf_text(out, " since ");
            put_seconds(o->since_us, out);
        }
    }
    if (o->cause.timer)
        fb_buf_text(out, " timer");
    if (with_values)
        put_shown(o, out);
}

static bool as_expected(const char *who, struct fb_str expect, const struct run_lines *lines) {
    struct fb_str line, rest = expect;
    size_t n = 0;
    bool same = true;
    while (next_line(&rest, &line)) {
        if (line.n == 0)
            continue;
        same = same && n < lines->n && fb_str_eq(line, lines->items[n]);
        n++;
    }
    if (same && n == lines->n)
        return true;
    printf("%s gives\n", who);
    for (size_t i = 0; i < lines->n; i++)
        printf("  %.*s\n", FB_ARG(lines->items[i]));
    return false;
}

static bool run_sentence(const char *path) {
    struct fb_arena *arena = fb_arena_new();
    struct sentence s = read_sentence(arena, path);
    struct records *records = FB_ARENA_NEW(arena, struct records);
    struct fb_sources *sources = fb_sources_new();
    struct fb_diags *diags = fb_diags_new();
    struct fb_compiled compiled;
    struct run_result result = {0};
    bool same = false;
    records->arena = arena;
    fb_sources_add(sources, fb_str_of(path), s.rules);
    if (fb_compile_sources(sources, diags, &compiled)) {
        decode_records(compiled.program, s.records, records);
        with_values = s.values;
        run_compiled(&compiled, records->entries, records->n, records->finish_us,
                     INT64_C(600000000), put_line, &result);
        bool product = as_expected("the product", s.expect, &result.product);
        same = as_expected("the reference", s.expect, &result.oracle) && product;
        if (!same)
            printf("instead of\n%.*s(%s)\n\n", FB_ARG(s.expect), path);
        run_result_free(&result);
    } else {
        struct fb_buf text = {0};
        fb_diags_print(diags, compiled.sources, false, &text);
        printf("%s", fb_buf_terminated(&text));
        fb_buf_free(&text);
    }
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
    fb_arena_free(arena);
    return same;
}

int main(int argc, char **argv) {
    bool all = argc > 1;
    if (argc < 2)
        fprintf(stderr, "usage: sentences FILE...\nexample: sentences sentences/*.case\n");
    for (int i = 1; i < argc; i++)
        all = run_sentence(argv[i]) && all;
    return all ? 0 : 1;
}
