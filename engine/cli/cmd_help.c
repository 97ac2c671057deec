/* `flyball help [COMMAND|CODE]`.
 *
 * Place in the flow: the table of commands and the table of diagnostics, for people. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "rules/diag.h"

static error_t parse(int key, char *value, struct argp_state *state) {
    const char **wanted = state->input;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (*wanted)
        argp_error(state, "one command or code at a time");
    *wanted = value;
    return 0;
}

/* An example of several lines, each indented. */
static void print_example(const char *title, const char *text) {
    if (!*text)
        return;
    printf("\n%s\n    ", title);
    for (; *text; text++) {
        putchar(*text);
        if (*text == '\n')
            fputs("    ", stdout);
    }
    putchar('\n');
}

/* Words of an explanation, broken at 80 columns. */
static void print_wrapped(const char *text) {
    size_t column = 0;
    while (*text) {
        size_t length = 0;
        while (text[length] && text[length] != ' ')
            length++;
        if (column && column + 1 + length > 80) {
            putchar('\n');
            column = 0;
        } else if (column) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)length, text);
        column += length;
        text += length;
        while (*text == ' ')
            text++;
    }
    putchar('\n');
}

static int explain(enum fb_diag_code code) {
    const struct fb_diag_info *info = fb_diag_code_info(code);
    printf("%s: %s\n\n", info->number, info->title);
    print_wrapped(info->explanation);
    print_example("Wrong:", info->bad);
    print_example(*info->bad ? "Right:" : "Example:", info->good);
    return FB_EXIT_OK;
}

static void print_code_block(const char *title, const char *text) {
    if (*text)
        printf("\n%s\n\n```\n%s\n```\n", title, text);
}

/* docs/DIAGNOSTICS.md, which a test compares with this. */
static int print_page(void) {
    printf(
        "# Diagnostics\n\nWhat `flyball check` reports, written by `flyball help codes`. Codes are "
        "stable: a number keeps its meaning.\nE is an error, W a warning, H a hint.\n");
    for (uint32_t code = 0; code < FB_DIAG_CODES; code++) {
        const struct fb_diag_info *info = fb_diag_code_info((enum fb_diag_code)code);
        printf("\n## %s %s\n\n%s\n", info->number, info->title, info->explanation);
        print_code_block("Wrong:", info->bad);
        print_code_block(*info->bad ? "Right:" : "Example:", info->good);
    }
    return FB_EXIT_OK;
}

static bool looks_like_code(const char *text) {
    return isalpha((unsigned char)text[0]) && isdigit((unsigned char)text[1]);
}

int fb_cmd_help(int argc, char **argv) {
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "[COMMAND|CODE|codes]",
        .doc =
            "Explain a command, or a diagnostic code with an example; `codes` prints all of them "
            "as a page.\v"
            "Example: flyball help E401"};
    const char *wanted = NULL;
    fb_cli_options(&argp, argc, argv, &wanted);
    if (!wanted)
        return fb_cli_usage(stdout), FB_EXIT_OK;
    if (strcmp(wanted, "codes") == 0)
        return print_page();
    const struct fb_command *command = fb_command_find(wanted);
    if (command) {
        char title[64];
        snprintf(title, sizeof title, "flyball %s", command->name);
        char *line[] = {title, (char[]){"--help"}, NULL};
        return command->run(2, line);
    }
    enum fb_diag_code code;
    if (fb_diag_code_find(fb_str_of(wanted), &code))
        return explain(code);
    size_t n;
    const struct fb_command *all = fb_commands(&n);
    const char *names[64];
    for (size_t i = 0; i < n && i < 64; i++)
        names[i] = all[i].name;
    return fb_cli_wrong(looks_like_code(wanted) ? "code" : "command or code", wanted, names, n);
}
