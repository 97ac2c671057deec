/* A live application, executed again. */
#include "engine/cli/audit_place.h"

#include <stdio.h>

#include "engine/base/log.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/run/audit_place.h"

static void put_counts(const struct fb_audit_live_result *result) {
    static const char *const names[FB_AUDIT_STREAMS] = {
        "alerts", "late", "dead letters", "audit records", "commands", "shadow commands"};
    static const int order[FB_AUDIT_STREAMS] = {FB_STREAM_AUDIT,    FB_STREAM_ALERTS,
                                                FB_STREAM_COMMANDS, FB_STREAM_SHADOW,
                                                FB_STREAM_LATE,     FB_STREAM_DEAD};
    const char *before = "; in the topics ";
    for (int k = 0; k < FB_AUDIT_STREAMS; k++) {
        int i = order[k];
        if (!result->looked_at[i])
            continue;
        printf("%s%llu %s", before, (unsigned long long)result->compared[i], names[i]);
        if (result->gone[i])
            printf(" (%llu are not kept any more)", (unsigned long long)result->gone[i]);
        before = ", ";
    }
}

static void put_head(const struct fb_audit_live_result *result) {
    struct fb_audit_head head = {.task = fb_str_of(result->task), .seq = result->audit_seq};
    struct fb_buf text = {0};
    memcpy(head.hash, result->audit_head, sizeof head.hash);
    fb_audit_head_put(&head, &text);
    printf("; head %s", fb_buf_terminated(&text));
    fb_buf_free(&text);
}

static void put_result(const struct fb_audit_live_result *result) {
    unsigned long long first = result->first, last = result->last;
    printf("%s: ", result->task);
    if (result->end == FB_AUDIT_LIVE_EMPTY)
        printf("nothing was committed yet");
    else if (result->first == 0)
        printf("nothing was executed again");
    else if (first > last)
        printf("no commits behind the snapshot at %llu", last);
    else
        printf("commits %llu to %llu, %llu records", first, last,
               (unsigned long long)result->records);
    if (result->first)
        put_counts(result);
    if (result->end == FB_AUDIT_LIVE_SAME) {
        put_head(result);
        printf("; ok");
    } else if (result->end != FB_AUDIT_LIVE_EMPTY) {
        printf("; NOT ok");
    }
    putchar('\n');
    fb_cli_put(&result->findings, stdout);
}

static int put_results(const struct fb_audit_places *places) {
    int status = FB_EXIT_OK, empty = 0, wrong = 0, unread = 0;
    for (int32_t i = 0; i < places->n; i++) {
        put_result(&places->partitions[i]);
        empty += places->partitions[i].end == FB_AUDIT_LIVE_EMPTY;
        wrong += places->partitions[i].end == FB_AUDIT_LIVE_DIFFERS;
        unread += places->partitions[i].end == FB_AUDIT_LIVE_UNREADABLE;
    }
    printf("%d partition%s: ", places->n, places->n == 1 ? "" : "s");
    if (wrong || unread) {
        printf("%d not as %s executed, %d not readable\n", wrong,
               wrong == 1 ? "it was" : "they were", unread);
        status = wrong ? FB_EXIT_PROBLEMS : FB_EXIT_IO;
    } else if (empty == places->n) {
        puts("there is nothing to execute again");
    } else {
        puts("the journal and the inputs give the same outputs");
    }
    return status;
}

int fb_cli_audit_place(const struct fb_audit_place_request *request) {
    struct fb_audit_places places = {0};
    struct fb_err err;
    struct fb_config *config = fb_config_new();
    int status = FB_EXIT_USAGE;
    if (fb_cli_read_config(&request->config, config)) {
        struct fb_audit_place place = {.config = config,
                                       .input = request->input,
                                       .input_topic = request->input_topic,
                                       .from_beginning = request->from_beginning};
        fb_log_setup(FB_LOG_WARN, fb_config_is(config, FB_KEY_LOG_FORMAT, "json"));
        enum fb_audit_place_end end = fb_audit_place_again(&place, &places, &err);
        if (end == FB_AUDIT_PLACE_DONE)
            status = put_results(&places);
        else
            fprintf(stderr, "flyball audit: %s\n", err.text);
        if (end == FB_AUDIT_PLACE_UNREADABLE)
            status = FB_EXIT_IO;
    }
    fb_audit_places_free(&places);
    fb_config_free(config);
    return status;
}
