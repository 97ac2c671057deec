/* `flyball operator`: writes an operator's call for a running application.
 *
 * Place in the flow: a record in the control topic, which every instance reads; each partition
 * answers in the audit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/calendar.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/deployer.h"
#include "engine/cli/read_config.h"
#include "engine/codec/call.h"
#include "engine/codec/json_write.h"
#include "engine/run/config.h"
#include "engine/run/deploy.h"
#include "engine/run/time.h"

enum { KEY_UNTIL = 0x200, KEY_REASON, KEY_WHO, KEY_ONCE, KEY_CLASS, ARGS_MAX = 3 };

struct request {
    struct fb_config_request config;
    const char *args[ARGS_MAX];
    int n_args;
    const char *until, *reason, *who, *class_;
    bool once;
};

static error_t parse(int key, char *value, struct argp_state *state) {
    struct request *request = state->input;
    switch (key) {
    case KEY_UNTIL:
        request->until = value;
        return 0;
    case KEY_REASON:
        request->reason = value;
        return 0;
    case KEY_WHO:
        request->who = value;
        return 0;
    case KEY_ONCE:
        request->once = true;
        return 0;
    case KEY_CLASS:
        request->class_ = value;
        return 0;
    case ARGP_KEY_ARG:
        if (request->n_args == ARGS_MAX)
            argp_error(state, "`%s`: a call has %d words at most", value, ARGS_MAX);
        request->args[request->n_args++] = value;
        return 0;
    case ARGP_KEY_END:
        if (request->n_args == 0)
            argp_error(state, "CALL is missing: ack, shelve, unshelve, maintenance, service, hand, "
                              "auto, reset, kill or unkill");
        return 0;
    default:
        return fb_config_request_option(&request->config, key, value, state);
    }
}

/* ---- the call as JSON; what is wrong with it is said by who reads it ---- */

static void put(struct fb_buf *out, const char *name, struct fb_str text) {
    fb_buf_printf(out, "%s\"%s\":", out->n ? "," : "{", name);
    fb_json_put_text(out, text);
}

static void put_if(struct fb_buf *out, const char *name, const char *text) {
    if (text)
        put(out, name, fb_str_of(text));
}

/* ACTUATOR/DEVICE, or rule:NAME/DEVICE; an id may hold a slash itself. */
static void put_place(struct fb_buf *out, const char *place) {
    const char *slash = place ? strchr(place, '/') : NULL;
    bool rule = place && strncmp(place, "rule:", 5) == 0;
    const char *name = rule ? place + 5 : place;
    if (rule && !slash)
        put(out, "rule", fb_str_of(name));
    if (!slash)
        return;
    put(out, rule ? "rule" : "actuator", (struct fb_str){name, (size_t)(slash - name)});
    put(out, "device", fb_str_of(slash + 1));
}

static void put_value(struct fb_buf *out, const char *text) {
    char *end;
    double number = text ? strtod(text, &end) : 0;
    if (!text)
        return;
    if (end == text || *end || !isfinite(number)) {
        put(out, "value", fb_str_of(text));
        return;
    }
    fb_buf_text(out, ",\"value\":");
    fb_json_put_number(out, number);
}

/* all, rule:NAME, actuator:NAME. */
static void put_scope(struct fb_buf *out, const char *scope) {
    if (scope && strcmp(scope, "all") == 0)
        fb_buf_text(out, ",\"all\":true");
    else if (scope && strncmp(scope, "rule:", 5) == 0)
        put(out, "rule", fb_str_of(scope + 5));
    else if (scope && strncmp(scope, "actuator:", 9) == 0)
        put(out, "actuator", fb_str_of(scope + 9));
}

static bool is_one_of(const char *call, const char *const *names) {
    while (*names && strcmp(call, *names) != 0)
        names++;
    return *names != NULL;
}

static void put_call(const struct request *request, const char *who, struct fb_buf *out) {
    static const char *const of_alarms[] = {"ack", "shelve", "unshelve", NULL};
    static const char *const of_devices[] = {"maintenance", "service", NULL};
    const char *const *args = request->args;
    put(out, "call", fb_str_of(args[0]));
    if (is_one_of(args[0], of_alarms)) {
        put_if(out, "alarm", args[1]);
    } else if (is_one_of(args[0], of_devices)) {
        put_if(out, "device", args[1]);
    } else if (strcmp(args[0], "kill") == 0) {
        put_if(out, "mode", args[1]);
        put_scope(out, args[2]);
    } else if (strcmp(args[0], "unkill") == 0) {
        put_scope(out, args[1]);
    } else {
        put_place(out, args[1]);
        put_value(out, args[2]);
    }
    put_if(out, "class", request->class_);
    put_if(out, "until", request->until);
    if (request->once)
        fb_buf_text(out, ",\"once\":true");
    put_if(out, "reason", request->reason);
    put(out, "who", fb_str_of(who));
    fb_buf_char(out, '}');
}

static bool is_good(struct fb_str bytes) {
    struct fb_call_reader *reader = fb_call_reader_new();
    struct fb_call_read read;
    bool good = fb_str_is_utf8(bytes);
    if (!good)
        fprintf(stderr, "flyball operator: the call is no UTF-8\n");
    else if (!(good = fb_call_read(reader, bytes, &read)))
        fprintf(stderr, "flyball operator: %.*s; see flyball operator --help\n",
                FB_ARG(read.wrong));
    fb_call_reader_free(reader);
    return good;
}

/* ---- the command ---- */

static int write_call(const struct fb_config *config, struct fb_str bytes) {
    struct fb_err err;
    int64_t offset;
    if (!fb_config_is(config, FB_KEY_GUARANTEE, "exactly_once")) {
        fprintf(stderr, "flyball operator: error: an application with processing.guarantee = "
                        "at_least_once commands nothing and takes no calls\n");
        return FB_EXIT_USAGE;
    }
    struct fb_deploy *control = fb_control_writer_open(config, &err);
    if (!control)
        return fb_cli_failed("operator", &err);
    int status = FB_EXIT_OK;
    if (fb_control_write(control, bytes, &offset, &err))
        printf("called (offset %lld of %s): each partition answers in the audit\n",
               (long long)offset, fb_deploy_topic(control));
    else
        status = fb_cli_failed("operator", &err);
    fb_deploy_close(control);
    return status;
}

int fb_cmd_operator(int argc, char **argv) {
    static const struct argp_option rows[] = {
        FB_CONFIG_OPTIONS,
        {"until", KEY_UNTIL, "TIME", 0,
         "hand, shelve, maintenance: the end, as 2026-01-01T12:00:00Z", 0},
        {"once", KEY_ONCE, NULL, 0, "shelve: until the alarm clears, if that is earlier", 0},
        {"class", KEY_CLASS, "NAME", 0,
         "maintenance, service: which device, where several have the id", 0},
        {"reason", KEY_REASON, "TEXT", 0, "Why; hand, kill and shelve need it", 0},
        {"who", KEY_WHO, "NAME", 0, "Who calls (user@host)", 0},
        {0}};
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "ack ALARM/DEVICE\nshelve ALARM/DEVICE\nunshelve ALARM/DEVICE\n"
                    "maintenance DEVICE\nservice DEVICE\n"
                    "hand ACTUATOR/DEVICE VALUE\nauto ACTUATOR/DEVICE\nreset ACTUATOR/DEVICE\n"
                    "reset rule:NAME/DEVICE\n"
                    "kill freeze|safe all|rule:NAME|actuator:NAME\n"
                    "unkill all|rule:NAME|actuator:NAME",
        .doc = "Asks a running application to take an alarm as acknowledged; to shelve it, so that "
               "its changes are not annunciated until a time, 8h from now at most; to take a "
               "device out of service (maintenance: its alarms are not annunciated, its commands "
               "withheld) and put it back (service); to take an actuator in hand or give it back "
               "to its rules; to let no command go out, or none but the step to safe; or to close "
               "a breaker, an actuator's or that of a rule with `fleet` in the domain of a device. "
               "Each partition answers in the audit. Exit status 0: the call is "
               "written; 2: wrong usage or configuration; 3: Kafka could not be reached.\v"
               "Examples:\n"
               "  flyball operator ack overheat/p1 -c fb.properties\n"
               "  flyball operator shelve overheat/p1 --once \\\n"
               "    --until 2026-01-01T18:00:00Z --reason repair -c fb.properties\n"
               "  flyball operator maintenance p1 --until 2026-01-02T06:00:00Z \\\n"
               "    -c fb.properties\n"
               "  flyball operator kill safe all --reason smoke -c fb.properties"};
    struct request request = {0};
    struct fb_buf bytes = {0};
    char who[256];
    fb_cli_options(&argp, argc, argv, &request);
    fb_cli_who(who, sizeof who);
    put_call(&request, request.who ? request.who : who, &bytes);
    struct fb_config *config = fb_config_new();
    int status = FB_EXIT_USAGE;
    struct fb_str call = {bytes.p, bytes.n};
    if (is_good(call) && fb_cli_read_config(&request.config, config))
        status = write_call(config, call);
    fb_config_free(config);
    fb_buf_free(&bytes);
    return status;
}
