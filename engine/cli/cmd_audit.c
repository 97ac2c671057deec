/* `flyball audit verify|head FILE...`
 *
 * Place in the flow: lines of files -> engine/run/audit_chain; with --reexecute also a replay ->
 * engine/run/audit_again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/lines.h"
#include "engine/base/arena.h"
#include "engine/cli/audit_place.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/replay_request.h"
#include "engine/run/audit_again.h"

enum {
    FINDINGS_SHOWN = 20,
    HEADS_MAX = 4096,
    KEY_HEAD = FB_REPLAY_KEYS_END,
    KEY_FROM,
    KEY_AGAIN,
    KEY_BEGINNING
};

struct arguments {
    const char **heads, **from;
    uint32_t n_heads, n_from;
    char **files; /* of argv */
    int n_files;
    bool reexecute, replay_options;
    struct fb_replay_request what;
    struct fb_audit_place_request place; /* of a live application */
    char topic[256];                     /* of its input */
};

struct audit {
    const struct arguments *arguments;
    FILE *out; /* findings */
    uint64_t findings;
    struct fb_audit_chains *chains;
    struct fb_audit_again *again; /* NULL: not asked for */
};

static void show(void *context, struct fb_str text) {
    struct audit *audit = context;
    if (audit->findings++ < FINDINGS_SHOWN)
        fprintf(audit->out, "%.*s\n", FB_ARG(text));
}

static void show_rest(const struct audit *audit) {
    if (audit->findings > FINDINGS_SHOWN)
        fprintf(audit->out, "and %llu more\n",
                (unsigned long long)(audit->findings - FINDINGS_SHOWN));
}

/* ---- heads ---- */

typedef void head_fn(struct fb_audit_chains *chains, const struct fb_audit_head *head);

static int wrong_head(const char *option, struct fb_str text) {
    fprintf(stderr,
            "flyball audit: %s takes [TASK=]SEQ:HASH, as `flyball audit head` prints it, or "
            "@FILE with such lines, not `%.*s`\n",
            option, FB_ARG(text));
    return FB_EXIT_USAGE;
}

static int give_heads_of(const char *option, const char *path, head_fn *give,
                         struct fb_audit_chains *chains) {
    struct fb_err err;
    struct fb_str line;
    struct fb_audit_head head;
    enum fb_line read = FB_LINE_FAILED;
    struct fb_lines *lines = fb_lines_open(path, &err);
    int status = FB_EXIT_OK;
    while (lines && status == FB_EXIT_OK &&
           (read = fb_lines_next(lines, &line, &err)) == FB_LINE_WHOLE) {
        if (fb_audit_head_parse(line, &head))
            give(chains, &head);
        else
            status = wrong_head(option, line);
    }
    fb_lines_close(lines);
    if (status == FB_EXIT_OK && read == FB_LINE_FAILED) {
        fprintf(stderr, "flyball audit: %s\n", err.text);
        status = FB_EXIT_IO;
    }
    return status;
}

static int give_heads(const char *option, const char *const *texts, uint32_t n, head_fn *give,
                      struct fb_audit_chains *chains) {
    struct fb_audit_head head;
    int status = FB_EXIT_OK;
    for (uint32_t i = 0; i < n && status == FB_EXIT_OK; i++) {
        if (texts[i][0] == '@')
            status = give_heads_of(option, texts[i] + 1, give, chains);
        else if (fb_audit_head_parse(fb_str_of(texts[i]), &head))
            give(chains, &head);
        else
            status = wrong_head(option, fb_str_of(texts[i]));
    }
    return status;
}

/* ---- files ---- */

static bool read_file(struct audit *audit, const char *path) {
    const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
    struct fb_err err;
    struct fb_str line;
    enum fb_line read;
    uint64_t number = 0;
    struct fb_lines *lines = fb_lines_open(path, &err);
    if (!lines) {
        fprintf(stderr, "flyball audit: %s\n", err.text);
        return false;
    }
    while ((read = fb_lines_next(lines, &line, &err)) == FB_LINE_WHOLE || read == FB_LINE_CUT) {
        const struct fb_audit_record *record =
            fb_audit_chains_line(audit->chains, name, ++number, line);
        if (audit->again && record && fb_audit_chains_findings(audit->chains) == 0)
            fb_audit_again_keep(audit->again, record, name, number);
    }
    fb_lines_close(lines);
    if (read != FB_LINE_FAILED)
        return true;
    fprintf(stderr, "flyball audit: %s\n", err.text);
    return false;
}

static int read_files(struct audit *audit) {
    for (int i = 0; i < audit->arguments->n_files; i++)
        if (!read_file(audit, audit->arguments->files[i]))
            return FB_EXIT_IO;
    fb_audit_chains_end(audit->chains);
    return audit->findings ? FB_EXIT_PROBLEMS : FB_EXIT_OK;
}

/* ---- again ---- */

static bool take_line(void *context, enum fb_stream stream, struct fb_str line,
                      struct fb_err *err) {
    struct audit *audit = context;
    (void)err;
    if (stream == FB_STREAM_AUDIT)
        fb_audit_again_compare(audit->again, line);
    return true;
}

static int reexecute(struct audit *audit, struct fb_replay_request *what) {
    struct fb_replay_options *options = &what->options;
    struct fb_replay_result result;
    struct fb_bundle *bundle;
    struct fb_err err;
    if (fb_audit_again_semantics(audit->again) != FB_SEMANTICS) {
        printf("the records were made with semantics %lld and this build has %d: it takes a build "
               "of the same semantics to execute them again\n",
               (long long)fb_audit_again_semantics(audit->again), FB_SEMANTICS);
        return FB_EXIT_PROBLEMS;
    }
    int status = fb_replay_request_compile(what, &bundle);
    if (status != FB_EXIT_OK)
        return status;
    options->audit = true;
    options->write = take_line;
    options->context = audit;
    if (options->application.n == 0)
        options->application = fb_audit_again_application(audit->again);
    if (options->tasks == 0)
        options->tasks = fb_audit_again_tasks(audit->again);
    if (fb_audit_again_build(audit->again))
        options->build = fb_audit_again_build(audit->again);
    if (fb_replay(options, &result, &err)) {
        fb_audit_again_end(audit->again);
        status = audit->findings ? FB_EXIT_PROBLEMS : FB_EXIT_OK;
    } else {
        fprintf(stderr, "flyball audit: %s\n", err.text);
        status = FB_EXIT_IO;
    }
    fb_bundle_drop(bundle);
    return status;
}

/* ---- verify ---- */

static void put_count(uint64_t n, const char *one, const char *rest) {
    printf("%llu %s%s", (unsigned long long)n, one, n == 1 ? "" : "s");
    fputs(rest, stdout);
}

static void summarize(const struct audit *audit) {
    uint32_t n = fb_audit_chains_tasks(audit->chains);
    for (uint32_t i = 0; i < n; i++) {
        struct fb_buf text = {0};
        uint64_t first;
        struct fb_audit_head head = fb_audit_chains_head(audit->chains, i, &first);
        fb_audit_head_put(&head, &text);
        printf("%.*s: seq %llu to %llu", FB_ARG(head.task), (unsigned long long)first,
               (unsigned long long)head.seq);
        if (audit->findings == 0) /* else it is not to be relied on */
            printf(", head %s", fb_buf_terminated(&text));
        putchar('\n');
        fb_buf_free(&text);
    }
    put_count(fb_audit_chains_records(audit->chains), "record", " of ");
    put_count(n, "task", ": ");
    if (audit->findings)
        put_count(audit->findings, "finding", "\n");
    else if (audit->again)
        puts("the chains are whole, and the same rules and events give the same records");
    else if (audit->arguments->n_heads)
        puts("the chains are whole and go through the exported heads");
    else
        puts("the chains are whole; without --head it would not show if their ends were cut off");
}

static int verify(struct arguments *arguments) {
    struct audit audit = {.arguments = arguments, .out = stdout};
    audit.chains = fb_audit_chains_new(false, show, &audit);
    if (arguments->reexecute)
        audit.again = fb_audit_again_new(show, &audit);
    int status = give_heads("--head", arguments->heads, arguments->n_heads, fb_audit_chains_expect,
                            audit.chains);
    if (status == FB_EXIT_OK)
        status = give_heads("--from", arguments->from, arguments->n_from, fb_audit_chains_from,
                            audit.chains);
    bool read = status == FB_EXIT_OK;
    if (read)
        status = read_files(&audit);
    if (status == FB_EXIT_OK && audit.again)
        status = reexecute(&audit, &arguments->what);
    else if (status == FB_EXIT_PROBLEMS && audit.again)
        puts("nothing was executed again, since the records are not as they were written");
    show_rest(&audit);
    if (read && (status == FB_EXIT_OK || status == FB_EXIT_PROBLEMS))
        summarize(&audit);
    fb_audit_again_free(audit.again);
    fb_audit_chains_free(audit.chains);
    return status;
}

static bool is_place(const struct arguments *arguments) {
    const struct fb_audit_place_request *place = &arguments->place;
    return place->config.path || place->config.n_sets || place->from_beginning;
}

/* Its rules and settings are in what it wrote; only the file that it reads has to be named. */
static void check_place(struct arguments *arguments, const struct argp_state *state) {
    const struct fb_replay_request *what = &arguments->what;
    if (!arguments->reexecute)
        argp_error(state, "--config, -X and --from-beginning go with --reexecute");
    if (arguments->n_files || arguments->n_heads || arguments->n_from)
        argp_error(state, "with --config the records are read where the application keeps them: "
                          "no FILE, --head or --from");
    if (what->rules.n || what->options.n_sets || what->options.has_until ||
        what->options.envelope || what->options.tasks || what->options.application.n)
        argp_error(state, "with --config, of the options of a replay only --input is possible");
    if (what->options.n_inputs > 1)
        argp_error(state, "a live application reads at most one --input");
    if (what->options.n_inputs == 0)
        return;
    struct fb_str topic = what->inputs[0].topic;
    arguments->place.input = what->inputs[0].path;
    if (topic.n >= sizeof arguments->topic)
        argp_error(state, "--input: the topic's name is too long");
    if (topic.n) {
        memcpy(arguments->topic, topic.p, topic.n);
        arguments->place.input_topic = arguments->topic;
    }
}

/* What is no option. */
static error_t parse_files(struct arguments *arguments, int key, struct argp_state *state) {
    switch (key) {
    case ARGP_KEY_ARGS:
        arguments->files = state->argv + state->next;
        arguments->n_files = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        if (!is_place(arguments))
            argp_error(state, "name files of audit records, or - for standard input");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_verify(int key, char *value, struct argp_state *state) {
    struct arguments *arguments = state->input;
    error_t known;
    switch (key) {
    case KEY_HEAD:
    case KEY_FROM:
        if (arguments->n_heads + arguments->n_from == HEADS_MAX)
            argp_error(state, "at most %d of --head and --from; more of them as @FILE", HEADS_MAX);
        if (key == KEY_HEAD)
            arguments->heads[arguments->n_heads++] = value;
        else
            arguments->from[arguments->n_from++] = value;
        return 0;
    case KEY_AGAIN:
        arguments->reexecute = true;
        return 0;
    case KEY_BEGINNING:
        arguments->place.from_beginning = true;
        return 0;
    case ARGP_KEY_END:
        if (is_place(arguments))
            check_place(arguments, state);
        else if (arguments->reexecute)
            fb_replay_request_check(&arguments->what, state);
        else if (arguments->replay_options)
            argp_error(state, "--rules, --input and what belongs to them go with --reexecute");
        return 0;
    default:
        if (parse_files(arguments, key, state) == 0 ||
            fb_config_request_option(&arguments->place.config, key, value, state) == 0)
            return 0;
        known = fb_replay_request_option(&arguments->what, key, value, state);
        arguments->replay_options |= known == 0;
        return known;
    }
}

static int cmd_verify(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"head", KEY_HEAD, "[TASK=]SEQ:HASH", 0,
         "A head that was exported before and kept elsewhere: the chain must go through it; @FILE: "
         "one a line; may be given again",
         0},
        {"from", KEY_FROM, "[TASK=]SEQ:HASH", 0,
         "The head before the first record, where the chain does not begin in these files; @FILE "
         "as well; may be given again",
         0},
        {"reexecute", KEY_AGAIN, NULL, 0,
         "Run the same rules over the same events again and compare every byte. Of records that "
         "`flyball replay` wrote: with its options, below. Of a live application: with --config "
         "and without FILE, from its journal, snapshots and inputs",
         0},
        {"config", 'c', "CONFIG", 0,
         "The configuration of the live application; nothing is written", 0},
        {NULL, 'X', "KEY=VALUE", 0, "Override a key of it; may be given again", 0},
        {"from-beginning", KEY_BEGINNING, NULL, 0,
         "From its first commit on instead of from the newest snapshot", 0},
        FB_REPLAY_OPTIONS,
        {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse_verify,
        .args_doc = "FILE...\n--reexecute --config CONFIG",
        .doc = "Checks audit records: that none was changed, left out, doubled or moved. FILE "
               "holds a record a line, also .zst; - is standard input. Exit status 1: the text "
               "says which record and what; 3: something can not be read.\v"
               "Examples:\n"
               "  flyball audit verify --head @heads.txt results/audit.ndjson\n"
               "  flyball audit verify --reexecute --config flyball.properties",
    };
    struct arguments arguments = {.heads = fb_alloc(HEADS_MAX * sizeof(char *)),
                                  .from = fb_alloc(HEADS_MAX * sizeof(char *))};
    fb_replay_request_init(&arguments.what);
    /* As in the records, where they are not given. */
    arguments.what.options.application = (struct fb_str){0};
    arguments.what.options.tasks = 0;
    fb_cli_options(&argp, argc, argv, &arguments);
    int status = is_place(&arguments) ? fb_cli_audit_place(&arguments.place) : verify(&arguments);
    free(arguments.heads);
    free(arguments.from);
    return status;
}

/* ---- head ---- */

static error_t parse_head(int key, char *value, struct argp_state *state) {
    (void)value;
    return parse_files(state->input, key, state);
}

/* The head of a broken chain is none. */
static int cmd_head(int argc, char **argv) {
    static const struct argp argp = {
        .parser = parse_head,
        .args_doc = "FILE...",
        .doc = "Prints the head of each task's chain of audit records, TASK=SEQ:HASH, to be kept "
               "where who writes the records can not write: `flyball audit verify --head` takes "
               "it.\v"
               "Example: flyball audit head results/audit.ndjson >heads.txt",
    };
    struct arguments arguments = {0};
    fb_cli_options(&argp, argc, argv, &arguments);
    struct audit audit = {.arguments = &arguments, .out = stderr};
    audit.chains = fb_audit_chains_new(true, show, &audit);
    int status = read_files(&audit);
    show_rest(&audit);
    for (uint32_t i = 0; status == FB_EXIT_OK && i < fb_audit_chains_tasks(audit.chains); i++) {
        struct fb_buf text = {0};
        uint64_t first;
        struct fb_audit_head head = fb_audit_chains_head(audit.chains, i, &first);
        fb_audit_head_put(&head, &text);
        puts(fb_buf_terminated(&text));
        fb_buf_free(&text);
    }
    fb_audit_chains_free(audit.chains);
    return status;
}

/* ---- both ---- */

static error_t parse_which(int key, char *value, struct argp_state *state) {
    (void)value;
    if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "verify or head?");
    return ARGP_ERR_UNKNOWN;
}

int fb_cmd_audit(int argc, char **argv) {
    static const char *const names[] = {"verify", "head"};
    static char titles[][24] = {"flyball audit verify", "flyball audit head"};
    static const struct argp argp = {
        .parser = parse_which,
        .args_doc = "verify|head FILE...",
        .doc = "Works on audit records: `verify` checks their chains, `head` prints where they "
               "end.\v"
               "Example: flyball audit verify results/audit.ndjson\n"
               "More: flyball audit verify -h",
    };
    for (size_t i = 0; argc > 1 && i < sizeof names / sizeof *names; i++)
        if (strcmp(argv[1], names[i]) == 0) {
            argv[1] = titles[i];
            return i == 0 ? cmd_verify(argc - 1, argv + 1) : cmd_head(argc - 1, argv + 1);
        }
    if (argc > 1 && argv[1][0] != '-')
        return fb_cli_wrong("audit command", argv[1], names, sizeof names / sizeof *names);
    fb_cli_options(&argp, argc, argv, NULL);
    return FB_EXIT_USAGE;
}
