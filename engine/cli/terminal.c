/* What commands share at the terminal: reading options, a wrong word, output and its colour.
 *
 * Place in the flow: below all cmd_*.c. */
#include "engine/cli/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/base/str.h"
#include "engine/cli/cli.h"

enum { COMMANDS_MAX = 64, KEY_USAGE = 0x100 };

int fb_cli_wrong(const char *what, const char *given, const char *const *candidates, size_t n) {
    struct fb_str words[COMMANDS_MAX];
    if (n > COMMANDS_MAX)
        n = COMMANDS_MAX;
    for (size_t i = 0; i < n; i++)
        words[i] = fb_str_of(candidates[i]);
    struct fb_str near = fb_str_nearest(fb_str_of(given), words, n);
    fprintf(stderr, "flyball: there is no %s `%s`", what, given);
    if (near.n)
        fprintf(stderr, "; did you mean `%.*s`?", FB_ARG(near));
    fputs("\nflyball: `flyball help` lists the commands\n", stderr);
    return FB_EXIT_USAGE;
}

/* -h, --help and --usage for every command; argp's own lack -h. */
static error_t parse_help(int key, char *value, struct argp_state *state) {
    (void)value;
    if (key != 'h' && key != KEY_USAGE)
        return ARGP_ERR_UNKNOWN;
    argp_state_help(state, stdout,
                    key == 'h' ? ARGP_HELP_STD_HELP : ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
    return 0;
}

void fb_cli_options(const struct argp *argp, int argc, char **argv, void *input) {
    static const struct argp_option help_options[] = {
        {"help", 'h', NULL, 0, "Show this help", -1},
        {"usage", KEY_USAGE, NULL, 0, "Show the options in short", -1},
        {0}};
    static const struct argp help = {.options = help_options, .parser = parse_help};
    struct argp_child children[] = {{&help, 0, NULL, -1}, {0}};
    struct argp with_help = *argp;
    with_help.children = children;
    argp_err_exit_status = FB_EXIT_USAGE;
    /* Mistakes of the user end the process there; unread options must not pass for none. */
    if (argp_parse(&with_help, argc, argv, ARGP_NO_HELP, NULL, input) == ENOMEM)
        fb_out_of_memory(1);
}

void fb_cli_put(const struct fb_buf *buf, FILE *out) {
    if (buf->n)
        fwrite(buf->p, 1, buf->n, out);
}

bool fb_cli_colour(FILE *out) {
    const char *forbidden = getenv("NO_COLOR"), *terminal = getenv("TERM");
    bool able = terminal && *terminal && strcmp(terminal, "dumb") != 0;
    return able && !(forbidden && *forbidden) && isatty(fileno(out));
}
